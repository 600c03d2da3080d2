/* YAML and JSON as texts: metadata.yaml, config.yaml and actions.yaml. */
#include "fuzz.h"

#include "base/text.h"
#include "charm/charmfiles.h"
#include "edge/juju/ports.h"
#include "edge/juju/yaml.h"

enum { FILES = 3 };
static const char *const names[] = { "metadata.yaml", "config.yaml", "actions.yaml" };

/* JSON is YAML: what was read is read again from its JSON text, by both readers. */
static void there_and_back(struct charm_arena *arena, const struct fuzz_piece *piece)
{
    static const enum charm_json styles[] = { CHARM_JSON_COMPACT, CHARM_JSON_SORTED,
                                              CHARM_JSON_PRETTY, CHARM_JSON_PYTHON };
    struct charm_value *value = NULL;
    struct charm_error error;
    const int result = charmi_yaml_parse(arena, piece->bytes, piece->size, &value, &error);
    if (result != 0) {
        fuzz_error("YAML", result, &error);
        MUST(charmi_starts_with(error.text, "line ") || charmi_starts_with(error.text, "byte "),
             "no place: %s", error.text);
        MUST(value == NULL, "it failed, and filled its output");
        return;
    }
    for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
        struct charm_value *again = NULL;
        const char *text = charm_value_render(arena, value, styles[i]);
        MUST(charm_value_parse(arena, text, strlen(text), &again, &error) == 0, "%s: %s",
             error.text, text);
        MUST(charm_value_equal(value, again), "another value: %s", text);
    }
}

static void check_json(struct charm_arena *arena, const struct fuzz_piece *piece)
{
    struct charm_value *value = NULL;
    struct charm_error error;
    const int result = charm_value_parse(arena, piece->bytes, piece->size, &value, &error);
    if (result != 0) {
        fuzz_error("JSON", result, &error);
        MUST(strstr(error.text, "line -") == NULL, "no place: %s", error.text);
        MUST(value == NULL, "it failed, and filled its output");
        return;
    }
    struct charm_value *again = NULL;
    const char *text = charm_value_render(arena, value, CHARM_JSON_PYTHON);
    MUST(charm_value_parse(arena, text, strlen(text), &again, &error) == 0, "%s: %s", error.text,
         text);
    MUST(charm_value_equal(value, again), "another value: %s", text);
}

static int file_read(void *userdata, struct charm_arena *arena, const char *path, size_t max_bytes,
                     const char **ret_bytes, size_t *ret_size, struct charm_error *reterr)
{
    const struct fuzz_piece *pieces = userdata;
    for (size_t i = 0; i < FILES; i++) {
        if (charmi_ends_with(path, names[i]) && pieces[i].size > 0 && pieces[i].size <= max_bytes) {
            *ret_bytes = charm_arena_copy_n(arena, pieces[i].bytes, pieces[i].size);
            *ret_size = pieces[i].size;
            return 0;
        }
    }
    return charm_error_set(reterr, CHARM_ENOTFOUND, "read %s: there is none", path);
}

static void load_charm(struct charm_arena *arena, struct fuzz_piece *pieces)
{
    static const enum charm_run_kind kind = CHARM_KIND_HAND;
    struct charm_ports ports = charmi_ports_real(&kind);
    const struct charm_files *files = NULL;
    struct charmi_words actions = { 0 };
    struct charm_error error;
    ports.userdata = pieces;
    ports.file_read = file_read;
    int result = charmi_charmfiles_load(arena, &ports, "/charm", &files, &error);
    if (result != 0) {
        fuzz_error("the charm's files", result, &error);
        MUST(files == NULL, "it failed, and filled its output");
    }
    result = charmi_charmfiles_actions(arena, &ports, "/charm", &actions, &error);
    if (result != 0) {
        fuzz_error("actions.yaml", result, &error);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct charm_arena *arena = charm_arena_new();
    struct fuzz_piece pieces[FILES] = { { "", 0 }, { "", 0 }, { "", 0 } };
    const size_t count = fuzz_pieces(arena, data, size, pieces, FILES);
    for (size_t i = 0; i < count; i++) {
        there_and_back(arena, &pieces[i]);
        check_json(arena, &pieces[i]);
    }
    load_charm(arena, pieces);
    charm_arena_free(arena);
    return 0;
}
