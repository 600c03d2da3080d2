/*
 * edge/juju/hand.h: what the program answers when a person runs it: the command line.
 *
 * Invariants. Calls no hook tool and writes nothing, so it works over `juju ssh`, in `juju exec`, in a debug-hooks
 * session, and on a machine without Juju. Missing files make answers shorter, not errors.
 *
 * May include: charm's internal headers, edge/juju.
 */
#ifndef CHARMI_HAND_H
#define CHARMI_HAND_H

#include <stdio.h>

#include "charm/context.h"
#include "charm/layer.h"
#include "charm/ports.h"

struct charmi_hand {
    struct charm_arena *arena;
    const struct charm_ports *ports;
    const struct charm_layer *const *layers;
    const char *program;   /* as it was called, for the help text */
    const char *charm_dir; /* "" if there is none */
    FILE *out;
    FILE *err;
};

/* `words`: the arguments, NULL-ended; none asks for help. Returns the exit status: 0 answered, 1 could not, 2 not understood. */
int charmi_hand_answer(const struct charmi_hand *hand, const char *const *words);

#endif
