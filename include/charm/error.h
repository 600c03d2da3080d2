/*
 * charm/error.h: what went wrong, as a value on the caller's stack.
 *
 * Invariants. A function that can fail takes a last parameter `struct charm_error *reterr`, which may
 * be NULL. On success it returns 0 and does not touch the error; on failure it returns a negative
 * `enum charm_code`, fills the error and leaves all its outputs alone. The text reads "what we tried:
 * what stopped it"; callers put their own context in front with charm_error_wrap(). Inner code never
 * logs: only the top prints the error, once. Making an error needs no memory.
 *
 *     static int load(const char *path, struct charm_error *reterr)
 *     {
 *         if (path[0] == '\0') {
 *             return charm_error_set(reterr, CHARM_EINVAL, "load settings: the path is empty");
 *         }
 *         return 0;
 *     }
 *
 * May include: C standard headers.
 */
#ifndef CHARM_ERROR_H
#define CHARM_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds of failure. Expected situations have a code of their own; everything else is CHARM_EFAILED. */
enum charm_code {
    CHARM_OK = 0,
    CHARM_EFAILED = -1,   /* it failed, and the text says why */
    CHARM_EINVAL = -2,    /* bad input, or an API used wrongly */
    CHARM_ENOTFOUND = -3, /* the thing asked for is not there */
    CHARM_ETIMEOUT = -4,  /* a deadline passed */
    CHARM_ENET = -5,      /* nobody answered */
    CHARM_EREFUSED = -6,  /* the other side said no (permission, leadership) */
    CHARM_ETOOBIG = -7,   /* a ceiling was reached */
    CHARM_EPARSE = -8,    /* text that does not follow its format */
    CHARM_ECYCLE = -9,    /* handlers or triggers that wake each other without end */
};

/* An error. `retriable` says that the same call may succeed later without anybody doing anything. */
struct charm_error {
    enum charm_code code;
    int os_errno; /* errno at the time, or 0 */
    bool retriable;
    char text[1000]; /* one line, without secrets; long texts lose their middle */
};

#if defined(__GNUC__)
#define CHARM_PRINTF(format_at, first_at) __attribute__((format(printf, format_at, first_at)))
#define CHARM_MUST_CHECK __attribute__((warn_unused_result))
#else
#define CHARM_PRINTF(format_at, first_at)
#define CHARM_MUST_CHECK
#endif

/* Fills `reterr` (may be NULL) and returns `code`, so that a function can fail in one expression. */
int charm_error_set(struct charm_error *reterr, enum charm_code code, const char *format, ...)
    CHARM_PRINTF(3, 4);

/* As charm_error_set(), with ": " and the text of `os_errno` behind the message. */
int charm_error_os(struct charm_error *reterr, int os_errno, const char *format, ...)
    CHARM_PRINTF(3, 4);

/* Puts context in front of the text ("context: text"), keeps the rest; returns the code it holds. */
int charm_error_wrap(struct charm_error *reterr, const char *format, ...) CHARM_PRINTF(2, 3);

#ifdef __cplusplus
}
#endif
#endif
