/*
 * lab/forwarder.h: plays kube-proxy for one Service: address and port -> the workers that are ready.
 *
 * A process of its own carries the bytes; each connection goes to the next backend in turn. While a Service has no
 * backend nobody listens on its ports, so a client is refused, as kube-proxy does.
 *
 *     struct lab_forwarder forwarder = { 0 };
 *     lab_forwarder_start(&forwarder, "/tmp/lab/proxy.log", reterr);
 *     lab_forwarder_set(&forwarder, "10.73.17.1 30083 10.73.32.2:8083 10.73.32.3:8083\n");
 *     lab_forwarder_stop(&forwarder);
 *
 * May include: lab/child.h.
 */
#ifndef LAB_FORWARDER_H
#define LAB_FORWARDER_H

#include "lab/child.h"

enum {
    LAB_FORWARDER_MESSAGE = 8192 /* most bytes of a table */
};

struct lab_forwarder {
    struct lab_child child;
    int control; /* a socket to the process */
    char table[LAB_FORWARDER_MESSAGE];
};

CHARM_MUST_CHECK int lab_forwarder_start(struct lab_forwarder *forwarder, const char *log,
                                         struct charm_error *reterr);
/* The whole table: lines "ADDRESS PORT BACKEND:PORT BACKEND:PORT ..."; the same one again costs nothing. */
void lab_forwarder_set(struct lab_forwarder *forwarder, const char *table);
void lab_forwarder_stop(struct lab_forwarder *forwarder);

#endif
