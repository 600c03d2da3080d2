/*
 * A real broker and real workers from hand-written manifests, without a charm: the lab's own life.
 *
 * Usage: cluster_test private|loopback|auto|bare [DIR]; bare is the loopback without mount namespaces. Without DIR it works in one of its own, and removes it when all
 * went well. Exit status 77: this network cannot be made here.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "lab/app.h"
#include "lab/broker.h"
#include "lab/cluster.h"
#include "lab/net.h"

enum {
    PATIENCE_MS = 180 * 1000,
};

struct life {
    struct charm_arena *arena;
    const char *dir;
    bool bare;
    struct lab_broker broker;
    struct lab_cluster *cluster;
    pid_t youngest;               /* the worker started last */
    struct charmi_words replaced; /* keys of the rendered file that the lab said it replaces */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static _Noreturn void fail(struct life *life, const char *what)
{
    printf("FAILED: %s (look into %s)\n", what, life->dir);
    lab_cluster_free(life->cluster);
    lab_broker_release(&life->broker);
    exit(1);
}

/* Keys of the file alone: a small machine has a smaller heap, and without mounts paths differ. */
static void note_replaced(struct life *life, const char *text)
{
    const char *start = "the lab replaces ";
    const char *key = strstr(text, start);
    if (key == NULL) {
        return;
    }
    key += strlen(start);
    key = charm_arena_copy_n(life->arena, key, strcspn(key, ":"));
    if (key[0] != '/' && strcmp(key, "KAFKA_HEAP_OPTS") != 0 &&
        !charmi_words_have(&life->replaced, key)) {
        charmi_words_add(life->arena, &life->replaced, key);
    }
}

static void say(void *userdata, const char *level, const char *text)
{
    struct life *life = userdata;
    const char *pid = strstr(text, "(pid ");
    if (strstr(text, "started worker") != NULL && pid != NULL) {
        life->youngest = (pid_t)strtol(pid + strlen("(pid "), NULL, 10);
    }
    note_replaced(life, text);
    printf("  %-7s %s\n", level, text);
}

/* ---- waiting for something to become true ---- */

typedef bool (*question_fn)(struct life *life);

static void pass_time(struct life *life)
{
    const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
    nanosleep(&pause, NULL);
    lab_broker_tick(&life->broker, now_ms());
    if (life->cluster != NULL) {
        lab_cluster_tick(life->cluster, now_ms());
    }
}

static void wait_for(struct life *life, const char *what, question_fn question)
{
    const int64_t start = now_ms();
    while (!question(life)) {
        if (now_ms() - start > PATIENCE_MS) {
            fail(life, what);
        }
        pass_time(life);
    }
    printf("%s: after %.1f s\n", what, (double)(now_ms() - start) / 1000);
}

static int64_t status_number(struct life *life, const char *key)
{
    const struct charm_value *live =
        lab_cluster_get(life->cluster, life->arena, "Deployment", "depl");
    return charm_value_int(charm_value_path(live, "status", key, NULL), 0);
}

static int64_t node_port(struct life *life)
{
    const struct charm_value *live = lab_cluster_get(life->cluster, life->arena, "Service", "svc");
    const struct charm_value *ports = charm_value_path(live, "spec", "ports", NULL);
    return charm_value_int(charm_value_get(charm_value_at(ports, 0), "nodePort"), 0);
}

static bool broker_is_ready(struct life *life)
{
    return life->broker.state == LAB_BROKER_READY;
}

static bool one_is_ready(struct life *life)
{
    return status_number(life, "readyReplicas") == 1 && status_number(life, "replicas") == 1;
}

static bool two_are_ready(struct life *life)
{
    return status_number(life, "readyReplicas") == 2;
}

static bool none_is_ready(struct life *life)
{
    return status_number(life, "readyReplicas") == 0;
}

static bool is_rolled_out(struct life *life, int64_t replicas)
{
    const struct charm_value *live =
        lab_cluster_get(life->cluster, life->arena, "Deployment", "depl");
    const int64_t generation =
        charm_value_int(charm_value_path(live, "metadata", "generation", NULL), -1);
    return status_number(life, "observedGeneration") == generation &&
           status_number(life, "updatedReplicas") == replicas &&
           status_number(life, "replicas") == replicas &&
           status_number(life, "availableReplicas") == replicas;
}

static bool rolled_out(struct life *life)
{
    return is_rolled_out(life, 2);
}

static bool one_is_rolled_out(struct life *life)
{
    return is_rolled_out(life, 1);
}

static bool nothing_runs(struct life *life)
{
    return lab_cluster_pods(life->cluster) == 0;
}

/* ---- the manifests ---- */

static const char template_text[] =
    "[{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"cfg\", "
    "\"labels\": {\"own\": \"test\"}}, \"data\": {\"connect-distributes.properties\": \"%s\"}},"
    "{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"svc\", "
    "\"labels\": {\"own\": \"test\"}}, \"spec\": {\"type\": \"NodePort\", \"selector\": {\"app\": "
    "\"x\"}, \"ports\": [{\"port\": 8083}]}},"
    "{\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\", \"metadata\": {\"name\": \"depl\", "
    "\"labels\": {\"own\": \"test\"}}, \"spec\": {\"replicas\": %d, \"selector\": "
    "{\"matchLabels\": "
    "{\"app\": \"x\"}}, \"template\": {\"metadata\": {\"labels\": {\"app\": \"x\"}, "
    "\"annotations\": {\"sum\": \"%s\"}}, \"spec\": {\"terminationGracePeriodSeconds\": 10, "
    "\"containers\": [{\"name\": \"worker\", \"image\": \"apache/kafka:4.3.1\", \"command\": "
    "[\"/opt/kafka/bin/connect-distributed.sh\", "
    "\"/etc/config/connect-distributes.properties\"], \"env\": [{\"name\": \"KAFKA_HEAP_OPTS\", "
    "\"value\": \"-Xms256m -Xmx1g\"}, {\"name\": \"LOG_DIR\", \"value\": \"/logs\"}, {\"name\": "
    "\"POD_IP\", \"valueFrom\": {\"fieldRef\": {\"fieldPath\": \"status.podIP\"}}}], \"ports\": "
    "[{\"containerPort\": 8083, \"name\": \"rest\"}], \"securityContext\": "
    "{\"readOnlyRootFilesystem\": true}, \"readinessProbe\": {\"httpGet\": {\"path\": \"/health\", "
    "\"port\": \"rest\"}, \"periodSeconds\": 1, \"timeoutSeconds\": 5}, \"volumeMounts\": "
    "[{\"name\": \"config\", \"mountPath\": \"/etc/config\"}, {\"name\": \"logs\", \"mountPath\": "
    "\"/logs\"}, {\"name\": \"tmp\", \"mountPath\": \"/tmp\"}]}], \"volumes\": [{\"name\": "
    "\"config\", \"configMap\": {\"name\": \"cfg\"}}, {\"name\": \"logs\", \"emptyDir\": {}}, "
    "{\"name\": \"tmp\", \"emptyDir\": {}}]}}}}]";

static const char *properties(struct life *life)
{
    return charm_arena_printf(
        life->arena,
        "bootstrap.servers=%s:%d\\n"
        "group.id=lab\\n"
        "config.storage.topic=lab.connectconfigs\\n"
        "offset.storage.topic=lab.connectoffsets\\n"
        "status.storage.topic=lab.connectstatus\\n"
        "config.storage.replication.factor=1\\n"
        "offset.storage.replication.factor=1\\n"
        "status.storage.replication.factor=1\\n"
        "key.converter=org.apache.kafka.connect.storage.StringConverter\\n"
        "value.converter=org.apache.kafka.connect.storage.StringConverter\\n"
        "plugin.path=/opt/kafka/libs\\n"
        "config.providers=env\\n"
        "config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider\\n"
        "rest.advertised.host.name=${env:POD_IP}\\n"
        "listeners=http://0.0.0.0:8083\\n",
        life->broker.address, life->broker.port);
}

static void apply(struct life *life, int replicas, const char *sum)
{
    charmi_auto_buf struct charmi_buf text = charmi_buf_init(64 * 1024);
    charmi_buf_addf(&text, template_text, properties(life), replicas, sum);
    struct charm_value *list = NULL;
    struct charm_error error = { 0 };
    if (charm_value_parse(life->arena, charmi_buf_text(&text), text.size, &list, &error) != 0) {
        fail(life, error.text);
    }
    for (size_t i = 0; i < charm_value_size(list); i++) {
        if (lab_cluster_apply(life->cluster, charm_value_at(list, i), &error) != 0) {
            fail(life, error.text);
        }
    }
}

/* Asks the workers' REST port through the Service. */
static void ask(struct life *life)
{
    char command[300];
    snprintf(command, sizeof(command),
             "curl -sS -m 5 http://%s:%" PRId64
             "/connector-plugins | grep -o FileStreamSinkConnector",
             lab_cluster_node(life->cluster), node_port(life));
    if (system(command) != 0) { /* NOLINT(cert-env33-c): a test's shell */
        fail(life, "GET /connector-plugins through the Service");
    }
}

/* ---- the life ---- */

static void start_parts(struct life *life)
{
    struct charm_error error = { 0 };
    const char *broker_dir = charm_arena_printf(life->arena, "%s/broker", life->dir);
    const char *pods_dir = charm_arena_printf(life->arena, "%s/pods", life->dir);
    mkdir(life->dir, 0755);
    mkdir(broker_dir, 0755);
    mkdir(pods_dir, 0755);
    const char *home = getenv("LAB_KAFKA_HOME");
    const char *address = lab_net_address(life->arena, LAB_NET_BROKER, 0);
    const struct lab_cluster_options options = {
        .dir = pods_dir,
        .kafka_home = home,
        .bare = life->bare,
        .back_off_ms = 500,
        .say = say,
        .userdata = life,
    };
    const struct lab_broker_options broker = {
        .home = home, .dir = broker_dir, .address = address, .id = 1
    };
    if (lab_broker_init(&life->broker, &broker, &error) != 0) {
        fail(life, error.text);
    }
    lab_broker_join(&life->broker, lab_broker_voter(&life->broker), 1);
    if (lab_broker_start(&life->broker, "", &error) != 0 ||
        lab_cluster_new(&options, &life->cluster, &error) != 0) {
        fail(life, error.text);
    }
}

static void begin(struct life *life)
{
    wait_for(life, "the broker is ready", broker_is_ready);
    apply(life, 1, "1");
    wait_for(life, "one worker is ready", one_is_ready);
    ask(life);
}

static void scale_roll_and_kill(struct life *life)
{
    apply(life, 2, "1");
    wait_for(life, "two workers are ready", two_are_ready);
    apply(life, 2, "2");
    pass_time(life);
    wait_for(life, "rolled to another template", rolled_out);
    ask(life);
    apply(life, 1, "2");
    wait_for(life, "scaled down", one_is_ready);
    apply(life, 1, "3");
    pass_time(life);
    wait_for(life, "rolled with one replica", one_is_rolled_out);
    kill(life->youngest, SIGKILL);
    wait_for(life, "killed: not ready", none_is_ready);
    wait_for(life, "ready again", one_is_ready);
}

/* The file is used as it was rendered, but for what a network without namespaces cannot give; that is said. */
static void compare_replaced(struct life *life)
{
    charmi_words_sort(&life->replaced);
    const char *said = charmi_words_join(life->arena, &life->replaced, " ");
    const char *expected = lab_net_kind_now() == LAB_NET_PRIVATE ? ""
                           : life->bare ? "listeners plugin.path rest.advertised.host.name"
                                        : "listeners rest.advertised.host.name";
    if (strcmp(said, expected) != 0) {
        fail(life, charm_arena_printf(life->arena, "replaced is '%s', not '%s'", said, expected));
    }
}

static void end(struct life *life)
{
    lab_cluster_delete_labelled(life->cluster, "own", "test");
    wait_for(life, "withdrawn", nothing_runs);
}

int main(int argc, char **argv)
{
    const char *description = NULL;
    struct charm_error error = { 0 };
    char own_dir[] = "/tmp/lab-real-XXXXXX";
    if (argc < 2 || mkdtemp(own_dir) == NULL) {
        fprintf(stderr, "usage: %s private|loopback|auto|bare [DIR]\n", argv[0]);
        return 2;
    }
    const bool bare = strcmp(argv[1], "bare") == 0;
    if (lab_net_enter(bare ? "loopback" : argv[1], own_dir, &description, &error) != 0) {
        printf("SKIPPED: %s\n", error.text);
        return 77;
    }
    printf("network: %s\n", description);
    struct life life = { .arena = charm_arena_new(),
                         .dir = argc > 2 ? argv[2] : own_dir,
                         .bare = bare };
    start_parts(&life);
    begin(&life);
    if (!bare) {
        scale_roll_and_kill(&life);
    }
    end(&life);
    compare_replaced(&life);
    lab_cluster_free(life.cluster);
    lab_broker_release(&life.broker);
    const char *remove = charm_arena_printf(life.arena, "rm -rf %s", own_dir);
    const int code = system(remove); /* NOLINT(cert-env33-c): a path of ours */
    charm_arena_free(life.arena);
    return code == 0 ? 0 : 1;
}
