/*
 * lab/tools.h: what the hook tools mean: (context, arguments, stdin) -> (code, stdout, stderr).
 *
 * Pure as the model is: both skins call it, one for each request on a socket, the other in its own process.
 * What follows Juju to the letter cites contract 3.N and 9.N; each tool is one row of a table.
 *
 *     const char *const argv[] = { "config-get", "--format=json", "workers", NULL };
 *     const struct lab_tool_call call = { .argv = argv };
 *     struct lab_tool_result result;
 *     lab_tool_run(context, arena, &call, &result);
 *
 * May include: lab/context.h, lab/yaml.h.
 */
#ifndef LAB_TOOLS_H
#define LAB_TOOLS_H

#include <stddef.h>

#include "lab/context.h"

struct lab_tool_call {
    const char *const *argv; /* argv[0] is the tool's name; NULL-ended */
    const char *input;       /* standard input, or NULL: not sent yet */
    size_t input_size;
    /* Reads a file as the agent would (relation-set --file F); NULL: there are no files. */
    int (*read_file)(void *userdata, struct charm_arena *arena, const char *path,
                     const char **ret_text, size_t *ret_size, struct charm_error *reterr);
    void *userdata;
};

struct lab_tool_result {
    int code; /* exit status: contract 3.1 */
    const char *out;
    size_t out_size;
    const char *err;
    bool wants_input;        /* ask again, with standard input; nothing has been done */
    const char *output_file; /* -o FILE: stdout goes there, written by the agent; else NULL */
};

/* What it returns lives in `arena`, which the caller owns. */
void lab_tool_run(struct lab_context *context, struct charm_arena *arena,
                  const struct lab_tool_call *call, struct lab_tool_result *ret_result);
/* Names of all the tools, NULL-ended. */
const char *const *lab_tool_names(void);

#endif
