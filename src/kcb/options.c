#include "kcb/options.h"

#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "kcb/names.h"
#include "kcb/versions.h"

enum {
    LEAST_HEAP = 32 * 1024 * 1024, /* Java's machine alone wants this much */
    LEAST_MEMORY =
        256 * 1024 * 1024, /* with less, half of it is a heap in which no worker starts */
    LONGEST_TOPICS = 64 * 1024,
    LONGEST_PREFIX = KCBI_TOPIC_NAME_MAX - (sizeof(".connectoffsets") - 1),
    SECRET_ID_SIZE = 20, /* of a Juju secret: an xid */
    NEXT_MAJOR = 5,      /* of Kafka: nobody knows what its workers will want */
};

typedef bool check_fn(const struct charm_value *value);

struct option {
    const char *name;
    check_fn *valid;
    const char *allowed; /* completes "use ..." */
    const char
        *fallback; /* JSON-free default when nothing good is known; config.yaml has the same */
};

static bool is_text(const struct charm_value *value)
{
    return charm_value_kind(value) == CHARM_STRING || value == NULL;
}

static bool in_range(const struct charm_value *value, int64_t low, int64_t high)
{
    const int64_t number = charm_value_int(value, low - 1);
    return number >= low && number <= high;
}

static bool valid_workers(const struct charm_value *value)
{
    return in_range(value, 1, 100);
}

static bool valid_replication(const struct charm_value *value)
{
    return in_range(value, 0, 32767);
}

static bool valid_restarts(const struct charm_value *value)
{
    return in_range(value, 0, 100);
}

static bool valid_bool(const struct charm_value *value)
{
    return charm_value_kind(value) == CHARM_BOOL;
}

static bool made_of(const char *text, size_t longest, const char *others)
{
    if (strlen(text) > longest) {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (!isalnum((unsigned char)*text) && strchr(others, *text) == NULL) {
            return false;
        }
    }
    return true;
}

static bool valid_group_id(const struct charm_value *value)
{
    return is_text(value) && made_of(charm_text(value), 200, "._-");
}

/* One name, as Kafka takes it (Topic.java): "." and ".." would be directories. */
static bool is_topic(const char *name)
{
    return made_of(name, KCBI_TOPIC_NAME_MAX, "._-") && !charmi_same(name, ".") &&
           !charmi_same(name, "..");
}

/* The longest of what follows is ".connectoffsets". */
static bool valid_topic_prefix(const struct charm_value *value)
{
    return is_text(value) && made_of(charm_text(value), LONGEST_PREFIX, "._-");
}

static bool valid_topics(const struct charm_value *value)
{
    struct charm_arena *arena = charm_arena_new();
    const struct charmi_words names = charmi_split(arena, charm_text(value), " \t\r\n");
    bool valid = is_text(value) && strlen(charm_text(value)) <= LONGEST_TOPICS;
    for (size_t i = 0; valid && i < names.size; i++) {
        valid = is_topic(names.at[i]);
    }
    charm_arena_free(arena);
    return valid;
}

static bool valid_image(const struct charm_value *value)
{
    return is_text(value) && made_of(charm_text(value), 512, "._-/:@");
}

static bool valid_line(const struct charm_value *value)
{
    return is_text(value) && strpbrk(charm_text(value), "\r\n") == NULL;
}

static bool valid_version(const struct charm_value *value)
{
    const char *text = charm_text(value);
    struct kcbi_version version;
    return is_text(value) && (text[0] == '\0' || (kcbi_version_parse(text, &version, NULL) == 0 &&
                                                  version.major < NEXT_MAJOR));
}

static bool valid_heap(const struct charm_value *value)
{
    const char *text = charm_text(value);
    return is_text(value) && (text[0] == '\0' || kcbi_options_heap_bytes(text) >= LEAST_HEAP);
}

static bool valid_memory(const struct charm_value *value)
{
    return is_text(value) && kcbi_options_bytes(charm_text(value)) >= LEAST_MEMORY;
}

static bool valid_cpu(const struct charm_value *value)
{
    const char *text = charm_text(value);
    const size_t digits = strspn(text, "0123456789");
    return is_text(value) && digits > 0 && digits < 7 && text[0] != '0' &&
           (text[digits] == '\0' || strcmp(text + digits, "m") == 0);
}

static bool valid_service_type(const struct charm_value *value)
{
    static const char *const types[] = { "NodePort", "ClusterIP", "LoadBalancer", NULL };
    return is_text(value) && charmi_in(types, charm_text(value));
}

/* secret:ID or secret://MODEL/ID (juju-contract.md 3.16). */
static bool valid_secret_uri(const struct charm_value *value)
{
    static const char scheme[] = "secret:";
    const char *text = charm_text(value);
    if (text[0] == '\0' || !charmi_starts_with(text, scheme)) {
        return is_text(value) && text[0] == '\0';
    }
    const char *slash = strrchr(text, '/');
    const char *id = slash == NULL ? text + strlen(scheme) : slash + 1;
    return strlen(id) == SECRET_ID_SIZE && made_of(text + strlen(scheme), 100, "-/");
}

/* What Kubernetes takes as an object's name (RFC 1123). */
static bool valid_object_name(const struct charm_value *value)
{
    const char *text = charm_text(value);
    const size_t size = strlen(text);
    if (!is_text(value) || size == 0) {
        return is_text(value);
    }
    return size <= 253 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == size &&
           isalnum((unsigned char)text[0]) && isalnum((unsigned char)text[size - 1]) &&
           strstr(text, "..") == NULL && strstr(text, ".-") == NULL && strstr(text, "-.") == NULL;
}

static bool valid_any_text(const struct charm_value *value)
{
    return is_text(value);
}

static const struct option table[] = {
    { "workers", valid_workers, "a number from 1 to 100", "1" },
    { "group-id", valid_group_id,
      "letters, digits, dots, underscores and hyphens, at most 200, or nothing", "" },
    { "topics", valid_topics,
      "topic names (letters, digits, dots, underscores, hyphens, at most 249 of them) and blanks",
      "" },
    { "topic-prefix", valid_topic_prefix,
      "letters, digits, dots, underscores and hyphens, at most 234, or nothing", "" },
    { "worker-config", valid_any_text, "lines of property=value", "" },
    { "kafka-secret", valid_secret_uri,
      "the URI of a Juju secret such as secret:d0a1b2c3d4e5f6g7h8i9, or nothing", "" },
    { "worker-secret", valid_object_name,
      "the name of a Kubernetes Secret (small letters, digits, hyphens, dots), or nothing", "" },
    { "allow-secrets-in-relation", valid_bool, "true or false", "false" },
    { "replication-factor", valid_replication, "a number from 0 to 32767", "0" },
    { "connectors", valid_any_text, "YAML or JSON", "" },
    { "adopt-connectors", valid_bool, "true or false", "false" },
    { "restart-failed", valid_restarts, "a number from 0 to 100", "0" },
    { "image", valid_image, "an image name such as apache/kafka:4.1.0, or nothing", "" },
    { "worker-command", valid_line, "one line of words, or nothing", "" },
    { "worker-version", valid_version, "a version from 0.10 to 4.x such as 3.9.1, or nothing", "" },
    { "heap", valid_heap, "a number with M or G such as 512M, at least 32M, or nothing", "" },
    { "memory", valid_memory, "at least 256Mi, written as 768Mi or 2Gi", "1Gi" },
    { "cpu", valid_cpu, "a number of cores such as 2, or thousandths such as 250m", "250m" },
    { "service-type", valid_service_type, "NodePort, ClusterIP or LoadBalancer", "NodePort" },
};

const char *const *kcbi_options_names(struct charm_arena *arena)
{
    const char **names = charm_arena_array(arena, CHARMI_COUNT(table) + 1, sizeof(*names));
    for (size_t i = 0; i < CHARMI_COUNT(table); i++) {
        names[i] = table[i].name;
    }
    return names;
}

bool kcbi_option_names_a_secret(const char *name)
{
    static const char *const names[] = { "kafka-secret", "worker-secret", NULL };
    return charmi_in(names, name);
}

int64_t kcbi_options_bytes(const char *text)
{
    static const struct {
        const char *suffix;
        int64_t factor;
    } units[] = {
        { "", 1 },
        { "k", 1000 },
        { "Ki", 1024 },
        { "M", 1000 * 1000 },
        { "Mi", 1024 * 1024 },
        { "G", 1000 * 1000 * 1000 },
        { "Gi", 1024 * 1024 * 1024 },
    };
    const size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 9) {
        return -1;
    }
    int64_t number = 0;
    for (size_t i = 0; i < digits; i++) {
        number = number * 10 + (text[i] - '0');
    }
    for (size_t i = 0; i < CHARMI_COUNT(units); i++) {
        if (strcmp(text + digits, units[i].suffix) == 0) {
            return number * units[i].factor;
        }
    }
    return -1;
}

int64_t kcbi_options_heap_bytes(const char *text)
{
    const size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 6 ||
        (strcmp(text + digits, "M") != 0 && strcmp(text + digits, "G") != 0)) {
        return -1;
    }
    int64_t number = 0;
    for (size_t i = 0; i < digits; i++) {
        number = number * 10 + (text[i] - '0');
    }
    return number * (text[digits] == 'M' ? 1024 * 1024 : 1024 * 1024 * 1024);
}

/* A value from outside in a message: short, without line breaks. */
static const char *shown(struct charm_arena *arena, const struct charm_value *value)
{
    const char *text = charm_value_scalar(arena, value);
    if (text[0] == '\0') {
        return "nothing";
    }
    return charm_arena_printf(arena, "%.40s%s", text, strlen(text) > 40 ? "..." : "");
}

/*
 * The value in force of one option; a wrong one leaves a problem and the last good one. What should name a secret is
 * not shown: it may be the secret itself, misplaced.
 */
static const struct charm_value *in_force(struct charm_arena *arena, const struct option *option,
                                          const struct charm_value *config,
                                          const struct charm_value *last_good,
                                          struct kcbi_options *options)
{
    const struct charm_value *given = charm_value_get(config, option->name);
    if (charm_value_kind(given) == CHARM_NULL) {
        given = charm_value_decode(arena, option->fallback);
    }
    if (option->valid(given)) {
        return given;
    }
    const struct charm_value *kept = charm_value_get(last_good, option->name);
    if (kept == NULL || !option->valid(kept)) {
        kept = charm_value_decode(arena, option->fallback);
    }
    if (options->problem == NULL) {
        options->problem = charm_arena_printf(
            arena, "option %s: %s is not allowed, use %s (keeping %s)", option->name,
            kcbi_option_names_a_secret(option->name) ? "this value" : shown(arena, given),
            option->allowed, shown(arena, kept));
    }
    return kept;
}

/* Heap and memory are checked together: a heap that fills the memory ends in pods killed for memory. */
static void check_heap(struct charm_arena *arena, struct kcbi_options *options)
{
    const int64_t memory = kcbi_options_bytes(options->memory);
    const int64_t heap = kcbi_options_heap_bytes(options->heap);
    if (options->heap[0] == '\0' || heap * 10 <= memory * 9) {
        return;
    }
    if (options->problem == NULL) {
        options->problem = charm_arena_printf(
            arena,
            "option heap: %s is not allowed with memory %s, use at most nine tenths of memory "
            "(keeping half of memory)",
            options->heap, options->memory);
    }
    options->heap = "";
}

void kcbi_options_read(struct charm_arena *arena, const struct charm_value *config,
                       const struct charm_value *last_good, struct kcbi_options *ret_options)
{
    struct kcbi_options options = { .good = charm_value_new_map(arena) };
    for (size_t i = 0; i < CHARMI_COUNT(table); i++) {
        charm_value_set(options.good, table[i].name,
                        in_force(arena, &table[i], config, last_good, &options));
    }
    const struct charm_value *good = options.good;
    options.workers = charm_value_int(charm_value_get(good, "workers"), 1);
    options.group_id = charm_text(charm_value_get(good, "group-id"));
    options.topics = charm_text(charm_value_get(good, "topics"));
    options.topic_prefix = charm_text(charm_value_get(good, "topic-prefix"));
    options.worker_config = charm_text(charm_value_get(good, "worker-config"));
    options.kafka_secret = charm_text(charm_value_get(good, "kafka-secret"));
    options.worker_secret = charm_text(charm_value_get(good, "worker-secret"));
    options.allow_secrets_in_relation =
        charm_value_true(charm_value_get(good, "allow-secrets-in-relation"));
    options.replication_factor = charm_value_int(charm_value_get(good, "replication-factor"), 0);
    options.connectors = charm_text(charm_value_get(good, "connectors"));
    options.adopt_connectors = charm_value_true(charm_value_get(good, "adopt-connectors"));
    options.restart_failed = charm_value_int(charm_value_get(good, "restart-failed"), 0);
    options.image = charm_text(charm_value_get(good, "image"));
    options.worker_command = charm_text(charm_value_get(good, "worker-command"));
    options.worker_version = charm_text(charm_value_get(good, "worker-version"));
    options.heap = charm_text(charm_value_get(good, "heap"));
    options.memory = charm_text(charm_value_get(good, "memory"));
    options.cpu = charm_text(charm_value_get(good, "cpu"));
    options.service_type = charm_text(charm_value_get(good, "service-type"));
    check_heap(arena, &options);
    *ret_options = options;
}
