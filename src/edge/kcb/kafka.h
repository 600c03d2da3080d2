/*
 * edge/kcb/kafka.h: Kafka's admin protocol by librdkafka: what is there, and topics made.
 *
 * Settings are properties of librdkafka. What it does with them, kept clients and errors: edge/kcb/kafka_client.h.
 *
 * May include: kcb/ports.h, edge/kcb, librdkafka.
 */
#ifndef KCBI_KAFKA_H
#define KCBI_KAFKA_H

#include "edge/kcb/session.h"
#include "kcb/ports.h"

/* As kcb_ports.kafka_look and kcb_ports.kafka_create. */
CHARM_MUST_CHECK int kcbi_kafka_look(struct kcbi_session *session, struct charm_arena *arena,
                                     const struct charm_value *settings, const char *const *topics,
                                     int64_t timeout_ms, struct kcb_cluster_view *ret_view,
                                     struct charm_error *reterr);
CHARM_MUST_CHECK int kcbi_kafka_create(struct kcbi_session *session, struct charm_arena *arena,
                                       const struct charm_value *settings,
                                       const struct kcb_topic_spec *specs, size_t count,
                                       int64_t timeout_ms, struct kcb_topic_result *ret_results,
                                       struct charm_error *reterr);

#endif
