#include "kcb/status.h"

#include "base/text.h"
#include "kcb/connectors.h"
#include "kcb/deployment.h"
#include "kcb/layer.h"
#include "kcb/topics.h"

/*
 * Of several things that a person must do, or that are awaited, one is told: of equal levels the last candidate counts,
 * so each function below tells the less useful before the more useful. From the least: connectors, workers, the request
 * to the deployer, those of other units, a missing deployer, topics, a missing or doubled Kafka, names, a wrong option. What was typed last is
 * what a person looks for; nothing later in the chain can be right before the earlier is.
 */

/* The row that speaks on a subject; what it said counts only while its guards hold. NULL: an output. */
static const char *row_on(enum kcbi_subject subject)
{
    switch (subject) {
    case KCBI_ON_TOPICS:
        return KCBI_LAYER ".create-topics";
    case KCBI_ON_WORKERS:
        return KCBI_LAYER ".watch-workers";
    case KCBI_ON_OPTION_CONNECTORS:
        return KCBI_LAYER ".option-connectors";
    default:
        return NULL;
    }
}

static void tell_subject(struct charm_run *run, enum kcbi_subject subject)
{
    const struct kcbi_said said = kcbi_said(run, subject);
    const char *row = row_on(subject);
    if (said.words == NULL ||
        (row != NULL && charm_row_outcome(run, row, NULL) == CHARM_OUTCOME_BLOCKED)) {
        return;
    }
    charm_status(run, said.level, "%s", said.words);
}

static bool related(struct charm_run *run, const char *endpoint)
{
    return charm_relations(run, endpoint)[0] != NULL;
}

/* Juju 2.9 knows no `integrate`. */
static const char *relate_verb(struct charm_run *run)
{
    return charmi_starts_with(charm_context(run)->juju_version, "2.") ? "relate" : "integrate";
}

/* On every unit: whoever leads, a person must act. */
static void tell_kafka_relations(struct charm_run *run)
{
    const char *application = charm_context(run)->application;
    if (related(run, "kafka-client") && related(run, "kafka")) {
        charm_status(run, CHARM_BLOCKED,
                     "kafka and kafka-client are both related, only one may be: juju "
                     "remove-relation %s:kafka-client <kafka>",
                     application);
    } else if (related(run, "kafka-client")) {
        charm_status(run, CHARM_BLOCKED,
                     "kafka-client is not spoken yet, use kafka: juju %s %s:kafka <kafka>",
                     relate_verb(run), application);
    } else if (!related(run, "kafka")) {
        charm_status(run, CHARM_BLOCKED, "relation kafka is missing: juju %s %s:kafka <kafka>",
                     relate_verb(run), application);
    }
}

static void tell_kubernetes_relation(struct charm_run *run)
{
    if (!related(run, "kubernetes")) {
        charm_status(run, CHARM_BLOCKED,
                     "relation kubernetes is missing: juju %s %s:kubernetes <deployer>",
                     relate_verb(run), charm_context(run)->application);
    }
}

static void tell_names(struct charm_run *run)
{
    if (kcbi_names(run) == NULL) {
        charm_status(run, CHARM_BLOCKED, "%s: set topic-prefix, or deploy under another name",
                     kcbi_names_problem(run));
    }
}

/* Options that are wrong are told at once, not only when somebody needs them. */
static void tell_options(struct charm_run *run)
{
    struct charm_error error = { 0 };
    struct charm_value *wanted = NULL;
    tell_subject(run, KCBI_ON_OPTION_CONNECTORS);
    if (!charm_flag_is_set(run, KCB_RUNNING) &&
        kcbi_connectors_of_option(run, &wanted, &error) != 0) {
        charm_status(run, CHARM_BLOCKED, "option connectors: %s", error.text);
    }
    if (kcbi_names(run) != NULL && kcbi_worker_config_check(run, &error) != 0) {
        charm_status(run, CHARM_BLOCKED, "%s", error.text);
    }
    if (kcbi_options(run)->problem != NULL) {
        charm_status(run, CHARM_BLOCKED, "%s", kcbi_options(run)->problem);
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
        const char *replication = kcbi_replication_words(run);
        charm_status(run, CHARM_ACTIVE, "%lld worker%s running%s%s%s%s", workers,
                     workers == 1 ? "" : "s", any ? ", " : "", any ? connectors : "",
                     replication[0] != '\0' ? "; " : "", replication);
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
    const bool leads = charm_flag_is_set(run, CHARM_IS_LEADER);
    if (leads) {
        tell_waiting(run);
        tell_workers(run);
        tell_subject(run, KCBI_ON_CONNECTORS);
        tell_subject(run, KCBI_ON_WORKERS);
        tell_subject(run, KCBI_ON_REQUEST);
        tell_subject(run, KCBI_ON_OTHER_REQUESTS);
    } else {
        tell_standby(run);
    }
    tell_kubernetes_relation(run);
    tell_subject(run, KCBI_ON_TOPICS);
    tell_kafka_relations(run);
    tell_names(run);
    tell_options(run);
    return CHARM_DONE;
}
