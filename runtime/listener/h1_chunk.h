/* SPDX-License-Identifier: Apache-2.0 */
/* h1_chunk.h – the chunked transfer coding, RFC 9112 section 7.1, both ways.
 * Runs in: listener. Distrusts: every byte that it decodes. */
#ifndef LUTTPD_LISTENER_H1_CHUNK_H
#define LUTTPD_LISTENER_H1_CHUNK_H

#include "listener/h1.h"
#include "listener/h1_known.h"

struct h1_chunks {
    uint64_t size;       /* bytes left of the chunk */
    uint64_t total;      /* content bytes announced so far */
    uint32_t extensions; /* bytes of chunk extensions so far */
    uint32_t trailers;   /* bytes of trailer fields so far */
    uint32_t name_bytes; /* of the trailer field */
    uint8_t state;
    uint8_t digits;                /* of the chunk size */
    uint8_t extension;             /* state of h1_extension_next */
    char name[H1_KNOWN_MAX_BYTES]; /* how the trailer field's name begins, in lower case */
};

/** Starts on a new chunked body. */
void h1_chunk_begin(struct h1_chunks *c);

/** Decodes a little: at most one piece of content.
 * buf, n: bytes not consumed yet, borrowed. room: how much content the caller can take now.
 * used: bytes consumed, set always. data: set with H1_DATA, points into buf, never empty.
 * Returns H1_DATA (call again), H1_DONE (what follows used is the next request), H1_REFUSED with
 * why set, or H1_MORE: all of n was consumed, or content waits and room is 0.
 * Extensions and trailers are checked, counted and thrown away. */
enum h1_verdict h1_chunk_next(struct h1_chunks *c, const struct h1_limits *limits, const char *buf, size_t n,
                              size_t room, size_t *used, struct slice *data, struct h1_refusal *why);

#define H1_CHUNK_OPEN_MAX 18 /* bytes that h1_chunk_open writes at most */

/** Writes the line that opens a chunk of size content bytes, size > 0. Returns its bytes.
 * After the content comes H1_CHUNK_CLOSE; after the last chunk H1_CHUNK_LAST. */
size_t h1_chunk_open(char out[H1_CHUNK_OPEN_MAX], uint64_t size);

#define H1_CHUNK_CLOSE SLICE("\r\n")
#define H1_CHUNK_LAST SLICE("0\r\n\r\n")

#endif
