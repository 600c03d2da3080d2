#include "charm/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Writes `text` into the error as one line; a text that is too long loses its middle. */
static void put(struct charm_error *error, const char *text)
{
    static const char gap[] = " ... ";
    const size_t room = sizeof(error->text) - 1;
    const size_t size = strlen(text);
    if (size <= room) {
        memmove(error->text, text, size + 1);
    } else {
        const size_t half = (room - (sizeof(gap) - 1)) / 2;
        memmove(error->text, text, half);
        memcpy(error->text + half, gap, sizeof(gap) - 1);
        memmove(error->text + half + sizeof(gap) - 1, text + size - half, half);
        error->text[half + sizeof(gap) - 1 + half] = '\0';
    }
    for (char *c = error->text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20) {
            *c = ' ';
        }
    }
    charmi_utf8_mend(error->text); /* a cut may have gone through a character */
}

enum { LONGEST = 4096 };

int charm_error_set(struct charm_error *reterr, enum charm_code code, const char *format, ...)
{
    if (reterr == NULL) {
        return code;
    }
    char text[LONGEST];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    *reterr = (struct charm_error){ .code = code,
                                    .retriable = code == CHARM_ETIMEOUT || code == CHARM_ENET };
    put(reterr, text);
    return code;
}

int charm_error_os(struct charm_error *reterr, int os_errno, const char *format, ...)
{
    if (reterr == NULL) {
        return CHARM_EFAILED;
    }
    char text[LONGEST];
    va_list args;
    va_start(args, format);
    const int used = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof(text)) {
        snprintf(text + used, sizeof(text) - (size_t)used, ": %s", strerror(os_errno));
    }
    *reterr = (struct charm_error){ .code = CHARM_EFAILED, .os_errno = os_errno };
    put(reterr, text);
    return CHARM_EFAILED;
}

int charm_error_wrap(struct charm_error *reterr, const char *format, ...)
{
    if (reterr == NULL) {
        return CHARM_EFAILED;
    }
    char text[LONGEST];
    va_list args;
    va_start(args, format);
    const int used = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof(text)) {
        snprintf(text + used, sizeof(text) - (size_t)used, ": %s", reterr->text);
    }
    put(reterr, text);
    return reterr->code;
}
