#include "charm/store.h"

#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"

/* More chunks than Juju lets a unit keep: the count is nonsense. */
#define CHUNKS_MAX 64

static const char *key_of(struct charm_arena *arena, const char *owner, size_t chunk)
{
    return charm_arena_printf(arena, "%s/%zu", owner, chunk);
}

static const char *raw_text(struct charm_arena *arena, const struct charm_value *raw,
                            const char *owner, size_t chunk)
{
    return charm_text(charm_value_get(raw, key_of(arena, owner, chunk)));
}

static int damaged(const char *owner, const char *how, struct charm_error *reterr)
{
    return charm_error_set(reterr, CHARM_EPARSE,
                           "read the state of '%s': it is damaged (%s) and stays untouched; look "
                           "with state-get, repair or remove the keys %s/*",
                           owner, how, owner);
}

struct header {
    size_t chunks;
    const char *sha256;
};

static int read_header(struct charm_arena *arena, const char *owner, const char *text,
                       struct header *ret_header, struct charm_error *reterr)
{
    struct charm_value *header = NULL;
    if (charm_value_parse(arena, text, strlen(text), &header, NULL) < 0 ||
        charm_value_kind(header) != CHARM_MAP) {
        return damaged(owner, "its header is no JSON map", reterr);
    }
    int64_t format = charm_value_int(charm_value_get(header, "format"), 0);
    if (format > CHARMI_STORE_FORMAT) {
        return charm_error_set(reterr, CHARM_EREFUSED,
                               "read the state of '%s': a newer charm wrote it (format %lld, this "
                               "one knows %d) and it stays untouched; refresh to a revision that "
                               "knows it",
                               owner, (long long)format, CHARMI_STORE_FORMAT);
    }
    int64_t chunks = charm_value_int(charm_value_get(header, "chunks"), -1);
    if (format < 1 || chunks < 1 || chunks > CHUNKS_MAX) {
        return damaged(owner, "its header makes no sense", reterr);
    }
    ret_header->chunks = (size_t)chunks;
    ret_header->sha256 = charm_text(charm_value_get(header, "sha256"));
    return 0;
}

static char *join_chunks(struct charm_arena *arena, const struct charm_value *raw,
                         const char *owner, size_t chunks)
{
    struct charmi_buf buf = charmi_buf_init(CHARMI_STORE_MAX_BYTES * 2);
    for (size_t i = 1; i <= chunks; i++) {
        charmi_buf_add(&buf, raw_text(arena, raw, owner, i));
    }
    return charmi_buf_into(&buf, arena);
}

int charmi_store_decode(struct charm_arena *arena, const struct charm_value *raw, const char *owner,
                        struct charm_value **ret_document, struct charm_error *reterr)
{
    const char *first = raw_text(arena, raw, owner, 0);
    if (first[0] == '\0') {
        *ret_document = charm_value_new_map(arena);
        return 0;
    }
    struct header header;
    int r = read_header(arena, owner, first, &header, reterr);
    if (r < 0) {
        return r;
    }
    const char *text = join_chunks(arena, raw, owner, header.chunks);
    if (strcmp(charmi_sha256(arena, text, strlen(text)), header.sha256) != 0) {
        return damaged(owner, "its checksum differs", reterr);
    }
    struct charm_value *document = NULL;
    if (charm_value_parse(arena, text, strlen(text), &document, NULL) < 0 ||
        charm_value_kind(document) != CHARM_MAP) {
        return damaged(owner, "it is no JSON map", reterr);
    }
    *ret_document = document;
    return 0;
}

/* Size of the next chunk: at most the limit, and not in the middle of a UTF-8 character. */
static size_t chunk_size(const char *text, size_t left)
{
    if (left <= CHARMI_STORE_CHUNK_BYTES) {
        return left;
    }
    size_t size = CHARMI_STORE_CHUNK_BYTES;
    while (size > 0 && ((unsigned char)text[size] & 0xC0U) == 0x80U) {
        size--;
    }
    return size;
}

static void put(struct charm_arena *arena, const struct charm_value *raw, const char *owner,
                size_t chunk, const char *text, struct charm_value *changes)
{
    if (strcmp(raw_text(arena, raw, owner, chunk), text) != 0) {
        charm_value_set_text(changes, key_of(arena, owner, chunk), text);
    }
}

static size_t put_chunks(struct charm_arena *arena, const struct charm_value *raw,
                         const char *owner, const char *text, struct charm_value *changes)
{
    size_t chunks = 0;
    for (size_t left = strlen(text); left > 0;) {
        size_t size = chunk_size(text, left);
        put(arena, raw, owner, ++chunks, charm_arena_copy_n(arena, text, size), changes);
        text += size;
        left -= size;
    }
    return chunks;
}

/* Is this the key of a chunk that the document does not need any more? */
static bool is_surplus(const char *key, const char *owner, size_t chunks)
{
    const size_t size = strlen(owner);
    int64_t chunk;
    return strncmp(key, owner, size) == 0 && key[size] == '/' &&
           charmi_parse_int(key + size + 1, 0, CHUNKS_MAX, &chunk) && chunk > (int64_t)chunks;
}

void charmi_store_encode(struct charm_arena *arena, const struct charm_value *raw,
                         const char *owner, const struct charm_value *document,
                         struct charm_value *changes)
{
    if (charm_value_size(document) == 0 && raw_text(arena, raw, owner, 0)[0] == '\0') {
        return;
    }
    const char *text = charm_value_render(arena, document, CHARM_JSON_SORTED);
    size_t chunks = put_chunks(arena, raw, owner, text, changes);
    put(arena, raw, owner, 0,
        charm_arena_printf(arena, "{\"chunks\":%zu,\"format\":%d,\"sha256\":\"%s\"}", chunks,
                           CHARMI_STORE_FORMAT, charmi_sha256(arena, text, strlen(text))),
        changes);
    CHARM_EACH(raw, it)
    {
        if (is_surplus(it.key, owner, chunks) && charm_text(it.value)[0] != '\0') {
            charm_value_set_text(changes, it.key, "");
        }
    }
}

int charmi_store_check_size(struct charm_arena *arena, const struct charm_value *raw,
                            const struct charm_value *changes, struct charm_error *reterr)
{
    struct charm_value *all = charm_value_new_map(arena);
    charm_value_update(all, raw);
    charm_value_update(all, changes);
    size_t size = 0;
    CHARM_EACH(all, it)
    {
        size += strlen(it.key) + strlen(charm_text(it.value));
    }
    if (size > CHARMI_STORE_MAX_BYTES) {
        return charm_error_set(reterr, CHARM_ETOOBIG,
                               "save the unit's state: it has %zu bytes, Juju keeps at most %zu",
                               size, CHARMI_STORE_MAX_BYTES);
    }
    return 0;
}
