/* relation-ids, relation-list, relation-get, relation-set: contract 3.3 to 3.7, 9.5 to 9.9. */
#include <string.h>

#include "base/memory.h"
#include "lab/tools_internal.h"

#define RELATION_FLAG                                                                              \
    {                                                                                              \
        "relation", "r", LAB_FLAG_TEXT                                                             \
    }
#define APP_FLAG                                                                                   \
    {                                                                                              \
        "app", NULL, LAB_FLAG_BOOL                                                                 \
    }

static void relation_ids(struct lab_call *call)
{
    const struct lab_context *context = call->context;
    const char *endpoint = lab_arg(call, 0);
    if (!lab_args_at_most(call, 1)) {
        return;
    }
    if (endpoint == NULL && lab_event_is_relation(&context->event)) {
        endpoint = lab_relation_own(context->event.relation, context->unit->app)->endpoint;
    }
    if (endpoint == NULL || endpoint[0] == '\0') {
        lab_tool_usage(call, "no endpoint name specified");
        return;
    }
    struct charmi_words ids = { 0 };
    for (struct lab_relation *relation = context->model->relations; relation != NULL;
         relation = relation->next) {
        const struct lab_side *side = lab_relation_own(relation, context->unit->app);
        if (side != NULL && charmi_same(side->endpoint, endpoint) &&
            lab_context_lists(context, relation)) {
            charmi_words_add(call->arena, &ids,
                             charm_arena_printf(call->arena, "%s:%d", endpoint, relation->id));
        }
    }
    charmi_words_sort(&ids);
    struct charm_value *list = charm_value_new_list(call->arena);
    for (size_t i = 0; i < ids.size; i++) {
        charm_value_append_text(list, ids.at[i]);
    }
    lab_tool_print(call, list);
}

static void relation_list(struct lab_call *call)
{
    if (!lab_need_relation(call) || !lab_args_at_most(call, 0)) {
        return;
    }
    if (lab_flag(call, "app") != NULL) {
        const struct lab_side *other = lab_relation_other(call->relation, call->context->unit->app);
        lab_tool_print(call, charm_value_new_text(call->arena, other->app->name));
        return;
    }
    lab_tool_print(call, lab_context_members(call->context, call->relation));
}

static bool is_unit_name(const char *name)
{
    const char *slash = strrchr(name, '/');
    int64_t number;
    return slash != NULL && slash != name && strchr(name, '/') == slash &&
           charmi_parse_int(slash + 1, 0, INT32_MAX, &number);
}

static bool is_app_name(const char *name)
{
    return name[0] >= 'a' && name[0] <= 'z' && strchr(name, '/') == NULL;
}

/* The name that a bag is asked of, and whether it is an application's. */
struct whose {
    const char *name;
    bool app;
};

static bool find_whose(struct lab_call *call, struct whose *ret_whose)
{
    const struct lab_event *event = &call->context->event;
    struct whose whose = { lab_arg(call, 1), lab_flag(call, "app") != NULL };
    if (whose.name == NULL || whose.name[0] == '\0') {
        if (event->remote != NULL) {
            whose.name = event->remote->name;
        } else if (event->remote_app != NULL) {
            whose.name = event->remote_app->name;
            whose.app = true;
        } else {
            lab_tool_usage(call, "no unit or application specified");
            return false;
        }
    }
    const bool unit = is_unit_name(whose.name);
    if (whose.app && unit) {
        whose.name = charm_arena_copy_n(call->arena, whose.name,
                                        (size_t)(strrchr(whose.name, '/') - whose.name));
    } else if (!whose.app && !unit) {
        lab_tool_usage(call,
                       is_app_name(whose.name) ? "expected unit name, got application name \"%s\""
                                               : "invalid unit name \"%s\"",
                       whose.name);
        return false;
    }
    *ret_whose = whose;
    return true;
}

static void relation_get(struct lab_call *call)
{
    struct whose whose;
    if (!lab_need_relation(call) || !find_whose(call, &whose) || !lab_args_at_most(call, 2)) {
        return;
    }
    struct charm_value *bag;
    struct charm_error error = { 0 };
    const int code =
        whose.app ? lab_context_read_app(call->context, call->relation, whose.name, &bag, &error)
                  : lab_context_read_unit(call->context, call->relation, whose.name, &bag, &error);
    if (code != 0) {
        lab_tool_fail(call, "%s", error.text);
        return;
    }
    const char *key = lab_arg(call, 0);
    const bool all = key == NULL || key[0] == '\0' || charmi_same(key, "-");
    lab_tool_print(call, all ? bag : charm_value_get(bag, key));
}

static void relation_set(struct lab_call *call)
{
    struct charm_value *pairs;
    if (!lab_need_relation(call) || !lab_tool_pairs(call, 0, &pairs)) {
        return;
    }
    struct lab_writes *writes = lab_context_writes(call->context, call->relation);
    struct charm_value **bag = &writes->unit;
    if (lab_flag(call, "app") != NULL) {
        struct charm_error error = { 0 };
        if (lab_context_may_write_app(call->context, call->relation, &error) != 0) {
            lab_tool_fail(call, "%s", error.text);
            return;
        }
        bag = &writes->app;
    }
    if (*bag == NULL) {
        *bag = charm_value_new_map(call->context->arena);
    }
    CHARM_EACH(pairs, it)
    {
        charm_value_set_text(*bag, it.key, charm_text(it.value));
    }
    lab_tool_done(call);
}

static void relation_model_get(struct lab_call *call)
{
    if (!lab_need_relation(call) || !lab_args_at_most(call, 0)) {
        return;
    }
    struct charm_value *map = charm_value_new_map(call->arena);
    charm_value_set_text(map, "uuid", call->context->model->options.uuid);
    lab_tool_print(call, map);
}

const struct lab_tool lab_tools_relation[] = {
    { .name = "relation-ids", .run = relation_ids, .output = LAB_OUTPUT_ANY },
    {
        .name = "relation-list",
        .run = relation_list,
        .output = LAB_OUTPUT_ANY,
        .flags = { RELATION_FLAG, APP_FLAG },
    },
    {
        .name = "relation-get",
        .run = relation_get,
        .output = LAB_OUTPUT_ANY,
        .flags = { RELATION_FLAG, APP_FLAG },
    },
    {
        .name = "relation-set",
        .run = relation_set,
        .format_ignored = true,
        .flags = { RELATION_FLAG, APP_FLAG, { "file", NULL, LAB_FLAG_TEXT } },
    },
    {
        .name = "relation-model-get",
        .run = relation_model_get,
        .output = LAB_OUTPUT_ANY,
        .flags = { RELATION_FLAG },
    },
    { 0 },
};
