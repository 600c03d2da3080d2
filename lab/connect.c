#include "lab/connect.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "lab/match.h"

struct lab_connect {
    struct charm_arena *arena;
    const char *version;
    struct charm_value *connectors; /* name -> {config, state, tasks} */
    struct charm_value *script;     /* list of rules, with "left" counted down */
    struct charm_value *requests;
};

struct lab_connect *lab_connect_new(struct charm_arena *arena)
{
    struct lab_connect *connect = charm_arena_alloc(arena, sizeof(*connect));
    *connect = (struct lab_connect){ .arena = arena, .version = "4.1.0" };
    connect->connectors = charm_value_new_map(arena);
    connect->script = charm_value_new_list(arena);
    connect->requests = charm_value_new_list(arena);
    return connect;
}

struct charm_value *lab_connect_requests(const struct lab_connect *connect)
{
    return connect->requests;
}

/* ---- what is there ---- */

/* A connector in a file is its configuration, or {config, state, tasks}. */
static void put_connector(struct lab_connect *connect, const char *name,
                          const struct charm_value *value)
{
    struct charm_value *entry = charm_value_add_map(connect->connectors, name);
    const struct charm_value *config = charm_value_get(value, "config");
    const bool whole = charm_value_kind(config) == CHARM_MAP;
    struct charm_value *own = charm_value_add_map(entry, "config");
    CHARM_EACH(whole ? config : value, it)
    {
        charm_value_set_text(own, it.key, charm_value_scalar(connect->arena, it.value));
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

static void set_script(struct lab_connect *connect, const struct charm_value *script)
{
    connect->script = charm_value_new_list(connect->arena);
    for (size_t i = 0; i < charm_value_size(script); i++) {
        struct charm_value *rule = charm_value_copy(connect->arena, charm_value_at(script, i));
        charm_value_set_int(rule, "left", charm_value_int(charm_value_get(rule, "times"), 1 << 30));
        charm_value_append(connect->script, rule);
    }
}

void lab_connect_set(struct lab_connect *connect, const struct charm_value *what)
{
    const struct charm_value *connectors = charm_value_get(what, "connectors");
    if (connectors != NULL) {
        charm_value_clear(connect->connectors);
        CHARM_EACH(connectors, it)
        {
            put_connector(connect, it.key, it.value);
        }
    }
    if (charm_value_get(what, "script") != NULL) {
        set_script(connect, charm_value_get(what, "script"));
    }
    if (charm_value_get(what, "version") != NULL) {
        connect->version = charm_text(charm_value_get(what, "version"));
    }
}

const struct charm_value *lab_connect_connectors(const struct lab_connect *connect)
{
    struct charm_value *all = charm_value_new_map(connect->arena);
    CHARM_EACH(connect->connectors, it)
    {
        charm_value_set(all, it.key, charm_value_get(it.value, "config"));
    }
    return all;
}

/* ---- as Kafka Connect answers ---- */

static struct lab_reply with(struct lab_connect *connect, int status,
                             const struct charm_value *body)
{
    return (struct lab_reply){
        .status = status,
        .body = body == NULL ? "" : charm_value_render(connect->arena, body, CHARM_JSON_COMPACT),
        .type = "application/json",
    };
}

static struct lab_reply refuse(struct lab_connect *connect, int status, const char *message)
{
    struct charm_value *body = charm_value_new_map(connect->arena);
    charm_value_set_int(body, "error_code", status);
    charm_value_set_text(body, "message", message);
    return with(connect, status, body);
}

static const char *type_of(const struct charm_value *entry)
{
    const char *class = charm_text(charm_value_path(entry, "config", "connector.class", NULL));
    return strstr(class, "Sink") != NULL ? "sink" : "source";
}

static struct charm_value *info_of(struct lab_connect *connect, const char *name,
                                   const struct charm_value *entry)
{
    struct charm_value *info = charm_value_new_map(connect->arena);
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

static struct charm_value *status_of(struct lab_connect *connect, const char *name,
                                     const struct charm_value *entry)
{
    struct charm_value *status = charm_value_new_map(connect->arena);
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

static struct lab_reply list_all(struct lab_connect *connect)
{
    struct charm_value *all = charm_value_new_map(connect->arena);
    CHARM_EACH(connect->connectors, it)
    {
        struct charm_value *one = charm_value_add_map(all, it.key);
        charm_value_set(one, "info", info_of(connect, it.key, it.value));
        charm_value_set(one, "status", status_of(connect, it.key, it.value));
    }
    return with(connect, 200, all);
}

static struct lab_reply put_config(struct lab_connect *connect, const char *name, const char *body)
{
    struct charm_value *config = NULL;
    if (charm_value_parse(connect->arena, body, strlen(body), &config, NULL) != 0 ||
        charm_value_kind(config) != CHARM_MAP) {
        return refuse(connect, 400, "Could not parse the request body");
    }
    const bool new = charm_value_get(connect->connectors, name) == NULL;
    put_connector(connect, name, config);
    return with(connect, new ? 201 : 200,
                info_of(connect, name, charm_value_get(connect->connectors, name)));
}

static struct lab_reply for_connector(struct lab_connect *connect,
                                      const struct lab_request *request, const char *name,
                                      const char *what)
{
    const struct charm_value *entry = charm_value_get(connect->connectors, name);
    const bool get = charmi_same(request->method, "GET");
    if (charmi_same(request->method, "PUT") && charmi_same(what, "/config")) {
        return put_config(connect, name, request->body);
    }
    if (entry == NULL) {
        return refuse(connect, 404,
                      charm_arena_printf(connect->arena, "Connector %s not found", name));
    }
    if (get && charmi_same(what, "/status")) {
        return with(connect, 200, status_of(connect, name, entry));
    }
    if (get && what[0] == '\0') {
        return with(connect, 200, info_of(connect, name, entry));
    }
    if (charmi_same(request->method, "DELETE") && what[0] == '\0') {
        charm_value_remove(connect->connectors, name);
        return with(connect, 204, NULL);
    }
    if (charmi_same(request->method, "POST") && charmi_starts_with(what, "/restart")) {
        return strstr(what, "includeTasks=true") != NULL
                   ? with(connect, 202, status_of(connect, name, entry))
                   : with(connect, 204, NULL);
    }
    return refuse(connect, 405, "HTTP 405 Method Not Allowed");
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

static struct lab_reply answer_truly(struct lab_connect *connect, const struct lab_request *request)
{
    static const char connectors[] = "/connectors/";
    if (charmi_same(request->path, "/")) {
        struct charm_value *body = charm_value_new_map(connect->arena);
        charm_value_set_text(body, "version", connect->version);
        charm_value_set_text(body, "commit", "0123456789abcdef");
        charm_value_set_text(body, "kafka_cluster_id", "scenario");
        return with(connect, 200, body);
    }
    if (charmi_starts_with(request->path, "/connectors?")) {
        return list_all(connect);
    }
    if (charmi_starts_with(request->path, connectors)) {
        const char *name = request->path + strlen(connectors);
        const size_t size = strcspn(name, "/?");
        return for_connector(connect, request, decode_percent(connect->arena, name, size),
                             name + size);
    }
    return refuse(connect, 404, "HTTP 404 Not Found");
}

/* ---- as the script says ---- */

static struct charm_value *find_rule(struct lab_connect *connect, const struct lab_request *request)
{
    for (size_t i = 0; i < charm_value_size(connect->script); i++) {
        struct charm_value *rule = /* ours: copied by set_script() */
            (struct charm_value *)(uintptr_t)charm_value_at(connect->script, i);
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

static struct lab_reply scripted(struct lab_connect *connect, const struct charm_value *rule)
{
    const int status = (int)charm_value_int(charm_value_get(rule, "status"), 200);
    const struct charm_value *body = charm_value_get(rule, "body");
    if (charm_value_kind(body) == CHARM_STRING) {
        return (
            struct lab_reply){ .status = status, .body = charm_text(body), .type = "text/plain" };
    }
    return with(connect, status, body);
}

/* ---- the answer ---- */

static void note(struct lab_connect *connect, const struct lab_request *request)
{
    charm_value_append_text(connect->requests,
                            charm_arena_printf(connect->arena, "%s %s%s%s", request->method,
                                               request->path, request->body[0] == '\0' ? "" : " ",
                                               request->body));
}

struct lab_reply lab_connect_answer(struct lab_connect *connect, const struct lab_request *request)
{
    note(connect, request);
    struct charm_value *rule = find_rule(connect, request);
    if (rule == NULL) {
        return answer_truly(connect, request);
    }
    charm_value_set_int(rule, "left", charm_value_int(charm_value_get(rule, "left"), 0) - 1);
    struct lab_reply reply = { .drop = charm_value_true(charm_value_get(rule, "drop")) };
    if (!reply.drop) {
        reply = charm_value_get(rule, "status") == NULL ? answer_truly(connect, request)
                                                        : scripted(connect, rule);
    }
    reply.delay_ms = charm_value_int(charm_value_get(rule, "delay-ms"), 0);
    return reply;
}
