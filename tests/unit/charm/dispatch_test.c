#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "world.h"

static void layers_run_in_link_order_and_rows_in_table_order(void **state)
{
    const struct charm_row low_rows[] = { { .name = "b", .when = CHARM_FLAGS("go") },
                                          { .name = "a", .when = CHARM_FLAGS("go") },
                                          { 0 } };
    const struct charm_row high_rows[] = {
        { .name = "first", .when = CHARM_FLAGS("go"), .data = STEPS(SET("x")) },
        { .name = "c", .when = CHARM_FLAGS("go") },
        { 0 }
    };
    const struct charm_layer low = { .name = "low", .rows = low_rows };
    const struct charm_layer high = { .name = "high", .rows = high_rows };
    struct world *world = world_of_layers(CHARM_LAYERS(&low, &high), CHARMI_TABLE_STRICT);
    world_set(world, "go");
    assert_int_equal(world_hook(world, "install"), 0);
    assert_string_equal(world_ran(world), "0: b a first c");
    world_free(world);

    world = world_of_layers(CHARM_LAYERS(&high, &low), CHARMI_TABLE_STRICT);
    world_set(world, "go");
    assert_int_equal(world_hook(world, "install"), 0);
    assert_string_equal(world_ran(world), "0: first c b a");
    world_free(world);
}

static void rows_woken_out_of_order_run_in_table_order(void **state)
{
    const struct charm_row rows[] = {
        { .name = "one", .when = CHARM_FLAGS("a") },
        { .name = "two", .when = CHARM_FLAGS("b") },
        { .name = "sets", .when = CHARM_FLAGS("go"), .data = STEPS(SET("b"), SET("a")) },
        { 0 }
    };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "go");
    assert_int_equal(world_hook(world, "install"), 0);
    assert_string_equal(world_ran(world), "0: sets; 1: one two");
    world_free(world);
}

static void a_row_woken_by_two_flags_runs_once(void **state)
{
    const struct charm_row rows[] = {
        { .name = "sets", .when = CHARM_FLAGS("go"), .data = STEPS(SET("a"), SET("b")) },
        { .name = "both",
          .when = CHARM_FLAGS("a", "b"),
          .guards = CHARM_GUARDS({ CHARM_WHEN_ANY, CHARM_FLAGS("a", "b") }) },
        { 0 }
    };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "go");
    assert_int_equal(world_hook(world, "install"), 0);
    assert_string_equal(world_ran(world), "0: sets; 1: both");
    world_free(world);
}

static void a_dropped_row_does_not_come_back_in_its_iteration(void **state)
{
    const struct charm_row rows[] = {
        { .name = "clears", .when = CHARM_FLAGS("x"), .data = STEPS(CLEAR("x")) },
        { .name = "sets", .when = CHARM_FLAGS("go"), .data = STEPS(SET("x"), CLEAR("go")) },
        { .name = "reader", .when = CHARM_FLAGS("x"), .unless = CHARM_FLAGS("done") },
        { .name = "last", .when = CHARM_FLAGS("x"), .data = STEPS(SET("done")) },
        { 0 }
    };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "x");
    world_set(world, "go");
    assert_int_equal(world_hook(world, "install"), 0);
    assert_string_equal(world_ran(world), "0: clears sets; 1: clears");
    world_free(world);
}

static void the_counters_follow_all_kinds_of_guards(void **state)
{
    const struct charm_row rows[] = {
        { .name = "sets", .when = CHARM_FLAGS("go"), .data = STEPS(SET("a"), SET("b")) },
        { .name = "clears",
          .when = CHARM_FLAGS("a", "b", "go"),
          .data = STEPS(CLEAR("a"), CLEAR("go")) },
        { .name = "any", .guards = CHARM_GUARDS({ CHARM_WHEN_ANY, CHARM_FLAGS("a", "b") }) },
        { .name = "none", .guards = CHARM_GUARDS({ CHARM_WHEN_NONE, CHARM_FLAGS("a", "b") }) },
        { .name = "not-all",
          .guards = CHARM_GUARDS({ CHARM_WHEN_NOT_ALL, CHARM_FLAGS("a", "b") }) },
        { 0 }
    };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "go");
    assert_int_equal(world_hook(world, "install"), 0);
    assert_string_equal(world_ran(world), "0: sets none not-all; 1: clears any; 2: any not-all");
    world_free(world);
}

static void an_edge_that_is_cleared_stays_down_and_wakes_its_watchers(void **state)
{
    const struct charm_row rows[] = { { .name = "handled",
                                        .when = CHARM_FLAGS("config.changed"),
                                        .clears = CHARM_FLAGS("config.changed"),
                                        .data = STEPS(CLEAR("config.changed")) },
                                      { .name = "other", .when = CHARM_FLAGS("config.changed") },
                                      { .name = "quiet", .unless = CHARM_FLAGS("config.changed") },
                                      { 0 } };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    charmi_flags_derive(world_begin(world), "config.changed");
    charmi_flags_derived(world->flags, CHARMI_DERIVED_FIRE);
    assert_int_equal(world_hook(world, "config-changed"), 0);
    assert_string_equal(world_ran(world), "0: handled; 1: quiet");
    world_free(world);
}

static void later_is_no_error_and_leaves_once_open(void **state)
{
    const struct charm_row rows[] = { { .name = "first",
                                        .when = CHARM_FLAGS("a"),
                                        .guards = CHARM_GUARDS({ CHARM_ONCE, NULL }),
                                        .data = STEPS(LATER) },
                                      { .name = "second",
                                        .when = CHARM_FLAGS("a"),
                                        .guards = CHARM_GUARDS({ CHARM_ONCE, NULL }) },
                                      { 0 } };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "a");
    assert_int_equal(world_hook(world, "install"), 0);
    assert_string_equal(world_ran(world), "0: first second");
    assert_non_null(strstr(world_story(world), "later first\n"));
    assert_int_equal(world_hook(world, "start"), 0);
    assert_string_equal(world_ran(world), "0: first");
    world_free(world);
}

static void once_in_a_hook_row_counts_only_where_it_ran(void **state)
{
    const struct charm_row rows[] = { { .name = "first",
                                        .guards = CHARM_GUARDS(
                                            { CHARM_HOOK, CHARM_FLAGS("{install,upgrade-charm}") },
                                            { CHARM_ONCE, NULL }) },
                                      { 0 } };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    static const char *const hooks[] = { "start", "upgrade-charm", "install", "upgrade-charm" };
    static const char *const ran[] = { "", "hooks: first", "", "" };
    for (size_t i = 0; i < CHARMI_COUNT(hooks); i++) {
        assert_int_equal(world_hook(world, hooks[i]), 0);
        assert_string_equal(world_ran(world), ran[i]);
    }
    world_free(world);
}

static void misuse_ends_the_run_after_its_row(void **state)
{
    const struct charm_row rows[] = { { .name = "cheats",
                                        .when = CHARM_FLAGS("a"),
                                        .sets = CHARM_FLAGS("b"),
                                        .data = STEPS(SET("c")) },
                                      { .name = "unreached", .when = CHARM_FLAGS("a") },
                                      { 0 } };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "a");
    assert_int_equal(world_hook(world, "install"), CHARM_EINVAL);
    assert_string_equal(world_ran(world), "0: cheats");
    assert_non_null(strstr(world->error.text, "t.cheats: set flag 'c'"));
    world_free(world);
}

static void misuse_before_dispatch_runs_nothing(void **state)
{
    const struct charm_row rows[] = { { .name = "row", .when = CHARM_FLAGS("a") }, { 0 } };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "a");
    world_set(world, "leadership.is_leader");
    assert_int_equal(world_hook(world, "install"), CHARM_EINVAL);
    assert_string_equal(world_ran(world), "");
    world_free(world);
}

static void a_trigger_cycle_in_a_row_fails_the_run_and_names_the_row(void **state)
{
    const struct charm_trigger triggers[] = { { .when = "a", .clears = "a" },
                                              { .when_not = "a", .sets = "a" },
                                              { 0 } };
    const struct charm_row rows[] = {
        { .name = "starts", .when = CHARM_FLAGS("go"), .data = STEPS(SET("a")) }, { 0 }
    };
    struct world *world = world_new(rows, triggers, CHARMI_TABLE_STRICT);
    world_set(world, "go");
    assert_int_equal(world_hook(world, "install"), CHARM_ECYCLE);
    assert_non_null(strstr(world->error.text, "t.starts: triggers fire one another without end"));
    world_free(world);
}

/* ---- cycles of rows ---- */

static void two_rows_that_wake_each_other_are_named_with_their_flags(void **state)
{
    const struct charm_row rows[] = {
        { .name = "bystander", .when = CHARM_FLAGS("go") },
        { .name = "ping",
          .when = CHARM_FLAGS("go"),
          .unless = CHARM_FLAGS("ball"),
          .data = STEPS(SET("ball")) },
        { .name = "pong", .when = CHARM_FLAGS("ball"), .data = STEPS(CLEAR("ball")) },
        { 0 }
    };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "go");
    assert_int_equal(world_hook(world, "install"), CHARM_ECYCLE);
    assert_non_null(strstr(world->error.text, "'t.ping' sets 'ball', which wakes 't.pong'"));
    assert_non_null(strstr(world->error.text, "'t.pong' clears 'ball', which wakes 't.ping'"));
    assert_null(strstr(world->error.text, "bystander"));
    world_free(world);
}

/* A chain of `count` rows, each waking the next. */
static struct world *chain_of(int count)
{
    struct charm_arena *arena = charm_arena_new();
    struct charm_row *rows = charm_arena_array(arena, (size_t)count + 1, sizeof(*rows));
    for (int i = 0; i < count; i++) {
        const char **when = charm_arena_array(arena, 2, sizeof(*when));
        struct step *steps = charm_arena_array(arena, 2, sizeof(*steps));
        when[0] = charm_arena_printf(arena, "f%d", i);
        steps[0] = (struct step){ STEP_SET, charm_arena_printf(arena, "f%d", i + 1), NULL };
        rows[i] = (struct charm_row){ .name = charm_arena_printf(arena, "r%d", i),
                                      .when = when,
                                      .data = steps };
    }
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    charm_arena_defer(world->arena, (void (*)(void *))charm_arena_free, arena);
    return world;
}

static void a_hundred_iterations_that_settle_are_no_cycle(void **state)
{
    struct world *world = chain_of(100);
    world_set(world, "f0");
    assert_int_equal(world_hook(world, "install"), 0);
    assert_non_null(strstr(world_ran(world), "; 99: r99"));
    world_free(world);
}

static void a_hundred_and_first_iteration_is_never_run(void **state)
{
    struct world *world = chain_of(101);
    world_set(world, "f0");
    assert_int_equal(world_hook(world, "install"), CHARM_ECYCLE);
    assert_null(strstr(world_ran(world), "r100"));
    assert_non_null(strstr(world->error.text, "after 100 iterations"));
    world_free(world);
}

/* ---- actions ---- */

static const struct charm_row action_rows[] = {
    { .name = "list",
      .when = CHARM_FLAGS("ready", "leader"),
      .unless = CHARM_FLAGS("broken"),
      .guards = CHARM_GUARDS({ CHARM_ACTION, CHARM_FLAGS("list-connectors") }),
      .data = STEPS(SET("listed")) },
    { .name = "free",
      .guards = CHARM_GUARDS({ CHARM_ACTION, CHARM_FLAGS("free") }, { CHARM_ONCE, NULL }),
      .data = STEPS(SET("listed"), FAIL) },
    { .name = "next", .when = CHARM_FLAGS("listed") },
    { 0 }
};

static void an_action_runs_its_row_once_and_nothing_settles(void **state)
{
    struct world *world = world_new(action_rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "ready");
    world_set(world, "leader");
    assert_int_equal(world_action(world, "list-connectors"), 0);
    assert_string_equal(world_ran(world), "action: list");
    assert_int_equal(world_hook(world, "update-status"), 0);
    assert_string_equal(world_ran(world), "0: next");
    world_free(world);
}

static void a_refused_action_says_which_guards_stop_it(void **state)
{
    struct world *world = world_new(action_rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "ready");
    world_set(world, "broken");
    assert_int_equal(world_action(world, "list-connectors"), CHARM_EREFUSED);
    assert_string_equal(world_ran(world), "");
    assert_string_equal(world->error.text,
                        "run the action 'list-connectors': needs leader; not while broken");
    world_free(world);
}

static void an_action_that_no_row_has_is_not_found(void **state)
{
    struct world *world = world_new(action_rows, NULL, CHARMI_TABLE_STRICT);
    assert_int_equal(world_action(world, "fly"), CHARM_ENOTFOUND);
    assert_non_null(strstr(world->error.text, "'fly'"));
    world_free(world);
}

static void an_action_row_that_fails_fails_the_run(void **state)
{
    struct world *world = world_new(action_rows, NULL, CHARMI_TABLE_STRICT);
    for (int attempt = 0; attempt < 2; attempt++) { /* `once` is not used up */
        assert_int_equal(world_action(world, "free"), CHARM_EFAILED);
        assert_string_equal(world_ran(world), "action: free");
        assert_int_equal(world->store.size, 0);
    }
    world_free(world);
}

static void action_rows_never_run_in_hooks(void **state)
{
    struct world *world = world_new(action_rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "ready");
    world_set(world, "leader");
    assert_int_equal(world_hook(world, "list-connectors"), 0);
    assert_string_equal(world_ran(world), "");
    assert_int_equal(world_hook(world, "collect-metrics"), 0);
    assert_string_equal(world_ran(world), "");
    world_free(world);
}

/* ---- the story, and why ---- */

static void the_story_tells_who_woke_whom(void **state)
{
    const struct charm_row rows[] = {
        { .name = "one", .when = CHARM_FLAGS("go"), .data = STEPS(SET("a"), CLEAR("go")) },
        { .name = "two", .when = CHARM_FLAGS("go") },
        { .name = "three", .when = CHARM_FLAGS("b") },
        { 0 }
    };
    const struct charm_trigger triggers[] = { { .when = "a", .sets = "b" }, { 0 } };
    struct world *world = world_new(rows, triggers, CHARMI_TABLE_STRICT);
    world_set(world, "go");
    assert_int_equal(world_hook(world, "install"), 0);
    assert_string_equal(world_story(world), "phase hooks\n"
                                            "phase 0\n"
                                            "queued one\n"
                                            "queued two\n"
                                            "set a (one)\n"
                                            "set b (a)\n"
                                            "cleared go (one)\n"
                                            "done one\n"
                                            "dropped two (go)\n"
                                            "phase 1\n"
                                            "queued three (b)\n"
                                            "done three\n");
    world_free(world);
}

static const char *unmet_text(struct world *world, const struct charmi_situation *here,
                              const char *row)
{
    const struct charmi_entry *entry = charmi_table_find(world->table, row);
    const struct charmi_unmet *unmet = NULL;
    size_t count = charmi_unmet(world->arena, world->flags, here, entry, &unmet);
    assert_int_equal(charmi_holds(world->flags, here, entry), count == 0);
    struct charmi_words texts = { .at = charm_arena_array(world->arena, 1, sizeof(char *)) };
    for (size_t i = 0; i < count; i++) {
        charmi_words_add(world->arena, &texts, charmi_unmet_text(world->arena, &unmet[i]));
    }
    return charmi_words_join(world->arena, &texts, "; ");
}

static void what_stops_a_row_is_told_in_words(void **state)
{
    const struct charm_row rows[] = {
        { .name = "flags",
          .when = CHARM_FLAGS("set", "unset", "gone"),
          .unless = CHARM_FLAGS("set", "unset", "up"),
          .guards = CHARM_GUARDS({ CHARM_WHEN_ANY, CHARM_FLAGS("unset", "gone") },
                                 { CHARM_WHEN_NOT_ALL, CHARM_FLAGS("set", "up") }) },
        { .name = "hook",
          .guards =
              CHARM_GUARDS({ CHARM_HOOK, CHARM_FLAGS("{start,stop}") }, { CHARM_ONCE, NULL }) },
        { .name = "nowhere",
          .guards = CHARM_GUARDS({ CHARM_HOOK, CHARM_FLAGS("{requires:nothing}-x") }) },
        { .name = "metrics",
          .guards = CHARM_GUARDS({ CHARM_RESTRICTED, CHARM_FLAGS("collect-metrics") }) },
        { .name = "action", .guards = CHARM_GUARDS({ CHARM_ACTION, CHARM_FLAGS("list") }) },
        { .name = "fine", .when = CHARM_FLAGS("set") },
        { 0 }
    };
    struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
    world_set(world, "set");
    world_set(world, "up");
    world->once[1] = true;
    const struct charmi_situation install = { CHARMI_MODE_HOOK, "install", world->once };
    assert_string_equal(unmet_text(world, &install, "t.flags"),
                        "needs unset, gone; not while set, up; needs one of unset, gone; "
                        "not while all of set, up");
    assert_string_equal(unmet_text(world, &install, "t.hook"),
                        "only in the hook start, stop; only once, and it has run");
    assert_string_equal(unmet_text(world, &install, "t.nowhere"),
                        "only in hooks of endpoints that this charm does not have");
    assert_string_equal(unmet_text(world, &install, "t.metrics"),
                        "only in the restricted hook collect-metrics");
    assert_string_equal(unmet_text(world, &install, "t.action"), "only in the action list");
    assert_string_equal(unmet_text(world, &install, "t.fine"), "");
    const struct charmi_situation action = { CHARMI_MODE_ACTION, "list", world->once };
    assert_string_equal(unmet_text(world, &action, "t.action"), "");
    const struct charmi_situation metrics = { CHARMI_MODE_RESTRICTED, "collect-metrics",
                                              world->once };
    assert_string_equal(unmet_text(world, &metrics, "t.metrics"), "");
    world_free(world);
}

static void a_table_without_rows_runs_nothing(void **state)
{
    struct world *world = world_new(NULL, NULL, CHARMI_TABLE_STRICT);
    assert_int_equal(world_hook(world, "install"), 0);
    assert_string_equal(world_ran(world), "");
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_run_in_link_order_and_rows_in_table_order),
        cmocka_unit_test(rows_woken_out_of_order_run_in_table_order),
        cmocka_unit_test(a_row_woken_by_two_flags_runs_once),
        cmocka_unit_test(a_dropped_row_does_not_come_back_in_its_iteration),
        cmocka_unit_test(the_counters_follow_all_kinds_of_guards),
        cmocka_unit_test(an_edge_that_is_cleared_stays_down_and_wakes_its_watchers),
        cmocka_unit_test(later_is_no_error_and_leaves_once_open),
        cmocka_unit_test(once_in_a_hook_row_counts_only_where_it_ran),
        cmocka_unit_test(misuse_ends_the_run_after_its_row),
        cmocka_unit_test(misuse_before_dispatch_runs_nothing),
        cmocka_unit_test(a_trigger_cycle_in_a_row_fails_the_run_and_names_the_row),
        cmocka_unit_test(two_rows_that_wake_each_other_are_named_with_their_flags),
        cmocka_unit_test(a_hundred_iterations_that_settle_are_no_cycle),
        cmocka_unit_test(a_hundred_and_first_iteration_is_never_run),
        cmocka_unit_test(an_action_runs_its_row_once_and_nothing_settles),
        cmocka_unit_test(a_refused_action_says_which_guards_stop_it),
        cmocka_unit_test(an_action_that_no_row_has_is_not_found),
        cmocka_unit_test(an_action_row_that_fails_fails_the_run),
        cmocka_unit_test(action_rows_never_run_in_hooks),
        cmocka_unit_test(the_story_tells_who_woke_whom),
        cmocka_unit_test(what_stops_a_row_is_told_in_words),
        cmocka_unit_test(a_table_without_rows_runs_nothing),
    };
    return cmocka_run_group_tests_name("dispatch", tests, NULL, NULL);
}
