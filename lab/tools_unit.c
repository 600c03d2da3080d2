/* Configuration, leadership, status, log, version, addresses: contract 3.2, 3.8 to 3.10, 3.12. */
#include <string.h>

#include "base/memory.h"
#include "lab/tools_internal.h"

static void config_get(struct lab_call *call)
{
    struct lab_context *context = call->context;
    const char *key = lab_arg(call, 0);
    const bool all = lab_flag(call, "all") != NULL;
    if (!lab_args_at_most(call, 1)) {
        return;
    }
    if (key != NULL && key[0] != '\0' && all) {
        lab_tool_usage(call, "cannot use argument --all together with key \"%s\"", key);
        return;
    }
    if (context->config == NULL) { /* constant during a hook: contract 2.3 */
        context->config = charm_value_copy(
            context->arena, lab_application_options(context->arena, context->unit->app, true));
    }
    if (key != NULL && key[0] != '\0') {
        lab_tool_print(call, charm_value_get(context->config, key));
        return;
    }
    struct charm_value *options = charm_value_new_map(call->arena);
    CHARM_EACH(context->config, it)
    {
        if (all || charm_value_kind(it.value) != CHARM_NULL) {
            charm_value_set(options, it.key, it.value);
        }
    }
    lab_tool_print(call, options);
}

static void is_leader(struct lab_call *call)
{
    if (lab_args_at_most(call, 0)) {
        lab_tool_print(call, charm_value_new_bool(call->arena, lab_context_leads(call->context)));
    }
}

static void status_set(struct lab_call *call)
{
    static const char *const words[] = { "maintenance", "blocked", "waiting", "active", NULL };
    struct lab_context *context = call->context;
    const char *word = lab_arg(call, 0);
    const char *message = call->args.size > 1 ? lab_arg(call, 1) : "";
    if (word == NULL) {
        lab_tool_usage(call, "invalid args, require <status> [message]");
        return;
    }
    if (!charmi_in(words, word)) {
        lab_tool_usage(
            call, "invalid status \"%s\", expected one of [maintenance blocked waiting active]",
            word);
        return;
    }
    if (!lab_args_at_most(call, 2)) {
        return;
    }
    if (lab_flag(call, "application") == NULL) {
        lab_unit_set_status(context->model, context->unit, word, message);
        context->unit->status.by_charm = true;
        lab_tool_done(call);
        return;
    }
    if (!lab_context_leads(context)) {
        lab_tool_fail(call, "this unit is not the leader");
        return;
    }
    context->unit->app->status = (struct lab_status){
        .word = charm_arena_copy(context->model->arena, word),
        .message = charm_arena_copy(context->model->arena, message),
        .since_ms = context->model->now_ms,
        .by_charm = true,
    };
    lab_tool_done(call);
}

static struct charm_value *status_map(struct lab_call *call, const struct lab_status *status)
{
    struct charm_value *map = charm_value_new_map(call->arena);
    charm_value_set_text(map, "message", status->message);
    charm_value_set_text(map, "status", status->word);
    charm_value_add_map(map, "status-data");
    return map;
}

static void application_status(struct lab_call *call)
{
    struct lab_application *app = call->context->unit->app;
    if (!lab_context_leads(call->context)) {
        lab_tool_fail(call, "finding application status: this unit is not the leader");
        return;
    }
    const struct lab_status shown = lab_application_status(app);
    struct charm_value *status = status_map(call, &shown);
    struct charm_value *units = charm_value_add_map(status, "units");
    for (const struct lab_unit *unit = app->units; unit != NULL; unit = unit->next) {
        if (unit->life != LAB_DEAD) {
            charm_value_set(units, unit->name, status_map(call, &unit->status));
        }
    }
    struct charm_value *answer = charm_value_new_map(call->arena);
    charm_value_set(answer, "application-status", status);
    lab_tool_print(call, answer);
}

static void status_get(struct lab_call *call)
{
    if (!lab_args_at_most(call, 0)) {
        return;
    }
    if (lab_flag(call, "application") != NULL) {
        application_status(call);
        return;
    }
    const struct lab_status *status = &call->context->unit->status;
    if (lab_flag(call, "include-data") != NULL) {
        lab_tool_print(call, status_map(call, status));
        return;
    }
    if (charmi_same(call->format, "smart")) {
        lab_tool_print(call, charm_value_new_text(call->arena, status->word));
        return;
    }
    struct charm_value *map = charm_value_new_map(call->arena);
    charm_value_set_text(map, "status", status->word);
    lab_tool_print(call, map);
}

static const char *level_of(struct lab_call *call)
{
    static const char *const levels[] = { "TRACE", "DEBUG",    "INFO", "WARNING",
                                          "ERROR", "CRITICAL", NULL };
    const char *said = lab_flag(call, "log-level");
    if (lab_flag(call, "debug") != NULL) {
        return "DEBUG";
    }
    if (said == NULL) {
        return "INFO";
    }
    char *level = charm_arena_copy(call->arena, said);
    for (char *c = level; *c != '\0'; c++) {
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    }
    return charmi_in(levels, level) ? level : "INFO";
}

static void juju_log(struct lab_call *call)
{
    const struct lab_context *context = call->context;
    if (call->args.size == 0) {
        lab_tool_usage(call, "no message specified");
        return;
    }
    const char *text = charmi_words_join(call->arena, &call->args, " ");
    if (lab_event_is_relation(&context->event)) {
        const struct lab_relation *relation = context->event.relation;
        text = charm_arena_printf(
            call->arena, "%s:%d: %s",
            lab_relation_own(context->event.relation, context->unit->app)->endpoint, relation->id,
            text);
    }
    lab_model_log(context->model, context->unit->name, level_of(call),
                  charm_arena_printf(call->arena, "unit.%s.juju-log", context->unit->name), text);
    call->warning = NULL;
    lab_tool_done(call);
}

static void application_version_set(struct lab_call *call)
{
    const char *version = lab_arg(call, 0);
    if (version == NULL) {
        lab_tool_usage(call, "no version specified");
        return;
    }
    if (lab_args_at_most(call, 1)) {
        call->context->unit->app->version = charm_arena_copy(call->context->model->arena, version);
        lab_tool_done(call);
    }
}

static void unit_get(struct lab_call *call)
{
    const char *setting = lab_arg(call, 0);
    if (setting == NULL) {
        lab_tool_usage(call, "no setting specified");
        return;
    }
    if (!charmi_same(setting, "private-address") && !charmi_same(setting, "public-address")) {
        lab_tool_usage(call, "unknown setting \"%s\"", setting);
        return;
    }
    if (lab_args_at_most(call, 1)) {
        lab_tool_print(call, charm_value_new_text(call->arena, call->context->unit->address));
    }
}

static struct charm_value *network(struct lab_call *call)
{
    const char *address = call->context->unit->address;
    struct charm_value *map = charm_value_new_map(call->arena);
    struct charm_value *bind = charm_value_append_map(charm_value_add_list(map, "bind-addresses"));
    charm_value_set_text(bind, "interface-name", "eth0");
    struct charm_value *entry = charm_value_append_map(charm_value_add_list(bind, "addresses"));
    charm_value_set_text(entry, "hostname", "");
    charm_value_set_text(entry, "value", address);
    charm_value_setf(entry, "cidr", "%s/32", address);
    charm_value_append_text(charm_value_add_list(map, "egress-subnets"),
                            charm_arena_printf(call->arena, "%s/32", address));
    charm_value_append_text(charm_value_add_list(map, "ingress-addresses"), address);
    return map;
}

static bool known_binding(const struct lab_call *call, const char *name)
{
    static const char *const sections[] = { "provides", "requires", "peers", "extra-bindings" };
    const struct charm_value *metadata = call->context->unit->app->charm.metadata;
    for (size_t i = 0; i < CHARMI_COUNT(sections); i++) {
        if (charm_value_path(metadata, sections[i], name, NULL) != NULL) {
            return true;
        }
    }
    return charmi_same(name, "juju-info");
}

static void network_get(struct lab_call *call)
{
    const char *binding = lab_arg(call, 0);
    if (binding == NULL) {
        lab_tool_usage(call, "no arguments specified");
        return;
    }
    if (!lab_args_at_most(call, 1)) {
        return;
    }
    if (!known_binding(call, binding)) {
        lab_tool_fail(call, "no network config found for binding \"%s\"", binding);
        return;
    }
    static const char *const flags[] = { "bind-address", "ingress-address", "egress-subnets",
                                         "primary-address" };
    struct charm_value *chosen = charm_value_new_map(call->arena);
    for (size_t i = 0; i < CHARMI_COUNT(flags); i++) {
        if (lab_flag(call, flags[i]) != NULL) {
            charm_value_setf(chosen, flags[i], "%s%s", call->context->unit->address,
                             i == 2 ? "/32" : "");
        }
    }
    if (charm_value_size(chosen) > 1) {
        lab_tool_print(call, chosen);
        return;
    }
    CHARM_EACH(chosen, it)
    {
        lab_tool_print(call, it.value);
        return;
    }
    lab_tool_print(call, network(call));
}

const struct lab_tool lab_tools_unit[] = {
    {
        .name = "config-get",
        .run = config_get,
        .output = LAB_OUTPUT_ANY,
        .flags = { { "all", "a", LAB_FLAG_BOOL } },
    },
    { .name = "is-leader", .run = is_leader, .output = LAB_OUTPUT_ANY },
    {
        .name = "status-set",
        .run = status_set,
        .flags = { { "application", NULL, LAB_FLAG_BOOL } },
    },
    {
        .name = "status-get",
        .run = status_get,
        .output = LAB_OUTPUT_ANY,
        .flags = { { "include-data", NULL, LAB_FLAG_BOOL },
                   { "application", NULL, LAB_FLAG_BOOL } },
    },
    {
        .name = "juju-log",
        .run = juju_log,
        .format_ignored = true,
        .flags = { { "debug", NULL, LAB_FLAG_BOOL }, { "log-level", "l", LAB_FLAG_TEXT } },
    },
    { .name = "application-version-set", .run = application_version_set },
    { .name = "unit-get", .run = unit_get, .output = LAB_OUTPUT_ANY },
    {
        .name = "network-get",
        .run = network_get,
        .output = LAB_OUTPUT_ANY,
        .flags = { { "relation", "r", LAB_FLAG_TEXT },
                   { "bind-address", NULL, LAB_FLAG_BOOL },
                   { "ingress-address", NULL, LAB_FLAG_BOOL },
                   { "egress-subnets", NULL, LAB_FLAG_BOOL },
                   { "primary-address", NULL, LAB_FLAG_BOOL } },
    },
    { 0 },
};
