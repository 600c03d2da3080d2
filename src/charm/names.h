/*
 * charm/names.h: numbers for names, and lists of numbers.
 *
 * Invariants. Each name has one number; numbers count up from `first` without gaps. Names are copied. All memory is the
 * arena's.
 *
 *     struct charmi_names *names = charmi_names_new(arena, 0);
 *     size_t ready = charmi_names_intern(names, "hello.ready");     0, and 0 again for the same name
 *
 * May include: charm/arena.h.
 */
#ifndef CHARMI_NAMES_H
#define CHARMI_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "charm/arena.h"

#define CHARMI_NO_NAME ((size_t)-1)

struct charmi_names;

struct charmi_names *charmi_names_new(struct charm_arena *arena, size_t first);
/* The number of `name`, a new one if need be. */
size_t charmi_names_intern(struct charmi_names *names, const char *name);
/* The number of `name`, or CHARMI_NO_NAME. */
size_t charmi_names_find(const struct charmi_names *names, const char *name);
/* The name of a number that intern or find gave. */
const char *charmi_names_text(const struct charmi_names *names, size_t id);
size_t charmi_names_count(const struct charmi_names *names);

/* A list of numbers that grows; start with { 0 }. */
struct charmi_ids {
    size_t *at;
    size_t size;
    size_t capacity;
};
void charmi_ids_add(struct charm_arena *arena, struct charmi_ids *ids, size_t id);
/* Adds a number unless it is there; true if it was added. */
bool charmi_ids_add_once(struct charm_arena *arena, struct charmi_ids *ids, size_t id);
bool charmi_ids_have(const struct charmi_ids *ids, size_t id);

#endif
