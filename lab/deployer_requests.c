#include "lab/deployer_requests.h"

#include <string.h>

#include "base/text.h"

static struct lab_deployer_request *request_of(struct lab_deployer_requests *requests,
                                               const char *uuid)
{
    for (size_t i = 0; i < requests->size; i++) {
        if (charmi_same(requests->at[i].uuid, uuid)) {
            return &requests->at[i];
        }
    }
    struct lab_deployer_request *grown =
        charm_arena_array(requests->arena, requests->size + 1, sizeof(*requests->at));
    if (requests->size > 0) {
        memcpy(grown, requests->at, requests->size * sizeof(*grown));
    }
    requests->at = grown;
    requests->at[requests->size] =
        (struct lab_deployer_request){ .uuid = uuid,
                                       .manifests = charm_value_new_list(requests->arena) };
    return &requests->at[requests->size++];
}

static bool has_manifest(const struct charm_value *list, const struct charm_value *manifest)
{
    for (size_t i = 0; i < charm_value_size(list); i++) {
        if (charm_value_equal(charm_value_at(list, i), manifest)) {
            return true;
        }
    }
    return false;
}

static const char *decoded_text(struct charm_arena *arena, const struct charm_value *bag,
                                const char *key)
{
    return charm_value_scalar(arena,
                              charm_value_decode(arena, charm_text(charm_value_get(bag, key))));
}

void lab_deployer_requests_add(struct lab_deployer_requests *requests,
                               const struct charm_value *bag)
{
    struct charm_arena *arena = requests->arena;
    const struct charm_value *list =
        charm_value_decode(arena, charm_text(charm_value_get(bag, "resource")));
    if (charm_value_kind(list) != CHARM_LIST || charm_value_size(list) == 0) {
        return;
    }
    struct lab_deployer_request *request = request_of(requests, decoded_text(arena, bag, "uuid"));
    request->model_uuid = decoded_text(arena, bag, "model_uuid");
    request->juju_unit = decoded_text(arena, bag, "juju_unit");
    for (size_t i = 0; i < charm_value_size(list); i++) {
        if (!has_manifest(request->manifests, charm_value_at(list, i))) {
            charm_value_append(request->manifests, charm_value_at(list, i));
        }
    }
}

const struct charm_value *lab_deployer_asked(struct charm_arena *arena,
                                             const struct lab_relation *relation,
                                             const struct lab_application *app)
{
    struct lab_deployer_requests requests = { .arena = arena };
    struct charm_value *bags = charm_value_new_map(arena);
    struct charmi_words names = { 0 };
    for (const struct lab_seat *seat = relation->seats; seat != NULL; seat = seat->next) {
        if (seat->in_scope && seat->unit->app == app) {
            charmi_words_add(arena, &names, seat->unit->name);
            charm_value_set(bags, seat->unit->name, seat->bag.values);
        }
    }
    charmi_words_sort(&names);
    for (size_t i = 0; i < names.size; i++) {
        lab_deployer_requests_add(&requests, charm_value_get(bags, names.at[i]));
    }
    return requests.size == 0 ? NULL : requests.at[0].manifests;
}

static const char *name_of(const struct charm_value *manifest)
{
    return charm_text(charm_value_path(manifest, "metadata", "name", NULL));
}

const struct charm_value *lab_deployer_request_last(const struct charm_value *manifests,
                                                    const struct charm_value *manifest)
{
    for (size_t i = charm_value_size(manifests); i-- > 0;) {
        const struct charm_value *other = charm_value_at(manifests, i);
        if (charm_value_equal(charm_value_get(other, "kind"), charm_value_get(manifest, "kind")) &&
            charmi_same(name_of(other), name_of(manifest))) {
            return other;
        }
    }
    return manifest;
}
