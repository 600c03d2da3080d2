/*
 * The lab's `kafka` application: real brokers behind the relation data of a Kafka charm, one a unit.
 *
 * The units that are deployed together are the controllers' quorum; a unit that is added later is a broker alone. Each
 * publishes port, host and, on wish, zookeepers (reactive-framework.md 7.1) once its broker is ready, and takes
 * nothing back when `running=false` stops the brokers: so a charm sees what it sees when Kafka is down.
 */
#include "lab/app.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/text.h"
#include "lab/broker.h"
#include "lab/net.h"

enum { MOST_BROKERS = 16 };

struct member {
    char unit[64]; /* "": its unit is gone */
    struct lab_broker broker;
    bool announced; /* the address has been published once; a stopped broker takes nothing back */
};

struct kafka_app {
    struct member members[MOST_BROKERS];
    size_t count;
    char voters[1024];
    int voter_count;
    struct charm_arena *arena;    /* of what stands below */
    struct lab_security security; /* shared by the brokers */
    bool secured;                 /* option security was set at deploy */
};

static const char metadata[] = "{\"name\": \"kafka\", \"summary\": \"real Apache Kafka brokers\","
                               " \"provides\": {\"kafka\": {\"interface\": \"kafka\"}}}";

static const char options[] =
    "{\"options\": {"
    "\"running\": {\"type\": \"boolean\", \"default\": true, \"description\":"
    " \"false stops the brokers and leaves everything else as it is\"},"
    "\"stopped\": {\"type\": \"string\", \"default\": \"\", \"description\":"
    " \"names of units, separated by blanks, whose brokers are stopped\"},"
    "\"zookeepers\": {\"type\": \"string\", \"default\": \"\", \"description\":"
    " \"published as it is under the key zookeepers; empty: those of a Kafka that has them\"},"
    "\"security\": {\"type\": \"string\", \"default\": \"\", \"description\":"
    " \"set at deploy, brokers have the listeners PLAINTEXT, SASL_SSL, SSL and WRONG_NAME"
    " (lab/broker_security.h); which of them is published\"},"
    "\"users\": {\"type\": \"string\", \"default\": \"connect=connect-secret"
    " stranger=stranger-secret\", \"description\":"
    " \"NAME=PASSWORD words for SASL, read at deploy; connect may do all, others nothing\"},"
    "\"properties\": {\"type\": \"string\", \"default\": \"\", \"description\":"
    " \"further lines of server.properties, read at each start\"}}}";

static struct member *member_of(struct kafka_app *state, const char *unit)
{
    for (size_t i = 0; i < state->count; i++) {
        if (charmi_same(state->members[i].unit, unit)) {
            return &state->members[i];
        }
    }
    return NULL;
}

/* ---- relation data: reactive-framework.md 7.1 ---- */

/* A Kafka of the time of ZooKeeper tells where that is. */
static const char *zookeepers_of(struct lab_app *app, const struct lab_broker *broker)
{
    const char *wish = charm_text(lab_app_config(app, "zookeepers"));
    if (wish[0] != '\0' || !broker->with_zookeeper) {
        return wish;
    }
    return charm_arena_printf(lab_app_arena(app),
                              "[{\"host\": \"%s\", \"port\": \"%d\", \"rest_port\": \"9998\"}]",
                              broker->address, broker->controller_port);
}

static const char *security_of(struct lab_app *app)
{
    return charm_text(lab_app_config(app, "security"));
}

static int port_of(struct lab_app *app, const struct lab_broker *broker)
{
    return broker->security == NULL ? broker->port : lab_broker_port(broker, security_of(app));
}

static void publish_on(struct lab_app *app, const struct member *member, const char *relation)
{
    struct charm_arena *arena = lab_app_arena(app);
    lab_app_set(app, relation, member->unit, "port",
                charm_arena_printf(arena, "%d", port_of(app, &member->broker)));
    lab_app_set(app, relation, member->unit, "host", member->broker.address);
    lab_app_set(app, relation, member->unit, "zookeepers", zookeepers_of(app, &member->broker));
}

static void publish(struct lab_app *app)
{
    const struct kafka_app *state = lab_app_state(app);
    const struct charm_value *relations = lab_app_relations(app, "kafka");
    for (size_t i = 0; i < charm_value_size(relations); i++) {
        for (size_t k = 0; k < state->count; k++) {
            if (state->members[k].announced && state->members[k].unit[0] != '\0') {
                publish_on(app, &state->members[k], charm_text(charm_value_at(relations, i)));
            }
        }
    }
}

/* ---- status ---- */

static void say_state(struct lab_app *app, const struct member *member)
{
    const struct lab_broker *broker = &member->broker;
    switch (broker->state) {
    case LAB_BROKER_READY:
        lab_app_set_status(app, member->unit, "active", "broker at %s:%d", broker->address,
                           broker->port);
        break;
    case LAB_BROKER_STOPPED:
        lab_app_set_status(app, member->unit, "maintenance", "stopped (by configuration)");
        break;
    case LAB_BROKER_FAILED:
        lab_app_set_status(app, member->unit, "blocked", "%s", broker->failure);
        break;
    case LAB_BROKER_FORMATTING:
    case LAB_BROKER_STARTING:
    case LAB_BROKER_STOPPING:
        lab_app_set_status(app, member->unit, "maintenance", "%s",
                           lab_broker_state_name(broker->state));
        break;
    }
}

/* ---- brokers come and go ---- */

static bool shall_run(struct lab_app *app, const struct member *member)
{
    const struct charmi_words stopped =
        charmi_split(lab_app_arena(app), charm_text(lab_app_config(app, "stopped")), " \t\r\n");
    return member->unit[0] != '\0' && charm_value_true(lab_app_config(app, "running")) &&
           !charmi_words_have(&stopped, member->unit);
}

/* Starts or stops the broker as configured. */
static int follow(struct lab_app *app, struct member *member, struct charm_error *reterr)
{
    int code = 0;
    if (shall_run(app, member)) {
        code = lab_broker_start(&member->broker, charm_text(lab_app_config(app, "properties")),
                                reterr);
    } else {
        lab_broker_ask_stop(&member->broker, lab_app_now_ms(app));
    }
    if (member->unit[0] != '\0') {
        say_state(app, member);
    }
    return code;
}

static int number_of(const char *unit)
{
    const char *slash = strrchr(unit, '/');
    return slash == NULL ? 0 : (int)strtol(slash + 1, NULL, 10);
}

/* A broker of its own for the unit, in a folder of its own; not started. */
static int add_member(struct lab_app *app, const char *unit, struct charm_error *reterr)
{
    struct kafka_app *state = lab_app_state(app);
    struct charm_arena *arena = lab_app_arena(app);
    const int number = number_of(unit);
    const char *dir = charm_arena_printf(arena, "%s/%d", lab_app_dir(app), number);
    if (state->count == MOST_BROKERS) {
        return charm_error_set(reterr, CHARM_EFAILED, "the lab has had %d brokers, no more will do",
                               MOST_BROKERS);
    }
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        return charm_error_os(reterr, errno, "make directory %s", dir);
    }
    const struct lab_broker_options how = {
        .home = lab_app_setting(app, "kafka-home"),
        .dir = dir,
        .address = lab_net_address(arena, LAB_NET_BROKER, number),
        .id = number + 1,
        .security = state->secured ? &state->security : NULL,
    };
    struct member *member = &state->members[state->count++];
    *member = (struct member){ 0 };
    snprintf(member->unit, sizeof(member->unit), "%s", unit);
    return lab_broker_init(&member->broker, &how, reterr);
}

/* ---- the driver's functions ---- */

static int follow_config(struct lab_app *app, struct charm_error *reterr)
{
    struct kafka_app *state = lab_app_state(app);
    if (state->secured && lab_broker_port(&state->members[0].broker, security_of(app)) == 0) {
        return charm_error_set(reterr, CHARM_EINVAL, "option security: there is no such listener");
    }
    publish(app);
    int worst = 0;
    for (size_t i = 0; i < state->count; i++) {
        const int code = follow(app, &state->members[i], reterr);
        worst = worst == 0 ? code : worst;
    }
    return worst;
}

/* All units of today make the quorum, each under the ports that were just chosen for it. */
static void make_quorum(struct kafka_app *state)
{
    size_t used = 0;
    for (size_t i = 0; i < state->count; i++) {
        used += (size_t)snprintf(state->voters + used, sizeof(state->voters) - used, "%s%s",
                                 i == 0 ? "" : ",", lab_broker_voter(&state->members[i].broker));
    }
    state->voter_count = (int)state->count;
    for (size_t i = 0; i < state->count; i++) {
        lab_broker_join(&state->members[i].broker, state->voters, state->voter_count);
    }
}

/* One set of certificates, users and rights for all brokers that there may ever be. */
static int secure(struct lab_app *app, struct kafka_app *state, struct charm_error *reterr)
{
    struct charmi_words addresses = { 0 };
    if (charmi_blank(security_of(app))) {
        return 0;
    }
    state->arena = charm_arena_new();
    for (int i = 0; i < MOST_BROKERS; i++) {
        charmi_words_add(state->arena, &addresses,
                         lab_net_address(state->arena, LAB_NET_BROKER, i));
    }
    const int code = lab_security_make(
        state->arena, charm_arena_printf(state->arena, "%s/security", lab_app_dir(app)), &addresses,
        charm_text(lab_app_config(app, "users")), &state->security, reterr);
    state->secured = code == 0;
    return code;
}

static int start(struct lab_app *app, struct charm_error *reterr)
{
    struct kafka_app *state = charmi_malloc(sizeof(*state));
    *state = (struct kafka_app){ 0 };
    lab_app_state_set(app, state);
    int code = secure(app, state, reterr);
    if (code != 0) {
        return code;
    }
    const struct charm_value *units = lab_app_units(app);
    for (size_t i = 0; i < charm_value_size(units); i++) {
        code = add_member(app, charm_text(charm_value_at(units, i)), reterr);
        if (code != 0) {
            return code;
        }
    }
    make_quorum(state);
    return follow_config(app, reterr);
}

static int unit_added(struct lab_app *app, const char *unit, struct charm_error *reterr)
{
    struct kafka_app *state = lab_app_state(app);
    struct member *member = member_of(state, unit);
    int code = 0;
    if (member == NULL) {
        code = add_member(app, unit, reterr);
        member = member_of(state, unit);
        if (code != 0 || member == NULL) {
            return code;
        }
        lab_broker_join(&member->broker, state->voters, state->voter_count);
        code = follow(app, member, reterr);
    }
    lab_app_set_address(app, unit, member->broker.address);
    say_state(app, member);
    return code;
}

static int unit_removed(struct lab_app *app, const char *unit, struct charm_error *reterr)
{
    struct member *member = member_of(lab_app_state(app), unit);
    if (member == NULL) {
        return 0;
    }
    member->unit[0] = '\0';
    return follow(app, member, reterr);
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

static void tick_member(struct lab_app *app, struct member *member)
{
    struct lab_broker *broker = &member->broker;
    if (!lab_broker_tick(broker, lab_app_now_ms(app)) || member->unit[0] == '\0') {
        return;
    }
    say_state(app, member);
    lab_app_log(app, member->unit, broker->state == LAB_BROKER_FAILED ? "ERROR" : "INFO",
                "broker %s%s%s", lab_broker_state_name(broker->state),
                broker->state == LAB_BROKER_FAILED ? ": " : "", broker->failure);
    if (broker->state == LAB_BROKER_READY) {
        member->announced = true;
        lab_app_set_version(app, version_of(broker->java.home));
        publish(app);
    }
    struct charm_error error = { 0 };
    if (broker->state == LAB_BROKER_STOPPED && shall_run(app, member) &&
        follow(app, member, &error) != 0) {
        lab_app_log(app, member->unit, "ERROR", "%s", error.text);
    }
}

static void tick(struct lab_app *app)
{
    struct kafka_app *state = lab_app_state(app);
    for (size_t i = 0; i < state->count; i++) {
        tick_member(app, &state->members[i]);
    }
}

static void stop(struct lab_app *app)
{
    struct kafka_app *state = lab_app_state(app);
    if (state == NULL) {
        return;
    }
    for (size_t i = 0; i < state->count; i++) {
        lab_broker_ask_stop(&state->members[i].broker, lab_app_now_ms(app));
    }
    for (size_t i = 0; i < state->count; i++) {
        lab_broker_release(&state->members[i].broker);
    }
    if (state->arena != NULL) {
        charm_arena_free(state->arena);
    }
    free(state);
    lab_app_state_set(app, NULL);
}

const struct lab_driver lab_kafka_driver = {
    .name = "kafka",
    .summary = "real Apache Kafka brokers, one a unit",
    .metadata = metadata,
    .config = options,
    .start = start,
    .unit_added = unit_added,
    .unit_removed = unit_removed,
    .config_changed = follow_config,
    .relation_joined = relation_joined,
    .tick = tick,
    .stop = stop,
};
