/* lab: Juju's verbs, played on this machine. */
#define _GNU_SOURCE
#include "lab/command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "lab/app.h"
#include "lab/server.h"
#include "lab/wire.h"

static const struct lab_verb *const tables[] = {
    lab_verbs_deploy, lab_verbs_secret, lab_verbs_task, lab_verbs_status,
    lab_verbs_look,   lab_verbs_hooks,  NULL,
};

/* ---- small helps ---- */

int lab_complain(int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("ERROR ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return status;
}

void lab_pause_ms(int64_t ms)
{
    const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
    nanosleep(&pause, NULL);
}

const struct charm_value *lab_options(const struct lab_args *args, const char *name)
{
    return charm_value_get(args->options, name);
}

const char *lab_option(const struct lab_args *args, const char *name)
{
    const struct charm_value *list = lab_options(args, name);
    const size_t size = charm_value_size(list);
    return size == 0 ? NULL : charm_text(charm_value_at(list, size - 1));
}

bool lab_format_is(const struct lab_args *args, const char *format)
{
    return charmi_same(lab_option(args, "format"), format);
}

int64_t lab_duration_ms(const char *text)
{
    static const struct {
        const char *suffix;
        int64_t ms;
    } units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "", 1000 } };
    const size_t digits = strspn(text, "0123456789");
    for (size_t i = 0; digits > 0 && digits < 9 && i < CHARMI_COUNT(units); i++) {
        if (charmi_same(text + digits, units[i].suffix)) {
            return strtoll(text, NULL, 10) * units[i].ms;
        }
    }
    return -1;
}

bool lab_split_pair(const struct lab_args *args, const char *text, struct charm_value *map)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        return false;
    }
    charm_value_set_text(map, charm_arena_copy_n(args->arena, text, (size_t)(equals - text)),
                         equals + 1);
    return true;
}

/* ---- asking the daemon ---- */

struct charm_value *lab_new_request(const struct lab_args *args, const char *verb)
{
    struct charm_value *request = charm_value_new_map(args->arena);
    charm_value_set_text(request, "do", verb);
    return request;
}

static const char *control_socket(const struct lab_args *args)
{
    return charm_arena_printf(args->arena, "%s/lab.sock", args->dir);
}

static const struct charm_value *exchange(const struct lab_args *args, int fd,
                                          const struct charm_value *request)
{
    struct lab_message message = { 0 };
    struct lab_message reply = { 0 };
    const char *text;
    size_t size;
    struct charm_value *answer = NULL;
    if (!lab_message_add_text(&message,
                              charm_value_render(args->arena, request, CHARM_JSON_COMPACT)) ||
        !lab_wire_send(fd, &message) || !lab_wire_receive(fd, &reply) ||
        !lab_message_next(&reply, &text, &size) ||
        charm_value_parse(args->arena, text, size, &answer, NULL) != 0) {
        answer = NULL;
    }
    lab_message_release(&message);
    lab_message_release(&reply);
    return answer;
}

const struct charm_value *lab_ask_quietly(const struct lab_args *args,
                                          const struct charm_value *request, const char **ret_error)
{
    const int fd = lab_wire_connect(control_socket(args));
    if (fd < 0) {
        *ret_error = charm_arena_printf(
            args->arena, "no lab runs in %s (lab start, or lab deploy, starts one)", args->dir);
        return NULL;
    }
    const struct charm_value *answer = exchange(args, fd, request);
    close(fd);
    if (answer == NULL) {
        *ret_error = "the lab's daemon went away in mid-answer";
        return NULL;
    }
    const struct charm_value *refusal = charm_value_get(answer, "error");
    if (refusal != NULL) {
        *ret_error = charm_text(refusal);
        return NULL;
    }
    return answer;
}

const struct charm_value *lab_ask(const struct lab_args *args, const struct charm_value *request)
{
    const char *error = "";
    const struct charm_value *answer = lab_ask_quietly(args, request, &error);
    if (answer == NULL) {
        lab_complain(1, "%s", error);
    }
    return answer;
}

bool lab_daemon_answers(const struct lab_args *args)
{
    const int fd = lab_wire_connect(control_socket(args));
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

/* ---- starting the daemon ---- */

static int read_model_options(const struct lab_args *args, struct lab_server_options *options)
{
    const char *interval = lab_option(args, "update-status");
    const char *seed = lab_option(args, "seed");
    int64_t number = 0;
    options->model.name = lab_option(args, "model");
    options->model.juju_version = lab_option(args, "juju");
    options->model.no_retry = lab_option(args, "no-retry") != NULL;
    options->model.early_peer = lab_option(args, "early-peer-absent") != NULL
                                    ? LAB_EARLY_PEER_ABSENT
                                    : LAB_EARLY_PEER_REFUSED;
    if (interval != NULL) {
        options->model.update_status_ms = lab_duration_ms(interval);
        if (options->model.update_status_ms < 0) {
            return lab_complain(2, "--update-status: \"%s\" is no duration (30s, 5m)", interval);
        }
    }
    if (seed != NULL && !charmi_parse_int(seed, 0, INT64_MAX, &number)) {
        return lab_complain(2, "--seed: \"%s\" is no number", seed);
    }
    options->model.seed = (uint64_t)number;
    return 0;
}

static int read_options(const struct lab_args *args, struct lab_server_options *options)
{
    static const char *const networks[] = { "auto", "private", "loopback", NULL };
    const char *net = lab_option(args, "net");
    options->dir = args->dir;
    options->net = net == NULL ? "auto" : net;
    if (!charmi_in(networks, options->net)) {
        return lab_complain(2, "--net: \"%s\" is not one of auto, private, loopback", net);
    }
    struct charm_value *settings = charm_value_new_map(args->arena);
    const struct charm_value *said = lab_options(args, "set");
    for (size_t i = 0; i < charm_value_size(said); i++) {
        if (!lab_split_pair(args, charm_text(charm_value_at(said, i)), settings)) {
            return lab_complain(2, "--set wants NAME=VALUE");
        }
    }
    options->settings = settings;
    return read_model_options(args, options);
}

static int run_and_wait(const char *const *argv)
{
    int status = -1;
    const pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The directory is the lab's alone: it is new, empty, or has a lab's mark from the last time. */
static int prepare_dir(const struct lab_args *args)
{
    const char *mark = charm_arena_printf(args->arena, "%s/.lab", args->dir);
    if (mkdir(args->dir, 0755) != 0 && errno != EEXIST) {
        return lab_complain(1, "make directory %s: %s", args->dir, strerror(errno));
    }
    if (access(mark, F_OK) == 0) {
        const char *const argv[] = { "rm",
                                     "-rf",
                                     charm_arena_printf(args->arena, "%s/agents", args->dir),
                                     charm_arena_printf(args->arena, "%s/tools", args->dir),
                                     charm_arena_printf(args->arena, "%s/charms", args->dir),
                                     charm_arena_printf(args->arena, "%s/apps", args->dir),
                                     charm_arena_printf(args->arena, "%s/log", args->dir),
                                     NULL };
        return run_and_wait(argv) == 0 ? 0 : lab_complain(1, "clean %s", args->dir);
    }
    if (rmdir(args->dir) != 0 || mkdir(args->dir, 0755) != 0) {
        return lab_complain(1, "use directory %s: it is not empty, and not a lab's", args->dir);
    }
    const int fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        return lab_complain(1, "make %s: %s", mark, strerror(errno));
    }
    close(fd);
    return 0;
}

/* The daemon's standard descriptors are nobody's: what it has to say is in the log. */
static void detach(const struct lab_args *args)
{
    const char *path = charm_arena_printf(args->arena, "%s/daemon.log", args->dir);
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    const int log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(log < 0 ? null : log, STDERR_FILENO);
    setsid();
    prctl(PR_SET_NAME, "lab-daemon");
}

static int wait_until_ready(const struct lab_args *args, int fd)
{
    char text[1024] = { 0 };
    size_t size = 0;
    ssize_t got;
    while (size < sizeof(text) - 1 && (got = read(fd, text + size, sizeof(text) - 1 - size)) > 0) {
        size += (size_t)got;
    }
    close(fd);
    text[strcspn(text, "\n")] = '\0';
    if (!charmi_same(text, "ready")) {
        return lab_complain(1, "start the lab in %s: %s", args->dir,
                            text[0] == '\0' ? "the daemon died (see daemon.log there)" : text);
    }
    return 0;
}

int lab_start_daemon(struct lab_args *args)
{
    struct lab_server_options options = { 0 };
    int ready[2];
    int code = read_options(args, &options);
    code = code != 0 ? code : prepare_dir(args);
    if (code != 0) {
        return code;
    }
    if (pipe2(ready, O_CLOEXEC) != 0) {
        return lab_complain(1, "start the lab: %s", strerror(errno));
    }
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        close(ready[0]);
        detach(args);
        const int status = lab_server_run(&options, ready[1]);
        charm_arena_free(args->arena);
        exit(status);
    }
    close(ready[1]);
    if (pid < 0) {
        close(ready[0]);
        return lab_complain(1, "start the lab: %s", strerror(errno));
    }
    return wait_until_ready(args, ready[0]);
}

/* ---- words ---- */

/* 1: takes a value, 0: does not, -1: there is no such option. */
static int option_kind(const struct lab_args *args, const struct lab_verb *verb, const char *name)
{
    static const char *const everywhere = "dir= help h";
    const char *const lists[] = { everywhere, verb->options == NULL ? "" : verb->options };
    for (size_t i = 0; i < CHARMI_COUNT(lists); i++) {
        const struct charmi_words known = charmi_split(args->arena, lists[i], " ");
        for (size_t j = 0; j < known.size; j++) {
            const size_t size = strcspn(known.at[j], "=");
            if (strlen(name) == size && strncmp(known.at[j], name, size) == 0) {
                return known.at[j][size] == '=' ? 1 : 0;
            }
        }
    }
    return -1;
}

static void add_option(struct lab_args *args, const char *name, const char *value)
{
    const struct charm_value *list = charm_value_get(args->options, name);
    if (list == NULL) {
        charm_value_add_list(args->options, name);
        list = charm_value_get(args->options, name);
    }
    charm_value_append_text((struct charm_value *)(uintptr_t)list, value);
}

/* One option, at `*argv`; moves it on to the last argument that belongs to it. */
static int parse_option(struct lab_args *args, const struct lab_verb *verb, char ***argv)
{
    const char *text = **argv + (charmi_starts_with(**argv, "--") ? 2 : 1);
    const size_t length = strcspn(text, "=");
    const char *name = charm_arena_copy_n(args->arena, text, length);
    const int kind = option_kind(args, verb, name);
    if (kind < 0) {
        return lab_complain(2, "option provided but not defined: %s", **argv);
    }
    if (kind == 0) {
        add_option(args, name, "true");
        return 0;
    }
    if (text[length] == '=') {
        add_option(args, name, text + length + 1);
        return 0;
    }
    if ((*argv)[1] == NULL) {
        return lab_complain(2, "option needs an argument: %s", **argv);
    }
    (*argv)++;
    add_option(args, name, **argv);
    return 0;
}

static int parse_words(struct lab_args *args, const struct lab_verb *verb, char **argv)
{
    for (; *argv != NULL; argv++) {
        if (charmi_same(*argv, "--")) {
            for (argv++; *argv != NULL; argv++) {
                charmi_words_add(args->arena, &args->words, *argv);
            }
            return 0;
        }
        if ((*argv)[0] == '-' && (*argv)[1] != '\0') {
            const int code = parse_option(args, verb, &argv);
            if (code != 0) {
                return code;
            }
        } else {
            charmi_words_add(args->arena, &args->words, *argv);
        }
    }
    return 0;
}

/* ---- help ---- */

static int print_help(void)
{
    puts("lab: plays Juju on this machine, with real charms, a real Kafka and real Connect "
         "workers.\n"
         "\n"
         "    lab VERB [WORDS] [--dir DIRECTORY]\n"
         "\n"
         "Everything of a lab lies in one directory: --dir, or $LAB_DIR, or /tmp/lab-UID.\n");
    for (size_t i = 0; tables[i] != NULL; i++) {
        for (const struct lab_verb *verb = tables[i]; verb->name != NULL; verb++) {
            printf("  %-19s %s\n", verb->name, verb->summary);
        }
        putchar('\n');
    }
    puts("Applications of the lab's own, for `lab deploy`:");
    for (size_t i = 0; lab_drivers()[i] != NULL; i++) {
        printf("  %-19s %s\n", lab_drivers()[i]->name, lab_drivers()[i]->summary);
    }
    puts("\n`lab help VERB` says more of one.");
    return 0;
}

static const struct lab_verb *find_verb(const char *name)
{
    for (size_t i = 0; tables[i] != NULL; i++) {
        for (const struct lab_verb *verb = tables[i]; verb->name != NULL; verb++) {
            if (charmi_same(verb->name, name) ||
                (verb->alias != NULL && charmi_same(verb->alias, name))) {
                return verb;
            }
        }
    }
    return NULL;
}

static int print_verb(const struct lab_verb *verb)
{
    printf("Usage: lab %s %s\n\n%s\n", verb->name, verb->usage, verb->summary);
    if (verb->alias != NULL) {
        printf("\nAlso called: %s\n", verb->alias);
    }
    return 0;
}

/* ---- main ---- */

static const char *absolute(struct charm_arena *arena, const char *path)
{
    char here[PATH_MAX];
    if (path[0] == '/' || getcwd(here, sizeof(here)) == NULL) {
        return path;
    }
    return charm_arena_printf(arena, "%s/%s", here, path);
}

static const char *choose_dir(const struct lab_args *args)
{
    const char *dir = lab_option(args, "dir");
    if (dir == NULL) {
        dir = getenv("LAB_DIR");
    }
    if (dir == NULL || dir[0] == '\0') {
        return charm_arena_printf(args->arena, "/tmp/lab-%d", (int)getuid());
    }
    return absolute(args->arena, dir);
}

static int run_verb(struct lab_args *args, const struct lab_verb *verb, char **argv)
{
    const int code = parse_words(args, verb, argv);
    if (code != 0) {
        return code;
    }
    if (lab_option(args, "help") != NULL || lab_option(args, "h") != NULL) {
        return print_verb(verb);
    }
    args->dir = choose_dir(args);
    if (args->words.size < verb->least || args->words.size > verb->most) {
        return lab_complain(2, "usage: lab %s %s", verb->name, verb->usage);
    }
    return verb->run(args);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";
    const bool help =
        charmi_same(name, "help") || charmi_same(name, "--help") || charmi_same(name, "-h");
    if (help) {
        const struct lab_verb *verb = argc > 2 ? find_verb(argv[2]) : NULL;
        return verb == NULL ? print_help() : print_verb(verb);
    }
    const struct lab_verb *verb = find_verb(name);
    if (verb == NULL) {
        return lab_complain(2, "\"%s\" is not a verb of lab (lab help lists them)", name);
    }
    struct charm_arena *arena = charm_arena_new();
    struct lab_args args = { .arena = arena, .options = charm_value_new_map(arena) };
    const int status = run_verb(&args, verb, argv + 2);
    charm_arena_free(arena);
    return status;
}
