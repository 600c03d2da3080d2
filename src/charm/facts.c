#include "charm/facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

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

/* ---- secrets ---- */

/* Juju's words made into what a person can do (juju-contract.md 3.16). */
static int explain_refusal(const struct charmi_facts *facts, const char *uri,
                           const struct charm_error *said, struct charm_error *reterr)
{
    if (said->code == CHARM_EREFUSED && strstr(said->text, "permission denied") != NULL) {
        return charm_error_set(reterr, CHARM_EREFUSED,
                               "%s is not granted to this application: juju grant-secret %s %s",
                               uri, uri, facts->context->application);
    }
    if (said->code == CHARM_EREFUSED && strstr(said->text, "not found") != NULL) {
        return charm_error_set(reterr, CHARM_ENOTFOUND,
                               "there is no %s: juju secrets lists those that there are", uri);
    }
    /* Not a person's matter, as far as is known: the next hook asks again. */
    return charm_error_set(reterr, said->code == CHARM_ETIMEOUT ? CHARM_ETIMEOUT : CHARM_EFAILED,
                           "%s", said->text);
}

/* --refresh: the newest content, and Juju tells of the next. Without it the one that was read first stays. */
static int read_secret(struct charmi_facts *facts, const char *uri,
                       const struct charm_value **ret_content, struct charm_error *reterr)
{
    if (charmi_starts_with(facts->context->juju_version, "2.")) {
        return charm_error_set(reterr, CHARM_EINVAL, "Juju %s has no secrets: they came with 3.0",
                               facts->context->juju_version);
    }
    const struct charm_value *content = NULL;
    struct charm_error said = { 0 };
    if (charmi_tool_read(facts->tools, CHARMI_ARGV("secret-get", "--format=json", uri, "--refresh"),
                         CHARMI_ANSWER_BAG, &content, &said) < 0) {
        return explain_refusal(facts, uri, &said, reterr);
    }
    *ret_content = content;
    return 0;
}

const struct charmi_secret *charmi_facts_secret(struct charmi_facts *facts, const char *uri)
{
    for (struct charmi_secret *at = facts->secrets; at != NULL; at = at->next) {
        if (charmi_same(at->uri, uri)) {
            return at;
        }
    }
    struct charmi_secret *secret = charm_arena_alloc(facts->arena, sizeof(*secret));
    secret->uri = charm_arena_copy(facts->arena, uri);
    secret->next = facts->secrets;
    facts->secrets = secret;
    if (read_secret(facts, secret->uri, &secret->content, &secret->error) < 0) {
        secret->content = NULL;
    }
    return secret;
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
