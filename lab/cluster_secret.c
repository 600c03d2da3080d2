#include "lab/cluster_secret.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const char *lab_base64(struct charm_arena *arena, const void *bytes, size_t size)
{
    const unsigned char *from = bytes;
    char *text = charm_arena_alloc(arena, (size + 2) / 3 * 4 + 1);
    char *to = text;
    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        const unsigned long three = (unsigned long)from[i] << 16 |
                                    (left > 1 ? (unsigned long)from[i + 1] << 8 : 0) |
                                    (left > 2 ? from[i + 2] : 0);
        *to++ = digits[three >> 18];
        *to++ = digits[(three >> 12) & 63];
        *to++ = digits[(three >> 6) & 63];
        *to++ = digits[three & 63];
        if (left < 3) {
            memset(to - (3 - left), '=', 3 - left);
        }
    }
    return text;
}

/* NULL: it is not base64. */
static const char *decode(struct charm_arena *arena, const char *text, size_t *ret_size)
{
    const size_t length = strlen(text);
    const size_t padding =
        length >= 2 && text[length - 1] == '=' ? 1 + (text[length - 2] == '=') : 0;
    if (length % 4 != 0 || strspn(text, digits) != length - padding) {
        return NULL;
    }
    char *bytes = charm_arena_alloc(arena, length / 4 * 3 + 3);
    size_t size = 0;
    for (size_t i = 0; i < length; i += 4) {
        unsigned long three = 0;
        for (size_t k = 0; k < 4; k++) {
            const char *digit = text[i + k] == '=' ? digits : strchr(digits, text[i + k]);
            three = three << 6 | (unsigned long)(digit - digits);
        }
        bytes[size++] = (char)(three >> 16);
        bytes[size++] = (char)(three >> 8 & 255);
        bytes[size++] = (char)(three & 255);
    }
    bytes[size - padding * (size > 0)] = '\0';
    *ret_size = size - padding * (size > 0);
    return bytes;
}

int lab_secret_stored(struct charm_arena *arena, const struct charm_value *manifest,
                      const struct charm_value **ret_stored, struct charm_error *reterr)
{
    struct charm_value *stored = charm_value_copy(arena, manifest);
    struct charm_value *data = charm_value_new_map(arena);
    charm_value_update(data, charm_value_get(manifest, "data"));
    CHARM_EACH(data, it)
    {
        size_t size = 0;
        if (decode(arena, charm_text(it.value), &size) == NULL) {
            return charm_error_set(
                reterr, CHARM_EINVAL,
                "Secret in version \"v1\" cannot be handled as a Secret: illegal "
                "base64 data at data.%s",
                it.key);
        }
    }
    CHARM_EACH(charm_value_get(manifest, "stringData"), plain)
    {
        const char *text = charm_text(plain.value);
        charm_value_set_text(data, plain.key, lab_base64(arena, text, strlen(text)));
    }
    charm_value_remove(stored, "stringData");
    if (charm_value_size(data) > 0) {
        charm_value_set(stored, "data", data);
    }
    if (charm_value_get(stored, "type") == NULL) {
        charm_value_set_text(stored, "type", "Opaque");
    }
    *ret_stored = stored;
    return 0;
}

const char *lab_secret_bytes(struct charm_arena *arena, const struct charm_value *data,
                             const char *key, size_t *ret_size)
{
    const struct charm_value *value = charm_value_get(data, key);
    return value == NULL ? NULL : decode(arena, charm_text(value), ret_size);
}
