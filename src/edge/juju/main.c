/*
 * The program of a charm: finds out why it runs, and either does the run that Juju wants or answers a person.
 */
#include "charm/main.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "charm/runner.h"
#include "edge/juju/hand.h"
#include "edge/juju/place.h"
#include "edge/juju/ports.h"

/* Read by nobody else: from here on the environment is a struct. */
extern char **environ;

enum exit_status { DONE = 0, FAILED = 1 };

enum {
    LOG_TIMEOUT_MS = 10 * 1000,
    LOG_ANSWER_BYTES = 4096,
};

/* What charm_main() was given, and what it found out. */
struct program {
    struct charm_arena *arena;
    const struct charm_layer *const *layers;
    struct charm_context context;
    struct charm_ports ports;
    const char *charm_dir;
};

/* A descriptor 0, 1 or 2 that is closed would be taken by the next file we open, and be written to as if it were ours. */
static void open_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            /* The lowest free number is this one, since all below are open. */
            CHARMI_IGNORE(open("/dev/null", O_RDWR) < 0, "then there is nothing better to do");
        }
    }
}

/* ---- a run for Juju ---- */

/* One line at level ERROR in Juju's log; false if that cannot be done. */
static bool log_error(const struct program *program, const char *text)
{
    const char *const argv[] = { "juju-log", "-l", "ERROR", "--", text, NULL };
    const struct charm_tool_call call = { .argv = argv,
                                          .max_output_bytes = LOG_ANSWER_BYTES,
                                          .timeout_ms = LOG_TIMEOUT_MS };
    struct charm_tool_answer answer;
    const struct charm_ports *ports = &program->ports;
    return ports->tool(ports->userdata, program->arena, &call, &answer, NULL) == 0 &&
           answer.exit_code == 0;
}

/* Once: in the log if possible. Who ran an action reads its standard error. */
static void report(const struct program *program, const struct charm_error *error)
{
    const bool logged = log_error(program, error->text);
    if (!logged || program->context.kind == CHARM_KIND_ACTION) {
        fprintf(stderr, "ERROR %s\n", error->text);
    }
}

static int run_with(const struct program *program, const struct charm_files *files,
                    struct charm_error *reterr)
{
    const struct charmi_run_input input = { .ports = &program->ports,
                                            .layers = program->layers,
                                            .context = &program->context,
                                            .files = files };
    struct charm_run *run = charmi_run_new(&input);
    const int result = charm_run(run, reterr);
    fputs(charmi_run_story(run), program->context.kind == CHARM_KIND_ACTION ? stderr : stdout);
    charmi_run_free(run);
    return result;
}

static int run_for_juju(const struct program *program)
{
    struct charm_error error = { 0 };
    const struct charm_files *files = NULL;
    int result =
        charmi_charmfiles_load(program->arena, &program->ports, program->charm_dir, &files, &error);
    if (result == 0) {
        result = run_with(program, files, &error);
    }
    if (result != 0) {
        report(program, &error);
        return FAILED;
    }
    return DONE;
}

/* ---- an answer for a person ---- */

static int answer_by_hand(const struct program *program, const char *const *words)
{
    static const char *const explain[] = { "explain", NULL };
    const struct charmi_hand hand = {
        .arena = program->arena,
        .ports = &program->ports,
        .layers = program->layers,
        .program = program->context.program,
        .charm_dir = program->charm_dir,
        .out = stdout,
        .err = stderr,
    };
    /* `juju exec` without a word: who does that wants to know what happened. */
    const bool exec = program->context.kind == CHARM_KIND_EXEC;
    return charmi_hand_answer(&hand, exec && words[0] == NULL ? explain : words);
}

/* ---- which of the two ---- */

static bool wants_a_run(enum charm_run_kind kind)
{
    return kind == CHARM_KIND_HOOK || kind == CHARM_KIND_RESTRICTED || kind == CHARM_KIND_ACTION;
}

/* A person's: for the answers that need no environment, when it makes no sense. */
static struct charm_context hand_context(const char *program)
{
    struct charm_context context = { .kind = CHARM_KIND_HAND };
    context.hook = context.action = context.unit = context.application = "";
    context.model = context.model_uuid = context.charm_dir = context.juju_version = "";
    context.relation = context.relation_id = context.remote_app = context.remote_unit = "";
    context.departing_unit = "";
    context.program = program;
    return context;
}

static int serve(struct program *program, const char *name, const char *const *words)
{
    struct charm_error error = { 0 };
    const char *const *variables = (const char *const *)(uintptr_t)environ;
    static const char *const nothing[] = { NULL };
    const int result = charmi_environment_read(
        program->arena, variables != NULL ? variables : nothing, name, &program->context, &error);
    if (result != 0) {
        program->context = hand_context(name);
    }
    program->ports = charmi_ports_real(&program->context.kind);
    program->charm_dir = charmi_place_find(program->arena, program->context.charm_dir);
    /* Juju gives no arguments: with one it is a person, perhaps in a debug-hooks session with a hook's environment. */
    if (words[0] != NULL) {
        return answer_by_hand(program, words);
    }
    if (result != 0) {
        report(program, &error);
        return FAILED;
    }
    return wants_a_run(program->context.kind) ? run_for_juju(program)
                                              : answer_by_hand(program, words);
}

int charm_main(int argc, char **argv, const struct charm_layer *const *layers)
{
    static const char *const no_words[] = { NULL };
    open_standard_descriptors();
    /* Whoever stops reading what we print must not end a run half way. */
    signal(SIGPIPE, SIG_IGN);
    struct program program = { .arena = charm_arena_new(), .layers = layers };
    const char *name = argc > 0 && argv[0] != NULL ? argv[0] : "charm";
    const char *const *words = argc > 1 ? (const char *const *)(uintptr_t)(argv + 1) : no_words;
    const int status = serve(&program, name, words);
    fflush(stdout);
    fflush(stderr);
    charm_arena_free(program.arena);
    return status;
}
