/* The world of a history: what there is, the steps that change it, and the runs of the charm that come of them. */
#include <stdarg.h>
#include <string.h>

#include "base/memory.h"
#include "lab/history_internal.h"

enum {
    FIRST_MS = 1764244800, /* seconds; a day of 2025 */
    BETWEEN_RUNS_MS = 1000,
    MOST_RUNS_A_STEP = 40,
    MOST_RUNS_TO_SETTLE = 300,
    ROUNDS_OF_UPDATE_STATUS = 8,
};

/* ---- what is broken ---- */

void lab_broken(struct lab_world *world, const struct lab_invariant *invariant, const char *format,
                ...)
{
    if (world->result->broken != NULL) {
        return;
    }
    va_list args;
    va_start(args, format);
    world->result->broken = invariant;
    world->result->words = charm_arena_vprintf(world->result_arena, format, args);
    va_end(args);
}

bool lab_is_broken(const struct lab_world *world)
{
    return world->result->broken != NULL;
}

void lab_tell(const struct lab_world *world, const char *format, ...)
{
    if (world->options.story != NULL) {
        va_list args;
        va_start(args, format);
        charmi_buf_vaddf(world->options.story, format, args);
        va_end(args);
    }
}

/* ---- looking ---- */

bool lab_unit_lives(const struct lab_unit *unit)
{
    return unit->life != LAB_DEAD && !unit->lost;
}

struct lab_relation *lab_world_relation(const struct lab_world *world, const char *endpoint)
{
    struct lab_relation *found = NULL;
    for (struct lab_relation *r = world->model->relations; r != NULL; r = r->next) {
        const struct lab_side *own = lab_relation_own(r, world->app);
        if (r->life == LAB_ALIVE && own != NULL && charmi_same(own->endpoint, endpoint)) {
            found = r;
        }
    }
    return found;
}

static struct lab_seat *seat_of(struct lab_relation *relation, const struct lab_unit *unit)
{
    struct lab_seat *seat = relation == NULL ? NULL : relation->seats;
    while (seat != NULL && seat->unit != unit) {
        seat = seat->next;
    }
    return seat;
}

struct lab_seat *lab_world_seat(const struct lab_world *world, const char *endpoint,
                                const struct lab_unit *unit)
{
    return seat_of(lab_world_relation(world, endpoint), unit);
}

const struct charm_value *lab_world_app_state(const struct lab_world *world, const char *key)
{
    struct lab_relation *peer = lab_world_relation(world, "cluster");
    if (peer == NULL) {
        return NULL;
    }
    const char *text = charm_text(charm_value_get(peer->side[0].bag.values, key));
    return text[0] == '\0' ? NULL : charm_value_decode(world->arena, text);
}

bool lab_world_rest_answers(const struct lab_world *world)
{
    return !world->rest_down && lab_deployer_serves(world->deployer);
}

/* ---- the outside, as the charm's ports see it ---- */

/* "/connectors" of "http://10.0.0.31:30083/connectors"; NULL: nobody listens there. */
static const char *path_at_workers(const struct lab_world *world, const char *url)
{
    static const char *const starts[] = { "http://" LAB_NODE ":", "http://" LAB_CLUSTER_IP ":" };
    for (size_t i = 0; lab_world_rest_answers(world) && i < CHARMI_COUNT(starts); i++) {
        if (charmi_starts_with(url, starts[i])) {
            return strchr(url + strlen(starts[i]), '/');
        }
    }
    return NULL;
}

/* A body in which every "topic" has another name. */
static const char *without_topics(struct lab_world *world, const char *body)
{
    char *changed = charm_arena_copy(world->arena, body);
    for (char *at = strstr(changed, "topic"); at != NULL; at = strstr(at, "topic")) {
        at[0] = 'T';
    }
    return changed;
}

static int http(void *userdata, struct charm_arena *arena, const struct kcb_http_request *request,
                struct kcb_http_answer *ret_answer, struct charm_error *reterr)
{
    struct lab_world *world = userdata;
    const char *path = path_at_workers(world, request->url);
    if (path == NULL) {
        return charm_error_set(reterr, CHARM_ENET, "Could not connect: Connection refused");
    }
    const struct lab_request asked = { request->method, path,
                                       request->body == NULL ? "" : request->body };
    const bool read = charmi_same(request->method, "GET");
    if (!read) {
        lab_sabotage(world, LAB_BEFORE_REQUEST);
    }
    lab_check_request(world, &asked);
    struct lab_reply reply = lab_connect_answer(world->connect, &asked);
    if (world->shows_falsely && read) {
        reply.body = without_topics(world, reply.body);
    }
    if (reply.delay_ms > request->timeout_ms) {
        lab_skin_pass_time(world->skin, request->timeout_ms);
        return charm_error_set(reterr, CHARM_ETIMEOUT, "no answer in %lld ms",
                               (long long)request->timeout_ms);
    }
    if (reply.drop) {
        return charm_error_set(reterr, CHARM_ENET, "the connection was cut");
    }
    *ret_answer = (struct kcb_http_answer){
        .status = reply.status,
        .body = charm_arena_copy(arena, reply.body),
        .body_size = strlen(reply.body),
        .content_type = charm_arena_copy(arena, reply.type),
    };
    return 0;
}

static int kafka_look(void *userdata, struct charm_arena *arena, const struct charm_value *settings,
                      const char *const *topics, int64_t timeout_ms,
                      struct kcb_cluster_view *ret_view, struct charm_error *reterr)
{
    const struct lab_world *world = userdata;
    return lab_brokers_look(world->brokers, arena, settings, topics, timeout_ms, ret_view, reterr);
}

static int kafka_create(void *userdata, struct charm_arena *arena,
                        const struct charm_value *settings, const struct kcb_topic_spec *specs,
                        size_t count, int64_t timeout_ms, struct kcb_topic_result *ret_results,
                        struct charm_error *reterr)
{
    struct lab_world *world = userdata;
    for (size_t i = 0; i < count; i++) {
        lab_check_creation(world, &specs[i]);
    }
    return lab_brokers_create(world->brokers, arena, settings, specs, count, timeout_ms,
                              ret_results, reterr);
}

/* ---- faults ---- */

static enum lab_blow strike(void *userdata, const struct lab_unit *unit,
                            const struct lab_point *point)
{
    struct lab_world *world = userdata;
    const int64_t nth = world->points_of_kind[point->kind]++;
    (void)unit;
    world->result->points++;
    for (size_t i = 0; i < world->fault_count; i++) {
        struct lab_fault *fault = &world->faults[i];
        if (fault->done || fault->run != world->run_in_step || fault->at != point->kind ||
            fault->nth != nth) {
            continue;
        }
        fault->done = true;
        world->result->faults++;
        world->disturbed = true;
        lab_tell(world, "    at %s\n", point->what);
        lab_skin_pass_time(world->skin, fault->slow_ms);
        if (fault->act != NULL) {
            lab_world_happen(world, fault->act);
        }
        return fault->blow;
    }
    return LAB_BLOW_NONE;
}

static const char *const kind_names[] = { "tool", "http", "kafka", "file", NULL };
static const char *const blow_names[] = { "none",        "fail",       "hang", "lose",
                                          "kill-before", "kill-after", NULL };

/* What becomes of the commit. */
const char *const lab_commit_blows[] = { "refuse-commit", "state-only", "leader-lost", NULL };

static size_t index_in(const char *const *names, const char *name, size_t fallback)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        if (charmi_same(names[i], name)) {
            return i;
        }
    }
    return fallback;
}

static void take_faults(struct lab_world *world, const struct charm_value *step)
{
    const struct charm_value *list = charm_value_get(step, "faults");
    world->fault_count = charm_value_size(list);
    world->faults = charm_arena_array(world->arena, world->fault_count + 1, sizeof(*world->faults));
    world->run_in_step = 0;
    for (size_t i = 0; i < world->fault_count; i++) {
        const struct charm_value *fault = charm_value_at(list, i);
        const char *blow = charm_text(charm_value_get(fault, "blow"));
        world->faults[i] = (struct lab_fault){
            .run = charm_value_int(charm_value_get(fault, "run"), 0),
            .at = (enum lab_point_kind)index_in(
                kind_names, charm_text(charm_value_get(fault, "at")), LAB_POINT_TOOL),
            .nth = charm_value_int(charm_value_get(fault, "nth"), 0),
            .blow = (enum lab_blow)index_in(blow_names, blow, LAB_BLOW_NONE),
            .slow_ms = charm_value_int(charm_value_get(fault, "slow-ms"), 0),
            .act = charm_value_get(fault, "do"),
        };
        if (charmi_in(lab_commit_blows, blow)) {
            world->faults[i].nth = INT64_MAX; /* behind every point */
        }
    }
}

/* Faults of the commit of the run that begins now. */
static void arm_commit(struct lab_world *world, struct lab_unit *unit,
                       const struct charm_value *step)
{
    const struct charm_value *list = charm_value_get(step, "faults");
    for (size_t i = 0; i < charm_value_size(list); i++) {
        const char *blow = charm_text(charm_value_get(charm_value_at(list, i), "blow"));
        if (world->faults[i].done || world->faults[i].run != world->run_in_step) {
            continue;
        }
        if (charmi_same(blow, "refuse-commit")) {
            unit->fault_refuse_commit = true;
        } else if (charmi_same(blow, "state-only")) {
            unit->fault_state_only = true;
        } else if (charmi_same(blow, "leader-lost")) {
            unit->fault_leader_lost = true;
        } else {
            continue;
        }
        lab_tell(world, "    %s\n", blow);
        world->faults[i].done = true;
        world->result->faults++;
        world->disturbed = true;
    }
}

/* ---- other applications ---- */

bool lab_world_pass(struct lab_world *world, struct lab_unit *unit)
{
    struct lab_event event;
    bool moved = false;
    while (lab_event_next(world->model, unit, &event)) {
        struct lab_context *context = lab_context_begin(world->model, unit, &event);
        CHARMI_IGNORE(lab_context_end(context, LAB_EXITED, 0, NULL), "it did nothing");
        moved = true;
    }
    return moved;
}

bool lab_world_put(struct lab_bag *bag, const char *key, const char *value)
{
    if (!lab_bag_put(bag, key, value)) {
        return false;
    }
    bag->version++;
    return true;
}

/* A unit of Kafka says where it listens, once, when it has come. */
static void publish_kafka(struct lab_world *world)
{
    struct lab_relation *relation = lab_world_relation(world, "kafka");
    for (struct lab_seat *seat = relation == NULL ? NULL : relation->seats; seat != NULL;
         seat = seat->next) {
        if (seat->unit->app != world->app && seat->in_scope && !world->kafka_is_silent &&
            charm_value_get(seat->bag.values, "host") == NULL) {
            lab_world_put(&seat->bag, "host", LAB_KAFKA);
            lab_world_put(&seat->bag, "port",
                          charm_arena_printf(world->arena, "%d",
                                             LAB_KAFKA_PORT + seat->unit->number % LAB_BROKERS));
            lab_world_put(&seat->bag, "password", LAB_SECRET "-of-kafka");
        }
    }
}

static uint64_t mix(uint64_t digest, uint64_t part)
{
    return (digest ^ part) * 0x100000001b3U; /* FNV-1a, a word at a time */
}

/* Changes with everything that the deployer can see. */
static uint64_t sight_of_deployer(const struct lab_relation *relation)
{
    uint64_t digest = 0xcbf29ce484222325U;
    for (const struct lab_seat *seat = relation == NULL ? NULL : relation->seats; seat != NULL;
         seat = seat->next) {
        digest = mix(digest, (uint64_t)(uintptr_t)seat);
        digest = mix(digest, seat->in_scope ? (uint64_t)seat->bag.version + 1 : 0);
    }
    return digest;
}

static struct lab_seat *deployer_seat(struct lab_world *world, struct lab_relation *relation)
{
    struct lab_application *app = lab_model_app(world->model, "deployer");
    for (struct lab_unit *unit = app == NULL ? NULL : app->units; unit != NULL; unit = unit->next) {
        if (lab_unit_lives(unit)) {
            return relation == NULL ? NULL : lab_relation_seat(world->model, relation, unit);
        }
    }
    return NULL;
}

static int by_name(const struct lab_seat *left, const struct lab_seat *right)
{
    return strcmp(left->unit->name, right->unit->name);
}

/* Bags of the application's units that are in the relation, sorted by their names. */
static struct charm_value *requests_of(struct lab_world *world, struct lab_relation *relation)
{
    struct charm_value *bags = charm_value_new_list(world->arena);
    const struct lab_seat *last = NULL;
    for (;;) {
        const struct lab_seat *next = NULL;
        for (const struct lab_seat *seat = relation == NULL ? NULL : relation->seats; seat != NULL;
             seat = seat->next) {
            if (seat->unit->app == world->app && seat->in_scope &&
                (last == NULL || by_name(seat, last) > 0) &&
                (next == NULL || by_name(seat, next) < 0)) {
                next = seat;
            }
        }
        if (next == NULL) {
            return bags;
        }
        charm_value_append(bags, next->bag.values);
        last = next;
    }
}

static bool deployer_acts(struct lab_world *world)
{
    struct lab_relation *relation = lab_world_relation(world, "kubernetes");
    struct lab_seat *own = deployer_seat(world, relation);
    struct lab_application *app = lab_model_app(world->model, "deployer");
    const uint64_t sight = sight_of_deployer(relation);
    if (app == NULL || (sight == world->asked && !world->deployer_told)) {
        return false;
    }
    world->asked = sight;
    world->deployer_told = false;
    lab_deployer_read(world->deployer, requests_of(world, relation));
    const struct charm_value *answer = lab_deployer_answer(world->deployer);
    bool moved = false;
    for (int i = 0; own != NULL && answer != NULL && i < 2; i++) {
        const char *key = i == 0 ? "status" : "workers";
        moved = lab_world_put(&own->bag, key, charm_text(charm_value_get(answer, key))) || moved;
    }
    world->asked = sight_of_deployer(relation);
    return moved;
}

static bool others_act(struct lab_world *world)
{
    bool moved = false;
    for (struct lab_application *app = world->model->applications; app != NULL; app = app->next) {
        for (struct lab_unit *unit = app == world->app ? NULL : app->units; unit != NULL;
             unit = unit->next) {
            moved = lab_world_pass(world, unit) || moved;
        }
    }
    publish_kafka(world);
    return deployer_acts(world) || moved;
}

/* ---- runs ---- */

static void run_unit(struct lab_world *world, struct lab_unit *unit, const struct lab_event *event,
                     const struct charm_value *step)
{
    struct lab_skin_run run;
    world->running = unit;
    world->disturbed =
        unit->fault_refuse_commit || unit->fault_state_only || unit->fault_leader_lost;
    world->led = unit == world->app->leader;
    world->wanted_before = NULL;
    world->adopted_before = false;
    memset(world->points_of_kind, 0, sizeof(world->points_of_kind));
    lab_tell(world, "  %s %s%s\n", unit->name, lab_event_name(world->arena, unit, event),
             unit->app->leader == unit ? " (leads)" : "");
    arm_commit(world, unit, step);
    lab_sabotage(world, LAB_BEFORE_RUN);
    lab_skin_run(world->skin, unit, event, &run);
    world->result->runs++;
    world->run_in_step++;
    lab_model_set_time(world->model, world->model->now_ms + BETWEEN_RUNS_MS);
    lab_tell(world, "    %s\n%s%s", run.end, run.out, run.err);
    lab_tell(world, "    status %s: %s\n", unit->status.word, unit->status.message);
    lab_sabotage(world, LAB_AFTER_RUN);
    lab_check_run(world, unit, &run);
    world->running = NULL;
}

/* The first unit from `from` on, going round, that has something to do. */
static struct lab_unit *next_unit(struct lab_world *world, size_t from, struct lab_event *ret_event)
{
    size_t count = 0;
    for (const struct lab_unit *unit = world->app->units; unit != NULL; unit = unit->next) {
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        struct lab_unit *unit = world->app->units;
        for (size_t skip = (from + i) % count; skip > 0; skip--) {
            unit = unit->next;
        }
        if (lab_unit_lives(unit) && lab_event_next(world->model, unit, ret_event)) {
            return unit;
        }
    }
    return NULL;
}

static uint64_t draw(struct lab_world *world, uint64_t below)
{
    uint64_t z = world->random += 0x9e3779b97f4a7c15U; /* splitmix64, as lab_model_random() */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return (z ^ (z >> 31)) % below;
}

/* At most so many runs, of units in any order. */
static void run_some(struct lab_world *world, int64_t most, const struct charm_value *step)
{
    for (int64_t i = 0; i < most && !lab_is_broken(world); i++) {
        struct lab_event event;
        while (others_act(world)) {
        }
        struct lab_unit *unit = next_unit(world, draw(world, 16), &event);
        if (unit == NULL) {
            return;
        }
        run_unit(world, unit, &event, step);
    }
}

/* Time passes until the next hook in error is tried again. False: none is. */
static bool wait_for_retry(struct lab_world *world)
{
    int64_t due_ms = INT64_MAX;
    for (const struct lab_unit *unit = world->app->units; unit != NULL; unit = unit->next) {
        const int64_t one = lab_event_due_ms(world->model, unit);
        due_ms = lab_unit_lives(unit) && one < due_ms ? one : due_ms;
    }
    if (due_ms == INT64_MAX) {
        return false;
    }
    lab_model_set_time(world->model, due_ms > world->model->now_ms ? due_ms : world->model->now_ms);
    return true;
}

void lab_world_settle(struct lab_world *world)
{
    const size_t before = world->result->runs;
    world->fault_count = 0;
    while (!lab_is_broken(world)) {
        struct lab_event event;
        bool moved = others_act(world);
        for (struct lab_unit *unit = world->app->units; unit != NULL && !lab_is_broken(world);
             unit = unit->next) {
            if (lab_unit_lives(unit) && lab_event_next(world->model, unit, &event)) {
                run_unit(world, unit, &event, NULL);
                moved = true;
            }
        }
        if (world->result->runs - before > MOST_RUNS_TO_SETTLE) {
            lab_broken(world, &lab_comes_to_rest, "%d runs, and still somebody has something to do",
                       MOST_RUNS_TO_SETTLE);
        }
        if (!moved && !wait_for_retry(world)) {
            return;
        }
    }
}

bool lab_world_update_status(struct lab_world *world)
{
    world->wrote = false;
    lab_sabotage(world, LAB_BEFORE_UPDATE_STATUS);
    lab_say_word(world, "update-status");
    for (struct lab_unit *unit = world->app->units; unit != NULL; unit = unit->next) {
        unit->update_status_wanted = lab_unit_lives(unit);
    }
    lab_world_settle(world);
    return world->wrote;
}

void lab_world_step(struct lab_world *world, const struct charm_value *step)
{
    const int64_t runs = charm_value_int(charm_value_get(step, "runs"), MOST_RUNS_A_STEP);
    take_faults(world, step);
    lab_world_act(world, step);
    run_some(world, runs, step);
}

/* ---- the beginning ---- */

/* Of a charm that has no peer relation yet: what ran before the upgrade that brings it. */
static struct lab_charm without_peers(struct lab_world *world)
{
    struct lab_charm charm = world->base->charm;
    struct charm_value *metadata = charm_value_copy(world->arena, charm.metadata);
    charm_value_remove(metadata, "peers");
    charm.metadata = metadata;
    return charm;
}

static int begin(struct lab_world *world, const struct charm_value *history,
                 struct charm_error *reterr)
{
    const char *prelude = charm_text(charm_value_get(history, "prelude"));
    const bool upgraded = charmi_same(prelude, "upgraded");
    const struct lab_charm charm = upgraded ? without_peers(world) : world->base->charm;
    const int units = (int)charm_value_int(charm_value_get(history, "units"), 1);
    const int code = lab_model_deploy(world->model, "connect", &charm, units, &world->app, reterr);
    if (code != 0) {
        return code;
    }
    lab_world_options(world, charm_value_get(history, "config"));
    const struct charm_value *relations = charm_value_get(history, "relations");
    for (size_t i = 0; i < charm_value_size(relations); i++) {
        lab_world_relate(world, charm_text(charm_value_at(relations, i)));
    }
    for (struct lab_unit *unit = upgraded ? world->app->units : NULL; unit != NULL;
         unit = unit->next) {
        while (others_act(world) || lab_world_pass(world, unit)) {
        }
    }
    if (upgraded) {
        lab_world_word(world, "upgrade");
    } else if (charmi_same(prelude, "hooks")) {
        lab_world_settle(world);
    }
    return 0;
}

/* ---- the end ---- */

/* Hooks, then update-status until nobody writes any more. */
static void come_to_rest(struct lab_world *world)
{
    lab_world_settle(world);
    for (int i = 0; i < ROUNDS_OF_UPDATE_STATUS && !lab_is_broken(world); i++) {
        if (!lab_world_update_status(world)) {
            return;
        }
    }
    if (lab_is_broken(world)) {
        return;
    }
    lab_broken(world, &lab_quiet_when_settled, "after %d rounds of update-status runs still write",
               ROUNDS_OF_UPDATE_STATUS);
}

/*
 * A unit that has never led leads. What its agent tells it is that all hooks of its youth are over; what it sees is the
 * world as it is.
 */
static void fresh_leader(struct lab_world *world)
{
    struct lab_unit *unit;
    lab_tell(world, "---- a fresh leader\n");
    CHARMI_IGNORE(lab_model_add_unit(world->model, world->app, &unit, NULL), "it is alive");
    while (lab_world_pass(world, unit)) {
    }
    lab_check_fresh_leader(world, unit);
}

static void play_end(struct lab_world *world)
{
    lab_world_heal(world);
    come_to_rest(world);
    lab_check_settled(world);
    if (!lab_is_broken(world)) {
        lab_world_repair(world);
        come_to_rest(world);
        lab_check_settled(world);
    }
    if (!lab_is_broken(world)) {
        fresh_leader(world);
    }
}

/* ---- the whole ---- */

static void make_outside(struct lab_world *world)
{
    struct charm_arena *arena = world->arena;
    world->brokers = lab_brokers_new(arena, LAB_KAFKA, LAB_KAFKA_PORT);
    world->connect = lab_connect_new(arena);
    world->deployer = lab_deployer_new(arena, LAB_NODE, LAB_NODE_PORT);
    world->strangers = charm_value_new_map(arena);
    world->outside = (struct kcb_ports){
        .userdata = world, .http = http, .kafka_look = kafka_look, .kafka_create = kafka_create
    };
    lab_world_brokers(world, charm_value_decode(arena, "{\"brokers\": 3}"));
}

static void make_skin(struct lab_world *world)
{
    world->skin = lab_skin_new(world->arena, &(struct lab_skin_options){
                                                 .model = world->model,
                                                 .files = world->base->files,
                                                 .reading = lab_base_reading(),
                                                 .outside = &world->outside,
                                                 .strike = strike,
                                                 .userdata = world,
                                             });
    lab_base_link(world->skin);
}

struct lab_world *lab_history_open(const struct lab_base *base, const struct charm_value *history,
                                   const struct lab_history_options *options,
                                   struct charm_error *reterr)
{
    struct charm_arena *arena = charm_arena_new();
    struct lab_world *world = charm_arena_alloc(arena, sizeof(*world));
    const char *juju = charm_text(charm_value_get(history, "juju"));
    const int64_t beginning = charm_value_int(charm_value_get(history, "beginning"), 0);
    *world = (struct lab_world){ .arena = arena, .base = base, .options = *options };
    world->first.words = "";
    world->result = &world->first;
    world->result_arena = arena;
    world->model = lab_model_new(&(struct lab_model_options){
        .juju_version = juju[0] == '\0' ? NULL : juju, .seed = (uint64_t)beginning + 1 });
    lab_model_set_time(world->model, (int64_t)FIRST_MS * 1000);
    make_outside(world);
    make_skin(world);
    if (begin(world, history, reterr) != 0) {
        lab_history_close(world);
        return NULL;
    }
    return world;
}

void lab_history_close(struct lab_world *world)
{
    if (world != NULL) {
        lab_model_free(world->model);
        charm_arena_free(world->arena);
    }
}

void lab_history_go_on(struct charm_arena *arena, struct lab_world *world,
                       const struct charm_value *history, struct lab_history_result *ret_result)
{
    const uint64_t seed = (uint64_t)charm_value_int(charm_value_get(history, "seed"), 1);
    *ret_result = world->first;
    ret_result->words = charm_arena_copy(arena, world->first.words);
    world->result = ret_result;
    world->result_arena = arena;
    world->random = seed;
    world->model->random = seed;
    const struct charm_value *steps = charm_value_get(history, "steps");
    for (size_t i = 0; i < charm_value_size(steps) && !lab_is_broken(world); i++) {
        lab_world_step(world, charm_value_at(steps, i));
    }
    play_end(world);
}

int lab_history_play(struct charm_arena *arena, const struct lab_base *base,
                     const struct charm_value *history, const struct lab_history_options *options,
                     struct lab_history_result *ret_result, struct charm_error *reterr)
{
    struct charm_error error = { 0 };
    struct lab_world *world = lab_history_open(base, history, options, &error);
    if (world == NULL) {
        return charm_error_set(reterr, error.code, "%s", error.text);
    }
    lab_history_go_on(arena, world, history, ret_result);
    lab_history_close(world);
    return 0;
}
