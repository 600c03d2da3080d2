/* A Kafka cluster as data: it answers as brokers do, and forgets and invents nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "lab/brokers.h"
#include "lab/yaml.h"

enum { TIMEOUT_MS = 8000 };

struct fixture {
    struct charm_arena *arena;
    struct lab_brokers *brokers;
    struct charm_value *settings;
    struct charm_error error;
};

static const char *const asked[] = { "a", NULL };

static int setup(void **state)
{
    struct charm_arena *arena = charm_arena_new();
    struct fixture *f = charm_arena_alloc(arena, sizeof(*f));
    f->arena = arena;
    f->brokers = lab_brokers_new(arena, "10.0.0.1", 9092);
    f->settings = charm_value_new_map(arena);
    charm_value_set_text(f->settings, "bootstrap.servers", "10.0.0.1:9092");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    charm_arena_free(((struct fixture *)*state)->arena);
    return 0;
}

static int set(struct fixture *f, const char *yaml)
{
    struct charm_value *what = NULL;
    assert_int_equal(lab_yaml_parse(f->arena, yaml, strlen(yaml), LAB_YAML_TYPED, &what, &f->error),
                     0);
    return lab_brokers_set(f->brokers, what, &f->error);
}

static int look(struct fixture *f, struct kcb_cluster_view *ret_view)
{
    return lab_brokers_look(f->brokers, f->arena, f->settings, asked, TIMEOUT_MS, ret_view,
                            &f->error);
}

static enum kcb_topic_presence presence(struct fixture *f)
{
    struct kcb_cluster_view view;
    assert_int_equal(look(f, &view), 0);
    assert_int_equal(view.topic_count, 1);
    return view.topics[0].presence;
}

/* Kafka's code for a wish for "a"; a failed call is its (negative) result less 1000. */
static int create(struct fixture *f, int partitions, int replication)
{
    const struct kcb_topic_spec spec = { "a", partitions, replication, "compact" };
    struct kcb_topic_result result = { 0 };
    const int code = lab_brokers_create(f->brokers, f->arena, f->settings, &spec, 1, TIMEOUT_MS,
                                        &result, &f->error);
    return code != 0 ? code - 1000 : result.code;
}

static void a_topic_that_is_made_is_seen_as_it_was_wished(void **state)
{
    struct fixture *f = *state;
    struct kcb_cluster_view view;
    assert_int_equal(presence(f), KCB_TOPIC_ABSENT);
    assert_int_equal(create(f, 50, 1), 0);
    assert_int_equal(look(f, &view), 0);
    assert_int_equal(view.topics[0].presence, KCB_TOPIC_PRESENT);
    assert_int_equal(view.topics[0].partitions, 50);
    assert_int_equal(view.topics[0].replication, 1);
    assert_string_equal(view.topics[0].cleanup_policy, "compact");
    assert_string_equal(view.topics[0].policy_error, "");
}

static void a_look_makes_no_topic(void **state)
{
    struct fixture *f = *state;
    presence(f);
    assert_int_equal(charm_value_size(lab_brokers_topics(f->brokers)), 0);
}

static void a_topic_that_is_there_is_not_made_again(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(set(f, "{topics: {a: 7}}"), 0);
    assert_int_equal(create(f, 50, 1), 36);
    struct kcb_cluster_view view;
    assert_int_equal(look(f, &view), 0);
    assert_int_equal(view.topics[0].partitions, 7);
}

static void reads_lag_writes(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(set(f, "{lag: 2}"), 0);
    assert_int_equal(create(f, 1, 1), 0);
    assert_int_equal(create(f, 1, 1), 36); /* writes do not lag */
    assert_int_equal(presence(f), KCB_TOPIC_ABSENT);
    assert_int_equal(presence(f), KCB_TOPIC_ABSENT);
    assert_int_equal(presence(f), KCB_TOPIC_PRESENT);
}

static void a_broker_that_is_down_does_not_answer_and_does_nothing(void **state)
{
    struct fixture *f = *state;
    struct kcb_cluster_view view = { .broker_count = 77 };
    assert_int_equal(set(f, "down"), 0);
    assert_int_equal(look(f, &view), CHARM_ENET);
    assert_int_equal(view.broker_count, 77);
    assert_non_null(strstr(f->error.text, "10.0.0.1:9092"));
    assert_int_equal(create(f, 1, 1), CHARM_ENET - 1000);
    assert_int_equal(set(f, "up"), 0);
    assert_int_equal(presence(f), KCB_TOPIC_ABSENT);
}

static void brokers_at_another_address_are_not_there(void **state)
{
    struct fixture *f = *state;
    struct kcb_cluster_view view;
    charm_value_set_text(f->settings, "bootstrap.servers", "10.0.0.9:9092");
    assert_int_equal(look(f, &view), CHARM_ENET);
    charm_value_set_text(f->settings, "bootstrap.servers", "10.0.0.9:9092,10.0.0.1:9092");
    assert_int_equal(look(f, &view), 0);
}

static void localhost_is_a_name_of_this_machine_and_of_no_other(void **state)
{
    struct fixture *f = *state;
    charm_value_set_text(f->settings, "bootstrap.servers", "localhost:9092");
    assert_int_equal(create(f, 1, 1), CHARM_ENET - 1000);
    f->brokers = lab_brokers_new(f->arena, "127.0.0.1", 9092);
    assert_int_equal(create(f, 1, 1), 0);
}

/* Before 4.x they serve old clients, and this is how those of before 0.11 say that they cannot describe settings. */
static void old_brokers_take_old_fetches_and_may_know_no_settings(void **state)
{
    struct fixture *f = *state;
    struct kcb_cluster_view view;
    assert_int_equal(look(f, &view), 0);
    assert_int_equal(view.fetch_min_version, 4);
    assert_int_equal(set(f, "{fetch: 0, topics: {a: {partitions: 1, policy: null}}}"), 0);
    assert_int_equal(look(f, &view), 0);
    assert_int_equal(view.fetch_min_version, 0);
    assert_null(view.topics[0].cleanup_policy);
    assert_non_null(strstr(view.topics[0].policy_error, "not supported by broker"));
}

static void brokers_vanish_in_the_middle(void **state)
{
    struct fixture *f = *state;
    struct kcb_cluster_view view;
    assert_int_equal(set(f, "{vanish-after: 1}"), 0);
    assert_int_equal(look(f, &view), 0);
    assert_int_equal(create(f, 1, 1), CHARM_ENET - 1000);
    assert_int_equal(look(f, &view), CHARM_ENET);
    assert_int_equal(set(f, "up"), 0);
    assert_int_equal(look(f, &view), 0);
    assert_int_equal(look(f, &view), 0);
}

static void only_brokers_that_are_up_are_listed_and_counted(void **state)
{
    struct fixture *f = *state;
    struct kcb_cluster_view view;
    assert_int_equal(set(f, "{brokers: 3, down: [2]}"), 0);
    assert_int_equal(look(f, &view), 0);
    assert_int_equal(view.broker_count, 2);
    assert_string_equal(view.brokers[0], "1=10.0.0.1:9092");
    assert_string_equal(view.brokers[1], "3=10.0.0.1:9094");
    assert_null(view.brokers[2]);
    assert_int_equal(create(f, 1, 3), 38);
    assert_int_equal(create(f, 1, 2), 0);
}

static void refusals_carry_kafka_s_codes(void **state)
{
    struct fixture *f = *state;
    struct kcb_cluster_view view;
    assert_int_equal(create(f, 0, 1), 37);
    assert_int_equal(set(f, "{create-error: 29}"), 0);
    assert_int_equal(create(f, 1, 1), 29);
    assert_int_equal(charm_value_size(lab_brokers_topics(f->brokers)), 0);
    assert_int_equal(set(f, "{look-error: 29}"), 0);
    assert_int_equal(look(f, &view), 0);
    assert_int_equal(view.topics[0].presence, KCB_TOPIC_UNKNOWN);
    assert_int_equal(view.topics[0].error_code, 29);
    assert_int_equal(set(f, "{credentials: refused}"), 0);
    assert_int_equal(look(f, &view), CHARM_EREFUSED);
}

static void a_policy_that_cannot_be_read_says_why(void **state)
{
    struct fixture *f = *state;
    struct kcb_cluster_view view;
    assert_int_equal(set(f, "{topics: {a: {partitions: 1, policy: null}}}"), 0);
    assert_int_equal(look(f, &view), 0);
    assert_int_equal(view.topics[0].presence, KCB_TOPIC_PRESENT);
    assert_null(view.topics[0].cleanup_policy);
    assert_true(view.topics[0].policy_error[0] != '\0');
}

static void a_bad_description_changes_nothing_and_is_named(void **state)
{
    static const char *const bad[] = { "sideways",           "{brokers: 0}",
                                       "{down: 1}",          "{lag: -1}",
                                       "{topics: [a]}",      "{credentials: maybe}",
                                       "{look-error: much}", "{topics: {b: 1}, colour: red}" };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        f->error.text[0] = '\0';
        assert_int_equal(set(f, bad[i]), CHARM_EINVAL);
        assert_true(charmi_starts_with(f->error.text, "kafka: "));
        assert_int_equal(charm_value_size(lab_brokers_topics(f->brokers)), 0);
    }
    assert_non_null(strstr(f->error.text, "colour"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_topic_that_is_made_is_seen_as_it_was_wished),
        TEST(a_look_makes_no_topic),
        TEST(a_topic_that_is_there_is_not_made_again),
        TEST(reads_lag_writes),
        TEST(a_broker_that_is_down_does_not_answer_and_does_nothing),
        TEST(brokers_at_another_address_are_not_there),
        TEST(localhost_is_a_name_of_this_machine_and_of_no_other),
        TEST(old_brokers_take_old_fetches_and_may_know_no_settings),
        TEST(brokers_vanish_in_the_middle),
        TEST(only_brokers_that_are_up_are_listed_and_counted),
        TEST(refusals_carry_kafka_s_codes),
        TEST(a_policy_that_cannot_be_read_says_why),
        TEST(a_bad_description_changes_nothing_and_is_named),
    };
    return cmocka_run_group_tests_name("lab-brokers", tests, NULL, NULL);
}
