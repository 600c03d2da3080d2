/*
 * kcb/connectors.h: connectors that the charm is asked to have, kept true on the workers.
 *
 * Wanted ones come from rows (kcb_want_connector) and from the option `connectors`; each run plans anew from what is
 * wanted, what is ours (application state `connectors`: name to {"row": "layer.row"}) and what the workers have. A name
 * becomes ours in one run and its connector is created in a later one that reads the name back, so that a refused
 * commit leaves no orphan. What exists under a wanted name before that name is ours is foreign and stays untouched.
 * A connector goes only when its row ran without naming it, or one of the row's guards other than running,
 * topic-created, leadership or the application state is false (architecture, decision 2).
 *
 *     struct kcbi_plan plan = kcbi_plan_connectors(arena, &input);
 *     for (size_t i = 0; i < plan.count; i++) {
 *         printf("%s %s\n", kcbi_step_name(plan.steps[i].kind), plan.steps[i].name);
 *     }
 *
 * Rows: option-connectors (guards KCB_RUNNING, CHARM_IS_LEADER, CHARM_APP_STATE; sets nothing). Outputs: connectors.
 *
 * May include: kcb/rest.h, charm/run.h.
 */
#ifndef KCBI_CONNECTORS_H
#define KCBI_CONNECTORS_H

#include "charm/run.h"
#include "kcb/rest.h"

/* Kind of charm_give(): name to {"row", "config"}. */
#define KCBI_GIVE_CONNECTOR "kcb.connector"
/* Kind of charm_give(): name to words, a connector that was asked for wrongly. The output fails the run. */
#define KCBI_GIVE_MISUSE "kcb.connector-misuse"
/* Key of the application state: name to {"row"}. */
#define KCBI_APP_CONNECTORS "connectors"

/* Row: what the option names. A bad option blocks with words and keeps what is there. */
enum charm_result kcbi_want_option_connectors(struct charm_run *run, const struct charm_row *row);
/* What the option names, with the option `topics` as it is in force. */
CHARM_MUST_CHECK int kcbi_connectors_of_option(struct charm_run *run,
                                               struct charm_value **ret_wanted,
                                               struct charm_error *reterr);
/* All of ours, in one try: for the last unit that goes. What cannot be removed stays written down as ours. */
void kcbi_remove_all_connectors(struct charm_run *run);
/* Output: plans, carries out, says how the connectors are. */
enum charm_result kcbi_converge_connectors(struct charm_run *run,
                                           const struct charm_output *output);

/* ---- pure: the option ---- */
/*
 * A document as the option holds it (name to configuration) to wanted configurations of texts. `topics`: the option of
 * that name, for sinks without topics of their own. CHARM_EINVAL names connector and key, never a value.
 */
CHARM_MUST_CHECK int kcbi_option_connectors(struct charm_arena *arena,
                                            const struct charm_value *document, const char *topics,
                                            struct charm_value **ret_wanted,
                                            struct charm_error *reterr);
/* The same from YAML or JSON text, read by ports->yaml_texts; an empty text wants nothing. */
CHARM_MUST_CHECK int kcbi_option_connectors_parse(struct charm_arena *arena,
                                                  const struct charm_ports *ports, const char *text,
                                                  const char *topics,
                                                  struct charm_value **ret_wanted,
                                                  struct charm_error *reterr);
/* May a connector be called this? CHARM_EINVAL says why not. */
CHARM_MUST_CHECK int kcbi_check_connector_name(const char *name, struct charm_error *reterr);
/* A configuration of texts from one of scalars, without "name". CHARM_EINVAL names the key. */
CHARM_MUST_CHECK int kcbi_connector_texts(struct charm_arena *arena, const char *name,
                                          const struct charm_value *config,
                                          struct charm_value **ret_config,
                                          struct charm_error *reterr);

/* ---- pure: the plan ---- */
enum kcbi_row_says {
    KCBI_ROW_DROPS,  /* it ran, or is switched off: what it does not name goes */
    KCBI_ROW_HOLDS,  /* it waits, or cannot run for now: all stays */
    KCBI_ROW_NOBODY, /* no such row in this charm: stays, and is told */
};
/* `unmet`: as charm_row_outcome() gives it. */
enum kcbi_row_says kcbi_row_says(enum charm_outcome outcome, const char *const *unmet);

enum kcbi_step_kind {
    KCBI_STEP_NOTHING, /* ours, there, as wanted */
    KCBI_STEP_CLAIM,   /* write the name down; create in a later run */
    KCBI_STEP_ADOPT,   /* it exists and the option lets us take it: write the name down */
    KCBI_STEP_CREATE,
    KCBI_STEP_UPDATE,
    KCBI_STEP_DELETE,
    KCBI_STEP_FORGET,  /* ours, not wanted, not there any more */
    KCBI_STEP_FOREIGN, /* wanted, but exists and is not ours */
    KCBI_STEP_HOLD,    /* ours and left alone for now */
};
const char *kcbi_step_name(enum kcbi_step_kind kind);

struct kcbi_step {
    enum kcbi_step_kind kind;
    const char *name;
    const char *row;
    const struct charm_value *config; /* wanted, or NULL */
    const char *why;                  /* one line for the story */
};
struct kcbi_plan {
    const struct kcbi_step *steps; /* sorted by name */
    size_t count;
};
struct kcbi_plan_input {
    const struct charm_value *wanted; /* name to {"row", "config"} */
    const struct charm_value *owned;  /* name to {"row"}, as the last commit left it */
    const struct charm_value *live;   /* as kcbi_live_connectors() gives it */
    bool adopt;
    void *userdata;
    enum kcbi_row_says (*row_says)(void *userdata, const char *row);
};
struct kcbi_plan kcbi_plan_connectors(struct charm_arena *arena,
                                      const struct kcbi_plan_input *input);
/* Is the connector's configuration what is wanted, apart from the "name" that Connect adds? */
bool kcbi_same_config(struct charm_arena *arena, const struct charm_value *wanted,
                      const struct charm_value *live);

/* ---- carrying it out ---- */
struct kcbi_carried {
    struct charm_value *owned; /* ours from now on: name to {"row"}, sorted */
    struct charm_value *there; /* names that were created or updated just now */
    size_t written;            /* how many */
    size_t claimed;            /* names written down, to be created in the next run */
    const char *blocked;       /* worst that a person must act on; "" if nothing */
    const char *waiting;       /* worst that is taken up again by itself; "" if nothing */
};
enum kcbi_worker_age {
    KCBI_WORKER_CURRENT,
    KCBI_WORKER_OLD /* before 2.3: validates nothing by itself */
};
/*
 * Does what the plan says. A "not now" is no failure: it is said in `waiting` and done in a later run.
 * CHARM_EREFUSED: leadership was lost on the way, `ret_carried` is not to be trusted with the application state.
 */
CHARM_MUST_CHECK int kcbi_carry_out(struct kcbi_rest *rest, const struct kcbi_plan *plan,
                                    enum kcbi_worker_age age, struct kcbi_carried *ret_carried,
                                    struct charm_error *reterr);

/* ---- pure: how they are ---- */
struct kcbi_health {
    size_t running;      /* connector and all its tasks run */
    size_t idle;         /* of these: without any task */
    size_t paused;       /* paused or stopped by somebody */
    size_t starting;     /* unassigned, restarting, no status yet */
    size_t failed;       /* connector or a task */
    const char *failure; /* the first failed one by name, with the reason; "" if none */
};
/* Of the connectors named by the keys of `names`, in their order. */
struct kcbi_health kcbi_judge_health(struct charm_arena *arena, const struct charm_value *names,
                                     const struct charm_value *live);
/* "2 connectors running", "1 of 2 connectors running, 1 paused"; "" when there are none. */
char *kcbi_health_words(struct charm_arena *arena, const struct kcbi_health *health);

#endif
