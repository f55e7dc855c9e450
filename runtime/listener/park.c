/* SPDX-License-Identifier: Apache-2.0 */
/* park.c – see park.h. */
#include "listener/park.h"

#include <stdlib.h>
#include <string.h>

#include "listener/connection.h"

#define FACTS 5 /* method, target, host, referer, agent */

struct parked {
    struct policy *policy; /* held on: the body's limits belong to it */
    enum h1_version version;
    bool json;       /* the kind of page that the client prefers */
    bool keep_alive; /* the client expects to send another */
    uint32_t n[FACTS], input_n;
    char bytes[]; /* facts, then input that was not used */
};

/* Whether all that c still needs of its request is what can be packed. */
static bool is_parkable(const struct connection *c) {
    const struct request *r = c->request;
    if (r == NULL || c->touched || c->file.job || c->awaits_proxy) {
        return false;
    }
    switch (c->state) {
    case CONNECTION_READING:
    case CONNECTION_ANSWERING:
        return true;
    case CONNECTION_OPEN: /* before an answer a request may be repeated; a body's bytes wait for its reader */
        return !request_repeatable(c) && (c->body_done || request_lacks_body(c));
    case CONNECTION_ROUTING:
    case CONNECTION_CALLING:
    case CONNECTION_LINGERING:
    case CONNECTION_CLOSED:
        break;
    }
    return false;
}

static struct slice cut(struct slice text, size_t most) {
    return slice_from(text.p, text.n < most ? text.n : most);
}

static struct slice field_of(const struct h1_head *head, struct slice name) {
    for (size_t i = 0; i < head->fields_count; i++) {
        if (slice_equal(head->fields[i].name, name)) {
            return head->fields[i].value;
        }
    }
    return (struct slice){0};
}

static void list_facts(const struct connection *c, struct slice facts[FACTS]) {
    const struct h1_head *head = &c->request->head;
    if (c->state == CONNECTION_READING) {
        memset(facts, 0, FACTS * sizeof *facts);
        return;
    }
    facts[0] = head->method;
    facts[1] = cut(head->target, MESSAGE_LOG_ACCESS_TARGET_MAX);
    facts[2] = head->host;
    facts[3] = cut(field_of(head, SLICE("referer")), MESSAGE_LOG_ACCESS_REFERER_MAX);
    facts[4] = cut(field_of(head, SLICE("user-agent")), MESSAGE_LOG_ACCESS_AGENT_MAX);
}

static struct parked *pack(const struct connection *c) {
    const struct request *r = c->request;
    struct slice facts[FACTS], input = slice_from(r->bytes + r->body_at, r->n - r->body_at);
    size_t size = input.n;
    list_facts(c, facts);
    for (size_t i = 0; i < FACTS; i++) {
        size += facts[i].n;
    }
    struct parked *p = size <= sizeof r->bytes ? malloc(sizeof *p + size) : NULL;
    if (p == NULL) {
        return NULL;
    }
    char *at = p->bytes;
    *p = (struct parked){
        .version = r->head.version, .keep_alive = r->head.keep_alive, .input_n = (uint32_t)input.n};
    p->json = c->state == CONNECTION_OPEN && !c->head_written && response_is_json(c);
    for (size_t i = 0; i < FACTS; i++) {
        p->n[i] = (uint32_t)facts[i].n;
        memcpy(at, facts[i].n > 0 ? facts[i].p : "", facts[i].n);
        at += facts[i].n;
    }
    memcpy(at, input.p, input.n);
    return p;
}

void park(struct connection *c) {
    if (!is_parkable(c)) {
        return;
    }
    struct parked *p = pack(c);
    if (p == NULL || output_detach(c) != 0) {
        free(p);
        return;
    }
    p->policy = c->request->policy;
    c->request->policy = NULL;
    c->parked = p;
    request_hand_in(c);
}

/* The facts lie at the begin of the buffer, as the head did; behind them what was not used. A head that is not
 * whole is parsed again as far as it goes. */
static void unpack(struct connection *c, const struct parked *p) {
    struct request *r = c->request;
    struct slice facts[FACTS];
    size_t at = 0;
    for (size_t i = 0; i < FACTS; i++) {
        facts[i] = slice_from(r->bytes + at, p->n[i]);
        at += p->n[i];
    }
    memcpy(r->bytes, p->bytes, at + p->input_n);
    r->n = at + p->input_n;
    r->body_at = r->parser.consumed = (uint32_t)at;
    r->fields[0] = (struct field){SLICE("accept"), p->json ? SLICE("application/json") : SLICE("*/*")};
    r->fields[1] = (struct field){SLICE("referer"), facts[3]};
    r->fields[2] = (struct field){SLICE("user-agent"), facts[4]};
    r->head = (struct h1_head){.version = p->version,
                               .keep_alive = p->keep_alive,
                               .body = c->body.kind,
                               .method = facts[0],
                               .target = facts[1],
                               .host = facts[2],
                               .fields = r->fields,
                               .end_to_end = 1,
                               .fields_count = 3};
    if (c->state == CONNECTION_READING) {
        (void)h1_head_parse(&r->parser, r->bytes, r->n);
    }
}

bool park_wake(struct connection *c) {
    struct parked *p = c->parked;
    if (p == NULL) {
        return true;
    }
    if (!request_take(c)) {
        park_drop(c);
        connection_abort(c);
        return false;
    }
    c->parked = NULL;
    policy_drop(c->listener, &c->request->policy);
    c->request->policy = p->policy;
    h1_head_begin(&c->request->parser, &p->policy->limits.h1);
    unpack(c, p);
    free(p);
    return true;
}

void park_drop(struct connection *c) {
    if (c->parked != NULL) {
        policy_drop(c->listener, &c->parked->policy);
        free(c->parked);
        c->parked = NULL;
    }
}
