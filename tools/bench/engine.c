#include "engine.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "charm/runner.h"
#include "edge/juju/ports.h"
#include "kcb/layer.h"
#include "kcb/ports.h"
#include "kcb/table.h"

enum { MOST_RUNS_TO_SETTLE = 5 };

/* ---- hook tools ---- */

static int take_state(struct bench_engine *engine, const struct charm_tool_call *call,
                      struct charm_error *reterr)
{
    struct charm_value *answers = engine->recording->answers;
    const char *before = charm_text(charm_value_get(answers, "state-get --format=json"));
    struct charm_value *state = NULL;
    struct charm_value *changes = NULL;
    int result = charm_value_parse(engine->arena, before, strlen(before), &state, reterr);
    if (result == 0) {
        result =
            charm_value_parse(engine->arena, call->stdin_text, call->stdin_size, &changes, reterr);
    }
    if (result == 0) {
        charm_value_update(state, changes);
        charm_value_set_text(answers, "state-get --format=json",
                             charm_value_render(engine->arena, state, CHARM_JSON_COMPACT));
        engine->wrote_state = true;
    }
    return result;
}

/* What the first run here may write: its own state, and what only this charm directory has forgotten. */
static int take_writing_call(struct bench_engine *engine, const struct charm_tool_call *call,
                             struct charm_error *reterr)
{
    static const char *const harmless[] = { "status-set", "application-version-set", "juju-log",
                                            NULL };
    const char *tool = call->argv[0];
    if (engine->settling && charmi_same(tool, "state-set") && call->stdin_text != NULL) {
        return take_state(engine, call, reterr);
    }
    if (engine->settling && charmi_in(harmless, tool)) {
        return 0;
    }
    return charm_error_set(reterr, CHARM_ENOTFOUND, "the recording has no answer to \"%s\"",
                           bench_call_name(engine->arena, call->argv));
}

static int tool(void *userdata, struct charm_arena *arena, const struct charm_tool_call *call,
                struct charm_tool_answer *ret_answer, struct charm_error *reterr)
{
    struct bench_engine *engine = userdata;
    const char *name = bench_call_name(engine->arena, call->argv);
    const struct charm_value *recorded = charm_value_get(engine->recording->answers, name);
    *ret_answer = (struct charm_tool_answer){ .out = "", .err = "" };
    charmi_words_add(engine->arena, &engine->calls, name);
    if (recorded == NULL) {
        return take_writing_call(engine, call, reterr);
    }
    /* A copy: state-set replaces the answer. */
    ret_answer->out = charm_arena_copy(arena, charm_text(recorded));
    ret_answer->out_size = strlen(ret_answer->out);
    return 0;
}

/* ---- the other ports ---- */

static int file_write(void *userdata, const char *path, const char *bytes, size_t size,
                      struct charm_error *reterr)
{
    const struct bench_engine *engine = userdata;
    const struct charm_ports real = charmi_ports_real(NULL);
    return engine->settling ? real.file_write(NULL, path, bytes, size, reterr) : 0;
}

static void log_line(void *userdata, enum charm_log_level level, const char *text)
{
    (void)userdata;
    if (level >= CHARM_LOG_WARNING) {
        fprintf(stderr, "%s\n", text);
    }
}

static int http(void *userdata, struct charm_arena *arena, const struct kcb_http_request *request,
                struct kcb_http_answer *ret_answer, struct charm_error *reterr)
{
    const struct bench_engine *engine = userdata;
    const char *host = strstr(request->url, "://");
    const char *path = host == NULL ? NULL : strchr(host + 3, '/');
    const char *name =
        charm_arena_printf(arena, "%s %s", request->method, path == NULL ? "/" : path);
    const struct charm_value *body =
        charm_value_get(engine->recording->rest, bench_file_name(arena, name));
    if (body == NULL) {
        return charm_error_set(reterr, CHARM_ENET, "the recording has no answer to %s", name);
    }
    *ret_answer = (struct kcb_http_answer){
        .status = 200,
        .body = charm_text(body),
        .body_size = strlen(charm_text(body)),
        .content_type = "application/json",
    };
    return 0;
}

/* The topics as the charm made them: the recording is of a run that saw them, but longer than an hour ago. */
static int kafka_look(void *userdata, struct charm_arena *arena, const struct charm_value *settings,
                      const char *const *topics, int64_t timeout_ms,
                      struct kcb_cluster_view *ret_view, struct charm_error *reterr)
{
    (void)userdata;
    (void)timeout_ms;
    (void)reterr;
    static const int partitions[] = { 1, 50, 10 };
    const size_t count = charmi_list_size(topics);
    struct kcb_topic_view *views = charm_arena_array(arena, count + 1, sizeof(*views));
    for (size_t i = 0; i < count; i++) {
        views[i] = (struct kcb_topic_view){ .name = topics[i],
                                            .presence = KCB_TOPIC_PRESENT,
                                            .partitions = partitions[i % CHARMI_COUNT(partitions)],
                                            .replication = 1,
                                            .cleanup_policy = "compact",
                                            .policy_error = "",
                                            .error_text = "" };
    }
    struct charmi_words brokers = { 0 };
    charmi_words_add(
        arena, &brokers,
        charm_arena_printf(arena, "1=%s",
                           charm_text(charm_value_get(settings, "bootstrap.servers"))));
    *ret_view = (struct kcb_cluster_view){ .brokers = brokers.at,
                                           .broker_count = brokers.size,
                                           .fetch_min_version = 4,
                                           .topics = views,
                                           .topic_count = count };
    return 0;
}

static int kafka_create(void *userdata, struct charm_arena *arena,
                        const struct charm_value *settings, const struct kcb_topic_spec *specs,
                        size_t count, int64_t timeout_ms, struct kcb_topic_result *ret_results,
                        struct charm_error *reterr)
{
    (void)userdata;
    (void)arena;
    (void)settings;
    (void)specs;
    (void)count;
    (void)timeout_ms;
    (void)ret_results;
    return charm_error_set(reterr, CHARM_EFAILED, "a steady run creates no topic");
}

/* ---- runs ---- */

/* As charm_main(), without the process around it. */
static int run_charm(const struct charm_ports *ports, const struct charm_layer *const *layers,
                     const struct bench_engine *engine, struct charm_error *reterr)
{
    struct charm_context context;
    const struct charm_files *files = NULL;
    int result =
        charmi_environment_read(engine->arena, engine->variables, "dispatch", &context, reterr);
    if (result == 0) {
        result = charmi_charmfiles_load(engine->arena, ports, engine->charm_dir, &files, reterr);
    }
    if (result != 0) {
        return result;
    }
    const struct charmi_run_input input = {
        .ports = ports, .layers = layers, .context = &context, .files = files
    };
    struct charm_run *run = charmi_run_new(&input);
    result = charm_run(run, reterr);
    const char *story = charmi_run_story(run);
    if (result == 0 && story[0] == '\0') {
        result = charm_error_set(reterr, CHARM_EFAILED, "the run has no story");
    }
    charmi_run_free(run);
    return result;
}

int bench_engine_run(struct bench_engine *engine, struct charm_arena *arena,
                     struct charm_error *reterr)
{
    static const enum charm_run_kind kind = CHARM_KIND_HOOK;
    struct charm_ports ports = charmi_ports_real(&kind);
    ports.userdata = engine;
    ports.tool = tool;
    ports.file_write = file_write;
    ports.log = log_line;
    const struct kcb_ports kcb = {
        .userdata = engine, .http = http, .kafka_look = kafka_look, .kafka_create = kafka_create
    };
    const struct charm_layer layer = KCBI_LAYER_WITH(&kcb);
    engine->arena = arena;
    engine->calls = (struct charmi_words){ 0 };
    engine->wrote_state = false;
    return run_charm(&ports, CHARM_LAYERS(&layer, &kcb_standalone_layer), engine, reterr);
}

int bench_engine_settle(struct bench_engine *engine, struct charm_error *reterr)
{
    int result = 0;
    bool settled = false;
    engine->settling = true;
    for (int i = 0; result == 0 && !settled && i < MOST_RUNS_TO_SETTLE; i++) {
        struct charm_arena *arena = charm_arena_new();
        result = bench_engine_run(engine, arena, reterr);
        settled = !engine->wrote_state &&
                  bench_recording_compare(engine->recording, &engine->calls, reterr) == 0;
        charm_arena_free(arena);
    }
    engine->settling = false;
    if (result == 0 && !settled) {
        return charm_error_wrap(reterr, "after %d runs it is not steady", MOST_RUNS_TO_SETTLE);
    }
    return result;
}
