#include "charm/facts.h"

#include <stdlib.h>

#define LEADER_FRESH_MS 20000

void charmi_facts_break(struct charmi_facts *facts, const struct charm_error *error)
{
    if (facts->broken.code == CHARM_OK) {
        facts->broken = *error;
    }
}

/* A map that a tool answers; an empty one, and a broken run, when it does not. */
static const struct charm_value *read_map(struct charmi_facts *facts, const char *const *argv)
{
    const struct charm_value *value = NULL;
    struct charm_error error = { 0 };
    if (charmi_tool_read(facts->tools, argv, CHARMI_ANSWER_MAP, &value, &error) < 0) {
        charmi_facts_break(facts, &error);
        return charm_value_new_map(facts->arena);
    }
    return value;
}

const struct charm_value *charmi_facts_config(struct charmi_facts *facts)
{
    if (facts->config == NULL) {
        facts->config = read_map(facts, CHARMI_ARGV("config-get", "--format=json", "--all"));
    }
    return facts->config;
}

const struct charm_value *charmi_facts_params(struct charmi_facts *facts)
{
    if (facts->params == NULL) {
        facts->params = read_map(facts, CHARMI_ARGV("action-get", "--format=json"));
    }
    return facts->params;
}

/* Unknown leadership is not the same as none: it breaks the run, and Juju retries. */
static void ask_leader(struct charmi_facts *facts)
{
    const struct charm_value *answer = NULL;
    struct charm_error error = { 0 };
    const struct charm_ports *ports = facts->tools->ports;
    int64_t asked_ms = ports->monotonic_ms(ports->userdata);
    if (charmi_tool_read(facts->tools, CHARMI_ARGV("is-leader", "--format=json"),
                         CHARMI_ANSWER_BOOL, &answer, &error) < 0) {
        charmi_facts_break(facts, &error);
    }
    facts->leader_now = charm_value_true(answer);
    facts->leader_yes_ms = asked_ms;
}

bool charmi_facts_leader(struct charmi_facts *facts)
{
    if (!facts->leader_asked) {
        facts->leader_asked = true;
        ask_leader(facts);
        facts->leader = facts->leader_now;
    }
    return facts->leader;
}

bool charmi_facts_still_leader(struct charmi_facts *facts)
{
    if (!charmi_facts_leader(facts)) {
        return false;
    }
    const struct charm_ports *ports = facts->tools->ports;
    if (facts->leader_now &&
        ports->monotonic_ms(ports->userdata) - facts->leader_yes_ms > LEADER_FRESH_MS) {
        ask_leader(facts);
    }
    return facts->leader_now;
}

/* ---- values ---- */

/* The number of a number or boolean. */
static bool as_number(struct charm_arena *arena, const struct charm_value *value, double *ret)
{
    switch (charm_value_kind(value)) {
    case CHARM_BOOL:
        *ret = charm_value_true(value) ? 1 : 0;
        return true;
    case CHARM_INT:
    case CHARM_REAL:
        *ret = strtod(charm_value_scalar(arena, value), NULL);
        return true;
    case CHARM_NULL:
    case CHARM_STRING:
    case CHARM_LIST:
    case CHARM_MAP:
        break;
    }
    return false;
}

static bool number_of(const struct charm_value *value, double *ret)
{
    struct charm_arena *arena = charm_arena_new();
    bool is_number = as_number(arena, value, ret);
    charm_arena_free(arena);
    return is_number;
}

bool charmi_value_is_set(const struct charm_value *value)
{
    double number = 0;
    if (number_of(value, &number)) {
        return number < 0 || number > 0;
    }
    if (charm_value_kind(value) == CHARM_STRING) {
        return charm_text(value)[0] != '\0';
    }
    return charm_value_size(value) > 0;
}

bool charmi_value_is_default(const struct charm_value *value, const struct charm_value *by_default)
{
    double left = 0;
    double right = 0;
    if (number_of(value, &left) && number_of(by_default, &right)) {
        return !(left < right) && !(left > right);
    }
    if (charm_value_kind(value) == CHARM_NULL || charm_value_kind(by_default) == CHARM_NULL) {
        return charm_value_kind(value) == charm_value_kind(by_default);
    }
    return charm_value_equal(value, by_default);
}
