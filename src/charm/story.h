/*
 * charm/story.h: what happened in a run, as a value that can be kept, and as text for people.
 *
 * Pure. The record is a JSON map without secrets:
 *   format, run, unit, hook, kind, at, took_ms, leader, term, error, cut
 *   facts: [text], relations and units as they were read     derived: [flag]     flags: [flag] at the end
 *   ran:     [{row, in, why, result}]       in: "hooks", or the number of the iteration; why: the flag that woke it
 *   changed: [{flag, set, by, cause}]
 *   stopped: [{row, by}]                    by: the guard in words
 *   effects: [text]     trace: [text]       tools: [{call, ms, exit, writes}]
 * Texts are rendered from records alone, so that a kept record reads as the run itself did.
 *
 * May include: charm/{dispatch,hooktools,redact}.h.
 */
#ifndef CHARMI_STORY_H
#define CHARMI_STORY_H

#include "charm/dispatch.h"
#include "charm/hooktools.h"
#include "charm/redact.h"

/* Most bytes of a record that is kept. */
#define CHARMI_RECORD_MAX_BYTES ((size_t)64 * 1024)

struct charmi_story {
    struct charm_arena *arena;
    struct charm_value *record;
    struct charm_value *ran;
    struct charm_value *changed;
    struct charm_value *effects;
    struct charm_value *trace;
    const char **why; /* by entry index: the flag that queued it, or NULL */
};

void charmi_story_begin(struct charmi_story *story, struct charm_arena *arena, size_t rows);
/* The observer of dispatch: rows that ran, flags that changed. */
void charmi_story_event(struct charmi_story *story, const struct charmi_event *event);
void charmi_story_trace(struct charmi_story *story, const char *text);
void charmi_story_effect(struct charmi_story *story, const char *text);
void charmi_story_stopped(struct charmi_story *story, const char *row, const char *by);
void charmi_story_tools(struct charmi_story *story, const struct charmi_tools *tools);
/* The record without secrets. */
const struct charm_value *charmi_story_end(struct charmi_story *story,
                                           const struct charmi_secrets *secrets);

enum charmi_story_detail {
    CHARMI_STORY_COMPACT,
    CHARMI_STORY_FULL, /* every tool call, transition and trace line */
};
/* Lines, each with its end of line. */
const char *charmi_story_text(struct charm_arena *arena, const struct charm_value *record,
                              enum charmi_story_detail detail);
/* JSON text of at most CHARMI_RECORD_MAX_BYTES: the longest lists are cut, and the record says so. */
const char *charmi_story_record_text(struct charm_arena *arena, const struct charm_value *record);
/* Did the run neither write nor change anything? */
bool charmi_story_is_steady(const struct charm_value *record);
/* "2026-11-22T21:40:00Z" */
const char *charmi_story_time(struct charm_arena *arena, int64_t wall_ms);

#endif
