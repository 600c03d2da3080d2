/*
 * charm/publishers.h: who publishes what: the digests of architecture, decision 8.
 *
 * In its bag of the peer relation each unit keeps, under CHARMI_PUBLISHED_DIGESTS, a JSON map of the endpoints that it
 * publishes on: sha256 of relation ids, keys and texts. Units that publish the same bytes have the same digest, whatever
 * else a run knows. A layer that publishes secrets keeps a random salt in the application's state, and it is salted with that.
 *
 * May include: charm/session.h.
 */
#ifndef CHARMI_PUBLISHERS_H
#define CHARMI_PUBLISHERS_H

#include "charm/session.h"

/* Key of the unit's peer bag, and of the engine's memory. */
#define CHARMI_PUBLISHED_DIGESTS "published-digests"

/* Key of the application's state: the salt, a text. */
#define CHARMI_APP_SALT "salt"

/* Of what rows and outputs have given for this endpoint so far; "" for nothing. */
const char *charmi_publishers_digest(struct charm_run *run, const char *endpoint);

#endif
