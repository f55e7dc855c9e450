/* SPDX-License-Identifier: Apache-2.0 */
/* request.h – from a complete head to OPEN, BODY and END in the vhost's ring.
 * Runs in: listener. Distrusts: the client. */
#ifndef LUTTPD_LISTENER_REQUEST_H
#define LUTTPD_LISTENER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "listener/h1_head.h"

struct connection;
struct link;

#define REQUEST_BUFFER_BYTES 24576 /* the head (16 KiB at most), behind it body or the next request */
#define REQUEST_OUTPUT_BYTES 4096  /* larger output is allocated, and given back with the request */

/** Buffers and parsed head of the request in hand; pooled. */
struct request {
    struct request *next_free;
    struct h1_parser parser;
    struct h1_head head; /* slices point into bytes and path */
    struct field fields[H1_FIELDS_MAX];
    size_t n;       /* bytes read */
    size_t body_at; /* first byte behind the head that was not handed on; 0 while reading a head */
    char path[H1_TARGET_MAX_BYTES];
    char bytes[REQUEST_BUFFER_BYTES];
    char out[REQUEST_OUTPUT_BYTES];
};

/** The head in c->request is complete: checks it, asks for the route. */
void request_begin(struct connection *c);

/** The route is known; NULL: nobody answers here. */
void request_routed(struct connection *c, struct link *k);

/** Puts OPEN into the ring. Returns 0, -EAGAIN where there is no room, -EBADMSG: blame. */
int request_open(struct connection *c);

/** Hands on body bytes as far as credit and room go. */
void request_body(struct connection *c);

/** Whether it may be repeated on another process: safe, without content, nothing answered yet. */
bool request_repeatable(const struct connection *c);

#endif
