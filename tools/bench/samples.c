#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t ns_of(struct timeval time)
{
    return (int64_t)time.tv_sec * 1000000000 + (int64_t)time.tv_usec * 1000;
}

struct bench_moment bench_now(void)
{
    struct rusage children;
    getrusage(RUSAGE_CHILDREN, &children);
    return (struct bench_moment){
        .clock_ns = clock_ns(CLOCK_MONOTONIC),
        .cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) + ns_of(children.ru_utime) +
                  ns_of(children.ru_stime),
    };
}

struct bench_samples bench_samples_new(struct charm_arena *arena, size_t most)
{
    return (struct bench_samples){
        .clock_ns = charm_arena_array(arena, most, sizeof(int64_t)),
        .cpu_ns = charm_arena_array(arena, most, sizeof(int64_t)),
    };
}

void bench_samples_add(struct bench_samples *samples, struct bench_moment since)
{
    const struct bench_moment now = bench_now();
    samples->clock_ns[samples->size] = now.clock_ns - since.clock_ns;
    samples->cpu_ns[samples->size] = now.cpu_ns - since.cpu_ns;
    samples->size++;
}

static int smaller_first(const void *left, const void *right)
{
    const int64_t a = *(const int64_t *)left;
    const int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static long long us(int64_t ns)
{
    return (long long)(ns / 1000);
}

void bench_samples_print(struct bench_samples *samples, const char *name)
{
    const size_t size = samples->size;
    const int64_t *clock = samples->clock_ns;
    qsort(samples->clock_ns, size, sizeof(*samples->clock_ns), smaller_first);
    qsort(samples->cpu_ns, size, sizeof(*samples->cpu_ns), smaller_first);
    printf("%s %lld %lld %lld %lld\n", name, us(clock[size / 2]), us(clock[0]), us(clock[size - 1]),
           us(samples->cpu_ns[size / 2]));
}
