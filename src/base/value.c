/* Values are jansson's: `struct charm_value` is never defined, a pointer to it is a json_t pointer. */
#include "charm/value.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_python.h"
#include "base/memory.h"
#include "base/text.h"

enum { DEEPEST = 100 };

static json_t *json(const struct charm_value *value)
{
    return (json_t *)(uintptr_t)value;
}

static struct charm_value *value(json_t *json)
{
    return (struct charm_value *)json;
}

/*
 * jansson tells want of memory as "not JSON", and loses characters of texts without telling at all. So it asks us, where
 * that ends the process, from before its first call on.
 */
__attribute__((constructor)) static void take_over_memory(void)
{
    json_set_alloc_funcs(charmi_malloc, free);
}

static void release(void *object)
{
    json_decref(object);
}

/* Hands a new reference to the arena. */
static struct charm_value *keep(struct charm_arena *arena, json_t *made)
{
    if (made == NULL) {
        charmi_no_memory();
    }
    charm_arena_defer(arena, release, made);
    return value(made);
}

static json_t *there(json_t *made)
{
    if (made == NULL) {
        charmi_no_memory();
    }
    return made;
}

static void done(int result)
{
    if (result != 0) {
        charmi_no_memory();
    }
}

/* A JSON string of any bytes: what is not UTF-8 becomes U+FFFD. */
static json_t *text_json(const char *text)
{
    if (text == NULL) {
        return json_null();
    }
    const size_t size = strlen(text);
    if (charmi_utf8_valid(text, size)) {
        return there(json_stringn_nocheck(text, size));
    }
    charmi_auto_buf struct charmi_buf clean = charmi_buf_init(SIZE_MAX / 4);
    for (size_t i = 0; i < size;) {
        size_t length = 1;
        while (length < 4 && i + length <= size && !charmi_utf8_valid(text + i, length)) {
            length++;
        }
        if (i + length <= size && length <= 4 && charmi_utf8_valid(text + i, length)) {
            charmi_buf_add_n(&clean, text + i, length);
            i += length;
        } else {
            charmi_buf_add(&clean, "\xEF\xBF\xBD");
            i++;
        }
    }
    return there(json_stringn_nocheck(charmi_buf_text(&clean), clean.size));
}

struct charm_value *charm_value_new_map(struct charm_arena *arena)
{
    return keep(arena, json_object());
}

struct charm_value *charm_value_new_list(struct charm_arena *arena)
{
    return keep(arena, json_array());
}

struct charm_value *charm_value_new_text(struct charm_arena *arena, const char *text)
{
    return keep(arena, text_json(text));
}

struct charm_value *charm_value_new_int(struct charm_arena *arena, int64_t number)
{
    return keep(arena, json_integer(number));
}

struct charm_value *charm_value_new_bool(struct charm_arena *arena, bool truth)
{
    return keep(arena, json_boolean(truth));
}

struct charm_value *charm_value_new_null(struct charm_arena *arena)
{
    return keep(arena, json_null());
}

struct charm_value *charm_value_copy(struct charm_arena *arena, const struct charm_value *from)
{
    return keep(arena, from == NULL ? json_null() : json_deep_copy(json(from)));
}

enum charm_kind charm_value_kind(const struct charm_value *v)
{
    if (v == NULL) {
        return CHARM_NULL;
    }
    switch (json_typeof(json(v))) {
    case JSON_OBJECT:
        return CHARM_MAP;
    case JSON_ARRAY:
        return CHARM_LIST;
    case JSON_STRING:
        return CHARM_STRING;
    case JSON_INTEGER:
        return CHARM_INT;
    case JSON_REAL:
        return CHARM_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return CHARM_BOOL;
    case JSON_NULL:
        break;
    }
    return CHARM_NULL;
}

const char *charm_text(const struct charm_value *v)
{
    const char *text = v == NULL ? NULL : json_string_value(json(v));
    return text == NULL ? "" : text;
}

const char *charm_value_scalar(struct charm_arena *arena, const struct charm_value *v)
{
    switch (charm_value_kind(v)) {
    case CHARM_STRING:
        return charm_text(v);
    case CHARM_BOOL:
    case CHARM_INT:
    case CHARM_REAL:
        return charm_value_render(arena, v, CHARM_JSON_PYTHON);
    case CHARM_NULL:
    case CHARM_LIST:
    case CHARM_MAP:
        break;
    }
    return "";
}

int64_t charm_value_int(const struct charm_value *v, int64_t fallback)
{
    if (charm_value_kind(v) == CHARM_INT) {
        return json_integer_value(json(v));
    }
    int64_t number;
    if (charm_value_kind(v) == CHARM_STRING &&
        charmi_parse_int(charm_text(v), INT64_MIN, INT64_MAX, &number)) {
        return number;
    }
    return fallback;
}

bool charm_value_true(const struct charm_value *v)
{
    return v != NULL && json_is_true(json(v));
}

size_t charm_value_size(const struct charm_value *v)
{
    switch (charm_value_kind(v)) {
    case CHARM_MAP:
        return json_object_size(json(v));
    case CHARM_LIST:
        return json_array_size(json(v));
    default:
        return 0;
    }
}

const struct charm_value *charm_value_get(const struct charm_value *map, const char *key)
{
    return map == NULL ? NULL : value(json_object_get(json(map), key));
}

const struct charm_value *charm_value_path(const struct charm_value *map, ...)
{
    va_list keys;
    va_start(keys, map);
    for (const char *key = va_arg(keys, const char *); key != NULL && map != NULL;
         key = va_arg(keys, const char *)) {
        map = charm_value_get(map, key);
    }
    va_end(keys);
    return map;
}

const struct charm_value *charm_value_at(const struct charm_value *list, size_t index)
{
    return list == NULL ? NULL : value(json_array_get(json(list), index));
}

bool charm_value_equal(const struct charm_value *left, const struct charm_value *right)
{
    if (charm_value_kind(left) == CHARM_NULL || charm_value_kind(right) == CHARM_NULL) {
        return charm_value_kind(left) == charm_value_kind(right);
    }
    return json_equal(json(left), json(right)) == 1;
}

struct charm_iter charm_value_each(const struct charm_value *map)
{
    return (struct charm_iter){ .map = charm_value_kind(map) == CHARM_MAP ? map : NULL };
}

bool charm_value_next(struct charm_iter *iter)
{
    if (iter->map == NULL) {
        return false;
    }
    iter->at = iter->key == NULL ? json_object_iter(json(iter->map))
                                 : json_object_iter_next(json(iter->map), iter->at);
    if (iter->at == NULL) {
        iter->map = NULL;
        return false;
    }
    iter->key = json_object_iter_key(iter->at);
    iter->value = value(json_object_iter_value(iter->at));
    return true;
}

/* Puts a new reference into a map, under a key that is made valid UTF-8 as well. */
static void set_new(struct charm_value *map, const char *key, json_t *member)
{
    if (charm_value_kind(map) != CHARM_MAP || key == NULL) {
        json_decref(member);
        return;
    }
    json_t *clean = text_json(key);
    done(json_object_set_new_nocheck(json(map), json_string_value(clean), member));
    json_decref(clean);
}

void charm_value_set(struct charm_value *map, const char *key, const struct charm_value *member)
{
    set_new(map, key, member == NULL ? json_null() : json_incref(json(member)));
}

void charm_value_setf(struct charm_value *map, const char *key, const char *format, ...)
{
    charmi_auto_buf struct charmi_buf text = charmi_buf_init(SIZE_MAX / 4);
    va_list args;
    va_start(args, format);
    charmi_buf_vaddf(&text, format, args);
    va_end(args);
    set_new(map, key, text_json(charmi_buf_text(&text)));
}

void charm_value_set_text(struct charm_value *map, const char *key, const char *text)
{
    set_new(map, key, text_json(text));
}

void charm_value_set_int(struct charm_value *map, const char *key, int64_t number)
{
    set_new(map, key, there(json_integer(number)));
}

void charm_value_set_bool(struct charm_value *map, const char *key, bool truth)
{
    set_new(map, key, json_boolean(truth));
}

void charm_value_set_null(struct charm_value *map, const char *key)
{
    set_new(map, key, json_null());
}

void charm_value_remove(struct charm_value *map, const char *key)
{
    if (map != NULL) {
        CHARMI_IGNORE(json_object_del(json(map), key), "a missing key is removed already");
    }
}

void charm_value_clear(struct charm_value *container)
{
    if (charm_value_kind(container) == CHARM_MAP) {
        done(json_object_clear(json(container)));
    } else if (charm_value_kind(container) == CHARM_LIST) {
        done(json_array_clear(json(container)));
    }
}

struct charm_value *charm_value_add_map(struct charm_value *map, const char *key)
{
    json_t *member = there(json_object());
    set_new(map, key, member);
    return value(json_object_get(json(map), key));
}

struct charm_value *charm_value_add_list(struct charm_value *map, const char *key)
{
    json_t *member = there(json_array());
    set_new(map, key, member);
    return value(json_object_get(json(map), key));
}

static void append_new(struct charm_value *list, json_t *member)
{
    if (charm_value_kind(list) != CHARM_LIST) {
        json_decref(member);
        return;
    }
    done(json_array_append_new(json(list), member));
}

void charm_value_append(struct charm_value *list, const struct charm_value *member)
{
    append_new(list, member == NULL ? json_null() : json_incref(json(member)));
}

void charm_value_append_text(struct charm_value *list, const char *text)
{
    append_new(list, text_json(text));
}

void charm_value_append_int(struct charm_value *list, int64_t number)
{
    append_new(list, there(json_integer(number)));
}

struct charm_value *charm_value_append_map(struct charm_value *list)
{
    json_t *member = there(json_object());
    append_new(list, member);
    return charm_value_kind(list) == CHARM_LIST ? value(member) : NULL;
}

void charm_value_update(struct charm_value *into, const struct charm_value *from)
{
    CHARM_EACH(from, it)
    {
        charm_value_set(into, it.key, it.value);
    }
}

const char *charm_value_render(struct charm_arena *arena, const struct charm_value *v,
                               enum charm_json style)
{
    json_t *root = v == NULL ? json_null() : json(v);
    if (style == CHARM_JSON_PYTHON) {
        struct charmi_buf buf = charmi_buf_init(SIZE_MAX / 4);
        charmi_json_python(&buf, root);
        return charmi_buf_into(&buf, arena);
    }
    size_t flags = JSON_ENCODE_ANY;
    flags |= style == CHARM_JSON_PRETTY ? JSON_INDENT(2) | JSON_SORT_KEYS : JSON_COMPACT;
    flags |= style == CHARM_JSON_SORTED ? JSON_SORT_KEYS : 0;
    char *text = json_dumps(root, flags);
    if (text == NULL) {
        charmi_no_memory();
    }
    char *copy = charm_arena_copy(arena, text);
    free(text);
    return copy;
}

/* jansson's own limit is 2,048 levels; ours is checked before it recurses. */
static bool too_deep(const char *text, size_t size)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < size; i++) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') {
                i++;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > DEEPEST) {
                return true;
            }
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return false;
}

int charm_value_parse(struct charm_arena *arena, const char *text, size_t size,
                      struct charm_value **ret_value, struct charm_error *reterr)
{
    if (too_deep(text, size)) {
        return charm_error_set(reterr, CHARM_EPARSE, "read JSON: nested deeper than %d levels",
                               DEEPEST);
    }
    json_error_t error;
    json_t *root = json_loadb(text, size, JSON_DECODE_ANY, &error);
    if (root == NULL) {
        return charm_error_set(reterr, CHARM_EPARSE, "read JSON: line %d, column %d is not JSON",
                               error.line, error.column);
    }
    *ret_value = keep(arena, root);
    return 0;
}

struct charm_value *charm_value_decode(struct charm_arena *arena, const char *text)
{
    struct charm_value *decoded = NULL;
    if (charmi_blank(text) || charm_value_parse(arena, text, strlen(text), &decoded, NULL) != 0) {
        return charm_value_new_text(arena, text);
    }
    return decoded;
}
