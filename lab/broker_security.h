/*
 * lab/broker_security.h: what makes a real broker a secured one: certificates, users, listeners, rights.
 *
 *     listener     speaks                                                        of whom
 *     PLAINTEXT    nothing                                                       User:ANONYMOUS, who may do all
 *     SASL_SSL     SCRAM-SHA-512 and PLAIN over TLS                              the users given
 *     SSL          TLS with certificates on both sides                           User:CN=NAME
 *     WRONG_NAME   TLS with a certificate for another host                       User:ANONYMOUS
 *
 * User `connect` may do all, everybody else nothing but log in. The files, made by the command openssl:
 *
 *     ca.pem               signs the broker and, through middle.pem, the clients below
 *     connect.pem          the chain of connect and its key; connect.crt, connect.key, connect.p12 (password: p12-secret)
 *     stranger.pem         the same for a client without rights
 *     other-ca.pem         an authority that the broker does not know, and unknown.pem, a client that it signed
 *
 * One application's brokers share all of it.
 *
 *     struct lab_security security;
 *     if (lab_security_make(arena, dir, &addresses, "connect=secret", &security, reterr) == 0) {
 *         options.security = &security;
 *     }
 *
 * May include: base, lab/child.h, lab/net.h.
 */
#ifndef LAB_BROKER_SECURITY_H
#define LAB_BROKER_SECURITY_H

#include "base/buf.h"
#include "base/text.h"
#include "charm/arena.h"

enum lab_listener {
    LAB_LISTENER_PLAINTEXT,
    LAB_LISTENER_SASL_SSL,
    LAB_LISTENER_SSL,
    LAB_LISTENER_WRONG_NAME,
    LAB_LISTENERS,
};

/* Where one broker listens. */
struct lab_listeners {
    const char *address; /* borrowed */
    int ports[LAB_LISTENERS];
};

struct lab_security {
    struct charm_arena *arena; /* of what stands below */
    const char *dir;
    struct charmi_words users; /* NAME=PASSWORD */
};

/*
 * Makes `dir` with the files in it, for brokers at these IP addresses. Users are words of letters, digits, `.`, `_`, `-`.
 * The arena must outlive the security.
 */
CHARM_MUST_CHECK int lab_security_make(struct charm_arena *arena, const char *dir,
                                       const struct charmi_words *addresses, const char *users,
                                       struct lab_security *ret_security,
                                       struct charm_error *reterr);
/* Free ports beside that of PLAINTEXT. */
struct lab_listeners lab_listeners_choose(const char *address, int plain_port);
/* The port of a listener by its name above; 0 when there is none of that name. */
int lab_listeners_port(const struct lab_listeners *listeners, const char *name);
/* As server.properties has them: PLAINTEXT://10.73.16.1:9092,SASL_SSL://... */
const char *lab_listeners_text(struct charm_arena *arena, const struct lab_listeners *listeners);
/* Further lines of server.properties, behind those of a broker without security. */
void lab_security_add_lines(const struct lab_security *security, struct charmi_buf *buf);
/* Further arguments of StorageTool format. */
void lab_security_add_format(const struct lab_security *security, struct charmi_words *argv);

#endif
