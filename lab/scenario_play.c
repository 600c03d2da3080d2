/* One scenario file: its acts in one skin, or in both, whose effects must then be the same. */
#include "lab/scenario.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "lab/effects.h"

enum {
    LARGEST_REPORT = 1024 * 1024,
    LARGEST_WRITTEN = 64 * 1024 * 1024,
    FIRST_KAFKA_PORT = 9092,
    FIRST_REST_PORT = 8083
};

void lab_scene_problem(struct lab_scene *scene, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    charmi_buf_vaddf(&scene->problems, format, args);
    va_end(args);
    charmi_buf_add_char(&scene->problems, '\n');
}

/* ---- the world ---- */

/* Where broker and worker are said to be, when nobody listens there. */
struct places {
    const char *rest_host;
    int rest_port;
    int kafka_port;
};

static const struct places nowhere = { "127.44.0.1", FIRST_REST_PORT, FIRST_KAFKA_PORT };

static int fill_names(struct lab_scene *scene, const struct charm_value *file,
                      struct charm_error *reterr)
{
    struct charm_value *names = charm_value_new_map(scene->arena);
    struct charm_value *filled = NULL;
    const int rest = lab_rest_port(scene->rest);
    const int kafka = lab_mock_kafka_port(scene->kafka);
    charm_value_set_int(names, "rest-port", rest);
    charm_value_set_int(names, "kafka-port", kafka);
    charm_value_set_text(names, "rest-host", lab_rest_host(scene->rest));
    charm_value_setf(names, "rest", "%s:%d", lab_rest_host(scene->rest), rest);
    const char *host = scene->options->kafka == NULL ? "127.0.0.1" : scene->options->kafka;
    charm_value_setf(names, "kafka-host", "%.*s", (int)strcspn(host, ":"), host);
    charm_value_setf(names, "kafka", "%.*s:%d", (int)strcspn(host, ":"), host, kafka);
    const int code = lab_scenario_fill(scene->arena, file, names, &filled, reterr);
    scene->file = filled;
    return code;
}

static int open_process(struct lab_scene *scene, struct charm_error *reterr)
{
    const int code = lab_scene_open(scene, reterr);
    if (code != 0) {
        return code;
    }
    scene->rest = lab_rest_new(scene->arena, reterr);
    if (scene->rest == NULL) {
        return CHARM_EFAILED;
    }
    const char *real = scene->options->kafka;
    if (real == NULL) {
        return lab_mock_kafka_new(scene->arena, &scene->kafka, reterr);
    }
    const char *colon = strchr(real, ':');
    scene->kafka = lab_mock_kafka_without_port(
        scene->arena, colon == NULL ? 0 : (int)strtol(colon + 1, NULL, 10));
    return 0;
}

static int prepare(struct lab_scene *scene, const struct charm_value *file,
                   const struct places *places, struct charm_error *reterr)
{
    int code = 0;
    if (scene->inside) {
        scene->rest = lab_rest_without_port(scene->arena, places->rest_host, places->rest_port);
        scene->kafka = lab_mock_kafka_without_port(scene->arena, places->kafka_port);
    } else {
        code = open_process(scene, reterr);
    }
    return code != 0 ? code : fill_names(scene, file, reterr);
}

/* ---- its acts ---- */

static void describe_runs(struct lab_scene *scene, const char *title)
{
    charmi_buf_addf(&scene->details, "---- %s\n", title);
    for (size_t i = 0; i < charm_value_size(scene->runs); i++) {
        const struct charm_value *run = charm_value_at(scene->runs, i);
        const struct charm_value *calls = charm_value_get(run, "calls");
        charmi_buf_addf(
            &scene->details, "%s %s: %s, %zu calls\n%s%s", charm_text(charm_value_get(run, "unit")),
            charm_text(charm_value_get(run, "name")), charm_text(charm_value_get(run, "end")),
            charm_value_size(calls), charm_text(charm_value_get(run, "out")),
            charm_text(charm_value_get(run, "err")));
    }
    for (size_t i = 0; i < charm_value_size(lab_connect_requests(lab_rest_connect(scene->rest)));
         i++) {
        charmi_buf_addf(
            &scene->details, "  REST %s\n",
            charm_text(charm_value_at(lab_connect_requests(lab_rest_connect(scene->rest)), i)));
    }
    charmi_buf_addf(&scene->details, "  status %s: %s\n", scene->unit->status.word,
                    scene->unit->status.message);
}

/* A prelude in which something fails is no ground to stand on. */
static void check_prelude(struct lab_scene *scene)
{
    for (size_t i = 0; i < charm_value_size(scene->runs); i++) {
        const struct charm_value *run = charm_value_at(scene->runs, i);
        if (!charmi_same(charm_text(charm_value_get(run, "end")), "ok")) {
            lab_scene_problem(
                scene, "given: %s failed: %s\n%s", charm_text(charm_value_get(run, "name")),
                charm_text(charm_value_get(run, "end")), charm_text(charm_value_get(run, "err")));
        }
    }
}

static int play_act(struct lab_scene *scene, const struct charm_value *act, const char *title,
                    struct charm_error *reterr)
{
    const int code = lab_scene_when(scene, charm_value_get(act, "when"), reterr);
    lab_scene_note_effects(scene, title);
    if (code == 0) {
        lab_scene_then(scene, charm_value_get(act, "then"));
        lab_scene_never(scene, charm_value_get(scene->file, "never"));
    }
    if (scene->options->verbose) {
        describe_runs(scene, title);
    }
    return code;
}

static int play_all(struct lab_scene *scene, struct charm_error *reterr)
{
    int code = lab_scene_given(scene, reterr);
    lab_scene_note_effects(scene, "given");
    if (scene->options->verbose && scene->unit != NULL) {
        describe_runs(scene, "given");
    }
    if (code != 0) {
        return code;
    }
    check_prelude(scene);
    code = play_act(scene, scene->file, "when", reterr);
    const struct charm_value *next = charm_value_get(scene->file, "next");
    for (size_t i = 0; code == 0 && i < charm_value_size(next); i++) {
        const char *title = charm_arena_printf(scene->arena, "next[%zu]", i);
        const size_t before = scene->problems.size;
        code = play_act(scene, charm_value_at(next, i), title, reterr);
        if (scene->problems.size > before) {
            lab_scene_problem(scene, "(in %s)", title);
        }
    }
    return code;
}

/* ---- a file in one skin ---- */

/* What is left of a scene that has been played. */
struct played {
    struct places places;
    const char *report;
    bool good;
    const char *needs_process;
    const struct charm_value *effects;
};

static void init_scene(struct lab_scene *scene, struct charm_arena *arena,
                       const struct lab_scenario_options *options)
{
    *scene = (struct lab_scene){ .arena = arena, .options = options, .tools_fd = -1 };
    scene->effects = charm_value_new_list(arena);
    scene->runs = charm_value_new_list(arena);
    scene->problems = charmi_buf_init(LARGEST_REPORT);
    scene->details = charmi_buf_init(LARGEST_REPORT);
    scene->written = charmi_buf_init(LARGEST_WRITTEN);
}

int lab_scene_begin(struct lab_scene *scene, struct charm_arena *arena,
                    const struct lab_scenario_options *options, const struct charm_value *file,
                    struct charm_error *reterr)
{
    init_scene(scene, arena, options);
    return prepare(scene, file, NULL, reterr);
}

static void close_scene(struct lab_scene *scene)
{
    charmi_buf_release(&scene->problems);
    charmi_buf_release(&scene->written);
    lab_scene_close(scene);
    lab_mock_kafka_free(scene->kafka);
    lab_model_free(scene->model);
}

void lab_scene_end(struct lab_scene *scene)
{
    charmi_buf_release(&scene->details);
    close_scene(scene);
}

static struct played play(struct charm_arena *arena, const struct lab_scenario_options *options,
                          const struct charm_value *file, const struct places *inside)
{
    struct lab_scene scene;
    struct charm_error error = { 0 };
    init_scene(&scene, arena, options);
    scene.inside = inside != NULL;
    int code = prepare(&scene, file, inside, &error);
    code = code != 0 ? code : play_all(&scene, &error);
    if (code != 0) {
        lab_scene_problem(&scene, "%s", error.text);
    }
    struct played played = { .good = scene.problems.size == 0,
                             .needs_process = scene.needs_process,
                             .effects = scene.effects };
    if (scene.rest != NULL && scene.kafka != NULL) {
        played.places = (struct places){ lab_rest_host(scene.rest), lab_rest_port(scene.rest),
                                         lab_mock_kafka_port(scene.kafka) };
    }
    charmi_buf_add(&scene.details, charmi_buf_text(&scene.problems));
    played.report = charmi_buf_into(&scene.details, arena);
    close_scene(&scene);
    return played;
}

/* ---- a file ---- */

static void add_report(struct charm_arena *arena, struct lab_scenario_result *result,
                       const char *title, const char *report)
{
    result->report =
        charm_arena_printf(arena, "%s%s%s", result->report, report[0] == '\0' ? "" : title, report);
}

static void play_inside(struct charm_arena *arena, const struct lab_scenario_options *options,
                        const struct charm_value *file, const struct played *process,
                        struct lab_scenario_result *result)
{
    result->needs_process = lab_scenario_needs_process(file);
    if (result->needs_process != NULL) {
        return;
    }
    const struct played inside =
        play(arena, options, file, process == NULL ? &nowhere : &process->places);
    result->needs_process = inside.needs_process;
    if (result->needs_process != NULL) {
        return;
    }
    add_report(arena, result, "in one process:\n", inside.report);
    result->good = result->good && inside.good;
    if (process != NULL) {
        const char *differences = lab_effects_compare(arena, process->effects, inside.effects);
        add_report(arena, result, "the two skins differ:\n", differences);
        result->good = result->good && differences[0] == '\0';
    }
}

void lab_scenario_play(struct charm_arena *arena, const struct lab_scenario_options *options,
                       const char *path, struct lab_scenario_result *ret_result)
{
    struct lab_scenario_result result = { .good = true, .report = "" };
    struct charm_value *file = NULL;
    struct charm_error error = { 0 };
    struct played process;
    int code = lab_scenario_read(arena, path, &file, &error);
    code = code != 0 ? code : lab_scenario_check(file, &error);
    if (code != 0) {
        *ret_result =
            (struct lab_scenario_result){ .report = charm_arena_printf(arena, "%s\n", error.text) };
        return;
    }
    if (options->skin != LAB_SKIN_INSIDE) {
        process = play(arena, options, file, NULL);
        result.good = process.good;
        result.report = process.report;
    }
    if (options->skin != LAB_SKIN_PROCESS) {
        play_inside(arena, options, file, options->skin == LAB_SKIN_BOTH ? &process : NULL,
                    &result);
    }
    *ret_result = result;
}
