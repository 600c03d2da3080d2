#include "charm/environment.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* Longest text that Juju could mean; more is somebody's mistake, and would end up in messages. */
#define VARIABLE_MAX 4096

/* Where each field comes from: juju-contract.md 1.5, as Juju's worker/uniter/runner/context builds it. */
struct source {
    size_t offset;
    const char *variable;
    const char *or_else; /* an equal variable of older agents, or NULL */
};

#define FIELD(name) offsetof(struct charm_context, name)

static const struct source sources[] = {
    { FIELD(hook), "JUJU_HOOK_NAME", NULL }, /* empty in actions and juju exec */
    { FIELD(action), "JUJU_ACTION_NAME", NULL },
    { FIELD(unit), "JUJU_UNIT_NAME", NULL },
    { FIELD(model), "JUJU_MODEL_NAME", NULL },
    { FIELD(model_uuid), "JUJU_MODEL_UUID", NULL },
    { FIELD(charm_dir), "JUJU_CHARM_DIR", "CHARM_DIR" },
    { FIELD(juju_version), "JUJU_VERSION", NULL }, /* not set in meter-status-changed */
    { FIELD(relation), "JUJU_RELATION", NULL },    /* relation hooks only, as all that follow */
    { FIELD(relation_id), "JUJU_RELATION_ID", NULL },
    { FIELD(remote_app), "JUJU_REMOTE_APP", NULL },
    { FIELD(remote_unit), "JUJU_REMOTE_UNIT", NULL }, /* empty: created, broken, application data */
    { FIELD(departing_unit), "JUJU_DEPARTING_UNIT", NULL },
};

static const char **field(struct charm_context *context, size_t offset)
{
    return (const char **)(void *)((char *)context + offset);
}

/* The value of a variable, or NULL. */
static const char *find(const char *const *variables, const char *name)
{
    size_t length = strlen(name);
    for (const char *const *at = variables; at != NULL && *at != NULL; at++) {
        if (strncmp(*at, name, length) == 0 && (*at)[length] == '=') {
            return *at + length + 1;
        }
    }
    return NULL;
}

static const char *find_or(const char *const *variables, const char *name, const char *or_else)
{
    const char *value = find(variables, name);
    if ((value == NULL || value[0] == '\0') && or_else != NULL) {
        value = find(variables, or_else);
    }
    return value == NULL ? "" : value;
}

static int check_plain(const char *variable, const char *value, struct charm_error *reterr)
{
    size_t size = strlen(value);
    if (size > VARIABLE_MAX) {
        return charm_error_set(reterr, CHARM_EINVAL, "read the environment: %s has %zu bytes",
                               variable, size);
    }
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)value[i] < 0x20) {
            return charm_error_set(reterr, CHARM_EINVAL,
                                   "read the environment: %s holds a control character", variable);
        }
    }
    if (!charmi_utf8_valid(value, size)) {
        return charm_error_set(reterr, CHARM_EINVAL, "read the environment: %s is not UTF-8",
                               variable);
    }
    return 0;
}

static bool all_digits(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

bool charmi_is_unit(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    size_t name = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return name > 0 && strchr(letters, text[0]) != NULL && text[name] == '/' &&
           all_digits(text + name + 1);
}

bool charmi_is_relation_id(const char *text)
{
    const char *colon = strrchr(text, ':');
    return colon != NULL && colon != text && all_digits(colon + 1);
}

static bool is_name(const char *text)
{
    return text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_")] == '\0';
}

static int check_name(const char *what, const char *name, struct charm_error *reterr)
{
    if (!is_name(name)) {
        return charm_error_set(reterr, CHARM_EINVAL, "read the environment: '%s' is no name of %s",
                               name, what);
    }
    return 0;
}

/* What a path says: its last two parts are FOLDER/NAME. NULL if they are not. */
static const char *name_in_folder(const char *path, const char *folder)
{
    const char *slash = strrchr(path, '/');
    size_t length = strlen(folder);
    if (slash == NULL || (size_t)(slash - path) < length ||
        strncmp(slash - length, folder, length) != 0) {
        return NULL;
    }
    if ((size_t)(slash - path) > length && slash[-(ptrdiff_t)length - 1] != '/') {
        return NULL;
    }
    return slash[1] == '\0' ? NULL : slash + 1;
}

/* Hook and action by JUJU_DISPATCH_PATH or by the program's path, where Juju's own names are silent. */
static void name_from_path(struct charm_context *context, const char *path)
{
    if (context->hook[0] != '\0' || context->action[0] != '\0') {
        return;
    }
    const char *hook = name_in_folder(path, "hooks");
    const char *action = name_in_folder(path, "actions");
    if (hook != NULL) {
        context->hook = hook;
    } else if (action != NULL) {
        context->action = action;
    }
}

static enum charm_run_kind kind_of(const struct charm_context *context, bool juju_is_around)
{
    if (!juju_is_around) {
        return CHARM_KIND_HAND;
    }
    if (context->action[0] != '\0') {
        return CHARM_KIND_ACTION;
    }
    if (context->hook[0] == '\0') {
        return CHARM_KIND_EXEC;
    }
    bool restricted = strcmp(context->hook, "collect-metrics") == 0 ||
                      strcmp(context->hook, "meter-status-changed") == 0;
    return restricted ? CHARM_KIND_RESTRICTED : CHARM_KIND_HOOK;
}

static int check_juju(const struct charm_context *context, struct charm_error *reterr)
{
    if (!charmi_is_unit(context->unit)) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "read the environment: JUJU_UNIT_NAME '%s' is no unit",
                               context->unit);
    }
    if (context->charm_dir[0] != '/') {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "read the environment: JUJU_CHARM_DIR '%s' is no absolute path",
                               context->charm_dir);
    }
    if (context->relation_id[0] != '\0' && !charmi_is_relation_id(context->relation_id)) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "read the environment: JUJU_RELATION_ID '%s' is no relation id",
                               context->relation_id);
    }
    int r = check_name("a hook", context->hook, reterr);
    return r < 0 ? r : check_name("an action", context->action, reterr);
}

static int read_fields(struct charm_arena *arena, const char *const *variables,
                       struct charm_context *context, struct charm_error *reterr)
{
    for (size_t i = 0; i < CHARMI_COUNT(sources); i++) {
        const char *value = find_or(variables, sources[i].variable, sources[i].or_else);
        int r = check_plain(sources[i].variable, value, reterr);
        if (r < 0) {
            return r;
        }
        *field(context, sources[i].offset) = charm_arena_copy(arena, value);
    }
    return 0;
}

int charmi_environment_read(struct charm_arena *arena, const char *const *variables,
                            const char *program, struct charm_context *ret_context,
                            struct charm_error *reterr)
{
    struct charm_context context = { 0 };
    int r = read_fields(arena, variables, &context, reterr);
    if (r < 0) {
        return r;
    }
    const char *path = charm_arena_copy(arena, program == NULL ? "" : program);
    r = check_plain("the program's name", path, reterr);
    if (r < 0) {
        return r;
    }
    const char *slash = strrchr(path, '/');
    context.program = slash == NULL ? path : slash + 1;
    context.application = charm_arena_copy_n(arena, context.unit, strcspn(context.unit, "/"));

    const char *dispatch = find_or(variables, "JUJU_DISPATCH_PATH", NULL);
    r = check_plain("JUJU_DISPATCH_PATH", dispatch, reterr);
    if (r < 0) {
        return r;
    }
    name_from_path(&context, charm_arena_copy(arena, dispatch));
    /* Under `juju exec` the variable is there and empty: hooks/NAME, called so, is no hook (decision 4). */
    if (find(variables, "JUJU_HOOK_NAME") == NULL) {
        name_from_path(&context, path);
    }

    bool juju_is_around = find_or(variables, "JUJU_CONTEXT_ID", NULL)[0] != '\0';
    context.kind = kind_of(&context, juju_is_around);
    if (juju_is_around) {
        r = check_juju(&context, reterr);
        if (r < 0) {
            return r;
        }
    }
    *ret_context = context;
    return 0;
}

const char *charmi_run_kind_name(enum charm_run_kind kind)
{
    switch (kind) {
    case CHARM_KIND_HOOK:
        return "hook";
    case CHARM_KIND_RESTRICTED:
        return "restricted";
    case CHARM_KIND_ACTION:
        return "action";
    case CHARM_KIND_EXEC:
        return "exec";
    case CHARM_KIND_HAND:
        return "hand";
    }
    return "hand";
}
