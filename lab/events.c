#include "lab/events.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "lab/model_internal.h"
#include "lab/secrets.h"

/* ---- names ---- */

static const char *const hook_names[] = {
    [LAB_HOOK_NONE] = "",
    [LAB_INSTALL] = "install",
    [LAB_START] = "start",
    [LAB_STOP] = "stop",
    [LAB_REMOVE] = "remove",
    [LAB_CONFIG_CHANGED] = "config-changed",
    [LAB_LEADER_ELECTED] = "leader-elected",
    [LAB_LEADER_SETTINGS_CHANGED] = "leader-settings-changed",
    [LAB_UPGRADE_CHARM] = "upgrade-charm",
    [LAB_UPDATE_STATUS] = "update-status",
    [LAB_SECRET_CHANGED] = "secret-changed",
    [LAB_RELATION_CREATED] = "relation-created",
    [LAB_RELATION_JOINED] = "relation-joined",
    [LAB_RELATION_CHANGED] = "relation-changed",
    [LAB_RELATION_DEPARTED] = "relation-departed",
    [LAB_RELATION_BROKEN] = "relation-broken",
    [LAB_TASK] = "juju-exec",
};

bool lab_event_is_relation(const struct lab_event *event)
{
    return event->hook >= LAB_RELATION_CREATED && event->hook <= LAB_RELATION_BROKEN;
}

const char *lab_event_name(struct charm_arena *arena, const struct lab_unit *unit,
                           const struct lab_event *event)
{
    if (event->hook == LAB_TASK && event->task->action != NULL) {
        return event->task->action;
    }
    if (lab_event_is_relation(event)) {
        return charm_arena_printf(arena, "%s-%s",
                                  lab_relation_own(event->relation, unit->app)->endpoint,
                                  hook_names[event->hook]);
    }
    return hook_names[event->hook];
}

/* ---- relations ---- */

/* The agent learns of new relations and enters them, all at once, before it looks for hooks of theirs. */
static void enter_relations(struct lab_model *model, struct lab_unit *unit)
{
    for (struct lab_relation *relation = model->relations; relation != NULL;
         relation = relation->next) {
        const bool unknown =
            lab_relation_is_peer(relation) && relation->revision > unit->charm_seen;
        if (relation->life != LAB_ALIVE || lab_relation_own(relation, unit->app) == NULL ||
            unknown || lab_unit_view(unit, relation) != NULL) {
            continue;
        }
        struct lab_view **end = &unit->views;
        while (*end != NULL) {
            end = &(*end)->next;
        }
        *end = charm_arena_alloc(model->arena, sizeof(**end));
        (*end)->relation = relation;
        lab_unit_enter(model, unit, *end);
    }
}

static struct lab_event relation_event(struct lab_unit *unit, struct lab_view *view,
                                       enum lab_hook hook)
{
    return (struct lab_event){
        .hook = hook,
        .relation = view->relation,
        .remote_app = lab_relation_other(view->relation, unit->app)->app,
    };
}

/* Is this seat a remote member for the unit? In a peer relation everybody but itself. */
static bool faces(const struct lab_seat *seat, const struct lab_unit *unit,
                  const struct lab_relation *relation)
{
    return seat->in_scope && seat->unit != unit &&
           (lab_relation_is_peer(relation) || seat->unit->app != unit->app);
}

static struct lab_seat *remote_seat(const struct lab_view *view, const struct lab_unit *remote)
{
    for (struct lab_seat *seat = view->relation->seats; seat != NULL; seat = seat->next) {
        if (seat->unit == remote) {
            return seat;
        }
    }
    return NULL;
}

static bool goes(const struct lab_unit *unit, const struct lab_view *view)
{
    return unit->life == LAB_DYING || view->relation->life == LAB_DYING;
}

/* relation-departed for members that are not there any more, or all when this side leaves. */
static bool departed_next(struct lab_unit *unit, struct lab_view *view, struct lab_event *ret)
{
    for (struct lab_member *member = view->members; member != NULL; member = member->next) {
        const struct lab_seat *seat = remote_seat(view, member->unit);
        const bool gone = seat == NULL || !seat->in_scope;
        if (member->joined && (gone || goes(unit, view))) {
            *ret = relation_event(unit, view, LAB_RELATION_DEPARTED);
            ret->remote = member->unit;
            ret->departing = gone || unit->life != LAB_DYING ? member->unit : unit;
            return true;
        }
    }
    return false;
}

static bool app_changed_next(struct lab_unit *unit, struct lab_view *view, struct lab_event *ret)
{
    const struct lab_side *other = lab_relation_other(view->relation, unit->app);
    if (other->bag.version <= view->app_seen) {
        return false;
    }
    *ret = relation_event(unit, view, LAB_RELATION_CHANGED);
    ret->version = other->bag.version;
    return true;
}

/* The lexicographically first remote unit that has not joined yet (contract 1.6, fine points). */
static bool joined_next(struct lab_unit *unit, struct lab_view *view, struct lab_event *ret)
{
    const struct lab_seat *first = NULL;
    for (const struct lab_seat *seat = view->relation->seats; seat != NULL; seat = seat->next) {
        if (!faces(seat, unit, view->relation)) {
            continue;
        }
        const struct lab_member *member = lab_view_member(view, seat->unit);
        if ((member == NULL || !member->joined) &&
            (first == NULL || strcmp(seat->unit->name, first->unit->name) < 0)) {
            first = seat;
        }
    }
    if (first == NULL) {
        return false;
    }
    *ret = relation_event(unit, view, LAB_RELATION_JOINED);
    ret->remote = first->unit;
    ret->version = first->bag.version;
    return true;
}

static bool unit_changed_next(struct lab_unit *unit, struct lab_view *view, struct lab_event *ret)
{
    for (struct lab_member *member = view->members; member != NULL; member = member->next) {
        const struct lab_seat *seat = remote_seat(view, member->unit);
        if (member->joined && seat->bag.version > member->seen) {
            *ret = relation_event(unit, view, LAB_RELATION_CHANGED);
            ret->remote = member->unit;
            ret->version = seat->bag.version;
            return true;
        }
    }
    return false;
}

static bool owed_next(struct lab_unit *unit, struct lab_view *view, struct lab_event *ret)
{
    if (view->owed == NULL) {
        return false;
    }
    *ret = relation_event(unit, view, LAB_RELATION_CHANGED);
    ret->remote = view->owed;
    ret->version = remote_seat(view, view->owed)->bag.version;
    return true;
}

static bool relation_next(struct lab_unit *unit, struct lab_view *view, struct lab_event *ret)
{
    if (owed_next(unit, view, ret) || departed_next(unit, view, ret)) {
        return true;
    }
    if (goes(unit, view)) {
        if (lab_relation_is_peer(view->relation)) {
            return false;
        }
        *ret = relation_event(unit, view, LAB_RELATION_BROKEN);
        return true;
    }
    return app_changed_next(unit, view, ret) || joined_next(unit, view, ret) ||
           unit_changed_next(unit, view, ret);
}

static bool created_next(struct lab_unit *unit, struct lab_event *ret)
{
    for (struct lab_view *view = unit->views; view != NULL; view = view->next) {
        if (!view->over && !view->created && view->relation->life == LAB_ALIVE) {
            *ret = relation_event(unit, view, LAB_RELATION_CREATED);
            return true;
        }
    }
    return false;
}

/* The order between relations is random in Juju (map iteration); with seed 0 it is that of their ids. */
static bool relations_next(struct lab_model *model, struct lab_unit *unit, struct lab_event *ret)
{
    uint64_t with_event = 0;
    bool found = false;
    for (struct lab_view *view = unit->views; view != NULL; view = view->next) {
        struct lab_event event;
        if (view->over || !relation_next(unit, view, &event)) {
            continue;
        }
        with_event++;
        if (!found || (model->options.seed != 0 && lab_model_random(model, with_event) == 0)) {
            *ret = event;
            found = true;
        }
        if (model->options.seed == 0) {
            return true;
        }
    }
    return found;
}

/* ---- the chain ---- */

static bool simple(enum lab_hook hook, struct lab_event *ret)
{
    *ret = (struct lab_event){ .hook = hook };
    return true;
}

static bool task_next(const struct lab_model *model, const struct lab_unit *unit, bool commands,
                      struct lab_event *ret)
{
    for (struct lab_task *task = model->tasks; task != NULL; task = task->next) {
        if (task->unit == unit && task->state == LAB_TASK_PENDING &&
            (commands || task->action != NULL)) {
            *ret = (struct lab_event){ .hook = LAB_TASK, .task = task };
            return true;
        }
    }
    return false;
}

static bool leadership_next(struct lab_model *model, struct lab_unit *unit, struct lab_event *ret)
{
    const bool leads = unit->app->leader == unit;
    if (leads && !unit->leads && unit->life == LAB_ALIVE) {
        unit->leads = true;
        unit->leader_settings_seen = unit->app->leader_settings_version;
        unit->queued = (struct lab_event){ .hook = LAB_LEADER_ELECTED };
        return simple(LAB_LEADER_ELECTED, ret);
    }
    if (!leads) {
        unit->leads = false; /* and nothing tells the charm */
    }
    if (!leads && unit->life == LAB_ALIVE && !lab_model_at_least(model, 4, 0) &&
        unit->leader_settings_seen != unit->app->leader_settings_version) {
        return simple(LAB_LEADER_SETTINGS_CHANGED, ret);
    }
    return false;
}

/* What config-changed reports: options and addresses, as one text that can be compared. */
static const char *config_text(struct charm_arena *arena, const struct lab_unit *unit)
{
    return charm_arena_printf(arena, "%s %s", unit->address,
                              charm_value_render(arena,
                                                 lab_application_options(arena, unit->app, false),
                                                 CHARM_JSON_SORTED));
}

static bool config_next(struct lab_model *model, struct lab_unit *unit, struct lab_event *ret)
{
    struct charm_arena *scratch = charm_arena_new();
    const char *config = config_text(scratch, unit);
    const bool differs = !charmi_same(config, unit->config_seen);
    if (differs) {
        *ret = (struct lab_event){ .hook = LAB_CONFIG_CHANGED,
                                   .config = charm_arena_copy(model->arena, config) };
    }
    charm_arena_free(scratch);
    return differs;
}

static bool update_status_next(const struct lab_model *model, const struct lab_unit *unit,
                               struct lab_event *ret)
{
    const bool due = model->options.update_status_ms > 0 && model->now_ms >= unit->update_status_ms;
    return unit->started && (unit->update_status_wanted || due) && simple(LAB_UPDATE_STATUS, ret);
}

static bool dying_next(struct lab_model *model, struct lab_unit *unit, struct lab_event *ret)
{
    if (relations_next(model, unit, ret)) {
        return true;
    }
    for (struct lab_view *view = unit->views; view != NULL; view = view->next) {
        if (!view->over) {
            lab_unit_leave(model, unit, view); /* a peer relation: no broken */
        }
    }
    return simple(unit->stopped ? LAB_REMOVE : LAB_STOP, ret);
}

static bool failed_next(struct lab_model *model, struct lab_unit *unit, struct lab_event *ret)
{
    if (task_next(model, unit, false, ret)) {
        return true;
    }
    const bool by_itself = !model->options.no_retry && model->now_ms >= unit->retry_ms;
    if (!by_itself && !unit->retry_now) {
        return false;
    }
    *ret = unit->failed;
    return true;
}

/* leader-elected is dropped when leadership went away in between (contract 1.6). */
static void drop_stale(struct lab_unit *unit)
{
    if (unit->queued.hook == LAB_LEADER_ELECTED && unit->app->leader != unit) {
        unit->queued = (struct lab_event){ 0 };
        unit->leads = false;
    }
}

bool lab_event_next(struct lab_model *model, struct lab_unit *unit, struct lab_event *ret)
{
    if (unit->running != NULL || unit->lost || unit->life == LAB_DEAD) {
        return false;
    }
    if (unit->failed.hook != LAB_HOOK_NONE) {
        return failed_next(model, unit, ret);
    }
    drop_stale(unit);
    if (unit->queued.hook != LAB_HOOK_NONE) {
        *ret = unit->queued;
        return true;
    }
    if (unit->life == LAB_DYING) {
        return task_next(model, unit, true, ret) || dying_next(model, unit, ret);
    }
    enter_relations(model, unit);
    if (created_next(unit, ret) || leadership_next(model, unit, ret) ||
        (unit->started && lab_secret_news(model, unit, ret)) || task_next(model, unit, true, ret)) {
        return true;
    }
    if (unit->charm_seen != unit->app->revision) {
        return simple(LAB_UPGRADE_CHARM, ret);
    }
    return config_next(model, unit, ret) || relations_next(model, unit, ret) ||
           update_status_next(model, unit, ret);
}

int64_t lab_event_due_ms(const struct lab_model *model, const struct lab_unit *unit)
{
    if (unit->life == LAB_DEAD || unit->lost) {
        return INT64_MAX;
    }
    if (unit->failed.hook != LAB_HOOK_NONE) {
        return model->options.no_retry ? INT64_MAX : unit->retry_ms;
    }
    return model->options.update_status_ms > 0 ? unit->update_status_ms : INT64_MAX;
}

/* ---- afterwards ---- */

static struct lab_member *member_for(struct lab_model *model, struct lab_view *view,
                                     struct lab_unit *remote)
{
    struct lab_member **at = &view->members;
    while (*at != NULL && strcmp((*at)->unit->name, remote->name) < 0) {
        at = &(*at)->next;
    }
    if (*at != NULL && (*at)->unit == remote) {
        return *at;
    }
    struct lab_member *member = charm_arena_alloc(model->arena, sizeof(*member));
    member->unit = remote;
    member->next = *at;
    *at = member;
    return member;
}

static void forget_member(struct lab_view *view, const struct lab_unit *remote)
{
    for (struct lab_member **at = &view->members; *at != NULL; at = &(*at)->next) {
        if ((*at)->unit == remote) {
            *at = (*at)->next;
            return;
        }
    }
}

static void note_relation(struct lab_model *model, struct lab_unit *unit,
                          const struct lab_event *event)
{
    struct lab_view *view = lab_unit_view(unit, event->relation);
    if (view == NULL || view->over) {
        return;
    }
    switch (event->hook) {
    case LAB_RELATION_CREATED:
        view->created = true;
        break;
    case LAB_RELATION_JOINED: {
        struct lab_member *member = member_for(model, view, event->remote);
        member->joined = true;
        member->seen = event->version;
        view->owed = event->remote;
        break;
    }
    case LAB_RELATION_CHANGED:
        if (event->remote == NULL) {
            view->app_seen = event->version;
            break;
        }
        if (view->owed == event->remote) {
            view->owed = NULL;
        }
        member_for(model, view, event->remote)->seen = event->version;
        break;
    case LAB_RELATION_DEPARTED:
        forget_member(view, event->remote);
        break;
    case LAB_RELATION_BROKEN:
        lab_unit_leave(model, unit, view);
        break;
    default:
        break;
    }
}

static void note_start(struct lab_model *model, struct lab_unit *unit)
{
    unit->started = true;
    if (!unit->status.by_charm) {
        lab_unit_set_status(model, unit, "unknown", ""); /* contract 1.7 */
    }
}

void lab_event_succeeded(struct lab_model *model, struct lab_unit *unit,
                         const struct lab_event *event)
{
    if (unit->queued.hook == event->hook) {
        unit->queued = (struct lab_event){ 0 };
    }
    switch (event->hook) {
    case LAB_INSTALL:
        unit->installed = true;
        break;
    case LAB_CONFIG_CHANGED:
        unit->config_seen = event->config;
        if (!unit->started) {
            unit->queued = (struct lab_event){ .hook = LAB_START };
        }
        break;
    case LAB_START:
        note_start(model, unit);
        break;
    case LAB_UPGRADE_CHARM:
        unit->config_seen = NULL; /* config-changed follows: contract 1.6 */
        break;
    case LAB_LEADER_SETTINGS_CHANGED:
        unit->leader_settings_seen = unit->app->leader_settings_version;
        break;
    case LAB_UPDATE_STATUS:
        unit->update_status_wanted = false;
        unit->update_status_ms = model->now_ms + model->options.update_status_ms;
        break;
    case LAB_SECRET_CHANGED:
        lab_secret_told(model, unit, event);
        break;
    case LAB_STOP:
        unit->stopped = true;
        lab_unit_set_status(model, unit, "maintenance", "");
        break;
    case LAB_REMOVE:
        lab_unit_set_status(model, unit, "terminated", "");
        lab_unit_die(model, unit);
        break;
    default:
        note_relation(model, unit, event);
        break;
    }
}

void lab_unit_recover(struct lab_unit *unit)
{
    unit->failed = (struct lab_event){ 0 };
    unit->failures = 0;
    unit->retry_now = false;
    unit->failure = NULL;
}

/* Contract 2.4: from 5 s, doubling, with jitter, up to 5 min apart. */
static int64_t retry_delay(struct lab_model *model, int failures)
{
    int64_t delay = 5000;
    for (int i = 1; i < failures && delay < 300000; i++) {
        delay *= 2;
    }
    delay = delay < 300000 ? delay : 300000;
    if (model->options.seed != 0) {
        delay += (int64_t)lab_model_random(model, (uint64_t)delay / 5) - delay / 10;
    }
    return delay;
}

void lab_event_failed(struct lab_model *model, struct lab_unit *unit, const struct lab_event *event)
{
    unit->queued = (struct lab_event){ 0 };
    unit->failed = *event;
    unit->failures++;
    unit->retry_now = false;
    unit->retry_ms = model->now_ms + retry_delay(model, unit->failures);
    unit->failure = charm_arena_printf(model->arena, "hook failed: \"%s\"",
                                       lab_event_name(model->arena, unit, event));
}

void lab_event_again(struct lab_unit *unit, const struct lab_event *event)
{
    unit->queued = *event;
}
