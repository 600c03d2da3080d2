/* The functions of charm/run.h. */
#include "charm/run.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "charm/derive.h"
#include "charm/givers.h"
#include "charm/session.h"

/* Juju takes at most 128 KiB for one argument (juju-contract.md 3.1); the key and `=` need some. */
#define RESULT_MAX_BYTES ((size_t)120 * 1024)

/* The run of a function that only looks: facts are read behind it when first asked for. */
static struct charm_run *behind_const(const struct charm_run *run)
{
    return (struct charm_run *)(uintptr_t)run;
}

/* ---- misuse ---- */

void charmi_misuse(struct charm_run *run, const char *format, ...)
{
    if (run->misuse.code != CHARM_OK) {
        return;
    }
    va_list args;
    va_start(args, format);
    const char *what = charm_arena_vprintf(run->arena, format, args);
    va_end(args);
    const char *who = charm_current(run);
    charm_error_set(&run->misuse, CHARM_EINVAL, "%s%s%s", who, who[0] == '\0' ? "" : ": ", what);
}

int charmi_run_error(const struct charm_run *run, struct charm_error *reterr)
{
    const struct charm_error *error = NULL;
    if (run->misuse.code != CHARM_OK) {
        error = &run->misuse;
    } else if (run->facts.broken.code != CHARM_OK) {
        error = &run->facts.broken;
    }
    if (error == NULL) {
        return 0;
    }
    if (reterr != NULL) {
        *reterr = *error;
    }
    return error->code;
}

static bool is_own_endpoint(struct charm_run *run, const char *function, const char *endpoint)
{
    if (endpoint != NULL && charmi_charmfiles_endpoint(run->files, endpoint) != NULL) {
        return true;
    }
    charmi_misuse(run, "%s: metadata.yaml has no endpoint '%s'", function,
                  endpoint == NULL ? "" : endpoint);
    return false;
}

/* Facts of relations and configuration exist in hook and action runs. */
static bool has_facts(struct charm_run *run, const char *function)
{
    if (run->relations != NULL) {
        return true;
    }
    charmi_misuse(run, "%s: a restricted run has no facts", function);
    return false;
}

/* ---- who and where ---- */

const struct charm_context *charm_context(const struct charm_run *run)
{
    return run->context;
}

struct charm_arena *charm_arena(struct charm_run *run)
{
    return run->arena;
}

const char *charm_current(const struct charm_run *run)
{
    if (run->derivation != NULL) {
        return run->derivation->name;
    }
    return run->current == NULL ? "" : run->current->name;
}

const void *charm_layer_ports(const struct charm_run *run, const char *layer)
{
    for (size_t i = 0; run->layers[i] != NULL; i++) {
        if (charmi_same(run->layers[i]->name, layer)) {
            return run->layers[i]->ports;
        }
    }
    return NULL;
}

void **charm_layer_memo(struct charm_run *run, const char *layer)
{
    for (size_t i = 0; run->layers[i] != NULL; i++) {
        if (charmi_same(run->layers[i]->name, layer)) {
            return &run->memos[i];
        }
    }
    charmi_misuse(run, "charm_layer_memo: there is no layer '%s'", layer);
    return charm_arena_alloc(run->arena, sizeof(void *));
}

const struct charm_ports *charm_ports(const struct charm_run *run)
{
    return run->ports;
}

/* ---- flags ---- */

static bool may_change_flags(struct charm_run *run, const char *function, const char *flag)
{
    if (run->stage == CHARMI_STAGE_ROWS) {
        return true;
    }
    charmi_misuse(run, "%s('%s'): only rows change flags", function, flag);
    return false;
}

void charm_flag_set(struct charm_run *run, const char *flag)
{
    if (may_change_flags(run, "charm_flag_set", flag)) {
        charmi_flags_set(run->flags, flag);
    }
}

void charm_flag_clear(struct charm_run *run, const char *flag)
{
    if (may_change_flags(run, "charm_flag_clear", flag)) {
        charmi_flags_clear(run->flags, flag);
    }
}

bool charm_flag_is_set(const struct charm_run *run, const char *flag)
{
    bool nobody_names_it = charmi_table_flag(run->table, flag) == CHARMI_NO_NAME;
    if (nobody_names_it && run->relations != NULL &&
        charmi_table_kind(run->table, flag) == CHARMI_LEVEL) {
        return charmi_derive_level(behind_const(run), flag);
    }
    charmi_derive_when_asked(behind_const(run), flag);
    return charmi_flags_is_set(run->flags, flag);
}

void charm_trigger_add(struct charm_run *run, const struct charm_trigger *trigger)
{
    charmi_flags_add_trigger(run->flags, trigger);
}

void charm_derive(struct charm_run *run, const char *flag)
{
    if (run->derivation == NULL) {
        charmi_misuse(run, "charm_derive('%s'): only derivations derive", flag);
        return;
    }
    bool is_edge = charmi_in(run->derivation->edges, flag);
    if (!is_edge && !charmi_in(run->derivation->flags, flag)) {
        charmi_misuse(run, "charm_derive('%s'): the derivation does not list this flag", flag);
        return;
    }
    if (!is_edge || run->context->kind == CHARM_KIND_HOOK) { /* actions raise no edges */
        charmi_flags_derive(run->flags, flag);
    }
}

/* ---- configuration ---- */

static const struct charm_value *config_of(struct charm_run *run, const char *function,
                                           const char *option)
{
    if (!has_facts(run, function)) {
        return NULL;
    }
    if (charmi_charmfiles_option(run->files, option) == NULL) {
        charmi_misuse(run, "%s: config.yaml has no option '%s'", function, option);
        return NULL;
    }
    const struct charm_value *value = charm_value_get(charmi_facts_config(&run->facts), option);
    return charm_value_kind(value) == CHARM_NULL ? NULL : value;
}

const struct charm_value *charm_config(struct charm_run *run, const char *option)
{
    const struct charm_value *value = config_of(run, "charm_config", option);
    if (charmi_key_is_secret(option)) {
        charmi_secrets_add(run->arena, &run->secrets, charm_text(value));
    }
    return value;
}

const struct charm_value *charm_config_reference(struct charm_run *run, const char *option)
{
    return config_of(run, "charm_config_reference", option);
}

const char *charm_config_text(struct charm_run *run, const char *option)
{
    return charm_value_scalar(run->arena, charm_config(run, option));
}

int64_t charm_config_int(struct charm_run *run, const char *option)
{
    return charm_value_int(charm_config(run, option), 0);
}

bool charm_config_bool(struct charm_run *run, const char *option)
{
    return charm_value_true(charm_config(run, option));
}

/* ---- secrets of Juju ---- */

int charm_secret_content(struct charm_run *run, const char *uri,
                         const struct charm_value **ret_content, struct charm_error *reterr)
{
    if (!has_facts(run, "charm_secret_content")) {
        return charm_error_set(reterr, CHARM_EINVAL, "a restricted run has no facts");
    }
    const struct charmi_secret *secret = charmi_facts_secret(&run->facts, uri);
    if (secret->content == NULL) {
        return charm_error_set(reterr, secret->error.code, "%s", secret->error.text);
    }
    CHARM_EACH(secret->content, it)
    {
        if (!charmi_same(it.key, "username")) {
            charmi_secrets_add(run->arena, &run->secrets, charm_text(it.value));
        }
    }
    *ret_content = secret->content;
    return 0;
}

/* ---- relations ---- */

const struct charm_relation *const *charm_relations(struct charm_run *run, const char *endpoint)
{
    static const struct charm_relation *const none[] = { NULL };
    if (!has_facts(run, "charm_relations") || !is_own_endpoint(run, "charm_relations", endpoint)) {
        return none;
    }
    return charmi_relations_of(run->relations, endpoint);
}

const struct charm_unit *const *charm_units(struct charm_run *run, const char *endpoint)
{
    static const struct charm_unit *const none[] = { NULL };
    if (!has_facts(run, "charm_units") || !is_own_endpoint(run, "charm_units", endpoint)) {
        return none;
    }
    return charmi_relations_all_units(run->relations, endpoint);
}

const struct charm_unit *const *charm_relation_units(struct charm_run *run,
                                                     const struct charm_relation *relation)
{
    static const struct charm_unit *const none[] = { NULL };
    return has_facts(run, "charm_relation_units") ? charmi_relations_units(run->relations, relation)
                                                  : none;
}

/* What a key like `password` holds is nobody's business from the moment it is read. */
static const struct charm_value *guarded(struct charm_run *run, const struct charm_value *data)
{
    CHARM_EACH(data, it)
    {
        if (charmi_key_is_secret(it.key)) {
            charmi_secrets_add(run->arena, &run->secrets, charm_text(it.value));
        }
    }
    return data;
}

const struct charm_value *charm_unit_data(struct charm_run *run, const struct charm_unit *unit)
{
    return has_facts(run, "charm_unit_data")
               ? guarded(run, charmi_relations_unit_data(run->relations, unit))
               : NULL;
}

const struct charm_value *charm_app_data(struct charm_run *run,
                                         const struct charm_relation *relation)
{
    return has_facts(run, "charm_app_data")
               ? guarded(run, charmi_relations_app_data(run->relations, relation))
               : NULL;
}

const struct charm_value *charm_remote(struct charm_run *run, const char *endpoint, const char *key)
{
    for (const struct charm_unit *const *unit = charm_units(run, endpoint); *unit != NULL; unit++) {
        const struct charm_value *value = charm_value_get(charm_unit_data(run, *unit), key);
        if (value != NULL) {
            return value;
        }
    }
    return NULL;
}

bool charm_endpoint_unknown(struct charm_run *run, const char *endpoint)
{
    return run->relations != NULL && charmi_relations_unknown(run->relations, endpoint);
}

const struct charm_value *charm_own_data(struct charm_run *run,
                                         const struct charm_relation *relation)
{
    return has_facts(run, "charm_own_data") ? charmi_relations_own_data(run->relations, relation)
                                            : NULL;
}

const char *charm_ingress_address(struct charm_run *run, const struct charm_relation *relation)
{
    return has_facts(run, "charm_ingress_address")
               ? charmi_relations_ingress(run->relations, relation)
               : "";
}

/* ---- giving ---- */

/* Rows with lasting guards, and outputs, in ordinary hook runs. */
static bool may_give(struct charm_run *run, const char *function)
{
    if (run->current == NULL) {
        charmi_misuse(run, "%s: only rows and outputs give", function);
        return false;
    }
    if (run->context->kind != CHARM_KIND_HOOK) {
        charmi_misuse(run, "%s: an action or restricted run gives nothing", function);
        return false;
    }
    if (!run->current->may_give) {
        charmi_misuse(run,
                      "%s: a row with a hook or once guard gives nothing, since it would fall away "
                      "with the next hook",
                      function);
        return false;
    }
    return true;
}

/* Status and version: an action or restricted run has none, but functions that it shares may say one. */
static bool may_say(struct charm_run *run, const char *function)
{
    bool ordinary = run->context->kind == CHARM_KIND_HOOK;
    return ordinary && may_give(run, function);
}

static bool key_is_plain(struct charm_run *run, const char *function, const char *key)
{
    if (key != NULL && key[0] != '\0' && strpbrk(key, "= \t\r\n") == NULL) {
        return true;
    }
    charmi_misuse(run, "%s: '%s' is no key", function, key == NULL ? "" : key);
    return false;
}

static void publish(struct charm_run *run, const char *endpoint, const char *relation_id,
                    const char *key, const char *text)
{
    static const char function[] = "charm_publish";
    if (!may_give(run, function) || !is_own_endpoint(run, function, endpoint) ||
        !key_is_plain(run, function, key)) {
        return;
    }
    charmi_gifts_add(&run->gifts,
                     &(struct charmi_gift){
                         .what = CHARMI_GIFT_PUBLISH,
                         .endpoint = charm_arena_copy(run->arena, endpoint),
                         .relation_id = charm_arena_copy(run->arena, relation_id),
                         .key = charm_arena_copy(run->arena, key),
                         .text = charm_arena_copy(run->arena, text == NULL ? "" : text),
                     });
}

void charm_publish(struct charm_run *run, const char *endpoint, const char *key, const char *text)
{
    publish(run, endpoint, NULL, key, text);
}

void charm_publish_to(struct charm_run *run, const struct charm_relation *relation, const char *key,
                      const char *text)
{
    if (relation == NULL) {
        charmi_misuse(run, "charm_publish_to('%s'): no relation", key);
        return;
    }
    publish(run, relation->endpoint, relation->id, key, text);
}

void charm_publish_json(struct charm_run *run, const char *endpoint, const char *key,
                        const struct charm_value *value)
{
    publish(run, endpoint, NULL, key, charm_value_render(run->arena, value, CHARM_JSON_PYTHON));
}

void charm_publish_hold(struct charm_run *run, const char *endpoint)
{
    if (may_give(run, "charm_publish_hold") &&
        is_own_endpoint(run, "charm_publish_hold", endpoint)) {
        charmi_gifts_add(&run->gifts, &(struct charmi_gift){
                                          .what = CHARMI_GIFT_HOLD,
                                          .endpoint = charm_arena_copy(run->arena, endpoint),
                                      });
    }
}

void charm_give(struct charm_run *run, const char *kind, const char *key,
                const struct charm_value *value)
{
    if (may_give(run, "charm_give")) {
        charmi_gifts_add(&run->gifts, &(struct charmi_gift){
                                          .what = CHARMI_GIFT_VALUE,
                                          .kind = charm_arena_copy(run->arena, kind),
                                          .key = charm_arena_copy(run->arena, key),
                                          .value = charm_value_copy(run->arena, value),
                                      });
    }
}

const struct charm_value *charm_given(struct charm_run *run, const char *kind)
{
    return charmi_gifts_values(&run->gifts, kind);
}

/* Did this row give the kind when a run was last committed? Rows of other layers that never ended well may do so. */
static bool may_have_given(struct charm_run *run, const struct charmi_giver *giver,
                           const char *kind)
{
    const struct charm_value *memory =
        charm_value_path(charmi_memory(run), "rows", giver->name, NULL);
    if (memory == NULL) {
        bool is_own = run->current != NULL && giver->layer == run->current->layer;
        return giver->runs > 0 && !is_own;
    }
    const struct charm_value *kinds = charm_value_get(memory, "gave");
    for (size_t i = 0; i < charm_value_size(kinds); i++) {
        if (charmi_same(charm_text(charm_value_at(kinds, i)), kind)) {
            return true;
        }
    }
    return false;
}

bool charm_given_held(struct charm_run *run, const char *kind)
{
    for (size_t i = 0; i < run->giver_count; i++) {
        const struct charmi_giver *giver = &run->givers[i];
        if (!charmi_giver_holds_on(run, i)) {
            continue;
        }
        struct charmi_words now = charmi_gifts_kinds(&run->gifts, i);
        if (charmi_words_have(&now, kind) || may_have_given(run, giver, kind)) {
            return true;
        }
    }
    return false;
}

static const char *const *unmet_names(struct charm_run *run, const struct charmi_unmet *unmet,
                                      size_t count)
{
    struct charmi_words names = { 0 };
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < unmet[i].count; k++) {
            if (!charmi_words_have(&names, unmet[i].names[k])) {
                charmi_words_add(run->arena, &names, unmet[i].names[k]);
            }
        }
    }
    static const char *const none[] = { NULL };
    return names.size == 0 ? none : names.at;
}

enum charm_outcome charm_row_outcome(struct charm_run *run, const char *row,
                                     const char *const **ret_unmet)
{
    const struct charmi_entry *entry = charmi_table_find(run->table, row);
    if (entry == NULL) {
        return CHARM_OUTCOME_UNKNOWN;
    }
    const struct charmi_unmet *unmet = NULL;
    size_t count = charmi_unmet(run->arena, run->flags, &run->here, entry, &unmet);
    if (ret_unmet != NULL) {
        *ret_unmet = unmet_names(run, unmet, count);
    }
    if (count > 0) {
        return CHARM_OUTCOME_BLOCKED;
    }
    const struct charmi_giver *giver = &run->givers[entry->index];
    return giver->runs > 0 && giver->result == CHARM_DONE ? CHARM_OUTCOME_DONE
                                                          : CHARM_OUTCOME_LATER;
}

/* ---- status, version ---- */

void charm_status(struct charm_run *run, enum charm_status_level level, const char *format, ...)
{
    if (!may_say(run, "charm_status")) {
        return;
    }
    va_list args;
    va_start(args, format);
    char *text = charm_arena_vprintf(run->arena, format, args);
    va_end(args);
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20) {
            *at = ' '; /* a status is one line */
        }
    }
    charmi_gifts_add(&run->gifts, &(struct charmi_gift){
                                      .what = CHARMI_GIFT_STATUS,
                                      .level = level,
                                      .text = text,
                                  });
}

void charm_workload_version(struct charm_run *run, const char *version)
{
    if (version != NULL && version[0] != '\0' && may_say(run, "charm_workload_version")) {
        charmi_gifts_add(&run->gifts, &(struct charmi_gift){
                                          .what = CHARMI_GIFT_VERSION,
                                          .text = charm_arena_copy(run->arena, version),
                                      });
    }
}

/* ---- memory ---- */

struct charm_value *charm_state(struct charm_run *run, const char *layer)
{
    struct charm_value *document = NULL;
    if (!charmi_same(layer, CHARMI_STATE_ENGINE)) {
        document = charmi_state_of(&run->state, layer);
    }
    if (document == NULL) {
        charmi_misuse(run, "charm_state: there is no layer '%s'", layer == NULL ? "" : layer);
        document = charm_value_new_map(run->arena);
    }
    return document;
}

const struct charm_value *charm_app_get(struct charm_run *run, const char *key)
{
    return charmi_appstate_get(&run->app, key);
}

void charm_app_set(struct charm_run *run, const char *key, const struct charm_value *value)
{
    if (!has_facts(run, "charm_app_set") || !key_is_plain(run, "charm_app_set", key)) {
        return;
    }
    if (strcmp(key, CHARMI_APP_LEADER) == 0) {
        charmi_misuse(run, "charm_app_set('%s'): this key is the engine's", key);
        return;
    }
    if (!charmi_facts_leader(&run->facts)) {
        charmi_misuse(run, "charm_app_set('%s'): only the leader%s%s writes application state", key,
                      run->app.leader[0] == '\0' ? "" : ", ", run->app.leader);
        return;
    }
    if (run->app.status == CHARMI_APP_AVAILABLE) {
        charmi_appstate_want(&run->app, key, value);
    } else if (run->context->kind == CHARM_KIND_ACTION) {
        charmi_misuse(run, "charm_app_set('%s'): the application's state cannot be written now",
                      key);
    } else {
        charm_trace(run, "application state is not available, '%s' waits", key);
    }
}

int64_t charm_term(const struct charm_run *run)
{
    return run->app.term;
}

const char *charm_leader(const struct charm_run *run)
{
    return run->app.leader == NULL ? "" : run->app.leader;
}

bool charm_still_leader(struct charm_run *run)
{
    return has_facts(run, "charm_still_leader") && charmi_facts_still_leader(&run->facts);
}

/* ---- actions ---- */

static bool is_action(struct charm_run *run, const char *function)
{
    if (run->context->kind == CHARM_KIND_ACTION) {
        return true;
    }
    charmi_misuse(run, "%s: this is no action", function);
    return false;
}

const struct charm_value *charm_action_param(struct charm_run *run, const char *name)
{
    if (!is_action(run, "charm_action_param")) {
        return NULL;
    }
    const struct charm_value *value = charm_value_get(charmi_facts_params(&run->facts), name);
    if (charmi_key_is_secret(name)) {
        charmi_secrets_add(run->arena, &run->secrets, charm_text(value));
    }
    return charm_value_kind(value) == CHARM_NULL ? NULL : value;
}

/* juju-contract.md 4.3: each dotted part of lower-case letters and digits with inner hyphens; some are Juju's. */
static bool part_is_good(const char *part)
{
    static const char *const reserved[] = { "stdout", "stdout-encoding", "stderr",
                                            "stderr-encoding", NULL };
    size_t size = strlen(part);
    return size > 0 && part[strspn(part, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0' &&
           part[0] != '-' && part[size - 1] != '-' && !charmi_in(reserved, part);
}

static bool result_key_is_good(struct charm_run *run, const char *key)
{
    struct charmi_words parts = charmi_split(run->arena, key, ".");
    bool good =
        parts.size > 0 && key[0] != '.' && !charmi_ends_with(key, ".") && strstr(key, "..") == NULL;
    for (size_t i = 0; i < parts.size; i++) {
        good = good && part_is_good(parts.at[i]);
    }
    return good;
}

void charm_action_set(struct charm_run *run, const char *key, const struct charm_value *value)
{
    if (!is_action(run, "charm_action_set")) {
        return;
    }
    if (!result_key_is_good(run, key)) {
        charmi_misuse(run, "charm_action_set: Juju refuses the key '%s'", key);
        return;
    }
    enum charm_kind kind = charm_value_kind(value);
    const char *text = kind == CHARM_LIST || kind == CHARM_MAP
                           ? charm_value_render(run->arena, value, CHARM_JSON_COMPACT)
                           : charm_value_scalar(run->arena, value);
    if (strlen(text) > RESULT_MAX_BYTES) {
        charmi_misuse(run, "charm_action_set('%s'): %zu bytes are more than Juju takes (%zu)", key,
                      strlen(text), RESULT_MAX_BYTES);
        return;
    }
    if (run->action_results == NULL) {
        run->action_results = charm_value_new_map(run->arena);
    }
    charm_value_set_text(run->action_results, key, text);
}

void charm_action_set_text(struct charm_run *run, const char *key, const char *text)
{
    charm_action_set(run, key, charm_value_new_text(run->arena, text == NULL ? "" : text));
}

void charm_action_fail(struct charm_run *run, const char *format, ...)
{
    if (!is_action(run, "charm_action_fail")) {
        return;
    }
    va_list args;
    va_start(args, format);
    run->action_failed = charm_arena_vprintf(run->arena, format, args);
    va_end(args);
}

/* Shown while the action runs, so it is sent at once; that it cannot be sent is no reason to fail. */
void charm_action_log(struct charm_run *run, const char *format, ...)
{
    if (!is_action(run, "charm_action_log")) {
        return;
    }
    va_list args;
    va_start(args, format);
    const char *text = charm_arena_vprintf(run->arena, format, args);
    va_end(args);
    struct charm_error error = { 0 };
    if (charmi_tool_write(
            &run->tools,
            CHARMI_ARGV("action-log", "--", charmi_redact(run->arena, &run->secrets, text)), NULL,
            &error) < 0) {
        charm_trace(run, "%s", error.text);
    }
}

/* ---- time ---- */

int64_t charm_now_ms(struct charm_run *run)
{
    return run->ports->now_ms(run->ports->userdata);
}

bool charm_wait_ms(struct charm_run *run, int64_t ms)
{
    if (ms < 0 || ms > CHARMI_WAIT_BUDGET_MS - run->waited_ms) {
        return false;
    }
    run->waited_ms += ms;
    run->ports->sleep_ms(run->ports->userdata, ms);
    return true;
}

/* ---- the story ---- */

void charm_trace(struct charm_run *run, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = charm_arena_vprintf(run->arena, format, args);
    va_end(args);
    const char *who = charm_current(run);
    charmi_story_trace(&run->story, charm_arena_printf(run->arena, "%s%s%s", who,
                                                       who[0] == '\0' ? "" : ": ", text));
}

void charm_secret(struct charm_run *run, const char *secret)
{
    charmi_secrets_add(run->arena, &run->secrets, secret);
}

void charm_fail(struct charm_run *run, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    run->failed = charm_arena_vprintf(run->arena, format, args);
    va_end(args);
}
