/*
 * charm/session.h: everything that one run knows, shared by the modules of which a run is made.
 *
 * Invariants. Made by charmi_run_new(), filled stage by stage (charm/runner.c), read by charm/run.h's functions. The
 * first misuse sticks; so does the first fact that could not be had (charm/facts.h).
 *
 * May include: everything of charm.
 */
#ifndef CHARMI_SESSION_H
#define CHARMI_SESSION_H

#include "charm/appstate.h"
#include "charm/dispatch.h"
#include "charm/facts.h"
#include "charm/gifts.h"
#include "charm/records.h"
#include "charm/relations.h"
#include "charm/runner.h"
#include "charm/state.h"
#include "charm/story.h"

/* Most time that handlers may spend waiting in one run (architecture, decision 12). */
#define CHARMI_WAIT_BUDGET_MS 60000

/* What is going on: decides which functions may be called. */
enum charmi_stage {
    CHARMI_STAGE_START,
    CHARMI_STAGE_DERIVING,
    CHARMI_STAGE_ROWS,
    CHARMI_STAGE_OUTPUTS,
    CHARMI_STAGE_COMMIT,
};

/* How a row, or an output function, went in this run. */
struct charmi_giver {
    const char *name;         /* "layer.row" or "layer:output" */
    size_t layer;             /* its number in link order */
    bool may_give;            /* no hook or once guard */
    size_t runs;              /* how often it was invoked */
    enum charm_result result; /* of the last time */
    bool in_doubt; /* its guards do not hold, but only for facts that could not be read */
};

struct charm_run {
    struct charm_arena *arena;
    const struct charm_ports *ports;
    const struct charm_layer *const *layers;
    void **memos; /* one a layer, for what it computes once */
    const struct charm_context *context;
    const struct charm_files *files;

    struct charmi_secrets secrets;
    struct charmi_tools tools;
    struct charmi_facts facts;
    struct charmi_relations *relations;
    struct charmi_state state;
    bool state_refused; /* a restricted run that may not read it: nothing is saved */
    struct charmi_appstate app;

    const struct charmi_table *table;
    struct charmi_flags *flags;
    bool *once;
    struct charmi_situation here;

    enum charmi_stage stage;
    const struct charm_derivation *derivation; /* that is deriving, or NULL */
    bool *derived;                             /* by number of the derivation: it has been asked */
    struct charmi_giver *givers;               /* rows, then outputs */
    size_t giver_count;
    const struct charmi_giver *current; /* NULL: nobody runs */
    struct charmi_gifts gifts;

    struct charm_error misuse; /* code CHARM_OK while there was none */
    const char *failed;        /* charm_fail(): why, or NULL */
    int64_t waited_ms;

    struct charm_value *action_results; /* NULL: none */
    const char *action_failed;          /* NULL: it did not */

    int64_t started_ms; /* monotonic */
    struct charmi_records records;
    bool records_open;
    struct charmi_story story;
    const struct charm_value *record; /* of the run that ended; NULL: it did not even begin */
};

/* The engine's own part of the unit's state. */
struct charm_value *charmi_memory(const struct charm_run *run);
/* The files beside the charm, opened when first asked for. */
struct charmi_records *charmi_run_records(struct charm_run *run);
/* Random text of this unit for digests of what others must not guess; made when first asked for. */
const char *charmi_salt(struct charm_run *run);
/* Notes the first misuse, with the name of the row that runs. */
void charmi_misuse(struct charm_run *run, const char *format, ...) CHARM_PRINTF(2, 3);
/* The first of: misuse, a fact that could not be had. 0: neither. */
CHARM_MUST_CHECK int charmi_run_error(const struct charm_run *run, struct charm_error *reterr);

#endif
