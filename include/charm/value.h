/*
 * charm/value.h: JSON values, for configuration, relation data, manifests and connector settings.
 *
 * Invariants. Every value belongs to an arena (charm/arena.h; in a charm, the run's) and is released with it:
 * nobody frees a value. What `get`, `at` and the iteration return is borrowed until then. Strings given are
 * copied. Putting a value into a list or map *shares* it: a later change shows in both. Reading functions
 * accept NULL, which is the same as a missing or null value, so that paths can be followed without checks.
 * Setters accept a NULL container as misuse and do nothing. No allocation failure is ever reported: the
 * process ends with one line and CHARM_EXIT_NO_MEMORY, because nothing has been committed.
 *
 *     struct charm_value *map = charm_value_new_map(arena);
 *     charm_value_setf(map, "tasks.max", "%d", 2);
 *     struct charm_value *ports = charm_value_add_list(map, "ports");
 *     charm_value_append_int(ports, 8083);
 *     CHARM_EACH(map, it) {
 *         puts(it.key);
 *     }
 *     const char *text = charm_value_render(arena, map, CHARM_JSON_COMPACT);
 *
 * May include: charm/arena.h, charm/error.h.
 */
#ifndef CHARM_VALUE_H
#define CHARM_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "charm/arena.h"
#include "charm/error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct charm_value;

enum charm_kind {
    CHARM_NULL,
    CHARM_BOOL,
    CHARM_INT,
    CHARM_REAL,
    CHARM_STRING,
    CHARM_LIST,
    CHARM_MAP,
};

/* ---- make: new values, owned by the arena ---- */
struct charm_value *charm_value_new_map(struct charm_arena *arena);
struct charm_value *charm_value_new_list(struct charm_arena *arena);
/* `text` must be UTF-8 (bytes that are not become U+FFFD); NULL makes a null value. */
struct charm_value *charm_value_new_text(struct charm_arena *arena, const char *text);
struct charm_value *charm_value_new_int(struct charm_arena *arena, int64_t number);
struct charm_value *charm_value_new_bool(struct charm_arena *arena, bool truth);
struct charm_value *charm_value_new_null(struct charm_arena *arena);
/* A deep copy that shares nothing with `from`; NULL gives a null value. */
struct charm_value *charm_value_copy(struct charm_arena *arena, const struct charm_value *from);

/* ---- look ---- */
enum charm_kind charm_value_kind(const struct charm_value *value);
/* The text of a string value, "" for everything else; never NULL. Borrowed from the value. */
const char *charm_text(const struct charm_value *value);
/* Text of a string, number or boolean as people write it ("a", "5", "true"); "" for the rest. */
const char *charm_value_scalar(struct charm_arena *arena, const struct charm_value *value);
/* The number of an int value, or of a string that holds nothing but one; else `fallback`. */
int64_t charm_value_int(const struct charm_value *value, int64_t fallback);
bool charm_value_true(const struct charm_value *value);   /* only for the boolean true */
size_t charm_value_size(const struct charm_value *value); /* members of a list or map, else 0 */
/* Member of a map, or NULL. A path of keys: charm_value_path(v, "spec", "replicas", NULL). */
const struct charm_value *charm_value_get(const struct charm_value *map, const char *key);
const struct charm_value *charm_value_path(const struct charm_value *map, ...);
const struct charm_value *charm_value_at(const struct charm_value *list, size_t index);
bool charm_value_equal(const struct charm_value *left, const struct charm_value *right);

/* Goes through a map in order of insertion; `map` is evaluated once. Do not change the map meanwhile. */
struct charm_iter {
    const char *key;
    const struct charm_value *value;
    const struct charm_value *map;
    void *at;
};
struct charm_iter charm_value_each(const struct charm_value *map);
bool charm_value_next(struct charm_iter *iter);
#define CHARM_EACH(map, iter)                                                                      \
    for (struct charm_iter iter = charm_value_each(map); charm_value_next(&iter);)

/* ---- change ---- */
void charm_value_set(struct charm_value *map, const char *key, const struct charm_value *member);
void charm_value_setf(struct charm_value *map, const char *key, const char *format, ...)
    CHARM_PRINTF(3, 4);
void charm_value_set_text(struct charm_value *map, const char *key, const char *text);
void charm_value_set_int(struct charm_value *map, const char *key, int64_t number);
void charm_value_set_bool(struct charm_value *map, const char *key, bool truth);
void charm_value_set_null(struct charm_value *map, const char *key);
void charm_value_remove(struct charm_value *map, const char *key);
void charm_value_clear(struct charm_value *container); /* a map or list without members */
/* New empty map or list as a member of `map`; borrowed. */
struct charm_value *charm_value_add_map(struct charm_value *map, const char *key);
struct charm_value *charm_value_add_list(struct charm_value *map, const char *key);
void charm_value_append(struct charm_value *list, const struct charm_value *member);
void charm_value_append_text(struct charm_value *list, const char *text);
void charm_value_append_int(struct charm_value *list, int64_t number);
struct charm_value *charm_value_append_map(struct charm_value *list);
/* Every member of `from` into `into`, replacing. */
void charm_value_update(struct charm_value *into, const struct charm_value *from);

/* ---- text ---- */
enum charm_json {
    CHARM_JSON_COMPACT, /* no white space, order of insertion */
    CHARM_JSON_SORTED,  /* no white space, keys sorted by bytes: for digests and comparisons */
    CHARM_JSON_PRETTY,  /* for people: two blanks of indent, keys sorted */
    CHARM_JSON_PYTHON, /* reactive-framework.md 4.6, byte for byte: sorted keys, ", " and ": ", ASCII */
};
/* Text of a value, owned by the arena. NULL renders as null. */
const char *charm_value_render(struct charm_arena *arena, const struct charm_value *value,
                               enum charm_json style);
/*
 * Reads JSON text of `size` bytes; any JSON value is accepted, nesting deeper than 100 is not.
 * Errors: CHARM_EPARSE with line and column, never with the text itself (it may hold secrets).
 */
CHARM_MUST_CHECK int charm_value_parse(struct charm_arena *arena, const char *text, size_t size,
                                       struct charm_value **ret_value, struct charm_error *reterr);
/* Relation values of charms.reactive (4.6): JSON if the text is JSON, else the text itself. */
struct charm_value *charm_value_decode(struct charm_arena *arena, const char *text);

#ifdef __cplusplus
}
#endif
#endif
