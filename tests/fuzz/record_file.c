/* Files beside the charm: sent.json, run-0.json and steady.json, cut by lines "---"; `explain` and a run read them. */
#include "stage.h"

#include "base/text.h"
#include "charm/runner.h"
#include "charm/story.h"
#include "edge/juju/ports.h"
#include "kcb/layer.h"

static const char *const names[] = { "sent.json", "run-0.json", "steady.json" };
enum { FILES = 3 };

static int file_read(void *userdata, struct charm_arena *arena, const char *path, size_t max_bytes,
                     const char **ret_bytes, size_t *ret_size, struct charm_error *reterr)
{
    const struct fuzz_piece *pieces = userdata;
    for (size_t i = 0; i < FILES; i++) {
        if (charmi_ends_with(path, names[i]) && pieces[i].size <= max_bytes) {
            *ret_bytes = charm_arena_copy_n(arena, pieces[i].bytes, pieces[i].size);
            *ret_size = pieces[i].size;
            return 0;
        }
    }
    return charm_error_set(reterr, CHARM_ENOTFOUND, "read %s: there is none", path);
}

/* A table without the layers' ports is enough for a look at it. */
static void explain(struct charm_arena *arena, struct fuzz_piece *pieces)
{
    static const enum charm_run_kind kind = CHARM_KIND_HAND;
    static const char *const asked[] = { NULL, "configure", "kafka-connect.running",
                                         "kafka-connect-base.create-topics" };
    struct charm_ports ports = charmi_ports_real(&kind);
    ports.userdata = pieces;
    ports.file_read = file_read;
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        const char *text = NULL;
        struct charm_error error;
        const int result = charmi_explain(arena, &ports, CHARM_LAYERS(&kcb_standalone_layer),
                                          "/charm", asked[i], &text, &error);
        if (result != 0) {
            fuzz_error("explain", result, &error);
        } else {
            MUST(text != NULL && charmi_utf8_valid(text, strlen(text)), "no text, or no UTF-8");
        }
    }
}

static void check_record(struct charm_arena *arena, const struct fuzz_piece *piece)
{
    struct charm_value *record = NULL;
    if (charm_value_parse(arena, piece->bytes, piece->size, &record, NULL) == 0) {
        MUST(strlen(charmi_story_record_text(arena, record)) <= CHARMI_RECORD_MAX_BYTES ||
                 charm_value_kind(record) != CHARM_MAP,
             "the record is kept too long");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct charm_arena *arena = charm_arena_new();
    struct fuzz_piece pieces[FILES] = { { "", 0 }, { "", 0 }, { "", 0 } };
    const size_t count = fuzz_pieces(arena, data, size, pieces, FILES);
    struct stage_answer answers[FILES];
    for (size_t i = 0; i < count; i++) {
        answers[i] = (struct stage_answer){ names[i], 0, pieces[i].bytes, pieces[i].size };
        check_record(arena, &pieces[i]);
    }
    explain(arena, pieces);
    stage_play(&(struct stage_script){ .answers = answers, .count = count });
    charm_arena_free(arena);
    return 0;
}
