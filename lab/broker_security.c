#include "lab/broker_security.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "lab/child.h"
#include "lab/net.h"

enum { OPENSSL_MS = 30000 };

/* With keys of elliptic curves, all of it takes a tenth of a second. */
static const char make_files[] =
    "set -e; umask 077; cd \"$1\"\n"
    "cat >cnf <<END\n"
    "[req]\n"
    "distinguished_name = name\n"
    "[name]\n"
    "[ca]\n"
    "basicConstraints = critical, CA:TRUE\n"
    "keyUsage = critical, keyCertSign\n"
    "subjectKeyIdentifier = hash\n"
    "[broker]\n"
    "subjectAltName = $2\n"
    "[elsewhere]\n"
    "subjectAltName = DNS:kafka.example\n"
    "[client]\n"
    "extendedKeyUsage = clientAuth\n"
    "END\n"
    "new='req -config cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'\n"
    "root() { openssl $new -x509 -extensions ca -days 30 -subj /CN=$1 -keyout $1.key -out $1.pem; "
    "}\n"
    "signed() {\n" /* NAME AUTHORITY KIND */
    "    openssl $new -subj /CN=$1 -keyout $1.key -out $1.csr\n"
    "    openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days 30"
    " -extfile cnf -extensions $3 -out $1.pem\n"
    "}\n"
    "client() {\n" /* NAME AUTHORITY */
    "    signed $1 $2 client\n"
    "    cat $1.pem $2.pem >$1.crt\n"
    "    cat $1.crt $1.key >$1.pem\n"
    "    openssl pkcs12 -export -in $1.crt -inkey $1.key -out $1.p12 -passout pass:p12-secret\n"
    "}\n"
    "root ca; root other-ca; signed middle ca ca\n"
    "for one in broker elsewhere; do signed $one ca $one; cat $one.key >>$one.pem; done\n"
    "client connect middle; client stranger middle; client unknown other-ca\n";

static int run_script(struct charm_arena *arena, const struct lab_security *security,
                      const struct charmi_words *addresses, struct charm_error *reterr)
{
    const char *names =
        charm_arena_printf(arena, "IP:%s", charmi_words_join(arena, addresses, ",IP:"));
    const char *log = charm_arena_printf(arena, "%s/openssl.log", security->dir);
    const char *const argv[] = { "sh", "-c", make_files, "make-files", security->dir, names, NULL };
    const char *const env[] = { "PATH=/usr/local/bin:/usr/bin:/bin", NULL };
    const struct lab_child_plan plan = { .argv = argv, .env = env, .log = log };
    struct lab_child child = { 0 };
    int code = lab_child_start(&child, &plan, reterr);
    if (code != 0) {
        return code;
    }
    if (!lab_child_wait(&child, OPENSSL_MS)) {
        lab_child_stop(&child, 0);
    }
    code = lab_child_exit_code(&child);
    return code == 0 ? 0
                     : charm_error_set(reterr, CHARM_EFAILED,
                                       "make certificates: exit code %d, see %s", code, log);
}

static bool is_user(const char *word)
{
    const char *sign = strchr(word, '=');
    for (const char *at = word; *at != '\0'; at++) {
        if (at != sign && !isalnum((unsigned char)*at) && strchr("._-", *at) == NULL) {
            return false;
        }
    }
    return sign != NULL && sign > word && sign[1] != '\0';
}

static int check_users(const struct charmi_words *users, struct charm_error *reterr)
{
    for (size_t i = 0; i < users->size; i++) {
        if (!is_user(users->at[i])) {
            return charm_error_set(reterr, CHARM_EINVAL,
                                   "users: want NAME=PASSWORD NAME=PASSWORD ...");
        }
    }
    return 0;
}

int lab_security_make(struct charm_arena *arena, const char *dir,
                      const struct charmi_words *addresses, const char *users,
                      struct lab_security *ret_security, struct charm_error *reterr)
{
    struct lab_security security = {
        .arena = arena,
        .dir = charm_arena_copy(arena, dir),
        .users = charmi_split(arena, users, " \n"),
    };
    int code = check_users(&security.users, reterr);
    if (code == 0 && mkdir(dir, 0700) != 0 && errno != EEXIST) {
        code = charm_error_os(reterr, errno, "make %s", dir);
    }
    if (code == 0) {
        code = run_script(arena, &security, addresses, reterr);
    }
    if (code != 0) {
        return code;
    }
    *ret_security = security;
    return 0;
}

/* ---- listeners ---- */

static const struct {
    const char *name; /* in the lab */
    const char *listener;
    const char *protocol;
} listener_names[LAB_LISTENERS] = {
    [LAB_LISTENER_PLAINTEXT] = { "PLAINTEXT", "PLAINTEXT", "PLAINTEXT" },
    [LAB_LISTENER_SASL_SSL] = { "SASL_SSL", "SASL_SSL", "SASL_SSL" },
    [LAB_LISTENER_SSL] = { "SSL", "SSL", "SSL" },
    [LAB_LISTENER_WRONG_NAME] = { "WRONG_NAME", "ELSEWHERE", "SSL" },
};

struct lab_listeners lab_listeners_choose(const char *address, int plain_port)
{
    struct lab_listeners listeners = { .address = address };
    listeners.ports[LAB_LISTENER_PLAINTEXT] = plain_port;
    for (size_t i = LAB_LISTENER_PLAINTEXT + 1; i < LAB_LISTENERS; i++) {
        listeners.ports[i] = lab_net_free_port(address);
    }
    return listeners;
}

int lab_listeners_port(const struct lab_listeners *listeners, const char *name)
{
    for (size_t i = 0; i < LAB_LISTENERS; i++) {
        if (charmi_same(listener_names[i].name, name)) {
            return listeners->ports[i];
        }
    }
    return 0;
}

const char *lab_listeners_text(struct charm_arena *arena, const struct lab_listeners *listeners)
{
    struct charmi_words all = { 0 };
    for (size_t i = 0; i < LAB_LISTENERS; i++) {
        charmi_words_add(arena, &all,
                         charm_arena_printf(arena, "%s://%s:%d", listener_names[i].listener,
                                            listeners->address, listeners->ports[i]));
    }
    return charmi_words_join(arena, &all, ",");
}

/* ---- server.properties ---- */

static void add_users(const struct lab_security *security, struct charmi_buf *buf)
{
    charmi_buf_add(buf, "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config="
                        "org.apache.kafka.common.security.scram.ScramLoginModule required;\n"
                        "listener.name.sasl_ssl.plain.sasl.jaas.config="
                        "org.apache.kafka.common.security.plain.PlainLoginModule required");
    for (size_t i = 0; i < security->users.size; i++) {
        const char *user = security->users.at[i];
        const char *sign = strchr(user, '=');
        charmi_buf_addf(buf, " user_%.*s=\"%s\"", (int)(sign - user), user, sign + 1);
    }
    charmi_buf_add(buf, ";\n");
}

void lab_security_add_lines(const struct lab_security *security, struct charmi_buf *buf)
{
    charmi_buf_add(buf, "listener.security.protocol.map=CONTROLLER:PLAINTEXT");
    for (size_t i = 0; i < LAB_LISTENERS; i++) {
        charmi_buf_addf(buf, ",%s:%s", listener_names[i].listener, listener_names[i].protocol);
    }
    charmi_buf_addf(buf,
                    "\nssl.keystore.type=PEM\nssl.keystore.location=%s/broker.pem\n"
                    "ssl.truststore.type=PEM\nssl.truststore.location=%s/ca.pem\n"
                    "listener.name.elsewhere.ssl.keystore.type=PEM\n"
                    "listener.name.elsewhere.ssl.keystore.location=%s/elsewhere.pem\n"
                    "listener.name.ssl.ssl.client.auth=required\n",
                    security->dir, security->dir, security->dir);
    charmi_buf_add(buf, "sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN\n"
                        "authorizer.class.name="
                        "org.apache.kafka.metadata.authorizer.StandardAuthorizer\n"
                        "super.users=User:ANONYMOUS;User:connect;User:CN=connect\n");
    add_users(security, buf);
}

void lab_security_add_format(const struct lab_security *security, struct charmi_words *argv)
{
    for (size_t i = 0; i < security->users.size; i++) {
        const char *user = security->users.at[i];
        const char *sign = strchr(user, '=');
        charmi_words_add(security->arena, argv, "--add-scram");
        charmi_words_add(security->arena, argv,
                         charm_arena_printf(security->arena,
                                            "SCRAM-SHA-512=[name=%.*s,password=%s]",
                                            (int)(sign - user), user, sign + 1));
    }
}
