/*
 * What an operator who looks at the world as it is would expect of the application. It knows what the README and the
 * options promise, and nothing of how the charm works.
 */
#include <string.h>

#include "base/memory.h"
#include "lab/history_internal.h"
#include "lab/yaml.h"

/* ---- options ---- */

#define LINES "lines: {connector.class: FileStreamSource, file: /tmp/in, topic: lines}\n"
#define ORDERS                                                                                     \
    "orders: {connector.class: com.example.JdbcSink, connection.password: " LAB_SECRET             \
    "-of-orders, tasks.max: 2, topics: orders}\n"

const struct lab_option_value lab_option_values[] = {
    { "workers", NULL, false },
    { "workers", "2", false },
    { "workers", "3", false },
    { "workers", "0", true },
    { "topics", "bills", false },
    { "topics", "bills orders", false },
    { "topics", "bad@name", true },
    { "connectors", NULL, false },
    { "connectors", LINES, false },
    { "connectors", LINES ORDERS, false },
    { "connectors", ORDERS, false },
    { "connectors", "lines: {connector.class: FileStreamSource, file: /tmp/other, topic: lines}\n",
      false },
    { "connectors",
      "orders: {connector.class: com.example.JdbcSink, connection.password: " LAB_SECRET
      "-of-others, connection.url: \"jdbc:x://me:" LAB_SECRET "-of-url@db/x\", topics: orders}\n",
      false },
    { "connectors", "theirs: {connector.class: FileStreamSink, topics: lines}\n" LINES, false },
    { "connectors", "[lines]", true },
    { "connectors", "lines: {connector.class: [a, b]}\n" ORDERS, true },
    { "connectors", "lines: {password: " LAB_SECRET "-of-a-wrong-one}", true },
    { "adopt-connectors", "true", false },
    { "adopt-connectors", "false", false },
    { "worker-config", NULL, false },
    { "worker-config", "offset.flush.interval.ms=5000", false },
    { "worker-config", "config.storage.topic=mine", true },
    { "worker-config", "producer.ssl.keystore.password=" LAB_SECRET "-of-worker-config", true },
    { "restart-failed", "2", false },
    { "restart-failed", "-1", true },
    { "replication-factor", "3", false },
    { "replication-factor", "1", false },
    { "replication-factor", "-1", true },
    { "group-id", "others", false },
    { "group-id", "two words", true },
    { "image", "apache/kafka:4.0.0", false },
    { "image", "no image", true },
    { "memory", "2Gi", false },
    { "memory", "1Mi", true },
    { "heap", "300M", false },
    { "heap", "much", true },
    { "cpu", "2", false },
    { "service-type", "ClusterIP", false },
    { "service-type", "LoadBalancer", false },
    { "service-type", "Sideways", true },
    { "trace", "true", false },
    { NULL, NULL, false },
};

bool lab_option_is_wrong(const char *option, const char *value)
{
    for (const struct lab_option_value *v = lab_option_values; v->option != NULL; v++) {
        if (charmi_same(v->option, option) && v->value != NULL && charmi_same(v->value, value)) {
            return v->wrong;
        }
    }
    return false;
}

static const char *option(const struct lab_world *world, const char *name)
{
    return charm_value_scalar(
        world->arena,
        charm_value_get(lab_application_options(world->arena, world->app, false), name));
}

static bool is_wrong(const struct lab_world *world, const char *name)
{
    return lab_option_is_wrong(name, option(world, name));
}

/* A wrong option that is told; NULL: none but `connectors` and `worker-config` may be wrong. */
static const char *wrong_plain_option(const struct lab_world *world)
{
    static const char *const order[] = { "workers",
                                         "group-id",
                                         "topics",
                                         "replication-factor",
                                         "restart-failed",
                                         "image",
                                         "heap",
                                         "memory",
                                         "cpu",
                                         "service-type",
                                         NULL };
    for (size_t i = 0; order[i] != NULL; i++) {
        if (is_wrong(world, order[i])) {
            return order[i];
        }
    }
    return NULL;
}

/* ---- connectors ---- */

const struct charm_value *lab_wanted_connectors(struct lab_world *world)
{
    const char *text = option(world, "connectors");
    struct charm_value *wanted = charm_value_new_map(world->arena);
    struct charm_value *document = NULL;
    if (is_wrong(world, "connectors")) {
        return NULL;
    }
    if (lab_yaml_parse(world->arena, text, strlen(text), LAB_YAML_TEXTS, &document, NULL) != 0) {
        return NULL;
    }
    CHARM_EACH(document, it)
    {
        struct charm_value *config = charm_value_add_map(wanted, it.key);
        charm_value_update(config, it.value);
        charm_value_set_text(config, "name", it.key);
    }
    return wanted;
}

bool lab_may_restart(const struct lab_world *world)
{
    return charm_value_int(charm_value_new_text(world->arena, option(world, "restart-failed")), 0) >
           0;
}

bool lab_may_adopt(const struct lab_world *world)
{
    return charmi_same(option(world, "adopt-connectors"), "true");
}

/* ---- relations ---- */

/* Has the relation a unit that the application's units can see? */
static bool has_units(const struct lab_world *world, const char *endpoint)
{
    const struct lab_relation *relation = lab_world_relation(world, endpoint);
    for (const struct lab_seat *seat = relation == NULL ? NULL : relation->seats; seat != NULL;
         seat = seat->next) {
        if (seat->unit->app != world->app && seat->in_scope) {
            return true;
        }
    }
    return false;
}

static bool has_address(const struct lab_world *world)
{
    const struct lab_relation *relation = lab_world_relation(world, "kafka");
    for (const struct lab_seat *seat = relation == NULL ? NULL : relation->seats; seat != NULL;
         seat = seat->next) {
        int64_t port;
        if (seat->unit->app != world->app && seat->in_scope &&
            charmi_parse_int(charm_text(charm_value_get(seat->bag.values, "port")), 1, 65535,
                             &port)) {
            return true;
        }
    }
    return false;
}

/* The first internal topic that is not as Connect needs it; NULL: all are. */
static const char *wrong_topic(const struct lab_world *world)
{
    static const char *const names[] = { "configs", "offsets", "status", NULL };
    for (size_t i = 0; names[i] != NULL; i++) {
        const char *name =
            charm_arena_printf(world->arena, "%s.%s.connect%s", world->model->options.name,
                               world->app->name, names[i]);
        const struct charm_value *topic = charm_value_get(lab_brokers_topics(world->brokers), name);
        const bool single = i > 0 || charm_value_int(charm_value_get(topic, "partitions"), 0) == 1;
        if (topic == NULL || !single ||
            !charmi_same(charm_text(charm_value_get(topic, "policy")), "compact")) {
            return name;
        }
    }
    return NULL;
}

/* ---- the status ---- */

static const char *words_of_relations(const struct lab_world *world)
{
    const bool kafka = lab_world_relation(world, "kafka") != NULL;
    if (lab_world_relation(world, "kafka-client") != NULL) {
        return kafka ? "blocked kafka and kafka-client are both related*"
                     : "blocked kafka-client is not spoken yet*";
    }
    return kafka ? NULL : "blocked relation kafka is missing*";
}

/* What every unit tells, whoever leads; NULL: nothing. */
static const char *words_for_all(struct lab_world *world)
{
    const char *plain = wrong_plain_option(world);
    if (plain != NULL) {
        return charm_arena_printf(world->arena, "blocked option %s: *", plain);
    }
    if (is_wrong(world, "worker-config")) {
        return "blocked *worker-config*";
    }
    if (is_wrong(world, "connectors")) {
        return "blocked option connectors: *";
    }
    return words_of_relations(world);
}

static const char *first_foreign(const struct lab_world *world,
                                 const struct charm_value *connectors)
{
    const struct charmi_words names = lab_sorted_keys(
        world->arena, (struct charm_value *)(uintptr_t)connectors); /* not changed */
    for (size_t i = 0; i < names.size; i++) {
        if (charm_value_get(world->strangers, names.at[i]) != NULL) {
            return names.at[i];
        }
    }
    return NULL;
}

static const char *words_of_active(struct lab_world *world, const struct lab_wanted *wanted)
{
    const char *foreign = first_foreign(world, wanted->connectors);
    const int64_t workers =
        charm_value_int(charm_value_new_text(world->arena, option(world, "workers")), 1);
    const size_t connectors = charm_value_size(wanted->connectors);
    if (foreign != NULL) {
        return charm_arena_printf(
            world->arena, "blocked connector %s exists already and is not ours: *", foreign);
    }
    const char *words = charm_arena_printf(world->arena, "active %lld worker%s running",
                                           (long long)workers, workers == 1 ? "" : "s");
    if (connectors > 0) {
        words = charm_arena_printf(world->arena, "%s, %zu connector%s running", words, connectors,
                                   connectors == 1 ? "" : "s");
    }
    return charm_arena_printf(world->arena, "%s*", words); /* "; internal topics keep ..." */
}

static const char *words_of_leader(struct lab_world *world, const struct lab_wanted *wanted)
{
    const char *all = words_for_all(world);
    const char *topic = wrong_topic(world);
    if (all != NULL) {
        return all;
    }
    if (wanted->kafka_ready && topic != NULL) {
        return charm_arena_printf(world->arena, "blocked topic %s *", topic);
    }
    if (lab_world_relation(world, "kubernetes") == NULL) {
        return "blocked relation kubernetes is missing*";
    }
    if (!wanted->kafka_ready) {
        return "waiting waiting for Kafka to publish its address";
    }
    if (!wanted->kubernetes) {
        return "waiting waiting for a unit of kubernetes-deployer";
    }
    return words_of_active(world, wanted);
}

struct lab_wanted lab_wanted_of_leader(struct lab_world *world)
{
    struct lab_wanted wanted = {
        .kafka_ready = has_address(world),
        .topics_right = wrong_topic(world) == NULL,
        .kubernetes = has_units(world, "kubernetes"),
        .connectors = lab_wanted_connectors(world),
    };
    wanted.connectors_right = wanted.connectors != NULL;
    wanted.config_right = wrong_plain_option(world) == NULL && wanted.connectors_right &&
                          !is_wrong(world, "worker-config");
    wanted.running = wanted.kafka_ready && wanted.kubernetes && wanted.topics_right;
    wanted.status = words_of_leader(world, &wanted);
    return wanted;
}

const char *lab_wanted_status(struct lab_world *world, const struct lab_unit *unit,
                              const struct lab_wanted *wanted)
{
    const struct lab_unit *leader = world->app->leader;
    const char *all = words_for_all(world);
    if (unit == leader) {
        return wanted->status;
    }
    if (all != NULL) {
        return all;
    }
    if (lab_world_relation(world, "kubernetes") == NULL) {
        return "blocked relation kubernetes is missing*";
    }
    return leader == NULL
               ? "waiting waiting for a leader"
               : charm_arena_printf(world->arena,
                                    "active standby for %s; workers are set with: juju config %s "
                                    "workers=N",
                                    leader->name, world->app->name);
}
