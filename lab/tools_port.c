/* open-port, close-port, opened-ports: contract 3.11. Each unit of the lab has a machine of its own. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "lab/tools_internal.h"

static const char *range_text(struct charm_arena *arena, const struct lab_port *port)
{
    if (charmi_same(port->protocol, "icmp")) {
        return "icmp";
    }
    if (port->from == port->to) {
        return charm_arena_printf(arena, "%d/%s", port->from, port->protocol);
    }
    return charm_arena_printf(arena, "%d-%d/%s", port->from, port->to, port->protocol);
}

static bool parse_number(struct lab_call *call, const char *text, const char *whole, int *ret)
{
    int64_t number;
    if (!charmi_parse_int(text, INT32_MIN, INT32_MAX, &number)) {
        lab_tool_usage(call, "invalid port \"%s\": strconv.Atoi: parsing \"%s\": invalid syntax",
                       whole, text);
        return false;
    }
    *ret = (int)number;
    return true;
}

static bool check_bounds(struct lab_call *call, const struct lab_port *port)
{
    const int lowest = lab_model_at_least(call->context->model, 3, 0) ? 0 : 1; /* contract 9.14 */
    if (port->from < lowest || port->to > 65535) {
        lab_tool_usage(call, "port range bounds must be between %d and 65535, got %d-%d", lowest,
                       port->from, port->to);
        return false;
    }
    if (port->from > port->to) {
        lab_tool_usage(call, "invalid port range %d-%d/%s", port->from, port->to, port->protocol);
        return false;
    }
    return true;
}

static bool parse_port(struct lab_call *call, struct lab_port *ret_port)
{
    static const char *const protocols[] = { "tcp", "udp", "icmp", NULL };
    const char *said = lab_arg(call, 0);
    if (said == NULL) {
        lab_tool_usage(call, "no port or range specified");
        return false;
    }
    char *text = charm_arena_copy(call->arena, said);
    for (char *c = text; *c != '\0'; c++) {
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    }
    char *slash = strchr(text, '/');
    struct lab_port port = { .protocol = "tcp", .endpoint = "" };
    if (slash != NULL) {
        *slash = '\0';
        port.protocol = slash + 1;
    }
    if (charmi_same(text, "icmp")) {
        port.protocol = "icmp";
        port.from = port.to = -1;
        *ret_port = port;
        return true;
    }
    if (!charmi_in(protocols, port.protocol)) {
        lab_tool_usage(call, "invalid protocol \"%s\", expected \"tcp\", \"udp\", or \"icmp\"",
                       port.protocol);
        return false;
    }
    char *dash = strchr(text + (text[0] == '-' ? 1 : 0), '-');
    if (dash != NULL) {
        *dash = '\0';
    }
    if (!parse_number(call, text, said, &port.from) ||
        !parse_number(call, dash == NULL ? text : dash + 1, said, &port.to)) {
        return false;
    }
    *ret_port = port;
    return check_bounds(call, ret_port);
}

static bool same_range(const struct lab_port *a, const struct lab_port *b)
{
    return a->from == b->from && a->to == b->to && charmi_same(a->protocol, b->protocol);
}

static const struct lab_port *conflict(const struct lab_context *context,
                                       const struct lab_port *wanted)
{
    for (const struct lab_port *port = context->ports; port != NULL; port = port->next) {
        if (charmi_same(port->protocol, wanted->protocol) && !same_range(port, wanted) &&
            port->from <= wanted->to && wanted->from <= port->to) {
            return port;
        }
    }
    return NULL;
}

static bool is_pending(const struct lab_context *context, const struct lab_port *port)
{
    for (const struct lab_port *old = context->unit->ports; old != NULL; old = old->next) {
        if (same_range(old, port) && charmi_same(old->endpoint, port->endpoint)) {
            return false;
        }
    }
    return true;
}

static bool check_conflict(struct lab_call *call, const char *verb, const struct lab_port *port)
{
    const struct lab_port *other = conflict(call->context, port);
    if (other == NULL) {
        return true;
    }
    const char *unit = call->context->unit->name;
    lab_tool_fail(call, "cannot %s %s (unit \"%s\"): port range conflicts with %s (unit \"%s\")%s",
                  verb, range_text(call->arena, port), unit, range_text(call->arena, other), unit,
                  is_pending(call->context, other) ? " requested earlier" : "");
    return false;
}

static struct lab_port **find_port(struct lab_context *context, const struct lab_port *wanted)
{
    struct lab_port **at = &context->ports;
    while (*at != NULL &&
           !(same_range(*at, wanted) && charmi_same((*at)->endpoint, wanted->endpoint))) {
        at = &(*at)->next;
    }
    return at;
}

static void open_one(struct lab_context *context, const struct lab_port *wanted)
{
    struct lab_port **at = find_port(context, wanted);
    if (*at == NULL) {
        *at = charm_arena_alloc(context->arena, sizeof(**at));
        **at = *wanted;
        (*at)->protocol = charm_arena_copy(context->arena, wanted->protocol);
        (*at)->endpoint = charm_arena_copy(context->arena, wanted->endpoint);
        context->ports_written = true;
    }
}

static void close_one(struct lab_context *context, const struct lab_port *wanted)
{
    struct lab_port **at = find_port(context, wanted);
    if (*at != NULL) {
        *at = (*at)->next;
        context->ports_written = true;
    }
}

static void change_port(struct lab_call *call, const char *verb,
                        void change(struct lab_context *, const struct lab_port *))
{
    struct lab_port port;
    if (!parse_port(call, &port) || !lab_args_at_most(call, 1) ||
        !check_conflict(call, verb, &port)) {
        return;
    }
    const char *endpoints = lab_flag(call, "endpoints");
    const struct charmi_words names =
        charmi_split(call->arena, endpoints == NULL ? "" : endpoints, ",");
    if (names.size == 0) {
        change(call->context, &port);
    }
    for (size_t i = 0; i < names.size; i++) {
        port.endpoint = charmi_trim(call->arena, names.at[i]);
        change(call->context, &port);
    }
    lab_tool_done(call);
}

static void open_port(struct lab_call *call)
{
    change_port(call, "open", open_one);
}

static void close_port(struct lab_call *call)
{
    change_port(call, "close", close_one);
}

/* A key that sorts by protocol, then by number. */
static const char *sort_key(struct charm_arena *arena, const struct lab_port *port)
{
    return charm_arena_printf(arena, "%s %06d %06d", port->protocol, port->from, port->to);
}

static const char *endpoints_of(struct lab_call *call, const struct lab_port *range)
{
    struct charmi_words names = { 0 };
    for (const struct lab_port *port = call->context->ports; port != NULL; port = port->next) {
        if (same_range(port, range)) {
            charmi_words_add(call->arena, &names, port->endpoint[0] == '\0' ? "*" : port->endpoint);
        }
    }
    charmi_words_sort(&names);
    return charmi_words_join(call->arena, &names, ", ");
}

static void opened_ports(struct lab_call *call)
{
    if (!lab_args_at_most(call, 0)) {
        return;
    }
    struct charm_value *by_key = charm_value_new_map(call->arena);
    struct charmi_words keys = { 0 };
    for (const struct lab_port *port = call->context->ports; port != NULL; port = port->next) {
        const char *key = sort_key(call->arena, port);
        const char *text = range_text(call->arena, port);
        if (lab_flag(call, "endpoints") != NULL) {
            text = charm_arena_printf(call->arena, "%s (%s)", text, endpoints_of(call, port));
        }
        if (charm_value_get(by_key, key) == NULL) {
            charmi_words_add(call->arena, &keys, key);
            charm_value_set_text(by_key, key, text);
        }
    }
    charmi_words_sort(&keys);
    struct charm_value *list = charm_value_new_list(call->arena);
    for (size_t i = 0; i < keys.size; i++) {
        charm_value_append(list, charm_value_get(by_key, keys.at[i]));
    }
    lab_tool_print(call, list);
}

const struct lab_tool lab_tools_port[] = {
    {
        .name = "open-port",
        .run = open_port,
        .format_ignored = true,
        .flags = { { "endpoints", NULL, LAB_FLAG_TEXT } },
    },
    {
        .name = "close-port",
        .run = close_port,
        .format_ignored = true,
        .flags = { { "endpoints", NULL, LAB_FLAG_TEXT } },
    },
    {
        .name = "opened-ports",
        .run = opened_ports,
        .output = LAB_OUTPUT_ANY,
        .flags = { { "endpoints", NULL, LAB_FLAG_BOOL } },
    },
    { 0 },
};
