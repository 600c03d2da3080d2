/*
 * charm/gifts.h: what rows and output functions gave in this run: values for lower layers, relation data, statuses.
 *
 * Pure. A giver is a row or an output function, known by its number: rows in table order, then outputs. A giver that
 * starts again forgets what it gave before. After settling, what rows gave whose guards do not hold falls away; of a
 * row that ended "later" only its statuses stay, since what it gives stays as it was (architecture, decision 2).
 *
 *     charmi_gifts_start(&gifts, 3, layer);
 *     charmi_gifts_add(&gifts, &(struct charmi_gift){ .what = CHARMI_GIFT_VALUE, .kind = "connector", ... });
 *     charmi_gifts_settle(&gifts, 3, CHARMI_SETTLED_LATER);
 *
 * May include: charm/{run,value}.h.
 */
#ifndef CHARMI_GIFTS_H
#define CHARMI_GIFTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "charm/run.h"

enum charmi_gift_what {
    CHARMI_GIFT_VALUE,   /* charm_give(): kind, key, value */
    CHARMI_GIFT_PUBLISH, /* endpoint, or relation too; key, text */
    CHARMI_GIFT_HOLD,    /* endpoint */
    CHARMI_GIFT_STATUS,  /* level, text */
    CHARMI_GIFT_VERSION, /* text */
};

struct charmi_gift {
    enum charmi_gift_what what;
    const char *kind;
    const char *endpoint;
    const char *relation_id; /* NULL: every relation of the endpoint */
    const char *key;
    const char *text;
    const struct charm_value *value;
    enum charm_status_level level;
    size_t giver;
    size_t layer; /* number of the giver's layer, link order */
    size_t serial;
    bool gone;
};

struct charmi_gifts {
    struct charm_arena *arena;
    struct charmi_gift *at;
    size_t size;
    size_t capacity;
    size_t giver; /* who gives now */
    size_t layer;
};

/* From now on this one gives; what it gave before is forgotten. */
void charmi_gifts_start(struct charmi_gifts *gifts, size_t giver, size_t layer);
/* Copies the gift; giver, layer and serial are filled in. Texts and values must live in the arena. */
void charmi_gifts_add(struct charmi_gifts *gifts, const struct charmi_gift *gift);

enum charmi_settled {
    CHARMI_SETTLED_STAYS,
    CHARMI_SETTLED_LATER, /* only statuses stay */
    CHARMI_SETTLED_FALLS, /* nothing stays */
};
void charmi_gifts_settle(struct charmi_gifts *gifts, size_t giver, enum charmi_settled how);

/* Kinds of values that a giver gave in this run, those included that fell away since; sorted. */
struct charmi_words charmi_gifts_kinds(const struct charmi_gifts *gifts, size_t giver);
/* "website hostname", "website:3 port" ...: what a giver published in this run; sorted. */
struct charmi_words charmi_gifts_publications(const struct charmi_gifts *gifts, size_t giver);

/* Values of one kind by key; givers in their order, so that later ones replace earlier ones. */
const struct charm_value *charmi_gifts_values(const struct charmi_gifts *gifts, const char *kind);
bool charmi_gifts_holds_endpoint(const struct charmi_gifts *gifts, const char *endpoint);
/* Desired bag of a relation: a map of texts. What is published for one relation beats what is for its endpoint. */
const struct charm_value *charmi_gifts_bag(const struct charmi_gifts *gifts,
                                           const struct charm_relation *relation);
/* Endpoints that somebody publishes on. */
struct charmi_words charmi_gifts_endpoints(const struct charmi_gifts *gifts);
/* The worst status: blocked > waiting > maintenance > active, then the upper layer, then the later one. NULL: none. */
const struct charmi_gift *charmi_gifts_status(const struct charmi_gifts *gifts);
/* NULL: nobody gave one. */
const char *charmi_gifts_version(const struct charmi_gifts *gifts);

#endif
