/*
 * charm/dispatch.h: decides which rows run, in which order, until nothing changes any more.
 *
 * Invariants. The rules are those of reactive-framework.md 1.2 to 1.5: phase hooks once, then iterations 0, 1, 2 ... in
 * table order; setting a flag never takes a row off the list, clearing one tests the rest of the list again; after
 * iteration 0 a row gets another chance only if one of its flags changed in the iteration before. Per row the number of unmet
 * guards is kept, per flag the guards that look at it, so that an iteration costs what changed. After the 100th
 * iteration either nothing would run next, or the run fails with CHARM_ECYCLE and the rows that wake each other. Dispatch
 * calls nothing but the callbacks.
 *
 *     bool *once = charm_arena_array(arena, table->entry_count, sizeof(*once));    from the state
 *     struct charmi_situation here = { CHARMI_MODE_HOOK, "install", once };
 *     int r = charmi_dispatch(table, flags, &here, &callbacks, &error);
 *
 * May include: charm/{table,flags}.h, base.
 */
#ifndef CHARMI_DISPATCH_H
#define CHARMI_DISPATCH_H

#include "charm/flags.h"
#include "charm/table.h"

/* As in the original. */
enum { CHARMI_MAX_ITERATIONS = 100 };

enum charmi_mode {
    CHARMI_MODE_HOOK, /* phase hooks, then settling. `name` may be empty: no hook row matches */
    CHARMI_MODE_RESTRICTED, /* rows of this restricted hook, once */
    CHARMI_MODE_ACTION,     /* the row of this action, once; nothing settles */
};

struct charmi_situation {
    enum charmi_mode mode;
    const char *name; /* of the hook or action */
    bool *
        once; /* by entry index: rows with a `once` guard that have run; kept up by dispatch. Do not save after failure */
};

enum charmi_event_kind {
    CHARMI_EVENT_PHASE,  /* a phase begins; for CHARMI_PHASE_OTHER each iteration begins with one */
    CHARMI_EVENT_QUEUED, /* `entry` is on the list; `flag`: whose change woke it, or NULL */
    CHARMI_EVENT_DROPPED, /* `entry` is off the list again; `flag`: which stopped it */
    CHARMI_EVENT_STARTS,  /* `entry` is about to be invoked */
    CHARMI_EVENT_RAN,     /* `entry` was invoked and gave `result` */
    CHARMI_EVENT_SET, /* `flag` went up; by `entry`, and by the trigger of `cause` if that is not NULL */
    CHARMI_EVENT_CLEARED, /* `flag` went down */
};

struct charmi_event {
    enum charmi_event_kind kind;
    enum charmi_phase phase;
    size_t iteration;
    const struct charmi_entry *entry;
    enum charm_result result;
    const char *flag;
    const char *cause;
};

struct charmi_callbacks {
    enum charm_result (*invoke)(void *userdata, const struct charmi_entry *entry);
    void (*observe)(void *userdata, const struct charmi_event *event); /* may be NULL */
    void *userdata;
};

/*
 * One run in its situation. A hook settles (1.2), a restricted hook runs its rows once (1.5), an action runs its row once if
 * its guards hold: CHARM_ENOTFOUND if no row has it, CHARM_EREFUSED with the guard that does not hold.
 *
 * Ends early with the first row that returns CHARM_FAILED (CHARM_EFAILED naming it; why it failed is the caller's to
 * know), with the error of the flags, or with CHARM_ECYCLE. A `once` row that returns CHARM_LATER is not marked. Each row
 * runs as the current one of the flags.
 */
CHARM_MUST_CHECK int charmi_dispatch(const struct charmi_table *table, struct charmi_flags *flags,
                                     const struct charmi_situation *here,
                                     const struct charmi_callbacks *callbacks,
                                     struct charm_error *reterr);

/* ---- why ---- */
/* A guard that does not hold, with the names to blame: flags to be set (when: the missing ones; when-any, not-all: all
 * of them) or cleared (none: those set), hooks or actions that it wants. */
struct charmi_unmet {
    enum charm_guard_kind kind;
    const char *const *names; /* NULL-ended; empty for once */
    size_t count;
};
/* The guards of a row that do not hold now; a hook guard holds in the hook that it names. Returns how many. */
size_t charmi_unmet(struct charm_arena *arena, const struct charmi_flags *flags,
                    const struct charmi_situation *here, const struct charmi_entry *entry,
                    const struct charmi_unmet **ret_unmet);
/* "needs a, b", "not while c is set" ... */
const char *charmi_unmet_text(struct charm_arena *arena, const struct charmi_unmet *unmet);
/* Do the row's guards hold now? After settling: may what it gave stay? */
bool charmi_holds(const struct charmi_flags *flags, const struct charmi_situation *here,
                  const struct charmi_entry *entry);

#endif
