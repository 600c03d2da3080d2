/* The services of charm/runner.h that read tables and records alone. */
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "charm/records.h"
#include "charm/runner.h"
#include "charm/story.h"

#define TEXT_MAX_BYTES ((size_t)4 * 1024 * 1024)

/* ---- tables ---- */

static const char *guard_words(enum charm_guard_kind kind)
{
    switch (kind) {
    case CHARM_WHEN:
        return "when all of";
    case CHARM_WHEN_ANY:
        return "when any of";
    case CHARM_WHEN_NONE:
        return "when none of";
    case CHARM_WHEN_NOT_ALL:
        return "when not all of";
    case CHARM_HOOK:
        return "in the hooks";
    case CHARM_ONCE:
        return "once";
    case CHARM_RESTRICTED:
        return "in the restricted hook";
    case CHARM_ACTION:
        return "as the action";
    case CHARM_GUARD_END:
        break;
    }
    return "";
}

static void add_list(struct charmi_buf *buf, const char *label, const char *const *names)
{
    if (names == NULL && label[0] == '\0') {
        return;
    }
    charmi_buf_addf(buf, "    %s", label);
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        charmi_buf_addf(buf, "%s %s", i == 0 ? "" : ",", names[i]);
    }
    charmi_buf_add_char(buf, '\n');
}

static void add_list_if(struct charmi_buf *buf, const char *label, const char *const *names)
{
    if (names != NULL) {
        add_list(buf, label, names);
    }
}

static void add_row(struct charmi_buf *buf, const struct charm_layer *layer,
                    const struct charm_row *row)
{
    charmi_buf_addf(buf, "%s.%s: %s\n", layer->name, row->name,
                    row->summary == NULL ? "" : row->summary);
    add_list_if(buf, guard_words(CHARM_WHEN), row->when);
    add_list_if(buf, guard_words(CHARM_WHEN_NONE), row->unless);
    for (const struct charm_guard *guard = row->guards;
         guard != NULL && guard->kind != CHARM_GUARD_END; guard++) {
        add_list(buf, guard_words(guard->kind), guard->flags);
    }
    add_list_if(buf, "sets", row->sets);
    add_list_if(buf, "clears", row->clears);
}

const char *charmi_handlers_text(struct charm_arena *arena, const struct charm_layer *const *layers)
{
    struct charmi_buf buf = charmi_buf_init(TEXT_MAX_BYTES);
    for (; *layers != NULL; layers++) {
        for (const struct charm_row *row = (*layers)->rows; row != NULL && row->name != NULL;
             row++) {
            add_row(&buf, *layers, row);
        }
    }
    return charmi_buf_into(&buf, arena);
}

/* ---- finding what a name means ---- */

/* A row by its full name, or by its own; the highest layer's, if several layers have one. */
static const struct charm_row *find_row(struct charm_arena *arena,
                                        const struct charm_layer *const *layers, const char *name,
                                        const struct charm_layer **ret_layer)
{
    const struct charm_row *found = NULL;
    for (; *layers != NULL; layers++) {
        for (const struct charm_row *row = (*layers)->rows; row != NULL && row->name != NULL;
             row++) {
            const char *id = charm_arena_printf(arena, "%s.%s", (*layers)->name, row->name);
            if (strcmp(id, name) == 0) {
                *ret_layer = *layers;
                return row;
            }
            if (strcmp(row->name, name) == 0) {
                *ret_layer = *layers;
                found = row;
            }
        }
    }
    return found;
}

static bool row_names_flag(const struct charm_row *row, const char *flag)
{
    for (const struct charm_guard *guard = row->guards;
         guard != NULL && guard->kind != CHARM_GUARD_END; guard++) {
        if (charmi_in(guard->flags, flag)) {
            return true;
        }
    }
    return charmi_in(row->when, flag) || charmi_in(row->unless, flag);
}

/* Who sets, clears and looks at a flag. */
static bool add_flag_users(struct charmi_buf *buf, const struct charm_layer *const *layers,
                           const char *flag)
{
    size_t before = buf->size;
    for (; *layers != NULL; layers++) {
        const char *layer = (*layers)->name;
        for (const struct charm_row *row = (*layers)->rows; row != NULL && row->name != NULL;
             row++) {
            if (charmi_in(row->sets, flag)) {
                charmi_buf_addf(buf, "  set by %s.%s\n", layer, row->name);
            }
            if (charmi_in(row->clears, flag)) {
                charmi_buf_addf(buf, "  cleared by %s.%s\n", layer, row->name);
            }
            if (row_names_flag(row, flag)) {
                charmi_buf_addf(buf, "  guards %s.%s\n", layer, row->name);
            }
        }
        for (const struct charm_derivation *derivation = (*layers)->derivations;
             derivation != NULL && derivation->name != NULL; derivation++) {
            if (charmi_in(derivation->flags, flag) || charmi_in(derivation->edges, flag)) {
                charmi_buf_addf(buf, "  derived by %s.%s: %s\n", layer, derivation->name,
                                derivation->summary);
            }
        }
    }
    return buf->size > before;
}

/* ---- what records say ---- */

static const char *text_of(const struct charm_value *map, const char *key)
{
    return charm_text(charm_value_get(map, key));
}

static bool list_has(const struct charm_value *list, const char *text)
{
    for (size_t i = 0; i < charm_value_size(list); i++) {
        if (charmi_same(charm_text(charm_value_at(list, i)), text)) {
            return true;
        }
    }
    return false;
}

static void add_when(struct charmi_buf *buf, const struct charm_value *record)
{
    charmi_buf_addf(buf, "  %s %s: ", text_of(record, "at"), text_of(record, "hook"));
}

static void add_row_runs(struct charmi_buf *buf, const struct charm_value *record, const char *row)
{
    const struct charm_value *ran = charm_value_get(record, "ran");
    for (size_t i = 0; i < charm_value_size(ran); i++) {
        const struct charm_value *item = charm_value_at(ran, i);
        if (strcmp(text_of(item, "row"), row) == 0) {
            const char *why = text_of(item, "why");
            add_when(buf, record);
            charmi_buf_addf(buf, "ran in %s, %s%s%s\n", text_of(item, "in"),
                            text_of(item, "result"), why[0] == '\0' ? "" : ", woken by ", why);
        }
    }
    const struct charm_value *stopped = charm_value_get(record, "stopped");
    for (size_t i = 0; i < charm_value_size(stopped); i++) {
        const struct charm_value *item = charm_value_at(stopped, i);
        if (strcmp(text_of(item, "row"), row) == 0) {
            add_when(buf, record);
            charmi_buf_addf(buf, "did not run: %s\n", text_of(item, "by"));
        }
    }
}

static bool add_flag_changes(struct charmi_buf *buf, const struct charm_value *record,
                             const char *flag)
{
    bool told = false;
    const struct charm_value *changed = charm_value_get(record, "changed");
    for (size_t i = 0; i < charm_value_size(changed); i++) {
        const struct charm_value *item = charm_value_at(changed, i);
        if (strcmp(text_of(item, "flag"), flag) != 0) {
            continue;
        }
        const char *by = text_of(item, "by");
        const char *cause = text_of(item, "cause");
        add_when(buf, record);
        charmi_buf_addf(
            buf, "%s%s%s%s%s\n", charm_value_true(charm_value_get(item, "set")) ? "set" : "cleared",
            by[0] == '\0' ? "" : " by ", by, cause[0] == '\0' ? "" : ", triggered by ", cause);
        told = true;
    }
    return told;
}

static bool is_known_flag(const struct charm_value *const *records, const char *flag)
{
    for (; *records != NULL; records++) {
        if (list_has(charm_value_get(*records, "flags"), flag) ||
            list_has(charm_value_get(*records, "derived"), flag)) {
            return true;
        }
    }
    return false;
}

static void explain_row(struct charmi_buf *buf, const struct charm_layer *layer,
                        const struct charm_row *row, const struct charm_value *const *records,
                        struct charm_arena *arena)
{
    const char *id = charm_arena_printf(arena, "%s.%s", layer->name, row->name);
    add_row(buf, layer, row);
    charmi_buf_add(buf, *records == NULL ? "  there is no record of a run yet\n" : "");
    for (; *records != NULL; records++) {
        add_row_runs(buf, *records, id);
    }
}

static bool explain_flag(struct charmi_buf *buf, const struct charm_layer *const *layers,
                         const struct charm_value *const *records, const char *flag)
{
    bool set = list_has(charm_value_get(records[0], "flags"), flag);
    if (records[0] == NULL) {
        charmi_buf_addf(buf, "%s: there is no record of a run yet\n", flag);
    } else {
        charmi_buf_addf(buf, "%s: %s at the end of the last run (%s, %s)\n", flag,
                        set ? "set" : "not set", text_of(records[0], "hook"),
                        text_of(records[0], "at"));
    }
    bool known = add_flag_users(buf, layers, flag) || is_known_flag(records, flag);
    for (; *records != NULL; records++) {
        known = add_flag_changes(buf, *records, flag) || known;
    }
    return known;
}

int charmi_explain(struct charm_arena *arena, const struct charm_ports *ports,
                   const struct charm_layer *const *layers, const char *charm_dir, const char *name,
                   const char **ret_text, struct charm_error *reterr)
{
    struct charm_error trouble = { 0 };
    const struct charm_value *const *records =
        charmi_records_all(arena, ports, charm_dir, &trouble);
    bool wants_all = name == NULL || name[0] == '\0';
    if (records[0] == NULL && trouble.code != CHARM_OK) {
        return charm_error_set(reterr, trouble.code, "explain: %s; records are root's, try sudo",
                               trouble.text);
    }
    if (records[0] == NULL && wants_all) {
        return charm_error_set(reterr, CHARM_ENOTFOUND,
                               "explain: %s/.charm holds no record of a run yet", charm_dir);
    }
    if (wants_all) {
        *ret_text = charmi_story_text(arena, records[0], CHARMI_STORY_FULL);
        return 0;
    }
    struct charmi_buf buf = charmi_buf_init(TEXT_MAX_BYTES);
    const struct charm_layer *layer = NULL;
    const struct charm_row *row = find_row(arena, layers, name, &layer);
    if (row != NULL) {
        explain_row(&buf, layer, row, records, arena);
    } else if (!explain_flag(&buf, layers, records, name)) {
        charmi_buf_release(&buf);
        return charm_error_set(reterr, CHARM_ENOTFOUND,
                               "explain '%s': no row and no flag has this name", name);
    }
    *ret_text = charmi_buf_into(&buf, arena);
    return 0;
}
