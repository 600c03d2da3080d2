/*
 * lab/skin_base.h: the base charm in this process: its files, its layers, its reader of YAML, for lab/skin.h.
 *
 *     struct lab_base base;
 *     r = lab_base_load(arena, "/path/to/charm", &base, &error);
 *     lab_model_deploy(model, "connect", &base.charm, 1, &application, &error);
 *     struct lab_skin *skin = lab_skin_new(arena, &(struct lab_skin_options){
 *         .model = model, .files = base.files, .reading = lab_base_reading(), .outside = &ports });
 *     lab_base_link(skin);
 *
 * May include: lab/{model,skin,yaml}.h, kcb/{layer,table}.h, edge/juju/ports.h.
 */
#ifndef LAB_SKIN_BASE_H
#define LAB_SKIN_BASE_H

#include "lab/skin.h"

/* Read once, for any number of worlds. */
struct lab_base {
    struct lab_charm charm;          /* as Juju reads its files */
    const struct charm_files *files; /* as the charm does */
};

/* Reads metadata.yaml, config.yaml and actions.yaml of the charm in `dir`. */
CHARM_MUST_CHECK int lab_base_load(struct charm_arena *arena, const char *dir,
                                   struct lab_base *ret_base, struct charm_error *reterr);
/* The charm's own functions for YAML. */
const struct charm_ports *lab_base_reading(void);
/* Links what kafka-connect-base links: the base layer, and the small one of its own. */
void lab_base_link(struct lab_skin *skin);

#endif
