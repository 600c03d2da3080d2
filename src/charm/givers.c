#include "charm/givers.h"

#include <string.h>

#define ROWS "rows"
#define GAVE "gave"
#define KEYS "keys"

/* ---- the list ---- */

static size_t layer_number(const struct charm_run *run, const struct charm_layer *layer)
{
    size_t number = 0;
    while (run->layers[number] != NULL && run->layers[number] != layer) {
        number++;
    }
    return number;
}

static bool is_lasting(const struct charmi_entry *entry)
{
    if (entry->once) {
        return false;
    }
    for (size_t i = 0; i < entry->guard_count; i++) {
        if (entry->guards[i].kind == CHARM_HOOK) {
            return false;
        }
    }
    return true;
}

void charmi_givers_init(struct charm_run *run)
{
    const struct charmi_table *table = run->table;
    run->giver_count = table->entry_count + table->output_count;
    run->givers = charm_arena_array(run->arena, run->giver_count + 1, sizeof(*run->givers));
    for (size_t i = 0; i < table->entry_count; i++) {
        const struct charmi_entry *entry = &table->entries[i];
        run->givers[i] = (struct charmi_giver){ .name = entry->id,
                                                .layer = layer_number(run, entry->layer),
                                                .may_give = is_lasting(entry) };
    }
    for (size_t i = 0; i < table->output_count; i++) {
        run->givers[table->entry_count + i] = (struct charmi_giver){
            .name = charm_arena_printf(run->arena, "%s:%s", table->output_layers[i]->name,
                                       table->outputs[i]->name),
            .layer = layer_number(run, table->output_layers[i]),
            .may_give = true,
        };
    }
}

/* ---- in the run ---- */

void charmi_givers_start(struct charm_run *run, size_t giver)
{
    run->givers[giver].runs++;
    run->current = &run->givers[giver];
    charmi_gifts_start(&run->gifts, giver, run->givers[giver].layer);
}

void charmi_givers_end(struct charm_run *run, enum charm_result result)
{
    size_t giver = (size_t)(run->current - run->givers);
    run->givers[giver].result = result;
    run->current = NULL;
    charmi_gifts_settle(&run->gifts, giver,
                        result == CHARM_DONE ? CHARMI_SETTLED_STAYS : CHARMI_SETTLED_LATER);
}

static bool holds(const struct charm_run *run, size_t giver)
{
    return giver >= run->table->entry_count ||
           charmi_holds(run->flags, &run->here, &run->table->entries[giver]);
}

/* ---- doubt ---- */

bool charmi_flag_is_doubtful(const struct charm_run *run, const char *flag)
{
    size_t id = charmi_table_flag(run->table, flag);
    bool is_term = id != CHARMI_NO_NAME && run->table->flags[id].term;
    if (is_term || strcmp(flag, CHARM_APP_STATE) == 0) {
        return run->app.status == CHARMI_APP_REFUSED;
    }
    if (charmi_table_kind(run->table, flag) != CHARMI_LEVEL ||
        charmi_starts_with(flag, "config.") || strcmp(flag, CHARM_IS_LEADER) == 0) {
        return false;
    }
    if (charmi_starts_with(flag, "endpoint.")) {
        const char *name = flag + strlen("endpoint.");
        return charmi_relations_unknown(run->relations,
                                        charm_arena_copy_n(run->arena, name, strcspn(name, ".")));
    }
    return charmi_relations_any_unknown(run->relations); /* a layer's own: it may look anywhere */
}

/* "All set" is doubtful if each missing flag is, "one of" if any is; a flag that is set is known to be. */
static bool guard_is_doubtful(const struct charm_run *run, const struct charmi_unmet *unmet)
{
    size_t doubtful = 0;
    for (size_t i = 0; i < unmet->count; i++) {
        doubtful += charmi_flag_is_doubtful(run, unmet->names[i]) ? 1 : 0;
    }
    return unmet->kind == CHARM_WHEN ? unmet->count > 0 && doubtful == unmet->count
                                     : unmet->kind == CHARM_WHEN_ANY && doubtful > 0;
}

static bool row_is_in_doubt(const struct charm_run *run, const struct charmi_entry *entry)
{
    const struct charmi_unmet *unmet = NULL;
    size_t count = charmi_unmet(run->arena, run->flags, &run->here, entry, &unmet);
    for (size_t i = 0; i < count; i++) {
        if (!guard_is_doubtful(run, &unmet[i])) {
            return false;
        }
    }
    return count > 0;
}

void charmi_givers_settle(struct charm_run *run)
{
    bool something_unknown = run->relations != NULL && charmi_relations_any_unknown(run->relations);
    for (size_t i = 0; i < run->table->entry_count; i++) {
        if (holds(run, i)) {
            continue;
        }
        if (run->givers[i].runs > 0) {
            charmi_gifts_settle(&run->gifts, i, CHARMI_SETTLED_FALLS);
        }
        run->givers[i].in_doubt =
            something_unknown && row_is_in_doubt(run, &run->table->entries[i]);
    }
}

bool charmi_giver_holds_on(const struct charm_run *run, size_t giver)
{
    const struct charmi_giver *it = &run->givers[giver];
    return it->in_doubt || (it->runs > 0 && it->result == CHARM_LATER && holds(run, giver));
}

/* ---- between runs ---- */

static void set_list(struct charm_value *map, const char *key, const struct charmi_words *words)
{
    struct charm_value *list = charm_value_add_list(map, key);
    for (size_t i = 0; i < words->size; i++) {
        charm_value_append_text(list, words->at[i]);
    }
}

/* Adds what a list of texts holds. */
static void add_list(struct charm_arena *arena, struct charmi_words *words,
                     const struct charm_value *list)
{
    for (size_t i = 0; i < charm_value_size(list); i++) {
        const char *text = charm_text(charm_value_at(list, i));
        if (!charmi_words_have(words, text)) {
            charmi_words_add(arena, words, charm_arena_copy(arena, text));
        }
    }
    charmi_words_sort(words);
}

/* A row that ended well: what it gave, if its guards hold still. */
static void remember_done(struct charm_run *run, struct charm_value *rows, size_t giver)
{
    struct charmi_words kinds = { 0 };
    struct charmi_words keys = { 0 };
    if (holds(run, giver)) {
        kinds = charmi_gifts_kinds(&run->gifts, giver);
        keys = charmi_gifts_publications(&run->gifts, giver);
    }
    struct charm_value *memory = charm_value_add_map(rows, run->givers[giver].name);
    set_list(memory, GAVE, &kinds);
    set_list(memory, KEYS, &keys);
}

/* A row that ended "later": what it gave before, and the kinds that it gave now. */
static void remember_later(struct charm_run *run, struct charm_value *rows, size_t giver)
{
    const char *name = run->givers[giver].name;
    if (charm_value_get(rows, name) == NULL) {
        return; /* it never ended well yet */
    }
    struct charm_value *memory = charmi_submap(rows, name);
    struct charmi_words kinds = charmi_gifts_kinds(&run->gifts, giver);
    add_list(run->arena, &kinds, charm_value_get(memory, GAVE));
    set_list(memory, GAVE, &kinds);
}

static void remember_fallen(struct charm_value *rows, const char *name)
{
    if (charm_value_get(rows, name) != NULL) {
        struct charmi_words nothing = { 0 };
        struct charm_value *memory = charmi_submap(rows, name);
        set_list(memory, GAVE, &nothing);
        set_list(memory, KEYS, &nothing);
    }
}

void charmi_givers_remember(struct charm_run *run)
{
    struct charm_value *rows = charmi_submap(charmi_memory(run), ROWS);
    for (size_t i = 0; i < run->giver_count; i++) {
        const struct charmi_giver *giver = &run->givers[i];
        if (!giver->may_give) {
            continue;
        }
        if (giver->in_doubt) {
            continue; /* as it was */
        }
        if (giver->runs > 0 && giver->result == CHARM_DONE) {
            remember_done(run, rows, i);
        } else if (!holds(run, i)) {
            remember_fallen(rows, giver->name);
        } else if (giver->runs > 0) {
            remember_later(run, rows, i);
        }
    }
}

/* "website hostname" and "website:3 hostname" both speak of relation website:3. */
static void add_held_key(const struct charm_run *run, const struct charm_relation *relation,
                         const char *text, struct charmi_words *keys)
{
    const char *space = strchr(text, ' ');
    if (space == NULL) {
        return;
    }
    const char *where = charm_arena_copy_n(run->arena, text, (size_t)(space - text));
    if (strcmp(where, relation->id) == 0 || strcmp(where, relation->endpoint) == 0) {
        charmi_words_add(run->arena, keys, charm_arena_copy(run->arena, space + 1));
    }
}

struct charmi_words charmi_givers_held_keys(const struct charm_run *run,
                                            const struct charm_relation *relation)
{
    struct charmi_words keys = { 0 };
    for (size_t i = 0; i < run->giver_count; i++) {
        const struct charmi_giver *giver = &run->givers[i];
        if (!charmi_giver_holds_on(run, i)) {
            continue;
        }
        const struct charm_value *published =
            charm_value_path(charmi_memory(run), ROWS, giver->name, KEYS, NULL);
        for (size_t k = 0; k < charm_value_size(published); k++) {
            add_held_key(run, relation, charm_text(charm_value_at(published, k)), &keys);
        }
    }
    return keys;
}
