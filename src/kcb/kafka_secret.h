/*
 * kcb/kafka_secret.h: the credentials of the charm's own Kafka client, from the Juju secret of option kafka-secret.
 *
 * The secret stands in the place of what worker-config says of passwords, keys and trusted certificates, and is then
 * read the same way; all else (security.protocol, sasl.mechanism ...) is worker-config's. Keys have at least three letters,
 * since Juju wants that (juju-contract.md 3.16); their names are those of the kafka_client interface where it has them
 * (kafka-connect.md 4.3): username and password; tls-ca; tls-cert and tls-key, tls-key-password; all of it PEM.
 *
 *     juju add-secret kafka-admin username=connect password#file=./password tls-ca#file=./ca.pem
 *
 *     struct charm_value *own = NULL;
 *     if (kcbi_kafka_secret_replace(arena, config.properties, content, &own, reterr) == 0 &&
 *         kcbi_client_settings(arena, own, &settings, reterr) == 0) { ... }
 *
 * May include: charm/value.h, base.
 */
#ifndef KCBI_KAFKA_SECRET_H
#define KCBI_KAFKA_SECRET_H

#include "charm/value.h"

/*
 * A copy of the workers' properties with the secret's content (key -> text) for credentials. CHARM_EINVAL names a key that
 * is not known or missing, never a value.
 */
CHARM_MUST_CHECK int kcbi_kafka_secret_replace(struct charm_arena *arena,
                                               const struct charm_value *properties,
                                               const struct charm_value *content,
                                               struct charm_value **ret_properties,
                                               struct charm_error *reterr);

#endif
