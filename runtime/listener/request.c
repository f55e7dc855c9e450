/* SPDX-License-Identifier: Apache-2.0 */
/* request.c – from a complete head to OPEN, BODY and END in the vhost's ring.
 * Runs in: listener. Distrusts: the client. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "listener/connection.h"
#include "listener/h1_response.h"
#include "listener/routes.h"

static void begin_exchange(struct connection *c) {
    c->head_written = c->end_seen = c->retried = false;
    c->status = 0;
    c->content_sent = 0;
    c->link = NULL;
    c->began_us = clock_realtime_us();
    c->began_monotonic_us = clock_monotonic_us();
}

void request_begin(struct connection *c) {
    struct request *r = c->request;
    begin_exchange(c);
    h1_head_read(&r->parser, r->bytes, r->path, r->fields, &r->head);
    r->body_at = r->parser.consumed;
    c->keep = r->head.keep_alive && !c->listener->draining;
    h1_body_begin(&c->body, &r->head, &h1_default_limits);
    c->body_done = r->head.body == H1_BODY_NONE;
    if (r->head.path.n > MESSAGE_OPEN_PATH_MAX || r->head.query.n > MESSAGE_OPEN_QUERY_MAX ||
        r->head.raw_path.n > MESSAGE_OPEN_RAW_PATH_MAX) {
        response_own(c, 414, 0);
    } else if (r->head.https) {
        response_own(c, 421, 0); /* RFC 9110 section 15.5.20: this listener speaks plain HTTP */
    } else if (r->head.form == H1_FORM_ASTERISK) {
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
    const struct h1_head *head = &c->request->head;
    return !c->head_written && !c->retried && head->body == H1_BODY_NONE &&
           (slice_equal(head->method, SLICE("GET")) || slice_equal(head->method, SLICE("HEAD")));
}

int request_open(struct connection *c) {
    const struct h1_head *head = &c->request->head;
    struct message_open *m = &c->listener->open;

    m->stream = c->stream;
    m->scheme = SCHEME_HTTP;
    m->version = head->version == H1_VERSION_10 ? VERSION_HTTP10 : VERSION_HTTP11;
    m->family = c->family;
    m->address = slice_from((const char *)c->address, c->family == FAMILY_INET    ? 4
                                                      : c->family == FAMILY_INET6 ? 16
                                                                                  : 0);
    m->port = c->port;
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
            (void)connection_put(c, H1_CONTINUE);
        }
    }
    MUST(rc != -EMSGSIZE); /* request_begin has refused what is too long */
    return rc;
}

/* The client's framing is wrong: whatever the vhost was doing is in vain. */
static void refuse_body(struct connection *c) {
    link_close_stream(c->link, c, true, REASON_PROTOCOL);
    c->keep = false;
    response_broken(c, c->body.refusal.status);
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
        refuse_body(c);
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
