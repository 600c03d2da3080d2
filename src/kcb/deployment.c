#include "kcb/deployment.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "kcb/client_settings.h"
#include "kcb/kafka_secret.h"
#include "kcb/layer.h"
#include "kcb/manifests.h"
#include "kcb/redact.h"
#include "kcb/topics.h"

/* What was computed in this run. */
struct memo {
    const struct kcbi_options *options;
    const struct kcbi_names *names;
    const char *names_problem;
    const char *const *brokers;
    const struct kcbi_rollout *rollout;
    const char *answer_digest;
    struct kcbi_look look;
    struct kcbi_said said[KCBI_SUBJECTS];
};

static struct memo *memo_of(struct charm_run *run)
{
    void **place = charm_layer_memo(run, KCBI_LAYER);
    if (*place == NULL) {
        *place = charm_arena_alloc(charm_arena(run), sizeof(struct memo));
    }
    return *place;
}

const struct kcb_ports *kcbi_ports(const struct charm_run *run)
{
    return charm_layer_ports(run, KCBI_LAYER);
}

struct kcbi_look *kcbi_look_memo(struct charm_run *run)
{
    return &memo_of(run)->look;
}

const char **kcbi_answer_digest_memo(struct charm_run *run)
{
    return &memo_of(run)->answer_digest;
}

/* ---- what is to be said ---- */

void kcbi_say(struct charm_run *run, enum kcbi_subject subject, enum charm_status_level level,
              const char *format, ...)
{
    struct kcbi_said *said = &memo_of(run)->said[subject];
    if (said->words != NULL && said->level > level) {
        return;
    }
    va_list args;
    va_start(args, format);
    *said = (struct kcbi_said){ .level = level,
                                .words = charm_arena_vprintf(charm_arena(run), format, args) };
    va_end(args);
}

void kcbi_hush(struct charm_run *run, enum kcbi_subject subject)
{
    memo_of(run)->said[subject] = (struct kcbi_said){ 0 };
}

struct kcbi_said kcbi_said(struct charm_run *run, enum kcbi_subject subject)
{
    return memo_of(run)->said[subject];
}

/* ---- options, names, brokers ---- */

const struct kcbi_options *kcbi_options(struct charm_run *run)
{
    struct memo *memo = memo_of(run);
    if (memo->options != NULL) {
        return memo->options;
    }
    struct charm_arena *arena = charm_arena(run);
    const char *const *names = kcbi_options_names(arena);
    struct charm_value *config = charm_value_new_map(arena);
    for (; *names != NULL; names++) {
        const struct charm_value *value = kcbi_option_names_a_secret(*names)
                                              ? charm_config_reference(run, *names)
                                              : charm_config(run, *names);
        charm_value_set(config, *names, value);
    }
    struct kcbi_options *options = charm_arena_alloc(arena, sizeof(*options));
    kcbi_options_read(arena, config, charm_app_get(run, "options"), options);
    memo->options = options;
    return options;
}

const struct kcbi_names *kcbi_names(struct charm_run *run)
{
    struct memo *memo = memo_of(run);
    if (memo->names == NULL && memo->names_problem == NULL) {
        const struct charm_context *context = charm_context(run);
        struct kcbi_names *names = charm_arena_alloc(charm_arena(run), sizeof(*names));
        struct charm_error error = { 0 };
        if (kcbi_names_make(charm_arena(run), context->model, context->model_uuid,
                            context->application, kcbi_options(run)->topic_prefix, names,
                            &error) == 0) {
            memo->names = names;
        } else {
            memo->names_problem = charm_arena_copy(charm_arena(run), error.text);
        }
    }
    return memo->names;
}

const char *kcbi_names_problem(struct charm_run *run)
{
    return kcbi_names(run) == NULL ? memo_of(run)->names_problem : "";
}

/* "host:port" of a Kafka unit, or NULL while it has none: the port is raw decimal text, the host optional (7.1). */
static const char *broker_of(struct charm_run *run, const struct charm_unit *unit)
{
    static const char *const hosts[] = { "host", "private-address", "ingress-address" };
    const struct charm_value *data = charm_unit_data(run, unit);
    int64_t port;
    if (!charmi_parse_int(charm_text(charm_value_get(data, "port")), 1, 65535, &port)) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        const char *host = charm_text(charm_value_get(data, hosts[i]));
        if (host[0] != '\0' && strpbrk(host, ", \t\r\n/") == NULL) {
            const bool ipv6 = strchr(host, ':') != NULL && host[0] != '[';
            return charm_arena_printf(charm_arena(run), ipv6 ? "[%s]:%d" : "%s:%d", host,
                                      (int)port);
        }
    }
    return NULL;
}

const char *const *kcbi_brokers(struct charm_run *run)
{
    struct memo *memo = memo_of(run);
    if (memo->brokers == NULL) {
        struct charm_arena *arena = charm_arena(run);
        struct charmi_words brokers = charmi_split(arena, "", " ");
        for (const struct charm_unit *const *u = charm_units(run, "kafka"); *u != NULL; u++) {
            const char *broker = broker_of(run, *u);
            if (broker != NULL && !charmi_words_have(&brokers, broker)) {
                charmi_words_add(arena, &brokers, broker);
            }
        }
        charmi_words_sort(&brokers);
        memo->brokers = brokers.at;
    }
    return memo->brokers;
}

/* ---- worker properties ---- */

static const char *image_name(struct charm_run *run)
{
    const char *option = kcbi_options(run)->image;
    if (option[0] != '\0') {
        return option;
    }
    const char *upper = charm_text(charm_value_get(charm_given(run, KCBI_GIVE_IMAGE), "image"));
    return upper[0] != '\0' ? upper : KCBI_DEFAULT_IMAGE;
}

static struct kcbi_image image_of(struct charm_run *run)
{
    return kcbi_image_read(charm_arena(run), image_name(run));
}

struct kcbi_version kcbi_worker_version(struct charm_run *run)
{
    const struct kcbi_image image = image_of(run);
    struct kcbi_version version = { 0 };
    struct charm_error error;
    /* The option has been checked already; an image alone cannot be wrong. */
    if (kcbi_version_choose(kcbi_options(run)->worker_version, &image, &version, &error) != 0) {
        charm_fail(run, "%s", error.text);
    }
    return version;
}

/* What the replication of the topics was when they were made; 0: not known (yet). */
static int topic_replication(struct charm_run *run)
{
    const struct charm_value *topics = charm_value_get(charm_state(run, KCBI_LAYER), "topics");
    const struct charm_value *made = charm_app_get(run, KCBI_APP_REPLICATION);
    return (int)charm_value_int(made != NULL ? made : charm_value_get(topics, "replication"), 0);
}

/* A Secret that was made for the workers beats one that travels. */
static enum kcbi_secret_way secret_way(struct charm_run *run)
{
    const struct kcbi_options *options = kcbi_options(run);
    if (options->worker_secret[0] != '\0') {
        return KCBI_SECRETS_IN_KUBERNETES;
    }
    return options->allow_secrets_in_relation ? KCBI_SECRETS_IN_REQUEST : KCBI_SECRETS_NOWHERE;
}

static int inputs_of_lines(struct charm_run *run, const char *lines,
                           struct kcbi_worker_inputs *ret_inputs, struct charm_error *reterr)
{
    if (kcbi_names(run) == NULL) {
        return charm_error_set(reterr, CHARM_EINVAL, "%s", kcbi_names_problem(run));
    }
    struct kcbi_image *image = charm_arena_alloc(charm_arena(run), sizeof(*image));
    *image = image_of(run);
    *ret_inputs = (struct kcbi_worker_inputs){
        .names = kcbi_names(run),
        .brokers = kcbi_brokers(run),
        .version = kcbi_worker_version(run),
        .image = image,
        .upper = charm_given(run, KCBI_GIVE_WORKER),
        .group_id = kcbi_options(run)->group_id,
        .topic_replication = topic_replication(run),
        .lines = lines,
        .secret_way = secret_way(run),
    };
    return 0;
}

static int config_of_lines(struct charm_run *run, const char *lines,
                           struct kcbi_worker_config *ret_config, struct charm_error *reterr)
{
    struct kcbi_worker_inputs inputs;
    struct kcbi_worker_config config;
    int result = inputs_of_lines(run, lines, &inputs, reterr);
    if (result == 0) {
        result = kcbi_worker_config_make(charm_arena(run), &inputs, &config, reterr);
    }
    if (result != 0) {
        return result;
    }
    CHARM_EACH(config.secrets, it)
    {
        charm_secret(run, charm_text(it.value));
    }
    *ret_config = config;
    return 0;
}

int kcbi_worker_config_check(struct charm_run *run, struct charm_error *reterr)
{
    struct kcbi_worker_inputs inputs;
    const int result = inputs_of_lines(run, kcbi_options(run)->worker_config, &inputs, reterr);
    return result != 0 ? result : kcbi_worker_config_given(charm_arena(run), &inputs, reterr);
}

int kcbi_worker_config(struct charm_run *run, struct kcbi_worker_config *ret_config,
                       struct charm_error *reterr)
{
    return config_of_lines(run, kcbi_options(run)->worker_config, ret_config, reterr);
}

/* The last good lines, when the operator's own are bad. */
static int last_good_config(struct charm_run *run, struct kcbi_worker_config *ret_config)
{
    const struct charm_value *good =
        charm_value_get(charm_app_get(run, "options"), "worker-config");
    if (good == NULL) {
        return CHARM_ENOTFOUND;
    }
    return config_of_lines(run, charm_text(good), ret_config, NULL);
}

/* Passwords and keys of librdkafka's settings. */
static void hide_credentials(struct charm_run *run, const struct charm_value *settings)
{
    CHARM_EACH(settings, it)
    {
        if (kcbi_secret_setting(it.key) || charmi_ends_with(it.key, ".key.pem")) {
            charm_secret(run, charm_text(it.value));
        }
    }
}

/* The configuration in force: the operator's, or the last good one while that is wrong. */
static int config_in_force(struct charm_run *run, struct kcbi_worker_config *ret_config,
                           struct charm_error *reterr)
{
    const int result = kcbi_worker_config(run, ret_config, reterr);
    return result != 0 && last_good_config(run, ret_config) == 0 ? 0 : result;
}

static struct charm_value *settings_of(struct charm_run *run, const struct charm_value *properties,
                                       struct charm_error *reterr)
{
    struct charm_value *settings = NULL;
    if (kcbi_client_settings(charm_arena(run), properties, &settings, reterr) != 0) {
        return NULL;
    }
    hide_credentials(run, settings);
    return settings;
}

struct charm_value *kcbi_kafka_settings(struct charm_run *run, struct charm_error *reterr)
{
    struct kcbi_worker_config config;
    if (config_in_force(run, &config, reterr) != 0) {
        return NULL;
    }
    if (kcbi_options(run)->kafka_secret[0] == '\0') {
        return settings_of(run, config.properties, reterr);
    }
    struct charm_value *servers = charm_value_new_map(charm_arena(run));
    charm_value_set(servers, "bootstrap.servers",
                    charm_value_get(config.properties, "bootstrap.servers"));
    return servers;
}

static struct charm_value *settings_with_secret(struct charm_run *run, struct charm_error *reterr)
{
    const struct charm_value *content = NULL;
    struct charm_value *own = NULL;
    struct kcbi_worker_config config;
    if (config_in_force(run, &config, reterr) != 0) {
        return NULL;
    }
    if (charm_secret_content(run, kcbi_options(run)->kafka_secret, &content, reterr) != 0 ||
        kcbi_kafka_secret_replace(charm_arena(run), config.properties, content, &own, reterr) !=
            0) {
        charm_error_wrap(reterr, "option kafka-secret");
        return NULL;
    }
    return settings_of(run, own, reterr);
}

int kcbi_kafka_credentials(struct charm_run *run, struct charm_value *settings,
                           struct charm_error *reterr)
{
    struct charm_error error = { 0 };
    if (kcbi_options(run)->kafka_secret[0] == '\0') {
        return 0;
    }
    const struct charm_value *whole = settings_with_secret(run, &error);
    if (whole == NULL) {
        return charm_error_set(reterr, error.code, "%s", error.text);
    }
    charm_value_update(settings, whole);
    return 0;
}

/* ---- what the deployer says ---- */

static struct kcbi_rollout read_rollout(struct charm_run *run)
{
    struct charm_arena *arena = charm_arena(run);
    const struct charm_unit *const *units = charm_units(run, "kubernetes");
    size_t count = 0;
    while (units[count] != NULL) {
        count++;
    }
    struct kcbi_answer *answers = charm_arena_array(arena, count + 1, sizeof(*answers));
    for (size_t i = 0; i < count; i++) {
        const struct charm_value *data = charm_unit_data(run, units[i]);
        const struct charm_value *status = charm_value_get(data, "status");
        const struct charm_value *workers = charm_value_get(data, "workers");
        answers[i] = (struct kcbi_answer){
            .unit = units[i]->name,
            .status = status == NULL ? NULL : kcbi_status_read(arena, charm_text(status)),
            .workers = workers == NULL ? NULL : charm_value_decode(arena, charm_text(workers)),
        };
    }
    const struct charm_value *asked = charm_value_get(charm_state(run, KCBI_LAYER), "deployed");
    const struct charm_value *checksum = charm_value_get(asked, "checksum");
    const struct kcbi_expected expected = {
        .names = kcbi_names(run),
        .checksum = checksum == NULL ? NULL : charm_text(checksum),
        .workers = charm_value_int(charm_value_get(asked, "workers"), 1),
        .rest_port = (int)charm_value_int(charm_value_get(asked, "rest_port"), KCBI_REST_PORT),
    };
    return kcbi_rollout_read(arena, answers, count, &expected);
}

const struct kcbi_rollout *kcbi_rollout(struct charm_run *run)
{
    struct memo *memo = memo_of(run);
    if (memo->rollout == NULL) {
        struct kcbi_rollout *rollout = charm_arena_alloc(charm_arena(run), sizeof(*rollout));
        if (kcbi_names(run) != NULL && charm_flag_is_set(run, KCB_KUBERNETES_AVAILABLE)) {
            *rollout = read_rollout(run);
        }
        memo->rollout = rollout;
    }
    return memo->rollout;
}

const char *const *kcbi_rest_addresses(struct charm_run *run)
{
    struct charm_arena *arena = charm_arena(run);
    struct charmi_words services = charmi_split(arena, "", " ");
    const struct kcbi_rollout *rollout = kcbi_rollout(run);
    for (size_t i = 0; rollout->port > 0 && i < rollout->addresses.size; i++) {
        const char *address = rollout->addresses.at[i];
        const bool ipv6 = strchr(address, ':') != NULL;
        charmi_words_add(
            arena, &services,
            charm_arena_printf(arena, ipv6 ? "[%s]:%d" : "%s:%d", address, rollout->port));
    }
    return services.at;
}

const char *kcbi_rest_answered(struct charm_run *run)
{
    const char *answered = charm_text(charm_value_get(charm_state(run, KCBI_LAYER), "address"));
    return charmi_in(kcbi_rest_addresses(run), answered) ? answered : "";
}

/* ---- the request ---- */

/* What the leader remembers for the application: good values, without what may hold secrets. */
static void remember_options(struct charm_run *run, bool lines_are_good,
                             const struct kcbi_worker_config *config)
{
    struct charm_value *good = charm_value_copy(charm_arena(run), kcbi_options(run)->good);
    charm_value_remove(good, "connectors");
    if (lines_are_good && charm_value_size(config->secrets) > 0) {
        charm_value_remove(good, "worker-config");
    } else if (!lines_are_good) {
        const struct charm_value *before =
            charm_value_get(charm_app_get(run, "options"), "worker-config");
        charm_value_set(good, "worker-config", before);
    }
    charm_app_set(run, "options", good);
}

/* Random text of the application's own: the same for every leader, so that another one asks for the same bytes. */
static const char *salt_of_application(struct charm_run *run)
{
    const struct charm_value *kept = charm_app_get(run, KCBI_APP_SALT);
    if (charm_value_kind(kept) == CHARM_STRING) {
        return charm_text(kept);
    }
    const struct charm_ports *ports = charm_ports(run);
    const char *salt =
        charm_arena_printf(charm_arena(run), "%016" PRIx64 "%016" PRIx64,
                           ports->random(ports->userdata), ports->random(ports->userdata));
    charm_app_set(run, KCBI_APP_SALT, charm_value_new_text(charm_arena(run), salt));
    return salt;
}

/* Another secret rolls the pods, by an annotation that everybody can read: salted, or it could be guessed from that. */
static const char *secret_digest(struct charm_run *run, const struct charm_value *secrets)
{
    if (charm_value_size(secrets) == 0) {
        return "";
    }
    struct charm_arena *arena = charm_arena(run);
    const char *salted = charm_arena_printf(arena, "%s%s", salt_of_application(run),
                                            charm_value_render(arena, secrets, CHARM_JSON_SORTED));
    return charmi_sha256(arena, salted, strlen(salted));
}

static int make_manifests(struct charm_run *run, const struct kcbi_worker_config *config,
                          struct kcbi_manifests *ret_manifests, struct charm_error *reterr)
{
    const struct kcbi_options *options = kcbi_options(run);
    const struct kcbi_image image = image_of(run);
    const struct kcbi_manifest_inputs inputs = {
        .names = kcbi_names(run),
        .image = &image,
        .version = kcbi_worker_version(run),
        .config = config,
        .workers = options->workers,
        .command = options->worker_command,
        .heap = options->heap,
        .memory = options->memory,
        .cpu = options->cpu,
        .service_type = options->service_type,
        .worker_secret = options->worker_secret,
        .secret_digest = secret_digest(run, config->secrets),
    };
    return kcbi_manifests_make(charm_arena(run), &inputs, ret_manifests, reterr);
}

static enum charm_result hold(struct charm_run *run, const char *why)
{
    charm_trace(run, "the request to kubernetes-deployer stays as it is: %s", why);
    charm_publish_hold(run, "kubernetes");
    return CHARM_DONE;
}

/* What the deployer says now is of the wish before. */
static bool is_another_wish(const struct charm_value *asked, const char *checksum, int64_t workers)
{
    return asked != NULL &&
           (!charmi_same(charm_text(charm_value_get(asked, "checksum")), checksum) ||
            charm_value_int(charm_value_get(asked, "workers"), 0) != workers);
}

static void publish(struct charm_run *run, const struct kcbi_manifests *manifests,
                    const struct kcbi_worker_config *config)
{
    struct charm_value *state = charm_state(run, KCBI_LAYER);
    if (kcbi_rollout(run)->state != KCBI_ROLLOUT_NONE &&
        is_another_wish(charm_value_get(state, "deployed"), manifests->checksum,
                        kcbi_options(run)->workers)) {
        kcbi_say(run, KCBI_ON_REQUEST, CHARM_WAITING, KCBI_TAKING_UP);
    }
    struct charm_value *asked = charm_value_add_map(state, "deployed");
    charm_value_set_text(asked, "checksum", manifests->checksum);
    charm_value_set_int(asked, "workers", kcbi_options(run)->workers);
    charm_value_set_int(asked, "rest_port", config->rest_port);
    /* made once: CHARM_EACH evaluates its map at every step */
    const struct charm_value *request =
        kcbi_destination_request(charm_arena(run), kcbi_names(run), manifests->objects);
    CHARM_EACH(request, it)
    {
        charm_publish_json(run, "kubernetes", it.key, it.value);
    }
}

static enum charm_result render_and_publish(struct charm_run *run)
{
    struct kcbi_worker_config config;
    struct kcbi_manifests manifests;
    struct charm_error error;
    if (kcbi_version_refused(kcbi_worker_version(run), (int)kcbi_fetch_min_version(run))) {
        kcbi_say(run, KCBI_ON_REQUEST, CHARM_BLOCKED,
                 "workers would not start: " KCBI_VERSION_RULE
                 "; juju config %s image=... or worker-version=...",
                 charm_context(run)->application);
        return hold(run, "Kafka would refuse these workers");
    }
    const bool lines_are_good = kcbi_worker_config(run, &config, &error) == 0;
    if (!lines_are_good) {
        kcbi_say(run, KCBI_ON_REQUEST, CHARM_BLOCKED, "%s", error.text);
        if (last_good_config(run, &config) != 0) {
            return hold(run, error.text);
        }
    }
    if (make_manifests(run, &config, &manifests, &error) != 0) {
        kcbi_say(run, KCBI_ON_REQUEST, CHARM_BLOCKED, "%s", error.text);
        return hold(run, error.text);
    }
    remember_options(run, lines_are_good, &config);
    publish(run, &manifests, &config);
    return CHARM_DONE;
}

enum charm_result kcbi_deploy(struct charm_run *run, const struct charm_output *output)
{
    (void)output;
    if (!charm_flag_is_set(run, CHARM_IS_LEADER)) {
        return CHARM_DONE;
    }
    if (charm_endpoint_unknown(run, "kafka") || charm_endpoint_unknown(run, "kubernetes")) {
        return hold(run, "a relation could not be read");
    }
    if (!charm_flag_is_set(run, CHARM_APP_STATE)) {
        return hold(run, "the application state is not available");
    }
    if (charm_given_held(run, KCBI_GIVE_WORKER) || charm_given_held(run, KCBI_GIVE_IMAGE)) {
        return hold(run, "an upper layer has not given its settings yet");
    }
    if (kcbi_look_memo(run)->kafka_refuses) {
        return hold(run, "Kafka, or its client, refuses these settings");
    }
    if (charm_flag_is_set(run, KCB_CONFIGURED)) {
        /* Workers that run go on with a topic that is wrong; new ones would not start (decision 007). */
        return charm_flag_is_set(run, KCB_TOPIC_CREATED) ? render_and_publish(run)
                                                         : hold(run, "the topics are not right");
    }
    charm_value_remove(charm_state(run, KCBI_LAYER), "deployed");
    return CHARM_DONE;
}
