/*
 * lab/history.h: a random life of the application, played in this process, and what must be true of it.
 *
 * A history is data: a world to begin with, steps that an operator, Juju, Kafka, the workers or the cluster may take, and
 * faults at points of the runs that they cause. It is drawn from a seed, played deterministically, and can be cut down to
 * what still fails. Its file is JSON, with the words of tests/scenario/README.md where those can say it:
 *
 *     {"seed": 7, "beginning": 0, "juju": "3.6.4", "units": 2, "prelude": "hooks", "config": {...}, "relations": [kafka, ...],
 *      "steps": [{"leader": "connect/1", "runs": 2, "faults": [{"run": 0, "at": "http", "nth": 1, "blow": "kill-after"}]}]}
 *
 * After the last step the world heals and settles, and every invariant is checked; then an operator repairs what a person
 * must, and all is checked again; last, a fresh unit leads, and nothing may have to change for it.
 *
 *     struct lab_history_result result;
 *     lab_history_play(&base, lab_history_draw(arena, 7), &options, &result);
 *     if (result.broken != NULL) {
 *         puts(result.broken->sentence);
 *     }
 *
 *     history_draw.c       seed -> history
 *     history_world.c      the world: what there is, and the runs in it
 *     history_steps.c      what is done to it, and how it heals
 *     history_wanted.c     what an operator, looking at the world, would expect of it
 *     history_check.c      the invariants
 *     history_sabotage.c   each of them broken on purpose
 *     history_shrink.c     the shortest history that still fails
 *     history_scenario.c   a history as a scenario file
 *     history.c            the program
 *
 * May include: lab/{model,context,events,connect,brokers,deployer,skin,skin_base,yaml,match}.h, base.
 */
#ifndef LAB_HISTORY_H
#define LAB_HISTORY_H

#include "base/buf.h"
#include "charm/value.h"
#include "lab/skin_base.h"

/* Something that must be so, whatever happened. */
struct lab_invariant {
    const char *name;     /* "one-wish" */
    const char *sentence; /* what is true */
};

/* Rules that can be broken on purpose, to see that they are looked after: one for each invariant, by its name. */
struct lab_history_options {
    const char *sabotage; /* NULL: none; else the name of an invariant that the world is to break */
    struct charmi_buf *story; /* NULL, or takes every step and run in words */
    struct charm_value
        *said; /* NULL, or a list that takes the steps as scenario steps: history_scenario.c */
};

struct lab_history_result {
    const struct lab_invariant *broken; /* NULL: all held */
    const char *words;                  /* what was found, owned by the caller's arena */
    const char *unit;                   /* whose status, bag or flag it is, or NULL */
    const struct charm_value
        *then; /* for a scenario file: a part of `then` that does not hold, or NULL */
    size_t runs;
    size_t points;
    size_t faults; /* that came to pass */
};

/* NULL-ended. */
const struct lab_invariant *const *lab_history_invariants(void);

struct lab_world;

/* So many seeds in a row have the same beginning. */
enum { LAB_HISTORIES_A_BEGINNING = 32 };

struct charm_value *lab_history_draw(struct charm_arena *arena, uint64_t seed);
/* Texts of the result belong to `arena`. CHARM_EINVAL: the history is none. */
CHARM_MUST_CHECK int lab_history_play(struct charm_arena *arena, const struct lab_base *base,
                                      const struct charm_value *history,
                                      const struct lab_history_options *options,
                                      struct lab_history_result *ret_result,
                                      struct charm_error *reterr);
/*
 * The same in two parts: histories of the same `beginning` may go on from copies of one world (fork(2)). NULL: the history
 * is none. Own: close it; NULL is accepted.
 */
struct lab_world *lab_history_open(const struct lab_base *base, const struct charm_value *history,
                                   const struct lab_history_options *options,
                                   struct charm_error *reterr);
void lab_history_go_on(struct charm_arena *arena, struct lab_world *world,
                       const struct charm_value *history, struct lab_history_result *ret_result);
void lab_history_close(struct lab_world *world);
/* The shortest history found that breaks the same invariant; `history` itself when it breaks none. */
const struct charm_value *lab_history_shrink(struct charm_arena *arena, const struct lab_base *base,
                                             const struct charm_value *history,
                                             const struct lab_history_options *options);
/* A scenario file; what it cannot say is a comment in it. */
const char *lab_history_scenario(struct charm_arena *arena, const struct lab_base *base,
                                 const struct charm_value *history);

#endif
