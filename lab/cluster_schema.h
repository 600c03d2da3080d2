/*
 * lab/cluster_schema.h: the fields that Kubernetes knows, for the three kinds that the lab plays.
 *
 * From the API of Kubernetes 1.34 (core/v1, apps/v1). An unknown field is refused as with strict decoding, a value of
 * the wrong JSON type as Go's decoder refuses it.
 *
 * May include: charm/value.h.
 */
#ifndef LAB_CLUSTER_SCHEMA_H
#define LAB_CLUSTER_SCHEMA_H

#include "charm/value.h"

enum lab_schema_type {
    LAB_SCHEMA_ANY, /* the lab does not look inside */
    LAB_SCHEMA_STRING,
    LAB_SCHEMA_INT,
    LAB_SCHEMA_BOOL,
    LAB_SCHEMA_INT_OR_STRING,
    LAB_SCHEMA_QUANTITIES, /* map of quantities: text or number */
    LAB_SCHEMA_STRINGS,    /* list of texts */
    LAB_SCHEMA_STRING_MAP,
    LAB_SCHEMA_INTS,
    LAB_SCHEMA_OBJECT,
    LAB_SCHEMA_OBJECTS, /* list of objects */
};

struct lab_schema_field {
    const char *name; /* NULL ends a list */
    enum lab_schema_type type;
    const struct lab_schema_field *members;
};

/* The fields of a kind, or NULL when the lab does not play it. */
const struct lab_schema_field *lab_schema_of_kind(const char *kind);
/* Strict decoding: names and types of all fields. The error text is the API server's. */
CHARM_MUST_CHECK int lab_schema_check(struct charm_arena *arena, const char *kind,
                                      const struct charm_value *manifest,
                                      struct charm_error *reterr);

#endif
