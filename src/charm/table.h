/*
 * charm/table.h: the layers of a charm, checked and compiled into one table that dispatch can run.
 *
 * Invariants. Entries are in the order in which rows run: layers in link order, rows in table order. Every flag that
 * a layer names has a number below `flag_count`; names first seen in a run get numbers from there on
 * (charm/flags.h). A table never changes after it was built and may serve many runs; it lives as long as its arena,
 * and borrows the layers. What can never work is refused here, with row and fault by name.
 *
 *     struct charmi_table *table = NULL;
 *     int r = charmi_table_build(arena, layers, &(struct charmi_table_options){ .metadata = metadata },
 *                                &table, &error);
 *     const struct charmi_entry *entry = charmi_table_find(table, "hello.greet");
 *
 * May include: charm/{layer,names,patterns,value}.h, base.
 */
#ifndef CHARMI_TABLE_H
#define CHARMI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "charm/error.h"
#include "charm/layer.h"
#include "charm/names.h"
#include "charm/value.h"

/* The two hooks in which Juju offers no facts (reactive-framework.md 1.5). */
#define CHARMI_COLLECT_METRICS "collect-metrics"
#define CHARMI_METER_STATUS_CHANGED "meter-status-changed"

enum charmi_flag_kind {
    CHARMI_REMEMBERED, /* set and cleared by rows and triggers, saved between runs */
    CHARMI_LEVEL,      /* derived from facts, constant in the run */
    CHARMI_EDGE,       /* derived from facts, starts unset; a row may clear it */
};

/* One guard of one row. Flag guards have `flags`, without duplicates; hook (expanded), restricted and action have
 * `names`; once has neither. */
struct charmi_guard {
    enum charm_guard_kind kind;
    size_t entry; /* index of the row */
    const size_t *flags;
    size_t flag_count;
    const char *const *names; /* NULL-ended */
};

/* When a row is tested. A row of two of these could never run, and is refused. */
enum charmi_phase {
    CHARMI_PHASE_HOOKS,      /* rows with a hook guard */
    CHARMI_PHASE_OTHER,      /* rows with flag guards */
    CHARMI_PHASE_RESTRICTED, /* rows for a restricted hook */
    CHARMI_PHASE_ACTION,     /* rows for an action */
    CHARMI_PHASE_ANY, /* recorded rules: `once` alone; phase hooks, and restricted runs too (1.2) */
    CHARMI_PHASE_NEVER, /* recorded rules: a hook guard beside flag guards */
};

struct charmi_entry {
    const char *id; /* "layer.row" */
    size_t index;
    const struct charm_row *row;
    const struct charm_layer *layer;
    enum charmi_phase phase;
    bool once;
    const struct charmi_guard *guards; /* `when` first, then `unless`, then `guards` */
    size_t guard_count;
    const size_t *sets; /* flags that it declared */
    size_t set_count;
    const size_t *clears;
    size_t clear_count;
};

struct charmi_flag {
    const char *name;
    enum charmi_flag_kind kind;
    bool term;            /* holds only in the term of leadership that set it */
    bool triggered;       /* a trigger of a layer fires on it */
    const size_t *guards; /* the guards that look at it: indices into table->guards, in row order */
    size_t guard_count;
};

struct charmi_table {
    const struct charm_layer *const *layers; /* in link order, NULL-ended */
    const struct charmi_entry *entries;
    size_t entry_count;
    const struct charmi_guard *guards; /* of all rows, row by row */
    size_t guard_count;
    const struct charmi_flag *flags;
    size_t flag_count;
    const struct charm_trigger *const *triggers; /* of all layers, in link order */
    size_t trigger_count;
    const struct charm_derivation *const *derivations;
    size_t derivation_count;
    const struct charm_output *const *outputs;
    const struct charm_layer *const *output_layers; /* whose output it is, beside `outputs` */
    size_t output_count;
    const struct charmi_names *names;       /* of flags */
    const struct charmi_names *entry_names; /* ids of entries */
    const struct charmi_names *actions;     /* see charmi_table_find_action() */
    const size_t *action_entries;
    bool recorded; /* built with CHARMI_TABLE_RECORDED */
};

enum charmi_table_rules {
    CHARMI_TABLE_STRICT,
    /* What the Python framework allows and we refuse: a hook guard beside flag guards (never runs) and `once` alone (runs in
     * restricted hooks too). Built-in flag names are ordinary. For the replay of its recorded behaviour. */
    CHARMI_TABLE_RECORDED,
};

struct charmi_table_options {
    const struct charm_value
        *metadata; /* metadata.yaml, for {role:interface}; NULL: no endpoints */
    enum charmi_table_rules rules;
};

/* Returns 0, or CHARM_EINVAL naming row and fault. `options` may be NULL. */
CHARM_MUST_CHECK int charmi_table_build(struct charm_arena *arena,
                                        const struct charm_layer *const *layers,
                                        const struct charmi_table_options *options,
                                        const struct charmi_table **ret_table,
                                        struct charm_error *reterr);

/* The entry "layer.row", or NULL. */
const struct charmi_entry *charmi_table_find(const struct charmi_table *table, const char *id);
/* The row of this action, or NULL. */
const struct charmi_entry *charmi_table_find_action(const struct charmi_table *table,
                                                    const char *action);
/* Number of a flag, or CHARMI_NO_NAME if no layer names it. */
size_t charmi_table_flag(const struct charmi_table *table, const char *name);
/* What kind a flag of this name is, named by a layer or not. */
enum charmi_flag_kind charmi_table_kind(const struct charmi_table *table, const char *name);
/* Is the trigger well made (2.3), and are its effects on flags that a row could change? */
CHARM_MUST_CHECK int charmi_table_check_trigger(const struct charmi_table *table,
                                                const struct charm_trigger *trigger,
                                                struct charm_error *reterr);
bool charmi_guard_on_flags(enum charm_guard_kind kind);

#endif
