/* Secrets of Juju in whole runs: read when asked for and once, hidden from then on, unknown when they cannot be read. */
#include "tests.h"

#include "base/text.h"
#include "fake_juju.h"

#define URI "secret:d0a1b2c3d4e5f6g7h8i9"

/* What the row found, for the test to look at. */
static struct charm_error found_error;
static size_t asked;

static enum charm_result ask(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    for (size_t i = 0; i < asked; i++) {
        const struct charm_value *content = NULL;
        found_error = (struct charm_error){ 0 };
        if (charm_secret_content(run, URI, &content, &found_error) != 0) {
            assert_null(content);
            charm_status(run, CHARM_BLOCKED, "%s", found_error.text);
            continue;
        }
        charm_trace(run, "we are %s with %s", charm_text(charm_value_get(content, "username")),
                    charm_text(charm_value_get(content, "password")));
        charm_status(run, CHARM_ACTIVE, "with %s",
                     charm_text(charm_value_get(content, "password")));
    }
    return CHARM_DONE;
}

static const struct charm_row rows[] = {
    { .name = "ask", .summary = "ask", .when = CHARM_FLAGS(CHARM_IS_LEADER), .run = ask },
    { 0 },
};
static const struct charm_layer layer = { .name = "demo", .rows = rows };
#define LAYERS CHARM_LAYERS(&layer)

static struct fake_juju *begin(size_t times)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_leader(juju, true);
    fake_juju_secret(juju, URI, "password", "hunter22");
    fake_juju_secret(juju, URI, "username", "hello");
    asked = times;
    found_error = (struct charm_error){ 0 };
    return juju;
}

static size_t reads(struct fake_juju *juju)
{
    size_t count = 0;
    for (const char *line = fake_juju_calls(juju); line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        count += charmi_starts_with(line, "secret-get") ? 1 : 0;
    }
    return count;
}

static void a_secret_that_nobody_asks_for_costs_nothing(void **state)
{
    struct fake_juju *juju = begin(0);
    fake_juju_live(juju, LAYERS, "update-status");
    assert_int_equal(reads(juju), 0);
    fake_juju_free(juju);
}

static void it_is_read_once_a_run_in_its_newest_revision(void **state)
{
    struct fake_juju *juju = begin(3);
    fake_juju_live(juju, LAYERS, "secret-changed");
    assert_int_equal(reads(juju), 1);
    assert_true(fake_juju_called(juju, "secret-get " URI " --refresh"));
    fake_juju_free(juju);
}

static void its_values_are_hidden_and_the_user_s_name_is_not(void **state)
{
    struct fake_juju *juju = begin(1);
    fake_juju_option(juju, "trace", charm_value_new_bool(fake_juju_arena(juju), true));
    fake_juju_live(juju, LAYERS, "update-status");
    assert_true(fake_juju_called(juju, "status-set -- active with ***"));
    assert_contains(fake_juju_story(juju), "we are hello with ***");
    assert_null(strstr(fake_juju_calls(juju), "hunter22"));
    assert_null(strstr(fake_juju_story(juju), "hunter22"));
    assert_null(strstr(fake_juju_log(juju), "hunter22"));
    assert_null(strstr(fake_juju_file(juju, "runs.json"), "hunter22"));
    fake_juju_free(juju);
}

static void what_cannot_be_read_breaks_nothing_and_is_told_once(void **state)
{
    static const struct {
        const char *said;
        enum charm_code code;
        const char *words;
    } cases[] = {
        { "ERROR permission denied", CHARM_EREFUSED,
          URI " is not granted to this application: juju grant-secret " URI " connect" },
        { "ERROR secret \"d0a1b2c3d4e5f6g7h8i9\" not found", CHARM_ENOTFOUND, "there is no " URI },
        { "ERROR connection is shut down", CHARM_EFAILED, "connection is shut down" },
        { "timeout", CHARM_ETIMEOUT, "it did not end" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fake_juju *juju = begin(2);
        fake_juju_refuse(juju, "secret-get", cases[i].said);
        assert_int_equal(fake_juju_run(juju, LAYERS, "update-status"), 0);
        assert_int_equal(found_error.code, cases[i].code);
        assert_contains(found_error.text, cases[i].words);
        assert_int_equal(reads(juju), 1);
        fake_juju_free(juju);
    }
}

static void an_answer_that_is_none_is_unknown_and_no_person_s_matter(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_leader(juju, true);
    asked = 1;
    assert_int_equal(fake_juju_run(juju, LAYERS, "update-status"), 0);
    assert_int_equal(found_error.code, CHARM_EFAILED);
    assert_contains(found_error.text, "it answered nothing");
    fake_juju_free(juju);
}

static void juju_2_is_not_even_asked(void **state)
{
    struct fake_juju *juju = begin(1);
    fake_juju_context(juju)->juju_version = "2.9.51";
    assert_int_equal(fake_juju_run(juju, LAYERS, "update-status"), 0);
    assert_int_equal(found_error.code, CHARM_EINVAL);
    assert_contains(found_error.text, "Juju 2.9.51 has no secrets");
    assert_int_equal(reads(juju), 0);
    fake_juju_free(juju);
}

/* ---- options ---- */

static enum charm_result tell_option(struct charm_run *run, const struct charm_row *row)
{
    charm_trace(run, "the option is %s",
                charm_text(row->data != NULL ? charm_config_reference(run, "api-token")
                                             : charm_config(run, "api-token")));
    return CHARM_DONE;
}

static void an_option_that_only_names_a_secret_is_not_hidden(void **state)
{
    static const char reference[] = "it names one";
    const struct charm_row names[] = {
        { .name = "tell",
          .summary = "tell",
          .when = CHARM_FLAGS(CHARM_IS_LEADER),
          .data = reference,
          .run = tell_option },
        { 0 },
    };
    const struct charm_row holds[] = {
        { .name = "tell",
          .summary = "tell",
          .when = CHARM_FLAGS(CHARM_IS_LEADER),
          .run = tell_option },
        { 0 },
    };
    const struct charm_row *const both[] = { names, holds };
    for (size_t i = 0; i < 2; i++) {
        const struct charm_layer telling = { .name = "demo", .rows = both[i] };
        struct fake_juju *juju = begin(0);
        fake_juju_option_text(juju, "api-token", URI);
        fake_juju_option(juju, "trace", charm_value_new_bool(fake_juju_arena(juju), true));
        fake_juju_live(juju, CHARM_LAYERS(&telling), "update-status");
        assert_contains(fake_juju_story(juju), i == 0 ? "the option is " URI : "the option is ***");
        fake_juju_free(juju);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_that_nobody_asks_for_costs_nothing),
        cmocka_unit_test(it_is_read_once_a_run_in_its_newest_revision),
        cmocka_unit_test(its_values_are_hidden_and_the_user_s_name_is_not),
        cmocka_unit_test(what_cannot_be_read_breaks_nothing_and_is_told_once),
        cmocka_unit_test(an_answer_that_is_none_is_unknown_and_no_person_s_matter),
        cmocka_unit_test(juju_2_is_not_even_asked),
        cmocka_unit_test(an_option_that_only_names_a_secret_is_not_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
