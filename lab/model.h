/*
 * lab/model.h: Juju as data: applications, units, relations, bags, leadership, configuration, actions.
 *
 * Pure: no clock, no file, no socket, no process. Time comes in with lab_model_set_time(). Everything belongs
 * to the model's arena and lives until lab_model_free(); what is removed stays as a DEAD entry, so pointers
 * never dangle. The rules are those of juju-contract.md, cited by section ("contract 1.6").
 *
 * Who drives it (a daemon with real processes, or one process that plays thousands of histories) does:
 *
 *     struct lab_model *model = lab_model_new(&(struct lab_model_options){ .name = "demo" });
 *     lab_model_deploy(model, "connect", &charm, 1, &application, &error);
 *     struct lab_event event;
 *     while (lab_event_next(model, unit, &event)) {                     (events.h)
 *         struct lab_context *context = lab_context_begin(model, unit, &event);   (context.h)
 *         ... run the charm; its hook tools are lab_tool_run(context, ...)        (tools.h)
 *         lab_context_end(context, LAB_EXITED, 0);
 *     }
 *
 * May include: include/charm, base.
 */
#ifndef LAB_MODEL_H
#define LAB_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "charm/arena.h"
#include "charm/error.h"
#include "charm/value.h"

struct lab_context;
struct lab_secret;

enum lab_life { LAB_ALIVE, LAB_DYING, LAB_DEAD };
enum lab_role { LAB_PROVIDES, LAB_REQUIRES, LAB_PEERS };

/* How the peer relation shows itself before the unit has entered it (contract 9.1: threads differ). */
enum lab_early_peer {
    LAB_EARLY_PEER_REFUSED, /* listed, its application bag is refused */
    LAB_EARLY_PEER_ABSENT,  /* not listed at all */
};

struct lab_model_options {
    const char *name;         /* NULL: "lab" */
    const char *uuid;         /* NULL: a fixed one */
    const char *juju_version; /* NULL: "3.6.4" */
    int64_t update_status_ms; /* 0: only when asked for */
    bool no_retry;            /* automatically-retry-hooks=false */
    uint64_t seed; /* 0: relations in order of their ids; else shuffled, retries jittered */
    enum lab_early_peer early_peer;
};

/* What a charm is, to Juju: its three files as values. */
struct lab_charm {
    const char *name;
    const struct charm_value *metadata;
    const struct charm_value *config;  /* whole config.yaml, or NULL */
    const struct charm_value *actions; /* whole actions.yaml, or NULL */
};

struct lab_status {
    const char *word;
    const char *message;
    int64_t since_ms;
    bool by_charm; /* the charm has said something, ever */
};

struct lab_bag {
    struct charm_value *values; /* map of texts */
    int64_t version;            /* 0: never written */
};

/* One side of a relation; a peer relation has only the first. */
struct lab_side {
    struct lab_application *app;
    const char *endpoint;
    const char *interface;
    enum lab_role role;
    struct lab_bag bag; /* the application's */
};

/* A unit's place in a relation. The bag outlives the stay (contract 3.5). */
struct lab_seat {
    struct lab_seat *next;
    struct lab_unit *unit;
    bool in_scope;
    bool was_in_scope;
    struct lab_bag bag;
};

struct lab_relation {
    struct lab_relation *next;
    int id;
    enum lab_life life;
    int revision; /* of a peer relation: the charm that brought it */
    int sides;
    struct lab_side side[2];
    struct lab_seat *seats;
};

/* What a unit's agent has told its charm about one remote unit. */
struct lab_member {
    struct lab_member *next; /* sorted by name, as texts */
    struct lab_unit *unit;
    bool joined;               /* relation-joined has succeeded */
    int64_t seen;              /* version of the bag that relation-changed last reported */
    struct charm_value *cache; /* bag as last read (contract 2.3), NULL: read anew */
};

/* What a unit's agent has told its charm about one relation. */
struct lab_view {
    struct lab_view *next;
    struct lab_relation *relation;
    bool entered;          /* the unit is in scope */
    bool created;          /* relation-created has succeeded */
    bool over;             /* broken, or left */
    struct lab_unit *owed; /* relation-changed must follow the joined of this unit */
    int64_t app_seen;
    struct lab_member *members;
};

struct lab_port {
    struct lab_port *next;
    int from;
    int to;
    const char *protocol;
    const char *endpoint; /* "" means all */
};

enum lab_task_state { LAB_TASK_PENDING, LAB_TASK_RUNNING, LAB_TASK_COMPLETED, LAB_TASK_FAILED };

/* An action, or a command of `juju exec`. */
struct lab_task {
    struct lab_task *next;
    int id;
    struct lab_unit *unit;
    const char *action; /* NULL: a command */
    const struct charm_value *params;
    const struct charm_value *command; /* list of words */
    enum lab_task_state state;
    const char *message;
    struct charm_value *results;
    struct charm_value *log; /* list of lines */
    int64_t enqueued_ms;
    int64_t started_ms;
    int64_t completed_ms;
};

enum lab_hook {
    LAB_HOOK_NONE,
    LAB_INSTALL,
    LAB_START,
    LAB_STOP,
    LAB_REMOVE,
    LAB_CONFIG_CHANGED,
    LAB_LEADER_ELECTED,
    LAB_LEADER_SETTINGS_CHANGED,
    LAB_UPGRADE_CHARM,
    LAB_UPDATE_STATUS,
    LAB_SECRET_CHANGED,
    LAB_RELATION_CREATED,
    LAB_RELATION_JOINED,
    LAB_RELATION_CHANGED,
    LAB_RELATION_DEPARTED,
    LAB_RELATION_BROKEN,
    LAB_TASK, /* an action or a command */
};

/* One thing that a unit's charm is run for. Borrowed from the model. */
struct lab_event {
    enum lab_hook hook;
    struct lab_relation *relation; /* of the relation hooks */
    struct lab_unit *remote;       /* NULL: the application as such */
    struct lab_unit *departing;    /* of relation-departed */
    struct lab_application *remote_app;
    int64_t version;    /* of the bag that a joined or changed reports */
    const char *config; /* of config-changed: what it reports */
    struct lab_task *task;
    struct lab_secret *secret; /* of secret-changed; `version` is the revision that it reports */
};

struct lab_unit {
    struct lab_unit *next;
    struct lab_application *app;
    const char *name; /* "connect/0" */
    int number;
    int machine;
    enum lab_life life;
    bool lost; /* its machine is gone: no agent, and nobody has removed it */
    const char *address;

    bool installed;
    bool started;
    bool stopped;
    bool leads;                   /* its agent has accepted leadership */
    int64_t leader_settings_seen; /* -1: never */
    int charm_seen;               /* revision it runs */
    const char *config_seen;      /* NULL: no config-changed yet */
    struct lab_event queued;      /* hook that comes next whatever happens */
    struct lab_event failed;      /* hook in error */
    int failures;                 /* of `failed`, in a row */
    int64_t retry_ms;
    bool retry_now; /* `juju resolved` */
    bool update_status_wanted;
    int64_t update_status_ms; /* when the next one is due */
    struct lab_view *views;

    struct lab_context *running;
    struct charm_value *state; /* map of texts */
    struct lab_port *ports;
    struct lab_status status;
    const char *failure; /* 'hook failed: "install"', or NULL */
    void *userdata;      /* the driver's: see server.h */
    /* Faults to be played once: see context.h. */
    bool fault_refuse_commit;
    bool fault_state_only;
    bool fault_leader_lost;
};

struct lab_application {
    struct lab_application *next;
    const char *name;
    enum lab_life life;
    struct lab_charm charm;
    int revision;
    struct charm_value *config; /* map: only what was set */
    struct lab_unit *units;     /* in order of their numbers */
    int next_unit;
    struct lab_unit *leader; /* NULL while nobody can */
    struct charm_value *leader_settings;
    int64_t leader_settings_version;
    struct lab_status status; /* word NULL: follows from its units */
    const char *version;
    void *userdata;
};

struct lab_model {
    struct charm_arena *arena;
    struct lab_model_options options;
    int major;
    int minor;
    int64_t now_ms; /* since 1970 */
    uint64_t random;
    struct lab_application *applications;
    struct lab_relation *relations;
    struct lab_task *tasks;
    struct lab_secret *secrets; /* secrets.h */
    int next_relation;
    int next_task;
    int next_machine;
    int next_context;
    /* A line for the log; may be NULL. */
    void (*log)(void *userdata, const char *unit, const char *level, const char *module,
                const char *text);
    void *userdata;
};

struct lab_model *lab_model_new(const struct lab_model_options *options);
void lab_model_free(struct lab_model *model);
void lab_model_set_time(struct lab_model *model, int64_t now_ms);
/* A number in [0, below). */
uint64_t lab_model_random(struct lab_model *model, uint64_t below);
bool lab_model_at_least(const struct lab_model *model, int major, int minor);
void lab_model_log(const struct lab_model *model, const char *unit, const char *level,
                   const char *module, const char *text);

/* ---- what an operator does; each refuses what Juju refuses, with Juju's kind of text ---- */
CHARM_MUST_CHECK int lab_model_deploy(struct lab_model *model, const char *name,
                                      const struct lab_charm *charm, int units,
                                      struct lab_application **ret_app, struct charm_error *reterr);
CHARM_MUST_CHECK int lab_model_upgrade(struct lab_model *model, struct lab_application *app,
                                       const struct lab_charm *charm, struct charm_error *reterr);
CHARM_MUST_CHECK int lab_model_add_unit(struct lab_model *model, struct lab_application *app,
                                        struct lab_unit **ret_unit, struct charm_error *reterr);
/* One more relation of a peer endpoint beside the one that is there, as after refresh, rollback and refresh (contract 9.1). */
CHARM_MUST_CHECK int lab_model_double_peer(struct lab_model *model, struct lab_application *app,
                                           const char *endpoint, struct charm_error *reterr);
/* `force` removes a lost or stuck unit at once, without its hooks. */
CHARM_MUST_CHECK int lab_model_remove_unit(struct lab_model *model, struct lab_unit *unit,
                                           bool force, struct charm_error *reterr);
CHARM_MUST_CHECK int lab_model_remove_application(struct lab_model *model,
                                                  struct lab_application *app,
                                                  struct charm_error *reterr);
/* Endpoints are "app" or "app:endpoint". */
CHARM_MUST_CHECK int lab_model_relate(struct lab_model *model, const char *left, const char *right,
                                      struct lab_relation **ret_relation,
                                      struct charm_error *reterr);
CHARM_MUST_CHECK int lab_model_remove_relation(struct lab_model *model, const char *left,
                                               const char *right, struct charm_error *reterr);
/* `text` as typed by a person; it is read by the option's type. NULL takes the default again. */
CHARM_MUST_CHECK int lab_model_config_set(struct lab_model *model, struct lab_application *app,
                                          const char *option, const char *text,
                                          struct charm_error *reterr);
/* The unit leads from now on; NULL, or one that is dying or lost: whoever can. */
void lab_model_elect(struct lab_model *model, struct lab_application *app, struct lab_unit *unit);
/* The unit's machine dies: no event reaches it any more, leadership goes elsewhere, its data stays. */
void lab_model_lose_unit(struct lab_model *model, struct lab_unit *unit);
/* `juju resolved`, with or without --no-retry. */
CHARM_MUST_CHECK int lab_model_resolved(struct lab_model *model, struct lab_unit *unit, bool retry,
                                        struct charm_error *reterr);
CHARM_MUST_CHECK int lab_model_run_action(struct lab_model *model, struct lab_unit *unit,
                                          const char *action, const struct charm_value *params,
                                          struct lab_task **ret_task, struct charm_error *reterr);
struct lab_task *lab_model_run_command(struct lab_model *model, struct lab_unit *unit,
                                       const struct charm_value *command);

/* ---- look ---- */
struct lab_application *lab_model_app(const struct lab_model *model, const char *name);
/* "connect/0", or "connect/leader". */
struct lab_unit *lab_model_unit(const struct lab_model *model, const char *name);
struct lab_task *lab_model_task(const struct lab_model *model, int id);
/* The relation with this id that is not gone, or NULL. */
struct lab_relation *lab_model_relation(const struct lab_model *model, int id);
/* The relation is this application's: which side is its own, which the other (equal in a peer relation). */
struct lab_side *lab_relation_own(struct lab_relation *relation, const struct lab_application *app);
struct lab_side *lab_relation_other(struct lab_relation *relation,
                                    const struct lab_application *app);
bool lab_relation_is_peer(const struct lab_relation *relation);
/* The unit's place in the relation, made when it has none. */
struct lab_seat *lab_relation_seat(struct lab_model *model, struct lab_relation *relation,
                                   struct lab_unit *unit);
struct lab_view *lab_unit_view(const struct lab_unit *unit, const struct lab_relation *relation);
struct lab_member *lab_view_member(const struct lab_view *view, const struct lab_unit *unit);
/* All options that have a value, with defaults; `all`: the unset ones too, as null. */
struct charm_value *lab_application_options(struct charm_arena *arena,
                                            const struct lab_application *app, bool all);
/* What `juju status` shows for the application. */
struct lab_status lab_application_status(const struct lab_application *app);

/* ---- used by events.c and context.c ---- */
/* Into a bag: "" removes. Returns whether anything changed; the version is the caller's to raise. */
bool lab_bag_put(struct lab_bag *bag, const char *key, const char *value);
void lab_unit_set_status(struct lab_model *model, struct lab_unit *unit, const char *word,
                         const char *message);
void lab_unit_enter(struct lab_model *model, struct lab_unit *unit, struct lab_view *view);
void lab_unit_leave(struct lab_model *model, struct lab_unit *unit, struct lab_view *view);
/* Takes from the model what has nothing to wait for any more. */
void lab_model_sweep(struct lab_model *model);
void lab_unit_die(struct lab_model *model, struct lab_unit *unit);
void lab_unit_set_address(struct lab_model *model, struct lab_unit *unit, const char *address);

#endif
