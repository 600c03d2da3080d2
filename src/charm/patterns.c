#include "charm/patterns.h"

#include <string.h>

/* A group found in a pattern: `{` at `start`, `}` at `end`, and a colon between them for {role:interface}. */
struct group {
    const char *start;
    const char *colon;
    const char *end;
};

/* {role:interface}: at least one character on each side of the first colon, no } in either. */
static bool find_role(const char *text, struct group *ret_group)
{
    for (const char *start = strchr(text, '{'); start != NULL; start = strchr(start + 1, '{')) {
        const char *stop = start + 1 + strcspn(start + 1, ":}");
        if (*stop != ':' || stop == start + 1) {
            continue;
        }
        const char *end = strchr(stop + 1, '}');
        if (end != NULL && end > stop + 1) {
            *ret_group = (struct group){ start, stop, end };
            return true;
        }
    }
    return false;
}

/* Words without : , }, at least one; only the last may be empty, and not if it is the only one. */
static bool words_until_brace(const char *at, const char **ret_end)
{
    if (*at == '}') {
        return false;
    }
    for (;;) {
        size_t length = strcspn(at, ":,}");
        if (length == 0) {
            *ret_end = at;
            return *at == '}';
        }
        at += length;
        if (*at != ',') {
            *ret_end = at;
            return *at == '}';
        }
        at++;
    }
}

/* {a,b,c} */
static bool find_words(const char *text, struct group *ret_group)
{
    for (const char *start = strchr(text, '{'); start != NULL; start = strchr(start + 1, '{')) {
        const char *end = NULL;
        if (words_until_brace(start + 1, &end)) {
            *ret_group = (struct group){ start, NULL, end };
            return true;
        }
    }
    return false;
}

/* Adds `text` with the group replaced by `size` bytes of `word`. */
static void add_replaced(struct charm_arena *arena, struct charmi_words *words, const char *text,
                         const struct group *group, const char *word, size_t size)
{
    size_t head = (size_t)(group->start - text);
    size_t tail = strlen(group->end + 1);
    char *whole = charm_arena_alloc(arena, head + size + tail + 1);
    memcpy(whole, text, head);
    memcpy(whole + head, word, size);
    memcpy(whole + head + size, group->end + 1, tail);
    charmi_words_add(arena, words, whole);
}

static void replace_role(struct charm_arena *arena, struct charmi_words *words, const char *text,
                         const struct group *group, const struct charm_value *metadata)
{
    const char *role =
        charm_arena_copy_n(arena, group->start + 1, (size_t)(group->colon - group->start - 1));
    const char *interface =
        charm_arena_copy_n(arena, group->colon + 1, (size_t)(group->end - group->colon - 1));
    if (!charmi_in((const char *const[]){ "requires", "provides", "peers", NULL }, role)) {
        return;
    }
    CHARM_EACH(charm_value_get(metadata, role), endpoint)
    {
        const char *its = charm_text(charm_value_get(endpoint.value, "interface"));
        if (charmi_same(its, interface)) {
            add_replaced(arena, words, text, group, endpoint.key, strlen(endpoint.key));
        }
    }
}

static void replace_words(struct charm_arena *arena, struct charmi_words *words, const char *text,
                          const struct group *group)
{
    for (const char *at = group->start + 1;; at++) {
        size_t size = strcspn(at, ",}");
        add_replaced(arena, words, text, group, at, size);
        at += size;
        if (*at == '}') {
            return;
        }
    }
}

/* What is replaced goes to the end of the list, and is looked at again. */
static int expand(struct charm_arena *arena, const char *pattern, struct charmi_words words,
                  const struct charm_value *metadata, bool roles, struct charmi_words *done,
                  struct charm_error *reterr)
{
    for (size_t i = 0; i < words.size; i++) {
        struct group group = { 0 };
        const char *text = words.at[i];
        if (roles && find_role(text, &group)) {
            replace_role(arena, &words, text, &group, metadata);
        } else if (!roles && find_words(text, &group)) {
            replace_words(arena, &words, text, &group);
        } else if (!charmi_words_have(done, text)) {
            charmi_words_add(arena, done, text);
        }
        if (words.size > (size_t)CHARMI_PATTERNS_MAX * 4 || done->size > CHARMI_PATTERNS_MAX) {
            return charm_error_set(reterr, CHARM_ETOOBIG,
                                   "expand the hook pattern '%s': it stands for more than %d names",
                                   pattern, (int)CHARMI_PATTERNS_MAX);
        }
    }
    return 0;
}

int charmi_patterns_expand(struct charm_arena *arena, const char *const *patterns,
                           const struct charm_value *metadata, struct charmi_words *ret_names,
                           struct charm_error *reterr)
{
    struct charmi_words names = { 0 };
    for (size_t i = 0; i < charmi_list_size(patterns); i++) {
        struct charmi_words pattern = { 0 };
        struct charmi_words without_roles = { 0 };
        charmi_words_add(arena, &pattern, charm_arena_copy(arena, patterns[i]));
        int r = expand(arena, patterns[i], pattern, metadata, true, &without_roles, reterr);
        if (r == 0) {
            r = expand(arena, patterns[i], without_roles, metadata, false, &names, reterr);
        }
        if (r < 0) {
            return r;
        }
    }
    *ret_names = names;
    return 0;
}
