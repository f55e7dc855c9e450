/* SPDX-License-Identifier: Apache-2.0 */
/* turn.c – the end of each loop turn: rings drained, replies continued, doorbells rung, sleep.
 * Runs in: vhost.
 *
 *   uv_poll      a doorbell: the exchange becomes active
 *   uv_prepare   every active exchange: drain a batch, continue what waited, publish and ring
 *                once, doze. What is not empty stays active.
 *   uv_idle      keeps the loop from sleeping while something is active
 *   uv_timer     nobody says when a full ring has room again: look after a millisecond
 */
#include <errno.h>
#include <stdlib.h>

#include "vhost/exchange.h"
#include "vhost/reply.h"

#define ROUNDS_MAX 4 /* before descriptors, timers and master get their turn */
#define RETRY_MS 1

void hub_activate(struct exchange *x) {
    if (!x->active && !x->turning) {
        x->active = true;
        x->next_active = x->hub->active;
        x->hub->active = x;
    }
}

/* Replies that lacked room, oldest first, until one lacks it again. */
static void continue_blocked(struct exchange *x) {
    struct stream *s;
    while ((s = x->blocked_first) != NULL && !x->dead) {
        reply_continue(s);
        if (x->blocked_first == s) {
            break;
        }
    }
    if (x->blocked_first != NULL) {
        hub_retry_soon(x->hub);
    }
}

/* Reads a batch, and lets what waited go. Returns as exchange_drain does. */
static int work(struct exchange *x) {
    x->turning = true; /* all it says from here on is published below */
    int rc = x->dead ? 0 : exchange_drain(x);
    if (rc >= 0) {
        continue_blocked(x);
    }
    x->turning = false;
    return rc;
}

static void look_at(struct exchange *x) {
    if (!channel_ready(&x->channel)) {
        return;
    }
    int more = work(x);
    if (more < 0) {
        exchange_close(x, "a message that is not allowed");
    } else if (x->dead) {
        exchange_close(x, "an impossible ring index, or a socket that fails");
    } else if (channel_flush(&x->channel) != 0) {
        exchange_close(x, NULL);
    } else if (more == 1 || !ring_doze(&x->channel.reader)) {
        hub_activate(x);
    }
}

static void on_idle(uv_idle_t *idle) {
    (void)idle;
}

static void on_prepare(uv_prepare_t *prepare) {
    struct hub *h = prepare->data;
    for (int round = 0; round < ROUNDS_MAX && h->active != NULL; round++) {
        struct exchange *todo = h->active;
        h->active = NULL; /* what is activated from here on belongs to the next round */
        while (todo != NULL) {
            struct exchange *x = todo;
            todo = x->next_active;
            x->active = false;
            look_at(x);
        }
    }
    h->events->turn_over(h->context);
    if (h->active != NULL) {
        (void)uv_idle_start(&h->idle, on_idle);
    } else {
        (void)uv_idle_stop(&h->idle);
    }
}

static void on_retry(uv_timer_t *timer) {
    struct hub *h = timer->data;
    for (struct exchange *x = h->all; x != NULL; x = x->next) {
        if (x->blocked_first != NULL) {
            hub_activate(x);
        }
    }
}

void hub_retry_soon(struct hub *h) {
    if (!uv_is_active((uv_handle_t *)&h->retry)) {
        (void)uv_timer_start(&h->retry, on_retry, RETRY_MS, 0);
    }
}

int hub_init(struct hub *h, uv_loop_t *loop, const struct hub_events *events, void *context,
             uint32_t deadline_after_ms) {
    h->loop = loop;
    h->events = events;
    h->context = context;
    h->deadline_after_ms = deadline_after_ms;
    h->prepare.data = h->idle.data = h->retry.data = h->deadline.data = h;
    int rc = uv_prepare_init(loop, &h->prepare);
    rc = rc != 0 ? rc : uv_idle_init(loop, &h->idle);
    rc = rc != 0 ? rc : uv_timer_init(loop, &h->retry);
    rc = rc != 0 ? rc : uv_timer_init(loop, &h->deadline);
    return rc != 0 ? rc : uv_prepare_start(&h->prepare, on_prepare);
}

void hub_deinit(struct hub *h) {
    for (uint32_t i = 0; i < h->stream_count; i += STREAMS_GROW_BY) {
        free(h->streams[i]); /* streams are allocated so many at a time */
    }
    free(h->streams);
    free(h->spare_body);
}

void hub_close(struct hub *h) {
    while (h->all != NULL) {
        exchange_close(h->all, NULL);
    }
    uv_close((uv_handle_t *)&h->prepare, NULL);
    uv_close((uv_handle_t *)&h->idle, NULL);
    uv_close((uv_handle_t *)&h->retry, NULL);
    uv_close((uv_handle_t *)&h->deadline, NULL);
}
