/*
 * lab/tools_internal.h: how a hook tool is written.
 *
 * A tool is a row {name, flags, takes a format, function}. Its function finds flags and positional arguments
 * parsed, and ends with one of lab_tool_print(), lab_tool_done(), lab_tool_fail() or lab_tool_usage().
 */
#ifndef LAB_TOOLS_INTERNAL_H
#define LAB_TOOLS_INTERNAL_H

#include "base/text.h"
#include "lab/tools.h"

enum lab_flag_kind { LAB_FLAG_END, LAB_FLAG_BOOL, LAB_FLAG_TEXT };

struct lab_flag {
    const char *name;  /* "relation" */
    const char *alias; /* "r", or NULL */
    enum lab_flag_kind kind;
};

enum lab_output {
    LAB_OUTPUT_NONE,
    LAB_OUTPUT_ANY,  /* smart by default, yaml, json */
    LAB_OUTPUT_YAML, /* yaml by default, json */
};

enum { LAB_MOST_FLAGS = 8 };

struct lab_tool;

/* One call in progress. */
struct lab_call {
    const struct lab_tool *tool;
    struct lab_context *context;
    struct charm_arena *arena;
    const struct lab_tool_call *request;
    struct lab_tool_result *result;
    const char
        *values[LAB_MOST_FLAGS];   /* by the flag's place in the row; booleans are "true" or NULL */
    const char *format;            /* "smart", "yaml", "json" */
    const char *warning;           /* on stderr, without a newline (contract 9.10) */
    struct charmi_words args;      /* positional */
    struct lab_relation *relation; /* of -r, or of the hook; NULL: none */
};

typedef void lab_tool_fn(struct lab_call *call);

struct lab_tool {
    const char *name;
    lab_tool_fn *run;
    enum lab_output output;
    bool format_ignored; /* takes --format, and warns */
    bool until_3;        /* gone in Juju 4 */
    bool from_3;         /* not there in Juju 2.9 */
    struct lab_flag flags[LAB_MOST_FLAGS];
};

/* The tables, each ended by a row without a name. */
extern const struct lab_tool lab_tools_relation[];
extern const struct lab_tool lab_tools_unit[];
extern const struct lab_tool lab_tools_state[];
extern const struct lab_tool lab_tools_port[];
extern const struct lab_tool lab_tools_action[];
extern const struct lab_tool lab_tools_secret[];

/* Value of a flag: its text, "true" for a boolean that is on, NULL when it is off or absent. */
const char *lab_flag(const struct lab_call *call, const char *name);
/* The positional argument at `index`, or NULL. */
const char *lab_arg(const struct lab_call *call, size_t index);
/* False, after it has failed the call, if there are more than `most` positional arguments. */
bool lab_args_at_most(struct lab_call *call, size_t most);

/* Finds the relation of -r or of the hook. False, after it has failed the call, if there is none. */
bool lab_need_relation(struct lab_call *call);

/* Exit 0 and a value in the format asked for; NULL prints as "nothing" (contract 3.1). */
void lab_tool_print(struct lab_call *call, const struct charm_value *value);
void lab_tool_done(struct lab_call *call);
/* Exit 1: it ran and failed. */
void lab_tool_fail(struct lab_call *call, const char *format, ...) CHARM_PRINTF(2, 3);
/* Exit 2: bad flags or arguments. */
void lab_tool_usage(struct lab_call *call, const char *format, ...) CHARM_PRINTF(2, 3);

/*
 * key=value arguments from `first` on, and before them those of --file: contract 3.1. False, after it has
 * failed the call (or asked for stdin), if they are bad.
 */
bool lab_tool_pairs(struct lab_call *call, size_t first, struct charm_value **ret_pairs);
/* "\"a\" \"b\"": texts as Go's %q prints a list of them, without the brackets. */
const char *lab_quoted(struct charm_arena *arena, const struct charmi_words *words, size_t first);

#endif
