/*
 * kcb/deployment.h: what the base layer knows about this run: options, brokers, topics, workers, their addresses.
 *
 * Everything is a function of facts and of what rows gave; it is computed when first asked for. The layer's table
 * (layer.c) and the modules that talk to Kafka and to the workers ask here, never each other.
 *
 * May include: charm/run.h, kcb/ports.h, kcb/options.h.
 */
#ifndef KCBI_DEPLOYMENT_H
#define KCBI_DEPLOYMENT_H

#include "charm/run.h"
#include "kcb/options.h"
#include "kcb/ports.h"

/* Name of the layer, and of its part of the unit's state. */
#define KCBI_LAYER "kafka-connect-base"

/* The layer's functions to the outside. */
const struct kcb_ports *kcbi_ports(const struct charm_run *run);
/* The operator's options with last good values in place of wrong ones. */
const struct kcbi_options *kcbi_options(struct charm_run *run);
/* "host:port" of every broker that relation `kafka` names, sorted, without duplicates; NULL-ended. */
const char *const *kcbi_brokers(struct charm_run *run);
/* Properties of the charm's own Kafka client (librdkafka's names), or NULL with the reason in `reterr`. */
const struct charm_value *kcbi_kafka_settings(struct charm_run *run, struct charm_error *reterr);
/* The version of the workers, from options and image: "4.1.0". */
const char *kcbi_worker_version(struct charm_run *run);
/* "ADDRESS:PORT" of the workers' REST port, one for each node, NULL-ended; empty while nothing is rolled out. */
const char *const *kcbi_rest_addresses(struct charm_run *run);

#endif
