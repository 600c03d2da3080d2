/*
 * charm/givers.h: rows and output functions as givers: what settles, and what is remembered of them.
 *
 * Of each giver that ever ended well the engine's state keeps which kinds it gave and which keys it published in the
 * last committed run, so that "later" can hold them (architecture, decision 2): "rows":{"layer.row":{"gave":[...],
 * "keys":["website hostname", ...]}}.
 *
 * May include: charm/session.h.
 */
#ifndef CHARMI_GIVERS_H
#define CHARMI_GIVERS_H

#include "charm/session.h"

/* Fills the run's list of givers from its table. */
void charmi_givers_init(struct charm_run *run);
/* `giver` begins to run. */
void charmi_givers_start(struct charm_run *run, size_t giver);
/* It ended; `run->current` is nobody again. */
void charmi_givers_end(struct charm_run *run, enum charm_result result);
/*
 * After dispatch: what rows gave whose guards do not hold falls away. A row that is stopped by nothing but facts that
 * could not be read is in doubt: what it gave before is held (architecture, decision 2: unknown is not absent).
 */
void charmi_givers_settle(struct charm_run *run);
/* Could this flag, which is not set, be set if everything could be read? */
bool charmi_flag_is_doubtful(const struct charm_run *run, const char *flag);
/* After the outputs: what the next run must know. */
void charmi_givers_remember(struct charm_run *run);
/* Does it hold what it gave before: did it end "later", or is it in doubt? */
bool charmi_giver_holds_on(const struct charm_run *run, size_t giver);
/* Keys of this relation that givers published before and hold now. */
struct charmi_words charmi_givers_held_keys(const struct charm_run *run,
                                            const struct charm_relation *relation);

#endif
