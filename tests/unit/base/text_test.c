#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"

static void numbers_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        int64_t number;
    } cases[] = {
        { "0", true, 0 },
        { "8083", true, 8083 },
        { "-5", true, -5 },
        { "+5", true, 5 },
        { "9223372036854775807", true, INT64_MAX },
        { "-9223372036854775808", true, INT64_MIN },
        { "9223372036854775808", false, 0 },
        { "-9223372036854775809", false, 0 },
        { "", false, 0 },
        { "-", false, 0 },
        { "1 ", false, 0 },
        { "0x10", false, 0 },
        { "1e3", false, 0 },
    };
    for (size_t i = 0; i < CHARMI_COUNT(cases); i++) {
        int64_t number = 77;
        const bool good = charmi_parse_int(cases[i].text, INT64_MIN, INT64_MAX, &number);
        assert_int_equal(good, cases[i].good);
        assert_int_equal(number, good ? cases[i].number : 77);
    }
    int64_t number = 77;
    assert_false(charmi_parse_int("65536", 1, 65535, &number));
    assert_int_equal(number, 77);
}

static void a_text_splits_into_words_without_empty_ones(void **state)
{
    (void)state;
    struct charm_arena *arena = charm_arena_new();
    struct charmi_words words = charmi_split(arena, "  a b\t\nc  ", " \t\n");
    assert_int_equal(words.size, 3);
    assert_string_equal(charmi_words_join(arena, &words, "|"), "a|b|c");
    assert_null(words.at[3]);
    assert_int_equal(charmi_split(arena, "", " ").size, 0);
    assert_int_equal(charmi_split(arena, NULL, " ").size, 0);
    charm_arena_free(arena);
}

static void a_list_of_many_words_keeps_them_all_in_order(void **state)
{
    (void)state;
    struct charm_arena *arena = charm_arena_new();
    struct charmi_words words = { 0 };
    for (int i = 0; i < 1000; i++) {
        charmi_words_add(arena, &words, charm_arena_printf(arena, "%04d", 999 - i));
    }
    assert_int_equal(words.size, 1000);
    assert_string_equal(words.at[0], "0999");
    assert_string_equal(words.at[999], "0000");
    assert_null(words.at[1000]);
    charmi_words_sort(&words);
    assert_string_equal(words.at[0], "0000");
    assert_true(charmi_words_have(&words, "0512"));
    assert_false(charmi_words_have(&words, "1512"));
    charm_arena_free(arena);
}

static void a_buffer_never_grows_past_its_ceiling(void **state)
{
    (void)state;
    charmi_auto_buf struct charmi_buf buf = charmi_buf_init(8);
    charmi_buf_add(&buf, "12345678");
    assert_false(buf.overflow);
    charmi_buf_add(&buf, "9");
    assert_true(buf.overflow);
    assert_string_equal(charmi_buf_text(&buf), "12345678");
    charmi_buf_add(&buf, "");
    assert_string_equal(charmi_buf_text(&buf), "12345678");
}

static void only_real_utf8_counts_as_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        bool good;
    } cases[] = {
        { "", true },
        { "abc", true },
        { "caf\xC3\xA9", true },
        { "\xF0\x9F\x98\x80", true },
        { "\xC3", false },
        { "\xC0\x80", false },         /* overlong */
        { "\xED\xA0\x80", false },     /* surrogate */
        { "\xF4\x90\x80\x80", false }, /* beyond U+10FFFF */
        { "\xFF", false },
        { "a\x80", false },
    };
    for (size_t i = 0; i < CHARMI_COUNT(cases); i++) {
        assert_int_equal(charmi_utf8_valid(cases[i].bytes, strlen(cases[i].bytes)), cases[i].good);
    }
}

static void a_printed_text_of_any_length_is_whole(void **state)
{
    (void)state;
    struct charm_arena *arena = charm_arena_new();
    static const int sizes[] = { 0, 1, 254, 255, 256, 257, 100000 };
    for (size_t i = 0; i < CHARMI_COUNT(sizes); i++) {
        const char *text = charm_arena_printf(arena, "%*s", sizes[i], sizes[i] == 0 ? "" : "x");
        assert_int_equal(strlen(text), sizes[i]);
        assert_true(sizes[i] == 0 || text[sizes[i] - 1] == 'x');
    }
    charm_arena_free(arena);
}

static void what_is_no_utf8_becomes_question_marks_and_the_rest_stays(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "", "" },
        { "caf\xC3\xA9, long enough for a word", "caf\xC3\xA9, long enough for a word" },
        { "\xFF\xFE.", "??." },
        { "\xE2\x82", "??" }, /* cut */
        { "a\xED\xA0\x80\xC3\xA9", "a???\xC3\xA9" },
    };
    for (size_t i = 0; i < CHARMI_COUNT(cases); i++) {
        char text[64];
        strcpy(text, cases[i][0]);
        charmi_utf8_mend(text);
        assert_string_equal(text, cases[i][1]);
        assert_true(charmi_utf8_valid(text, strlen(text)));
    }
}

static void white_space_is_trimmed_at_both_ends_only(void **state)
{
    (void)state;
    struct charm_arena *arena = charm_arena_new();
    assert_string_equal(charmi_trim(arena, " \t a b \r\n"), "a b");
    assert_string_equal(charmi_trim(arena, " "), "");
    assert_true(charmi_blank(" \t"));
    assert_true(charmi_blank(NULL));
    assert_false(charmi_blank(" x"));
    assert_true(charmi_same_word("PeM", "pEm"));
    assert_true(charmi_same_word("", ""));
    assert_false(charmi_same_word("pem", "pe"));
    assert_false(charmi_same_word("pe", "pem"));
    assert_false(charmi_same_word("p\xc3\xa9", "p\xc3\x89"));
    charm_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
        cmocka_unit_test(a_text_splits_into_words_without_empty_ones),
        cmocka_unit_test(a_list_of_many_words_keeps_them_all_in_order),
        cmocka_unit_test(a_buffer_never_grows_past_its_ceiling),
        cmocka_unit_test(only_real_utf8_counts_as_utf8),
        cmocka_unit_test(a_printed_text_of_any_length_is_whole),
        cmocka_unit_test(what_is_no_utf8_becomes_question_marks_and_the_rest_stays),
        cmocka_unit_test(white_space_is_trimmed_at_both_ends_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
