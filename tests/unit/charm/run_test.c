/* Whole runs of a small charm on a Juju of values: what is read, what is told, what is refused. */
#include "tests.h"

#include "base/text.h"
#include "fake_juju.h"

/* ---- a charm of the size of the demo's ---- */

static enum charm_result give_request(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    const struct charm_value *port = charm_remote(run, "kafka", "port");
    if (port == NULL) {
        return CHARM_LATER;
    }
    charm_publish(run, "kubernetes", "request", charm_text(port));
    return CHARM_DONE;
}

static enum charm_result give_address(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    charm_publish(run, "website", "hostname",
                  charm_text(charm_remote(run, "kubernetes", "workers")));
    return CHARM_DONE;
}

static enum charm_result say_status(struct charm_run *run, const struct charm_output *output)
{
    (void)output;
    bool two_ways = charm_relations(run, "kafka-client")[0] != NULL;
    bool others = charm_other_publishers(run, "kubernetes")[0] != NULL;
    charm_status(run, two_ways || others ? CHARM_BLOCKED : CHARM_ACTIVE, "%lld workers",
                 (long long)charm_config_int(run, "workers"));
    charm_workload_version(run, "4.0.0");
    return CHARM_DONE;
}

static const struct charm_row demo_rows[] = {
    { .name = "request",
      .summary = "ask for workers",
      .when = CHARM_FLAGS("endpoint.kafka.joined", CHARM_IS_LEADER, CHARM_APP_STATE),
      .run = give_request },
    { .name = "address",
      .summary = "tell the website",
      .when = CHARM_FLAGS("endpoint.kubernetes.joined", CHARM_IS_LEADER),
      .unless = CHARM_FLAGS("config.set.hostname"),
      .run = give_address },
    { 0 },
};
static const struct charm_output demo_outputs[] = {
    { "status", "one line", say_status },
    { 0 },
};
static const struct charm_layer demo = { .name = "demo",
                                         .rows = demo_rows,
                                         .outputs = demo_outputs };
#define DEMO CHARM_LAYERS(&demo)

static struct fake_juju *demo_life(void)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_leader(juju, true);
    fake_juju_relate(juju, "peer:0");
    fake_juju_relate(juju, "kafka:1");
    fake_juju_relate(juju, "kubernetes:2");
    fake_juju_relate(juju, "website:3");
    fake_juju_unit(juju, "kafka:1", "kafka/0", "port", "9092");
    fake_juju_unit(juju, "kubernetes:2", "deployer/0", "workers", "10.0.0.31");
    fake_juju_unit(juju, "website:3", "proxy/0", "private-address", "10.0.0.9");
    return juju;
}

static void a_steady_run_makes_these_thirteen_calls_and_no_others(void **state)
{
    struct fake_juju *juju = demo_life();
    fake_juju_live(juju, DEMO, "config-changed");
    fake_juju_live(juju, DEMO, "update-status");
    fake_juju_live(juju, DEMO, "update-status");
    assert_string_equal(fake_juju_calls(juju), "state-get\n"
                                               "relation-ids peer\n"
                                               "relation-get -r peer:0 --app - connect\n"
                                               "is-leader\n"
                                               "config-get --all\n"
                                               "relation-ids kafka\n"
                                               "relation-list -r kafka:1\n"
                                               "relation-ids kubernetes\n"
                                               "relation-list -r kubernetes:2\n"
                                               "relation-get -r kafka:1 - kafka/0\n"
                                               "relation-get -r kubernetes:2 - deployer/0\n"
                                               "relation-ids kafka-client\n"
                                               "relation-ids website\n");
    fake_juju_free(juju);
}

/* connect/1 led before; now connect/0 does. */
static struct fake_juju *second_term(void)
{
    struct fake_juju *juju = demo_life();
    charm_value_set_text(fake_juju_app(juju, "peer:0"), "leader",
                         "{\"term\":1,\"unit\":\"connect/1\"}");
    fake_juju_live(juju, DEMO, "leader-elected");
    return juju;
}

static void in_later_terms_each_other_unit_of_the_application_costs_one_relation_get(void **state)
{
    struct fake_juju *juju = second_term();
    fake_juju_live(juju, DEMO, "update-status");
    fake_juju_live(juju, DEMO, "update-status");
    assert_int_equal(fake_juju_call_count(juju), 14);
    assert_true(fake_juju_called(juju, "relation-list -r peer:0"));
    fake_juju_unit(juju, "peer:0", "connect/1", "private-address", "10.0.0.8");
    fake_juju_live(juju, DEMO, "update-status");
    assert_int_equal(fake_juju_call_count(juju), 15);
    assert_true(fake_juju_called(juju, "relation-get -r peer:0 - connect/1"));
    fake_juju_free(juju);
}

static void the_first_run_writes_relations_then_state_then_version_then_status(void **state)
{
    struct fake_juju *juju = demo_life();
    fake_juju_live(juju, DEMO, "config-changed");
    const char *calls = fake_juju_calls(juju);
    const char *writes = strstr(calls, "relation-set");
    assert_non_null(writes);
    assert_string_equal(writes, "relation-set -r kubernetes:2 --file -\n"
                                "relation-set -r peer:0 --file -\n"
                                "relation-set -r website:3 --file -\n"
                                "relation-set -r peer:0 --app --file -\n"
                                "state-set --file -\n"
                                "application-version-set -- 4.0.0\n"
                                "status-set -- active 1 workers\n");
    assert_string_equal(fake_juju_document(juju, "relation-set -r kubernetes:2"),
                        "{\"request\":\"9092\"}");
    assert_string_equal(fake_juju_document(juju, "relation-set -r peer:0 --app"),
                        "{\"leader\":\"{\\\"term\\\":1,\\\"unit\\\":\\\"connect/0\\\"}\"}");
    fake_juju_free(juju);
}

static const char *digests(struct fake_juju *juju)
{
    return charm_text(charm_value_get(fake_juju_own(juju, "peer:0"), "published-digests"));
}

static void a_unit_that_publishes_something_else_is_named(void **state)
{
    struct fake_juju *juju = second_term();
    fake_juju_unit(juju, "peer:0", "connect/1", "published-digests", "{\"kubernetes\":\"other\"}");
    fake_juju_live(juju, DEMO, "update-status");
    assert_true(fake_juju_called(juju, "status-set -- blocked"));
    fake_juju_unit(juju, "peer:0", "connect/1", "published-digests", digests(juju));
    fake_juju_live(juju, DEMO, "update-status");
    assert_true(fake_juju_called(juju, "status-set -- active"));
    fake_juju_free(juju);
}

static void what_others_publish_is_compared_with_what_this_run_publishes(void **state)
{
    struct fake_juju *juju = second_term();
    fake_juju_unit(juju, "peer:0", "connect/1", "published-digests", digests(juju));
    fake_juju_live(juju, DEMO, "update-status");
    assert_false(fake_juju_called(juju, "status-set -- blocked"));
    fake_juju_unit(juju, "kafka:1", "kafka/0", "port", "9093");
    fake_juju_live(juju, DEMO, "kafka-relation-changed");
    assert_true(fake_juju_called(juju, "status-set -- blocked"));
    fake_juju_free(juju);
}

static void only_the_endpoint_that_is_asked_for_is_compared(void **state)
{
    struct fake_juju *juju = second_term();
    struct charm_value *theirs = NULL;
    assert_int_equal(charm_value_parse(fake_juju_arena(juju), digests(juju), strlen(digests(juju)),
                                       &theirs, NULL),
                     0);
    charm_value_set_text(theirs, "website", "other");
    fake_juju_unit(juju, "peer:0", "connect/1", "published-digests",
                   charm_value_render(fake_juju_arena(juju), theirs, CHARM_JSON_SORTED));
    fake_juju_live(juju, DEMO, "update-status");
    assert_false(fake_juju_called(juju, "status-set -- blocked"));
    fake_juju_free(juju);
}

static void who_publishes_nothing_has_nobody_beside_it(void **state)
{
    struct fake_juju *juju = demo_life();
    charm_value_set_text(fake_juju_app(juju, "peer:0"), "leader",
                         "{\"term\":1,\"unit\":\"connect/1\"}");
    fake_juju_depart(juju, "kafka:1", "kafka/0");
    fake_juju_unit(juju, "peer:0", "connect/1", "published-digests", "{\"kubernetes\":\"other\"}");
    fake_juju_live(juju, DEMO, "leader-elected");
    assert_false(fake_juju_called(juju, "status-set -- blocked"));
    fake_juju_free(juju);
}

static void in_the_first_term_no_other_unit_is_asked(void **state)
{
    struct fake_juju *juju = demo_life();
    fake_juju_unit(juju, "peer:0", "connect/1", "published-digests", "{\"kubernetes\":\"other\"}");
    fake_juju_live(juju, DEMO, "config-changed");
    fake_juju_live(juju, DEMO, "update-status");
    assert_false(fake_juju_called(juju, "relation-list -r peer:0"));
    assert_false(fake_juju_called(juju, "relation-get -r peer:0 - connect/1"));
    fake_juju_free(juju);
}

static void the_story_tells_flags_rows_guards_effects_and_calls(void **state)
{
    struct fake_juju *juju = demo_life();
    fake_juju_option_text(juju, "hostname", "www");
    fake_juju_live(juju, DEMO, "config-changed");
    const char *story = fake_juju_story(juju);
    assert_contains(story, "config-changed on connect/0, leader, term 1: ");
    assert_contains(story, "  facts: kafka:1=kafka/0 kafka-client=none kubernetes:2=deployer/0 "
                           "peer:0\n");
    assert_contains(story, "derived: application-state.available config.set.hostname");
    assert_contains(story, "ran demo.request [0]: done");
    assert_contains(story, "not demo.address: ");
    assert_contains(story, "config.set.hostname");
    assert_contains(story, "effect kubernetes:2: request");
    assert_contains(story, "relation-get -r kafka:1 - kafka/0 1 ms");
    fake_juju_free(juju);
}

static void the_story_tells_what_was_refused_and_not_each_of_many_units(void **state)
{
    struct fake_juju *juju = demo_life();
    for (int i = 1; i < 12; i++) {
        const char *name = charm_arena_printf(fake_juju_arena(juju), "kafka/%d", i);
        fake_juju_unit(juju, "kafka:1", name, "port", "9092");
    }
    fake_juju_refuse(juju, "relation-list -r kubernetes:2", "permission denied");
    fake_juju_live(juju, DEMO, "config-changed");
    assert_contains(fake_juju_story(juju), " kafka:1=kafka/0,kafka/1,kafka/10,kafka/11,kafka/2,"
                                           "kafka/3,kafka/4,kafka/5,+4 ");
    assert_contains(fake_juju_story(juju), " kubernetes:2=refused ");
    fake_juju_free(juju);
}

static void option_trace_makes_the_story_longer(void **state)
{
    struct fake_juju *juju = demo_life();
    fake_juju_live(juju, DEMO, "config-changed");
    assert_lacks(fake_juju_story(juju), "flags at the end");
    fake_juju_option(juju, "trace", charm_value_new_bool(fake_juju_arena(juju), true));
    fake_juju_live(juju, DEMO, "config-changed");
    assert_contains(fake_juju_story(juju), "flags at the end");
    fake_juju_free(juju);
}

/* ---- small charms ---- */

typedef void behaviour_fn(struct charm_run *run);
struct behaviour {
    behaviour_fn *act;
    enum charm_result result;
};

static enum charm_result behave(struct charm_run *run, const struct charm_row *row)
{
    const struct behaviour *behaviour = row->data;
    if (behaviour->act != NULL) {
        behaviour->act(run);
    }
    return behaviour->result;
}

/* Runs a charm of one row that always runs; returns the result. */
static int run_one(struct fake_juju *juju, behaviour_fn *act, enum charm_result result)
{
    const struct behaviour behaviour = { act, result };
    const struct charm_row rows[] = {
        { .name = "only",
          .summary = "the only one",
          .unless = CHARM_FLAGS("never.set"),
          .sets = CHARM_FLAGS("declared"),
          .run = behave,
          .data = &behaviour },
        { 0 },
    };
    const struct charm_layer layer = { .name = "one", .rows = rows };
    return fake_juju_run(juju, CHARM_LAYERS(&layer), "config-changed");
}

static void assert_misuse(behaviour_fn *act, const char *message)
{
    struct fake_juju *juju = fake_juju_new();
    assert_int_equal(run_one(juju, act, CHARM_DONE), CHARM_EINVAL);
    assert_contains(fake_juju_error(juju), "one.only: ");
    assert_contains(fake_juju_error(juju), message);
    assert_false(fake_juju_called(juju, "state-set"));
    fake_juju_free(juju);
}

static void publish_nowhere(struct charm_run *run)
{
    charm_publish(run, "websight", "hostname", "x");
}

static void publish_without_key(struct charm_run *run)
{
    charm_publish(run, "website", "", "x");
}

static void set_undeclared(struct charm_run *run)
{
    charm_flag_set(run, "undeclared");
}

static void ask_unknown_option(struct charm_run *run)
{
    charm_config(run, "hostnam");
}

static void use_foreign_state(struct charm_run *run)
{
    charm_value_set_int(charm_state(run, "charm"), "x", 1);
}

static void derive_in_a_row(struct charm_run *run)
{
    charm_derive(run, "declared");
}

static void set_the_leader_key(struct charm_run *run)
{
    charm_app_set(run, "leader", NULL);
}

static void answer_an_action(struct charm_run *run)
{
    charm_action_set_text(run, "x", "y");
}

static void misuse_fails_the_run_and_names_row_and_key(void **state)
{
    assert_misuse(publish_nowhere, "no endpoint 'websight'");
    assert_misuse(publish_without_key, "'' is no key");
    assert_misuse(set_undeclared, "'undeclared'");
    assert_misuse(ask_unknown_option, "no option 'hostnam'");
    assert_misuse(use_foreign_state, "no layer 'charm'");
    assert_misuse(derive_in_a_row, "only derivations derive");
    assert_misuse(set_the_leader_key, "this key is the engine's");
    assert_misuse(answer_an_action, "this is no action");
}

static void app_set_by_another(struct charm_run *run)
{
    charm_app_set(run, "owned", charm_value_new_int(charm_arena(run), 1));
}

static void application_state_of_a_unit_that_is_not_the_leader_is_misuse(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_relate(juju, "peer:0");
    charm_value_set_text(fake_juju_app(juju, "peer:0"), "leader",
                         "{\"term\":4,\"unit\":\"connect/7\"}");
    assert_int_equal(run_one(juju, app_set_by_another, CHARM_DONE), CHARM_EINVAL);
    assert_contains(fake_juju_error(juju), "connect/7");
    fake_juju_free(juju);
}

static void say_why(struct charm_run *run)
{
    charm_publish(run, "website", "hostname", "x");
    charm_status(run, CHARM_ACTIVE, "fine");
    charm_fail(run, "the moon is %s", "full");
}

static void a_row_that_fails_leaves_nothing_behind(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_relate(juju, "website:1");
    assert_int_equal(run_one(juju, say_why, CHARM_FAILED), CHARM_EFAILED);
    assert_string_equal(fake_juju_error(juju), "one.only: the moon is full");
    assert_false(fake_juju_called(juju, "relation-set"));
    assert_false(fake_juju_called(juju, "state-set"));
    assert_false(fake_juju_called(juju, "status-set"));
    assert_contains(fake_juju_story(juju), "failed: one.only: the moon is full");
    fake_juju_free(juju);
}

static void a_tool_that_does_not_end_fails_the_run_and_is_named(void **state)
{
    struct fake_juju *juju = demo_life();
    fake_juju_refuse(juju, "relation-get -r kafka:1", "timeout");
    assert_int_equal(fake_juju_run(juju, DEMO, "config-changed"), CHARM_ETIMEOUT);
    assert_string_equal(fake_juju_error(juju), "relation-get -r kafka:1 - kafka/0: it did not end");
    assert_false(fake_juju_called(juju, "state-set"));
    fake_juju_free(juju);
}

static void a_refused_state_fails_the_run_with_the_tools_words(void **state)
{
    struct fake_juju *juju = demo_life();
    fake_juju_refuse(juju, "state-get", "ERROR no state today");
    assert_int_equal(fake_juju_run(juju, DEMO, "config-changed"), CHARM_EREFUSED);
    assert_string_equal(fake_juju_error(juju), "state-get: exit code 1: ERROR no state today");
    fake_juju_free(juju);
}

static void leadership_that_cannot_be_known_fails_the_run(void **state)
{
    struct fake_juju *juju = demo_life();
    fake_juju_refuse(juju, "is-leader", "ERROR leadership status unknown");
    assert_int_equal(fake_juju_run(juju, DEMO, "config-changed"), CHARM_EREFUSED);
    assert_contains(fake_juju_error(juju), "leadership status unknown");
    fake_juju_free(juju);
}

static void state_of_a_newer_charm_is_refused_and_not_overwritten(void **state)
{
    struct fake_juju *juju = demo_life();
    charm_value_set_text(fake_juju_state(juju), "demo/0",
                         "{\"chunks\":1,\"format\":2,\"sha256\":\"\"}");
    assert_int_equal(fake_juju_run(juju, DEMO, "config-changed"), CHARM_EREFUSED);
    assert_contains(fake_juju_error(juju), "a newer charm wrote it");
    assert_false(fake_juju_called(juju, "state-set"));
    fake_juju_free(juju);
}

static void wait_three_times(struct charm_run *run)
{
    assert_true(charm_wait_ms(run, 40000));
    assert_false(charm_wait_ms(run, 20001));
    assert_true(charm_wait_ms(run, 20000));
    assert_false(charm_wait_ms(run, 1));
}

static void a_run_waits_a_minute_in_all_and_no_longer(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    assert_int_equal(run_one(juju, wait_three_times, CHARM_DONE), 0);
    assert_int_equal(fake_juju_slept_ms(juju), 60000);
    fake_juju_free(juju);
}

static void ask_again(struct charm_run *run)
{
    assert_true(charm_still_leader(run));
    assert_true(charm_wait_ms(run, 21000));
    assert_true(charm_still_leader(run));
    assert_true(charm_still_leader(run));
}

static void leadership_is_asked_again_after_twenty_seconds(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_leader(juju, true);
    assert_int_equal(run_one(juju, ask_again, CHARM_DONE), 0);
    assert_string_equal(fake_juju_calls(juju),
                        "state-get\nrelation-ids peer\nconfig-get --all\nis-leader\nis-leader\n"
                        "state-set --file -\n");
    fake_juju_free(juju);
}

static void tell_a_secret(struct charm_run *run)
{
    charm_secret(run, "hunter22");
    charm_trace(run, "the password is hunter22");
    charm_status(run, CHARM_ACTIVE, "logged in with hunter22 and %s",
                 charm_config_text(run, "api-token"));
}

static void secrets_are_neither_in_the_status_nor_in_story_nor_in_records(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_option(juju, "trace", charm_value_new_bool(fake_juju_arena(juju), true));
    fake_juju_option_text(juju, "api-token", "t0ken-of-mine");
    assert_int_equal(run_one(juju, tell_a_secret, CHARM_DONE), 0);
    assert_true(fake_juju_called(juju, "status-set -- active logged in with *** and ***"));
    assert_contains(fake_juju_story(juju), "one.only: the password is ***");
    assert_lacks(fake_juju_story(juju), "t0ken");
    assert_contains(fake_juju_file(juju, ".charm/run-1.json"), "the password is ***");
    assert_lacks(fake_juju_file(juju, ".charm/run-1.json"), "hunter22");
    fake_juju_free(juju);
}

static void remember_a_secret(struct charm_run *run)
{
    charm_secret(run, "hunter22");
    charm_value_set_text(charm_state(run, "one"), "memo", "hunter22");
}

static void a_secret_in_a_layers_state_is_refused(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    assert_int_equal(run_one(juju, remember_a_secret, CHARM_DONE), CHARM_EINVAL);
    assert_string_equal(fake_juju_error(juju),
                        "save the state of 'one': the value of 'memo' is a secret");
    assert_false(fake_juju_called(juju, "state-set"));
    fake_juju_free(juju);
}

static void count_up(struct charm_run *run)
{
    struct charm_value *mine = charm_state(run, "one");
    charm_value_set_int(mine, "count", charm_value_int(charm_value_get(mine, "count"), 0) + 1);
    charm_flag_set(run, "declared");
}

static void state_and_flags_live_on_in_the_next_run(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    assert_int_equal(run_one(juju, count_up, CHARM_DONE), 0);
    fake_juju_commit(juju, FAKE_COMMIT_ALL);
    assert_int_equal(run_one(juju, count_up, CHARM_DONE), 0);
    fake_juju_commit(juju, FAKE_COMMIT_ALL);
    assert_string_equal(charm_text(charm_value_get(fake_juju_state(juju), "one/1")),
                        "{\"count\":2}");
    assert_contains(charm_text(charm_value_get(fake_juju_state(juju), "charm/1")),
                    "\"flags\":[\"declared\"]");
    fake_juju_free(juju);
}

/* ---- conformance cases 41, 43, 44: whole runs (reactive-framework.md, section 10) ---- */

static size_t times_in(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part)) {
        count++;
    }
    return count;
}

static enum charm_result do_nothing(struct charm_run *run, const struct charm_row *row)
{
    (void)run;
    (void)row;
    return CHARM_DONE;
}

static enum charm_result meter(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    charm_flag_set(run, "metered");
    return CHARM_DONE;
}

static enum charm_result meter_and_fail(struct charm_run *run, const struct charm_row *row)
{
    charm_fail(run, "the meter is broken");
    return meter(run, row) == CHARM_DONE ? CHARM_FAILED : CHARM_DONE;
}

static const struct charm_row life_rows[] = {
    { .name = "in-hook",
      .summary = "in its hook",
      .guards = CHARM_GUARDS({ CHARM_HOOK, CHARM_FLAGS("config-changed") }),
      .run = do_nothing },
    { .name = "flagged",
      .summary = "by a flag",
      .when = CHARM_FLAGS("config.set.workers"),
      .run = do_nothing },
    { .name = "meter",
      .summary = "in a restricted hook",
      .guards = CHARM_GUARDS({ CHARM_RESTRICTED, CHARM_FLAGS("meter-status-changed") }),
      .sets = CHARM_FLAGS("metered"),
      .run = meter },
    { 0 },
};
static const struct charm_row failing_rows[] = {
    { .name = "meter",
      .summary = "in a restricted hook",
      .guards = CHARM_GUARDS({ CHARM_RESTRICTED, CHARM_FLAGS("meter-status-changed") }),
      .sets = CHARM_FLAGS("metered"),
      .run = meter_and_fail },
    { 0 },
};
static const struct charm_layer life = { .name = "life", .rows = life_rows };
static const struct charm_layer failing_life = { .name = "life", .rows = failing_rows };

/* One line of the log is the story's first; facts are read once, before rows; one commit. */
static void case_41_a_hook_is_told_once_reads_once_dispatches_once_and_commits_once(void **state)
{
    (void)state;
    struct fake_juju *juju = fake_juju_new();
    assert_int_equal(fake_juju_run(juju, CHARM_LAYERS(&life), "config-changed"), 0);
    const char *story = fake_juju_story(juju);
    assert_true(charmi_starts_with(story, "config-changed on connect/0: "));
    assert_int_equal(times_in(story, "  ran "), 2);
    assert_true(strstr(story, "ran life.in-hook [hooks]") < strstr(story, "ran life.flagged [0]"));
    assert_int_equal(times_in(fake_juju_calls(juju), "state-get"), 1);
    assert_int_equal(times_in(fake_juju_calls(juju), "config-get"), 1);
    assert_int_equal(times_in(fake_juju_calls(juju), "state-set"), 1);
    fake_juju_free(juju);
}

static void case_43_meter_status_changed_reads_no_facts_is_restricted_and_commits_once(void **state)
{
    (void)state;
    struct fake_juju *juju = fake_juju_new();
    assert_int_equal(fake_juju_run(juju, CHARM_LAYERS(&life), "meter-status-changed"), 0);
    assert_string_equal(fake_juju_calls(juju), "state-get\nstate-set --file -\n");
    assert_true(charmi_starts_with(fake_juju_story(juju), "meter-status-changed on connect/0: "));
    assert_contains(fake_juju_story(juju), "ran life.meter [restricted]: done");
    assert_int_equal(times_in(fake_juju_story(juju), "  ran "), 1);
    fake_juju_commit(juju, FAKE_COMMIT_ALL);
    assert_contains(charm_text(charm_value_get(fake_juju_state(juju), "charm/1")), "metered");
    fake_juju_free(juju);
}

static void case_44_a_restricted_hook_that_fails_commits_nothing(void **state)
{
    (void)state;
    struct fake_juju *juju = fake_juju_new();
    assert_int_equal(fake_juju_run(juju, CHARM_LAYERS(&failing_life), "meter-status-changed"),
                     CHARM_EFAILED);
    assert_contains(fake_juju_error(juju), "the meter is broken");
    assert_string_equal(fake_juju_calls(juju), "state-get\n");
    fake_juju_free(juju);
}

static void an_exec_or_hand_context_is_refused_and_touches_nothing(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    struct charm_context *context = fake_juju_context(juju);
    context->kind = CHARM_KIND_EXEC;
    struct charm_run *run = charmi_run_new(&(struct charmi_run_input){
        .ports = fake_juju_ports(juju),
        .layers = DEMO,
        .context = context,
        .files = fake_juju_files(juju),
    });
    struct charm_error error = { 0 };
    assert_int_equal(charm_run(run, &error), CHARM_EINVAL);
    assert_contains(error.text, "only Juju's hooks and actions");
    assert_string_equal(charmi_run_story(run), "");
    assert_int_equal(fake_juju_call_count(juju), 0);
    charmi_run_free(run);
    fake_juju_free(juju);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_run_makes_these_thirteen_calls_and_no_others),
        cmocka_unit_test(in_later_terms_each_other_unit_of_the_application_costs_one_relation_get),
        cmocka_unit_test(the_first_run_writes_relations_then_state_then_version_then_status),
        cmocka_unit_test(a_unit_that_publishes_something_else_is_named),
        cmocka_unit_test(what_others_publish_is_compared_with_what_this_run_publishes),
        cmocka_unit_test(only_the_endpoint_that_is_asked_for_is_compared),
        cmocka_unit_test(who_publishes_nothing_has_nobody_beside_it),
        cmocka_unit_test(in_the_first_term_no_other_unit_is_asked),
        cmocka_unit_test(the_story_tells_flags_rows_guards_effects_and_calls),
        cmocka_unit_test(the_story_tells_what_was_refused_and_not_each_of_many_units),
        cmocka_unit_test(option_trace_makes_the_story_longer),
        cmocka_unit_test(misuse_fails_the_run_and_names_row_and_key),
        cmocka_unit_test(application_state_of_a_unit_that_is_not_the_leader_is_misuse),
        cmocka_unit_test(a_row_that_fails_leaves_nothing_behind),
        cmocka_unit_test(a_tool_that_does_not_end_fails_the_run_and_is_named),
        cmocka_unit_test(a_refused_state_fails_the_run_with_the_tools_words),
        cmocka_unit_test(leadership_that_cannot_be_known_fails_the_run),
        cmocka_unit_test(state_of_a_newer_charm_is_refused_and_not_overwritten),
        cmocka_unit_test(a_run_waits_a_minute_in_all_and_no_longer),
        cmocka_unit_test(leadership_is_asked_again_after_twenty_seconds),
        cmocka_unit_test(secrets_are_neither_in_the_status_nor_in_story_nor_in_records),
        cmocka_unit_test(a_secret_in_a_layers_state_is_refused),
        cmocka_unit_test(state_and_flags_live_on_in_the_next_run),
        cmocka_unit_test(case_41_a_hook_is_told_once_reads_once_dispatches_once_and_commits_once),
        cmocka_unit_test(
            case_43_meter_status_changed_reads_no_facts_is_restricted_and_commits_once),
        cmocka_unit_test(case_44_a_restricted_hook_that_fails_commits_nothing),
        cmocka_unit_test(an_exec_or_hand_context_is_refused_and_touches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
