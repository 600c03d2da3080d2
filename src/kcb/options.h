/*
 * kcb/options.h: the operator's options, checked.
 *
 * A wrong value never reaches the workers: it becomes a problem in words, which name the option and what is allowed, and
 * the last good value stays in force. The last good values live in the application state, so that any leader keeps
 * them. Which options exist is the table in options.c; a test compares it with config.yaml.
 *
 *     struct kcbi_options options;
 *     kcbi_options_read(arena, config, last_good, &options);
 *     if (options.problem != NULL) {
 *         charm_status(run, CHARM_BLOCKED, "%s", options.problem);
 *     }
 *
 * May include: charm/value.h.
 */
#ifndef KCBI_OPTIONS_H
#define KCBI_OPTIONS_H

#include "charm/value.h"

struct kcbi_options {
    int64_t workers;
    const char *group_id;     /* "": the application's name */
    const char *topics;       /* as given */
    const char *topic_prefix; /* "": MODEL.APPLICATION */
    const char *worker_config;
    const char *kafka_secret;  /* URI of a Juju secret; "": none */
    const char *worker_secret; /* name of a Kubernetes Secret; "": none */
    bool allow_secrets_in_relation;
    int64_t replication_factor; /* 0: as many as brokers, at most 3 */
    const char *connectors;
    bool adopt_connectors;
    int64_t restart_failed;     /* how many times in a row, by itself */
    const char *image;          /* "": the upper layer's, or the default */
    const char *worker_command; /* "": the image's */
    const char *worker_version; /* "": from the image's tag */
    const char *heap;           /* "": half of memory */
    const char *memory;
    const char *cpu;
    const char *service_type;
    /* First thing that is wrong, in words with the allowed values; NULL: all is well. */
    const char *problem;
    /* The values in force, to be remembered as the last good ones: option -> value. */
    struct charm_value *good;
};

/* `config`: what config-get gave, may be NULL. `last_good`: a former `good`, may be NULL. Never fails. */
void kcbi_options_read(struct charm_arena *arena, const struct charm_value *config,
                       const struct charm_value *last_good, struct kcbi_options *ret_options);
/* Names of all options of this layer that are read here, NULL-ended (static). */
const char *const *kcbi_options_names(struct charm_arena *arena);
/* Does its value name a secret, and is none itself? */
bool kcbi_option_names_a_secret(const char *name);
/* Bytes of "512M" / "2G" (heap) or "768Mi" / "1Gi" / "1G" (Kubernetes quantity); -1 if it is neither. */
int64_t kcbi_options_bytes(const char *text);
/* Bytes of a Java heap: a number with M or G, which are powers of 1024 there; -1 if it is none. */
int64_t kcbi_options_heap_bytes(const char *text);

#endif
