/* Patterns, and values that contain others. */
#include "lab/match.h"

#include <string.h>

enum { LONGEST_SHOWN = 400 };

bool lab_match(const char *pattern, const char *text)
{
    const char *star = NULL;
    const char *retry = text;
    while (*text != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            retry = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == '\0';
}

static const char *shown(struct charm_arena *arena, const struct charm_value *value)
{
    const char *text = charm_value_render(arena, value, CHARM_JSON_SORTED);
    return charm_arena_printf(arena, "%.*s%s", LONGEST_SHOWN, text,
                              strlen(text) > LONGEST_SHOWN ? "..." : "");
}

static const char *differs(struct charm_arena *arena, const char *where,
                           const struct charm_value *expected, const struct charm_value *actual)
{
    return charm_arena_printf(arena, "%s: expected %s, is %s", where, shown(arena, expected),
                              actual == NULL ? "not there" : shown(arena, actual));
}

static const struct charm_value *opened(struct charm_arena *arena, enum charm_kind wanted,
                                        const struct charm_value *actual)
{
    const bool text = charm_value_kind(actual) == CHARM_STRING;
    return text && (wanted == CHARM_MAP || wanted == CHARM_LIST)
               ? charm_value_decode(arena, charm_text(actual))
               : actual;
}

static const char *map_contains(struct charm_arena *arena, const char *where,
                                const struct charm_value *expected,
                                const struct charm_value *actual)
{
    CHARM_EACH(expected, it)
    {
        const char *below = charm_arena_printf(arena, "%s.%s", where, it.key);
        const char *why = lab_contains(arena, below, it.value, charm_value_get(actual, it.key));
        if (why != NULL) {
            return why;
        }
    }
    return NULL;
}

static const char *list_contains(struct charm_arena *arena, const char *where,
                                 const struct charm_value *expected,
                                 const struct charm_value *actual)
{
    if (charm_value_size(expected) != charm_value_size(actual)) {
        return differs(arena, where, expected, actual);
    }
    for (size_t i = 0; i < charm_value_size(expected); i++) {
        const char *below = charm_arena_printf(arena, "%s[%zu]", where, i);
        const char *why =
            lab_contains(arena, below, charm_value_at(expected, i), charm_value_at(actual, i));
        if (why != NULL) {
            return why;
        }
    }
    return NULL;
}

const char *lab_contains(struct charm_arena *arena, const char *where,
                         const struct charm_value *expected, const struct charm_value *actual)
{
    const enum charm_kind kind = charm_value_kind(expected);
    const struct charm_value *value = opened(arena, kind, actual);
    if (kind == CHARM_NULL) {
        return charm_value_kind(value) == CHARM_NULL ? NULL
                                                     : differs(arena, where, expected, actual);
    }
    if (kind == CHARM_MAP || kind == CHARM_LIST) {
        if (charm_value_kind(value) != kind) {
            return differs(arena, where, expected, actual);
        }
        return kind == CHARM_MAP ? map_contains(arena, where, expected, value)
                                 : list_contains(arena, where, expected, value);
    }
    if (value == NULL ||
        !lab_match(charm_value_scalar(arena, expected), charm_value_scalar(arena, value))) {
        return differs(arena, where, expected, actual);
    }
    return NULL;
}
