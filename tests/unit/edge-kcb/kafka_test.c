/*
 * Against librdkafka's own simulated cluster. It knows Metadata, but neither CreateTopics nor DescribeConfigs: what
 * needs a real broker is in tests/real.
 */
#include "edge/kcb/kafka.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <librdkafka/rdkafka.h>
/* must follow it */
#include <librdkafka/rdkafka_mock.h>

#include "base/memory.h"
#include "base/text.h"
#include "edge/kcb/kafka_client.h"

struct fixture {
    struct charm_arena *arena;
    struct kcbi_session session;
    rd_kafka_t *holder; /* what the simulated cluster lives in */
    rd_kafka_mock_cluster_t *cluster;
    struct charm_value *settings;
    struct kcb_cluster_view view;
    struct charm_error error;
};

static int set_up(void **state)
{
    char why[256];
    struct fixture *f = calloc(1, sizeof(*f));
    f->arena = charm_arena_new();
    rd_kafka_conf_t *quiet = rd_kafka_conf_new();
    rd_kafka_conf_set(quiet, "log_level", "0", why, sizeof(why));
    f->holder = rd_kafka_new(RD_KAFKA_PRODUCER, quiet, why, sizeof(why));
    f->cluster = rd_kafka_mock_cluster_new(f->holder, 3);
    f->settings = charm_value_new_map(f->arena);
    charm_value_set_text(f->settings, "bootstrap.servers",
                         rd_kafka_mock_cluster_bootstraps(f->cluster));
    *state = f;
    return 0;
}

/*
 * rd_kafka_destroy() takes a second. So what the tests leave is released after all of them, at the same time.
 */
static struct fixture *left[32];
static size_t left_count;

static int tear_down(void **state)
{
    assert_in_range(left_count, 0, CHARMI_COUNT(left) - 1);
    left[left_count++] = *state;
    return 0;
}

static void *release(void *userdata)
{
    struct fixture *f = userdata;
    kcbi_kafka_release(&f->session);
    rd_kafka_mock_cluster_destroy(f->cluster);
    rd_kafka_destroy(f->holder);
    charm_arena_free(f->arena);
    free(f);
    return NULL;
}

static int release_all(void **state)
{
    (void)state;
    pthread_t threads[CHARMI_COUNT(left)];
    for (size_t i = 0; i < left_count; i++) {
        pthread_create(&threads[i], NULL, release, left[i]);
    }
    for (size_t i = 0; i < left_count; i++) {
        pthread_join(threads[i], NULL);
    }
    return 0;
}

#define TOPICS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static int look_for(struct fixture *f, const char *const *topics, int64_t timeout_ms)
{
    return kcbi_kafka_look(&f->session, f->arena, f->settings, topics, timeout_ms, &f->view,
                           &f->error);
}

static void brokers_are_named_and_sorted(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, look_for(f, TOPICS(NULL), 10000));
    assert_int_equal(3, f->view.broker_count);
    assert_true(charmi_starts_with(f->view.brokers[0], "1=127.0.0.1:"));
    assert_true(charmi_starts_with(f->view.brokers[1], "2=127.0.0.1:"));
    assert_true(charmi_starts_with(f->view.brokers[2], "3=127.0.0.1:"));
    assert_null(f->view.brokers[3]);
    assert_int_equal(0, f->view.topic_count);
}

static void a_topic_is_seen_with_its_numbers(void **state)
{
    struct fixture *f = *state;
    rd_kafka_mock_topic_create(f->cluster, "m.a.connectoffsets", 50, 2);
    assert_int_equal(0, look_for(f, TOPICS("m.a.connectoffsets"), 10000));
    const struct kcb_topic_view *topic = &f->view.topics[0];
    assert_string_equal("m.a.connectoffsets", topic->name);
    assert_int_equal(KCB_TOPIC_PRESENT, topic->presence);
    assert_int_equal(50, topic->partitions);
    assert_int_equal(2, topic->replication);
    assert_int_equal(0, topic->error_code);
}

static void a_policy_that_cannot_be_read_says_why(void **state)
{
    struct fixture *f = *state;
    rd_kafka_mock_topic_create(f->cluster, "t", 1, 1);
    assert_int_equal(0, look_for(f, TOPICS("t"), 10000));
    assert_null(f->view.topics[0].cleanup_policy);
    assert_non_null(strstr(f->view.topics[0].policy_error, "not supported by broker"));
}

static void topics_come_in_the_order_asked(void **state)
{
    struct fixture *f = *state;
    rd_kafka_mock_topic_create(f->cluster, "a", 1, 1);
    rd_kafka_mock_topic_create(f->cluster, "c", 3, 1);
    assert_int_equal(0, look_for(f, TOPICS("c", "b", "a"), 10000));
    assert_int_equal(3, f->view.topic_count);
    assert_int_equal(3, f->view.topics[0].partitions);
    assert_int_equal(KCB_TOPIC_ABSENT, f->view.topics[1].presence);
    assert_int_equal(1, f->view.topics[2].partitions);
}

static void asking_for_a_topic_does_not_make_it(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, look_for(f, TOPICS("ghost"), 10000));
    assert_int_equal(KCB_TOPIC_ABSENT, f->view.topics[0].presence);
    assert_int_equal(0, look_for(f, TOPICS("ghost"), 10000));
    assert_int_equal(KCB_TOPIC_ABSENT, f->view.topics[0].presence);
}

static void a_topic_that_we_may_not_see_is_unknown(void **state)
{
    struct fixture *f = *state;
    rd_kafka_mock_topic_create(f->cluster, "t", 1, 1);
    rd_kafka_mock_topic_set_error(f->cluster, "t", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    assert_int_equal(0, look_for(f, TOPICS("t"), 10000));
    assert_int_equal(KCB_TOPIC_UNKNOWN, f->view.topics[0].presence);
    assert_int_equal(29, f->view.topics[0].error_code);
    assert_string_equal("Broker: Topic authorization failed", f->view.topics[0].error_text);
}

static void the_lowest_fetch_version_is_learnt(void **state)
{
    struct fixture *f = *state;
    rd_kafka_mock_set_apiversion(f->cluster, 1, 4, 16);
    assert_int_equal(0, look_for(f, TOPICS(NULL), 10000));
    assert_int_equal(4, f->view.fetch_min_version);
}

static void old_brokers_are_asked_for_a_list(void **state)
{
    struct fixture *f = *state;
    rd_kafka_mock_set_apiversion(f->cluster, 3, 0, 2);
    rd_kafka_mock_topic_create(f->cluster, "t", 7, 3);
    assert_int_equal(0, look_for(f, TOPICS("ghost", "t"), 10000));
    assert_int_equal(KCB_TOPIC_ABSENT, f->view.topics[0].presence);
    assert_int_equal(KCB_TOPIC_PRESENT, f->view.topics[1].presence);
    assert_int_equal(7, f->view.topics[1].partitions);
    assert_int_equal(3, f->view.topics[1].replication);
    assert_int_equal(0, look_for(f, TOPICS("ghost"), 10000));
    assert_int_equal(KCB_TOPIC_ABSENT, f->view.topics[0].presence);
}

static void a_client_is_kept_by_its_settings(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, look_for(f, TOPICS(NULL), 10000));
    const struct kcbi_kafka_client *first = f->session.clients;
    assert_int_equal(0, look_for(f, TOPICS(NULL), 10000));
    assert_ptr_equal(first, f->session.clients);
    charm_value_set_text(f->settings, "client.id", "another");
    assert_int_equal(0, look_for(f, TOPICS(NULL), 10000));
    assert_ptr_not_equal(first, f->session.clients);
}

static void refused_connections_are_named_and_end_early(void **state)
{
    struct fixture *f = *state;
    charm_value_set_text(f->settings, "bootstrap.servers", "127.0.0.1:1");
    const int64_t start = kcbi_clock_ms();
    assert_int_equal(CHARM_ENET, look_for(f, TOPICS("t"), 30000));
    assert_in_range(kcbi_clock_ms() - start, 0, 15000);
    assert_true(charmi_starts_with(f->error.text, "Kafka at 127.0.0.1:1: "));
    assert_non_null(strstr(f->error.text, "Connection refused"));
    assert_true(f->error.retriable);
}

static void unknown_names_are_named(void **state)
{
    struct fixture *f = *state;
    charm_value_set_text(f->settings, "bootstrap.servers", "kafka.invalid:9092");
    assert_int_equal(CHARM_ENET, look_for(f, TOPICS("t"), 20000));
    assert_non_null(strstr(f->error.text, "Failed to resolve 'kafka.invalid:9092'"));
}

static void a_silent_broker_ends_at_the_deadline(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(0, bind(listener, (struct sockaddr *)&address, size));
    assert_int_equal(0, listen(listener, 4));
    assert_int_equal(0, getsockname(listener, (struct sockaddr *)&address, &size));
    charm_value_setf(f->settings, "bootstrap.servers", "127.0.0.1:%d", ntohs(address.sin_port));
    const int64_t start = kcbi_clock_ms();
    assert_int_equal(CHARM_ENET, look_for(f, TOPICS("t"), 400));
    assert_in_range(kcbi_clock_ms() - start, 400, 5000);
    close(listener);
}

static void after_a_failure_a_fresh_client_is_made(void **state)
{
    struct fixture *f = *state;
    for (int broker = 1; broker <= 3; broker++) {
        rd_kafka_mock_broker_set_down(f->cluster, broker);
    }
    assert_int_equal(CHARM_ENET, look_for(f, TOPICS(NULL), 1500));
    const struct kcbi_kafka_client *first = f->session.clients;
    for (int broker = 1; broker <= 3; broker++) {
        rd_kafka_mock_broker_set_up(f->cluster, broker);
    }
    assert_int_equal(0, look_for(f, TOPICS(NULL), 10000));
    assert_ptr_not_equal(first, f->session.clients);
}

static void bad_properties_are_named_without_their_values(void **state)
{
    struct fixture *f = *state;
    charm_value_set_text(f->settings, "no.such.property", "secret");
    assert_int_equal(CHARM_EINVAL, look_for(f, TOPICS("t"), 1000));
    assert_string_equal("set Kafka client property 'no.such.property': there is no such property",
                        f->error.text);
    charm_value_remove(f->settings, "no.such.property");
    charm_value_set_text(f->settings, "security.protocol", "secret");
    assert_int_equal(CHARM_EINVAL, look_for(f, TOPICS("t"), 1000));
    assert_string_equal("set Kafka client property 'security.protocol': its value is not accepted",
                        f->error.text);
}

static void contradicting_properties_are_refused(void **state)
{
    struct fixture *f = *state;
    charm_value_set_text(f->settings, "security.protocol", "SASL_SSL");
    charm_value_set_text(f->settings, "sasl.mechanism", "SCRAM-SHA-512");
    assert_int_equal(CHARM_EINVAL, look_for(f, TOPICS("t"), 1000));
    assert_true(charmi_starts_with(f->error.text, "make a Kafka client: "));
}

static void without_brokers_there_is_nobody_to_ask(void **state)
{
    struct fixture *f = *state;
    charm_value_remove(f->settings, "bootstrap.servers");
    assert_int_equal(CHARM_EINVAL, look_for(f, TOPICS("t"), 1000));
    assert_string_equal("make a Kafka client: bootstrap.servers is empty", f->error.text);
}

static void tls_towards_a_plain_broker_is_named(void **state)
{
    struct fixture *f = *state;
    charm_value_set_text(f->settings, "security.protocol", "SSL");
    assert_int_equal(CHARM_EREFUSED, look_for(f, TOPICS("t"), 4000));
    assert_non_null(strstr(f->error.text, "it hangs up when TLS begins"));
}

/* The simulated cluster has no controller. */
static void without_a_controller_no_topic_is_made(void **state)
{
    struct fixture *f = *state;
    const struct kcb_topic_spec spec = { "t", 1, 1, "compact" };
    struct kcb_topic_result result = { .code = 77 };
    assert_int_equal(CHARM_ENET, kcbi_kafka_create(&f->session, f->arena, f->settings, &spec, 1,
                                                   500, &result, &f->error));
    assert_non_null(strstr(f->error.text, "waiting for controller"));
    assert_int_equal(77, result.code);
}

static void impossible_topics_are_not_asked_for(void **state)
{
    struct fixture *f = *state;
    const struct kcb_topic_spec spec = { "t", -7, 1, "compact" };
    struct kcb_topic_result result;
    assert_int_equal(CHARM_EINVAL, kcbi_kafka_create(&f->session, f->arena, f->settings, &spec, 1,
                                                     3000, &result, &f->error));
    assert_true(charmi_starts_with(f->error.text, "create topic 't': "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(brokers_are_named_and_sorted),
        TEST(a_topic_is_seen_with_its_numbers),
        TEST(a_policy_that_cannot_be_read_says_why),
        TEST(topics_come_in_the_order_asked),
        TEST(asking_for_a_topic_does_not_make_it),
        TEST(a_topic_that_we_may_not_see_is_unknown),
        TEST(the_lowest_fetch_version_is_learnt),
        TEST(old_brokers_are_asked_for_a_list),
        TEST(a_client_is_kept_by_its_settings),
        TEST(refused_connections_are_named_and_end_early),
        TEST(unknown_names_are_named),
        TEST(a_silent_broker_ends_at_the_deadline),
        TEST(after_a_failure_a_fresh_client_is_made),
        TEST(bad_properties_are_named_without_their_values),
        TEST(contradicting_properties_are_refused),
        TEST(without_brokers_there_is_nobody_to_ask),
        TEST(tls_towards_a_plain_broker_is_named),
        TEST(without_a_controller_no_topic_is_made),
        TEST(impossible_topics_are_not_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, release_all);
}
