/*
 * lab/deployer.h: a kubernetes-deployer application and its cluster as data.
 *
 * Pure. It reads and answers as the real charm does (reactive-framework.md 7.2, kafka-connect.md 4.5): requests are
 * merged over all units by uuid, a dead unit's too; of two versions of one object both are applied in turn; an empty list
 * is ignored; objects that a request does not name any more stay, and go when no unit asks for anything. How far the
 * cluster gets with a change is what it is told.
 *
 *     struct lab_deployer *deployer = lab_deployer_new(arena, "10.0.0.31", 30083);
 *     lab_deployer_read(deployer, bags);
 *     const struct charm_value *answer = lab_deployer_answer(deployer);      -> {status, workers}, or NULL
 *
 * May include: lab/deployer_{answer,requests}.h, include/charm, base.
 */
#ifndef LAB_DEPLOYER_H
#define LAB_DEPLOYER_H

#include <stdbool.h>

#include "charm/value.h"

struct lab_deployer;

/* Released with the arena. `node`: the address of the only node; `node_port`: what every Service gets there. */
struct lab_deployer *lab_deployer_new(struct charm_arena *arena, const char *node, int node_port);
/*
 * What becomes of changes from now on: "complete" (at once), "rolling" (old pods serve, new ones are not ready), "stale"
 * (Kubernetes has not looked at it yet), "null" (objects are not there yet), "failed", "refused", "quiet" (no answer at
 * all). CHARM_EINVAL for any other word.
 */
CHARM_MUST_CHECK int lab_deployer_set(struct lab_deployer *deployer, const char *word,
                                      struct charm_error *reterr);
/* Reads the bags of all units that are in the relation (a list of maps), and applies what they ask for. */
void lab_deployer_read(struct lab_deployer *deployer, const struct charm_value *bags);
/* What it publishes now, {status, workers}; NULL: nothing has been asked, or it is quiet. Borrowed. */
const struct charm_value *lab_deployer_answer(const struct lab_deployer *deployer);
/* The object of this kind in the cluster, as it was asked for; NULL: there is none. */
const struct charm_value *lab_deployer_object(const struct lab_deployer *deployer,
                                              const char *kind);
/* Do pods of some roll-out serve? Not before the first one is complete, nor without a Deployment. */
bool lab_deployer_serves(const struct lab_deployer *deployer);
/* How many units asked for something when it was last read, and in how many versions. */
size_t lab_deployer_versions(const struct lab_deployer *deployer);

#endif
