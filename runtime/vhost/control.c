/* SPDX-License-Identifier: Apache-2.0 */
/* control.c – what master says: introductions, the end.
 * Runs in: vhost. Trusts: master. Its end is the order to finish, too. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/report.h"
#include "vhost/vhost.h"

#define ORPHAN_DRAIN_MS 5000 /* master died: as long as open requests may still take */
#define DRAIN_LOOK_MS 10     /* nobody says that the listeners have read everything */

/* Whether listeners have read all that was said to them. */
static bool is_heard(const struct vhost *v) {
    for (const struct exchange *x = v->hub.all; x != NULL; x = x->next) {
        if (channel_ready(&x->channel) && ring_pending(&x->channel.writer) > 0) {
            return false;
        }
    }
    return true;
}

void control_check_drained(struct vhost *v) {
    if (v->hub.live == 0 && v->hub.active == NULL && is_heard(v)) {
        uv_stop(&v->loop);
    }
}

static void on_drain(uv_timer_t *timer) {
    struct vhost *v = timer->data;
    if (uv_now(&v->loop) >= v->drain_until_ms) {
        uv_stop(&v->loop);
    } else {
        control_check_drained(v);
    }
}

static void drain(struct vhost *v, uint32_t drain_ms) {
    v->draining = true;
    v->drain_until_ms = uv_now(&v->loop) + drain_ms;
    (void)uv_timer_start(&v->drain, on_drain, DRAIN_LOOK_MS, DRAIN_LOOK_MS);
}

static int on_stop(void *context, const struct message_stop *m, struct packet *p) {
    (void)p;
    drain(context, m->drain_ms);
    return 0;
}

static void free_handle(uv_handle_t *handle) {
    free(handle);
}

static void stop_log_poll(struct vhost *v) {
    if (v->log_poll != NULL) {
        (void)uv_poll_stop(v->log_poll);
        uv_close((uv_handle_t *)v->log_poll, free_handle);
        v->log_poll = NULL;
    }
}

void control_lose_logger(struct vhost *v) {
    stop_log_poll(v);
    log_producer_hang_up(&v->log);
}

static void on_log_socket(uv_poll_t *poll, int status, int events) {
    struct vhost *v = poll->data;
    (void)events;
    if (status < 0 || log_producer_receive(&v->log) < 0) {
        control_lose_logger(v);
    }
}

static void take_logger(struct vhost *v, int socket) {
    stop_log_poll(v);
    log_producer_take(&v->log, socket);
    int fd = log_producer_socket(&v->log);
    uv_poll_t *poll = fd >= 0 ? malloc(sizeof *poll) : NULL;
    if (poll == NULL) {
        return;
    }
    if (uv_poll_init(&v->loop, poll, fd) != 0) {
        free(poll);
        log_producer_hang_up(&v->log);
        return;
    }
    poll->data = v;
    (void)uv_poll_start(poll, UV_READABLE, on_log_socket);
    v->log_poll = poll;
}

static int on_channel(void *context, const struct message_channel *m, struct packet *p) {
    struct vhost *v = context;
    int socket = packet_take(p, 0);
    int rc;
    switch (m->peer) {
    case PEER_LISTENER:
        rc = exchange_add(&v->hub, socket, m->id);
        if (rc != 0) {
            report(REPORT_ERROR, "a channel to listener %llu: %s", (unsigned long long)m->id, strerror(-rc));
        }
        return 0;
    case PEER_LOGGER:
        take_logger(v, socket);
        return 0;
    case PEER_ROUTER:
    case PEER_VHOST:
        break;
    }
    (void)close(socket);
    return -EBADMSG;
}

static const struct vhost_from_master_control handlers = {.stop = on_stop, .channel = on_channel};

static void on_master(uv_poll_t *poll, int status, int events) {
    struct vhost *v = poll->data;
    struct packet *p = &v->hub.packet;
    (void)events;
    int rc = status < 0 ? status : packet_receive(v->process.control, p);
    if (rc == -EAGAIN) {
        return;
    }
    if (rc == 1) {
        rc = vhost_from_master_control_dispatch(&handlers, v, PHASE_SERVING, p->type, packet_payload(p),
                                                p->size, p);
        packet_drop(p);
        if (rc != 0) {
            report(REPORT_ERROR, "master sent what this vhost does not understand: %s",
                   message_name(p->type));
        }
        return;
    }
    (void)uv_poll_stop(poll);
    drain(v, ORPHAN_DRAIN_MS);
}

int control_start(struct vhost *v) {
    v->control_poll.data = v->sweep.data = v->drain.data = v;
    int rc = uv_poll_init(&v->loop, &v->control_poll, v->process.control);
    rc = rc != 0 ? rc : uv_timer_init(&v->loop, &v->sweep);
    rc = rc != 0 ? rc : uv_timer_init(&v->loop, &v->drain);
    return rc != 0 ? rc : uv_poll_start(&v->control_poll, UV_READABLE, on_master);
}
