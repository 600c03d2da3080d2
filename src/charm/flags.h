/*
 * charm/flags.h: the flags of one run: which are set, what changed, and the triggers that fire on changes.
 *
 * Invariants. Kinds are those of the table (charm/table.h). Remembered flags change through set and clear. Level flags are
 * derived before dispatch and then constant; edge flags are derived, too, and may only be cleared. While a row is entered,
 * only flags that it declared may change. A change against these rules changes nothing and sticks as the run's first
 * misuse: charmi_flags_error() says so from then on, and dispatch ends the run with it. Only transitions (set of an unset
 * flag, clear of a set one) are recorded and fire triggers; each clear call leaves the clear mark
 * (reactive-framework.md 1.3, 1.4, 2.3).
 *
 *     struct charmi_flags *flags = charmi_flags_new(arena, table);
 *     charmi_flags_load(flags, "hello.configured");             what the last run remembered
 *     charmi_flags_load_level(flags, "leadership.is_leader");   levels of the last run
 *     charmi_flags_derive(flags, "config.changed");             in every derivation
 *     charmi_flags_derived(flags, CHARMI_DERIVED_FIRE);         triggers on the difference
 *     ... dispatch: charmi_flags_set(), charmi_flags_clear() ...
 *     struct charmi_words remembered = charmi_flags_remembered(flags, arena);
 *
 * May include: charm/table.h, base.
 */
#ifndef CHARMI_FLAGS_H
#define CHARMI_FLAGS_H

#include "base/text.h"
#include "charm/table.h"

struct charmi_flags;

/* A store without flags; it borrows the table, whose triggers are registered. */
struct charmi_flags *charmi_flags_new(struct charm_arena *arena, const struct charmi_table *table);

/* ---- the start of a run: no transitions ---- */
/* A flag that the last committed run remembered. One that is derived by now is left out. */
void charmi_flags_load(struct charmi_flags *flags, const char *name);
/* A level flag that was set when the last run was committed (charmi_flags_levels()). */
void charmi_flags_load_level(struct charmi_flags *flags, const char *name);
/* A derivation found that this level or edge flag holds. Misuse for a remembered flag. */
void charmi_flags_derive(struct charmi_flags *flags, const char *name);
/* A level flag that is not derived, but might be if everything could be read: no trigger fires for that, and what the
 * last run left is kept for the next (architecture, decision 2: unknown is not absent). */
void charmi_flags_doubt(struct charmi_flags *flags, const char *name);
enum charmi_derived {
    CHARMI_DERIVED_FIRE,   /* ordinary runs */
    CHARMI_DERIVED_SILENT, /* action and restricted runs (architecture, decision 1) */
};
/* All derivations are done. Triggers fire on flags that were not set and are, in order of derivation, then on levels that
 * were set and are not. Triggers see all derived flags in place. */
void charmi_flags_derived(struct charmi_flags *flags, enum charmi_derived how);

/* ---- during the run ---- */
/* Whose changes these are from now on; NULL: nobody's, every remembered flag may change. */
void charmi_flags_enter(struct charmi_flags *flags, const struct charmi_entry *entry);
const struct charmi_entry *charmi_flags_current(const struct charmi_flags *flags);
void charmi_flags_set(struct charmi_flags *flags, const char *name);
void charmi_flags_clear(struct charmi_flags *flags, const char *name);
bool charmi_flags_is_set(const struct charmi_flags *flags, const char *name);
/* For the rest of this run; a bad one is misuse. Repeating one adds nothing. */
void charmi_flags_add_trigger(struct charmi_flags *flags, const struct charm_trigger *trigger);
/* The first misuse or trigger cycle, returned as its code; 0 if there was none. */
CHARM_MUST_CHECK int charmi_flags_error(const struct charmi_flags *flags,
                                        struct charm_error *reterr);

/* ---- lists, sorted by bytes ---- */
struct charmi_words charmi_flags_all(const struct charmi_flags *flags, struct charm_arena *arena);
/* Set flags to save. */
struct charmi_words charmi_flags_remembered(const struct charmi_flags *flags,
                                            struct charm_arena *arena);
/* Set level flags that a trigger of a layer names: to save, for the next run's charmi_flags_load_level(). */
struct charmi_words charmi_flags_levels(const struct charmi_flags *flags,
                                        struct charm_arena *arena);
/* Those of `names` (NULL-ended) that are not set, without duplicates. */
struct charmi_words charmi_flags_unset(const struct charmi_flags *flags, struct charm_arena *arena,
                                       const char *const *names);
bool charmi_flags_all_set(const struct charmi_flags *flags, const char *const *names);
bool charmi_flags_any_set(const struct charmi_flags *flags, const char *const *names);

/* ---- for dispatch ---- */
bool charmi_flags_holds(const struct charmi_flags *flags, size_t id);
const char *charmi_flags_name(const struct charmi_flags *flags, size_t id);
/* Was there a clear call since the last question? Asking forgets it. */
bool charmi_flags_take_clear_mark(struct charmi_flags *flags);

/* A transition, told after the store has it and before its triggers fire. */
struct charmi_transition {
    size_t id;
    const char *flag;
    bool set;                         /* else cleared */
    const struct charmi_entry *entry; /* the row that did it, or NULL */
    const char *cause;                /* the flag whose trigger did it, or NULL */
};
typedef void charmi_transition_fn(void *userdata, const struct charmi_transition *transition);
struct charmi_listener {
    charmi_transition_fn *told; /* NULL: nobody listens */
    void *userdata;
};
/* Puts a listener in place; returns the one before, to be put back. */
struct charmi_listener charmi_flags_listen(struct charmi_flags *flags,
                                           struct charmi_listener listener);

/* ---- the watch: which rows get another chance in the same run (1.4) ---- */
struct charmi_change {
    size_t id;
    bool set;                      /* else cleared */
    const struct charmi_entry *by; /* the row in which it happened, or NULL */
};
struct charmi_changes {
    const struct charmi_change *at; /* in order, duplicates allowed */
    size_t count;
};
void charmi_flags_watch_reset(struct charmi_flags *flags);
void charmi_flags_watch_iteration(struct charmi_flags *flags, size_t iteration);
/* Changes become what was pending; pending becomes empty. */
void charmi_flags_watch_commit(struct charmi_flags *flags);
size_t charmi_flags_watch_at(const struct charmi_flags *flags); /* the iteration */
struct charmi_changes charmi_flags_watch_changes(const struct charmi_flags *flags);
struct charmi_changes charmi_flags_watch_pending(const struct charmi_flags *flags);
/* May a row that watches these flags match? */
bool charmi_flags_watch(const struct charmi_flags *flags, const char *const *names);

#endif
