/*
 * bench/samples.h: how long something took, many times.
 *
 * May include: charm/arena.h.
 */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include <stdint.h>

#include "charm/arena.h"

struct bench_samples {
    int64_t *at_ns;
    size_t size;
};

int64_t bench_now_ns(void);
struct bench_samples bench_samples_new(struct charm_arena *arena, size_t most);
void bench_samples_add(struct bench_samples *samples, int64_t since_ns);
/* "NAME MEDIAN MIN MAX" in microseconds, on standard output. */
void bench_samples_print(struct bench_samples *samples, const char *name);

#endif
