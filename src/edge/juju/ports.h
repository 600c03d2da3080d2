/*
 * edge/juju/ports.h: the real functions behind charm_ports.
 *
 *     const struct charm_ports ports = charmi_ports_real(&context.kind);
 *
 * May include: charm/{context,ports}.h.
 */
#ifndef CHARMI_PORTS_H
#define CHARMI_PORTS_H

#include "charm/context.h"
#include "charm/ports.h"

/*
 * `kind` is borrowed as long as the ports are used; it decides where the log goes. In a hook Juju logs our standard output at
 * DEBUG and standard error at WARNING; in an action both belong to its result, and standard output is left to it.
 */
struct charm_ports charmi_ports_real(const enum charm_run_kind *kind);

#endif
