#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "kcb/redact.h"

static struct charm_arena *arena;

static int make_arena(void **state)
{
    arena = charm_arena_new();
    return 0;
}

static int free_arena(void **state)
{
    charm_arena_free(arena);
    return 0;
}

static void texts_lose_what_looks_like_a_secret_and_nothing_else(void **state)
{
    static const struct {
        const char *text;
        const char *shown;
    } cases[] = {
        { "", "" },
        { "all is well", "all is well" },
        { "mongodb://user:pa/ss@host:27017/db", "mongodb://***@host:27017/db" },
        { "http://host/path", "http://host/path" },
        { "password=hunter22, next", "password=***, next" },
        { "ssl.keystore.password = \"a \\\" b\" x", "ssl.keystore.password = *** x" },
        { "{\"api.key\": \"abc\", \"b\": 1}", "{\"api.key\": ***, \"b\": 1}" },
        { "Password: x", "Password: ***" },
        { "the password is wrong", "the password is wrong" },
        { "Invalid value s3cr3t words for configuration a.b: Not a number of type INT",
          "Invalid value *** for configuration a.b: Not a number of type INT" },
        { "Invalid value s3cr3t and no end", "Invalid value ***" },
        { "a\n\tb\x01  c\x7f", "a b c" },
        { "\xff\xfe", "\xEF\xBF\xBD\xEF\xBF\xBD" },
    };
    for (size_t i = 0; i < CHARMI_COUNT(cases); i++) {
        assert_string_equal(kcbi_redact_text(arena, cases[i].text, 500), cases[i].shown);
    }
    assert_string_equal(kcbi_redact_text(arena, NULL, 500), "");
}

static void a_long_text_is_cut_between_characters(void **state)
{
    assert_string_equal(kcbi_redact_text(arena, "abcdefghij", 10), "abcdefghij");
    assert_string_equal(kcbi_redact_text(arena, "abcdefghijk", 10), "abcdefg...");
    assert_string_equal(kcbi_redact_text(arena, "abcdef\xC3\xA4ghijk", 10), "abcdef...");
}

static void a_trace_is_its_first_line(void **state)
{
    assert_string_equal(
        kcbi_redact_trace(arena, "\norg.apache.Boom: token=abc failed\n\tat x.y(Z.java:1)\n"),
        "org.apache.Boom: token=*** failed");
    assert_string_equal(kcbi_redact_trace(arena, NULL), "");
    assert_string_equal(kcbi_redact_lines(arena, "a\n\tb secret=c\r\nd", 100),
                        "a\n\tb secret=*** \nd");
}

static void settings_that_carry_secrets_are_known_by_name(void **state)
{
    static const char *const secret[] = {
        "connection.password", "sasl.jaas.config", "aws.secret.access.key",
        "ssl.keystore.key",    "API_KEY",          "some.Token"
    };
    static const char *const open[] = { "key.converter", "connector.class", "topics", "tasks.max",
                                        "value.converter.schemas.enable" };
    for (size_t i = 0; i < CHARMI_COUNT(secret); i++) {
        assert_true(kcbi_secret_setting(secret[i]));
    }
    for (size_t i = 0; i < CHARMI_COUNT(open); i++) {
        assert_false(kcbi_secret_setting(open[i]));
    }
}

static void a_shown_configuration_keeps_references_and_hides_values(void **state)
{
    struct charm_value *config = charm_value_new_map(arena);
    charm_value_set_text(config, "connection.password", "hunter22");
    charm_value_set_text(config, "other.password", "${file:/etc/s.properties:db}");
    charm_value_set_text(config, "half.password", "${file:/etc/s:db}hunter22");
    charm_value_set_text(config, "connection.uri", "jdbc:pg://me:hunter22@db/x");
    charm_value_set_int(config, "tasks.max", 2);
    const struct charm_value *shown = kcbi_redact_config(arena, config);
    assert_string_equal(charm_text(charm_value_get(shown, "connection.password")), "***");
    assert_string_equal(charm_text(charm_value_get(shown, "other.password")),
                        "${file:/etc/s.properties:db}");
    assert_string_equal(charm_text(charm_value_get(shown, "half.password")), "***");
    assert_string_equal(charm_text(charm_value_get(shown, "connection.uri")), "jdbc:pg://***@db/x");
    assert_string_equal(charm_text(charm_value_get(shown, "tasks.max")), "2");
}

static void a_refusal_names_settings_and_reasons_but_never_values(void **state)
{
    static const struct {
        const char *message;
        const char *words;
    } cases[] = {
        { "Connector configuration is invalid and contains the following 2 error(s):\n"
          "Invalid value hunter22 for configuration tasks.max: Not a number of type INT\n"
          "Missing required configuration \"topic\" which has no default value.\n"
          "You can also find the above list of errors at the endpoint `/connector-plugins/x`",
          "tasks.max: Not a number of type INT; Missing required configuration \"topic\"" },
        { "Invalid value jdbc:pg://me:hunter22@db for configuration connection.url: "
          "Could not connect with hunter22",
          "connection.url has an invalid value" },
        { "Invalid value two\nlines hunter22 for configuration a.b: x",
          "a.b has an invalid value" },
        { "Invalid value hunter22", "a value is invalid" },
        { "Invalid value x for configuration hunter22 for configuration b: Value must be at least "
          "1",
          "b: Value must be at least 1" },
        { "Failed to find any class that implements Connector and which name matches no.Such, "
          "available connectors are: PluginDesc{klass=class a.b}",
          "Failed to find any class that implements Connector and which name matches no.Such" },
        { "org.apache.kafka.connect.errors.ConnectException: Failed to find any class that "
          "implements Connector and which name matches no.Such, available connectors are: x",
          "Failed to find any class that implements Connector and which name matches no.Such" },
        { "Must configure one of topics or topics.regex\nMust configure one of topics or "
          "topics.regex",
          "Must configure one of topics or topics.regex" },
        { "Exception: hunter22",
          "the configuration is refused (the worker's words can hold secrets)" },
        { "Connector config {password=hunter22} contains no connector type",
          "the configuration has no connector.class" },
        { "hunter22", "the configuration is refused (the worker's words can hold secrets)" },
        { "", "the configuration is refused (the worker's words can hold secrets)" },
    };
    for (size_t i = 0; i < CHARMI_COUNT(cases); i++) {
        const char *words = kcbi_refusal_words(arena, cases[i].message);
        assert_string_equal(words, cases[i].words);
        assert_null(strstr(words, "hunter22"));
    }
}

/* Text made to be slow: each of these once cost the square of its length. */
static void hostile_text_costs_no_more_than_its_length(void **state)
{
    static const char *const pieces[] = { "://",        "password",       "://a@",
                                          "password= ", "Invalid value ", "Invalid value \n",
                                          "\"",         "token=\"\\" };
    const size_t size = 2 * 1024 * 1024;
    char *text = malloc(size + 32);
    assert_non_null(text);
    for (size_t i = 0; i < CHARMI_COUNT(pieces); i++) {
        const size_t length = strlen(pieces[i]);
        for (size_t at = 0; at < size; at += length) {
            memcpy(text + at, pieces[i], length + 1);
        }
        assert_true(strlen(kcbi_redact_text(arena, text, 100)) <= 100);
        assert_true(strlen(kcbi_refusal_words(arena, text)) <= 300);
        assert_true(strlen(kcbi_redact_trace(arena, text)) <= 160);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_lose_what_looks_like_a_secret_and_nothing_else),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(a_trace_is_its_first_line),
        cmocka_unit_test(settings_that_carry_secrets_are_known_by_name),
        cmocka_unit_test(a_shown_configuration_keeps_references_and_hides_values),
        cmocka_unit_test(a_refusal_names_settings_and_reasons_but_never_values),
        cmocka_unit_test(hostile_text_costs_no_more_than_its_length),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
