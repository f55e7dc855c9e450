/* SPDX-License-Identifier: Apache-2.0 */
/* control.c – what master says: introductions, refusals, the end.
 * Runs in: listener. Trusts: master. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/report.h"
#include "listener/connection.h"
#include "listener/routes.h"

#define ORPHAN_DRAIN_MS 5000 /* master died: as long as open requests may still take */

static void on_deadline(uv_timer_t *timer) {
    struct listener *l = timer->data;
    uv_stop(&l->loop);
}

/* Accepts nothing new, closes what is idle, gives the rest drain_ms. */
static void drain(struct listener *l, uint32_t drain_ms) {
    if (l->draining) {
        return;
    }
    l->draining = true;
    accept_stop(l);
    (void)close(l->socket);
    l->socket = -1;
    while (connection_close_oldest_idle(l)) {}
    l->deadline.data = l;
    (void)uv_timer_start(&l->deadline, on_deadline, drain_ms, 0);
}

static int on_stop(void *context, const struct message_stop *m, struct packet *p) {
    (void)p;
    drain(context, m->drain_ms);
    return 0;
}

static void on_log_socket(uv_poll_t *poll, int status, int events);

static void poll_log(struct listener *l) {
    int socket = log_producer_socket(&l->log);
    l->log_poll = socket >= 0 ? listener_poll(l, socket, on_log_socket, l) : NULL;
}

void control_drop_logger(struct listener *l) {
    if (l->log_poll != NULL) {
        listener_unpoll(l->log_poll);
        l->log_poll = NULL;
    }
    log_producer_hang_up(&l->log);
}

static void on_log_socket(uv_poll_t *poll, int status, int events) {
    struct listener *l = poll->data;
    (void)events;
    if (status < 0 || log_producer_receive(&l->log) < 0) {
        control_drop_logger(l);
    }
}

static void take_logger(struct listener *l, int socket) {
    if (l->log_poll != NULL) {
        listener_unpoll(l->log_poll);
    }
    log_producer_take(&l->log, socket);
    poll_log(l);
}

static int on_channel(void *context, const struct message_channel *m, struct packet *p) {
    struct listener *l = context;
    int socket = packet_take(p, 0);
    long index;
    switch (m->peer) {
    case PEER_ROUTER:
        routes_take(l, socket);
        return 0;
    case PEER_LOGGER:
        take_logger(l, socket);
        return 0;
    case PEER_VHOST:
        index = host_map_vhost_index(l->map, m->id);
        if (index >= 0) {
            link_open(&l->links[index], socket, m->generation, m->device);
            return 0;
        }
        break;
    case PEER_LISTENER:
        break;
    }
    (void)close(socket);
    return -EBADMSG;
}

static int on_channel_refused(void *context, const struct message_channel_refused *m, struct packet *p) {
    struct listener *l = context;
    long index = host_map_vhost_index(l->map, m->vhost);
    (void)p;
    if (index >= 0) {
        link_refused(&l->links[index], m->retry_ms);
    }
    return 0;
}

static int on_policy(void *context, const struct message_policy *m, struct packet *p) {
    struct listener *l = context;
    char why[POLICY_WHY_BYTES] = "";
    int fd = packet_take(p, 0);
    struct route_policy *routes = NULL;
    int rc = m->epoch > l->epoch ? route_policy_open(fd, l->map, &routes) : -EBADMSG;
    if (rc == 0) {
        rc = policy_load(l, fd, m->epoch, why);
    } else {
        (void)snprintf(why, sizeof why, "the routing policy cannot be read: %s", strerror(-rc));
    }
    (void)close(fd);
    if (rc == 0) {
        l->epoch = m->epoch;
        routes_use(l, routes, m->epoch);
        accept_take_policy(l);
    } else {
        route_policy_free(routes);
    }
    const struct message_policy_taken taken = {
        .epoch = m->epoch, .taken = rc == 0, .why = rc == 0 ? SLICE("") : slice_text(why)};
    return message_policy_taken_send(l->process.control, &taken, NULL);
}

static const struct listener_from_master_control handlers = {
    .stop = on_stop, .channel = on_channel, .channel_refused = on_channel_refused, .policy = on_policy};

static void on_master(uv_poll_t *poll, int status, int events) {
    struct listener *l = poll->data;
    struct packet *p = &l->packet;
    (void)events;
    int rc = status < 0 ? status : packet_receive(l->process.control, p);
    if (rc == 1) {
        rc = listener_from_master_control_dispatch(&handlers, l, PHASE_SERVING, p->type, packet_payload(p),
                                                   p->size, p);
        packet_drop(p);
        if (rc == 0) {
            return;
        }
        report(REPORT_ERROR, "master sent what this listener does not understand: %s", message_name(p->type));
        return;
    }
    if (rc != -EAGAIN) {
        (void)uv_poll_stop(poll);
        drain(l, ORPHAN_DRAIN_MS);
    }
}

int control_start(struct listener *l) {
    int rc = uv_poll_init(&l->loop, &l->control_poll, l->process.control);
    if (rc == 0) {
        rc = uv_timer_init(&l->loop, &l->deadline);
    }
    if (rc == 0) {
        l->control_poll.data = l;
        rc = uv_poll_start(&l->control_poll, UV_READABLE, on_master);
    }
    return rc;
}
