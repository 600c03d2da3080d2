#include "kcb/worker_config.h"

#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "kcb/properties.h"
#include "kcb/redact.h"

/* Where apache/kafka keeps the file connectors. */
#define FILE_PLUGIN "/opt/kafka/libs/connect-file-%s.jar"

/* Name of the config provider that tells a worker its pod's address. */
#define POD_PROVIDER "pod"

/* The other way to bring a secret to the workers, in words. */
#define SEND_IT "let the relation carry it (allow-secrets-in-relation=true)"

#define ADVERTISED_HOST "rest.advertised.host.name"

#define JSON_CONVERTER "org.apache.kafka.connect.json.JsonConverter"

/* ---- what the charm computes ---- */

static const char *bootstrap_servers(struct charm_arena *arena, const char *const *brokers)
{
    struct charmi_words sorted = { 0 };
    for (size_t i = 0; brokers != NULL && brokers[i] != NULL; i++) {
        if (!charmi_blank(brokers[i]) && !charmi_words_have(&sorted, brokers[i])) {
            charmi_words_add(arena, &sorted, brokers[i]);
        }
    }
    charmi_words_sort(&sorted);
    return charmi_words_join(arena, &sorted, ",");
}

static void add_topics(const struct kcbi_worker_inputs *inputs, struct kcbi_traits traits,
                       struct charm_value *map)
{
    charm_value_set_text(map, "config.storage.topic", inputs->names->configs_topic);
    charm_value_set_text(map, "offset.storage.topic", inputs->names->offsets_topic);
    charm_value_set_text(map, "status.storage.topic", inputs->names->status_topic);
    if (!traits.creates_topics) {
        return;
    }
    /* The charm makes the topics. Should one be lost, the broker's own default is as good as it gets, and does not roll
     * the workers when a broker joins. */
    const int factor = traits.broker_replication       ? -1
                       : inputs->topic_replication > 0 ? inputs->topic_replication
                                                       : 1;
    charm_value_setf(map, "config.storage.replication.factor", "%d", factor);
    charm_value_setf(map, "offset.storage.replication.factor", "%d", factor);
    charm_value_setf(map, "status.storage.replication.factor", "%d", factor);
}

/* The converters of Kafka's own connect-distributed.properties; before 2.0 also those of Connect's own records. */
static void add_converters(struct kcbi_traits traits, struct charm_value *map)
{
    charm_value_set_text(map, "key.converter", JSON_CONVERTER);
    charm_value_set_text(map, "value.converter", JSON_CONVERTER);
    if (traits.internal_converters) {
        charm_value_set_text(map, "internal.key.converter", JSON_CONVERTER);
        charm_value_set_text(map, "internal.key.converter.schemas.enable", "false");
        charm_value_set_text(map, "internal.value.converter", JSON_CONVERTER);
        charm_value_set_text(map, "internal.value.converter.schemas.enable", "false");
    }
}

/* A jar by its full name: the whole folder would give each of Kafka's own jars a class loader of its own. */
static void add_plugins(struct charm_arena *arena, const struct kcbi_worker_inputs *inputs,
                        struct kcbi_traits traits, struct charm_value *map)
{
    const struct kcbi_image *image = inputs->image;
    if (traits.file_plugin && image->kind == KCBI_IMAGE_APACHE && image->has_version) {
        charm_value_setf(map, "plugin.path", FILE_PLUGIN, kcbi_version_text(arena, image->version));
    }
}

/* No host in it: a worker without rest.advertised.host.name then advertises the address of its pod. */
static void set_port(struct kcbi_traits traits, int port, struct charm_value *map)
{
    if (traits.rest_port) {
        charm_value_setf(map, "rest.port", "%d", port);
    } else {
        charm_value_setf(map, "listeners", "http://:%d", port);
    }
}

/* One ConfigMap serves all pods: each fills in its own address (kafka-connect.md 3.3). */
static void add_advertised(struct kcbi_traits traits, struct charm_value *map)
{
    if (!traits.env_provider) {
        return;
    }
    charm_value_set_text(map, ADVERTISED_HOST, "${" POD_PROVIDER ":" KCBI_POD_IP_VARIABLE "}");
    charm_value_set_text(map, "config.providers." POD_PROVIDER ".class",
                         "org.apache.kafka.common.config.provider.EnvVarConfigProvider");
    /* Connector authors can use every provider: let this one tell nothing else. */
    charm_value_set_text(map, "config.providers." POD_PROVIDER ".param.allowlist.pattern",
                         KCBI_POD_IP_VARIABLE);
}

/* Here, too, connector authors can use the provider: it tells nothing but this one Secret (allowed.paths: from 3.8). */
static void add_secret_provider(const struct kcbi_worker_inputs *inputs, struct charm_value *map)
{
    if (inputs->secret_way != KCBI_SECRETS_IN_KUBERNETES) {
        return;
    }
    charm_value_set_text(map, "config.providers." KCBI_SECRET_PROVIDER ".class",
                         "org.apache.kafka.common.config.provider.FileConfigProvider");
    charm_value_set_text(map, "config.providers." KCBI_SECRET_PROVIDER ".param.allowed.paths",
                         KCBI_SECRET_DIR);
}

static struct charm_value *compute(struct charm_arena *arena,
                                   const struct kcbi_worker_inputs *inputs,
                                   struct kcbi_traits traits)
{
    struct charm_value *map = charm_value_new_map(arena);
    const char *servers = bootstrap_servers(arena, inputs->brokers);
    if (servers[0] != '\0') {
        charm_value_set_text(map, "bootstrap.servers", servers);
    }
    charm_value_set_text(map, "group.id", inputs->names->group);
    add_topics(inputs, traits, map);
    add_converters(traits, map);
    add_plugins(arena, inputs, traits, map);
    set_port(traits, KCBI_REST_PORT, map);
    add_advertised(traits, map);
    add_secret_provider(inputs, map);
    if (traits.client_override) {
        /* All, the default since 3.0, would let a connector take another identity. */
        charm_value_set_text(map, "connector.client.config.override.policy", "None");
    }
    return map;
}

/* ---- what others give ---- */

/* Keys that only the charm sets; a name that ends in a dot stands for all that begin with it. */
static const struct {
    const char *key;
    const char *reason;
} owned[] = {
    { "config.providers." POD_PROVIDER ".", "the workers find their own address by it" },
    { "config.providers." KCBI_SECRET_PROVIDER ".", "it reads the Secret of option worker-secret" },
    { "config.storage.topic", "the charm makes this topic and watches over it" },
    { "listeners", "the Service, the probes and the charm count on it; rest.port gives another "
                   "port" },
    { "offset.storage.topic", "the charm makes this topic and watches over it" },
    { "rest.advertised.", "each worker advertises the address of its own pod" },
    { "rest.extension.classes", "the probes and the charm use the REST port without credentials" },
    { "rest.host.name", "workers must listen on the address of their pod" },
    { "status.storage.topic", "the charm makes this topic and watches over it" },
};

static bool has_name(const char *key, const char *name)
{
    return charmi_ends_with(name, ".") ? charmi_starts_with(key, name) : charmi_same(key, name);
}

static const char *owned_because(const char *key)
{
    for (size_t i = 0; i < CHARMI_COUNT(owned); i++) {
        if (has_name(key, owned[i].key)) {
            return owned[i].reason;
        }
    }
    return NULL;
}

bool kcbi_worker_secret(const char *key)
{
    static const char *const ends[] = { "password",    "passphrase",     "secret",
                                        "jaas.config", "auth.user.info", NULL };
    char lower[256] = "";
    const size_t size = strlen(key);
    /* Only the end tells; what comes before is a prefix such as producer. */
    const char *tail = size < sizeof(lower) ? key : key + size - (sizeof(lower) - 1);
    for (size_t i = 0; tail[i] != '\0'; i++) {
        lower[i] = (char)tolower((unsigned char)tail[i]);
    }
    for (size_t i = 0; ends[i] != NULL; i++) {
        if (charmi_ends_with(lower, ends[i])) {
            return true;
        }
    }
    return strstr(lower, "ssl.") != NULL && charmi_ends_with(lower, ".key");
}

static int check_port(const char *value, struct charm_error *reterr)
{
    int64_t port = 0;
    if (!charmi_parse_int(value, 1024, 65535, &port)) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "rest.port must be a number from 1024 to 65535");
    }
    return 0;
}

static bool is_plain(const char *key)
{
    for (; *key != '\0'; key++) {
        if (*key <= ' ' || *key >= 0x7f) {
            return false;
        }
    }
    return true;
}

static bool is_secret(const char *key, const char *value)
{
    return kcbi_worker_secret(key) && !kcbi_is_reference(value);
}

/* Is there a way for it to the workers? */
static int check_secret(const struct kcbi_worker_inputs *inputs, const char *key,
                        struct charm_error *reterr)
{
    if (inputs->secret_way != KCBI_SECRETS_NOWHERE) {
        return 0;
    }
    return charm_error_set(
        reterr, CHARM_EINVAL,
        "%.200s carries a secret, and the workers' configuration is kept in the open: put it into "
        "a "
        "Kubernetes Secret and name that (juju config %s worker-secret=NAME), or %s",
        key, inputs->names->application, SEND_IT);
}

static int check_one(const char *key, const char *value, const struct charm_value *computed,
                     struct charm_error *reterr)
{
    if (key[0] == '\0') {
        return charm_error_set(reterr, CHARM_EINVAL, "a property has no name");
    }
    if (!is_plain(key)) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "a property's name holds blanks, control characters or letters "
                               "outside of ASCII: Kafka has none of that kind");
    }
    if (charmi_same(key, "rest.port")) {
        return check_port(value, reterr);
    }
    if (charmi_same(key, ADVERTISED_HOST) && value[0] == '\0') {
        return 0; /* Connect then finds its address by itself */
    }
    const char *reason = owned_because(key);
    const struct charm_value *ours = charm_value_get(computed, key);
    if (reason != NULL && (ours == NULL || !charmi_same(charm_text(ours), value))) {
        return charm_error_set(reterr, CHARM_EINVAL, "%.200s belongs to the charm: %s", key,
                               reason);
    }
    return 0;
}

/* Settings that somebody gave. */
struct given {
    const char *who;
    const struct charm_value *settings;
};

/* Puts what somebody gave over what is there. */
static int lay_over(struct charm_arena *arena, const struct kcbi_worker_inputs *inputs,
                    struct given given, const struct charm_value *computed, struct charm_value *map,
                    struct charm_error *reterr)
{
    CHARM_EACH(given.settings, it)
    {
        const char *value = charm_value_scalar(arena, it.value);
        int code = check_one(it.key, value, computed, reterr);
        if (code == 0 && is_secret(it.key, value)) {
            code = check_secret(inputs, it.key, reterr);
        }
        if (code != 0) {
            return charm_error_wrap(reterr, "%s", given.who);
        }
        charm_value_set_text(map, it.key, value);
    }
    return 0;
}

static void lay_options_over(const struct kcbi_worker_inputs *inputs, struct charm_value *map)
{
    if (!charmi_blank(inputs->group_id)) {
        charm_value_set_text(map, "group.id", inputs->group_id);
    }
}

/* ---- together ---- */

/* The operator's providers, and ours beside them. */
static void add_providers(struct charm_arena *arena, const struct kcbi_worker_inputs *inputs,
                          struct kcbi_traits traits, struct charm_value *map)
{
    const char *given = charm_text(charm_value_get(map, "config.providers"));
    struct charmi_words providers = charmi_split(arena, given, ", \t");
    if (traits.env_provider && !charmi_words_have(&providers, POD_PROVIDER)) {
        charmi_words_add(arena, &providers, POD_PROVIDER);
    }
    if (inputs->secret_way == KCBI_SECRETS_IN_KUBERNETES &&
        !charmi_words_have(&providers, KCBI_SECRET_PROVIDER)) {
        charmi_words_add(arena, &providers, KCBI_SECRET_PROVIDER);
    }
    if (providers.size > 0) {
        charm_value_set_text(map, "config.providers", charmi_words_join(arena, &providers, ","));
    }
}

static struct charm_value *secrets_of(struct charm_arena *arena, const struct charm_value *map)
{
    struct charm_value *secrets = charm_value_new_map(arena);
    CHARM_EACH(map, it)
    {
        if (is_secret(it.key, charm_text(it.value))) {
            charm_value_set(secrets, it.key, it.value);
        }
    }
    return secrets;
}

/* The same properties, with the place in the Secret's file instead of each secret. */
static struct charm_value *with_references(struct charm_arena *arena, const struct charm_value *map,
                                           const struct charm_value *secrets)
{
    struct charm_value *open = charm_value_copy(arena, map);
    CHARM_EACH(secrets, it)
    {
        charm_value_setf(open, it.key,
                         "${" KCBI_SECRET_PROVIDER ":" KCBI_SECRET_DIR "/" KCBI_SECRET_FILE ":%s}",
                         it.key);
    }
    return open;
}

/* rest.port is the one name for the port that is taken, in all versions; it is written as the version wants it. */
static int settle_port(struct charm_value *map, struct kcbi_traits traits)
{
    int64_t port = KCBI_REST_PORT;
    const char *given = charm_text(charm_value_get(map, "rest.port"));
    const int settled = charmi_parse_int(given, 1024, 65535, &port) ? (int)port : KCBI_REST_PORT;
    charm_value_remove(map, "rest.port");
    set_port(traits, settled, map);
    return settled;
}

static int check_whole(const struct charm_value *map, struct charm_error *reterr)
{
    if (charmi_blank(charm_text(charm_value_get(map, "bootstrap.servers")))) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "render the workers' configuration: no broker is known");
    }
    if (charmi_blank(charm_text(charm_value_get(map, "group.id")))) {
        return charm_error_set(reterr, CHARM_EINVAL, "option worker-config: group.id is empty");
    }
    return 0;
}

/* Computed, upper layer, named options, lines: the later wins. */
static int merge(struct charm_arena *arena, const struct kcbi_worker_inputs *inputs,
                 struct kcbi_traits traits, struct charm_value *map, struct charm_error *reterr)
{
    struct charm_value *lines = NULL;
    if (inputs->secret_way == KCBI_SECRETS_IN_KUBERNETES && !traits.own_providers) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "option worker-secret: workers before 2.3 do not read their own "
                               "settings from it (KIP-421): use a newer image, or %s",
                               SEND_IT);
    }
    if (kcbi_properties_parse(arena, inputs->lines, &lines, reterr) != 0) {
        return charm_error_wrap(reterr, "option worker-config");
    }
    const struct charm_value *computed = compute(arena, inputs, traits);
    charm_value_update(map, computed);
    const int code = lay_over(arena, inputs,
                              (struct given){ "the upper layer's worker settings", inputs->upper },
                              computed, map, reterr);
    if (code != 0) {
        return code;
    }
    lay_options_over(inputs, map);
    return lay_over(arena, inputs, (struct given){ "option worker-config", lines }, computed, map,
                    reterr);
}

int kcbi_worker_config_given(struct charm_arena *arena, const struct kcbi_worker_inputs *inputs,
                             struct charm_error *reterr)
{
    return merge(arena, inputs, kcbi_version_traits(inputs->version), charm_value_new_map(arena),
                 reterr);
}

int kcbi_worker_config_make(struct charm_arena *arena, const struct kcbi_worker_inputs *inputs,
                            struct kcbi_worker_config *ret_config, struct charm_error *reterr)
{
    const struct kcbi_traits traits = kcbi_version_traits(inputs->version);
    struct charm_value *map = charm_value_new_map(arena);
    int code = merge(arena, inputs, traits, map, reterr);
    if (code == 0) {
        code = check_whole(map, reterr);
    }
    if (code != 0) {
        return code;
    }
    add_providers(arena, inputs, traits, map);
    const int port = settle_port(map, traits);
    struct charm_value *secrets = secrets_of(arena, map);
    const bool by_reference = inputs->secret_way == KCBI_SECRETS_IN_KUBERNETES;
    *ret_config = (struct kcbi_worker_config){
        .properties = map,
        .secrets = secrets,
        .text = kcbi_properties_render(arena,
                                       by_reference ? with_references(arena, map, secrets) : map),
        .secret_text = !by_reference && charm_value_size(secrets) > 0,
        .reads_secret = by_reference,
        .rest_port = port,
        .wants_pod_ip = traits.env_provider,
    };
    return 0;
}
