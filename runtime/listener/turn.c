/* SPDX-License-Identifier: Apache-2.0 */
/* turn.c – the end of each loop turn, and the timers.
 * Runs in: listener.
 *
 * Everything that the events of one turn have caused is done here in one go, before the loop waits
 * again: rings are drained, output is written, and each vhost that sleeps is rung once, however many
 * requests it was given. That is what makes a hop to another process cheap under load. */
#include <stdlib.h>

#include "base/clock.h"
#include "listener/connection.h"
#include "listener/deadlines.h"
#include "listener/routes.h"

#define SWEEP_MS 1000
#define RETRY_MS 2
#define ROUNDS_MAX 4 /* before clients get their turn again */

void turn_touch(struct connection *c) {
    if (!c->touched && c->state != CONNECTION_CLOSED) {
        c->touched = true;
        c->next_touched = c->listener->touched;
        c->listener->touched = c;
    }
}

struct slice turn_date(struct listener *l) {
    uint64_t second = clock_realtime_us() / 1000000u;
    if (second != l->date_second) {
        l->date_second = second;
        http_date_format(l->date, (int64_t)second);
    }
    return slice_from(l->date, HTTP_DATE_BYTES);
}

static void on_retry(uv_timer_t *timer);

static void advance_touched(struct listener *l) {
    struct connection *c = l->touched;
    l->touched = NULL;
    while (c != NULL) {
        struct connection *next = c->next_touched;
        c->touched = false;
        if (c->state == CONNECTION_CLOSED) {
            connection_release(c); /* closed while it stood here */
        } else if (c->state != CONNECTION_LINGERING) {
            connection_advance(c);
        }
        c = next;
    }
}

static void drain_links(const struct listener *l) {
    for (struct link *k = l->active; k != NULL; k = k->next_active) {
        link_drain(k);
        link_serve_waiting(k);
    }
}

/* Rings and sleeps. Links that have more to read, or wait for room, stay on the list. */
static bool settle_links(struct listener *l) {
    struct link **at = &l->active;
    bool all_sleep = true;
    while (*at != NULL) {
        struct link *k = *at;
        if (!link_settle(k)) {
            all_sleep = false;
            at = &k->next_active;
            continue;
        }
        if (k->blocked && !uv_is_active((uv_handle_t *)&l->retry)) {
            (void)uv_timer_start(&l->retry, on_retry, RETRY_MS, 0);
        }
        k->is_active = false;
        *at = k->next_active;
    }
    return all_sleep;
}

static void never_sleep(uv_idle_t *idle) {
    (void)idle;
}

static void on_turn(uv_prepare_t *turn) {
    struct listener *l = turn->data;
    bool swept = deadlines_go_on(l) && requests_trim(l), settled = false;
    for (unsigned i = 0; i < ROUNDS_MAX && !settled; i++) {
        drain_links(l);
        advance_touched(l);
        settled = settle_links(l) && l->touched == NULL;
    }
    if (log_producer_flush(&l->log) != 0) {
        control_drop_logger(l);
    }
    if (l->draining && l->connections == 0) {
        uv_stop(&l->loop);
    }
    if (settled && swept) {
        (void)uv_idle_stop(&l->awake);
    } else {
        (void)uv_idle_start(&l->awake, never_sleep); /* events, then the next turn, without waiting */
    }
}

/* Rings that were full may have room now. */
static void on_retry(uv_timer_t *timer) {
    struct listener *l = timer->data;
    for (size_t i = 0; i < l->link_count; i++) {
        struct link *k = &l->links[i];
        if (k->blocked) {
            link_unblock(k);
        }
    }
}

static void on_sweep(uv_timer_t *timer) {
    struct listener *l = timer->data;
    uint64_t now = uv_now(&l->loop);
    accept_resume(l); /* the whole system may have been short of descriptors */
    routes_sweep(l, now);
    for (size_t i = 0; i < l->link_count; i++) {
        if (l->links[i].state != LINK_ABSENT) {
            link_sweep(&l->links[i], now);
        }
    }
    deadlines_sweep(l, now);
    requests_sweep(l);
    accept_report(l, now);
}

uv_poll_t *listener_poll(struct listener *l, int fd, uv_poll_cb callback, void *data) {
    uv_poll_t *poll = malloc(sizeof *poll);
    if (poll == NULL || uv_poll_init(&l->loop, poll, fd) != 0) {
        free(poll);
        return NULL;
    }
    poll->data = data;
    (void)uv_poll_start(poll, UV_READABLE, callback);
    return poll;
}

static void free_handle(uv_handle_t *handle) {
    free(handle);
}

void listener_unpoll(uv_poll_t *poll) {
    (void)uv_poll_stop(poll);
    uv_close((uv_handle_t *)poll, free_handle);
}

int turn_start(struct listener *l) {
    l->turn.data = l->sweep.data = l->retry.data = l;
    if (uv_prepare_init(&l->loop, &l->turn) != 0 || uv_idle_init(&l->loop, &l->awake) != 0 ||
        uv_timer_init(&l->loop, &l->sweep) != 0 || uv_timer_init(&l->loop, &l->retry) != 0) {
        return UV_ENOMEM;
    }
    (void)uv_prepare_start(&l->turn, on_turn);
    return uv_timer_start(&l->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
}
