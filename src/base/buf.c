#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct charmi_buf charmi_buf_init(size_t max_bytes)
{
    return (struct charmi_buf){ .max = max_bytes };
}

void charmi_buf_release(struct charmi_buf *buf)
{
    free(buf->data);
    *buf = (struct charmi_buf){ .max = buf->max };
}

/* Makes room for `more` bytes and a NUL; false when the ceiling forbids it. */
static bool reserve(struct charmi_buf *buf, size_t more)
{
    if (buf->overflow || more > buf->max || buf->size > buf->max - more) {
        buf->overflow = true;
        return false;
    }
    const size_t need = buf->size + more + 1;
    if (need > buf->capacity) {
        size_t capacity = buf->capacity < 64 ? 64 : buf->capacity;
        while (capacity < need) {
            capacity = charmi_multiply(capacity, 2);
        }
        buf->data = charmi_realloc(buf->data, capacity);
        buf->capacity = capacity;
    }
    return true;
}

void charmi_buf_add_n(struct charmi_buf *buf, const char *bytes, size_t size)
{
    if (!reserve(buf, size)) {
        return;
    }
    if (size > 0) {
        memcpy(buf->data + buf->size, bytes, size);
    }
    buf->size += size;
    buf->data[buf->size] = '\0';
}

void charmi_buf_add(struct charmi_buf *buf, const char *text)
{
    charmi_buf_add_n(buf, text, strlen(text));
}

void charmi_buf_add_char(struct charmi_buf *buf, char c)
{
    charmi_buf_add_n(buf, &c, 1);
}

void charmi_buf_vaddf(struct charmi_buf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    const int size = vsnprintf(NULL, 0, format, args);
    if (size < 0) {
        charmi_bug("charmi_buf_vaddf: bad format");
    }
    if (reserve(buf, (size_t)size)) {
        vsnprintf(buf->data + buf->size, (size_t)size + 1, format, again);
        buf->size += (size_t)size;
    }
    va_end(again);
}

void charmi_buf_addf(struct charmi_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    charmi_buf_vaddf(buf, format, args);
    va_end(args);
}

const char *charmi_buf_text(const struct charmi_buf *buf)
{
    return buf->data == NULL ? "" : buf->data;
}

char *charmi_buf_take(struct charmi_buf *buf)
{
    CHARMI_IGNORE(reserve(buf, 0), "an overflowed buffer still has its text");
    char *text = buf->data;
    if (text == NULL) {
        text = charmi_malloc(1);
        text[0] = '\0';
    } else {
        text[buf->size] = '\0';
    }
    *buf = (struct charmi_buf){ .max = buf->max };
    return text;
}

char *charmi_buf_into(struct charmi_buf *buf, struct charm_arena *arena)
{
    char *copy = charm_arena_copy_n(arena, charmi_buf_text(buf), buf->size);
    charmi_buf_release(buf);
    return copy;
}
