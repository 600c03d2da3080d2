#include "tests.h"

#include "charm/charmfiles.h"
#include "charm/facts.h"
#include "charm/relations.h"
#include "fake_juju.h"

static const char metadata[] =
    "{\"name\":\"hello\",\"summary\":\"says hello\","
    "\"requires\":{\"kafka\":{\"interface\":\"kafka\"},\"db\":{\"interface\":\"mysql\"}},"
    "\"peers\":{\"z-peer\":{\"interface\":\"p\"},\"a-peer\":{\"interface\":\"p\"}}}";

static int load(struct fake_juju *juju, const struct charm_files **ret, struct charm_error *error)
{
    return charmi_charmfiles_load(fake_juju_arena(juju), fake_juju_ports(juju), "/charm", ret,
                                  error);
}

static void declarations_are_read_and_endpoints_sorted(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    const struct charm_files *files = NULL;
    fake_juju_put_file(juju, "metadata.yaml", metadata);
    fake_juju_put_file(juju, "config.yaml",
                       "{\"options\":{\"b\":{\"type\":\"int\",\"default\":3},\"a\":{}}}");
    fake_juju_put_file(juju, "actions.yaml", "{\"restart\":{},\"list\":{}}");
    assert_int_equal(load(juju, &files, NULL), 0);
    assert_string_equal(files->name, "hello");
    assert_string_equal(files->summary, "says hello");
    assert_int_equal(files->endpoint_count, 4);
    assert_string_equal(files->endpoints[0].name, "a-peer");
    assert_string_equal(files->endpoints[1].name, "db");
    assert_string_equal(files->endpoints[1].role, "requires");
    assert_string_equal(files->endpoints[1].interface, "mysql");
    assert_string_equal(charmi_charmfiles_peer(files)->name, "a-peer");
    assert_string_equal(files->options[0].name, "b");
    assert_int_equal(charm_value_int(files->options[0].by_default, 0), 3);
    assert_string_equal(files->options[1].type, "string");
    assert_null(files->options[1].by_default);
    struct charmi_words actions = { 0 };
    assert_int_equal(charmi_charmfiles_actions(fake_juju_arena(juju), fake_juju_ports(juju),
                                               "/charm", &actions, NULL),
                     0);
    assert_int_equal(actions.size, 2);
    assert_string_equal(actions.at[0], "restart");
    assert_string_equal(actions.at[1], "list");
    assert_null(charmi_charmfiles_endpoint(files, "website"));
    assert_null(charmi_charmfiles_option(files, "c"));
    fake_juju_free(juju);
}

static void a_charm_without_config_and_actions_is_a_charm(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    const struct charm_files *files = NULL;
    fake_juju_put_file(juju, "metadata.yaml", "{\"name\":\"hello\"}");
    assert_int_equal(load(juju, &files, NULL), 0);
    assert_int_equal(files->endpoint_count, 0);
    assert_int_equal(files->option_count, 0);
    struct charmi_words actions = { 0 };
    assert_int_equal(charmi_charmfiles_actions(fake_juju_arena(juju), fake_juju_ports(juju),
                                               "/charm", &actions, NULL),
                     0);
    assert_int_equal(actions.size, 0);
    assert_null(charmi_charmfiles_peer(files));
    fake_juju_free(juju);
}

static void without_metadata_nothing_is_a_charm(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    const struct charm_files *files = NULL;
    struct charm_error error = { 0 };
    assert_int_equal(load(juju, &files, &error), CHARM_ENOTFOUND);
    assert_contains(error.text, "/charm/metadata.yaml");
    assert_null(files);
    fake_juju_free(juju);
}

static void a_broken_file_is_an_error_that_names_it(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    const struct charm_files *files = NULL;
    struct charm_error error = { 0 };
    fake_juju_put_file(juju, "metadata.yaml", metadata);
    fake_juju_put_file(juju, "config.yaml", "{");
    assert_int_equal(load(juju, &files, &error), CHARM_EPARSE);
    assert_contains(error.text, "read /charm/config.yaml: ");
    fake_juju_put_file(juju, "config.yaml", "{}");
    fake_juju_put_file(juju, "metadata.yaml", "{\"requires\":{\"kafka\":{}}}");
    assert_int_equal(load(juju, &files, &error), CHARM_EPARSE);
    assert_contains(error.text, "requires.kafka has no interface");
    fake_juju_free(juju);
}

/* ---- what flags say of values ---- */

static const struct charm_value *value(struct charm_arena *arena, const char *json)
{
    struct charm_value *parsed = NULL;
    assert_int_equal(charm_value_parse(arena, json, strlen(json), &parsed, NULL), 0);
    return parsed;
}

static void set_is_what_python_finds_true(void **state)
{
    static const char *const set[] = { "1", "-1", "0.5", "true", "\"0\"", "\"false\"", "[0]" };
    static const char *const unset[] = { "0", "0.0", "false", "\"\"", "null", "[]", "{}" };
    struct charm_arena *arena = charm_arena_new();
    for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
        assert_true(charmi_value_is_set(value(arena, set[i])));
    }
    for (size_t i = 0; i < sizeof(unset) / sizeof(unset[0]); i++) {
        assert_false(charmi_value_is_set(value(arena, unset[i])));
    }
    assert_false(charmi_value_is_set(NULL));
    charm_arena_free(arena);
}

static void default_compares_as_python_does(void **state)
{
    static const char *const same[][2] = {
        { "1", "1.0" }, { "1", "true" }, { "0", "false" }, { "\"a\"", "\"a\"" }, { "null", "null" }
    };
    static const char *const other[][2] = {
        { "1", "2" }, { "\"1\"", "1" }, { "\"\"", "null" }, { "null", "0" }, { "\"a\"", "\"b\"" }
    };
    struct charm_arena *arena = charm_arena_new();
    for (size_t i = 0; i < 5; i++) {
        assert_true(charmi_value_is_default(value(arena, same[i][0]), value(arena, same[i][1])));
        assert_false(charmi_value_is_default(value(arena, other[i][0]), value(arena, other[i][1])));
    }
    assert_true(charmi_value_is_default(NULL, NULL));
    charm_arena_free(arena);
}

static void a_hook_is_an_endpoints_own_by_its_whole_name(void **state)
{
    assert_true(charmi_hook_of_endpoint("db-relation-changed", "db"));
    assert_true(charmi_hook_of_endpoint("db-relation-x-relation-joined", "db-relation-x"));
    assert_false(charmi_hook_of_endpoint("db-relation-x-relation-joined", "db"));
    assert_false(charmi_hook_of_endpoint("db", "db"));
    assert_false(charmi_hook_of_endpoint("config-changed", "db"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declarations_are_read_and_endpoints_sorted),
        cmocka_unit_test(a_charm_without_config_and_actions_is_a_charm),
        cmocka_unit_test(without_metadata_nothing_is_a_charm),
        cmocka_unit_test(a_broken_file_is_an_error_that_names_it),
        cmocka_unit_test(set_is_what_python_finds_true),
        cmocka_unit_test(default_compares_as_python_does),
        cmocka_unit_test(a_hook_is_an_endpoints_own_by_its_whole_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
