/* SPDX-License-Identifier: Apache-2.0 */
/* listener.h – the whole state of one listener process, and who does what with it.
 * Runs in: listener. Distrusts: clients, vhosts, the router's answers, the logger's ring.
 *
 *   accept.c      clients come                        connection.c  bytes in, bytes out, in order
 *   crowd.c       how many from each address          output.c      bytes out
 *   deadlines.c   who is too slow                     park.c        what slow ones give back
 *   request.c     head → route → OPEN, body in        response.c    HEAD, BODY, FILE, END → bytes
 *   routes.c      which vhost (cache, router)         link.c        channel and streams to a vhost
 *   file_send.c   sendfile without blocking           link_streams.c, link_messages.c   its slots, its words
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
#include "listener/crowd.h"
#include "listener/policy.h"
#include "listener/routes.h"
#include "process/process.h"
#include "route/host_map.h"
#include "schema/messages.h"

struct connection;
struct file_shared;
struct link;
struct request;

#define LINK_STREAMS_MAX 16384 /* open streams to one vhost process; more wait */
#define LINK_WAITING_MAX 4096  /* requests that wait for one vhost; more get 503 */
#define WAIT_MAX_MS 10000      /* a request that waits longer for its vhost gets 503 */
#define ANSWER_MAX_MS 60000    /* a vhost that sends no head by then gets 504 in its place */
#define SPARE_DESCRIPTORS 64   /* kept back for what is under way: channels that change, packets */
#define FILE_BUCKETS 1024      /* of the table of open files */

/** Connections in order; a connection stands in exactly one list of its listener. */
struct connection_list {
    struct connection *first, *last;
};

/** The look at every connection, once a second, in slices: deadlines.h. */
struct sweep {
    bool runs;
    uint64_t began_ms;       /* uv_now */
    uint32_t elapsed_ms;     /* since the one before began */
    struct connection *next; /* busy one to look at */
    size_t left;             /* at most so many more */
};

struct listener {
    uv_loop_t loop;
    struct process process;
    uint32_t id;
    uint16_t port;
    uint16_t listen; /* number of the listen statement */
    uint64_t epoch;  /* of the policies */
    int socket;      /* listening */
    int spare;       /* closed to answer one client when descriptors run out; -1 while used */
    size_t connections, connections_max; /* the policy's limit, or as many as descriptors allow */
    size_t descriptors_for_connections;
    size_t files, files_max; /* open files of vhosts, and how many there may be */
    bool draining, accepting;

    struct policy_machine *policy_machine;
    struct policy *policy; /* the newest; whoever began under another holds that */
    int policies;          /* the file that it is loaded from at the start */
    struct siphash_key id_key;
    uint64_t ids; /* made so far */

    struct host_map *map;
    struct link *links; /* one for each vhost of the map, in its order */
    size_t link_count;
    struct link *active; /* links to look at in the end of this turn */
    struct routes routes;

    struct connection_list fresh; /* no byte has come yet; the oldest first */
    struct connection_list idle;  /* wait for another request; the oldest first */
    struct connection_list busy;  /* all others */
    struct crowd crowd;
    struct sweep deadlines;
    uint32_t crowded, unproxied; /* refused since the last line: too many of one address, bad header */
    uint64_t told_ms;            /* when that line was */
    struct connection *touched;  /* connections with something to do at the end of this turn */
    struct request *free_requests;
    size_t free_request_count, free_request_low, trim; /* how few since the last sweep; how many to free */
    struct file_shared *shared_files[FILE_BUCKETS];

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

/* control.c */

/** Starts to listen to master. Returns 0 or a libuv error. */
int control_start(struct listener *l);

/** The logger broke a rule, or is gone: waits for the next one. */
void control_drop_logger(struct listener *l);

#endif
