/* A unit's agent: keeps its charm on disk, and runs its hooks, actions and commands one after the other. */
#define _GNU_SOURCE
#include "lab/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"
#include "lab/daemon.h"
#include "lab/tools.h"
#include "lab/yaml.h"

enum {
    LONGEST_LINE = 128 * 1024,
    LARGEST_OUTPUT = 8 * 1024 * 1024,
    LARGEST_FILE = 4 * 1024 * 1024
};

/* One of the two outputs of a running process. */
struct stream {
    int fd; /* -1: closed */
    const char *level;
    struct charmi_buf line; /* of a hook: what has no newline yet */
    struct charmi_buf all;  /* of an action or command */
};

enum fault {
    FAULT_NONE,
    REFUSE_COMMIT,
    STATE_ONLY,
    LEADER_LOST,
    KILL_AT_EXIT,
    KILL_BEFORE,
    KILL_AFTER
};

struct lab_agent {
    const char *charm_dir;
    const char *tools_dir;
    struct lab_context *context; /* NULL: nothing runs */
    pid_t pid;
    struct stream out;
    struct stream err;
    struct charm_value *run; /* entry in the table of hooks */
    int64_t started_us;
    const char *via; /* for the log: "hook dispatching script: dispatch" */
    int64_t calls;   /* hook tools answered in this run */
    enum fault planned;
    int64_t planned_number;
    const char *planned_hook; /* NULL: any */
    enum fault armed;         /* in this run */
};

static struct lab_agent *agent_of(const struct lab_unit *unit)
{
    return unit->userdata;
}

static void say(struct lab_daemon *daemon, const struct lab_unit *unit, const char *level,
                const char *format, ...) CHARM_PRINTF(4, 5);

static void say(struct lab_daemon *daemon, const struct lab_unit *unit, const char *level,
                const char *format, ...)
{
    va_list args;
    va_start(args, format);
    lab_journal_add(daemon, unit->name, level, "juju.worker.uniter.operation",
                    charm_arena_vprintf(daemon->arena, format, args));
    va_end(args);
}

/* ---- small programs that are waited for: cp, unzip ---- */

static int run_program(const char *const *argv)
{
    const pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    int status = -1;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int make_dir(const char *path)
{
    return mkdir(path, 0755) == 0 || errno == EEXIST ? 0 : -1;
}

/* Files are removed and made anew, so a running program does not stand in the way (contract 5.1). */
static int copy_tree(struct charm_arena *arena, const char *from, const char *to,
                     struct charm_error *reterr)
{
    const char *const argv[] = {
        /* in a user namespace not every owner can be kept */
        "cp",
        "-a",
        "--no-preserve=ownership",
        "--remove-destination",
        charm_arena_printf(arena, "%s/.", from),
        to,
        NULL,
    };
    if (make_dir(to) != 0) {
        return charm_error_os(reterr, errno, "make directory %s", to);
    }
    const int status = run_program(argv);
    return status == 0 ? 0
                       : charm_error_set(reterr, CHARM_EFAILED, "copy %s to %s: cp ended with %d",
                                         from, to, status);
}

/* ---- the charm on disk ---- */

static int read_yaml(struct lab_daemon *daemon, const char *dir, const char *name,
                     const struct charm_value **ret_value, struct charm_error *reterr)
{
    struct charm_arena *arena = daemon->arena;
    const char *path = charm_arena_printf(arena, "%s/%s", dir, name);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return charm_error_os(reterr, errno, "read %s", path);
    }
    charmi_auto_buf struct charmi_buf text = charmi_buf_init(LARGEST_FILE);
    char piece[65536];
    for (size_t got = 1; got > 0;) {
        got = fread(piece, 1, sizeof(piece), file);
        charmi_buf_add_n(&text, piece, got);
    }
    fclose(file);
    struct charm_value *value;
    const int code =
        lab_yaml_parse(arena, charmi_buf_text(&text), text.size, LAB_YAML_TYPED, &value, reterr);
    if (code != 0) {
        return charm_error_wrap(reterr, "read %s", path);
    }
    *ret_value = value;
    return 0;
}

static int read_optional(struct lab_daemon *daemon, const char *dir, const char *name,
                         const struct charm_value **ret_value, struct charm_error *reterr)
{
    const char *path = charm_arena_printf(daemon->arena, "%s/%s", dir, name);
    *ret_value = NULL;
    return access(path, F_OK) == 0 ? read_yaml(daemon, dir, name, ret_value, reterr) : 0;
}

static int read_charm(struct lab_daemon *daemon, const char *dir, struct lab_charm *ret_charm,
                      struct charm_error *reterr)
{
    struct lab_charm charm = { 0 };
    if (read_yaml(daemon, dir, "metadata.yaml", &charm.metadata, reterr) != 0 ||
        read_optional(daemon, dir, "config.yaml", &charm.config, reterr) != 0 ||
        read_optional(daemon, dir, "actions.yaml", &charm.actions, reterr) != 0) {
        return CHARM_EFAILED;
    }
    charm.name = charm_text(charm_value_get(charm.metadata, "name"));
    if (charm.name[0] == '\0') {
        return charm_error_set(reterr, CHARM_EINVAL, "read %s/metadata.yaml: name is missing", dir);
    }
    *ret_charm = charm;
    return 0;
}

int lab_agent_load_charm(struct lab_daemon *daemon, const char *path, struct lab_charm *ret_charm,
                         const char **ret_stored, struct charm_error *reterr)
{
    static const char last[] = "charms/XXXXXX";
    char *stored = charm_arena_printf(daemon->arena, "%s/%s", daemon->dir, last);
    struct stat info;
    if (stat(path, &info) != 0) {
        return charm_error_os(reterr, errno, "read charm %s", path);
    }
    if (mkdtemp(stored) == NULL) {
        return charm_error_os(reterr, errno, "make directory %s", stored);
    }
    int code = 0;
    if (S_ISDIR(info.st_mode)) {
        code = copy_tree(daemon->arena, path, stored, reterr);
    } else {
        const char *const argv[] = { "unzip", "-q", "-o", path, "-d", stored, NULL };
        const int status = run_program(argv);
        if (status != 0) {
            code = charm_error_set(reterr, CHARM_EFAILED, "read charm %s: unzip ended with %d",
                                   path, status);
        }
    }
    if (code == 0) {
        code = read_charm(daemon, stored, ret_charm, reterr);
    }
    *ret_stored = stored;
    return code;
}

static void make_tool_links(const struct lab_daemon *daemon, const char *dir)
{
    const char *const *names = lab_tool_names();
    for (size_t i = 0; names[i] != NULL; i++) {
        const char *link = charm_arena_printf(daemon->arena, "%s/%s", dir, names[i]);
        CHARMI_IGNORE(symlink(daemon->tool, link) != 0, "it may be there; a missing one is seen");
    }
}

void lab_agent_make_unit(struct lab_daemon *daemon, struct lab_unit *unit)
{
    struct charm_arena *arena = daemon->arena;
    struct lab_agent *agent = charm_arena_alloc(arena, sizeof(*agent));
    char *tag = charm_arena_printf(arena, "unit-%s", unit->name);
    *strchr(tag, '/') = '-';
    const char *own = charm_arena_printf(arena, "%s/agents/%s", daemon->dir, tag);
    agent->charm_dir = charm_arena_printf(arena, "%s/charm", own);
    agent->tools_dir = charm_arena_printf(arena, "%s/tools/%s", daemon->dir, tag);
    agent->out = (struct stream){ .fd = -1, .level = "DEBUG" };
    agent->err = (struct stream){ .fd = -1, .level = "WARNING" };
    CHARMI_IGNORE(make_dir(own), "the copy of the charm says so");
    CHARMI_IGNORE(make_dir(agent->tools_dir), "the links say so");
    make_tool_links(daemon, agent->tools_dir);
    unit->userdata = agent;
}

/* ---- which file: contract 1.2 ---- */

enum presence { PRESENT, ABSENT, NOT_EXECUTABLE };

static enum presence look_at(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        return ABSENT; /* a dangling link too */
    }
    return S_ISREG(info.st_mode) && access(path, X_OK) == 0 ? PRESENT : NOT_EXECUTABLE;
}

int lab_agent_choose(struct charm_arena *arena, const char *charm_dir, const char *path,
                     const char **ret_file, struct charm_error *reterr)
{
    const char *metadata = charm_arena_printf(arena, "%s/metadata.yaml", charm_dir);
    if (access(metadata, F_OK) != 0) {
        return charm_error_set(reterr, CHARM_EFAILED, "charm missing from disk");
    }
    const char *const names[] = { "dispatch", path };
    for (size_t i = 0; i < CHARMI_COUNT(names); i++) {
        const char *file = charm_arena_printf(arena, "%s/%s", charm_dir, names[i]);
        switch (look_at(file)) {
        case PRESENT:
            *ret_file = file;
            return 0;
        case NOT_EXECUTABLE:
            return charm_error_set(reterr, CHARM_EFAILED, "exec: \"%s\": permission denied", file);
        case ABSENT:
            break;
        }
    }
    return charm_error_set(reterr, CHARM_ENOTFOUND, "%s not found", path);
}

/* ---- starting ---- */

struct launch {
    const char *const *argv;
    const char *const *env;
    const char *dir;
    int out[2];
    int err[2];
};

static _Noreturn void become(const struct launch *launch)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int null = open("/dev/null", O_RDONLY);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(launch->out[1], STDOUT_FILENO) < 0 ||
        dup2(launch->err[1], STDERR_FILENO) < 0 || chdir(launch->dir) != 0) {
        _exit(126);
    }
    signal(SIGPIPE, SIG_DFL);
    close_range(3, ~0U, 0);
    execvpe(launch->argv[0], (char *const *)(uintptr_t)launch->argv,
            (char *const *)(uintptr_t)launch->env);
    dprintf(STDERR_FILENO, "exec %s: %s\n", launch->argv[0], strerror(errno));
    _exit(127);
}

static pid_t start_process(struct launch *launch)
{
    if (pipe2(launch->out, O_CLOEXEC) != 0) {
        return -1;
    }
    if (pipe2(launch->err, O_CLOEXEC) != 0) {
        close(launch->out[0]);
        close(launch->out[1]);
        return -1;
    }
    const pid_t pid = fork();
    if (pid == 0) {
        become(launch);
    }
    close(launch->out[1]);
    close(launch->err[1]);
    return pid;
}

static void open_stream(struct stream *stream, int fd)
{
    fcntl(fd, F_SETFL, O_NONBLOCK);
    stream->fd = fd;
    stream->line = charmi_buf_init(LONGEST_LINE);
    stream->all = charmi_buf_init(LARGEST_OUTPUT);
}

static bool is_task(const struct lab_agent *agent)
{
    return agent->context->event.hook == LAB_TASK;
}

static void finish(struct lab_daemon *daemon, struct lab_unit *unit, enum lab_ending ending,
                   int number);

/* A command of `juju exec`: its words, found on the hook's PATH; or one word as a line for the shell. */
static const char *const *command_words(struct charm_arena *arena,
                                        const struct charm_value *command)
{
    const bool line = charm_value_size(command) == 1;
    struct charmi_words words = { 0 };
    charmi_words_add(arena, &words, "/bin/sh");
    charmi_words_add(arena, &words, "-c");
    if (!line) {
        charmi_words_add(arena, &words, "exec \"$@\"");
        charmi_words_add(arena, &words, "juju-exec");
    }
    for (size_t i = 0; i < charm_value_size(command); i++) {
        charmi_words_add(arena, &words, charm_text(charm_value_at(command, i)));
    }
    return words.at;
}

static const char *const *choose_words(struct lab_agent *agent, struct charm_error *reterr)
{
    struct lab_context *context = agent->context;
    const char *path = lab_context_dispatch_path(context);
    agent->via = "juju-exec";
    if (path == NULL) {
        return command_words(context->arena, context->event.task->command);
    }
    const char *file;
    if (lab_agent_choose(context->arena, agent->charm_dir, path, &file, reterr) != 0) {
        return NULL;
    }
    agent->via = charmi_ends_with(file, "/dispatch") ? "hook dispatching script: dispatch"
                                                     : "explicit, bespoke hook script";
    struct charmi_words words = { 0 };
    charmi_words_add(context->arena, &words, file);
    return words.at;
}

static void launch(struct lab_daemon *daemon, struct lab_unit *unit, const char *const *argv)
{
    struct lab_agent *agent = agent_of(unit);
    const struct lab_places places = {
        .charm_dir = agent->charm_dir,
        .tools_dir = agent->tools_dir,
        .socket = daemon->tools_socket,
    };
    struct launch plan = {
        .argv = argv,
        .env = lab_context_environment(agent->context, &places),
        .dir = agent->charm_dir,
    };
    agent->started_us = lab_steady_us();
    agent->pid = start_process(&plan);
    if (agent->pid < 0) {
        say(daemon, unit, "ERROR", "cannot start a process: %s", strerror(errno));
        finish(daemon, unit, LAB_EXITED, 126);
        return;
    }
    open_stream(&agent->out, plan.out[0]);
    open_stream(&agent->err, plan.err[0]);
}

static int install_charm(struct lab_daemon *daemon, struct lab_unit *unit,
                         const struct lab_event *event, struct charm_error *reterr)
{
    if (event->hook != LAB_INSTALL && event->hook != LAB_UPGRADE_CHARM) {
        return 0;
    }
    return copy_tree(daemon->arena, lab_app_charm(unit->app), agent_of(unit)->charm_dir, reterr);
}

/* ---- faults ---- */

static const struct {
    const char *name;
    enum fault fault;
} fault_names[] = {
    { "refuse-commit", REFUSE_COMMIT }, { "state-only", STATE_ONLY },
    { "leader-lost", LEADER_LOST },     { "kill-at-exit", KILL_AT_EXIT },
    { "kill-before", KILL_BEFORE },     { "kill-after", KILL_AFTER },
};

int lab_agent_set_fault(struct lab_daemon *daemon, struct lab_unit *unit, const char *fault,
                        int64_t number, const char *hook, struct charm_error *reterr)
{
    struct lab_agent *agent = agent_of(unit);
    for (size_t i = 0; agent != NULL && i < CHARMI_COUNT(fault_names); i++) {
        if (charmi_same(fault_names[i].name, fault)) {
            agent->planned = fault_names[i].fault;
            agent->planned_number = number;
            agent->planned_hook = charm_arena_copy(daemon->arena, hook);
            return 0;
        }
    }
    return charm_error_set(reterr, CHARM_EINVAL,
                           "fault \"%s\" of %s: want refuse-commit, state-only, leader-lost, "
                           "kill-at-exit, kill-before or kill-after, and a charm's unit",
                           fault, unit->name);
}

static void arm(struct lab_unit *unit)
{
    struct lab_agent *agent = agent_of(unit);
    agent->calls = 0;
    agent->armed = FAULT_NONE;
    if (agent->planned_hook == NULL || charmi_same(agent->planned_hook, agent->context->name)) {
        agent->armed = agent->planned;
        agent->planned = FAULT_NONE;
    }
    unit->fault_refuse_commit = agent->armed == REFUSE_COMMIT;
    unit->fault_state_only = agent->armed == STATE_ONLY;
    unit->fault_leader_lost = agent->armed == LEADER_LOST;
}

void lab_agent_tool_point(struct lab_unit *unit, bool after)
{
    struct lab_agent *agent = agent_of(unit);
    agent->calls += after ? 0 : 1;
    const bool meant = agent->armed == (after ? KILL_AFTER : KILL_BEFORE);
    if (meant && agent->calls == agent->planned_number && agent->pid > 0) {
        kill(-agent->pid, SIGKILL);
    }
}

static void begin(struct lab_daemon *daemon, struct lab_unit *unit, const struct lab_event *event)
{
    struct lab_agent *agent = agent_of(unit);
    struct charm_error error = { 0 };
    const bool installed = install_charm(daemon, unit, event, &error) == 0;
    agent->context = lab_context_begin(daemon->model, unit, event);
    arm(unit);
    agent->started_us = lab_steady_us();
    const char *kind = event->hook != LAB_TASK       ? "hook"
                       : event->task->action != NULL ? "action"
                                                     : "command";
    agent->run = lab_journal_run(daemon, unit->name, agent->context->name, kind);
    const char *const *argv = installed ? choose_words(agent, &error) : NULL;
    if (argv != NULL) {
        launch(daemon, unit, argv);
    } else if (error.code == CHARM_ENOTFOUND) {
        finish(daemon, unit, LAB_MISSING, 0);
    } else {
        say(daemon, unit, "ERROR", "%s", error.text);
        finish(daemon, unit, LAB_EXITED, 126);
    }
}

/* ---- output ---- */

static void log_line(struct lab_daemon *daemon, const struct lab_unit *unit, struct stream *stream)
{
    if (stream->line.size > 0) {
        const char *module = charm_arena_printf(daemon->arena, "unit.%s.%s", unit->name,
                                                agent_of(unit)->context->name);
        lab_journal_add(daemon, unit->name, stream->level, module, charmi_buf_text(&stream->line));
    }
    charmi_buf_release(&stream->line);
    stream->line = charmi_buf_init(LONGEST_LINE);
}

static void take_bytes(struct lab_daemon *daemon, const struct lab_unit *unit,
                       struct stream *stream, const char *bytes, size_t size)
{
    if (is_task(agent_of(unit))) {
        charmi_buf_add_n(&stream->all, bytes, size);
        return;
    }
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n' || stream->line.size + 1 >= LONGEST_LINE) {
            log_line(daemon, unit, stream);
        }
        if (bytes[i] != '\n' && bytes[i] != '\0') {
            charmi_buf_add_char(&stream->line, bytes[i]);
        }
    }
}

static void read_stream(struct lab_daemon *daemon, struct lab_unit *unit, struct stream *stream)
{
    char bytes[16384];
    while (stream->fd >= 0) {
        const ssize_t got = read(stream->fd, bytes, sizeof(bytes));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && errno == EAGAIN) {
            return;
        }
        if (got <= 0) {
            close(stream->fd);
            stream->fd = -1;
            return;
        }
        take_bytes(daemon, unit, stream, bytes, (size_t)got);
    }
}

void lab_agent_read(struct lab_daemon *daemon, struct lab_unit *unit)
{
    struct lab_agent *agent = agent_of(unit);
    if (agent != NULL && agent->context != NULL) {
        read_stream(daemon, unit, &agent->out);
        read_stream(daemon, unit, &agent->err);
    }
}

void lab_agent_fds(const struct lab_unit *unit, int ret_fds[2])
{
    const struct lab_agent *agent = agent_of(unit);
    const bool running = agent != NULL && agent->context != NULL;
    ret_fds[0] = running ? agent->out.fd : -1;
    ret_fds[1] = running ? agent->err.fd : -1;
}

static void close_stream(struct lab_daemon *daemon, struct lab_unit *unit, struct stream *stream)
{
    read_stream(daemon, unit, stream);
    if (stream->fd >= 0) { /* somebody left behind still holds it */
        close(stream->fd);
        stream->fd = -1;
    }
    if (!is_task(agent_of(unit))) {
        log_line(daemon, unit, stream);
    }
    charmi_buf_release(&stream->line);
}

/* ---- the end ---- */

static void put_output(struct charm_value *results, const char *key, struct stream *stream)
{
    if (stream->all.size > 0) {
        charm_value_set_text(results, key, charmi_buf_text(&stream->all));
    }
    charmi_buf_release(&stream->all);
}

/* Contract 4.4: return-code always, stdout and stderr when there are any. */
static void put_results(struct lab_agent *agent, enum lab_ending ending, int number)
{
    if (is_task(agent)) {
        struct charm_value *results = agent->context->event.task->results;
        charm_value_set_int(results, "return-code", ending == LAB_EXITED ? number : -1);
        put_output(results, "stdout", &agent->out);
        put_output(results, "stderr", &agent->err);
    }
    charmi_buf_release(&agent->out.all);
    charmi_buf_release(&agent->err.all);
}

static void log_end(struct lab_daemon *daemon, struct lab_unit *unit, const char *name,
                    enum lab_ending ending, const char *failure)
{
    const struct lab_agent *agent = agent_of(unit);
    if (ending == LAB_MISSING && failure == NULL) {
        say(daemon, unit, "INFO", "skipped \"%s\" hook (missing)", name);
    } else if (failure != NULL) {
        say(daemon, unit, "ERROR", "hook \"%s\" (via %s) failed: %s", name, agent->via, failure);
    } else {
        say(daemon, unit, "INFO", "ran \"%s\" hook (via %s)", name, agent->via);
    }
}

static void finish(struct lab_daemon *daemon, struct lab_unit *unit, enum lab_ending ending,
                   int number)
{
    struct lab_agent *agent = agent_of(unit);
    struct charm_error error = { 0 };
    const int64_t duration = lab_steady_us() - agent->started_us;
    const char *name = charm_arena_copy(daemon->arena, agent->context->name);
    close_stream(daemon, unit, &agent->out);
    close_stream(daemon, unit, &agent->err);
    put_results(agent, ending, number);
    lab_model_set_time(daemon->model, lab_clock_ms());
    const int code = lab_context_end(agent->context, ending, number, &error);
    agent->context = NULL;
    agent->pid = 0;
    const char *result = code != 0 ? error.text : ending == LAB_MISSING ? "missing" : "ok";
    lab_journal_run_end(agent->run, result, duration);
    log_end(daemon, unit, name, ending, code == 0 ? NULL : error.text);
}

static void take_end(struct lab_daemon *daemon, struct lab_unit *unit, int status)
{
    if (agent_of(unit)->armed == KILL_AT_EXIT) {
        finish(daemon, unit, LAB_KILLED, SIGKILL);
        return;
    }
    if (WIFEXITED(status)) {
        finish(daemon, unit, LAB_EXITED, WEXITSTATUS(status));
        return;
    }
    const int number = WTERMSIG(status);
    finish(daemon, unit, number == SIGKILL || number == SIGTERM ? LAB_KILLED : LAB_CRASHED, number);
}

bool lab_agent_step(struct lab_daemon *daemon, struct lab_unit *unit)
{
    struct lab_agent *agent = agent_of(unit);
    if (agent->context != NULL) {
        int status;
        lab_agent_read(daemon, unit);
        if (unit->lost || unit->life == LAB_DEAD) {
            kill(-agent->pid, SIGKILL);
        }
        if (agent->pid <= 0 || waitpid(agent->pid, &status, WNOHANG) != agent->pid) {
            return false;
        }
        take_end(daemon, unit, status);
        return true;
    }
    struct lab_event event;
    if (!lab_event_next(daemon->model, unit, &event)) {
        return false;
    }
    begin(daemon, unit, &event);
    return true;
}

struct lab_unit *lab_agent_find(struct lab_daemon *daemon, const char *context_id)
{
    for (struct lab_application *app = daemon->model->applications; app != NULL; app = app->next) {
        for (struct lab_unit *unit = app->units; unit != NULL; unit = unit->next) {
            if (unit->running != NULL && charmi_same(unit->running->id, context_id)) {
                return unit;
            }
        }
    }
    return NULL;
}

void lab_agent_called(struct lab_unit *unit, const char *const *argv, int code, int64_t started_us)
{
    const struct lab_agent *agent = agent_of(unit);
    struct charm_arena *scratch = charm_arena_new();
    struct charmi_words words = { 0 };
    for (size_t i = 0; argv[i] != NULL; i++) {
        charmi_words_add(scratch, &words, argv[i]);
    }
    lab_journal_call(agent->run, charmi_words_join(scratch, &words, " "), code,
                     started_us - agent->started_us, lab_steady_us() - started_us);
    charm_arena_free(scratch);
}

void lab_agent_stop(struct lab_unit *unit)
{
    struct lab_agent *agent = agent_of(unit);
    if (agent == NULL || agent->context == NULL || agent->pid <= 0) {
        return;
    }
    int status;
    kill(-agent->pid, SIGKILL);
    while (waitpid(agent->pid, &status, 0) < 0 && errno == EINTR) {
    }
    close(agent->out.fd);
    close(agent->err.fd);
    charmi_buf_release(&agent->out.line);
    charmi_buf_release(&agent->out.all);
    charmi_buf_release(&agent->err.line);
    charmi_buf_release(&agent->err.all);
    struct charm_error ignored = { 0 };
    CHARMI_IGNORE(lab_context_end(agent->context, LAB_KILLED, SIGKILL, &ignored), "the lab ends");
    agent->context = NULL;
}
