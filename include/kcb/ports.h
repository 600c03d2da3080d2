/*
 * kcb/ports.h: the base layer's own ways outside: HTTP to the workers' REST port, Kafka's admin protocol.
 *
 * Invariants. The layer asks the outside only through these. Every call has a deadline and ceilings and is safe to
 * repeat. A call returns 0 whenever the other side answered, whatever it said. Outputs are owned by the arena. The real
 * functions are `kcb_runtime_ports` in the target kcb-runtime (edge/kcb).
 *
 *     struct kcb_http_answer answer;
 *     struct kcb_http_request request = { .method = "GET", .url = "http://10.0.0.31:30083/", .timeout_ms = 5000,
 *                                         .max_body_bytes = 1 << 20 };
 *     int result = ports->http(ports->userdata, arena, &request, &answer, &error);
 *
 * May include: charm/value.h.
 */
#ifndef KCB_PORTS_H
#define KCB_PORTS_H

#include <stddef.h>
#include <stdint.h>

#include "charm/value.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kcb_http_request {
    const char *method; /* GET, PUT, POST, DELETE */
    const char *url;
    const char *body; /* JSON text, or NULL for none */
    int64_t timeout_ms;
    size_t max_body_bytes;
};

struct kcb_http_answer {
    int status;       /* 200, 404, ... */
    const char *body; /* "" if there is none; NUL-terminated, may hold NULs inside */
    size_t body_size;
    const char *content_type; /* "" if there is none */
};

struct kcb_topic_spec {
    const char *name;
    int partitions;
    int replication;
    const char *cleanup_policy; /* compact */
};

enum kcb_topic_presence {
    KCB_TOPIC_UNKNOWN, /* the broker would not say, see error_text */
    KCB_TOPIC_ABSENT,
    KCB_TOPIC_PRESENT,
};

struct kcb_topic_view {
    const char *name;
    enum kcb_topic_presence presence;
    int partitions;
    int replication;
    const char *
        cleanup_policy; /* NULL: could not be read (no right to describe, or a broker before 0.11) */
    const char *policy_error; /* why it could not be read; "" otherwise */
    int error_code;           /* Kafka's error code of this topic, 0 if none (29: not authorised) */
    const char *error_text;   /* "" if none */
};

struct kcb_cluster_view {
    const char *const *brokers; /* "1=host:port" sorted, NULL-ended */
    size_t broker_count;
    int fetch_min_version; /* lowest Fetch version that the broker takes; -1: not learnt */
    const struct kcb_topic_view *topics; /* one for each name asked, in that order */
    size_t topic_count;
};

struct kcb_topic_result {
    int code; /* Kafka's error code: 0 created, 36 exists, 38 replication, 29 not authorised, ... */
    const char *text; /* Kafka's own words, "" if none */
};

struct kcb_ports {
    void *userdata;
    /* CHARM_ENET: nobody answered; CHARM_ETIMEOUT; CHARM_ETOOBIG; CHARM_EINVAL: bad URL. */
    int (*http)(void *userdata, struct charm_arena *arena, const struct kcb_http_request *request,
                struct kcb_http_answer *ret_answer, struct charm_error *reterr);
    /*
     * Looks at the cluster and at the named topics (NULL-ended). `settings`: map of librdkafka property to text, with
     * bootstrap.servers; clients are kept for the run by their settings. Never creates a topic by asking.
     * CHARM_ENET with the cause from librdkafka's log lines (refused, not resolved); CHARM_EREFUSED when a person must act:
     * credentials, mechanism, certificates, security.protocol or rights do not fit, in words that say what to do;
     * CHARM_EINVAL for a property that librdkafka does not take, naming it.
     */
    int (*kafka_look)(void *userdata, struct charm_arena *arena, const struct charm_value *settings,
                      const char *const *topics, int64_t timeout_ms,
                      struct kcb_cluster_view *ret_view, struct charm_error *reterr);
    /* Asks for topics; one result for each. The answer does not mean that they can be seen already: look again. */
    int (*kafka_create)(void *userdata, struct charm_arena *arena,
                        const struct charm_value *settings, const struct kcb_topic_spec *specs,
                        size_t count, int64_t timeout_ms, struct kcb_topic_result *ret_results,
                        struct charm_error *reterr);
};

/* The real ones: libcurl and librdkafka. Defined in the target kcb-runtime. */
extern const struct kcb_ports kcb_runtime_ports;

#ifdef __cplusplus
}
#endif
#endif
