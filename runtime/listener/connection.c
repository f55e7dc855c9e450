/* SPDX-License-Identifier: Apache-2.0 */
/* connection.c – one client connection: bytes in, bytes out, one request at a time.
 * Runs in: listener. Distrusts: every byte the client sends. */
#include "listener/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "listener/h1_error.h"
#include "listener/routes.h"

#define POOLED_REQUESTS_MAX 128
#define LINGER_BYTES_MAX (512 * 1024)

/* Requests come from a pool ---------------------------------------------------------------------- */

static bool take_request(struct connection *c) {
    struct listener *l = c->listener;
    struct request *r = l->free_requests;
    if (r != NULL) {
        l->free_requests = r->next_free;
        l->free_request_count--;
    } else {
        r = malloc(sizeof *r);
        if (r == NULL) {
            return false;
        }
    }
    r->n = r->body_at = 0;
    h1_head_begin(&r->parser, &h1_default_limits);
    c->request = r;
    c->out = r->out;
    c->out_capacity = sizeof r->out;
    return true;
}

static void drop_output(struct connection *c) {
    if (c->request != NULL && c->out != c->request->out) {
        free(c->out);
        c->out = c->request->out;
        c->out_capacity = sizeof c->request->out;
    }
    c->out_at = c->out_n = c->file_at = 0;
}

static void drop_request(struct connection *c) {
    struct listener *l = c->listener;
    struct request *r = c->request;
    if (r == NULL) {
        return;
    }
    drop_output(c);
    c->request = NULL;
    c->out = NULL;
    if (l->free_request_count >= POOLED_REQUESTS_MAX) {
        free(r);
        return;
    }
    r->next_free = l->free_requests;
    l->free_requests = r;
    l->free_request_count++;
}

/* Life ------------------------------------------------------------------------------------------------ */

static void on_poll(uv_poll_t *poll, int status, int events);

int connection_open(struct listener *l, int fd, const struct connection *peer) {
    struct connection *c = calloc(1, sizeof *c);
    if (c == NULL || uv_poll_init(&l->loop, &c->poll, fd) != 0) {
        free(c);
        (void)close(fd);
        return -ENOMEM;
    }
    c->listener = l;
    c->fd = fd;
    c->file.fd = -1;
    c->family = peer->family;
    memcpy(c->address, peer->address, sizeof c->address);
    c->port = peer->port;
    c->poll.data = c;
    c->next = l->all;
    if (l->all != NULL) {
        l->all->previous = c;
    }
    l->all = c;
    l->connections++;
    c->polled = UV_READABLE;
    (void)uv_poll_start(&c->poll, UV_READABLE, on_poll);
    return 0;
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
    if (c->next != NULL) {
        c->next->previous = c->previous;
    }
    if (c->previous != NULL) {
        c->previous->next = c->next;
    } else {
        c->listener->all = c->next;
    }
    (void)uv_poll_stop(&c->poll);
    drop_request(c);
    connection_release(c);
}

void connection_linger(struct connection *c) {
    (void)shutdown(c->fd, SHUT_WR);
    drop_request(c);
    c->state = CONNECTION_LINGERING;
    c->content_left = LINGER_BYTES_MAX;
    c->since_ms = uv_now(&c->listener->loop);
}

void connection_next_request(struct connection *c) {
    struct request *r = c->request;
    size_t rest = r->n - r->body_at;
    drop_output(c);
    c->state = CONNECTION_READING;
    if (rest == 0) {
        drop_request(c);
        return;
    }
    memmove(r->bytes, r->bytes + r->body_at, rest);
    r->n = rest;
    r->body_at = 0;
    h1_head_begin(&r->parser, &h1_default_limits);
}

/* Output ------------------------------------------------------------------------------------------------ */

char *connection_reserve(struct connection *c, size_t n) {
    if (c->state == CONNECTION_CLOSED) {
        return NULL;
    }
    if (c->out_n + n > c->out_capacity) {
        size_t capacity = c->out_capacity;
        while (c->out_n + n > capacity) {
            capacity *= 2;
        }
        bool inline_now = c->out == c->request->out;
        char *out = realloc(inline_now ? NULL : c->out, capacity);
        if (out == NULL) {
            connection_abort(c);
            return NULL;
        }
        if (inline_now) {
            memcpy(out, c->out, c->out_n);
        }
        c->out = out;
        c->out_capacity = capacity;
    }
    return c->out + c->out_n;
}

void connection_commit(struct connection *c, size_t n) {
    MUST(c->out_n + n <= c->out_capacity);
    c->out_n += n;
}

bool connection_put(struct connection *c, struct slice text) {
    char *out = connection_reserve(c, text.n);
    if (out == NULL) {
        return false;
    }
    memcpy(out, text.p, text.n);
    connection_commit(c, text.n);
    return true;
}

/* Writes buffered bytes up to end. Returns whether all of them went. */
static bool write_bytes(struct connection *c, size_t end, int more) {
    while (c->out_at < end) {
        ssize_t n = send(c->fd, c->out + c->out_at, end - c->out_at, MSG_NOSIGNAL | MSG_DONTWAIT | more);
        if (n >= 0) {
            c->out_at += (size_t)n;
        } else if (errno == EAGAIN) {
            c->want_write = true;
            return false;
        } else if (errno != EINTR) {
            connection_abort(c);
            return false;
        }
    }
    return true;
}

static bool write_file(struct connection *c) {
    switch (file_send_step(c)) {
    case FILE_SENT_ALL:
        file_send_end(&c->file);
        return true;
    case FILE_MORE:
        turn_touch(c);
        return false;
    case FILE_SOCKET_FULL:
        c->want_write = true;
        return false;
    case FILE_JOB_RUNS:
        return false;
    case FILE_FAILED:
        break;
    }
    connection_abort(c);
    return false;
}

/* Writes what there is. Returns whether nothing is left to write now. */
static bool write_out(struct connection *c) {
    c->want_write = false;
    if (c->file.job) {
        return false;
    }
    if (c->file.active && (!write_bytes(c, c->file_at, MSG_MORE) || !write_file(c))) {
        return false;
    }
    if (!write_bytes(c, c->out_n, 0)) {
        response_consumed(c);
        return false;
    }
    c->out_at = c->out_n = 0;
    response_consumed(c);
    return true;
}

/* Input -------------------------------------------------------------------------------------------------- */

static void refuse_head(struct connection *c) {
    struct request *r = c->request;
    struct slice method, target;
    h1_head_seen(&r->parser, r->bytes, &method, &target);
    r->head = (struct h1_head){.version = H1_VERSION_11, .method = method, .target = target};
    c->link = NULL;
    c->keep = false;
    c->body_done = true;
    c->began_us = clock_realtime_us();
    c->began_monotonic_us = clock_monotonic_us();
    if (!r->parser.preface) {
        response_own(c, r->parser.refusal.status, 0);
        return;
    }
    c->status = 505;
    c->head_written = c->end_seen = true;
    c->state = CONNECTION_ANSWERING;
    (void)connection_put(c, h1_error_preface);
}

/* Parses what is there. Returns whether a request has begun (or was refused). */
static bool read_head(struct connection *c) {
    struct request *r = c->request;
    if (r == NULL || r->n == 0) {
        return false;
    }
    enum h1_verdict verdict = h1_head_parse(&r->parser, r->bytes, r->n);
    if (verdict == H1_MORE) {
        return false;
    }
    if (verdict == H1_DONE) {
        request_begin(c);
    } else {
        r->body_at = 0; /* whatever follows is not read */
        refuse_head(c);
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

static void read_some(struct connection *c) {
    if (c->request == NULL && !take_request(c)) {
        connection_abort(c);
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
    bool body_missing = (c->state == CONNECTION_OPEN || c->state == CONNECTION_CALLING) && !c->body_done &&
                        c->request->body_at == c->request->n;
    if (c->state == CONNECTION_READING || body_missing) {
        connection_abort(c);
    }
}

void connection_advance(struct connection *c) {
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
        if (!write_out(c) || !c->end_seen) {
            break;
        }
        response_finish(c);
    }
    if (c->ended_by_client) {
        check_end(c);
    }
    if (c->state != CONNECTION_CLOSED) {
        if (c->request != NULL && c->state == CONNECTION_READING && c->request->n == 0) {
            drop_request(c);
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
