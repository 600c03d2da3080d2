/*
 * lab/history_internal.h: what the files of the histories share.
 *
 * May include: everything that history.h may.
 */
#ifndef LAB_HISTORY_INTERNAL_H
#define LAB_HISTORY_INTERNAL_H

#include "base/text.h"
#include "lab/brokers.h"
#include "lab/connect.h"
#include "lab/context.h"
#include "lab/deployer.h"
#include "lab/events.h"
#include "lab/history.h"

/* Every planted secret begins so, and nothing else does. */
#define LAB_SECRET "s3cr3t"
/* Where the workers' REST port is, from outside and inside of the cluster, and the first broker. */
#define LAB_NODE "10.0.0.31"
#define LAB_CLUSTER_IP "10.152.183.40"
#define LAB_KAFKA "10.0.0.11"
enum { LAB_NODE_PORT = 30083, LAB_KAFKA_PORT = 9092, LAB_BROKERS = 3 };

/* A fault of the step that is being played. */
struct lab_fault {
    int64_t run; /* of the step */
    enum lab_point_kind at;
    int64_t nth; /* point of that kind in the run */
    enum lab_blow blow;
    int64_t slow_ms;               /* time that passes there */
    const struct charm_value *act; /* a step that happens there, or NULL */
    bool done;
};

struct lab_world {
    struct charm_arena *arena;
    const struct lab_base *base;
    struct lab_history_options options;
    struct lab_history_result first; /* of the beginning */
    struct lab_history_result *result;
    struct charm_arena *result_arena;

    struct lab_model *model;
    struct lab_application *app;
    struct lab_brokers *brokers;
    struct lab_connect *connect;
    struct lab_deployer *deployer;
    struct lab_skin *skin;
    struct kcb_ports outside;
    bool rest_down;
    uint64_t random;
    uint64_t asked; /* digest of what the deployer read last */
    bool deployer_told;

    struct lab_fault *faults;
    size_t fault_count;
    int64_t run_in_step;
    int64_t points_of_kind[4];

    struct lab_unit *running;
    bool disturbed; /* something was done to this run */
    bool wrote;     /* a run called a hook tool that writes, since update-status was asked for */
    bool lied_to;   /* the workers may answer what is not so */
    bool kafka_is_silent; /* its units say nothing when they come */
    bool topics_touched;  /* somebody changed a topic by hand */
    bool shows_falsely; /* workers show other configurations than they have: only for a sabotage */
    const struct charm_value
        *wanted_before; /* connectors, when options changed in the middle of this run */
    bool adopted_before;
    bool led;                      /* the unit led when its run began */
    const struct lab_unit *asking; /* whose request stood when it was last seen */
    struct charm_value *strangers; /* connectors that others made: name -> configuration */
    size_t puts;                   /* of connectors */
};

/* ---- history_world.c ---- */
/* Notes the first broken invariant; the history ends with it. */
void lab_broken(struct lab_world *world, const struct lab_invariant *invariant, const char *format,
                ...) CHARM_PRINTF(3, 4);
bool lab_is_broken(const struct lab_world *world);
/* A line of the story, if somebody wants it. */
void lab_tell(const struct lab_world *world, const char *format, ...) CHARM_PRINTF(2, 3);
/* Words of faults that are the commit's: refuse-commit, state-only, leader-lost. NULL-ended. */
extern const char *const lab_commit_blows[];
/* Into a bag, as its owner writes: "" or NULL removes. True if that changed anything. */
bool lab_world_put(struct lab_bag *bag, const char *key, const char *value);
/* Another agent, whose charm does nothing, runs all its hooks. True if there was any. */
bool lab_world_pass(struct lab_world *world, struct lab_unit *unit);

/* The relation of an endpoint that is alive, the last one made; NULL: none. */
struct lab_relation *lab_world_relation(const struct lab_world *world, const char *endpoint);
struct lab_seat *lab_world_seat(const struct lab_world *world, const char *endpoint,
                                const struct lab_unit *unit);
/* The application's state, read: key -> value. */
const struct charm_value *lab_world_app_state(const struct lab_world *world, const char *key);
/* Has the unit an agent that lives? */
bool lab_unit_lives(const struct lab_unit *unit);
/* Is REST of any worker reachable now? */
bool lab_world_rest_answers(const struct lab_world *world);
/* Every hook runs until nobody has anything to do; failed ones are tried again. */
void lab_world_settle(struct lab_world *world);
/* update-status on every unit, and what comes of it. True if any run wrote. */
bool lab_world_update_status(struct lab_world *world);
/* Does a step, and lets some of the hooks run that come of it, with its faults. */
void lab_world_step(struct lab_world *world, const struct charm_value *step);

/* ---- history_steps.c ---- */
/* What a step says, without the hooks that come of it. */
void lab_world_act(struct lab_world *world, const struct charm_value *step);
/* The same in the middle of a run. */
void lab_world_happen(struct lab_world *world, const struct charm_value *step);
void lab_world_relate(struct lab_world *world, const char *endpoint);
/* The operator sets options (texts; null: the default), or one of them. */
void lab_world_options(struct lab_world *world, const struct charm_value *config);
void lab_world_config(struct lab_world *world, const char *option, const char *value);
void lab_world_word(struct lab_world *world, const char *word);
void lab_world_brokers(struct lab_world *world, const struct charm_value *what);
/* Somebody's hand at the workers; `config` is JSON. */
void lab_world_put_connector(struct lab_world *world, const char *name, const char *config);
/* Everything outside of Juju works again, and nobody lies any more. */
void lab_world_heal(struct lab_world *world);
/* What only a person can do: as the statuses say. */
void lab_world_repair(struct lab_world *world);

/* ---- history_scenario.c ---- */
/* Notes a step, or a plain word, as a scenario says it, if somebody wants that. */
void lab_say(struct lab_world *world, const struct charm_value *step);
void lab_say_word(struct lab_world *world, const char *word);

/* ---- history_wanted.c ---- */
struct lab_wanted {
    const char *status; /* pattern: "LEVEL TEXT" */
    bool running;       /* workers run, and connectors are looked after */
    bool kafka_ready;
    bool topics_right;
    bool kubernetes;
    bool config_right; /* no option is wrong */
    bool connectors_right;
    const struct charm_value *connectors; /* wanted: name -> configuration */
};
/* What a leader should make of the world as it is. */
struct lab_wanted lab_wanted_of_leader(struct lab_world *world);
const char *lab_wanted_status(struct lab_world *world, const struct lab_unit *unit,
                              const struct lab_wanted *wanted);
/* The value of an option that an operator typed, is it one that the charm must refuse? */
bool lab_option_is_wrong(const char *option, const char *value);
/* Values to draw from: {option, value, wrong}; ended by an option NULL. */
struct lab_option_value {
    const char *option;
    const char *value; /* NULL: the default */
    bool wrong;
};
extern const struct lab_option_value lab_option_values[];
/* Does the operator let failed connectors be restarted, and connectors of others be adopted? */
bool lab_may_restart(const struct lab_world *world);
bool lab_may_adopt(const struct lab_world *world);
/* Connectors that the option wants now; NULL if it is wrong. */
const struct charm_value *lab_wanted_connectors(struct lab_world *world);

/* ---- history_check.c ---- */
extern const struct lab_invariant lab_one_wish, lab_as_a_fresh_leader, lab_wanted_are_live,
    lab_no_stranger_touched, lab_one_put_a_change, lab_written_down_first, lab_only_the_leader,
    lab_flags_have_grounds, lab_statuses_are_true, lab_no_secret, lab_comes_to_rest,
    lab_quiet_when_settled, lab_no_run_fails, lab_nothing_taken_away;
void lab_check_run(struct lab_world *world, struct lab_unit *unit, const struct lab_skin_run *run);
void lab_check_request(struct lab_world *world, const struct lab_request *request);
void lab_check_creation(struct lab_world *world, const struct kcb_topic_spec *spec);
void lab_check_settled(struct lab_world *world);
/* `unit` has just been added: it leads from now on. */
void lab_check_fresh_leader(struct lab_world *world, struct lab_unit *unit);

/* ---- history_sabotage.c ---- */
enum lab_moment {
    LAB_BEFORE_RUN,
    LAB_AFTER_RUN,
    LAB_BEFORE_REQUEST, /* of REST */
    LAB_BEFORE_UPDATE_STATUS,
    LAB_BEFORE_CHECK,
    LAB_BEFORE_FRESH_LEADER,
};
/* Breaks the rule that the options name, if this is its moment. */
void lab_sabotage(struct lab_world *world, enum lab_moment when);

#endif
