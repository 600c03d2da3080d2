/* One run of the charm in this process: the same as scenario_run.c does with a process. */
#include "lab/scenario.h"

#include <strings.h>

#include "lab/brokers.h"
#include "lab/events.h"

/* A time like any other: 2026-01-01T12:00Z. */
#define NOON_MS INT64_C(1767268800000)

enum { BETWEEN_RUNS_MS = 100 }; /* no two runs are at the same time */

/* ---- the outside ---- */

static int ask_rest(void *userdata, struct charm_arena *arena,
                    const struct kcb_http_request *request, struct kcb_http_answer *ret_answer,
                    struct charm_error *reterr)
{
    struct lab_scene *scene = userdata;
    return lab_rest_ask(scene->rest, scene->skin, arena, request, ret_answer, reterr);
}

/* Brokers as data speak no TLS and no SASL: only a client on a wire can tell what comes of it. */
static void note_protocol(struct lab_scene *scene, const struct charm_value *settings)
{
    const char *protocol = charm_text(charm_value_get(settings, "security.protocol"));
    if (protocol[0] != '\0' && strcasecmp(protocol, "plaintext") != 0) {
        scene->needs_process =
            charm_arena_printf(scene->arena, "its Kafka client speaks %s", protocol);
    }
}

static int look(void *userdata, struct charm_arena *arena, const struct charm_value *settings,
                const char *const *topics, int64_t timeout_ms, struct kcb_cluster_view *ret_view,
                struct charm_error *reterr)
{
    struct lab_scene *scene = userdata;
    note_protocol(scene, settings);
    return lab_brokers_look(lab_mock_kafka_brokers(scene->kafka), arena, settings, topics,
                            timeout_ms, ret_view, reterr);
}

static int create(void *userdata, struct charm_arena *arena, const struct charm_value *settings,
                  const struct kcb_topic_spec *specs, size_t count, int64_t timeout_ms,
                  struct kcb_topic_result *ret_results, struct charm_error *reterr)
{
    struct lab_scene *scene = userdata;
    note_protocol(scene, settings);
    return lab_brokers_create(lab_mock_kafka_brokers(scene->kafka), arena, settings, specs, count,
                              timeout_ms, ret_results, reterr);
}

static struct lab_skin *make_skin(struct lab_scene *scene)
{
    struct kcb_ports *outside = charm_arena_alloc(scene->arena, sizeof(*outside));
    *outside = (struct kcb_ports){
        .userdata = scene, .http = ask_rest, .kafka_look = look, .kafka_create = create
    };
    struct lab_skin *skin =
        lab_skin_new(scene->arena, &(struct lab_skin_options){ .model = scene->model,
                                                               .files = scene->options->base.files,
                                                               .reading = lab_base_reading(),
                                                               .outside = outside });
    lab_base_link(skin);
    return skin;
}

/* ---- the run ---- */

/* Everything that it has said, for `never`. */
static void note_written(struct lab_scene *scene, const struct lab_skin_run *result)
{
    for (size_t i = 0; i < charm_value_size(result->calls); i++) {
        const struct charm_value *call = charm_value_at(result->calls, i);
        charmi_buf_addf(&scene->written, "%s\n%s\n", charm_text(charm_value_get(call, "call")),
                        charm_text(charm_value_get(call, "input")));
    }
    charmi_buf_addf(&scene->written, "%s\n%s\n", result->out, result->err);
}

void lab_scene_run_inside(struct lab_scene *scene, struct lab_unit *unit,
                          const struct lab_event *event)
{
    struct charm_arena *arena = scene->arena;
    struct lab_skin_run result;
    struct charm_value *run = charm_value_append_map(scene->runs);
    charm_value_set_text(run, "unit", unit->name);
    charm_value_set_text(run, "name", lab_event_name(arena, unit, event));
    if (scene->skin == NULL) {
        scene->skin = make_skin(scene);
        lab_model_set_time(scene->model, NOON_MS);
    }
    lab_model_set_time(scene->model, scene->model->now_ms + BETWEEN_RUNS_MS);
    lab_skin_run(scene->skin, unit, event, &result);
    charm_value_set(run, "calls", charm_value_copy(arena, result.calls));
    charm_value_set_text(run, "out", result.out);
    charm_value_set_text(run, "err", result.err);
    charm_value_set_int(run, "exit", result.exit_code);
    charm_value_set_text(run, "end", result.end);
    note_written(scene, &result);
    lab_scene_watch(scene, unit);
}
