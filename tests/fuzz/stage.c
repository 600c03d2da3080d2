#include "stage.h"

#include "base/buf.h"
#include "base/text.h"
#include "charm/runner.h"
#include "charm/state.h"
#include "edge/juju/ports.h"
#include "kcb/layer.h"
#include "kcb/ports.h"
#include "kcb/table.h"
#include "lab/connect.h"

#ifdef __SANITIZE_ADDRESS__
/* Of sanitizer/allocator_interface.h, which gcc does not ship. */
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

#define UNIT "connect/0"
#define DIR "/charm"

enum { MOST_RUNS = 12, MOST_CALLS = 200, MOST_MORE_CALLS = 50 * 1000 };

/* What Juju, the deployer, the workers and the disk hold between runs. Copied for each play. */
struct world {
    struct charm_arena *arena;
    struct charm_value *state;
    struct charm_value *own;   /* relation id to the unit's bag */
    struct charm_value *app;   /* relation id to the application's bag */
    struct charm_value *files; /* name to text */
    struct charm_value *live;  /* connectors: name to configuration */
    struct lab_connect *connect;
    const char *status; /* "level text", as Juju was last told */
    int64_t now_ms;
};

/* One run. */
struct performance {
    struct world *world;
    const char *hook;
    const struct stage_script *script; /* NULL: all answers are right */
    size_t requests;
    size_t calls;
    size_t bytes_before;
    size_t peak_bytes;
    struct charmi_buf told;  /* all that left the charm, but for what it sent to the workers */
    struct charmi_buf lines; /* hook tool calls, one a line */
    bool wrote;
    struct charm_value *state; /* pending */
    struct charm_value *own;
    struct charm_value *app;
    const char *status;
};

static struct world life;        /* where every play begins */
static const char *steady_calls; /* see stage_calls() */
static const struct charm_files *charm_files;

/* ---- the answers ---- */

static struct charm_value *read_json(struct charm_arena *arena, const char *text)
{
    struct charm_value *value = NULL;
    struct charm_error error;
    MUST(charm_value_parse(arena, text, strlen(text), &value, &error) == 0, "%s: %s", error.text,
         text);
    return value;
}

static const char *as_json(struct charm_arena *arena, const struct charm_value *value)
{
    return charm_value_render(arena, value, CHARM_JSON_COMPACT);
}

static const char worker_config[] =
    "key.converter=org.apache.kafka.connect.storage.StringConverter\\n"
    "value.converter=org.apache.kafka.connect.storage.StringConverter";

/* Options: the defaults of config.yaml and what an operator has set. */
static const char *config_answer(struct charm_arena *arena)
{
    struct charm_value *config = charm_value_new_map(arena);
    for (size_t i = 0; i < charm_files->option_count; i++) {
        const struct charm_option *option = &charm_files->options[i];
        if (option->by_default != NULL) {
            charm_value_set(config, option->name, option->by_default);
        }
    }
    const char *set =
        charm_arena_printf(arena,
                           "{\"topics\":\"lines\",\"worker-config\":\"%s\",\"connectors\":"
                           "\"{\\\"orders\\\":{\\\"connector.class\\\":\\\"FileStreamSink\\\","
                           "\\\"connection.password\\\":\\\"%s\\\"}}\"}",
                           worker_config, STAGE_SECRET);
    charm_value_update(config, read_json(arena, set));
    return as_json(arena, config);
}

static struct charm_value *member(struct charm_value *map, const char *key)
{
    return charmi_submap(map, key);
}

static void run_object(struct charm_value *object)
{
    const char *kind = charm_text(charm_value_get(object, "kind"));
    if (charmi_same(kind, "Service")) {
        const struct charm_value *ports = charm_value_path(object, "spec", "ports", NULL);
        struct charm_value *port = (struct charm_value *)(uintptr_t)charm_value_at(ports, 0);
        charm_value_set_int(port, "nodePort", 30083);
    } else if (charmi_same(kind, "Deployment")) {
        const int64_t wanted =
            charm_value_int(charm_value_path(object, "spec", "replicas", NULL), 1);
        static const char *const counts[] = { "replicas", "updatedReplicas", "readyReplicas",
                                              "availableReplicas" };
        charm_value_set_int(member(object, "metadata"), "generation", 1);
        charm_value_set_int(member(object, "status"), "observedGeneration", 1);
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
            charm_value_set_int(member(object, "status"), counts[i], wanted);
        }
    }
}

/* The deployer's bag: what was asked for, as it runs, and a Secret that it echoes. */
static const char *deployer_answer(struct charm_arena *arena, const struct world *world)
{
    const char *asked = charm_text(charm_value_path(world->own, "kubernetes:2", "resource", NULL));
    if (asked[0] == '\0') {
        return "{\"private-address\":\"10.0.0.2\"}";
    }
    struct charm_value *objects = charm_value_copy(arena, charm_value_decode(arena, asked));
    for (size_t i = 0; i < charm_value_size(objects); i++) {
        run_object((struct charm_value *)(uintptr_t)charm_value_at(objects, i));
    }
    if (charm_value_size(objects) > 0) {
        charm_value_append(
            objects,
            read_json(arena, "{\"kind\":\"Secret\",\"data\":{\"a\":\"" STAGE_SECRET "\"}}"));
    }
    struct charm_value *bag = charm_value_new_map(arena);
    charm_value_set_text(bag, "status", as_json(arena, objects));
    charm_value_set_text(bag, "workers", "[\"10.0.0.31\"]");
    return as_json(arena, bag);
}

static const char *right_answer(struct charm_arena *arena, const struct world *world,
                                const char *line)
{
    static const struct {
        const char *line;
        const char *answer;
    } fixed[] = {
        { "is-leader", "true" },
        { "action-get", "{\"name\":\"orders\"}" },
        { "relation-ids cluster", "[\"cluster:0\"]" },
        { "relation-ids kafka", "[\"kafka:1\"]" },
        { "relation-ids kafka-client", "[]" },
        { "relation-ids kubernetes", "[\"kubernetes:2\"]" },
        { "relation-ids website", "[\"website:3\"]" },
        { "relation-list -r cluster:0", "[]" },
        { "relation-list -r kafka:1", "[\"kafka/0\",\"kafka/1\"]" },
        { "relation-list -r kubernetes:2", "[\"deployer/0\"]" },
        { "relation-list -r website:3", "[\"site/0\"]" },
        { "relation-get -r kafka:1 - kafka/0",
          "{\"host\":\"10.0.0.21\",\"port\":\"9092\",\"password\":\"" STAGE_SECRET "\"}" },
        { "relation-get -r kafka:1 - kafka/1",
          "{\"private-address\":\"10.0.0.22\",\"port\":\"9092\"}" },
        { "relation-get -r website:3 - site/0", "{\"private-address\":\"10.0.0.41\"}" },
        { "network-get website -r website:3 --ingress-address", "\"10.0.0.7\"" },
    };
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        if (charmi_same(fixed[i].line, line)) {
            return fixed[i].answer;
        }
    }
    if (charmi_same(line, "state-get")) {
        return as_json(arena, world->state);
    }
    if (charmi_same(line, "config-get --all")) {
        return config_answer(arena);
    }
    if (charmi_same(line, "relation-get -r kubernetes:2 - deployer/0")) {
        return deployer_answer(arena, world);
    }
    CHARM_EACH(world->app, app)
    {
        if (charmi_same(line,
                        charm_arena_printf(arena, "relation-get -r %s --app - connect", app.key))) {
            return as_json(arena, app.value);
        }
    }
    CHARM_EACH(world->own, own)
    {
        if (charmi_same(line,
                        charm_arena_printf(arena, "relation-get -r %s - %s", own.key, UNIT))) {
            return as_json(arena, own.value);
        }
    }
    return charmi_starts_with(line, "relation-get -r ") ? "{}" : "";
}

/* ---- hook tools ---- */

static const char *line_of(struct charm_arena *arena, const char *const *argv)
{
    struct charmi_words words = { 0 };
    for (size_t i = 0; argv[i] != NULL; i++) {
        if (!charmi_same(argv[i], "--format=json")) {
            charmi_words_add(arena, &words, argv[i]);
        }
    }
    return charmi_words_join(arena, &words, " ");
}

static void take_document(struct performance *now, const char *const *argv,
                          const struct charm_tool_call *call)
{
    struct charm_value *document = read_json(now->world->arena, call->stdin_text);
    MUST(charm_value_kind(document) == CHARM_MAP, "%s: no map: %s", argv[0], call->stdin_text);
    CHARM_EACH(document, it)
    {
        MUST(charm_value_kind(it.value) == CHARM_STRING, "%s: %s is no text", argv[0], it.key);
    }
    if (charmi_same(argv[0], "state-set")) {
        charm_value_update(now->state, document);
        return;
    }
    MUST(charmi_same(argv[0], "relation-set"), "a document for %s", argv[0]);
    const bool app = charmi_in(argv, "--app");
    MUST(charmi_same(argv[1], "-r"), "relation-set without its relation");
    MUST(!app || charmi_starts_with(argv[2], "cluster:"), "application data of %s", argv[2]);
    charm_value_update(member(app ? now->app : now->own, argv[2]), document);
}

static void take_status(struct performance *now, const char *const *argv)
{
    const size_t size = charmi_list_size(argv);
    MUST(size >= 3, "status-set with %zu words", size);
    fuzz_one_line("the status", argv[size - 1]);
    now->status = charm_arena_printf(now->world->arena, "%s %s", argv[size - 2], argv[size - 1]);
}

static void take_write(struct performance *now, const struct charm_tool_call *call)
{
    static const char *const plain[] = {
        "application-version-set", "action-set", "action-fail", "action-log", "juju-log", NULL
    };
    const char *tool = call->argv[0];
    now->wrote = true;
    if (call->stdin_text != NULL) {
        take_document(now, call->argv, call);
    } else if (charmi_same(tool, "status-set")) {
        take_status(now, call->argv);
    } else {
        MUST(charmi_in(plain, tool), "the stage does not know %s", tool);
    }
}

static bool is_read(const char *line)
{
    return strstr(line, "-get") != NULL || charmi_starts_with(line, "relation-ids") ||
           charmi_starts_with(line, "relation-list") || charmi_starts_with(line, "is-leader");
}

static const struct stage_answer *scripted(const struct performance *now, const char *name)
{
    for (size_t i = 0; now->script != NULL && i < now->script->count; i++) {
        if (charmi_same(now->script->answers[i].name, name)) {
            return &now->script->answers[i];
        }
    }
    return NULL;
}

static size_t bytes_in_use(void)
{
#ifdef __SANITIZE_ADDRESS__
    return __sanitizer_get_current_allocated_bytes();
#else
    return 0;
#endif
}

static void note_memory(struct performance *now)
{
    const size_t bytes = bytes_in_use() - now->bytes_before;
    now->peak_bytes = bytes > now->peak_bytes ? bytes : now->peak_bytes;
}

static bool answer_more(const struct performance *now, struct charm_arena *arena, const char *line,
                        struct charm_tool_answer *ret_answer)
{
    const char *text =
        now->script == NULL || now->script->more == NULL ? NULL : now->script->more(arena, line);
    if (text == NULL) {
        return false;
    }
    ret_answer->out = text;
    ret_answer->out_size = strlen(text);
    return true;
}

static int tool(void *userdata, struct charm_arena *arena, const struct charm_tool_call *call,
                struct charm_tool_answer *ret_answer, struct charm_error *reterr)
{
    struct performance *now = userdata;
    const char *line = line_of(now->world->arena, call->argv);
    const bool many = now->script != NULL && now->script->more != NULL;
    MUST(++now->calls < (many ? MOST_MORE_CALLS : MOST_CALLS), "call %zu: %s", now->calls, line);
    note_memory(now);
    charmi_buf_addf(&now->told, "%s\n%s\n", line, call->stdin_text == NULL ? "" : call->stdin_text);
    charmi_buf_addf(&now->lines, "%s\n", line);
    *ret_answer = (struct charm_tool_answer){ .out = "", .err = "" };
    const struct stage_answer *answer = scripted(now, line);
    if (answer != NULL && answer->size > call->max_output_bytes) {
        return charm_error_set(reterr, CHARM_ETOOBIG, "it printed too much");
    }
    if (answer != NULL) {
        ret_answer->exit_code = answer->code;
        ret_answer->out = charm_arena_copy_n(arena, answer->bytes, answer->size);
        ret_answer->out_size = answer->size;
        /* as edge/juju/process.c hands it over: one line, to the first NUL */
        char *err =
            charm_arena_copy_n(arena, answer->bytes, answer->size > 4000 ? 4000 : answer->size);
        for (char *c = err; *c != '\0'; c++) {
            *c = (unsigned char)*c < 0x20 || *c == 0x7f ? ' ' : *c;
        }
        charmi_utf8_mend(err);
        ret_answer->err = err;
        return 0;
    }
    if (answer_more(now, arena, line, ret_answer)) {
        return 0;
    }
    if (is_read(line)) {
        ret_answer->out = right_answer(arena, now->world, line);
        ret_answer->out_size = strlen(ret_answer->out);
    } else {
        take_write(now, call);
    }
    return 0;
}

/* ---- the other ports ---- */

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static int file_read(void *userdata, struct charm_arena *arena, const char *path, size_t max_bytes,
                     const char **ret_bytes, size_t *ret_size, struct charm_error *reterr)
{
    struct performance *now = userdata;
    const struct stage_answer *answer = scripted(now, file_name(path));
    const struct charm_value *kept = charm_value_get(now->world->files, file_name(path));
    if (answer == NULL && kept == NULL) {
        return charm_error_set(reterr, CHARM_ENOTFOUND, "read %s: there is none", path);
    }
    const size_t size = answer != NULL ? answer->size : strlen(charm_text(kept));
    if (size > max_bytes) {
        return charm_error_set(reterr, CHARM_ETOOBIG, "read %s: too big", path);
    }
    *ret_bytes = charm_arena_copy_n(arena, answer != NULL ? answer->bytes : charm_text(kept), size);
    *ret_size = size;
    return 0;
}

static int file_write(void *userdata, const char *path, const char *bytes, size_t size,
                      struct charm_error *reterr)
{
    (void)reterr;
    struct performance *now = userdata;
    const char *text = charm_arena_copy_n(now->world->arena, bytes, size);
    charm_value_set_text(now->world->files, file_name(path), text);
    charmi_buf_addf(&now->told, "%s\n", text);
    return 0;
}

static int64_t now_ms(void *userdata)
{
    struct performance *now = userdata;
    return 1767268800000 + now->world->now_ms;
}

static int64_t monotonic_ms(void *userdata)
{
    struct performance *now = userdata;
    return now->world->now_ms;
}

static void sleep_ms(void *userdata, int64_t ms)
{
    struct performance *now = userdata;
    now->world->now_ms += ms;
}

static void log_line(void *userdata, enum charm_log_level level, const char *text)
{
    (void)level;
    struct performance *now = userdata;
    charmi_buf_addf(&now->told, "%s\n", text);
}

static uint64_t random_number(void *userdata)
{
    (void)userdata;
    return 4; /* chosen by fair dice roll */
}

/* ---- workers and Kafka ---- */

static int http(void *userdata, struct charm_arena *arena, const struct kcb_http_request *request,
                struct kcb_http_answer *ret_answer, struct charm_error *reterr)
{
    struct performance *now = userdata;
    const size_t number = now->requests++;
    MUST(now->requests < MOST_CALLS, "request %zu: %s", number, request->url);
    charmi_buf_addf(&now->told, "%s %s\n", request->method, request->url);
    struct kcb_http_answer answer = { .content_type = "application/json", .body = "" };
    if (now->script != NULL && number < now->script->reply_count) {
        const struct stage_reply *reply = &now->script->replies[number];
        answer.status = reply->status;
        answer.body = charm_arena_copy_n(arena, reply->body, reply->size);
        answer.body_size = reply->size;
    } else {
        const char *path = strchr(request->url + strlen("http://"), '/');
        const struct lab_reply reply =
            lab_connect_answer(now->world->connect,
                               &(struct lab_request){ request->method, path,
                                                      request->body == NULL ? "" : request->body });
        answer.status = reply.status;
        answer.body = charm_arena_copy(arena, reply.body);
        answer.body_size = strlen(reply.body);
    }
    if (answer.status == 0) {
        return charm_error_set(reterr, CHARM_ENET, "nobody answers");
    }
    *ret_answer = answer;
    return 0;
}

static int kafka_look(void *userdata, struct charm_arena *arena, const struct charm_value *settings,
                      const char *const *topics, int64_t timeout_ms,
                      struct kcb_cluster_view *ret_view, struct charm_error *reterr)
{
    (void)userdata;
    (void)settings;
    (void)timeout_ms;
    (void)reterr;
    static const char *const brokers[] = { "1=10.0.0.21:9092", "2=10.0.0.22:9092", NULL };
    static const int partitions[] = { 1, 50, 10 };
    const size_t count = charmi_list_size(topics);
    struct kcb_topic_view *views = charm_arena_array(arena, count + 1, sizeof(*views));
    for (size_t i = 0; i < count; i++) {
        views[i] = (struct kcb_topic_view){ .name = topics[i],
                                            .presence = KCB_TOPIC_PRESENT,
                                            .partitions = partitions[i % 3],
                                            .replication = 2,
                                            .cleanup_policy = "compact",
                                            .policy_error = "",
                                            .error_text = "" };
    }
    *ret_view = (struct kcb_cluster_view){ .brokers = brokers,
                                           .broker_count = 2,
                                           .fetch_min_version = 4,
                                           .topics = views,
                                           .topic_count = count };
    return 0;
}

static int kafka_create(void *userdata, struct charm_arena *arena,
                        const struct charm_value *settings, const struct kcb_topic_spec *specs,
                        size_t count, int64_t timeout_ms, struct kcb_topic_result *ret_results,
                        struct charm_error *reterr)
{
    (void)userdata;
    (void)arena;
    (void)settings;
    (void)specs;
    (void)timeout_ms;
    (void)reterr;
    for (size_t i = 0; i < count; i++) {
        ret_results[i] = (struct kcb_topic_result){ .text = "" };
    }
    return 0;
}

/* ---- one run ---- */

/* Does the input hold the password itself? Then it says nothing to find it again. */
static bool script_knows_secret(const struct stage_script *script)
{
    for (size_t i = 0; script != NULL && i < script->count; i++) {
        if (memmem(script->answers[i].bytes, script->answers[i].size, STAGE_SECRET,
                   strlen(STAGE_SECRET)) != NULL) {
            return true;
        }
    }
    for (size_t i = 0; script != NULL && i < script->reply_count; i++) {
        if (memmem(script->replies[i].body, script->replies[i].size, STAGE_SECRET,
                   strlen(STAGE_SECRET)) != NULL) {
            return true;
        }
    }
    return false;
}

static int run_charm(struct performance *now, struct charm_error *reterr)
{
    const char *action = now->script == NULL ? NULL : now->script->action;
    const struct charm_context context = {
        .kind = action != NULL ? CHARM_KIND_ACTION : CHARM_KIND_HOOK,
        .hook = action != NULL ? "" : now->hook,
        .action = action != NULL ? action : "",
        .unit = UNIT,
        .application = "connect",
        .model = "demo",
        .model_uuid = "1e3c06f7-8ab2-4d9c-8c3d-2f1f4a0c7e55",
        .charm_dir = DIR,
        .juju_version = "3.6.4",
        .relation = "",
        .relation_id = "",
        .remote_app = "",
        .remote_unit = "",
        .departing_unit = "",
        .program = "dispatch",
    };
    struct charm_ports ports = charmi_ports_real(&context.kind);
    ports.userdata = now;
    ports.tool = tool;
    ports.file_read = file_read;
    ports.file_write = file_write;
    ports.now_ms = now_ms;
    ports.monotonic_ms = monotonic_ms;
    ports.sleep_ms = sleep_ms;
    ports.log = log_line;
    ports.random = random_number;
    const struct kcb_ports kcb = {
        .userdata = now, .http = http, .kafka_look = kafka_look, .kafka_create = kafka_create
    };
    const struct charm_layer layer = KCBI_LAYER_WITH(&kcb);
    struct charm_run *run = charmi_run_new(&(struct charmi_run_input){
        .ports = &ports,
        .layers = CHARM_LAYERS(&layer, &kcb_standalone_layer),
        .context = &context,
        .files = charm_files,
    });
    const int result = charm_run(run, reterr);
    charmi_buf_add(&now->told, charmi_run_story(run));
    note_memory(now);
    charmi_run_free(run);
    return result;
}

static void commit_bags(struct charm_value *bags, const struct charm_value *pending)
{
    CHARM_EACH(pending, it)
    {
        charm_value_update(member(bags, it.key), it.value);
    }
}

/* Runs and commits; true if it wrote anything. */
static bool perform(struct world *world, const char *hook, const struct stage_script *script,
                    int *ret_result, const char **ret_lines, struct stage_cost *ret_cost)
{
    struct performance now = {
        .world = world,
        .hook = hook,
        .script = script,
        .told = charmi_buf_init(SIZE_MAX / 4),
        .lines = charmi_buf_init(SIZE_MAX / 4),
        .state = charm_value_new_map(world->arena),
        .own = charm_value_new_map(world->arena),
        .app = charm_value_new_map(world->arena),
    };
    struct charm_error error = { 0 };
    now.bytes_before = bytes_in_use();
    const int result = run_charm(&now, &error);
    if (ret_cost != NULL) {
        *ret_cost = (struct stage_cost){ now.calls, now.peak_bytes };
    }
    if (result == 0) {
        charm_value_update(world->state, now.state);
        commit_bags(world->own, now.own);
        commit_bags(world->app, now.app);
        world->status = now.status == NULL ? world->status : now.status;
    } else {
        fuzz_error("the run", result, &error);
        MUST(charm_value_size(now.state) + charm_value_size(now.own) + charm_value_size(now.app) ==
                     0 &&
                 now.status == NULL,
             "it failed (%s) and has written", error.text);
        charmi_buf_add(&now.told, error.text);
    }
    MUST(script_knows_secret(script) || strstr(charmi_buf_text(&now.told), STAGE_SECRET) == NULL,
         "the password is told: %s", charmi_buf_text(&now.told));
    if (ret_lines != NULL) {
        *ret_lines = charm_arena_copy(world->arena, charmi_buf_text(&now.lines));
    }
    charmi_buf_release(&now.told);
    charmi_buf_release(&now.lines);
    if (ret_result != NULL) {
        *ret_result = result;
    } else {
        MUST(result == 0, "with right answers it fails: %s", error.text);
    }
    world->now_ms += 60000;
    return now.wrote;
}

/* ---- lives and plays ---- */

/* Until a run writes nothing; the last calls are those of that run. */
static void settle(struct world *world, const char **ret_lines)
{
    const char *lines = "";
    for (int i = 0; i < MOST_RUNS; i++) {
        const bool wrote =
            perform(world, i == 0 ? "config-changed" : "update-status", NULL, NULL, &lines, NULL);
        if (!wrote) {
            *ret_lines = lines;
            return;
        }
    }
    MUST(false, "after %d runs it still writes: %s\n%s", MOST_RUNS, world->status, lines);
}

static void load_files(struct charm_arena *arena)
{
    static const enum charm_run_kind kind = CHARM_KIND_HOOK;
    const struct charm_ports ports = charmi_ports_real(&kind);
    struct charm_error error;
    MUST(charmi_charmfiles_load(arena, &ports, STAGE_CHARM_DIR, &charm_files, &error) == 0, "%s",
         error.text);
}

static void live(void)
{
    if (life.arena != NULL) {
        return;
    }
    struct charm_arena *arena = charm_arena_new(); /* reachable until the process ends */
    load_files(arena);
    life = (struct world){ .arena = arena,
                           .state = charm_value_new_map(arena),
                           .own = charm_value_new_map(arena),
                           .app = charm_value_new_map(arena),
                           .files = charm_value_new_map(arena),
                           .connect = lab_connect_new(arena),
                           .status = "" };
    const char *before = "";
    settle(&life, &before);
    MUST(charmi_same(life.status, "active 1 worker running, 1 connector running"),
         "the life ends with: %s", life.status);
    steady_calls = before;
}

static struct world copy_life(struct charm_arena *arena)
{
    struct world copy = life;
    copy.arena = arena;
    copy.state = charm_value_copy(arena, life.state);
    copy.own = charm_value_copy(arena, life.own);
    copy.app = charm_value_copy(arena, life.app);
    copy.files = charm_value_copy(arena, life.files);
    copy.connect = lab_connect_new(arena);
    struct charm_value *what = charm_value_new_map(arena);
    charm_value_set(what, "connectors", lab_connect_connectors(life.connect));
    lab_connect_set(copy.connect, what);
    return copy;
}

/* A fuzzer has many inputs and little time: it follows every eighth to its end. */
static bool is_followed(void)
{
#ifdef STAGE_FOLLOWS_SOME
    static unsigned plays;
    return plays++ % 8 == 0;
#else
    return true;
#endif
}

void stage_play(const struct stage_script *script)
{
    live();
    struct charm_arena *arena = charm_arena_new();
    struct world world = copy_life(arena);
    int result;
    perform(&world, "config-changed", script, &result, NULL, NULL);
    if (script->strange_memory || !is_followed()) {
        perform(&world, "config-changed", NULL, NULL, NULL, NULL);
    } else {
        const char *lines;
        settle(&world, &lines);
        MUST(charmi_same(world.status, life.status), "it does not come back, but stays: %s",
             world.status);
    }
    charm_arena_free(arena);
}

struct stage_cost stage_cost(const struct stage_script *script)
{
    live();
    struct charm_arena *arena = charm_arena_new();
    struct world world = copy_life(arena);
    struct stage_cost cost;
    perform(&world, "update-status", script, NULL, NULL, &cost);
    charm_arena_free(arena);
    return cost;
}

const char *stage_answer_now(struct charm_arena *arena, const char *name)
{
    live();
    return right_answer(arena, &life, name);
}

const char *stage_calls(void)
{
    live();
    return steady_calls;
}
