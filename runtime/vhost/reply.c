/* SPDX-License-Identifier: Apache-2.0 */
/* reply.c – what a vhost says on a stream: a head, content, the end.
 * Runs in: vhost. One function, advance(), sends as much as room and credit allow, in order: head,
 * memory, file, END. It is called when something is added, when credit comes, and when the ring
 * may have room. A stream that lacks room stands in its channel's queue; one that lacks credit
 * stands nowhere, since CREDIT names it.
 */
#include "vhost/reply.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/must.h"

#define BODY_HEADER_BYTES 6 /* u32 stream, u16 length: as message_body_encode writes them */
#define NO_CREDIT 1         /* from the steps below: wait for CREDIT */

void reply_drop(struct reply *r) {
    free(r->head_frame);
    free(r->owned);
    open_file_release(r->file);
    r->head_frame = NULL;
    r->owned = NULL;
    r->file = NULL;
    r->memory.n = 0;
}

/* Room for one BODY of at most *n bytes, cut to credit and record. Returns 0, -EAGAIN, -EBADMSG. */
static int reserve_body(struct stream *s, size_t *n, uint8_t **at) {
    if (s->reply.credit == 0) {
        return NO_CREDIT;
    }
    *n = *n < s->reply.credit ? *n : s->reply.credit;
    *n = *n < MESSAGE_BODY_DATA_MAX ? *n : MESSAGE_BODY_DATA_MAX;
    *at = ring_reserve(&s->exchange->channel.writer, (uint32_t)(BODY_HEADER_BYTES + *n));
    return *at != NULL ? 0 : -errno;
}

static void commit_body(struct stream *s, uint8_t *at, size_t n) {
    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(s->id >> (8 * i));
    }
    at[4] = (uint8_t)n;
    at[5] = (uint8_t)(n >> 8);
    ring_commit(&s->exchange->channel.writer, MESSAGE_BODY, (uint32_t)(BODY_HEADER_BYTES + n));
    s->reply.credit -= (uint32_t)n;
}

static int send_head(struct stream *s) {
    struct reply *r = &s->reply;
    void *at = ring_reserve(&s->exchange->channel.writer, (uint32_t)r->head_bytes);
    if (at == NULL) {
        return -errno;
    }
    memcpy(at, r->head_frame, r->head_bytes);
    ring_commit(&s->exchange->channel.writer, MESSAGE_HEAD, (uint32_t)r->head_bytes);
    free(r->head_frame);
    r->head_frame = NULL;
    r->stage = REPLY_CONTENT;
    return 0;
}

static int send_memory(struct stream *s) {
    struct reply *r = &s->reply;
    while (r->memory.n > 0) {
        size_t n = r->memory.n;
        uint8_t *at;
        int rc = reserve_body(s, &n, &at);
        if (rc != 0) {
            return rc;
        }
        memcpy(at + BODY_HEADER_BYTES, r->memory.p, n);
        commit_body(s, at, n);
        r->memory.p += n;
        r->memory.n -= n;
    }
    free(r->owned);
    r->owned = NULL;
    return 0;
}

/* Reads straight into the ring. A file that has shrunk since its head was sent cannot be mended. */
static int send_small_file(struct stream *s) {
    struct reply *r = &s->reply;
    while (r->file_left > 0) {
        size_t n = r->file_left < MESSAGE_BODY_DATA_MAX ? (size_t)r->file_left : MESSAGE_BODY_DATA_MAX;
        uint8_t *at;
        int rc = reserve_body(s, &n, &at);
        if (rc != 0) {
            return rc;
        }
        ssize_t got = pread(r->file->fd, at + BODY_HEADER_BYTES, n, (off_t)r->file_offset);
        if (got <= 0) {
            return -EIO;
        }
        commit_body(s, at, (size_t)got);
        r->file_offset += (uint64_t)got;
        r->file_left -= (uint64_t)got;
    }
    return 0;
}

/* The descriptor goes first, so that it has arrived when the listener reads FILE. */
static int send_large_file(struct stream *s) {
    struct reply *r = &s->reply;
    const struct message_file_descriptor d = {.stream = s->id};
    const struct message_file m = {.stream = s->id, .offset = 0, .length = r->file_left};
    if (!r->descriptor_sent) {
        int rc = message_file_descriptor_send(s->exchange->channel.socket, &d, &r->file->fd);
        if (rc != 0) {
            return rc == -ETOOMANYREFS || rc == -ENOBUFS ? -EAGAIN : rc;
        }
        r->descriptor_sent = true;
    }
    int rc = message_file_put(&s->exchange->channel.writer, &m);
    if (rc == 0) {
        r->file_left = 0;
    }
    return rc;
}

static int send_file(struct stream *s) {
    struct reply *r = &s->reply;
    if (r->file == NULL) {
        return 0;
    }
    int rc = r->file->size <= REPLY_SMALL_BYTES ? send_small_file(s) : send_large_file(s);
    if (rc == 0) {
        open_file_release(r->file);
        r->file = NULL;
    }
    return rc;
}

static int send_end(struct stream *s) {
    const struct message_end m = {.stream = s->id};
    if (!s->reply.finishing) {
        return 0;
    }
    int rc = message_end_put(&s->exchange->channel.writer, &m);
    if (rc == 0) {
        s->reply.stage = REPLY_DONE;
    }
    return rc;
}

static int send_reset(struct stream *s) {
    const struct message_reset m = {.stream = s->id, .reason = (enum reason)s->reply.reason};
    int rc = message_reset_put(&s->exchange->channel.writer, &m);
    if (rc == 0) {
        s->reply.stage = REPLY_DONE;
    }
    return rc;
}

static int advance_content(struct stream *s) {
    int rc = send_memory(s);
    if (rc == 0) {
        rc = send_file(s);
    }
    return rc == 0 ? send_end(s) : rc;
}

/* Sends what can be sent. Returns 0 where nothing waits any more, NO_CREDIT, or -EAGAIN; other
 * failures have been dealt with. */
static int advance(struct stream *s) {
    int rc = 0;
    if (s->reply.stage == REPLY_HEAD) {
        rc = send_head(s);
    }
    if (rc == 0 && s->reply.stage == REPLY_CONTENT) {
        rc = advance_content(s);
    }
    if (rc == -EIO) {
        if (s->reply.file != NULL) {
            open_cache_forget(s->reply.file);
        }
        s->reply.reason = REASON_INTERNAL;
        s->reply.stage = REPLY_RESET;
        reply_drop(&s->reply);
        rc = 0;
    }
    if (rc == 0 && s->reply.stage == REPLY_RESET) {
        rc = send_reset(s);
    }
    if (rc == -EAGAIN) {
        stream_block(s);
    } else if (rc < 0) {
        exchange_doom(s->exchange);
        rc = -EAGAIN; /* nobody will hear it; the stream ends with its channel */
    }
    return rc;
}

static void close_if_done(struct stream *s) {
    if (s->reply.stage == REPLY_DONE) {
        stream_close(s);
    }
}

/* After something was added: remembers whether `writable` is owed. */
static int advance_and_wait(struct stream *s) {
    int rc = advance(s);
    s->reply.waiting = rc != 0;
    hub_activate(s->exchange);
    return rc != 0 ? -EAGAIN : 0;
}

void reply_continue(struct stream *s) {
    struct hub *h = s->exchange->hub;
    int rc = stream_grant(s);
    if (rc == 0) {
        rc = s->reply.stage != REPLY_NONE ? advance(s) : 0;
    } else if (rc != -EAGAIN) {
        exchange_doom(s->exchange);
    }
    if (rc == -EAGAIN || s->exchange->dead) {
        return;
    }
    stream_unblock(s);
    if (rc == 0 && s->reply.stage == REPLY_DONE) {
        stream_close(s);
    } else if (rc == 0 && s->reply.waiting) {
        s->reply.waiting = false;
        h->events->writable(h->context, s);
    }
}

/* Keeps an encoded head until there is room. */
static int keep_head(struct stream *s, const struct message_head *head) {
    size_t n = message_head_size(head);
    uint8_t *frame = malloc(n);
    if (frame == NULL) {
        return -ENOMEM;
    }
    if (message_head_encode(head, frame, n) != n) {
        free(frame);
        return -EMSGSIZE;
    }
    s->reply.head_frame = frame;
    s->reply.head_bytes = n;
    s->reply.stage = REPLY_HEAD;
    s->reply.waiting = true;
    stream_block(s);
    return 0;
}

int reply_head(struct stream *s, struct message_head *head, bool bodiless) {
    struct reply *r = &s->reply;
    MUST(r->stage == REPLY_NONE);
    head->stream = s->id;
    int rc = message_head_put(&s->exchange->channel.writer, head);
    if (rc == -EAGAIN) {
        rc = keep_head(s, head);
    } else if (rc == 0) {
        r->stage = REPLY_CONTENT;
    } else if (rc == -EBADMSG) {
        exchange_doom(s->exchange);
    }
    if (rc == 0) {
        r->bodiless = bodiless;
        r->announced_left = head->content_length;
        deadline_touch(s);
        hub_activate(s->exchange);
    }
    return rc;
}

/* Counts content against what the head announced. */
static int count_content(struct reply *r, uint64_t n) {
    if (r->announced_left == LENGTH_UNKNOWN) {
        return 0;
    }
    if (n > r->announced_left) {
        return -EMSGSIZE;
    }
    r->announced_left -= n;
    return 0;
}

int reply_write(struct stream *s, struct slice data) {
    struct reply *r = &s->reply;
    MUST(r->stage == REPLY_HEAD || r->stage == REPLY_CONTENT);
    MUST(r->memory.n == 0 && r->file == NULL && !r->finishing);
    if (count_content(r, data.n) != 0) {
        return -EMSGSIZE;
    }
    deadline_touch(s);
    if (r->bodiless) {
        return 0;
    }
    r->memory = data;
    return advance_and_wait(s);
}

void reply_write_copy(struct stream *s, struct slice data) {
    struct reply *r = &s->reply;
    if (reply_write(s, data) != -EAGAIN || r->memory.n == 0) {
        return;
    }
    r->owned = malloc(r->memory.n);
    if (r->owned == NULL) {
        r->memory.n = 0;
        r->announced_left = 1; /* so that reply_finish resets */
        return;
    }
    memcpy(r->owned, r->memory.p, r->memory.n);
    r->memory.p = r->owned;
}

void reply_file(struct stream *s, struct open_file *file) {
    struct reply *r = &s->reply;
    MUST(r->memory.n == 0 && r->file == NULL && !r->finishing);
    if (r->bodiless || file->size == 0) {
        open_file_release(file);
        return;
    }
    (void)count_content(r, file->size);
    r->file = file;
    r->file_offset = 0;
    r->file_left = file->size;
    (void)advance_and_wait(s);
}

void reply_finish(struct stream *s) {
    struct reply *r = &s->reply;
    bool complete = r->bodiless || r->announced_left == 0 || r->announced_left == LENGTH_UNKNOWN;
    if (!complete) {
        reply_reset(s, REASON_INTERNAL);
        return;
    }
    r->finishing = true;
    (void)advance_and_wait(s);
    close_if_done(s);
}

void reply_reset(struct stream *s, enum reason reason) {
    struct reply *r = &s->reply;
    if (r->stage == REPLY_DONE) {
        return;
    }
    reply_drop(r);
    r->stage = REPLY_RESET;
    r->reason = (uint8_t)reason;
    (void)advance_and_wait(s);
    close_if_done(s);
}
