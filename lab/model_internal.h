/* lab/model_internal.h: what the files of the model share and nobody else needs. */
#ifndef LAB_MODEL_INTERNAL_H
#define LAB_MODEL_INTERNAL_H

#include "lab/model.h"

/* Refuses a charm that Juju's reader would refuse, as far as the lab depends on it. */
int lab_charm_check(const struct lab_charm *charm, struct charm_error *reterr);
/* Peer relations that the charm declares and the application has not. */
void lab_model_make_peers(struct lab_model *model, struct lab_application *app);
/* The unit is not in error any more. */
void lab_unit_recover(struct lab_unit *unit);
/* The hook of this event is over and done with: the agent notes what its charm knows now. */
void lab_event_succeeded(struct lab_model *model, struct lab_unit *unit,
                         const struct lab_event *event);
void lab_event_failed(struct lab_model *model, struct lab_unit *unit,
                      const struct lab_event *event);
/* The hook was killed: the same one comes again, and it is no error (contract 1.4). */
void lab_event_again(struct lab_unit *unit, const struct lab_event *event);

#endif
