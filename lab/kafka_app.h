/*
 * lab/kafka_app.h: the lab's `kafka` application: a real broker behind the relation data of a Kafka charm.
 *
 * It publishes port, host and, on wish, zookeepers (reactive-framework.md 7.1) once the broker is ready, and takes
 * nothing back when `running=false` stops the broker: so a charm sees what it sees when Kafka is down.
 *
 * May include: lab/app.h, lab/broker.h, lab/net.h.
 */
#ifndef LAB_KAFKA_APP_H
#define LAB_KAFKA_APP_H

#include "lab/app.h"

extern const struct lab_driver lab_kafka_driver;

#endif
