/*
 * lab/cluster_sandbox.h: the world of one worker, made in its own process before exec.
 *
 * With a private network: a network namespace of its own behind the bridge. Where mounts can be made: a root of its own,
 * in which the machine's directories are bound, and the image's and the volumes' paths are what the pod says; a host
 * name and /etc/hosts as a kubelet writes it. So the files are used unchanged at the paths that the manifest names.
 *
 * May include: charm/error.h, base/text.h.
 */
#ifndef LAB_CLUSTER_SANDBOX_H
#define LAB_CLUSTER_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/text.h"
#include "charm/error.h"

struct lab_bind {
    const char *source; /* a file or directory of the machine */
    const char *target; /* where the worker sees it */
    bool read_only;
};

struct lab_sandbox {
    bool network; /* a network namespace of its own */
    bool mounts;  /* a root of its own */
    bool read_only;
    const char *root; /* an empty directory that the root is mounted on */
    const char *hostname;
    const char *address;
    const char *link; /* name of the host's end of the cable */
    pid_t daemon;     /* whose network namespace has the bridge */
    struct lab_bind binds[16];
    size_t bind_count;
};

/* unshare(2), through a user namespace where the right is missing. */
CHARM_MUST_CHECK int lab_unshare(int flags, struct charm_error *reterr);
/* Can a process here make itself a root of its own? Tried in a child. */
bool lab_sandbox_can_mount(const char *dir, struct charm_error *reterr);
/* Enters the sandbox that `userdata` is; runs in the child. Complains on standard error. Returns the exit status, 0 when all is well. */
int lab_sandbox_enter(void *userdata);

#endif
