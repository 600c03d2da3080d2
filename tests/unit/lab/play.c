#include "play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "lab/yaml.h"

static void must(int code, const struct charm_error *error)
{
    if (code != 0) {
        fprintf(stderr, "unexpected: %s\n", error->text);
        abort();
    }
}

struct play *play_new(const struct lab_model_options *options)
{
    static const struct lab_model_options plain = { 0 };
    struct charm_arena *arena = charm_arena_new();
    struct play *play = charm_arena_alloc(arena, sizeof(*play));
    play->arena = arena;
    play->model = lab_model_new(options == NULL ? &plain : options);
    play->record = charmi_buf_init(1024 * 1024);
    lab_model_set_time(play->model, 1000000);
    return play;
}

void play_free(struct play *play)
{
    charmi_buf_release(&play->record);
    lab_model_free(play->model);
    charm_arena_free(play->arena);
}

static const struct charm_value *read_yaml(struct play *play, const char *text)
{
    struct charm_value *value;
    struct charm_error error = { 0 };
    if (text == NULL) {
        return NULL;
    }
    must(lab_yaml_parse(play->arena, text, strlen(text), LAB_YAML_TYPED, &value, &error), &error);
    return value;
}

struct lab_application *play_deploy_with(struct play *play, const char *name, const char *metadata,
                                         const char *config, const char *actions, int units)
{
    const struct lab_charm charm = {
        .name = name,
        .metadata = read_yaml(play, metadata),
        .config = read_yaml(play, config),
        .actions = read_yaml(play, actions),
    };
    struct lab_application *app = NULL;
    struct charm_error error = { 0 };
    must(lab_model_deploy(play->model, name, &charm, units, &app, &error), &error);
    return app;
}

struct lab_application *play_deploy(struct play *play, const char *name, const char *metadata,
                                    int units)
{
    return play_deploy_with(play, name, metadata, NULL, NULL, units);
}

int play_relate(struct play *play, const char *left, const char *right)
{
    struct lab_relation *relation = NULL;
    struct charm_error error = { 0 };
    must(lab_model_relate(play->model, left, right, &relation, &error), &error);
    return relation->id;
}

struct lab_unit *play_unit(struct play *play, const char *name)
{
    struct lab_unit *unit = lab_model_unit(play->model, name);
    if (unit == NULL) {
        fprintf(stderr, "no unit %s\n", name);
        abort();
    }
    return unit;
}

static void note(struct play *play, const struct lab_unit *unit, const struct lab_event *event)
{
    charmi_buf_addf(&play->record, "%s%s:%s", play->record.size == 0 ? "" : " ", unit->name,
                    play->context->name);
    if (event->remote != NULL) {
        charmi_buf_addf(&play->record, "(%s)", event->remote->name);
    }
}

bool play_step(struct play *play, struct lab_unit *unit)
{
    struct lab_event event;
    if (!lab_event_next(play->model, unit, &event)) {
        return false;
    }
    play->context = lab_context_begin(play->model, unit, &event);
    note(play, unit, &event);
    const int status = play->hook == NULL ? 0 : play->hook(play, unit->name, play->context->name);
    struct charm_error error = { 0 };
    if (lab_context_end(play->context, LAB_EXITED, status, &error) != 0) {
        charmi_buf_add(&play->record, "!");
    }
    play->context = NULL;
    play->hooks++;
    return true;
}

void play_settle(struct play *play)
{
    const int start = play->hooks;
    bool moved = true;
    while (moved && play->hooks - start < 1000) {
        moved = false;
        for (struct lab_application *app = play->model->applications; app != NULL;
             app = app->next) {
            for (struct lab_unit *unit = app->units; unit != NULL; unit = unit->next) {
                moved = play_step(play, unit) || moved;
            }
        }
    }
}

const char *play_record(struct play *play)
{
    const char *text = charmi_buf_into(&play->record, play->arena);
    play->record = charmi_buf_init(1024 * 1024);
    return text;
}

struct lab_tool_result play_tool_with(struct play *play, const char *const *argv, const char *input)
{
    const struct lab_tool_call call = {
        .argv = argv,
        .input = input,
        .input_size = input == NULL ? 0 : strlen(input),
    };
    struct lab_tool_result result;
    lab_tool_run(play->context, play->arena, &call, &result);
    return result;
}

struct lab_tool_result play_tool(struct play *play, const char *words)
{
    const struct charmi_words argv = charmi_split(play->arena, words, " ");
    return play_tool_with(play, argv.at, NULL);
}

const char *play_out(struct play *play, const char *words)
{
    const struct lab_tool_result result = play_tool(play, words);
    if (result.code != 0) {
        fprintf(stderr, "%s: %s\n", words, result.err);
        abort();
    }
    const size_t size = result.out_size;
    return size > 0 && result.out[size - 1] == '\n'
               ? charm_arena_copy_n(play->arena, result.out, size - 1)
               : result.out;
}
