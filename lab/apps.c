/* Applications inside the lab: drivers get their events as charms do, and write as charms may. */
#include "lab/app.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/text.h"
#include "lab/daemon.h"

struct lab_app {
    struct lab_daemon *daemon;
    struct lab_application *application;
    const struct lab_driver *driver; /* NULL: a charm */
    const char *stored;              /* where the charm lies */
    const char *dir;
    void *state;
    bool started;
    bool failed;
    bool stopped;
    struct charm_arena *scratch; /* of the running callback, or NULL */
};

struct lab_app *lab_app_new(struct lab_daemon *daemon, struct lab_application *application,
                            const struct lab_driver *driver, const char *stored)
{
    struct lab_app *app = charm_arena_alloc(daemon->arena, sizeof(*app));
    app->daemon = daemon;
    app->application = application;
    app->driver = driver;
    app->stored = stored;
    app->dir = charm_arena_printf(daemon->arena, "%s/apps/%s-%d", daemon->dir, application->name,
                                  application->next_unit);
    application->userdata = app;
    return app;
}

static struct lab_app *app_of(const struct lab_application *application)
{
    return application->userdata;
}

const struct lab_driver *lab_app_driver(const struct lab_application *application)
{
    return app_of(application)->driver;
}

const char *lab_app_charm(const struct lab_application *application)
{
    return app_of(application)->stored;
}

void lab_app_set_charm(struct lab_application *application, const char *stored)
{
    app_of(application)->stored = stored;
}

/* ---- callbacks ---- */

static void enter(struct lab_app *app)
{
    app->scratch = charm_arena_new();
}

static void leave(struct lab_app *app)
{
    charm_arena_free(app->scratch);
    app->scratch = NULL;
}

static int start_driver(struct lab_app *app, struct charm_error *reterr)
{
    if (mkdir(app->dir, 0700) != 0 && errno != EEXIST) {
        return charm_error_os(reterr, errno, "make directory %s", app->dir);
    }
    app->started = true;
    const int code = app->driver->start(app, reterr);
    app->failed = code != 0;
    return code;
}

static int install(struct lab_app *app, const char *unit, struct charm_error *reterr)
{
    if (!app->started) {
        const int code = start_driver(app, reterr);
        if (code != 0) {
            return code;
        }
    }
    return app->failed || app->driver->unit_added == NULL
               ? 0
               : app->driver->unit_added(app, unit, reterr);
}

static int deliver_relation(struct lab_app *app, const struct lab_unit *unit,
                            const struct lab_event *event, struct charm_error *reterr)
{
    const struct lab_driver *driver = app->driver;
    const char *relation = charm_arena_printf(
        app->scratch, "%s:%d", lab_relation_own(event->relation, unit->app)->endpoint,
        event->relation->id);
    const char *remote = event->remote == NULL ? NULL : event->remote->name;
    switch (event->hook) {
    case LAB_RELATION_JOINED:
        return driver->relation_joined == NULL
                   ? 0
                   : driver->relation_joined(app, unit->name, relation, remote, reterr);
    case LAB_RELATION_CHANGED:
        return driver->relation_changed == NULL
                   ? 0
                   : driver->relation_changed(app, unit->name, relation, remote, reterr);
    case LAB_RELATION_DEPARTED:
        return driver->relation_departed == NULL
                   ? 0
                   : driver->relation_departed(app, unit->name, relation, remote, reterr);
    case LAB_RELATION_BROKEN:
        return driver->relation_broken == NULL
                   ? 0
                   : driver->relation_broken(app, unit->name, relation, reterr);
    default:
        return 0;
    }
}

static int deliver(struct lab_app *app, const struct lab_unit *unit, const struct lab_event *event,
                   struct charm_error *reterr)
{
    const struct lab_driver *driver = app->driver;
    if (event->hook == LAB_INSTALL) {
        return install(app, unit->name, reterr);
    }
    if (app->failed) {
        return 0;
    }
    if (lab_event_is_relation(event)) {
        return deliver_relation(app, unit, event, reterr);
    }
    if (event->hook == LAB_CONFIG_CHANGED && driver->config_changed != NULL) {
        return driver->config_changed(app, reterr);
    }
    if (event->hook == LAB_REMOVE && driver->unit_removed != NULL) {
        return driver->unit_removed(app, unit->name, reterr);
    }
    return 0;
}

bool lab_app_step(struct lab_daemon *daemon, struct lab_unit *unit)
{
    struct lab_app *app = app_of(unit->app);
    struct lab_event event;
    if (!lab_event_next(daemon->model, unit, &event)) {
        return false;
    }
    struct lab_context *context = lab_context_begin(daemon->model, unit, &event);
    if (event.hook == LAB_TASK) {
        context->action_failed = true;
        context->action_message = "an application inside the lab runs no actions or commands";
        CHARMI_IGNORE(lab_context_end(context, LAB_EXITED, 0, NULL), "the task says it");
        return true;
    }
    struct charm_error error = { 0 };
    enter(app);
    const int code = deliver(app, unit, &event, &error);
    leave(app);
    if (code != 0) {
        lab_unit_set_status(daemon->model, unit, "blocked", error.text);
        unit->status.by_charm = true;
        lab_journal_add(daemon, unit->name, "ERROR", "lab.app", error.text);
    }
    CHARMI_IGNORE(lab_context_end(context, LAB_EXITED, 0, &error), "nothing is buffered here");
    return true;
}

static bool alive(const struct lab_app *app)
{
    return app != NULL && app->driver != NULL && app->started && !app->stopped;
}

void lab_app_tick(struct lab_daemon *daemon, struct lab_application *application)
{
    struct lab_app *app = app_of(application);
    if (!alive(app)) {
        return;
    }
    if (application->life == LAB_DEAD) {
        lab_app_stop(daemon, application);
    } else if (!app->failed && app->driver->tick != NULL) {
        enter(app);
        app->driver->tick(app);
        leave(app);
    }
}

int lab_app_apply(struct lab_application *application, const struct charm_value *manifest,
                  struct charm_error *reterr)
{
    struct lab_app *app = app_of(application);
    if (!alive(app) || app->failed || app->driver->apply == NULL) {
        return charm_error_set(reterr, CHARM_EINVAL, "\"%s\" runs no Kubernetes",
                               application->name);
    }
    enter(app);
    const int code = app->driver->apply(app, manifest, reterr);
    leave(app);
    return code;
}

void lab_app_stop(struct lab_daemon *daemon, struct lab_application *application)
{
    (void)daemon;
    struct lab_app *app = app_of(application);
    if (alive(app)) {
        app->stopped = true;
        enter(app);
        app->driver->stop(app);
        leave(app);
    }
}

/* ---- who and where ---- */

const char *lab_app_name(const struct lab_app *app)
{
    return app->application->name;
}

const char *lab_app_model(const struct lab_app *app)
{
    return app->daemon->model->options.name;
}

const char *lab_app_dir(const struct lab_app *app)
{
    return app->dir;
}

const char *lab_app_setting(const struct lab_app *app, const char *name)
{
    const struct charm_value *value = charm_value_get(app->daemon->options->settings, name);
    return value == NULL ? NULL : charm_text(value);
}

int64_t lab_app_now_ms(const struct lab_app *app)
{
    (void)app;
    return lab_steady_us() / 1000;
}

struct charm_arena *lab_app_arena(struct lab_app *app)
{
    return app->scratch;
}

void *lab_app_state(const struct lab_app *app)
{
    return app->state;
}

void lab_app_state_set(struct lab_app *app, void *state)
{
    app->state = state;
}

/* ---- what Juju knows ---- */

const struct charm_value *lab_app_config(struct lab_app *app, const char *option)
{
    return charm_value_get(lab_application_options(app->scratch, app->application, false), option);
}

const struct charm_value *lab_app_units(struct lab_app *app)
{
    struct charm_value *list = charm_value_new_list(app->scratch);
    for (const struct lab_unit *unit = app->application->units; unit != NULL; unit = unit->next) {
        if (unit->life != LAB_DEAD) {
            charm_value_append_text(list, unit->name);
        }
    }
    return list;
}

const struct charm_value *lab_app_relations(struct lab_app *app, const char *endpoint)
{
    struct charm_value *list = charm_value_new_list(app->scratch);
    for (struct lab_relation *relation = app->daemon->model->relations; relation != NULL;
         relation = relation->next) {
        const struct lab_side *side = lab_relation_own(relation, app->application);
        if (relation->life == LAB_ALIVE && side != NULL && charmi_same(side->endpoint, endpoint)) {
            charm_value_append_text(
                list, charm_arena_printf(app->scratch, "%s:%d", endpoint, relation->id));
        }
    }
    return list;
}

static struct lab_relation *find_relation(const struct lab_app *app, const char *text)
{
    const char *colon = strrchr(text, ':');
    int64_t id;
    if (!charmi_parse_int(colon == NULL ? text : colon + 1, 0, INT32_MAX, &id)) {
        return NULL;
    }
    struct lab_relation *relation = lab_model_relation(app->daemon->model, (int)id);
    return relation != NULL && lab_relation_own(relation, app->application) != NULL ? relation
                                                                                    : NULL;
}

const struct charm_value *lab_app_remote_units(struct lab_app *app, const char *relation_id)
{
    struct charmi_words names = { 0 };
    const struct lab_relation *relation = find_relation(app, relation_id);
    for (const struct lab_seat *seat = relation == NULL ? NULL : relation->seats; seat != NULL;
         seat = seat->next) {
        if (seat->in_scope && seat->unit->app != app->application) {
            charmi_words_add(app->scratch, &names, seat->unit->name);
        }
    }
    charmi_words_sort(&names);
    struct charm_value *list = charm_value_new_list(app->scratch);
    for (size_t i = 0; i < names.size; i++) {
        charm_value_append_text(list, names.at[i]);
    }
    return list;
}

const char *lab_app_remote_app(struct lab_app *app, const char *relation_id)
{
    struct lab_relation *relation = find_relation(app, relation_id);
    return relation == NULL ? "" : lab_relation_other(relation, app->application)->app->name;
}

static const struct charm_value *bag_of(struct lab_app *app, const char *relation_id,
                                        const char *unit, bool own)
{
    struct lab_relation *relation = find_relation(app, relation_id);
    if (relation == NULL) {
        return charm_value_new_map(app->scratch);
    }
    if (unit == NULL) {
        const struct lab_side *side = own ? lab_relation_own(relation, app->application)
                                          : lab_relation_other(relation, app->application);
        return charm_value_copy(app->scratch, side->bag.values);
    }
    for (const struct lab_seat *seat = relation->seats; seat != NULL; seat = seat->next) {
        if (charmi_same(seat->unit->name, unit)) {
            return charm_value_copy(app->scratch, seat->bag.values);
        }
    }
    return charm_value_new_map(app->scratch);
}

const struct charm_value *lab_app_remote_bag(struct lab_app *app, const char *relation,
                                             const char *unit)
{
    return bag_of(app, relation, unit, false);
}

const struct charm_value *lab_app_own_bag(struct lab_app *app, const char *relation,
                                          const char *unit)
{
    return bag_of(app, relation, unit, true);
}

/* ---- what the driver tells Juju ---- */

static struct lab_unit *own_unit(const struct lab_app *app, const char *name)
{
    struct lab_unit *unit = lab_model_unit(app->daemon->model, name);
    return unit != NULL && unit->app == app->application ? unit : NULL;
}

void lab_app_set(struct lab_app *app, const char *relation_id, const char *unit, const char *key,
                 const char *value)
{
    struct lab_relation *relation = find_relation(app, relation_id);
    struct lab_unit *own = unit == NULL ? NULL : own_unit(app, unit);
    if (relation == NULL || (unit != NULL && own == NULL)) {
        return; /* it went away in between */
    }
    struct lab_bag *bag = unit == NULL ? &lab_relation_own(relation, app->application)->bag
                                       : &lab_relation_seat(app->daemon->model, relation, own)->bag;
    if (lab_bag_put(bag, key, value)) {
        bag->version++;
        app->daemon->hurry = 1;
    }
}

void lab_app_set_address(struct lab_app *app, const char *unit, const char *address)
{
    struct lab_unit *own = own_unit(app, unit);
    if (own != NULL) {
        lab_unit_set_address(app->daemon->model, own, address);
    }
}

void lab_app_set_status(struct lab_app *app, const char *unit, const char *status,
                        const char *format, ...)
{
    struct lab_unit *own = own_unit(app, unit);
    va_list args;
    va_start(args, format);
    struct charm_arena *scratch = charm_arena_new();
    const char *message = charm_arena_vprintf(scratch, format, args);
    if (own != NULL) {
        lab_unit_set_status(app->daemon->model, own, status, message);
        own->status.by_charm = true;
    }
    charm_arena_free(scratch);
    va_end(args);
}

void lab_app_set_version(struct lab_app *app, const char *version)
{
    app->application->version = charm_arena_copy(app->daemon->arena, version);
}

void lab_app_log(struct lab_app *app, const char *unit, const char *level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct charm_arena *scratch = charm_arena_new();
    const char *module = charm_arena_printf(
        scratch, "unit.%s.%s", unit == NULL ? app->application->name : unit, app->driver->name);
    lab_journal_add(app->daemon, unit == NULL ? app->application->name : unit, level, module,
                    charm_arena_vprintf(scratch, format, args));
    charm_arena_free(scratch);
    va_end(args);
}
