/*
 * charm/store.h: documents of the unit's state, cut into values that Juju accepts.
 *
 * Pure. Juju keeps a map of texts, each at most 64 KiB, 2 MiB in all (juju-contract.md 3.14). One owner (the engine,
 * a layer) has one document, a JSON map. Its text is cut at 48 KiB, never inside a character, under OWNER/1, OWNER/2
 * ...; OWNER/0 holds {"chunks":N,"format":1,"sha256":"..."}. An empty value counts as none.
 *
 *     r = charmi_store_decode(arena, raw, "charm", &document, &error);
 *     charmi_store_encode(arena, raw, "charm", document, changes);       (changes: what state-set must be told)
 *
 * May include: charm/{arena,error,value}.h, base.
 */
#ifndef CHARMI_STORE_H
#define CHARMI_STORE_H

#include "charm/arena.h"
#include "charm/error.h"
#include "charm/value.h"

#define CHARMI_STORE_FORMAT 1
#define CHARMI_STORE_CHUNK_BYTES ((size_t)48 * 1024)
#define CHARMI_STORE_MAX_BYTES ((size_t)2 * 1024 * 1024) /* all keys and values of a unit */

/*
 * The document of `owner` in the raw map; an empty map when there is none. CHARM_EREFUSED: a newer format;
 * CHARM_EPARSE: damaged. In both cases nothing may overwrite it.
 */
CHARM_MUST_CHECK int charmi_store_decode(struct charm_arena *arena, const struct charm_value *raw,
                                         const char *owner, struct charm_value **ret_document,
                                         struct charm_error *reterr);

/* Adds to `changes` the keys of `owner` whose values in `raw` must change; surplus chunks become "". */
void charmi_store_encode(struct charm_arena *arena, const struct charm_value *raw,
                         const char *owner, const struct charm_value *document,
                         struct charm_value *changes);

/* CHARM_ETOOBIG when `raw` with `changes` put in would pass Juju's limit for a unit. */
CHARM_MUST_CHECK int charmi_store_check_size(struct charm_arena *arena,
                                             const struct charm_value *raw,
                                             const struct charm_value *changes,
                                             struct charm_error *reterr);

#endif
