/* Stories as records: what is kept, how it is bounded, and what a person can ask of it. */
#include "tests.h"

#include "charm/records.h"
#include "charm/story.h"
#include "fake_juju.h"

static enum charm_result go(struct charm_run *run, const struct charm_row *row)
{
    charm_flag_set(run, "site.gone");
    charm_publish(run, "website", "hostname", charm_config_text(run, "hostname"));
    return CHARM_DONE;
}

static const struct charm_row rows[] = {
    { .name = "go",
      .summary = "goes with a host name",
      .when = CHARM_FLAGS("config.set.hostname"),
      .unless = CHARM_FLAGS("site.stopped"),
      .guards = CHARM_GUARDS({ CHARM_WHEN_ANY, CHARM_FLAGS("config.set.workers", "x") }),
      .sets = CHARM_FLAGS("site.gone"),
      .clears = CHARM_FLAGS("site.lost"),
      .run = go },
    { 0 },
};
static const struct charm_layer layer = { .name = "site", .rows = rows };
#define SITE CHARM_LAYERS(&layer)

/* A unit after an install that could do nothing and a config-changed that could. */
static struct fake_juju *lived(void)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_live(juju, SITE, "install");
    fake_juju_pass_ms(juju, 1000);
    fake_juju_option_text(juju, "hostname", "www");
    fake_juju_live(juju, SITE, "config-changed");
    return juju;
}

static int ask(struct fake_juju *juju, const char *name, const char **ret_text,
               struct charm_error *error)
{
    return charmi_explain(fake_juju_arena(juju), fake_juju_ports(juju), SITE, "/charm", name,
                          ret_text, error);
}

static void a_row_is_explained_by_its_guards_and_its_last_runs(void **state)
{
    struct fake_juju *juju = lived();
    const char *text = NULL;
    assert_int_equal(ask(juju, "go", &text, NULL), 0);
    assert_contains(text, "site.go: goes with a host name\n");
    assert_contains(text, "    when all of config.set.hostname\n");
    assert_contains(text, "    when none of site.stopped\n");
    assert_contains(text, "    when any of config.set.workers, x\n");
    assert_contains(text, "    sets site.gone\n");
    assert_contains(text, "    clears site.lost\n");
    const char *ran = strstr(text, "config-changed: ran in 0, done");
    const char *stopped = strstr(text, "install: did not run: ");
    assert_non_null(ran);
    assert_non_null(stopped);
    assert_true(ran < stopped); /* the latest first */
    assert_contains(stopped, "config.set.hostname");
    const char *same = NULL;
    assert_int_equal(ask(juju, "site.go", &same, NULL), 0);
    assert_string_equal(text, same);
    fake_juju_free(juju);
}

static void a_flag_is_explained_by_who_sets_it_and_when_it_changed(void **state)
{
    struct fake_juju *juju = lived();
    const char *text = NULL;
    assert_int_equal(ask(juju, "site.gone", &text, NULL), 0);
    assert_contains(text, "site.gone: set at the end of the last run (config-changed, ");
    assert_contains(text, "  set by site.go\n");
    assert_contains(text, "config-changed: set by site.go\n");
    assert_int_equal(ask(juju, "site.stopped", &text, NULL), 0);
    assert_contains(text, "site.stopped: not set");
    assert_contains(text, "  guards site.go\n");
    fake_juju_free(juju);
}

static void without_a_name_the_last_run_is_told(void **state)
{
    struct fake_juju *juju = lived();
    const char *text = NULL;
    assert_int_equal(ask(juju, "", &text, NULL), 0);
    assert_contains(text, "config-changed on connect/0: 1 row ran, 1 flag change, ");
    assert_contains(text, "flags at the end: ");
    fake_juju_free(juju);
}

static void what_nobody_knows_is_said_to_be_unknown(void **state)
{
    struct fake_juju *juju = lived();
    struct charm_error error = { 0 };
    const char *text = NULL;
    assert_int_equal(ask(juju, "site.gon", &text, &error), CHARM_ENOTFOUND);
    assert_contains(error.text, "explain 'site.gon'");
    fake_juju_free(juju);
}

static void without_records_the_table_still_explains_rows_and_flags(void **state)
{
    struct fake_juju *juju = lived();
    struct charm_error error = { 0 };
    const char *text = NULL;
    fake_juju_lose_files(juju);
    assert_int_equal(ask(juju, NULL, &text, &error), CHARM_ENOTFOUND);
    assert_contains(error.text, "no record of a run yet");
    assert_int_equal(ask(juju, "go", &text, &error), 0);
    assert_contains(text, "    when all of config.set.hostname\n");
    assert_contains(text, "there is no record of a run yet\n");
    assert_int_equal(ask(juju, "site.gone", &text, &error), 0);
    assert_contains(text, "site.gone: there is no record of a run yet\n  set by site.go\n");
    assert_int_equal(ask(juju, "site.gon", &text, &error), CHARM_ENOTFOUND);
    fake_juju_free(juju);
}

static void records_that_may_not_be_read_are_not_called_missing(void **state)
{
    struct fake_juju *juju = lived();
    struct charm_error error = { 0 };
    const char *text = NULL;
    fake_juju_refuse_reads(juju, true);
    assert_int_equal(ask(juju, "go", &text, &error), CHARM_EREFUSED);
    assert_contains(error.text, "Permission denied");
    assert_contains(error.text, "sudo");
    fake_juju_free(juju);
}

static void records_of_any_form_are_read_without_harm(void **state)
{
    static const char *const damaged[] = {
        "{}",
        "[]",
        "{\"ran\":\"all\",\"changed\":7,\"flags\":{\"a\":1},\"at\":[],\"hook\":null}",
        "{\"ran\":[1,[],{\"row\":5}],\"stopped\":[null],\"tools\":[[]],\"took_ms\":\"x\"}",
        "",
        "\xff",
    };
    struct fake_juju *juju = lived();
    const char *text = NULL;
    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        fake_juju_put_file(juju, ".charm/run-2.json", damaged[i]);
        assert_int_equal(ask(juju, NULL, &text, NULL), 0);
        assert_int_equal(ask(juju, "go", &text, NULL), 0);
        assert_contains(text, "install: did not run");
        assert_int_equal(ask(juju, "site.gone", &text, NULL), 0);
    }
    fake_juju_free(juju);
}

static void a_damaged_number_of_runs_starts_again(void **state)
{
    static const char *const numbers[] = { "9223372036854775807", "-3", "\"x\"", "1e300" };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct fake_juju *juju = fake_juju_new();
        fake_juju_put_file(
            juju, ".charm/sent.json",
            charm_arena_printf(fake_juju_arena(juju), "{\"format\":1,\"next\":%s}", numbers[i]));
        fake_juju_option_text(juju, "hostname", "www");
        fake_juju_live(juju, SITE, "config-changed");
        assert_contains(fake_juju_file(juju, ".charm/run-1.json"), "\"run\":1,");
        fake_juju_free(juju);
    }
}

static void explaining_calls_no_hook_tool(void **state)
{
    struct fake_juju *juju = lived();
    const char *text = NULL;
    size_t before = fake_juju_call_count(juju);
    assert_int_equal(ask(juju, "go", &text, NULL), 0);
    assert_int_equal(fake_juju_call_count(juju), before);
    fake_juju_free(juju);
}

static void a_record_that_is_damaged_is_passed_over(void **state)
{
    struct fake_juju *juju = lived();
    const char *text = NULL;
    fake_juju_put_file(juju, ".charm/run-2.json", "{\"format\":1,\"ran\":");
    assert_int_equal(ask(juju, "go", &text, NULL), 0);
    assert_contains(text, "install: did not run");
    assert_lacks(text, "config-changed: ran");
    fake_juju_free(juju);
}

static void a_failed_run_is_recorded_with_its_error(void **state)
{
    struct fake_juju *juju = lived();
    const char *text = NULL;
    fake_juju_pass_ms(juju, 1000);
    fake_juju_refuse(juju, "config-get", "ERROR gone fishing");
    assert_int_equal(fake_juju_run(juju, SITE, "update-status"), CHARM_EREFUSED);
    assert_int_equal(ask(juju, NULL, &text, NULL), 0);
    assert_contains(text, "failed: config-get --all: exit code 1: ERROR gone fishing");
    fake_juju_free(juju);
}

static void a_long_record_loses_its_longest_lists_and_says_so(void **state)
{
    struct charm_arena *arena = charm_arena_new();
    struct charmi_story story;
    charmi_story_begin(&story, arena, 0);
    for (int i = 0; i < 400; i++) {
        charmi_story_trace(&story, charm_arena_printf(arena, "%0400d", i));
    }
    charmi_story_effect(&story, "an effect");
    const char *text = charmi_story_record_text(arena, story.record);
    assert_true(strlen(text) <= CHARMI_RECORD_MAX_BYTES);
    assert_contains(text, "an effect");
    assert_contains(text, "\"cut\":[\"trace\"]");
    charm_arena_free(arena);
}

static void times_are_written_as_people_and_sorting_want_them(void **state)
{
    struct charm_arena *arena = charm_arena_new();
    assert_string_equal(charmi_story_time(arena, 1767268800000), "2026-01-01T12:00:00Z");
    charm_arena_free(arena);
}

static void handlers_are_printed_from_the_table(void **state)
{
    struct charm_arena *arena = charm_arena_new();
    assert_string_equal(charmi_handlers_text(arena, SITE), "site.go: goes with a host name\n"
                                                           "    when all of config.set.hostname\n"
                                                           "    when none of site.stopped\n"
                                                           "    when any of config.set.workers, x\n"
                                                           "    sets site.gone\n"
                                                           "    clears site.lost\n");
    charm_arena_free(arena);
}

static void layers_are_checked_before_anything_runs(void **state)
{
    const struct charm_row bad_rows[] = { { .name = "bad", .summary = "no guard", .run = go },
                                          { 0 } };
    const struct charm_layer bad = { .name = "bad", .rows = bad_rows };
    const struct charm_layer ours = { .name = "charm", .rows = rows };
    struct fake_juju *juju = fake_juju_new();
    struct charm_error error = { 0 };
    assert_int_equal(charmi_layers_check(SITE, fake_juju_files(juju), &error), 0);
    assert_int_equal(charmi_layers_check(CHARM_LAYERS(&bad), fake_juju_files(juju), &error),
                     CHARM_EINVAL);
    assert_contains(error.text, "bad");
    assert_int_equal(charmi_layers_check(CHARM_LAYERS(&ours), fake_juju_files(juju), &error),
                     CHARM_EINVAL);
    assert_contains(error.text, "'charm' is the engine's");
    fake_juju_free(juju);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_explained_by_its_guards_and_its_last_runs),
        cmocka_unit_test(a_flag_is_explained_by_who_sets_it_and_when_it_changed),
        cmocka_unit_test(without_a_name_the_last_run_is_told),
        cmocka_unit_test(what_nobody_knows_is_said_to_be_unknown),
        cmocka_unit_test(without_records_the_table_still_explains_rows_and_flags),
        cmocka_unit_test(records_that_may_not_be_read_are_not_called_missing),
        cmocka_unit_test(records_of_any_form_are_read_without_harm),
        cmocka_unit_test(a_damaged_number_of_runs_starts_again),
        cmocka_unit_test(explaining_calls_no_hook_tool),
        cmocka_unit_test(a_record_that_is_damaged_is_passed_over),
        cmocka_unit_test(a_failed_run_is_recorded_with_its_error),
        cmocka_unit_test(a_long_record_loses_its_longest_lists_and_says_so),
        cmocka_unit_test(times_are_written_as_people_and_sorting_want_them),
        cmocka_unit_test(handlers_are_printed_from_the_table),
        cmocka_unit_test(layers_are_checked_before_anything_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
