/*
 * The unit's state: two documents, the engine's and the base layer's, cut by a line "---". Whatever is in them, their
 * checksums are made right, so that what is behind the checksum is tried; then as they stand, damaged.
 */
#include "stage.h"

#include "base/digest.h"
#include "charm/store.h"

static const char *const owners[] = { "charm", "kafka-connect-base" };

static const char *sealed(struct charm_arena *arena, const struct fuzz_piece *pieces, size_t count,
                          bool right)
{
    struct charm_value *raw = charm_value_new_map(arena);
    for (size_t i = 0; i < count; i++) {
        const char *text = pieces[i].bytes;
        const char *digest = right ? charmi_sha256(arena, text, strlen(text)) : "0";
        charm_value_setf(raw, charm_arena_printf(arena, "%s/0", owners[i]),
                         "{\"chunks\":1,\"format\":1,\"sha256\":\"%s\"}", digest);
        charm_value_set_text(raw, charm_arena_printf(arena, "%s/1", owners[i]), text);
    }
    return charm_value_render(arena, raw, CHARM_JSON_COMPACT);
}

static void play(const char *state)
{
    const struct stage_answer answer = { "state-get", 0, state, strlen(state) };
    stage_play(&(struct stage_script){ .answers = &answer, .count = 1, .strange_memory = true });
}

/* What is saved is what is read, in chunks that Juju takes, and saving it again changes nothing. */
static void there_and_back(struct charm_arena *arena, const char *text)
{
    struct charm_value *document = NULL;
    if (charm_value_parse(arena, text, strlen(text), &document, NULL) != 0 ||
        charm_value_kind(document) != CHARM_MAP) {
        return;
    }
    struct charm_value *raw = charm_value_new_map(arena);
    struct charm_value *again = NULL;
    struct charm_error error;
    charmi_store_encode(arena, charm_value_new_map(arena), "x", document, raw);
    CHARM_EACH(raw, it)
    {
        MUST(strlen(charm_text(it.value)) <= CHARMI_STORE_CHUNK_BYTES, "%s is too long", it.key);
    }
    MUST(charmi_store_decode(arena, raw, "x", &again, &error) == 0, "%s", error.text);
    MUST(charm_value_equal(document, again), "another document: %s",
         charm_value_render(arena, again, CHARM_JSON_COMPACT));
    struct charm_value *changes = charm_value_new_map(arena);
    charmi_store_encode(arena, raw, "x", again, changes);
    MUST(charm_value_size(changes) == 0, "saved again it changes: %s",
         charm_value_render(arena, changes, CHARM_JSON_COMPACT));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct charm_arena *arena = charm_arena_new();
    struct fuzz_piece pieces[2];
    const size_t count = fuzz_pieces(arena, data, size, pieces, 2);
    for (size_t i = 0; i < count; i++) {
        there_and_back(arena, pieces[i].bytes);
    }
    play(sealed(arena, pieces, count, true));
    play(sealed(arena, pieces, count, false));
    charm_arena_free(arena);
    return 0;
}
