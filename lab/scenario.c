/* lab-scenario: plays scenario files and prints what in them does not hold. */
#define _GNU_SOURCE
#include "lab/scenario.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

enum {
    LARGEST_REPORT = 1024 * 1024,
    LARGEST_WRITTEN = 64 * 1024 * 1024,
    GOOD = 0,
    BAD = 1,
    MISUSED = 2,
    NO_CHARM = 77 /* ctest's "skipped" */
};

static const char usage[] =
    "usage: lab-scenario --charm DIR [--program PROGRAM] [--verbose] FILE|DIR...\n"
    "\n"
    "Plays scenario files (given, when, then, never) with a real charm on the lab's Juju.\n"
    "  --charm DIR        the charm: its metadata.yaml, config.yaml, actions.yaml, and its "
    "dispatch\n"
    "  --program PROGRAM  what dispatch is, when DIR has none\n"
    "  --verbose          print every run, also when all is well\n"
    "The format: tests/scenario/README.md.\n";

void lab_scene_problem(struct lab_scene *scene, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    charmi_buf_vaddf(&scene->problems, format, args);
    va_end(args);
    charmi_buf_add_char(&scene->problems, '\n');
}

/* ---- one file ---- */

static int fill_names(struct lab_scene *scene, const struct charm_value *file,
                      struct charm_error *reterr)
{
    struct charm_value *names = charm_value_new_map(scene->arena);
    struct charm_value *filled = NULL;
    const int rest = lab_rest_port(scene->rest);
    const int kafka = lab_mock_kafka_port(scene->kafka);
    charm_value_set_int(names, "rest-port", rest);
    charm_value_set_int(names, "kafka-port", kafka);
    charm_value_set_text(names, "rest-host", lab_rest_host(scene->rest));
    charm_value_setf(names, "rest", "%s:%d", lab_rest_host(scene->rest), rest);
    charm_value_setf(names, "kafka", "127.0.0.1:%d", kafka);
    const int code = lab_scenario_fill(scene->arena, file, names, &filled, reterr);
    scene->file = filled;
    return code;
}

static int prepare(struct lab_scene *scene, const char *path, struct charm_error *reterr)
{
    struct charm_value *file = NULL;
    int code = lab_scenario_read(scene->arena, path, &file, reterr);
    code = code != 0 ? code : lab_scenario_check(file, reterr);
    code = code != 0 ? code : lab_scene_open(scene, reterr);
    if (code == 0) {
        scene->rest = lab_rest_new(scene->arena, reterr);
        code = scene->rest == NULL ? CHARM_EFAILED
                                   : lab_mock_kafka_new(scene->arena, &scene->kafka, reterr);
    }
    return code != 0 ? code : fill_names(scene, file, reterr);
}

static void describe_runs(struct lab_scene *scene, const char *title)
{
    charmi_buf_addf(&scene->details, "---- %s\n", title);
    for (size_t i = 0; i < charm_value_size(scene->runs); i++) {
        const struct charm_value *run = charm_value_at(scene->runs, i);
        const struct charm_value *calls = charm_value_get(run, "calls");
        charmi_buf_addf(
            &scene->details, "%s %s: %s, %zu calls\n%s%s", charm_text(charm_value_get(run, "unit")),
            charm_text(charm_value_get(run, "name")), charm_text(charm_value_get(run, "end")),
            charm_value_size(calls), charm_text(charm_value_get(run, "out")),
            charm_text(charm_value_get(run, "err")));
    }
    for (size_t i = 0; i < charm_value_size(lab_connect_requests(lab_rest_connect(scene->rest)));
         i++) {
        charmi_buf_addf(
            &scene->details, "  REST %s\n",
            charm_text(charm_value_at(lab_connect_requests(lab_rest_connect(scene->rest)), i)));
    }
    charmi_buf_addf(&scene->details, "  status %s: %s\n", scene->unit->status.word,
                    scene->unit->status.message);
}

/* A prelude in which something fails is no ground to stand on. */
static void check_prelude(struct lab_scene *scene)
{
    for (size_t i = 0; i < charm_value_size(scene->runs); i++) {
        const struct charm_value *run = charm_value_at(scene->runs, i);
        if (!charmi_same(charm_text(charm_value_get(run, "end")), "ok")) {
            lab_scene_problem(
                scene, "given: %s failed: %s\n%s", charm_text(charm_value_get(run, "name")),
                charm_text(charm_value_get(run, "end")), charm_text(charm_value_get(run, "err")));
        }
    }
}

static int play_act(struct lab_scene *scene, const struct charm_value *act, const char *title,
                    struct charm_error *reterr)
{
    const int code = lab_scene_when(scene, charm_value_get(act, "when"), reterr);
    if (code == 0) {
        lab_scene_then(scene, charm_value_get(act, "then"));
        lab_scene_never(scene, charm_value_get(scene->file, "never"));
    }
    if (scene->options->verbose) {
        describe_runs(scene, title);
    }
    return code;
}

static int play_all(struct lab_scene *scene, struct charm_error *reterr)
{
    scene->runs = charm_value_new_list(scene->arena);
    int code = lab_scene_given(scene, reterr);
    if (scene->options->verbose && scene->unit != NULL) {
        describe_runs(scene, "given");
    }
    if (code != 0) {
        return code;
    }
    check_prelude(scene);
    code = play_act(scene, scene->file, "when", reterr);
    const struct charm_value *next = charm_value_get(scene->file, "next");
    for (size_t i = 0; code == 0 && i < charm_value_size(next); i++) {
        const char *title = charm_arena_printf(scene->arena, "next[%zu]", i);
        const size_t before = scene->problems.size;
        code = play_act(scene, charm_value_at(next, i), title, reterr);
        if (scene->problems.size > before) {
            lab_scene_problem(scene, "(in %s)", title);
        }
    }
    return code;
}

int lab_scenario_play(struct charm_arena *arena, const struct lab_scenario_options *options,
                      const char *path, const char **ret_report)
{
    struct lab_scene scene = { .arena = arena, .options = options, .tools_fd = -1 };
    struct charm_error error = { 0 };
    scene.problems = charmi_buf_init(LARGEST_REPORT);
    scene.details = charmi_buf_init(LARGEST_REPORT);
    scene.written = charmi_buf_init(LARGEST_WRITTEN);
    int code = prepare(&scene, path, &error);
    code = code != 0 ? code : play_all(&scene, &error);
    if (code != 0) {
        lab_scene_problem(&scene, "%s", error.text);
    }
    const bool bad = scene.problems.size > 0;
    charmi_buf_add(&scene.details, charmi_buf_text(&scene.problems));
    *ret_report = charmi_buf_into(&scene.details, arena);
    charmi_buf_release(&scene.problems);
    charmi_buf_release(&scene.written);
    lab_scene_close(&scene);
    lab_mock_kafka_free(scene.kafka);
    lab_model_free(scene.model);
    return code != 0 ? code : bad ? CHARM_EFAILED : 0;
}

/* ---- the program ---- */

static const char *without_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static bool play_file(const struct lab_scenario_options *options, const char *path)
{
    struct charm_arena *arena = charm_arena_new();
    struct timespec start;
    struct timespec end;
    const char *report = "";
    clock_gettime(CLOCK_MONOTONIC, &start);
    const bool good = lab_scenario_play(arena, options, path, &report) == 0;
    clock_gettime(CLOCK_MONOTONIC, &end);
    const long ms =
        (long)(end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
    printf("%s %s (%ld ms)\n%s", good ? "ok    " : "FAILED", without_folder(path), ms, report);
    fflush(stdout);
    charm_arena_free(arena);
    return good;
}

static bool play_folder(const struct lab_scenario_options *options, const char *path)
{
    struct charm_arena *arena = charm_arena_new();
    struct charmi_words files = { 0 };
    DIR *dir = opendir(path);
    for (const struct dirent *entry = dir == NULL ? NULL : readdir(dir); entry != NULL;
         entry = readdir(dir)) {
        if (charmi_ends_with(entry->d_name, ".yaml")) {
            charmi_words_add(arena, &files,
                             charm_arena_printf(arena, "%s/%s", path, entry->d_name));
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    charmi_words_sort(&files);
    bool good = files.size > 0;
    for (size_t i = 0; i < files.size; i++) {
        good = play_file(options, files.at[i]) && good;
    }
    charm_arena_free(arena);
    return good;
}

static bool play_path(const struct lab_scenario_options *options, const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        fprintf(stderr, "lab-scenario: %s: %s\n", path, strerror(errno));
        return false;
    }
    return S_ISDIR(info.st_mode) ? play_folder(options, path) : play_file(options, path);
}

/* An absolute path, since charms run elsewhere; NULL stays NULL. */
static const char *absolute(struct charm_arena *arena, const char *path)
{
    char whole[PATH_MAX];
    return path == NULL || realpath(path, whole) == NULL ? NULL : charm_arena_copy(arena, whole);
}

/* lab-tool lies beside this program. */
static const char *find_tool(struct charm_arena *arena)
{
    char path[PATH_MAX];
    const ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (size <= 0) {
        return NULL;
    }
    path[size] = '\0';
    *strrchr(path, '/') = '\0';
    return absolute(arena, charm_arena_printf(arena, "%s/lab-tool", path));
}

int main(int argc, char **argv)
{
    struct charm_arena *arena = charm_arena_new();
    struct lab_scenario_options options = { .tool = find_tool(arena) };
    const char *charm = NULL;
    int at = 1;
    for (; at < argc && charmi_starts_with(argv[at], "--"); at++) {
        if (charmi_same(argv[at], "--verbose")) {
            options.verbose = true;
        } else if (charmi_same(argv[at], "--charm") && at + 1 < argc) {
            charm = argv[++at];
        } else if (charmi_same(argv[at], "--program") && at + 1 < argc) {
            options.program = absolute(arena, argv[++at]);
        } else {
            break;
        }
    }
    if (charm == NULL || options.tool == NULL || at == argc || charmi_starts_with(argv[at], "--")) {
        fputs(usage, stderr);
        charm_arena_free(arena);
        return MISUSED;
    }
    options.charm = absolute(arena, charm);
    if (options.charm == NULL) {
        fprintf(stderr, "lab-scenario: there is no charm in %s\n", charm);
        charm_arena_free(arena);
        return NO_CHARM;
    }
    signal(SIGPIPE, SIG_IGN);
    bool good = true;
    for (; at < argc; at++) {
        good = play_path(&options, argv[at]) && good;
    }
    charm_arena_free(arena);
    return good ? GOOD : BAD;
}
