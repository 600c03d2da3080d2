/*
 * The lab's `kubernetes-deployer` application over the lab's cluster.
 *
 * Reads and answers as the real charm does (reactive-framework.md 7.2, kafka-connect.md 4.5): requests are merged
 * over all units by uuid, an empty list is ignored, objects that a request does not name any more stay, and go when no
 * unit asks for anything; one refused manifest makes every application's answer an error. Only its first unit answers.
 */
#include "lab/app.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/text.h"
#include "lab/cluster.h"
#include "lab/deployer_requests.h"

#define ENDPOINT "kubernetes-deployer"
#define OWNER_LABEL "juju-app"

static const char failed_answer[] = "{\"error\": \"Could not create requested resources.\"}";

struct deployer_app {
    struct lab_cluster *cluster;
    struct lab_app *app;
    int64_t next_answer_ms;
    char *failure;              /* the answer instead of a status; own, or NULL */
    struct charm_arena *owners; /* of the words below */
    struct charmi_words uuids;  /* applications that have something in the cluster */
};

static const char metadata[] =
    "{\"name\": \"kubernetes-deployer\","
    " \"summary\": \"runs real Connect workers from what charms ask Kubernetes for\","
    " \"provides\": {\"kubernetes-deployer\": {\"interface\": \"kubernetes-deployer\"}}}";

static const char options[] =
    "{\"options\": {"
    "\"refresh-ms\": {\"type\": \"int\", \"default\": 1000, \"description\":"
    " \"least time between two answers; the real charm answers in its own hooks only\"},"
    "\"restart-back-off-ms\": {\"type\": \"int\", \"default\": 10000, \"description\":"
    " \"before the second restart of a crashing worker, read at deploy\"},"
    "\"answer\": {\"type\": \"string\", \"default\": \"\", \"description\":"
    " \"published as status, byte for byte, instead of the truth, unless empty\"}}}";

static const char *leader(struct lab_app *app)
{
    return charm_text(charm_value_at(lab_app_units(app), 0));
}

static void say(void *userdata, const char *level, const char *text)
{
    const struct deployer_app *state = userdata;
    lab_app_log(state->app, leader(state->app), level, "%s", text);
}

/* ---- what is asked ---- */

static void read_relation(struct lab_app *app, const char *relation,
                          struct lab_deployer_requests *requests)
{
    const struct charm_value *units = lab_app_remote_units(app, relation);
    for (size_t i = 0; i < charm_value_size(units); i++) {
        lab_deployer_requests_add(
            requests, lab_app_remote_bag(app, relation, charm_text(charm_value_at(units, i))));
    }
}

static struct lab_deployer_requests read_requests(struct lab_app *app)
{
    struct lab_deployer_requests requests = { .arena = lab_app_arena(app) };
    const struct charm_value *relations = lab_app_relations(app, ENDPOINT);
    for (size_t i = 0; i < charm_value_size(relations); i++) {
        read_relation(app, charm_text(charm_value_at(relations, i)), &requests);
    }
    return requests;
}

/* ---- doing it ---- */

static void set_failure(struct deployer_app *state, const char *text)
{
    free(state->failure);
    state->failure = text == NULL ? NULL : charmi_malloc(strlen(text) + 1);
    if (text != NULL) {
        memcpy(state->failure, text, strlen(text) + 1);
    }
}

/* The labels that the real charm adds, on the top object only. */
static struct charm_value *labelled(struct charm_arena *arena, const struct lab_app *app,
                                    const struct lab_deployer_request *request,
                                    const struct charm_value *manifest)
{
    struct charm_value *copy = charm_value_copy(arena, manifest);
    const struct charm_value *meta = charm_value_get(copy, "metadata");
    struct charm_value *own_meta = charm_value_new_map(arena);
    charm_value_update(own_meta, meta);
    struct charm_value *labels = charm_value_new_map(arena);
    charm_value_update(labels, charm_value_get(meta, "labels"));
    charm_value_set_text(labels, OWNER_LABEL, request->uuid);
    charm_value_set_text(labels, "deployer", lab_app_name(app));
    charm_value_set_text(labels, "model_uuid", request->model_uuid);
    charm_value_set_text(labels, "juju_unit", request->juju_unit);
    charm_value_set(own_meta, "labels", labels);
    charm_value_set_text(own_meta, "namespace", "default");
    charm_value_set(copy, "metadata", own_meta);
    return copy;
}

static void refuse(struct deployer_app *state, const char *why, const char *answer)
{
    lab_app_log(state->app, leader(state->app), "ERROR", "%s", why);
    set_failure(state, answer);
}

static void apply_one(struct deployer_app *state, const struct lab_deployer_request *request,
                      const struct charm_value *manifest)
{
    struct charm_arena *arena = lab_app_arena(state->app);
    const char *name = charm_text(charm_value_path(manifest, "metadata", "name", NULL));
    struct charm_error error = { 0 };
    if (lab_cluster_name_taken(state->cluster, name, OWNER_LABEL, request->uuid)) {
        const char *text = charm_arena_printf(arena, "Duplicate name for resource: %s", name);
        struct charm_value *answer = charm_value_new_map(arena);
        charm_value_set_text(answer, "error", text);
        refuse(state, text, charm_value_render(arena, answer, CHARM_JSON_PYTHON));
    } else if (lab_cluster_apply(state->cluster, labelled(arena, state->app, request, manifest),
                                 &error) != 0) {
        refuse(state, error.text, failed_answer);
    }
}

static bool is_asked(const struct lab_deployer_requests *requests, const char *uuid)
{
    for (size_t i = 0; i < requests->size; i++) {
        if (charmi_same(requests->at[i].uuid, uuid)) {
            return true;
        }
    }
    return false;
}

/* Each version is seen by the cluster before the next one comes, as Kubernetes' controllers would see it. */
static void apply_request(struct deployer_app *state, const struct lab_deployer_request *request)
{
    for (size_t i = 0; i < charm_value_size(request->manifests); i++) {
        apply_one(state, request, charm_value_at(request->manifests, i));
        lab_cluster_tick(state->cluster, lab_app_now_ms(state->app));
    }
}

/* Applications that ask for nothing any more: everything with their label goes. */
static void delete_unasked(struct deployer_app *state, const struct lab_deployer_requests *requests)
{
    struct charm_arena *arena = charm_arena_new();
    struct charmi_words left = { 0 };
    for (size_t i = 0; i < state->uuids.size; i++) {
        if (is_asked(requests, state->uuids.at[i])) {
            charmi_words_add(arena, &left, charm_arena_copy(arena, state->uuids.at[i]));
        } else {
            lab_cluster_delete_labelled(state->cluster, OWNER_LABEL, state->uuids.at[i]);
        }
    }
    for (size_t i = 0; i < requests->size; i++) {
        if (!charmi_words_have(&left, requests->at[i].uuid)) {
            charmi_words_add(arena, &left, charm_arena_copy(arena, requests->at[i].uuid));
        }
    }
    charm_arena_free(state->owners);
    state->owners = arena;
    state->uuids = left;
}

static void apply_all(struct deployer_app *state)
{
    const struct lab_deployer_requests requests = read_requests(state->app);
    set_failure(state, NULL);
    for (size_t i = 0; i < requests.size; i++) {
        apply_request(state, &requests.at[i]);
    }
    delete_unasked(state, &requests);
    lab_cluster_tick(state->cluster, lab_app_now_ms(state->app));
    state->next_answer_ms = 0;
}

/* ---- the answer ---- */

static const char *status_of(struct deployer_app *state, const struct lab_deployer_requests *asked)
{
    struct charm_arena *arena = lab_app_arena(state->app);
    const char *set = charm_text(lab_app_config(state->app, "answer"));
    if (set[0] != '\0') {
        return set;
    }
    if (state->failure != NULL) {
        return state->failure;
    }
    struct charm_value *list = charm_value_new_list(arena);
    for (size_t i = 0; i < asked->size; i++) {
        const struct charm_value *manifests = asked->at[i].manifests;
        for (size_t j = 0; j < charm_value_size(manifests); j++) {
            const struct charm_value *manifest = charm_value_at(manifests, j);
            const struct charm_value *live = lab_cluster_get(
                state->cluster, arena, charm_text(charm_value_get(manifest, "kind")),
                charm_text(charm_value_path(manifest, "metadata", "name", NULL)));
            charm_value_append(list, live != NULL ? live : charm_value_new_null(arena));
        }
    }
    return charm_value_render(arena, list, CHARM_JSON_PYTHON);
}

static void answer_on(struct deployer_app *state, const char *relation)
{
    struct lab_app *app = state->app;
    struct charm_arena *arena = lab_app_arena(app);
    struct charm_value *workers = charm_value_new_list(arena);
    charm_value_append_text(workers, lab_cluster_node(state->cluster));
    lab_app_set(app, relation, leader(app), "workers",
                charm_value_render(arena, workers, CHARM_JSON_PYTHON));
    struct lab_deployer_requests asked = { .arena = arena };
    read_relation(app, relation, &asked);
    const struct charm_value *own = lab_app_own_bag(app, relation, leader(app));
    if (asked.size > 0 || charm_value_get(own, "status") != NULL) {
        lab_app_set(app, relation, leader(app), "status", status_of(state, &asked));
    }
}

static void answer(struct deployer_app *state)
{
    struct lab_app *app = state->app;
    const struct charm_value *relations = lab_app_relations(app, ENDPOINT);
    for (size_t i = 0; i < charm_value_size(relations); i++) {
        answer_on(state, charm_text(charm_value_at(relations, i)));
    }
    const size_t pods = lab_cluster_pods(state->cluster);
    lab_app_set_status(app, leader(app), "active",
                       pods == 0   ? "ready, nothing deployed"
                       : pods == 1 ? "%zu worker"
                                   : "%zu workers",
                       pods);
}

/* ---- the driver's functions ---- */

static int start(struct lab_app *app, struct charm_error *reterr)
{
    struct deployer_app *state = charmi_malloc(sizeof(*state));
    *state = (struct deployer_app){ .app = app };
    lab_app_state_set(app, state);
    const struct lab_cluster_options cluster = {
        .dir = lab_app_dir(app),
        .kafka_home = lab_app_setting(app, "kafka-home"),
        .shared = lab_app_setting(app, "data"),
        .bare = charmi_same(lab_app_setting(app, "mounts"), "no"),
        .back_off_ms = charm_value_int(lab_app_config(app, "restart-back-off-ms"), 0),
        .say = say,
        .userdata = state,
    };
    return lab_cluster_new(&cluster, &state->cluster, reterr);
}

static int unit_added(struct lab_app *app, const char *unit, struct charm_error *reterr)
{
    (void)reterr;
    if (!charmi_same(unit, leader(app))) {
        lab_app_set_status(app, unit, "active", "standby, %s answers", leader(app));
    }
    return 0;
}

static int relation_changed(struct lab_app *app, const char *unit, const char *relation,
                            const char *remote_unit, struct charm_error *reterr)
{
    (void)relation;
    (void)remote_unit;
    (void)reterr;
    if (charmi_same(unit, leader(app))) {
        apply_all(lab_app_state(app));
    }
    return 0;
}

static int relation_broken(struct lab_app *app, const char *unit, const char *relation,
                           struct charm_error *reterr)
{
    return relation_changed(app, unit, relation, NULL, reterr);
}

static int config_changed(struct lab_app *app, struct charm_error *reterr)
{
    (void)reterr;
    struct deployer_app *state = lab_app_state(app);
    state->next_answer_ms = 0;
    return 0;
}

static int apply(struct lab_app *app, const struct charm_value *manifest,
                 struct charm_error *reterr)
{
    struct deployer_app *state = lab_app_state(app);
    return lab_cluster_apply(state->cluster, manifest, reterr);
}

static void tick(struct lab_app *app)
{
    struct deployer_app *state = lab_app_state(app);
    const int64_t now = lab_app_now_ms(app);
    if (state == NULL || state->cluster == NULL) {
        return;
    }
    lab_cluster_tick(state->cluster, now);
    if (now >= state->next_answer_ms) {
        state->next_answer_ms = now + charm_value_int(lab_app_config(app, "refresh-ms"), 1000);
        answer(state);
    }
}

static void stop(struct lab_app *app)
{
    struct deployer_app *state = lab_app_state(app);
    if (state == NULL) {
        return;
    }
    lab_cluster_free(state->cluster);
    charm_arena_free(state->owners);
    free(state->failure);
    free(state);
    lab_app_state_set(app, NULL);
}

const struct lab_driver lab_deployer_driver = {
    .name = "kubernetes-deployer",
    .summary = "runs real Connect workers from what charms ask Kubernetes for",
    .metadata = metadata,
    .config = options,
    .start = start,
    .unit_added = unit_added,
    .config_changed = config_changed,
    .relation_joined = relation_changed,
    .relation_changed = relation_changed,
    .relation_departed = relation_changed,
    .relation_broken = relation_broken,
    .apply = apply,
    .tick = tick,
    .stop = stop,
};
