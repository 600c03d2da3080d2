#include "charm/hooktools.h"

#include <string.h>

#include "base/buf.h"

/* A hook tool is a round trip to the agent, often on to the controller; a minute means that nobody answers. */
#define TIMEOUT_MS 60000
/* The controller's documents end at 16 MiB (juju-contract.md 3.6). */
#define OUTPUT_MAX_BYTES ((size_t)16 * 1024 * 1024)
/* Longest free text that a line of the story repeats. */
#define SHOWN_MAX 120

/* ---- documents ---- */

/* Decodes one character of valid UTF-8. */
static unsigned long code_point(const unsigned char *at, size_t *ret_size)
{
    if (at[0] < 0x80) {
        *ret_size = 1;
        return at[0];
    }
    size_t size = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    unsigned long point = at[0] & (0xFFU >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        point = (point << 6) | (at[i] & 0x3FU);
    }
    *ret_size = size;
    return point;
}

/*
 * Characters that JSON takes as they are and YAML 1.1 does not: refused ones (yaml reader: 0x7F to 0x9F, 0xFFFE,
 * 0xFFFF), the byte order mark, and line ends that would be folded into a blank (0x85, 0x2028, 0x2029).
 */
static bool yaml_minds(unsigned long point)
{
    return (point >= 0x7F && point <= 0x9F) || point == 0x2028 || point == 0x2029 ||
           point == 0xFEFF || point == 0xFFFE || point == 0xFFFF;
}

const char *charmi_tool_document(struct charm_arena *arena, const struct charm_value *map)
{
    const char *json = charm_value_render(arena, map, CHARM_JSON_SORTED);
    struct charmi_buf buf = charmi_buf_init(strlen(json) * 6 + 1);
    for (const char *at = json; *at != '\0';) {
        size_t size = 0;
        unsigned long point = code_point((const unsigned char *)at, &size);
        if (yaml_minds(point)) {
            charmi_buf_addf(&buf, "\\u%04lx", point);
        } else {
            charmi_buf_add_n(&buf, at, size);
        }
        at += size;
    }
    return charmi_buf_into(&buf, arena);
}

/* ---- lines for people ---- */

/* key=value shows its key alone. */
static void add_argument(struct charm_arena *arena, struct charmi_buf *buf,
                         const struct charmi_secrets *secrets, const char *tool,
                         const char *argument)
{
    const char *equals = strchr(argument, '=');
    if (equals != NULL && strcmp(tool, "action-set") == 0) {
        charmi_buf_add_n(buf, argument, (size_t)(equals - argument));
        charmi_buf_add(buf, "=...");
        return;
    }
    const char *shown = charmi_redact(arena, secrets, argument);
    bool quote = shown[0] == '\0' || strpbrk(shown, " \t\n'\"") != NULL;
    size_t size = strlen(shown);
    charmi_buf_add(buf, quote ? "'" : "");
    for (size_t i = 0; i < size && i < SHOWN_MAX; i++) {
        charmi_buf_add_char(buf, (unsigned char)shown[i] < 0x20 ? ' ' : shown[i]);
    }
    charmi_buf_add(buf, size > SHOWN_MAX ? "..." : "");
    charmi_buf_add(buf, quote ? "'" : "");
}

const char *charmi_tool_line(struct charm_arena *arena, const struct charmi_secrets *secrets,
                             const char *const *argv)
{
    struct charmi_buf buf = charmi_buf_init(4096);
    charmi_buf_add(&buf, argv[0]);
    for (size_t i = 1; argv[i] != NULL; i++) {
        if (strcmp(argv[i], "--format=json") == 0) {
            continue; /* every read has it */
        }
        charmi_buf_add_char(&buf, ' ');
        add_argument(arena, &buf, secrets, argv[0], argv[i]);
    }
    return charmi_buf_into(&buf, arena);
}

/* ---- calls ---- */

static void note(struct charmi_tools *tools, struct charmi_tool_note fresh)
{
    if (tools->note_count == tools->note_capacity) {
        size_t capacity = tools->note_capacity == 0 ? 32 : tools->note_capacity * 2;
        struct charmi_tool_note *notes = charm_arena_array(tools->arena, capacity, sizeof(*notes));
        for (size_t i = 0; i < tools->note_count; i++) {
            notes[i] = tools->notes[i];
        }
        tools->notes = notes;
        tools->note_capacity = capacity;
    }
    tools->notes[tools->note_count++] = fresh;
}

static int refused(const struct charmi_tools *tools, const char *line,
                   const struct charm_tool_answer *answer, struct charm_error *reterr)
{
    const char *said =
        charmi_redact(tools->arena, tools->secrets, answer->err == NULL ? "" : answer->err);
    return charm_error_set(reterr, CHARM_EREFUSED, "%s: exit code %d: %s", line, answer->exit_code,
                           said[0] == '\0' ? "it said nothing" : said);
}

static int call(struct charmi_tools *tools, const char *const *argv, const char *input, bool writes,
                struct charm_tool_answer *ret_answer, struct charm_error *reterr)
{
    const char *line = charmi_tool_line(tools->arena, tools->secrets, argv);
    struct charm_tool_call wanted = {
        .argv = argv,
        .stdin_text = input,
        .stdin_size = input == NULL ? 0 : strlen(input),
        .max_output_bytes = OUTPUT_MAX_BYTES,
        .timeout_ms = TIMEOUT_MS,
    };
    struct charm_tool_answer answer = { 0 };
    struct charm_error error = { 0 };
    const struct charm_ports *ports = tools->ports;
    int64_t start = ports->monotonic_ms(ports->userdata);
    int r = ports->tool(ports->userdata, tools->arena, &wanted, &answer, &error);
    note(tools, (struct charmi_tool_note){
                    .line = line,
                    .took_ms = ports->monotonic_ms(ports->userdata) - start,
                    .exit_code = r < 0 ? -1 : answer.exit_code,
                    .writes = writes,
                    .in_bytes = wanted.stdin_size,
                });
    if (r < 0) {
        return charm_error_set(reterr, error.code, "%s: %s", line,
                               charmi_redact(tools->arena, tools->secrets, error.text));
    }
    if (answer.exit_code != 0) {
        return refused(tools, line, &answer, reterr);
    }
    *ret_answer = answer;
    return 0;
}

/* ---- answers ---- */

static bool all_texts(const struct charm_value *list)
{
    for (size_t i = 0; i < charm_value_size(list); i++) {
        if (charm_value_kind(charm_value_at(list, i)) != CHARM_STRING) {
            return false;
        }
    }
    return charm_value_kind(list) == CHARM_LIST;
}

static bool is_bag(const struct charm_value *map)
{
    if (charm_value_kind(map) != CHARM_MAP) {
        return false;
    }
    CHARM_EACH(map, it)
    {
        if (charm_value_kind(it.value) != CHARM_STRING) {
            return false;
        }
    }
    return true;
}

static bool has_form(const struct charm_value *value, enum charmi_answer form)
{
    switch (form) {
    case CHARMI_ANSWER_BOOL:
        return charm_value_kind(value) == CHARM_BOOL;
    case CHARMI_ANSWER_TEXT:
        return charm_value_kind(value) == CHARM_STRING || charm_value_kind(value) == CHARM_NULL ||
               all_texts(value);
    case CHARMI_ANSWER_TEXTS:
        return all_texts(value);
    case CHARMI_ANSWER_MAP:
        return charm_value_kind(value) == CHARM_MAP;
    case CHARMI_ANSWER_BAG:
        return is_bag(value);
    }
    return false;
}

/* The empty value that null stands for; null itself where it stands for nothing. */
static struct charm_value *empty_of(struct charm_arena *arena, enum charmi_answer form)
{
    switch (form) {
    case CHARMI_ANSWER_TEXTS:
        return charm_value_new_list(arena);
    case CHARMI_ANSWER_MAP:
    case CHARMI_ANSWER_BAG:
        return charm_value_new_map(arena);
    case CHARMI_ANSWER_BOOL:
    case CHARMI_ANSWER_TEXT:
        break;
    }
    return charm_value_new_null(arena);
}

static int understand(struct charm_arena *arena, const struct charm_tool_answer *answer,
                      enum charmi_answer form, const struct charm_value **ret_value,
                      struct charm_error *reterr)
{
    static const char *const wanted[] = {
        [CHARMI_ANSWER_BOOL] = "true or false",    [CHARMI_ANSWER_TEXT] = "a text",
        [CHARMI_ANSWER_TEXTS] = "a list of texts", [CHARMI_ANSWER_MAP] = "a map",
        [CHARMI_ANSWER_BAG] = "a map of texts",
    };
    struct charm_value *value = NULL;
    if (answer->out_size == 0) {
        return charm_error_set(reterr, CHARM_EPARSE, "it answered nothing, not even null");
    }
    int r = charm_value_parse(arena, answer->out, answer->out_size, &value, reterr);
    if (r < 0) {
        return r;
    }
    if (charm_value_kind(value) == CHARM_NULL) {
        value = empty_of(arena, form);
    }
    if (!has_form(value, form)) {
        return charm_error_set(reterr, CHARM_EPARSE, "its answer is not %s", wanted[form]);
    }
    *ret_value = value;
    return 0;
}

int charmi_tool_read(struct charmi_tools *tools, const char *const *argv, enum charmi_answer form,
                     const struct charm_value **ret_value, struct charm_error *reterr)
{
    struct charm_tool_answer answer = { 0 };
    int r = call(tools, argv, NULL, false, &answer, reterr);
    if (r < 0) {
        return r;
    }
    r = understand(tools->arena, &answer, form, ret_value, reterr);
    return r < 0 ? charm_error_wrap(reterr, "%s",
                                    charmi_tool_line(tools->arena, tools->secrets, argv))
                 : 0;
}

int charmi_tool_write(struct charmi_tools *tools, const char *const *argv,
                      const struct charm_value *document, struct charm_error *reterr)
{
    const char *input = document == NULL ? NULL : charmi_tool_document(tools->arena, document);
    struct charm_tool_answer answer = { 0 };
    return call(tools, argv, input, true, &answer, reterr);
}
