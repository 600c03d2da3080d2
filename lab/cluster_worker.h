/*
 * lab/cluster_worker.h: from a pod template to the process that plays its container.
 *
 * The container's command runs unchanged in a sandbox: /opt/kafka/bin/connect-distributed.sh is there and starts java
 * with our jars, /opt/kafka/libs holds the file connectors, each volume lies where the pod mounts it. Where no
 * mount namespace can be made, the paths in command and file are replaced; in the loopback network `listeners` and
 * `rest.advertised.*` are. What is replaced stands in `differences`, one line each.
 *
 * May include: lab/cluster_sandbox.h, lab/java.h.
 */
#ifndef LAB_CLUSTER_WORKER_H
#define LAB_CLUSTER_WORKER_H

#include <stdbool.h>

#include "charm/value.h"
#include "lab/cluster_sandbox.h"
#include "lab/java.h"

/* What the pods of one cluster share. */
struct lab_worker_host {
    struct lab_java java;
    bool mounts;                /* mount namespaces can be made */
    const char *node_address;   /* status.hostIP */
    struct charmi_words shared; /* directories of the machine that every worker sees */
    /* `data` of a ConfigMap, or NULL */
    const struct charm_value *(*config_map)(void *userdata, const char *name);
    /* `data` of a Secret, in base64, or NULL */
    const struct charm_value *(*secret)(void *userdata, const char *name);
    void *userdata;
};

struct lab_worker_pod {
    const char *name;
    const char *address;
    const char *dir;                  /* of the pod, made */
    const struct charm_value *spec;   /* of the pod template */
    const struct charm_value *labels; /* of the pod template */
    int number;
};

struct lab_worker {
    struct charmi_words argv;
    struct charmi_words env;
    struct lab_sandbox sandbox;
    struct charmi_words differences;
};

/*
 * Prepares everything that a start needs; writes the volumes' files. CHARM_ENOTFOUND: it waits for something (a
 * ConfigMap, an image), and the text begins with Kubernetes' reason ("ImagePullBackOff: ...").
 */
CHARM_MUST_CHECK int lab_worker_plan(struct charm_arena *arena, const struct lab_worker_host *host,
                                     const struct lab_worker_pod *pod,
                                     struct lab_worker *ret_worker, struct charm_error *reterr);
/* The first container's first port, or 8083. */
int lab_worker_port(const struct charm_value *spec);

#endif
