/* SPDX-License-Identifier: Apache-2.0 */
/* h1_chars.h – which byte may stand where in HTTP/1.1, as tables.
 * Runs in: listener. */
#ifndef LUTTPD_LISTENER_H1_CHARS_H
#define LUTTPD_LISTENER_H1_CHARS_H

#include <stdint.h>

enum {
    H1_CHAR_PATH = 1,  /* in the path of a request-target */
    H1_CHAR_QUERY = 2, /* in its query */
    H1_CHAR_NAME = 4,  /* in a host name */
    H1_CHAR_DIGIT = 8,
};

/** Bits of the enumeration above for each byte. */
extern const uint8_t h1_chars[256];

/** The lower-case form of each byte that may stand in a token (RFC 9110 section 5.6.2), else 0. */
extern const uint8_t h1_token_lower[256];

/** The value of a hexadecimal digit, else -1. */
static inline int h1_hex_value(uint8_t c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    uint8_t lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

#endif
