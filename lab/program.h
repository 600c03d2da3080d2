/*
 * lab/program.h: where programs of the lab are.
 *
 *     const char *tool = lab_program_beside(arena, "lab-tool");
 *
 * May include: charm/arena.h.
 */
#ifndef LAB_PROGRAM_H
#define LAB_PROGRAM_H

#include "charm/arena.h"

/* The whole path of what is there, since charms run elsewhere; NULL: nothing is, or `path` is NULL. Owned by the arena. */
const char *lab_path_whole(struct charm_arena *arena, const char *path);
/* The program of this name that lies beside the one that runs; NULL: there is none. */
const char *lab_program_beside(struct charm_arena *arena, const char *name);

#endif
