/*
 * kcb/actions.h: what an operator can ask about connectors: list, describe, restart.
 *
 * Names of connectors are values, never keys of results, since Juju allows only a few characters in keys. Every action
 * answers a readable `summary`. Guards of the rows: CHARM_ACTION of the name, KCB_RUNNING.
 *
 *     { .name = "list-connectors", .guards = CHARM_GUARDS({ CHARM_ACTION, CHARM_FLAGS("list-connectors") }),
 *       .run = kcbi_action_list_connectors },
 *
 * May include: charm/run.h.
 */
#ifndef KCBI_ACTIONS_H
#define KCBI_ACTIONS_H

#include "charm/run.h"

enum charm_result kcbi_action_list_connectors(struct charm_run *run, const struct charm_row *row);
enum charm_result kcbi_action_describe_connector(struct charm_run *run,
                                                 const struct charm_row *row);
enum charm_result kcbi_action_restart_connector(struct charm_run *run, const struct charm_row *row);

/* ---- pure ---- */
/* [{name, class, type, state, tasks: {running, failed, total}, managed}], sorted; `owned`: names that are the charm's. */
struct charm_value *kcbi_list_view(struct charm_arena *arena, const struct charm_value *live,
                                   const struct charm_value *owned);
/* A table for people of such a list. */
char *kcbi_list_summary(struct charm_arena *arena, const struct charm_value *list);
/* {name, class, type, state, worker, trace, tasks: [{id, state, worker, trace}], config}: secrets as ***. */
struct charm_value *kcbi_describe_view(struct charm_arena *arena, const char *name,
                                       const struct charm_value *entry,
                                       const struct charm_value *owned);
char *kcbi_describe_summary(struct charm_arena *arena, const struct charm_value *view);
/* "there is no connector 'x'; there are: a, b" */
char *kcbi_unknown_name_words(struct charm_arena *arena, const char *name,
                              const struct charm_value *live);

#endif
