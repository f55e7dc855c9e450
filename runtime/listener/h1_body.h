/* SPDX-License-Identifier: Apache-2.0 */
/* h1_body.h – the content of a request, however it is framed (RFC 9112 section 6).
 * Runs in: listener. Distrusts: every byte. */
#ifndef LUTTPD_LISTENER_H1_BODY_H
#define LUTTPD_LISTENER_H1_BODY_H

#include "listener/h1_chunk.h"
#include "listener/h1_head.h"

struct h1_body {
    enum h1_body_kind kind;
    const struct h1_limits *limits; /* borrowed */
    uint64_t taken;                 /* content bytes handed out so far */
    union {
        uint64_t left;           /* H1_BODY_LENGTH */
        struct h1_chunks chunks; /* H1_BODY_CHUNKED */
    };
    struct h1_refusal refusal; /* after H1_REFUSED */
};

/** Starts on the body that head announces. limits: borrowed until the body is done. */
void h1_body_begin(struct h1_body *b, const struct h1_head *head, const struct h1_limits *limits);

/** Takes at most one piece of content from n bytes at buf that were not consumed yet.
 * room: how much content the caller can take now (its credit). used: bytes consumed, set always.
 * data: set with H1_DATA, points into buf, never empty.
 * Returns H1_DATA (call again), H1_DONE, H1_REFUSED, or H1_MORE: more bytes or more room wanted.
 *
 *   while ((v = h1_body_next(&b, p, n, credit, &used, &data)) == H1_DATA) { p += used; ... }
 *   p += used; */
enum h1_verdict h1_body_next(struct h1_body *b, const char *buf, size_t n, size_t room, size_t *used,
                             struct slice *data);

#endif
