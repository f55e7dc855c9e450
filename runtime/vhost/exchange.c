/* SPDX-License-Identifier: Apache-2.0 */
/* exchange.c – channels to listeners: rings drained, rules checked.
 * Runs in: vhost. Distrusts: every listener. The rules that the codec cannot know: a slot is below
 * EXCHANGE_STREAMS_MAX and free when OPEN names it; content comes only where it was announced and
 * within credit; credit stays below 2^31. */
#include "vhost/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/report.h"
#include "vhost/reply.h"

#define SLOTS_AT_FIRST 16

/* What a handler of the dispatch table gets. */
struct reading {
    struct exchange *exchange;
    const struct ring_record *record;
};

/* The stream that a message names; NULL where it is over. Sets *rc where no such id can be. */
static struct stream *stream_of(const struct reading *r, uint32_t id, int *rc) {
    uint32_t slot = id & 0xffff;
    *rc = slot < EXCHANGE_STREAMS_MAX ? 0 : -EBADMSG;
    struct stream *s = slot < r->exchange->slot_count ? r->exchange->slots[slot] : NULL;
    return s != NULL && s->id == id ? s : NULL;
}

/* Makes room for a slot that is named for the first time. */
static int grow_slots(struct exchange *x, uint32_t slot) {
    uint32_t count = x->slot_count == 0 ? SLOTS_AT_FIRST : x->slot_count;
    while (count <= slot) {
        count *= 2;
    }
    struct stream **slots = realloc(x->slots, count * sizeof *slots);
    if (slots == NULL) {
        return -ENOMEM;
    }
    memset(slots + x->slot_count, 0, (count - x->slot_count) * sizeof *slots);
    x->slots = slots;
    x->slot_count = count;
    return 0;
}

static int on_open(void *context, const struct message_open *m, struct packet *p) {
    const struct reading *r = context;
    struct exchange *x = r->exchange;
    uint32_t slot = m->stream & 0xffff;
    (void)p;
    if (slot >= EXCHANGE_STREAMS_MAX || (slot < x->slot_count && x->slots[slot] != NULL)) {
        return -EBADMSG;
    }
    bool room = slot < x->slot_count || grow_slots(x, slot) == 0;
    struct stream *s = room ? stream_open(x, m->stream) : NULL;
    if (s == NULL) {
        const struct message_reset full = {.stream = m->stream, .reason = REASON_REFUSED};
        return message_reset_put(&x->channel.writer, &full) == -EBADMSG ? -EBADMSG : 0;
    }
    s->body.open = m->body;
    s->request = m->request;
    x->hub->events->open(x->hub->context, s, m, r->record);
    return 0;
}

static int on_body(void *context, const struct message_body *m, struct packet *p) {
    int rc;
    struct stream *s = stream_of(context, m->stream, &rc);
    (void)p;
    if (s == NULL) {
        return rc;
    }
    rc = stream_take_body(s, m->data);
    if (rc == -ENOMEM) {
        reply_reset(s, REASON_INTERNAL);
        return 0;
    }
    if (rc == 0) {
        deadline_touch(s);
        s->exchange->hub->events->readable(s->exchange->hub->context, s);
    }
    return rc;
}

static int on_end(void *context, const struct message_end *m, struct packet *p) {
    int rc;
    struct stream *s = stream_of(context, m->stream, &rc);
    (void)p;
    if (s == NULL) {
        return rc;
    }
    if (!s->body.open) {
        return -EBADMSG;
    }
    s->body.open = false;
    deadline_touch(s);
    s->exchange->hub->events->readable(s->exchange->hub->context, s);
    return 0;
}

static int on_credit(void *context, const struct message_credit *m, struct packet *p) {
    int rc;
    struct stream *s = stream_of(context, m->stream, &rc);
    (void)p;
    if (s == NULL) {
        return rc;
    }
    if (m->bytes > INT32_MAX - s->reply.credit) {
        return -EBADMSG;
    }
    s->reply.credit += m->bytes;
    s->patience = CREDIT_PATIENCE;
    deadline_touch(s);
    if (!s->blocked) {
        reply_continue(s);
    }
    return 0;
}

static int on_reset(void *context, const struct message_reset *m, struct packet *p) {
    int rc;
    struct stream *s = stream_of(context, m->stream, &rc);
    (void)p;
    if (s != NULL) {
        stream_close(s);
    }
    return rc;
}

static const struct vhost_from_listener_ring handlers = {
    .open = on_open,
    .body = on_body,
    .end = on_end,
    .credit = on_credit,
    .reset = on_reset,
};

int exchange_drain(struct exchange *x) {
    struct ring_record record;
    struct reading reading = {.exchange = x, .record = &record};
    int rc = 1;
    for (int i = 0; i < EXCHANGE_BATCH && !x->dead; i++) {
        rc = ring_next(&x->channel.reader, x->hub->scratch, &record);
        if (rc == 1) {
            rc = vhost_from_listener_ring_dispatch(&handlers, &reading, PHASE_SERVING, record.type,
                                                   record.payload, record.size, NULL);
            rc = rc < 0 ? rc : 1;
        }
        if (rc != 1) {
            break;
        }
    }
    ring_release(&x->channel.reader);
    return rc;
}

void exchange_doom(struct exchange *x) {
    x->dead = true;
    hub_activate(x);
}

static void on_poll_closed(uv_handle_t *handle) {
    struct exchange *x = handle->data;
    free(x->slots);
    free(x);
}

static void unlink_exchange(struct exchange *x) {
    struct exchange **at;
    for (at = &x->hub->all; *at != x; at = &(*at)->next) {}
    *at = x->next;
    if (x->active) {
        for (at = &x->hub->active; *at != x; at = &(*at)->next_active) {}
        *at = x->next_active;
    }
}

void exchange_close(struct exchange *x, const char *blame) {
    if (blame != NULL) {
        report(REPORT_WARNING, "the channel to listener %llu is closed: %s", (unsigned long long)x->listener,
               blame);
    }
    x->dead = true;
    for (size_t i = 0; i < x->slot_count && x->live > 0; i++) {
        if (x->slots[i] != NULL) {
            stream_close(x->slots[i]);
        }
    }
    unlink_exchange(x);
    (void)uv_poll_stop(&x->poll);
    channel_close(&x->channel);
    uv_close((uv_handle_t *)&x->poll, on_poll_closed);
}

/* A doorbell, the RING, or the end. A vhost is never sent a descriptor after the RING. */
static void on_readable(uv_poll_t *poll, int status, int events) {
    struct exchange *x = poll->data;
    struct packet *p = &x->hub->packet;
    (void)events;
    int rc = status < 0 ? status : channel_receive(&x->channel, p);
    if (rc == 1) {
        packet_drop(p);
        exchange_close(x, "a packet that no vhost expects");
    } else if (rc == -EAGAIN) {
        hub_activate(x);
    } else {
        exchange_close(x, rc == -EBADMSG ? "a malformed packet" : NULL);
    }
}

int exchange_add(struct hub *h, int socket, uint64_t listener) {
    struct exchange *x = calloc(1, sizeof *x);
    if (x == NULL) {
        (void)close(socket);
        return -ENOMEM;
    }
    x->hub = h;
    x->listener = listener;
    channel_await(&x->channel, socket, CHANNEL_DATA);
    int rc = uv_poll_init(h->loop, &x->poll, socket);
    if (rc != 0) {
        channel_close(&x->channel);
        free(x);
        return rc;
    }
    x->poll.data = x;
    (void)uv_poll_start(&x->poll, UV_READABLE, on_readable);
    x->next = h->all;
    h->all = x;
    return 0;
}
