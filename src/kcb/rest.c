#include "kcb/rest.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "kcb/deployment.h"
#include "kcb/redact.h"

enum {
    READ_TIMEOUT_MS = 5000,
    WRITE_TIMEOUT_MS = 20000,
    CLIENT_TIME_MS = 30000, /* for all calls of one client */
    FIRST_PAUSE_MS = 200,   /* doubled each time: 3 s in all */
    MOST_TRIES = 5,
    MOST_TRIES_FAILED = 3, /* an unexplained 500: twice again (kafka-connect.md 1.10) */
    LARGEST_BODY = 16 * 1024 * 1024,
    LONGEST_MESSAGE = 200,
    MOST_OLD_NAMES = 500, /* connectors asked one by one of a worker before 2.3 */
};

/* ---- the client of a run ---- */

struct surroundings {
    struct charm_run *run;
    enum kcbi_rest_role role;
};

static bool may_write(void *userdata)
{
    struct surroundings *around = userdata;
    return around->role == KCBI_AS_OPERATOR || charm_still_leader(around->run);
}

static bool wait_in_run(void *userdata, int64_t ms)
{
    struct surroundings *around = userdata;
    return charm_wait_ms(around->run, ms);
}

static int64_t run_clock(void *userdata)
{
    struct surroundings *around = userdata;
    const struct charm_ports *ports = charm_ports(around->run);
    return ports->monotonic_ms(ports->userdata);
}

static void trace_in_run(void *userdata, const char *line)
{
    struct surroundings *around = userdata;
    charm_trace(around->run, "%s", line);
}

/* A node that is gone would cost its time at every call: the one that answered last goes first. */
static size_t index_of_last(struct charm_run *run, const char *const *addresses)
{
    const char *last = kcbi_rest_answered(run);
    size_t i = 0;
    while (addresses[i] != NULL && !charmi_same(addresses[i], last)) {
        i++;
    }
    return addresses[i] == NULL ? 0 : i;
}

struct kcbi_rest kcbi_rest_of(struct charm_run *run, enum kcbi_rest_role role)
{
    struct surroundings *around = charm_arena_alloc(charm_arena(run), sizeof(*around));
    *around = (struct surroundings){ .run = run, .role = role };
    return (struct kcbi_rest){
        .arena = charm_arena(run),
        .ports = kcbi_ports(run),
        .addresses = kcbi_rest_addresses(run),
        .userdata = around,
        .may_write = may_write,
        .wait = wait_in_run,
        .monotonic_ms = run_clock,
        .trace = trace_in_run,
        .deadline_ms = run_clock(around) + CLIENT_TIME_MS,
        .first = index_of_last(run, kcbi_rest_addresses(run)),
    };
}

/* ---- judging ---- */

static bool says(const char *message, const char *part)
{
    const size_t size = strlen(part);
    for (; *message != '\0'; message++) {
        size_t same = 0;
        while (same < size && tolower((unsigned char)message[same]) == part[same]) {
            same++;
        }
        if (same == size) {
            return true;
        }
    }
    return false;
}

/* The words of a 500 that will pass by itself: lab-facts.md 1.4, kafka-connect.md 1.9. */
static bool is_passing(const char *message)
{
    return says(message, "rebalance") || says(message, "forward") || says(message, "timed out") ||
           says(message, "timeout") || says(message, "time-out");
}

/* A 4.x worker that is starting answers so to everything but GET / (seen on 4.3.1); a name that it does not know is
 * "Connector x not found" or "Unknown connector: x". */
static bool is_starting(int status, const char *message)
{
    return status == 404 &&
           (charmi_same(message, "Not Found") || charmi_same(message, "HTTP 404 Not Found"));
}

enum kcbi_verdict kcbi_judge_answer(int status, const char *message)
{
    if (status >= 200 && status < 300) {
        return KCBI_OK;
    }
    switch (status) {
    case 400:
    case 401:
    case 403:
    case 415:
    case 422:
        return KCBI_REFUSED;
    case 404:
        return is_starting(status, message) ? KCBI_LATER : KCBI_NOT_FOUND;
    case 409:
        return says(message, "already exists") ? KCBI_EXISTS : KCBI_LATER;
    case 429:
    case 502:
    case 503:
    case 504:
        return KCBI_LATER;
    case 500:
        return is_passing(message) ? KCBI_LATER : KCBI_FAILED;
    default:
        return KCBI_FAILED;
    }
}

/* What an answer says of itself: Connect's JSON error, or a page, or plain text (kafka-connect.md 1.1). */
static const char *raw_message(struct charm_arena *arena, const struct kcb_http_answer *answer,
                               const struct charm_value *body)
{
    if (body != NULL) {
        return charm_text(charm_value_get(body, "message"));
    }
    const char *text = charmi_trim(arena, answer->body);
    return text[0] == '<' ? "an HTML page" : text;
}

static struct kcbi_reply read_answer(struct charm_arena *arena,
                                     const struct kcb_http_answer *answer)
{
    struct kcbi_reply reply = { .status = answer->status, .message = "" };
    struct charm_value *body = NULL;
    if (answer->body_size > 0 &&
        charm_value_parse(arena, answer->body, answer->body_size, &body, NULL) == 0) {
        reply.body = body;
    }
    const char *said = raw_message(arena, answer, reply.body);
    reply.verdict = kcbi_judge_answer(reply.status, said);
    if (is_starting(reply.status, said)) {
        reply.message = "Not Found, the worker is still starting";
    } else if (reply.verdict != KCBI_OK && said[0] != '\0') {
        reply.message = reply.status == 400 || reply.status == 422
                            ? kcbi_refusal_words(arena, said)
                            : kcbi_redact_text(arena, said, LONGEST_MESSAGE);
    }
    return reply;
}

/* ---- one call ---- */

struct call {
    const char *method;
    const char *path;
    const char *body;
    int64_t timeout_ms;
};

static int ask_address(struct kcbi_rest *rest, const struct call *call, const char *address,
                       struct kcbi_reply *ret_reply, struct charm_error *reterr)
{
    const int64_t left_ms = rest->deadline_ms - rest->monotonic_ms(rest->userdata);
    if (left_ms <= 0) {
        return charm_error_set(reterr, CHARM_ETIMEOUT, "%s %s: no time is left for it in this run",
                               call->method, call->path);
    }
    const struct kcb_http_request request = {
        .method = call->method,
        .url = charm_arena_printf(rest->arena, "http://%s%s", address, call->path),
        .body = call->body,
        .timeout_ms = call->timeout_ms < left_ms ? call->timeout_ms : left_ms,
        .max_body_bytes = LARGEST_BODY,
    };
    struct kcb_http_answer answer = { 0 };
    struct charm_error error = { 0 };
    const int result =
        rest->ports->http(rest->ports->userdata, rest->arena, &request, &answer, &error);
    if (result != 0) {
        rest->trace(rest->userdata, charm_arena_printf(rest->arena, "%s %s at %s: %s", call->method,
                                                       call->path, address, error.text));
        /* an address that makes no URL: whoever it was meant for has not answered */
        const int code = result == CHARM_EINVAL ? CHARM_ENET : result;
        return charm_error_set(reterr, code, "%s %s at %s: %s", call->method, call->path, address,
                               error.text);
    }
    *ret_reply = read_answer(rest->arena, &answer);
    rest->trace(rest->userdata,
                charm_arena_printf(rest->arena, "%s %s at %s: %d %s", call->method, call->path,
                                   address, ret_reply->status, ret_reply->message));
    return 0;
}

/* May another address be asked after this failure? A write that ran out of time may have been done. */
static bool try_next_address(int result, const struct call *call)
{
    return result == CHARM_ENET || (result == CHARM_ETIMEOUT && charmi_same(call->method, "GET"));
}

/* The address that answered last, then the others. */
static int ask_any(struct kcbi_rest *rest, const struct call *call, struct kcbi_reply *ret_reply,
                   struct charm_error *reterr)
{
    const size_t count = charmi_list_size(rest->addresses);
    int result =
        charm_error_set(reterr, CHARM_ENOTFOUND, "%s %s: there is no address of a worker yet",
                        call->method, call->path);
    for (size_t i = 0; i < count; i++) {
        const size_t index = (rest->first + i) % count;
        result = ask_address(rest, call, rest->addresses[index], ret_reply, reterr);
        if (result == 0) {
            rest->first = index;
            rest->answered = rest->addresses[index];
            return 0;
        }
        if (!try_next_address(result, call)) {
            return result;
        }
    }
    return result;
}

static bool ask_again(const struct kcbi_reply *reply, int tries)
{
    return (reply->verdict == KCBI_LATER && tries < MOST_TRIES) ||
           (reply->verdict == KCBI_FAILED && reply->status >= 500 && tries < MOST_TRIES_FAILED);
}

static int perform(struct kcbi_rest *rest, const struct call *call, struct kcbi_reply *ret_reply,
                   struct charm_error *reterr)
{
    int64_t pause_ms = FIRST_PAUSE_MS;
    for (int tries = 1;; tries++) {
        struct kcbi_reply reply = { 0 };
        struct charm_error error = { 0 };
        const int result = ask_any(rest, call, &reply, &error);
        if (result != 0) {
            error.retriable = result == CHARM_ENET || result == CHARM_ETIMEOUT;
            if (reterr != NULL) {
                *reterr = error;
            }
            return result;
        }
        if (!ask_again(&reply, tries) || !rest->wait(rest->userdata, pause_ms)) {
            *ret_reply = reply;
            return 0;
        }
        pause_ms *= 2;
        rest->first++; /* another worker may know the leader */
    }
}

int kcbi_rest_get(struct kcbi_rest *rest, const char *path, struct kcbi_reply *ret_reply,
                  struct charm_error *reterr)
{
    const struct call call = { .method = "GET", .path = path, .timeout_ms = READ_TIMEOUT_MS };
    return perform(rest, &call, ret_reply, reterr);
}

int kcbi_rest_write(struct kcbi_rest *rest, const char *method, const char *path,
                    const struct charm_value *body, struct kcbi_reply *ret_reply,
                    struct charm_error *reterr)
{
    if (!rest->may_write(rest->userdata)) {
        return charm_error_set(reterr, CHARM_EREFUSED,
                               "%s %s: this unit is not the leader any more", method, path);
    }
    const struct call call = {
        .method = method,
        .path = path,
        .body = body == NULL ? NULL : charm_value_render(rest->arena, body, CHARM_JSON_COMPACT),
        .timeout_ms = WRITE_TIMEOUT_MS,
    };
    return perform(rest, &call, ret_reply, reterr);
}

/* ---- paths and versions ---- */

char *kcbi_percent_encode(struct charm_arena *arena, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    struct charmi_buf out = charmi_buf_init(strlen(text) * 3);
    for (const char *at = text; *at != '\0'; at++) {
        const unsigned char byte = (unsigned char)*at;
        if (byte < 0x80 && (isalnum(byte) || strchr("-._~", byte) != NULL)) {
            charmi_buf_add_char(&out, *at);
        } else {
            charmi_buf_add_char(&out, '%');
            charmi_buf_add_char(&out, digits[byte >> 4]);
            charmi_buf_add_char(&out, digits[byte & 15]);
        }
    }
    return charmi_buf_into(&out, arena);
}

char *kcbi_connector_path(struct charm_arena *arena, const char *name, const char *rest)
{
    return charm_arena_printf(arena, "/connectors/%s%s", kcbi_percent_encode(arena, name), rest);
}

int kcbi_rest_version(struct kcbi_rest *rest, const char **ret_version, struct charm_error *reterr)
{
    struct kcbi_reply reply;
    const int result = kcbi_rest_get(rest, "/", &reply, reterr);
    if (result != 0) {
        return result;
    }
    *ret_version = charm_text(charm_value_get(reply.body, "version"));
    return 0;
}

/* ---- every connector ---- */

static int answer_error(const char *what, const struct kcbi_reply *reply,
                        struct charm_error *reterr)
{
    const int code =
        charm_error_set(reterr, CHARM_EFAILED, "%s: the worker says %d%s%s", what, reply->status,
                        reply->message[0] == '\0' ? "" : " ", reply->message);
    if (reterr != NULL) {
        reterr->retriable = reply->verdict == KCBI_LATER;
    }
    return code;
}

static void put_map(struct charm_value *entry, const char *key, const struct charm_value *map)
{
    if (charm_value_kind(map) == CHARM_MAP) {
        charm_value_set(entry, key, map);
    }
}

static void put_info(struct charm_value *entry, const struct charm_value *info)
{
    put_map(entry, "config", charm_value_get(info, "config"));
    const char *type = charm_text(charm_value_get(info, "type"));
    if (type[0] != '\0') {
        charm_value_set_text(entry, "type", type);
    }
}

/*
 * Each member is a map, or somebody else answers behind this port: to read its words as a list without our connectors
 * would be to forget them.
 */
static int from_expanded(struct charm_arena *arena, const struct charm_value *body,
                         struct charm_value **ret_live, struct charm_error *reterr)
{
    struct charm_value *live = charm_value_new_map(arena);
    CHARM_EACH(body, it)
    {
        if (charm_value_kind(it.value) != CHARM_MAP) {
            return charm_error_set(reterr, CHARM_EPARSE,
                                   "list connectors: the answer is no worker's");
        }
        struct charm_value *entry = charm_value_add_map(live, it.key);
        put_info(entry, charm_value_get(it.value, "info"));
        put_map(entry, "status", charm_value_get(it.value, "status"));
    }
    *ret_live = live;
    return 0;
}

/* One connector of a worker before 2.3. What is not there yet, or not now, is left out. */
static int ask_one(struct kcbi_rest *rest, const char *name, struct charm_value *entry,
                   struct charm_error *reterr)
{
    struct kcbi_reply reply;
    int result = kcbi_rest_get(rest, kcbi_connector_path(rest->arena, name, ""), &reply, reterr);
    if (result != 0) {
        return result;
    }
    if (reply.verdict == KCBI_OK) {
        put_info(entry, reply.body);
    }
    result = kcbi_rest_get(rest, kcbi_connector_path(rest->arena, name, "/status"), &reply, reterr);
    if (result != 0) {
        return result;
    }
    if (reply.verdict == KCBI_OK) {
        put_map(entry, "status", reply.body);
    }
    return 0;
}

static int from_list(struct kcbi_rest *rest, const struct charm_value *body,
                     const struct charm_value *names, struct charm_value **ret_live,
                     struct charm_error *reterr)
{
    struct charm_value *live = charm_value_new_map(rest->arena);
    size_t asked = 0;
    for (size_t i = 0; i < charm_value_size(body); i++) {
        const char *name = charm_text(charm_value_at(body, i));
        struct charm_value *entry = charm_value_add_map(live, name);
        if ((names != NULL && charm_value_get(names, name) == NULL) || asked >= MOST_OLD_NAMES) {
            continue;
        }
        asked++;
        const int result = ask_one(rest, name, entry, reterr);
        if (result != 0) {
            return result;
        }
    }
    *ret_live = live;
    return 0;
}

int kcbi_live_connectors(struct kcbi_rest *rest, const struct charm_value *names,
                         struct charm_value **ret_live, bool *ret_old, struct charm_error *reterr)
{
    struct kcbi_reply reply;
    const int result = kcbi_rest_get(rest, "/connectors?expand=status&expand=info", &reply, reterr);
    if (result != 0) {
        return result;
    }
    if (reply.verdict != KCBI_OK) {
        return answer_error("list connectors", &reply, reterr);
    }
    switch (charm_value_kind(reply.body)) {
    case CHARM_MAP:
        *ret_old = false;
        return from_expanded(rest->arena, reply.body, ret_live, reterr);
    case CHARM_LIST: {
        const int listed = from_list(rest, reply.body, names, ret_live, reterr);
        if (listed == 0) {
            *ret_old = true;
        }
        return listed;
    }
    default:
        return charm_error_set(reterr, CHARM_EPARSE,
                               "list connectors: the worker's answer is no list");
    }
}
