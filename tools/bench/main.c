/*
 * The measuring program of tools/benchmark. Prints one figure a line, times in microseconds (CPU: median
 * of the processor's time):
 *
 *     bench start PROGRAM ROUNDS
 *         start MEDIAN MIN MAX CPU        PROGRAM --version
 *     bench steady RECORDING PLACE ROUNDS
 *         engine MEDIAN MIN MAX CPU       the run in this process
 *         hook MEDIAN MIN MAX CPU         PLACE/charm/dispatch, with PLACE/tools in its PATH
 *         rss KIB
 *         call NAME                       one line for each hook tool call
 *
 * PLACE has charm/ (yaml files and dispatch), tools/ (links to the replaying tool) and answers/ (empty). Fails when a
 * run calls anything else than what is recorded.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "program.h"
#include "rest_server.h"
#include "samples.h"

#include "base/memory.h"
#include "edge/juju/files.h"

enum { MOST_ROUNDS = 100000, LARGEST_CALLS = 1024 * 1024 };

struct bench {
    struct charm_arena *arena;
    const char *place;
    size_t rounds;
    struct bench_recording recording;
};

/* ---- process start ---- */

static int measure_start(struct charm_arena *arena, const char *program, size_t rounds,
                         struct charm_error *reterr)
{
    const char *const argv[] = { program, "--version", NULL };
    const char *const environment[] = { "PATH=/usr/bin:/bin", NULL };
    struct bench_samples samples = bench_samples_new(arena, rounds);
    int result = 0;
    for (size_t i = 0; result == 0 && i < rounds; i++) {
        const struct bench_moment start = bench_now();
        result = bench_program_run(argv, environment, "/dev/null", NULL, reterr);
        bench_samples_add(&samples, start);
    }
    if (result == 0) {
        bench_samples_print(&samples, "start");
    }
    return result;
}

/* ---- a steady hook ---- */

static const char *path_of(const struct bench *bench, const char *name)
{
    return charm_arena_printf(bench->arena, "%s/%s", bench->place, name);
}

static struct charmi_words hook_environment(const struct bench *bench)
{
    struct charm_arena *arena = bench->arena;
    struct charmi_words words = { 0 };
    charmi_words_add(arena, &words, "JUJU_CONTEXT_ID=benchmark");
    charmi_words_add(arena, &words, "JUJU_HOOK_NAME=update-status");
    charmi_words_add(arena, &words, "JUJU_DISPATCH_PATH=hooks/update-status");
    charmi_words_add(arena, &words, "LANG=C.UTF-8");
    charmi_words_add(
        arena, &words,
        charm_arena_printf(arena, "PATH=%s/tools:/usr/sbin:/usr/bin:/sbin:/bin", bench->place));
    charmi_words_add(arena, &words,
                     charm_arena_printf(arena, "JUJU_CHARM_DIR=%s/charm", bench->place));
    charmi_words_add(arena, &words,
                     charm_arena_printf(arena, "BENCH_ANSWERS=%s/answers", bench->place));
    for (size_t i = 0; i < bench->recording.environment.size; i++) {
        charmi_words_add(arena, &words, bench->recording.environment.at[i]);
    }
    return words;
}

static int measure_engine(const struct bench *bench, struct bench_engine *engine,
                          struct charm_error *reterr)
{
    struct bench_samples samples = bench_samples_new(bench->arena, bench->rounds);
    int result = 0;
    for (size_t i = 0; result == 0 && i < bench->rounds; i++) {
        const struct bench_moment start = bench_now();
        struct charm_arena *arena = charm_arena_new();
        result = bench_engine_run(engine, arena, reterr);
        if (result == 0) {
            result = bench_recording_compare(&bench->recording, &engine->calls, reterr);
        }
        charm_arena_free(arena);
        bench_samples_add(&samples, start);
    }
    if (result == 0) {
        bench_samples_print(&samples, "engine");
    }
    return result;
}

/* The first run is not measured: its hook tools note what they were asked. */
static int check_hook(const struct bench *bench, const char *const *argv,
                      struct charmi_words environment, struct charm_error *reterr)
{
    const char *path = path_of(bench, "calls");
    const char *text = NULL;
    size_t size;
    unlink(path);
    charmi_words_add(bench->arena, &environment,
                     charm_arena_printf(bench->arena, "BENCH_CALLS=%s", path));
    int result = bench_program_run(argv, environment.at, path_of(bench, "output"), NULL, reterr);
    if (result == 0) {
        result = charmi_file_read(bench->arena, path, LARGEST_CALLS, CHARMI_LINKS_REFUSED, &text,
                                  &size, reterr);
    }
    if (result != 0) {
        return result;
    }
    const struct charmi_words calls = charmi_split(bench->arena, text, "\n");
    return bench_recording_compare(&bench->recording, &calls, reterr);
}

static int measure_hook(const struct bench *bench, struct charm_error *reterr)
{
    const char *const argv[] = { path_of(bench, "charm/dispatch"), NULL };
    const struct charmi_words environment = hook_environment(bench);
    const char *output = path_of(bench, "output");
    struct bench_samples samples = bench_samples_new(bench->arena, bench->rounds);
    long kib = 0;
    int result = check_hook(bench, argv, hook_environment(bench), reterr);
    for (size_t i = 0; result == 0 && i < bench->rounds; i++) {
        const struct bench_moment start = bench_now();
        result = bench_program_run(argv, environment.at, output, &kib, reterr);
        bench_samples_add(&samples, start);
    }
    if (result == 0) {
        bench_samples_print(&samples, "hook");
        printf("rss %ld\n", kib);
    }
    return result;
}

static void print_calls(const struct bench *bench)
{
    for (size_t i = 0; i < bench->recording.calls.size; i++) {
        const char *call = bench->recording.calls.at[i];
        printf("call %.*s\n", (int)strcspn(call, " "), call);
    }
}

static int measure_steady(struct bench *bench, const char *dir, struct charm_error *reterr)
{
    int port = 0;
    int socket = -1;
    int result = bench_rest_listen(&socket, &port, reterr);
    if (result == 0) {
        result = bench_recording_load(bench->arena, dir, port, &bench->recording, reterr);
    }
    if (result == 0) {
        result = bench_rest_serve(socket, bench->recording.rest, reterr);
    }
    if (result != 0) {
        return result;
    }
    const struct charmi_words environment = hook_environment(bench);
    struct bench_engine engine = { .recording = &bench->recording,
                                   .charm_dir = path_of(bench, "charm"),
                                   .variables = environment.at };
    result = bench_engine_settle(&engine, reterr);
    if (result == 0) {
        result = bench_recording_save_answers(bench->arena, &bench->recording,
                                              path_of(bench, "answers"), reterr);
    }
    if (result == 0) {
        result = measure_engine(bench, &engine, reterr);
    }
    if (result == 0) {
        result = measure_hook(bench, reterr);
    }
    if (result == 0) {
        print_calls(bench);
    }
    return result;
}

/* ---- the command line ---- */

static int usage(void)
{
    fputs("bench start PROGRAM ROUNDS | bench steady RECORDING PLACE ROUNDS\n", stderr);
    return 2;
}

static int measure(struct charm_arena *arena, char **words, int count, struct charm_error *reterr)
{
    int64_t rounds = 0;
    if (!charmi_parse_int(words[count - 1], 1, MOST_ROUNDS, &rounds)) {
        return charm_error_set(reterr, CHARM_EINVAL, "%s: no number of rounds", words[count - 1]);
    }
    if (count == 3) {
        return measure_start(arena, words[1], (size_t)rounds, reterr);
    }
    struct bench bench = { .arena = arena, .place = words[2], .rounds = (size_t)rounds };
    return measure_steady(&bench, words[1], reterr);
}

int main(int argc, char **argv)
{
    const bool understood = (argc == 4 && charmi_same(argv[1], "start")) ||
                            (argc == 5 && charmi_same(argv[1], "steady"));
    if (!understood) {
        return usage();
    }
    signal(SIGPIPE, SIG_IGN);
    struct charm_arena *arena = charm_arena_new();
    struct charm_error error = { 0 };
    const int result = measure(arena, argv + 1, argc - 1, &error);
    if (result != 0) {
        fprintf(stderr, "bench: %s\n", error.text);
    }
    fflush(stdout);
    /* Not freed: the thread that plays the worker still reads from it. */
    _exit(result == 0 ? 0 : 1);
}
