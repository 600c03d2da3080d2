#include "kcb/status.h"

#include "base/text.h"
#include "kcb/deployment.h"
#include "kcb/layer.h"

static bool related(struct charm_run *run, const char *endpoint)
{
    return charm_relations(run, endpoint)[0] != NULL;
}

/* Relations that are missing, or not to be. On every unit: whoever leads, a person must act. */
static void tell_relations(struct charm_run *run)
{
    const char *application = charm_context(run)->application;
    if (related(run, "kafka-client")) {
        charm_status(
            run, CHARM_BLOCKED,
            related(run, "kafka")
                ? "kafka and kafka-client are both related, only one may be: juju "
                  "remove-relation %s:kafka-client <kafka>"
                : "kafka-client is not spoken yet, use kafka: juju integrate %s:kafka <kafka>",
            application);
        return;
    }
    if (!related(run, "kafka")) {
        charm_status(run, CHARM_BLOCKED,
                     "relation kafka is missing: juju integrate %s:kafka <kafka>", application);
        return;
    }
    if (!related(run, "kubernetes")) {
        charm_status(run, CHARM_BLOCKED,
                     "relation kubernetes is missing: juju integrate %s:kubernetes <deployer>",
                     application);
    }
}

/* What is awaited before any row can run; from there on the rows say themselves what they wait for. */
static void tell_waiting(struct charm_run *run)
{
    if (!charm_flag_is_set(run, CHARM_APP_STATE)) {
        charm_status(run, CHARM_WAITING, "waiting for the peer relation");
    } else if (!charm_flag_is_set(run, KCB_KAFKA_READY)) {
        charm_status(run, CHARM_WAITING, "waiting for Kafka to publish its address");
    } else if (!charm_flag_is_set(run, KCB_KUBERNETES_AVAILABLE)) {
        charm_status(run, CHARM_WAITING, "waiting for a unit of kubernetes-deployer");
    } else if (charm_flag_is_set(run, KCB_TOPIC_CREATED) && !charm_flag_is_set(run, KCB_INSTALL)) {
        charm_status(run, CHARM_WAITING, "waiting for the worker settings of the upper layer");
    }
}

/* What shows when nobody has anything worse to say. */
static void tell_workers(struct charm_run *run)
{
    const long long workers = kcbi_options(run)->workers;
    if (charm_flag_is_set(run, KCB_RUNNING)) {
        const char *connectors = kcbi_look_memo(run)->connectors;
        const bool any = connectors != NULL && connectors[0] != '\0';
        charm_status(run, CHARM_ACTIVE, "%lld worker%s running%s%s", workers,
                     workers == 1 ? "" : "s", any ? ", " : "", any ? connectors : "");
    } else {
        charm_status(run, CHARM_MAINTENANCE, "setting up %lld worker%s", workers,
                     workers == 1 ? "" : "s");
    }
}

static void tell_standby(struct charm_run *run)
{
    const char *leader = charm_leader(run);
    if (leader[0] == '\0') {
        charm_status(run, CHARM_WAITING, "waiting for a leader");
        return;
    }
    charm_status(run, CHARM_ACTIVE,
                 "standby for %s; workers are set with: juju config %s workers=N", leader,
                 charm_context(run)->application);
}

enum charm_result kcbi_tell_status(struct charm_run *run, const struct charm_output *output)
{
    (void)output;
    const struct kcbi_options *options = kcbi_options(run);
    if (options->problem != NULL) {
        charm_status(run, CHARM_BLOCKED, "%s", options->problem);
    }
    tell_relations(run);
    if (!charm_flag_is_set(run, CHARM_IS_LEADER)) {
        tell_standby(run);
        return CHARM_DONE;
    }
    tell_waiting(run);
    tell_workers(run);
    return CHARM_DONE;
}
