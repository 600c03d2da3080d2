#include "charm/lint.h"

#include <string.h>

#include "base/text.h"

static bool row_sets(const struct charmi_table *table, const char *flag)
{
    for (size_t i = 0; i < table->entry_count; i++) {
        if (charmi_in(table->entries[i].row->sets, flag)) {
            return true;
        }
    }
    for (size_t i = 0; i < table->trigger_count; i++) {
        if (charmi_same(table->triggers[i]->sets, flag)) {
            return true;
        }
    }
    return false;
}

static bool derivation_lists(const struct charmi_table *table, const char *flag)
{
    for (size_t i = 0; i < table->derivation_count; i++) {
        if (charmi_in(table->derivations[i]->flags, flag) ||
            charmi_in(table->derivations[i]->edges, flag)) {
            return true;
        }
    }
    return false;
}

/* Is the text one of the names, or one and a dot and more? */
static bool names_endpoint(const struct charm_files *files, const char *text)
{
    for (size_t i = 0; i < files->endpoint_count; i++) {
        const size_t size = strlen(files->endpoints[i].name);
        if (strncmp(text, files->endpoints[i].name, size) == 0 && text[size] == '.') {
            return true;
        }
    }
    return false;
}

/* The engine's own flags, as far as the charm has what they speak of. */
static bool engine_derives(const struct charm_files *files, const char *flag)
{
    static const char *const of_options[] = { "config.set.", "config.changed.", "config.default." };
    static const char endpoint[] = "endpoint.";
    for (size_t i = 0; i < sizeof(of_options) / sizeof(of_options[0]); i++) {
        if (charmi_starts_with(flag, of_options[i])) {
            return charmi_charmfiles_option(files, flag + strlen(of_options[i])) != NULL;
        }
    }
    return !charmi_starts_with(flag, endpoint) || names_endpoint(files, flag + strlen(endpoint));
}

static bool can_be_set(const struct charmi_table *table, const struct charm_files *files, size_t id)
{
    const struct charmi_flag *flag = &table->flags[id];
    if (flag->kind == CHARMI_REMEMBERED) {
        return row_sets(table, flag->name);
    }
    return derivation_lists(table, flag->name) || engine_derives(files, flag->name);
}

/* The flag for want of which a guard never holds, or NULL. */
static const char *hopeless_flag(const struct charmi_table *table, const struct charm_files *files,
                                 const struct charmi_guard *guard)
{
    const char *missing = NULL;
    if (guard->kind != CHARM_WHEN && guard->kind != CHARM_WHEN_ANY) {
        return NULL;
    }
    for (size_t i = 0; i < guard->flag_count; i++) {
        if (!can_be_set(table, files, guard->flags[i])) {
            missing = table->flags[guard->flags[i]].name;
        } else if (guard->kind == CHARM_WHEN_ANY) {
            return NULL;
        }
    }
    return missing;
}

int charmi_lint(const struct charmi_table *table, const struct charm_files *files,
                struct charm_error *reterr)
{
    for (size_t i = 0; i < table->guard_count; i++) {
        const char *flag = hopeless_flag(table, files, &table->guards[i]);
        if (flag != NULL) {
            return charm_error_set(
                reterr, CHARM_EINVAL,
                "check the layers: row '%s' waits for flag '%s', which nobody ever sets",
                table->entries[table->guards[i].entry].id, flag);
        }
    }
    return 0;
}
