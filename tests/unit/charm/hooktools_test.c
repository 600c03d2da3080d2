/* Calls of hook tools, and texts that must not show. */
#include "tests.h"

#include "charm/hooktools.h"

static struct charm_arena *arena;
static struct charmi_secrets secrets;
static struct charm_tool_call seen;
static struct charm_tool_answer answer;
static int tool_result;

static int tool(void *userdata, struct charm_arena *to, const struct charm_tool_call *call,
                struct charm_tool_answer *ret_answer, struct charm_error *reterr)
{
    seen = *call;
    if (tool_result < 0) {
        return charm_error_set(reterr, (enum charm_code)tool_result, "hunter22 was too slow");
    }
    *ret_answer = answer;
    return 0;
}

static int64_t monotonic_ms(void *userdata)
{
    static int64_t now;
    return now += 5;
}

static const struct charm_ports ports = { .tool = tool, .monotonic_ms = monotonic_ms };
static struct charmi_tools tools;
static struct charm_error error;

static int set_up(void **state)
{
    arena = charm_arena_new();
    secrets = (struct charmi_secrets){ 0 };
    tools = (struct charmi_tools){ .ports = &ports, .arena = arena, .secrets = &secrets };
    error = (struct charm_error){ 0 };
    answer = (struct charm_tool_answer){ .out = "", .err = "" };
    tool_result = 0;
    return 0;
}

static int tear_down(void **state)
{
    charm_arena_free(arena);
    return 0;
}

static void say(const char *out)
{
    answer.out = out;
    answer.out_size = strlen(out);
}

static const char *const read_argv[] = { "relation-ids", "--format=json", "kafka", NULL };

static void an_answer_is_a_value_and_the_call_is_noted(void **state)
{
    const struct charm_value *value = NULL;
    say("[\"kafka:1\"]\n");
    assert_int_equal(charmi_tool_read(&tools, read_argv, CHARMI_ANSWER_TEXTS, &value, &error), 0);
    assert_string_equal(charm_text(charm_value_at(value, 0)), "kafka:1");
    assert_null(seen.stdin_text);
    assert_int_equal(tools.note_count, 1);
    assert_string_equal(tools.notes[0].line, "relation-ids kafka");
    assert_int_equal(tools.notes[0].took_ms, 5);
    assert_false(tools.notes[0].writes);
}

static void null_is_an_empty_list_or_map_but_no_answer_to_a_question(void **state)
{
    const struct charm_value *value = NULL;
    say("null\n");
    assert_int_equal(charmi_tool_read(&tools, read_argv, CHARMI_ANSWER_TEXTS, &value, &error), 0);
    assert_int_equal(charm_value_kind(value), CHARM_LIST);
    assert_int_equal(charmi_tool_read(&tools, read_argv, CHARMI_ANSWER_BAG, &value, &error), 0);
    assert_int_equal(charm_value_kind(value), CHARM_MAP);
    assert_int_equal(charmi_tool_read(&tools, read_argv, CHARMI_ANSWER_BOOL, &value, &error),
                     CHARM_EPARSE);
    assert_string_equal(error.text, "relation-ids kafka: its answer is not true or false");
}

static void no_output_is_a_cut_answer(void **state)
{
    static const char *const cut[] = { "", "\n", "[\"kafka:1\"", "[\"kafka:1\"]]" };
    const struct charm_value *value = NULL;
    for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
        say(cut[i]);
        assert_int_equal(charmi_tool_read(&tools, read_argv, CHARMI_ANSWER_TEXTS, &value, &error),
                         CHARM_EPARSE);
    }
    answer = (struct charm_tool_answer){ .out = "\0[]", .out_size = 3, .err = "" };
    assert_int_equal(charmi_tool_read(&tools, read_argv, CHARMI_ANSWER_TEXTS, &value, &error),
                     CHARM_EPARSE);
    assert_null(value);
}

static void an_answer_of_another_form_is_an_error_in_words(void **state)
{
    static const struct {
        const char *out;
        enum charmi_answer form;
        const char *wanted;
    } cases[] = {
        { "\"yes\"", CHARMI_ANSWER_BOOL, "true or false" },
        { "1", CHARMI_ANSWER_BOOL, "true or false" },
        { "{}", CHARMI_ANSWER_TEXT, "a text" },
        { "[1]", CHARMI_ANSWER_TEXT, "a text" },
        { "{\"kafka:1\":1}", CHARMI_ANSWER_TEXTS, "a list of texts" },
        { "[\"kafka:1\",2]", CHARMI_ANSWER_TEXTS, "a list of texts" },
        { "[]", CHARMI_ANSWER_MAP, "a map" },
        { "{\"a\":1}", CHARMI_ANSWER_BAG, "a map of texts" },
    };
    const struct charm_value *value = NULL;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        say(cases[i].out);
        assert_int_equal(charmi_tool_read(&tools, read_argv, cases[i].form, &value, &error),
                         CHARM_EPARSE);
        assert_string_equal(error.text, charm_arena_printf(arena,
                                                           "relation-ids kafka: its answer "
                                                           "is not %s",
                                                           cases[i].wanted));
    }
    assert_null(value);
}

static void output_that_is_no_json_is_an_error_that_names_the_tool(void **state)
{
    const struct charm_value *value = NULL;
    say("kafka:1");
    assert_int_equal(charmi_tool_read(&tools, read_argv, CHARMI_ANSWER_TEXTS, &value, &error),
                     CHARM_EPARSE);
    assert_contains(error.text, "relation-ids kafka: ");
    assert_null(value);
}

static void a_refusal_names_tool_arguments_code_and_words(void **state)
{
    const struct charm_value *value = NULL;
    answer.exit_code = 2;
    answer.err = "ERROR no hunter22 here";
    charmi_secrets_add(arena, &secrets, "hunter22");
    assert_int_equal(charmi_tool_read(&tools, read_argv, CHARMI_ANSWER_TEXTS, &value, &error),
                     CHARM_EREFUSED);
    assert_string_equal(error.text, "relation-ids kafka: exit code 2: ERROR no *** here");
    assert_int_equal(tools.notes[0].exit_code, 2);
}

static void a_tool_that_could_not_run_keeps_its_own_code(void **state)
{
    const struct charm_value *value = NULL;
    tool_result = CHARM_ETIMEOUT;
    charmi_secrets_add(arena, &secrets, "hunter22");
    assert_int_equal(charmi_tool_read(&tools, read_argv, CHARMI_ANSWER_TEXTS, &value, &error),
                     CHARM_ETIMEOUT);
    assert_string_equal(error.text, "relation-ids kafka: *** was too slow");
    assert_int_equal(tools.notes[0].exit_code, -1);
}

static void a_document_goes_through_standard_input(void **state)
{
    struct charm_value *map = charm_value_new_map(arena);
    charm_value_set_text(map, "b", "2");
    charm_value_set_text(map, "a", "1");
    assert_int_equal(charmi_tool_write(&tools, CHARMI_ARGV("state-set", "--file", "-"), map, NULL),
                     0);
    assert_string_equal(seen.stdin_text, "{\"a\":\"1\",\"b\":\"2\"}");
    assert_true(tools.notes[0].writes);
}

static void a_document_is_json_that_a_yaml_reader_reads_as_the_same(void **state)
{
    struct charm_value *map = charm_value_new_map(arena);
    /* DEL, a C1 control, next line, line separator, byte order mark; then what may stay as it is */
    charm_value_set_text(
        map, "k", "\x7F\xC2\x80\xC2\x85\xE2\x80\xA8\xEF\xBB\xBF|\t\"\xC3\xA9\xF0\x9F\x98\x80");
    assert_string_equal(charmi_tool_document(arena, map),
                        "{\"k\":\"\\u007f\\u0080\\u0085\\u2028\\ufeff|\\t\\\"\xC3\xA9\xF0\x9F\x98"
                        "\x80\"}");
}

static void lines_quote_what_a_shell_would_and_hide_results(void **state)
{
    charmi_secrets_add(arena, &secrets, "hunter22");
    assert_string_equal(charmi_tool_line(arena, &secrets,
                                         CHARMI_ARGV("status-set", "--", "active", "a hunter22\n")),
                        "status-set -- active 'a *** '");
    assert_string_equal(charmi_tool_line(arena, &secrets, CHARMI_ARGV("action-set", "a=b", "c=d")),
                        "action-set a=... c=...");
    assert_string_equal(charmi_tool_line(arena, &secrets, CHARMI_ARGV("action-fail", "--", "")),
                        "action-fail -- ''");
}

/* ---- secrets ---- */

static void longer_secrets_are_replaced_first(void **state)
{
    charmi_secrets_add(arena, &secrets, "abc");
    charmi_secrets_add(arena, &secrets, "abcdef");
    assert_string_equal(charmi_redact(arena, &secrets, "x abcdef y abc z"), "x *** y *** z");
}

static void a_secret_is_found_in_its_json_form_and_line_by_line(void **state)
{
    charmi_secrets_add(arena, &secrets, "-----BEGIN KEY-----\nMIIEvQIBADANBg\n\"q\"");
    assert_string_equal(
        charmi_redact(arena, &secrets, "[\"-----BEGIN KEY-----\\nMIIEvQIBADANBg\\n\\\"q\\\"\"]"),
        "[\"***\"]");
    assert_string_equal(charmi_redact(arena, &secrets, "cut: MIIEvQIBADANBg"), "cut: ***");
}

static void no_secret_is_no_secret(void **state)
{
    charmi_secrets_add(arena, &secrets, "");
    charmi_secrets_add(arena, &secrets, NULL);
    assert_string_equal(charmi_redact(arena, &secrets, "plain"), "plain");
    assert_string_equal(charmi_redact(arena, &secrets, NULL), "");
}

static void keys_say_that_their_values_are_secrets(void **state)
{
    static const char *const secret[] = {
        "ssl.keystore.password", "sasl.jaas.config", "API_TOKEN",
        "client-secret",         "ssl.keystore.key", "private-key"
    };
    static const char *const open[] = { "key.converter", "port", "ssl.endpoint", "keyboard", "" };
    for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++) {
        assert_true(charmi_key_is_secret(secret[i]));
    }
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
        assert_false(charmi_key_is_secret(open[i]));
    }
    assert_false(charmi_key_is_secret(NULL));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_answer_is_a_value_and_the_call_is_noted),
        CASE(null_is_an_empty_list_or_map_but_no_answer_to_a_question),
        CASE(no_output_is_a_cut_answer),
        CASE(an_answer_of_another_form_is_an_error_in_words),
        CASE(output_that_is_no_json_is_an_error_that_names_the_tool),
        CASE(a_refusal_names_tool_arguments_code_and_words),
        CASE(a_tool_that_could_not_run_keeps_its_own_code),
        CASE(a_document_goes_through_standard_input),
        CASE(a_document_is_json_that_a_yaml_reader_reads_as_the_same),
        CASE(lines_quote_what_a_shell_would_and_hide_results),
        CASE(longer_secrets_are_replaced_first),
        CASE(a_secret_is_found_in_its_json_form_and_line_by_line),
        CASE(no_secret_is_no_secret),
        CASE(keys_say_that_their_values_are_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
