/*
 * base/text.h: small questions about text, and text cut into pieces.
 *
 *     struct charmi_words words = charmi_split(arena, " a  b ", " ");    -> "a", "b"
 *     long port;
 *     if (charmi_parse_int("8083", 1, 65535, &port)) { ... }
 *
 * May include: charm/arena.h.
 */
#ifndef CHARMI_TEXT_H
#define CHARMI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "charm/arena.h"

bool charmi_same(const char *left, const char *right);      /* NULL equals only NULL */
bool charmi_same_word(const char *left, const char *right); /* large and small letters are one */
bool charmi_starts_with(const char *text, const char *start);
bool charmi_ends_with(const char *text, const char *end);
bool charmi_blank(const char *text); /* NULL, empty or white space alone */
/* The text without white space at both ends. */
char *charmi_trim(struct charm_arena *arena, const char *text);
/* Decimal number with an optional sign, nothing else around it, inside [low, high]. */
bool charmi_parse_int(const char *text, int64_t low, int64_t high, int64_t *ret_number);
/* Is the NULL-ended list without / with this text? */
bool charmi_in(const char *const *list, const char *text);
size_t charmi_list_size(const char *const *list); /* NULL counts as empty */

struct charmi_words {
    const char **at; /* `size` texts, then NULL */
    size_t size;
};
/* Pieces between any of the `separators`; empty pieces are left out. */
struct charmi_words charmi_split(struct charm_arena *arena, const char *text,
                                 const char *separators);
/* Adds a text to the list (the list grows in the arena; the text is not copied). */
void charmi_words_add(struct charm_arena *arena, struct charmi_words *words, const char *text);
bool charmi_words_have(const struct charmi_words *words, const char *text);
void charmi_words_sort(struct charmi_words *words); /* by bytes */
char *charmi_words_join(struct charm_arena *arena, const struct charmi_words *words,
                        const char *separator);
/* Is it valid UTF-8 (no surrogates, no overlong forms)? */
bool charmi_utf8_valid(const char *bytes, size_t size);
/* Makes it valid: each byte that belongs to no character becomes a question mark. */
void charmi_utf8_mend(char *text);

#endif
