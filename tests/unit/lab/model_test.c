/* What an operator may do, and what Juju refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "lab/yaml.h"
#include "play.h"

static void names_of_applications_follow_jujus_rule(void **state)
{
    static const struct {
        const char *name;
        bool good;
    } names[] = { { "a", true },     { "my-app", true }, { "app2", true },
                  { "2app", false }, { "App", false },   { "a-2", false },
                  { "a--b", false }, { "a_b", false },   { "", false } };
    for (size_t i = 0; i < CHARMI_COUNT(names); i++) {
        struct play *play = play_new(NULL);
        struct lab_application *app;
        const struct lab_charm charm = { .name = "c",
                                         .metadata = charm_value_new_map(play->arena) };
        print_message("  %s\n", names[i].name);
        const int code = lab_model_deploy(play->model, names[i].name, &charm, 1, &app, NULL);
        assert_int_equal(code == 0, names[i].good);
        play_free(play);
    }
}

static int relate(struct play *play, const char *left, const char *right, struct charm_error *error)
{
    struct lab_relation *relation;
    return lab_model_relate(play->model, left, right, &relation, error);
}

static void relating_finds_the_only_pair_that_fits(void **state)
{
    struct play *play = play_new(NULL);
    struct charm_error error = { 0 };
    play_deploy(play, "a", "provides: {x: {interface: i}, y: {interface: i}, z: j}", 1);
    play_deploy(play, "b", "requires: {x: {interface: i}, w: {interface: j, limit: 1}}", 1);
    play_deploy(play, "c", "provides: {z: j}", 1);
    assert_int_not_equal(relate(play, "a", "b", &error), 0);
    assert_string_equal(error.text, "ambiguous relation: \"a b\" could refer to \"a:x b:x\"; "
                                    "\"a:y b:x\"; \"a:z b:w\"");
    assert_int_equal(relate(play, "a:x", "b", &error), 0);
    assert_int_not_equal(relate(play, "b:x", "a:x", &error), 0);
    assert_string_equal(error.text, "cannot add relation \"b:x a:x\": relation already exists");
    assert_int_equal(relate(play, "a:z", "b", &error), 0);
    assert_int_not_equal(relate(play, "c", "b", &error), 0);
    assert_non_null(strstr(error.text, "maximum relation limit of 1"));
    assert_int_not_equal(relate(play, "a", "c", &error), 0);
    assert_string_equal(error.text, "integrate a c: no relations found");
    assert_int_not_equal(relate(play, "a:nothing", "b", &error), 0);
    assert_int_not_equal(relate(play, "nobody", "b", &error), 0);
    play_free(play);
}

static void options_are_read_by_their_type(void **state)
{
    static const struct {
        const char *option;
        const char *text;
        const char *json; /* NULL: refused */
    } list[] = {
        { "i", "5", "5" },       { "i", "x", NULL },       { "i", "", NULL },
        { "b", "True", "true" }, { "b", "yes", NULL },     { "f", "1.5", "1.5" },
        { "f", "2", "2.0" },     { "f", "nan", NULL },     { "s", "5", "\"5\"" },
        { "s", "", "\"\"" },     { "unknown", "x", NULL },
    };
    struct play *play = play_new(NULL);
    struct lab_application *app = play_deploy_with(
        play, "a", "{}",
        "options: {i: {type: int}, b: {type: boolean}, f: {type: float}, s: {description: d}}",
        NULL, 1);
    for (size_t i = 0; i < CHARMI_COUNT(list); i++) {
        print_message("  %s=%s\n", list[i].option, list[i].text);
        const int code = lab_model_config_set(play->model, app, list[i].option, list[i].text, NULL);
        assert_int_equal(code == 0, list[i].json != NULL);
        if (list[i].json != NULL) {
            assert_string_equal(charm_value_render(play->arena,
                                                   charm_value_get(app->config, list[i].option),
                                                   CHARM_JSON_COMPACT),
                                list[i].json);
        }
    }
    assert_int_equal(lab_model_config_set(play->model, app, "i", NULL, NULL), 0);
    assert_null(charm_value_get(app->config, "i"));
    play_free(play);
}

#define ACTIONS                                                                                    \
    "go:\n"                                                                                        \
    "  params:\n"                                                                                  \
    "    n: {type: integer, minimum: 1, maximum: 5, default: 2}\n"                                 \
    "    w: {type: string, enum: [a, b]}\n"                                                        \
    "    p: {type: string, pattern: '^x+$'}\n"                                                     \
    "  required: [w]\n"                                                                            \
    "  additionalProperties: false\n"

static int run(struct play *play, const char *yaml, struct lab_task **task,
               struct charm_error *error)
{
    struct charm_value *params;
    assert_int_equal(
        lab_yaml_parse(play->arena, yaml, strlen(yaml), LAB_YAML_TYPED, &params, error), 0);
    return lab_model_run_action(play->model, play_unit(play, "a/0"), "go", params, task, error);
}

static void an_actions_parameters_are_checked_before_it_runs(void **state)
{
    struct play *play = play_new(NULL);
    struct charm_error error = { 0 };
    struct lab_task *task = NULL;
    play_deploy_with(play, "a", "{}", NULL, ACTIONS, 1);
    assert_int_not_equal(run(play, "{}", &task, &error), 0);
    assert_non_null(strstr(error.text, "\"w\" property is missing and required"));
    assert_int_not_equal(run(play, "{w: c}", &task, &error), 0);
    assert_int_not_equal(run(play, "{w: a, n: x}", &task, &error), 0);
    assert_int_not_equal(run(play, "{w: a, n: 6}", &task, &error), 0);
    assert_int_not_equal(run(play, "{w: a, n: 0}", &task, &error), 0);
    assert_int_not_equal(run(play, "{w: a, p: xy}", &task, &error), 0);
    assert_int_not_equal(run(play, "{w: a, z: 1}", &task, &error), 0);
    assert_null(task);
    assert_int_equal(run(play, "{w: a, p: xx}", &task, &error), 0);
    assert_int_equal(charm_value_int(charm_value_get(task->params, "n"), 0), 2);
    assert_int_not_equal(lab_model_run_action(play->model, play_unit(play, "a/0"), "unheard-of",
                                              NULL, &task, &error),
                         0);
    play_free(play);
}

static void an_application_shows_its_worst_units_status(void **state)
{
    struct play *play = play_new(NULL);
    struct lab_application *app = play_deploy(play, "a", "{}", 3);
    lab_unit_set_status(play->model, play_unit(play, "a/0"), "active", "fine");
    lab_unit_set_status(play->model, play_unit(play, "a/1"), "waiting", "soon");
    lab_unit_set_status(play->model, play_unit(play, "a/2"), "maintenance", "busy");
    assert_string_equal(lab_application_status(app).word, "waiting");
    lab_unit_set_status(play->model, play_unit(play, "a/2"), "blocked", "no");
    assert_string_equal(lab_application_status(app).message, "no");
    app->status = (struct lab_status){ .word = "active", .message = "said by the leader" };
    assert_string_equal(lab_application_status(app).message, "said by the leader");
    play_free(play);
}

static void a_charm_that_juju_would_not_read_is_refused(void **state)
{
    static const char *const bad[] = {
        "[]",
        "provides: {juju-x: {interface: i}}",
        "provides: {x: {interface: i}}\nrequires: {x: {interface: i}}",
        "provides: {x: {}}",
    };
    for (size_t i = 0; i < CHARMI_COUNT(bad); i++) {
        struct play *play = play_new(NULL);
        struct charm_value *metadata;
        struct lab_application *app;
        assert_int_equal(
            lab_yaml_parse(play->arena, bad[i], strlen(bad[i]), LAB_YAML_TYPED, &metadata, NULL),
            0);
        const struct lab_charm charm = { .name = "c", .metadata = metadata };
        print_message("  %s\n", bad[i]);
        assert_int_not_equal(lab_model_deploy(play->model, "c", &charm, 1, &app, NULL), 0);
        play_free(play);
    }
}

static void unit_numbers_go_on_when_a_name_is_used_again(void **state)
{
    struct play *play = play_new(NULL);
    struct charm_error error = { 0 };
    struct lab_application *app = play_deploy(play, "a", "{}", 2);
    play_settle(play);
    assert_int_equal(lab_model_remove_application(play->model, app, &error), 0);
    play_settle(play);
    assert_null(lab_model_app(play->model, "a"));
    play_deploy(play, "a", "{}", 1);
    assert_string_equal(play_unit(play, "a/leader")->name, "a/2");
    play_free(play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_applications_follow_jujus_rule),
        cmocka_unit_test(relating_finds_the_only_pair_that_fits),
        cmocka_unit_test(options_are_read_by_their_type),
        cmocka_unit_test(an_actions_parameters_are_checked_before_it_runs),
        cmocka_unit_test(an_application_shows_its_worst_units_status),
        cmocka_unit_test(a_charm_that_juju_would_not_read_is_refused),
        cmocka_unit_test(unit_numbers_go_on_when_a_name_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
