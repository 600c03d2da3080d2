/*
 * kcb/pem.h: certificates and keys in PEM, as Kafka takes them and as OpenSSL wants them.
 *
 * Kafka takes PEM in properties where any white space stands for line ends, so that one line can hold it
 * (`-----BEGIN CERTIFICATE----- MIIB... -----END CERTIFICATE-----`), and knows keys in PKCS#8 alone. OpenSSL wants lines.
 * Text around the blocks is left out, as both do.
 *
 *     const char *lines;
 *     if (kcbi_pem_certificates(arena, text, &lines, reterr) == 0) {
 *         charm_value_set_text(settings, "ssl.ca.pem", lines);
 *     }
 *
 * May include: charm/value.h, base.
 */
#ifndef KCBI_PEM_H
#define KCBI_PEM_H

#include <stdbool.h>

#include "charm/value.h"

/* Most bytes of a text that is read. */
#define KCBI_PEM_MAX (256 * 1024)

/*
 * All certificates of the text. CHARM_EPARSE: there is none, or one is cut short or holds what is no base64, with its
 * number; CHARM_EINVAL: two on one line, where Kafka reads the last alone; CHARM_ETOOBIG. What stands inside is not looked at.
 */
CHARM_MUST_CHECK int kcbi_pem_certificates(struct charm_arena *arena, const char *text,
                                           const char **ret_lines, struct charm_error *reterr);
/* The first key. CHARM_EINVAL: one that is not PKCS#8, with the command that makes one. */
CHARM_MUST_CHECK int kcbi_pem_key(struct charm_arena *arena, const char *text,
                                  const char **ret_lines, bool *ret_encrypted,
                                  struct charm_error *reterr);

#endif
