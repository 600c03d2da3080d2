#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "fake_run.h"
#include "kcb/kcb.h"
#include "kcb/topics.h"

#define HOUR_MS (60 * 60 * 1000)

static const char configs[] = "lab.connect.connectconfigs";
static const char offsets[] = "lab.connect.connectoffsets";
static const char statuses[] = "lab.connect.connectstatus";

static struct charm_run *run;
static struct kcb_topic_spec specs[KCBI_TOPIC_COUNT];

/* Three topics that are right, on three brokers; tests spoil their copy. */
struct cluster {
    struct kcb_topic_view topics[KCBI_TOPIC_COUNT];
    struct kcb_cluster_view view;
};

static struct kcb_topic_view right(const char *name, int partitions)
{
    return (struct kcb_topic_view){ .name = name,
                                    .presence = KCB_TOPIC_PRESENT,
                                    .partitions = partitions,
                                    .replication = 3,
                                    .cleanup_policy = "compact",
                                    .policy_error = "",
                                    .error_text = "" };
}

static struct cluster *cluster_new(void)
{
    struct cluster *cluster = charm_arena_alloc(run->arena, sizeof(*cluster));
    cluster->topics[KCBI_TOPIC_CONFIGS] = right(configs, 1);
    cluster->topics[KCBI_TOPIC_OFFSETS] = right(offsets, 50);
    cluster->topics[KCBI_TOPIC_STATUS] = right(statuses, 10);
    cluster->view = (struct kcb_cluster_view){ .broker_count = 3,
                                               .fetch_min_version = 4,
                                               .topics = cluster->topics,
                                               .topic_count = KCBI_TOPIC_COUNT };
    return cluster;
}

static struct cluster *cluster_without_topics(void)
{
    struct cluster *cluster = cluster_new();
    for (size_t i = 0; i < KCBI_TOPIC_COUNT; i++) {
        cluster->topics[i].presence = KCB_TOPIC_ABSENT;
    }
    return cluster;
}

static void next_look(const struct cluster *cluster)
{
    run->looks[run->look_count++] = (struct fake_look){ .view = &cluster->view };
}

static void next_look_fails(int code, const char *words)
{
    run->looks[run->look_count++] = (struct fake_look){ .result = code, .error = words };
}

static int start(void **state)
{
    static const char *const names[KCBI_TOPIC_COUNT] = { configs, offsets, statuses };
    run = fake_run_new();
    run->kafka_settings = fake_json(run, "{\"bootstrap.servers\": \"k2:9092,k1:9092\"}");
    kcbi_topic_specs(names, 3, specs);
    return 0;
}

static int stop(void **state)
{
    fake_run_free(run);
    return 0;
}

static struct kcbi_topics_verdict judge(const struct cluster *cluster)
{
    return kcbi_judge_topics(run->arena, specs, &cluster->view, "k1:9092,k2:9092");
}

static enum charm_result go(void)
{
    return kcbi_create_topics(run, NULL);
}

/* ---- pure ---- */

static void replication_is_as_many_as_brokers_and_at_most_three(void **state)
{
    assert_int_equal(kcbi_topic_replication(0, 0), 1);
    assert_int_equal(kcbi_topic_replication(0, 1), 1);
    assert_int_equal(kcbi_topic_replication(0, 2), 2);
    assert_int_equal(kcbi_topic_replication(0, 3), 3);
    assert_int_equal(kcbi_topic_replication(0, 100), 3);
    assert_int_equal(kcbi_topic_replication(5, 1), 5);
    assert_int_equal(kcbi_topic_replication(-1, 2), 2);
    assert_int_equal(kcbi_topic_replication(INT64_MAX, 2), 2);
}

static void the_three_topics_have_1_50_and_10_partitions_and_are_compacted(void **state)
{
    static const int partitions[] = { 1, 50, 10 };
    for (size_t i = 0; i < KCBI_TOPIC_COUNT; i++) {
        assert_int_equal(specs[i].partitions, partitions[i]);
        assert_int_equal(specs[i].replication, 3);
        assert_string_equal(specs[i].cleanup_policy, "compact");
    }
    assert_string_equal(specs[KCBI_TOPIC_CONFIGS].name, configs);
}

static void topics_as_they_should_be_are_fine(void **state)
{
    const struct kcbi_topics_verdict verdict = judge(cluster_new());
    assert_int_equal(verdict.worst, KCBI_TOPIC_FINE);
    assert_string_equal(verdict.topics[0].words, "");
    assert_string_equal(verdict.topics[0].note, "");
}

static void any_policy_but_compact_is_wrong_and_says_how_to_mend_it(void **state)
{
    static const char *const policies[] = { "delete", "compact,delete", "delete,compact",
                                            "",       "Compact",        " compact" };
    for (size_t i = 0; i < CHARMI_COUNT(policies); i++) {
        struct cluster *cluster = cluster_new();
        cluster->topics[KCBI_TOPIC_STATUS].cleanup_policy = policies[i];
        const struct kcbi_topics_verdict verdict = judge(cluster);
        assert_int_equal(verdict.worst, KCBI_TOPIC_WRONG);
        assert_int_equal(verdict.topics[KCBI_TOPIC_CONFIGS].state, KCBI_TOPIC_FINE);
        assert_non_null(strstr(verdict.topics[KCBI_TOPIC_STATUS].words,
                               "Connect starts on nothing but compact: kafka-configs.sh "
                               "--bootstrap-server k1:9092 --topic lab.connect.connectstatus "
                               "--alter --add-config cleanup.policy=compact"));
        assert_true(strlen(verdict.topics[KCBI_TOPIC_STATUS].words) < 250);
    }
}

static void only_the_configuration_topic_must_have_one_partition(void **state)
{
    struct cluster *cluster = cluster_new();
    cluster->topics[KCBI_TOPIC_OFFSETS].partitions = 25;
    cluster->topics[KCBI_TOPIC_STATUS].replication = 1;
    struct kcbi_topics_verdict verdict = judge(cluster);
    assert_int_equal(verdict.worst, KCBI_TOPIC_FINE);
    assert_string_equal(verdict.topics[KCBI_TOPIC_OFFSETS].note,
                        "topic lab.connect.connectoffsets has 25 partitions where we would make "
                        "50; Connect does not mind");
    assert_string_equal(verdict.topics[KCBI_TOPIC_STATUS].note,
                        "topic lab.connect.connectstatus has replication 1 where we would give 3; "
                        "it never changes");
    cluster->topics[KCBI_TOPIC_CONFIGS].partitions = 3;
    verdict = judge(cluster);
    assert_int_equal(verdict.worst, KCBI_TOPIC_WRONG);
    assert_non_null(strstr(verdict.topics[KCBI_TOPIC_CONFIGS].words,
                           "has 3 partitions: Connect wants exactly 1 and would not start. With "
                           "no worker running: kafka-topics.sh --bootstrap-server k1:9092 "
                           "--delete --topic lab.connect.connectconfigs"));
}

static void an_unreadable_policy_is_taken_for_ours_when_the_partitions_agree(void **state)
{
    struct cluster *cluster = cluster_new();
    for (size_t i = 0; i < KCBI_TOPIC_COUNT; i++) {
        cluster->topics[i].cleanup_policy = NULL;
        cluster->topics[i].policy_error = "Cluster authorization failed";
    }
    struct kcbi_topics_verdict verdict = judge(cluster);
    assert_int_equal(verdict.worst, KCBI_TOPIC_FINE);
    assert_non_null(strstr(verdict.topics[KCBI_TOPIC_OFFSETS].note,
                           "cleanup.policy could not be read (Cluster authorization failed)"));
    cluster->topics[KCBI_TOPIC_OFFSETS].partitions = 1;
    verdict = judge(cluster);
    assert_int_equal(verdict.worst, KCBI_TOPIC_UNSEEN);
    assert_non_null(strstr(verdict.topics[KCBI_TOPIC_OFFSETS].words, "allow DescribeConfigs"));
}

static void a_topic_that_we_may_not_see_is_neither_missing_nor_wrong(void **state)
{
    struct cluster *cluster = cluster_new();
    cluster->topics[KCBI_TOPIC_OFFSETS].presence = KCB_TOPIC_UNKNOWN;
    cluster->topics[KCBI_TOPIC_OFFSETS].error_code = 29;
    struct kcbi_topics_verdict verdict = judge(cluster);
    assert_int_equal(verdict.worst, KCBI_TOPIC_UNSEEN);
    assert_non_null(strstr(verdict.topics[KCBI_TOPIC_OFFSETS].words, "does not let us look"));
    cluster->topics[KCBI_TOPIC_OFFSETS].error_code = 5;
    cluster->topics[KCBI_TOPIC_OFFSETS].error_text = "Leader not available";
    verdict = judge(cluster);
    assert_string_equal(verdict.topics[KCBI_TOPIC_OFFSETS].words,
                        "topic lab.connect.connectoffsets: Kafka does not say whether it exists "
                        "(Leader not available)");
}

static void a_view_without_a_topic_says_nothing_of_it(void **state)
{
    struct cluster *cluster = cluster_new();
    cluster->view.topic_count = 1;
    assert_int_equal(judge(cluster).worst, KCBI_TOPIC_UNSEEN);
    cluster->view.topic_count = 0;
    cluster->view.topics = NULL;
    assert_int_equal(judge(cluster).worst, KCBI_TOPIC_UNSEEN);
}

static void each_refusal_to_create_has_words_of_its_own(void **state)
{
    static const struct {
        int code;
        enum kcbi_creation creation;
        const char *part;
    } cases[] = {
        { 0, KCBI_CREATION_DONE, "" },
        { 36, KCBI_CREATION_DONE, "" },
        { 29, KCBI_CREATION_BLOCKED,
          "or make it by hand: kafka-topics.sh --bootstrap-server k1:9092 --create --topic "
          "lab.connect.connectoffsets --partitions 50 --replication-factor 3 --config "
          "cleanup.policy=compact" },
        { 31, KCBI_CREATION_BLOCKED, "may not create topic lab.connect.connectoffsets" },
        { 38, KCBI_CREATION_BLOCKED, "wants 3 replicas and Kafka has 1 broker: add brokers" },
        { 37, KCBI_CREATION_BLOCKED, "refuses 50 partitions" },
        { 40, KCBI_CREATION_BLOCKED, "refuses cleanup.policy=compact" },
        { 17, KCBI_CREATION_BLOCKED, "refuses the name" },
        { 44, KCBI_CREATION_BLOCKED, "a rule of this Kafka forbids" },
        { -165, KCBI_CREATION_BLOCKED, "too old" },
        { 41, KCBI_CREATION_LATER, "could not be created yet: words (error 41)" },
        { 7, KCBI_CREATION_LATER, "(error 7)" },
        { -185, KCBI_CREATION_LATER, "(error -185)" },
        { 89, KCBI_CREATION_LATER, "(error 89)" },
        { 9999, KCBI_CREATION_LATER, "(error 9999)" },
    };
    for (size_t i = 0; i < CHARMI_COUNT(cases); i++) {
        const struct kcb_topic_result result = { .code = cases[i].code, .text = "words" };
        const char *words = NULL;
        assert_int_equal(kcbi_judge_creation(run->arena, &specs[KCBI_TOPIC_OFFSETS], 1,
                                             "k1:9092,k2:9092", &result, &words),
                         cases[i].creation);
        if (strstr(words, cases[i].part) == NULL) {
            fail_msg("'%s' does not say '%s'", words, cases[i].part);
        }
    }
}

static void topics_are_looked_at_again_for_a_reason(void **state)
{
    const struct kcbi_topics_memory memory = { .bootstrap = "a:1,b:1", .seen_ms = 1000 };
    assert_null(kcbi_topics_due(&memory, true, "a:1,b:1", "update-status", 1000 + HOUR_MS - 1));
    assert_non_null(kcbi_topics_due(&memory, true, "a:1,b:1", "update-status", 1000 + HOUR_MS));
    assert_non_null(kcbi_topics_due(&memory, true, "a:1,b:1", "update-status", 999));
    assert_non_null(kcbi_topics_due(&memory, true, "a:1", "update-status", 1000));
    assert_non_null(kcbi_topics_due(&memory, true, "a:1,b:1", "config-changed", 1000));
    assert_non_null(kcbi_topics_due(&memory, true, "a:1,b:1", "secret-changed", 1000));
    assert_non_null(kcbi_topics_due(&memory, false, "a:1,b:1", "update-status", 1000));
    const struct kcbi_topics_memory other = { .bootstrap = "a:1",
                                              .seen_ms = 1000,
                                              .renamed = true };
    assert_non_null(kcbi_topics_due(&other, true, "a:1", "update-status", 1000));
}

/* A hook that only comes by must not hide what the one before it found. */
static void a_look_without_an_answer_is_owed_until_there_is_one(void **state)
{
    next_look(cluster_new());
    assert_int_equal(go(), CHARM_DONE);
    run->context.hook = "config-changed";
    next_look_fails(CHARM_ENET, "Connection refused");
    assert_int_equal(go(), CHARM_LATER);
    run->context.hook = "update-status";
    assert_int_equal(go(), CHARM_LATER);
    assert_int_equal(run->looks_done, 3);
    assert_true(charm_flag_is_set(run, KCB_TOPIC_CREATED));
    next_look(cluster_new());
    assert_int_equal(go(), CHARM_DONE);
    assert_int_equal(go(), CHARM_DONE);
    assert_int_equal(run->looks_done, 4);
}

static void brokers_without_a_common_member_are_another_kafka(void **state)
{
    assert_true(kcbi_other_brokers(run->arena, "a:1,b:1", "c:1"));
    assert_false(kcbi_other_brokers(run->arena, "a:1,b:1", "b:1,c:1"));
    assert_false(kcbi_other_brokers(run->arena, "", "a:1"));
    assert_false(kcbi_other_brokers(run->arena, "a:1", ""));
}

/* ---- the row ---- */

static void missing_topics_are_made_and_confirmed_before_the_flag_is_set(void **state)
{
    struct cluster *halfway = cluster_new();
    halfway->topics[KCBI_TOPIC_STATUS].presence = KCB_TOPIC_ABSENT;
    next_look(cluster_without_topics());
    next_look(cluster_without_topics());
    next_look(halfway);
    next_look(cluster_new());
    assert_int_equal(go(), CHARM_DONE);
    assert_int_equal(run->created.size, 3);
    assert_string_equal(run->created.at[0], "lab.connect.connectconfigs 1x3 compact");
    assert_string_equal(run->created.at[1], "lab.connect.connectoffsets 50x3 compact");
    assert_string_equal(run->created.at[2], "lab.connect.connectstatus 10x3 compact");
    assert_int_equal(run->looks_done, 4);
    assert_true(charm_flag_is_set(run, KCB_TOPIC_CREATED));
    assert_int_equal(run->statuses.size, 0);
    assert_int_equal(kcbi_fetch_min_version(run), 4);
}

static void only_what_is_missing_is_made(void **state)
{
    struct cluster *cluster = cluster_new();
    cluster->topics[KCBI_TOPIC_OFFSETS].presence = KCB_TOPIC_ABSENT;
    next_look(cluster);
    next_look(cluster_new());
    assert_int_equal(go(), CHARM_DONE);
    assert_int_equal(run->created.size, 1);
    assert_string_equal(run->created.at[0], "lab.connect.connectoffsets 50x3 compact");
}

static void confirmed_topics_are_not_asked_about_for_an_hour(void **state)
{
    next_look(cluster_new());
    assert_int_equal(go(), CHARM_DONE);
    assert_int_equal(go(), CHARM_DONE);
    assert_int_equal(run->looks_done, 1);
    run->now_ms += HOUR_MS;
    assert_int_equal(go(), CHARM_DONE);
    assert_int_equal(run->looks_done, 2);
    run->context.hook = "config-changed";
    assert_int_equal(go(), CHARM_DONE);
    assert_int_equal(run->looks_done, 3);
}

static void the_order_of_brokers_means_nothing(void **state)
{
    next_look(cluster_new());
    assert_int_equal(go(), CHARM_DONE);
    run->kafka_settings = fake_json(run, "{\"bootstrap.servers\": \"k1:9092,k2:9092\"}");
    assert_int_equal(go(), CHARM_DONE);
    assert_int_equal(run->looks_done, 1);
}

static void topics_that_do_not_show_in_time_keep_the_flag_down(void **state)
{
    next_look(cluster_without_topics());
    assert_int_equal(go(), CHARM_LATER);
    assert_false(charm_flag_is_set(run, KCB_TOPIC_CREATED));
    assert_true(fake_said(run, "waiting: topic lab.connect.connectconfigs is not there yet"));
    assert_int_equal(run->created.size, 3);
    assert_true(run->looks_done > 5);
}

static void an_unreachable_kafka_waits_and_keeps_what_was_confirmed(void **state)
{
    next_look(cluster_new());
    next_look_fails(CHARM_ENET, "k1:9092: Connection refused");
    assert_int_equal(go(), CHARM_DONE);
    run->now_ms += HOUR_MS;
    assert_int_equal(go(), CHARM_LATER);
    assert_true(charm_flag_is_set(run, KCB_TOPIC_CREATED));
    assert_true(fake_said(run, "waiting: Kafka does not answer: k1:9092: Connection refused"));
}

static void other_brokers_that_do_not_answer_are_not_confirmed(void **state)
{
    next_look(cluster_new());
    next_look_fails(CHARM_ENET, "refused");
    assert_int_equal(go(), CHARM_DONE);
    run->kafka_settings = fake_json(run, "{\"bootstrap.servers\": \"k1:9092,k9:9092\"}");
    assert_int_equal(go(), CHARM_LATER);
    assert_true(charm_flag_is_set(run, KCB_TOPIC_CREATED));
    run->kafka_settings = fake_json(run, "{\"bootstrap.servers\": \"k9:9092\"}");
    assert_int_equal(go(), CHARM_LATER);
    assert_false(charm_flag_is_set(run, KCB_TOPIC_CREATED));
}

static void refused_credentials_and_bad_settings_need_a_person(void **state)
{
    next_look_fails(CHARM_EREFUSED, "Kafka at k1:9093: it refuses user name or password");
    next_look_fails(CHARM_EINVAL, "no property ssl.foo");
    assert_int_equal(go(), CHARM_LATER);
    assert_true(fake_said(run, "blocked: Kafka at k1:9093: it refuses user name or password"));
    assert_int_equal(go(), CHARM_LATER);
    assert_true(fake_said(run, "blocked: Kafka's client refuses the settings: no property"));
    run->kafka_settings = NULL;
    assert_int_equal(go(), CHARM_LATER);
    assert_true(fake_said(run, "blocked: worker-config: sasl.mechanism is not known"));
    assert_int_equal(run->looks_done, 2);
}

static void without_its_credentials_the_charm_does_not_look_and_takes_nothing_away(void **state)
{
    static const enum charm_code for_a_person[] = { CHARM_EREFUSED, CHARM_ENOTFOUND, CHARM_EINVAL };
    fake_flag(run, KCB_TOPIC_CREATED);
    run->context.hook = "secret-changed";
    run->no_credentials = CHARM_ETIMEOUT;
    assert_int_equal(go(), CHARM_LATER);
    assert_true(fake_said(run, "waiting: option kafka-secret: it could not be had"));
    for (size_t i = 0; i < CHARMI_COUNT(for_a_person); i++) {
        run->statuses.size = 0;
        run->no_credentials = for_a_person[i];
        assert_int_equal(go(), CHARM_LATER);
        assert_true(fake_said(run, "blocked: option kafka-secret: it could not be had"));
    }
    assert_true(charm_flag_is_set(run, KCB_TOPIC_CREATED));
    assert_int_equal(run->looks_done, 0);
}

static void a_wrong_topic_is_looked_at_twice_then_blocks_and_takes_the_flag(void **state)
{
    struct cluster *wrong = cluster_new();
    wrong->topics[KCBI_TOPIC_STATUS].cleanup_policy = "delete";
    fake_flag(run, KCB_TOPIC_CREATED);
    next_look(wrong);
    assert_int_equal(go(), CHARM_LATER);
    assert_int_equal(run->looks_done, 2);
    assert_false(charm_flag_is_set(run, KCB_TOPIC_CREATED));
    assert_true(fake_said(run, "blocked: topic lab.connect.connectstatus has "
                               "cleanup.policy=delete"));
    assert_int_equal(run->created.size, 0);
}

static void the_same_trouble_of_kafka_gives_the_same_words(void **state)
{
    static const char *const said[] = {
        "Kafka at k1:9092: k1:9092/bootstrap: Connect to ipv4#10.0.0.1:9092 failed: Connection "
        "refused (after 0ms in state CONNECT, 1 identical error(s) suppressed)",
        "Kafka at k1:9092: k1:9092/bootstrap: Connect to ipv4#10.0.0.1:9092 failed: Connection "
        "refused (after 12ms in state CONNECT)",
    };
    for (size_t i = 0; i < CHARMI_COUNT(said); i++) {
        assert_string_equal(kcbi_kafka_words(run->arena, said[i]),
                            "Kafka at k1:9092: k1:9092/bootstrap: Connect to ipv4#10.0.0.1:9092 "
                            "failed: Connection refused");
    }
    assert_string_equal(kcbi_kafka_words(run->arena, "no answer"), "no answer");
}

static void a_wrong_topic_leaves_living_workers_alone(void **state)
{
    struct cluster *wrong = cluster_new();
    wrong->topics[KCBI_TOPIC_STATUS].cleanup_policy = "delete";
    fake_flag(run, KCB_TOPIC_CREATED);
    fake_flag(run, KCB_CONFIGURED);
    fake_flag(run, KCB_RUNNING);
    next_look(wrong);
    assert_int_equal(go(), CHARM_LATER);
    assert_false(charm_flag_is_set(run, KCB_TOPIC_CREATED));
    assert_true(charm_flag_is_set(run, KCB_CONFIGURED));
    assert_true(charm_flag_is_set(run, KCB_RUNNING));
}

/* What old workers are told of the topics' replication must not change under them. */
static void the_replication_that_the_topics_got_is_remembered_and_stays(void **state)
{
    next_look(cluster_new());
    assert_int_equal(go(), CHARM_DONE);
    assert_int_equal(charm_value_int(charm_value_get(run->app_set, KCBI_APP_REPLICATION), 0), 3);
    assert_string_equal(kcbi_replication_words(run), "");
    charm_value_set_int(run->app, KCBI_APP_REPLICATION, 3);
    run->app_set = charm_value_new_map(run->arena);
    run->flags = (struct charmi_words){ 0 };
    run->options.replication_factor = 2;
    assert_int_equal(go(), CHARM_DONE);
    assert_null(charm_value_get(run->app_set, KCBI_APP_REPLICATION));
    assert_int_equal(
        charm_value_int(charm_value_path(run->state, "topics", "replication", NULL), 0), 3);
    assert_string_equal(kcbi_replication_words(run),
                        "internal topics keep replication 3, new ones would get 2: "
                        "kafka-reassign-partitions.sh can change it, and replication-factor=3 says "
                        "that it is meant so");
}

static void a_stale_read_takes_nothing_away(void **state)
{
    struct cluster *wrong = cluster_new();
    wrong->topics[KCBI_TOPIC_STATUS].cleanup_policy = "delete";
    fake_flag(run, KCB_TOPIC_CREATED);
    next_look(wrong);
    next_look(cluster_new());
    assert_int_equal(go(), CHARM_DONE);
    assert_true(charm_flag_is_set(run, KCB_TOPIC_CREATED));
}

static void a_topic_that_vanished_is_made_anew_only_when_the_workers_are_gone(void **state)
{
    fake_flag(run, KCB_TOPIC_CREATED);
    fake_flag(run, KCB_CONFIGURED);
    fake_flag(run, KCB_RUNNING);
    next_look(cluster_without_topics());
    assert_int_equal(go(), CHARM_LATER);
    assert_int_equal(run->flags.size, 0);
    assert_int_equal(run->created.size, 0);
    assert_true(fake_said(run, "waiting: topic lab.connect.connectconfigs is not there any more"));
    assert_int_equal(go(), CHARM_LATER);
    assert_int_equal(run->created.size, 3);
}

static void topics_that_we_may_not_see_wait_and_are_not_made(void **state)
{
    struct cluster *hidden = cluster_new();
    for (size_t i = 0; i < KCBI_TOPIC_COUNT; i++) {
        hidden->topics[i].presence = KCB_TOPIC_UNKNOWN;
        hidden->topics[i].error_code = 29;
    }
    next_look(hidden);
    assert_int_equal(go(), CHARM_LATER);
    assert_int_equal(run->created.size, 0);
    assert_true(fake_said(run, "waiting: topic lab.connect.connectconfigs: Kafka does not let us"));
    fake_flag(run, KCB_TOPIC_CREATED);
    assert_int_equal(go(), CHARM_LATER);
    assert_true(charm_flag_is_set(run, KCB_TOPIC_CREATED));
}

static void too_few_brokers_for_the_option_are_said_before_asking(void **state)
{
    struct cluster *cluster = cluster_without_topics();
    cluster->view.broker_count = 1;
    run->options.replication_factor = 3;
    next_look(cluster);
    assert_int_equal(go(), CHARM_LATER);
    assert_int_equal(run->created.size, 0);
    assert_true(fake_said(run, "blocked: topic lab.connect.connectconfigs wants 3 replicas and "
                               "Kafka has 1 broker"));
}

/* Relation `kafka` names three brokers, and they are the servers that the client is given. */
static void three_brokers_are_related(void)
{
    run->kafka_settings = fake_json(run, "{\"bootstrap.servers\": \"k1:9092,k2:9092,k3:9092\"}");
    run->brokers[0] = "k1:9092";
    run->brokers[1] = "k2:9092";
    run->brokers[2] = "k3:9092";
}

static void a_broker_that_is_down_is_awaited_and_costs_no_replica(void **state)
{
    struct cluster *cluster = cluster_without_topics();
    cluster->view.broker_count = 2;
    three_brokers_are_related();
    next_look(cluster);
    assert_int_equal(go(), CHARM_LATER);
    assert_int_equal(run->created.size, 0);
    assert_true(fake_said(run, "waiting: topic lab.connect.connectconfigs is to have 3 replicas, "
                               "and not all of Kafka's 3 brokers are up"));
}

static void a_broker_that_dies_before_the_topics_are_made_is_awaited(void **state)
{
    three_brokers_are_related();
    next_look(cluster_without_topics());
    for (size_t i = 0; i < CHARMI_COUNT(run->creations); i++) {
        run->creations[i] = (struct kcb_topic_result){ .code = 38, .text = "2 are unfenced" };
    }
    assert_int_equal(go(), CHARM_LATER);
    assert_true(fake_said(run, "waiting: topic lab.connect.connectconfigs is to have 3 replicas"));
    assert_false(charm_flag_is_set(run, KCB_TOPIC_CREATED));
}

static void servers_that_the_operator_gave_promise_no_brokers(void **state)
{
    struct cluster *cluster = cluster_without_topics();
    cluster->view.broker_count = 2;
    three_brokers_are_related();
    run->kafka_settings = fake_json(run, "{\"bootstrap.servers\": \"a:1,b:1,c:1\"}");
    next_look(cluster);
    assert_int_equal(go(), CHARM_LATER);
    assert_int_equal(run->created.size, 3);
    assert_string_equal(run->created.at[0], "lab.connect.connectconfigs 1x2 compact");
}

static void a_refused_creation_blocks_and_is_not_repeated_in_the_run(void **state)
{
    next_look(cluster_without_topics());
    run->creations[1] = (struct kcb_topic_result){ .code = 29, .text = "not authorized" };
    assert_int_equal(go(), CHARM_LATER);
    assert_int_equal(run->created.size, 3);
    assert_true(fake_said(run, "blocked: may not create topic lab.connect.connectoffsets"));
}

static void a_kafka_without_a_controller_is_asked_a_few_times(void **state)
{
    next_look(cluster_without_topics());
    for (size_t i = 0; i < 3; i++) {
        run->creations[i] = (struct kcb_topic_result){ .code = 41, .text = "no controller" };
    }
    next_look(cluster_new());
    assert_int_equal(go(), CHARM_DONE);
    assert_int_equal(run->created.size, 6);
    assert_true(charm_flag_is_set(run, KCB_TOPIC_CREATED));
}

static void a_creation_that_nobody_answers_waits(void **state)
{
    next_look(cluster_without_topics());
    run->creation_result = CHARM_ENET;
    assert_int_equal(go(), CHARM_LATER);
    assert_true(fake_said(run, "waiting: topics could not be created yet: connection refused"));
}

static void a_unit_that_lost_leadership_makes_nothing(void **state)
{
    run->leader = false;
    next_look(cluster_without_topics());
    assert_int_equal(go(), CHARM_LATER);
    assert_int_equal(run->created.size, 0);
}

#define ROW(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(replication_is_as_many_as_brokers_and_at_most_three),
        ROW(the_three_topics_have_1_50_and_10_partitions_and_are_compacted),
        ROW(topics_as_they_should_be_are_fine),
        ROW(any_policy_but_compact_is_wrong_and_says_how_to_mend_it),
        ROW(only_the_configuration_topic_must_have_one_partition),
        ROW(an_unreadable_policy_is_taken_for_ours_when_the_partitions_agree),
        ROW(a_topic_that_we_may_not_see_is_neither_missing_nor_wrong),
        ROW(a_view_without_a_topic_says_nothing_of_it),
        ROW(each_refusal_to_create_has_words_of_its_own),
        ROW(topics_are_looked_at_again_for_a_reason),
        ROW(a_look_without_an_answer_is_owed_until_there_is_one),
        ROW(brokers_without_a_common_member_are_another_kafka),
        ROW(missing_topics_are_made_and_confirmed_before_the_flag_is_set),
        ROW(only_what_is_missing_is_made),
        ROW(confirmed_topics_are_not_asked_about_for_an_hour),
        ROW(the_order_of_brokers_means_nothing),
        ROW(topics_that_do_not_show_in_time_keep_the_flag_down),
        ROW(an_unreachable_kafka_waits_and_keeps_what_was_confirmed),
        ROW(other_brokers_that_do_not_answer_are_not_confirmed),
        ROW(refused_credentials_and_bad_settings_need_a_person),
        ROW(without_its_credentials_the_charm_does_not_look_and_takes_nothing_away),
        ROW(a_wrong_topic_is_looked_at_twice_then_blocks_and_takes_the_flag),
        ROW(the_same_trouble_of_kafka_gives_the_same_words),
        ROW(a_wrong_topic_leaves_living_workers_alone),
        ROW(the_replication_that_the_topics_got_is_remembered_and_stays),
        ROW(a_stale_read_takes_nothing_away),
        ROW(a_topic_that_vanished_is_made_anew_only_when_the_workers_are_gone),
        ROW(topics_that_we_may_not_see_wait_and_are_not_made),
        ROW(too_few_brokers_for_the_option_are_said_before_asking),
        ROW(a_broker_that_is_down_is_awaited_and_costs_no_replica),
        ROW(a_broker_that_dies_before_the_topics_are_made_is_awaited),
        ROW(servers_that_the_operator_gave_promise_no_brokers),
        ROW(a_refused_creation_blocks_and_is_not_repeated_in_the_run),
        ROW(a_kafka_without_a_controller_is_asked_a_few_times),
        ROW(a_creation_that_nobody_answers_waits),
        ROW(a_unit_that_lost_leadership_makes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
