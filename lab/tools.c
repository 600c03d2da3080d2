/* How a call is read and answered, whatever the tool: contract 3.1 and 9. */
#include "lab/tools.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "lab/tools_internal.h"
#include "lab/yaml.h"

enum { LARGEST_OUTPUT = 64 * 1024 * 1024 };

static const struct lab_tool *const tables[] = {
    lab_tools_relation, lab_tools_unit, lab_tools_state, lab_tools_port, lab_tools_action,
    lab_tools_secret,   NULL,
};

/* Known to Juju, not played here. */
static const char *const unplayed[] = {
    "add-metric",
    "credential-get",
    "goal-state",
    "juju-reboot",
    "payload-register",
    "resource-get",
    "secret-add",
    "secret-grant",
    "secret-ids",
    "secret-info-get",
    "secret-remove",
    "secret-revoke",
    "secret-set",
    "storage-add",
    "storage-get",
    "storage-list",
    NULL,
};

static const struct lab_tool *find_tool(const struct lab_model *model, const char *name)
{
    for (size_t i = 0; tables[i] != NULL; i++) {
        for (const struct lab_tool *tool = tables[i]; tool->name != NULL; tool++) {
            if (charmi_same(tool->name, name) &&
                !(tool->until_3 && lab_model_at_least(model, 4, 0)) &&
                (!tool->from_3 || lab_model_at_least(model, 3, 0))) {
                return tool;
            }
        }
    }
    return NULL;
}

const char *const *lab_tool_names(void)
{
    /* The links of a unit's tools directory; a test compares this list with the tables. */
    static const char *const names[] = {
        "relation-ids",
        "relation-list",
        "relation-get",
        "relation-set",
        "relation-model-get",
        "config-get",
        "is-leader",
        "leader-get",
        "leader-set",
        "status-set",
        "status-get",
        "juju-log",
        "application-version-set",
        "network-get",
        "unit-get",
        "state-get",
        "state-set",
        "state-delete",
        "open-port",
        "close-port",
        "opened-ports",
        "action-get",
        "action-set",
        "action-fail",
        "action-log",
        "add-metric",
        "credential-get",
        "goal-state",
        "juju-reboot",
        "resource-get",
        "secret-add",
        "secret-get",
        "secret-grant",
        "secret-ids",
        "secret-info-get",
        "secret-remove",
        "secret-revoke",
        "secret-set",
        "storage-add",
        "storage-get",
        "storage-list",
        NULL,
    };
    return names;
}

/* ---- endings ---- */

static void end_with(struct lab_call *call, int code, const char *message)
{
    struct lab_tool_result *result = call->result;
    *result = (struct lab_tool_result){ .code = code, .out = "" };
    result->err = charm_arena_printf(call->arena, "%sERROR %s\n",
                                     call->warning == NULL ? "" : call->warning, message);
}

void lab_tool_fail(struct lab_call *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    end_with(call, 1, charm_arena_vprintf(call->arena, format, args));
    va_end(args);
}

void lab_tool_usage(struct lab_call *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    end_with(call, 2, charm_arena_vprintf(call->arena, format, args));
    va_end(args);
}

static void answer(struct lab_call *call, const char *text)
{
    *call->result = (struct lab_tool_result){
        .out = text,
        .out_size = strlen(text),
        .err = call->warning == NULL ? "" : call->warning,
        .output_file = call->result->output_file,
    };
}

void lab_tool_done(struct lab_call *call)
{
    answer(call, "");
}

/* ---- values as Juju prints them ---- */

static void json_text(struct charmi_buf *buf, const char *text)
{
    charmi_buf_add_char(buf, '"');
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        const bool line_separator = c[0] == 0xE2 && c[1] == 0x80 && (c[2] == 0xA8 || c[2] == 0xA9);
        if (*c == '"' || *c == '\\') {
            charmi_buf_addf(buf, "\\%c", *c);
        } else if (*c == '\n' || *c == '\r' || *c == '\t') {
            charmi_buf_add(buf, *c == '\n' ? "\\n" : *c == '\r' ? "\\r" : "\\t");
        } else if (*c < 0x20 || *c == '<' || *c == '>' || *c == '&') {
            charmi_buf_addf(buf, "\\u%04x", *c);
        } else if (line_separator) {
            charmi_buf_addf(buf, "\\u202%c", c[2] == 0xA8 ? '8' : '9');
            c += 2;
        } else {
            charmi_buf_add_char(buf, (char)*c);
        }
    }
    charmi_buf_add_char(buf, '"');
}

/* Go's JSON: 2.0 is 2, and no exponent up to 1e21. */
static const char *json_number(struct charm_arena *arena, const struct charm_value *number)
{
    const char *text = charm_value_scalar(arena, number);
    const double real = strtod(text, NULL);
    if (charm_value_kind(number) == CHARM_REAL && real > -1e15 && real < 1e15 &&
        real == (double)(int64_t)real) {
        return charm_arena_printf(arena, "%.0f", real);
    }
    return text;
}

static void json_value(struct charm_arena *arena, struct charmi_buf *buf,
                       const struct charm_value *value)
{
    switch (charm_value_kind(value)) {
    case CHARM_MAP: {
        const struct charmi_words keys = lab_sorted_keys(arena, value);
        for (size_t i = 0; i < keys.size; i++) {
            charmi_buf_add_char(buf, i == 0 ? '{' : ',');
            json_text(buf, keys.at[i]);
            charmi_buf_add_char(buf, ':');
            json_value(arena, buf, charm_value_get(value, keys.at[i]));
        }
        charmi_buf_add(buf, keys.size == 0 ? "{}" : "}");
        break;
    }
    case CHARM_LIST:
        charmi_buf_add_char(buf, '[');
        for (size_t i = 0; i < charm_value_size(value); i++) {
            charmi_buf_add(buf, i == 0 ? "" : ",");
            json_value(arena, buf, charm_value_at(value, i));
        }
        charmi_buf_add_char(buf, ']');
        break;
    case CHARM_STRING:
        json_text(buf, charm_text(value));
        break;
    case CHARM_INT:
    case CHARM_REAL:
        charmi_buf_add(buf, json_number(arena, value));
        break;
    case CHARM_BOOL:
        charmi_buf_add(buf, charm_value_true(value) ? "true" : "false");
        break;
    case CHARM_NULL:
        charmi_buf_add(buf, "null");
        break;
    }
}

static const char *as_json(struct charm_arena *arena, const struct charm_value *value)
{
    struct charmi_buf buf = charmi_buf_init(LARGEST_OUTPUT);
    json_value(arena, &buf, value);
    charmi_buf_add_char(&buf, '\n');
    return charmi_buf_into(&buf, arena);
}

static bool all_texts(const struct charm_value *list)
{
    for (size_t i = 0; i < charm_value_size(list); i++) {
        if (charm_value_kind(charm_value_at(list, i)) != CHARM_STRING) {
            return false;
        }
    }
    return true;
}

static const char *smart_list(struct charm_arena *arena, const struct charm_value *list)
{
    struct charmi_buf buf = charmi_buf_init(LARGEST_OUTPUT);
    for (size_t i = 0; i < charm_value_size(list); i++) {
        charmi_buf_addf(&buf, "%s\n", charm_text(charm_value_at(list, i)));
    }
    return charmi_buf_into(&buf, arena);
}

static const char *as_smart(struct charm_arena *arena, const struct charm_value *value)
{
    switch (charm_value_kind(value)) {
    case CHARM_NULL:
        return "";
    case CHARM_STRING:
        return charm_text(value)[0] == '\0' ? ""
                                            : charm_arena_printf(arena, "%s\n", charm_text(value));
    case CHARM_BOOL:
        return charm_value_true(value) ? "True\n" : "False\n";
    case CHARM_LIST:
        return all_texts(value) ? smart_list(arena, value) : lab_yaml_render(arena, value);
    case CHARM_INT:
    case CHARM_REAL:
    case CHARM_MAP:
        break;
    }
    return lab_yaml_render(arena, value);
}

void lab_tool_print(struct lab_call *call, const struct charm_value *value)
{
    if (charmi_same(call->format, "json")) {
        answer(call, as_json(call->arena, value));
    } else if (charmi_same(call->format, "yaml")) {
        answer(call,
               charm_value_kind(value) == CHARM_NULL ? "" : lab_yaml_render(call->arena, value));
    } else {
        answer(call, as_smart(call->arena, value));
    }
}

/* ---- flags, as gnuflag reads them ---- */

struct parser {
    struct lab_call *call;
    const char *const *at; /* arguments not looked at yet */
    const char *rest;      /* letters behind a short flag, or "=value" behind a long one */
    bool help;
};

enum step { STEP_AGAIN, STEP_DONE, STEP_FAILED };

enum { FLAG_FORMAT = -1, FLAG_OUTPUT = -2, FLAG_HELP = -3, FLAG_UNKNOWN = -4 };

static bool takes_format(const struct lab_tool *tool)
{
    return tool->output != LAB_OUTPUT_NONE || tool->format_ignored;
}

static int find_flag(const struct lab_tool *tool, const char *name)
{
    for (int i = 0; i < LAB_MOST_FLAGS && tool->flags[i].kind != LAB_FLAG_END; i++) {
        if (charmi_same(tool->flags[i].name, name) || charmi_same(tool->flags[i].alias, name)) {
            return i;
        }
    }
    if (charmi_same(name, "format") && takes_format(tool)) {
        return FLAG_FORMAT;
    }
    if (tool->output != LAB_OUTPUT_NONE &&
        (charmi_same(name, "o") || charmi_same(name, "output"))) {
        return FLAG_OUTPUT;
    }
    return charmi_same(name, "h") || charmi_same(name, "help") ? FLAG_HELP : FLAG_UNKNOWN;
}

/* "db:5" and "5": the number behind the last colon counts. */
static bool set_relation(struct lab_call *call, const char *shown, const char *text)
{
    const char *colon = strrchr(text, ':');
    int64_t id;
    if (!charmi_parse_int(colon == NULL ? text : colon + 1, 0, INT32_MAX, &id)) {
        lab_tool_usage(call, "invalid value \"%s\" for option %s: invalid relation id", text,
                       shown);
        return false;
    }
    struct lab_relation *relation = lab_model_relation(call->context->model, (int)id);
    if (relation == NULL || lab_relation_own(relation, call->context->unit->app) == NULL) {
        lab_tool_usage(call, "invalid value \"%s\" for option %s: relation not found", text, shown);
        return false;
    }
    call->relation = relation;
    return true;
}

static bool set_format(struct lab_call *call, const char *text)
{
    static const char *const known[] = { "smart", "yaml", "json", NULL };
    if (call->tool->format_ignored) {
        call->warning = charm_arena_printf(
            call->arena, "--format flag deprecated for command \"%s\"", call->tool->name);
        return true;
    }
    const bool smart = charmi_same(text, "smart");
    if (!charmi_in(known, text) || (smart && call->tool->output == LAB_OUTPUT_YAML)) {
        lab_tool_usage(call, "invalid value \"%s\" for option --format: unknown format \"%s\"",
                       text, text);
        return false;
    }
    call->format = text;
    return true;
}

static bool set_text(struct lab_call *call, int index, const char *shown, const char *text)
{
    if (index == FLAG_FORMAT) {
        return set_format(call, text);
    }
    if (index == FLAG_OUTPUT) {
        call->result->output_file = text;
        return true;
    }
    call->values[index] = text;
    return !charmi_same(call->tool->flags[index].name, "relation") ||
           set_relation(call, shown, text);
}

static enum step take_bool(struct parser *parser, int index, const char *shown, bool is_long)
{
    const char *value = "true";
    if (is_long && parser->rest[0] == '=') {
        value = parser->rest + 1;
        parser->rest = "";
    }
    static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True", NULL };
    static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False", NULL };
    if (!charmi_in(yes, value) && !charmi_in(no, value)) {
        lab_tool_usage(parser->call, "invalid value \"%s\" for option %s: invalid boolean value",
                       value, shown);
        return STEP_FAILED;
    }
    parser->call->values[index] = charmi_in(yes, value) ? "true" : NULL;
    return STEP_AGAIN;
}

static enum step take_text(struct parser *parser, int index, const char *shown, bool is_long)
{
    const char *value;
    if (parser->rest[0] != '\0') {
        value = is_long ? parser->rest + 1 : parser->rest;
        parser->rest = "";
    } else if (*parser->at != NULL) {
        value = *parser->at++;
    } else {
        lab_tool_usage(parser->call, "option needs an argument: %s", shown);
        return STEP_FAILED;
    }
    return set_text(parser->call, index, shown, value) ? STEP_AGAIN : STEP_FAILED;
}

static enum step take_flag(struct parser *parser, const char *name, bool is_long)
{
    const char *shown = charm_arena_printf(parser->call->arena, "%s%s",
                                           name[0] != '\0' && name[1] == '\0' ? "-" : "--", name);
    const int index = find_flag(parser->call->tool, name);
    if (index == FLAG_UNKNOWN) {
        lab_tool_usage(parser->call, "option provided but not defined: %s%s", is_long ? "--" : "-",
                       name);
        return STEP_FAILED;
    }
    if (index == FLAG_HELP) {
        parser->help = true;
        return STEP_DONE;
    }
    if (index >= 0 && parser->call->tool->flags[index].kind == LAB_FLAG_BOOL) {
        return take_bool(parser, index, shown, is_long);
    }
    return take_text(parser, index, shown, is_long);
}

static enum step take_short(struct parser *parser, const char *letters)
{
    parser->rest = letters + 1;
    return take_flag(parser, charm_arena_copy_n(parser->call->arena, letters, 1), false);
}

static enum step take_long(struct parser *parser, const char *text)
{
    const size_t length = strcspn(text, "=");
    parser->rest = text + length;
    return take_flag(parser, charm_arena_copy_n(parser->call->arena, text, length), true);
}

static enum step take_next(struct parser *parser)
{
    struct lab_call *call = parser->call;
    if (*parser->at == NULL) {
        return STEP_DONE; /* letters left behind a boolean are dropped without a word: contract 9.2 */
    }
    if (parser->rest[0] != '\0') {
        return take_short(parser, parser->rest);
    }
    const char *arg = *parser->at++;
    if (charmi_same(arg, "--")) {
        for (; *parser->at != NULL; parser->at++) {
            charmi_words_add(call->arena, &call->args, *parser->at);
        }
        return STEP_DONE;
    }
    if (arg[0] != '-' || arg[1] == '\0') {
        charmi_words_add(call->arena, &call->args, arg);
        return STEP_AGAIN;
    }
    return arg[1] == '-' ? take_long(parser, arg + 2) : take_short(parser, arg + 1);
}

static bool parse_flags(struct lab_call *call)
{
    struct parser parser = { .call = call, .at = call->request->argv + 1, .rest = "" };
    enum step step;
    do {
        step = take_next(&parser);
    } while (step == STEP_AGAIN);
    if (parser.help) {
        answer(call,
               charm_arena_printf(call->arena, "Usage: %s [options] ...\n", call->tool->name));
        return false;
    }
    return step == STEP_DONE;
}

/* ---- for the tools ---- */

const char *lab_flag(const struct lab_call *call, const char *name)
{
    const int index = find_flag(call->tool, name);
    return index < 0 ? NULL : call->values[index];
}

const char *lab_arg(const struct lab_call *call, size_t index)
{
    return index < call->args.size ? call->args.at[index] : NULL;
}

const char *lab_quoted(struct charm_arena *arena, const struct charmi_words *words, size_t first)
{
    struct charmi_buf buf = charmi_buf_init(LARGEST_OUTPUT);
    for (size_t i = first; i < words->size; i++) {
        charmi_buf_addf(&buf, "%s\"%s\"", i == first ? "" : " ", words->at[i]);
    }
    return charmi_buf_into(&buf, arena);
}

bool lab_args_at_most(struct lab_call *call, size_t most)
{
    if (call->args.size > most) {
        lab_tool_usage(call, "unrecognized args: [%s]", lab_quoted(call->arena, &call->args, most));
        return false;
    }
    return true;
}

bool lab_need_relation(struct lab_call *call)
{
    if (call->relation == NULL && lab_event_is_relation(&call->context->event)) {
        call->relation = call->context->event.relation;
    }
    if (call->relation == NULL) {
        lab_tool_usage(call, "no relation id specified");
        return false;
    }
    return true;
}

/* JSON that YAML reads in exactly the same way can go the quick way. */
static bool json_is_yaml(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)text[i];
        const bool escaped = c == '\\' && i + 1 < size && text[i + 1] == 'u';
        const bool control = (c < 0x20 && c != '\n') || c == 0x7f || (c == 0xC2 && i + 1 < size);
        if (escaped || control) {
            return false;
        }
    }
    return true;
}

static bool texts_alone(const struct charm_value *map)
{
    CHARM_EACH(map, it)
    {
        if (charm_value_kind(it.value) != CHARM_STRING) {
            return false;
        }
    }
    return charm_value_kind(map) == CHARM_MAP;
}

static int parse_file(struct lab_call *call, const char *text, size_t size,
                      struct charm_value **ret_map, struct charm_error *reterr)
{
    struct charm_value *map;
    if (json_is_yaml(text, size) && charm_value_parse(call->arena, text, size, &map, NULL) == 0 &&
        texts_alone(map)) {
        *ret_map = map;
        return 0;
    }
    const int code = lab_yaml_parse(call->arena, text, size, LAB_YAML_TEXTS, &map, reterr);
    if (code != 0) {
        return code;
    }
    if (charmi_blank(charm_text(map)) && charm_value_kind(map) != CHARM_MAP &&
        charm_value_kind(map) != CHARM_LIST) {
        map = charm_value_new_map(call->arena); /* empty input is fine: contract 9.8 */
    }
    if (!texts_alone(map)) {
        return charm_error_set(reterr, CHARM_EPARSE,
                               "yaml: unmarshal errors: cannot unmarshal into map of strings");
    }
    *ret_map = map;
    return 0;
}

static bool read_pairs_file(struct lab_call *call, struct charm_value *pairs)
{
    const char *file = lab_flag(call, "file");
    if (file == NULL || file[0] == '\0') {
        return true;
    }
    const char *text = call->request->input;
    size_t size = call->request->input_size;
    struct charm_error error = { 0 };
    if (charmi_same(file, "-")) {
        if (text == NULL) {
            *call->result = (struct lab_tool_result){ .wants_input = true, .out = "", .err = "" };
            return false;
        }
    } else if (call->request->read_file == NULL ||
               call->request->read_file(call->request->userdata, call->arena, file, &text, &size,
                                        &error) != 0) {
        lab_tool_fail(call, "open %s: no such file or directory", file);
        return false;
    }
    struct charm_value *map = NULL;
    if (parse_file(call, text, size, &map, &error) != 0) {
        lab_tool_fail(call, "%s", error.text);
        return false;
    }
    charm_value_update(pairs, map);
    return true;
}

bool lab_tool_pairs(struct lab_call *call, size_t first, struct charm_value **ret_pairs)
{
    struct charm_value *pairs = charm_value_new_map(call->arena);
    struct charm_value *named = charm_value_new_map(call->arena);
    for (size_t i = first; i < call->args.size; i++) {
        const char *arg = call->args.at[i];
        const char *equals = strchr(arg, '=');
        if (arg[0] == '\0') {
            continue;
        }
        const char *key =
            equals == NULL ? ""
                           : charmi_trim(call->arena, charm_arena_copy_n(call->arena, arg,
                                                                         (size_t)(equals - arg)));
        if (key[0] == '\0') {
            lab_tool_usage(call, "expected \"key=value\", got \"%s\"", arg);
            return false;
        }
        if (charm_value_get(named, key) != NULL) {
            lab_tool_usage(call, "key \"%s\" specified more than once", key);
            return false;
        }
        charm_value_set_text(named, key, charmi_trim(call->arena, equals + 1));
    }
    if (!read_pairs_file(call, pairs)) {
        return false;
    }
    charm_value_update(pairs, named);
    *ret_pairs = pairs;
    return true;
}

void lab_tool_run(struct lab_context *context, struct charm_arena *arena,
                  const struct lab_tool_call *call, struct lab_tool_result *ret_result)
{
    const char *name = call->argv[0];
    *ret_result = (struct lab_tool_result){ .out = "", .err = "" };
    struct lab_call state = {
        .tool = find_tool(context->model, name),
        .context = context,
        .arena = arena,
        .request = call,
        .result = ret_result,
    };
    if (state.tool == NULL) {
        lab_tool_fail(&state,
                      charmi_in(unplayed, name) ? "the lab does not play %s"
                                                : "bad request: unknown command: %s",
                      name);
        return;
    }
    state.format = state.tool->output == LAB_OUTPUT_YAML ? "yaml" : "smart";
    if (parse_flags(&state)) {
        state.tool->run(&state);
    }
}
