/* The life of objects in the lab's cluster, without Kafka: shapes of the API, roll-outs that cannot succeed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "lab/cluster.h"

struct fixture {
    struct charm_arena *arena;
    struct lab_cluster *cluster;
    char dir[64];
    char last_event[300];
};

static void hear(void *userdata, const char *level, const char *text)
{
    struct fixture *fixture = userdata;
    (void)level;
    snprintf(fixture->last_event, sizeof(fixture->last_event), "%.299s", text);
}

/* A folder that looks as if Kafka were there: no test here starts it. */
static const char *fake_kafka(const struct fixture *fixture)
{
    const char *home = charm_arena_printf(fixture->arena, "%s/4.3.1", fixture->dir);
    assert_int_equal(mkdir(home, 0755), 0);
    assert_int_equal(mkdir(charm_arena_printf(fixture->arena, "%s/libs", home), 0755), 0);
    assert_int_equal(mkdir(charm_arena_printf(fixture->arena, "%s/plugins", home), 0755), 0);
    const char *plugin = charm_arena_printf(fixture->arena, "%s/plugins/connect-file", home);
    assert_int_equal(mkdir(plugin, 0755), 0);
    FILE *jar = fopen(charm_arena_printf(fixture->arena, "%s/libs/a.jar", home), "we");
    assert_non_null(jar);
    assert_int_equal(fclose(jar), 0);
    return home;
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){ .arena = charm_arena_new(), .dir = "/tmp/lab-cluster-XXXXXX" };
    if (mkdtemp(fixture.dir) == NULL) {
        return -1;
    }
    const struct lab_cluster_options options = {
        .dir = fixture.dir,
        .kafka_home = fake_kafka(&fixture),
        .back_off_ms = 4000,
        .say = hear,
        .userdata = &fixture,
    };
    *state = &fixture;
    struct charm_error error = { 0 };
    return lab_cluster_new(&options, &fixture.cluster, &error);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    lab_cluster_free(fixture->cluster);
    const char *command = charm_arena_printf(fixture->arena, "rm -rf %s", fixture->dir);
    const int code = system(command); /* NOLINT(cert-env33-c): a path of ours */
    charm_arena_free(fixture->arena);
    return code;
}

/* ---- manifests ---- */

static void apply(struct fixture *fixture, const char *text)
{
    struct charm_value *value = NULL;
    struct charm_error error = { 0 };
    if (charm_value_parse(fixture->arena, text, strlen(text), &value, &error) != 0 ||
        lab_cluster_apply(fixture->cluster, value, &error) != 0) {
        fail_msg("%s", error.text);
    }
}

static void apply_service(struct fixture *fixture, const char *type)
{
    apply(fixture,
          charm_arena_printf(fixture->arena,
                             "{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": "
                             "{\"name\": \"svc\", \"labels\": {\"own\": \"a\"}}, \"spec\": "
                             "{\"type\": \"%s\", \"ports\": [{\"port\": 8083}]}}",
                             type));
}

/* `more` is put into the container: ", \"command\": [...]". */
static void apply_container(struct fixture *fixture, const char *image, const char *more,
                            int replicas)
{
    apply(fixture,
          charm_arena_printf(
              fixture->arena,
              "{\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\", \"metadata\": {\"name\": "
              "\"depl\", \"labels\": {\"own\": \"a\"}}, \"spec\": {\"replicas\": %d, "
              "\"progressDeadlineSeconds\": 60, \"selector\": {\"matchLabels\": {\"app\": \"x\"}}, "
              "\"template\": {\"metadata\": {\"labels\": {\"app\": \"x\"}}, \"spec\": "
              "{\"containers\": [{\"name\": \"w\", \"image\": \"%s\"%s, \"readinessProbe\": "
              "{\"tcpSocket\": {\"port\": 8083}}}]}}}}",
              replicas, image, more));
}

static void apply_deployment(struct fixture *fixture, const char *image, int replicas)
{
    apply_container(fixture, image, "", replicas);
}

static const struct charm_value *live(struct fixture *fixture, const char *kind, const char *name)
{
    return lab_cluster_get(fixture->cluster, fixture->arena, kind, name);
}

static const struct charm_value *condition(struct fixture *fixture, const char *type)
{
    const struct charm_value *list =
        charm_value_path(live(fixture, "Deployment", "depl"), "status", "conditions", NULL);
    for (size_t i = 0; i < charm_value_size(list); i++) {
        const struct charm_value *item = charm_value_at(list, i);
        if (charmi_same(charm_text(charm_value_get(item, "type")), type)) {
            return item;
        }
    }
    fail_msg("no condition %s", type);
    return NULL;
}

static const char *reason(struct fixture *fixture, const char *type)
{
    return charm_text(charm_value_get(condition(fixture, type), "reason"));
}

static int64_t number(struct fixture *fixture, const char *part, const char *key)
{
    return charm_value_int(charm_value_path(live(fixture, "Deployment", "depl"), part, key, NULL),
                           -1);
}

/* ---- tests ---- */

static void what_is_not_there_has_no_live_object(void **state)
{
    assert_null(live(*state, "Service", "svc"));
}

static void a_node_port_is_given_and_kept(void **state)
{
    apply_service(*state, "NodePort");
    const struct charm_value *port =
        charm_value_at(charm_value_path(live(*state, "Service", "svc"), "spec", "ports", NULL), 0);
    const int64_t first = charm_value_int(charm_value_get(port, "nodePort"), 0);
    assert_in_range(first, 30000, 32767);
    assert_string_equal(charm_text(charm_value_get(port, "protocol")), "TCP");
    assert_int_equal(charm_value_int(charm_value_get(port, "targetPort"), 0), 8083);
    apply_service(*state, "LoadBalancer");
    port =
        charm_value_at(charm_value_path(live(*state, "Service", "svc"), "spec", "ports", NULL), 0);
    assert_int_equal(charm_value_int(charm_value_get(port, "nodePort"), 0), first);
}

static void a_cluster_ip_has_no_node_port(void **state)
{
    apply_service(*state, "ClusterIP");
    const struct charm_value *spec = charm_value_get(live(*state, "Service", "svc"), "spec");
    assert_null(charm_value_get(charm_value_at(charm_value_get(spec, "ports"), 0), "nodePort"));
    assert_true(charm_text(charm_value_get(spec, "clusterIP"))[0] != '\0');
}

static void before_the_controller_looked_there_is_no_status(void **state)
{
    apply_deployment(*state, "nowhere/nothing:1", 1);
    assert_int_equal(number(*state, "status", "observedGeneration"), -1);
    assert_int_equal(number(*state, "metadata", "generation"), 1);
}

static void a_missing_image_leaves_the_roll_out_waiting_until_its_deadline(void **state)
{
    struct fixture *fixture = *state;
    apply_deployment(fixture, "nowhere/nothing:1", 2);
    lab_cluster_tick(fixture->cluster, 1000);
    lab_cluster_tick(fixture->cluster, 1200);
    assert_non_null(strstr(fixture->last_event, "ImagePullBackOff"));
    assert_int_equal(number(fixture, "status", "replicas"), 2);
    assert_int_equal(number(fixture, "status", "unavailableReplicas"), 2);
    assert_int_equal(number(fixture, "status", "readyReplicas"), -1); /* Go leaves a zero out */
    assert_string_equal(reason(fixture, "Available"), "MinimumReplicasUnavailable");
    lab_cluster_tick(fixture->cluster, 70 * 1000);
    assert_string_equal(reason(fixture, "Progressing"), "ProgressDeadlineExceeded");
    assert_string_equal(charm_text(charm_value_get(condition(fixture, "Progressing"), "status")),
                        "False");
}

static void only_a_changed_spec_is_a_new_generation(void **state)
{
    struct fixture *fixture = *state;
    apply_deployment(fixture, "nowhere/nothing:1", 1);
    apply_deployment(fixture, "nowhere/nothing:1", 1);
    assert_int_equal(number(fixture, "metadata", "generation"), 1);
    apply_deployment(fixture, "nowhere/nothing:2", 1);
    assert_int_equal(number(fixture, "metadata", "generation"), 2);
}

static void a_new_template_starts_its_pods_beside_the_old_ones(void **state)
{
    struct fixture *fixture = *state;
    apply_deployment(fixture, "nowhere/nothing:1", 4);
    lab_cluster_tick(fixture->cluster, 1000);
    assert_int_equal(lab_cluster_pods(fixture->cluster), 4);
    apply_deployment(fixture, "nowhere/nothing:2", 4);
    lab_cluster_tick(fixture->cluster, 1200);
    assert_string_equal(reason(fixture, "Progressing"), "ReplicaSetUpdated");
    assert_in_range(number(fixture, "status", "updatedReplicas"), 1, 4);
    assert_int_equal(number(fixture, "status", "observedGeneration"), 2);
}

static void let_pass(struct fixture *fixture, int64_t *now_ms, int64_t ms)
{
    const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
    for (const int64_t end = *now_ms + ms; *now_ms < end; *now_ms += 20) {
        lab_cluster_tick(fixture->cluster, *now_ms);
        nanosleep(&pause, NULL);
    }
}

static void a_crashing_container_is_started_again_with_back_off(void **state)
{
    struct fixture *fixture = *state;
    int64_t now_ms = 1000;
    apply_container(
        fixture, "apache/kafka",
        ", \"command\": [\"/bin/sh\", \"-c\", \"echo '[now] ERROR no such key'; sleep 1; exit 1\"]",
        1);
    for (int i = 0; i < 300 && strstr(fixture->last_event, "restart in 4.0 s") == NULL; i++) {
        let_pass(fixture, &now_ms, 20);
    }
    assert_non_null(strstr(fixture->last_event, "container ended with exit code 1"));
    assert_non_null(strstr(fixture->last_event, "no such key"));
    assert_int_equal(number(fixture, "status", "unavailableReplicas"), 1);
    let_pass(fixture, &now_ms, 200);
    assert_non_null(strstr(fixture->last_event, "restart in 4.0 s"));
    now_ms += 4000;
    let_pass(fixture, &now_ms, 100);
    assert_non_null(strstr(fixture->last_event, "again"));
}

static void deleting_by_label_ends_everything_of_it(void **state)
{
    struct fixture *fixture = *state;
    apply_service(fixture, "NodePort");
    apply_deployment(fixture, "nowhere/nothing:1", 2);
    lab_cluster_tick(fixture->cluster, 1000);
    lab_cluster_delete_labelled(fixture->cluster, "own", "b");
    assert_non_null(live(fixture, "Deployment", "depl"));
    lab_cluster_delete_labelled(fixture->cluster, "own", "a");
    lab_cluster_tick(fixture->cluster, 1200);
    assert_null(live(fixture, "Deployment", "depl"));
    assert_null(live(fixture, "Service", "svc"));
    assert_int_equal(lab_cluster_pods(fixture->cluster), 0);
}

static void a_name_that_another_owner_has_is_taken(void **state)
{
    struct fixture *fixture = *state;
    apply_service(fixture, "NodePort");
    assert_true(lab_cluster_name_taken(fixture->cluster, "svc", "own", "b"));
    assert_false(lab_cluster_name_taken(fixture->cluster, "svc", "own", "a"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_is_not_there_has_no_live_object),
        T(a_node_port_is_given_and_kept),
        T(a_cluster_ip_has_no_node_port),
        T(before_the_controller_looked_there_is_no_status),
        T(a_missing_image_leaves_the_roll_out_waiting_until_its_deadline),
        T(only_a_changed_spec_is_a_new_generation),
        T(a_new_template_starts_its_pods_beside_the_old_ones),
        T(a_crashing_container_is_started_again_with_back_off),
        T(deleting_by_label_ends_everything_of_it),
        T(a_name_that_another_owner_has_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
