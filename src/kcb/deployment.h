/*
 * kcb/deployment.h: what the base layer knows about this run: options, brokers, names, workers and their addresses.
 *
 * Everything is a function of facts and of what rows gave, computed when first asked for. The layer's table (layer.c) and
 * the modules that talk to Kafka and to the workers ask here, never each other. The output `deployment` turns it into the
 * request to the kubernetes-deployer charm.
 *
 * Part of the layer's state: "deployed" {checksum, workers, rest_port}: what was asked for last. Application state:
 * "options", the last good ones.
 *
 * May include: charm/run.h, kcb/ports.h, kcb/{options,names,worker_config,destination}.h.
 */
#ifndef KCBI_DEPLOYMENT_H
#define KCBI_DEPLOYMENT_H

#include "charm/run.h"
#include "kcb/destination.h"
#include "kcb/names.h"
#include "kcb/options.h"
#include "kcb/ports.h"
#include "kcb/worker_config.h"

/* Name of the layer, and of its part of the unit's state. */
#define KCBI_LAYER "kafka-connect-base"
/* Kinds of charm_give(): worker properties, and the image under the key "image". */
#define KCBI_GIVE_WORKER "kcb.worker"
#define KCBI_GIVE_IMAGE "kcb.image"

/* Key of the application state: the topics' replication when they were made. */
#define KCBI_APP_REPLICATION "replication"
/* Key of the application state: random text for the pods' checksum, once the workers have secrets. */
#define KCBI_APP_SALT "salt"
/* Said while the deployer's answer is of the wish before the last. */
#define KCBI_TAKING_UP "waiting for kubernetes-deployer to take up the last change"

/* The layer's functions to the outside. */
const struct kcb_ports *kcbi_ports(const struct charm_run *run);
/* The operator's options with last good values in place of wrong ones. */
const struct kcbi_options *kcbi_options(struct charm_run *run);
/* Names of topics and objects; NULL when Kafka would not take those that model and application make. */
const struct kcbi_names *kcbi_names(struct charm_run *run);
/* Why there are none, in words. */
const char *kcbi_names_problem(struct charm_run *run);
/* Is anything wrong with the settings that upper layer and operator give, brokers or not? Names line or key. */
CHARM_MUST_CHECK int kcbi_worker_config_check(struct charm_run *run, struct charm_error *reterr);
/* "host:port" of every broker that relation `kafka` names, sorted, without duplicates; NULL-ended. */
const char *const *kcbi_brokers(struct charm_run *run);
/* The workers' properties as options, brokers and upper layers have them now. A bad option worker-config fails with the
 * line or key. */
CHARM_MUST_CHECK int kcbi_worker_config(struct charm_run *run,
                                        struct kcbi_worker_config *ret_config,
                                        struct charm_error *reterr);
/*
 * Properties of the charm's own Kafka client (librdkafka's names), or NULL with the reason in `reterr`. With option
 * kafka-secret it is only bootstrap.servers, and kcbi_kafka_credentials() adds the rest: that costs a hook tool call, so only
 * who is about to speak with Kafka asks. CHARM_EINVAL, CHARM_EREFUSED, CHARM_ENOTFOUND: a person must act; else it may go well
 * in a later run.
 */
struct charm_value *kcbi_kafka_settings(struct charm_run *run, struct charm_error *reterr);
CHARM_MUST_CHECK int kcbi_kafka_credentials(struct charm_run *run, struct charm_value *settings,
                                            struct charm_error *reterr);
/* What the workers are, from options and image. */
struct kcbi_version kcbi_worker_version(struct charm_run *run);
/* What kubernetes-deployer says of what was asked for last. */
const struct kcbi_rollout *kcbi_rollout(struct charm_run *run);
/* "ADDRESS:PORT" of the workers' REST port, one for each node, NULL-ended; empty while nothing is rolled out. */
const char *const *kcbi_rest_addresses(struct charm_run *run);
/* The one of them that answered last; "" if that is not among them any more, or none has answered. */
const char *kcbi_rest_answered(struct charm_run *run);

/* What one look at the workers found; see kcb/workers.h. */
struct kcbi_look {
    bool done;
    int result;
    struct charm_error error;
    const struct charm_value *live;
    bool old;
    const char *connectors; /* how they are, in words, once they have been judged; NULL before */
    bool kafka_refuses;     /* the charm's own client was refused: the workers' would be, too */
};
struct kcbi_look *kcbi_look_memo(struct charm_run *run);
/* Digest of what the deployer's units say; NULL while nobody has asked in this run whether it is news. */
const char **kcbi_answer_digest_memo(struct charm_run *run);

/*
 * What rows and outputs have to say of this run, by subject. Nobody but the output `status` calls charm_status(): of
 * equal levels the subject that comes last here is told, whatever ran when (status.c).
 */
enum kcbi_subject {
    KCBI_ON_CONNECTORS,
    KCBI_ON_WORKERS,
    KCBI_ON_REQUEST,
    KCBI_ON_OTHER_REQUESTS,
    KCBI_ON_TOPICS,
    KCBI_ON_OPTION_CONNECTORS,
    KCBI_SUBJECTS
};
struct kcbi_said {
    enum charm_status_level level;
    const char *words; /* NULL: nothing */
};
/* Replaces what was said on this subject before, unless that was worse. */
void kcbi_say(struct charm_run *run, enum kcbi_subject subject, enum charm_status_level level,
              const char *format, ...) CHARM_PRINTF(4, 5);
/* A row begins anew: what it said before is gone. */
void kcbi_hush(struct charm_run *run, enum kcbi_subject subject);
struct kcbi_said kcbi_said(struct charm_run *run, enum kcbi_subject subject);

/* Output: the request to the deployer while KCB_CONFIGURED holds; withdrawn, or held, otherwise. */
enum charm_result kcbi_deploy(struct charm_run *run, const struct charm_output *output);

#endif
