/*
 * lab/scenario.h: one scenario file (given, when, then, never) played with a real charm process on the model of Juju.
 *
 * The format is in tests/scenario/README.md. A scene is the world of one file: the model, hook tools behind a socket
 * (lab-tool, as in the daemon), a worker's REST port, a mock Kafka, and somebody who answers as kubernetes-deployer does. All
 * of it is one thread and one poll loop; only librdkafka's mock has threads of its own.
 *
 *     scenario.c            the program: finds files, prints what failed
 *     scenario_read.c       given, when, then, never: which keys there are
 *     scenario_world.c      builds `given`, plays the steps of `when`
 *     scenario_run.c        one run of the charm: its process and its hook tools
 *     scenario_rest.c       the worker's REST port
 *     scenario_kafka.c      brokers
 *     scenario_deployer.c   the deployer's side of the relation (its answer: deployer_answer.h)
 *     scenario_expect.c     then and never
 *
 * May include: lab/{model,context,events,tools,wire,yaml}.h, base.
 */
#ifndef LAB_SCENARIO_H
#define LAB_SCENARIO_H

#include "base/buf.h"
#include "base/text.h"
#include "charm/value.h"
#include "lab/connect.h"
#include "lab/match.h"
#include "lab/model.h"

struct lab_rest;
struct lab_mock_kafka;
struct lab_scene;

struct lab_scenario_options {
    const char *charm;   /* a charm's directory, absolute */
    const char *program; /* what its `dispatch` is, when the directory has none; absolute or NULL */
    const char *tool;    /* lab-tool */
    bool verbose;
};

/* Plays one file; 0 if everything in it holds, else every difference is in the text of `ret_report`. */
CHARM_MUST_CHECK int lab_scenario_play(struct charm_arena *arena,
                                       const struct lab_scenario_options *options, const char *path,
                                       const char **ret_report);

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
    struct lab_charm charm;
    struct lab_application *app; /* whose charm runs */
    struct lab_unit *unit;       /* the one that `then` looks at */
    struct lab_rest *rest;
    struct lab_mock_kafka *kafka;
    const struct charm_value *deployer; /* what it answers */
    int tools_fd;
    const char *tools_socket;
    struct charm_value *runs;    /* list, see scenario_run.c; one act's */
    struct charm_value *before;  /* own bags when the act began */
    const struct lab_task *task; /* the last action or command */
    struct charmi_buf written; /* everything that the charm has ever said or written, for `never` */
    struct charmi_buf problems;
    struct charmi_buf details; /* every run, for --verbose */
};

/* One line for the report. */
void lab_scene_problem(struct lab_scene *scene, const char *format, ...) CHARM_PRINTF(2, 3);

/* ---- scenario_read.c ---- */
CHARM_MUST_CHECK int lab_scenario_read(struct charm_arena *arena, const char *path,
                                       struct charm_value **ret_file, struct charm_error *reterr);
/* Checks every key; which parts are known is a table. */
CHARM_MUST_CHECK int lab_scenario_check(const struct charm_value *file, struct charm_error *reterr);
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

/* ---- scenario_rest.c ---- */
struct lab_rest *lab_rest_new(struct charm_arena *arena, struct charm_error *reterr);
const char *lab_rest_host(const struct lab_rest *rest);
int lab_rest_port(const struct lab_rest *rest);
/* "up", "down", or a map: tests/scenario/README.md. */
CHARM_MUST_CHECK int lab_rest_set(struct lab_rest *rest, const struct charm_value *what,
                                  struct charm_error *reterr);
int lab_rest_fd(const struct lab_rest *rest); /* to poll; -1: it is down */
void lab_rest_serve(struct lab_rest *rest);   /* one connection that is waiting */
/* What stands behind the port. */
struct lab_connect *lab_rest_connect(const struct lab_rest *rest);

/* ---- scenario_kafka.c ---- */
CHARM_MUST_CHECK int lab_mock_kafka_new(struct charm_arena *arena, struct lab_mock_kafka **ret,
                                        struct charm_error *reterr);
int lab_mock_kafka_port(const struct lab_mock_kafka *kafka);
CHARM_MUST_CHECK int lab_mock_kafka_set(struct lab_mock_kafka *kafka,
                                        const struct charm_value *what, struct charm_error *reterr);
void lab_mock_kafka_free(struct lab_mock_kafka *kafka);

/* ---- scenario_deployer.c ---- */
/* Answers what the application's units ask for. True if anything in the deployer's bag has changed. */
bool lab_scene_answer(struct lab_scene *scene);

/* ---- scenario_expect.c ---- */
void lab_scene_then(struct lab_scene *scene, const struct charm_value *then);
void lab_scene_never(struct lab_scene *scene, const struct charm_value *never);
/* After each run: what `never` forbids at any time. */
void lab_scene_watch(struct lab_scene *scene, const struct lab_unit *unit);

#endif
