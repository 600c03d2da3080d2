#include "edge/juju/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"

/* The document being read: libyaml gives one event after the other. */
struct reader {
    struct charm_arena *arena;
    yaml_parser_t parser;
    yaml_event_t event; /* the one in hand */
    bool has_event;
    bool texts; /* plain scalars stay as they are written */
    struct charm_error *reterr;
};

static void reader_release(struct reader *reader)
{
    if (reader->has_event) {
        yaml_event_delete(&reader->event);
    }
    yaml_parser_delete(&reader->parser);
}

/* ---- errors ---- */

static int refuse_at(struct reader *reader, yaml_mark_t mark, const char *why)
{
    return charm_error_set(reader->reterr, CHARM_EPARSE, "line %zu, column %zu: %s", mark.line + 1,
                           mark.column + 1, why);
}

static int refuse(struct reader *reader, const char *why)
{
    return refuse_at(reader, reader->event.start_mark, why);
}

static int parser_failed(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    if (parser->error == YAML_MEMORY_ERROR) {
        charmi_no_memory();
    }
    const char *problem = parser->problem != NULL ? parser->problem : "not YAML";
    if (parser->error == YAML_READER_ERROR) {
        return charm_error_set(reader->reterr, CHARM_EPARSE, "byte %zu: %s", parser->problem_offset,
                               problem);
    }
    return refuse_at(reader, parser->problem_mark, problem);
}

static int next(struct reader *reader)
{
    if (reader->has_event) {
        yaml_event_delete(&reader->event);
        reader->has_event = false;
    }
    if (yaml_parser_parse(&reader->parser, &reader->event) == 0) {
        return parser_failed(reader);
    }
    reader->has_event = true;
    return 0;
}

/* ---- what a plain scalar means ---- */

static bool all_in(const char *text, const char *characters)
{
    return text[0] != '\0' && text[strspn(text, characters)] == '\0';
}

static bool is_null(const char *text)
{
    static const char *const words[] = { "", "~", "null", "Null", "NULL", NULL };
    return charmi_in(words, text);
}

static bool is_true(const char *text)
{
    static const char *const words[] = { "true", "True", "TRUE", "yes", "Yes",
                                         "YES",  "on",   "On",   "ON",  NULL };
    return charmi_in(words, text);
}

static bool is_false(const char *text)
{
    static const char *const words[] = { "false", "False", "FALSE", "no",  "No",
                                         "NO",    "off",   "Off",   "OFF", NULL };
    return charmi_in(words, text);
}

/* Sign, digits and base of an integer; false if the text is none. `ret_digits` is borrowed from the text. */
static bool integer_parts(const char *text, bool *ret_negative, int *ret_base,
                          const char **ret_digits)
{
    *ret_negative = text[0] == '-';
    if (text[0] == '-' || text[0] == '+') {
        text++;
    }
    *ret_digits = text;
    *ret_base = 10;
    if (charmi_same(text, "0")) {
        return true;
    }
    if (charmi_starts_with(text, "0b")) {
        *ret_base = 2;
        *ret_digits = text + 2;
        return all_in(*ret_digits, "01_");
    }
    if (charmi_starts_with(text, "0x")) {
        *ret_base = 16;
        *ret_digits = text + 2;
        return all_in(*ret_digits, "0123456789abcdefABCDEF_");
    }
    if (text[0] == '0') {
        *ret_base = 8;
        return all_in(text, "01234567_");
    }
    return text[0] >= '1' && text[0] <= '9' && all_in(text, "0123456789_");
}

/* The text without its underscores. */
static char *without_underscores(struct charm_arena *arena, const char *text)
{
    char *copy = charm_arena_copy(arena, text);
    char *to = copy;
    for (const char *from = text; *from != '\0'; from++) {
        if (*from != '_') {
            *to++ = *from;
        }
    }
    *to = '\0';
    return copy;
}

static bool read_integer(struct charm_arena *arena, const char *text, int64_t *ret_number)
{
    bool negative;
    int base;
    const char *digits;
    if (!integer_parts(text, &negative, &base, &digits)) {
        return false;
    }
    char *plain = without_underscores(arena, digits);
    if (plain[0] == '\0') {
        return false;
    }
    errno = 0;
    const unsigned long long size = strtoull(plain, NULL, base);
    const unsigned long long most = (unsigned long long)INT64_MAX + (negative ? 1 : 0);
    if (errno != 0 || size > most) {
        return false;
    }
    *ret_number = negative ? (int64_t)(0 - size) : (int64_t)size;
    return true;
}

/* PyYAML: [-+]? ( digits . [digits] | . digits ) ( e [-+] digits )? */
static bool looks_real(const char *text)
{
    static const char digits[] = "0123456789";
    text += text[0] == '-' || text[0] == '+' ? 1 : 0;
    const size_t before = text[0] >= '0' && text[0] <= '9' ? strspn(text, "0123456789_") : 0;
    if (text[before] != '.') {
        return false;
    }
    const char *rest = text + before + 1;
    const size_t after = strspn(rest, "0123456789_");
    if (before == 0 && (after == 0 || rest[0] == '_')) {
        return false;
    }
    rest += after;
    if (rest[0] == 'e' || rest[0] == 'E') {
        return (rest[1] == '-' || rest[1] == '+') && all_in(rest + 2, digits);
    }
    return rest[0] == '\0';
}

static bool read_real(struct charm_arena *arena, const char *text, double *ret_number)
{
    if (!looks_real(text)) {
        return false;
    }
    const double number = strtod(without_underscores(arena, text), NULL);
    if (!isfinite(number)) {
        return false;
    }
    *ret_number = number;
    return true;
}

static struct charm_value *new_real(struct charm_arena *arena, double number)
{
    const char *text = charm_arena_printf(arena, "%.17g", number);
    if (strpbrk(text, ".e") == NULL) {
        text = charm_arena_printf(arena, "%s.0", text);
    }
    struct charm_value *value = NULL;
    if (charm_value_parse(arena, text, strlen(text), &value, NULL) != 0) {
        charmi_bug("a finite number that is no JSON");
    }
    return value;
}

static struct charm_value *plain_value(struct charm_arena *arena, bool texts, const char *text)
{
    int64_t integer;
    double real;
    if (is_null(text)) {
        return charm_value_new_null(arena);
    }
    if (texts) {
        return charm_value_new_text(arena, text);
    }
    if (is_true(text) || is_false(text)) {
        return charm_value_new_bool(arena, is_true(text));
    }
    if (read_integer(arena, text, &integer)) {
        return charm_value_new_int(arena, integer);
    }
    if (read_real(arena, text, &real)) {
        return new_real(arena, real);
    }
    return charm_value_new_text(arena, text);
}

/* ---- nodes ---- */

static int read_node(struct reader *reader, size_t depth, struct charm_value **ret_value);

static bool tag_is(const yaml_char_t *tag, const char *wanted)
{
    return tag == NULL || charmi_same((const char *)tag, wanted);
}

static int check_tag(struct reader *reader, const yaml_char_t *tag, const char *wanted)
{
    return tag_is(tag, wanted) ? 0 : refuse(reader, "tags other than !!str are not accepted");
}

/* The event in hand is a scalar. Its text, checked. */
static int scalar_text(struct reader *reader, const char **ret_text)
{
    const char *text = (const char *)reader->event.data.scalar.value;
    if (strlen(text) != reader->event.data.scalar.length) {
        return refuse(reader, "a text with a NUL in it");
    }
    *ret_text = text;
    return 0;
}

static int read_scalar(struct reader *reader, struct charm_value **ret_value)
{
    const yaml_char_t *tag = reader->event.data.scalar.tag;
    const bool forced_text = tag != NULL;
    const bool plain = reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    const char *text;
    int result = charmi_same((const char *)tag, "!") ? 0 : check_tag(reader, tag, YAML_STR_TAG);
    if (result == 0) {
        result = scalar_text(reader, &text);
    }
    if (result == 0) {
        *ret_value = plain && !forced_text ? plain_value(reader->arena, reader->texts, text)
                                           : charm_value_new_text(reader->arena, text);
    }
    return result;
}

static int read_list(struct reader *reader, size_t depth, struct charm_value **ret_value)
{
    struct charm_value *list = charm_value_new_list(reader->arena);
    int result = check_tag(reader, reader->event.data.sequence_start.tag, YAML_SEQ_TAG);
    if (result == 0) {
        result = next(reader);
    }
    while (result == 0 && reader->event.type != YAML_SEQUENCE_END_EVENT) {
        struct charm_value *member;
        result = read_node(reader, depth + 1, &member);
        if (result == 0) {
            charm_value_append(list, member);
            result = next(reader);
        }
    }
    *ret_value = list;
    return result;
}

/* The event in hand is where a key stands; copies it. */
static int read_key(struct reader *reader, const struct charm_value *map, const char **ret_key)
{
    if (reader->event.type == YAML_ALIAS_EVENT) {
        return refuse(reader, "aliases are not accepted: write the value out");
    }
    if (reader->event.type != YAML_SCALAR_EVENT) {
        return refuse(reader, "a key that is a list or a map");
    }
    const char *text;
    const int result = scalar_text(reader, &text);
    if (result != 0) {
        return result;
    }
    if (reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && charmi_same(text, "<<")) {
        return refuse(reader, "merge keys (<<) are not accepted: write the values out");
    }
    if (charm_value_get(map, text) != NULL) {
        return refuse(reader, "this key is there twice");
    }
    *ret_key = charm_arena_copy(reader->arena, text);
    return 0;
}

static int read_pair(struct reader *reader, size_t depth, struct charm_value *map)
{
    const char *key;
    struct charm_value *value;
    int result = read_key(reader, map, &key);
    if (result == 0) {
        result = next(reader);
    }
    if (result == 0) {
        result = read_node(reader, depth + 1, &value);
    }
    if (result == 0) {
        charm_value_set(map, key, value);
    }
    return result;
}

static int read_map(struct reader *reader, size_t depth, struct charm_value **ret_value)
{
    struct charm_value *map = charm_value_new_map(reader->arena);
    int result = check_tag(reader, reader->event.data.mapping_start.tag, YAML_MAP_TAG);
    if (result == 0) {
        result = next(reader);
    }
    while (result == 0 && reader->event.type != YAML_MAPPING_END_EVENT) {
        result = read_pair(reader, depth, map);
        if (result == 0) {
            result = next(reader);
        }
    }
    *ret_value = map;
    return result;
}

/* Reads the node that begins with the event in hand; afterwards its last event is in hand. */
static int read_node(struct reader *reader, size_t depth, struct charm_value **ret_value)
{
    if (depth > CHARMI_YAML_DEPTH) {
        return refuse(reader, "nested too deeply");
    }
    switch (reader->event.type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(reader, ret_value);
    case YAML_SEQUENCE_START_EVENT:
        return read_list(reader, depth, ret_value);
    case YAML_MAPPING_START_EVENT:
        return read_map(reader, depth, ret_value);
    case YAML_ALIAS_EVENT:
        return refuse(reader, "aliases are not accepted: write the value out");
    default:
        return refuse(reader, "a value was expected here");
    }
}

/* ---- the document ---- */

/* The stream has begun. An empty stream has no document at all. */
static int read_document(struct reader *reader, struct charm_value **ret_value)
{
    *ret_value = charm_value_new_null(reader->arena);
    int result = next(reader);
    if (result != 0 || reader->event.type == YAML_STREAM_END_EVENT) {
        return result;
    }
    result = next(reader); /* behind the document's start */
    if (result == 0) {
        result = read_node(reader, 1, ret_value);
    }
    if (result == 0) {
        result = next(reader); /* the document's end */
    }
    if (result == 0) {
        result = next(reader);
    }
    if (result == 0 && reader->event.type != YAML_STREAM_END_EVENT) {
        return refuse(reader, "a second document begins; one is wanted");
    }
    return result;
}

static int parse(struct charm_arena *arena, bool texts, const char *text, size_t size,
                 struct charm_value **ret_value, struct charm_error *reterr)
{
    if (size > CHARMI_YAML_BYTES) {
        return charm_error_set(reterr, CHARM_ETOOBIG, "YAML of %zu bytes: at most %zu are accepted",
                               size, CHARMI_YAML_BYTES);
    }
    __attribute__((cleanup(reader_release))) struct reader reader = { .arena = arena,
                                                                      .texts = texts,
                                                                      .reterr = reterr };
    if (yaml_parser_initialize(&reader.parser) == 0) {
        charmi_no_memory();
    }
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, size);
    struct charm_value *value = NULL;
    int result = next(&reader); /* the stream's start */
    if (result == 0) {
        result = read_document(&reader, &value);
    }
    if (result == 0) {
        *ret_value = value;
    }
    return result;
}

int charmi_yaml_parse(struct charm_arena *arena, const char *text, size_t size,
                      struct charm_value **ret_value, struct charm_error *reterr)
{
    return parse(arena, false, text, size, ret_value, reterr);
}

int charmi_yaml_texts(struct charm_arena *arena, const char *text, size_t size,
                      struct charm_value **ret_value, struct charm_error *reterr)
{
    return parse(arena, true, text, size, ret_value, reterr);
}
