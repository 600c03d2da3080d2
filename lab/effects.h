/*
 * lab/effects.h: do two lists of effects agree, but for what cannot be the same?
 *
 * An effect is a text: a hook tool call, a key of a bag, a status. Before they are compared, times become one word (clocks,
 * dates, milliseconds since 1970 and "N ms"), and what is random (salts, and digests that are made with them: 16 hex digits
 * or more) its number in the order in which it first appears in its list, so that what was equal stays equal.
 *
 *     const char *differences = lab_effects_compare(arena, process, inside);
 *     if (differences[0] != '\0') { ... }
 *
 * May include: include/charm, base.
 */
#ifndef LAB_EFFECTS_H
#define LAB_EFFECTS_H

#include "charm/value.h"

/* Where the lists of texts differ, a line of each side, the first few of them; "": nowhere. */
const char *lab_effects_compare(struct charm_arena *arena, const struct charm_value *process,
                                const struct charm_value *inside);

#endif
