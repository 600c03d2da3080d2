/*
 * charm/appstate.h: what the application must not forget: the application bag of the peer relation.
 *
 * Invariants. Available, absent or refused; only the first says anything about content (architecture, decision 6). Of two
 * peer relations the highest id counts; while its bag is empty, the next lower one is read, and the leader carries it over. Values are JSON texts with sorted keys, so that equal content is equal bytes. The
 * key `leader` is the engine's: {"term":N,"unit":"connect/0"}; a leader that finds another unit there begins term N+1.
 *
 * May include: charm/relations.h.
 */
#ifndef CHARMI_APPSTATE_H
#define CHARMI_APPSTATE_H

#include "charm/relations.h"

#define CHARMI_APP_LEADER "leader"

enum charmi_app_status {
    CHARMI_APP_ABSENT, /* no peer relation (yet), or in install (juju-contract.md 9.1) */
    CHARMI_APP_AVAILABLE,
    CHARMI_APP_REFUSED, /* unknown in this run */
};

struct charmi_appstate {
    struct charm_arena *arena;
    enum charmi_app_status status;
    const struct charm_relation *relation; /* NULL: none */
    const struct charm_value *there;       /* key -> text in its bag; NULL: refused */
    const struct charm_value *raw;         /* key -> text that counts; NULL unless available */
    struct charm_value *wanted;            /* key -> text, "" removes */
    int64_t term;                          /* that holds now; 0: unknown */
    const char *leader;                    /* unit, "" if unknown */
};

/* Reads it. A leader that is not named there becomes the leader of the next term. */
void charmi_appstate_load(struct charmi_appstate *app, struct charmi_relations *relations,
                          struct charmi_facts *facts);
/* Value of a key as the last commit left it, or NULL. */
const struct charm_value *charmi_appstate_get(const struct charmi_appstate *app, const char *key);
/* What the key is to hold; NULL removes it. */
void charmi_appstate_want(struct charmi_appstate *app, const char *key,
                          const struct charm_value *value);
/* key -> text for relation-set; empty when all is as wanted. */
const struct charm_value *charmi_appstate_changes(const struct charmi_appstate *app);

#endif
