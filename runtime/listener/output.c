/* SPDX-License-Identifier: Apache-2.0 */
/* output.c – see output.h. */
#include "listener/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/must.h"
#include "listener/connection.h"

void output_drop(struct connection *c) {
    struct request *r = c->request;
    if (r == NULL || c->out != r->out) {
        free(c->out);
    }
    c->out = r != NULL ? r->out : NULL;
    c->out_capacity = r != NULL ? sizeof r->out : 0;
    c->out_at = c->out_n = c->file_at = 0;
}

int output_detach(struct connection *c) {
    size_t waiting = c->out_n - c->out_at;
    char *out = NULL;
    if (c->out != c->request->out) {
        return 0;
    }
    if (waiting > 0) {
        out = malloc(waiting);
        if (out == NULL) {
            return -ENOMEM;
        }
        memcpy(out, c->out + c->out_at, waiting);
    }
    c->file_at -= c->file.active ? c->out_at : c->file_at;
    c->out = out;
    c->out_at = 0;
    c->out_n = c->out_capacity = waiting;
    return 0;
}

/* What was written makes room for what comes. */
static void move_up(struct connection *c) {
    memmove(c->out, c->out + c->out_at, c->out_n - c->out_at);
    c->file_at -= c->file.active ? c->out_at : c->file_at;
    c->out_n -= c->out_at;
    c->out_at = 0;
}

static bool grow(struct connection *c, size_t n) {
    bool own = c->request == NULL || c->out != c->request->out;
    size_t capacity = c->out_capacity < REQUEST_OUTPUT_BYTES ? REQUEST_OUTPUT_BYTES : c->out_capacity;
    while (c->out_n + n > capacity) {
        capacity *= 2;
    }
    char *out = realloc(own ? c->out : NULL, capacity);
    if (out == NULL) {
        return false;
    }
    if (!own) {
        memcpy(out, c->out, c->out_n);
    }
    c->out = out;
    c->out_capacity = capacity;
    return true;
}

char *output_reserve(struct connection *c, size_t n) {
    if (c->state == CONNECTION_CLOSED) {
        return NULL;
    }
    if (c->out_n + n > c->out_capacity && c->out_at > 0) {
        move_up(c);
    }
    if (c->out_n + n > c->out_capacity && !grow(c, n)) {
        connection_abort(c);
        return NULL;
    }
    return c->out + c->out_n;
}

void output_commit(struct connection *c, size_t n) {
    MUST(c->out_n + n <= c->out_capacity);
    c->out_n += n;
}

bool output_put(struct connection *c, struct slice text) {
    char *out = output_reserve(c, text.n);
    if (out == NULL) {
        return false;
    }
    memcpy(out, text.p, text.n);
    output_commit(c, text.n);
    return true;
}

/* Writes buffered bytes up to end. Returns whether all of them went. */
static bool write_bytes(struct connection *c, size_t end, int more) {
    while (c->out_at < end) {
        ssize_t n = send(c->fd, c->out + c->out_at, end - c->out_at, MSG_NOSIGNAL | MSG_DONTWAIT | more);
        if (n >= 0) {
            c->out_at += (size_t)n;
            c->written += (size_t)n;
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

bool output_write(struct connection *c) {
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
