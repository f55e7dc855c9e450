/* SPDX-License-Identifier: Apache-2.0 */
/* h1_known.h – the few field names that mean something to the listener itself.
 * Runs in: listener. */
#ifndef LUTTPD_LISTENER_H1_KNOWN_H
#define LUTTPD_LISTENER_H1_KNOWN_H

#include "base/slice.h"

enum h1_known {
    H1_KNOWN_NOT,
    H1_KNOWN_HOST,
    H1_KNOWN_CONNECTION,
    H1_KNOWN_CONTENT_LENGTH,
    H1_KNOWN_TRANSFER_ENCODING,
    H1_KNOWN_EXPECT,
    H1_KNOWN_DATE,
    H1_KNOWN_HOP,      /* keep-alive, proxy-connection, te, trailer, upgrade */
    H1_KNOWN_CLAIM,    /* forwarded, x-forwarded-*, x-real-ip */
    H1_KNOWN_OURS,     /* luttpd-*; and that, or a claim, with underscores for hyphens */
    H1_KNOWN_DISGUISE, /* content_length, transfer_encoding: some programs take them for the real ones */
};

#define H1_KNOWN_MAX_BYTES 17 /* the longest name among them */

/** What the field of this name, in lower case, is to the listener. */
enum h1_known h1_known_field(const char *name, size_t n);

/** The same for a token in any case. */
enum h1_known h1_known_token(struct slice token);

/** Whether a connection option is the name of a field that is for the server itself, in any case
 * of letters: to name it in Connection would take it away on the way (RFC 9110 section 7.6.1). */
bool h1_known_end_to_end(struct slice token);

#endif
