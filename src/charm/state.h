/*
 * charm/state.h: the unit's state of one run: read once, one document an owner, changed in place, saved at the end.
 *
 * Owners are the engine ("charm") and the layers. Keys of others (a layer that is no longer linked) are left alone.
 *
 *     r = charmi_state_load(&state, arena, tools, owners, &error);
 *     charm_value_set_bool(charmi_state_of(&state, "charm"), "verify", true);
 *     r = charmi_state_changes(&state, &changes, &error);       (empty: nothing to tell Juju)
 *
 * May include: charm/{hooktools,store,value}.h.
 */
#ifndef CHARMI_STATE_H
#define CHARMI_STATE_H

#include "base/text.h"
#include "charm/hooktools.h"

/* The engine's own part. No layer may have this name. */
#define CHARMI_STATE_ENGINE "charm"

struct charmi_state {
    struct charm_arena *arena;
    const struct charm_value *raw;  /* as Juju has it */
    struct charmi_words owners;     /* names ... */
    struct charm_value **documents; /* ... and their documents, beside them */
};

/* One state-get. Any damaged or newer document refuses the whole run. */
CHARM_MUST_CHECK int charmi_state_load(struct charmi_state *state, struct charm_arena *arena,
                                       struct charmi_tools *tools,
                                       const struct charmi_words *owners,
                                       struct charm_error *reterr);
/* The same without any stored document. */
void charmi_state_empty(struct charmi_state *state, struct charm_arena *arena,
                        const struct charmi_words *owners);
/* The document of an owner, or NULL if it is none. */
struct charm_value *charmi_state_of(const struct charmi_state *state, const char *owner);
/* What state-set must be told, as a map; CHARM_ETOOBIG beyond Juju's limit. */
CHARM_MUST_CHECK int charmi_state_changes(const struct charmi_state *state,
                                          struct charm_value **ret_changes,
                                          struct charm_error *reterr);

/* The map `key` of a map, made if it is not there (or is something else). Borrowed from it. */
struct charm_value *charmi_submap(struct charm_value *map, const char *key);

#endif
