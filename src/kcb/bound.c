/* The base layer with the real ports, in a file of its own: who brings other ports does not link it. */
#include "kcb/layer.h"
#include "kcb/ports.h"
#include "kcb/table.h"

const struct charm_layer kcb_layer = KCBI_LAYER_WITH(&kcb_runtime_ports);
