/*
 * lab/scenario.h: one scenario file (given, when, then, never) played on the model of Juju, in one of two skins.
 *
 * The format is in tests/scenario/README.md. A scene is the world of one file: the model, a worker's REST port, Kafka, and
 * somebody who answers as kubernetes-deployer does. In the skin `process` the charm is a process, hook tools are behind a
 * socket (lab-tool, as in the daemon), REST is a port and Kafka librdkafka's mock; all of it is one thread and one poll
 * loop, only the mock has threads of its own. In the skin `in-process` the charm's layers are functions (skin.h), and REST
 * and Kafka are data. What a file does must have the same effects in both.
 *
 *     scenario.c            the program: finds files, prints what failed
 *     scenario_play.c       one file: its acts, in one skin or both
 *     scenario_read.c       given, when, then, never: which keys there are
 *     scenario_world.c      builds `given`, plays the steps of `when`
 *     scenario_run.c        one run of the charm: its process and its hook tools
 *     scenario_inside.c     one run of the charm in this process
 *     scenario_records.c    what the charm keeps beside itself
 *     scenario_effects.c    what came of an act, to be compared (effects.h)
 *     scenario_rest.c       the worker's REST port
 *     scenario_kafka.c      brokers
 *     scenario_secret.c     Juju's secrets
 *     scenario_deployer.c   the deployer's side of the relation (its answer: deployer_answer.h)
 *     scenario_expect.c     then and never
 *     kills.c               a program of its own: one life, killed at every point
 *
 * May include: lab/{model,context,events,tools,wire,yaml,skin,skin_base,brokers,effects}.h, base.
 */
#ifndef LAB_SCENARIO_H
#define LAB_SCENARIO_H

#include "base/buf.h"
#include "base/text.h"
#include "charm/value.h"
#include "lab/connect.h"
#include "lab/match.h"
#include "lab/model.h"
#include "lab/skin_base.h"

struct lab_rest;
struct lab_mock_kafka;
struct lab_scene;

enum lab_scenario_skin { LAB_SKIN_PROCESS, LAB_SKIN_INSIDE, LAB_SKIN_BOTH };

struct lab_scenario_options {
    enum lab_scenario_skin skin;
    const char *charm;    /* a charm's directory, absolute */
    struct lab_base base; /* what is in it */
    const char *program; /* what its `dispatch` is, when the directory has none; absolute or NULL */
    const char *tool;    /* lab-tool */
    const char *kafka;   /* HOST:PORT of a real one; NULL: librdkafka's mock */
    bool verbose;
};

struct lab_scenario_result {
    bool good;          /* everything in the file holds, and the skins agree */
    const char *report; /* every difference */
    const char *
        needs_process; /* why it was not played in this process; NULL: it was, or nobody wanted it */
};

/* Plays one file. */
void lab_scenario_play(struct charm_arena *arena, const struct lab_scenario_options *options,
                       const char *path, struct lab_scenario_result *ret_result);

/* ---- the world of one scenario ---- */
enum lab_prelude {
    LAB_PRELUDE_QUICK, /* everything has happened already, then update-status until nothing changes any more */
    LAB_PRELUDE_HOOKS, /* every hook runs, in Juju's order */
    LAB_PRELUDE_NONE,  /* nothing has run */
};

struct lab_scene {
    struct charm_arena *arena;
    const struct lab_scenario_options *options;
    const struct charm_value *file; /* the whole file, with ${...} filled in */
    const char *dir;                /* all of its own */
    struct lab_model *model;
    struct lab_application *app; /* whose charm runs */
    struct lab_unit *unit;       /* the one that `then` looks at */
    const char *held;            /* the unit whose hooks wait; NULL or "": none */
    struct lab_rest *rest;
    struct lab_mock_kafka *kafka;
    const struct charm_value *deployer; /* what it answers */
    int tools_fd;
    const char *tools_socket;
    struct charm_value *runs;    /* list, see scenario_run.c; one act's */
    struct charm_value *before;  /* own bags when the act began */
    const struct lab_task *task; /* the last action or command */
    bool inside;                 /* the charm runs in this process */
    struct lab_skin *skin;       /* made at its first run */
    const char *needs_process;   /* what of the file cannot be had in this process, or NULL */
    struct charm_value *effects; /* list of texts, see scenario_effects.c */
    size_t run_count;
    size_t refuse_commit_of;   /* number of the run, from 1, whose commit is refused; 0: none */
    size_t state_only_of;      /* the same, and of its commit the state alone is taken */
    struct charmi_buf written; /* everything that the charm has ever said or written, for `never` */
    struct charmi_buf problems;
    struct charmi_buf details; /* every run, for --verbose */
};

/* One line for the report. */
void lab_scene_problem(struct lab_scene *scene, const char *format, ...) CHARM_PRINTF(2, 3);

/* ---- scenario_play.c ---- */
/* Makes the world of a file for a charm that is a process. Begun or not, it is to be
 * ended. */
CHARM_MUST_CHECK int lab_scene_begin(struct lab_scene *scene, struct charm_arena *arena,
                                     const struct lab_scenario_options *options,
                                     const struct charm_value *file, struct charm_error *reterr);
void lab_scene_end(struct lab_scene *scene);

/* ---- scenario_read.c ---- */
CHARM_MUST_CHECK int lab_scenario_read(struct charm_arena *arena, const char *path,
                                       struct charm_value **ret_file, struct charm_error *reterr);
/* Checks every key; which parts are known is a table. */
CHARM_MUST_CHECK int lab_scenario_check(const struct charm_value *file, struct charm_error *reterr);
/* Why the file cannot be played in this process, by what it uses; NULL: it can, as far as can be told from here. */
const char *lab_scenario_needs_process(const struct charm_value *file);
/* Every ${name} in every text becomes `names`[name]; an unknown one is an error. */
CHARM_MUST_CHECK int lab_scenario_fill(struct charm_arena *arena, const struct charm_value *value,
                                       const struct charm_value *names,
                                       struct charm_value **ret_value, struct charm_error *reterr);

/* ---- scenario_world.c ---- */
CHARM_MUST_CHECK int lab_scene_given(struct lab_scene *scene, struct charm_error *reterr);
CHARM_MUST_CHECK int lab_scene_when(struct lab_scene *scene, const struct charm_value *steps,
                                    struct charm_error *reterr);
/* Own bag of a unit on the first relation of an endpoint that is there; NULL: there is none. */
const struct charm_value *lab_scene_own_bag(const struct lab_scene *scene,
                                            const struct lab_unit *unit, const char *endpoint);
const struct charm_value *lab_scene_app_state(const struct lab_scene *scene);
struct lab_relation *lab_scene_relation(const struct lab_scene *scene, const char *endpoint);
void lab_scene_put(struct lab_bag *bag, const struct charm_value *values);

/* ---- scenario_run.c ---- */
CHARM_MUST_CHECK int lab_scene_open(struct lab_scene *scene, struct charm_error *reterr);
void lab_scene_close(struct lab_scene *scene);
CHARM_MUST_CHECK int lab_scene_make_unit(struct lab_scene *scene, struct lab_unit *unit,
                                         struct charm_error *reterr);
/* Runs the charm for one event, to its end and commit. */
CHARM_MUST_CHECK int lab_scene_run(struct lab_scene *scene, struct lab_unit *unit,
                                   const struct lab_event *event, struct charm_error *reterr);
const char *lab_scene_charm_dir(const struct lab_scene *scene, const struct lab_unit *unit);

/* ---- scenario_inside.c ---- */
/* The same in this process. */
void lab_scene_run_inside(struct lab_scene *scene, struct lab_unit *unit,
                          const struct lab_event *event);

/* ---- scenario_records.c ---- */
/* The files that the charm keeps beside itself: name to text, the one last written last. */
const struct charm_value *lab_scene_records(struct lab_scene *scene, const struct lab_unit *unit);

/* ---- scenario_effects.c ---- */
/* Writes down what came of the act that has just been played. */
void lab_scene_note_effects(struct lab_scene *scene, const char *act);
/* Writes down how the world stands at its end: bags, statuses, connectors. */
void lab_scene_note_end(struct lab_scene *scene);

/* ---- scenario_rest.c ---- */
struct lab_rest *lab_rest_new(struct charm_arena *arena, struct charm_error *reterr);
/* Only said to be there: for lab_rest_ask(). */
struct lab_rest *lab_rest_without_port(struct charm_arena *arena, const char *host, int port);
const char *lab_rest_host(const struct lab_rest *rest);
int lab_rest_port(const struct lab_rest *rest);
/* "up", "down", or a map: tests/scenario/README.md. */
CHARM_MUST_CHECK int lab_rest_set(struct lab_rest *rest, const struct charm_value *what,
                                  struct charm_error *reterr);
int lab_rest_fd(const struct lab_rest *rest); /* to poll; -1: it is down */
void lab_rest_serve(struct lab_rest *rest);   /* one connection that is waiting */
/* As kcb_ports.http, without a port; time passes in the skin. */
int lab_rest_ask(struct lab_rest *rest, struct lab_skin *skin, struct charm_arena *arena,
                 const struct kcb_http_request *request, struct kcb_http_answer *ret_answer,
                 struct charm_error *reterr);
/* What stands behind the port. */
struct lab_connect *lab_rest_connect(const struct lab_rest *rest);

/* ---- scenario_kafka.c ---- */
CHARM_MUST_CHECK int lab_mock_kafka_new(struct charm_arena *arena, struct lab_mock_kafka **ret,
                                        struct charm_error *reterr);
/* Only said to be there: brokers as data. */
struct lab_mock_kafka *lab_mock_kafka_without_port(struct charm_arena *arena, int port);
/* The data; NULL: it is librdkafka's mock. */
struct lab_brokers *lab_mock_kafka_brokers(const struct lab_mock_kafka *kafka);
int lab_mock_kafka_port(const struct lab_mock_kafka *kafka);
CHARM_MUST_CHECK int lab_mock_kafka_set(struct lab_mock_kafka *kafka,
                                        const struct charm_value *what, struct charm_error *reterr);
void lab_mock_kafka_free(struct lab_mock_kafka *kafka);

/* ---- scenario_secret.c ---- */
/* Of given: made, and granted to the charm's application. */
CHARM_MUST_CHECK int lab_scene_secrets(struct lab_scene *scene, const struct charm_value *secrets,
                                       struct charm_error *reterr);
/* What a step says of secrets. */
CHARM_MUST_CHECK int lab_scene_change_secrets(struct lab_scene *scene,
                                              const struct charm_value *step,
                                              struct charm_error *reterr);

/* ---- scenario_deployer.c ---- */
/* Answers what the application's units ask for. True if anything in the deployer's bag has changed. */
bool lab_scene_answer(struct lab_scene *scene);

/* ---- scenario_expect.c ---- */
void lab_scene_then(struct lab_scene *scene, const struct charm_value *then);
void lab_scene_never(struct lab_scene *scene, const struct charm_value *never);
/* After each run: what `never` forbids at any time. */
void lab_scene_watch(struct lab_scene *scene, const struct lab_unit *unit);

#endif
