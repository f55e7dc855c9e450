/* SPDX-License-Identifier: Apache-2.0 */
/* exchange.h – the owner's side of the exchange protocol: streams over data channels.
 * Runs in: vhost. Distrusts: every listener. One that breaks a rule loses its channel; the streams of
 * the others live on. Nothing here knows routes, files' names or Lua.
 *
 *   exchange.c   channels: rings drained, rules checked       stream.c   slots, pool, request bodies
 *   turn.c       the end of each loop turn                    reply.c    HEAD, content, END, credit
 *   deadline.c   streams that make no progress
 *
 * A stream begins with OPEN and `open`. The site answers through reply.h, at once or later. What it
 * is told next: `readable` where the request's body grew or ended, `writable` where a reply that had
 * to wait is wholly on its way, `expired` where nothing moved for the deadline, `gone` once when the
 * stream is over for whatever reason. After that the struct belongs to another stream. What the
 * listener still says on a stream that is over has crossed our END or RESET: it is dropped.
 */
#ifndef LUTTPD_VHOST_EXCHANGE_H
#define LUTTPD_VHOST_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "channel/channel.h"
#include "schema/messages.h"
#include "vhost/stream.h"

#define EXCHANGE_STREAMS_MAX 16384 /* open streams of one channel; the slot is the id's low 16 bits */
#define EXCHANGE_BATCH 32          /* records of one channel before answers leave and others get their turn */

/** What the site does when something happens. All are called from the loop. */
struct hub_events {
    void (*open)(void *context, struct stream *s, const struct message_open *m,
                 const struct ring_record *record);
    void (*readable)(void *context, struct stream *s);
    void (*writable)(void *context, struct stream *s);
    void (*expired)(void *context, struct stream *s);
    void (*gone)(void *context, struct stream *s);
    void (*turn_over)(void *context); /* last in each loop turn, before the process may sleep */
};

/** Every channel of the process. */
struct hub {
    uv_loop_t *loop;
    const struct hub_events *events;
    void *context;
    uint32_t deadline_after_ms;
    struct exchange *all;    /* list */
    struct exchange *active; /* to be looked at before the loop sleeps */
    struct stream *pool;     /* free streams */
    struct stream **streams; /* by index */
    uint32_t stream_count, live;
    struct stream *soonest, *latest; /* deadlines */
    uint8_t *spare_body;             /* one buffer kept for the next stream */
    uv_prepare_t prepare;
    uv_idle_t idle;   /* runs while rings hold more than a batch */
    uv_timer_t retry; /* runs while a reply waits for room */
    uv_timer_t deadline;
    struct packet packet;
    _Alignas(8) uint8_t scratch[RECORD_PAYLOAD_MAX];
};

struct exchange {
    struct hub *hub;
    struct channel channel;
    uint64_t listener;
    uv_poll_t poll;
    struct exchange *next, *next_active;
    bool active, turning, dead;
    uint32_t live;
    struct stream *blocked_first, *blocked_last;
    struct stream **slots; /* owned: as many as the listener has named so far, to the next power of two */
    uint32_t slot_count;
};

/* turn.c */

/** Prepares the hub. events and context are borrowed. deadline_after_ms: how long a stream may go
 * without progress. Returns 0 or a libuv error. */
int hub_init(struct hub *h, uv_loop_t *loop, const struct hub_events *events, void *context,
             uint32_t deadline_after_ms);

/** Closes every channel and handle; the loop must run once more to finish. */
void hub_close(struct hub *h);

/** Frees the pool, after the loop has closed the handles. */
void hub_deinit(struct hub *h);

/** Asks for the exchange to be looked at before the loop sleeps. */
void hub_activate(struct exchange *x);

/** Lets a timer retry what waits for room, since nobody announces room in a ring. */
void hub_retry_soon(struct hub *h);

/* exchange.c */

/** Takes one end of a data channel to a listener. Returns 0, or -errno with the socket closed. */
int exchange_add(struct hub *h, int socket, uint64_t listener);

/** Handles what the ring holds, at most a batch. Returns 1 where more is left, 0 where it is empty,
 * negative where the listener broke a rule or is gone: close it. */
int exchange_drain(struct exchange *x);

/** Ends the channel and every stream on it. blame: what the listener did wrong, for the server's
 * log; NULL where it did nothing. */
void exchange_close(struct exchange *x, const char *blame);

/** Notes that the channel cannot be used any more: it is closed before the loop sleeps. */
void exchange_doom(struct exchange *x);

#endif
