/*
 * kcb/properties.h: Java properties: read as java.util.Properties reads, written so that it reads the same back.
 *
 * Reading follows Properties.load(Reader) of Java 17, with two differences: text that is not UTF-8, or a \u escape that
 * is cut short or makes no character (a lone surrogate, NUL), is an error that names the line; Java would throw without
 * one, or carry on. Writing is pure ASCII, since Kafka reads its files as ISO-8859-1.
 *
 *     struct charm_value *map;
 *     if (kcbi_properties_parse(arena, "a = 1\nb: 2\n", &map, reterr) == 0) {
 *         puts(kcbi_properties_render(arena, map));      ->  a=1, b=2
 *     }
 *
 * May include: charm/value.h, base.
 */
#ifndef KCBI_PROPERTIES_H
#define KCBI_PROPERTIES_H

#include "charm/value.h"

/* Most bytes of a text that is read. */
#define KCBI_PROPERTIES_MAX (256 * 1024)

/*
 * A map of key to text, in the order of first appearance; a key that comes twice has its last value. CHARM_EPARSE with
 * the line's number, never with its text (it may hold secrets); CHARM_ETOOBIG. NULL is the empty text.
 */
CHARM_MUST_CHECK int kcbi_properties_parse(struct charm_arena *arena, const char *text,
                                           struct charm_value **ret_map,
                                           struct charm_error *reterr);
/* One line for each member, sorted by key; what is not a text, number or boolean is written as nothing. */
const char *kcbi_properties_render(struct charm_arena *arena, const struct charm_value *map);

#endif
