/*
 * What the workers answer: the first byte chooses what runs (h the hook, l, d, r the actions), a line end; then answers
 * cut by lines "---", each "STATUS BODY", for the first requests. The password that one of them echoes in a place
 * where it is known to be one is planted by @SECRET@.
 */
#include "stage.h"

#include "base/text.h"
#include "kcb/redact.h"
#include "kcb/rest.h"

enum { MOST = 12 };

/* Nothing of a password that stands in a known form is left. */
static void check_words(struct charm_arena *arena, const char *text)
{
    char *cut = kcbi_redact_text(arena, text, 200);
    fuzz_one_line("cut words", cut);
    MUST(strlen(cut) <= 200 + 3, "%zu bytes", strlen(cut));
    fuzz_one_line("a trace", kcbi_redact_trace(arena, text));
    fuzz_one_line("a refusal", kcbi_refusal_words(arena, text));
    const char *told =
        kcbi_redact_text(arena,
                         charm_arena_printf(arena, "password=%s and sasl.jaas.config=%s",
                                            STAGE_SECRET, STAGE_SECRET),
                         200);
    MUST(strstr(told, STAGE_SECRET) == NULL, "told: %s", told);
}

static struct stage_reply read_reply(struct charm_arena *arena, const struct fuzz_piece *piece)
{
    struct stage_reply reply = { .body = "" };
    const size_t digits = strcspn(piece->bytes, " ");
    int64_t status;
    if (!charmi_parse_int(charm_arena_copy_n(arena, piece->bytes, digits), 100, 999, &status)) {
        return reply;
    }
    const size_t used = digits + (piece->bytes[digits] == ' ' ? 1 : 0);
    reply.status = (int)status;
    reply.body = charm_arena_copy_n(arena, piece->bytes + used, piece->size - used);
    reply.size = piece->size - used;
    check_words(arena, reply.body);
    kcbi_judge_answer(reply.status, reply.body);
    return reply;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const actions[] = { ['d'] = "describe-connector",
                                           ['h'] = NULL,
                                           ['l'] = "list-connectors",
                                           ['r'] = "restart-connector" };
    if (size < 2 || strchr("dhlr", data[0]) == NULL || data[0] == '\0' || data[1] != '\n') {
        return -1;
    }
    struct charm_arena *arena = charm_arena_new();
    struct fuzz_piece pieces[MOST];
    struct stage_reply replies[MOST];
    const size_t count = fuzz_pieces(arena, data + 2, size - 2, pieces, MOST);
    for (size_t i = 0; i < count; i++) {
        replies[i] = read_reply(arena, &pieces[i]);
    }
    stage_play(&(struct stage_script){
        .action = actions[data[0]], .replies = replies, .reply_count = count });
    charm_arena_free(arena);
    return 0;
}
