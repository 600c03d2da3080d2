#include "kcb/jaas.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"

/* ---- the words: java.io.StreamTokenizer as Kafka sets it up ---- */

enum token_kind {
    TOKEN_END,
    TOKEN_TEXT,   /* a word or a quoted text: has a value */
    TOKEN_NUMBER, /* a number by itself has none, and is no text to Kafka */
    TOKEN_CHARACTER,
};

struct tokens {
    struct charm_arena *arena;
    const char *at;
    enum token_kind kind;
    const char *value; /* of a text */
    char character;
    bool has_nul;
};

static bool is_digit(char c)
{
    return (c >= '0' && c <= '9') || c == '.' || c == '-';
}

/* Letters are those of ASCII and all that is not a control character beyond. */
static bool is_letter(const char *at)
{
    const unsigned char byte = (unsigned char)*at;
    if (byte == 0xC2 && (unsigned char)at[1] < 0xA0) {
        return false; /* U+0080 to U+009F */
    }
    return byte >= 0x80 || isalpha(byte) || byte == '-' || byte == '_' || byte == '$';
}

static const char *next_line(const char *at)
{
    return at + strcspn(at, "\r\n");
}

/* Behind blanks and comments. A single slash begins a comment too, as it does by default. */
static const char *skip_to_token(const char *at)
{
    for (;;) {
        while (*at != '\0' && (unsigned char)*at <= ' ') {
            at++;
        }
        if (*at != '/') {
            return at;
        }
        if (at[1] != '*') {
            at = next_line(at[1] == '\0' ? at + 1
                                         : at + 2); /* a line end right behind it counts not */
            continue;
        }
        const char *end = strstr(at + 2, "*/");
        at = end == NULL ? at + strlen(at) : end + 2;
    }
}

static void read_word(struct tokens *tokens)
{
    const char *end = tokens->at;
    while (*end != '\0' && (is_letter(end) || is_digit(*end))) {
        end++;
        while (((unsigned char)*end & 0xC0) == 0x80) {
            end++;
        }
    }
    tokens->kind = TOKEN_TEXT;
    tokens->value = charm_arena_copy_n(tokens->arena, tokens->at, (size_t)(end - tokens->at));
    tokens->at = end;
}

/* A number, or a minus alone. */
static void read_number(struct tokens *tokens)
{
    const char *end = tokens->at;
    if (*end == '-') {
        end++;
        if (*end != '.' && !isdigit((unsigned char)*end)) {
            tokens->kind = TOKEN_CHARACTER;
            tokens->character = '-';
            tokens->at = end;
            return;
        }
    }
    bool dot = false;
    while (isdigit((unsigned char)*end) || (*end == '.' && !dot)) {
        dot = dot || *end == '.';
        end++;
    }
    tokens->kind = TOKEN_NUMBER;
    tokens->at = end;
}

static void add_character(struct charmi_buf *buf, unsigned code)
{
    if (code < 0x80) {
        charmi_buf_add_char(buf, (char)code);
    } else {
        charmi_buf_add_char(buf, (char)(0xC0 | (code >> 6)));
        charmi_buf_add_char(buf, (char)(0x80 | (code & 0x3F)));
    }
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* `\101`: up to three digits, at most \377. Returns what lies behind. */
static const char *read_octal(const char *at, unsigned *ret_code)
{
    const int most = *at <= '3' ? 3 : 2;
    unsigned code = 0;
    for (int digits = 0; digits < most && is_octal(*at); digits++) {
        code = code * 8 + (unsigned)(*at++ - '0');
    }
    *ret_code = code;
    return at;
}

/* What stands behind a backslash. Returns what lies behind it. */
static const char *read_escape(struct tokens *tokens, struct charmi_buf *buf, const char *at)
{
    static const char names[] = "abfnrtv";
    static const char codes[] = "\a\b\f\n\r\t\v";
    if (is_octal(*at)) {
        unsigned code;
        at = read_octal(at, &code);
        tokens->has_nul = tokens->has_nul || code == 0;
        add_character(buf, code);
        return at;
    }
    const char *name = *at == '\0' ? NULL : strchr(names, *at);
    if (name != NULL) {
        charmi_buf_add_char(buf, codes[name - names]);
        return at + 1;
    }
    if (*at == '\0') {
        return at; /* no semicolon can follow */
    }
    charmi_buf_add_char(buf, *at);
    return at + 1;
}

static void read_quoted(struct tokens *tokens)
{
    struct charmi_buf buf = charmi_buf_init((size_t)KCBI_JAAS_MAX * 2);
    const char quote = *tokens->at++;
    const char *at = tokens->at;
    while (*at != '\0' && *at != quote && *at != '\n' && *at != '\r') {
        if (*at == '\\') {
            at = read_escape(tokens, &buf, at + 1);
        } else {
            charmi_buf_add_char(&buf, *at++);
        }
    }
    tokens->at = *at == quote ? at + 1 : at;
    tokens->kind = TOKEN_TEXT;
    tokens->value = charmi_buf_into(&buf, tokens->arena);
}

static void next(struct tokens *tokens)
{
    tokens->at = skip_to_token(tokens->at);
    tokens->value = NULL;
    tokens->character = '\0';
    const char c = *tokens->at;
    if (c == '\0') {
        tokens->kind = TOKEN_END;
    } else if (is_digit(c)) {
        read_number(tokens);
    } else if (is_letter(tokens->at)) {
        read_word(tokens);
    } else if (c == '"' || c == '\'') {
        read_quoted(tokens);
    } else {
        tokens->kind = TOKEN_CHARACTER;
        tokens->character = c;
        tokens->at++;
    }
}

static bool is_character(const struct tokens *tokens, char c)
{
    return tokens->kind == TOKEN_CHARACTER && tokens->character == c;
}

/* ---- the entry: org.apache.kafka.common.security.JaasConfig ---- */

static bool is_control_flag(const char *word)
{
    static const char *const flags[] = { "required", "requisite", "sufficient", "optional" };
    for (size_t i = 0; word != NULL && i < CHARMI_COUNT(flags); i++) {
        if (charmi_same_word(word, flags[i])) {
            return true;
        }
    }
    return false;
}

static int bad_option(size_t number, const char *what, struct charm_error *reterr)
{
    return charm_error_set(reterr, CHARM_EPARSE, "option %zu %s", number, what);
}

static int read_option(struct tokens *tokens, size_t number, struct charm_value *options,
                       struct charm_error *reterr)
{
    const char *name = tokens->value;
    if (name == NULL) {
        return bad_option(number, "has no name (is a value without quotes?)", reterr);
    }
    next(tokens);
    if (!is_character(tokens, '=')) {
        return bad_option(number, "has no value: want name=\"value\"", reterr);
    }
    next(tokens);
    if (tokens->value == NULL) {
        return bad_option(number, "has no value, or one that must stand in quotes", reterr);
    }
    charm_value_set_text(options, name, tokens->value);
    return 0;
}

static int read_options(struct tokens *tokens, struct charm_value *options,
                        struct charm_error *reterr)
{
    size_t number = 0;
    for (next(tokens); tokens->kind != TOKEN_END && !is_character(tokens, ';'); next(tokens)) {
        const int code = read_option(tokens, ++number, options, reterr);
        if (code != 0) {
            return code;
        }
    }
    return tokens->kind == TOKEN_END
               ? charm_error_set(reterr, CHARM_EPARSE, "it does not end with a semicolon")
               : 0;
}

static int read_entry(struct tokens *tokens, struct kcbi_jaas *jaas, struct charm_error *reterr)
{
    next(tokens);
    if (charmi_blank(tokens->value)) {
        return charm_error_set(reterr, CHARM_EPARSE, "it does not begin with a login module");
    }
    jaas->module = tokens->value;
    next(tokens);
    if (!is_control_flag(tokens->value)) {
        return charm_error_set(reterr, CHARM_EPARSE,
                               "the word behind the login module is not `required`");
    }
    return read_options(tokens, jaas->options, reterr);
}

int kcbi_jaas_parse(struct charm_arena *arena, const char *text, struct kcbi_jaas *ret_jaas,
                    struct charm_error *reterr)
{
    struct tokens tokens = { .arena = arena, .at = text };
    struct kcbi_jaas jaas = { .options = charm_value_new_map(arena) };
    if (strlen(text) > KCBI_JAAS_MAX) {
        return charm_error_set(reterr, CHARM_ETOOBIG, "it is longer than %d bytes", KCBI_JAAS_MAX);
    }
    const int code = read_entry(&tokens, &jaas, reterr);
    if (code != 0) {
        return code;
    }
    next(&tokens);
    if (tokens.kind != TOKEN_END) {
        return charm_error_set(reterr, CHARM_EPARSE,
                               "something follows the semicolon: there must be one login module");
    }
    if (tokens.has_nul) {
        return charm_error_set(reterr, CHARM_EPARSE, "it holds the character NUL");
    }
    *ret_jaas = jaas;
    return 0;
}
