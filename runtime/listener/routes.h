/* SPDX-License-Identifier: Apache-2.0 */
/* routes.h – which vhost answers a request: the cache, and the router behind it.
 * Runs in: listener. Distrusts: the router: an answer outside the admin's host map and policy is
 * refused, so a captured router can misroute only to vhosts that may answer for the host anyway.
 *
 *   routes.c        questions and those who wait      routes_cache.c  what is remembered, and how far
 *   routes_judge.c  whether an answer can be true     route_value.c   cookies and fields of a request */
#ifndef LUTTPD_LISTENER_ROUTES_H
#define LUTTPD_LISTENER_ROUTES_H

#include <stdint.h>
#include <uv.h>

#include "listener/routes_cache.h"
#include "listener/routes_judge.h"
#include "route/route_policy.h"

struct connection;
struct link;
struct listener;

#define ROUTE_ASKS_MAX 4096 /* requests that wait for the router; more get 503 */

struct routes {
    int socket; /* control channel to the router, -1 while there is none */
    uv_poll_t *poll;
    struct route_cache cache;
    struct route_policy *policy;     /* owned; NULL: none was read yet */
    uint64_t epoch;                  /* of the policy */
    struct connection *first, *last; /* waiting for the router, oldest first */
    struct connection *unasked;      /* the first of them whose question did not fit the socket yet */
    size_t waiting;
    uint64_t next_ask;   /* its lower half is the number of the next question */
    uint32_t policy_ask; /* next_ask when the policy came: questions before it may have old answers */
    bool behind;         /* an answer came that only another policy can explain: ask again */
    uint64_t draws;      /* choices made at random */
    struct message_route_ask ask; /* filled for each question; large, so kept here */
    char location[ROUTE_LOCATION_MAX];
};

/** Prepares the cache; getrandom, so before the cage closes. Returns 0 or -errno. */
int routes_init(struct listener *l);

/** Uses this policy from now on, and forgets what was answered under the old one. policy: taken; made by
 * route_policy_open. Call at the start and for each POLICY. */
void routes_use(struct listener *l, struct route_policy *policy, uint64_t epoch);

/** Forgets every answer of the router. */
void routes_forget_all(struct listener *l);

/** Takes the control channel to a (new) router and asks again whatever the old one left open. */
void routes_take(struct listener *l, int socket);

/** Finds who answers the request of c, now or when the router says: request_routed, or response_answer. */
void routes_find(struct listener *l, struct connection *c);

/** Takes c out of those who wait. */
void routes_forget(struct listener *l, struct connection *c);

/** Asks for a data channel to the vhost of this link; the answer comes from master. */
void routes_ask_channel(struct listener *l, struct link *k);

/** Answers 503 for those who have waited too long. now: uv_now. */
void routes_sweep(struct listener *l, uint64_t now);

#endif
