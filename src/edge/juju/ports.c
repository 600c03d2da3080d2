#include "edge/juju/ports.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "edge/juju/clock.h"
#include "edge/juju/files.h"
#include "edge/juju/process.h"
#include "edge/juju/yaml.h"

static int tool(void *userdata, struct charm_arena *arena, const struct charm_tool_call *call,
                struct charm_tool_answer *ret_answer, struct charm_error *reterr)
{
    (void)userdata;
    return charmi_process_run(arena, call, ret_answer, reterr);
}

static int file_read(void *userdata, struct charm_arena *arena, const char *path, size_t max_bytes,
                     const char **ret_bytes, size_t *ret_size, struct charm_error *reterr)
{
    (void)userdata;
    /* The charm's own files may be links. Where we keep records (charm/records.h), one is not ours. */
    const bool record = strstr(path, "/.charm/") != NULL;
    return charmi_file_read(arena, path, max_bytes,
                            record ? CHARMI_LINKS_REFUSED : CHARMI_LINKS_FOLLOWED, ret_bytes,
                            ret_size, reterr);
}

static int file_write(void *userdata, const char *path, const char *bytes, size_t size,
                      struct charm_error *reterr)
{
    (void)userdata;
    return charmi_file_write(path, bytes, size, reterr);
}

static int yaml_parse(void *userdata, struct charm_arena *arena, const char *text, size_t size,
                      struct charm_value **ret_value, struct charm_error *reterr)
{
    (void)userdata;
    return charmi_yaml_parse(arena, text, size, ret_value, reterr);
}

static int yaml_texts(void *userdata, struct charm_arena *arena, const char *text, size_t size,
                      struct charm_value **ret_value, struct charm_error *reterr)
{
    (void)userdata;
    return charmi_yaml_texts(arena, text, size, ret_value, reterr);
}

static int64_t now_ms(void *userdata)
{
    (void)userdata;
    return charmi_now_ms();
}

static int64_t monotonic_ms(void *userdata)
{
    (void)userdata;
    return charmi_monotonic_ms();
}

static void sleep_ms(void *userdata, int64_t ms)
{
    (void)userdata;
    charmi_sleep_ms(ms);
}

static uint64_t random_number(void *userdata)
{
    (void)userdata;
    return charmi_random();
}

static void log_line(void *userdata, enum charm_log_level level, const char *text)
{
    const enum charm_run_kind *kind = userdata;
    const bool to_stdout = level <= CHARM_LOG_INFO && *kind != CHARM_KIND_ACTION;
    FILE *stream = to_stdout ? stdout : stderr;
    for (const char *c = text; *c != '\0'; c++) {
        putc((unsigned char)*c < 0x20 ? ' ' : *c, stream);
    }
    putc('\n', stream);
    fflush(stream);
}

struct charm_ports charmi_ports_real(const enum charm_run_kind *kind)
{
    return (struct charm_ports){
        /* Only read through a pointer to const, see log_line(). */
        .userdata = (void *)(uintptr_t)kind,
        .tool = tool,
        .file_read = file_read,
        .file_write = file_write,
        .yaml_parse = yaml_parse,
        .yaml_texts = yaml_texts,
        .now_ms = now_ms,
        .monotonic_ms = monotonic_ms,
        .sleep_ms = sleep_ms,
        .log = log_line,
        .random = random_number,
    };
}
