#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "world.h"

static void no_derivation(struct charm_run *run, const struct charm_derivation *derivation)
{
}

static const struct charm_derivation derivations[] = { { .name = "rain",
                                                         .summary = "is it raining",
                                                         .flags = CHARM_FLAGS("rain", "snow"),
                                                         .edges = CHARM_FLAGS("rain.changed"),
                                                         .derive = no_derivation },
                                                       { 0 } };
static const struct charm_row rows[] = { { .name = "wet",
                                           .when = CHARM_FLAGS("rain"),
                                           .sets = CHARM_FLAGS("wet"),
                                           .clears = CHARM_FLAGS("rain.changed", "dry") },
                                         { 0 } };
static const struct charm_trigger triggers[] = {
    { .when = "rain", .sets = "umbrella" },
    { .when_not = "rain", .clears = "umbrella", .sets = "dry" },
    { .when = "rain.changed", .sets = "looked" },
    { 0 },
};

static struct world *weather(void)
{
    static const struct charm_layer layer = {
        .name = "weather", .rows = rows, .triggers = triggers, .derivations = derivations
    };
    return world_of_layers(CHARM_LAYERS(&layer), CHARMI_TABLE_STRICT);
}

static void expect_misuse(const struct world *world, const char *row, const char *flag)
{
    struct charm_error error = { 0 };
    assert_int_equal(charmi_flags_error(world->flags, &error), CHARM_EINVAL);
    assert_non_null(strstr(error.text, row));
    assert_non_null(strstr(error.text, flag));
}

static void loading_makes_no_transition(void **state)
{
    struct world *world = weather();
    world_begin(world);
    charmi_flags_load(world->flags, "umbrella");
    assert_true(charmi_flags_is_set(world->flags, "umbrella"));
    assert_int_equal(charmi_flags_watch_pending(world->flags).count, 0);
    world_free(world);
}

static void a_remembered_flag_that_is_derived_by_now_is_not_loaded(void **state)
{
    struct world *world = weather();
    world_begin(world);
    charmi_flags_load(world->flags, "rain");
    charmi_flags_load(world->flags, "leadership.is_leader");
    charmi_flags_load(world->flags, "config.changed");
    assert_string_equal(world_flags(world), "");
    charmi_flags_load_level(world->flags, "umbrella");
    charmi_flags_derived(world->flags, CHARMI_DERIVED_FIRE);
    assert_string_equal(world_flags(world), "");
    world_free(world);
}

static void a_level_that_comes_up_fires_its_triggers_once_in_its_life(void **state)
{
    struct world *world = weather();
    charmi_flags_derive(world_begin(world), "rain");
    assert_string_equal(world_flags(world), "rain"); /* not before all are derived */
    charmi_flags_derived(world->flags, CHARMI_DERIVED_FIRE);
    assert_string_equal(world_flags(world), "rain umbrella");
    assert_int_equal(world_hook(world, "install"), 0);
    assert_int_equal(world->levels.size, 1);

    charmi_flags_derive(world_begin(world), "rain");
    charmi_flags_clear(world->flags, "umbrella");
    charmi_flags_derived(world->flags, CHARMI_DERIVED_FIRE);
    assert_string_equal(world_flags(world), "rain");
    world_free(world);
}

static void a_level_that_went_down_since_the_last_run_fires_too(void **state)
{
    struct world *world = weather();
    world_begin(world);
    charmi_flags_load(world->flags, "umbrella");
    charmi_flags_load_level(world->flags, "rain");
    charmi_flags_derived(world->flags, CHARMI_DERIVED_FIRE);
    assert_string_equal(world_flags(world), "dry");
    world_free(world);
}

static void an_edge_fires_in_every_run_that_has_it(void **state)
{
    struct world *world = weather();
    for (int run = 0; run < 2; run++) {
        charmi_flags_derive(world_begin(world), "rain.changed");
        charmi_flags_clear(world->flags, "looked");
        charmi_flags_derived(world->flags, CHARMI_DERIVED_FIRE);
        assert_string_equal(world_flags(world), "looked rain.changed");
        assert_int_equal(world_hook(world, "update-status"), 0);
    }
    world_free(world);
}

static void silent_runs_fire_nothing(void **state)
{
    struct world *world = weather();
    world_begin(world);
    charmi_flags_load_level(world->flags, "rain");
    charmi_flags_derive(world->flags, "rain.changed");
    charmi_flags_derived(world->flags, CHARMI_DERIVED_SILENT);
    assert_string_equal(world_flags(world), "rain.changed");
    world_free(world);
}

static void only_remembered_flags_and_triggered_levels_are_saved(void **state)
{
    struct world *world = weather();
    world_begin(world);
    charmi_flags_derive(world->flags, "rain");
    charmi_flags_derive(world->flags, "snow"); /* no trigger names it */
    charmi_flags_derive(world->flags, "rain.changed");
    charmi_flags_derive(world->flags, "config.set.port");
    charmi_flags_set(world->flags, "wet");
    struct charmi_words saved = charmi_flags_remembered(world->flags, world->arena);
    assert_string_equal(charmi_words_join(world->arena, &saved, " "), "wet");
    struct charmi_words levels = charmi_flags_levels(world->flags, world->arena);
    assert_string_equal(charmi_words_join(world->arena, &levels, " "), "rain");
    assert_int_equal(charmi_flags_error(world->flags, NULL), 0);
    world_free(world);
}

static void derived_flags_cannot_be_set_or_cleared(void **state)
{
    static const char *const levels[] = { "rain",
                                          "leadership.is_leader",
                                          "application-state.available",
                                          "config.set.port",
                                          "config.default.port",
                                          "endpoint.kafka.joined",
                                          "endpoint.kafka.departed" };
    for (size_t i = 0; i < CHARMI_COUNT(levels); i++) {
        struct world *world = weather();
        world_set(world, levels[i]);
        assert_false(charmi_flags_is_set(world->flags, levels[i]));
        expect_misuse(world, "set flag", levels[i]);
        world_free(world);

        world = weather();
        charmi_flags_derive(world_begin(world), levels[i]);
        charmi_flags_clear(world->flags, levels[i]);
        assert_true(charmi_flags_is_set(world->flags, levels[i]));
        expect_misuse(world, "clear flag", levels[i]);
        world_free(world);
    }
}

static void an_edge_can_be_cleared_and_never_set(void **state)
{
    static const char *const edges[] = { "rain.changed", "config.changed", "config.changed.port",
                                         "endpoint.kafka.changed",
                                         "endpoint.kafka.changed.hostname" };
    for (size_t i = 0; i < CHARMI_COUNT(edges); i++) {
        struct world *world = weather();
        charmi_flags_derive(world_begin(world), edges[i]);
        charmi_flags_clear(world->flags, edges[i]);
        assert_false(charmi_flags_is_set(world->flags, edges[i]));
        assert_int_equal(charmi_flags_error(world->flags, NULL), 0);
        charmi_flags_set(world->flags, edges[i]);
        assert_false(charmi_flags_is_set(world->flags, edges[i]));
        expect_misuse(world, "set flag", edges[i]);
        world_free(world);
    }
}

static void flags_that_only_look_built_in_are_ordinary(void **state)
{
    static const char *const names[] = { "config.ready", "endpoint.kafka", "endpoint.kafka.ready",
                                         "leadership.changed.term", "kafka.changed" };
    for (size_t i = 0; i < CHARMI_COUNT(names); i++) {
        struct world *world = weather();
        world_set(world, names[i]);
        assert_true(charmi_flags_is_set(world->flags, names[i]));
        assert_int_equal(charmi_flags_error(world->flags, NULL), 0);
        world_free(world);
    }
}

static void deriving_a_remembered_flag_is_misuse(void **state)
{
    struct world *world = weather();
    charmi_flags_derive(world_begin(world), "wet");
    assert_false(charmi_flags_is_set(world->flags, "wet"));
    expect_misuse(world, "derive flag", "'wet'");
    world_free(world);
}

static void a_row_changes_only_what_it_declares(void **state)
{
    struct world *world = weather();
    world_begin(world);
    charmi_flags_load(world->flags, "wet");
    charmi_flags_derive(world->flags, "rain.changed");
    charmi_flags_enter(world->flags, charmi_table_find(world->table, "weather.wet"));
    charmi_flags_set(world->flags, "wet");
    charmi_flags_clear(world->flags, "dry");
    charmi_flags_clear(world->flags, "rain.changed");
    assert_int_equal(charmi_flags_error(world->flags, NULL), 0);
    charmi_flags_clear(world->flags, "wet"); /* declared to be set, not to be cleared */
    assert_true(charmi_flags_is_set(world->flags, "wet"));
    expect_misuse(world, "weather.wet", "clear flag 'wet'");
    world_free(world);
}

static void the_first_misuse_sticks(void **state)
{
    struct world *world = weather();
    world_begin(world);
    charmi_flags_enter(world->flags, charmi_table_find(world->table, "weather.wet"));
    charmi_flags_set(world->flags, "first");
    charmi_flags_set(world->flags, "second");
    expect_misuse(world, "weather.wet", "'first'");
    world_free(world);
}

static void a_trigger_may_change_what_its_row_does_not_declare(void **state)
{
    const struct charm_trigger trigger = { .when = "wet", .sets = "towel", .clears = "dry" };
    struct world *world = weather();
    world_begin(world);
    charmi_flags_load(world->flags, "dry");
    charmi_flags_enter(world->flags, charmi_table_find(world->table, "weather.wet"));
    charmi_flags_add_trigger(world->flags, &trigger);
    charmi_flags_set(world->flags, "wet");
    assert_string_equal(world_flags(world), "towel wet");
    assert_int_equal(charmi_flags_error(world->flags, NULL), 0);
    world_free(world);
}

static void a_bad_trigger_is_misuse_of_its_row(void **state)
{
    static const struct charm_trigger bad[] = {
        { .sets = "a" },
        { .when = "", .sets = "a" },
        { .when = "a", .when_not = "b", .sets = "c" },
        { .when = "a" },
        { .when = "a", .sets = "", .clears = "" },
        { .when = "a", .sets = "rain" },
        { .when = "a", .clears = "rain" },
        { .when = "a", .sets = "rain.changed" },
    };
    for (size_t i = 0; i < CHARMI_COUNT(bad); i++) {
        struct world *world = weather();
        world_begin(world);
        charmi_flags_enter(world->flags, charmi_table_find(world->table, "weather.wet"));
        charmi_flags_add_trigger(world->flags, &bad[i]);
        expect_misuse(world, "weather.wet", "trigger on");
        world_free(world);
    }
}

static void a_trigger_may_clear_an_edge(void **state)
{
    const struct charm_trigger trigger = { .when = "seen", .clears = "rain.changed" };
    struct world *world = weather();
    charmi_flags_derive(world_begin(world), "rain.changed");
    charmi_flags_add_trigger(world->flags, &trigger);
    world_set(world, "seen");
    assert_string_equal(world_flags(world), "seen");
    assert_int_equal(charmi_flags_error(world->flags, NULL), 0);
    world_free(world);
}

static void repeating_a_trigger_adds_nothing(void **state)
{
    const struct charm_trigger trigger = { .when = "a", .sets = "pulse", .clears = "c" };
    const struct charm_trigger back = { .when = "pulse", .clears = "pulse" };
    struct world *world = weather();
    charmi_flags_add_trigger(world_begin(world), &back);
    charmi_flags_add_trigger(world->flags, &trigger);
    charmi_flags_add_trigger(world->flags, &trigger);
    world_set(world, "a");
    /* a, pulse up and down; a second effect would let it pulse again */
    assert_int_equal(charmi_flags_watch_pending(world->flags).count, 3);
    world_free(world);
}

static void a_long_chain_of_triggers_is_no_cycle(void **state)
{
    struct world *world = weather();
    world_begin(world);
    for (int i = 0; i < 3000; i++) {
        const struct charm_trigger trigger = {
            .when = charm_arena_printf(world->arena, "link-%d", i),
            .sets = charm_arena_printf(world->arena, "link-%d", i + 1),
        };
        charmi_flags_add_trigger(world->flags, &trigger);
    }
    world_set(world, "link-0");
    assert_int_equal(charmi_flags_error(world->flags, NULL), 0);
    assert_true(charmi_flags_is_set(world->flags, "link-3000"));
    world_free(world);
}

static void a_cycle_names_its_flags_and_not_the_way_to_it(void **state)
{
    static const struct charm_trigger cycle[] = {
        { .when = "way", .sets = "a" },   { .when = "a", .sets = "b" },
        { .when = "b", .clears = "a" },   { .when_not = "a", .clears = "b" },
        { .when_not = "b", .sets = "a" },
    };
    struct world *world = weather();
    world_begin(world);
    for (size_t i = 0; i < CHARMI_COUNT(cycle); i++) {
        charmi_flags_add_trigger(world->flags, &cycle[i]);
    }
    charmi_flags_set(world->flags, "way");
    struct charm_error error = { 0 };
    assert_int_equal(charmi_flags_error(world->flags, &error), CHARM_ECYCLE);
    assert_non_null(strstr(error.text, "set 'a', set 'b', clear 'a', clear 'b', set 'a'"));
    assert_null(strstr(error.text, "way"));
    world_free(world);
}

static void each_clear_leaves_the_mark_and_asking_takes_it(void **state)
{
    struct world *world = weather();
    world_set(world, "a");
    assert_false(charmi_flags_take_clear_mark(world->flags));
    world_clear(world, "never-set");
    assert_true(charmi_flags_take_clear_mark(world->flags));
    assert_false(charmi_flags_take_clear_mark(world->flags));
    world_free(world);
}

struct heard {
    char text[200];
};

static void hear(void *userdata, const struct charmi_transition *transition)
{
    struct heard *heard = userdata;
    size_t used = strlen(heard->text);
    snprintf(heard->text + used, sizeof(heard->text) - used, "%s%s(%s,%s) ",
             transition->set ? "+" : "-", transition->flag,
             transition->entry == NULL ? "" : transition->entry->row->name,
             transition->cause == NULL ? "" : transition->cause);
}

static void listeners_hear_transitions_with_row_and_cause(void **state)
{
    const struct charm_trigger trigger = { .when = "wet", .sets = "towel" };
    struct heard heard = { 0 };
    struct world *world = weather();
    charmi_flags_add_trigger(world_begin(world), &trigger);
    struct charmi_listener none =
        charmi_flags_listen(world->flags, (struct charmi_listener){ hear, &heard });
    assert_null(none.told);
    charmi_flags_set(world->flags, "a");
    charmi_flags_set(world->flags, "a");
    charmi_flags_enter(world->flags, charmi_table_find(world->table, "weather.wet"));
    charmi_flags_set(world->flags, "wet");
    charmi_flags_enter(world->flags, NULL);
    charmi_flags_clear(world->flags, "a");
    assert_string_equal(heard.text, "+a(,) +wet(wet,) +towel(wet,wet) -a(,) ");
    world_free(world);
}

static void flags_are_listed_by_bytes(void **state)
{
    struct world *world = weather();
    world_set(world, "b");
    world_set(world, "\xc3\xa4");
    world_set(world, "a.b");
    world_set(world, "Z");
    world_set(world, "a b%");
    assert_string_equal(world_flags(world), "Z a b% a.b b \xc3\xa4");
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loading_makes_no_transition),
        cmocka_unit_test(a_remembered_flag_that_is_derived_by_now_is_not_loaded),
        cmocka_unit_test(a_level_that_comes_up_fires_its_triggers_once_in_its_life),
        cmocka_unit_test(a_level_that_went_down_since_the_last_run_fires_too),
        cmocka_unit_test(an_edge_fires_in_every_run_that_has_it),
        cmocka_unit_test(silent_runs_fire_nothing),
        cmocka_unit_test(only_remembered_flags_and_triggered_levels_are_saved),
        cmocka_unit_test(derived_flags_cannot_be_set_or_cleared),
        cmocka_unit_test(an_edge_can_be_cleared_and_never_set),
        cmocka_unit_test(flags_that_only_look_built_in_are_ordinary),
        cmocka_unit_test(deriving_a_remembered_flag_is_misuse),
        cmocka_unit_test(a_row_changes_only_what_it_declares),
        cmocka_unit_test(the_first_misuse_sticks),
        cmocka_unit_test(a_trigger_may_change_what_its_row_does_not_declare),
        cmocka_unit_test(a_bad_trigger_is_misuse_of_its_row),
        cmocka_unit_test(a_trigger_may_clear_an_edge),
        cmocka_unit_test(repeating_a_trigger_adds_nothing),
        cmocka_unit_test(a_long_chain_of_triggers_is_no_cycle),
        cmocka_unit_test(a_cycle_names_its_flags_and_not_the_way_to_it),
        cmocka_unit_test(each_clear_leaves_the_mark_and_asking_takes_it),
        cmocka_unit_test(listeners_hear_transitions_with_row_and_cause),
        cmocka_unit_test(flags_are_listed_by_bytes),
    };
    return cmocka_run_group_tests_name("flags", tests, NULL, NULL);
}
