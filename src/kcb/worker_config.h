/*
 * kcb/worker_config.h: the properties of the workers, from all who have a say.
 *
 * Weakest first: what the charm computes, the upper layer's settings, the operator's named options, the lines of option
 * worker-config. Some keys belong to the charm, because Service, probes, topics or other workers count on them: giving
 * one another value is an error with the reason. A key that carries a secret needs a way to the workers that is none in the
 * open (architecture, decision 16): a Kubernetes Secret that the operator made, which workers read through a config
 * provider, or the operator's leave to send it; else it is an error, which names the key and these ways.
 *
 * One file serves all pods: each advertises the address that KCBI_POD_IP_VARIABLE holds. Connect 4.3.1 makes no URL of an
 * IPv6 address given that way (tried: http://fd00%3A%3A1:8083/); where pods have only such, worker-config gives an empty
 * rest.advertised.host.name, and Connect advertises what the pod's own name resolves to.
 *
 *     struct kcbi_worker_inputs inputs = { .names = &names, .brokers = brokers, .version = version, .image = &image };
 *     struct kcbi_worker_config config;
 *     if (kcbi_worker_config_make(arena, &inputs, &config, reterr) == 0) {
 *         puts(config.text);
 *     }
 *
 * May include: charm/value.h, kcb/names.h, kcb/versions.h, kcb/properties.h, base.
 */
#ifndef KCBI_WORKER_CONFIG_H
#define KCBI_WORKER_CONFIG_H

#include "charm/value.h"
#include "kcb/names.h"
#include "kcb/versions.h"

#define KCBI_REST_PORT 8083
/* Environment variable that holds the pod's address, where the version can read it (kafka-connect.md 3.3). */
#define KCBI_POD_IP_VARIABLE "POD_IP"

/* Where the workers find what is secret. */
enum kcbi_secret_way {
    KCBI_SECRETS_NOWHERE, /* nobody has said */
    KCBI_SECRETS_IN_KUBERNETES, /* file KCBI_SECRET_FILE of option worker-secret, by KCBI_SECRET_PROVIDER */
    KCBI_SECRETS_IN_REQUEST, /* option allow-secrets-in-relation: the request holds a Secret */
};
/* The file of that Secret, where pods have it, and the config provider that reads it: ${secret:/etc/...:KEY}. */
#define KCBI_SECRET_DIR "/etc/worker-secret"
#define KCBI_SECRET_FILE "worker.properties"
#define KCBI_SECRET_PROVIDER "secret"

struct kcbi_worker_inputs {
    const struct kcbi_names *names;
    const char *const *brokers; /* "host:port", NULL-ended; any order, duplicates allowed */
    struct kcbi_version version;
    const struct kcbi_image *image;
    const struct charm_value *upper; /* kcb_set_worker_config(): key -> text; NULL: nothing */
    const char *group_id;            /* option; NULL or "": not given */
    int topic_replication;           /* of the topics when they were made; 0: not known yet */
    const char *lines;               /* option worker-config; NULL: nothing */
    enum kcbi_secret_way secret_way;
};

struct kcbi_worker_config {
    struct charm_value
        *properties; /* key -> text, as given, secrets too: never to be written anywhere */
    struct charm_value *secrets; /* those of them that are secret */
    /* The file, as java.util.Properties reads it; without secrets unless `secret_text`. */
    const char *text;
    bool secret_text;  /* `text` holds secrets: it belongs into a Secret, not into a ConfigMap */
    bool reads_secret; /* the pod must have KCBI_SECRET_FILE */
    int rest_port;     /* `rest.port` of upper layer or worker-config, else KCBI_REST_PORT */
    bool wants_pod_ip; /* the pod must have KCBI_POD_IP_VARIABLE */
};

/* CHARM_EPARSE (a bad line, with its number), CHARM_EINVAL (a key that may not be given; no brokers), CHARM_ETOOBIG. */
CHARM_MUST_CHECK int kcbi_worker_config_make(struct charm_arena *arena,
                                             const struct kcbi_worker_inputs *inputs,
                                             struct kcbi_worker_config *ret_config,
                                             struct charm_error *reterr);

/* The same of what upper layer and operator give alone: are their keys and lines right? No broker needs to be known. */
CHARM_MUST_CHECK int kcbi_worker_config_given(struct charm_arena *arena,
                                              const struct kcbi_worker_inputs *inputs,
                                              struct charm_error *reterr);

/* Does a worker's property of this name carry a secret, whatever its prefix? (Unless it refers to one.) */
bool kcbi_worker_secret(const char *key);

#endif
