/*
 * base/buf.h: text that grows, up to a ceiling that its creator gives.
 *
 * An append that would pass the ceiling sets `overflow` and adds nothing; later appends add nothing either, so
 * that only the end needs a check. The text is always NUL-terminated.
 *
 *     charmi_auto_buf struct charmi_buf buf = charmi_buf_init(64 * 1024);
 *     charmi_buf_addf(&buf, "%s=%d\n", "workers", 3);
 *     char *text = charmi_buf_take(&buf);      (own: free() it)
 *
 * May include: base/memory.h.
 */
#ifndef CHARMI_BUF_H
#define CHARMI_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"

struct charmi_buf {
    char *data; /* NULL while empty */
    size_t size;
    size_t capacity;
    size_t max; /* most bytes, without the NUL */
    bool overflow;
};

struct charmi_buf charmi_buf_init(size_t max_bytes);
void charmi_buf_release(struct charmi_buf *buf);
void charmi_buf_add_n(struct charmi_buf *buf, const char *bytes, size_t size);
void charmi_buf_add(struct charmi_buf *buf, const char *text);
void charmi_buf_add_char(struct charmi_buf *buf, char c);
void charmi_buf_addf(struct charmi_buf *buf, const char *format, ...) CHARM_PRINTF(2, 3);
void charmi_buf_vaddf(struct charmi_buf *buf, const char *format, va_list args) CHARM_PRINTF(2, 0);
/* The text so far ("" while empty), borrowed until the next change. */
const char *charmi_buf_text(const struct charmi_buf *buf);
/* Hands the text over (own: free() it) and leaves the buffer empty. */
char *charmi_buf_take(struct charmi_buf *buf);
/* A copy in an arena; the buffer is released. */
char *charmi_buf_into(struct charmi_buf *buf, struct charm_arena *arena);

#define charmi_auto_buf __attribute__((cleanup(charmi_buf_release)))

#endif
