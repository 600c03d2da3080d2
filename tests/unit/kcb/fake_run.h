/*
 * fake_run.h: a run whose facts the test gives, and whose effects it looks at.
 *
 * It defines the functions of charm/run.h and kcb/deployment.h that rows and outputs of the base layer call, so these
 * are tested without an engine: link the sources under test and fake_run.c, and neither libcharm nor libkcb. Time passes
 * only when somebody waits.
 *
 *     struct charm_run *run = fake_run_new();
 *     fake_http(run, "GET", "/", 200, "{\"version\": \"4.3.1\"}");
 *     ...
 *     fake_run_free(run);
 */
#ifndef FAKE_RUN_H
#define FAKE_RUN_H

#include "base/text.h"
#include "charm/run.h"
#include "kcb/deployment.h"
#include "kcb/ports.h"

enum { FAKE_MOST_ANSWERS = 64, FAKE_MOST_LOOKS = 32 };

struct fake_answer {
    const char *method;
    const char *path; /* behind the address */
    int status;       /* 0: nobody answers */
    const char *body;
    bool used;
};

struct fake_look {
    int result; /* 0 or a charm_code */
    const char *error;
    const struct kcb_cluster_view *view;
};

struct charm_run {
    struct charm_arena *arena;
    struct charm_context context;
    struct charm_ports ports;
    struct kcb_ports kcb_ports;
    struct kcbi_options options;
    struct kcbi_look look;
    int64_t now_ms;
    int64_t wait_left_ms;
    bool leader; /* what charm_still_leader() says */
    struct charmi_words flags;
    struct charm_value *config;
    struct charm_value *given;   /* kind -> key -> value */
    struct charm_value *app;     /* as the last commit left it */
    struct charm_value *app_set; /* what was set in this run */
    struct charm_value *state;
    struct charm_value *outcomes; /* "layer.row" -> {"outcome": n, "unmet": [..]} */
    const char *current;
    const char *unknown_endpoint;
    struct charmi_words statuses; /* "blocked: words" */
    struct charmi_words traces;
    struct charmi_words secrets;
    struct charmi_words failures;
    struct charm_value *params;
    struct charm_value *results;
    const char *action_failure; /* NULL: it did not fail */
    struct charm_value *kafka_settings;
    enum charm_code no_credentials; /* what kcbi_kafka_credentials() fails with; 0: it does not */
    const char *brokers[4];         /* that relation `kafka` names */
    const char *addresses[4];
    struct fake_answer answers[FAKE_MOST_ANSWERS];
    size_t answer_count;
    struct charmi_words requests; /* "PUT http://10.0.0.1:30083/connectors/a/config {...}" */
    struct fake_look looks[FAKE_MOST_LOOKS];
    size_t look_count; /* the last one repeats */
    size_t looks_done;
    struct kcb_topic_result creations[8]; /* answers for topics in order of asking; the rest: 0 */
    int creation_result;
    size_t creations_done;
    struct charmi_words created; /* "name 1x3 compact" */
};

struct charm_run *fake_run_new(void);
void fake_run_free(struct charm_run *run);
/* A status: no URL that can be asked. */
#define FAKE_BAD_URL (-400)
/* The next request of this method and path gets this answer; each answer serves once, in order. */
void fake_http(struct charm_run *run, const char *method, const char *path, int status,
               const char *body);
void fake_flag(struct charm_run *run, const char *flag);
void fake_outcome(struct charm_run *run, const char *row, enum charm_outcome outcome,
                  const char *unmet);
/* Requests of this method so far. */
size_t fake_requests(const struct charm_run *run, const char *method);
/* Does any status, or any request, hold this text? */
bool fake_said(const struct charm_run *run, const char *text);
bool fake_asked(const struct charm_run *run, const char *text);
struct charm_value *fake_json(struct charm_run *run, const char *text);

#endif
