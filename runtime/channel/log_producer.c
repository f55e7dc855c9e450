/* SPDX-License-Identifier: Apache-2.0 */
/* log_producer.c – how a process gets its log records to the logger.
 * Runs in: router, listener, vhost. Distrusts: the logger, which can scribble over the ring.
 *
 * The logger does not sleep on a ring: it looks once a second, so that a record costs no system
 * call. A doorbell only keeps a busy ring from filling up in between; its condition counts what was
 * written here and asks nothing of shared memory.
 *
 * A ring that is left behind is walked with an ordinary reader that begins where the old logger
 * says it got to, if that is possible at all. What is read there may be scribbled over: only records
 * that decode go into the new ring, or a dead logger could have this process cut off by the next. */
#include "channel/log_producer.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/report.h"

#define INDEX_BYTES 4096

_Static_assert(sizeof(struct ring_shared) <= INDEX_BYTES, "the indices fit their page");

static void forget_channel(struct channel *c) {
    channel_close(c);
    *c = (struct channel){.socket = -1};
}

/* Early enough that the logger comes before the ring is full, also where it shares our processor. */
static uint64_t bell_bytes(const struct log_producer *p) {
    return channel_in_bytes(p->kind) / 8;
}

static size_t private_bytes(const struct log_producer *p) {
    return INDEX_BYTES + channel_in_bytes(p->kind);
}

int log_producer_init(struct log_producer *p, enum channel_kind kind) {
    *p = (struct log_producer){.kind = kind, .current.socket = -1, .next.socket = -1};
    void *memory = mmap(NULL, private_bytes(p), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    p->private_memory = memory;
    ring_writer_init(&p->private_ring, memory, (uint8_t *)memory + INDEX_BYTES, channel_in_bytes(kind));
    p->writer = &p->private_ring;
    return 0;
}

static void unmap_private(struct log_producer *p) {
    if (p->private_memory != NULL) {
        (void)munmap(p->private_memory, private_bytes(p));
    }
    p->private_memory = NULL;
}

void log_producer_deinit(struct log_producer *p) {
    forget_channel(&p->next);
    forget_channel(&p->current);
    unmap_private(p);
    p->writer = NULL;
}

static void close_socket(struct channel *c) {
    if (c->socket >= 0) {
        (void)close(c->socket);
    }
    c->socket = -1;
}

void log_producer_take(struct log_producer *p, int socket) {
    forget_channel(&p->next);
    close_socket(&p->current);
    channel_await(&p->next, socket, p->kind);
}

int log_producer_socket(const struct log_producer *p) {
    return p->next.socket >= 0 ? p->next.socket : p->current.socket;
}

void log_producer_hang_up(struct log_producer *p) {
    forget_channel(&p->next);
    close_socket(&p->current);
}

/* A reader over what writer holds and nobody has consumed. An impossible head of the reader's is
 * ignored: from the last one believed on, nothing has been overwritten. */
static struct ring_reader unread_records(const struct ring_writer *w) {
    uint64_t head = atomic_load_explicit(&w->shared->head, memory_order_acquire);
    if (head < w->head || head > w->tail || head % 8 != 0) {
        head = w->head;
    }
    return (struct ring_reader){
        .shared = w->shared, .data = w->data, .size = w->size, .head = head, .tail = w->tail};
}

static bool is_log_record(const struct ring_record *r) {
    union {
        struct message_log_access access;
        struct message_log_error error;
        struct message_log_dropped dropped;
    } m;
    switch (r->type) {
    case MESSAGE_LOG_ACCESS:
        return message_log_access_decode(&m.access, r->payload, r->size) == 0;
    case MESSAGE_LOG_ERROR:
        return message_log_error_decode(&m.error, r->payload, r->size) == 0;
    case MESSAGE_LOG_DROPPED:
        return message_log_dropped_decode(&m.dropped, r->payload, r->size) == 0;
    default:
        return false;
    }
}

static void move_record(struct log_producer *p, struct ring_writer *to, const struct ring_record *r) {
    void *payload = is_log_record(r) ? ring_reserve(to, r->size) : NULL;
    if (payload == NULL) {
        p->dropped++;
        return;
    }
    memcpy(payload, r->payload, r->size);
    ring_commit(to, r->type, r->size);
}

static void move_records(struct log_producer *p, struct ring_writer *from, struct ring_writer *to) {
    _Alignas(8) uint8_t scratch[RECORD_PAYLOAD_MAX];
    struct ring_record record;
    (void)ring_publish(from);
    struct ring_reader unread = unread_records(from);
    while (unread.head != unread.tail) {
        int rc = ring_next(&unread, scratch, &record);
        if (rc < 0) {
            p->dropped++; /* at least: what follows cannot be found any more */
        }
        if (rc != 1) {
            break;
        }
        move_record(p, to, &record);
    }
    (void)ring_publish(to);
    p->since_bell_bytes = to->tail;
}

/* The new logger's ring has come: it takes over from the ring at hand. */
static void adopt_next(struct log_producer *p) {
    struct channel fresh = p->next;
    move_records(p, p->writer, &fresh.writer);
    channel_close(&p->current);
    unmap_private(p);
    p->current = fresh;
    p->writer = &p->current.writer;
    p->next = (struct channel){.socket = -1};
    p->broken = p->broken_told = false;
}

int log_producer_receive(struct log_producer *p) {
    struct packet packet;
    struct channel *c = p->next.socket >= 0 ? &p->next : &p->current;
    MUST(c->socket >= 0);
    int rc = channel_receive(c, &packet);
    if (rc == 1) {
        packet_drop(&packet);
        rc = -EBADMSG;
    }
    if (c == &p->next && channel_ready(c)) {
        adopt_next(p);
    }
    if (rc == 0) {
        return -EPIPE;
    }
    if (rc == -EBADMSG) {
        report(REPORT_WARNING, "the logger sent what it may not: its channel is closed");
    }
    return rc == -EAGAIN ? 0 : rc;
}

/* Bytes of the record that ends at the tail, without what was padded before it: a record that came
 * after padding begins at the ring's start. */
static uint64_t record_bytes(const struct ring_writer *w, uint64_t tail_before) {
    uint64_t grown = w->tail - tail_before, offset = w->tail & (w->size - 1);
    return offset != 0 && offset < grown ? offset : grown;
}

/* rc: of a message_*_put. */
static void count_put(struct log_producer *p, int rc, uint64_t tail_before) {
    if (rc == 0) {
        p->since_bell_bytes += record_bytes(p->writer, tail_before);
        return;
    }
    p->dropped++;
    if (rc == -EBADMSG) {
        p->broken = true;
    }
}

/* Tells the logger of earlier losses first. False where not even that fits. */
static bool has_caught_up(struct log_producer *p) {
    if (p->broken) {
        return false;
    }
    if (p->dropped == 0) {
        return true;
    }
    struct message_log_dropped m = {.records = p->dropped};
    int rc = message_log_dropped_put(p->writer, &m);
    if (rc == 0) {
        p->dropped = 0;
    }
    if (rc == -EBADMSG) {
        p->broken = true;
    }
    return rc == 0;
}

static void cut(struct slice *s, size_t max) {
    if (s->n > max) {
        s->n = max;
    }
}

void log_producer_access(struct log_producer *p, const struct message_log_access *m) {
    struct message_log_access shortened = *m;
    cut(&shortened.method, MESSAGE_LOG_ACCESS_METHOD_MAX);
    cut(&shortened.target, MESSAGE_LOG_ACCESS_TARGET_MAX);
    cut(&shortened.host, MESSAGE_LOG_ACCESS_HOST_MAX);
    cut(&shortened.referer, MESSAGE_LOG_ACCESS_REFERER_MAX);
    cut(&shortened.agent, MESSAGE_LOG_ACCESS_AGENT_MAX);
    uint64_t tail = p->writer->tail;
    if (has_caught_up(p)) {
        count_put(p, message_log_access_put(p->writer, &shortened), tail);
    } else {
        p->dropped++;
    }
}

void log_producer_error(struct log_producer *p, enum level level, struct slice text) {
    cut(&text, MESSAGE_LOG_ERROR_TEXT_MAX);
    struct message_log_error m = {.time_us = clock_realtime_us(), .level = level, .text = text};
    uint64_t tail = p->writer->tail;
    if (has_caught_up(p)) {
        count_put(p, message_log_error_put(p->writer, &m), tail);
    } else {
        p->dropped++;
    }
}

static int tell_broken(struct log_producer *p) {
    if (p->broken_told) {
        return 0;
    }
    p->broken_told = true;
    report(REPORT_WARNING,
           "the logger wrote an impossible ring index: records are only counted until the next one");
    return -EBADMSG;
}

int log_producer_flush(struct log_producer *p) {
    if (p->dropped != 0) {
        (void)has_caught_up(p);
    }
    if (p->broken) {
        return tell_broken(p);
    }
    (void)ring_publish(p->writer);
    if (p->since_bell_bytes <= bell_bytes(p) || p->current.socket < 0) {
        return 0;
    }
    p->since_bell_bytes = 0;
    const struct message_doorbell nothing = {0};
    /* Where its queue is full it looks by itself; where it is gone, receive says so. */
    (void)message_doorbell_send(p->current.socket, &nothing, NULL);
    return 0;
}
