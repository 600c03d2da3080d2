/* What only looks: debug-log, show-unit, wait-for. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "lab/command.h"
#include "lab/yaml.h"

/* ---- debug-log ---- */

static void print_lines(const struct lab_args *args, const struct charm_value *lines)
{
    const bool colour = lab_wants_colour(args);
    for (size_t i = 0; i < charm_value_size(lines); i++) {
        const struct charm_value *line = charm_value_at(lines, i);
        const char *level = charm_text(charm_value_get(line, "level"));
        const char *code = !colour                         ? ""
                           : charmi_same(level, "ERROR")   ? "\033[31m"
                           : charmi_same(level, "WARNING") ? "\033[33m"
                           : charmi_same(level, "DEBUG")   ? "\033[90m"
                                                           : "";
        printf("%s%s%s\n", code, charm_text(charm_value_get(line, "text")),
               code[0] == '\0' ? "" : "\033[0m");
    }
    fflush(stdout);
}

static int debug_log(struct lab_args *args)
{
    struct charm_value *request = lab_new_request(args, "log");
    const char *lines = lab_option(args, lab_option(args, "n") != NULL ? "n" : "lines");
    const bool follow = lab_option(args, "f") != NULL || lab_option(args, "tail") != NULL;
    int64_t number = 50;
    if (lines != NULL && !charmi_parse_int(lines, 0, INT32_MAX, &number)) {
        return lab_complain(2, "-n: \"%s\" is not a number of lines", lines);
    }
    charm_value_set_int(request, "lines", lab_option(args, "replay") != NULL ? INT32_MAX : number);
    if (lab_option(args, "unit") != NULL) {
        charm_value_set_text(request, "unit", lab_option(args, "unit"));
    }
    charm_value_set_text(request, "level",
                         lab_option(args, "level") == NULL ? "DEBUG" : lab_option(args, "level"));
    do {
        const struct charm_value *answer = lab_ask(args, request);
        if (answer == NULL) {
            return 1;
        }
        print_lines(args, charm_value_get(answer, "lines"));
        charm_value_set_int(request, "from", charm_value_int(charm_value_get(answer, "next"), 0));
        charm_value_set_int(request, "lines", INT32_MAX);
        lab_pause_ms(follow ? 200 : 0);
    } while (follow);
    return 0;
}

/* ---- show-unit ---- */

static int show_unit(struct lab_args *args)
{
    struct charm_value *request = lab_new_request(args, "show-unit");
    charm_value_set_text(request, "unit", args->words.at[0]);
    const struct charm_value *answer = lab_ask(args, request);
    if (answer == NULL) {
        return 1;
    }
    const struct charm_value *unit = charm_value_get(answer, "unit");
    if (lab_format_is(args, "json")) {
        puts(charm_value_render(args->arena, unit, CHARM_JSON_SORTED));
    } else {
        fputs(lab_yaml_render(args->arena, unit), stdout);
    }
    return 0;
}

/* ---- wait-for ---- */

enum { SETTLED_MS = 300, LOOK_EVERY_MS = 100 };

/* What is waited for, as `lab status` shows it: an application's entry, or a unit's. NULL: not there. */
static const struct charm_value *find_target(const struct charm_value *status, const char *name)
{
    CHARM_EACH(charm_value_get(status, "applications"), it)
    {
        if (charmi_same(it.key, name)) {
            return it.value;
        }
        const struct charm_value *unit = charm_value_path(it.value, "units", name, NULL);
        if (unit != NULL) {
            return unit;
        }
    }
    return NULL;
}

static const struct charm_value *shown_status(const struct charm_value *target)
{
    const struct charm_value *unit = charm_value_get(target, "workload-status");
    return unit != NULL ? unit : charm_value_get(target, "application-status");
}

static bool units_idle(const struct charm_value *units, const char *name)
{
    CHARM_EACH(units, it)
    {
        const char *agent = charm_text(charm_value_path(it.value, "juju-status", "current", NULL));
        if ((name == NULL || charmi_same(name, it.key)) && !charmi_same(agent, "idle") &&
            !charmi_same(agent, "lost")) {
            return false;
        }
    }
    return true;
}

/* Nothing has run for a moment: of the whole lab without a name, else of that application or unit. */
static bool is_idle(const struct charm_value *status, const char *name)
{
    const int64_t idle_ms =
        charm_value_int(charm_value_path(status, "controller", "idle-ms", NULL), 0);
    if (idle_ms < SETTLED_MS) {
        return false;
    }
    CHARM_EACH(charm_value_get(status, "applications"), it)
    {
        const bool chosen = name == NULL || charmi_same(name, it.key);
        if (!units_idle(charm_value_get(it.value, "units"), chosen ? NULL : name)) {
            return false;
        }
    }
    return true;
}

static bool is_met(const struct lab_args *args, const struct charm_value *status, const char *name)
{
    const char *word = lab_option(args, "status");
    const char *part = lab_option(args, "message-contains");
    const struct charm_value *target = name == NULL ? NULL : find_target(status, name);
    const struct charm_value *shown = shown_status(target);
    if (lab_option(args, "gone") != NULL) {
        return target == NULL;
    }
    if (name != NULL && target == NULL) {
        return false;
    }
    if (word != NULL && !charmi_same(word, charm_text(charm_value_get(shown, "current")))) {
        return false;
    }
    if (part != NULL && strstr(charm_text(charm_value_get(shown, "message")), part) == NULL) {
        return false;
    }
    return lab_option(args, "idle") == NULL || is_idle(status, name);
}

static int give_up(const struct charm_value *status, const char *name)
{
    const struct charm_value *target = name == NULL ? NULL : find_target(status, name);
    const struct charm_value *shown = shown_status(target);
    if (target == NULL) {
        return lab_complain(1, "timed out waiting for %s", name == NULL ? "the lab" : name);
    }
    return lab_complain(1, "timed out waiting for %s: it is %s: %s", name,
                        charm_text(charm_value_get(shown, "current")),
                        charm_text(charm_value_get(shown, "message")));
}

static int wait_for(struct lab_args *args)
{
    const char *name = args->words.size > 0 ? args->words.at[0] : NULL;
    const char *timeout = lab_option(args, "timeout");
    int64_t left_ms = timeout == NULL ? 60000 : lab_duration_ms(timeout);
    if (left_ms < 0) {
        return lab_complain(2, "--timeout: \"%s\" is no duration (30s, 2m)", timeout);
    }
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        struct charm_arena *arena = charm_arena_new();
        struct lab_args look = *args;
        look.arena = arena;
        const struct charm_value *answer = lab_ask(&look, lab_new_request(&look, "status"));
        const struct charm_value *status = charm_value_get(answer, "status");
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        const int64_t passed_ms =
            (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000;
        int code = answer == NULL ? 1 : is_met(args, status, name) ? 0 : -1;
        if (code < 0 && passed_ms >= left_ms) {
            code = give_up(status, name);
        }
        charm_arena_free(arena);
        if (code >= 0) {
            return code;
        }
        lab_pause_ms(LOOK_EVERY_MS);
    }
}

const struct lab_verb lab_verbs_look[] = {
    {
        .name = "debug-log",
        .usage = "[-n LINES | --replay] [--unit UNIT] [--level LEVEL] [-f]",
        .summary = "show the log (-f goes on showing it)",
        .options = "n= lines= replay unit= level= f tail color no-color",
        .run = debug_log,
    },
    {
        .name = "show-unit",
        .usage = "UNIT [--format yaml|json]",
        .summary = "show a unit's relations, what stands in their bags, and its charm's state",
        .options = "format=",
        .least = 1,
        .most = 1,
        .run = show_unit,
    },
    {
        .name = "wait-for",
        .usage = "[UNIT|APPLICATION] [--status WORD] [--message-contains TEXT] [--idle] [--gone]\n"
                 "       [--timeout 60s]",
        .summary = "wait until it is so (exit 1: it was not in time)",
        .options = "status= message-contains= idle gone timeout=",
        .most = 1,
        .run = wait_for,
    },
    { 0 },
};
