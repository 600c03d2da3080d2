#include "edge/kcb/kafka_client.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"
#include "edge/kcb/kafka_trouble.h"

#if RD_KAFKA_VERSION < 0x020601ff
#error                                                                                             \
    "librdkafka 2.6.1 or newer is needed: older ones cannot do SCRAM with Kafka 4 (librdkafka#4895)"
#endif

enum {
    LOOK_MS = 50, /* how often errors are looked at while waiting */
    FIRST_PIECE_MS = 250,
    GRACE_MS = 300,        /* librdkafka's own time-out of a request says more than ours */
    LAST_CHANCE_MS = 1000, /* how long brokers that all refuse are still tried */
};

int64_t kcbi_clock_ms(void)
{
    struct timespec now = { 0 };
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / (1000 * 1000);
}

int kcbi_left_ms(int64_t deadline_ms)
{
    const int64_t left = deadline_ms - kcbi_clock_ms();
    if (left <= 0) {
        return 0;
    }
    return left < INT_MAX ? (int)left : INT_MAX;
}

/* ---- what librdkafka tells; called by rd_kafka_poll() in our own thread ---- */

static struct kcbi_heard heard_by(const struct kcbi_kafka_client *client, rd_kafka_resp_err_t code,
                                  const char *text)
{
    return (struct kcbi_heard){
        .code = code,
        .text = text,
        .x509_error = atomic_load(&client->x509_error),
        .has_certificate = client->has_certificate,
        .kept_certificate = client->kept_certificate,
    };
}

static struct kcbi_heard cause_of(const struct kcbi_kafka_client *client)
{
    return heard_by(client, client->cause, client->cause_text);
}

static void on_error(rd_kafka_t *kafka, int code, const char *reason, void *userdata)
{
    (void)kafka;
    struct kcbi_kafka_client *client = userdata;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && client->all_down_ms == 0) {
        client->all_down_ms = kcbi_clock_ms();
    }
    const struct kcbi_heard before = cause_of(client);
    const struct kcbi_heard now = heard_by(client, code, reason);
    if (kcbi_kafka_telling(&now) > 0 && kcbi_kafka_telling(&now) >= kcbi_kafka_telling(&before)) {
        client->cause = code;
        snprintf(client->cause_text, sizeof(client->cause_text), "%s", reason);
    }
}

/* Somebody answered: what was heard before is past. */
static void forget_trouble(struct kcbi_kafka_client *client)
{
    client->cause = RD_KAFKA_RESP_ERR_NO_ERROR;
    client->cause_text[0] = '\0';
    client->all_down_ms = 0;
}

/*
 * Called in librdkafka's own threads, for each certificate of the broker's chain: decides nothing, remembers why OpenSSL
 * does not accept it.
 */
/* NOLINTNEXTLINE(readability-function-size,readability-non-const-parameter): librdkafka wants it so */
static int on_certificate(rd_kafka_t *kafka, const char *broker, int32_t broker_id, int *x509_error,
                          int depth, const char *der, size_t size, char *why, size_t why_size,
                          void *userdata)
{
    (void)kafka;
    (void)broker;
    (void)broker_id;
    (void)depth;
    (void)der;
    (void)size;
    struct kcbi_kafka_client *client = userdata;
    if (*x509_error == 0) {
        return 1;
    }
    atomic_store(&client->x509_error, *x509_error);
    snprintf(why, why_size, "not accepted");
    return 0;
}

/* "  ApiKey Fetch (1) Versions 4..17": librdkafka has no function that tells. */
static void on_log(const rd_kafka_t *kafka, int level, const char *facility, const char *text)
{
    (void)level;
    static const char fetch[] = "ApiKey Fetch (1) Versions ";
    static const char metadata[] = "ApiKey Metadata (3) Versions ";
    struct kcbi_kafka_client *client = rd_kafka_opaque(kafka);
    const char *found;
    if (charmi_same(facility, "SSL") && strstr(text, "not sending any client cert") != NULL) {
        client->kept_certificate = true;
    }
    if (!charmi_same(facility, "APIVERSION")) {
        return;
    }
    if ((found = strstr(text, fetch)) != NULL) {
        client->fetch_min_version = (int)strtol(found + strlen(fetch), NULL, 10);
    } else if ((found = strstr(text, metadata)) != NULL) {
        const char *highest = strstr(found, "..");
        client->metadata_max_version = highest != NULL ? (int)strtol(highest + 2, NULL, 10) : -1;
    }
}

/* ---- make ---- */

/* Ours, after the caller's: what this file relies on. */
static const struct {
    const char *name;
    const char *value;
} fixed[] = {
    { "log.queue", "true" },                 /* callbacks only in our thread */
    { "debug", "feature" },                  /* the ranges of versions, see on_log() */
    { "allow.auto.create.topics", "false" }, /* asking for a topic must not make it */
    { "enable.metrics.push", "false" },
    { "topic.metadata.refresh.interval.ms", "-1" }, /* we ask when we want to know */
    { "reconnect.backoff.ms", "50" },
    { "reconnect.backoff.max.ms", "500" },
};

/* librdkafka's own text may quote the value, which may be a password. */
static int set_property(rd_kafka_conf_t *conf, const char *name, const char *value,
                        struct charm_error *reterr)
{
    char ignored[512];
    switch (rd_kafka_conf_set(conf, name, value, ignored, sizeof(ignored))) {
    case RD_KAFKA_CONF_OK:
        return 0;
    case RD_KAFKA_CONF_UNKNOWN:
        return charm_error_set(reterr, CHARM_EINVAL,
                               "set Kafka client property '%s': there is no such property", name);
    default:
        return charm_error_set(reterr, CHARM_EINVAL,
                               "set Kafka client property '%s': its value is not accepted", name);
    }
}

static int set_properties(rd_kafka_conf_t *conf, struct charm_arena *arena,
                          const struct charm_value *settings, struct charm_error *reterr)
{
    CHARM_EACH(settings, it)
    {
        const int result = set_property(conf, it.key, charm_value_scalar(arena, it.value), reterr);
        if (result != 0) {
            return result;
        }
    }
    for (size_t i = 0; i < CHARMI_COUNT(fixed); i++) {
        const int result = set_property(conf, fixed[i].name, fixed[i].value, reterr);
        if (result != 0) {
            return result;
        }
    }
    return 0;
}

/* A file that the workers have must be here, too. */
static int check_files(struct charm_arena *arena, const struct charm_value *settings,
                       struct charm_error *reterr)
{
    CHARM_EACH(settings, it)
    {
        const char *path = charm_value_scalar(arena, it.value);
        if (charmi_ends_with(it.key, ".location") && access(path, R_OK) != 0) {
            const int why = errno;
            return kcbi_kafka_explain_file(it.key, path, why, reterr);
        }
    }
    return 0;
}

static bool has_certificate(const struct charm_value *settings)
{
    return charm_value_get(settings, "ssl.certificate.pem") != NULL ||
           charm_value_get(settings, "ssl.certificate.location") != NULL ||
           charm_value_get(settings, "ssl.keystore.location") != NULL;
}

static int open_client(struct kcbi_kafka_client *client, struct charm_arena *arena,
                       const struct charm_value *settings, struct charm_error *reterr)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    int result = check_files(arena, settings, reterr);
    if (result == 0) {
        result = set_properties(conf, arena, settings, reterr);
    }
    if (result != 0) {
        rd_kafka_conf_destroy(conf);
        return result;
    }
    rd_kafka_conf_set_opaque(conf, client);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    if (rd_kafka_conf_set_ssl_cert_verify_cb(conf, on_certificate) != RD_KAFKA_CONF_OK) {
        charmi_bug("librdkafka without TLS");
    }
    client->has_certificate = has_certificate(settings);
    client->kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (client->kafka == NULL) {
        rd_kafka_conf_destroy(conf); /* taken only on success */
        return kcbi_kafka_explain_settings(why, reterr);
    }
    if (rd_kafka_set_log_queue(client->kafka, NULL) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        charmi_bug("log.queue is set, and librdkafka says it is not");
    }
    client->queue = rd_kafka_queue_new(client->kafka);
    return 0;
}

static char *copy_text(const char *text)
{
    const size_t size = strlen(text) + 1;
    return memcpy(charmi_malloc(size), text, size);
}

static void client_free(struct kcbi_kafka_client *client)
{
    if (client->queue != NULL) {
        rd_kafka_queue_destroy(client->queue);
    }
    if (client->kafka != NULL) {
        rd_kafka_destroy(client->kafka);
    }
    free(client->settings);
    free(client->bootstrap);
    free(client);
}

static struct kcbi_kafka_client *find(struct kcbi_session *session, const char *settings)
{
    for (struct kcbi_kafka_client *c = session->clients; c != NULL; c = c->next) {
        if (!c->given_up && charmi_same(c->settings, settings)) {
            return c;
        }
    }
    return NULL;
}

int kcbi_kafka_client_get(struct kcbi_session *session, struct charm_arena *arena,
                          const struct charm_value *settings, struct kcbi_kafka_client **ret_client,
                          struct charm_error *reterr)
{
    const char *text = charm_value_render(arena, settings, CHARM_JSON_SORTED);
    kcbi_session_begin(session);
    struct kcbi_kafka_client *client = find(session, text);
    if (client != NULL) {
        *ret_client = client;
        return 0;
    }
    const char *bootstrap = charm_text(charm_value_get(settings, "bootstrap.servers"));
    if (charmi_blank(bootstrap)) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "make a Kafka client: bootstrap.servers is empty");
    }
    client = charmi_malloc(sizeof(*client));
    *client = (struct kcbi_kafka_client){ .fetch_min_version = -1, .metadata_max_version = -1 };
    client->settings = copy_text(text);
    client->bootstrap = copy_text(bootstrap);
    const int result = open_client(client, arena, settings, reterr);
    if (result != 0) {
        client_free(client);
        return result;
    }
    client->next = session->clients;
    session->clients = client;
    *ret_client = client;
    return 0;
}

void kcbi_kafka_release(struct kcbi_session *session)
{
    while (session->clients != NULL) {
        struct kcbi_kafka_client *client = session->clients;
        session->clients = client->next;
        client_free(client);
    }
}

/* ---- wait ---- */

static bool is_hopeless(const struct kcbi_kafka_client *client)
{
    const struct kcbi_heard cause = cause_of(client);
    return kcbi_kafka_decided(&cause) ||
           (client->all_down_ms > 0 && kcbi_clock_ms() - client->all_down_ms > LAST_CHANCE_MS);
}

/* Nobody answered, which says nothing of why. */
static bool is_silence(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__SSL || code == RD_KAFKA_RESP_ERR__RESOLVE ||
           code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
           code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
}

int kcbi_kafka_client_failed(struct kcbi_kafka_client *client, rd_kafka_resp_err_t code,
                             const char *text, struct charm_error *reterr)
{
    rd_kafka_poll(client->kafka, 0); /* the cause may still be on its way */
    client->given_up = true;
    const bool knows_better = is_silence(code) && client->cause != RD_KAFKA_RESP_ERR_NO_ERROR;
    const struct kcbi_heard heard = knows_better ? cause_of(client) : heard_by(client, code, text);
    return kcbi_kafka_explain(&heard, client->bootstrap, reterr);
}

/* Asks in growing pieces of time, because errors are looked at only in between. */
int kcbi_kafka_client_metadata(struct kcbi_kafka_client *client, enum kcbi_topics_wanted topics,
                               int64_t deadline_ms, const struct rd_kafka_metadata **ret_metadata,
                               struct charm_error *reterr)
{
    int piece_ms = FIRST_PIECE_MS;
    for (;;) {
        const int left_ms = kcbi_left_ms(deadline_ms);
        const rd_kafka_resp_err_t code =
            rd_kafka_metadata(client->kafka, topics == KCBI_ALL_TOPICS, NULL, ret_metadata,
                              left_ms < piece_ms ? left_ms : piece_ms);
        rd_kafka_poll(client->kafka, 0);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            forget_trouble(client);
            return 0;
        }
        if (!is_silence(code) || left_ms <= piece_ms || is_hopeless(client)) {
            return kcbi_kafka_client_failed(client, code, rd_kafka_err2str(code), reterr);
        }
        piece_ms *= 2;
    }
}

int kcbi_kafka_client_wait(struct kcbi_kafka_client *client, int64_t deadline_ms,
                           rd_kafka_event_t **ret_event, struct charm_error *reterr)
{
    for (;;) {
        const int left_ms = kcbi_left_ms(deadline_ms + GRACE_MS);
        rd_kafka_event_t *event =
            rd_kafka_queue_poll(client->queue, left_ms < LOOK_MS ? left_ms : LOOK_MS);
        rd_kafka_poll(client->kafka, 0);
        if (event != NULL) {
            *ret_event = event;
            return 0;
        }
        if (left_ms == 0 || is_hopeless(client)) {
            return kcbi_kafka_client_failed(client, RD_KAFKA_RESP_ERR__TIMED_OUT,
                                            "nobody answered in time", reterr);
        }
    }
}
