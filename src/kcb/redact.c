#include "kcb/redact.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

enum {
    LONGEST_TRACE_LINE = 160,
    LONGEST_REFUSAL = 300,
    LONGEST_REASON = 100,
    /* Ceilings of what is looked through for one secret, so that hostile text costs no more than its length. */
    LONGEST_NAME = 100,
    LONGEST_USER = 300,
    /* Longer input is cut before anybody looks at it. */
    LONGEST_INPUT = 64 * 1024,
};

static const char hidden[] = "***";

/* ---- names of settings ---- */

static bool holds_nocase(const char *text, const char *part)
{
    const size_t size = strlen(part);
    for (; *text != '\0'; text++) {
        size_t same = 0;
        while (same < size && tolower((unsigned char)text[same]) == part[same]) {
            same++;
        }
        if (same == size) {
            return true;
        }
    }
    return false;
}

/* Parts of names, lower case. */
static const char *const secret_parts[] = {
    "password", "passwd",  "passphrase", "secret",     "token",      "credential", "jaas",
    "api.key",  "api_key", "apikey",     "access.key", "access_key", "private",    NULL,
};

bool kcbi_secret_setting(const char *key)
{
    for (const char *const *part = secret_parts; *part != NULL; part++) {
        if (holds_nocase(key, *part)) {
            return true;
        }
    }
    /* ssl.keystore.key, but not key.converter */
    return charmi_ends_with(key, ".key") || charmi_ends_with(key, "-key");
}

bool kcbi_is_reference(const char *text)
{
    return charmi_starts_with(text, "${") && strchr(text, '}') == text + strlen(text) - 1;
}

struct charm_value *kcbi_redact_config(struct charm_arena *arena, const struct charm_value *config)
{
    struct charm_value *shown = charm_value_new_map(arena);
    CHARM_EACH(config, it)
    {
        const char *text = charm_value_scalar(arena, it.value);
        if (kcbi_secret_setting(it.key) && !kcbi_is_reference(text)) {
            charm_value_set_text(shown, it.key, hidden);
        } else {
            charm_value_set_text(shown, it.key, kcbi_redact_text(arena, text, LONGEST_INPUT));
        }
    }
    return shown;
}

/* ---- text ---- */

/* How many bytes of `text` are at most `max`, without half a character at the end. */
static size_t whole_characters(const char *text, size_t size, size_t max)
{
    if (size <= max) {
        return size;
    }
    size_t end = max;
    while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80) {
        end--;
    }
    return end;
}

static const char *cut_input(struct charm_arena *arena, const char *text)
{
    const size_t size = strlen(text);
    const size_t end = whole_characters(text, size, LONGEST_INPUT);
    const char *kept = end == size ? text : charm_arena_copy_n(arena, text, end);
    /* plain text from outside may be anything: a value is UTF-8 */
    return charm_text(charm_value_new_text(arena, kept));
}

static bool is_name_byte(char c)
{
    return isalnum((unsigned char)c) || c == '.' || c == '_' || c == '-';
}

static const char *secret_part_at(const char *at)
{
    for (const char *const *part = secret_parts; *part != NULL; part++) {
        size_t same = 0;
        while ((*part)[same] != '\0' && tolower((unsigned char)at[same]) == (*part)[same]) {
            same++;
        }
        if ((*part)[same] == '\0') {
            return *part;
        }
    }
    return NULL;
}

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t') {
        at++;
    }
    return at;
}

/* Behind the value that begins at `at`: up to its closing quote, or to what cannot be part of it. */
static const char *value_end(const char *at)
{
    if (*at == '"' || *at == '\'') {
        const char quote = *at;
        const char *end = at + 1;
        while (*end != '\0' && *end != quote) {
            end += *end == '\\' && end[1] != '\0' ? 2 : 1;
        }
        return *end == quote ? end + 1 : end;
    }
    return at + strcspn(at, " \t\r\n,;&}");
}

/* `password = "x"` at `at`: copies the name and returns what lies behind the value, else NULL. */
static const char *hide_assignment(struct charmi_buf *out, const char *at)
{
    const char *part = secret_part_at(at);
    if (part == NULL) {
        return NULL;
    }
    const char *name_end = at + strlen(part);
    while (is_name_byte(*name_end) && name_end - at < LONGEST_NAME) {
        name_end++;
    }
    const char *sign = name_end;
    if (*sign == '"' || *sign == '\'') {
        sign++;
    }
    sign = skip_blanks(sign);
    if (*sign != '=' && *sign != ':') {
        return NULL;
    }
    const char *begin = skip_blanks(sign + 1);
    const char *end = value_end(begin);
    charmi_buf_add_n(out, at, (size_t)(begin - at));
    charmi_buf_add(out, hidden);
    return end;
}

/* `://user:password@` at `at`: hides who, returns what begins with the @. */
static const char *hide_user(struct charmi_buf *out, const char *at)
{
    if (!charmi_starts_with(at, "://")) {
        return NULL;
    }
    const char *who = at + strlen("://");
    const char *last = NULL;
    for (size_t i = 0; i < LONGEST_USER && strchr(" \t\r\n\"'<>", who[i]) == NULL; i++) {
        if (who[i] == '@') {
            last = who + i;
        }
    }
    if (last == NULL) {
        return NULL;
    }
    charmi_buf_add(out, "://");
    charmi_buf_add(out, hidden);
    return last;
}

/* "Invalid value V for configuration K", as Kafka's ConfigException says it: hides V. */
static const char *hide_invalid_value(struct charmi_buf *out, const char *at)
{
    static const char begin[] = "Invalid value ";
    if (!charmi_starts_with(at, begin)) {
        return NULL;
    }
    const char *value = at + strlen(begin);
    const char *end = strstr(value, " for configuration ");
    charmi_buf_add(out, begin);
    charmi_buf_add(out, hidden);
    return end == NULL ? value + strlen(value) : end;
}

static char *hide_all(const char *text)
{
    struct charmi_buf out = charmi_buf_init((size_t)LONGEST_INPUT * 8);
    while (*text != '\0') {
        const char *next = hide_invalid_value(&out, text);
        if (next == NULL) {
            next = hide_user(&out, text);
        }
        if (next == NULL) {
            next = hide_assignment(&out, text);
        }
        if (next == NULL) {
            charmi_buf_add_char(&out, *text);
            next = text + 1;
        }
        text = next;
    }
    return charmi_buf_take(&out);
}

enum lines { ONE_LINE, KEEP_LINES };

/* Control characters become blanks, and in one line runs of blanks become one. */
static void flatten(char *text, enum lines lines)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        const unsigned char byte = (unsigned char)*from;
        const bool control = byte < 0x20 || byte == 0x7f;
        if (lines == KEEP_LINES) {
            *to++ = control && *from != '\n' && *from != '\t' ? ' ' : *from;
            continue;
        }
        const char c = control ? ' ' : *from;
        if (c != ' ' || (to > text && to[-1] != ' ')) {
            *to++ = c;
        }
    }
    if (lines == ONE_LINE && to > text && to[-1] == ' ') {
        to--;
    }
    *to = '\0';
}

static char *redact(struct charm_arena *arena, const char *text, size_t max_bytes, enum lines lines)
{
    char *open = hide_all(cut_input(arena, text == NULL ? "" : text));
    flatten(open, lines);
    const size_t size = strlen(open);
    const size_t end =
        size <= max_bytes ? size : whole_characters(open, size, max_bytes > 3 ? max_bytes - 3 : 0);
    char *cut = charm_arena_copy_n(arena, open, end);
    free(open);
    return end == size ? cut : charm_arena_printf(arena, "%s...", cut);
}

char *kcbi_redact_text(struct charm_arena *arena, const char *text, size_t max_bytes)
{
    return redact(arena, text, max_bytes, ONE_LINE);
}

char *kcbi_redact_lines(struct charm_arena *arena, const char *text, size_t max_bytes)
{
    return redact(arena, text, max_bytes, KEEP_LINES);
}

char *kcbi_redact_trace(struct charm_arena *arena, const char *trace)
{
    const char *begin = trace == NULL ? "" : trace;
    begin += strspn(begin, "\r\n\t ");
    const char *line = charm_arena_copy_n(arena, begin, strcspn(begin, "\r\n"));
    return kcbi_redact_text(arena, line, LONGEST_TRACE_LINE);
}

/* ---- refusals ---- */

/* Reasons that Kafka's ConfigDef gives in words of its own, without the value. */
static bool harmless_reason(const char *reason)
{
    static const char *const starts[] = {
        "Not a number of type",
        "Not a boolean",
        "Expected value to be",
        "Expected a comma separated list",
        "Value must be",
        "String must be",
        "String must not be",
        "entry must",
        "Class ",
        "Unknown configuration",
        "Must configure one of",
        NULL,
    };
    for (const char *const *start = starts; *start != NULL; start++) {
        if (charmi_starts_with(reason, *start)) {
            return true;
        }
    }
    return false;
}

static bool is_setting_name(const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        if (!is_name_byte(*at)) {
            return false;
        }
    }
    return *name != '\0' && strlen(name) <= 200;
}

static const char *last_of(const char *text, const char *part)
{
    const char *last = NULL;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        last = at;
    }
    return last;
}

/* Connect says some reasons twice. */
static void add_once(struct charm_arena *arena, struct charmi_words *words, const char *text)
{
    if (!charmi_words_have(words, text)) {
        charmi_words_add(arena, words, text);
    }
}

/* "V for configuration K: R", V of any number of lines. */
static void add_invalid_value(struct charm_arena *arena, struct charmi_words *words,
                              const char *piece)
{
    static const char middle[] = " for configuration ";
    const char *at = last_of(piece, middle);
    if (at == NULL) {
        add_once(arena, words, "a value is invalid");
        return;
    }
    at += strlen(middle);
    const size_t size = strcspn(at, ":\r\n");
    const char *key = charmi_trim(arena, charm_arena_copy_n(arena, at, size));
    const char *reason = at[size] == ':' ? at + size + 1 : "";
    reason = charmi_trim(arena, charm_arena_copy_n(arena, reason, strcspn(reason, "\r\n")));
    if (!is_setting_name(key)) {
        add_once(arena, words, "a value is invalid");
    } else if (harmless_reason(reason)) {
        add_once(arena, words,
                 charm_arena_printf(arena, "%s: %s", key,
                                    kcbi_redact_text(arena, reason, LONGEST_REASON)));
    } else {
        add_once(arena, words, charm_arena_printf(arena, "%s has an invalid value", key));
    }
}

/* Behind "org.apache.kafka.connect.errors.ConnectException: ", which some refusals begin with. */
static const char *skip_exception(const char *line)
{
    static const char mark[] = "Exception: ";
    const char *end = line;
    while (is_name_byte(*end) || *end == '$') {
        end++;
    }
    const size_t tail = strlen(mark) - 2;
    return *end == ':' && (size_t)(end - line) >= tail && charmi_starts_with(end - tail, mark)
               ? end + 2
               : line;
}

static void add_line(struct charm_arena *arena, struct charmi_words *words, const char *line)
{
    const char *stop = NULL;
    line = skip_exception(line);
    if (charmi_starts_with(line, "Missing required configuration ")) {
        stop = strstr(line, " which has no default");
    } else if (charmi_starts_with(line, "Failed to find any class that implements Connector")) {
        stop = strstr(line, ", available");
    } else if (charmi_starts_with(line, "Connector config ") &&
               strstr(line, "contains no connector type") != NULL) {
        add_once(arena, words, "the configuration has no connector.class");
        return;
    } else if (!charmi_starts_with(line, "Connector name ") &&
               !charmi_starts_with(line, "Must configure one of")) {
        return;
    }
    const size_t size = stop == NULL ? strcspn(line, "\r\n") : (size_t)(stop - line);
    add_once(
        arena, words,
        kcbi_redact_text(arena, charm_arena_copy_n(arena, line, size), (size_t)LONGEST_REASON * 2));
}

/* Where the piece that begins at `text` ends: at the next line that begins a piece of its own. */
static const char *piece_end(const char *text)
{
    static const char *const begins[] = { "\nInvalid value ", "\nMissing required ",
                                          "\nYou can also find", NULL };
    const char *end = text + strlen(text);
    for (const char *const *begin = begins; *begin != NULL; begin++) {
        const char *at = strstr(text, *begin);
        if (at != NULL && at < end) {
            end = at;
        }
    }
    return end;
}

char *kcbi_refusal_words(struct charm_arena *arena, const char *message)
{
    struct charmi_words words = { 0 };
    const char *at = cut_input(arena, message == NULL ? "" : message);
    while (*at != '\0' && words.size < 20) {
        if (charmi_starts_with(at, "Invalid value ")) {
            const char *end = piece_end(at);
            add_invalid_value(arena, &words, charm_arena_copy_n(arena, at, (size_t)(end - at)));
            at = end;
        } else {
            const size_t size = strcspn(at, "\n");
            add_line(arena, &words, charm_arena_copy_n(arena, at, size));
            at += size;
        }
        at += *at == '\n';
    }
    if (words.size == 0) {
        return charm_arena_copy(
            arena, "the configuration is refused (the worker's words can hold secrets)");
    }
    return kcbi_redact_text(arena, charmi_words_join(arena, &words, "; "), LONGEST_REFUSAL);
}
