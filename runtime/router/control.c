/* SPDX-License-Identifier: Apache-2.0 */
/* control.c – the router's start, what master says, and the loop.
 * Runs in: router. Trusts: master. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/must.h"
#include "base/report.h"
#include "router/router.h"

static void free_handle(uv_handle_t *handle) {
    free(handle);
}

uv_poll_t *router_poll(struct router *r, int fd, uv_poll_cb callback, void *data) {
    uv_poll_t *poll = calloc(1, sizeof *poll);
    if (poll == NULL || uv_poll_init(&r->loop, poll, fd) != 0) {
        free(poll);
        return NULL;
    }
    poll->data = data;
    if (uv_poll_start(poll, UV_READABLE, callback) != 0) {
        router_unpoll(poll);
        return NULL;
    }
    return poll;
}

void router_unpoll(uv_poll_t *poll) {
    if (poll != NULL) {
        (void)uv_poll_stop(poll);
        uv_close((uv_handle_t *)poll, free_handle);
    }
}

void router_blame(struct router *r, uint32_t listener, uint64_t generation, const char *why) {
    const struct message_blame blame = {.peer = PEER_LISTENER, .id = listener, .generation = generation};
    char text[256];
    int n = snprintf(text, sizeof text, "listener %u %s: cut off", listener, why);
    (void)message_blame_send(r->process->control, &blame, NULL);
    report(REPORT_ERROR, "%s", text);
    log_producer_error(&r->log, LEVEL_ERROR, slice_from(text, (size_t)n));
}

static void stop_log(struct router *r) {
    router_unpoll(r->log_poll);
    r->log_poll = NULL;
    log_producer_hang_up(&r->log);
}

static void on_log(uv_poll_t *poll, int status, int events) {
    struct router *r = poll->data;
    (void)events;
    if (status < 0 || log_producer_receive(&r->log) < 0) {
        stop_log(r);
    }
}

static void on_flush(uv_prepare_t *prepare) {
    struct router *r = prepare->data;
    if (log_producer_flush(&r->log) != 0) {
        stop_log(r);
    }
}

static int on_channel(void *context, const struct message_channel *m, struct packet *p) {
    struct router *r = context;
    if (m->peer == PEER_LISTENER && m->id < ROUTER_ASKERS_MAX) {
        asker_open(r, m, packet_take(p, 0));
        return 0;
    }
    if (m->peer != PEER_LOGGER) {
        return -EBADMSG;
    }
    router_unpoll(r->log_poll);
    log_producer_take(&r->log, packet_take(p, 0));
    r->log_poll = router_poll(r, log_producer_socket(&r->log), on_log, r);
    if (r->log_poll == NULL) {
        log_producer_hang_up(&r->log);
    }
    return 0;
}

static int on_stop(void *context, const struct message_stop *m, struct packet *p) {
    struct router *r = context;
    (void)m; /* nothing is open here that could be finished */
    (void)p;
    uv_stop(&r->loop);
    return 0;
}

/* Whether it was taken or not, the next question is answered by what is in use then. */
static int on_policy(void *context, const struct message_policy *m, struct packet *p) {
    struct router *r = context;
    char why[POLICY_WHY_BYTES] = "";
    int fd = packet_take(p, 0);
    int rc = policy_load(r, fd, m->epoch, why);
    (void)close(fd);
    const struct message_policy_taken taken = {.epoch = m->epoch, .taken = rc == 0, .why = slice_text(why)};
    (void)message_policy_taken_send(r->process->control, &taken, NULL);
    return 0;
}

static const struct router_from_master_control handlers = {
    .channel = on_channel, .stop = on_stop, .policy = on_policy};

static void on_orphaned(uv_timer_t *timer) {
    struct router *r = timer->data;
    uv_stop(&r->loop);
}

/* Master is gone: the listeners finish what they have, and may still ask meanwhile. */
static void outlive_master(struct router *r) {
    (void)uv_poll_stop(&r->control);
    (void)uv_timer_start(&r->orphaned, on_orphaned, (PROCESS_ORPHAN_S - 1) * 1000, 0);
}

static void on_control(uv_poll_t *poll, int status, int events) {
    struct router *r = poll->data;
    struct packet *p = &r->packet;
    int rc = status;
    (void)events;
    while (rc == 0 && (rc = packet_receive(r->process->control, p)) == 1) {
        rc = router_from_master_control_dispatch(&handlers, r, PHASE_SERVING, p->type, packet_payload(p),
                                                 p->size, p);
        packet_drop(p);
    }
    if (rc == -EAGAIN) {
        return;
    }
    if (rc != 0) {
        process_fail(r->process, "message from master", -rc);
    }
    outlive_master(r);
}

struct router *router_prepare(const struct process *process, struct packet *start) {
    struct router *r = calloc(1, sizeof *r);
    struct message_start_router m;
    if (r == NULL) {
        process_fail(process, "memory", ENOMEM);
    }
    r->process = process;
    int rc = message_start_router_decode(&m, packet_payload(start), start->size);
    if (rc != 0) {
        process_fail(process, "start message", -rc);
    }
    r->policy.epoch = m.epoch;
    r->policies = packet_take(start, 1);
    int map = packet_take(start, 0);
    rc = host_map_open(map, &r->map);
    (void)close(map);
    packet_drop(start);
    if (rc != 0) {
        process_fail(process, "route map", -rc);
    }
    if ((rc = uv_loop_init(&r->loop)) != 0) {
        process_fail(process, "event loop", -rc);
    }
    if ((rc = log_producer_init(&r->log, CHANNEL_LOG)) != 0) {
        process_fail(process, "log records", -rc);
    }
    if ((rc = policy_prepare(r)) != 0) {
        process_fail(process, "script", -rc);
    }
    return r;
}

static void load_first(struct router *r) {
    char why[POLICY_WHY_BYTES];
    int rc = policy_load(r, r->policies, r->policy.epoch, why);
    (void)close(r->policies);
    if (rc < 0) {
        report(REPORT_ERROR, "%s", why);
        process_fail(r->process, "routing policy", -rc);
    }
}

void router_serve(void *context) {
    struct router *r = context;
    load_first(r);
    process_ready(r->process);
    r->control.data = r->flush.data = r->orphaned.data = r;
    MUST(uv_timer_init(&r->loop, &r->orphaned) == 0 && uv_prepare_init(&r->loop, &r->flush) == 0);
    MUST(uv_prepare_start(&r->flush, on_flush) == 0);
    int rc = uv_poll_init(&r->loop, &r->control, r->process->control);
    if (rc == 0) {
        rc = uv_poll_start(&r->control, UV_READABLE, on_control);
    }
    if (rc != 0) {
        process_fail(r->process, "event loop", -rc);
    }
    (void)uv_run(&r->loop, UV_RUN_DEFAULT);
    (void)log_producer_flush(&r->log);
}
