/* The world of a scenario: what is given, and the steps that are played in it. */
#include "lab/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "lab/context.h"
#include "lab/events.h"
#include "lab/yaml.h"

enum { MOST_RUNS = 200, MOST_QUICK_RUNS = 12, LARGEST_FILE = 1024 * 1024 };

/* ---- looking ---- */

/* The first one; of several peer relations the last, which is the one that counts. */
struct lab_relation *lab_scene_relation(const struct lab_scene *scene, const char *endpoint)
{
    struct lab_relation *found = NULL;
    for (struct lab_relation *r = scene->model->relations; r != NULL; r = r->next) {
        const struct lab_side *own = lab_relation_own(r, scene->app);
        if (r->life != LAB_DEAD && own != NULL && charmi_same(own->endpoint, endpoint) &&
            (found == NULL || lab_relation_is_peer(r))) {
            found = r;
        }
    }
    return found;
}

const struct charm_value *lab_scene_own_bag(const struct lab_scene *scene,
                                            const struct lab_unit *unit, const char *endpoint)
{
    const struct lab_relation *relation = lab_scene_relation(scene, endpoint);
    const struct lab_seat *seat = relation == NULL ? NULL : relation->seats;
    while (seat != NULL && seat->unit != unit) {
        seat = seat->next;
    }
    return seat == NULL ? NULL : seat->bag.values;
}

const struct charm_value *lab_scene_app_state(const struct lab_scene *scene)
{
    struct lab_relation *relation = lab_scene_relation(scene, "cluster");
    return relation == NULL ? NULL : lab_relation_own(relation, scene->app)->bag.values;
}

static const char *bag_text(struct charm_arena *arena, const struct charm_value *value)
{
    const enum charm_kind kind = charm_value_kind(value);
    return kind == CHARM_MAP || kind == CHARM_LIST
               ? charm_value_render(arena, value, CHARM_JSON_PYTHON)
               : charm_value_scalar(arena, value);
}

static bool put(struct charm_arena *arena, struct lab_bag *bag, const struct charm_value *values)
{
    bool changed = false;
    CHARM_EACH(values, it)
    {
        changed = lab_bag_put(bag, it.key, bag_text(arena, it.value)) || changed;
    }
    bag->version += changed ? 1 : 0;
    return changed;
}

void lab_scene_put(struct lab_bag *bag, const struct charm_value *values)
{
    struct charm_arena *arena = charm_arena_new();
    put(arena, bag, values);
    charm_arena_free(arena);
}

/* ---- other applications ---- */

/* A charm that speaks the other side of everything that this one speaks, under the same names. */
static struct lab_charm counterpart(struct lab_scene *scene)
{
    struct charm_value *metadata = charm_value_new_map(scene->model->arena);
    const struct charm_value *own = scene->app->charm.metadata;
    charm_value_set_text(metadata, "name", "counterpart");
    charm_value_set(metadata, "requires", charm_value_get(own, "provides"));
    charm_value_set(metadata, "provides", charm_value_get(own, "requires"));
    return (struct lab_charm){ .name = "counterpart", .metadata = metadata };
}

/* Passes an event by, as if the charm had run and done nothing. */
static int pass(struct lab_scene *scene, struct lab_unit *unit, const struct lab_event *event)
{
    struct charm_error error;
    return lab_context_end(lab_context_begin(scene->model, unit, event), LAB_EXITED, 0, &error);
}

static bool pass_all_of(struct lab_scene *scene, struct lab_application *app)
{
    bool moved = false;
    for (struct lab_unit *unit = app->units; unit != NULL; unit = unit->next) {
        struct lab_event event;
        while (lab_event_next(scene->model, unit, &event) && pass(scene, unit, &event) == 0) {
            moved = true;
        }
    }
    return moved;
}

/* The other applications' agents do what they have to; then the deployer looks at its relation. */
static bool others_act(struct lab_scene *scene)
{
    bool moved = false;
    for (struct lab_application *app = scene->model->applications; app != NULL; app = app->next) {
        moved = (app != scene->app && pass_all_of(scene, app)) || moved;
    }
    return lab_scene_answer(scene) || moved;
}

static const char *default_app(const char *endpoint)
{
    static const char *const names[][2] = { { "kafka", "kafka" },
                                            { "kafka-client", "kafka" },
                                            { "kubernetes", "deployer" },
                                            { "website", "proxy" } };
    for (size_t i = 0; i < CHARMI_COUNT(names); i++) {
        if (charmi_same(names[i][0], endpoint)) {
            return names[i][1];
        }
    }
    return endpoint;
}

/* `kafka: ready` in full. */
static const struct charm_value *spelled_out(struct lab_scene *scene, const char *endpoint,
                                             const struct charm_value *what)
{
    if (charm_value_kind(what) == CHARM_MAP) {
        return what;
    }
    struct charm_value *relation = charm_value_new_map(scene->arena);
    struct charm_value *units = charm_value_add_map(relation, "units");
    struct charm_value *bag =
        charm_value_add_map(units, charm_arena_printf(scene->arena, "%s/0", default_app(endpoint)));
    if (charmi_same(charm_text(what), "ready")) {
        charm_value_set_text(bag, "host", "127.0.0.1");
        charm_value_set_int(bag, "port", lab_mock_kafka_port(scene->kafka));
    }
    return relation;
}

static int ensure_units(struct lab_scene *scene, const struct charm_value *units,
                        struct lab_application **ret_app, struct charm_error *reterr)
{
    CHARM_EACH(units, it)
    {
        const char *slash = strchr(it.key, '/');
        if (slash == NULL) {
            return charm_error_set(reterr, CHARM_EINVAL, "'%s' is no name of a unit", it.key);
        }
        const char *name = charm_arena_copy_n(scene->arena, it.key, (size_t)(slash - it.key));
        *ret_app = lab_model_app(scene->model, name);
        struct lab_unit *unit = NULL;
        int code = 0;
        if (*ret_app == NULL) {
            const struct lab_charm charm = counterpart(scene);
            code = lab_model_deploy(scene->model, name, &charm, 1, ret_app, reterr);
        }
        while (code == 0 && lab_model_unit(scene->model, it.key) == NULL &&
               (*ret_app)->next_unit <= strtol(slash + 1, NULL, 10)) {
            code = lab_model_add_unit(scene->model, *ret_app, &unit, reterr);
        }
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

static int put_unit_bag(struct lab_scene *scene, struct lab_relation *relation, const char *name,
                        const struct charm_value *values, struct charm_error *reterr)
{
    struct lab_unit *unit = lab_model_unit(scene->model, name);
    if (unit == NULL) {
        return charm_error_set(reterr, CHARM_EINVAL, "there is no unit %s", name);
    }
    put(scene->arena, &lab_relation_seat(scene->model, relation, unit)->bag, values);
    return 0;
}

static int relate(struct lab_scene *scene, const char *endpoint, const struct charm_value *what,
                  struct charm_error *reterr)
{
    const struct charm_value *whole = spelled_out(scene, endpoint, what);
    const struct charm_value *units = charm_value_get(whole, "units");
    struct lab_application *app = NULL;
    struct lab_relation *relation = NULL;
    int code = ensure_units(scene, units, &app, reterr);
    if (code == 0 && app == NULL) { /* no units: an application that is still being set up */
        const struct lab_charm charm = counterpart(scene);
        code = lab_model_deploy(scene->model, default_app(endpoint), &charm, 0, &app, reterr);
    }
    if (code == 0) {
        code = lab_model_relate(
            scene->model, charm_arena_printf(scene->arena, "%s:%s", scene->app->name, endpoint),
            charm_arena_printf(scene->arena, "%s:%s", app->name, endpoint), &relation, reterr);
    }
    if (code != 0) {
        return charm_error_wrap(reterr, "relate %s", endpoint);
    }
    others_act(scene);
    CHARM_EACH(units, it)
    {
        if (put_unit_bag(scene, relation, it.key, it.value, reterr) != 0) {
            return CHARM_EINVAL;
        }
    }
    put(scene->arena, &lab_relation_other(relation, scene->app)->bag,
        charm_value_get(whole, "app"));
    return 0;
}

static int relate_all(struct lab_scene *scene, const struct charm_value *relations,
                      struct charm_error *reterr)
{
    CHARM_EACH(relations, it)
    {
        const int code = relate(scene, it.key, it.value, reterr);
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

/* ---- the charm's own runs ---- */

static bool runs_charm(const struct lab_scene *scene, const struct lab_unit *unit)
{
    return unit->app == scene->app && unit->life != LAB_DEAD && !unit->lost;
}

/* One event of each unit. */
static int run_round(struct lab_scene *scene, bool *ret_moved, struct charm_error *reterr)
{
    for (struct lab_unit *unit = scene->app->units; unit != NULL; unit = unit->next) {
        struct lab_event event;
        if (!runs_charm(scene, unit) || charmi_same(unit->name, scene->held) ||
            !lab_event_next(scene->model, unit, &event)) {
            continue;
        }
        *ret_moved = true;
        int code = lab_scene_make_unit(scene, unit, reterr);
        if (code == 0) {
            code = lab_scene_run(scene, unit, &event, reterr);
        }
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

/* Until nobody has anything to do any more. */
static int settle(struct lab_scene *scene, struct charm_error *reterr)
{
    const size_t before = charm_value_size(scene->runs);
    for (bool moved = true; moved;) {
        moved = others_act(scene);
        const int code = run_round(scene, &moved, reterr);
        if (code != 0) {
            return code;
        }
        if (charm_value_size(scene->runs) - before > MOST_RUNS) {
            return charm_error_set(reterr, CHARM_ECYCLE, "the hooks wake each other: %d runs",
                                   MOST_RUNS);
        }
    }
    return 0;
}

/* ---- preludes ---- */

static bool wrote(const struct lab_scene *scene)
{
    const size_t size = charm_value_size(scene->runs);
    const struct charm_value *calls =
        size == 0 ? NULL : charm_value_get(charm_value_at(scene->runs, size - 1), "calls");
    for (size_t i = 0; i < charm_value_size(calls); i++) {
        if (lab_match("*-set *", charm_text(charm_value_get(charm_value_at(calls, i), "call")))) {
            return true;
        }
    }
    return false;
}

static int run_update_status(struct lab_scene *scene, bool *ret_wrote, struct charm_error *reterr)
{
    for (struct lab_unit *unit = scene->app->units; unit != NULL; unit = unit->next) {
        struct lab_event event;
        int code = lab_scene_make_unit(scene, unit, reterr);
        unit->update_status_wanted = true;
        if (code == 0 && lab_event_next(scene->model, unit, &event)) {
            code = lab_scene_run(scene, unit, &event, reterr);
            *ret_wrote = wrote(scene) || *ret_wrote;
        }
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

/*
 * What the charm is told is that all of this happened; what it sees is the result. It must come to the same end from
 * there (architecture, decision 2), and a scenario that wants every single hook says `prelude: hooks`.
 */
static int settle_quickly(struct lab_scene *scene, struct charm_error *reterr)
{
    bool changed = true;
    for (int i = 0; changed && i < MOST_QUICK_RUNS; i++) {
        changed = false;
        while (others_act(scene) || pass_all_of(scene, scene->app)) {
        }
        const int code = run_update_status(scene, &changed, reterr);
        if (code != 0) {
            return code;
        }
        changed = others_act(scene) || changed;
    }
    while (pass_all_of(scene, scene->app)) {
    }
    return changed ? charm_error_set(reterr, CHARM_ECYCLE, "the prelude does not come to rest") : 0;
}

static int play_prelude(struct lab_scene *scene, const char *how, struct charm_error *reterr)
{
    if (charmi_same(how, "hooks")) {
        return settle(scene, reterr);
    }
    if (charmi_same(how, "none")) {
        return 0;
    }
    return how[0] == '\0' || charmi_same(how, "quick")
               ? settle_quickly(scene, reterr)
               : charm_error_set(reterr, CHARM_EINVAL, "prelude: want quick, hooks or none");
}

/* ---- given ---- */

/* What is deployed: the charm, or with `peers: later` one that has no peer relation yet. */
static struct lab_charm first_revision(struct lab_scene *scene, const struct charm_value *given)
{
    struct lab_charm charm = scene->options->base.charm;
    if (charmi_same(charm_text(charm_value_get(given, "peers")), "later")) {
        struct charm_value *metadata = charm_value_copy(scene->arena, charm.metadata);
        charm_value_remove(metadata, "peers");
        charm.metadata = metadata;
    }
    return charm;
}

static int deploy(struct lab_scene *scene, const struct charm_value *given,
                  struct charm_error *reterr)
{
    const struct lab_charm first = first_revision(scene, given);
    const char *name = charm_text(charm_value_get(given, "app"));
    const char *unit = charm_text(charm_value_get(given, "unit"));
    int code = lab_model_deploy(scene->model, name[0] == '\0' ? "connect" : name, &first,
                                (int)charm_value_int(charm_value_get(given, "units"), 1),
                                &scene->app, reterr);
    if (code == 0) {
        scene->unit = unit[0] == '\0' ? scene->app->units : lab_model_unit(scene->model, unit);
    }
    if (code == 0 && scene->unit == NULL) {
        code = charm_error_set(reterr, CHARM_EINVAL, "there is no unit %s", unit);
    }
    return code;
}

static int elect(struct lab_scene *scene, const char *name, struct charm_error *reterr)
{
    struct lab_unit *unit = lab_model_unit(scene->model, name);
    if (unit == NULL) {
        return charm_error_set(reterr, CHARM_EINVAL, "leader: there is no unit %s", name);
    }
    lab_model_elect(scene->model, scene->app, unit);
    return 0;
}

static int configure(struct lab_scene *scene, const struct charm_value *config,
                     struct charm_error *reterr)
{
    CHARM_EACH(config, it)
    {
        const bool none = charm_value_kind(it.value) == CHARM_NULL;
        const int code =
            lab_model_config_set(scene->model, scene->app, it.key,
                                 none ? NULL : bag_text(scene->arena, it.value), reterr);
        if (code != 0) {
            return charm_error_wrap(reterr, "config");
        }
    }
    return 0;
}

static void put_raw_state(struct lab_scene *scene, const struct charm_value *state)
{
    CHARM_EACH(state, it)
    {
        charm_value_set_text(scene->unit->state, it.key, bag_text(scene->arena, it.value));
    }
}

static int put_app_state(struct lab_scene *scene, const struct charm_value *values,
                         struct charm_error *reterr)
{
    struct lab_relation *relation = lab_scene_relation(scene, "cluster");
    if (values != NULL && relation == NULL) {
        return charm_error_set(reterr, CHARM_EINVAL, "app-state: there is no peer relation");
    }
    if (values != NULL) {
        put(scene->arena, &lab_relation_own(relation, scene->app)->bag, values);
    }
    return 0;
}

/* A map key of `given` handed to a function, if it is there. */
static int set_outside(struct lab_scene *scene, const struct charm_value *what,
                       struct charm_error *reterr)
{
    const struct charm_value *rest = charm_value_get(what, "rest");
    const struct charm_value *kafka = charm_value_get(what, "kafka");
    const struct charm_value *deployer = charm_value_get(what, "deployer");
    scene->deployer = deployer != NULL ? deployer : scene->deployer;
    int code = rest == NULL ? 0 : lab_rest_set(scene->rest, rest, reterr);
    if (code == 0 && kafka != NULL) {
        code = lab_mock_kafka_set(scene->kafka, kafka, reterr);
    }
    return code;
}

/* The three topics are there, with the partitions that the charm wants, unless the file names topics. */
static int make_topics(struct lab_scene *scene, const struct charm_value *given,
                       struct charm_error *reterr)
{
    static const struct {
        const char *name;
        int partitions;
    } topics[] = { { "configs", 1 }, { "offsets", 50 }, { "status", 10 } };
    if (charm_value_path(given, "kafka", "topics", NULL) != NULL) {
        return 0;
    }
    struct charm_value *what = charm_value_new_map(scene->arena);
    struct charm_value *map = charm_value_add_map(what, "topics");
    for (size_t i = 0; i < CHARMI_COUNT(topics); i++) {
        charm_value_set_int(map,
                            charm_arena_printf(scene->arena, "%s.%s.connect%s",
                                               scene->model->options.name, scene->app->name,
                                               topics[i].name),
                            topics[i].partitions);
    }
    return lab_mock_kafka_set(scene->kafka, what, reterr);
}

int lab_scene_given(struct lab_scene *scene, struct charm_error *reterr)
{
    const struct charm_value *given = charm_value_get(scene->file, "given");
    const char *juju = charm_value_scalar(scene->arena, charm_value_get(given, "juju"));
    const char *model = charm_text(charm_value_get(given, "model"));
    const struct lab_model_options options = {
        .name = model[0] == '\0' ? NULL : model,
        .juju_version = juju[0] == '\0' ? NULL : juju,
        .no_retry = true,
    };
    scene->model = lab_model_new(&options);
    int code = deploy(scene, given, reterr);
    code = code != 0 ? code : make_topics(scene, given, reterr);
    code = code != 0 ? code : set_outside(scene, given, reterr);
    code = code != 0 ? code : lab_scene_secrets(scene, charm_value_get(given, "secrets"), reterr);
    code = code != 0 ? code : configure(scene, charm_value_get(given, "config"), reterr);
    const char *leader = charm_text(charm_value_get(given, "leader"));
    if (code == 0 && leader[0] != '\0') {
        code = elect(scene, leader, reterr);
    }
    code = code != 0 ? code : relate_all(scene, charm_value_get(given, "relations"), reterr);
    code = code != 0 ? code : put_app_state(scene, charm_value_get(given, "app-state"), reterr);
    code = code != 0 ? code
                     : play_prelude(scene, charm_text(charm_value_get(given, "prelude")), reterr);
    put_raw_state(scene, charm_value_get(given, "state"));
    return code == 0 ? 0 : charm_error_wrap(reterr, "given");
}

/* ---- when ---- */

static int remove_relation(struct lab_scene *scene, const char *endpoint,
                           struct charm_error *reterr)
{
    struct lab_relation *relation = lab_scene_relation(scene, endpoint);
    if (relation == NULL) {
        return charm_error_set(reterr, CHARM_EINVAL, "%s is not related", endpoint);
    }
    const struct lab_side *other = lab_relation_other(relation, scene->app);
    return lab_model_remove_relation(
        scene->model, charm_arena_printf(scene->arena, "%s:%s", scene->app->name, endpoint),
        charm_arena_printf(scene->arena, "%s:%s", other->app->name, other->endpoint), reterr);
}

/* The relation that a remote application is in; `on` names the endpoint when there are several. */
static struct lab_relation *relation_with(const struct lab_scene *scene, const char *name,
                                          const char *on)
{
    for (struct lab_relation *r = scene->model->relations; r != NULL; r = r->next) {
        const struct lab_side *own = lab_relation_own(r, scene->app);
        if (r->life != LAB_DEAD && own != NULL && r->sides == 2 &&
            charmi_same(lab_relation_other(r, scene->app)->app->name, name) &&
            (on[0] == '\0' || charmi_same(own->endpoint, on))) {
            return r;
        }
    }
    return NULL;
}

static int write_remote(struct lab_scene *scene, const struct charm_value *step,
                        struct charm_error *reterr)
{
    const char *on = charm_text(charm_value_get(step, "on"));
    CHARM_EACH(charm_value_get(step, "remote"), it)
    {
        const char *app = charm_arena_copy_n(scene->arena, it.key, strcspn(it.key, "/"));
        struct lab_relation *relation = relation_with(scene, app, on);
        if (relation == NULL) {
            return charm_error_set(reterr, CHARM_EINVAL, "%s is not related", app);
        }
        if (put_unit_bag(scene, relation, it.key, it.value, reterr) != 0) {
            return CHARM_EINVAL;
        }
    }
    CHARM_EACH(charm_value_get(step, "remote-app"), it)
    {
        struct lab_relation *relation = relation_with(scene, it.key, on);
        if (relation == NULL) {
            return charm_error_set(reterr, CHARM_EINVAL, "%s is not related", it.key);
        }
        put(scene->arena, &lab_relation_other(relation, scene->app)->bag, it.value);
    }
    return 0;
}

static int change_units(struct lab_scene *scene, const struct charm_value *step,
                        struct charm_error *reterr)
{
    const char *add = charm_text(charm_value_get(step, "add-unit"));
    const char *remove = charm_text(charm_value_get(step, "remove-unit"));
    const char *lose = charm_text(charm_value_get(step, "lose-unit"));
    const char *named = remove[0] != '\0' ? remove : lose;
    struct lab_unit *unit = named[0] == '\0' ? NULL : lab_model_unit(scene->model, named);
    if (named[0] != '\0' && unit == NULL) {
        return charm_error_set(reterr, CHARM_EINVAL, "there is no unit %s", named);
    }
    if (lose[0] != '\0') {
        lab_model_lose_unit(scene->model, unit);
        return 0;
    }
    if (remove[0] != '\0') {
        const bool force = charm_value_true(charm_value_get(step, "force"));
        return lab_model_remove_unit(scene->model, unit, force, reterr);
    }
    struct lab_application *app = lab_model_app(scene->model, add);
    return app == NULL ? charm_error_set(reterr, CHARM_EINVAL, "there is no application %s", add)
                       : lab_model_add_unit(scene->model, app, &unit, reterr);
}

static int ask(struct lab_scene *scene, const struct charm_value *step, struct charm_error *reterr)
{
    const char *action = charm_text(charm_value_get(step, "action"));
    if (action[0] == '\0') {
        struct charm_value *command = charm_value_new_list(scene->model->arena);
        charm_value_append(command, charm_value_get(step, "exec"));
        scene->task = lab_model_run_command(scene->model, scene->unit, command);
        return 0;
    }
    const struct charm_value *params = charm_value_get(step, "params");
    struct lab_task *task = NULL;
    const int code = lab_model_run_action(
        scene->model, scene->unit, action,
        params != NULL ? params : charm_value_new_map(scene->model->arena), &task, reterr);
    scene->task = task;
    return code;
}

static int play_fault(struct lab_scene *scene, const char *fault, struct charm_error *reterr)
{
    if (charmi_same(fault, "refuse-commit")) {
        scene->unit->fault_refuse_commit = true;
    } else if (charmi_same(fault, "state-only")) {
        scene->unit->fault_state_only = true;
    } else if (charmi_same(fault, "leader-lost")) {
        scene->unit->fault_leader_lost = true;
    } else {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "fault: want refuse-commit, state-only or leader-lost");
    }
    return 0;
}

static int play_word(struct lab_scene *scene, const char *word, struct charm_error *reterr)
{
    if (charmi_same(word, "update-status")) {
        for (struct lab_unit *unit = scene->app->units; unit != NULL; unit = unit->next) {
            unit->update_status_wanted = true;
        }
        return 0;
    }
    if (charmi_same(word, "resolved") || charmi_same(word, "resolved --no-retry")) {
        return lab_model_resolved(scene->model, scene->unit, charmi_same(word, "resolved"), reterr);
    }
    if (charmi_same(word, "upgrade")) {
        return lab_model_upgrade(scene->model, scene->app, &scene->options->base.charm, reterr);
    }
    if (charmi_same(word, "second-peer-relation")) {
        return lab_model_double_peer(scene->model, scene->app, "cluster", reterr);
    }
    if (charmi_same(word, "start")) {
        return 0; /* what is pending anyway: after `prelude: none` */
    }
    return charm_error_set(
        reterr, CHARM_EINVAL,
        "%s: want start, update-status, upgrade, resolved, second-peer-relation, "
        "or a map",
        word);
}

static int play_step(struct lab_scene *scene, const struct charm_value *step,
                     struct charm_error *reterr)
{
    if (charm_value_kind(step) == CHARM_STRING) {
        return play_word(scene, charm_text(step), reterr);
    }
    const char *removed = charm_text(charm_value_get(step, "remove-relation"));
    const char *leader = charm_text(charm_value_get(step, "leader"));
    const char *fault = charm_text(charm_value_get(step, "fault"));
    const struct charm_value *hold = charm_value_get(step, "hold");
    scene->held = hold != NULL ? charm_text(hold) : scene->held;
    int code = set_outside(scene, step, reterr);
    code = code != 0 ? code : lab_scene_change_secrets(scene, step, reterr);
    code = code != 0 ? code : configure(scene, charm_value_get(step, "config"), reterr);
    code = code != 0 ? code : relate_all(scene, charm_value_get(step, "relate"), reterr);
    code = code != 0 ? code : write_remote(scene, step, reterr);
    if (code == 0 && removed[0] != '\0') {
        code = remove_relation(scene, removed, reterr);
    }
    if (code == 0 && leader[0] != '\0') {
        code = elect(scene, leader, reterr);
    }
    if (code == 0 && fault[0] != '\0') {
        code = play_fault(scene, fault, reterr);
    }
    if (code == 0 && (charm_value_get(step, "add-unit") != NULL ||
                      charm_value_get(step, "remove-unit") != NULL ||
                      charm_value_get(step, "lose-unit") != NULL)) {
        code = change_units(scene, step, reterr);
    }
    if (code == 0 &&
        (charm_value_get(step, "action") != NULL || charm_value_get(step, "exec") != NULL)) {
        code = ask(scene, step, reterr);
    }
    return code;
}

static void begin_act(struct lab_scene *scene)
{
    scene->runs = charm_value_new_list(scene->arena);
    scene->before = charm_value_new_map(scene->arena);
    charm_value_clear(lab_connect_requests(lab_rest_connect(scene->rest)));
    for (struct lab_relation *r = scene->model->relations; r != NULL; r = r->next) {
        const struct lab_side *own = lab_relation_own(r, scene->app);
        if (own != NULL && r->life != LAB_DEAD) {
            charm_value_set(scene->before, own->endpoint,
                            charm_value_copy(scene->arena,
                                             lab_scene_own_bag(scene, scene->unit, own->endpoint)));
        }
    }
}

int lab_scene_when(struct lab_scene *scene, const struct charm_value *steps,
                   struct charm_error *reterr)
{
    begin_act(scene);
    for (size_t i = 0; i < charm_value_size(steps); i++) {
        int code = play_step(scene, charm_value_at(steps, i), reterr);
        code = code != 0 ? code : settle(scene, reterr);
        if (code != 0) {
            return charm_error_wrap(reterr, "when[%zu]", i);
        }
    }
    return 0;
}
