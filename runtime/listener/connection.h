/* SPDX-License-Identifier: Apache-2.0 */
/* connection.h – one client connection: one request at a time, in order.
 * Runs in: listener. Distrusts: every byte the client sends.
 *
 *   READING --head complete--> ROUTING --vhost known--> CALLING --OPEN sent--> OPEN
 *      ^           |                                                            |
 *      |           +--refused--> ANSWERING (our own answer, no stream)           |
 *      +--kept----------------------- everything is written --------------------+
 *                                     not kept: LINGERING, then CLOSED
 *
 * While idle a connection owns nothing but this struct; the request comes from a pool when bytes do. */
#ifndef LUTTPD_LISTENER_CONNECTION_H
#define LUTTPD_LISTENER_CONNECTION_H

#include "listener/file_send.h"
#include "listener/h1_body.h"
#include "listener/link.h"
#include "listener/listener.h"
#include "listener/request.h"
#include "listener/response.h"

enum connection_state {
    CONNECTION_READING,
    CONNECTION_ROUTING,
    CONNECTION_CALLING,
    CONNECTION_OPEN,
    CONNECTION_ANSWERING,
    CONNECTION_LINGERING, /* reads and forgets, so that the answer is not lost to a reset */
    CONNECTION_CLOSED,    /* waits for libuv and file threads to let go */
};

struct connection {
    struct listener *listener;
    uv_poll_t poll;
    int fd;
    int polled; /* UV_READABLE | UV_WRITABLE as asked of libuv */
    enum connection_state state;
    struct connection *next, *previous; /* in listener->all */
    struct connection *next_touched;
    struct connection *next_waiting; /* in routes or link, while ROUTING or CALLING */
    bool touched, ended_by_client, want_write;

    uint8_t family; /* enum family */
    uint8_t address[16];
    uint16_t port;

    struct request *request;
    struct link *link;
    uint32_t stream;
    uint32_t ask;      /* of the router */
    bool retried;      /* was handed to another process before */
    uint64_t since_ms; /* when the present wait began (uv_now) */
    uint64_t began_us, began_monotonic_us;

    /* request content */
    struct h1_body body;
    bool body_done;       /* all of it was handed on, END sent */
    uint32_t body_credit; /* bytes that the vhost still takes */

    /* response */
    bool head_written, end_seen, keep;
    uint16_t status;
    enum h1_body_kind framing;
    uint64_t content_left; /* H1_BODY_LENGTH: what the vhost still owes */
    uint64_t content_sent; /* for the log */
    uint32_t window;       /* bytes that the vhost may still send */
    char *out;
    size_t out_at, out_n, out_capacity;
    size_t file_at; /* the file goes between out[..file_at) and out[file_at..) */
    struct file_send file;
};

/** Takes an accepted socket. Returns 0, or -errno with fd closed. */
int connection_open(struct listener *l, int fd, const struct connection *peer);

/** Does what can be done now: parses, hands on the body, writes, goes to the next request. */
void connection_advance(struct connection *c);

/** The answer is written: starts on what the client has sent since, or waits for it. */
void connection_next_request(struct connection *c);

/** Half-closes and reads on for a moment, so that unread bytes do not turn the answer into a reset. */
void connection_linger(struct connection *c);

/** Closes at once, answered or not; tells the vhost of an open stream, and logs what was cut. */
void connection_abort(struct connection *c);

/** Closes at once; c has no stream, and what it had to say is logged. */
void connection_close(struct connection *c);

/** Frees c once neither libuv nor a file thread holds it. */
void connection_release(struct connection *c);

/** Room for n more bytes at the end of the output, or NULL (out of memory: c was aborted). */
char *connection_reserve(struct connection *c, size_t n);
void connection_commit(struct connection *c, size_t n);

/** Appends text to the output. Returns false where c was aborted for want of memory. */
bool connection_put(struct connection *c, struct slice text);

#endif
