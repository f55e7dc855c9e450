/* SPDX-License-Identifier: Apache-2.0 */
/* logger.h – the process that writes the logs. Runs in: logger.
 *
 *   master                       trusted: the log directory, the route map, channels, STOP, REOPEN
 *   listener, router, vhost      hostile: one ring each; who it is was stamped on the channel
 *
 * Once a second every ring is read and every line set out for the disk, by one thread (store.h).
 * Only when they are on disk is the room in the rings given back: what a killed logger had read and
 * not written is still there for the next one. Where a producer writes more than half a ring in
 * between, room comes first, and a kill can cost the lines of that second. */
#ifndef LUTTPD_LOGGER_LOGGER_H
#define LUTTPD_LOGGER_LOGGER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "channel/channel.h"
#include "logger/store.h"
#include "process/process.h"
#include "schema/messages.h"

struct source;

struct logger {
    const struct process *process; /* borrowed */
    int directory;                 /* owned: the log directory */
    enum log_format format;
    struct sites sites;
    struct store store;
    struct line_clock clock;
    uv_loop_t loop;
    uv_poll_t control;
    uv_timer_t tick, deadline;
    TAILQ_HEAD(source_list, source) sources;
    bool stopping;     /* exit when the last producer has gone and all is written */
    bool hurrying;     /* the deadline is near: do not wait for producers */
    bool covering;     /* the batch in flight holds everything read up to each source's covered */
    bool flush_wanted; /* write everything when the batch in flight is back */
    _Alignas(8) uint8_t scratch[RECORD_PAYLOAD_MAX]; /* the record at hand */
};

/** Step 3. start: the START_LOGGER packet; its descriptors are taken. process: borrowed.
 * Returns the logger, or ends the process. */
struct logger *logger_prepare(const struct process *process, struct packet *start);

/** For process_close_cage. context: the logger. */
void logger_start_threads(void *context);

/** Tells the logger that a source has just left its list. */
void logger_source_gone(struct logger *l);

/** Step 6. Returns the exit status. */
int logger_serve(struct logger *l);

#endif
