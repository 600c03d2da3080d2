/* Whole runs: flags that are computed from facts, and what is remembered of what was seen. */
#include "tests.h"

#include "base/text.h"
#include "fake_juju.h"

/* Watches every flag that these tests ask for, and says in a trace which are up. */

static const char *const watched[] = {
    "config.set.hostname",
    "config.set.workers",
    "config.default.hostname",
    "config.default.workers",
    "config.default.api-token",
    "config.changed",
    "config.changed.hostname",
    "config.changed.workers",
    "config.changed.api-token",
    CHARM_IS_LEADER,
    CHARM_APP_STATE,
    "endpoint.kafka.joined",
    "endpoint.kafka.departed",
    "endpoint.kafka.changed",
    "endpoint.kafka.changed.port",
    "kafka.ready",
    "kafka.new-status",
    NULL,
};

static enum charm_result look(struct charm_run *run, const struct charm_row *row)
{
    const char *all = "";
    for (const char *const *flag = watched; *flag != NULL; flag++) {
        if (charm_flag_is_set(run, *flag)) {
            all = charm_arena_printf(charm_arena(run), "%s %s", all, *flag);
        }
    }
    charm_trace(run, "seen%s%s;", all,
                charm_endpoint_unknown(run, "kafka") ? " kafka-unknown" : "");
    return CHARM_DONE;
}

static enum charm_result put_down(struct charm_run *run, const struct charm_row *row)
{
    charm_flag_clear(run, "kafka.new-status");
    return CHARM_DONE;
}

static void derive_kafka(struct charm_run *run, const struct charm_derivation *derivation)
{
    if (charm_remote(run, "kafka", "port") != NULL) {
        charm_derive(run, "kafka.ready");
    }
    if (charm_flag_is_set(run, "endpoint.kafka.changed.port")) {
        charm_derive(run, "kafka.new-status");
    }
}

static const struct charm_row rows[] = {
    { .name = "look",
      .summary = "looks",
      .guards = CHARM_GUARDS({ CHARM_WHEN_NOT_ALL, watched }),
      .run = look },
    { .name = "down",
      .summary = "puts an edge down",
      .when = CHARM_FLAGS("kafka.new-status"),
      .clears = CHARM_FLAGS("kafka.new-status"),
      .run = put_down },
    { 0 },
};
static const struct charm_derivation derivations[] = {
    { .name = "kafka",
      .summary = "is there a port",
      .flags = CHARM_FLAGS("kafka.ready"),
      .edges = CHARM_FLAGS("kafka.new-status"),
      .derive = derive_kafka },
    { 0 },
};
static const struct charm_layer layer = { .name = "site",
                                          .rows = rows,
                                          .derivations = derivations };
#define SITE CHARM_LAYERS(&layer)

static struct fake_juju *site(void)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_option(juju, "trace", charm_value_new_bool(fake_juju_arena(juju), true));
    return juju;
}

/* What was up in iteration 0 of the last run. */
static const char *seen(struct fake_juju *juju)
{
    const char *story = fake_juju_story(juju);
    const char *start = strstr(story, "seen");
    assert_non_null(start);
    start += strlen("seen");
    return charm_arena_copy_n(fake_juju_arena(juju), start, strcspn(start, ";"));
}

static bool up(struct fake_juju *juju, const char *flag)
{
    struct charmi_words words = charmi_split(fake_juju_arena(juju), seen(juju), " ");
    return charmi_words_have(&words, flag);
}

static void in_the_first_hook_every_option_is_changed(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_live(juju, SITE, "install");
    assert_string_equal(seen(juju),
                        " config.set.workers config.default.hostname config.default.workers "
                        "config.default.api-token config.changed config.changed.hostname "
                        "config.changed.workers config.changed.api-token");
    fake_juju_free(juju);
}

static void an_option_is_changed_once(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_live(juju, SITE, "install");
    fake_juju_live(juju, SITE, "config-changed");
    assert_false(up(juju, "config.changed"));
    fake_juju_option_text(juju, "hostname", "www");
    fake_juju_live(juju, SITE, "config-changed");
    assert_true(up(juju, "config.changed.hostname"));
    assert_true(up(juju, "config.set.hostname"));
    assert_false(up(juju, "config.default.hostname"));
    assert_false(up(juju, "config.changed.workers"));
    fake_juju_live(juju, SITE, "config-changed");
    assert_false(up(juju, "config.changed"));
    fake_juju_free(juju);
}

static void a_change_that_was_not_committed_is_seen_again(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_live(juju, SITE, "install");
    fake_juju_option_text(juju, "hostname", "www");
    assert_int_equal(fake_juju_run(juju, SITE, "config-changed"), 0);
    fake_juju_commit(juju, FAKE_COMMIT_NOTHING);
    fake_juju_live(juju, SITE, "config-changed");
    assert_true(up(juju, "config.changed.hostname"));
    fake_juju_free(juju);
}

static void zero_false_and_empty_are_not_set(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_option(juju, "workers", charm_value_new_int(fake_juju_arena(juju), 0));
    fake_juju_option_text(juju, "hostname", "");
    fake_juju_live(juju, SITE, "install");
    assert_false(up(juju, "config.set.workers"));
    assert_false(up(juju, "config.set.hostname"));
    assert_false(up(juju, "config.default.workers"));
    fake_juju_free(juju);
}

static void joined_is_at_least_one_unit_on_any_relation(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_relate(juju, "kafka:1");
    fake_juju_relate(juju, "kafka:2");
    fake_juju_live(juju, SITE, "kafka-relation-created");
    assert_false(up(juju, "endpoint.kafka.joined"));
    fake_juju_unit(juju, "kafka:2", "kafka/0", "private-address", "10.0.0.10");
    fake_juju_live(juju, SITE, "kafka-relation-joined");
    assert_true(up(juju, "endpoint.kafka.joined"));
    assert_true(up(juju, "endpoint.kafka.changed"));
    assert_false(up(juju, "endpoint.kafka.changed.port"));
    fake_juju_free(juju);
}

static void data_is_compared_in_the_endpoints_own_hooks(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_relate(juju, "kafka:1");
    fake_juju_unit(juju, "kafka:1", "kafka/0", "port", "9092");
    fake_juju_live(juju, SITE, "update-status");
    assert_true(up(juju, "endpoint.kafka.changed.port")); /* not joined before: any hook */
    fake_juju_unit(juju, "kafka:1", "kafka/0", "port", "9093");
    fake_juju_live(juju, SITE, "update-status");
    assert_false(up(juju, "endpoint.kafka.changed.port"));
    fake_juju_live(juju, SITE, "kafka-relation-changed");
    assert_true(up(juju, "endpoint.kafka.changed.port"));
    fake_juju_live(juju, SITE, "kafka-relation-changed");
    assert_false(up(juju, "endpoint.kafka.changed"));
    fake_juju_free(juju);
}

static void values_are_compared_decoded(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_relate(juju, "kafka:1");
    fake_juju_unit(juju, "kafka:1", "kafka/0", "port", "{\"a\":1}");
    fake_juju_live(juju, SITE, "kafka-relation-changed");
    fake_juju_unit(juju, "kafka:1", "kafka/0", "port", "{ \"a\" : 1 }");
    fake_juju_live(juju, SITE, "kafka-relation-changed");
    assert_false(up(juju, "endpoint.kafka.changed.port"));
    fake_juju_unit(juju, "kafka:1", "kafka/0", "port", "{\"a\":\"1\"}");
    fake_juju_live(juju, SITE, "kafka-relation-changed");
    assert_true(up(juju, "endpoint.kafka.changed.port"));
    fake_juju_free(juju);
}

static void departed_stays_until_something_is_joined_again(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_relate(juju, "kafka:1");
    fake_juju_unit(juju, "kafka:1", "kafka/0", "port", "9092");
    fake_juju_live(juju, SITE, "kafka-relation-changed");
    fake_juju_depart(juju, "kafka:1", "kafka/0");
    fake_juju_live(juju, SITE, "kafka-relation-departed");
    assert_true(up(juju, "endpoint.kafka.departed"));
    assert_false(up(juju, "endpoint.kafka.joined"));
    fake_juju_live(juju, SITE, "update-status");
    assert_true(up(juju, "endpoint.kafka.departed"));
    fake_juju_unit(juju, "kafka:1", "kafka/0", "port", "9092");
    fake_juju_live(juju, SITE, "kafka-relation-joined");
    assert_false(up(juju, "endpoint.kafka.departed"));
    assert_false(up(juju, "endpoint.kafka.changed")); /* same unit, same data (P31) */
    fake_juju_free(juju);
}

static void a_new_relation_id_is_new_data(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_relate(juju, "kafka:1");
    fake_juju_unit(juju, "kafka:1", "kafka/0", "port", "9092");
    fake_juju_live(juju, SITE, "kafka-relation-changed");
    fake_juju_unrelate(juju, "kafka:1");
    fake_juju_live(juju, SITE, "kafka-relation-broken");
    assert_lacks(charm_text(charm_value_get(fake_juju_state(juju), "charm/1")), "kafka:1");
    fake_juju_relate(juju, "kafka:2");
    fake_juju_unit(juju, "kafka:2", "kafka/0", "port", "9092");
    fake_juju_live(juju, SITE, "kafka-relation-joined");
    assert_true(up(juju, "endpoint.kafka.changed.port"));
    fake_juju_free(juju);
}

static void remembered_data_is_neither_readable_nor_guessable(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_relate(juju, "kafka:1");
    fake_juju_unit(juju, "kafka:1", "kafka/0", "password", "hunter22");
    fake_juju_live(juju, SITE, "kafka-relation-changed");
    const char *text = charm_text(charm_value_get(fake_juju_state(juju), "charm/1"));
    assert_contains(text, "\"password\":\"");
    assert_lacks(text, "hunter22");
    /* sha256 of the decoded value's JSON without salt */
    assert_lacks(text, "22a92b0bc8c7854284b5cf2959e91fb9edc29caeda5c19a4f649260678ce6c71");
    assert_contains(text, "\"salt\":\"");
    fake_juju_free(juju);
}

static void layers_derive_after_the_engine_and_edges_may_be_put_down(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_relate(juju, "kafka:1");
    fake_juju_unit(juju, "kafka:1", "kafka/0", "port", "9092");
    fake_juju_live(juju, SITE, "kafka-relation-changed");
    assert_true(up(juju, "kafka.ready"));
    assert_true(up(juju, "kafka.new-status"));
    assert_contains(fake_juju_story(juju), "flag kafka.new-status cleared by site.down");
    fake_juju_live(juju, SITE, "update-status");
    assert_true(up(juju, "kafka.ready"));
    assert_false(up(juju, "kafka.new-status"));
    fake_juju_free(juju);
}

static enum charm_result ask_joined(struct charm_run *run, const struct charm_row *row)
{
    assert_int_equal(charm_flag_is_set(run, "endpoint.kubernetes.joined"), row->data != NULL);
    return CHARM_DONE;
}

static void flags_that_nobody_watches_cost_no_call_until_somebody_asks(void **state)
{
    struct fake_juju *juju = site();
    const struct charm_row asking_rows[] = {
        { .name = "ask",
          .summary = "asks",
          .when = CHARM_FLAGS("config.set.workers"),
          .run = ask_joined },
        { 0 },
    };
    const struct charm_layer asking = { .name = "asking", .rows = asking_rows };
    fake_juju_relate(juju, "kubernetes:2");
    fake_juju_live(juju, CHARM_LAYERS(&asking), "update-status");
    assert_true(fake_juju_called(juju, "relation-list -r kubernetes:2"));
    assert_false(fake_juju_called(juju, "relation-ids kafka"));
    assert_false(fake_juju_called(juju, "is-leader"));
    fake_juju_free(juju);
}

static enum charm_result ask_kafka(struct charm_run *run, const struct charm_row *row)
{
    const bool *wanted = row->data;
    if (*wanted) {
        assert_true(charm_flag_is_set(run, "kafka.ready"));
        assert_true(charm_flag_is_set(run, "kafka.ready"));
    }
    return CHARM_DONE;
}

static void a_derivation_that_nobody_waits_for_is_asked_when_somebody_asks(void **state)
{
    bool wanted = false;
    const struct charm_row asking_rows[] = {
        { .name = "ask",
          .summary = "asks",
          .when = CHARM_FLAGS("config.set.workers"),
          .run = ask_kafka,
          .data = &wanted },
        { 0 },
    };
    const struct charm_layer asking = { .name = "asking",
                                        .rows = asking_rows,
                                        .derivations = derivations };
    struct fake_juju *juju = site();
    fake_juju_relate(juju, "kafka:1");
    fake_juju_unit(juju, "kafka:1", "kafka/0", "port", "9092");
    fake_juju_live(juju, CHARM_LAYERS(&asking), "update-status");
    assert_false(fake_juju_called(juju, "relation-ids kafka"));
    wanted = true;
    fake_juju_live(juju, CHARM_LAYERS(&asking), "update-status");
    assert_true(fake_juju_called(juju, "relation-get -r kafka:1 - kafka/0"));
    fake_juju_free(juju);
}

static void derive_too_much(struct charm_run *run, const struct charm_derivation *derivation)
{
    charm_derive(run, "kafka.other");
}

static void a_derivation_may_derive_only_what_it_lists(void **state)
{
    const struct charm_derivation bad_derivations[] = {
        { .name = "bad",
          .summary = "too much",
          .flags = CHARM_FLAGS("kafka.ready"),
          .edges = CHARM_FLAGS("kafka.new-status"),
          .derive = derive_too_much },
        { 0 },
    };
    const struct charm_layer bad = { .name = "bad", .rows = rows, .derivations = bad_derivations };
    struct fake_juju *juju = site();
    assert_int_equal(fake_juju_run(juju, CHARM_LAYERS(&bad), "install"), CHARM_EINVAL);
    assert_contains(fake_juju_error(juju), "kafka.other");
    fake_juju_free(juju);
}

static void a_relation_refused_in_three_runs_is_gone_and_comes_back_when_it_answers(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_relate(juju, "kafka:1");
    fake_juju_unit(juju, "kafka:1", "kafka/0", "port", "9092");
    fake_juju_live(juju, SITE, "kafka-relation-changed");
    fake_juju_refuse(juju, "relation-list -r kafka:1", "ERROR relation not found");
    fake_juju_live(juju, SITE, "update-status");
    fake_juju_live(juju, SITE, "update-status");
    assert_true(up(juju, "kafka-unknown"));
    assert_contains(charm_text(charm_value_get(fake_juju_state(juju), "charm/1")),
                    "\"refused\":{\"kafka:1\":2}");
    fake_juju_live(juju, SITE, "update-status");
    assert_false(up(juju, "kafka-unknown"));
    fake_juju_live(juju, SITE, "update-status");
    assert_contains(charm_text(charm_value_get(fake_juju_state(juju), "charm/1")),
                    "\"refused\":{\"kafka:1\":3}");
    fake_juju_refuse(juju, "relation-list -r kafka:1", NULL);
    fake_juju_live(juju, SITE, "update-status");
    assert_true(up(juju, "endpoint.kafka.joined"));
    assert_contains(charm_text(charm_value_get(fake_juju_state(juju), "charm/1")),
                    "\"refused\":{}");
    fake_juju_free(juju);
}

/* ---- triggers on levels ---- */

static void a_trigger_on_a_level_fires_on_the_difference_to_the_last_committed_run(void **state)
{
    static const struct charm_trigger triggers[] = {
        { .when_not = "endpoint.kafka.joined", .sets = "site.lost" },
        { 0 },
    };
    const struct charm_layer losing = {
        .name = "losing", .rows = rows, .triggers = triggers, .derivations = derivations
    };
    struct fake_juju *juju = site();
    fake_juju_live(juju, CHARM_LAYERS(&losing), "install");
    assert_lacks(fake_juju_story(juju), "site.lost");
    fake_juju_relate(juju, "kafka:1");
    fake_juju_unit(juju, "kafka:1", "kafka/0", "port", "9092");
    fake_juju_live(juju, CHARM_LAYERS(&losing), "kafka-relation-joined");
    fake_juju_depart(juju, "kafka:1", "kafka/0");
    fake_juju_live(juju, CHARM_LAYERS(&losing), "kafka-relation-departed");
    assert_contains(charm_text(charm_value_get(fake_juju_state(juju), "charm/1")),
                    "\"flags\":[\"site.lost\"]");
    assert_contains(fake_juju_story(juju),
                    "flag site.lost set, triggered by endpoint.kafka.joined");
    fake_juju_free(juju);
}

static void a_trigger_on_a_level_does_not_fire_because_a_read_was_refused(void **state)
{
    static const struct charm_trigger triggers[] = {
        { .when_not = "endpoint.kafka.joined", .sets = "site.lost" },
        { 0 },
    };
    const struct charm_layer losing = {
        .name = "losing", .rows = rows, .triggers = triggers, .derivations = derivations
    };
    struct fake_juju *juju = site();
    fake_juju_relate(juju, "kafka:1");
    fake_juju_unit(juju, "kafka:1", "kafka/0", "port", "9092");
    fake_juju_live(juju, CHARM_LAYERS(&losing), "kafka-relation-joined");
    fake_juju_refuse(juju, "relation-list -r kafka:1", "ERROR permission denied");
    fake_juju_live(juju, CHARM_LAYERS(&losing), "update-status");
    assert_lacks(fake_juju_story(juju), "site.lost");
    fake_juju_refuse(juju, "relation-list -r kafka:1", NULL);
    fake_juju_live(juju, CHARM_LAYERS(&losing), "update-status");
    assert_lacks(fake_juju_story(juju), "site.lost");
    fake_juju_refuse(juju, "relation-list -r kafka:1", "ERROR permission denied");
    fake_juju_live(juju, CHARM_LAYERS(&losing), "update-status");
    fake_juju_refuse(juju, "relation-list -r kafka:1", NULL);
    fake_juju_depart(juju, "kafka:1", "kafka/0");
    fake_juju_live(juju, CHARM_LAYERS(&losing), "kafka-relation-departed");
    assert_contains(fake_juju_story(juju),
                    "flag site.lost set, triggered by endpoint.kafka.joined");
    fake_juju_free(juju);
}

static void data_that_could_not_be_read_at_first_is_a_change_when_it_can(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_relate(juju, "kafka:1");
    fake_juju_unit(juju, "kafka:1", "kafka/0", "port", "9092");
    fake_juju_refuse(juju, "relation-get -r kafka:1", "ERROR permission denied");
    fake_juju_live(juju, SITE, "kafka-relation-joined");
    assert_false(up(juju, "endpoint.kafka.changed"));
    fake_juju_refuse(juju, "relation-get -r kafka:1", NULL);
    fake_juju_live(juju, SITE, "update-status");
    assert_true(up(juju, "endpoint.kafka.changed.port"));
    fake_juju_live(juju, SITE, "update-status");
    assert_false(up(juju, "endpoint.kafka.changed"));
    fake_juju_free(juju);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_the_first_hook_every_option_is_changed),
        cmocka_unit_test(an_option_is_changed_once),
        cmocka_unit_test(a_change_that_was_not_committed_is_seen_again),
        cmocka_unit_test(zero_false_and_empty_are_not_set),
        cmocka_unit_test(joined_is_at_least_one_unit_on_any_relation),
        cmocka_unit_test(data_is_compared_in_the_endpoints_own_hooks),
        cmocka_unit_test(values_are_compared_decoded),
        cmocka_unit_test(departed_stays_until_something_is_joined_again),
        cmocka_unit_test(a_new_relation_id_is_new_data),
        cmocka_unit_test(remembered_data_is_neither_readable_nor_guessable),
        cmocka_unit_test(layers_derive_after_the_engine_and_edges_may_be_put_down),
        cmocka_unit_test(flags_that_nobody_watches_cost_no_call_until_somebody_asks),
        cmocka_unit_test(a_derivation_that_nobody_waits_for_is_asked_when_somebody_asks),
        cmocka_unit_test(a_derivation_may_derive_only_what_it_lists),
        cmocka_unit_test(a_relation_refused_in_three_runs_is_gone_and_comes_back_when_it_answers),
        cmocka_unit_test(a_trigger_on_a_level_fires_on_the_difference_to_the_last_committed_run),
        cmocka_unit_test(a_trigger_on_a_level_does_not_fire_because_a_read_was_refused),
        cmocka_unit_test(data_that_could_not_be_read_at_first_is_a_change_when_it_can),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
