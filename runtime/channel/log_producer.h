/* SPDX-License-Identifier: Apache-2.0 */
/* log_producer.h – how a process gets its log records to the logger.
 * Runs in: router, listener, vhost. Distrusts: the logger, which can scribble over the ring.
 * Nothing here blocks; nothing allocates per record. A record that finds no room is counted, and
 * the count travels before the next one that does.
 *
 * Before the first logger has come, and after one has died, records wait in the ring at hand
 * (at first a private one); they are moved when the next logger's ring arrives.
 *
 *   on CHANNEL with peer logger:  stop polling log_producer_socket (if any);
 *                                 log_producer_take(p, fd); poll log_producer_socket for reading
 *   on readable:                  if (log_producer_receive(p) < 0) stop polling, log_producer_hang_up
 *   at the end of a loop turn:    log_producer_flush(p)
 */
#ifndef LUTTPD_CHANNEL_LOG_PRODUCER_H
#define LUTTPD_CHANNEL_LOG_PRODUCER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "channel/channel.h"
#include "schema/messages.h"

struct log_producer {
    enum channel_kind kind;
    struct ring_writer *writer; /* where records go now: the private ring's or current's */
    struct ring_writer private_ring;
    void *private_memory;      /* owned mapping of the private ring, NULL once it was moved */
    struct channel current;    /* the logger's ring in use, its socket -1 once hung up */
    struct channel next;       /* a channel whose ring has not come yet; socket -1: none */
    uint64_t dropped;          /* records not yet told to the logger */
    uint64_t since_bell_bytes; /* committed since the doorbell was last rung */
    bool broken;               /* the logger broke a rule: only counts until the next one comes */
    bool broken_told;          /* flush has said so */
};

/** Maps the private ring. kind: CHANNEL_ACCESS_LOG for a listener, else CHANNEL_LOG. Call before the
 * cage closes. Returns 0 or -errno. */
int log_producer_init(struct log_producer *p, enum channel_kind kind);

/** Unmaps and closes everything. Records still here are lost. */
void log_producer_deinit(struct log_producer *p);

/** Takes one end of a log channel, in every outcome. Whatever channel was held before no longer
 * has a socket: stop polling it before the call. */
void log_producer_take(struct log_producer *p, int socket);

/** The socket to poll for reading, or -1. Changes only by take and hang_up. */
int log_producer_socket(const struct log_producer *p);

/** Call while the socket is readable, once per event. Takes the ring and moves waiting records.
 * Returns 0; -EPIPE where the logger is gone, -EBADMSG where it broke a rule, else -errno:
 * stop polling, then call log_producer_hang_up. */
int log_producer_receive(struct log_producer *p);

/** Closes the socket after an error; waiting records stay. Safe to call twice. */
void log_producer_hang_up(struct log_producer *p);

/** Writes one access record (listener only: the logger refuses it from others). m: borrowed;
 * text above its maximum is cut. */
void log_producer_access(struct log_producer *p, const struct message_log_access *m);

/** Writes one line, or several parted by newlines, for an error log, stamped with the time now.
 * text: borrowed; cut above MESSAGE_LOG_ERROR_TEXT_MAX bytes. */
void log_producer_error(struct log_producer *p, enum level level, struct slice text);

/** Lets the logger see what was written, and rings it once an eighth of a ring was written since
 * it was rung last; it looks by itself once a second. Cheap: one store where nothing is to be done.
 * Returns 0; -EBADMSG, once, where the logger broke a rule: stop polling, then
 * log_producer_hang_up. Records are only counted from then on, until the next logger's ring comes. */
int log_producer_flush(struct log_producer *p);

#endif
