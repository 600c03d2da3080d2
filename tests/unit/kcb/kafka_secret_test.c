#include "fixture.h"

#include "base/memory.h"
#include "kcb/client_settings.h"
#include "kcb/kafka_secret.h"

/* The workers' properties as the client then sees them, or the refusal. */
static const char *replaced(const char *properties, const char *content)
{
    struct charm_value *own = NULL;
    struct charm_error error = { 0 };
    if (kcbi_kafka_secret_replace(arena, json(properties), json(content), &own, &error) != 0) {
        assert_int_equal(error.code, CHARM_EINVAL);
        return charm_arena_copy(arena, error.text);
    }
    return charm_value_render(arena, own, CHARM_JSON_SORTED);
}

static const char *carried(const char *content)
{
    return replaced("{\"sasl.mechanism\":\"SCRAM-SHA-512\"}", content);
}

static void every_key_becomes_a_property_of_the_client(void **state)
{
    assert_string_equal(
        carried("{\"username\":\"u\",\"password\":\"p\",\"tls-ca\":\"ca\",\"tls-cert\":\"c\","
                "\"tls-key\":\"k\",\"tls-key-password\":\"kp\\n\"}"),
        "{\"sasl.jaas.config\":\"org.apache.kafka.common.security.scram.ScramLoginModule required "
        "username=\\\"u\\\" password=\\\"p\\\";\",\"sasl.mechanism\":\"SCRAM-SHA-512\","
        "\"ssl.key.password\":\"kp\",\"ssl.keystore.certificate.chain\":\"c\","
        "\"ssl.keystore.key\":\"k\",\"ssl.keystore.type\":\"PEM\","
        "\"ssl.truststore.certificates\":\"ca\",\"ssl.truststore.type\":\"PEM\"}");
}

static void any_password_is_read_back_as_it_is(void **state)
{
    static const char *const passwords[] = { "a\"b\\c; d", "\\\\\"\"", "caf\xc3\xa9 '#=", "\\n" };
    for (size_t i = 0; i < CHARMI_COUNT(passwords); i++) {
        struct charm_value *content = charm_value_new_map(arena);
        struct charm_value *own = NULL;
        struct charm_value *settings = NULL;
        charm_value_set_text(content, "username", "u");
        charm_value_setf(content, "password", "%s\n", passwords[i]);
        const struct charm_value *properties =
            json("{\"security.protocol\":\"SASL_PLAINTEXT\",\"sasl.mechanism\":\"PLAIN\"}");
        assert_int_equal(kcbi_kafka_secret_replace(arena, properties, content, &own, NULL), 0);
        assert_int_equal(kcbi_client_settings(arena, own, &settings, NULL), 0);
        assert_string_equal(TEXT_AT(settings, "sasl.password"), passwords[i]);
    }
}

static void half_a_pair_is_refused_and_names_the_other_half(void **state)
{
    assert_string_equal(carried("{\"username\":\"hunter2\"}"), "the secret has username but not "
                                                               "password");
    assert_contains(carried("{\"password\":\"hunter2\"}"), "but not username");
    assert_contains(carried("{\"tls-cert\":\"hunter2\"}"), "but not tls-key");
    assert_contains(carried("{\"tls-key-password\":\"hunter2\"}"), "but not tls-key");
    assert_lacks(carried("{\"password\":\"hunter2\"}"), "hunter2");
}

static void a_key_that_is_not_known_is_refused_and_the_known_ones_are_named(void **state)
{
    const char *text = carried("{\"pasword\":\"hunter2\"}");
    assert_contains(text, "a key pasword, known are username, password, tls-ca");
    assert_lacks(text, "hunter2");
    assert_contains(carried("{}"), "empty");
}

static void of_the_workers_properties_only_credentials_are_replaced(void **state)
{
    const char *properties = "{\"bootstrap.servers\":\"k:9092\",\"security.protocol\":\"SSL\","
                             "\"sasl.jaas.config\":\"${secret:a:b}\","
                             "\"ssl.keystore.location\":\"/k.jks\",\"ssl.key.password\":\"x\","
                             "\"ssl.truststore.location\":\"/t.jks\","
                             "\"ssl.truststore.certificates\":\"PEM\","
                             "\"producer.sasl.jaas.config\":\"y\"}";
    const char *content = "{\"tls-cert\":\"c\",\"tls-key\":\"k\"}";
    assert_string_equal(replaced(properties, content),
                        "{\"bootstrap.servers\":\"k:9092\",\"producer.sasl.jaas.config\":\"y\","
                        "\"security.protocol\":\"SSL\",\"ssl.keystore.certificate.chain\":\"c\","
                        "\"ssl.keystore.key\":\"k\",\"ssl.keystore.type\":\"PEM\","
                        "\"ssl.truststore.certificates\":\"PEM\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_key_becomes_a_property_of_the_client),
        TEST(any_password_is_read_back_as_it_is),
        TEST(half_a_pair_is_refused_and_names_the_other_half),
        TEST(a_key_that_is_not_known_is_refused_and_the_known_ones_are_named),
        TEST(of_the_workers_properties_only_credentials_are_replaced),
    };
    return cmocka_run_group_tests_name("kafka-secret", tests, NULL, NULL);
}
