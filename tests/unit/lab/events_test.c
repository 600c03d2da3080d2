/* The order of events: juju-contract.md 1.6. */
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

/* Writes a key of the peer application's bag once, in leader-elected. */
static int write_peer_app(struct play *play, const char *unit, const char *name)
{
    (void)unit;
    if (charmi_same(name, "leader-elected")) {
        assert_int_equal(play_tool(play, "relation-set -r p:0 --app leader=me").code, 0);
    }
    return 0;
}

static void a_deployed_unit_hears_install_created_elected_config_start(void **state)
{
    struct play *play = play_new(NULL);
    play_deploy(play, "a", PEER, 1);
    play_settle(play);
    assert_string_equal(play_record(play), "a/0:install a/0:p-relation-created a/0:leader-elected "
                                           "a/0:config-changed a/0:start");
    play_free(play);
}

static void a_unit_that_does_not_lead_hears_leader_settings_changed_up_to_3(void **state)
{
    struct play *play = play_new(NULL);
    play_deploy(play, "a", "{}", 2);
    play_settle(play);
    assert_string_equal(play_record(play),
                        "a/0:install a/1:install a/0:leader-elected a/1:leader-settings-changed "
                        "a/0:config-changed a/1:config-changed a/0:start a/1:start");
    play_free(play);
}

static void in_juju_4_nobody_hears_leader_settings_changed(void **state)
{
    struct play *play = play_new(&(struct lab_model_options){ .juju_version = "4.0.1" });
    play_deploy(play, "a", "{}", 2);
    play_settle(play);
    assert_null(strstr(play_record(play), "leader-settings"));
    play_free(play);
}

static void a_relation_is_created_joined_and_changed_on_both_sides(void **state)
{
    struct play *play = play_new(NULL);
    play_deploy(play, "a", SERVER, 1);
    play_deploy(play, "b", CLIENT, 1);
    play_settle(play);
    play_record(play);
    play_relate(play, "a", "b");
    play_settle(play);
    assert_string_equal(play_record(play),
                        "a/0:db-relation-created b/0:db-relation-created "
                        "a/0:db-relation-joined(b/0) b/0:db-relation-joined(a/0) "
                        "a/0:db-relation-changed(b/0) b/0:db-relation-changed(a/0)");
    play_free(play);
}

static void a_lone_unit_is_woken_by_its_own_write_to_the_peer_application_bag(void **state)
{
    struct play *play = play_new(NULL);
    play->hook = write_peer_app;
    play_deploy(play, "a", PEER, 1);
    play_settle(play);
    assert_string_equal(play_record(play), "a/0:install a/0:p-relation-created a/0:leader-elected "
                                           "a/0:config-changed a/0:start a/0:p-relation-changed");
    play_free(play);
}

static void peers_join_each_other_but_not_themselves(void **state)
{
    struct play *play = play_new(&(struct lab_model_options){ .juju_version = "4.0" });
    play_deploy(play, "a", PEER, 2);
    play_settle(play);
    const char *record = play_record(play);
    assert_non_null(strstr(record, "a/0:p-relation-joined(a/1)"));
    assert_non_null(strstr(record, "a/1:p-relation-joined(a/0)"));
    assert_null(strstr(record, "a/0:p-relation-joined(a/0)"));
    play_free(play);
}

static void the_changed_of_a_joined_unit_comes_next_for_that_relation(void **state)
{
    struct play *play = play_new(NULL);
    play_deploy(play, "a", SERVER, 1);
    play_deploy(play, "b", CLIENT, 2);
    play_settle(play);
    play_relate(play, "a", "b");
    play_record(play);
    while (play_step(play, play_unit(play, "b/0")) || play_step(play, play_unit(play, "b/1"))) {
    }
    play_record(play);
    while (play_step(play, play_unit(play, "a/0"))) {
    }
    assert_string_equal(play_record(play), "a/0:db-relation-created a/0:db-relation-joined(b/0) "
                                           "a/0:db-relation-changed(b/0) "
                                           "a/0:db-relation-joined(b/1) "
                                           "a/0:db-relation-changed(b/1)");
    play_free(play);
}

static void units_are_handled_in_lexicographic_order(void **state)
{
    struct play *play = play_new(NULL);
    play_deploy(play, "a", SERVER, 1);
    play_deploy(play, "b", CLIENT, 11);
    play_relate(play, "a", "b");
    struct lab_application *b = lab_model_app(play->model, "b");
    for (struct lab_unit *unit = b->units; unit != NULL; unit = unit->next) {
        while (play_step(play, unit)) {
        }
    }
    play_record(play);
    while (play_step(play, play_unit(play, "a/0"))) {
    }
    const char *record = play_record(play);
    const char *ten = strstr(record, "joined(b/10)");
    const char *two = strstr(record, "joined(b/2)");
    assert_non_null(ten);
    assert_non_null(two);
    assert_true(ten < two);
    play_free(play);
}

static void removing_a_relation_departs_every_member_and_then_breaks(void **state)
{
    struct play *play = play_new(NULL);
    struct charm_error error = { 0 };
    play_deploy(play, "a", SERVER, 1);
    play_deploy(play, "b", CLIENT, 2);
    play_relate(play, "a", "b");
    play_settle(play);
    play_record(play);
    assert_int_equal(lab_model_remove_relation(play->model, "b", "a", &error), 0);
    while (play_step(play, play_unit(play, "a/0"))) {
    }
    assert_string_equal(play_record(play), "a/0:db-relation-departed(b/0) "
                                           "a/0:db-relation-departed(b/1) "
                                           "a/0:db-relation-broken");
    play_settle(play);
    assert_null(lab_model_relation(play->model, 0));
    play_free(play);
}

static void a_remote_unit_that_goes_departs_without_broken(void **state)
{
    struct play *play = play_new(NULL);
    struct charm_error error = { 0 };
    play_deploy(play, "a", SERVER, 1);
    play_deploy(play, "b", CLIENT, 2);
    play_relate(play, "a", "b");
    play_settle(play);
    play_record(play);
    struct lab_unit *leaving = play_unit(play, "b/1");
    assert_int_equal(lab_model_remove_unit(play->model, leaving, false, &error), 0);
    while (play_step(play, leaving)) {
    }
    assert_string_equal(play_record(play), "b/1:db-relation-departed(a/0) b/1:db-relation-broken "
                                           "b/1:stop b/1:remove");
    play_settle(play);
    assert_string_equal(play_record(play), "a/0:db-relation-departed(b/1)");
    play_free(play);
}

static void a_peer_relation_is_left_without_broken(void **state)
{
    struct play *play = play_new(NULL);
    struct charm_error error = { 0 };
    play_deploy(play, "a", PEER, 2);
    play_settle(play);
    play_record(play);
    struct lab_unit *leaving = play_unit(play, "a/1");
    assert_int_equal(lab_model_remove_unit(play->model, leaving, false, &error), 0);
    while (play_step(play, leaving)) {
    }
    assert_string_equal(play_record(play), "a/1:p-relation-departed(a/0) a/1:stop a/1:remove");
    play_settle(play);
    assert_string_equal(play_record(play), "a/0:p-relation-departed(a/1)");
    play_free(play);
}

static void the_departing_unit_is_the_local_one_when_that_leaves(void **state)
{
    struct play *play = play_new(NULL);
    struct charm_error error = { 0 };
    struct lab_event event;
    play_deploy(play, "a", SERVER, 1);
    play_deploy(play, "b", CLIENT, 1);
    play_relate(play, "a", "b");
    play_settle(play);
    struct lab_unit *leaving = play_unit(play, "b/0");
    assert_int_equal(lab_model_remove_unit(play->model, leaving, false, &error), 0);
    assert_true(lab_event_next(play->model, leaving, &event));
    assert_int_equal(event.hook, LAB_RELATION_DEPARTED);
    assert_string_equal(event.remote->name, "a/0");
    assert_string_equal(event.departing->name, "b/0");
    play_free(play);
}

static void config_changed_comes_only_for_a_difference(void **state)
{
    struct play *play = play_new(NULL);
    struct charm_error error = { 0 };
    struct lab_application *app =
        play_deploy_with(play, "a", "{}", "options: {n: {type: int, default: 1}}", NULL, 1);
    play_settle(play);
    play_record(play);
    assert_int_equal(lab_model_config_set(play->model, app, "n", "1", &error), 0);
    play_settle(play);
    assert_string_equal(play_record(play), "");
    assert_int_equal(lab_model_config_set(play->model, app, "n", "2", &error), 0);
    play_settle(play);
    assert_string_equal(play_record(play), "a/0:config-changed");
    play_free(play);
}

static int fail_start(struct play *play, const char *unit, const char *name)
{
    (void)unit;
    int *failures = play->userdata;
    if (charmi_same(name, "start") && *failures > 0) {
        (*failures)--;
        return 1;
    }
    return 0;
}

static void a_failed_hook_is_tried_again_after_five_seconds_then_ten(void **state)
{
    struct play *play = play_new(NULL);
    int failures = 2;
    play->hook = fail_start;
    play->userdata = &failures;
    play_deploy(play, "a", "{}", 1);
    play_settle(play);
    struct lab_unit *unit = play_unit(play, "a/0");
    assert_string_equal(unit->failure, "hook failed: \"start\"");
    play_record(play);
    lab_model_set_time(play->model, 1000000 + 4999);
    play_settle(play);
    assert_string_equal(play_record(play), "");
    lab_model_set_time(play->model, 1000000 + 5000);
    play_settle(play);
    assert_string_equal(play_record(play), "a/0:start!");
    lab_model_set_time(play->model, 1000000 + 5000 + 9999);
    play_settle(play);
    assert_string_equal(play_record(play), "");
    lab_model_set_time(play->model, 1000000 + 5000 + 10000);
    play_settle(play);
    assert_string_equal(play_record(play), "a/0:start");
    assert_null(unit->failure);
    play_free(play);
}

static void resolved_without_retry_takes_the_hook_as_done(void **state)
{
    struct play *play = play_new(&(struct lab_model_options){ .no_retry = true });
    struct charm_error error = { 0 };
    int failures = 1;
    play->hook = fail_start;
    play->userdata = &failures;
    play_deploy(play, "a", "{}", 1);
    play_settle(play);
    play_record(play);
    struct lab_unit *unit = play_unit(play, "a/0");
    lab_model_set_time(play->model, 1000000000);
    play_settle(play);
    assert_string_equal(play_record(play), "");
    assert_int_equal(lab_model_resolved(play->model, unit, false, &error), 0);
    assert_true(unit->started);
    assert_int_not_equal(lab_model_resolved(play->model, unit, false, &error), 0);
    play_free(play);
}

static void actions_run_before_a_pending_config_changed_and_in_error(void **state)
{
    struct play *play = play_new(NULL);
    struct charm_error error = { 0 };
    struct lab_task *task;
    struct lab_application *app = play_deploy_with(
        play, "a", "{}", "options: {n: {type: int, default: 1}}", "go: {description: d}", 1);
    play_settle(play);
    play_record(play);
    assert_int_equal(lab_model_config_set(play->model, app, "n", "2", &error), 0);
    struct lab_unit *unit = play_unit(play, "a/0");
    assert_int_equal(lab_model_run_action(play->model, unit, "go", NULL, &task, &error), 0);
    play_settle(play);
    assert_string_equal(play_record(play), "a/0:go a/0:config-changed");

    int failures = 0;
    play->hook = fail_start;
    play->userdata = &failures;
    unit->failed = (struct lab_event){ .hook = LAB_START };
    unit->retry_ms = INT64_MAX;
    assert_int_equal(lab_model_run_action(play->model, unit, "go", NULL, &task, &error), 0);
    play_settle(play);
    assert_string_equal(play_record(play), "a/0:go");
    play_free(play);
}

static void a_killed_hook_runs_again_and_is_no_error(void **state)
{
    struct play *play = play_new(NULL);
    struct lab_event event;
    play_deploy(play, "a", "{}", 1);
    struct lab_unit *unit = play_unit(play, "a/0");
    assert_true(lab_event_next(play->model, unit, &event));
    struct lab_context *context = lab_context_begin(play->model, unit, &event);
    assert_int_not_equal(lab_context_end(context, LAB_KILLED, 9, NULL), 0);
    assert_null(unit->failure);
    assert_true(lab_event_next(play->model, unit, &event));
    assert_int_equal(event.hook, LAB_INSTALL);
    play_free(play);
}

static void an_upgrade_that_brings_a_peer_creates_it_after_upgrade_charm(void **state)
{
    struct play *play = play_new(NULL);
    struct charm_error error = { 0 };
    struct lab_application *app = play_deploy(play, "a", "{}", 1);
    play_settle(play);
    play_record(play);
    struct lab_application *donor = play_deploy(play, "donor", PEER, 0);
    assert_int_equal(lab_model_upgrade(play->model, app, &donor->charm, &error), 0);
    play_settle(play);
    const char *record = play_record(play);
    assert_non_null(strstr(record, "a/0:upgrade-charm"));
    assert_non_null(strstr(record, "a/0:p-relation-created"));
    assert_non_null(strstr(record, "a/0:config-changed"));
    assert_true(strstr(record, "upgrade-charm") < strstr(record, "p-relation-created"));
    play_free(play);
}

static void update_status_comes_last_and_at_its_interval(void **state)
{
    struct play *play = play_new(&(struct lab_model_options){ .update_status_ms = 60000 });
    play_deploy(play, "a", "{}", 1);
    play_settle(play);
    play_record(play);
    lab_model_set_time(play->model, 1000000 + 60000);
    play_settle(play);
    assert_string_equal(play_record(play), "a/0:update-status");
    play_free(play);
}

static void a_lost_leader_hears_nothing_more_and_another_one_leads(void **state)
{
    struct play *play = play_new(NULL);
    play_deploy(play, "a", PEER, 2);
    play_settle(play);
    play_record(play);
    lab_model_lose_unit(play->model, play_unit(play, "a/0"));
    play_settle(play);
    assert_string_equal(play_record(play), "a/1:leader-elected");
    assert_ptr_equal(play_unit(play, "a/leader"), play_unit(play, "a/1"));
    play_free(play);
}

static void removing_a_lost_unit_by_force_lets_its_peers_hear_departed(void **state)
{
    struct play *play = play_new(NULL);
    struct charm_error error = { 0 };
    play_deploy(play, "a", PEER, 2);
    play_settle(play);
    lab_model_lose_unit(play->model, play_unit(play, "a/0"));
    play_settle(play);
    play_record(play);
    assert_int_equal(lab_model_remove_unit(play->model, play_unit(play, "a/0"), true, &error), 0);
    play_settle(play);
    assert_string_equal(play_record(play), "a/1:p-relation-departed(a/0)");
    play_free(play);
}

static void an_application_goes_when_its_units_and_relations_have_gone(void **state)
{
    struct play *play = play_new(NULL);
    struct charm_error error = { 0 };
    play_deploy(play, "a", SERVER, 1);
    struct lab_application *b = play_deploy(play, "b", CLIENT, 1);
    play_relate(play, "a", "b");
    play_settle(play);
    assert_int_equal(lab_model_remove_application(play->model, b, &error), 0);
    play_settle(play);
    assert_null(lab_model_app(play->model, "b"));
    assert_null(lab_model_relation(play->model, 0));
    assert_non_null(lab_model_app(play->model, "a"));
    play_free(play);
}

/* A history is a pure function of its seed. */
static void equal_seeds_give_equal_orders(void **state)
{
    const char *records[2];
    struct play *plays[2];
    for (int i = 0; i < 2; i++) {
        plays[i] = play_new(&(struct lab_model_options){ .seed = 7 });
        play_deploy(plays[i], "a", "provides: {x: {interface: i}, y: {interface: j}}", 1);
        play_deploy(plays[i], "b", "requires: {x: {interface: i}}", 2);
        play_deploy(plays[i], "c", "requires: {y: {interface: j}}", 2);
        play_relate(plays[i], "a", "b");
        play_relate(plays[i], "a", "c");
        play_settle(plays[i]);
        records[i] = play_record(plays[i]);
    }
    assert_string_equal(records[0], records[1]);
    play_free(plays[0]);
    play_free(plays[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deployed_unit_hears_install_created_elected_config_start),
        cmocka_unit_test(a_unit_that_does_not_lead_hears_leader_settings_changed_up_to_3),
        cmocka_unit_test(in_juju_4_nobody_hears_leader_settings_changed),
        cmocka_unit_test(a_relation_is_created_joined_and_changed_on_both_sides),
        cmocka_unit_test(a_lone_unit_is_woken_by_its_own_write_to_the_peer_application_bag),
        cmocka_unit_test(peers_join_each_other_but_not_themselves),
        cmocka_unit_test(the_changed_of_a_joined_unit_comes_next_for_that_relation),
        cmocka_unit_test(units_are_handled_in_lexicographic_order),
        cmocka_unit_test(removing_a_relation_departs_every_member_and_then_breaks),
        cmocka_unit_test(a_remote_unit_that_goes_departs_without_broken),
        cmocka_unit_test(a_peer_relation_is_left_without_broken),
        cmocka_unit_test(the_departing_unit_is_the_local_one_when_that_leaves),
        cmocka_unit_test(config_changed_comes_only_for_a_difference),
        cmocka_unit_test(a_failed_hook_is_tried_again_after_five_seconds_then_ten),
        cmocka_unit_test(resolved_without_retry_takes_the_hook_as_done),
        cmocka_unit_test(actions_run_before_a_pending_config_changed_and_in_error),
        cmocka_unit_test(a_killed_hook_runs_again_and_is_no_error),
        cmocka_unit_test(an_upgrade_that_brings_a_peer_creates_it_after_upgrade_charm),
        cmocka_unit_test(update_status_comes_last_and_at_its_interval),
        cmocka_unit_test(a_lost_leader_hears_nothing_more_and_another_one_leads),
        cmocka_unit_test(removing_a_lost_unit_by_force_lets_its_peers_hear_departed),
        cmocka_unit_test(an_application_goes_when_its_units_and_relations_have_gone),
        cmocka_unit_test(equal_seeds_give_equal_orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
