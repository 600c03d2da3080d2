/*
 * kcb/restarts.h: restarting connectors: one call, and by itself as often as option restart-failed allows.
 *
 * By itself only in update-status, so that tries are minutes apart without a clock, and only what failed of connectors
 * that are ours. How often stands in the application state, for a new leader goes on counting; a connector that runs in
 * update-status begins anew. After the last try a person is asked.
 *
 *     const struct kcbi_restart what = { .name = "lines", .tasks = true, .only_failed = true };
 *     if (kcbi_restart_connector(&rest, live, &what, &error) != 0) {
 *         return error.retriable ? CHARM_LATER : CHARM_DONE;
 *     }
 *
 * Application state: KCBI_APP_RESTARTS, name to the number of tries, of those that failed.
 * Sources: kafka-connect.md 1.2, KIP-745. May include: charm/run.h, kcb/rest.h.
 */
#ifndef KCBI_RESTARTS_H
#define KCBI_RESTARTS_H

#include "kcb/rest.h"

#define KCBI_APP_RESTARTS "restarts"

struct kcbi_restart {
    const char *name;
    bool tasks;       /* its tasks as well */
    bool only_failed; /* leave alone what has not failed */
};
/*
 * Asks the workers for it; it goes on behind their answer. Before 3.0 part by part, as `live` (see
 * kcbi_live_connectors()) shows them. CHARM_EFAILED with the worker's words, retriable if it says "not now"; else as
 * kcbi_rest_write() fails.
 */
CHARM_MUST_CHECK int kcbi_restart_connector(struct kcbi_rest *rest, const struct charm_value *live,
                                            const struct kcbi_restart *what,
                                            struct charm_error *reterr);

/* What one run has done. */
struct kcbi_restarts {
    struct charm_value
        *tries;       /* name to how often it was tried since it last ran in update-status */
    size_t restarted; /* in this run */
};
/*
 * Restarts what failed of `names` (a map, by its keys), each at most `most` times, and keeps count in the application
 * state. Without `may_try` nothing is restarted, and no count begins anew.
 */
struct kcbi_restarts kcbi_restart_failed(struct charm_run *run, struct kcbi_rest *rest,
                                         const struct charm_value *names,
                                         const struct charm_value *live, int64_t most,
                                         bool may_try);
/* Those of `names` that were tried as often as allowed; pure. */
struct charm_value *kcbi_given_up(struct charm_arena *arena, const struct charm_value *names,
                                  const struct charm_value *tries, int64_t most);

#endif
