#include "kcb/connectors.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "kcb/deployment.h"
#include "kcb/kcb.h"
#include "kcb/redact.h"
#include "kcb/restarts.h"
#include "kcb/workers.h"

enum {
    LONGEST_NAME = 200,
    LONGEST_OPTION = 1024 * 1024,
    MOST_CONNECTORS = 1000,
    MOST_NOT_NOW = 3, /* after so many "not now" the rest of the plan waits for the next run */
    MOST_POLLS = 8,
    POLL_PAUSE_MS = 500,
};

/* ---- names and configurations ---- */

/* Connect refuses control characters and trims; a path with / \\ % or dots alone does not survive every Jetty. */
int kcbi_check_connector_name(const char *name, struct charm_error *reterr)
{
    const size_t size = strlen(name);
    if (size == 0) {
        return charm_error_set(reterr, CHARM_EINVAL, "a connector has an empty name");
    }
    if (size > LONGEST_NAME) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "a connector's name is longer than %d bytes: %.40s...", LONGEST_NAME,
                               name);
    }
    for (const char *at = name; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f || strchr("/\\%", *at) != NULL) {
            return charm_error_set(reterr, CHARM_EINVAL,
                                   "the name of a connector holds / or \\ or %% or a control "
                                   "character at byte %zu",
                                   (size_t)(at - name) + 1);
        }
    }
    if (name[0] == ' ' || name[size - 1] == ' ') {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "connector '%s': its name begins or ends with a blank", name);
    }
    if (charmi_same(name, ".") || charmi_same(name, "..")) {
        return charm_error_set(reterr, CHARM_EINVAL, "connector '%s': its name is dots alone",
                               name);
    }
    return 0;
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            return true;
        }
    }
    return false;
}

static int add_setting(struct charm_arena *arena, const char *name, const struct charm_iter *it,
                       struct charm_value *config, struct charm_error *reterr)
{
    if (it->key[0] == '\0' || has_control(it->key)) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "connector '%s': a key is empty or holds control characters", name);
    }
    switch (charm_value_kind(it->value)) {
    case CHARM_LIST:
    case CHARM_MAP:
        return charm_error_set(reterr, CHARM_EINVAL,
                               "connector '%s': '%.100s' is a list or map, Connect takes texts "
                               "only (lists as a,b,c)",
                               name, it->key);
    case CHARM_NULL:
        return charm_error_set(reterr, CHARM_EINVAL,
                               "connector '%s': '%.100s' has no value (an empty text is \"\")",
                               name, it->key);
    default:
        break;
    }
    const char *text = charm_value_scalar(arena, it->value);
    if (!charmi_same(it->key, "name")) {
        charm_value_set_text(config, it->key, text);
        return 0;
    }
    /* Connect adds it by itself and refuses another one */
    return charmi_same(text, name)
               ? 0
               : charm_error_set(reterr, CHARM_EINVAL,
                                 "connector '%s': its key 'name' says another name", name);
}

int kcbi_connector_texts(struct charm_arena *arena, const char *name,
                         const struct charm_value *config, struct charm_value **ret_config,
                         struct charm_error *reterr)
{
    if (charm_value_kind(config) != CHARM_MAP) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "connector '%s': its configuration is not a map of key to value",
                               name);
    }
    struct charm_value *texts = charm_value_new_map(arena);
    CHARM_EACH(config, it)
    {
        const int result = add_setting(arena, name, &it, texts, reterr);
        if (result != 0) {
            return result;
        }
    }
    *ret_config = texts;
    return 0;
}

/* ---- the option ---- */

/* By the class's own name, since nobody can be asked before it runs. */
static bool is_sink(const char *connector_class)
{
    const char *dot = strrchr(connector_class, '.');
    const char *simple = dot == NULL ? connector_class : dot + 1;
    return strstr(simple, "Sink") != NULL && strstr(simple, "Source") == NULL;
}

static int add_topics(struct charm_arena *arena, const char *name, const char *topics,
                      struct charm_value *config, struct charm_error *reterr)
{
    if (!is_sink(charm_text(charm_value_get(config, "connector.class"))) ||
        charm_value_get(config, "topics") != NULL ||
        charm_value_get(config, "topics.regex") != NULL) {
        return 0;
    }
    const struct charmi_words words = charmi_split(arena, topics, " \t\r\n");
    if (words.size == 0) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "connector '%s' is a sink without topics: give it a key 'topics', "
                               "or set the option topics",
                               name);
    }
    charm_value_set_text(config, "topics", charmi_words_join(arena, &words, ","));
    return 0;
}

static int add_option_connector(struct charm_arena *arena, const struct charm_iter *it,
                                const char *topics, struct charm_value *wanted,
                                struct charm_error *reterr)
{
    struct charm_value *config = NULL;
    int result = kcbi_check_connector_name(it->key, reterr);
    if (result == 0) {
        result = kcbi_connector_texts(arena, it->key, it->value, &config, reterr);
    }
    if (result != 0) {
        return result;
    }
    if (charmi_blank(charm_text(charm_value_get(config, "connector.class")))) {
        return charm_error_set(reterr, CHARM_EINVAL, "connector '%s' has no 'connector.class'",
                               it->key);
    }
    result = add_topics(arena, it->key, topics, config, reterr);
    if (result == 0) {
        charm_value_set(wanted, it->key, config);
    }
    return result;
}

int kcbi_option_connectors(struct charm_arena *arena, const struct charm_value *document,
                           const char *topics, struct charm_value **ret_wanted,
                           struct charm_error *reterr)
{
    struct charm_value *wanted = charm_value_new_map(arena);
    if (charm_value_kind(document) == CHARM_NULL) {
        *ret_wanted = wanted;
        return 0;
    }
    if (charm_value_kind(document) != CHARM_MAP) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "it must be a map of connector name to configuration, as "
                               "lines: {connector.class: FileStreamSource, file: /tmp/in}");
    }
    if (charm_value_size(document) > MOST_CONNECTORS) {
        return charm_error_set(reterr, CHARM_ETOOBIG, "more than %d connectors", MOST_CONNECTORS);
    }
    CHARM_EACH(document, it)
    {
        const int result = add_option_connector(arena, &it, topics, wanted, reterr);
        if (result != 0) {
            return result;
        }
    }
    *ret_wanted = wanted;
    return 0;
}

int kcbi_option_connectors_parse(struct charm_arena *arena, const struct charm_ports *ports,
                                 const char *text, const char *topics,
                                 struct charm_value **ret_wanted, struct charm_error *reterr)
{
    struct charm_value *document = NULL;
    const size_t size = strlen(text);
    if (size > LONGEST_OPTION) {
        return charm_error_set(reterr, CHARM_ETOOBIG, "longer than %d bytes", LONGEST_OPTION);
    }
    if (!charmi_blank(text)) {
        /* Connect takes texts only, so what was written is what counts: 0x10 and 1.10, not 16 and 1.1 */
        const int result = (ports->yaml_texts != NULL ? ports->yaml_texts : ports->yaml_parse)(
            ports->userdata, arena, text, size, &document, reterr);
        if (result != 0) {
            return result;
        }
    }
    return kcbi_option_connectors(arena, document, topics, ret_wanted, reterr);
}

int kcbi_connectors_of_option(struct charm_run *run, struct charm_value **ret_wanted,
                              struct charm_error *reterr)
{
    return kcbi_option_connectors_parse(charm_arena(run), charm_ports(run),
                                        charm_config_text(run, "connectors"),
                                        kcbi_options(run)->topics, ret_wanted, reterr);
}

enum charm_result kcbi_want_option_connectors(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    kcbi_hush(run, KCBI_ON_OPTION_CONNECTORS);
    struct charm_value *wanted = NULL;
    struct charm_error error = { 0 };
    if (kcbi_connectors_of_option(run, &wanted, &error) != 0) {
        kcbi_say(run, KCBI_ON_OPTION_CONNECTORS, CHARM_BLOCKED, "option connectors: %s",
                 error.text);
        return CHARM_LATER;
    }
    CHARM_EACH(wanted, it)
    {
        kcb_want_connector(run, it.key, it.value);
    }
    return CHARM_DONE;
}

/* ---- what rows say ---- */

struct charm_value *kcb_connector_new(struct charm_run *run, const char *connector_class)
{
    struct charm_value *config = charm_value_new_map(charm_arena(run));
    charm_value_set_text(config, "connector.class", connector_class);
    return config;
}

/* A reference to a secret is none, and hiding every "true" of a run would help nobody. */
static bool is_secret_text(const char *text)
{
    return strlen(text) >= 4 && !charmi_starts_with(text, "${") && !charmi_same(text, "true") &&
           !charmi_same(text, "false");
}

/* Secrets must not show in anything that the run writes. */
static void keep_secrets(struct charm_run *run, const struct charm_value *config)
{
    CHARM_EACH(config, it)
    {
        const char *text = charm_text(it.value);
        if (kcbi_secret_setting(it.key) && is_secret_text(text)) {
            charm_secret(run, text);
        }
    }
}

/* A setter says nothing: the misuse is given to the output function, which fails the run with it. Were it only left
 * out, its connector would count as not wanted, and go. */
static void give_misuse(struct charm_run *run, const char *name, const struct charm_error *error)
{
    charm_give(run, KCBI_GIVE_MISUSE, name,
               charm_value_new_text(charm_arena(run),
                                    charm_arena_printf(charm_arena(run), "%s: %s",
                                                       charm_current(run), error->text)));
}

void kcb_want_connector(struct charm_run *run, const char *name, const struct charm_value *config)
{
    struct charm_error error = { 0 };
    struct charm_value *texts = NULL;
    if (kcbi_check_connector_name(name, &error) != 0 ||
        kcbi_connector_texts(charm_arena(run), name, config, &texts, &error) != 0) {
        give_misuse(run, name, &error);
        return;
    }
    keep_secrets(run, texts);
    struct charm_value *given = charm_value_new_map(charm_arena(run));
    charm_value_set_text(given, "row", charm_current(run));
    charm_value_set(given, "config", texts);
    charm_give(run, KCBI_GIVE_CONNECTOR, name, given);
}

enum kcbi_row_says kcbi_row_says(enum charm_outcome outcome, const char *const *unmet)
{
    /* What falls by itself for a while, and does not mean that the connector is not wanted (decision 2). */
    static const char *const passing[] = { KCB_RUNNING, KCB_TOPIC_CREATED, CHARM_IS_LEADER,
                                           CHARM_APP_STATE, NULL };
    switch (outcome) {
    case CHARM_OUTCOME_DONE:
        return KCBI_ROW_DROPS;
    case CHARM_OUTCOME_LATER:
        return KCBI_ROW_HOLDS;
    case CHARM_OUTCOME_UNKNOWN:
        return KCBI_ROW_NOBODY;
    case CHARM_OUTCOME_BLOCKED:
        break;
    }
    for (size_t i = 0; unmet != NULL && unmet[i] != NULL; i++) {
        if (!charmi_in(passing, unmet[i])) {
            return KCBI_ROW_DROPS;
        }
    }
    return KCBI_ROW_HOLDS;
}

/* "endpoint.NAME.joined" of an endpoint that could not be read in this run: unknown is not absent. */
static bool is_unknown(struct charm_run *run, const char *flag)
{
    static const char start[] = "endpoint.";
    if (!charmi_starts_with(flag, start)) {
        return false;
    }
    const char *name = flag + strlen(start);
    return charm_endpoint_unknown(run,
                                  charm_arena_copy_n(charm_arena(run), name, strcspn(name, ".")));
}

static enum kcbi_row_says row_in_run(void *userdata, const char *row)
{
    struct charm_run *run = userdata;
    const char *const *unmet = NULL;
    const enum charm_outcome outcome = charm_row_outcome(run, row, &unmet);
    struct charmi_words certain = { 0 };
    for (size_t i = 0; unmet != NULL && unmet[i] != NULL; i++) {
        if (!is_unknown(run, unmet[i])) {
            charmi_words_add(charm_arena(run), &certain, unmet[i]);
        }
    }
    return kcbi_row_says(outcome, certain.at);
}

/* ---- the plan ---- */

bool kcbi_same_config(struct charm_arena *arena, const struct charm_value *wanted,
                      const struct charm_value *live)
{
    size_t same = 0;
    CHARM_EACH(wanted, it)
    {
        const struct charm_value *there = charm_value_get(live, it.key);
        if (there == NULL ||
            !charmi_same(charm_value_scalar(arena, it.value), charm_value_scalar(arena, there))) {
            return false;
        }
        same++;
    }
    const size_t added =
        charm_value_get(live, "name") != NULL && charm_value_get(wanted, "name") == NULL;
    return same + added == charm_value_size(live);
}

const char *kcbi_step_name(enum kcbi_step_kind kind)
{
    static const char *const names[] = {
        [KCBI_STEP_NOTHING] = "nothing", [KCBI_STEP_CLAIM] = "claim",
        [KCBI_STEP_ADOPT] = "adopt",     [KCBI_STEP_CREATE] = "create",
        [KCBI_STEP_UPDATE] = "update",   [KCBI_STEP_DELETE] = "delete",
        [KCBI_STEP_FORGET] = "forget",   [KCBI_STEP_FOREIGN] = "foreign",
        [KCBI_STEP_HOLD] = "hold",
    };
    return names[kind];
}

static struct kcbi_step step_for_wanted(struct charm_arena *arena,
                                        const struct kcbi_plan_input *input, const char *name)
{
    const struct charm_value *wanted = charm_value_get(input->wanted, name);
    const struct charm_value *live = charm_value_get(input->live, name);
    struct kcbi_step step = {
        .name = name,
        .row = charm_text(charm_value_get(wanted, "row")),
        .config = charm_value_get(wanted, "config"),
    };
    if (charm_value_get(input->owned, name) == NULL) {
        if (live == NULL) {
            step.kind = KCBI_STEP_CLAIM;
            step.why = "wanted; a later run reads the name back and creates it";
        } else if (input->adopt) {
            step.kind = KCBI_STEP_ADOPT;
            step.why = "exists already, and adopt-connectors lets us take it over";
        } else {
            step.kind = KCBI_STEP_FOREIGN;
            step.why = "exists already and is not ours";
        }
        return step;
    }
    if (input->row_says(input->userdata, step.row) == KCBI_ROW_HOLDS) {
        step.kind = KCBI_STEP_HOLD;
        step.why = "its row waits";
    } else if (live == NULL) {
        step.kind = KCBI_STEP_CREATE;
        step.why = "ours, and not there";
    } else if (charm_value_get(live, "config") == NULL) {
        step.kind = KCBI_STEP_HOLD;
        step.why = "its configuration could not be read";
    } else if (kcbi_same_config(arena, step.config, charm_value_get(live, "config"))) {
        step.kind = KCBI_STEP_NOTHING;
        step.why = "as wanted";
    } else {
        step.kind = KCBI_STEP_UPDATE;
        step.why = "its configuration differs";
    }
    return step;
}

static struct kcbi_step step_for_unwanted(const struct kcbi_plan_input *input, const char *name)
{
    struct kcbi_step step = {
        .name = name,
        .row = charm_text(charm_value_get(charm_value_get(input->owned, name), "row")),
    };
    switch (input->row_says(input->userdata, step.row)) {
    case KCBI_ROW_DROPS:
        if (charm_value_get(input->live, name) != NULL) {
            step.kind = KCBI_STEP_DELETE;
            step.why = "ours, and not wanted any more";
        } else {
            step.kind = KCBI_STEP_FORGET;
            step.why = "not wanted, and gone";
        }
        break;
    case KCBI_ROW_HOLDS:
        step.kind = KCBI_STEP_HOLD;
        step.why = "its row waits, or cannot run for now";
        break;
    case KCBI_ROW_NOBODY:
        step.kind = KCBI_STEP_HOLD;
        step.why = "this charm has no such row any more";
        break;
    }
    return step;
}

/* Names that are wanted or ours, sorted. */
static struct charmi_words names_of(struct charm_arena *arena, const struct kcbi_plan_input *input)
{
    struct charmi_words names = { 0 };
    CHARM_EACH(input->wanted, it)
    {
        charmi_words_add(arena, &names, it.key);
    }
    CHARM_EACH(input->owned, it)
    {
        if (charm_value_get(input->wanted, it.key) == NULL) {
            charmi_words_add(arena, &names, it.key);
        }
    }
    charmi_words_sort(&names);
    return names;
}

struct kcbi_plan kcbi_plan_connectors(struct charm_arena *arena,
                                      const struct kcbi_plan_input *input)
{
    const struct charmi_words names = names_of(arena, input);
    struct kcbi_step *steps = charm_arena_array(arena, names.size + 1, sizeof(*steps));
    for (size_t i = 0; i < names.size; i++) {
        steps[i] = charm_value_get(input->wanted, names.at[i]) != NULL
                       ? step_for_wanted(arena, input, names.at[i])
                       : step_for_unwanted(input, names.at[i]);
    }
    return (struct kcbi_plan){ .steps = steps, .count = names.size };
}

/* ---- carrying it out ---- */

struct carrying {
    struct kcbi_rest *rest;
    enum kcbi_worker_age age;
    struct kcbi_carried *carried;
    size_t not_now;
    bool stop; /* nobody answers, or too many "not now" */
};

static const char *or_status(struct charm_arena *arena, const struct kcbi_reply *reply)
{
    return reply->message[0] != '\0' ? reply->message
                                     : charm_arena_printf(arena, "status %d", reply->status);
}

/* First words win: steps are sorted, so the same state says the same. */
static void say(const char **where, const char *words)
{
    if ((*where)[0] == '\0') {
        *where = words;
    }
}

/* Says what an answer that is neither yes nor "gone already" means for this step. */
static void say_refusal(struct carrying *carrying, const struct kcbi_step *step,
                        const struct kcbi_reply *reply)
{
    struct charm_arena *arena = carrying->rest->arena;
    const char *said = or_status(arena, reply);
    switch (reply->verdict) {
    case KCBI_LATER:
        carrying->not_now++;
        carrying->stop = carrying->not_now >= MOST_NOT_NOW;
        say(&carrying->carried->waiting,
            charm_arena_printf(arena,
                               "connector %s: the workers say not now (%s), %s again at the "
                               "next hook",
                               step->name, said, kcbi_step_name(step->kind)));
        break;
    case KCBI_REFUSED:
        say(&carrying->carried->blocked,
            charm_arena_printf(arena, "connector %s: %s", step->name,
                               reply->status == 401 || reply->status == 403
                                   ? "the workers refuse us (authentication on their REST port)"
                                   : said));
        break;
    default:
        say(&carrying->carried->waiting,
            charm_arena_printf(arena,
                               "connector %s: could not %s it (%d %s), again at the next hook",
                               step->name, kcbi_step_name(step->kind), reply->status, said));
        break;
    }
}

/* A write went unanswered: the rest of the plan waits. Only lost leadership is an error. */
static int unanswered(struct carrying *carrying, const struct kcbi_step *step, int result,
                      struct charm_error *error, struct charm_error *reterr)
{
    if (result == CHARM_EREFUSED) {
        if (reterr != NULL) {
            *reterr = *error;
        }
        return result;
    }
    carrying->stop = true;
    say(&carrying->carried->waiting,
        charm_arena_printf(carrying->rest->arena, "connector %s: %s", step->name, error->text));
    return 0;
}

/* "topics, file" of a validation's answer: settings with errors, never their values. */
static const char *invalid_settings(struct charm_arena *arena, const struct charm_value *body)
{
    struct charmi_words keys = { 0 };
    const struct charm_value *configs = charm_value_get(body, "configs");
    for (size_t i = 0; i < charm_value_size(configs) && keys.size < 10; i++) {
        const struct charm_value *value = charm_value_get(charm_value_at(configs, i), "value");
        if (charm_value_size(charm_value_get(value, "errors")) > 0) {
            charmi_words_add(
                arena, &keys,
                kcbi_redact_text(arena, charm_text(charm_value_get(value, "name")), LONGEST_NAME));
        }
    }
    return charmi_words_join(arena, &keys, ", ");
}

/* Workers before 2.3 take an unknown class with 201 (kafka-connect.md 1.3): ask before. `*ret_valid`: go on. */
static int validate(struct carrying *carrying, const struct kcbi_step *step, bool *ret_valid,
                    struct charm_error *reterr)
{
    struct charm_arena *arena = carrying->rest->arena;
    const char *class = charm_text(charm_value_get(step->config, "connector.class"));
    struct charm_value *config = charm_value_copy(arena, step->config);
    charm_value_set_text(config, "name", step->name);
    const char *path = charm_arena_printf(arena, "/connector-plugins/%s/config/validate",
                                          kcbi_percent_encode(arena, class));
    struct kcbi_reply reply;
    struct charm_error error = { 0 };
    *ret_valid = false;
    const int result = kcbi_rest_write(carrying->rest, "PUT", path, config, &reply, &error);
    if (result != 0) {
        return unanswered(carrying, step, result, &error, reterr);
    }
    if (reply.verdict == KCBI_LATER) {
        say_refusal(carrying, step, &reply);
    } else if (reply.verdict != KCBI_OK) {
        say(&carrying->carried->blocked,
            charm_arena_printf(arena, "connector %s: the workers do not know the class %s",
                               step->name, kcbi_redact_text(arena, class, LONGEST_NAME)));
    } else if (charm_value_int(charm_value_get(reply.body, "error_count"), 0) > 0) {
        say(&carrying->carried->blocked,
            charm_arena_printf(arena, "connector %s: the workers refuse these settings: %s",
                               step->name, invalid_settings(arena, reply.body)));
    } else {
        *ret_valid = true;
    }
    return 0;
}

static int put_config(struct carrying *carrying, const struct kcbi_step *step,
                      struct charm_error *reterr)
{
    if (carrying->age == KCBI_WORKER_OLD) {
        bool valid;
        const int result = validate(carrying, step, &valid, reterr);
        if (result != 0 || !valid) {
            return result;
        }
    }
    struct kcbi_reply reply;
    struct charm_error error = { 0 };
    const int result = kcbi_rest_write(
        carrying->rest, "PUT", kcbi_connector_path(carrying->rest->arena, step->name, "/config"),
        step->config, &reply, &error);
    if (result != 0) {
        return unanswered(carrying, step, result, &error, reterr);
    }
    if (reply.verdict == KCBI_OK) {
        carrying->carried->written++;
        charm_value_set_bool(carrying->carried->there, step->name, true);
    } else {
        say_refusal(carrying, step, &reply);
    }
    return 0;
}

static int delete_connector(struct carrying *carrying, const struct kcbi_step *step,
                            struct charm_error *reterr)
{
    struct kcbi_reply reply;
    struct charm_error error = { 0 };
    const int result = kcbi_rest_write(carrying->rest, "DELETE",
                                       kcbi_connector_path(carrying->rest->arena, step->name, ""),
                                       NULL, &reply, &error);
    if (result != 0) {
        return unanswered(carrying, step, result, &error, reterr);
    }
    /* a page of a proxy that says 404 is no worker's word that the connector is gone */
    if (reply.verdict == KCBI_OK || (reply.verdict == KCBI_NOT_FOUND && reply.body != NULL)) {
        charm_value_remove(carrying->carried->owned, step->name);
    } else {
        say_refusal(carrying, step, &reply);
    }
    return 0;
}

static void say_foreign(struct carrying *carrying, const struct kcbi_step *step)
{
    say(&carrying->carried->blocked,
        charm_arena_printf(carrying->rest->arena,
                           "connector %s exists already and is not ours: remove it, or let us take "
                           "it over with adopt-connectors=true",
                           step->name));
}

static int carry_out_step(struct carrying *carrying, const struct kcbi_step *step,
                          struct charm_error *reterr)
{
    switch (step->kind) {
    case KCBI_STEP_CREATE:
    case KCBI_STEP_UPDATE:
        return carrying->stop ? 0 : put_config(carrying, step, reterr);
    case KCBI_STEP_DELETE:
        return carrying->stop ? 0 : delete_connector(carrying, step, reterr);
    case KCBI_STEP_CLAIM:
    case KCBI_STEP_ADOPT:
        carrying->carried->claimed++;
        return 0;
    case KCBI_STEP_FOREIGN:
        say_foreign(carrying, step);
        return 0;
    case KCBI_STEP_NOTHING:
    case KCBI_STEP_FORGET:
    case KCBI_STEP_HOLD:
        break;
    }
    return 0;
}

/* Ours before any answer: everything of the plan but what is foreign or forgotten. */
static struct charm_value *owned_by_plan(struct charm_arena *arena, const struct kcbi_plan *plan)
{
    struct charm_value *owned = charm_value_new_map(arena);
    for (size_t i = 0; i < plan->count; i++) {
        const struct kcbi_step *step = &plan->steps[i];
        if (step->kind != KCBI_STEP_FOREIGN && step->kind != KCBI_STEP_FORGET) {
            charm_value_set_text(charm_value_add_map(owned, step->name), "row", step->row);
        }
    }
    return owned;
}

int kcbi_carry_out(struct kcbi_rest *rest, const struct kcbi_plan *plan, enum kcbi_worker_age age,
                   struct kcbi_carried *ret_carried, struct charm_error *reterr)
{
    struct kcbi_carried carried = {
        .owned = owned_by_plan(rest->arena, plan),
        .there = charm_value_new_map(rest->arena),
        .blocked = "",
        .waiting = "",
    };
    struct carrying carrying = { .rest = rest, .age = age, .carried = &carried };
    for (size_t i = 0; i < plan->count; i++) {
        const struct kcbi_step *step = &plan->steps[i];
        rest->trace(rest->userdata,
                    charm_arena_printf(rest->arena, "connector %s: %s (%s)", step->name,
                                       kcbi_step_name(step->kind), step->why));
        const int result = carry_out_step(&carrying, step, reterr);
        if (result != 0) {
            return result;
        }
    }
    *ret_carried = carried;
    return 0;
}

/* ---- how they are ---- */

static const char *state_of(const struct charm_value *part)
{
    return charm_text(charm_value_get(part, "state"));
}

static const char *failure_words(struct charm_arena *arena, const char *name, const char *part,
                                 const struct charm_value *failed)
{
    const char *trace = kcbi_redact_trace(arena, charm_text(charm_value_get(failed, "trace")));
    return charm_arena_printf(arena, "connector %s%s failed%s%s", name, part,
                              trace[0] == '\0' ? "" : ": ", trace);
}

/* NULL: neither the connector nor a task failed. */
static const char *failure_of(struct charm_arena *arena, const char *name,
                              const struct charm_value *status)
{
    const struct charm_value *connector = charm_value_get(status, "connector");
    if (charmi_same(state_of(connector), "FAILED")) {
        return failure_words(arena, name, "", connector);
    }
    const struct charm_value *tasks = charm_value_get(status, "tasks");
    for (size_t i = 0; i < charm_value_size(tasks); i++) {
        const struct charm_value *task = charm_value_at(tasks, i);
        if (charmi_same(state_of(task), "FAILED")) {
            const char *part = charm_arena_printf(
                arena, " task %lld", (long long)charm_value_int(charm_value_get(task, "id"), 0));
            return failure_words(arena, name, part, task);
        }
    }
    return NULL;
}

static bool all_tasks_run(const struct charm_value *tasks)
{
    for (size_t i = 0; i < charm_value_size(tasks); i++) {
        if (!charmi_same(state_of(charm_value_at(tasks, i)), "RUNNING")) {
            return false;
        }
    }
    return true;
}

static void count_one(struct charm_arena *arena, const char *name, const struct charm_value *status,
                      struct kcbi_health *health)
{
    const struct charm_value *tasks = charm_value_get(status, "tasks");
    const char *state = state_of(charm_value_get(status, "connector"));
    const char *failure = failure_of(arena, name, status);
    if (failure != NULL) {
        health->failed++;
        say(&health->failure, failure);
    } else if (charmi_same(state, "PAUSED") || charmi_same(state, "STOPPED")) {
        health->paused++;
    } else if (charmi_same(state, "RUNNING") && all_tasks_run(tasks)) {
        health->running++;
        health->idle += charm_value_size(tasks) == 0;
    } else {
        health->starting++;
    }
}

struct kcbi_health kcbi_judge_health(struct charm_arena *arena, const struct charm_value *names,
                                     const struct charm_value *live)
{
    struct kcbi_health health = { .failure = "" };
    CHARM_EACH(names, it)
    {
        count_one(arena, it.key, charm_value_get(charm_value_get(live, it.key), "status"), &health);
    }
    return health;
}

char *kcbi_health_words(struct charm_arena *arena, const struct kcbi_health *health)
{
    const size_t all = health->running + health->paused + health->starting + health->failed;
    struct charmi_buf words = charmi_buf_init(200);
    if (all > 0 && health->running == all) {
        charmi_buf_addf(&words, "%zu connector%s running", all, all == 1 ? "" : "s");
    } else if (all > 0) {
        charmi_buf_addf(&words, "%zu of %zu connector%s running", health->running, all,
                        all == 1 ? "" : "s");
    }
    if (health->failed > 0) {
        charmi_buf_addf(&words, ", %zu failed", health->failed);
    }
    if (health->paused > 0) {
        charmi_buf_addf(&words, ", %zu paused", health->paused);
    }
    if (health->starting > 0) {
        charmi_buf_addf(&words, ", %zu starting", health->starting);
    }
    if (health->idle > 0) {
        charmi_buf_addf(&words, ", %zu without tasks", health->idle);
    }
    return charmi_buf_into(&words, arena);
}

/* ---- the output ---- */

struct converging {
    struct charm_run *run;
    struct kcbi_rest rest;
    const struct charm_value *wanted;
    const struct charm_value *owned;
    const struct charm_value *live;
    bool old;
};

/* What was just written needs a moment until its status shows; asking now spares a wait for the next hook. */
static void watch_start(struct converging *c, const struct charm_value *names)
{
    for (int polls = 0; polls < MOST_POLLS; polls++) {
        struct charm_value *live = NULL;
        bool old;
        if (!charm_wait_ms(c->run, POLL_PAUSE_MS) ||
            kcbi_live_connectors(&c->rest, names, &live, &old, NULL) != 0) {
            return;
        }
        c->live = live;
        const struct kcbi_health health = kcbi_judge_health(charm_arena(c->run), names, live);
        if (health.starting == 0 && health.idle == 0) {
            return;
        }
    }
}

/* Ours that exist, as far as we know: a name that is only written down has no health yet. */
static struct charm_value *existing(struct charm_arena *arena, const struct kcbi_carried *carried,
                                    const struct charm_value *live)
{
    struct charm_value *names = charm_value_new_map(arena);
    CHARM_EACH(carried->owned, it)
    {
        if (charm_value_get(live, it.key) != NULL ||
            charm_value_get(carried->there, it.key) != NULL) {
            charm_value_set_bool(names, it.key, true);
        }
    }
    return names;
}

/* Worst first: what a person must mend, then what is tried again. */
static void say_failures(struct converging *c, const struct charm_value *names,
                         const struct charm_value *tries)
{
    struct charm_arena *arena = charm_arena(c->run);
    const struct charm_context *context = charm_context(c->run);
    const int64_t most = kcbi_options(c->run)->restart_failed;
    const struct kcbi_health all = kcbi_judge_health(arena, names, c->live);
    const struct kcbi_health given_up =
        kcbi_judge_health(arena, kcbi_given_up(arena, names, tries, most), c->live);
    if (given_up.failed > 0) {
        const char *tried = most == 0 ? ""
                                      : charm_arena_printf(arena, "; restarted %lld time%s in vain",
                                                           (long long)most, most == 1 ? "" : "s");
        kcbi_say(c->run, KCBI_ON_CONNECTORS, CHARM_BLOCKED,
                 "%s%s; when mended: juju %s %s restart-connector name=NAME", given_up.failure,
                 tried, charmi_starts_with(context->juju_version, "2.") ? "run-action" : "run",
                 context->unit);
    } else if (all.failed > 0) {
        kcbi_say(c->run, KCBI_ON_CONNECTORS, CHARM_WAITING,
                 "%s; restarted at update-status, at most %lld time%s", all.failure,
                 (long long)most, most == 1 ? "" : "s");
    }
}

static void say_all(struct converging *c, const struct kcbi_carried *carried,
                    const struct charm_value *names, const struct charm_value *tries)
{
    struct charm_arena *arena = charm_arena(c->run);
    const struct kcbi_health health = kcbi_judge_health(arena, names, c->live);
    if (carried->blocked[0] != '\0') {
        kcbi_say(c->run, KCBI_ON_CONNECTORS, CHARM_BLOCKED, "%s", carried->blocked);
    }
    say_failures(c, names, tries);
    if (carried->waiting[0] != '\0') {
        kcbi_say(c->run, KCBI_ON_CONNECTORS, CHARM_WAITING, "%s", carried->waiting);
    }
    if (carried->claimed > 0) {
        kcbi_say(c->run, KCBI_ON_CONNECTORS, CHARM_WAITING,
                 "%zu connector%s taken up in the next hook", carried->claimed,
                 carried->claimed == 1 ? "" : "s");
    }
    const char *words = kcbi_health_words(arena, &health);
    kcbi_look_memo(c->run)->connectors = words;
    if (health.starting > 0) {
        kcbi_say(c->run, KCBI_ON_CONNECTORS, CHARM_WAITING, "%s", words);
    }
}

static enum charm_result converge(struct converging *c)
{
    struct charm_error error = { 0 };
    if (kcbi_look_at_workers(c->run, &c->live, &c->old, &error) != 0) {
        kcbi_say(c->run, KCBI_ON_CONNECTORS, CHARM_WAITING,
                 "the connectors could not be looked at: %s", error.text);
        return CHARM_LATER;
    }
    const struct kcbi_plan_input input = {
        .wanted = c->wanted,
        .owned = c->owned,
        .live = c->live,
        .adopt = kcbi_options(c->run)->adopt_connectors,
        .userdata = c->run,
        .row_says = row_in_run,
    };
    const struct kcbi_plan plan = kcbi_plan_connectors(charm_arena(c->run), &input);
    struct kcbi_carried carried;
    if (kcbi_carry_out(&c->rest, &plan, c->old ? KCBI_WORKER_OLD : KCBI_WORKER_CURRENT, &carried,
                       &error) != 0) {
        charm_trace(c->run, "connectors: %s", error.text);
        return CHARM_LATER;
    }
    const struct charm_value *names = existing(charm_arena(c->run), &carried, c->live);
    const struct kcbi_restarts restarts =
        kcbi_restart_failed(c->run, &c->rest, names, c->live, kcbi_options(c->run)->restart_failed,
                            charmi_same(charm_context(c->run)->hook, "update-status"));
    if (carried.written > 0 || restarts.restarted > 0) {
        watch_start(c, names);
    }
    say_all(c, &carried, names, restarts.tries);
    charm_app_set(c->run, KCBI_APP_CONNECTORS, carried.owned);
    return CHARM_DONE;
}

void kcbi_remove_all_connectors(struct charm_run *run)
{
    struct charm_arena *arena = charm_arena(run);
    const struct charm_value *owned = charm_app_get(run, KCBI_APP_CONNECTORS);
    struct kcbi_step *steps = charm_arena_array(arena, charm_value_size(owned) + 1, sizeof(*steps));
    struct kcbi_plan plan = { .steps = steps };
    CHARM_EACH(owned, it)
    {
        steps[plan.count++] =
            (struct kcbi_step){ .kind = KCBI_STEP_DELETE,
                                .name = it.key,
                                .row = charm_text(charm_value_get(it.value, "row")),
                                .why = "the last unit goes" };
    }
    struct kcbi_rest rest = kcbi_rest_of(run, KCBI_AS_LEADER);
    struct kcbi_carried carried;
    struct charm_error error = { 0 };
    if (plan.count == 0) {
        return;
    }
    if (kcbi_carry_out(&rest, &plan, KCBI_WORKER_CURRENT, &carried, &error) != 0) {
        charm_trace(run, "connectors: %s", error.text);
        return;
    }
    charm_app_set(run, KCBI_APP_CONNECTORS, carried.owned);
}

enum charm_result kcbi_converge_connectors(struct charm_run *run, const struct charm_output *output)
{
    (void)output;
    CHARM_EACH(charm_given(run, KCBI_GIVE_MISUSE), misuse)
    {
        charm_fail(run, "%s", charm_text(misuse.value));
        return CHARM_FAILED;
    }
    if (!charm_flag_is_set(run, CHARM_IS_LEADER) || !charm_flag_is_set(run, CHARM_APP_STATE) ||
        !charm_flag_is_set(run, KCB_RUNNING)) {
        return CHARM_LATER;
    }
    struct converging c = {
        .run = run,
        .wanted = charm_given(run, KCBI_GIVE_CONNECTOR),
        .owned = charm_app_get(run, KCBI_APP_CONNECTORS),
    };
    if (charm_value_size(c.wanted) == 0 && charm_value_size(c.owned) == 0) {
        return CHARM_DONE;
    }
    c.rest = kcbi_rest_of(run, KCBI_AS_LEADER);
    return converge(&c);
}
