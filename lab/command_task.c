/* `lab run` (an action) and `lab exec` (a command in a hook context). */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "lab/command.h"
#include "lab/yaml.h"

static const char *tag(const struct lab_args *args, const char *unit)
{
    char *text = charm_arena_printf(args->arena, "unit-%s", unit);
    for (char *c = text; *c != '\0'; c++) {
        *c = (char)(*c == '/' ? '-' : *c);
    }
    return text;
}

static bool has_ended(const struct charm_value *task)
{
    const char *status = charm_text(charm_value_get(task, "status"));
    return charmi_same(status, "completed") || charmi_same(status, "failed");
}

/* The task when it has ended, or NULL after the reason has been printed. */
static const struct charm_value *wait_for_task(const struct lab_args *args, int64_t id)
{
    const char *said = lab_option(args, "wait");
    const int64_t most_ms = said == NULL ? 60000 : lab_duration_ms(said);
    struct charm_value *request = lab_new_request(args, "task");
    charm_value_set_int(request, "id", id);
    for (int64_t passed_ms = 0; passed_ms <= most_ms; passed_ms += 20) {
        const struct charm_value *answer = lab_ask(args, request);
        const struct charm_value *task = charm_value_get(answer, "task");
        if (answer == NULL || has_ended(task)) {
            return task;
        }
        lab_pause_ms(20);
    }
    lab_complain(1, "timed out waiting for results from: task %lld", (long long)id);
    return NULL;
}

/* ---- run ---- */

/* a.b=c nests; values are YAML unless --string-args (contract 4.4). */
static int add_param(const struct lab_args *args, const char *word, struct charm_value *params)
{
    struct charm_value *pair = charm_value_new_map(args->arena);
    if (!lab_split_pair(args, word, pair)) {
        return lab_complain(2, "argument \"%s\" must be of the form key.key.key...=value", word);
    }
    CHARM_EACH(pair, it)
    {
        struct charm_value *value = charm_value_new_text(args->arena, charm_text(it.value));
        struct charm_error error = { 0 };
        if (lab_option(args, "string-args") == NULL &&
            lab_yaml_parse(args->arena, charm_text(it.value), strlen(charm_text(it.value)),
                           LAB_YAML_TYPED, &value, &error) != 0) {
            return lab_complain(2, "argument \"%s\": %s", word, error.text);
        }
        const struct charmi_words keys = charmi_split(args->arena, it.key, ".");
        struct charm_value *map = params;
        for (size_t i = 0; i + 1 < keys.size; i++) {
            const struct charm_value *next = charm_value_get(map, keys.at[i]);
            map = charm_value_kind(next) == CHARM_MAP ? (struct charm_value *)(uintptr_t)next
                                                      : charm_value_add_map(map, keys.at[i]);
        }
        charm_value_set(map, keys.at[keys.size - 1], value);
    }
    return 0;
}

static void print_text(FILE *file, const char *text)
{
    if (text[0] != '\0') {
        fprintf(file, "%s%s", text, charmi_ends_with(text, "\n") ? "" : "\n");
    }
}

/* As juju run prints it: progress and stderr aside, what the action set as YAML, then its stdout. */
static void print_plain(const struct lab_args *args, const struct charm_value *task)
{
    static const char *const aside[] = { "return-code", "stdout", "stderr", NULL };
    const struct charm_value *results = charm_value_get(task, "results");
    struct charm_value *shown = charm_value_copy(args->arena, results);
    const struct charm_value *log = charm_value_get(task, "log");
    for (size_t i = 0; i < charm_value_size(log); i++) {
        print_text(stderr, charm_text(charm_value_at(log, i)));
    }
    print_text(stderr, charm_text(charm_value_get(results, "stderr")));
    for (size_t i = 0; aside[i] != NULL; i++) {
        charm_value_remove(shown, aside[i]);
    }
    if (charm_value_size(shown) > 0) {
        fputs(lab_yaml_render(args->arena, shown), stdout);
    }
    print_text(stdout, charm_text(charm_value_get(results, "stdout")));
}

static void print_formatted(const struct lab_args *args, const struct charm_value *task)
{
    struct charm_value *top = charm_value_new_map(args->arena);
    charm_value_set(top, charm_text(charm_value_get(task, "unit")), task);
    if (lab_format_is(args, "json")) {
        puts(charm_value_render(args->arena, top, CHARM_JSON_SORTED));
    } else {
        fputs(lab_yaml_render(args->arena, top), stdout);
    }
}

static int run(struct lab_args *args)
{
    struct charm_value *request = lab_new_request(args, "run");
    struct charm_value *params = charm_value_add_map(request, "params");
    for (size_t i = 2; i < args->words.size; i++) {
        const int code = add_param(args, args->words.at[i], params);
        if (code != 0) {
            return code;
        }
    }
    charm_value_set_text(request, "unit", args->words.at[0]);
    charm_value_set_text(request, "action", args->words.at[1]);
    const struct charm_value *answer = lab_ask(args, request);
    if (answer == NULL) {
        return 1;
    }
    const int64_t id = charm_value_int(charm_value_get(answer, "id"), 0);
    fprintf(stderr, "Running operation %lld with 1 task\n  - task %lld on %s\n\n", (long long)id,
            (long long)id, tag(args, charm_text(charm_value_get(answer, "unit"))));
    if (lab_option(args, "background") != NULL) {
        return 0;
    }
    fprintf(stderr, "Waiting for task %lld...\n", (long long)id);
    const struct charm_value *task = wait_for_task(args, id);
    if (task == NULL) {
        return 1;
    }
    if (lab_option(args, "format") != NULL && !lab_format_is(args, "plain")) {
        print_formatted(args, task);
    } else {
        print_plain(args, task);
    }
    if (charmi_same(charm_text(charm_value_get(task, "status")), "completed")) {
        return 0;
    }
    return lab_complain(1, "the following task failed:\n - id \"%lld\" with message \"%s\"",
                        (long long)id, charm_text(charm_value_get(task, "message")));
}

/* ---- exec ---- */

static int exec(struct lab_args *args)
{
    struct charm_value *request = lab_new_request(args, "exec");
    struct charm_value *command = charm_value_add_list(request, "command");
    for (size_t i = 1; i < args->words.size; i++) {
        charm_value_append_text(command, args->words.at[i]);
    }
    charm_value_set_text(request, "unit", args->words.at[0]);
    const struct charm_value *answer = lab_ask(args, request);
    const struct charm_value *task =
        answer == NULL ? NULL
                       : wait_for_task(args, charm_value_int(charm_value_get(answer, "id"), 0));
    if (task == NULL) {
        return 1;
    }
    const struct charm_value *results = charm_value_get(task, "results");
    fputs(charm_text(charm_value_get(results, "stdout")), stdout);
    fputs(charm_text(charm_value_get(results, "stderr")), stderr);
    const int64_t code = charm_value_int(charm_value_get(results, "return-code"), 1);
    if (!charmi_same(charm_text(charm_value_get(task, "status")), "completed")) {
        lab_complain(1, "%s", charm_text(charm_value_get(task, "message")));
        return code > 0 ? (int)code : 1;
    }
    return (int)code;
}

const struct lab_verb lab_verbs_task[] = {
    {
        .name = "run",
        .usage = "UNIT|APPLICATION/leader ACTION [KEY=VALUE]... [--format plain|yaml|json]\n"
                 "       [--string-args] [--background] [--wait 60s]",
        .summary = "run an action and show its result",
        .options = "format= string-args background wait=",
        .least = 2,
        .most = 100,
        .run = run,
    },
    {
        .name = "exec",
        .usage = "UNIT -- COMMAND [WORDS]",
        .summary = "run a command on a unit, with its hook tools",
        .options = "wait=",
        .least = 2,
        .most = 1000,
        .run = exec,
    },
    { 0 },
};
