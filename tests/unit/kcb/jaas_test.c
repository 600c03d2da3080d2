#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "kcb/jaas.h"

/* ---- against Kafka's own reader: data/JaasOracle.java ---- */

static void check_case(const struct charm_value *expected)
{
    const char *text = TEXT_AT(expected, "text");
    const bool taken = charm_value_true(charm_value_get(expected, "ok")) &&
                       !charm_value_true(charm_value_get(expected, "odd"));
    struct kcbi_jaas jaas = { 0 };
    struct charm_error error = { 0 };
    const int code = kcbi_jaas_parse(arena, text, &jaas, &error);
    if ((code == 0) != taken) {
        fail_msg("%s: Kafka %s it, we say: %s", text, taken ? "takes" : "refuses", error.text);
    }
    if (!taken) {
        assert_int_equal(code, CHARM_EPARSE);
        assert_null(jaas.module);
        return;
    }
    assert_string_equal(jaas.module, TEXT_AT(expected, "module"));
    if (!charm_value_equal(jaas.options, charm_value_get(expected, "options"))) {
        fail_msg("%s: we read %s", text,
                 charm_value_render(arena, jaas.options, CHARM_JSON_SORTED));
    }
}

static void texts_are_read_as_kafka_reads_them(void **state)
{
    (void)state;
    FILE *file = fopen("data/jaas.jsonl", "re");
    assert_non_null(file);
    char line[4096];
    size_t cases = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        check_case(json(line));
        cases++;
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(cases, 601);
}

/* ---- ours ---- */

static const char *refusal(const char *text, int expected_code)
{
    struct kcbi_jaas jaas = { 0 };
    struct charm_error error = { 0 };
    assert_int_equal(kcbi_jaas_parse(arena, text, &jaas, &error), expected_code);
    assert_null(jaas.module);
    return charm_arena_copy(arena, error.text);
}

/* A password without its quotes is the mistake that everybody makes once. */
static void errors_name_the_option_by_number_and_never_a_piece_of_the_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *said;
    } cases[] = {
        { "", "it does not begin with a login module" },
        { "hunter2", "the word behind the login module is not `required`" },
        { "M hunter2;", "the word behind the login module is not `required`" },
        { "M required username=u password=hunter2", "it does not end with a semicolon" },
        { "M required username=u password=@hunter2;", "option 2 has no value" },
        { "M required username=u password=hunter2 hunter3;", "option 3 has no value" },
        { "M required username=u password=12hunter;", "option 2 has no value" },
        { "M required username=u 12hunter2;", "option 2 has no name" },
        { "M required username=u password=hunter2; hunter3", "something follows the semicolon" },
        { "M required username=u password=\"hunter\\0two\";", "it holds the character NUL" },
    };
    for (size_t i = 0; i < CHARMI_COUNT(cases); i++) {
        const char *text = refusal(cases[i].text, CHARM_EPARSE);
        assert_contains(text, cases[i].said);
        assert_lacks(text, "hunter");
    }
}

static const char *repeat(const char *piece, size_t times)
{
    const size_t size = strlen(piece);
    char *text = charm_arena_alloc(arena, size * times + 1);
    for (size_t i = 0; i < size * times; i++) {
        text[i] = piece[i % size];
    }
    return text;
}

static void long_and_cut_texts_end_in_an_error(void **state)
{
    (void)state;
    static const char *const pieces[] = { "a", "\"",          "\\",   "/",        "/*",
                                          "=", "M required ", "\"\\", "\xc3\xa9", "-." };
    for (size_t i = 0; i < CHARMI_COUNT(pieces); i++) {
        const size_t times = KCBI_JAAS_MAX / strlen(pieces[i]);
        refusal(repeat(pieces[i], times), CHARM_EPARSE);
        refusal(repeat(pieces[i], times + 1), CHARM_ETOOBIG);
    }
    static const char whole[] = "M required a=\"\\101\\\"\xc3\xa9\" /* c */ b='\\377';";
    for (size_t size = 0; size < sizeof(whole) - 1; size++) {
        refusal(charm_arena_copy_n(arena, whole, size), CHARM_EPARSE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(texts_are_read_as_kafka_reads_them),
        TEST(errors_name_the_option_by_number_and_never_a_piece_of_the_text),
        TEST(long_and_cut_texts_end_in_an_error),
    };
    return cmocka_run_group_tests_name("jaas", tests, NULL, NULL);
}
