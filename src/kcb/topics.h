/*
 * kcb/topics.h: the three internal topics of Connect: made, confirmed, looked after.
 *
 * Connect forgets its configuration on a topic that is not compacted, and since 2.6 refuses to start on it
 * (kafka-connect.md 2.2). So the flag KCB_TOPIC_CREATED means that all three were seen and are right. It falls only on a
 * positive finding: one is missing or wrong, or these are other brokers or other topics. That nobody answers changes nothing.
 *
 *     struct kcb_topic_spec specs[KCBI_TOPIC_COUNT];
 *     kcbi_topic_specs(names, kcbi_topic_replication(0, view.broker_count), specs);
 *     struct kcbi_topics_verdict verdict = kcbi_judge_topics(arena, specs, &view);
 *
 * Rows: create-topics. Guards: KCB_KAFKA_READY, leadership, application state; sets and clears KCB_TOPIC_CREATED, a term
 * flag, and with it clears KCB_CONFIGURED, KCB_RUNNING and KCB_DEGRADED, unless a topic is there and merely wrong.
 * Part of the layer's state: "topics" {bootstrap, configs_topic, seen_ms, owed, fetch_min_version, replication, seen_replication,
 * wished_replication}. Application state: KCBI_APP_REPLICATION.
 *
 * May include: kcb/ports.h, charm/run.h.
 */
#ifndef KCBI_TOPICS_H
#define KCBI_TOPICS_H

#include "charm/run.h"
#include "kcb/ports.h"

enum { KCBI_TOPIC_CONFIGS, KCBI_TOPIC_OFFSETS, KCBI_TOPIC_STATUS, KCBI_TOPIC_COUNT };

/* The row: see above. Its status names the cause and what helps. */
enum charm_result kcbi_create_topics(struct charm_run *run, const struct charm_row *row);
/* Lowest Fetch version that the brokers took at the last look; -1: not learnt. From 4 on it is Kafka 4, which refuses
 * workers before 2.1 (KIP-896). */
int64_t kcbi_fetch_min_version(struct charm_run *run);
/* That the topics have another replication than new ones would get, in words; "" if they have not. */
const char *kcbi_replication_words(struct charm_run *run);

/* ---- pure ---- */
/* What librdkafka says, without what differs from time to time, cut and without secrets. */
const char *kcbi_kafka_words(struct charm_arena *arena, const char *text);
/* As many as brokers, at most 3, never below 1; `option` (0: not given) says otherwise. */
int kcbi_topic_replication(int64_t option, size_t broker_count);
/* `names` in the order of the enum above: 1, 50 and 10 partitions, compacted. */
void kcbi_topic_specs(const char *const names[KCBI_TOPIC_COUNT], int replication,
                      struct kcb_topic_spec ret_specs[KCBI_TOPIC_COUNT]);

/* Worst last. */
enum kcbi_topic_state {
    KCBI_TOPIC_FINE,
    KCBI_TOPIC_MISSING,
    KCBI_TOPIC_UNSEEN, /* there may be nothing wrong, but we may not or cannot look */
    KCBI_TOPIC_WRONG,
};
struct kcbi_topic_verdict {
    enum kcbi_topic_state state;
    const char *
        words; /* what is wrong or unseen, what Connect would do with it, how to mend it; "" when fine */
    const char *
        note; /* for the story only: what could not be seen, or differs without harm; "" if nothing */
};
struct kcbi_topics_verdict {
    enum kcbi_topic_state worst;
    struct kcbi_topic_verdict topics[KCBI_TOPIC_COUNT];
};
/* A view that lacks a topic says "unseen" of it. */
struct kcbi_topics_verdict kcbi_judge_topics(struct charm_arena *arena,
                                             const struct kcb_topic_spec specs[KCBI_TOPIC_COUNT],
                                             const struct kcb_cluster_view *view,
                                             const char *bootstrap);

/* What Kafka said to a wish for a topic. */
enum kcbi_creation {
    KCBI_CREATION_DONE,  /* made, or there already: look at it */
    KCBI_CREATION_LATER, /* no controller, a time-out, a quota: ask again */
    KCBI_CREATION_BLOCKED,
};
/* `ret_words`: one line for the status, "" when done. */
enum kcbi_creation kcbi_judge_creation(struct charm_arena *arena, const struct kcb_topic_spec *spec,
                                       size_t broker_count, const char *bootstrap,
                                       const struct kcb_topic_result *result,
                                       const char **ret_words);

/* Why to look at the topics again. NULL: no reason. */
struct kcbi_topics_memory {
    const char *bootstrap; /* brokers of the last look that confirmed all three; "" if none */
    int64_t seen_ms;       /* its time */
    bool owed;             /* the last look had no answer */
    bool renamed;          /* it looked at topics of other names */
};
const char *kcbi_topics_due(const struct kcbi_topics_memory *memory, bool confirmed,
                            const char *bootstrap, const char *hook, int64_t now_ms);
/* Two lists of brokers ("a:1,b:2") without a common member: another Kafka. */
bool kcbi_other_brokers(struct charm_arena *arena, const char *before, const char *now);

#endif
