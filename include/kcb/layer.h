/*
 * kcb/layer.h: the Kafka Connect base layer, and the flags through which upper layers speak with it.
 *
 * An upper charm links the layer below its own, sets KCB_INSTALL once its worker settings are given, and wants
 * connectors while KCB_RUNNING holds. The names are the original's (reactive-framework.md 8).
 *
 *     int main(int argc, char **argv)
 *     {
 *         return charm_main(argc, argv, CHARM_LAYERS(&kcb_layer, &(struct charm_layer){ "mongodb-sink", rows }));
 *     }
 *
 * May include: charm/layer.h.
 */
#ifndef KCB_LAYER_H
#define KCB_LAYER_H

#include "charm/layer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define KCB_READY "kafka-connect-base.ready" /* Kafka, Kubernetes and option topics are there */
#define KCB_TOPIC_CREATED                                                                          \
    "kafka-connect-base.topic-created"           /* the three internal topics are confirmed */
#define KCB_INSTALL "kafka-connect-base.install" /* set by the upper layer: deploy the workers */
#define KCB_INSTALLED "kafka-connect-base.installed" /* the base has seen KCB_INSTALL */
#define KCB_CONFIGURED                                                                             \
    "kafka-connect-base.configured"           /* the manifests are rendered and asked for */
#define KCB_RUNNING "kafka-connect.running"   /* rolled out once, and REST answers */
#define KCB_DEGRADED "kafka-connect.degraded" /* running, but workers are missing */
/* the last unit is being removed: the connectors go, and the workers with them */
#define KCB_LEAVING "kafka-connect-base.leaving"
#define KCB_KAFKA_JOINED "kafka.joined"
#define KCB_KAFKA_READY "kafka.ready"
#define KCB_KUBERNETES_AVAILABLE "endpoint.kubernetes.available"
#define KCB_KUBERNETES_NEW_STATUS "endpoint.kubernetes.new-status"
#define KCB_WEBSITE_AVAILABLE "website.available"

/* The base layer with the real ports (target kcb-runtime). */
extern const struct charm_layer kcb_layer;
/* A small upper layer that makes the base useful by itself: it only sets KCB_INSTALL. */
extern const struct charm_layer kcb_standalone_layer;

#ifdef __cplusplus
}
#endif
#endif
