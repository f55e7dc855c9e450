/* SPDX-License-Identifier: Apache-2.0 */
/* stream.c – slots, the pool of streams, and the content that requests bring.
 * Runs in: vhost. Distrusts: the listener. Streams are allocated once and used again; a serial
 * number tells one use from the next, so that a script may keep a name for as long as it likes. */
#include <errno.h>
#include <stdlib.h>

#include "base/must.h"
#include "vhost/exchange.h"
#include "vhost/reply.h"

static int grow_pool(struct hub *h) {
    struct stream **table = realloc(h->streams, (h->stream_count + STREAMS_GROW_BY) * sizeof *table);
    struct stream *fresh =
        calloc(STREAMS_GROW_BY, sizeof *fresh); /* never freed one by one: the pool only grows */
    if (table != NULL) {
        h->streams = table;
    }
    if (table == NULL || fresh == NULL) {
        free(fresh);
        return -ENOMEM;
    }
    for (size_t i = 0; i < STREAMS_GROW_BY; i++) {
        fresh[i].index = h->stream_count;
        fresh[i].later = h->pool;
        h->pool = &fresh[i];
        h->streams[h->stream_count++] = &fresh[i];
    }
    return 0;
}

struct stream *stream_open(struct exchange *x, uint32_t id) {
    struct hub *h = x->hub;
    if (h->pool == NULL && (h->stream_count >= STREAMS_MAX || grow_pool(h) != 0)) {
        return NULL;
    }
    struct stream *s = h->pool;
    h->pool = s->later;
    *s = (struct stream){.exchange = x, .id = id, .index = s->index, .serial = s->serial + 1};
    s->body.credit = STREAM_CREDIT_BYTES;
    s->reply.credit = STREAM_CREDIT_BYTES;
    s->reply.announced_left = LENGTH_UNKNOWN;
    s->patience = CREDIT_PATIENCE;
    x->slots[id & 0xffff] = s;
    x->live++;
    h->live++;
    deadline_touch(s);
    return s;
}

static void drop_body(struct stream *s) {
    struct hub *h = s->exchange->hub;
    if (h->spare_body == NULL) {
        h->spare_body = s->body.bytes;
    } else {
        free(s->body.bytes);
    }
    s->body.bytes = NULL;
}

void stream_close(struct stream *s) {
    struct exchange *x = s->exchange;
    struct hub *h = x->hub;
    h->events->gone(h->context, s);
    deadline_remove(s);
    stream_unblock(s);
    if (s->body.bytes != NULL) {
        drop_body(s);
    }
    reply_drop(&s->reply);
    x->slots[s->id & 0xffff] = NULL;
    x->live--;
    h->live--;
    s->exchange = NULL;
    s->later = h->pool;
    h->pool = s;
}

struct stream *stream_named(const struct hub *h, uint32_t index, uint32_t serial) {
    struct stream *s = index < h->stream_count ? h->streams[index] : NULL;
    return s != NULL && s->exchange != NULL && s->serial == serial ? s : NULL;
}

int stream_take_body(struct stream *s, struct slice data) {
    struct body *b = &s->body;
    if (!b->open || data.n > b->credit) {
        return -EBADMSG;
    }
    if (b->bytes == NULL) {
        struct hub *h = s->exchange->hub;
        b->bytes = h->spare_body != NULL ? h->spare_body : malloc(STREAM_CREDIT_BYTES);
        h->spare_body = NULL;
        if (b->bytes == NULL) {
            return -ENOMEM;
        }
    }
    /* Credit plus what is unread or ungranted never exceeds the window, so it fits. */
    MUST(b->unread + data.n <= STREAM_CREDIT_BYTES);
    if (data.n > 0) {
        memcpy(b->bytes + b->unread, data.p, data.n);
    }
    b->unread += (uint32_t)data.n;
    b->credit -= (uint32_t)data.n;
    return 0;
}

struct slice stream_unread(const struct stream *s) {
    return slice_from((const char *)s->body.bytes, s->body.unread);
}

int stream_grant(struct stream *s) {
    struct body *b = &s->body;
    struct message_credit m = {.stream = s->id, .bytes = b->granted};
    if (!b->open || b->granted < STREAM_CREDIT_BYTES / 2) {
        return 0;
    }
    int rc = message_credit_put(&s->exchange->channel.writer, &m);
    if (rc == 0) {
        b->credit += b->granted;
        b->granted = 0;
    }
    return rc;
}

void stream_consume(struct stream *s) {
    s->body.granted += s->body.unread;
    s->body.unread = 0;
    int rc = stream_grant(s);
    if (rc == -EAGAIN) {
        stream_block(s);
    } else if (rc != 0) {
        exchange_doom(s->exchange);
    }
}

void stream_block(struct stream *s) {
    struct exchange *x = s->exchange;
    if (s->blocked) {
        return;
    }
    s->blocked = true;
    s->next_blocked = NULL;
    *(x->blocked_last != NULL ? &x->blocked_last->next_blocked : &x->blocked_first) = s;
    x->blocked_last = s;
    hub_retry_soon(x->hub);
}

void stream_unblock(struct stream *s) {
    struct exchange *x = s->exchange;
    struct stream *before = NULL, *at = x->blocked_first;
    if (!s->blocked) {
        return;
    }
    while (at != s) {
        MUST(at != NULL);
        before = at;
        at = at->next_blocked;
    }
    *(before != NULL ? &before->next_blocked : &x->blocked_first) = s->next_blocked;
    if (x->blocked_last == s) {
        x->blocked_last = before;
    }
    s->blocked = false;
    s->next_blocked = NULL;
}
