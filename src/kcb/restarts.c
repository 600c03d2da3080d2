#include "kcb/restarts.h"

#include "base/text.h"
#include "kcb/connectors.h"
#include "kcb/versions.h"

/* ---- one restart ---- */

static int post(struct kcbi_rest *rest, const char *path, struct charm_error *reterr)
{
    struct kcbi_reply reply;
    const int result = kcbi_rest_write(rest, "POST", path, NULL, &reply, reterr);
    if (result != 0 || reply.verdict == KCBI_OK) {
        return result;
    }
    const int code = charm_error_set(reterr, CHARM_EFAILED, "restart: the worker says %d %s",
                                     reply.status, reply.message);
    if (reterr != NULL) {
        reterr->retriable = reply.verdict == KCBI_LATER;
    }
    return code;
}

/* Since 3.0 one call does it all (KIP-745). */
static int restart_at_once(struct kcbi_rest *rest, const struct kcbi_restart *what,
                           struct charm_error *reterr)
{
    const char *query =
        charm_arena_printf(rest->arena, "/restart?includeTasks=%s&onlyFailed=%s",
                           what->tasks ? "true" : "false", what->only_failed ? "true" : "false");
    return post(rest, kcbi_connector_path(rest->arena, what->name, query), reterr);
}

static bool is_meant(const struct kcbi_restart *what, const struct charm_value *part)
{
    return !what->only_failed || charmi_same(charm_text(charm_value_get(part, "state")), "FAILED");
}

/* Before, a restart of the connector leaves its tasks alone: they are restarted one by one. */
static int restart_part_by_part(struct kcbi_rest *rest, const struct charm_value *live,
                                const struct kcbi_restart *what, struct charm_error *reterr)
{
    const struct charm_value *status = charm_value_get(charm_value_get(live, what->name), "status");
    const struct charm_value *tasks = charm_value_get(status, "tasks");
    int result = 0;
    if (is_meant(what, charm_value_get(status, "connector"))) {
        result = post(rest, kcbi_connector_path(rest->arena, what->name, "/restart"), reterr);
    }
    for (size_t i = 0; what->tasks && result == 0 && i < charm_value_size(tasks); i++) {
        const struct charm_value *task = charm_value_at(tasks, i);
        const char *path =
            charm_arena_printf(rest->arena, "/tasks/%lld/restart",
                               (long long)charm_value_int(charm_value_get(task, "id"), 0));
        if (is_meant(what, task)) {
            result = post(rest, kcbi_connector_path(rest->arena, what->name, path), reterr);
        }
    }
    return result;
}

int kcbi_restart_connector(struct kcbi_rest *rest, const struct charm_value *live,
                           const struct kcbi_restart *what, struct charm_error *reterr)
{
    const char *version = "";
    const int result = kcbi_rest_version(rest, &version, reterr);
    if (result != 0) {
        return result;
    }
    return kcbi_version_before(version, 3, 0) ? restart_part_by_part(rest, live, what, reterr)
                                              : restart_at_once(rest, what, reterr);
}

/* ---- by itself ---- */

enum outcome { FAILED, RUNS, UNDECIDED };

static enum outcome outcome_of(struct charm_arena *arena, const char *name,
                               const struct charm_value *live)
{
    struct charm_value *only = charm_value_new_map(arena);
    charm_value_set_bool(only, name, true);
    const struct kcbi_health health = kcbi_judge_health(arena, only, live);
    return health.failed > 0 ? FAILED : health.starting > 0 ? UNDECIDED : RUNS;
}

/* True if the workers took it. What they did not take now is no try. */
static bool try_again(struct charm_run *run, struct kcbi_rest *rest, const struct charm_value *live,
                      const char *name)
{
    const struct kcbi_restart what = { .name = name, .tasks = true, .only_failed = true };
    struct charm_error error = { 0 };
    const bool taken = kcbi_restart_connector(rest, live, &what, &error) == 0;
    charm_trace(run, "connector %s failed, restart: %s", name, taken ? "asked for" : error.text);
    return taken;
}

static int64_t tries_of(const struct charm_value *tries, const char *name)
{
    const int64_t count = charm_value_int(charm_value_get(tries, name), 0);
    return count > 0 ? count : 0;
}

struct kcbi_restarts kcbi_restart_failed(struct charm_run *run, struct kcbi_rest *rest,
                                         const struct charm_value *names,
                                         const struct charm_value *live, int64_t most, bool may_try)
{
    struct charm_arena *arena = charm_arena(run);
    const struct charm_value *before = charm_app_get(run, KCBI_APP_RESTARTS);
    struct kcbi_restarts restarts = { .tries = charm_value_new_map(arena) };
    CHARM_EACH(names, it)
    {
        const enum outcome outcome = outcome_of(arena, it.key, live);
        int64_t tries = tries_of(before, it.key);
        if (outcome == FAILED && may_try && tries < most && try_again(run, rest, live, it.key)) {
            tries++;
            restarts.restarted++;
        }
        if (tries > 0 && !(outcome == RUNS && may_try)) {
            charm_value_set_int(restarts.tries, it.key, tries);
        }
    }
    const bool any = charm_value_size(restarts.tries) > 0;
    if (any || before != NULL) {
        charm_app_set(run, KCBI_APP_RESTARTS, any ? restarts.tries : NULL);
    }
    return restarts;
}

struct charm_value *kcbi_given_up(struct charm_arena *arena, const struct charm_value *names,
                                  const struct charm_value *tries, int64_t most)
{
    struct charm_value *given_up = charm_value_new_map(arena);
    CHARM_EACH(names, it)
    {
        if (tries_of(tries, it.key) >= most) {
            charm_value_set_bool(given_up, it.key, true);
        }
    }
    return given_up;
}
