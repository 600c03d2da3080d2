/* secret-get: contract 3.16, 9.16. The tools for secrets of a charm's own are not played. */
#include <string.h>

#include "lab/secrets.h"
#include "lab/tools_internal.h"

static void secret_get(struct lab_call *call)
{
    struct lab_context *context = call->context;
    const char *uri = lab_arg(call, 0);
    const char *key = lab_arg(call, 1);
    const bool peek = lab_flag(call, "peek") != NULL;
    const bool refresh = lab_flag(call, "refresh") != NULL;
    const struct charm_value *content = NULL;
    struct charm_error error = { 0 };
    if (uri == NULL && lab_flag(call, "label") == NULL) {
        lab_tool_usage(call, "require either a secret URI or label");
    } else if (peek && refresh) {
        lab_tool_usage(call, "specify one of --peek or --refresh but not both");
    } else if (lab_flag(call, "label") != NULL) {
        lab_tool_fail(call, "the lab does not play labels of secrets");
    } else if (!lab_args_at_most(call, 2)) {
        return;
    } else if (lab_secret_read(context->model, context->unit, uri,
                               refresh ? LAB_SECRET_REFRESH
                               : peek  ? LAB_SECRET_PEEK
                                       : LAB_SECRET_TRACKED,
                               &content, &error) != 0) {
        lab_tool_fail(call, "%s", error.text);
    } else if (key == NULL) {
        lab_tool_print(call, content);
    } else if (charm_value_get(content, key) == NULL) {
        lab_tool_fail(call, "secret key value \"%s\" not found", key);
    } else {
        lab_tool_print(call, charm_value_get(content, key));
    }
}

const struct lab_tool lab_tools_secret[] = {
    {
        .name = "secret-get",
        .run = secret_get,
        .output = LAB_OUTPUT_YAML,
        .from_3 = true,
        .flags = { { "label", NULL, LAB_FLAG_TEXT },
                   { "peek", NULL, LAB_FLAG_BOOL },
                   { "refresh", NULL, LAB_FLAG_BOOL } },
    },
    { 0 },
};
