/*
 * kcb/versions.h: which Kafka Connect a worker is, and what follows from it.
 *
 * The one place that compares versions for the documents of the worker: kafka-connect.md 2.7 in code.
 *
 *     struct kcbi_image image = kcbi_image_read(arena, "apache/kafka:4.1.0");
 *     struct kcbi_version version;
 *     if (kcbi_version_choose(options->worker_version, &image, &version, reterr) == 0 &&
 *         kcbi_version_traits(version).rest_port) { ... }
 *
 * May include: charm/arena.h, charm/error.h, base.
 */
#ifndef KCBI_VERSIONS_H
#define KCBI_VERSIONS_H

#include <stdbool.h>

#include "charm/arena.h"

/* What workers run when nobody says otherwise: a current Apache Kafka. */
#define KCBI_DEFAULT_IMAGE "apache/kafka:4.3.1"
/* The image of the original charm: Connect 0.10.1. */
#define KCBI_ORIGINAL_IMAGE "sborny/kafka-connect-base"

struct kcbi_version {
    int major;
    int minor;
    int patch;
};

/* "4", "0.10", "3.9.1", "0.10.1.1" (a fourth part is read and dropped); from 0.10 on. CHARM_EINVAL. */
CHARM_MUST_CHECK int kcbi_version_parse(const char *text, struct kcbi_version *ret_version,
                                        struct charm_error *reterr);
/* Is what a worker says of itself ("2.8.2", "7.6.0-ccs") before MAJOR.MINOR? A text that is no version is not. */
bool kcbi_version_before(const char *text, int major, int minor);
/* Below, equal or above 0, as `left` is older than, the same as or newer than `right`. */
int kcbi_version_compare(struct kcbi_version left, struct kcbi_version right);
bool kcbi_version_at_least(struct kcbi_version version, int major, int minor, int patch);
/* "3.9.1" */
const char *kcbi_version_text(struct charm_arena *arena, struct kcbi_version version);

enum kcbi_image_kind {
    KCBI_IMAGE_APACHE, /* apache/kafka: a whole release under /opt/kafka, no entry point for workers */
    KCBI_IMAGE_ORIGINAL, /* sborny/kafka-connect-base: its entry script starts the worker */
    KCBI_IMAGE_OTHER,    /* must start a worker by itself, or option worker-command says how */
};

struct kcbi_image {
    const char *name; /* as given */
    enum kcbi_image_kind kind;
    const char *tag; /* "" if it has none */
    bool has_version;
    struct kcbi_version version; /* when has_version */
};

/* Takes "[REGISTRY[:PORT]/]REPOSITORY[:TAG][@DIGEST]" apart. Never fails: what is not known is OTHER, without version. */
struct kcbi_image kcbi_image_read(struct charm_arena *arena, const char *image);

/*
 * The version of the workers: option worker-version if it is given, else what the image says, else the version of
 * KCBI_DEFAULT_IMAGE. CHARM_EINVAL for a bad option.
 */
CHARM_MUST_CHECK int kcbi_version_choose(const char *option, const struct kcbi_image *image,
                                         struct kcbi_version *ret_version,
                                         struct charm_error *reterr);

/* What a worker of some version needs, and can. */
struct kcbi_traits {
    bool internal_converters; /* internal.{key,value}.converter must be written (before 2.0) */
    bool rest_port;       /* the port is property rest.port (before 1.1), not listeners (KIP-208) */
    bool creates_topics;  /* *.storage.replication.factor means something (0.11, KIP-154) */
    bool plugin_path;     /* plugin.path is known (0.11) */
    bool client_override; /* connector.client.config.override.policy (2.3) */
    bool expand;          /* GET /connectors?expand= (2.3) */
    bool broker_replication; /* replication factor -1: the broker's default (2.6, KIP-605) */
    bool topic_creation;     /* topic.creation.* of source connectors (2.6) */
    bool file_plugin;        /* the file connectors left the class path: plugin.path (3.1.1) */
    bool env_provider;       /* EnvVarConfigProvider (3.5) */
    bool own_providers; /* a worker resolves config providers in its own settings (2.3, KIP-421) */
    const char *alive_path; /* answers as long as the process is well */
    const char *ready_path; /* answers once the worker is part of its group */
};
struct kcbi_traits kcbi_version_traits(struct kcbi_version version);

/*
 * Brokers from Kafka 4.0 on take no clients from before 2.1 (KIP-896), and so no such workers. They show it by the lowest
 * Fetch version that they take (4; older brokers take 0). -1, not learnt, refuses nobody.
 */
bool kcbi_version_refused(struct kcbi_version version, int fetch_min_version);
/* The rule in words, for a status; borrowed for ever. */
#define KCBI_VERSION_RULE "brokers of Kafka 4.0 and later refuse workers before 2.1 (KIP-896)"

#endif
