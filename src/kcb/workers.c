#include "kcb/workers.h"

#include "base/text.h"
#include "kcb/connectors.h"
#include "kcb/deployment.h"
#include "kcb/layer.h"
#include "kcb/other_requests.h"
#include "kcb/redact.h"
#include "kcb/rest.h"
#include "kcb/versions.h"

/* After so many runs without an answer the workers do not run any more. */
enum { MOST_SILENT_RUNS = 2 };

/* Of somebody else's words in a status. */
enum { LONGEST_WORDS = 140 };

/* ---- one look in a run ---- */

int kcbi_look_at_workers(struct charm_run *run, const struct charm_value **ret_live, bool *ret_old,
                         struct charm_error *reterr)
{
    struct kcbi_look *look = kcbi_look_memo(run);
    if (!look->done) {
        struct kcbi_rest rest = kcbi_rest_of(run, KCBI_AS_LEADER);
        struct charm_value *live = NULL;
        look->result = kcbi_live_connectors(&rest, charm_app_get(run, KCBI_APP_CONNECTORS), &live,
                                            &look->old, &look->error);
        look->live = live;
        if (rest.answered != NULL) {
            charm_value_set_text(charm_state(run, KCBI_LAYER), "address", rest.answered);
        }
        look->done = true;
    }
    if (look->result != 0) {
        *reterr = look->error;
        return look->result;
    }
    *ret_live = look->live;
    *ret_old = look->old;
    return 0;
}

/* ---- the row ---- */

/* A worker that says "not now" is there; only silence counts against it. */
static bool rest_answers(struct charm_run *run, struct charm_error *reterr)
{
    const struct charm_value *live = NULL;
    bool old = false;
    const int result = kcbi_look_at_workers(run, &live, &old, reterr);
    return result == 0 ||
           (result != CHARM_ENET && result != CHARM_ETIMEOUT && result != CHARM_ENOTFOUND);
}

/* The version of the workers is asked once for each configuration that is rolled out. */
static void tell_version(struct charm_run *run)
{
    struct charm_value *state = charm_state(run, KCBI_LAYER);
    const char *checksum = charm_text(charm_value_path(state, "deployed", "checksum", NULL));
    if (!charmi_same(charm_text(charm_value_path(state, "version", "checksum", NULL)), checksum)) {
        struct kcbi_rest rest = kcbi_rest_of(run, KCBI_AS_LEADER);
        const char *text = "";
        if (kcbi_rest_version(&rest, &text, NULL) != 0 || text[0] == '\0') {
            return;
        }
        struct charm_value *version = charm_value_add_map(state, "version");
        charm_value_set_text(version, "checksum", checksum);
        charm_value_set_text(version, "text", text);
    }
    charm_workload_version(run, charm_text(charm_value_path(state, "version", "text", NULL)));
}

static void set_to(struct charm_run *run, const char *flag, bool truth)
{
    if (truth) {
        charm_flag_set(run, flag);
    } else if (charm_flag_is_set(run, flag)) {
        charm_flag_clear(run, flag);
    }
}

/* How the roll-out is, in words; nothing when it is complete. */
static void tell_rollout(struct charm_run *run, const struct kcbi_rollout *rollout)
{
    switch (rollout->state) {
    case KCBI_ROLLOUT_NONE:
        kcbi_say(run, KCBI_ON_WORKERS, CHARM_WAITING, "waiting for kubernetes-deployer to answer");
        break;
    case KCBI_ROLLOUT_REFUSED:
        kcbi_say(run, KCBI_ON_WORKERS, CHARM_BLOCKED, "kubernetes-deployer refuses the request: %s",
                 kcbi_redact_text(charm_arena(run), rollout->refusal, LONGEST_WORDS));
        break;
    case KCBI_ROLLOUT_STALE:
        kcbi_say(run, KCBI_ON_WORKERS, CHARM_WAITING, KCBI_TAKING_UP);
        break;
    case KCBI_ROLLOUT_ROLLING:
        if (rollout->failure[0] != '\0') {
            const bool too_old = !kcbi_version_at_least(kcbi_worker_version(run), 2, 1, 0);
            kcbi_say(run, KCBI_ON_WORKERS, CHARM_BLOCKED,
                     "workers do not start, see their log: %s%s",
                     kcbi_redact_text(charm_arena(run), rollout->failure, LONGEST_WORDS),
                     too_old ? "; " KCBI_VERSION_RULE : "");
        } else if (rollout->ready > 0 && rollout->ready >= rollout->wanted) {
            /* the old ones are counted as well: they stay until the new ones are ready */
            kcbi_say(run, KCBI_ON_WORKERS, CHARM_WAITING,
                     "rolling out the last change: the new workers are not ready yet");
        } else {
            kcbi_say(run, KCBI_ON_WORKERS, CHARM_WAITING, "%lld of %lld workers ready",
                     (long long)rollout->ready, (long long)kcbi_options(run)->workers);
        }
        break;
    case KCBI_ROLLOUT_COMPLETE:
        break;
    }
}

/* Workers that ran stay "running" through one silent run: a node may restart. */
static enum charm_result no_answer(struct charm_run *run, const struct charm_error *error)
{
    struct charm_value *state = charm_state(run, KCBI_LAYER);
    const int64_t silent = charm_value_int(charm_value_get(state, "silent"), 0) + 1;
    charm_value_set_int(state, "silent", silent < MOST_SILENT_RUNS ? silent : MOST_SILENT_RUNS);
    if (silent >= MOST_SILENT_RUNS) {
        set_to(run, KCB_RUNNING, false);
        set_to(run, KCB_DEGRADED, false);
    }
    kcbi_say(run, KCBI_ON_WORKERS, CHARM_WAITING, "workers do not answer on REST: %s", error->text);
    return CHARM_LATER;
}

enum charm_result kcbi_watch_workers(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    kcbi_hush(run, KCBI_ON_WORKERS);
    if (charm_endpoint_unknown(run, "kubernetes")) {
        /* No address is no silence: the workers could not be asked. */
        kcbi_say(run, KCBI_ON_WORKERS, CHARM_WAITING,
                 "relation kubernetes cannot be read for now, the workers stay as they are");
        return CHARM_LATER;
    }
    const struct kcbi_rollout *rollout = kcbi_rollout(run);
    const bool asked = charm_value_get(charm_state(run, KCBI_LAYER), "deployed") != NULL;
    const bool complete =
        asked && rollout->state == KCBI_ROLLOUT_COMPLETE && !kcbi_other_requests(run);
    tell_rollout(run, rollout);
    if (!complete && !charm_flag_is_set(run, KCB_RUNNING)) {
        return CHARM_LATER;
    }
    struct charm_error error = { 0 };
    if (!rest_answers(run, &error)) {
        return no_answer(run, &error);
    }
    charm_value_remove(charm_state(run, KCBI_LAYER), "silent");
    set_to(run, KCB_RUNNING, true);
    set_to(run, KCB_DEGRADED, rollout->ready < kcbi_options(run)->workers);
    if (complete) {
        tell_version(run);
    }
    return CHARM_DONE;
}
