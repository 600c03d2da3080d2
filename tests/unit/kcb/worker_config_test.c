#include "fixture.h"

#include "base/text.h"
#include "kcb/properties.h"
#include "kcb/worker_config.h"

static struct kcbi_names names;
static struct kcbi_image image;
static const char *const brokers[] = { "10.0.0.11:9092", "10.0.0.10:9092", "10.0.0.11:9092", NULL };

/* What an application without any option of its own gives, for this image. */
static struct kcbi_worker_inputs inputs_of(const char *image_name)
{
    assert_int_equal(kcbi_names_make(arena, "prod", "e0453597", "connect", "", &names, NULL), 0);
    image = kcbi_image_read(arena, image_name);
    struct kcbi_worker_inputs inputs = {
        .names = &names, .brokers = brokers, .image = &image, .topic_replication = 2
    };
    assert_int_equal(kcbi_version_choose("", &image, &inputs.version, NULL), 0);
    return inputs;
}

static struct kcbi_worker_config made(const struct kcbi_worker_inputs *inputs)
{
    struct kcbi_worker_config config = { 0 };
    struct charm_error error;
    if (kcbi_worker_config_make(arena, inputs, &config, &error) != 0) {
        fail_msg("%s", error.text);
    }
    return config;
}

static const char *value_in(const struct kcbi_worker_inputs *inputs, const char *key)
{
    return charm_text(charm_value_get(made(inputs).properties, key));
}

static const char *refusal(const struct kcbi_worker_inputs *inputs, int code)
{
    struct kcbi_worker_config config = { .rest_port = 1 };
    struct charm_error error;
    assert_int_equal(kcbi_worker_config_make(arena, inputs, &config, &error), code);
    assert_int_equal(config.rest_port, 1);
    return charm_arena_copy(arena, error.text);
}

/* ---- whole files ---- */

static void a_current_worker_gets_exactly_this(void **state)
{
    const struct kcbi_worker_inputs inputs = inputs_of("apache/kafka:4.3.1");
    assert_string_equal(made(&inputs).text,
                        "bootstrap.servers=10.0.0.10:9092,10.0.0.11:9092\n"
                        "config.providers=pod\n"
                        "config.providers.pod.class="
                        "org.apache.kafka.common.config.provider.EnvVarConfigProvider\n"
                        "config.providers.pod.param.allowlist.pattern=POD_IP\n"
                        "config.storage.replication.factor=-1\n"
                        "config.storage.topic=prod.connect.connectconfigs\n"
                        "connector.client.config.override.policy=None\n"
                        "group.id=connect\n"
                        "key.converter=org.apache.kafka.connect.json.JsonConverter\n"
                        "listeners=http://:8083\n"
                        "offset.storage.replication.factor=-1\n"
                        "offset.storage.topic=prod.connect.connectoffsets\n"
                        "plugin.path=/opt/kafka/libs/connect-file-4.3.1.jar\n"
                        "rest.advertised.host.name=${pod:POD_IP}\n"
                        "status.storage.replication.factor=-1\n"
                        "status.storage.topic=prod.connect.connectstatus\n"
                        "value.converter=org.apache.kafka.connect.json.JsonConverter\n");
    assert_true(made(&inputs).wants_pod_ip);
}

static void the_originals_image_gets_the_file_of_0_10(void **state)
{
    const struct kcbi_worker_inputs inputs = inputs_of(KCBI_ORIGINAL_IMAGE);
    assert_string_equal(made(&inputs).text,
                        "bootstrap.servers=10.0.0.10:9092,10.0.0.11:9092\n"
                        "config.storage.topic=prod.connect.connectconfigs\n"
                        "group.id=connect\n"
                        "internal.key.converter=org.apache.kafka.connect.json.JsonConverter\n"
                        "internal.key.converter.schemas.enable=false\n"
                        "internal.value.converter=org.apache.kafka.connect.json.JsonConverter\n"
                        "internal.value.converter.schemas.enable=false\n"
                        "key.converter=org.apache.kafka.connect.json.JsonConverter\n"
                        "offset.storage.topic=prod.connect.connectoffsets\n"
                        "rest.port=8083\n"
                        "status.storage.topic=prod.connect.connectstatus\n"
                        "value.converter=org.apache.kafka.connect.json.JsonConverter\n");
    assert_false(made(&inputs).wants_pod_ip);
}

static void a_worker_between_gets_what_its_version_knows(void **state)
{
    struct kcbi_worker_inputs inputs = inputs_of("example/connect");
    inputs.version = (struct kcbi_version){ 2, 5, 0 };
    assert_string_equal(value_in(&inputs, "offset.storage.replication.factor"), "2");
    assert_string_equal(value_in(&inputs, "listeners"), "http://:8083");
    assert_string_equal(value_in(&inputs, "rest.advertised.host.name"), "");
    assert_null(charm_value_get(made(&inputs).properties, "plugin.path"));
    assert_null(charm_value_get(made(&inputs).properties, "internal.key.converter"));
    inputs.topic_replication = 0;
    assert_string_equal(value_in(&inputs, "offset.storage.replication.factor"), "1");
}

static void the_file_does_not_depend_on_the_order_of_brokers(void **state)
{
    struct kcbi_worker_inputs inputs = inputs_of("apache/kafka:4.3.1");
    const char *before = made(&inputs).text;
    inputs.brokers = (const char *const[]){ "10.0.0.10:9092", "10.0.0.11:9092", NULL };
    assert_string_equal(made(&inputs).text, before);
}

/* ---- who wins ---- */

static void lines_win_over_options_over_the_upper_layer_over_what_is_computed(void **state)
{
    struct kcbi_worker_inputs inputs = inputs_of("apache/kafka:4.3.1");
    inputs.upper = json("{\"group.id\": \"upper\", \"offset.flush.interval.ms\": 1000, "
                        "\"key.converter\": \"upper.Converter\"}");
    assert_string_equal(value_in(&inputs, "group.id"), "upper");
    assert_string_equal(value_in(&inputs, "offset.flush.interval.ms"), "1000");
    assert_string_equal(value_in(&inputs, "key.converter"), "upper.Converter");
    inputs.group_id = "option";
    assert_string_equal(value_in(&inputs, "group.id"), "option");
    inputs.lines = "group.id = line\nkey.converter: line.Converter";
    assert_string_equal(value_in(&inputs, "group.id"), "line");
    assert_string_equal(value_in(&inputs, "key.converter"), "line.Converter");
}

static void what_is_given_is_checked_before_any_broker_is_known(void **state)
{
    struct kcbi_worker_inputs inputs = inputs_of("apache/kafka:4.3.1");
    inputs.brokers = NULL;
    struct charm_error error = { 0 };
    assert_int_equal(kcbi_worker_config_given(arena, &inputs, &error), 0);
    inputs.lines = "a=b\nssl.key.password=hunter22";
    assert_int_not_equal(kcbi_worker_config_given(arena, &inputs, &error), 0);
    assert_non_null(strstr(error.text, "option worker-config: ssl.key.password"));
    assert_null(strstr(error.text, "hunter22"));
}

static void worker_config_may_name_other_brokers(void **state)
{
    struct kcbi_worker_inputs inputs = inputs_of("apache/kafka:4.3.1");
    inputs.lines = "bootstrap.servers=proxy:9092";
    assert_string_equal(value_in(&inputs, "bootstrap.servers"), "proxy:9092");
    inputs.brokers = NULL;
    assert_string_equal(value_in(&inputs, "bootstrap.servers"), "proxy:9092");
}

static void without_a_broker_or_a_group_nothing_is_rendered(void **state)
{
    struct kcbi_worker_inputs inputs = inputs_of("apache/kafka:4.3.1");
    inputs.brokers = (const char *const[]){ "", NULL };
    assert_contains(refusal(&inputs, CHARM_EINVAL), "no broker is known");
    inputs = inputs_of("apache/kafka:4.3.1");
    inputs.lines = "group.id=";
    assert_contains(refusal(&inputs, CHARM_EINVAL), "group.id is empty");
}

static void rest_port_moves_the_port_in_every_version(void **state)
{
    struct kcbi_worker_inputs inputs = inputs_of("apache/kafka:4.3.1");
    inputs.lines = "rest.port=9000";
    assert_int_equal(made(&inputs).rest_port, 9000);
    assert_string_equal(value_in(&inputs, "listeners"), "http://:9000");
    assert_null(charm_value_get(made(&inputs).properties, "rest.port"));
    inputs = inputs_of(KCBI_ORIGINAL_IMAGE);
    inputs.upper = json("{\"rest.port\": 9001}");
    assert_int_equal(made(&inputs).rest_port, 9001);
    assert_string_equal(value_in(&inputs, "rest.port"), "9001");
    static const char *const bad[] = { "rest.port=80", "rest.port=65536", "rest.port=x",
                                       "rest.port=", "rest.port=8083 8084" };
    for (size_t i = 0; i < CHARMI_COUNT(bad); i++) {
        inputs.lines = bad[i];
        assert_contains(refusal(&inputs, CHARM_EINVAL), "from 1024 to 65535");
    }
}

static void other_config_providers_stand_beside_ours(void **state)
{
    struct kcbi_worker_inputs inputs = inputs_of("apache/kafka:4.3.1");
    inputs.lines = "config.providers = file, dir\nconfig.providers.file.class=F";
    assert_string_equal(value_in(&inputs, "config.providers"), "file,dir,pod");
    assert_string_equal(value_in(&inputs, "config.providers.file.class"), "F");
    inputs.lines = "config.providers = pod,file";
    assert_string_equal(value_in(&inputs, "config.providers"), "pod,file");
    inputs = inputs_of(KCBI_ORIGINAL_IMAGE);
    inputs.lines = "config.providers = file";
    assert_string_equal(value_in(&inputs, "config.providers"), "file");
}

/* ---- what is refused ---- */

static void keys_of_the_charm_are_refused_with_the_reason(void **state)
{
    static const char *const lines[] = {
        "config.storage.topic=x",
        "offset.storage.topic=x",
        "status.storage.topic=x",
        "listeners=http://0.0.0.0:8083",
        "rest.advertised.host.name=x",
        "rest.advertised.port=1",
        "rest.host.name=127.0.0.1",
        "rest.extension.classes=x",
        "config.providers.pod.param.allowlist.pattern=.*",
    };
    struct kcbi_worker_inputs inputs = inputs_of("apache/kafka:4.3.1");
    for (size_t i = 0; i < CHARMI_COUNT(lines); i++) {
        inputs.lines = lines[i];
        const char *text = refusal(&inputs, CHARM_EINVAL);
        assert_contains(text, "option worker-config: ");
        assert_contains(text, charm_arena_copy_n(arena, lines[i], strcspn(lines[i], "=")));
        assert_contains(text, " belongs to the charm: ");
    }
}

static void a_key_of_the_charm_may_be_given_its_own_value(void **state)
{
    struct kcbi_worker_inputs inputs = inputs_of("apache/kafka:4.3.1");
    inputs.upper = json("{\"config.storage.topic\": \"prod.connect.connectconfigs\"}");
    inputs.lines = "listeners=http://:8083";
    assert_string_equal(value_in(&inputs, "config.storage.topic"), "prod.connect.connectconfigs");
    inputs.upper = json("{\"config.storage.topic\": \"mine\"}");
    assert_contains(refusal(&inputs, CHARM_EINVAL), "the upper layer's worker settings: ");
}

static void an_empty_advertised_host_leaves_it_to_connect(void **state)
{
    struct kcbi_worker_inputs inputs = inputs_of("apache/kafka:4.3.1");
    inputs.lines = "rest.advertised.host.name=";
    assert_contains(made(&inputs).text, "\nrest.advertised.host.name=\n");
}

static void a_secret_is_refused_by_name_and_never_told(void **state)
{
    static const char *const keys[] = {
        "ssl.keystore.password",
        "ssl.key.password",
        "ssl.keystore.key",
        "sasl.jaas.config",
        "producer.sasl.jaas.config",
        "consumer.ssl.truststore.password",
        "admin.ssl.keystore.key",
        "listeners.https.ssl.keystore.password",
        "listener.name.x.plain.sasl.jaas.config",
        "sasl.oauthbearer.client.credentials.client.secret",
        "value.converter.basic.auth.user.info",
        "SSL.Keystore.Password",
        "password",
    };
    struct kcbi_worker_inputs inputs = inputs_of("apache/kafka:4.3.1");
    for (size_t i = 0; i < CHARMI_COUNT(keys); i++) {
        inputs.lines = charm_arena_printf(arena, "a=b\n%s = hunter2", keys[i]);
        const char *text = refusal(&inputs, CHARM_EINVAL);
        assert_contains(text, keys[i]);
        assert_lacks(text, "hunter2");
        inputs.lines = NULL;
        struct charm_value *upper = charm_value_new_map(arena);
        charm_value_set_text(upper, keys[i], "hunter2");
        inputs.upper = upper;
        assert_lacks(refusal(&inputs, CHARM_EINVAL), "hunter2");
        inputs.upper = NULL;
    }
    char huge[2000] = "";
    memset(huge, 'x', sizeof(huge) - sizeof(".password"));
    assert_true(kcbi_worker_secret(charm_arena_printf(arena, "%s.password", huge)));
}

static void a_refused_secret_names_the_ways_that_there_are(void **state)
{
    struct kcbi_worker_inputs inputs = inputs_of("apache/kafka:4.3.1");
    inputs.lines = "sasl.jaas.config=hunter2";
    const char *text = refusal(&inputs, CHARM_EINVAL);
    assert_contains(text, "juju config connect worker-secret=NAME");
    assert_contains(text, "allow-secrets-in-relation=true");
}

static void a_reference_is_no_secret(void **state)
{
    struct kcbi_worker_inputs inputs = inputs_of("apache/kafka:4.3.1");
    inputs.lines = "sasl.jaas.config=${vault:kafka:jaas}";
    assert_contains(made(&inputs).text, "sasl.jaas.config=${vault:kafka:jaas}\n");
    assert_int_equal(charm_value_size(made(&inputs).secrets), 0);
    inputs.lines = "sasl.jaas.config=${vault:kafka:jaas}hunter2";
    assert_lacks(refusal(&inputs, CHARM_EINVAL), "hunter2");
}

static void with_a_named_secret_the_file_refers_to_it(void **state)
{
    struct kcbi_worker_inputs inputs = inputs_of("apache/kafka:4.3.1");
    inputs.secret_way = KCBI_SECRETS_IN_KUBERNETES;
    inputs.lines = "sasl.jaas.config=hunter2\nproducer.ssl.key.password=\nconfig.providers=vault\n"
                   "client.id=x";
    const struct kcbi_worker_config config = made(&inputs);
    assert_contains(config.text, "config.providers=vault,pod,secret\n");
    assert_contains(config.text,
                    "config.providers.secret.class="
                    "org.apache.kafka.common.config.provider.FileConfigProvider\n"
                    "config.providers.secret.param.allowed.paths=/etc/worker-secret\n");
    struct charm_value *read = NULL;
    assert_int_equal(kcbi_properties_parse(arena, config.text, &read, NULL), 0);
    assert_string_equal(charm_text(charm_value_get(read, "sasl.jaas.config")),
                        "${secret:/etc/worker-secret/worker.properties:sasl.jaas.config}");
    assert_string_equal(charm_text(charm_value_get(read, "producer.ssl.key.password")),
                        "${secret:/etc/worker-secret/worker.properties:producer.ssl.key.password}");
    assert_lacks(config.text, "hunter2");
    assert_true(config.reads_secret);
    assert_false(config.secret_text);
    /* the charm's own client */
    assert_string_equal(charm_text(charm_value_get(config.properties, "sasl.jaas.config")),
                        "hunter2");
}

static void without_any_secret_a_named_one_can_still_be_referred_to(void **state)
{
    struct kcbi_worker_inputs inputs = inputs_of("apache/kafka:3.4.0");
    inputs.secret_way = KCBI_SECRETS_IN_KUBERNETES;
    assert_true(made(&inputs).reads_secret);
    assert_contains(made(&inputs).text, "config.providers=secret\n");
}

static void the_provider_of_the_secret_belongs_to_the_charm(void **state)
{
    struct kcbi_worker_inputs inputs = inputs_of("apache/kafka:4.3.1");
    inputs.secret_way = KCBI_SECRETS_IN_KUBERNETES;
    inputs.lines = "config.providers.secret.param.allowed.paths=/";
    assert_contains(refusal(&inputs, CHARM_EINVAL), "belongs to the charm");
}

static void workers_before_2_3_cannot_read_a_named_secret(void **state)
{
    static const char *const old[] = { KCBI_ORIGINAL_IMAGE, "apache/kafka:2.0.1",
                                       "apache/kafka:2.2.2" };
    for (size_t i = 0; i < CHARMI_COUNT(old); i++) {
        struct kcbi_worker_inputs inputs = inputs_of(old[i]);
        inputs.secret_way = KCBI_SECRETS_IN_KUBERNETES;
        const char *text = refusal(&inputs, CHARM_EINVAL);
        assert_contains(text, "option worker-secret: workers before 2.3");
        assert_contains(text, "allow-secrets-in-relation=true");
    }
    struct kcbi_worker_inputs inputs = inputs_of("apache/kafka:2.3.1");
    inputs.secret_way = KCBI_SECRETS_IN_KUBERNETES;
    assert_true(made(&inputs).reads_secret);
}

static void a_secret_that_may_travel_stands_in_the_file_of_any_version(void **state)
{
    static const char *const images[] = { KCBI_ORIGINAL_IMAGE, "apache/kafka:4.3.1" };
    for (size_t i = 0; i < CHARMI_COUNT(images); i++) {
        struct kcbi_worker_inputs inputs = inputs_of(images[i]);
        inputs.secret_way = KCBI_SECRETS_IN_REQUEST;
        inputs.lines = "ssl.key.password=hunter2";
        const struct kcbi_worker_config config = made(&inputs);
        assert_contains(config.text, "ssl.key.password=hunter2\n");
        assert_lacks(config.text, "FileConfigProvider");
        assert_true(config.secret_text);
        assert_false(config.reads_secret);
        inputs.lines = "client.id=x";
        assert_false(made(&inputs).secret_text);
    }
}

static void keys_that_only_look_like_secrets_are_taken(void **state)
{
    static const char *const keys[] = { "key.converter",
                                        "ssl.keystore.type",
                                        "ssl.truststore.location",
                                        "internal.key.converter",
                                        "password.encoder.x",
                                        "ssl.keymanager.algorithm",
                                        "some.key",
                                        "" };
    for (size_t i = 0; i < CHARMI_COUNT(keys); i++) {
        assert_false(kcbi_worker_secret(keys[i]));
    }
}

static void a_bad_line_names_its_number(void **state)
{
    struct kcbi_worker_inputs inputs = inputs_of("apache/kafka:4.3.1");
    inputs.lines = "a=b\nc=\\u00";
    assert_contains(refusal(&inputs, CHARM_EPARSE), "option worker-config: line 2: ");
}

static void a_name_that_kafka_cannot_have_is_refused_in_one_line(void **state)
{
    static const char *const lines[] = { "=x", "a\\nb.password=x", "a\\ b=x", "caf\xc3\xa9=x" };
    struct kcbi_worker_inputs inputs = inputs_of("apache/kafka:4.3.1");
    for (size_t i = 0; i < CHARMI_COUNT(lines); i++) {
        inputs.lines = lines[i];
        const char *text = refusal(&inputs, CHARM_EINVAL);
        assert_contains(text, "option worker-config: a property");
        assert_lacks(text, "\n");
    }
    inputs.lines = NULL;
    char *huge = charm_arena_alloc(arena, KCBI_PROPERTIES_MAX + 2);
    memset(huge, 'a', KCBI_PROPERTIES_MAX + 1);
    inputs.lines = huge;
    assert_contains(refusal(&inputs, CHARM_ETOOBIG), "option worker-config: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_current_worker_gets_exactly_this),
        TEST(the_originals_image_gets_the_file_of_0_10),
        TEST(a_worker_between_gets_what_its_version_knows),
        TEST(the_file_does_not_depend_on_the_order_of_brokers),
        TEST(lines_win_over_options_over_the_upper_layer_over_what_is_computed),
        TEST(what_is_given_is_checked_before_any_broker_is_known),
        TEST(worker_config_may_name_other_brokers),
        TEST(without_a_broker_or_a_group_nothing_is_rendered),
        TEST(rest_port_moves_the_port_in_every_version),
        TEST(other_config_providers_stand_beside_ours),
        TEST(keys_of_the_charm_are_refused_with_the_reason),
        TEST(a_key_of_the_charm_may_be_given_its_own_value),
        TEST(an_empty_advertised_host_leaves_it_to_connect),
        TEST(a_secret_is_refused_by_name_and_never_told),
        TEST(keys_that_only_look_like_secrets_are_taken),
        TEST(a_refused_secret_names_the_ways_that_there_are),
        TEST(a_reference_is_no_secret),
        TEST(with_a_named_secret_the_file_refers_to_it),
        TEST(without_any_secret_a_named_one_can_still_be_referred_to),
        TEST(the_provider_of_the_secret_belongs_to_the_charm),
        TEST(workers_before_2_3_cannot_read_a_named_secret),
        TEST(a_secret_that_may_travel_stands_in_the_file_of_any_version),
        TEST(a_bad_line_names_its_number),
        TEST(a_name_that_kafka_cannot_have_is_refused_in_one_line),
    };
    return cmocka_run_group_tests_name("worker_config", tests, NULL, NULL);
}
