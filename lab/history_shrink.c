/*
 * The shortest history that still breaks the same invariant: delta debugging (Zeller, Hildebrandt 2002) over its steps,
 * then over their faults, then each step as it is made simpler.
 */
#include "lab/history_internal.h"

struct shrinking {
    struct charm_arena *arena;
    const struct lab_base *base;
    const struct lab_invariant *broken;
    const char *sabotage;
    const struct charm_value *history; /* the shortest so far */
};

static bool still_fails(struct shrinking *s, const struct charm_value *history)
{
    struct charm_arena *own = charm_arena_new();
    const struct lab_history_options options = { .sabotage = s->sabotage };
    struct lab_history_result result;
    const bool fails = lab_history_play(own, s->base, history, &options, &result, NULL) == 0 &&
                       result.broken == s->broken;
    charm_arena_free(own);
    if (fails) {
        s->history = history;
    }
    return fails;
}

static struct charm_value *without(struct charm_arena *arena, const struct charm_value *list,
                                   size_t first, size_t count)
{
    struct charm_value *kept = charm_value_new_list(arena);
    for (size_t i = 0; i < charm_value_size(list); i++) {
        if (i < first || i >= first + count) {
            charm_value_append(kept, charm_value_at(list, i));
        }
    }
    return kept;
}

static struct charm_value *with_key(struct charm_arena *arena, const struct charm_value *map,
                                    const char *key, const struct charm_value *value)
{
    struct charm_value *copy = charm_value_new_map(arena);
    charm_value_update(copy, map);
    if (value == NULL) {
        charm_value_remove(copy, key);
    } else {
        charm_value_set(copy, key, value);
    }
    return copy;
}

static struct charm_value *with_step(struct shrinking *s, size_t index,
                                     const struct charm_value *step)
{
    const struct charm_value *steps = charm_value_get(s->history, "steps");
    struct charm_value *changed = charm_value_new_list(s->arena);
    for (size_t i = 0; i < charm_value_size(steps); i++) {
        charm_value_append(changed, i == index ? step : charm_value_at(steps, i));
    }
    return with_key(s->arena, s->history, "steps", changed);
}

/* Steps go in halves, then quarters, down to single ones. */
static bool drop_steps(struct shrinking *s)
{
    bool any = false;
    for (size_t count = charm_value_size(charm_value_get(s->history, "steps")); count > 0;
         count /= 2) {
        for (size_t first = 0; first < charm_value_size(charm_value_get(s->history, "steps"));) {
            const struct charm_value *steps = charm_value_get(s->history, "steps");
            const struct charm_value *shorter =
                with_key(s->arena, s->history, "steps", without(s->arena, steps, first, count));
            if (still_fails(s, shorter)) {
                any = true;
            } else {
                first += count;
            }
        }
    }
    return any;
}

static bool drop_faults(struct shrinking *s)
{
    bool any = false;
    for (size_t i = 0; i < charm_value_size(charm_value_get(s->history, "steps")); i++) {
        for (size_t k = 0;;) {
            const struct charm_value *step =
                charm_value_at(charm_value_get(s->history, "steps"), i);
            const struct charm_value *faults = charm_value_get(step, "faults");
            if (k >= charm_value_size(faults)) {
                break;
            }
            const struct charm_value *fewer =
                charm_value_size(faults) == 1 ? NULL : without(s->arena, faults, k, 1);
            if (still_fails(s, with_step(s, i, with_key(s->arena, step, "faults", fewer)))) {
                any = true;
            } else {
                k++;
            }
        }
    }
    return any;
}

/* All runs after a step, not just some: that is what a scenario file can say. */
static bool drop_key_of_steps(struct shrinking *s, const char *key)
{
    bool any = false;
    for (size_t i = 0; i < charm_value_size(charm_value_get(s->history, "steps")); i++) {
        const struct charm_value *step = charm_value_at(charm_value_get(s->history, "steps"), i);
        any = (charm_value_get(step, key) != NULL &&
               still_fails(s, with_step(s, i, with_key(s->arena, step, key, NULL)))) ||
              any;
    }
    return any;
}

/* A world as plain as possible to begin with. */
static bool simplify_beginning(struct shrinking *s)
{
    static const struct {
        const char *key;
        const char *plain;
    } simpler[] = {
        { "config", NULL }, { "juju", "\"3.6.4\"" }, { "prelude", "\"hooks\"" },
        { "units", "1" },   { "units", "2" },        { "relations", "[\"kafka\", \"kubernetes\"]" },
    };
    bool any = false;
    for (size_t i = 0; i < sizeof(simpler) / sizeof(simpler[0]); i++) {
        const struct charm_value *now = charm_value_get(s->history, simpler[i].key);
        const struct charm_value *plain =
            simpler[i].plain == NULL ? NULL : charm_value_decode(s->arena, simpler[i].plain);
        const bool smaller =
            charm_value_int(plain, 0) == 0 || charm_value_int(plain, 0) < charm_value_int(now, 0);
        if (now != NULL && smaller && (plain == NULL || !charm_value_equal(now, plain))) {
            any = still_fails(s, with_key(s->arena, s->history, simpler[i].key, plain)) || any;
        }
    }
    return any;
}

const struct charm_value *lab_history_shrink(struct charm_arena *arena, const struct lab_base *base,
                                             const struct charm_value *history,
                                             const struct lab_history_options *options)
{
    struct lab_history_result result;
    const struct lab_history_options quiet = { .sabotage = options->sabotage };
    if (lab_history_play(arena, base, history, &quiet, &result, NULL) != 0 ||
        result.broken == NULL) {
        return history;
    }
    struct shrinking s = { .arena = arena,
                           .base = base,
                           .broken = result.broken,
                           .sabotage = options->sabotage,
                           .history = history };
    bool any = true;
    while (any) {
        any = drop_steps(&s);
        any = drop_faults(&s) || any;
        any = simplify_beginning(&s) || any;
        any = drop_key_of_steps(&s, "runs") || any;
        any = drop_key_of_steps(&s, "word") || any;
    }
    return s.history;
}
