/*
 * charm/derive.h: the flags that are computed from facts at the start of a run.
 *
 * Order: config, leadership and application state, endpoints, then the layers' derivations (architecture, decision 1).
 * Only flags that a layer names are derived, so that only what somebody wants is read. When edges rise is
 * reactive-framework.md 4.3 and 6.1; what was seen is remembered as salted digests in the engine's state, and only
 * an ordinary hook run changes that memory.
 *
 * May include: charm/session.h.
 */
#ifndef CHARMI_DERIVE_H
#define CHARMI_DERIVE_H

#include "charm/session.h"

/* All flags of the table, and the layers' derivations; triggers fire on the difference in ordinary hook runs. */
void charmi_derive_flags(struct charm_run *run);
/* Does a built-in level flag hold that no layer names? */
bool charmi_derive_level(struct charm_run *run, const char *flag);

/* Asks the derivation of a layer that lists this level flag, unless it was asked already in this run. */
void charmi_derive_when_asked(struct charm_run *run, const char *flag);

#endif
