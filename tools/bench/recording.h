/*
 * bench/recording.h: a steady run that was once: what its hook tools and the worker's REST answered.
 *
 * A folder, made by tools/bench/record:
 *
 *     calls             the hook tool calls in order, one a line: the steady list
 *     environment       Juju's variables that do not depend on the place
 *     answers/CALL      what the hook tool printed; also of the unit's own bags, for the first run here
 *     rest/REQUEST      body of the worker's answer, as "GET %connectors"; no folder: the run needs no REST
 *
 * In the names of files a slash is %. Where the worker's REST port is, answers have @HOST@ and @PORT@.
 *
 * May include: charm/value.h, base, edge/juju.
 */
#ifndef BENCH_RECORDING_H
#define BENCH_RECORDING_H

#include "base/text.h"
#include "charm/value.h"

struct bench_recording {
    struct charm_value *answers; /* call, as the file is named: what the tool prints */
    struct charm_value *rest;    /* request, as the file is named: body */
    struct charmi_words calls;   /* as the files are named */
    struct charmi_words environment;
};

/* `port`: where this machine's loopback will play the worker. */
CHARM_MUST_CHECK int bench_recording_load(struct charm_arena *arena, const char *dir, int port,
                                          struct bench_recording *ret_recording,
                                          struct charm_error *reterr);
/* Writes the answers as files into `dir`, which must exist. */
CHARM_MUST_CHECK int bench_recording_save_answers(struct charm_arena *arena,
                                                  const struct bench_recording *recording,
                                                  const char *dir, struct charm_error *reterr);
/* What the file of this call is named. */
const char *bench_call_name(struct charm_arena *arena, const char *const *argv);
/* The words with each slash as %. */
const char *bench_file_name(struct charm_arena *arena, const char *words);
/* 0 if `calls` are exactly the recording's; else the error names the first that differs. */
CHARM_MUST_CHECK int bench_recording_compare(const struct bench_recording *recording,
                                             const struct charmi_words *calls,
                                             struct charm_error *reterr);

#endif
