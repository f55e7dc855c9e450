/* SPDX-License-Identifier: Apache-2.0 */
/* routes.c – which vhost answers for a host: the cache, and the router behind it.
 * Runs in: listener. Distrusts: the router. */
#include "listener/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/report.h"
#include "listener/connection.h"

int routes_init(struct listener *l) {
    struct routes *r = &l->routes;
    r->socket = -1;
    r->cache = calloc(ROUTE_CACHE_SLOTS, sizeof *r->cache);
    if (r->cache == NULL) {
        return -ENOMEM;
    }
    return getrandom(&r->key, sizeof r->key, 0) == (ssize_t)sizeof r->key ? 0 : -errno;
}

/* The cache ------------------------------------------------------------------------------------------ */

/* The first of the ROUTE_CACHE_WAYS entries where this host may stand. */
static struct route_entry *entries_for(struct routes *r, struct slice host, uint64_t *hash) {
    *hash = siphash(&r->key, host.p, host.n);
    return &r->cache[*hash % (ROUTE_CACHE_SLOTS / ROUTE_CACHE_WAYS) * ROUTE_CACHE_WAYS];
}

static struct link *look_up(struct listener *l, struct slice host) {
    uint64_t hash;
    const struct route_entry *e = entries_for(&l->routes, host, &hash);
    for (unsigned way = 0; way < ROUTE_CACHE_WAYS; way++, e++) {
        if (e->hash == hash && e->n == host.n && e->n > 0 && memcmp(e->host, host.p, host.n) == 0) {
            return &l->links[e->index];
        }
    }
    return NULL;
}

/* The newest stands first; the oldest of its set falls out. */
static void remember(struct listener *l, struct slice host, uint32_t index) {
    uint64_t hash;
    struct route_entry *e = entries_for(&l->routes, host, &hash);
    if (host.n == 0 || host.n > sizeof e->host) {
        return;
    }
    memmove(e + 1, e, (ROUTE_CACHE_WAYS - 1) * sizeof *e);
    *e = (struct route_entry){.hash = hash, .index = index, .n = (uint16_t)host.n};
    memcpy(e->host, host.p, host.n);
}

/* Those who wait -------------------------------------------------------------------------------------- */

void routes_forget(struct listener *l, struct connection *c) {
    struct routes *r = &l->routes;
    struct connection *before = NULL;
    if (r->unasked == c) {
        r->unasked = c->next_waiting;
    }
    for (struct connection *w = r->first; w != NULL; before = w, w = w->next_waiting) {
        if (w != c) {
            continue;
        }
        if (before != NULL) {
            before->next_waiting = c->next_waiting;
        } else {
            r->first = c->next_waiting;
        }
        if (r->last == c) {
            r->last = before;
        }
        c->next_waiting = NULL;
        r->waiting--;
        return;
    }
}

static void refuse(struct listener *l, struct connection *c) {
    routes_forget(l, c);
    response_own(c, 503, 1);
    turn_touch(c);
}

static void hang_up(struct listener *l) {
    struct routes *r = &l->routes;
    if (r->socket >= 0) {
        listener_unpoll(r->poll);
        (void)close(r->socket);
        r->socket = -1;
        r->poll = NULL;
    }
}

/* Asks for those who were not asked for yet. What does not fit the socket now is asked after the next
 * answer, or of the next router. */
static void ask(struct listener *l) {
    struct routes *r = &l->routes;
    while (r->unasked != NULL && r->socket >= 0) {
        const struct connection *c = r->unasked;
        const struct message_route_ask m = {.ask = c->ask, .authority = c->request->head.host};
        if (message_route_ask_send(r->socket, &m, NULL) != 0) {
            return;
        }
        r->unasked = c->next_waiting;
    }
}

void routes_ask_channel(struct listener *l, struct link *k) {
    const struct message_channel_ask m = {.vhost = k->vhost};
    k->unasked = l->routes.socket < 0 || message_channel_ask_send(l->routes.socket, &m, NULL) != 0;
}

void routes_find(struct listener *l, struct connection *c) {
    struct routes *r = &l->routes;
    struct link *k = look_up(l, c->request->head.host);
    if (k != NULL) {
        request_routed(c, k);
        return;
    }
    if (r->waiting >= ROUTE_ASKS_MAX) {
        response_own(c, 503, 1);
        return;
    }
    c->state = CONNECTION_ROUTING;
    c->ask = r->next_ask++;
    c->since_ms = uv_now(&l->loop);
    c->next_waiting = NULL;
    if (r->last != NULL) {
        r->last->next_waiting = c;
    } else {
        r->first = c;
    }
    r->last = c;
    r->waiting++;
    if (r->unasked == NULL) {
        r->unasked = c;
    }
    ask(l);
}

/* The router answers -------------------------------------------------------------------------------------- */

static int on_route(void *context, const struct message_route *m, struct packet *p) {
    struct listener *l = context;
    struct connection *c = l->routes.first;
    (void)p;
    while (c != NULL && c->ask != m->ask) {
        c = c->next_waiting;
    }
    if (c == NULL) { /* the client has gone, or an answer comes twice: nobody waits for it */
        return m->ask < l->routes.next_ask ? 0 : -EBADMSG;
    }
    struct slice host = c->request->head.host;
    struct link *k = NULL;
    if (m->verdict == VERDICT_VHOST) {
        long index = host_map_vhost_index(l->map, m->vhosts[0]);
        if (index < 0 || !host_map_allows(l->map, host, m->vhosts[0])) {
            report(REPORT_ERROR, "router named a vhost that may not answer for %.*s", (int)host.n, host.p);
            return -EBADMSG;
        }
        k = &l->links[index];
        if (m->reuse == REUSE_AUTHORITY) {
            remember(l, host, (uint32_t)index);
        }
    }
    routes_forget(l, c);
    request_routed(c, k);
    turn_touch(c);
    ask(l);
    return 0;
}

static const struct listener_from_router_control handlers = {.route = on_route};

static void on_router(uv_poll_t *poll, int status, int events) {
    struct listener *l = poll->data;
    struct packet *p = &l->packet;
    (void)events;
    int rc = status < 0 ? status : packet_receive(l->routes.socket, p);
    if (rc == 1) {
        rc = listener_from_router_control_dispatch(&handlers, l, PHASE_SERVING, p->type, packet_payload(p),
                                                   p->size, p);
        packet_drop(p);
        if (rc == 0) {
            return;
        }
        report(REPORT_ERROR, "router broke a rule and is cut off: %s", message_name(p->type));
    }
    if (rc != -EAGAIN) {
        hang_up(l); /* master starts another and introduces us */
    }
}

void routes_take(struct listener *l, int socket) {
    struct routes *r = &l->routes;
    hang_up(l);
    r->poll = listener_poll(l, socket, on_router, l);
    if (r->poll == NULL) {
        (void)close(socket);
        return;
    }
    r->socket = socket;
    r->unasked = r->first;
    ask(l);
    for (size_t i = 0; i < l->link_count; i++) {
        if (l->links[i].state == LINK_ASKED) {
            routes_ask_channel(l, &l->links[i]);
        }
    }
}

void routes_sweep(struct listener *l, uint64_t now) {
    while (l->routes.first != NULL && now - l->routes.first->since_ms > WAIT_MAX_MS) {
        refuse(l, l->routes.first);
    }
    ask(l);
    for (size_t i = 0; i < l->link_count; i++) {
        if (l->links[i].state == LINK_ASKED && l->links[i].unasked) {
            routes_ask_channel(l, &l->links[i]);
        }
    }
}
