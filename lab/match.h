/*
 * lab/match.h: patterns, and values that contain others. Pure.
 *
 *     lab_match("PUT *config *", "PUT /connectors/a/config {}")      -> true
 *
 * May include: include/charm.
 */
#ifndef LAB_MATCH_H
#define LAB_MATCH_H

#include <stdbool.h>

#include "charm/value.h"

/* `*` in the pattern stands for anything. */
bool lab_match(const char *pattern, const char *text);
/*
 * Does the value contain what is expected? Maps: each expected key (null: must not be there). Lists: the same length,
 * each member. Texts are patterns; a text that holds JSON is read when a map or list is expected of it. NULL, or where and
 * how it differs.
 */
const char *lab_contains(struct charm_arena *arena, const char *where,
                         const struct charm_value *expected, const struct charm_value *actual);

#endif
