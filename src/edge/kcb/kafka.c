#include "edge/kcb/kafka.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "edge/kcb/kafka_client.h"

/* One conversation: a client, the time it has, and where its answers go. */
struct talk {
    struct kcbi_kafka_client *client;
    struct charm_arena *arena;
    int64_t deadline_ms;
    int32_t broker; /* whom to ask, see choose_broker(); -1: the controller */
};

static int begin(struct kcbi_session *session, struct charm_arena *arena,
                 const struct charm_value *settings, int64_t timeout_ms, struct talk *ret_talk,
                 struct charm_error *reterr)
{
    struct kcbi_kafka_client *client;
    const int64_t deadline_ms = kcbi_clock_ms() + timeout_ms;
    const int result = kcbi_kafka_client_get(session, arena, settings, &client, reterr);
    if (result == 0) {
        *ret_talk = (struct talk){ client, arena, deadline_ms, -1 };
    }
    return result;
}

/* ---- what all admin requests share ---- */

static void event_release(rd_kafka_event_t **event)
{
    if (*event != NULL) {
        rd_kafka_event_destroy(*event);
    }
}
#define auto_event __attribute__((cleanup(event_release)))

static void options_release(rd_kafka_AdminOptions_t **options)
{
    rd_kafka_AdminOptions_destroy(*options);
}
#define auto_options __attribute__((cleanup(options_release)))

/* librdkafka accepts at most an hour. */
static rd_kafka_AdminOptions_t *options_for(const struct talk *talk, rd_kafka_admin_op_t operation)
{
    enum { LONGEST_MS = 3600 * 1000, SHORTEST_MS = 1 };
    int time_ms = kcbi_left_ms(talk->deadline_ms);
    time_ms = time_ms > LONGEST_MS ? LONGEST_MS : time_ms;
    time_ms = time_ms < SHORTEST_MS ? SHORTEST_MS : time_ms;
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(talk->client->kafka, operation);
    char why[256];
    if (rd_kafka_AdminOptions_set_request_timeout(options, time_ms, why, sizeof(why)) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        charmi_bug("a time-out that librdkafka does not take");
    }
    if (talk->broker >= 0 &&
        rd_kafka_AdminOptions_set_broker(options, talk->broker, why, sizeof(why)) !=
            RD_KAFKA_RESP_ERR_NO_ERROR) {
        charmi_bug("a broker that librdkafka does not take");
    }
    return options;
}

/* ---- brokers ---- */

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void take_brokers(struct charm_arena *arena, const struct rd_kafka_metadata *metadata,
                         struct kcb_cluster_view *view)
{
    const size_t count = (size_t)metadata->broker_cnt;
    const char **brokers = charm_arena_array(arena, count + 1, sizeof(*brokers));
    for (size_t i = 0; i < count; i++) {
        brokers[i] = charm_arena_printf(arena, "%d=%s:%d", metadata->brokers[i].id,
                                        metadata->brokers[i].host, metadata->brokers[i].port);
    }
    qsort(brokers, count, sizeof(*brokers), compare_texts);
    view->brokers = brokers;
    view->broker_count = count;
}

/*
 * Whom to ask about topics. Any broker knows, while librdkafka by default asks the controller alone, which during an election
 * is nobody for seconds. Best is the one that answered just now; a bootstrap connection has no number, though.
 */
static int32_t choose_broker(const struct talk *talk, const struct rd_kafka_metadata *metadata)
{
    const int32_t controller = rd_kafka_controllerid(talk->client->kafka, 0);
    if (metadata->orig_broker_id >= 0) {
        return metadata->orig_broker_id;
    }
    for (int i = 0; i < metadata->broker_cnt; i++) {
        if (metadata->brokers[i].id == controller) {
            return controller;
        }
    }
    return metadata->broker_cnt > 0 ? metadata->brokers[0].id : -1;
}

static int look_at_cluster(struct talk *talk, struct kcb_cluster_view *view,
                           struct charm_error *reterr)
{
    const struct rd_kafka_metadata *metadata;
    const int result = kcbi_kafka_client_metadata(talk->client, KCBI_NO_TOPICS, talk->deadline_ms,
                                                  &metadata, reterr);
    if (result != 0) {
        return result;
    }
    take_brokers(talk->arena, metadata, view);
    view->fetch_min_version = talk->client->fetch_min_version;
    talk->broker = choose_broker(talk, metadata);
    rd_kafka_metadata_destroy(metadata);
    return 0;
}

/* ---- topics ---- */

static struct kcb_topic_view *find_topic(struct kcb_topic_view *topics, size_t count,
                                         const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (charmi_same(topics[i].name, name)) {
            return &topics[i];
        }
    }
    return NULL;
}

static void take_error(struct charm_arena *arena, struct kcb_topic_view *topic,
                       rd_kafka_resp_err_t code, const char *text)
{
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
        code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) {
        topic->presence = KCB_TOPIC_ABSENT;
        return;
    }
    topic->presence = KCB_TOPIC_UNKNOWN;
    topic->error_code = (int)code;
    topic->error_text = charm_arena_copy(arena, text);
}

static void take_description(struct charm_arena *arena, struct kcb_topic_view *topic,
                             const rd_kafka_TopicDescription_t *description)
{
    const rd_kafka_error_t *error = rd_kafka_TopicDescription_error(description);
    if (rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        take_error(arena, topic, rd_kafka_error_code(error), rd_kafka_error_string(error));
        return;
    }
    size_t partitions = 0;
    size_t replicas = 0;
    const rd_kafka_TopicPartitionInfo_t **all =
        rd_kafka_TopicDescription_partitions(description, &partitions);
    if (partitions > 0) {
        rd_kafka_TopicPartitionInfo_replicas(all[0], &replicas);
    }
    topic->presence = KCB_TOPIC_PRESENT;
    topic->partitions = (int)partitions;
    topic->replication = (int)replicas;
}

static int look_at_topics(const struct talk *talk, const char *const *names,
                          struct kcb_topic_view *topics, size_t count, struct charm_error *reterr)
{
    auto_options rd_kafka_AdminOptions_t *options =
        options_for(talk, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
    auto_event rd_kafka_event_t *event = NULL;
    /* Its parameter lacks a const; it copies. */
    rd_kafka_TopicCollection_t *wanted =
        rd_kafka_TopicCollection_of_topic_names((const char **)(uintptr_t)names, count);
    rd_kafka_DescribeTopics(talk->client->kafka, wanted, options, talk->client->queue);
    rd_kafka_TopicCollection_destroy(wanted);
    const int result = kcbi_kafka_client_wait(talk->client, talk->deadline_ms, &event, reterr);
    if (result != 0) {
        return result;
    }
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kcbi_kafka_client_failed(talk->client, rd_kafka_event_error(event),
                                        rd_kafka_event_error_string(event), reterr);
    }
    size_t described = 0;
    const rd_kafka_TopicDescription_t **all =
        rd_kafka_DescribeTopics_result_topics(event, &described);
    for (size_t i = 0; i < described; i++) {
        struct kcb_topic_view *topic =
            find_topic(topics, count, rd_kafka_TopicDescription_name(all[i]));
        if (topic != NULL) {
            take_description(talk->arena, topic, all[i]);
        }
    }
    return 0;
}

/*
 * For brokers before 0.11, which make a topic when they are asked for it: the list of all topics. It leaves out what
 * we may not see, so a topic that is not in it may be there.
 */
static int look_at_list(const struct talk *talk, struct kcb_topic_view *topics, size_t count,
                        struct charm_error *reterr)
{
    const struct rd_kafka_metadata *metadata = NULL;
    const rd_kafka_resp_err_t code =
        rd_kafka_metadata(talk->client->kafka, 1, NULL, &metadata, kcbi_left_ms(talk->deadline_ms));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kcbi_kafka_client_failed(talk->client, code, rd_kafka_err2str(code), reterr);
    }
    for (size_t i = 0; i < count; i++) {
        topics[i].presence = KCB_TOPIC_ABSENT;
    }
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const rd_kafka_metadata_topic_t *listed = &metadata->topics[i];
        struct kcb_topic_view *topic = find_topic(topics, count, listed->topic);
        if (topic == NULL) {
            continue;
        }
        if (listed->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            take_error(talk->arena, topic, listed->err, rd_kafka_err2str(listed->err));
            continue;
        }
        topic->presence = KCB_TOPIC_PRESENT;
        topic->partitions = listed->partition_cnt;
        topic->replication = listed->partition_cnt > 0 ? listed->partitions[0].replica_cnt : 0;
    }
    rd_kafka_metadata_destroy(metadata);
    return 0;
}

/* ---- their policies ---- */

enum { METADATA_WITHOUT_CREATION = 4 }; /* first version that can ask without making (Kafka 0.11) */

static void take_policy(struct charm_arena *arena, struct kcb_topic_view *topic,
                        const rd_kafka_ConfigResource_t *resource)
{
    if (rd_kafka_ConfigResource_error(resource) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        const char *text = rd_kafka_ConfigResource_error_string(resource);
        topic->policy_error = charm_arena_copy(
            arena, text != NULL ? text : rd_kafka_err2str(rd_kafka_ConfigResource_error(resource)));
        return;
    }
    size_t count = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++) {
        if (charmi_same(rd_kafka_ConfigEntry_name(entries[i]), "cleanup.policy")) {
            topic->cleanup_policy = charm_arena_copy(arena, rd_kafka_ConfigEntry_value(entries[i]));
        }
    }
    if (topic->cleanup_policy == NULL) {
        topic->policy_error = "the broker did not name cleanup.policy";
    }
}

static void no_policies(struct kcb_topic_view *topics, size_t count, const char *why)
{
    for (size_t i = 0; i < count; i++) {
        if (topics[i].presence == KCB_TOPIC_PRESENT) {
            topics[i].policy_error = why;
        }
    }
}

static void ask_policies(const struct talk *talk, const struct kcb_topic_view *topics, size_t count)
{
    auto_options rd_kafka_AdminOptions_t *options =
        options_for(talk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_ConfigResource_t **wanted =
        charm_arena_array(talk->arena, count, sizeof(rd_kafka_ConfigResource_t *));
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (topics[i].presence == KCB_TOPIC_PRESENT) {
            wanted[used++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topics[i].name);
        }
    }
    rd_kafka_DescribeConfigs(talk->client->kafka, wanted, used, options, talk->client->queue);
    rd_kafka_ConfigResource_destroy_array(wanted, used);
}

/* That a policy cannot be read is no failure: what was seen of the topics still holds. */
static int look_at_policies(const struct talk *talk, struct kcb_topic_view *topics, size_t count,
                            struct charm_error *reterr)
{
    auto_event rd_kafka_event_t *event = NULL;
    ask_policies(talk, topics, count);
    const int result = kcbi_kafka_client_wait(talk->client, talk->deadline_ms, &event, reterr);
    if (result != 0) {
        return result;
    }
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        no_policies(topics, count,
                    charm_arena_copy(talk->arena, rd_kafka_event_error_string(event)));
        return 0;
    }
    size_t described = 0;
    const rd_kafka_ConfigResource_t **all =
        rd_kafka_DescribeConfigs_result_resources(event, &described);
    for (size_t i = 0; i < described; i++) {
        struct kcb_topic_view *topic =
            find_topic(topics, count, rd_kafka_ConfigResource_name(all[i]));
        if (topic != NULL) {
            take_policy(talk->arena, topic, all[i]);
        }
    }
    return 0;
}

/* ---- look ---- */

static bool any_present(const struct kcb_topic_view *topics, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (topics[i].presence == KCB_TOPIC_PRESENT) {
            return true;
        }
    }
    return false;
}

static int look(const struct talk *talk, const char *const *names, struct kcb_topic_view *topics,
                size_t count, struct charm_error *reterr)
{
    const int metadata = talk->client->metadata_max_version;
    if (count == 0) {
        return 0;
    }
    const int result = metadata >= 0 && metadata < METADATA_WITHOUT_CREATION
                           ? look_at_list(talk, topics, count, reterr)
                           : look_at_topics(talk, names, topics, count, reterr);
    if (result != 0 || !any_present(topics, count)) {
        return result;
    }
    return look_at_policies(talk, topics, count, reterr);
}

int kcbi_kafka_look(struct kcbi_session *session, struct charm_arena *arena,
                    const struct charm_value *settings, const char *const *topics,
                    int64_t timeout_ms, struct kcb_cluster_view *ret_view,
                    struct charm_error *reterr)
{
    struct talk talk;
    struct kcb_cluster_view view = { .topic_count = charmi_list_size(topics) };
    struct kcb_topic_view *seen = charm_arena_array(arena, view.topic_count, sizeof(*seen));
    for (size_t i = 0; i < view.topic_count; i++) {
        seen[i] = (struct kcb_topic_view){ .name = charm_arena_copy(arena, topics[i]),
                                           .policy_error = "",
                                           .error_text = "" };
    }
    view.topics = seen;
    int result = begin(session, arena, settings, timeout_ms, &talk, reterr);
    if (result == 0) {
        result = look_at_cluster(&talk, &view, reterr);
    }
    if (result == 0) {
        result = look(&talk, topics, seen, view.topic_count, reterr);
    }
    if (result == 0) {
        *ret_view = view;
    }
    return result;
}

/* ---- create ---- */

struct new_topics {
    rd_kafka_NewTopic_t **at;
    size_t count;
};

static void new_topics_release(struct new_topics *topics)
{
    rd_kafka_NewTopic_destroy_array(topics->at, topics->count);
}

static int new_topic(struct new_topics *topics, const struct kcb_topic_spec *spec,
                     struct charm_error *reterr)
{
    char why[256];
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(spec->name, spec->partitions, spec->replication, why, sizeof(why));
    if (topic == NULL) {
        return charm_error_set(reterr, CHARM_EINVAL, "create topic '%s': %s", spec->name, why);
    }
    topics->at[topics->count++] = topic;
    if (rd_kafka_NewTopic_set_config(topic, "cleanup.policy", spec->cleanup_policy) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        return charm_error_set(reterr, CHARM_EINVAL, "create topic '%s': bad cleanup.policy",
                               spec->name);
    }
    return 0;
}

static void take_results(struct charm_arena *arena, const rd_kafka_event_t *event,
                         const struct kcb_topic_spec *specs, size_t count,
                         struct kcb_topic_result *ret_results)
{
    size_t answered = 0;
    const rd_kafka_topic_result_t **all = rd_kafka_CreateTopics_result_topics(event, &answered);
    for (size_t i = 0; i < count; i++) {
        ret_results[i] = (struct kcb_topic_result){ .code = RD_KAFKA_RESP_ERR_UNKNOWN,
                                                    .text = "the broker said nothing of it" };
        for (size_t k = 0; k < answered; k++) {
            if (charmi_same(specs[i].name, rd_kafka_topic_result_name(all[k]))) {
                const char *text = rd_kafka_topic_result_error_string(all[k]);
                ret_results[i].code = (int)rd_kafka_topic_result_error(all[k]);
                ret_results[i].text = charm_arena_copy(arena, text != NULL ? text : "");
            }
        }
    }
}

int kcbi_kafka_create(struct kcbi_session *session, struct charm_arena *arena,
                      const struct charm_value *settings, const struct kcb_topic_spec *specs,
                      size_t count, int64_t timeout_ms, struct kcb_topic_result *ret_results,
                      struct charm_error *reterr)
{
    struct talk talk;
    __attribute__((cleanup(new_topics_release))) struct new_topics topics = {
        .at = charm_arena_array(arena, count, sizeof(rd_kafka_NewTopic_t *)),
    };
    int result = begin(session, arena, settings, timeout_ms, &talk, reterr);
    for (size_t i = 0; result == 0 && i < count; i++) {
        result = new_topic(&topics, &specs[i], reterr);
    }
    if (result != 0 || count == 0) {
        return result;
    }
    auto_options rd_kafka_AdminOptions_t *options =
        options_for(&talk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    auto_event rd_kafka_event_t *event = NULL;
    rd_kafka_CreateTopics(talk.client->kafka, topics.at, count, options, talk.client->queue);
    result = kcbi_kafka_client_wait(talk.client, talk.deadline_ms, &event, reterr);
    if (result != 0) {
        return result;
    }
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kcbi_kafka_client_failed(talk.client, rd_kafka_event_error(event),
                                        rd_kafka_event_error_string(event), reterr);
    }
    take_results(arena, event, specs, count, ret_results);
    return 0;
}
