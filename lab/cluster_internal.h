/*
 * lab/cluster_internal.h: what the files of the cluster share.
 *
 * May include: lab/cluster*.h, lab/forwarder.h.
 */
#ifndef LAB_CLUSTER_INTERNAL_H
#define LAB_CLUSTER_INTERNAL_H

#include "lab/child.h"
#include "lab/cluster.h"
#include "lab/cluster_probe.h"
#include "lab/cluster_worker.h"
#include "lab/forwarder.h"

enum {
    LAB_MOST_SERVICE_PORTS = 8,
    LAB_TIME_SIZE = 32,
};

/* ---- pods (cluster_pod.c) ---- */

enum lab_pod_state {
    LAB_POD_PENDING, /* waits for a ConfigMap, an image, or its first start */
    LAB_POD_RUNNING,
    LAB_POD_BACK_OFF,
    LAB_POD_TERMINATING,
    LAB_POD_GONE,
};

struct lab_pod {
    struct lab_pod *next;
    struct charm_arena *arena;
    const char *owner; /* name of its Deployment */
    const char *name;
    const char *hash; /* of the template that it was made from */
    const char *address;
    const char *dir;
    const struct charm_value *template; /* metadata and spec */
    int number;

    enum lab_pod_state state;
    struct lab_child child;
    struct lab_probe startup;
    struct lab_probe readiness;
    struct lab_probe liveness;
    bool ready;
    int64_t ready_since_ms;
    int64_t started_ms;
    int restarts;
    int64_t back_off_ms;
    int64_t wake_ms;    /* next try to start */
    int64_t kill_by_ms; /* SIGKILL then; 0: not asked to stop */
    char waiting[300];  /* why it does not run */
};

struct lab_object;

struct lab_cluster {
    struct charm_arena *arena;
    const char *dir;
    int64_t back_off_ms;
    void (*say)(void *userdata, const char *level, const char *text);
    void *userdata;
    struct lab_worker_host host;
    struct charmi_words said; /* differences that have been told */
    const char *node;
    struct lab_object *objects;
    struct lab_pod *pods;
    int64_t now_ms;
    int64_t version; /* resourceVersion of the latest change */
    int pod_number;
    int service_number;
};

void lab_cluster_say(const struct lab_cluster *cluster, const char *level, const char *format, ...)
    CHARM_PRINTF(3, 4);

/* A pod of the Deployment `owner`; put into the cluster's list. */
struct lab_pod *lab_pod_new(struct lab_cluster *cluster, const char *owner, const char *hash,
                            const struct charm_value *template);
void lab_pod_tick(struct lab_cluster *cluster, struct lab_pod *pod);
/* Asks it to go; it is out of every count at once. */
void lab_pod_terminate(struct lab_cluster *cluster, struct lab_pod *pod, const char *why);
void lab_pod_free(struct lab_pod *pod);
/* Is it there for good: neither ending nor gone? */
bool lab_pod_counts(const struct lab_pod *pod);

/* ---- deployments (cluster_deployment.c) ---- */

enum lab_progress {
    LAB_PROGRESS_NEW,
    LAB_PROGRESS_UPDATING,
    LAB_PROGRESS_COMPLETE,
    LAB_PROGRESS_TIMED_OUT,
};

struct lab_counts {
    int replicas;
    int updated;
    int ready;
    int available;
};

struct lab_rollout {
    char hash[16]; /* of the current template */
    int64_t observed;
    struct lab_counts counts;
    enum lab_progress progress;
    int64_t progress_ms; /* when it last went forward */
    bool available;
    char available_at[LAB_TIME_SIZE];
    char progress_at[LAB_TIME_SIZE]; /* last transition */
    char progress_update[LAB_TIME_SIZE];
};

/* ---- objects (cluster.c) ---- */

struct lab_object {
    struct lab_object *next;
    struct charm_arena *arena; /* of this version of it */
    const char *kind;
    const char *name;
    struct charm_value *manifest; /* as applied */
    char uid[40];
    char created[LAB_TIME_SIZE];
    int64_t generation;
    int64_t version;

    int service_number;
    int node_ports[LAB_MOST_SERVICE_PORTS];
    struct lab_forwarder forwarder;

    struct lab_rollout rollout;
};

/* One step of the controller. */
void lab_deployment_tick(struct lab_cluster *cluster, struct lab_object *object);
/* `status` and the defaults of `spec` into the live object. */
void lab_deployment_show(const struct lab_cluster *cluster, const struct lab_object *object,
                         struct charm_value *live);
/* The template's hash, as it stands in the names of replica sets. */
void lab_deployment_hash(const struct lab_object *object, char *hash, size_t size);

/* ---- services (cluster_service.c) ---- */
void lab_service_init(struct lab_cluster *cluster, struct lab_object *object,
                      const struct lab_object *before);
void lab_service_tick(struct lab_cluster *cluster, struct lab_object *object);
void lab_service_show(const struct lab_cluster *cluster, const struct lab_object *object,
                      struct charm_value *live);

/* Now, as the API writes times. `text` has LAB_TIME_SIZE bytes. */
void lab_time_text(char *text);
/* Do the labels hold all of the selector? */
bool lab_selects(const struct charm_value *selector, const struct charm_value *labels);

#endif
