#include "edge/kcb/kafka_trouble.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "base/memory.h"
#include "base/text.h"

enum { LONGEST_BROKER = 120, LONGEST_LIST = 120 };

/* ---- what it is ---- */

enum kind {
    NOTHING,
    UNKNOWN,
    LOST,          /* a connection that was there */
    HUNG_UP_TLS,   /* in the TLS handshake */
    HUNG_UP_PLAIN, /* at the first request without TLS */
    HUNG_UP_SASL,  /* at the first request after ApiVersions without SASL */
    UNREACHABLE,
    UNRESOLVED,
    TLS,
    NO_TLS, /* what came was no TLS */
    CERTIFICATE_UNKNOWN,
    CERTIFICATE_NAME,
    CERTIFICATE_TIME,
    OUR_CERTIFICATE,
    UNAUTHORISED,
    NO_SASL,
    MECHANISM,
    CREDENTIALS,
};

static bool says(const struct kcbi_heard *heard, const char *part)
{
    return heard->text != NULL && strstr(heard->text, part) != NULL;
}

static enum kind kind_of_sasl(const struct kcbi_heard *heard)
{
    if (says(heard, "Unsupported SASL mechanism")) {
        return MECHANISM;
    }
    return says(heard, "not valid in current SASL state") ? NO_SASL : CREDENTIALS;
}

static enum kind kind_of_certificate(int x509_error)
{
    switch (x509_error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return CERTIFICATE_NAME;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return CERTIFICATE_TIME;
    default:
        return CERTIFICATE_UNKNOWN;
    }
}

/* The other side ends TLS with an alert about our certificate, or about there being none. */
static bool is_about_our_certificate(const struct kcbi_heard *heard)
{
    static const char *const alerts[] = {
        "alert bad certificate",      "alert unsupported certificate",
        "alert certificate revoked",  "alert certificate expired",
        "alert certificate unknown",  "alert unknown ca",
        "alert certificate required", "client SSL authentication might be required",
        "alert access denied",        NULL,
    };
    for (size_t i = 0; alerts[i] != NULL; i++) {
        if (says(heard, alerts[i])) {
            return true;
        }
    }
    return false;
}

static enum kind kind_of_tls(const struct kcbi_heard *heard)
{
    if (heard->x509_error != 0 && says(heard, "certificate verify failed")) {
        return kind_of_certificate(heard->x509_error);
    }
    return says(heard, "wrong version number") || says(heard, "packet length too long") ||
                   says(heard, "record layer failure")
               ? NO_TLS
               : TLS;
}

/* The connection was there, and went before TLS was agreed on: librdkafka says it in several ways. */
static bool is_end_of_handshake(const struct kcbi_heard *heard)
{
    return says(heard, "connecting to a PLAINTEXT broker listener?") ||
           says(heard, "SSL handshake failed: SSL transport error") ||
           (says(heard, "Disconnected") && says(heard, "in state SSL_HANDSHAKE"));
}

static enum kind kind_of_transport(const struct kcbi_heard *heard)
{
    if (is_end_of_handshake(heard)) {
        return HUNG_UP_TLS;
    }
    if (says(heard, "connecting to a SSL listener?")) {
        return HUNG_UP_PLAIN;
    }
    if (says(heard, "might require SASL authentication")) {
        return HUNG_UP_SASL;
    }
    return says(heard, "Connect to ") ? UNREACHABLE : LOST;
}

static enum kind kind_of(const struct kcbi_heard *heard)
{
    switch (heard->code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        return NOTHING;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
        return kind_of_sasl(heard);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        return UNAUTHORISED;
    case RD_KAFKA_RESP_ERR__SSL:
        return is_about_our_certificate(heard) ? OUR_CERTIFICATE
               : is_end_of_handshake(heard)    ? HUNG_UP_TLS
                                               : kind_of_tls(heard);
    case RD_KAFKA_RESP_ERR__RESOLVE:
        return UNRESOLVED;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
        return is_about_our_certificate(heard) ? OUR_CERTIFICATE : kind_of_transport(heard);
    default:
        return UNKNOWN;
    }
}

int kcbi_kafka_telling(const struct kcbi_heard *heard)
{
    return (int)kind_of(heard); /* they stand in this order */
}

bool kcbi_kafka_decided(const struct kcbi_heard *heard)
{
    return kind_of(heard) >= UNAUTHORISED;
}

/* ---- what to say ---- */

/* "sasl_ssl://k1:9093/bootstrap: ..." -> "k1:9093"; `bootstrap` when there is nothing of that kind. */
static void name_broker(const struct kcbi_heard *heard, const char *bootstrap,
                        char ret_name[LONGEST_BROKER])
{
    const char *begin = heard->text == NULL ? "" : heard->text;
    const char *scheme = strstr(begin, "://");
    const size_t first = strcspn(begin, " ");
    if (scheme != NULL && scheme < begin + first) {
        begin = scheme + strlen("://");
    }
    const size_t size = strcspn(begin, "/ ");
    if (begin[size] == '/' && memchr(begin, ':', size) != NULL) {
        snprintf(ret_name, LONGEST_BROKER, "%.*s", (int)size, begin);
        return;
    }
    snprintf(ret_name, LONGEST_BROKER, "%s", bootstrap);
    if (strlen(bootstrap) >= LONGEST_BROKER) {
        snprintf(ret_name + LONGEST_BROKER - 4, 4, "...");
    }
}

/* What the broker offers instead: the names come from outside. */
static void list_mechanisms(const char *text, char ret_list[LONGEST_LIST])
{
    static const char mark[] = "supported mechanisms: ";
    const char *at = strstr(text, mark);
    size_t size = 0;
    for (at = at == NULL ? "" : at + strlen(mark); size + 3 < LONGEST_LIST; at++) {
        if (*at == ',') {
            ret_list[size++] = ',';
            ret_list[size++] = ' ';
        } else if (isupper((unsigned char)*at) || isdigit((unsigned char)*at) || *at == '-' ||
                   *at == '_') {
            ret_list[size++] = *at;
        } else {
            break;
        }
    }
    ret_list[size] = '\0';
}

static int refuse(struct charm_error *reterr, const char *broker, const char *words)
{
    return charm_error_set(reterr, CHARM_EREFUSED, "Kafka at %s: %s", broker, words);
}

static int refuse_mechanism(struct charm_error *reterr, const char *broker, const char *text)
{
    char list[LONGEST_LIST];
    list_mechanisms(text, list);
    return charm_error_set(reterr, CHARM_EREFUSED,
                           "Kafka at %s: it does not offer what sasl.mechanism asks for, but: %s",
                           broker, list[0] == '\0' ? "none" : list);
}

static int refuse_certificate(struct charm_error *reterr, const char *broker,
                              const struct kcbi_heard *heard, const char *words)
{
    return charm_error_set(reterr, CHARM_EREFUSED, "Kafka at %s: %s (%s)", broker, words,
                           X509_verify_cert_error_string(heard->x509_error));
}

static const char *about_our_certificate(const struct kcbi_heard *heard)
{
    if (!heard->has_certificate) {
        return "it wants a certificate of ours: set ssl.keystore.type=PEM, "
               "ssl.keystore.certificate.chain and ssl.keystore.key";
    }
    return heard->kept_certificate
               ? "it knows none of the authorities that signed our certificate, "
                 "ssl.keystore.certificate.chain or that of the store"
               : "it does not accept our certificate: is it signed by an authority that it knows, "
                 "and still valid?";
}

static int raw(const struct kcbi_heard *heard, enum charm_code code, const char *bootstrap,
               struct charm_error *reterr)
{
    char name[LONGEST_BROKER];
    name_broker(&(const struct kcbi_heard){ 0 }, bootstrap, name);
    return charm_error_set(reterr, code, "Kafka at %s: %s", name, heard->text);
}

int kcbi_kafka_explain(const struct kcbi_heard *heard, const char *bootstrap,
                       struct charm_error *reterr)
{
    char broker[LONGEST_BROKER];
    name_broker(heard, bootstrap, broker);
    switch (kind_of(heard)) {
    case HUNG_UP_TLS:
        return refuse(reterr, broker,
                      "it hangs up when TLS begins: most likely this port speaks none, see "
                      "security.protocol");
    case HUNG_UP_PLAIN:
        return refuse(reterr, broker,
                      "it hangs up at the first request: most likely this port speaks TLS, see "
                      "security.protocol (SSL or SASL_SSL)");
    case HUNG_UP_SASL:
        return refuse(reterr, broker,
                      "it hangs up before anybody logs in: most likely this port wants SASL, see "
                      "security.protocol (SASL_SSL or SASL_PLAINTEXT)");
    case NO_TLS:
        return refuse(reterr, broker, "it does not speak TLS at this port, see security.protocol");
    case CERTIFICATE_UNKNOWN:
        return refuse_certificate(reterr, broker, heard,
                                  "its certificate is of no authority that we trust: give that "
                                  "one's in ssl.truststore.certificates");
    case CERTIFICATE_NAME:
        return refuse_certificate(reterr, broker, heard,
                                  "its certificate is for another name: reach it by one that "
                                  "stands in it, or set ssl.endpoint.identification.algorithm to "
                                  "nothing");
    case CERTIFICATE_TIME:
        return refuse_certificate(reterr, broker, heard, "its certificate is not valid now");
    case OUR_CERTIFICATE:
        return refuse(reterr, broker, about_our_certificate(heard));
    case NO_SASL:
        return refuse(reterr, broker,
                      "this port wants no SASL: is security.protocol SSL or PLAINTEXT there, or "
                      "another port meant?");
    case MECHANISM:
        return refuse_mechanism(reterr, broker, heard->text);
    case CREDENTIALS:
        return refuse(reterr, broker,
                      "it refuses user name or password, see sasl.jaas.config "
                      "or option kafka-secret");
    case UNAUTHORISED:
        return raw(heard, CHARM_EREFUSED, bootstrap, reterr);
    case NOTHING:
    case LOST:
    case UNREACHABLE:
    case UNRESOLVED:
    case TLS:
        return raw(heard, CHARM_ENET, bootstrap, reterr);
    case UNKNOWN:
        break;
    }
    return raw(heard, CHARM_EFAILED, bootstrap, reterr);
}

/* ---- settings ---- */

/* The first whose signs are both in the text. */
static const struct {
    const char *sign;
    const char *and_sign;
    const char *words;
} refusals[] = {
    { "ssl.ca.location", "", "ssl.truststore.location holds no certificates in PEM" },
    { "ssl.ca.pem", "", "ssl.truststore.certificates holds no certificates" },
    { "ssl.keystore.location", "mac verify failure",
      "ssl.keystore.password does not open the store of ssl.keystore.location" },
    { "ssl.keystore.location", "unsupported",
      "the PKCS12 store of ssl.keystore.location is ciphered in an old way: openssl pkcs12 "
      "-legacy reads it, openssl pkcs12 -export makes a new one" },
    { "ssl.keystore.location", "", "ssl.keystore.location is no PKCS12 store" },
    { "key values mismatch", "", "the key of the keystore does not belong to its certificate" },
    { "ssl.certificate.", "", "the keystore's certificates cannot be read" },
    { "ssl.key.", "",
      "the keystore's key cannot be read: ssl.key.password does not open it, or "
      "it is none" },
};

int kcbi_kafka_explain_settings(const char *text, struct charm_error *reterr)
{
    for (size_t i = 0; i < CHARMI_COUNT(refusals); i++) {
        if (strstr(text, refusals[i].sign) != NULL && strstr(text, refusals[i].and_sign) != NULL) {
            return charm_error_set(reterr, CHARM_EINVAL, "%s", refusals[i].words);
        }
    }
    return charm_error_set(reterr, CHARM_EINVAL, "make a Kafka client: %s", text);
}

/* Which of the workers' properties names the file. */
static const char *origin_of(const char *property)
{
    if (charmi_same(property, "ssl.ca.location")) {
        return "ssl.truststore.location";
    }
    const bool renamed = charmi_same(property, "ssl.certificate.location") ||
                         charmi_same(property, "ssl.key.location");
    return renamed ? "ssl.keystore.location" : property;
}

int kcbi_kafka_explain_file(const char *property, const char *path, int why,
                            struct charm_error *reterr)
{
    return charm_error_set(reterr, CHARM_EINVAL,
                           "%s names a file that the charm cannot read on this machine (%.150s: "
                           "%s): give its text, or have the file here too",
                           origin_of(property), path, strerror(why));
}
