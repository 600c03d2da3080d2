/*
 * charm/charmfiles.h: what metadata.yaml, config.yaml and actions.yaml declare.
 *
 * Read once, never changed. A file that is not there declares nothing, except metadata.yaml, without which nothing
 * is a charm.
 *
 *     const struct charm_files *files;
 *     r = charmi_charmfiles_load(arena, ports, context.charm_dir, &files, &error);
 *     const struct charm_endpoint *peer = charmi_charmfiles_peer(files);
 *
 * May include: charm/{arena,error,ports,value}.h, base.
 */
#ifndef CHARMI_CHARMFILES_H
#define CHARMI_CHARMFILES_H

#include <stddef.h>

#include "base/text.h"
#include "charm/arena.h"
#include "charm/error.h"
#include "charm/ports.h"
#include "charm/value.h"

struct charm_endpoint {
    const char *name;      /* kafka-client */
    const char *role;      /* requires, provides, peers */
    const char *interface; /* kafka_client */
};

struct charm_option {
    const char *name;
    const char *type;                     /* string, int, float, boolean, secret */
    const struct charm_value *by_default; /* NULL: none */
};

struct charm_files {
    const struct charm_value *metadata;     /* metadata.yaml */
    const char *name;                       /* of the charm */
    const char *summary;                    /* of the charm */
    const struct charm_endpoint *endpoints; /* sorted by name */
    size_t endpoint_count;
    const struct charm_option *options; /* in the order of config.yaml */
    size_t option_count;
};

/* Reads metadata.yaml and config.yaml of `dir` through the ports. */
CHARM_MUST_CHECK int charmi_charmfiles_load(struct charm_arena *arena,
                                            const struct charm_ports *ports, const char *dir,
                                            const struct charm_files **ret_files,
                                            struct charm_error *reterr);
/* The same from parsed documents, borrowed as long as the files; NULL counts as an empty one. */
CHARM_MUST_CHECK int charmi_charmfiles_from(struct charm_arena *arena,
                                            const struct charm_value *metadata,
                                            const struct charm_value *config,
                                            const struct charm_files **ret_files,
                                            struct charm_error *reterr);
/* Names in the order of actions.yaml, for people; no run needs them. A missing file is an empty one. */
CHARM_MUST_CHECK int charmi_charmfiles_actions(struct charm_arena *arena,
                                               const struct charm_ports *ports, const char *dir,
                                               struct charmi_words *ret_names,
                                               struct charm_error *reterr);

const struct charm_endpoint *charmi_charmfiles_endpoint(const struct charm_files *files,
                                                        const char *name); /* or NULL */
/* The first peers endpoint: its application bag is the application state. NULL: none. */
const struct charm_endpoint *charmi_charmfiles_peer(const struct charm_files *files);
const struct charm_option *charmi_charmfiles_option(const struct charm_files *files,
                                                    const char *name); /* or NULL */

#endif
