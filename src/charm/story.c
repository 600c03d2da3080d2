#include "charm/story.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "charm/state.h"

#define RECORD_FORMAT 1
/* A charm that writes more lines than this into its story writes a novel. */
#define TRACE_LINES_MAX 500
#define TEXT_MAX_BYTES ((size_t)4 * 1024 * 1024)

void charmi_story_begin(struct charmi_story *story, struct charm_arena *arena, size_t rows)
{
    *story = (struct charmi_story){
        .arena = arena,
        .record = charm_value_new_map(arena),
        .why = charm_arena_array(arena, rows + 1, sizeof(const char *)),
    };
    charm_value_set_int(story->record, "format", RECORD_FORMAT);
    story->ran = charm_value_add_list(story->record, "ran");
    story->changed = charm_value_add_list(story->record, "changed");
    story->effects = charm_value_add_list(story->record, "effects");
    story->trace = charm_value_add_list(story->record, "trace");
    charm_value_add_list(story->record, "stopped");
}

/* ---- gathering ---- */

static const char *result_name(enum charm_result result)
{
    switch (result) {
    case CHARM_DONE:
        return "done";
    case CHARM_LATER:
        return "later";
    case CHARM_FAILED:
        return "failed";
    }
    return "failed";
}

static void add_run(struct charmi_story *story, const struct charmi_event *event)
{
    struct charm_value *item = charm_value_append_map(story->ran);
    charm_value_set_text(item, "row", event->entry->id);
    if (event->phase == CHARMI_PHASE_OTHER) {
        charm_value_setf(item, "in", "%zu", event->iteration);
    } else {
        charm_value_set_text(item, "in",
                             event->phase == CHARMI_PHASE_ACTION       ? "action"
                             : event->phase == CHARMI_PHASE_RESTRICTED ? "restricted"
                                                                       : "hooks");
    }
    if (story->why[event->entry->index] != NULL) {
        charm_value_set_text(item, "why", story->why[event->entry->index]);
    }
    charm_value_set_text(item, "result", result_name(event->result));
}

static void add_change(struct charmi_story *story, const struct charmi_event *event)
{
    struct charm_value *item = charm_value_append_map(story->changed);
    charm_value_set_text(item, "flag", event->flag);
    charm_value_set_bool(item, "set", event->kind == CHARMI_EVENT_SET);
    if (event->entry != NULL) {
        charm_value_set_text(item, "by", event->entry->id);
    }
    if (event->cause != NULL) {
        charm_value_set_text(item, "cause", event->cause);
    }
}

void charmi_story_event(struct charmi_story *story, const struct charmi_event *event)
{
    switch (event->kind) {
    case CHARMI_EVENT_QUEUED:
        story->why[event->entry->index] = event->flag;
        break;
    case CHARMI_EVENT_RAN:
        add_run(story, event);
        break;
    case CHARMI_EVENT_SET:
    case CHARMI_EVENT_CLEARED:
        add_change(story, event);
        break;
    case CHARMI_EVENT_PHASE:
    case CHARMI_EVENT_DROPPED:
    case CHARMI_EVENT_STARTS:
        break;
    }
}

void charmi_story_trace(struct charmi_story *story, const char *text)
{
    if (charm_value_size(story->trace) < TRACE_LINES_MAX) {
        charm_value_append_text(story->trace, text);
    }
}

void charmi_story_effect(struct charmi_story *story, const char *text)
{
    charm_value_append_text(story->effects, text);
}

static struct charm_value *list_of(struct charmi_story *story, const char *key)
{
    return (struct charm_value *)(uintptr_t)charm_value_get(story->record, key);
}

void charmi_story_stopped(struct charmi_story *story, const char *row, const char *by)
{
    struct charm_value *item = charm_value_append_map(list_of(story, "stopped"));
    charm_value_set_text(item, "row", row);
    charm_value_set_text(item, "by", by);
}

void charmi_story_tools(struct charmi_story *story, const struct charmi_tools *tools)
{
    struct charm_value *list = charm_value_add_list(story->record, "tools");
    for (size_t i = 0; i < tools->note_count; i++) {
        struct charm_value *item = charm_value_append_map(list);
        charm_value_set_text(item, "call", tools->notes[i].line);
        charm_value_set_int(item, "ms", tools->notes[i].took_ms);
        charm_value_set_int(item, "exit", tools->notes[i].exit_code);
        if (tools->notes[i].writes) {
            charm_value_set_bool(item, "writes", true);
        }
    }
}

/* A copy of a value with each text redacted; keys are our own. */
static const struct charm_value *redacted(struct charm_arena *arena,
                                          const struct charmi_secrets *secrets,
                                          const struct charm_value *value)
{
    if (charm_value_kind(value) == CHARM_STRING) {
        return charm_value_new_text(arena, charmi_redact(arena, secrets, charm_text(value)));
    }
    if (charm_value_kind(value) == CHARM_LIST) {
        struct charm_value *list = charm_value_new_list(arena);
        for (size_t i = 0; i < charm_value_size(value); i++) {
            charm_value_append(list, redacted(arena, secrets, charm_value_at(value, i)));
        }
        return list;
    }
    if (charm_value_kind(value) == CHARM_MAP) {
        struct charm_value *map = charm_value_new_map(arena);
        CHARM_EACH(value, it)
        {
            charm_value_set(map, it.key, redacted(arena, secrets, it.value));
        }
        return map;
    }
    return value;
}

const struct charm_value *charmi_story_end(struct charmi_story *story,
                                           const struct charmi_secrets *secrets)
{
    return secrets->words.size == 0 ? story->record
                                    : redacted(story->arena, secrets, story->record);
}

bool charmi_story_is_steady(const struct charm_value *record)
{
    return charm_value_get(record, "error") == NULL &&
           charm_value_size(charm_value_get(record, "effects")) == 0 &&
           charm_value_size(charm_value_get(record, "changed")) == 0;
}

const char *charmi_story_time(struct charm_arena *arena, int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;
    char text[40] = "";
    if (gmtime_r(&seconds, &parts) != NULL) {
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    }
    return charm_arena_copy(arena, text);
}

/* ---- as text ---- */

static const char *text_of(const struct charm_value *map, const char *key)
{
    return charm_text(charm_value_get(map, key));
}

static void add_count(struct charmi_buf *buf, const struct charm_value *list, const char *one,
                      const char *several)
{
    size_t count = charm_value_size(list);
    charmi_buf_addf(buf, " %zu %s,", count, count == 1 ? one : several);
}

static void add_head(struct charmi_buf *buf, const struct charm_value *record)
{
    const char *hook = text_of(record, "hook");
    int64_t term = charm_value_int(charm_value_get(record, "term"), 0);
    charmi_buf_addf(buf, "%s%s on %s",
                    strcmp(text_of(record, "kind"), "action") == 0 ? "action " : "",
                    hook[0] == '\0' ? "(no hook)" : hook, text_of(record, "unit"));
    if (charm_value_true(charm_value_get(record, "leader"))) {
        charmi_buf_add(buf, ", leader");
    }
    if (term > 0) {
        charmi_buf_addf(buf, ", term %lld", (long long)term);
    }
    charmi_buf_add_char(buf, ':');
    add_count(buf, charm_value_get(record, "ran"), "row ran", "rows ran");
    add_count(buf, charm_value_get(record, "changed"), "flag change", "flag changes");
    add_count(buf, charm_value_get(record, "effects"), "effect", "effects");
    add_count(buf, charm_value_get(record, "tools"), "hook tool call", "hook tool calls");
    charmi_buf_addf(buf, " %lld ms\n",
                    (long long)charm_value_int(charm_value_get(record, "took_ms"), 0));
}

static void add_words(struct charmi_buf *buf, const char *label, const struct charm_value *list)
{
    if (charm_value_size(list) == 0) {
        return;
    }
    charmi_buf_addf(buf, "  %s:", label);
    for (size_t i = 0; i < charm_value_size(list); i++) {
        charmi_buf_addf(buf, " %s", charm_text(charm_value_at(list, i)));
    }
    charmi_buf_add_char(buf, '\n');
}

static void add_ran(struct charmi_buf *buf, const struct charm_value *list)
{
    for (size_t i = 0; i < charm_value_size(list); i++) {
        const struct charm_value *item = charm_value_at(list, i);
        const char *why = text_of(item, "why");
        charmi_buf_addf(buf, "  ran %s [%s]: %s", text_of(item, "row"), text_of(item, "in"),
                        text_of(item, "result"));
        if (why[0] != '\0') {
            charmi_buf_addf(buf, ", woken by %s", why);
        }
        charmi_buf_add_char(buf, '\n');
    }
}

static void add_changed(struct charmi_buf *buf, const struct charm_value *list)
{
    for (size_t i = 0; i < charm_value_size(list); i++) {
        const struct charm_value *item = charm_value_at(list, i);
        const char *by = text_of(item, "by");
        const char *cause = text_of(item, "cause");
        charmi_buf_addf(buf, "  flag %s %s", text_of(item, "flag"),
                        charm_value_true(charm_value_get(item, "set")) ? "set" : "cleared");
        charmi_buf_addf(buf, "%s%s", by[0] == '\0' ? "" : " by ", by);
        charmi_buf_addf(buf, "%s%s\n", cause[0] == '\0' ? "" : ", triggered by ", cause);
    }
}

static void add_stopped(struct charmi_buf *buf, const struct charm_value *list)
{
    for (size_t i = 0; i < charm_value_size(list); i++) {
        const struct charm_value *item = charm_value_at(list, i);
        charmi_buf_addf(buf, "  not %s: %s\n", text_of(item, "row"), text_of(item, "by"));
    }
}

static void add_lines(struct charmi_buf *buf, const char *label, const struct charm_value *list)
{
    for (size_t i = 0; i < charm_value_size(list); i++) {
        charmi_buf_addf(buf, "  %s %s\n", label, charm_text(charm_value_at(list, i)));
    }
}

static void add_tool(struct charmi_buf *buf, const struct charm_value *item)
{
    int64_t code = charm_value_int(charm_value_get(item, "exit"), 0);
    charmi_buf_addf(buf, "%s %lld ms", text_of(item, "call"),
                    (long long)charm_value_int(charm_value_get(item, "ms"), 0));
    if (code != 0) {
        charmi_buf_addf(buf, " (exit %lld)", (long long)code);
    }
}

/* One line with all calls, or a line for each. */
static void add_tools(struct charmi_buf *buf, const struct charm_value *list,
                      enum charmi_story_detail detail)
{
    size_t count = charm_value_size(list);
    for (size_t i = 0; i < count; i++) {
        bool first = i == 0 || detail == CHARMI_STORY_FULL;
        bool last = i + 1 == count || detail == CHARMI_STORY_FULL;
        charmi_buf_add(buf, first ? "  tool " : "; ");
        add_tool(buf, charm_value_at(list, i));
        charmi_buf_add(buf, last ? "\n" : "");
    }
}

const char *charmi_story_text(struct charm_arena *arena, const struct charm_value *record,
                              enum charmi_story_detail detail)
{
    struct charmi_buf buf = charmi_buf_init(TEXT_MAX_BYTES);
    add_head(&buf, record);
    add_words(&buf, "facts", charm_value_get(record, "facts"));
    add_words(&buf, "derived", charm_value_get(record, "derived"));
    add_ran(&buf, charm_value_get(record, "ran"));
    add_changed(&buf, charm_value_get(record, "changed"));
    add_stopped(&buf, charm_value_get(record, "stopped"));
    if (detail == CHARMI_STORY_FULL) {
        add_words(&buf, "flags at the end", charm_value_get(record, "flags"));
        add_lines(&buf, "trace", charm_value_get(record, "trace"));
    }
    add_lines(&buf, "effect", charm_value_get(record, "effects"));
    add_tools(&buf, charm_value_get(record, "tools"), detail);
    if (charm_value_get(record, "error") != NULL) {
        charmi_buf_addf(&buf, "  failed: %s\n", text_of(record, "error"));
    }
    return charmi_buf_into(&buf, arena);
}

/* ---- as a record ---- */

/* The lists that go first when a record is too long. */
static const char *const cut_order[] = { "trace", "tools",   "facts", "changed", "stopped",
                                         "ran",   "derived", "flags", "effects", NULL };

const char *charmi_story_record_text(struct charm_arena *arena, const struct charm_value *record)
{
    const char *text = charm_value_render(arena, record, CHARM_JSON_COMPACT);
    if (strlen(text) <= CHARMI_RECORD_MAX_BYTES) {
        return text;
    }
    struct charm_value *cut = charm_value_copy(arena, record);
    struct charm_value *missing = charm_value_add_list(cut, "cut");
    for (const char *const *key = cut_order; *key != NULL; key++) {
        charm_value_remove(cut, *key);
        charm_value_append_text(missing, *key);
        text = charm_value_render(arena, cut, CHARM_JSON_COMPACT);
        if (strlen(text) <= CHARMI_RECORD_MAX_BYTES) {
            break;
        }
    }
    return text;
}
