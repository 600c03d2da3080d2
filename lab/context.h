/*
 * lab/context.h: one run of a charm: what it may read, what it has written so far, and the commit at its end.
 *
 * Buffered until exit 0, then one commit (contract 2.1): relation settings, charm state, ports. At once
 * (2.2): status, application version, logs, leader settings. What is read is read once (2.3).
 *
 * Faults, each played once: lab_unit.fault_refuse_commit (exit 0, and the controller refuses everything),
 * lab_unit.fault_state_only (early 4.0: state and ports are committed, the relation settings refused),
 * lab_unit.fault_leader_lost (exit 0, and before the commit another unit leads).
 *
 * May include: lab/model.h, lab/events.h.
 */
#ifndef LAB_CONTEXT_H
#define LAB_CONTEXT_H

#include "lab/events.h"
#include "lab/model.h"

/* Writes of this run to one relation, not yet committed: maps of texts, "" removes. */
struct lab_writes {
    struct lab_writes *next;
    struct lab_relation *relation;
    struct charm_value *unit; /* NULL: none */
    struct charm_value *app;
    struct charm_value *cached; /* per hook: other bags by "unit" name, own application under "" */
};

struct lab_context {
    struct charm_arena *arena; /* lives as long as the context */
    struct lab_model *model;
    struct lab_unit *unit;
    struct lab_event event;
    const char *id;   /* JUJU_CONTEXT_ID */
    const char *name; /* of the hook or action */
    struct lab_writes *writes;
    struct charm_value *state; /* the unit's whole map as this run sees it; NULL: not touched */
    bool state_written;
    struct lab_port *ports; /* as this run sees them */
    bool ports_written;
    struct charm_value *config; /* NULL: not read yet */
    struct charm_value *leader_settings;
    bool refused_leadership; /* "no" sticks: contract 2.3 */
    bool action_failed;
    const char *action_message;
};

enum lab_ending {
    LAB_EXITED,  /* with a status */
    LAB_KILLED,  /* by SIGTERM or SIGKILL: run again (contract 1.4) */
    LAB_CRASHED, /* by another signal */
    LAB_MISSING, /* no executable for it: contract 1.2, step 4 */
};

/* Where things are, for the environment. */
struct lab_places {
    const char *charm_dir;
    const char *tools_dir;
    const char *socket;
    const char *const *extra; /* more "NAME=value"; NULL-ended, or NULL. The real Juju adds none. */
};

/* Own: end it with lab_context_end(). The unit has no other event until then. */
struct lab_context *lab_context_begin(struct lab_model *model, struct lab_unit *unit,
                                      const struct lab_event *event);
/* The exact environment (contract 1.5), NULL-ended, sorted by nothing in particular. */
const char *const *lab_context_environment(struct lab_context *context,
                                           const struct lab_places *places);
/* "hooks/install", "actions/restart"; NULL for a command. */
const char *lab_context_dispatch_path(struct lab_context *context);
/*
 * Commits or discards, lets the agent note the outcome, and frees the context. `number` is the exit status or
 * the signal. Returns 0 if the run counts as a success, or CHARM_EREFUSED with the reason (an action that
 * called action-fail is a success here).
 */
int lab_context_end(struct lab_context *context, enum lab_ending ending, int number,
                    struct charm_error *reterr);

/* ---- for the hook tools ---- */
bool lab_context_leads(struct lab_context *context);
struct lab_writes *lab_context_writes(struct lab_context *context, struct lab_relation *relation);
/* Names of remote units as the agent has told this run of them (contract 3.4), a list. */
struct charm_value *lab_context_members(struct lab_context *context, struct lab_relation *relation);
/* Does relation-ids list it in this run? */
bool lab_context_lists(const struct lab_context *context, const struct lab_relation *relation);
/* Bag of a unit, or (`unit` NULL) of `app`, with the rules of contract 3.5; errors carry Juju's text. */
CHARM_MUST_CHECK int lab_context_read_unit(struct lab_context *context,
                                           struct lab_relation *relation, const char *unit,
                                           struct charm_value **ret_bag,
                                           struct charm_error *reterr);
CHARM_MUST_CHECK int lab_context_read_app(struct lab_context *context,
                                          struct lab_relation *relation, const char *app,
                                          struct charm_value **ret_bag, struct charm_error *reterr);
CHARM_MUST_CHECK int lab_context_may_write_app(struct lab_context *context,
                                               const struct lab_relation *relation,
                                               struct charm_error *reterr);
struct charm_value *lab_context_state(struct lab_context *context);

#endif
