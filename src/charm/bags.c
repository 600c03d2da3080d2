#include "charm/bags.h"

#include <string.h>

#include "base/digest.h"

const char *charmi_salted(struct charm_arena *arena, const char *salt, const char *text)
{
    const char *both = charm_arena_printf(arena, "%s\n%s", salt, text);
    return charmi_sha256(arena, both, strlen(both));
}

static bool is_held(const struct charmi_bag *bag, const char *key)
{
    return bag->hold_all || charmi_words_have(&bag->hold_keys, key);
}

/* Does the bag hold this text under the key, as far as we know? */
static bool is_there(const struct charmi_bag *bag, const char *key, const char *text,
                     const char *digest)
{
    if (bag->actual != NULL) {
        const struct charm_value *found = charm_value_get(bag->actual, key);
        return found != NULL && strcmp(charm_text(found), text) == 0;
    }
    return strcmp(charm_text(charm_value_get(bag->remembered, key)), digest) == 0;
}

static void want(struct charm_arena *arena, const struct charmi_bag *bag,
                 struct charmi_bag_result *result)
{
    CHARM_EACH(bag->wanted, it)
    {
        const char *text = charm_text(it.value);
        if (text[0] == '\0') {
            continue; /* Juju keeps no empty values: the same as not wanted */
        }
        const char *digest = charmi_salted(arena, bag->salt, text);
        if (!is_there(bag, it.key, text, digest)) {
            charm_value_set_text(result->changes, it.key, text);
        }
        charm_value_set_text(result->remembered, it.key, digest);
    }
}

static bool is_wanted(const struct charmi_bag *bag, const char *key)
{
    return charm_text(charm_value_get(bag->wanted, key))[0] != '\0';
}

/* A held key stays; where the bag was read, what it really holds is remembered. */
static void keep(struct charm_arena *arena, const struct charmi_bag *bag, const char *key,
                 const char *digest, struct charmi_bag_result *result)
{
    const struct charm_value *found = charm_value_get(bag->actual, key);
    if (bag->actual == NULL) {
        charm_value_set_text(result->remembered, key, digest);
    } else if (found != NULL) {
        charm_value_set_text(result->remembered, key,
                             charmi_salted(arena, bag->salt, charm_text(found)));
    }
}

/* A key that was published once and is not wanted now. */
static void withdraw(struct charm_arena *arena, const struct charmi_bag *bag, const char *key,
                     const char *digest, struct charmi_bag_result *result)
{
    bool removed_before = digest[0] == '\0';
    if (!removed_before && is_held(bag, key)) {
        keep(arena, bag, key, digest, result);
        return;
    }
    if (bag->actual != NULL) {
        if (charm_value_get(bag->actual, key) == NULL) {
            return; /* seen to be gone: nothing to remember */
        }
        removed_before = false;
    }
    if (!removed_before) {
        charm_value_set_text(result->changes, key, "");
    }
    charm_value_set_text(result->remembered, key, "");
}

void charmi_bag_compare(struct charm_arena *arena, const struct charmi_bag *bag,
                        struct charmi_bag_result *ret_result)
{
    struct charmi_bag_result result = {
        .changes = charm_value_new_map(arena),
        .remembered = charm_value_new_map(arena),
    };
    want(arena, bag, &result);
    CHARM_EACH(bag->remembered, it)
    {
        if (!is_wanted(bag, it.key)) {
            withdraw(arena, bag, it.key, charm_text(it.value), &result);
        }
    }
    *ret_result = result;
}
