/* lab-histories: plays random histories of the application, and says what does not hold. */
#define _GNU_SOURCE
#include "lab/history.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

enum {
    GOOD = 0,
    BAD = 1,
    MISUSED = 2,
    MOST_JOBS = 64,
    MOST_SHOWN = 3, /* failures that a job shrinks; the rest are counted */
    LARGEST_STORY = 256 * 1024 * 1024,
    LARGEST_FILE = 16 * 1024 * 1024,
};

static const char usage[] =
    "usage: lab-histories --charm DIR [--jobs N] [--whole] [--break INVARIANT] [COUNT "
    "[FIRST-SEED]]\n"
    "       lab-histories --charm DIR --story|--shrink|--scenario SEED|FILE\n"
    "       lab-histories --invariants\n"
    "\n"
    "Plays COUNT random histories (1000) from FIRST-SEED (1) on, in N processes (1), and checks "
    "every invariant.\n"
    "What fails is cut down to a short history, which is printed, and may be given back as a "
    "file:\n"
    "  --story      every step and run of one history, in words\n"
    "  --shrink     the shortest history that breaks the same invariant, as JSON\n"
    "  --scenario   the same as a file for tests/scenario, as far as that can say it\n"
    "  --break      breaks this invariant on purpose: a history that does not find out is none\n"
    "  --whole      every history from its own beginning in one process, for sanitizers\n"
    "  --invariants what is checked\n";

struct program {
    struct charm_arena *arena;
    struct lab_base base;
    const char *charm;
    const char *what; /* "--story", ...; NULL: play many */
    const char *sabotage;
    int64_t jobs;
    bool whole; /* no copies of worlds */
    const char *args[2];
    size_t arg_count;
};

/* What a job has done, where its parent sees it. */
struct job {
    pid_t pid;
    uint64_t seed; /* that is being played */
    uint64_t histories;
    uint64_t broken;
    uint64_t found; /* that broke what is broken on purpose */
    uint64_t runs;
    uint64_t points;
    uint64_t faults;
};

/* ---- one history ---- */

static void show(const struct program *program, const struct charm_value *history,
                 const struct lab_history_result *result)
{
    printf("broken: %s: %s\n%s\n%s\n", result->broken->name, result->broken->sentence,
           result->words, charm_value_render(program->arena, history, CHARM_JSON_COMPACT));
}

static void show_short(const struct program *program, uint64_t seed,
                       const struct charm_value *history)
{
    const struct lab_history_options options = { .sabotage = program->sabotage };
    struct charm_arena *arena = charm_arena_new();
    struct lab_history_result result;
    const struct charm_value *shorter =
        lab_history_shrink(arena, &program->base, history, &options);
    if (lab_history_play(arena, &program->base, shorter, &options, &result, NULL) == 0 &&
        result.broken != NULL) {
        printf("seed %llu\n", (unsigned long long)seed);
        show(program, shorter, &result);
        printf("to see it, and to keep it:\n  lab-histories --charm %s --story %llu\n"
               "  lab-histories --charm %s --scenario %llu > tests/scenario/NAME.yaml\n\n",
               program->charm, (unsigned long long)seed, program->charm, (unsigned long long)seed);
        fflush(stdout);
    }
    charm_arena_free(arena);
}

static void count_result(const struct program *program, uint64_t seed,
                         const struct charm_value *history, const struct lab_history_result *result,
                         struct job *job)
{
    job->histories++;
    job->runs += result->runs;
    job->points += result->points;
    job->faults += result->faults;
    if (result->broken == NULL) {
        return;
    }
    if (charmi_same(result->broken->name, program->sabotage)) {
        job->found++;
    } else if (job->broken++ < MOST_SHOWN) {
        show_short(program, seed, history);
    }
}

static void go_on(const struct program *program, struct lab_world *world, uint64_t seed,
                  struct job *job)
{
    struct charm_arena *arena = charm_arena_new();
    struct lab_history_result result = { 0 };
    const struct charm_value *history = lab_history_draw(arena, seed);
    job->seed = seed;
    lab_history_go_on(arena, world, history, &result);
    count_result(program, seed, history, &result, job);
    charm_arena_free(arena);
}

static struct lab_world *open_world(const struct program *program, uint64_t seed)
{
    const struct lab_history_options options = { .sabotage = program->sabotage };
    struct charm_error error = { 0 };
    struct lab_world *world =
        lab_history_open(&program->base, lab_history_draw(program->arena, seed), &options, &error);
    if (world == NULL) {
        fprintf(stderr, "lab-histories: %s\n", error.text);
        exit(MISUSED);
    }
    return world;
}

/* ---- many ---- */

/* One that crashes is a failure of its history. */
static void wait_for_history(pid_t pid, struct job *job)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != GOOD) {
        printf("seed %llu: the process died (%s %d)\n", (unsigned long long)job->seed,
               WIFSIGNALED(status) ? "signal" : "exit",
               WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        fflush(stdout);
        job->histories++;
        job->broken++;
    }
}

/* Histories of one beginning, each in a copy of that world. */
static void play_block(const struct program *program, uint64_t first, uint64_t end, struct job *job)
{
    struct lab_world *world = open_world(program, first);
    for (uint64_t seed = first; seed < end; seed++) {
        const pid_t pid = fork();
        if (pid < 0) {
            perror("lab-histories: fork");
            exit(MISUSED);
        }
        if (pid == 0) {
            go_on(program, world, seed, job);
            _exit(GOOD);
        }
        wait_for_history(pid, job);
    }
    lab_history_close(world);
}

/* Each in a world of its own, and all in this process: what sanitizers can look at to the end. */
static void play_whole(const struct program *program, uint64_t first, uint64_t end, struct job *job)
{
    for (uint64_t seed = first; seed < end; seed++) {
        struct lab_world *world = open_world(program, seed);
        go_on(program, world, seed, job);
        lab_history_close(world);
    }
}

/* Every `jobs`th block of seeds. */
static void run_job(const struct program *program, struct job *job, uint64_t number, uint64_t first,
                    uint64_t end)
{
    uint64_t block = first / LAB_HISTORIES_A_BEGINNING + number;
    for (; block * LAB_HISTORIES_A_BEGINNING < end; block += (uint64_t)program->jobs) {
        const uint64_t low = block * LAB_HISTORIES_A_BEGINNING;
        const uint64_t high = low + LAB_HISTORIES_A_BEGINNING;
        (program->whole ? play_whole : play_block)(program, low < first ? first : low,
                                                   high > end ? end : high, job);
    }
}

static bool fork_jobs(const struct program *program, struct job *jobs, uint64_t first, uint64_t end)
{
    bool alive = true;
    for (int64_t i = 0; i < program->jobs; i++) {
        jobs[i].pid = fork();
        if (jobs[i].pid == 0) {
            run_job(program, &jobs[i], (uint64_t)i, first, end);
            fflush(stdout);
            _exit(GOOD);
        }
    }
    for (int64_t i = 0; i < program->jobs; i++) {
        int status = 0;
        while (waitpid(jobs[i].pid, &status, 0) < 0 && errno == EINTR) {
        }
        alive = alive && WIFEXITED(status) && WEXITSTATUS(status) == GOOD;
    }
    return alive;
}

static double seconds_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static struct job sum_of(const struct job *jobs, int64_t count)
{
    struct job sum = { 0 };
    for (int64_t i = 0; i < count; i++) {
        sum.histories += jobs[i].histories;
        sum.broken += jobs[i].broken;
        sum.found += jobs[i].found;
        sum.runs += jobs[i].runs;
        sum.points += jobs[i].points;
        sum.faults += jobs[i].faults;
    }
    return sum;
}

static int report(const struct program *program, const struct job *sum, bool alive, double seconds)
{
    printf(
        "%llu histories, %llu runs, %llu points, %llu faults in %.1f s: %.0f histories a second, "
        "%.0f runs a second\n",
        (unsigned long long)sum->histories, (unsigned long long)sum->runs,
        (unsigned long long)sum->points, (unsigned long long)sum->faults, seconds,
        (double)sum->histories / seconds, (double)sum->runs / seconds);
    if (program->sabotage != NULL) {
        printf("%s was broken on purpose and found out in %llu of them\n", program->sabotage,
               (unsigned long long)sum->found);
    }
    if (sum->broken > 0) {
        printf("%llu histories broke an invariant\n", (unsigned long long)sum->broken);
    }
    const bool good = program->sabotage != NULL ? sum->found > 0 : sum->broken == 0;
    return alive && good ? GOOD : BAD;
}

static int play_many(const struct program *program)
{
    int64_t count = 1000;
    int64_t first = 1;
    if ((program->arg_count > 0 && !charmi_parse_int(program->args[0], 1, INT32_MAX, &count)) ||
        (program->arg_count > 1 && !charmi_parse_int(program->args[1], 0, INT64_MAX / 2, &first))) {
        fputs(usage, stderr);
        return MISUSED;
    }
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    struct job *jobs = mmap(NULL, MOST_JOBS * sizeof(*jobs), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (jobs == MAP_FAILED) {
        perror("lab-histories: take memory");
        return MISUSED;
    }
    fflush(stdout);
    bool alive = true;
    if (program->jobs == 1) {
        run_job(program, &jobs[0], 0, (uint64_t)first, (uint64_t)(first + count));
    } else {
        alive = fork_jobs(program, jobs, (uint64_t)first, (uint64_t)(first + count));
    }
    const struct job sum = sum_of(jobs, program->jobs);
    munmap(jobs, MOST_JOBS * sizeof(*jobs));
    return report(program, &sum, alive, seconds_since(&start));
}

/* ---- one, closely ---- */

static const struct charm_value *read_history(const struct program *program)
{
    const char *name = program->args[0];
    int64_t seed;
    const char *text = NULL;
    size_t size = 0;
    struct charm_value *history = NULL;
    struct charm_error error = { 0 };
    const struct charm_ports *real = lab_base_reading();
    if (charmi_parse_int(name, 0, INT64_MAX / 2, &seed)) {
        return lab_history_draw(program->arena, (uint64_t)seed);
    }
    int code =
        real->file_read(real->userdata, program->arena, name, LARGEST_FILE, &text, &size, &error);
    if (code == 0) {
        code = charm_value_parse(program->arena, text, size, &history, &error);
    }
    if (code != 0) {
        fprintf(stderr, "lab-histories: %s\n", error.text);
        exit(MISUSED);
    }
    return history;
}

static int tell_story(const struct program *program, const struct charm_value *history)
{
    struct charmi_buf story = charmi_buf_init(LARGEST_STORY);
    const struct lab_history_options options = { .sabotage = program->sabotage, .story = &story };
    struct lab_history_result result;
    struct charm_error error = { 0 };
    const int code =
        lab_history_play(program->arena, &program->base, history, &options, &result, &error);
    fputs(charmi_buf_text(&story), stdout);
    charmi_buf_release(&story);
    if (code != 0) {
        fprintf(stderr, "lab-histories: %s\n", error.text);
        return MISUSED;
    }
    if (result.broken != NULL) {
        show(program, history, &result);
        return BAD;
    }
    printf("all invariants hold\n");
    return GOOD;
}

static int look_closely(const struct program *program)
{
    const struct charm_value *history = read_history(program);
    const struct lab_history_options options = { .sabotage = program->sabotage };
    if (charmi_same(program->what, "--story")) {
        return tell_story(program, history);
    }
    const struct charm_value *shorter =
        lab_history_shrink(program->arena, &program->base, history, &options);
    puts(charmi_same(program->what, "--shrink")
             ? charm_value_render(program->arena, shorter, CHARM_JSON_PRETTY)
             : lab_history_scenario(program->arena, &program->base, shorter));
    return GOOD;
}

static int list_invariants(void)
{
    for (const struct lab_invariant *const *one = lab_history_invariants(); *one != NULL; one++) {
        printf("%-20s %s\n", (*one)->name, (*one)->sentence);
    }
    return GOOD;
}

/* ---- the command line ---- */

static bool take_option(struct program *program, const char *name, const char *value)
{
    if (charmi_same(name, "--charm")) {
        program->charm = value;
        return value != NULL;
    }
    if (charmi_same(name, "--break")) {
        program->sabotage = value;
        return value != NULL;
    }
    return charmi_same(name, "--jobs") && value != NULL &&
           charmi_parse_int(value, 1, MOST_JOBS, &program->jobs);
}

static bool read_arguments(struct program *program, int argc, char **argv)
{
    static const char *const closely[] = { "--story", "--shrink", "--scenario", "--invariants",
                                           NULL };
    for (int i = 1; i < argc; i++) {
        if (charmi_same(argv[i], "--whole")) {
            program->whole = true;
        } else if (charmi_in(closely, argv[i])) {
            program->what = argv[i];
        } else if (charmi_starts_with(argv[i], "--")) {
            if (!take_option(program, argv[i], argv[i + 1])) {
                return false;
            }
            i++;
        } else if (program->arg_count < 2) {
            program->args[program->arg_count++] = argv[i];
        } else {
            return false;
        }
    }
    const bool one = program->what != NULL && program->arg_count == 1;
    return charmi_same(program->what, "--invariants") ||
           (program->charm != NULL && (program->what == NULL || one));
}

static int run(struct program *program)
{
    struct charm_error error = { 0 };
    if (charmi_same(program->what, "--invariants")) {
        return list_invariants();
    }
    if (lab_base_load(program->arena, program->charm, &program->base, &error) != 0) {
        fprintf(stderr, "lab-histories: %s\n", error.text);
        return MISUSED;
    }
    return program->what == NULL ? play_many(program) : look_closely(program);
}

int main(int argc, char **argv)
{
    struct program program = { .arena = charm_arena_new(), .jobs = 1 };
    int code = MISUSED;
    if (read_arguments(&program, argc, argv)) {
        code = run(&program);
    } else {
        fputs(usage, stderr);
    }
    charm_arena_free(program.arena);
    return code;
}
