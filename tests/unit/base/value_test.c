#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/memory.h"
#include "base/text.h"
#include "charm/value.h"

static struct charm_arena *arena;

static int make_arena(void **state)
{
    (void)state;
    arena = charm_arena_new();
    return 0;
}

static int free_arena(void **state)
{
    (void)state;
    charm_arena_free(arena);
    return 0;
}

static const struct charm_value *parsed(const char *text)
{
    struct charm_value *value = NULL;
    struct charm_error error = { 0 };
    if (charm_value_parse(arena, text, strlen(text), &value, &error) != 0) {
        fail_msg("%s", error.text);
    }
    return value;
}

/* The table of worked encodings in reactive-framework.md 4.6. */
static void values_are_written_byte_for_byte_as_charms_reactive_writes_them(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *wire;
    } cases[] = {
        { "\"abc\"", "\"abc\"" },
        { "\"\"", "\"\"" },
        { "5", "5" },
        { "[1.0, 0.1, 1e22, -0.0, 1e15, 1.5e16, 1e-5, 0.0001]",
          "[1.0, 0.1, 1e+22, -0.0, 1000000000000000.0, 1.5e+16, 1e-05, 0.0001]" },
        { "true", "true" },
        { "null", "null" },
        { "[1,\"a\",null]", "[1, \"a\", null]" },
        { "{\"b\":1,\"a\":{\"z\":1,\"y\":[]}}", "{\"a\": {\"y\": [], \"z\": 1}, \"b\": 1}" },
        { "\"caf\xC3\xA9 \xF0\x9F\x98\x80\"", "\"caf\\u00e9 \\ud83d\\ude00\"" },
        { "\"say \\\"hi\\\"\\\\ \\n\\t/\"", "\"say \\\"hi\\\"\\\\ \\n\\t/\"" },
        { "\"<&>\\u007f\\u0001\"", "\"<&>\\u007f\\u0001\"" },
        { "{}", "{}" },
    };
    for (size_t i = 0; i < CHARMI_COUNT(cases); i++) {
        assert_string_equal(charm_value_render(arena, parsed(cases[i].value), CHARM_JSON_PYTHON),
                            cases[i].wire);
    }
}

static void relation_texts_decode_as_json_or_stay_what_they_are(void **state)
{
    (void)state;
    assert_int_equal(charm_value_kind(charm_value_decode(arena, "9092")), CHARM_INT);
    assert_int_equal(charm_value_kind(charm_value_decode(arena, "true")), CHARM_BOOL);
    assert_string_equal(charm_text(charm_value_decode(arena, "\"s\"")), "s");
    assert_string_equal(charm_text(charm_value_decode(arena, "0123")), "0123");
    assert_string_equal(charm_text(charm_value_decode(arena, "10.0.0.1")), "10.0.0.1");
    assert_string_equal(charm_text(charm_value_decode(arena, "{\"a\":")), "{\"a\":");
    assert_string_equal(charm_text(charm_value_decode(arena, "")), "");
}

static void missing_things_read_as_nothing_and_never_crash(void **state)
{
    (void)state;
    assert_string_equal(charm_text(NULL), "");
    assert_null(charm_value_get(NULL, "a"));
    assert_null(charm_value_at(NULL, 0));
    assert_null(charm_value_path(parsed("{\"a\":{\"b\":1}}"), "a", "x", "y", NULL));
    assert_int_equal(
        charm_value_int(charm_value_path(parsed("{\"a\":{\"b\":1}}"), "a", "b", NULL), 0), 1);
    assert_int_equal(charm_value_int(parsed("\"12\""), 0), 12);
    assert_int_equal(charm_value_int(parsed("\"12x\""), 7), 7);
    assert_int_equal(charm_value_size(NULL), 0);
    CHARM_EACH(NULL, it)
    {
        fail();
    }
}

static struct charm_value *map_of_three(int *ret_made)
{
    struct charm_value *map = charm_value_new_map(arena);
    charm_value_set_int(map, "c", 3);
    charm_value_set_int(map, "a", 1);
    charm_value_set_int(map, "b", 2);
    (*ret_made)++;
    return map;
}

static void going_through_a_map_keeps_its_order_and_asks_for_the_map_once(void **state)
{
    (void)state;
    int made = 0;
    char keys[8] = "";
    CHARM_EACH(map_of_three(&made), it)
    {
        strcat(keys, it.key);
    }
    assert_string_equal(keys, "cab");
    assert_int_equal(made, 1);
    CHARM_EACH(charm_value_new_list(arena), it)
    {
        fail();
    }
}

static void hostile_json_is_refused_without_repeating_it(void **state)
{
    (void)state;
    char deep[4096];
    memset(deep, '[', sizeof(deep));
    static const char *const bad[] = { "",    "{",   "[1,",     "{\"secret\":nope}", "\"\\ud800\"",
                                       "nul", "1 2", "\"\xFF\"" };
    struct charm_value *value = NULL;
    struct charm_error error = { 0 };
    assert_int_equal(charm_value_parse(arena, deep, sizeof(deep), &value, &error), CHARM_EPARSE);
    assert_null(value);
    for (size_t i = 0; i < CHARMI_COUNT(bad); i++) {
        assert_int_equal(charm_value_parse(arena, bad[i], strlen(bad[i]), &value, &error),
                         CHARM_EPARSE);
        assert_null(strstr(error.text, "secret"));
        assert_null(value);
    }
}

static void bytes_that_are_not_utf8_become_replacement_characters(void **state)
{
    (void)state;
    struct charm_value *map = charm_value_new_map(arena);
    charm_value_set_text(map, "k", "a\xFF\xC3z");
    assert_string_equal(charm_text(charm_value_get(map, "k")), "a\xEF\xBF\xBD\xEF\xBF\xBDz");
}

static void the_order_of_keys_does_not_change_a_sorted_text(void **state)
{
    (void)state;
    assert_string_equal(charm_value_render(arena, parsed("{\"b\":1,\"a\":2}"), CHARM_JSON_SORTED),
                        charm_value_render(arena, parsed("{\"a\":2,\"b\":1}"), CHARM_JSON_SORTED));
    assert_true(charm_value_equal(parsed("{\"b\":1,\"a\":2}"), parsed("{\"a\":2,\"b\":1}")));
    assert_false(charm_value_equal(parsed("1"), parsed("\"1\"")));
    assert_true(charm_value_equal(NULL, parsed("null")));
}

static void digests_are_those_of_the_standards(void **state)
{
    (void)state;
    assert_string_equal(charmi_md5(arena, "", 0), "d41d8cd98f00b204e9800998ecf8427e");
    assert_string_equal(charmi_md5(arena, "message digest", 14),
                        "f96b697d7cb7938d525a2f31aaf161d0");
    const char *uuid = "e0453597-8109-4f7d-a58f-af08bc72a414connect";
    assert_string_equal(charmi_md5(arena, uuid, strlen(uuid)), "2920e605f0ff6ec62142bcda05a663f0");
    assert_string_equal(charmi_sha256(arena, "abc", 3),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const char *two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    assert_string_equal(charmi_sha256(arena, two, strlen(two)),
                        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char *million = charmi_malloc(1000000);
    memset(million, 'a', 1000000);
    assert_string_equal(charmi_sha256(arena, million, 1000000),
                        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    assert_string_equal(charmi_md5(arena, million, 1000000), "7707d6ae4e027c70eea2a935c2296f21");
    free(million);
}

static void an_error_is_one_line_and_a_long_one_loses_its_middle(void **state)
{
    (void)state;
    struct charm_error error = { 0 };
    char filler[2000];
    memset(filler, 'x', sizeof(filler) - 1);
    filler[sizeof(filler) - 1] = '\0';
    assert_int_equal(charm_error_set(&error, CHARM_ENET, "first\nline %s last words", filler),
                     CHARM_ENET);
    assert_true(strlen(error.text) < sizeof(error.text));
    assert_non_null(strstr(error.text, " ... "));
    assert_non_null(strstr(error.text, "last words"));
    assert_null(strchr(error.text, '\n'));
    assert_true(error.retriable);
    charm_error_set(&error, CHARM_EINVAL, "no such file");
    assert_int_equal(charm_error_wrap(&error, "read settings"), CHARM_EINVAL);
    assert_string_equal(error.text, "read settings: no such file");
}

static void an_error_is_utf8_also_when_the_cut_goes_through_a_character(void **state)
{
    (void)state;
    struct charm_error error = { 0 };
    char filler[2001] = "";
    for (size_t i = 0; i + 2 < sizeof(filler); i += 2) {
        memcpy(filler + i, "\xC3\xA9", 3);
    }
    for (int shift = 0; shift < 2; shift++) {
        charm_error_set(&error, CHARM_EFAILED, "%.*s%s\xFF", shift, "x", filler);
        assert_true(charmi_utf8_valid(error.text, strlen(error.text)));
        assert_non_null(strstr(error.text, " ... "));
    }
    charm_error_set(&error, CHARM_EFAILED, "%.4095s\xC3\xA9", "short ");
    assert_string_equal(error.text, "short \xC3\xA9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_written_byte_for_byte_as_charms_reactive_writes_them),
        cmocka_unit_test(relation_texts_decode_as_json_or_stay_what_they_are),
        cmocka_unit_test(missing_things_read_as_nothing_and_never_crash),
        cmocka_unit_test(going_through_a_map_keeps_its_order_and_asks_for_the_map_once),
        cmocka_unit_test(hostile_json_is_refused_without_repeating_it),
        cmocka_unit_test(bytes_that_are_not_utf8_become_replacement_characters),
        cmocka_unit_test(the_order_of_keys_does_not_change_a_sorted_text),
        cmocka_unit_test(digests_are_those_of_the_standards),
        cmocka_unit_test(an_error_is_one_line_and_a_long_one_loses_its_middle),
        cmocka_unit_test(an_error_is_utf8_also_when_the_cut_goes_through_a_character),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
