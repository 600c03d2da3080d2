#include "charm/gifts.h"

#include <string.h>

void charmi_gifts_start(struct charmi_gifts *gifts, size_t giver, size_t layer)
{
    gifts->giver = giver;
    gifts->layer = layer;
    size_t kept = 0;
    for (size_t i = 0; i < gifts->size; i++) {
        if (gifts->at[i].giver != giver) {
            gifts->at[kept++] = gifts->at[i];
        }
    }
    gifts->size = kept;
}

void charmi_gifts_add(struct charmi_gifts *gifts, const struct charmi_gift *gift)
{
    if (gifts->size == gifts->capacity) {
        size_t capacity = gifts->capacity == 0 ? 64 : gifts->capacity * 2;
        struct charmi_gift *grown = charm_arena_array(gifts->arena, capacity, sizeof(*grown));
        if (gifts->size > 0) {
            memcpy(grown, gifts->at, gifts->size * sizeof(*grown));
        }
        gifts->at = grown;
        gifts->capacity = capacity;
    }
    struct charmi_gift *fresh = &gifts->at[gifts->size];
    *fresh = *gift;
    fresh->giver = gifts->giver;
    fresh->layer = gifts->layer;
    fresh->serial = gifts->size == 0 ? 0 : gifts->at[gifts->size - 1].serial + 1;
    gifts->size++;
}

void charmi_gifts_settle(struct charmi_gifts *gifts, size_t giver, enum charmi_settled how)
{
    for (size_t i = 0; i < gifts->size; i++) {
        struct charmi_gift *gift = &gifts->at[i];
        if (gift->giver == giver) {
            bool said = gift->what == CHARMI_GIFT_STATUS || gift->what == CHARMI_GIFT_HOLD;
            gift->gone = how == CHARMI_SETTLED_FALLS || (how == CHARMI_SETTLED_LATER && !said);
        }
    }
}

/* ---- by giver ---- */

static void add_once(struct charm_arena *arena, struct charmi_words *words, const char *text)
{
    if (!charmi_words_have(words, text)) {
        charmi_words_add(arena, words, text);
    }
}

struct charmi_words charmi_gifts_kinds(const struct charmi_gifts *gifts, size_t giver)
{
    struct charmi_words kinds = { 0 };
    for (size_t i = 0; i < gifts->size; i++) {
        if (gifts->at[i].giver == giver && gifts->at[i].what == CHARMI_GIFT_VALUE) {
            add_once(gifts->arena, &kinds, gifts->at[i].kind);
        }
    }
    charmi_words_sort(&kinds);
    return kinds;
}

struct charmi_words charmi_gifts_publications(const struct charmi_gifts *gifts, size_t giver)
{
    struct charmi_words keys = { 0 };
    for (size_t i = 0; i < gifts->size; i++) {
        const struct charmi_gift *gift = &gifts->at[i];
        if (gift->giver == giver && gift->what == CHARMI_GIFT_PUBLISH) {
            const char *where = gift->relation_id == NULL ? gift->endpoint : gift->relation_id;
            add_once(gifts->arena, &keys,
                     charm_arena_printf(gifts->arena, "%s %s", where, gift->key));
        }
    }
    charmi_words_sort(&keys);
    return keys;
}

/* ---- all together ---- */

static size_t giver_count(const struct charmi_gifts *gifts)
{
    size_t count = 0;
    for (size_t i = 0; i < gifts->size; i++) {
        count = gifts->at[i].giver >= count ? gifts->at[i].giver + 1 : count;
    }
    return count;
}

/* Numbers of the gifts that stay, ordered by giver and then as they were given; ended by `size`. */
static const size_t *in_order(const struct charmi_gifts *gifts)
{
    size_t *order = charm_arena_array(gifts->arena, gifts->size + 1, sizeof(*order));
    size_t count = 0;
    for (size_t giver = 0; giver < giver_count(gifts); giver++) {
        for (size_t i = 0; i < gifts->size; i++) {
            if (gifts->at[i].giver == giver && !gifts->at[i].gone) {
                order[count++] = i;
            }
        }
    }
    order[count] = gifts->size;
    return order;
}

const struct charm_value *charmi_gifts_values(const struct charmi_gifts *gifts, const char *kind)
{
    struct charm_value *values = charm_value_new_map(gifts->arena);
    for (const size_t *at = in_order(gifts); *at != gifts->size; at++) {
        const struct charmi_gift *gift = &gifts->at[*at];
        if (gift->what == CHARMI_GIFT_VALUE && strcmp(gift->kind, kind) == 0) {
            charm_value_remove(values, gift->key);
            charm_value_set(values, gift->key, gift->value);
        }
    }
    return values;
}

bool charmi_gifts_holds_endpoint(const struct charmi_gifts *gifts, const char *endpoint)
{
    for (size_t i = 0; i < gifts->size; i++) {
        const struct charmi_gift *gift = &gifts->at[i];
        if (!gift->gone && gift->what == CHARMI_GIFT_HOLD &&
            strcmp(gift->endpoint, endpoint) == 0) {
            return true;
        }
    }
    return false;
}

static void fill_bag(const struct charmi_gifts *gifts, const struct charm_relation *relation,
                     bool for_relation, struct charm_value *bag)
{
    for (const size_t *at = in_order(gifts); *at != gifts->size; at++) {
        const struct charmi_gift *gift = &gifts->at[*at];
        if (gift->what != CHARMI_GIFT_PUBLISH || (gift->relation_id != NULL) != for_relation) {
            continue;
        }
        if (for_relation ? strcmp(gift->relation_id, relation->id) == 0
                         : strcmp(gift->endpoint, relation->endpoint) == 0) {
            charm_value_set_text(bag, gift->key, gift->text);
        }
    }
}

const struct charm_value *charmi_gifts_bag(const struct charmi_gifts *gifts,
                                           const struct charm_relation *relation)
{
    struct charm_value *bag = charm_value_new_map(gifts->arena);
    fill_bag(gifts, relation, false, bag);
    fill_bag(gifts, relation, true, bag);
    return bag;
}

struct charmi_words charmi_gifts_endpoints(const struct charmi_gifts *gifts)
{
    struct charmi_words endpoints = { 0 };
    for (size_t i = 0; i < gifts->size; i++) {
        if (!gifts->at[i].gone && gifts->at[i].what == CHARMI_GIFT_PUBLISH) {
            add_once(gifts->arena, &endpoints, gifts->at[i].endpoint);
        }
    }
    charmi_words_sort(&endpoints);
    return endpoints;
}

/* ---- status and version ---- */

static bool is_worse(const struct charmi_gift *left, const struct charmi_gift *right)
{
    if (left->level != right->level) {
        return left->level > right->level; /* the enum is in this order */
    }
    if (left->layer != right->layer) {
        return left->layer > right->layer;
    }
    return left->serial > right->serial;
}

const struct charmi_gift *charmi_gifts_status(const struct charmi_gifts *gifts)
{
    const struct charmi_gift *worst = NULL;
    for (size_t i = 0; i < gifts->size; i++) {
        const struct charmi_gift *gift = &gifts->at[i];
        if (!gift->gone && gift->what == CHARMI_GIFT_STATUS &&
            (worst == NULL || is_worse(gift, worst))) {
            worst = gift;
        }
    }
    return worst;
}

const char *charmi_gifts_version(const struct charmi_gifts *gifts)
{
    const char *version = NULL;
    for (const size_t *at = in_order(gifts); *at != gifts->size; at++) {
        if (gifts->at[*at].what == CHARMI_GIFT_VERSION) {
            version = gifts->at[*at].text;
        }
    }
    return version;
}
