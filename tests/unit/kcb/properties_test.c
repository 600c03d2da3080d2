#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/text.h"
#include "kcb/properties.h"

static struct charm_value *parsed(const char *text)
{
    struct charm_value *map = NULL;
    struct charm_error error;
    if (kcbi_properties_parse(arena, text, &map, &error) != 0) {
        fail_msg("%s: %s", error.text, text);
    }
    return map;
}

static void assert_value(const char *text, const char *key, const char *expected)
{
    assert_string_equal(charm_text(charm_value_get(parsed(text), key)), expected);
}

/* ---- against java.util.Properties: data/PropertiesOracle.java ---- */

static void add_hex(struct charmi_buf *buf, const char *text)
{
    for (; *text != '\0'; text++) {
        charmi_buf_addf(buf, "%02x", (unsigned char)*text);
    }
}

static const char *from_hex(const char *hex)
{
    char *text = charm_arena_alloc(arena, strlen(hex) / 2 + 1);
    for (size_t i = 0; hex[2 * i] != '\0'; i++) {
        const char pair[] = { hex[2 * i], hex[2 * i + 1], '\0' };
        text[i] = (char)strtol(pair, NULL, 16);
    }
    return text;
}

/* As the oracle writes it. */
static const char *pairs_in_hex(const struct charm_value *map)
{
    struct charmi_words pairs = { 0 };
    CHARM_EACH(map, it)
    {
        charmi_auto_buf struct charmi_buf buf = charmi_buf_init(1 << 20);
        add_hex(&buf, it.key);
        charmi_buf_add_char(&buf, '=');
        add_hex(&buf, charm_text(it.value));
        charmi_words_add(arena, &pairs, charmi_buf_into(&buf, arena));
    }
    charmi_words_sort(&pairs);
    return charmi_words_join(arena, &pairs, " ");
}

/* Sorted by key alone, where the oracle's order and bytes with "=" behind the key differ. */
static const char *sorted_pairs(const char *pairs)
{
    struct charmi_words words = charmi_split(arena, pairs, " ");
    charmi_words_sort(&words);
    return charmi_words_join(arena, &words, " ");
}

static void check_case(const char *hex, const char *expected)
{
    struct charm_value *map = NULL;
    struct charm_error error = { 0 };
    const int code = kcbi_properties_parse(arena, from_hex(hex), &map, &error);
    if (charmi_same(expected, "BAD")) {
        if (code != CHARM_EPARSE) {
            fail_msg("%s: Java refuses it, we do not", hex);
        }
        return;
    }
    if (code != 0) {
        fail_msg("%s: %s", hex, error.text);
    }
    if (!charmi_same(pairs_in_hex(map), sorted_pairs(expected))) {
        fail_msg("%s: Java reads %s, we %s", hex, expected, pairs_in_hex(map));
    }
    assert_true(charm_value_equal(parsed(kcbi_properties_render(arena, map)), map));
}

static void texts_read_as_java_reads_them_and_survive_being_written(void **state)
{
    FILE *file = fopen("data/properties.tsv", "re");
    assert_non_null(file);
    char line[4096];
    size_t cases = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *tab = strchr(line, '\t');
        assert_non_null(tab);
        *tab = '\0';
        check_case(line, tab + 1);
        cases++;
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(cases, 4025);
}

/* ---- ours ---- */

static void the_last_of_two_equal_keys_wins(void **state)
{
    assert_value("a=1\nb=2\na=3\n", "a", "3");
    assert_int_equal(charm_value_size(parsed("a=1\na=3\n")), 1);
}

static void a_jaas_line_keeps_its_equal_signs(void **state)
{
    assert_value("sasl.jaas.config = Module required username=\"u\" password=\"p=q\";",
                 "sasl.jaas.config", "Module required username=\"u\" password=\"p=q\";");
}

static void nothing_is_an_empty_map(void **state)
{
    assert_int_equal(charm_value_size(parsed(NULL)), 0);
    assert_int_equal(charm_value_size(parsed("")), 0);
    assert_int_equal(charm_value_size(parsed("\n \t\n# a=b\n! c=d")), 0);
}

static void assert_bad_line(const char *text, const char *line)
{
    struct charm_value *map = NULL;
    struct charm_error error;
    assert_int_equal(kcbi_properties_parse(arena, text, &map, &error), CHARM_EPARSE);
    assert_null(map);
    assert_contains(error.text, line);
    assert_lacks(error.text, "hunter2");
}

static void a_bad_escape_names_its_line_and_not_its_text(void **state)
{
    assert_bad_line("a=1\r\n\r\n# \\u\npassword=hunter2\\u12", "line 4:");
    assert_bad_line("\\u=hunter2", "line 1:");
    assert_bad_line("a=1\nb=\\\n  hunter2\\\n \\uD800", "line 2:");
    assert_bad_line("a=hunter2\\u0000", "line 1:");
}

static void bytes_that_are_not_utf_8_name_their_line(void **state)
{
    assert_bad_line("a=b\nhunter2=\xff\xfe", "line 2:");
    assert_bad_line("a=b\nhunter2=\xed\xa0\x80", "line 2:");
    assert_bad_line("a=hunter2\xc3\n\xa9=c", "line 1:");
}

static void a_text_over_the_ceiling_is_refused(void **state)
{
    char *huge = charm_arena_alloc(arena, KCBI_PROPERTIES_MAX + 2);
    memset(huge, '\\', KCBI_PROPERTIES_MAX + 1);
    struct charm_value *map = NULL;
    struct charm_error error;
    assert_int_equal(kcbi_properties_parse(arena, huge, &map, &error), CHARM_ETOOBIG);
    huge[KCBI_PROPERTIES_MAX] = '\0';
    assert_int_equal(kcbi_properties_parse(arena, huge, &map, NULL), 0);
    assert_int_equal(strlen(charm_text(charm_value_get(map, charm_text(NULL)))), 0);
}

/* Makes every second line end that character. */
static void put_before_line_ends(char *lines, char c)
{
    for (size_t i = 0; lines[i] != '\0'; i += 2) {
        lines[i] = c;
    }
}

static void many_short_lines_cost_no_more_than_their_length(void **state)
{
    char *lines = charm_arena_alloc(arena, KCBI_PROPERTIES_MAX + 1);
    memset(lines, '\n', KCBI_PROPERTIES_MAX);
    put_before_line_ends(lines, '\\');
    assert_int_equal(charm_value_size(parsed(lines)), 1); /* as Java: nothing=nothing */
    memset(lines, '\n', KCBI_PROPERTIES_MAX);
    assert_int_equal(charm_value_size(parsed(lines)), 0);
    put_before_line_ends(lines, 'a');
    assert_int_equal(charm_value_size(parsed(lines)), 1);
}

static void any_bytes_are_read_or_refused(void **state)
{
    uint32_t seed = 7;
    for (size_t round = 0; round < 20000; round++) {
        char text[40] = "";
        for (size_t i = 0; i < sizeof(text) - 1; i++) {
            seed = seed * 1664525 + 1013904223;
            text[i] = (char)(seed >> 24);
        }
        struct charm_value *map = NULL;
        const int code = kcbi_properties_parse(arena, text, &map, NULL);
        assert_true(code == 0 || code == CHARM_EPARSE);
        if (code == 0) {
            assert_true(charm_value_equal(parsed(kcbi_properties_render(arena, map)), map));
        }
    }
}

static void what_is_written_is_sorted_plain_and_readable(void **state)
{
    struct charm_value *map =
        json("{\"b\": \"http://:8083\", \"a\": \" x\\\\y\", \"c d\": \"\\n#\", "
             "\"#e\": \"\\u00e9\\ud83d\\ude00\", \"f\": 5, \"g\": true, "
             "\"h\": null}");
    assert_string_equal(kcbi_properties_render(arena, map), "\\#e=\\u00E9\\uD83D\\uDE00\n"
                                                            "a=\\ x\\\\y\n"
                                                            "b=http://:8083\n"
                                                            "c\\ d=\\n#\n"
                                                            "f=5\n"
                                                            "g=true\n"
                                                            "h=\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(texts_read_as_java_reads_them_and_survive_being_written),
        TEST(the_last_of_two_equal_keys_wins),
        TEST(a_jaas_line_keeps_its_equal_signs),
        TEST(nothing_is_an_empty_map),
        TEST(a_bad_escape_names_its_line_and_not_its_text),
        TEST(bytes_that_are_not_utf_8_name_their_line),
        TEST(a_text_over_the_ceiling_is_refused),
        TEST(many_short_lines_cost_no_more_than_their_length),
        TEST(any_bytes_are_read_or_refused),
        TEST(what_is_written_is_sorted_plain_and_readable),
    };
    return cmocka_run_group_tests_name("properties", tests, NULL, NULL);
}
