#include "lab/skin.h"

#include <signal.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"
#include "charm/environment.h"
#include "charm/runner.h"
#include "lab/tools.h"

enum { LARGEST_OUTPUT = 16 * 1024 * 1024, LARGEST_TOOL_ERROR = 1024 };

/* A run while it goes on. */
struct run {
    struct lab_skin *skin;
    struct lab_context *context;
    struct lab_skin_run *result;
    struct charm_arena *arena; /* of this run alone */
    bool is_action;
    struct charmi_buf out;
    struct charmi_buf err;
    int64_t ghost_ms; /* time that only a killed process sees pass, so that its waits end */
};

struct lab_skin {
    struct charm_arena *arena;
    struct lab_skin_options options;
    const struct charm_layer *const *layers;
    const struct charmi_table *table;
    struct kcb_ports kcb;      /* the outside, through our points */
    struct charm_value *files; /* unit -> path -> text */
    uint64_t random;
    int64_t monotonic_ms;
    struct charm_arena *last; /* what the last run left, until the next one */
    struct run *run;          /* the one that goes on, or NULL */
};

/* ---- points ---- */

static enum lab_blow arrive(struct run *run, enum lab_point_kind kind, const char *what)
{
    const struct lab_skin_options *options = &run->skin->options;
    if (run->result->killed) {
        return LAB_BLOW_KILL_BEFORE;
    }
    const struct lab_point point = { kind, run->result->points++, what };
    const enum lab_blow blow = options->strike == NULL
                                   ? LAB_BLOW_NONE
                                   : options->strike(options->userdata, run->context->unit, &point);
    run->result->killed = blow == LAB_BLOW_KILL_BEFORE;
    return blow;
}

static bool is_done(enum lab_blow blow)
{
    return blow == LAB_BLOW_NONE || blow == LAB_BLOW_LOSE || blow == LAB_BLOW_KILL_AFTER;
}

static void pass_time(struct run *run, int64_t ms)
{
    struct lab_skin *skin = run->skin;
    const int64_t passed = ms > 0 ? ms : 0;
    if (run->result->killed) {
        run->ghost_ms += passed;
        return;
    }
    skin->monotonic_ms += passed;
    lab_model_set_time(skin->options.model, skin->options.model->now_ms + passed);
}

/* What whoever called hears of a call that was struck; 0: nothing was amiss. */
static int after_blow(struct run *run, enum lab_blow blow, int64_t timeout_ms, const char *what,
                      struct charm_error *reterr)
{
    switch (blow) {
    case LAB_BLOW_NONE:
        return 0;
    case LAB_BLOW_HANG:
        pass_time(run, timeout_ms);
        return charm_error_set(reterr, CHARM_ETIMEOUT, "%s: no answer in %lld ms", what,
                               (long long)timeout_ms);
    case LAB_BLOW_KILL_BEFORE:
    case LAB_BLOW_KILL_AFTER:
        run->result->killed = true;
        return charm_error_set(reterr, CHARM_EFAILED, "%s: this process is dead", what);
    case LAB_BLOW_FAIL:
    case LAB_BLOW_LOSE:
        break;
    }
    return charm_error_set(reterr, CHARM_ENET, "%s: connection reset by peer", what);
}

/* ---- hook tools ---- */

static void note_call(struct run *run, const struct charm_tool_call *call, int code)
{
    struct charm_arena *arena = run->arena;
    struct charmi_words words = { 0 };
    for (size_t i = 0; call->argv[i] != NULL; i++) {
        charmi_words_add(arena, &words, call->argv[i]);
    }
    struct charm_value *note = charm_value_append_map(run->result->calls);
    charm_value_set_text(note, "call", charmi_words_join(arena, &words, " "));
    charm_value_set_text(note, "input",
                         call->stdin_text == NULL
                             ? ""
                             : charm_arena_copy_n(arena, call->stdin_text, call->stdin_size));
    charm_value_set_int(note, "code", code);
}

static struct lab_tool_result run_tool(struct run *run, struct charm_arena *arena,
                                       const struct charm_tool_call *call)
{
    struct lab_tool_call asked = { .argv = call->argv,
                                   .input = call->stdin_text,
                                   .input_size = call->stdin_size };
    struct lab_tool_result result;
    lab_tool_run(run->context, arena, &asked, &result);
    if (result.wants_input) { /* /dev/null */
        asked.input = "";
        lab_tool_run(run->context, arena, &asked, &result);
    }
    note_call(run, call, result.code);
    return result;
}

/* One line, as who runs a program keeps of its standard error. */
static const char *one_line(struct charm_arena *arena, const char *text)
{
    size_t size = strnlen(text, LARGEST_TOOL_ERROR);
    char *line = charm_arena_copy_n(arena, text, size);
    for (size_t i = 0; i < size; i++) {
        line[i] = (unsigned char)line[i] < 0x20 ? ' ' : line[i];
    }
    while (size > 0 && line[size - 1] == ' ') {
        line[--size] = '\0';
    }
    return line;
}

static int tool(void *userdata, struct charm_arena *arena, const struct charm_tool_call *call,
                struct charm_tool_answer *ret_answer, struct charm_error *reterr)
{
    struct run *run = ((struct lab_skin *)userdata)->run;
    const enum lab_blow blow = arrive(run, LAB_POINT_TOOL, call->argv[0]);
    struct lab_tool_result result = { .code = 1, .out = "", .err = "" };
    if (is_done(blow)) {
        result = run_tool(run, arena, call);
    }
    if (blow == LAB_BLOW_FAIL || blow == LAB_BLOW_LOSE) { /* a tool says so by its exit code */
        result = (struct lab_tool_result){ .code = 1,
                                           .out = "",
                                           .err = "ERROR connection is shut down\n" };
    } else if (blow != LAB_BLOW_NONE) {
        return after_blow(run, blow, call->timeout_ms, call->argv[0], reterr);
    }
    if (result.out_size > call->max_output_bytes) {
        return charm_error_set(reterr, CHARM_ETOOBIG,
                               "run %s: it printed more than %zu bytes, killed", call->argv[0],
                               call->max_output_bytes);
    }
    *ret_answer = (struct charm_tool_answer){
        .exit_code = result.code,
        .out = charm_arena_copy_n(arena, result.out, result.out_size),
        .out_size = result.out_size,
        .err = one_line(arena, result.err),
    };
    return 0;
}

/* ---- files ---- */

static struct charm_value *files_of(const struct lab_skin *skin, const struct lab_unit *unit)
{
    const struct charm_value *files = charm_value_get(skin->files, unit->name);
    return files == NULL ? charm_value_add_map(skin->files, unit->name)
                         : (struct charm_value *)(uintptr_t)files; /* ours */
}

const struct charm_value *lab_skin_files(const struct lab_skin *skin, const struct lab_unit *unit)
{
    return files_of(skin, unit);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* A read that fails is no more than a file that is not there: it is no point of its own. */
static int file_read(void *userdata, struct charm_arena *arena, const char *path, size_t max_bytes,
                     const char **ret_bytes, size_t *ret_size, struct charm_error *reterr)
{
    const struct lab_skin *skin = userdata;
    const struct charm_value *text =
        charm_value_get(files_of(skin, skin->run->context->unit), path);
    const size_t size = strlen(charm_text(text));
    if (text == NULL) {
        return charm_error_set(reterr, CHARM_ENOTFOUND, "read %s: no such file", path);
    }
    if (size > max_bytes) {
        return charm_error_set(reterr, CHARM_ETOOBIG, "read %s: more than %zu bytes", path,
                               max_bytes);
    }
    *ret_bytes = charm_arena_copy_n(arena, charm_text(text), size);
    *ret_size = size;
    return 0;
}

static int file_write(void *userdata, const char *path, const char *bytes, size_t size,
                      struct charm_error *reterr)
{
    struct lab_skin *skin = userdata;
    struct run *run = skin->run;
    const char *what = charm_arena_printf(run->arena, "write %s", base_name(path));
    const enum lab_blow blow = arrive(run, LAB_POINT_FILE, what);
    if (is_done(blow)) {
        const char *text = charm_arena_copy_n(run->arena, bytes, size);
        struct charm_value *files = files_of(skin, run->context->unit);
        charm_value_remove(files, path);
        charm_value_set_text(files, path, text);
    }
    return after_blow(run, blow, 0, what, reterr);
}

/* ---- clock, log, randomness ---- */

static int64_t now_ms(void *userdata)
{
    const struct lab_skin *skin = userdata;
    return skin->options.model->now_ms + skin->run->ghost_ms;
}

static int64_t monotonic_ms(void *userdata)
{
    const struct lab_skin *skin = userdata;
    return skin->monotonic_ms + skin->run->ghost_ms;
}

static void sleep_ms(void *userdata, int64_t ms)
{
    pass_time(((struct lab_skin *)userdata)->run, ms);
}

void lab_skin_pass_time(struct lab_skin *skin, int64_t ms)
{
    pass_time(skin->run, ms);
}

/* What a process writes once it is killed, nobody reads. */
static void print(struct run *run, struct charmi_buf *stream, const char *text)
{
    if (!run->result->killed) {
        charmi_buf_add(stream, text);
    }
}

static void log_line(void *userdata, enum charm_log_level level, const char *text)
{
    struct run *run = ((struct lab_skin *)userdata)->run;
    struct charmi_buf *stream = level <= CHARM_LOG_INFO && !run->is_action ? &run->out : &run->err;
    print(run, stream, charm_arena_printf(run->arena, "%s\n", one_line(run->arena, text)));
}

/* splitmix64: https://prng.di.unimi.it/splitmix64.c (public domain) */
static uint64_t random_number(void *userdata)
{
    struct lab_skin *skin = userdata;
    uint64_t z = skin->random += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

/* ---- REST and Kafka ---- */

static int http(void *userdata, struct charm_arena *arena, const struct kcb_http_request *request,
                struct kcb_http_answer *ret_answer, struct charm_error *reterr)
{
    struct lab_skin *skin = userdata;
    struct run *run = skin->run;
    const struct kcb_ports *outside = skin->options.outside;
    const char *what = charm_arena_printf(run->arena, "%s %s", request->method, request->url);
    const enum lab_blow blow = arrive(run, LAB_POINT_HTTP, what);
    if (is_done(blow)) {
        const int code = outside->http(outside->userdata, arena, request, ret_answer, reterr);
        if (code != 0 && blow == LAB_BLOW_NONE) {
            return code;
        }
    }
    return after_blow(run, blow, request->timeout_ms, what, reterr);
}

static int kafka_look(void *userdata, struct charm_arena *arena, const struct charm_value *settings,
                      const char *const *topics, int64_t timeout_ms,
                      struct kcb_cluster_view *ret_view, struct charm_error *reterr)
{
    struct lab_skin *skin = userdata;
    const struct kcb_ports *outside = skin->options.outside;
    const enum lab_blow blow = arrive(skin->run, LAB_POINT_KAFKA, "look at the topics");
    if (is_done(blow)) {
        const int code = outside->kafka_look(outside->userdata, arena, settings, topics, timeout_ms,
                                             ret_view, reterr);
        if (code != 0 && blow == LAB_BLOW_NONE) {
            return code;
        }
    }
    return after_blow(skin->run, blow, timeout_ms, "look at the topics", reterr);
}

static int kafka_create(void *userdata, struct charm_arena *arena,
                        const struct charm_value *settings, const struct kcb_topic_spec *specs,
                        size_t count, int64_t timeout_ms, struct kcb_topic_result *ret_results,
                        struct charm_error *reterr)
{
    struct lab_skin *skin = userdata;
    const struct kcb_ports *outside = skin->options.outside;
    const enum lab_blow blow = arrive(skin->run, LAB_POINT_KAFKA, "create topics");
    if (is_done(blow)) {
        const int code = outside->kafka_create(outside->userdata, arena, settings, specs, count,
                                               timeout_ms, ret_results, reterr);
        if (code != 0 && blow == LAB_BLOW_NONE) {
            return code;
        }
    }
    return after_blow(skin->run, blow, timeout_ms, "create topics", reterr);
}

const struct kcb_ports *lab_skin_ports(const struct lab_skin *skin)
{
    return &skin->kcb;
}

/* ---- the skin ---- */

static void release(void *object)
{
    charm_arena_free(((struct lab_skin *)object)->last);
}

struct lab_skin *lab_skin_new(struct charm_arena *arena, const struct lab_skin_options *options)
{
    struct lab_skin *skin = charm_arena_alloc(arena, sizeof(*skin));
    skin->arena = arena;
    skin->options = *options;
    skin->files = charm_value_new_map(arena);
    skin->kcb = (struct kcb_ports){
        .userdata = skin, .http = http, .kafka_look = kafka_look, .kafka_create = kafka_create
    };
    charm_arena_defer(arena, release, skin);
    lab_skin_restart(skin, options->model);
    return skin;
}

struct charm_arena *lab_skin_arena(const struct lab_skin *skin)
{
    return skin->arena;
}

void lab_skin_restart(struct lab_skin *skin, struct lab_model *model)
{
    skin->options.model = model;
    skin->random = model->random;
    charm_value_clear(skin->files);
}

void lab_skin_link(struct lab_skin *skin, const struct charm_layer *const *layers)
{
    skin->layers = layers;
    CHARMI_IGNORE(charmi_layers_table(skin->arena, layers, skin->options.files, &skin->table, NULL),
                  "each run tries again, and fails with its words");
}

/* ---- one run ---- */

static struct charm_ports ports_of(struct lab_skin *skin)
{
    return (struct charm_ports){
        .userdata = skin,
        .tool = tool,
        .file_read = file_read,
        .file_write = file_write,
        .yaml_parse = skin->options.reading->yaml_parse,
        .yaml_texts = skin->options.reading->yaml_texts,
        .now_ms = now_ms,
        .monotonic_ms = monotonic_ms,
        .sleep_ms = sleep_ms,
        .log = log_line,
        .random = random_number,
    };
}

static int read_context(struct run *run, struct charm_context *ret, struct charm_error *reterr)
{
    const struct lab_unit *unit = run->context->unit;
    const struct lab_places places = {
        .charm_dir = charm_arena_printf(run->arena, "/units/%s/charm", unit->name),
        .tools_dir = "/tools",
        .socket = "/socket",
    };
    const char *const *variables = lab_context_environment(run->context, &places);
    return charmi_environment_read(run->arena, variables, "dispatch", ret, reterr);
}

/* As the program's top does, the only one who logs an error: in Juju's log, and for who ran an action. */
static void report(struct run *run, const struct charm_ports *ports, const char *text)
{
    const char *const argv[] = { "juju-log", "-l", "ERROR", "--", text, NULL };
    const struct charm_tool_call call = { .argv = argv,
                                          .max_output_bytes = LARGEST_OUTPUT,
                                          .timeout_ms = 10000 };
    struct charm_tool_answer answer;
    const bool logged = ports->tool(ports->userdata, run->arena, &call, &answer, NULL) == 0 &&
                        answer.exit_code == 0;
    if (!logged || run->is_action) {
        print(run, &run->err, charm_arena_printf(run->arena, "ERROR %s\n", text));
    }
}

static int run_layers(struct run *run, const struct charm_ports *ports,
                      const struct charm_context *context, struct charm_error *reterr)
{
    const struct lab_skin *skin = run->skin;
    struct charm_run *charm = charmi_run_new(&(struct charmi_run_input){
        .ports = ports,
        .layers = skin->layers,
        .context = context,
        .files = skin->options.files,
        .table = skin->table,
    });
    const int result = charm_run(charm, reterr);
    print(run, run->is_action ? &run->err : &run->out, charmi_run_story(charm));
    charmi_run_free(charm);
    return result;
}

static int run_charm(struct run *run)
{
    const struct charm_ports ports = ports_of(run->skin);
    struct charm_context context;
    struct charm_error error = { 0 };
    int result = read_context(run, &context, &error);
    if (result == 0) {
        run->is_action = context.kind == CHARM_KIND_ACTION;
        result = run_layers(run, &ports, &context, &error);
    }
    if (result != 0) {
        report(run, &ports, error.text);
    }
    return result == 0 ? 0 : 1;
}

static bool is_command(const struct lab_event *event)
{
    return event->hook == LAB_TASK && event->task->action == NULL;
}

/* What an agent puts into the results of an action: contract 4.4. */
static void put_results(const struct run *run)
{
    const struct lab_event *event = &run->context->event;
    const struct lab_skin_run *result = run->result;
    if (event->hook != LAB_TASK || result->killed) {
        return;
    }
    charm_value_set_int(event->task->results, "return-code", result->exit_code);
    if (result->out[0] != '\0') {
        charm_value_set_text(event->task->results, "stdout", result->out);
    }
    if (result->err[0] != '\0') {
        charm_value_set_text(event->task->results, "stderr", result->err);
    }
}

static void end(struct run *run)
{
    struct lab_skin_run *result = run->result;
    struct charm_error error = { 0 };
    result->out = charmi_buf_into(&run->out, run->arena);
    result->err = charmi_buf_into(&run->err, run->arena);
    put_results(run);
    const int code = lab_context_end(run->context, result->killed ? LAB_KILLED : LAB_EXITED,
                                     result->killed ? SIGKILL : result->exit_code, &error);
    result->end = code == 0 ? "ok" : charm_arena_copy(run->arena, error.text);
}

void lab_skin_run(struct lab_skin *skin, struct lab_unit *unit, const struct lab_event *event,
                  struct lab_skin_run *ret_run)
{
    charm_arena_free(skin->last);
    skin->last = charm_arena_new();
    *ret_run = (struct lab_skin_run){ .calls = charm_value_new_list(skin->last) };
    struct run run = { .skin = skin, .result = ret_run, .arena = skin->last };
    run.out = charmi_buf_init(LARGEST_OUTPUT);
    run.err = charmi_buf_init(LARGEST_OUTPUT);
    run.context = lab_context_begin(skin->options.model, unit, event);
    skin->run = &run;
    ret_run->exit_code = is_command(event) ? 0 : run_charm(&run);
    end(&run);
    skin->run = NULL;
}
