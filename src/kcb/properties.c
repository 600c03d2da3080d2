#include "kcb/properties.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

/* ---- read: java.util.Properties.LineReader and loadConvert, JDK 17 ---- */

/* One logical line: continuation lines joined, leading white space gone, escapes still in it. */
struct line {
    const char *bytes;
    size_t size;
    size_t number; /* of the natural line on which it begins */
};

struct reader {
    struct charm_arena *arena;
    const char *at;
    size_t next_number; /* of the natural line at `at` */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

static void skip_line_end(struct reader *reader)
{
    if (reader->at[0] == '\r' && reader->at[1] == '\n') {
        reader->at++;
    }
    if (*reader->at != '\0') {
        reader->at++;
        reader->next_number++;
    }
}

static size_t natural_size(const char *at)
{
    size_t size = 0;
    while (at[size] != '\0' && !is_line_end(at[size])) {
        size++;
    }
    return size;
}

/* An odd number of backslashes at its end: the next natural line belongs to it. */
static bool goes_on(const char *bytes, size_t size)
{
    size_t backslashes = 0;
    while (backslashes < size && bytes[size - 1 - backslashes] == '\\') {
        backslashes++;
    }
    return backslashes % 2 == 1;
}

static void skip_blanks(struct reader *reader)
{
    while (is_blank(*reader->at)) {
        reader->at++;
    }
}

/* Moves over empty lines and comments. A comment has no continuation; false at the end of the text. */
static bool find_line(struct reader *reader)
{
    for (;;) {
        skip_blanks(reader);
        if (*reader->at == '\0') {
            return false;
        }
        if (*reader->at == '#' || *reader->at == '!') {
            reader->at += natural_size(reader->at);
        } else if (!is_line_end(*reader->at)) {
            return true;
        }
        skip_line_end(reader);
    }
}

/* Joins the logical line at `reader->at` in `buf`. True when the text ends in a backslash that nothing follows. */
static bool join_line(struct reader *reader, struct charmi_buf *buf)
{
    for (;;) {
        const size_t size = natural_size(reader->at);
        const bool more = goes_on(reader->at, size);
        charmi_buf_add_n(buf, reader->at, size - (more ? 1 : 0));
        reader->at += size;
        const bool last = reader->at[0] == '\0' || reader->at[1] == '\0';
        skip_line_end(reader);
        if (!more || last) {
            return more;
        }
        if (buf->size == 0) {
            return false; /* still at the start of a line, where comments may begin */
        }
        skip_blanks(reader);
    }
}

/* The next logical line. Continuations of nothing are no line, unless the text ends in one: so does Java. */
static bool next_line(struct reader *reader, struct charmi_buf *buf, struct line *ret_line)
{
    buf->size = 0;
    while (find_line(reader)) {
        const size_t number = reader->next_number;
        const bool cut = join_line(reader, buf);
        if (buf->size > 0 || cut) {
            *ret_line = (struct line){ charmi_buf_text(buf), buf->size, number };
            return true;
        }
    }
    return false;
}

/* Length of the key: up to the first separator that no backslash protects. */
static size_t key_size(const struct line *line)
{
    size_t at = 0;
    while (at < line->size && !is_blank(line->bytes[at]) && line->bytes[at] != '=' &&
           line->bytes[at] != ':') {
        at += line->bytes[at] == '\\' && at + 1 < line->size ? 2 : 1;
    }
    return at;
}

/* Where the value begins: behind white space with at most one `=` or `:` in it. */
static size_t value_start(const struct line *line, size_t at)
{
    bool separated = false;
    for (; at < line->size; at++) {
        const char c = line->bytes[at];
        if (!separated && (c == '=' || c == ':')) {
            separated = true;
        } else if (!is_blank(c)) {
            break;
        }
    }
    return at;
}

/* ---- escapes ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits behind \u; -1 if they are not four. */
static int32_t read_unit(const char *bytes, size_t size)
{
    int32_t unit = 0;
    for (size_t i = 0; i < 4; i++) {
        const int digit = i < size ? hex_digit(bytes[i]) : -1;
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

static void add_utf8(struct charmi_buf *buf, uint32_t point)
{
    char bytes[4];
    size_t size = 0;
    if (point < 0x80) {
        bytes[size++] = (char)point;
    } else if (point < 0x800) {
        bytes[size++] = (char)(0xc0 | point >> 6);
    } else if (point < 0x10000) {
        bytes[size++] = (char)(0xe0 | point >> 12);
        bytes[size++] = (char)(0x80 | (point >> 6 & 0x3f));
    } else {
        bytes[size++] = (char)(0xf0 | point >> 18);
        bytes[size++] = (char)(0x80 | (point >> 12 & 0x3f));
        bytes[size++] = (char)(0x80 | (point >> 6 & 0x3f));
    }
    if (point >= 0x80) {
        bytes[size++] = (char)(0x80 | (point & 0x3f));
    }
    charmi_buf_add_n(buf, bytes, size);
}

static bool is_high(int32_t unit)
{
    return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low(int32_t unit)
{
    return unit >= 0xdc00 && unit < 0xe000;
}

/*
 * Reads what follows \u at `bytes`, with the second half of a surrogate pair. Returns how many bytes it took, 0 if it
 * makes no character.
 */
static size_t add_escaped(struct charmi_buf *buf, const char *bytes, size_t size)
{
    const int32_t first = read_unit(bytes, size);
    if (first <= 0 || is_low(first)) {
        return 0;
    }
    if (!is_high(first)) {
        add_utf8(buf, (uint32_t)first);
        return 4;
    }
    const bool paired = size >= 10 && bytes[4] == '\\' && bytes[5] == 'u';
    const int32_t second = paired ? read_unit(bytes + 6, size - 6) : -1;
    if (!is_low(second)) {
        return 0;
    }
    add_utf8(buf, 0x10000 + ((uint32_t)(first - 0xd800) << 10) + (uint32_t)(second - 0xdc00));
    return 10;
}

/* The text with escapes resolved, in the arena; NULL for a bad \u. */
static char *unescape(struct charm_arena *arena, const char *bytes, size_t size)
{
    charmi_auto_buf struct charmi_buf buf = charmi_buf_init(KCBI_PROPERTIES_MAX);
    for (size_t at = 0; at < size; at++) {
        if (bytes[at] != '\\' || at + 1 == size) {
            if (bytes[at] != '\\') {
                charmi_buf_add_char(&buf, bytes[at]);
            }
            continue;
        }
        at++;
        if (bytes[at] == 'u') {
            const size_t used = add_escaped(&buf, bytes + at + 1, size - at - 1);
            if (used == 0) {
                return NULL;
            }
            at += used;
            continue;
        }
        static const char letters[] = "tnrf";
        static const char meant[] = "\t\n\r\f";
        const char *letter = strchr(letters, bytes[at]);
        charmi_buf_add_char(&buf, letter != NULL ? meant[letter - letters] : bytes[at]);
    }
    return charmi_buf_into(&buf, arena);
}

static int parse_line(struct charm_arena *arena, const struct line *line, struct charm_value *map,
                      struct charm_error *reterr)
{
    if (!charmi_utf8_valid(line->bytes, line->size)) {
        return charm_error_set(reterr, CHARM_EPARSE, "line %zu: this is not UTF-8", line->number);
    }
    const size_t key_end = key_size(line);
    const size_t value_at = value_start(line, key_end);
    const char *key = unescape(arena, line->bytes, key_end);
    const char *value = unescape(arena, line->bytes + value_at, line->size - value_at);
    if (key == NULL || value == NULL) {
        return charm_error_set(reterr, CHARM_EPARSE,
                               "line %zu: \\u wants four hexadecimal digits that make a character "
                               "(write \\\\ for a backslash)",
                               line->number);
    }
    charm_value_set_text(map, key, value);
    return 0;
}

int kcbi_properties_parse(struct charm_arena *arena, const char *text, struct charm_value **ret_map,
                          struct charm_error *reterr)
{
    const char *all = text == NULL ? "" : text;
    if (strlen(all) > KCBI_PROPERTIES_MAX) {
        return charm_error_set(reterr, CHARM_ETOOBIG, "%zu bytes are too many, %d are allowed",
                               strlen(all), KCBI_PROPERTIES_MAX);
    }
    struct charm_value *map = charm_value_new_map(arena);
    charmi_auto_buf struct charmi_buf buf = charmi_buf_init(KCBI_PROPERTIES_MAX);
    struct reader reader = { arena, all, 1 };
    struct line line;
    while (next_line(&reader, &buf, &line)) {
        const int code = parse_line(arena, &line, map, reterr);
        if (code != 0) {
            return code;
        }
    }
    *ret_map = map;
    return 0;
}

/* ---- write ---- */

/* One character of UTF-8 (valid, as every value's text is); returns its size. */
static size_t read_utf8(const char *bytes, uint32_t *ret_point)
{
    const unsigned char first = (unsigned char)bytes[0];
    const size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    uint32_t point = first & masks[size];
    for (size_t i = 1; i < size; i++) {
        point = point << 6 | ((unsigned char)bytes[i] & 0x3f);
    }
    *ret_point = point;
    return size;
}

static void add_point(struct charmi_buf *buf, uint32_t point)
{
    if (point < 0x10000) {
        charmi_buf_addf(buf, "\\u%04X", point);
        return;
    }
    const uint32_t rest = point - 0x10000;
    charmi_buf_addf(buf, "\\u%04X\\u%04X", 0xd800 + (rest >> 10), 0xdc00 + (rest & 0x3ff));
}

/* Only what must be escaped is: people read these files. `special`: what would end or change the text here. */
static void add_char(struct charmi_buf *buf, uint32_t point, const char *special)
{
    static const char controls[] = "\t\n\r\f";
    static const char letters[] = "tnrf";
    const char c = (char)point;
    if (point < 0x20 && strchr(controls, c) != NULL && c != '\0') {
        charmi_buf_addf(buf, "\\%c", letters[strchr(controls, c) - controls]);
    } else if (point < 0x20 || point >= 0x7f) {
        add_point(buf, point);
    } else {
        if (c == '\\' || strchr(special, c) != NULL) {
            charmi_buf_add_char(buf, '\\');
        }
        charmi_buf_add_char(buf, c);
    }
}

static void add_escaped_text(struct charmi_buf *buf, const char *text, const char *special_first,
                             const char *special)
{
    for (const char *at = text; *at != '\0';) {
        uint32_t point = 0;
        const size_t size = read_utf8(at, &point);
        add_char(buf, point, at == text ? special_first : special);
        at += size;
    }
}

const char *kcbi_properties_render(struct charm_arena *arena, const struct charm_value *map)
{
    struct charmi_words keys = { 0 };
    CHARM_EACH(map, it)
    {
        charmi_words_add(arena, &keys, charm_arena_copy(arena, it.key));
    }
    charmi_words_sort(&keys);
    charmi_auto_buf struct charmi_buf buf = charmi_buf_init(SIZE_MAX / 2);
    for (size_t i = 0; i < keys.size; i++) {
        const struct charm_value *value = charm_value_get(map, keys.at[i]);
        add_escaped_text(&buf, keys.at[i], " =:#!", " =:");
        charmi_buf_add_char(&buf, '=');
        add_escaped_text(&buf, charm_value_scalar(arena, value), " ", "");
        charmi_buf_add_char(&buf, '\n');
    }
    return charmi_buf_into(&buf, arena);
}
