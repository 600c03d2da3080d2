/*
 * edge/juju/yaml.h: one YAML or JSON document as a value.
 *
 * What a plain scalar means follows YAML 1.1 as PyYAML (and so charm tools) reads it: null ~, true/false/yes/no/on/off,
 * integers (0x, 0b, 0 for octal, _ between digits), reals with a dot. Everything else is text, also what only looks
 * like a number: y, n, 08, 1e5, 12:30, 2024-01-01, .inf, and integers beyond 64 bits. Keys are text as they are
 * written.
 *
 * Refused, with line and column and never with the text itself (it may hold secrets): more than one document, a
 * key twice, aliases and merge keys (a few lines of them can stand for gigabytes), tags other than !!str, !!seq and
 * !!map, keys that are no scalars, NULs, bytes that are no UTF-8, nesting deeper than CHARMI_YAML_DEPTH, text longer than
 * CHARMI_YAML_BYTES.
 *
 * May include: charm/value.h, base, libyaml.
 */
#ifndef CHARMI_YAML_H
#define CHARMI_YAML_H

#include "charm/value.h"

#define CHARMI_YAML_DEPTH 50
#define CHARMI_YAML_BYTES ((size_t)1024 * 1024)

/* An empty document is a null value. CHARM_EPARSE, or CHARM_ETOOBIG. */
CHARM_MUST_CHECK int charmi_yaml_parse(struct charm_arena *arena, const char *text, size_t size,
                                       struct charm_value **ret_value, struct charm_error *reterr);
/* The same, but a plain scalar that is not null stays the text that was written. */
CHARM_MUST_CHECK int charmi_yaml_texts(struct charm_arena *arena, const char *text, size_t size,
                                       struct charm_value **ret_value, struct charm_error *reterr);

#endif
