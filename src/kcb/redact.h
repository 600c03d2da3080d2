/*
 * kcb/redact.h: words of a worker made fit for people: one line, cut, without secrets.
 *
 * Validation resolves config providers first, so the text of a refused configuration, and traces, can hold secrets in
 * the clear (kafka-connect.md 1.6). What is not known to be harmless is left out.
 *
 *     charm_status(run, CHARM_BLOCKED, "connector %s: %s", name, kcbi_refusal_words(arena, reply.message));
 *
 * May include: charm/value.h.
 */
#ifndef KCBI_REDACT_H
#define KCBI_REDACT_H

#include <stdbool.h>

#include "charm/value.h"

/* Does a connector's setting of this name carry a secret? */
bool kcbi_secret_setting(const char *key);
/* Nothing but a reference to a config provider, ${file:/path:key}: it tells where a secret is, and none. */
bool kcbi_is_reference(const char *text);
/* A copy in which the values of secret settings are *** unless they only refer to one (`${file:/path:key}`). */
struct charm_value *kcbi_redact_config(struct charm_arena *arena, const struct charm_value *config);
/*
 * The text with passwords of URLs and `password=...`-like pieces as ***; control characters become blanks; at most
 * `max_bytes`, cut at a character with "..." behind.
 */
char *kcbi_redact_text(struct charm_arena *arena, const char *text, size_t max_bytes);
/* As above, line by line: line ends stay. */
char *kcbi_redact_lines(struct charm_arena *arena, const char *text, size_t max_bytes);
/* First line of a trace, at most 160 bytes; "" if there is none. */
char *kcbi_redact_trace(struct charm_arena *arena, const char *trace);
/* What a 400 says, by its known shapes: which keys, and why, never the values. */
char *kcbi_refusal_words(struct charm_arena *arena, const char *message);

#endif
