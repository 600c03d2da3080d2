/*
 * edge/kcb/kafka_client.h: librdkafka clients, kept by their settings, and why they cannot reach Kafka.
 *
 * librdkafka answers every failure to connect alike, with a time-out; why is only in what it tells its error
 * callback (lab-facts.md 1.3). A client therefore remembers the most telling of these words. It is also given up as
 * soon as that is decided: credentials refused, or no broker left to try for a second. A client that failed is not used again:
 * a fresh one finds a broker that is back sooner.
 *
 *     struct kcbi_kafka_client *client;
 *     int r = kcbi_kafka_client_get(session, arena, settings, &client, &error);
 *     rd_kafka_DescribeTopics(client->kafka, topics, options, client->queue);
 *     r = kcbi_kafka_client_wait(client, deadline_ms, &event, &error);
 *
 * May include: charm/value.h, base, librdkafka.
 */
#ifndef KCBI_KAFKA_CLIENT_H
#define KCBI_KAFKA_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include "charm/value.h"
#include "edge/kcb/session.h"

struct kcbi_kafka_client {
    struct kcbi_kafka_client *next;
    char *settings;  /* own: JSON text, what it was made of */
    char *bootstrap; /* own: for error texts */
    rd_kafka_t *kafka;
    rd_kafka_queue_t *queue; /* answers to admin requests */
    bool given_up;
    /* Lowest Fetch and highest Metadata version that a broker takes; -1: not learnt. */
    int fetch_min_version;
    int metadata_max_version;
    rd_kafka_resp_err_t cause; /* the most telling error so far, 0 if none */
    char cause_text[512];
    atomic_int x509_error; /* why the broker's certificate was not accepted, 0: it was */
    bool has_certificate;  /* of our own */
    bool kept_certificate; /* it was not sent: the broker knows none of those who signed it */
    int64_t all_down_ms; /* monotonic time since when there is no broker left to try; 0: there is */
};

/* A client that can be used; borrowed from the session. CHARM_EINVAL names a property that librdkafka does not take. */
CHARM_MUST_CHECK int kcbi_kafka_client_get(struct kcbi_session *session, struct charm_arena *arena,
                                           const struct charm_value *settings,
                                           struct kcbi_kafka_client **ret_client,
                                           struct charm_error *reterr);
/*
 * The cluster as any broker sees it (own: rd_kafka_metadata_destroy()), without topics, or with all of them. Unlike admin
 * requests it needs no controller. Names no topic, so none is made.
 */
enum kcbi_topics_wanted { KCBI_NO_TOPICS, KCBI_ALL_TOPICS };
CHARM_MUST_CHECK int kcbi_kafka_client_metadata(struct kcbi_kafka_client *client,
                                                enum kcbi_topics_wanted topics, int64_t deadline_ms,
                                                const struct rd_kafka_metadata **ret_metadata,
                                                struct charm_error *reterr);
/* The next answer (own: rd_kafka_event_destroy()). Fails as kcbi_kafka_client_failed() says. */
CHARM_MUST_CHECK int kcbi_kafka_client_wait(struct kcbi_kafka_client *client, int64_t deadline_ms,
                                            rd_kafka_event_t **ret_event,
                                            struct charm_error *reterr);
/*
 * Gives the client up and says why, as far as it is known: kafka_trouble.h has codes and words. `code` and `text`:
 * librdkafka's own.
 */
int kcbi_kafka_client_failed(struct kcbi_kafka_client *client, rd_kafka_resp_err_t code,
                             const char *text, struct charm_error *reterr);
/* All clients of the session; waits for librdkafka's threads, see session.h. */
void kcbi_kafka_release(struct kcbi_session *session);
/* Monotonic, as the deadlines above; and what is left until one, 0 to INT_MAX. */
int64_t kcbi_clock_ms(void);
int kcbi_left_ms(int64_t deadline_ms);

#endif
