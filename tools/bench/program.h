/*
 * bench/program.h: a program as Juju starts it, and what it cost.
 *
 * May include: charm/error.h.
 */
#ifndef BENCH_PROGRAM_H
#define BENCH_PROGRAM_H

#include "charm/error.h"

/*
 * Runs it to its end, standard output and error into the file `output`. `ret_kib` (may be NULL): the most memory it had at
 * a time; the kernel counts ours before exec too, which is less. Fails when it does not exit with 0.
 */
CHARM_MUST_CHECK int bench_program_run(const char *const *argv, const char *const *environment,
                                       const char *output, long *ret_kib,
                                       struct charm_error *reterr);

#endif
