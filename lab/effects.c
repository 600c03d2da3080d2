#include "lab/effects.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

enum {
    LARGEST_EFFECT = 16 * 1024 * 1024,
    SHORTEST_RANDOM = 16, /* hex digits */
    DIGITS_OF_MS = 13,    /* since 1970 */
    MOST_SHOWN = 5,
    SHOWN_TITLE = 60,
    SHOWN_BEFORE = 80,
    SHOWN = 300,
};

/* ---- what cannot be the same ---- */

struct plain {
    struct charm_arena *arena;
    struct charm_value *random; /* text -> its number */
    struct charmi_buf text;
};

static size_t span_hex(const char *at)
{
    return strspn(at, "0123456789abcdef");
}

/* "0000-00-00T00:00:00Z", "00:00Z": the 0 stands for a digit. */
static size_t span_form(const char *at, const char *form)
{
    size_t i = 0;
    for (; form[i] != '\0'; i++) {
        const bool fits = form[i] == '0' ? isdigit((unsigned char)at[i]) != 0 : at[i] == form[i];
        if (!fits) {
            return 0;
        }
    }
    return i;
}

static size_t span_time(const char *at)
{
    const size_t digits = strspn(at, "0123456789");
    static const char *const forms[] = { "0000-00-00T00:00:00.000Z", "0000-00-00T00:00:00Z",
                                         "0000-00-00T00:00Z", "00:00Z", NULL };
    for (size_t i = 0; forms[i] != NULL; i++) {
        const size_t size = span_form(at, forms[i]);
        if (size > 0) {
            return size;
        }
    }
    return digits == DIGITS_OF_MS || charmi_starts_with(at + digits, " ms") ||
                   charmi_starts_with(at + digits, " milliseconds")
               ? digits
               : 0;
}

static void add_random(struct plain *plain, const char *at, size_t size)
{
    const char *text = charm_arena_copy_n(plain->arena, at, size);
    const int64_t next = (int64_t)charm_value_size(plain->random) + 1;
    const int64_t number = charm_value_int(charm_value_get(plain->random, text), next);
    charm_value_set_int(plain->random, text, number);
    charmi_buf_addf(&plain->text, "<random %d>", (int)number);
}

/* Numbers and hex digits are looked at whole. */
static const char *make_plain(struct plain *plain, const char *text)
{
    plain->text = charmi_buf_init(LARGEST_EFFECT);
    for (const char *at = text; *at != '\0';) {
        const size_t hex = span_hex(at);
        const size_t time = hex >= SHORTEST_RANDOM ? 0 : span_time(at);
        const size_t word = hex > 0 ? hex : 1;
        if (time > 0) {
            charmi_buf_add(&plain->text, "<time>");
        } else if (hex >= SHORTEST_RANDOM) {
            add_random(plain, at, hex);
        } else {
            charmi_buf_add_n(&plain->text, at, word);
        }
        at += time > 0 ? time : word;
    }
    return charmi_buf_into(&plain->text, plain->arena);
}

static struct charmi_words make_all_plain(struct charm_arena *arena,
                                          const struct charm_value *effects)
{
    struct plain plain = { .arena = arena, .random = charm_value_new_map(arena) };
    struct charmi_words all = { 0 };
    for (size_t i = 0; i < charm_value_size(effects); i++) {
        charmi_words_add(arena, &all, make_plain(&plain, charm_text(charm_value_at(effects, i))));
    }
    return all;
}

/* ---- comparison ---- */

static size_t same_size(const char *left, const char *right)
{
    size_t i = 0;
    while (left[i] != '\0' && left[i] == right[i]) {
        i++;
    }
    return i;
}

static void show_one(struct charmi_buf *report, const char *who, const char *effect, size_t same)
{
    const bool far = same > SHOWN_TITLE + SHOWN_BEFORE;
    const size_t from = far ? same - SHOWN_BEFORE : 0;
    charmi_buf_addf(report, "  %s %.*s%s%.*s\n", who, far ? SHOWN_TITLE : 0, effect,
                    far ? " ... " : "", SHOWN, effect + from);
}

/* Both, around the place where they part. */
static void show(struct charmi_buf *report, const char *process, const char *inside)
{
    const size_t same = same_size(process, inside);
    show_one(report, "- process:   ", process, same);
    show_one(report, "+ in-process:", inside, same);
}

const char *lab_effects_compare(struct charm_arena *arena, const struct charm_value *process,
                                const struct charm_value *inside)
{
    const struct charmi_words left = make_all_plain(arena, process);
    const struct charmi_words right = make_all_plain(arena, inside);
    const size_t most = left.size > right.size ? left.size : right.size;
    struct charmi_buf report = charmi_buf_init(LARGEST_EFFECT);
    size_t differing = 0;
    for (size_t i = 0; i < most; i++) {
        const char *one = i < left.size ? left.at[i] : "(nothing)";
        const char *other = i < right.size ? right.at[i] : "(nothing)";
        if (!charmi_same(one, other) && ++differing <= MOST_SHOWN) {
            show(&report, one, other);
        }
    }
    if (differing > MOST_SHOWN) {
        charmi_buf_addf(&report, "  and %zu effects more (%zu and %zu in all)\n",
                        differing - MOST_SHOWN, left.size, right.size);
    }
    return charmi_buf_into(&report, arena);
}
