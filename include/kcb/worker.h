/*
 * kcb/worker.h: what an upper layer tells the base about its workers, and what it may ask.
 *
 * Settings are contributions: give them in every run in which your row's guards hold; the base compares and rolls the
 * workers only when the rendered configuration really differs.
 *
 *     kcb_set_base_image(run, "example/connect-mongodb:1.2");
 *     kcb_set_worker_config(run, "key.converter", "org.apache.kafka.connect.json.JsonConverter");
 *     charm_flag_set(run, KCB_INSTALL);
 *
 * May include: charm/run.h.
 */
#ifndef KCB_WORKER_H
#define KCB_WORKER_H

#include "charm/run.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * One worker property. Stronger than what the base computes, weaker than the operator's options. One whose name speaks of a
 * password or key needs the operator's worker-secret or allow-secrets-in-relation (docs/operating.md); else blocked.
 */
void kcb_set_worker_config(struct charm_run *run, const char *key, const char *value);
/* Container image of the workers; the operator's option `image` wins. */
void kcb_set_base_image(struct charm_run *run, const char *image);
/* "ADDRESS:PORT" of the workers' REST service while they run, else "". */
const char *kcb_get_worker_service(struct charm_run *run);
/* Names of the internal topics: MODEL.APP.connectconfigs, ...offsets, ...status, or what option topic-prefix says. */
const char *kcb_get_configs_topic(struct charm_run *run);
const char *kcb_get_offsets_topic(struct charm_run *run);
const char *kcb_get_status_topic(struct charm_run *run);

#ifdef __cplusplus
}
#endif
#endif
