/*
 * lab/server.h: the lab as a process: one daemon for each directory.
 *
 * Everything of a lab lies under its directory: control socket `lab.sock`, hook tools' socket `tools.sock`, `log`,
 * `tools/UNIT/`, `agents/UNIT/charm`, `charms/`, `apps/`. It ends on `lab stop` and on SIGTERM, and takes along
 * everything it has started.
 *
 * May include: lab/model.h.
 */
#ifndef LAB_SERVER_H
#define LAB_SERVER_H

#include "lab/model.h"

struct lab_server_options {
    const char *dir; /* absolute; exists */
    const char *net; /* "auto", "private" or "loopback" */
    struct lab_model_options model;
    const struct charm_value *settings; /* map of texts, for drivers */
};

/*
 * Lives until it is stopped; returns the exit status. When the lab can be spoken to, or cannot come up, one
 * line goes to `ready_fd`: "ready", or the error; then it is closed.
 */
int lab_server_run(const struct lab_server_options *options, int ready_fd);

#endif
