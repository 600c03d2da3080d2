#include "kcb/client_settings.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "kcb/jaas.h"
#include "kcb/pem.h"

#define JAAS "sasl.jaas.config"
#define TRUST_TYPE "ssl.truststore.type"
#define TRUST_TEXT "ssl.truststore.certificates"
#define TRUST_FILE "ssl.truststore.location"
#define TRUST_PASSWORD "ssl.truststore.password"
#define KEY_TYPE "ssl.keystore.type"
#define KEY_CHAIN "ssl.keystore.certificate.chain"
#define KEY_TEXT "ssl.keystore.key"
#define KEY_FILE "ssl.keystore.location"
#define KEY_STORE_PASSWORD "ssl.keystore.password"
#define KEY_PASSWORD "ssl.key.password"
#define ENDPOINT "ssl.endpoint.identification.algorithm"

/* ---- which properties there are ---- */

/* Those that are looked at; a name that ends in a dot stands for all that begin with it. */
static const char *const read_here[] = {
    "bootstrap.servers",
    "sasl.mechanism",
    "security.protocol",
    JAAS,
    TRUST_TYPE,
    TRUST_TEXT,
    TRUST_FILE,
    TRUST_PASSWORD,
    KEY_TYPE,
    KEY_CHAIN,
    KEY_TEXT,
    KEY_FILE,
    KEY_STORE_PASSWORD,
    KEY_PASSWORD,
    ENDPOINT,
    NULL,
};

/* Those that only say how Java does it; librdkafka goes by its own defaults. */
static const char *const javas_own[] = {
    "sasl.kerberos.",
    "sasl.login.",
    "sasl.oauthbearer.",
    "security.providers",
    "ssl.cipher.suites",
    "ssl.enabled.protocols",
    "ssl.keymanager.algorithm",
    "ssl.protocol",
    "ssl.provider",
    "ssl.secure.random.implementation",
    "ssl.trustmanager.algorithm",
    NULL,
};

static bool is_named(const char *const *names, const char *key)
{
    for (; *names != NULL; names++) {
        if (charmi_ends_with(*names, ".") ? charmi_starts_with(key, *names)
                                          : charmi_same(key, *names)) {
            return true;
        }
    }
    return false;
}

/* ---- one translation ---- */

struct work {
    struct charm_arena *arena;
    const struct charm_value *from;
    struct charm_value *to;
    struct charm_error *error;
};

static int refuse(const struct work *work, const char *key, const char *why)
{
    return charm_error_set(work->error, CHARM_EINVAL, "%.100s %s", key, why);
}

/* "" when it is not given. */
static const char *given(const struct work *work, const char *key)
{
    return charm_text(charm_value_get(work->from, key));
}

static bool has(const struct work *work, const char *key)
{
    return !charmi_blank(given(work, key));
}

/* As Java takes what is no password: without blanks around it. */
static const char *word(const struct work *work, const char *key, const char *otherwise)
{
    const char *text = charmi_trim(work->arena, given(work, key));
    return text[0] == '\0' ? otherwise : text;
}

static void put(const struct work *work, const char *rdkafka, const char *value)
{
    charm_value_set_text(work->to, rdkafka, value);
}

/* A text that must be known here. */
static int need(const struct work *work, const char *key)
{
    if (!has(work, key)) {
        return refuse(work, key, "is missing: the charm's own Kafka client needs it too");
    }
    if (strstr(given(work, key), "${") != NULL) {
        return refuse(work, key,
                      "refers to a config provider, which the charm's own Kafka client does not "
                      "have: give the value itself");
    }
    return 0;
}

/* ---- SASL ---- */

static const char *const mechanisms[] = { "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", NULL };
/* They hand over user name and password, whichever of the mechanisms it is. */
static const char *const modules[] = {
    "org.apache.kafka.common.security.plain.PlainLoginModule",
    "org.apache.kafka.common.security.scram.ScramLoginModule",
    NULL,
};

static int take_credentials(const struct work *work, const struct kcbi_jaas *jaas)
{
    const char *user = charm_text(charm_value_get(jaas->options, "username"));
    const char *password = charm_text(charm_value_get(jaas->options, "password"));
    if (!charmi_in(modules, jaas->module)) {
        return refuse(work, JAAS,
                      "names a login module that the charm's own Kafka client does not know: want "
                      "...plain.PlainLoginModule or ...scram.ScramLoginModule");
    }
    if (charm_value_get(jaas->options, "tokenauth") != NULL) {
        return refuse(work, JAAS,
                      "asks for delegation tokens, which the charm's own Kafka client cannot do");
    }
    if (user[0] == '\0' || password[0] == '\0') {
        return refuse(work, JAAS, "holds no username=\"...\" or no password=\"...\"");
    }
    put(work, "sasl.username", user);
    put(work, "sasl.password", password);
    return 0;
}

static int add_sasl(const struct work *work)
{
    struct kcbi_jaas jaas;
    const char *mechanism = word(work, "sasl.mechanism", "GSSAPI");
    if (!charmi_in(mechanisms, mechanism)) {
        return refuse(work, "sasl.mechanism",
                      "must be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 for the charm's own Kafka "
                      "client (Kafka's default is GSSAPI)");
    }
    const int code = need(work, JAAS);
    if (code != 0) {
        return code;
    }
    if (kcbi_jaas_parse(work->arena, given(work, JAAS), &jaas, work->error) != 0) {
        return charm_error_wrap(work->error, "read " JAAS);
    }
    put(work, "sasl.mechanism", mechanism);
    return take_credentials(work, &jaas);
}

/* ---- TLS: whom we trust ---- */

static bool is_type(const struct work *work, const char *key, const char *type)
{
    return charmi_same_word(word(work, key, "JKS"), type);
}

static int trust_text(const struct work *work)
{
    const char *lines;
    const int code = need(work, TRUST_TEXT);
    if (code != 0) {
        return code;
    }
    if (kcbi_pem_certificates(work->arena, given(work, TRUST_TEXT), &lines, work->error) != 0) {
        return charm_error_wrap(work->error, "read " TRUST_TEXT);
    }
    put(work, "ssl.ca.pem", lines);
    return 0;
}

/* Without either, both sides go by the certificates of their own system. */
static int add_trust(const struct work *work)
{
    const bool text = has(work, TRUST_TEXT);
    const bool file = has(work, TRUST_FILE);
    if (!text && !file) {
        return 0;
    }
    if (text && file) {
        return refuse(work, TRUST_FILE, "and " TRUST_TEXT " are both given: Kafka takes one");
    }
    if (!is_type(work, TRUST_TYPE, "PEM")) {
        return text ? refuse(work, TRUST_TYPE, "must be PEM where " TRUST_TEXT " is given")
                    : refuse(work, TRUST_FILE,
                             "is a JKS or PKCS12 store, which the charm's own Kafka client cannot "
                             "read: " TRUST_TYPE "=PEM and the text in " TRUST_TEXT
                             " (keytool -exportcert -rfc prints it)");
    }
    if (has(work, TRUST_PASSWORD)) {
        return refuse(work, TRUST_PASSWORD, "is not for PEM: Kafka refuses it there");
    }
    if (text) {
        return trust_text(work);
    }
    put(work, "ssl.ca.location", word(work, TRUST_FILE, ""));
    return need(work, TRUST_FILE);
}

/* ---- TLS: who we are ---- */

static int key_password(const struct work *work, bool needed)
{
    if (!needed && !has(work, KEY_PASSWORD)) {
        return 0;
    }
    put(work, KEY_PASSWORD, given(work, KEY_PASSWORD));
    return need(work, KEY_PASSWORD);
}

static int key_text(const struct work *work)
{
    const char *lines;
    bool encrypted;
    int code = need(work, KEY_CHAIN);
    if (code == 0) {
        code = need(work, KEY_TEXT);
    }
    if (code != 0) {
        return code;
    }
    if (kcbi_pem_certificates(work->arena, given(work, KEY_CHAIN), &lines, work->error) != 0) {
        return charm_error_wrap(work->error, "read " KEY_CHAIN);
    }
    put(work, "ssl.certificate.pem", lines);
    if (kcbi_pem_key(work->arena, given(work, KEY_TEXT), &lines, &encrypted, work->error) != 0) {
        return charm_error_wrap(work->error, "read " KEY_TEXT);
    }
    put(work, "ssl.key.pem", lines);
    return key_password(work, encrypted);
}

/* Certificates and key in one file. */
static int key_file(const struct work *work)
{
    if (has(work, KEY_STORE_PASSWORD)) {
        return refuse(work, KEY_STORE_PASSWORD,
                      "is not for PEM: Kafka takes " KEY_PASSWORD " for the key in it");
    }
    const char *path = word(work, KEY_FILE, "");
    put(work, "ssl.certificate.location", path);
    put(work, "ssl.key.location", path);
    const int code = need(work, KEY_FILE);
    return code != 0 ? code : key_password(work, false);
}

static int key_store(const struct work *work)
{
    int code = need(work, KEY_FILE);
    if (code == 0) {
        code = need(work, KEY_STORE_PASSWORD);
    }
    put(work, KEY_FILE, word(work, KEY_FILE, ""));
    put(work, KEY_STORE_PASSWORD, given(work, KEY_STORE_PASSWORD));
    return code;
}

static int add_identity(const struct work *work)
{
    const bool text = has(work, KEY_TEXT) || has(work, KEY_CHAIN);
    const bool file = has(work, KEY_FILE);
    if (!text && !file) {
        return 0;
    }
    if (text && file) {
        return refuse(work, KEY_FILE, "and " KEY_TEXT " are both given: Kafka takes one");
    }
    if (is_type(work, KEY_TYPE, "PEM")) {
        return text ? key_text(work) : key_file(work);
    }
    if (text) {
        return refuse(work, KEY_TYPE, "must be PEM where " KEY_TEXT " is given");
    }
    if (is_type(work, KEY_TYPE, "PKCS12")) {
        return key_store(work);
    }
    return refuse(work, KEY_FILE,
                  "is a JKS store, which the charm's own Kafka client cannot read: " KEY_TYPE
                  "=PKCS12 (keytool -importkeystore -deststoretype PKCS12 makes one) or PEM");
}

static int add_tls(const struct work *work)
{
    if (charm_value_get(work->from, ENDPOINT) != NULL) {
        put(work, ENDPOINT, word(work, ENDPOINT, "none")); /* Java switches it off with nothing */
    }
    const int code = add_trust(work);
    return code != 0 ? code : add_identity(work);
}

/* ---- together ---- */

/* A property that would change how Kafka is reached, in a way that we do not know. */
static int check_names(const struct work *work)
{
    CHARM_EACH(work->from, it)
    {
        const bool ours = charmi_starts_with(it.key, "security.") ||
                          charmi_starts_with(it.key, "sasl.") || charmi_starts_with(it.key, "ssl.");
        if (ours && !is_named(read_here, it.key) && !is_named(javas_own, it.key)) {
            return refuse(work, it.key,
                          "cannot be used by the charm's own Kafka client, which makes the "
                          "internal topics: this version does not take it");
        }
    }
    return 0;
}

static int add_all(const struct work *work)
{
    static const struct {
        const char *name;
        bool sasl;
        bool tls;
    } protocols[] = {
        { "plaintext", false, false },
        { "sasl_plaintext", true, false },
        { "sasl_ssl", true, true },
        { "ssl", false, true },
    };
    const char *wanted = word(work, "security.protocol", "plaintext");
    for (size_t i = 0; i < CHARMI_COUNT(protocols); i++) {
        if (!charmi_same_word(wanted, protocols[i].name)) {
            continue;
        }
        if (charm_value_get(work->from, "security.protocol") != NULL) {
            put(work, "security.protocol", protocols[i].name);
        }
        const int code = protocols[i].sasl ? add_sasl(work) : 0;
        return code == 0 && protocols[i].tls ? add_tls(work) : code;
    }
    return charm_error_set(work->error, CHARM_EPARSE,
                           "security.protocol must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL");
}

int kcbi_client_settings(struct charm_arena *arena, const struct charm_value *properties,
                         struct charm_value **ret_settings, struct charm_error *reterr)
{
    struct charm_error error = { 0 };
    const struct work work = { arena, properties, charm_value_new_map(arena), &error };
    if (charm_value_get(properties, "bootstrap.servers") != NULL) {
        put(&work, "bootstrap.servers", given(&work, "bootstrap.servers"));
    }
    int code = check_names(&work);
    if (code == 0) {
        code = add_all(&work);
    }
    if (code != 0) {
        return charm_error_set(reterr, code == CHARM_EPARSE ? CHARM_EPARSE : CHARM_EINVAL,
                               "reach Kafka as the workers do: %s", error.text);
    }
    *ret_settings = work.to;
    return 0;
}
