/* lab-scenario: plays scenario files and prints what in them does not hold, or differs between the skins. */
#define _GNU_SOURCE
#include "lab/scenario.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/memory.h"
#include "lab/program.h"

enum exit_status { GOOD = 0, BAD = 1, MISUSED = 2, NO_CHARM = 77 /* ctest's "skipped" */ };

static const char usage[] =
    "usage: lab-scenario --charm DIR [--skin SKIN] [--program PROGRAM] [--verbose] FILE|DIR...\n"
    "\n"
    "Plays scenario files (given, when, then, never) with a charm on the lab's Juju.\n"
    "  --charm DIR        the charm: its metadata.yaml, config.yaml, actions.yaml, and its "
    "dispatch\n"
    "  --program PROGRAM  what dispatch is, when DIR has none\n"
    "  --skin SKIN        process: the real program, with real hook tools (what there is without "
    "this option);\n"
    "                     in-process: the base charm's layers, as functions in this process;\n"
    "                     both: one after the other, and their effects must be the same\n"
    "  --verbose          print every run, also when all is well\n"
    "The format: tests/scenario/README.md.\n";

/* All the files together. */
struct tally {
    size_t files;
    size_t failed;
    size_t process_alone; /* files that the other skin cannot play */
};

static const char *without_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static void play_file(const struct lab_scenario_options *options, const char *path,
                      struct tally *tally)
{
    struct charm_arena *arena = charm_arena_new();
    struct lab_scenario_result result;
    struct timespec start;
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    lab_scenario_play(arena, options, path, &result);
    clock_gettime(CLOCK_MONOTONIC, &end);
    const long ms =
        (long)(end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
    printf("%s %s (%ld ms)%s%s\n%s", result.good ? "ok    " : "FAILED", without_folder(path), ms,
           result.needs_process == NULL ? "" : " not in one process: ",
           result.needs_process == NULL ? "" : result.needs_process, result.report);
    fflush(stdout);
    tally->files++;
    tally->failed += result.good ? 0 : 1;
    tally->process_alone += result.needs_process == NULL ? 0 : 1;
    charm_arena_free(arena);
}

static void play_folder(const struct lab_scenario_options *options, const char *path,
                        struct tally *tally)
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
    for (size_t i = 0; i < files.size; i++) {
        play_file(options, files.at[i], tally);
    }
    charm_arena_free(arena);
}

static bool play_path(const struct lab_scenario_options *options, const char *path,
                      struct tally *tally)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        fprintf(stderr, "lab-scenario: %s: %s\n", path, strerror(errno));
        return false;
    }
    if (S_ISDIR(info.st_mode)) {
        play_folder(options, path, tally);
    } else {
        play_file(options, path, tally);
    }
    return true;
}

/* Nothing played is nothing shown. */
static bool report(const struct lab_scenario_options *options, const struct tally *tally)
{
    static const char *const words[] = {
        [LAB_SKIN_PROCESS] = "as processes",
        [LAB_SKIN_INSIDE] = "in one process",
        [LAB_SKIN_BOTH] = "in both skins",
    };
    const size_t alone = options->skin == LAB_SKIN_PROCESS ? 0 : tally->process_alone;
    const size_t played = tally->files - alone;
    if (tally->files != 1) {
        printf("%zu files: %zu %s, %zu of them failed; %zu need a process\n", tally->files, played,
               words[options->skin], tally->failed, alone);
    }
    return tally->failed == 0 && tally->files > 0;
}

static bool read_skin(const char *word, enum lab_scenario_skin *ret_skin)
{
    static const char *const words[] = {
        [LAB_SKIN_PROCESS] = "process", [LAB_SKIN_INSIDE] = "in-process", [LAB_SKIN_BOTH] = "both"
    };
    for (size_t i = 0; i < CHARMI_COUNT(words); i++) {
        if (charmi_same(words[i], word)) {
            *ret_skin = (enum lab_scenario_skin)i;
            return true;
        }
    }
    return false;
}

/* Options into `options`; returns the index of the first file, 0 if they make no sense. */
static int read_options(struct charm_arena *arena, int argc, char **argv,
                        struct lab_scenario_options *options, const char **ret_charm)
{
    int at = 1;
    for (; at < argc && charmi_starts_with(argv[at], "--"); at++) {
        const char *value = at + 1 < argc ? argv[at + 1] : NULL;
        if (charmi_same(argv[at], "--verbose")) {
            options->verbose = true;
        } else if (value != NULL && charmi_same(argv[at], "--charm")) {
            *ret_charm = argv[++at];
        } else if (value != NULL && charmi_same(argv[at], "--program")) {
            options->program = lab_path_whole(arena, argv[++at]);
        } else if (value != NULL && charmi_same(argv[at], "--skin") &&
                   read_skin(value, &options->skin)) {
            at++;
        } else {
            return 0;
        }
    }
    return *ret_charm == NULL || at == argc ? 0 : at;
}

static int load_charm(struct charm_arena *arena, const char *charm,
                      struct lab_scenario_options *options)
{
    struct charm_error error = { 0 };
    options->charm = lab_path_whole(arena, charm);
    if (options->charm == NULL) {
        fprintf(stderr, "lab-scenario: there is no charm in %s\n", charm);
        return NO_CHARM;
    }
    if (lab_base_load(arena, options->charm, &options->base, &error) != 0) {
        fprintf(stderr, "lab-scenario: %s\n", error.text);
        return MISUSED;
    }
    return GOOD;
}

static int play_paths(const struct lab_scenario_options *options, char **paths)
{
    struct tally tally = { 0 };
    bool good = true;
    for (; *paths != NULL; paths++) {
        good = play_path(options, *paths, &tally) && good;
    }
    return report(options, &tally) && good ? GOOD : BAD;
}

int main(int argc, char **argv)
{
    struct charm_arena *arena = charm_arena_new();
    struct lab_scenario_options options = { .tool = lab_program_beside(arena, "lab-tool") };
    const char *charm = NULL;
    const int first = read_options(arena, argc, argv, &options, &charm);
    int status = MISUSED;
    if (first == 0 || options.tool == NULL) {
        fputs(usage, stderr);
    } else {
        status = load_charm(arena, charm, &options);
    }
    if (status == GOOD) {
        signal(SIGPIPE, SIG_IGN);
        status = play_paths(&options, argv + first);
    }
    charm_arena_free(arena);
    return status;
}
