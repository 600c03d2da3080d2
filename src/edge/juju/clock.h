/*
 * edge/juju/clock.h: what time it is, how long something took, waiting, and random numbers.
 *
 * May include: POSIX.
 */
#ifndef CHARMI_CLOCK_H
#define CHARMI_CLOCK_H

#include <stdint.h>

int64_t charmi_now_ms(void);       /* since 1970-01-01T00:00Z */
int64_t charmi_monotonic_ms(void); /* for durations and deadlines */
void charmi_sleep_ms(int64_t ms);  /* the whole time, also when signals come in between */
uint64_t charmi_random(void);      /* from the kernel */

#endif
