/* What every test of this directory includes, in the order that cmocka wants. */
#ifndef CHARM_UNIT_TESTS_H
#define CHARM_UNIT_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* `haystack` holds, or lacks, `needle`; shows both when it does not. */
#define assert_contains(haystack, needle)                                                          \
    tests_assert_contains((haystack), (needle), __FILE__, __LINE__)
#define assert_lacks(haystack, needle) tests_assert_lacks((haystack), (needle), __FILE__, __LINE__)

static inline void tests_assert_contains(const char *haystack, const char *needle, const char *file,
                                         int line)
{
    if (strstr(haystack, needle) == NULL) {
        print_error("expected to find: %s\nin: %s\n", needle, haystack);
        _fail(file, line);
    }
}

static inline void tests_assert_lacks(const char *haystack, const char *needle, const char *file,
                                      int line)
{
    if (strstr(haystack, needle) != NULL) {
        print_error("expected not to find: %s\nin: %s\n", needle, haystack);
        _fail(file, line);
    }
}

#endif
