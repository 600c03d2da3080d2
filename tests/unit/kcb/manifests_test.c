#include "fixture.h"

#include "kcb/manifests.h"
#include "lab/cluster_check.h"

#define UUID "2920e605f0ff6ec62142bcda05a663f0"

/* What the application has when nobody gives an option. */
struct world {
    struct kcbi_names names;
    struct kcbi_image image;
    struct kcbi_worker_config config;
    struct kcbi_manifest_inputs inputs;
};

static void make_world(struct world *world, const char *application, const char *image)
{
    *world = (struct world){ .image = kcbi_image_read(arena, image) };
    const char *model_uuid = "e0453597-8109-4f7d-a58f-af08bc72a414";
    assert_int_equal(
        kcbi_names_make(arena, "prod", model_uuid, application, "", &world->names, NULL), 0);
    struct kcbi_worker_inputs inputs = {
        .names = &world->names,
        .image = &world->image,
        .brokers = (const char *const[]){ "10.0.0.10:9092", NULL },
    };
    assert_int_equal(kcbi_version_choose("", &world->image, &inputs.version, NULL), 0);
    assert_int_equal(kcbi_worker_config_make(arena, &inputs, &world->config, NULL), 0);
    world->inputs = (struct kcbi_manifest_inputs){
        .names = &world->names,
        .image = &world->image,
        .version = inputs.version,
        .config = &world->config,
        .workers = 2,
        .command = "",
        .heap = "",
        .memory = "1Gi",
        .cpu = "250m",
        .service_type = "NodePort",
        .worker_secret = "",
        .secret_digest = "",
    };
}

/* A worker that logs in with a password, which goes this way. */
static void make_secret_world(struct world *world, enum kcbi_secret_way way, const char *password)
{
    make_world(world, "connect", "apache/kafka:4.3.1");
    const struct kcbi_worker_inputs inputs = {
        .names = &world->names,
        .image = &world->image,
        .brokers = (const char *const[]){ "10.0.0.10:9092", NULL },
        .version = world->inputs.version,
        .lines = charm_arena_printf(arena, "ssl.key.password=%s", password),
        .secret_way = way,
    };
    assert_int_equal(kcbi_worker_config_make(arena, &inputs, &world->config, NULL), 0);
    world->inputs.worker_secret = way == KCBI_SECRETS_IN_KUBERNETES ? "connect-kafka" : "";
    world->inputs.secret_digest = "salted";
}

static struct kcbi_manifests made(const struct world *world)
{
    struct kcbi_manifests manifests = { 0 };
    struct charm_error error;
    if (kcbi_manifests_make(arena, &world->inputs, &manifests, &error) != 0) {
        fail_msg("%s", error.text);
    }
    return manifests;
}

enum { CONFIG_MAP, SERVICE, DEPLOYMENT };

static const struct charm_value *object_of(const struct world *world, size_t index)
{
    return charm_value_at(made(world).objects, index);
}

static const struct charm_value *pod_of(const struct world *world)
{
    return charm_value_path(object_of(world, DEPLOYMENT), "spec", "template", "spec", NULL);
}

static const struct charm_value *container_of(const struct world *world)
{
    return charm_value_at(charm_value_get(pod_of(world), "containers"), 0);
}

static const char *compact(const struct charm_value *value)
{
    return charm_value_render(arena, value, CHARM_JSON_SORTED);
}

/* ---- whole objects ---- */

#define LABELS                                                                                     \
    "\"labels\":{\"app\":\"" UUID "\",\"app.kubernetes.io/component\":\"worker\","                 \
    "\"app.kubernetes.io/instance\":\"connect\","                                                  \
    "\"app.kubernetes.io/managed-by\":\"kafka-connect-base\","                                     \
    "\"app.kubernetes.io/name\":\"kafka-connect\",\"app.kubernetes.io/part-of\":\"prod\"}"

static void the_config_map_holds_the_file_under_the_originals_name(void **state)
{
    struct world world;
    make_world(&world, "connect", "apache/kafka:4.3.1");
    const struct charm_value *object = object_of(&world, CONFIG_MAP);
    assert_string_equal(TEXT_AT(object, "apiVersion"), "v1");
    assert_string_equal(TEXT_AT(object, "metadata", "name"), "cfgmap-" UUID);
    assert_string_equal(TEXT_AT(object, "data", "connect-distributes.properties"),
                        world.config.text);
}

static void the_service_is_exactly_this(void **state)
{
    struct world world;
    make_world(&world, "connect", "apache/kafka:4.3.1");
    assert_string_equal(
        compact(object_of(&world, SERVICE)),
        "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{" LABELS ",\"name\":\"svc-" UUID
        "\"},\"spec\":{\"ports\":[{\"name\":\"rest\",\"port\":8083,"
        "\"protocol\":\"TCP\",\"targetPort\":\"rest\"}],\"selector\":{\"app\":\"" UUID "\"},"
        "\"type\":\"NodePort\"}}");
    world.inputs.service_type = "ClusterIP";
    assert_string_equal(TEXT_AT(object_of(&world, SERVICE), "spec", "type"), "ClusterIP");
}

static void the_pod_of_apache_kafka_is_exactly_this(void **state)
{
    struct world world;
    make_world(&world, "connect", "apache/kafka:4.3.1");
    assert_string_equal(
        compact(pod_of(&world)),
        "{\"automountServiceAccountToken\":false,\"containers\":[{"
        "\"command\":[\"/opt/kafka/bin/connect-distributed.sh\","
        "\"/etc/config/connect-distributes.properties\"],"
        "\"env\":[{\"name\":\"KAFKA_HEAP_OPTS\",\"value\":\"-Xms512M -Xmx512M\"},"
        "{\"name\":\"LOG_DIR\",\"value\":\"/tmp/logs\"},"
        "{\"name\":\"POD_IP\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"status.podIP\"}}}],"
        "\"image\":\"apache/kafka:4.3.1\","
        "\"livenessProbe\":{\"failureThreshold\":6,\"httpGet\":{\"path\":\"/\",\"port\":\"rest\"},"
        "\"periodSeconds\":20,\"timeoutSeconds\":10},\"name\":\"worker\","
        "\"ports\":[{\"containerPort\":8083,\"name\":\"rest\",\"protocol\":\"TCP\"}],"
        "\"readinessProbe\":{\"failureThreshold\":6,"
        "\"httpGet\":{\"path\":\"/health\",\"port\":\"rest\"},"
        "\"periodSeconds\":10,\"timeoutSeconds\":5},"
        "\"resources\":{\"limits\":{\"memory\":\"1Gi\"},"
        "\"requests\":{\"cpu\":\"250m\",\"memory\":\"1Gi\"}},"
        "\"securityContext\":{\"allowPrivilegeEscalation\":false,"
        "\"capabilities\":{\"drop\":[\"ALL\"]},\"readOnlyRootFilesystem\":true},"
        "\"startupProbe\":{\"failureThreshold\":60,\"httpGet\":{\"path\":\"/\",\"port\":\"rest\"},"
        "\"periodSeconds\":5,\"timeoutSeconds\":5},"
        "\"volumeMounts\":[{\"mountPath\":\"/etc/config\",\"name\":\"config-volume\"},"
        "{\"mountPath\":\"/tmp\",\"name\":\"scratch\"}]}],\"enableServiceLinks\":false,"
        "\"securityContext\":{\"fsGroup\":1000,\"runAsNonRoot\":true,\"runAsUser\":1000,"
        "\"seccompProfile\":{\"type\":\"RuntimeDefault\"}},\"terminationGracePeriodSeconds\":30,"
        "\"volumes\":[{\"configMap\":{\"name\":\"cfgmap-" UUID "\"},\"name\":\"config-volume\"},"
        "{\"emptyDir\":{\"sizeLimit\":\"1Gi\"},\"name\":\"scratch\"}]}");
}

static void the_deployment_rolls_one_worker_at_a_time(void **state)
{
    struct world world;
    make_world(&world, "connect", "apache/kafka:4.3.1");
    const struct charm_value *deployment = object_of(&world, DEPLOYMENT);
    assert_string_equal(TEXT_AT(deployment, "metadata", "name"), "depl-" UUID);
    const struct charm_value *spec = charm_value_get(deployment, "spec");
    assert_int_equal(INT_AT(spec, "replicas"), 2);
    assert_int_equal(INT_AT(spec, "revisionHistoryLimit"), 2);
    assert_int_equal(INT_AT(spec, "strategy", "rollingUpdate", "maxSurge"), 1);
    assert_int_equal(INT_AT(spec, "strategy", "rollingUpdate", "maxUnavailable"), 0);
    assert_string_equal(compact(charm_value_get(spec, "selector")),
                        "{\"matchLabels\":{\"app\":\"" UUID "\"}}");
    assert_string_equal(TEXT_AT(spec, "template", "metadata", "labels", "app"), UUID);
}

/* ---- images ---- */

static void other_images_keep_their_entry_point_user_and_file_system(void **state)
{
    static const char *const images[] = { "sborny/kafka-connect-base", "example/connect:1" };
    for (size_t i = 0; i < CHARMI_COUNT(images); i++) {
        struct world world;
        make_world(&world, "connect", images[i]);
        assert_null(charm_value_get(container_of(&world), "command"));
        assert_string_equal(compact(charm_value_get(container_of(&world), "securityContext")),
                            "{\"allowPrivilegeEscalation\":false}");
        assert_string_equal(compact(charm_value_get(pod_of(&world), "securityContext")),
                            "{\"seccompProfile\":{\"type\":\"RuntimeDefault\"}}");
        assert_int_equal(charm_value_size(charm_value_get(pod_of(&world), "volumes")), 1);
    }
}

static void old_workers_are_asked_for_what_they_have(void **state)
{
    struct world world;
    make_world(&world, "connect", "sborny/kafka-connect-base");
    const struct charm_value *container = container_of(&world);
    assert_string_equal(TEXT_AT(container, "readinessProbe", "httpGet", "path"), "/connectors");
    assert_string_equal(TEXT_AT(container, "livenessProbe", "httpGet", "path"), "/");
    assert_int_equal(charm_value_size(charm_value_get(container, "env")), 1);
}

static void the_command_option_is_cut_at_blanks(void **state)
{
    struct world world;
    make_world(&world, "connect", "example/connect:1");
    world.inputs.command = " /bin/run  --config\t/etc/config/x ";
    assert_string_equal(compact(charm_value_get(container_of(&world), "command")),
                        "[\"/bin/run\",\"--config\",\"/etc/config/x\"]");
    make_world(&world, "connect", "apache/kafka:4.3.1");
    world.inputs.command = "/mine";
    assert_string_equal(compact(charm_value_get(container_of(&world), "command")), "[\"/mine\"]");
}

static void the_port_of_the_configuration_is_the_port_everywhere(void **state)
{
    struct world world;
    make_world(&world, "connect", "apache/kafka:4.3.1");
    world.config.rest_port = 9000;
    const struct charm_value *ports =
        charm_value_path(object_of(&world, SERVICE), "spec", "ports", NULL);
    assert_int_equal(INT_AT(charm_value_at(ports, 0), "port"), 9000);
    ports = charm_value_get(container_of(&world), "ports");
    assert_int_equal(INT_AT(charm_value_at(ports, 0), "containerPort"), 9000);
}

/* ---- the checksum ---- */

static void only_what_pods_see_changes_the_checksum(void **state)
{
    struct world world;
    make_world(&world, "connect", "apache/kafka:4.3.1");
    const char *before = made(&world).checksum;
    assert_int_equal(strlen(before), 64);
    assert_string_equal(TEXT_AT(object_of(&world, DEPLOYMENT), "spec", "template", "metadata",
                                "annotations", KCBI_CHECKSUM),
                        before);
    world.inputs.workers = 7;
    world.inputs.service_type = "LoadBalancer";
    assert_string_equal(made(&world).checksum, before);

    world.inputs.heap = "256M";
    assert_string_not_equal(made(&world).checksum, before);
    world.inputs.heap = "";
    world.config.text = charm_arena_printf(arena, "%s#", world.config.text);
    assert_string_not_equal(made(&world).checksum, before);
    make_world(&world, "connect", "apache/kafka:4.3.0");
    assert_string_not_equal(made(&world).checksum, before);
}

static void the_same_inputs_give_the_same_bytes(void **state)
{
    struct world one;
    struct world other;
    make_world(&one, "connect", "apache/kafka:4.3.1");
    make_world(&other, "connect", "apache/kafka:4.3.1");
    assert_string_equal(charm_value_render(arena, made(&one).objects, CHARM_JSON_PYTHON),
                        charm_value_render(arena, made(&other).objects, CHARM_JSON_PYTHON));
}

/* ---- limits ---- */

static const char *refusal(const struct world *world, int code)
{
    struct kcbi_manifests manifests = { 0 };
    struct charm_error error;
    assert_int_equal(kcbi_manifests_make(arena, &world->inputs, &manifests, &error), code);
    assert_null(manifests.objects);
    return charm_arena_copy(arena, error.text);
}

static void a_heap_that_fills_the_memory_is_refused(void **state)
{
    struct world world;
    make_world(&world, "connect", "apache/kafka:4.3.1");
    static const char *const heaps[] = { "2G", "1073741824", "1Gi", "x", "0M", "512m -XX:Evil" };
    for (size_t i = 0; i < CHARMI_COUNT(heaps); i++) {
        world.inputs.heap = heaps[i];
        assert_contains(refusal(&world, CHARM_EINVAL), "less than memory 1Gi");
    }
    world.inputs.memory = "much";
    assert_contains(refusal(&world, CHARM_EINVAL), "memory 'much' is not an amount");
}

static void a_configuration_over_a_config_maps_size_is_refused(void **state)
{
    struct world world;
    make_world(&world, "connect", "apache/kafka:4.3.1");
    char *huge = charm_arena_alloc(arena, 600 * 1024);
    memset(huge, 'a', 600 * 1024 - 1);
    world.config.text = huge;
    assert_contains(refusal(&world, CHARM_ETOOBIG), "614399 bytes");
}

/* ---- secrets ---- */

static void a_named_secret_is_mounted_for_reading_alone(void **state)
{
    struct world world;
    make_secret_world(&world, KCBI_SECRETS_IN_KUBERNETES, "hunter2");
    const char *pod = compact(pod_of(&world));
    assert_contains(pod, "{\"mountPath\":\"/etc/worker-secret\",\"name\":\"worker-secret\","
                         "\"readOnly\":true}");
    assert_contains(pod, "{\"name\":\"worker-secret\",\"secret\":{\"defaultMode\":288,"
                         "\"secretName\":\"connect-kafka\"}}");
    assert_contains(pod, "\"configMap\"");
    assert_lacks(compact(made(&world).objects), "hunter2");
    assert_lacks(compact(made(&world).objects), "\"kind\":\"Secret\"");
    struct world other = world;
    make_world(&other, "connect", "example/connect:1");
    other.config = world.config;
    assert_contains(compact(pod_of(&other)), "\"secret\":{\"secretName\":\"\"}");
}

static void a_secret_that_may_travel_takes_the_config_maps_place(void **state)
{
    struct world world;
    make_secret_world(&world, KCBI_SECRETS_IN_REQUEST, "hunter2");
    const struct charm_value *secret = object_of(&world, CONFIG_MAP);
    assert_string_equal(TEXT_AT(secret, "kind"), "Secret");
    assert_string_equal(TEXT_AT(secret, "metadata", "name"), "secret-" UUID);
    assert_string_equal(TEXT_AT(secret, "type"), "Opaque");
    assert_contains(TEXT_AT(secret, "stringData", KCBI_CONFIG_KEY), "ssl.key.password=hunter2\n");
    const char *pod = compact(pod_of(&world));
    assert_contains(pod, "{\"name\":\"config-volume\",\"secret\":{\"defaultMode\":288,"
                         "\"secretName\":\"secret-" UUID "\"}}");
    assert_lacks(pod, "configMap");
    assert_lacks(pod, KCBI_SECRET_DIR);
    assert_lacks(compact(object_of(&world, DEPLOYMENT)), "hunter2");
}

static void of_secrets_only_their_digest_changes_the_checksum(void **state)
{
    static const enum kcbi_secret_way ways[] = { KCBI_SECRETS_IN_KUBERNETES,
                                                 KCBI_SECRETS_IN_REQUEST };
    for (size_t i = 0; i < CHARMI_COUNT(ways); i++) {
        struct world one;
        struct world two;
        make_secret_world(&one, ways[i], "hunter2");
        make_secret_world(&two, ways[i], "hunter3");
        /* it can tell nobody whether he has guessed right */
        assert_string_equal(made(&one).checksum, made(&two).checksum);
        two.inputs.secret_digest = "salted otherwise";
        assert_string_not_equal(made(&one).checksum, made(&two).checksum);
    }
}

/* ---- Kubernetes ---- */

static void assert_taken(const struct world *world)
{
    const struct kcbi_manifests manifests = made(world);
    for (size_t i = 0; i < charm_value_size(manifests.objects); i++) {
        const struct charm_value *object = charm_value_at(manifests.objects, i);
        struct charm_error error;
        if (lab_manifest_check(arena, object, NULL, &error) != 0) {
            fail_msg("%s", error.text);
        }
        if (lab_manifest_check(arena, object, object, &error) != 0) {
            fail_msg("%s", error.text);
        }
    }
}

static void kubernetes_takes_every_kind_of_image_and_service(void **state)
{
    static const char *const images[] = { "apache/kafka:4.3.1", "apache/kafka:3.7.0",
                                          "sborny/kafka-connect-base", "example/connect" };
    static const char *const types[] = { "NodePort", "ClusterIP", "LoadBalancer" };
    for (size_t i = 0; i < CHARMI_COUNT(images); i++) {
        for (size_t j = 0; j < CHARMI_COUNT(types); j++) {
            struct world world;
            make_world(&world, "connect", images[i]);
            world.inputs.service_type = types[j];
            assert_taken(&world);
        }
    }
}

static void kubernetes_takes_any_name_of_an_application(void **state)
{
    static const char *const names[] = {
        "0",   "9lives", "Connect_2",
        "a.b", "-x-",    "a-name-that-is-longer-than-sixty-three-characters-and-ends-in-a-hyphen-",
    };
    for (size_t i = 0; i < CHARMI_COUNT(names); i++) {
        struct world world;
        make_world(&world, names[i], "apache/kafka:4.3.1");
        assert_taken(&world);
    }
}

static void kubernetes_takes_both_ways_of_a_secret(void **state)
{
    struct world world;
    make_secret_world(&world, KCBI_SECRETS_IN_KUBERNETES, "hunter2");
    assert_taken(&world);
    make_secret_world(&world, KCBI_SECRETS_IN_REQUEST, "hunter2");
    assert_taken(&world);
}

static void the_selector_stays_when_everything_else_changes(void **state)
{
    struct world before;
    struct world after;
    make_world(&before, "connect", "sborny/kafka-connect-base");
    make_world(&after, "connect", "apache/kafka:4.3.1");
    after.inputs.memory = "2Gi";
    struct charm_error error;
    if (lab_manifest_check(arena, object_of(&after, DEPLOYMENT), object_of(&before, DEPLOYMENT),
                           &error) != 0) {
        fail_msg("%s", error.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_config_map_holds_the_file_under_the_originals_name),
        TEST(the_service_is_exactly_this),
        TEST(the_pod_of_apache_kafka_is_exactly_this),
        TEST(the_deployment_rolls_one_worker_at_a_time),
        TEST(other_images_keep_their_entry_point_user_and_file_system),
        TEST(old_workers_are_asked_for_what_they_have),
        TEST(the_command_option_is_cut_at_blanks),
        TEST(the_port_of_the_configuration_is_the_port_everywhere),
        TEST(only_what_pods_see_changes_the_checksum),
        TEST(the_same_inputs_give_the_same_bytes),
        TEST(a_heap_that_fills_the_memory_is_refused),
        TEST(a_configuration_over_a_config_maps_size_is_refused),
        TEST(a_named_secret_is_mounted_for_reading_alone),
        TEST(a_secret_that_may_travel_takes_the_config_maps_place),
        TEST(of_secrets_only_their_digest_changes_the_checksum),
        TEST(kubernetes_takes_both_ways_of_a_secret),
        TEST(kubernetes_takes_every_kind_of_image_and_service),
        TEST(kubernetes_takes_any_name_of_an_application),
        TEST(the_selector_stays_when_everything_else_changes),
    };
    return cmocka_run_group_tests_name("manifests", tests, NULL, NULL);
}
