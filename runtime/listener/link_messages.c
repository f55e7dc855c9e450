/* SPDX-License-Identifier: Apache-2.0 */
/* link_messages.c – what a vhost says: finds whose stream it is, and hands it on.
 * Runs in: listener. Distrusts: everything the vhost sends; cuts it off at the first broken rule.
 *
 * A stream id belongs to this channel and to one use of a slot: a message for any other id is a
 * fault, except for a use of a slot that we ended ourselves, whose answer may be under way. */
#include <errno.h>

#include "listener/connection.h"

#define IDLE_RECORDS_MAX 50000 /* in a second: records that carry nothing, or for what is over */

/* How many uses of its slot ago that id was given; negative: it never was. */
static int16_t age_of(const struct link *k, uint32_t stream) {
    return (int16_t)(k->slots[(uint16_t)stream].sequence - (uint16_t)(stream >> 16));
}

/* Finds whose stream an id names. Returns 0 with *c set, NULL for one that we have abandoned: the ring
 * keeps order, so its messages come before the first one of the slot's next use, and never after. */
static int find_stream(struct link *k, uint32_t stream, struct connection **c) {
    uint16_t slot = (uint16_t)stream;
    if (slot >= k->slot_count) {
        return -EBADMSG;
    }
    struct link_slot *s = &k->slots[slot];
    int16_t age = age_of(k, stream);
    *c = age == 0 ? s->connection : NULL;
    if (*c != NULL) {
        s->late = false;
        return 0;
    }
    return s->late && age >= 0 ? 0 : -EBADMSG;
}

static int count_idle(struct link *k) {
    return ++k->idle_records > IDLE_RECORDS_MAX ? -EBADMSG : 0;
}

#define ON_STREAM(message, handler)                                                               \
    static int on_##message(void *context, const struct message_##message *m, struct packet *p) { \
        struct connection *c;                                                                     \
        (void)p;                                                                                  \
        if (find_stream(context, m->stream, &c) != 0) {                                           \
            return -EBADMSG;                                                                      \
        }                                                                                         \
        return c == NULL ? count_idle(context) : handler;                                         \
    }

static int take_credit(struct connection *c, uint32_t bytes) {
    if (c->body_done || bytes == 0 || bytes > STREAM_CREDIT_BYTES ||
        c->body_credit + bytes > STREAM_CREDIT_BYTES) {
        return c->body_done && bytes <= STREAM_CREDIT_BYTES ? count_idle(c->link) : -EBADMSG;
    }
    c->body_credit += bytes;
    turn_touch(c);
    return 0;
}

/* The vhost's own word for why; to the client it is only whose turn it is to try again. */
static unsigned status_of(enum reason reason) {
    switch (reason) {
    case REASON_REFUSED:
        return 503;
    case REASON_TIMEOUT:
        return 504;
    case REASON_TOO_LARGE:
        return 413;
    case REASON_CANCELLED:
    case REASON_PROTOCOL:
    case REASON_INTERNAL:
        break;
    }
    return 500;
}

static int take_reset(struct connection *c, enum reason reason) {
    link_close_stream(c->link, c, false, REASON_CANCELLED);
    response_broken(c, status_of(reason));
    turn_touch(c);
    return 0;
}

/* Both sides have said all: the slot is free again, however slowly the client reads what is left. */
static int take_end(struct connection *c) {
    int rc = response_end(c);
    if (rc == 0 && c->end_seen && c->body_done && c->state == CONNECTION_OPEN) {
        link_close_stream(c->link, c, false, REASON_CANCELLED);
        c->state = CONNECTION_ANSWERING;
    }
    return rc;
}

/* The descriptor was sent before its FILE: if it is not here yet, it lies in the socket. */
static int take_file(struct connection *c, const struct message_file *m) {
    struct link *k = c->link;
    if (!c->file.announced) {
        struct packet *p = &k->listener->packet;
        int rc = channel_expect(&k->channel, p);
        while (rc == 1) {
            rc = link_dispatch_packet(k, p);
            if (rc != 0 || c->file.announced) {
                break;
            }
            rc = channel_expect(&k->channel, p);
        }
        k->dozing = false; /* it may have swallowed the bell that ended our sleep */
    }
    return c->file.announced ? response_file(c, m) : -EBADMSG;
}

ON_STREAM(head, response_head(c, m))
ON_STREAM(body, m->data.n == 0 && count_idle(c->link) != 0 ? -EBADMSG : response_body(c, m))
ON_STREAM(file, m->length == 0 && count_idle(c->link) != 0 ? -EBADMSG : take_file(c, m))
ON_STREAM(end, take_end(c))
ON_STREAM(credit, take_credit(c, m->bytes))
ON_STREAM(reset, take_reset(c, m->reason))

static const struct listener_from_vhost_ring ring_handlers = {
    .head = on_head, .body = on_body, .file = on_file, .end = on_end, .credit = on_credit, .reset = on_reset};

/* The socket and the ring have no common order: what comes here for an older use of a slot may come after
 * records of the present one, and says nothing of which records are still to come. */
static int on_file_descriptor(void *context, const struct message_file_descriptor *m, struct packet *p) {
    struct link *k = context;
    uint16_t slot = (uint16_t)m->stream;
    if (slot >= k->slot_count) {
        return -EBADMSG;
    }
    struct connection *c = k->slots[slot].connection;
    int16_t age = age_of(k, m->stream);
    if (age != 0 || c == NULL) {
        return age >= 0 ? 0 : -EBADMSG; /* link_dispatch_packet discards the descriptor */
    }
    return file_send_take(k, &c->file, packet_take(p, 0));
}

static const struct listener_from_vhost_pair pair_handlers = {.file_descriptor = on_file_descriptor};

int link_dispatch_packet(struct link *k, struct packet *p) {
    int rc = listener_from_vhost_pair_dispatch(&pair_handlers, k, PHASE_SERVING, p->type, packet_payload(p),
                                               p->size, p);
    bool few = file_send_discard(k, p);
    return rc == 0 && !few ? -EBADMSG : rc;
}

void link_drain(struct link *k) {
    struct ring_record record;
    int rc = 0;
    for (unsigned i = 0; i < DRAIN_RECORDS_MAX && k->state == LINK_OPEN && channel_ready(&k->channel); i++) {
        rc = ring_next(&k->channel.reader, k->listener->scratch, &record);
        if (rc != 1) {
            break;
        }
        k->empty_bells = 0;
        rc = listener_from_vhost_ring_dispatch(&ring_handlers, k, PHASE_SERVING, record.type, record.payload,
                                               record.size, NULL);
        if (rc != 0) {
            link_blame(k, message_name(record.type));
            return;
        }
    }
    if (rc < 0) {
        link_blame(k, "impossible record or ring index");
    } else if (k->state == LINK_OPEN && channel_ready(&k->channel)) {
        ring_release(&k->channel.reader);
    }
}
