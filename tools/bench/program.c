#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int start(const char *const *argv, const char *const *environment, const char *output,
                 pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    int os_errno = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output,
                                                    O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (os_errno == 0) {
        os_errno = posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    }
    if (os_errno == 0) {
        /* posix_spawn() takes what it does not change without const, for historical reasons only. */
        os_errno = posix_spawn(ret_pid, argv[0], &actions, NULL, (char **)(uintptr_t)argv,
                               (char **)(uintptr_t)environment);
    }
    posix_spawn_file_actions_destroy(&actions);
    return os_errno;
}

int bench_program_run(const char *const *argv, const char *const *environment, const char *output,
                      long *ret_kib, struct charm_error *reterr)
{
    pid_t pid = 0;
    int status = 0;
    struct rusage usage;
    const int os_errno = start(argv, environment, output, &pid);
    if (os_errno != 0) {
        return charm_error_os(reterr, os_errno, "start %s", argv[0]);
    }
    while (wait4(pid, &status, 0, &usage) < 0) {
        if (errno != EINTR) {
            return charm_error_os(reterr, errno, "wait for %s", argv[0]);
        }
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return charm_error_set(reterr, CHARM_EFAILED, "%s ended with status %#x, see %s", argv[0],
                               (unsigned)status, output);
    }
    if (ret_kib != NULL && usage.ru_maxrss > *ret_kib) {
        *ret_kib = usage.ru_maxrss;
    }
    return 0;
}
