/* Actions: what the controller checks before a unit hears of one (contract 4.1). */
#include <regex.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "lab/model_internal.h"

static bool is_number(const struct charm_value *value)
{
    return charm_value_kind(value) == CHARM_INT || charm_value_kind(value) == CHARM_REAL;
}

static bool fits_type(const struct charm_value *value, const char *type)
{
    const enum charm_kind kind = charm_value_kind(value);
    return (charmi_same(type, "string") && kind == CHARM_STRING) ||
           (charmi_same(type, "integer") && kind == CHARM_INT) ||
           (charmi_same(type, "number") && is_number(value)) ||
           (charmi_same(type, "boolean") && kind == CHARM_BOOL) ||
           (charmi_same(type, "array") && kind == CHARM_LIST) ||
           (charmi_same(type, "object") && kind == CHARM_MAP) ||
           (charmi_same(type, "null") && kind == CHARM_NULL);
}

static bool fits_types(const struct charm_value *value, const struct charm_value *type)
{
    if (charm_value_kind(type) == CHARM_STRING) {
        return fits_type(value, charm_text(type));
    }
    for (size_t i = 0; i < charm_value_size(type); i++) {
        if (fits_type(value, charm_text(charm_value_at(type, i)))) {
            return true;
        }
    }
    return charm_value_size(type) == 0;
}

static bool fits_enum(const struct charm_value *value, const struct charm_value *list)
{
    for (size_t i = 0; i < charm_value_size(list); i++) {
        if (charm_value_equal(value, charm_value_at(list, i))) {
            return true;
        }
    }
    return list == NULL;
}

/* Go's patterns and POSIX's extended ones agree on what action files use. */
static bool fits_pattern(const char *text, const char *pattern)
{
    regex_t compiled;
    if (pattern[0] == '\0' || regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
        return true;
    }
    const bool fits = regexec(&compiled, text, 0, NULL, 0) == 0;
    regfree(&compiled);
    return fits;
}

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xC0U) != 0x80U ? 1 : 0;
    }
    return count;
}

static const char *broken_bound(const struct charm_value *value, const struct charm_value *schema)
{
    if (charm_value_kind(value) == CHARM_INT) {
        const int64_t number = charm_value_int(value, 0);
        if (number < charm_value_int(charm_value_get(schema, "minimum"), INT64_MIN)) {
            return "must be greater than or equal to minimum";
        }
        if (number > charm_value_int(charm_value_get(schema, "maximum"), INT64_MAX)) {
            return "must be less than or equal to maximum";
        }
    }
    if (charm_value_kind(value) == CHARM_STRING) {
        const int64_t length = (int64_t)characters(charm_text(value));
        if (length < charm_value_int(charm_value_get(schema, "minLength"), 0)) {
            return "is shorter than minLength";
        }
        if (length > charm_value_int(charm_value_get(schema, "maxLength"), INT64_MAX)) {
            return "is longer than maxLength";
        }
        if (!fits_pattern(charm_text(value), charm_text(charm_value_get(schema, "pattern")))) {
            return "does not match pattern";
        }
    }
    return NULL;
}

static int check_value(const char *where, const struct charm_value *value,
                       const struct charm_value *schema, struct charm_error *reterr)
{
    if (!fits_types(value, charm_value_get(schema, "type"))) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "validation failed: (root).%s : must be of type %s", where,
                               charm_text(charm_value_get(schema, "type")));
    }
    if (!fits_enum(value, charm_value_get(schema, "enum"))) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "validation failed: (root).%s : must match one of the enum values",
                               where);
    }
    const char *bound = broken_bound(value, schema);
    if (bound != NULL) {
        return charm_error_set(reterr, CHARM_EINVAL, "validation failed: (root).%s : %s", where,
                               bound);
    }
    const struct charm_value *items = charm_value_get(schema, "items");
    for (size_t i = 0; items != NULL && i < charm_value_size(value); i++) {
        if (check_value(where, charm_value_at(value, i), items, reterr) != 0) {
            return CHARM_EINVAL;
        }
    }
    return 0;
}

/* Up to 3.x extra parameters are allowed when the file does not say: contract 4.1. */
static bool extras_allowed(const struct lab_model *model, const struct charm_value *spec)
{
    const struct charm_value *said = charm_value_get(spec, "additionalProperties");
    return said == NULL ? !lab_model_at_least(model, 4, 0) : charm_value_true(said);
}

static int check_params(const struct lab_model *model, const struct charm_value *spec,
                        const struct charm_value *params, struct charm_error *reterr)
{
    const struct charm_value *required = charm_value_get(spec, "required");
    for (size_t i = 0; i < charm_value_size(required); i++) {
        const char *name = charm_text(charm_value_at(required, i));
        if (charm_value_get(params, name) == NULL) {
            return charm_error_set(reterr, CHARM_EINVAL,
                                   "validation failed: (root) : \"%s\" property is missing and "
                                   "required",
                                   name);
        }
    }
    const struct charm_value *schemas = charm_value_get(spec, "params");
    CHARM_EACH(params, it)
    {
        const struct charm_value *schema = charm_value_get(schemas, it.key);
        if (schema == NULL && !extras_allowed(model, spec)) {
            return charm_error_set(reterr, CHARM_EINVAL,
                                   "validation failed: (root) : additional property \"%s\" is not "
                                   "allowed",
                                   it.key);
        }
        if (schema != NULL && check_value(it.key, it.value, schema, reterr) != 0) {
            return CHARM_EINVAL;
        }
    }
    return 0;
}

static struct lab_task *task_new(struct lab_model *model, struct lab_unit *unit)
{
    struct lab_task *task = charm_arena_alloc(model->arena, sizeof(*task));
    task->id = model->next_task++;
    task->unit = unit;
    task->results = charm_value_new_map(model->arena);
    task->log = charm_value_new_list(model->arena);
    task->enqueued_ms = model->now_ms;
    task->message = "";
    struct lab_task **end = &model->tasks;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = task;
    return task;
}

int lab_model_run_action(struct lab_model *model, struct lab_unit *unit, const char *action,
                         const struct charm_value *params, struct lab_task **ret_task,
                         struct charm_error *reterr)
{
    const struct charm_value *spec = charm_value_get(unit->app->charm.actions, action);
    if (spec == NULL) {
        return charm_error_set(reterr, CHARM_ENOTFOUND, "action \"%s\" not defined on unit \"%s\"",
                               action, unit->name);
    }
    if (unit->life == LAB_DEAD) {
        return charm_error_set(reterr, CHARM_ENOTFOUND, "unit \"%s\" not found", unit->name);
    }
    struct charm_value *full = charm_value_new_map(model->arena);
    CHARM_EACH(charm_value_get(spec, "params"), it)
    {
        const struct charm_value *fallback = charm_value_get(it.value, "default");
        if (fallback != NULL) {
            charm_value_set(full, it.key, charm_value_copy(model->arena, fallback));
        }
    }
    charm_value_update(full, charm_value_copy(model->arena, params));
    if (check_params(model, spec, full, reterr) != 0) {
        return charm_error_wrap(reterr, "run \"%s\" on %s", action, unit->name);
    }
    struct lab_task *task = task_new(model, unit);
    task->action = charm_arena_copy(model->arena, action);
    task->params = full;
    *ret_task = task;
    return 0;
}

struct lab_task *lab_model_run_command(struct lab_model *model, struct lab_unit *unit,
                                       const struct charm_value *command)
{
    struct lab_task *task = task_new(model, unit);
    task->command = charm_value_copy(model->arena, command);
    return task;
}
