/* Relations come and go: which endpoints fit, and what Juju says when they do not. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "lab/model_internal.h"

struct endpoint {
    struct lab_application *app;
    const char *name;
    const char *interface;
    enum lab_role role;
    int64_t limit; /* 0: none */
};

static const struct {
    const char *section;
    enum lab_role role;
} sections[] = {
    { "provides", LAB_PROVIDES },
    { "requires", LAB_REQUIRES },
    { "peers", LAB_PEERS },
};

/* metadata.yaml: `db: mysql` is short for `db: {interface: mysql}`. */
static const char *interface_of(const struct charm_value *declared)
{
    return charm_value_kind(declared) == CHARM_STRING
               ? charm_text(declared)
               : charm_text(charm_value_get(declared, "interface"));
}

int lab_charm_check(const struct lab_charm *charm, struct charm_error *reterr)
{
    if (charm_value_kind(charm->metadata) != CHARM_MAP) {
        return charm_error_set(reterr, CHARM_EINVAL, "read charm: metadata.yaml is not a map");
    }
    for (size_t i = 0; i < CHARMI_COUNT(sections); i++) {
        CHARM_EACH(charm_value_get(charm->metadata, sections[i].section), it)
        {
            if (interface_of(it.value)[0] == '\0') {
                return charm_error_set(reterr, CHARM_EINVAL,
                                       "read charm: metadata.yaml: %s: %s has no interface",
                                       sections[i].section, it.key);
            }
            if (charmi_same(it.key, "juju") || charmi_starts_with(it.key, "juju-")) {
                return charm_error_set(reterr, CHARM_EINVAL,
                                       "charm using a reserved relation name: \"%s\"", it.key);
            }
            for (size_t j = 0; j < i; j++) {
                if (charm_value_path(charm->metadata, sections[j].section, it.key, NULL) != NULL) {
                    return charm_error_set(reterr, CHARM_EINVAL,
                                           "charm using a duplicated relation name: \"%s\"",
                                           it.key);
                }
            }
        }
    }
    return 0;
}

static struct lab_relation *relation_new(struct lab_model *model)
{
    struct lab_relation *relation = charm_arena_alloc(model->arena, sizeof(*relation));
    relation->id = model->next_relation++;
    struct lab_relation **end = &model->relations;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = relation;
    return relation;
}

static void add_side(struct lab_model *model, struct lab_relation *relation,
                     const struct endpoint *endpoint)
{
    struct charm_arena *arena = model->arena;
    relation->side[relation->sides++] = (struct lab_side){
        .app = endpoint->app,
        .endpoint = charm_arena_copy(arena, endpoint->name),
        .interface = charm_arena_copy(arena, endpoint->interface),
        .role = endpoint->role,
        .bag = { .values = charm_value_new_map(arena) },
    };
}

static bool has_peer(struct lab_model *model, const struct lab_application *app, const char *name)
{
    for (struct lab_relation *relation = model->relations; relation != NULL;
         relation = relation->next) {
        if (relation->life != LAB_DEAD && lab_relation_is_peer(relation) &&
            relation->side[0].app == app && charmi_same(relation->side[0].endpoint, name)) {
            return true;
        }
    }
    return false;
}

static void add_peer(struct lab_model *model, struct lab_application *app, const char *name)
{
    const struct charm_value *declared = charm_value_path(app->charm.metadata, "peers", name, NULL);
    const struct endpoint endpoint = { app, name, interface_of(declared), LAB_PEERS, 0 };
    struct lab_relation *relation = relation_new(model);
    relation->revision = app->revision;
    add_side(model, relation, &endpoint);
}

int lab_model_double_peer(struct lab_model *model, struct lab_application *app,
                          const char *endpoint, struct charm_error *reterr)
{
    if (charm_value_path(app->charm.metadata, "peers", endpoint, NULL) == NULL) {
        return charm_error_set(reterr, CHARM_ENOTFOUND, "application \"%s\" has no peers \"%s\"",
                               app->name, endpoint);
    }
    add_peer(model, app, endpoint);
    return 0;
}

void lab_model_make_peers(struct lab_model *model, struct lab_application *app)
{
    CHARM_EACH(charm_value_get(app->charm.metadata, "peers"), it)
    {
        if (!has_peer(model, app, it.key)) {
            add_peer(model, app, it.key);
        }
    }
}

/* The next endpoint of `app` that is called `name` (NULL: any), provides or requires; false at the end. */
static bool endpoint_next(struct lab_application *app, const char *name, size_t *at,
                          struct endpoint *ret_endpoint)
{
    size_t index = 0;
    for (size_t i = 0; i < 2; i++) {
        CHARM_EACH(charm_value_get(app->charm.metadata, sections[i].section), it)
        {
            if (index++ < *at || (name != NULL && !charmi_same(name, it.key))) {
                continue;
            }
            *at = index;
            *ret_endpoint = (struct endpoint){
                .app = app,
                .name = it.key,
                .interface = interface_of(it.value),
                .role = sections[i].role,
                .limit = charm_value_int(charm_value_get(it.value, "limit"), 0),
            };
            return true;
        }
    }
    return false;
}

/* "app" or "app:endpoint". */
static int parse_endpoint(struct lab_model *model, const char *text,
                          struct lab_application **ret_app, const char **ret_endpoint,
                          struct charm_error *reterr)
{
    const char *colon = strchr(text, ':');
    const char *name = text;
    if (colon != NULL) {
        name = charm_arena_copy_n(model->arena, text, (size_t)(colon - text));
    }
    struct lab_application *app = lab_model_app(model, name);
    if (app == NULL) {
        return charm_error_set(reterr, CHARM_ENOTFOUND, "application \"%s\" not found", name);
    }
    const char *endpoint = colon == NULL ? NULL : colon + 1;
    size_t at = 0;
    struct endpoint found;
    if (endpoint != NULL && !endpoint_next(app, endpoint, &at, &found)) {
        return charm_error_set(reterr, CHARM_ENOTFOUND, "application \"%s\" has no \"%s\" relation",
                               name, endpoint);
    }
    *ret_app = app;
    *ret_endpoint = endpoint;
    return 0;
}

static const char *pair_text(struct lab_model *model, const struct endpoint *left,
                             const struct endpoint *right)
{
    return charm_arena_printf(model->arena, "%s:%s %s:%s", left->app->name, left->name,
                              right->app->name, right->name);
}

static int find_pair(struct lab_model *model, const char *left_text, const char *right_text,
                     struct endpoint ret_pair[2], struct charm_error *reterr)
{
    struct lab_application *apps[2];
    const char *names[2];
    if (parse_endpoint(model, left_text, &apps[0], &names[0], reterr) != 0 ||
        parse_endpoint(model, right_text, &apps[1], &names[1], reterr) != 0) {
        return charm_error_wrap(reterr, "integrate %s %s", left_text, right_text);
    }
    int found = 0;
    const char *candidates = "";
    struct endpoint left;
    for (size_t i = 0; endpoint_next(apps[0], names[0], &i, &left);) {
        struct endpoint right;
        for (size_t j = 0; endpoint_next(apps[1], names[1], &j, &right);) {
            if (left.role != right.role && charmi_same(left.interface, right.interface)) {
                const char *pair = pair_text(model, &left, &right);
                candidates = charm_arena_printf(model->arena, "%s%s\"%s\"", candidates,
                                                found == 0 ? "" : "; ", pair);
                if (found++ == 0) {
                    ret_pair[0] = left;
                    ret_pair[1] = right;
                }
            }
        }
    }
    if (found == 0) {
        return charm_error_set(reterr, CHARM_ENOTFOUND, "integrate %s %s: no relations found",
                               left_text, right_text);
    }
    if (found > 1) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "ambiguous relation: \"%s %s\" could refer to %s", left_text,
                               right_text, candidates);
    }
    return 0;
}

static bool uses(struct lab_relation *relation, const struct endpoint *endpoint)
{
    const struct lab_side *side = lab_relation_own(relation, endpoint->app);
    return relation->life != LAB_DEAD && side != NULL &&
           charmi_same(side->endpoint, endpoint->name);
}

static int check_limit(struct lab_model *model, const struct endpoint *endpoint,
                       struct charm_error *reterr)
{
    int64_t count = 0;
    for (struct lab_relation *relation = model->relations; relation != NULL;
         relation = relation->next) {
        count += uses(relation, endpoint) ? 1 : 0;
    }
    if (endpoint->limit > 0 && count >= endpoint->limit) {
        return charm_error_set(reterr, CHARM_EREFUSED,
                               "establishing a new relation for %s:%s would exceed its maximum "
                               "relation limit of %lld (quota limit exceeded)",
                               endpoint->app->name, endpoint->name, (long long)endpoint->limit);
    }
    return 0;
}

int lab_model_relate(struct lab_model *model, const char *left, const char *right,
                     struct lab_relation **ret_relation, struct charm_error *reterr)
{
    struct endpoint pair[2];
    const int code = find_pair(model, left, right, pair, reterr);
    if (code != 0) {
        return code;
    }
    if (pair[0].app == pair[1].app) {
        return charm_error_set(reterr, CHARM_EREFUSED,
                               "cannot add relation \"%s\": an application cannot be related to "
                               "itself",
                               pair_text(model, &pair[0], &pair[1]));
    }
    if (pair[0].app->life != LAB_ALIVE || pair[1].app->life != LAB_ALIVE) {
        return charm_error_set(reterr, CHARM_EREFUSED,
                               "cannot add relation \"%s\": an application is not alive",
                               pair_text(model, &pair[0], &pair[1]));
    }
    for (struct lab_relation *relation = model->relations; relation != NULL;
         relation = relation->next) {
        if (uses(relation, &pair[0]) && uses(relation, &pair[1])) {
            return charm_error_set(reterr, CHARM_EREFUSED,
                                   "cannot add relation \"%s\": relation already exists",
                                   pair_text(model, &pair[0], &pair[1]));
        }
    }
    for (int i = 0; i < 2; i++) {
        if (check_limit(model, &pair[i], reterr) != 0) {
            return charm_error_wrap(reterr, "cannot add relation \"%s\"",
                                    pair_text(model, &pair[0], &pair[1]));
        }
    }
    struct lab_relation *relation = relation_new(model);
    const int provider = pair[0].role == LAB_PROVIDES ? 0 : 1;
    add_side(model, relation, &pair[provider]);
    add_side(model, relation, &pair[1 - provider]);
    *ret_relation = relation;
    return 0;
}

/* Does the relation lie between these two, each "app" or "app:endpoint"? */
static bool lies_between(const struct lab_relation *relation, struct lab_application *const apps[2],
                         const char *const names[2])
{
    for (int turn = 0; turn < 2 && relation->sides == 2; turn++) {
        bool fits = true;
        for (int i = 0; i < 2; i++) {
            const struct lab_side *side = &relation->side[(i + turn) % 2];
            fits = fits && side->app == apps[i] &&
                   (names[i] == NULL || charmi_same(names[i], side->endpoint));
        }
        if (fits) {
            return true;
        }
    }
    return false;
}

int lab_model_remove_relation(struct lab_model *model, const char *left, const char *right,
                              struct charm_error *reterr)
{
    struct lab_application *apps[2];
    const char *names[2];
    if (parse_endpoint(model, left, &apps[0], &names[0], reterr) != 0 ||
        parse_endpoint(model, right, &apps[1], &names[1], reterr) != 0) {
        return charm_error_wrap(reterr, "remove relation %s %s", left, right);
    }
    struct lab_relation *found = NULL;
    for (struct lab_relation *relation = model->relations; relation != NULL;
         relation = relation->next) {
        if (relation->life != LAB_DEAD && lies_between(relation, apps, names)) {
            if (found != NULL) {
                return charm_error_set(reterr, CHARM_EINVAL,
                                       "remove relation %s %s: several relations fit; name the "
                                       "endpoints (app:endpoint)",
                                       left, right);
            }
            found = relation;
        }
    }
    if (found == NULL) {
        return charm_error_set(reterr, CHARM_ENOTFOUND, "relation \"%s %s\" not found", left,
                               right);
    }
    found->life = LAB_DYING;
    lab_model_sweep(model);
    return 0;
}
