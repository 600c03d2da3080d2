/* A worker's REST port: answers as Kafka Connect does, unless a script says otherwise; writes down what it was asked. */
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
    int fd;
    uint32_t
        address; /* on the loopback, of this process alone: while it is down nobody else takes its port */
    int port;
    bool down;
    const char *version;
    struct charm_value *connectors; /* name -> {config, state, tasks} */
    struct charm_value *script;     /* list of rules, with "left" counted down */
    struct charm_value *requests;
};

struct request {
    const char *method;
    const char *path; /* with its query */
    const char *body;
};

struct reply {
    int status;
    const char *body; /* "" for none */
    const char *type;
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
    *rest = (struct lab_rest){ .arena = arena, .address = own_address(), .version = "4.1.0" };
    rest->connectors = charm_value_new_map(arena);
    rest->script = charm_value_new_list(arena);
    rest->requests = charm_value_new_list(arena);
    rest->fd = bind_port(rest->address, &rest->port, reterr);
    if (rest->fd < 0 || listen(rest->fd, 16) != 0) {
        return NULL;
    }
    charm_arena_defer(arena, close_port, rest);
    return rest;
}

const char *lab_rest_host(const struct lab_rest *rest)
{
    return charm_arena_printf(rest->arena, "127.44.%u.%u", rest->address >> 8 & 255,
                              rest->address & 255);
}

int lab_rest_port(const struct lab_rest *rest)
{
    return rest->port;
}

int lab_rest_fd(const struct lab_rest *rest)
{
    return rest->down ? -1 : rest->fd;
}

struct charm_value *lab_rest_requests(const struct lab_rest *rest)
{
    return rest->requests;
}

static int set_down(struct lab_rest *rest, bool down, struct charm_error *reterr)
{
    if (rest->down == down) {
        return 0;
    }
    close(rest->fd);
    rest->down = down;
    rest->fd = bind_port(rest->address, &rest->port, reterr);
    if (rest->fd < 0) {
        return rest->fd;
    }
    return down || listen(rest->fd, 16) == 0
               ? 0
               : charm_error_os(reterr, errno, "listen at port %d", rest->port);
}

/* ---- what is there ---- */

/* A connector in a file is its configuration, or {config, state, tasks}. */
static void put_connector(struct lab_rest *rest, const char *name, const struct charm_value *value)
{
    struct charm_value *entry = charm_value_add_map(rest->connectors, name);
    const struct charm_value *config = charm_value_get(value, "config");
    const bool whole = charm_value_kind(config) == CHARM_MAP;
    struct charm_value *own = charm_value_add_map(entry, "config");
    CHARM_EACH(whole ? config : value, it)
    {
        charm_value_set_text(own, it.key, charm_value_scalar(rest->arena, it.value));
    }
    charm_value_set_text(own, "name", name);
    const char *state = whole ? charm_text(charm_value_get(value, "state")) : "";
    charm_value_set_text(entry, "state", state[0] == '\0' ? "RUNNING" : state);
    const struct charm_value *tasks = whole ? charm_value_get(value, "tasks") : NULL;
    if (charm_value_kind(tasks) == CHARM_LIST) {
        charm_value_set(entry, "tasks", tasks);
    } else {
        charm_value_append_text(charm_value_add_list(entry, "tasks"), "RUNNING");
    }
}

static void set_script(struct lab_rest *rest, const struct charm_value *script)
{
    rest->script = charm_value_new_list(rest->arena);
    for (size_t i = 0; i < charm_value_size(script); i++) {
        struct charm_value *rule = charm_value_copy(rest->arena, charm_value_at(script, i));
        charm_value_set_int(rule, "left", charm_value_int(charm_value_get(rule, "times"), 1 << 30));
        charm_value_append(rest->script, rule);
    }
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
    const struct charm_value *connectors = charm_value_get(what, "connectors");
    if (connectors != NULL) {
        charm_value_clear(rest->connectors);
        CHARM_EACH(connectors, it)
        {
            put_connector(rest, it.key, it.value);
        }
    }
    if (charm_value_get(what, "script") != NULL) {
        set_script(rest, charm_value_get(what, "script"));
    }
    if (charm_value_get(what, "version") != NULL) {
        rest->version = charm_text(charm_value_get(what, "version"));
    }
    return set_down(rest, false, reterr);
}

const struct charm_value *lab_rest_connectors(const struct lab_rest *rest)
{
    struct charm_value *all = charm_value_new_map(rest->arena);
    CHARM_EACH(rest->connectors, it)
    {
        charm_value_set(all, it.key, charm_value_get(it.value, "config"));
    }
    return all;
}

/* ---- as Kafka Connect answers ---- */

static struct reply with(struct lab_rest *rest, int status, const struct charm_value *body)
{
    return (struct reply){ status,
                           body == NULL ? ""
                                        : charm_value_render(rest->arena, body, CHARM_JSON_COMPACT),
                           "application/json" };
}

static struct reply refuse(struct lab_rest *rest, int status, const char *message)
{
    struct charm_value *body = charm_value_new_map(rest->arena);
    charm_value_set_int(body, "error_code", status);
    charm_value_set_text(body, "message", message);
    return with(rest, status, body);
}

static const char *type_of(const struct charm_value *entry)
{
    const char *class = charm_text(charm_value_path(entry, "config", "connector.class", NULL));
    return strstr(class, "Sink") != NULL ? "sink" : "source";
}

static struct charm_value *info_of(struct lab_rest *rest, const char *name,
                                   const struct charm_value *entry)
{
    struct charm_value *info = charm_value_new_map(rest->arena);
    charm_value_set_text(info, "name", name);
    charm_value_set(info, "config", charm_value_get(entry, "config"));
    struct charm_value *tasks = charm_value_add_list(info, "tasks");
    for (size_t i = 0; i < charm_value_size(charm_value_get(entry, "tasks")); i++) {
        struct charm_value *task = charm_value_append_map(tasks);
        charm_value_set_text(task, "connector", name);
        charm_value_set_int(task, "task", (int64_t)i);
    }
    charm_value_set_text(info, "type", type_of(entry));
    return info;
}

static void put_state(struct charm_value *map, const char *state)
{
    charm_value_set_text(map, "state", state);
    charm_value_set_text(map, "worker_id", "127.0.0.1:8083");
    if (charmi_same(state, "FAILED")) {
        charm_value_set_text(map, "trace",
                             "org.apache.kafka.connect.errors.ConnectException: no\n"
                             "\tat line(File.java:1)\n");
    }
}

static struct charm_value *status_of(struct lab_rest *rest, const char *name,
                                     const struct charm_value *entry)
{
    struct charm_value *status = charm_value_new_map(rest->arena);
    charm_value_set_text(status, "name", name);
    put_state(charm_value_add_map(status, "connector"),
              charm_text(charm_value_get(entry, "state")));
    struct charm_value *tasks = charm_value_add_list(status, "tasks");
    const struct charm_value *states = charm_value_get(entry, "tasks");
    for (size_t i = 0; i < charm_value_size(states); i++) {
        struct charm_value *task = charm_value_append_map(tasks);
        charm_value_set_int(task, "id", (int64_t)i);
        put_state(task, charm_text(charm_value_at(states, i)));
    }
    charm_value_set_text(status, "type", type_of(entry));
    return status;
}

static struct reply list_all(struct lab_rest *rest)
{
    struct charm_value *all = charm_value_new_map(rest->arena);
    CHARM_EACH(rest->connectors, it)
    {
        struct charm_value *one = charm_value_add_map(all, it.key);
        charm_value_set(one, "info", info_of(rest, it.key, it.value));
        charm_value_set(one, "status", status_of(rest, it.key, it.value));
    }
    return with(rest, 200, all);
}

static struct reply put_config(struct lab_rest *rest, const char *name, const char *body)
{
    struct charm_value *config = NULL;
    if (charm_value_parse(rest->arena, body, strlen(body), &config, NULL) != 0 ||
        charm_value_kind(config) != CHARM_MAP) {
        return refuse(rest, 400, "Could not parse the request body");
    }
    const bool new = charm_value_get(rest->connectors, name) == NULL;
    put_connector(rest, name, config);
    return with(rest, new ? 201 : 200,
                info_of(rest, name, charm_value_get(rest->connectors, name)));
}

static struct reply for_connector(struct lab_rest *rest, const struct request *request,
                                  const char *name, const char *what)
{
    const struct charm_value *entry = charm_value_get(rest->connectors, name);
    const bool get = charmi_same(request->method, "GET");
    if (charmi_same(request->method, "PUT") && charmi_same(what, "/config")) {
        return put_config(rest, name, request->body);
    }
    if (entry == NULL) {
        return refuse(rest, 404, charm_arena_printf(rest->arena, "Connector %s not found", name));
    }
    if (get && charmi_same(what, "/status")) {
        return with(rest, 200, status_of(rest, name, entry));
    }
    if (get && what[0] == '\0') {
        return with(rest, 200, info_of(rest, name, entry));
    }
    if (charmi_same(request->method, "DELETE") && what[0] == '\0') {
        charm_value_remove(rest->connectors, name);
        return with(rest, 204, NULL);
    }
    if (charmi_same(request->method, "POST") && charmi_starts_with(what, "/restart")) {
        return strstr(what, "includeTasks=true") != NULL
                   ? with(rest, 202, status_of(rest, name, entry))
                   : with(rest, 204, NULL);
    }
    return refuse(rest, 405, "HTTP 405 Method Not Allowed");
}

static const char *decode_percent(struct charm_arena *arena, const char *text, size_t size)
{
    char *plain = charm_arena_alloc(arena, size + 1);
    size_t at = 0;
    for (size_t i = 0; i < size; i++) {
        char digits[3] = { 0 };
        if (text[i] == '%' && i + 2 < size) {
            memcpy(digits, text + i + 1, 2);
            plain[at++] = (char)strtol(digits, NULL, 16);
            i += 2;
        } else {
            plain[at++] = text[i];
        }
    }
    return plain;
}

static struct reply answer_truly(struct lab_rest *rest, const struct request *request)
{
    static const char connectors[] = "/connectors/";
    if (charmi_same(request->path, "/")) {
        struct charm_value *body = charm_value_new_map(rest->arena);
        charm_value_set_text(body, "version", rest->version);
        charm_value_set_text(body, "commit", "0123456789abcdef");
        charm_value_set_text(body, "kafka_cluster_id", "scenario");
        return with(rest, 200, body);
    }
    if (charmi_starts_with(request->path, "/connectors?")) {
        return list_all(rest);
    }
    if (charmi_starts_with(request->path, connectors)) {
        const char *name = request->path + strlen(connectors);
        const size_t size = strcspn(name, "/?");
        return for_connector(rest, request, decode_percent(rest->arena, name, size), name + size);
    }
    return refuse(rest, 404, "HTTP 404 Not Found");
}

/* ---- as the script says ---- */

static struct charm_value *find_rule(struct lab_rest *rest, const struct request *request)
{
    for (size_t i = 0; i < charm_value_size(rest->script); i++) {
        struct charm_value *rule = /* ours: copied by set_script() */
            (struct charm_value *)(uintptr_t)charm_value_at(rest->script, i);
        const char *method = charm_text(charm_value_get(rule, "method"));
        const char *path = charm_text(charm_value_get(rule, "path"));
        if (charm_value_int(charm_value_get(rule, "left"), 0) > 0 &&
            (method[0] == '\0' || charmi_same(method, request->method)) &&
            (path[0] == '\0' || lab_match(path, request->path))) {
            return rule;
        }
    }
    return NULL;
}

static struct reply scripted(struct lab_rest *rest, const struct charm_value *rule)
{
    const int status = (int)charm_value_int(charm_value_get(rule, "status"), 200);
    const struct charm_value *body = charm_value_get(rule, "body");
    if (charm_value_kind(body) == CHARM_STRING) {
        return (struct reply){ status, charm_text(body), "text/plain" };
    }
    return with(rest, status, body);
}

static void pause_ms(int64_t ms)
{
    const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
    nanosleep(&pause, NULL);
}

/* False: the connection is to be dropped without a word. */
static bool answer(struct lab_rest *rest, const struct request *request, struct reply *ret_reply)
{
    struct charm_value *rule = find_rule(rest, request);
    if (rule == NULL) {
        *ret_reply = answer_truly(rest, request);
        return true;
    }
    charm_value_set_int(rule, "left", charm_value_int(charm_value_get(rule, "left"), 0) - 1);
    pause_ms(charm_value_int(charm_value_get(rule, "delay-ms"), 0));
    if (charm_value_true(charm_value_get(rule, "drop"))) {
        return false;
    }
    *ret_reply = charm_value_get(rule, "status") == NULL ? answer_truly(rest, request)
                                                         : scripted(rest, rule);
    return true;
}

/* ---- HTTP ---- */

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

static bool receive(struct lab_rest *rest, int fd, struct request *ret_request)
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
    *ret_request = (struct request){ words.at[0], words.at[1], strstr(text, "\r\n\r\n") + 4 };
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

static void note(struct lab_rest *rest, const struct request *request)
{
    charm_value_append_text(
        rest->requests, charm_arena_printf(rest->arena, "%s %s%s%s", request->method, request->path,
                                           request->body[0] == '\0' ? "" : " ", request->body));
}

static void serve(struct lab_rest *rest, int fd)
{
    struct request request;
    struct reply reply;
    if (!receive(rest, fd, &request)) {
        return;
    }
    note(rest, &request);
    if (answer(rest, &request, &reply)) {
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
