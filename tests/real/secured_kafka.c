/*
 * The charm's own Kafka client against a real broker that wants passwords and certificates, from lines of worker-config:
 * what must work, and the words of everything that can be wrong.
 *
 * Usage: secured_kafka KAFKA_HOME. Exit status 77: there is no such Kafka.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"
#include "kcb/client_settings.h"
#include "kcb/ports.h"
#include "kcb/properties.h"
#include "lab/app.h"
#include "lab/broker.h"
#include "lab/net.h"

enum {
    PATIENCE_MS = 120 * 1000,
    LOOK_MS = 8000,
};

/* Looked for in everything that is said. */
#define PASSWORD "hunter2-planted"
#define WRONG_PASSWORD "hunter3-planted"

struct life {
    struct charm_arena *arena;
    const char *dir;
    struct lab_security security;
    struct lab_broker broker;
    size_t topics; /* made so far */
    size_t failures;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static _Noreturn void give_up(struct life *life, const char *what)
{
    printf("FAILED: %s (look into %s)\n", what, life->dir);
    lab_broker_release(&life->broker);
    exit(1);
}

static void start_broker(struct life *life, const char *home)
{
    struct charm_error error = { 0 };
    const char *address = lab_net_address(life->arena, LAB_NET_BROKER, 0);
    const char *files = charm_arena_printf(life->arena, "%s/security", life->dir);
    const struct charmi_words addresses = charmi_split(life->arena, address, " ");
    const struct lab_broker_options how = {
        .home = home, .dir = life->dir, .address = address, .id = 1, .security = &life->security
    };
    if (lab_security_make(life->arena, files, &addresses, "connect=" PASSWORD, &life->security,
                          &error) != 0 ||
        lab_broker_init(&life->broker, &how, &error) != 0) {
        give_up(life, error.text);
    }
    lab_broker_join(&life->broker, lab_broker_voter(&life->broker), 1);
    if (lab_broker_start(&life->broker, NULL, &error) != 0) {
        give_up(life, error.text);
    }
    const int64_t start = now_ms();
    const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
    while (life->broker.state != LAB_BROKER_READY) {
        if (life->broker.state == LAB_BROKER_FAILED || now_ms() - start > PATIENCE_MS) {
            give_up(life, life->broker.failure);
        }
        nanosleep(&pause, NULL);
        lab_broker_tick(&life->broker, now_ms());
    }
    printf("broker ready after %.1f s\n", (double)(now_ms() - start) / 1000);
}

/* ---- lines of worker-config ---- */

/* A file of the lab's in one line, as people paste it. */
static const char *pem(struct life *life, const char *name)
{
    char text[16384] = "";
    const char *path = charm_arena_printf(life->arena, "%s/%s", life->security.dir, name);
    FILE *file = fopen(path, "re");
    const size_t size = file == NULL ? 0 : fread(text, 1, sizeof(text) - 1, file);
    if (file == NULL || fclose(file) != 0 || size == 0) {
        give_up(life, path);
    }
    const struct charmi_words lines = charmi_split(life->arena, text, "\n");
    return charmi_words_join(life->arena, &lines, "\\n");
}

static const char *trust(struct life *life, const char *authority)
{
    return charm_arena_printf(life->arena,
                              "ssl.truststore.type=PEM\nssl.truststore.certificates=%s\n",
                              pem(life, authority));
}

/* NAME.crt and NAME.key as text. */
static const char *identity(struct life *life, const char *name)
{
    const char *chain = pem(life, charm_arena_printf(life->arena, "%s.crt", name));
    const char *key = pem(life, charm_arena_printf(life->arena, "%s.key", name));
    return charm_arena_printf(life->arena,
                              "ssl.keystore.type=PEM\nssl.keystore.certificate.chain=%s\n"
                              "ssl.keystore.key=%s\n",
                              chain, key);
}

static const char *login(struct life *life, const char *protocol, const char *mechanism,
                         const char *user, const char *password)
{
    const bool plain = charmi_same(mechanism, "PLAIN");
    return charm_arena_printf(life->arena,
                              "security.protocol=%s\nsasl.mechanism=%s\n"
                              "sasl.jaas.config=org.apache.kafka.common.security.%s required "
                              "username=\"%s\" password=\"%s\";\n",
                              protocol, mechanism,
                              plain ? "plain.PlainLoginModule" : "scram.ScramLoginModule", user,
                              password);
}

/* ---- one case ---- */

static void wrong(struct life *life, const char *name, const char *what)
{
    printf("EXPECTED %s: %s\n", name, what);
    life->failures++;
}

static const struct charm_value *settings_of(struct life *life, const char *listener,
                                             const char *lines)
{
    struct charm_value *properties = NULL;
    struct charm_value *settings = NULL;
    struct charm_error error = { 0 };
    if (kcbi_properties_parse(life->arena, lines, &properties, &error) == 0) {
        charm_value_setf(properties, "bootstrap.servers", "%s:%d", life->broker.address,
                         lab_broker_port(&life->broker, listener));
        if (kcbi_client_settings(life->arena, properties, &settings, &error) == 0) {
            return settings;
        }
    }
    give_up(life, error.text);
}

static void works(struct life *life, const char *name, const char *listener, const char *lines)
{
    const struct kcb_ports *ports = &kcb_runtime_ports;
    const char *topic = charm_arena_printf(life->arena, "topic-%zu", ++life->topics);
    const char *const topics[] = { topic, NULL };
    const struct kcb_topic_spec spec = { topic, 1, 1, "compact" };
    struct kcb_topic_result result = { 0 };
    struct kcb_cluster_view view = { 0 };
    struct charm_error error = { 0 };
    const struct charm_value *settings = settings_of(life, listener, lines);
    const int64_t start = now_ms();
    int code = ports->kafka_create(ports->userdata, life->arena, settings, &spec, 1, LOOK_MS,
                                   &result, &error);
    for (int turn = 0; code == 0 && turn < 50; turn++) { /* reads lag writes */
        code = ports->kafka_look(ports->userdata, life->arena, settings, topics, LOOK_MS, &view,
                                 &error);
        if (code == 0 && view.topics[0].presence == KCB_TOPIC_PRESENT) {
            break;
        }
        usleep(100 * 1000);
    }
    if (code != 0 || result.code != 0 || !charmi_same(view.topics[0].cleanup_policy, "compact")) {
        wrong(life, name,
              charm_arena_printf(life->arena, "it works: code %d, topic %d, %s", code, result.code,
                                 error.text));
        return;
    }
    printf("ok: %s (%d ms)\n", name, (int)(now_ms() - start));
}

struct failing {
    const char *name;
    const char *listener;
    const char *lines;
    enum charm_code code;
    const char *words; /* pieces between `|`, all of them in the text */
};

static void fails(struct life *life, const struct failing *failing)
{
    const struct kcb_ports *ports = &kcb_runtime_ports;
    const char *const topics[] = { "t", NULL };
    struct kcb_cluster_view view = { 0 };
    struct charm_error error = { 0 };
    const struct charm_value *settings = settings_of(life, failing->listener, failing->lines);
    const int64_t start = now_ms();
    const int code =
        ports->kafka_look(ports->userdata, life->arena, settings, topics, LOOK_MS, &view, &error);
    printf("    %s (%d ms): %s\n", failing->name, (int)(now_ms() - start), error.text);
    if (code != (int)failing->code) {
        wrong(life, failing->name,
              charm_arena_printf(life->arena, "code %d, not %d", failing->code, code));
    }
    const struct charmi_words pieces = charmi_split(life->arena, failing->words, "|");
    for (size_t i = 0; i < pieces.size; i++) {
        if (strstr(error.text, pieces.at[i]) == NULL) {
            wrong(life, failing->name, pieces.at[i]);
        }
    }
    if (strstr(error.text, "planted") != NULL || strstr(error.text, "PRIVATE") != NULL) {
        wrong(life, failing->name, "no secret in it");
    }
}

/* ---- the cases ---- */

static void what_works(struct life *life)
{
    struct charm_arena *arena = life->arena;
    const char *dir = life->security.dir;
    const char *ca = trust(life, "ca.pem");
    const char *scram = login(life, "SASL_SSL", "SCRAM-SHA-512", "connect", PASSWORD);
    works(life, "SCRAM over TLS", "SASL_SSL", charm_arena_printf(arena, "%s%s", scram, ca));
    works(life, "SCRAM, the authority in a file", "SASL_SSL",
          charm_arena_printf(
              arena, "%sssl.truststore.type=PEM\nssl.truststore.location=%s/ca.pem\n", scram, dir));
    works(life, "PLAIN over TLS", "SASL_SSL",
          charm_arena_printf(arena, "%s%s", login(life, "SASL_SSL", "PLAIN", "connect", PASSWORD),
                             ca));
    works(life, "certificates as text", "SSL",
          charm_arena_printf(arena, "security.protocol=SSL\n%s%s", ca, identity(life, "connect")));
    works(life, "a certificate in a PEM file", "SSL",
          charm_arena_printf(arena,
                             "security.protocol=SSL\n%sssl.keystore.type=PEM\n"
                             "ssl.keystore.location=%s/connect.pem\n",
                             ca, dir));
    works(life, "a certificate in a PKCS12 store", "SSL",
          charm_arena_printf(arena,
                             "security.protocol=SSL\n%sssl.keystore.type=PKCS12\n"
                             "ssl.keystore.location=%s/connect.p12\n"
                             "ssl.keystore.password=p12-secret\n",
                             ca, dir));
    works(life, "another name, not looked at", "WRONG_NAME",
          charm_arena_printf(arena,
                             "security.protocol=SSL\n%s"
                             "ssl.endpoint.identification.algorithm=\n",
                             ca));
}

static void what_fails(struct life *life)
{
    struct charm_arena *arena = life->arena;
    const char *dir = life->security.dir;
    const char *ca = trust(life, "ca.pem");
    const char *other = trust(life, "other-ca.pem");
    const char *scram = login(life, "SASL_SSL", "SCRAM-SHA-512", "connect", PASSWORD);
    const char *wrong_password =
        login(life, "SASL_SSL", "SCRAM-SHA-512", "connect", WRONG_PASSWORD);
    const char *nobody = login(life, "SASL_SSL", "SCRAM-SHA-512", "nobody", PASSWORD);
    const char *wrong_plain = login(life, "SASL_SSL", "PLAIN", "connect", WRONG_PASSWORD);
    const char *mechanism = login(life, "SASL_SSL", "SCRAM-SHA-256", "connect", PASSWORD);
    const char *open_scram = login(life, "SASL_PLAINTEXT", "SCRAM-SHA-512", "connect", PASSWORD);
    const char *tls = "security.protocol=SSL\n";
#define LINES(...) charm_arena_printf(arena, __VA_ARGS__)
    const struct failing all[] = {
        { "wrong password", "SASL_SSL", LINES("%s%s", wrong_password, ca), CHARM_EREFUSED,
          "it refuses user name or password, see sasl.jaas.config" },
        { "wrong user", "SASL_SSL", LINES("%s%s", nobody, ca), CHARM_EREFUSED,
          "it refuses user name or password, see sasl.jaas.config" },
        { "wrong password, PLAIN", "SASL_SSL", LINES("%s%s", wrong_plain, ca), CHARM_EREFUSED,
          "it refuses user name or password, see sasl.jaas.config" },
        { "mechanism not offered", "SASL_SSL", LINES("%s%s", mechanism, ca), CHARM_EREFUSED,
          "it does not offer what sasl.mechanism asks for, but|SCRAM-SHA-512|PLAIN" },
        { "unknown authority", "SASL_SSL", LINES("%s%s", scram, other), CHARM_EREFUSED,
          "its certificate is of no authority that we trust|ssl.truststore.certificates" },
        { "no authority", "SASL_SSL", scram, CHARM_EREFUSED,
          "its certificate is of no authority that we trust|ssl.truststore.certificates" },
        { "another name", "WRONG_NAME", LINES("%s%s", tls, ca), CHARM_EREFUSED,
          "its certificate is for another name|(IP address mismatch)" },
        { "TLS to a plain port", "PLAINTEXT", LINES("%s%s", scram, ca), CHARM_EREFUSED,
          "it hangs up when TLS begins" },
        { "plain to a TLS port", "SSL", "", CHARM_EREFUSED, "most likely this port speaks TLS" },
        { "SASL without TLS to a TLS port", "SASL_SSL", open_scram, CHARM_EREFUSED,
          "most likely this port speaks TLS" },
        { "SASL to a port without", "SSL", LINES("%s%s%s", scram, ca, identity(life, "connect")),
          CHARM_EREFUSED, "this port wants no SASL" },
        { "SASL to a plain port", "PLAINTEXT", open_scram, CHARM_EREFUSED,
          "this port wants no SASL" },
        { "no SASL to a port with", "SASL_SSL", LINES("%s%s", tls, ca), CHARM_EREFUSED,
          "most likely this port wants SASL" },
        { "no certificate", "SSL", LINES("%s%s", tls, ca), CHARM_EREFUSED,
          "it wants a certificate of ours|ssl.keystore.certificate.chain" },
        { "a certificate of nobody", "SSL", LINES("%s%s%s", tls, ca, identity(life, "unknown")),
          CHARM_EREFUSED, "it knows none of the authorities that signed our certificate" },
        { "no such file", "SSL",
          LINES("%sssl.truststore.type=PEM\nssl.truststore.location=%s/none.pem\n", tls, dir),
          CHARM_EINVAL, "ssl.truststore.location|No such file" },
        { "no PEM in the file", "SSL",
          LINES("%sssl.truststore.type=PEM\nssl.truststore.location=%s/ca.key\n", tls, dir),
          CHARM_EINVAL, "ssl.truststore.location holds no certificates in PEM" },
        { "wrong password of a store", "SSL",
          LINES("%s%sssl.keystore.type=PKCS12\nssl.keystore.location=%s/"
                "connect.p12\nssl.keystore.password=" WRONG_PASSWORD "\n",
                tls, ca, dir),
          CHARM_EINVAL, "ssl.keystore.password does not open the store" },
        { "no store in the file", "SSL",
          LINES("%s%sssl.keystore.type=PKCS12\nssl.keystore.location=%s/"
                "ca.pem\nssl.keystore.password=" WRONG_PASSWORD "\n",
                tls, ca, dir),
          CHARM_EINVAL, "ssl.keystore.location is no PKCS12 store" },
        { "the key of another", "SSL",
          LINES(
              "%s%sssl.keystore.type=PEM\nssl.keystore.certificate.chain=%s\nssl.keystore.key=%s\n",
              tls, ca, pem(life, "connect.crt"), pem(life, "stranger.key")),
          CHARM_EINVAL, "does not belong to its certificate" },
    };
    for (size_t i = 0; i < CHARMI_COUNT(all); i++) {
        fails(life, &all[i]);
    }
}

int main(int argc, char **argv)
{
    const char *description = NULL;
    struct charm_error error = { 0 };
    char dir[] = "/tmp/kcb-secured-XXXXXX";
    if (argc < 2 || mkdtemp(dir) == NULL) {
        fprintf(stderr, "usage: %s KAFKA_HOME\n", argv[0]);
        return 2;
    }
    if (access(argv[1], R_OK) != 0) {
        printf("SKIPPED: there is no Kafka in %s; tools/prerequisites fetches it\n", argv[1]);
        return 77;
    }
    if (lab_net_enter("auto", dir, &description, &error) != 0) {
        printf("FAILED: %s\n", error.text);
        return 1;
    }
    printf("network: %s\n", description);
    struct life life = { .arena = charm_arena_new(), .dir = dir };
    start_broker(&life, argv[1]);
    what_works(&life);
    what_fails(&life);
    lab_broker_release(&life.broker);
    const char *remove = charm_arena_printf(life.arena, "rm -rf %s", dir);
    const int code =
        life.failures > 0 ? 1 : system(remove); /* NOLINT(cert-env33-c): a path of ours */
    charm_arena_free(life.arena);
    lab_net_leave();
    return code == 0 ? 0 : 1;
}
