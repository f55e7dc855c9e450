/* SPDX-License-Identifier: Apache-2.0 */
/* request.c – from a complete head to OPEN, BODY and END in the vhost's ring.
 * Runs in: listener. Distrusts: the client. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "listener/connection.h"
#include "listener/forwarded.h"
#include "listener/h1_response.h"
#include "listener/routes.h"

void request_enter(struct connection *c) {
    struct listener *l = c->listener;
    uint64_t number = ++l->ids;
    c->id = siphash(&l->id_key, &number, sizeof number);
    c->requests++;
    c->client = c->peer;
    c->head_written = c->end_seen = c->retried = false;
    c->status = 0;
    c->content_sent = 0;
    c->link = NULL;
    c->began_us = clock_realtime_us();
    c->began_monotonic_us = clock_monotonic_us();
    pace_begin(&c->body_pace, 0);
    pace_begin(&c->send_pace, c->written);
}

/* Finds out who asks. Fields by which a trusted proxy speaks follow those that the vhost sees, and join them. */
static bool know_client(struct connection *c) {
    struct h1_head *head = &c->request->head;
    const struct network_set *proxies = &c->request->policy->proxies;
    enum forwarded_verdict verdict =
        proxies->count == 0
            ? FORWARDED_STRANGER
            : forwarded_read(proxies, head->fields + head->end_to_end, head->claims, &c->client);
    if (verdict == FORWARDED_TRUSTED) {
        head->end_to_end += head->claims;
        head->claims = 0;
    }
    return verdict != FORWARDED_CONFLICT;
}

/* Whether it is too long for an OPEN, whatever the limits say. */
static bool is_too_long(const struct request *r) {
    const struct h1_head *head = &r->head;
    size_t bytes = 0;
    if (r->parser.consumed + POLICY_TAGS_BYTES <= MESSAGE_OPEN_FIELDS_BYTES_MAX) {
        return head->end_to_end > MESSAGE_OPEN_FIELDS_MAX;
    }
    for (size_t i = 0; i < head->end_to_end; i++) {
        bytes += head->fields[i].name.n + head->fields[i].value.n;
    }
    return head->end_to_end > MESSAGE_OPEN_FIELDS_MAX || bytes > MESSAGE_OPEN_FIELDS_BYTES_MAX;
}

static unsigned status_of_length(const struct h1_head *head, const struct limits *limits) {
    if (limits->body_bytes > 0 && head->body == H1_BODY_LENGTH && head->content_length > limits->body_bytes) {
        return 413;
    }
    if (head->path.n > MESSAGE_OPEN_PATH_MAX || head->query.n > MESSAGE_OPEN_QUERY_MAX ||
        head->raw_path.n > MESSAGE_OPEN_RAW_PATH_MAX) {
        return 414;
    }
    return 0;
}

static void read_head(struct connection *c) {
    struct request *r = c->request;
    const struct limits *limits = &r->policy->limits;
    h1_head_read(&r->parser, r->bytes, r->path, r->fields, &r->head);
    r->body_at = r->parser.consumed;
    c->keep = r->head.keep_alive && !c->listener->draining &&
              (limits->requests == 0 || c->requests < limits->requests);
    h1_body_begin(&c->body, &r->head, &limits->h1);
    c->body_done = r->head.body == H1_BODY_NONE;
}

void request_begin(struct connection *c) {
    struct h1_head *head = &c->request->head;
    struct own_answer answer = {0};
    request_enter(c);
    read_head(c);
    unsigned status = status_of_length(head, &c->request->policy->limits);
    if (status != 0) {
        response_own(c, status, 0);
    } else if (!know_client(c)) {
        response_own(c, 400, 0);
    } else if (policy_judge(c->listener, c, &answer)) {
        response_answer(c, &answer);
    } else if (is_too_long(c->request)) {
        response_own(c, 431, 0);
    } else if (head->https && !c->client.https) {
        response_own(c, 421, 0); /* RFC 9110 section 15.5.20: this listener speaks plain HTTP */
    } else if (head->form == H1_FORM_ASTERISK) {
        response_own(c, 200, 0); /* OPTIONS *: about the server as a whole, section 9.3.7 */
    } else {
        routes_find(c->listener, c);
    }
}

void request_routed(struct connection *c, struct link *k) {
    if (k == NULL) {
        response_own(c, 404, 0);
    } else {
        link_call(k, c);
    }
}

bool request_repeatable(const struct connection *c) {
    const struct h1_head *head = c->request != NULL ? &c->request->head : NULL; /* parked: it is not whole */
    return head != NULL && !c->head_written && !c->retried && head->body == H1_BODY_NONE &&
           (slice_equal(head->method, SLICE("GET")) || slice_equal(head->method, SLICE("HEAD")));
}

bool request_lacks_body(const struct connection *c) {
    bool is_whole = c->body.kind == H1_BODY_LENGTH && c->body.left == 0;
    return !c->body_done && !is_whole && (c->request == NULL || c->request->body_at == c->request->n);
}

int request_open(struct connection *c) {
    const struct h1_head *head = &c->request->head;
    struct message_open *m = &c->listener->open;

    m->stream = c->stream;
    m->request = c->id;
    m->scheme = c->client.https ? SCHEME_HTTPS : SCHEME_HTTP;
    m->version = head->version == H1_VERSION_10 ? VERSION_HTTP10 : VERSION_HTTP11;
    m->family = c->client.family;
    m->address = network_client_address(&c->client);
    m->port = c->client.port;
    m->body = head->body != H1_BODY_NONE;
    m->content_length = head->content_length;
    m->method = head->method;
    m->authority = head->authority;
    m->path = head->path;
    m->raw_path = head->raw_path;
    m->query = head->query;
    memcpy(m->fields, head->fields, head->end_to_end * sizeof *m->fields);
    m->fields_count = head->end_to_end;
    if (!link_has_room(c->link, message_open_size(m))) {
        return -EAGAIN;
    }
    int rc = message_open_put(&c->link->channel.writer, m);
    if (rc == 0) {
        c->window = STREAM_CREDIT_BYTES;
        c->body_credit = STREAM_CREDIT_BYTES;
        if (head->expect_continue && c->request->body_at == c->request->n) {
            (void)output_put(c, H1_CONTINUE);
        }
    }
    MUST(rc != -EMSGSIZE); /* request_begin has refused what is too long */
    return rc;
}

void request_refuse_body(struct connection *c, unsigned status, enum reason reason) {
    link_close_stream(c->link, c, true, reason);
    c->keep = false;
    response_broken(c, status);
}

static bool is_too_large(const struct connection *c) {
    uint64_t most = c->request->policy->limits.body_bytes;
    return most > 0 && c->body.kind == H1_BODY_CHUNKED && c->body.chunks.total > most;
}

static int put_end(struct connection *c) {
    const struct message_end end = {.stream = c->stream};
    if (!link_has_room(c->link, MESSAGE_END_MAX)) {
        return -EAGAIN;
    }
    return message_end_put(&c->link->channel.writer, &end);
}

static int put_body(struct connection *c, struct slice data) {
    const struct message_body body = {.stream = c->stream, .data = data};
    int rc = message_body_put(&c->link->channel.writer, &body);
    if (rc == 0) {
        c->body_credit -= (uint32_t)data.n;
    }
    return rc;
}

/* Takes one piece. Returns whether to go on. */
static bool step(struct connection *c) {
    struct request *r = c->request;
    size_t room = c->body_credit < MESSAGE_BODY_DATA_MAX ? c->body_credit : MESSAGE_BODY_DATA_MAX;
    size_t used;
    struct slice data;

    if (!link_has_room(c->link, MESSAGE_BODY_MAX)) {
        c->link->blocked = true;
        link_activate(c->link); /* tried again soon, whoever else is silent */
        return false;
    }
    enum h1_verdict verdict =
        h1_body_next(&c->body, r->bytes + r->body_at, r->n - r->body_at, room, &used, &data);
    if (verdict != H1_REFUSED && is_too_large(c)) {
        request_refuse_body(c, 413, REASON_TOO_LARGE);
        return false;
    }
    int rc = verdict == H1_DATA ? put_body(c, data) : verdict == H1_DONE ? put_end(c) : 0;
    r->body_at += used;
    if (verdict == H1_DONE) {
        c->body_done = true;
        c->since_ms = uv_now(&c->listener->loop); /* from now on the vhost is the one who waits */
    }
    link_activate(c->link);
    if (rc != 0) {
        link_blame(c->link, "impossible ring index");
    } else if (verdict == H1_REFUSED) {
        request_refuse_body(c, c->body.refusal.status, REASON_PROTOCOL);
    }
    return rc == 0 && verdict == H1_DATA;
}

void request_body(struct connection *c) {
    struct request *r = c->request;
    while (!c->body_done && c->state == CONNECTION_OPEN && step(c)) {}
    if (c->state == CONNECTION_OPEN && r->body_at == r->n) {
        r->n = r->body_at = r->parser.consumed; /* all handed on: read into the same place again */
    }
}
