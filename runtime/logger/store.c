/* SPDX-License-Identifier: Apache-2.0 */
/* store.c – lines on their way to the disk, in bounded memory.
 * Runs in: logger.
 *
 * Each file has two buffers: one that fills while the other is being written. A batch is a list of
 * files whose leaving buffers belong to the pool thread until it comes back. There is one pool
 * thread and one batch, so nothing is locked, and a disk that hangs costs memory up to the bounds
 * and nothing else. */
#include "logger/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/report.h"

#define FIRST_CAPACITY (8u * 1024)

void store_init(struct store *s, uv_loop_t *loop, int directory, unsigned open_max, void (*on_done)(void *),
                void *context) {
    *s = (struct store){.loop = loop, .on_done = on_done, .context = context};
    disk_init(&s->disk, directory, open_max);
    TAILQ_INIT(&s->waiting);
    TAILQ_INIT(&s->urgent);
    TAILQ_INIT(&s->batch);
    line_clock_init(&s->clock);
}

static void do_nothing(uv_work_t *work) {
    (void)work;
}

void store_start_thread(struct store *s) {
    MUST(setenv("UV_THREADPOOL_SIZE", "1", 1) == 0);
    MUST(uv_queue_work(s->loop, &s->work, do_nothing, NULL) == 0);
    (void)uv_run(s->loop, UV_RUN_DEFAULT);
}

struct log_file *store_file(struct store *s, struct site *site, enum line_kind kind) {
    static const char *const names[LINE_KINDS] = {"access.log", "access.json", "error.log"};
    (void)s;
    if (site->files[kind] != NULL) {
        return site->files[kind];
    }
    struct log_file *f = calloc(1, sizeof *f);
    if (f == NULL) {
        return NULL;
    }
    f->kind = kind;
    f->disk_file.fd = -1;
    f->disk_file.size_max = kind == LINE_ERROR && site->vhost != 0 ? DISK_ERROR_LOG_MAX_BYTES : 0;
    int n = snprintf(f->disk_file.path, sizeof f->disk_file.path, "%.*s/%s", (int)site->name.n, site->name.p,
                     names[kind]);
    MUST(n > 0 && (size_t)n < sizeof f->disk_file.path);
    site->files[kind] = f;
    return f;
}

static struct log_files *list_of(struct store *s, enum store_queue queue) {
    return queue == QUEUE_WAITING ? &s->waiting : queue == QUEUE_URGENT ? &s->urgent : &s->batch;
}

static void enqueue(struct store *s, struct log_file *f, enum store_queue queue) {
    if (f->queue == queue) {
        return;
    }
    if (f->queue != QUEUE_NONE) {
        TAILQ_REMOVE(list_of(s, f->queue), f, link);
    }
    f->queue = queue;
    if (queue != QUEUE_NONE) {
        TAILQ_INSERT_TAIL(list_of(s, queue), f, link);
    }
}

static size_t file_max(const struct log_file *f) {
    return f->error != 0 ? STORE_FAILING_MAX_BYTES : STORE_FILE_MAX_BYTES;
}

/* Makes room for that many more bytes. max: of the file and, where limited, of all. */
static bool grow(struct store *s, struct store_buffer *b, size_t room, size_t max, bool limited) {
    size_t need = b->n + room;
    if (need <= b->capacity) {
        return true;
    }
    size_t capacity = b->capacity != 0 ? b->capacity : FIRST_CAPACITY;
    while (capacity < need) {
        capacity *= 2;
    }
    if (limited && (capacity > max || s->held_bytes + capacity - b->capacity > STORE_TOTAL_MAX_BYTES)) {
        return false;
    }
    char *p = realloc(b->p, capacity);
    if (p == NULL) {
        return false;
    }
    s->held_bytes += capacity - b->capacity;
    b->p = p;
    b->capacity = capacity;
    return true;
}

static void empty(struct store *s, struct store_buffer *b) {
    s->held_bytes -= b->capacity;
    free(b->p);
    *b = (struct store_buffer){0};
}

char *store_reserve(struct store *s, struct log_file *f, size_t room) {
    if (f == NULL) {
        return NULL;
    }
    if (!grow(s, &f->filling, room, file_max(f), true)) {
        f->lost++;
        f->lost_error = f->error;
        if (f->queue == QUEUE_NONE) {
            enqueue(s, f, QUEUE_WAITING); /* the next batch owns up to it */
        }
        return NULL;
    }
    return f->filling.p + f->filling.n;
}

/* Where a file belongs that holds something and is in no batch. */
static enum store_queue rightful_queue(const struct log_file *f) {
    return f->error == 0 && f->filling.n >= STORE_BIG_BYTES ? QUEUE_URGENT : QUEUE_WAITING;
}

static void do_batch(uv_work_t *work) {
    struct store *s = work->data;
    struct log_file *f;
    if (s->closing_all) {
        disk_close_all(&s->disk);
    }
    TAILQ_FOREACH(f, &s->batch, link) {
        size_t done;
        int torn = f->left != 0 && f->leaving.p[f->left - 1] != '\n';
        f->result =
            disk_append(&s->disk, &f->disk_file, f->leaving.p + f->left, f->leaving.n - f->left, torn, &done);
        f->left += done;
    }
}

/* Owns up to what was lost, in the log itself, whatever the limits say. */
static void confess(struct store *s, struct log_file *f) {
    if (f->lost == 0 || f->error != 0 || !grow(s, &f->filling, LINE_LOST_ROOM, 0, false)) {
        return;
    }
    const char *reason = f->lost_error != 0 ? strerror(-f->lost_error) : "more came than the disk could take";
    f->filling.n +=
        line_lost(&s->clock, f->kind, f->filling.p + f->filling.n, clock_realtime_us(), f->lost, reason);
    f->lost = 0;
}

/* A log at its largest is no failing disk, but its owner's doing. */
static bool is_failing(int error) {
    return error != 0 && error != -EFBIG;
}

/* Says once that logs fail, and once that all are well again, however many there are. */
static void note_result(struct store *s, struct log_file *f) {
    const char *path = f->disk_file.path;
    bool failed = is_failing(f->error), fails = is_failing(f->result);
    if (fails && !failed && s->failing++ == 0) {
        report(REPORT_ERROR, "cannot write %s: %s; what does not fit memory is counted and dropped", path,
               strerror(-f->result));
    }
    if (failed && !fails && --s->failing == 0) {
        report(REPORT_INFO, "all logs can be written again, %s last", path);
    }
    if (f->result == -EFBIG && f->error != -EFBIG) {
        report(REPORT_WARNING, "%s is as large as it may be: nothing is added until it is moved away", path);
    }
    f->error = f->result;
}

static void finish_file(struct store *s, struct log_file *f) {
    note_result(s, f);
    f->lost += f->disk_file.lost_lines;
    f->disk_file.lost_lines = 0;
    if (f->left == f->leaving.n) {
        empty(s, &f->leaving);
        f->left = 0;
    }
    confess(s, f);
    enqueue(s, f, f->leaving.n != 0 || f->filling.n != 0 ? rightful_queue(f) : QUEUE_NONE);
}

static void set_out(struct store *s, bool all);

static void on_batch_done(uv_work_t *work, int status) {
    struct store *s = work->data;
    struct log_file *f;
    (void)status;
    s->in_flight = false;
    while ((f = TAILQ_FIRST(&s->batch)) != NULL) {
        finish_file(s, f);
    }
    s->on_done(s->context);
    set_out(s, false);
}

static void board(struct store *s, struct log_file *f) {
    if (f->leaving.n == 0) {
        f->leaving = f->filling;
        f->filling = (struct store_buffer){0};
    }
    enqueue(s, f, QUEUE_BATCH);
}

/* Starts a batch of what is urgent, or of everything. */
static void set_out(struct store *s, bool all) {
    struct log_file *f;
    if (s->in_flight) {
        return;
    }
    while ((f = TAILQ_FIRST(&s->urgent)) != NULL) {
        board(s, f);
    }
    while (all && (f = TAILQ_FIRST(&s->waiting)) != NULL) {
        board(s, f);
    }
    if (TAILQ_EMPTY(&s->batch) && !s->reopen_wanted) {
        return;
    }
    s->closing_all = s->reopen_wanted;
    s->reopen_wanted = false;
    s->in_flight = true;
    s->work.data = s;
    MUST(uv_queue_work(s->loop, &s->work, do_batch, on_batch_done) == 0);
}

void store_commit(struct store *s, struct log_file *f, size_t bytes) {
    MUST(f->filling.n + bytes <= f->filling.capacity);
    f->filling.n += bytes;
    if (f->queue == QUEUE_BATCH) {
        return;
    }
    enqueue(s, f, rightful_queue(f));
    if (f->queue == QUEUE_URGENT) {
        set_out(s, false);
    }
}

bool store_flush(struct store *s) {
    if (s->in_flight) {
        return false;
    }
    set_out(s, true);
    return s->in_flight;
}

void store_reopen(struct store *s) {
    s->reopen_wanted = true;
}

bool store_is_settled(const struct store *s) {
    const struct log_file *f;
    if (s->in_flight || !TAILQ_EMPTY(&s->urgent)) {
        return false;
    }
    TAILQ_FOREACH(f, &s->waiting, link)
    if (f->error == 0) {
        return false;
    }
    return true;
}
