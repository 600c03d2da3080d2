/* Bytes of an HTTP answer, headers and all, as libcurl and the charm read them from a socket. */
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge/kcb/http.h"
#include "fuzz.h"
#include "kcb/rest.h"

enum { MOST_BODY = 64 * 1024, MOST_INPUT = 128 * 1024 };

static int listener = -1;
static int port;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the answer */
static uint8_t answer[MOST_INPUT];
static size_t answer_size;

static void set_answer(const uint8_t *bytes, size_t size)
{
    pthread_mutex_lock(&lock);
    answer_size = size < MOST_INPUT ? size : MOST_INPUT;
    memcpy(answer, bytes, answer_size);
    pthread_mutex_unlock(&lock);
}

/* One answer a connection, whatever was asked. */
static void *serve(void *unused)
{
    for (;;) {
        const int fd = accept(listener, NULL, NULL);
        if (fd < 0) {
            return unused;
        }
        char asked[4096];
        if (recv(fd, asked, sizeof(asked), 0) > 0) {
            pthread_mutex_lock(&lock);
            (void)!send(fd, answer, answer_size, MSG_NOSIGNAL);
            pthread_mutex_unlock(&lock);
        }
        close(fd);
    }
}

static void start(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof(address);
    pthread_t thread;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    MUST(listener >= 0 && bind(listener, (const struct sockaddr *)&address, size) == 0 &&
             listen(listener, 8) == 0 &&
             getsockname(listener, (struct sockaddr *)&address, &size) == 0 &&
             pthread_create(&thread, NULL, serve, NULL) == 0,
         "no server");
    port = ntohs(address.sin_port);
}

static void check_answer(struct charm_arena *arena, const struct kcb_http_answer *got)
{
    MUST(got->status >= 0 && got->status < 1000, "status %d", got->status);
    MUST(got->body_size <= MOST_BODY && got->body[got->body_size] == '\0', "%zu bytes",
         got->body_size);
    MUST(got->content_type != NULL, "no content type");
    struct charm_value *body = NULL;
    if (charm_value_parse(arena, got->body, got->body_size, &body, NULL) == 0) {
        kcbi_judge_answer(got->status, charm_text(charm_value_get(body, "message")));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (listener < 0) {
        start();
    }
    struct charm_arena *arena = charm_arena_new();
    struct kcbi_session *session = kcbi_session_of_process();
    set_answer(data, size);
    const struct kcb_http_request request = {
        .method = "GET",
        .url = charm_arena_printf(arena, "http://127.0.0.1:%d/connectors?expand=info", port),
        .timeout_ms = 2000,
        .max_body_bytes = MOST_BODY,
    };
    struct kcb_http_answer got = { .status = -7 };
    struct charm_error error;
    const int result = kcbi_http(session, arena, &request, &got, &error);
    if (result == 0) {
        check_answer(arena, &got);
    } else {
        fuzz_error("the request", result, &error);
        MUST(got.status == -7, "it failed, and filled its output");
        /* unless it is the other side that says so */
        MUST(strstr(error.text, "/connectors?") == NULL ||
                 strstr(charm_arena_copy_n(arena, (const char *)data, size), "/connectors?") !=
                     NULL,
             "the query is told: %s", error.text);
    }
    charm_arena_free(arena);
    return 0;
}
