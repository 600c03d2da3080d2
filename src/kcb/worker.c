/* What upper layers give and ask: include/kcb/worker.h. */
#include "kcb/worker.h"

#include "kcb/deployment.h"
#include "kcb/layer.h"

void kcb_set_worker_config(struct charm_run *run, const char *key, const char *value)
{
    charm_give(run, KCBI_GIVE_WORKER, key, charm_value_new_text(charm_arena(run), value));
}

void kcb_set_base_image(struct charm_run *run, const char *image)
{
    charm_give(run, KCBI_GIVE_IMAGE, "image", charm_value_new_text(charm_arena(run), image));
}

const char *kcb_get_worker_service(struct charm_run *run)
{
    const char *answered = kcbi_rest_answered(run);
    const char *const *addresses = kcbi_rest_addresses(run);
    if (!charm_flag_is_set(run, KCB_RUNNING) || addresses[0] == NULL) {
        return "";
    }
    return answered[0] != '\0' ? answered : addresses[0];
}

const char *kcb_get_configs_topic(struct charm_run *run)
{
    const struct kcbi_names *names = kcbi_names(run);
    return names == NULL ? "" : names->configs_topic;
}

const char *kcb_get_offsets_topic(struct charm_run *run)
{
    const struct kcbi_names *names = kcbi_names(run);
    return names == NULL ? "" : names->offsets_topic;
}

const char *kcb_get_status_topic(struct charm_run *run)
{
    const struct kcbi_names *names = kcbi_names(run);
    return names == NULL ? "" : names->status_topic;
}
