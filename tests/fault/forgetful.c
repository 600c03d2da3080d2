/*
 * A charm that does not mind itself: its status counts its runs, so that a run which is repeated leaves another one. The
 * kill matrix must find that out.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(void)
{
    char text[64];
    struct stat info = { 0 };
    const int fd = open("runs", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, ".", 1) != 1 || fstat(fd, &info) != 0) {
        return 1;
    }
    snprintf(text, sizeof(text), "run %ld", (long)info.st_size);
    char *const argv[] = { "status-set", "active", text, NULL };
    pid_t pid = 0;
    int status = 0;
    return posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) == 0 &&
                   waitpid(pid, &status, 0) == pid && status == 0
               ? 0
               : 1;
}
