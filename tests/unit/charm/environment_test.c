#include "tests.h"

#include "charm/environment.h"

static struct charm_arena *arena;
static struct charm_context context;
static struct charm_error error;

static int set_up(void **state)
{
    arena = charm_arena_new();
    error = (struct charm_error){ 0 };
    return 0;
}

static int tear_down(void **state)
{
    charm_arena_free(arena);
    return 0;
}

#define JUJU "JUJU_CONTEXT_ID=connect/0-x", "JUJU_UNIT_NAME=connect/0", "JUJU_CHARM_DIR=/c"
#define READ(program, ...)                                                                         \
    charmi_environment_read(arena, (const char *const[]){ __VA_ARGS__, NULL }, program, &context,  \
                            &error)

static void a_hook_is_known_by_its_name(void **state)
{
    assert_int_equal(READ("./dispatch", JUJU, "JUJU_HOOK_NAME=config-changed",
                          "JUJU_DISPATCH_PATH=hooks/config-changed", "JUJU_MODEL_NAME=prod",
                          "JUJU_MODEL_UUID=e045", "JUJU_VERSION=3.6.4"),
                     0);
    assert_int_equal(context.kind, CHARM_KIND_HOOK);
    assert_string_equal(context.hook, "config-changed");
    assert_string_equal(context.unit, "connect/0");
    assert_string_equal(context.application, "connect");
    assert_string_equal(context.model, "prod");
    assert_string_equal(context.model_uuid, "e045");
    assert_string_equal(context.charm_dir, "/c");
    assert_string_equal(context.juju_version, "3.6.4");
    assert_string_equal(context.program, "dispatch");
    assert_string_equal(context.relation, "");
}

static void a_relation_hook_has_its_relation(void **state)
{
    assert_int_equal(READ("hooks/kafka-relation-departed", JUJU,
                          "JUJU_HOOK_NAME=kafka-relation-departed", "JUJU_RELATION=kafka",
                          "JUJU_RELATION_ID=kafka:1", "JUJU_REMOTE_APP=kafka",
                          "JUJU_REMOTE_UNIT=kafka/0", "JUJU_DEPARTING_UNIT=kafka/0"),
                     0);
    assert_string_equal(context.relation, "kafka");
    assert_string_equal(context.relation_id, "kafka:1");
    assert_string_equal(context.remote_app, "kafka");
    assert_string_equal(context.remote_unit, "kafka/0");
    assert_string_equal(context.departing_unit, "kafka/0");
}

static void an_action_has_an_empty_hook_name(void **state)
{
    assert_int_equal(READ("./dispatch", JUJU, "JUJU_HOOK_NAME=", "JUJU_ACTION_NAME=restart",
                          "JUJU_DISPATCH_PATH=actions/restart"),
                     0);
    assert_int_equal(context.kind, CHARM_KIND_ACTION);
    assert_string_equal(context.action, "restart");
    assert_string_equal(context.hook, "");
}

static void the_dispatch_path_names_what_juju_does_not(void **state)
{
    assert_int_equal(READ("./dispatch", JUJU, "JUJU_DISPATCH_PATH=actions/restart"), 0);
    assert_int_equal(context.kind, CHARM_KIND_ACTION);
    assert_string_equal(context.action, "restart");
    assert_int_equal(READ("./dispatch", JUJU, "JUJU_DISPATCH_PATH=hooks/start"), 0);
    assert_string_equal(context.hook, "start");
}

static void the_programs_place_names_what_nobody_else_does(void **state)
{
    assert_int_equal(READ("/var/lib/juju/charm/hooks/start", JUJU), 0);
    assert_int_equal(context.kind, CHARM_KIND_HOOK);
    assert_string_equal(context.hook, "start");
    assert_int_equal(READ("actions/restart", JUJU), 0);
    assert_string_equal(context.action, "restart");
    assert_int_equal(READ("myhooks/start", JUJU), 0);
    assert_int_equal(context.kind, CHARM_KIND_EXEC);
}

static void two_hooks_are_restricted(void **state)
{
    assert_int_equal(READ("x", JUJU, "JUJU_HOOK_NAME=collect-metrics"), 0);
    assert_int_equal(context.kind, CHARM_KIND_RESTRICTED);
    assert_int_equal(READ("x", JUJU, "JUJU_HOOK_NAME=meter-status-changed"), 0);
    assert_int_equal(context.kind, CHARM_KIND_RESTRICTED);
}

static void a_context_without_hook_is_juju_exec(void **state)
{
    static const char *const programs[] = { "bin/charm", "hooks/update-status", "actions/restart" };
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        assert_int_equal(READ(programs[i], JUJU, "JUJU_HOOK_NAME="), 0);
        assert_int_equal(context.kind, CHARM_KIND_EXEC);
        assert_string_equal(context.hook, "");
        assert_string_equal(context.action, "");
    }
}

static void without_juju_it_is_a_hand_whatever_the_name(void **state)
{
    assert_int_equal(READ("hooks/start", "HOME=/root"), 0);
    assert_int_equal(context.kind, CHARM_KIND_HAND);
    assert_string_equal(context.unit, "");
    assert_string_equal(context.charm_dir, "");
}

static void the_old_name_of_the_charm_directory_is_taken_when_the_new_one_is_empty(void **state)
{
    assert_int_equal(READ("x", "JUJU_CONTEXT_ID=1", "JUJU_UNIT_NAME=a/0", "CHARM_DIR=/old",
                          "JUJU_CHARM_DIR=", "JUJU_HOOK_NAME=start"),
                     0);
    assert_string_equal(context.charm_dir, "/old");
}

static void what_juju_could_not_have_set_is_refused_by_name(void **state)
{
    assert_int_equal(READ("x", "JUJU_CONTEXT_ID=1", "JUJU_UNIT_NAME=connect", "CHARM_DIR=/c"),
                     CHARM_EINVAL);
    assert_contains(error.text, "JUJU_UNIT_NAME 'connect'");
    assert_int_equal(READ("x", "JUJU_CONTEXT_ID=1", "JUJU_UNIT_NAME=a/0", "CHARM_DIR=c"),
                     CHARM_EINVAL);
    assert_contains(error.text, "JUJU_CHARM_DIR 'c'");
    static const char *const units[] = { "JUJU_UNIT_NAME=/0",      "JUJU_UNIT_NAME=a/",
                                         "JUJU_UNIT_NAME=a/0/1",   "JUJU_UNIT_NAME=a/-1",
                                         "JUJU_UNIT_NAME=--app/0", "JUJU_UNIT_NAME=" };
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        assert_int_equal(READ("x", "JUJU_CONTEXT_ID=1", units[i], "CHARM_DIR=/c"), CHARM_EINVAL);
        assert_contains(error.text, "JUJU_UNIT_NAME");
    }
    assert_int_equal(READ("x", JUJU, "JUJU_RELATION_ID=kafka"), CHARM_EINVAL);
    assert_contains(error.text, "JUJU_RELATION_ID 'kafka'");
    assert_int_equal(READ("x", JUJU, "JUJU_HOOK_NAME=../start"), CHARM_EINVAL);
    assert_contains(error.text, "'../start'");
}

static void bytes_that_no_name_has_are_refused(void **state)
{
    assert_int_equal(READ("x", JUJU, "JUJU_MODEL_NAME=a\nb"), CHARM_EINVAL);
    assert_contains(error.text, "JUJU_MODEL_NAME holds a control character");
    assert_int_equal(READ("x", JUJU, "JUJU_MODEL_NAME=\xff"), CHARM_EINVAL);
    assert_contains(error.text, "JUJU_MODEL_NAME is not UTF-8");
}

static void a_refused_environment_leaves_the_context_alone(void **state)
{
    context = (struct charm_context){ .hook = "before" };
    assert_int_equal(READ("x", "JUJU_CONTEXT_ID=1", "JUJU_HOOK_NAME=start"), CHARM_EINVAL);
    assert_string_equal(context.hook, "before");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_hook_is_known_by_its_name),
        CASE(a_relation_hook_has_its_relation),
        CASE(an_action_has_an_empty_hook_name),
        CASE(the_dispatch_path_names_what_juju_does_not),
        CASE(the_programs_place_names_what_nobody_else_does),
        CASE(two_hooks_are_restricted),
        CASE(a_context_without_hook_is_juju_exec),
        CASE(without_juju_it_is_a_hand_whatever_the_name),
        CASE(the_old_name_of_the_charm_directory_is_taken_when_the_new_one_is_empty),
        CASE(what_juju_could_not_have_set_is_refused_by_name),
        CASE(bytes_that_no_name_has_are_refused),
        CASE(a_refused_environment_leaves_the_context_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
