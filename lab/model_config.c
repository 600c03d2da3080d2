/* An application's options: what may be set, and what a unit reads. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "lab/model_internal.h"

static const struct charm_value *declared(const struct lab_application *app, const char *option)
{
    return charm_value_path(app->charm.config, "options", option, NULL);
}

static const char *type_of(const struct charm_value *option)
{
    const char *type = charm_text(charm_value_get(option, "type"));
    return type[0] == '\0' ? "string" : type;
}

struct charm_value *lab_application_options(struct charm_arena *arena,
                                            const struct lab_application *app, bool all)
{
    struct charm_value *options = charm_value_new_map(arena);
    CHARM_EACH(charm_value_get(app->charm.config, "options"), it)
    {
        const struct charm_value *value = charm_value_get(app->config, it.key);
        if (value == NULL) {
            value = charm_value_get(it.value, "default");
        }
        if (charm_value_kind(value) != CHARM_NULL) {
            charm_value_set(options, it.key, value);
        } else if (all) {
            charm_value_set_null(options, it.key);
        }
    }
    return options;
}

/* Go's strconv.ParseBool, which Juju's config reader uses. */
static bool parse_bool(const char *text, bool *ret_truth)
{
    static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True", NULL };
    static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False", NULL };
    *ret_truth = charmi_in(yes, text);
    return *ret_truth || charmi_in(no, text);
}

static bool parse_float(const char *text)
{
    char *end;
    const double number = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(number);
}

static int put_float(struct lab_model *model, struct charm_value *map, const char *option,
                     const char *text, struct charm_error *reterr)
{
    struct charm_value *number;
    const char *whole =
        strpbrk(text, ".eE") == NULL ? charm_arena_printf(model->arena, "%s.0", text) : text;
    const int code = charm_value_parse(model->arena, whole, strlen(whole), &number, reterr);
    if (code != 0) {
        return charm_error_wrap(reterr, "option \"%s\" expected float, got \"%s\"", option, text);
    }
    charm_value_set(map, option, number);
    return 0;
}

static int wrong(struct charm_error *reterr, const char *option, const char *type, const char *text)
{
    return charm_error_set(reterr, CHARM_EINVAL, "option \"%s\" expected %s, got \"%s\"", option,
                           type, text);
}

static int put_typed(struct lab_model *model, struct charm_value *map, const char *option,
                     const char *type, const char *text, struct charm_error *reterr)
{
    int64_t number;
    bool truth;
    if (charmi_same(type, "int")) {
        if (!charmi_parse_int(text, INT64_MIN, INT64_MAX, &number)) {
            return wrong(reterr, option, type, text);
        }
        charm_value_set_int(map, option, number);
    } else if (charmi_same(type, "boolean")) {
        if (!parse_bool(text, &truth)) {
            return wrong(reterr, option, type, text);
        }
        charm_value_set_bool(map, option, truth);
    } else if (charmi_same(type, "float")) {
        return parse_float(text) ? put_float(model, map, option, text, reterr)
                                 : wrong(reterr, option, type, text);
    } else if (charmi_same(type, "secret") && text[0] != '\0' &&
               !charmi_starts_with(text, "secret:")) {
        return wrong(reterr, option, type, text);
    } else {
        charm_value_set_text(map, option, text);
    }
    return 0;
}

int lab_model_config_set(struct lab_model *model, struct lab_application *app, const char *option,
                         const char *text, struct charm_error *reterr)
{
    const struct charm_value *entry = declared(app, option);
    if (entry == NULL) {
        return charm_error_set(reterr, CHARM_ENOTFOUND, "unknown option \"%s\"", option);
    }
    if (text == NULL) {
        charm_value_remove(app->config, option);
        return 0;
    }
    if (!charmi_utf8_valid(text, strlen(text))) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "value for option \"%s\" contains non-UTF-8 sequences", option);
    }
    return put_typed(model, app->config, option, type_of(entry), text, reterr);
}
