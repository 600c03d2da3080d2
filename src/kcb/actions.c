#include "kcb/actions.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "kcb/connectors.h"
#include "kcb/redact.h"
#include "kcb/rest.h"
#include "kcb/restarts.h"

enum {
    LONGEST_SUMMARY = 64 * 1024,
    LONGEST_TRACE = 4000,
    MOST_NAMES_TOLD = 30,
    MOST_POLLS = 20,
    POLLS_FOR_TASKS = 5, /* a connector may have nothing to do, and no task */
    POLL_PAUSE_MS = 500,
};

/* ---- views ---- */

static const char *text_of(const struct charm_value *map, const char *key)
{
    return charm_text(charm_value_get(map, key));
}

static const char *class_of(const struct charm_value *entry)
{
    const char *class = charm_text(charm_value_path(entry, "config", "connector.class", NULL));
    return class[0] == '\0' ? "unknown" : class;
}

static const char *type_of(const struct charm_value *entry)
{
    const char *type = text_of(entry, "type");
    return type[0] != '\0' ? type : text_of(charm_value_get(entry, "status"), "type");
}

static const char *state_of(const struct charm_value *entry)
{
    const char *state = charm_text(charm_value_path(entry, "status", "connector", "state", NULL));
    return state[0] == '\0' ? "UNKNOWN" : state;
}

static size_t count_tasks(const struct charm_value *tasks, const char *state)
{
    size_t count = 0;
    for (size_t i = 0; i < charm_value_size(tasks); i++) {
        count += charmi_same(text_of(charm_value_at(tasks, i), "state"), state);
    }
    return count;
}

static void put_head(struct charm_value *view, const char *name, const struct charm_value *entry,
                     const struct charm_value *owned)
{
    charm_value_set_text(view, "name", name);
    charm_value_set_text(view, "class", class_of(entry));
    charm_value_set_text(view, "type", type_of(entry));
    charm_value_set_text(view, "state", state_of(entry));
    charm_value_set_bool(view, "managed", charm_value_get(owned, name) != NULL);
}

static struct charmi_words sorted_names(struct charm_arena *arena, const struct charm_value *live)
{
    struct charmi_words names = { 0 };
    CHARM_EACH(live, it)
    {
        charmi_words_add(arena, &names, it.key);
    }
    charmi_words_sort(&names);
    return names;
}

struct charm_value *kcbi_list_view(struct charm_arena *arena, const struct charm_value *live,
                                   const struct charm_value *owned)
{
    struct charm_value *list = charm_value_new_list(arena);
    const struct charmi_words names = sorted_names(arena, live);
    for (size_t i = 0; i < names.size; i++) {
        const struct charm_value *entry = charm_value_get(live, names.at[i]);
        const struct charm_value *tasks = charm_value_path(entry, "status", "tasks", NULL);
        struct charm_value *view = charm_value_append_map(list);
        put_head(view, names.at[i], entry, owned);
        struct charm_value *counts = charm_value_add_map(view, "tasks");
        charm_value_set_int(counts, "running", (int64_t)count_tasks(tasks, "RUNNING"));
        charm_value_set_int(counts, "failed", (int64_t)count_tasks(tasks, "FAILED"));
        charm_value_set_int(counts, "total", (int64_t)charm_value_size(tasks));
    }
    return list;
}

/* Width of the widest name, with a ceiling so that one long name does not push all others off the screen. */
static int name_width(const struct charm_value *list)
{
    size_t width = strlen("NAME");
    for (size_t i = 0; i < charm_value_size(list); i++) {
        const size_t size = strlen(text_of(charm_value_at(list, i), "name"));
        if (size > width) {
            width = size;
        }
    }
    return width > 40 ? 40 : (int)width;
}

static void add_list_line(struct charm_arena *arena, struct charmi_buf *out, int width,
                          const struct charm_value *view)
{
    const struct charm_value *tasks = charm_value_get(view, "tasks");
    const char *class = text_of(view, "class");
    const char *dot = strrchr(class, '.');
    const char *counts = charm_arena_printf(
        arena, "%lld/%lld", (long long)charm_value_int(charm_value_get(tasks, "running"), 0),
        (long long)charm_value_int(charm_value_get(tasks, "total"), 0));
    const int64_t failed = charm_value_int(charm_value_get(tasks, "failed"), 0);
    charmi_buf_addf(out, "\n%-*s  %-10s  %-7s  %s%s", width, text_of(view, "name"),
                    text_of(view, "state"), counts, dot == NULL ? class : dot + 1,
                    charm_value_true(charm_value_get(view, "managed")) ? ""
                                                                       : "  (not the charm's)");
    if (failed > 0) {
        charmi_buf_addf(out, "  %lld failed", (long long)failed);
    }
}

char *kcbi_list_summary(struct charm_arena *arena, const struct charm_value *list)
{
    if (charm_value_size(list) == 0) {
        return charm_arena_copy(arena, "there are no connectors");
    }
    struct charmi_buf out = charmi_buf_init(LONGEST_SUMMARY);
    const int width = name_width(list);
    charmi_buf_addf(&out, "%-*s  %-10s  %-7s  %s", width, "NAME", "STATE", "TASKS", "CLASS");
    for (size_t i = 0; i < charm_value_size(list); i++) {
        add_list_line(arena, &out, width, charm_value_at(list, i));
    }
    return charmi_buf_into(&out, arena);
}

static void put_part(struct charm_arena *arena, struct charm_value *view,
                     const struct charm_value *part)
{
    charm_value_set_text(view, "state", text_of(part, "state"));
    charm_value_set_text(view, "worker", text_of(part, "worker_id"));
    if (text_of(part, "trace")[0] != '\0') {
        charm_value_set_text(view, "trace",
                             kcbi_redact_lines(arena, text_of(part, "trace"), LONGEST_TRACE));
    }
}

struct charm_value *kcbi_describe_view(struct charm_arena *arena, const char *name,
                                       const struct charm_value *entry,
                                       const struct charm_value *owned)
{
    struct charm_value *view = charm_value_new_map(arena);
    const struct charm_value *status = charm_value_get(entry, "status");
    put_part(arena, view, charm_value_get(status, "connector"));
    put_head(view, name, entry, owned);
    struct charm_value *tasks = charm_value_add_list(view, "tasks");
    const struct charm_value *seen = charm_value_get(status, "tasks");
    for (size_t i = 0; i < charm_value_size(seen); i++) {
        struct charm_value *task = charm_value_append_map(tasks);
        charm_value_set_int(task, "id",
                            charm_value_int(charm_value_get(charm_value_at(seen, i), "id"), 0));
        put_part(arena, task, charm_value_at(seen, i));
    }
    charm_value_set(view, "config", kcbi_redact_config(arena, charm_value_get(entry, "config")));
    return view;
}

static void add_part_line(struct charm_arena *arena, struct charmi_buf *out, const char *what,
                          const struct charm_value *part)
{
    charmi_buf_addf(out, "%s: %s", what, text_of(part, "state"));
    if (text_of(part, "worker")[0] != '\0') {
        charmi_buf_addf(out, " at %s", text_of(part, "worker"));
    }
    const char *trace = kcbi_redact_trace(arena, text_of(part, "trace"));
    if (trace[0] != '\0') {
        charmi_buf_addf(out, "\n  %s", trace);
    }
}

char *kcbi_describe_summary(struct charm_arena *arena, const struct charm_value *view)
{
    struct charmi_buf out = charmi_buf_init(LONGEST_SUMMARY);
    const char *type = text_of(view, "type");
    charmi_buf_addf(&out, "%s%s%s, %s\n", type, type[0] == '\0' ? "" : " ", text_of(view, "class"),
                    charm_value_true(charm_value_get(view, "managed")) ? "kept by the charm"
                                                                       : "not the charm's");
    add_part_line(arena, &out, charm_arena_printf(arena, "connector %s", text_of(view, "name")),
                  view);
    const struct charm_value *tasks = charm_value_get(view, "tasks");
    for (size_t i = 0; i < charm_value_size(tasks); i++) {
        const struct charm_value *task = charm_value_at(tasks, i);
        charmi_buf_add(&out, "\n");
        add_part_line(
            arena, &out,
            charm_arena_printf(arena, "task %lld",
                               (long long)charm_value_int(charm_value_get(task, "id"), 0)),
            task);
    }
    return charmi_buf_into(&out, arena);
}

char *kcbi_unknown_name_words(struct charm_arena *arena, const char *name,
                              const struct charm_value *live)
{
    const char *asked = kcbi_redact_text(arena, name, 100);
    struct charmi_words names = sorted_names(arena, live);
    if (names.size == 0) {
        return charm_arena_printf(arena, "there is no connector '%s': there are none", asked);
    }
    const size_t more = names.size > MOST_NAMES_TOLD ? names.size - MOST_NAMES_TOLD : 0;
    names.size -= more;
    const char *list = charmi_words_join(arena, &names, ", ");
    return more == 0
               ? charm_arena_printf(arena, "there is no connector '%s'; there are: %s", asked, list)
               : charm_arena_printf(arena, "there is no connector '%s'; there are: %s and %zu more",
                                    asked, list, more);
}

/* ---- the actions ---- */

struct asking {
    struct charm_run *run;
    struct kcbi_rest rest;
    struct charm_value *live;
};

/* Reads what the workers have; false: the action has failed, with words. `names`: see kcbi_live_connectors(). */
static bool ask(struct asking *asking, const struct charm_value *names)
{
    struct charm_error error = { 0 };
    bool old;
    if (kcbi_live_connectors(&asking->rest, names, &asking->live, &old, &error) != 0) {
        charm_action_fail(asking->run, "%s%s", error.text,
                          error.retriable ? " (try again in a moment)" : "");
        return false;
    }
    return true;
}

static struct asking asking_of(struct charm_run *run)
{
    return (struct asking){ .run = run, .rest = kcbi_rest_of(run, KCBI_AS_OPERATOR) };
}

enum charm_result kcbi_action_list_connectors(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    struct asking asking = asking_of(run);
    if (!ask(&asking, NULL)) {
        return CHARM_DONE;
    }
    struct charm_arena *arena = charm_arena(run);
    const struct charm_value *list =
        kcbi_list_view(arena, asking.live, charm_app_get(run, KCBI_APP_CONNECTORS));
    charm_action_set(run, "count", charm_value_new_int(arena, (int64_t)charm_value_size(list)));
    charm_action_set(run, "connectors", list);
    charm_action_set_text(run, "summary", kcbi_list_summary(arena, list));
    return CHARM_DONE;
}

/* The connector that the parameter `name` means; NULL: the action has failed, with words. */
static const char *named_connector(struct asking *asking)
{
    struct charm_arena *arena = charm_arena(asking->run);
    const char *name = charm_text(charm_action_param(asking->run, "name"));
    if (charmi_blank(name)) {
        charm_action_fail(asking->run, "say which connector: name=NAME");
        return NULL;
    }
    struct charm_value *names = charm_value_new_map(arena);
    charm_value_set_bool(names, name, true);
    if (!ask(asking, names)) {
        return NULL;
    }
    if (charm_value_get(asking->live, name) == NULL) {
        charm_action_fail(asking->run, "%s", kcbi_unknown_name_words(arena, name, asking->live));
        return NULL;
    }
    return name;
}

/* The results `connector` and `summary`; `before` is put in front of the latter. */
static void answer_connector(struct asking *asking, const char *name, const char *before)
{
    struct charm_arena *arena = charm_arena(asking->run);
    const struct charm_value *view =
        kcbi_describe_view(arena, name, charm_value_get(asking->live, name),
                           charm_app_get(asking->run, KCBI_APP_CONNECTORS));
    charm_action_set(asking->run, "connector", view);
    charm_action_set_text(
        asking->run, "summary",
        charm_arena_printf(arena, "%s%s", before, kcbi_describe_summary(arena, view)));
}

enum charm_result kcbi_action_describe_connector(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    struct asking asking = asking_of(run);
    const char *name = named_connector(&asking);
    if (name != NULL) {
        answer_connector(&asking, name, "");
    }
    return CHARM_DONE;
}

/* ---- restart ---- */

static bool param_true(struct charm_run *run, const char *name, bool otherwise)
{
    const struct charm_value *param = charm_action_param(run, name);
    return charm_value_kind(param) == CHARM_BOOL ? charm_value_true(param) : otherwise;
}

/* A restart goes on behind the answer: looks until nothing is on its way any more, or a few seconds have gone. */
static bool watch_restart(struct asking *asking, const char *name)
{
    struct charm_value *names = charm_value_new_map(charm_arena(asking->run));
    charm_value_set_bool(names, name, true);
    for (int polls = 0; polls < MOST_POLLS && charm_wait_ms(asking->run, POLL_PAUSE_MS); polls++) {
        if (!ask(asking, names)) {
            return false;
        }
        const struct kcbi_health health =
            kcbi_judge_health(charm_arena(asking->run), names, asking->live);
        if (health.starting == 0 && (health.idle == 0 || polls >= POLLS_FOR_TASKS)) {
            return true;
        }
    }
    return true;
}

enum charm_result kcbi_action_restart_connector(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    struct asking asking = asking_of(run);
    const struct kcbi_restart what = {
        .name = named_connector(&asking),
        .tasks = param_true(run, "include-tasks", true),
        .only_failed = param_true(run, "only-failed", false),
    };
    struct charm_error error = { 0 };
    if (what.name == NULL) {
        return CHARM_DONE;
    }
    if (kcbi_restart_connector(&asking.rest, asking.live, &what, &error) != 0) {
        charm_action_fail(run, "%s%s", error.text,
                          error.retriable ? " (try again in a moment)" : "");
        return CHARM_DONE;
    }
    if (watch_restart(&asking, what.name)) {
        answer_connector(&asking, what.name, "restarted: ");
    }
    return CHARM_DONE;
}
