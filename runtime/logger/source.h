/* SPDX-License-Identifier: Apache-2.0 */
/* source.h – a process that sends log records. Runs in: logger.
 * Distrusts: everything in the ring. What it may say and in whose log follows from its channel. */
#ifndef LUTTPD_LOGGER_SOURCE_H
#define LUTTPD_LOGGER_SOURCE_H

#include "logger/logger.h"

/* What one vhost process may have logged in a second; beyond, its own ring fills and it drops. */
#define SOURCE_VHOST_BYTES_PER_TICK (256u * 1024)
/* Doorbells in a second that announced next to nothing: more, and the source is cut off. */
#define SOURCE_IDLE_BELLS_MAX 100
#define SOURCE_BELL_BYTES_MIN 4096

struct source {
    TAILQ_ENTRY(source) link;
    struct logger *logger; /* borrowed */
    enum peer peer;
    uint64_t id;         /* of the listener or vhost */
    uint64_t generation; /* likewise */
    struct site *site;   /* where its errors go; borrowed */
    char speaker[40];    /* put before its lines in the server's log; empty for a vhost */
    struct channel channel;
    uv_poll_t poll;
    uint64_t covered;    /* ring index up to which all lines are in the batch in flight, or older */
    uint64_t released;   /* ring index that the producer was told last */
    uint32_t tick_bytes; /* read since the last tick */
    uint32_t idle_bells; /* since the last tick */
};

/** Starts to listen to the peer that m names. socket: taken in every outcome. What cannot be done
 * is reported. */
void source_open(struct logger *l, const struct message_channel *m, int socket);

/** Reads what lies in the ring, at most one ring full, and opens the next second's allowance.
 * A source that breaks a rule is closed: s may be gone. */
void source_tick(struct source *s);

/** Tells the producer that what lies before index may be overwritten. index: at most what was read;
 * where more has been released already nothing happens. */
void source_release(struct source *s, uint64_t index);

#endif
