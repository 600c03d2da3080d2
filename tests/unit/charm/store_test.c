#include "tests.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/digest.h"
#include "charm/store.h"

static struct charm_arena *arena;

static int set_up(void **state)
{
    arena = charm_arena_new();
    return 0;
}

static int tear_down(void **state)
{
    charm_arena_free(arena);
    return 0;
}

static char *many(const char *piece, size_t count)
{
    struct charmi_buf buf = charmi_buf_init(strlen(piece) * count);
    for (size_t i = 0; i < count; i++) {
        charmi_buf_add(&buf, piece);
    }
    return charmi_buf_into(&buf, arena);
}

static struct charm_value *document(const char *text)
{
    struct charm_value *map = charm_value_new_map(arena);
    charm_value_set_text(map, "text", text);
    return map;
}

/* Encodes into an empty store. */
static struct charm_value *stored(const struct charm_value *map)
{
    struct charm_value *raw = charm_value_new_map(arena);
    charmi_store_encode(arena, charm_value_new_map(arena), "site", map, raw);
    return raw;
}

static int decode(const struct charm_value *raw, struct charm_value **ret,
                  struct charm_error *error)
{
    return charmi_store_decode(arena, raw, "site", ret, error);
}

static void what_was_stored_is_read_again(void **state)
{
    struct charm_value *back = NULL;
    const struct charm_value *map = document("caf\xC3\xA9");
    assert_int_equal(decode(stored(map), &back, NULL), 0);
    assert_true(charm_value_equal(map, back));
}

static void an_empty_store_has_empty_documents_and_they_stay_out_of_it(void **state)
{
    struct charm_value *back = NULL;
    assert_int_equal(decode(charm_value_new_map(arena), &back, NULL), 0);
    assert_int_equal(charm_value_size(back), 0);
    assert_int_equal(charm_value_size(stored(back)), 0);
}

static void the_header_holds_count_format_and_checksum(void **state)
{
    const struct charm_value *raw = stored(document("x"));
    const char *text = "{\"text\":\"x\"}";
    assert_string_equal(charm_text(charm_value_get(raw, "site/1")), text);
    assert_string_equal(charm_text(charm_value_get(raw, "site/0")),
                        charm_arena_printf(arena, "{\"chunks\":1,\"format\":1,\"sha256\":\"%s\"}",
                                           charmi_sha256(arena, text, strlen(text))));
}

static void an_unchanged_document_changes_nothing(void **state)
{
    struct charm_value *changes = charm_value_new_map(arena);
    const struct charm_value *raw = stored(document("x"));
    charmi_store_encode(arena, raw, "site", document("x"), changes);
    assert_int_equal(charm_value_size(changes), 0);
}

static void documents_are_cut_at_48_kib(void **state)
{
    const char *const fits = many("x", CHARMI_STORE_CHUNK_BYTES - strlen("{\"text\":\"\"}"));
    assert_int_equal(charm_value_size(stored(document(fits))), 2);
    const char *const longer = charm_arena_printf(arena, "%sx", fits);
    const struct charm_value *raw = stored(document(longer));
    assert_int_equal(charm_value_size(raw), 3);
    assert_string_equal(charm_text(charm_value_get(raw, "site/2")), "}");
}

static void no_character_is_cut_in_two(void **state)
{
    /* four bytes each; the text begins at an odd offset, so that the limit falls inside one */
    const struct charm_value *map = document(many("\xF0\x9F\x98\x80", 40000));
    const struct charm_value *raw = stored(map);
    struct charm_value *back = NULL;
    CHARM_EACH(raw, it)
    {
        assert_true(strlen(charm_text(it.value)) <= CHARMI_STORE_CHUNK_BYTES);
        assert_lacks(charm_text(it.value), "\xEF\xBF\xBD");
    }
    assert_int_equal(decode(raw, &back, NULL), 0);
    assert_true(charm_value_equal(map, back));
}

static void surplus_chunks_become_empty_in_the_same_call(void **state)
{
    struct charm_value *changes = charm_value_new_map(arena);
    const struct charm_value *raw = stored(document(many("x", 150000)));
    assert_int_equal(charm_value_size(raw), 5);
    charmi_store_encode(arena, raw, "site", document("x"), changes);
    assert_string_equal(charm_text(charm_value_get(changes, "site/4")), "");
    assert_int_equal(charm_value_size(changes), 5);
}

static void keys_of_others_are_no_surplus(void **state)
{
    struct charm_value *changes = charm_value_new_map(arena);
    struct charm_value *raw = charm_value_copy(arena, stored(document("x")));
    charm_value_set_text(raw, "site/9", "mine, and not needed");
    charm_value_set_text(raw, "site2/9", "another owner's");
    charm_value_set_text(raw, "site/x", "no chunk");
    charm_value_set_text(raw, "site", "no chunk");
    charmi_store_encode(arena, raw, "site", document("x"), changes);
    assert_int_equal(charm_value_size(changes), 1);
    assert_string_equal(charm_text(charm_value_get(changes, "site/9")), "");
    assert_non_null(charm_value_get(changes, "site/9"));
}

static void a_surplus_chunk_that_is_empty_is_left_alone(void **state)
{
    struct charm_value *changes = charm_value_new_map(arena);
    struct charm_value *raw = charm_value_copy(arena, stored(document("x")));
    charm_value_set_text(raw, "site/2", "");
    charmi_store_encode(arena, raw, "site", document("x"), changes);
    assert_int_equal(charm_value_size(changes), 0);
}

static void assert_refused(const char *key, const char *text, enum charm_code code,
                           const char *message)
{
    struct charm_error error = { 0 };
    struct charm_value *raw = charm_value_copy(arena, stored(document("x")));
    struct charm_value *untouched = NULL;
    charm_value_set_text(raw, key, text);
    assert_int_equal(decode(raw, &untouched, &error), code);
    assert_null(untouched);
    assert_contains(error.text, "'site'");
    assert_contains(error.text, message);
}

static void damage_is_refused_in_words(void **state)
{
    assert_refused("site/0", "rubbish", CHARM_EPARSE, "its header is no JSON map");
    assert_refused("site/0", "[]", CHARM_EPARSE, "its header is no JSON map");
    assert_refused("site/0", "{\"format\":1,\"chunks\":0}", CHARM_EPARSE, "makes no sense");
    assert_refused("site/0", "{\"format\":1,\"chunks\":1000000}", CHARM_EPARSE, "makes no sense");
    assert_refused("site/0", "{\"chunks\":1}", CHARM_EPARSE, "makes no sense");
    assert_refused("site/1", "{\"text\":\"y\"}", CHARM_EPARSE, "its checksum differs");
    assert_refused("site/1", "", CHARM_EPARSE, "its checksum differs");
}

static void a_newer_format_is_refused_with_the_way_out(void **state)
{
    assert_refused("site/0", "{\"format\":2,\"chunks\":1}", CHARM_EREFUSED, "refresh");
}

static void a_text_that_is_no_map_is_refused_even_with_its_checksum(void **state)
{
    struct charm_error error = { 0 };
    struct charm_value *raw = charm_value_new_map(arena);
    struct charm_value *back = NULL;
    charm_value_setf(raw, "site/0", "{\"chunks\":1,\"format\":1,\"sha256\":\"%s\"}",
                     charmi_sha256(arena, "[]", 2));
    charm_value_set_text(raw, "site/1", "[]");
    assert_int_equal(decode(raw, &back, &error), CHARM_EPARSE);
    assert_contains(error.text, "it is no JSON map");
}

/* As an agent without Juju's limit, or a person, might have left it: what is right is taken, and goes back in pieces. */
static void a_value_of_66_kib_is_read_and_stored_again_as_juju_takes_it(void **state)
{
    const char *text = charm_value_render(arena, document(many("x", 66 * 1024)), CHARM_JSON_SORTED);
    struct charm_value *raw = charm_value_new_map(arena);
    struct charm_value *back = NULL;
    charm_value_setf(raw, "site/0", "{\"chunks\":1,\"format\":1,\"sha256\":\"%s\"}",
                     charmi_sha256(arena, text, strlen(text)));
    charm_value_set_text(raw, "site/1", text);
    assert_int_equal(decode(raw, &back, NULL), 0);
    struct charm_value *changes = charm_value_new_map(arena);
    charmi_store_encode(arena, raw, "site", back, changes);
    assert_int_equal(charm_value_size(changes), 3); /* header, and two values */
    CHARM_EACH(changes, it)
    {
        assert_true(strlen(charm_text(it.value)) <= CHARMI_STORE_CHUNK_BYTES);
        assert_string_not_equal(charm_text(it.value), "");
    }
    charm_value_update(raw, changes);
    assert_int_equal(decode(raw, &back, NULL), 0);
    assert_true(charm_value_equal(back, document(many("x", 66 * 1024))));
}

static void a_value_of_66_kib_that_was_cut_at_64_is_damaged(void **state)
{
    const char *text = charm_value_render(arena, document(many("x", 66 * 1024)), CHARM_JSON_SORTED);
    struct charm_error error = { 0 };
    struct charm_value *raw = charm_value_new_map(arena);
    struct charm_value *untouched = NULL;
    charm_value_setf(raw, "site/0", "{\"chunks\":1,\"format\":1,\"sha256\":\"%s\"}",
                     charmi_sha256(arena, text, strlen(text)));
    charm_value_set_text(raw, "site/1", charm_arena_copy_n(arena, text, (size_t)64 * 1024));
    assert_int_equal(decode(raw, &untouched, &error), CHARM_EPARSE);
    assert_null(untouched);
    assert_contains(error.text, "its checksum differs");
    assert_contains(error.text, "stays untouched");
    assert_true(strlen(error.text) < 300);
}

/* Each format that a charm has ever written is kept as a file, and read for ever. */
static void the_kept_state_of_each_format_is_read_and_stays(void **state)
{
    static const char *const owners[] = { "charm", "kafka-connect-base" };
    for (int format = 1; format <= CHARMI_STORE_FORMAT; format++) {
        const char *path = charm_arena_printf(arena, "../../data/state/format-%d.json", format);
        char *text = charm_arena_alloc(arena, 64 * 1024);
        struct charm_value *raw = NULL;
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        const size_t size = fread(text, 1, 64 * 1024, file);
        fclose(file);
        assert_int_equal(charm_value_parse(arena, text, size, &raw, NULL), 0);
        for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
            struct charm_value *kept = NULL;
            struct charm_error error = { 0 };
            if (charmi_store_decode(arena, raw, owners[i], &kept, &error) != 0) {
                fail_msg("%s: %s", path, error.text);
            }
            assert_true(charm_value_size(kept) > 3);
            struct charm_value *changes = charm_value_new_map(arena);
            charmi_store_encode(arena, raw, owners[i], kept, changes);
            /* The present format stays as it is; a former one is written anew. */
            assert_int_equal(charm_value_size(changes) == 0, format == CHARMI_STORE_FORMAT);
        }
    }
}

static void keys_of_others_count_towards_jujus_limit(void **state)
{
    struct charm_value *raw = charm_value_new_map(arena);
    struct charm_value *changes = charm_value_new_map(arena);
    charm_value_set_text(raw, "other/1", many("x", CHARMI_STORE_MAX_BYTES - 100));
    assert_int_equal(charmi_store_check_size(arena, raw, changes, NULL), 0);
    charm_value_set_text(changes, "site/1", many("x", 100));
    assert_int_equal(charmi_store_check_size(arena, raw, changes, NULL), CHARM_ETOOBIG);
    charm_value_set_text(changes, "other/1", "");
    assert_int_equal(charmi_store_check_size(arena, raw, changes, NULL), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_was_stored_is_read_again),
        CASE(an_empty_store_has_empty_documents_and_they_stay_out_of_it),
        CASE(the_header_holds_count_format_and_checksum),
        CASE(an_unchanged_document_changes_nothing),
        CASE(documents_are_cut_at_48_kib),
        CASE(no_character_is_cut_in_two),
        CASE(surplus_chunks_become_empty_in_the_same_call),
        CASE(keys_of_others_are_no_surplus),
        CASE(a_surplus_chunk_that_is_empty_is_left_alone),
        CASE(damage_is_refused_in_words),
        CASE(a_newer_format_is_refused_with_the_way_out),
        CASE(a_text_that_is_no_map_is_refused_even_with_its_checksum),
        CASE(a_value_of_66_kib_is_read_and_stored_again_as_juju_takes_it),
        CASE(a_value_of_66_kib_that_was_cut_at_64_is_damaged),
        CASE(the_kept_state_of_each_format_is_read_and_stays),
        CASE(keys_of_others_count_towards_jujus_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
