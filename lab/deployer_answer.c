#include "lab/deployer_answer.h"

#include "base/text.h"
#include "lab/deployer_requests.h"

struct lab_deployer_wish lab_deployer_wish(const struct charm_value *what)
{
    const bool map = charm_value_kind(what) == CHARM_MAP;
    const char *answer = charm_text(map ? charm_value_get(what, "answer") : what);
    return (struct lab_deployer_wish){
        .answer = answer[0] == '\0' ? "complete" : answer,
        .ready = charm_value_int(charm_value_get(what, "ready"), -1),
        .text = charm_text(charm_value_get(what, "text")),
        .workers = charm_value_get(what, "workers"),
        .extra = charm_value_get(what, "extra"),
        .raw = charm_value_get(what, "status"),
    };
}

/* ---- objects as they are in the cluster ---- */

static struct charm_value *member(struct charm_value *map, const char *key)
{
    const struct charm_value *old = charm_value_get(map, key);
    /* `map` is a copy of ours, so what is in it may change */
    return charm_value_kind(old) == CHARM_MAP ? (struct charm_value *)(uintptr_t)old
                                              : charm_value_add_map(map, key);
}

static void run_service(const struct lab_deployer_node *node, struct charm_value *service)
{
    struct charm_value *spec = member(service, "spec");
    charm_value_set_text(spec, "clusterIP", "10.152.183.40");
    const struct charm_value *ports = charm_value_get(spec, "ports");
    for (size_t i = 0; i < charm_value_size(ports); i++) {
        struct charm_value *port = (struct charm_value *)(uintptr_t)charm_value_at(ports, i);
        charm_value_set_int(port, "nodePort", node->port);
    }
    charm_value_add_map(member(service, "status"), "loadBalancer");
}

static void set_counts(struct charm_value *status, int64_t wanted, int64_t ready)
{
    charm_value_set_int(status, "replicas", wanted);
    charm_value_set_int(status, "updatedReplicas", wanted);
    if (ready > 0) { /* Kubernetes leaves zeros out */
        charm_value_set_int(status, "readyReplicas", ready);
        charm_value_set_int(status, "availableReplicas", ready);
    }
    if (ready < wanted) {
        charm_value_set_int(status, "unavailableReplicas", wanted - ready);
    }
}

static void put_condition(struct charm_value *status, const char *type, const char *truth,
                          const char *reason, const char *message)
{
    struct charm_value *condition = charm_value_append_map(
        (struct charm_value *)(uintptr_t)charm_value_get(status, "conditions"));
    charm_value_set_text(condition, "type", type);
    charm_value_set_text(condition, "status", truth);
    charm_value_set_text(condition, "reason", reason);
    charm_value_set_text(condition, "message", message);
}

static void run_deployment(const struct lab_deployer_wish *wish, struct charm_value *deployment)
{
    const int64_t wanted =
        charm_value_int(charm_value_path(deployment, "spec", "replicas", NULL), 1);
    const bool stale = charmi_same(wish->answer, "stale");
    const bool complete = charmi_same(wish->answer, "complete") || stale;
    const int64_t ready = wish->ready >= 0 ? wish->ready : complete ? wanted : 0;
    struct charm_value *status = charm_value_add_map(deployment, "status");
    charm_value_set_int(member(deployment, "metadata"), "generation", stale ? 2 : 1);
    charm_value_set_int(status, "observedGeneration", 1);
    set_counts(status, wanted, ready);
    charm_value_add_list(status, "conditions");
    put_condition(status, "Available", ready == wanted ? "True" : "False", "MinimumReplicas", "");
    if (charmi_same(wish->answer, "surging")) { /* a new pod beside the old ones, not ready yet */
        set_counts(status, wanted, wanted);
        charm_value_set_int(status, "replicas", wanted + 1);
        charm_value_set_int(status, "updatedReplicas", 1);
        charm_value_set_int(status, "unavailableReplicas", 1);
    }
    if (charmi_same(wish->answer, "failed")) {
        put_condition(status, "Progressing", "False", "ProgressDeadlineExceeded", wish->text);
    }
}

static struct charm_value *in_the_cluster(struct charm_arena *arena,
                                          const struct lab_deployer_wish *wish,
                                          const struct lab_deployer_node *node,
                                          const struct charm_value *object)
{
    struct charm_value *live = charm_value_copy(arena, object);
    const char *kind = charm_text(charm_value_get(object, "kind"));
    charm_value_set_text(member(live, "metadata"), "namespace", "connect");
    if (charmi_same(kind, "Service")) {
        run_service(node, live);
    } else if (charmi_same(kind, "Deployment")) {
        run_deployment(wish, live);
    }
    return live;
}

const struct charm_value *lab_deployer_status(struct charm_arena *arena,
                                              const struct lab_deployer_wish *wish,
                                              const struct lab_deployer_node *node,
                                              const struct charm_value *request)
{
    if (wish->raw != NULL) {
        return wish->raw;
    }
    if (charmi_same(wish->answer, "refused")) {
        struct charm_value *error = charm_value_new_map(arena);
        charm_value_set_text(error, "error", wish->text);
        return error;
    }
    struct charm_value *list = charm_value_new_list(arena);
    for (size_t i = 0; i < charm_value_size(request); i++) {
        charm_value_append(list, charmi_same(wish->answer, "null")
                                     ? charm_value_new_null(arena)
                                     : in_the_cluster(arena, wish, node,
                                                      lab_deployer_request_last(
                                                          request, charm_value_at(request, i))));
    }
    for (size_t i = 0; i < charm_value_size(wish->extra); i++) {
        charm_value_append(list, charm_value_at(wish->extra, i));
    }
    return list;
}

const struct charm_value *lab_deployer_workers(struct charm_arena *arena,
                                               const struct lab_deployer_wish *wish,
                                               const struct lab_deployer_node *node)
{
    if (wish->workers != NULL) {
        return wish->workers;
    }
    struct charm_value *workers = charm_value_new_list(arena);
    charm_value_append_text(workers, node->host);
    return workers;
}
