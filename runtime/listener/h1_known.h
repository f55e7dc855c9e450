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
    H1_KNOWN_HOP,        /* keep-alive, proxy-connection, te, trailer, upgrade */
    H1_KNOWN_END_TO_END, /* authorization, cookie, forwarded: Connection may not name them */
};

#define H1_KNOWN_MAX_BYTES 17 /* the longest name among them */

/** What the field of this name, in lower case, is to the listener. */
enum h1_known h1_known_field(const char *name, size_t n);

/** The same for a token in any case. */
enum h1_known h1_known_token(struct slice token);

#endif
