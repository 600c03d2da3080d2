/*
 * kcb/table.h: the base layer's table, to be bound to functions to the outside.
 *
 *     const struct charm_layer kcb_layer = KCBI_LAYER_WITH(&kcb_runtime_ports);
 *
 * May include: charm/layer.h, kcb/deployment.h.
 */
#ifndef KCBI_TABLE_H
#define KCBI_TABLE_H

#include "charm/layer.h"
#include "kcb/deployment.h"

extern const struct charm_row kcbi_rows[];
extern const struct charm_derivation kcbi_derivations[];
extern const struct charm_output kcbi_outputs[];
extern const char *const kcbi_term_flags[];

/* Initialiser of the layer with these `struct kcb_ports`. */
#define KCBI_LAYER_WITH(kcb_ports_pointer)                                                         \
    {                                                                                              \
        .name = KCBI_LAYER, .rows = kcbi_rows, .term_flags = kcbi_term_flags,                      \
        .derivations = kcbi_derivations, .outputs = kcbi_outputs, .ports = (kcb_ports_pointer)     \
    }

#endif
