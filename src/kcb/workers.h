/*
 * kcb/workers.h: do the workers run, and how many.
 *
 * Running means that the roll-out of what was asked for completed once and REST answers now; it falls only when REST
 * does not answer in two runs, or on withdrawal. Missing workers are KCB_DEGRADED and a word in the status
 * (architecture, decision 14). The deployer's answer is a hint; REST is the truth.
 *
 * Part of the layer's state: "silent", how many runs REST has not answered; "version" {checksum, text};
 * "address", where REST answered last.
 *
 * May include: charm/run.h, kcb/{deployment,rest}.h.
 */
#ifndef KCBI_WORKERS_H
#define KCBI_WORKERS_H

#include "charm/run.h"

/* Row: guards KCB_CONFIGURED, KCB_KUBERNETES_AVAILABLE, leadership, application state. */
enum charm_result kcbi_watch_workers(struct charm_run *run, const struct charm_row *row);

/*
 * All connectors as kcbi_live_connectors() gives them, asked once in a run however many ask. Errors are those of
 * kcbi_live_connectors().
 */
CHARM_MUST_CHECK int kcbi_look_at_workers(struct charm_run *run,
                                          const struct charm_value **ret_live, bool *ret_old,
                                          struct charm_error *reterr);

#endif
