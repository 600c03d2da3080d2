#include "edge/kcb/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tiny_server.h"

struct fixture {
    struct charm_arena *arena;
    struct tiny_server *server;
    struct kcbi_session session;
    struct kcb_http_request request;
    struct kcb_http_answer answer;
    struct charm_error error;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->arena = charm_arena_new();
    f->server = tiny_server_start();
    f->request =
        (struct kcb_http_request){ .method = "GET", .timeout_ms = 10000, .max_body_bytes = 1000 };
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    kcbi_session_end(&f->session);
    tiny_server_stop(f->server);
    charm_arena_free(f->arena);
    free(f);
    return 0;
}

static int ask_url(struct fixture *f, const char *url)
{
    f->request.url = url;
    return kcbi_http(&f->session, f->arena, &f->request, &f->answer, &f->error);
}

static const char *url_of(struct fixture *f, const char *path)
{
    return charm_arena_printf(f->arena, "http://127.0.0.1:%d%s", tiny_server_port(f->server), path);
}

static int ask(struct fixture *f, const char *path)
{
    return ask_url(f, url_of(f, path));
}

/* The error's text is "GET URL: `why`". */
static void expect_words(struct fixture *f, const char *path, const char *why)
{
    assert_string_equal(charm_arena_printf(f->arena, "GET %s: %s", url_of(f, path), why),
                        f->error.text);
}

static void an_answer_has_status_body_and_type(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, ask(f, "/status/200"));
    assert_int_equal(200, f->answer.status);
    assert_string_equal("{\"n\":1}", f->answer.body);
    assert_int_equal(7, f->answer.body_size);
    assert_string_equal("application/json", f->answer.content_type);
}

static void whatever_the_other_side_says_is_an_answer(void **state)
{
    struct fixture *f = *state;
    static const int statuses[] = { 404, 409, 500, 503 };
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(0, ask(f, charm_arena_printf(f->arena, "/status/%d", statuses[i])));
        assert_int_equal(statuses[i], f->answer.status);
    }
}

static void an_empty_answer_has_empty_texts(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, ask(f, "/empty"));
    assert_int_equal(204, f->answer.status);
    assert_string_equal("", f->answer.body);
    assert_string_equal("", f->answer.content_type);
}

static void a_get_asks_for_json_and_sends_nothing(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, ask(f, "/echo"));
    assert_string_equal("GET Accept: application/json; ", f->answer.body);
}

static void a_body_is_sent_as_json(void **state)
{
    struct fixture *f = *state;
    f->request.method = "PUT";
    f->request.body = "{\"a\":1}";
    assert_int_equal(0, ask(f, "/echo"));
    assert_string_equal("PUT Accept: application/json;Content-Type: application/json;"
                        "Content-Length: 7; {\"a\":1}",
                        f->answer.body);
}

static void a_put_without_a_body_says_that_it_is_empty(void **state)
{
    struct fixture *f = *state;
    f->request.method = "PUT";
    assert_int_equal(0, ask(f, "/echo"));
    assert_string_equal("PUT Accept: application/json;Content-Length: 0; ", f->answer.body);
}

static void a_delete_sends_no_body(void **state)
{
    struct fixture *f = *state;
    f->request.method = "DELETE";
    assert_int_equal(0, ask(f, "/echo"));
    assert_string_equal("DELETE Accept: application/json; ", f->answer.body);
}

static void nothing_of_one_request_is_in_the_next(void **state)
{
    struct fixture *f = *state;
    f->request.method = "POST";
    f->request.body = "{}";
    assert_int_equal(0, ask(f, "/echo"));
    f->request.method = "GET";
    f->request.body = NULL;
    assert_int_equal(0, ask(f, "/echo"));
    assert_string_equal("GET Accept: application/json; ", f->answer.body);
}

static void connections_are_used_again(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, ask(f, "/count"));
    assert_string_equal("1", f->answer.body);
    assert_int_equal(0, ask(f, "/count"));
    assert_string_equal("1", f->answer.body);
}

static void a_large_body_is_sent_whole_without_waiting(void **state)
{
    struct fixture *f = *state;
    char *body = charm_arena_alloc(f->arena, 50001);
    memset(body, 'b', 50000);
    f->request.method = "POST";
    f->request.body = body;
    f->request.max_body_bytes = 60000;
    assert_int_equal(0, ask(f, "/echo"));
    assert_true(charmi_ends_with(f->answer.body, body));
    assert_null(strstr(f->answer.body, "Expect"));
}

static void nuls_in_a_body_are_kept(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, ask(f, "/nul"));
    assert_int_equal(3, f->answer.body_size);
    assert_memory_equal("a\0b", f->answer.body, 4);
}

static void a_body_up_to_the_ceiling_is_taken(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, ask(f, "/bytes/1000"));
    assert_int_equal(1000, f->answer.body_size);
    assert_int_equal(0, ask(f, "/stream/1000"));
    assert_int_equal(1000, f->answer.body_size);
}

static void a_body_beyond_the_ceiling_is_too_big(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(CHARM_ETOOBIG, ask(f, "/bytes/1001"));
    expect_words(f, "/bytes/1001", "the answer is longer than 1000 bytes");
    assert_int_equal(CHARM_ETOOBIG, ask(f, "/stream/5000000"));
}

static void endless_headers_end(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(CHARM_ENET, ask(f, "/headers"));
}

static void silence_ends_at_the_deadline(void **state)
{
    struct fixture *f = *state;
    f->request.timeout_ms = 150;
    assert_int_equal(CHARM_ETIMEOUT, ask(f, "/silence"));
    assert_true(f->error.retriable);
    assert_int_equal(CHARM_ETIMEOUT, ask(f, "/trickle"));
}

static void without_time_nothing_is_asked(void **state)
{
    struct fixture *f = *state;
    f->request.timeout_ms = 0;
    assert_int_equal(CHARM_ETIMEOUT, ask(f, "/count"));
    expect_words(f, "/count", "no time left");
}

static void a_refused_connection_says_so(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(CHARM_ENET, ask_url(f, "http://127.0.0.1:1/connectors?expand=status"));
    assert_string_equal("GET http://127.0.0.1:1/connectors: Connection refused", f->error.text);
}

static void a_name_that_does_not_exist_says_so(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(CHARM_ENET, ask_url(f, "http://worker.invalid/"));
    assert_non_null(strstr(f->error.text, "resolve host"));
}

static void an_answer_that_breaks_off_is_no_answer(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(CHARM_ENET, ask(f, "/close"));
    assert_int_equal(CHARM_ENET, ask(f, "/garbage"));
}

static void redirects_are_not_followed(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, ask(f, "/redirect"));
    assert_int_equal(302, f->answer.status);
}

static void only_http_is_spoken(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(CHARM_EINVAL, ask_url(f, "file:///etc/passwd"));
    assert_int_equal(CHARM_EINVAL, ask_url(f, "ftp://127.0.0.1/"));
    assert_int_equal(CHARM_EINVAL, ask_url(f, ""));
    assert_int_equal(CHARM_EINVAL, ask_url(f, "http://user:secret@127.0.0.1:1/"));
}

static void the_environments_proxy_is_not_asked(void **state)
{
    struct fixture *f = *state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    assert_int_equal(0, ask(f, "/status/200"));
    unsetenv("http_proxy");
    unsetenv("all_proxy");
}

static void plain_http_behind_an_https_address_is_an_error(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(CHARM_ENET,
                     ask_url(f, charm_arena_printf(f->arena, "https://127.0.0.1:%d/garbage",
                                                   tiny_server_port(f->server))));
}

static void the_port_does_the_same(void **state)
{
    struct fixture *f = *state;
    f->request.url = url_of(f, "/status/201");
    assert_int_equal(0, kcb_runtime_ports.http(kcb_runtime_ports.userdata, f->arena, &f->request,
                                               &f->answer, &f->error));
    assert_int_equal(201, f->answer.status);
    kcbi_session_end(kcbi_session_of_process());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(an_answer_has_status_body_and_type),
        TEST(whatever_the_other_side_says_is_an_answer),
        TEST(an_empty_answer_has_empty_texts),
        TEST(a_get_asks_for_json_and_sends_nothing),
        TEST(a_body_is_sent_as_json),
        TEST(a_put_without_a_body_says_that_it_is_empty),
        TEST(a_delete_sends_no_body),
        TEST(nothing_of_one_request_is_in_the_next),
        TEST(connections_are_used_again),
        TEST(a_large_body_is_sent_whole_without_waiting),
        TEST(nuls_in_a_body_are_kept),
        TEST(a_body_up_to_the_ceiling_is_taken),
        TEST(a_body_beyond_the_ceiling_is_too_big),
        TEST(endless_headers_end),
        TEST(silence_ends_at_the_deadline),
        TEST(without_time_nothing_is_asked),
        TEST(a_refused_connection_says_so),
        TEST(a_name_that_does_not_exist_says_so),
        TEST(an_answer_that_breaks_off_is_no_answer),
        TEST(redirects_are_not_followed),
        TEST(only_http_is_spoken),
        TEST(the_environments_proxy_is_not_asked),
        TEST(plain_http_behind_an_https_address_is_an_error),
        TEST(the_port_does_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
