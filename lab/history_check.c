/* The invariants: what must be true of every run, and of the world when it has come to rest. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "lab/history_internal.h"
#include "lab/match.h"

const struct lab_invariant lab_one_wish = {
    "one-wish", "What the deployer sees is exactly one application's wish, its leader's."
};
const struct lab_invariant lab_as_a_fresh_leader = {
    "as-a-fresh-leader", "A unit that leads for the first time publishes the same wish, byte for "
                         "byte, and writes no connector."
};
const struct lab_invariant lab_wanted_are_live = {
    "wanted-are-live",
    "The connectors that are wanted are those of ours that live, as they are wanted, and no others."
};
const struct lab_invariant lab_no_stranger_touched = {
    "no-stranger-touched", "A connector that others made is neither changed nor removed, unless "
                           "the operator lets it be adopted."
};
const struct lab_invariant lab_one_put_a_change = {
    "one-put-a-change", "A connector is written only when it is not as wanted: one PUT a change, "
                        "besides what had no answer."
};
const struct lab_invariant lab_written_down_first = {
    "written-down-first",
    "A connector is made or removed only when the application's state says that it is ours."
};
const struct lab_invariant lab_only_the_leader = {
    "only-the-leader", "Nobody but the leader writes to workers or to Kafka."
};
const struct lab_invariant lab_flags_have_grounds = {
    "flags-have-grounds", "No flag is set without its ground in the world, on any unit."
};
const struct lab_invariant lab_statuses_are_true = {
    "statuses-are-true", "Each unit's status says what is so, and what a person must do."
};
const struct lab_invariant lab_no_secret = { "no-secret",
                                             "No secret shows in anything that is written." };
const struct lab_invariant lab_comes_to_rest = { "comes-to-rest",
                                                 "Hooks do not wake each other without end." };
const struct lab_invariant lab_quiet_when_settled = {
    "quiet-when-settled", "Once all is settled, a further update-status writes nothing."
};
const struct lab_invariant lab_no_run_fails = { "no-run-fails",
                                                "A run to which nothing is done does not fail." };
const struct lab_invariant lab_nothing_taken_away = {
    "nothing-taken-away", "The request for workers is not withdrawn while its grounds are there."
};

const struct lab_invariant *const *lab_history_invariants(void)
{
    static const struct lab_invariant *const all[] = {
        &lab_one_wish,
        &lab_as_a_fresh_leader,
        &lab_wanted_are_live,
        &lab_no_stranger_touched,
        &lab_one_put_a_change,
        &lab_written_down_first,
        &lab_only_the_leader,
        &lab_flags_have_grounds,
        &lab_statuses_are_true,
        &lab_no_secret,
        &lab_comes_to_rest,
        &lab_quiet_when_settled,
        &lab_no_run_fails,
        &lab_nothing_taken_away,
        NULL,
    };
    return all;
}

static struct charm_value *then_of(struct lab_world *world)
{
    struct charm_value *then = charm_value_new_map(world->result_arena);
    world->result->then = then;
    return then;
}

/* ---- secrets ---- */

static void search(struct lab_world *world, const char *where, const char *text)
{
    const char *found = strstr(text, LAB_SECRET);
    if (found != NULL) {
        lab_broken(world, &lab_no_secret, "%s of %s holds %.40s", where, world->running->name,
                   found);
    }
}

static void search_everything(struct lab_world *world, const struct lab_unit *unit,
                              const struct lab_skin_run *run)
{
    search(world, "standard output", run->out);
    search(world, "standard error or the log", run->err);
    for (size_t i = 0; i < charm_value_size(run->calls); i++) {
        const struct charm_value *call = charm_value_at(run->calls, i);
        search(world, "a hook tool's arguments", charm_text(charm_value_get(call, "call")));
        search(world, "a hook tool's input", charm_text(charm_value_get(call, "input")));
    }
    CHARM_EACH(lab_skin_files(world->skin, unit), it)
    {
        search(world, it.key, charm_text(it.value));
    }
    for (const struct lab_task *task = world->model->tasks; task != NULL; task = task->next) {
        if (task->unit == unit && task->completed_ms >= world->model->now_ms - 1000) {
            search(world, "an action's results",
                   charm_value_render(world->arena, task->results, CHARM_JSON_COMPACT));
            search(world, "an action's message", task->message);
        }
    }
}

/* ---- requests to the workers ---- */

/* "a b" of "/connectors/a%20b/config"; NULL: the path is not a connector's. */
static const char *connector_of(struct lab_world *world, const char *path, const char **ret_rest)
{
    static const char start[] = "/connectors/";
    if (!charmi_starts_with(path, start)) {
        return NULL;
    }
    const char *name = path + strlen(start);
    const size_t size = strcspn(name, "/?");
    *ret_rest = name + size;
    return charm_arena_copy_n(world->arena, name, size); /* drawn names need no percent signs */
}

static void check_writer(struct lab_world *world, const char *what)
{
    if (world->running != world->app->leader) {
        lab_broken(world, &lab_only_the_leader, "%s, which does not lead, %s", world->running->name,
                   what);
    }
}

/* As the options are, or were when this run began. */
static bool is_wanted(struct lab_world *world, const char *name, const struct charm_value *config)
{
    const struct charm_value *now = charm_value_get(lab_wanted_connectors(world), name);
    const struct charm_value *before = charm_value_get(world->wanted_before, name);
    return (now != NULL && charm_value_equal(now, config)) ||
           (before != NULL && charm_value_equal(before, config));
}

static void check_put(struct lab_world *world, const char *name, const char *body)
{
    const struct charm_value *config = charm_value_decode(world->arena, body);
    struct charm_value *whole = charm_value_new_map(world->arena);
    const struct charm_value *live = charm_value_get(lab_connect_connectors(world->connect), name);
    charm_value_update(whole, config);
    charm_value_set_text(whole, "name", name);
    if (charm_value_get(world->strangers, name) != NULL) {
        lab_broken(world, &lab_no_stranger_touched, "%s puts connector %s, which others made",
                   world->running->name, name);
    }
    if (charm_value_equal(whole, live) && !world->lied_to) {
        lab_broken(world, &lab_one_put_a_change, "%s puts connector %s, which is so already",
                   world->running->name, name);
    }
    if (!is_wanted(world, name, whole)) {
        lab_broken(world, &lab_one_put_a_change, "%s puts connector %s, which nobody wants so",
                   world->running->name, name);
    }
    world->puts++;
}

/* The last unit that goes takes the application's connectors with it. */
static bool is_last_and_goes(const struct lab_world *world)
{
    for (const struct lab_unit *unit = world->app->units; unit != NULL; unit = unit->next) {
        if (unit->life != LAB_DEAD && unit != world->running) {
            return false;
        }
    }
    return world->running->life == LAB_DYING;
}

static void check_delete(struct lab_world *world, const char *name)
{
    const struct charm_value *wanted = lab_wanted_connectors(world);
    if (charm_value_get(world->strangers, name) != NULL) {
        lab_broken(world, &lab_no_stranger_touched, "%s removes connector %s, which others made",
                   world->running->name, name);
    }
    const bool was_unwanted =
        world->wanted_before != NULL && charm_value_get(world->wanted_before, name) == NULL;
    if ((wanted == NULL || charm_value_get(wanted, name) != NULL) && !was_unwanted &&
        !is_last_and_goes(world)) {
        lab_broken(world, &lab_wanted_are_live, "%s removes connector %s, which is wanted",
                   world->running->name, name);
    }
}

static bool runs_action(const struct lab_world *world)
{
    return world->running->running != NULL && world->running->running->event.hook == LAB_TASK;
}

void lab_check_request(struct lab_world *world, const struct lab_request *request)
{
    const char *rest = "";
    const char *name = connector_of(world, request->path, &rest);
    const bool put = charmi_same(request->method, "PUT") && charmi_same(rest, "/config");
    const bool delete = charmi_same(request->method, "DELETE") && rest[0] == '\0';
    if (charmi_same(request->method, "GET") || runs_action(world) || lab_is_broken(world)) {
        return;
    }
    check_writer(world,
                 charm_arena_printf(world->arena, "sends %s %s", request->method, request->path));
    if (world->lied_to && charmi_ends_with(request->path, "/config/validate")) {
        return; /* it takes these workers for old ones */
    }
    if (name != NULL && charmi_same(request->method, "POST") && strstr(rest, "/restart") != NULL &&
        lab_may_restart(world) && charm_value_get(world->strangers, name) == NULL) {
        return;
    }
    if (name == NULL || (!put && !delete)) {
        lab_broken(world, &lab_one_put_a_change, "%s sends %s %s, for which there is no ground",
                   world->running->name, request->method, request->path);
        return;
    }
    if (charm_value_get(lab_world_app_state(world, "connectors"), name) == NULL) {
        lab_broken(world, &lab_written_down_first,
                   "%s sends %s for connector %s, which is not ours", world->running->name,
                   request->method, name);
    }
    if (put) {
        check_put(world, name, request->body);
    } else {
        check_delete(world, name);
    }
}

void lab_check_creation(struct lab_world *world, const struct kcb_topic_spec *spec)
{
    const char *start = charm_arena_printf(world->arena, "%s.%s.connect",
                                           world->model->options.name, world->app->name);
    check_writer(world, charm_arena_printf(world->arena, "makes topic %s", spec->name));
    if (!charmi_starts_with(spec->name, start)) {
        lab_broken(world, &lab_no_stranger_touched, "%s makes topic %s, which is not ours",
                   world->running->name, spec->name);
    }
}

/* ---- after each run ---- */

static bool is_write(const char *call)
{
    static const char *const tools[] = { "relation-set ", "state-set ",
                                         "status-set ",   "application-version-set ",
                                         "state-delete ", NULL };
    for (size_t i = 0; tools[i] != NULL; i++) {
        if (charmi_starts_with(call, tools[i])) {
            return true;
        }
    }
    return false;
}

static void note_writes(struct lab_world *world, const struct lab_skin_run *run)
{
    for (size_t i = 0; i < charm_value_size(run->calls); i++) {
        const char *call = charm_text(charm_value_get(charm_value_at(run->calls, i), "call"));
        world->wrote = world->wrote || is_write(call);
    }
}

/* What is ours now and was made by others must have been adopted with the operator's leave. */
static void check_adopted(struct lab_world *world)
{
    const struct charm_value *owned = lab_world_app_state(world, "connectors");
    struct charmi_words adopted = { 0 };
    CHARM_EACH(world->strangers, it)
    {
        if (charm_value_get(owned, it.key) != NULL) {
            charmi_words_add(world->arena, &adopted, it.key);
        }
    }
    for (size_t i = 0; i < adopted.size; i++) {
        if (!lab_may_adopt(world) && !world->adopted_before) {
            lab_broken(world, &lab_no_stranger_touched, "%s takes over connector %s without leave",
                       world->running->name, adopted.at[i]);
        }
        charm_value_remove(world->strangers, adopted.at[i]);
    }
}

/* Has the unit been told of a remote unit there, and (if `key` is not NULL) of this number of it? What it has not been told
 * of is no ground yet. */
static bool knows_of(const struct lab_world *world, const struct lab_unit *unit,
                     const char *endpoint, const char *key)
{
    const struct lab_relation *relation = lab_world_relation(world, endpoint);
    const struct lab_view *view = relation == NULL ? NULL : lab_unit_view(unit, relation);
    for (const struct lab_member *member = view == NULL ? NULL : view->members; member != NULL;
         member = member->next) {
        if (member->joined &&
            (key == NULL || charm_value_int(charm_value_get(member->cache, key), 0) > 0)) {
            return true;
        }
    }
    return false;
}

/* The leader's request went though everything that it stands on is there. */
static void check_not_withdrawn(struct lab_world *world, const struct lab_unit *unit,
                                const struct lab_skin_run *run)
{
    const struct lab_seat *seat = lab_world_seat(world, "kubernetes", unit);
    const bool asks =
        seat != NULL && charm_text(charm_value_get(seat->bag.values, "resource"))[0] != '\0';
    const bool asked = world->asking == unit;
    if (asks) {
        world->asking = unit;
    } else if (asked) {
        world->asking = NULL;
        const struct lab_wanted wanted = lab_wanted_of_leader(world);
        if (world->led && unit == world->app->leader && wanted.running && unit->life == LAB_ALIVE &&
            knows_of(world, unit, "kafka", "port") && knows_of(world, unit, "kubernetes", NULL) &&
            !world->topics_touched) {
            lab_broken(world, &lab_nothing_taken_away, "%s withdraws its request in %s: %s",
                       unit->name, run->end, run->out);
        }
    }
}

void lab_check_run(struct lab_world *world, struct lab_unit *unit, const struct lab_skin_run *run)
{
    note_writes(world, run);
    search_everything(world, unit, run);
    if (!charmi_same(run->end, "ok") && !world->disturbed) {
        lab_broken(world, &lab_no_run_fails, "%s: %s\n%s", unit->name, run->end, run->err);
    }
    check_adopted(world);
    check_not_withdrawn(world, unit, run);
}

/* ---- settled: the request to the deployer ---- */

static const char *request_of(const struct lab_world *world, const struct lab_unit *unit)
{
    const struct lab_seat *seat = lab_world_seat(world, "kubernetes", unit);
    return charm_text(charm_value_get(seat == NULL ? NULL : seat->bag.values, "resource"));
}

/* A unit whose machine is dead, and whose request stands beside the leader's as another one; NULL: there is none. */
static const struct lab_unit *dead_asker(const struct lab_world *world)
{
    const struct lab_unit *leader = world->app->leader;
    const char *request = leader == NULL ? "" : request_of(world, leader);
    for (const struct lab_unit *unit = world->app->units; unit != NULL; unit = unit->next) {
        const char *theirs = request_of(world, unit);
        if (unit->lost && unit->life != LAB_DEAD && theirs[0] != '\0' &&
            !charmi_same(theirs, request)) {
            return unit;
        }
    }
    return NULL;
}

/* Each object of the leader's request is what the cluster has. */
static void check_cluster(struct lab_world *world, const char *request)
{
    const struct charm_value *objects = charm_value_decode(world->arena, request);
    for (size_t i = 0; i < charm_value_size(objects); i++) {
        const struct charm_value *object = charm_value_at(objects, i);
        const char *kind = charm_text(charm_value_get(object, "kind"));
        if (!charm_value_equal(object, lab_deployer_object(world->deployer, kind))) {
            lab_broken(world, &lab_one_wish, "the cluster's %s is not the one that is asked for",
                       kind);
        }
    }
}

static void check_wish(struct lab_world *world, const struct lab_wanted *wanted)
{
    const struct lab_unit *leader = world->app->leader;
    for (const struct lab_unit *unit = world->app->units; unit != NULL; unit = unit->next) {
        const bool asks = request_of(world, unit)[0] != '\0';
        if (!lab_unit_lives(unit) || unit == leader) {
            continue;
        }
        if (asks) {
            lab_broken(world, &lab_one_wish, "%s asks the deployer, and does not lead", unit->name);
        }
    }
    if (leader == NULL) {
        return;
    }
    const char *request = request_of(world, leader);
    if (wanted->running && wanted->config_right && request[0] == '\0') {
        lab_broken(world, &lab_one_wish, "%s leads and asks for nothing", leader->name);
    }
    if (dead_asker(world) != NULL) {
        return; /* the status names that unit */
    }
    if (lab_deployer_versions(world->deployer) > 1) {
        lab_broken(world, &lab_one_wish, "the deployer sees %zu different requests",
                   lab_deployer_versions(world->deployer));
    }
    if (request[0] != '\0') {
        check_cluster(world, request);
    } else if (lab_deployer_object(world->deployer, "Deployment") != NULL &&
               lab_world_relation(world, "kubernetes") != NULL && wanted->kubernetes) {
        lab_broken(world, &lab_one_wish, "nobody asks for workers, and the cluster has them");
    }
}

/* ---- settled: connectors ---- */

static void check_connectors(struct lab_world *world, const struct lab_wanted *wanted)
{
    const struct charm_value *live = lab_connect_connectors(world->connect);
    CHARM_EACH(world->strangers, it)
    {
        if (!charm_value_equal(it.value, charm_value_get(live, it.key))) {
            lab_broken(world, &lab_no_stranger_touched, "connector %s is not as others made it",
                       it.key);
        }
    }
    if (world->app->leader == NULL || !wanted->running || !wanted->connectors_right ||
        dead_asker(world) != NULL) {
        return;
    }
    CHARM_EACH(wanted->connectors, it)
    {
        const bool foreign = charm_value_get(world->strangers, it.key) != NULL;
        if (!foreign && !charm_value_equal(it.value, charm_value_get(live, it.key))) {
            charm_value_set(then_of(world), "connectors",
                            charm_value_copy(world->result_arena, wanted->connectors));
            lab_broken(world, &lab_wanted_are_live, "connector %s is wanted and is not there so",
                       it.key);
        }
    }
    CHARM_EACH(live, it)
    {
        if (charm_value_get(wanted->connectors, it.key) == NULL &&
            charm_value_get(world->strangers, it.key) == NULL) {
            lab_broken(world, &lab_wanted_are_live, "connector %s lives and nobody wants it",
                       it.key);
        }
    }
    CHARM_EACH(lab_world_app_state(world, "connectors"), it)
    {
        if (charm_value_get(wanted->connectors, it.key) == NULL) {
            lab_broken(world, &lab_wanted_are_live, "connector %s is written down as ours", it.key);
        }
    }
}

/* ---- settled: flags ---- */

static bool has_text(const struct charm_value *list, const char *text)
{
    for (size_t i = 0; i < charm_value_size(list); i++) {
        if (charmi_same(charm_text(charm_value_at(list, i)), text)) {
            return true;
        }
    }
    return false;
}

/* The record of the unit's last run, which was a steady one. */
static const struct charm_value *steady_record(const struct lab_world *world,
                                               const struct lab_unit *unit)
{
    CHARM_EACH(lab_skin_files(world->skin, unit), it)
    {
        if (charmi_ends_with(it.key, "/.charm/steady.json")) {
            return charm_value_decode(world->arena, charm_text(it.value));
        }
    }
    return NULL;
}

static void check_flag(struct lab_world *world, const struct lab_unit *unit,
                       const struct charm_value *flags, const char *flag, bool ground)
{
    if (has_text(flags, flag) != ground) {
        world->result->unit = charm_arena_copy(world->result_arena, unit->name);
        charm_value_append_text(charm_value_add_list(then_of(world), ground ? "flags" : "no-flags"),
                                flag);
        lab_broken(world, &lab_flags_have_grounds, "%s: %s is%s set", unit->name, flag,
                   ground ? " not" : "");
    }
}

static void check_flags(struct lab_world *world, const struct lab_unit *unit,
                        const struct lab_wanted *wanted)
{
    const bool leads = unit == world->app->leader;
    const struct charm_value *flags = charm_value_get(steady_record(world, unit), "flags");
    if (flags == NULL) {
        lab_broken(world, &lab_flags_have_grounds, "%s has no record of a steady run", unit->name);
        return;
    }
    const bool topics = leads && wanted->kafka_ready && wanted->topics_right;
    const bool workers = topics && wanted->kubernetes;
    const struct {
        const char *flag;
        bool ground;
    } grounds[] = {
        { "leadership.is_leader", leads },
        { "kafka.ready", wanted->kafka_ready },
        { "endpoint.kubernetes.available", wanted->kubernetes },
        { "kafka-connect-base.configured", workers },
        { "kafka-connect.running", workers },
        { "kafka-connect.degraded", false },
    };
    /* workers that run go on with a topic that is wrong: decision 007 */
    const bool may_go_on = leads && wanted->kafka_ready && wanted->kubernetes && !topics;
    for (size_t i = 0; i < CHARMI_COUNT(grounds) - (may_go_on ? 3 : 0); i++) {
        check_flag(world, unit, flags, grounds[i].flag, grounds[i].ground);
    }
    if (!leads ||
        wanted->kafka_ready) { /* without brokers nobody can see topics: it stays as it was */
        check_flag(world, unit, flags, "kafka-connect-base.topic-created", topics);
    }
}

/* ---- settled: statuses ---- */

static void check_status(struct lab_world *world, const struct lab_unit *unit,
                         const struct lab_wanted *wanted)
{
    const char *expected = lab_wanted_status(world, unit, wanted);
    const struct lab_unit *dead = unit == world->app->leader ? dead_asker(world) : NULL;
    if (dead != NULL) {
        if (request_of(world, unit)[0] == '\0' || !charmi_starts_with(expected, "active ")) {
            return; /* something else is to be done first */
        }
        expected =
            charm_arena_printf(world->arena, "blocked *juju remove-unit --force %s*", dead->name);
    }
    const char *seen =
        charm_arena_printf(world->arena, "%s %s", unit->status.word, unit->status.message);
    if (!lab_match(expected, seen)) {
        world->result->unit = charm_arena_copy(world->result_arena, unit->name);
        charm_value_set_text(then_of(world), "status", expected);
        lab_broken(world, &lab_statuses_are_true, "%s says '%s', want '%s'", unit->name, seen,
                   expected);
    }
}

void lab_check_settled(struct lab_world *world)
{
    if (lab_is_broken(world)) {
        return;
    }
    lab_sabotage(world, LAB_BEFORE_CHECK);
    const struct lab_wanted wanted = lab_wanted_of_leader(world);
    check_connectors(world, &wanted);
    check_wish(world, &wanted);
    const struct lab_unit *dead = dead_asker(world);
    for (const struct lab_unit *unit = world->app->units; unit != NULL; unit = unit->next) {
        if (lab_unit_lives(unit) && !lab_is_broken(world)) {
            if (dead == NULL) {
                check_flags(world, unit, &wanted);
            }
            check_status(world, unit, &wanted);
        }
    }
}

/* ---- a fresh leader ---- */

void lab_check_fresh_leader(struct lab_world *world, struct lab_unit *unit)
{
    const char *before = charm_arena_copy(world->arena, request_of(world, world->app->leader));
    const size_t puts = world->puts;
    lab_world_settle(world);
    lab_sabotage(world, LAB_BEFORE_FRESH_LEADER);
    lab_model_elect(world->model, world->app, unit);
    lab_world_settle(world);
    while (!lab_is_broken(world) && lab_world_update_status(world)) {
    }
    if (lab_is_broken(world)) {
        return;
    }
    if (!charmi_same(request_of(world, unit), before)) {
        lab_broken(world, &lab_as_a_fresh_leader, "the request changes:\n%s\n%s", before,
                   request_of(world, unit));
    }
    if (world->puts != puts) {
        lab_broken(world, &lab_as_a_fresh_leader, "%zu connectors are put again",
                   world->puts - puts);
    }
    lab_check_settled(world);
}
