/*
 * charm/bags.h: what must be written into the own unit's bags, from what is wanted and what was published before.
 *
 * Pure. Of each published value a salted digest is remembered, never the value. A key that was published and is
 * wanted no more is removed, and remembered as removed ("") until a run has seen that it is gone. Keys of others (Juju's
 * own) are never touched. When the last run wrote something, nobody knows whether Juju kept it (architecture,
 * decision 3): then `actual` is what the bag really holds, and it decides instead of the digests.
 *
 *     charmi_bag_compare(arena, &(struct charmi_bag){ .remembered = ..., .wanted = ..., .salt = salt }, &result);
 *     if (charm_value_size(result.changes) > 0) ... relation-set
 *
 * May include: charm/value.h, base.
 */
#ifndef CHARMI_BAGS_H
#define CHARMI_BAGS_H

#include <stdbool.h>

#include "base/text.h"
#include "charm/value.h"

struct charmi_bag {
    const struct charm_value *remembered; /* key -> digest, "" for removed; NULL: nothing */
    const struct charm_value *wanted;     /* key -> text */
    const struct charm_value *actual;     /* key -> text; NULL: trust what is remembered */
    bool hold_all;                        /* what is not wanted stays as it is */
    struct charmi_words hold_keys;        /* these stay as they are */
    const char *salt;
};

struct charmi_bag_result {
    struct charm_value *changes;    /* key -> text, "" removes */
    struct charm_value *remembered; /* as it will be */
};

void charmi_bag_compare(struct charm_arena *arena, const struct charmi_bag *bag,
                        struct charmi_bag_result *ret_result);

/* sha256 of salt and text, as hex. */
const char *charmi_salted(struct charm_arena *arena, const char *salt, const char *text);

#endif
