#include "lab/cluster_worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "lab/cluster_quantity.h"
#include "lab/cluster_secret.h"
#include "lab/net.h"

#define IMAGE_ROOT "/opt/kafka"
#define START_SCRIPT IMAGE_ROOT "/bin/connect-distributed.sh"
#define OLD_VERSION "0.10.1.1"

enum {
    MOST_HEAP = 256 * 1024 * 1024,
    MOST_FILE = 4 * 1024 * 1024,
};

/* The work of one lab_worker_plan(). */
struct plan {
    struct charm_arena *arena;
    const struct lab_worker_host *host;
    const struct lab_worker_pod *pod;
    const struct charm_value *container;
    const struct lab_java *java; /* what the image holds */
    struct lab_worker *worker;
};

int lab_worker_port(const struct charm_value *spec)
{
    const struct charm_value *container = charm_value_at(charm_value_get(spec, "containers"), 0);
    const struct charm_value *port = charm_value_at(charm_value_get(container, "ports"), 0);
    return (int)charm_value_int(charm_value_get(port, "containerPort"), 8083);
}

/* ---- files ---- */

static int write_bytes(const char *path, const char *bytes, size_t size, mode_t mode,
                       struct charm_error *reterr)
{
    unlink(path); /* the old one may be read-only */
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        return charm_error_os(reterr, errno, "write %s", path);
    }
    const size_t put = fwrite(bytes, 1, size, file);
    if (fclose(file) != 0 || put != size || chmod(path, mode) != 0) {
        return charm_error_os(reterr, errno, "write %s", path);
    }
    return 0;
}

static int write_file(const char *path, const char *text, mode_t mode, struct charm_error *reterr)
{
    return write_bytes(path, text, strlen(text), mode, reterr);
}

static int make_dir(const char *path, struct charm_error *reterr)
{
    if (mkdir(path, 0755) != 0 && errno != EEXIST) {
        return charm_error_os(reterr, errno, "make %s", path);
    }
    return 0;
}

static void add_bind(struct plan *plan, const char *source, const char *target, bool read_only)
{
    struct lab_sandbox *sandbox = &plan->worker->sandbox;
    if (sandbox->bind_count < CHARMI_COUNT(sandbox->binds)) {
        sandbox->binds[sandbox->bind_count++] =
            (struct lab_bind){ .source = source, .target = target, .read_only = read_only };
    }
}

static void differ(struct plan *plan, const char *text)
{
    if (!charmi_words_have(&plan->worker->differences, text)) {
        charmi_words_add(plan->arena, &plan->worker->differences, text);
    }
}

static const char *volume_dir(const struct plan *plan, const char *name)
{
    return charm_arena_printf(plan->arena, "%s/volume-%s", plan->pod->dir, name);
}

/* ---- the properties file: what must be another in this network ---- */

static const char *key_of(struct charm_arena *arena, const char *line)
{
    return charmi_trim(arena, charm_arena_copy_n(arena, line, strcspn(line, "=:")));
}

/* "http://0.0.0.0:8083" -> "http://127.0.0.2:8083" */
static const char *own_listener(struct plan *plan, const char *listener)
{
    const char *colon = strrchr(listener, ':');
    const size_t scheme = strcspn(listener, ":");
    const bool has_port = colon != NULL && colon > listener + scheme;
    return charm_arena_printf(plan->arena, "%.*s://%s%s", (int)scheme, listener, plan->pod->address,
                              has_port ? colon : ":8083");
}

static const char *own_plugin_path(struct plan *plan, const char *value)
{
    return charmi_starts_with(value, IMAGE_ROOT) ? plan->java->plugins : value;
}

/* Where no volume can be mounted, a config provider finds its file where it really lies. */
static const char *provider_path(struct plan *plan, const char *value)
{
    const struct charm_value *mounts = charm_value_get(plan->container, "volumeMounts");
    for (size_t i = 0; i < charm_value_size(mounts); i++) {
        const struct charm_value *mount = charm_value_at(mounts, i);
        const char *path = charm_text(charm_value_get(mount, "mountPath"));
        const char *at = strstr(value, path);
        if (path[0] == '/' && at != NULL) {
            return charm_arena_printf(plan->arena, "%.*s%s%s", (int)(at - value), value,
                                      volume_dir(plan, charm_text(charm_value_get(mount, "name"))),
                                      at + strlen(path));
        }
    }
    return value;
}

/* The value that the line must have here, or NULL when it stays. */
static const char *own_value(struct plan *plan, const char *key, const char *value)
{
    const bool loopback = lab_net_kind_now() == LAB_NET_LOOPBACK;
    if (loopback && charmi_same(key, "listeners")) {
        return own_listener(plan, value);
    }
    if (loopback && charmi_same(key, "rest.advertised.host.name")) {
        return plan->pod->address;
    }
    if (!plan->host->mounts && charmi_same(key, "plugin.path")) {
        return own_plugin_path(plan, value);
    }
    if (!plan->host->mounts &&
        (charmi_starts_with(key, "config.providers.") || charmi_starts_with(value, "${"))) {
        return provider_path(plan, value);
    }
    return NULL;
}

static void add_line(struct plan *plan, struct charmi_buf *buf, const char *line)
{
    const char *key = key_of(plan->arena, line);
    const size_t key_end = strcspn(line, "=:");
    const char *value = charmi_trim(plan->arena, line[key_end] == '\0' ? "" : line + key_end + 1);
    const char *own = own_value(plan, key, value);
    if (own == NULL || charmi_same(own, value)) {
        charmi_buf_addf(buf, "%s\n", line);
        return;
    }
    charmi_buf_addf(buf, "%s=%s\n", key, own);
    differ(plan, charm_arena_printf(plan->arena, "%s: %s -> %s", key, value, own));
}

static const char *own_properties(struct plan *plan, const char *text)
{
    charmi_auto_buf struct charmi_buf buf = charmi_buf_init(MOST_FILE);
    bool listens = false;
    while (text[0] != '\0') {
        const size_t size = strcspn(text, "\n");
        const char *line = charm_arena_copy_n(plan->arena, text, size);
        listens = listens || charmi_same(key_of(plan->arena, line), "listeners");
        add_line(plan, &buf, line);
        text += size + (text[size] == '\n' ? 1 : 0);
    }
    if (!listens && lab_net_kind_now() == LAB_NET_LOOPBACK) {
        const char *own = own_listener(
            plan, charm_arena_printf(plan->arena, "http://:%d", lab_worker_port(plan->pod->spec)));
        charmi_buf_addf(&buf, "listeners=%s\n", own);
        differ(plan, charm_arena_printf(plan->arena, "listeners: (unset) -> %s", own));
    }
    return charmi_buf_into(&buf, plan->arena);
}

/* ---- volumes ---- */

/* What a volume shows, by key. */
struct source {
    const char *kind;               /* as Kubernetes' messages write it */
    const struct charm_value *data; /* key -> text; of a Secret in base64 */
    mode_t mode;
};

/* The worker's own file, or one of secrets or of somebody else's? */
static bool is_worker_file(const char *path, const char *text)
{
    return charmi_ends_with(path, ".properties") && strstr(text, "bootstrap.servers") != NULL;
}

static int write_key(struct plan *plan, const char *dir, const char *path,
                     const struct source *from, const char *key, struct charm_error *reterr)
{
    const bool replace = lab_net_kind_now() == LAB_NET_LOOPBACK || !plan->host->mounts;
    const char *target = charm_arena_printf(plan->arena, "%s/%s", dir, path);
    const char *text = charm_text(charm_value_get(from->data, key));
    size_t size = strlen(text);
    if (charmi_same(from->kind, "secret")) {
        text = lab_secret_bytes(plan->arena, from->data, key, &size);
    }
    if (replace && is_worker_file(path, text)) {
        return write_file(target, own_properties(plan, text), from->mode, reterr);
    }
    return write_bytes(target, text, size, from->mode, reterr);
}

static int write_items(struct plan *plan, const char *dir, const struct charm_value *items,
                       const struct source *from, struct charm_error *reterr)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < charm_value_size(items); i++) {
        const struct charm_value *item = charm_value_at(items, i);
        const char *key = charm_text(charm_value_get(item, "key"));
        if (charm_value_get(from->data, key) == NULL) {
            return charm_error_set(
                reterr, CHARM_ENOTFOUND, "ContainerCreating: %s references non-existent %s key: %s",
                from->kind, charmi_same(from->kind, "secret") ? "secret" : "config", key);
        }
        code = write_key(plan, dir, charm_text(charm_value_get(item, "path")), from, key, reterr);
    }
    return code;
}

static int write_source(struct plan *plan, const char *dir, const char *name,
                        const struct charm_value *items, const struct source *from,
                        struct charm_error *reterr)
{
    if (from->data == NULL) {
        return charm_error_set(reterr, CHARM_ENOTFOUND,
                               "ContainerCreating: MountVolume.SetUp failed for volume: %s \"%s\" "
                               "not found",
                               from->kind, name);
    }
    if (items != NULL) {
        return write_items(plan, dir, items, from, reterr);
    }
    int code = 0;
    CHARM_EACH(from->data, it)
    {
        code = code != 0 ? code : write_key(plan, dir, it.key, from, it.key, reterr);
    }
    return code;
}

static int write_config_map(struct plan *plan, const char *dir, const struct charm_value *source,
                            struct charm_error *reterr)
{
    const char *name = charm_text(charm_value_get(source, "name"));
    const struct source from = {
        .kind = "configmap",
        .data = plan->host->config_map(plan->host->userdata, name),
        .mode = 0444,
    };
    return write_source(plan, dir, name, charm_value_get(source, "items"), &from, reterr);
}

/* Only the worker's user reads it, whatever defaultMode says: on this machine there are others. */
static int write_secret(struct plan *plan, const char *dir, const struct charm_value *source,
                        struct charm_error *reterr)
{
    const char *name = charm_text(charm_value_get(source, "secretName"));
    const struct source from = {
        .kind = "secret",
        .data = plan->host->secret(plan->host->userdata, name),
        .mode = 0400,
    };
    return write_source(plan, dir, name, charm_value_get(source, "items"), &from, reterr);
}

static const struct charm_value *find_volume(const struct plan *plan, const char *name)
{
    const struct charm_value *volumes = charm_value_get(plan->pod->spec, "volumes");
    for (size_t i = 0; i < charm_value_size(volumes); i++) {
        const struct charm_value *volume = charm_value_at(volumes, i);
        if (charmi_same(charm_text(charm_value_get(volume, "name")), name)) {
            return volume;
        }
    }
    return NULL;
}

static int mount_volume(struct plan *plan, const struct charm_value *mount,
                        struct charm_error *reterr)
{
    const char *name = charm_text(charm_value_get(mount, "name"));
    const struct charm_value *source = charm_value_get(find_volume(plan, name), "configMap");
    const struct charm_value *secret = charm_value_get(find_volume(plan, name), "secret");
    const char *dir = volume_dir(plan, name);
    int code = make_dir(dir, reterr);
    if (code == 0 && source != NULL) {
        code = write_config_map(plan, dir, source, reterr);
    } else if (code == 0 && secret != NULL) {
        code = write_secret(plan, dir, secret, reterr);
    }
    const char *sub = charm_text(charm_value_get(mount, "subPath"));
    const char *from = sub[0] == '\0' ? dir : charm_arena_printf(plan->arena, "%s/%s", dir, sub);
    add_bind(plan, from, charm_text(charm_value_get(mount, "mountPath")),
             source != NULL || secret != NULL);
    return code;
}

static int mount_volumes(struct plan *plan, struct charm_error *reterr)
{
    const struct charm_value *mounts = charm_value_get(plan->container, "volumeMounts");
    int code = 0;
    for (size_t i = 0; code == 0 && i < charm_value_size(mounts); i++) {
        code = mount_volume(plan, charm_value_at(mounts, i), reterr);
    }
    return code;
}

static bool is_below(const char *path, const char *dir)
{
    return charmi_starts_with(path, dir) && (path[strlen(dir)] == '/' || path[strlen(dir)] == '\0');
}

/* A directory of the machine that a volume covers is bound once more on top. */
static void keep_visible(struct plan *plan, const char *path)
{
    const struct lab_sandbox *sandbox = &plan->worker->sandbox;
    for (size_t i = 0; i < sandbox->bind_count; i++) {
        if (is_below(path, sandbox->binds[i].target)) {
            add_bind(plan, path, path, false);
            return;
        }
    }
}

/* ---- the image ---- */

/* Bytes of -Xmx in JVM options, 0 when there is none, -1 when it is not one. */
static double heap_of(struct charm_arena *arena, const char *options)
{
    const char *at = strstr(options, "-Xmx");
    if (at == NULL) {
        return 0;
    }
    char *size = charm_arena_copy_n(arena, at + 4, strcspn(at + 4, " \t"));
    double factor = 1;
    const size_t length = strlen(size);
    if (length > 0 && strchr("kKmMgG", size[length - 1]) != NULL) {
        const char unit = size[length - 1];
        factor = unit == 'k' || unit == 'K'   ? 1024.0
                 : unit == 'm' || unit == 'M' ? 1024.0 * 1024
                                              : 1024.0 * 1024 * 1024;
        size[length - 1] = '\0';
    }
    int64_t number = 0;
    return charmi_parse_int(size, 1, INT64_MAX / 2, &number) ? (double)number * factor : -1;
}

/* What KAFKA_HEAP_OPTS comes to here: as it is, or no more than the lab can give. */
static const char *heap_options(struct plan *plan, const char *asked)
{
    const double heap = heap_of(plan->arena, asked);
    if (heap != 0 && heap <= MOST_HEAP) {
        return asked;
    }
    if (heap != 0) {
        differ(plan, charm_arena_printf(plan->arena, "KAFKA_HEAP_OPTS: %s -> -Xmx256m", asked));
    }
    return "-Xmx256m";
}

static const char *env_text(const struct charm_value *container, const char *name)
{
    const struct charm_value *env = charm_value_get(container, "env");
    for (size_t i = 0; i < charm_value_size(env); i++) {
        const struct charm_value *item = charm_value_at(env, i);
        if (charmi_same(charm_text(charm_value_get(item, "name")), name)) {
            return charm_text(charm_value_get(item, "value"));
        }
    }
    return "";
}

/* Stands for bin/connect-distributed.sh and the bin/kafka-run-class.sh behind it. */
static const char *start_script(struct plan *plan)
{
    const char *heap = heap_options(plan, env_text(plan->container, "KAFKA_HEAP_OPTS"));
    struct charmi_words options = { 0 };
    charmi_words_add(plan->arena, &options, heap);
    charmi_words_add(plan->arena, &options, "-Dkafka.logs.dir=$LOG_DIR");
    charmi_words_add(plan->arena, &options, "$KAFKA_OPTS");
    const struct charmi_words java =
        lab_java_command(plan->arena, plan->java, "worker", &options,
                         "org.apache.kafka.connect.cli.ConnectDistributed");
    return charm_arena_printf(
        plan->arena,
        "#!/bin/sh\n"
        ": \"${LOG_DIR:=%s/logs}\"\n"
        "mkdir -p \"$LOG_DIR\" && : >\"$LOG_DIR/connectDistributed.out\" || {\n"
        "    echo \"cannot write logs to $LOG_DIR (LOG_DIR)\" >&2\n"
        "    exit 1\n"
        "}\n"
        "exec %s \"$@\"\n",
        plan->host->mounts ? IMAGE_ROOT
                           : charm_arena_printf(plan->arena, "%s/image", plan->pod->dir),
        charmi_words_join(plan->arena, &java, " "));
}

static int make_image(struct plan *plan, struct charm_error *reterr)
{
    const char *image = charm_arena_printf(plan->arena, "%s/image", plan->pod->dir);
    int code = make_dir(image, reterr);
    static const char *const dirs[] = { "bin", "libs", "logs" };
    for (size_t i = 0; code == 0 && i < CHARMI_COUNT(dirs); i++) {
        code = make_dir(charm_arena_printf(plan->arena, "%s/%s", image, dirs[i]), reterr);
    }
    if (code == 0) {
        code = write_file(charm_arena_printf(plan->arena, "%s/bin/connect-distributed.sh", image),
                          start_script(plan), 0755, reterr);
    }
    add_bind(plan, image, IMAGE_ROOT, plan->worker->sandbox.read_only);
    /* The image has its jars side by side in libs/; only the file connectors' is not on our class path. */
    const char *connectors =
        charm_arena_printf(plan->arena, "%s/connect-file", plan->java->plugins);
    if (access(connectors, R_OK) == 0) {
        add_bind(plan, connectors, IMAGE_ROOT "/libs", true);
    }
    return code;
}

static int write_hosts(struct plan *plan, struct charm_error *reterr)
{
    const char *path = charm_arena_printf(plan->arena, "%s/hosts", plan->pod->dir);
    add_bind(plan, path, "/etc/hosts", false);
    return write_file(path,
                      charm_arena_printf(plan->arena,
                                         "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n"
                                         "%s\t%s\n",
                                         plan->pod->address, plan->pod->name),
                      0644, reterr);
}

/*
 * A cluster's name server knows no name of these addresses, and says so at once; so does the pod's own port 53, where nobody
 * listens. Without it a Java client over TLS, which asks for its broker's name, waits ten seconds for each connection.
 */
static int write_resolver(struct plan *plan, struct charm_error *reterr)
{
    const char *path = charm_arena_printf(plan->arena, "%s/resolv.conf", plan->pod->dir);
    if (access("/etc/resolv.conf", F_OK) != 0) {
        return 0;
    }
    add_bind(plan, path, "/etc/resolv.conf", false);
    return write_file(path, "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", 0644, reterr);
}

/* ---- paths ---- */

/* Without a root of its own, the worker gets the machine's path for one of the pod. */
static const char *own_path(struct plan *plan, const char *word)
{
    const struct lab_sandbox *sandbox = &plan->worker->sandbox;
    for (size_t i = 0; !plan->host->mounts && i < sandbox->bind_count; i++) {
        const struct lab_bind *it = &sandbox->binds[i];
        if (is_below(word, it->target)) {
            const char *own =
                charm_arena_printf(plan->arena, "%s%s", it->source, word + strlen(it->target));
            differ(plan, charm_arena_printf(plan->arena, "%s -> %s", word, own));
            return own;
        }
    }
    return word;
}

/* ---- environment ---- */

static int field_value(const struct plan *plan, const char *path, const char **ret_value,
                       struct charm_error *reterr)
{
    if (charmi_same(path, "status.podIP")) {
        *ret_value = plan->pod->address;
    } else if (charmi_same(path, "status.hostIP")) {
        *ret_value = plan->host->node_address;
    } else if (charmi_same(path, "metadata.name")) {
        *ret_value = plan->pod->name;
    } else if (charmi_same(path, "metadata.namespace")) {
        *ret_value = "default";
    } else if (charmi_same(path, "spec.nodeName")) {
        *ret_value = "lab-node";
    } else {
        return charm_error_set(reterr, CHARM_ENOTFOUND,
                               "CreateContainerConfigError: the lab plays no field %s", path);
    }
    return 0;
}

static int env_value(const struct plan *plan, const struct charm_value *item,
                     const char **ret_value, struct charm_error *reterr)
{
    const struct charm_value *from = charm_value_get(item, "valueFrom");
    if (from == NULL) {
        *ret_value = charm_text(charm_value_get(item, "value"));
        return 0;
    }
    const struct charm_value *field = charm_value_get(from, "fieldRef");
    if (field != NULL) {
        return field_value(plan, charm_text(charm_value_get(field, "fieldPath")), ret_value,
                           reterr);
    }
    const struct charm_value *key = charm_value_get(from, "configMapKeyRef");
    const char *map = charm_text(charm_value_get(key, "name"));
    const struct charm_value *data =
        key == NULL ? NULL : plan->host->config_map(plan->host->userdata, map);
    const struct charm_value *value =
        charm_value_get(data, charm_text(charm_value_get(key, "key")));
    if (value == NULL) {
        return charm_error_set(reterr, CHARM_ENOTFOUND,
                               "CreateContainerConfigError: no value for %s",
                               charm_text(charm_value_get(item, "name")));
    }
    *ret_value = charm_text(value);
    return 0;
}

static int add_env(struct plan *plan, struct charm_error *reterr)
{
    struct charmi_words *env = &plan->worker->env;
    const struct charm_value *items = charm_value_get(plan->container, "env");
    *env = lab_java_environment(plan->arena);
    charmi_words_add(plan->arena, env,
                     charm_arena_printf(plan->arena, "HOSTNAME=%s", plan->pod->name));
    for (size_t i = 0; i < charm_value_size(items); i++) {
        const struct charm_value *item = charm_value_at(items, i);
        const char *value = NULL;
        const int code = env_value(plan, item, &value, reterr);
        if (code != 0) {
            return code;
        }
        charmi_words_add(plan->arena, env,
                         charm_arena_printf(plan->arena, "%s=%s",
                                            charm_text(charm_value_get(item, "name")),
                                            own_path(plan, value)));
    }
    return 0;
}

/* ---- the command ---- */

static void add_words(struct plan *plan, const struct charm_value *list)
{
    for (size_t i = 0; i < charm_value_size(list); i++) {
        const char *word = charm_text(charm_value_at(list, i));
        charmi_words_add(plan->arena, &plan->worker->argv, own_path(plan, word));
    }
}

/* The tag of an image, as it stands behind the last colon after the last slash. */
static const char *tag_of(const char *image)
{
    const char *slash = strrchr(image, '/');
    const char *colon = strchr(slash == NULL ? image : slash, ':');
    return colon == NULL ? "latest" : colon + 1;
}

static bool is_image(const char *image, const char *repository)
{
    const char *const starts[] = { "docker.io/", "" };
    for (size_t i = 0; i < CHARMI_COUNT(starts); i++) {
        const char *rest = image + (charmi_starts_with(image, starts[i]) ? strlen(starts[i]) : 0);
        const size_t size = strlen(repository);
        if (strncmp(rest, repository, size) == 0 && (rest[size] == '\0' || rest[size] == ':')) {
            return true;
        }
    }
    return false;
}

static bool is_old_image(const struct plan *plan)
{
    const char *image = charm_text(charm_value_get(plan->container, "image"));
    return is_image(image, "sborny/kafka-connect-base");
}

/* What the image holds: the Kafka of the lab's brokers, or, in the original's image, Connect 0.10.1.1. */
static int open_image(struct plan *plan, struct charm_error *reterr)
{
    plan->java = &plan->host->java;
    if (!is_old_image(plan)) {
        return 0;
    }
    struct lab_java *old = charm_arena_alloc(plan->arena, sizeof(*old));
    const char *home = plan->host->java.home;
    const char *slash = strrchr(home, '/');
    const char *beside = charm_arena_printf(plan->arena, "%.*s/" OLD_VERSION,
                                            (int)(slash == NULL ? 0 : slash - home), home);
    plan->java = old;
    return lab_java_find(plan->arena, beside, plan->pod->dir, old, NULL) == 0
               ? 0
               : charm_error_set(reterr, CHARM_ENOTFOUND,
                                 "ImagePullBackOff: the lab has no Connect " OLD_VERSION
                                 " (no jars in %s/libs; tools/prerequisites fetches them)",
                                 beside);
}

static int add_command(struct plan *plan, struct charm_error *reterr)
{
    const char *image = charm_text(charm_value_get(plan->container, "image"));
    const struct charm_value *command = charm_value_get(plan->container, "command");
    if (is_old_image(plan) && charm_value_size(command) == 0) {
        /* its entry script does no more */
        charmi_words_add(plan->arena, &plan->worker->argv, own_path(plan, START_SCRIPT));
        charmi_words_add(plan->arena, &plan->worker->argv,
                         own_path(plan, "/etc/config/connect-distributes.properties"));
        return 0;
    }
    if (!is_old_image(plan) && !is_image(image, "apache/kafka")) {
        return charm_error_set(reterr, CHARM_ENOTFOUND,
                               "ImagePullBackOff: Back-off pulling image \"%s\" (the lab has "
                               "apache/kafka and sborny/kafka-connect-base)",
                               image);
    }
    const char *ours = strrchr(plan->java->home, '/') + 1;
    if (!is_old_image(plan) && !charmi_same(tag_of(image), ours)) {
        differ(plan, charm_arena_printf(plan->arena, "image: %s -> Kafka %s", image, ours));
    }
    if (charm_value_size(command) == 0) {
        return charm_error_set(reterr, CHARM_ENOTFOUND,
                               "RunContainerError: image %s without a command starts a broker, not "
                               "a worker: the lab does not play that",
                               image);
    }
    add_words(plan, command);
    add_words(plan, charm_value_get(plan->container, "args"));
    return 0;
}

static void set_sandbox(struct plan *plan)
{
    const struct charm_value *read_only =
        charm_value_path(plan->container, "securityContext", "readOnlyRootFilesystem", NULL);
    plan->worker->sandbox = (struct lab_sandbox){
        .network = lab_net_kind_now() == LAB_NET_PRIVATE,
        .mounts = plan->host->mounts,
        .read_only = charm_value_true(read_only),
        .root = charm_arena_printf(plan->arena, "%s/root", plan->pod->dir),
        .hostname = plan->pod->name,
        .address = plan->pod->address,
        .link = charm_arena_printf(plan->arena, "worker%d", plan->pod->number),
        .daemon = getpid(),
    };
}

int lab_worker_plan(struct charm_arena *arena, const struct lab_worker_host *host,
                    const struct lab_worker_pod *pod, struct lab_worker *ret_worker,
                    struct charm_error *reterr)
{
    struct lab_worker worker = { 0 };
    struct plan plan = {
        .arena = arena,
        .host = host,
        .pod = pod,
        .container = charm_value_at(charm_value_get(pod->spec, "containers"), 0),
        .worker = &worker,
    };
    set_sandbox(&plan);
    int code = make_dir(worker.sandbox.root, reterr);
    code = code != 0 ? code : open_image(&plan, reterr);
    code = code != 0 ? code : make_image(&plan, reterr);
    code = code != 0 ? code : mount_volumes(&plan, reterr);
    code = code != 0 ? code : write_hosts(&plan, reterr);
    code = code != 0 ? code : write_resolver(&plan, reterr);
    code = code != 0 ? code : add_env(&plan, reterr);
    code = code != 0 ? code : add_command(&plan, reterr);
    if (code != 0) {
        return code;
    }
    keep_visible(&plan, plan.java->home);
    keep_visible(&plan, plan.java->log_config);
    for (size_t i = 0; i < host->shared.size; i++) {
        keep_visible(&plan, host->shared.at[i]);
    }
    *ret_worker = worker;
    return 0;
}
