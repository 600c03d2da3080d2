/*
 * charm/charm.h: everything that writing a charm needs.
 *
 *     #include "charm/charm.h"
 *
 * A complete charm is the example in charm/layer.h.
 */
#ifndef CHARM_CHARM_H
#define CHARM_CHARM_H

#include "charm/arena.h"
#include "charm/context.h"
#include "charm/error.h"
#include "charm/layer.h"
#include "charm/main.h"
#include "charm/ports.h"
#include "charm/run.h"
#include "charm/value.h"

#endif
