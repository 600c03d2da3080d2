#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "charm/lint.h"

static enum charm_result nothing(struct charm_run *run, const struct charm_row *row)
{
    (void)run;
    (void)row;
    return CHARM_DONE;
}

static void derive_nothing(struct charm_run *run, const struct charm_derivation *derivation)
{
    (void)run;
    (void)derivation;
}

#define ROW(row_name, ...)                                                                         \
    {                                                                                              \
        .name = (row_name), .summary = "s", .run = nothing, __VA_ARGS__                            \
    }

static int linted(const struct charm_layer *const *layers, struct charm_error *reterr)
{
    static const struct charm_endpoint endpoints[] = { { .name = "kafka", .interface = "kafka" } };
    static const struct charm_option options[] = { { .name = "workers" } };
    const struct charm_files files = {
        .endpoints = endpoints, .endpoint_count = 1, .options = options, .option_count = 1
    };
    const struct charmi_table *table = NULL;
    struct charm_arena *arena = charm_arena_new();
    assert_int_equal(charmi_table_build(arena, layers, NULL, &table, reterr), 0);
    const int result = charmi_lint(table, &files, reterr);
    charm_arena_free(arena);
    return result;
}

static const struct charm_row waits_for_all[] = { ROW("waits", .when = CHARM_FLAGS("a.never")),
                                                  { 0 } };
static const struct charm_row waits_for_any[] = {
    ROW("waits", .guards = CHARM_GUARDS({ CHARM_WHEN_ANY, CHARM_FLAGS("a.never", "b.never") })),
    { 0 },
};
static const struct charm_row waits_for_option[] = {
    ROW("waits", .when = CHARM_FLAGS("config.set.worker")), { 0 }
};
static const struct charm_row waits_for_endpoint[] = {
    ROW("waits", .when = CHARM_FLAGS("endpoint.kafk.joined")), { 0 }
};

static void a_flag_that_nobody_sets_is_named_with_the_row_that_waits_for_it(void **state)
{
    (void)state;
    const struct charm_row *const bad[] = { waits_for_all, waits_for_any, waits_for_option,
                                            waits_for_endpoint };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct charm_layer layer = { .name = "top", .rows = bad[i] };
        struct charm_error error = { 0 };
        assert_int_equal(linted(CHARM_LAYERS(&layer), &error), CHARM_EINVAL);
        assert_non_null(strstr(error.text, "'top.waits'"));
        assert_non_null(strstr(error.text, "nobody ever sets"));
    }
}

static const struct charm_row low_rows[] = {
    ROW("a", .when = CHARM_FLAGS("set.above", "low.level", "set.by-trigger")),
    ROW("b", .when = CHARM_FLAGS("config.set.workers", "leadership.is_leader")),
    ROW("c", .when = CHARM_FLAGS("endpoint.kafka.joined", "endpoint.kafka.changed.port")),
    ROW("d", .when = CHARM_FLAGS("config.changed"), .unless = CHARM_FLAGS("never.set")),
    ROW("e", .guards = CHARM_GUARDS({ CHARM_WHEN_ANY, CHARM_FLAGS("never.set", "set.above") })),
    { 0 },
};
static const struct charm_derivation low_derivations[] = {
    { .name = "d", .summary = "s", .flags = CHARM_FLAGS("low.level"), .derive = derive_nothing },
    { 0 },
};
static const struct charm_trigger low_triggers[] = {
    { .when = "set.above", .sets = "set.by-trigger" }, { 0 }
};
static const struct charm_row high_rows[] = {
    ROW("sets", .when = CHARM_FLAGS("low.level"), .sets = CHARM_FLAGS("set.above")), { 0 }
};

static void flags_of_other_layers_triggers_derivations_and_the_engine_are_somebodys(void **state)
{
    (void)state;
    const struct charm_layer low = {
        .name = "low", .rows = low_rows, .triggers = low_triggers, .derivations = low_derivations
    };
    const struct charm_layer high = { .name = "high", .rows = high_rows };
    struct charm_error error = { 0 };
    if (linted(CHARM_LAYERS(&low, &high), &error) != 0) {
        fail_msg("%s", error.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flag_that_nobody_sets_is_named_with_the_row_that_waits_for_it),
        cmocka_unit_test(flags_of_other_layers_triggers_derivations_and_the_engine_are_somebodys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
