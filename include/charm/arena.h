/*
 * charm/arena.h: memory of one run, released all at once.
 *
 * Invariants. What an arena hands out is zeroed, aligned for any type, and lives until charm_arena_free().
 * Running out of memory ends the process with one line on standard error and CHARM_EXIT_NO_MEMORY.
 *
 *     struct charm_arena *arena = charm_arena_new();
 *     const char *name = charm_arena_printf(arena, "%s/%d", "connect", 0);
 *     charm_arena_free(arena);
 *
 * May include: charm/error.h.
 */
#ifndef CHARM_ARENA_H
#define CHARM_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "charm/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Exit status of a process that ran out of memory. */
#define CHARM_EXIT_NO_MEMORY 12

struct charm_arena;

/* A new arena; own: release it with charm_arena_free(), which accepts NULL. */
struct charm_arena *charm_arena_new(void);
void charm_arena_free(struct charm_arena *arena);

/* Zeroed memory. */
void *charm_arena_alloc(struct charm_arena *arena, size_t size_bytes);
/* `count` elements of `size_bytes`, checked against overflow. */
void *charm_arena_array(struct charm_arena *arena, size_t count, size_t size_bytes);
/* Copies of text; NULL gives NULL. */
char *charm_arena_copy(struct charm_arena *arena, const char *text);
char *charm_arena_copy_n(struct charm_arena *arena, const char *bytes, size_t size);
char *charm_arena_printf(struct charm_arena *arena, const char *format, ...) CHARM_PRINTF(2, 3);
char *charm_arena_vprintf(struct charm_arena *arena, const char *format, va_list args)
    CHARM_PRINTF(2, 0);
/* Calls `release(object)` when the arena is freed; last registered, first called. */
void charm_arena_defer(struct charm_arena *arena, void (*release)(void *object), void *object);

#ifdef __cplusplus
}
#endif
#endif
