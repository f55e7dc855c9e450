/* SPDX-License-Identifier: Apache-2.0 */
/* h1_known.c – see h1_known.h. Called for every field line, so the length decides first. */
#include "listener/h1_known.h"
#include "listener/h1_chars.h"

#define IS(literal) (memcmp(name, literal, sizeof(literal) - 1) == 0)

enum h1_known h1_known_field(const char *name, size_t n) {
    switch (n) {
    case 2:
        return IS("te") ? H1_KNOWN_HOP : H1_KNOWN_NOT;
    case 4:
        return IS("host") ? H1_KNOWN_HOST : IS("date") ? H1_KNOWN_DATE : H1_KNOWN_NOT;
    case 6:
        return IS("cookie") ? H1_KNOWN_END_TO_END : IS("expect") ? H1_KNOWN_EXPECT : H1_KNOWN_NOT;
    case 7:
        return IS("upgrade") || IS("trailer") ? H1_KNOWN_HOP : H1_KNOWN_NOT;
    case 9:
        return IS("forwarded") ? H1_KNOWN_END_TO_END : H1_KNOWN_NOT;
    case 10:
        return IS("connection") ? H1_KNOWN_CONNECTION : IS("keep-alive") ? H1_KNOWN_HOP : H1_KNOWN_NOT;
    case 13:
        return IS("authorization") ? H1_KNOWN_END_TO_END : H1_KNOWN_NOT;
    case 14:
        return IS("content-length") ? H1_KNOWN_CONTENT_LENGTH : H1_KNOWN_NOT;
    case 16:
        return IS("proxy-connection") ? H1_KNOWN_HOP : H1_KNOWN_NOT;
    case 17:
        return IS("transfer-encoding") ? H1_KNOWN_TRANSFER_ENCODING : H1_KNOWN_NOT;
    default:
        return H1_KNOWN_NOT;
    }
}

enum h1_known h1_known_token(struct slice token) {
    char lower[H1_KNOWN_MAX_BYTES];
    if (token.n > sizeof lower)
        return H1_KNOWN_NOT;
    for (size_t i = 0; i < token.n; i++)
        lower[i] = (char)h1_token_lower[(uint8_t)token.p[i]];
    return h1_known_field(lower, token.n);
}
