/* SPDX-License-Identifier: Apache-2.0 */
/* request_pool.c – the buffers of requests in hand.
 * Runs in: listener. Mapped one by one: a thousand that a burst has needed go back to the kernel as a whole,
 * whatever was allocated between them. Those that the last seconds have used are kept. */
#include <sys/mman.h>

#include "listener/connection.h"

#define KEPT_AT_LEAST 32
#define FREED_AT_ONCE 32 /* in a turn, which holds up everyone */

bool request_take(struct connection *c) {
    struct listener *l = c->listener;
    struct request *r = l->free_requests;
    if (r != NULL) {
        l->free_requests = r->next_free;
        if (--l->free_request_count < l->free_request_low) {
            l->free_request_low = l->free_request_count;
        }
    } else {
        r = mmap(NULL, sizeof *r, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (r == MAP_FAILED) {
            return false;
        }
    }
    r->policy = NULL;
    c->request = r;
    if (c->out == NULL) {
        c->out = r->out;
        c->out_capacity = sizeof r->out;
    }
    request_restart(c, 0);
    return true;
}

void request_restart(struct connection *c, size_t n) {
    struct listener *l = c->listener;
    struct request *r = c->request;
    if (r->policy != l->policy) {
        policy_drop(l, &r->policy);
        r->policy = policy_hold(l->policy);
    }
    r->n = n;
    r->body_at = 0;
    h1_head_begin(&r->parser, &r->policy->limits.h1);
}

void request_hand_in(struct connection *c) {
    struct listener *l = c->listener;
    struct request *r = c->request;
    c->request = NULL;
    policy_drop(l, &r->policy);
    r->next_free = l->free_requests;
    l->free_requests = r;
    l->free_request_count++;
}

void request_give_back(struct connection *c) {
    output_drop(c);
    if (c->request != NULL) {
        c->out = NULL;
        c->out_capacity = 0;
        request_hand_in(c);
    }
}

void requests_sweep(struct listener *l) {
    size_t spare = l->free_request_low > KEPT_AT_LEAST ? l->free_request_low - KEPT_AT_LEAST : 0;
    l->trim =
        spare < FREED_AT_ONCE ? spare : spare / 4; /* slow clients tend to move together, every few seconds */
    l->free_request_low = l->free_request_count;
}

bool requests_trim(struct listener *l) {
    for (size_t i = 0; l->trim > 0 && l->free_requests != NULL && i < FREED_AT_ONCE; i++, l->trim--) {
        struct request *r = l->free_requests;
        l->free_requests = r->next_free;
        if (--l->free_request_count < l->free_request_low) {
            l->free_request_low = l->free_request_count;
        }
        (void)munmap(r, sizeof *r);
    }
    return l->trim == 0 || l->free_requests == NULL;
}
