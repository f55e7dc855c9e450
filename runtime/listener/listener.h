/* SPDX-License-Identifier: Apache-2.0 */
/* listener.h – the whole state of one listener process, and who does what with it.
 * Runs in: listener. Distrusts: clients, vhosts, the router's answers, the logger's ring.
 *
 *   accept.c      clients come                        connection.c  bytes in, bytes out, in order
 *   request.c     head → route → OPEN, body in        response.c    HEAD, BODY, FILE, END → bytes
 *   routes.c      which vhost (cache, router)         link.c        channel and streams to a vhost
 *   file_send.c   sendfile without blocking           link_messages.c   what a vhost says
 *   control.c     what master says
 *   turn.c        the end of each loop turn: drain rings, write, ring doorbells, sleep
 */
#ifndef LUTTPD_LISTENER_LISTENER_H
#define LUTTPD_LISTENER_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/http_date.h"
#include "channel/log_producer.h"
#include "listener/routes.h"
#include "process/process.h"
#include "route/host_map.h"
#include "schema/messages.h"

struct connection;
struct link;
struct request;

#define LINK_STREAMS_MAX 512  /* open streams to one vhost process; more wait */
#define LINK_WAITING_MAX 4096 /* requests that wait for one vhost; more get 503 */
#define WAIT_MAX_MS 10000     /* a request that waits longer for its vhost gets 503 */
#define ANSWER_MAX_MS 60000   /* a vhost that sends no head by then gets 504 in its place */
#define SPARE_DESCRIPTORS 64  /* kept back for channels and files */

struct listener {
    uv_loop_t loop;
    struct process process;
    uint32_t id;
    uint16_t port;
    uint16_t listen; /* number of the listen statement */
    uint64_t epoch;  /* of the policies */
    int socket;      /* listening */
    int spare;       /* closed to answer one client when descriptors run out; -1 while used */
    size_t connections, connections_max;
    bool draining, accepting;

    struct host_map *map;
    struct link *links; /* one for each vhost of the map, in its order */
    size_t link_count;
    struct link *active; /* links to look at in the end of this turn */
    struct routes routes;

    struct connection *all;     /* every connection */
    struct connection *touched; /* connections with something to do at the end of this turn */
    struct request *free_requests;
    size_t free_request_count;

    struct log_producer log;
    uv_poll_t *log_poll;

    uv_poll_t accept_poll, control_poll;
    uv_prepare_t turn;
    uv_idle_t awake;     /* while there is more to do: the loop looks for events but does not wait */
    uv_timer_t sweep;    /* once a second: deadlines */
    uv_timer_t retry;    /* a few milliseconds: vhosts whose ring was full */
    uv_timer_t deadline; /* of draining */
    uint64_t date_second;
    char date[HTTP_DATE_BYTES + 1];

    struct message_open open;                        /* filled for each request; large, so kept here */
    struct packet packet;                            /* where packets are received */
    _Alignas(8) uint8_t scratch[RECORD_PAYLOAD_MAX]; /* where records are copied */
};

/* accept.c */

/** Starts to accept. The loop must be initialised. Returns 0 or a libuv error. */
int accept_start(struct listener *l);

/** Stops accepting for good (draining). */
void accept_stop(struct listener *l);

/** A connection has closed: accept again where descriptors had run short. */
void accept_resume(struct listener *l);

/* control.c */

/** Starts to listen to master. Returns 0 or a libuv error. */
int control_start(struct listener *l);

/** The logger broke a rule, or is gone: waits for the next one. */
void control_drop_logger(struct listener *l);

/* turn.c */

/** Registers the end-of-turn work and the timers. Returns 0 or a libuv error. */
int turn_start(struct listener *l);

/** Asks for this connection to be looked at in the end of this turn. */
void turn_touch(struct connection *c);

/** The Date field's value, fresh to the second. Lives until the next call. */
struct slice turn_date(struct listener *l);

/* shared by those that poll raw descriptors */

/** Polls fd for reading; callback gets data through handle->data. Allocates the handle, since libuv
 * frees it later. Returns NULL where that fails. */
uv_poll_t *listener_poll(struct listener *l, int fd, uv_poll_cb callback, void *data);

/** Stops polling and frees the handle in time. Call before the descriptor is closed. */
void listener_unpoll(uv_poll_t *poll);

#endif
