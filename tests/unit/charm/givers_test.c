/* Whole runs: what rows give, when it falls away, and what "later" holds. */
#include "tests.h"

#include "fake_juju.h"

/* ---- a lower layer that publishes what upper rows give ---- */

static enum charm_result publish_list(struct charm_run *run, const struct charm_output *output)
{
    if (charm_given_held(run, "item")) {
        charm_publish_hold(run, "website");
        charm_status(run, CHARM_WAITING, "held");
        return CHARM_DONE;
    }
    charm_publish_json(run, "website", "items", charm_given(run, "item"));
    charm_status(run, CHARM_ACTIVE, "published");
    return CHARM_DONE;
}
static const struct charm_output lower_outputs[] = { { "list", "items", publish_list }, { 0 } };
static const struct charm_layer lower = { .name = "lower", .outputs = lower_outputs };

/* ---- upper rows whose ways the test decides ---- */

static enum charm_result first_ends;
static enum charm_result second_ends;

static enum charm_result give_first(struct charm_run *run, const struct charm_row *row)
{
    if (first_ends == CHARM_DONE) {
        charm_give(run, "item", "first", charm_value_new_int(charm_arena(run), 1));
    }
    return first_ends;
}

static enum charm_result give_second(struct charm_run *run, const struct charm_row *row)
{
    charm_give(run, "item", "second", charm_value_new_text(charm_arena(run), "two"));
    return second_ends;
}

static enum charm_result override_first(struct charm_run *run, const struct charm_row *row)
{
    charm_give(run, "item", "first",
               charm_value_new_text(charm_arena(run), charm_config_text(run, "hostname")));
    return CHARM_DONE;
}

static const struct charm_row upper_rows[] = {
    { .name = "first",
      .summary = "gives one",
      .unless = CHARM_FLAGS("never.set"),
      .run = give_first },
    { .name = "second",
      .summary = "gives two",
      .when = CHARM_FLAGS("config.set.workers"),
      .run = give_second },
    { .name = "third",
      .summary = "gives one again",
      .when = CHARM_FLAGS("config.set.hostname"),
      .run = override_first },
    { 0 },
};
static const struct charm_layer upper = { .name = "upper", .rows = upper_rows };
#define BOTH CHARM_LAYERS(&lower, &upper)

static struct fake_juju *both(void)
{
    first_ends = CHARM_DONE;
    second_ends = CHARM_DONE;
    struct fake_juju *juju = fake_juju_new();
    fake_juju_relate(juju, "website:3");
    return juju;
}

static const char *items(struct fake_juju *juju)
{
    return charm_text(charm_value_get(fake_juju_own(juju, "website:3"), "items"));
}

static void set_workers(struct fake_juju *juju, int64_t workers)
{
    fake_juju_option(juju, "workers", charm_value_new_int(fake_juju_arena(juju), workers));
}

static void what_rows_give_is_published_together(void **state)
{
    struct fake_juju *juju = both();
    fake_juju_live(juju, BOTH, "config-changed");
    assert_string_equal(items(juju), "{\"first\": 1, \"second\": \"two\"}");
    fake_juju_free(juju);
}

static void of_two_rows_that_give_one_key_the_later_in_the_table_counts(void **state)
{
    struct fake_juju *juju = both();
    fake_juju_option_text(juju, "hostname", "www");
    fake_juju_live(juju, BOTH, "config-changed");
    assert_string_equal(items(juju), "{\"first\": \"www\", \"second\": \"two\"}");
    fake_juju_free(juju);
}

static void what_a_row_gave_falls_away_when_its_guards_do_not_hold(void **state)
{
    struct fake_juju *juju = both();
    fake_juju_live(juju, BOTH, "config-changed");
    set_workers(juju, 0);
    fake_juju_live(juju, BOTH, "config-changed");
    assert_string_equal(items(juju), "{\"first\": 1}");
    fake_juju_free(juju);
}

static void later_keeps_the_output_as_it_was(void **state)
{
    struct fake_juju *juju = both();
    fake_juju_live(juju, BOTH, "config-changed");
    first_ends = CHARM_LATER;
    fake_juju_live(juju, BOTH, "config-changed");
    fake_juju_live(juju, BOTH, "config-changed");
    assert_string_equal(items(juju), "{\"first\": 1, \"second\": \"two\"}");
    assert_false(fake_juju_called(juju, "relation-set"));
    first_ends = CHARM_DONE;
    fake_juju_live(juju, BOTH, "config-changed");
    assert_true(fake_juju_called(juju, "status-set -- active published"));
    fake_juju_free(juju);
}

static void a_row_of_an_upper_layer_that_never_ended_well_holds_too(void **state)
{
    struct fake_juju *juju = both();
    first_ends = CHARM_LATER;
    fake_juju_live(juju, BOTH, "config-changed");
    assert_string_equal(items(juju), "");
    assert_true(fake_juju_called(juju, "status-set -- waiting held"));
    fake_juju_free(juju);
}

static void a_row_that_ended_well_without_giving_holds_nothing(void **state)
{
    struct fake_juju *juju = both();
    fake_juju_option_text(juju, "hostname", "www");
    fake_juju_live(juju, BOTH, "config-changed");
    set_workers(juju, 0); /* second falls away, and gave nothing when the run was committed */
    fake_juju_live(juju, BOTH, "config-changed");
    assert_string_equal(items(juju), "{\"first\": \"www\"}");
    fake_juju_free(juju);
}

/* ---- publications of rows themselves ---- */

static enum charm_result publish_two(struct charm_run *run, const struct charm_row *row)
{
    if (first_ends == CHARM_DONE) {
        charm_publish(run, "website", "hostname", "www");
    }
    return first_ends;
}

static enum charm_result publish_port(struct charm_run *run, const struct charm_row *row)
{
    charm_publish(run, "website", "port", charm_config_text(run, "workers"));
    return CHARM_DONE;
}

static const struct charm_row publisher_rows[] = {
    { .name = "hostname",
      .summary = "one key",
      .unless = CHARM_FLAGS("config.set.hostname"),
      .run = publish_two },
    { .name = "port",
      .summary = "another",
      .unless = CHARM_FLAGS("never.set"),
      .run = publish_port },
    { 0 },
};
static const struct charm_layer publisher = { .name = "site", .rows = publisher_rows };

static void later_holds_the_rows_own_keys_and_no_others(void **state)
{
    struct fake_juju *juju = both();
    fake_juju_live(juju, CHARM_LAYERS(&publisher), "config-changed");
    first_ends = CHARM_LATER;
    set_workers(juju, 5);
    fake_juju_live(juju, CHARM_LAYERS(&publisher), "config-changed");
    assert_string_equal(fake_juju_document(juju, "relation-set"), "{\"port\":\"5\"}");
    fake_juju_option_text(juju, "hostname", "no longer wanted");
    fake_juju_live(juju, CHARM_LAYERS(&publisher), "config-changed");
    assert_string_equal(fake_juju_document(juju, "relation-set"), "{\"hostname\":\"\"}");
    fake_juju_free(juju);
}

/* ---- unknown is not absent ---- */

static enum charm_result give_port(struct charm_run *run, const struct charm_row *row)
{
    const struct charm_value *port = charm_remote(run, "kafka", "port");
    charm_publish(run, "website", "port", charm_text(port));
    charm_give(run, "item", "port", port);
    return CHARM_DONE;
}

static const struct charm_row doubting_rows[] = {
    { .name = "port",
      .summary = "hands the port on",
      .when = CHARM_FLAGS("endpoint.kafka.joined", "config.set.workers"),
      .run = give_port },
    { 0 },
};
static const struct charm_layer doubting = { .name = "doubting", .rows = doubting_rows };
#define DOUBTING CHARM_LAYERS(&lower, &doubting)

static struct fake_juju *doubting_life(void)
{
    struct fake_juju *juju = both();
    fake_juju_relate(juju, "kafka:1");
    fake_juju_unit(juju, "kafka:1", "kafka/0", "port", "9092");
    fake_juju_live(juju, DOUBTING, "config-changed");
    assert_string_equal(items(juju), "{\"port\": \"9092\"}");
    return juju;
}

static void what_a_row_gave_is_held_while_its_guard_cannot_be_known(void **state)
{
    struct fake_juju *juju = doubting_life();
    fake_juju_refuse(juju, "relation-list -r kafka:1", "ERROR permission denied");
    fake_juju_live(juju, DOUBTING, "update-status");
    fake_juju_live(juju, DOUBTING, "update-status");
    assert_false(fake_juju_called(juju, "relation-set"));
    assert_string_equal(items(juju), "{\"port\": \"9092\"}");
    fake_juju_live(juju, DOUBTING, "update-status"); /* the third time: gone */
    assert_string_equal(items(juju), "{}");
    fake_juju_free(juju);
}

static void what_is_known_to_be_over_falls_away_whatever_else_is_unknown(void **state)
{
    struct fake_juju *juju = doubting_life();
    fake_juju_refuse(juju, "relation-list -r kafka:1", "ERROR permission denied");
    set_workers(juju, 0);
    fake_juju_live(juju, DOUBTING, "config-changed");
    assert_string_equal(items(juju), "{}");
    assert_string_equal(charm_text(charm_value_get(fake_juju_own(juju, "website:3"), "port")), "");
    fake_juju_free(juju);
}

/* ---- who may give ---- */

static enum charm_result give_anything(struct charm_run *run, const struct charm_row *row)
{
    charm_publish(run, "website", "hostname", "www");
    return CHARM_DONE;
}

static void a_row_of_a_hook_or_of_once_may_not_give(void **state)
{
    const struct charm_row hook_rows[] = {
        { .name = "started",
          .summary = "in start",
          .guards = CHARM_GUARDS({ CHARM_HOOK, CHARM_FLAGS("start") }),
          .run = give_anything },
        { 0 },
    };
    const struct charm_row once_rows[] = {
        { .name = "once",
          .summary = "once",
          .unless = CHARM_FLAGS("never.set"),
          .guards = CHARM_GUARDS({ CHARM_ONCE, NULL }),
          .run = give_anything },
        { 0 },
    };
    const struct charm_layer hooks = { .name = "hooks", .rows = hook_rows };
    const struct charm_layer once = { .name = "once", .rows = once_rows };
    struct fake_juju *juju = both();
    assert_int_equal(fake_juju_run(juju, CHARM_LAYERS(&hooks), "start"), CHARM_EINVAL);
    assert_contains(fake_juju_error(juju), "hooks.started: charm_publish: a row with a hook");
    assert_int_equal(fake_juju_run(juju, CHARM_LAYERS(&once), "start"), CHARM_EINVAL);
    assert_contains(fake_juju_error(juju), "once.once: charm_publish: a row with a hook");
    fake_juju_free(juju);
}

/* ---- the worst status ---- */

static enum charm_result say(struct charm_run *run, const struct charm_row *row)
{
    const char *const *words = row->data;
    charm_status(run, (enum charm_status_level)(words[0][0] - '0'), "%s", words[1]);
    return CHARM_LATER;
}

#define SAYS(level, text)                                                                          \
    .unless = CHARM_FLAGS("never.set"), .run = say, .data = (const char *const[])                  \
    {                                                                                              \
        level, text                                                                                \
    }

static void the_worst_status_is_shown_then_the_upper_layers_then_the_later_one(void **state)
{
    const struct charm_row base_rows[] = {
        { .name = "a", .summary = "a", SAYS("2", "base waits") },
        { .name = "b", .summary = "b", SAYS("0", "base is fine") },
        { 0 },
    };
    const struct charm_row top_rows[] = {
        { .name = "a", .summary = "a", SAYS("2", "top waits") },
        { .name = "b", .summary = "b", SAYS("2", "top waits more") },
        { 0 },
    };
    const struct charm_row blocked_rows[] = {
        { .name = "a", .summary = "a", SAYS("3", "base\nis blocked") },
        { 0 },
    };
    const struct charm_layer base = { .name = "base", .rows = base_rows };
    const struct charm_layer top = { .name = "top", .rows = top_rows };
    const struct charm_layer blocked = { .name = "blocked", .rows = blocked_rows };
    struct fake_juju *juju = both();
    fake_juju_live(juju, CHARM_LAYERS(&base, &top), "update-status");
    assert_true(fake_juju_called(juju, "status-set -- waiting top waits more"));
    fake_juju_live(juju, CHARM_LAYERS(&blocked, &base, &top), "update-status");
    assert_true(fake_juju_called(juju, "status-set -- blocked base is blocked"));
    fake_juju_free(juju);
}

/* ---- how a row ended ---- */

static enum charm_result look_at_rows(struct charm_run *run, const struct charm_output *output)
{
    const char *const *unmet = NULL;
    assert_int_equal(charm_row_outcome(run, "upper.nobody", &unmet), CHARM_OUTCOME_UNKNOWN);
    assert_int_equal(charm_row_outcome(run, "upper.first", NULL), CHARM_OUTCOME_LATER);
    assert_int_equal(charm_row_outcome(run, "upper.second", NULL), CHARM_OUTCOME_DONE);
    assert_int_equal(charm_row_outcome(run, "upper.third", &unmet), CHARM_OUTCOME_BLOCKED);
    assert_string_equal(unmet[0], "config.set.hostname");
    assert_null(unmet[1]);
    charm_status(run, CHARM_ACTIVE, "looked");
    return CHARM_DONE;
}

static void an_output_learns_how_rows_ended_and_what_stopped_them(void **state)
{
    const struct charm_output looking[] = { { "look", "looks", look_at_rows }, { 0 } };
    const struct charm_layer looker = { .name = "looker", .outputs = looking };
    struct fake_juju *juju = both();
    first_ends = CHARM_LATER;
    fake_juju_live(juju, CHARM_LAYERS(&upper, &looker), "update-status");
    assert_true(fake_juju_called(juju, "status-set -- active looked"));
    fake_juju_free(juju);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_rows_give_is_published_together),
        cmocka_unit_test(of_two_rows_that_give_one_key_the_later_in_the_table_counts),
        cmocka_unit_test(what_a_row_gave_falls_away_when_its_guards_do_not_hold),
        cmocka_unit_test(later_keeps_the_output_as_it_was),
        cmocka_unit_test(a_row_of_an_upper_layer_that_never_ended_well_holds_too),
        cmocka_unit_test(a_row_that_ended_well_without_giving_holds_nothing),
        cmocka_unit_test(later_holds_the_rows_own_keys_and_no_others),
        cmocka_unit_test(what_a_row_gave_is_held_while_its_guard_cannot_be_known),
        cmocka_unit_test(what_is_known_to_be_over_falls_away_whatever_else_is_unknown),
        cmocka_unit_test(a_row_of_a_hook_or_of_once_may_not_give),
        cmocka_unit_test(the_worst_status_is_shown_then_the_upper_layers_then_the_later_one),
        cmocka_unit_test(an_output_learns_how_rows_ended_and_what_stopped_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
