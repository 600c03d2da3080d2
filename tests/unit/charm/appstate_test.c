/* Whole runs: application state available, absent and refused; terms of leadership. */
#include "tests.h"

#include "fake_juju.h"

/* The leader configures once a term, and keeps a list in application state. */

static enum charm_result configure(struct charm_run *run, const struct charm_row *row)
{
    charm_flag_set(run, "site.configured");
    charm_app_set(run, "owned", charm_value_new_text(charm_arena(run), "orders"));
    return CHARM_DONE;
}

static enum charm_result report(struct charm_run *run, const struct charm_output *output)
{
    charm_status(run, CHARM_ACTIVE, "term %lld leader '%s' owned '%s' %s",
                 (long long)charm_term(run), charm_leader(run),
                 charm_text(charm_app_get(run, "owned")),
                 charm_flag_is_set(run, "site.configured") ? "configured" : "not configured");
    return CHARM_DONE;
}

static const struct charm_row rows[] = {
    { .name = "configure",
      .summary = "once a term",
      .when = CHARM_FLAGS(CHARM_IS_LEADER, CHARM_APP_STATE),
      .unless = CHARM_FLAGS("site.configured"),
      .sets = CHARM_FLAGS("site.configured"),
      .run = configure },
    { 0 },
};
static const struct charm_output outputs[] = { { "status", "one line", report }, { 0 } };
static const struct charm_layer layer = {
    .name = "site", .rows = rows, .term_flags = CHARM_FLAGS("site.configured"), .outputs = outputs
};
#define SITE CHARM_LAYERS(&layer)

static struct fake_juju *leader(void)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_leader(juju, true);
    fake_juju_relate(juju, "peer:0");
    return juju;
}

static const char *app(struct fake_juju *juju, const char *key)
{
    return charm_text(charm_value_get(fake_juju_app(juju, "peer:0"), key));
}

static void the_first_leader_begins_term_one(void **state)
{
    struct fake_juju *juju = leader();
    fake_juju_live(juju, SITE, "leader-elected");
    assert_string_equal(app(juju, "leader"), "{\"term\":1,\"unit\":\"connect/0\"}");
    assert_string_equal(app(juju, "owned"), "\"orders\"");
    assert_true(fake_juju_called(
        juju, "status-set -- active term 1 leader 'connect/0' owned '' configured"));
    fake_juju_live(juju, SITE, "update-status");
    assert_true(fake_juju_called(
        juju, "status-set -- active term 1 leader 'connect/0' owned 'orders' configured"));
    fake_juju_free(juju);
}

static void application_state_is_written_once(void **state)
{
    struct fake_juju *juju = leader();
    fake_juju_live(juju, SITE, "leader-elected");
    fake_juju_live(juju, SITE, "update-status");
    fake_juju_live(juju, SITE, "peer-relation-changed");
    assert_false(fake_juju_called(juju, "relation-set"));
    assert_false(fake_juju_called(juju, "state-set"));
    fake_juju_free(juju);
}

static void a_leader_that_comes_back_begins_a_new_term_and_configures_again(void **state)
{
    struct fake_juju *juju = leader();
    fake_juju_live(juju, SITE, "leader-elected");
    charm_value_set_text(fake_juju_app(juju, "peer:0"), "leader",
                         "{\"term\":2,\"unit\":\"connect/1\"}");
    fake_juju_live(juju, SITE, "leader-elected");
    assert_string_equal(app(juju, "leader"), "{\"term\":3,\"unit\":\"connect/0\"}");
    assert_contains(fake_juju_story(juju), "ran site.configure");
    fake_juju_free(juju);
}

static void a_former_leader_learns_its_followers_name_and_loses_its_term_flags(void **state)
{
    struct fake_juju *juju = leader();
    fake_juju_live(juju, SITE, "leader-elected");
    fake_juju_leader(juju, false);
    charm_value_set_text(fake_juju_app(juju, "peer:0"), "leader",
                         "{\"term\":2,\"unit\":\"connect/1\"}");
    fake_juju_live(juju, SITE, "peer-relation-changed");
    assert_true(fake_juju_called(
        juju, "status-set -- active term 2 leader 'connect/1' owned 'orders' not configured"));
    assert_false(fake_juju_called(juju, "relation-set"));
    fake_juju_free(juju);
}

static void in_install_application_state_is_absent_and_not_even_asked_for(void **state)
{
    struct fake_juju *juju = leader();
    fake_juju_live(juju, SITE, "install");
    assert_false(fake_juju_called(juju, "relation-ids peer"));
    assert_true(
        fake_juju_called(juju, "status-set -- active term 0 leader '' owned '' not configured"));
    assert_false(fake_juju_called(juju, "relation-set"));
    fake_juju_free(juju);
}

static void without_the_relation_leader_effects_wait(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_leader(juju, true);
    fake_juju_live(juju, SITE, "upgrade-charm");
    assert_contains(fake_juju_story(juju), "not site.configure");
    assert_contains(fake_juju_story(juju), CHARM_APP_STATE);
    fake_juju_free(juju);
}

static void of_two_peer_relations_the_highest_number_counts(void **state)
{
    struct fake_juju *juju = leader();
    fake_juju_relate(juju, "peer:9");
    fake_juju_relate(juju, "peer:10");
    charm_value_set_text(fake_juju_app(juju, "peer:10"), "owned", "\"of ten\"");
    fake_juju_live(juju, SITE, "update-status");
    assert_true(fake_juju_called(juju, "relation-get -r peer:10 --app - connect"));
    assert_true(fake_juju_called(juju, "relation-set -r peer:10 --app --file -"));
    assert_false(fake_juju_called(juju, "relation-get -r peer:9"));
    fake_juju_free(juju);
}

static void an_empty_bag_of_the_youngest_peer_relation_is_filled_from_the_older_one(void **state)
{
    struct fake_juju *juju = leader();
    fake_juju_live(juju, SITE, "leader-elected");
    charm_value_set_text(fake_juju_app(juju, "peer:0"), "stranger", "\"kept\"");
    fake_juju_relate(juju, "peer:4");
    fake_juju_live(juju, SITE, "upgrade-charm");
    assert_false(fake_juju_called(juju, "relation-set -r peer:0"));
    assert_string_equal(app(juju, "owned"), "\"orders\"");
    const struct charm_value *carried = fake_juju_app(juju, "peer:4");
    assert_true(charm_value_equal(carried, fake_juju_app(juju, "peer:0")));
    assert_true(fake_juju_called(
        juju, "status-set -- active term 1 leader 'connect/0' owned 'orders' configured"));
    fake_juju_live(juju, SITE, "update-status");
    assert_false(fake_juju_called(juju, "relation-get -r peer:0"));
    fake_juju_free(juju);
}

static void a_standby_reads_the_older_peer_relation_until_the_leader_has_carried_it_over(
    void **state)
{
    struct fake_juju *juju = leader();
    fake_juju_live(juju, SITE, "leader-elected");
    fake_juju_leader(juju, false);
    fake_juju_relate(juju, "peer:4");
    fake_juju_live(juju, SITE, "upgrade-charm");
    assert_false(fake_juju_called(juju, "relation-set"));
    assert_true(
        fake_juju_called(juju, "status-set -- active term 1 leader 'connect/0' owned 'orders'"));
    fake_juju_free(juju);
}

static void refused_application_state_is_unknown_and_its_flags_are_kept(void **state)
{
    struct fake_juju *juju = leader();
    fake_juju_live(juju, SITE, "leader-elected");
    fake_juju_live(juju, SITE, "update-status");
    fake_juju_refuse(juju, "relation-get -r peer:0 --app", "ERROR permission denied");
    fake_juju_live(juju, SITE, "update-status");
    assert_contains(fake_juju_log(juju), "permission denied");
    assert_false(fake_juju_called(juju, "relation-set"));
    assert_contains(fake_juju_story(juju), "not site.configure");
    fake_juju_refuse(juju, "relation-get -r peer:0 --app", NULL);
    fake_juju_live(juju, SITE, "update-status");
    assert_true(fake_juju_called(
        juju, "status-set -- active term 1 leader 'connect/0' owned 'orders' configured"));
    fake_juju_free(juju);
}

static void a_refused_relation_is_logged_once(void **state)
{
    struct fake_juju *juju = leader();
    fake_juju_refuse(juju, "relation-get -r peer:0 --app", "ERROR permission denied");
    fake_juju_live(juju, SITE, "update-status");
    const char *once = fake_juju_log(juju);
    assert_contains(once, "permission denied");
    fake_juju_live(juju, SITE, "update-status");
    assert_string_equal(fake_juju_log(juju), once);
    fake_juju_free(juju);
}

static enum charm_result lose(struct charm_run *run, const struct charm_row *row)
{
    struct fake_juju *juju = (struct fake_juju *)(uintptr_t)row->data;
    charm_app_set(run, "owned", charm_value_new_text(charm_arena(run), "orders"));
    fake_juju_leader(juju, false);
    fake_juju_pass_ms(juju, 21000);
    return CHARM_DONE;
}

static void leadership_lost_in_the_run_fails_it_before_the_application_is_written(void **state)
{
    struct fake_juju *juju = leader();
    const struct charm_row slow_rows[] = {
        { .name = "lose",
          .summary = "take long",
          .when = CHARM_FLAGS(CHARM_IS_LEADER),
          .run = lose,
          .data = juju },
        { 0 },
    };
    const struct charm_layer slow = { .name = "slow", .rows = slow_rows };
    assert_int_equal(fake_juju_run(juju, CHARM_LAYERS(&slow), "update-status"), CHARM_EREFUSED);
    assert_contains(fake_juju_error(juju), "leader no more");
    assert_false(fake_juju_called(juju, "relation-set -r peer:0 --app"));
    fake_juju_free(juju);
}

static void term_flags_without_a_peer_relation_are_refused_at_start(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_without_peers(juju);
    assert_int_equal(fake_juju_run(juju, SITE, "update-status"), CHARM_EINVAL);
    assert_contains(fake_juju_error(juju), "'site.configured' needs a peer relation");
    assert_int_equal(fake_juju_call_count(juju), 0);
    fake_juju_free(juju);
}

static void damaged_leader_data_counts_as_no_leader(void **state)
{
    struct fake_juju *juju = leader();
    charm_value_set_text(fake_juju_app(juju, "peer:0"), "leader", "{\"term\":");
    fake_juju_live(juju, SITE, "update-status");
    assert_string_equal(app(juju, "leader"), "{\"term\":1,\"unit\":\"connect/0\"}");
    fake_juju_free(juju);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_leader_begins_term_one),
        cmocka_unit_test(application_state_is_written_once),
        cmocka_unit_test(a_leader_that_comes_back_begins_a_new_term_and_configures_again),
        cmocka_unit_test(a_former_leader_learns_its_followers_name_and_loses_its_term_flags),
        cmocka_unit_test(in_install_application_state_is_absent_and_not_even_asked_for),
        cmocka_unit_test(without_the_relation_leader_effects_wait),
        cmocka_unit_test(of_two_peer_relations_the_highest_number_counts),
        cmocka_unit_test(an_empty_bag_of_the_youngest_peer_relation_is_filled_from_the_older_one),
        cmocka_unit_test(
            a_standby_reads_the_older_peer_relation_until_the_leader_has_carried_it_over),
        cmocka_unit_test(refused_application_state_is_unknown_and_its_flags_are_kept),
        cmocka_unit_test(a_refused_relation_is_logged_once),
        cmocka_unit_test(leadership_lost_in_the_run_fails_it_before_the_application_is_written),
        cmocka_unit_test(term_flags_without_a_peer_relation_are_refused_at_start),
        cmocka_unit_test(damaged_leader_data_counts_as_no_leader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
