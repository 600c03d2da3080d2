#include "fake_juju.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "charm/state.h"

#define UNIT "connect/0"
#define DIR "/charm"

struct call {
    const char *line;
    const char *document;
};

struct fake_juju {
    struct charm_arena *arena;
    struct charm_ports ports;
    struct charm_value *config;
    struct charm_value *params;
    struct charm_value *secrets; /* URI -> content */
    struct charm_value *state;
    struct charm_value *relations; /* id -> {units: {name: bag}, own: bag, app: bag} */
    struct charm_value *pending_state;
    struct charm_value *pending_own; /* id -> changes */
    struct charm_value *pending_app;
    struct charm_value *refusals;
    struct charm_value *files;
    struct charm_value *metadata;
    const struct charm_files *charm_files;
    struct charm_context context;
    bool leader;
    bool files_refused;
    bool reads_refused;
    int64_t now_ms;
    int64_t slept_ms;
    uint64_t random;
    struct call calls[500];
    size_t call_count;
    struct charm_error error;
    const char *story;
    const char *log;
};

static struct charm_value *part(struct fake_juju *juju, const char *id, const char *what)
{
    return charmi_submap(charmi_submap(juju->relations, id), what);
}

/* ---- hook tools ---- */

static const char *joined(struct charm_arena *arena, const char *const *argv)
{
    const char *line = argv[0];
    for (size_t i = 1; argv[i] != NULL; i++) {
        if (strcmp(argv[i], "--format=json") != 0) {
            line = charm_arena_printf(arena, "%s %s", line, argv[i]);
        }
    }
    return line;
}

static const char *option_of(const char *const *argv, const char *name)
{
    for (size_t i = 1; argv[i] != NULL; i++) {
        if (strcmp(argv[i], name) == 0) {
            return argv[i + 1];
        }
    }
    return NULL;
}

static bool has(const char *const *argv, const char *word)
{
    return charmi_in(argv, word);
}

static const char *last(const char *const *argv)
{
    return argv[charmi_list_size(argv) - 1];
}

static struct charm_value *relation_ids(struct fake_juju *juju, const char *endpoint)
{
    struct charm_value *list = charm_value_new_list(juju->arena);
    CHARM_EACH(juju->relations, it)
    {
        if (strncmp(it.key, endpoint, strlen(endpoint)) == 0 && it.key[strlen(endpoint)] == ':') {
            charm_value_append_text(list, it.key);
        }
    }
    return list;
}

static struct charm_value *relation_list(struct fake_juju *juju, const char *id)
{
    struct charm_value *list = charm_value_new_list(juju->arena);
    CHARM_EACH(part(juju, id, "units"), it)
    {
        charm_value_append_text(list, it.key);
    }
    return list;
}

static const struct charm_value *relation_get(struct fake_juju *juju, const char *const *argv)
{
    const char *id = option_of(argv, "-r");
    if (has(argv, "--app")) {
        return part(juju, id, strcmp(last(argv), "connect") == 0 ? "app" : "remote-app");
    }
    if (strcmp(last(argv), UNIT) == 0) {
        return part(juju, id, "own");
    }
    return charm_value_get(part(juju, id, "units"), last(argv));
}

static const struct charm_value *read_answer(struct fake_juju *juju, const char *const *argv)
{
    if (strcmp(argv[0], "state-get") == 0) {
        return charm_value_size(juju->state) == 0 ? charm_value_new_null(juju->arena) : juju->state;
    }
    if (strcmp(argv[0], "config-get") == 0) {
        return juju->config;
    }
    if (strcmp(argv[0], "action-get") == 0) {
        return juju->params;
    }
    if (strcmp(argv[0], "secret-get") == 0) {
        return charm_value_get(juju->secrets, argv[2]);
    }
    if (strcmp(argv[0], "is-leader") == 0) {
        return charm_value_new_bool(juju->arena, juju->leader);
    }
    if (strcmp(argv[0], "relation-ids") == 0) {
        return relation_ids(juju, last(argv));
    }
    if (strcmp(argv[0], "relation-list") == 0) {
        return relation_list(juju, option_of(argv, "-r"));
    }
    if (strcmp(argv[0], "relation-get") == 0) {
        return relation_get(juju, argv);
    }
    if (strcmp(argv[0], "network-get") == 0) {
        return charm_value_new_text(juju->arena, "10.0.0.7");
    }
    return NULL;
}

static void write_pending(struct fake_juju *juju, const char *const *argv,
                          const struct charm_value *document)
{
    if (strcmp(argv[0], "state-set") == 0) {
        charm_value_update(juju->pending_state, document);
    } else if (strcmp(argv[0], "relation-set") == 0) {
        struct charm_value *to = has(argv, "--app") ? juju->pending_app : juju->pending_own;
        charm_value_update(charmi_submap(to, option_of(argv, "-r")), document);
    }
}

static const char *refusal(const struct fake_juju *juju, const char *line)
{
    CHARM_EACH(juju->refusals, it)
    {
        if (strncmp(line, it.key, strlen(it.key)) == 0) {
            return charm_text(it.value);
        }
    }
    return NULL;
}

static int tool(void *userdata, struct charm_arena *arena, const struct charm_tool_call *wanted,
                struct charm_tool_answer *ret_answer, struct charm_error *reterr)
{
    struct fake_juju *juju = userdata;
    assert_true(wanted->timeout_ms > 0);
    assert_true(wanted->max_output_bytes > 0);
    assert_true(juju->call_count < 500);
    const char *line = joined(juju->arena, wanted->argv);
    juju->calls[juju->call_count++] =
        (struct call){ line, charm_arena_copy(juju->arena, wanted->stdin_text) };
    juju->now_ms += 1;
    const char *refused = refusal(juju, line);
    if (refused != NULL) {
        *ret_answer = (struct charm_tool_answer){ .exit_code = 1, .out = "", .err = refused };
        return strcmp(refused, "timeout") == 0
                   ? charm_error_set(reterr, CHARM_ETIMEOUT, "it did not end")
                   : 0;
    }
    const struct charm_value *answer = read_answer(juju, wanted->argv);
    const char *out = answer == NULL ? "" : charm_value_render(arena, answer, CHARM_JSON_COMPACT);
    if (wanted->stdin_text != NULL) {
        struct charm_value *document = NULL;
        assert_int_equal(
            charm_value_parse(juju->arena, wanted->stdin_text, wanted->stdin_size, &document, NULL),
            0);
        write_pending(juju, wanted->argv, document);
    }
    *ret_answer = (struct charm_tool_answer){ .out = out, .out_size = strlen(out), .err = "" };
    return 0;
}

/* ---- the other ports ---- */

static int file_read(void *userdata, struct charm_arena *arena, const char *path, size_t max_bytes,
                     const char **ret_bytes, size_t *ret_size, struct charm_error *reterr)
{
    const struct fake_juju *juju = userdata;
    if (juju->reads_refused) {
        return charm_error_set(reterr, CHARM_EREFUSED, "read %s: Permission denied", path);
    }
    const struct charm_value *text = charm_value_get(juju->files, path);
    if (text == NULL) {
        return charm_error_set(reterr, CHARM_ENOTFOUND, "read %s: no such file", path);
    }
    if (strlen(charm_text(text)) > max_bytes) {
        return charm_error_set(reterr, CHARM_ETOOBIG, "read %s: too big", path);
    }
    *ret_bytes = charm_arena_copy(arena, charm_text(text));
    *ret_size = strlen(*ret_bytes);
    return 0;
}

static int file_write(void *userdata, const char *path, const char *bytes, size_t size,
                      struct charm_error *reterr)
{
    struct fake_juju *juju = userdata;
    if (juju->files_refused) {
        return charm_error_set(reterr, CHARM_EFAILED, "write %s: no space left", path);
    }
    charm_value_set_text(juju->files, path, charm_arena_copy_n(juju->arena, bytes, size));
    return 0;
}

static int yaml_parse(void *userdata, struct charm_arena *arena, const char *text, size_t size,
                      struct charm_value **ret_value, struct charm_error *reterr)
{
    (void)userdata;
    return charm_value_parse(arena, text, size, ret_value, reterr);
}

static int64_t now_ms(void *userdata)
{
    const struct fake_juju *juju = userdata;
    return 1767268800000 + juju->now_ms;
}

static int64_t monotonic_ms(void *userdata)
{
    const struct fake_juju *juju = userdata;
    return juju->now_ms;
}

static void sleep_ms(void *userdata, int64_t ms)
{
    struct fake_juju *juju = userdata;
    juju->now_ms += ms;
    juju->slept_ms += ms;
}

static void log_line(void *userdata, enum charm_log_level level, const char *text)
{
    struct fake_juju *juju = userdata;
    (void)level;
    juju->log = charm_arena_printf(juju->arena, "%s%s\n", juju->log, text);
}

static uint64_t random_number(void *userdata)
{
    struct fake_juju *juju = userdata;
    juju->random = juju->random * 6364136223846793005U + 1442695040888963407U;
    return juju->random;
}

/* ---- making it ---- */

static struct charm_value *json(struct charm_arena *arena, const char *text)
{
    struct charm_value *value = NULL;
    assert_int_equal(charm_value_parse(arena, text, strlen(text), &value, NULL), 0);
    return value;
}

static const char metadata_text[] = "{\"name\":\"hello\",\"summary\":\"a test\","
                                    "\"requires\":{\"kafka\":{\"interface\":\"kafka\"},"
                                    "\"kafka-client\":{\"interface\":\"kafka_client\"},"
                                    "\"kubernetes\":{\"interface\":\"kubernetes-deployer\"}},"
                                    "\"provides\":{\"website\":{\"interface\":\"http\"}},"
                                    "\"peers\":{\"peer\":{\"interface\":\"hello-peer\"}}}";

static const char config_text[] = "{\"options\":{"
                                  "\"hostname\":{\"type\":\"string\",\"default\":\"\"},"
                                  "\"workers\":{\"type\":\"int\",\"default\":1},"
                                  "\"api-token\":{\"type\":\"string\"},"
                                  "\"trace\":{\"type\":\"boolean\",\"default\":false}}}";

static void load_files(struct fake_juju *juju)
{
    assert_int_equal(charmi_charmfiles_from(juju->arena, juju->metadata,
                                            json(juju->arena, config_text), &juju->charm_files,
                                            NULL),
                     0);
}

struct fake_juju *fake_juju_new(void)
{
    struct charm_arena *arena = charm_arena_new();
    struct fake_juju *juju = charm_arena_alloc(arena, sizeof(*juju));
    juju->arena = arena;
    juju->config = json(arena, "{\"hostname\":\"\",\"workers\":1,\"trace\":false}");
    juju->params = charm_value_new_map(arena);
    juju->secrets = charm_value_new_map(arena);
    juju->state = charm_value_new_map(arena);
    juju->relations = charm_value_new_map(arena);
    juju->refusals = charm_value_new_map(arena);
    juju->files = charm_value_new_map(arena);
    juju->metadata = json(arena, metadata_text);
    juju->log = "";
    juju->story = "";
    juju->ports = (struct charm_ports){
        .userdata = juju,
        .tool = tool,
        .file_read = file_read,
        .file_write = file_write,
        .yaml_parse = yaml_parse,
        .now_ms = now_ms,
        .monotonic_ms = monotonic_ms,
        .sleep_ms = sleep_ms,
        .log = log_line,
        .random = random_number,
    };
    juju->context = (struct charm_context){
        .hook = "",
        .action = "",
        .unit = UNIT,
        .application = "connect",
        .model = "prod",
        .model_uuid = "e0453597-8109-4f7d-a58f-af08bc72a414",
        .charm_dir = DIR,
        .juju_version = "3.6.4",
        .relation = "",
        .relation_id = "",
        .remote_app = "",
        .remote_unit = "",
        .departing_unit = "",
        .program = "hello",
    };
    load_files(juju);
    fake_juju_commit(juju, FAKE_COMMIT_NOTHING);
    return juju;
}

void fake_juju_free(struct fake_juju *juju)
{
    charm_arena_free(juju->arena);
}

/* ---- the world ---- */

void fake_juju_option(struct fake_juju *juju, const char *option, const struct charm_value *value)
{
    charm_value_set(juju->config, option, value);
}

void fake_juju_option_text(struct fake_juju *juju, const char *option, const char *text)
{
    charm_value_set_text(juju->config, option, text);
}

void fake_juju_leader(struct fake_juju *juju, bool leader)
{
    juju->leader = leader;
}

void fake_juju_relate(struct fake_juju *juju, const char *relation_id)
{
    part(juju, relation_id, "units");
    part(juju, relation_id, "own");
    part(juju, relation_id, "app");
}

void fake_juju_unrelate(struct fake_juju *juju, const char *relation_id)
{
    charm_value_remove(juju->relations, relation_id);
}

void fake_juju_unit(struct fake_juju *juju, const char *relation_id, const char *unit,
                    const char *key, const char *text)
{
    charm_value_set_text(charmi_submap(part(juju, relation_id, "units"), unit), key, text);
}

void fake_juju_depart(struct fake_juju *juju, const char *relation_id, const char *unit)
{
    charm_value_remove(part(juju, relation_id, "units"), unit);
}

struct charm_value *fake_juju_own(struct fake_juju *juju, const char *relation_id)
{
    return part(juju, relation_id, "own");
}

struct charm_value *fake_juju_app(struct fake_juju *juju, const char *relation_id)
{
    return part(juju, relation_id, "app");
}

struct charm_value *fake_juju_state(struct fake_juju *juju)
{
    return juju->state;
}

void fake_juju_secret(struct fake_juju *juju, const char *uri, const char *key, const char *text)
{
    charm_value_set_text(charmi_submap(juju->secrets, uri), key, text);
}

void fake_juju_param(struct fake_juju *juju, const char *name, const struct charm_value *value)
{
    charm_value_set(juju->params, name, value);
}

void fake_juju_refuse(struct fake_juju *juju, const char *line_start, const char *text)
{
    if (text == NULL) {
        charm_value_remove(juju->refusals, line_start);
    } else {
        charm_value_set_text(juju->refusals, line_start, text);
    }
}

void fake_juju_refuse_files(struct fake_juju *juju, bool refuse)
{
    juju->files_refused = refuse;
}

void fake_juju_refuse_reads(struct fake_juju *juju, bool refuse)
{
    juju->reads_refused = refuse;
}

void fake_juju_lose_files(struct fake_juju *juju)
{
    charm_value_clear(juju->files);
}

static const char *path_of(struct fake_juju *juju, const char *name)
{
    return charm_arena_printf(juju->arena, "%s/%s", DIR, name);
}

const char *fake_juju_file(struct fake_juju *juju, const char *name)
{
    return charm_text(charm_value_get(juju->files, path_of(juju, name)));
}

void fake_juju_put_file(struct fake_juju *juju, const char *name, const char *text)
{
    charm_value_set_text(juju->files, path_of(juju, name), text);
}

struct charm_context *fake_juju_context(struct fake_juju *juju)
{
    return &juju->context;
}

void fake_juju_without_peers(struct fake_juju *juju)
{
    charm_value_remove(juju->metadata, "peers");
    load_files(juju);
}

struct charm_arena *fake_juju_arena(struct fake_juju *juju)
{
    return juju->arena;
}

void fake_juju_pass_ms(struct fake_juju *juju, int64_t ms)
{
    juju->now_ms += ms;
}

/* ---- runs ---- */

static int run_it(struct fake_juju *juju, const struct charm_layer *const *layers)
{
    juju->call_count = 0;
    juju->slept_ms = 0;
    juju->error = (struct charm_error){ 0 };
    struct charm_run *run = charmi_run_new(&(struct charmi_run_input){
        .ports = &juju->ports,
        .layers = layers,
        .context = &juju->context,
        .files = juju->charm_files,
    });
    int r = charm_run(run, &juju->error);
    juju->story = charm_arena_copy(juju->arena, charmi_run_story(run));
    charmi_run_free(run);
    return r;
}

int fake_juju_run(struct fake_juju *juju, const struct charm_layer *const *layers, const char *hook)
{
    bool restricted =
        strcmp(hook, "collect-metrics") == 0 || strcmp(hook, "meter-status-changed") == 0;
    juju->context.kind = restricted ? CHARM_KIND_RESTRICTED : CHARM_KIND_HOOK;
    juju->context.hook = hook;
    juju->context.action = "";
    return run_it(juju, layers);
}

int fake_juju_action(struct fake_juju *juju, const struct charm_layer *const *layers,
                     const char *action)
{
    juju->context.kind = CHARM_KIND_ACTION;
    juju->context.hook = "";
    juju->context.action = action;
    return run_it(juju, layers);
}

/* An empty value removes the key. */
static void apply(struct charm_value *to, const struct charm_value *changes)
{
    CHARM_EACH(changes, it)
    {
        if (charm_text(it.value)[0] == '\0') {
            charm_value_remove(to, it.key);
        } else {
            charm_value_set(to, it.key, it.value);
        }
    }
}

void fake_juju_commit(struct fake_juju *juju, enum fake_commit what)
{
    if (what != FAKE_COMMIT_NOTHING) {
        apply(juju->state, juju->pending_state);
    }
    if (what == FAKE_COMMIT_ALL) {
        CHARM_EACH(juju->pending_own, own)
        {
            apply(part(juju, own.key, "own"), own.value);
        }
        CHARM_EACH(juju->pending_app, app)
        {
            apply(part(juju, app.key, "app"), app.value);
        }
    }
    juju->pending_state = charm_value_new_map(juju->arena);
    juju->pending_own = charm_value_new_map(juju->arena);
    juju->pending_app = charm_value_new_map(juju->arena);
}

void fake_juju_live(struct fake_juju *juju, const struct charm_layer *const *layers,
                    const char *hook)
{
    if (fake_juju_run(juju, layers, hook) != 0) {
        fail_msg("%s failed: %s", hook, juju->error.text);
    }
    fake_juju_commit(juju, FAKE_COMMIT_ALL);
}

/* ---- what was seen ---- */

const char *fake_juju_error(struct fake_juju *juju)
{
    return juju->error.text;
}

const char *fake_juju_calls(struct fake_juju *juju)
{
    const char *text = "";
    for (size_t i = 0; i < juju->call_count; i++) {
        text = charm_arena_printf(juju->arena, "%s%s\n", text, juju->calls[i].line);
    }
    return text;
}

size_t fake_juju_call_count(struct fake_juju *juju)
{
    return juju->call_count;
}

bool fake_juju_called(struct fake_juju *juju, const char *line_start)
{
    for (size_t i = 0; i < juju->call_count; i++) {
        if (strncmp(juju->calls[i].line, line_start, strlen(line_start)) == 0) {
            return true;
        }
    }
    return false;
}

const char *fake_juju_document(struct fake_juju *juju, const char *line_start)
{
    const char *document = "";
    for (size_t i = 0; i < juju->call_count; i++) {
        if (strncmp(juju->calls[i].line, line_start, strlen(line_start)) == 0 &&
            juju->calls[i].document != NULL) {
            document = juju->calls[i].document;
        }
    }
    return document;
}

const char *fake_juju_story(struct fake_juju *juju)
{
    return juju->story;
}

const char *fake_juju_log(struct fake_juju *juju)
{
    return juju->log;
}

int64_t fake_juju_slept_ms(struct fake_juju *juju)
{
    return juju->slept_ms;
}

const struct charm_ports *fake_juju_ports(struct fake_juju *juju)
{
    return &juju->ports;
}

const struct charm_files *fake_juju_files(struct fake_juju *juju)
{
    return juju->charm_files;
}
