#include "lab/cluster_quantity.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const struct {
    const char *suffix;
    double factor;
} suffixes[] = {
    { "", 1 },
    { "n", 1e-9 },
    { "u", 1e-6 },
    { "m", 1e-3 },
    { "k", 1e3 },
    { "M", 1e6 },
    { "G", 1e9 },
    { "T", 1e12 },
    { "P", 1e15 },
    { "E", 1e18 },
    { "Ki", 1024.0 },
    { "Mi", 1024.0 * 1024 },
    { "Gi", 1024.0 * 1024 * 1024 },
    { "Ti", 1024.0 * 1024 * 1024 * 1024 },
    { "Pi", 1024.0 * 1024 * 1024 * 1024 * 1024 },
    { "Ei", 1024.0 * 1024 * 1024 * 1024 * 1024 * 1024 },
};

/* Length of the digits with at most one point; 0 when there is no digit. */
static size_t number_length(const char *text)
{
    size_t size = 0;
    size_t digits = 0;
    bool point = false;
    for (; isdigit((unsigned char)text[size]) || (text[size] == '.' && !point); size++) {
        if (text[size] == '.') {
            point = true;
        } else {
            digits++;
        }
    }
    return digits == 0 ? 0 : size;
}

static bool exponent(const char *text, double *ret_factor)
{
    int64_t power = 0;
    if ((text[0] != 'e' && text[0] != 'E') || !charmi_parse_int(text + 1, -18, 18, &power)) {
        return false;
    }
    *ret_factor = pow(10, (double)power);
    return true;
}

static bool factor_of(const char *suffix, double *ret_factor)
{
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        if (charmi_same(suffixes[i].suffix, suffix)) {
            *ret_factor = suffixes[i].factor;
            return true;
        }
    }
    return exponent(suffix, ret_factor);
}

bool lab_quantity_parse(struct charm_arena *arena, const struct charm_value *value,
                        double *ret_amount)
{
    const char *text = charm_value_scalar(arena, value);
    const bool negative = text[0] == '-';
    if (text[0] == '-' || text[0] == '+') {
        text++;
    }
    const size_t size = number_length(text);
    double factor = 1;
    if (size == 0 || !factor_of(text + size, &factor)) {
        return false;
    }
    const double number = strtod(charm_arena_copy_n(arena, text, size), NULL);
    *ret_amount = (negative ? -number : number) * factor;
    return true;
}
