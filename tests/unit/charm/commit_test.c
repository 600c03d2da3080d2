/* Whole runs: what is sent, when it is believed, and what happens when Juju does not keep it. */
#include "tests.h"

#include "fake_juju.h"

/* A charm that publishes two options of its configuration and says a third. */

static enum charm_result give_hostname(struct charm_run *run, const struct charm_row *row)
{
    charm_publish(run, "website", "hostname", charm_config_text(run, "hostname"));
    charm_publish(run, "website", "port", "80");
    return CHARM_DONE;
}

static enum charm_result say_workers(struct charm_run *run, const struct charm_output *output)
{
    charm_status(run, CHARM_ACTIVE, "%s workers", charm_config_text(run, "workers"));
    return CHARM_DONE;
}

static const struct charm_row rows[] = {
    { .name = "hostname",
      .summary = "tell the website",
      .when = CHARM_FLAGS("config.set.hostname"),
      .run = give_hostname },
    { 0 },
};
static const struct charm_output outputs[] = { { "status", "one line", say_workers }, { 0 } };
static const struct charm_layer layer = { .name = "site", .rows = rows, .outputs = outputs };
#define SITE CHARM_LAYERS(&layer)

static struct fake_juju *site(void)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_relate(juju, "website:3");
    fake_juju_option_text(juju, "hostname", "www");
    return juju;
}

static const char *own(struct fake_juju *juju, const char *key)
{
    return charm_text(charm_value_get(fake_juju_own(juju, "website:3"), key));
}

static bool verifies(struct fake_juju *juju)
{
    return strstr(charm_text(charm_value_get(fake_juju_state(juju), "charm/1")),
                  "\"verify\":true") != NULL;
}

/* ---- the verify mark ---- */

static void a_run_that_published_leaves_the_verify_mark_and_the_next_one_clears_it(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_live(juju, SITE, "config-changed");
    assert_true(verifies(juju));
    fake_juju_live(juju, SITE, "update-status");
    assert_true(fake_juju_called(juju, "relation-get -r website:3 - connect/0"));
    assert_false(fake_juju_called(juju, "relation-set"));
    assert_true(fake_juju_called(juju, "state-set"));
    assert_false(verifies(juju));
    fake_juju_live(juju, SITE, "update-status");
    assert_false(fake_juju_called(juju, "relation-get"));
    assert_false(fake_juju_called(juju, "state-set"));
    fake_juju_free(juju);
}

static void what_juju_refused_after_the_exit_is_sent_again(void **state)
{
    struct fake_juju *juju = site();
    assert_int_equal(fake_juju_run(juju, SITE, "config-changed"), 0);
    fake_juju_commit(juju, FAKE_COMMIT_NOTHING);
    fake_juju_live(juju, SITE, "config-changed");
    assert_string_equal(own(juju, "hostname"), "www");
    fake_juju_free(juju);
}

static void state_without_its_relation_data_is_found_out_and_repaired(void **state)
{
    struct fake_juju *juju = site();
    assert_int_equal(fake_juju_run(juju, SITE, "config-changed"), 0);
    fake_juju_commit(juju, FAKE_COMMIT_STATE_ONLY);
    assert_string_equal(own(juju, "hostname"), "");
    fake_juju_live(juju, SITE, "update-status");
    assert_string_equal(own(juju, "hostname"), "www");
    assert_true(verifies(juju));
    fake_juju_free(juju);
}

static void a_withdrawal_that_juju_refused_is_found_out_and_repeated(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_live(juju, SITE, "config-changed");
    fake_juju_live(juju, SITE, "update-status");
    fake_juju_option_text(juju, "hostname", "");
    assert_int_equal(fake_juju_run(juju, SITE, "config-changed"), 0);
    fake_juju_commit(juju, FAKE_COMMIT_STATE_ONLY);
    assert_string_equal(own(juju, "hostname"), "www");
    fake_juju_live(juju, SITE, "update-status");
    assert_string_equal(own(juju, "hostname"), "");
    assert_string_equal(own(juju, "port"), "");
    fake_juju_live(juju, SITE, "update-status");
    assert_false(verifies(juju));
    fake_juju_live(juju, SITE, "update-status");
    assert_false(fake_juju_called(juju, "relation-ids website"));
    fake_juju_free(juju);
}

static void a_bag_that_cannot_be_read_keeps_the_verify_mark(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_live(juju, SITE, "config-changed");
    fake_juju_refuse(juju, "relation-get -r website:3", "ERROR permission denied");
    fake_juju_live(juju, SITE, "update-status");
    assert_true(verifies(juju));
    assert_false(fake_juju_called(juju, "relation-set"));
    fake_juju_refuse(juju, "relation-get -r website:3", NULL);
    fake_juju_live(juju, SITE, "update-status");
    assert_false(verifies(juju));
    fake_juju_free(juju);
}

/* ---- differences ---- */

static void only_keys_that_differ_are_sent(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_live(juju, SITE, "config-changed");
    fake_juju_live(juju, SITE, "update-status");
    fake_juju_option_text(juju, "hostname", "web");
    fake_juju_live(juju, SITE, "config-changed");
    assert_string_equal(fake_juju_document(juju, "relation-set"), "{\"hostname\":\"web\"}");
    fake_juju_free(juju);
}

static void what_no_row_gives_any_more_is_withdrawn_and_nothing_of_others(void **state)
{
    struct fake_juju *juju = site();
    charm_value_set_text(fake_juju_own(juju, "website:3"), "ingress-address", "10.0.0.7");
    fake_juju_live(juju, SITE, "config-changed");
    fake_juju_option_text(juju, "hostname", "");
    fake_juju_live(juju, SITE, "config-changed");
    assert_string_equal(fake_juju_document(juju, "relation-set"),
                        "{\"hostname\":\"\",\"port\":\"\"}");
    assert_int_equal(charm_value_size(fake_juju_own(juju, "website:3")), 1);
    fake_juju_free(juju);
}

static void a_new_relation_gets_everything_and_a_gone_one_is_forgotten(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_live(juju, SITE, "config-changed");
    fake_juju_unrelate(juju, "website:3");
    fake_juju_relate(juju, "website:4");
    fake_juju_live(juju, SITE, "website-relation-created");
    assert_string_equal(charm_text(charm_value_get(fake_juju_own(juju, "website:4"), "hostname")),
                        "www");
    assert_lacks(charm_text(charm_value_get(fake_juju_state(juju), "charm/1")), "website:3");
    fake_juju_free(juju);
}

static void in_its_broken_hook_a_relation_gets_nothing(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_live(juju, SITE, "config-changed");
    fake_juju_option_text(juju, "hostname", "web");
    fake_juju_context(juju)->relation_id = "website:3";
    fake_juju_live(juju, SITE, "website-relation-broken");
    assert_false(fake_juju_called(juju, "relation-set"));
    fake_juju_free(juju);
}

static void endpoints_whose_reads_are_refused_keep_what_is_there(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_live(juju, SITE, "config-changed");
    fake_juju_live(juju, SITE, "update-status");
    fake_juju_refuse(juju, "relation-ids website", "ERROR not now");
    fake_juju_option_text(juju, "hostname", "");
    fake_juju_live(juju, SITE, "config-changed");
    assert_false(fake_juju_called(juju, "relation-set"));
    fake_juju_refuse(juju, "relation-ids website", NULL);
    fake_juju_live(juju, SITE, "config-changed");
    assert_string_equal(own(juju, "hostname"), "");
    fake_juju_free(juju);
}

/* ---- values that were kept by a hook tool's error ---- */

static void a_refused_write_fails_the_run_before_anything_immediate(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_refuse(juju, "relation-set", "ERROR relation not found");
    assert_int_equal(fake_juju_run(juju, SITE, "config-changed"), CHARM_EREFUSED);
    assert_contains(fake_juju_error(juju), "relation-set -r website:3 --file -: exit code 1");
    assert_false(fake_juju_called(juju, "status-set"));
    fake_juju_free(juju);
}

/* ---- the status ---- */

static void the_same_status_is_sent_once(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_live(juju, SITE, "config-changed");
    assert_true(fake_juju_called(juju, "status-set -- active 1 workers"));
    fake_juju_live(juju, SITE, "config-changed");
    assert_false(fake_juju_called(juju, "status-set"));
    fake_juju_option_text(juju, "workers", "2");
    fake_juju_live(juju, SITE, "config-changed");
    assert_true(fake_juju_called(juju, "status-set -- active 2 workers"));
    fake_juju_free(juju);
}

static void the_status_is_the_last_call(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_live(juju, SITE, "config-changed");
    assert_contains(fake_juju_calls(juju), "state-set --file -\nstatus-set -- active 1 workers\n");
    fake_juju_free(juju);
}

static void a_refused_status_is_unknown_and_sent_again(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_live(juju, SITE, "config-changed");
    fake_juju_option_text(juju, "workers", "2");
    fake_juju_refuse(juju, "status-set", "ERROR lost");
    assert_int_equal(fake_juju_run(juju, SITE, "config-changed"), CHARM_EREFUSED);
    assert_lacks(fake_juju_file(juju, ".charm/sent.json"), "status");
    fake_juju_commit(juju, FAKE_COMMIT_NOTHING);
    fake_juju_refuse(juju, "status-set", NULL);
    fake_juju_option_text(juju, "workers", "1");
    fake_juju_live(juju, SITE, "config-changed");
    assert_true(fake_juju_called(juju, "status-set -- active 1 workers"));
    fake_juju_free(juju);
}

static void a_status_whose_record_is_lost_is_sent_again(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_live(juju, SITE, "config-changed");
    fake_juju_lose_files(juju);
    fake_juju_live(juju, SITE, "update-status");
    assert_true(fake_juju_called(juju, "status-set -- active 1 workers"));
    fake_juju_free(juju);
}

static void a_damaged_record_counts_as_none(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_live(juju, SITE, "config-changed");
    fake_juju_put_file(juju, ".charm/sent.json", "{\"format\":1,\"status\":");
    fake_juju_live(juju, SITE, "update-status");
    assert_true(fake_juju_called(juju, "status-set -- active 1 workers"));
    fake_juju_free(juju);
}

static void where_juju_sets_the_status_itself_ours_is_sent_again(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_live(juju, SITE, "config-changed");
    fake_juju_live(juju, SITE, "start");
    assert_true(fake_juju_called(juju, "status-set"));
    fake_juju_live(juju, SITE, "stop");
    assert_true(fake_juju_called(juju, "status-set"));
    fake_juju_live(juju, SITE, "update-status");
    assert_true(fake_juju_called(juju, "status-set"));
    fake_juju_free(juju);
}

static void a_status_that_cannot_be_noted_fails_the_run(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_refuse_files(juju, true);
    assert_int_equal(fake_juju_run(juju, SITE, "config-changed"), CHARM_EFAILED);
    assert_contains(fake_juju_error(juju), "no space left");
    fake_juju_free(juju);
}

/* ---- stories beside the charm ---- */

static void a_steady_run_keeps_its_story_apart_from_those_that_did_something(void **state)
{
    struct fake_juju *juju = site();
    fake_juju_live(juju, SITE, "config-changed");
    fake_juju_live(juju, SITE, "config-changed");
    const char *before = fake_juju_file(juju, ".charm/sent.json");
    before = charm_arena_copy(fake_juju_arena(juju), before);
    fake_juju_live(juju, SITE, "update-status");
    fake_juju_live(juju, SITE, "update-status");
    assert_string_equal(fake_juju_file(juju, ".charm/sent.json"), before);
    assert_contains(fake_juju_file(juju, ".charm/steady.json"), "update-status");
    assert_contains(fake_juju_file(juju, ".charm/run-1.json"), "config-changed");
    fake_juju_free(juju);
}

static void the_last_ten_runs_that_did_something_are_kept(void **state)
{
    struct fake_juju *juju = site();
    for (int i = 0; i < 12; i++) {
        fake_juju_option_text(juju, "hostname",
                              charm_arena_printf(fake_juju_arena(juju), "www%d", i));
        fake_juju_live(juju, SITE, "config-changed");
    }
    assert_contains(fake_juju_file(juju, ".charm/run-2.json"), "\"run\":12");
    assert_contains(fake_juju_file(juju, ".charm/run-3.json"), "\"run\":3");
    assert_string_equal(fake_juju_file(juju, ".charm/run-10.json"), "");
    fake_juju_free(juju);
}

/* ---- large state ---- */

static enum charm_result hoard(struct charm_run *run, const struct charm_row *row)
{
    int64_t size = charm_config_int(run, "workers");
    char *text = charm_arena_alloc(charm_arena(run), (size_t)size + 1);
    memset(text, 'x', (size_t)size);
    charm_value_set_text(charm_state(run, "hoard"), "heap", text);
    return CHARM_DONE;
}

static const struct charm_row hoard_rows[] = {
    { .name = "hoard",
      .summary = "keep much",
      .when = CHARM_FLAGS("config.set.workers"),
      .run = hoard },
    { 0 },
};
static const struct charm_layer hoarder = { .name = "hoard", .rows = hoard_rows };

static void large_state_is_cut_into_values_that_juju_takes(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_option(juju, "workers", charm_value_new_int(fake_juju_arena(juju), 200000));
    fake_juju_live(juju, CHARM_LAYERS(&hoarder), "config-changed");
    assert_non_null(charm_value_get(fake_juju_state(juju), "hoard/5"));
    CHARM_EACH(fake_juju_state(juju), it)
    {
        assert_true(strlen(charm_text(it.value)) <= 65536);
    }
    fake_juju_option(juju, "workers", charm_value_new_int(fake_juju_arena(juju), 10));
    fake_juju_live(juju, CHARM_LAYERS(&hoarder), "config-changed");
    assert_null(charm_value_get(fake_juju_state(juju), "hoard/2"));
    assert_string_equal(charm_text(charm_value_get(fake_juju_state(juju), "hoard/1")),
                        "{\"heap\":\"xxxxxxxxxx\"}");
    fake_juju_free(juju);
}

static void state_beyond_jujus_limit_fails_the_run_in_words(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_option(juju, "workers", charm_value_new_int(fake_juju_arena(juju), 2100000));
    assert_int_equal(fake_juju_run(juju, CHARM_LAYERS(&hoarder), "config-changed"), CHARM_ETOOBIG);
    assert_contains(fake_juju_error(juju), "save the unit's state");
    assert_false(fake_juju_called(juju, "state-set"));
    fake_juju_free(juju);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_that_published_leaves_the_verify_mark_and_the_next_one_clears_it),
        cmocka_unit_test(what_juju_refused_after_the_exit_is_sent_again),
        cmocka_unit_test(state_without_its_relation_data_is_found_out_and_repaired),
        cmocka_unit_test(a_withdrawal_that_juju_refused_is_found_out_and_repeated),
        cmocka_unit_test(a_bag_that_cannot_be_read_keeps_the_verify_mark),
        cmocka_unit_test(only_keys_that_differ_are_sent),
        cmocka_unit_test(what_no_row_gives_any_more_is_withdrawn_and_nothing_of_others),
        cmocka_unit_test(a_new_relation_gets_everything_and_a_gone_one_is_forgotten),
        cmocka_unit_test(in_its_broken_hook_a_relation_gets_nothing),
        cmocka_unit_test(endpoints_whose_reads_are_refused_keep_what_is_there),
        cmocka_unit_test(a_refused_write_fails_the_run_before_anything_immediate),
        cmocka_unit_test(the_same_status_is_sent_once),
        cmocka_unit_test(the_status_is_the_last_call),
        cmocka_unit_test(a_refused_status_is_unknown_and_sent_again),
        cmocka_unit_test(a_status_whose_record_is_lost_is_sent_again),
        cmocka_unit_test(a_damaged_record_counts_as_none),
        cmocka_unit_test(where_juju_sets_the_status_itself_ours_is_sent_again),
        cmocka_unit_test(a_status_that_cannot_be_noted_fails_the_run),
        cmocka_unit_test(a_steady_run_keeps_its_story_apart_from_those_that_did_something),
        cmocka_unit_test(the_last_ten_runs_that_did_something_are_kept),
        cmocka_unit_test(large_state_is_cut_into_values_that_juju_takes),
        cmocka_unit_test(state_beyond_jujus_limit_fails_the_run_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
