/* The REST port of a Connect cluster that is data (connect.h): a socket, or a function where there is none. */
#define _GNU_SOURCE
#include "lab/scenario.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

enum { LARGEST_REQUEST = 4 * 1024 * 1024, PATIENCE_S = 5 };

struct lab_rest {
    struct charm_arena *arena;
    const char *host;
    int fd; /* -1: only data */
    uint32_t
        address; /* on the loopback, of this process alone: while it is down nobody else takes its port */
    int port;
    bool down;
    struct lab_connect *connect;
};

/* ---- the port ---- */

/* Bound and not listening, a port refuses: that is how it is down. */
static int bind_port(uint32_t loopback, int *port, struct charm_error *reterr)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)*port) };
    address.sin_addr.s_addr = htonl(loopback);
    socklen_t size = sizeof(address);
    const int one = 1;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        const int reason = errno;
        if (fd >= 0) {
            close(fd);
        }
        return charm_error_os(reterr, reason, "take a port for REST");
    }
    *port = ntohs(address.sin_port);
    return fd;
}

static void close_port(void *object)
{
    struct lab_rest *rest = object;
    close(rest->fd);
}

/* 127.44.x.y, from the number of the process. */
static uint32_t own_address(void)
{
    const uint32_t number = (uint32_t)getpid();
    return (127U << 24) | (44U << 16) | ((number / 250 % 256) << 8) | (1 + number % 250);
}

struct lab_rest *lab_rest_new(struct charm_arena *arena, struct charm_error *reterr)
{
    struct lab_rest *rest = charm_arena_alloc(arena, sizeof(*rest));
    *rest = (struct lab_rest){ .arena = arena, .address = own_address() };
    rest->host =
        charm_arena_printf(arena, "127.44.%u.%u", rest->address >> 8 & 255, rest->address & 255);
    rest->connect = lab_connect_new(arena);
    rest->fd = bind_port(rest->address, &rest->port, reterr);
    if (rest->fd < 0 || listen(rest->fd, 16) != 0) {
        return NULL;
    }
    charm_arena_defer(arena, close_port, rest);
    return rest;
}

struct lab_rest *lab_rest_without_port(struct charm_arena *arena, const char *host, int port)
{
    struct lab_rest *rest = charm_arena_alloc(arena, sizeof(*rest));
    *rest = (struct lab_rest){ .arena = arena, .host = host, .fd = -1, .port = port };
    rest->connect = lab_connect_new(arena);
    return rest;
}

const char *lab_rest_host(const struct lab_rest *rest)
{
    return rest->host;
}

int lab_rest_port(const struct lab_rest *rest)
{
    return rest->port;
}

int lab_rest_fd(const struct lab_rest *rest)
{
    return rest->down ? -1 : rest->fd;
}

struct lab_connect *lab_rest_connect(const struct lab_rest *rest)
{
    return rest->connect;
}

static int set_down(struct lab_rest *rest, bool down, struct charm_error *reterr)
{
    if (rest->down == down) {
        return 0;
    }
    rest->down = down;
    if (rest->fd < 0) {
        return 0;
    }
    close(rest->fd);
    rest->fd = bind_port(rest->address, &rest->port, reterr);
    if (rest->fd < 0) {
        return rest->fd;
    }
    return down || listen(rest->fd, 16) == 0
               ? 0
               : charm_error_os(reterr, errno, "listen at port %d", rest->port);
}

int lab_rest_set(struct lab_rest *rest, const struct charm_value *what, struct charm_error *reterr)
{
    const char *word = charm_text(what);
    if (charm_value_kind(what) != CHARM_MAP) {
        if (!charmi_same(word, "up") && !charmi_same(word, "down")) {
            return charm_error_set(reterr, CHARM_EINVAL, "rest: want up, down or a map");
        }
        return set_down(rest, charmi_same(word, "down"), reterr);
    }
    lab_connect_set(rest->connect, what);
    return set_down(rest, false, reterr);
}

/* ---- HTTP ---- */

static void pause_ms(int64_t ms)
{
    const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
    nanosleep(&pause, NULL);
}

static const char *end_of_head(const struct charmi_buf *bytes)
{
    const char *end = bytes->size == 0 ? NULL : strstr(charmi_buf_text(bytes), "\r\n\r\n");
    return end == NULL ? NULL : end + 4;
}

static bool is_whole(const struct charmi_buf *bytes)
{
    const char *body = end_of_head(bytes);
    if (body == NULL) {
        return false;
    }
    const char *length = strcasestr(charmi_buf_text(bytes), "\r\nContent-Length:");
    const size_t wanted =
        length == NULL || length > body ? 0 : (size_t)strtoul(length + 17, NULL, 10);
    return bytes->size >= (size_t)(body - charmi_buf_text(bytes)) + wanted;
}

static bool receive(struct lab_rest *rest, int fd, struct lab_request *ret_request)
{
    charmi_auto_buf struct charmi_buf bytes = charmi_buf_init(LARGEST_REQUEST);
    char piece[16384];
    while (!is_whole(&bytes)) {
        const ssize_t got = recv(fd, piece, sizeof(piece), 0);
        if (got <= 0) {
            return false;
        }
        charmi_buf_add_n(&bytes, piece, (size_t)got);
    }
    const char *text = charm_arena_copy(rest->arena, charmi_buf_text(&bytes));
    const struct charmi_words words =
        charmi_split(rest->arena, charm_arena_copy_n(rest->arena, text, strcspn(text, "\r")), " ");
    if (words.size != 3) {
        return false;
    }
    *ret_request = (struct lab_request){ words.at[0], words.at[1], strstr(text, "\r\n\r\n") + 4 };
    return true;
}

static void send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        bytes += sent;
        size -= (size_t)sent;
    }
}

static void serve(struct lab_rest *rest, int fd)
{
    struct lab_request request;
    if (!receive(rest, fd, &request)) {
        return;
    }
    const struct lab_reply reply = lab_connect_answer(rest->connect, &request);
    pause_ms(reply.delay_ms);
    if (!reply.drop) {
        const char *text =
            charm_arena_printf(rest->arena,
                               "HTTP/1.1 %d Scenario\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                               "Connection: close\r\n\r\n%s",
                               reply.status, reply.type, strlen(reply.body), reply.body);
        send_all(fd, text, strlen(text));
    }
}

void lab_rest_serve(struct lab_rest *rest)
{
    const int fd = accept4(rest->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    const struct timeval patience = { .tv_sec = PATIENCE_S };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    serve(rest, fd);
    close(fd);
}

/* ---- without a port: what curl would say is said in its words ---- */

static bool is_here(const struct lab_rest *rest, struct charm_arena *arena, const char *url)
{
    return !rest->down && charmi_starts_with(url, charm_arena_printf(arena, "http://%s:%d/",
                                                                     rest->host, rest->port));
}

static int answer_to(const struct lab_reply *reply, struct charm_arena *arena,
                     const struct kcb_http_request *request, struct kcb_http_answer *ret_answer,
                     struct charm_error *reterr)
{
    const int shown = (int)strcspn(request->url, "?#");
    if (reply->drop) {
        return charm_error_set(reterr, CHARM_ENET, "%s %.*s: Empty reply from server",
                               request->method, shown, request->url);
    }
    if (strlen(reply->body) > request->max_body_bytes) {
        return charm_error_set(reterr, CHARM_ETOOBIG,
                               "%s %.*s: the answer is longer than %zu bytes", request->method,
                               shown, request->url, request->max_body_bytes);
    }
    *ret_answer = (struct kcb_http_answer){
        .status = reply->status,
        .body = charm_arena_copy(arena, reply->body),
        .body_size = strlen(reply->body),
        .content_type = charm_arena_copy(arena, reply->type),
    };
    return 0;
}

int lab_rest_ask(struct lab_rest *rest, struct lab_skin *skin, struct charm_arena *arena,
                 const struct kcb_http_request *request, struct kcb_http_answer *ret_answer,
                 struct charm_error *reterr)
{
    const int shown = (int)strcspn(request->url, "?#");
    if (!is_here(rest, arena, request->url)) {
        return charm_error_set(reterr, CHARM_ENET, "%s %.*s: Connection refused", request->method,
                               shown, request->url);
    }
    const struct lab_request asked = {
        .method = request->method,
        .path = strchr(request->url + strlen("http://"), '/'),
        .body = request->body == NULL ? "" : request->body,
    };
    const struct lab_reply reply = lab_connect_answer(rest->connect, &asked);
    if (reply.delay_ms >= request->timeout_ms) {
        lab_skin_pass_time(skin, request->timeout_ms);
        return charm_error_set(reterr, CHARM_ETIMEOUT,
                               "%s %.*s: Operation timed out after %lld milliseconds with 0 bytes "
                               "received",
                               request->method, shown, request->url,
                               (long long)request->timeout_ms);
    }
    lab_skin_pass_time(skin, reply.delay_ms);
    return answer_to(&reply, arena, request, ret_answer, reterr);
}
