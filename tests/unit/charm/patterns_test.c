#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "charm/layer.h"
#include "charm/patterns.h"

static const char metadata_text[] =
    "{\"requires\": {\"kafka\": {\"interface\": \"kafka\"}, \"spare\": {\"interface\": \"kafka\"},"
    "                \"odd\": null},"
    " \"provides\": {\"website\": {\"interface\": \"http\"}},"
    " \"peers\": {\"connect\": {\"interface\": \"connect-peers\"}}}";

static void expect(const char *pattern, const char *expected)
{
    struct charm_arena *arena = charm_arena_new();
    struct charm_value *metadata = NULL;
    struct charmi_words names = { 0 };
    assert_int_equal(
        charm_value_parse(arena, metadata_text, strlen(metadata_text), &metadata, NULL), 0);
    assert_int_equal(charmi_patterns_expand(arena, CHARM_FLAGS(pattern), metadata, &names, NULL),
                     0);
    const char *joined = charmi_words_join(arena, &names, " ");
    if (strcmp(joined, expected) != 0) {
        fail_msg("'%s' became '%s', not '%s'", pattern, joined, expected);
    }
    charm_arena_free(arena);
}

static void a_pattern_without_groups_is_itself(void **state)
{
    expect("install", "install");
    expect("", "");
    expect("a,b", "a,b");
    expect("a}b", "a}b");
    expect("a{b", "a{b");
}

static void groups_become_their_words(void **state)
{
    expect("config-{set,changed}", "config-set config-changed");
    expect("{x}", "x");
    expect("{a,b}-{c,d}", "a-c a-d b-c b-d");
    expect("{a,a}", "a");
}

/* reactive-framework.md 3.2, corrected by the record */
static void only_the_last_word_may_be_empty(void **state)
{
    expect("in{st,}all", "install inall");
    expect("{,x}start", "{,x}start");
    expect("{a,,b}", "{a,,b}");
    expect("{}start", "{}start");
    expect("{,}", "{,}");
}

static void a_group_runs_to_the_first_closing_brace(void **state)
{
    expect("{in{st,xx}all,b}", "xxall,b} install inb");
    expect("{{a,b}}", "b} a");
    expect("{}{a,b}", "{}a {}b");
}

static void roles_and_interfaces_become_endpoints(void **state)
{
    expect("{requires:kafka}-relation-joined", "kafka-relation-joined spare-relation-joined");
    expect("{provides:http}-relation-{joined,changed}",
           "website-relation-joined website-relation-changed");
    expect("{peers:connect-peers}-relation-changed", "connect-relation-changed");
    expect("{requires:kafka}{provides:http}", "kafkawebsite sparewebsite");
}

static void a_role_without_endpoints_makes_the_pattern_vanish(void **state)
{
    expect("{requires:http}-relation-joined", "");
    expect("{peer:connect-peers}-relation-joined", "");
    expect("{nonsense:x}", "");
    expect("{a,b:c}", "");
}

static void a_colon_without_both_sides_is_literal(void **state)
{
    expect("{:x}", "{:x}");
    expect("{x:}", "{x:}");
}

static void without_metadata_there_are_no_endpoints(void **state)
{
    struct charm_arena *arena = charm_arena_new();
    struct charmi_words names = { 0 };
    assert_int_equal(charmi_patterns_expand(arena, CHARM_FLAGS("{requires:kafka}-x", "install"),
                                            NULL, &names, NULL),
                     0);
    assert_string_equal(charmi_words_join(arena, &names, " "), "install");
    charm_arena_free(arena);
}

static void too_many_names_are_refused_by_pattern(void **state)
{
    struct charm_arena *arena = charm_arena_new();
    struct charmi_words names = { 0 };
    struct charm_error error = { 0 };
    const char *ten = "{0,1,2,3,4,5,6,7,8,9}";
    const char *thousand = charm_arena_printf(arena, "%s%s%s", ten, ten, ten);
    assert_int_equal(charmi_patterns_expand(arena, CHARM_FLAGS(thousand), NULL, &names, &error), 0);
    assert_int_equal(names.size, 1000);
    const char *more = charm_arena_printf(arena, "%s{a,b}", thousand);
    struct charmi_words untouched = { 0 };
    assert_int_equal(charmi_patterns_expand(arena, CHARM_FLAGS(more), NULL, &untouched, &error),
                     CHARM_ETOOBIG);
    assert_non_null(strstr(error.text, "{a,b}"));
    assert_int_equal(untouched.size, 0);
    charm_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_without_groups_is_itself),
        cmocka_unit_test(groups_become_their_words),
        cmocka_unit_test(only_the_last_word_may_be_empty),
        cmocka_unit_test(a_group_runs_to_the_first_closing_brace),
        cmocka_unit_test(roles_and_interfaces_become_endpoints),
        cmocka_unit_test(a_role_without_endpoints_makes_the_pattern_vanish),
        cmocka_unit_test(a_colon_without_both_sides_is_literal),
        cmocka_unit_test(without_metadata_there_are_no_endpoints),
        cmocka_unit_test(too_many_names_are_refused_by_pattern),
    };
    return cmocka_run_group_tests_name("patterns", tests, NULL, NULL);
}
