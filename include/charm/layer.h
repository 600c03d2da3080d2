/*
 * charm/layer.h: what a charm is: layers of rows, each a handler with the flags that guard it.
 *
 * Invariants. Tables are `static const`, ended by a row without a name, and never change. Rows run in table
 * order, layers in link order; the rules of dispatch are in reactive-framework.md 1-2. A row declares every flag
 * that it sets or clears; one that does otherwise fails the run. An empty flag list is refused at start, and so is a
 * row without any guard. The tables themselves are C (compound literals); the header parses as C++.
 *
 *     static enum charm_result greet(struct charm_run *run, const struct charm_row *row)
 *     {
 *         charm_publish(run, "website", "hostname", charm_config_text(run, "hostname"));
 *         return CHARM_DONE;
 *     }
 *
 *     static const struct charm_row rows[] = {
 *         { .name = "greet", .summary = "tell visitors where we are",
 *           .when = CHARM_FLAGS("endpoint.website.joined", "config.set.hostname"), .run = greet },
 *         { 0 }
 *     };
 *
 *     int main(int argc, char **argv)
 *     {
 *         return charm_main(argc, argv, CHARM_LAYERS(&(struct charm_layer){ "hello", rows }));
 *     }
 *
 * May include: C standard headers.
 */
#ifndef CHARM_LAYER_H
#define CHARM_LAYER_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct charm_run;
struct charm_row;
struct charm_derivation;
struct charm_output;

/* How a row ended. */
enum charm_result {
    CHARM_DONE,  /* it did what it is for */
    CHARM_LATER, /* what it needs is not there yet; no error. What it gives stays as it was */
    CHARM_FAILED, /* the run fails: exit 1, nothing committed, Juju retries. Say why with charm_fail() */
};

typedef enum charm_result charm_row_fn(struct charm_run *run, const struct charm_row *row);

/* A list of flags (or hook patterns, or names), ended by NULL. */
#define CHARM_FLAGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

enum charm_guard_kind {
    CHARM_GUARD_END,    /* ends a list of guards */
    CHARM_WHEN,         /* all set */
    CHARM_WHEN_ANY,     /* at least one set */
    CHARM_WHEN_NONE,    /* none set */
    CHARM_WHEN_NOT_ALL, /* at least one not set */
    CHARM_HOOK, /* the hook's name is among these patterns, as {requires:kafka}-relation-{joined,changed};
                           such rows run in the phase before all others and never together with flag guards */
    CHARM_ONCE,       /* once in the life of the unit; takes no list */
    CHARM_RESTRICTED, /* the restricted hook of this name: collect-metrics, meter-status-changed */
    CHARM_ACTION,     /* the action of this name */
};

struct charm_guard {
    enum charm_guard_kind kind;
    const char *const *flags;
};

#define CHARM_GUARDS(...) ((const struct charm_guard[]){ __VA_ARGS__, { CHARM_GUARD_END, NULL } })

/* One handler. All guards must hold. */
struct charm_row {
    const char *name;                 /* unique in its layer, lower case and hyphens */
    const char *summary;              /* one line for people */
    const char *const *when;          /* all of these set; short for CHARM_WHEN */
    const char *const *unless;        /* none of these set; short for CHARM_WHEN_NONE */
    const struct charm_guard *guards; /* further guards, see CHARM_GUARDS */
    const char *const *sets;          /* flags that `run` may set */
    const char *const *clears;        /* flags that `run` may clear */
    charm_row_fn *run;
    const void *data; /* for rows that share a function */
};

/*
 * When flag `when` goes from unset to set (or `when_not` from set to unset): set `sets`, then clear `clears`. Exactly
 * one of the first two, at least one of the last two. Not retroactive (reactive-framework.md 2.3).
 */
struct charm_trigger {
    const char *when;
    const char *when_not;
    const char *sets;
    const char *clears;
};

/*
 * Flags computed from facts at the start of each run. `flags` are levels: constant in the run, no row sets or clears
 * them. `edges` (names that end in .changed or hold .changed. or end in .new-status) start unset, may be cleared by a
 * row and then stay down. `derive` reads facts and calls charm_derive(); it must not do anything else.
 */
typedef void charm_derive_fn(struct charm_run *run, const struct charm_derivation *derivation);
struct charm_derivation {
    const char *name;
    const char *summary;
    const char *const *flags;
    const char *const *edges;
    charm_derive_fn *derive;
};

/*
 * Computed after the rows have settled, in link order: turns what rows gave, and facts, into desired state
 * (charm_publish(), charm_status(), charm_app_set() ...). CHARM_LATER keeps what was there.
 */
typedef enum charm_result charm_output_fn(struct charm_run *run, const struct charm_output *output);
struct charm_output {
    const char *name;
    const char *summary;
    charm_output_fn *compute;
};

struct charm_layer {
    const char *name; /* lower case and hyphens; also the name of its part of the state */
    const struct charm_row *rows;
    const struct charm_trigger *triggers; /* ended by an empty one, or NULL */
    const char *const *term_flags;        /* hold only in the term of leadership that set them */
    const struct charm_derivation *derivations; /* ended by one without a name, or NULL */
    const struct charm_output *outputs;         /* ended by one without a name, or NULL */
    const void *ports; /* the layer's own functions to the outside, see charm_layer_ports() */
};

/* Layers in link order, ended by NULL: lower layers first, the charm's own last. */
#define CHARM_LAYERS(...) ((const struct charm_layer *const[]){ __VA_ARGS__, NULL })

#ifdef __cplusplus
}
#endif
#endif
