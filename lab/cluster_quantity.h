/*
 * lab/cluster_quantity.h: Kubernetes' quantities: "500m", "1.5", "512Mi", "1e3", or a number.
 *
 * May include: charm/value.h.
 */
#ifndef LAB_CLUSTER_QUANTITY_H
#define LAB_CLUSTER_QUANTITY_H

#include <stdbool.h>

#include "charm/value.h"

/* false when the text is no quantity. */
bool lab_quantity_parse(struct charm_arena *arena, const struct charm_value *value,
                        double *ret_amount);

#endif
