/* SPDX-License-Identifier: Apache-2.0 */
/* reply.h – what a vhost says on a stream: a head, content, the end.
 * Runs in: vhost. Nothing blocks. Whatever finds no room or credit waits in the stream and goes
 * later; the site hears `writable` once all of it went.
 *
 *   reply_head(s, &head);  reply_write(s, bytes) ...  reply_finish(s);     or reply_reset(s, reason)
 */
#ifndef LUTTPD_VHOST_REPLY_H
#define LUTTPD_VHOST_REPLY_H

#include "vhost/exchange.h"

/** Sends the head. bodiless: the answer has no content whatever follows (HEAD, 204, 304).
 * head: borrowed; its stream is filled in. Once per stream.
 * Returns 0, -EMSGSIZE where fields break a maximum (nothing sent), -ENOMEM, -EBADMSG. */
int reply_head(struct stream *s, struct message_head *head, bool bodiless);

/** Sends content after the head. data: borrowed until `writable` comes where this returns -EAGAIN;
 * copied otherwise. One write at a time.
 * Returns 0, -EAGAIN (the rest waits), -EMSGSIZE (more than the head announced; nothing taken). */
int reply_write(struct stream *s, struct slice data);

/** As reply_write, but what has to wait is copied: never -EAGAIN. -ENOMEM resets the stream. */
void reply_write_copy(struct stream *s, struct slice data);

/** Sends a whole file after the head, whose announced length is its size. Takes the reference.
 * Up to REPLY_SMALL_BYTES travel in the ring; of a larger file the descriptor does. (Measured per
 * request of the whole server: 12 KiB 16 us by ring, 19 by descriptor; 16 KiB 23 and 20.) */
#define REPLY_SMALL_BYTES 12288
void reply_file(struct stream *s, struct open_file *file);

/** No more content comes: END follows what waits. A reply shorter than announced is reset. */
void reply_finish(struct stream *s);

/** Ends the stream unfinished, dropping what waits. */
void reply_reset(struct stream *s, enum reason reason);

/** Continues what waits. Called where room or credit has come. */
void reply_continue(struct stream *s);

/** Whether a head was sent, or waits to be. */
static inline bool reply_begun(const struct stream *s) {
    return s->reply.stage != REPLY_NONE;
}

/** Frees what the reply holds. */
void reply_drop(struct reply *r);

#endif
