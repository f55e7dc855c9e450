/* SPDX-License-Identifier: Apache-2.0 */
/* h1_extension.h – the grammar of chunk extensions, RFC 9112 section 7.1.1, byte by byte.
 * Runs in: listener. Distrusts: every byte. Used by h1_chunk.c only. */
#ifndef LUTTPD_LISTENER_H1_EXTENSION_H
#define LUTTPD_LISTENER_H1_EXTENSION_H

#include <stdint.h>

enum {
    H1_EXTENSION_BAD,       /* the byte may not stand here */
    H1_EXTENSION_END,       /* it was the CR behind the last extension */
    H1_EXTENSION_SEMICOLON, /* begin here: what may stand behind a chunk size, the CR aside */
};

/** The state after one more byte; a number of the enumeration above or greater. */
uint8_t h1_extension_next(uint8_t state, uint8_t byte);

#endif
