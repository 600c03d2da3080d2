/* YAML as Juju reads and writes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "lab/yaml.h"

static const char *json_of(struct charm_arena *arena, const char *yaml, enum lab_yaml how)
{
    struct charm_value *value;
    if (lab_yaml_parse(arena, yaml, strlen(yaml), how, &value, NULL) != 0) {
        return "refused";
    }
    return charm_value_render(arena, value, CHARM_JSON_SORTED);
}

static void scalars_mean_what_yaml_1_1_says(void **state)
{
    static const char *const list[][2] = {
        { "a: 1", "{\"a\":1}" },
        { "a: yes", "{\"a\":true}" },
        { "a: n", "{\"a\":false}" },
        { "a: ~", "{\"a\":null}" },
        { "a:", "{\"a\":null}" },
        { "a: '1'", "{\"a\":\"1\"}" },
        { "a: 1.5", "{\"a\":1.5}" },
        { "a: 1e3", "{\"a\":1000.0}" },
        { "a: 0x10", "{\"a\":16}" },
        { "a: 1.2.3", "{\"a\":\"1.2.3\"}" },
        { "a: .", "{\"a\":\".\"}" },
        { "[y, \"y\"]", "[true,\"y\"]" },
        { "", "null" },
        { "a: &x {b: 1}\nc: *x", "{\"a\":{\"b\":1},\"c\":{\"b\":1}}" },
        { "? [a]\n: b", "refused" },
        { "a: {", "refused" },
    };
    struct charm_arena *arena = charm_arena_new();
    for (size_t i = 0; i < CHARMI_COUNT(list); i++) {
        print_message("  %s\n", list[i][0]);
        assert_string_equal(json_of(arena, list[i][0], LAB_YAML_TYPED), list[i][1]);
    }
    charm_arena_free(arena);
}

static void as_texts_scalars_keep_their_spelling(void **state)
{
    struct charm_arena *arena = charm_arena_new();
    assert_string_equal(json_of(arena, "{a: 1.50, b: yes, c: null, d: 010}", LAB_YAML_TEXTS),
                        "{\"a\":\"1.50\",\"b\":\"yes\",\"c\":\"\",\"d\":\"010\"}");
    charm_arena_free(arena);
}

static void an_alias_inside_itself_is_refused(void **state)
{
    struct charm_arena *arena = charm_arena_new();
    assert_string_equal(json_of(arena, "&a [*a]", LAB_YAML_TYPED), "refused");
    charm_arena_free(arena);
}

static void what_would_be_read_as_something_else_is_quoted(void **state)
{
    struct charm_arena *arena = charm_arena_new();
    struct charm_value *map = charm_value_new_map(arena);
    charm_value_set_text(map, "n", "y");
    charm_value_set_text(map, "lines", "a\nb\n");
    charm_value_set_text(map, "number", "12");
    charm_value_set_text(map, "plain", "some text");
    charm_value_set_int(map, "million", 1048576);
    charm_value_append_text(charm_value_add_list(map, "list"), "x");
    charm_value_add_map(map, "empty");
    assert_string_equal(lab_yaml_render(arena, map), "empty: {}\n"
                                                     "lines: |\n"
                                                     "  a\n"
                                                     "  b\n"
                                                     "list:\n"
                                                     "- x\n"
                                                     "million: 1.048576e+06\n"
                                                     "\"n\": \"y\"\n"
                                                     "number: \"12\"\n"
                                                     "plain: some text\n");
    charm_arena_free(arena);
}

static void what_is_written_reads_back_the_same(void **state)
{
    static const char *const texts[] = { "",      " a ", "a: b", "# no", "- x",  "'",  "\"",
                                         "a\nb",  "\n",  "null", "1e5",  "{x}",  "@x", "\t",
                                         "a\n b", "%a",  "é",    "*x",   "true", "0x1" };
    struct charm_arena *arena = charm_arena_new();
    for (size_t i = 0; i < CHARMI_COUNT(texts); i++) {
        struct charm_value *map = charm_value_new_map(arena);
        struct charm_value *back;
        charm_value_set_text(map, "k", texts[i]);
        const char *yaml = lab_yaml_render(arena, map);
        print_message("  %s", yaml);
        assert_int_equal(lab_yaml_parse(arena, yaml, strlen(yaml), LAB_YAML_TYPED, &back, NULL), 0);
        assert_string_equal(charm_text(charm_value_get(back, "k")), texts[i]);
    }
    charm_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_mean_what_yaml_1_1_says),
        cmocka_unit_test(as_texts_scalars_keep_their_spelling),
        cmocka_unit_test(an_alias_inside_itself_is_refused),
        cmocka_unit_test(what_would_be_read_as_something_else_is_quoted),
        cmocka_unit_test(what_is_written_reads_back_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
