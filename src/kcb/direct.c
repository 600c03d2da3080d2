/* The direct calls of kcb/connector.h: one request, one answer, nothing remembered. */
#include "kcb/connectors.h"
#include "kcb/kcb.h"
#include "kcb/rest.h"

static int get(struct charm_run *run, const char *path, struct kcb_answer *ret_answer,
               struct charm_error *reterr)
{
    struct kcbi_rest rest = kcbi_rest_of(run, KCBI_AS_LEADER);
    struct kcbi_reply reply;
    const int result = kcbi_rest_get(&rest, path, &reply, reterr);
    if (result == 0) {
        *ret_answer = (struct kcb_answer){ .status = reply.status, .body = reply.body };
    }
    return result;
}

static int write_to(struct charm_run *run, const char *method, const char *path,
                    const struct charm_value *body, struct kcb_answer *ret_answer,
                    struct charm_error *reterr)
{
    struct kcbi_rest rest = kcbi_rest_of(run, KCBI_AS_LEADER);
    struct kcbi_reply reply;
    const int result = kcbi_rest_write(&rest, method, path, body, &reply, reterr);
    if (result == 0) {
        *ret_answer = (struct kcb_answer){ .status = reply.status, .body = reply.body };
    }
    return result;
}

/* The path of a connector, unless nobody can be called so. */
static int path_of(struct charm_run *run, const char *name, const char *rest, const char **ret_path,
                   struct charm_error *reterr)
{
    const int result = kcbi_check_connector_name(name, reterr);
    if (result == 0) {
        *ret_path = kcbi_connector_path(charm_arena(run), name, rest);
    }
    return result;
}

static int get_named(struct charm_run *run, const char *name, const char *rest,
                     struct kcb_answer *ret_answer, struct charm_error *reterr)
{
    const char *path;
    const int result = path_of(run, name, rest, &path, reterr);
    return result == 0 ? get(run, path, ret_answer, reterr) : result;
}

static int write_named(struct charm_run *run, const char *method, const char *name,
                       const char *rest, struct kcb_answer *ret_answer, struct charm_error *reterr)
{
    const char *path;
    const int result = path_of(run, name, rest, &path, reterr);
    return result == 0 ? write_to(run, method, path, NULL, ret_answer, reterr) : result;
}

int kcb_register_connector(struct charm_run *run, const char *name,
                           const struct charm_value *config, struct kcb_answer *ret_answer,
                           struct charm_error *reterr)
{
    struct charm_value *texts = NULL;
    const char *path;
    int result = path_of(run, name, "/config", &path, reterr);
    if (result == 0) {
        result = kcbi_connector_texts(charm_arena(run), name, config, &texts, reterr);
    }
    if (result != 0) {
        return result;
    }
    return write_to(run, "PUT", path, texts, ret_answer, reterr);
}

int kcb_unregister_connector(struct charm_run *run, const char *name, struct kcb_answer *ret_answer,
                             struct charm_error *reterr)
{
    return write_named(run, "DELETE", name, "", ret_answer, reterr);
}

int kcb_list_connectors(struct charm_run *run, struct kcb_answer *ret_answer,
                        struct charm_error *reterr)
{
    return get(run, "/connectors", ret_answer, reterr);
}

int kcb_connector_status(struct charm_run *run, const char *name, struct kcb_answer *ret_answer,
                         struct charm_error *reterr)
{
    return get_named(run, name, "/status", ret_answer, reterr);
}

int kcb_connector_restart(struct charm_run *run, const char *name, struct kcb_answer *ret_answer,
                          struct charm_error *reterr)
{
    return write_named(run, "POST", name, "/restart", ret_answer, reterr);
}

int kcb_connector_pause(struct charm_run *run, const char *name, struct kcb_answer *ret_answer,
                        struct charm_error *reterr)
{
    return write_named(run, "PUT", name, "/pause", ret_answer, reterr);
}

int kcb_connector_resume(struct charm_run *run, const char *name, struct kcb_answer *ret_answer,
                         struct charm_error *reterr)
{
    return write_named(run, "PUT", name, "/resume", ret_answer, reterr);
}

int kcb_list_tasks(struct charm_run *run, const char *name, struct kcb_answer *ret_answer,
                   struct charm_error *reterr)
{
    return get_named(run, name, "/tasks", ret_answer, reterr);
}
