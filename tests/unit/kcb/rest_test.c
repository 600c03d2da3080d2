#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "fake_run.h"
#include "kcb/kcb.h"
#include "kcb/rest.h"
#include "kcb/versions.h"

static struct charm_run *run;

static int start(void **state)
{
    run = fake_run_new();
    return 0;
}

static int stop(void **state)
{
    fake_run_free(run);
    return 0;
}

static void answers_are_judged_by_status_and_words(void **state)
{
    static const struct {
        const char *message;
        int status;
        enum kcbi_verdict verdict;
    } cases[] = {
        { "", 200, KCBI_OK },
        { "", 201, KCBI_OK },
        { "", 204, KCBI_OK },
        { "", 302, KCBI_FAILED },
        { "Connector configuration is invalid", 400, KCBI_REFUSED },
        { "User cannot access the resource.", 401, KCBI_REFUSED },
        { "", 403, KCBI_REFUSED },
        { "Connector x not found", 404, KCBI_NOT_FOUND },
        { "Unknown connector: x", 404, KCBI_NOT_FOUND },
        { "", 404, KCBI_NOT_FOUND },
        { "Not Found", 404, KCBI_LATER },
        { "HTTP 404 Not Found", 404, KCBI_LATER },
        { "", 405, KCBI_FAILED },
        { "Connector x already exists", 409, KCBI_EXISTS },
        { "Cannot complete request momentarily due to stale configuration", 409, KCBI_LATER },
        { "Cannot complete request because of a conflicting operation (e.g. worker rebalance)", 409,
          KCBI_LATER },
        { "", 409, KCBI_LATER },
        { "Request cannot be completed because a rebalance is expected", 500, KCBI_LATER },
        { "IO Error trying to forward REST request: Connection refused", 500, KCBI_LATER },
        { "Request timed out", 500, KCBI_LATER },
        { "Unexpected character", 500, KCBI_FAILED },
        { "starting", 503, KCBI_LATER },
    };
    for (size_t i = 0; i < CHARMI_COUNT(cases); i++) {
        assert_int_equal(kcbi_judge_answer(cases[i].status, cases[i].message), cases[i].verdict);
    }
}

static void names_are_percent_encoded_in_paths(void **state)
{
    assert_string_equal(kcbi_connector_path(run->arena, "a b/c?d#e%\xC3\xA4", "/config"),
                        "/connectors/a%20b%2Fc%3Fd%23e%25%C3%A4/config");
    assert_string_equal(kcbi_percent_encode(run->arena, "AZaz09-._~"), "AZaz09-._~");
    assert_string_equal(kcbi_percent_encode(run->arena, ""), "");
}

static void versions_are_compared_as_numbers(void **state)
{
    assert_true(kcbi_version_before("2.8.2", 3, 0));
    assert_true(kcbi_version_before("0.10.1.1", 2, 3));
    assert_true(kcbi_version_before("2.2", 2, 3));
    assert_false(kcbi_version_before("2.10.0", 2, 3));
    assert_false(kcbi_version_before("3.0.0-ccs", 3, 0));
    assert_false(kcbi_version_before("10.0", 3, 0));
    assert_false(kcbi_version_before("", 3, 0));
    assert_false(kcbi_version_before("unknown", 3, 0));
    assert_false(kcbi_version_before("1", 3, 0));
    assert_false(kcbi_version_before("99999999999999999999.0", 3, 0));
}

static struct kcbi_reply get(const char *path)
{
    struct kcbi_rest rest = kcbi_rest_of(run, KCBI_AS_LEADER);
    struct kcbi_reply reply = { 0 };
    struct charm_error error = { 0 };
    if (kcbi_rest_get(&rest, path, &reply, &error) != 0) {
        fail_msg("%s", error.text);
    }
    return reply;
}

static void an_answer_without_json_is_an_answer(void **state)
{
    static const struct {
        int status;
        const char *body;
        const char *message;
    } cases[] = {
        { 204, "", "" },
        { 200, "plain", "" },
        { 401, "User cannot access the resource.\n", "User cannot access the resource." },
        { 404, "<html><title>Error 404</title></html>", "an HTML page" },
        { 404, "{\"error_code\": 404, \"message\": \"Connector x not found\"}",
          "Connector x not found" },
        { 404, "{\"message\": {\"no\": \"text\"}}", "" },
        { 404, "[1, 2", "[1, 2" },
        { 400, "{\"message\": \"Invalid value hunter22 for configuration a: hunter22\"}",
          "a has an invalid value" },
    };
    for (size_t i = 0; i < CHARMI_COUNT(cases); i++) {
        fake_http(run, "GET", "/x", cases[i].status, cases[i].body);
        const struct kcbi_reply reply = get("/x");
        assert_int_equal(reply.status, cases[i].status);
        assert_string_equal(reply.message, cases[i].message);
    }
}

static void the_next_address_is_asked_when_one_does_not_answer(void **state)
{
    run->addresses[1] = "10.0.0.2:30083";
    fake_http(run, "GET", "/", 0, "");
    fake_http(run, "GET", "/", 200, "{}");
    fake_http(run, "GET", "/", 200, "{}");
    struct kcbi_rest rest = kcbi_rest_of(run, KCBI_AS_LEADER);
    struct kcbi_reply reply;
    assert_int_equal(kcbi_rest_get(&rest, "/", &reply, NULL), 0);
    assert_int_equal(kcbi_rest_get(&rest, "/", &reply, NULL), 0);
    assert_string_equal(run->requests.at[0], "GET http://10.0.0.1:30083/ ");
    assert_string_equal(run->requests.at[1], "GET http://10.0.0.2:30083/ ");
    assert_string_equal(run->requests.at[2], "GET http://10.0.0.2:30083/ ");
}

/* Whatever a deployer says: what cannot be asked has not answered. */
static void an_address_that_makes_no_url_is_passed_over_and_never_an_answer(void **state)
{
    run->addresses[1] = "10.0.0.2:30083";
    fake_http(run, "GET", "/", FAKE_BAD_URL, "");
    fake_http(run, "GET", "/", 200, "{}");
    assert_int_equal(get("/").status, 200);
    fake_http(run, "GET", "/x", FAKE_BAD_URL, "");
    fake_http(run, "GET", "/x", FAKE_BAD_URL, "");
    struct kcbi_rest rest = kcbi_rest_of(run, KCBI_AS_LEADER);
    struct kcbi_reply reply;
    assert_int_equal(kcbi_rest_get(&rest, "/x", &reply, NULL), CHARM_ENET);
}

static void nobody_to_ask_and_nobody_who_answers_are_two_errors(void **state)
{
    struct charm_error error = { 0 };
    struct kcbi_reply reply;
    struct kcbi_rest rest = kcbi_rest_of(run, KCBI_AS_LEADER);
    fake_http(run, "GET", "/", 0, "");
    assert_int_equal(kcbi_rest_get(&rest, "/", &reply, &error), CHARM_ENET);
    assert_true(error.retriable);
    assert_string_equal(error.text, "GET / at 10.0.0.1:30083: connection refused");
    run->addresses[0] = NULL;
    assert_int_equal(kcbi_rest_get(&rest, "/", &reply, &error), CHARM_ENOTFOUND);
}

static void not_now_is_asked_again_with_growing_pauses_and_then_given_back(void **state)
{
    for (size_t i = 0; i < 5; i++) {
        fake_http(run, "GET", "/x", 409, "{\"message\": \"rebalance\"}");
    }
    const int64_t before_ms = run->now_ms;
    assert_int_equal(get("/x").verdict, KCBI_LATER);
    assert_int_equal(fake_requests(run, "GET"), 5);
    assert_int_equal(run->now_ms - before_ms, 200 + 400 + 800 + 1600);
}

static void an_unexplained_500_is_asked_twice_again(void **state)
{
    for (size_t i = 0; i < 3; i++) {
        fake_http(run, "GET", "/x", 500, "{\"message\": \"boom\"}");
    }
    assert_int_equal(get("/x").verdict, KCBI_FAILED);
    assert_int_equal(fake_requests(run, "GET"), 3);
}

static void what_a_person_must_change_is_not_asked_again(void **state)
{
    fake_http(run, "GET", "/x", 403, "");
    assert_int_equal(get("/x").verdict, KCBI_REFUSED);
    fake_http(run, "GET", "/x", 409, "{\"message\": \"Connector x already exists\"}");
    assert_int_equal(get("/x").verdict, KCBI_EXISTS);
}

static void a_used_up_waiting_budget_ends_the_tries(void **state)
{
    run->wait_left_ms = 300;
    fake_http(run, "GET", "/x", 503, "");
    fake_http(run, "GET", "/x", 503, "");
    assert_int_equal(get("/x").verdict, KCBI_LATER);
}

static void a_client_never_takes_longer_than_its_time(void **state)
{
    struct charm_error error = { 0 };
    struct kcbi_reply reply;
    struct kcbi_rest rest = kcbi_rest_of(run, KCBI_AS_LEADER);
    const int64_t before_ms = run->now_ms;
    for (size_t i = 0; i < 20; i++) {
        fake_http(run, "GET", "/", -1, "");
        assert_int_equal(kcbi_rest_get(&rest, "/", &reply, &error), CHARM_ETIMEOUT);
    }
    assert_int_equal(run->now_ms - before_ms, 30000);
    assert_int_equal(fake_requests(run, "GET"), 6);
}

static void a_write_that_ran_out_of_time_is_not_sent_to_another_worker(void **state)
{
    run->addresses[1] = "10.0.0.2:30083";
    fake_http(run, "PUT", "/x", -1, "");
    struct kcbi_rest rest = kcbi_rest_of(run, KCBI_AS_LEADER);
    struct kcbi_reply reply;
    assert_int_equal(kcbi_rest_write(&rest, "PUT", "/x", NULL, &reply, NULL), CHARM_ETIMEOUT);
    assert_int_equal(fake_requests(run, "PUT"), 1);
}

static void a_unit_that_lost_leadership_writes_nothing_and_an_operator_may(void **state)
{
    run->leader = false;
    struct kcbi_rest rest = kcbi_rest_of(run, KCBI_AS_LEADER);
    struct kcbi_reply reply;
    assert_int_equal(kcbi_rest_write(&rest, "PUT", "/x", NULL, &reply, NULL), CHARM_EREFUSED);
    assert_int_equal(run->requests.size, 0);
    rest = kcbi_rest_of(run, KCBI_AS_OPERATOR);
    fake_http(run, "PUT", "/x", 204, "");
    assert_int_equal(kcbi_rest_write(&rest, "PUT", "/x", NULL, &reply, NULL), 0);
}

static void one_get_shows_every_connector(void **state)
{
    fake_http(run, "GET", "/connectors?expand=status&expand=info", 200,
              "{\"a\": {\"info\": {\"config\": {\"k\": \"v\"}, \"type\": \"sink\"},"
              " \"status\": {\"connector\": {\"state\": \"RUNNING\"}}},"
              " \"half\": {\"info\": null}}");
    struct kcbi_rest rest = kcbi_rest_of(run, KCBI_AS_LEADER);
    struct charm_value *live = NULL;
    bool old = true;
    assert_int_equal(kcbi_live_connectors(&rest, NULL, &live, &old, NULL), 0);
    assert_false(old);
    assert_string_equal(charm_value_render(run->arena, live, CHARM_JSON_SORTED),
                        "{\"a\":{\"config\":{\"k\":\"v\"},\"status\":{\"connector\":{\"state\":"
                        "\"RUNNING\"}},\"type\":\"sink\"},\"half\":{}}");
}

static void an_old_worker_is_asked_one_by_one_for_the_names_that_matter(void **state)
{
    fake_http(run, "GET", "/connectors?expand=status&expand=info", 200, "[\"a\", \"b\"]");
    fake_http(run, "GET", "/connectors/a", 200, "{\"name\": \"a\", \"config\": {\"k\": \"v\"}}");
    fake_http(run, "GET", "/connectors/a/status", 404, "{\"message\": \"No status found\"}");
    struct kcbi_rest rest = kcbi_rest_of(run, KCBI_AS_LEADER);
    struct charm_value *live = NULL;
    bool old = false;
    assert_int_equal(
        kcbi_live_connectors(&rest, fake_json(run, "{\"a\": 1, \"c\": 1}"), &live, &old, NULL), 0);
    assert_true(old);
    assert_string_equal(charm_value_render(run->arena, live, CHARM_JSON_SORTED),
                        "{\"a\":{\"config\":{\"k\":\"v\"}},\"b\":{}}");
}

static void a_list_that_is_none_is_an_error_and_not_an_empty_world(void **state)
{
    static const struct {
        const char *body;
        int status;
        int code;
    } cases[] = {
        { "", 200, CHARM_EPARSE },      { "<html>", 200, CHARM_EPARSE },
        { "\"x\"", 200, CHARM_EPARSE }, { "no", 401, CHARM_EFAILED },
        { "", 404, CHARM_EFAILED },     { "{\"status\": \"ok\"}", 200, CHARM_EPARSE },
    };
    for (size_t i = 0; i < CHARMI_COUNT(cases); i++) {
        fake_http(run, "GET", "/connectors?expand=status&expand=info", cases[i].status,
                  cases[i].body);
        struct kcbi_rest rest = kcbi_rest_of(run, KCBI_AS_LEADER);
        struct charm_value *live = NULL;
        bool old = false;
        struct charm_error error = { 0 };
        assert_int_equal(kcbi_live_connectors(&rest, NULL, &live, &old, &error), cases[i].code);
        assert_null(live);
        assert_false(error.retriable);
    }
}

static void a_direct_call_gives_status_and_body(void **state)
{
    struct kcb_answer answer;
    fake_http(run, "PUT", "/connectors/a/config", 201, "{\"name\": \"a\"}");
    struct charm_value *config = fake_json(run, "{\"tasks.max\": 2, \"b\": true}");
    assert_int_equal(kcb_register_connector(run, "a", config, &answer, NULL), 0);
    assert_int_equal(answer.status, 201);
    assert_string_equal(charm_text(charm_value_get(answer.body, "name")), "a");
    assert_true(fake_asked(run, "{\"tasks.max\":\"2\",\"b\":\"true\"}"));
    fake_http(run, "DELETE", "/connectors/a", 204, "");
    assert_int_equal(kcb_unregister_connector(run, "a", &answer, NULL), 0);
    assert_int_equal(answer.status, 204);
    assert_null(answer.body);
    fake_http(run, "PUT", "/connectors/a/pause", 202, "");
    assert_int_equal(kcb_connector_pause(run, "a", &answer, NULL), 0);
    fake_http(run, "PUT", "/connectors/a/resume", 202, "");
    assert_int_equal(kcb_connector_resume(run, "a", &answer, NULL), 0);
    fake_http(run, "POST", "/connectors/a/restart", 204, "");
    assert_int_equal(kcb_connector_restart(run, "a", &answer, NULL), 0);
    fake_http(run, "GET", "/connectors/a/status", 404, "<html>");
    assert_int_equal(kcb_connector_status(run, "a", &answer, NULL), 0);
    assert_int_equal(answer.status, 404);
    fake_http(run, "GET", "/connectors/a/tasks", 200, "[]");
    assert_int_equal(kcb_list_tasks(run, "a", &answer, NULL), 0);
    fake_http(run, "GET", "/connectors", 200, "[\"a\"]");
    assert_int_equal(kcb_list_connectors(run, &answer, NULL), 0);
    assert_int_equal(charm_value_size(answer.body), 1);
}

static void a_direct_call_refuses_names_that_would_be_another_path(void **state)
{
    struct kcb_answer answer;
    assert_int_equal(kcb_unregister_connector(run, "..", &answer, NULL), CHARM_EINVAL);
    assert_int_equal(kcb_connector_status(run, "a/b", &answer, NULL), CHARM_EINVAL);
    assert_int_equal(run->requests.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_are_judged_by_status_and_words, start, stop),
        cmocka_unit_test_setup_teardown(names_are_percent_encoded_in_paths, start, stop),
        cmocka_unit_test_setup_teardown(versions_are_compared_as_numbers, start, stop),
        cmocka_unit_test_setup_teardown(an_answer_without_json_is_an_answer, start, stop),
        cmocka_unit_test_setup_teardown(the_next_address_is_asked_when_one_does_not_answer, start,
                                        stop),
        cmocka_unit_test_setup_teardown(
            an_address_that_makes_no_url_is_passed_over_and_never_an_answer, start, stop),
        cmocka_unit_test_setup_teardown(nobody_to_ask_and_nobody_who_answers_are_two_errors, start,
                                        stop),
        cmocka_unit_test_setup_teardown(
            not_now_is_asked_again_with_growing_pauses_and_then_given_back, start, stop),
        cmocka_unit_test_setup_teardown(an_unexplained_500_is_asked_twice_again, start, stop),
        cmocka_unit_test_setup_teardown(what_a_person_must_change_is_not_asked_again, start, stop),
        cmocka_unit_test_setup_teardown(a_used_up_waiting_budget_ends_the_tries, start, stop),
        cmocka_unit_test_setup_teardown(a_client_never_takes_longer_than_its_time, start, stop),
        cmocka_unit_test_setup_teardown(a_write_that_ran_out_of_time_is_not_sent_to_another_worker,
                                        start, stop),
        cmocka_unit_test_setup_teardown(
            a_unit_that_lost_leadership_writes_nothing_and_an_operator_may, start, stop),
        cmocka_unit_test_setup_teardown(one_get_shows_every_connector, start, stop),
        cmocka_unit_test_setup_teardown(an_old_worker_is_asked_one_by_one_for_the_names_that_matter,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_list_that_is_none_is_an_error_and_not_an_empty_world,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_direct_call_gives_status_and_body, start, stop),
        cmocka_unit_test_setup_teardown(a_direct_call_refuses_names_that_would_be_another_path,
                                        start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
