/* One pod: a worker process with probes, restarts and an orderly end. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/memory.h"
#include "lab/cluster_internal.h"
#include "lab/net.h"

enum {
    BACK_OFF_MS = 10 * 1000,
    BACK_OFF_MOST_MS = 300 * 1000,
    WELL_AFTER_MS = 600 * 1000, /* a container that ran so long starts a new row of back-offs */
    RETRY_PENDING_MS = 1000,
    MOST_WORKERS = 240,
};

static const struct charm_value *spec_of(const struct lab_pod *pod)
{
    return charm_value_get(pod->template, "spec");
}

static const struct charm_value *container_of(const struct lab_pod *pod)
{
    return charm_value_at(charm_value_get(spec_of(pod), "containers"), 0);
}

static int64_t grace_ms(const struct lab_pod *pod)
{
    return charm_value_int(charm_value_get(spec_of(pod), "terminationGracePeriodSeconds"), 30) *
           1000;
}

bool lab_pod_counts(const struct lab_pod *pod)
{
    return pod->state != LAB_POD_TERMINATING && pod->state != LAB_POD_GONE;
}

/* ---- making one ---- */

static bool address_in_use(const struct lab_cluster *cluster, const char *address)
{
    for (const struct lab_pod *pod = cluster->pods; pod != NULL; pod = pod->next) {
        if (strcmp(pod->address, address) == 0) {
            return true;
        }
    }
    return false;
}

/* The next address that no worker has; on the loopback another lab may listen there. */
static const char *take_address(struct lab_cluster *cluster, struct charm_arena *arena, int port)
{
    const char *address = NULL;
    for (int tries = 0; tries < MOST_WORKERS; tries++) {
        address = lab_net_address(arena, LAB_NET_WORKER, cluster->pod_number++);
        if (!address_in_use(cluster, address) &&
            (lab_net_kind_now() == LAB_NET_PRIVATE || lab_net_is_free(address, port))) {
            return address;
        }
    }
    return address;
}

static void init_probes(struct lab_pod *pod)
{
    const struct charm_value *container = container_of(pod);
    lab_probe_init(&pod->startup, charm_value_get(container, "startupProbe"), container);
    lab_probe_init(&pod->readiness, charm_value_get(container, "readinessProbe"), container);
    lab_probe_init(&pod->liveness, charm_value_get(container, "livenessProbe"), container);
}

/* Five characters as the API server makes them. */
static const char *suffix(struct charm_arena *arena, const char *owner, int number)
{
    const char *seed = charm_arena_printf(arena, "%s/%d", owner, number);
    char *text = charm_arena_copy_n(arena, charmi_md5(arena, seed, strlen(seed)), 5);
    static const char letters[] = "bcdfghjklmnpqrst";
    for (char *c = text; *c != '\0'; c++) {
        *c = letters[*c >= 'a' ? *c - 'a' + 10 : *c - '0'];
    }
    return text;
}

struct lab_pod *lab_pod_new(struct lab_cluster *cluster, const char *owner, const char *hash,
                            const struct charm_value *template)
{
    struct charm_arena *arena = charm_arena_new();
    struct lab_pod *pod = charm_arena_alloc(arena, sizeof(*pod));
    pod->arena = arena;
    pod->owner = charm_arena_copy(arena, owner);
    pod->hash = charm_arena_copy(arena, hash);
    pod->template = charm_value_copy(arena, template);
    pod->address = take_address(cluster, arena, lab_worker_port(spec_of(pod)));
    pod->number = cluster->pod_number;
    pod->name =
        charm_arena_printf(arena, "%s-%s-%s", owner, hash, suffix(arena, owner, pod->number));
    pod->dir = charm_arena_printf(arena, "%s/%s", cluster->dir, pod->name);
    pod->back_off_ms = 0;
    init_probes(pod);
    if (mkdir(pod->dir, 0755) != 0 && errno != EEXIST) {
        lab_cluster_say(cluster, "ERROR", "pod %s: make %s: %s", pod->name, pod->dir,
                        strerror(errno));
    }
    pod->next = cluster->pods;
    cluster->pods = pod;
    return pod;
}

void lab_pod_free(struct lab_pod *pod)
{
    lab_probe_close(&pod->startup);
    lab_probe_close(&pod->readiness);
    lab_probe_close(&pod->liveness);
    if (pod->child.pid > 0) {
        lab_child_stop(&pod->child, 5000);
    }
    charm_arena_free(pod->arena);
}

/* ---- starting ---- */

/* Each difference once in the cluster's life. */
static void say_differences(struct lab_cluster *cluster, const struct lab_pod *pod,
                            const struct charmi_words *differences)
{
    for (size_t i = 0; i < differences->size; i++) {
        const char *text = differences->at[i];
        if (!charmi_words_have(&cluster->said, text)) {
            charmi_words_add(cluster->arena, &cluster->said,
                             charm_arena_copy(cluster->arena, text));
            lab_cluster_say(cluster, "WARNING", "pod %s: the lab replaces %s", pod->name, text);
        }
    }
}

static int start_process(struct lab_pod *pod, struct charm_arena *arena, struct lab_worker *worker,
                         struct charm_error *reterr)
{
    const struct lab_child_plan plan = {
        .argv = worker->argv.at,
        .env = worker->env.at,
        .log = charm_arena_printf(arena, "%s/worker.log", pod->dir),
        .body = lab_sandbox_enter,
        .userdata = &worker->sandbox,
    };
    return lab_child_start(&pod->child, &plan, reterr);
}

static void started(struct lab_cluster *cluster, struct lab_pod *pod)
{
    pod->state = LAB_POD_RUNNING;
    pod->started_ms = cluster->now_ms;
    pod->kill_by_ms = 0;
    pod->waiting[0] = '\0';
    lab_probe_restart(&pod->startup, cluster->now_ms);
    lab_probe_restart(&pod->readiness, cluster->now_ms);
    lab_probe_restart(&pod->liveness, cluster->now_ms);
    lab_cluster_say(cluster, "INFO", "pod %s: started worker at %s (pid %d%s)", pod->name,
                    pod->address, (int)pod->child.pid, pod->restarts > 0 ? ", again" : "");
}

static void start(struct lab_cluster *cluster, struct lab_pod *pod)
{
    struct charm_error error = { 0 };
    struct charm_arena *arena = charm_arena_new();
    const struct lab_worker_pod about = {
        .name = pod->name,
        .address = pod->address,
        .dir = pod->dir,
        .spec = spec_of(pod),
        .number = pod->number,
    };
    struct lab_worker worker = { 0 };
    int code = lab_worker_plan(arena, &cluster->host, &about, &worker, &error);
    if (code == 0) {
        code = start_process(pod, arena, &worker, &error);
    }
    if (code == 0) {
        say_differences(cluster, pod, &worker.differences);
        started(cluster, pod);
    } else {
        if (strncmp(pod->waiting, error.text, sizeof(pod->waiting) - 1) != 0) {
            lab_cluster_say(cluster, "WARNING", "pod %s: %s", pod->name, error.text);
        }
        snprintf(pod->waiting, sizeof(pod->waiting), "%.299s", error.text);
        pod->wake_ms = cluster->now_ms + RETRY_PENDING_MS;
    }
    charm_arena_free(arena);
}

/* ---- ending ---- */

static void set_ready(struct lab_cluster *cluster, struct lab_pod *pod, bool ready)
{
    if (pod->ready == ready) {
        return;
    }
    pod->ready = ready;
    pod->ready_since_ms = cluster->now_ms;
    if (ready) {
        lab_cluster_say(cluster, "INFO", "pod %s: ready after %.1f s", pod->name,
                        (double)(cluster->now_ms - pod->started_ms) / 1000);
    } else if (pod->state == LAB_POD_RUNNING) {
        lab_cluster_say(cluster, "WARNING", "pod %s: not ready any more (%s)", pod->name,
                        pod->readiness.last_failure[0] != '\0' ? pod->readiness.last_failure
                                                               : "its container ended");
    }
}

static void ask_to_stop(struct lab_cluster *cluster, struct lab_pod *pod)
{
    lab_child_signal(&pod->child, SIGTERM);
    pod->kill_by_ms = cluster->now_ms + grace_ms(pod);
}

/* The last line of the worker's log that says ERROR, "" if none. */
static const char *last_error(struct charm_arena *arena, const struct lab_pod *pod)
{
    char tail[64 * 1024];
    const int fd = open(charm_arena_printf(arena, "%s/worker.log", pod->dir), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return "";
    }
    const off_t end = lseek(fd, 0, SEEK_END);
    const off_t from = end > (off_t)sizeof(tail) - 1 ? end - (off_t)sizeof(tail) + 1 : 0;
    const ssize_t size = pread(fd, tail, sizeof(tail) - 1, from);
    close(fd);
    tail[size > 0 ? size : 0] = '\0';
    const char *found = NULL;
    for (const char *at = strstr(tail, "ERROR"); at != NULL; at = strstr(at + 1, "ERROR")) {
        found = at;
    }
    return found == NULL ? ""
                         : charm_arena_printf(arena, ": %.*s", (int)strcspn(found, "\n"), found);
}

/* Kubelet's rule: at once the first time, then 10 s, 20 s, 40 s ... 5 min. */
static void plan_restart(struct lab_cluster *cluster, struct lab_pod *pod)
{
    if (cluster->now_ms - pod->started_ms > WELL_AFTER_MS) {
        pod->back_off_ms = 0;
        pod->restarts = 0;
    }
    pod->wake_ms = cluster->now_ms + pod->back_off_ms;
    const int64_t next = pod->back_off_ms == 0 ? cluster->back_off_ms : 2 * pod->back_off_ms;
    pod->back_off_ms = next < BACK_OFF_MOST_MS ? next : BACK_OFF_MOST_MS;
    pod->restarts++;
    pod->state = LAB_POD_BACK_OFF;
}

static void container_ended(struct lab_cluster *cluster, struct lab_pod *pod)
{
    char how[64];
    lab_child_describe_end(&pod->child, how, sizeof(how));
    set_ready(cluster, pod, false);
    plan_restart(cluster, pod);
    struct charm_arena *arena = charm_arena_new();
    const char *why = last_error(arena, pod);
    snprintf(pod->waiting, sizeof(pod->waiting), "CrashLoopBackOff: %s%.200s", how, why);
    lab_cluster_say(cluster, "WARNING", "pod %s: container ended with %s, restart in %.1f s%s",
                    pod->name, how, (double)(pod->wake_ms - cluster->now_ms) / 1000, why);
    charm_arena_free(arena);
}

void lab_pod_terminate(struct lab_cluster *cluster, struct lab_pod *pod, const char *why)
{
    if (!lab_pod_counts(pod)) {
        return;
    }
    lab_cluster_say(cluster, "INFO", "pod %s: stopping, %s", pod->name, why);
    pod->state = LAB_POD_TERMINATING;
    set_ready(cluster, pod, false);
    ask_to_stop(cluster, pod);
}

/* ---- time passes ---- */

static void liveness_failed(struct lab_cluster *cluster, struct lab_pod *pod,
                            const struct lab_probe *probe, const char *name)
{
    lab_cluster_say(cluster, "WARNING", "pod %s: %s probe failed (%s), container is restarted",
                    pod->name, name, probe->last_failure);
    ask_to_stop(cluster, pod);
}

/* true while the container has not finished starting */
static bool still_starting(struct lab_cluster *cluster, struct lab_pod *pod)
{
    if (!pod->startup.used || pod->startup.verdict == LAB_PROBE_GOOD) {
        return false;
    }
    CHARMI_IGNORE(lab_probe_tick(&pod->startup, pod->address, cluster->now_ms),
                  "the verdict says it");
    if (pod->startup.verdict == LAB_PROBE_BAD) {
        liveness_failed(cluster, pod, &pod->startup, "startup");
    } else if (pod->startup.verdict == LAB_PROBE_GOOD) {
        lab_probe_restart(&pod->readiness, cluster->now_ms);
        lab_probe_restart(&pod->liveness, cluster->now_ms);
    }
    return true;
}

static void probe(struct lab_cluster *cluster, struct lab_pod *pod)
{
    if (pod->kill_by_ms != 0 || still_starting(cluster, pod)) {
        return;
    }
    CHARMI_IGNORE(lab_probe_tick(&pod->readiness, pod->address, cluster->now_ms),
                  "the verdict says it");
    if (!pod->readiness.used || pod->readiness.verdict != LAB_PROBE_UNDECIDED) {
        set_ready(cluster, pod, !pod->readiness.used || pod->readiness.verdict == LAB_PROBE_GOOD);
    }
    CHARMI_IGNORE(lab_probe_tick(&pod->liveness, pod->address, cluster->now_ms),
                  "the verdict says it");
    if (pod->liveness.verdict == LAB_PROBE_BAD) {
        liveness_failed(cluster, pod, &pod->liveness, "liveness");
    }
}

static void kill_when_late(const struct lab_cluster *cluster, struct lab_pod *pod)
{
    if (pod->kill_by_ms != 0 && cluster->now_ms > pod->kill_by_ms) {
        lab_child_signal(&pod->child, SIGKILL);
    }
}

void lab_pod_tick(struct lab_cluster *cluster, struct lab_pod *pod)
{
    switch (pod->state) {
    case LAB_POD_PENDING:
    case LAB_POD_BACK_OFF:
        if (cluster->now_ms >= pod->wake_ms) {
            start(cluster, pod);
        }
        break;
    case LAB_POD_RUNNING:
        if (lab_child_running(&pod->child)) {
            probe(cluster, pod);
            kill_when_late(cluster, pod);
        } else {
            container_ended(cluster, pod);
        }
        break;
    case LAB_POD_TERMINATING:
        if (lab_child_running(&pod->child)) {
            kill_when_late(cluster, pod);
        } else {
            pod->state = LAB_POD_GONE;
        }
        break;
    case LAB_POD_GONE:
        break;
    }
}
