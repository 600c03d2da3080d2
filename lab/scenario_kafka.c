/* Brokers without Kafka: librdkafka's own mock cluster, which answers what a client asks about topics; or data. */
#include "lab/scenario.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>
#include <string.h>

#include "lab/brokers.h"

struct lab_mock_kafka {
    rd_kafka_t *client; /* the mock lives in a client of its own */
    rd_kafka_mock_cluster_t *cluster;
    int port; /* of the first broker */
    struct charm_arena *arena;
    struct lab_brokers *brokers; /* instead of the two above; else NULL */
};

static int port_of(const char *bootstrap)
{
    const char *colon = strchr(bootstrap, ':');
    return colon == NULL ? 0 : (int)strtol(colon + 1, NULL, 10);
}

static void say_nothing(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    (void)client;
    (void)level;
    (void)facility;
    (void)text;
}

int lab_mock_kafka_new(struct charm_arena *arena, struct lab_mock_kafka **ret,
                       struct charm_error *reterr)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, say_nothing);
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (client == NULL) {
        rd_kafka_conf_destroy(conf);
        return charm_error_set(reterr, CHARM_EFAILED, "make a mock Kafka: %s", why);
    }
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(client, 1);
    if (cluster == NULL) {
        rd_kafka_destroy(client);
        return charm_error_set(reterr, CHARM_EFAILED, "make a mock Kafka: no cluster");
    }
    struct lab_mock_kafka *kafka = charm_arena_alloc(arena, sizeof(*kafka));
    *kafka = (struct lab_mock_kafka){
        .client = client,
        .cluster = cluster,
        .port = port_of(rd_kafka_mock_cluster_bootstraps(cluster)),
        .arena = arena,
    };
    *ret = kafka;
    return 0;
}

struct lab_mock_kafka *lab_mock_kafka_without_port(struct charm_arena *arena, int port)
{
    struct lab_mock_kafka *kafka = charm_arena_alloc(arena, sizeof(*kafka));
    *kafka = (struct lab_mock_kafka){ .port = port, .arena = arena };
    kafka->brokers = lab_brokers_new(arena, "127.0.0.1", port);
    return kafka;
}

struct lab_brokers *lab_mock_kafka_brokers(const struct lab_mock_kafka *kafka)
{
    return kafka->brokers;
}

int lab_mock_kafka_port(const struct lab_mock_kafka *kafka)
{
    return kafka->port;
}

void lab_mock_kafka_free(struct lab_mock_kafka *kafka)
{
    if (kafka != NULL && kafka->brokers == NULL) {
        rd_kafka_mock_cluster_destroy(kafka->cluster);
        rd_kafka_destroy(kafka->client);
    }
}

static int set_state(struct lab_mock_kafka *kafka, const char *state, struct charm_error *reterr)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (charmi_same(state, "up")) {
        code = rd_kafka_mock_broker_set_up(kafka->cluster, 1);
    } else if (charmi_same(state, "down")) {
        code = rd_kafka_mock_broker_set_down(kafka->cluster, 1);
    } else {
        return charm_error_set(reterr, CHARM_EINVAL, "kafka: want up, down or {topics: ...}");
    }
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? 0
               : charm_error_set(reterr, CHARM_EFAILED, "kafka %s: %s", state,
                                 rd_kafka_err2str(code));
}

/* As the mock has them: beside those that are there, nobody can read their settings, and old clients are served. */
static int add_topics(struct lab_mock_kafka *kafka, const struct charm_value *topics,
                      struct charm_error *reterr)
{
    struct charm_value *what = charm_value_new_map(kafka->arena);
    struct charm_value *all = charm_value_add_map(what, "topics");
    charm_value_set_int(what, "fetch", 0);
    charm_value_update(all, lab_brokers_topics(kafka->brokers));
    CHARM_EACH(topics, it)
    {
        struct charm_value *topic = charm_value_add_map(all, it.key);
        charm_value_set(topic, "partitions", it.value);
        charm_value_set_null(topic, "policy");
    }
    return lab_brokers_set(kafka->brokers, what, reterr);
}

static int set_brokers(struct lab_mock_kafka *kafka, const struct charm_value *what,
                       struct charm_error *reterr)
{
    return charm_value_kind(what) == CHARM_MAP
               ? add_topics(kafka, charm_value_get(what, "topics"), reterr)
               : lab_brokers_set(kafka->brokers, what, reterr);
}

int lab_mock_kafka_set(struct lab_mock_kafka *kafka, const struct charm_value *what,
                       struct charm_error *reterr)
{
    if (kafka->brokers != NULL) {
        return set_brokers(kafka, what, reterr);
    }
    if (charm_value_kind(what) != CHARM_MAP) {
        return set_state(kafka, charm_text(what), reterr);
    }
    CHARM_EACH(charm_value_get(what, "topics"), it)
    {
        const int partitions = (int)charm_value_int(it.value, 1);
        const rd_kafka_resp_err_t code =
            rd_kafka_mock_topic_create(kafka->cluster, it.key, partitions, 1);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return charm_error_set(reterr, CHARM_EINVAL, "kafka: topic %s: %s", it.key,
                                   rd_kafka_err2str(code));
        }
    }
    return 0;
}
