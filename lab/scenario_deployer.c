/*
 * Somebody who answers as the kubernetes-deployer charm does: every object that was asked for, as it is in the cluster
 * (reactive-framework.md 7.2). How far the cluster has got is what the file says.
 */
#include "lab/scenario.h"

#include <string.h>

/* What `deployer:` says, with what it leaves out. */
struct wish {
    const char *answer;
    int64_t ready; /* -1: as many as are asked for */
    const char *text;
    const struct charm_value *workers; /* or NULL: this machine */
    const struct charm_value *extra;   /* objects that nobody asked for, or NULL */
    const struct charm_value *raw;     /* the whole status, or NULL */
};

static struct wish read_wish(const struct charm_value *what)
{
    const bool map = charm_value_kind(what) == CHARM_MAP;
    const char *answer = charm_text(map ? charm_value_get(what, "answer") : what);
    return (struct wish){
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

static void run_service(struct lab_scene *scene, struct charm_value *service)
{
    struct charm_value *spec = member(service, "spec");
    charm_value_set_text(spec, "clusterIP", "10.152.183.40");
    const struct charm_value *ports = charm_value_get(spec, "ports");
    for (size_t i = 0; i < charm_value_size(ports); i++) {
        struct charm_value *port = (struct charm_value *)(uintptr_t)charm_value_at(ports, i);
        charm_value_set_int(port, "nodePort", lab_rest_port(scene->rest));
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

static void run_deployment(const struct wish *wish, struct charm_value *deployment)
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

static struct charm_value *in_the_cluster(struct lab_scene *scene, const struct wish *wish,
                                          const struct charm_value *object)
{
    struct charm_value *live = charm_value_copy(scene->arena, object);
    const char *kind = charm_text(charm_value_get(object, "kind"));
    charm_value_set_text(member(live, "metadata"), "namespace", "connect");
    if (charmi_same(kind, "Service")) {
        run_service(scene, live);
    } else if (charmi_same(kind, "Deployment")) {
        run_deployment(wish, live);
    }
    return live;
}

static const struct charm_value *status_for(struct lab_scene *scene, const struct wish *wish,
                                            const struct charm_value *request)
{
    if (wish->raw != NULL) {
        return wish->raw;
    }
    if (charmi_same(wish->answer, "refused")) {
        struct charm_value *error = charm_value_new_map(scene->arena);
        charm_value_set_text(error, "error", wish->text);
        return error;
    }
    struct charm_value *list = charm_value_new_list(scene->arena);
    for (size_t i = 0; i < charm_value_size(request); i++) {
        charm_value_append(list, charmi_same(wish->answer, "null")
                                     ? charm_value_new_null(scene->arena)
                                     : in_the_cluster(scene, wish, charm_value_at(request, i)));
    }
    for (size_t i = 0; i < charm_value_size(wish->extra); i++) {
        charm_value_append(list, charm_value_at(wish->extra, i));
    }
    return list;
}

/* ---- the relation ---- */

/* What the application asks for: the first unit's that asks. */
static const struct charm_value *read_request(struct lab_scene *scene)
{
    for (const struct lab_unit *unit = scene->app->units; unit != NULL; unit = unit->next) {
        const char *text =
            charm_text(charm_value_get(lab_scene_own_bag(scene, unit, "kubernetes"), "resource"));
        const struct charm_value *list =
            text[0] == '\0' ? NULL : charm_value_decode(scene->arena, text);
        if (charm_value_size(list) > 0) {
            return list;
        }
    }
    return NULL;
}

static struct lab_seat *remote_seat(struct lab_scene *scene, struct lab_relation *relation)
{
    const struct lab_side *other = lab_relation_other(relation, scene->app);
    for (struct lab_unit *unit = other->app->units; unit != NULL; unit = unit->next) {
        if (unit->life == LAB_ALIVE) {
            return lab_relation_seat(scene->model, relation, unit);
        }
    }
    return NULL;
}

static const struct charm_value *default_workers(struct lab_scene *scene)
{
    struct charm_value *workers = charm_value_new_list(scene->arena);
    charm_value_append_text(workers, lab_rest_host(scene->rest));
    return workers;
}

bool lab_scene_answer(struct lab_scene *scene)
{
    struct lab_relation *relation = lab_scene_relation(scene, "kubernetes");
    const struct wish wish = read_wish(scene->deployer);
    if (scene->deployer == NULL || charmi_same(wish.answer, "quiet") || relation == NULL ||
        relation->life != LAB_ALIVE) {
        return false;
    }
    struct lab_seat *seat = remote_seat(scene, relation);
    const struct charm_value *request = read_request(scene);
    if (seat == NULL || (request == NULL && charm_value_get(seat->bag.values, "status") == NULL)) {
        return false;
    }
    struct charm_value *values = charm_value_new_map(scene->arena);
    charm_value_set_text(
        values, "status",
        charm_value_render(scene->arena, status_for(scene, &wish, request), CHARM_JSON_PYTHON));
    charm_value_set_text(
        values, "workers",
        charm_value_render(scene->arena,
                           wish.workers != NULL ? wish.workers : default_workers(scene),
                           CHARM_JSON_PYTHON));
    const int64_t version = seat->bag.version;
    lab_scene_put(&seat->bag, values);
    return seat->bag.version != version;
}
