/* SPDX-License-Identifier: Apache-2.0 */
/* introduce.c – who is connected with whom.
 * Runs in: master. Distrusts: the router. Master makes the socket pair, stamps each end with who
 * holds the other, and keeps neither. */
#include "master/introduce.h"

#include <errno.h>
#include <unistd.h>

#include "master/children.h"

#define RETRY_FULL_MS 10 /* an end whose queue is full is tried again after that */

int introduce_on_wish(void *context, const struct message_introduce *wish, struct packet *p) {
    struct master *m = context;
    ssize_t index = plan_find_vhost(&m->plan, wish->vhost);
    (void)p;
    if (wish->listener >= m->plan.listener_count || index < 0) {
        return -EBADMSG;
    }
    bool *wanted = &m->wishes.wanted[wish->listener][index];
    m->wishes.count[wish->listener] += !*wanted;
    *wanted = true;
    return 0;
}

/* Gives to one end of a pair whose other end peer gets. */
static int give(struct master *m, struct child *to, const struct child *peer, int end) {
    static const enum peer peers[ROLE_COUNT] = {[ROLE_ROUTER] = PEER_ROUTER,
                                                [ROLE_LISTENER] = PEER_LISTENER,
                                                [ROLE_VHOST] = PEER_VHOST,
                                                [ROLE_LOGGER] = PEER_LOGGER};
    const struct message_channel stamp = {
        .peer = peers[peer->role],
        .id = peer->role == ROLE_VHOST ? m->plan.vhosts[peer->index].vhost : peer->index,
        .generation = peer->role == ROLE_VHOST || peer->role == ROLE_LISTENER ? peer->generation : 0,
        .device = peer->role == ROLE_VHOST ? peer->device : 0,
    };
    int rc = message_channel_send(to->control, &stamp, &end);
    child_sent(m, to, rc);
    return rc;
}

/* Whether both can take a packet now, so that neither gets an end whose other end is lost. */
static bool both_can_take(struct master *m, struct child *a, struct child *b) {
    struct pollfd ends[2] = {{.fd = a->control, .events = POLLOUT}, {.fd = b->control, .events = POLLOUT}};
    (void)poll(ends, 2, 0);
    bool a_can = (ends[0].revents & POLLOUT) != 0, b_can = (ends[1].revents & POLLOUT) != 0;
    child_sent(m, a, a_can ? 0 : -EAGAIN);
    child_sent(m, b, b_can ? 0 : -EAGAIN);
    return a_can && b_can;
}

/* Returns whether the two are connected now. */
static bool connect_two(struct master *m, struct child *a, struct child *b) {
    int ends[2];
    if (a->hung_up || b->hung_up || !both_can_take(m, a, b) || packet_pair(ends) != 0) {
        return false;
    }
    bool done = give(m, a, b, ends[0]) == 0 && give(m, b, a, ends[1]) == 0;
    (void)close(ends[0]);
    (void)close(ends[1]);
    return done;
}

static bool serves(const struct child *c) {
    return c->state == CHILD_SERVING;
}

static uint64_t connect_standing(struct master *m, struct child *c, uint64_t now) {
    bool missing = false;
    if (!serves(c) || c->role == ROLE_LOGGER || c->role == ROLE_CONFIG) {
        return UINT64_MAX;
    }
    if (!c->has_logger && serves(master_logger(m))) {
        c->has_logger = connect_two(m, master_logger(m), c);
        missing = !c->has_logger;
    }
    if (c->role == ROLE_LISTENER && !c->has_router && serves(master_router(m))) {
        c->has_router = connect_two(m, master_router(m), c);
        missing = missing || !c->has_router;
    }
    return missing ? now + RETRY_FULL_MS : UINT64_MAX;
}

/* Tells a listener that a vhost cannot be had before its next start. */
static bool refuse(struct master *m, struct child *listener, size_t vhost, uint64_t now) {
    const struct child *v = master_vhost(m, vhost);
    const struct message_channel_refused refused = {
        .vhost = m->plan.vhosts[vhost].vhost,
        .retry_ms = (uint32_t)(v->due_ms - now),
    };
    int rc = message_channel_refused_send(listener->control, &refused, NULL);
    child_sent(m, listener, rc);
    return rc == 0;
}

/* Grants one wish, if it can be. Returns when to look again, UINT64_MAX for at the next event. */
static uint64_t grant(struct master *m, struct child *listener, size_t vhost, uint64_t now) {
    struct child *v = master_vhost(m, vhost);
    uint64_t *served_ms = &m->wishes.served_ms[listener->index][vhost];
    uint64_t again = *served_ms + INTRODUCE_AGAIN_MS;
    bool done = false;

    if (serves(v)) {
        if (now < again && *served_ms != 0) {
            return again;
        }
        done = connect_two(m, listener, v);
    } else if (v->state == CHILD_WAITING && v->due_ms > now + INTRODUCE_PATIENCE_MS) {
        done = refuse(m, listener, vhost, now);
    } else {
        return UINT64_MAX; /* it starts soon */
    }
    if (!done) {
        return now + RETRY_FULL_MS;
    }
    *served_ms = now;
    m->wishes.wanted[listener->index][vhost] = false;
    m->wishes.count[listener->index]--;
    return UINT64_MAX;
}

static uint64_t grant_wishes(struct master *m, struct child *listener, uint64_t now) {
    uint64_t next = UINT64_MAX;
    const bool *wanted = m->wishes.wanted[listener->index];
    if (!serves(listener)) {
        return next;
    }
    for (size_t i = 0; i < m->plan.vhost_count && m->wishes.count[listener->index] > 0; i++) {
        if (wanted[i]) {
            uint64_t due = grant(m, listener, i, now);
            next = due < next ? due : next;
        }
    }
    return next;
}

uint64_t introduce_all(struct master *m, uint64_t now_ms) {
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < m->child_count; i++) {
        uint64_t due = connect_standing(m, &m->children[i], now_ms);
        next = due < next ? due : next;
    }
    for (size_t i = 0; i < m->plan.listener_count; i++) {
        uint64_t due = grant_wishes(m, master_listener(m, i), now_ms);
        next = due < next ? due : next;
    }
    return next;
}

bool introduce_complete(struct master *m) {
    for (size_t i = 0; i < m->child_count; i++) {
        const struct child *c = &m->children[i];
        bool needed = c->role == ROLE_ROUTER || c->role == ROLE_LISTENER || c->role == ROLE_LOGGER;
        if ((needed && !serves(c)) || !c->settled) {
            return false;
        }
        if (serves(c) && c->role != ROLE_LOGGER && c->role != ROLE_CONFIG &&
            (!c->has_logger || (c->role == ROLE_LISTENER && !c->has_router))) {
            return false;
        }
    }
    return true;
}
