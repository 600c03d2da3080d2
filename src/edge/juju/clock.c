#include "edge/juju/clock.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static int64_t read_ms(clockid_t which)
{
    struct timespec now = { 0 };
    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / (1000 * 1000);
}

int64_t charmi_now_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

int64_t charmi_monotonic_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

void charmi_sleep_ms(int64_t ms)
{
    if (ms <= 0) {
        return;
    }
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000 * 1000 };
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

uint64_t charmi_random(void)
{
    uint64_t number = 0;
    if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number)) {
        /* Only a kernel before 3.17 gets here. The number spreads retries and names temporary files: not a secret. */
        number =
            (uint64_t)read_ms(CLOCK_MONOTONIC) * UINT64_C(0x9E3779B97F4A7C15) + (uint64_t)getpid();
    }
    return number;
}
