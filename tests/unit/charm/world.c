#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

enum { TEXT_MAX = 256 * 1024 };

static enum charm_result unused(struct charm_run *run, const struct charm_row *row)
{
    (void)run;
    (void)row;
    return CHARM_DONE;
}

static const char *const *flags_of(struct charm_arena *arena, const struct step *steps,
                                   enum verb verb)
{
    struct charmi_words words = { 0 };
    for (; steps != NULL && steps->verb != STEP_END; steps++) {
        if (steps->verb == verb) {
            charmi_words_add(arena, &words, steps->flag);
        }
    }
    return words.at;
}

static const struct charm_row *complete(struct charm_arena *arena, const struct charm_row *rows)
{
    size_t count = 0;
    while (rows != NULL && rows[count].name != NULL) {
        count++;
    }
    struct charm_row *list = charm_arena_array(arena, count + 1, sizeof(*list));
    for (size_t i = 0; i < count; i++) {
        list[i] = rows[i];
        list[i].summary = rows[i].summary == NULL ? "scripted" : rows[i].summary;
        list[i].run = rows[i].run == NULL ? unused : rows[i].run;
        list[i].sets =
            rows[i].sets == NULL ? flags_of(arena, rows[i].data, STEP_SET) : rows[i].sets;
        list[i].clears =
            rows[i].clears == NULL ? flags_of(arena, rows[i].data, STEP_CLEAR) : rows[i].clears;
    }
    return list;
}

struct world *world_of_layers(const struct charm_layer *const *layers,
                              enum charmi_table_rules rules)
{
    struct charm_arena *arena = charm_arena_new();
    struct world *world = charm_arena_alloc(arena, sizeof(*world));
    world->arena = arena;
    world->ran = charmi_buf_init(TEXT_MAX);
    world->story = charmi_buf_init(TEXT_MAX);
    size_t count = 0;
    while (layers[count] != NULL) {
        count++;
    }
    const struct charm_layer **list = charm_arena_array(arena, count + 1, sizeof(void *));
    for (size_t i = 0; i < count; i++) {
        struct charm_layer *layer = charm_arena_alloc(arena, sizeof(*layer));
        *layer = *layers[i];
        layer->rows = complete(arena, layers[i]->rows);
        list[i] = layer;
    }
    const struct charmi_table_options options = { .rules = rules };
    if (charmi_table_build(arena, list, &options, &world->table, &world->error) < 0) {
        fail_msg("%s", world->error.text);
    }
    world->once = charm_arena_array(arena, world->table->entry_count + 1, sizeof(bool));
    return world;
}

struct world *world_new(const struct charm_row *rows, const struct charm_trigger *triggers,
                        enum charmi_table_rules rules)
{
    const struct charm_layer layer = { .name = "t", .rows = rows, .triggers = triggers };
    return world_of_layers((const struct charm_layer *const[]){ &layer, NULL }, rules);
}

void world_free(struct world *world)
{
    charmi_buf_release(&world->ran);
    charmi_buf_release(&world->story);
    charm_arena_free(world->arena);
}

struct charmi_flags *world_begin(struct world *world)
{
    if (!world->begun) {
        world->flags = charmi_flags_new(world->arena, world->table);
        for (size_t i = 0; i < world->store.size; i++) {
            charmi_flags_load(world->flags, world->store.at[i]);
        }
        for (size_t i = 0; i < world->levels.size; i++) {
            charmi_flags_load_level(world->flags, world->levels.at[i]);
        }
        world->begun = true;
        charmi_buf_release(&world->ran);
        charmi_buf_release(&world->story);
        world->ran = charmi_buf_init(TEXT_MAX);
        world->story = charmi_buf_init(TEXT_MAX);
    }
    return world->flags;
}

void world_set(struct world *world, const char *flag)
{
    charmi_flags_set(world_begin(world), flag);
}

void world_clear(struct world *world, const char *flag)
{
    charmi_flags_clear(world_begin(world), flag);
}

/* ---- running ---- */

static enum charm_result invoke(void *userdata, const struct charmi_entry *entry)
{
    struct world *world = userdata;
    if (world->head != NULL) {
        charmi_buf_addf(&world->ran, "%s%s:", charmi_buf_text(&world->ran)[0] == '\0' ? "" : "; ",
                        world->head);
        world->head = NULL;
    }
    charmi_buf_addf(&world->ran, " %s", entry->row->name);
    const struct step *step = entry->row->data;
    for (; step != NULL && step->verb != STEP_END; step++) {
        switch (step->verb) {
        case STEP_SET:
            charmi_flags_set(world->flags, step->flag);
            break;
        case STEP_CLEAR:
            charmi_flags_clear(world->flags, step->flag);
            break;
        case STEP_TRIGGER:
            charmi_flags_add_trigger(world->flags, step->trigger);
            break;
        case STEP_LATER:
            return CHARM_LATER;
        case STEP_FAIL:
            return CHARM_FAILED;
        case STEP_END:
            break;
        }
    }
    return CHARM_DONE;
}

static void begin_phase(struct world *world, const struct charmi_event *event)
{
    static const char *const names[] = {
        [CHARMI_PHASE_HOOKS] = "hooks",
        [CHARMI_PHASE_RESTRICTED] = "restricted",
        [CHARMI_PHASE_ACTION] = "action",
    };
    world->head = event->phase == CHARMI_PHASE_OTHER
                      ? charm_arena_printf(world->arena, "%zu", event->iteration)
                      : names[event->phase];
    charmi_buf_addf(&world->story, "phase %s\n", world->head);
}

static void tell(struct world *world, const char *what, const char *name, const char *why)
{
    charmi_buf_addf(&world->story, "%s %s%s%s%s\n", what, name, why == NULL ? "" : " (",
                    why == NULL ? "" : why, why == NULL ? "" : ")");
}

static void observe(void *userdata, const struct charmi_event *event)
{
    static const char *const results[] = {
        [CHARM_DONE] = "done", [CHARM_LATER] = "later", [CHARM_FAILED] = "failed"
    };
    struct world *world = userdata;
    const char *row = event->entry == NULL ? NULL : event->entry->row->name;
    switch (event->kind) {
    case CHARMI_EVENT_PHASE:
        begin_phase(world, event);
        break;
    case CHARMI_EVENT_QUEUED:
        tell(world, "queued", row, event->flag);
        break;
    case CHARMI_EVENT_DROPPED:
        tell(world, "dropped", row, event->flag);
        break;
    case CHARMI_EVENT_STARTS:
        break;
    case CHARMI_EVENT_RAN:
        tell(world, results[event->result], row, NULL);
        break;
    case CHARMI_EVENT_SET:
    case CHARMI_EVENT_CLEARED:
        tell(world, event->kind == CHARMI_EVENT_SET ? "set" : "cleared", event->flag,
             event->cause != NULL ? event->cause : row);
        break;
    }
}

static int go(struct world *world, enum charmi_mode mode, const char *name)
{
    world_begin(world);
    const struct charmi_situation here = { mode, name, world->once };
    bool *before = charm_arena_array(world->arena, world->table->entry_count + 1, sizeof(bool));
    memcpy(before, world->once, world->table->entry_count);
    world->error = (struct charm_error){ 0 };
    world->begun = false;
    int r = charmi_dispatch(world->table, world->flags, &here,
                            &(struct charmi_callbacks){ invoke, observe, world }, &world->error);
    if (r < 0) {
        memcpy(world->once, before, world->table->entry_count);
        return r;
    }
    world->store = charmi_flags_remembered(world->flags, world->arena);
    if (mode == CHARMI_MODE_HOOK) {
        world->levels = charmi_flags_levels(world->flags, world->arena);
    }
    return 0;
}

int world_hook(struct world *world, const char *hook)
{
    bool restricted =
        strcmp(hook, CHARMI_COLLECT_METRICS) == 0 || strcmp(hook, CHARMI_METER_STATUS_CHANGED) == 0;
    return go(world, restricted ? CHARMI_MODE_RESTRICTED : CHARMI_MODE_HOOK, hook);
}

int world_action(struct world *world, const char *action)
{
    return go(world, CHARMI_MODE_ACTION, action);
}

const char *world_ran(struct world *world)
{
    return charmi_buf_text(&world->ran);
}

const char *world_story(struct world *world)
{
    return charmi_buf_text(&world->story);
}

const char *world_flags(struct world *world)
{
    struct charmi_words words = charmi_flags_all(world->flags, world->arena);
    return charmi_words_join(world->arena, &words, " ");
}
