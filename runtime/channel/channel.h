/* SPDX-License-Identifier: Apache-2.0 */
/* channel.h – one end of a data or log channel: a pair socket and rings in a sealed memfd.
 * Runs in: listener, vhost, router, logger. Distrusts: everything the peer sends or scribbles.
 * Use only from the loop that owns it. Nothing here blocks, allocates per message or calls back.
 *
 *   data channel: the listener makes the rings; it writes "in" (64 KiB), the vhost "out" (256 KiB)
 *   log channel:  the logger makes the ring; the producer writes "in" (64 KiB), there is no "out";
 *                 a listener's holds 1 MiB: a fifth of a second of access records at full speed
 */
#ifndef LUTTPD_CHANNEL_CHANNEL_H
#define LUTTPD_CHANNEL_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "channel/packet.h"
#include "channel/ring.h"

#define CHANNEL_IN_BYTES (64 * 1024)
#define CHANNEL_OUT_BYTES (256 * 1024)
#define CHANNEL_ACCESS_LOG_BYTES (1024 * 1024)
#define STREAM_CREDIT_BYTES 32768 /* first window of content of each stream and direction */

enum channel_kind { CHANNEL_DATA, CHANNEL_LOG, CHANNEL_ACCESS_LOG };

struct channel {
    int socket; /* owned; -1 once closed */
    enum channel_kind kind;
    void *memory; /* the mapping, NULL until the ring has come */
    size_t memory_bytes;
    struct ring_writer writer; /* data: both sides; log: the producer only */
    struct ring_reader reader; /* data: both sides; log: the logger only */
    bool must_ring;            /* publish found the reader asleep: channel_flush will ring */
};

/** Takes socket and makes the rings, then passes them to the peer (listener of a data channel,
 * logger of a log channel). Returns 0, or -errno with the socket closed. */
int channel_make(struct channel *c, int socket, enum channel_kind kind);

/** Takes socket and waits for the peer's RING (the other ends). channel_ready is false until
 * channel_receive has seen it. */
void channel_await(struct channel *c, int socket, enum channel_kind kind);

/** Bytes of the ring "in" of this kind of channel. */
uint32_t channel_in_bytes(enum channel_kind kind);

static inline bool channel_ready(const struct channel *c) {
    return c->memory != NULL;
}

/** Takes one packet off the socket; a doorbell or the RING is swallowed. Call once for each time the
 * (level-triggered) loop says readable, then look at the ring: a doorbell costs one system call.
 * Returns 1 with out a packet that the caller must dispatch and drop (only FILE_DESCRIPTOR can come);
 * -EAGAIN where nothing is left to dispatch; 0 where the peer is gone; -EBADMSG: blame; else -errno.
 * After the RING has come the ring may hold records for which nobody rings: read it at once. */
int channel_receive(struct channel *c, struct packet *out);

/** As channel_receive, but reads past doorbells: for a packet that a record has announced. */
int channel_expect(struct channel *c, struct packet *out);

/** Publishes what was committed and remembers whether to ring. Cheap; call after each batch. */
void channel_publish(struct channel *c);

/** Publishes, then rings if the peer sleeps. Call once per loop turn, last.
 * Returns 0, -EPIPE where the peer is gone, -errno. A full socket queue counts as rung. */
int channel_flush(struct channel *c);

/** Unmaps and closes. Safe to call twice. */
void channel_close(struct channel *c);

#endif
