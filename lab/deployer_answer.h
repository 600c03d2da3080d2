/*
 * lab/deployer_answer.h: what the kubernetes-deployer charm answers: every object that was asked for, as it is in the
 * cluster (reactive-framework.md 7.2).
 *
 * Pure, and without a memory: how far the cluster has got is what it is told. Of an object that is asked for in several
 * versions the last one lives.
 *
 *     struct lab_deployer_wish wish = lab_deployer_wish(what);
 *     const struct lab_deployer_node node = { "10.0.0.31", 30083 };
 *     const struct charm_value *status = lab_deployer_status(arena, &wish, &node, request);
 *     const char *text = charm_value_render(arena, status, CHARM_JSON_PYTHON);
 *
 * May include: include/charm, lab/deployer_requests.h, base.
 */
#ifndef LAB_DEPLOYER_ANSWER_H
#define LAB_DEPLOYER_ANSWER_H

#include "charm/value.h"

/* What it is told to answer, with what that leaves out. Borrows from the value. */
struct lab_deployer_wish {
    /* "complete", "rolling", "surging", "stale", "null", "failed", "refused", "quiet" */
    const char *answer;
    int64_t ready;                     /* replicas; -1: as many as are asked for */
    const char *text;                  /* the cluster's words, of failed and refused */
    const struct charm_value *workers; /* or NULL: the node */
    const struct charm_value *extra;   /* objects that nobody asked for, or NULL */
    const struct charm_value *raw;     /* the whole status, or NULL */
};

/* The only node: where a Service of type NodePort is reached. */
struct lab_deployer_node {
    const char *host;
    int port;
};

/* `what`: a word, or {answer, ready, text, workers, extra, status}; NULL is "complete". */
struct lab_deployer_wish lab_deployer_wish(const struct charm_value *what);
/* The value of key `status`: the objects of `request`, a list or NULL; or what else the wish says. */
const struct charm_value *lab_deployer_status(struct charm_arena *arena,
                                              const struct lab_deployer_wish *wish,
                                              const struct lab_deployer_node *node,
                                              const struct charm_value *request);
/* The value of key `workers`: addresses of nodes. */
const struct charm_value *lab_deployer_workers(struct charm_arena *arena,
                                               const struct lab_deployer_wish *wish,
                                               const struct lab_deployer_node *node);

#endif
