/*
 * base/memory.h: heap memory that is there or ends the process.
 *
 * Nothing of a run is committed before its end, so there is nothing to save when memory runs out:
 * one line on standard error and CHARM_EXIT_NO_MEMORY.
 *
 * May include: charm/arena.h.
 */
#ifndef CHARMI_MEMORY_H
#define CHARMI_MEMORY_H

#include <stddef.h>

#include "charm/arena.h"

/* Ends the process. */
_Noreturn void charmi_no_memory(void);
/* A broken invariant of ours: prints where and what, and aborts. */
_Noreturn void charmi_bug(const char *what);

void *charmi_malloc(size_t size);
void *charmi_realloc(void *old, size_t size);
/* a * b, or the end of the process. */
size_t charmi_multiply(size_t a, size_t b);

/* Says that a result is neglected on purpose, and why. */
#define CHARMI_IGNORE(call, reason)                                                                \
    do {                                                                                           \
        if (call) {                                                                                \
        }                                                                                          \
    } while (0)

#define CHARMI_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
