/* Juju's secrets of a scenario: `secrets` of given; `secret`, `grant-secret`, `revoke-secret`, `remove-secret` of a step. */
#include "lab/scenario.h"
#include "lab/secrets.h"

int lab_scene_secrets(struct lab_scene *scene, const struct charm_value *secrets,
                      struct charm_error *reterr)
{
    CHARM_EACH(secrets, it)
    {
        struct lab_secret *secret;
        int code = lab_secret_add(scene->model, it.key, it.value, &secret, reterr);
        if (code == 0) {
            code = lab_secret_grant(scene->model, it.key, scene->app->name, true, reterr);
        }
        if (code != 0) {
            return charm_error_wrap(reterr, "secrets");
        }
    }
    return 0;
}

/* A new one is granted to nobody. */
static int put_secrets(struct lab_scene *scene, const struct charm_value *secrets,
                       struct charm_error *reterr)
{
    CHARM_EACH(secrets, it)
    {
        struct lab_secret *secret = lab_secret_find(scene->model, it.key);
        const int code = secret == NULL
                             ? lab_secret_add(scene->model, it.key, it.value, &secret, reterr)
                             : lab_secret_update(scene->model, it.key, it.value, reterr);
        if (code != 0) {
            return charm_error_wrap(reterr, "secret");
        }
    }
    return 0;
}

int lab_scene_change_secrets(struct lab_scene *scene, const struct charm_value *step,
                             struct charm_error *reterr)
{
    const char *granted = charm_text(charm_value_get(step, "grant-secret"));
    const char *revoked = charm_text(charm_value_get(step, "revoke-secret"));
    const char *removed = charm_text(charm_value_get(step, "remove-secret"));
    const char *app = scene->app->name;
    int code = put_secrets(scene, charm_value_get(step, "secret"), reterr);
    if (code == 0 && granted[0] != '\0') {
        code = lab_secret_grant(scene->model, granted, app, true, reterr);
    }
    if (code == 0 && revoked[0] != '\0') {
        code = lab_secret_grant(scene->model, revoked, app, false, reterr);
    }
    if (code == 0 && removed[0] != '\0') {
        code = lab_secret_remove(scene->model, removed, reterr);
    }
    return code;
}
