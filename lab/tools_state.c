/* state-get, state-set, state-delete: contract 3.14, 9.12. And leader-get, leader-set: 3.8. */
#include <string.h>

#include "base/memory.h"
#include "lab/tools_internal.h"

enum { LONGEST_KEY = 256, LONGEST_VALUE = 65536 };

static void state_get(struct lab_call *call)
{
    const char *key = lab_arg(call, 0);
    if (!lab_args_at_most(call, 1)) {
        return;
    }
    struct charm_value *state = lab_context_state(call->context);
    if (key == NULL || key[0] == '\0' || charmi_same(key, "-")) {
        const bool null = charm_value_size(state) == 0 &&
                          lab_model_at_least(call->context->model, 4, 0); /* juju/juju#22523 */
        lab_tool_print(call, null ? NULL : state);
        return;
    }
    const struct charm_value *value = charm_value_get(state, key);
    if (value == NULL && lab_flag(call, "strict") != NULL) {
        lab_tool_fail(call, "\"%s\" not found", key);
        return;
    }
    lab_tool_print(call, value == NULL ? charm_value_new_text(call->arena, "") : value);
}

static void state_set(struct lab_call *call)
{
    struct charm_value *pairs;
    if (!lab_tool_pairs(call, 0, &pairs)) {
        return;
    }
    CHARM_EACH(pairs, it)
    {
        if (strlen(it.key) > LONGEST_KEY) {
            lab_tool_fail(call, "max allowed key length (%d) exceeded", (int)LONGEST_KEY);
            return;
        }
        if (strlen(charm_text(it.value)) > LONGEST_VALUE) {
            lab_tool_fail(call, "max allowed value length (%d) exceeded", (int)LONGEST_VALUE);
            return;
        }
    }
    struct charm_value *state = lab_context_state(call->context);
    CHARM_EACH(pairs, it)
    {
        charm_value_set_text(state, it.key, charm_text(it.value));
    }
    call->context->state_written = call->context->state_written || charm_value_size(pairs) > 0;
    lab_tool_done(call);
}

static void state_delete(struct lab_call *call)
{
    const char *key = lab_arg(call, 0);
    if (key == NULL || key[0] == '\0') {
        lab_tool_usage(call, "missing key");
        return;
    }
    if (!lab_args_at_most(call, 1)) {
        return;
    }
    struct charm_value *state = lab_context_state(call->context);
    if (charm_value_get(state, key) != NULL) {
        charm_value_remove(state, key);
        call->context->state_written = true;
    }
    lab_tool_done(call);
}

static void leader_get(struct lab_call *call)
{
    struct lab_context *context = call->context;
    const char *key = lab_arg(call, 0);
    if (key != NULL && strchr(key, '=') != NULL) {
        lab_tool_usage(call, "invalid key \"%s\"", key);
        return;
    }
    if (!lab_args_at_most(call, 1)) {
        return;
    }
    if (context->leader_settings == NULL) {
        context->leader_settings =
            charm_value_copy(context->arena, context->unit->app->leader_settings);
    }
    const bool all = key == NULL || key[0] == '\0' || charmi_same(key, "-");
    lab_tool_print(call,
                   all ? context->leader_settings : charm_value_get(context->leader_settings, key));
}

/* At once, not buffered: contract 2.2. */
static void leader_set(struct lab_call *call)
{
    struct lab_application *app = call->context->unit->app;
    struct charm_value *pairs;
    if (!lab_tool_pairs(call, 0, &pairs)) {
        return;
    }
    if (!lab_context_leads(call->context)) {
        lab_tool_fail(call, "cannot write leadership settings: cannot write settings: not the "
                            "leader");
        return;
    }
    struct lab_bag bag = { .values = app->leader_settings };
    bool changed = false;
    CHARM_EACH(pairs, it)
    {
        changed = lab_bag_put(&bag, it.key, charm_text(it.value)) || changed;
    }
    app->leader_settings_version += changed ? 1 : 0;
    call->context->unit->leader_settings_seen = app->leader_settings_version;
    call->context->leader_settings = NULL;
    lab_tool_done(call);
}

const struct lab_tool lab_tools_state[] = {
    {
        .name = "state-get",
        .run = state_get,
        .output = LAB_OUTPUT_ANY,
        .flags = { { "strict", NULL, LAB_FLAG_BOOL } },
    },
    {
        .name = "state-set",
        .run = state_set,
        .flags = { { "file", NULL, LAB_FLAG_TEXT } },
    },
    { .name = "state-delete", .run = state_delete },
    { .name = "leader-get", .run = leader_get, .output = LAB_OUTPUT_ANY, .until_3 = true },
    { .name = "leader-set", .run = leader_set, .until_3 = true },
    { 0 },
};
