/* action-get, action-set, action-fail, action-log: contract 4.3, 9.13. */
#include <string.h>

#include "base/memory.h"
#include "lab/tools_internal.h"

/* The running action, or NULL. */
static struct lab_task *task_of(const struct lab_call *call)
{
    struct lab_task *task = call->context->event.task;
    return task != NULL && task->action != NULL ? task : NULL;
}

static struct lab_task *need_action(struct lab_call *call)
{
    struct lab_task *task = task_of(call);
    if (task == NULL) {
        lab_tool_fail(call, "not running an action");
    }
    return task;
}

static void action_get(struct lab_call *call)
{
    const struct lab_task *task = need_action(call);
    if (task == NULL || !lab_args_at_most(call, 1)) {
        return;
    }
    const char *path = lab_arg(call, 0);
    const struct charm_value *value = task->params;
    const struct charmi_words keys = charmi_split(call->arena, path == NULL ? "" : path, ".");
    for (size_t i = 0; i < keys.size; i++) {
        value = charm_value_get(charm_value_kind(value) == CHARM_MAP ? value : NULL, keys.at[i]);
    }
    lab_tool_print(call, value);
}

static bool key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool valid_segment(const char *segment)
{
    const size_t size = strlen(segment);
    for (size_t i = 0; i < size; i++) {
        const bool edge = i == 0 || i + 1 == size;
        if (!key_char(segment[i]) && (edge || segment[i] != '-')) {
            return false;
        }
    }
    return size > 0;
}

static bool valid_key(struct lab_call *call, const char *key, const struct charmi_words *segments)
{
    static const char *const reserved[] = { "stdout", "stdout-encoding", "stderr",
                                            "stderr-encoding", NULL };
    bool valid = segments->size > 0 && strstr(key, "..") == NULL && key[0] != '.' &&
                 !charmi_ends_with(key, ".");
    for (size_t i = 0; i < segments->size; i++) {
        valid = valid && valid_segment(segments->at[i]);
    }
    if (!valid) {
        lab_tool_usage(call,
                       "key \"%s\" must start and end with lowercase alphanumeric, and contain "
                       "only lowercase alphanumeric, hyphens and periods",
                       key);
        return false;
    }
    for (size_t i = 0; i < segments->size; i++) {
        if (charmi_in(reserved, segments->at[i])) {
            lab_tool_usage(call, "cannot set reserved action key \"%s\"", segments->at[i]);
            return false;
        }
    }
    return true;
}

/* The map of results is the model's; maps inside it are made by it, so they can be changed. */
static void put_result(struct charm_value *results, const struct charmi_words *segments,
                       const char *value)
{
    struct charm_value *map = results;
    for (size_t i = 0; i + 1 < segments->size; i++) {
        const struct charm_value *next = charm_value_get(map, segments->at[i]);
        map = charm_value_kind(next) == CHARM_MAP ? (struct charm_value *)(uintptr_t)next
                                                  : charm_value_add_map(map, segments->at[i]);
    }
    charm_value_set_text(map, segments->at[segments->size - 1], value);
}

static void action_set(struct lab_call *call)
{
    struct lab_task *task = task_of(call);
    for (size_t turn = 0; turn < 2; turn++) { /* one bad key refuses the whole call */
        for (size_t i = 0; i < call->args.size; i++) {
            const char *arg = call->args.at[i];
            const char *equals = strchr(arg, '=');
            if (equals == NULL) {
                lab_tool_usage(call, "argument \"%s\" must be of the form key...=value", arg);
                return;
            }
            const char *key = charm_arena_copy_n(call->arena, arg, (size_t)(equals - arg));
            const struct charmi_words segments = charmi_split(call->arena, key, ".");
            if (!valid_key(call, key, &segments)) {
                return;
            }
            if (turn == 1 && task != NULL) {
                put_result(task->results, &segments, equals + 1);
            }
        }
    }
    if (task == NULL && call->args.size > 0) {
        lab_tool_fail(call, "not running an action");
        return;
    }
    lab_tool_done(call);
}

static void action_fail(struct lab_call *call)
{
    const char *message = lab_arg(call, 0);
    if (!lab_args_at_most(call, 1) || need_action(call) == NULL) {
        return;
    }
    call->context->action_failed = true;
    call->context->action_message = charm_arena_copy(
        call->context->arena,
        message == NULL ? "action failed without reason given, check action for errors" : message);
    lab_tool_done(call);
}

static void action_log(struct lab_call *call)
{
    if (call->args.size == 0) {
        lab_tool_usage(call, "no message specified");
        return;
    }
    struct lab_task *task = need_action(call);
    if (task != NULL) {
        charm_value_append_text(task->log, charmi_words_join(call->arena, &call->args, " "));
        lab_tool_done(call);
    }
}

const struct lab_tool lab_tools_action[] = {
    { .name = "action-get", .run = action_get, .output = LAB_OUTPUT_ANY },
    { .name = "action-set", .run = action_set },
    { .name = "action-fail", .run = action_fail },
    { .name = "action-log", .run = action_log },
    { 0 },
};
