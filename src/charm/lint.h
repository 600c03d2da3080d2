/*
 * charm/lint.h: rows that could never run, found at start: they wait for a flag that nobody ever sets.
 *
 * A flag comes from a row or trigger that sets it, from a derivation that lists it, or from the engine, if the charm's files
 * have the option or endpoint in its name. All layers count, so an upper layer may set what a lower one waits for.
 *
 *     if (charmi_lint(table, files, reterr) < 0) {
 *         return reterr->code;
 *     }
 *
 * May include: charm/{table,charmfiles}.h, base.
 */
#ifndef CHARMI_LINT_H
#define CHARMI_LINT_H

#include "charm/charmfiles.h"
#include "charm/table.h"

/* CHARM_EINVAL naming row and flag. Flags that must be unset are nobody's fault. */
CHARM_MUST_CHECK int charmi_lint(const struct charmi_table *table, const struct charm_files *files,
                                 struct charm_error *reterr);

#endif
