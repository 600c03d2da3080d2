/*
 * bench/samples.h: how long something took, many times: by the clock, and by the processor's time it was given, which a
 * busy machine changes less.
 *
 * May include: charm/arena.h.
 */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include <stdint.h>

#include "charm/arena.h"

struct bench_samples {
    int64_t *clock_ns;
    int64_t *cpu_ns;
    size_t size;
};

/* A moment, to measure from. */
struct bench_moment {
    int64_t clock_ns;
    int64_t cpu_ns; /* of this process and of the children that it has waited for, and theirs */
};

struct bench_moment bench_now(void);
struct bench_samples bench_samples_new(struct charm_arena *arena, size_t most);
void bench_samples_add(struct bench_samples *samples, struct bench_moment since);
/* "NAME MEDIAN MIN MAX CPU" (its median) in microseconds, on standard output. */
void bench_samples_print(struct bench_samples *samples, const char *name);

#endif
