/* SPDX-License-Identifier: Apache-2.0 */
/* routes.c – who answers a request: questions to the router, and those who wait for it.
 * Runs in: listener. Distrusts: the router. */
#include "listener/routes.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/report.h"
#include "listener/connection.h"
#include "listener/route_value.h"

int routes_init(struct listener *l) {
    l->routes.socket = -1;
    return route_cache_init(&l->routes.cache);
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

/* The router has gone while this question came next: was it that? Twice is enough. */
static void suspect_first(struct listener *l) {
    struct routes *r = &l->routes;
    struct connection *c = r->first;
    if (c != NULL && c != r->unasked && c->suspect) {
        refuse(l, c);
    } else if (c != NULL && c != r->unasked) {
        c->suspect = true;
    }
}

static void hang_up(struct listener *l) {
    struct routes *r = &l->routes;
    if (r->socket >= 0) {
        listener_unpoll(r->poll);
        (void)close(r->socket);
        r->socket = -1;
        r->poll = NULL;
        suspect_first(l);
    }
}

/* Questions ------------------------------------------------------------------------------------------- */

static struct route_question question_of(const struct connection *c) {
    const struct h1_head *head = &c->request->head;
    return (struct route_question){head->host, head->path, head->fields, head->end_to_end};
}

/* The fields that the policy looks at. Returns false where not all of them fit. */
static bool add_fields(const struct routes *r, const struct h1_head *head, struct message_route_ask *m) {
    size_t bytes = 0;
    bool whole = true;
    m->fields_count = 0;
    for (size_t i = 0; i < head->end_to_end; i++) {
        const struct field *f = &head->fields[i];
        if (!route_policy_wants(r->policy, f->name)) {
            continue;
        }
        if (m->fields_count == MESSAGE_ROUTE_ASK_FIELDS_MAX ||
            bytes + f->name.n + f->value.n > MESSAGE_ROUTE_ASK_FIELDS_BYTES_MAX) {
            whole = false;
            continue;
        }
        bytes += f->name.n + f->value.n;
        m->fields[m->fields_count++] = *f;
    }
    return whole;
}

static bool fill_ask(struct routes *r, const struct connection *c) {
    const struct h1_head *head = &c->request->head;
    const struct network_client *client = &c->client;
    struct message_route_ask *m = &r->ask;
    size_t address = client->family == FAMILY_INET ? 4 : client->family == FAMILY_INET6 ? 16 : 0;
    m->ask = c->ask;
    m->method = head->method;
    m->authority = head->host;
    m->path = head->path;
    m->query = head->query.n <= MESSAGE_ROUTE_ASK_QUERY_MAX ? head->query : slice_from(NULL, 0);
    m->scheme = client->https ? SCHEME_HTTPS : SCHEME_HTTP;
    m->family = client->family;
    m->address = slice_from((const char *)client->address, address);
    return add_fields(r, head, m);
}

static int send_ask(struct routes *r, struct connection *c) {
    (void)fill_ask(r, c);
    c->narrow = false;
    return message_route_ask_send(r->socket, &r->ask, NULL);
}

/* Asks for those who were not asked for yet. What does not fit the socket now is asked after the next
 * answer, or of the next router. */
static void ask(struct listener *l) {
    struct routes *r = &l->routes;
    while (r->unasked != NULL && r->socket >= 0) {
        if (send_ask(r, r->unasked) != 0) {
            return;
        }
        r->unasked = r->unasked->next_waiting;
    }
}

static void ask_all_again(struct listener *l) {
    l->routes.behind = false;
    l->routes.unasked = l->routes.first;
    ask(l);
}

void routes_ask_channel(struct listener *l, struct link *k) {
    const struct message_channel_ask m = {.vhost = k->vhost};
    k->unasked = l->routes.socket < 0 || message_channel_ask_send(l->routes.socket, &m, NULL) != 0;
}

/* As the last, and not asked for yet. */
static void enqueue(struct routes *r, struct connection *c) {
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
}

static void wait_for_router(struct listener *l, struct connection *c) {
    struct routes *r = &l->routes;
    c->state = CONNECTION_ROUTING;
    c->ask = (uint32_t)r->next_ask++;
    c->suspect = false;
    c->since_ms = uv_now(&l->loop);
    enqueue(r, c);
    ask(l);
}

static void redirect(struct listener *l, struct connection *c, const struct route_answer *answer) {
    const struct h1_head *head = &c->request->head;
    size_t n = route_location(answer, head->path, head->query, l->routes.location);
    const struct own_answer own = {.status = answer->status, .location = slice_from(l->routes.location, n)};
    if (n == 0) {
        response_own(c, 414, 0); /* what the redirect keeps of the target is too long for a field */
    } else {
        response_answer(c, &own);
    }
}

static void follow(struct listener *l, struct connection *c, const struct route_answer *answer) {
    const struct own_answer own = {
        .status = answer->status, .retry_s = answer->retry_s, .text = answer->text};
    struct routes *r = &l->routes;
    uint64_t draw;
    switch (answer->verdict) {
    case VERDICT_VHOST:
        draw = answer->choices == 1 ? 0
               : answer->by_client  ? route_client_bits(&c->client)
                                    : siphash(&r->cache.key, &r->draws, sizeof r->draws);
        r->draws++;
        request_routed(c, &l->links[route_choose(answer, draw)]);
        return;
    case VERDICT_NONE:
        request_routed(c, NULL);
        return;
    case VERDICT_REDIRECT:
        redirect(l, c, answer);
        return;
    case VERDICT_ANSWER:
        response_answer(c, &own);
        return;
    }
}

void routes_find(struct listener *l, struct connection *c) {
    struct routes *r = &l->routes;
    const struct route_question question = question_of(c);
    struct route_found found;
    if (route_cache_find(&r->cache, &question, uv_now(&l->loop), &found)) {
        if (found.answer == NULL) {
            request_routed(c, &l->links[found.index]);
        } else {
            follow(l, c, found.answer);
        }
    } else if (r->waiting >= ROUTE_ASKS_MAX) {
        response_own(c, 503, 1);
    } else {
        wait_for_router(l, c);
    }
}

/* The policy ----------------------------------------------------------------------------------------------- */

void routes_forget_all(struct listener *l) {
    route_cache_clear(&l->routes.cache);
}

void routes_use(struct listener *l, struct route_policy *policy, uint64_t epoch) {
    struct routes *r = &l->routes;
    route_policy_free(r->policy);
    r->policy = policy;
    r->epoch = epoch;
    r->policy_ask = (uint32_t)r->next_ask;
    routes_forget_all(l);
    if (r->behind) {
        ask_all_again(l);
    }
}

/* The router answers -------------------------------------------------------------------------------------- */

static bool all_allowed(const struct listener *l, const struct message_route *m, struct slice host) {
    for (unsigned i = 0; m->verdict == VERDICT_VHOST && i < m->choices; i++) {
        if (!route_policy_allows(l->routes.policy, l->map, host, m->vhosts[i])) {
            return false;
        }
    }
    return true;
}

/* Nobody knows all names of a nobody: floods of them shall not push out those who exist. */
static bool is_worth_remembering(const struct message_route *m) {
    return m->verdict != VERDICT_NONE || m->reuse != REUSE_AUTHORITY;
}

/* Only what the newest policy said of the whole request is remembered. */
static void remember(struct listener *l, struct connection *c, const struct message_route *m,
                     const struct route_answer *answer, const struct route_scope *scope) {
    struct routes *r = &l->routes;
    const struct route_question question = question_of(c);
    bool cookie = m->selector == SELECTOR_COOKIE;
    struct slice field = cookie ? SLICE("cookie") : m->selector_name;
    if (m->epoch != r->epoch || !is_worth_remembering(m)) {
        return;
    }
    if (m->selector != SELECTOR_NONE &&
        (!route_policy_wants(r->policy, field) || !(c->narrow || fill_ask(r, c)))) {
        return; /* the router did not see what the next request would be compared by */
    }
    route_cache_remember(&r->cache, &question, answer, scope, uv_now(&l->loop));
}

/* A vhost that our policy does not allow. A router has each policy before we do: an answer of a newer one
 * waits for it; one of an older one to a question from before is asked again; else it lies. */
static int doubt(struct listener *l, struct connection *c, const struct message_route *m) {
    struct routes *r = &l->routes;
    struct slice host = c->request->head.host;
    if (m->epoch > r->epoch) {
        r->behind = true;
        return 0;
    }
    if (m->epoch < r->epoch && (int32_t)(c->ask - r->policy_ask) < 0) {
        c->ask = (uint32_t)r->next_ask++;
        r->behind = r->behind || send_ask(r, c) != 0;
        return 0;
    }
    report(REPORT_ERROR, "router named a vhost that may not answer for %.*s", (int)host.n, host.p);
    return -EBADMSG;
}

/* Cookies that did not fit the question: now that their name is known, asks with the one that counts.
 * Returns whether the answer to that is waited for. */
static bool narrow(struct listener *l, struct connection *c, struct slice name) {
    struct routes *r = &l->routes;
    char pair[MESSAGE_ROUTE_SELECTOR_NAME_MAX + 1 + ROUTE_VALUE_MAX];
    const struct h1_head *head = &c->request->head;
    struct slice value;
    if (c->narrow || fill_ask(r, c) || !route_value_cookie(head->fields, head->end_to_end, name, &value) ||
        value.n > ROUTE_VALUE_MAX) {
        return false;
    }
    memcpy(pair, name.p, name.n);
    pair[name.n] = '=';
    memcpy(pair + name.n + 1, value.p, value.n);
    r->ask.fields[0] = (struct field){SLICE("cookie"), slice_from(pair, name.n + 1 + value.n)};
    r->ask.fields_count = 1;
    c->narrow = message_route_ask_send(r->socket, &r->ask, NULL) == 0;
    if (!c->narrow) { /* no room now: from the beginning, behind those who wait already */
        routes_forget(l, c);
        enqueue(r, c);
    }
    return true;
}

static struct connection *find_waiting(const struct routes *r, uint32_t number) {
    struct connection *c = r->first;
    while (c != NULL && c->ask != number) {
        c = c->next_waiting;
    }
    return c;
}

/* Numbers of questions begin again at 0 after 2^32 of them. */
static bool was_asked(const struct routes *r, uint32_t number) {
    return (uint32_t)((uint32_t)r->next_ask - number - 1) < r->next_ask;
}

static int on_route(void *context, const struct message_route *m, struct packet *p) {
    struct listener *l = context;
    struct connection *c = find_waiting(&l->routes, m->ask);
    struct route_answer answer;
    struct route_scope scope;
    (void)p;
    if (c == NULL) { /* the client has gone, or an answer comes twice: nobody waits for it */
        return was_asked(&l->routes, m->ask) ? 0 : -EBADMSG;
    }
    if (!route_judge(m, c->request->head.path, &answer, &scope)) {
        return -EBADMSG;
    }
    if (!all_allowed(l, m, c->request->head.host) || !route_index(m, l->map, &answer)) {
        return doubt(l, c, m);
    }
    if (m->selector == SELECTOR_COOKIE && narrow(l, c, m->selector_name)) {
        return 0;
    }
    remember(l, c, m, &answer, &scope);
    routes_forget(l, c);
    follow(l, c, &answer);
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
    ask_all_again(l);
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
    if (l->routes.behind) {
        ask_all_again(l);
    }
    ask(l);
    for (size_t i = 0; i < l->link_count; i++) {
        if (l->links[i].state == LINK_ASKED && l->links[i].unasked) {
            routes_ask_channel(l, &l->links[i]);
        }
    }
}
