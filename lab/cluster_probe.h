/*
 * lab/cluster_probe.h: startup, readiness and liveness probes, without ever waiting.
 *
 * Kubelet's rules: the first try `initialDelaySeconds` after the start of the container, then one every
 * `periodSeconds`; 200-399 in time is a success; a state changes after so many results in a row as the thresholds say.
 *
 * May include: charm/value.h.
 */
#ifndef LAB_CLUSTER_PROBE_H
#define LAB_CLUSTER_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "charm/value.h"

enum lab_probe_verdict {
    LAB_PROBE_UNDECIDED,
    LAB_PROBE_GOOD,
    LAB_PROBE_BAD,
};

struct lab_probe {
    bool used;
    bool http; /* else only a connection */
    int port;
    char path[256];
    int64_t delay_ms;
    int64_t period_ms;
    int64_t timeout_ms;
    int successes_wanted;
    int failures_wanted;

    /* one try */
    int fd; /* 0: none under way */
    bool sent;
    int64_t next_ms;
    int64_t deadline_ms;
    /* the row of equal results */
    int successes;
    int failures;
    char last_failure[160];
    enum lab_probe_verdict verdict;
};

/* Reads a probe of a container; NULL gives an unused one. */
void lab_probe_init(struct lab_probe *probe, const struct charm_value *value,
                    const struct charm_value *container);
/* The container has started anew. */
void lab_probe_restart(struct lab_probe *probe, int64_t now_ms);
/* Goes on with a try, or begins one when it is time. Returns whether a result came in. */
bool lab_probe_tick(struct lab_probe *probe, const char *address, int64_t now_ms);
void lab_probe_close(struct lab_probe *probe);

#endif
