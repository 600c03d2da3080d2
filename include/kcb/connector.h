/*
 * kcb/connector.h: connectors: wanted ones that the base keeps true, and direct calls to the REST port.
 *
 * Two ways. kcb_want_connector() declares a connector in every run in which the row's guards hold; the base creates it,
 * updates it when its configuration differs, waits out rebalances, survives a change of leader, and removes it when
 * the row runs without naming it. The direct calls answer at once with {status, body} for those who want the old way;
 * they do not make a connector the base's own.
 *
 *     struct charm_value *config = kcb_connector_new(run, "com.example.MongoSinkConnector");
 *     charm_value_setf(config, "tasks.max", "%d", 2);
 *     kcb_want_connector(run, "orders-sink", config);
 *
 * REST API: kafka-connect.md 1. May include: charm/run.h.
 */
#ifndef KCB_CONNECTOR_H
#define KCB_CONNECTOR_H

#include "charm/run.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A configuration map with "connector.class"; borrowed until the run ends. */
struct charm_value *kcb_connector_new(struct charm_run *run, const char *connector_class);
/* `config`: numbers and booleans become texts; a nested value is refused and fails the run, naming the key. */
void kcb_want_connector(struct charm_run *run, const char *name, const struct charm_value *config);

struct kcb_answer {
    int status;                     /* HTTP status */
    const struct charm_value *body; /* NULL when there is none, or it is not JSON */
};
/*
 * Direct calls. 0 when the worker answered (look at `status`), else CHARM_ENOTFOUND when there is no running worker to
 * ask, CHARM_ENET or CHARM_ETIMEOUT when none answered, CHARM_EREFUSED for a write of a unit that leads no more,
 * CHARM_EINVAL for a name or configuration that Connect would not take.
 */
CHARM_MUST_CHECK int kcb_register_connector(struct charm_run *run, const char *name,
                                            const struct charm_value *config,
                                            struct kcb_answer *ret_answer,
                                            struct charm_error *reterr);
CHARM_MUST_CHECK int kcb_unregister_connector(struct charm_run *run, const char *name,
                                              struct kcb_answer *ret_answer,
                                              struct charm_error *reterr);
CHARM_MUST_CHECK int kcb_list_connectors(struct charm_run *run, struct kcb_answer *ret_answer,
                                         struct charm_error *reterr);
CHARM_MUST_CHECK int kcb_connector_status(struct charm_run *run, const char *name,
                                          struct kcb_answer *ret_answer,
                                          struct charm_error *reterr);
CHARM_MUST_CHECK int kcb_connector_restart(struct charm_run *run, const char *name,
                                           struct kcb_answer *ret_answer,
                                           struct charm_error *reterr);
CHARM_MUST_CHECK int kcb_connector_pause(struct charm_run *run, const char *name,
                                         struct kcb_answer *ret_answer, struct charm_error *reterr);
CHARM_MUST_CHECK int kcb_connector_resume(struct charm_run *run, const char *name,
                                          struct kcb_answer *ret_answer,
                                          struct charm_error *reterr);
CHARM_MUST_CHECK int kcb_list_tasks(struct charm_run *run, const char *name,
                                    struct kcb_answer *ret_answer, struct charm_error *reterr);

#ifdef __cplusplus
}
#endif
#endif
