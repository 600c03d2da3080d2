/* What is shown of the lab: the status as juju status --format json has it, a unit with its bags, a task. */
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/text.h"
#include "lab/app.h"
#include "lab/daemon.h"

bool lab_unit_idle(struct lab_daemon *daemon, struct lab_unit *unit)
{
    struct lab_event event;
    return unit->running == NULL && !lab_event_next(daemon->model, unit, &event);
}

static const char *time_text(struct charm_arena *arena, int64_t ms)
{
    const time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    char text[40];
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return charm_arena_copy(arena, text);
}

static void put_status(struct charm_arena *arena, struct charm_value *map, const char *key,
                       const struct lab_status *status)
{
    struct charm_value *shown = charm_value_add_map(map, key);
    charm_value_set_text(shown, "current", status->word);
    if (!charmi_blank(status->message)) {
        charm_value_set_text(shown, "message", status->message);
    }
    charm_value_set_text(shown, "since", time_text(arena, status->since_ms));
}

static struct lab_status agent_status(struct lab_daemon *daemon, struct lab_unit *unit)
{
    struct lab_status status = { .word = "idle", .since_ms = daemon->model->now_ms };
    if (unit->lost) {
        status.word = "lost";
        status.message = "agent is not communicating with the server";
    } else if (unit->running != NULL) {
        const bool task = unit->running->event.hook == LAB_TASK;
        status.word = "executing";
        status.message = charm_arena_printf(unit->running->arena, "running %s %s",
                                            unit->running->name, task ? "action" : "hook");
    } else if (unit->failure == NULL && !lab_unit_idle(daemon, unit)) {
        status.word = unit->installed ? "executing" : "allocating";
    }
    return status;
}

/* While a hook is in error Juju shows that as the unit's status. */
static struct lab_status workload_status(const struct lab_unit *unit)
{
    if (unit->failure == NULL) {
        return unit->status;
    }
    return (struct lab_status){ .word = "error",
                                .message = unit->failure,
                                .since_ms = unit->status.since_ms };
}

static void put_ports(struct charm_arena *arena, struct charm_value *map,
                      const struct lab_unit *unit)
{
    struct charm_value *list = unit->ports == NULL ? NULL : charm_value_add_list(map, "open-ports");
    for (const struct lab_port *port = unit->ports; port != NULL; port = port->next) {
        charm_value_append_text(
            list,
            port->from < 0 ? "icmp"
            : port->from == port->to
                ? charm_arena_printf(arena, "%d/%s", port->from, port->protocol)
                : charm_arena_printf(arena, "%d-%d/%s", port->from, port->to, port->protocol));
    }
}

static struct charm_value *unit_status(struct lab_daemon *daemon, struct charm_arena *arena,
                                       struct lab_unit *unit)
{
    struct charm_value *map = charm_value_new_map(arena);
    const struct lab_status workload = workload_status(unit);
    const struct lab_status agent = agent_status(daemon, unit);
    put_status(arena, map, "workload-status", &workload);
    put_status(arena, map, "juju-status", &agent);
    charm_value_setf(map, "machine", "%d", unit->machine);
    charm_value_set_text(map, "public-address", unit->address);
    put_ports(arena, map, unit);
    if (unit->app->leader == unit) {
        charm_value_set_bool(map, "leader", true);
    }
    if (unit->life == LAB_DYING) {
        charm_value_set_text(map, "life", "dying");
    }
    return map;
}

static void put_relations(struct lab_daemon *daemon, struct charm_arena *arena,
                          struct charm_value *app_map, const struct lab_application *app)
{
    struct charm_value *relations = charm_value_new_map(arena);
    for (struct lab_relation *relation = daemon->model->relations; relation != NULL;
         relation = relation->next) {
        const struct lab_side *own = lab_relation_own(relation, app);
        if (relation->life == LAB_DEAD || own == NULL) {
            continue;
        }
        const struct lab_side *other = lab_relation_other(relation, app);
        struct charm_value *list =
            (struct charm_value *)(uintptr_t)charm_value_get(relations, own->endpoint);
        if (list == NULL) {
            list = charm_value_add_list(relations, own->endpoint);
        }
        struct charm_value *entry = charm_value_append_map(list);
        charm_value_set_text(entry, "related-application", other->app->name);
        charm_value_set_text(entry, "interface", own->interface);
    }
    if (charm_value_size(relations) > 0) {
        charm_value_set(app_map, "relations", relations);
    }
}

static void put_application(struct lab_daemon *daemon, struct charm_arena *arena,
                            struct charm_value *applications, struct lab_application *app)
{
    struct charm_value *map = charm_value_add_map(applications, app->name);
    const bool inside = lab_app_driver(app) != NULL;
    const struct lab_status status = lab_application_status(app);
    charm_value_set_text(map, "charm", inside ? lab_app_driver(app)->name : app->charm.name);
    charm_value_set_text(map, "charm-origin", inside ? "lab" : "local");
    charm_value_set_int(map, "charm-rev", app->revision);
    if (app->version != NULL) {
        charm_value_set_text(map, "version", app->version);
    }
    if (app->life == LAB_DYING) {
        charm_value_set_text(map, "life", "dying");
    }
    put_status(arena, map, "application-status", &status);
    put_relations(daemon, arena, map, app);
    struct charm_value *units = charm_value_add_map(map, "units");
    for (struct lab_unit *unit = app->units; unit != NULL; unit = unit->next) {
        if (unit->life != LAB_DEAD) {
            charm_value_set(units, unit->name, unit_status(daemon, arena, unit));
        }
    }
}

static const char *role_text(const struct lab_relation *relation)
{
    return lab_relation_is_peer(relation) ? "peer" : "regular";
}

static void put_relation_table(struct lab_daemon *daemon, struct charm_arena *arena,
                               struct charm_value *map)
{
    struct charm_value *list = charm_value_add_list(map, "relations");
    for (struct lab_relation *relation = daemon->model->relations; relation != NULL;
         relation = relation->next) {
        if (relation->life == LAB_DEAD) {
            continue;
        }
        const struct lab_side *provider = &relation->side[0];
        const struct lab_side *requirer = &relation->side[relation->sides - 1];
        struct charm_value *entry = charm_value_append_map(list);
        charm_value_set_int(entry, "id", relation->id);
        charm_value_set_text(
            entry, "provider",
            charm_arena_printf(arena, "%s:%s", provider->app->name, provider->endpoint));
        charm_value_set_text(
            entry, "requirer",
            charm_arena_printf(arena, "%s:%s", requirer->app->name, requirer->endpoint));
        charm_value_set_text(entry, "interface", provider->interface);
        charm_value_set_text(entry, "type", role_text(relation));
        charm_value_set_text(entry, "life", relation->life == LAB_DYING ? "dying" : "alive");
    }
}

struct charm_value *lab_report_status(struct lab_daemon *daemon, struct charm_arena *arena)
{
    const struct lab_model *model = daemon->model;
    struct charm_value *status = charm_value_new_map(arena);
    struct charm_value *head = charm_value_add_map(status, "model");
    charm_value_set_text(head, "name", model->options.name);
    charm_value_set_text(head, "type", "iaas");
    charm_value_set_text(head, "controller", "lab");
    charm_value_set_text(head, "cloud", "here");
    charm_value_set_text(head, "version", model->options.juju_version);
    charm_value_set_text(head, "network", daemon->network);
    struct charm_value *applications = charm_value_add_map(status, "applications");
    for (struct lab_application *app = model->applications; app != NULL; app = app->next) {
        if (app->life != LAB_DEAD) {
            put_application(daemon, arena, applications, app);
        }
    }
    put_relation_table(daemon, arena, status);
    struct charm_value *controller = charm_value_add_map(status, "controller");
    charm_value_set_text(controller, "timestamp", time_text(arena, lab_clock_ms()));
    charm_value_set_int(controller, "idle-ms", lab_steady_us() / 1000 - daemon->busy_ms);
    return status;
}

/* ---- show-unit ---- */

static struct charm_value *relation_info(struct charm_arena *arena, struct lab_unit *unit,
                                         struct lab_relation *relation)
{
    const struct lab_side *own = lab_relation_own(relation, unit->app);
    const struct lab_side *other = lab_relation_other(relation, unit->app);
    struct charm_value *info = charm_value_new_map(arena);
    charm_value_set_int(info, "relation-id", relation->id);
    charm_value_set_text(info, "endpoint", own->endpoint);
    charm_value_set_text(info, "related-endpoint", other->endpoint);
    charm_value_set(info, "application-data", charm_value_copy(arena, other->bag.values));
    charm_value_set(info, "own-application-data", charm_value_copy(arena, own->bag.values));
    struct charm_value *units = charm_value_add_map(info, "related-units");
    for (const struct lab_seat *seat = relation->seats; seat != NULL; seat = seat->next) {
        if (seat->unit == unit) {
            charm_value_set(info, "local-unit-data", charm_value_copy(arena, seat->bag.values));
        } else if (seat->was_in_scope &&
                   (seat->unit->app != unit->app || lab_relation_is_peer(relation))) {
            struct charm_value *entry = charm_value_add_map(units, seat->unit->name);
            charm_value_set_bool(entry, "in-scope", seat->in_scope);
            charm_value_set(entry, "data", charm_value_copy(arena, seat->bag.values));
        }
    }
    return info;
}

struct charm_value *lab_report_unit(struct lab_daemon *daemon, struct charm_arena *arena,
                                    struct lab_unit *unit)
{
    struct charm_value *map = charm_value_new_map(arena);
    charm_value_setf(map, "machine", "%d", unit->machine);
    charm_value_set_text(map, "public-address", unit->address);
    charm_value_set_text(map, "charm", unit->app->charm.name);
    charm_value_set_bool(map, "leader", unit->app->leader == unit);
    charm_value_set_text(map, "life",
                         unit->life == LAB_ALIVE   ? "alive"
                         : unit->life == LAB_DYING ? "dying"
                                                   : "dead");
    put_ports(arena, map, unit);
    struct charm_value *relations = charm_value_add_list(map, "relation-info");
    for (struct lab_relation *relation = daemon->model->relations; relation != NULL;
         relation = relation->next) {
        if (relation->life != LAB_DEAD && lab_relation_own(relation, unit->app) != NULL) {
            charm_value_append(relations, relation_info(arena, unit, relation));
        }
    }
    charm_value_set(map, "state", charm_value_copy(arena, unit->state));
    struct charm_value *top = charm_value_new_map(arena);
    charm_value_set(top, unit->name, map);
    return top;
}

/* ---- tasks ---- */

struct charm_value *lab_report_task(struct charm_arena *arena, const struct lab_task *task)
{
    static const char *const words[] = {
        [LAB_TASK_PENDING] = "pending",
        [LAB_TASK_RUNNING] = "running",
        [LAB_TASK_COMPLETED] = "completed",
        [LAB_TASK_FAILED] = "failed",
    };
    struct charm_value *map = charm_value_new_map(arena);
    charm_value_setf(map, "id", "%d", task->id);
    charm_value_set_text(map, "unit", task->unit->name);
    charm_value_set_text(map, "status", words[task->state]);
    if (!charmi_blank(task->message)) {
        charm_value_set_text(map, "message", task->message);
    }
    if (charm_value_size(task->log) > 0) {
        charm_value_set(map, "log", charm_value_copy(arena, task->log));
    }
    charm_value_set(map, "results", charm_value_copy(arena, task->results));
    struct charm_value *timing = charm_value_add_map(map, "timing");
    charm_value_set_text(timing, "enqueued", time_text(arena, task->enqueued_ms));
    charm_value_set_text(timing, "started", time_text(arena, task->started_ms));
    charm_value_set_text(timing, "completed", time_text(arena, task->completed_ms));
    return map;
}
