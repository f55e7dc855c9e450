/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h – one exchange: a request and its answer, on one channel.
 * Runs in: vhost. Distrusts: the listener; what it may say is checked in exchange.c. */
#ifndef LUTTPD_VHOST_STREAM_H
#define LUTTPD_VHOST_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "vhost/open_cache.h"

#define STREAMS_MAX 16384  /* open streams of this process; more are refused */
#define STREAMS_GROW_BY 16 /* streams that are allocated together */
#define CREDIT_PATIENCE 5  /* deadlines more that a stream gets where only credit is missing */

struct exchange;
struct hub;

enum reply_stage {
    REPLY_NONE,    /* nothing sent */
    REPLY_HEAD,    /* the head waits for room, in head_frame */
    REPLY_CONTENT, /* head sent; content may follow */
    REPLY_RESET,   /* a RESET waits for room */
    REPLY_DONE,    /* END or RESET sent */
};

/** What the vhost says on a stream. See reply.h. */
struct reply {
    enum reply_stage stage;
    bool waiting;            /* for room or credit: `writable` will come */
    bool bodiless;           /* HEAD, 204, 304: content is counted, not sent */
    bool finishing;          /* END follows the content at hand */
    bool descriptor_sent;    /* FILE_DESCRIPTOR went, its FILE did not */
    uint8_t reason;          /* of the RESET */
    uint32_t credit;         /* bytes of BODY the listener will take */
    uint64_t announced_left; /* of the announced length; LENGTH_UNKNOWN */
    uint8_t *head_frame;     /* owned: an encoded HEAD that waits for room */
    size_t head_bytes;
    struct slice memory;    /* content to send next: borrowed from the site, or in owned */
    void *owned;            /* freed when memory has been sent */
    struct open_file *file; /* then this, a reference */
    uint64_t file_offset, file_left;
};

/** What the listener says on a stream: content that nobody has read yet. */
struct body {
    bool open;        /* BODY and END may still come */
    uint32_t credit;  /* bytes the listener may still send */
    uint32_t granted; /* read by the site, not yet granted back */
    uint32_t unread;  /* bytes at the beginning of bytes */
    uint8_t *bytes;   /* owned, STREAM_CREDIT_BYTES; NULL until needed */
};

struct stream {
    struct exchange *exchange; /* NULL while the struct is in the pool */
    uint32_t id;               /* the listener's */
    uint64_t request;          /* its name in logs and on pages */
    uint32_t index;            /* in the hub's pool; with serial it names the stream for scripts */
    uint32_t serial;
    struct body body;
    struct reply reply;
    uint64_t deadline_ms;
    uint32_t patience;             /* deadlines that may pass while the client does not read */
    struct stream *sooner, *later; /* by deadline */
    struct stream *next_blocked;   /* in the exchange's queue for room */
    bool blocked;
    void *site; /* the site's own */
};

/** Gives the stream its slot. Returns NULL where STREAMS_MAX are open or memory has run out. */
struct stream *stream_open(struct exchange *x, uint32_t id);

/** Tells the site, then frees the slot and the struct. */
void stream_close(struct stream *s);

/** The stream with this name, or NULL where it is over. */
struct stream *stream_named(const struct hub *h, uint32_t index, uint32_t serial);

/** Keeps content that came. Returns 0, -EBADMSG where it exceeds the credit, -ENOMEM. */
int stream_take_body(struct stream *s, struct slice data);

/** Content that nobody has read; n = 0 where there is none now. Valid until it is consumed. */
struct slice stream_unread(const struct stream *s);

/** Everything unread has been read: grants credit as the window allows. */
void stream_consume(struct stream *s);

/** Grants the credit that is due. Returns 0, or -EAGAIN where the ring has no room: block. */
int stream_grant(struct stream *s);

/** Queues the stream until the ring has room; takes it out of that queue. Both may be repeated. */
void stream_block(struct stream *s);
void stream_unblock(struct stream *s);

/* deadline.c */

/** The stream made progress: its deadline begins anew. */
void deadline_touch(struct stream *s);
void deadline_remove(struct stream *s);

#endif
