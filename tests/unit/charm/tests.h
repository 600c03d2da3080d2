/* What every test of this directory includes, in the order that cmocka wants. */
#ifndef CHARM_UNIT_TESTS_H
#define CHARM_UNIT_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* `haystack` holds `needle`; shows both when it does not. */
#define assert_contains(haystack, needle)                                                          \
    do {                                                                                           \
        if (strstr((haystack), (needle)) == NULL) {                                                \
            fail_msg("expected to find: %s\nin: %s", (needle), (haystack));                        \
        }                                                                                          \
    } while (0)

#define assert_lacks(haystack, needle)                                                             \
    do {                                                                                           \
        if (strstr((haystack), (needle)) != NULL) {                                                \
            fail_msg("expected not to find: %s\nin: %s", (needle), (haystack));                    \
        }                                                                                          \
    } while (0)

#endif
