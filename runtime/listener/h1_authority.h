/* SPDX-License-Identifier: Apache-2.0 */
/* h1_authority.h – host and port, from a Host field or an absolute request-target.
 * Runs in: listener. Distrusts: every byte. */
#ifndef LUTTPD_LISTENER_H1_AUTHORITY_H
#define LUTTPD_LISTENER_H1_AUTHORITY_H

#include "listener/h1.h"

/** Checks text (RFC 9110 section 7.2) and lower-cases it in place: a name of letters, digits and
 * "-._~", an IPv4 address, or an IPv6 address in brackets; then an optional port up to 65535.
 * Narrower than RFC 3986: no percent-encoding and no sub-delimiters, which name no host but find
 * their way into redirects and pages; no empty labels. Returns whether it is valid. */
bool h1_authority_take(char *text, size_t n);

/** The host of a valid authority: no port, no trailing dot, brackets kept. */
struct slice h1_authority_host(struct slice authority);

#endif
