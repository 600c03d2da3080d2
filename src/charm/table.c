#include "charm/table.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "charm/patterns.h"

/* What is being built; the lists become the table's. */
struct builder {
    struct charm_arena *arena;
    const struct charm_value *metadata;
    struct charmi_table *table;
    struct charmi_names *names;
    struct charmi_names *entry_names;
    struct charmi_entry *entries;
    struct charmi_guard *guards;
    struct charmi_flag *flags;
};

bool charmi_guard_on_flags(enum charm_guard_kind kind)
{
    return kind == CHARM_WHEN || kind == CHARM_WHEN_ANY || kind == CHARM_WHEN_NONE ||
           kind == CHARM_WHEN_NOT_ALL;
}

static const char *guard_name(enum charm_guard_kind kind)
{
    static const char *const names[] = {
        [CHARM_WHEN] = "when",
        [CHARM_WHEN_ANY] = "any",
        [CHARM_WHEN_NONE] = "none",
        [CHARM_WHEN_NOT_ALL] = "not-all",
        [CHARM_HOOK] = "hook",
        [CHARM_ONCE] = "once",
        [CHARM_RESTRICTED] = "restricted",
        [CHARM_ACTION] = "action",
    };
    return names[kind];
}

/* ---- names ---- */

/* Lower-case letters, digits and hyphens, so that "layer.row" can be told apart. */
static bool is_plain_name(const char *name)
{
    return !charmi_blank(name) &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static bool is_edge_name(const char *name)
{
    return charmi_ends_with(name, ".changed") || strstr(name, ".changed.") != NULL ||
           charmi_ends_with(name, ".new-status");
}

/* What follows endpoint.NAME. in a flag's name, or NULL. */
static const char *endpoint_part(const char *name)
{
    if (!charmi_starts_with(name, "endpoint.")) {
        return NULL;
    }
    const char *dot = strchr(name + strlen("endpoint."), '.');
    return dot == NULL ? NULL : dot + 1;
}

/* The flags that the engine itself derives (charm/run.h). */
static enum charmi_flag_kind builtin_kind(const char *name)
{
    const char *part = endpoint_part(name);
    if (strcmp(name, "config.changed") == 0 || charmi_starts_with(name, "config.changed.") ||
        (part != NULL && (strcmp(part, "changed") == 0 || charmi_starts_with(part, "changed.")))) {
        return CHARMI_EDGE;
    }
    if (charmi_starts_with(name, "config.set.") || charmi_starts_with(name, "config.default.") ||
        strcmp(name, "leadership.is_leader") == 0 ||
        strcmp(name, "application-state.available") == 0 ||
        (part != NULL && (strcmp(part, "joined") == 0 || strcmp(part, "departed") == 0))) {
        return CHARMI_LEVEL;
    }
    return CHARMI_REMEMBERED;
}

/* ---- going through layers ---- */

static bool is_end_of_triggers(const struct charm_trigger *trigger)
{
    return trigger->when == NULL && trigger->when_not == NULL && trigger->sets == NULL &&
           trigger->clears == NULL;
}

static size_t count_triggers(const struct charm_layer *layer)
{
    size_t count = 0;
    while (layer->triggers != NULL && !is_end_of_triggers(&layer->triggers[count])) {
        count++;
    }
    return count;
}

static size_t count_derivations(const struct charm_layer *layer)
{
    size_t count = 0;
    while (layer->derivations != NULL && layer->derivations[count].name != NULL) {
        count++;
    }
    return count;
}

static size_t count_outputs(const struct charm_layer *layer)
{
    size_t count = 0;
    while (layer->outputs != NULL && layer->outputs[count].name != NULL) {
        count++;
    }
    return count;
}

/* A row's guards from its three places; END behind the last. */
struct guard_iter {
    const struct charm_row *row;
    size_t at;
};

static struct charm_guard next_guard(struct guard_iter *iter)
{
    const struct charm_row *row = iter->row;
    size_t at = iter->at++;
    if (at == 0) {
        if (row->when != NULL) {
            return (struct charm_guard){ CHARM_WHEN, row->when };
        }
        at = iter->at++;
    }
    if (at == 1) {
        if (row->unless != NULL) {
            return (struct charm_guard){ CHARM_WHEN_NONE, row->unless };
        }
        at = iter->at++;
    }
    return row->guards == NULL ? (struct charm_guard){ CHARM_GUARD_END, NULL }
                               : row->guards[at - 2];
}

static size_t count_guards(const struct charm_row *row)
{
    struct guard_iter iter = { .row = row };
    size_t count = 0;
    while (next_guard(&iter).kind != CHARM_GUARD_END) {
        count++;
    }
    return count;
}

static void *array(struct builder *b, size_t count, size_t size)
{
    return charm_arena_array(b->arena, count == 0 ? 1 : count, size);
}

/* ---- faults of layers ---- */

static int check_row(const struct charm_row *row, struct charm_error *reterr)
{
    if (!is_plain_name(row->name)) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "its name is not of lower-case letters, digits and hyphens");
    }
    if (charmi_blank(row->summary)) {
        return charm_error_set(reterr, CHARM_EINVAL, "it has no summary");
    }
    if (row->run == NULL) {
        return charm_error_set(reterr, CHARM_EINVAL, "it has no function to run");
    }
    if (count_guards(row) == 0) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "it has no guard, so nothing says when it runs");
    }
    return 0;
}

static int check_derivation(const struct charm_derivation *derivation, struct charm_error *reterr)
{
    if (charmi_blank(derivation->summary) || derivation->derive == NULL) {
        return charm_error_set(reterr, CHARM_EINVAL, "it has no summary or no function");
    }
    if (charmi_list_size(derivation->flags) + charmi_list_size(derivation->edges) == 0) {
        return charm_error_set(reterr, CHARM_EINVAL, "it names no flag that it derives");
    }
    for (size_t i = 0; i < charmi_list_size(derivation->edges); i++) {
        if (!is_edge_name(derivation->edges[i])) {
            return charm_error_set(reterr, CHARM_EINVAL,
                                   "the edge flag '%s' does not end in .changed or .new-status, "
                                   "nor hold .changed.",
                                   derivation->edges[i]);
        }
    }
    return 0;
}

static int check_output(const struct charm_output *output, struct charm_error *reterr)
{
    if (charmi_blank(output->summary) || output->compute == NULL) {
        return charm_error_set(reterr, CHARM_EINVAL, "it has no summary or no function");
    }
    return 0;
}

static int duplicate(const char *what, const char *name, struct charm_error *reterr)
{
    return charm_error_set(reterr, CHARM_EINVAL, "%s '%s': there are two of this name", what, name);
}

/* Derivations and outputs of one layer: complete, and no two of one name. */
static int check_parts(const struct charm_layer *layer, struct charm_error *reterr)
{
    for (size_t i = 0; i < count_derivations(layer); i++) {
        const char *name = layer->derivations[i].name;
        if (check_derivation(&layer->derivations[i], reterr) < 0) {
            return charm_error_wrap(reterr, "derivation '%s.%s'", layer->name, name);
        }
        for (size_t j = 0; j < i; j++) {
            if (charmi_same(layer->derivations[j].name, name)) {
                return duplicate("derivation", name, reterr);
            }
        }
    }
    for (size_t i = 0; i < count_outputs(layer); i++) {
        const char *name = layer->outputs[i].name;
        if (check_output(&layer->outputs[i], reterr) < 0) {
            return charm_error_wrap(reterr, "output '%s.%s'", layer->name, name);
        }
        for (size_t j = 0; j < i; j++) {
            if (charmi_same(layer->outputs[j].name, name)) {
                return duplicate("output", name, reterr);
            }
        }
    }
    return 0;
}

static int check_layers(struct builder *b, struct charm_error *reterr)
{
    const struct charm_layer *const *layers = b->table->layers;
    for (size_t i = 0; layers[i] != NULL; i++) {
        if (!is_plain_name(layers[i]->name)) {
            return charm_error_set(reterr, CHARM_EINVAL,
                                   "layer '%s': its name is not of lower-case letters, digits and "
                                   "hyphens",
                                   layers[i]->name == NULL ? "" : layers[i]->name);
        }
        for (size_t j = 0; j < i; j++) {
            if (charmi_same(layers[i]->name, layers[j]->name)) {
                return duplicate("layer", layers[i]->name, reterr);
            }
        }
        int r = check_parts(layers[i], reterr);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

/* ---- flags ---- */

static void intern_list(struct builder *b, const char *const *list)
{
    for (size_t i = 0; i < charmi_list_size(list); i++) {
        charmi_names_intern(b->names, list[i]);
    }
}

static void intern_row(struct builder *b, const struct charm_row *row)
{
    struct guard_iter iter = { .row = row };
    for (struct charm_guard g = next_guard(&iter); g.kind != CHARM_GUARD_END;
         g = next_guard(&iter)) {
        if (charmi_guard_on_flags(g.kind)) {
            intern_list(b, g.flags);
        }
    }
    intern_list(b, row->sets);
    intern_list(b, row->clears);
}

static void intern_trigger(struct builder *b, const struct charm_trigger *trigger)
{
    const char *const names[] = { trigger->when, trigger->when_not, trigger->sets,
                                  trigger->clears };
    for (size_t i = 0; i < CHARMI_COUNT(names); i++) {
        if (names[i] != NULL) {
            charmi_names_intern(b->names, names[i]);
        }
    }
}

static void intern_layer(struct builder *b, const struct charm_layer *layer)
{
    for (const struct charm_row *row = layer->rows; row != NULL && row->name != NULL; row++) {
        intern_row(b, row);
    }
    for (size_t i = 0; i < count_triggers(layer); i++) {
        intern_trigger(b, &layer->triggers[i]);
    }
    for (size_t i = 0; i < count_derivations(layer); i++) {
        intern_list(b, layer->derivations[i].flags);
        intern_list(b, layer->derivations[i].edges);
    }
    intern_list(b, layer->term_flags);
}

static struct charmi_flag *flag_of(struct builder *b, const char *name)
{
    return &b->flags[charmi_names_find(b->names, name)];
}

static int derive_kind(struct builder *b, const char *name, enum charmi_flag_kind kind,
                       struct charm_error *reterr)
{
    struct charmi_flag *flag = flag_of(b, name);
    if (flag->kind != CHARMI_REMEMBERED && flag->kind != kind) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "flag '%s' is derived as a level and as an edge", name);
    }
    flag->kind = kind;
    return 0;
}

static int derive_kinds(struct builder *b, const struct charm_layer *layer,
                        struct charm_error *reterr)
{
    for (size_t i = 0; i < count_derivations(layer); i++) {
        const struct charm_derivation *derivation = &layer->derivations[i];
        int r = 0;
        for (size_t j = 0; r == 0 && j < charmi_list_size(derivation->flags); j++) {
            r = derive_kind(b, derivation->flags[j], CHARMI_LEVEL, reterr);
        }
        for (size_t j = 0; r == 0 && j < charmi_list_size(derivation->edges); j++) {
            r = derive_kind(b, derivation->edges[j], CHARMI_EDGE, reterr);
        }
        if (r < 0) {
            return charm_error_wrap(reterr, "derivation '%s.%s'", layer->name, derivation->name);
        }
    }
    return 0;
}

static int mark_term_flags(struct builder *b, const struct charm_layer *layer,
                           struct charm_error *reterr)
{
    for (size_t i = 0; i < charmi_list_size(layer->term_flags); i++) {
        struct charmi_flag *flag = flag_of(b, layer->term_flags[i]);
        if (flag->kind != CHARMI_REMEMBERED) {
            return charm_error_set(reterr, CHARM_EINVAL,
                                   "layer '%s': the term flag '%s' is derived, so it has no term",
                                   layer->name, flag->name);
        }
        flag->term = true;
    }
    return 0;
}

static int build_flags(struct builder *b, struct charm_error *reterr)
{
    struct charmi_table *table = b->table;
    for (size_t i = 0; table->layers[i] != NULL; i++) {
        intern_layer(b, table->layers[i]);
    }
    table->flag_count = charmi_names_count(b->names);
    b->flags = array(b, table->flag_count, sizeof(*b->flags));
    table->flags = b->flags;
    for (size_t i = 0; i < table->flag_count; i++) {
        const char *name = charmi_names_text(b->names, i);
        b->flags[i].name = name;
        b->flags[i].kind = table->recorded ? CHARMI_REMEMBERED : builtin_kind(name);
    }
    for (size_t i = 0; table->layers[i] != NULL; i++) {
        int r = derive_kinds(b, table->layers[i], reterr);
        if (r < 0) {
            return r;
        }
    }
    for (size_t i = 0; table->layers[i] != NULL; i++) {
        int r = mark_term_flags(b, table->layers[i], reterr);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

/* ---- rows ---- */

static size_t *flag_ids(struct builder *b, const char *const *list, size_t *ret_count)
{
    struct charmi_ids ids = { 0 };
    for (size_t i = 0; i < charmi_list_size(list); i++) {
        charmi_ids_add_once(b->arena, &ids, charmi_names_find(b->names, list[i]));
    }
    *ret_count = ids.size;
    return ids.at;
}

/* May a row, or a trigger, set or clear this flag? */
static int check_effect(enum charmi_flag_kind kind, bool set, const char *name,
                        struct charm_error *reterr)
{
    if (kind == CHARMI_LEVEL || (kind == CHARMI_EDGE && set)) {
        return charm_error_set(reterr, CHARM_EINVAL, "it %s '%s', which is derived from facts",
                               set ? "sets" : "clears", name);
    }
    return 0;
}

static int check_effects(struct builder *b, const struct charmi_entry *entry,
                         struct charm_error *reterr)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < entry->set_count; i++) {
        const struct charmi_flag *flag = &b->flags[entry->sets[i]];
        r = check_effect(flag->kind, true, flag->name, reterr);
    }
    for (size_t i = 0; r == 0 && i < entry->clear_count; i++) {
        const struct charmi_flag *flag = &b->flags[entry->clears[i]];
        r = check_effect(flag->kind, false, flag->name, reterr);
    }
    return r;
}

/* Which kinds of guards a row has. */
struct guard_kinds {
    bool flags;
    bool hook;
    bool once;
    bool restricted;
    bool action;
};

static int never(const char *one, const char *other, struct charm_error *reterr)
{
    return charm_error_set(
        reterr, CHARM_EINVAL,
        "%s beside %s: it could never run, since they belong to different phases", one, other);
}

static int find_phase(const struct guard_kinds *has, bool recorded, enum charmi_phase *ret_phase,
                      struct charm_error *reterr)
{
    if (has->action && (has->hook || has->restricted)) {
        return never("an action guard", has->hook ? "a hook guard" : "a restricted one", reterr);
    }
    if (has->restricted && (has->hook || has->flags)) {
        return never("a restricted guard", has->hook ? "a hook guard" : "flag guards", reterr);
    }
    if (has->action) {
        *ret_phase = CHARMI_PHASE_ACTION;
    } else if (has->restricted) {
        *ret_phase = CHARMI_PHASE_RESTRICTED;
    } else if (has->hook && has->flags) {
        if (!recorded) {
            return never("a hook guard", "flag guards", reterr);
        }
        *ret_phase = CHARMI_PHASE_NEVER;
    } else if (has->hook) {
        *ret_phase = CHARMI_PHASE_HOOKS;
    } else if (has->flags) {
        *ret_phase = CHARMI_PHASE_OTHER;
    } else {
        if (!recorded) {
            return charm_error_set(
                reterr, CHARM_EINVAL,
                "once is its only guard: it would also run in collect-metrics, where "
                "there are no facts; add a flag or a hook");
        }
        *ret_phase = CHARMI_PHASE_ANY;
    }
    return 0;
}

static void note_kind(struct guard_kinds *has, enum charm_guard_kind kind)
{
    has->flags = has->flags || charmi_guard_on_flags(kind);
    has->hook = has->hook || kind == CHARM_HOOK;
    has->once = has->once || kind == CHARM_ONCE;
    has->restricted = has->restricted || kind == CHARM_RESTRICTED;
    has->action = has->action || kind == CHARM_ACTION;
}

static int check_guard(const struct charm_guard *guard, struct charm_error *reterr)
{
    if (guard->kind < CHARM_WHEN || guard->kind > CHARM_ACTION) {
        return charm_error_set(reterr, CHARM_EINVAL, "it has a guard of unknown kind %d",
                               (int)guard->kind);
    }
    if (guard->kind == CHARM_ONCE) {
        return guard->flags == NULL
                   ? 0
                   : charm_error_set(reterr, CHARM_EINVAL, "guard 'once' takes no list");
    }
    if (charmi_list_size(guard->flags) == 0) {
        return charm_error_set(reterr, CHARM_EINVAL, "guard '%s' has an empty list",
                               guard_name(guard->kind));
    }
    for (size_t i = 0; guard->kind == CHARM_RESTRICTED && guard->flags[i] != NULL; i++) {
        if (strcmp(guard->flags[i], CHARMI_COLLECT_METRICS) != 0 &&
            strcmp(guard->flags[i], CHARMI_METER_STATUS_CHANGED) != 0) {
            return charm_error_set(reterr, CHARM_EINVAL, "'%s' is not a restricted hook",
                                   guard->flags[i]);
        }
    }
    return 0;
}

/* Hook names of patterns. No hook of Juju has an empty name, though the framework lets '' match one (1.6). */
static int compile_patterns(struct builder *b, const char *const *patterns,
                            struct charmi_guard *guard, struct charm_error *reterr)
{
    struct charmi_words expanded = { 0 };
    int r = charmi_patterns_expand(b->arena, patterns, b->metadata, &expanded, reterr);
    struct charmi_words names = { .at = array(b, 1, sizeof(char *)) };
    for (size_t i = 0; i < expanded.size; i++) {
        if (b->table->recorded || expanded.at[i][0] != '\0') {
            charmi_words_add(b->arena, &names, expanded.at[i]);
        }
    }
    guard->names = names.at;
    return r;
}

static int compile_guard(struct builder *b, const struct charm_guard *from,
                         struct charmi_guard *guard, struct charm_error *reterr)
{
    int r = check_guard(from, reterr);
    if (r < 0) {
        return r;
    }
    guard->kind = from->kind;
    if (charmi_guard_on_flags(from->kind)) {
        guard->flags = flag_ids(b, from->flags, &guard->flag_count);
    } else if (from->kind == CHARM_HOOK) {
        r = compile_patterns(b, from->flags, guard, reterr);
    } else {
        guard->names = from->flags;
    }
    return r;
}

static int compile_row(struct builder *b, struct charmi_entry *entry, struct charm_error *reterr)
{
    int r = check_row(entry->row, reterr);
    if (r < 0) {
        return r;
    }
    struct guard_kinds has = { 0 };
    struct charmi_guard *guards = &b->guards[b->table->guard_count];
    struct guard_iter iter = { .row = entry->row };
    for (struct charm_guard g = next_guard(&iter); g.kind != CHARM_GUARD_END;
         g = next_guard(&iter)) {
        struct charmi_guard *guard = &guards[entry->guard_count];
        guard->entry = entry->index;
        r = compile_guard(b, &g, guard, reterr);
        if (r < 0) {
            return r;
        }
        note_kind(&has, g.kind);
        entry->guard_count++;
    }
    entry->guards = guards;
    entry->once = has.once;
    entry->sets = flag_ids(b, entry->row->sets, &entry->set_count);
    entry->clears = flag_ids(b, entry->row->clears, &entry->clear_count);
    b->table->guard_count += entry->guard_count;
    r = find_phase(&has, b->table->recorded, &entry->phase, reterr);
    return r < 0 ? r : check_effects(b, entry, reterr);
}

static int add_row(struct builder *b, const struct charm_layer *layer, const struct charm_row *row,
                   struct charm_error *reterr)
{
    const char *id = charm_arena_printf(b->arena, "%s.%s", layer->name, row->name);
    size_t index = b->table->entry_count;
    if (charmi_names_intern(b->entry_names, id) != index) {
        return duplicate("row", id, reterr);
    }
    struct charmi_entry *entry = &b->entries[index];
    *entry = (struct charmi_entry){ .id = id, .index = index, .row = row, .layer = layer };
    b->table->entry_count++;
    return compile_row(b, entry, reterr) < 0 ? charm_error_wrap(reterr, "row '%s'", id) : 0;
}

static int build_rows(struct builder *b, struct charm_error *reterr)
{
    size_t rows = 0;
    size_t guards = 0;
    for (size_t i = 0; b->table->layers[i] != NULL; i++) {
        const struct charm_row *row = b->table->layers[i]->rows;
        for (; row != NULL && row->name != NULL; row++) {
            guards += count_guards(row);
            rows++;
        }
    }
    b->entries = array(b, rows, sizeof(*b->entries));
    b->guards = array(b, guards, sizeof(*b->guards));
    b->table->entries = b->entries;
    b->table->guards = b->guards;
    for (size_t i = 0; b->table->layers[i] != NULL; i++) {
        const struct charm_layer *layer = b->table->layers[i];
        for (const struct charm_row *row = layer->rows; row != NULL && row->name != NULL; row++) {
            int r = add_row(b, layer, row, reterr);
            if (r < 0) {
                return r;
            }
        }
    }
    return 0;
}

/* Per flag, which guards look at it. */
static void build_watchers(struct builder *b)
{
    struct charmi_ids *lists = array(b, b->table->flag_count, sizeof(*lists));
    for (size_t i = 0; i < b->table->guard_count; i++) {
        for (size_t j = 0; j < b->guards[i].flag_count; j++) {
            charmi_ids_add(b->arena, &lists[b->guards[i].flags[j]], i);
        }
    }
    for (size_t i = 0; i < b->table->flag_count; i++) {
        b->flags[i].guards = lists[i].at;
        b->flags[i].guard_count = lists[i].size;
    }
}

static int add_actions(struct builder *b, struct charmi_names *actions, size_t *owners,
                       const struct charmi_guard *guard, struct charm_error *reterr)
{
    for (size_t i = 0; i < charmi_list_size(guard->names); i++) {
        size_t before = charmi_names_count(actions);
        size_t id = charmi_names_intern(actions, guard->names[i]);
        if (id < before && owners[id] != guard->entry) {
            return charm_error_set(
                reterr, CHARM_EINVAL, "row '%s': the action '%s' already has the row '%s'",
                b->entries[guard->entry].id, guard->names[i], b->entries[owners[id]].id);
        }
        owners[id] = guard->entry;
    }
    return 0;
}

/* Which row answers which action: one each. */
static int build_actions(struct builder *b, struct charm_error *reterr)
{
    struct charmi_names *actions = charmi_names_new(b->arena, 0);
    size_t most = 0;
    for (size_t i = 0; i < b->table->guard_count; i++) {
        most += charmi_list_size(b->guards[i].names);
    }
    size_t *owners = array(b, most, sizeof(*owners));
    for (size_t i = 0; i < b->table->guard_count; i++) {
        if (b->guards[i].kind == CHARM_ACTION) {
            int r = add_actions(b, actions, owners, &b->guards[i], reterr);
            if (r < 0) {
                return r;
            }
        }
    }
    b->table->actions = actions;
    b->table->action_entries = owners;
    return 0;
}

/* ---- triggers, derivations, outputs ---- */

static const char *or_null(const char *text)
{
    return text == NULL || *text == '\0' ? NULL : text; /* empty counts as missing (2.3) */
}

int charmi_table_check_trigger(const struct charmi_table *table,
                               const struct charm_trigger *trigger, struct charm_error *reterr)
{
    const char *when = or_null(trigger->when);
    const char *when_not = or_null(trigger->when_not);
    const char *sets = or_null(trigger->sets);
    const char *clears = or_null(trigger->clears);
    const char *source = when != NULL ? when : when_not;
    struct charm_error error = { 0 };
    int r = 0;
    if (source == NULL || (when != NULL && when_not != NULL)) {
        r = charm_error_set(&error, CHARM_EINVAL, "it must name one of 'when' and 'when_not'");
    } else if (sets == NULL && clears == NULL) {
        r = charm_error_set(&error, CHARM_EINVAL, "it sets nothing and clears nothing");
    }
    if (r == 0 && sets != NULL) {
        r = check_effect(charmi_table_kind(table, sets), true, sets, &error);
    }
    if (r == 0 && clears != NULL) {
        r = check_effect(charmi_table_kind(table, clears), false, clears, &error);
    }
    if (r < 0) {
        return charm_error_set(reterr, CHARM_EINVAL, "trigger on '%s': %s",
                               source == NULL ? "" : source, error.text);
    }
    return 0;
}

static int build_triggers(struct builder *b, struct charm_error *reterr)
{
    struct charmi_table *table = b->table;
    size_t count = 0;
    for (size_t i = 0; table->layers[i] != NULL; i++) {
        count += count_triggers(table->layers[i]);
    }
    const struct charm_trigger **list = array(b, count, sizeof(void *));
    table->triggers = list;
    for (size_t i = 0; table->layers[i] != NULL; i++) {
        const struct charm_layer *layer = table->layers[i];
        for (size_t j = 0; j < count_triggers(layer); j++) {
            const struct charm_trigger *trigger = &layer->triggers[j];
            if (charmi_table_check_trigger(table, trigger, reterr) < 0) {
                return charm_error_wrap(reterr, "layer '%s'", layer->name);
            }
            const char *when = or_null(trigger->when);
            flag_of(b, when != NULL ? when : trigger->when_not)->triggered = true;
            list[table->trigger_count++] = trigger;
        }
    }
    return 0;
}

static void build_lists(struct builder *b)
{
    struct charmi_table *table = b->table;
    size_t derivations = 0;
    size_t outputs = 0;
    for (size_t i = 0; table->layers[i] != NULL; i++) {
        derivations += count_derivations(table->layers[i]);
        outputs += count_outputs(table->layers[i]);
    }
    const struct charm_derivation **derivation_list = array(b, derivations, sizeof(void *));
    const struct charm_output **output_list = array(b, outputs, sizeof(void *));
    const struct charm_layer **owners = array(b, outputs, sizeof(void *));
    for (size_t i = 0; table->layers[i] != NULL; i++) {
        const struct charm_layer *layer = table->layers[i];
        for (size_t j = 0; j < count_derivations(layer); j++) {
            derivation_list[table->derivation_count++] = &layer->derivations[j];
        }
        for (size_t j = 0; j < count_outputs(layer); j++) {
            owners[table->output_count] = layer;
            output_list[table->output_count++] = &layer->outputs[j];
        }
    }
    table->derivations = derivation_list;
    table->outputs = output_list;
    table->output_layers = owners;
}

/* ---- the whole ---- */

static int build(struct builder *b, struct charm_error *reterr)
{
    static int (*const steps[])(struct builder * b, struct charm_error * reterr) = {
        check_layers, build_flags, build_rows, build_actions, build_triggers,
    };
    for (size_t i = 0; i < CHARMI_COUNT(steps); i++) {
        int r = steps[i](b, reterr);
        if (r != 0) {
            return r;
        }
    }
    build_watchers(b);
    build_lists(b);
    return 0;
}

int charmi_table_build(struct charm_arena *arena, const struct charm_layer *const *layers,
                       const struct charmi_table_options *options,
                       const struct charmi_table **ret_table, struct charm_error *reterr)
{
    struct charmi_table *table = charm_arena_alloc(arena, sizeof(*table));
    struct builder b = { .arena = arena,
                         .metadata = options == NULL ? NULL : options->metadata,
                         .table = table,
                         .names = charmi_names_new(arena, 0),
                         .entry_names = charmi_names_new(arena, 0) };
    table->layers = layers;
    table->names = b.names;
    table->entry_names = b.entry_names;
    table->recorded = options != NULL && options->rules == CHARMI_TABLE_RECORDED;
    struct charm_error error = { 0 };
    int r = build(&b, &error);
    if (r < 0) {
        return charm_error_set(reterr, CHARM_EINVAL, "check the charm's table: %s", error.text);
    }
    *ret_table = table;
    return 0;
}

const struct charmi_entry *charmi_table_find(const struct charmi_table *table, const char *id)
{
    size_t index = charmi_names_find(table->entry_names, id);
    return index == CHARMI_NO_NAME ? NULL : &table->entries[index];
}

const struct charmi_entry *charmi_table_find_action(const struct charmi_table *table,
                                                    const char *action)
{
    size_t id = charmi_names_find(table->actions, action);
    return id == CHARMI_NO_NAME ? NULL : &table->entries[table->action_entries[id]];
}

size_t charmi_table_flag(const struct charmi_table *table, const char *name)
{
    return charmi_names_find(table->names, name);
}

enum charmi_flag_kind charmi_table_kind(const struct charmi_table *table, const char *name)
{
    size_t id = charmi_table_flag(table, name);
    if (id != CHARMI_NO_NAME) {
        return table->flags[id].kind;
    }
    return table->recorded ? CHARMI_REMEMBERED : builtin_kind(name);
}
