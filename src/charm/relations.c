#include "charm/relations.h"

#include <stdlib.h>
#include <string.h>

#include "charm/environment.h"

/* Refused in this many runs in a row, a listed relation counts as gone. */
#define REFUSALS_UNTIL_GONE 3

struct bag {
    bool asked;
    const struct charm_value *data; /* NULL: refused */
};

struct unit {
    struct charm_unit view;
    struct bag bag;
};

struct relation {
    struct charm_relation view;
    bool units_asked;
    struct unit *units; /* by name */
    size_t unit_count;
    const struct charm_unit **unit_views; /* NULL-ended */
    struct bag app;
    struct bag own;
    struct bag own_app;
    const char *ingress; /* NULL: not asked */
    bool refused;        /* some read of it, in this run */
    bool answered;       /* some read of it, in this run */
};

struct endpoint {
    const char *name;
    bool asked;
    bool refused;               /* relation-ids itself */
    struct relation *relations; /* by id */
    size_t relation_count;
    const struct charm_relation **views; /* NULL-ended */
    const struct charm_unit **units;     /* NULL-ended; NULL: not asked */
};

struct charmi_relations {
    struct charmi_facts *facts;
    struct charm_arena *arena;
    const struct charm_value *refused_before;
    struct endpoint *endpoints; /* as in the charm's files */
    size_t endpoint_count;
    struct charmi_words complaints;
};

static const struct charm_relation *const no_relations[] = { NULL };
static const struct charm_unit *const no_units[] = { NULL };

struct charmi_relations *charmi_relations_new(struct charmi_facts *facts,
                                              const struct charm_value *refused_before)
{
    struct charmi_relations *relations = charm_arena_alloc(facts->arena, sizeof(*relations));
    relations->facts = facts;
    relations->arena = facts->arena;
    /* the engine's memory, where it comes from, changes before the end of the run */
    relations->refused_before = charm_value_copy(facts->arena, refused_before);
    relations->endpoint_count = facts->files->endpoint_count;
    relations->endpoints = charm_arena_array(facts->arena, relations->endpoint_count + 1,
                                             sizeof(*relations->endpoints));
    for (size_t i = 0; i < relations->endpoint_count; i++) {
        relations->endpoints[i].name = facts->files->endpoints[i].name;
    }
    return relations;
}

/* ---- finding ---- */

static struct endpoint *find_endpoint(const struct charmi_relations *relations, const char *name)
{
    for (size_t i = 0; i < relations->endpoint_count; i++) {
        if (charmi_same(relations->endpoints[i].name, name)) {
            return &relations->endpoints[i];
        }
    }
    return NULL;
}

static struct relation *find_relation(const struct charmi_relations *relations, const char *id)
{
    for (size_t i = 0; i < relations->endpoint_count; i++) {
        struct endpoint *endpoint = &relations->endpoints[i];
        for (size_t k = 0; k < endpoint->relation_count; k++) {
            if (charmi_same(endpoint->relations[k].view.id, id)) {
                return &endpoint->relations[k];
            }
        }
    }
    return NULL;
}

const char *charmi_relation_endpoint(struct charm_arena *arena, const char *relation_id)
{
    const char *colon = strrchr(relation_id, ':');
    return charm_arena_copy_n(arena, relation_id,
                              colon == NULL ? strlen(relation_id) : (size_t)(colon - relation_id));
}

bool charmi_hook_of_endpoint(const char *hook, const char *endpoint)
{
    static const char *const ends[] = { "-relation-created", "-relation-joined",
                                        "-relation-changed", "-relation-departed",
                                        "-relation-broken",  NULL };
    size_t length = strlen(endpoint);
    return strncmp(hook, endpoint, length) == 0 && charmi_in(ends, hook + length);
}

/* ---- reading ---- */

/* True: answered. Refused reads are noted; anything else breaks the run. */
static bool ask(struct charmi_relations *relations, bool *refused, const char *const *argv,
                enum charmi_answer form, const struct charm_value **ret_value)
{
    struct charm_error error = { 0 };
    int r = charmi_tool_read(relations->facts->tools, argv, form, ret_value, &error);
    if (r == CHARM_EREFUSED) {
        *refused = true;
        charmi_words_add(relations->arena, &relations->complaints,
                         charm_arena_copy(relations->arena, error.text));
        return false;
    }
    if (r < 0) {
        charmi_facts_break(relations->facts, &error);
        *refused = true;
        return false;
    }
    return true;
}

static bool ask_relation(struct charmi_relations *relations, struct relation *relation,
                         const char *const *argv, enum charmi_answer form,
                         const struct charm_value **ret_value)
{
    bool answered = ask(relations, &relation->refused, argv, form, ret_value);
    relation->answered = relation->answered || answered;
    return answered;
}

static const struct charm_value *read_bag(struct charmi_relations *relations,
                                          struct relation *relation, struct bag *bag,
                                          const char *const *argv)
{
    if (!bag->asked) {
        bag->asked = true;
        const struct charm_value *data = NULL;
        if (ask_relation(relations, relation, argv, CHARMI_ANSWER_BAG, &data)) {
            bag->data = data;
        }
    }
    return bag->data;
}

/* A name that Juju cannot have given ends up in the arguments of other tools: the run is broken. */
static void nonsense(struct charmi_relations *relations, const char *what, const char *name)
{
    struct charm_error error = { 0 };
    charm_error_set(&error, CHARM_EPARSE, "%s: its answer holds '%s', which is no name that it has",
                    what, name);
    charmi_facts_break(relations->facts, &error);
}

/* Texts of a JSON list, sorted by bytes. */
static struct charmi_words sorted_texts(struct charm_arena *arena, const struct charm_value *list)
{
    struct charmi_words words = { 0 };
    for (size_t i = 0; i < charm_value_size(list); i++) {
        const char *text = charm_text(charm_value_at(list, i));
        if (!charmi_words_have(&words, text)) {
            charmi_words_add(arena, &words, text);
        }
    }
    charmi_words_sort(&words);
    return words;
}

/* ---- units ---- */

static void fill_units(struct charmi_relations *relations, struct relation *relation,
                       const struct charm_value *list)
{
    struct charmi_words names = sorted_texts(relations->arena, list);
    relation->units = charm_arena_array(relations->arena, names.size + 1, sizeof(struct unit));
    relation->unit_views =
        charm_arena_array(relations->arena, names.size + 1, sizeof(*relation->unit_views));
    relation->unit_count = names.size;
    for (size_t i = 0; i < names.size; i++) {
        if (!charmi_is_unit(names.at[i])) {
            nonsense(relations, "relation-list", names.at[i]);
        }
        relation->units[i].view =
            (struct charm_unit){ .name = names.at[i], .relation = &relation->view };
        relation->unit_views[i] = &relation->units[i].view;
    }
}

static void ask_units(struct charmi_relations *relations, struct relation *relation)
{
    if (relation->units_asked) {
        return;
    }
    relation->units_asked = true;
    const struct charm_value *list = NULL;
    if (!ask_relation(relations, relation,
                      CHARMI_ARGV("relation-list", "--format=json", "-r", relation->view.id),
                      CHARMI_ANSWER_TEXTS, &list)) {
        list = NULL;
    }
    fill_units(relations, relation, list);
}

/* ---- relations of an endpoint ---- */

/* Also refused now, a relation that has been refused often enough is gone. */
static bool is_gone(struct charmi_relations *relations, struct relation *relation)
{
    const struct charm_context *context = relations->facts->context;
    if (strcmp(context->relation_id, relation->view.id) == 0 &&
        charmi_ends_with(context->hook, "-relation-broken")) {
        return true;
    }
    int64_t before =
        charm_value_int(charm_value_get(relations->refused_before, relation->view.id), 0);
    if (before + 1 < REFUSALS_UNTIL_GONE) {
        return false;
    }
    ask_units(relations, relation);
    return relation->refused;
}

static void fill_relations(struct charmi_relations *relations, struct endpoint *endpoint,
                           const struct charm_value *list)
{
    struct charmi_words ids = sorted_texts(relations->arena, list);
    endpoint->relations =
        charm_arena_array(relations->arena, ids.size + 1, sizeof(struct relation));
    endpoint->views = charm_arena_array(relations->arena, ids.size + 1, sizeof(*endpoint->views));
    endpoint->relation_count = ids.size;
    size_t shown = 0;
    for (size_t i = 0; i < ids.size; i++) {
        const char *id = ids.at[i];
        if (strchr(id, ':') == NULL) { /* a bare number (reactive-framework.md 4.1) */
            id = charm_arena_printf(relations->arena, "%s:%s", endpoint->name, id);
        }
        if (!charmi_is_relation_id(id) ||
            strcmp(charmi_relation_endpoint(relations->arena, id), endpoint->name) != 0) {
            nonsense(relations, "relation-ids", ids.at[i]);
        }
        endpoint->relations[i].view =
            (struct charm_relation){ .id = id, .endpoint = endpoint->name };
        if (!is_gone(relations, &endpoint->relations[i])) {
            endpoint->views[shown++] = &endpoint->relations[i].view;
        }
    }
}

static struct endpoint *loaded(struct charmi_relations *relations, const char *name)
{
    struct endpoint *endpoint = find_endpoint(relations, name);
    if (endpoint == NULL || endpoint->asked) {
        return endpoint;
    }
    endpoint->asked = true;
    const struct charm_value *list = NULL;
    if (!ask(relations, &endpoint->refused, CHARMI_ARGV("relation-ids", "--format=json", name),
             CHARMI_ANSWER_TEXTS, &list)) {
        list = NULL;
    }
    fill_relations(relations, endpoint, list);
    return endpoint;
}

const struct charm_relation *const *charmi_relations_of(struct charmi_relations *relations,
                                                        const char *endpoint)
{
    struct endpoint *found = loaded(relations, endpoint);
    return found == NULL ? no_relations : found->views;
}

const struct charm_unit *const *charmi_relations_units(struct charmi_relations *relations,
                                                       const struct charm_relation *relation)
{
    struct relation *found = relation == NULL ? NULL : find_relation(relations, relation->id);
    if (found == NULL) {
        return no_units;
    }
    ask_units(relations, found);
    return found->unit_views;
}

static void gather_units(struct charmi_relations *relations, struct endpoint *endpoint)
{
    size_t count = 0;
    for (const struct charm_relation *const *at = endpoint->views; *at != NULL; at++) {
        struct relation *relation = find_relation(relations, (*at)->id);
        ask_units(relations, relation);
        count += relation->unit_count;
    }
    endpoint->units = charm_arena_array(relations->arena, count + 1, sizeof(*endpoint->units));
    size_t filled = 0;
    for (const struct charm_relation *const *at = endpoint->views; *at != NULL; at++) {
        const struct relation *relation = find_relation(relations, (*at)->id);
        for (size_t i = 0; i < relation->unit_count; i++) {
            endpoint->units[filled++] = relation->unit_views[i];
        }
    }
}

const struct charm_unit *const *charmi_relations_all_units(struct charmi_relations *relations,
                                                           const char *endpoint)
{
    struct endpoint *found = loaded(relations, endpoint);
    if (found == NULL) {
        return no_units;
    }
    if (found->units == NULL) {
        gather_units(relations, found);
    }
    return found->units;
}

/* ---- bags ---- */

const struct charm_value *charmi_relations_unit_data(struct charmi_relations *relations,
                                                     const struct charm_unit *unit)
{
    struct relation *relation = unit == NULL ? NULL : find_relation(relations, unit->relation->id);
    for (size_t i = 0; relation != NULL && i < relation->unit_count; i++) {
        if (strcmp(relation->units[i].view.name, unit->name) == 0) {
            return read_bag(relations, relation, &relation->units[i].bag,
                            CHARMI_ARGV("relation-get", "--format=json", "-r", relation->view.id,
                                        "-", unit->name));
        }
    }
    return NULL;
}

/* The application on the other side: Juju says it in relation hooks, units show it, else relation-list does. */
static const char *remote_application(struct charmi_relations *relations, struct relation *relation)
{
    const struct charm_context *context = relations->facts->context;
    if (strcmp(context->relation_id, relation->view.id) == 0 && context->remote_app[0] != '\0') {
        return context->remote_app;
    }
    ask_units(relations, relation);
    if (relation->unit_count > 0) {
        const char *unit = relation->units[0].view.name;
        return charm_arena_copy_n(relations->arena, unit, strcspn(unit, "/"));
    }
    const struct charm_value *name = NULL;
    if (!ask_relation(
            relations, relation,
            CHARMI_ARGV("relation-list", "--format=json", "-r", relation->view.id, "--app"),
            CHARMI_ANSWER_TEXT, &name)) {
        return "";
    }
    return charm_text(name);
}

const struct charm_value *charmi_relations_app_data(struct charmi_relations *relations,
                                                    const struct charm_relation *relation)
{
    struct relation *found = relation == NULL ? NULL : find_relation(relations, relation->id);
    if (found == NULL) {
        return NULL;
    }
    if (found->app.asked) {
        return found->app.data;
    }
    const char *application = remote_application(relations, found);
    if (application[0] == '\0') {
        found->app.asked = true;
        return NULL;
    }
    return read_bag(relations, found, &found->app,
                    CHARMI_ARGV("relation-get", "--format=json", "-r", found->view.id, "--app", "-",
                                application));
}

const struct charm_value *charmi_relations_own_data(struct charmi_relations *relations,
                                                    const struct charm_relation *relation)
{
    struct relation *found = relation == NULL ? NULL : find_relation(relations, relation->id);
    if (found == NULL) {
        return NULL;
    }
    return read_bag(relations, found, &found->own,
                    CHARMI_ARGV("relation-get", "--format=json", "-r", found->view.id, "-",
                                relations->facts->context->unit));
}

const struct charm_value *charmi_relations_own_app_data(struct charmi_relations *relations,
                                                        const struct charm_relation *relation)
{
    struct relation *found = relation == NULL ? NULL : find_relation(relations, relation->id);
    if (found == NULL) {
        return NULL;
    }
    return read_bag(relations, found, &found->own_app,
                    CHARMI_ARGV("relation-get", "--format=json", "-r", found->view.id, "--app", "-",
                                relations->facts->context->application));
}

/* One address; Juju gives a list when the flag is not alone, so both are read. */
static const char *first_text(const struct charm_value *value)
{
    if (charm_value_kind(value) == CHARM_LIST) {
        return charm_text(charm_value_at(value, 0));
    }
    return charm_text(value);
}

const char *charmi_relations_ingress(struct charmi_relations *relations,
                                     const struct charm_relation *relation)
{
    struct relation *found = relation == NULL ? NULL : find_relation(relations, relation->id);
    if (found == NULL) {
        return "";
    }
    if (found->ingress == NULL) {
        const struct charm_value *address = NULL;
        bool answered =
            ask_relation(relations, found,
                         CHARMI_ARGV("network-get", "--format=json", "-r", found->view.id,
                                     "--ingress-address", found->view.endpoint),
                         CHARMI_ANSWER_TEXT, &address);
        found->ingress = answered ? first_text(address) : "";
    }
    return found->ingress;
}

/* ---- what could not be known ---- */

bool charmi_relations_unknown(const struct charmi_relations *relations, const char *endpoint)
{
    const struct endpoint *found = find_endpoint(relations, endpoint);
    if (found == NULL) {
        return false;
    }
    for (size_t i = 0; i < found->relation_count; i++) {
        bool listed = false;
        for (const struct charm_relation *const *at = found->views; *at != NULL; at++) {
            listed = listed || *at == &found->relations[i].view;
        }
        if (listed && found->relations[i].refused) {
            return true;
        }
    }
    return found->refused;
}

bool charmi_relations_any_unknown(const struct charmi_relations *relations)
{
    for (size_t i = 0; i < relations->endpoint_count; i++) {
        if (charmi_relations_unknown(relations, relations->endpoints[i].name)) {
            return true;
        }
    }
    return false;
}

bool charmi_relations_refused(const struct charmi_relations *relations, const char *relation_id)
{
    const struct relation *found = find_relation(relations, relation_id);
    return found != NULL && found->refused;
}

const struct charm_value *charmi_relations_refusals(const struct charmi_relations *relations)
{
    struct charm_value *counts = charm_value_new_map(relations->arena);
    CHARM_EACH(relations->refused_before, it)
    {
        const char *name = charmi_relation_endpoint(relations->arena, it.key);
        const struct endpoint *endpoint = find_endpoint(relations, name);
        bool still_there = endpoint != NULL && (!endpoint->asked || endpoint->refused);
        const struct relation *relation = find_relation(relations, it.key);
        bool silent = relation != NULL && !relation->answered && !relation->refused;
        if (still_there || silent) {
            charm_value_set(counts, it.key, it.value);
        }
    }
    for (size_t i = 0; i < relations->endpoint_count; i++) {
        const struct endpoint *endpoint = &relations->endpoints[i];
        for (size_t k = 0; k < endpoint->relation_count; k++) {
            const struct relation *relation = &endpoint->relations[k];
            if (!relation->refused) {
                continue;
            }
            int64_t before =
                charm_value_int(charm_value_get(relations->refused_before, relation->view.id), 0);
            int64_t count = before + 1 > REFUSALS_UNTIL_GONE ? REFUSALS_UNTIL_GONE : before + 1;
            charm_value_set_int(counts, relation->view.id, count);
        }
    }
    return counts;
}

const struct charmi_words *charmi_relations_complaints(const struct charmi_relations *relations)
{
    return &relations->complaints;
}

/* ---- for people ---- */

/* More units than these are counted, not named. */
#define NAMED_UNITS 8

static const char *seen_units(const struct charmi_relations *relations,
                              const struct relation *relation)
{
    if (relation->unit_count == 0) {
        return "none";
    }
    struct charmi_words names = { 0 };
    for (size_t i = 0; i < relation->unit_count && i < NAMED_UNITS; i++) {
        charmi_words_add(relations->arena, &names, relation->units[i].view.name);
    }
    if (relation->unit_count > NAMED_UNITS) {
        charmi_words_add(
            relations->arena, &names,
            charm_arena_printf(relations->arena, "+%zu", relation->unit_count - NAMED_UNITS));
    }
    return charmi_words_join(relations->arena, &names, ",");
}

static const char *seen_relation(const struct charmi_relations *relations,
                                 const struct relation *relation)
{
    if (!relation->refused && !relation->units_asked) {
        return relation->view.id;
    }
    return charm_arena_printf(relations->arena, "%s=%s", relation->view.id,
                              relation->refused ? "refused" : seen_units(relations, relation));
}

struct charmi_words charmi_relations_seen(const struct charmi_relations *relations)
{
    struct charmi_words seen = { 0 };
    for (size_t i = 0; i < relations->endpoint_count; i++) {
        const struct endpoint *endpoint = &relations->endpoints[i];
        for (size_t k = 0; k < endpoint->relation_count; k++) {
            charmi_words_add(relations->arena, &seen,
                             seen_relation(relations, &endpoint->relations[k]));
        }
        if (endpoint->asked && endpoint->relation_count == 0) {
            charmi_words_add(relations->arena, &seen,
                             charm_arena_printf(relations->arena, "%s=%s", endpoint->name,
                                                endpoint->refused ? "refused" : "none"));
        }
    }
    return seen;
}
