/* SPDX-License-Identifier: Apache-2.0 */
/* ring.h – a single-producer, single-consumer ring of records in shared memory.
 * Runs in: every process. Distrusts: every byte of the shared memory, at all times.
 *
 *   shared page:  tail (writer's)   head (reader's)   asleep (reader's flag)
 *   data:         | record | record | pad to the end |      records are 8-byte aligned, contiguous
 *
 * Indices count bytes and run freely; offset = index modulo size. Each side keeps its own index in
 * private memory and only publishes it; the peer's is read once, checked, and used from the copy.
 *
 *   writer:  p = ring_reserve(w, n);  fill p;  ring_commit(w, type, n);  ...
 *            if (ring_publish(w)) ring the doorbell
 *   reader:  while ((rc = ring_next(r, scratch, &record)) == 1) handle(record);
 *            rc < 0: blame the peer;  ring_doze(r): false means look again before sleeping
 */
#ifndef LUTTPD_CHANNEL_RING_H
#define LUTTPD_CHANNEL_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel/record.h"

/** The shared half. Each index has a cache line of its own. */
struct ring_shared {
    _Alignas(64) _Atomic uint64_t tail;   /* written by the writer */
    _Alignas(64) _Atomic uint64_t head;   /* written by the reader */
    _Alignas(64) _Atomic uint32_t asleep; /* set by the reader, taken by the writer: a hint */
};

struct ring_writer {
    struct ring_shared *shared;
    uint8_t *data;
    uint32_t size;      /* bytes, a power of two */
    uint64_t tail;      /* next byte to write */
    uint64_t published; /* what the reader may see */
    uint64_t head;      /* the reader's index as last seen and believed */
};

struct ring_reader {
    struct ring_shared *shared;
    const uint8_t *data;
    uint32_t size;
    uint64_t head; /* next byte to read */
    uint64_t tail; /* the writer's index as last seen and believed */
};

/** A record as read: private copy, valid until the scratch buffer is used again. */
struct ring_record {
    uint16_t type;
    uint32_t size;
    const uint8_t *payload;
};

/** Attaches to shared memory that the caller maps and keeps. size: bytes of data, a power of two
 * of at least 64 KiB. A fresh memfd is all zero: nothing else to initialise. */
void ring_writer_init(struct ring_writer *w, struct ring_shared *shared, void *data, uint32_t size);
void ring_reader_init(struct ring_reader *r, struct ring_shared *shared, const void *data, uint32_t size);

/** Room for one record with a payload of up to payload_max bytes (at most RECORD_PAYLOAD_MAX).
 * Returns where the payload goes, or NULL: no room now (errno is EAGAIN), or the reader published
 * an impossible index (errno is EBADMSG): blame it. Nothing is written until ring_commit. */
void *ring_reserve(struct ring_writer *w, uint32_t payload_max);

/** Ends the record begun by ring_reserve. payload_bytes: at most what was reserved. */
void ring_commit(struct ring_writer *w, uint16_t type, uint32_t payload_bytes);

/** Lets the reader see all committed records. Returns true where the reader sleeps: ring once. */
bool ring_publish(struct ring_writer *w);

/** Whether a record with that payload fits now and leaves at least reserve bytes for others. Looks at
 * the reader's index only where the last look does not do; a reader that lied has no room. */
bool ring_has_room(struct ring_writer *w, uint32_t payload, uint32_t reserve);

/** Whether the reader's index, as it stands now, is one that an honest reader can have published. Ask
 * where room is missing: a reader that lies would else only seem slow. */
bool ring_reader_is_honest(struct ring_writer *w);

/** Bytes committed that the reader has not consumed, as far as is known. */
uint64_t ring_pending(const struct ring_writer *w);

/** Copies the next record into scratch (at least RECORD_PAYLOAD_MAX bytes) and consumes it.
 * Returns 1 with out filled, 0 where the ring is empty, -EBADMSG where the writer broke a rule. */
int ring_next(struct ring_reader *r, void *scratch, struct ring_record *out);

/** Tells the writer how far the reader is: frees the room. Once per batch, not per record. */
void ring_release(struct ring_reader *r);

/** Announces that the reader will sleep. Returns true where the ring is empty and it may;
 * false where more has come: read on (the announcement is withdrawn). */
bool ring_doze(struct ring_reader *r);

#endif
