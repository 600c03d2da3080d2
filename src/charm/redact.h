/*
 * charm/redact.h: texts that must not appear in anything that is printed or kept.
 *
 * Pure. A secret is also found in its JSON form, and line by line. Longer ones are replaced first, so that no
 * rest of one stays behind.
 *
 *     struct charmi_secrets secrets = { 0 };
 *     charmi_secrets_add(arena, &secrets, "hunter22");
 *     charmi_redact(arena, &secrets, "password=hunter22");     -> "password=***"
 *
 * May include: base.
 */
#ifndef CHARMI_REDACT_H
#define CHARMI_REDACT_H

#include <stdbool.h>

#include "base/text.h"
#include "charm/arena.h"

struct charmi_secrets {
    struct charmi_words words; /* longest first */
};

void charmi_secrets_add(struct charm_arena *arena, struct charmi_secrets *secrets,
                        const char *secret);
/* A copy without secrets; NULL counts as "". */
const char *charmi_redact(struct charm_arena *arena, const struct charmi_secrets *secrets,
                          const char *text);
/* Does the name of an option, a relation key or a property say that its value is nobody's business? */
bool charmi_key_is_secret(const char *key);

#endif
