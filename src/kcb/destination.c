#include "kcb/destination.h"

#include <string.h>

#include "kcb/address.h"
#include "kcb/manifests.h"

/* Most bytes of somebody else's words. */
#define WORDS_MAX 300

/* ---- the request ---- */

struct charm_value *kcbi_destination_request(struct charm_arena *arena,
                                             const struct kcbi_names *names,
                                             const struct charm_value *objects)
{
    struct charm_value *request = charm_value_new_map(arena);
    charm_value_set_text(request, "juju_unit", names->application);
    charm_value_set_text(request, "model_uuid", names->model_uuid);
    charm_value_set(request, "resource", objects != NULL ? objects : charm_value_new_list(arena));
    charm_value_set_text(request, "uuid", names->uuid);
    return request;
}

/* ---- words of others ---- */

/* One line, cut at a character, without control characters. */
static const char *plain_words(struct charm_arena *arena, const char *text)
{
    size_t size = strlen(text);
    const bool cut = size > WORDS_MAX;
    if (cut) {
        size = WORDS_MAX;
        while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80) {
            size--;
        }
    }
    char *words = charm_arena_printf(arena, "%.*s%s", (int)size, text, cut ? "..." : "");
    for (char *at = words; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f) {
            *at = ' ';
        }
    }
    return charmi_trim(arena, words);
}

/* ---- which unit, which objects ---- */

/* A status that is not there or empty says nothing: only the deployer's leader publishes. */
static bool has_status(const struct kcbi_answer *answer)
{
    switch (charm_value_kind(answer->status)) {
    case CHARM_NULL:
        return false;
    case CHARM_STRING:
        return !charmi_blank(charm_text(answer->status));
    case CHARM_LIST:
        return charm_value_size(answer->status) > 0;
    default:
        return true;
    }
}

/* The object of this kind that is ours. One without a name is taken: there is no other application in the answer. */
static const struct charm_value *find_object(const struct charm_value *list, const char *kind,
                                             const char *name)
{
    for (size_t i = 0; i < charm_value_size(list); i++) {
        const struct charm_value *object = charm_value_at(list, i);
        const struct charm_value *named = charm_value_path(object, "metadata", "name", NULL);
        if (charmi_same(charm_text(charm_value_get(object, "kind")), kind) &&
            (named == NULL || charmi_same(charm_text(named), name))) {
            return object;
        }
    }
    return NULL;
}

/* A count as Kubernetes gives it; what is missing or strange is 0. */
static int64_t count_of(const struct charm_value *map, const char *key)
{
    const struct charm_value *value = charm_value_get(map, key);
    if (charm_value_kind(value) != CHARM_INT) {
        return 0;
    }
    const int64_t count = charm_value_int(value, 0);
    return count > 0 ? count : 0;
}

/* ---- addresses ---- */

static void add_address(struct charm_arena *arena, struct charmi_words *addresses,
                        const struct charm_value *value)
{
    const char *text = charmi_trim(arena, charm_text(value));
    if (kcbi_is_address(text) && addresses->size < KCBI_ADDRESSES_MAX &&
        !charmi_words_have(addresses, text)) {
        charmi_words_add(arena, addresses, text);
    }
}

static struct charmi_words read_workers(struct charm_arena *arena, const struct charm_value *list)
{
    struct charmi_words addresses = { 0 };
    for (size_t i = 0; i < charm_value_size(list); i++) {
        add_address(arena, &addresses, charm_value_at(list, i));
    }
    return addresses;
}

/* Nodes as the unit that gave the status names them, else as the first one does that knows any. */
static struct charmi_words find_workers(struct charm_arena *arena,
                                        const struct kcbi_answer *answers, size_t count,
                                        const struct kcbi_answer *chosen)
{
    struct charmi_words addresses = read_workers(arena, chosen->workers);
    for (size_t i = 0; i < count && addresses.size == 0; i++) {
        addresses = read_workers(arena, answers[i].workers);
    }
    return addresses;
}

/* ---- Service ---- */

static int port_number(const struct charm_value *port, const char *key)
{
    const int64_t number = count_of(port, key);
    return number <= 65535 ? (int)number : 0;
}

/* The Service's port that leads to REST, or its first one. */
static const struct charm_value *rest_port_of(const struct charm_value *service, int rest_port)
{
    const struct charm_value *ports = charm_value_path(service, "spec", "ports", NULL);
    for (size_t i = 0; i < charm_value_size(ports); i++) {
        const struct charm_value *port = charm_value_at(ports, i);
        if (port_number(port, "port") == rest_port) {
            return port;
        }
    }
    return charm_value_at(ports, 0);
}

static struct charmi_words read_ingress(struct charm_arena *arena,
                                        const struct charm_value *service)
{
    struct charmi_words addresses = { 0 };
    const struct charm_value *ingress =
        charm_value_path(service, "status", "loadBalancer", "ingress", NULL);
    for (size_t i = 0; i < charm_value_size(ingress); i++) {
        add_address(arena, &addresses, charm_value_get(charm_value_at(ingress, i), "ip"));
        add_address(arena, &addresses, charm_value_get(charm_value_at(ingress, i), "hostname"));
    }
    return addresses;
}

static struct charmi_words read_cluster_ip(struct charm_arena *arena,
                                           const struct charm_value *service)
{
    struct charmi_words addresses = { 0 };
    const struct charm_value *address = charm_value_path(service, "spec", "clusterIP", NULL);
    if (!charmi_same(charm_text(address), "None")) {
        add_address(arena, &addresses, address);
    }
    return addresses;
}

/* Where REST is reached: a load balancer once it has an address, the cluster's own address, else nodes. */
static void read_service(struct charm_arena *arena, const struct charm_value *service,
                         int rest_port, struct charmi_words workers, struct kcbi_rollout *rollout)
{
    const char *type = charm_text(charm_value_path(service, "spec", "type", NULL));
    const struct charm_value *port = rest_port_of(service, rest_port);
    rollout->node_port = port_number(port, "nodePort");
    rollout->addresses = workers;
    rollout->port = rollout->node_port;
    struct charmi_words own = { 0 };
    if (charmi_same(type, "LoadBalancer")) {
        own = read_ingress(arena, service);
    } else if (charmi_same(type, "ClusterIP")) {
        own = read_cluster_ip(arena, service);
    }
    if (own.size > 0) {
        rollout->addresses = own;
        rollout->port = port_number(port, "port");
    }
}

/* ---- Deployment ---- */

static bool is_condition(const struct charm_value *condition, const char *type, const char *status)
{
    return charmi_same(charm_text(charm_value_get(condition, "type")), type) &&
           charmi_same(charm_text(charm_value_get(condition, "status")), status);
}

/* "Available" is false during every roll-out; these two mean that it does not get on. */
static const char *read_failure(struct charm_arena *arena, const struct charm_value *status)
{
    const struct charm_value *conditions = charm_value_get(status, "conditions");
    for (size_t i = 0; i < charm_value_size(conditions); i++) {
        const struct charm_value *condition = charm_value_at(conditions, i);
        if (is_condition(condition, "ReplicaFailure", "True") ||
            is_condition(condition, "Progressing", "False")) {
            const char *reason = charm_text(charm_value_get(condition, "reason"));
            const char *message = charm_text(charm_value_get(condition, "message"));
            const char *words = plain_words(
                arena,
                charm_arena_printf(arena, "%s%s%s", reason,
                                   reason[0] != '\0' && message[0] != '\0' ? ": " : "", message));
            return words[0] != '\0' ? words : "Kubernetes does not say why";
        }
    }
    return "";
}

/* Does the cluster speak of what we asked for last, and has Kubernetes looked at it? */
static bool is_stale(const struct charm_value *deployment, const struct kcbi_expected *expected,
                     const struct kcbi_rollout *rollout)
{
    if (expected->checksum != NULL && !charmi_same(rollout->checksum, expected->checksum)) {
        return true;
    }
    if (rollout->wanted != expected->workers) {
        return true;
    }
    return count_of(charm_value_get(deployment, "status"), "observedGeneration") <
           count_of(charm_value_get(deployment, "metadata"), "generation");
}

/* As `kubectl rollout status` judges: all replaced, no old one left, all available. */
static bool is_complete(const struct charm_value *status, const struct kcbi_rollout *rollout)
{
    return rollout->updated >= rollout->wanted &&
           count_of(status, "replicas") <= rollout->updated &&
           rollout->available >= rollout->updated && rollout->ready >= rollout->wanted;
}

static enum kcbi_rollout_state read_deployment(struct charm_arena *arena,
                                               const struct charm_value *deployment,
                                               const struct kcbi_expected *expected,
                                               struct kcbi_rollout *rollout)
{
    if (deployment == NULL) {
        return KCBI_ROLLOUT_ROLLING;
    }
    const struct charm_value *status = charm_value_get(deployment, "status");
    rollout->wanted = count_of(charm_value_get(deployment, "spec"), "replicas");
    rollout->ready = count_of(status, "readyReplicas");
    rollout->available = count_of(status, "availableReplicas");
    rollout->updated = count_of(status, "updatedReplicas");
    rollout->checksum = charm_arena_copy(
        arena, charm_text(charm_value_path(deployment, "spec", "template", "metadata",
                                           "annotations", KCBI_CHECKSUM, NULL)));
    if (is_stale(deployment, expected, rollout)) {
        return KCBI_ROLLOUT_STALE;
    }
    rollout->failure = read_failure(arena, status);
    return is_complete(status, rollout) ? KCBI_ROLLOUT_COMPLETE : KCBI_ROLLOUT_ROLLING;
}

/* ---- the answer ---- */

/* {"error": text}, a bare text, or anything that is no list. */
static const char *read_refusal(struct charm_arena *arena, const struct charm_value *status)
{
    const struct charm_value *error =
        charm_value_kind(status) == CHARM_MAP ? charm_value_get(status, "error") : status;
    const char *words = plain_words(arena, charm_text(error));
    return words[0] != '\0' ? words : "the answer is neither a list of objects nor an error";
}

static const struct kcbi_answer *choose_answer(const struct kcbi_answer *answers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (has_status(&answers[i])) {
            return &answers[i];
        }
    }
    return NULL;
}

struct kcbi_rollout kcbi_rollout_read(struct charm_arena *arena, const struct kcbi_answer *answers,
                                      size_t count, const struct kcbi_expected *expected)
{
    struct kcbi_rollout rollout = {
        .state = KCBI_ROLLOUT_NONE, .refusal = "", .failure = "", .checksum = "", .unit = ""
    };
    const struct kcbi_answer *answer = choose_answer(answers, count);
    if (answer == NULL) {
        return rollout;
    }
    rollout.unit = answer->unit == NULL ? "" : charm_arena_copy(arena, answer->unit);
    if (charm_value_kind(answer->status) != CHARM_LIST) {
        rollout.state = KCBI_ROLLOUT_REFUSED;
        rollout.refusal = read_refusal(arena, answer->status);
        return rollout;
    }
    const struct charm_value *list = answer->status;
    const struct kcbi_names *names = expected->names;
    read_service(arena, find_object(list, "Service", names->service), expected->rest_port,
                 find_workers(arena, answers, count, answer), &rollout);
    rollout.state = read_deployment(arena, find_object(list, "Deployment", names->deployment),
                                    expected, &rollout);
    return rollout;
}

/* ---- Secrets ---- */

static bool is_secret(const struct charm_value *object)
{
    const char *kind = charm_text(charm_value_get(object, "kind"));
    return charmi_same(kind, "Secret") || charmi_same(kind, "SecretList");
}

/* A list of objects, or an object that holds one in `items`. */
static struct charm_value *without_secrets(struct charm_arena *arena,
                                           const struct charm_value *value)
{
    if (charm_value_kind(value) == CHARM_LIST) {
        struct charm_value *kept = charm_value_new_list(arena);
        for (size_t i = 0; i < charm_value_size(value); i++) {
            const struct charm_value *object = charm_value_at(value, i);
            if (!is_secret(object)) {
                charm_value_append(kept, without_secrets(arena, object));
            }
        }
        return kept;
    }
    struct charm_value *copy = charm_value_copy(arena, value);
    const struct charm_value *items = charm_value_get(value, "items");
    if (charm_value_kind(items) == CHARM_LIST) {
        charm_value_set(copy, "items", without_secrets(arena, items));
    }
    return copy;
}

struct charm_value *kcbi_status_without_secrets(struct charm_arena *arena,
                                                const struct charm_value *status)
{
    return is_secret(status) ? charm_value_new_list(arena) : without_secrets(arena, status);
}

/* By its kind's name, or by what JSON may write in place of letters. */
bool kcbi_status_may_hold_secret(const char *text)
{
    return strstr(text, "Secret") != NULL || strstr(text, "\\u") != NULL;
}

const struct charm_value *kcbi_status_read(struct charm_arena *arena, const char *text)
{
    const struct charm_value *status = charm_value_decode(arena, text);
    return kcbi_status_may_hold_secret(text) ? kcbi_status_without_secrets(arena, status) : status;
}
