/*
 * kcb/kcb.h: everything that an upper-layer charm on Kafka Connect needs.
 *
 *     #include "kcb/kcb.h"
 *
 * The example of a whole upper layer is examples/upper.
 */
#ifndef KCB_KCB_H
#define KCB_KCB_H

#include "charm/charm.h"
#include "kcb/connector.h"
#include "kcb/layer.h"
#include "kcb/worker.h"

#endif
