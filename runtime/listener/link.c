/* SPDX-License-Identifier: Apache-2.0 */
/* link.c – the listener's side of one vhost: its channel, its open streams, who waits for it.
 * Runs in: listener. Distrusts: everything the vhost sends; cuts it off at the first broken rule.
 * What it says is in link_messages.c. */
#include "listener/link.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/report.h"
#include "listener/connection.h"
#include "listener/routes.h"

#define EMPTY_BELLS_MAX 5000 /* in a second: packets that no record follows */
#define DEAF_MS 1000         /* a vhost that makes no room for a RESET that long is cut off */

int links_init(struct listener *l) {
    l->link_count = host_map_vhost_count(l->map);
    l->links = calloc(l->link_count + 1, sizeof *l->links);
    if (l->links == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < l->link_count; i++) {
        const struct host_map_vhost *vhost = host_map_vhost_at(l->map, i);
        l->links[i] =
            (struct link){.listener = l, .vhost = vhost->id, .name = vhost->name, .channel.socket = -1};
    }
    return 0;
}

void link_activate(struct link *k) {
    if (!k->is_active) {
        k->is_active = true;
        k->next_active = k->listener->active;
        k->listener->active = k;
    }
}

/* Waiting ------------------------------------------------------------------------------------------- */

static void enqueue(struct link *k, struct connection *c) {
    c->state = CONNECTION_CALLING;
    c->next_waiting = NULL;
    if (k->last != NULL) {
        k->last->next_waiting = c;
    } else {
        k->first = c;
    }
    k->last = c;
    k->waiting++;
}

static struct connection *dequeue(struct link *k) {
    struct connection *c = k->first;
    k->first = c->next_waiting;
    if (k->first == NULL) {
        k->last = NULL;
    }
    c->next_waiting = NULL;
    k->waiting--;
    return c;
}

void link_forget(struct link *k, struct connection *c) {
    struct connection *before = NULL;
    for (struct connection *w = k->first; w != NULL; before = w, w = w->next_waiting) {
        if (w != c) {
            continue;
        }
        if (before != NULL) {
            before->next_waiting = c->next_waiting;
        } else {
            k->first = c->next_waiting;
        }
        if (k->last == c) {
            k->last = before;
        }
        c->next_waiting = NULL;
        k->waiting--;
        return;
    }
}

static void refuse_waiting(struct link *k, unsigned retry_s) {
    while (k->first != NULL) {
        struct connection *c = dequeue(k);
        response_own(c, 503, retry_s);
        turn_touch(c);
    }
}

void link_call(struct link *k, struct connection *c) {
    uint64_t now = uv_now(&k->listener->loop);
    c->link = k;
    if (k->waiting >= LINK_WAITING_MAX || (k->state == LINK_ABSENT && now < k->refused_until_ms)) {
        response_own(c, 503, 1);
        return;
    }
    c->since_ms = now;
    enqueue(k, c);
    if (k->state == LINK_ABSENT) {
        k->state = LINK_ASKED;
        routes_ask_channel(k->listener, k);
    }
    link_activate(k);
}

void link_serve_waiting(struct link *k) {
    link_pay_resets(k);
    while (k->first != NULL && k->state == LINK_OPEN && channel_ready(&k->channel)) {
        struct connection *c = k->first;
        int rc = link_open_stream(k, c);
        if (rc == -EAGAIN) {
            k->blocked = true;
            return;
        }
        if (rc != 0) {
            link_blame(k, "impossible ring index");
            return;
        }
        (void)dequeue(k);
        turn_touch(c);
    }
}

/* The vhost's end --------------------------------------------------------------------------------- */

/* The process is gone or cut off: what it has answered completely is still sent, and whoever may be
 * repeated waits for the next one. */
static void orphan_streams(struct link *k) {
    for (uint32_t i = 0; i < k->slot_count; i++) {
        struct connection *c = k->slots[i].connection;
        if (c == NULL) {
            continue;
        }
        link_close_stream(k, c, false, REASON_INTERNAL);
        if (c->end_seen) {
            c->state = CONNECTION_ANSWERING;
        } else if (request_repeatable(c)) {
            c->retried = true;
            link_call(k, c);
        } else {
            response_broken(c, 502);
        }
        turn_touch(c);
    }
}

static void close_channel(struct link *k) {
    if (k->state != LINK_OPEN) {
        return;
    }
    k->state = LINK_ABSENT;
    listener_unpoll(k->poll);
    k->poll = NULL;
    channel_close(&k->channel);
    orphan_streams(k);
    link_free_slots(k);
    k->blocked = false;
    if (k->first != NULL && k->state == LINK_ABSENT) {
        k->state = LINK_ASKED;
        routes_ask_channel(k->listener, k);
    }
}

/* What it said before it died still counts, as much as a ring can hold; it may live and say more. */
static void end_channel(struct link *k) {
    for (size_t left = CHANNEL_OUT_BYTES / RECORD_HEADER_BYTES; left > DRAIN_RECORDS_MAX;
         left -= DRAIN_RECORDS_MAX) {
        link_drain(k);
    }
    close_channel(k);
}

/* Accuses first: whoever reads the line knows that master has decided. */
void link_blame(struct link *k, const char *why) {
    const struct message_blame blame = {.peer = PEER_VHOST, .id = k->vhost, .generation = k->generation};
    (void)message_blame_send(k->listener->process.control, &blame, NULL);
    report(REPORT_WARNING, "vhost %.*s, generation %llu, broke a rule and is cut off: %s", (int)k->name.n,
           k->name.p, (unsigned long long)k->generation, why);
    close_channel(k);
}

void link_refused(struct link *k, uint32_t retry_ms) {
    if (k->state == LINK_ASKED) {
        k->state = LINK_ABSENT;
        k->refused_until_ms = uv_now(&k->listener->loop) + retry_ms;
        refuse_waiting(k, retry_ms / 1000 + 1);
    }
}

/* Turns --------------------------------------------------------------------------------------------- */

void link_unblock(struct link *k) {
    k->blocked = false;
    if (k->state == LINK_OPEN && !ring_reader_is_honest(&k->channel.writer)) {
        link_blame(k, "impossible ring index");
        return;
    }
    for (uint32_t i = 0; i < k->slot_count; i++) {
        struct connection *c = k->slots[i].connection;
        if (c != NULL && c->parked != NULL) {
            response_consumed(c); /* credit is all that a parked one can owe */
        } else if (c != NULL) {
            turn_touch(c);
        }
    }
    link_activate(k);
}

bool link_settle(struct link *k) {
    if (k->state != LINK_OPEN || !channel_ready(&k->channel)) {
        return true;
    }
    if (channel_flush(&k->channel) != 0) {
        return true; /* its socket is about to say so */
    }
    if (!k->dozing) {
        k->dozing = ring_doze(&k->channel.reader);
    }
    return k->dozing && (k->first == NULL || k->blocked);
}

/* Doorbells, descriptors and the end of the vhost. */
static void on_socket(uv_poll_t *poll, int status, int events) {
    struct link *k = poll->data;
    struct packet *p = &k->listener->packet;
    (void)events;
    int rc = status < 0 ? status : channel_receive(&k->channel, p);
    if (rc == 1) {
        rc = link_dispatch_packet(k, p) == 0 ? -EAGAIN : -EBADMSG;
    }
    if (rc == -EAGAIN && ++k->empty_bells > EMPTY_BELLS_MAX) {
        rc = -EBADMSG;
    }
    if (rc == -EAGAIN) {
        k->dozing = false;
        link_activate(k);
        return;
    }
    if (rc == -EBADMSG) {
        link_blame(k, "packet");
        return;
    }
    end_channel(k);
}

void link_open(struct link *k, int socket, uint64_t generation, uint64_t device) {
    if (k->state == LINK_OPEN && k->generation == generation) {
        (void)close(socket); /* asked for twice, such as of two routers: streams are open on the other */
        return;
    }
    end_channel(k);
    bool clogged = k->doomed_count >= FILE_DOOMED_MAX; /* its descriptors do not even close */
    if (clogged) {
        (void)close(socket);
    }
    if (clogged || channel_make(&k->channel, socket, CHANNEL_DATA) != 0) {
        k->state = LINK_ABSENT;
        refuse_waiting(k, 1);
        return;
    }
    k->poll = listener_poll(k->listener, k->channel.socket, on_socket, k);
    if (k->poll == NULL) {
        channel_close(&k->channel);
        k->state = LINK_ABSENT;
        refuse_waiting(k, 1);
        return;
    }
    k->generation = generation;
    k->device = device;
    k->state = LINK_OPEN;
    k->dozing = false;
    k->empty_bells = k->idle_records = 0;
    link_activate(k);
}

void link_sweep(struct link *k, uint64_t now) {
    if (k->owed > 0 && now - k->owed_since_ms > DEAF_MS) {
        report(REPORT_WARNING, "vhost %.*s, generation %llu, does not read its ring and is cut off",
               (int)k->name.n, k->name.p, (unsigned long long)k->generation);
        close_channel(k); /* slow is no broken rule: master is not told */
    }
    while (k->first != NULL && now - k->first->since_ms > WAIT_MAX_MS) {
        struct connection *c = dequeue(k);
        response_own(c, 503, 1);
        turn_touch(c);
    }
    k->empty_bells = k->idle_records = 0;
    for (uint32_t i = 0; i < k->slot_count; i++) {
        struct connection *c = k->slots[i].connection;
        if (c != NULL && !c->head_written && c->body_done && now - c->since_ms > ANSWER_MAX_MS) {
            link_close_stream(k, c, true, REASON_TIMEOUT);
            response_own(c, 504, 0);
            turn_touch(c);
        }
    }
}
