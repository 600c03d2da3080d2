#include "fixture.h"

#include "kcb/destination.h"
#include "kcb/manifests.h"

#define UUID "2920e605f0ff6ec62142bcda05a663f0"
#define MODEL_UUID "e0453597-8109-4f7d-a58f-af08bc72a414"

static struct kcbi_names names;

static const struct kcbi_names *our_names(void)
{
    assert_int_equal(kcbi_names_make(arena, "prod", MODEL_UUID, "connect", "", &names, NULL), 0);
    return &names;
}

/* ---- the request ---- */

static const char *wire(const struct charm_value *request, const char *key)
{
    return charm_value_render(arena, charm_value_get(request, key), CHARM_JSON_PYTHON);
}

/* reactive-framework.md 7.2, with the properties written out. */
static const char original[] =
    "[{\"apiVersion\": \"v1\", \"data\": {\"connect-distributes.properties\": "
    "\"key.converter=org.apache.kafka.connect.json.JsonConverter\\n"
    "config.storage.topic=prod.connect.connectconfigs\\ngroup.id=connect-0\\n"
    "bootstrap.servers=10.0.0.10:9092\\n\"}, \"kind\": \"ConfigMap\", \"metadata\": {\"labels\": "
    "{\"app\": \"" UUID "\"}, \"name\": \"cfgmap-" UUID "\"}}, {\"apiVersion\": \"v1\", \"kind\": "
    "\"Service\", \"metadata\": {\"labels\": {\"app\": \"" UUID "\"}, \"name\": \"svc-" UUID
    "\"}, \"spec\": {\"ports\": [{\"port\": 8083}], \"selector\": {\"app\": \"" UUID
    "\"}, \"type\": \"NodePort\"}}, {\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\", "
    "\"metadata\": {\"labels\": {\"app\": \"" UUID "\"}, \"name\": \"depl-" UUID
    "\"}, \"spec\": {\"replicas\": 1, \"revisionHistoryLimit\": 2, \"selector\": {\"matchLabels\": "
    "{\"app\": \"" UUID "\"}}, \"template\": {\"metadata\": {\"annotations\": {\"configmap\": "
    "\"0123456789012345678901234567890123456789\"}, \"labels\": {\"app\": \"" UUID
    "\"}}, \"spec\": {\"containers\": [{\"image\": \"sborny/kafka-connect-base\", \"name\": \"" UUID
    "\", \"ports\": [{\"containerPort\": 8083}], \"volumeMounts\": [{\"mountPath\": "
    "\"/etc/config\", \"name\": \"config-volume\"}]}], \"volumes\": [{\"configMap\": {\"name\": "
    "\"cfgmap-" UUID "\"}, \"name\": \"config-volume\"}]}}}}]";

/* Keys in another order than the wire's: sorting is the wire's affair. */
static struct charm_value *originals_objects(void)
{
    struct charm_value *objects = json(original);
    struct charm_value *turned = charm_value_new_list(arena);
    for (size_t i = 0; i < charm_value_size(objects); i++) {
        struct charm_value *object = charm_value_append_map(turned);
        static const char *const keys[] = { "spec", "metadata", "kind", "data", "apiVersion" };
        for (size_t j = 0; j < CHARMI_COUNT(keys); j++) {
            const struct charm_value *member = charm_value_get(charm_value_at(objects, i), keys[j]);
            if (member != NULL) {
                charm_value_set(object, keys[j], member);
            }
        }
    }
    return turned;
}

static void the_originals_request_is_the_same_byte_for_byte(void **state)
{
    const struct charm_value *request =
        kcbi_destination_request(arena, our_names(), originals_objects());
    assert_int_equal(charm_value_size(request), 4);
    assert_string_equal(wire(request, "resource"), original);
    assert_string_equal(wire(request, "uuid"), "\"" UUID "\"");
    assert_string_equal(wire(request, "model_uuid"), "\"" MODEL_UUID "\"");
    assert_string_equal(wire(request, "juju_unit"), "\"connect\"");
}

static void a_request_for_nothing_withdraws(void **state)
{
    assert_string_equal(wire(kcbi_destination_request(arena, our_names(), NULL), "resource"), "[]");
}

/* ---- the answer ---- */

static struct kcbi_expected expected(void)
{
    return (struct kcbi_expected){
        .names = our_names(), .checksum = "c1", .workers = 2, .rest_port = 8083
    };
}

static struct kcbi_rollout read_units(const struct kcbi_answer *answers, size_t count)
{
    const struct kcbi_expected wanted = expected();
    return kcbi_rollout_read(arena, answers, count, &wanted);
}

static struct kcbi_rollout read_one(const char *status, const char *workers)
{
    const struct kcbi_answer answer = {
        .unit = "deployer/0",
        .status = status == NULL ? NULL : charm_value_decode(arena, status),
        .workers = workers == NULL ? NULL : charm_value_decode(arena, workers),
    };
    return read_units(&answer, 1);
}

#define WORKERS "[\"10.0.0.31\", \"10.0.0.32\"]"
#define CONFIG_MAP "{\"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"cfgmap-" UUID "\"}}"
#define SERVICE                                                                                    \
    "{\"kind\": \"Service\", \"metadata\": {\"name\": \"svc-" UUID "\"}, \"spec\": "               \
    "{\"type\": \"NodePort\", \"ports\": [{\"nodePort\": 30083, \"port\": 8083}]}}"

/* A Deployment with this checksum, these replicas, generation 3, and a status of these members. */
static const char *deployment(const char *checksum, int replicas, const char *status)
{
    return charm_arena_printf(
        arena,
        "{\"kind\": \"Deployment\", \"metadata\": {\"name\": \"depl-" UUID
        "\", \"generation\": 3}, "
        "\"spec\": {\"replicas\": %d, \"template\": {\"metadata\": {\"annotations\": "
        "{\"" KCBI_CHECKSUM "\": \"%s\"}}}}, \"status\": {%s}}",
        replicas, checksum, status);
}

static const char *objects(const char *third)
{
    return charm_arena_printf(arena, "[%s, %s, %s]", third, CONFIG_MAP, SERVICE);
}

#define ALL_WELL                                                                                   \
    "\"observedGeneration\": 3, \"replicas\": 2, \"updatedReplicas\": 2, \"readyReplicas\": 2, "   \
    "\"availableReplicas\": 2"

static struct kcbi_rollout with_status(const char *status)
{
    return read_one(objects(deployment("c1", 2, status)), WORKERS);
}

static void everything_ready_is_complete(void **state)
{
    const struct kcbi_rollout rollout = with_status(ALL_WELL);
    assert_int_equal(rollout.state, KCBI_ROLLOUT_COMPLETE);
    assert_int_equal(rollout.wanted, 2);
    assert_int_equal(rollout.ready, 2);
    assert_int_equal(rollout.updated, 2);
    assert_int_equal(rollout.node_port, 30083);
    assert_int_equal(rollout.port, 30083);
    assert_int_equal(rollout.addresses.size, 2);
    assert_string_equal(rollout.addresses.at[1], "10.0.0.32");
    assert_string_equal(rollout.checksum, "c1");
    assert_string_equal(rollout.unit, "deployer/0");
}

static void a_step_that_is_missing_is_under_way(void **state)
{
    static const char *const steps[] = {
        "\"observedGeneration\": 3",
        "\"observedGeneration\": 3, \"replicas\": 2, \"updatedReplicas\": 2, \"readyReplicas\": 1, "
        "\"availableReplicas\": 1",
        "\"observedGeneration\": 3, \"replicas\": 3, \"updatedReplicas\": 2, \"readyReplicas\": 3, "
        "\"availableReplicas\": 3",
        "\"observedGeneration\": 3, \"replicas\": 2, \"updatedReplicas\": 1, \"readyReplicas\": 2, "
        "\"availableReplicas\": 2",
        "\"observedGeneration\": 3, \"replicas\": 2, \"updatedReplicas\": 2, "
        "\"availableReplicas\": 2",
    };
    for (size_t i = 0; i < CHARMI_COUNT(steps); i++) {
        assert_int_equal(with_status(steps[i]).state, KCBI_ROLLOUT_ROLLING);
    }
    assert_int_equal(with_status(steps[1]).ready, 1);
}

static void objects_that_do_not_exist_yet_are_under_way(void **state)
{
    static const char *const answers[] = {
        "[null, null, null]", "[null]",           "[" CONFIG_MAP ", null, null]",
        "[" SERVICE "]",      "[1, \"x\", true]", "[[], {}]",
    };
    for (size_t i = 0; i < CHARMI_COUNT(answers); i++) {
        const struct kcbi_rollout rollout = read_one(answers[i], WORKERS);
        assert_int_equal(rollout.state, KCBI_ROLLOUT_ROLLING);
        assert_int_equal(rollout.ready, 0);
    }
}

static void an_answer_to_an_older_request_is_stale(void **state)
{
    assert_int_equal(read_one(objects(deployment("c0", 2, ALL_WELL)), WORKERS).state,
                     KCBI_ROLLOUT_STALE);
    assert_int_equal(read_one(objects(deployment("c1", 1, ALL_WELL)), WORKERS).state,
                     KCBI_ROLLOUT_STALE);
    assert_int_equal(with_status("\"observedGeneration\": 2, \"replicas\": 2, "
                                 "\"updatedReplicas\": 2, \"readyReplicas\": 2, "
                                 "\"availableReplicas\": 2")
                         .state,
                     KCBI_ROLLOUT_STALE);
    /* The original's pods carry no checksum of ours. */
    assert_int_equal(
        read_one("[{\"kind\": \"Deployment\", \"spec\": {\"replicas\": 2}}]", WORKERS).state,
        KCBI_ROLLOUT_STALE);
}

static void an_object_of_another_name_is_not_ours(void **state)
{
    const struct kcbi_rollout rollout =
        read_one("[{\"kind\": \"Service\", \"metadata\": {\"name\": \"svc-other\"}, \"spec\": "
                 "{\"ports\": [{\"nodePort\": 30001, \"port\": 8083}]}}]",
                 WORKERS);
    assert_int_equal(rollout.node_port, 0);
}

static void nobody_has_said_anything(void **state)
{
    assert_int_equal(read_units(NULL, 0).state, KCBI_ROLLOUT_NONE);
    assert_int_equal(read_one(NULL, NULL).state, KCBI_ROLLOUT_NONE);
    assert_int_equal(read_one("null", WORKERS).state, KCBI_ROLLOUT_NONE);
    assert_int_equal(read_one("[]", "[]").state, KCBI_ROLLOUT_NONE);
    assert_int_equal(read_one("", "").state, KCBI_ROLLOUT_NONE);
}

/* ---- errors ---- */

static void the_deployers_words_are_kept(void **state)
{
    struct kcbi_rollout rollout =
        read_one("{\"error\": \"Duplicate name for resource: svc-1\"}", WORKERS);
    assert_int_equal(rollout.state, KCBI_ROLLOUT_REFUSED);
    assert_string_equal(rollout.refusal, "Duplicate name for resource: svc-1");
    rollout = read_one("Could not create requested resources.", NULL);
    assert_int_equal(rollout.state, KCBI_ROLLOUT_REFUSED);
    assert_string_equal(rollout.refusal, "Could not create requested resources.");
}

static void words_of_others_are_one_line_and_short(void **state)
{
    struct charm_value *status = charm_value_new_map(arena);
    char huge[5000] = "";
    memset(huge, 'e', sizeof(huge) - 1);
    huge[1] = '\n';
    huge[3] = '\x1b';
    huge[299] = '\xc3'; /* with the next byte one character, which the cut must not tear */
    huge[300] = '\xa9';
    charm_value_set_text(status, "error", huge);
    const struct kcbi_answer answer = { .unit = "deployer/0", .status = status };
    const char *words = read_units(&answer, 1).refusal;
    assert_int_equal(strlen(words), 299 + 3);
    assert_null(strpbrk(words, "\n\x1b"));
}

static void an_answer_that_is_nothing_known_is_refused_in_our_words(void **state)
{
    static const char *const answers[] = {
        "{}", "5", "true", "{\"error\": {\"a\": 1}}", "{\"error\": null}", "{\"error\": \"\\n\"}"
    };
    for (size_t i = 0; i < CHARMI_COUNT(answers); i++) {
        const struct kcbi_rollout rollout = read_one(answers[i], "{\"a\": 5}");
        assert_int_equal(rollout.state, KCBI_ROLLOUT_REFUSED);
        assert_contains(rollout.refusal, "neither a list of objects nor an error");
    }
}

static void no_progress_is_told_with_kubernetes_words(void **state)
{
    struct kcbi_rollout rollout = with_status(
        "\"observedGeneration\": 3, \"conditions\": [null, {\"type\": \"Available\", \"status\": "
        "\"False\", \"message\": \"not yet\"}, {\"type\": \"Progressing\", \"status\": \"False\", "
        "\"reason\": \"ProgressDeadlineExceeded\", \"message\": \"ReplicaSet has timed out\"}]");
    assert_int_equal(rollout.state, KCBI_ROLLOUT_ROLLING);
    assert_string_equal(rollout.failure, "ProgressDeadlineExceeded: ReplicaSet has timed out");
    rollout = with_status("\"observedGeneration\": 3, \"conditions\": [{\"type\": "
                          "\"ReplicaFailure\", \"status\": \"True\", \"message\": \"quota\"}]");
    assert_string_equal(rollout.failure, "quota");
    rollout = with_status("\"observedGeneration\": 3, \"conditions\": [{\"type\": "
                          "\"Progressing\", \"status\": \"True\"}]");
    assert_string_equal(rollout.failure, "");
    rollout = with_status("\"observedGeneration\": 3, \"conditions\": [{\"type\": "
                          "\"Progressing\", \"status\": \"False\"}]");
    assert_string_equal(rollout.failure, "Kubernetes does not say why");
}

/* ---- several units ---- */

static void the_first_unit_with_data_counts(void **state)
{
    const struct kcbi_answer answers[] = {
        { .unit = "deployer/0" },
        { .unit = "deployer/1",
          .status = json(objects(deployment("c1", 2, ALL_WELL))),
          .workers = json("[\"10.0.0.41\"]") },
        { .unit = "deployer/2", .status = json("{\"error\": \"old\"}"), .workers = json(WORKERS) },
    };
    const struct kcbi_rollout rollout = read_units(answers, 3);
    assert_int_equal(rollout.state, KCBI_ROLLOUT_COMPLETE);
    assert_string_equal(rollout.unit, "deployer/1");
    assert_int_equal(rollout.addresses.size, 1);
    assert_string_equal(rollout.addresses.at[0], "10.0.0.41");
}

static void addresses_of_another_unit_are_taken_when_the_first_knows_none(void **state)
{
    const struct kcbi_answer answers[] = {
        { .unit = "deployer/0",
          .status = json(objects(deployment("c1", 2, ALL_WELL))),
          .workers = json("[\"\"]") },
        { .unit = "deployer/1", .workers = json(WORKERS) },
    };
    assert_int_equal(read_units(answers, 2).addresses.size, 2);
}

/* ---- addresses and ports ---- */

static void empty_double_and_strange_addresses_are_left_out(void **state)
{
    const struct kcbi_rollout rollout = read_one(
        objects(deployment("c1", 2, ALL_WELL)),
        "[\"\", \" 10.0.0.31 \", \"10.0.0.31\", null, 5, [\"x\"], \"a/b\", \"a b\", \"u@h\", "
        "\"h?x\", \"fd00::1\", \"node-1.example\"]");
    assert_int_equal(rollout.addresses.size, 3);
    assert_string_equal(rollout.addresses.at[0], "10.0.0.31");
    assert_string_equal(rollout.addresses.at[1], "fd00::1");
    assert_string_equal(rollout.addresses.at[2], "node-1.example");
}

/* A URL would be made of them, and asked. */
static void what_only_looks_like_an_address_is_left_out(void **state)
{
    const struct kcbi_rollout rollout = read_one(
        objects(deployment("c1", 2, ALL_WELL)),
        "[\"127.0.0.1:1\", \"127.0.0.300\", \"10.0.0\", \"10.0.0.1.\", \"1.2.3.4.5\", \"host:80\", "
        "\":\", "
        "\"::1::\", \"1:2:3:4:5:6:7:8:9\", \"fd00:12345::1\", \"-a\", \"a-\", \"a..b\", \".\", "
        "\"10.0.0.0031\", \"::1\", \"::ffff:10.0.0.1\", \"fd00:0:0:0:0:0:0:1\", \"a.b.\", "
        "\"3com.example\"]");
    const struct charmi_words *all = &rollout.addresses;
    assert_string_equal(charmi_words_join(arena, all, " "),
                        "::1 ::ffff:10.0.0.1 fd00:0:0:0:0:0:0:1 a.b. 3com.example");
}

static void there_is_a_ceiling_for_addresses(void **state)
{
    struct charm_value *many = charm_value_new_list(arena);
    for (int i = 0; i < 5000; i++) {
        charm_value_append_text(many, charm_arena_printf(arena, "10.0.%d.%d", i / 250, i % 250));
    }
    const struct kcbi_answer answer = { .unit = "deployer/0",
                                        .status = json("[null]"),
                                        .workers = many };
    assert_int_equal(read_units(&answer, 1).addresses.size, KCBI_ADDRESSES_MAX);
}

static struct kcbi_rollout with_service(const char *spec_and_status)
{
    return read_one(charm_arena_printf(arena, "[{\"kind\": \"Service\", %s}]", spec_and_status),
                    WORKERS);
}

static void a_port_that_is_none_is_no_port(void **state)
{
    static const char *const services[] = {
        "\"spec\": {\"ports\": [{\"port\": 8083}]}",
        "\"spec\": {\"ports\": [{\"port\": 8083, \"nodePort\": \"30083\"}]}",
        "\"spec\": {\"ports\": [{\"port\": 8083, \"nodePort\": 70000}]}",
        "\"spec\": {\"ports\": [{\"port\": 8083, \"nodePort\": -1}]}",
        "\"spec\": {\"ports\": [{\"port\": 8083, \"nodePort\": 9223372036854775807}]}",
        "\"spec\": {\"ports\": [null]}",
        "\"spec\": {\"ports\": {}}",
        "\"spec\": {\"ports\": []}",
        "\"spec\": 5",
        "\"spec\": null",
        "\"metadata\": []",
    };
    for (size_t i = 0; i < CHARMI_COUNT(services); i++) {
        assert_int_equal(with_service(services[i]).node_port, 0);
        assert_int_equal(with_service(services[i]).port, 0);
    }
}

static void the_rest_port_is_found_among_several(void **state)
{
    assert_int_equal(with_service("\"spec\": {\"ports\": [{\"port\": 1, \"nodePort\": 30001}, "
                                  "{\"port\": 8083, \"nodePort\": 30002}]}")
                         .node_port,
                     30002);
}

static void each_type_of_service_has_its_own_address(void **state)
{
    struct kcbi_rollout rollout =
        with_service("\"spec\": {\"type\": \"ClusterIP\", \"clusterIP\": \"10.152.183.5\", "
                     "\"ports\": [{\"port\": 8083}]}");
    assert_int_equal(rollout.addresses.size, 1);
    assert_string_equal(rollout.addresses.at[0], "10.152.183.5");
    assert_int_equal(rollout.port, 8083);

    rollout = with_service("\"spec\": {\"type\": \"LoadBalancer\", \"ports\": [{\"port\": 8083, "
                           "\"nodePort\": 30083}]}, \"status\": {\"loadBalancer\": {\"ingress\": "
                           "[{\"ip\": \"192.0.2.7\"}, {\"hostname\": \"lb.example\"}]}}");
    assert_int_equal(rollout.addresses.size, 2);
    assert_string_equal(rollout.addresses.at[1], "lb.example");
    assert_int_equal(rollout.port, 8083);

    rollout = with_service("\"spec\": {\"type\": \"LoadBalancer\", \"ports\": [{\"port\": 8083, "
                           "\"nodePort\": 30083}]}, \"status\": {\"loadBalancer\": {}}");
    assert_int_equal(rollout.addresses.size, 2);
    assert_int_equal(rollout.port, 30083);
}

static void hostile_counts_are_never_complete(void **state)
{
    static const char *const counts[] = {
        "\"observedGeneration\": \"3\", \"updatedReplicas\": 2, \"readyReplicas\": 2",
        "\"observedGeneration\": 9223372036854775807, \"updatedReplicas\": -2",
        "\"observedGeneration\": 3, \"updatedReplicas\": {}, \"availableReplicas\": [2]",
        "\"observedGeneration\": 3, \"updatedReplicas\": 2.5, \"availableReplicas\": true",
        "\"conditions\": 5",
        "\"observedGeneration\": 3, \"conditions\": {\"type\": 1}",
    };
    for (size_t i = 0; i < CHARMI_COUNT(counts); i++) {
        assert_int_not_equal(with_status(counts[i]).state, KCBI_ROLLOUT_COMPLETE);
    }
}

/* Every answer with one of its bytes changed, or cut anywhere, is read without harm. */
static void broken_answers_are_read_without_harm(void **state)
{
    const char *whole = objects(deployment("c1", 2, ALL_WELL));
    const size_t size = strlen(whole);
    static const char replacements[] = "\0\"{}[],:0-nx";
    for (size_t i = 0; i < size; i++) {
        for (size_t j = 0; j < sizeof(replacements) - 1; j++) {
            char *broken = charm_arena_copy(arena, whole);
            broken[i] = replacements[j];
            const struct kcbi_rollout rollout = read_one(broken, WORKERS);
            assert_in_range(rollout.node_port, 0, 65535);
            assert_non_null(rollout.refusal);
        }
    }
}

/* ---- Secrets ---- */

static void secrets_are_dropped_wherever_they_are(void **state)
{
    const struct charm_value *status =
        json("[null, {\"kind\": \"Secret\", \"data\": {\"p\": \"aHVudGVyMg==\"}}, " CONFIG_MAP
             ", {\"kind\": \"List\", \"items\": [{\"kind\": \"Secret\", \"data\": {\"p\": "
             "\"aHVudGVyMg==\"}}, {\"kind\": \"Service\"}]}, [{\"kind\": \"SecretList\", "
             "\"items\": [{\"data\": \"aHVudGVyMg==\"}]}]]");
    const char *kept =
        charm_value_render(arena, kcbi_status_without_secrets(arena, status), CHARM_JSON_SORTED);
    assert_lacks(kept, "aHVudGVyMg==");
    assert_string_equal(kept, "[null,{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"cfgmap-" UUID
                              "\"}},{\"items\":[{\"kind\":\"Service\"}],\"kind\":\"List\"},[]]");
    const char *alone = charm_value_render(
        arena, kcbi_status_without_secrets(arena, json("{\"kind\": \"Secret\", \"data\": \"x\"}")),
        CHARM_JSON_SORTED);
    assert_string_equal(alone, "[]");
}

static void an_answer_without_secrets_stays_as_it_is(void **state)
{
    static const char *const answers[] = { "{\"error\":\"x\"}", "\"text\"", "null", "5",
                                           "[null,{\"kind\":5},[1]]" };
    for (size_t i = 0; i < CHARMI_COUNT(answers); i++) {
        assert_string_equal(charm_value_render(arena,
                                               kcbi_status_without_secrets(arena, json(answers[i])),
                                               CHARM_JSON_COMPACT),
                            answers[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_originals_request_is_the_same_byte_for_byte),
        TEST(a_request_for_nothing_withdraws),
        TEST(everything_ready_is_complete),
        TEST(a_step_that_is_missing_is_under_way),
        TEST(objects_that_do_not_exist_yet_are_under_way),
        TEST(an_answer_to_an_older_request_is_stale),
        TEST(an_object_of_another_name_is_not_ours),
        TEST(nobody_has_said_anything),
        TEST(the_deployers_words_are_kept),
        TEST(words_of_others_are_one_line_and_short),
        TEST(an_answer_that_is_nothing_known_is_refused_in_our_words),
        TEST(no_progress_is_told_with_kubernetes_words),
        TEST(the_first_unit_with_data_counts),
        TEST(addresses_of_another_unit_are_taken_when_the_first_knows_none),
        TEST(empty_double_and_strange_addresses_are_left_out),
        TEST(what_only_looks_like_an_address_is_left_out),
        TEST(there_is_a_ceiling_for_addresses),
        TEST(a_port_that_is_none_is_no_port),
        TEST(the_rest_port_is_found_among_several),
        TEST(each_type_of_service_has_its_own_address),
        TEST(hostile_counts_are_never_complete),
        TEST(broken_answers_are_read_without_harm),
        TEST(secrets_are_dropped_wherever_they_are),
        TEST(an_answer_without_secrets_stays_as_it_is),
    };
    return cmocka_run_group_tests_name("destination", tests, NULL, NULL);
}
