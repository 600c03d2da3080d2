#include "charm/redact.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "charm/value.h"

/* A line of a key or certificate; shorter ones (braces, "1") would blacken half of the text. */
#define LINE_MIN 8

static void insert_by_length(struct charm_arena *arena, struct charmi_words *words,
                             const char *text)
{
    if (text[0] == '\0' || charmi_words_have(words, text)) {
        return;
    }
    charmi_words_add(arena, words, text);
    size_t length = strlen(text);
    size_t at = words->size - 1;
    while (at > 0 && strlen(words->at[at - 1]) < length) {
        words->at[at] = words->at[at - 1];
        at--;
    }
    words->at[at] = text;
}

/* As it looks inside of a JSON text, without the quotes. */
static const char *json_form(struct charm_arena *arena, const char *text)
{
    const char *quoted =
        charm_value_render(arena, charm_value_new_text(arena, text), CHARM_JSON_COMPACT);
    size_t size = strlen(quoted);
    return size < 2 ? "" : charm_arena_copy_n(arena, quoted + 1, size - 2);
}

void charmi_secrets_add(struct charm_arena *arena, struct charmi_secrets *secrets,
                        const char *secret)
{
    if (secret == NULL || secret[0] == '\0') {
        return;
    }
    insert_by_length(arena, &secrets->words, charm_arena_copy(arena, secret));
    insert_by_length(arena, &secrets->words, json_form(arena, secret));
    struct charmi_words lines = charmi_split(arena, secret, "\r\n");
    for (size_t i = 0; i < lines.size && lines.size > 1; i++) {
        if (strlen(lines.at[i]) >= LINE_MIN) {
            insert_by_length(arena, &secrets->words, lines.at[i]);
        }
    }
}

static const char *replace(struct charm_arena *arena, const char *text, const char *secret)
{
    const char *found = strstr(text, secret);
    if (found == NULL) {
        return text;
    }
    struct charmi_buf buf = charmi_buf_init(strlen(text) * 3 + 3);
    while (found != NULL) {
        charmi_buf_add_n(&buf, text, (size_t)(found - text));
        charmi_buf_add(&buf, "***");
        text = found + strlen(secret);
        found = strstr(text, secret);
    }
    charmi_buf_add(&buf, text);
    return charmi_buf_into(&buf, arena);
}

const char *charmi_redact(struct charm_arena *arena, const struct charmi_secrets *secrets,
                          const char *text)
{
    const char *result = charm_arena_copy(arena, text == NULL ? "" : text);
    for (size_t i = 0; i < secrets->words.size; i++) {
        result = replace(arena, result, secrets->words.at[i]);
    }
    return result;
}

bool charmi_key_is_secret(const char *key)
{
    static const char *const parts[] = { "password", "passwd", "jaas", "secret", "token", NULL };
    char lower[256];
    size_t size = 0;
    for (; key != NULL && key[size] != '\0' && size < sizeof(lower) - 1; size++) {
        lower[size] = (char)tolower((unsigned char)key[size]);
    }
    lower[size] = '\0';
    for (const char *const *part = parts; *part != NULL; part++) {
        if (strstr(lower, *part) != NULL) {
            return true;
        }
    }
    return charmi_ends_with(lower, ".key") || charmi_ends_with(lower, "-key");
}
