/*
 * kcb/address.h: what can be the host of a URL: an address of IPv4 or IPv6, or the name of a host.
 *
 * Pure. Strict, since what a deployer says is asked: "10.0.0.1:80" is no address of IPv6, "10.0.0.300" and "10.1" are
 * neither addresses nor names (a name whose last part is a number is none: https://url.spec.whatwg.org/#ends-in-a-number-checker).
 *
 *     if (kcbi_is_address("fd00::1")) { ... }
 *
 * May include: C standard headers.
 */
#ifndef KCBI_ADDRESS_H
#define KCBI_ADDRESS_H

#include <stdbool.h>

/* No brackets, no port, no zone. */
bool kcbi_is_address(const char *text);

#endif
