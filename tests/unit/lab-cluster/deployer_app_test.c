/* How the deployer reads requests and what it answers: reactive-framework.md 7.2. The application under it is played. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/text.h"
#include "lab/app.h"

/* ---- an application as the daemon plays it, with one relation ---- */

struct lab_app {
    struct charm_arena *arena;
    char dir[64];
    const char *home;
    void *state;
    int64_t now_ms;
    struct charm_value *own_units;
    struct charm_value *remote; /* unit -> bag */
    struct charm_value *sent;   /* key -> value, of the first unit */
    struct charm_value *config;
    int writes;
    bool related;
    char last_error[400];
};

const char *lab_app_name(const struct lab_app *app)
{
    (void)app;
    return "kubernetes-deployer";
}

const char *lab_app_dir(const struct lab_app *app)
{
    return app->dir;
}

const char *lab_app_setting(const struct lab_app *app, const char *name)
{
    return charmi_same(name, "kafka-home") ? app->home : NULL;
}

int64_t lab_app_now_ms(const struct lab_app *app)
{
    return app->now_ms;
}

struct charm_arena *lab_app_arena(struct lab_app *app)
{
    return app->arena;
}

void *lab_app_state(const struct lab_app *app)
{
    return app->state;
}

void lab_app_state_set(struct lab_app *app, void *state)
{
    app->state = state;
}

const struct charm_value *lab_app_config(struct lab_app *app, const char *option)
{
    return charm_value_get(app->config, option);
}

const struct charm_value *lab_app_units(struct lab_app *app)
{
    return app->own_units;
}

const struct charm_value *lab_app_relations(struct lab_app *app, const char *endpoint)
{
    struct charm_value *list = charm_value_new_list(app->arena);
    assert_string_equal(endpoint, "kubernetes-deployer");
    if (app->related) {
        charm_value_append_text(list, "kubernetes-deployer:3");
    }
    return list;
}

const struct charm_value *lab_app_remote_units(struct lab_app *app, const char *relation)
{
    struct charm_value *list = charm_value_new_list(app->arena);
    (void)relation;
    CHARM_EACH(app->remote, it)
    {
        charm_value_append_text(list, it.key);
    }
    return list;
}

const struct charm_value *lab_app_remote_bag(struct lab_app *app, const char *relation,
                                             const char *unit)
{
    (void)relation;
    return charm_value_get(app->remote, unit);
}

const struct charm_value *lab_app_own_bag(struct lab_app *app, const char *relation,
                                          const char *unit)
{
    (void)relation;
    (void)unit;
    return app->sent;
}

void lab_app_set(struct lab_app *app, const char *relation, const char *unit, const char *key,
                 const char *value)
{
    (void)relation;
    assert_string_equal(unit, "kubernetes-deployer/0"); /* the leader alone speaks */
    if (!charmi_same(charm_text(charm_value_get(app->sent, key)), value)) {
        app->writes++;
        charm_value_set_text(app->sent, key, value);
    }
}

void lab_app_set_address(struct lab_app *app, const char *unit, const char *address)
{
    (void)app;
    (void)unit;
    (void)address;
}

void lab_app_set_status(struct lab_app *app, const char *unit, const char *status,
                        const char *format, ...)
{
    (void)app;
    (void)unit;
    (void)status;
    (void)format;
}

void lab_app_set_version(struct lab_app *app, const char *version)
{
    (void)app;
    (void)version;
}

void lab_app_log(struct lab_app *app, const char *unit, const char *level, const char *format, ...)
{
    va_list args;
    (void)unit;
    va_start(args, format);
    if (charmi_same(level, "ERROR")) {
        vsnprintf(app->last_error, sizeof(app->last_error), format, args);
    }
    va_end(args);
}

/* ---- the fixture ---- */

static const struct lab_driver *const driver = &lab_deployer_driver;

static const char *fake_kafka(const struct lab_app *app)
{
    const char *home = charm_arena_printf(app->arena, "%s/4.3.1", app->dir);
    assert_int_equal(mkdir(home, 0755), 0);
    assert_int_equal(mkdir(charm_arena_printf(app->arena, "%s/libs", home), 0755), 0);
    FILE *jar = fopen(charm_arena_printf(app->arena, "%s/libs/a.jar", home), "we");
    assert_non_null(jar);
    assert_int_equal(fclose(jar), 0);
    return home;
}

static int set_up(void **state)
{
    static struct lab_app app;
    app = (struct lab_app){ .arena = charm_arena_new(), .dir = "/tmp/lab-deployer-XXXXXX" };
    if (mkdtemp(app.dir) == NULL) {
        return -1;
    }
    app.home = fake_kafka(&app);
    app.own_units = charm_value_new_list(app.arena);
    charm_value_append_text(app.own_units, "kubernetes-deployer/0");
    charm_value_append_text(app.own_units, "kubernetes-deployer/1");
    app.remote = charm_value_new_map(app.arena);
    app.sent = charm_value_new_map(app.arena);
    app.config = charm_value_new_map(app.arena);
    app.related = true;
    *state = &app;
    struct charm_error error = { 0 };
    return driver->start(&app, &error);
}

static int tear_down(void **state)
{
    struct lab_app *app = *state;
    driver->stop(app);
    const char *command = charm_arena_printf(app->arena, "rm -rf %s", app->dir);
    const int code = system(command); /* NOLINT(cert-env33-c): a path of ours */
    charm_arena_free(app->arena);
    return code;
}

static void ask(struct lab_app *app, const char *unit, const char *resource)
{
    struct charm_value *bag = charm_value_add_map(app->remote, unit);
    charm_value_set_text(bag, "resource", resource);
    charm_value_set_text(bag, "uuid", "\"2920e605f0ff6ec62142bcda05a663f0\"");
    charm_value_set_text(bag, "model_uuid", "\"e0453597-8109-4f7d-a58f-af08bc72a414\"");
    charm_value_set_text(bag, "juju_unit", "\"connect\"");
}

static void change(struct lab_app *app)
{
    struct charm_error error = { 0 };
    assert_int_equal(driver->relation_changed(app, "kubernetes-deployer/0", "kubernetes-deployer:3",
                                              "connect/0", &error),
                     0);
    app->now_ms += 2000;
    driver->tick(app);
}

static const struct charm_value *status(struct lab_app *app)
{
    return charm_value_decode(app->arena, charm_text(charm_value_get(app->sent, "status")));
}

static const struct charm_value *meta_of_first(struct lab_app *app)
{
    return charm_value_get(charm_value_at(status(app), 0), "metadata");
}

#define CONFIG_MAP(name, value)                                                                    \
    "{\"apiVersion\": \"v1\", \"data\": {\"a\": \"" value "\"}, \"kind\": \"ConfigMap\", "         \
    "\"metadata\": {\"labels\": {\"app\": \"x\"}, \"name\": \"" name "\"}}"

/* ---- tests ---- */

static void nothing_asked_leaves_the_status_out_but_names_the_workers(void **state)
{
    struct lab_app *app = *state;
    change(app);
    assert_null(charm_value_get(app->sent, "status"));
    assert_string_equal(charm_text(charm_value_get(app->sent, "workers")), "[\"127.0.3.1\"]");
}

static void an_object_comes_back_alive_with_the_labels_of_the_charm(void **state)
{
    struct lab_app *app = *state;
    ask(app, "connect/0", "[" CONFIG_MAP("cfg", "1") "]");
    change(app);
    assert_int_equal(charm_value_size(status(app)), 1);
    const struct charm_value *labels = charm_value_get(meta_of_first(app), "labels");
    assert_string_equal(charm_text(charm_value_get(labels, "juju-app")),
                        "2920e605f0ff6ec62142bcda05a663f0");
    assert_string_equal(charm_text(charm_value_get(labels, "juju_unit")), "connect");
    assert_string_equal(charm_text(charm_value_get(labels, "app")), "x");
    assert_string_equal(charm_text(charm_value_get(meta_of_first(app), "namespace")), "default");
    assert_true(charm_text(charm_value_get(meta_of_first(app), "uid"))[0] != '\0');
}

static void the_same_answer_is_not_written_again(void **state)
{
    struct lab_app *app = *state;
    ask(app, "connect/0", "[" CONFIG_MAP("cfg", "1") "]");
    change(app);
    const int writes = app->writes;
    change(app);
    assert_int_equal(app->writes, writes);
}

static void units_are_merged_and_equal_objects_count_once(void **state)
{
    struct lab_app *app = *state;
    ask(app, "connect/0", "[" CONFIG_MAP("cfg", "1") "]");
    ask(app, "connect/1", "[" CONFIG_MAP("cfg", "1") ", " CONFIG_MAP("other", "1") "]");
    change(app);
    assert_int_equal(charm_value_size(status(app)), 2);
}

static void two_versions_of_one_object_are_both_kept(void **state)
{
    struct lab_app *app = *state;
    ask(app, "connect/0", "[" CONFIG_MAP("cfg", "1") "]");
    ask(app, "connect/1", "[" CONFIG_MAP("cfg", "2") "]");
    change(app);
    assert_int_equal(charm_value_size(status(app)), 2);
}

static const char *value_of_first(struct lab_app *app)
{
    return charm_text(charm_value_path(charm_value_at(status(app), 0), "data", "a", NULL));
}

static int64_t version_of_first(struct lab_app *app)
{
    int64_t version = 0;
    const char *text = charm_text(charm_value_get(meta_of_first(app), "resourceVersion"));
    assert_true(charmi_parse_int(text, 1, INT64_MAX, &version));
    return version;
}

static void of_two_versions_the_one_of_the_unit_that_is_named_last_stays(void **state)
{
    struct lab_app *app = *state;
    ask(app, "connect/0", "[" CONFIG_MAP("cfg", "old") "]");
    ask(app, "connect/1", "[" CONFIG_MAP("cfg", "new") "]");
    change(app);
    assert_string_equal(value_of_first(app), "new");
    ask(app, "connect/0", "[" CONFIG_MAP("cfg", "newer") "]");
    change(app);
    assert_string_equal(value_of_first(app), "new");
    charm_value_remove(app->remote, "connect/1");
    change(app);
    assert_int_equal(charm_value_size(status(app)), 1);
    assert_string_equal(value_of_first(app), "newer");
}

static void two_versions_are_applied_in_turn_whenever_anybody_changes_anything(void **state)
{
    struct lab_app *app = *state;
    ask(app, "connect/0", "[" CONFIG_MAP("cfg", "1") "]");
    ask(app, "connect/1", "[" CONFIG_MAP("cfg", "1") "]");
    change(app);
    const int64_t once = version_of_first(app);
    change(app);
    assert_int_equal(version_of_first(app), once);
    ask(app, "connect/1", "[" CONFIG_MAP("cfg", "2") "]");
    change(app);
    const int64_t twice = version_of_first(app);
    change(app); /* to "1" and back to "2", though nobody asked for anything new */
    assert_true(version_of_first(app) >= twice + 2);
}

static void an_empty_list_of_one_unit_withdraws_nothing_of_another(void **state)
{
    struct lab_app *app = *state;
    ask(app, "connect/0", "[]");
    ask(app, "connect/1", "[" CONFIG_MAP("cfg", "1") "]");
    change(app);
    assert_int_equal(charm_value_size(status(app)), 1);
}

static void empty_lists_of_all_withdraw_everything(void **state)
{
    struct lab_app *app = *state;
    ask(app, "connect/0", "[" CONFIG_MAP("cfg", "1") "]");
    change(app);
    ask(app, "connect/0", "[]");
    change(app);
    assert_string_equal(charm_text(charm_value_get(app->sent, "status")), "[]");
    ask(app, "connect/0", "[" CONFIG_MAP("cfg", "1") "]");
    change(app);
    assert_int_equal(charm_value_size(status(app)), 1);
}

static void an_object_that_is_not_named_any_more_stays_and_is_not_shown(void **state)
{
    struct lab_app *app = *state;
    ask(app, "connect/0", "[" CONFIG_MAP("cfg", "1") ", " CONFIG_MAP("other", "1") "]");
    change(app);
    ask(app, "connect/0", "[" CONFIG_MAP("other", "1") "]");
    change(app);
    assert_int_equal(charm_value_size(status(app)), 1);
    /* the name is still taken: another application is told so */
    ask(app, "connect/0", "[" CONFIG_MAP("cfg", "1") "]");
    charm_value_set_text(charm_value_add_map(app->remote, "second/0"), "resource",
                         "[" CONFIG_MAP("cfg", "1") "]");
    change(app);
    assert_string_equal(charm_text(charm_value_get(status(app), "error")),
                        "Duplicate name for resource: cfg");
}

static void one_refused_manifest_makes_the_answer_an_error_object(void **state)
{
    struct lab_app *app = *state;
    ask(app, "connect/0", "[" CONFIG_MAP("cfg", "1") ", " CONFIG_MAP("Bad", "1") "]");
    change(app);
    assert_string_equal(charm_text(charm_value_get(app->sent, "status")),
                        "{\"error\": \"Could not create requested resources.\"}");
    assert_non_null(strstr(app->last_error, "ConfigMap \"Bad\" is invalid"));
}

static void when_the_bad_one_is_gone_the_answer_is_a_list_again(void **state)
{
    struct lab_app *app = *state;
    ask(app, "connect/0", "[" CONFIG_MAP("cfg", "1") ", " CONFIG_MAP("Bad", "1") "]");
    change(app);
    ask(app, "connect/0", "[" CONFIG_MAP("cfg", "1") "]");
    change(app);
    assert_int_equal(charm_value_kind(status(app)), CHARM_LIST);
    assert_int_equal(charm_value_kind(charm_value_at(status(app), 0)), CHARM_MAP);
}

static void the_option_answer_is_published_byte_for_byte(void **state)
{
    struct lab_app *app = *state;
    ask(app, "connect/0", "[" CONFIG_MAP("cfg", "1") "]");
    charm_value_set_text(app->config, "answer", "[null, {\"kind\": 5}]");
    change(app);
    assert_string_equal(charm_text(charm_value_get(app->sent, "status")), "[null, {\"kind\": 5}]");
}

static void text_that_is_no_list_is_ignored(void **state)
{
    static const char *const texts[] = { "", "null", "{}", "\"[]\"", "[", "5" };
    struct lab_app *app = *state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ask(app, "connect/0", texts[i]);
        change(app);
        assert_null(charm_value_get(app->sent, "status"));
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(nothing_asked_leaves_the_status_out_but_names_the_workers),
        T(an_object_comes_back_alive_with_the_labels_of_the_charm),
        T(the_same_answer_is_not_written_again),
        T(units_are_merged_and_equal_objects_count_once),
        T(two_versions_of_one_object_are_both_kept),
        T(of_two_versions_the_one_of_the_unit_that_is_named_last_stays),
        T(two_versions_are_applied_in_turn_whenever_anybody_changes_anything),
        T(an_empty_list_of_one_unit_withdraws_nothing_of_another),
        T(empty_lists_of_all_withdraw_everything),
        T(an_object_that_is_not_named_any_more_stays_and_is_not_shown),
        T(one_refused_manifest_makes_the_answer_an_error_object),
        T(when_the_bad_one_is_gone_the_answer_is_a_list_again),
        T(the_option_answer_is_published_byte_for_byte),
        T(text_that_is_no_list_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
