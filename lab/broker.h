/*
 * lab/broker.h: one real Kafka broker: KRaft, alone or one of several; before 2.8 with a ZooKeeper of its own.
 *
 * Formatting and starting take seconds, so they are processes; lab_broker_tick() goes from one to the next. Data,
 * properties and log lie in the directory given; a stopped broker can be started again on the same data.
 *
 *     stopped -> formatting -> starting -> ready -> stopping -> stopped
 *                                    \-> failed (the log says why)
 *
 *     struct lab_broker broker;
 *     lab_broker_init(&broker, &(struct lab_broker_options){ .dir = dir, .address = "127.0.2.1", .id = 1 }, &error);
 *     lab_broker_join(&broker, lab_broker_voter(&broker), 1);
 *     lab_broker_start(&broker, "", &error);
 *
 * May include: lab/{broker_security,child,java}.h.
 */
#ifndef LAB_BROKER_H
#define LAB_BROKER_H

#include <stdbool.h>
#include <stdint.h>

#include "lab/broker_security.h"
#include "lab/child.h"
#include "lab/java.h"

enum lab_broker_state {
    LAB_BROKER_STOPPED,
    LAB_BROKER_FORMATTING,
    LAB_BROKER_STARTING,
    LAB_BROKER_READY,
    LAB_BROKER_STOPPING,
    LAB_BROKER_FAILED,
};

struct lab_broker_options {
    const char *home; /* as in lab_java_find() */
    const char *dir;
    const char *address;
    int id;                              /* node.id, from 1 */
    const struct lab_security *security; /* listeners, users and rights; NULL: PLAINTEXT alone */
};

struct lab_broker {
    struct charm_arena *arena; /* of this struct; what stands below is in it */
    struct lab_java java;
    const char *dir;
    const char *address;
    int id;
    const char *voters; /* controller.quorum.voters */
    int voter_count;
    const struct lab_security *security;
    struct lab_listeners listeners; /* those of it */
    const char *extra;              /* lines that are added to server.properties */
    int port;
    int controller_port; /* or its ZooKeeper's */
    bool with_zookeeper; /* Kafka before 2.8 */
    enum lab_broker_state state;
    struct lab_child child;
    struct lab_child zookeeper;
    int64_t log_read; /* bytes of the log looked at so far */
    int64_t stop_by_ms;
    char failure[300];
};

/* Prepares the struct and chooses ports; starts nothing. */
CHARM_MUST_CHECK int lab_broker_init(struct lab_broker *broker,
                                     const struct lab_broker_options *options,
                                     struct charm_error *reterr);
/* "1@127.0.2.1:9093": this one as a voter of the controllers' quorum. */
const char *lab_broker_voter(const struct lab_broker *broker);
/* The quorum, "1@...,2@..."; whoever is not in it is a broker alone. Before the first start, the same for all. */
void lab_broker_join(struct lab_broker *broker, const char *voters, int voter_count);
/* The port of a listener of lab/broker_security.h, 0 when there is none of that name. */
int lab_broker_port(const struct lab_broker *broker, const char *listener);
/* Starts it unless it runs; `extra` are further lines for server.properties. */
CHARM_MUST_CHECK int lab_broker_start(struct lab_broker *broker, const char *extra,
                                      struct charm_error *reterr);
/* Asks it to stop in good order; lab_broker_tick() sees it through. */
void lab_broker_ask_stop(struct lab_broker *broker, int64_t now_ms);
/* Goes on. Returns whether the state is another one now. */
bool lab_broker_tick(struct lab_broker *broker, int64_t now_ms);
/* Ends it, waits, and releases the struct. */
void lab_broker_release(struct lab_broker *broker);
/* One word for people. */
const char *lab_broker_state_name(enum lab_broker_state state);

#endif
