/* The log, as juju debug-log has it, and the table of hooks. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"
#include "lab/daemon.h"

enum { LONGEST_CALL = 160 };

int64_t lab_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t lab_steady_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void lab_journal_open(struct lab_daemon *daemon)
{
    const char *path = charm_arena_printf(daemon->arena, "%s/log", daemon->dir);
    daemon->log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    daemon->runs = charm_value_new_list(daemon->arena);
}

const char *lab_journal_text(struct charm_arena *arena, const struct lab_line *line)
{
    const time_t seconds = (time_t)(line->time_ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    char clock[16];
    strftime(clock, sizeof(clock), "%H:%M:%S", &parts);
    char *tag = charm_arena_printf(arena, "%s%s", line->unit[0] == '\0' ? "" : "unit-",
                                   line->unit[0] == '\0' ? "controller-0" : line->unit);
    for (char *c = tag; *c != '\0'; c++) {
        *c = (char)(*c == '/' ? '-' : *c);
    }
    return charm_arena_printf(arena, "%s: %s %s %s %s", tag, clock, line->level, line->module,
                              line->text);
}

static void write_line(const struct lab_daemon *daemon, const struct lab_line *line)
{
    struct charm_arena *scratch = charm_arena_new();
    const char *text = charm_arena_printf(scratch, "%s\n", lab_journal_text(scratch, line));
    if (daemon->log_fd >= 0) {
        CHARMI_IGNORE(write(daemon->log_fd, text, strlen(text)) < 0,
                      "the log in memory is the log");
    }
    charm_arena_free(scratch);
}

void lab_journal_add(struct lab_daemon *daemon, const char *unit, const char *level,
                     const char *module, const char *text)
{
    if (daemon->line_count == daemon->line_capacity) {
        daemon->line_capacity = 2 * daemon->line_capacity + 256;
        daemon->lines = charmi_realloc(
            daemon->lines, charmi_multiply(daemon->line_capacity, sizeof(*daemon->lines)));
    }
    struct lab_line *line = &daemon->lines[daemon->line_count++];
    *line = (struct lab_line){
        .time_ms = lab_clock_ms(),
        .unit = charm_arena_copy(daemon->arena, unit == NULL ? "" : unit),
        .level = charm_arena_copy(daemon->arena, level),
        .module = charm_arena_copy(daemon->arena, module),
        .text = charm_arena_copy(daemon->arena, text),
    };
    write_line(daemon, line);
}

struct charm_value *lab_journal_run(struct lab_daemon *daemon, const char *unit, const char *name,
                                    const char *kind)
{
    struct charm_value *run = charm_value_append_map(daemon->runs);
    charm_value_set_int(run, "number", (int64_t)charm_value_size(daemon->runs));
    charm_value_set_text(run, "unit", unit);
    charm_value_set_text(run, "name", name);
    charm_value_set_text(run, "kind", kind);
    charm_value_set_int(run, "started-ms", lab_clock_ms());
    charm_value_set_text(run, "result", "running");
    charm_value_set_int(run, "us", 0);
    charm_value_add_list(run, "calls");
    return run;
}

void lab_journal_call(struct charm_value *run, const char *text, int code, int64_t offset_us,
                      int64_t duration_us)
{
    struct charm_value *calls =
        (struct charm_value *)(uintptr_t)charm_value_get(run, "calls"); /* made by us, above */
    struct charm_value *call = charm_value_append_map(calls);
    char shown[LONGEST_CALL + 4];
    snprintf(shown, sizeof(shown), "%.*s%s", (int)LONGEST_CALL, text,
             strlen(text) > LONGEST_CALL ? "..." : "");
    charm_value_set_text(call, "tool", shown);
    charm_value_set_int(call, "code", code);
    charm_value_set_int(call, "at-us", offset_us);
    charm_value_set_int(call, "us", duration_us);
}

void lab_journal_run_end(struct charm_value *run, const char *result, int64_t duration_us)
{
    charm_value_set_text(run, "result", result);
    charm_value_set_int(run, "us", duration_us);
}
