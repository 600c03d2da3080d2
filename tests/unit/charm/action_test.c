/* Whole runs: actions, and the restricted hooks. */
#include "tests.h"

#include "fake_juju.h"

static enum charm_result greet(struct charm_run *run, const struct charm_row *row)
{
    const char *who = charm_text(charm_action_param(run, "who"));
    if (who[0] == '\0') {
        charm_action_fail(run, "who is to be greeted?");
        return CHARM_DONE;
    }
    charm_action_log(run, "greeting %s", who);
    charm_action_set_text(run, "summary", charm_arena_printf(charm_arena(run), "hello %s", who));
    struct charm_value *list = charm_value_new_list(charm_arena(run));
    charm_value_append_text(list, who);
    charm_action_set(run, "greeted.names", list);
    charm_flag_set(run, "site.greeted");
    charm_status(run, CHARM_ACTIVE, "not shown");
    return CHARM_DONE;
}

static enum charm_result count(struct charm_run *run, const struct charm_row *row)
{
    const enum charm_result *result = row->data;
    if (*result == CHARM_FAILED) {
        charm_fail(run, "no fingers");
    }
    if (*result == CHARM_DONE) {
        charm_app_set(run, "count", charm_value_new_int(charm_arena(run), 1));
    }
    return *result;
}

static enum charm_result greeted(struct charm_run *run, const struct charm_row *row)
{
    charm_publish(run, "website", "greeted", "yes");
    return CHARM_DONE;
}

static enum charm_result note(struct charm_run *run, const struct charm_row *row)
{
    charm_trace(run, "workers changed");
    return CHARM_DONE;
}

static enum charm_result measure(struct charm_run *run, const struct charm_row *row)
{
    charm_flag_set(run, "site.measured");
    return CHARM_DONE;
}

static enum charm_result count_ends;

static const struct charm_row rows[] = {
    { .name = "greet",
      .summary = "say hello",
      .guards = CHARM_GUARDS({ CHARM_ACTION, CHARM_FLAGS("greet") },
                             { CHARM_WHEN_NONE, CHARM_FLAGS("config.set.hostname") }),
      .sets = CHARM_FLAGS("site.greeted"),
      .run = greet },
    { .name = "count",
      .summary = "count",
      .guards = CHARM_GUARDS({ CHARM_ACTION, CHARM_FLAGS("count") }),
      .run = count,
      .data = &count_ends },
    { .name = "greeted",
      .summary = "tell the website",
      .when = CHARM_FLAGS("site.greeted"),
      .run = greeted },
    { .name = "changed",
      .summary = "notes another number of workers",
      .when = CHARM_FLAGS("config.changed.workers"),
      .run = note },
    { .name = "measure",
      .summary = "measure",
      .guards = CHARM_GUARDS({ CHARM_RESTRICTED, CHARM_FLAGS("collect-metrics") }),
      .sets = CHARM_FLAGS("site.measured"),
      .run = measure },
    { 0 },
};
static const struct charm_layer layer = { .name = "site", .rows = rows };
#define SITE CHARM_LAYERS(&layer)

static struct fake_juju *site(void)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_relate(juju, "website:3");
    fake_juju_relate(juju, "peer:0");
    return juju;
}

static void name(struct fake_juju *juju, const char *who)
{
    fake_juju_param(juju, "who", charm_value_new_text(fake_juju_arena(juju), who));
}

static const char *engine_state(struct fake_juju *juju)
{
    return charm_text(charm_value_get(fake_juju_state(juju), "charm/1"));
}

static void an_action_answers_and_its_flag_is_dispatched_by_the_next_hook(void **state)
{
    struct fake_juju *juju = site();
    name(juju, "world");
    assert_int_equal(fake_juju_action(juju, SITE, "greet"), 0);
    assert_contains(fake_juju_calls(juju), "action-get\naction-log -- greeting world\n");
    assert_contains(fake_juju_calls(juju),
                    "action-set summary=hello world greeted.names=[\"world\"]\n");
    assert_false(fake_juju_called(juju, "relation-set"));
    assert_false(fake_juju_called(juju, "status-set"));
    fake_juju_commit(juju, FAKE_COMMIT_ALL);
    assert_contains(engine_state(juju), "site.greeted");
    fake_juju_live(juju, SITE, "update-status");
    assert_true(fake_juju_called(juju, "relation-set -r website:3"));
    fake_juju_free(juju);
}

static void an_action_may_fail_in_words_and_the_charm_goes_on(void **state)
{
    struct fake_juju *juju = site();
    assert_int_equal(fake_juju_action(juju, SITE, "greet"), 0);
    assert_true(fake_juju_called(juju, "action-fail -- who is to be greeted?"));
    fake_juju_free(juju);
}

static void an_action_whose_guard_does_not_hold_fails_naming_it(void **state)
{
    struct fake_juju *juju = site();
    name(juju, "world");
    fake_juju_option_text(juju, "hostname", "www");
    assert_int_equal(fake_juju_action(juju, SITE, "greet"), 0);
    assert_contains(fake_juju_calls(juju), "action-fail -- ");
    assert_contains(fake_juju_calls(juju), "config.set.hostname");
    assert_false(fake_juju_called(juju, "action-set"));
    fake_juju_free(juju);
}

static void an_action_without_a_row_fails_in_words(void **state)
{
    struct fake_juju *juju = site();
    assert_int_equal(fake_juju_action(juju, SITE, "dance"), 0);
    assert_contains(fake_juju_calls(juju), "action-fail -- run the action 'dance': no row has it");
    fake_juju_free(juju);
}

static void an_action_of_the_leader_writes_application_state(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_leader(juju, true);
    count_ends = CHARM_DONE;
    assert_int_equal(fake_juju_action(juju, SITE, "count"), 0);
    assert_contains(fake_juju_document(juju, "relation-set -r peer:0 --app"), "\"count\":\"1\"");
    fake_juju_free(juju);
}

static void an_action_that_writes_application_state_elsewhere_fails_naming_the_leader(void **state)
{
    struct fake_juju *juju = site();
    charm_value_set_text(fake_juju_app(juju, "peer:0"), "leader",
                         "{\"term\":2,\"unit\":\"connect/1\"}");
    count_ends = CHARM_DONE;
    assert_int_equal(fake_juju_action(juju, SITE, "count"), CHARM_EINVAL);
    assert_contains(fake_juju_calls(juju), "action-fail -- site.count: ");
    assert_contains(fake_juju_calls(juju), "only the leader, connect/1 writes");
    assert_false(fake_juju_called(juju, "state-set"));
    fake_juju_free(juju);
}

static void an_action_that_ends_later_fails_for_now(void **state)
{
    struct fake_juju *juju = site();
    count_ends = CHARM_LATER;
    assert_int_equal(fake_juju_action(juju, SITE, "count"), 0);
    assert_true(fake_juju_called(juju, "action-fail -- it cannot be done now, try again later"));
    fake_juju_free(juju);
}

static void an_action_row_that_fails_fails_the_run_and_tells_juju_why(void **state)
{
    struct fake_juju *juju = site();
    count_ends = CHARM_FAILED;
    assert_int_equal(fake_juju_action(juju, SITE, "count"), CHARM_EFAILED);
    assert_string_equal(fake_juju_error(juju), "site.count: no fingers");
    assert_true(fake_juju_called(juju, "action-fail -- site.count: no fingers"));
    fake_juju_free(juju);
}

static void an_action_raises_no_edges_and_does_not_use_them_up(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_live(juju, SITE, "config-changed");
    fake_juju_option(juju, "workers", charm_value_new_int(fake_juju_arena(juju), 3));
    name(juju, "world");
    assert_int_equal(fake_juju_action(juju, SITE, "greet"), 0);
    fake_juju_commit(juju, FAKE_COMMIT_ALL);
    assert_lacks(fake_juju_story(juju), "config.changed");
    fake_juju_live(juju, SITE, "config-changed");
    assert_contains(fake_juju_story(juju), "ran site.changed");
    fake_juju_live(juju, SITE, "config-changed");
    assert_lacks(fake_juju_story(juju), "ran site.changed");
    fake_juju_free(juju);
}

static enum charm_result set_badly(struct charm_run *run, const struct charm_row *row)
{
    charm_action_set_text(run, row->data, "x");
    return CHARM_DONE;
}

static void result_keys_that_juju_would_refuse_are_misuse(void **state)
{
    static const char *const keys[] = { "Big", "a_b", "-a", "a-",     "a..b",
                                        ".a",  "a.",  "",   "stdout", "a.stderr" };
    struct fake_juju *juju = site();
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const struct charm_row bad_rows[] = {
            { .name = "bad",
              .summary = "bad key",
              .guards = CHARM_GUARDS({ CHARM_ACTION, CHARM_FLAGS("greet") }),
              .run = set_badly,
              .data = keys[i] },
            { 0 },
        };
        const struct charm_layer bad = { .name = "bad", .rows = bad_rows };
        assert_int_equal(fake_juju_action(juju, CHARM_LAYERS(&bad), "greet"), CHARM_EINVAL);
        assert_contains(fake_juju_error(juju), "Juju refuses the key");
    }
    fake_juju_free(juju);
}

static enum charm_result publish(struct charm_run *run, const struct charm_row *row)
{
    charm_publish(run, "website", "a", "b");
    return CHARM_DONE;
}

static void an_action_may_not_publish(void **state)
{
    const struct charm_row bad_rows[] = {
        { .name = "bad",
          .summary = "publishes",
          .guards = CHARM_GUARDS({ CHARM_ACTION, CHARM_FLAGS("greet") }),
          .run = publish },
        { 0 },
    };
    const struct charm_layer bad = { .name = "bad", .rows = bad_rows };
    struct fake_juju *juju = site();
    assert_int_equal(fake_juju_action(juju, CHARM_LAYERS(&bad), "greet"), CHARM_EINVAL);
    assert_contains(fake_juju_error(juju), "an action or restricted run gives nothing");
    fake_juju_free(juju);
}

/* ---- restricted hooks ---- */

static void a_restricted_run_reads_state_alone_and_keeps_its_flags(void **state)
{
    struct fake_juju *juju = site();
    assert_int_equal(fake_juju_run(juju, SITE, "collect-metrics"), 0);
    assert_string_equal(fake_juju_calls(juju), "state-get\nstate-set --file -\n");
    fake_juju_commit(juju, FAKE_COMMIT_ALL);
    assert_contains(engine_state(juju), "site.measured");
    fake_juju_free(juju);
}

static void a_restricted_run_that_may_not_read_state_saves_none(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_refuse(juju, "state-get", "ERROR restricted context");
    assert_int_equal(fake_juju_run(juju, SITE, "collect-metrics"), 0);
    assert_string_equal(fake_juju_calls(juju), "state-get\n");
    fake_juju_free(juju);
}

static enum charm_result read_config(struct charm_run *run, const struct charm_row *row)
{
    charm_config(run, "hostname");
    return CHARM_DONE;
}

static void facts_in_a_restricted_run_are_misuse(void **state)
{
    const struct charm_row bad_rows[] = {
        { .name = "bad",
          .summary = "reads",
          .guards = CHARM_GUARDS({ CHARM_RESTRICTED, CHARM_FLAGS("collect-metrics") }),
          .run = read_config },
        { 0 },
    };
    const struct charm_layer bad = { .name = "bad", .rows = bad_rows };
    struct fake_juju *juju = site();
    assert_int_equal(fake_juju_run(juju, CHARM_LAYERS(&bad), "collect-metrics"), CHARM_EINVAL);
    assert_contains(fake_juju_error(juju), "bad.bad: charm_config: a restricted run has no facts");
    fake_juju_free(juju);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_action_answers_and_its_flag_is_dispatched_by_the_next_hook),
        cmocka_unit_test(an_action_may_fail_in_words_and_the_charm_goes_on),
        cmocka_unit_test(an_action_whose_guard_does_not_hold_fails_naming_it),
        cmocka_unit_test(an_action_without_a_row_fails_in_words),
        cmocka_unit_test(an_action_of_the_leader_writes_application_state),
        cmocka_unit_test(an_action_that_writes_application_state_elsewhere_fails_naming_the_leader),
        cmocka_unit_test(an_action_that_ends_later_fails_for_now),
        cmocka_unit_test(an_action_row_that_fails_fails_the_run_and_tells_juju_why),
        cmocka_unit_test(an_action_raises_no_edges_and_does_not_use_them_up),
        cmocka_unit_test(result_keys_that_juju_would_refuse_are_misuse),
        cmocka_unit_test(an_action_may_not_publish),
        cmocka_unit_test(a_restricted_run_reads_state_alone_and_keeps_its_flags),
        cmocka_unit_test(a_restricted_run_that_may_not_read_state_saves_none),
        cmocka_unit_test(facts_in_a_restricted_run_are_misuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
