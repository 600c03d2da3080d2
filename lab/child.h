/*
 * lab/child.h: a process of ours that runs beside the daemon: a broker, a worker, a forwarder.
 *
 * Invariants. It dies with the daemon (PR_SET_PDEATHSIG). Its input is /dev/null, its output goes to a log file,
 * it inherits no other descriptor. Nobody else waits for its pid. The owner asks lab_child_running() now and then.
 *
 *     struct lab_child child = { 0 };
 *     const struct lab_child_plan plan = { .argv = argv, .env = env, .log = "/tmp/x/broker.log" };
 *     if (lab_child_start(&child, &plan, reterr) == 0) { ... }
 *     lab_child_stop(&child, 10000);
 *
 * May include: charm/error.h.
 */
#ifndef LAB_CHILD_H
#define LAB_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "charm/error.h"

struct lab_child {
    pid_t pid;  /* 0: never started or already reaped */
    int status; /* as waitpid() gives it, once it has ended */
};

struct lab_child_plan {
    const char *const *argv; /* NULL-ended; NULL: `body` is the whole program */
    const char *const *env;  /* NULL-ended */
    const char *log;         /* file that its output is appended to */
    int keep_fd;             /* a descriptor that it keeps, or 0 */
    /* Runs in the child before exec; what it returns when not 0 is the exit status. May be NULL. */
    int (*body)(void *userdata);
    void *userdata;
};

CHARM_MUST_CHECK int lab_child_start(struct lab_child *child, const struct lab_child_plan *plan,
                                     struct charm_error *reterr);
/* Looks whether it still runs; reaps it when it has ended. */
bool lab_child_running(struct lab_child *child);
void lab_child_signal(const struct lab_child *child, int number);
/* Waits until it has ended; false after `ms`. */
CHARM_MUST_CHECK bool lab_child_wait(struct lab_child *child, int ms);
/* SIGTERM, after `grace_ms` SIGKILL; waits. */
void lab_child_stop(struct lab_child *child, int grace_ms);
/* "exit code 1" or "signal 9": how it ended, for people. `text` has room for `size` bytes. */
void lab_child_describe_end(const struct lab_child *child, char *text, size_t size);
/* As Kubernetes counts: exit status, or 128 + signal. */
int lab_child_exit_code(const struct lab_child *child);

#endif
