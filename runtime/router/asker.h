/* SPDX-License-Identifier: Apache-2.0 */
/* asker.h – one listener, as the router knows it.
 * Runs in: router. Distrusts: the listener. Its number is what master stamped on the channel. */
#ifndef LUTTPD_ROUTER_ASKER_H
#define LUTTPD_ROUTER_ASKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "channel/record.h"
#include "schema/messages.h"

#define ASKER_PACKETS_PER_TURN 64 /* so that no listener keeps the router from the others */
#define ASKER_TURN_NS 5000000     /* likewise, where an answer takes long */
#define ASKER_FORWARD_MS 5        /* between two rounds of wishes of one listener */

struct router;

struct asker {
    struct router *router;
    uint32_t number;
    uint64_t generation;
    int socket;        /* owned control channel */
    uv_poll_t *poll;   /* frees itself */
    uv_timer_t *timer; /* frees itself; for wishes that came too soon */
    uint64_t forwarded_ms;
    uint8_t owed[RECORD_HEADER_BYTES + MESSAGE_ROUTE_MAX]; /* the last answer, as a frame */
    size_t owed_bytes;
    bool owes; /* it found no room in the listener's queue */
    size_t wish_count;
    bool wishes[]; /* vhosts, in the map's order, that it wants a channel to */
};

/** Begins to listen to the listener that master stamped on the channel. Its number is below
 * ROUTER_ASKERS_MAX. Takes socket in every outcome; an earlier channel of the same listener is closed. */
void asker_open(struct router *r, const struct message_channel *stamp, int socket);

/** Closes the channel and frees it. */
void asker_close(struct asker *a);

#endif
