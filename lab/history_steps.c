/* The steps of a history: what an operator, Juju and others do to the world; and how it is healed in the end. */
#include <string.h>

#include "base/memory.h"
#include "lab/history_internal.h"

enum {
    LEASE_MS = 31000,                /* a yes of is-leader holds for 30 s: contract 2.3 */
    LOOK_AGAIN_MS = 2 * 3600 * 1000, /* topics are looked at every hour */
};

/* ---- steps ---- */

/* A charm that speaks the other side of everything that this one speaks, under the same names. */
static struct lab_charm counterpart(struct lab_world *world)
{
    struct charm_value *metadata = charm_value_new_map(world->arena);
    const struct charm_value *own = world->base->charm.metadata;
    charm_value_set_text(metadata, "name", "counterpart");
    charm_value_set(metadata, "requires", charm_value_get(own, "provides"));
    charm_value_set(metadata, "provides", charm_value_get(own, "requires"));
    return (struct lab_charm){ .name = "counterpart", .metadata = metadata };
}

static const char *app_behind(const char *endpoint)
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

void lab_world_relate(struct lab_world *world, const char *endpoint)
{
    struct charm_arena *arena = world->arena;
    const char *name = app_behind(endpoint);
    struct lab_application *app = lab_model_app(world->model, name);
    struct lab_relation *relation;
    if (app == NULL) {
        const struct lab_charm charm = counterpart(world);
        CHARMI_IGNORE(lab_model_deploy(world->model, name, &charm, 1, &app, NULL), "a good charm");
    }
    CHARMI_IGNORE(lab_model_relate(
                      world->model, charm_arena_printf(arena, "%s:%s", world->app->name, endpoint),
                      charm_arena_printf(arena, "%s:%s", name, endpoint), &relation, NULL),
                  "refused, as Juju does, when it is there already");
}

static void remove_relation(struct lab_world *world, const char *endpoint)
{
    struct charm_arena *arena = world->arena;
    CHARMI_IGNORE(lab_model_remove_relation(
                      world->model, charm_arena_printf(arena, "%s:%s", world->app->name, endpoint),
                      charm_arena_printf(arena, "%s:%s", app_behind(endpoint), endpoint), NULL),
                  "refused when there is none");
}

void lab_world_options(struct lab_world *world, const struct charm_value *config)
{
    CHARM_EACH(config, it)
    {
        const char *text = charm_value_kind(it.value) == CHARM_NULL ? NULL : charm_text(it.value);
        CHARMI_IGNORE(lab_model_config_set(world->model, world->app, it.key, text, NULL),
                      "the drawn values have the right types");
    }
}

static void write_remote(struct lab_world *world, const struct charm_value *remote)
{
    CHARM_EACH(remote, it)
    {
        struct lab_unit *unit = lab_model_unit(world->model, it.key);
        struct lab_seat *seat = unit == NULL ? NULL : lab_world_seat(world, "kafka", unit);
        if (seat != NULL && charm_value_get(it.value, "port") != NULL) {
            lab_world_put(&seat->bag, "host", LAB_KAFKA); /* as whoever has a port says it */
        }
        CHARM_EACH(seat == NULL ? NULL : it.value, data)
        {
            lab_world_put(&seat->bag, data.key, charm_text(data.value));
        }
    }
}

static struct lab_unit *named(const struct lab_world *world, const struct charm_value *step,
                              const char *key)
{
    const char *name = charm_text(charm_value_get(step, key));
    struct lab_unit *unit = name[0] == '\0' ? NULL : lab_model_unit(world->model, name);
    return unit != NULL && unit->life != LAB_DEAD ? unit : NULL;
}

static void change_units(struct lab_world *world, const struct charm_value *step)
{
    struct lab_unit *removed = named(world, step, "remove-unit");
    struct lab_unit *lost = named(world, step, "lose-unit");
    struct lab_unit *leader = named(world, step, "leader");
    const char *add = charm_text(charm_value_get(step, "add-unit"));
    struct lab_application *app = lab_model_app(world->model, add);
    if (app != NULL) {
        struct lab_unit *unit;
        CHARMI_IGNORE(lab_model_add_unit(world->model, app, &unit, NULL), "refused when dying");
    }
    if (removed != NULL) {
        CHARMI_IGNORE(lab_model_remove_unit(world->model, removed,
                                            charm_value_true(charm_value_get(step, "force")), NULL),
                      "it is there");
    }
    if (lost != NULL && lost->app == world->app) {
        lab_model_lose_unit(world->model, lost);
    }
    if (leader != NULL && leader->app == world->app && lab_unit_lives(leader)) {
        lab_model_elect(world->model, world->app, leader);
    }
}

static void ask(struct lab_world *world, const struct charm_value *step)
{
    const char *action = charm_text(charm_value_get(step, "action"));
    struct lab_unit *unit = named(world, step, "unit");
    if (action[0] != '\0' && unit != NULL && unit->app == world->app && !unit->lost) {
        const struct charm_value *params = charm_value_get(step, "params");
        struct lab_task *task;
        CHARMI_IGNORE(lab_model_run_action(
                          world->model, unit, action,
                          params != NULL ? params : charm_value_new_map(world->arena), &task, NULL),
                      "refused when its parameters are wrong");
    }
}

void lab_world_word(struct lab_world *world, const char *word)
{
    for (struct lab_unit *unit = world->app->units; unit != NULL; unit = unit->next) {
        if (!lab_unit_lives(unit)) {
            continue;
        }
        if (charmi_same(word, "update-status")) {
            unit->update_status_wanted = true;
        } else if (charmi_starts_with(word, "resolved")) {
            CHARMI_IGNORE(
                lab_model_resolved(world->model, unit, charmi_same(word, "resolved"), NULL),
                "refused when it is not in error");
        }
    }
    if (charmi_same(word, "upgrade")) {
        CHARMI_IGNORE(lab_model_upgrade(world->model, world->app, &world->base->charm, NULL),
                      "a good charm");
    }
}

void lab_world_config(struct lab_world *world, const char *option, const char *value)
{
    struct charm_value *config = charm_value_new_map(world->arena);
    charm_value_set(config, option, charm_value_new_text(world->arena, value));
    lab_world_options(world, config);
}

/* ---- what people do to the workers and to Kafka by hand ---- */

static void put_connectors(struct lab_world *world, const char *name, const char *state,
                           const struct charm_value *config)
{
    struct charm_value *what = charm_value_new_map(world->arena);
    struct charm_value *all = charm_value_add_map(what, "connectors");
    CHARM_EACH(lab_connect_connectors(world->connect), it)
    {
        charm_value_set(charm_value_add_map(all, it.key), "config", it.value);
    }
    if (config != NULL) {
        charm_value_set(charm_value_add_map(all, name), "config", config);
    } else if (state == NULL) {
        charm_value_remove(all, name);
    }
    if (state != NULL && charm_value_get(all, name) != NULL) {
        struct charm_value *entry = charm_value_add_map(all, name);
        charm_value_set(entry, "config",
                        charm_value_get(lab_connect_connectors(world->connect), name));
        charm_value_set_text(entry, "state", state);
        charm_value_append_text(charm_value_add_list(entry, "tasks"), state);
    }
    lab_connect_set(world->connect, what);
}

void lab_world_put_connector(struct lab_world *world, const char *name, const char *config)
{
    put_connectors(world, name, NULL, charm_value_decode(world->arena, config));
}

/* {put: NAME, config}, {delete: NAME}, {fail: NAME}: somebody else's hand. Names that the charm owns are not put. */
static void by_hand(struct lab_world *world, const struct charm_value *what)
{
    const char *name = charm_text(charm_value_get(what, "put"));
    const char *delete = charm_text(charm_value_get(what, "delete"));
    const char *fail = charm_text(charm_value_get(what, "fail"));
    const struct charm_value *owned = lab_world_app_state(world, "connectors");
    if (name[0] != '\0' && charm_value_get(owned, name) == NULL &&
        charm_value_get(lab_connect_connectors(world->connect), name) == NULL) {
        struct charm_value *config =
            charm_value_copy(world->arena, charm_value_get(what, "config"));
        charm_value_set_text(config, "name", name);
        charm_value_set(world->strangers, name, config);
        put_connectors(world, name, NULL, config);
    }
    if (delete[0] != '\0') {
        charm_value_remove(world->strangers, delete);
        put_connectors(world, delete, NULL, NULL);
    }
    if (fail[0] != '\0') {
        put_connectors(world, fail, "FAILED", NULL);
    }
}

void lab_world_brokers(struct lab_world *world, const struct charm_value *what)
{
    CHARMI_IGNORE(lab_brokers_set(world->brokers, what, NULL), "drawn from what it takes");
}

/* {name: configs, delete: true} or {name, policy, partitions}: an administrator's hand at a topic that is there. */
static void change_topic(struct lab_world *world, const struct charm_value *what)
{
    const char *name =
        charm_arena_printf(world->arena, "%s.%s.connect%s", world->model->options.name,
                           world->app->name, charm_text(charm_value_get(what, "name")));
    if (charm_value_get(lab_brokers_topics(world->brokers), name) == NULL) {
        return;
    }
    struct charm_value *all = charm_value_copy(world->arena, lab_brokers_topics(world->brokers));
    struct charm_value *topic = charm_value_copy(world->arena, charm_value_get(all, name));
    charm_value_update(topic, what);
    if (charm_value_true(charm_value_get(what, "delete"))) {
        charm_value_remove(all, name);
    } else {
        charm_value_set(all, name, topic);
    }
    struct charm_value *set = charm_value_new_map(world->arena);
    world->topics_touched = true;
    charm_value_set(set, "topics", all);
    lab_world_brokers(world, set);
}

static void set_rest(struct lab_world *world, const struct charm_value *what)
{
    if (charm_value_kind(what) == CHARM_MAP) {
        lab_connect_set(world->connect, what);
        world->lied_to = true;
    } else {
        world->rest_down = charmi_same(charm_text(what), "down");
    }
}

static void set_deployer(struct lab_world *world, const char *word)
{
    CHARMI_IGNORE(lab_deployer_set(world->deployer, word, NULL), "drawn from what it takes");
    world->deployer_told = true;
}

static void change_outside(struct lab_world *world, const struct charm_value *step)
{
    const struct charm_value *rest = charm_value_get(step, "rest");
    const struct charm_value *kafka = charm_value_get(step, "kafka");
    const struct charm_value *topic = charm_value_get(step, "topic");
    const struct charm_value *hand = charm_value_get(step, "by-hand");
    const char *deployer = charm_text(charm_value_get(step, "deployer"));
    if (rest != NULL) {
        set_rest(world, rest);
    }
    if (kafka != NULL) {
        lab_world_brokers(world, kafka);
    }
    if (topic != NULL) {
        change_topic(world, topic);
    }
    if (hand != NULL) {
        by_hand(world, hand);
    }
    if (deployer[0] != '\0') {
        set_deployer(world, deployer);
    }
}

/* The step without what Juju refuses now: a scenario would end there. */
static const struct charm_value *without_refused(const struct lab_world *world,
                                                 const struct charm_value *step)
{
    static const char *const units[] = { "remove-unit", "lose-unit", "leader", NULL };
    struct charm_value *kept = charm_value_copy(world->arena, step);
    const char *removed = charm_text(charm_value_get(step, "remove-relation"));
    CHARM_EACH(charm_value_get(step, "relate"), it)
    {
        if (lab_world_relation(world, it.key) != NULL) {
            charm_value_remove(kept, "relate");
        }
    }
    if (lab_world_relation(world, removed) == NULL) {
        charm_value_remove(kept, "remove-relation");
    }
    for (size_t i = 0; units[i] != NULL; i++) {
        if (named(world, step, units[i]) == NULL) {
            charm_value_remove(kept, units[i]);
        }
    }
    CHARM_EACH(charm_value_get(step, "remote"), it)
    {
        const struct lab_unit *unit = lab_model_unit(world->model, it.key);
        if (unit == NULL || lab_world_seat(world, "kafka", unit) == NULL) {
            charm_value_remove(kept, "remote");
        }
    }
    if (lab_model_app(world->model, charm_text(charm_value_get(step, "add-unit"))) == NULL) {
        charm_value_remove(kept, "add-unit");
    }
    if (charmi_starts_with(charm_text(charm_value_get(step, "word")), "resolved")) {
        charm_value_remove(kept, "word"); /* a scenario retries nothing by itself */
    }
    return kept;
}

void lab_world_act(struct lab_world *world, const struct charm_value *step)
{
    const char *removed = charm_text(charm_value_get(step, "remove-relation"));
    lab_tell(world, "%s\n", charm_value_render(world->arena, step, CHARM_JSON_COMPACT));
    const struct charm_value *said =
        world->options.said == NULL ? NULL : without_refused(world, step);
    change_outside(world, step);
    lab_world_options(world, charm_value_get(step, "config"));
    CHARM_EACH(charm_value_get(step, "relate"), it)
    {
        if (charmi_same(it.key, "kafka")) {
            world->kafka_is_silent = charmi_same(charm_text(it.value), "joined");
        }
        lab_world_relate(world, it.key);
    }
    write_remote(world, charm_value_get(step, "remote"));
    if (removed[0] != '\0') {
        remove_relation(world, removed);
    }
    change_units(world, step);
    ask(world, step);
    lab_world_word(world, charm_text(charm_value_get(step, "word")));
    lab_model_set_time(world->model, world->model->now_ms +
                                         charm_value_int(charm_value_get(step, "clock-ms"), 0));
    lab_say(world, said);
}

/* In the middle of a run. Leadership moves only when the last yes of is-leader is old: Juju promises that. */
void lab_world_happen(struct lab_world *world, const struct charm_value *step)
{
    const bool moves_leader = charm_value_get(step, "leader") != NULL ||
                              charm_value_get(step, "lose-unit") != NULL ||
                              charm_value_get(step, "remove-unit") != NULL;
    if (charm_value_get(step, "config") != NULL) { /* the run has read its options, or has not */
        world->wanted_before = lab_wanted_connectors(world);
        world->adopted_before = lab_may_adopt(world);
    }
    if (moves_leader) {
        lab_skin_pass_time(world->skin, LEASE_MS);
    }
    lab_world_act(world, step);
}

/* ---- the world heals ---- */

static struct charm_value *read_json(struct lab_world *world, const char *text)
{
    return charm_value_decode(world->arena, text);
}

/* Everything outside of Juju works again, and nobody lies any more. */
void lab_world_heal(struct lab_world *world)
{
    static const char healed[] = "{\"kafka\": \"up\", \"rest\": {\"script\": []}, \"deployer\": "
                                 "\"complete\"}";
    lab_tell(world, "---- heal\n");
    lab_say(world, read_json(world, healed));
    lab_world_brokers(world, read_json(world, "\"up\""));
    lab_world_brokers(world,
                      read_json(world, "{\"brokers\": 3, \"lag\": 0, \"look-error\": 0,"
                                       " \"create-error\": 0, \"credentials\": \"accepted\"}"));
    set_rest(world, read_json(world, "{\"script\": []}"));
    world->rest_down = false;
    world->lied_to = false;
    set_deployer(world, "complete");
    CHARM_EACH(lab_connect_connectors(world->connect), it)
    {
        put_connectors(world, it.key, "RUNNING", NULL);
    }
    for (struct lab_unit *unit = world->app->units; unit != NULL; unit = unit->next) {
        unit->fault_refuse_commit = false;
        unit->fault_state_only = false;
        unit->fault_leader_lost = false;
    }
    lab_model_set_time(world->model, world->model->now_ms + LOOK_AGAIN_MS);
}

static void right_options(struct lab_world *world)
{
    struct charm_value *config = charm_value_new_map(world->arena);
    CHARM_EACH(world->app->config, it)
    {
        if (lab_option_is_wrong(it.key, charm_value_scalar(world->arena, it.value))) {
            charm_value_set_null(config, it.key);
        }
    }
    lab_world_options(world, config);
}

static void right_topics(struct lab_world *world)
{
    static const struct {
        const char *name;
        const char *mend;
    } topics[] = {
        { "configs", "{\"name\": \"configs\", \"policy\": \"compact\", \"partitions\": 1}" },
        { "offsets", "{\"name\": \"offsets\", \"policy\": \"compact\"}" },
        { "status", "{\"name\": \"status\", \"policy\": \"compact\"}" },
    };
    for (size_t i = 0; i < CHARMI_COUNT(topics); i++) {
        change_topic(world, read_json(world, topics[i].mend));
    }
}

static bool has_living_unit(const struct lab_application *app)
{
    for (const struct lab_unit *unit = app == NULL ? NULL : app->units; unit != NULL;
         unit = unit->next) {
        if (unit->life == LAB_ALIVE && !unit->lost) {
            return true;
        }
    }
    return false;
}

static void man(struct lab_world *world, struct lab_application *app)
{
    struct lab_unit *unit;
    if (app != NULL && !has_living_unit(app)) {
        CHARMI_IGNORE(lab_model_add_unit(world->model, app, &unit, NULL), "it is alive");
    }
}

/* What only a person can do: as the statuses say. */
void lab_world_repair(struct lab_world *world)
{
    static const char *const needed[] = { "kafka", "kubernetes", "website", NULL };
    lab_tell(world, "---- repair\n");
    for (struct lab_unit *unit = world->app->units; unit != NULL; unit = unit->next) {
        if (unit->lost && unit->life != LAB_DEAD) {
            CHARMI_IGNORE(lab_model_remove_unit(world->model, unit, true, NULL), "it is there");
        }
    }
    man(world, world->app);
    remove_relation(world, "kafka-client");
    world->kafka_is_silent = false;
    for (size_t i = 0; needed[i] != NULL; i++) {
        lab_world_relate(world, needed[i]);
        man(world, lab_model_app(world->model, app_behind(needed[i])));
    }
    struct lab_relation *kafka = lab_world_relation(world, "kafka");
    for (struct lab_seat *seat = kafka == NULL ? NULL : kafka->seats; seat != NULL;
         seat = seat->next) {
        if (seat->unit->app != world->app && charm_value_get(seat->bag.values, "port") == NULL) {
            charm_value_remove(seat->bag.values, "host"); /* it says again where it listens */
        }
    }
    right_options(world);
    right_topics(world);
    lab_model_set_time(world->model, world->model->now_ms + LOOK_AGAIN_MS);
}
