/* SPDX-License-Identifier: Apache-2.0 */
/* connection.c – one client connection: bytes in, bytes out, one request at a time.
 * Runs in: listener. Distrusts: every byte the client sends. */
#include "listener/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listener/h1_error.h"
#include "listener/park.h"
#include "listener/proxy_header.h"
#include "listener/routes.h"

#define LINGER_BYTES_MAX (512 * 1024)

/* Lists ------------------------------------------------------------------------------------------------ */

static void leave_list(struct connection *c) {
    struct sweep *sweep = &c->listener->deadlines;
    if (sweep->next == c) {
        sweep->next = c->next;
    }
    *(c->previous != NULL ? &c->previous->next : &c->list->first) = c->next;
    *(c->next != NULL ? &c->next->previous : &c->list->last) = c->previous;
    c->next = c->previous = NULL;
}

static void enter_list(struct connection *c, struct connection_list *list) {
    c->list = list;
    c->previous = list->last;
    *(list->last != NULL ? &list->last->next : &list->first) = c;
    list->last = c;
}

static void move_to(struct connection *c, struct connection_list *list) {
    leave_list(c);
    enter_list(c, list);
}

/* Life ------------------------------------------------------------------------------------------------ */

static void on_poll(uv_poll_t *poll, int status, int events);

int connection_open(struct listener *l, int fd, const struct network_client *peer) {
    bool counted = false;
    bool awaits_proxy = network_set_has(&l->policy->proxy_senders, peer->family, peer->address);
    if (!awaits_proxy && !accept_count(l, peer, &counted)) {
        accept_turn_away(l, fd);
        (void)close(fd);
        return -EAGAIN;
    }
    struct connection *c = calloc(1, sizeof *c);
    if (c == NULL || uv_poll_init(&l->loop, &c->poll, fd) != 0) {
        if (counted) {
            accept_uncount(l, peer);
        }
        free(c);
        (void)close(fd);
        return -ENOMEM;
    }
    c->listener = l;
    c->fd = fd;
    c->file.fd = -1;
    c->peer = *peer;
    c->counted = counted;
    c->awaits_proxy = awaits_proxy;
    c->since_ms = uv_now(&l->loop);
    c->poll.data = c;
    enter_list(c, &l->fresh);
    l->connections++;
    c->polled = UV_READABLE;
    (void)uv_poll_start(&c->poll, UV_READABLE, on_poll);
    return 0;
}

bool connection_close_oldest_idle(struct listener *l) {
    struct connection *c = l->idle.first != NULL ? l->idle.first : l->fresh.first;
    if (c != NULL) {
        connection_close(c);
    }
    return c != NULL;
}

static void on_closed(uv_handle_t *handle) {
    free(handle->data);
}

void connection_release(struct connection *c) {
    if (c->file.job || c->touched) {
        return; /* the file thread or the turn comes here again */
    }
    file_send_end(&c->file);
    (void)close(c->fd);
    c->listener->connections--;
    if (c->counted) {
        accept_uncount(c->listener, &c->peer);
    }
    accept_resume(c->listener);
    uv_close((uv_handle_t *)&c->poll, on_closed);
}

static void leave_queues(struct connection *c) {
    if (c->state == CONNECTION_ROUTING) {
        routes_forget(c->listener, c);
    } else if (c->state == CONNECTION_CALLING) {
        link_forget(c->link, c);
    } else if (c->state == CONNECTION_OPEN) {
        link_close_stream(c->link, c, true, REASON_CANCELLED);
    }
}

void connection_abort(struct connection *c) {
    if (c->state == CONNECTION_CLOSED) {
        return;
    }
    bool cut = c->state == CONNECTION_ROUTING || c->state == CONNECTION_CALLING ||
               c->state == CONNECTION_OPEN || c->state == CONNECTION_ANSWERING;
    leave_queues(c);
    if (cut) {
        if (c->status == 0) {
            c->status = 499; /* the client went before an answer: as other servers log it */
        }
        response_log(c);
    }
    connection_close(c);
}

void connection_close(struct connection *c) {
    if (c->state == CONNECTION_CLOSED) {
        return;
    }
    c->state = CONNECTION_CLOSED;
    leave_list(c);
    (void)uv_poll_stop(&c->poll);
    park_drop(c);
    request_give_back(c);
    connection_release(c);
}

void connection_linger(struct connection *c) {
    (void)shutdown(c->fd, SHUT_WR);
    request_give_back(c);
    c->state = CONNECTION_LINGERING;
    c->content_left = LINGER_BYTES_MAX;
    c->since_ms = uv_now(&c->listener->loop);
}

static void be_idle(struct connection *c) {
    struct listener *l = c->listener;
    request_give_back(c);
    if (c->requests > 0) {
        c->since_ms = uv_now(&l->loop);
    }
    move_to(c, c->requests > 0 ? &l->idle : &l->fresh);
    accept_resume(l); /* it would make room */
}

void connection_next_request(struct connection *c) {
    struct request *r = c->request;
    size_t rest = r->n - r->body_at;
    output_drop(c);
    c->state = CONNECTION_READING;
    c->since_ms = uv_now(&c->listener->loop);
    if (rest == 0) {
        be_idle(c);
        return;
    }
    memmove(r->bytes, r->bytes + r->body_at, rest);
    request_restart(c, rest);
}

/* Input -------------------------------------------------------------------------------------------------- */

void connection_refuse_head(struct connection *c, unsigned status) {
    struct request *r = c->request;
    struct slice method, target;
    h1_head_seen(&r->parser, r->bytes, &method, &target);
    request_enter(c);
    r->body_at = 0; /* whatever follows is not read */
    r->head = (struct h1_head){.version = H1_VERSION_11, .method = method, .target = target};
    c->keep = false;
    c->body_done = true;
    if (!r->parser.preface) {
        response_own(c, status, 0);
        return;
    }
    c->status = 505;
    c->head_written = c->end_seen = true;
    c->state = CONNECTION_ANSWERING;
    (void)output_put(c, h1_error_preface);
}

/* Reads the PROXY header. Returns whether the request may follow now; c may be closed. */
static bool read_proxy_header(struct connection *c) {
    struct request *r = c->request;
    const char *reason = NULL;
    int n = proxy_header_read(r->bytes, r->n, &c->peer, &reason);
    if (n == 0) {
        return false;
    }
    if (n < 0) {
        c->listener->unproxied++;
        connection_close(c);
        return false;
    }
    c->awaits_proxy = false;
    if (!accept_count(c->listener, &c->peer, &c->counted)) {
        accept_turn_away(c->listener, c->fd);
        connection_close(c);
        return false;
    }
    memmove(r->bytes, r->bytes + n, r->n - (size_t)n);
    r->n -= (size_t)n;
    return r->n > 0;
}

/* Parses what is there. Returns whether a request has begun (or was refused). */
static bool read_head(struct connection *c) {
    struct request *r = c->request;
    if (r == NULL || r->n == 0 || (c->awaits_proxy && !read_proxy_header(c))) {
        return false;
    }
    enum h1_verdict verdict = h1_head_parse(&r->parser, r->bytes, r->n);
    if (verdict == H1_MORE) {
        return false;
    }
    if (verdict == H1_DONE) {
        request_begin(c);
    } else {
        connection_refuse_head(c, r->parser.refusal.status);
    }
    return true;
}

static void linger_on(struct connection *c) {
    ssize_t n = recv(c->fd, c->listener->scratch, sizeof c->listener->scratch, MSG_DONTWAIT);
    bool over =
        n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || (n > 0 && (uint64_t)n > c->content_left);
    if (over) {
        connection_abort(c);
    } else if (n > 0) {
        c->content_left -= (uint64_t)n;
    }
}

/* The first byte of a head has come. */
static bool begin_reading(struct connection *c) {
    struct listener *l = c->listener;
    if (!request_take(c)) {
        return false;
    }
    if (c->list == &l->idle) {
        c->since_ms = uv_now(&l->loop); /* else since it was accepted */
    }
    if (c->list != &l->busy) {
        move_to(c, &l->busy);
    }
    return true;
}

static void read_some(struct connection *c) {
    if (c->request == NULL && !begin_reading(c)) {
        connection_close(c);
        return;
    }
    struct request *r = c->request;
    size_t room = sizeof r->bytes - r->n;
    if (room == 0) {
        return;
    }
    ssize_t n = recv(c->fd, r->bytes + r->n, room, MSG_DONTWAIT);
    if (n > 0) {
        r->n += (size_t)n;
    } else if (n == 0) {
        c->ended_by_client = true;
    } else if (errno != EAGAIN && errno != EINTR) {
        connection_abort(c);
    }
}

/* Tells libuv what this connection waits for now. */
static void poll_for(struct connection *c) {
    bool room = c->request == NULL || c->request->n < sizeof c->request->bytes;
    int want = (room && !c->ended_by_client ? UV_READABLE : 0) | (c->want_write ? UV_WRITABLE : 0);
    if (want != c->polled) {
        c->polled = want;
        (void)(want != 0 ? uv_poll_start(&c->poll, want, on_poll) : uv_poll_stop(&c->poll));
    }
}

/* The client will send no more. Without a whole request there is nothing to wait for. */
static void check_end(struct connection *c) {
    bool body_missing =
        (c->state == CONNECTION_OPEN || c->state == CONNECTION_CALLING) && request_lacks_body(c);
    if (c->state == CONNECTION_READING || body_missing) {
        connection_abort(c);
    }
}

void connection_advance(struct connection *c) {
    if (!park_wake(c)) {
        return;
    }
    for (;;) {
        if (c->state == CONNECTION_READING && !read_head(c)) {
            break;
        }
        if (c->state == CONNECTION_OPEN && !c->body_done) {
            request_body(c);
        }
        if (c->state != CONNECTION_OPEN && c->state != CONNECTION_ANSWERING) {
            break;
        }
        if (!output_write(c) || !c->end_seen) {
            break;
        }
        response_finish(c);
    }
    if (c->ended_by_client) {
        check_end(c);
    }
    if (c->state != CONNECTION_CLOSED) {
        if (c->request != NULL && c->state == CONNECTION_READING && c->request->n == 0) {
            be_idle(c);
        }
        poll_for(c);
    }
}

static void on_poll(uv_poll_t *poll, int status, int events) {
    struct connection *c = poll->data;
    if (status < 0) {
        connection_abort(c);
        return;
    }
    c->stirred = true;
    if (!park_wake(c)) {
        return;
    }
    if ((events & UV_READABLE) != 0) {
        if (c->state == CONNECTION_LINGERING) {
            linger_on(c);
        } else {
            read_some(c);
        }
    }
    if ((events & UV_WRITABLE) != 0) {
        c->file.full = false;
    }
    if (c->state != CONNECTION_CLOSED && c->state != CONNECTION_LINGERING) {
        connection_advance(c);
    }
}
