/*
 * lab/deployer_requests.h: what kubernetes-deployer is asked for: the union of all units' requests by uuid.
 *
 * As the real charm reads them (reactive-framework.md 7.2): a unit without a `resource`, or with an empty one, is ignored;
 * units with the same uuid are one request; equal manifests are there once, different versions of one object both, and are
 * applied one after the other, so that the last one stays. Pure.
 *
 *     struct lab_deployer_requests requests = { .arena = arena };
 *     ... for each unit, sorted by name: lab_deployer_requests_add(&requests, bag);
 *
 * May include: charm/value.h, lab/model.h, base.
 */
#ifndef LAB_DEPLOYER_REQUESTS_H
#define LAB_DEPLOYER_REQUESTS_H

#include "charm/value.h"
#include "lab/model.h"

struct lab_deployer_request {
    const char *uuid;
    const char *model_uuid;
    const char *juju_unit;
    struct charm_value *manifests; /* in the order in which they are applied */
};

struct lab_deployer_requests {
    struct charm_arena *arena;
    struct lab_deployer_request *at;
    size_t size;
};

/* `bag`: what one unit has published. */
void lab_deployer_requests_add(struct lab_deployer_requests *requests,
                               const struct charm_value *bag);
/* All manifests that this application's units ask for in the relation, a list, or NULL: nobody asks for anything. */
const struct charm_value *lab_deployer_asked(struct charm_arena *arena,
                                             const struct lab_relation *relation,
                                             const struct lab_application *app);
/* The version of this object that is applied last. */
const struct charm_value *lab_deployer_request_last(const struct charm_value *manifests,
                                                    const struct charm_value *manifest);

#endif
