#include "charm/derive.h"

#include <string.h>

#include "charm/bags.h"
#include "charm/givers.h"

#define CONFIG_CHANGED "config.changed"
#define SEEN "seen"

static const char *behind(const char *text, const char *start)
{
    return charmi_starts_with(text, start) ? text + strlen(start) : NULL;
}

static bool is_ordinary(const struct charm_run *run)
{
    return run->context->kind == CHARM_KIND_HOOK;
}

/* The memory of what was seen. Only an ordinary run that ends well saves it. */
static struct charm_value *seen(const struct charm_run *run, const char *what)
{
    return charmi_submap(charmi_submap(charmi_memory(run), SEEN), what);
}

/* ---- configuration ---- */

static bool config_level(struct charm_run *run, const char *flag, bool *ret_holds)
{
    const char *set = behind(flag, "config.set.");
    const char *by_default = behind(flag, "config.default.");
    if (set != NULL) {
        *ret_holds = charmi_value_is_set(charm_value_get(charmi_facts_config(&run->facts), set));
    } else if (by_default != NULL) {
        const struct charm_option *option = charmi_charmfiles_option(run->files, by_default);
        *ret_holds =
            option != NULL &&
            charmi_value_is_default(charm_value_get(charmi_facts_config(&run->facts), by_default),
                                    option->by_default);
    }
    return set != NULL || by_default != NULL;
}

static const char *digest_of(struct charm_run *run, const struct charm_value *value)
{
    const char *text = charm_value_render(run->arena, value, CHARM_JSON_SORTED);
    return charmi_salted(run->arena, charmi_salt(run), text);
}

/* Has this option another value than the last time? Remembers the new one. */
static bool option_changed(struct charm_run *run, struct charm_value *memory, bool first,
                           const struct charm_option *option)
{
    const struct charm_value *value =
        charm_value_get(charmi_facts_config(&run->facts), option->name);
    const struct charm_value *before = charm_value_get(memory, option->name);
    const char *digest = digest_of(run, value);
    bool changed = before == NULL ? first || charm_value_kind(value) != CHARM_NULL
                                  : strcmp(charm_text(before), digest) != 0;
    charm_value_set_text(memory, option->name, digest);
    return changed;
}

/* Raises a flag that somebody named. */
static void raise(struct charm_run *run, const char *flag)
{
    if (charmi_table_flag(run->table, flag) != CHARMI_NO_NAME &&
        charmi_table_kind(run->table, flag) != CHARMI_REMEMBERED) {
        charmi_flags_derive(run->flags, flag);
    }
}

static void raise_config_changes(struct charm_run *run)
{
    struct charm_value *memory = seen(run, "config");
    bool first = charm_value_size(memory) == 0;
    for (size_t i = 0; i < run->files->option_count; i++) {
        const struct charm_option *option = &run->files->options[i];
        if (option_changed(run, memory, first, option)) {
            raise(run, charm_arena_printf(run->arena, CONFIG_CHANGED ".%s", option->name));
            raise(run, CONFIG_CHANGED);
        }
    }
}

/* ---- endpoints ---- */

/* "endpoint.E.REST": gives E and REST; E may hold no dot. */
static const char *endpoint_of(struct charm_run *run, const char *flag, const char **ret_rest)
{
    const char *name = behind(flag, "endpoint.");
    const char *dot = name == NULL ? NULL : strchr(name, '.');
    if (dot == NULL) {
        return NULL;
    }
    *ret_rest = dot + 1;
    return charm_arena_copy_n(run->arena, name, (size_t)(dot - name));
}

static bool is_joined(struct charm_run *run, const char *endpoint)
{
    return charmi_relations_all_units(run->relations, endpoint)[0] != NULL;
}

/* In the departed hook it holds; else, while nothing is joined, it stays as it was. */
static bool is_departed(struct charm_run *run, const char *endpoint)
{
    const char *hook = charm_arena_printf(run->arena, "%s-relation-departed", endpoint);
    if (strcmp(run->context->hook, hook) == 0) {
        return true;
    }
    return !is_joined(run, endpoint) &&
           charm_value_true(charm_value_get(
               charm_value_path(charmi_memory(run), SEEN, "departed", NULL), endpoint));
}

static void remember_truth(struct charm_value *memory, const char *key, bool truth)
{
    if (truth) {
        charm_value_set_bool(memory, key, true);
    } else {
        charm_value_remove(memory, key);
    }
}

static bool endpoint_level(struct charm_run *run, const char *flag, bool *ret_holds)
{
    const char *rest = NULL;
    const char *endpoint = endpoint_of(run, flag, &rest);
    if (endpoint == NULL || charmi_charmfiles_endpoint(run->files, endpoint) == NULL) {
        return false;
    }
    if (strcmp(rest, "joined") == 0) {
        *ret_holds = is_joined(run, endpoint);
        return true;
    }
    if (strcmp(rest, "departed") != 0) {
        return false;
    }
    *ret_holds = is_departed(run, endpoint);
    if (is_ordinary(run)) {
        remember_truth(seen(run, "departed"), endpoint, *ret_holds);
    }
    return true;
}

/* Compares one unit's keys with those last seen; values are compared decoded (reactive-framework.md 4.3). */
static void raise_unit_changes(struct charm_run *run, const char *endpoint,
                               const struct charm_unit *unit)
{
    const struct charm_value *data = charmi_relations_unit_data(run->relations, unit);
    struct charm_value *relation = charmi_submap(seen(run, "data"), unit->relation->id);
    struct charm_value *memory = charmi_submap(relation, unit->name);
    CHARM_EACH(data, it)
    {
        const char *digest = digest_of(run, charm_value_decode(run->arena, charm_text(it.value)));
        if (strcmp(charm_text(charm_value_get(memory, it.key)), digest) != 0) {
            charm_value_set_text(memory, it.key, digest);
            raise(run, charm_arena_printf(run->arena, "endpoint.%s.changed", endpoint));
            raise(run, charm_arena_printf(run->arena, "endpoint.%s.changed.%s", endpoint, it.key));
        }
    }
}

/* A relation that is no longer listed comes back under a new id, if at all. */
static void forget_gone_relations(struct charm_run *run, const char *endpoint)
{
    struct charm_value *memory = seen(run, "data");
    struct charmi_words gone = { 0 };
    CHARM_EACH(memory, it)
    {
        bool listed = strcmp(charmi_relation_endpoint(run->arena, it.key), endpoint) != 0;
        for (const struct charm_relation *const *at = charmi_relations_of(run->relations, endpoint);
             *at != NULL; at++) {
            listed = listed || strcmp((*at)->id, it.key) == 0;
        }
        if (!listed) {
            charmi_words_add(run->arena, &gone, charm_arena_copy(run->arena, it.key));
        }
    }
    for (size_t i = 0; i < gone.size; i++) {
        charm_value_remove(memory, gone.at[i]);
    }
}

static void raise_endpoint_changes(struct charm_run *run, const char *endpoint)
{
    bool joined = is_joined(run, endpoint);
    struct charm_value *memory = seen(run, "joined");
    bool joined_before = charm_value_true(charm_value_get(memory, endpoint));
    const struct charm_unit *const *unit = charmi_relations_all_units(run->relations, endpoint);
    if (!joined_before || charmi_hook_of_endpoint(run->context->hook, endpoint)) {
        for (; *unit != NULL; unit++) {
            raise_unit_changes(run, endpoint, *unit);
        }
    }
    if (charmi_relations_unknown(run->relations, endpoint)) {
        joined = false; /* the next run looks again, whatever its hook is */
    } else {
        forget_gone_relations(run, endpoint);
    }
    remember_truth(memory, endpoint, joined);
}

/* ---- all flags ---- */

static bool own_level(struct charm_run *run, const char *flag, bool *ret_holds)
{
    if (strcmp(flag, CHARM_IS_LEADER) == 0) {
        *ret_holds = charmi_facts_leader(&run->facts);
        return true;
    }
    if (strcmp(flag, CHARM_APP_STATE) == 0) {
        *ret_holds = run->app.status == CHARMI_APP_AVAILABLE;
        return true;
    }
    return false;
}

typedef bool level_fn(struct charm_run *run, const char *flag, bool *ret_holds);

static void derive_levels(struct charm_run *run, level_fn *level)
{
    for (size_t i = 0; i < run->table->flag_count; i++) {
        const struct charmi_flag *flag = &run->table->flags[i];
        bool holds = false;
        if (flag->kind == CHARMI_LEVEL && level(run, flag->name, &holds) && holds) {
            charmi_flags_derive(run->flags, flag->name);
        }
    }
}

/* Does a layer name an edge flag that starts so? */
static bool somebody_watches(const struct charm_run *run, const char *edge)
{
    for (size_t i = 0; i < run->table->flag_count; i++) {
        const struct charmi_flag *flag = &run->table->flags[i];
        const char *rest = behind(flag->name, edge);
        if (flag->kind == CHARMI_EDGE && rest != NULL && (rest[0] == '\0' || rest[0] == '.')) {
            return true;
        }
    }
    return false;
}

static void derive_endpoint_edges(struct charm_run *run)
{
    for (size_t i = 0; i < run->files->endpoint_count; i++) {
        const char *endpoint = run->files->endpoints[i].name;
        if (somebody_watches(run,
                             charm_arena_printf(run->arena, "endpoint.%s.changed", endpoint))) {
            raise_endpoint_changes(run, endpoint);
        }
    }
}

/* Does a row or trigger wait for this flag? */
static bool is_awaited(const struct charm_run *run, const char *name)
{
    size_t id = charmi_table_flag(run->table, name);
    return id != CHARMI_NO_NAME &&
           (run->table->flags[id].guard_count > 0 || run->table->flags[id].triggered);
}

static bool any_awaited(const struct charm_run *run, const char *const *names)
{
    for (; names != NULL && *names != NULL; names++) {
        if (is_awaited(run, *names)) {
            return true;
        }
    }
    return false;
}

static void ask_derivation(struct charm_run *run, size_t index)
{
    const struct charm_derivation *outer = run->derivation;
    if (run->derived[index]) {
        return;
    }
    run->derived[index] = true;
    run->derivation = run->table->derivations[index];
    run->derivation->derive(run, run->derivation);
    run->derivation = outer;
}

/* A derivation that nobody waits for is asked when somebody asks for its flag: reading facts costs hook tool calls. */
static void derive_layers(struct charm_run *run)
{
    run->derived = charm_arena_array(run->arena, run->table->derivation_count, sizeof(bool));
    for (size_t i = 0; i < run->table->derivation_count; i++) {
        const struct charm_derivation *derivation = run->table->derivations[i];
        if (any_awaited(run, derivation->flags) || any_awaited(run, derivation->edges)) {
            ask_derivation(run, i);
        }
    }
}

void charmi_derive_when_asked(struct charm_run *run, const char *flag)
{
    for (size_t i = 0; run->derived != NULL && i < run->table->derivation_count; i++) {
        if (charmi_in(run->table->derivations[i]->flags, flag)) {
            ask_derivation(run, i);
        }
    }
}

/* Levels that a trigger names, and that a refused read may have hidden. */
static void doubt_levels(struct charm_run *run)
{
    for (size_t i = 0; i < run->table->flag_count; i++) {
        const struct charmi_flag *flag = &run->table->flags[i];
        if (flag->kind == CHARMI_LEVEL && charmi_flag_is_doubtful(run, flag->name)) {
            charmi_flags_doubt(run->flags, flag->name);
        }
    }
}

void charmi_derive_flags(struct charm_run *run)
{
    bool ordinary = is_ordinary(run);
    run->stage = CHARMI_STAGE_DERIVING;
    derive_levels(run, config_level);
    if (ordinary && somebody_watches(run, CONFIG_CHANGED)) {
        raise_config_changes(run);
    }
    derive_levels(run, own_level);
    derive_levels(run, endpoint_level);
    if (ordinary) {
        derive_endpoint_edges(run);
    }
    derive_layers(run);
    doubt_levels(run);
    charmi_flags_derived(run->flags, ordinary ? CHARMI_DERIVED_FIRE : CHARMI_DERIVED_SILENT);
}

bool charmi_derive_level(struct charm_run *run, const char *flag)
{
    bool holds = false;
    if (config_level(run, flag, &holds) || own_level(run, flag, &holds)) {
        return holds;
    }
    return endpoint_level(run, flag, &holds) && holds;
}
