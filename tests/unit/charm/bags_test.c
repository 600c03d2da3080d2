#include "tests.h"

#include "charm/bags.h"

static struct charm_arena *arena;
static struct charm_value *wanted;
static struct charm_value *actual;
static struct charm_value *remembered;

static int set_up(void **state)
{
    arena = charm_arena_new();
    wanted = charm_value_new_map(arena);
    actual = charm_value_new_map(arena);
    remembered = charm_value_new_map(arena);
    return 0;
}

static int tear_down(void **state)
{
    charm_arena_free(arena);
    return 0;
}

static void remember(const char *key, const char *text)
{
    charm_value_set_text(remembered, key,
                         text[0] == '\0' ? "" : charmi_salted(arena, "salt", text));
}

enum how { TRUST, VERIFY };

static struct charmi_bag_result compare(enum how how, bool hold_all, const char *held)
{
    struct charmi_bag bag = {
        .remembered = remembered,
        .wanted = wanted,
        .actual = how == VERIFY ? actual : NULL,
        .hold_all = hold_all,
        .salt = "salt",
    };
    if (held != NULL) {
        charmi_words_add(arena, &bag.hold_keys, held);
    }
    struct charmi_bag_result result = { 0 };
    charmi_bag_compare(arena, &bag, &result);
    return result;
}

static const char *text(const struct charm_value *map)
{
    return charm_value_render(arena, map, CHARM_JSON_SORTED);
}

static void a_new_value_is_sent_and_its_digest_remembered(void **state)
{
    charm_value_set_text(wanted, "port", "80");
    struct charmi_bag_result result = compare(TRUST, false, NULL);
    assert_string_equal(text(result.changes), "{\"port\":\"80\"}");
    assert_string_equal(charm_text(charm_value_get(result.remembered, "port")),
                        charmi_salted(arena, "salt", "80"));
}

static void a_known_value_is_not_sent(void **state)
{
    charm_value_set_text(wanted, "port", "80");
    remember("port", "80");
    assert_string_equal(text(compare(TRUST, false, NULL).changes), "{}");
}

static void another_salt_is_another_digest(void **state)
{
    assert_string_not_equal(charmi_salted(arena, "a", "80"), charmi_salted(arena, "b", "80"));
}

static void what_is_not_wanted_is_removed_and_remembered_as_removed(void **state)
{
    remember("port", "80");
    struct charmi_bag_result result = compare(TRUST, false, NULL);
    assert_string_equal(text(result.changes), "{\"port\":\"\"}");
    assert_string_equal(text(result.remembered), "{\"port\":\"\"}");
}

static void a_removal_is_not_repeated_but_remembered_until_it_was_seen(void **state)
{
    remember("port", "");
    struct charmi_bag_result result = compare(TRUST, false, NULL);
    assert_string_equal(text(result.changes), "{}");
    assert_string_equal(text(result.remembered), "{\"port\":\"\"}");
    result = compare(VERIFY, false, NULL);
    assert_string_equal(text(result.changes), "{}");
    assert_string_equal(text(result.remembered), "{}");
}

static void a_removal_that_did_not_happen_is_repeated(void **state)
{
    remember("port", "");
    charm_value_set_text(actual, "port", "80");
    struct charmi_bag_result result = compare(VERIFY, false, NULL);
    assert_string_equal(text(result.changes), "{\"port\":\"\"}");
}

static void a_read_bag_counts_more_than_digests(void **state)
{
    charm_value_set_text(wanted, "port", "80");
    charm_value_set_text(wanted, "host", "a");
    remember("port", "80");
    charm_value_set_text(actual, "host", "a");
    charm_value_set_text(actual, "ingress-address", "10.0.0.7");
    struct charmi_bag_result result = compare(VERIFY, false, NULL);
    assert_string_equal(text(result.changes), "{\"port\":\"80\"}");
}

static void an_empty_text_is_the_same_as_none(void **state)
{
    charm_value_set_text(wanted, "port", "");
    assert_string_equal(text(compare(TRUST, false, NULL).changes), "{}");
    remember("port", "80");
    assert_string_equal(text(compare(TRUST, false, NULL).changes), "{\"port\":\"\"}");
}

static void held_keys_stay_as_they_are(void **state)
{
    remember("port", "80");
    remember("host", "a");
    struct charmi_bag_result result = compare(TRUST, false, "port");
    assert_string_equal(text(result.changes), "{\"host\":\"\"}");
    assert_non_null(charm_value_get(result.remembered, "port"));
    result = compare(TRUST, true, NULL);
    assert_string_equal(text(result.changes), "{}");
}

static void what_a_held_bag_really_holds_is_remembered(void **state)
{
    remember("port", "80");
    remember("host", "a");
    charm_value_set_text(actual, "port", "81");
    struct charmi_bag_result result = compare(VERIFY, true, NULL);
    assert_string_equal(text(result.changes), "{}");
    assert_string_equal(charm_text(charm_value_get(result.remembered, "port")),
                        charmi_salted(arena, "salt", "81"));
    assert_null(charm_value_get(result.remembered, "host")); /* Juju never kept it: to be sent */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_new_value_is_sent_and_its_digest_remembered),
        CASE(a_known_value_is_not_sent),
        CASE(another_salt_is_another_digest),
        CASE(what_is_not_wanted_is_removed_and_remembered_as_removed),
        CASE(a_removal_is_not_repeated_but_remembered_until_it_was_seen),
        CASE(a_removal_that_did_not_happen_is_repeated),
        CASE(a_read_bag_counts_more_than_digests),
        CASE(an_empty_text_is_the_same_as_none),
        CASE(held_keys_stay_as_they_are),
        CASE(what_a_held_bag_really_holds_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
