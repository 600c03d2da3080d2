#include "fuzz.h"

#include "base/buf.h"
#include "base/text.h"

enum { LONGEST_WORDS = 1000 };

void fuzz_one_line(const char *what, const char *text)
{
    const size_t size = strlen(text);
    MUST(size < LONGEST_WORDS, "%s: %zu bytes", what, size);
    MUST(charmi_utf8_valid(text, size), "%s: %s", what, text);
    for (size_t i = 0; i < size; i++) {
        MUST((unsigned char)text[i] >= 0x20, "%s: %s", what, text);
    }
}

void fuzz_error(const char *what, int result, const struct charm_error *error)
{
    MUST(result < 0 && (int)error->code == result, "%s: result %d, code %d", what, result,
         error->code);
    MUST(error->text[0] != '\0', "%s: no words", what);
    fuzz_one_line(what, error->text);
}

char *fuzz_replace(struct charm_arena *arena, const char *text, const char *what, const char *with)
{
    struct charmi_buf buf = charmi_buf_init(SIZE_MAX / 4);
    for (const char *at = strstr(text, what); at != NULL; at = strstr(text, what)) {
        charmi_buf_add_n(&buf, text, (size_t)(at - text));
        charmi_buf_add(&buf, with);
        text = at + strlen(what);
    }
    charmi_buf_add(&buf, text);
    return charmi_buf_into(&buf, arena);
}

/* Where the next separator begins, or the end. */
static size_t find_separator(const char *bytes, size_t size)
{
    static const char separator[] = "\n---\n";
    const size_t length = sizeof(separator) - 1;
    for (size_t i = 0; i + length <= size; i++) {
        if (memcmp(bytes + i, separator, length) == 0) {
            return i;
        }
    }
    return size;
}

size_t fuzz_pieces(struct charm_arena *arena, const uint8_t *data, size_t size,
                   struct fuzz_piece *pieces, size_t most)
{
    size_t count = 0;
    const char *bytes = (const char *)data;
    while (count < most) {
        const size_t length = count + 1 == most ? size : find_separator(bytes, size);
        pieces[count++] = (struct fuzz_piece){ charm_arena_copy_n(arena, bytes, length), length };
        if (length == size) {
            break;
        }
        bytes += length + 5;
        size -= length + 5;
    }
    return count;
}
