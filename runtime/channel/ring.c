/* SPDX-License-Identifier: Apache-2.0 */
/* ring.c – a single-producer, single-consumer ring of records in shared memory.
 * Runs in: every process. Distrusts: every byte of the shared memory, at all times.
 *
 * Everything shared is read exactly once into a private variable and judged there. Data bytes are
 * copied out before anyone looks at them; the copy itself may race with a scribbling peer, which
 * yields garbage that the codec refuses, never an access outside the ring.
 *
 * Doorbell order: the reader stores asleep, fences, looks at tail; the writer stores tail, fences,
 * looks at asleep. One of the two sees the other (store buffering with full fences), so a record
 * is never left lying while the reader sleeps.
 *
 * A ring that runs empty is rewound: the writer pads to the end, so that a quiet channel keeps
 * using its first pages instead of touching, in time, all of them. Until the reader has passed the
 * padding only the room before the old place is free, so it must be worth a burst: half the ring. */
#include "channel/ring.h"

#include <errno.h>
#include <string.h>

#include "base/must.h"

#define ALIGNMENT 8u

static uint32_t round_up(uint32_t n) {
    return (n + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

void ring_writer_init(struct ring_writer *w, struct ring_shared *shared, void *data, uint32_t size) {
    MUST(size >= 2 * RECORD_MAX_BYTES && (size & (size - 1)) == 0);
    *w = (struct ring_writer){.shared = shared, .data = data, .size = size};
}

void ring_reader_init(struct ring_reader *r, struct ring_shared *shared, const void *data, uint32_t size) {
    MUST(size >= 2 * RECORD_MAX_BYTES && (size & (size - 1)) == 0);
    *r = (struct ring_reader){.shared = shared, .data = data, .size = size};
}

static void put_header(struct ring_writer *w, uint16_t type, uint32_t size) {
    struct record_header header = {.size = size, .type = type};
    memcpy(w->data + (w->tail & (w->size - 1)), &header, sizeof header);
}

/* Learns how far the reader is. It may only move forward, and not past what it was shown. */
static int refresh_head(struct ring_writer *w) {
    uint64_t head = atomic_load_explicit(&w->shared->head, memory_order_acquire);
    if (head < w->head || head > w->published || head % ALIGNMENT != 0) {
        return -EBADMSG;
    }
    w->head = head;
    return 0;
}

static void pad_to_end(struct ring_writer *w) {
    uint32_t rest = w->size - (uint32_t)(w->tail & (w->size - 1));
    put_header(w, RECORD_PAD, rest - RECORD_HEADER_BYTES);
    w->tail += rest;
}

/* Whether need bytes fit, contiguous, behind the tail. A record is at most half the ring, so an
 * empty ring always has room: what does not fit before the end fits before the offset. */
static bool has_room(const struct ring_writer *w, uint32_t need, bool *wraps) {
    uint64_t free_bytes = w->size - (w->tail - w->head);
    uint32_t offset = (uint32_t)(w->tail & (w->size - 1));
    uint32_t rest = w->size - offset;
    bool rewind = w->tail == w->head && offset >= w->size / 2 && offset >= need;
    *wraps = rest < need || rewind;
    return free_bytes >= (*wraps ? (uint64_t)rest + need : need);
}

void *ring_reserve(struct ring_writer *w, uint32_t payload_max) {
    uint32_t need = round_up(RECORD_HEADER_BYTES + payload_max);
    bool wraps;

    MUST(payload_max <= RECORD_PAYLOAD_MAX);
    bool past = (w->tail & (w->size - 1)) >= w->size / 2; /* look whether it could be rewound */
    if (!has_room(w, need, &wraps) || (past && !wraps)) {
        if (refresh_head(w) != 0) {
            errno = EBADMSG;
            return NULL;
        }
        if (!has_room(w, need, &wraps)) {
            errno = EAGAIN;
            return NULL;
        }
    }
    if (wraps) {
        pad_to_end(w);
    }
    return w->data + (w->tail & (w->size - 1)) + RECORD_HEADER_BYTES;
}

void ring_commit(struct ring_writer *w, uint16_t type, uint32_t payload_bytes) {
    MUST(type != RECORD_PAD && payload_bytes <= RECORD_PAYLOAD_MAX);
    put_header(w, type, payload_bytes);
    w->tail += round_up(RECORD_HEADER_BYTES + payload_bytes);
}

bool ring_publish(struct ring_writer *w) {
    if (w->tail == w->published) {
        return false;
    }
    w->published = w->tail;
    atomic_store_explicit(&w->shared->tail, w->tail, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&w->shared->asleep, memory_order_relaxed) == 0) {
        return false;
    }
    return atomic_exchange_explicit(&w->shared->asleep, 0, memory_order_relaxed) != 0;
}

/* Free bytes once a record of need bytes is in, or negative. */
static int64_t free_after(const struct ring_writer *w, uint32_t need) {
    uint32_t rest = w->size - (uint32_t)(w->tail & (w->size - 1));
    return (int64_t)(w->size - (w->tail - w->head)) - need - (rest < need ? rest : 0);
}

bool ring_has_room(struct ring_writer *w, uint32_t payload, uint32_t reserve) {
    uint32_t need = round_up(RECORD_HEADER_BYTES + payload);
    return free_after(w, need) >= reserve || (refresh_head(w) == 0 && free_after(w, need) >= reserve);
}

bool ring_reader_is_honest(struct ring_writer *w) {
    return refresh_head(w) == 0;
}

uint64_t ring_pending(const struct ring_writer *w) {
    uint64_t head = atomic_load_explicit(&w->shared->head, memory_order_relaxed);
    return head >= w->head && head <= w->tail ? w->tail - head : w->tail - w->head;
}

/* Learns how far the writer is. It may only move forward, and not lap the reader. */
static int refresh_tail(struct ring_reader *r) {
    uint64_t tail = atomic_load_explicit(&r->shared->tail, memory_order_acquire);
    if (tail < r->tail || tail - r->head > r->size || tail % ALIGNMENT != 0) {
        return -EBADMSG;
    }
    r->tail = tail;
    return 0;
}

/* Copies the header at the head and checks that its record lies wholly in what was published. */
static int read_header(const struct ring_reader *r, struct record_header *header) {
    uint32_t rest = r->size - (uint32_t)(r->head & (r->size - 1));
    /* volatile: one load, so that what is checked is what is used */
    uint64_t word = *(const volatile uint64_t *)(const void *)(r->data + (r->head & (r->size - 1)));
    memcpy(header, &word, sizeof word);
    if (header->reserved != 0) {
        return -EBADMSG;
    }
    if (header->type == RECORD_PAD) {
        bool to_the_end = header->size == rest - RECORD_HEADER_BYTES;
        return to_the_end && rest <= r->tail - r->head ? 0 : -EBADMSG;
    }
    if (header->size > RECORD_PAYLOAD_MAX) {
        return -EBADMSG;
    }
    uint32_t whole = round_up(RECORD_HEADER_BYTES + header->size);
    return whole <= rest && whole <= r->tail - r->head ? 0 : -EBADMSG;
}

int ring_next(struct ring_reader *r, void *scratch, struct ring_record *out) {
    struct record_header header;
    for (;;) {
        if (r->head == r->tail && (refresh_tail(r) != 0)) {
            return -EBADMSG;
        }
        if (r->head == r->tail) {
            return 0;
        }
        if (read_header(r, &header) != 0) {
            return -EBADMSG;
        }
        if (header.type != RECORD_PAD) {
            break;
        }
        r->head += RECORD_HEADER_BYTES + header.size;
    }
    memcpy(scratch, r->data + (r->head & (r->size - 1)) + RECORD_HEADER_BYTES, header.size);
    r->head += round_up(RECORD_HEADER_BYTES + header.size);
    *out = (struct ring_record){.type = header.type, .size = header.size, .payload = scratch};
    return 1;
}

void ring_release(struct ring_reader *r) {
    atomic_store_explicit(&r->shared->head, r->head, memory_order_release);
}

bool ring_doze(struct ring_reader *r) {
    ring_release(r);
    atomic_store_explicit(&r->shared->asleep, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&r->shared->tail, memory_order_relaxed) == r->head) {
        return true;
    }
    atomic_store_explicit(&r->shared->asleep, 0, memory_order_relaxed);
    return false;
}
