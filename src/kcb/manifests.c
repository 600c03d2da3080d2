#include "kcb/manifests.h"

#include <string.h>

#include "base/digest.h"
#include "base/memory.h"
#include "base/text.h"
#include "kcb/options.h"
#include "kcb/properties.h"

/* apache/kafka: docker/jvm/Dockerfile. */
#define APACHE_COMMAND "/opt/kafka/bin/connect-distributed.sh"
#define APACHE_USER 1000

/* The only places where a worker of apache/kafka may write. */
#define SCRATCH_DIR "/tmp"
#define LOG_DIR "/tmp/logs"
#define SCRATCH_LIMIT "1Gi"

/* Kubernetes refuses a ConfigMap over 1 MiB; the same text travels in a relation bag beside two other objects. */
#define CONFIG_MAX (512 * 1024)

#define CONTAINER "worker"
#define CONFIG_VOLUME "config-volume"
#define SCRATCH_VOLUME "scratch"
#define SECRET_VOLUME "worker-secret"
#define REST_NAME "rest"

/* Only the worker's user, or its group, reads secrets where the image is known (it runs as APACHE_USER). */
#define SECRET_MODE 0440

/* ---- ConfigMap, or Secret, and Service ---- */

static struct charm_value *new_object(struct charm_arena *arena, const char *api, const char *kind,
                                      const struct kcbi_names *names, const char *name)
{
    struct charm_value *object = charm_value_new_map(arena);
    charm_value_set_text(object, "apiVersion", api);
    charm_value_set_text(object, "kind", kind);
    struct charm_value *metadata = charm_value_add_map(object, "metadata");
    charm_value_set(metadata, "labels", kcbi_names_labels(arena, names));
    charm_value_set_text(metadata, "name", name);
    return object;
}

static struct charm_value *make_config_map(struct charm_arena *arena,
                                           const struct kcbi_manifest_inputs *inputs)
{
    struct charm_value *object =
        new_object(arena, "v1", "ConfigMap", inputs->names, inputs->names->config_map);
    struct charm_value *data = charm_value_add_map(object, "data");
    charm_value_set_text(data, KCBI_CONFIG_KEY, inputs->config->text);
    return object;
}

/* The whole file: then a worker of any version needs no config provider, and connectors have none that reads it. */
static struct charm_value *make_secret(struct charm_arena *arena,
                                       const struct kcbi_manifest_inputs *inputs)
{
    struct charm_value *object =
        new_object(arena, "v1", "Secret", inputs->names, inputs->names->secret);
    struct charm_value *data = charm_value_add_map(object, "stringData");
    charm_value_set_text(data, KCBI_CONFIG_KEY, inputs->config->text);
    charm_value_set_text(object, "type", "Opaque");
    return object;
}

static struct charm_value *make_service(struct charm_arena *arena,
                                        const struct kcbi_manifest_inputs *inputs)
{
    struct charm_value *object =
        new_object(arena, "v1", "Service", inputs->names, inputs->names->service);
    struct charm_value *spec = charm_value_add_map(object, "spec");
    struct charm_value *port = charm_value_append_map(charm_value_add_list(spec, "ports"));
    charm_value_set_text(port, "name", REST_NAME);
    charm_value_set_int(port, "port", inputs->config->rest_port);
    charm_value_set_text(port, "protocol", "TCP");
    charm_value_set_text(port, "targetPort", REST_NAME);
    charm_value_set(spec, "selector", kcbi_names_selector(arena, inputs->names));
    charm_value_set_text(spec, "type", inputs->service_type);
    return object;
}

/* ---- the container ---- */

static void add_command(struct charm_arena *arena, const struct kcbi_manifest_inputs *inputs,
                        struct charm_value *container)
{
    const struct charmi_words words = charmi_split(arena, inputs->command, " \t");
    if (words.size == 0 && inputs->image->kind != KCBI_IMAGE_APACHE) {
        return; /* its entry point starts the worker */
    }
    struct charm_value *command = charm_value_add_list(container, "command");
    for (size_t i = 0; i < words.size; i++) {
        charm_value_append_text(command, words.at[i]);
    }
    if (words.size == 0) {
        charm_value_append_text(command, APACHE_COMMAND);
        charm_value_append_text(command, KCBI_CONFIG_DIR "/" KCBI_CONFIG_KEY);
    }
}

static void add_variable(struct charm_value *env, const char *name, const char *value)
{
    struct charm_value *variable = charm_value_append_map(env);
    charm_value_set_text(variable, "name", name);
    charm_value_set_text(variable, "value", value);
}

static void add_environment(struct charm_arena *arena, const struct kcbi_manifest_inputs *inputs,
                            const char *heap, struct charm_value *container)
{
    struct charm_value *env = charm_value_add_list(container, "env");
    add_variable(env, "KAFKA_HEAP_OPTS", charm_arena_printf(arena, "-Xms%s -Xmx%s", heap, heap));
    if (inputs->image->kind == KCBI_IMAGE_APACHE) {
        add_variable(env, "LOG_DIR", LOG_DIR);
    }
    if (inputs->config->wants_pod_ip) {
        struct charm_value *variable = charm_value_append_map(env);
        charm_value_set_text(variable, "name", KCBI_POD_IP_VARIABLE);
        struct charm_value *from = charm_value_add_map(variable, "valueFrom");
        struct charm_value *field = charm_value_add_map(from, "fieldRef");
        charm_value_set_text(field, "fieldPath", "status.podIP");
    }
}

static void add_resources(const struct kcbi_manifest_inputs *inputs, struct charm_value *container)
{
    struct charm_value *resources = charm_value_add_map(container, "resources");
    struct charm_value *limits = charm_value_add_map(resources, "limits");
    charm_value_set_text(limits, "memory", inputs->memory);
    struct charm_value *requests = charm_value_add_map(resources, "requests");
    charm_value_set_text(requests, "cpu", inputs->cpu);
    charm_value_set_text(requests, "memory", inputs->memory);
}

/* Of apache/kafka it is known what it needs; other images keep the user and the file system that they count on. */
static void add_container_security(const struct kcbi_manifest_inputs *inputs,
                                   struct charm_value *container)
{
    struct charm_value *security = charm_value_add_map(container, "securityContext");
    charm_value_set_bool(security, "allowPrivilegeEscalation", false);
    if (inputs->image->kind == KCBI_IMAGE_APACHE) {
        struct charm_value *capabilities = charm_value_add_map(security, "capabilities");
        charm_value_append_text(charm_value_add_list(capabilities, "drop"), "ALL");
        charm_value_set_bool(security, "readOnlyRootFilesystem", true);
    }
}

struct probe {
    const char *name;
    const char *path;
    int period_s;
    int timeout_s;
    int failures;
};

static void add_probes(const struct kcbi_manifest_inputs *inputs, struct charm_value *container)
{
    const struct kcbi_traits traits = kcbi_version_traits(inputs->version);
    const struct probe probes[] = {
        /* A worker that dies of its settings, or of another's, dies within a minute (lab-facts.md 1.4). */
        { "startupProbe", traits.alive_path, 5, 5, 60 },
        /* A rebalance answers late, or 409 to /connectors: it takes several to call a worker unready. */
        { "readinessProbe", traits.ready_path, 10, 5, 6 },
        { "livenessProbe", traits.alive_path, 20, 10, 6 },
    };
    for (size_t i = 0; i < CHARMI_COUNT(probes); i++) {
        struct charm_value *probe = charm_value_add_map(container, probes[i].name);
        struct charm_value *get = charm_value_add_map(probe, "httpGet");
        charm_value_set_text(get, "path", probes[i].path);
        charm_value_set_text(get, "port", REST_NAME);
        charm_value_set_int(probe, "periodSeconds", probes[i].period_s);
        charm_value_set_int(probe, "timeoutSeconds", probes[i].timeout_s);
        charm_value_set_int(probe, "failureThreshold", probes[i].failures);
    }
}

static void add_mount(struct charm_value *mounts, const char *volume, const char *path)
{
    struct charm_value *mount = charm_value_append_map(mounts);
    charm_value_set_text(mount, "mountPath", path);
    charm_value_set_text(mount, "name", volume);
}

static void add_secret_mount(struct charm_value *mounts)
{
    struct charm_value *mount = charm_value_append_map(mounts);
    charm_value_set_text(mount, "mountPath", KCBI_SECRET_DIR);
    charm_value_set_text(mount, "name", SECRET_VOLUME);
    charm_value_set_bool(mount, "readOnly", true);
}

static void add_container(struct charm_arena *arena, const struct kcbi_manifest_inputs *inputs,
                          const char *heap, struct charm_value *containers)
{
    struct charm_value *container = charm_value_append_map(containers);
    charm_value_set_text(container, "name", CONTAINER);
    charm_value_set_text(container, "image", inputs->image->name);
    add_command(arena, inputs, container);
    add_environment(arena, inputs, heap, container);
    struct charm_value *port = charm_value_append_map(charm_value_add_list(container, "ports"));
    charm_value_set_int(port, "containerPort", inputs->config->rest_port);
    charm_value_set_text(port, "name", REST_NAME);
    charm_value_set_text(port, "protocol", "TCP");
    add_resources(inputs, container);
    add_container_security(inputs, container);
    add_probes(inputs, container);
    struct charm_value *mounts = charm_value_add_list(container, "volumeMounts");
    add_mount(mounts, CONFIG_VOLUME, KCBI_CONFIG_DIR);
    if (inputs->config->reads_secret) {
        add_secret_mount(mounts);
    }
    if (inputs->image->kind == KCBI_IMAGE_APACHE) {
        add_mount(mounts, SCRATCH_VOLUME, SCRATCH_DIR);
    }
}

/* ---- the pod ---- */

static void add_secret_volume(const struct kcbi_manifest_inputs *inputs, struct charm_value *volume,
                              const char *secret)
{
    struct charm_value *source = charm_value_add_map(volume, "secret");
    if (inputs->image->kind == KCBI_IMAGE_APACHE) {
        charm_value_set_int(source, "defaultMode", SECRET_MODE);
    }
    charm_value_set_text(source, "secretName", secret);
}

static void add_volumes(const struct kcbi_manifest_inputs *inputs, struct charm_value *spec)
{
    struct charm_value *volumes = charm_value_add_list(spec, "volumes");
    struct charm_value *config = charm_value_append_map(volumes);
    charm_value_set_text(config, "name", CONFIG_VOLUME);
    if (inputs->config->secret_text) {
        add_secret_volume(inputs, config, inputs->names->secret);
    } else {
        charm_value_set_text(charm_value_add_map(config, "configMap"), "name",
                             inputs->names->config_map);
    }
    if (inputs->config->reads_secret) {
        struct charm_value *secret = charm_value_append_map(volumes);
        charm_value_set_text(secret, "name", SECRET_VOLUME);
        add_secret_volume(inputs, secret, inputs->worker_secret);
    }
    if (inputs->image->kind == KCBI_IMAGE_APACHE) {
        struct charm_value *scratch = charm_value_append_map(volumes);
        charm_value_set_text(scratch, "name", SCRATCH_VOLUME);
        charm_value_set_text(charm_value_add_map(scratch, "emptyDir"), "sizeLimit", SCRATCH_LIMIT);
    }
}

static void add_pod_security(const struct kcbi_manifest_inputs *inputs, struct charm_value *spec)
{
    struct charm_value *security = charm_value_add_map(spec, "securityContext");
    if (inputs->image->kind == KCBI_IMAGE_APACHE) {
        charm_value_set_int(security, "fsGroup", APACHE_USER);
        charm_value_set_bool(security, "runAsNonRoot", true);
        charm_value_set_int(security, "runAsUser", APACHE_USER);
    }
    charm_value_set_text(charm_value_add_map(security, "seccompProfile"), "type", "RuntimeDefault");
}

static struct charm_value *make_pod(struct charm_arena *arena,
                                    const struct kcbi_manifest_inputs *inputs, const char *heap)
{
    struct charm_value *spec = charm_value_new_map(arena);
    /* Workers never speak to Kubernetes. Service links would put KAFKA_... variables of a Service "kafka" before the
     * scripts of the image, which read such names. */
    charm_value_set_bool(spec, "automountServiceAccountToken", false);
    charm_value_set_bool(spec, "enableServiceLinks", false);
    add_pod_security(inputs, spec);
    charm_value_set_int(spec, "terminationGracePeriodSeconds", 30);
    add_container(arena, inputs, heap, charm_value_add_list(spec, "containers"));
    add_volumes(inputs, spec);
    return spec;
}

/* The configuration as a checksum may see it, which everybody can read. */
static const char *open_config(struct charm_arena *arena, const struct kcbi_worker_config *config)
{
    if (!config->secret_text) {
        return config->text;
    }
    struct charm_value *open = charm_value_copy(arena, config->properties);
    CHARM_EACH(config->secrets, it)
    {
        charm_value_set_text(open, it.key, "");
    }
    return kcbi_properties_render(arena, open);
}

/* Of all that a pod sees: how it is made, and the configuration that is mounted into it. */
static const char *checksum_of(struct charm_arena *arena, const struct kcbi_manifest_inputs *inputs,
                               const struct charm_value *labels, const struct charm_value *pod)
{
    const char *seen = charm_arena_printf(
        arena, "%s\n%s\n%s%s", charm_value_render(arena, labels, CHARM_JSON_SORTED),
        charm_value_render(arena, pod, CHARM_JSON_SORTED), open_config(arena, inputs->config),
        inputs->secret_digest);
    return charmi_sha256(arena, seen, strlen(seen));
}

static struct charm_value *make_template(struct charm_arena *arena,
                                         const struct charm_value *labels,
                                         const struct charm_value *pod, const char *checksum)
{
    struct charm_value *template = charm_value_new_map(arena);
    struct charm_value *metadata = charm_value_add_map(template, "metadata");
    charm_value_set_text(charm_value_add_map(metadata, "annotations"), KCBI_CHECKSUM, checksum);
    charm_value_set(metadata, "labels", labels);
    charm_value_set(template, "spec", pod);
    return template;
}

static struct charm_value *make_deployment(struct charm_arena *arena,
                                           const struct kcbi_manifest_inputs *inputs,
                                           const struct charm_value *template)
{
    struct charm_value *object =
        new_object(arena, "apps/v1", "Deployment", inputs->names, inputs->names->deployment);
    struct charm_value *spec = charm_value_add_map(object, "spec");
    /* Longer than the startup probe, which else would be called a failure while it may still succeed. */
    charm_value_set_int(spec, "progressDeadlineSeconds", 600);
    charm_value_set_int(spec, "replicas", inputs->workers);
    charm_value_set_int(spec, "revisionHistoryLimit", 2);
    charm_value_set(charm_value_add_map(spec, "selector"), "matchLabels",
                    kcbi_names_selector(arena, inputs->names));
    /* One worker at a time, the new one first: REST stays, and each step moves few tasks. */
    struct charm_value *strategy = charm_value_add_map(spec, "strategy");
    struct charm_value *rolling = charm_value_add_map(strategy, "rollingUpdate");
    charm_value_set_int(rolling, "maxSurge", 1);
    charm_value_set_int(rolling, "maxUnavailable", 0);
    charm_value_set_text(strategy, "type", "RollingUpdate");
    charm_value_set(spec, "template", template);
    return object;
}

/* ---- together ---- */

/* The heap as Java reads it: k, M and G mean powers of 1024 there. Half of memory if none is given. */
static int choose_heap(struct charm_arena *arena, const struct kcbi_manifest_inputs *inputs,
                       const char **ret_heap, struct charm_error *reterr)
{
    const int64_t memory = kcbi_options_bytes(inputs->memory);
    if (memory <= 0) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "render the Deployment: memory '%.40s' is not an amount such as 1Gi",
                               inputs->memory);
    }
    if (charmi_blank(inputs->heap)) {
        *ret_heap = charm_arena_printf(arena, "%lldM", (long long)(memory / 2 / (1024 * 1024)));
        return 0;
    }
    const int64_t heap = kcbi_options_heap_bytes(inputs->heap);
    if (heap <= 0 || heap >= memory) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "render the Deployment: heap '%.40s' must be an amount such as "
                               "512M, and less than memory %s, for Java needs more than its heap",
                               inputs->heap, inputs->memory);
    }
    *ret_heap = inputs->heap;
    return 0;
}

int kcbi_manifests_make(struct charm_arena *arena, const struct kcbi_manifest_inputs *inputs,
                        struct kcbi_manifests *ret_manifests, struct charm_error *reterr)
{
    const char *heap = NULL;
    const int code = choose_heap(arena, inputs, &heap, reterr);
    if (code != 0) {
        return code;
    }
    if (strlen(inputs->config->text) > CONFIG_MAX) {
        return charm_error_set(reterr, CHARM_ETOOBIG,
                               "render the ConfigMap: the workers' configuration has %zu bytes, "
                               "%d are allowed",
                               strlen(inputs->config->text), CONFIG_MAX);
    }
    const struct charm_value *labels = kcbi_names_labels(arena, inputs->names);
    const struct charm_value *pod = make_pod(arena, inputs, heap);
    const char *checksum = checksum_of(arena, inputs, labels, pod);
    const struct charm_value *template = make_template(arena, labels, pod, checksum);
    struct charm_value *objects = charm_value_new_list(arena);
    charm_value_append(objects, inputs->config->secret_text ? make_secret(arena, inputs)
                                                            : make_config_map(arena, inputs));
    charm_value_append(objects, make_service(arena, inputs));
    charm_value_append(objects, make_deployment(arena, inputs, template));
    *ret_manifests = (struct kcbi_manifests){ .objects = objects, .checksum = checksum };
    return 0;
}
