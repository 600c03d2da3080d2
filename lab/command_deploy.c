/* What changes the model: start, deploy, relate, config, and their opposites. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "lab/app.h"
#include "lab/command.h"
#include "lab/yaml.h"

enum { LARGEST_FILE = 16 * 1024 * 1024 };

#define START_OPTIONS "model= juju= update-status= no-retry net= set= seed= early-peer-absent"

static int start(struct lab_args *args)
{
    if (lab_daemon_answers(args)) {
        return lab_complain(1, "a lab runs in %s already", args->dir);
    }
    const int code = lab_start_daemon(args);
    if (code == 0) {
        printf("The lab is up in %s\n", args->dir);
    }
    return code;
}

static int stop(struct lab_args *args)
{
    if (!lab_daemon_answers(args)) {
        printf("No lab runs in %s\n", args->dir);
        return 0;
    }
    if (lab_ask(args, lab_new_request(args, "stop")) == NULL) {
        return 1;
    }
    for (int turn = 0; turn < 600; turn++) {
        if (!lab_daemon_answers(args)) {
            printf("The lab in %s has stopped\n", args->dir);
            return 0;
        }
        lab_pause_ms(50);
    }
    return lab_complain(1, "the lab in %s does not stop", args->dir);
}

/* ---- files ---- */

const char *lab_read_file(const struct lab_args *args, const char *path)
{
    FILE *file = charmi_same(path, "-") ? stdin : fopen(path, "re");
    if (file == NULL) {
        lab_complain(1, "open %s: %s", path, strerror(errno));
        return NULL;
    }
    struct charmi_buf text = charmi_buf_init(LARGEST_FILE);
    char piece[65536];
    for (size_t got = 1; got > 0;) {
        got = fread(piece, 1, sizeof(piece), file);
        charmi_buf_add_n(&text, piece, got);
    }
    if (file != stdin) {
        fclose(file);
    }
    return charmi_buf_into(&text, args->arena);
}

/* key=value, key=@FILE. */
static int add_setting(const struct lab_args *args, const char *pair, struct charm_value *map)
{
    struct charm_value *one = charm_value_new_map(args->arena);
    if (!lab_split_pair(args, pair, one)) {
        return lab_complain(2, "expected \"key=value\", got \"%s\"", pair);
    }
    CHARM_EACH(one, it)
    {
        const char *value = charm_text(it.value);
        if (value[0] == '@') {
            value = lab_read_file(args, value + 1);
        }
        if (value == NULL) {
            return 1;
        }
        charm_value_set_text(map, it.key, value);
    }
    return 0;
}

/* A YAML file of options, plain or under the application's name. */
static int add_file(const struct lab_args *args, const char *path, const char *app,
                    struct charm_value *map)
{
    const char *text = lab_read_file(args, path);
    struct charm_value *file;
    struct charm_error error = { 0 };
    if (text == NULL) {
        return 1;
    }
    if (lab_yaml_parse(args->arena, text, strlen(text), LAB_YAML_TEXTS, &file, &error) != 0) {
        return lab_complain(1, "read %s: %s", path, error.text);
    }
    const struct charm_value *own = charm_value_get(file, app);
    CHARM_EACH(charm_value_kind(own) == CHARM_MAP ? own : file, it)
    {
        charm_value_set_text(map, it.key, charm_text(it.value));
    }
    return 0;
}

/* ---- deploy ---- */

static const char *find_charm(const struct lab_args *args, const char *word)
{
    char path[PATH_MAX];
    if (lab_driver_find(word) != NULL) {
        return word;
    }
    if (realpath(word, path) == NULL) {
        lab_complain(1, "deploy %s: %s, and the lab has no application of that name", word,
                     strerror(errno));
        return NULL;
    }
    return charm_arena_copy(args->arena, path);
}

static int put_units(const struct lab_args *args, struct charm_value *request)
{
    const char *units = lab_option(args, lab_option(args, "n") != NULL ? "n" : "num-units");
    int64_t number = 1;
    if (units != NULL && !charmi_parse_int(units, 0, 100, &number)) {
        return lab_complain(2, "-n: \"%s\" is not a number of units", units);
    }
    charm_value_set_int(request, "units", number);
    return 0;
}

static int deploy(struct lab_args *args)
{
    struct charm_value *request = lab_new_request(args, "deploy");
    struct charm_value *config = charm_value_add_map(request, "config");
    const char *charm = find_charm(args, args->words.at[0]);
    int code = charm == NULL ? 1 : put_units(args, request);
    const struct charm_value *settings = lab_options(args, "config");
    for (size_t i = 0; code == 0 && i < charm_value_size(settings); i++) {
        code = add_setting(args, charm_text(charm_value_at(settings, i)), config);
    }
    if (code == 0 && !lab_daemon_answers(args)) {
        code = lab_start_daemon(args);
    }
    if (code != 0) {
        return code;
    }
    charm_value_set_text(request, "charm", charm);
    if (args->words.size > 1) {
        charm_value_set_text(request, "name", args->words.at[1]);
    }
    const struct charm_value *answer = lab_ask(args, request);
    if (answer == NULL) {
        return 1;
    }
    printf("Deploying \"%s\"\n", charm_text(charm_value_get(answer, "app")));
    return 0;
}

static int refresh(struct lab_args *args)
{
    struct charm_value *request = lab_new_request(args, "refresh");
    const char *path = lab_option(args, "path");
    if (path == NULL) {
        return lab_complain(2, "usage: lab refresh APPLICATION --path CHARM");
    }
    const char *charm = find_charm(args, path);
    if (charm == NULL) {
        return 1;
    }
    charm_value_set_text(request, "app", args->words.at[0]);
    charm_value_set_text(request, "charm", charm);
    return lab_ask(args, request) == NULL ? 1 : 0;
}

/* ---- requests of one word or two ---- */

static int ask_with(const struct lab_args *args, const char *verb, const char *first,
                    const char *second)
{
    struct charm_value *request = lab_new_request(args, verb);
    charm_value_set_text(request, first, args->words.at[0]);
    if (second != NULL) {
        charm_value_set_text(request, second, args->words.at[1]);
    }
    return lab_ask(args, request) == NULL ? 1 : 0;
}

static int relate(struct lab_args *args)
{
    return ask_with(args, "relate", "left", "right");
}

static int remove_relation(struct lab_args *args)
{
    return ask_with(args, "remove-relation", "left", "right");
}

static int for_each_word(struct lab_args *args, const char *verb, const char *key)
{
    for (size_t i = 0; i < args->words.size; i++) {
        struct charm_value *request = lab_new_request(args, verb);
        charm_value_set_text(request, key, args->words.at[i]);
        charm_value_set_bool(request, "force", lab_option(args, "force") != NULL);
        charm_value_set_bool(request, "no-retry", lab_option(args, "no-retry") != NULL);
        if (lab_ask(args, request) == NULL) {
            return 1;
        }
    }
    return 0;
}

static int remove_application(struct lab_args *args)
{
    return for_each_word(args, "remove-application", "app");
}

static int remove_unit(struct lab_args *args)
{
    return for_each_word(args, "remove-unit", "unit");
}

static int lose_unit(struct lab_args *args)
{
    return for_each_word(args, "lose-unit", "unit");
}

static int elect(struct lab_args *args)
{
    return for_each_word(args, "elect", "unit");
}

static int fault(struct lab_args *args)
{
    struct charm_value *request = lab_new_request(args, "fault");
    int64_t number = 0;
    if (args->words.size > 2 && !charmi_parse_int(args->words.at[2], 1, INT32_MAX, &number)) {
        return lab_complain(2, "\"%s\" is not the number of a call", args->words.at[2]);
    }
    charm_value_set_text(request, "unit", args->words.at[0]);
    charm_value_set_text(request, "fault", args->words.at[1]);
    charm_value_set_int(request, "number", number);
    if (lab_option(args, "hook") != NULL) {
        charm_value_set_text(request, "hook", lab_option(args, "hook"));
    }
    return lab_ask(args, request) == NULL ? 1 : 0;
}

static int resolved(struct lab_args *args)
{
    return for_each_word(args, "resolved", "unit");
}

static int add_unit(struct lab_args *args)
{
    struct charm_value *request = lab_new_request(args, "add-unit");
    charm_value_set_text(request, "app", args->words.at[0]);
    const int code = put_units(args, request);
    return code != 0 ? code : lab_ask(args, request) == NULL ? 1 : 0;
}

static int update_status(struct lab_args *args)
{
    struct charm_value *request = lab_new_request(args, "update-status");
    if (args->words.size > 0) {
        charm_value_set_text(request, "unit", args->words.at[0]);
    }
    return lab_ask(args, request) == NULL ? 1 : 0;
}

/* ---- config ---- */

static int print_one_option(const struct charm_value *settings, const char *app, const char *option)
{
    const struct charm_value *entry = charm_value_get(settings, option);
    if (entry == NULL) {
        return lab_complain(1, "key \"%s\" not found in \"%s\" application config", option, app);
    }
    struct charm_arena *arena = charm_arena_new();
    puts(charm_value_scalar(arena, charm_value_get(entry, "value")));
    charm_arena_free(arena);
    return 0;
}

static int fill_config(struct lab_args *args, struct charm_value *request, bool *ret_changes)
{
    struct charm_value *config = charm_value_add_map(request, "config");
    struct charm_value *reset = charm_value_add_list(request, "reset");
    const char *file = lab_option(args, "file");
    int code = file == NULL ? 0 : add_file(args, file, args->words.at[0], config);
    for (size_t i = 1; code == 0 && i < args->words.size; i++) {
        if (strchr(args->words.at[i], '=') != NULL) {
            code = add_setting(args, args->words.at[i], config);
        }
    }
    const struct charm_value *resets = lab_options(args, "reset");
    for (size_t i = 0; i < charm_value_size(resets); i++) {
        const struct charmi_words names =
            charmi_split(args->arena, charm_text(charm_value_at(resets, i)), ",");
        for (size_t j = 0; j < names.size; j++) {
            charm_value_append_text(reset, names.at[j]);
        }
    }
    *ret_changes = charm_value_size(config) + charm_value_size(reset) > 0;
    return code;
}

static int config(struct lab_args *args)
{
    struct charm_value *request = lab_new_request(args, "config");
    bool changes = false;
    const int code = fill_config(args, request, &changes);
    if (code != 0) {
        return code;
    }
    charm_value_set_text(request, "app", args->words.at[0]);
    const struct charm_value *answer = lab_ask(args, request);
    if (answer == NULL) {
        return 1;
    }
    if (changes) {
        return 0;
    }
    if (args->words.size == 2) {
        return print_one_option(charm_value_get(answer, "settings"), args->words.at[0],
                                args->words.at[1]);
    }
    if (lab_format_is(args, "json")) {
        puts(charm_value_render(args->arena, answer, CHARM_JSON_SORTED));
    } else {
        fputs(lab_yaml_render(args->arena, answer), stdout);
    }
    return 0;
}

const struct lab_verb lab_verbs_deploy[] = {
    {
        .name = "start",
        .usage = "[--dir D] [--model NAME] [--juju VERSION] [--update-status 5m] [--no-retry]\n"
                 "       [--net auto|private|loopback] [--set NAME=VALUE]... [--seed N]",
        .summary = "start the lab's daemon (lab deploy does it too)",
        .options = START_OPTIONS,
        .run = start,
    },
    {
        .name = "stop",
        .usage = "[--dir D]",
        .summary = "end the daemon and everything it has started",
        .run = stop,
    },
    {
        .name = "deploy",
        .usage =
            "CHARM|kafka|kubernetes-deployer|website [NAME] [--config KEY=VALUE]... [-n UNITS]",
        .summary = "deploy a charm (a directory or a .charm file) or an application of the lab",
        .options = "config= n= num-units= " START_OPTIONS,
        .least = 1,
        .most = 2,
        .run = deploy,
    },
    {
        .name = "refresh",
        .usage = "APPLICATION --path CHARM",
        .summary = "upgrade an application's charm",
        .options = "path=",
        .least = 1,
        .most = 1,
        .run = refresh,
    },
    {
        .name = "relate",
        .alias = "integrate",
        .usage = "APPLICATION[:ENDPOINT] APPLICATION[:ENDPOINT]",
        .summary = "relate two applications",
        .least = 2,
        .most = 2,
        .run = relate,
    },
    {
        .name = "remove-relation",
        .usage = "APPLICATION[:ENDPOINT] APPLICATION[:ENDPOINT]",
        .summary = "end a relation",
        .least = 2,
        .most = 2,
        .run = remove_relation,
    },
    {
        .name = "config",
        .usage = "APPLICATION [KEY] [KEY=VALUE]... [--reset KEY[,KEY]] [--file FILE]",
        .summary = "show or set options (KEY=@FILE takes the value from a file)",
        .options = "reset= file= format=",
        .least = 1,
        .most = 100,
        .run = config,
    },
    {
        .name = "add-unit",
        .usage = "APPLICATION [-n UNITS]",
        .summary = "add units",
        .options = "n= num-units=",
        .least = 1,
        .most = 1,
        .run = add_unit,
    },
    {
        .name = "remove-unit",
        .usage = "UNIT... [--force] [--no-wait] [--no-prompt]",
        .summary = "remove units (--force: at once, without their hooks)",
        .options = "force no-wait no-prompt",
        .least = 1,
        .most = 100,
        .run = remove_unit,
    },
    {
        .name = "remove-application",
        .usage = "APPLICATION...",
        .summary = "remove applications with their units and relations",
        .options = "force no-prompt",
        .least = 1,
        .most = 100,
        .run = remove_application,
    },
    {
        .name = "lose-unit",
        .usage = "UNIT...",
        .summary = "let a unit's machine die: its data stays, its hooks end, another one leads",
        .least = 1,
        .most = 100,
        .run = lose_unit,
    },
    {
        .name = "elect",
        .usage = "UNIT",
        .summary = "make a unit the leader",
        .least = 1,
        .most = 1,
        .run = elect,
    },
    {
        .name = "fault",
        .usage =
            "UNIT refuse-commit|state-only|leader-lost|kill-at-exit|kill-before N|kill-after N "
            "[--hook NAME]",
        .summary = "play a fault once, in the unit's next run (N: the number of a hook tool call)",
        .options = "hook=",
        .least = 2,
        .most = 3,
        .run = fault,
    },
    {
        .name = "resolved",
        .usage = "UNIT... [--no-retry]",
        .summary = "run a failed hook again now, or take it as done",
        .options = "no-retry",
        .least = 1,
        .most = 100,
        .run = resolved,
    },
    {
        .name = "update-status",
        .usage = "[UNIT]",
        .summary = "fire update-status now",
        .most = 1,
        .run = update_status,
    },
    { 0 },
};
