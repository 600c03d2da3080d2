/*
 * The recorded behaviour of charms.reactive, life by life, through our engine (tests/data/README.md says what a life
 * is). Each run must invoke the same rows in the same order and leave the same flags. Where we differ on purpose, the
 * lives are counted, and the counts are asserted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "charm/dispatch.h"

#define TRACES "../../data/reactive-traces.jsonl"

/* What was compared, over all lives. */
struct figures {
    int lives;
    int exact;       /* every run as recorded */
    int empty_guard; /* refused at start: an empty flag list (1.4, D) */
    int cycle_reported; /* a run that the framework cut after 100 iterations fails with us (decision 10) */
    int hook_beside_flags; /* exact, but only by the recorded rules: a row that can never run */
    int once_alone; /* exact, but only by the recorded rules: would run in restricted hooks */
    int runs;
    int invocations;
    int failing_runs;
    int trigger_cycles;
    int limit_settled; /* 100 iterations, and nothing would have run next */
    int limit_cycles;
};

/* One life on its way. */
struct life {
    struct charm_arena *arena;
    const struct charm_value *json;
    const char *id;
    const struct charmi_table *table;
    struct charmi_words store; /* flags between runs */
    bool *once;
    struct figures *figures;
};

/* One run: what was invoked, and what changed in the latest iteration. */
struct recording {
    struct life *life;
    struct charmi_flags *flags;
    const struct charmi_situation *here;
    struct charm_value *hooks;
    struct charm_value *restricted;
    struct charm_value *iterations;
    struct charm_value *now; /* the list that grows */
    struct charmi_words changed;
    bool settling;
};

/* ---- from JSON to a table ---- */

static enum charm_result nothing(struct charm_run *run, const struct charm_row *row)
{
    return CHARM_DONE;
}

static const char *item(const struct charm_value *list, size_t index)
{
    return charm_text(charm_value_at(list, index));
}

static enum charm_guard_kind kind_named(const char *decorator)
{
    static const struct {
        const char *decorator;
        enum charm_guard_kind kind;
    } kinds[] = {
        { "when", CHARM_WHEN },
        { "when_any", CHARM_WHEN_ANY },
        { "when_not", CHARM_WHEN_NONE },
        { "when_not_all", CHARM_WHEN_NOT_ALL },
        { "hook", CHARM_HOOK },
        { "only_once", CHARM_ONCE },
        { "collect_metrics", CHARM_RESTRICTED },
        { "meter_status_changed", CHARM_RESTRICTED },
    };
    for (size_t i = 0; i < CHARMI_COUNT(kinds); i++) {
        if (strcmp(kinds[i].decorator, decorator) == 0) {
            return kinds[i].kind;
        }
    }
    fail_msg("unknown decorator '%s'", decorator);
    return CHARM_GUARD_END;
}

static const char *const *arguments(struct charm_arena *arena, const struct charm_value *guard)
{
    const char *decorator = item(guard, 0);
    if (strcmp(decorator, "only_once") == 0) {
        return NULL;
    }
    struct charmi_words words = { .at = charm_arena_array(arena, 1, sizeof(char *)) };
    if (strcmp(decorator, "collect_metrics") == 0) {
        charmi_words_add(arena, &words, CHARMI_COLLECT_METRICS);
    } else if (strcmp(decorator, "meter_status_changed") == 0) {
        charmi_words_add(arena, &words, CHARMI_METER_STATUS_CHANGED);
    }
    for (size_t i = 1; i < charm_value_size(guard); i++) {
        charmi_words_add(arena, &words, item(guard, i));
    }
    return words.at;
}

static const struct charm_guard *guards_of(struct charm_arena *arena,
                                           const struct charm_value *guards)
{
    size_t count = charm_value_size(guards);
    struct charm_guard *list = charm_arena_array(arena, count + 1, sizeof(*list));
    for (size_t i = 0; i < count; i++) {
        const struct charm_value *guard = charm_value_at(guards, i);
        list[i] = (struct charm_guard){ kind_named(item(guard, 0)), arguments(arena, guard) };
    }
    return list;
}

/* Does this step set a flag (or, with `set` false, clear one)? */
static bool step_is(const struct charm_value *step, bool set)
{
    const char *verb = item(step, 0);
    if (strcmp(verb, "toggle") == 0) {
        return charm_value_true(charm_value_at(step, 2)) == set;
    }
    return strcmp(verb, set ? "set" : "clear") == 0;
}

static const char *const *effects_of(struct charm_arena *arena, const struct charm_value *steps,
                                     bool set)
{
    struct charmi_words words = { .at = charm_arena_array(arena, 1, sizeof(char *)) };
    for (size_t i = 0; i < charm_value_size(steps); i++) {
        if (step_is(charm_value_at(steps, i), set)) {
            charmi_words_add(arena, &words, item(charm_value_at(steps, i), 1));
        }
    }
    return words.at;
}

static const char *member(const struct charm_value *map, const char *key)
{
    const struct charm_value *value = charm_value_get(map, key);
    return value == NULL ? NULL : charm_text(value);
}

static struct charm_trigger trigger_of(const struct charm_value *trigger)
{
    return (struct charm_trigger){ .when = member(trigger, "when"),
                                   .when_not = member(trigger, "when_not"),
                                   .sets = member(trigger, "set"),
                                   .clears = member(trigger, "clear") };
}

static int build(struct life *life, struct charm_error *reterr)
{
    const struct charm_value *handlers = charm_value_get(life->json, "handlers");
    const struct charm_value *triggers = charm_value_get(life->json, "triggers");
    size_t count = charm_value_size(handlers);
    struct charm_row *rows = charm_arena_array(life->arena, count + 1, sizeof(*rows));
    for (size_t i = 0; i < count; i++) {
        const struct charm_value *handler = charm_value_at(handlers, i);
        const struct charm_value *steps = charm_value_get(handler, "do");
        rows[i].name = charm_arena_printf(life->arena, "h%zu", i);
        rows[i].summary = "recorded";
        rows[i].guards = guards_of(life->arena, charm_value_get(handler, "guards"));
        rows[i].sets = effects_of(life->arena, steps, true);
        rows[i].clears = effects_of(life->arena, steps, false);
        rows[i].run = nothing;
        rows[i].data = steps;
    }
    size_t trigger_count = charm_value_size(triggers);
    struct charm_trigger *list = charm_arena_array(life->arena, trigger_count + 1, sizeof(*list));
    for (size_t i = 0; i < trigger_count; i++) {
        list[i] = trigger_of(charm_value_at(triggers, i));
    }
    struct charm_layer *layer = charm_arena_alloc(life->arena, sizeof(*layer));
    *layer = (struct charm_layer){ .name = "life", .rows = rows, .triggers = list };
    const struct charm_layer **layers = charm_arena_array(life->arena, 2, sizeof(void *));
    layers[0] = layer;
    return charmi_table_build(life->arena, layers,
                              &(struct charmi_table_options){ .rules = CHARMI_TABLE_RECORDED },
                              &life->table, reterr);
}

/* ---- a run ---- */

static enum charm_result take_steps(struct charmi_flags *flags, const struct charm_value *steps)
{
    for (size_t i = 0; i < charm_value_size(steps); i++) {
        const struct charm_value *step = charm_value_at(steps, i);
        if (charmi_flags_error(flags, NULL) < 0) {
            return CHARM_DONE; /* Python's exception leaves the handler here */
        }
        if (strcmp(item(step, 0), "fail") == 0) {
            return CHARM_FAILED;
        }
        if (strcmp(item(step, 0), "trigger") == 0) {
            struct charm_trigger trigger = trigger_of(charm_value_at(step, 1));
            charmi_flags_add_trigger(flags, &trigger);
        } else if (step_is(step, true)) {
            charmi_flags_set(flags, item(step, 1));
        } else {
            assert_true(step_is(step, false));
            charmi_flags_clear(flags, item(step, 1));
        }
    }
    return CHARM_DONE;
}

static enum charm_result invoke(void *userdata, const struct charmi_entry *entry)
{
    struct recording *recording = userdata;
    recording->life->figures->invocations++;
    charm_value_append_int(recording->now, (int64_t)entry->index);
    return take_steps(recording->flags, entry->row->data);
}

static void observe(void *userdata, const struct charmi_event *event)
{
    struct recording *recording = userdata;
    if (event->kind == CHARMI_EVENT_SET || event->kind == CHARMI_EVENT_CLEARED) {
        charmi_words_add(recording->life->arena, &recording->changed, event->flag);
    }
    if (event->kind != CHARMI_EVENT_PHASE) {
        return;
    }
    recording->changed = (struct charmi_words){ 0 };
    if (event->phase == CHARMI_PHASE_HOOKS) {
        recording->now = recording->hooks;
    } else if (event->phase == CHARMI_PHASE_RESTRICTED) {
        recording->now = recording->restricted;
    } else {
        assert_int_equal(event->iteration, charm_value_size(recording->iterations));
        recording->now = charm_value_new_list(recording->life->arena);
        charm_value_append(recording->iterations, recording->now);
        recording->settling = true;
    }
}

static bool is_restricted(const char *hook)
{
    return strcmp(hook, CHARMI_COLLECT_METRICS) == 0 ||
           strcmp(hook, CHARMI_METER_STATUS_CHANGED) == 0;
}

/* ---- what would run next, asked again without the engine's counters ---- */

static bool naive_guard(const struct recording *recording, const struct charm_guard *guard)
{
    bool all = charmi_flags_all_set(recording->flags, guard->flags);
    bool any = charmi_flags_any_set(recording->flags, guard->flags);
    switch (guard->kind) {
    case CHARM_WHEN:
        return all;
    case CHARM_WHEN_ANY:
        return any;
    case CHARM_WHEN_NONE:
        return !any;
    case CHARM_WHEN_NOT_ALL:
        return !all;
    default:
        return false; /* a hook or restricted guard: never in this phase */
    }
}

static bool naive_next(const struct recording *recording, const struct charmi_entry *entry)
{
    bool watched_changed = false;
    for (const struct charm_guard *g = entry->row->guards; g->kind != CHARM_GUARD_END; g++) {
        if (g->kind == CHARM_ONCE) {
            if (recording->life->once[entry->index]) {
                return false;
            }
            continue;
        }
        if (!naive_guard(recording, g)) {
            return false;
        }
        for (size_t i = 0; g->flags[i] != NULL; i++) {
            watched_changed =
                watched_changed || charmi_words_have(&recording->changed, g->flags[i]);
        }
    }
    return watched_changed;
}

static bool something_would_run(const struct recording *recording)
{
    for (size_t i = 0; i < recording->life->table->entry_count; i++) {
        if (naive_next(recording, &recording->life->table->entries[i])) {
            return true;
        }
    }
    return false;
}

/* ---- comparing ---- */

static void same_lists(const struct life *life, size_t run, const char *what,
                       const struct charm_value *ours, const struct charm_value *got)
{
    const struct charm_value *recorded = charm_value_get(got, what);
    if (charm_value_size(recorded) == 0 && charm_value_size(ours) == 0) {
        return;
    }
    if (!charm_value_equal(ours, recorded)) {
        fail_msg("life %s, run %zu: %s differ:\n  ours     %s\n  recorded %s", life->id, run, what,
                 charm_value_render(life->arena, ours, CHARM_JSON_COMPACT),
                 charm_value_render(life->arena, recorded, CHARM_JSON_COMPACT));
    }
}

static struct charm_value *list_of(struct charm_arena *arena, const struct charmi_words *words)
{
    struct charm_value *list = charm_value_new_list(arena);
    for (size_t i = 0; i < words->size; i++) {
        charm_value_append_text(list, words->at[i]);
    }
    return list;
}

static void expect_code(const struct life *life, size_t run, int code, int expected,
                        const struct charm_error *error)
{
    if (code != expected) {
        fail_msg("life %s, run %zu: ended with %d (%s), not %d", life->id, run, code, error->text,
                 expected);
    }
}

/* How the run had to end, by the record alone. */
static int expected_end(struct recording *recording, const struct charm_value *got)
{
    struct figures *figures = recording->life->figures;
    const char *error = charm_text(charm_value_get(got, "error"));
    if (strcmp(error, "RecursionError") == 0) {
        figures->trigger_cycles++;
        return CHARM_ECYCLE;
    }
    if (strcmp(error, "RuntimeError") == 0) {
        figures->failing_runs++;
        return CHARM_EFAILED;
    }
    assert_string_equal(error, "");
    bool limit = charm_value_true(charm_value_get(got, "limit"));
    assert_true(limit == (charm_value_size(charm_value_get(got, "iterations")) == 100));
    if (recording->settling && something_would_run(recording)) {
        assert_true(limit);
        figures->limit_cycles++;
        return CHARM_ECYCLE;
    }
    figures->limit_settled += limit ? 1 : 0;
    return 0;
}

/* Goes on from here: the framework kept what it had after its hundredth iteration; a failed run leaves nothing. */
static void keep(struct life *life, const struct recording *recording, bool failed,
                 const bool *once_before)
{
    if (failed) {
        memcpy(life->once, once_before, life->table->entry_count * sizeof(*once_before));
        return;
    }
    life->store = charmi_flags_remembered(recording->flags, life->arena);
}

/* True if our run failed where the framework went on. */
static bool replay_run(struct life *life, size_t index)
{
    const struct charm_value *run = charm_value_at(charm_value_get(life->json, "runs"), index);
    const struct charm_value *got = charm_value_get(run, "got");
    struct charmi_situation here = { .name = charm_text(charm_value_get(run, "hook")),
                                     .once = life->once };
    here.mode = is_restricted(here.name) ? CHARMI_MODE_RESTRICTED : CHARMI_MODE_HOOK;
    struct recording recording = { .life = life,
                                   .flags = charmi_flags_new(life->arena, life->table),
                                   .here = &here,
                                   .hooks = charm_value_new_list(life->arena),
                                   .restricted = charm_value_new_list(life->arena),
                                   .iterations = charm_value_new_list(life->arena) };
    bool *once_before =
        charm_arena_array(life->arena, life->table->entry_count + 1, sizeof(*once_before));
    memcpy(once_before, life->once, life->table->entry_count * sizeof(*once_before));
    for (size_t i = 0; i < life->store.size; i++) {
        charmi_flags_load(recording.flags, life->store.at[i]);
    }
    take_steps(recording.flags, charm_value_get(run, "start"));

    struct charm_error error = { 0 };
    int code = charmi_dispatch(life->table, recording.flags, &here,
                               &(struct charmi_callbacks){ invoke, observe, &recording }, &error);

    same_lists(life, index, "hooks", recording.hooks, got);
    same_lists(life, index, "restricted", recording.restricted, got);
    same_lists(life, index, "iterations", recording.iterations, got);
    expect_code(life, index, code, expected_end(&recording, got), &error);
    keep(life, &recording, charm_value_get(got, "error") != NULL, once_before);
    same_lists(life, index, "flags", list_of(life->arena, &life->store), got);
    life->figures->runs++;
    return code < 0 && charm_value_get(got, "error") == NULL;
}

/* ---- a life ---- */

static bool tagged(const struct life *life, const char *tag)
{
    const struct charm_value *tags = charm_value_get(life->json, "tags");
    for (size_t i = 0; i < charm_value_size(tags); i++) {
        if (strcmp(item(tags, i), tag) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_phase(const struct life *life, enum charmi_phase phase)
{
    for (size_t i = 0; i < life->table->entry_count; i++) {
        if (life->table->entries[i].phase == phase) {
            return true;
        }
    }
    return false;
}

static void replay_life(struct life *life)
{
    struct figures *figures = life->figures;
    struct charm_error error = { 0 };
    int r = build(life, &error);
    if (tagged(life, "empty-guard")) {
        assert_int_equal(r, CHARM_EINVAL);
        assert_non_null(strstr(error.text, "row 'life.h"));
        assert_non_null(strstr(error.text, "has an empty list"));
        figures->empty_guard++;
        return;
    }
    expect_code(life, 0, r, 0, &error);
    life->once = charm_arena_array(life->arena, life->table->entry_count + 1, sizeof(bool));
    bool cycle = false;
    for (size_t i = 0; i < charm_value_size(charm_value_get(life->json, "runs")); i++) {
        cycle = replay_run(life, i) || cycle;
    }
    assert_int_equal(has_phase(life, CHARMI_PHASE_NEVER), tagged(life, "hook-and-flag"));
    figures->hook_beside_flags += has_phase(life, CHARMI_PHASE_NEVER) ? 1 : 0;
    figures->once_alone += has_phase(life, CHARMI_PHASE_ANY) ? 1 : 0;
    figures->cycle_reported += cycle ? 1 : 0;
    figures->exact += cycle ? 0 : 1;
}

static void replay_line(const char *line, size_t size, struct figures *figures)
{
    struct charm_arena *arena = charm_arena_new();
    struct charm_value *json = NULL;
    struct charm_error error = { 0 };
    assert_int_equal(charm_value_parse(arena, line, size, &json, &error), 0);
    struct life life = { .arena = arena,
                         .json = json,
                         .id = charm_text(charm_value_get(json, "id")),
                         .figures = figures };
    replay_life(&life);
    figures->lives++;
    charm_arena_free(arena);
}

static void the_recorded_lives_are_lived_again(void **state)
{
    struct figures figures = { 0 };
    FILE *file = fopen(TRACES, "re");
    assert_non_null(file);
    char *line = NULL;
    size_t capacity = 0;
    for (ssize_t size = 0; (size = getline(&line, &capacity, file)) > 0;) {
        replay_line(line, (size_t)size, &figures);
    }
    free(line);
    fclose(file);
    print_message(
        "%d lives, %d runs, %d invocations: %d exact; %d refused at start (empty flag list); "
        "%d with a reported cycle where the framework goes on\n"
        "of the runs: %d failed, %d trigger cycles, %d of 100 iterations that had just "
        "settled, %d that had not\n"
        "by the recorded rules only: %d lives with a hook beside flags, %d with once alone\n",
        figures.lives, figures.runs, figures.invocations, figures.exact, figures.empty_guard,
        figures.cycle_reported, figures.failing_runs, figures.trigger_cycles, figures.limit_settled,
        figures.limit_cycles, figures.hook_beside_flags, figures.once_alone);
    assert_int_equal(figures.lives, 2000);
    assert_int_equal(figures.empty_guard, 115);
    assert_int_equal(figures.exact, 1683);
    assert_int_equal(figures.cycle_reported, 202);
    assert_int_equal(figures.runs, 4892);
    assert_int_equal(figures.failing_runs, 24);
    assert_int_equal(figures.trigger_cycles, 38);
    assert_int_equal(figures.limit_settled, 5);
    assert_int_equal(figures.limit_cycles, 347);
    assert_int_equal(figures.hook_beside_flags, 27);
    assert_int_equal(figures.once_alone, 98);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_recorded_lives_are_lived_again),
    };
    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
