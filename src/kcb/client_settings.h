/*
 * kcb/client_settings.h: the workers' way to Kafka, for the charm's own client: from Java's properties to librdkafka's.
 *
 * The charm makes the internal topics over the same listener, with the same credentials and certificates, as the
 * workers. Read are bootstrap.servers, security.*, sasl.* and ssl.* without a prefix, and of these what
 * security.protocol uses; what only says how Java does it is left out. Java's defaults hold: PLAINTEXT, GSSAPI, JKS.
 *
 *     ssl.truststore.type=PEM                    ssl.ca.pem, ssl.ca.location
 *     ssl.truststore.certificates, .location
 *     ssl.keystore.type=PEM                      ssl.certificate.pem, ssl.key.pem, or both .location
 *     ssl.keystore.certificate.chain, .key
 *     ssl.keystore.type=PKCS12                   ssl.keystore.location, .password
 *     sasl.jaas.config                           sasl.username, sasl.password
 *
 * A file must be on the machine of the charm's unit as well as in the pods. JKS is what librdkafka cannot read.
 *
 *     struct charm_value *settings;
 *     if (kcbi_client_settings(arena, config.properties, &settings, reterr) == 0) {
 *         ports->kafka_look(ports->userdata, arena, settings, topics, 8000, &view, reterr);
 *     }
 *
 * May include: charm/value.h, kcb/{jaas,pem}.h, base.
 */
#ifndef KCBI_CLIENT_SETTINGS_H
#define KCBI_CLIENT_SETTINGS_H

#include "charm/value.h"

/*
 * `properties`: map of key to text. CHARM_EINVAL names the property that cannot be carried over, and what to do;
 * CHARM_EPARSE one that the workers would not take either. Never its value.
 */
CHARM_MUST_CHECK int kcbi_client_settings(struct charm_arena *arena,
                                          const struct charm_value *properties,
                                          struct charm_value **ret_settings,
                                          struct charm_error *reterr);

#endif
