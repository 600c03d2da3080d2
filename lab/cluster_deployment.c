/* The Deployment controller: how many workers of which template, and what the status says of it. */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "lab/cluster_internal.h"

/* What a Deployment wants, resolved to numbers. */
struct wish {
    int replicas;
    int surge;
    int unavailable;
    bool recreate;
    int64_t min_ready_ms;
    int64_t deadline_ms;
};

static const struct charm_value *spec_of(const struct lab_object *object)
{
    return charm_value_get(object->manifest, "spec");
}

void lab_deployment_hash(const struct lab_object *object, char *hash, size_t size)
{
    struct charm_arena *arena = charm_arena_new();
    const char *text =
        charm_value_render(arena, charm_value_get(spec_of(object), "template"), CHARM_JSON_SORTED);
    snprintf(hash, size, "%.10s", charmi_sha256(arena, text, strlen(text)));
    charm_arena_free(arena);
}

/* ---- the wish ---- */

enum rounding {
    ROUND_UP,
    ROUND_DOWN,
};

/* "25%" of `whole`, or a number. */
static int share(const struct charm_value *value, const char *fallback, int whole,
                 enum rounding rounding)
{
    const char *text = charm_value_kind(value) == CHARM_STRING ? charm_text(value) : fallback;
    if (charm_value_kind(value) == CHARM_INT) {
        return (int)charm_value_int(value, 0);
    }
    char digits[8] = "";
    int64_t percent = 0;
    snprintf(digits, sizeof(digits), "%.*s", (int)strcspn(text, "%"), text);
    if (!charmi_parse_int(digits, 0, 1000, &percent)) {
        return 0;
    }
    return ((int)percent * whole + (rounding == ROUND_UP ? 99 : 0)) / 100;
}

static struct wish read_wish(const struct lab_object *object)
{
    const struct charm_value *spec = spec_of(object);
    const struct charm_value *strategy = charm_value_get(spec, "strategy");
    const struct charm_value *rolling = charm_value_get(strategy, "rollingUpdate");
    struct wish wish = {
        .replicas = (int)charm_value_int(charm_value_get(spec, "replicas"), 1),
        .recreate = charmi_same(charm_text(charm_value_get(strategy, "type")), "Recreate"),
        .min_ready_ms = charm_value_int(charm_value_get(spec, "minReadySeconds"), 0) * 1000,
        .deadline_ms =
            charm_value_int(charm_value_get(spec, "progressDeadlineSeconds"), 600) * 1000,
    };
    wish.surge = share(charm_value_get(rolling, "maxSurge"), "25%", wish.replicas, ROUND_UP);
    wish.unavailable =
        share(charm_value_get(rolling, "maxUnavailable"), "25%", wish.replicas, ROUND_DOWN);
    if (wish.surge == 0 && wish.unavailable == 0) {
        wish.unavailable = 1;
    }
    return wish;
}

/* ---- counting ---- */

static bool is_of(const struct lab_pod *pod, const struct lab_object *object)
{
    return charmi_same(pod->owner, object->name);
}

static bool is_new(const struct lab_pod *pod, const struct lab_object *object)
{
    return charmi_same(pod->hash, object->rollout.hash);
}

static bool is_available(const struct lab_cluster *cluster, const struct lab_pod *pod,
                         const struct wish *wish)
{
    return pod->ready && cluster->now_ms - pod->ready_since_ms >= wish->min_ready_ms;
}

static struct lab_counts count(const struct lab_cluster *cluster, const struct lab_object *object,
                               const struct wish *wish)
{
    struct lab_counts counts = { 0 };
    for (const struct lab_pod *pod = cluster->pods; pod != NULL; pod = pod->next) {
        if (is_of(pod, object) && lab_pod_counts(pod)) {
            counts.replicas++;
            counts.updated += is_new(pod, object) ? 1 : 0;
            counts.ready += pod->ready ? 1 : 0;
            counts.available += is_available(cluster, pod, wish) ? 1 : 0;
        }
    }
    return counts;
}

/* ---- acting ---- */

static void add_pods(struct lab_cluster *cluster, const struct lab_object *object, int number)
{
    for (int i = 0; i < number; i++) {
        lab_pod_new(cluster, object->name, object->rollout.hash,
                    charm_value_get(spec_of(object), "template"));
    }
}

enum which {
    OLD_PODS,
    NEW_PODS,
};

/* The next one to go: one that is not ready first. */
static struct lab_pod *next_to_go(const struct lab_cluster *cluster,
                                  const struct lab_object *object, enum which which)
{
    struct lab_pod *found = NULL;
    for (struct lab_pod *pod = cluster->pods; pod != NULL; pod = pod->next) {
        if (is_of(pod, object) && lab_pod_counts(pod) &&
            is_new(pod, object) == (which == NEW_PODS) && (found == NULL || !pod->ready)) {
            found = pod;
        }
    }
    return found;
}

/* Old pods go when enough others are available; those that serve nobody go at once. */
static void remove_old(struct lab_cluster *cluster, const struct lab_object *object,
                       const struct wish *wish)
{
    for (;;) {
        const struct lab_counts counts = count(cluster, object, wish);
        struct lab_pod *pod = next_to_go(cluster, object, OLD_PODS);
        if (pod == NULL || (pod->ready && !wish->recreate &&
                            counts.available <= wish->replicas - wish->unavailable)) {
            return;
        }
        lab_pod_terminate(cluster, pod, "a newer template took its place");
    }
}

static void remove_surplus(struct lab_cluster *cluster, const struct lab_object *object,
                           const struct wish *wish)
{
    for (int surplus = count(cluster, object, wish).updated - wish->replicas; surplus > 0;
         surplus--) {
        lab_pod_terminate(cluster, next_to_go(cluster, object, NEW_PODS), "fewer replicas");
    }
}

/* With Recreate nothing new starts while an old one lives, be it ending. */
static bool old_ones_live(const struct lab_cluster *cluster, const struct lab_object *object)
{
    for (const struct lab_pod *pod = cluster->pods; pod != NULL; pod = pod->next) {
        if (is_of(pod, object) && !is_new(pod, object) && pod->state != LAB_POD_GONE) {
            return true;
        }
    }
    return false;
}

static void scale(struct lab_cluster *cluster, const struct lab_object *object,
                  const struct wish *wish)
{
    remove_surplus(cluster, object, wish);
    remove_old(cluster, object, wish);
    if (wish->recreate && old_ones_live(cluster, object)) {
        return;
    }
    const struct lab_counts counts = count(cluster, object, wish);
    const int most = wish->replicas + (wish->recreate ? 0 : wish->surge);
    const int missing = wish->replicas - counts.updated;
    const int room = most - counts.replicas;
    add_pods(cluster, object, missing < room ? missing : room);
}

/* ---- conditions ---- */

static void set_progress(struct lab_cluster *cluster, struct lab_object *object,
                         enum lab_progress progress)
{
    struct lab_rollout *rollout = &object->rollout;
    const bool bad = progress == LAB_PROGRESS_TIMED_OUT;
    const bool was_bad = rollout->progress == LAB_PROGRESS_TIMED_OUT;
    if (bad != was_bad || rollout->progress_at[0] == '\0') {
        lab_time_text(rollout->progress_at);
    }
    lab_time_text(rollout->progress_update);
    if (progress != rollout->progress && progress == LAB_PROGRESS_COMPLETE) {
        lab_cluster_say(cluster, "INFO", "deployment %s: rolled out, %d of %d ready", object->name,
                        rollout->counts.ready, rollout->counts.replicas);
    }
    rollout->progress = progress;
    rollout->progress_ms = cluster->now_ms;
}

static bool is_complete(const struct lab_counts *counts, const struct wish *wish)
{
    return counts->updated == wish->replicas && counts->replicas == wish->replicas &&
           counts->available == wish->replicas;
}

static bool went_forward(const struct lab_counts *now, const struct lab_counts *before)
{
    return now->updated > before->updated || now->ready > before->ready ||
           now->available > before->available ||
           now->replicas - now->updated < before->replicas - before->updated;
}

static void judge_progress(struct lab_cluster *cluster, struct lab_object *object,
                           const struct wish *wish, const struct lab_counts *before)
{
    struct lab_rollout *rollout = &object->rollout;
    if (is_complete(&rollout->counts, wish)) {
        if (rollout->progress != LAB_PROGRESS_COMPLETE) {
            set_progress(cluster, object, LAB_PROGRESS_COMPLETE);
        }
    } else if (rollout->progress == LAB_PROGRESS_COMPLETE) {
        return; /* a crash after the roll-out shows in Available, not here */
    } else if (went_forward(&rollout->counts, before)) {
        set_progress(cluster, object, LAB_PROGRESS_UPDATING);
    } else if (rollout->progress != LAB_PROGRESS_TIMED_OUT &&
               cluster->now_ms - rollout->progress_ms > wish->deadline_ms) {
        set_progress(cluster, object, LAB_PROGRESS_TIMED_OUT);
    }
}

static void judge_available(struct lab_rollout *rollout, const struct wish *wish)
{
    const bool available = rollout->counts.available >= wish->replicas - wish->unavailable;
    if (available != rollout->available || rollout->available_at[0] == '\0') {
        rollout->available = available;
        lab_time_text(rollout->available_at);
    }
}

static void note_new_template(struct lab_cluster *cluster, struct lab_object *object)
{
    char hash[sizeof(object->rollout.hash)];
    lab_deployment_hash(object, hash, sizeof(hash));
    if (!charmi_same(hash, object->rollout.hash)) {
        memcpy(object->rollout.hash, hash, sizeof(hash));
        set_progress(cluster, object, LAB_PROGRESS_NEW);
    }
}

static bool same_counts(const struct lab_counts *left, const struct lab_counts *right)
{
    return left->replicas == right->replicas && left->updated == right->updated &&
           left->ready == right->ready && left->available == right->available;
}

/* Would `status` look the same? */
static bool same_status(const struct lab_rollout *left, const struct lab_rollout *right)
{
    return same_counts(&left->counts, &right->counts) && left->observed == right->observed &&
           left->progress == right->progress && left->available == right->available &&
           charmi_same(left->available_at, right->available_at) &&
           charmi_same(left->progress_at, right->progress_at) &&
           charmi_same(left->progress_update, right->progress_update);
}

void lab_deployment_tick(struct lab_cluster *cluster, struct lab_object *object)
{
    struct lab_rollout *rollout = &object->rollout;
    const struct lab_rollout before = *rollout;
    struct lab_counts was = before.counts;
    if (rollout->observed != object->generation) {
        note_new_template(cluster, object);
        if (rollout->observed != 0 && rollout->progress == LAB_PROGRESS_COMPLETE) {
            set_progress(cluster, object, LAB_PROGRESS_UPDATING);
        }
        rollout->observed = object->generation;
        was.updated = 0; /* of a template that may be new */
    }
    const struct wish wish = read_wish(object);
    scale(cluster, object, &wish);
    rollout->counts = count(cluster, object, &wish);
    judge_progress(cluster, object, &wish, &was);
    judge_available(rollout, &wish);
    if (!same_status(&before, rollout)) {
        object->version = ++cluster->version;
    }
}

/* ---- the live object ---- */

static void set_default(struct charm_value *map, const char *key, int64_t number)
{
    if (charm_value_get(map, key) == NULL) {
        charm_value_set_int(map, key, number);
    }
}

static void show_spec(struct charm_value *spec)
{
    set_default(spec, "progressDeadlineSeconds", 600);
    set_default(spec, "replicas", 1);
    set_default(spec, "revisionHistoryLimit", 10);
    if (charm_value_get(spec, "strategy") == NULL) {
        struct charm_value *strategy = charm_value_add_map(spec, "strategy");
        struct charm_value *rolling = charm_value_add_map(strategy, "rollingUpdate");
        charm_value_set_text(rolling, "maxSurge", "25%");
        charm_value_set_text(rolling, "maxUnavailable", "25%");
        charm_value_set_text(strategy, "type", "RollingUpdate");
    }
}

static void show_condition(struct charm_value *conditions, const char *type, bool truth,
                           const char *reason, const char *message, const char *const times[2])
{
    struct charm_value *condition = charm_value_append_map(conditions);
    charm_value_set_text(condition, "lastTransitionTime", times[0]);
    charm_value_set_text(condition, "lastUpdateTime", times[1]);
    charm_value_set_text(condition, "message", message);
    charm_value_set_text(condition, "reason", reason);
    charm_value_set_text(condition, "status", truth ? "True" : "False");
    charm_value_set_text(condition, "type", type);
}

static void show_available(struct charm_value *conditions, const struct lab_rollout *rollout)
{
    const char *const times[] = { rollout->available_at, rollout->available_at };
    show_condition(conditions, "Available", rollout->available,
                   rollout->available ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
                   rollout->available ? "Deployment has minimum availability."
                                      : "Deployment does not have minimum availability.",
                   times);
}

static void show_progress(struct charm_value *conditions, const struct lab_object *object)
{
    static const struct {
        const char *reason;
        const char *message;
    } texts[] = {
        [LAB_PROGRESS_NEW] = { "NewReplicaSetCreated", "Created new replica set \"%s-%s\"" },
        [LAB_PROGRESS_UPDATING] = { "ReplicaSetUpdated", "ReplicaSet \"%s-%s\" is progressing." },
        [LAB_PROGRESS_COMPLETE] = { "NewReplicaSetAvailable",
                                    "ReplicaSet \"%s-%s\" has successfully progressed." },
        [LAB_PROGRESS_TIMED_OUT] = { "ProgressDeadlineExceeded",
                                     "ReplicaSet \"%s-%s\" has timed out progressing." },
    };
    const struct lab_rollout *rollout = &object->rollout;
    const char *const times[] = { rollout->progress_at, rollout->progress_update };
    char message[400];
    const char *format = texts[rollout->progress].message;
    const char *hole = strchr(format, '%');
    snprintf(message, sizeof(message), "%.*s%s-%s%s", (int)(hole - format), format, object->name,
             rollout->hash, hole + strlen("%s-%s"));
    show_condition(conditions, "Progressing", rollout->progress != LAB_PROGRESS_TIMED_OUT,
                   texts[rollout->progress].reason, message, times);
}

/* Go leaves a zero out. */
static void show_count(struct charm_value *status, const char *key, int number)
{
    if (number != 0) {
        charm_value_set_int(status, key, number);
    }
}

void lab_deployment_show(const struct lab_cluster *cluster, const struct lab_object *object,
                         struct charm_value *live)
{
    (void)cluster;
    const struct lab_rollout *rollout = &object->rollout;
    struct charm_value *spec = charm_value_add_map(live, "spec");
    charm_value_update(spec, spec_of(object));
    show_spec(spec);
    struct charm_value *status = charm_value_add_map(live, "status");
    if (rollout->observed == 0) {
        return; /* the controller has not looked yet */
    }
    const int wanted = (int)charm_value_int(charm_value_get(spec, "replicas"), 1);
    show_count(status, "availableReplicas", rollout->counts.available);
    struct charm_value *conditions = charm_value_add_list(status, "conditions");
    show_available(conditions, rollout);
    show_progress(conditions, object);
    charm_value_set_int(status, "observedGeneration", rollout->observed);
    show_count(status, "readyReplicas", rollout->counts.ready);
    show_count(status, "replicas", rollout->counts.replicas);
    const int total = rollout->counts.replicas > wanted ? rollout->counts.replicas : wanted;
    show_count(status, "unavailableReplicas", total - rollout->counts.available);
    show_count(status, "updatedReplicas", rollout->counts.updated);
}
