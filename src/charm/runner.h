/*
 * charm/runner.h: one run from its start to its end, and the services that a command line needs.
 *
 * Invariants. The run touches the outside only through the ports it is given. It writes nothing before all rows
 * and outputs are computed; when it fails, nothing of it is left for Juju to commit. It prints nothing: its story
 * is a text that the caller prints (in a hook on standard output, in an action on standard error).
 *
 *     struct charm_run *run = charmi_run_new(&(struct charmi_run_input){
 *         .ports = &ports, .layers = layers, .context = &context, .files = files });
 *     int r = charm_run(run, &error);
 *     fputs(charmi_run_story(run), context.kind == CHARM_KIND_ACTION ? stderr : stdout);
 *     charmi_run_free(run);
 *     return r < 0 ? 1 : 0;         (and print error.text once on standard error)
 *
 * May include: charm/{charmfiles,environment,run,table}.h.
 */
#ifndef CHARMI_RUNNER_H
#define CHARMI_RUNNER_H

#include "charm/charmfiles.h"
#include "charm/environment.h"
#include "charm/run.h"
#include "charm/table.h"

/* All borrowed until charmi_run_free(). */
struct charmi_run_input {
    const struct charm_ports *ports;
    const struct charm_layer *const *layers;
    const struct charm_context *context;
    const struct charm_files *files;
    const struct charmi_table *table; /* of these layers and files; NULL: the run makes its own */
};

/* Own: release with charmi_run_free(), which accepts NULL. Cannot fail: bad tables are charm_run()'s error. */
struct charm_run *charmi_run_new(const struct charmi_run_input *input);
void charmi_run_free(struct charm_run *run);

/*
 * The whole run. 0: it ended well, Juju may commit (also an action that reported its failure to Juju). Negative:
 * exit with 1; the text says what was tried and what stopped it. Contexts of `juju exec` and of a hand are refused.
 */
CHARM_MUST_CHECK int charm_run(struct charm_run *run, struct charm_error *reterr);

/* Lines to print after charm_run(), each ended by a newline, without secrets: compact, or all with option trace. */
const char *charmi_run_story(struct charm_run *run);

/* ---- for the command line: no hook tool is called, nothing is written ---- */

/* The checked table of the layers, for whoever has many runs. The error names layer, row and field. */
CHARM_MUST_CHECK int charmi_layers_table(struct charm_arena *arena,
                                         const struct charm_layer *const *layers,
                                         const struct charm_files *files,
                                         const struct charmi_table **ret_table,
                                         struct charm_error *reterr);
/* Do the layers make a table? */
CHARM_MUST_CHECK int charmi_layers_check(const struct charm_layer *const *layers,
                                         const struct charm_files *files,
                                         struct charm_error *reterr);
/* Every row with its summary, guards and the flags it sets and clears, as text; owned by the arena. */
const char *charmi_handlers_text(struct charm_arena *arena,
                                 const struct charm_layer *const *layers);
/*
 * What the last recorded runs say of a row ("layer.row", or its name alone) or of a flag; NULL or "": of the last run
 * as a whole. CHARM_ENOTFOUND when there is no record yet, or nothing of that name.
 */
CHARM_MUST_CHECK int charmi_explain(struct charm_arena *arena, const struct charm_ports *ports,
                                    const struct charm_layer *const *layers, const char *charm_dir,
                                    const char *name, const char **ret_text,
                                    struct charm_error *reterr);

#endif
