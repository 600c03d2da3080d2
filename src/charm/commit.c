#include "charm/commit.h"

#include <string.h>

#include "charm/bags.h"
#include "charm/givers.h"
#include "charm/publishers.h"

#define VERIFY "verify"
#define PUBLISHED "published"

/* ---- own bags ---- */

struct bag_plan {
    struct charm_run *run;
    struct charmi_plan *plan;
    struct charm_value *published; /* as it was remembered */
    struct charm_value *fresh;     /* as it will be */
    bool verify;
    bool unsure; /* some bag was held, or could not be verified */
};

static void keep_memory(struct bag_plan *bags, const char *relation_id)
{
    const struct charm_value *memory = charm_value_get(bags->published, relation_id);
    if (memory != NULL) {
        charm_value_set(bags->fresh, relation_id, memory);
    }
}

static void plan_bag(struct bag_plan *bags, const struct charm_relation *relation,
                     const struct charm_value *wanted, const struct charmi_words *held)
{
    struct charm_run *run = bags->run;
    bool hold_all = charmi_gifts_holds_endpoint(&run->gifts, relation->endpoint);
    struct charmi_bag bag = {
        .remembered = charm_value_get(bags->published, relation->id),
        .wanted = hold_all ? charm_value_new_map(run->arena) : wanted,
        .hold_all = hold_all,
        .hold_keys = *held,
        .salt = charmi_salt(run),
    };
    bags->unsure = bags->unsure || hold_all || held->size > 0;
    if (charm_value_size(bag.remembered) == 0 && charm_value_size(bag.wanted) == 0) {
        return;
    }
    if (bags->verify) {
        bag.actual = charmi_relations_own_data(run->relations, relation);
        if (bag.actual == NULL) {
            bags->unsure = true;
            keep_memory(bags, relation->id);
            return;
        }
    }
    struct charmi_bag_result result = { 0 };
    charmi_bag_compare(run->arena, &bag, &result);
    if (charm_value_size(result.changes) > 0) {
        charm_value_set(bags->plan->bags, relation->id, result.changes);
    }
    if (charm_value_size(result.remembered) > 0) {
        charm_value_set(bags->fresh, relation->id, result.remembered);
    }
}

/* An endpoint with a refused read: everything stays as it is (architecture, decision 2). */
static void plan_unknown(struct bag_plan *bags, const char *endpoint)
{
    bags->unsure = true;
    CHARM_EACH(bags->published, it)
    {
        if (strcmp(charmi_relation_endpoint(bags->run->arena, it.key), endpoint) == 0) {
            charm_value_set(bags->fresh, it.key, it.value);
        }
    }
}

static void plan_endpoint(struct bag_plan *bags, const char *endpoint)
{
    struct charm_run *run = bags->run;
    const struct charm_relation *const *list = charmi_relations_of(run->relations, endpoint);
    if (charmi_relations_unknown(run->relations, endpoint)) {
        plan_unknown(bags, endpoint);
        return;
    }
    for (; *list != NULL; list++) {
        const struct charm_value *wanted = charmi_gifts_bag(&run->gifts, *list);
        struct charmi_words held = charmi_givers_held_keys(run, *list);
        plan_bag(bags, *list, wanted, &held);
    }
}

/* Endpoints with something to publish now, or published before; the peer endpoint comes later. */
static struct charmi_words endpoints_concerned(const struct bag_plan *bags, const char *peer)
{
    struct charm_arena *arena = bags->run->arena;
    struct charmi_words given = charmi_gifts_endpoints(&bags->run->gifts);
    CHARM_EACH(bags->published, it)
    {
        const char *endpoint = charmi_relation_endpoint(arena, it.key);
        if (!charmi_words_have(&given, endpoint)) {
            charmi_words_add(arena, &given, endpoint);
        }
    }
    charmi_words_sort(&given);
    struct charmi_words result = { 0 };
    for (size_t i = 0; i < given.size; i++) {
        if (!charmi_same(given.at[i], peer)) {
            charmi_words_add(arena, &result, given.at[i]);
        }
    }
    return result;
}

/* ---- the digests of what this unit publishes (charm/publishers.h) ---- */

static struct charm_value *published_digests(struct charm_run *run,
                                             const struct charmi_words *endpoints)
{
    struct charm_value *digests = charm_value_new_map(run->arena);
    for (size_t i = 0; i < endpoints->size; i++) {
        const char *digest = charmi_publishers_digest(run, endpoints->at[i]);
        if (digest[0] != '\0') {
            charm_value_set_text(digests, endpoints->at[i], digest);
        }
    }
    return digests;
}

static void plan_peer(struct bag_plan *bags, const struct charmi_words *endpoints)
{
    struct charm_run *run = bags->run;
    const struct charm_relation *peer = run->app.relation;
    if (peer == NULL) {
        return;
    }
    if (charmi_relations_unknown(run->relations, peer->endpoint)) {
        plan_unknown(bags, peer->endpoint);
        return;
    }
    struct charmi_words held = charmi_givers_held_keys(run, peer);
    struct charm_value *wanted = charm_value_copy(run->arena, charmi_gifts_bag(&run->gifts, peer));
    if (bags->unsure) {
        charmi_words_add(run->arena, &held, CHARMI_PUBLISHED_DIGESTS);
    } else {
        const struct charm_value *digests = published_digests(run, endpoints);
        const char *text = charm_value_size(digests) == 0
                               ? ""
                               : charm_value_render(run->arena, digests, CHARM_JSON_SORTED);
        charm_value_set_text(wanted, CHARMI_PUBLISHED_DIGESTS, text);
        charm_value_set_text(charmi_memory(run), CHARMI_PUBLISHED_DIGESTS, text);
    }
    plan_bag(bags, peer, wanted, &held);
}

static void plan_bags(struct charm_run *run, struct charmi_plan *plan)
{
    struct charm_value *memory = charmi_memory(run);
    struct bag_plan bags = {
        .run = run,
        .plan = plan,
        .published = charmi_submap(memory, PUBLISHED),
        .fresh = charm_value_new_map(run->arena),
        .verify = charm_value_true(charm_value_get(memory, VERIFY)),
    };
    const struct charm_endpoint *peer = charmi_charmfiles_peer(run->files);
    struct charmi_words endpoints = endpoints_concerned(&bags, peer == NULL ? NULL : peer->name);
    for (size_t i = 0; i < endpoints.size; i++) {
        plan_endpoint(&bags, endpoints.at[i]);
    }
    plan_peer(&bags, &endpoints);
    charm_value_set(memory, PUBLISHED, bags.fresh);
    if (bags.verify && !bags.unsure && charm_value_size(plan->bags) == 0) {
        charm_value_remove(memory, VERIFY);
    }
}

/* ---- the engine's memory ---- */

static void set_words(struct charm_value *map, const char *key, const struct charmi_words *words)
{
    struct charm_value *list = charm_value_add_list(map, key);
    for (size_t i = 0; i < words->size; i++) {
        charm_value_append_text(list, words->at[i]);
    }
}

static bool is_term_flag(const struct charm_run *run, const char *flag)
{
    size_t id = charmi_table_flag(run->table, flag);
    return id != CHARMI_NO_NAME && run->table->flags[id].term;
}

/* Term flags are kept with their term. While the term is unknown, what was kept stays. */
static void remember_flags(struct charm_run *run)
{
    struct charm_value *memory = charmi_memory(run);
    struct charmi_words all = charmi_flags_remembered(run->flags, run->arena);
    struct charmi_words plain = { 0 };
    struct charm_value *terms = charm_value_new_map(run->arena);
    if (run->app.term == 0) {
        charm_value_update(terms, charm_value_get(memory, "terms"));
    }
    for (size_t i = 0; i < all.size; i++) {
        if (!is_term_flag(run, all.at[i])) {
            charmi_words_add(run->arena, &plain, all.at[i]);
        } else if (run->app.term > 0) {
            charm_value_set_int(terms, all.at[i], run->app.term);
        }
    }
    set_words(memory, "flags", &plain);
    charm_value_set(memory, "terms", terms);
}

static void remember_once(struct charm_run *run)
{
    struct charmi_words done = { 0 };
    for (size_t i = 0; i < run->table->entry_count; i++) {
        if (run->once[i]) {
            charmi_words_add(run->arena, &done, run->table->entries[i].id);
        }
    }
    charmi_words_sort(&done);
    set_words(charmi_memory(run), "once", &done);
}

/* What only an ordinary run learns. */
static void remember_ordinary(struct charm_run *run)
{
    struct charm_value *memory = charmi_memory(run);
    struct charmi_words levels = charmi_flags_levels(run->flags, run->arena);
    set_words(memory, "levels", &levels);
    charm_value_set(memory, "refused", charmi_relations_refusals(run->relations));
}

/* ---- secrets stay out of state ---- */

static bool holds_secret(const struct charm_run *run, const struct charm_value *value)
{
    if (charm_value_kind(value) == CHARM_STRING) {
        return charmi_words_have(&run->secrets.words, charm_text(value));
    }
    for (size_t i = 0; charm_value_kind(value) == CHARM_LIST && i < charm_value_size(value); i++) {
        if (holds_secret(run, charm_value_at(value, i))) {
            return true;
        }
    }
    if (charm_value_kind(value) == CHARM_MAP) {
        CHARM_EACH(value, it)
        {
            if (holds_secret(run, it.value)) {
                return true;
            }
        }
    }
    return false;
}

static int check_state(const struct charm_run *run, struct charm_error *reterr)
{
    for (size_t i = 0; i < run->state.owners.size; i++) {
        const char *owner = run->state.owners.at[i];
        CHARM_EACH(run->state.documents[i], it)
        {
            if (strcmp(owner, CHARMI_STATE_ENGINE) != 0 && holds_secret(run, it.value)) {
                return charm_error_set(reterr, CHARM_EINVAL,
                                       "save the state of '%s': the value of '%s' is a secret",
                                       owner, it.key);
            }
        }
    }
    return 0;
}

/* ---- plan ---- */

static int plan_state(struct charm_run *run, struct charmi_plan *plan, struct charm_error *reterr)
{
    plan->state = charm_value_new_map(run->arena);
    if (run->state_refused) {
        return 0;
    }
    bool wrote = charm_value_size(plan->bags) > 0 || charm_value_size(plan->app) > 0;
    if (wrote) {
        charm_value_set_bool(charmi_memory(run), VERIFY, true);
    }
    remember_flags(run);
    remember_once(run);
    int r = check_state(run, reterr);
    return r < 0 ? r : charmi_state_changes(&run->state, &plan->state, reterr);
}

int charmi_commit_plan(struct charm_run *run, struct charmi_plan *ret_plan,
                       struct charm_error *reterr)
{
    struct charmi_plan plan = {
        .bags = charm_value_new_map(run->arena),
        .app = charm_value_new_map(run->arena),
    };
    if (run->context->kind == CHARM_KIND_HOOK) {
        plan_bags(run, &plan);
        charmi_givers_remember(run);
        remember_ordinary(run);
        plan.status = charmi_gifts_status(&run->gifts);
        plan.version = charmi_gifts_version(&run->gifts);
    }
    if (run->relations != NULL) {
        plan.app = charmi_appstate_changes(&run->app);
    }
    int r = charmi_run_error(run, reterr); /* own bags may have been asked for */
    if (r < 0) {
        return r;
    }
    r = plan_state(run, &plan, reterr);
    if (r < 0) {
        return r;
    }
    *ret_plan = plan;
    return 0;
}

/* ---- write ---- */

static const char *keys_text(struct charm_arena *arena, const struct charm_value *changes)
{
    struct charmi_words words = { 0 };
    CHARM_EACH(changes, it)
    {
        bool removed = charm_text(it.value)[0] == '\0';
        charmi_words_add(arena, &words,
                         charm_arena_printf(arena, "%s%s", removed ? "-" : "", it.key));
    }
    return charmi_words_join(arena, &words, ", ");
}

static int write_bags(struct charm_run *run, const struct charm_value *bags,
                      struct charm_error *reterr)
{
    struct charmi_words ids = { 0 };
    CHARM_EACH(bags, it)
    {
        charmi_words_add(run->arena, &ids, it.key);
    }
    charmi_words_sort(&ids);
    for (size_t i = 0; i < ids.size; i++) {
        const struct charm_value *changes = charm_value_get(bags, ids.at[i]);
        int r = charmi_tool_write(&run->tools,
                                  CHARMI_ARGV("relation-set", "-r", ids.at[i], "--file", "-"),
                                  changes, reterr);
        if (r < 0) {
            return r;
        }
        charmi_story_effect(&run->story, charm_arena_printf(run->arena, "%s: %s", ids.at[i],
                                                            keys_text(run->arena, changes)));
    }
    return 0;
}

/* A write without leadership makes Juju refuse the whole commit after we have gone (juju-contract.md 2.1). */
static int write_app(struct charm_run *run, const struct charm_value *changes,
                     struct charm_error *reterr)
{
    if (charm_value_size(changes) == 0) {
        return 0;
    }
    if (!charmi_facts_still_leader(&run->facts)) {
        int r = charm_error_set(reterr, CHARM_EREFUSED,
                                "write application state: this unit is the leader no more; Juju "
                                "runs the hook again");
        if (reterr != NULL) {
            reterr->retriable = true;
        }
        return r;
    }
    int r = charmi_tool_write(
        &run->tools,
        CHARMI_ARGV("relation-set", "-r", run->app.relation->id, "--app", "--file", "-"), changes,
        reterr);
    if (r < 0) {
        return r;
    }
    charmi_story_effect(&run->story, charm_arena_printf(run->arena, "application state: %s",
                                                        keys_text(run->arena, changes)));
    return 0;
}

static int write_state(struct charm_run *run, const struct charm_value *changes,
                       struct charm_error *reterr)
{
    if (charm_value_size(changes) == 0) {
        return 0;
    }
    int r =
        charmi_tool_write(&run->tools, CHARMI_ARGV("state-set", "--file", "-"), changes, reterr);
    if (r < 0) {
        return r;
    }
    charmi_story_effect(
        &run->story, charm_arena_printf(run->arena, "state: %s", keys_text(run->arena, changes)));
    return 0;
}

/*
 * An immediate tool. What was sent last is forgotten before the call and kept after it, so that a killed or refused run
 * leaves "unknown" behind, never something wrong.
 */
static int write_once(struct charm_run *run, const char *what, const struct charm_value *value,
                      const char *const *argv, bool always, struct charm_error *reterr)
{
    struct charmi_records *records = charmi_run_records(run);
    if (!always && charm_value_equal(charmi_records_sent(records, what), value)) {
        return 0;
    }
    int r = charmi_records_forget(records, what, reterr);
    if (r < 0) {
        return r;
    }
    r = charmi_tool_write(&run->tools, argv, NULL, reterr);
    if (r < 0) {
        return r;
    }
    r = charmi_records_keep(records, what, value, reterr);
    if (r < 0) {
        return r;
    }
    charmi_story_effect(&run->story, charmi_tool_line(run->arena, &run->secrets, argv));
    return 0;
}

static int write_version(struct charm_run *run, const char *version, struct charm_error *reterr)
{
    if (version == NULL) {
        return 0;
    }
    const char *text = charmi_redact(run->arena, &run->secrets, version);
    return write_once(run, "version", charm_value_new_text(run->arena, text),
                      CHARMI_ARGV("application-version-set", "--", text), false, reterr);
}

static const char *level_name(enum charm_status_level level)
{
    switch (level) {
    case CHARM_ACTIVE:
        return "active";
    case CHARM_MAINTENANCE:
        return "maintenance";
    case CHARM_WAITING:
        return "waiting";
    case CHARM_BLOCKED:
        return "blocked";
    }
    return "blocked";
}

/* Around these hooks Juju sets the unit's status by itself (juju-contract.md 1.7), or the files beside the charm are
 * another pod's. */
static bool status_is_doubtful(const char *hook)
{
    static const char *const hooks[] = { "install", "start", "stop", "upgrade-charm", NULL };
    return charmi_in(hooks, hook);
}

static int write_status(struct charm_run *run, const struct charmi_gift *status,
                        struct charm_error *reterr)
{
    if (status == NULL) {
        return 0;
    }
    const char *text = charmi_redact(run->arena, &run->secrets, status->text);
    struct charm_value *value = charm_value_new_map(run->arena);
    charm_value_set_text(value, "level", level_name(status->level));
    charm_value_set_text(value, "text", text);
    int r = write_once(run, "status", value,
                       CHARMI_ARGV("status-set", "--", level_name(status->level), text),
                       status_is_doubtful(run->context->hook), reterr);
    if (r < 0) {
        return r;
    }
    /* Juju writes its own status when the stop hook has ended. */
    return strcmp(run->context->hook, "stop") == 0
               ? charmi_records_forget(charmi_run_records(run), "status", reterr)
               : 0;
}

/* ---- actions ---- */

static int write_results(struct charm_run *run, struct charm_error *reterr)
{
    if (run->action_results == NULL) {
        return 0;
    }
    struct charmi_words argv = { 0 };
    charmi_words_add(run->arena, &argv, "action-set");
    CHARM_EACH(run->action_results, it)
    {
        const char *text = charmi_redact(run->arena, &run->secrets, charm_text(it.value));
        charmi_words_add(run->arena, &argv, charm_arena_printf(run->arena, "%s=%s", it.key, text));
    }
    return charmi_tool_write(&run->tools, argv.at, NULL, reterr);
}

static int write_failure(struct charm_run *run, const char *why, struct charm_error *reterr)
{
    if (why == NULL) {
        return 0;
    }
    return charmi_tool_write(
        &run->tools,
        CHARMI_ARGV("action-fail", "--", charmi_redact(run->arena, &run->secrets, why)), NULL,
        reterr);
}

void charmi_commit_action_failed(struct charm_run *run, const char *why)
{
    struct charm_error error = { 0 };
    if (write_failure(run, why, &error) < 0) {
        charmi_story_trace(&run->story, error.text);
    }
}

/* ---- all together ---- */

static int write_immediate(struct charm_run *run, const struct charmi_plan *plan,
                           struct charm_error *reterr)
{
    if (run->context->kind == CHARM_KIND_ACTION) {
        int r = write_results(run, reterr);
        return r < 0 ? r : write_failure(run, run->action_failed, reterr);
    }
    if (plan->status == NULL && plan->version == NULL) {
        return 0;
    }
    int r = write_version(run, plan->version, reterr);
    return r < 0 ? r : write_status(run, plan->status, reterr);
}

int charmi_commit_write(struct charm_run *run, const struct charmi_plan *plan,
                        struct charm_error *reterr)
{
    int r = write_bags(run, plan->bags, reterr);
    if (r < 0) {
        return r;
    }
    r = write_app(run, plan->app, reterr);
    if (r < 0) {
        return r;
    }
    r = write_state(run, plan->state, reterr);
    return r < 0 ? r : write_immediate(run, plan, reterr);
}
