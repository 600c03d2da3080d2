#include "charm/appstate.h"

#include <string.h>

static int64_t number_of(const struct charm_relation *relation)
{
    const char *colon = strrchr(relation->id, ':');
    int64_t number = -1;
    if (colon != NULL && !charmi_parse_int(colon + 1, 0, INT64_MAX, &number)) {
        return -1;
    }
    return number;
}

/* The youngest one, of those that are older than `than`, unless that is NULL. */
static const struct charm_relation *youngest(const struct charm_relation *const *list,
                                             const struct charm_relation *than)
{
    const struct charm_relation *found = NULL;
    for (; *list != NULL; list++) {
        if ((than == NULL || number_of(*list) < number_of(than)) &&
            (found == NULL || number_of(*list) > number_of(found))) {
            found = *list;
        }
    }
    return found;
}

/* What an older relation still holds is the application's until the leader has carried it over. */
static void read_older(struct charmi_appstate *app, struct charmi_relations *relations,
                       const struct charm_relation *const *list)
{
    const struct charm_relation *older = youngest(list, app->relation);
    while (older != NULL && app->raw != NULL && charm_value_size(app->raw) == 0) {
        app->raw = charmi_relations_own_app_data(relations, older);
        older = youngest(list, older);
    }
}

/* After refresh, rollback and refresh again two may be listed (juju-contract.md 9.1): the younger one lives. */
static void read_bag(struct charmi_appstate *app, struct charmi_relations *relations,
                     const char *peer)
{
    const struct charm_relation *const *list = charmi_relations_of(relations, peer);
    app->relation = youngest(list, NULL);
    if (app->relation == NULL) {
        app->status =
            charmi_relations_unknown(relations, peer) ? CHARMI_APP_REFUSED : CHARMI_APP_ABSENT;
        return;
    }
    app->there = charmi_relations_own_app_data(relations, app->relation);
    app->raw = app->there;
    read_older(app, relations, list);
    app->status = app->raw == NULL ? CHARMI_APP_REFUSED : CHARMI_APP_AVAILABLE;
}

static void carry_over(struct charmi_appstate *app, struct charmi_facts *facts)
{
    if (app->raw != app->there && charmi_facts_leader(facts)) {
        charm_value_update(app->wanted, app->raw);
    }
}

static void read_term(struct charmi_appstate *app, struct charmi_facts *facts)
{
    const struct charm_value *stored = charmi_appstate_get(app, CHARMI_APP_LEADER);
    app->term = charm_value_int(charm_value_get(stored, "term"), 0);
    app->leader = charm_text(charm_value_get(stored, "unit"));
    const char *unit = facts->context->unit;
    if (!charmi_facts_leader(facts) || strcmp(app->leader, unit) == 0) {
        return;
    }
    app->term++;
    app->leader = unit;
    struct charm_value *fresh = charm_value_new_map(app->arena);
    charm_value_set_int(fresh, "term", app->term);
    charm_value_set_text(fresh, "unit", unit);
    charmi_appstate_want(app, CHARMI_APP_LEADER, fresh);
}

void charmi_appstate_load(struct charmi_appstate *app, struct charmi_relations *relations,
                          struct charmi_facts *facts)
{
    *app = (struct charmi_appstate){
        .arena = facts->arena,
        .status = CHARMI_APP_ABSENT,
        .wanted = charm_value_new_map(facts->arena),
        .leader = "",
    };
    const struct charm_endpoint *peer = charmi_charmfiles_peer(facts->files);
    if (peer == NULL || strcmp(facts->context->hook, "install") == 0) {
        return;
    }
    read_bag(app, relations, peer->name);
    if (app->status == CHARMI_APP_AVAILABLE) {
        carry_over(app, facts);
        read_term(app, facts);
    }
}

const struct charm_value *charmi_appstate_get(const struct charmi_appstate *app, const char *key)
{
    const struct charm_value *text = charm_value_get(app->raw, key);
    if (text == NULL || charm_text(text)[0] == '\0') {
        return NULL;
    }
    return charm_value_decode(app->arena, charm_text(text));
}

void charmi_appstate_want(struct charmi_appstate *app, const char *key,
                          const struct charm_value *value)
{
    const char *text =
        value == NULL ? "" : charm_value_render(app->arena, value, CHARM_JSON_SORTED);
    charm_value_set_text(app->wanted, key, text);
}

const struct charm_value *charmi_appstate_changes(const struct charmi_appstate *app)
{
    struct charm_value *changes = charm_value_new_map(app->arena);
    CHARM_EACH(app->wanted, it)
    {
        if (strcmp(charm_text(charm_value_get(app->there, it.key)), charm_text(it.value)) != 0) {
            charm_value_set_text(changes, it.key, charm_text(it.value));
        }
    }
    return changes;
}
