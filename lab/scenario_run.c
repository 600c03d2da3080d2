/*
 * One run of the charm: its process, and the hook tools that it calls.
 *
 * What is kept of it, in the list scene->runs: {unit, name, kind, exit, end, calls: [{call, input, code}], out, err, story}.
 * `end` is "ok", or why the run does not count.
 */
#define _GNU_SOURCE
#include "lab/scenario.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "lab/context.h"
#include "lab/tools.h"
#include "lab/wire.h"

enum {
    LARGEST_OUTPUT = 16 * 1024 * 1024,
    LONGEST_RUN_MS = 60000,
    MOST_ARGUMENTS = 1024,
    TOOL_PATIENCE_S = 10,
};

/* ---- places ---- */

static const char *tag_of(struct charm_arena *arena, const struct lab_unit *unit)
{
    char *tag = charm_arena_printf(arena, "unit-%s", unit->name);
    *strchr(tag, '/') = '-';
    return tag;
}

const char *lab_scene_charm_dir(const struct lab_scene *scene, const struct lab_unit *unit)
{
    return charm_arena_printf(scene->arena, "%s/agents/%s/charm", scene->dir,
                              tag_of(scene->arena, unit));
}

static const char *tools_dir(const struct lab_scene *scene, const struct lab_unit *unit)
{
    return charm_arena_printf(scene->arena, "%s/tools/%s", scene->dir, tag_of(scene->arena, unit));
}

static int make_dirs(struct charm_arena *arena, const char *path, struct charm_error *reterr)
{
    for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        const char *part = charm_arena_copy_n(arena, path, (size_t)(slash - path));
        if (mkdir(part, 0755) != 0 && errno != EEXIST) {
            return charm_error_os(reterr, errno, "make directory %s", part);
        }
    }
    return mkdir(path, 0755) == 0 || errno == EEXIST
               ? 0
               : charm_error_os(reterr, errno, "make directory %s", path);
}

static int link_to(const char *target, const char *path, struct charm_error *reterr)
{
    return symlink(target, path) == 0 || errno == EEXIST
               ? 0
               : charm_error_os(reterr, errno, "make link %s", path);
}

/* The unit's charm: links to everything in the charm's directory, so that only its own records are written here. */
static int link_charm(struct lab_scene *scene, const char *to, struct charm_error *reterr)
{
    const struct lab_scenario_options *options = scene->options;
    DIR *dir = opendir(options->charm);
    if (dir == NULL) {
        return charm_error_os(reterr, errno, "read charm %s", options->charm);
    }
    int code = 0;
    if (options->program != NULL) {
        code =
            link_to(options->program, charm_arena_printf(scene->arena, "%s/dispatch", to), reterr);
    }
    for (const struct dirent *entry = readdir(dir); code == 0 && entry != NULL;
         entry = readdir(dir)) {
        const bool yaml = charmi_ends_with(entry->d_name, ".yaml");
        if (entry->d_name[0] != '.' && (options->program == NULL || yaml)) {
            code = link_to(charm_arena_printf(scene->arena, "%s/%s", options->charm, entry->d_name),
                           charm_arena_printf(scene->arena, "%s/%s", to, entry->d_name), reterr);
        }
    }
    closedir(dir);
    return code;
}

int lab_scene_make_unit(struct lab_scene *scene, struct lab_unit *unit, struct charm_error *reterr)
{
    if (scene->inside) {
        return 0; /* it has no place on a disk */
    }
    const char *charm = lab_scene_charm_dir(scene, unit);
    const char *tools = tools_dir(scene, unit);
    int code = make_dirs(scene->arena, charm, reterr);
    code = code != 0 ? code : make_dirs(scene->arena, tools, reterr);
    code = code != 0 ? code : link_charm(scene, charm, reterr);
    for (const char *const *name = lab_tool_names(); code == 0 && *name != NULL; name++) {
        code = link_to(scene->options->tool,
                       charm_arena_printf(scene->arena, "%s/%s", tools, *name), reterr);
    }
    return code;
}

/* ---- open and close ---- */

static int listen_for_tools(struct lab_scene *scene, struct charm_error *reterr)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    scene->tools_socket = charm_arena_printf(scene->arena, "%s/tools.sock", scene->dir);
    if (strlen(scene->tools_socket) >= sizeof(address.sun_path)) {
        return charm_error_set(reterr, CHARM_EINVAL, "listen at %s: the path is too long",
                               scene->tools_socket);
    }
    memcpy(address.sun_path, scene->tools_socket, strlen(scene->tools_socket));
    scene->tools_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (scene->tools_fd < 0 ||
        bind(scene->tools_fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(scene->tools_fd, 64) != 0) {
        return charm_error_os(reterr, errno, "listen at %s", scene->tools_socket);
    }
    return 0;
}

int lab_scene_open(struct lab_scene *scene, struct charm_error *reterr)
{
    const char *base = getenv("TMPDIR");
    char *dir =
        charm_arena_printf(scene->arena, "%s/scenario-XXXXXX", base == NULL ? "/tmp" : base);
    if (mkdtemp(dir) == NULL) {
        return charm_error_os(reterr, errno, "make directory %s", dir);
    }
    scene->dir = dir;
    return listen_for_tools(scene, reterr);
}

static void remove_tree(const char *path)
{
    const pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", "--", path, (char *)NULL);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

void lab_scene_close(struct lab_scene *scene)
{
    if (scene->tools_fd >= 0) {
        close(scene->tools_fd);
    }
    if (scene->dir != NULL) {
        remove_tree(scene->dir);
    }
}

/* ---- the process ---- */

struct stream {
    int fd;
    struct charmi_buf text;
};

struct process {
    struct lab_scene *scene;
    struct lab_context *context;
    struct charm_value *run;
    struct charm_value *calls;
    pid_t pid;
    struct stream out;
    struct stream err;
};

static int64_t steady_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

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
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(launch->out[1], STDOUT_FILENO) < 0 ||
        dup2(launch->err[1], STDERR_FILENO) < 0 || chdir(launch->dir) != 0) {
        _exit(126);
    }
    close_range(3, ~0U, 0);
    signal(SIGPIPE, SIG_DFL);
    execvpe(launch->argv[0], (char *const *)(uintptr_t)launch->argv,
            (char *const *)(uintptr_t)launch->env);
    _exit(127);
}

static int start(struct process *process, struct launch *launch, struct charm_error *reterr)
{
    if (pipe2(launch->out, O_CLOEXEC) != 0 || pipe2(launch->err, O_CLOEXEC) != 0) {
        return charm_error_os(reterr, errno, "start the charm");
    }
    process->pid = fork();
    if (process->pid == 0) {
        become(launch);
    }
    close(launch->out[1]);
    close(launch->err[1]);
    process->out = (struct stream){ launch->out[0], charmi_buf_init(LARGEST_OUTPUT) };
    process->err = (struct stream){ launch->err[0], charmi_buf_init(LARGEST_OUTPUT) };
    return process->pid > 0 ? 0 : charm_error_os(reterr, errno, "start the charm");
}

/* What the sanitizers are told goes on to the charm; a unit's environment has nothing else of ours. */
static const char *const *sanitizers(struct charm_arena *arena)
{
    static const char *const names[] = { "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS" };
    struct charmi_words words = { 0 };
    for (size_t i = 0; i < CHARMI_COUNT(names); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL) {
            charmi_words_add(arena, &words, charm_arena_printf(arena, "%s=%s", names[i], value));
        }
    }
    return words.at;
}

static const char *const *words_of(struct process *process)
{
    struct charm_arena *arena = process->context->arena;
    const struct lab_event *event = &process->context->event;
    struct charmi_words words = { 0 };
    if (event->hook != LAB_TASK || event->task->action != NULL) {
        charmi_words_add(arena, &words, "./dispatch");
        return words.at;
    }
    charmi_words_add(arena, &words, "/bin/sh");
    charmi_words_add(arena, &words, "-c");
    charmi_words_add(arena, &words, charm_text(charm_value_at(event->task->command, 0)));
    return words.at;
}

static int launch_charm(struct process *process, struct charm_error *reterr)
{
    struct lab_scene *scene = process->scene;
    const struct lab_unit *unit = process->context->unit;
    const struct lab_places places = {
        .charm_dir = lab_scene_charm_dir(scene, unit),
        .tools_dir = tools_dir(scene, unit),
        .socket = scene->tools_socket,
        .extra = sanitizers(process->context->arena),
    };
    struct launch launch = {
        .argv = words_of(process),
        .env = lab_context_environment(process->context, &places),
        .dir = places.charm_dir,
    };
    return start(process, &launch, reterr);
}

/* ---- hook tools ---- */

struct tool_request {
    const char *context;
    const char *directory;
    const char *started;
    const char *has_input;
    const char *input;
    size_t input_size;
    const char *argv[MOST_ARGUMENTS];
};

static bool read_request(struct lab_message *message, struct tool_request *ret)
{
    size_t count = 0;
    if (!lab_message_next(message, &ret->context, NULL) ||
        !lab_message_next(message, &ret->directory, NULL) ||
        !lab_message_next(message, &ret->started, NULL) ||
        !lab_message_next(message, &ret->has_input, NULL) ||
        !lab_message_next(message, &ret->input, &ret->input_size)) {
        return false;
    }
    while (count + 1 < MOST_ARGUMENTS && lab_message_next(message, &ret->argv[count], NULL)) {
        count++;
    }
    ret->argv[count] = NULL;
    return count > 0;
}

static int read_file(void *userdata, struct charm_arena *arena, const char *path,
                     const char **ret_text, size_t *ret_size, struct charm_error *reterr)
{
    const struct tool_request *request = userdata;
    const char *whole =
        path[0] == '/' ? path : charm_arena_printf(arena, "%s/%s", request->directory, path);
    FILE *file = fopen(whole, "re");
    if (file == NULL) {
        return charm_error_os(reterr, errno, "open %s", path);
    }
    struct charmi_buf text = charmi_buf_init(LARGEST_OUTPUT);
    char piece[16384];
    for (size_t got = 1; got > 0;) {
        got = fread(piece, 1, sizeof(piece), file);
        charmi_buf_add_n(&text, piece, got);
    }
    fclose(file);
    *ret_size = text.size;
    *ret_text = charmi_buf_into(&text, arena);
    return 0;
}

static void note_call(struct process *process, const struct tool_request *request, int code)
{
    struct lab_scene *scene = process->scene;
    struct charmi_words words = { 0 };
    for (size_t i = 0; request->argv[i] != NULL; i++) {
        charmi_words_add(scene->arena, &words, request->argv[i]);
    }
    const char *text = charmi_words_join(scene->arena, &words, " ");
    struct charm_value *call = charm_value_append_map(process->calls);
    charm_value_set_text(call, "call", text);
    charm_value_set_text(call, "input", request->input);
    charm_value_set_int(call, "code", code);
    charmi_buf_addf(&scene->written, "%s\n%s\n", text, request->input);
}

static void answer(struct process *process, struct lab_message *message,
                   struct lab_message *ret_reply)
{
    struct tool_request request;
    struct lab_tool_result result = { .code = 1, .out = "", .err = "ERROR bad request\n" };
    struct charm_arena *arena = process->context->arena;
    if (read_request(message, &request) && charmi_same(request.context, process->context->id)) {
        const struct lab_tool_call call = {
            .argv = request.argv,
            .input = request.has_input[0] == 'y' ? request.input : NULL,
            .input_size = request.input_size,
            .read_file = read_file,
            .userdata = &request,
        };
        lab_model_set_time(process->scene->model, clock_ms());
        lab_tool_run(process->context, arena, &call, &result);
        if (!result.wants_input) {
            note_call(process, &request, result.code);
        }
    }
    CHARMI_IGNORE(!lab_message_add_text(ret_reply, charm_arena_printf(arena, "%d", result.code)) ||
                      !lab_message_add_text(ret_reply, result.wants_input ? "y" : "n") ||
                      !lab_message_add(ret_reply, result.out, result.out_size) ||
                      !lab_message_add_text(ret_reply, result.err),
                  "a cut answer is an error at the other end");
}

static void serve_tool(struct process *process)
{
    const int fd = accept4(process->scene->tools_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    const struct timeval patience = { .tv_sec = TOOL_PATIENCE_S };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    struct lab_message message = { 0 };
    struct lab_message reply = { 0 };
    if (lab_wire_receive(fd, &message)) {
        answer(process, &message, &reply);
        CHARMI_IGNORE(!lab_wire_send(fd, &reply), "the tool may have been killed");
    }
    lab_message_release(&message);
    lab_message_release(&reply);
    close(fd);
}

/* ---- until it ends ---- */

static void read_stream(struct stream *stream)
{
    char bytes[16384];
    const ssize_t got = read(stream->fd, bytes, sizeof(bytes));
    if (got > 0) {
        charmi_buf_add_n(&stream->text, bytes, (size_t)got);
    } else if (got == 0 || errno != EINTR) {
        close(stream->fd);
        stream->fd = -1;
    }
}

/* False: it took too long. */
static bool attend(struct process *process)
{
    struct lab_scene *scene = process->scene;
    const int64_t deadline = steady_ms() + LONGEST_RUN_MS;
    while (process->out.fd >= 0 || process->err.fd >= 0) {
        struct pollfd fds[] = {
            { .fd = process->out.fd, .events = POLLIN },
            { .fd = process->err.fd, .events = POLLIN },
            { .fd = scene->tools_fd, .events = POLLIN },
            { .fd = lab_rest_fd(scene->rest), .events = POLLIN },
        };
        const int64_t left = deadline - steady_ms();
        if (left <= 0 || poll(fds, CHARMI_COUNT(fds), (int)left) == 0) {
            return false;
        }
        for (int i = 0; i < 2; i++) {
            if (fds[i].revents != 0) {
                read_stream(i == 0 ? &process->out : &process->err);
            }
        }
        if (fds[2].revents != 0) {
            serve_tool(process);
        }
        if (fds[3].revents != 0) {
            lab_rest_serve(scene->rest);
        }
    }
    return true;
}

static void close_stream(struct process *process, struct stream *stream, const char *key)
{
    if (stream->fd >= 0) {
        close(stream->fd);
    }
    charm_value_set_text(process->run, key, charmi_buf_text(&stream->text));
    charmi_buf_addf(&process->scene->written, "%s\n", charmi_buf_text(&stream->text));
    charmi_buf_release(&stream->text);
}

/* What an agent puts into the results of an action or a command: contract 4.4. */
static void put_results(struct process *process, int number)
{
    const struct lab_event *event = &process->context->event;
    if (event->hook != LAB_TASK) {
        return;
    }
    charm_value_set_int(event->task->results, "return-code", number);
    const char *out = charm_text(charm_value_get(process->run, "out"));
    const char *err = charm_text(charm_value_get(process->run, "err"));
    if (out[0] != '\0') {
        charm_value_set_text(event->task->results, "stdout", out);
    }
    if (err[0] != '\0') {
        charm_value_set_text(event->task->results, "stderr", err);
    }
}

static enum lab_ending ending_of(int status)
{
    if (WIFEXITED(status)) {
        return LAB_EXITED;
    }
    const int signal = WTERMSIG(status);
    return signal == SIGKILL || signal == SIGTERM ? LAB_KILLED : LAB_CRASHED;
}

static void end(struct process *process, bool in_time)
{
    struct lab_scene *scene = process->scene;
    int status = 0;
    if (!in_time) {
        kill(-process->pid, SIGKILL);
        lab_scene_problem(scene, "%s did not end in %d s", process->context->name,
                          LONGEST_RUN_MS / 1000);
    }
    while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR) {
    }
    const bool exited = WIFEXITED(status);
    const int number = exited ? WEXITSTATUS(status) : WTERMSIG(status);
    close_stream(process, &process->out, "out");
    close_stream(process, &process->err, "err");
    charm_value_set_int(process->run, "exit", exited ? number : 128 + number);
    put_results(process, number);
    struct charm_error error = { 0 };
    struct lab_unit *unit = process->context->unit;
    lab_model_set_time(scene->model, clock_ms());
    const int code = lab_context_end(process->context, ending_of(status), number, &error);
    charm_value_set_text(process->run, "end", code == 0 ? "ok" : error.text);
    lab_scene_watch(scene, unit);
}

int lab_scene_run(struct lab_scene *scene, struct lab_unit *unit, const struct lab_event *event,
                  struct charm_error *reterr)
{
    if (scene->inside) {
        lab_scene_run_inside(scene, unit, event);
        return 0;
    }
    struct process process = { .scene = scene };
    lab_model_set_time(scene->model, clock_ms());
    scene->run_count++;
    unit->fault_refuse_commit |= scene->run_count == scene->refuse_commit_of;
    unit->fault_state_only |= scene->run_count == scene->state_only_of;
    process.context = lab_context_begin(scene->model, unit, event);
    process.run = charm_value_append_map(scene->runs);
    charm_value_set_text(process.run, "unit", unit->name);
    charm_value_set_text(process.run, "name", process.context->name);
    process.calls = charm_value_add_list(process.run, "calls");
    if (launch_charm(&process, reterr) != 0) {
        return reterr->code;
    }
    end(&process, attend(&process));
    return 0;
}
