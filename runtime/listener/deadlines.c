/* SPDX-License-Identifier: Apache-2.0 */
/* deadlines.c – see deadlines.h. */
#include "listener/deadlines.h"

#include "base/clock.h"
#include "listener/connection.h"
#include "listener/park.h"

#define LINGER_MS 3000 /* until a client has taken the answer that it did not wait for */
#define SLICE_US 500
#define LOOKS_PER_GLANCE 8 /* at the clock */

/* Without a whole head in time. Whoever has sent no byte of one gets no answer. */
static void end_head(struct connection *c) {
    bool silent = c->awaits_proxy || !park_wake(c) || c->request == NULL || c->request->n == 0;
    if (c->state == CONNECTION_CLOSED) {
        return;
    }
    if (silent) {
        c->listener->unproxied += c->awaits_proxy;
        connection_close(c);
        return;
    }
    connection_refuse_head(c, 408);
    turn_touch(c);
}

/* Whether it is the client's turn: content is missing, and the vhost takes it. */
static bool wants_body(const struct connection *c) {
    return c->state == CONNECTION_OPEN && c->body_credit > 0 && request_lacks_body(c);
}

/* Returns whether c keeps pace, both ways. */
static bool keeps_pace(struct connection *c, uint32_t elapsed_ms, const struct limits *limits) {
    if (c->state == CONNECTION_OPEN &&
        !pace_keeps(&c->body_pace, c->body.taken, wants_body(c) ? elapsed_ms : 0, limits->body_rate)) {
        request_refuse_body(c, 408, REASON_TIMEOUT);
        turn_touch(c);
        return false;
    }
    bool writes = c->state == CONNECTION_OPEN || c->state == CONNECTION_ANSWERING;
    if (writes && !pace_keeps(&c->send_pace, c->written, c->want_write ? elapsed_ms : 0, limits->send_rate)) {
        connection_abort(c);
        return false;
    }
    return true;
}

static void look_at(struct connection *c, uint64_t now, uint32_t elapsed_ms) {
    const struct limits *limits = &c->listener->policy->limits;
    uint64_t waited = now - c->since_ms;
    if (c->state == CONNECTION_LINGERING) {
        if (waited > LINGER_MS) {
            connection_close(c);
        }
    } else if (c->state == CONNECTION_READING) {
        if (limits->head_ms > 0 && waited >= limits->head_ms) {
            end_head(c);
            return;
        }
    } else if (!keeps_pace(c, elapsed_ms, limits)) {
        return;
    }
    if (!c->stirred) {
        park(c);
    }
    c->stirred = false;
}

/* The slice of one turn; a look costs less than asking the time, a close much more. */
struct slice_of_time {
    uint64_t until_us;
    unsigned looks;
};

static bool is_over(struct slice_of_time *s) {
    return ++s->looks % LOOKS_PER_GLANCE == 0 && clock_monotonic_us() >= s->until_us;
}

/* Returns whether nobody is left on the list who has expired. */
static bool close_expired(const struct connection_list *list, uint64_t now, uint32_t limit_ms,
                          struct slice_of_time *slice) {
    while (limit_ms > 0 && list->first != NULL && now - list->first->since_ms >= limit_ms) {
        connection_close(list->first);
        if (is_over(slice)) {
            return false;
        }
    }
    return true;
}

void deadlines_sweep(struct listener *l, uint64_t now) {
    struct sweep *s = &l->deadlines;
    if (s->runs) {
        return; /* the loop is that busy: what is left of the last one goes first */
    }
    s->runs = true;
    s->elapsed_ms = s->began_ms != 0 ? (uint32_t)(now - s->began_ms) : 0;
    s->began_ms = now;
    s->next = l->busy.first;
    s->left = l->connections; /* whoever moves to the end meanwhile is not looked at for ever */
}

bool deadlines_go_on(struct listener *l) {
    struct sweep *s = &l->deadlines;
    const struct limits *limits = &l->policy->limits;
    if (!s->runs) {
        return true;
    }
    uint64_t now = uv_now(&l->loop); /* not when the sweep began: a wait may have begun since */
    struct slice_of_time slice = {.until_us = clock_monotonic_us() + SLICE_US};
    if (!close_expired(&l->fresh, now, limits->head_ms, &slice) ||
        !close_expired(&l->idle, now, limits->idle_ms, &slice)) {
        return false;
    }
    while (s->next != NULL && s->left > 0) {
        struct connection *c = s->next;
        s->next = c->next;
        s->left--;
        look_at(c, now, s->elapsed_ms);
        if (is_over(&slice)) {
            return false;
        }
    }
    s->next = NULL;
    s->runs = false;
    return true;
}
