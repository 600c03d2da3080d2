/*
 * lab/cluster_secret.h: a Secret as the API server keeps it: `data` in base64, `stringData` gone into it.
 *
 *     const struct charm_value *stored = NULL;
 *     if (lab_secret_stored(arena, manifest, &stored, reterr) == 0) {
 *         size_t size = 0;
 *         const char *bytes = lab_secret_bytes(arena, charm_value_get(stored, "data"), "worker.properties", &size);
 *     }
 *
 * May include: charm/value.h, base.
 */
#ifndef LAB_CLUSTER_SECRET_H
#define LAB_CLUSTER_SECRET_H

#include "charm/value.h"

/* CHARM_EINVAL: a value of `data` is not base64, in the API server's words. */
CHARM_MUST_CHECK int lab_secret_stored(struct charm_arena *arena,
                                       const struct charm_value *manifest,
                                       const struct charm_value **ret_stored,
                                       struct charm_error *reterr);
/* What the key of `data` holds, with a NUL behind it; NULL: there is no such key. */
const char *lab_secret_bytes(struct charm_arena *arena, const struct charm_value *data,
                             const char *key, size_t *ret_size);
/* RFC 4648, with padding. */
const char *lab_base64(struct charm_arena *arena, const void *bytes, size_t size);

#endif
