/*
 * charm/ports.h: the outside of a charm as functions: hook tools, files, clock, log, randomness.
 *
 * Invariants. libcharm touches nothing by itself: it is given one struct of these. The real ones are in the target
 * charm-runtime (edge/juju); the lab has others. Each function gets `userdata` first. Outputs are owned by the arena
 * that the caller passes. All times are milliseconds.
 *
 *     static int64_t noon(void *userdata) { return 1767268800000; }
 *     struct charm_ports ports = real_ports;
 *     ports.now_ms = noon;
 *
 * May include: charm/value.h.
 */
#ifndef CHARM_PORTS_H
#define CHARM_PORTS_H

#include <stddef.h>
#include <stdint.h>

#include "charm/value.h"

#ifdef __cplusplus
extern "C" {
#endif

enum charm_log_level { CHARM_LOG_DEBUG, CHARM_LOG_INFO, CHARM_LOG_WARNING, CHARM_LOG_ERROR };

/* One call of a hook tool. argv[0] is the tool's name; no shell is involved. */
struct charm_tool_call {
    const char *const *argv; /* ended by NULL */
    const char *stdin_text;  /* NULL: /dev/null */
    size_t stdin_size;
    size_t max_output_bytes; /* ceiling of standard output; more is CHARM_ETOOBIG */
    int64_t timeout_ms;
};

struct charm_tool_answer {
    int exit_code;
    const char *out; /* NUL-terminated, may hold NULs inside */
    size_t out_size;
    const char *err; /* first bytes of standard error, one line */
};

struct charm_ports {
    void *userdata;
    /*
     * Runs a hook tool and waits. Returns 0 whenever the tool ran to an end, also with a non-zero exit code; fails
     * when it could not be started (CHARM_ENOTFOUND), ran out of time (CHARM_ETIMEOUT), was killed, or said too much.
     */
    int (*tool)(void *userdata, struct charm_arena *arena, const struct charm_tool_call *call,
                struct charm_tool_answer *ret_answer, struct charm_error *reterr);
    /* Whole file. CHARM_ENOTFOUND when there is none, CHARM_ETOOBIG beyond max_bytes. */
    int (*file_read)(void *userdata, struct charm_arena *arena, const char *path, size_t max_bytes,
                     const char **ret_bytes, size_t *ret_size, struct charm_error *reterr);
    /* Replaces a file at once (temporary file, rename), mode 0600; makes its folder (0700) if missing. It need not outlive
     * a power cut. */
    int (*file_write)(void *userdata, const char *path, const char *bytes, size_t size,
                      struct charm_error *reterr);
    /* One YAML or JSON document as a value; YAML 1.1 scalars as people expect (true, 5, text). */
    int (*yaml_parse)(void *userdata, struct charm_arena *arena, const char *text, size_t size,
                      struct charm_value **ret_value, struct charm_error *reterr);
    /* The same, but a plain scalar that is not null stays the text that was written: 0x10, 1.10, yes. May be NULL. */
    int (*yaml_texts)(void *userdata, struct charm_arena *arena, const char *text, size_t size,
                      struct charm_value **ret_value, struct charm_error *reterr);
    int64_t (*now_ms)(void *userdata);       /* wall clock since 1970-01-01T00:00Z */
    int64_t (*monotonic_ms)(void *userdata); /* for durations */
    void (*sleep_ms)(void *userdata, int64_t ms);
    void (*log)(void *userdata, enum charm_log_level level, const char *text);
    uint64_t (*random)(void *userdata);
};

#ifdef __cplusplus
}
#endif
#endif
