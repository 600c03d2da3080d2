/*
 * charm/patterns.h: hook patterns, as {requires:kafka}-relation-{joined,changed}, written out.
 *
 * The rules are those of the Python framework, corrected by its recorded behaviour (reactive-framework.md 3.2): a group runs from the
 * leftmost { to the first } behind it, has no colon, and only its last word may be empty; what is no group stays literal
 * text. {role:interface} becomes every endpoint of that role (requires, provides, peers) and interface.
 *
 *     struct charmi_words names = { 0 };
 *     int r = charmi_patterns_expand(arena, CHARM_FLAGS("in{st,}all"), metadata, &names, &error);
 *
 * May include: charm/value.h, base.
 */
#ifndef CHARMI_PATTERNS_H
#define CHARMI_PATTERNS_H

#include "base/text.h"
#include "charm/error.h"
#include "charm/value.h"

/* Most names that the patterns of one guard may stand for. */
enum { CHARMI_PATTERNS_MAX = 1000 };

/* `patterns` is NULL-ended; `metadata` is metadata.yaml or NULL. CHARM_ETOOBIG beyond CHARMI_PATTERNS_MAX. */
CHARM_MUST_CHECK int charmi_patterns_expand(struct charm_arena *arena, const char *const *patterns,
                                            const struct charm_value *metadata,
                                            struct charmi_words *ret_names,
                                            struct charm_error *reterr);

#endif
