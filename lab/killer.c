/* lab-killer: runs a charm's program and kills it at one point. See killer.h. */
#define _GNU_SOURCE
#include "lab/killer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Linux' own header of this struct does not go together with sys/ptrace.h. */
typedef struct __ptrace_syscall_info syscall_info;

enum { LANES = 2, MOST_THREADS = 256, LONGEST_PATH = 4096 };

struct plan {
    char program[LONGEST_PATH];
    long run;
    char lane;
    long number;
};

/* What a thread is in: its entry is remembered until its exit. */
struct thread {
    pid_t tid;
    syscall_info entry;
};

struct killer {
    char folder[LONGEST_PATH];
    struct plan plan;
    long run;
    pid_t pid;
    long passed[LANES];
    struct thread threads[MOST_THREADS];
    size_t thread_count;
    FILE *points;
    int status; /* of the program, once it has ended */
};

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "lab-killer: %s: %s\n", what, strerror(errno));
    exit(125);
}

/* ---- its folder ---- */

static const char *in_folder(const struct killer *killer, const char *name)
{
    static char path[LONGEST_PATH * 2];
    snprintf(path, sizeof(path), "%s/%s", killer->folder, name);
    return path;
}

static void find_folder(struct killer *killer, const char *self)
{
    const ssize_t size = readlink(self, killer->folder, sizeof(killer->folder) - 1);
    char *slash = NULL;
    if (size > 0) {
        killer->folder[size] = '\0';
        slash = strrchr(killer->folder, '/');
    }
    if (slash == NULL) {
        give_up("find the folder behind ./dispatch");
    }
    *slash = '\0';
}

static void read_plan(struct killer *killer)
{
    FILE *file = fopen(in_folder(killer, LAB_KILLER_PLAN), "re");
    char line[64] = "";
    if (file == NULL || fgets(killer->plan.program, LONGEST_PATH, file) == NULL ||
        fgets(line, sizeof(line), file) == NULL) {
        give_up("read the plan");
    }
    killer->plan.program[strcspn(killer->plan.program, "\n")] = '\0';
    char *at = line;
    killer->plan.run = strtol(at, &at, 10);
    killer->plan.lane = *at == ' ' ? at[1] : 'm';
    killer->plan.number = *at == ' ' ? strtol(at + 2, NULL, 10) : 0;
    fclose(file);
}

/* The number of this run, from 1. */
static void count_run(struct killer *killer)
{
    const int fd =
        open(in_folder(killer, LAB_KILLER_RUNS), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    struct stat info;
    if (fd < 0 || write(fd, ".", 1) != 1 || fstat(fd, &info) != 0) {
        give_up("count the runs");
    }
    killer->run = (long)info.st_size;
    close(fd);
}

/* ---- points ---- */

static _Noreturn void strike(struct killer *killer)
{
    const int fd = open(in_folder(killer, LAB_KILLER_STRUCK), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        give_up("note the blow");
    }
    close(fd);
    fflush(killer->points);
    kill(killer->pid, SIGKILL);
    for (pid_t gone = 0; gone != killer->pid;) { /* its other threads want to be waited for, too */
        int status = 0;
        gone = waitpid(-1, &status, __WALL);
        if (gone < 0 && errno != EINTR) {
            break;
        }
        gone = WIFSTOPPED(status) ? 0 : gone;
    }
    kill(getpid(), SIGKILL); /* as the program ended, so do we */
    _exit(125);
}

static void pass(struct killer *killer, bool main_thread, const char *kind, const char *when)
{
    const char lane = main_thread ? 'm' : 'k';
    const long number = ++killer->passed[main_thread ? 0 : 1];
    fprintf(killer->points, "%ld %c %ld %s %s\n", killer->run, lane, number, kind, when);
    if (killer->run == killer->plan.run && lane == killer->plan.lane &&
        number == killer->plan.number) {
        strike(killer);
    }
}

/* ---- what a system call is ---- */

static uint64_t peek(pid_t tid, uint64_t address)
{
    errno = 0;
    const long word = ptrace(PTRACE_PEEKDATA, tid, (void *)(uintptr_t)address, NULL);
    return errno == 0 ? (uint64_t)word : 0;
}

static bool starts_process(pid_t tid, const syscall_info *call)
{
    switch (call->entry.nr) {
    case SYS_vfork:
        return true;
    case SYS_clone:
        return (call->entry.args[0] & CLONE_VFORK) != 0;
    case SYS_clone3:
        return (peek(tid, call->entry.args[0]) & CLONE_VFORK) != 0;
    default:
        return false;
    }
}

/* What a descriptor of the program is, as /proc shows it. */
static const char *target_of(const struct killer *killer, uint64_t fd)
{
    static char target[LONGEST_PATH];
    char link[64];
    snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)killer->pid, (int)fd);
    const ssize_t size = readlink(link, target, sizeof(target) - 1);
    target[size > 0 ? size : 0] = '\0';
    return target;
}

static bool is_socket(const struct killer *killer, uint64_t fd)
{
    return strncmp(target_of(killer, fd), "socket:", 7) == 0;
}

/* Regular files; pipes and sockets are "pipe:[N]" and "socket:[N]". */
static bool is_file(const struct killer *killer, uint64_t fd)
{
    const char *target = target_of(killer, fd);
    return target[0] == '/' && strncmp(target, "/dev/", 5) != 0;
}

static bool sends(uint64_t nr)
{
    return nr == SYS_sendto || nr == SYS_sendmsg;
}

static bool receives(uint64_t nr)
{
    return nr == SYS_recvfrom || nr == SYS_recvmsg;
}

static bool changes_names(uint64_t nr)
{
    return nr == SYS_rename || nr == SYS_renameat || nr == SYS_renameat2;
}

static bool changes_files(const struct killer *killer, const syscall_info *call)
{
    switch (call->entry.nr) {
    case SYS_openat:
        return (call->entry.args[2] & (O_WRONLY | O_RDWR | O_CREAT)) != 0;
    case SYS_write:
    case SYS_pwrite64:
        return is_file(killer, call->entry.args[0]);
    case SYS_unlink:
    case SYS_unlinkat:
    case SYS_mkdir:
    case SYS_mkdirat:
        return true;
    default:
        return changes_names(call->entry.nr);
    }
}

static void at_entry(struct killer *killer, const struct thread *thread)
{
    const syscall_info *call = &thread->entry;
    if (thread->tid != killer->pid) {
        if (sends(call->entry.nr) && is_socket(killer, call->entry.args[0])) {
            pass(killer, false, "kafka", "before");
        }
        return;
    }
    if (starts_process(thread->tid, call)) {
        pass(killer, true, "tool", "before");
    } else if (sends(call->entry.nr)) {
        pass(killer, true, "rest", "before");
    } else if (changes_files(killer, call)) {
        pass(killer, true, "file", "before");
    } else if (call->entry.nr == SYS_exit_group) {
        pass(killer, true, "end", "before");
    }
}

static void at_exit(struct killer *killer, const struct thread *thread, const syscall_info *call)
{
    const uint64_t nr = thread->entry.entry.nr;
    const bool got = call->exit.is_error == 0 && call->exit.rval > 0;
    if (thread->tid != killer->pid) {
        if (receives(nr) && got) {
            pass(killer, false, "kafka", "after");
        }
    } else if (nr == SYS_wait4 && got) {
        pass(killer, true, "tool", "after");
    } else if (receives(nr) && got) {
        pass(killer, true, "rest", "after");
    } else if (changes_names(nr) && call->exit.is_error == 0) {
        pass(killer, true, "file", "after");
    }
}

/* ---- following the program ---- */

/* Every process that stops first is ours to let go: hook tools run on their own, and go on when their caller dies. */
static bool is_own_thread(const struct killer *killer, pid_t tid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task/%d", (int)killer->pid, (int)tid);
    return access(path, F_OK) == 0;
}

static struct thread *thread_of(struct killer *killer, pid_t tid)
{
    for (size_t i = 0; i < killer->thread_count; i++) {
        if (killer->threads[i].tid == tid) {
            return &killer->threads[i];
        }
    }
    if (killer->thread_count == MOST_THREADS || !is_own_thread(killer, tid)) {
        return NULL;
    }
    struct thread *thread = &killer->threads[killer->thread_count++];
    *thread = (struct thread){ .tid = tid };
    return thread;
}

static void look_at_call(struct killer *killer, struct thread *thread)
{
    syscall_info call = { 0 };
    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread->tid, (void *)sizeof(call), &call) <= 0) {
        return;
    }
    if (call.op == PTRACE_SYSCALL_INFO_ENTRY) {
        thread->entry = call;
        at_entry(killer, thread);
    } else if (call.op == PTRACE_SYSCALL_INFO_EXIT) {
        at_exit(killer, thread, &call);
    }
}

/* A stop; `deliver` is the signal that goes on to the program. */
static void after_stop(struct killer *killer, pid_t tid, int status)
{
    struct thread *thread = thread_of(killer, tid);
    if (thread == NULL) {
        ptrace(PTRACE_DETACH, tid, NULL, NULL);
        return;
    }
    const int number = WSTOPSIG(status);
    long deliver = 0;
    if (number == (SIGTRAP | 0x80)) {
        look_at_call(killer, thread);
    } else if (number != SIGTRAP && number != SIGSTOP) {
        deliver = number;
    }
    ptrace(PTRACE_SYSCALL, tid, NULL, (void *)deliver);
}

static void follow(struct killer *killer)
{
    for (;;) {
        int status = 0;
        const pid_t tid = waitpid(-1, &status, __WALL);
        if (tid < 0 && errno != EINTR) {
            give_up("wait for the program");
        }
        if (tid > 0 && WIFSTOPPED(status)) {
            after_stop(killer, tid, status);
        } else if (tid == killer->pid) {
            killer->status = status;
            return;
        }
    }
}

static _Noreturn void become(const struct killer *killer, char **argv)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    execv(killer->plan.program, argv);
    give_up(killer->plan.program);
}

static void start(struct killer *killer, char **argv)
{
    int status = 0;
    killer->pid = fork();
    if (killer->pid == 0) {
        become(killer, argv);
    }
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEVFORK |
                         PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (killer->pid < 0 || waitpid(killer->pid, &status, __WALL) != killer->pid ||
        ptrace(PTRACE_SETOPTIONS, killer->pid, NULL, (void *)options) != 0 ||
        ptrace(PTRACE_SYSCALL, killer->pid, NULL, NULL) != 0) {
        give_up("trace the program");
    }
}

int main(int argc, char **argv)
{
    static struct killer killer;
    (void)argc;
    find_folder(&killer, argv[0]);
    read_plan(&killer);
    count_run(&killer);
    killer.points = fopen(in_folder(&killer, LAB_KILLER_POINTS), "ae");
    if (killer.points == NULL) {
        give_up("write down the points");
    }
    start(&killer, argv);
    follow(&killer);
    fclose(killer.points);
    if (WIFSIGNALED(killer.status)) {
        kill(getpid(), WTERMSIG(killer.status));
    }
    return WEXITSTATUS(killer.status);
}
