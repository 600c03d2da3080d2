/*
 * charm/environment.h: Juju's environment variables as a checked `struct charm_context`.
 *
 * Pure: it is given the variables as a list, reads nothing itself. The kind of run, in this order:
 * JUJU_ACTION_NAME, then JUJU_HOOK_NAME, then JUJU_DISPATCH_PATH (hooks/NAME, actions/NAME), then the program's
 * path (hooks/NAME, actions/NAME); with JUJU_CONTEXT_ID alone it is `juju exec`; without that variable a hand.
 *
 *     struct charm_context context;
 *     r = charmi_environment_read(arena, environ, argv[0], &context, &error);
 *
 * May include: charm/{arena,context,error}.h.
 */
#ifndef CHARMI_ENVIRONMENT_H
#define CHARMI_ENVIRONMENT_H

#include <stdbool.h>

#include "charm/arena.h"
#include "charm/context.h"
#include "charm/error.h"

/*
 * `variables`: NULL-ended "NAME=value" texts. `program`: argv[0], may hold a path. Texts are copied into the arena.
 * CHARM_EINVAL names the variable that Juju could not have set like that.
 */
CHARM_MUST_CHECK int charmi_environment_read(struct charm_arena *arena,
                                             const char *const *variables, const char *program,
                                             struct charm_context *ret_context,
                                             struct charm_error *reterr);

/* "hook", "restricted", "action", "exec", "hand". */
const char *charmi_run_kind_name(enum charm_run_kind kind);

/* "connect/0"; "kafka:1". Pure. */
bool charmi_is_unit(const char *text);
bool charmi_is_relation_id(const char *text);

#endif
