/*
 * world.h: a small unit for tests of the engine: rows with scripted steps, a store between runs, and a record of what ran.
 *
 *     static const struct charm_row rows[] = {
 *         { .name = "one", .when = CHARM_FLAGS("a"), .data = STEPS(SET("b"), CLEAR("a")) },
 *         { 0 }
 *     };
 *     struct world *world = world_new(rows, NULL, CHARMI_TABLE_STRICT);
 *     world_set(world, "a");
 *     assert_int_equal(world_hook(world, "install"), 0);
 *     assert_string_equal(world_ran(world), "0: one");
 *     assert_string_equal(world_flags(world), "b");
 *     world_free(world);
 */
#ifndef WORLD_H
#define WORLD_H

#include "base/buf.h"
#include "charm/dispatch.h"

enum verb { STEP_END, STEP_SET, STEP_CLEAR, STEP_TRIGGER, STEP_LATER, STEP_FAIL };
struct step {
    enum verb verb;
    const char *flag;
    const struct charm_trigger *trigger;
};
#define STEPS(...) ((const struct step[]){ __VA_ARGS__, { STEP_END, NULL, NULL } })
#define SET(flag)                                                                                  \
    {                                                                                              \
        STEP_SET, (flag), NULL                                                                     \
    }
#define CLEAR(flag)                                                                                \
    {                                                                                              \
        STEP_CLEAR, (flag), NULL                                                                   \
    }
#define TRIGGER(...)                                                                               \
    {                                                                                              \
        STEP_TRIGGER, NULL, &(const struct charm_trigger)                                          \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define LATER                                                                                      \
    {                                                                                              \
        STEP_LATER, NULL, NULL                                                                     \
    }
#define FAIL                                                                                       \
    {                                                                                              \
        STEP_FAIL, NULL, NULL                                                                      \
    }

struct world {
    struct charm_arena *arena;
    const struct charmi_table *table;
    struct charmi_words store; /* remembered between runs */
    struct charmi_words levels;
    bool *once;
    struct charmi_flags *flags; /* of the run that goes on, or of the last one */
    bool begun;
    struct charm_error error;
    const char *head; /* of the list that begins with the next row to run */
    struct charmi_buf ran;
    struct charmi_buf story;
};

/* What rows leave out (summary, function, declared flags) is filled in. Failure to build ends the test. */
struct world *world_new(const struct charm_row *rows, const struct charm_trigger *triggers,
                        enum charmi_table_rules rules);
/* Several layers, in link order. */
struct world *world_of_layers(const struct charm_layer *const *layers,
                              enum charmi_table_rules rules);
void world_free(struct world *world);

/* Opens the next run, if none is open: flags of the store, no transitions. */
struct charmi_flags *world_begin(struct world *world);
void world_set(struct world *world, const char *flag); /* in the run that is about to go */
void world_clear(struct world *world, const char *flag);
/* Each begins a run unless one is open, dispatches, and commits if that went well. */
int world_hook(struct world *world, const char *hook); /* restricted ones by their names */
int world_action(struct world *world, const char *action);

/* "hooks: a b; 0: c; 1: d e", "restricted: a", "action: a"; "" if nothing ran. */
const char *world_ran(struct world *world);
/* One line an event: "queued b (a)", "dropped c (a)", "set x by a", ... */
const char *world_story(struct world *world);
/* Set flags, sorted, with blanks between. */
const char *world_flags(struct world *world);

#endif
