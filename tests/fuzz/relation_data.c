/* What units of Kafka publish: lines KEY=VALUE, behind a line "---" those of the second unit. */
#include "stage.h"

#include "base/text.h"

static const char *const units[] = { "relation-get -r kafka:1 - kafka/0",
                                     "relation-get -r kafka:1 - kafka/1" };

static const char *bag_of(struct charm_arena *arena, const char *text)
{
    struct charm_value *bag = charm_value_new_map(arena);
    const struct charmi_words lines = charmi_split(arena, text, "\n");
    for (size_t i = 0; i < lines.size; i++) {
        const size_t key = strcspn(lines.at[i], "=");
        if (key > 0 && lines.at[i][key] == '=') {
            charm_value_set_text(bag, charm_arena_copy_n(arena, lines.at[i], key),
                                 lines.at[i] + key + 1);
        }
    }
    return charm_value_render(arena, bag, CHARM_JSON_COMPACT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct charm_arena *arena = charm_arena_new();
    struct fuzz_piece pieces[2];
    struct stage_answer answers[2];
    const size_t count = fuzz_pieces(arena, data, size, pieces, 2);
    for (size_t i = 0; i < count; i++) {
        const char *bag = bag_of(arena, pieces[i].bytes);
        answers[i] = (struct stage_answer){ units[i], 0, bag, strlen(bag) };
    }
    stage_play(&(struct stage_script){ .answers = answers, .count = count });
    charm_arena_free(arena);
    return 0;
}
