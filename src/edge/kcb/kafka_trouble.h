/*
 * edge/kcb/kafka_trouble.h: what librdkafka tells when it cannot reach Kafka, in words for whoever has to mend it.
 *
 * librdkafka has one code for many causes; which it was stands in the text beside it. The texts are those of librdkafka
 * 2.8.0 against real brokers (tests/real/secured_kafka.c sees each of them again). What is not known keeps librdkafka's own
 * words. Kafka hangs up without a word where TLS or SASL is expected and does not come, or the other way round: such a
 * finding says "most likely", and is told only when nothing else was heard.
 *
 *     const struct kcbi_heard heard = { .code = code, .text = reason };
 *     return kcbi_kafka_explain(&heard, "k1:9093,k2:9093", reterr);
 *
 * May include: charm/error.h, base, librdkafka, openssl.
 */
#ifndef KCBI_KAFKA_TROUBLE_H
#define KCBI_KAFKA_TROUBLE_H

#include <stdbool.h>

#include <librdkafka/rdkafka.h>

#include "charm/error.h"

/* One thing that was heard, and what else is known. */
struct kcbi_heard {
    rd_kafka_resp_err_t code; /* RD_KAFKA_RESP_ERR_NO_ERROR: nothing was heard */
    const char *text;         /* "sasl_ssl://k1:9093/bootstrap: SSL handshake failed: ..." */
    int x509_error; /* why the broker's certificate was not accepted: X509_V_ERR_...; 0: it was */
    bool has_certificate; /* the client has one of its own */
    bool
        kept_certificate; /* and did not send it, since the broker knows none of those who signed it */
};

/* The more it says about what a person should do, the higher; 0: nothing. */
int kcbi_kafka_telling(const struct kcbi_heard *heard);
/* Trying on changes nothing: every broker of the cluster would say the same. */
bool kcbi_kafka_decided(const struct kcbi_heard *heard);
/*
 * "Kafka at k1:9093: what it is, and what to do": the broker that the text names, or all of `bootstrap`. CHARM_EREFUSED: it
 * stays until a person mends credentials, certificates or security.protocol, or gives rights; CHARM_ENET: it may pass;
 * CHARM_EFAILED: anything else.
 */
int kcbi_kafka_explain(const struct kcbi_heard *heard, const char *bootstrap,
                       struct charm_error *reterr);
/* As above, of what librdkafka says when it refuses to make a client. CHARM_EINVAL; names Java's properties. */
int kcbi_kafka_explain_settings(const char *text, struct charm_error *reterr);
/* As above, of a file that cannot be read: `why` is errno. */
int kcbi_kafka_explain_file(const char *property, const char *path, int why,
                            struct charm_error *reterr);

#endif
