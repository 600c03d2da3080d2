#include "kcb/address.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"
#define HEX DIGITS "abcdefABCDEF"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

enum {
    LONGEST_NAME = 253, /* RFC 1035, 2.3.4 */
    LONGEST_LABEL = 63,
    GROUPS = 8, /* RFC 4291, 2.2 */
    GROUPS_OF_IPV4 = 2,
};

/* Four numbers up to 255, of at most three digits. */
static bool is_ipv4(const char *text)
{
    for (int i = 0; i < 4; i++) {
        const size_t size = strspn(text, DIGITS);
        if (size == 0 || size > 3 || strtol(text, NULL, 10) > 255 ||
            text[size] != (i < 3 ? '.' : '\0')) {
            return false;
        }
        text += size + 1;
    }
    return true;
}

/* Behind a group: past the colon, or the two that stand for zeros; NULL: nothing can stand here. */
static const char *next_group(const char *at, bool *gap)
{
    if (strncmp(at, "::", 2) == 0 && !*gap) {
        *gap = true;
        return at + 2;
    }
    return at[0] == ':' && at[1] != '\0' ? at + 1 : NULL;
}

static bool is_ipv6(const char *text)
{
    size_t groups = 0;
    bool gap = strncmp(text, "::", 2) == 0;
    for (const char *at = gap ? text + 2 : text; *at != '\0';) {
        const size_t size = strspn(at, HEX);
        if (at[size] == '.') {
            groups += GROUPS_OF_IPV4;
            return is_ipv4(at) && (gap ? groups < GROUPS : groups == GROUPS);
        }
        if (size == 0 || size > 4) {
            return false;
        }
        groups++;
        at += size;
        at = *at == '\0' ? at : next_group(at, &gap);
        if (at == NULL) {
            return false;
        }
    }
    return gap ? groups < GROUPS : groups == GROUPS;
}

/* RFC 1123, 2.1; a dot at the end says that the name is whole. */
static bool is_name(const char *text)
{
    for (bool last = false; !last;) {
        const size_t size = strspn(text, LETTERS DIGITS "-");
        if (size == 0 || size > LONGEST_LABEL || text[0] == '-' || text[size - 1] == '-' ||
            (text[size] != '.' && text[size] != '\0')) {
            return false;
        }
        last = text[size] == '\0' || text[size + 1] == '\0';
        if (last && strspn(text, DIGITS) == size) {
            return false;
        }
        text += size + 1;
    }
    return true;
}

bool kcbi_is_address(const char *text)
{
    if (strlen(text) > LONGEST_NAME) {
        return false;
    }
    return strchr(text, ':') != NULL ? is_ipv6(text) : is_ipv4(text) || is_name(text);
}
