/* Secrets of users: who may read which revision, and when a unit hears of another (juju-contract.md 3.16, 1.6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "lab/secrets.h"
#include "lab/tools_internal.h"
#include "play.h"

static struct charm_value *content(struct play *play, const char *password)
{
    struct charm_value *map = charm_value_new_map(play->model->arena);
    charm_value_set_text(map, "username", "u");
    charm_value_set_text(map, "password", password);
    return map;
}

static struct play *begin(const char *version)
{
    struct play *play = play_new(&(struct lab_model_options){ .juju_version = version });
    struct lab_secret *secret;
    struct charm_error error;
    play_deploy(play, "a", "provides: {db: {interface: sql}}", 1);
    play_settle(play);
    if (lab_secret_add(play->model, "mine", content(play, "one"), &secret, &error) != 0) {
        fail_msg("%s", error.text);
    }
    return play;
}

static void enter(struct play *play)
{
    struct lab_event event;
    struct lab_unit *unit = play_unit(play, "a/0");
    unit->update_status_wanted = true;
    assert_true(lab_event_next(play->model, unit, &event));
    play->context = lab_context_begin(play->model, unit, &event);
}

static void leave(struct play *play)
{
    CHARMI_IGNORE(lab_context_end(play->context, LAB_EXITED, 0, NULL), "not looked at");
}

/* What the tool says: standard output, or standard error. */
static const char *get(struct play *play, const char *flags)
{
    const char *uri = lab_secret_uri(play->arena, "mine");
    const struct lab_tool_result result = play_tool(
        play, charm_arena_printf(play->arena, "secret-get --format=json %s %s", uri, flags));
    return result.code == 0 ? result.out : result.err;
}

static void grant(struct play *play, bool grant)
{
    assert_int_equal(lab_secret_grant(play->model, "mine", "a", grant, NULL), 0);
}

static void update(struct play *play, const char *password)
{
    assert_int_equal(lab_secret_update(play->model, "mine", content(play, password), NULL), 0);
}

#define ONE "{\"password\":\"one\",\"username\":\"u\"}\n"
#define TWO "{\"password\":\"two\",\"username\":\"u\"}\n"

static void only_who_has_been_granted_reads_it(void **state)
{
    (void)state;
    struct play *play = begin(NULL);
    enter(play);
    assert_string_equal(get(play, ""), "ERROR permission denied\n");
    grant(play, true);
    assert_string_equal(get(play, ""), ONE);
    assert_string_equal(get(play, "password"), "\"one\"\n");
    assert_string_equal(get(play, "nothing"), "ERROR secret key value \"nothing\" not found\n");
    grant(play, false);
    assert_string_equal(get(play, ""), "ERROR permission denied\n");
    assert_int_equal(lab_secret_remove(play->model, "mine", NULL), 0);
    assert_non_null(strstr(get(play, ""), "not found\n"));
    leave(play);
    play_free(play);
}

static void a_unit_stays_at_the_revision_that_it_read_first(void **state)
{
    (void)state;
    struct play *play = begin(NULL);
    grant(play, true);
    enter(play);
    assert_string_equal(get(play, ""), ONE);
    update(play, "two");
    assert_string_equal(get(play, ""), ONE);
    assert_string_equal(get(play, "--peek"), TWO);
    assert_string_equal(get(play, ""), ONE);
    assert_string_equal(get(play, "--refresh"), TWO);
    assert_string_equal(get(play, ""), TWO);
    leave(play);
    play_free(play);
}

static void a_unit_that_reads_it_hears_of_another_content_once(void **state)
{
    (void)state;
    struct play *play = begin(NULL);
    struct lab_event event;
    struct lab_unit *unit = play_unit(play, "a/0");
    update(play, "two");
    grant(play, true);
    assert_false(lab_event_next(play->model, unit, &event)); /* it has never read it */
    enter(play);
    assert_string_equal(get(play, "--refresh"), TWO);
    leave(play);
    update(play, "three");
    assert_true(lab_event_next(play->model, unit, &event));
    assert_int_equal(event.hook, LAB_SECRET_CHANGED);
    play->context = lab_context_begin(play->model, unit, &event);
    assert_string_equal(lab_context_dispatch_path(play->context), "hooks/secret-changed");
    const char *const *env =
        lab_context_environment(play->context, &(struct lab_places){ "/c", "/t", "/s", NULL });
    const char *wanted =
        charm_arena_printf(play->arena, "JUJU_SECRET_ID=%s", lab_secret_uri(play->arena, "mine"));
    assert_true(charmi_in(env, wanted));
    assert_true(charmi_in(env, "JUJU_SECRET_LABEL="));
    leave(play);
    assert_false(lab_event_next(play->model, unit, &event));
    play_free(play);
}

static void the_tool_takes_yaml_and_json_and_refuses_what_juju_refuses(void **state)
{
    (void)state;
    struct play *play = begin(NULL);
    grant(play, true);
    enter(play);
    const char *uri = lab_secret_uri(play->arena, "mine");
    struct lab_tool_result result =
        play_tool(play, charm_arena_printf(play->arena, "secret-get %s", uri));
    assert_string_equal(result.out, "password: one\nusername: u\n");
    result = play_tool(play, charm_arena_printf(play->arena, "secret-get %s --format=smart", uri));
    assert_int_equal(result.code, 2);
    assert_string_equal(
        result.err,
        "ERROR invalid value \"smart\" for option --format: unknown format \"smart\"\n");
    result = play_tool(play, "secret-get");
    assert_int_equal(result.code, 2);
    assert_string_equal(result.err, "ERROR require either a secret URI or label\n");
    result =
        play_tool(play, charm_arena_printf(play->arena, "secret-get %s --peek --refresh", uri));
    assert_int_equal(result.code, 2);
    result = play_tool(play, "secret-get secret:00000000000000000000");
    assert_int_equal(result.code, 1);
    assert_string_equal(result.err, "ERROR secret \"00000000000000000000\" not found\n");
    leave(play);
    play_free(play);
}

static void keys_and_versions_are_checked_as_juju_checks_them(void **state)
{
    (void)state;
    static const char *const bad[] = { "ca", "Password", "1st", "a--b", "pass_word", "abc-" };
    struct play *play = begin(NULL);
    struct lab_secret *secret;
    for (size_t i = 0; i < CHARMI_COUNT(bad); i++) {
        struct charm_value *map = charm_value_new_map(play->model->arena);
        charm_value_set_text(map, bad[i], "x");
        assert_int_equal(lab_secret_add(play->model, "other", map, &secret, NULL), CHARM_EINVAL);
    }
    assert_int_equal(lab_secret_add(play->model, "mine", content(play, "x"), &secret, NULL),
                     CHARM_EREFUSED);
    assert_int_equal(lab_secret_grant(play->model, "mine", "nobody", true, NULL), CHARM_ENOTFOUND);
    play_free(play);
    struct play *old = play_new(&(struct lab_model_options){ .juju_version = "2.9.51" });
    assert_int_equal(lab_secret_add(old->model, "mine", content(old, "x"), &secret, NULL),
                     CHARM_EREFUSED);
    play_deploy(old, "a", "provides: {db: {interface: sql}}", 1);
    play_settle(old);
    enter(old);
    const struct lab_tool_result result = play_tool(old, "secret-get secret:x");
    assert_string_equal(result.err, "ERROR bad request: unknown command: secret-get\n");
    leave(old);
    play_free(old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_who_has_been_granted_reads_it),
        cmocka_unit_test(a_unit_stays_at_the_revision_that_it_read_first),
        cmocka_unit_test(a_unit_that_reads_it_hears_of_another_content_once),
        cmocka_unit_test(the_tool_takes_yaml_and_json_and_refuses_what_juju_refuses),
        cmocka_unit_test(keys_and_versions_are_checked_as_juju_checks_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
