/* The texts are those that librdkafka 2.8.0 gave against real brokers (tests/real/secured_kafka.c). */
#include "edge/kcb/kafka_trouble.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/x509_vfy.h>

#include "base/memory.h"
#include "base/text.h"

#define VERIFY                                                                                     \
    "ssl://k1:9093/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate "     \
    "verify failed: broker certificate could not be verified, verify that ssl.ca.location is "     \
    "correctly configured (after 3ms in state SSL_HANDSHAKE)"
#define ALERT                                                                                      \
    "ssl://k1:9093/bootstrap: Receive failed: ../ssl/record/rec_layer_s3.c:1601:ssl3_read_bytes "  \
    "error:0A000412:SSL routines::sslv3 alert bad certificate: SSL alert number 42 (after 1ms in " \
    "state APIVERSION_QUERY)"
#define HANDSHAKE(what) "sasl_ssl://k1:9093/bootstrap: SASL PLAIN mechanism handshake failed: " what

static const char *explained(const struct kcbi_heard *heard, int expected_code)
{
    static struct charm_error error;
    assert_int_equal(expected_code, kcbi_kafka_explain(heard, "k1:9092,k2:9092", &error));
    return error.text;
}

static const struct {
    struct kcbi_heard heard;
    enum charm_code code;
    const char *words;
} causes[] = {
    { { RD_KAFKA_RESP_ERR__AUTHENTICATION,
        "sasl_ssl://k1:9093/bootstrap: SASL authentication error: Authentication failed during "
        "authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512 (after "
        "587ms in state AUTH_REQ)",
        0, false, false },
      CHARM_EREFUSED,
      "Kafka at k1:9093: it refuses user name or password, see sasl.jaas.config or option "
      "kafka-secret" },
    { { RD_KAFKA_RESP_ERR__AUTHENTICATION,
        HANDSHAKE("Broker: Unsupported SASL mechanism: broker's supported mechanisms: "
                  "SCRAM-SHA-512,PLAIN (after 314ms in state AUTH_HANDSHAKE)"),
        0, false, false },
      CHARM_EREFUSED,
      "Kafka at k1:9093: it does not offer what sasl.mechanism asks for, but: SCRAM-SHA-512, "
      "PLAIN" },
    { { RD_KAFKA_RESP_ERR__AUTHENTICATION,
        HANDSHAKE(
            "Broker: Unsupported SASL mechanism: broker's supported mechanisms:  (after 3ms)"),
        0, false, false },
      CHARM_EREFUSED,
      "Kafka at k1:9093: it does not offer what sasl.mechanism asks for, but: none" },
    { { RD_KAFKA_RESP_ERR__AUTHENTICATION,
        HANDSHAKE("Broker: Request not valid in current SASL state: broker's supported "
                  "mechanisms:  (after 6ms)"),
        0, false, false },
      CHARM_EREFUSED,
      "Kafka at k1:9093: this port wants no SASL: is security.protocol SSL or PLAINTEXT there, "
      "or another port meant?" },
    { { RD_KAFKA_RESP_ERR__SSL, VERIFY, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, false,
        false },
      CHARM_EREFUSED,
      "Kafka at k1:9093: its certificate is of no authority that we trust: give that one's in "
      "ssl.truststore.certificates (unable to get local issuer certificate)" },
    { { RD_KAFKA_RESP_ERR__SSL, VERIFY, X509_V_ERR_IP_ADDRESS_MISMATCH, false, false },
      CHARM_EREFUSED,
      "Kafka at k1:9093: its certificate is for another name: reach it by one that stands in "
      "it, or set ssl.endpoint.identification.algorithm to nothing (IP address mismatch)" },
    { { RD_KAFKA_RESP_ERR__SSL, VERIFY, X509_V_ERR_HOSTNAME_MISMATCH, false, false },
      CHARM_EREFUSED,
      "Kafka at k1:9093: its certificate is for another name: reach it by one that stands in "
      "it, or set ssl.endpoint.identification.algorithm to nothing (hostname mismatch)" },
    { { RD_KAFKA_RESP_ERR__SSL, VERIFY, X509_V_ERR_CERT_HAS_EXPIRED, false, false },
      CHARM_EREFUSED,
      "Kafka at k1:9093: its certificate is not valid now (certificate has expired)" },
    { { RD_KAFKA_RESP_ERR__TRANSPORT,
        "sasl_ssl://k1:9092/1: SSL handshake failed: Disconnected: connecting to a PLAINTEXT "
        "broker listener? (after 121ms in state SSL_HANDSHAKE)",
        0, false, false },
      CHARM_EREFUSED,
      "Kafka at k1:9092: it hangs up when TLS begins: most likely this port speaks none, see "
      "security.protocol" },
    { { RD_KAFKA_RESP_ERR__SSL,
        "ssl://k1:9092/1: SSL handshake failed: SSL transport error: Connection reset by peer", 0,
        false, false },
      CHARM_EREFUSED,
      "Kafka at k1:9092: it hangs up when TLS begins: most likely this port speaks none, see "
      "security.protocol" },
    { { RD_KAFKA_RESP_ERR__TRANSPORT,
        "ssl://k1:9092/1: Disconnected (after 0ms in state SSL_HANDSHAKE, 1 identical error(s) "
        "suppressed)",
        0, false, false },
      CHARM_EREFUSED,
      "Kafka at k1:9092: it hangs up when TLS begins: most likely this port speaks none, see "
      "security.protocol" },
    { { RD_KAFKA_RESP_ERR__SSL,
        "ssl://k1:9092/1: SSL handshake failed: error:0A00010B:SSL routines::wrong version "
        "number",
        0, false, false },
      CHARM_EREFUSED,
      "Kafka at k1:9092: it does not speak TLS at this port, see security.protocol" },
    { { RD_KAFKA_RESP_ERR__TRANSPORT,
        "k1:9093/bootstrap: Disconnected while requesting ApiVersion: might be caused by "
        "incorrect security.protocol configuration (connecting to a SSL listener?) or broker "
        "version is < 0.10 (see api.version.request)",
        0, false, false },
      CHARM_EREFUSED,
      "Kafka at k1:9093: it hangs up at the first request: most likely this port speaks TLS, "
      "see security.protocol (SSL or SASL_SSL)" },
    { { RD_KAFKA_RESP_ERR__TRANSPORT,
        "ssl://k1:9093/bootstrap: Disconnected: verify that security.protocol is correctly "
        "configured, broker might require SASL authentication (after 2ms in state UP)",
        0, false, false },
      CHARM_EREFUSED,
      "Kafka at k1:9093: it hangs up before anybody logs in: most likely this port wants SASL, "
      "see security.protocol (SASL_SSL or SASL_PLAINTEXT)" },
    { { RD_KAFKA_RESP_ERR__TRANSPORT, ALERT, 0, false, false },
      CHARM_EREFUSED,
      "Kafka at k1:9093: it wants a certificate of ours: set ssl.keystore.type=PEM, "
      "ssl.keystore.certificate.chain and ssl.keystore.key" },
    { { RD_KAFKA_RESP_ERR__TRANSPORT, ALERT, 0, true, true },
      CHARM_EREFUSED,
      "Kafka at k1:9093: it knows none of the authorities that signed our certificate, "
      "ssl.keystore.certificate.chain or that of the store" },
    { { RD_KAFKA_RESP_ERR__TRANSPORT, ALERT, 0, true, false },
      CHARM_EREFUSED,
      "Kafka at k1:9093: it does not accept our certificate: is it signed by an authority that "
      "it knows, and still valid?" },
    { { RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, "Broker: Cluster authorization failed", 0,
        false, false },
      CHARM_EREFUSED,
      "Kafka at k1:9092,k2:9092: Broker: Cluster authorization failed" },
    { { RD_KAFKA_RESP_ERR__TRANSPORT,
        "k1:9092/bootstrap: Connect to ipv4#10.0.0.1:9092 failed: Connection refused", 0, false,
        false },
      CHARM_ENET,
      "Kafka at k1:9092,k2:9092: k1:9092/bootstrap: Connect to ipv4#10.0.0.1:9092 failed: "
      "Connection refused" },
    { { RD_KAFKA_RESP_ERR__SSL,
        "ssl://k1:9093/1: SSL handshake failed: error:0A000410:SSL routines::sslv3 alert "
        "handshake failure",
        0, false, false },
      CHARM_ENET,
      "Kafka at k1:9092,k2:9092: ssl://k1:9093/1: SSL handshake failed: error:0A000410:SSL "
      "routines::sslv3 alert handshake failure" },
    { { RD_KAFKA_RESP_ERR__TIMED_OUT, "nobody answered in time", 0, false, false },
      CHARM_ENET,
      "Kafka at k1:9092,k2:9092: nobody answered in time" },
    { { RD_KAFKA_RESP_ERR_UNKNOWN, "Broker: Unknown", 0, false, false },
      CHARM_EFAILED,
      "Kafka at k1:9092,k2:9092: Broker: Unknown" },
};

static void each_cause_has_its_own_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < CHARMI_COUNT(causes); i++) {
        assert_string_equal(causes[i].words, explained(&causes[i].heard, causes[i].code));
    }
}

/* A broker that hangs up may just be going down. */
static void a_guess_gives_way_to_what_is_known(void **state)
{
    (void)state;
    const struct kcbi_heard guess = { .code = RD_KAFKA_RESP_ERR__TRANSPORT,
                                      .text = "x: connecting to a PLAINTEXT broker listener?" };
    const struct kcbi_heard refused = { .code = RD_KAFKA_RESP_ERR__TRANSPORT,
                                        .text = "x: Connect to y failed: Connection refused" };
    const struct kcbi_heard lost = { .code = RD_KAFKA_RESP_ERR__TRANSPORT,
                                     .text = "x: Send failed: SSL transport error: Broken pipe" };
    const struct kcbi_heard password = { .code = RD_KAFKA_RESP_ERR__AUTHENTICATION,
                                         .text = "x: SASL authentication error" };
    const struct kcbi_heard all_down = { .code = RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
                                         .text = "1/1 brokers are down" };
    const struct kcbi_heard nothing = { 0 };
    assert_true(kcbi_kafka_telling(&lost) < kcbi_kafka_telling(&guess));
    assert_true(kcbi_kafka_telling(&guess) < kcbi_kafka_telling(&refused));
    assert_true(kcbi_kafka_telling(&refused) < kcbi_kafka_telling(&password));
    assert_int_equal(0, kcbi_kafka_telling(&all_down));
    assert_int_equal(0, kcbi_kafka_telling(&nothing));
    assert_true(kcbi_kafka_decided(&password));
    assert_false(kcbi_kafka_decided(&refused));
    assert_false(kcbi_kafka_decided(&guess));
    assert_false(kcbi_kafka_decided(&nothing));
}

static void what_a_broker_offers_is_taken_with_care(void **state)
{
    (void)state;
    char text[2048] = HANDSHAKE("Unsupported SASL mechanism: broker's supported mechanisms: ");
    struct kcbi_heard heard = { .code = RD_KAFKA_RESP_ERR__AUTHENTICATION, .text = text };
    const size_t size = strlen(text);
    snprintf(text + size, sizeof(text) - size, "PLAIN,\x1b[31m\nhunter2");
    assert_string_equal(strstr(explained(&heard, CHARM_EREFUSED), "but: "), "but: PLAIN, ");
    memset(text + size, 'A', sizeof(text) - size - 1);
    text[sizeof(text) - 1] = '\0';
    assert_in_range(strlen(explained(&heard, CHARM_EREFUSED)), 100, 250);
}

static void a_long_list_of_brokers_does_not_hide_the_cause(void **state)
{
    (void)state;
    char brokers[4096];
    memset(brokers, 'k', sizeof(brokers) - 1);
    brokers[sizeof(brokers) - 1] = '\0';
    const struct kcbi_heard heard = { .code = RD_KAFKA_RESP_ERR__TIMED_OUT, .text = "the cause" };
    struct charm_error error = { 0 };
    assert_int_equal(CHARM_ENET, kcbi_kafka_explain(&heard, brokers, &error));
    assert_non_null(strstr(error.text, "k...: the cause"));
    assert_in_range(strlen(error.text), 100, 200);
}

static void settings_are_named_as_java_names_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        { "ssl.ca.location failed: ../crypto/x509/by_file.c:252: no certificate or crl found",
          "ssl.truststore.location holds no certificates" },
        { "failed to read certificate #0 from ssl.ca.pem: not in PEM format?: ",
          "ssl.truststore.certificates holds no" },
        { "Failed to parse ssl.keystore.location PKCS#12 file: /x: error:11800071:PKCS12 "
          "routines::mac verify failure",
          "ssl.keystore.password does not open" },
        { "Failed to parse ssl.keystore.location PKCS#12 file: /x: error:0308010C:digital envelope "
          "routines::unsupported",
          "ciphered in an old way" },
        { "Error reading ssl.keystore.location PKCS#12 file: /x: nested asn1 error",
          "ssl.keystore.location is no PKCS12 store" },
        { "ssl.key.pem failed: error:05800074:x509 certificate routines::key values mismatch",
          "does not belong to its certificate" },
        { "ssl.key.pem failed: not in PEM format?: ", "ssl.key.password does not open it" },
        { "ssl.certificate.pem failed: not in PEM format?: ", "certificates cannot be read" },
        { "something else", "make a Kafka client: something else" },
    };
    for (size_t i = 0; i < CHARMI_COUNT(cases); i++) {
        struct charm_error error = { 0 };
        assert_int_equal(CHARM_EINVAL, kcbi_kafka_explain_settings(cases[i].text, &error));
        assert_non_null(strstr(error.text, cases[i].words));
    }
}

static void a_file_that_is_only_with_the_workers_is_named(void **state)
{
    (void)state;
    struct charm_error error = { 0 };
    assert_int_equal(CHARM_EINVAL,
                     kcbi_kafka_explain_file("ssl.ca.location", "/etc/x.pem", ENOENT, &error));
    assert_non_null(strstr(error.text, "ssl.truststore.location"));
    assert_non_null(strstr(error.text, "/etc/x.pem: No such file"));
    kcbi_kafka_explain_file("ssl.key.location", "/etc/x.pem", EACCES, &error);
    assert_non_null(strstr(error.text, "ssl.keystore.location"));
    kcbi_kafka_explain_file("ssl.keystore.location", "/etc/x.p12", EACCES, &error);
    assert_non_null(strstr(error.text, "ssl.keystore.location"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cause_has_its_own_words),
        cmocka_unit_test(a_guess_gives_way_to_what_is_known),
        cmocka_unit_test(what_a_broker_offers_is_taken_with_care),
        cmocka_unit_test(a_long_list_of_brokers_does_not_hide_the_cause),
        cmocka_unit_test(a_file_that_is_only_with_the_workers_is_named),
        cmocka_unit_test(settings_are_named_as_java_names_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
