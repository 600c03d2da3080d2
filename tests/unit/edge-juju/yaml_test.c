#include "edge/juju/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"

/* A document, and the JSON text of what it means. */
struct reading {
    const char *yaml;
    const char *json;
};

static const struct reading readings[] = {
    { "", "null" },
    { "# only a comment\n", "null" },
    { "---\n...\n", "null" },
    { "~", "null" },
    { "a:", "{\"a\":null}" },
    { "[null, Null, NULL, '', \"~\"]", "[null,null,null,\"\",\"~\"]" },
    { "[true, True, YES, on]", "[true,true,true,true]" },
    { "[false, No, OFF]", "[false,false,false]" },
    { "[y, n, tRue, 'yes']", "[\"y\",\"n\",\"tRue\",\"yes\"]" },
    { "[0, -0, 5, +5, -17, 1_000]", "[0,0,5,5,-17,1000]" },
    { "[0x1F, -0x10, 0b101, 010, 0o17]", "[31,-16,5,8,\"0o17\"]" },
    { "[08, 0x, 0b_, 1a, '5']", "[\"08\",\"0x\",\"0b_\",\"1a\",\"5\"]" },
    { "[9223372036854775807, -9223372036854775808]", "[9223372036854775807,-9223372036854775808]" },
    { "[9223372036854775808, -9223372036854775809]",
      "[\"9223372036854775808\",\"-9223372036854775809\"]" },
    { "[99999999999999999999999999]", "[\"99999999999999999999999999\"]" },
    { "[1.5, -1.5, .5, 2., 1_0.5]", "[1.5,-1.5,0.5,2.0,10.5]" },
    { "[1.5e+3, 1.0e-2]", "[1500.0,0.01]" },
    { "[1e5, 1.5e3, ., .e+1, .inf, .nan, 1.0e+999]",
      "[\"1e5\",\"1.5e3\",\".\",\".e+1\",\".inf\",\".nan\",\"1.0e+999\"]" },
    { "[12:30, 2024-01-01, 1.2.3]", "[\"12:30\",\"2024-01-01\",\"1.2.3\"]" },
    { "[!!str 5, ! yes]", "[\"5\",\"yes\"]" },
    { "!!map {a: !!seq [1]}", "{\"a\":[1]}" },
    { "1: one\ntrue: two\n~: three\n", "{\"1\":\"one\",\"true\":\"two\",\"~\":\"three\"}" },
    { "a: &x 1\nb: 2\n", "{\"a\":1,\"b\":2}" },
    { "a: |\n  line\n  line\nb: >-\n  to\n  gether\n",
      "{\"a\":\"line\\nline\\n\",\"b\":\"to gether\"}" },
    { "{\"name\": {\"tasks.max\": \"1\", \"n\": [1, 2.5, true, null]}}",
      "{\"name\":{\"tasks.max\":\"1\",\"n\":[1,2.5,true,null]}}" },
    { "\"\\u00e9\\t\"", "\"\xC3\xA9\\t\"" },
    { "\xEF\xBB\xBF"
      "a: 1",
      "{\"a\":1}" },
    { "'<<': 1", "{\"<<\":1}" },
    { "a: 1\r\nb: 2\r\n", "{\"a\":1,\"b\":2}" },
};

static void documents_mean_what_people_expect(void **state)
{
    (void)state;
    for (size_t i = 0; i < CHARMI_COUNT(readings); i++) {
        struct charm_arena *arena = charm_arena_new();
        struct charm_value *value = NULL;
        struct charm_error error = { 0 };
        const char *yaml = readings[i].yaml;
        if (charmi_yaml_parse(arena, yaml, strlen(yaml), &value, &error) != 0) {
            fail_msg("%s: %s", yaml, error.text);
        }
        const char *json = charm_value_render(arena, value, CHARM_JSON_COMPACT);
        if (!charmi_same(json, readings[i].json)) {
            fail_msg("%s means %s, not %s", yaml, json, readings[i].json);
        }
        charm_arena_free(arena);
    }
}

static void scalars_can_stay_as_they_were_written(void **state)
{
    (void)state;
    static const char yaml[] = "{a: 8080, b: 1e3, c: 0x10, d: yes, e: 1.10, f: 010, g: true, "
                               "h: '7', i: null, 12: -0}";
    struct charm_arena *arena = charm_arena_new();
    struct charm_value *value = NULL;
    assert_int_equal(charmi_yaml_texts(arena, yaml, strlen(yaml), &value, NULL), 0);
    assert_string_equal(charm_value_render(arena, value, CHARM_JSON_COMPACT),
                        "{\"a\":\"8080\",\"b\":\"1e3\",\"c\":\"0x10\",\"d\":\"yes\","
                        "\"e\":\"1.10\",\"f\":\"010\",\"g\":\"true\",\"h\":\"7\","
                        "\"i\":null,\"12\":\"-0\"}");
    charm_arena_free(arena);
}

/* A document that is refused, and the words. */
static const struct reading refusals[] = {
    { "a: 1\na: 2", "line 2, column 1: this key is there twice" },
    { "a:\na:", "line 2, column 1: this key is there twice" },
    { "1: x\n'1': y", "line 2, column 1: this key is there twice" },
    { "a: &x 1\nb: *x", "line 2, column 4: aliases are not accepted: write the value out" },
    { "{*x : 1}", "line 1, column 2: aliases are not accepted: write the value out" },
    { "<<: {a: 1}", "line 1, column 1: merge keys (<<) are not accepted: write the values out" },
    { "a: 1\n---\nb: 2\n", "line 2, column 1: a second document begins; one is wanted" },
    { "? [a]\n: 1", "line 1, column 3: a key that is a list or a map" },
    { "a: !!binary aGk=", "line 1, column 4: tags other than !!str are not accepted" },
    { "a: !thing {}", "line 1, column 4: tags other than !!str are not accepted" },
    { "!!set {a}", "line 1, column 1: tags other than !!str are not accepted" },
    { "\"a\\0b\"", "line 1, column 1: a text with a NUL in it" },
    { "a: 'open", "line 1, column 9: found unexpected end of stream" },
    { "a: [1, 2", "line 2, column 1: did not find expected ',' or ']'" },
    { "a: b: c", "line 1, column 5: mapping values are not allowed in this context" },
    { "\ta: 1", "line 1, column 1: found character that cannot start any token" },
    { "a: \xFF", "byte 3: invalid leading UTF-8 octet" },
    { "a: \x01", "byte 3: control characters are not allowed" },
    { "%YAML 2.0\n--- a", "line 1, column 1: found incompatible YAML document" },
};

static void refusals_say_where_and_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < CHARMI_COUNT(refusals); i++) {
        struct charm_arena *arena = charm_arena_new();
        struct charm_value *value = NULL;
        struct charm_error error = { 0 };
        const char *yaml = refusals[i].yaml;
        const int result = charmi_yaml_parse(arena, yaml, strlen(yaml), &value, &error);
        if (result != CHARM_EPARSE || !charmi_same(error.text, refusals[i].json)) {
            fail_msg("%s gives %d \"%s\", not \"%s\"", yaml, result, error.text, refusals[i].json);
        }
        assert_null(value);
        charm_arena_free(arena);
    }
}

/* Parses `count` times `piece`, then as often `end`. */
static int parse_repeated(const char *piece, const char *end, size_t count,
                          struct charm_error *error)
{
    charmi_auto_buf struct charmi_buf buf = charmi_buf_init(64 * 1024 * 1024);
    for (size_t i = 0; i < count; i++) {
        charmi_buf_add(&buf, piece);
    }
    for (size_t i = 0; i < count; i++) {
        charmi_buf_add(&buf, end);
    }
    struct charm_arena *arena = charm_arena_new();
    struct charm_value *value;
    const int result = charmi_yaml_parse(arena, charmi_buf_text(&buf), buf.size, &value, error);
    charm_arena_free(arena);
    return result;
}

static void nesting_has_a_ceiling(void **state)
{
    (void)state;
    struct charm_error error;
    assert_int_equal(0, parse_repeated("[", "]", CHARMI_YAML_DEPTH, &error));
    assert_int_equal(CHARM_EPARSE, parse_repeated("[", "]", CHARMI_YAML_DEPTH + 1, &error));
    assert_string_equal("line 1, column 51: nested too deeply", error.text);
    assert_int_equal(CHARM_EPARSE, parse_repeated("[", "", 900000, &error));
    assert_int_equal(CHARM_EPARSE, parse_repeated("- ", "", 400000, &error));
    assert_int_equal(CHARM_EPARSE, parse_repeated("{a: ", "}", 100000, &error));
}

static void size_has_a_ceiling(void **state)
{
    (void)state;
    struct charm_error error;
    assert_int_equal(0, parse_repeated("#", "", CHARMI_YAML_BYTES, &error));
    assert_int_equal(CHARM_ETOOBIG, parse_repeated("#", "", CHARMI_YAML_BYTES + 1, &error));
    assert_string_equal("YAML of 1048577 bytes: at most 1048576 are accepted", error.text);
}

static void a_long_list_is_read_in_reasonable_time(void **state)
{
    (void)state;
    struct charm_error error;
    assert_int_equal(0, parse_repeated("- a\n", "", 200000, &error));
}

static void bytes_behind_the_size_are_not_read(void **state)
{
    (void)state;
    struct charm_arena *arena = charm_arena_new();
    struct charm_value *value;
    struct charm_error error;
    assert_int_equal(0, charmi_yaml_parse(arena, "12345", 2, &value, &error));
    assert_int_equal(12, charm_value_int(value, 0));
    charm_arena_free(arena);
}

/* Every prefix of a document, and the document with each byte changed, is read or refused, never more. */
static void broken_documents_never_crash(void **state)
{
    (void)state;
    static const char document[] = "a: &x [1, 'two', \"thr\\u00e9e\"]\n"
                                   "b: {c: !!str 5, ? d : ~}\n"
                                   "e: |\n  text\n\xC3\xA9: *x\n--- \n";
    for (size_t i = 0; i < sizeof(document); i++) {
        for (int byte = 0; byte < 256; byte += 5) {
            char broken[sizeof(document)];
            memcpy(broken, document, sizeof(document));
            broken[i] = (char)byte;
            struct charm_arena *arena = charm_arena_new();
            struct charm_value *value;
            struct charm_error error = { 0 };
            const int whole =
                charmi_yaml_parse(arena, broken, sizeof(document) - 1, &value, &error);
            const int prefix = charmi_yaml_parse(arena, broken, i, &value, &error);
            assert_true((whole == 0 && prefix == 0) || error.text[0] != '\0');
            charm_arena_free(arena);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_mean_what_people_expect),
        cmocka_unit_test(scalars_can_stay_as_they_were_written),
        cmocka_unit_test(refusals_say_where_and_why),
        cmocka_unit_test(nesting_has_a_ceiling),
        cmocka_unit_test(size_has_a_ceiling),
        cmocka_unit_test(a_long_list_is_read_in_reasonable_time),
        cmocka_unit_test(bytes_behind_the_size_are_not_read),
        cmocka_unit_test(broken_documents_never_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
