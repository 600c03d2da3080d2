#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static const char white_space[] = " \t\r\n\f\v";

bool charmi_same(const char *left, const char *right)
{
    if (left == NULL || right == NULL) {
        return left == right;
    }
    return strcmp(left, right) == 0;
}

static int lower(char c)
{
    return tolower((unsigned char)c);
}

bool charmi_same_word(const char *left, const char *right)
{
    while (*left != '\0' && lower(*left) == lower(*right)) {
        left++;
        right++;
    }
    return lower(*left) == lower(*right);
}

bool charmi_starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

bool charmi_ends_with(const char *text, const char *end)
{
    const size_t text_size = strlen(text);
    const size_t end_size = strlen(end);
    return text_size >= end_size && memcmp(text + text_size - end_size, end, end_size) == 0;
}

bool charmi_blank(const char *text)
{
    return text == NULL || text[strspn(text, white_space)] == '\0';
}

char *charmi_trim(struct charm_arena *arena, const char *text)
{
    text += strspn(text, white_space);
    size_t size = strlen(text);
    while (size > 0 && strchr(white_space, text[size - 1]) != NULL) {
        size--;
    }
    return charm_arena_copy_n(arena, text, size);
}

bool charmi_parse_int(const char *text, int64_t low, int64_t high, int64_t *ret_number)
{
    if (text == NULL) {
        return false;
    }
    const bool negative = text[0] == '-';
    const char *digit = text + (negative || text[0] == '+' ? 1 : 0);
    if (*digit == '\0') {
        return false;
    }
    int64_t number = 0;
    for (; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9') {
            return false;
        }
        const int64_t step = *digit - '0';
        if (number < (INT64_MIN + step) / 10) {
            return false;
        }
        number = number * 10 - step;
    }
    if (!negative) {
        if (number == INT64_MIN) {
            return false;
        }
        number = -number;
    }
    if (number < low || number > high) {
        return false;
    }
    *ret_number = number;
    return true;
}

bool charmi_in(const char *const *list, const char *text)
{
    for (; list != NULL && *list != NULL; list++) {
        if (strcmp(*list, text) == 0) {
            return true;
        }
    }
    return false;
}

size_t charmi_list_size(const char *const *list)
{
    size_t size = 0;
    while (list != NULL && list[size] != NULL) {
        size++;
    }
    return size;
}

void charmi_words_add(struct charm_arena *arena, struct charmi_words *words, const char *text)
{
    /* Capacity is the power of two above the size; a full list moves to a larger one. */
    const size_t size = words->size;
    if (size == 0 || ((size + 1) & size) == 0) {
        const char **larger = charm_arena_array(arena, 2 * (size + 1), sizeof(*larger));
        if (size > 0) {
            memcpy(larger, words->at, size * sizeof(*larger));
        }
        words->at = larger;
    }
    words->at[size] = text;
    words->at[size + 1] = NULL;
    words->size = size + 1;
}

struct charmi_words charmi_split(struct charm_arena *arena, const char *text,
                                 const char *separators)
{
    struct charmi_words words = { .at = charm_arena_array(arena, 1, sizeof(char *)) };
    while (text != NULL && *text != '\0') {
        text += strspn(text, separators);
        const size_t size = strcspn(text, separators);
        if (size > 0) {
            charmi_words_add(arena, &words, charm_arena_copy_n(arena, text, size));
        }
        text += size;
    }
    return words;
}

bool charmi_words_have(const struct charmi_words *words, const char *text)
{
    return charmi_in(words->at, text);
}

static int by_bytes(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

void charmi_words_sort(struct charmi_words *words)
{
    if (words->size > 1) {
        qsort(words->at, words->size, sizeof(*words->at), by_bytes);
    }
}

char *charmi_words_join(struct charm_arena *arena, const struct charmi_words *words,
                        const char *separator)
{
    struct charmi_buf buf = charmi_buf_init(SIZE_MAX / 4);
    for (size_t i = 0; i < words->size; i++) {
        charmi_buf_add(&buf, i > 0 ? separator : "");
        charmi_buf_add(&buf, words->at[i]);
    }
    return charmi_buf_into(&buf, arena);
}

/* Bytes that follow a first byte, or -1; `low` and `high` bound the second byte (RFC 3629). */
static int utf8_tail(unsigned char first, unsigned char *low, unsigned char *high)
{
    *low = 0x80;
    *high = 0xBF;
    if (first < 0x80) {
        return 0;
    }
    if (first >= 0xC2 && first <= 0xDF) {
        return 1;
    }
    if (first >= 0xE0 && first <= 0xEF) {
        *low = first == 0xE0 ? 0xA0 : 0x80;
        *high = first == 0xED ? 0x9F : 0xBF;
        return 2;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        *low = first == 0xF0 ? 0x90 : 0x80;
        *high = first == 0xF4 ? 0x8F : 0xBF;
        return 3;
    }
    return -1;
}

/* How many bytes at the start are ASCII, eight at a time: nearly all that is ever asked about. */
static size_t ascii_start(const unsigned char *bytes, size_t size)
{
    size_t at = 0;
    for (uint64_t eight; at + sizeof(eight) <= size; at += sizeof(eight)) {
        memcpy(&eight, bytes + at, sizeof(eight));
        if ((eight & UINT64_C(0x8080808080808080)) != 0) {
            break;
        }
    }
    return at;
}

/* Size of the character at the start of `left` bytes, 0 if there is none. */
static size_t character(const unsigned char *at, size_t left)
{
    unsigned char low;
    unsigned char high;
    const int tail = utf8_tail(at[0], &low, &high);
    if (tail < 0 || left <= (size_t)tail) {
        return 0;
    }
    for (int k = 1; k <= tail; k++) {
        if (at[k] < low || at[k] > high) {
            return 0;
        }
        low = 0x80;
        high = 0xBF;
    }
    return (size_t)tail + 1;
}

bool charmi_utf8_valid(const char *bytes, size_t size)
{
    const unsigned char *at = (const unsigned char *)bytes;
    for (size_t i = ascii_start(at, size); i < size;) {
        const size_t length = character(at + i, size - i);
        if (length == 0) {
            return false;
        }
        i += length;
    }
    return true;
}

void charmi_utf8_mend(char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    const size_t size = strlen(text);
    for (size_t i = ascii_start(at, size); i < size;) {
        const size_t length = character(at + i, size - i);
        if (length == 0) {
            text[i] = '?';
        }
        i += length == 0 ? 1 : length;
    }
}
