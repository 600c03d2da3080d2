/*
 * kcb/status.h: one line that says how the application is, and which command helps.
 *
 * Rows say what they found themselves; this output says what no row can: that a relation is missing, who leads, and that all
 * is well. Levels: as wanted active, waiting for others waiting, a person must act blocked (architecture, decision 15).
 *
 * May include: charm/run.h, kcb/deployment.h.
 */
#ifndef KCBI_STATUS_H
#define KCBI_STATUS_H

#include "charm/run.h"

/* Output: the last one of the layer. */
enum charm_result kcbi_tell_status(struct charm_run *run, const struct charm_output *output);

#endif
