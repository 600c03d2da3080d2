#include "charm/flags.h"

#include <string.h>

#include "base/memory.h"

/* Triggers may nest this deep, and twice the number of flags on top: deeper is a cycle (2.3, D). */
enum { DEPTH_ALLOWED = 200 };

/* What triggers do on one kind of transition of one flag. */
struct effects {
    struct charmi_ids sets;
    struct charmi_ids clears;
};

struct state {
    bool set;
    bool was_set;  /* level: when the last run was committed */
    bool doubtful; /* level: not set, but nobody knows */
    struct effects up;
    struct effects down;
};

/* A transition whose triggers are firing, and the one whose trigger made it. */
struct firing {
    const struct firing *outer;
    const char *name;
    size_t id;
    size_t depth; /* 1 for the outermost */
    bool set;
};

struct change_list {
    struct charmi_change *at;
    size_t size;
    size_t capacity;
};

struct charmi_flags {
    struct charm_arena *arena;
    const struct charmi_table *table;
    struct charmi_names *extra; /* names that no layer names */
    struct state *states;
    size_t count;
    size_t capacity;
    struct charmi_ids derived; /* in order of derivation */
    const struct charmi_entry *current;
    struct charmi_listener listener;
    bool clear_mark;
    bool broken; /* a trigger cycle: nothing changes any more */
    struct charm_error error;
    size_t iteration;
    struct change_list changes;
    struct change_list pending;
};

/* ---- numbers ---- */

static void make_room(struct charmi_flags *flags, size_t id)
{
    while (flags->count <= id) {
        if (flags->count == flags->capacity) {
            size_t capacity = flags->capacity == 0 ? 32 : 2 * flags->capacity;
            struct state *larger = charm_arena_array(flags->arena, capacity, sizeof(*larger));
            if (flags->count > 0) {
                memcpy(larger, flags->states, flags->count * sizeof(*larger));
            }
            flags->states = larger;
            flags->capacity = capacity;
        }
        flags->count++;
    }
}

static size_t find(const struct charmi_flags *flags, const char *name)
{
    size_t id = charmi_table_flag(flags->table, name);
    return id != CHARMI_NO_NAME ? id : charmi_names_find(flags->extra, name);
}

static size_t intern(struct charmi_flags *flags, const char *name)
{
    size_t id = charmi_table_flag(flags->table, name);
    if (id == CHARMI_NO_NAME) {
        id = charmi_names_intern(flags->extra, name);
    }
    make_room(flags, id);
    return id;
}

const char *charmi_flags_name(const struct charmi_flags *flags, size_t id)
{
    return id < flags->table->flag_count ? flags->table->flags[id].name
                                         : charmi_names_text(flags->extra, id);
}

static enum charmi_flag_kind kind_of(const struct charmi_flags *flags, size_t id)
{
    return id < flags->table->flag_count
               ? flags->table->flags[id].kind
               : charmi_table_kind(flags->table, charmi_names_text(flags->extra, id));
}

/* ---- misuse ---- */

static const char *who(const struct charmi_flags *flags)
{
    return flags->current == NULL ? "outside of any row" : flags->current->id;
}

/* Keeps the first. */
static void fail(struct charmi_flags *flags, const struct charm_error *error)
{
    if (flags->error.code == CHARM_OK) {
        flags->error = *error;
    }
}

static void misuse(struct charmi_flags *flags, const char *verb, const char *name, const char *why)
{
    struct charm_error error = { 0 };
    charm_error_set(&error, CHARM_EINVAL, "%s: %s flag '%s': %s", who(flags), verb, name, why);
    fail(flags, &error);
}

int charmi_flags_error(const struct charmi_flags *flags, struct charm_error *reterr)
{
    if (flags->error.code != CHARM_OK && reterr != NULL) {
        *reterr = flags->error;
    }
    return flags->error.code;
}

static bool declared(const struct charmi_flags *flags, size_t id, bool set)
{
    const struct charmi_entry *entry = flags->current;
    const size_t *ids = set ? entry->sets : entry->clears;
    size_t count = set ? entry->set_count : entry->clear_count;
    for (size_t i = 0; i < count; i++) {
        if (ids[i] == id) {
            return true;
        }
    }
    return false;
}

/* May whoever is current change this flag? If not, it is misuse. */
static bool allowed(struct charmi_flags *flags, size_t id, bool set)
{
    const char *verb = set ? "set" : "clear";
    const char *name = charmi_flags_name(flags, id);
    enum charmi_flag_kind kind = kind_of(flags, id);
    if (kind == CHARMI_LEVEL || (kind == CHARMI_EDGE && set)) {
        misuse(flags, verb, name, "it is derived from facts");
        return false;
    }
    if (flags->current != NULL && !declared(flags, id, set)) {
        misuse(flags, verb, name, "the row does not declare it");
        return false;
    }
    return true;
}

/* ---- transitions and triggers ---- */

static void note(struct charmi_flags *flags, struct change_list *list, struct charmi_change change)
{
    if (list->size == list->capacity) {
        size_t capacity = list->capacity == 0 ? 16 : 2 * list->capacity;
        struct charmi_change *larger = charm_arena_array(flags->arena, capacity, sizeof(*larger));
        if (list->size > 0) {
            memcpy(larger, list->at, list->size * sizeof(*larger));
        }
        list->at = larger;
        list->capacity = capacity;
    }
    list->at[list->size++] = change;
}

static bool same_transition(const struct firing *left, const struct firing *right)
{
    return left->id == right->id && left->set == right->set;
}

/* From the outermost to `innermost`. */
static const struct firing **path_to(struct charm_arena *arena, const struct firing *innermost)
{
    const struct firing **path = charm_arena_array(arena, innermost->depth, sizeof(void *));
    for (const struct firing *at = innermost; at != NULL; at = at->outer) {
        path[at->depth - 1] = at;
    }
    return path;
}

/* "set a, clear b, set a": the innermost round of the cycle, told from where the way to it ends. */
static const char *describe_cycle(struct charm_arena *arena, const struct firing *innermost)
{
    const struct firing **path = path_to(arena, innermost);
    size_t last = innermost->depth - 1;
    size_t start = last;
    while (start > 0 && (start == last || !same_transition(path[start], path[last]))) {
        start--;
    }
    size_t length = last - start;
    while (start > 0 && same_transition(path[start - 1], path[start - 1 + length])) {
        start--;
    }
    struct charmi_words steps = { 0 };
    for (size_t i = start; i <= start + length; i++) {
        charmi_words_add(
            arena, &steps,
            charm_arena_printf(arena, "%s '%s'", path[i]->set ? "set" : "clear", path[i]->name));
    }
    return charmi_words_join(arena, &steps, ", ");
}

static void report_cycle(struct charmi_flags *flags, const struct firing *innermost)
{
    struct charm_error error = { 0 };
    charm_error_set(&error, CHARM_ECYCLE, "%s: triggers fire one another without end: %s",
                    who(flags), describe_cycle(flags->arena, innermost));
    fail(flags, &error);
    flags->broken = true;
}

static void fire(struct charmi_flags *flags, const struct firing *outer, size_t id, bool set);

static void change(struct charmi_flags *flags, const struct firing *outer, size_t id, bool set)
{
    if (!set) {
        flags->clear_mark = true; /* also for a flag that was not set (1.3) */
    }
    if (flags->broken || flags->states[id].set == set) {
        return;
    }
    flags->states[id].set = set;
    if (flags->listener.told != NULL) {
        const struct charmi_transition transition = {
            .id = id,
            .flag = charmi_flags_name(flags, id),
            .set = set,
            .entry = flags->current,
            .cause = outer == NULL ? NULL : outer->name,
        };
        flags->listener.told(flags->listener.userdata, &transition);
    }
    note(flags, &flags->pending, (struct charmi_change){ id, set, flags->current });
    fire(flags, outer, id, set);
}

/* Effects in order: all that set, then all that clear, each with everything that follows from it (2.3). */
static void fire(struct charmi_flags *flags, const struct firing *outer, size_t id, bool set)
{
    const struct state *state = &flags->states[id];
    const struct effects effects = set ? state->up : state->down;
    const struct firing here = { .outer = outer,
                                 .name = charmi_flags_name(flags, id),
                                 .id = id,
                                 .depth = outer == NULL ? 1 : outer->depth + 1,
                                 .set = set };
    if (here.depth > DEPTH_ALLOWED + 2 * flags->count) {
        report_cycle(flags, &here);
        return;
    }
    for (size_t i = 0; i < effects.sets.size && !flags->broken; i++) {
        change(flags, &here, effects.sets.at[i], true);
    }
    for (size_t i = 0; i < effects.clears.size && !flags->broken; i++) {
        change(flags, &here, effects.clears.at[i], false);
    }
}

static const char *or_null(const char *text)
{
    return text == NULL || *text == '\0' ? NULL : text;
}

static void register_trigger(struct charmi_flags *flags, const struct charm_trigger *trigger)
{
    const char *when = or_null(trigger->when);
    const char *sets = or_null(trigger->sets);
    const char *clears = or_null(trigger->clears);
    size_t source = intern(flags, when != NULL ? when : trigger->when_not);
    size_t to_set = sets == NULL ? CHARMI_NO_NAME : intern(flags, sets);
    size_t to_clear = clears == NULL ? CHARMI_NO_NAME : intern(flags, clears);
    struct state *state = &flags->states[source];
    struct effects *effects = when != NULL ? &state->up : &state->down;
    if (sets != NULL) {
        charmi_ids_add_once(flags->arena, &effects->sets, to_set);
    }
    if (clears != NULL) {
        charmi_ids_add_once(flags->arena, &effects->clears, to_clear);
    }
}

void charmi_flags_add_trigger(struct charmi_flags *flags, const struct charm_trigger *trigger)
{
    struct charm_error error = { 0 };
    if (charmi_table_check_trigger(flags->table, trigger, &error) < 0) {
        CHARMI_IGNORE(charm_error_wrap(&error, "%s", who(flags)), "it returns the error's code");
        fail(flags, &error);
        return;
    }
    register_trigger(flags, trigger);
}

/* ---- life ---- */

struct charmi_flags *charmi_flags_new(struct charm_arena *arena, const struct charmi_table *table)
{
    struct charmi_flags *flags = charm_arena_alloc(arena, sizeof(*flags));
    flags->arena = arena;
    flags->table = table;
    flags->extra = charmi_names_new(arena, table->flag_count);
    if (table->flag_count > 0) {
        make_room(flags, table->flag_count - 1);
    }
    for (size_t i = 0; i < table->trigger_count; i++) {
        register_trigger(flags, table->triggers[i]);
    }
    return flags;
}

void charmi_flags_load(struct charmi_flags *flags, const char *name)
{
    size_t id = intern(flags, name);
    if (kind_of(flags, id) == CHARMI_REMEMBERED) {
        flags->states[id].set = true;
    }
}

void charmi_flags_load_level(struct charmi_flags *flags, const char *name)
{
    size_t id = intern(flags, name);
    if (kind_of(flags, id) == CHARMI_LEVEL) {
        flags->states[id].was_set = true;
    }
}

void charmi_flags_derive(struct charmi_flags *flags, const char *name)
{
    size_t id = intern(flags, name);
    if (kind_of(flags, id) == CHARMI_REMEMBERED) {
        misuse(flags, "derive", name, "no derivation declares it");
        return;
    }
    if (!flags->states[id].set) {
        flags->states[id].set = true;
        charmi_ids_add(flags->arena, &flags->derived, id);
    }
}

void charmi_flags_doubt(struct charmi_flags *flags, const char *name)
{
    size_t id = intern(flags, name);
    flags->states[id].doubtful = kind_of(flags, id) == CHARMI_LEVEL && !flags->states[id].set;
}

void charmi_flags_derived(struct charmi_flags *flags, enum charmi_derived how)
{
    if (how == CHARMI_DERIVED_SILENT) {
        return;
    }
    for (size_t i = 0; i < flags->derived.size; i++) {
        size_t id = flags->derived.at[i];
        if (!flags->states[id].was_set) {
            fire(flags, NULL, id, true);
        }
    }
    size_t count = flags->count; /* triggers make no new numbers, but nothing here relies on it */
    for (size_t id = 0; id < count; id++) {
        const struct state *state = &flags->states[id];
        if (state->was_set && !state->set && !state->doubtful) {
            fire(flags, NULL, id, false);
        }
    }
}

void charmi_flags_enter(struct charmi_flags *flags, const struct charmi_entry *entry)
{
    flags->current = entry;
}

const struct charmi_entry *charmi_flags_current(const struct charmi_flags *flags)
{
    return flags->current;
}

void charmi_flags_set(struct charmi_flags *flags, const char *name)
{
    size_t id = intern(flags, name);
    if (allowed(flags, id, true)) {
        change(flags, NULL, id, true);
    }
}

void charmi_flags_clear(struct charmi_flags *flags, const char *name)
{
    size_t id = intern(flags, name);
    if (allowed(flags, id, false)) {
        change(flags, NULL, id, false);
    }
}

bool charmi_flags_is_set(const struct charmi_flags *flags, const char *name)
{
    size_t id = find(flags, name);
    return id != CHARMI_NO_NAME && charmi_flags_holds(flags, id);
}

/* ---- lists ---- */

enum selection { ALL, REMEMBERED, TRIGGERED_LEVELS };

static bool selected(const struct charmi_flags *flags, size_t id, enum selection which)
{
    switch (which) {
    case REMEMBERED:
        return kind_of(flags, id) == CHARMI_REMEMBERED;
    case TRIGGERED_LEVELS:
        return kind_of(flags, id) == CHARMI_LEVEL && id < flags->table->flag_count &&
               flags->table->flags[id].triggered;
    case ALL:
        break;
    }
    return true;
}

static struct charmi_words list(const struct charmi_flags *flags, struct charm_arena *arena,
                                enum selection which)
{
    struct charmi_words words = { .at = charm_arena_array(arena, 1, sizeof(char *)) };
    for (size_t id = 0; id < flags->count; id++) {
        if (flags->states[id].set && selected(flags, id, which)) {
            charmi_words_add(arena, &words, charmi_flags_name(flags, id));
        }
    }
    charmi_words_sort(&words);
    return words;
}

struct charmi_words charmi_flags_all(const struct charmi_flags *flags, struct charm_arena *arena)
{
    return list(flags, arena, ALL);
}

struct charmi_words charmi_flags_remembered(const struct charmi_flags *flags,
                                            struct charm_arena *arena)
{
    return list(flags, arena, REMEMBERED);
}

struct charmi_words charmi_flags_levels(const struct charmi_flags *flags, struct charm_arena *arena)
{
    struct charmi_words words = list(flags, arena, TRIGGERED_LEVELS);
    for (size_t id = 0; id < flags->count; id++) {
        bool kept = flags->states[id].doubtful && flags->states[id].was_set;
        if (kept && selected(flags, id, TRIGGERED_LEVELS)) {
            charmi_words_add(arena, &words, charmi_flags_name(flags, id));
        }
    }
    charmi_words_sort(&words);
    return words;
}

struct charmi_words charmi_flags_unset(const struct charmi_flags *flags, struct charm_arena *arena,
                                       const char *const *names)
{
    struct charmi_words words = { .at = charm_arena_array(arena, 1, sizeof(char *)) };
    for (size_t i = 0; i < charmi_list_size(names); i++) {
        if (!charmi_flags_is_set(flags, names[i]) && !charmi_words_have(&words, names[i])) {
            charmi_words_add(arena, &words, names[i]);
        }
    }
    charmi_words_sort(&words);
    return words;
}

bool charmi_flags_all_set(const struct charmi_flags *flags, const char *const *names)
{
    for (size_t i = 0; i < charmi_list_size(names); i++) {
        if (!charmi_flags_is_set(flags, names[i])) {
            return false;
        }
    }
    return true;
}

bool charmi_flags_any_set(const struct charmi_flags *flags, const char *const *names)
{
    for (size_t i = 0; i < charmi_list_size(names); i++) {
        if (charmi_flags_is_set(flags, names[i])) {
            return true;
        }
    }
    return false;
}

/* ---- for dispatch ---- */

bool charmi_flags_holds(const struct charmi_flags *flags, size_t id)
{
    return id < flags->count && flags->states[id].set;
}

bool charmi_flags_take_clear_mark(struct charmi_flags *flags)
{
    bool was = flags->clear_mark;
    flags->clear_mark = false;
    return was;
}

struct charmi_listener charmi_flags_listen(struct charmi_flags *flags,
                                           struct charmi_listener listener)
{
    struct charmi_listener before = flags->listener;
    flags->listener = listener;
    return before;
}

/* ---- the watch ---- */

void charmi_flags_watch_reset(struct charmi_flags *flags)
{
    flags->iteration = 0;
    flags->changes.size = 0;
    flags->pending.size = 0;
}

void charmi_flags_watch_iteration(struct charmi_flags *flags, size_t iteration)
{
    flags->iteration = iteration;
}

void charmi_flags_watch_commit(struct charmi_flags *flags)
{
    struct change_list old = flags->changes;
    flags->changes = flags->pending;
    old.size = 0;
    flags->pending = old;
}

size_t charmi_flags_watch_at(const struct charmi_flags *flags)
{
    return flags->iteration;
}

struct charmi_changes charmi_flags_watch_changes(const struct charmi_flags *flags)
{
    return (struct charmi_changes){ flags->changes.at, flags->changes.size };
}

struct charmi_changes charmi_flags_watch_pending(const struct charmi_flags *flags)
{
    return (struct charmi_changes){ flags->pending.at, flags->pending.size };
}

bool charmi_flags_watch(const struct charmi_flags *flags, const char *const *names)
{
    if (flags->iteration == 0) {
        return true;
    }
    for (size_t i = 0; i < flags->changes.size; i++) {
        if (charmi_in(names, charmi_flags_name(flags, flags->changes.at[i].id))) {
            return true;
        }
    }
    return false;
}
