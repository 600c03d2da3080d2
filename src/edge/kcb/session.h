/*
 * edge/kcb/session.h: what is kept from one call to the next: one HTTP handle and the Kafka clients.
 *
 * There is one session a process, behind kcb_runtime_ports. A hook ends without releasing it: rd_kafka_destroy()
 * sometimes takes a whole second (after time-outs and after TLS work), and the kernel takes everything back at
 * once. So librdkafka's threads are still there when the process ends, and OpenSSL must not clean up under them:
 * kcbi_session_begin() sees to that. Tests call kcbi_session_end(), which releases, and waits.
 *
 * May include: edge/kcb, curl, librdkafka.
 */
#ifndef KCBI_SESSION_H
#define KCBI_SESSION_H

#include <stdbool.h>

#include <curl/curl.h>

struct kcbi_kafka_client;

struct kcbi_session {
    bool begun;
    CURL *http; /* keeps connections open between calls; NULL until the first */
    struct kcbi_kafka_client *clients; /* also those given up; newest first */
};

/* Must come before any other use of curl or librdkafka; does its work once. */
void kcbi_session_begin(struct kcbi_session *session);
void kcbi_session_end(struct kcbi_session *session);
/* The process's own. */
struct kcbi_session *kcbi_session_of_process(void);

#endif
