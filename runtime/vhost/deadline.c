/* SPDX-License-Identifier: Apache-2.0 */
/* deadline.c – streams that make no progress.
 * Runs in: vhost. Every deadline is the same distance away, so a list in order of last progress is
 * in order of deadline: progress moves a stream to the end, one timer waits for the first. No
 * system call: the loop's clock is read once a turn. */
#include "vhost/exchange.h"

static void unlink_deadline(struct stream *s) {
    struct hub *h = s->exchange->hub;
    *(s->sooner != NULL ? &s->sooner->later : &h->soonest) = s->later;
    *(s->later != NULL ? &s->later->sooner : &h->latest) = s->sooner;
    s->sooner = s->later = NULL;
}

/* A client that reads slowly is the listener's to judge; the script has done its part. */
static bool waits_for_client(struct stream *s) {
    if (!s->reply.waiting || s->reply.credit > 0 || s->patience == 0) {
        return false;
    }
    s->patience--;
    return true;
}

static void on_deadline(uv_timer_t *timer) {
    struct hub *h = timer->data;
    uint64_t now = uv_now(h->loop);
    while (h->soonest != NULL && h->soonest->deadline_ms <= now) {
        struct stream *s = h->soonest;
        deadline_touch(s); /* the answer to it gets as long again to leave */
        if (!waits_for_client(s)) {
            h->events->expired(h->context, s);
        }
        if (h->soonest == s && s->deadline_ms <= now) {
            break; /* a deadline of zero length: not in this turn again */
        }
    }
    if (h->soonest != NULL) {
        (void)uv_timer_start(timer, on_deadline, h->soonest->deadline_ms - now + 1, 0);
    }
}

void deadline_touch(struct stream *s) {
    struct hub *h = s->exchange->hub;
    s->deadline_ms = uv_now(h->loop) + h->deadline_after_ms;
    if (h->latest == s) {
        return;
    }
    if (s->sooner != NULL || s->later != NULL) {
        unlink_deadline(s);
    }
    s->sooner = h->latest;
    *(h->latest != NULL ? &h->latest->later : &h->soonest) = s;
    h->latest = s;
    if (!uv_is_active((uv_handle_t *)&h->deadline)) {
        (void)uv_timer_start(&h->deadline, on_deadline, h->deadline_after_ms + 1, 0);
    }
}

void deadline_remove(struct stream *s) {
    struct hub *h = s->exchange->hub;
    if (s->sooner != NULL || s->later != NULL || h->latest == s) {
        unlink_deadline(s);
    }
}
