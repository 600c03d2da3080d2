/*
 * kcb/needs.h: what topics, REST and connectors ask of the layer that they are part of (layer.c defines it).
 *
 * Invariants. Pure reading of facts: no call costs more than the hook tool calls of the facts behind it. Everything is
 * borrowed until the run ends.
 *
 *     const char *const *addresses = kcbi_rest_addresses(run);
 *     if (addresses[0] == NULL) {
 *         return CHARM_LATER;
 *     }
 *
 * May include: charm/run.h.
 */
#ifndef KCBI_NEEDS_H
#define KCBI_NEEDS_H

#include "charm/run.h"

/* Name of the base layer: of its ports and of its part of the unit's state. */
#define KCBI_LAYER "kafka-connect-base"

/* librdkafka properties with bootstrap.servers, a map of texts; NULL: there is no Kafka to ask. */
const struct charm_value *kcbi_kafka_settings(struct charm_run *run);
/* "ADDRESS:PORT" of every way to the workers' REST service, NULL-ended; never NULL, empty: nobody to ask. */
const char *const *kcbi_rest_addresses(struct charm_run *run);

#endif
