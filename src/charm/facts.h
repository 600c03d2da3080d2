/*
 * charm/facts.h: configuration, leadership, action parameters and secrets as Juju says, each asked for once.
 *
 * Invariants. Nothing is read before somebody asks. What cannot be read, and without which nothing can go on, sticks
 * in `broken`; the question then has an empty answer, and the run ends at its next step.
 *
 * May include: charm/{charmfiles,context,hooktools}.h.
 */
#ifndef CHARMI_FACTS_H
#define CHARMI_FACTS_H

#include "charm/charmfiles.h"
#include "charm/context.h"
#include "charm/hooktools.h"

/* A secret that somebody asked for. */
struct charmi_secret {
    struct charmi_secret *next;
    const char *uri;
    const struct charm_value *content; /* key -> text; NULL: `error` says why not */
    struct charm_error error;
};

struct charmi_facts {
    struct charm_arena *arena;
    struct charmi_tools *tools;
    const struct charm_context *context;
    const struct charm_files *files;
    struct charm_error broken;        /* code CHARM_OK while all is well */
    const struct charm_value *config; /* NULL: not asked */
    const struct charm_value *params; /* NULL: not asked */
    struct charmi_secret *secrets;
    bool leader_asked;
    bool leader;           /* the answer that holds for the run */
    bool leader_now;       /* the last answer */
    int64_t leader_yes_ms; /* when the last yes came, monotonic */
};

/* All options that have a value or are unset (null). Never NULL. */
const struct charm_value *charmi_facts_config(struct charmi_facts *facts);
bool charmi_facts_leader(struct charmi_facts *facts);
/* Asks again if the last yes is older than 20 s: Juju guarantees 30 (architecture, decision 7). */
bool charmi_facts_still_leader(struct charmi_facts *facts);
/* Parameters of the action. Never NULL. */
const struct charm_value *charmi_facts_params(struct charmi_facts *facts);
/* Content of a Juju secret, or why it could not be had; that breaks nothing. Never NULL. */
const struct charmi_secret *charmi_facts_secret(struct charmi_facts *facts, const char *uri);
/* Keeps the first error. */
void charmi_facts_break(struct charmi_facts *facts, const struct charm_error *error);

/* ---- pure: what the original's flags say of a value (reactive-framework.md 6.1) ---- */
/* config.set: not false, 0, 0.0, "" or null. */
bool charmi_value_is_set(const struct charm_value *value);
/* config.default: as in Python 1, 1.0 and true are equal, and no default is null. */
bool charmi_value_is_default(const struct charm_value *value, const struct charm_value *by_default);

#endif
