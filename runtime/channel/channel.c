/* SPDX-License-Identifier: Apache-2.0 */
/* channel.c – one end of a data or log channel: a pair socket and rings in a sealed memfd.
 * Runs in: listener, vhost, router, logger. Distrusts: everything the peer sends or scribbles.
 *
 *   memory:  | page: shared indices of "in", of "out" | "in" data | "out" data (data channels only) |
 */
#include "channel/channel.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "channel/memfd.h"
#include "schema/messages.h"

#define INDEX_BYTES 4096

struct shared_indices {
    struct ring_shared in;
    struct ring_shared out;
};
_Static_assert(sizeof(struct shared_indices) <= INDEX_BYTES, "indices fit their page");

uint32_t channel_in_bytes(enum channel_kind kind) {
    return kind == CHANNEL_ACCESS_LOG ? CHANNEL_ACCESS_LOG_BYTES : CHANNEL_IN_BYTES;
}

static size_t memory_size(enum channel_kind kind) {
    return INDEX_BYTES + channel_in_bytes(kind) + (kind == CHANNEL_DATA ? CHANNEL_OUT_BYTES : 0);
}

/* maker: whether this end made the memfd. The listener writes "in" and the logger reads it. */
static void attach(struct channel *c, void *memory, bool maker) {
    struct shared_indices *indices = memory;
    uint8_t *in = (uint8_t *)memory + INDEX_BYTES;
    uint8_t *out = in + CHANNEL_IN_BYTES;

    c->memory = memory;
    c->memory_bytes = memory_size(c->kind);
    if (c->kind != CHANNEL_DATA) {
        if (maker) {
            ring_reader_init(&c->reader, &indices->in, in, channel_in_bytes(c->kind));
        } else {
            ring_writer_init(&c->writer, &indices->in, in, channel_in_bytes(c->kind));
        }
    } else if (maker) {
        ring_writer_init(&c->writer, &indices->in, in, CHANNEL_IN_BYTES);
        ring_reader_init(&c->reader, &indices->out, out, CHANNEL_OUT_BYTES);
    } else {
        ring_reader_init(&c->reader, &indices->in, in, CHANNEL_IN_BYTES);
        ring_writer_init(&c->writer, &indices->out, out, CHANNEL_OUT_BYTES);
    }
}

void channel_await(struct channel *c, int socket, enum channel_kind kind) {
    *c = (struct channel){.socket = socket, .kind = kind};
}

int channel_make(struct channel *c, int socket, enum channel_kind kind) {
    const struct message_ring nothing = {0};
    void *memory;
    int rc;

    channel_await(c, socket, kind);
    int fd = memfd_make_ring("luttpd-ring", memory_size(kind));
    if (fd < 0) {
        channel_close(c);
        return fd;
    }
    rc = memfd_map_ring(fd, memory_size(kind), &memory);
    if (rc == 0) {
        attach(c, memory, true);
        rc = message_ring_send(socket, &nothing, &fd);
    }
    (void)close(fd);
    if (rc != 0) {
        channel_close(c);
    }
    return rc;
}

/* The RING may come once, and only to the end that waits for it. */
static int take_ring(struct channel *c, struct packet *p) {
    struct message_ring nothing;
    void *memory;

    if (c->memory != NULL || p->fd_count != 1 ||
        message_ring_decode(&nothing, packet_payload(p), p->size) != 0) {
        return -EBADMSG;
    }
    int fd = packet_take(p, 0);
    int rc = memfd_map_ring(fd, memory_size(c->kind), &memory);
    (void)close(fd);
    if (rc == 0) {
        attach(c, memory, false);
    }
    return rc;
}

#define SWALLOWED 2 /* a doorbell or the RING: nothing for the caller, look at the ring */

static int receive_one(struct channel *c, struct packet *out) {
    int rc = packet_receive(c->socket, out);
    if (rc != 1) {
        return rc;
    }
    if (out->type == MESSAGE_RING) {
        rc = take_ring(c, out);
        packet_drop(out);
        return rc == 0 ? SWALLOWED : rc;
    }
    bool doorbell = out->type == MESSAGE_DOORBELL;
    if (c->memory == NULL || (doorbell && (out->size != 0 || out->fd_count != 0))) {
        packet_drop(out);
        return -EBADMSG;
    }
    return doorbell ? SWALLOWED : 1;
}

int channel_receive(struct channel *c, struct packet *out) {
    int rc = receive_one(c, out);
    return rc == SWALLOWED ? -EAGAIN : rc;
}

int channel_expect(struct channel *c, struct packet *out) {
    int rc;
    do {
        rc = receive_one(c, out);
    } while (rc == SWALLOWED);
    return rc;
}

void channel_publish(struct channel *c) {
    if (ring_publish(&c->writer)) {
        c->must_ring = true;
    }
}

int channel_flush(struct channel *c) {
    const struct message_doorbell nothing = {0};
    channel_publish(c);
    if (!c->must_ring) {
        return 0;
    }
    c->must_ring = false;
    int rc = message_doorbell_send(c->socket, &nothing, NULL);
    return rc == -EAGAIN ? 0 : rc; /* a queue full of packets wakes the peer as well */
}

void channel_close(struct channel *c) {
    if (c->memory != NULL) {
        (void)munmap(c->memory, c->memory_bytes);
        c->memory = NULL;
    }
    if (c->socket >= 0) {
        (void)close(c->socket);
        c->socket = -1;
    }
}
