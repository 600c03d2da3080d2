#include "lab/model.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "lab/model_internal.h"

/* ---- the model ---- */

struct lab_model *lab_model_new(const struct lab_model_options *options)
{
    struct charm_arena *arena = charm_arena_new();
    struct lab_model *model = charm_arena_alloc(arena, sizeof(*model));
    model->arena = arena;
    model->options = *options;
    struct lab_model_options *own = &model->options;
    own->name = charm_arena_copy(arena, options->name == NULL ? "lab" : options->name);
    own->uuid = charm_arena_copy(
        arena, options->uuid == NULL ? "1e3c06f7-8ab2-4d9c-8c3d-2f1f4a0c7e55" : options->uuid);
    own->juju_version =
        charm_arena_copy(arena, options->juju_version == NULL ? "3.6.4" : options->juju_version);
    model->major = 3;
    model->minor = 6;
    const struct charmi_words parts = charmi_split(arena, own->juju_version, ".-");
    int64_t number;
    if (parts.size > 1 && charmi_parse_int(parts.at[0], 0, 1000, &number)) {
        model->major = (int)number;
        model->minor = charmi_parse_int(parts.at[1], 0, 1000, &number) ? (int)number : 0;
    }
    model->random = options->seed;
    model->next_task = 1;
    return model;
}

void lab_model_free(struct lab_model *model)
{
    if (model != NULL) {
        charm_arena_free(model->arena);
    }
}

void lab_model_set_time(struct lab_model *model, int64_t now_ms)
{
    model->now_ms = now_ms;
}

/* splitmix64 (Steele, Lea, Flood 2014): a good stream from any seed. */
uint64_t lab_model_random(struct lab_model *model, uint64_t below)
{
    model->random += 0x9e3779b97f4a7c15U;
    uint64_t z = model->random;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    z ^= z >> 31;
    return below == 0 ? 0 : z % below;
}

bool lab_model_at_least(const struct lab_model *model, int major, int minor)
{
    return model->major > major || (model->major == major && model->minor >= minor);
}

void lab_model_log(const struct lab_model *model, const char *unit, const char *level,
                   const char *module, const char *text)
{
    if (model->log != NULL) {
        model->log(model->userdata, unit, level, module, text);
    }
}

/* ---- look ---- */

struct lab_application *lab_model_app(const struct lab_model *model, const char *name)
{
    for (struct lab_application *app = model->applications; app != NULL; app = app->next) {
        if (app->life != LAB_DEAD && charmi_same(app->name, name)) {
            return app;
        }
    }
    return NULL;
}

static struct lab_unit *leader_by_name(const struct lab_model *model, const char *name)
{
    const size_t stem = strlen(name) - strlen("/leader");
    for (struct lab_application *app = model->applications; app != NULL; app = app->next) {
        if (app->life != LAB_DEAD && strlen(app->name) == stem &&
            strncmp(app->name, name, stem) == 0) {
            return app->leader;
        }
    }
    return NULL;
}

struct lab_unit *lab_model_unit(const struct lab_model *model, const char *name)
{
    if (charmi_ends_with(name, "/leader")) {
        return leader_by_name(model, name);
    }
    struct lab_unit *dead = NULL;
    for (struct lab_application *app = model->applications; app != NULL; app = app->next) {
        for (struct lab_unit *unit = app->units; unit != NULL; unit = unit->next) {
            if (charmi_same(unit->name, name)) {
                if (unit->life != LAB_DEAD) {
                    return unit;
                }
                dead = unit;
            }
        }
    }
    return dead;
}

struct lab_task *lab_model_task(const struct lab_model *model, int id)
{
    for (struct lab_task *task = model->tasks; task != NULL; task = task->next) {
        if (task->id == id) {
            return task;
        }
    }
    return NULL;
}

struct lab_relation *lab_model_relation(const struct lab_model *model, int id)
{
    for (struct lab_relation *relation = model->relations; relation != NULL;
         relation = relation->next) {
        if (relation->id == id && relation->life != LAB_DEAD) {
            return relation;
        }
    }
    return NULL;
}

struct lab_side *lab_relation_own(struct lab_relation *relation, const struct lab_application *app)
{
    for (int i = 0; i < relation->sides; i++) {
        if (relation->side[i].app == app) {
            return &relation->side[i];
        }
    }
    return NULL;
}

struct lab_side *lab_relation_other(struct lab_relation *relation,
                                    const struct lab_application *app)
{
    if (relation->sides == 1) {
        return &relation->side[0];
    }
    return relation->side[0].app == app ? &relation->side[1] : &relation->side[0];
}

bool lab_relation_is_peer(const struct lab_relation *relation)
{
    return relation->sides == 1;
}

struct lab_seat *lab_relation_seat(struct lab_model *model, struct lab_relation *relation,
                                   struct lab_unit *unit)
{
    struct lab_seat **at = &relation->seats;
    for (; *at != NULL; at = &(*at)->next) {
        if ((*at)->unit == unit) {
            return *at;
        }
    }
    struct lab_seat *seat = charm_arena_alloc(model->arena, sizeof(*seat));
    seat->unit = unit;
    seat->bag.values = charm_value_new_map(model->arena);
    *at = seat;
    return seat;
}

struct lab_view *lab_unit_view(const struct lab_unit *unit, const struct lab_relation *relation)
{
    for (struct lab_view *view = unit->views; view != NULL; view = view->next) {
        if (view->relation == relation) {
            return view;
        }
    }
    return NULL;
}

struct lab_member *lab_view_member(const struct lab_view *view, const struct lab_unit *unit)
{
    for (struct lab_member *member = view->members; member != NULL; member = member->next) {
        if (member->unit == unit) {
            return member;
        }
    }
    return NULL;
}

/* ---- bags and places ---- */

bool lab_bag_put(struct lab_bag *bag, const char *key, const char *value)
{
    const struct charm_value *old = charm_value_get(bag->values, key);
    if (value == NULL || value[0] == '\0') {
        charm_value_remove(bag->values, key);
        return old != NULL;
    }
    if (old != NULL && charmi_same(charm_text(old), value)) {
        return false;
    }
    charm_value_set_text(bag->values, key, value);
    return true;
}

/* The keys that Juju keeps in a unit's bag: contract 3.5. */
static bool put_addresses(struct lab_model *model, struct lab_seat *seat)
{
    char subnet[80];
    snprintf(subnet, sizeof(subnet), "%s/32", seat->unit->address);
    bool changed = lab_bag_put(&seat->bag, "ingress-address", seat->unit->address);
    changed = lab_bag_put(&seat->bag, "egress-subnets", subnet) || changed;
    if (!lab_model_at_least(model, 4, 0)) {
        changed = lab_bag_put(&seat->bag, "private-address", seat->unit->address) || changed;
    }
    return changed;
}

void lab_unit_set_address(struct lab_model *model, struct lab_unit *unit, const char *address)
{
    if (charmi_same(unit->address, address)) {
        return;
    }
    unit->address = charm_arena_copy(model->arena, address);
    for (struct lab_relation *relation = model->relations; relation != NULL;
         relation = relation->next) {
        for (struct lab_seat *seat = relation->seats; seat != NULL; seat = seat->next) {
            if (seat->unit == unit && seat->in_scope && put_addresses(model, seat)) {
                seat->bag.version++;
            }
        }
    }
}

void lab_unit_enter(struct lab_model *model, struct lab_unit *unit, struct lab_view *view)
{
    struct lab_seat *seat = lab_relation_seat(model, view->relation, unit);
    view->entered = true;
    seat->in_scope = true;
    seat->was_in_scope = true;
    put_addresses(model, seat);
    seat->bag.version++;
}

void lab_unit_leave(struct lab_model *model, struct lab_unit *unit, struct lab_view *view)
{
    view->over = true;
    view->owed = NULL;
    view->members = NULL;
    lab_relation_seat(model, view->relation, unit)->in_scope = false;
    lab_model_sweep(model);
}

/* ---- status ---- */

void lab_unit_set_status(struct lab_model *model, struct lab_unit *unit, const char *word,
                         const char *message)
{
    struct lab_status *status = &unit->status;
    if (!charmi_same(status->word, word)) {
        status->word = charm_arena_copy(model->arena, word);
        status->since_ms = model->now_ms;
    }
    if (!charmi_same(status->message, message)) {
        status->message = charm_arena_copy(model->arena, message);
        status->since_ms = model->now_ms;
    }
}

/* core/status in Juju: an application without a status of its own shows its worst unit's. */
static int severity(const char *word)
{
    static const char *const order[] = { "unknown", "terminated", "active", "maintenance",
                                         "waiting", "blocked",    "error",  NULL };
    for (int i = 0; order[i] != NULL; i++) {
        if (charmi_same(order[i], word)) {
            return i;
        }
    }
    return 0;
}

struct lab_status lab_application_status(const struct lab_application *app)
{
    if (app->status.word != NULL) {
        return app->status;
    }
    struct lab_status worst = { .word = "unknown", .message = "" };
    int height = -1;
    for (const struct lab_unit *unit = app->units; unit != NULL; unit = unit->next) {
        struct lab_status status = unit->status;
        if (unit->failure != NULL) {
            status.word = "error";
            status.message = unit->failure;
        }
        if (unit->life != LAB_DEAD && severity(status.word) > height) {
            height = severity(status.word);
            worst = status;
        }
    }
    return worst;
}

/* ---- leadership ---- */

static bool can_lead(const struct lab_unit *unit)
{
    return unit->life == LAB_ALIVE && !unit->lost;
}

void lab_model_elect(struct lab_model *model, struct lab_application *app, struct lab_unit *unit)
{
    (void)model;
    app->leader = unit != NULL && can_lead(unit) ? unit : NULL;
    for (struct lab_unit *next = app->units; next != NULL && app->leader == NULL;
         next = next->next) {
        app->leader = can_lead(next) ? next : NULL;
    }
}

void lab_model_lose_unit(struct lab_model *model, struct lab_unit *unit)
{
    unit->lost = true;
    if (unit->app->leader == unit) {
        lab_model_elect(model, unit->app, NULL);
    }
}

/* ---- applications and units ---- */

/* names.IsValidApplication of Juju: letters first; no part of digits alone. */
static bool valid_name(const char *name)
{
    bool letter = false;
    if (name[0] < 'a' || name[0] > 'z') {
        return false;
    }
    for (const char *c = name; *c != '\0'; c++) {
        if (*c == '-') {
            if (!letter) {
                return false;
            }
            letter = false;
        } else if (*c >= 'a' && *c <= 'z') {
            letter = true;
        } else if (*c < '0' || *c > '9') {
            return false;
        }
    }
    return letter;
}

static void copy_charm(struct lab_model *model, struct lab_charm *to, const struct lab_charm *from)
{
    struct charm_arena *arena = model->arena;
    to->name = charm_arena_copy(arena, from->name);
    to->metadata = charm_value_copy(arena, from->metadata);
    to->config = charm_value_copy(arena, from->config);
    to->actions = charm_value_copy(arena, from->actions);
}

int lab_model_add_unit(struct lab_model *model, struct lab_application *app,
                       struct lab_unit **ret_unit, struct charm_error *reterr)
{
    if (app->life != LAB_ALIVE) {
        return charm_error_set(reterr, CHARM_EREFUSED,
                               "cannot add unit to application \"%s\": it is not alive", app->name);
    }
    struct lab_unit *unit = charm_arena_alloc(model->arena, sizeof(*unit));
    unit->app = app;
    unit->number = app->next_unit++;
    unit->machine = model->next_machine++;
    unit->name = charm_arena_printf(model->arena, "%s/%d", app->name, unit->number);
    unit->address = "127.0.0.1";
    unit->leader_settings_seen = -1;
    unit->charm_seen = app->revision;
    unit->state = charm_value_new_map(model->arena);
    unit->queued.hook = LAB_INSTALL;
    unit->update_status_ms = model->now_ms + model->options.update_status_ms;
    lab_unit_set_status(model, unit, "waiting", "installing agent");
    struct lab_unit **end = &app->units;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = unit;
    if (app->leader == NULL) {
        app->leader = unit;
    }
    *ret_unit = unit;
    return 0;
}

/* Units of a name that was used before go on counting, as Juju's do. */
static int first_unit_number(const struct lab_model *model, const char *name)
{
    int number = 0;
    for (const struct lab_application *old = model->applications; old != NULL; old = old->next) {
        if (charmi_same(old->name, name) && old->next_unit > number) {
            number = old->next_unit;
        }
    }
    return number;
}

int lab_model_deploy(struct lab_model *model, const char *name, const struct lab_charm *charm,
                     int units, struct lab_application **ret_app, struct charm_error *reterr)
{
    if (!valid_name(name)) {
        return charm_error_set(reterr, CHARM_EINVAL, "invalid application name \"%s\"", name);
    }
    if (lab_model_app(model, name) != NULL) {
        return charm_error_set(reterr, CHARM_EREFUSED, "application \"%s\" already exists", name);
    }
    if (lab_charm_check(charm, reterr) != 0) {
        return charm_error_wrap(reterr, "deploy \"%s\"", name);
    }
    struct lab_application *app = charm_arena_alloc(model->arena, sizeof(*app));
    app->name = charm_arena_copy(model->arena, name);
    copy_charm(model, &app->charm, charm);
    app->config = charm_value_new_map(model->arena);
    app->leader_settings = charm_value_new_map(model->arena);
    app->next_unit = first_unit_number(model, name);
    struct lab_application **end = &model->applications;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = app;
    lab_model_make_peers(model, app);
    for (int i = 0; i < units; i++) {
        struct lab_unit *unit;
        CHARMI_IGNORE(lab_model_add_unit(model, app, &unit, NULL), "the application is alive");
    }
    *ret_app = app;
    return 0;
}

int lab_model_upgrade(struct lab_model *model, struct lab_application *app,
                      const struct lab_charm *charm, struct charm_error *reterr)
{
    if (lab_charm_check(charm, reterr) != 0) {
        return charm_error_wrap(reterr, "refresh \"%s\"", app->name);
    }
    copy_charm(model, &app->charm, charm);
    app->revision++;
    lab_model_make_peers(model, app);
    return 0;
}

static void fail_tasks(struct lab_model *model, const struct lab_unit *unit, const char *message)
{
    for (struct lab_task *task = model->tasks; task != NULL; task = task->next) {
        if (task->unit == unit && task->state < LAB_TASK_COMPLETED) {
            task->state = LAB_TASK_FAILED;
            task->message = message;
            task->completed_ms = model->now_ms;
        }
    }
}

void lab_unit_die(struct lab_model *model, struct lab_unit *unit)
{
    unit->life = LAB_DEAD;
    unit->failure = NULL;
    for (struct lab_view *view = unit->views; view != NULL; view = view->next) {
        view->over = true;
    }
    for (struct lab_relation *relation = model->relations; relation != NULL;
         relation = relation->next) {
        for (struct lab_seat *seat = relation->seats; seat != NULL; seat = seat->next) {
            if (seat->unit == unit) {
                seat->in_scope = false;
            }
        }
    }
    fail_tasks(model, unit, "unit removed");
    if (unit->app->leader == unit) {
        lab_model_elect(model, unit->app, NULL);
    }
    lab_model_sweep(model);
}

int lab_model_remove_unit(struct lab_model *model, struct lab_unit *unit, bool force,
                          struct charm_error *reterr)
{
    if (unit->life == LAB_DEAD) {
        return charm_error_set(reterr, CHARM_ENOTFOUND, "unit \"%s\" not found", unit->name);
    }
    unit->life = LAB_DYING;
    const bool untouched =
        !unit->installed && unit->running == NULL && unit->failed.hook == LAB_HOOK_NONE;
    if (force || untouched) {
        lab_unit_die(model, unit);
    }
    return 0;
}

int lab_model_remove_application(struct lab_model *model, struct lab_application *app,
                                 struct charm_error *reterr)
{
    app->life = LAB_DYING;
    for (struct lab_relation *relation = model->relations; relation != NULL;
         relation = relation->next) {
        if (relation->life == LAB_ALIVE && lab_relation_own(relation, app) != NULL &&
            !lab_relation_is_peer(relation)) {
            relation->life = LAB_DYING;
        }
    }
    for (struct lab_unit *unit = app->units; unit != NULL; unit = unit->next) {
        if (unit->life == LAB_ALIVE && lab_model_remove_unit(model, unit, false, reterr) != 0) {
            return charm_error_wrap(reterr, "remove application \"%s\"", app->name);
        }
    }
    lab_model_sweep(model);
    return 0;
}

static bool anybody_in(const struct lab_relation *relation)
{
    for (const struct lab_seat *seat = relation->seats; seat != NULL; seat = seat->next) {
        if (seat->in_scope) {
            return true;
        }
    }
    return false;
}

static bool has_units(const struct lab_application *app)
{
    for (const struct lab_unit *unit = app->units; unit != NULL; unit = unit->next) {
        if (unit->life != LAB_DEAD) {
            return true;
        }
    }
    return false;
}

static bool has_relations(struct lab_model *model, const struct lab_application *app)
{
    for (struct lab_relation *relation = model->relations; relation != NULL;
         relation = relation->next) {
        if (relation->life != LAB_DEAD && !lab_relation_is_peer(relation) &&
            lab_relation_own(relation, app) != NULL) {
            return true;
        }
    }
    return false;
}

void lab_model_sweep(struct lab_model *model)
{
    for (struct lab_relation *relation = model->relations; relation != NULL;
         relation = relation->next) {
        if (relation->life == LAB_DYING && !anybody_in(relation)) {
            relation->life = LAB_DEAD;
        }
    }
    for (struct lab_application *app = model->applications; app != NULL; app = app->next) {
        if (app->life == LAB_DYING && !has_units(app) && !has_relations(model, app)) {
            app->life = LAB_DEAD;
            for (struct lab_relation *peer = model->relations; peer != NULL; peer = peer->next) {
                if (lab_relation_is_peer(peer) && peer->side[0].app == app) {
                    peer->life = LAB_DEAD;
                }
            }
        }
    }
}

int lab_model_resolved(struct lab_model *model, struct lab_unit *unit, bool retry,
                       struct charm_error *reterr)
{
    if (unit->failed.hook == LAB_HOOK_NONE) {
        return charm_error_set(reterr, CHARM_EREFUSED,
                               "cannot set resolved mode for unit \"%s\": unit \"%s\" is not in an "
                               "error state",
                               unit->name, unit->name);
    }
    if (retry) {
        unit->retry_ms = model->now_ms;
        unit->retry_now = true;
        return 0;
    }
    const struct lab_event skipped = unit->failed;
    lab_unit_recover(unit);
    lab_event_succeeded(model, unit, &skipped);
    return 0;
}
