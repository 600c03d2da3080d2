/*
 * kcb/manifests.h: ConfigMap (or a Secret in its place), Service and Deployment of the workers, as JSON values.
 *
 * The same inputs give the same bytes: no clocks, no counters. The pods' template carries a checksum of the configuration
 * and of all else that pods see, so only a real change rolls them, and an answer can be told from an older one. Names,
 * the selector and the ConfigMap's key are the original's (reactive-framework.md 8.3); the rest is made for the
 * "restricted" profile where the image allows it (apache/kafka), and leaves other images as they are.
 *
 *     struct kcbi_manifests manifests;
 *     if (kcbi_manifests_make(arena, &inputs, &manifests, reterr) == 0) {
 *         charm_publish_json(run, "kubernetes", "resource", manifests.objects);
 *     }
 *
 * May include: charm/value.h, kcb/names.h, kcb/versions.h, kcb/worker_config.h, kcb/options.h, base.
 */
#ifndef KCBI_MANIFESTS_H
#define KCBI_MANIFESTS_H

#include "charm/value.h"
#include "kcb/names.h"
#include "kcb/versions.h"
#include "kcb/worker_config.h"

/* Where and under which name (the original's spelling) the workers find their properties. */
#define KCBI_CONFIG_DIR "/etc/config"
#define KCBI_CONFIG_KEY "connect-distributes.properties"
/* Annotation of the pods' template. */
#define KCBI_CHECKSUM "checksum/config"

struct kcbi_manifest_inputs {
    const struct kcbi_names *names;
    const struct kcbi_image *image;
    struct kcbi_version version;
    const struct kcbi_worker_config *config;
    int64_t workers;
    const char *command;       /* option worker-command; "": the image's own way */
    const char *heap;          /* "512M"; "": half of memory */
    const char *memory;        /* "1Gi"; request and limit */
    const char *cpu;           /* "250m"; request only: a limit would slow rebalances down */
    const char *service_type;  /* NodePort, ClusterIP, LoadBalancer */
    const char *worker_secret; /* name of the Secret that config->reads_secret means */
    /* Of all secrets in `config`, such that nobody can guess them by it; "" if there are none. */
    const char *secret_digest;
};

struct kcbi_manifests {
    /* ConfigMap, or Secret if config->secret_text, Service, Deployment, in this order. */
    struct charm_value *objects;
    const char *checksum; /* 64 hex digits */
};

/* CHARM_EINVAL: memory or heap cannot be read, or the heap leaves no room; CHARM_ETOOBIG: over a ConfigMap's size. */
CHARM_MUST_CHECK int kcbi_manifests_make(struct charm_arena *arena,
                                         const struct kcbi_manifest_inputs *inputs,
                                         struct kcbi_manifests *ret_manifests,
                                         struct charm_error *reterr);

#endif
