/*
 * edge/juju/place.h: where the charm's files lie.
 *
 * Juju says it in JUJU_CHARM_DIR. By hand it is found from the program itself: the nearest folder above it (at most
 * two up, as in CHARM/bin/PROGRAM) that holds a metadata.yaml; links like hooks/install -> ../bin/PROGRAM do
 * not matter.
 *
 * May include: charm/{arena,ports}.h.
 */
#ifndef CHARMI_PLACE_H
#define CHARMI_PLACE_H

#include "charm/arena.h"

/* The charm's folder, or "" when there is none. `told`: what Juju says, "" if nothing. */
const char *charmi_place_find(struct charm_arena *arena, const char *told);
/* First line of the file `version` there, or "". */
const char *charmi_place_version(struct charm_arena *arena, const char *charm_dir);

#endif
