#include "edge/juju/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/buf.h"
#include "base/text.h"
#include "edge/juju/clock.h"
#include "edge/juju/fd.h"

enum {
    READ_BYTES = 16 * 1024,
    /* How often a quiet program is asked whether it has ended although somebody still holds its pipes. */
    LOOK_MS = 100,
};

struct child {
    pid_t pid; /* 0: none, or already reaped */
    int in;    /* our ends of its pipes; -1: closed */
    int out;
    int err;
    bool ended;
    int wait_status;
};

/* Kills what is left of the program and its process group, and closes our ends. */
static void child_release(struct child *child)
{
    charmi_fd_close(&child->in);
    charmi_fd_close(&child->out);
    charmi_fd_close(&child->err);
    if (child->pid > 0 && !child->ended) {
        kill(-child->pid, SIGKILL);
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
}

/* Has it ended? Never waits. */
static bool child_ended(struct child *child)
{
    if (!child->ended && waitpid(child->pid, &child->wait_status, WNOHANG) == child->pid) {
        child->ended = true;
    }
    return child->ended;
}

/* ---- start ---- */

/* The ends of the pipes that the program gets; -1 for standard input means /dev/null. */
struct far_ends {
    int in;
    int out;
    int err;
};

static void far_ends_close(struct far_ends *ends)
{
    charmi_fd_close(&ends->in);
    charmi_fd_close(&ends->out);
    charmi_fd_close(&ends->err);
}

static bool open_pipe(int *ret_read_end, int *ret_write_end)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return false;
    }
    *ret_read_end = ends[0];
    *ret_write_end = ends[1];
    return true;
}

static bool open_pipes(struct child *child, struct far_ends *far, bool wants_stdin)
{
    if (!open_pipe(&child->out, &far->out) || !open_pipe(&child->err, &far->err)) {
        return false;
    }
    if (!wants_stdin) {
        return true;
    }
    /* Only our end: a program that does not read must not make us wait. */
    return open_pipe(&far->in, &child->in) && fcntl(child->in, F_SETFL, O_NONBLOCK) == 0;
}

/* Returns 0 or an errno. */
static int set_descriptors(posix_spawn_file_actions_t *actions, const struct far_ends *far)
{
    int os_errno = far->in >= 0 ? posix_spawn_file_actions_adddup2(actions, far->in, STDIN_FILENO)
                                : posix_spawn_file_actions_addopen(actions, STDIN_FILENO,
                                                                   "/dev/null", O_RDONLY, 0);
    if (os_errno == 0) {
        os_errno = posix_spawn_file_actions_adddup2(actions, far->out, STDOUT_FILENO);
    }
    if (os_errno == 0) {
        os_errno = posix_spawn_file_actions_adddup2(actions, far->err, STDERR_FILENO);
    }
    return os_errno;
}

/* A process group of its own, and SIGPIPE as programs expect it (we ignore it). Returns 0 or an errno. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    int os_errno = posix_spawnattr_setsigdefault(attributes, &defaults);
    if (os_errno == 0) {
        os_errno = posix_spawnattr_setpgroup(attributes, 0);
    }
    if (os_errno == 0) {
        os_errno =
            posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    return os_errno;
}

/* Returns 0 or an errno. */
static int spawn(struct child *child, const struct far_ends *far, const char *const *argv)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int os_errno = set_descriptors(&actions, far);
    if (os_errno == 0) {
        os_errno = set_attributes(&attributes);
    }
    if (os_errno == 0) {
        /* posix_spawn's argv is not const for historical reasons only: it does not write. */
        char *const *vector = (char *const *)(uintptr_t)argv;
        /* Juju's environment is its tools' too: socket, context id, PATH. */
        os_errno = posix_spawnp(&child->pid, argv[0], &actions, &attributes, vector, environ);
        if (os_errno != 0) {
            child->pid = 0;
        }
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return os_errno;
}

static int start(struct child *child, const struct charm_tool_call *call,
                 struct charm_error *reterr)
{
    const char *name = call->argv[0];
    __attribute__((cleanup(far_ends_close))) struct far_ends far = { -1, -1, -1 };
    if (!open_pipes(child, &far, call->stdin_text != NULL)) {
        return charm_error_os(reterr, errno, "run %s: open pipes", name);
    }
    const int os_errno = spawn(child, &far, call->argv);
    switch (os_errno) {
    case 0:
        return 0;
    case ENOENT:
        return charm_error_set(reterr, CHARM_ENOTFOUND, "run %s: there is no such program in PATH",
                               name);
    case E2BIG:
        return charm_error_set(reterr, CHARM_ETOOBIG,
                               "run %s: its arguments are longer than the system allows", name);
    default:
        return charm_error_os(reterr, os_errno, "run %s", name);
    }
}

/* ---- talk ---- */

struct talk {
    const struct charm_tool_call *call;
    int64_t deadline_ms; /* monotonic */
    size_t sent;
    struct charmi_buf out;
    struct charmi_buf err;
};

static void talk_release(struct talk *talk)
{
    charmi_buf_release(&talk->out);
    charmi_buf_release(&talk->err);
}

/* Writes what the pipe takes; closes our end when all is written or nobody reads. */
static void send_some(struct child *child, struct talk *talk)
{
    const size_t left = talk->call->stdin_size - talk->sent;
    const ssize_t size = left > 0 ? write(child->in, talk->call->stdin_text + talk->sent, left) : 0;
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (size > 0) {
        talk->sent += (size_t)size;
    }
    if (size < 0 || talk->sent == talk->call->stdin_size) {
        charmi_fd_close(&child->in);
    }
}

/* Reads once; closes our end at the end of the stream. */
static void receive_some(int *fd, struct charmi_buf *buf)
{
    char bytes[READ_BYTES];
    const ssize_t size = read(*fd, bytes, sizeof(bytes));
    if (size > 0) {
        charmi_buf_add_n(buf, bytes, (size_t)size);
    } else if (size == 0 || errno != EINTR) {
        charmi_fd_close(fd);
    }
}

/* Of standard error the first bytes are enough; the rest is read, so that the program can go on, and dropped. */
static void receive_err(int *fd, struct charmi_buf *buf)
{
    char bytes[READ_BYTES];
    const ssize_t size = read(*fd, bytes, sizeof(bytes));
    if (size > 0) {
        const size_t room = CHARMI_PROCESS_ERR_BYTES - buf->size;
        charmi_buf_add_n(buf, bytes, (size_t)size < room ? (size_t)size : room);
    } else if (size == 0 || errno != EINTR) {
        charmi_fd_close(fd);
    }
}

static int too_late(const struct charm_tool_call *call, struct charm_error *reterr)
{
    return charm_error_set(reterr, CHARM_ETIMEOUT, "run %s: no end after %lld ms, killed",
                           call->argv[0], (long long)call->timeout_ms);
}

static int talk_once(struct child *child, struct talk *talk, int wait_ms)
{
    struct pollfd polled[] = {
        { .fd = child->in, .events = POLLOUT },
        { .fd = child->out, .events = POLLIN },
        { .fd = child->err, .events = POLLIN },
    };
    const int ready = poll(polled, CHARMI_COUNT(polled), wait_ms);
    if (ready <= 0) {
        return ready;
    }
    if (polled[0].revents != 0) {
        send_some(child, talk);
    }
    if (polled[1].revents != 0) {
        receive_some(&child->out, &talk->out);
    }
    if (polled[2].revents != 0) {
        receive_err(&child->err, &talk->err);
    }
    return ready;
}

/* Until all pipes are closed, or the program has ended and whoever inherited its pipes is quiet. */
static int talk_to_end(struct child *child, struct talk *talk, struct charm_error *reterr)
{
    while (child->in >= 0 || child->out >= 0 || child->err >= 0) {
        const int64_t left_ms = talk->deadline_ms - charmi_monotonic_ms();
        if (left_ms <= 0) {
            return too_late(talk->call, reterr);
        }
        const int ready = talk_once(child, talk, left_ms < LOOK_MS ? (int)left_ms : LOOK_MS);
        if (talk->out.overflow) {
            return charm_error_set(reterr, CHARM_ETOOBIG,
                                   "run %s: it printed more than %zu bytes, killed",
                                   talk->call->argv[0], talk->call->max_output_bytes);
        }
        if (ready == 0 && child_ended(child)) {
            break;
        }
    }
    return 0;
}

/* Its outputs are closed: normally it is gone, or about to be. */
static int wait_for_end(struct child *child, const struct talk *talk, struct charm_error *reterr)
{
    struct timespec pause = { .tv_nsec = 20 * 1000 };
    while (!child_ended(child)) {
        if (charmi_monotonic_ms() >= talk->deadline_ms) {
            return too_late(talk->call, reterr);
        }
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < 10 * 1000 * 1000) {
            pause.tv_nsec *= 2;
        }
    }
    return 0;
}

/* ---- the answer ---- */

/* One line of valid UTF-8: line ends and control characters become blanks, other bytes ?, blanks at the end go. */
static char *one_line(struct charm_arena *arena, const struct charmi_buf *err)
{
    size_t size = err->size;
    char *line = charm_arena_copy_n(arena, charmi_buf_text(err), size);
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7F) {
            line[i] = ' ';
        }
    }
    while (size > 0 && line[size - 1] == ' ') {
        line[--size] = '\0';
    }
    charmi_utf8_mend(line);
    return line;
}

static int answer(struct charm_arena *arena, const struct child *child, const struct talk *talk,
                  struct charm_tool_answer *ret_answer, struct charm_error *reterr)
{
    if (WIFSIGNALED(child->wait_status)) {
        return charm_error_set(reterr, CHARM_EFAILED, "run %s: it was killed by signal %d (%s)",
                               talk->call->argv[0], WTERMSIG(child->wait_status),
                               strsignal(WTERMSIG(child->wait_status)));
    }
    *ret_answer = (struct charm_tool_answer){
        .exit_code = WEXITSTATUS(child->wait_status),
        .out = charm_arena_copy_n(arena, charmi_buf_text(&talk->out), talk->out.size),
        .out_size = talk->out.size,
        .err = one_line(arena, &talk->err),
    };
    return 0;
}

static int run(struct charm_arena *arena, const struct charm_tool_call *call,
               struct charm_tool_answer *ret_answer, struct charm_error *reterr)
{
    __attribute__((cleanup(child_release))) struct child child = { .in = -1, .out = -1, .err = -1 };
    __attribute__((cleanup(talk_release))) struct talk talk = {
        .call = call,
        .deadline_ms = charmi_monotonic_ms() + call->timeout_ms,
        .out = charmi_buf_init(call->max_output_bytes),
        .err = charmi_buf_init(CHARMI_PROCESS_ERR_BYTES),
    };
    int result = start(&child, call, reterr);
    if (result == 0) {
        result = talk_to_end(&child, &talk, reterr);
    }
    if (result == 0) {
        result = wait_for_end(&child, &talk, reterr);
    }
    if (result == 0) {
        result = answer(arena, &child, &talk, ret_answer, reterr);
    }
    return result;
}

int charmi_process_run(struct charm_arena *arena, const struct charm_tool_call *call,
                       struct charm_tool_answer *ret_answer, struct charm_error *reterr)
{
    if (call->argv == NULL || call->argv[0] == NULL || call->argv[0][0] == '\0') {
        return charm_error_set(reterr, CHARM_EINVAL, "run a program: it has no name");
    }
    /* Writing to a program that does not read is an answer (EPIPE), not our end. */
    const struct sigaction ignore = { .sa_handler = SIG_IGN };
    struct sigaction before;
    sigaction(SIGPIPE, &ignore, &before);
    const int result = run(arena, call, ret_answer, reterr);
    sigaction(SIGPIPE, &before, NULL);
    return result;
}
