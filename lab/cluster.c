/* The store: objects applied, shown and deleted; time goes on for all of them. */
#include "lab/cluster.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/digest.h"
#include "base/memory.h"
#include "base/text.h"
#include "lab/cluster_check.h"
#include "lab/cluster_internal.h"
#include "lab/cluster_secret.h"
#include "lab/net.h"

#define NAMESPACE "default"

void lab_cluster_say(const struct lab_cluster *cluster, const char *level, const char *format, ...)
{
    if (cluster->say == NULL) {
        return;
    }
    char text[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    cluster->say(cluster->userdata, level, text);
}

void lab_time_text(char *text)
{
    const time_t now = time(NULL);
    struct tm parts = { 0 };
    gmtime_r(&now, &parts);
    strftime(text, LAB_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

bool lab_selects(const struct charm_value *selector, const struct charm_value *labels)
{
    CHARM_EACH(selector, it)
    {
        if (!charmi_same(charm_text(charm_value_get(labels, it.key)), charm_text(it.value))) {
            return false;
        }
    }
    return true;
}

static struct lab_object *find(const struct lab_cluster *cluster, const char *kind,
                               const char *name)
{
    for (struct lab_object *it = cluster->objects; it != NULL; it = it->next) {
        if (charmi_same(it->kind, kind) && charmi_same(it->name, name)) {
            return it;
        }
    }
    return NULL;
}

static const struct charm_value *config_map_data(void *userdata, const char *name)
{
    const struct lab_object *object = find(userdata, "ConfigMap", name);
    return object == NULL ? NULL : charm_value_get(object->manifest, "data");
}

static const struct charm_value *secret_data(void *userdata, const char *name)
{
    const struct lab_object *object = find(userdata, "Secret", name);
    return object == NULL ? NULL : charm_value_get(object->manifest, "data");
}

/* ---- life ---- */

int lab_cluster_new(const struct lab_cluster_options *options, struct lab_cluster **ret_cluster,
                    struct charm_error *reterr)
{
    struct charm_arena *arena = charm_arena_new();
    struct lab_cluster *cluster = charm_arena_alloc(arena, sizeof(*cluster));
    cluster->arena = arena;
    cluster->dir = charm_arena_copy(arena, options->dir);
    cluster->back_off_ms = options->back_off_ms == 0 ? 10000 : options->back_off_ms;
    cluster->say = options->say;
    cluster->userdata = options->userdata;
    cluster->node = lab_net_address(arena, LAB_NET_NODE, 0);
    cluster->host.node_address = cluster->node;
    cluster->host.config_map = config_map_data;
    cluster->host.secret = secret_data;
    cluster->host.userdata = cluster;
    cluster->host.mounts = !options->bare && lab_sandbox_can_mount(options->dir, NULL);
    if (options->shared != NULL) {
        charmi_words_add(arena, &cluster->host.shared, charm_arena_copy(arena, options->shared));
    }
    const int code = lab_java_find(arena, charm_arena_copy(arena, options->kafka_home),
                                   cluster->dir, &cluster->host.java, reterr);
    if (code != 0) {
        charm_arena_free(arena);
        return code;
    }
    *ret_cluster = cluster;
    return 0;
}

static void free_object(struct lab_object *object)
{
    lab_forwarder_stop(&object->forwarder);
    charm_arena_free(object->arena);
    free(object);
}

void lab_cluster_free(struct lab_cluster *cluster)
{
    if (cluster == NULL) {
        return;
    }
    for (struct lab_pod *pod = cluster->pods; pod != NULL; pod = pod->next) {
        lab_child_signal(&pod->child, SIGTERM); /* all at once, then wait for each */
    }
    while (cluster->pods != NULL) {
        struct lab_pod *pod = cluster->pods;
        cluster->pods = pod->next;
        lab_pod_free(pod);
    }
    while (cluster->objects != NULL) {
        struct lab_object *object = cluster->objects;
        cluster->objects = object->next;
        free_object(object);
    }
    charm_arena_free(cluster->arena);
}

const char *lab_cluster_node(const struct lab_cluster *cluster)
{
    return cluster->node;
}

size_t lab_cluster_pods(const struct lab_cluster *cluster)
{
    size_t count = 0;
    for (const struct lab_pod *pod = cluster->pods; pod != NULL; pod = pod->next) {
        count++;
    }
    return count;
}

/* ---- apply ---- */

static void make_uid(struct lab_cluster *cluster, struct lab_object *object)
{
    struct charm_arena *arena = charm_arena_new();
    const char *seed = charm_arena_printf(arena, "%s/%s/%lld", object->kind, object->name,
                                          (long long)cluster->version);
    const char *hex = charmi_md5(arena, seed, strlen(seed));
    snprintf(object->uid, sizeof(object->uid), "%.8s-%.4s-4%.3s-a%.3s-%.12s", hex, hex + 8,
             hex + 12, hex + 16, hex + 20);
    charm_arena_free(arena);
}

static struct lab_object *add_object(struct lab_cluster *cluster)
{
    struct lab_object *object = charmi_malloc(sizeof(*object));
    memset(object, 0, sizeof(*object));
    lab_time_text(object->created);
    object->next = cluster->objects;
    cluster->objects = object;
    return object;
}

/* Puts a manifest in place of what the object held; the object's own things (ports, pods) stay. */
static void put_manifest(struct lab_cluster *cluster, struct lab_object *object,
                         const struct charm_value *manifest)
{
    struct charm_arena *old = object->arena;
    struct charm_arena *arena = charm_arena_new();
    struct charm_value *copy = charm_value_copy(arena, manifest);
    const bool same_spec =
        charm_value_equal(charm_value_get(object->manifest, "spec"), charm_value_get(copy, "spec"));
    object->arena = arena;
    object->manifest = copy;
    object->kind = charm_text(charm_value_get(copy, "kind"));
    object->name = charm_text(charm_value_path(copy, "metadata", "name", NULL));
    object->generation += old == NULL || !same_spec ? 1 : 0;
    object->version = ++cluster->version;
    charm_arena_free(old);
}

static void apply_new(struct lab_cluster *cluster, const struct charm_value *manifest)
{
    struct lab_object *object = add_object(cluster);
    put_manifest(cluster, object, manifest);
    make_uid(cluster, object);
    if (charmi_same(object->kind, "Service")) {
        lab_service_init(cluster, object, NULL);
    }
    lab_cluster_say(cluster, "INFO", "%s %s: created", object->kind, object->name);
}

static void put(struct lab_cluster *cluster, struct lab_object *object,
                const struct charm_value *manifest)
{
    if (object == NULL) {
        apply_new(cluster, manifest);
    } else if (!charm_value_equal(object->manifest, manifest)) {
        const struct lab_object before = *object;
        put_manifest(cluster, object, manifest);
        if (charmi_same(object->kind, "Service")) {
            lab_service_init(cluster, object, &before);
        }
        lab_cluster_say(cluster, "INFO", "%s %s: configured", object->kind, object->name);
    }
}

int lab_cluster_apply(struct lab_cluster *cluster, const struct charm_value *manifest,
                      struct charm_error *reterr)
{
    const char *kind = charm_text(charm_value_get(manifest, "kind"));
    const char *name = charm_text(charm_value_path(manifest, "metadata", "name", NULL));
    struct lab_object *object = find(cluster, kind, name);
    struct charm_arena *arena = charm_arena_new();
    int code =
        lab_manifest_check(arena, manifest, object == NULL ? NULL : object->manifest, reterr);
    if (code == 0 && charmi_same(kind, "Secret")) {
        code = lab_secret_stored(arena, manifest, &manifest, reterr);
    }
    if (code == 0) {
        put(cluster, object, manifest);
    }
    charm_arena_free(arena);
    return code;
}

/* ---- delete ---- */

static void end_pods_of(struct lab_cluster *cluster, const char *owner)
{
    for (struct lab_pod *pod = cluster->pods; pod != NULL; pod = pod->next) {
        if (charmi_same(pod->owner, owner)) {
            lab_pod_terminate(cluster, pod, "its deployment was deleted");
        }
    }
}

void lab_cluster_delete_labelled(struct lab_cluster *cluster, const char *label, const char *value)
{
    struct lab_object **link = &cluster->objects;
    while (*link != NULL) {
        struct lab_object *object = *link;
        const struct charm_value *there =
            charm_value_path(object->manifest, "metadata", "labels", label, NULL);
        if (!charmi_same(charm_text(there), value)) {
            link = &object->next;
            continue;
        }
        *link = object->next;
        if (charmi_same(object->kind, "Deployment")) {
            end_pods_of(cluster, object->name);
        }
        lab_cluster_say(cluster, "INFO", "%s %s: deleted", object->kind, object->name);
        free_object(object);
    }
}

bool lab_cluster_name_taken(const struct lab_cluster *cluster, const char *name, const char *label,
                            const char *value)
{
    for (const struct lab_object *it = cluster->objects; it != NULL; it = it->next) {
        const struct charm_value *there =
            charm_value_path(it->manifest, "metadata", "labels", label, NULL);
        if (charmi_same(it->name, name) && !charmi_same(charm_text(there), value)) {
            return true;
        }
    }
    return false;
}

/* ---- show ---- */

static void show_meta(const struct lab_object *object, struct charm_value *live)
{
    struct charm_value *meta = charm_value_add_map(live, "metadata");
    charm_value_set_text(meta, "namespace", NAMESPACE);
    charm_value_update(meta, charm_value_get(object->manifest, "metadata"));
    charm_value_set_text(meta, "creationTimestamp", object->created);
    charm_value_setf(meta, "resourceVersion", "%lld", (long long)object->version);
    charm_value_set_text(meta, "uid", object->uid);
    if (charmi_same(object->kind, "Deployment")) {
        charm_value_set_int(meta, "generation", object->generation);
    }
}

struct charm_value *lab_cluster_get(const struct lab_cluster *cluster, struct charm_arena *arena,
                                    const char *kind, const char *name)
{
    const struct lab_object *object = find(cluster, kind, name);
    if (object == NULL) {
        return NULL;
    }
    struct charm_value *live = charm_value_new_map(arena);
    charm_value_update(live, charm_value_copy(arena, object->manifest));
    show_meta(object, live);
    if (charmi_same(kind, "Service")) {
        lab_service_show(cluster, object, live);
    } else if (charmi_same(kind, "Deployment")) {
        lab_deployment_show(cluster, object, live);
    }
    return charm_value_copy(arena, live);
}

/* ---- time ---- */

static void forget_gone_pods(struct lab_cluster *cluster)
{
    struct lab_pod **link = &cluster->pods;
    while (*link != NULL) {
        struct lab_pod *pod = *link;
        if (pod->state == LAB_POD_GONE) {
            *link = pod->next;
            lab_pod_free(pod);
        } else {
            link = &pod->next;
        }
    }
}

void lab_cluster_tick(struct lab_cluster *cluster, int64_t now_ms)
{
    cluster->now_ms = now_ms;
    for (struct lab_pod *pod = cluster->pods; pod != NULL; pod = pod->next) {
        lab_pod_tick(cluster, pod);
    }
    for (struct lab_object *it = cluster->objects; it != NULL; it = it->next) {
        if (charmi_same(it->kind, "Deployment")) {
            lab_deployment_tick(cluster, it);
        } else if (charmi_same(it->kind, "Service")) {
            lab_service_tick(cluster, it);
        }
    }
    forget_gone_pods(cluster);
}
