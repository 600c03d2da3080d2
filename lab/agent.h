/*
 * lab/agent.h: which file a charm is run by (contract 1.2).
 *
 * May include: include/charm.
 */
#ifndef LAB_AGENT_H
#define LAB_AGENT_H

#include "charm/arena.h"
#include "charm/error.h"

/*
 * `dispatch` if there is one, else `path` ("hooks/install"); absolute, in `ret_file`. CHARM_ENOTFOUND: neither is
 * there. CHARM_EFAILED: the charm is broken, and the hook fails. `path` NULL is a bug of ours.
 */
CHARM_MUST_CHECK int lab_agent_choose(struct charm_arena *arena, const char *charm_dir,
                                      const char *path, const char **ret_file,
                                      struct charm_error *reterr);

#endif
