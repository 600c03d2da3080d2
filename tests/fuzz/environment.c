/* Juju's environment: the input is the variables, one a line; a first line "./NAME" is the program's own name. */
#include "fuzz.h"

#include "base/text.h"
#include "charm/environment.h"

static void check_text(const char *what, const char *text)
{
    MUST(text != NULL, "%s is NULL", what);
    MUST(strlen(text) <= 4096 && charmi_utf8_valid(text, strlen(text)), "%s: %s", what, text);
    for (const char *at = text; *at != '\0'; at++) {
        MUST((unsigned char)*at >= 0x20, "%s holds a control character", what);
    }
}

/* What the engine trusts without looking again. */
static void check_juju(const struct charm_context *context)
{
    MUST(charmi_is_unit(context->unit), "unit %s", context->unit);
    MUST(charmi_starts_with(context->unit, context->application), "application %s",
         context->application);
    MUST(context->charm_dir[0] == '/', "directory %s", context->charm_dir);
    MUST(strpbrk(context->hook, "/. ") == NULL && strpbrk(context->action, "/. ") == NULL,
         "a name that is a path: %s%s", context->hook, context->action);
    MUST(context->kind != CHARM_KIND_HOOK || context->hook[0] != '\0', "a hook without a name");
    MUST((context->kind == CHARM_KIND_ACTION) == (context->action[0] != '\0'), "action %s",
         context->action);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct charm_arena *arena = charm_arena_new();
    const char *text = charm_arena_copy_n(arena, (const char *)data, size);
    const struct charmi_words lines = charmi_split(arena, text, "\n");
    const bool named = lines.size > 0 && charmi_starts_with(lines.at[0], "./");
    static const char *const none[] = { NULL };
    const char *const *variables = lines.size == 0 ? none : lines.at + (named ? 1 : 0);
    struct charm_context context = { .unit = "untouched" };
    struct charm_error error;
    const int result = charmi_environment_read(
        arena, variables, named ? lines.at[0] + 1 : "/charm/dispatch", &context, &error);
    if (result != 0) {
        fuzz_error("the environment", result, &error);
        MUST(charmi_same(context.unit, "untouched"), "it failed, and filled its output");
    } else {
        const char *const texts[] = {
            context.hook,        context.action,     context.unit,         context.model,
            context.model_uuid,  context.charm_dir,  context.juju_version, context.relation,
            context.relation_id, context.remote_app, context.remote_unit,  context.departing_unit
        };
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            check_text("a field", texts[i]);
        }
        if (context.kind != CHARM_KIND_HAND) {
            check_juju(&context);
        }
    }
    charm_arena_free(arena);
    return 0;
}
