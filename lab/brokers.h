/*
 * lab/brokers.h: a Kafka cluster as data: brokers that are up or down, topics, refusals.
 *
 * Pure: a call is a function call, without clock or socket. It answers as brokers of 3.x and 4.x do (lab-facts.md 1.3):
 * reads lag writes, refusals are Kafka's error codes and words, `bootstrap.servers` must name a broker that is up. The two
 * functions have the shapes of kcb_ports.kafka_look and kafka_create (kcb/ports.h), with the brokers as their userdata.
 *
 *     struct lab_brokers *brokers = lab_brokers_new(arena, "127.0.0.1", 9092);
 *     lab_brokers_set(brokers, yaml("{brokers: 3, down: [2], lag: 1, topics: {a: 1}}"), &error);
 *     lab_brokers_look(brokers, arena, settings, topics, 8000, &view, &error);
 *
 * May include: include/charm, include/kcb, base.
 */
#ifndef LAB_BROKERS_H
#define LAB_BROKERS_H

#include "kcb/ports.h"

struct lab_brokers;

/* One broker, up, without topics: number 1. Number N listens at `port` + N - 1. Released with the arena. */
struct lab_brokers *lab_brokers_new(struct charm_arena *arena, const char *host, int port);
/*
 * "up" or "down" (all of them), or a map; what is left out stays:
 *     brokers: N          so many (1 to 9)
 *     fetch: N            lowest version of Fetch that they take: 4 as 4.x does, 0 as older ones do
 *     down: [N, ...]      these are down, the others up
 *     vanish-after: N     all are down after so many calls more
 *     lag: N              a topic that is made from now on is not seen by the next N looks
 *     topics: {NAME: PARTITIONS, or {partitions, replication, policy}}    replaces them all; policy null: not to be read,
 *                         before 4.x (fetch: 0) because they do not know how to describe settings
 *     look-error, create-error: CODE     Kafka's error code for every topic; 0: none
 *     credentials: refused, or accepted
 * CHARM_EINVAL for anything else: nothing has changed then.
 */
CHARM_MUST_CHECK int lab_brokers_set(struct lab_brokers *brokers, const struct charm_value *what,
                                     struct charm_error *reterr);
/* What there is: name to {partitions, replication, policy}. */
const struct charm_value *lab_brokers_topics(const struct lab_brokers *brokers);

/* `brokers` is a struct lab_brokers. For the rest see kcb/ports.h. */
int lab_brokers_look(void *brokers, struct charm_arena *arena, const struct charm_value *settings,
                     const char *const *topics, int64_t timeout_ms,
                     struct kcb_cluster_view *ret_view, struct charm_error *reterr);
int lab_brokers_create(void *brokers, struct charm_arena *arena, const struct charm_value *settings,
                       const struct kcb_topic_spec *specs, size_t count, int64_t timeout_ms,
                       struct kcb_topic_result *ret_results, struct charm_error *reterr);

#endif
