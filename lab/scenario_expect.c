/* What must be true afterwards, and what must never be. */
#define _GNU_SOURCE
#include "lab/scenario.h"

#include <string.h>

#include "base/memory.h"

enum { LARGEST_RECORD = 4 * 1024 * 1024, LONGEST_STORY = 2000, LARGEST_KEPT = 64 * 1024 * 1024 };

/* ---- what is looked at ---- */

static const struct charm_value *last_run(const struct lab_scene *scene)
{
    const size_t size = charm_value_size(scene->runs);
    return size == 0 ? NULL : charm_value_at(scene->runs, size - 1);
}

/* Of all runs of the act, one after the other: "name" or "name failed". */
static struct charm_value *list_hooks(const struct lab_scene *scene)
{
    struct charm_value *names = charm_value_new_list(scene->arena);
    const bool several = scene->app->units->next != NULL;
    for (size_t i = 0; i < charm_value_size(scene->runs); i++) {
        const struct charm_value *run = charm_value_at(scene->runs, i);
        const char *unit = charm_text(charm_value_get(run, "unit"));
        const bool ok = charmi_same(charm_text(charm_value_get(run, "end")), "ok");
        charm_value_append_text(names, charm_arena_printf(scene->arena, "%s%s%s%s",
                                                          several ? unit : "", several ? " " : "",
                                                          charm_text(charm_value_get(run, "name")),
                                                          ok ? "" : " failed"));
    }
    return names;
}

/* Calls of hook tools by the unit that is looked at. */
static struct charm_value *list_calls(const struct lab_scene *scene)
{
    struct charm_value *all = charm_value_new_list(scene->arena);
    for (size_t i = 0; i < charm_value_size(scene->runs); i++) {
        const struct charm_value *run = charm_value_at(scene->runs, i);
        const struct charm_value *calls = charm_value_get(run, "calls");
        const char *unit = charm_text(charm_value_get(run, "unit"));
        for (size_t k = 0; charmi_same(unit, scene->unit->name) && k < charm_value_size(calls);
             k++) {
            charm_value_append(all, charm_value_get(charm_value_at(calls, k), "call"));
        }
    }
    return all;
}

static struct charm_value *writes_among(struct charm_arena *arena, const struct charm_value *calls)
{
    struct charm_value *writes = charm_value_new_list(arena);
    for (size_t i = 0; i < charm_value_size(calls); i++) {
        const char *call = charm_text(charm_value_at(calls, i));
        if (lab_match("*-set *", call) || lab_match("*-port *", call) ||
            lab_match("state-delete *", call)) {
            charm_value_append_text(writes, call);
        }
    }
    return writes;
}

static const char *status_of(struct lab_scene *scene, const struct lab_unit *unit)
{
    return charm_arena_printf(scene->arena, "%s %s", unit->status.word, unit->status.message);
}

/* The record of the last run that the charm kept beside itself. */
static const struct charm_value *last_record(struct lab_scene *scene, const struct lab_unit *unit)
{
    const char *newest = "";
    CHARM_EACH(lab_scene_records(scene, unit), it)
    {
        const bool run = charmi_starts_with(it.key, "run-") || charmi_same(it.key, "steady.json");
        newest = run ? charm_text(it.value) : newest;
    }
    return charm_value_decode(scene->arena, newest);
}

static bool has_text(const struct charm_value *list, const char *text)
{
    for (size_t i = 0; i < charm_value_size(list); i++) {
        if (charmi_same(charm_text(charm_value_at(list, i)), text)) {
            return true;
        }
    }
    return false;
}

static const struct charm_value *flags_now(struct lab_scene *scene, const struct lab_unit *unit)
{
    return charm_value_get(last_record(scene, unit), "flags");
}

/* What the workers are to be given: the text in the ConfigMap of a request, line by line. */
static struct charm_value *properties_in(struct charm_arena *arena, const struct charm_value *bag)
{
    struct charm_value *properties = charm_value_new_map(arena);
    const struct charm_value *objects =
        charm_value_decode(arena, charm_text(charm_value_get(bag, "resource")));
    for (size_t i = 0; i < charm_value_size(objects); i++) {
        const char *text = charm_text(charm_value_path(charm_value_at(objects, i), "data",
                                                       "connect-distributes.properties", NULL));
        const struct charmi_words lines = charmi_split(arena, text, "\n");
        for (size_t k = 0; k < lines.size; k++) {
            const char *equals = strchr(lines.at[k], '=');
            if (equals != NULL) {
                const size_t size = (size_t)(equals - lines.at[k]);
                charm_value_set_text(properties, charm_arena_copy_n(arena, lines.at[k], size),
                                     equals + 1);
            }
        }
    }
    return properties;
}

/* The pod template of a request, as one text: what Kubernetes rolls pods for. */
static const char *template_in(struct charm_arena *arena, const struct charm_value *bag)
{
    const struct charm_value *objects =
        charm_value_decode(arena, charm_text(charm_value_get(bag, "resource")));
    for (size_t i = 0; i < charm_value_size(objects); i++) {
        const struct charm_value *template =
            charm_value_path(charm_value_at(objects, i), "spec", "template", NULL);
        if (template != NULL) {
            return charm_value_render(arena, template, CHARM_JSON_SORTED);
        }
    }
    return "";
}

/* ---- then, key by key ---- */

static void expect(struct lab_scene *scene, const char *what, const struct charm_value *expected,
                   const struct charm_value *actual)
{
    const char *why = expected == NULL ? NULL : lab_contains(scene->arena, what, expected, actual);
    if (why != NULL) {
        lab_scene_problem(scene, "%s", why);
    }
}

/* Lists of texts are shown one a line: they are long. */
static void expect_list(struct lab_scene *scene, const char *what,
                        const struct charm_value *expected, const struct charm_value *actual)
{
    if (expected == NULL || lab_contains(scene->arena, what, expected, actual) == NULL) {
        return;
    }
    lab_scene_problem(scene, "%s: expected %zu, were %zu:", what, charm_value_size(expected),
                      charm_value_size(actual));
    const size_t most = charm_value_size(expected) > charm_value_size(actual)
                            ? charm_value_size(expected)
                            : charm_value_size(actual);
    for (size_t i = 0; i < most; i++) {
        const char *wanted = charm_text(charm_value_at(expected, i));
        const char *is = charm_text(charm_value_at(actual, i));
        const bool same =
            i < charm_value_size(expected) && i < charm_value_size(actual) && lab_match(wanted, is);
        lab_scene_problem(scene, same ? "    %s%s" : "  - expected %s\n  + was      %s",
                          same ? "" : wanted, is);
    }
}

static void expect_word(struct lab_scene *scene, const char *what,
                        const struct charm_value *expected, const char *actual)
{
    const char *pattern = charm_value_scalar(scene->arena, expected);
    if (expected != NULL && !lab_match(pattern, actual)) {
        lab_scene_problem(scene, "%s:\n  - expected %s\n  + was      %s", what, pattern, actual);
    }
}

/* Nothing may fail that the file does not say fails. */
static void expect_success(struct lab_scene *scene, const struct charm_value *then)
{
    const bool told = charm_value_get(then, "hooks") != NULL;
    const struct charm_value *exit = charm_value_get(then, "exit");
    for (size_t i = 0; i < charm_value_size(scene->runs); i++) {
        const struct charm_value *run = charm_value_at(scene->runs, i);
        const char *end = charm_text(charm_value_get(run, "end"));
        if (!told && exit == NULL && !charmi_same(end, "ok")) {
            lab_scene_problem(scene, "%s failed: %s\n%s", charm_text(charm_value_get(run, "name")),
                              end, charm_text(charm_value_get(run, "err")));
        }
    }
    expect(scene, "exit", exit, charm_value_get(last_run(scene), "exit"));
}

static void expect_flags(struct lab_scene *scene, const struct charm_value *then)
{
    const struct charm_value *wanted = charm_value_get(then, "flags");
    const struct charm_value *unwanted = charm_value_get(then, "no-flags");
    if (wanted == NULL && unwanted == NULL) {
        return;
    }
    const struct charm_value *flags = flags_now(scene, scene->unit);
    const char *shown = charm_value_render(scene->arena, flags, CHARM_JSON_COMPACT);
    for (size_t i = 0; i < charm_value_size(wanted); i++) {
        const char *flag = charm_text(charm_value_at(wanted, i));
        if (!has_text(flags, flag)) {
            lab_scene_problem(scene, "flags: %s is not set; set are %s", flag, shown);
        }
    }
    for (size_t i = 0; i < charm_value_size(unwanted); i++) {
        const char *flag = charm_text(charm_value_at(unwanted, i));
        if (has_text(flags, flag)) {
            lab_scene_problem(scene, "flags: %s is set; set are %s", flag, shown);
        }
    }
}

static void expect_bags(struct lab_scene *scene, const struct charm_value *then)
{
    CHARM_EACH(charm_value_get(then, "bag"), it)
    {
        const struct charm_value *bag = lab_scene_own_bag(scene, scene->unit, it.key);
        expect(scene, charm_arena_printf(scene->arena, "bag.%s", it.key), it.value, bag);
    }
    const struct charm_value *same = charm_value_get(then, "unchanged");
    for (size_t i = 0; i < charm_value_size(same); i++) {
        const char *endpoint = charm_text(charm_value_at(same, i));
        const struct charm_value *bag = lab_scene_own_bag(scene, scene->unit, endpoint);
        if (!charm_value_equal(bag, charm_value_get(scene->before, endpoint))) {
            lab_scene_problem(
                scene, "unchanged: the own bag on %s has changed\n  - was %s\n  + is  %s", endpoint,
                charm_value_render(scene->arena, charm_value_get(scene->before, endpoint),
                                   CHARM_JSON_SORTED),
                charm_value_render(scene->arena, bag, CHARM_JSON_SORTED));
        }
    }
}

static void expect_request(struct lab_scene *scene, const struct charm_value *then)
{
    const struct charm_value *bag = lab_scene_own_bag(scene, scene->unit, "kubernetes");
    expect(scene, "properties", charm_value_get(then, "properties"),
           properties_in(scene->arena, bag));
    if (charm_value_get(then, "pods") != NULL) {
        const char *before =
            template_in(scene->arena, charm_value_get(scene->before, "kubernetes"));
        expect_word(scene, "pods", charm_value_get(then, "pods"),
                    charmi_same(before, template_in(scene->arena, bag)) ? "stay" : "roll");
    }
}

/* Units that ask the deployer for something; of a second one, whether it asks for the same bytes as the first. */
static struct charm_value *list_asking(struct lab_scene *scene)
{
    struct charm_value *asking = charm_value_new_list(scene->arena);
    const char *first = NULL;
    for (const struct lab_unit *unit = scene->app->units; unit != NULL; unit = unit->next) {
        const struct charm_value *bag = lab_scene_own_bag(scene, unit, "kubernetes");
        const char *request = charm_text(charm_value_get(bag, "resource"));
        if (charm_value_size(charm_value_decode(scene->arena, request)) > 0) {
            const char *how = first == NULL                 ? ""
                              : charmi_same(first, request) ? " the same"
                                                            : " other";
            charm_value_append_text(asking,
                                    charm_arena_printf(scene->arena, "%s%s", unit->name, how));
            first = first == NULL ? request : first;
        }
    }
    return asking;
}

static void expect_calls(struct lab_scene *scene, const struct charm_value *then)
{
    const struct charm_value *calls = list_calls(scene);
    expect_list(scene, "tools", charm_value_get(then, "tools"), calls);
    expect_list(scene, "writes", charm_value_get(then, "writes"),
                writes_among(scene->arena, calls));
    const int64_t most = charm_value_int(charm_value_get(then, "tools-at-most"), INT64_MAX);
    for (size_t i = 0; i < charm_value_size(scene->runs); i++) {
        const struct charm_value *run = charm_value_at(scene->runs, i);
        const size_t size = charm_value_size(charm_value_get(run, "calls"));
        if ((int64_t)size > most) {
            lab_scene_problem(
                scene, "tools-at-most: %s called %zu\n%s", charm_text(charm_value_get(run, "name")),
                size,
                charm_value_render(scene->arena, charm_value_get(run, "calls"), CHARM_JSON_PRETTY));
        }
    }
}

static void expect_action(struct lab_scene *scene, const struct charm_value *expected)
{
    static const char *const states[] = {
        [LAB_TASK_PENDING] = "pending",
        [LAB_TASK_RUNNING] = "running",
        [LAB_TASK_COMPLETED] = "completed",
        [LAB_TASK_FAILED] = "failed",
    };
    if (expected == NULL) {
        return;
    }
    if (scene->task == NULL) {
        lab_scene_problem(scene, "action: none was run");
        return;
    }
    expect_word(scene, "action.state", charm_value_get(expected, "state"),
                states[scene->task->state]);
    expect_word(scene, "action.message", charm_value_get(expected, "message"),
                scene->task->message == NULL ? "" : scene->task->message);
    expect(scene, "action.results", charm_value_get(expected, "results"), scene->task->results);
}

/* Each pattern is found in a line of what the runs printed. */
static void expect_lines(struct lab_scene *scene, const char *what, const char *key,
                         const struct charm_value *patterns)
{
    for (size_t i = 0; i < charm_value_size(patterns); i++) {
        const char *pattern =
            charm_arena_printf(scene->arena, "*%s*", charm_text(charm_value_at(patterns, i)));
        bool found = false;
        charmi_auto_buf struct charmi_buf all = charmi_buf_init(LARGEST_RECORD);
        for (size_t k = 0; !found && k < charm_value_size(scene->runs); k++) {
            const char *text = charm_text(charm_value_get(charm_value_at(scene->runs, k), key));
            const struct charmi_words lines = charmi_split(scene->arena, text, "\n");
            for (size_t l = 0; !found && l < lines.size; l++) {
                found = lab_match(pattern, lines.at[l]);
            }
            charmi_buf_add(&all, text);
        }
        if (!found) {
            lab_scene_problem(scene, "%s: nowhere %s in\n%.*s", what,
                              charm_text(charm_value_at(patterns, i)), LONGEST_STORY,
                              charmi_buf_text(&all));
        }
    }
}

static void expect_log(struct lab_scene *scene, const struct charm_value *patterns)
{
    const struct charm_value *calls = list_calls(scene);
    for (size_t i = 0; i < charm_value_size(patterns); i++) {
        const char *pattern = charm_arena_printf(scene->arena, "juju-log *%s*",
                                                 charm_text(charm_value_at(patterns, i)));
        bool found = false;
        for (size_t k = 0; !found && k < charm_value_size(calls); k++) {
            found = lab_match(pattern, charm_text(charm_value_at(calls, k)));
        }
        if (!found) {
            lab_scene_problem(scene, "log: nowhere %s", charm_text(charm_value_at(patterns, i)));
        }
    }
}

/* Of several units. */
static void expect_statuses(struct lab_scene *scene, const struct charm_value *statuses)
{
    CHARM_EACH(statuses, it)
    {
        const struct lab_unit *unit = lab_model_unit(scene->model, it.key);
        if (unit == NULL) {
            lab_scene_problem(scene, "statuses: there is no unit %s", it.key);
        } else {
            expect_word(scene, charm_arena_printf(scene->arena, "status of %s", it.key), it.value,
                        status_of(scene, unit));
        }
    }
}

void lab_scene_then(struct lab_scene *scene, const struct charm_value *then)
{
    expect_success(scene, then);
    expect_list(scene, "hooks", charm_value_get(then, "hooks"), list_hooks(scene));
    expect_word(scene, "status", charm_value_get(then, "status"), status_of(scene, scene->unit));
    expect_statuses(scene, charm_value_get(then, "statuses"));
    expect_word(scene, "version", charm_value_get(then, "version"),
                scene->app->version == NULL ? "" : scene->app->version);
    expect_flags(scene, then);
    expect_bags(scene, then);
    expect_request(scene, then);
    expect_list(scene, "asking", charm_value_get(then, "asking"), list_asking(scene));
    expect(scene, "app-state", charm_value_get(then, "app-state"), lab_scene_app_state(scene));
    expect(scene, "state", charm_value_get(then, "state"), scene->unit->state);
    expect_calls(scene, then);
    expect_list(scene, "requests", charm_value_get(then, "requests"),
                lab_connect_requests(lab_rest_connect(scene->rest)));
    expect(scene, "connectors", charm_value_get(then, "connectors"),
           lab_connect_connectors(lab_rest_connect(scene->rest)));
    expect_action(scene, charm_value_get(then, "action"));
    expect_lines(scene, "story", "out", charm_value_get(then, "story"));
    expect_log(scene, charm_value_get(then, "log"));
}

/* ---- never ---- */

static const struct charm_value *never_of(const struct lab_scene *scene, const char *key)
{
    return charm_value_path(scene->file, "never", key, NULL);
}

static void forbid(struct lab_scene *scene, const char *what, const struct charm_value *patterns,
                   const char *actual)
{
    for (size_t i = 0; i < charm_value_size(patterns); i++) {
        const char *pattern = charm_text(charm_value_at(patterns, i));
        if (lab_match(pattern, actual)) {
            lab_scene_problem(scene, "never: %s %s, and there was %.300s", what, pattern, actual);
        }
    }
}

void lab_scene_watch(struct lab_scene *scene, const struct lab_unit *unit)
{
    const char *status = status_of(scene, unit);
    charmi_buf_addf(&scene->written, "%s\n", status);
    forbid(scene, "status", never_of(scene, "statuses"), status);
    if (charm_value_size(never_of(scene, "flags")) > 0) {
        const struct charm_value *flags = flags_now(scene, unit);
        for (size_t i = 0; i < charm_value_size(flags); i++) {
            forbid(scene, "flag", never_of(scene, "flags"), charm_text(charm_value_at(flags, i)));
        }
    }
    CHARM_EACH(never_of(scene, "bag"), it)
    {
        const struct charm_value *bag = lab_scene_own_bag(scene, unit, it.key);
        for (size_t i = 0; i < charm_value_size(it.value); i++) {
            const char *key = charm_text(charm_value_at(it.value, i));
            if (charm_value_get(bag, key) != NULL) {
                lab_scene_problem(scene, "never: key %s in the own bag on %s, and %s put it there",
                                  key, it.key, unit->name);
            }
        }
    }
}

static void forbid_calls(struct lab_scene *scene)
{
    const struct charm_value *calls = list_calls(scene);
    const struct charm_value *requests = lab_connect_requests(lab_rest_connect(scene->rest));
    for (size_t i = 0; i < charm_value_size(calls); i++) {
        forbid(scene, "tool", never_of(scene, "tools"), charm_text(charm_value_at(calls, i)));
    }
    for (size_t i = 0; i < charm_value_size(requests); i++) {
        forbid(scene, "request", never_of(scene, "requests"),
               charm_text(charm_value_at(requests, i)));
    }
}

/* What the charm keeps for itself: state of units and application, records; and what an action was told. */
static void gather_kept(struct lab_scene *scene, struct charmi_buf *to)
{
    struct charm_arena *arena = scene->arena;
    for (struct lab_unit *unit = scene->app->units; unit != NULL; unit = unit->next) {
        charmi_buf_addf(to, "%s\n", charm_value_render(arena, unit->state, CHARM_JSON_COMPACT));
        CHARM_EACH(lab_scene_records(scene, unit), it)
        {
            charmi_buf_addf(to, "%s\n", charm_text(it.value));
        }
    }
    charmi_buf_addf(
        to, "%s\n%s\n", charm_value_render(arena, lab_scene_app_state(scene), CHARM_JSON_COMPACT),
        scene->task == NULL ? ""
                            : charm_value_render(arena, scene->task->results, CHARM_JSON_COMPACT));
}

static void gather_bags(struct lab_scene *scene, struct charmi_buf *to)
{
    for (struct lab_unit *unit = scene->app->units; unit != NULL; unit = unit->next) {
        for (struct lab_relation *r = scene->model->relations; r != NULL; r = r->next) {
            const struct lab_side *own = lab_relation_own(r, scene->app);
            const char *endpoint = own == NULL ? "" : own->endpoint;
            charmi_buf_addf(to, "%s\n",
                            charm_value_render(scene->arena,
                                               lab_scene_own_bag(scene, unit, endpoint),
                                               CHARM_JSON_COMPACT));
        }
    }
}

static void forbid_in(struct lab_scene *scene, const char *key, const struct charmi_buf *written)
{
    const struct charm_value *texts = never_of(scene, key);
    for (size_t i = 0; i < charm_value_size(texts); i++) {
        const char *text = charm_text(charm_value_at(texts, i));
        const char *found = memmem(written->data, written->size, text, strlen(text));
        if (found != NULL) {
            const size_t before = (size_t)(found - written->data);
            const size_t start = before > 120 ? before - 120 : 0;
            lab_scene_problem(scene, "never: text %s, and it was written: ...%.*s...", text, 300,
                              written->data + start);
        }
    }
}

static void forbid_texts(struct lab_scene *scene)
{
    charmi_auto_buf struct charmi_buf kept = charmi_buf_init(LARGEST_KEPT);
    gather_kept(scene, &kept);
    forbid_in(scene, "kept", &kept);
    charmi_buf_add_n(&scene->written, kept.data, kept.size);
    gather_bags(scene, &scene->written);
    forbid_in(scene, "texts", &scene->written);
}

void lab_scene_never(struct lab_scene *scene, const struct charm_value *never)
{
    if (never == NULL) {
        return;
    }
    forbid_calls(scene);
    forbid_texts(scene);
}
