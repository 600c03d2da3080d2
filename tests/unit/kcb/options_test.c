#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "kcb/options.h"

static struct charm_arena *arena;

static int make_arena(void **state)
{
    (void)state;
    arena = charm_arena_new();
    return 0;
}

static int free_arena(void **state)
{
    (void)state;
    charm_arena_free(arena);
    return 0;
}

static struct kcbi_options read_json(const char *config, const char *good)
{
    struct kcbi_options options;
    kcbi_options_read(arena, charm_value_decode(arena, config), charm_value_decode(arena, good),
                      &options);
    return options;
}

#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define NAME_OF_250 FIFTY FIFTY FIFTY FIFTY FIFTY

static void without_any_configuration_the_defaults_hold_and_nothing_is_wrong(void **state)
{
    (void)state;
    struct kcbi_options options;
    kcbi_options_read(arena, NULL, NULL, &options);
    assert_null(options.problem);
    assert_int_equal(options.workers, 1);
    assert_string_equal(options.group_id, "");
    assert_string_equal(options.memory, "1Gi");
    assert_string_equal(options.cpu, "250m");
    assert_string_equal(options.service_type, "NodePort");
    assert_false(options.adopt_connectors);
}

static void a_wrong_value_names_option_and_allowed_values_and_keeps_the_last_good_one(void **state)
{
    (void)state;
    static const struct {
        const char *option;
        const char *bad;
    } cases[] = {
        { "workers", "0" },
        { "workers", "-1" },
        { "workers", "101" },
        { "group-id", "\"a b\"" },
        { "topics", "\"a;b\"" },
        { "replication-factor", "-1" },
        { "image", "\"a b\"" },
        { "worker-version", "\"5\"" },
        { "worker-version", "\"0.9\"" },
        { "worker-version", "\"3.x\"" },
        { "worker-version", "\"3.\"" },
        { "worker-version", "\"1.2.3.4.5\"" },
        { "heap", "\"512Mi\"" },
        { "heap", "\"lots\"" },
        { "heap", "\"512\"" },
        { "heap", "\"524288k\"" },
        { "heap", "\"16M\"" },
        { "memory", "\"\"" },
        { "memory", "\"1\"" },
        { "memory", "\"999999K\"" },
        { "memory", "\"255Mi\"" },
        { "topics", "\"a/b\"" },
        { "topics", "\"words ..\"" },
        { "topics", "\"words .\"" },
        { "topics", "\"words " NAME_OF_250 "\"" },
        { "cpu", "\"0\"" },
        { "cpu", "\"1.5x\"" },
        { "service-type", "\"nodeport\"" },
        { "worker-command", "\"a\\nb\"" },
        { "kafka-secret", "\"hunter2\"" },
        { "kafka-secret", "\"secret:\"" },
        { "kafka-secret", "\"secret:kafka-admin\"" },
        { "kafka-secret", "\"secret:d0a1b2c3d4e5f6g7h8i9?\"" },
        { "worker-secret", "\"Hunter2\"" },
        { "worker-secret", "\"-a\"" },
        { "worker-secret", "\"a-\"" },
        { "worker-secret", "\"a..b\"" },
        { "worker-secret", "\"a.-b\"" },
        { "worker-secret", "\"a-.b\"" },
        { "worker-secret", "\"a/b\"" },
        { "worker-secret", "\"" NAME_OF_250 "0123\"" },
        { "allow-secrets-in-relation", "\"yes\"" },
    };
    for (size_t i = 0; i < CHARMI_COUNT(cases); i++) {
        const char *config =
            charm_arena_printf(arena, "{\"%s\": %s}", cases[i].option, cases[i].bad);
        const struct kcbi_options options =
            read_json(config, "{\"workers\": 3, \"memory\": \"2Gi\", \"cpu\": \"2\"}");
        if (options.problem == NULL) {
            fail_msg("%s was accepted", config);
        }
        assert_non_null(
            strstr(options.problem, charm_arena_printf(arena, "option %s:", cases[i].option)));
        assert_non_null(strstr(options.problem, "use "));
        assert_int_equal(options.workers, strcmp(cases[i].option, "workers") == 0 ? 3 : 1);
        assert_string_equal(options.memory, strcmp(cases[i].option, "memory") == 0 ? "2Gi" : "1Gi");
    }
}

static void good_values_of_every_kind_are_taken(void **state)
{
    (void)state;
    const struct kcbi_options options =
        read_json("{\"workers\": 100, \"group-id\": \"a.b_c-1\", \"topics\": \"a b\\tc\", "
                  "\"worker-version\": \"0.10.1.1\", \"heap\": \"512M\", \"memory\": \"768Mi\", "
                  "\"cpu\": \"2\", "
                  "\"adopt-connectors\": true, \"replication-factor\": 3, \"image\": "
                  "\"r.example:5000/a/b@sha256:0f\"}",
                  "null");
    assert_null(options.problem);
    assert_int_equal(options.workers, 100);
    assert_int_equal(options.replication_factor, 3);
    assert_true(options.adopt_connectors);
    assert_string_equal(options.worker_version, "0.10.1.1");
    assert_string_equal(options.heap, "512M");
    assert_string_equal(options.memory, "768Mi");
    assert_string_equal(options.image, "r.example:5000/a/b@sha256:0f");
}

static void names_of_secrets_are_taken_as_juju_and_kubernetes_write_them(void **state)
{
    (void)state;
    static const char *const uris[] = {
        "", "secret:d0a1b2c3d4e5f6g7h8i9",
        "secret://e0453597-8109-4f7d-a58f-af08bc72a414/d0a1b2c3d4e5f6g7h8i9"
    };
    for (size_t i = 0; i < CHARMI_COUNT(uris); i++) {
        const struct kcbi_options options =
            read_json(charm_arena_printf(arena, "{\"kafka-secret\": \"%s\"}", uris[i]), "null");
        assert_null(options.problem);
        assert_string_equal(options.kafka_secret, uris[i]);
    }
    const struct kcbi_options options =
        read_json("{\"worker-secret\": \"a.b-c.9\", \"allow-secrets-in-relation\": true}", "null");
    assert_null(options.problem);
    assert_string_equal(options.worker_secret, "a.b-c.9");
    assert_true(options.allow_secrets_in_relation);
}

static void a_password_where_its_name_should_stand_is_not_shown(void **state)
{
    (void)state;
    static const char *const names[] = { "kafka-secret", "worker-secret" };
    for (size_t i = 0; i < CHARMI_COUNT(names); i++) {
        const struct kcbi_options options =
            read_json(charm_arena_printf(arena, "{\"%s\": \"Hunter2\"}", names[i]), "null");
        assert_non_null(strstr(options.problem, "this value is not allowed"));
        assert_null(strstr(options.problem, "unter2"));
    }
}

static void a_heap_that_fills_the_memory_is_refused(void **state)
{
    (void)state;
    const struct kcbi_options options =
        read_json("{\"heap\": \"1G\", \"memory\": \"1Gi\"}", "null");
    assert_non_null(options.problem);
    assert_non_null(strstr(options.problem, "option heap: 1G"));
    assert_string_equal(options.heap, "");
}

/* Java's M is 1024 * 1024: 950M of a heap are 996 MB, and leave too little of 1Gi. */
static void a_heap_is_measured_as_java_measures_it(void **state)
{
    (void)state;
    assert_non_null(read_json("{\"heap\": \"950M\", \"memory\": \"1Gi\"}", "null").problem);
    assert_null(read_json("{\"heap\": \"921M\", \"memory\": \"1Gi\"}", "null").problem);
    assert_null(read_json("{\"heap\": \"3G\", \"memory\": \"4Gi\"}", "null").problem);
}

static void a_long_bad_value_is_not_repeated_whole(void **state)
{
    (void)state;
    char config[3000] = "{\"group-id\": \"";
    memset(config + strlen(config), ' ', 2000);
    strcat(config, "\"}");
    const struct kcbi_options options = read_json(config, "null");
    assert_non_null(options.problem);
    assert_true(strlen(options.problem) < 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_any_configuration_the_defaults_hold_and_nothing_is_wrong),
        cmocka_unit_test(a_wrong_value_names_option_and_allowed_values_and_keeps_the_last_good_one),
        cmocka_unit_test(good_values_of_every_kind_are_taken),
        cmocka_unit_test(names_of_secrets_are_taken_as_juju_and_kubernetes_write_them),
        cmocka_unit_test(a_password_where_its_name_should_stand_is_not_shown),
        cmocka_unit_test(a_heap_that_fills_the_memory_is_refused),
        cmocka_unit_test(a_heap_is_measured_as_java_measures_it),
        cmocka_unit_test(a_long_bad_value_is_not_repeated_whole),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
