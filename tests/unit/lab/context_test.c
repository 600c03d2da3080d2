/* What a run may read, what it has written, and the commit: juju-contract.md 1.5, 2 and 3.5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "play.h"

#define PEER "peers: {p: {interface: i}}"
#define SERVER "provides: {db: {interface: sql}}"
#define CLIENT "requires: {db: {interface: sql}}"

/* Two related applications whose hooks have all run. */
static struct play *related(void)
{
    struct play *play = play_new(NULL);
    play_deploy(play, "a", SERVER, 1);
    play_deploy(play, "b", CLIENT, 1);
    play_relate(play, "a", "b");
    play_settle(play);
    play_record(play);
    return play;
}

/* Begins a command on the unit, so that its tools can be tried. */
static void enter(struct play *play, const char *unit)
{
    struct charm_value *command = charm_value_new_list(play->arena);
    struct lab_event event;
    charm_value_append_text(command, "true");
    lab_model_run_command(play->model, play_unit(play, unit), command);
    assert_true(lab_event_next(play->model, play_unit(play, unit), &event));
    assert_int_equal(event.hook, LAB_TASK);
    play->context = lab_context_begin(play->model, play_unit(play, unit), &event);
}

static int leave(struct play *play, int status)
{
    const int code = lab_context_end(play->context, LAB_EXITED, status, NULL);
    play->context = NULL;
    return code;
}

static void what_a_failed_hook_wrote_is_discarded(void **state)
{
    struct play *play = related();
    enter(play, "a/0");
    assert_int_equal(play_tool(play, "relation-set -r db:0 k=v").code, 0);
    assert_int_equal(play_tool(play, "state-set s=1").code, 0);
    assert_int_equal(play_tool(play, "open-port 80").code, 0);
    assert_string_equal(play_out(play, "relation-get -r db:0 k a/0"), "v");
    assert_string_equal(play_out(play, "state-get s"), "1");
    assert_int_not_equal(leave(play, 1), 0);
    enter(play, "a/0");
    assert_string_equal(play_out(play, "relation-get -r db:0 k a/0"), "");
    assert_string_equal(play_out(play, "state-get s"), "");
    assert_string_equal(play_out(play, "opened-ports"), "");
    leave(play, 0);
    play_settle(play);
    assert_string_equal(play_record(play), "");
    play_free(play);
}

static void what_a_good_hook_wrote_reaches_the_other_side_at_its_end(void **state)
{
    struct play *play = related();
    enter(play, "a/0");
    assert_int_equal(play_tool(play, "relation-set -r db:0 k=v").code, 0);
    struct lab_event event;
    assert_false(lab_event_next(play->model, play_unit(play, "b/0"), &event));
    assert_int_equal(leave(play, 0), 0);
    play_settle(play);
    assert_string_equal(play_record(play), "b/0:db-relation-changed(a/0)");
    enter(play, "b/0");
    assert_string_equal(play_out(play, "relation-get -r db:0 k a/0"), "v");
    leave(play, 0);
    play_free(play);
}

static void writing_what_is_there_wakes_nobody(void **state)
{
    struct play *play = related();
    for (int i = 0; i < 2; i++) {
        enter(play, "a/0");
        assert_int_equal(play_tool(play, "relation-set -r db:0 k=v").code, 0);
        leave(play, 0);
        play_settle(play);
    }
    assert_string_equal(play_record(play), "b/0:db-relation-changed(a/0)");
    play_free(play);
}

static void status_and_version_are_set_at_once(void **state)
{
    struct play *play = related();
    enter(play, "a/0");
    assert_int_equal(play_tool(play, "status-set blocked no").code, 0);
    assert_int_equal(play_tool(play, "application-version-set 7").code, 0);
    leave(play, 1);
    assert_string_equal(play_unit(play, "a/0")->status.word, "blocked");
    assert_string_equal(lab_model_app(play->model, "a")->version, "7");
    play_free(play);
}

static void a_refused_commit_makes_a_failed_hook_and_keeps_nothing(void **state)
{
    struct play *play = related();
    play_unit(play, "a/0")->fault_refuse_commit = true;
    enter(play, "a/0");
    play_tool(play, "relation-set -r db:0 k=v");
    play_tool(play, "state-set s=1");
    assert_int_not_equal(leave(play, 0), 0);
    enter(play, "a/0");
    assert_string_equal(play_out(play, "relation-get -r db:0 k a/0"), "");
    assert_string_equal(play_out(play, "state-get s"), "");
    assert_int_equal(leave(play, 0), 0); /* played once */
    play_free(play);
}

static void early_juju_4_commits_state_and_refuses_relations(void **state)
{
    struct play *play = related();
    play_unit(play, "a/0")->fault_state_only = true;
    enter(play, "a/0");
    play_tool(play, "relation-set -r db:0 k=v");
    play_tool(play, "state-set s=1");
    assert_int_not_equal(leave(play, 0), 0);
    enter(play, "a/0");
    assert_string_equal(play_out(play, "relation-get -r db:0 k a/0"), "");
    assert_string_equal(play_out(play, "state-get s"), "1");
    leave(play, 0);
    play_free(play);
}

static void leadership_that_is_lost_at_the_exit_refuses_application_data_and_nothing_else(
    void **state)
{
    struct play *play = play_new(NULL);
    struct lab_application *a = play_deploy(play, "a", PEER, 2);
    play_settle(play);
    play_unit(play, "a/0")->fault_leader_lost = true;
    enter(play, "a/0");
    assert_string_equal(play_out(play, "is-leader"), "True");
    assert_int_equal(play_tool(play, "state-set s=1").code, 0);
    assert_int_equal(leave(play, 0), 0);
    assert_ptr_equal(a->leader, play_unit(play, "a/1"));
    play_settle(play);
    play_unit(play, "a/1")->fault_leader_lost = true;
    enter(play, "a/1");
    assert_int_equal(play_tool(play, "relation-set -r p:0 --app k=v").code, 0);
    assert_int_not_equal(leave(play, 0), 0);
    assert_ptr_equal(a->leader, play_unit(play, "a/0"));
    assert_int_equal(charm_value_size(lab_model_relation(play->model, 0)->side[0].bag.values), 0);
    play_free(play);
}

static void application_data_is_refused_when_leadership_went_before_the_commit(void **state)
{
    struct play *play = play_new(NULL);
    struct lab_application *a = play_deploy(play, "a", PEER, 2);
    play_settle(play);
    enter(play, "a/0");
    assert_int_equal(play_tool(play, "relation-set -r p:0 --app k=v").code, 0);
    lab_model_elect(play->model, a, play_unit(play, "a/1"));
    assert_int_not_equal(leave(play, 0), 0);
    assert_int_equal(charm_value_size(lab_model_relation(play->model, 0)->side[0].bag.values), 0);
    play_free(play);
}

static void the_answer_no_to_is_leader_sticks_for_the_hook(void **state)
{
    struct play *play = play_new(NULL);
    struct lab_application *a = play_deploy(play, "a", PEER, 2);
    play_settle(play);
    enter(play, "a/1");
    assert_string_equal(play_out(play, "is-leader --format=json"), "false");
    lab_model_elect(play->model, a, play_unit(play, "a/1"));
    assert_string_equal(play_out(play, "is-leader --format=json"), "false");
    leave(play, 0);
    play_settle(play);
    enter(play, "a/1");
    assert_string_equal(play_out(play, "is-leader --format=json"), "true");
    lab_model_elect(play->model, a, play_unit(play, "a/0"));
    assert_string_equal(play_out(play, "is-leader --format=json"), "false");
    leave(play, 0);
    play_free(play);
}

static void an_own_application_bag_is_read_by_the_leader_alone_but_in_a_peer_relation(void **state)
{
    struct play *play = play_new(NULL);
    play_deploy(play, "a", SERVER "\n" PEER, 2);
    play_deploy(play, "b", CLIENT, 1);
    const int db = play_relate(play, "a", "b");
    play_settle(play);
    const char *own = charm_arena_printf(play->arena, "relation-get -r db:%d --app - a", db);
    enter(play, "a/0");
    assert_int_equal(play_tool(play, own).code, 0);
    assert_int_equal(play_tool(play, "relation-get -r p:0 --app - a").code, 0);
    leave(play, 0);
    enter(play, "a/1");
    const struct lab_tool_result refused = play_tool(play, own);
    assert_int_equal(refused.code, 1);
    assert_string_equal(refused.err, "ERROR permission denied (unauthorized access)\n");
    assert_int_equal(play_tool(play, "relation-get -r p:0 --app - a").code, 0);
    assert_string_equal(play_tool(play, "relation-set -r p:0 --app k=v").err,
                        "ERROR cannot write relation settings\n");
    leave(play, 0);
    play_free(play);
}

static int look_in_install(struct play *play, const char *unit, const char *name)
{
    (void)unit;
    if (charmi_same(name, "install")) {
        assert_string_equal(play_out(play, "relation-ids p"), play->userdata);
        if (charmi_same(play->userdata, "p:0")) {
            assert_int_equal(play_tool(play, "relation-get -r p:0 --app - a").code, 1);
            assert_int_equal(play_tool(play, "relation-set -r p:0 --app k=v").code, 1);
        }
    }
    return 0;
}

static void the_peer_bag_is_refused_in_install_or_the_relation_absent(void **state)
{
    static const char *const listed[] = { "p:0", "" };
    const enum lab_early_peer kinds[] = { LAB_EARLY_PEER_REFUSED, LAB_EARLY_PEER_ABSENT };
    for (int i = 0; i < 2; i++) {
        struct play *play = play_new(&(struct lab_model_options){ .early_peer = kinds[i] });
        play->hook = look_in_install;
        play->userdata = (void *)(uintptr_t)listed[i];
        play_deploy(play, "a", PEER, 1);
        play_settle(play);
        assert_true(play_unit(play, "a/0")->started);
        play_free(play);
    }
}

static void a_unit_that_never_joined_cannot_be_read_and_one_that_departed_can(void **state)
{
    struct play *play = related();
    struct charm_error error = { 0 };
    assert_int_equal(lab_model_remove_unit(play->model, play_unit(play, "b/0"), false, &error), 0);
    play_settle(play);
    enter(play, "a/0");
    assert_int_equal(play_tool(play, "relation-get -r db:0 - b/0").code, 0);
    const struct lab_tool_result result = play_tool(play, "relation-get -r db:0 - b/9");
    assert_int_equal(result.code, 1);
    assert_string_equal(result.err,
                        "ERROR cannot read settings for unit \"b/9\" in relation \"b:db a:db\": "
                        "unit \"b/9\": settings not found\n");
    leave(play, 0);
    play_free(play);
}

static void a_members_bag_stays_as_read_until_its_changed_hook(void **state)
{
    struct play *play = related();
    enter(play, "b/0");
    assert_string_equal(play_out(play, "relation-get -r db:0 k a/0"), "");
    leave(play, 0);
    enter(play, "a/0");
    play_tool(play, "relation-set -r db:0 k=v");
    leave(play, 0);
    enter(play, "b/0");
    assert_string_equal(play_out(play, "relation-get -r db:0 k a/0"), "");
    leave(play, 0);
    play_settle(play);
    enter(play, "b/0");
    assert_string_equal(play_out(play, "relation-get -r db:0 k a/0"), "v");
    leave(play, 0);
    play_free(play);
}

static int check_members(struct play *play, const char *unit, const char *name)
{
    if (!charmi_same(unit, "a/0") || !charmi_starts_with(name, "db-")) {
        return 0;
    }
    const char *members = play_out(play, "relation-list --format=json");
    const bool there =
        charmi_same(name, "db-relation-joined") || charmi_same(name, "db-relation-changed");
    assert_string_equal(members, there ? "[\"b/0\"]" : "[]");
    *(int *)play->userdata += 1;
    return 0;
}

static void the_departing_unit_is_not_listed_any_more_and_broken_lists_none(void **state)
{
    struct play *play = play_new(NULL);
    struct charm_error error = { 0 };
    int seen = 0;
    play->hook = check_members;
    play->userdata = &seen;
    play_deploy(play, "a", SERVER, 1);
    play_deploy(play, "b", CLIENT, 1);
    play_relate(play, "a", "b");
    play_settle(play);
    assert_int_equal(lab_model_remove_relation(play->model, "a", "b", &error), 0);
    play_settle(play);
    assert_int_equal(seen, 5);
    play_free(play);
}

static int check_broken_ids(struct play *play, const char *unit, const char *name)
{
    if (charmi_same(unit, "a/0") && charmi_same(name, "db-relation-broken")) {
        play->userdata = (void *)(uintptr_t)play_out(play, "relation-ids db --format=json");
        assert_int_equal(play_tool(play, "relation-get -r db:0 - b/0").code, 0);
    }
    return 0;
}

static void relation_ids_leaves_out_the_broken_relation_from_3_5_on(void **state)
{
    static const char *const versions[] = { "2.9.51", "3.6.4" };
    static const char *const answers[] = { "[\"db:0\"]", "[]" };
    for (int i = 0; i < 2; i++) {
        struct play *play = play_new(&(struct lab_model_options){ .juju_version = versions[i] });
        struct charm_error error = { 0 };
        play->hook = check_broken_ids;
        play_deploy(play, "a", SERVER, 1);
        play_deploy(play, "b", CLIENT, 1);
        play_relate(play, "a", "b");
        play_settle(play);
        assert_int_equal(lab_model_remove_relation(play->model, "a", "b", &error), 0);
        play_settle(play);
        assert_non_null(play->userdata);
        assert_string_equal(play->userdata, answers[i]);
        play_free(play);
    }
}

/* ---- environment ---- */

static const char *variable(const char *const *env, const char *name)
{
    for (size_t i = 0; env[i] != NULL; i++) {
        if (strncmp(env[i], name, strlen(name)) == 0 && env[i][strlen(name)] == '=') {
            return env[i] + strlen(name) + 1;
        }
    }
    return NULL;
}

static const struct lab_places places = { "/charm", "/tools", "/socket", NULL };

static int check_environment(struct play *play, const char *unit, const char *name)
{
    const char *const *env = lab_context_environment(play->context, &places);
    if (charmi_same(unit, "a/0") && charmi_same(name, "install")) {
        assert_null(variable(env, "JUJU_RELATION"));
        assert_null(variable(env, "JUJU_REMOTE_UNIT"));
        assert_null(variable(env, "HOME"));
        assert_string_equal(variable(env, "JUJU_DISPATCH_PATH"), "hooks/install");
        assert_string_equal(variable(env, "JUJU_PRINCIPAL_UNIT"), "");
        assert_true(charmi_starts_with(variable(env, "PATH"), "/tools:"));
    }
    if (charmi_same(unit, "a/0") && charmi_same(name, "db-relation-created")) {
        assert_string_equal(variable(env, "JUJU_REMOTE_UNIT"), "");
        assert_string_equal(variable(env, "JUJU_REMOTE_APP"), "b");
        assert_string_equal(variable(env, "JUJU_RELATION_ID"), "db:0");
    }
    if (charmi_same(unit, "a/0") && charmi_same(name, "db-relation-departed")) {
        assert_string_equal(variable(env, "JUJU_REMOTE_UNIT"), "b/0");
        assert_string_equal(variable(env, "JUJU_DEPARTING_UNIT"), "b/0");
        *(int *)play->userdata += 1;
    }
    return 0;
}

static void each_kind_of_hook_has_its_own_variables(void **state)
{
    struct play *play = play_new(NULL);
    struct charm_error error = { 0 };
    int departed = 0;
    play->hook = check_environment;
    play->userdata = &departed;
    play_deploy(play, "a", SERVER, 1);
    play_deploy(play, "b", CLIENT, 1);
    play_relate(play, "a", "b");
    play_settle(play);
    assert_int_equal(lab_model_remove_relation(play->model, "a", "b", &error), 0);
    play_settle(play);
    assert_int_equal(departed, 1);
    play_free(play);
}

static void a_command_has_no_hook_name_and_no_dispatch_path(void **state)
{
    struct play *play = related();
    enter(play, "a/0");
    const char *const *env = lab_context_environment(play->context, &places);
    assert_string_equal(variable(env, "JUJU_HOOK_NAME"), "");
    assert_null(variable(env, "JUJU_DISPATCH_PATH"));
    leave(play, 0);
    play_free(play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_failed_hook_wrote_is_discarded),
        cmocka_unit_test(what_a_good_hook_wrote_reaches_the_other_side_at_its_end),
        cmocka_unit_test(writing_what_is_there_wakes_nobody),
        cmocka_unit_test(status_and_version_are_set_at_once),
        cmocka_unit_test(a_refused_commit_makes_a_failed_hook_and_keeps_nothing),
        cmocka_unit_test(early_juju_4_commits_state_and_refuses_relations),
        cmocka_unit_test(
            leadership_that_is_lost_at_the_exit_refuses_application_data_and_nothing_else),
        cmocka_unit_test(application_data_is_refused_when_leadership_went_before_the_commit),
        cmocka_unit_test(the_answer_no_to_is_leader_sticks_for_the_hook),
        cmocka_unit_test(an_own_application_bag_is_read_by_the_leader_alone_but_in_a_peer_relation),
        cmocka_unit_test(the_peer_bag_is_refused_in_install_or_the_relation_absent),
        cmocka_unit_test(a_unit_that_never_joined_cannot_be_read_and_one_that_departed_can),
        cmocka_unit_test(a_members_bag_stays_as_read_until_its_changed_hook),
        cmocka_unit_test(the_departing_unit_is_not_listed_any_more_and_broken_lists_none),
        cmocka_unit_test(relation_ids_leaves_out_the_broken_relation_from_3_5_on),
        cmocka_unit_test(each_kind_of_hook_has_its_own_variables),
        cmocka_unit_test(a_command_has_no_hook_name_and_no_dispatch_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
