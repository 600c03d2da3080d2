/* Lists that people read (config.yaml, actions.yaml) against the tables that the program runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "edge/juju/files.h"
#include "edge/juju/yaml.h"
#include "kcb/options.h"
#include "kcb/table.h"

/* ctest runs in this directory. */
#define ROOT "../../../"

static struct charm_arena *arena;

static int make_arena(void **state)
{
    arena = charm_arena_new();
    return 0;
}

static int free_arena(void **state)
{
    charm_arena_free(arena);
    return 0;
}

static const struct charm_value *yaml(const char *path)
{
    const char *bytes = NULL;
    size_t size = 0;
    struct charm_value *value = NULL;
    struct charm_error error = { 0 };
    if (charmi_file_read(arena, path, 1 << 20, CHARMI_LINKS_FOLLOWED, &bytes, &size, &error) != 0 ||
        charmi_yaml_parse(arena, bytes, size, &value, &error) != 0) {
        fail_msg("%s: %s", path, error.text);
    }
    return value;
}

static const struct charm_value *options(void)
{
    return charm_value_get(yaml(ROOT "config.yaml"), "options");
}

static void every_option_of_config_yaml_is_read_and_no_other(void **state)
{
    const char *const *read = kcbi_options_names(arena);
    assert_true(charm_value_size(options()) > 10);
    CHARM_EACH(options(), it)
    {
        /* `trace` is the engine's */
        if (strcmp(it.key, "trace") != 0 && !charmi_in(read, it.key)) {
            fail_msg("nothing reads option %s", it.key);
        }
    }
    for (; *read != NULL; read++) {
        if (charm_value_get(options(), *read) == NULL) {
            fail_msg("config.yaml lacks option %s", *read);
        }
    }
}

static void the_defaults_of_config_yaml_are_good_and_are_those_of_the_program(void **state)
{
    struct charm_value *defaults = charm_value_new_map(arena);
    CHARM_EACH(options(), it)
    {
        charm_value_set(defaults, it.key, charm_value_get(it.value, "default"));
    }
    struct kcbi_options given;
    struct kcbi_options none;
    kcbi_options_read(arena, defaults, NULL, &given);
    kcbi_options_read(arena, NULL, NULL, &none);
    assert_null(given.problem);
    assert_string_equal(charm_value_render(arena, given.good, CHARM_JSON_SORTED),
                        charm_value_render(arena, none.good, CHARM_JSON_SORTED));
}

static void every_option_and_action_says_what_it_is_for(void **state)
{
    const struct charm_value *const lists[] = { options(), yaml(ROOT "actions.yaml") };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        CHARM_EACH(lists[i], it)
        {
            if (strlen(charm_text(charm_value_get(it.value, "description"))) < 20) {
                fail_msg("%s has no description that helps", it.key);
            }
        }
    }
}

static bool row_of_action(const struct charm_row *row, const char *action)
{
    for (const struct charm_guard *guard = row->guards;
         guard != NULL && guard->kind != CHARM_GUARD_END; guard++) {
        if (guard->kind == CHARM_ACTION && charmi_in(guard->flags, action)) {
            return true;
        }
    }
    return false;
}

static void every_action_has_a_row_and_every_row_of_an_action_is_one(void **state)
{
    const struct charm_value *actions = yaml(ROOT "actions.yaml");
    size_t rows = 0;
    CHARM_EACH(actions, it)
    {
        size_t found = 0;
        for (const struct charm_row *row = kcbi_rows; row->name != NULL; row++) {
            found += row_of_action(row, it.key);
        }
        if (found != 1) {
            fail_msg("action %s has %zu rows", it.key, found);
        }
        rows += found;
        assert_int_equal(charm_value_kind(charm_value_get(it.value, "additionalProperties")),
                         CHARM_BOOL);
    }
    for (const struct charm_row *row = kcbi_rows; row->name != NULL; row++) {
        for (const struct charm_guard *guard = row->guards;
             guard != NULL && guard->kind != CHARM_GUARD_END; guard++) {
            rows -= guard->kind == CHARM_ACTION ? charmi_list_size(guard->flags) : 0;
        }
    }
    assert_int_equal(rows, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_of_config_yaml_is_read_and_no_other),
        cmocka_unit_test(the_defaults_of_config_yaml_are_good_and_are_those_of_the_program),
        cmocka_unit_test(every_option_and_action_says_what_it_is_for),
        cmocka_unit_test(every_action_has_a_row_and_every_row_of_an_action_is_one),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
