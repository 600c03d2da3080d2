/*
 * lab/connect.h: a Kafka Connect cluster behind its REST port, as data: connectors, their tasks, and a script.
 *
 * Pure: a request is a function call. It answers as Connect 2.x to 4.x does (kafka-connect.md), unless a rule of the
 * script says otherwise; it writes down what it was asked.
 *
 *     struct lab_connect *connect = lab_connect_new(arena);
 *     struct lab_reply reply = lab_connect_answer(connect, &(struct lab_request){ "GET", "/", "" });
 *
 * May include: base, include/charm.
 */
#ifndef LAB_CONNECT_H
#define LAB_CONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include "charm/value.h"

struct lab_connect;

struct lab_request {
    const char *method;
    const char *path; /* with its query */
    const char *body; /* "" for none */
};

struct lab_reply {
    int status;
    const char *body; /* "" for none */
    const char *type;
    int64_t delay_ms; /* it is to come only then */
    bool drop;        /* the connection is to be cut without a word */
};

/* Released with the arena. */
struct lab_connect *lab_connect_new(struct charm_arena *arena);
/* `what`: {version, connectors: {NAME: CONFIG or {config, state, tasks}}, script}; what is left out stays. */
void lab_connect_set(struct lab_connect *connect, const struct charm_value *what);
struct lab_reply lab_connect_answer(struct lab_connect *connect, const struct lab_request *request);
/* "PUT /connectors/a/config {...}": what was asked since the list was last cleared. */
struct charm_value *lab_connect_requests(const struct lab_connect *connect);
/* What stands there: name to configuration. */
const struct charm_value *lab_connect_connectors(const struct lab_connect *connect);

#endif
