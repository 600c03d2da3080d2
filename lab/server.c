/* The daemon's sockets and its loop. */
#define _GNU_SOURCE
#include "lab/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"
#include "lab/app.h"
#include "lab/daemon.h"
#include "lab/tools.h"
#include "lab/wire.h"

enum { TICK_MS = 100, MOST_CLIENTS = 64, MOST_FDS = 1024, SLOW_CLIENT_S = 10 };

enum listener { FOR_COMMANDS, FOR_TOOLS, LISTENERS };

/* Somebody connected, whose message has not come in whole yet. */
struct client {
    int fd; /* -1: free place */
    enum listener kind;
    struct charmi_buf bytes;
};

struct server {
    struct lab_daemon daemon;
    int listeners[LISTENERS];
    int signals;
    struct client clients[MOST_CLIENTS];
};

/* ---- hook tools ---- */

struct tool_request {
    const char *context;
    const char *directory;
    int64_t started_us;
    bool has_input;
    const char *input;
    size_t input_size;
    const char *argv[1024];
};

static bool read_tool_request(struct lab_message *message, struct tool_request *ret)
{
    const char *started;
    const char *flag;
    size_t count = 0;
    if (!lab_message_next(message, &ret->context, NULL) ||
        !lab_message_next(message, &ret->directory, NULL) ||
        !lab_message_next(message, &started, NULL) || !lab_message_next(message, &flag, NULL) ||
        !lab_message_next(message, &ret->input, &ret->input_size)) {
        return false;
    }
    ret->started_us = strtoll(started, NULL, 10);
    ret->has_input = flag[0] == 'y';
    while (count + 1 < CHARMI_COUNT(ret->argv) &&
           lab_message_next(message, &ret->argv[count], NULL)) {
        count++;
    }
    ret->argv[count] = NULL;
    return count > 0;
}

static const char *resolve(struct charm_arena *arena, const char *directory, const char *path)
{
    return path[0] == '/' ? path : charm_arena_printf(arena, "%s/%s", directory, path);
}

/* The agent opens a tool's --file, relative to the caller's directory: contract 3.1. */
static int read_file(void *userdata, struct charm_arena *arena, const char *path,
                     const char **ret_text, size_t *ret_size, struct charm_error *reterr)
{
    const struct tool_request *request = userdata;
    FILE *file = fopen(resolve(arena, request->directory, path), "re");
    if (file == NULL) {
        return charm_error_os(reterr, errno, "open %s", path);
    }
    struct charmi_buf text = charmi_buf_init(LAB_WIRE_LARGEST);
    char piece[65536];
    for (size_t got = 1; got > 0;) {
        got = fread(piece, 1, sizeof(piece), file);
        charmi_buf_add_n(&text, piece, got);
    }
    fclose(file);
    *ret_size = text.size;
    *ret_text = charmi_buf_into(&text, arena);
    return 0;
}

static void write_output(struct charm_arena *arena, const struct tool_request *request,
                         struct lab_tool_result *result)
{
    if (result->output_file == NULL || result->code != 0) {
        return;
    }
    FILE *file = fopen(resolve(arena, request->directory, result->output_file), "we");
    if (file == NULL || fwrite(result->out, 1, result->out_size, file) != result->out_size) {
        result->code = 1;
        result->err =
            charm_arena_printf(arena, "ERROR open %s: %s\n", result->output_file, strerror(errno));
    }
    if (file != NULL) {
        fclose(file);
    }
    result->out = "";
    result->out_size = 0;
}

static void run_tool(struct server *server, struct charm_arena *arena, struct tool_request *request,
                     struct lab_tool_result *ret_result)
{
    struct lab_unit *unit = lab_agent_find(&server->daemon, request->context);
    if (unit == NULL) {
        *ret_result = (struct lab_tool_result){ .code = 1, .out = "" };
        ret_result->err = charm_arena_printf(
            arena, "ERROR bad request: unknown context id \"%s\"\n", request->context);
        return;
    }
    const struct lab_tool_call call = {
        .argv = request->argv,
        .input = request->has_input ? request->input : NULL,
        .input_size = request->input_size,
        .read_file = read_file,
        .userdata = request,
    };
    lab_model_set_time(server->daemon.model, lab_clock_ms());
    if (!request->has_input) { /* else it is the second half of a call */
        lab_agent_tool_point(unit, false);
    }
    lab_tool_run(unit->running, arena, &call, ret_result);
    write_output(arena, request, ret_result);
    if (!ret_result->wants_input) {
        lab_agent_called(unit, request->argv, ret_result->code, request->started_us);
        lab_agent_tool_point(unit, true);
    }
}

static void answer_tool(struct server *server, int fd, struct lab_message *message)
{
    struct tool_request request;
    struct lab_tool_result result = { .code = 1, .out = "", .err = "ERROR bad request\n" };
    struct charm_arena *arena = charm_arena_new();
    if (read_tool_request(message, &request)) {
        run_tool(server, arena, &request, &result);
    }
    struct lab_message reply = { 0 };
    if (lab_message_add_text(&reply, charm_arena_printf(arena, "%d", result.code)) &&
        lab_message_add_text(&reply, result.wants_input ? "y" : "n") &&
        lab_message_add(&reply, result.out, result.out_size) &&
        lab_message_add_text(&reply, result.err)) {
        CHARMI_IGNORE(!lab_wire_send(fd, &reply), "the tool may have been killed");
    }
    lab_message_release(&reply);
    charm_arena_free(arena);
}

/* ---- the `lab` command ---- */

static void answer_command(struct server *server, int fd, struct lab_message *message)
{
    struct charm_arena *arena = charm_arena_new();
    const char *text = "";
    size_t size = 0;
    struct charm_value *request = NULL;
    struct charm_value *answer = charm_value_new_map(arena);
    struct charm_error error = { 0 };
    if (!lab_message_next(message, &text, &size) ||
        charm_value_parse(arena, text, size, &request, &error) != 0) {
        charm_value_set_text(answer, "error", "the request is cut");
    } else {
        lab_model_set_time(server->daemon.model, lab_clock_ms());
        answer = lab_request(&server->daemon, arena, request);
        server->daemon.hurry = 1;
    }
    struct lab_message reply = { 0 };
    if (lab_message_add_text(&reply, charm_value_render(arena, answer, CHARM_JSON_COMPACT))) {
        CHARMI_IGNORE(!lab_wire_send(fd, &reply), "the command may have been interrupted");
    }
    lab_message_release(&reply);
    charm_arena_free(arena);
}

/* ---- connections ---- */

static int listen_at(const char *path, struct charm_error *reterr)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(address.sun_path)) {
        return charm_error_set(
            reterr, CHARM_EINVAL,
            "listen at %s: the path is too long for a socket (%zu bytes at most)", path,
            sizeof(address.sun_path) - 1);
    }
    memcpy(address.sun_path, path, strlen(path));
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    unlink(path);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(fd, 64) != 0) {
        const int reason = errno;
        if (fd >= 0) {
            close(fd);
        }
        return charm_error_os(reterr, reason, "listen at %s", path);
    }
    return fd;
}

static void drop(struct client *client)
{
    close(client->fd);
    client->fd = -1;
    charmi_buf_release(&client->bytes);
}

static void accept_client(struct server *server, enum listener kind)
{
    for (size_t i = 0; i < MOST_CLIENTS; i++) {
        struct client *client = &server->clients[i];
        if (client->fd >= 0) {
            continue;
        }
        const int fd = accept4(server->listeners[kind], NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        const struct timeval patience = { .tv_sec = SLOW_CLIENT_S };
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        *client = (struct client){ fd, kind, charmi_buf_init(LAB_WIRE_LARGEST) };
    }
}

static void serve(struct server *server, struct client *client)
{
    uint32_t length;
    if (client->bytes.size < sizeof(length)) {
        return;
    }
    memcpy(&length, client->bytes.data, sizeof(length));
    if (client->bytes.size - sizeof(length) < length) {
        return;
    }
    struct lab_message message = { .bytes = client->bytes.data + sizeof(length), .size = length };
    if (client->kind == FOR_TOOLS) {
        answer_tool(server, client->fd, &message);
    } else {
        answer_command(server, client->fd, &message);
    }
    drop(client);
}

static void read_client(struct server *server, struct client *client)
{
    char bytes[65536];
    const ssize_t got = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got > 0) {
        charmi_buf_add_n(&client->bytes, bytes, (size_t)got);
    }
    if (got <= 0 || client->bytes.overflow) {
        drop(client);
        return;
    }
    serve(server, client);
}

/* ---- the loop ---- */

static bool step_unit(struct lab_daemon *daemon, struct lab_unit *unit)
{
    if (lab_app_driver(unit->app) != NULL) {
        return lab_app_step(daemon, unit);
    }
    return unit->userdata != NULL && lab_agent_step(daemon, unit);
}

static bool step_units(struct lab_daemon *daemon)
{
    bool moved = false;
    for (struct lab_application *app = daemon->model->applications; app != NULL; app = app->next) {
        for (struct lab_unit *unit = app->units; unit != NULL; unit = unit->next) {
            moved = step_unit(daemon, unit) || moved;
        }
    }
    return moved;
}

static bool anything_runs(const struct lab_daemon *daemon)
{
    for (struct lab_application *app = daemon->model->applications; app != NULL; app = app->next) {
        for (struct lab_unit *unit = app->units; unit != NULL; unit = unit->next) {
            if (unit->running != NULL) {
                return true;
            }
        }
    }
    return false;
}

static void step(struct lab_daemon *daemon)
{
    lab_model_set_time(daemon->model, lab_clock_ms());
    bool moved = false;
    while (step_units(daemon)) {
        moved = true;
    }
    if (moved || anything_runs(daemon)) {
        daemon->busy_ms = lab_steady_us() / 1000;
    }
}

static void tick(struct lab_daemon *daemon)
{
    for (struct lab_application *app = daemon->model->applications; app != NULL; app = app->next) {
        lab_app_tick(daemon, app);
    }
}

static size_t add_unit_fds(const struct lab_daemon *daemon, struct pollfd *fds, size_t count)
{
    for (struct lab_application *app = daemon->model->applications; app != NULL; app = app->next) {
        for (struct lab_unit *unit = app->units; unit != NULL; unit = unit->next) {
            int pair[2] = { -1, -1 };
            if (lab_app_driver(app) == NULL) {
                lab_agent_fds(unit, pair);
            }
            for (int i = 0; i < 2 && count < MOST_FDS; i++) {
                if (pair[i] >= 0) {
                    fds[count++] = (struct pollfd){ .fd = pair[i], .events = POLLIN };
                }
            }
        }
    }
    return count;
}

static void wait_for_news(struct server *server)
{
    struct pollfd fds[MOST_FDS];
    size_t count = 0;
    fds[count++] = (struct pollfd){ .fd = server->signals, .events = POLLIN };
    for (int i = 0; i < LISTENERS; i++) {
        fds[count++] = (struct pollfd){ .fd = server->listeners[i], .events = POLLIN };
    }
    for (size_t i = 0; i < MOST_CLIENTS; i++) {
        fds[count++] = (struct pollfd){ .fd = server->clients[i].fd, .events = POLLIN };
    }
    count = add_unit_fds(&server->daemon, fds, count);
    const int timeout = server->daemon.hurry ? 0 : TICK_MS;
    server->daemon.hurry = 0;
    if (poll(fds, count, timeout) <= 0) {
        return;
    }
    struct signalfd_siginfo info;
    while (read(server->signals, &info, sizeof(info)) == sizeof(info)) {
        server->daemon.stopping = server->daemon.stopping || info.ssi_signo != SIGCHLD;
    }
    for (int i = 0; i < LISTENERS; i++) {
        if (fds[1 + i].revents != 0) {
            accept_client(server, (enum listener)i);
        }
    }
    for (size_t i = 0; i < MOST_CLIENTS; i++) {
        if (server->clients[i].fd >= 0) {
            read_client(server, &server->clients[i]);
        }
    }
}

static void loop(struct server *server)
{
    struct lab_daemon *daemon = &server->daemon;
    int64_t last_tick = 0;
    while (!daemon->stopping) {
        step(daemon);
        const int64_t now = lab_steady_us() / 1000;
        if (now - last_tick >= TICK_MS) {
            last_tick = now;
            tick(daemon);
        }
        wait_for_news(server);
    }
}

/* ---- beginning and end ---- */

/* The model's lines go into the log. */
static void log_for_model(void *userdata, const char *unit, const char *level, const char *module,
                          const char *text)
{
    lab_journal_add(userdata, unit, level, module, text);
}

/* lab-tool lies beside the program that runs. */
static const char *find_tool(struct charm_arena *arena)
{
    char path[4096];
    const ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 16);
    if (size <= 0) {
        return "lab-tool";
    }
    path[size] = '\0';
    char *slash = strrchr(path, '/');
    *slash = '\0';
    return charm_arena_printf(arena, "%s/lab-tool", path);
}

static int make_places(struct lab_daemon *daemon, struct charm_error *reterr)
{
    static const char *const names[] = { "agents", "tools", "charms", "apps" };
    for (size_t i = 0; i < CHARMI_COUNT(names); i++) {
        const char *path = charm_arena_printf(daemon->arena, "%s/%s", daemon->dir, names[i]);
        if (mkdir(path, 0755) != 0 && errno != EEXIST) {
            return charm_error_os(reterr, errno, "make directory %s", path);
        }
    }
    if (access(daemon->tool, X_OK) != 0) {
        return charm_error_os(reterr, errno, "find the hook tools' program %s", daemon->tool);
    }
    return 0;
}

/* For whoever wants to send a signal to the daemon. */
static void write_pid(const struct lab_daemon *daemon)
{
    FILE *file = fopen(charm_arena_printf(daemon->arena, "%s/pid", daemon->dir), "we");
    if (file != NULL) {
        fprintf(file, "%d\n", (int)getpid());
        fclose(file);
    }
}

static int open_sockets(struct server *server, struct charm_error *reterr)
{
    struct lab_daemon *daemon = &server->daemon;
    daemon->tools_socket = charm_arena_printf(daemon->arena, "%s/tools.sock", daemon->dir);
    const char *const paths[LISTENERS] = {
        [FOR_COMMANDS] = charm_arena_printf(daemon->arena, "%s/lab.sock", daemon->dir),
        [FOR_TOOLS] = daemon->tools_socket,
    };
    for (int i = 0; i < LISTENERS; i++) {
        server->listeners[i] = listen_at(paths[i], reterr);
        if (server->listeners[i] < 0) {
            return server->listeners[i];
        }
    }
    return 0;
}

static int watch_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int open_server(struct server *server, const struct lab_server_options *options,
                       struct charm_error *reterr)
{
    struct lab_daemon *daemon = &server->daemon;
    daemon->arena = charm_arena_new();
    daemon->options = options;
    daemon->dir = options->dir;
    daemon->network = "";
    daemon->tool = find_tool(daemon->arena);
    daemon->busy_ms = lab_steady_us() / 1000;
    server->listeners[FOR_COMMANDS] = server->listeners[FOR_TOOLS] = -1;
    for (size_t i = 0; i < MOST_CLIENTS; i++) {
        server->clients[i].fd = -1;
    }
    server->signals = watch_signals();
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* what a hook leaves behind is ours to end */
    daemon->model = lab_model_new(&options->model);
    daemon->model->log = log_for_model;
    daemon->model->userdata = daemon;
    lab_journal_open(daemon);
    const char *network = "";
    int code = make_places(daemon, reterr);
    if (code == 0) {
        code = lab_net_enter(options->net, daemon->dir, &network, reterr);
    }
    if (code != 0) {
        return code;
    }
    daemon->network = charm_arena_copy(daemon->arena, network);
    write_pid(daemon);
    return open_sockets(server, reterr);
}

/* Kills every child of this process; how many there were. */
static int kill_children(void)
{
    char path[64];
    char word[32];
    int count = 0;
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "re");
    while (file != NULL && fscanf(file, "%31s", word) == 1) {
        const pid_t pid = (pid_t)strtol(word, NULL, 10);
        if (pid > 0) {
            kill(pid, SIGKILL);
        }
        count++;
    }
    if (file != NULL) {
        fclose(file);
    }
    return count;
}

/* Whoever was started here and is still alive, whoever started it (PR_SET_CHILD_SUBREAPER). */
static void end_children(void)
{
    const struct timespec moment = { .tv_nsec = 20L * 1000 * 1000 };
    for (int turn = 0; turn < 50 && kill_children() > 0; turn++) {
        nanosleep(&moment, NULL);
        while (waitpid(-1, NULL, WNOHANG) > 0) {
        }
    }
}

static void stop_everything(struct lab_daemon *daemon)
{
    for (struct lab_application *app = daemon->model->applications; app != NULL; app = app->next) {
        if (lab_app_driver(app) != NULL) {
            lab_app_stop(daemon, app);
            continue;
        }
        for (struct lab_unit *unit = app->units; unit != NULL; unit = unit->next) {
            lab_agent_stop(unit);
        }
    }
}

static void close_server(struct server *server)
{
    struct lab_daemon *daemon = &server->daemon;
    stop_everything(daemon);
    end_children();
    lab_net_leave();
    for (size_t i = 0; i < MOST_CLIENTS; i++) {
        if (server->clients[i].fd >= 0) {
            drop(&server->clients[i]);
        }
    }
    for (int i = 0; i < LISTENERS; i++) {
        if (server->listeners[i] >= 0) {
            close(server->listeners[i]);
        }
    }
    unlink(charm_arena_printf(daemon->arena, "%s/lab.sock", daemon->dir));
    unlink(charm_arena_printf(daemon->arena, "%s/tools.sock", daemon->dir));
    unlink(charm_arena_printf(daemon->arena, "%s/pid", daemon->dir));
    close(server->signals);
    close(daemon->log_fd);
    free(daemon->lines);
    lab_model_free(daemon->model);
    charm_arena_free(daemon->arena);
}

int lab_server_run(const struct lab_server_options *options, int ready_fd)
{
    struct server *server = charmi_malloc(sizeof(*server));
    *server = (struct server){ 0 };
    struct charm_error error = { 0 };
    const int code = open_server(server, options, &error);
    dprintf(ready_fd, "%s\n", code == 0 ? "ready" : error.text);
    close(ready_fd);
    if (code == 0) {
        loop(server);
    }
    close_server(server);
    free(server);
    return code == 0 ? 0 : 1;
}
