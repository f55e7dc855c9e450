/* SPDX-License-Identifier: Apache-2.0 */
/* asker.c – one listener: which vhost answers for a host, and please a channel to it.
 * Runs in: router. Distrusts: the listener. A question costs one answer, which waits in the kernel's
 * queue; while that is full the listener is not listened to, so one that reads nothing waits alone, and
 * one whose questions are costly gives way to the others after each few milliseconds. A wish costs one flag, however often it is uttered. */
#include "router/asker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "base/report.h"
#include "router/router.h"

/* What finds no room is kept as it would have been sent. */
static int on_route_ask(void *context, const struct message_route_ask *m, struct packet *p) {
    struct asker *a = context;
    struct policy_answer *answer = &a->router->answer;
    (void)p;
    policy_answer(a->router, m, answer);
    a->owed_bytes = message_route_write(&answer->route, a->owed, sizeof a->owed);
    MUST(a->owed_bytes > 0);
    int rc = packet_send(a->socket, a->owed, a->owed_bytes, NULL, 0);
    a->owes = rc == -EAGAIN;
    return a->owes ? 0 : rc;
}

static int on_channel_ask(void *context, const struct message_channel_ask *m, struct packet *p) {
    struct asker *a = context;
    long index = host_map_vhost_index(a->router->map, m->vhost);
    (void)p;
    if (index < 0) {
        return -EBADMSG;
    }
    a->wish_count += !a->wishes[index];
    a->wishes[index] = true;
    return 0;
}

static const struct router_from_listener_control handlers = {
    .route_ask = on_route_ask,
    .channel_ask = on_channel_ask,
};

static void on_later(uv_timer_t *timer);

/* Hands the wishes on to master, at most once every few milliseconds. */
static void forward(struct asker *a) {
    struct router *r = a->router;
    uint64_t now = uv_now(&r->loop);
    bool full = a->forwarded_ms != 0 && now - a->forwarded_ms < ASKER_FORWARD_MS;
    for (size_t i = 0; i < host_map_vhost_count(r->map) && a->wish_count > 0 && !full; i++) {
        if (!a->wishes[i]) {
            continue;
        }
        struct message_introduce wish = {.listener = a->number, .vhost = host_map_vhost_at(r->map, i)->id};
        int rc = message_introduce_send(r->process->control, &wish, NULL);
        full = rc == -EAGAIN; /* else it is sent, or master is gone, which control.c will see */
        a->wishes[i] = full;
        a->wish_count -= !full;
        a->forwarded_ms = now;
    }
    if (a->wish_count > 0 && !uv_is_active((uv_handle_t *)a->timer)) {
        (void)uv_timer_start(a->timer, on_later, ASKER_FORWARD_MS, 0);
    }
}

static void on_later(uv_timer_t *timer) {
    forward(timer->data);
}

/* Returns 1, or why to stop: 0 it is gone, -EAGAIN nothing left, else its fault. */
static int receive(struct asker *a) {
    struct packet *p = &a->router->packet;
    int rc = packet_receive(a->socket, p);
    if (rc != 1) {
        return rc;
    }
    rc = router_from_listener_control_dispatch(&handlers, a, PHASE_SERVING, p->type, packet_payload(p),
                                               p->size, p);
    packet_drop(p);
    if (rc == -EPIPE) {
        return 0;
    }
    return rc == 0 ? 1 : rc;
}

/* Gives the answer that found no room. Returns 1 once nothing is owed, else as receive. */
static int pay(struct asker *a) {
    int rc = a->owes ? packet_send(a->socket, a->owed, a->owed_bytes, NULL, 0) : 0;
    a->owes = rc == -EAGAIN;
    return rc == 0 ? 1 : rc == -EPIPE ? 0 : rc;
}

static void on_event(uv_poll_t *poll, int status, int events) {
    struct asker *a = poll->data;
    bool owed = a->owes;
    int packets = 0;
    int rc = status < 0 ? status : pay(a);
    (void)events;
    for (uint64_t end = uv_hrtime() + ASKER_TURN_NS; rc == 1 && !a->owes;) {
        rc = receive(a);
        if (++packets == ASKER_PACKETS_PER_TURN || uv_hrtime() >= end) {
            break; /* what is left is readable still */
        }
    }
    if (a->owes != owed && (rc == 1 || rc == -EAGAIN)) {
        rc = uv_poll_start(poll, a->owes ? UV_WRITABLE : UV_READABLE, on_event) == 0 ? -EAGAIN : -EIO;
    }
    if (rc == 1 || rc == -EAGAIN) {
        if (a->wish_count > 0) {
            forward(a);
        }
        return;
    }
    bool gone = rc == 0 || status < 0 || rc == -ECONNRESET; /* the latter where it left answers unread */
    if (!gone) {
        router_blame(a->router, a->number, a->generation,
                     rc == -EBADMSG ? "broke the rules of its channel" : strerror(-rc));
    }
    asker_close(a);
}

static void free_handle(uv_handle_t *handle) {
    free(handle);
}

void asker_open(struct router *r, const struct message_channel *stamp, int socket) {
    const uint32_t number = (uint32_t)stamp->id;
    size_t vhosts = host_map_vhost_count(r->map);
    struct asker *a = calloc(1, sizeof *a + vhosts * sizeof a->wishes[0]);
    uv_timer_t *timer = calloc(1, sizeof *timer);
    uv_poll_t *poll = a != NULL ? router_poll(r, socket, on_event, a) : NULL;
    if (r->askers[number] != NULL) {
        asker_close(r->askers[number]);
    }
    if (a == NULL || timer == NULL || poll == NULL) {
        router_unpoll(poll);
        free(a);
        free(timer);
        (void)close(socket);
        report(REPORT_ERROR, "listener %u could not be taken: out of memory", number);
        return;
    }
    a->router = r;
    a->number = number;
    a->generation = stamp->generation;
    a->socket = socket;
    a->poll = poll;
    a->timer = timer;
    a->timer->data = a;
    (void)uv_timer_init(&r->loop, a->timer);
    r->askers[number] = a;
}

void asker_close(struct asker *a) {
    router_unpoll(a->poll);
    uv_close((uv_handle_t *)a->timer, free_handle);
    (void)close(a->socket);
    a->router->askers[a->number] = NULL;
    free(a);
}
