#include "lab/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

/* Closes all from 3 on but `keep`. */
static void close_others(int keep)
{
    if (keep > 2) {
        if (keep > 3) {
            close_range(3, (unsigned)keep - 1, 0);
        }
        close_range((unsigned)keep + 1, ~0U, 0);
    } else {
        close_range(3, ~0U, 0);
    }
}

static void default_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < 32; number++) {
        if (number != SIGKILL && number != SIGSTOP) {
            signal(number, SIG_DFL);
        }
    }
}

static void redirect(const char *log)
{
    const int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) {
        _exit(126);
    }
}

static _Noreturn void run_child(const struct lab_child_plan *plan, pid_t parent)
{
    default_signals();
    redirect(plan->log);
    close_others(plan->keep_fd);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(125); /* the daemon went before we could ask to be told */
    }
    const int status = plan->body == NULL ? 0 : plan->body(plan->userdata);
    if (status != 0 || plan->argv == NULL) {
        _exit(status);
    }
    /* execvpe takes pointers to characters that it does not change */
    char *const *argv = (char *const *)(uintptr_t)plan->argv;
    char *const *env = (char *const *)(uintptr_t)plan->env;
    execvpe(argv[0], argv, env);
    dprintf(2, "cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

int lab_child_start(struct lab_child *child, const struct lab_child_plan *plan,
                    struct charm_error *reterr)
{
    const pid_t parent = getpid();
    fflush(NULL);
    const pid_t pid = fork();
    if (pid < 0) {
        return charm_error_os(reterr, errno, "start a process");
    }
    if (pid == 0) {
        run_child(plan, parent);
    }
    *child = (struct lab_child){ .pid = pid };
    return 0;
}

bool lab_child_running(struct lab_child *child)
{
    if (child->pid == 0) {
        return false;
    }
    int status = 0;
    const pid_t got = waitpid(child->pid, &status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR)) {
        return true;
    }
    child->pid = 0;
    child->status = got > 0 ? status : 0;
    return false;
}

void lab_child_signal(const struct lab_child *child, int number)
{
    if (child->pid > 0) {
        kill(child->pid, number);
    }
}

bool lab_child_wait(struct lab_child *child, int ms)
{
    const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
    for (int waited = 0; lab_child_running(child); waited += 10) {
        if (waited >= ms) {
            return false;
        }
        nanosleep(&pause, NULL);
    }
    return true;
}

void lab_child_stop(struct lab_child *child, int grace_ms)
{
    lab_child_signal(child, SIGTERM);
    if (!lab_child_wait(child, grace_ms)) {
        lab_child_signal(child, SIGKILL);
        CHARMI_IGNORE(lab_child_wait(child, 10000), "nothing is left to do after SIGKILL");
    }
}

int lab_child_exit_code(const struct lab_child *child)
{
    return WIFSIGNALED(child->status) ? 128 + WTERMSIG(child->status) : WEXITSTATUS(child->status);
}

void lab_child_describe_end(const struct lab_child *child, char *text, size_t size)
{
    if (WIFSIGNALED(child->status)) {
        snprintf(text, size, "signal %d", WTERMSIG(child->status));
    } else {
        snprintf(text, size, "exit code %d", WEXITSTATUS(child->status));
    }
}
