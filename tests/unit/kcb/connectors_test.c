#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "fake_run.h"
#include "kcb/connectors.h"
#include "kcb/kcb.h"
#include "kcb/restarts.h"

static const char all[] = "/connectors?expand=status&expand=info";

static struct charm_run *run;

static int start(void **state)
{
    run = fake_run_new();
    fake_flag(run, CHARM_IS_LEADER);
    fake_flag(run, CHARM_APP_STATE);
    fake_flag(run, KCB_RUNNING);
    fake_outcome(run, "upper.sink", CHARM_OUTCOME_DONE, "");
    return 0;
}

static int stop(void **state)
{
    fake_run_free(run);
    return 0;
}

static const char *sorted(const struct charm_value *value)
{
    return charm_value_render(run->arena, value, CHARM_JSON_SORTED);
}

/* ---- the option ---- */

static int parse(const char *text, const char *topics, struct charm_value **ret_wanted,
                 struct charm_error *reterr)
{
    return kcbi_option_connectors_parse(run->arena, &run->ports, text, topics, ret_wanted, reterr);
}

static void numbers_and_booleans_of_the_option_become_texts(void **state)
{
    struct charm_value *wanted = NULL;
    assert_int_equal(parse("{\"a\": {\"connector.class\": \"x.FileStreamSource\", \"tasks.max\": 2,"
                           " \"on\": true, \"ratio\": 1.5, \"file\": \"/in\", \"name\": \"a\"}}",
                           "t", &wanted, NULL),
                     0);
    assert_string_equal(sorted(wanted),
                        "{\"a\":{\"connector.class\":\"x.FileStreamSource\",\"file\":\"/in\","
                        "\"on\":\"true\",\"ratio\":\"1.5\",\"tasks.max\":\"2\"}}");
}

static void an_empty_option_wants_nothing(void **state)
{
    static const char *const texts[] = { "", " \n\t", "null", "{}" };
    for (size_t i = 0; i < CHARMI_COUNT(texts); i++) {
        struct charm_value *wanted = NULL;
        assert_int_equal(parse(texts[i], "", &wanted, NULL), 0);
        assert_int_equal(charm_value_size(wanted), 0);
    }
}

static void sinks_without_topics_take_those_of_the_option(void **state)
{
    static const struct {
        const char *config;
        const char *topics;
    } cases[] = {
        { "{\"connector.class\": \"com.x.MongoSinkConnector\"}", "a,b" },
        { "{\"connector.class\": \"FileStreamSink\"}", "a,b" },
        { "{\"connector.class\": \"FileStreamSink\", \"topics\": \"own\"}", "own" },
        { "{\"connector.class\": \"FileStreamSink\", \"topics.regex\": \"o.*\"}", "" },
        { "{\"connector.class\": \"com.Sink.MongoSourceConnector\"}", "" },
        { "{\"connector.class\": \"FileStreamSource\"}", "" },
    };
    for (size_t i = 0; i < CHARMI_COUNT(cases); i++) {
        struct charm_value *wanted = NULL;
        const char *text = charm_arena_printf(run->arena, "{\"n\": %s}", cases[i].config);
        assert_int_equal(parse(text, " a  b\n", &wanted, NULL), 0);
        assert_string_equal(charm_text(charm_value_path(wanted, "n", "topics", NULL)),
                            cases[i].topics);
    }
}

static void a_bad_option_names_connector_and_key_and_never_a_value(void **state)
{
    static const struct {
        const char *text;
        const char *part;
    } cases[] = {
        { "[{\"name\": \"hunter22\"}]", "must be a map of connector name" },
        { "\"hunter22\"", "must be a map" },
        { "5", "must be a map" },
        { "{\"a\": \"hunter22\"}", "connector 'a': its configuration is not a map" },
        { "{\"a\": null}", "connector 'a': its configuration is not a map" },
        { "{\"a\": [\"hunter22\"]}", "connector 'a': its configuration is not a map" },
        { "{\"a\": {\"k\": {\"x\": \"hunter22\"}}}", "connector 'a': 'k' is a list or map" },
        { "{\"a\": {\"k\": [\"hunter22\"]}}", "connector 'a': 'k' is a list or map" },
        { "{\"a\": {\"k\": null}}", "connector 'a': 'k' has no value" },
        { "{\"a\": {\"\": \"hunter22\"}}", "a key is empty or holds control" },
        { "{\"a\": {\"b\\nc\": \"hunter22\"}}", "a key is empty or holds control" },
        { "{\"a\": {\"password\": \"hunter22\"}}", "connector 'a' has no 'connector.class'" },
        { "{\"a\": {\"connector.class\": 7, \"name\": \"hunter22\"}}", "'name' says another" },
        { "{\"a\": {\"connector.class\": \" \"}}", "has no 'connector.class'" },
        { "{\"a\": {\"connector.class\": \"FileStreamSink\", \"p\": \"hunter22\"}}",
          "connector 'a' is a sink without topics" },
        { "{\"\": {\"connector.class\": \"x\"}}", "empty name" },
        { "{\"a/b\": {\"connector.class\": \"x\"}}", "holds / or" },
        { "{\"a%62\": {\"connector.class\": \"x\"}}", "holds / or" },
        { "{\"a\\u0001b\": {\"connector.class\": \"x\"}}", "control character at byte 2" },
        { "{\" a\": {\"connector.class\": \"x\"}}", "begins or ends with a blank" },
        { "{\"..\": {\"connector.class\": \"x\"}}", "dots alone" },
    };
    for (size_t i = 0; i < CHARMI_COUNT(cases); i++) {
        struct charm_value *wanted = NULL;
        struct charm_error error = { 0 };
        assert_int_equal(parse(cases[i].text, "", &wanted, &error), CHARM_EINVAL);
        assert_null(wanted);
        assert_null(strstr(error.text, "hunter22"));
        if (strstr(error.text, cases[i].part) == NULL) {
            fail_msg("'%s' does not say '%s'", error.text, cases[i].part);
        }
    }
}

static void an_option_that_is_no_document_or_endless_is_refused(void **state)
{
    struct charm_value *wanted = NULL;
    assert_int_equal(parse("{\"a\": ", "", &wanted, NULL), CHARM_EPARSE);
    char *huge = malloc(2 * 1024 * 1024);
    assert_non_null(huge);
    memset(huge, 'x', 2 * 1024 * 1024 - 1);
    huge[2 * 1024 * 1024 - 1] = '\0';
    assert_int_equal(parse(huge, "", &wanted, NULL), CHARM_ETOOBIG);
    huge[300] = '\0';
    assert_int_equal(kcbi_check_connector_name(huge, NULL), CHARM_EINVAL);
    free(huge);
    struct charm_value *many = charm_value_new_map(run->arena);
    struct charm_value *config = fake_json(run, "{\"connector.class\": \"x\"}");
    for (int i = 0; i < 1001; i++) {
        charm_value_set(many, charm_arena_printf(run->arena, "c%d", i), config);
    }
    assert_int_equal(kcbi_option_connectors(run->arena, many, "", &wanted, NULL), CHARM_ETOOBIG);
    assert_null(wanted);
}

static void the_row_wants_what_the_option_names_and_hides_its_secrets(void **state)
{
    run->current = "kafka-connect-base.option-connectors";
    charm_value_set_text(run->config, "connectors",
                         "{\"a\": {\"connector.class\": \"x\", \"db.password\": \"hunter22\","
                         " \"other.password\": \"${file:/x:y}\", \"token.on\": true}}");
    assert_int_equal(kcbi_want_option_connectors(run, NULL), CHARM_DONE);
    assert_string_equal(
        sorted(charm_given(run, KCBI_GIVE_CONNECTOR)),
        "{\"a\":{\"config\":{\"connector.class\":\"x\",\"db.password\":\"hunter22\","
        "\"other.password\":\"${file:/x:y}\",\"token.on\":\"true\"},"
        "\"row\":\"kafka-connect-base.option-connectors\"}}");
    assert_int_equal(run->secrets.size, 1);
    assert_string_equal(run->secrets.at[0], "hunter22");
}

static void the_row_keeps_what_is_there_when_the_option_is_bad(void **state)
{
    charm_value_set_text(run->config, "connectors", "{\"a\": {\"k\": []}}");
    assert_int_equal(kcbi_want_option_connectors(run, NULL), CHARM_LATER);
    assert_true(fake_said(run, "blocked: option connectors: connector 'a': 'k' is a list or map"));
    assert_null(charm_given(run, KCBI_GIVE_CONNECTOR));
}

static void a_row_that_wants_nonsense_fails_the_run_and_loses_nothing(void **state)
{
    struct charm_value *config = kcb_connector_new(run, "x.Y");
    charm_value_add_list(config, "nested");
    kcb_want_connector(run, "a", config);
    charm_value_set(run->app, KCBI_APP_CONNECTORS,
                    fake_json(run, "{\"a\": {\"row\": \"upper.sink\"}}"));
    assert_null(charm_given(run, KCBI_GIVE_CONNECTOR));
    assert_int_equal(kcbi_converge_connectors(run, NULL), CHARM_FAILED);
    assert_int_equal(run->failures.size, 1);
    assert_non_null(strstr(run->failures.at[0], "upper.sink: connector 'a': 'nested' is a list"));
    assert_int_equal(run->requests.size, 0);
    kcb_want_connector(run, "a/b", kcb_connector_new(run, "x.Y"));
    assert_int_equal(charm_value_size(charm_given(run, KCBI_GIVE_MISUSE)), 2);
}

/* ---- what rows say ---- */

static void a_connector_goes_only_when_its_row_really_does_not_want_it(void **state)
{
    static const struct {
        const char *unmet;
        enum charm_outcome outcome;
        enum kcbi_row_says says;
    } cases[] = {
        { "", CHARM_OUTCOME_DONE, KCBI_ROW_DROPS },
        { "", CHARM_OUTCOME_LATER, KCBI_ROW_HOLDS },
        { "", CHARM_OUTCOME_UNKNOWN, KCBI_ROW_NOBODY },
        { "", CHARM_OUTCOME_BLOCKED, KCBI_ROW_HOLDS },
        { KCB_RUNNING, CHARM_OUTCOME_BLOCKED, KCBI_ROW_HOLDS },
        { KCB_TOPIC_CREATED " " CHARM_IS_LEADER, CHARM_OUTCOME_BLOCKED, KCBI_ROW_HOLDS },
        { CHARM_APP_STATE, CHARM_OUTCOME_BLOCKED, KCBI_ROW_HOLDS },
        { "mongodb.available", CHARM_OUTCOME_BLOCKED, KCBI_ROW_DROPS },
        { KCB_RUNNING " mongodb.available", CHARM_OUTCOME_BLOCKED, KCBI_ROW_DROPS },
    };
    for (size_t i = 0; i < CHARMI_COUNT(cases); i++) {
        const char *const *unmet = charmi_split(run->arena, cases[i].unmet, " ").at;
        assert_int_equal(kcbi_row_says(cases[i].outcome, unmet), cases[i].says);
    }
    assert_int_equal(kcbi_row_says(CHARM_OUTCOME_BLOCKED, NULL), KCBI_ROW_HOLDS);
}

/* ---- the plan ---- */

static enum kcbi_row_says says_by_name(void *userdata, const char *row)
{
    if (charmi_same(row, "upper.waits")) {
        return KCBI_ROW_HOLDS;
    }
    return charmi_same(row, "upper.sink") ? KCBI_ROW_DROPS : KCBI_ROW_NOBODY;
}

static const char *plan_text(const char *wanted, const char *owned, const char *live, bool adopt)
{
    const struct kcbi_plan_input input = {
        .wanted = fake_json(run, wanted),
        .owned = fake_json(run, owned),
        .live = fake_json(run, live),
        .adopt = adopt,
        .row_says = says_by_name,
    };
    const struct kcbi_plan plan = kcbi_plan_connectors(run->arena, &input);
    const char *text = "";
    for (size_t i = 0; i < plan.count; i++) {
        text = charm_arena_printf(run->arena, "%s%s%s %s", text, i == 0 ? "" : ", ",
                                  kcbi_step_name(plan.steps[i].kind), plan.steps[i].name);
    }
    return text;
}

#define WANT_A "{\"a\": {\"row\": \"upper.sink\", \"config\": {\"k\": \"v\"}}}"
#define LATE_A "{\"a\": {\"row\": \"upper.waits\", \"config\": {\"k\": \"v\"}}}"
#define OWN_A "{\"a\": {\"row\": \"upper.sink\"}}"
#define OWN_A_COMPACT "{\"a\":{\"row\":\"upper.sink\"}}"
#define LIVE_A "{\"a\": {\"config\": {\"name\": \"a\", \"k\": \"v\"}}}"

static void each_situation_has_its_step(void **state)
{
    static const struct {
        const char *wanted;
        const char *owned;
        const char *live;
        bool adopt;
        const char *plan;
    } cases[] = {
        { "{}", "{}", "{}", false, "" },
        { "{}", "null", "{\"stranger\": {}}", true, "" },
        { WANT_A, "{}", "{}", false, "claim a" },
        { WANT_A, "null", "{}", true, "claim a" },
        { WANT_A, OWN_A, "{}", false, "create a" },
        { WANT_A, OWN_A, LIVE_A, false, "nothing a" },
        { WANT_A, OWN_A, "{\"a\": {\"config\": {\"k\": \"w\"}}}", false, "update a" },
        { WANT_A, OWN_A, "{\"a\": {\"config\": {\"k\": \"v\", \"more\": \"x\"}}}", false,
          "update a" },
        { WANT_A, OWN_A, "{\"a\": {\"config\": {\"name\": \"a\"}}}", false, "update a" },
        { WANT_A, OWN_A, "{\"a\": {}}", false, "hold a" },
        { WANT_A, "{}", LIVE_A, false, "foreign a" },
        { WANT_A, "{}", LIVE_A, true, "adopt a" },
        { LATE_A, OWN_A, "{}", false, "hold a" },
        { "{}", OWN_A, LIVE_A, false, "delete a" },
        { "{}", OWN_A, "{}", false, "forget a" },
        { "{}", "{\"a\": {\"row\": \"upper.waits\"}}", LIVE_A, false, "hold a" },
        { "{}", "{\"a\": {\"row\": \"upper.waits\"}}", "{}", false, "hold a" },
        { "{}", "{\"a\": {\"row\": \"upper.gone\"}}", LIVE_A, false, "hold a" },
        { "{\"c\": {}, \"b\": {}}", OWN_A, "{\"b\": {}}", false, "forget a, foreign b, claim c" },
    };
    for (size_t i = 0; i < CHARMI_COUNT(cases); i++) {
        assert_string_equal(
            plan_text(cases[i].wanted, cases[i].owned, cases[i].live, cases[i].adopt),
            cases[i].plan);
    }
}

static void damaged_facts_make_no_plan_that_deletes(void **state)
{
    assert_string_equal(plan_text("[]", "[]", "[]", false), "");
    assert_string_equal(plan_text("7", "\"x\"", "true", false), "");
    assert_string_equal(plan_text("{}", "{\"a\": 7}", "{\"a\": 7}", false), "hold a");
    assert_string_equal(plan_text("{\"a\": 7}", "{}", "{}", false), "claim a");
}

static void configurations_are_compared_without_the_name_that_connect_adds(void **state)
{
    static const struct {
        const char *wanted;
        const char *live;
        bool same;
    } cases[] = {
        { "{\"k\": \"v\"}", "{\"k\": \"v\"}", true },
        { "{\"k\": \"v\"}", "{\"name\": \"a\", \"k\": \"v\"}", true },
        { "{\"k\": \"2\"}", "{\"k\": 2}", true },
        { "{\"k\": \"v\"}", "{\"k\": null}", false },
        { "{\"k\": \"v\"}", "{}", false },
        { "{}", "{\"k\": \"v\"}", false },
        { "{\"k\": \"\"}", "{\"j\": \"\"}", false },
    };
    for (size_t i = 0; i < CHARMI_COUNT(cases); i++) {
        assert_int_equal(kcbi_same_config(run->arena, fake_json(run, cases[i].wanted),
                                          fake_json(run, cases[i].live)),
                         cases[i].same);
    }
}

/* ---- how they are ---- */

#define STATUS(connector, tasks)                                                                   \
    "{\"a\": {\"status\": {\"connector\": {" connector "}, \"tasks\": [" tasks "]}}}"
#define IN(state) "\"state\": \"" state "\""
#define TASK(id, state) "{\"id\": " id ", " IN(state) "}"

static void health_names_what_failed_and_counts_the_rest(void **state)
{
    static const struct {
        const char *live;
        const char *words;
        const char *failure;
    } cases[] = {
        { STATUS(IN("RUNNING"), TASK("0", "RUNNING")), "1 connector running", "" },
        { STATUS(IN("RUNNING"), ""), "1 connector running, 1 without tasks", "" },
        { STATUS(IN("PAUSED"), TASK("0", "PAUSED")), "0 of 1 connector running, 1 paused", "" },
        { STATUS(IN("STOPPED"), ""), "0 of 1 connector running, 1 paused", "" },
        { STATUS(IN("UNASSIGNED"), ""), "0 of 1 connector running, 1 starting", "" },
        { STATUS(IN("RUNNING"), TASK("0", "RESTARTING")), "0 of 1 connector running, 1 starting",
          "" },
        { "{\"a\": {}}", "0 of 1 connector running, 1 starting", "" },
        { "{}", "0 of 1 connector running, 1 starting", "" },
        { STATUS(IN("FAILED") ", \"trace\": \"Boom: password=hunter22\\n\\tat x\"", ""),
          "0 of 1 connector running, 1 failed", "connector a failed: Boom: password=***" },
        { STATUS(IN("RUNNING"), TASK("0", "RUNNING") ", {\"id\": 1, \"state\": \"FAILED\","
                                                     " \"trace\": \"Bang\"}"),
          "0 of 1 connector running, 1 failed", "connector a task 1 failed: Bang" },
        { STATUS(IN("RUNNING"), TASK("\"x\"", "FAILED")), "0 of 1 connector running, 1 failed",
          "connector a task 0 failed" },
        { "{\"a\": {\"status\": [7]}}", "0 of 1 connector running, 1 starting", "" },
    };
    const struct charm_value *names = fake_json(run, "{\"a\": 1}");
    for (size_t i = 0; i < CHARMI_COUNT(cases); i++) {
        const struct kcbi_health health =
            kcbi_judge_health(run->arena, names, fake_json(run, cases[i].live));
        assert_string_equal(kcbi_health_words(run->arena, &health), cases[i].words);
        assert_string_equal(health.failure, cases[i].failure);
    }
    const struct kcbi_health none = kcbi_judge_health(run->arena, NULL, NULL);
    assert_string_equal(kcbi_health_words(run->arena, &none), "");
}

/* ---- the output ---- */

static void want(const char *name, const char *config)
{
    kcb_want_connector(run, name, fake_json(run, config));
}

static void own(const char *owned)
{
    charm_value_set(run->app, KCBI_APP_CONNECTORS, fake_json(run, owned));
}

static enum charm_result go(void)
{
    return kcbi_converge_connectors(run, NULL);
}

static const char *owned_then(void)
{
    return sorted(charm_value_get(run->app_set, KCBI_APP_CONNECTORS));
}

#define RUNNING_A                                                                                  \
    "{\"a\": {\"info\": {\"config\": {\"connector.class\": \"x\", \"name\": \"a\"}}, \"status\":"  \
    " {\"connector\": {\"state\": \"RUNNING\"}, \"tasks\": [{\"id\": 0, \"state\": "               \
    "\"RUNNING\"}]}}}"

static void a_new_name_is_written_down_before_anything_is_created(void **state)
{
    want("a", "{\"connector.class\": \"x\"}");
    fake_http(run, "GET", all, 200, "{}");
    assert_int_equal(go(), CHARM_DONE);
    assert_string_equal(owned_then(), OWN_A_COMPACT);
    assert_int_equal(run->requests.size, 1);
    assert_true(fake_said(run, "waiting: 1 connector taken up in the next hook"));
}

static void a_name_that_was_read_back_is_created_and_watched_until_it_runs(void **state)
{
    want("a", "{\"connector.class\": \"x\"}");
    own(OWN_A);
    fake_http(run, "GET", all, 200, "{}");
    fake_http(run, "PUT", "/connectors/a/config", 201, "{\"name\": \"a\"}");
    fake_http(run, "GET", all, 200, "{\"a\": {}}");
    fake_http(run, "GET", all, 200, RUNNING_A);
    assert_int_equal(go(), CHARM_DONE);
    assert_true(fake_asked(run, "/connectors/a/config {\"connector.class\":\"x\"}"));
    assert_int_equal(run->statuses.size, 0);
    assert_string_equal(run->look.connectors, "1 connector running");
    assert_string_equal(owned_then(), OWN_A_COMPACT);
}

static void a_connector_as_wanted_costs_one_get(void **state)
{
    want("a", "{\"connector.class\": \"x\"}");
    own(OWN_A);
    fake_http(run, "GET", all, 200, RUNNING_A);
    assert_int_equal(go(), CHARM_DONE);
    assert_int_equal(run->requests.size, 1);
    assert_int_equal(run->statuses.size, 0);
    assert_string_equal(run->look.connectors, "1 connector running");
}

static void without_connectors_nobody_is_asked(void **state)
{
    assert_int_equal(go(), CHARM_DONE);
    assert_int_equal(run->requests.size, 0);
    assert_null(charm_value_get(run->app_set, KCBI_APP_CONNECTORS));
}

static void nothing_is_done_by_a_follower_or_while_the_workers_or_the_state_are_away(void **state)
{
    static const char *const needed[] = { CHARM_IS_LEADER, CHARM_APP_STATE, KCB_RUNNING };
    own(OWN_A);
    for (size_t i = 0; i < CHARMI_COUNT(needed); i++) {
        charm_flag_clear(run, needed[i]);
        assert_int_equal(go(), CHARM_LATER);
        fake_flag(run, needed[i]);
    }
    assert_int_equal(run->requests.size, 0);
    assert_int_equal(charm_value_size(run->app_set), 0);
}

static void a_foreign_connector_stays_untouched_and_blocks(void **state)
{
    want("a", "{\"connector.class\": \"other\"}");
    fake_http(run, "GET", all, 200, RUNNING_A);
    assert_int_equal(go(), CHARM_DONE);
    assert_int_equal(run->requests.size, 1);
    assert_string_equal(owned_then(), "{}");
    assert_true(fake_said(run, "blocked: connector a exists already and is not ours: remove it, "
                               "or let us take it over with adopt-connectors=true"));
}

static void an_adopted_connector_is_changed_only_in_a_later_run(void **state)
{
    want("a", "{\"connector.class\": \"other\"}");
    run->options.adopt_connectors = true;
    fake_http(run, "GET", all, 200, RUNNING_A);
    assert_int_equal(go(), CHARM_DONE);
    assert_int_equal(run->requests.size, 1);
    assert_string_equal(owned_then(), OWN_A_COMPACT);
}

static void an_unwanted_connector_is_deleted_and_forgotten(void **state)
{
    static const struct {
        const char *body;
        int status;
        const char *owned;
    } cases[] = {
        { "", 204, "{}" },
        { "{\"message\": \"Connector a not found\"}", 404, "{}" },
        { "<html>", 404, OWN_A_COMPACT },
        { "{\"message\": \"no\"}", 403, OWN_A_COMPACT },
    };
    for (size_t i = 0; i < CHARMI_COUNT(cases); i++) {
        own(OWN_A);
        fake_http(run, "GET", all, 200, RUNNING_A);
        fake_http(run, "DELETE", "/connectors/a", cases[i].status, cases[i].body);
        assert_int_equal(go(), CHARM_DONE);
        assert_string_equal(owned_then(), cases[i].owned);
    }
}

static void a_worker_that_is_still_starting_is_no_empty_world(void **state)
{
    own(OWN_A);
    for (size_t i = 0; i < 5; i++) {
        fake_http(run, "GET", all, 404, "{\"error_code\": 404, \"message\": \"Not Found\"}");
    }
    assert_int_equal(go(), CHARM_LATER);
    assert_true(fake_said(run, "the worker is still starting"));
    fake_http(run, "GET", all, 200, RUNNING_A);
    for (size_t i = 0; i < 5; i++) {
        fake_http(run, "DELETE", "/connectors/a", 404, "{\"message\": \"HTTP 404 Not Found\"}");
    }
    assert_int_equal(go(), CHARM_DONE);
    assert_string_equal(owned_then(), OWN_A_COMPACT);
}

static void a_connector_whose_row_waits_for_the_workers_or_an_unreadable_endpoint_stays(
    void **state)
{
    own(OWN_A);
    fake_outcome(run, "upper.sink", CHARM_OUTCOME_BLOCKED, "endpoint.mongodb.joined");
    run->unknown_endpoint = "mongodb";
    fake_http(run, "GET", all, 200, RUNNING_A);
    assert_int_equal(go(), CHARM_DONE);
    assert_int_equal(run->requests.size, 1);
    assert_string_equal(owned_then(), OWN_A_COMPACT);
}

static void not_now_keeps_the_name_and_waits(void **state)
{
    own(OWN_A);
    fake_http(run, "GET", all, 200, RUNNING_A);
    for (size_t i = 0; i < 5; i++) {
        fake_http(run, "DELETE", "/connectors/a", 409, "{\"message\": \"rebalance\"}");
    }
    assert_int_equal(go(), CHARM_DONE);
    assert_string_equal(owned_then(), OWN_A_COMPACT);
    assert_true(fake_said(run, "waiting: connector a: the workers say not now (rebalance), "
                               "delete again at the next hook"));
}

static void one_refused_connector_does_not_stop_the_others(void **state)
{
    want("a", "{\"connector.class\": \"x\", \"p.password\": \"hunter22\"}");
    want("b", "{\"connector.class\": \"x\"}");
    own("{\"a\": {\"row\": \"upper.sink\"}, \"b\": {\"row\": \"upper.sink\"}}");
    fake_http(run, "GET", all, 200, "{}");
    fake_http(run, "PUT", "/connectors/a/config", 400,
              "{\"message\": \"Invalid value hunter22 for configuration p.password: hunter22\"}");
    fake_http(run, "PUT", "/connectors/b/config", 201, "{}");
    run->wait_left_ms = 0;
    assert_int_equal(go(), CHARM_DONE);
    assert_true(fake_said(run, "blocked: connector a: p.password has an invalid value"));
    assert_true(fake_said(run, "waiting: 0 of 1 connector running, 1 starting"));
    assert_false(fake_said(run, "hunter22"));
    for (size_t i = 0; i < run->traces.size; i++) {
        assert_null(strstr(run->traces.at[i], "hunter22"));
    }
}

static void lost_leadership_stops_the_plan_and_writes_no_state(void **state)
{
    want("a", "{\"connector.class\": \"x\"}");
    own(OWN_A);
    run->leader = false;
    fake_http(run, "GET", all, 200, "{}");
    assert_int_equal(go(), CHARM_LATER);
    assert_int_equal(run->requests.size, 1);
    assert_int_equal(charm_value_size(run->app_set), 0);
}

static void a_list_that_cannot_be_read_is_no_reason_to_do_anything(void **state)
{
    own(OWN_A);
    fake_http(run, "GET", all, 0, "");
    assert_int_equal(go(), CHARM_LATER);
    fake_http(run, "GET", all, 200, "<html>");
    assert_int_equal(go(), CHARM_LATER);
    assert_int_equal(charm_value_size(run->app_set), 0);
    assert_true(fake_said(run, "waiting: the connectors could not be looked at: GET"));
}

static void a_failed_task_is_named_and_blocks(void **state)
{
    want("a", "{\"connector.class\": \"x\"}");
    own(OWN_A);
    fake_http(run, "GET", all, 200,
              "{\"a\": {\"info\": {\"config\": {\"connector.class\": \"x\"}}, \"status\":"
              " {\"connector\": {\"state\": \"RUNNING\"}, \"tasks\":"
              " [{\"id\": 3, \"state\": \"FAILED\", \"trace\": \"Boom\\nmore\"}]}}}");
    assert_int_equal(go(), CHARM_DONE);
    assert_true(fake_said(run, "blocked: connector a task 3 failed: Boom; when mended: juju run "
                               "connect/0 restart-connector name=NAME"));
}

#define FAILED_A                                                                                   \
    "{\"a\": {\"info\": {\"config\": {\"connector.class\": \"x\"}}, \"status\":"                   \
    " {\"connector\": {\"state\": \"RUNNING\"}, \"tasks\": [{\"id\": 3, \"state\": "               \
    "\"FAILED\"}]}}}"

static const char *restarts_then(void)
{
    return sorted(charm_value_get(run->app_set, KCBI_APP_RESTARTS));
}

static void fail_in(const char *hook, int64_t most, const char *version)
{
    run->context.hook = hook;
    run->options.restart_failed = most;
    want("a", "{\"connector.class\": \"x\"}");
    own(OWN_A);
    fake_http(run, "GET", all, 200, FAILED_A);
    fake_http(run, "GET", "/", 200, version);
}

static void what_failed_is_restarted_in_update_status_and_counted(void **state)
{
    fail_in("update-status", 2, "{\"version\": \"4.1.0\"}");
    fake_http(run, "POST", "/connectors/a/restart?includeTasks=true&onlyFailed=true", 202, "{}");
    fake_http(run, "GET", all, 200, RUNNING_A);
    assert_int_equal(go(), CHARM_DONE);
    assert_int_equal(fake_requests(run, "POST"), 1);
    assert_string_equal(restarts_then(), "{\"a\":1}");
    assert_false(fake_said(run, "failed"));
}

static void an_old_worker_restarts_the_failed_task_alone(void **state)
{
    fail_in("update-status", 2, "{\"version\": \"2.8.2\"}");
    fake_http(run, "POST", "/connectors/a/tasks/3/restart", 204, "");
    fake_http(run, "GET", all, 200, RUNNING_A);
    assert_int_equal(go(), CHARM_DONE);
    assert_int_equal(fake_requests(run, "POST"), 1);
    assert_string_equal(restarts_then(), "{\"a\":1}");
}

static void a_restart_that_the_workers_do_not_take_is_no_try(void **state)
{
    fail_in("update-status", 2, "{\"version\": \"4.1.0\"}");
    for (int i = 0; i < 5; i++) {
        fake_http(run, "POST", "/connectors/a/restart?includeTasks=true&onlyFailed=true", 409,
                  "{\"message\": \"rebalance\"}");
    }
    assert_int_equal(go(), CHARM_DONE);
    assert_null(charm_value_get(run->app_set, KCBI_APP_RESTARTS));
    assert_true(fake_said(run, "waiting: connector a task 3 failed; restarted at update-status"));
}

static void nothing_is_restarted_in_another_hook_or_beyond_the_last_try(void **state)
{
    fail_in("config-changed", 2, "");
    charm_value_set(run->app, KCBI_APP_RESTARTS, fake_json(run, "{\"a\": 1, \"gone\": 7}"));
    assert_int_equal(go(), CHARM_DONE);
    assert_string_equal(restarts_then(), "{\"a\":1}");
    fail_in("update-status", 1, "");
    assert_int_equal(go(), CHARM_DONE);
    assert_true(fake_said(run, "blocked: connector a task 3 failed; restarted 1 time in vain"));
    assert_int_equal(fake_requests(run, "POST"), 0);
}

static void a_count_begins_anew_when_the_connector_runs_in_update_status(void **state)
{
    fail_in("leader-elected", 2, "");
    charm_value_set(run->app, KCBI_APP_RESTARTS, fake_json(run, "{\"a\": 2}"));
    run->answer_count = 0;
    fake_http(run, "GET", all, 200, RUNNING_A);
    assert_int_equal(go(), CHARM_DONE);
    assert_string_equal(restarts_then(), "{\"a\":2}");
    run->context.hook = "update-status";
    fake_http(run, "GET", all, 200, RUNNING_A);
    assert_int_equal(go(), CHARM_DONE);
    assert_string_equal(restarts_then(), "null");
}

static void an_old_worker_is_asked_whether_it_knows_the_class_before_it_is_given_one(void **state)
{
    want("a", "{\"connector.class\": \"no.Such\"}");
    want("b", "{\"connector.class\": \"x.Y\", \"k\": \"hunter22\"}");
    want("c", "{\"connector.class\": \"x.Z\"}");
    own("{\"a\": {\"row\": \"upper.sink\"}, \"b\": {\"row\": \"upper.sink\"},"
        " \"c\": {\"row\": \"upper.sink\"}}");
    fake_http(run, "GET", all, 200, "[]");
    fake_http(run, "PUT", "/connector-plugins/no.Such/config/validate", 404, "<html>");
    fake_http(run, "PUT", "/connector-plugins/x.Y/config/validate", 200,
              "{\"error_count\": 1, \"configs\": [{\"value\": {\"name\": \"k\", \"value\":"
              " \"hunter22\", \"errors\": [\"hunter22\"]}}, 5, {\"value\": {\"errors\": []}}]}");
    fake_http(run, "PUT", "/connector-plugins/x.Z/config/validate", 200, "{\"error_count\": 0}");
    fake_http(run, "PUT", "/connectors/c/config", 201, "{}");
    run->wait_left_ms = 0;
    assert_int_equal(go(), CHARM_DONE);
    assert_true(fake_said(run, "blocked: connector a: the workers do not know the class no.Such"));
    assert_false(fake_said(run, "hunter22"));
    assert_false(fake_asked(run, "/connectors/a/config"));
    assert_false(fake_asked(run, "/connectors/b/config"));
    assert_true(fake_asked(run, "/connectors/c/config"));
    assert_true(fake_asked(run, "\"name\":\"b\""));
}

static void a_worker_that_stops_answering_keeps_the_rest_for_later(void **state)
{
    want("a", "{\"connector.class\": \"x\"}");
    want("b", "{\"connector.class\": \"x\"}");
    own("{\"a\": {\"row\": \"upper.sink\"}, \"b\": {\"row\": \"upper.sink\"}}");
    fake_http(run, "GET", all, 200, "{}");
    fake_http(run, "PUT", "/connectors/a/config", 0, "");
    assert_int_equal(go(), CHARM_DONE);
    assert_int_equal(fake_requests(run, "PUT"), 1);
    assert_true(fake_said(run, "waiting: connector a: PUT /connectors/a/config at "
                               "10.0.0.1:30083: connection refused"));
}

#define ROW(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(numbers_and_booleans_of_the_option_become_texts),
        ROW(an_empty_option_wants_nothing),
        ROW(sinks_without_topics_take_those_of_the_option),
        ROW(a_bad_option_names_connector_and_key_and_never_a_value),
        ROW(an_option_that_is_no_document_or_endless_is_refused),
        ROW(the_row_wants_what_the_option_names_and_hides_its_secrets),
        ROW(the_row_keeps_what_is_there_when_the_option_is_bad),
        ROW(a_row_that_wants_nonsense_fails_the_run_and_loses_nothing),
        ROW(a_connector_goes_only_when_its_row_really_does_not_want_it),
        ROW(each_situation_has_its_step),
        ROW(damaged_facts_make_no_plan_that_deletes),
        ROW(configurations_are_compared_without_the_name_that_connect_adds),
        ROW(health_names_what_failed_and_counts_the_rest),
        ROW(a_new_name_is_written_down_before_anything_is_created),
        ROW(a_name_that_was_read_back_is_created_and_watched_until_it_runs),
        ROW(a_connector_as_wanted_costs_one_get),
        ROW(without_connectors_nobody_is_asked),
        ROW(nothing_is_done_by_a_follower_or_while_the_workers_or_the_state_are_away),
        ROW(a_foreign_connector_stays_untouched_and_blocks),
        ROW(an_adopted_connector_is_changed_only_in_a_later_run),
        ROW(an_unwanted_connector_is_deleted_and_forgotten),
        ROW(a_worker_that_is_still_starting_is_no_empty_world),
        ROW(a_connector_whose_row_waits_for_the_workers_or_an_unreadable_endpoint_stays),
        ROW(not_now_keeps_the_name_and_waits),
        ROW(one_refused_connector_does_not_stop_the_others),
        ROW(lost_leadership_stops_the_plan_and_writes_no_state),
        ROW(a_list_that_cannot_be_read_is_no_reason_to_do_anything),
        ROW(a_failed_task_is_named_and_blocks),
        ROW(what_failed_is_restarted_in_update_status_and_counted),
        ROW(an_old_worker_restarts_the_failed_task_alone),
        ROW(a_restart_that_the_workers_do_not_take_is_no_try),
        ROW(nothing_is_restarted_in_another_hook_or_beyond_the_last_try),
        ROW(a_count_begins_anew_when_the_connector_runs_in_update_status),
        ROW(an_old_worker_is_asked_whether_it_knows_the_class_before_it_is_given_one),
        ROW(a_worker_that_stops_answering_keeps_the_rest_for_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
