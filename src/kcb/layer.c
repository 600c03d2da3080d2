/* The whole base layer on one page: what is computed, what runs when, what comes of it. */
#include "kcb/layer.h"

#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "kcb/actions.h"
#include "kcb/connectors.h"
#include "kcb/deployment.h"
#include "kcb/other_requests.h"
#include "kcb/status.h"
#include "kcb/table.h"
#include "kcb/topics.h"
#include "kcb/website.h"
#include "kcb/workers.h"

/* ---- derived flags ---- */

/*
 * What could not be read in this run is unknown, not absent: the flag stays as it was when it was last known
 * (architecture, decision 2).
 */
static bool known_or_before(struct charm_run *run, const char *endpoint, const char *flag, bool now)
{
    if (!charm_endpoint_unknown(run, endpoint)) {
        return now;
    }
    return charm_value_true(charm_value_path(charm_state(run, KCBI_LAYER), "levels", flag, NULL));
}

static void derive_if(struct charm_run *run, const char *flag, bool truth)
{
    if (truth) {
        charm_derive(run, flag);
    }
}

/* The peer relation of metadata.yaml. */
#define PEERS "cluster"

/* Does this hook say that it is this unit that goes? */
static bool departs(const struct charm_context *context)
{
    return charmi_same(context->departing_unit, context->unit);
}

static void derive_kafka(struct charm_run *run, const struct charm_derivation *derivation)
{
    (void)derivation;
    const bool joined = charm_units(run, "kafka")[0] != NULL;
    const bool ready = kcbi_brokers(run)[0] != NULL;
    derive_if(run, KCB_KAFKA_JOINED, known_or_before(run, "kafka", KCB_KAFKA_JOINED, joined));
    derive_if(run, KCB_KAFKA_READY, known_or_before(run, "kafka", KCB_KAFKA_READY, ready));
}

static void derive_kubernetes(struct charm_run *run, const struct charm_derivation *derivation)
{
    (void)derivation;
    const bool joined = charm_units(run, "kubernetes")[0] != NULL;
    derive_if(run, KCB_KUBERNETES_AVAILABLE,
              known_or_before(run, "kubernetes", KCB_KUBERNETES_AVAILABLE, joined));
}

/* What a unit of the deployer says, as a digest, Secrets left out. */
static const char *status_digest(struct charm_run *run, const char *status)
{
    struct charm_arena *arena = charm_arena(run);
    if (kcbi_status_may_hold_secret(status)) {
        status = charm_value_render(arena, kcbi_status_read(arena, status), CHARM_JSON_SORTED);
    }
    return charmi_sha256(arena, status, strlen(status));
}

/* What all units of the deployer say, as one digest: computed only in a run that asks whether it is news. */
static const char *answer_digest(struct charm_run *run)
{
    const char **memo = kcbi_answer_digest_memo(run);
    if (*memo != NULL) {
        return *memo;
    }
    struct charm_value *said = charm_value_new_map(charm_arena(run));
    for (const struct charm_unit *const *u = charm_units(run, "kubernetes"); *u != NULL; u++) {
        struct charm_value *unit = charm_value_add_map(said, (*u)->name);
        const char *status = charm_text(charm_value_get(charm_unit_data(run, *u), "status"));
        charm_value_set_text(unit, "status", status_digest(run, status));
        charm_value_set(unit, "workers", charm_value_get(charm_unit_data(run, *u), "workers"));
    }
    const char *text = charm_value_render(charm_arena(run), said, CHARM_JSON_SORTED);
    *memo = charmi_sha256(charm_arena(run), text, strlen(text));
    return *memo;
}

/* The edge is news since the last run that asked. */
static void derive_new_status(struct charm_run *run, const struct charm_derivation *derivation)
{
    (void)derivation;
    const char *before = charm_text(charm_value_get(charm_state(run, KCBI_LAYER), "answer"));
    derive_if(run, KCB_KUBERNETES_NEW_STATUS,
              !charm_endpoint_unknown(run, "kubernetes") &&
                  charm_units(run, "kubernetes")[0] != NULL &&
                  !charmi_same(before, answer_digest(run)));
}

/*
 * Decided in the first hook that says that this unit departs: later its peers, who may go on, are out of sight.
 */
static void derive_leaving(struct charm_run *run, const struct charm_derivation *derivation)
{
    (void)derivation;
    const struct charm_context *context = charm_context(run);
    const struct charm_value *decided = charm_value_get(charm_state(run, KCBI_LAYER), "leaving");
    if (decided != NULL) {
        derive_if(run, KCB_LEAVING, charm_value_true(decided));
    } else if (departs(context)) {
        derive_if(run, KCB_LEAVING,
                  !charmi_same(context->relation, PEERS) && charm_units(run, PEERS)[0] == NULL);
    }
}

static void derive_website(struct charm_run *run, const struct charm_derivation *derivation)
{
    (void)derivation;
    derive_if(run, KCB_WEBSITE_AVAILABLE, charm_units(run, "website")[0] != NULL);
}

static void derive_ready(struct charm_run *run, const struct charm_derivation *derivation)
{
    (void)derivation;
    derive_if(run, KCB_READY,
              charm_flag_is_set(run, KCB_KAFKA_READY) &&
                  charm_flag_is_set(run, KCB_KUBERNETES_AVAILABLE) &&
                  kcbi_options(run)->topics[0] != '\0');
}

const struct charm_derivation kcbi_derivations[] = {
    { .name = "kafka",
      .summary = "a unit of Kafka is there; one has published its port",
      .flags = CHARM_FLAGS(KCB_KAFKA_JOINED, KCB_KAFKA_READY),
      .derive = derive_kafka },
    { .name = "kubernetes",
      .summary = "a unit of the deployer is there",
      .flags = CHARM_FLAGS(KCB_KUBERNETES_AVAILABLE),
      .derive = derive_kubernetes },
    { .name = "new-status",
      .summary = "the deployer has published another status or other workers",
      .edges = CHARM_FLAGS(KCB_KUBERNETES_NEW_STATUS),
      .derive = derive_new_status },
    { .name = "leaving",
      .summary = "this unit is being removed, and no other is left",
      .flags = CHARM_FLAGS(KCB_LEAVING),
      .derive = derive_leaving },
    { .name = "website",
      .summary = "somebody is related to website",
      .flags = CHARM_FLAGS(KCB_WEBSITE_AVAILABLE),
      .derive = derive_website },
    { .name = "ready",
      .summary = "Kafka, Kubernetes and option topics are there",
      .flags = CHARM_FLAGS(KCB_READY),
      .derive = derive_ready },
    { 0 },
};

/* ---- small rows ---- */

static enum charm_result note_install(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    charm_flag_set(run, KCB_INSTALLED);
    return CHARM_DONE;
}

static enum charm_result configure(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    charm_flag_set(run, KCB_CONFIGURED);
    return CHARM_DONE;
}

static enum charm_result withdraw(struct charm_run *run, const struct charm_row *row)
{
    for (const char *const *flag = row->clears; *flag != NULL; flag++) {
        charm_flag_clear(run, *flag);
    }
    charm_value_remove(charm_state(run, KCBI_LAYER), "silent");
    charm_value_remove(charm_state(run, KCBI_LAYER), "address");
    return CHARM_DONE;
}

static enum charm_result leave(struct charm_run *run, const struct charm_row *row)
{
    if (charm_flag_is_set(run, KCB_RUNNING)) {
        kcbi_remove_all_connectors(run);
    }
    return withdraw(run, row);
}

/* ---- the table ---- */

#define LEADER CHARM_IS_LEADER, CHARM_APP_STATE

const struct charm_row kcbi_rows[] = {
    { .name = "create-topics",
      .summary = "make the three internal topics, confirm them, look after them",
      .when = CHARM_FLAGS(KCB_KAFKA_READY, LEADER),
      .sets = CHARM_FLAGS(KCB_TOPIC_CREATED),
      .clears = CHARM_FLAGS(KCB_TOPIC_CREATED, KCB_CONFIGURED, KCB_RUNNING, KCB_DEGRADED),
      .run = kcbi_create_topics },
    { .name = "install",
      .summary = "note that the upper layer's worker settings are complete",
      .when = CHARM_FLAGS(KCB_INSTALL, LEADER),
      .unless = CHARM_FLAGS(KCB_INSTALLED),
      .sets = CHARM_FLAGS(KCB_INSTALLED),
      .run = note_install },
    { .name = "configure",
      .summary = "ask for workers, now that topics, settings and a deployer are there",
      .when = CHARM_FLAGS(KCB_INSTALLED, KCB_TOPIC_CREATED, KCB_KAFKA_READY,
                          KCB_KUBERNETES_AVAILABLE, LEADER),
      .unless = CHARM_FLAGS(KCB_CONFIGURED, KCB_LEAVING),
      .sets = CHARM_FLAGS(KCB_CONFIGURED),
      .run = configure },
    { .name = "leave",
      .summary = "the last unit goes: remove the connectors, ask for no workers any more",
      .when = CHARM_FLAGS(KCB_LEAVING, LEADER),
      .guards = CHARM_GUARDS({ CHARM_WHEN_ANY, CHARM_FLAGS(KCB_CONFIGURED, KCB_RUNNING) }),
      .clears = CHARM_FLAGS(KCB_CONFIGURED, KCB_RUNNING, KCB_DEGRADED),
      .run = leave },
    { .name = "withdraw",
      .summary = "ask for nothing any more: Kafka, the deployer or leadership is gone",
      .guards =
          CHARM_GUARDS({ CHARM_WHEN_ANY, CHARM_FLAGS(KCB_CONFIGURED, KCB_RUNNING) },
                       { CHARM_WHEN_NOT_ALL,
                         CHARM_FLAGS(KCB_KAFKA_READY, KCB_KUBERNETES_AVAILABLE, CHARM_IS_LEADER) }),
      .clears = CHARM_FLAGS(KCB_CONFIGURED, KCB_RUNNING, KCB_DEGRADED),
      .run = withdraw },
    { .name = "watch-workers",
      .summary = "see whether the workers run: the deployer's answer, then REST",
      .when = CHARM_FLAGS(KCB_CONFIGURED, KCB_KUBERNETES_AVAILABLE, LEADER),
      .sets = CHARM_FLAGS(KCB_RUNNING, KCB_DEGRADED),
      .clears = CHARM_FLAGS(KCB_RUNNING, KCB_DEGRADED),
      .run = kcbi_watch_workers },
    { .name = "option-connectors",
      .summary = "want the connectors that the option names",
      .when = CHARM_FLAGS(KCB_RUNNING, "config.set.connectors", LEADER),
      .run = kcbi_want_option_connectors },
    { .name = "list-connectors",
      .summary = "action: all connectors with their states",
      .when = CHARM_FLAGS(KCB_RUNNING, CHARM_IS_LEADER),
      .guards = CHARM_GUARDS({ CHARM_ACTION, CHARM_FLAGS("list-connectors") }),
      .run = kcbi_action_list_connectors },
    { .name = "describe-connector",
      .summary = "action: one connector with its tasks and configuration",
      .when = CHARM_FLAGS(KCB_RUNNING, CHARM_IS_LEADER),
      .guards = CHARM_GUARDS({ CHARM_ACTION, CHARM_FLAGS("describe-connector") }),
      .run = kcbi_action_describe_connector },
    { .name = "restart-connector",
      .summary = "action: restart a connector, its tasks, or only what failed",
      .when = CHARM_FLAGS(KCB_RUNNING, CHARM_IS_LEADER),
      .guards = CHARM_GUARDS({ CHARM_ACTION, CHARM_FLAGS("restart-connector") }),
      .run = kcbi_action_restart_connector },
    { 0 },
};

/* What a new term of leadership looks at again instead of trusting a stale memory (architecture, decision 7). */
const char *const kcbi_term_flags[] = { KCB_TOPIC_CREATED, KCB_CONFIGURED, KCB_RUNNING,
                                        KCB_DEGRADED, NULL };

/* ---- outputs ---- */

/* What is known of relations now, for a run that cannot read them, and for telling news. */
static enum charm_result remember_levels(struct charm_run *run, const struct charm_output *output)
{
    (void)output;
    static const struct {
        const char *endpoint;
        const char *flag;
    } known[] = {
        { "kafka", KCB_KAFKA_JOINED },
        { "kafka", KCB_KAFKA_READY },
        { "kubernetes", KCB_KUBERNETES_AVAILABLE },
    };
    struct charm_value *levels =
        charm_value_copy(charm_arena(run), charm_value_get(charm_state(run, KCBI_LAYER), "levels"));
    if (charm_value_kind(levels) != CHARM_MAP) {
        levels = charm_value_new_map(charm_arena(run));
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!charm_endpoint_unknown(run, known[i].endpoint)) {
            charm_value_set_bool(levels, known[i].flag, charm_flag_is_set(run, known[i].flag));
        }
    }
    charm_value_set(charm_state(run, KCBI_LAYER), "levels", levels);
    if (departs(charm_context(run))) {
        charm_value_set_bool(charm_state(run, KCBI_LAYER), "leaving",
                             charm_flag_is_set(run, KCB_LEAVING));
    }
    const char *answer = *kcbi_answer_digest_memo(run);
    if (answer != NULL && !charm_endpoint_unknown(run, "kubernetes")) {
        charm_value_set_text(charm_state(run, KCBI_LAYER), "answer", answer);
    }
    return CHARM_DONE;
}

const struct charm_output kcbi_outputs[] = {
    { .name = "levels",
      .summary = "what is known of the relations, for a run that cannot read them",
      .compute = remember_levels },
    { .name = "deployment",
      .summary = "ConfigMap, Service and Deployment for kubernetes-deployer",
      .compute = kcbi_deploy },
    { .name = "other-requests",
      .summary = "whose old request kubernetes-deployer still applies beside ours",
      .compute = kcbi_watch_other_requests },
    { .name = "connectors",
      .summary = "connectors created, updated and removed as wanted",
      .compute = kcbi_converge_connectors },
    { .name = "website",
      .summary = "the workers' REST address for website",
      .compute = kcbi_publish_website },
    { .name = "status", .summary = "one line that says how it is", .compute = kcbi_tell_status },
    { 0 },
};
