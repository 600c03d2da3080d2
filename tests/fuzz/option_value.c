/* The operator's options: one line "NAME VALUE" each; VALUE is JSON, or else a text in which \n is a line end. */
#include "stage.h"

#include "base/text.h"
#include "kcb/options.h"

static void check_options(struct charm_arena *arena, const struct charm_value *config)
{
    struct kcbi_options options;
    kcbi_options_read(arena, config, NULL, &options);
    if (options.problem != NULL) {
        MUST(options.problem[0] != '\0' &&
                 charmi_utf8_valid(options.problem, strlen(options.problem)),
             "the problem: %s", options.problem);
    }
    MUST(options.workers >= 1 && options.workers <= 100, "%lld workers",
         (long long)options.workers);
    MUST(options.replication_factor >= 0 && options.replication_factor <= 32767, "replication %lld",
         (long long)options.replication_factor);
    /* What is in force counts as right when it is read again. */
    struct kcbi_options again;
    kcbi_options_read(arena, options.good, NULL, &again);
    MUST(again.problem == NULL, "what is in force is refused: %s", again.problem);
    MUST(charm_value_equal(options.good, again.good), "other values are in force: %s",
         charm_value_render(arena, again.good, CHARM_JSON_COMPACT));
}

static void set_option(struct charm_arena *arena, struct charm_value *config, const char *line)
{
    const size_t name = strcspn(line, " ");
    if (line[name] == '\0' || name == 0) {
        return;
    }
    const char *text = fuzz_replace(arena, line + name + 1, "\\n", "\n");
    struct charm_value *value = charm_value_decode(arena, text);
    if (charm_value_kind(value) == CHARM_LIST || charm_value_kind(value) == CHARM_MAP ||
        charm_value_kind(value) == CHARM_NULL) {
        value = charm_value_new_text(arena, text); /* Juju has no other kinds */
    }
    charm_value_set(config, charm_arena_copy_n(arena, line, name), value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct charm_arena *arena = charm_arena_new();
    const char *text = charm_arena_copy_n(arena, (const char *)data, size);
    struct charm_value *config =
        charm_value_decode(arena, stage_answer_now(arena, "config-get --all"));
    const struct charmi_words lines = charmi_split(arena, text, "\n");
    for (size_t i = 0; i < lines.size; i++) {
        set_option(arena, config, lines.at[i]);
    }
    check_options(arena, config);
    const char *json = charm_value_render(arena, config, CHARM_JSON_COMPACT);
    const struct stage_answer answer = { "config-get --all", 0, json, strlen(json) };
    stage_play(&(struct stage_script){ .answers = &answer, .count = 1 });
    charm_arena_free(arena);
    return 0;
}
