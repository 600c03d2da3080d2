#include "charm/runner.h"

#include <inttypes.h>
#include <string.h>

#include "charm/commit.h"
#include "charm/derive.h"
#include "charm/givers.h"
#include "charm/lint.h"
#include "charm/session.h"

/* ---- the run as a thing ---- */

static size_t layer_count(const struct charm_layer *const *layers)
{
    size_t count = 0;
    while (layers[count] != NULL) {
        count++;
    }
    return count;
}

struct charm_run *charmi_run_new(const struct charmi_run_input *input)
{
    struct charm_arena *arena = charm_arena_new();
    struct charm_run *run = charm_arena_alloc(arena, sizeof(*run));
    run->arena = arena;
    run->ports = input->ports;
    run->layers = input->layers;
    run->memos = charm_arena_array(arena, layer_count(input->layers), sizeof(*run->memos));
    run->context = input->context;
    run->files = input->files;
    run->table = input->table;
    run->tools =
        (struct charmi_tools){ .ports = input->ports, .arena = arena, .secrets = &run->secrets };
    run->facts = (struct charmi_facts){
        .arena = arena, .tools = &run->tools, .context = input->context, .files = input->files
    };
    run->gifts.arena = arena;
    run->app = (struct charmi_appstate){ .arena = arena, .leader = "" };
    return run;
}

void charmi_run_free(struct charm_run *run)
{
    if (run != NULL) {
        charm_arena_free(run->arena); /* the run itself is in it */
    }
}

struct charm_value *charmi_memory(const struct charm_run *run)
{
    return charmi_state_of(&run->state, CHARMI_STATE_ENGINE);
}

const char *charmi_salt(struct charm_run *run)
{
    struct charm_value *memory = charmi_memory(run);
    if (charm_value_get(memory, "salt") == NULL) {
        const struct charm_ports *ports = run->ports;
        charm_value_setf(memory, "salt", "%016" PRIx64 "%016" PRIx64,
                         ports->random(ports->userdata), ports->random(ports->userdata));
    }
    return charm_text(charm_value_get(memory, "salt"));
}

struct charmi_records *charmi_run_records(struct charm_run *run)
{
    if (!run->records_open) {
        run->records_open = true;
        charmi_records_open(&run->records, run->arena, run->ports, run->context->charm_dir);
    }
    return &run->records;
}

/* ---- stage: context ---- */

static int check_layers(const struct charmi_table *table, const struct charm_files *files,
                        struct charm_error *reterr)
{
    for (size_t i = 0; table->layers[i] != NULL; i++) {
        if (charmi_same(table->layers[i]->name, CHARMI_STATE_ENGINE)) {
            return charm_error_set(reterr, CHARM_EINVAL,
                                   "check the layers: the name '%s' is the engine's",
                                   CHARMI_STATE_ENGINE);
        }
    }
    for (size_t i = 0; i < table->flag_count; i++) {
        if (table->flags[i].term && charmi_charmfiles_peer(files) == NULL) {
            return charm_error_set(reterr, CHARM_EINVAL,
                                   "check the layers: the term flag '%s' needs a peer relation in "
                                   "metadata.yaml, since terms live there",
                                   table->flags[i].name);
        }
    }
    return 0;
}

int charmi_layers_table(struct charm_arena *arena, const struct charm_layer *const *layers,
                        const struct charm_files *files, const struct charmi_table **ret_table,
                        struct charm_error *reterr)
{
    const struct charmi_table_options options = { .metadata = files->metadata };
    const struct charmi_table *table = NULL;
    int r = charmi_table_build(arena, layers, &options, &table, reterr);
    if (r < 0) {
        return r;
    }
    r = check_layers(table, files, reterr);
    if (r < 0) {
        return r;
    }
    r = charmi_lint(table, files, reterr);
    if (r < 0) {
        return r;
    }
    *ret_table = table;
    return 0;
}

static int take_context(struct charm_run *run, struct charm_error *reterr)
{
    enum charm_run_kind kind = run->context->kind;
    if (kind == CHARM_KIND_EXEC || kind == CHARM_KIND_HAND) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "run the charm: only Juju's hooks and actions run it, since a "
                               "second writer could put back old state; look with `explain`");
    }
    if (run->table == NULL) {
        int r = charmi_layers_table(run->arena, run->layers, run->files, &run->table, reterr);
        if (r < 0) {
            return r;
        }
    }
    charmi_givers_init(run);
    charmi_story_begin(&run->story, run->arena, run->table->entry_count);
    return 0;
}

/* ---- stage: facts ---- */

static struct charmi_words state_owners(struct charm_run *run)
{
    struct charmi_words owners = { 0 };
    charmi_words_add(run->arena, &owners, CHARMI_STATE_ENGINE);
    for (size_t i = 0; run->layers[i] != NULL; i++) {
        charmi_words_add(run->arena, &owners, run->layers[i]->name);
    }
    return owners;
}

/* A restricted run may not be allowed to read state; then it has none, and saves none. */
static int read_state(struct charm_run *run, struct charm_error *reterr)
{
    struct charmi_words owners = state_owners(run);
    struct charm_error error = { 0 };
    int r = charmi_state_load(&run->state, run->arena, &run->tools, &owners, &error);
    if (r == CHARM_EREFUSED && run->context->kind == CHARM_KIND_RESTRICTED) {
        run->state_refused = true;
        charmi_state_empty(&run->state, run->arena, &owners);
        charmi_story_trace(&run->story, error.text);
        return 0;
    }
    if (r < 0 && reterr != NULL) {
        *reterr = error;
    }
    return r;
}

static int read_facts(struct charm_run *run, struct charm_error *reterr)
{
    int r = read_state(run, reterr);
    if (r < 0 || run->context->kind == CHARM_KIND_RESTRICTED) {
        return r;
    }
    run->relations =
        charmi_relations_new(&run->facts, charm_value_get(charmi_memory(run), "refused"));
    charmi_appstate_load(&run->app, run->relations, &run->facts);
    if (charmi_charmfiles_option(run->files, "trace") != NULL) {
        charmi_facts_config(&run->facts);
    }
    return charmi_run_error(run, reterr);
}

/* ---- stage: flags ---- */

static void load_list(struct charm_run *run, const char *key,
                      void (*load)(struct charmi_flags *flags, const char *name))
{
    const struct charm_value *list = charm_value_get(charmi_memory(run), key);
    for (size_t i = 0; i < charm_value_size(list); i++) {
        load(run->flags, charm_text(charm_value_at(list, i)));
    }
}

/* A term flag holds only in the term that set it (architecture, decision 7). */
static void load_term_flags(struct charm_run *run)
{
    CHARM_EACH(charm_value_get(charmi_memory(run), "terms"), it)
    {
        if (run->app.term > 0 && charm_value_int(it.value, 0) == run->app.term) {
            charmi_flags_load(run->flags, it.key);
        }
    }
}

static void load_once(struct charm_run *run)
{
    run->once = charm_arena_array(run->arena, run->table->entry_count + 1, sizeof(*run->once));
    const struct charm_value *list = charm_value_get(charmi_memory(run), "once");
    for (size_t i = 0; i < charm_value_size(list); i++) {
        const struct charmi_entry *entry =
            charmi_table_find(run->table, charm_text(charm_value_at(list, i)));
        if (entry != NULL) {
            run->once[entry->index] = true;
        }
    }
}

static void tell_derived(struct charm_run *run)
{
    struct charmi_words all = charmi_flags_all(run->flags, run->arena);
    struct charm_value *list = charm_value_add_list(run->story.record, "derived");
    for (size_t i = 0; i < all.size; i++) {
        if (charmi_table_kind(run->table, all.at[i]) != CHARMI_REMEMBERED) {
            charm_value_append_text(list, all.at[i]);
        }
    }
}

/* Triggers that fire on derived flags, before any row runs. */
static void tell_transition(void *userdata, const struct charmi_transition *transition)
{
    struct charm_run *run = userdata;
    charmi_story_event(&run->story,
                       &(struct charmi_event){
                           .kind = transition->set ? CHARMI_EVENT_SET : CHARMI_EVENT_CLEARED,
                           .flag = transition->flag,
                           .cause = transition->cause,
                       });
}

static int raise_flags(struct charm_run *run, struct charm_error *reterr)
{
    run->flags = charmi_flags_new(run->arena, run->table);
    load_list(run, "flags", charmi_flags_load);
    load_list(run, "levels", charmi_flags_load_level);
    load_term_flags(run);
    load_once(run);
    if (run->context->kind != CHARM_KIND_RESTRICTED) {
        const struct charmi_listener listener = { tell_transition, run };
        const struct charmi_listener before = charmi_flags_listen(run->flags, listener);
        charmi_derive_flags(run);
        charmi_flags_listen(run->flags, before);
        tell_derived(run);
    }
    int r = charmi_run_error(run, reterr);
    return r < 0 ? r : charmi_flags_error(run->flags, reterr);
}

/* ---- stage: rows ---- */

static enum charm_result invoke(void *userdata, const struct charmi_entry *entry)
{
    struct charm_run *run = userdata;
    charmi_givers_start(run, entry->index);
    enum charm_result result = entry->row->run(run, entry->row);
    if (charmi_run_error(run, NULL) < 0) {
        result = CHARM_FAILED;
    }
    charmi_givers_end(run, result);
    return result;
}

static void observe(void *userdata, const struct charmi_event *event)
{
    struct charm_run *run = userdata;
    charmi_story_event(&run->story, event);
}

static const struct charmi_giver *failed_giver(const struct charm_run *run)
{
    for (size_t i = 0; i < run->giver_count; i++) {
        if (run->givers[i].runs > 0 && run->givers[i].result == CHARM_FAILED) {
            return &run->givers[i];
        }
    }
    return NULL;
}

/* A row or output that ended CHARM_FAILED: misuse and missing facts come first, then what it said itself. */
static int failure(const struct charm_run *run, struct charm_error *reterr)
{
    int r = charmi_run_error(run, reterr);
    if (r < 0) {
        return r;
    }
    const struct charmi_giver *giver = failed_giver(run);
    return charm_error_set(reterr, CHARM_EFAILED, "%s: %s", giver == NULL ? "" : giver->name,
                           run->failed == NULL ? "it failed and did not say why" : run->failed);
}

static bool nothing_ran(const struct charm_run *run)
{
    for (size_t i = 0; i < run->giver_count; i++) {
        if (run->givers[i].runs > 0) {
            return false;
        }
    }
    return true;
}

/* An action that only the leader runs names it: a flag's name would say less. NULL: it may run here. */
static const char *only_on_the_leader(struct charm_run *run)
{
    const char *action = run->context->action;
    const struct charmi_entry *entry = charmi_table_find_action(run->table, action);
    const struct charmi_unmet *unmet = NULL;
    const size_t count =
        entry == NULL ? 0 : charmi_unmet(run->arena, run->flags, &run->here, entry, &unmet);
    bool lacks = false;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < unmet[i].count; k++) {
            lacks = lacks || charmi_same(unmet[i].names[k], CHARM_IS_LEADER);
        }
    }
    if (!lacks) {
        return NULL;
    }
    const char *leader = charm_leader(run);
    if (leader[0] == '\0') {
        return "only the leader runs this action, and it is not known yet which unit that is";
    }
    const bool juju_2 = charmi_starts_with(run->context->juju_version, "2.");
    return charm_arena_printf(
        run->arena, "%s is a standby, run this on the leader: juju %s %s %s%s", run->context->unit,
        juju_2 ? "run-action" : "run", leader, action, juju_2 ? " --wait" : "");
}

/* An action that cannot run is told to its caller; for the charm nothing has failed. */
static int dispatch_action(struct charm_run *run, const struct charmi_callbacks *callbacks,
                           struct charm_error *reterr)
{
    struct charm_error error = { 0 };
    run->action_failed = only_on_the_leader(run);
    if (run->action_failed != NULL) {
        return 0;
    }
    int r = charmi_dispatch(run->table, run->flags, &run->here, callbacks, &error);
    if ((r == CHARM_EREFUSED || r == CHARM_ENOTFOUND) && nothing_ran(run)) {
        run->action_failed = charm_arena_copy(run->arena, error.text);
        return 0;
    }
    if (r < 0 && reterr != NULL) {
        *reterr = error;
    }
    return r;
}

static void settle_action(struct charm_run *run)
{
    for (size_t i = 0; i < run->table->entry_count; i++) {
        const struct charmi_giver *giver = &run->givers[i];
        if (giver->runs > 0 && giver->result == CHARM_LATER && run->action_failed == NULL) {
            run->action_failed = "it cannot be done now, try again later";
        }
    }
}

static void tell_stopped(struct charm_run *run)
{
    for (size_t i = 0; i < run->table->entry_count; i++) {
        const struct charmi_entry *entry = &run->table->entries[i];
        const struct charmi_unmet *unmet = NULL;
        if (run->givers[i].runs > 0 || entry->phase != CHARMI_PHASE_OTHER) {
            continue;
        }
        size_t count = charmi_unmet(run->arena, run->flags, &run->here, entry, &unmet);
        struct charmi_words texts = { 0 };
        for (size_t k = 0; k < count; k++) {
            charmi_words_add(run->arena, &texts, charmi_unmet_text(run->arena, &unmet[k]));
        }
        charmi_story_stopped(&run->story, entry->id, charmi_words_join(run->arena, &texts, "; "));
    }
}

static int run_rows(struct charm_run *run, struct charm_error *reterr)
{
    const struct charmi_callbacks callbacks = { invoke, observe, run };
    enum charm_run_kind kind = run->context->kind;
    bool is_action = kind == CHARM_KIND_ACTION;
    run->stage = CHARMI_STAGE_ROWS;
    run->here = (struct charmi_situation){
        .mode = is_action                       ? CHARMI_MODE_ACTION
                : kind == CHARM_KIND_RESTRICTED ? CHARMI_MODE_RESTRICTED
                                                : CHARMI_MODE_HOOK,
        .name = is_action ? run->context->action : run->context->hook,
        .once = run->once,
    };
    int r = is_action ? dispatch_action(run, &callbacks, reterr)
                      : charmi_dispatch(run->table, run->flags, &run->here, &callbacks, reterr);
    if (r < 0) {
        return failed_giver(run) == NULL ? r : failure(run, reterr);
    }
    if (is_action) {
        settle_action(run);
        return 0;
    }
    charmi_givers_settle(run);
    tell_stopped(run);
    return 0;
}

/* ---- stage: outputs ---- */

static int compute_outputs(struct charm_run *run, struct charm_error *reterr)
{
    run->stage = CHARMI_STAGE_OUTPUTS;
    for (size_t i = 0; run->context->kind == CHARM_KIND_HOOK && i < run->table->output_count; i++) {
        const struct charm_output *output = run->table->outputs[i];
        charmi_givers_start(run, run->table->entry_count + i);
        enum charm_result result = output->compute(run, output);
        if (charmi_run_error(run, NULL) < 0) {
            result = CHARM_FAILED;
        }
        charmi_givers_end(run, result);
        if (result == CHARM_FAILED) {
            return failure(run, reterr);
        }
    }
    return 0;
}

/* ---- stage: commit ---- */

static int commit(struct charm_run *run, struct charm_error *reterr)
{
    struct charmi_plan plan = { 0 };
    run->stage = CHARMI_STAGE_COMMIT;
    int r = charmi_commit_plan(run, &plan, reterr);
    return r < 0 ? r : charmi_commit_write(run, &plan, reterr);
}

/* ---- the end ---- */

/* A refused relation is worth one line, when it begins (architecture, decision 6). */
static void log_complaints(struct charm_run *run)
{
    if (run->relations == NULL) {
        return;
    }
    const struct charmi_words *complaints = charmi_relations_complaints(run->relations);
    const struct charm_value *refusals = charmi_relations_refusals(run->relations);
    bool new = false;
    CHARM_EACH(refusals, it)
    {
        new = new || charm_value_int(it.value, 0) == 1;
    }
    for (size_t i = 0; i < complaints->size; i++) {
        charmi_story_trace(&run->story, complaints->at[i]);
        if (new) {
            run->ports->log(run->ports->userdata, CHARM_LOG_WARNING, complaints->at[i]);
        }
    }
}

static void add_words(struct charm_value *record, const char *key, struct charmi_words words)
{
    struct charm_value *list = charm_value_add_list(record, key);
    for (size_t i = 0; i < words.size; i++) {
        charm_value_append_text(list, words.at[i]);
    }
}

static void fill_record(struct charm_run *run, const struct charm_error *error)
{
    struct charm_value *record = run->story.record;
    const struct charm_context *context = run->context;
    const struct charm_ports *ports = run->ports;
    bool is_action = context->kind == CHARM_KIND_ACTION;
    charm_value_set_int(record, "run", charmi_records_next(charmi_run_records(run)));
    charm_value_set_text(record, "unit", context->unit);
    charm_value_set_text(record, "hook", is_action ? context->action : context->hook);
    charm_value_set_text(record, "kind", charmi_run_kind_name(context->kind));
    charm_value_set_text(record, "at",
                         charmi_story_time(run->arena, ports->now_ms(ports->userdata)));
    charm_value_set_int(record, "took_ms", ports->monotonic_ms(ports->userdata) - run->started_ms);
    if (run->facts.leader_asked) {
        charm_value_set_bool(record, "leader", run->facts.leader);
    }
    charm_value_set_int(record, "term", run->app.term);
    if (run->relations != NULL) {
        add_words(record, "facts", charmi_relations_seen(run->relations));
    }
    struct charmi_words flags = { 0 };
    if (run->flags != NULL) {
        flags = charmi_flags_all(run->flags, run->arena);
    }
    add_words(record, "flags", flags);
    charmi_story_tools(&run->story, &run->tools);
    if (error->code != CHARM_OK) {
        charm_value_set_text(record, "error", error->text);
    }
}

/* Closes the story and keeps it. That it cannot be kept is no reason to fail. */
static void tell(struct charm_run *run, const struct charm_error *error)
{
    if (run->story.record == NULL) {
        return; /* the run was refused before it began */
    }
    log_complaints(run);
    if (error->code != CHARM_OK && run->context->kind == CHARM_KIND_ACTION) {
        charmi_commit_action_failed(run, error->text);
    }
    fill_record(run, error);
    run->record = charmi_story_end(&run->story, &run->secrets);
    struct charm_error trouble = { 0 };
    if (charmi_records_add(charmi_run_records(run), run->record, &trouble) < 0) {
        run->ports->log(run->ports->userdata, CHARM_LOG_WARNING, trouble.text);
    }
}

/* What the caller learns of a failed run. */
static int give_up(struct charm_run *run, enum charm_code code, const struct charm_error *error,
                   struct charm_error *reterr)
{
    int r =
        charm_error_set(reterr, code, "%s", charmi_redact(run->arena, &run->secrets, error->text));
    if (reterr != NULL) {
        reterr->retriable = error->retriable;
    }
    return r;
}

typedef int stage_fn(struct charm_run *run, struct charm_error *reterr);

int charm_run(struct charm_run *run, struct charm_error *reterr)
{
    static stage_fn *const stages[] = { take_context, read_facts,      raise_flags,
                                        run_rows,     compute_outputs, commit };
    struct charm_error error = { 0 };
    run->started_ms = run->ports->monotonic_ms(run->ports->userdata);
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof(stages) / sizeof(stages[0]); i++) {
        r = stages[i](run, &error);
    }
    tell(run, &error);
    return r == 0 ? 0 : give_up(run, (enum charm_code)r, &error, reterr);
}

const char *charmi_run_story(struct charm_run *run)
{
    if (run->record == NULL) {
        return "";
    }
    bool full = charm_value_true(charm_value_get(run->facts.config, "trace"));
    return charmi_story_text(run->arena, run->record,
                             full ? CHARMI_STORY_FULL : CHARMI_STORY_COMPACT);
}

int charmi_layers_check(const struct charm_layer *const *layers, const struct charm_files *files,
                        struct charm_error *reterr)
{
    struct charm_arena *arena = charm_arena_new();
    const struct charmi_table *table = NULL;
    int r = charmi_layers_table(arena, layers, files, &table, reterr);
    charm_arena_free(arena);
    return r;
}
