/* `lab status`, as juju status looks. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "lab/command.h"

static const char *at(const struct charm_value *map, const char *first, const char *second)
{
    return charm_text(second == NULL ? charm_value_get(map, first)
                                     : charm_value_path(map, first, second, NULL));
}

static void print_model(const struct lab_args *args, const struct charm_value *status)
{
    static const char *const titles[] = { "Model",   "Controller", "Cloud/Region",
                                          "Version", "Timestamp",  NULL };
    const struct charm_value *model = charm_value_get(status, "model");
    const char *stamp = at(status, "controller", "timestamp");
    const char *clock = strchr(stamp, 'T');
    struct lab_table *table = lab_table_new(args->arena, titles);
    lab_table_row(table);
    lab_table_cell(table, LAB_PLAIN, "%s", at(model, "name", NULL));
    lab_table_cell(table, LAB_PLAIN, "%s", at(model, "controller", NULL));
    lab_table_cell(table, LAB_PLAIN, "%s", at(model, "cloud", NULL));
    lab_table_cell(table, LAB_PLAIN, "%s", at(model, "version", NULL));
    lab_table_cell(table, LAB_PLAIN, "%s", clock == NULL ? stamp : clock + 1);
    lab_table_print(table, lab_wants_colour(args));
}

static void print_applications(const struct lab_args *args, const struct charm_value *applications)
{
    static const char *const titles[] = { "App",     "Version", "Status",  "#Scale",  "Charm",
                                          "Channel", "#Rev",    "Exposed", "Message", NULL };
    struct lab_table *table = lab_table_new(args->arena, titles);
    CHARM_EACH(applications, it)
    {
        const char *word = at(it.value, "application-status", "current");
        lab_table_row(table);
        lab_table_cell(table, LAB_BOLD, "%s", it.key);
        lab_table_cell(table, LAB_PLAIN, "%s", at(it.value, "version", NULL));
        lab_table_cell(table, lab_status_colour(word), "%s", word);
        lab_table_cell(table, LAB_PLAIN, "%zu",
                       charm_value_size(charm_value_get(it.value, "units")));
        lab_table_cell(table, LAB_PLAIN, "%s", at(it.value, "charm", NULL));
        lab_table_cell(table, LAB_PLAIN, "%s", "");
        lab_table_cell(table, LAB_PLAIN, "%lld",
                       (long long)charm_value_int(charm_value_get(it.value, "charm-rev"), 0));
        lab_table_cell(table, LAB_PLAIN, "no");
        lab_table_cell(table, LAB_PLAIN, "%s", at(it.value, "application-status", "message"));
    }
    lab_table_print(table, lab_wants_colour(args));
}

static const char *ports_text(struct charm_arena *arena, const struct charm_value *ports)
{
    struct charmi_words words = { 0 };
    for (size_t i = 0; i < charm_value_size(ports); i++) {
        charmi_words_add(arena, &words, charm_text(charm_value_at(ports, i)));
    }
    return charmi_words_join(arena, &words, ",");
}

static void add_unit(struct lab_table *table, struct charm_arena *arena, const char *name,
                     const struct charm_value *unit)
{
    const char *word = at(unit, "workload-status", "current");
    const char *agent = at(unit, "juju-status", "current");
    const bool leads = charm_value_true(charm_value_get(unit, "leader"));
    lab_table_row(table);
    lab_table_cell(table, LAB_BOLD, "%s%s", name, leads ? "*" : "");
    lab_table_cell(table, lab_status_colour(word), "%s", word);
    lab_table_cell(table, lab_status_colour(agent), "%s", agent);
    lab_table_cell(table, LAB_PLAIN, "%s", at(unit, "machine", NULL));
    lab_table_cell(table, LAB_PLAIN, "%s", at(unit, "public-address", NULL));
    lab_table_cell(table, LAB_PLAIN, "%s", ports_text(arena, charm_value_get(unit, "open-ports")));
    const char *doing = at(unit, "juju-status", "message");
    lab_table_cell(table, LAB_PLAIN, "%s%s%s%s",
                   charmi_same(agent, "executing") && doing[0] != '\0' ? "(" : "",
                   charmi_same(agent, "executing") ? doing : "",
                   charmi_same(agent, "executing") && doing[0] != '\0' ? ") " : "",
                   at(unit, "workload-status", "message"));
}

static void print_units(const struct lab_args *args, const struct charm_value *applications)
{
    static const char *const titles[] = { "Unit",           "Workload", "Agent",   "Machine",
                                          "Public address", "Ports",    "Message", NULL };
    struct lab_table *table = lab_table_new(args->arena, titles);
    CHARM_EACH(applications, app)
    {
        CHARM_EACH(charm_value_get(app.value, "units"), it)
        {
            add_unit(table, args->arena, it.key, it.value);
        }
    }
    lab_table_print(table, lab_wants_colour(args));
}

static void print_relations(const struct lab_args *args, const struct charm_value *relations)
{
    static const char *const titles[] = {
        "Integration provider", "Requirer", "Interface", "Type", "Message", NULL
    };
    struct lab_table *table = lab_table_new(args->arena, titles);
    for (size_t i = 0; i < charm_value_size(relations); i++) {
        const struct charm_value *entry = charm_value_at(relations, i);
        lab_table_row(table);
        lab_table_cell(table, LAB_PLAIN, "%s", at(entry, "provider", NULL));
        lab_table_cell(table, LAB_PLAIN, "%s", at(entry, "requirer", NULL));
        lab_table_cell(table, LAB_PLAIN, "%s", at(entry, "interface", NULL));
        lab_table_cell(table, LAB_PLAIN, "%s", at(entry, "type", NULL));
        lab_table_cell(table, LAB_PLAIN, "%s",
                       charmi_same(at(entry, "life", NULL), "dying") ? "removing" : "");
    }
    lab_table_print(table, lab_wants_colour(args));
}

static int status(struct lab_args *args)
{
    const struct charm_value *answer = lab_ask(args, lab_new_request(args, "status"));
    if (answer == NULL) {
        return 1;
    }
    const struct charm_value *all = charm_value_get(answer, "status");
    if (lab_format_is(args, "json")) {
        puts(charm_value_render(args->arena, all, CHARM_JSON_COMPACT));
        return 0;
    }
    const struct charm_value *applications = charm_value_get(all, "applications");
    print_model(args, all);
    if (charm_value_size(applications) == 0) {
        printf("\nModel \"%s\" is empty.\n", at(charm_value_get(all, "model"), "name", NULL));
        return 0;
    }
    putchar('\n');
    print_applications(args, applications);
    putchar('\n');
    print_units(args, applications);
    if (lab_option(args, "relations") != NULL) {
        putchar('\n');
        print_relations(args, charm_value_get(all, "relations"));
    }
    return 0;
}

const struct lab_verb lab_verbs_status[] = {
    {
        .name = "status",
        .usage = "[--relations] [--format tabular|json] [--color|--no-color]",
        .summary = "show the model, its applications and units",
        .options = "relations format= color no-color",
        .run = status,
    },
    { 0 },
};
