#include "lab/yaml.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"

enum { DEEPEST = 50, LARGEST_TEXT = 64 * 1024 * 1024 };

/* ---- what a plain scalar means: yaml.v2's resolve.go ---- */

static bool is_null(const char *text)
{
    static const char *const words[] = { "", "~", "null", "Null", "NULL", NULL };
    return charmi_in(words, text);
}

static bool is_true(const char *text)
{
    static const char *const words[] = { "y",    "Y",    "yes", "Yes", "YES", "true",
                                         "True", "TRUE", "on",  "On",  "ON",  NULL };
    return charmi_in(words, text);
}

static bool is_false(const char *text)
{
    static const char *const words[] = { "n",     "N",     "no",  "No",  "NO",  "false",
                                         "False", "FALSE", "off", "Off", "OFF", NULL };
    return charmi_in(words, text);
}

static bool parse_whole(const char *text, int64_t *ret_number)
{
    const char *digits = text[0] == '+' || text[0] == '-' ? text + 1 : text;
    if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'o' || digits[1] == 'b')) {
        const int base = digits[1] == 'x' ? 16 : digits[1] == 'o' ? 8 : 2;
        char *end;
        const long long number = strtoll(digits + 2, &end, base);
        *ret_number = text[0] == '-' ? -number : number;
        return end != digits + 2 && *end == '\0';
    }
    return charmi_parse_int(text, INT64_MIN, INT64_MAX, ret_number);
}

static bool looks_like_float(const char *text)
{
    const char *c = text[0] == '+' || text[0] == '-' ? text + 1 : text;
    bool digit = false;
    for (; *c != '\0'; c++) {
        digit = digit || (*c >= '0' && *c <= '9');
        if (strchr("0123456789.eE+-", *c) == NULL) {
            return false;
        }
    }
    char *end;
    const double number = strtod(text, &end);
    return digit && end != text && *end == '\0' && isfinite(number);
}

static struct charm_value *real(struct charm_arena *arena, const char *text)
{
    char json[64];
    snprintf(json, sizeof(json), "%.17g", strtod(text, NULL));
    if (strpbrk(json, ".e") == NULL) {
        strncat(json, ".0", sizeof(json) - strlen(json) - 1);
    }
    struct charm_value *value;
    if (charm_value_parse(arena, json, strlen(json), &value, NULL) != 0) {
        return charm_value_new_text(arena, text);
    }
    return value;
}

static struct charm_value *plain(struct charm_arena *arena, const char *text)
{
    int64_t number;
    if (is_null(text)) {
        return charm_value_new_null(arena);
    }
    if (is_true(text) || is_false(text)) {
        return charm_value_new_bool(arena, is_true(text));
    }
    if (parse_whole(text, &number)) {
        return charm_value_new_int(arena, number);
    }
    if (looks_like_float(text)) {
        return real(arena, text);
    }
    return charm_value_new_text(arena, text);
}

/* ---- reading ---- */

struct reader {
    struct charm_arena *arena;
    yaml_document_t *document;
    enum lab_yaml how;
};

static const char *node_text(const struct reader *reader, const yaml_node_t *node)
{
    return charm_arena_copy_n(reader->arena, (const char *)node->data.scalar.value,
                              node->data.scalar.length);
}

static struct charm_value *read_scalar(const struct reader *reader, const yaml_node_t *node)
{
    const char *text = node_text(reader, node);
    if (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) {
        return charm_value_new_text(reader->arena, text);
    }
    if (reader->how == LAB_YAML_TEXTS) {
        return charm_value_new_text(reader->arena, is_null(text) ? "" : text);
    }
    return plain(reader->arena, text);
}

static int read_node(const struct reader *reader, int index, int depth, struct charm_value **ret,
                     struct charm_error *reterr);

static int read_map(const struct reader *reader, const yaml_node_t *node, int depth,
                    struct charm_value **ret, struct charm_error *reterr)
{
    struct charm_value *map = charm_value_new_map(reader->arena);
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(reader->document, pair->key);
        struct charm_value *value;
        if (key->type != YAML_SCALAR_NODE) {
            return charm_error_set(reterr, CHARM_EPARSE, "line %zu: a key is not a text",
                                   key->start_mark.line + 1);
        }
        const int code = read_node(reader, pair->value, depth + 1, &value, reterr);
        if (code != 0) {
            return code;
        }
        charm_value_set(map, node_text(reader, key), value);
    }
    *ret = map;
    return 0;
}

static int read_list(const struct reader *reader, const yaml_node_t *node, int depth,
                     struct charm_value **ret, struct charm_error *reterr)
{
    struct charm_value *list = charm_value_new_list(reader->arena);
    for (const yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        struct charm_value *value;
        const int code = read_node(reader, *item, depth + 1, &value, reterr);
        if (code != 0) {
            return code;
        }
        charm_value_append(list, value);
    }
    *ret = list;
    return 0;
}

static int read_node(const struct reader *reader, int index, int depth, struct charm_value **ret,
                     struct charm_error *reterr)
{
    const yaml_node_t *node = yaml_document_get_node(reader->document, index);
    if (depth > DEEPEST) {
        return charm_error_set(reterr, CHARM_EPARSE, "nested deeper than %d", (int)DEEPEST);
    }
    switch (node->type) {
    case YAML_MAPPING_NODE:
        return read_map(reader, node, depth, ret, reterr);
    case YAML_SEQUENCE_NODE:
        return read_list(reader, node, depth, ret, reterr);
    case YAML_SCALAR_NODE:
    case YAML_NO_NODE:
        break;
    }
    *ret = read_scalar(reader, node);
    return 0;
}

static int read_document(struct charm_arena *arena, yaml_parser_t *parser, enum lab_yaml how,
                         struct charm_value **ret, struct charm_error *reterr)
{
    yaml_document_t document;
    if (!yaml_parser_load(parser, &document)) {
        return charm_error_set(reterr, CHARM_EPARSE, "yaml: line %zu: %s",
                               parser->problem_mark.line + 1,
                               parser->problem == NULL ? "not readable" : parser->problem);
    }
    const struct reader reader = { .arena = arena, .document = &document, .how = how };
    int code = 0;
    if (yaml_document_get_root_node(&document) == NULL) {
        *ret = charm_value_new_null(arena);
    } else {
        code = read_node(&reader, 1, 0, ret, reterr);
    }
    yaml_document_delete(&document);
    return code;
}

int lab_yaml_parse(struct charm_arena *arena, const char *text, size_t size, enum lab_yaml how,
                   struct charm_value **ret_value, struct charm_error *reterr)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        charmi_no_memory();
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    const int code = read_document(arena, &parser, how, ret_value, reterr);
    yaml_parser_delete(&parser);
    return code;
}

/* ---- writing ---- */

/* Go's %v of a float64: the shortest digits that read back, with an exponent from 1e+06 (and below 1e-04) on. */
static const char *go_float(struct charm_arena *arena, double number)
{
    char text[64];
    int digits = 0;
    do {
        snprintf(text, sizeof(text), "%.*e", digits++, number);
    } while (digits < 18 && strtod(text, NULL) != number);
    const char *e = strchr(text, 'e');
    const int exponent = e == NULL ? 0 : (int)strtol(e + 1, NULL, 10);
    if (exponent < -4 || exponent >= 6) {
        return charm_arena_copy(arena, text);
    }
    const int decimals = digits - 1 - exponent;
    return charm_arena_printf(arena, "%.*f", decimals > 0 ? decimals : 0, number);
}

const char *lab_go_number(struct charm_arena *arena, const struct charm_value *number)
{
    if (charm_value_kind(number) == CHARM_INT) {
        return go_float(arena, (double)charm_value_int(number, 0));
    }
    return go_float(arena, strtod(charm_value_scalar(arena, number), NULL));
}

struct charmi_words lab_sorted_keys(struct charm_arena *arena, const struct charm_value *map)
{
    struct charmi_words keys = { 0 };
    CHARM_EACH(map, it)
    {
        charmi_words_add(arena, &keys, it.key);
    }
    charmi_words_sort(&keys);
    return keys;
}

struct writer {
    struct charm_arena *arena;
    yaml_emitter_t emitter;
    struct charmi_buf text;
};

static int take_output(void *data, unsigned char *bytes, size_t size)
{
    charmi_buf_add_n(&((struct writer *)data)->text, (const char *)bytes, size);
    return 1;
}

static void emit(struct writer *writer, yaml_event_t *event)
{
    if (!yaml_emitter_emit(&writer->emitter, event)) {
        charmi_no_memory();
    }
}

static void emit_scalar(struct writer *writer, const char *text, yaml_scalar_style_t style)
{
    yaml_event_t event;
    char *copy = charm_arena_copy(writer->arena, text);
    if (!yaml_scalar_event_initialize(&event, NULL, NULL, (unsigned char *)copy, (int)strlen(copy),
                                      1, 1, style)) {
        charmi_no_memory();
    }
    emit(writer, &event);
}

/* yaml.v2's encode.go: what would be read as something else is quoted; several lines are a block. */
static void emit_text(struct writer *writer, const char *text)
{
    const struct charm_value *meant = plain(writer->arena, text);
    yaml_scalar_style_t style = YAML_PLAIN_SCALAR_STYLE;
    if (charm_value_kind(meant) != CHARM_STRING) {
        style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    } else if (strchr(text, '\n') != NULL) {
        style = YAML_LITERAL_SCALAR_STYLE;
    }
    emit_scalar(writer, text, style);
}

static void emit_value(struct writer *writer, const struct charm_value *value);

static void emit_map(struct writer *writer, const struct charm_value *map)
{
    yaml_event_t event;
    const yaml_mapping_style_t style =
        charm_value_size(map) == 0 ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE;
    yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, style);
    emit(writer, &event);
    const struct charmi_words keys = lab_sorted_keys(writer->arena, map);
    for (size_t i = 0; i < keys.size; i++) {
        emit_text(writer, keys.at[i]);
        emit_value(writer, charm_value_get(map, keys.at[i]));
    }
    yaml_mapping_end_event_initialize(&event);
    emit(writer, &event);
}

static void emit_list(struct writer *writer, const struct charm_value *list)
{
    yaml_event_t event;
    const yaml_sequence_style_t style =
        charm_value_size(list) == 0 ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE;
    yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, style);
    emit(writer, &event);
    for (size_t i = 0; i < charm_value_size(list); i++) {
        emit_value(writer, charm_value_at(list, i));
    }
    yaml_sequence_end_event_initialize(&event);
    emit(writer, &event);
}

static void emit_value(struct writer *writer, const struct charm_value *value)
{
    switch (charm_value_kind(value)) {
    case CHARM_MAP:
        emit_map(writer, value);
        break;
    case CHARM_LIST:
        emit_list(writer, value);
        break;
    case CHARM_STRING:
        emit_text(writer, charm_text(value));
        break;
    case CHARM_INT:
    case CHARM_REAL:
        emit_scalar(writer, lab_go_number(writer->arena, value), YAML_PLAIN_SCALAR_STYLE);
        break;
    case CHARM_BOOL:
        emit_scalar(writer, charm_value_true(value) ? "true" : "false", YAML_PLAIN_SCALAR_STYLE);
        break;
    case CHARM_NULL:
        emit_scalar(writer, "null", YAML_PLAIN_SCALAR_STYLE);
        break;
    }
}

const char *lab_yaml_render(struct charm_arena *arena, const struct charm_value *value)
{
    struct writer writer = { .arena = arena, .text = charmi_buf_init(LARGEST_TEXT) };
    yaml_event_t event;
    if (!yaml_emitter_initialize(&writer.emitter)) {
        charmi_no_memory();
    }
    yaml_emitter_set_output(&writer.emitter, take_output, &writer);
    yaml_emitter_set_unicode(&writer.emitter, 1);
    yaml_emitter_set_width(&writer.emitter, -1);
    yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
    emit(&writer, &event);
    yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1);
    emit(&writer, &event);
    emit_value(&writer, value);
    yaml_document_end_event_initialize(&event, 1);
    emit(&writer, &event);
    yaml_stream_end_event_initialize(&event);
    emit(&writer, &event);
    yaml_emitter_delete(&writer.emitter);
    char *text = charmi_buf_into(&writer.text, arena);
    /* a lone plain scalar makes the emitter add a document end */
    char *dots = strstr(text, "\n...\n");
    if (dots != NULL && dots[5] == '\0') {
        dots[1] = '\0';
    }
    return text;
}
