/*
 * edge/juju/process.h: runs one program with an argument vector and waits for its end.
 *
 * Invariants. No shell sees the arguments. The program is looked up in PATH, gets our environment as it is, standard
 * input from a text or /dev/null, and no descriptor that we opened. It is in a process group of its own: whatever of
 * it is left when time or the output ceiling is up is killed with it. Descriptors 0, 1 and 2 of this process must be
 * open (charm_main() sees to that).
 *
 *     const struct charm_tool_call call = { .argv = CHARM_FLAGS("is-leader", "--format=json"),
 *                                           .max_output_bytes = 1024, .timeout_ms = 10000 };
 *     struct charm_tool_answer answer;
 *     int result = charmi_process_run(arena, &call, &answer, &error);
 *
 * May include: charm/ports.h, base.
 */
#ifndef CHARMI_PROCESS_H
#define CHARMI_PROCESS_H

#include "charm/ports.h"

/* How much of standard error is kept. */
#define CHARMI_PROCESS_ERR_BYTES 1024

/*
 * Returns 0 when the program ran to an end, whatever its exit code. CHARM_ENOTFOUND: no such program; CHARM_ETIMEOUT:
 * killed at the deadline; CHARM_ETOOBIG: killed because it said too much, or its arguments are too long;
 * CHARM_EFAILED: killed by somebody else, or not started. Errors name the program, never its arguments.
 */
CHARM_MUST_CHECK int charmi_process_run(struct charm_arena *arena,
                                        const struct charm_tool_call *call,
                                        struct charm_tool_answer *ret_answer,
                                        struct charm_error *reterr);

#endif
