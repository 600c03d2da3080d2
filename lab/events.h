/*
 * lab/events.h: what a unit's charm is run for next, in the order of contract 1.6.
 *
 * The agent of a unit is a chain of questions, first answer wins: in error? a queued hook? relation-created?
 * leadership? actions, commands, upgrade, config-changed, relation hooks, update-status, and on the way out
 * stop and remove. What a hook reports (a bag's version, a configuration) is noted when the event is made and
 * counts as known only when the hook has succeeded, so changes in between make another event.
 *
 * May include: lab/model.h.
 */
#ifndef LAB_EVENTS_H
#define LAB_EVENTS_H

#include "lab/model.h"

/*
 * The next event of the unit; false if there is none now, or one is running. Asking may move the agent on
 * (it enters relations, accepts leadership), but never loses an event: ask again and get the same.
 */
bool lab_event_next(struct lab_model *model, struct lab_unit *unit, struct lab_event *ret_event);
/* When lab_event_next() may answer differently for passing time alone; INT64_MAX: never. */
int64_t lab_event_due_ms(const struct lab_model *model, const struct lab_unit *unit);
/* "install", "db-relation-joined", "restart" (of an action), "juju-exec". */
const char *lab_event_name(struct charm_arena *arena, const struct lab_unit *unit,
                           const struct lab_event *event);
bool lab_event_is_relation(const struct lab_event *event);

#endif
