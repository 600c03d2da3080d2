/* Somebody who answers as the kubernetes-deployer charm does: how far the cluster has got is what the file says. */
#include "lab/scenario.h"

#include "lab/deployer_answer.h"
#include "lab/deployer_requests.h"

static struct lab_seat *remote_seat(struct lab_scene *scene, struct lab_relation *relation)
{
    const struct lab_side *other = lab_relation_other(relation, scene->app);
    for (struct lab_unit *unit = other->app->units; unit != NULL; unit = unit->next) {
        if (unit->life == LAB_ALIVE) {
            return lab_relation_seat(scene->model, relation, unit);
        }
    }
    return NULL;
}

bool lab_scene_answer(struct lab_scene *scene)
{
    struct lab_relation *relation = lab_scene_relation(scene, "kubernetes");
    const struct lab_deployer_wish wish = lab_deployer_wish(scene->deployer);
    const struct lab_deployer_node node = { lab_rest_host(scene->rest),
                                            lab_rest_port(scene->rest) };
    if (scene->deployer == NULL || charmi_same(wish.answer, "quiet") || relation == NULL ||
        relation->life != LAB_ALIVE) {
        return false;
    }
    struct lab_seat *seat = remote_seat(scene, relation);
    const struct charm_value *request = lab_deployer_asked(scene->arena, relation, scene->app);
    if (seat == NULL || (request == NULL && charm_value_get(seat->bag.values, "status") == NULL)) {
        return false;
    }
    struct charm_arena *arena = scene->arena;
    struct charm_value *values = charm_value_new_map(arena);
    const struct charm_value *status = lab_deployer_status(arena, &wish, &node, request);
    charm_value_set_text(values, "status", charm_value_render(arena, status, CHARM_JSON_PYTHON));
    charm_value_set_text(
        values, "workers",
        charm_value_render(arena, lab_deployer_workers(arena, &wish, &node), CHARM_JSON_PYTHON));
    const int64_t version = seat->bag.version;
    lab_scene_put(&seat->bag, values);
    return seat->bag.version != version;
}
