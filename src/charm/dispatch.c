#include "charm/dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* The most links of a cycle that a message shows. */
enum { LINKS_SHOWN = 8 };

/* A guard of the table, and how many of its flags are set. */
struct guard_state {
    size_t set_count;
    bool holds;
};

struct row_state {
    size_t unmet;               /* flag guards that do not hold */
    bool listed;                /* is on the list that is being made */
    struct charmi_change waker; /* the change that last gave it another chance */
    bool woken;
};

/* One dispatch. */
struct dispatch {
    struct charm_arena *arena; /* until its end */
    const struct charmi_table *table;
    struct charmi_flags *flags;
    const struct charmi_situation *here;
    const struct charmi_callbacks *callbacks;
    struct guard_state *guards; /* by the table's guards */
    struct row_state *rows;     /* by the table's entries */
    size_t *list;               /* entries to run, in table order */
    size_t size;
    enum charmi_phase phase;
    size_t iteration;
};

/* ---- the story ---- */

static void tell(const struct dispatch *d, struct charmi_event event)
{
    if (d->callbacks->observe != NULL) {
        event.phase = d->phase;
        event.iteration = d->iteration;
        d->callbacks->observe(d->callbacks->userdata, &event);
    }
}

/* ---- guards ---- */

static bool flag_guard_holds(const struct charmi_guard *guard, size_t set_count)
{
    switch (guard->kind) {
    case CHARM_WHEN:
        return set_count == guard->flag_count;
    case CHARM_WHEN_ANY:
        return set_count > 0;
    case CHARM_WHEN_NONE:
        return set_count == 0;
    case CHARM_WHEN_NOT_ALL:
        return set_count < guard->flag_count;
    default:
        charmi_bug("a guard that is not about flags is asked about flags");
    }
}

static size_t count_set(const struct charmi_flags *flags, const struct charmi_guard *guard)
{
    size_t count = 0;
    for (size_t i = 0; i < guard->flag_count; i++) {
        count += charmi_flags_holds(flags, guard->flags[i]) ? 1 : 0;
    }
    return count;
}

/* A guard that is not about flags: it holds, or not, for the whole run; except `once`. */
static bool situation_holds(const struct charmi_situation *here, const struct charmi_guard *guard)
{
    static const enum charmi_mode mode_of[] = {
        [CHARM_HOOK] = CHARMI_MODE_HOOK,
        [CHARM_RESTRICTED] = CHARMI_MODE_RESTRICTED,
        [CHARM_ACTION] = CHARMI_MODE_ACTION,
    };
    if (guard->kind == CHARM_ONCE) {
        return !here->once[guard->entry];
    }
    return here->mode == mode_of[guard->kind] && charmi_in(guard->names, here->name);
}

static bool guard_holds(const struct charmi_flags *flags, const struct charmi_situation *here,
                        const struct charmi_guard *guard)
{
    return charmi_guard_on_flags(guard->kind) ? flag_guard_holds(guard, count_set(flags, guard))
                                              : situation_holds(here, guard);
}

bool charmi_holds(const struct charmi_flags *flags, const struct charmi_situation *here,
                  const struct charmi_entry *entry)
{
    for (size_t i = 0; i < entry->guard_count; i++) {
        if (!guard_holds(flags, here, &entry->guards[i])) {
            return false;
        }
    }
    return true;
}

/* ---- why not ---- */

/* Is this flag to blame for its guard, which does not hold? */
static bool to_blame(const struct charmi_flags *flags, enum charm_guard_kind kind, size_t id)
{
    switch (kind) {
    case CHARM_WHEN:
        return !charmi_flags_holds(flags, id);
    case CHARM_WHEN_NONE:
        return charmi_flags_holds(flags, id);
    default: /* any: none is set; not-all: all are */
        return true;
    }
}

static struct charmi_unmet blame(struct charm_arena *arena, const struct charmi_flags *flags,
                                 const struct charmi_guard *guard)
{
    struct charmi_words names = { .at = charm_arena_array(arena, 1, sizeof(char *)) };
    for (size_t i = 0; i < guard->flag_count; i++) {
        if (to_blame(flags, guard->kind, guard->flags[i])) {
            charmi_words_add(arena, &names, charmi_flags_name(flags, guard->flags[i]));
        }
    }
    for (size_t i = 0; i < charmi_list_size(guard->names); i++) {
        charmi_words_add(arena, &names, guard->names[i]);
    }
    return (struct charmi_unmet){ guard->kind, names.at, names.size };
}

size_t charmi_unmet(struct charm_arena *arena, const struct charmi_flags *flags,
                    const struct charmi_situation *here, const struct charmi_entry *entry,
                    const struct charmi_unmet **ret_unmet)
{
    struct charmi_unmet *unmet = charm_arena_array(arena, entry->guard_count, sizeof(*unmet));
    size_t count = 0;
    for (size_t i = 0; i < entry->guard_count; i++) {
        if (!guard_holds(flags, here, &entry->guards[i])) {
            unmet[count++] = blame(arena, flags, &entry->guards[i]);
        }
    }
    *ret_unmet = unmet;
    return count;
}

const char *charmi_unmet_text(struct charm_arena *arena, const struct charmi_unmet *unmet)
{
    static const char *const formats[] = {
        [CHARM_WHEN] = "needs %s",
        [CHARM_WHEN_ANY] = "needs one of %s",
        [CHARM_WHEN_NONE] = "not while %s",
        [CHARM_WHEN_NOT_ALL] = "not while all of %s",
        [CHARM_HOOK] = "only in the hook %s",
        [CHARM_RESTRICTED] = "only in the restricted hook %s",
        [CHARM_ACTION] = "only in the action %s",
    };
    if (unmet->kind == CHARM_ONCE) {
        return "only once, and it has run";
    }
    if (unmet->count == 0) {
        return "only in hooks of endpoints that this charm does not have";
    }
    const char *before = formats[unmet->kind];
    struct charmi_words names = { 0 };
    for (size_t i = 0; i < unmet->count; i++) {
        charmi_words_add(arena, &names, unmet->names[i]);
    }
    const char *list = charmi_words_join(arena, &names, ", ");
    return charm_arena_printf(arena, "%.*s%s", (int)strcspn(before, "%"), before, list);
}

/* ---- counters ---- */

static void count_flag_guard(struct dispatch *d, size_t index, bool set)
{
    const struct charmi_guard *guard = &d->table->guards[index];
    struct guard_state *state = &d->guards[index];
    state->set_count = set ? state->set_count + 1 : state->set_count - 1;
    bool holds = flag_guard_holds(guard, state->set_count);
    if (holds != state->holds) {
        state->holds = holds;
        struct row_state *row = &d->rows[guard->entry];
        row->unmet = holds ? row->unmet - 1 : row->unmet + 1;
    }
}

static void on_transition(void *userdata, const struct charmi_transition *transition)
{
    struct dispatch *d = userdata;
    if (transition->id < d->table->flag_count) {
        const struct charmi_flag *flag = &d->table->flags[transition->id];
        for (size_t i = 0; i < flag->guard_count; i++) {
            count_flag_guard(d, flag->guards[i], transition->set);
        }
    }
    tell(d, (struct charmi_event){
                .kind = transition->set ? CHARMI_EVENT_SET : CHARMI_EVENT_CLEARED,
                .entry = transition->entry,
                .flag = transition->flag,
                .cause = transition->cause,
            });
}

static void count_all_guards(struct dispatch *d)
{
    for (size_t i = 0; i < d->table->guard_count; i++) {
        const struct charmi_guard *guard = &d->table->guards[i];
        if (charmi_guard_on_flags(guard->kind)) {
            d->guards[i].set_count = count_set(d->flags, guard);
            d->guards[i].holds = flag_guard_holds(guard, d->guards[i].set_count);
            d->rows[guard->entry].unmet += d->guards[i].holds ? 0 : 1;
        }
    }
}

/* ---- lists ---- */

/* Do the guards hold that are not about flags? */
static bool fits(const struct dispatch *d, const struct charmi_entry *entry)
{
    for (size_t i = 0; i < entry->guard_count; i++) {
        if (!charmi_guard_on_flags(entry->guards[i].kind) &&
            !situation_holds(d->here, &entry->guards[i])) {
            return false;
        }
    }
    return true;
}

static bool matches(const struct dispatch *d, const struct charmi_entry *entry)
{
    return d->rows[entry->index].unmet == 0 && fits(d, entry);
}

/* Every row of the phase that matches; `once` alone belongs to every phase (1.2). */
static void list_phase(struct dispatch *d)
{
    d->size = 0;
    for (size_t i = 0; i < d->table->entry_count; i++) {
        const struct charmi_entry *entry = &d->table->entries[i];
        bool in_phase = entry->phase == d->phase || entry->phase == CHARMI_PHASE_ANY;
        if (in_phase && matches(d, entry)) {
            d->list[d->size++] = i;
        }
    }
}

static int by_number(const void *left, const void *right)
{
    size_t l = *(const size_t *)left;
    size_t r = *(const size_t *)right;
    return (l > r) - (l < r);
}

/* Lists the rows that look at a flag, if they match; the change becomes their waker. */
static void list_watchers(struct dispatch *d, const struct charmi_change *change)
{
    if (change->id >= d->table->flag_count) {
        return;
    }
    const struct charmi_flag *flag = &d->table->flags[change->id];
    for (size_t i = 0; i < flag->guard_count; i++) {
        const struct charmi_entry *entry =
            &d->table->entries[d->table->guards[flag->guards[i]].entry];
        struct row_state *row = &d->rows[entry->index];
        if (entry->phase != CHARMI_PHASE_OTHER || row->listed || !matches(d, entry)) {
            continue;
        }
        row->listed = true;
        row->woken = true;
        row->waker = *change;
        d->list[d->size++] = entry->index;
    }
}

/* Rows of which a flag changed in the iteration before (1.4). */
static void list_changed(struct dispatch *d)
{
    d->size = 0;
    struct charmi_changes changes = charmi_flags_watch_changes(d->flags);
    for (size_t i = 0; i < changes.count; i++) {
        list_watchers(d, &changes.at[i]);
    }
    if (d->size > 0) {
        qsort(d->list, d->size, sizeof(*d->list), by_number);
    }
    for (size_t i = 0; i < d->size; i++) {
        d->rows[d->list[i]].listed = false;
    }
}

static void tell_list(const struct dispatch *d)
{
    for (size_t i = 0; i < d->size; i++) {
        const struct row_state *row = &d->rows[d->list[i]];
        bool woken = row->woken && d->phase == CHARMI_PHASE_OTHER && d->iteration > 0;
        tell(d, (struct charmi_event){
                    .kind = CHARMI_EVENT_QUEUED,
                    .entry = &d->table->entries[d->list[i]],
                    .flag = woken ? charmi_flags_name(d->flags, row->waker.id) : NULL,
                });
    }
}

/* The first flag that stops a row. */
static const char *stopper(const struct dispatch *d, const struct charmi_entry *entry)
{
    for (size_t i = 0; i < entry->guard_count; i++) {
        const struct charmi_guard *guard = &entry->guards[i];
        for (size_t j = 0; j < guard->flag_count; j++) {
            if (!guard_holds(d->flags, d->here, guard) &&
                to_blame(d->flags, guard->kind, guard->flags[j])) {
                return charmi_flags_name(d->flags, guard->flags[j]);
            }
        }
    }
    return NULL;
}

/* After a clear: what is left of the list is tested again, and only that (1.3). */
static void drop_unmet(struct dispatch *d, size_t from)
{
    size_t kept = from;
    for (size_t i = from; i < d->size; i++) {
        const struct charmi_entry *entry = &d->table->entries[d->list[i]];
        if (matches(d, entry)) {
            d->list[kept++] = d->list[i];
        } else {
            tell(d, (struct charmi_event){
                        .kind = CHARMI_EVENT_DROPPED, .entry = entry, .flag = stopper(d, entry) });
        }
    }
    d->size = kept;
}

/* ---- running ---- */

static int run_row(struct dispatch *d, const struct charmi_entry *entry, struct charm_error *reterr)
{
    tell(d, (struct charmi_event){ .kind = CHARMI_EVENT_STARTS, .entry = entry });
    charmi_flags_enter(d->flags, entry);
    enum charm_result result = d->callbacks->invoke(d->callbacks->userdata, entry);
    charmi_flags_enter(d->flags, NULL);
    tell(d, (struct charmi_event){ .kind = CHARMI_EVENT_RAN, .entry = entry, .result = result });
    int r = charmi_flags_error(d->flags, reterr);
    if (r < 0) {
        return r;
    }
    if (result == CHARM_FAILED) {
        return charm_error_set(reterr, CHARM_EFAILED, "run the row '%s': it failed", entry->id);
    }
    if (entry->once && result == CHARM_DONE) {
        d->here->once[entry->index] = true;
    }
    return 0;
}

static int run_list(struct dispatch *d, struct charm_error *reterr)
{
    tell(d, (struct charmi_event){ .kind = CHARMI_EVENT_PHASE });
    tell_list(d);
    charmi_flags_take_clear_mark(d->flags);
    for (size_t i = 0; i < d->size; i++) {
        int r = run_row(d, &d->table->entries[d->list[i]], reterr);
        if (r < 0) {
            return r;
        }
        if (charmi_flags_take_clear_mark(d->flags)) {
            drop_unmet(d, i + 1);
        }
    }
    charmi_flags_watch_commit(d->flags);
    return 0;
}

static int run_phase(struct dispatch *d, enum charmi_phase phase, struct charm_error *reterr)
{
    d->phase = phase;
    list_phase(d);
    return run_list(d, reterr);
}

/* ---- cycles ---- */

/*
 * From the first row that would run next, back from waker to waker, until a row comes twice: those rows wake each
 * other. `ret_chain` gets them, the latest first.
 */
static void find_cycle(const struct dispatch *d, struct charmi_ids *ret_chain)
{
    struct charmi_ids chain = { 0 };
    size_t at = d->list[0];
    while (!charmi_ids_have(&chain, at)) {
        charmi_ids_add(d->arena, &chain, at);
        const struct row_state *row = &d->rows[at];
        if (!row->woken || row->waker.by == NULL) {
            break;
        }
        at = row->waker.by->index;
    }
    for (size_t i = 0; i < chain.size; i++) {
        if (chain.at[i] == at) {
            *ret_chain = (struct charmi_ids){ chain.at + i, chain.size - i, chain.size - i };
        }
    }
}

static int report_cycle(const struct dispatch *d, struct charm_error *reterr)
{
    struct charmi_ids chain = { 0 };
    find_cycle(d, &chain);
    struct charmi_words links = { 0 };
    for (size_t i = chain.size; i-- > 0 && links.size < LINKS_SHOWN;) {
        const struct charmi_entry *entry = &d->table->entries[chain.at[i]];
        const struct charmi_change *waker = &d->rows[entry->index].waker;
        charmi_words_add(d->arena, &links,
                         charm_arena_printf(d->arena, "'%s' %s '%s', which wakes '%s'",
                                            waker->by == NULL ? "" : waker->by->id,
                                            waker->set ? "sets" : "clears",
                                            charmi_flags_name(d->flags, waker->id), entry->id));
    }
    return charm_error_set(reterr, CHARM_ECYCLE,
                           "settle the rows: after %d iterations they still wake each other: %s%s",
                           (int)CHARMI_MAX_ITERATIONS, charmi_words_join(d->arena, &links, "; "),
                           chain.size > LINKS_SHOWN ? "; ..." : "");
}

/* ---- runs ---- */

static int settle(struct dispatch *d, struct charm_error *reterr)
{
    int r = run_phase(d, CHARMI_PHASE_HOOKS, reterr);
    if (r < 0) {
        return r;
    }
    d->phase = CHARMI_PHASE_OTHER;
    list_phase(d);
    for (d->iteration = 0; d->size > 0; d->iteration++) {
        if (d->iteration == CHARMI_MAX_ITERATIONS) {
            return report_cycle(d, reterr);
        }
        charmi_flags_watch_iteration(d->flags, d->iteration);
        r = run_list(d, reterr);
        if (r < 0) {
            return r;
        }
        list_changed(d);
    }
    return 0;
}

static int run_action(struct dispatch *d, struct charm_error *reterr)
{
    const struct charmi_entry *entry = charmi_table_find_action(d->table, d->here->name);
    if (entry == NULL) {
        return charm_error_set(reterr, CHARM_ENOTFOUND, "run the action '%s': no row has it",
                               d->here->name);
    }
    const struct charmi_unmet *unmet = NULL;
    size_t count = charmi_unmet(d->arena, d->flags, d->here, entry, &unmet);
    if (count > 0) {
        struct charmi_words texts = { 0 };
        for (size_t i = 0; i < count; i++) {
            charmi_words_add(d->arena, &texts, charmi_unmet_text(d->arena, &unmet[i]));
        }
        return charm_error_set(reterr, CHARM_EREFUSED, "run the action '%s': %s", d->here->name,
                               charmi_words_join(d->arena, &texts, "; "));
    }
    d->phase = CHARMI_PHASE_ACTION;
    d->list[0] = entry->index;
    d->size = 1;
    return run_list(d, reterr);
}

static int run_mode(struct dispatch *d, struct charm_error *reterr)
{
    switch (d->here->mode) {
    case CHARMI_MODE_HOOK:
        return settle(d, reterr);
    case CHARMI_MODE_RESTRICTED:
        return run_phase(d, CHARMI_PHASE_RESTRICTED, reterr);
    case CHARMI_MODE_ACTION:
        return run_action(d, reterr);
    }
    charmi_bug("unknown mode of dispatch");
}

int charmi_dispatch(const struct charmi_table *table, struct charmi_flags *flags,
                    const struct charmi_situation *here, const struct charmi_callbacks *callbacks,
                    struct charm_error *reterr)
{
    int r = charmi_flags_error(flags, reterr);
    if (r < 0) {
        return r;
    }
    struct charm_arena *arena = charm_arena_new();
    struct dispatch d = {
        .arena = arena,
        .table = table,
        .flags = flags,
        .here = here,
        .callbacks = callbacks,
        .guards = charm_arena_array(arena, table->guard_count + 1, sizeof(*d.guards)),
        .rows = charm_arena_array(arena, table->entry_count + 1, sizeof(*d.rows)),
        .list = charm_arena_array(arena, table->entry_count + 1, sizeof(*d.list)),
    };
    count_all_guards(&d);
    struct charmi_listener before =
        charmi_flags_listen(flags, (struct charmi_listener){ on_transition, &d });
    charmi_flags_watch_reset(flags);
    r = run_mode(&d, reterr);
    charmi_flags_watch_reset(flags);
    charmi_flags_listen(flags, before);
    charm_arena_free(arena);
    return r;
}
