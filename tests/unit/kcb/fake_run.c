#include "fake_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kcb/connectors.h"
#include "kcb/kcb.h"
#include "kcb/workers.h"

/* ---- ports ---- */

static int64_t now_ms(void *userdata)
{
    return ((struct charm_run *)userdata)->now_ms;
}

/* JSON is YAML enough for these tests. */
static int yaml_parse(void *userdata, struct charm_arena *arena, const char *text, size_t size,
                      struct charm_value **ret_value, struct charm_error *reterr)
{
    return charm_value_parse(arena, text, size, ret_value, reterr);
}

static int http(void *userdata, struct charm_arena *arena, const struct kcb_http_request *request,
                struct kcb_http_answer *ret_answer, struct charm_error *reterr)
{
    struct charm_run *run = userdata;
    charmi_words_add(arena, &run->requests,
                     charm_arena_printf(arena, "%s %s %s", request->method, request->url,
                                        request->body == NULL ? "" : request->body));
    const char *path = strchr(strstr(request->url, "://") + 3, '/');
    for (size_t i = 0; i < run->answer_count; i++) {
        struct fake_answer *answer = &run->answers[i];
        if (answer->used || !charmi_same(answer->method, request->method) ||
            !charmi_same(answer->path, path)) {
            continue;
        }
        answer->used = true;
        if (answer->status == 0) {
            return charm_error_set(reterr, CHARM_ENET, "connection refused");
        }
        if (answer->status == FAKE_BAD_URL) {
            return charm_error_set(reterr, CHARM_EINVAL, "bad URL");
        }
        if (answer->status < 0) {
            run->now_ms += request->timeout_ms;
            return charm_error_set(reterr, CHARM_ETIMEOUT, "no answer in time");
        }
        *ret_answer = (struct kcb_http_answer){ .status = answer->status,
                                                .body = answer->body,
                                                .body_size = strlen(answer->body),
                                                .content_type = "" };
        return 0;
    }
    fail_msg("unexpected request %s %s", request->method, path);
    return CHARM_EFAILED;
}

static int kafka_look(void *userdata, struct charm_arena *arena, const struct charm_value *settings,
                      const char *const *topics, int64_t timeout_ms,
                      struct kcb_cluster_view *ret_view, struct charm_error *reterr)
{
    struct charm_run *run = userdata;
    assert_true(run->look_count > 0);
    assert_true(timeout_ms > 0);
    const size_t last = run->look_count - 1;
    const struct fake_look *look = &run->looks[run->looks_done < last ? run->looks_done : last];
    run->looks_done++;
    if (look->result != 0) {
        return charm_error_set(reterr, look->result, "%s", look->error);
    }
    *ret_view = *look->view;
    return 0;
}

static int kafka_create(void *userdata, struct charm_arena *arena,
                        const struct charm_value *settings, const struct kcb_topic_spec *specs,
                        size_t count, int64_t timeout_ms, struct kcb_topic_result *ret_results,
                        struct charm_error *reterr)
{
    struct charm_run *run = userdata;
    if (run->creation_result != 0) {
        return charm_error_set(reterr, run->creation_result, "connection refused");
    }
    for (size_t i = 0; i < count; i++) {
        charmi_words_add(arena, &run->created,
                         charm_arena_printf(arena, "%s %dx%d %s", specs[i].name,
                                            specs[i].partitions, specs[i].replication,
                                            specs[i].cleanup_policy));
        const size_t at = run->creations_done++;
        ret_results[i] = at < 8 ? run->creations[at] : (struct kcb_topic_result){ 0 };
        if (ret_results[i].text == NULL) {
            ret_results[i].text = "";
        }
    }
    return 0;
}

/* ---- the test's side ---- */

struct charm_run *fake_run_new(void)
{
    struct charm_run *run = calloc(1, sizeof(*run));
    assert_non_null(run);
    run->arena = charm_arena_new();
    run->context = (struct charm_context){ .hook = "update-status",
                                           .unit = "connect/0",
                                           .juju_version = "3.6.4" };
    run->ports = (struct charm_ports){
        .userdata = run, .yaml_parse = yaml_parse, .now_ms = now_ms, .monotonic_ms = now_ms
    };
    run->kcb_ports = (struct kcb_ports){
        .userdata = run, .http = http, .kafka_look = kafka_look, .kafka_create = kafka_create
    };
    run->now_ms = 1767268800000;
    run->wait_left_ms = 60000;
    run->leader = true;
    run->current = "upper.sink";
    run->config = charm_value_new_map(run->arena);
    run->given = charm_value_new_map(run->arena);
    run->app = charm_value_new_map(run->arena);
    run->app_set = charm_value_new_map(run->arena);
    run->state = charm_value_new_map(run->arena);
    run->outcomes = charm_value_new_map(run->arena);
    run->params = charm_value_new_map(run->arena);
    run->results = charm_value_new_map(run->arena);
    run->addresses[0] = "10.0.0.1:30083";
    return run;
}

void fake_run_free(struct charm_run *run)
{
    charm_arena_free(run->arena);
    free(run);
}

void fake_http(struct charm_run *run, const char *method, const char *path, int status,
               const char *body)
{
    assert_true(run->answer_count < FAKE_MOST_ANSWERS);
    run->answers[run->answer_count++] =
        (struct fake_answer){ .method = method, .path = path, .status = status, .body = body };
}

void fake_flag(struct charm_run *run, const char *flag)
{
    charmi_words_add(run->arena, &run->flags, flag);
}

void fake_outcome(struct charm_run *run, const char *row, enum charm_outcome outcome,
                  const char *unmet)
{
    struct charm_value *entry = charm_value_add_map(run->outcomes, row);
    charm_value_set_int(entry, "outcome", outcome);
    charm_value_set_text(entry, "unmet", unmet);
}

static size_t count_holding(const struct charmi_words *words, const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < words->size; i++) {
        count += strstr(words->at[i], text) != NULL;
    }
    return count;
}

size_t fake_requests(const struct charm_run *run, const char *method)
{
    size_t count = 0;
    for (size_t i = 0; i < run->requests.size; i++) {
        count += charmi_starts_with(run->requests.at[i], method);
    }
    return count;
}

bool fake_said(const struct charm_run *run, const char *text)
{
    return count_holding(&run->statuses, text) > 0;
}

bool fake_asked(const struct charm_run *run, const char *text)
{
    return count_holding(&run->requests, text) > 0;
}

struct charm_value *fake_json(struct charm_run *run, const char *text)
{
    struct charm_value *value = NULL;
    struct charm_error error = { 0 };
    if (charm_value_parse(run->arena, text, strlen(text), &value, &error) != 0) {
        fail_msg("bad JSON in the test: %s", error.text);
    }
    return value;
}

/* ---- charm/run.h ---- */

const struct charm_context *charm_context(const struct charm_run *run)
{
    return &run->context;
}

struct charm_arena *charm_arena(struct charm_run *run)
{
    return run->arena;
}

const char *charm_current(const struct charm_run *run)
{
    return run->current;
}

const struct charm_ports *charm_ports(const struct charm_run *run)
{
    return &run->ports;
}

void charm_flag_set(struct charm_run *run, const char *flag)
{
    if (!charmi_in(run->flags.at, flag)) {
        fake_flag(run, flag);
    }
}

void charm_flag_clear(struct charm_run *run, const char *flag)
{
    struct charmi_words rest = { 0 };
    for (size_t i = 0; i < run->flags.size; i++) {
        if (!charmi_same(run->flags.at[i], flag)) {
            charmi_words_add(run->arena, &rest, run->flags.at[i]);
        }
    }
    run->flags = rest;
}

bool charm_flag_is_set(const struct charm_run *run, const char *flag)
{
    return charmi_in(run->flags.at, flag);
}

const char *charm_config_text(struct charm_run *run, const char *option)
{
    return charm_text(charm_value_get(run->config, option));
}

bool charm_endpoint_unknown(struct charm_run *run, const char *endpoint)
{
    return charmi_same(run->unknown_endpoint, endpoint);
}

void charm_give(struct charm_run *run, const char *kind, const char *key,
                const struct charm_value *value)
{
    const struct charm_value *kinds = charm_value_get(run->given, kind);
    struct charm_value *all = charm_value_new_map(run->arena);
    charm_value_update(all, kinds);
    charm_value_set(all, key, value);
    charm_value_set(run->given, kind, all);
}

const struct charm_value *charm_given(struct charm_run *run, const char *kind)
{
    return charm_value_get(run->given, kind);
}

enum charm_outcome charm_row_outcome(struct charm_run *run, const char *row,
                                     const char *const **ret_unmet)
{
    const struct charm_value *entry = charm_value_get(run->outcomes, row);
    if (entry == NULL) {
        return CHARM_OUTCOME_UNKNOWN;
    }
    *ret_unmet = charmi_split(run->arena, charm_text(charm_value_get(entry, "unmet")), " ").at;
    return (enum charm_outcome)charm_value_int(charm_value_get(entry, "outcome"), 0);
}

CHARM_PRINTF(2, 0)
static const char *format_text(struct charm_run *run, const char *format, va_list args)
{
    return charm_arena_vprintf(run->arena, format, args);
}

void charm_status(struct charm_run *run, enum charm_status_level level, const char *format, ...)
{
    static const char *const names[] = { "active", "maintenance", "waiting", "blocked" };
    va_list args;
    va_start(args, format);
    charmi_words_add(
        run->arena, &run->statuses,
        charm_arena_printf(run->arena, "%s: %s", names[level], format_text(run, format, args)));
    va_end(args);
}

struct charm_value *charm_state(struct charm_run *run, const char *layer)
{
    assert_string_equal(layer, KCBI_LAYER);
    return run->state;
}

const struct charm_value *charm_app_get(struct charm_run *run, const char *key)
{
    return charm_value_get(run->app, key);
}

void charm_app_set(struct charm_run *run, const char *key, const struct charm_value *value)
{
    charm_value_set(run->app_set, key, value);
}

bool charm_still_leader(struct charm_run *run)
{
    return run->leader;
}

const struct charm_value *charm_action_param(struct charm_run *run, const char *name)
{
    return charm_value_get(run->params, name);
}

void charm_action_set(struct charm_run *run, const char *key, const struct charm_value *value)
{
    charm_value_set(run->results, key, value);
}

void charm_action_set_text(struct charm_run *run, const char *key, const char *text)
{
    charm_value_set_text(run->results, key, text);
}

void charm_action_fail(struct charm_run *run, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    run->action_failure = format_text(run, format, args);
    va_end(args);
}

int64_t charm_now_ms(struct charm_run *run)
{
    return run->now_ms;
}

bool charm_wait_ms(struct charm_run *run, int64_t ms)
{
    if (run->wait_left_ms < ms) {
        return false;
    }
    run->wait_left_ms -= ms;
    run->now_ms += ms;
    return true;
}

void charm_trace(struct charm_run *run, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    charmi_words_add(run->arena, &run->traces, format_text(run, format, args));
    va_end(args);
}

void charm_secret(struct charm_run *run, const char *secret)
{
    charmi_words_add(run->arena, &run->secrets, charm_arena_copy(run->arena, secret));
}

void charm_fail(struct charm_run *run, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    charmi_words_add(run->arena, &run->failures, format_text(run, format, args));
    va_end(args);
}

/* ---- kcb/deployment.h, kcb/worker.h, kcb/workers.h ---- */

int kcbi_look_at_workers(struct charm_run *run, const struct charm_value **ret_live, bool *ret_old,
                         struct charm_error *reterr)
{
    struct kcbi_rest rest = kcbi_rest_of(run, KCBI_AS_LEADER);
    struct charm_value *live = NULL;
    const int result = kcbi_live_connectors(&rest, charm_app_get(run, KCBI_APP_CONNECTORS), &live,
                                            ret_old, reterr);
    *ret_live = live;
    return result;
}

void kcbi_say(struct charm_run *run, enum kcbi_subject subject, enum charm_status_level level,
              const char *format, ...)
{
    va_list args;
    va_start(args, format);
    charm_status(run, level, "%s", format_text(run, format, args));
    va_end(args);
}

void kcbi_hush(struct charm_run *run, enum kcbi_subject subject)
{
}

struct kcbi_look *kcbi_look_memo(struct charm_run *run)
{
    return &run->look;
}

const struct kcb_ports *kcbi_ports(const struct charm_run *run)
{
    return &run->kcb_ports;
}

const struct kcbi_options *kcbi_options(struct charm_run *run)
{
    return &run->options;
}

struct charm_value *kcbi_kafka_settings(struct charm_run *run, struct charm_error *reterr)
{
    if (run->kafka_settings == NULL) {
        charm_error_set(reterr, CHARM_EINVAL, "worker-config: sasl.mechanism is not known");
    }
    return run->kafka_settings;
}

int kcbi_kafka_credentials(struct charm_run *run, struct charm_value *settings,
                           struct charm_error *reterr)
{
    if (run->no_credentials != 0) {
        return charm_error_set(reterr, run->no_credentials,
                               "option kafka-secret: it could not be had");
    }
    return 0;
}

const char *const *kcbi_brokers(struct charm_run *run)
{
    return run->brokers;
}

const char *const *kcbi_rest_addresses(struct charm_run *run)
{
    return run->addresses;
}

const char *kcbi_rest_answered(struct charm_run *run)
{
    return "";
}

const char *kcb_get_configs_topic(struct charm_run *run)
{
    return "lab.connect.connectconfigs";
}

const char *kcb_get_offsets_topic(struct charm_run *run)
{
    return "lab.connect.connectoffsets";
}

const char *kcb_get_status_topic(struct charm_run *run)
{
    return "lab.connect.connectstatus";
}
