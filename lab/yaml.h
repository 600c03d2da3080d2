/*
 * lab/yaml.h: YAML 1.1 text to values and back, as Juju's yaml.v2 reads and writes it.
 *
 * May include: include/charm.
 */
#ifndef LAB_YAML_H
#define LAB_YAML_H

#include <stddef.h>

#include "base/text.h"
#include "charm/value.h"

enum lab_yaml {
    LAB_YAML_TYPED, /* numbers, booleans (yes, no, on, off, y, n too) and null become values */
    LAB_YAML_TEXTS, /* scalars keep their spelling; null becomes "" */
};

/* Empty text gives null. Errors name line and column, never the text. */
CHARM_MUST_CHECK int lab_yaml_parse(struct charm_arena *arena, const char *text, size_t size,
                                    enum lab_yaml how, struct charm_value **ret_value,
                                    struct charm_error *reterr);
/* Ends in one newline; keys sorted. */
const char *lab_yaml_render(struct charm_arena *arena, const struct charm_value *value);
/* A number as Go prints a float64: 12, 2.5, 1e+06. */
const char *lab_go_number(struct charm_arena *arena, const struct charm_value *number);
/* The keys of a map, sorted by bytes. */
struct charmi_words lab_sorted_keys(struct charm_arena *arena, const struct charm_value *map);

#endif
