#include "lab/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "lab/net.h"

/* One fixed cluster id: 16 bytes in base64url, as StorageTool random-uuid makes them. */
static const char cluster_id[] = "bGFiLWthZmthLWNsdXN0ZQ";

enum { STOP_GRACE_MS = 15000, MOST_REPLICAS = 3 };

const char *lab_broker_state_name(enum lab_broker_state state)
{
    static const char *const names[] = {
        [LAB_BROKER_STOPPED] = "stopped",   [LAB_BROKER_FORMATTING] = "formatting",
        [LAB_BROKER_STARTING] = "starting", [LAB_BROKER_READY] = "ready",
        [LAB_BROKER_STOPPING] = "stopping", [LAB_BROKER_FAILED] = "failed",
    };
    return names[state];
}

static const char *path_of(const struct lab_broker *broker, const char *name)
{
    return charm_arena_printf(broker->arena, "%s/%s", broker->dir, name);
}

static int choose_ports(struct lab_broker *broker, struct charm_error *reterr)
{
    /* 9092 as people know it, when nobody has it */
    broker->port =
        lab_net_is_free(broker->address, 9092) ? 9092 : lab_net_free_port(broker->address);
    broker->controller_port = lab_net_free_port(broker->address);
    broker->listeners = lab_listeners_choose(broker->address, broker->port);
    if (broker->port == 0 || broker->controller_port == 0) {
        return charm_error_set(reterr, CHARM_EFAILED, "start the broker: no free port on %s",
                               broker->address);
    }
    return 0;
}

/* Before 2.8 Kafka had its controllers' quorum in ZooKeeper; the folder's name is the version. */
static bool wants_zookeeper(const char *home)
{
    const char *slash = strrchr(home, '/');
    char *end = NULL;
    const long major = strtol(slash == NULL ? home : slash + 1, &end, 10);
    return *end == '.' && (major < 2 || (major == 2 && strtol(end + 1, NULL, 10) < 8));
}

int lab_broker_init(struct lab_broker *broker, const struct lab_broker_options *options,
                    struct charm_error *reterr)
{
    struct charm_arena *arena = charm_arena_new();
    *broker = (struct lab_broker){ .arena = arena,
                                   .dir = charm_arena_copy(arena, options->dir),
                                   .address = charm_arena_copy(arena, options->address),
                                   .id = options->id,
                                   .security = options->security };
    const int code = lab_java_find(arena, charm_arena_copy(arena, options->home), broker->dir,
                                   &broker->java, reterr);
    if (code != 0) {
        return code;
    }
    broker->with_zookeeper = wants_zookeeper(broker->java.home);
    return choose_ports(broker, reterr);
}

const char *lab_broker_voter(const struct lab_broker *broker)
{
    return charm_arena_printf(broker->arena, "%d@%s:%d", broker->id, broker->address,
                              broker->controller_port);
}

void lab_broker_join(struct lab_broker *broker, const char *voters, int voter_count)
{
    broker->voters = charm_arena_copy(broker->arena, voters);
    broker->voter_count = voter_count;
}

int lab_broker_port(const struct lab_broker *broker, const char *listener)
{
    return lab_listeners_port(&broker->listeners, listener);
}

/* ---- server.properties: kafka-connect.md 9.3 ---- */

static bool votes(const struct lab_broker *broker)
{
    return strstr(charm_arena_printf(broker->arena, ",%s,", broker->voters),
                  charm_arena_printf(broker->arena, ",%s,", lab_broker_voter(broker))) != NULL;
}

/* For clients; the controllers' is beside them. */
static const char *listeners_of(const struct lab_broker *broker)
{
    return broker->security != NULL ? lab_listeners_text(broker->arena, &broker->listeners)
                                    : charm_arena_printf(broker->arena, "PLAINTEXT://%s:%d",
                                                         broker->address, broker->port);
}

static void add_kraft(const struct lab_broker *broker, struct charmi_buf *buf)
{
    const char *own = listeners_of(broker);
    charmi_buf_addf(buf,
                    "node.id=%d\n"
                    "controller.quorum.voters=%s\n"
                    "controller.listener.names=CONTROLLER\n"
                    "inter.broker.listener.name=PLAINTEXT\n"
                    "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n",
                    broker->id, broker->voters);
    if (votes(broker)) {
        charmi_buf_addf(buf,
                        "process.roles=broker,controller\n"
                        "listeners=%s,CONTROLLER://%s:%d\n",
                        own, broker->address, broker->controller_port);
    } else {
        charmi_buf_addf(buf, "process.roles=broker\nlisteners=%s\n", own);
    }
    charmi_buf_addf(buf, "advertised.listeners=%s\n", own);
}

static void add_zookeeper(const struct lab_broker *broker, struct charmi_buf *buf)
{
    charmi_buf_addf(buf,
                    "broker.id=%d\n"
                    "listeners=PLAINTEXT://%s:%d\n"
                    "advertised.listeners=PLAINTEXT://%s:%d\n",
                    broker->id, broker->address, broker->port, broker->address, broker->port);
    charmi_buf_addf(buf,
                    "zookeeper.connect=%s:%d\n"
                    "zookeeper.connection.timeout.ms=60000\n",
                    broker->address, broker->controller_port);
}

static void add_properties(const struct lab_broker *broker, struct charmi_buf *buf)
{
    const int replicas = broker->voter_count < MOST_REPLICAS ? broker->voter_count : MOST_REPLICAS;
    (broker->with_zookeeper ? add_zookeeper : add_kraft)(broker, buf);
    charmi_buf_addf(buf, "log.dirs=%s\n", path_of(broker, "data"));
    charmi_buf_addf(buf,
                    "auto.create.topics.enable=false\n"
                    "offsets.topic.replication.factor=%d\n"
                    "offsets.topic.num.partitions=5\n"
                    "transaction.state.log.replication.factor=%d\n"
                    "transaction.state.log.min.isr=1\n"
                    "transaction.state.log.num.partitions=5\n"
                    "share.coordinator.state.topic.replication.factor=%d\n"
                    "share.coordinator.state.topic.min.isr=1\n"
                    "group.initial.rebalance.delay.ms=0\n"
                    "log.cleaner.dedupe.buffer.size=16777216\n",
                    replicas, replicas, replicas);
    if (broker->security != NULL) {
        lab_security_add_lines(broker->security, buf);
    }
    charmi_buf_add(buf, broker->extra);
    charmi_buf_add(buf, "\n");
}

static int write_file(const char *path, const char *text, struct charm_error *reterr)
{
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        return charm_error_os(reterr, errno, "write %s", path);
    }
    const int put = fputs(text, file);
    if (fclose(file) != 0 || put < 0) {
        return charm_error_os(reterr, errno, "write %s", path);
    }
    return 0;
}

static int write_properties(const struct lab_broker *broker, struct charm_error *reterr)
{
    charmi_auto_buf struct charmi_buf buf = charmi_buf_init(256 * 1024);
    add_properties(broker, &buf);
    return write_file(path_of(broker, "server.properties"), charmi_buf_text(&buf), reterr);
}

/* ---- the processes ---- */

static int run(struct lab_broker *broker, struct lab_child *child, const char *program,
               const char *main_class, const char *const *arguments, struct charm_error *reterr)
{
    struct charm_arena *arena = broker->arena;
    struct charmi_words options = { 0 };
    charmi_words_add(arena, &options, "-Xmx256m");
    if (broker->with_zookeeper) { /* it looks for a log4j 1 that is not there on a new Java */
        charmi_words_add(arena, &options, "-Dzookeeper.jmx.log4j.disable=true");
    }
    struct charmi_words argv =
        lab_java_command(arena, &broker->java, program, &options, main_class);
    for (size_t i = 0; arguments[i] != NULL; i++) {
        charmi_words_add(arena, &argv, arguments[i]);
    }
    const struct charmi_words env = lab_java_environment(arena);
    const struct lab_child_plan plan = {
        .argv = argv.at,
        .env = env.at,
        .log = path_of(broker, child == &broker->zookeeper ? "zookeeper.log" : "broker.log"),
    };
    return lab_child_start(child, &plan, reterr);
}

static int run_format(struct lab_broker *broker, struct charm_error *reterr)
{
    static const char *const first[] = { "format", "-t", cluster_id, "-c", NULL };
    struct charmi_words arguments = { 0 };
    for (size_t i = 0; first[i] != NULL; i++) {
        charmi_words_add(broker->arena, &arguments, first[i]);
    }
    charmi_words_add(broker->arena, &arguments, path_of(broker, "server.properties"));
    if (broker->security != NULL) {
        lab_security_add_format(broker->security, &arguments);
    }
    broker->state = LAB_BROKER_FORMATTING;
    return run(broker, &broker->child, "format", "kafka.tools.StorageTool", arguments.at, reterr);
}

static int run_zookeeper(struct lab_broker *broker, struct charm_error *reterr)
{
    if (!broker->with_zookeeper || broker->zookeeper.pid != 0) {
        return 0;
    }
    const char *file = path_of(broker, "zookeeper.properties");
    const char *text =
        charm_arena_printf(broker->arena,
                           "tickTime=2000\ndataDir=%s\nclientPort=%d\nclientPortAddress=%s\n"
                           "maxClientCnxns=0\n",
                           path_of(broker, "zookeeper"), broker->controller_port, broker->address);
    const int code = write_file(file, text, reterr);
    return code != 0 ? code
                     : run(broker, &broker->zookeeper, "zookeeper",
                           "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                           (const char *const[]){ file, NULL }, reterr);
}

/* The pid lies in a file, so that a test can kill the broker as a crash would. */
static void write_pid(const struct lab_broker *broker)
{
    FILE *file = fopen(path_of(broker, "broker.pid"), "we");
    if (file != NULL) {
        fprintf(file, "%d\n", (int)broker->child.pid);
        CHARMI_IGNORE(fclose(file), "only a convenience");
    }
}

static int run_server(struct lab_broker *broker, struct charm_error *reterr)
{
    struct stat log = { 0 };
    broker->log_read = stat(path_of(broker, "broker.log"), &log) == 0 ? log.st_size : 0;
    const char *const arguments[] = { path_of(broker, "server.properties"), NULL };
    int code = run_zookeeper(broker, reterr);
    if (code == 0) {
        code = run(broker, &broker->child, "broker", "kafka.Kafka", arguments, reterr);
    }
    if (code == 0) {
        broker->state = LAB_BROKER_STARTING;
        write_pid(broker);
    }
    return code;
}

int lab_broker_start(struct lab_broker *broker, const char *extra, struct charm_error *reterr)
{
    if (broker->state != LAB_BROKER_STOPPED && broker->state != LAB_BROKER_FAILED) {
        return 0;
    }
    broker->extra = charm_arena_copy(broker->arena, extra == NULL ? "" : extra);
    const int code = write_properties(broker, reterr);
    if (code != 0) {
        return code;
    }
    const char *formatted = path_of(broker, "data/meta.properties");
    return broker->with_zookeeper || access(formatted, R_OK) == 0 ? run_server(broker, reterr)
                                                                  : run_format(broker, reterr);
}

void lab_broker_ask_stop(struct lab_broker *broker, int64_t now_ms)
{
    if (broker->child.pid == 0 || broker->state == LAB_BROKER_STOPPING) {
        return;
    }
    lab_child_signal(&broker->child, SIGTERM);
    broker->state = LAB_BROKER_STOPPING;
    broker->stop_by_ms = now_ms + STOP_GRACE_MS;
}

/* ---- going on ---- */

/* Has the log said, since the last look, that the server is up? */
static bool log_says_ready(struct lab_broker *broker)
{
    const int fd = open(path_of(broker, "broker.log"), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    const char *ready_line = broker->with_zookeeper ? "], started" : "Kafka Server started";
    bool ready = false;
    char text[16 * 1024];
    const size_t overlap = strlen(ready_line) + 1;
    ssize_t size = pread(fd, text, sizeof(text) - 1, broker->log_read);
    while (!ready && size > (ssize_t)overlap) {
        text[size] = '\0';
        ready = strstr(text, ready_line) != NULL;
        broker->log_read += size - (ssize_t)overlap; /* the line may lie across two reads */
        size = pread(fd, text, sizeof(text) - 1, broker->log_read);
    }
    close(fd);
    return ready;
}

static void fail(struct lab_broker *broker, const char *what)
{
    char how[64];
    lab_child_describe_end(&broker->child, how, sizeof(how));
    broker->state = LAB_BROKER_FAILED;
    snprintf(broker->failure, sizeof(broker->failure), "%s ended with %s, see %s", what, how,
             path_of(broker, "broker.log"));
}

static void after_end(struct lab_broker *broker)
{
    struct charm_error error = { 0 };
    if (broker->state == LAB_BROKER_STOPPING) {
        lab_child_stop(&broker->zookeeper, 5000);
        broker->state = LAB_BROKER_STOPPED;
    } else if (broker->state == LAB_BROKER_FORMATTING && broker->child.status == 0) {
        if (run_server(broker, &error) != 0) {
            fail(broker, "the broker");
        }
    } else {
        fail(broker, broker->state == LAB_BROKER_FORMATTING ? "formatting" : "the broker");
    }
}

bool lab_broker_tick(struct lab_broker *broker, int64_t now_ms)
{
    const enum lab_broker_state before = broker->state;
    if (before == LAB_BROKER_STOPPED || before == LAB_BROKER_FAILED) {
        return false;
    }
    if (!lab_child_running(&broker->child)) {
        after_end(broker);
    } else if (before == LAB_BROKER_STARTING && log_says_ready(broker)) {
        broker->state = LAB_BROKER_READY;
    } else if (before == LAB_BROKER_STOPPING && now_ms > broker->stop_by_ms) {
        lab_child_signal(&broker->child, SIGKILL);
    }
    return broker->state != before;
}

void lab_broker_release(struct lab_broker *broker)
{
    lab_child_stop(&broker->child, 5000);
    lab_child_stop(&broker->zookeeper, 5000);
    charm_arena_free(broker->arena);
    *broker = (struct lab_broker){ 0 };
}
