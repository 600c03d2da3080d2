/*
 * lab/net.h: where in the network the lab lives.
 *
 * The promise to the daemon (enter, leave, the address of a unit) stands in lab/app.h. This page is for the parts
 * of the lab that have addresses of their own: the broker, the node, the workers.
 *
 *                     private                       loopback
 *     unit N          10.73.(1+N/250).(1+N%250)     127.0.1.(1+N)
 *     broker N        10.73.16.(1+N)                127.0.2.(1+N)
 *     the node        10.73.17.1                    127.0.3.1
 *     balancer N      10.73.18.(1+N)                127.0.4.(1+N)
 *     cluster IP N    10.96.0.(10+N)                127.0.5.(10+N)
 *     worker N        10.73.32.(2+N)                127.0.0.(2+N)
 *
 * Private: a network namespace with the bridge `lab0`. All of 10.73.0.0/19 and 10.96.0.0/16 is local to the lab;
 * 10.73.32.0/19 lies behind the bridge, one network namespace a worker.
 *
 * The kind of network is a property of the whole process, so it is kept in one static variable of net.c.
 *
 * May include: charm/arena.h, lab/app.h.
 */
#ifndef LAB_NET_H
#define LAB_NET_H

#include <stdbool.h>

#include "charm/arena.h"

enum lab_net_kind {
    LAB_NET_LOOPBACK,
    LAB_NET_PRIVATE,
};

enum lab_net_role {
    LAB_NET_UNIT,
    LAB_NET_BROKER,
    LAB_NET_NODE,
    LAB_NET_BALANCER,
    LAB_NET_CLUSTER_IP,
    LAB_NET_WORKER,
};

#define LAB_NET_BRIDGE "lab0"
#define LAB_NET_GATEWAY "10.73.0.1"
#define LAB_NET_PREFIX 16

enum lab_net_kind lab_net_kind_now(void);
/* Address of the N-th of its kind, owned by the arena. */
char *lab_net_address(struct charm_arena *arena, enum lab_net_role role, int number);
/* Could somebody listen on this address and port now? */
bool lab_net_is_free(const char *address, int port);
/* A port nobody listens on, 0 if there is none. */
int lab_net_free_port(const char *address);
/* Runs `ip -batch` with these lines in the network namespace of the caller. */
CHARM_MUST_CHECK int lab_net_ip(const char *lines, struct charm_error *reterr);

#endif
