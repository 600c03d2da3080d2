/*
 * lab/cluster.h: plays Kubernetes for ConfigMap, Secret, Service and Deployment, with real workers.
 *
 * Objects are applied as `kubectl apply` does it: checked and refused in the API server's words, defaulted, given a
 * generation; a Service gets its addresses and ports and a forwarder, a Deployment one real Connect worker
 * process per replica. lab_cluster_tick() lets time pass: probes, restarts with back-off, rolling updates. It never
 * waits. What is returned by lab_cluster_get() has the shape of the real API.
 *
 *     struct lab_cluster *cluster = lab_cluster_new(&options, reterr);
 *     lab_cluster_apply(cluster, manifest, reterr);
 *     for (;;) { lab_cluster_tick(cluster, now_ms); ... }
 *     lab_cluster_free(cluster);
 *
 * May include: charm/value.h.
 */
#ifndef LAB_CLUSTER_H
#define LAB_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "charm/value.h"

struct lab_cluster;

struct lab_cluster_options {
    const char *dir;        /* for volumes and logs, made */
    const char *kafka_home; /* lab_java_find(); NULL takes the cache's */
    const char *shared;     /* a directory of the machine that every worker sees, or NULL */
    bool bare;              /* no mount namespaces, as if none could be made: for tests */
    int64_t back_off_ms;    /* before the second restart; doubles. 0: ten seconds, as a kubelet */
    /* An event for people, as `kubectl get events` has them. */
    void (*say)(void *userdata, const char *level, const char *text);
    void *userdata;
};

CHARM_MUST_CHECK int lab_cluster_new(const struct lab_cluster_options *options,
                                     struct lab_cluster **ret_cluster, struct charm_error *reterr);
/* Ends all workers, waits for them, and frees. */
void lab_cluster_free(struct lab_cluster *cluster);

CHARM_MUST_CHECK int lab_cluster_apply(struct lab_cluster *cluster,
                                       const struct charm_value *manifest,
                                       struct charm_error *reterr);
/* Everything with this label goes; its pods get their grace period. */
void lab_cluster_delete_labelled(struct lab_cluster *cluster, const char *label, const char *value);
/* The live object, or NULL. */
struct charm_value *lab_cluster_get(const struct lab_cluster *cluster, struct charm_arena *arena,
                                    const char *kind, const char *name);
/* Does an object of any kind have this name but another value of this label? */
bool lab_cluster_name_taken(const struct lab_cluster *cluster, const char *name, const char *label,
                            const char *value);
void lab_cluster_tick(struct lab_cluster *cluster, int64_t now_ms);
/* InternalIP of the one node. */
const char *lab_cluster_node(const struct lab_cluster *cluster);
/* Worker processes, those that are ending too. */
size_t lab_cluster_pods(const struct lab_cluster *cluster);

#endif
