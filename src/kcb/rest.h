/*
 * kcb/rest.h: the workers' REST port: one call, judged.
 *
 * A client asks the first address that answers, beginning with the one that answered in the run before, waits a little when the worker says "not now", checks leadership before
 * each write, and stays inside its own time and the run's budget for waiting. Bodies are parsed only if they are JSON:
 * plain text, HTML pages and nothing at all are answers too (kafka-connect.md 1.1). What comes back in `message` has
 * been redacted.
 *
 *     struct kcbi_rest rest = kcbi_rest_of(run, KCBI_AS_LEADER);
 *     struct kcbi_reply reply;
 *     struct charm_error error;
 *     if (kcbi_rest_get(&rest, "/connectors", &reply, &error) == 0 && reply.verdict == KCBI_OK) {
 *         names = reply.body;
 *     }
 *
 * Sources: kafka-connect.md 1.9, 1.10, lab-facts.md 1.4. May include: kcb/ports.h, charm/run.h.
 */
#ifndef KCBI_REST_H
#define KCBI_REST_H

#include "charm/run.h"
#include "kcb/ports.h"

enum kcbi_verdict {
    KCBI_OK,    /* 2xx */
    KCBI_LATER, /* starting, rebalance, stale configuration, no leader yet, forwarding failed, 503 */
    KCBI_EXISTS,    /* 409: a connector of this name is there */
    KCBI_NOT_FOUND, /* 404 */
    KCBI_REFUSED,   /* 400, 401, 403, 415, 422: a person must change something */
    KCBI_FAILED,    /* anything else */
};

struct kcbi_reply {
    int status;
    enum kcbi_verdict verdict;
    const struct charm_value *body; /* NULL when there is none, or it is not JSON */
    const char *message; /* what the worker said of a failure, fit for people; "" if nothing */
};

/* What a client needs of its surroundings; tests give their own. */
struct kcbi_rest {
    struct charm_arena *arena;
    const struct kcb_ports *ports;
    const char *const *addresses; /* "ADDRESS:PORT", NULL-ended */
    void *userdata;
    bool (*may_write)(void *userdata);        /* asked before each write */
    bool (*wait)(void *userdata, int64_t ms); /* waits; false: the budget is used up */
    int64_t (*monotonic_ms)(void *userdata);
    void (*trace)(void *userdata, const char *line);
    int64_t deadline_ms;  /* monotonic: nothing is asked after it */
    size_t first;         /* index of the address that is asked first */
    const char *answered; /* the address that answered last; NULL: none has */
};

enum kcbi_rest_role {
    KCBI_AS_LEADER,   /* writes for the application: leadership is asked again */
    KCBI_AS_OPERATOR, /* an action: a person wants it */
};
/* A client for this run: at most 30 s in all. */
struct kcbi_rest kcbi_rest_of(struct charm_run *run, enum kcbi_rest_role role);

/*
 * One call. `path` begins with a slash and is encoded already. 0 when a worker answered, whatever it said.
 * CHARM_ENOTFOUND: no address to ask. CHARM_ENET, CHARM_ETIMEOUT: nobody answered. CHARM_EREFUSED: not leader any
 * more, nothing was sent. CHARM_ETOOBIG: the answer passed the ceiling.
 */
CHARM_MUST_CHECK int kcbi_rest_get(struct kcbi_rest *rest, const char *path,
                                   struct kcbi_reply *ret_reply, struct charm_error *reterr);
/* PUT, POST or DELETE; `body` may be NULL. */
CHARM_MUST_CHECK int kcbi_rest_write(struct kcbi_rest *rest, const char *method, const char *path,
                                     const struct charm_value *body, struct kcbi_reply *ret_reply,
                                     struct charm_error *reterr);
/* "/connectors/NAME" and what follows, the name percent-encoded; `rest` may be "". */
char *kcbi_connector_path(struct charm_arena *arena, const char *name, const char *rest);
/* RFC 3986: everything but letters, digits and -._~ as %XX. */
char *kcbi_percent_encode(struct charm_arena *arena, const char *text);

/* Judges an answer; pure. `message` is what the worker said, as it said it. */
enum kcbi_verdict kcbi_judge_answer(int status, const char *message);

/* The worker's version ("3.9.1") from GET /; "" if it does not say. Fails as kcbi_rest_get() does. */
CHARM_MUST_CHECK int kcbi_rest_version(struct kcbi_rest *rest, const char **ret_version,
                                       struct charm_error *reterr);

/*
 * Every connector as the workers know it: a map of name to {"config": map, "status": map, "type": text}; a member that
 * could not be read is left out. One GET since 2.3. Before, `*ret_old` is true: one list, and two GETs for each of
 * `names` (a map, by its keys; NULL: all). CHARM_EFAILED, retriable when the workers said "not now"; CHARM_EPARSE when
 * the answer is no list; else as kcbi_rest_get().
 */
CHARM_MUST_CHECK int kcbi_live_connectors(struct kcbi_rest *rest, const struct charm_value *names,
                                          struct charm_value **ret_live, bool *ret_old,
                                          struct charm_error *reterr);

#endif
