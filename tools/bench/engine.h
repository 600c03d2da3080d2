/*
 * bench/engine.h: the charm's run in this process, with a recording in place of Juju, the worker and Kafka.
 *
 *     struct bench_engine engine = { .recording = &recording, .charm_dir = dir, .variables = variables };
 *     int r = bench_engine_settle(&engine, &error);      brings the recording to this place and time
 *     r = bench_engine_run(&engine, arena, &error);      a steady run
 *
 * May include: everything of ours but edge/kcb.
 */
#ifndef BENCH_ENGINE_H
#define BENCH_ENGINE_H

#include "recording.h"

struct bench_engine {
    struct bench_recording *recording;
    const char *charm_dir;
    const char *const *variables; /* of the hook's environment, NULL-ended */
    bool settling;                /* files are written and the state is kept */
    /* Of the last run, in its arena. */
    struct charm_arena *arena;
    struct charmi_words calls;
    bool wrote_state;
};

CHARM_MUST_CHECK int bench_engine_run(struct bench_engine *engine, struct charm_arena *arena,
                                      struct charm_error *reterr);
/*
 * The address of the worker and the hour are not those of the recording: runs until nothing more is written, and changes the
 * recording's state accordingly. Then the calls must be exactly the recorded ones.
 */
CHARM_MUST_CHECK int bench_engine_settle(struct bench_engine *engine, struct charm_error *reterr);

#endif
