#include "base/json_python.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One code point of valid UTF-8, and how many bytes it took. */
static uint32_t code_point(const unsigned char *at, size_t *ret_size)
{
    if (at[0] < 0x80) {
        *ret_size = 1;
        return at[0];
    }
    if (at[0] < 0xE0) {
        *ret_size = 2;
        return (uint32_t)(at[0] & 0x1F) << 6 | (uint32_t)(at[1] & 0x3F);
    }
    if (at[0] < 0xF0) {
        *ret_size = 3;
        return (uint32_t)(at[0] & 0x0F) << 12 | (uint32_t)(at[1] & 0x3F) << 6 |
               (uint32_t)(at[2] & 0x3F);
    }
    *ret_size = 4;
    return (uint32_t)(at[0] & 0x07) << 18 | (uint32_t)(at[1] & 0x3F) << 12 |
           (uint32_t)(at[2] & 0x3F) << 6 | (uint32_t)(at[3] & 0x3F);
}

static void add_escaped(struct charmi_buf *buf, uint32_t code)
{
    if (code > 0xFFFF) {
        code -= 0x10000;
        charmi_buf_addf(buf, "\\u%04x\\u%04x", 0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF));
    } else {
        charmi_buf_addf(buf, "\\u%04x", code);
    }
}

/* How many bytes from here on stand for themselves. */
static size_t plain_size(const char *text, size_t size)
{
    size_t plain = 0;
    while (plain < size && text[plain] >= 0x20 && text[plain] < 0x7F && text[plain] != '"' &&
           text[plain] != '\\') {
        plain++;
    }
    return plain;
}

static void add_string(struct charmi_buf *buf, const char *text, size_t size)
{
    static const char shorts[] = "\"\\\n\r\t\b\f";
    static const char letters[] = "\"\\nrtbf";
    charmi_buf_add_char(buf, '"');
    for (size_t i = 0; i < size;) {
        const size_t plain = plain_size(text + i, size - i);
        charmi_buf_add_n(buf, text + i, plain);
        i += plain;
        if (i == size) {
            break;
        }
        size_t length;
        const uint32_t code = code_point((const unsigned char *)text + i, &length);
        const char *known = code > 0 && code < 0x80 ? strchr(shorts, (int)code) : NULL;
        if (known != NULL) {
            charmi_buf_add_char(buf, '\\');
            charmi_buf_add_char(buf, letters[known - shorts]);
        } else {
            add_escaped(buf, code);
        }
        i += length;
    }
    charmi_buf_add_char(buf, '"');
}

/* repr() of a float: the fewest digits that read back equal, exponent below 1e-4 and from 1e16. */
static void add_real(struct charmi_buf *buf, double number)
{
    if (isnan(number) || isinf(number)) {
        charmi_buf_add(buf, isnan(number) ? "NaN" : number < 0 ? "-Infinity" : "Infinity");
        return;
    }
    char text[64];
    int digits = 1;
    for (; digits < 17; digits++) {
        snprintf(text, sizeof(text), "%.*e", digits - 1, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    snprintf(text, sizeof(text), "%.*e", digits - 1, number);
    const int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    if (exponent >= -4 && exponent < 16) {
        const int decimals = digits - 1 - exponent;
        snprintf(text, sizeof(text), "%.*f", decimals > 1 ? decimals : 1, number);
        charmi_buf_add(buf, text);
        return;
    }
    charmi_buf_add_n(buf, text, (size_t)(strchr(text, 'e') - text));
    charmi_buf_addf(buf, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
}

static int by_bytes(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void add_object(struct charmi_buf *buf, const json_t *object)
{
    const size_t size = json_object_size(object);
    const char **keys = charmi_malloc(charmi_multiply(size + 1, sizeof(*keys)));
    size_t used = 0;
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)object, key, member)
    {
        keys[used++] = key;
    }
    qsort(keys, used, sizeof(*keys), by_bytes);
    charmi_buf_add_char(buf, '{');
    for (size_t i = 0; i < used; i++) {
        charmi_buf_add(buf, i > 0 ? ", " : "");
        add_string(buf, keys[i], strlen(keys[i]));
        charmi_buf_add(buf, ": ");
        charmi_json_python(buf, json_object_get(object, keys[i]));
    }
    charmi_buf_add_char(buf, '}');
    free(keys);
}

void charmi_json_python(struct charmi_buf *buf, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        add_object(buf, value);
        break;
    case JSON_ARRAY:
        charmi_buf_add_char(buf, '[');
        for (size_t i = 0; i < json_array_size(value); i++) {
            charmi_buf_add(buf, i > 0 ? ", " : "");
            charmi_json_python(buf, json_array_get(value, i));
        }
        charmi_buf_add_char(buf, ']');
        break;
    case JSON_STRING:
        add_string(buf, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        charmi_buf_addf(buf, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        add_real(buf, json_real_value(value));
        break;
    case JSON_TRUE:
        charmi_buf_add(buf, "true");
        break;
    case JSON_FALSE:
        charmi_buf_add(buf, "false");
        break;
    case JSON_NULL:
        charmi_buf_add(buf, "null");
        break;
    }
}
