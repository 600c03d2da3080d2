#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int64_t bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct bench_samples bench_samples_new(struct charm_arena *arena, size_t most)
{
    return (struct bench_samples){ .at_ns = charm_arena_array(arena, most, sizeof(int64_t)) };
}

void bench_samples_add(struct bench_samples *samples, int64_t since_ns)
{
    samples->at_ns[samples->size++] = bench_now_ns() - since_ns;
}

static int smaller_first(const void *left, const void *right)
{
    const int64_t a = *(const int64_t *)left;
    const int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

void bench_samples_print(struct bench_samples *samples, const char *name)
{
    qsort(samples->at_ns, samples->size, sizeof(*samples->at_ns), smaller_first);
    printf("%s %lld %lld %lld\n", name, (long long)samples->at_ns[samples->size / 2] / 1000,
           (long long)samples->at_ns[0] / 1000,
           (long long)samples->at_ns[samples->size - 1] / 1000);
}
