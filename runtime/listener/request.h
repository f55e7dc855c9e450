/* SPDX-License-Identifier: Apache-2.0 */
/* request.h – from a complete head to OPEN, BODY and END in the vhost's ring.
 * Runs in: listener. Distrusts: the client. */
#ifndef LUTTPD_LISTENER_REQUEST_H
#define LUTTPD_LISTENER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "listener/h1_head.h"
#include "listener/policy.h"

struct connection;
struct link;
struct listener;

#define REQUEST_BUFFER_BYTES 24576 /* the head, which is never longer; behind it body or the next request */
#define REQUEST_OUTPUT_BYTES 4096  /* larger output is allocated, and given back with the request */

/** Buffers and parsed head of the request in hand; pooled (request_pool.c). */
struct request {
    struct request *next_free;
    struct policy *policy; /* held: the one under which the request began */
    struct h1_parser parser;
    struct h1_head head; /* slices point into bytes and path */
    struct field fields[H1_FIELDS_MAX + POLICY_TAGS_MAX];
    size_t n;       /* bytes read */
    size_t body_at; /* first byte behind the head that was not handed on; 0 while reading a head */
    char path[H1_TARGET_MAX_BYTES];
    char tags[POLICY_TAGS_BYTES]; /* text of fields that the policy adds */
    char bytes[REQUEST_BUFFER_BYTES];
    char out[REQUEST_OUTPUT_BYTES];
};

/** Gives c a request, empty, under the newest policy. Returns false: out of memory. */
bool request_take(struct connection *c);

/** Gives the request of c back, if it has one, and forgets what was not written. */
void request_give_back(struct connection *c);

/** The same where the output does not lie in it. */
void request_hand_in(struct connection *c);

/** Starts on the next head, of which n bytes are in the buffer already. */
void request_restart(struct connection *c, size_t n);

/** Decides which part of the requests that nobody has needed since the last call is freed. Call once a second. */
void requests_sweep(struct listener *l);

/** Frees some of them. Call in each turn. Returns whether none is left. */
bool requests_trim(struct listener *l);

/** Another exchange begins on c, complete or not: it gets its id. */
void request_enter(struct connection *c);

/** The head in c->request is complete: checks it, asks for the route. */
void request_begin(struct connection *c);

/** The route is known; NULL: nobody answers here. */
void request_routed(struct connection *c, struct link *k);

/** Puts OPEN into the ring. Returns 0, -EAGAIN where there is no room, -EBADMSG: blame. */
int request_open(struct connection *c);

/** Hands on body bytes as far as credit and room go. */
void request_body(struct connection *c);

/** Ends the stream of c, whose body is wrong, too large or too slow: answers with status, or cuts. */
void request_refuse_body(struct connection *c, unsigned status, enum reason reason);

/** Whether the client owes content: some is missing, and nothing of it is here. A body that is whole may still
 * wait for room to say so. */
bool request_lacks_body(const struct connection *c);

/** Whether it may be repeated on another process: safe, without content, nothing answered yet. */
bool request_repeatable(const struct connection *c);

#endif
