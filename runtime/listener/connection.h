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
 * While idle a connection owns nothing but this struct; the request comes from a pool when bytes do. One that
 * has not moved for a second is parked: what it still needs is packed, and its request given back (park.h). */
#ifndef LUTTPD_LISTENER_CONNECTION_H
#define LUTTPD_LISTENER_CONNECTION_H

#include "listener/accept.h"
#include "listener/file_send.h"
#include "listener/h1_body.h"
#include "listener/link.h"
#include "listener/listener.h"
#include "listener/network.h"
#include "listener/output.h"
#include "listener/pace.h"
#include "listener/request.h"
#include "listener/response.h"
#include "listener/turn.h"

struct parked;

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
    struct connection_list *list; /* of the listener, where it stands */
    struct connection *next, *previous;
    struct connection *next_touched;
    struct connection *next_waiting; /* in routes or link, while ROUTING or CALLING */
    bool touched, ended_by_client, want_write;
    bool counted;      /* in listener->crowd, under peer's address */
    bool awaits_proxy; /* a PROXY header must come before anything else */
    bool stirred;      /* something has happened since the last sweep */
    uint32_t requests; /* begun on this connection */

    struct network_client peer;   /* the socket's other end, or whom a PROXY header names */
    struct network_client client; /* of this request: the peer, or whom trusted proxies name */

    struct request *request; /* NULL while idle, lingering or parked */
    struct parked *parked;   /* owned */
    struct link *link;
    uint64_t id; /* of the request, for log, vhost and error pages */
    uint32_t stream;
    uint32_t ask;      /* of the router */
    bool narrow;       /* that question names only the cookie that counts */
    bool suspect;      /* a router has gone when this was its next question */
    bool retried;      /* was handed to another process before */
    uint64_t since_ms; /* when the present wait began (uv_now) */
    uint64_t began_us, began_monotonic_us;

    /* request content */
    struct h1_body body;
    struct pace body_pace;
    bool body_done;       /* all of it was handed on, END sent */
    uint32_t body_credit; /* bytes that the vhost still takes */

    /* response */
    bool head_written, end_seen, keep;
    uint16_t status;
    enum h1_body_kind framing;
    uint64_t content_left; /* H1_BODY_LENGTH: what the vhost still owes */
    uint64_t content_sent; /* for the log */
    uint64_t written;      /* bytes that the socket took, of all responses */
    uint64_t head_at;      /* what written was, or will be, before the first byte of this response */
    struct pace send_pace;
    uint32_t window; /* bytes that the vhost may still send */
    char *out;
    size_t out_at, out_n, out_capacity;
    size_t file_at; /* the file goes between out[..file_at) and out[file_at..) */
    struct file_send file;
};

/** Takes an accepted socket. Returns 0, or -errno with fd closed: -EAGAIN where its address has too many. */
int connection_open(struct listener *l, int fd, const struct network_client *peer);

/** Closes who has been idle longest, or else silent longest since it came. Returns false without either. */
bool connection_close_oldest_idle(struct listener *l);

/** Does what can be done now: parses, hands on the body, writes, goes to the next request. */
void connection_advance(struct connection *c);

/** The answer is written: starts on what the client has sent since, or waits for it. */
void connection_next_request(struct connection *c);

/** Half-closes and reads on for a moment, so that unread bytes do not turn the answer into a reset. */
void connection_linger(struct connection *c);

/** Closes at once, answered or not; tells the vhost of an open stream, and logs what was cut. */
void connection_abort(struct connection *c);

/** Answers that the head is refused, as the parser or the clock says. */
void connection_refuse_head(struct connection *c, unsigned status);

/** Closes at once; c has no stream, and what it had to say is logged. */
void connection_close(struct connection *c);

/** Frees c once neither libuv nor a file thread holds it. */
void connection_release(struct connection *c);

#endif
