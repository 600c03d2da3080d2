/* What Kubernetes refuses, one test each: shared facts in lab-facts.md section 3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "lab/cluster_check.h"
#include "lab/cluster_quantity.h"
#include "lab/cluster_secret.h"

static const char config_map[] = "{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", "
                                 "\"metadata\": {\"name\": \"cfg\"}, \"data\": {\"a.b\": \"c\"}}";

static const char service[] =
    "{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"svc\"}, "
    "\"spec\": {\"type\": \"NodePort\", \"selector\": {\"app\": \"x\"}, "
    "\"ports\": [{\"port\": 8083}]}}";

static const char deployment[] =
    "{\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\", \"metadata\": {\"name\": \"depl\"}, "
    "\"spec\": {\"replicas\": 1, \"selector\": {\"matchLabels\": {\"app\": \"x\"}}, "
    "\"template\": {\"metadata\": {\"labels\": {\"app\": \"x\"}}, \"spec\": {\"containers\": "
    "[{\"name\": \"worker\", \"image\": \"apache/kafka:4.3.1\", \"ports\": [{\"containerPort\": "
    "8083, \"name\": \"rest\"}], \"readinessProbe\": {\"httpGet\": {\"path\": \"/\", \"port\": "
    "\"rest\"}}, \"resources\": {\"limits\": {\"memory\": \"1Gi\"}, \"requests\": {\"memory\": "
    "\"512Mi\", \"cpu\": \"500m\"}}, \"volumeMounts\": [{\"name\": \"config\", \"mountPath\": "
    "\"/etc/config\"}]}], \"volumes\": [{\"name\": \"config\", \"configMap\": {\"name\": "
    "\"cfg\"}}]}}}}";

static const char secret[] = "{\"apiVersion\": \"v1\", \"kind\": \"Secret\", "
                             "\"metadata\": {\"name\": \"s\"}, \"type\": \"Opaque\", "
                             "\"data\": {\"a.b\": \"aHVudGVyMg==\"}}";

/* ---- helpers ---- */

static int set_up(void **state)
{
    *state = charm_arena_new();
    return 0;
}

static int tear_down(void **state)
{
    charm_arena_free(*state);
    return 0;
}

/* The manifest with `from` replaced by `to`; `from` must be there. */
static struct charm_value *manifest(struct charm_arena *arena, const char *text, const char *from,
                                    const char *to)
{
    const char *at = strstr(text, from);
    assert_non_null(at);
    const char *changed =
        charm_arena_printf(arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    struct charm_value *value = NULL;
    struct charm_error error = { 0 };
    if (charm_value_parse(arena, changed, strlen(changed), &value, &error) != 0) {
        fail_msg("%s: %s", error.text, changed);
    }
    return value;
}

static void refuses(void **state, const char *text, const char *from, const char *to,
                    const char *words)
{
    struct charm_error error = { 0 };
    const int code = lab_manifest_check(*state, manifest(*state, text, from, to), NULL, &error);
    assert_int_equal(code, CHARM_EINVAL);
    if (strstr(error.text, words) == NULL) {
        fail_msg("expected \"%s\", got \"%s\"", words, error.text);
    }
}

static void takes(void **state, const char *text, const char *from, const char *to)
{
    struct charm_error error = { 0 };
    if (lab_manifest_check(*state, manifest(*state, text, from, to), NULL, &error) != 0) {
        fail_msg("refused: %s", error.text);
    }
}

/* ---- what is fine ---- */

static void the_three_manifests_are_taken(void **state)
{
    takes(state, config_map, "cfg", "cfg");
    takes(state, service, "svc", "svc");
    takes(state, deployment, "depl", "depl");
}

static void a_null_is_as_if_it_were_not_there(void **state)
{
    takes(state, deployment, "\"replicas\": 1", "\"replicas\": null");
}

static void a_deployment_may_begin_with_a_digit(void **state)
{
    takes(state, deployment, "depl", "9depl.example");
}

/* ---- strict decoding ---- */

static void an_unknown_field_is_refused_with_its_path(void **state)
{
    refuses(state, deployment, "\"replicas\"", "\"replicaz\"",
            "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding "
            "error: unknown field \"spec.replicaz\"");
}

static void an_unknown_field_deep_inside_is_refused(void **state)
{
    refuses(state, deployment, "\"readinessProbe\": {", "\"readinessProbe\": {\"dada\": 1, ",
            "unknown field \"spec.template.spec.containers[0].readinessProbe.dada\"");
}

static void a_number_in_config_map_data_is_refused(void **state)
{
    refuses(state, config_map, "\"c\"", "5",
            "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: json: cannot unmarshal "
            "number into Go struct field ConfigMap.data of type string");
}

static void a_text_as_number_of_replicas_is_refused(void **state)
{
    refuses(state, deployment, "\"replicas\": 1", "\"replicas\": \"1\"",
            "cannot unmarshal string into Go struct field Deployment.spec.replicas of type int32");
}

static void a_number_as_environment_value_is_refused(void **state)
{
    refuses(state, deployment, "\"image\"", "\"env\": [{\"name\": \"A\", \"value\": 1}], \"image\"",
            "containers[0].env[0].value of type string");
}

static void an_unknown_kind_is_refused(void **state)
{
    refuses(state, config_map, "ConfigMap", "Wonder", "no matches for kind \"Wonder\"");
}

static void the_wrong_version_of_a_kind_is_refused(void **state)
{
    refuses(state, deployment, "apps/v1", "v1", "no matches for kind \"Deployment\" in version");
}

/* ---- ConfigMaps ---- */

static void a_config_map_over_a_mebibyte_is_refused(void **state)
{
    charmi_auto_buf struct charmi_buf big = charmi_buf_init(2 * 1024 * 1024);
    charmi_buf_add_char(&big, '"');
    for (size_t i = 0; i < 1024 * 1024 + 1; i++) {
        charmi_buf_add_char(&big, 'x');
    }
    charmi_buf_add_char(&big, '"');
    refuses(state, config_map, "\"c\"", charmi_buf_text(&big),
            "ConfigMap \"cfg\" is invalid: []: Too long: may not be more than 1048576 bytes");
}

static void a_key_with_a_slash_is_refused(void **state)
{
    refuses(state, config_map, "a.b", "a/b", "data[a/b]: Invalid value: \"a/b\"");
}

/* ---- names ---- */

static void a_service_that_begins_with_a_digit_is_refused(void **state)
{
    refuses(state, service, "svc", "9svc",
            "Service \"9svc\" is invalid: metadata.name: Invalid value: \"9svc\": a DNS-1035 label "
            "must consist of lower case alphanumeric characters or '-', start with an alphabetic "
            "character");
}

static void a_service_with_a_dot_is_refused(void **state)
{
    refuses(state, service, "svc", "s.vc", "a DNS-1035 label");
}

static void a_service_name_of_64_characters_is_refused(void **state)
{
    refuses(state, service, "svc",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a DNS-1035 label");
}

static void an_upper_case_name_is_refused(void **state)
{
    refuses(state, config_map, "cfg", "Cfg", "a lowercase RFC 1123 subdomain");
}

static void a_missing_name_is_refused(void **state)
{
    refuses(state, config_map, "\"name\": \"cfg\"", "", "resource name may not be empty");
}

static void a_label_of_64_characters_is_refused(void **state)
{
    refuses(state, config_map, "\"name\"",
            "\"labels\": {\"a\": "
            "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}, \"name\"",
            "must be no more than 63 bytes");
}

static void a_label_key_with_two_slashes_is_refused(void **state)
{
    refuses(state, config_map, "\"name\"", "\"labels\": {\"a/b/c\": \"d\"}, \"name\"",
            "metadata.labels: Invalid value: \"a/b/c\"");
}

/* ---- Services ---- */

static void a_node_port_out_of_range_is_refused(void **state)
{
    refuses(state, service, "8083}", "8083, \"nodePort\": 8083}",
            "spec.ports[0].nodePort: Invalid value: 8083: provided port is not in the valid range. "
            "The range of valid ports is 30000-32767");
}

static void a_node_port_on_a_cluster_ip_is_refused(void **state)
{
    refuses(state, service, "\"type\": \"NodePort\", \"selector\": {\"app\": \"x\"}, \"ports\": [{",
            "\"ports\": [{\"nodePort\": 30001, ", "may not be used when `type` is 'ClusterIP'");
}

static void a_service_without_ports_is_refused(void **state)
{
    refuses(state, service, "[{\"port\": 8083}]", "[]", "spec.ports: Required value");
}

static void a_port_zero_is_refused(void **state)
{
    refuses(state, service, "8083", "0", "must be between 1 and 65535, inclusive");
}

static void two_ports_without_names_are_refused(void **state)
{
    refuses(state, service, "{\"port\": 8083}", "{\"port\": 8083}, {\"port\": 8084}",
            "spec.ports[0].name: Required value");
}

static void an_unknown_service_type_is_refused(void **state)
{
    refuses(state, service, "NodePort", "Nodeport", "spec.type: Unsupported value: \"Nodeport\"");
}

/* ---- Deployments ---- */

static void a_changed_selector_is_refused(void **state)
{
    struct charm_error error = { 0 };
    const struct charm_value *before = manifest(*state, deployment, "depl", "depl");
    struct charm_value *after = manifest(*state, deployment,
                                         "\"app\": \"x\"}}, \"template\": "
                                         "{\"metadata\": {\"labels\": {\"app\": \"x\"}}",
                                         "\"app\": \"y\"}}, \"template\": {\"metadata\": "
                                         "{\"labels\": {\"app\": \"y\"}}");
    assert_int_equal(lab_manifest_check(*state, after, before, &error), CHARM_EINVAL);
    assert_string_equal(error.text, "Deployment.apps \"depl\" is invalid: spec.selector: Invalid "
                                    "value: {\"matchLabels\":{\"app\":\"y\"}}: field is immutable");
    assert_int_equal(lab_manifest_check(*state, before, before, &error), 0);
}

static void a_selector_that_misses_its_template_is_refused(void **state)
{
    refuses(state, deployment, "\"labels\": {\"app\": \"x\"}", "\"labels\": {\"app\": \"y\"}",
            "Deployment.apps \"depl\" is invalid: spec.template.metadata.labels: Invalid value: "
            "{\"app\":\"y\"}: `selector` does not match template `labels`");
}

static void a_missing_selector_is_refused(void **state)
{
    refuses(state, deployment, "\"selector\": {\"matchLabels\": {\"app\": \"x\"}}, ", "",
            "spec.selector: Required value");
}

static void a_limit_below_its_request_is_refused(void **state)
{
    refuses(
        state, deployment, "\"1Gi\"", "\"256Mi\"",
        "spec.template.spec.containers[0].resources.requests: Invalid value: \"512Mi\": must be "
        "less than or equal to memory limit of 256Mi");
}

static void a_quantity_with_a_blank_is_refused(void **state)
{
    refuses(state, deployment, "\"1Gi\"", "\"1 Gi\"",
            "quantities must match the regular expression");
}

static void negative_replicas_are_refused(void **state)
{
    refuses(state, deployment, "\"replicas\": 1", "\"replicas\": -1",
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0");
}

static void a_deployment_without_containers_is_refused(void **state)
{
    refuses(state, deployment, "\"containers\": [{", "\"containers\": [], \"initContainers\": [{",
            "spec.template.spec.containers: Required value");
}

static void an_upper_case_container_name_is_refused(void **state)
{
    refuses(state, deployment, "\"name\": \"worker\"", "\"name\": \"Worker\"",
            "containers[0].name: Invalid value: \"Worker\": a lowercase RFC 1123 label");
}

static void an_empty_image_is_refused(void **state)
{
    refuses(state, deployment, "\"apache/kafka:4.3.1\"", "\"\"",
            "containers[0].image: Required value");
}

static void a_mount_of_no_volume_is_refused(void **state)
{
    refuses(state, deployment, "\"volumeMounts\": [{\"name\": \"config\"",
            "\"volumeMounts\": [{\"name\": \"other\"",
            "containers[0].volumeMounts[0].name: Not found: \"other\"");
}

static void a_probe_without_action_is_refused(void **state)
{
    refuses(state, deployment, "\"httpGet\": {\"path\": \"/\", \"port\": \"rest\"}",
            "\"periodSeconds\": 1", "readinessProbe: Required value: must specify a handler type");
}

static void a_probe_period_of_zero_is_refused(void **state)
{
    refuses(state, deployment, "\"readinessProbe\": {",
            "\"readinessProbe\": {\"periodSeconds\": 0, ",
            "readinessProbe.periodSeconds: Invalid value: 0: must be greater than 0");
}

static void a_liveness_probe_that_wants_two_successes_is_refused(void **state)
{
    refuses(state, deployment, "\"readinessProbe\": {",
            "\"livenessProbe\": {\"successThreshold\": 2, ",
            "livenessProbe.successThreshold: Invalid value: 2: must be 1");
}

static void another_restart_policy_is_refused(void **state)
{
    refuses(state, deployment, "\"volumes\"", "\"restartPolicy\": \"Never\", \"volumes\"",
            "restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"");
}

static void a_roll_out_that_could_never_move_is_refused(void **state)
{
    refuses(state, deployment, "\"replicas\": 1",
            "\"replicas\": 1, \"strategy\": {\"rollingUpdate\": {\"maxSurge\": 0, "
            "\"maxUnavailable\": 0}}",
            "may not be 0 when `maxSurge` is 0");
}

static void all_causes_are_told_at_once(void **state)
{
    refuses(state, deployment, "\"replicas\": 1", "\"replicas\": -1, \"minReadySeconds\": -1",
            "is invalid: [spec.replicas: Invalid value: -1: must be greater than or equal to 0, "
            "spec.minReadySeconds");
}

static void a_second_container_is_more_than_the_lab_plays(void **state)
{
    refuses(state, deployment, "\"containers\": [",
            "\"containers\": [{\"name\": \"a\", \"image\": \"b\"}, ",
            "the lab plays one container a pod");
}

/* ---- quantities ---- */

static void quantities_are_read_as_kubernetes_reads_them(void **state)
{
    static const struct {
        const char *text;
        double amount;
    } rows[] = {
        { "1", 1 },     { "500m", 0.5 }, { "1.5Gi", 1.5 * 1024 * 1024 * 1024 },
        { "2k", 2000 }, { "1e3", 1000 }, { "-1", -1 },
        { ".5", 0.5 },  { "1Ki", 1024 }, { "3M", 3e6 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double amount = 0;
        assert_true(
            lab_quantity_parse(*state, charm_value_new_text(*state, rows[i].text), &amount));
        assert_true(amount == rows[i].amount);
    }
}

static void what_is_no_quantity_is_not_read(void **state)
{
    static const char *const texts[] = { "",     "m",    "1 Gi", "1gi", "1.2.3",
                                         "0x10", "1e99", "1Gi ", "." };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        double amount = 0;
        if (lab_quantity_parse(*state, charm_value_new_text(*state, texts[i]), &amount)) {
            fail_msg("\"%s\" was read as %f", texts[i], amount);
        }
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* ---- Secrets ---- */

static void secrets_are_taken_in_both_forms(void **state)
{
    takes(state, secret, "Opaque", "Opaque");
    takes(state, secret, "\"data\"", "\"stringData\"");
}

static void what_is_no_base64_is_refused(void **state)
{
    static const char *const bad[] = { "hunter2!", "aHVudGVyMg=", "aHVudGVyMg",
                                       "====", "aHV=dGVy" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        refuses(state, secret, "aHVudGVyMg==", bad[i], "illegal base64 data at data.a.b");
    }
}

static void a_secret_s_type_is_for_ever(void **state)
{
    struct charm_error error = { 0 };
    const struct charm_value *before = manifest(*state, secret, "Opaque", "Opaque");
    const struct charm_value *after = manifest(*state, secret, "Opaque", "kubernetes.io/tls");
    assert_int_equal(lab_manifest_check(*state, after, before, &error), CHARM_EINVAL);
    assert_non_null(strstr(error.text, "field is immutable"));
}

static void a_volume_of_a_secret_wants_its_name_and_a_mode(void **state)
{
    static const char volume[] = "\"configMap\": {\"name\": \"cfg\"}";
    takes(state, deployment, volume, "\"secret\": {\"secretName\": \"s\", \"defaultMode\": 288}");
    refuses(state, deployment, volume, "\"secret\": {\"name\": \"s\"}", "unknown field");
    refuses(state, deployment, volume, "\"secret\": {}", "secret.secretName: Required value");
    refuses(state, deployment, volume, "\"secret\": {\"secretName\": \"s\", \"defaultMode\": 512}",
            "must be a number between 0 and 0777");
}

static void a_secret_is_kept_as_base64_alone(void **state)
{
    const struct charm_value *stored = NULL;
    const char both[] = "{\"kind\": \"Secret\", \"data\": {\"a\": \"YQ==\", \"b\": \"YmI=\"}, "
                        "\"stringData\": {\"a\": \"ccc\"}}";
    assert_int_equal(lab_secret_stored(*state, manifest(*state, both, "ccc", "ccc"), &stored, NULL),
                     0);
    assert_string_equal(charm_value_render(*state, stored, CHARM_JSON_SORTED),
                        "{\"data\":{\"a\":\"Y2Nj\",\"b\":\"YmI=\"},\"kind\":\"Secret\","
                        "\"type\":\"Opaque\"}");
    size_t size = 0;
    assert_string_equal(lab_secret_bytes(*state, charm_value_get(stored, "data"), "b", &size),
                        "bb");
    assert_int_equal(size, 2);
    assert_null(lab_secret_bytes(*state, charm_value_get(stored, "data"), "c", &size));
}

/* RFC 4648, section 10. */
static void base64_is_that_of_the_standard(void **state)
{
    static const char *const vectors[][2] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
    };
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        assert_string_equal(lab_base64(*state, vectors[i][0], strlen(vectors[i][0])),
                            vectors[i][1]);
    }
    assert_string_equal(lab_base64(*state, "\xff\xfe\x00", 3), "//4A");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_three_manifests_are_taken),
        T(a_null_is_as_if_it_were_not_there),
        T(a_deployment_may_begin_with_a_digit),
        T(an_unknown_field_is_refused_with_its_path),
        T(an_unknown_field_deep_inside_is_refused),
        T(a_number_in_config_map_data_is_refused),
        T(a_text_as_number_of_replicas_is_refused),
        T(a_number_as_environment_value_is_refused),
        T(an_unknown_kind_is_refused),
        T(the_wrong_version_of_a_kind_is_refused),
        T(a_config_map_over_a_mebibyte_is_refused),
        T(a_key_with_a_slash_is_refused),
        T(a_service_that_begins_with_a_digit_is_refused),
        T(a_service_with_a_dot_is_refused),
        T(a_service_name_of_64_characters_is_refused),
        T(an_upper_case_name_is_refused),
        T(a_missing_name_is_refused),
        T(a_label_of_64_characters_is_refused),
        T(a_label_key_with_two_slashes_is_refused),
        T(a_node_port_out_of_range_is_refused),
        T(a_node_port_on_a_cluster_ip_is_refused),
        T(a_service_without_ports_is_refused),
        T(a_port_zero_is_refused),
        T(two_ports_without_names_are_refused),
        T(an_unknown_service_type_is_refused),
        T(a_changed_selector_is_refused),
        T(a_selector_that_misses_its_template_is_refused),
        T(a_missing_selector_is_refused),
        T(a_limit_below_its_request_is_refused),
        T(a_quantity_with_a_blank_is_refused),
        T(negative_replicas_are_refused),
        T(a_deployment_without_containers_is_refused),
        T(an_upper_case_container_name_is_refused),
        T(an_empty_image_is_refused),
        T(a_mount_of_no_volume_is_refused),
        T(a_probe_without_action_is_refused),
        T(a_probe_period_of_zero_is_refused),
        T(a_liveness_probe_that_wants_two_successes_is_refused),
        T(another_restart_policy_is_refused),
        T(a_roll_out_that_could_never_move_is_refused),
        T(all_causes_are_told_at_once),
        T(a_second_container_is_more_than_the_lab_plays),
        T(secrets_are_taken_in_both_forms),
        T(what_is_no_base64_is_refused),
        T(a_secret_s_type_is_for_ever),
        T(a_volume_of_a_secret_wants_its_name_and_a_mode),
        T(a_secret_is_kept_as_base64_alone),
        T(base64_is_that_of_the_standard),
        T(quantities_are_read_as_kubernetes_reads_them),
        T(what_is_no_quantity_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
