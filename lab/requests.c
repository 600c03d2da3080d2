/* What the `lab` command asks the daemon for: one function a request, found by its name. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "lab/app.h"
#include "lab/daemon.h"
#include "lab/secrets.h"

/* A request in progress. A function returns 0 and may fill `answer`, or fails with a text for a person. */
struct asked {
    struct lab_daemon *daemon;
    struct charm_arena *arena;
    const struct charm_value *request;
    struct charm_value *answer;
};

typedef int request_fn(struct asked *asked, struct charm_error *reterr);

static const char *text_of(const struct asked *asked, const char *key)
{
    const struct charm_value *value = charm_value_get(asked->request, key);
    return charm_value_kind(value) == CHARM_STRING ? charm_text(value) : NULL;
}

static int find_app(const struct asked *asked, struct lab_application **ret_app,
                    struct charm_error *reterr)
{
    const char *name = text_of(asked, "app");
    *ret_app = lab_model_app(asked->daemon->model, name);
    return *ret_app != NULL
               ? 0
               : charm_error_set(reterr, CHARM_ENOTFOUND, "application \"%s\" not found", name);
}

static int find_unit(const struct asked *asked, struct lab_unit **ret_unit,
                     struct charm_error *reterr)
{
    const char *name = text_of(asked, "unit");
    struct lab_unit *unit = lab_model_unit(asked->daemon->model, name == NULL ? "" : name);
    if (unit == NULL || unit->life == LAB_DEAD) {
        return charm_error_set(reterr, CHARM_ENOTFOUND, "unit \"%s\" not found", name);
    }
    *ret_unit = unit;
    return 0;
}

/* ---- applications and units ---- */

/* A new unit gets its address before its agent says anything. */
static void settle_unit(struct lab_daemon *daemon, struct lab_unit *unit)
{
    unit->address = lab_net_unit_address(daemon->arena, unit->machine);
    if (lab_app_driver(unit->app) == NULL) {
        lab_agent_make_unit(daemon, unit);
    }
}

static int read_driver(struct lab_daemon *daemon, const struct lab_driver *driver,
                       struct lab_charm *ret_charm, struct charm_error *reterr)
{
    struct charm_value *metadata;
    struct charm_value *config = NULL;
    if (charm_value_parse(daemon->arena, driver->metadata, strlen(driver->metadata), &metadata,
                          reterr) != 0 ||
        (driver->config != NULL &&
         charm_value_parse(daemon->arena, driver->config, strlen(driver->config), &config,
                           reterr) != 0)) {
        return charm_error_wrap(reterr, "application \"%s\" of the lab", driver->name);
    }
    *ret_charm = (struct lab_charm){ .name = driver->name, .metadata = metadata, .config = config };
    return 0;
}

static int set_options(struct asked *asked, struct lab_application *app, struct charm_error *reterr)
{
    CHARM_EACH(charm_value_get(asked->request, "config"), it)
    {
        if (lab_model_config_set(asked->daemon->model, app, it.key, charm_text(it.value), reterr) !=
            0) {
            return charm_error_wrap(reterr, "configure \"%s\"", app->name);
        }
    }
    return 0;
}

static int deploy(struct asked *asked, struct charm_error *reterr)
{
    struct lab_daemon *daemon = asked->daemon;
    const char *what = text_of(asked, "charm");
    const struct lab_driver *driver = lab_driver_find(what);
    struct lab_charm charm;
    const char *stored = NULL;
    const int read = driver != NULL ? read_driver(daemon, driver, &charm, reterr)
                                    : lab_agent_load_charm(daemon, what, &charm, &stored, reterr);
    if (read != 0) {
        return CHARM_EFAILED;
    }
    const char *name = text_of(asked, "name");
    const int64_t units = charm_value_int(charm_value_get(asked->request, "units"), 1);
    struct lab_application *app;
    if (lab_model_deploy(daemon->model, name == NULL ? charm.name : name, &charm, 0, &app,
                         reterr) != 0) {
        return CHARM_EFAILED;
    }
    lab_app_new(daemon, app, driver, stored);
    if (set_options(asked, app, reterr) != 0) {
        CHARMI_IGNORE(lab_model_remove_application(daemon->model, app, NULL), "it has no units");
        return CHARM_EINVAL;
    }
    for (int64_t i = 0; i < units; i++) {
        struct lab_unit *unit;
        if (lab_model_add_unit(daemon->model, app, &unit, reterr) != 0) {
            return CHARM_EFAILED;
        }
        settle_unit(daemon, unit);
    }
    charm_value_set_text(asked->answer, "app", app->name);
    return 0;
}

static int refresh(struct asked *asked, struct charm_error *reterr)
{
    struct lab_application *app;
    struct lab_charm charm;
    const char *stored;
    if (find_app(asked, &app, reterr) != 0) {
        return CHARM_ENOTFOUND;
    }
    if (lab_app_driver(app) != NULL) {
        return charm_error_set(reterr, CHARM_EREFUSED, "\"%s\" is no charm", app->name);
    }
    if (lab_agent_load_charm(asked->daemon, text_of(asked, "charm"), &charm, &stored, reterr) !=
            0 ||
        lab_model_upgrade(asked->daemon->model, app, &charm, reterr) != 0) {
        return CHARM_EFAILED;
    }
    lab_app_set_charm(app, stored);
    return 0;
}

static int add_unit(struct asked *asked, struct charm_error *reterr)
{
    struct lab_application *app;
    struct lab_unit *unit;
    if (find_app(asked, &app, reterr) != 0) {
        return CHARM_ENOTFOUND;
    }
    const int64_t units = charm_value_int(charm_value_get(asked->request, "units"), 1);
    for (int64_t i = 0; i < units; i++) {
        if (lab_model_add_unit(asked->daemon->model, app, &unit, reterr) != 0) {
            return CHARM_EREFUSED;
        }
        settle_unit(asked->daemon, unit);
    }
    return 0;
}

static int remove_unit(struct asked *asked, struct charm_error *reterr)
{
    struct lab_unit *unit;
    if (find_unit(asked, &unit, reterr) != 0) {
        return CHARM_ENOTFOUND;
    }
    const bool force = charm_value_true(charm_value_get(asked->request, "force"));
    return lab_model_remove_unit(asked->daemon->model, unit, force, reterr);
}

static int remove_application(struct asked *asked, struct charm_error *reterr)
{
    struct lab_application *app;
    if (find_app(asked, &app, reterr) != 0) {
        return CHARM_ENOTFOUND;
    }
    return lab_model_remove_application(asked->daemon->model, app, reterr);
}

static int lose_unit(struct asked *asked, struct charm_error *reterr)
{
    struct lab_unit *unit;
    if (find_unit(asked, &unit, reterr) != 0) {
        return CHARM_ENOTFOUND;
    }
    lab_model_lose_unit(asked->daemon->model, unit);
    return 0;
}

/* ---- secrets ---- */

static int add_secret(struct asked *asked, struct charm_error *reterr)
{
    struct lab_secret *secret;
    const int code = lab_secret_add(asked->daemon->model, text_of(asked, "secret"),
                                    charm_value_get(asked->request, "content"), &secret, reterr);
    if (code == 0) {
        charm_value_setf(asked->answer, "uri", "secret:%s", secret->id);
    }
    return code;
}

static int update_secret(struct asked *asked, struct charm_error *reterr)
{
    return lab_secret_update(asked->daemon->model, text_of(asked, "secret"),
                             charm_value_get(asked->request, "content"), reterr);
}

static int grant_secret(struct asked *asked, struct charm_error *reterr)
{
    return lab_secret_grant(asked->daemon->model, text_of(asked, "secret"), text_of(asked, "app"),
                            true, reterr);
}

static int revoke_secret(struct asked *asked, struct charm_error *reterr)
{
    return lab_secret_grant(asked->daemon->model, text_of(asked, "secret"), text_of(asked, "app"),
                            false, reterr);
}

static int remove_secret(struct asked *asked, struct charm_error *reterr)
{
    return lab_secret_remove(asked->daemon->model, text_of(asked, "secret"), reterr);
}

static int apply(struct asked *asked, struct charm_error *reterr)
{
    struct lab_application *app;
    return find_app(asked, &app, reterr) != 0
               ? CHARM_ENOTFOUND
               : lab_app_apply(app, charm_value_get(asked->request, "manifest"), reterr);
}

static int elect(struct asked *asked, struct charm_error *reterr)
{
    struct lab_unit *unit;
    if (find_unit(asked, &unit, reterr) != 0) {
        return CHARM_ENOTFOUND;
    }
    if (unit->life != LAB_ALIVE || unit->lost) {
        return charm_error_set(reterr, CHARM_EREFUSED,
                               "unit \"%s\" cannot lead: it is going or lost", unit->name);
    }
    lab_model_elect(asked->daemon->model, unit->app, unit);
    return 0;
}

static int fault(struct asked *asked, struct charm_error *reterr)
{
    struct lab_unit *unit;
    if (find_unit(asked, &unit, reterr) != 0) {
        return CHARM_ENOTFOUND;
    }
    return lab_agent_set_fault(asked->daemon, unit, text_of(asked, "fault"),
                               charm_value_int(charm_value_get(asked->request, "number"), 0),
                               text_of(asked, "hook"), reterr);
}

/* ---- relations and configuration ---- */

static int relate(struct asked *asked, struct charm_error *reterr)
{
    struct lab_relation *relation;
    if (lab_model_relate(asked->daemon->model, text_of(asked, "left"), text_of(asked, "right"),
                         &relation, reterr) != 0) {
        return CHARM_EFAILED;
    }
    charm_value_set_int(asked->answer, "id", relation->id);
    return 0;
}

static int remove_relation(struct asked *asked, struct charm_error *reterr)
{
    return lab_model_remove_relation(asked->daemon->model, text_of(asked, "left"),
                                     text_of(asked, "right"), reterr);
}

static void show_options(struct asked *asked, struct lab_application *app)
{
    const struct charm_value *now = lab_application_options(asked->arena, app, true);
    struct charm_value *settings = charm_value_add_map(asked->answer, "settings");
    CHARM_EACH(charm_value_get(app->charm.config, "options"), it)
    {
        struct charm_value *shown = charm_value_add_map(settings, it.key);
        const bool own = charm_value_get(app->config, it.key) != NULL;
        charm_value_update(shown, charm_value_copy(asked->arena, it.value));
        charm_value_set(shown, "value",
                        charm_value_copy(asked->arena, charm_value_get(now, it.key)));
        charm_value_set_text(shown, "source", own ? "user" : "default");
    }
    charm_value_set_text(asked->answer, "application", app->name);
}

static int config(struct asked *asked, struct charm_error *reterr)
{
    struct lab_application *app;
    if (find_app(asked, &app, reterr) != 0 || set_options(asked, app, reterr) != 0) {
        return CHARM_EINVAL;
    }
    const struct charm_value *reset = charm_value_get(asked->request, "reset");
    for (size_t i = 0; i < charm_value_size(reset); i++) {
        if (lab_model_config_set(asked->daemon->model, app, charm_text(charm_value_at(reset, i)),
                                 NULL, reterr) != 0) {
            return CHARM_EINVAL;
        }
    }
    show_options(asked, app);
    return 0;
}

/* ---- tasks ---- */

static int run(struct asked *asked, struct charm_error *reterr)
{
    struct lab_unit *unit;
    struct lab_task *task;
    if (find_unit(asked, &unit, reterr) != 0) {
        return CHARM_ENOTFOUND;
    }
    if (lab_model_run_action(asked->daemon->model, unit, text_of(asked, "action"),
                             charm_value_get(asked->request, "params"), &task, reterr) != 0) {
        return CHARM_EFAILED;
    }
    charm_value_set_text(asked->answer, "unit", unit->name);
    charm_value_set_int(asked->answer, "id", task->id);
    return 0;
}

static int exec(struct asked *asked, struct charm_error *reterr)
{
    struct lab_unit *unit;
    if (find_unit(asked, &unit, reterr) != 0) {
        return CHARM_ENOTFOUND;
    }
    const struct lab_task *task = lab_model_run_command(asked->daemon->model, unit,
                                                        charm_value_get(asked->request, "command"));
    charm_value_set_int(asked->answer, "id", task->id);
    return 0;
}

static int task(struct asked *asked, struct charm_error *reterr)
{
    const int id = (int)charm_value_int(charm_value_get(asked->request, "id"), 0);
    const struct lab_task *found = lab_model_task(asked->daemon->model, id);
    if (found == NULL) {
        return charm_error_set(reterr, CHARM_ENOTFOUND, "task %d not found", id);
    }
    charm_value_set(asked->answer, "task", lab_report_task(asked->arena, found));
    return 0;
}

static int resolved(struct asked *asked, struct charm_error *reterr)
{
    struct lab_unit *unit;
    if (find_unit(asked, &unit, reterr) != 0) {
        return CHARM_ENOTFOUND;
    }
    const bool retry = !charm_value_true(charm_value_get(asked->request, "no-retry"));
    return lab_model_resolved(asked->daemon->model, unit, retry, reterr);
}

static int update_status(struct asked *asked, struct charm_error *reterr)
{
    const char *name = text_of(asked, "unit");
    struct lab_unit *chosen = NULL;
    if (name != NULL && find_unit(asked, &chosen, reterr) != 0) {
        return CHARM_ENOTFOUND;
    }
    for (struct lab_application *app = asked->daemon->model->applications; app != NULL;
         app = app->next) {
        for (struct lab_unit *unit = app->units; unit != NULL; unit = unit->next) {
            unit->update_status_wanted =
                unit->update_status_wanted || chosen == NULL || unit == chosen;
        }
    }
    return 0;
}

/* ---- looking ---- */

static int status(struct asked *asked, struct charm_error *reterr)
{
    (void)reterr;
    charm_value_set(asked->answer, "status", lab_report_status(asked->daemon, asked->arena));
    return 0;
}

static int show_unit(struct asked *asked, struct charm_error *reterr)
{
    struct lab_unit *unit;
    if (find_unit(asked, &unit, reterr) != 0) {
        return CHARM_ENOTFOUND;
    }
    charm_value_set(asked->answer, "unit", lab_report_unit(asked->daemon, asked->arena, unit));
    return 0;
}

static int runs(struct asked *asked, struct charm_error *reterr)
{
    (void)reterr;
    charm_value_set(asked->answer, "runs", charm_value_copy(asked->arena, asked->daemon->runs));
    return 0;
}

static bool shows(const struct asked *asked, const struct lab_line *line)
{
    static const char *const levels[] = { "TRACE", "DEBUG", "INFO", "WARNING", "ERROR", NULL };
    const char *unit = text_of(asked, "unit");
    const char *least = text_of(asked, "level");
    size_t low = 0;
    size_t own = 0;
    for (size_t i = 0; levels[i] != NULL; i++) {
        low = charmi_same(levels[i], least) ? i : low;
        own = charmi_same(levels[i], line->level) ? i : own;
    }
    return own >= low && (unit == NULL || charmi_same(unit, line->unit));
}

/* Lines from number `from` on, the last `lines` of them. */
static int log_lines(struct asked *asked, struct charm_error *reterr)
{
    (void)reterr;
    const struct lab_daemon *daemon = asked->daemon;
    const int64_t from = charm_value_int(charm_value_get(asked->request, "from"), 0);
    const int64_t most = charm_value_int(charm_value_get(asked->request, "lines"), INT64_MAX);
    struct charm_value *list = charm_value_add_list(asked->answer, "lines");
    size_t first = daemon->line_count;
    int64_t found = 0;
    while (first > 0 && (int64_t)first > from && found < most) {
        first--;
        found += shows(asked, &daemon->lines[first]) ? 1 : 0;
    }
    for (size_t i = first; i < daemon->line_count; i++) {
        const struct lab_line *line = &daemon->lines[i];
        if (shows(asked, line)) {
            struct charm_value *entry = charm_value_append_map(list);
            charm_value_set_text(entry, "level", line->level);
            charm_value_set_text(entry, "text", lab_journal_text(asked->arena, line));
        }
    }
    charm_value_set_int(asked->answer, "next", (int64_t)daemon->line_count);
    return 0;
}

static int stop(struct asked *asked, struct charm_error *reterr)
{
    (void)reterr;
    asked->daemon->stopping = 1;
    return 0;
}

static const struct {
    const char *name;
    request_fn *run;
} requests[] = {
    { "add-secret", add_secret },
    { "add-unit", add_unit },
    { "apply", apply },
    { "config", config },
    { "deploy", deploy },
    { "elect", elect },
    { "exec", exec },
    { "fault", fault },
    { "grant-secret", grant_secret },
    { "log", log_lines },
    { "lose-unit", lose_unit },
    { "refresh", refresh },
    { "relate", relate },
    { "remove-application", remove_application },
    { "remove-relation", remove_relation },
    { "remove-secret", remove_secret },
    { "remove-unit", remove_unit },
    { "resolved", resolved },
    { "revoke-secret", revoke_secret },
    { "run", run },
    { "runs", runs },
    { "show-unit", show_unit },
    { "status", status },
    { "stop", stop },
    { "task", task },
    { "update-secret", update_secret },
    { "update-status", update_status },
};

struct charm_value *lab_request(struct lab_daemon *daemon, struct charm_arena *arena,
                                const struct charm_value *request)
{
    struct asked asked = { daemon, arena, request, charm_value_new_map(arena) };
    struct charm_error error = { 0 };
    const char *name = charm_text(charm_value_get(request, "do"));
    int code = CHARM_EINVAL;
    charm_error_set(&error, CHARM_EINVAL, "the lab does not know the request \"%s\"", name);
    for (size_t i = 0; i < CHARMI_COUNT(requests); i++) {
        if (charmi_same(requests[i].name, name)) {
            code = requests[i].run(&asked, &error);
        }
    }
    if (code != 0) {
        struct charm_value *refusal = charm_value_new_map(arena);
        charm_value_set_text(refusal, "error", error.text);
        return refusal;
    }
    return asked.answer;
}
