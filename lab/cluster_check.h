/*
 * lab/cluster_check.h: what Kubernetes refuses, in its own words.
 *
 * Two steps, as in the API server: strict decoding (400, cluster_schema.h), then validation (422): all causes
 * are collected into one text, `Deployment.apps "x" is invalid: [cause, cause]`. Beyond that the lab refuses, saying so, what it
 * cannot play (a second container, exec probes).
 *
 * May include: lab/cluster_schema.h, lab/cluster_quantity.h.
 */
#ifndef LAB_CLUSTER_CHECK_H
#define LAB_CLUSTER_CHECK_H

#include "charm/value.h"

/* Would Kubernetes take the manifest? `before` is the object of that name that is there, or NULL. */
CHARM_MUST_CHECK int lab_manifest_check(struct charm_arena *arena,
                                        const struct charm_value *manifest,
                                        const struct charm_value *before,
                                        struct charm_error *reterr);

#endif
