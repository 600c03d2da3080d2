/*
 * lab/daemon.h: what the parts of the daemon share: one struct, one thread, one poll loop.
 *
 *     server.c     sockets and the loop; the hook tools' requests
 *     requests.c   what the `lab` command asks for
 *     agent.c      runs a charm's hooks, actions and commands as processes
 *     apps.c       plays the applications that live inside the lab (app.h)
 *     report.c     what is shown of it all: status, units
 *     journal.c    the log, and the table of hooks with their times and tool calls
 *
 * May include: everything of the lab.
 */
#ifndef LAB_DAEMON_H
#define LAB_DAEMON_H

#include <sys/types.h>

#include "lab/context.h"
#include "lab/model.h"
#include "lab/server.h"

struct lab_driver;

struct lab_line {
    int64_t time_ms;
    const char *unit;
    const char *level;
    const char *module;
    const char *text;
};

struct lab_daemon {
    struct charm_arena *arena;
    struct lab_model *model;
    const struct lab_server_options *options;
    const char *dir;
    const char *tool; /* path of the lab-tool program */
    const char *tools_socket;
    const char *network; /* one line for a person */
    int64_t busy_ms;     /* when there was last something to do, monotonic */
    int hurry;           /* a message for the loop: look again at once */
    int stopping;

    struct lab_line *lines;
    size_t line_count;
    size_t line_capacity;
    int log_fd;
    struct charm_value *runs; /* list of maps, see journal.c */
};

int64_t lab_clock_ms(void);  /* since 1970 */
int64_t lab_steady_us(void); /* only forward */

/* ---- journal.c ---- */
void lab_journal_open(struct lab_daemon *daemon);
void lab_journal_add(struct lab_daemon *daemon, const char *unit, const char *level,
                     const char *module, const char *text);
/* As juju debug-log prints it, without the newline. */
const char *lab_journal_text(struct charm_arena *arena, const struct lab_line *line);
/* A new entry in the table of hooks; borrowed, and filled while the hook runs. */
struct charm_value *lab_journal_run(struct lab_daemon *daemon, const char *unit, const char *name,
                                    const char *kind);
void lab_journal_call(struct charm_value *run, const char *text, int code, int64_t offset_us,
                      int64_t duration_us);
void lab_journal_run_end(struct charm_value *run, const char *result, int64_t duration_us);

/* ---- agent.c: units of charms ---- */
struct lab_agent; /* in lab_unit.userdata */
/* Starts what is to be run next, takes up what has ended. True if anything happened. */
bool lab_agent_step(struct lab_daemon *daemon, struct lab_unit *unit);
/* The running context with this id, or NULL; and where its tool calls are written down. */
struct lab_unit *lab_agent_find(struct lab_daemon *daemon, const char *context_id);
void lab_agent_called(struct lab_unit *unit, const char *const *argv, int code, int64_t started_us);
/*
 * A fault that is played once, in the unit's next run (of that name, when `hook` is not NULL): "refuse-commit",
 * "state-only", "leader-lost" (see context.h), "kill-at-exit" (the agent dies between the exit and the commit), "kill-before" and
 * "kill-after" the hook tool call with this number.
 */
CHARM_MUST_CHECK int lab_agent_set_fault(struct lab_daemon *daemon, struct lab_unit *unit,
                                         const char *fault, int64_t number, const char *hook,
                                         struct charm_error *reterr);
/* A hook tool of the unit is about to be answered (`after` false), or has been. */
void lab_agent_tool_point(struct lab_unit *unit, bool after);
/* Kills what runs. */
void lab_agent_stop(struct lab_unit *unit);
/* Descriptors to poll (out, err; -1: none), and reading what is there. */
void lab_agent_fds(const struct lab_unit *unit, int ret_fds[2]);
void lab_agent_read(struct lab_daemon *daemon, struct lab_unit *unit);
/* Reads a charm's directory or archive into the lab's store; `ret_charm` lives in the daemon's arena. */
CHARM_MUST_CHECK int lab_agent_load_charm(struct lab_daemon *daemon, const char *path,
                                          struct lab_charm *ret_charm, const char **ret_stored,
                                          struct charm_error *reterr);
void lab_agent_make_unit(struct lab_daemon *daemon, struct lab_unit *unit);

/* ---- apps.c: applications inside the lab ---- */
struct lab_app; /* in lab_application.userdata, of charms too */
struct lab_app *lab_app_new(struct lab_daemon *daemon, struct lab_application *application,
                            const struct lab_driver *driver, const char *stored);
const struct lab_driver *lab_app_driver(const struct lab_application *application);
/* Where the charm lies in the lab's store; the next one after lab_app_set_charm(). */
const char *lab_app_charm(const struct lab_application *application);
void lab_app_set_charm(struct lab_application *application, const char *stored);
bool lab_app_step(struct lab_daemon *daemon, struct lab_unit *unit);
void lab_app_tick(struct lab_daemon *daemon, struct lab_application *application);
void lab_app_stop(struct lab_daemon *daemon, struct lab_application *application);
/* A person applies a manifest in the application's Kubernetes; CHARM_EINVAL: it has none. */
CHARM_MUST_CHECK int lab_app_apply(struct lab_application *application,
                                   const struct charm_value *manifest, struct charm_error *reterr);

/* ---- report.c ---- */
struct charm_value *lab_report_status(struct lab_daemon *daemon, struct charm_arena *arena);
struct charm_value *lab_report_unit(struct lab_daemon *daemon, struct charm_arena *arena,
                                    struct lab_unit *unit);
struct charm_value *lab_report_task(struct charm_arena *arena, const struct lab_task *task);
/* Nothing runs, and nothing is to be run now. */
bool lab_unit_idle(struct lab_daemon *daemon, struct lab_unit *unit);

/* ---- requests.c ---- */
/* Answers one request of the command; {"error": text} when it is refused. */
struct charm_value *lab_request(struct lab_daemon *daemon, struct charm_arena *arena,
                                const struct charm_value *request);

#endif
