/*
 * kcb/jaas.h: the value of sasl.jaas.config, read as Kafka's own clients read it.
 *
 *     org.apache.kafka.common.security.plain.PlainLoginModule required username="connect" password="it's \"x\"";
 *
 * One login module, its control flag, options, and a `;`. Words may stand in either kind of quotes, with the escapes of
 * java.io.StreamTokenizer (`\n`, `\"`, `\101`); comments of both kinds are left out. tests/data/jaas.jsonl holds what Kafka
 * 4.3.1 made of hundreds of texts. Stricter than Kafka in two points: an option must have a name, and no text may hold
 * the character NUL.
 *
 *     struct kcbi_jaas jaas;
 *     if (kcbi_jaas_parse(arena, text, &jaas, reterr) == 0) {
 *         const char *user = charm_text(charm_value_get(jaas.options, "username"));
 *     }
 *
 * May include: charm/value.h, base.
 */
#ifndef KCBI_JAAS_H
#define KCBI_JAAS_H

#include "charm/value.h"

/* Most bytes of a text that is read. */
#define KCBI_JAAS_MAX (64 * 1024)

struct kcbi_jaas {
    const char *module;          /* the class, as written */
    struct charm_value *options; /* name -> text; of one that comes twice the last */
};

/*
 * CHARM_EPARSE says what is wrong in which option, by number: any piece of the text may be one of a password. CHARM_ETOOBIG.
 */
CHARM_MUST_CHECK int kcbi_jaas_parse(struct charm_arena *arena, const char *text,
                                     struct kcbi_jaas *ret_jaas, struct charm_error *reterr);

#endif
