#include "lab/brokers.h"

#include <string.h>

#include "base/text.h"

enum {
    MOST_BROKERS = 9,
    OLDEST_FETCH = 4, /* what a broker of 4.x takes: KIP-896 */
    NO_COUNTDOWN = -1,

    /* https://kafka.apache.org/protocol#protocol_error_codes */
    TOPIC_NOT_AUTHORISED = 29,
    TOPIC_EXISTS = 36,
    INVALID_PARTITIONS = 37,
    INVALID_REPLICATION = 38,
    DEFAULT_PARTITIONS = 1,
};

#define CANNOT_DESCRIBE                                                                            \
    "DescribeConfigs (KIP-133) not supported by broker, requires broker version >= 0.11.0"

struct lab_brokers {
    struct charm_arena *arena;
    const char *host;
    int port;
    int count;
    bool down[MOST_BROKERS];
    int64_t calls_left; /* until all are down, or NO_COUNTDOWN */
    int64_t lag;
    int64_t fetch;
    int look_error;
    int create_error;
    bool refuses_credentials;
    struct charm_value *topics; /* name -> {partitions, replication, policy, unseen} */
};

struct lab_brokers *lab_brokers_new(struct charm_arena *arena, const char *host, int port)
{
    struct lab_brokers *brokers = charm_arena_alloc(arena, sizeof(*brokers));
    *brokers = (struct lab_brokers){
        .arena = arena, .host = charm_arena_copy(arena, host), .port = port, .count = 1
    };
    brokers->fetch = OLDEST_FETCH;
    brokers->calls_left = NO_COUNTDOWN;
    brokers->topics = charm_value_new_map(arena);
    return brokers;
}

const struct charm_value *lab_brokers_topics(const struct lab_brokers *brokers)
{
    return brokers->topics;
}

/* ---- set ---- */

static void set_all_down(struct lab_brokers *brokers, bool down)
{
    for (int i = 0; i < MOST_BROKERS; i++) {
        brokers->down[i] = down;
    }
    brokers->calls_left = NO_COUNTDOWN;
}

static void put_topic(struct lab_brokers *brokers, struct charm_value *topics, const char *name,
                      const struct charm_value *what)
{
    const bool whole = charm_value_kind(what) == CHARM_MAP;
    const struct charm_value *partitions = whole ? charm_value_get(what, "partitions") : what;
    const struct charm_value *policy = whole ? charm_value_get(what, "policy") : NULL;
    struct charm_value *topic = charm_value_add_map(topics, name);
    charm_value_set_int(topic, "partitions", charm_value_int(partitions, DEFAULT_PARTITIONS));
    charm_value_set_int(topic, "replication",
                        charm_value_int(whole ? charm_value_get(what, "replication") : NULL, 1));
    if (policy == NULL) {
        charm_value_set_text(topic, "policy", "compact");
    } else {
        charm_value_set(topic, "policy", charm_value_copy(brokers->arena, policy));
    }
    charm_value_set_int(topic, "unseen", 0);
}

typedef bool setter(struct lab_brokers *brokers, const struct charm_value *value);

static bool read_number(const struct charm_value *value, int64_t low, int64_t high,
                        int64_t *ret_number)
{
    const int64_t number = charm_value_int(value, INT64_MIN);
    if (number < low || number > high) {
        return false;
    }
    *ret_number = number;
    return true;
}

static bool set_count(struct lab_brokers *brokers, const struct charm_value *value)
{
    int64_t count;
    if (!read_number(value, 1, MOST_BROKERS, &count)) {
        return false;
    }
    brokers->count = (int)count;
    return true;
}

static bool set_down(struct lab_brokers *brokers, const struct charm_value *value)
{
    if (charm_value_kind(value) != CHARM_LIST) {
        return false;
    }
    set_all_down(brokers, false);
    for (size_t i = 0; i < charm_value_size(value); i++) {
        int64_t number;
        if (!read_number(charm_value_at(value, i), 1, MOST_BROKERS, &number)) {
            return false;
        }
        brokers->down[number - 1] = true;
    }
    return true;
}

static bool set_vanishing(struct lab_brokers *brokers, const struct charm_value *value)
{
    return read_number(value, 0, INT32_MAX, &brokers->calls_left);
}

static bool set_fetch(struct lab_brokers *brokers, const struct charm_value *value)
{
    return read_number(value, 0, INT16_MAX, &brokers->fetch);
}

static bool set_lag(struct lab_brokers *brokers, const struct charm_value *value)
{
    return read_number(value, 0, INT32_MAX, &brokers->lag);
}

static bool set_topics(struct lab_brokers *brokers, const struct charm_value *value)
{
    if (charm_value_kind(value) != CHARM_MAP) {
        return false;
    }
    brokers->topics = charm_value_new_map(brokers->arena);
    CHARM_EACH(value, it)
    {
        put_topic(brokers, brokers->topics, it.key, it.value);
    }
    return true;
}

static bool read_code(const struct charm_value *value, int *ret_code)
{
    int64_t code;
    if (!read_number(value, INT16_MIN, INT16_MAX, &code)) {
        return false;
    }
    *ret_code = (int)code;
    return true;
}

static bool set_look_error(struct lab_brokers *brokers, const struct charm_value *value)
{
    return read_code(value, &brokers->look_error);
}

static bool set_create_error(struct lab_brokers *brokers, const struct charm_value *value)
{
    return read_code(value, &brokers->create_error);
}

static bool set_credentials(struct lab_brokers *brokers, const struct charm_value *value)
{
    brokers->refuses_credentials = charmi_same(charm_text(value), "refused");
    return brokers->refuses_credentials || charmi_same(charm_text(value), "accepted");
}

static const struct {
    const char *key;
    setter *set;
} settings_known[] = {
    { "brokers", set_count },
    { "down", set_down },
    { "vanish-after", set_vanishing },
    { "lag", set_lag },
    { "fetch", set_fetch },
    { "topics", set_topics },
    { "look-error", set_look_error },
    { "create-error", set_create_error },
    { "credentials", set_credentials },
};

static setter *find_setter(const char *key)
{
    for (size_t i = 0; i < sizeof(settings_known) / sizeof(settings_known[0]); i++) {
        if (charmi_same(settings_known[i].key, key)) {
            return settings_known[i].set;
        }
    }
    return NULL;
}

static int set_word(struct lab_brokers *brokers, const char *word, struct charm_error *reterr)
{
    const bool down = charmi_same(word, "down");
    if (!down && !charmi_same(word, "up")) {
        return charm_error_set(reterr, CHARM_EINVAL, "kafka: want up, down or a map");
    }
    set_all_down(brokers, down);
    return 0;
}

int lab_brokers_set(struct lab_brokers *brokers, const struct charm_value *what,
                    struct charm_error *reterr)
{
    if (charm_value_kind(what) != CHARM_MAP) {
        return set_word(brokers, charm_text(what), reterr);
    }
    struct lab_brokers new = *brokers;
    CHARM_EACH(what, it)
    {
        setter *set = find_setter(it.key);
        if (set == NULL || !set(&new, it.value)) {
            return charm_error_set(reterr, CHARM_EINVAL, "kafka: %s: %s", it.key,
                                   set == NULL ? "there is no such key" : "not such a value");
        }
    }
    *brokers = new;
    return 0;
}

/* ---- to be asked at all ---- */

static const char *address_of(const struct lab_brokers *brokers, struct charm_arena *arena,
                              int index)
{
    return charm_arena_printf(arena, "%s:%d", brokers->host, brokers->port + index);
}

static size_t count_up(const struct lab_brokers *brokers)
{
    size_t up = 0;
    for (int i = 0; i < brokers->count; i++) {
        up += brokers->down[i] ? 0 : 1;
    }
    return up;
}

static void count_down(struct lab_brokers *brokers)
{
    if (brokers->calls_left == 0) {
        set_all_down(brokers, true);
    } else if (brokers->calls_left > 0) {
        brokers->calls_left--;
    }
}

/* The one name that every machine knows. */
static const char *resolve(struct charm_arena *arena, const char *server)
{
    return charmi_starts_with(server, "localhost:")
               ? charm_arena_printf(arena, "127.0.0.1%s", server + strlen("localhost"))
               : server;
}

static bool anybody_there(const struct lab_brokers *brokers, struct charm_arena *arena,
                          const char *bootstrap)
{
    struct charmi_words asked = charmi_split(arena, bootstrap, ", ");
    for (size_t i = 0; i < asked.size; i++) {
        asked.at[i] = resolve(arena, asked.at[i]);
    }
    for (int i = 0; i < brokers->count; i++) {
        if (!brokers->down[i] && charmi_words_have(&asked, address_of(brokers, arena, i))) {
            return true;
        }
    }
    return false;
}

static int reach(struct lab_brokers *brokers, struct charm_arena *arena,
                 const struct charm_value *settings, struct charm_error *reterr)
{
    const char *bootstrap = charm_text(charm_value_get(settings, "bootstrap.servers"));
    count_down(brokers);
    if (!anybody_there(brokers, arena, bootstrap)) {
        const char *first = charm_arena_copy_n(arena, bootstrap, strcspn(bootstrap, ", "));
        return charm_error_set(reterr, CHARM_ENET,
                               "Kafka at %s: %s/bootstrap: Connect to ipv4#%s failed: Connection "
                               "refused (after 0ms in state CONNECT)",
                               bootstrap, first, first);
    }
    if (brokers->refuses_credentials) {
        return charm_error_set(reterr, CHARM_EREFUSED,
                               "Kafka at %s: SASL authentication error: Authentication failed",
                               bootstrap);
    }
    return 0;
}

/* ---- look ---- */

static void list_brokers(const struct lab_brokers *brokers, struct charm_arena *arena,
                         struct kcb_cluster_view *view)
{
    const char **list = charm_arena_array(arena, count_up(brokers) + 1, sizeof(*list));
    for (int i = 0; i < brokers->count; i++) {
        if (!brokers->down[i]) {
            list[view->broker_count++] =
                charm_arena_printf(arena, "%d=%s", i + 1, address_of(brokers, arena, i));
        }
    }
    view->brokers = list;
}

static const char *words_of(int code)
{
    return code == TOPIC_NOT_AUTHORISED ? "Broker: Topic authorization failed"
                                        : "Broker: Not available";
}

static struct kcb_topic_view view_of(const struct lab_brokers *brokers, struct charm_arena *arena,
                                     const char *name)
{
    struct kcb_topic_view view = { .name = charm_arena_copy(arena, name),
                                   .presence = KCB_TOPIC_ABSENT,
                                   .policy_error = "",
                                   .error_text = "" };
    const struct charm_value *topic = charm_value_get(brokers->topics, name);
    if (brokers->look_error != 0) {
        view.presence = KCB_TOPIC_UNKNOWN;
        view.error_code = brokers->look_error;
        view.error_text = words_of(brokers->look_error);
    } else if (topic != NULL && charm_value_int(charm_value_get(topic, "unseen"), 0) == 0) {
        const struct charm_value *policy = charm_value_get(topic, "policy");
        const bool readable = charm_value_kind(policy) == CHARM_STRING;
        view.presence = KCB_TOPIC_PRESENT;
        view.partitions = (int)charm_value_int(charm_value_get(topic, "partitions"), 0);
        view.replication = (int)charm_value_int(charm_value_get(topic, "replication"), 0);
        view.cleanup_policy = readable ? charm_arena_copy(arena, charm_text(policy)) : NULL;
        view.policy_error = readable             ? ""
                            : brokers->fetch > 0 ? "Broker: Cluster authorization failed"
                                                 : CANNOT_DESCRIBE;
    }
    return view;
}

/* Every look brings what was made lately nearer. */
static void catch_up(struct lab_brokers *brokers)
{
    CHARM_EACH(brokers->topics, it)
    {
        const int64_t unseen = charm_value_int(charm_value_get(it.value, "unseen"), 0);
        if (unseen > 0) { /* ours, and no key of the map that is gone through */
            charm_value_set_int((struct charm_value *)(uintptr_t)it.value, "unseen", unseen - 1);
        }
    }
}

int lab_brokers_look(void *brokers, struct charm_arena *arena, const struct charm_value *settings,
                     const char *const *topics, int64_t timeout_ms,
                     struct kcb_cluster_view *ret_view, struct charm_error *reterr)
{
    struct lab_brokers *own = brokers;
    (void)timeout_ms;
    const int result = reach(own, arena, settings, reterr);
    if (result != 0) {
        return result;
    }
    struct kcb_cluster_view view = { .fetch_min_version = (int)own->fetch,
                                     .topic_count = charmi_list_size(topics) };
    struct kcb_topic_view *seen = charm_arena_array(arena, view.topic_count, sizeof(*seen));
    list_brokers(own, arena, &view);
    for (size_t i = 0; i < view.topic_count; i++) {
        seen[i] = view_of(own, arena, topics[i]);
    }
    view.topics = seen;
    catch_up(own);
    *ret_view = view;
    return 0;
}

/* ---- create ---- */

static struct kcb_topic_result refuse(struct charm_arena *arena, const struct lab_brokers *brokers,
                                      const struct kcb_topic_spec *spec)
{
    if (brokers->create_error != 0) {
        return (struct kcb_topic_result){ brokers->create_error, words_of(brokers->create_error) };
    }
    if (charm_value_get(brokers->topics, spec->name) != NULL) {
        return (struct kcb_topic_result){
            TOPIC_EXISTS, charm_arena_printf(arena, "Topic '%s' already exists.", spec->name)
        };
    }
    if (spec->partitions < 1) {
        return (struct kcb_topic_result){ INVALID_PARTITIONS,
                                          "Number of partitions must be larger than 0." };
    }
    if (spec->replication < 1 || (size_t)spec->replication > count_up(brokers)) {
        return (struct kcb_topic_result){
            INVALID_REPLICATION,
            charm_arena_printf(arena,
                               "Unable to replicate the partition %d time(s): The target "
                               "replication factor of %d cannot be reached because only %zu "
                               "broker(s) are registered.",
                               spec->replication, spec->replication, count_up(brokers))
        };
    }
    return (struct kcb_topic_result){ 0, "" };
}

static void make(struct lab_brokers *brokers, const struct kcb_topic_spec *spec)
{
    struct charm_value *topic = charm_value_add_map(brokers->topics, spec->name);
    charm_value_set_int(topic, "partitions", spec->partitions);
    charm_value_set_int(topic, "replication", spec->replication);
    charm_value_set_text(topic, "policy", spec->cleanup_policy);
    charm_value_set_int(topic, "unseen", brokers->lag);
}

int lab_brokers_create(void *brokers, struct charm_arena *arena, const struct charm_value *settings,
                       const struct kcb_topic_spec *specs, size_t count, int64_t timeout_ms,
                       struct kcb_topic_result *ret_results, struct charm_error *reterr)
{
    struct lab_brokers *own = brokers;
    (void)timeout_ms;
    const int result = reach(own, arena, settings, reterr);
    if (result != 0) {
        return result;
    }
    for (size_t i = 0; i < count; i++) {
        ret_results[i] = refuse(arena, own, &specs[i]);
        if (ret_results[i].code == 0) {
            make(own, &specs[i]);
        }
    }
    return 0;
}
