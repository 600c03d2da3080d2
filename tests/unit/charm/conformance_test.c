/*
 * The conformance cases 1-60 and P1-P40 of the reactive framework (reference, section 10) that concern flags, triggers,
 * dispatch and patterns; each test carries its case's number. Not here: 13-21, 22 (values), 30, 40, 42, 50
 * (callbacks). Where ours differs on purpose, the name says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "charm/patterns.h"
#include "world.h"

static const struct charm_row no_rows[] = { { 0 } };

#define expect_ran(world, hook, expected)                                                          \
    do {                                                                                           \
        assert_int_equal(world_hook((world), (hook)), 0);                                          \
        assert_string_equal(world_ran(world), (expected));                                         \
    } while (0)

/* ---- the watch ---- */

static bool watch(struct world *world, const char *one, const char *two)
{
    return charmi_flags_watch(world_begin(world), (const char *const[]){ one, two, NULL });
}

/* A change of F, committed, in iteration 1. */
static struct world *world_with_change_of(const char *flag)
{
    struct world *world = world_new(no_rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, flag);
    charmi_flags_watch_iteration(world->flags, 1);
    charmi_flags_watch_commit(world->flags);
    return world;
}

static void case_01_a_reset_leaves_nothing_of_a_recorded_change(void **state)
{
    struct world *world = world_with_change_of("F");
    world_set(world, "G");
    charmi_flags_watch_reset(world->flags);
    assert_int_equal(charmi_flags_watch_changes(world->flags).count, 0);
    assert_int_equal(charmi_flags_watch_pending(world->flags).count, 0);
    assert_int_equal(charmi_flags_watch_at(world->flags), 0);
    world_free(world);
}

static void case_02_a_reset_watch_is_true_for_any_flag(void **state)
{
    struct world *world = world_with_change_of("F");
    charmi_flags_watch_reset(world->flags);
    assert_true(watch(world, "any", NULL));
    world_free(world);
}

static void case_03_iteration_0_is_true_for_any_flag(void **state)
{
    struct world *world = world_with_change_of("F");
    charmi_flags_watch_iteration(world->flags, 0);
    assert_true(watch(world, "any", NULL));
    world_free(world);
}

static void case_04_in_iteration_1_without_changes_the_watch_is_false(void **state)
{
    struct world *world = world_new(no_rows, NULL, CHARMI_TABLE_STRICT);
    charmi_flags_watch_iteration(world_begin(world), 1);
    assert_false(watch(world, "F", NULL));
    world_free(world);
}

static void case_05_and_06_a_change_counts_from_its_commit_on(void **state)
{
    struct world *world = world_new(no_rows, NULL, CHARMI_TABLE_STRICT);
    charmi_flags_watch_iteration(world_begin(world), 1);
    world_set(world, "F");
    assert_false(watch(world, "F", NULL));
    charmi_flags_watch_commit(world->flags);
    assert_true(watch(world, "F", NULL));
    world_free(world);
}

static void case_07_to_09_a_commit_replaces_the_changes(void **state)
{
    struct world *world = world_with_change_of("F");
    world_set(world, "G");
    charmi_flags_watch_commit(world->flags);
    assert_false(watch(world, "F", NULL));
    assert_true(watch(world, "G", NULL));
    assert_true(watch(world, "F", "G"));
    charmi_flags_watch_commit(world->flags);
    assert_false(watch(world, "G", NULL));
    assert_false(watch(world, "F", "G"));
    world_free(world);
}

static void case_10_changes_committed_together_count_together(void **state)
{
    struct world *world = world_new(no_rows, NULL, CHARMI_TABLE_STRICT);
    charmi_flags_watch_iteration(world_begin(world), 1);
    world_set(world, "F");
    world_set(world, "G");
    charmi_flags_watch_commit(world->flags);
    assert_true(watch(world, "F", NULL));
    assert_true(watch(world, "G", NULL));
    assert_true(watch(world, "F", "G"));
    assert_false(watch(world, "H", NULL));
    world_free(world);
}

static void case_11_a_reset_makes_a_false_watch_true(void **state)
{
    struct world *world = world_with_change_of("G");
    assert_false(watch(world, "F", NULL));
    charmi_flags_watch_reset(world->flags);
    assert_true(watch(world, "F", NULL));
    world_free(world);
}

static void expect_changes(const struct world *world, struct charmi_changes changes,
                           const char *const *names)
{
    assert_int_equal(changes.count, charmi_list_size(names));
    for (size_t i = 0; i < changes.count; i++) {
        assert_string_equal(charmi_flags_name(world->flags, changes.at[i].id), names[i]);
    }
}

static void case_12_pending_changes_are_in_order_and_move_at_the_commit(void **state)
{
    struct world *world = world_new(no_rows, NULL, CHARMI_TABLE_STRICT);
    const char *const both[] = { "F", "G", NULL };
    const char *const none[] = { NULL };
    world_set(world, "F");
    world_set(world, "G");
    expect_changes(world, charmi_flags_watch_pending(world->flags), both);
    expect_changes(world, charmi_flags_watch_changes(world->flags), none);
    assert_int_equal(charmi_flags_watch_at(world->flags), 0);
    charmi_flags_watch_commit(world->flags);
    expect_changes(world, charmi_flags_watch_pending(world->flags), none);
    expect_changes(world, charmi_flags_watch_changes(world->flags), both);
    world_free(world);
}

/* ---- the bus ---- */

static void case_22_and_23_flags_are_kept_and_each_change_is_noted(void **state)
{
    struct world *world = world_new(no_rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "foo");
    world_set(world, "bar.ready");
    world_set(world, "qux");
    assert_string_equal(world_flags(world), "bar.ready foo qux");
    world_clear(world, "foo");
    world_clear(world, "bar.ready");
    assert_string_equal(world_flags(world), "qux");
    expect_changes(world, charmi_flags_watch_pending(world->flags),
                   (const char *const[]){ "foo", "bar.ready", "qux", "foo", "bar.ready", NULL });
    world_free(world);
}

static const struct charm_row chain[] = {
    { .name = "foo", .when = CHARM_FLAGS("foo"), .data = STEPS(SET("bar")) },
    { .name = "foo2", .when = CHARM_FLAGS("foo") },
    { .name = "bar", .when = CHARM_FLAGS("bar"), .guards = CHARM_GUARDS({ CHARM_ONCE, NULL }) },
    { .name = "bar2", .when = CHARM_FLAGS("bar") },
    { .name = "both", .when = CHARM_FLAGS("foo", "bar"), .data = STEPS(SET("qux")) },
    { .name = "qux", .when = CHARM_FLAGS("qux") },
    { 0 }
};

static void case_24_without_flags_nothing_runs(void **state)
{
    struct world *world = world_new(chain, NULL, CHARMI_TABLE_STRICT);
    expect_ran(world, "install", "");
    world_free(world);
}

static void case_25_a_chain_of_flags_runs_step_by_step(void **state)
{
    struct world *world = world_new(chain, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "foo");
    expect_ran(world, "install", "0: foo foo2; 1: bar bar2 both; 2: qux");
    world_free(world);
}

static void case_26_with_flags_kept_all_run_again_except_once(void **state)
{
    struct world *world = world_new(chain, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "foo");
    expect_ran(world, "install", "0: foo foo2; 1: bar bar2 both; 2: qux");
    expect_ran(world, "start", "0: foo foo2 bar2 both qux");
    world_free(world);
}

static void case_27_a_cleared_flag_takes_later_rows_off_the_list(void **state)
{
    const struct charm_row rows[] = {
        { .name = "h1", .when = CHARM_FLAGS("foo"), .data = STEPS(CLEAR("foo")) },
        { .name = "h2", .when = CHARM_FLAGS("foo") },
        { .name = "h3", .when = CHARM_FLAGS("bar") },
        { 0 }
    };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "foo");
    world_set(world, "bar");
    expect_ran(world, "install", "0: h1 h3");
    world_free(world);
}

static void case_28_rows_before_the_clearing_one_run(void **state)
{
    const struct charm_row rows[] = {
        { .name = "h2", .when = CHARM_FLAGS("foo") },
        { .name = "h1", .when = CHARM_FLAGS("foo"), .data = STEPS(CLEAR("foo")) },
        { .name = "h3", .when = CHARM_FLAGS("bar") },
        { 0 }
    };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "foo");
    world_set(world, "bar");
    expect_ran(world, "install", "0: h2 h1 h3");
    world_free(world);
}

static void case_29_hook_rows_run_before_flag_rows(void **state)
{
    const struct charm_row rows[] = {
        { .name = "flag", .when = CHARM_FLAGS("foo") },
        { .name = "hook", .guards = CHARM_GUARDS({ CHARM_HOOK, CHARM_FLAGS("install") }) },
        { 0 }
    };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "foo");
    expect_ran(world, "install", "hooks: hook; 0: flag");
    world_free(world);
}

/* ---- a full run, over two linked layers ---- */

static const struct charm_row interface_rows[] = {
    { .name = "joined",
      .guards = CHARM_GUARDS({ CHARM_HOOK, CHARM_FLAGS("test-rel-relation-joined") }),
      .data = STEPS(SET("test-rel.ready"), CLEAR("to-remove")) },
    { .name = "nested", .guards = CHARM_GUARDS({ CHARM_HOOK, CHARM_FLAGS("config-changed") }) },
    { 0 }
};

static const struct charm_row sample_rows[] = {
    { .name = "top-level", .guards = CHARM_GUARDS({ CHARM_HOOK, CHARM_FLAGS("config-changed") }) },
    { .name = "when", .when = CHARM_FLAGS("test") },
    { .name = "when-unset", .when = CHARM_FLAGS("unset") },
    { .name = "any", .guards = CHARM_GUARDS({ CHARM_WHEN_ANY, CHARM_FLAGS("test", "unset") }) },
    { .name = "not", .unless = CHARM_FLAGS("unset") },
    { .name = "not-all",
      .guards = CHARM_GUARDS({ CHARM_WHEN_NOT_ALL, CHARM_FLAGS("test", "unset") }) },
    { .name = "when-and-not", .when = CHARM_FLAGS("test"), .unless = CHARM_FLAGS("unset") },
    { .name = "never", .when = CHARM_FLAGS("test"), .unless = CHARM_FLAGS("test") },
    { .name = "only-once",
      .when = CHARM_FLAGS("test"),
      .guards = CHARM_GUARDS({ CHARM_ONCE, NULL }) },
    { .name = "ready", .when = CHARM_FLAGS("test-rel.ready") },
    { .name = "removed", .when = CHARM_FLAGS("test"), .unless = CHARM_FLAGS("to-remove") },
    { 0 }
};

static struct world *sample_world(void)
{
    static const struct charm_layer interface = { .name = "interface", .rows = interface_rows };
    static const struct charm_layer sample = { .name = "sample", .rows = sample_rows };
    return world_of_layers(CHARM_LAYERS(&interface, &sample), CHARMI_TABLE_STRICT);
}

static void case_31_to_34_a_full_run_of_linked_layers(void **state)
{
    struct world *world = sample_world();
    world_set(world, "test");
    world_set(world, "to-remove");
    expect_ran(world, "config-changed",
               "hooks: nested top-level; 0: when any not not-all when-and-not only-once");
    world_free(world);
}

static void case_35_to_38_a_second_run_on_the_same_store(void **state)
{
    struct world *world = sample_world();
    world_set(world, "test");
    world_set(world, "to-remove");
    assert_int_equal(world_hook(world, "config-changed"), 0);
    expect_ran(world, "test-rel-relation-joined",
               "hooks: joined; 0: when any not not-all when-and-not ready removed");
    world_free(world);
}

static enum charm_result run_nothing(void *userdata, const struct charmi_entry *entry)
{
    size_t *count = userdata;
    (*count)++;
    return CHARM_DONE;
}

static void case_39_watching_changes_nothing_and_tells_phases_and_iteration_0(void **state)
{
    struct world *world = sample_world();
    world_set(world, "test");
    assert_int_equal(world_hook(world, "config-changed"), 0);
    assert_non_null(strstr(world_story(world), "phase hooks\nqueued nested\nqueued top-level\n"));
    assert_non_null(strstr(world_story(world), "phase 0\nqueued when\n"));

    struct world *silent = sample_world();
    world_set(silent, "test");
    size_t count = 0;
    const struct charmi_situation here = { CHARMI_MODE_HOOK, "config-changed", silent->once };
    assert_int_equal(charmi_dispatch(silent->table, silent->flags, &here,
                                     &(struct charmi_callbacks){ run_nothing, NULL, &count }, NULL),
                     0);
    assert_int_equal(count, 9);
    assert_string_equal(world_flags(silent), world_flags(world));
    world_free(silent);
    world_free(world);
}

static void case_41_a_hook_is_dispatched_once_in_both_phases_over_linked_tables(void **state)
{
    struct world *world = sample_world();
    assert_int_equal(world_hook(world, "config-changed"), 0);
    const char *story = world_story(world);
    const char *hooks = strstr(story, "phase hooks\n");
    const char *other = strstr(story, "phase 0\n");
    assert_ptr_equal(hooks, story);
    assert_true(other > hooks);
    assert_null(strstr(hooks + 1, "phase hooks\n"));
    assert_null(strstr(story, "phase 1\n"));
    world_free(world);
}

static const struct charm_row metered[] = {
    { .name = "meter",
      .guards = CHARM_GUARDS({ CHARM_RESTRICTED, CHARM_FLAGS("meter-status-changed") }),
      .data = STEPS(SET("metered")) },
    { .name = "metrics",
      .guards = CHARM_GUARDS({ CHARM_RESTRICTED, CHARM_FLAGS("collect-metrics") }),
      .data = STEPS(SET("counted")) },
    { .name = "hook", .guards = CHARM_GUARDS({ CHARM_HOOK, CHARM_FLAGS("collect-metrics") }) },
    { .name = "flag", .unless = CHARM_FLAGS("unset") },
    { .name = "reader", .when = CHARM_FLAGS("counted") },
    { 0 }
};

static void case_43_meter_status_changed_is_a_restricted_run(void **state)
{
    struct world *world = world_new(metered, NULL, CHARMI_TABLE_STRICT);
    expect_ran(world, "meter-status-changed", "restricted: meter");
    assert_null(strstr(world_story(world), "phase hooks"));
    assert_null(strstr(world_story(world), "phase 0"));
    assert_string_equal(world_flags(world), "metered");
    world_free(world);
}

static void case_44_a_restricted_run_that_fails_leaves_nothing(void **state)
{
    const struct charm_row rows[] = {
        { .name = "meter",
          .guards = CHARM_GUARDS({ CHARM_RESTRICTED, CHARM_FLAGS("meter-status-changed") }),
          .data = STEPS(SET("metered"), FAIL) },
        { 0 }
    };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    assert_int_equal(world_hook(world, "meter-status-changed"), CHARM_EFAILED);
    assert_int_equal(world->store.size, 0);
    world_free(world);
}

/* ---- flags and triggers ---- */

static void expect_flags(struct world *world, const char *expected)
{
    assert_string_equal(world_flags(world), expected);
}

static void case_45_without_triggers_a_flag_changes_alone(void **state)
{
    struct world *world = world_new(no_rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "foo");
    expect_flags(world, "foo");
    world_clear(world, "foo");
    expect_flags(world, "");
    world_free(world);
}

static void case_46_when_foo_sets_bar_which_stays(void **state)
{
    const struct charm_trigger triggers[] = { { .when = "foo", .sets = "bar" }, { 0 } };
    struct world *world = world_new(no_rows, triggers, CHARMI_TABLE_STRICT);
    world_set(world, "foo");
    expect_flags(world, "bar foo");
    world_clear(world, "foo");
    expect_flags(world, "bar");
    world_free(world);
}

static void case_47_when_foo_clears_qux(void **state)
{
    const struct charm_trigger triggers[] = { { .when = "foo", .clears = "qux" }, { 0 } };
    struct world *world = world_new(no_rows, triggers, CHARMI_TABLE_STRICT);
    world_set(world, "qux");
    world_set(world, "foo");
    expect_flags(world, "foo");
    world_free(world);
}

static void case_48_and_49_when_not_foo_acts_only_as_foo_is_cleared(void **state)
{
    const struct charm_trigger triggers[] = { { .when_not = "foo", .sets = "bar", .clears = "qux" },
                                              { 0 } };
    struct world *world = world_new(no_rows, triggers, CHARMI_TABLE_STRICT);
    world_set(world, "qux");
    world_set(world, "other");
    world_clear(world, "other");
    expect_flags(world, "qux");
    world_set(world, "foo");
    expect_flags(world, "foo qux");
    world_clear(world, "foo");
    expect_flags(world, "bar");
    world_free(world);
}

static void case_51_set_flags_are_listed_and_unset_ones_are_found(void **state)
{
    struct world *world = world_new(no_rows, NULL, CHARMI_TABLE_STRICT);
    world_begin(world);
    expect_flags(world, "");
    world_set(world, "foo");
    expect_flags(world, "foo");
    struct charmi_words unset =
        charmi_flags_unset(world->flags, world->arena, CHARM_FLAGS("foo", "bar"));
    assert_int_equal(unset.size, 1);
    assert_string_equal(unset.at[0], "bar");
    world_free(world);
}

static void case_52_setting_and_clearing_twice_is_no_error(void **state)
{
    struct world *world = world_new(no_rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "foo");
    world_set(world, "foo");
    assert_true(charmi_flags_is_set(world->flags, "foo"));
    world_clear(world, "foo");
    world_clear(world, "foo");
    assert_false(charmi_flags_is_set(world->flags, "foo"));
    assert_int_equal(charmi_flags_error(world->flags, NULL), 0);
    world_free(world);
}

static void case_53_is_set_follows_set(void **state)
{
    struct world *world = world_new(no_rows, NULL, CHARMI_TABLE_STRICT);
    assert_false(charmi_flags_is_set(world_begin(world), "foo"));
    world_set(world, "foo");
    assert_true(charmi_flags_is_set(world->flags, "foo"));
    world_free(world);
}

static void case_54_all_set(void **state)
{
    struct world *world = world_new(no_rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "foo");
    world_set(world, "bar");
    assert_true(charmi_flags_all_set(world->flags, CHARM_FLAGS("foo")));
    assert_true(charmi_flags_all_set(world->flags, CHARM_FLAGS("bar")));
    assert_true(charmi_flags_all_set(world->flags, CHARM_FLAGS("foo", "bar")));
    assert_false(charmi_flags_all_set(world->flags, CHARM_FLAGS("qux")));
    assert_false(charmi_flags_all_set(world->flags, CHARM_FLAGS("foo", "qux")));
    assert_false(charmi_flags_all_set(world->flags, CHARM_FLAGS("qux", "bar")));
    assert_false(charmi_flags_all_set(world->flags, CHARM_FLAGS("foo", "bar", "qux")));
    world_free(world);
}

static void case_55_any_set(void **state)
{
    struct world *world = world_new(no_rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "foo");
    world_set(world, "bar");
    assert_true(charmi_flags_any_set(world->flags, CHARM_FLAGS("foo")));
    assert_true(charmi_flags_any_set(world->flags, CHARM_FLAGS("bar")));
    assert_true(charmi_flags_any_set(world->flags, CHARM_FLAGS("foo", "bar")));
    assert_true(charmi_flags_any_set(world->flags, CHARM_FLAGS("foo", "bar", "qux")));
    assert_true(charmi_flags_any_set(world->flags, CHARM_FLAGS("foo", "qux")));
    assert_true(charmi_flags_any_set(world->flags, CHARM_FLAGS("bar", "qux")));
    assert_false(charmi_flags_any_set(world->flags, CHARM_FLAGS("qux")));
    world_free(world);
}

/* ---- patterns ---- */

static void expect_expansion(const char *const *patterns, const char *expected)
{
    struct charm_arena *arena = charm_arena_new();
    struct charmi_words names = { 0 };
    assert_int_equal(charmi_patterns_expand(arena, patterns, NULL, &names, NULL), 0);
    assert_string_equal(charmi_words_join(arena, &names, " "), expected);
    charm_arena_free(arena);
}

static void case_56_a_group_becomes_its_words(void **state)
{
    expect_expansion(CHARM_FLAGS("A"), "A");
    expect_expansion(CHARM_FLAGS("{A}"), "A");
    expect_expansion(CHARM_FLAGS("{A,B}"), "A B");
    expect_expansion(CHARM_FLAGS("A", "{B,C}"), "A B C");
}

static void case_57_groups_multiply(void **state)
{
    expect_expansion(CHARM_FLAGS("{A,B}{C,D}"), "AC AD BC BD");
    expect_expansion(CHARM_FLAGS("{A,B}{A,B}"), "AA AB BA BB");
}

static void case_58_patterns_match_the_hook(void **state)
{
    const struct charm_row rows[] = {
        { .name = "no", .guards = CHARM_GUARDS({ CHARM_HOOK, CHARM_FLAGS("foo", "bar") }) },
        { .name = "list",
          .guards = CHARM_GUARDS({ CHARM_HOOK, CHARM_FLAGS("foo", "config-changed") }) },
        { .name = "group",
          .guards = CHARM_GUARDS({ CHARM_HOOK, CHARM_FLAGS("config-{set,changed}") }) },
        { .name = "turned",
          .guards = CHARM_GUARDS({ CHARM_HOOK, CHARM_FLAGS("config-{changed,set}") }) },
        { .name = "two",
          .guards = CHARM_GUARDS({ CHARM_HOOK, CHARM_FLAGS("{config,option}-{changed,set}") }) },
        { 0 }
    };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    expect_ran(world, "config-changed", "hooks: list group turned two");
    world_free(world);
}

static bool pattern_matches(const char *hook, const char *pattern)
{
    static const char text[] = "{\"requires\": {\"db1\": {\"interface\": \"mysql\"},"
                               "               \"db2\": {\"interface\": \"postgres\"}},"
                               " \"provides\": {\"db3\": {\"interface\": \"mysql\"}}}";
    struct charm_arena *arena = charm_arena_new();
    struct charm_value *metadata = NULL;
    struct charmi_words names = { 0 };
    assert_int_equal(charm_value_parse(arena, text, strlen(text), &metadata, NULL), 0);
    assert_int_equal(charmi_patterns_expand(arena, CHARM_FLAGS(pattern), metadata, &names, NULL),
                     0);
    bool matches = charmi_words_have(&names, hook);
    charm_arena_free(arena);
    return matches;
}

static void case_59_roles_and_interfaces_become_endpoints(void **state)
{
    assert_false(pattern_matches("db1-relation-changed", "{requires:http}-relation-changed"));
    assert_false(pattern_matches("db1-relation-changed", "{requires:postgres}-relation-changed"));
    assert_true(pattern_matches("db1-relation-changed", "{requires:mysql}-relation-changed"));
}

static void case_60_roles_are_told_apart(void **state)
{
    assert_false(pattern_matches("db3-relation-changed", "{requires:mysql}-relation-changed"));
    assert_true(pattern_matches("db3-relation-changed", "{provides:mysql}-relation-changed"));
    assert_true(
        pattern_matches("db3-relation-changed", "{provides:mysql}-relation-{joined,changed}"));
}

/* ---- extra cases, seen by running the framework ---- */

static void p01_flags_of_earlier_hooks_run_their_rows_in_every_hook(void **state)
{
    const struct charm_row rows[] = { { .name = "one", .when = CHARM_FLAGS("a") }, { 0 } };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "a");
    expect_ran(world, "install", "0: one");
    expect_ran(world, "update-status", "0: one");
    world_free(world);
}

static void p02_setting_a_flag_takes_no_row_off_the_list(void **state)
{
    const struct charm_row rows[] = {
        { .name = "setter", .when = CHARM_FLAGS("go"), .data = STEPS(SET("x")) },
        { .name = "waiter", .unless = CHARM_FLAGS("x") },
        { 0 }
    };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "go");
    expect_ran(world, "install", "0: setter waiter");
    world_free(world);
}

static void p03_but_clearing_any_flag_does_even_one_never_set(void **state)
{
    const struct charm_row rows[] = { { .name = "setter",
                                        .when = CHARM_FLAGS("go"),
                                        .data = STEPS(SET("x"), CLEAR("never-set")) },
                                      { .name = "waiter", .unless = CHARM_FLAGS("x") },
                                      { 0 } };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "go");
    expect_ran(world, "install", "0: setter");
    assert_non_null(strstr(world_story(world), "dropped waiter (x)\n"));
    world_free(world);
}

static void p04_cleared_and_set_again_leaves_the_list_and_queues_once_more(void **state)
{
    const struct charm_row rows[] = {
        { .name = "blink", .when = CHARM_FLAGS("go"), .data = STEPS(CLEAR("x"), SET("x")) },
        { .name = "other", .when = CHARM_FLAGS("x") },
        { 0 }
    };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "go");
    world_set(world, "x");
    expect_ran(world, "install", "0: blink other; 1: other");
    world_free(world);
}

static void p05_a_row_that_toggles_its_own_flag_runs_100_times_and_then_fails_the_run(void **state)
{
    const struct charm_row rows[] = {
        { .name = "blink", .when = CHARM_FLAGS("x"), .data = STEPS(CLEAR("x"), SET("x")) }, { 0 }
    };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "x");
    assert_int_equal(world_hook(world, "install"), CHARM_ECYCLE);
    assert_non_null(strstr(world_ran(world), "; 99: blink"));
    assert_null(strstr(world_ran(world), "100:"));
    assert_non_null(strstr(world->error.text, "'t.blink' clears 'x', which wakes 't.blink'"));
    world_free(world);
}

static void p06_setting_a_set_flag_runs_nobody_again(void **state)
{
    const struct charm_row rows[] = {
        { .name = "again", .when = CHARM_FLAGS("x"), .data = STEPS(SET("x")) }, { 0 }
    };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "x");
    expect_ran(world, "install", "0: again");
    world_free(world);
}

static void p07_set_and_cleared_in_one_row_runs_the_waiters_once_more(void **state)
{
    const struct charm_row rows[] = {
        { .name = "pulse", .when = CHARM_FLAGS("go"), .data = STEPS(SET("x"), CLEAR("x")) },
        { .name = "waiter", .unless = CHARM_FLAGS("x") },
        { 0 }
    };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "go");
    expect_ran(world, "install", "0: pulse waiter; 1: waiter");
    world_free(world);
}

static void p08_a_row_is_not_run_again_for_flags_of_others(void **state)
{
    const struct charm_row rows[] = {
        { .name = "other", .when = CHARM_FLAGS("a") },
        { .name = "setter", .when = CHARM_FLAGS("go"), .data = STEPS(SET("b")) },
        { .name = "reader", .when = CHARM_FLAGS("b") },
        { 0 }
    };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "a");
    world_set(world, "go");
    expect_ran(world, "install", "0: other setter; 1: reader");
    world_free(world);
}

static enum charm_result refused_row(struct charm_run *run, const struct charm_row *row)
{
    return CHARM_FAILED;
}

static int build_code(const struct charm_guard *guards, enum charmi_table_rules rules)
{
    struct charm_arena *arena = charm_arena_new();
    const struct charmi_table *table = NULL;
    const struct charm_row rows[] = {
        { .name = "row", .summary = "s", .guards = guards, .run = refused_row }, { 0 }
    };
    const struct charm_layer layer = { .name = "t", .rows = rows };
    int r = charmi_table_build(arena, CHARM_LAYERS(&layer),
                               &(struct charmi_table_options){ .rules = rules }, &table, NULL);
    charm_arena_free(arena);
    return r;
}

static void p09_empty_flag_lists_are_refused_where_the_framework_runs_them_100_times(void **state)
{
    static const enum charm_guard_kind kinds[] = { CHARM_WHEN, CHARM_WHEN_ANY, CHARM_WHEN_NONE,
                                                   CHARM_WHEN_NOT_ALL };
    const char *const empty[] = { NULL };
    for (size_t i = 0; i < CHARMI_COUNT(kinds); i++) {
        const struct charm_guard guards[] = { { kinds[i], empty }, { CHARM_GUARD_END, NULL } };
        assert_int_equal(build_code(guards, CHARMI_TABLE_STRICT), CHARM_EINVAL);
        assert_int_equal(build_code(guards, CHARMI_TABLE_RECORDED), CHARM_EINVAL);
    }
}

static void p10_hook_beside_flags_never_runs_and_is_refused(void **state)
{
    const struct charm_row rows[] = { { .name = "both",
                                        .unless = CHARM_FLAGS("x"),
                                        .guards =
                                            CHARM_GUARDS({ CHARM_HOOK, CHARM_FLAGS("install") }) },
                                      { 0 } };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_RECORDED);
    expect_ran(world, "install", "");
    world_free(world);
    const struct charm_guard guards[] = { { CHARM_HOOK, CHARM_FLAGS("install") },
                                          { CHARM_WHEN_NONE, CHARM_FLAGS("x") },
                                          { CHARM_GUARD_END, NULL } };
    assert_int_equal(build_code(guards, CHARMI_TABLE_STRICT), CHARM_EINVAL);
}

static void p11_once_alone_runs_in_a_restricted_run_and_is_refused(void **state)
{
    const struct charm_row rows[] = {
        { .name = "first", .guards = CHARM_GUARDS({ CHARM_ONCE, NULL }) }, { 0 }
    };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_RECORDED);
    expect_ran(world, "collect-metrics", "restricted: first");
    expect_ran(world, "install", "");
    world_free(world);
    const struct charm_guard guards[] = { { CHARM_ONCE, NULL }, { CHARM_GUARD_END, NULL } };
    assert_int_equal(build_code(guards, CHARMI_TABLE_STRICT), CHARM_EINVAL);
}

static void p12_collect_metrics_runs_its_own_rows_only_and_its_flags_stay(void **state)
{
    struct world *world = world_new(metered, NULL, CHARMI_TABLE_STRICT);
    expect_ran(world, "collect-metrics", "restricted: metrics");
    expect_ran(world, "update-status", "0: flag reader");
    world_free(world);
}

static void p14_a_failing_row_leaves_the_old_flags_for_the_retry(void **state)
{
    const struct charm_row rows[] = {
        { .name = "first",
          .when = CHARM_FLAGS("a"),
          .guards = CHARM_GUARDS({ CHARM_ONCE, NULL }),
          .data = STEPS(CLEAR("a"), SET("b")) },
        { .name = "fails", .when = CHARM_FLAGS("b"), .data = STEPS(FAIL) },
        { .name = "unreached", .when = CHARM_FLAGS("b") },
        { 0 }
    };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "a");
    world->store = charmi_flags_all(world->flags, world->arena);
    for (int attempt = 0; attempt < 2; attempt++) {
        assert_int_equal(world_hook(world, "install"), CHARM_EFAILED);
        assert_string_equal(world_ran(world), "0: first; 1: fails");
        assert_non_null(strstr(world->error.text, "'t.fails'"));
        assert_int_equal(world->store.size, 1);
        assert_string_equal(world->store.at[0], "a");
    }
    world_free(world);
}

static void p20_set_effects_first_then_clear_each_with_its_own_triggers(void **state)
{
    const struct charm_trigger triggers[] = { { .when = "a", .sets = "b", .clears = "c" },
                                              { .when = "a", .sets = "e" },
                                              { .when = "b", .sets = "d" },
                                              { .when_not = "c", .sets = "f" },
                                              { 0 } };
    struct world *world = world_new(no_rows, triggers, CHARMI_TABLE_STRICT);
    world_set(world, "c");
    world_set(world, "a");
    expect_changes(world, charmi_flags_watch_pending(world->flags),
                   CHARM_FLAGS("c", "a", "b", "d", "e", "c", "f"));
    expect_flags(world, "a b d e f");
    world_free(world);
}

static void p21_a_trigger_is_not_retroactive(void **state)
{
    const struct charm_trigger trigger = { .when = "a", .sets = "b" };
    struct world *world = world_new(no_rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "a");
    charmi_flags_add_trigger(world->flags, &trigger);
    expect_flags(world, "a");
    world_clear(world, "a");
    world_set(world, "a");
    expect_flags(world, "a b");
    world_free(world);
}

static void p22_triggers_end_at_flags_that_are_as_wanted(void **state)
{
    const struct charm_trigger suicide[] = { { .when = "a", .clears = "a" }, { 0 } };
    struct world *world = world_new(no_rows, suicide, CHARMI_TABLE_STRICT);
    world_set(world, "a");
    expect_flags(world, "");
    world_free(world);

    const struct charm_trigger mutual[] = { { .when = "a", .sets = "b" },
                                            { .when = "b", .sets = "a" },
                                            { 0 } };
    world = world_new(no_rows, mutual, CHARMI_TABLE_STRICT);
    world_set(world, "b");
    expect_flags(world, "a b");
    world_free(world);

    const struct charm_trigger endless[] = { { .when = "a", .clears = "a" },
                                             { .when_not = "a", .sets = "a" },
                                             { 0 } };
    world = world_new(no_rows, endless, CHARMI_TABLE_STRICT);
    world_set(world, "a");
    assert_int_equal(charmi_flags_error(world->flags, &world->error), CHARM_ECYCLE);
    assert_non_null(strstr(world->error.text, "set 'a', clear 'a', set 'a'"));
    world_free(world);
}

static void p23_a_trigger_of_a_row_is_gone_in_the_next_run(void **state)
{
    const struct charm_row rows[] = { { .name = "adds",
                                        .when = CHARM_FLAGS("first"),
                                        .data = STEPS(TRIGGER(.when = "a", .sets = "b"), SET("a"),
                                                      CLEAR("first")) },
                                      { 0 } };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "first");
    expect_ran(world, "install", "0: adds");
    expect_flags(world, "a b");
    world_clear(world, "a");
    world_clear(world, "b");
    world_set(world, "a");
    expect_flags(world, "a");
    world_free(world);
}

static void p24_a_trigger_on_a_changed_option_fires_at_the_start(void **state)
{
    const struct charm_trigger triggers[] = { { .when = "config.changed.port", .sets = "restart" },
                                              { 0 } };
    const struct charm_row rows[] = { { .name = "restart", .when = CHARM_FLAGS("restart") },
                                      { 0 } };
    struct world *world = world_new(rows, triggers, CHARMI_TABLE_STRICT);
    charmi_flags_derive(world_begin(world), "config.changed.port");
    charmi_flags_derived(world->flags, CHARMI_DERIVED_FIRE);
    expect_ran(world, "config-changed", "0: restart");
    assert_string_equal(world->store.at[0], "restart");
    assert_int_equal(world->store.size, 1);
    world_free(world);
}

static void p26_unset_flags_are_sorted_without_duplicates_and_empty_lists_have_an_answer(
    void **state)
{
    struct world *world = world_new(no_rows, NULL, CHARMI_TABLE_STRICT);
    const char *const none[] = { NULL };
    world_set(world, "");
    world_set(world, "Name");
    struct charmi_words unset =
        charmi_flags_unset(world->flags, world->arena, CHARM_FLAGS("z", "name", "a", "z", ""));
    assert_string_equal(charmi_words_join(world->arena, &unset, " "), "a name z");
    assert_true(charmi_flags_all_set(world->flags, none));
    assert_false(charmi_flags_any_set(world->flags, none));
    assert_true(charmi_flags_is_set(world->flags, ""));
    assert_true(charmi_flags_is_set(world->flags, "Name"));
    assert_false(charmi_flags_is_set(world->flags, "name"));
    world_free(world);
}

static void p40_without_a_hook_name_flag_rows_run_and_no_pattern_matches(void **state)
{
    const struct charm_row rows[] = {
        { .name = "flag", .unless = CHARM_FLAGS("x") },
        { .name = "hook", .guards = CHARM_GUARDS({ CHARM_HOOK, CHARM_FLAGS("install", "") }) },
        { 0 }
    };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    expect_ran(world, "", "0: flag");
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_01_a_reset_leaves_nothing_of_a_recorded_change),
        cmocka_unit_test(case_02_a_reset_watch_is_true_for_any_flag),
        cmocka_unit_test(case_03_iteration_0_is_true_for_any_flag),
        cmocka_unit_test(case_04_in_iteration_1_without_changes_the_watch_is_false),
        cmocka_unit_test(case_05_and_06_a_change_counts_from_its_commit_on),
        cmocka_unit_test(case_07_to_09_a_commit_replaces_the_changes),
        cmocka_unit_test(case_10_changes_committed_together_count_together),
        cmocka_unit_test(case_11_a_reset_makes_a_false_watch_true),
        cmocka_unit_test(case_12_pending_changes_are_in_order_and_move_at_the_commit),
        cmocka_unit_test(case_22_and_23_flags_are_kept_and_each_change_is_noted),
        cmocka_unit_test(case_24_without_flags_nothing_runs),
        cmocka_unit_test(case_25_a_chain_of_flags_runs_step_by_step),
        cmocka_unit_test(case_26_with_flags_kept_all_run_again_except_once),
        cmocka_unit_test(case_27_a_cleared_flag_takes_later_rows_off_the_list),
        cmocka_unit_test(case_28_rows_before_the_clearing_one_run),
        cmocka_unit_test(case_29_hook_rows_run_before_flag_rows),
        cmocka_unit_test(case_31_to_34_a_full_run_of_linked_layers),
        cmocka_unit_test(case_35_to_38_a_second_run_on_the_same_store),
        cmocka_unit_test(case_39_watching_changes_nothing_and_tells_phases_and_iteration_0),
        cmocka_unit_test(case_41_a_hook_is_dispatched_once_in_both_phases_over_linked_tables),
        cmocka_unit_test(case_43_meter_status_changed_is_a_restricted_run),
        cmocka_unit_test(case_44_a_restricted_run_that_fails_leaves_nothing),
        cmocka_unit_test(case_45_without_triggers_a_flag_changes_alone),
        cmocka_unit_test(case_46_when_foo_sets_bar_which_stays),
        cmocka_unit_test(case_47_when_foo_clears_qux),
        cmocka_unit_test(case_48_and_49_when_not_foo_acts_only_as_foo_is_cleared),
        cmocka_unit_test(case_51_set_flags_are_listed_and_unset_ones_are_found),
        cmocka_unit_test(case_52_setting_and_clearing_twice_is_no_error),
        cmocka_unit_test(case_53_is_set_follows_set),
        cmocka_unit_test(case_54_all_set),
        cmocka_unit_test(case_55_any_set),
        cmocka_unit_test(case_56_a_group_becomes_its_words),
        cmocka_unit_test(case_57_groups_multiply),
        cmocka_unit_test(case_58_patterns_match_the_hook),
        cmocka_unit_test(case_59_roles_and_interfaces_become_endpoints),
        cmocka_unit_test(case_60_roles_are_told_apart),
        cmocka_unit_test(p01_flags_of_earlier_hooks_run_their_rows_in_every_hook),
        cmocka_unit_test(p02_setting_a_flag_takes_no_row_off_the_list),
        cmocka_unit_test(p03_but_clearing_any_flag_does_even_one_never_set),
        cmocka_unit_test(p04_cleared_and_set_again_leaves_the_list_and_queues_once_more),
        cmocka_unit_test(p05_a_row_that_toggles_its_own_flag_runs_100_times_and_then_fails_the_run),
        cmocka_unit_test(p06_setting_a_set_flag_runs_nobody_again),
        cmocka_unit_test(p07_set_and_cleared_in_one_row_runs_the_waiters_once_more),
        cmocka_unit_test(p08_a_row_is_not_run_again_for_flags_of_others),
        cmocka_unit_test(p09_empty_flag_lists_are_refused_where_the_framework_runs_them_100_times),
        cmocka_unit_test(p10_hook_beside_flags_never_runs_and_is_refused),
        cmocka_unit_test(p11_once_alone_runs_in_a_restricted_run_and_is_refused),
        cmocka_unit_test(p12_collect_metrics_runs_its_own_rows_only_and_its_flags_stay),
        cmocka_unit_test(p14_a_failing_row_leaves_the_old_flags_for_the_retry),
        cmocka_unit_test(p20_set_effects_first_then_clear_each_with_its_own_triggers),
        cmocka_unit_test(p21_a_trigger_is_not_retroactive),
        cmocka_unit_test(p22_triggers_end_at_flags_that_are_as_wanted),
        cmocka_unit_test(p23_a_trigger_of_a_row_is_gone_in_the_next_run),
        cmocka_unit_test(p24_a_trigger_on_a_changed_option_fires_at_the_start),
        cmocka_unit_test(
            p26_unset_flags_are_sorted_without_duplicates_and_empty_lists_have_an_answer),
        cmocka_unit_test(p40_without_a_hook_name_flag_rows_run_and_no_pattern_matches),
    };
    return cmocka_run_group_tests_name("conformance", tests, NULL, NULL);
}
