/*
 * The lab's `kafka` application: a real broker behind the relation data of a Kafka charm.
 *
 * It publishes port, host and, on wish, zookeepers (reactive-framework.md 7.1) once the broker is ready, and takes
 * nothing back when `running=false` stops the broker: so a charm sees what it sees when Kafka is down.
 */
#include "lab/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "lab/broker.h"
#include "lab/net.h"

struct kafka_app {
    struct lab_broker broker;
    bool announced; /* the address has been published once; a stopped broker takes nothing back */
};

static const char metadata[] = "{\"name\": \"kafka\", \"summary\": \"a real Apache Kafka broker\","
                               " \"provides\": {\"kafka\": {\"interface\": \"kafka\"}}}";

static const char options[] =
    "{\"options\": {"
    "\"running\": {\"type\": \"boolean\", \"default\": true, \"description\":"
    " \"false stops the broker and leaves everything else as it is\"},"
    "\"zookeepers\": {\"type\": \"string\", \"default\": \"\", \"description\":"
    " \"published as it is under the key zookeepers, unless empty\"},"
    "\"properties\": {\"type\": \"string\", \"default\": \"\", \"description\":"
    " \"further lines of server.properties, read at each start\"}}}";

static const char *first_unit(struct lab_app *app)
{
    return charm_text(charm_value_at(lab_app_units(app), 0));
}

/* ---- relation data: reactive-framework.md 7.1 ---- */

static void publish_on(struct lab_app *app, const struct kafka_app *state, const char *relation)
{
    const char *unit = first_unit(app);
    struct charm_arena *arena = lab_app_arena(app);
    lab_app_set(app, relation, unit, "port", charm_arena_printf(arena, "%d", state->broker.port));
    lab_app_set(app, relation, unit, "host", state->broker.address);
    lab_app_set(app, relation, unit, "zookeepers", charm_text(lab_app_config(app, "zookeepers")));
}

static void publish(struct lab_app *app)
{
    const struct kafka_app *state = lab_app_state(app);
    if (!state->announced) {
        return;
    }
    const struct charm_value *relations = lab_app_relations(app, "kafka");
    for (size_t i = 0; i < charm_value_size(relations); i++) {
        publish_on(app, state, charm_text(charm_value_at(relations, i)));
    }
}

/* ---- status ---- */

static void say_state(struct lab_app *app, const struct lab_broker *broker)
{
    const char *unit = first_unit(app);
    switch (broker->state) {
    case LAB_BROKER_READY:
        lab_app_set_status(app, unit, "active", "broker at %s:%d", broker->address, broker->port);
        break;
    case LAB_BROKER_STOPPED:
        lab_app_set_status(app, unit, "maintenance", "stopped (running=false)");
        break;
    case LAB_BROKER_FAILED:
        lab_app_set_status(app, unit, "blocked", "%s", broker->failure);
        break;
    case LAB_BROKER_FORMATTING:
    case LAB_BROKER_STARTING:
    case LAB_BROKER_STOPPING:
        lab_app_set_status(app, unit, "maintenance", "%s", lab_broker_state_name(broker->state));
        break;
    }
}

/* ---- the driver's functions ---- */

static int start_broker(struct lab_app *app, struct kafka_app *state, struct charm_error *reterr)
{
    const int code =
        lab_broker_start(&state->broker, charm_text(lab_app_config(app, "properties")), reterr);
    say_state(app, &state->broker);
    return code;
}

static int follow_config(struct lab_app *app, struct charm_error *reterr)
{
    struct kafka_app *state = lab_app_state(app);
    publish(app);
    if (charm_value_true(lab_app_config(app, "running"))) {
        return start_broker(app, state, reterr);
    }
    lab_broker_ask_stop(&state->broker, lab_app_now_ms(app));
    say_state(app, &state->broker);
    return 0;
}

static int start(struct lab_app *app, struct charm_error *reterr)
{
    struct kafka_app *state = charmi_malloc(sizeof(*state));
    *state = (struct kafka_app){ 0 };
    lab_app_state_set(app, state);
    const char *address = lab_net_address(lab_app_arena(app), LAB_NET_BROKER, 0);
    const int code = lab_broker_init(&state->broker, lab_app_setting(app, "kafka-home"),
                                     lab_app_dir(app), address, reterr);
    return code != 0 ? code : follow_config(app, reterr);
}

static int unit_added(struct lab_app *app, const char *unit, struct charm_error *reterr)
{
    (void)reterr;
    const struct kafka_app *state = lab_app_state(app);
    if (charmi_same(unit, first_unit(app))) {
        lab_app_set_address(app, unit, state->broker.address);
        say_state(app, &state->broker);
    } else {
        lab_app_set_status(app, unit, "blocked", "the lab has one broker, that of %s",
                           first_unit(app));
    }
    return 0;
}

static int relation_joined(struct lab_app *app, const char *unit, const char *relation,
                           const char *remote_unit, struct charm_error *reterr)
{
    (void)unit;
    (void)relation;
    (void)remote_unit;
    (void)reterr;
    publish(app);
    return 0;
}

static const char *version_of(const char *home)
{
    const char *slash = strrchr(home, '/');
    return slash == NULL ? home : slash + 1;
}

static void tick(struct lab_app *app)
{
    struct kafka_app *state = lab_app_state(app);
    if (!lab_broker_tick(&state->broker, lab_app_now_ms(app))) {
        return;
    }
    struct lab_broker *broker = &state->broker;
    say_state(app, broker);
    lab_app_log(app, first_unit(app), broker->state == LAB_BROKER_FAILED ? "ERROR" : "INFO",
                "broker %s%s%s", lab_broker_state_name(broker->state),
                broker->state == LAB_BROKER_FAILED ? ": " : "", broker->failure);
    if (broker->state == LAB_BROKER_READY) {
        state->announced = true;
        lab_app_set_version(app, version_of(broker->java.home));
        publish(app);
    }
    struct charm_error error = { 0 };
    if (broker->state == LAB_BROKER_STOPPED && charm_value_true(lab_app_config(app, "running")) &&
        start_broker(app, state, &error) != 0) {
        lab_app_log(app, first_unit(app), "ERROR", "%s", error.text);
    }
}

static void stop(struct lab_app *app)
{
    struct kafka_app *state = lab_app_state(app);
    if (state != NULL) {
        lab_broker_release(&state->broker);
        free(state);
        lab_app_state_set(app, NULL);
    }
}

const struct lab_driver lab_kafka_driver = {
    .name = "kafka",
    .summary = "a real Apache Kafka broker",
    .metadata = metadata,
    .config = options,
    .start = start,
    .unit_added = unit_added,
    .config_changed = follow_config,
    .relation_joined = relation_joined,
    .tick = tick,
    .stop = stop,
};
