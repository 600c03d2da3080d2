/* What came of an act: one text for each run, hook tool call, REST request, key of a bag or of a state, and status. */
#include "lab/scenario.h"

static void note_runs(struct lab_scene *scene, const char *act)
{
    for (size_t i = 0; i < charm_value_size(scene->runs); i++) {
        const struct charm_value *run = charm_value_at(scene->runs, i);
        const struct charm_value *calls = charm_value_get(run, "calls");
        const char *title = charm_arena_printf(scene->arena, "%s: run %zu, %s %s", act, i,
                                               charm_text(charm_value_get(run, "unit")),
                                               charm_text(charm_value_get(run, "name")));
        for (size_t k = 0; k < charm_value_size(calls); k++) {
            const struct charm_value *call = charm_value_at(calls, k);
            charm_value_append_text(
                scene->effects,
                charm_arena_printf(scene->arena, "%s: %s -> %d < %s", title,
                                   charm_text(charm_value_get(call, "call")),
                                   (int)charm_value_int(charm_value_get(call, "code"), -1),
                                   charm_text(charm_value_get(call, "input"))));
        }
        charm_value_append_text(
            scene->effects,
            charm_arena_printf(scene->arena, "%s: exit %d, %s, printed %s%s", title,
                               (int)charm_value_int(charm_value_get(run, "exit"), -1),
                               charm_text(charm_value_get(run, "end")),
                               charm_text(charm_value_get(run, "out")),
                               charm_text(charm_value_get(run, "err"))));
    }
}

static void note_map(struct lab_scene *scene, const char *title, const struct charm_value *map)
{
    CHARM_EACH(map, it)
    {
        charm_value_append_text(
            scene->effects,
            charm_arena_printf(scene->arena, "%s: %s = %s", title, it.key, charm_text(it.value)));
    }
}

static void note_bags(struct lab_scene *scene, const char *act)
{
    struct charm_arena *arena = scene->arena;
    for (struct lab_relation *r = scene->model->relations; r != NULL; r = r->next) {
        const struct lab_side *own = lab_relation_own(r, scene->app);
        if (own == NULL) {
            continue;
        }
        const char *title = charm_arena_printf(arena, "%s: %s:%d", act, own->endpoint, r->id);
        note_map(scene, charm_arena_printf(arena, "%s, application", title), own->bag.values);
        for (const struct lab_seat *seat = r->seats; seat != NULL; seat = seat->next) {
            note_map(scene, charm_arena_printf(arena, "%s, %s", title, seat->unit->name),
                     seat->bag.values);
        }
    }
}

static void note_states(struct lab_scene *scene, const char *act)
{
    for (const struct lab_unit *unit = scene->app->units; unit != NULL; unit = unit->next) {
        note_map(scene, charm_arena_printf(scene->arena, "%s: state of %s", act, unit->name),
                 unit->state);
    }
}

static void note_statuses(struct lab_scene *scene, const char *act)
{
    struct charm_arena *arena = scene->arena;
    for (const struct lab_unit *unit = scene->app->units; unit != NULL; unit = unit->next) {
        charm_value_append_text(
            scene->effects, charm_arena_printf(arena, "%s: status of %s: %s %s", act, unit->name,
                                               unit->status.word, unit->status.message));
    }
    const struct lab_status status = lab_application_status(scene->app);
    charm_value_append_text(
        scene->effects,
        charm_arena_printf(arena, "%s: application: %s %s, version %s", act, status.word,
                           status.message, scene->app->version == NULL ? "" : scene->app->version));
}

static void note_task(struct lab_scene *scene, const char *act)
{
    const struct lab_task *task = scene->task;
    if (task != NULL) {
        charm_value_append_text(
            scene->effects,
            charm_arena_printf(scene->arena, "%s: task: %d %s %s", act, (int)task->state,
                               task->message == NULL ? "" : task->message,
                               charm_value_render(scene->arena, task->results, CHARM_JSON_SORTED)));
    }
}

void lab_scene_note_effects(struct lab_scene *scene, const char *act)
{
    const struct charm_value *requests = lab_connect_requests(lab_rest_connect(scene->rest));
    if (scene->app == NULL) {
        return; /* it did not even come to a model */
    }
    note_runs(scene, act);
    for (size_t i = 0; i < charm_value_size(requests); i++) {
        charm_value_append_text(scene->effects,
                                charm_arena_printf(scene->arena, "%s: REST %s", act,
                                                   charm_text(charm_value_at(requests, i))));
    }
    note_bags(scene, act);
    note_states(scene, act);
    note_statuses(scene, act);
    note_task(scene, act);
}

void lab_scene_note_end(struct lab_scene *scene)
{
    note_bags(scene, "end");
    note_statuses(scene, "end");
    charm_value_append_text(
        scene->effects,
        charm_arena_printf(scene->arena, "end: connectors: %s",
                           charm_value_render(scene->arena,
                                              lab_connect_connectors(lab_rest_connect(scene->rest)),
                                              CHARM_JSON_SORTED)));
}
