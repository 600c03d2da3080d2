#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "charm/table.h"

static enum charm_result run_row(struct charm_run *run, const struct charm_row *row)
{
    return CHARM_DONE;
}

static void derive(struct charm_run *run, const struct charm_derivation *derivation)
{
}

static enum charm_result compute(struct charm_run *run, const struct charm_output *output)
{
    return CHARM_DONE;
}

/* What every test starts from; a test changes what it is about. */
#define ROW .name = "row", .summary = "a row", .run = run_row
#define DERIVATION .name = "sky", .summary = "looks up", .derive = derive

static void refuse(const struct charm_layer *const *layers, const char *who, const char *fault)
{
    struct charm_arena *arena = charm_arena_new();
    const struct charmi_table *table = NULL;
    struct charm_error error = { 0 };
    int r = charmi_table_build(arena, layers, NULL, &table, &error);
    if (r != CHARM_EINVAL || strstr(error.text, who) == NULL || strstr(error.text, fault) == NULL) {
        fail_msg("code %d, '%s'; wanted '%s' and '%s'", r, error.text, who, fault);
    }
    assert_null(table);
    assert_int_equal(charmi_table_build(arena, layers, NULL, &table, NULL), CHARM_EINVAL);
    charm_arena_free(arena);
}

static void refuse_row(struct charm_row row, const char *fault)
{
    const struct charm_row rows[] = { row, { 0 } };
    const struct charm_derivation derivations[] = {
        { DERIVATION, .flags = CHARM_FLAGS("blue"), .edges = CHARM_FLAGS("sky.changed") }, { 0 }
    };
    const struct charm_layer layer = { .name = "t", .rows = rows, .derivations = derivations };
    refuse(CHARM_LAYERS(&layer), "row 't.", fault);
}

static void refuse_guards(const struct charm_guard *guards, const char *fault)
{
    refuse_row((struct charm_row){ ROW, .guards = guards }, fault);
}

static void incomplete_rows_are_refused(void **state)
{
    const char *const *when = CHARM_FLAGS("a");
    refuse_row(
        (struct charm_row){ .name = "Bad.Name", .summary = "s", .run = run_row, .when = when },
        "lower-case");
    refuse_row((struct charm_row){ .name = "", .summary = "s", .run = run_row, .when = when },
               "lower-case");
    refuse_row((struct charm_row){ .name = "row", .run = run_row, .when = when }, "no summary");
    refuse_row((struct charm_row){ .name = "row", .summary = " ", .run = run_row, .when = when },
               "no summary");
    refuse_row((struct charm_row){ .name = "row", .summary = "s", .when = when }, "no function");
    refuse_row((struct charm_row){ ROW }, "no guard");
    refuse_guards(CHARM_GUARDS({ CHARM_GUARD_END, NULL }), "no guard");
}

static void empty_lists_are_refused_by_guard(void **state)
{
    const char *const empty[] = { NULL };
    refuse_row((struct charm_row){ ROW, .when = empty }, "guard 'when' has an empty list");
    refuse_row((struct charm_row){ ROW, .unless = empty }, "guard 'none' has an empty list");
    refuse_guards(CHARM_GUARDS({ CHARM_WHEN, empty }), "guard 'when' has an empty list");
    refuse_guards(CHARM_GUARDS({ CHARM_WHEN_ANY, empty }), "guard 'any' has an empty list");
    refuse_guards(CHARM_GUARDS({ CHARM_WHEN_NONE, empty }), "guard 'none' has an empty list");
    refuse_guards(CHARM_GUARDS({ CHARM_WHEN_NOT_ALL, NULL }), "guard 'not-all' has an empty list");
    refuse_guards(CHARM_GUARDS({ CHARM_HOOK, empty }), "guard 'hook' has an empty list");
    refuse_guards(CHARM_GUARDS({ CHARM_RESTRICTED, empty }),
                  "guard 'restricted' has an empty list");
    refuse_guards(CHARM_GUARDS({ CHARM_ACTION, NULL }), "guard 'action' has an empty list");
}

static void guards_that_make_no_sense_are_refused(void **state)
{
    refuse_guards(CHARM_GUARDS({ CHARM_ONCE, CHARM_FLAGS("a") }), "takes no list");
    refuse_guards(CHARM_GUARDS({ CHARM_RESTRICTED, CHARM_FLAGS("install") }),
                  "'install' is not a restricted hook");
    refuse_guards(CHARM_GUARDS({ (enum charm_guard_kind)99, CHARM_FLAGS("a") }), "unknown kind 99");
    refuse_guards(CHARM_GUARDS({ CHARM_ONCE, NULL }), "once is its only guard");
    refuse_guards(
        CHARM_GUARDS({ CHARM_HOOK, CHARM_FLAGS("{0,1,2,3,4,5,6,7,8,9}{0,1,2,3,4,5,6,7,8,9}"
                                               "{0,1,2,3,4,5,6,7,8,9}{0,1,2,3,4,5,6,7,8,9}") }),
        "stands for more than");
}

static void guards_of_two_phases_are_refused(void **state)
{
    const struct charm_guard hook = { CHARM_HOOK, CHARM_FLAGS("install") };
    const struct charm_guard flags = { CHARM_WHEN, CHARM_FLAGS("a") };
    const struct charm_guard metrics = { CHARM_RESTRICTED, CHARM_FLAGS("collect-metrics") };
    const struct charm_guard action = { CHARM_ACTION, CHARM_FLAGS("list") };
    refuse_guards(CHARM_GUARDS(hook, flags), "a hook guard beside flag guards");
    refuse_row((struct charm_row){ ROW, .unless = CHARM_FLAGS("a"), .guards = CHARM_GUARDS(hook) },
               "a hook guard beside flag guards");
    refuse_guards(CHARM_GUARDS(metrics, flags), "a restricted guard beside flag guards");
    refuse_guards(CHARM_GUARDS(metrics, hook), "a restricted guard beside a hook guard");
    refuse_guards(CHARM_GUARDS(action, hook), "an action guard beside a hook guard");
    refuse_guards(CHARM_GUARDS(action, metrics), "an action guard beside a restricted one");
}

static void rows_may_not_set_or_clear_what_is_derived(void **state)
{
    const char *const *when = CHARM_FLAGS("a");
    refuse_row((struct charm_row){ ROW, .when = when, .sets = CHARM_FLAGS("ok", "blue") },
               "it sets 'blue', which is derived");
    refuse_row((struct charm_row){ ROW, .when = when, .clears = CHARM_FLAGS("blue") },
               "it clears 'blue', which is derived");
    refuse_row((struct charm_row){ ROW, .when = when, .sets = CHARM_FLAGS("sky.changed") },
               "it sets 'sky.changed', which is derived");
    refuse_row((struct charm_row){ ROW, .when = when, .sets = CHARM_FLAGS("config.set.port") },
               "it sets 'config.set.port', which is derived");
    refuse_row(
        (struct charm_row){ ROW, .when = when, .clears = CHARM_FLAGS("leadership.is_leader") },
        "it clears 'leadership.is_leader', which is derived");
}

static void names_are_unique(void **state)
{
    const struct charm_row row = { ROW, .when = CHARM_FLAGS("a") };
    const struct charm_row twice[] = { row, row, { 0 } };
    const struct charm_row once[] = { row, { 0 } };
    const struct charm_layer doubled = { .name = "t", .rows = twice };
    refuse(CHARM_LAYERS(&doubled), "row 't.row'", "two of this name");
    const struct charm_layer one = { .name = "t", .rows = once };
    refuse(CHARM_LAYERS(&one, &one), "layer 't'", "two of this name");
    const struct charm_derivation derivation = { DERIVATION, .flags = CHARM_FLAGS("blue") };
    const struct charm_derivation derivations[] = { derivation, derivation, { 0 } };
    const struct charm_layer derived = { .name = "t", .derivations = derivations };
    refuse(CHARM_LAYERS(&derived), "derivation 'sky'", "two of this name");
    const struct charm_output output = { "shown", "shows", compute };
    const struct charm_output outputs[] = { output, output, { 0 } };
    const struct charm_layer showing = { .name = "t", .outputs = outputs };
    refuse(CHARM_LAYERS(&showing), "output 'shown'", "two of this name");
}

static void rows_of_one_name_in_two_layers_are_two(void **state)
{
    const struct charm_row rows[] = { { ROW, .when = CHARM_FLAGS("a") }, { 0 } };
    const struct charm_layer low = { .name = "low", .rows = rows };
    const struct charm_layer high = { .name = "high", .rows = rows };
    const struct charmi_table *table = NULL;
    struct charm_arena *arena = charm_arena_new();
    assert_int_equal(charmi_table_build(arena, CHARM_LAYERS(&low, &high), NULL, &table, NULL), 0);
    assert_int_equal(table->entry_count, 2);
    assert_string_equal(table->entries[0].id, "low.row");
    assert_string_equal(table->entries[1].id, "high.row");
    assert_ptr_equal(charmi_table_find(table, "high.row"), &table->entries[1]);
    assert_null(charmi_table_find(table, "high.other"));
    charm_arena_free(arena);
}

static void layers_need_a_plain_name(void **state)
{
    const struct charm_layer nameless = { 0 };
    const struct charm_layer dotted = { .name = "a.b" };
    refuse(CHARM_LAYERS(&nameless), "layer ''", "lower-case");
    refuse(CHARM_LAYERS(&dotted), "layer 'a.b'", "lower-case");
}

static void an_action_has_one_row(void **state)
{
    const struct charm_row rows[] = {
        { .name = "one",
          .summary = "s",
          .run = run_row,
          .guards = CHARM_GUARDS({ CHARM_ACTION, CHARM_FLAGS("list", "show") }) },
        { .name = "two",
          .summary = "s",
          .run = run_row,
          .guards = CHARM_GUARDS({ CHARM_ACTION, CHARM_FLAGS("show") }) },
        { 0 }
    };
    const struct charm_layer layer = { .name = "t", .rows = rows };
    refuse(CHARM_LAYERS(&layer), "row 't.two'", "the action 'show' already has the row 't.one'");
}

static void actions_are_found_by_name(void **state)
{
    const struct charm_row rows[] = {
        { ROW, .guards = CHARM_GUARDS({ CHARM_ACTION, CHARM_FLAGS("list", "show", "list") }) },
        { 0 }
    };
    const struct charm_layer layer = { .name = "t", .rows = rows };
    const struct charmi_table *table = NULL;
    struct charm_arena *arena = charm_arena_new();
    assert_int_equal(charmi_table_build(arena, CHARM_LAYERS(&layer), NULL, &table, NULL), 0);
    assert_ptr_equal(charmi_table_find_action(table, "list"), &table->entries[0]);
    assert_ptr_equal(charmi_table_find_action(table, "show"), &table->entries[0]);
    assert_null(charmi_table_find_action(table, "hide"));
    charm_arena_free(arena);
}

static void bad_triggers_are_refused(void **state)
{
    static const struct {
        struct charm_trigger trigger;
        const char *fault;
    } bad[] = {
        { { .sets = "a" }, "one of 'when' and 'when_not'" },
        { { .when = "", .sets = "a" }, "one of 'when' and 'when_not'" },
        { { .when = "a", .when_not = "b", .sets = "c" }, "one of 'when' and 'when_not'" },
        { { .when = "a" }, "it sets nothing and clears nothing" },
        { { .when_not = "a", .sets = "" }, "it sets nothing and clears nothing" },
        { { .when = "a", .sets = "config.set.x" }, "which is derived" },
        { { .when = "a", .sets = "b", .clears = "endpoint.kafka.joined" }, "which is derived" },
        { { .when = "a", .sets = "config.changed" }, "which is derived" },
    };
    for (size_t i = 0; i < CHARMI_COUNT(bad); i++) {
        const struct charm_trigger triggers[] = { { .when = "x", .sets = "y" },
                                                  bad[i].trigger,
                                                  { 0 } };
        const struct charm_layer layer = { .name = "t", .triggers = triggers };
        refuse(CHARM_LAYERS(&layer), "layer 't': trigger on", bad[i].fault);
    }
}

static void bad_derivations_and_outputs_are_refused(void **state)
{
    static const char *const flag[] = { "blue", NULL };
    static const char *const edge[] = { "blue.changed", NULL };
    static const char *const wrong[] = { "sky.changed", "sky.new", NULL };
    static const char *const builtin[] = { "config.changed.port", NULL };
    const struct {
        struct charm_derivation derivation;
        const char *fault;
    } bad[] = {
        { { .name = "sky", .derive = derive, .flags = flag }, "no summary or no function" },
        { { .name = "sky", .summary = "s", .flags = flag }, "no summary or no function" },
        { { DERIVATION }, "names no flag" },
        { { DERIVATION, .edges = wrong }, "the edge flag 'sky.new'" },
        { { DERIVATION, .flags = edge, .edges = edge }, "as a level and as an edge" },
        { { DERIVATION, .flags = builtin }, "as a level and as an edge" },
    };
    for (size_t i = 0; i < CHARMI_COUNT(bad); i++) {
        const struct charm_derivation derivations[] = { bad[i].derivation, { 0 } };
        const struct charm_layer layer = { .name = "t", .derivations = derivations };
        refuse(CHARM_LAYERS(&layer), "derivation 't.sky'", bad[i].fault);
    }
    const struct charm_output outputs[] = { { .name = "shown", .summary = "s" }, { 0 } };
    const struct charm_layer layer = { .name = "t", .outputs = outputs };
    refuse(CHARM_LAYERS(&layer), "output 't.shown'", "no summary or no function");
}

static void a_derived_flag_has_no_term(void **state)
{
    const struct charm_layer layer = { .name = "t",
                                       .term_flags = CHARM_FLAGS("ok", "config.set.port") };
    refuse(CHARM_LAYERS(&layer), "layer 't'", "the term flag 'config.set.port' is derived");
}

static const struct charmi_flag *flag_named(const struct charmi_table *table, const char *name)
{
    size_t id = charmi_table_flag(table, name);
    assert_int_not_equal(id, CHARMI_NO_NAME);
    return &table->flags[id];
}

static void a_whole_table_is_compiled(void **state)
{
    const struct charm_row rows[] = {
        { ROW, .when = CHARM_FLAGS("a", "b", "a"), .unless = CHARM_FLAGS("c"),
          .guards = CHARM_GUARDS({ CHARM_ONCE, NULL }, { CHARM_WHEN_ANY, CHARM_FLAGS("b") }),
          .sets = CHARM_FLAGS("d", "d"), .clears = CHARM_FLAGS("sky.changed") },
        { .name = "joined",
          .summary = "s",
          .run = run_row,
          .guards = CHARM_GUARDS({ CHARM_HOOK, CHARM_FLAGS("{requires:kafka}-relation-joined") }) },
        { 0 }
    };
    const struct charm_trigger triggers[] = { { .when = "a", .sets = "e" }, { 0 } };
    const struct charm_derivation derivations[] = {
        { DERIVATION, .flags = CHARM_FLAGS("b"), .edges = CHARM_FLAGS("sky.changed") }, { 0 }
    };
    const struct charm_output outputs[] = { { "shown", "shows", compute }, { 0 } };
    const struct charm_layer layer = { .name = "t",
                                       .rows = rows,
                                       .triggers = triggers,
                                       .term_flags = CHARM_FLAGS("d"),
                                       .derivations = derivations,
                                       .outputs = outputs };
    const char json[] = "{\"requires\":{\"broker\":{\"interface\":\"kafka\"}}}";
    struct charm_arena *arena = charm_arena_new();
    struct charm_value *metadata = NULL;
    assert_int_equal(charm_value_parse(arena, json, strlen(json), &metadata, NULL), 0);
    const struct charmi_table_options options = { .metadata = metadata };
    const struct charmi_table *table = NULL;
    assert_int_equal(charmi_table_build(arena, CHARM_LAYERS(&layer), &options, &table, NULL), 0);

    const struct charmi_entry *row = charmi_table_find(table, "t.row");
    assert_int_equal(row->guard_count, 4);
    assert_int_equal(row->guards[0].kind, CHARM_WHEN);
    assert_int_equal(row->guards[0].flag_count, 2);
    assert_int_equal(row->guards[1].kind, CHARM_WHEN_NONE);
    assert_int_equal(row->guards[2].kind, CHARM_ONCE);
    assert_int_equal(row->guards[3].kind, CHARM_WHEN_ANY);
    assert_true(row->once);
    assert_int_equal(row->phase, CHARMI_PHASE_OTHER);
    assert_int_equal(row->set_count, 1);
    const struct charmi_entry *joined = charmi_table_find(table, "t.joined");
    assert_int_equal(joined->phase, CHARMI_PHASE_HOOKS);
    assert_string_equal(joined->guards[0].names[0], "broker-relation-joined");
    assert_null(joined->guards[0].names[1]);

    assert_int_equal(flag_named(table, "b")->kind, CHARMI_LEVEL);
    assert_int_equal(flag_named(table, "b")->guard_count, 2);
    assert_int_equal(flag_named(table, "sky.changed")->kind, CHARMI_EDGE);
    assert_true(flag_named(table, "a")->triggered);
    assert_false(flag_named(table, "e")->triggered);
    assert_true(flag_named(table, "d")->term);
    assert_false(flag_named(table, "e")->term);
    assert_int_equal(charmi_table_flag(table, "nobody"), CHARMI_NO_NAME);
    assert_int_equal(table->trigger_count, 1);
    assert_int_equal(table->derivation_count, 1);
    assert_int_equal(table->output_count, 1);
    assert_ptr_equal(table->output_layers[0], &layer);
    charm_arena_free(arena);
}

static void many_names_are_told_apart(void **state)
{
    struct charm_arena *arena = charm_arena_new();
    struct charmi_names *names = charmi_names_new(arena, 7);
    for (int i = 0; i < 5000; i++) {
        assert_int_equal(charmi_names_intern(names, charm_arena_printf(arena, "flag.%d", i)),
                         7 + i);
    }
    for (int i = 0; i < 5000; i++) {
        const char *name = charm_arena_printf(arena, "flag.%d", i);
        assert_int_equal(charmi_names_find(names, name), 7 + i);
        assert_string_equal(charmi_names_text(names, (size_t)(7 + i)), name);
    }
    assert_int_equal(charmi_names_count(names), 5000);
    assert_int_equal(charmi_names_find(names, "flag.5000"), CHARMI_NO_NAME);
    charm_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(incomplete_rows_are_refused),
        cmocka_unit_test(empty_lists_are_refused_by_guard),
        cmocka_unit_test(guards_that_make_no_sense_are_refused),
        cmocka_unit_test(guards_of_two_phases_are_refused),
        cmocka_unit_test(rows_may_not_set_or_clear_what_is_derived),
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(rows_of_one_name_in_two_layers_are_two),
        cmocka_unit_test(layers_need_a_plain_name),
        cmocka_unit_test(an_action_has_one_row),
        cmocka_unit_test(actions_are_found_by_name),
        cmocka_unit_test(bad_triggers_are_refused),
        cmocka_unit_test(bad_derivations_and_outputs_are_refused),
        cmocka_unit_test(a_derived_flag_has_no_term),
        cmocka_unit_test(a_whole_table_is_compiled),
        cmocka_unit_test(many_names_are_told_apart),
    };
    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
