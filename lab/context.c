#include "lab/context.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "lab/model_internal.h"
#include "lab/secrets.h"

enum { LARGEST_STATE = 2 * 1024 * 1024 };

/* ---- begin ---- */

static bool is_action(const struct lab_context *context)
{
    return context->event.hook == LAB_TASK && context->event.task->action != NULL;
}

/* Contract 1.7: what Juju itself says before a hook. */
static void status_before(struct lab_model *model, struct lab_unit *unit, enum lab_hook hook)
{
    if (hook == LAB_INSTALL && !unit->status.by_charm) {
        lab_unit_set_status(model, unit, "maintenance", "installing charm software");
    } else if (hook == LAB_STOP) {
        lab_unit_set_status(model, unit, "maintenance", "stopping charm software");
    } else if (hook == LAB_REMOVE) {
        lab_unit_set_status(model, unit, "maintenance", "cleaning up prior to charm deletion");
    }
}

static void begin_task(struct lab_model *model, const struct lab_event *event)
{
    if (event->hook == LAB_TASK) {
        event->task->state = LAB_TASK_RUNNING;
        event->task->started_ms = model->now_ms;
    }
}

/* The agent's copy of a member's bag is out of date when that unit joins or changes (contract 2.3). */
static void drop_cache(struct lab_unit *unit, const struct lab_event *event)
{
    const bool news = event->hook == LAB_RELATION_JOINED || event->hook == LAB_RELATION_CHANGED;
    struct lab_view *view = news ? lab_unit_view(unit, event->relation) : NULL;
    struct lab_member *member =
        view == NULL || event->remote == NULL ? NULL : lab_view_member(view, event->remote);
    if (member != NULL) {
        member->cache = NULL;
    }
}

static struct lab_port *copy_ports(struct charm_arena *arena, const struct lab_port *from)
{
    struct lab_port *first = NULL;
    struct lab_port **end = &first;
    for (; from != NULL; from = from->next) {
        *end = charm_arena_alloc(arena, sizeof(**end));
        **end = (struct lab_port){
            .from = from->from,
            .to = from->to,
            .protocol = charm_arena_copy(arena, from->protocol),
            .endpoint = charm_arena_copy(arena, from->endpoint),
        };
        end = &(*end)->next;
    }
    return first;
}

/* "connect/0-config-changed-" and 32 hex digits: opaque, and never twice the same. */
static const char *make_id(struct lab_context *context)
{
    struct lab_model *model = context->model;
    return charm_arena_printf(context->arena, "%s-%s-%016llx%016x", context->unit->name,
                              context->name, (unsigned long long)model->now_ms,
                              (unsigned)++model->next_context);
}

struct lab_context *lab_context_begin(struct lab_model *model, struct lab_unit *unit,
                                      const struct lab_event *event)
{
    struct charm_arena *arena = charm_arena_new();
    struct lab_context *context = charm_arena_alloc(arena, sizeof(*context));
    context->arena = arena;
    context->model = model;
    context->unit = unit;
    context->event = *event;
    context->name = charm_arena_copy(arena, lab_event_name(arena, unit, event));
    context->id = make_id(context);
    context->ports = copy_ports(arena, unit->ports);
    unit->running = context;
    if (event->hook == LAB_UPGRADE_CHARM) {
        unit->charm_seen = unit->app->revision;
    }
    status_before(model, unit, event->hook);
    begin_task(model, event);
    drop_cache(unit, event);
    return context;
}

/* ---- environment: contract 1.5 ---- */

struct environment {
    struct charm_arena *arena;
    struct charmi_words words;
};

static void put(struct environment *env, const char *name, const char *value)
{
    charmi_words_add(env->arena, &env->words, charm_arena_printf(env->arena, "%s=%s", name, value));
}

const char *lab_context_dispatch_path(struct lab_context *context)
{
    if (context->event.hook == LAB_TASK && !is_action(context)) {
        return NULL;
    }
    return charm_arena_printf(context->arena, "%s/%s", is_action(context) ? "actions" : "hooks",
                              context->name);
}

static void put_relation(struct environment *env, struct lab_context *context)
{
    const struct lab_event *event = &context->event;
    if (!lab_event_is_relation(event)) {
        return;
    }
    const char *endpoint = lab_relation_own(event->relation, context->unit->app)->endpoint;
    put(env, "JUJU_RELATION", endpoint);
    put(env, "JUJU_RELATION_ID",
        charm_arena_printf(env->arena, "%s:%d", endpoint, event->relation->id));
    put(env, "JUJU_REMOTE_APP", event->remote_app->name);
    put(env, "JUJU_REMOTE_UNIT", event->remote == NULL ? "" : event->remote->name);
    if (event->hook == LAB_RELATION_DEPARTED) {
        put(env, "JUJU_DEPARTING_UNIT", event->departing->name);
    }
}

static void put_task(struct environment *env, struct lab_context *context)
{
    if (is_action(context)) {
        const struct lab_task *task = context->event.task;
        put(env, "JUJU_ACTION_NAME", task->action);
        put(env, "JUJU_ACTION_UUID", charm_arena_printf(env->arena, "%d", task->id));
        put(env, "JUJU_ACTION_TAG", charm_arena_printf(env->arena, "action-%d", task->id));
    }
}

static void put_secret(struct environment *env, const struct lab_context *context)
{
    const struct lab_secret *secret = context->event.secret;
    if (context->event.hook == LAB_SECRET_CHANGED) {
        put(env, "JUJU_SECRET_ID", charm_arena_printf(env->arena, "secret:%s", secret->id));
        put(env, "JUJU_SECRET_LABEL", "");
    }
}

static void put_constant(struct environment *env, const struct lab_model *model)
{
    static const char *const empty[] = { "JUJU_PRINCIPAL_UNIT",   "JUJU_AVAILABILITY_ZONE",
                                         "JUJU_CHARM_HTTP_PROXY", "JUJU_CHARM_HTTPS_PROXY",
                                         "JUJU_CHARM_FTP_PROXY",  "JUJU_CHARM_NO_PROXY",
                                         "CLOUD_API_VERSION",     NULL };
    for (size_t i = 0; empty[i] != NULL; i++) {
        put(env, empty[i], "");
    }
    put(env, "JUJU_API_ADDRESSES", "127.0.0.1:17070");
    put(env, "LANG", "C.UTF-8");
    put(env, "TERM", "tmux-256color");
    put(env, "DEBIAN_FRONTEND", "noninteractive");
    put(env, "APT_LISTCHANGES_FRONTEND", "none");
    if (!lab_model_at_least(model, 4, 0)) {
        put(env, "JUJU_SLA", "unsupported");
        put(env, "JUJU_METER_STATUS", "AMBER");
        put(env, "JUJU_METER_INFO", "not set");
    }
}

const char *const *lab_context_environment(struct lab_context *context,
                                           const struct lab_places *places)
{
    const struct lab_model *model = context->model;
    const struct lab_unit *unit = context->unit;
    struct charm_arena *arena = context->arena;
    struct environment env = { .arena = arena };
    put(&env, "JUJU_CHARM_DIR", places->charm_dir);
    put(&env, "CHARM_DIR", places->charm_dir);
    const char *path = lab_context_dispatch_path(context);
    if (path != NULL) {
        put(&env, "JUJU_DISPATCH_PATH", path);
    }
    put(&env, "JUJU_HOOK_NAME", context->event.hook == LAB_TASK ? "" : context->name);
    put(&env, "JUJU_CONTEXT_ID", context->id);
    put(&env, "JUJU_AGENT_SOCKET_ADDRESS", places->socket);
    put(&env, "JUJU_AGENT_SOCKET_NETWORK", "unix");
    put(&env, "JUJU_UNIT_NAME", unit->name);
    put(&env, "JUJU_MODEL_NAME", model->options.name);
    put(&env, "JUJU_MODEL_UUID", model->options.uuid);
    put(&env, "JUJU_MACHINE_ID", charm_arena_printf(arena, "%d", unit->machine));
    put(&env, "JUJU_VERSION", model->options.juju_version);
    put(&env, "PATH",
        charm_arena_printf(arena,
                           "%s:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:"
                           "/snap/bin",
                           places->tools_dir));
    put_constant(&env, model);
    put_relation(&env, context);
    put_task(&env, context);
    put_secret(&env, context);
    for (size_t i = 0; places->extra != NULL && places->extra[i] != NULL; i++) {
        charmi_words_add(arena, &env.words, places->extra[i]);
    }
    return env.words.at;
}

/* ---- reading ---- */

bool lab_context_leads(struct lab_context *context)
{
    if (context->unit->app->leader != context->unit) {
        context->refused_leadership = true;
    }
    return !context->refused_leadership;
}

struct lab_writes *lab_context_writes(struct lab_context *context, struct lab_relation *relation)
{
    struct lab_writes **at = &context->writes;
    for (; *at != NULL; at = &(*at)->next) {
        if ((*at)->relation == relation) {
            return *at;
        }
    }
    struct lab_writes *writes = charm_arena_alloc(context->arena, sizeof(*writes));
    writes->relation = relation;
    writes->cached = charm_value_new_map(context->arena);
    *at = writes;
    return writes;
}

static bool entered(const struct lab_context *context, const struct lab_relation *relation)
{
    return lab_unit_view(context->unit, relation) != NULL;
}

bool lab_context_lists(const struct lab_context *context, const struct lab_relation *relation)
{
    const struct lab_model *model = context->model;
    const struct lab_view *view = lab_unit_view(context->unit, relation);
    if (relation->life == LAB_DEAD || (view != NULL && view->over)) {
        return false;
    }
    if (view == NULL) {
        return relation->sides == 1 && relation->life == LAB_ALIVE &&
               model->options.early_peer == LAB_EARLY_PEER_REFUSED;
    }
    /* From about 3.5 a dying relation without members is left out, in its own -broken too: contract 3.3. */
    const bool broken =
        context->event.hook == LAB_RELATION_BROKEN && context->event.relation == relation;
    return !(lab_model_at_least(model, 3, 5) && (broken || relation->life == LAB_DYING) &&
             view->members == NULL);
}

/* Is the unit a member in this run's eyes? The one that joins is, the one that departs is not. */
static bool is_member(const struct lab_context *context, const struct lab_relation *relation,
                      const struct lab_unit *remote)
{
    const struct lab_event *event = &context->event;
    if (event->relation == relation && event->remote == remote) {
        return event->hook != LAB_RELATION_DEPARTED;
    }
    const struct lab_view *view = lab_unit_view(context->unit, relation);
    const struct lab_member *member = view == NULL ? NULL : lab_view_member(view, remote);
    return member != NULL && member->joined;
}

struct charm_value *lab_context_members(struct lab_context *context, struct lab_relation *relation)
{
    struct charmi_words names = { 0 };
    for (const struct lab_seat *seat = relation->seats; seat != NULL; seat = seat->next) {
        if (is_member(context, relation, seat->unit)) {
            charmi_words_add(context->arena, &names, seat->unit->name);
        }
    }
    charmi_words_sort(&names);
    struct charm_value *list = charm_value_new_list(context->arena);
    for (size_t i = 0; i < names.size; i++) {
        charm_value_append_text(list, names.at[i]);
    }
    return list;
}

static struct charm_value *with_writes(struct lab_context *context, const struct lab_bag *bag,
                                       const struct charm_value *writes)
{
    struct lab_bag seen = { .values = charm_value_copy(context->arena, bag->values) };
    CHARM_EACH(writes, it)
    {
        lab_bag_put(&seen, it.key, charm_text(it.value));
    }
    return seen.values;
}

static int not_there(struct lab_context *context, struct lab_relation *relation, const char *unit,
                     struct charm_error *reterr)
{
    const char *ends =
        relation->sides == 1
            ? charm_arena_printf(context->arena, "%s:%s", relation->side[0].app->name,
                                 relation->side[0].endpoint)
            : charm_arena_printf(context->arena, "%s:%s %s:%s", relation->side[1].app->name,
                                 relation->side[1].endpoint, relation->side[0].app->name,
                                 relation->side[0].endpoint);
    return charm_error_set(reterr, CHARM_ENOTFOUND,
                           "cannot read settings for unit \"%s\" in relation \"%s\": unit \"%s\": "
                           "settings not found",
                           unit, ends, unit);
}

static int gone(const struct lab_context *context, struct charm_error *reterr)
{
    return charm_error_set(reterr, CHARM_EREFUSED, "%s",
                           lab_model_at_least(context->model, 4, 0) ? "relation not found"
                                                                    : "permission denied");
}

/* A bag read in this run is not read again: only the own ones change with the run's writes. */
static struct charm_value *cached(struct lab_context *context, struct lab_relation *relation,
                                  const char *name, const struct charm_value *values)
{
    struct charm_value *map = lab_context_writes(context, relation)->cached;
    if (charm_value_get(map, name) == NULL) {
        charm_value_set(map, name, charm_value_copy(context->arena, values));
    }
    return charm_value_copy(context->arena, charm_value_get(map, name));
}

/* A member's bag as the agent keeps it across hooks. */
static struct charm_value *member_bag(struct lab_context *context, struct lab_relation *relation,
                                      const struct lab_seat *seat)
{
    const struct lab_view *view = lab_unit_view(context->unit, relation);
    struct lab_member *member = view == NULL ? NULL : lab_view_member(view, seat->unit);
    if (member == NULL) {
        return cached(context, relation, seat->unit->name, seat->bag.values);
    }
    if (member->cache == NULL) {
        member->cache = charm_value_copy(context->model->arena, seat->bag.values);
    }
    return charm_value_copy(context->arena, member->cache);
}

int lab_context_read_unit(struct lab_context *context, struct lab_relation *relation,
                          const char *unit, struct charm_value **ret_bag,
                          struct charm_error *reterr)
{
    if (relation->life == LAB_DEAD) {
        return gone(context, reterr);
    }
    if (charmi_same(unit, context->unit->name)) {
        const struct lab_seat *own = lab_relation_seat(context->model, relation, context->unit);
        *ret_bag = with_writes(context, &own->bag, lab_context_writes(context, relation)->unit);
        return 0;
    }
    for (const struct lab_seat *seat = relation->seats; seat != NULL; seat = seat->next) {
        if (charmi_same(seat->unit->name, unit) && seat->was_in_scope) {
            *ret_bag = member_bag(context, relation, seat);
            return 0;
        }
    }
    return not_there(context, relation, unit, reterr);
}

static int denied(const struct lab_context *context, struct charm_error *reterr)
{
    return charm_error_set(reterr, CHARM_EREFUSED, "permission denied%s",
                           lab_model_at_least(context->model, 3, 6) ? " (unauthorized access)"
                                                                    : "");
}

int lab_context_read_app(struct lab_context *context, struct lab_relation *relation,
                         const char *app, struct charm_value **ret_bag, struct charm_error *reterr)
{
    if (relation->life == LAB_DEAD) {
        return gone(context, reterr);
    }
    const bool own = charmi_same(app, context->unit->app->name);
    struct lab_side *side = own ? lab_relation_own(relation, context->unit->app)
                                : lab_relation_other(relation, context->unit->app);
    if (!charmi_same(side->app->name, app)) {
        return not_there(context, relation, app, reterr);
    }
    if (!own) {
        *ret_bag = cached(context, relation, app, side->bag.values);
        return 0;
    }
    const bool peer = lab_relation_is_peer(relation);
    if (!entered(context, relation) || (!peer && !lab_context_leads(context))) {
        return denied(context, reterr);
    }
    const struct lab_bag seen = { .values = cached(context, relation, "", side->bag.values) };
    *ret_bag = with_writes(context, &seen, lab_context_writes(context, relation)->app);
    return 0;
}

int lab_context_may_write_app(struct lab_context *context, const struct lab_relation *relation,
                              struct charm_error *reterr)
{
    const struct lab_view *view = lab_unit_view(context->unit, relation);
    if (view != NULL && view->over) {
        return charm_error_set(reterr, CHARM_EREFUSED,
                               "cannot read relation application settings: permission denied "
                               "(unauthorized access)");
    }
    if (view == NULL || !lab_context_leads(context)) {
        return charm_error_set(reterr, CHARM_EREFUSED, "cannot write relation settings");
    }
    return 0;
}

struct charm_value *lab_context_state(struct lab_context *context)
{
    if (context->state == NULL) {
        context->state = charm_value_copy(context->arena, context->unit->state);
    }
    return context->state;
}

/* ---- the commit ---- */

static size_t state_size(const struct charm_value *state)
{
    size_t size = 0;
    CHARM_EACH(state, it)
    {
        size += strlen(it.key) + strlen(charm_text(it.value));
    }
    return size;
}

/* What the controller says to the whole of it; NULL: yes. */
static const char *refusal(struct lab_context *context)
{
    if (context->state_written && state_size(context->state) > LARGEST_STATE) {
        return "cannot commit: charm state exceeds the maximum size (quota limit exceeded)";
    }
    for (const struct lab_writes *writes = context->writes; writes != NULL; writes = writes->next) {
        if (writes->unit == NULL && writes->app == NULL) {
            continue;
        }
        if (writes->relation->life == LAB_DEAD) {
            return "cannot commit: relation not found";
        }
        if (writes->app != NULL && context->unit->app->leader != context->unit) {
            return "cannot commit: cannot write relation settings: permission denied";
        }
    }
    return NULL;
}

static void commit_bag(struct lab_bag *bag, const struct charm_value *writes)
{
    bool changed = false;
    CHARM_EACH(writes, it)
    {
        changed = lab_bag_put(bag, it.key, charm_text(it.value)) || changed;
    }
    bag->version += changed ? 1 : 0;
}

static void commit_relations(struct lab_context *context)
{
    for (const struct lab_writes *writes = context->writes; writes != NULL; writes = writes->next) {
        if (writes->unit != NULL) {
            commit_bag(&lab_relation_seat(context->model, writes->relation, context->unit)->bag,
                       writes->unit);
        }
        if (writes->app != NULL) {
            commit_bag(&lab_relation_own(writes->relation, context->unit->app)->bag, writes->app);
        }
    }
}

/* state-set sends the whole map: the last writer wins (contract 2.1). */
static void commit_own(struct lab_context *context)
{
    struct lab_unit *unit = context->unit;
    if (context->state_written) {
        charm_value_clear(unit->state);
        CHARM_EACH(context->state, it)
        {
            charm_value_set_text(unit->state, it.key, charm_text(it.value));
        }
    }
    if (context->ports_written) {
        unit->ports = copy_ports(context->model->arena, context->ports);
    }
}

/* The first other unit that can leads from now on. */
static void pass_leadership_on(struct lab_context *context)
{
    struct lab_application *app = context->unit->app;
    for (struct lab_unit *unit = app->units; unit != NULL; unit = unit->next) {
        if (unit != context->unit && unit->life == LAB_ALIVE && !unit->lost) {
            lab_model_elect(context->model, app, unit);
            return;
        }
    }
}

static const char *commit(struct lab_context *context)
{
    struct lab_unit *unit = context->unit;
    if (unit->fault_leader_lost) {
        unit->fault_leader_lost = false;
        pass_leadership_on(context);
    }
    const char *why = refusal(context);
    const bool refuse = unit->fault_refuse_commit;
    const bool state_only = unit->fault_state_only;
    unit->fault_refuse_commit = false;
    unit->fault_state_only = false;
    if (refuse) {
        return "cannot commit: permission denied";
    }
    /* Early 4.0 wrote state and ports in transactions of their own, first (juju/juju#22090). */
    if (why == NULL || state_only) {
        commit_own(context);
    }
    if (state_only) {
        return why == NULL ? "cannot commit: permission denied" : why;
    }
    if (why == NULL) {
        commit_relations(context);
    }
    return why;
}

/* ---- the end ---- */

static const char *failure_text(struct lab_context *context, enum lab_ending ending, int number)
{
    switch (ending) {
    case LAB_EXITED:
        return number == 0 ? NULL : charm_arena_printf(context->arena, "exit status %d", number);
    case LAB_KILLED:
    case LAB_CRASHED:
        return charm_arena_printf(context->arena, "signal: %s",
                                  number == 9    ? "killed"
                                  : number == 15 ? "terminated"
                                  : number == 11 ? "segmentation fault"
                                  : number == 6  ? "aborted"
                                                 : "other");
    case LAB_MISSING:
        return is_action(context)
                   ? charm_arena_printf(context->arena, "action not implemented on unit \"%s\"",
                                        context->unit->name)
                   : NULL;
    }
    return NULL;
}

static void end_task(struct lab_context *context, const char *failure)
{
    struct lab_task *task = context->event.task;
    struct charm_arena *arena = context->model->arena;
    if (task->state != LAB_TASK_RUNNING) {
        return; /* the unit went away meanwhile */
    }
    task->completed_ms = context->model->now_ms;
    const bool failed = failure != NULL || context->action_failed;
    task->state = failed ? LAB_TASK_FAILED : LAB_TASK_COMPLETED;
    task->message = charm_arena_copy(arena, context->action_failed ? context->action_message
                                            : failure != NULL      ? failure
                                                                   : "");
}

static void end_hook(struct lab_context *context, enum lab_ending ending, const char *failure)
{
    struct lab_model *model = context->model;
    struct lab_unit *unit = context->unit;
    if (unit->life == LAB_DEAD) {
        return;
    }
    if (failure == NULL) {
        lab_unit_recover(unit);
        lab_event_succeeded(model, unit, &context->event);
    } else if (ending == LAB_KILLED) {
        lab_unit_recover(unit);
        lab_event_again(unit, &context->event);
    } else {
        lab_event_failed(model, unit, &context->event);
    }
}

int lab_context_end(struct lab_context *context, enum lab_ending ending, int number,
                    struct charm_error *reterr)
{
    struct lab_unit *unit = context->unit;
    const char *failure = failure_text(context, ending, number);
    if (failure == NULL && ending == LAB_EXITED && unit->life != LAB_DEAD) {
        failure = commit(context);
    }
    int code = 0;
    if (failure != NULL) {
        code = charm_error_set(reterr, CHARM_EREFUSED, "%s", failure);
    }
    unit->running = NULL;
    if (context->event.hook == LAB_TASK) {
        end_task(context, failure);
    } else {
        end_hook(context, ending, failure);
    }
    charm_arena_free(context->arena);
    return code;
}
