/*
 * kcb/other_requests.h: the request of a former leader that is still in its bag and is not ours.
 *
 * The deployer merges the requests of all units and applies different versions of an object in turn
 * (reactive-framework.md 7.2). A living former leader withdraws in its next hook; a dead one cannot, and as long as it asks
 * for the same bytes nothing is wrong. A person is asked to act (blocked) when it is still there in an update-status, which Juju runs when it has nothing
 * else to do. Part of the layer's state: "other-requests", how far that has gone.
 *
 * May include: charm/run.h.
 */
#ifndef KCBI_OTHER_REQUESTS_H
#define KCBI_OTHER_REQUESTS_H

#include "charm/run.h"

/* Does another unit ask the deployer for something else than this one? Then no answer is of this configuration alone. */
bool kcbi_other_requests(struct charm_run *run);
/* Output: says whose it is and which command helps. */
enum charm_result kcbi_watch_other_requests(struct charm_run *run,
                                            const struct charm_output *output);

#endif
