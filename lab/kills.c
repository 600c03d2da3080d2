/*
 * lab-kills: one life of a charm, again for every point at which its process can be killed, and for every commit that can
 * be refused. Each must come to the same end as the undisturbed one.
 *
 * A life is a scenario file of which `given`, the steps of `when` and of `next`, and the last `then` are used. The real
 * program runs under lab-killer (killer.h says what a point is). Juju runs a killed hook again, and a failed one when it
 * is told to; a killed action has failed, and nobody repeats it.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "lab/effects.h"
#include "lab/killer.h"
#include "lab/program.h"
#include "lab/scenario.h"

enum { GOOD = 0, BAD = 1, MISUSED = 2, MOST_POINTS = 8192, MOST_JOBS = 16, MOST_KINDS = 16 };
enum { MOST_RESOLVED = 5, QUIET_RUNS = 3, LONGEST_LINE = 256, LARGEST_TEXT = 16 * 1024 * 1024 };

static const char usage[] =
    "usage: lab-kills --charm DIR --program PROGRAM [--every N] [--lane k] [--point POINT]\n"
    "                 [--kafka HOST:PORT] [--jobs N] LIFE.yaml\n"
    "\n"
    "Plays a life of the charm, killed once at each point, and compares how it ends.\n"
    "  --every N          only every Nth point\n"
    "  --lane k           only the points of the program's other threads, which are librdkafka's\n"
    "  --point POINT      only this one, as a failure prints it: \"7 m 12 tool before\"\n"
    "  --kafka HOST:PORT  a real Kafka in place of librdkafka's mock\n"
    "  --jobs N           so many lives at a time (2)\n";

/* Where one life is struck. */
struct point {
    long run; /* from 1; 0: nowhere */
    char lane;
    long number;
    const char *kind; /* tool, rest, kafka, file, end, commit */
    const char *when; /* before, after; refused, state-only */
};

struct task {
    struct lab_scenario_options scenario;
    const char *program;
    const char *killer;
    const char *path;
    long every;
    char lane; /* 0: both */
    long jobs;
    const char *only; /* NULL: all */
};

/* How a life went. */
struct outcome {
    bool reached;
    const char *problems; /* "" if none */
    const struct charm_value *effects;
    size_t runs;
    size_t point_count;
    struct point *points; /* that it came by; only of the undisturbed life */
};

/* ---- the folder of lab-killer ---- */

static const char *path_in(struct charm_arena *arena, const char *folder, const char *name)
{
    return charm_arena_printf(arena, "%s/%s", folder, name);
}

static bool write_plan(struct charm_arena *arena, const struct task *task, const char *folder,
                       const struct point *point)
{
    FILE *file = fopen(path_in(arena, folder, LAB_KILLER_PLAN), "we");
    if (file == NULL) {
        return false;
    }
    const bool kills = strcmp(point->kind, "commit") != 0;
    fprintf(file, "%s\n%ld %c %ld\n", task->program, kills ? point->run : 0L,
            point->lane == 0 ? 'm' : point->lane, point->number);
    return fclose(file) == 0 && symlink(task->killer, path_in(arena, folder, "dispatch")) == 0;
}

/* "RUN LANE NUMBER KIND WHEN" */
static bool read_point(struct charm_arena *arena, const char *line, struct point *ret_point)
{
    const struct charmi_words words = charmi_split(arena, line, " \n");
    int64_t run = 0;
    int64_t number = 0;
    if (words.size != 5 || !charmi_parse_int(words.at[0], 1, INT32_MAX, &run) ||
        !charmi_parse_int(words.at[2], 0, INT32_MAX, &number)) {
        return false;
    }
    *ret_point = (struct point){ .run = (long)run,
                                 .lane = words.at[1][0],
                                 .number = (long)number,
                                 .kind = words.at[3],
                                 .when = words.at[4] };
    return true;
}

static void read_points(struct charm_arena *arena, const char *folder, struct outcome *outcome)
{
    FILE *file = fopen(path_in(arena, folder, LAB_KILLER_POINTS), "re");
    char line[LONGEST_LINE];
    outcome->points = charm_arena_array(arena, MOST_POINTS, sizeof(*outcome->points));
    while (file != NULL && outcome->point_count < MOST_POINTS &&
           fgets(line, sizeof(line), file) != NULL) {
        outcome->point_count +=
            read_point(arena, line, &outcome->points[outcome->point_count]) ? 1 : 0;
    }
    if (file != NULL) {
        fclose(file);
    }
}

static void remove_folder(struct charm_arena *arena, const char *folder)
{
    static const char *const names[] = { LAB_KILLER_PLAN,   LAB_KILLER_RUNS, LAB_KILLER_POINTS,
                                         LAB_KILLER_STRUCK, "dispatch",      NULL };
    for (const char *const *name = names; *name != NULL; name++) {
        CHARMI_IGNORE(unlink(path_in(arena, folder, *name)), "not all of them are there");
    }
    CHARMI_IGNORE(rmdir(folder), "a temporary folder");
}

/* ---- one life ---- */

static struct charm_value *one_step(struct charm_arena *arena, const char *word)
{
    struct charm_value *steps = charm_value_new_list(arena);
    charm_value_append_text(steps, word);
    return steps;
}

/* A step, and whatever a person does when a hook is in error. */
static int take_step(struct lab_scene *scene, const struct charm_value *steps,
                     struct charm_error *reterr)
{
    int code = lab_scene_when(scene, steps, reterr);
    for (int i = 0; code == 0 && scene->unit->failure != NULL && i < MOST_RESOLVED; i++) {
        code = lab_scene_when(scene, one_step(scene->arena, "resolved"), reterr);
    }
    return code;
}

static int take_steps(struct lab_scene *scene, const struct charm_value *act,
                      struct charm_error *reterr)
{
    const struct charm_value *steps = charm_value_get(act, "when");
    int code = 0;
    for (size_t i = 0; code == 0 && i < charm_value_size(steps); i++) {
        struct charm_value *single = charm_value_new_list(scene->arena);
        charm_value_append(single, charm_value_at(steps, i));
        code = take_step(scene, single, reterr);
    }
    return code;
}

static int live(struct lab_scene *scene, struct charm_error *reterr)
{
    const struct charm_value *last = scene->file;
    const struct charm_value *next = charm_value_get(scene->file, "next");
    int code = lab_scene_given(scene, reterr);
    code = code != 0 ? code : take_steps(scene, scene->file, reterr);
    for (size_t i = 0; code == 0 && i < charm_value_size(next); i++) {
        last = charm_value_at(next, i);
        code = take_steps(scene, last, reterr);
    }
    for (int i = 0; code == 0 && i < QUIET_RUNS; i++) {
        code = take_step(scene, one_step(scene->arena, "update-status"), reterr);
    }
    if (code == 0) {
        scene->runs = charm_value_new_list(scene->arena); /* that one of them died was the wish */
        lab_scene_then(scene, charm_value_get(last, "then"));
        lab_scene_never(scene, charm_value_get(scene->file, "never"));
        lab_scene_note_end(scene);
    }
    return code;
}

/* Where Kafka and the worker listen is another place in each life. A number inside a longer one is not it. */
static const char *with_name(struct charm_arena *arena, const char *text, const char *value,
                             const char *name)
{
    struct charmi_buf buf = charmi_buf_init(LARGEST_TEXT);
    const size_t size = strlen(value);
    static const char digits[] = "0123456789abcdef";
    for (const char *at = text; *at != '\0';) {
        const bool whole = charmi_starts_with(at, value) &&
                           (at == text || strchr(digits, at[-1]) == NULL) &&
                           (at[size] == '\0' || strchr(digits, at[size]) == NULL);
        if (whole) {
            charmi_buf_add(&buf, name);
            at += size;
        } else {
            charmi_buf_add_char(&buf, *at++);
        }
    }
    return charmi_buf_into(&buf, arena);
}

static const struct charm_value *named_effects(const struct lab_scene *scene)
{
    struct charm_arena *arena = scene->arena;
    struct charm_value *named = charm_value_new_list(arena);
    const char *kafka = charm_arena_printf(arena, "%d", lab_mock_kafka_port(scene->kafka));
    const char *rest = charm_arena_printf(arena, "%d", lab_rest_port(scene->rest));
    for (size_t i = 0; i < charm_value_size(scene->effects); i++) {
        const char *text = charm_text(charm_value_at(scene->effects, i));
        text = with_name(arena, text, kafka, "KAFKA-PORT");
        text = with_name(arena, text, rest, "REST-PORT");
        text = with_name(arena, text, lab_rest_host(scene->rest), "REST-HOST");
        text = with_name(arena, text, scene->model->options.name, "MODEL");
        charm_value_append_text(named, text);
    }
    return named;
}

/* Topics on a real Kafka outlive a life, so each has a model of its own. */
static struct charm_value *with_own_model(struct charm_arena *arena, const struct task *task,
                                          const struct charm_value *file, const char *folder)
{
    struct charm_value *own = charm_value_copy(arena, file);
    if (task->scenario.kafka != NULL) {
        struct charm_value *given = charm_value_copy(arena, charm_value_get(file, "given"));
        char *model = charm_arena_copy(arena, strrchr(folder, '-') + 1);
        for (char *at = model; *at != '\0'; at++) {
            *at = (char)tolower((unsigned char)*at);
        }
        charm_value_set_text(given, "model", model);
        charm_value_set(own, "given", given);
    }
    return own;
}

static struct outcome play(struct charm_arena *arena, const struct task *task,
                           const struct charm_value *file, const struct point *point)
{
    const char *base = getenv("TMPDIR");
    char *folder = charm_arena_printf(arena, "%s/kills-XXXXXX", base == NULL ? "/tmp" : base);
    struct outcome outcome = { .problems = "" };
    if (mkdtemp(folder) == NULL || !write_plan(arena, task, folder, point)) {
        outcome.problems = charm_arena_printf(arena, "make %s: %s\n", folder, strerror(errno));
        return outcome;
    }
    struct lab_scenario_options options = task->scenario;
    options.program = path_in(arena, folder, "dispatch");
    struct lab_scene scene;
    struct charm_error error = { 0 };
    int code =
        lab_scene_begin(&scene, arena, &options, with_own_model(arena, task, file, folder), &error);
    scene.refuse_commit_of = strcmp(point->when, "refused") == 0 ? (size_t)point->run : 0;
    scene.state_only_of = strcmp(point->when, "state-only") == 0 ? (size_t)point->run : 0;
    code = code != 0 ? code : live(&scene, &error);
    if (code != 0) {
        lab_scene_problem(&scene, "%s", error.text);
    } else {
        outcome.effects = named_effects(&scene);
    }
    outcome.problems = charm_arena_copy(arena, charmi_buf_text(&scene.problems));
    outcome.runs = scene.run_count;
    outcome.reached = strcmp(point->kind, "commit") == 0 ||
                      access(path_in(arena, folder, LAB_KILLER_STRUCK), F_OK) == 0;
    if (point->run == 0) {
        read_points(arena, folder, &outcome);
    }
    lab_scene_end(&scene);
    remove_folder(arena, folder);
    return outcome;
}

/* ---- the matrix ---- */

/* A line for the parent: "INDEX VERDICT", and after a failure what differed, ended by a lone dot. */
static void play_points(const struct task *task, const struct charm_value *file,
                        const struct outcome *calm, const struct point *points, size_t count,
                        size_t first, FILE *results)
{
    for (size_t i = first; i < count; i += (size_t)task->jobs) {
        struct charm_arena *arena = charm_arena_new();
        const struct outcome struck = play(arena, task, file, &points[i]);
        const char *differences =
            struck.effects == NULL ? "" : lab_effects_compare(arena, calm->effects, struck.effects);
        const bool same = struck.problems[0] == '\0' && differences[0] == '\0';
        fprintf(results, "%zu %s\n", i,
                !same            ? "failed"
                : struck.reached ? "survived"
                                 : "not-reached");
        if (!same) {
            fprintf(results, "%s%s.\n", struck.problems, differences);
        }
        fflush(results);
        charm_arena_free(arena);
    }
}

struct row {
    const char *kind;
    const char *when;
    size_t there;
    size_t survived;
    size_t missed;
    size_t failed;
};

static struct row *row_of(struct row *rows, const struct point *point)
{
    struct row *row = rows;
    while (row->kind != NULL &&
           (strcmp(row->kind, point->kind) != 0 || strcmp(row->when, point->when) != 0)) {
        row++;
    }
    row->kind = point->kind;
    row->when = point->when;
    return row;
}

static void collect(FILE *results, const struct point *points, struct row *rows)
{
    char line[4096];
    while (fgets(line, sizeof(line), results) != NULL) {
        char *word = NULL;
        const struct point *point = &points[strtoul(line, &word, 10)];
        struct row *row = row_of(rows, point);
        if (strcmp(word, " survived\n") == 0) {
            row->survived++;
        } else if (strcmp(word, " not-reached\n") == 0) {
            row->missed++;
        } else {
            row->failed++;
            printf("FAILED: --point \"%ld %c %ld %s %s\"\n", point->run, point->lane, point->number,
                   point->kind, point->when);
            while (fgets(line, sizeof(line), results) != NULL && strcmp(line, ".\n") != 0) {
                printf("  %s", line);
            }
        }
    }
}

static void play_in_parallel(const struct task *task, const struct charm_value *file,
                             const struct outcome *calm, const struct point *points, size_t count,
                             struct row *rows)
{
    FILE *pipes[MOST_JOBS] = { NULL };
    fflush(stdout);
    for (long job = 0; job < task->jobs; job++) {
        int ends[2];
        if (pipe(ends) != 0) {
            continue;
        }
        if (fork() == 0) {
            FILE *results = fdopen(ends[1], "w");
            close(ends[0]);
            play_points(task, file, calm, points, count, (size_t)job, results);
            fclose(results);
            _exit(0);
        }
        close(ends[1]);
        pipes[job] = fdopen(ends[0], "r");
    }
    for (long job = 0; job < task->jobs; job++) {
        if (pipes[job] != NULL) {
            collect(pipes[job], points, rows);
            fclose(pipes[job]);
        }
    }
    while (wait(NULL) > 0 || errno == EINTR) {
    }
}

static bool print_table(const struct row *rows, size_t count)
{
    size_t played = 0;
    size_t bad = 0;
    size_t missed = 0;
    printf("%-8s %-10s %7s %9s %12s %7s\n", "killed", "", "points", "survived", "not reached",
           "failed");
    for (const struct row *row = rows; row->kind != NULL; row++) {
        const size_t all = row->survived + row->missed + row->failed;
        printf("%-8s %-10s %7zu %9zu %12zu %7zu\n", row->kind, row->when, all, row->survived,
               row->missed, row->failed);
        played += all;
        bad += row->failed;
        missed += row->missed;
    }
    printf("%zu points, %zu survived, %zu were not reached, %zu failed\n", played,
           played - bad - missed, missed, bad);
    return bad == 0 && played == count && played > missed;
}

/* Of the points that the calm life came by, and two refusals a run, those that are wanted. */
static size_t choose(const struct task *task, const struct outcome *calm, struct point *ret_points)
{
    size_t count = 0;
    size_t seen = 0;
    for (size_t i = 0; i < calm->point_count; i++) {
        const struct point *point = &calm->points[i];
        if ((task->lane == 0 || task->lane == point->lane) && seen++ % (size_t)task->every == 0) {
            ret_points[count++] = *point;
        }
    }
    for (size_t i = 0; task->lane == 0 && i < calm->runs * 2; i++) {
        if (i % (size_t)task->every == 0) {
            ret_points[count++] = (struct point){ .run = (long)(i / 2) + 1,
                                                  .lane = 'm',
                                                  .kind = "commit",
                                                  .when = i % 2 == 0 ? "refused" : "state-only" };
        }
    }
    return count;
}

static int play_matrix(const struct task *task, const struct charm_value *file)
{
    struct charm_arena *arena = charm_arena_new();
    const struct point nowhere = { .kind = "none", .when = "never" };
    const struct outcome calm = play(arena, task, file, &nowhere);
    if (calm.problems[0] != '\0' || calm.point_count == 0) {
        printf("the undisturbed life failed:\n%s", calm.problems);
        charm_arena_free(arena);
        return BAD;
    }
    struct point *points = charm_arena_array(arena, MOST_POINTS + calm.runs * 2, sizeof(*points));
    size_t count = 1;
    if (task->only == NULL) {
        count = choose(task, &calm, points);
    } else if (!read_point(arena, task->only, &points[0])) {
        printf("'%s' is no point\n", task->only);
        count = 0;
    }
    struct row rows[MOST_KINDS] = { 0 };
    printf("%zu runs, %zu points, of which %zu are played\n", calm.runs, calm.point_count, count);
    play_in_parallel(task, file, &calm, points, count, rows);
    const bool good = print_table(rows, count);
    charm_arena_free(arena);
    return good ? GOOD : BAD;
}

/* ---- the program ---- */

static bool read_option(struct charm_arena *arena, struct task *task, const char *name,
                        const char *value)
{
    if (charmi_same(name, "--charm")) {
        task->scenario.charm = lab_path_whole(arena, value);
    } else if (charmi_same(name, "--program")) {
        task->program = lab_path_whole(arena, value);
    } else if (charmi_same(name, "--kafka")) {
        task->scenario.kafka = value;
    } else if (charmi_same(name, "--point")) {
        task->only = value;
    } else if (charmi_same(name, "--lane")) {
        task->lane = value[0];
    } else if (charmi_same(name, "--every")) {
        task->every = strtol(value, NULL, 10);
    } else if (charmi_same(name, "--jobs")) {
        task->jobs = strtol(value, NULL, 10);
    } else {
        return false;
    }
    return true;
}

static bool read_options(struct charm_arena *arena, int argc, char **argv, struct task *task)
{
    int at = 1;
    for (; at + 1 < argc && charmi_starts_with(argv[at], "--"); at += 2) {
        if (!read_option(arena, task, argv[at], argv[at + 1])) {
            return false;
        }
    }
    task->path = at + 1 == argc ? argv[at] : NULL;
    return task->path != NULL && task->scenario.charm != NULL && task->program != NULL &&
           task->every > 0 && task->jobs > 0 && task->jobs <= MOST_JOBS;
}

int main(int argc, char **argv)
{
    struct charm_arena *arena = charm_arena_new();
    struct task task = { .every = 1, .jobs = 2 };
    struct charm_value *file = NULL;
    struct charm_error error = { 0 };
    int status = MISUSED;
    task.killer = lab_program_beside(arena, "lab-killer");
    task.scenario.tool = lab_program_beside(arena, "lab-tool");
    if (!read_options(arena, argc, argv, &task)) {
        fputs(usage, stderr);
    } else if (lab_base_load(arena, task.scenario.charm, &task.scenario.base, &error) != 0 ||
               lab_scenario_read(arena, task.path, &file, &error) != 0 ||
               lab_scenario_check(file, &error) != 0) {
        fprintf(stderr, "lab-kills: %s\n", error.text);
    } else {
        signal(SIGPIPE, SIG_IGN);
        status = play_matrix(&task, file);
    }
    charm_arena_free(arena);
    return status;
}
