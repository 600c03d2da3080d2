/*
 * charm/commit.h: the end of a run: what is wanted is compared with what is there, and only differences are sent.
 *
 * Invariants. Everything is computed before the first writing call. Order: relation data, application state, the unit's
 * state (all three buffered by Juju until exit 0), then the immediate ones: workload version, status last; in an
 * action its results. A run that wrote relation data or application state leaves the mark `verify`: the next one
 * reads its own bags before it trusts its digests (architecture, decision 3).
 *
 * May include: charm/session.h.
 */
#ifndef CHARMI_COMMIT_H
#define CHARMI_COMMIT_H

#include "charm/session.h"

/* The unit's bags, by relation. */
struct charmi_plan {
    struct charm_value *bags;         /* relation id -> key -> text, "" removes */
    const struct charm_value *app;    /* key -> text of the application state */
    struct charm_value *state;        /* key -> text for state-set */
    const struct charmi_gift *status; /* NULL: none wanted */
    const char *version;              /* NULL: none wanted */
};

/* Computes all of it; may read own bags. Changes the engine's memory, so it comes once, and last before writing. */
CHARM_MUST_CHECK int charmi_commit_plan(struct charm_run *run, struct charmi_plan *ret_plan,
                                        struct charm_error *reterr);
CHARM_MUST_CHECK int charmi_commit_write(struct charm_run *run, const struct charmi_plan *plan,
                                         struct charm_error *reterr);
/* action-fail for a run that failed; what it cannot say is lost. */
void charmi_commit_action_failed(struct charm_run *run, const char *why);

#endif
