#include "fixture.h"

#include "base/text.h"
#include "kcb/client_settings.h"

#define CERT "-----BEGIN CERTIFICATE-----\\nQQ==\\n-----END CERTIFICATE-----\\n"
#define KEY "-----BEGIN PRIVATE KEY-----\\nQg==\\n-----END PRIVATE KEY-----\\n"
#define LOCKED_KEY                                                                                 \
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\\nQg==\\n-----END ENCRYPTED PRIVATE KEY-----\\n"
#define SCRAM_MODULE "org.apache.kafka.common.security.scram.ScramLoginModule"
#define JAAS(options) "\"sasl.jaas.config\": \"" SCRAM_MODULE " required " options ";\""
#define GOOD_JAAS JAAS("username='connect' password='hunter2'")
#define SASL(more) "{\"security.protocol\": \"SASL_PLAINTEXT\", " more "}"
#define TLS(more) "{\"security.protocol\": \"SSL\", " more "}"

/* Settings as JSON, or the refusal. */
static const char *settings_of(const char *properties)
{
    struct charm_value *settings = NULL;
    struct charm_error error = { 0 };
    const int code = kcbi_client_settings(arena, json(properties), &settings, &error);
    if (code != 0) {
        assert_true(code == CHARM_EINVAL || code == CHARM_EPARSE);
        assert_null(settings);
        return charm_arena_copy(arena, error.text);
    }
    return charm_value_render(arena, settings, CHARM_JSON_SORTED);
}

static void assert_settings(const char *properties, const char *expected)
{
    assert_string_equal(settings_of(properties),
                        charm_value_render(arena, json(expected), CHARM_JSON_SORTED));
}

static void assert_refused(const char *properties, const char *key, const char *why)
{
    const char *text = settings_of(properties);
    assert_contains(text, key);
    assert_contains(text, why);
    assert_lacks(text, "hunter");
    assert_lacks(text, "\n");
}

static void without_security_only_the_brokers_are_carried_over(void **state)
{
    (void)state;
    assert_settings(
        "{\"bootstrap.servers\": \"k:9092\", \"group.id\": \"g\", "
        "\"producer.security.protocol\": \"SSL\", \"ssl.keystore.location\": \"/x.jks\"}",
        "{\"bootstrap.servers\": \"k:9092\"}");
}

static void scram_over_tls_with_certificates_as_text(void **state)
{
    (void)state;
    assert_settings("{\"bootstrap.servers\": \"k:9093\", \"security.protocol\": \"SASL_SSL\", "
                    "\"sasl.mechanism\": \"SCRAM-SHA-512\", " GOOD_JAAS ", "
                    "\"ssl.truststore.type\": \"PEM\", \"ssl.truststore.certificates\": "
                    "\"-----BEGIN CERTIFICATE----- QQ== -----END CERTIFICATE-----\"}",
                    "{\"bootstrap.servers\": \"k:9093\", \"security.protocol\": \"sasl_ssl\", "
                    "\"sasl.mechanism\": \"SCRAM-SHA-512\", \"sasl.username\": \"connect\", "
                    "\"sasl.password\": \"hunter2\", \"ssl.ca.pem\": \"" CERT "\"}");
}

static void plain_takes_either_login_module(void **state)
{
    (void)state;
    assert_settings(SASL("\"sasl.mechanism\": \" PLAIN \", \"sasl.jaas.config\": "
                         "\"org.apache.kafka.common.security.plain.PlainLoginModule required "
                         "username=\\\"u\\\" password=\\\"it's \\\\\\\"x\\\\\\\"\\\";\""),
                    "{\"security.protocol\": \"sasl_plaintext\", \"sasl.mechanism\": \"PLAIN\", "
                    "\"sasl.username\": \"u\", \"sasl.password\": \"it's \\\"x\\\"\"}");
    assert_settings(SASL("\"sasl.mechanism\": \"PLAIN\", " GOOD_JAAS),
                    "{\"security.protocol\": \"sasl_plaintext\", \"sasl.mechanism\": \"PLAIN\", "
                    "\"sasl.username\": \"connect\", \"sasl.password\": \"hunter2\"}");
}

static void a_client_certificate_comes_as_text_or_as_a_file(void **state)
{
    (void)state;
    assert_settings(
        TLS("\"ssl.keystore.type\": \"pem\", \"ssl.keystore.certificate.chain\": \"" CERT CERT
            "\", \"ssl.keystore.key\": \"" KEY "\""),
        "{\"security.protocol\": \"ssl\", \"ssl.certificate.pem\": \"" CERT CERT
        "\", \"ssl.key.pem\": \"" KEY "\"}");
    assert_settings(
        TLS("\"ssl.keystore.type\": \"PEM\", \"ssl.keystore.certificate.chain\": \"" CERT
            "\", \"ssl.keystore.key\": \"" LOCKED_KEY "\", \"ssl.key.password\": \"hunter2\""),
        "{\"security.protocol\": \"ssl\", \"ssl.certificate.pem\": \"" CERT
        "\", \"ssl.key.pem\": \"" LOCKED_KEY "\", \"ssl.key.password\": \"hunter2\"}");
    assert_settings(
        TLS("\"ssl.keystore.type\": \"PEM\", \"ssl.keystore.location\": \"/c.pem\", "
            "\"ssl.truststore.type\": \"PEM\", \"ssl.truststore.location\": \"/ca.pem\""),
        "{\"security.protocol\": \"ssl\", \"ssl.certificate.location\": \"/c.pem\", "
        "\"ssl.key.location\": \"/c.pem\", \"ssl.ca.location\": \"/ca.pem\"}");
    assert_settings(TLS("\"ssl.keystore.type\": \"PKCS12\", \"ssl.keystore.location\": \"/c.p12\", "
                        "\"ssl.keystore.password\": \"hunter2\""),
                    "{\"security.protocol\": \"ssl\", \"ssl.keystore.location\": \"/c.p12\", "
                    "\"ssl.keystore.password\": \"hunter2\"}");
}

static void javas_empty_endpoint_algorithm_is_none(void **state)
{
    (void)state;
    assert_settings(TLS("\"ssl.endpoint.identification.algorithm\": \"\""),
                    "{\"security.protocol\": \"ssl\", "
                    "\"ssl.endpoint.identification.algorithm\": \"none\"}");
    assert_settings(TLS("\"ssl.endpoint.identification.algorithm\": \"https\""),
                    "{\"security.protocol\": \"ssl\", "
                    "\"ssl.endpoint.identification.algorithm\": \"https\"}");
}

static void how_java_does_it_is_left_out(void **state)
{
    (void)state;
    assert_settings(TLS("\"ssl.enabled.protocols\": \"TLSv1.3\", \"ssl.protocol\": \"TLSv1.3\", "
                        "\"sasl.login.refresh.window.factor\": \"0.8\", "
                        "\"sasl.kerberos.service.name\": \"kafka\""),
                    "{\"security.protocol\": \"ssl\"}");
}

static void stores_that_librdkafka_cannot_read_are_named_with_the_way_out(void **state)
{
    (void)state;
    assert_refused(TLS("\"ssl.truststore.location\": \"/hunter.jks\""),
                   "ssl.truststore.location is a JKS or PKCS12",
                   "ssl.truststore.type=PEM and the text in ssl.truststore.certificates");
    assert_refused(TLS("\"ssl.truststore.type\": \"PKCS12\", \"ssl.truststore.location\": \"/x\""),
                   "ssl.truststore.location is a JKS or PKCS12", "keytool -exportcert -rfc");
    assert_refused(
        TLS("\"ssl.keystore.location\": \"/x.jks\", \"ssl.keystore.password\": \"hunter2\""),
        "ssl.keystore.location is a JKS store", "-deststoretype PKCS12");
    assert_refused(TLS("\"ssl.truststore.certificates\": \"" CERT "\""), "ssl.truststore.type",
                   "must be PEM");
    assert_refused(TLS("\"ssl.keystore.key\": \"" KEY "\""), "ssl.keystore.type", "must be PEM");
}

static void what_kafka_refuses_is_refused_here_too(void **state)
{
    (void)state;
#define PEM_TRUST "\"ssl.truststore.type\": \"PEM\", "
#define PEM_KEY "\"ssl.keystore.type\": \"PEM\", "
    assert_refused(
        TLS(PEM_TRUST
            "\"ssl.truststore.location\": \"/x\", \"ssl.truststore.certificates\": \"" CERT "\""),
        "ssl.truststore.location", "both given");
    assert_refused(
        TLS(PEM_TRUST
            "\"ssl.truststore.location\": \"/x\", \"ssl.truststore.password\": \"hunter2\""),
        "ssl.truststore.password", "not for PEM");
    assert_refused(
        TLS(PEM_KEY "\"ssl.keystore.location\": \"/x\", \"ssl.keystore.key\": \"" KEY "\""),
        "ssl.keystore.location", "both given");
    assert_refused(
        TLS(PEM_KEY "\"ssl.keystore.location\": \"/x\", \"ssl.keystore.password\": \"hunter2\""),
        "ssl.keystore.password", "not for PEM");
    assert_refused(TLS(PEM_KEY "\"ssl.keystore.key\": \"" KEY "\""),
                   "ssl.keystore.certificate.chain", "is missing");
    assert_refused(TLS(PEM_KEY "\"ssl.keystore.certificate.chain\": \"" CERT "\""),
                   "ssl.keystore.key", "is missing");
    assert_refused(TLS(PEM_KEY "\"ssl.keystore.certificate.chain\": \"" CERT
                               "\", \"ssl.keystore.key\": \"" LOCKED_KEY "\""),
                   "ssl.key.password", "is missing");
    assert_refused("{\"security.protocol\": \"hunter2\"}", "security.protocol",
                   "must be PLAINTEXT, SSL");
}

/* Workers with these settings would not start; with what only the charm's client cannot do they may. */
static void what_nobody_takes_is_told_from_what_only_we_cannot_do(void **state)
{
    struct charm_value *settings = NULL;
    assert_int_equal(
        kcbi_client_settings(arena, json("{\"security.protocol\": \"TLS\"}"), &settings, NULL),
        CHARM_EPARSE);
    assert_int_equal(kcbi_client_settings(arena,
                                          json(TLS("\"ssl.truststore.location\": \"/x.jks\"")),
                                          &settings, NULL),
                     CHARM_EINVAL);
}

static void what_the_client_cannot_do_is_named(void **state)
{
    (void)state;
    assert_refused(SASL("\"x\": \"y\", " GOOD_JAAS), "sasl.mechanism", "Kafka's default is GSSAPI");
    assert_refused(SASL("\"sasl.mechanism\": \"hunter2\""), "sasl.mechanism",
                   "must be PLAIN, SCRAM");
    assert_refused("{\"ssl.engine.factory.class\": \"x\"}", "ssl.engine.factory.class",
                   "cannot be used");
    assert_refused("{\"sasl.client.callback.handler.class\": \"x\"}",
                   "sasl.client.callback.handler.class", "cannot be used");
#define SCRAM(jaas) SASL("\"sasl.mechanism\": \"SCRAM-SHA-512\", " jaas)
    assert_refused(SCRAM("\"sasl.jaas.config\": \"\""), "sasl.jaas.config", "is missing");
    assert_refused(SCRAM("\"sasl.jaas.config\": \"hunter2\""), "sasl.jaas.config",
                   "not `required`");
    assert_refused(
        SCRAM("\"sasl.jaas.config\": \"com.hunter.Login required username=a password=b;\""),
        "sasl.jaas.config", "login module that the charm's own Kafka client does not know");
    assert_refused(SCRAM(JAAS("username=hunter2")), "sasl.jaas.config", "holds no username");
    assert_refused(SCRAM(JAAS("password=hunter2")), "sasl.jaas.config", "holds no username");
    assert_refused(SCRAM(JAAS("username=hunter password=hunter2 tokenauth=true")),
                   "sasl.jaas.config", "delegation tokens");
}

static void references_to_a_config_provider_are_named(void **state)
{
    (void)state;
    static const char *const references[] = {
        SCRAM("\"sasl.jaas.config\": \"${file:/hunter:x}\""),
        TLS(PEM_TRUST "\"ssl.truststore.certificates\": \"${file:/hunter:x}\""),
        TLS(PEM_TRUST "\"ssl.truststore.location\": \"${file:/hunter:x}\""),
        TLS(PEM_KEY "\"ssl.keystore.certificate.chain\": \"" CERT
                    "\", \"ssl.keystore.key\": \"${file:/hunter:x}\""),
        TLS(PEM_KEY
            "\"ssl.keystore.location\": \"/x\", \"ssl.key.password\": \"${file:/hunter:x}\""),
        TLS("\"ssl.keystore.type\": \"PKCS12\", \"ssl.keystore.location\": \"/x\", "
            "\"ssl.keystore.password\": \"${file:/hunter:x}\""),
    };
    for (size_t i = 0; i < CHARMI_COUNT(references); i++) {
        assert_refused(references[i], "refers to a config provider", "give the value itself");
    }
}

static void broken_pem_names_its_key(void **state)
{
    (void)state;
    assert_refused(TLS(PEM_TRUST "\"ssl.truststore.certificates\": \"hunter2\""),
                   "ssl.truststore.certificates", "there is no certificate");
    assert_refused(
        TLS(PEM_KEY
            "\"ssl.keystore.certificate.chain\": \"hunter2\", \"ssl.keystore.key\": \"hunter2\""),
        "ssl.keystore.certificate.chain", "there is no certificate");
    assert_refused(TLS(PEM_KEY "\"ssl.keystore.certificate.chain\": \"" CERT
                               "\", \"ssl.keystore.key\": \"hunter2\""),
                   "ssl.keystore.key", "there is no key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_security_only_the_brokers_are_carried_over),
        TEST(scram_over_tls_with_certificates_as_text),
        TEST(plain_takes_either_login_module),
        TEST(a_client_certificate_comes_as_text_or_as_a_file),
        TEST(javas_empty_endpoint_algorithm_is_none),
        TEST(how_java_does_it_is_left_out),
        TEST(stores_that_librdkafka_cannot_read_are_named_with_the_way_out),
        TEST(what_kafka_refuses_is_refused_here_too),
        TEST(what_nobody_takes_is_told_from_what_only_we_cannot_do),
        TEST(what_the_client_cannot_do_is_named),
        TEST(references_to_a_config_provider_are_named),
        TEST(broken_pem_names_its_key),
    };
    return cmocka_run_group_tests_name("client_settings", tests, NULL, NULL);
}
