#include "kcb/kafka_secret.h"

#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"

enum { LONGEST_JAAS = 64 * 1024 };

static const struct {
    const char *key;
    const char *needs; /* another key, or NULL */
} keys[] = {
    { "username", "password" }, { "password", "username" }, { "tls-ca", NULL },
    { "tls-cert", "tls-key" },  { "tls-key", "tls-cert" },  { "tls-key-password", "tls-key" },
};

static int check_key(const struct charm_value *content, const char *key, struct charm_error *reterr)
{
    for (size_t i = 0; i < CHARMI_COUNT(keys); i++) {
        if (!charmi_same(keys[i].key, key)) {
            continue;
        }
        if (keys[i].needs != NULL && charm_value_get(content, keys[i].needs) == NULL) {
            return charm_error_set(reterr, CHARM_EINVAL, "the secret has %s but not %s", key,
                                   keys[i].needs);
        }
        return 0;
    }
    return charm_error_set(reterr, CHARM_EINVAL,
                           "the secret has a key %.40s, known are username, password, tls-ca, "
                           "tls-cert, tls-key, tls-key-password",
                           key);
}

static int check_content(const struct charm_value *content, struct charm_error *reterr)
{
    if (charm_value_size(content) == 0) {
        return charm_error_set(reterr, CHARM_EINVAL, "the secret is empty");
    }
    CHARM_EACH(content, it)
    {
        const int result = check_key(content, it.key, reterr);
        if (result != 0) {
            return result;
        }
    }
    return 0;
}

/* What the client does not take from worker-config then; certificates that are trusted may stand there as text. */
static bool is_credential(const struct charm_value *content, const char *property)
{
    const bool trust = charmi_starts_with(property, "ssl.truststore.");
    const bool open = charmi_same(property, "ssl.truststore.certificates") ||
                      charmi_same(property, "ssl.truststore.type");
    return charmi_same(property, "sasl.jaas.config") || charmi_same(property, "ssl.key.password") ||
           charmi_starts_with(property, "ssl.keystore.") ||
           (trust && (!open || charm_value_get(content, "tls-ca") != NULL));
}

/* `password#file=` takes the file's last line end, too. */
static const char *without_line_end(struct charm_arena *arena, const char *text)
{
    size_t size = strlen(text);
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r')) {
        size--;
    }
    return charm_arena_copy_n(arena, text, size);
}

static void add_option(struct charm_arena *arena, struct charmi_buf *buf, const char *name,
                       const char *value)
{
    charmi_buf_addf(buf, " %s=\"", name);
    for (const char *at = without_line_end(arena, value); *at != '\0'; at++) {
        if (*at == '"' || *at == '\\') {
            charmi_buf_add_char(buf, '\\');
        }
        charmi_buf_add_char(buf, *at);
    }
    charmi_buf_add_char(buf, '"');
}

static const char *jaas_of(struct charm_arena *arena, const struct charm_value *content,
                           const char *mechanism)
{
    struct charmi_buf buf = charmi_buf_init(LONGEST_JAAS);
    charmi_buf_add(&buf, charmi_same(charmi_trim(arena, mechanism), "PLAIN")
                             ? "org.apache.kafka.common.security.plain.PlainLoginModule required"
                             : "org.apache.kafka.common.security.scram.ScramLoginModule required");
    add_option(arena, &buf, "username", charm_text(charm_value_get(content, "username")));
    add_option(arena, &buf, "password", charm_text(charm_value_get(content, "password")));
    charmi_buf_add_char(&buf, ';');
    return charmi_buf_into(&buf, arena);
}

static void replace(struct charm_arena *arena, const struct charm_value *content,
                    struct charm_value *properties)
{
    const char *ca = charm_text(charm_value_get(content, "tls-ca"));
    const char *certificate = charm_text(charm_value_get(content, "tls-cert"));
    const struct charm_value *password = charm_value_get(content, "tls-key-password");
    if (charm_value_get(content, "username") != NULL) {
        const char *mechanism = charm_text(charm_value_get(properties, "sasl.mechanism"));
        charm_value_set_text(properties, "sasl.jaas.config", jaas_of(arena, content, mechanism));
    }
    if (ca[0] != '\0') {
        charm_value_set_text(properties, "ssl.truststore.type", "PEM");
        charm_value_set_text(properties, "ssl.truststore.certificates", ca);
    }
    if (certificate[0] != '\0') {
        charm_value_set_text(properties, "ssl.keystore.type", "PEM");
        charm_value_set_text(properties, "ssl.keystore.certificate.chain", certificate);
        charm_value_set(properties, "ssl.keystore.key", charm_value_get(content, "tls-key"));
    }
    if (password != NULL) {
        charm_value_set_text(properties, "ssl.key.password",
                             without_line_end(arena, charm_text(password)));
    }
}

int kcbi_kafka_secret_replace(struct charm_arena *arena, const struct charm_value *properties,
                              const struct charm_value *content,
                              struct charm_value **ret_properties, struct charm_error *reterr)
{
    const int result = check_content(content, reterr);
    if (result != 0) {
        return result;
    }
    struct charm_value *own = charm_value_new_map(arena);
    CHARM_EACH(properties, it)
    {
        if (!is_credential(content, it.key)) {
            charm_value_set(own, it.key, it.value);
        }
    }
    replace(arena, content, own);
    *ret_properties = own;
    return 0;
}
