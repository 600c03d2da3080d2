/*
 * lab/deployer_app.h: the lab's `kubernetes-deployer` application over the lab's cluster.
 *
 * Reads and answers as the real charm does (reactive-framework.md 7.2, kafka-connect.md 4.5): requests are merged
 * over all units by uuid, an empty list is ignored, objects that a request does not name any more stay, and go when no
 * unit asks for anything; one refused manifest makes every application's answer an error. Only its first unit answers.
 *
 * May include: lab/app.h, lab/cluster.h.
 */
#ifndef LAB_DEPLOYER_APP_H
#define LAB_DEPLOYER_APP_H

#include "lab/app.h"

extern const struct lab_driver lab_deployer_driver;

#endif
