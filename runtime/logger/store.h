/* SPDX-License-Identifier: Apache-2.0 */
/* store.h – lines on their way to the disk, in bounded memory.
 * Runs in: logger. Never blocks: one pool thread writes, one batch at a time.
 *
 *   char *p = store_reserve(s, f, room);    NULL: no room, counted
 *   store_commit(s, f, bytes);              a big buffer sets out at once
 *   store_flush(s);                         once a second: everything sets out
 *
 * A file whose disk fails keeps what it holds, tries again with every flush, takes little more and
 * counts the rest. How many records were lost then stands in that log. */
#ifndef LUTTPD_LOGGER_STORE_H
#define LUTTPD_LOGGER_STORE_H

#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

#include "logger/disk.h"
#include "logger/sites.h"

#define STORE_BIG_BYTES (64u * 1024)            /* set out without waiting for the second */
#define STORE_FILE_MAX_BYTES (4u * 1024 * 1024) /* waiting for one file */
#define STORE_FAILING_MAX_BYTES (256u * 1024)   /* waiting for a file that cannot be written */
#define STORE_TOTAL_MAX_BYTES (32u * 1024 * 1024)

struct store_buffer {
    char *p;            /* owned, NULL while empty */
    size_t n, capacity; /* bytes */
};

enum store_queue { QUEUE_NONE, QUEUE_WAITING, QUEUE_URGENT, QUEUE_BATCH };

struct log_file {
    TAILQ_ENTRY(log_file) link; /* in the list that queue names */
    enum store_queue queue;
    enum line_kind kind;
    struct store_buffer filling; /* loop only */
    struct store_buffer leaving; /* the pool thread's while queue is QUEUE_BATCH and in flight */
    size_t left;                 /* bytes of leaving that are on disk; as leaving */
    int result;                  /* of the last write; as leaving */
    struct disk_file disk_file;  /* the pool thread's */
    int error;                   /* 0, or what the last batch said: -errno */
    uint64_t lost;               /* records not yet owned up to in the log */
    int lost_error;              /* why the last of them was lost; 0: too many at once */
};

TAILQ_HEAD(log_files, log_file);

struct store {
    struct disk disk; /* the pool thread's while in_flight */
    uv_loop_t *loop;
    uv_work_t work;
    struct log_files waiting, urgent, batch;
    struct line_clock clock;
    size_t held_bytes; /* capacity of all buffers */
    unsigned failing;  /* files whose last write failed */
    bool in_flight;
    bool reopen_wanted;             /* the next batch begins by closing every file */
    bool closing_all;               /* this batch does; the pool thread's while in_flight */
    void (*on_done)(void *context); /* after each batch; may flush again */
    void *context;
};

/** directory: borrowed. open_max: files open at once, at least 1. */
void store_init(struct store *s, uv_loop_t *loop, int directory, unsigned open_max, void (*on_done)(void *),
                void *context);

/** Starts the pool thread, by running loop until it has done nothing once. */
void store_start_thread(struct store *s);

/** The file of this kind, made at first use. Lives as long as the process. NULL: out of memory. */
struct log_file *store_file(struct store *s, struct site *site, enum line_kind kind);

/** Room for one line, or NULL where there is none: then it is counted as lost. f may be NULL. */
char *store_reserve(struct store *s, struct log_file *f, size_t room);
void store_commit(struct store *s, struct log_file *f, size_t bytes);

/** Sends everything on its way. Returns true where a batch has set out; false where there is
 * nothing to do, or a batch is in flight: then on_done is the moment to ask again.
 * Never calls on_done before returning. */
bool store_flush(struct store *s);

/** With the next batch, which store_flush starts even if it is empty: closes every file, so that
 * each is opened anew. */
void store_reopen(struct store *s);

/** Whether everything is on disk but what the disk has just refused. */
bool store_is_settled(const struct store *s);

#endif
