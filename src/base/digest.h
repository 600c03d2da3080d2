/*
 * base/digest.h: MD5 and SHA-256 as lower-case hex.
 *
 * MD5 only for names that the original fixed (reactive-framework.md 7.4); SHA-256 for everything else. No secret
 * is ever hashed without salt (architecture, decision 16).
 *
 * May include: charm/arena.h.
 */
#ifndef CHARMI_DIGEST_H
#define CHARMI_DIGEST_H

#include <stddef.h>

#include "charm/arena.h"

/* 32 and 64 hex digits, owned by the arena. */
char *charmi_md5(struct charm_arena *arena, const void *bytes, size_t size);
char *charmi_sha256(struct charm_arena *arena, const void *bytes, size_t size);

#endif
