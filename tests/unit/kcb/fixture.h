/*
 * One arena for each test of the documents.
 *
 *     cmocka_unit_test_setup_teardown(a_sentence, make_arena, free_arena)
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/memory.h"
#include "charm/value.h"

/* NOLINTNEXTLINE: a test program is one file */
static struct charm_arena *arena;

static inline int make_arena(void **state)
{
    (void)state;
    arena = charm_arena_new();
    return 0;
}

static inline int free_arena(void **state)
{
    (void)state;
    charm_arena_free(arena);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_arena, free_arena)

/* A value from JSON text that is right. */
static inline struct charm_value *json(const char *text)
{
    struct charm_value *value = NULL;
    struct charm_error error;
    if (charm_value_parse(arena, text, strlen(text), &value, &error) != 0) {
        fail_msg("%s: %s", error.text, text);
    }
    return value;
}

/* The text of a member, found by a path of keys. */
#define TEXT_AT(value, ...) charm_text(charm_value_path((value), __VA_ARGS__, NULL))
#define INT_AT(value, ...) charm_value_int(charm_value_path((value), __VA_ARGS__, NULL), -1)

static inline void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("'%s' is not in '%s'", part, text);
    }
}

static inline void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part) != NULL) {
        fail_msg("'%s' is in '%s'", part, text);
    }
}

#endif
