/* The table of hooks with their times and tool calls. */
#include <stdio.h>

#include "base/memory.h"
#include "lab/command.h"

static int64_t number_of(const struct charm_value *map, const char *key)
{
    return charm_value_int(charm_value_get(map, key), 0);
}

static const char *ms_text(struct charm_arena *arena, int64_t us)
{
    return us < 10000 ? charm_arena_printf(arena, "%.1f", (double)us / 1000)
                      : charm_arena_printf(arena, "%lld", (long long)((us + 500) / 1000));
}

static bool chosen(const struct lab_args *args, const struct charm_value *run)
{
    const char *unit = lab_option(args, "unit");
    return unit == NULL || charmi_same(unit, charm_text(charm_value_get(run, "unit")));
}

static int print_table(const struct lab_args *args, const struct charm_value *runs)
{
    static const char *const titles[] = { "#No", "Unit", "Hook", "Result", "#ms", "#Calls", NULL };
    struct lab_table *table = lab_table_new(args->arena, titles);
    for (size_t i = 0; i < charm_value_size(runs); i++) {
        const struct charm_value *run = charm_value_at(runs, i);
        const char *kind = charm_text(charm_value_get(run, "kind"));
        const char *result = charm_text(charm_value_get(run, "result"));
        if (!chosen(args, run)) {
            continue;
        }
        lab_table_row(table);
        lab_table_cell(table, LAB_GREY, "%lld", (long long)number_of(run, "number"));
        lab_table_cell(table, LAB_PLAIN, "%s", charm_text(charm_value_get(run, "unit")));
        lab_table_cell(table, LAB_BOLD, "%s%s", charm_text(charm_value_get(run, "name")),
                       charmi_same(kind, "action") ? " (action)" : "");
        lab_table_cell(table,
                       charmi_same(result, "ok") || charmi_same(result, "missing") ? LAB_GREEN
                                                                                   : LAB_RED,
                       "%s", result);
        lab_table_cell(table, LAB_PLAIN, "%s", ms_text(args->arena, number_of(run, "us")));
        lab_table_cell(table, LAB_PLAIN, "%zu", charm_value_size(charm_value_get(run, "calls")));
    }
    lab_table_print(table, lab_wants_colour(args));
    return 0;
}

static int print_calls(const struct lab_args *args, const struct charm_value *runs, int64_t number)
{
    static const char *const titles[] = { "#At ms", "#ms", "#Exit", "Tool", NULL };
    const struct charm_value *run = charm_value_at(runs, (size_t)(number - 1));
    const struct charm_value *calls = charm_value_get(run, "calls");
    struct lab_table *table = lab_table_new(args->arena, titles);
    if (run == NULL) {
        return lab_complain(1, "there is no hook number %lld", (long long)number);
    }
    printf("%s of %s: %s, %s ms\n", charm_text(charm_value_get(run, "name")),
           charm_text(charm_value_get(run, "unit")), charm_text(charm_value_get(run, "result")),
           ms_text(args->arena, number_of(run, "us")));
    for (size_t i = 0; i < charm_value_size(calls); i++) {
        const struct charm_value *call = charm_value_at(calls, i);
        lab_table_row(table);
        lab_table_cell(table, LAB_GREY, "%s", ms_text(args->arena, number_of(call, "at-us")));
        lab_table_cell(table, LAB_PLAIN, "%s", ms_text(args->arena, number_of(call, "us")));
        lab_table_cell(table, number_of(call, "code") == 0 ? LAB_PLAIN : LAB_RED, "%lld",
                       (long long)number_of(call, "code"));
        lab_table_cell(table, LAB_PLAIN, "%s", charm_text(charm_value_get(call, "tool")));
    }
    lab_table_print(table, lab_wants_colour(args));
    return 0;
}

static int hooks(struct lab_args *args)
{
    const struct charm_value *answer = lab_ask(args, lab_new_request(args, "runs"));
    const char *calls = lab_option(args, "calls");
    int64_t number = 0;
    if (answer == NULL) {
        return 1;
    }
    const struct charm_value *runs = charm_value_get(answer, "runs");
    if (lab_format_is(args, "json")) {
        puts(charm_value_render(args->arena, runs, CHARM_JSON_COMPACT));
        return 0;
    }
    if (calls == NULL) {
        return print_table(args, runs);
    }
    if (!charmi_parse_int(calls, 1, INT32_MAX, &number)) {
        return lab_complain(2, "--calls: \"%s\" is not a number of the table", calls);
    }
    return print_calls(args, runs, number);
}

const struct lab_verb lab_verbs_hooks[] = {
    {
        .name = "hooks",
        .usage = "[--unit UNIT] [--calls NUMBER] [--format tabular|json]",
        .summary = "show the hooks that ran, how long, and how many hook tools they called",
        .options = "unit= calls= format= color no-color",
        .run = hooks,
    },
    { 0 },
};
