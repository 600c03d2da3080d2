/* What counts as a difference between two skins, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "lab/effects.h"

#define SALT "0123456789abcdef0123456789abcdef"
#define OTHER_SALT "fedcba9876543210fedcba9876543210"

struct fixture {
    struct charm_arena *arena;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture.arena = charm_arena_new();
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    charm_arena_free(((struct fixture *)*state)->arena);
    return 0;
}

/* Effects of each side are the texts between semicolons. */
static const char *compare(void **state, const char *process, const char *inside)
{
    struct charm_arena *arena = ((struct fixture *)*state)->arena;
    const char *const sides[] = { process, inside };
    struct charm_value *lists[2];
    for (size_t i = 0; i < 2; i++) {
        const struct charmi_words words = charmi_split(arena, sides[i], ";");
        lists[i] = charm_value_new_list(arena);
        for (size_t k = 0; k < words.size; k++) {
            charm_value_append_text(lists[i], words.at[k]);
        }
    }
    return lab_effects_compare(arena, lists[0], lists[1]);
}

static void the_same_effects_agree(void **state)
{
    assert_string_equal(compare(state, "a;b", "a;b"), "");
    assert_string_equal(compare(state, "", ""), "");
}

static void times_do_not_count(void **state)
{
    assert_string_equal(compare(state, "since 14:05Z", "since 23:59Z"), "");
    assert_string_equal(compare(state, "at 2026-01-01T12:00:00Z", "at 2027-11-28T05:40:12Z"), "");
    assert_string_equal(
        compare(state, "{\"seen_ms\":1767268800000}", "{\"seen_ms\":1999999999999}"), "");
    assert_string_equal(compare(state, "8 calls, 66 ms", "8 calls, 0 ms"), "");
}

static void what_only_looks_like_a_time_counts(void **state)
{
    assert_string_not_equal(compare(state, "port 8083", "port 8084"), "");
    assert_string_not_equal(compare(state, "8 calls, 66 ms", "9 calls, 66 ms"), "");
    assert_string_not_equal(compare(state, "replicas 10:20", "replicas 10:30"), "");
}

static void what_is_random_counts_by_where_it_comes_again(void **state)
{
    assert_string_equal(
        compare(state, "salt " SALT ";again " SALT, "salt " OTHER_SALT ";again " OTHER_SALT), "");
    assert_string_not_equal(
        compare(state, "salt " SALT ";again " SALT, "salt " SALT ";again " OTHER_SALT), "");
    assert_string_not_equal(
        compare(state, "salt " SALT ";again " OTHER_SALT, "salt " SALT ";again " SALT), "");
    assert_string_not_equal(compare(state, "salt " SALT, "salt "), "");
}

static void a_call_more_or_less_is_a_difference_and_both_sides_are_shown(void **state)
{
    const char *report = compare(state, "one;two", "one");
    assert_non_null(strstr(report, "- process:    two\n"));
    assert_non_null(strstr(report, "+ in-process: (nothing)\n"));
    report = compare(state, "one", "one;two");
    assert_non_null(strstr(report, "- process:    (nothing)\n"));
    assert_non_null(strstr(report, "+ in-process: two\n"));
    assert_string_not_equal(compare(state, "one;two", "two;one"), "");
}

static void many_differences_are_counted_and_not_all_shown(void **state)
{
    const char *report = compare(state, "1;2;3;4;5;6;7", "a;b;c;d;e;f;g");
    assert_null(strstr(report, "in-process: g"));
    assert_non_null(strstr(report, "and 2 effects more (7 and 7 in all)"));
}

/* The place where two long texts part is shown, not their beginnings. */
static void a_difference_far_inside_is_what_is_shown(void **state)
{
    struct charm_arena *arena = ((struct fixture *)*state)->arena;
    char *same = charm_arena_alloc(arena, 5001);
    memset(same, 'x', 5000);
    const char *report = compare(state, charm_arena_printf(arena, "bag %s left", same),
                                 charm_arena_printf(arena, "bag %s right", same));
    assert_non_null(strstr(report, "- process:    bag x"));
    assert_non_null(strstr(report, "x left\n"));
    assert_non_null(strstr(report, "x right\n"));
    assert_true(strlen(report) < 1000);
}

int main(void)
{
#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_ARENA(the_same_effects_agree),
        WITH_ARENA(times_do_not_count),
        WITH_ARENA(what_only_looks_like_a_time_counts),
        WITH_ARENA(what_is_random_counts_by_where_it_comes_again),
        WITH_ARENA(a_call_more_or_less_is_a_difference_and_both_sides_are_shown),
        WITH_ARENA(many_differences_are_counted_and_not_all_shown),
        WITH_ARENA(a_difference_far_inside_is_what_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
