/*
 * edge/juju/fd.h: file descriptors that close themselves at the end of their scope.
 *
 *     charmi_auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
 *
 * May include: POSIX.
 */
#ifndef CHARMI_FD_H
#define CHARMI_FD_H

#include <unistd.h>

/* Closes the descriptor if there is one, and forgets it. */
static inline void charmi_fd_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

#define charmi_auto_close __attribute__((cleanup(charmi_fd_close)))

#endif
