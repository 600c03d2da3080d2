/*
 * Each rule broken on purpose, in one history after another: what looks after it must find out. A check that cannot fail
 * would be none; tests/history/each-invariant-can-fail asks for every one.
 */
#include <string.h>

#include "lab/history_internal.h"

struct sabotage {
    const struct lab_invariant *invariant;
    enum lab_moment when;
    void (*break_it)(struct lab_world *world);
};

static struct lab_bag *leader_bag(struct lab_world *world)
{
    struct lab_seat *seat = lab_world_seat(world, "kubernetes", world->app->leader);
    return seat == NULL ? NULL : &seat->bag;
}

/* The leader's request is another one, and the deployer has not heard of it. */
static void change_request(struct lab_world *world)
{
    struct lab_bag *bag = leader_bag(world);
    if (bag != NULL) {
        lab_bag_put(bag, "resource",
                    "[{\"kind\": \"Deployment\", \"metadata\": {\"name\": \"x\"}}]");
    }
}

static void change_memory(struct lab_world *world)
{
    lab_world_config(world, "memory", "3Gi");
}

static void make_orphan(struct lab_world *world)
{
    lab_world_put_connector(world, "orphan", "{\"connector.class\": \"Nobody's\"}");
}

static void touch_stranger(struct lab_world *world)
{
    charm_value_set(world->strangers, "theirs", charm_value_new_map(world->arena));
}

/* What the workers show is not what they have. */
static void lie_about_configurations(struct lab_world *world)
{
    world->shows_falsely = true;
}

static void forget_what_is_ours(struct lab_world *world)
{
    struct lab_relation *peer = lab_world_relation(world, "cluster");
    if (peer != NULL) {
        lab_bag_put(&peer->side[0].bag, "connectors", "");
    }
}

static void depose_leader(struct lab_world *world)
{
    world->app->leader = NULL;
}

static void hide_brokers(struct lab_world *world)
{
    struct lab_relation *kafka = lab_world_relation(world, "kafka");
    for (struct lab_seat *seat = kafka == NULL ? NULL : kafka->seats; seat != NULL;
         seat = seat->next) {
        lab_bag_put(&seat->bag, "port", "");
    }
}

static void say_all_is_well(struct lab_world *world)
{
    for (struct lab_unit *unit = world->app->units; unit != NULL; unit = unit->next) {
        lab_unit_set_status(world->model, unit, "active", "all is well");
    }
}

/* An option that nobody takes for a secret. */
static void plant_secret(struct lab_world *world)
{
    lab_world_config(world, "group-id", LAB_SECRET "-in-the-open");
}

static void wake_somebody(struct lab_world *world)
{
    struct lab_relation *kafka = lab_world_relation(world, "kafka");
    for (struct lab_seat *seat = kafka == NULL ? NULL : kafka->seats; seat != NULL;
         seat = seat->next) {
        seat->bag.version += seat->unit->app != world->app;
    }
}

/* Topics are looked at again after an hour, and the look is remembered. */
static void let_hours_pass(struct lab_world *world)
{
    lab_model_set_time(world->model, world->model->now_ms + (int64_t)2 * 3600 * 1000);
}

static void damage_state(struct lab_world *world)
{
    for (struct lab_unit *unit = world->app->units; unit != NULL; unit = unit->next) {
        charm_value_set_text(unit->state, "charm/0", "damaged");
    }
}

static void withdraw_request(struct lab_world *world)
{
    struct lab_bag *bag = leader_bag(world);
    if (bag != NULL && world->asking != NULL) {
        lab_bag_put(bag, "resource", "");
    }
}

static const struct sabotage table[] = {
    { &lab_one_wish, LAB_BEFORE_CHECK, change_request },
    { &lab_as_a_fresh_leader, LAB_BEFORE_FRESH_LEADER, change_memory },
    { &lab_wanted_are_live, LAB_BEFORE_CHECK, make_orphan },
    { &lab_no_stranger_touched, LAB_BEFORE_CHECK, touch_stranger },
    { &lab_one_put_a_change, LAB_BEFORE_RUN, lie_about_configurations },
    { &lab_written_down_first, LAB_BEFORE_REQUEST, forget_what_is_ours },
    { &lab_only_the_leader, LAB_BEFORE_REQUEST, depose_leader },
    { &lab_flags_have_grounds, LAB_BEFORE_CHECK, hide_brokers },
    { &lab_statuses_are_true, LAB_BEFORE_CHECK, say_all_is_well },
    { &lab_no_secret, LAB_BEFORE_RUN, plant_secret },
    { &lab_comes_to_rest, LAB_BEFORE_RUN, wake_somebody },
    { &lab_quiet_when_settled, LAB_BEFORE_UPDATE_STATUS, let_hours_pass },
    { &lab_no_run_fails, LAB_BEFORE_RUN, damage_state },
    { &lab_nothing_taken_away, LAB_AFTER_RUN, withdraw_request },
};

void lab_sabotage(struct lab_world *world, enum lab_moment when)
{
    const char *name = world->options.sabotage;
    for (size_t i = 0; name != NULL && i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].when == when && charmi_same(table[i].invariant->name, name)) {
            table[i].break_it(world);
        }
    }
}
