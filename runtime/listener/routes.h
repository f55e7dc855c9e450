/* SPDX-License-Identifier: Apache-2.0 */
/* routes.h – which vhost answers for a host: the cache, and the router behind it.
 * Runs in: listener. Distrusts: the router: an answer outside the admin's host map is refused, so a
 * captured router can misroute only to vhosts that may answer for the host anyway. */
#ifndef LUTTPD_LISTENER_ROUTES_H
#define LUTTPD_LISTENER_ROUTES_H

#include <stdint.h>
#include <uv.h>

#include "route/siphash.h"

struct connection;
struct link;
struct listener;

#define ROUTE_CACHE_SLOTS 1024 /* hosts whose route is remembered */
#define ROUTE_CACHE_WAYS 4     /* places where one host may stand: few hosts push each other out */
#define ROUTE_ASKS_MAX 4096    /* requests that wait for the router; more get 503 */

/** What is remembered of the router's answers. An entry is found by hash and kept whole. */
struct route_entry {
    uint64_t hash;
    uint32_t index; /* of the vhost in the host map */
    uint16_t n;     /* bytes of host; 0: empty */
    char host[256];
};

struct routes {
    int socket; /* control channel to the router, -1 while there is none */
    uv_poll_t *poll;
    struct siphash_key key;
    struct route_entry *cache;
    struct connection *first, *last; /* waiting for the router, oldest first */
    struct connection *unasked;      /* the first of them whose question did not fit the socket yet */
    size_t waiting;
    uint32_t next_ask;
};

/** Prepares the cache; getrandom, so before the cage closes. Returns 0 or -errno. */
int routes_init(struct listener *l);

/** Takes the control channel to a (new) router and asks again whatever the old one left open. */
void routes_take(struct listener *l, int socket);

/** Finds the vhost for the request of c and calls request_routed, now or when the router answers. */
void routes_find(struct listener *l, struct connection *c);

/** Takes c out of those who wait. */
void routes_forget(struct listener *l, struct connection *c);

/** Asks for a data channel to the vhost of this link; the answer comes from master. */
void routes_ask_channel(struct listener *l, struct link *k);

/** Answers 503 for those who have waited too long. now: uv_now. */
void routes_sweep(struct listener *l, uint64_t now);

#endif
