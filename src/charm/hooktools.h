/*
 * charm/hooktools.h: calls of Juju's hook tools, each with a deadline and a ceiling, each noted.
 *
 * Invariants. Reads ask for JSON. Free text stands behind `--`. A document goes through standard input in a form
 * that is JSON and YAML 1.1 at once, since Juju reads it as YAML (juju-contract.md 3.1). Errors name the tool,
 * its arguments without values and secrets, the exit code and what the tool said. An exit code other than 0 is
 * CHARM_EREFUSED; a tool that could not be run, or did not end, has its own code.
 *
 *     const struct charm_value *ids = NULL;
 *     r = charmi_tool_read(tools, CHARMI_ARGV("relation-ids", "--format=json", "kafka"), &ids, &error);
 *
 * May include: charm/{ports,redact,value}.h.
 */
#ifndef CHARMI_HOOKTOOLS_H
#define CHARMI_HOOKTOOLS_H

#include <stdint.h>

#include "charm/error.h"
#include "charm/ports.h"
#include "charm/redact.h"
#include "charm/value.h"

#define CHARMI_ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* A call that was made, for the story. */
struct charmi_tool_note {
    const char *line; /* tool and arguments, without secrets */
    int64_t took_ms;
    int exit_code;   /* -1: it did not run to an end */
    bool writes;     /* it changes something outside */
    size_t in_bytes; /* of standard input */
};

struct charmi_tools {
    const struct charm_ports *ports;
    struct charm_arena *arena;
    const struct charmi_secrets *secrets; /* may grow during the run */
    struct charmi_tool_note *notes;
    size_t note_count;
    size_t note_capacity;
};

/* What a tool may answer. `null` is how some versions of Juju write an empty list or map. */
enum charmi_answer {
    CHARMI_ANSWER_BOOL,
    CHARMI_ANSWER_TEXT,  /* a text, a list of texts, or null */
    CHARMI_ANSWER_TEXTS, /* a list of texts; null is an empty one */
    CHARMI_ANSWER_MAP,   /* null is an empty one */
    CHARMI_ANSWER_BAG,   /* a map of texts; null is an empty one */
};

/*
 * The tool's answer as a value of this form, owned by the arena. Another form, no output or half of one is CHARM_EPARSE:
 * a cut answer must never count as "there is nothing".
 */
CHARM_MUST_CHECK int charmi_tool_read(struct charmi_tools *tools, const char *const *argv,
                                      enum charmi_answer form, const struct charm_value **ret_value,
                                      struct charm_error *reterr);
/* A tool that changes something; `document` (may be NULL) is what it reads on standard input. */
CHARM_MUST_CHECK int charmi_tool_write(struct charmi_tools *tools, const char *const *argv,
                                       const struct charm_value *document,
                                       struct charm_error *reterr);

/* A map of texts as JSON that a YAML 1.1 parser reads as the same map. Pure. */
const char *charmi_tool_document(struct charm_arena *arena, const struct charm_value *map);
/* Tool and arguments on one line for people. Pure. */
const char *charmi_tool_line(struct charm_arena *arena, const struct charmi_secrets *secrets,
                             const char *const *argv);

#endif
