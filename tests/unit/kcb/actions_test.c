#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "fake_run.h"
#include "kcb/actions.h"
#include "kcb/connectors.h"

static const char all[] = "/connectors?expand=status&expand=info";

static const char two[] =
    "{\"b\": {\"info\": {\"type\": \"sink\", \"config\": {\"connector.class\": \"x.y.BSink\","
    " \"db.password\": \"hunter22\", \"topics\": \"t\"}},"
    " \"status\": {\"connector\": {\"state\": \"RUNNING\", \"worker_id\": \"10.1.0.1:8083\"},"
    " \"tasks\": [{\"id\": 0, \"state\": \"RUNNING\", \"worker_id\": \"10.1.0.1:8083\"},"
    " {\"id\": 1, \"state\": \"FAILED\", \"worker_id\": \"10.1.0.2:8083\","
    " \"trace\": \"Boom: password=hunter22\\n\\tat x.Y(Z)\"}]}},"
    " \"a\": {\"status\": 5}}";

static struct charm_run *run;

static int start(void **state)
{
    run = fake_run_new();
    charm_value_set(run->app, KCBI_APP_CONNECTORS, fake_json(run, "{\"b\": {\"row\": \"x.y\"}}"));
    return 0;
}

static int stop(void **state)
{
    fake_run_free(run);
    return 0;
}

static const char *result(const char *key)
{
    return charm_text(charm_value_get(run->results, key));
}

static void asked_for(const char *name)
{
    charm_value_set_text(run->params, "name", name);
}

static void nothing_shows_a_secret(void)
{
    assert_null(
        strstr(charm_value_render(run->arena, run->results, CHARM_JSON_SORTED), "hunter22"));
}

static void the_list_has_names_as_values_and_a_table_for_people(void **state)
{
    fake_http(run, "GET", all, 200, two);
    assert_int_equal(kcbi_action_list_connectors(run, NULL), CHARM_DONE);
    assert_null(run->action_failure);
    assert_string_equal(
        charm_value_render(run->arena, charm_value_get(run->results, "connectors"),
                           CHARM_JSON_SORTED),
        "[{\"class\":\"unknown\",\"managed\":false,\"name\":\"a\",\"state\":\"UNKNOWN\",\"tasks\":"
        "{\"failed\":0,\"running\":0,\"total\":0},\"type\":\"\"},"
        "{\"class\":\"x.y.BSink\",\"managed\":true,\"name\":\"b\",\"state\":\"RUNNING\",\"tasks\":"
        "{\"failed\":1,\"running\":1,\"total\":2},\"type\":\"sink\"}]");
    assert_int_equal(charm_value_int(charm_value_get(run->results, "count"), -1), 2);
    assert_string_equal(result("summary"), "NAME  STATE       TASKS    CLASS\n"
                                           "a     UNKNOWN     0/0      unknown  (not the charm's)\n"
                                           "b     RUNNING     1/2      BSink  1 failed");
    assert_int_equal(charm_value_size(run->results), 3);
}

static void an_empty_list_says_so(void **state)
{
    fake_http(run, "GET", all, 200, "{}");
    assert_int_equal(kcbi_action_list_connectors(run, NULL), CHARM_DONE);
    assert_string_equal(result("summary"), "there are no connectors");
}

static void an_action_without_an_answer_fails_with_the_cause(void **state)
{
    fake_http(run, "GET", all, 0, "");
    assert_int_equal(kcbi_action_list_connectors(run, NULL), CHARM_DONE);
    assert_non_null(strstr(run->action_failure, "connection refused (try again in a moment)"));
    run->addresses[0] = NULL;
    assert_int_equal(kcbi_action_list_connectors(run, NULL), CHARM_DONE);
    assert_non_null(strstr(run->action_failure, "there is no address of a worker yet"));
    assert_int_equal(charm_value_size(run->results), 0);
}

static void a_description_shows_errors_and_settings_without_secrets(void **state)
{
    asked_for("b");
    fake_http(run, "GET", all, 200, two);
    assert_int_equal(kcbi_action_describe_connector(run, NULL), CHARM_DONE);
    assert_null(run->action_failure);
    assert_string_equal(result("summary"), "sink x.y.BSink, kept by the charm\n"
                                           "connector b: RUNNING at 10.1.0.1:8083\n"
                                           "task 0: RUNNING at 10.1.0.1:8083\n"
                                           "task 1: FAILED at 10.1.0.2:8083\n"
                                           "  Boom: password=***");
    const struct charm_value *view = charm_value_get(run->results, "connector");
    assert_string_equal(charm_text(charm_value_path(view, "config", "db.password", NULL)), "***");
    assert_string_equal(charm_text(charm_value_path(view, "config", "topics", NULL)), "t");
    const struct charm_value *task = charm_value_at(charm_value_get(view, "tasks"), 1);
    assert_string_equal(charm_text(charm_value_get(task, "trace")),
                        "Boom: password=***\n\tat x.Y(Z)");
    nothing_shows_a_secret();
}

static void a_connector_of_which_little_is_known_is_described_all_the_same(void **state)
{
    asked_for("a");
    fake_http(run, "GET", all, 200, two);
    assert_int_equal(kcbi_action_describe_connector(run, NULL), CHARM_DONE);
    assert_string_equal(result("summary"), "unknown, not the charm's\nconnector a: UNKNOWN");
}

static void an_unknown_name_fails_and_names_the_known_ones(void **state)
{
    asked_for("c");
    fake_http(run, "GET", all, 200, two);
    assert_int_equal(kcbi_action_describe_connector(run, NULL), CHARM_DONE);
    assert_string_equal(run->action_failure, "there is no connector 'c'; there are: a, b");
    fake_http(run, "GET", all, 200, "{}");
    assert_int_equal(kcbi_action_restart_connector(run, NULL), CHARM_DONE);
    assert_string_equal(run->action_failure, "there is no connector 'c': there are none");
    assert_int_equal(fake_requests(run, "POST"), 0);
    asked_for(" ");
    assert_int_equal(kcbi_action_restart_connector(run, NULL), CHARM_DONE);
    assert_string_equal(run->action_failure, "say which connector: name=NAME");
}

static void many_known_names_are_cut(void **state)
{
    struct charm_value *live = charm_value_new_map(run->arena);
    for (int i = 10; i < 50; i++) {
        charm_value_add_map(live, charm_arena_printf(run->arena, "c%d", i));
    }
    const char *words = kcbi_unknown_name_words(run->arena, "x", live);
    assert_non_null(strstr(words, "c39 and 10 more"));
}

static const char healthy[] =
    "{\"b\": {\"info\": {\"config\": {\"connector.class\": \"BSink\"}}, \"status\":"
    " {\"connector\": {\"state\": \"RUNNING\"}, \"tasks\": [{\"id\": 0, \"state\": "
    "\"RUNNING\"}]}}}";

static void a_restart_asks_once_and_shows_how_it_went(void **state)
{
    asked_for("b");
    fake_http(run, "GET", all, 200, two);
    fake_http(run, "GET", "/", 200, "{\"version\": \"4.3.1\"}");
    fake_http(run, "POST", "/connectors/b/restart?includeTasks=true&onlyFailed=false", 202, "{}");
    fake_http(run, "GET", all, 200,
              "{\"b\": {\"status\": {\"connector\": {\"state\": \"RESTARTING\"}}}}");
    fake_http(run, "GET", all, 200, healthy);
    assert_int_equal(kcbi_action_restart_connector(run, NULL), CHARM_DONE);
    assert_null(run->action_failure);
    assert_string_equal(result("summary"), "restarted: BSink, kept by the charm\n"
                                           "connector b: RUNNING\n"
                                           "task 0: RUNNING");
}

static void the_parameters_of_a_restart_reach_the_worker(void **state)
{
    asked_for("b");
    charm_value_set_bool(run->params, "include-tasks", false);
    charm_value_set_bool(run->params, "only-failed", true);
    fake_http(run, "GET", all, 200, two);
    fake_http(run, "GET", "/", 200, "{}");
    fake_http(run, "POST", "/connectors/b/restart?includeTasks=false&onlyFailed=true", 204, "");
    fake_http(run, "GET", all, 200, healthy);
    assert_int_equal(kcbi_action_restart_connector(run, NULL), CHARM_DONE);
    assert_null(run->action_failure);
}

/* A worker before 2.3 is asked one by one. */
static void old_worker_answers(void)
{
    fake_http(run, "GET", all, 200, "[\"b\"]");
    fake_http(run, "GET", "/connectors/b", 200, "{\"config\": {\"connector.class\": \"BSink\"}}");
    fake_http(run, "GET", "/connectors/b/status", 200,
              "{\"connector\": {\"state\": \"RUNNING\"}, \"tasks\": [{\"id\": 0, \"state\":"
              " \"RUNNING\"}, {\"id\": 1, \"state\": \"FAILED\"}]}");
}

static void an_old_worker_restarts_part_by_part(void **state)
{
    asked_for("b");
    old_worker_answers();
    fake_http(run, "GET", "/", 200, "{\"version\": \"0.10.1.1\"}");
    fake_http(run, "POST", "/connectors/b/restart", 204, "");
    fake_http(run, "POST", "/connectors/b/tasks/0/restart", 204, "");
    fake_http(run, "POST", "/connectors/b/tasks/1/restart", 204, "");
    old_worker_answers();
    assert_int_equal(kcbi_action_restart_connector(run, NULL), CHARM_DONE);
    assert_null(run->action_failure);
    assert_int_equal(fake_requests(run, "POST"), 3);
}

static void an_old_worker_restarts_only_what_failed_when_told_so(void **state)
{
    asked_for("b");
    charm_value_set_bool(run->params, "only-failed", true);
    old_worker_answers();
    fake_http(run, "GET", "/", 200, "{\"version\": \"2.8.2\"}");
    fake_http(run, "POST", "/connectors/b/tasks/1/restart", 204, "");
    old_worker_answers();
    assert_int_equal(kcbi_action_restart_connector(run, NULL), CHARM_DONE);
    assert_null(run->action_failure);
    assert_int_equal(fake_requests(run, "POST"), 1);
}

static void a_refused_restart_fails_with_the_workers_words(void **state)
{
    asked_for("b");
    fake_http(run, "GET", all, 200, two);
    fake_http(run, "GET", "/", 200, "{\"version\": \"4.3.1\"}");
    for (size_t i = 0; i < 5; i++) {
        fake_http(run, "POST", "/connectors/b/restart?includeTasks=true&onlyFailed=false", 409,
                  "{\"message\": \"stale configuration\"}");
    }
    assert_int_equal(kcbi_action_restart_connector(run, NULL), CHARM_DONE);
    assert_string_equal(run->action_failure, "restart: the worker says 409 stale configuration "
                                             "(try again in a moment)");
}

#define ROW(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(the_list_has_names_as_values_and_a_table_for_people),
        ROW(an_empty_list_says_so),
        ROW(an_action_without_an_answer_fails_with_the_cause),
        ROW(a_description_shows_errors_and_settings_without_secrets),
        ROW(a_connector_of_which_little_is_known_is_described_all_the_same),
        ROW(an_unknown_name_fails_and_names_the_known_ones),
        ROW(many_known_names_are_cut),
        ROW(a_restart_asks_once_and_shows_how_it_went),
        ROW(the_parameters_of_a_restart_reach_the_worker),
        ROW(an_old_worker_restarts_part_by_part),
        ROW(an_old_worker_restarts_only_what_failed_when_told_so),
        ROW(a_refused_restart_fails_with_the_workers_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
