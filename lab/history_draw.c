/* A history from a seed: whatever an operator, Juju, Kafka, the workers and the cluster may do, with faults between. */
#include <string.h>

#include "base/memory.h"
#include "lab/history_internal.h"

enum {
    MOST_STEPS = 6,
    MOST_UNITS = 3,
    MOST_FAULTS = 2,
    RUNS_OF_FAULTS = 6,
};

struct drawing {
    struct charm_arena *arena;
    uint64_t random;
    bool early; /* Juju 4.0: commits apart */
};

static uint64_t below(struct drawing *d, uint64_t limit)
{
    uint64_t z = d->random += 0x9e3779b97f4a7c15U; /* splitmix64, as lab_model_random() */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return (z ^ (z >> 31)) % limit;
}

static bool chance(struct drawing *d, uint64_t percent)
{
    return below(d, 100) < percent;
}

static const char *one_of(struct drawing *d, const char *const *list)
{
    return list[below(d, charmi_list_size(list))];
}

static const char *unit_of(struct drawing *d, const char *app)
{
    return charm_arena_printf(d->arena, "%s/%d", app, (int)below(d, MOST_UNITS));
}

static void read_into(struct drawing *d, struct charm_value *step, const char *key,
                      const char *json)
{
    charm_value_set(step, key, charm_value_decode(d->arena, json));
}

/* ---- steps ---- */

typedef void draw_step(struct drawing *d, struct charm_value *step);

static void put_option(struct drawing *d, struct charm_value *config)
{
    size_t count = 1;
    while (lab_option_values[count].option != NULL) {
        count++;
    }
    const struct lab_option_value *drawn = &lab_option_values[below(d, count)];
    if (drawn->wrong && chance(d, 40)) {
        return; /* mistakes are rarer than good values */
    }
    charm_value_set(config, drawn->option, charm_value_new_text(d->arena, drawn->value));
}

static void draw_config(struct drawing *d, struct charm_value *step)
{
    struct charm_value *config = charm_value_add_map(step, "config");
    do {
        put_option(d, config);
    } while (chance(d, 30));
}

/* Connectors are what most options are about. */
static void draw_connectors(struct drawing *d, struct charm_value *step)
{
    struct charm_value *config = charm_value_add_map(step, "config");
    for (size_t tries = 0; tries < 200 && charm_value_get(config, "connectors") == NULL; tries++) {
        charm_value_clear(config);
        put_option(d, config);
    }
}

static const char *const endpoints[] = { "kafka",      "kubernetes",   "website", "kafka",
                                         "kubernetes", "kafka-client", NULL };

static void draw_relate(struct drawing *d, struct charm_value *step)
{
    charm_value_set_text(charm_value_add_map(step, "relate"), one_of(d, endpoints),
                         chance(d, 20) ? "joined" : "ready");
}

static void draw_remove_relation(struct drawing *d, struct charm_value *step)
{
    charm_value_set_text(step, "remove-relation", one_of(d, endpoints));
}

static void draw_remote(struct drawing *d, struct charm_value *step)
{
    static const char *const data[] = { "{\"port\": null}",
                                        "{\"port\": \"9092\"}",
                                        "{\"port\": \"9093\"}",
                                        "{\"port\": \"none\"}",
                                        ("{\"password\": \"" LAB_SECRET "-of-a-relation\"}"),
                                        NULL };
    struct charm_value *remote = charm_value_add_map(step, "remote");
    read_into(d, remote, unit_of(d, "kafka"), one_of(d, data));
}

static const char *const applications[] = { "connect", "connect", "kafka", "deployer", NULL };

static void draw_add_unit(struct drawing *d, struct charm_value *step)
{
    charm_value_set_text(step, "add-unit", one_of(d, applications));
}

static void draw_remove_unit(struct drawing *d, struct charm_value *step)
{
    charm_value_set_text(step, "remove-unit", unit_of(d, one_of(d, applications)));
    if (chance(d, 20)) {
        charm_value_set_bool(step, "force", true);
    }
}

static void draw_lose_unit(struct drawing *d, struct charm_value *step)
{
    charm_value_set_text(step, "lose-unit", unit_of(d, "connect"));
}

static void draw_leader(struct drawing *d, struct charm_value *step)
{
    charm_value_set_text(step, "leader", unit_of(d, "connect"));
}

static void draw_action(struct drawing *d, struct charm_value *step)
{
    static const char *const actions[] = { "list-connectors", "describe-connector",
                                           "restart-connector", NULL };
    static const char *const connectors[] = { "lines", "orders", "theirs", "nobody", NULL };
    const char *action = one_of(d, actions);
    charm_value_set_text(step, "action", action);
    charm_value_set_text(step, "unit", unit_of(d, "connect"));
    if (!charmi_same(action, "list-connectors")) {
        charm_value_set_text(charm_value_add_map(step, "params"), "name", one_of(d, connectors));
    }
}

static void draw_word(struct drawing *d, struct charm_value *step)
{
    static const char *const words[] = { "update-status",       "update-status", "upgrade",
                                         "resolved --no-retry", "resolved",      NULL };
    charm_value_set_text(step, "word", one_of(d, words));
}

/* What workers may answer instead of the truth, so many times. */
static void draw_rest(struct drawing *d, struct charm_value *step)
{
    static const char *const rules[] = {
        "\"down\"",
        "\"up\"",
        "{\"script\": [{\"status\": 409, \"times\": 3, \"body\": {\"error_code\": 409, "
        "\"message\": "
        "\"Cannot complete request momentarily due to stale configuration\"}}]}",
        "{\"script\": [{\"status\": 500, \"times\": 5, \"body\": {\"error_code\": 500, "
        "\"message\": "
        "\"password=" LAB_SECRET "-of-a-500 was refused\"}}]}",
        "{\"script\": [{\"method\": \"PUT\", \"status\": 400, \"times\": 2, \"body\": "
        "{\"error_code\": "
        "400, \"message\": \"Connector configuration is invalid and contains the following 1 "
        "error(s):\\nInvalid value jdbc:x://me:" LAB_SECRET "-of-a-400@db/x for configuration "
        "connection.url\"}}]}",
        "{\"script\": [{\"method\": \"PUT\", \"drop\": true, \"times\": 1}]}",
        "{\"script\": [{\"method\": \"GET\", \"drop\": true, \"times\": 4}]}",
        "{\"script\": [{\"method\": \"DELETE\", \"status\": 404, \"times\": 1, \"body\": "
        "\"<html>no such page</html>\"}]}",
        "{\"script\": [{\"method\": \"GET\", \"status\": 200, \"times\": 2, \"body\": "
        "\"<html>a proxy</html>\"}]}",
        "{\"script\": [{\"method\": \"GET\", \"status\": 200, \"times\": 2, \"body\": {\"status\": "
        "\"ok\"}}]}",
        "{\"script\": [{\"status\": 404, \"times\": 4, \"body\": {\"error_code\": 404, "
        "\"message\": "
        "\"HTTP 404 Not Found\"}}]}",
        "{\"script\": [{\"delay-ms\": 60000, \"times\": 2}]}",
        "{\"script\": [{\"status\": 401, \"times\": 6, \"body\": \"no\"}]}",
        NULL,
    };
    read_into(d, step, "rest", one_of(d, rules));
}

static void draw_by_hand(struct drawing *d, struct charm_value *step)
{
    static const char *const hands[] = {
        ("{\"put\": \"theirs\", \"config\": {\"connector.class\": \"Mine\", \"password\": "
         "\"" LAB_SECRET "-of-theirs\"}}"),
        "{\"put\": \"lines\", \"config\": {\"connector.class\": \"Mine\"}}",
        "{\"delete\": \"lines\"}",
        "{\"delete\": \"theirs\"}",
        "{\"fail\": \"orders\"}",
        "{\"fail\": \"lines\"}",
        NULL,
    };
    read_into(d, step, "by-hand", one_of(d, hands));
}

static void draw_kafka(struct drawing *d, struct charm_value *step)
{
    static const char *const states[] = {
        "\"down\"",
        "\"up\"",
        "\"up\"",
        "{\"vanish-after\": 1}",
        "{\"vanish-after\": 2}",
        "{\"lag\": 3}",
        "{\"lag\": 30}",
        "{\"brokers\": 1}",
        "{\"brokers\": 3, \"down\": [1]}",
        "{\"create-error\": 29}",
        "{\"create-error\": 7}",
        "{\"create-error\": 0, \"look-error\": 0, \"credentials\": \"accepted\"}",
        "{\"look-error\": 29}",
        "{\"credentials\": \"refused\"}",
        NULL,
    };
    read_into(d, step, "kafka", one_of(d, states));
}

static void draw_topic(struct drawing *d, struct charm_value *step)
{
    static const char *const changes[] = {
        "{\"name\": \"configs\", \"delete\": true}",
        "{\"name\": \"status\", \"delete\": true}",
        "{\"name\": \"configs\", \"partitions\": 3}",
        "{\"name\": \"offsets\", \"policy\": \"delete\"}",
        "{\"name\": \"configs\", \"policy\": \"delete\"}",
        NULL,
    };
    read_into(d, step, "topic", one_of(d, changes));
}

static void draw_deployer(struct drawing *d, struct charm_value *step)
{
    static const char *const words[] = { "complete", "complete", "rolling", "stale", "null",
                                         "failed",   "refused",  "quiet",   NULL };
    charm_value_set_text(step, "deployer", one_of(d, words));
}

static void draw_clock(struct drawing *d, struct charm_value *step)
{
    static const int64_t jumps_ms[] = { 3600000, 7200000, -3600000, 300000, 86400000 };
    charm_value_set_int(step, "clock-ms", jumps_ms[below(d, CHARMI_COUNT(jumps_ms))]);
}

static const struct {
    draw_step *draw;
    uint64_t weight;
} kinds[] = {
    { draw_config, 14 },         { draw_connectors, 14 }, { draw_relate, 6 },
    { draw_remove_relation, 6 }, { draw_remote, 4 },      { draw_add_unit, 7 },
    { draw_remove_unit, 7 },     { draw_lose_unit, 3 },   { draw_leader, 10 },
    { draw_action, 5 },          { draw_word, 8 },        { draw_rest, 10 },
    { draw_by_hand, 6 },         { draw_kafka, 10 },      { draw_topic, 3 },
    { draw_deployer, 9 },        { draw_clock, 4 },
};

static void draw_any(struct drawing *d, struct charm_value *step)
{
    uint64_t all = 0;
    for (size_t i = 0; i < CHARMI_COUNT(kinds); i++) {
        all += kinds[i].weight;
    }
    uint64_t at = below(d, all);
    size_t i = 0;
    while (at >= kinds[i].weight) {
        at -= kinds[i++].weight;
    }
    kinds[i].draw(d, step);
}

/* ---- faults ---- */

static void draw_blow(struct drawing *d, struct charm_value *fault)
{
    static const char *const blows[] = { "fail",        "hang",       "lose",       "kill-before",
                                         "kill-before", "kill-after", "kill-after", NULL };
    const uint64_t what = below(d, 10);
    if (what < 7) {
        charm_value_set_text(fault, "blow", one_of(d, blows));
    } else if (what < 8) {
        charm_value_set_int(fault, "slow-ms", 25000);
    } else {
        static draw_step *const acts[] = { draw_leader, draw_kafka, draw_rest, draw_config };
        acts[below(d, CHARMI_COUNT(acts))](d, charm_value_add_map(fault, "do"));
    }
}

static void draw_fault(struct drawing *d, struct charm_value *fault)
{
    static const char *const at[] = { "tool", "tool", "tool", "http", "kafka", "file", NULL };
    charm_value_set_int(fault, "run", (int64_t)below(d, 1 + below(d, RUNS_OF_FAULTS)));
    if (chance(d, 20)) {
        charm_value_set_text(fault, "blow",
                             d->early && chance(d, 40) ? "state-only"
                             : chance(d, 40)           ? "leader-lost"
                                                       : "refuse-commit");
        return;
    }
    const char *kind = one_of(d, at);
    charm_value_set_text(fault, "at", kind);
    charm_value_set_int(fault, "nth", (int64_t)below(d, charmi_same(kind, "tool") ? 20 : 3));
    draw_blow(d, fault);
}

static void draw_faults(struct drawing *d, struct charm_value *step)
{
    const uint64_t count = chance(d, 50) ? 0 : 1 + below(d, MOST_FAULTS);
    struct charm_value *faults = count == 0 ? NULL : charm_value_add_list(step, "faults");
    for (uint64_t i = 0; i < count; i++) {
        draw_fault(d, charm_value_append_map(faults));
    }
}

/* ---- the whole ---- */

static void draw_beginning(struct drawing *d, struct charm_value *history)
{
    static const char *const versions[] = { "2.9.49", "3.6.4", "3.6.4", "4.0.1", NULL };
    static const char *const all[] = { "kafka", "kubernetes", "website", NULL };
    const char *juju = one_of(d, versions);
    const bool settled = chance(d, 60);
    d->early = charmi_starts_with(juju, "4.");
    charm_value_set_text(history, "juju", juju);
    charm_value_set_int(history, "units", 1 + (int64_t)below(d, 1 + below(d, MOST_UNITS)));
    charm_value_set_text(history, "prelude",
                         settled         ? "hooks"
                         : chance(d, 15) ? "upgraded"
                                         : "none");
    struct charm_value *relations = charm_value_add_list(history, "relations");
    for (size_t i = 0; all[i] != NULL; i++) {
        if (chance(d, settled ? 95 : 60)) {
            charm_value_append_text(relations, all[i]);
        }
    }
    if (chance(d, 60)) {
        struct charm_value *step = charm_value_new_map(d->arena);
        draw_connectors(d, step);
        charm_value_set(history, "config", charm_value_get(step, "config"));
    }
}

struct charm_value *lab_history_draw(struct charm_arena *arena, uint64_t seed)
{
    const uint64_t beginning = seed / LAB_HISTORIES_A_BEGINNING;
    struct drawing d = { .arena = arena, .random = beginning };
    struct charm_value *history = charm_value_new_map(arena);
    charm_value_set_int(history, "seed", (int64_t)seed);
    charm_value_set_int(history, "beginning", (int64_t)beginning);
    draw_beginning(&d, history);
    d.random = ~seed; /* another stream than the beginning's */
    struct charm_value *steps = charm_value_add_list(history, "steps");
    for (uint64_t count = 1 + below(&d, MOST_STEPS); count > 0; count--) {
        struct charm_value *step = charm_value_append_map(steps);
        draw_any(&d, step);
        if (charm_value_get(step, "word") == NULL && chance(&d, 40)) {
            charm_value_set_text(step, "word", "update-status");
        }
        if (chance(&d, 60)) {
            charm_value_set_int(step, "runs", (int64_t)below(&d, 5));
        }
        draw_faults(&d, step);
    }
    return history;
}
