/* Whole runs: relations, units and bags as a row sees them. */
#include "tests.h"

#include "fake_juju.h"

typedef void look_fn(struct charm_run *run);

static enum charm_result look(struct charm_run *run, const struct charm_row *row)
{
    look_fn *const *function = row->data;
    (*function)(run);
    return CHARM_DONE;
}

static int run_look(struct fake_juju *juju, look_fn *function, const char *hook)
{
    const struct charm_row rows[] = {
        { .name = "look",
          .summary = "looks",
          .unless = CHARM_FLAGS("never.set"),
          .run = look,
          .data = &function },
        { 0 },
    };
    const struct charm_layer layer = { .name = "site", .rows = rows };
    return fake_juju_run(juju, CHARM_LAYERS(&layer), hook);
}

static void assert_unit(const struct charm_unit *unit, const char *relation, const char *name)
{
    assert_non_null(unit);
    assert_string_equal(unit->relation->id, relation);
    assert_string_equal(unit->name, name);
}

static void look_at_order(struct charm_run *run)
{
    const struct charm_relation *const *relations = charm_relations(run, "kafka");
    assert_string_equal(relations[0]->id, "kafka:10");
    assert_string_equal(relations[1]->id, "kafka:2");
    assert_null(relations[2]);
    const struct charm_unit *const *units = charm_units(run, "kafka");
    assert_unit(units[0], "kafka:10", "kafka/10");
    assert_unit(units[1], "kafka:10", "kafka/2");
    assert_unit(units[2], "kafka:2", "other/0");
    assert_null(units[3]);
    assert_unit(charm_relation_units(run, relations[1])[0], "kafka:2", "other/0");
    assert_string_equal(charm_text(charm_remote(run, "kafka", "port")), "2");
    assert_null(charm_remote(run, "kafka", "host"));
}

static void ids_and_units_are_ordered_as_text(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_relate(juju, "kafka:2");
    fake_juju_relate(juju, "kafka:10");
    fake_juju_unit(juju, "kafka:2", "other/0", "port", "0");
    fake_juju_unit(juju, "kafka:10", "kafka/2", "port", "2");
    fake_juju_unit(juju, "kafka:10", "kafka/10", "private-address", "10.0.0.1");
    assert_int_equal(run_look(juju, look_at_order, "update-status"), 0);
    fake_juju_free(juju);
}

static void look_twice(struct charm_run *run)
{
    for (int i = 0; i < 2; i++) {
        const struct charm_unit *unit = charm_units(run, "kafka")[0];
        assert_string_equal(charm_text(charm_value_get(charm_unit_data(run, unit), "port")), "1");
        assert_string_equal(charm_ingress_address(run, unit->relation), "10.0.0.7");
        assert_non_null(charm_own_data(run, unit->relation));
        assert_non_null(charm_app_data(run, unit->relation));
        assert_string_equal(charm_config_text(run, "hostname"), "");
    }
}

static void nothing_is_read_twice(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_relate(juju, "kafka:1");
    fake_juju_unit(juju, "kafka:1", "kafka/0", "port", "1");
    assert_int_equal(run_look(juju, look_twice, "update-status"), 0);
    assert_contains(fake_juju_calls(juju), "relation-ids kafka\n"
                                           "relation-list -r kafka:1\n"
                                           "relation-get -r kafka:1 - kafka/0\n"
                                           "network-get -r kafka:1 --ingress-address kafka\n"
                                           "relation-get -r kafka:1 - connect/0\n"
                                           "relation-get -r kafka:1 --app - kafka\n"
                                           "state-set");
    fake_juju_free(juju);
}

static void look_in_broken(struct charm_run *run)
{
    assert_null(charm_relations(run, "kafka")[0]);
    assert_null(charm_units(run, "kafka")[0]);
    assert_false(charm_endpoint_unknown(run, "kafka"));
}

static void a_relation_is_gone_in_its_own_broken_hook(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_relate(juju, "kafka:1");
    fake_juju_context(juju)->relation_id = "kafka:1";
    assert_int_equal(run_look(juju, look_in_broken, "kafka-relation-broken"), 0);
    fake_juju_free(juju);
}

static void look_at_refused(struct charm_run *run)
{
    const struct charm_unit *const *units = charm_units(run, "kafka");
    assert_null(charm_unit_data(run, units[0]));
    assert_true(charm_endpoint_unknown(run, "kafka"));
    assert_false(charm_endpoint_unknown(run, "website"));
    assert_non_null(charm_unit_data(run, units[1]));
}

static void a_refused_bag_makes_its_endpoint_unknown_and_is_not_fatal(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_relate(juju, "kafka:1");
    fake_juju_unit(juju, "kafka:1", "kafka/0", "port", "1");
    fake_juju_unit(juju, "kafka:1", "kafka/1", "port", "1");
    fake_juju_refuse(juju, "relation-get -r kafka:1 - kafka/0", "ERROR settings not found");
    assert_int_equal(run_look(juju, look_at_refused, "update-status"), 0);
    assert_contains(fake_juju_log(juju), "settings not found");
    fake_juju_free(juju);
}

static void read_a_password(struct charm_run *run)
{
    charm_trace(run, "it is %s", charm_text(charm_remote(run, "kafka", "password")));
}

static void the_value_of_a_key_that_sounds_secret_is_one(void **state)
{
    struct fake_juju *juju = fake_juju_new();
    fake_juju_option(juju, "trace", charm_value_new_bool(fake_juju_arena(juju), true));
    fake_juju_relate(juju, "kafka:1");
    fake_juju_unit(juju, "kafka:1", "kafka/0", "password", "hunter22");
    assert_int_equal(run_look(juju, read_a_password, "update-status"), 0);
    assert_contains(fake_juju_story(juju), "it is ***");
    fake_juju_free(juju);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_and_units_are_ordered_as_text),
        cmocka_unit_test(nothing_is_read_twice),
        cmocka_unit_test(a_relation_is_gone_in_its_own_broken_hook),
        cmocka_unit_test(a_refused_bag_makes_its_endpoint_unknown_and_is_not_fatal),
        cmocka_unit_test(the_value_of_a_key_that_sounds_secret_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
