/* SPDX-License-Identifier: Apache-2.0 */
/* file_send.c – content from a vhost's open file to a client, without ever waiting for a disk.
 * Runs in: listener. Distrusts: the descriptor: it may be anything, from anywhere, and change. */
#include "listener/file_send.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/must.h"
#include "listener/connection.h"

/* Closing a descriptor nobody vouches for may hang: let a thread do it, one for each vhost. */
struct doomed {
    uv_work_t work;
    struct link *link;
    int fd;
    struct doomed *next;
};

static void close_doomed(uv_work_t *work) {
    const struct doomed *d = work->data;
    (void)close(d->fd);
}

static void after_doomed(uv_work_t *work, int status);

static void start_closing(struct link *k) {
    if (k->first_doomed != NULL) {
        (void)uv_queue_work(&k->listener->loop, &k->first_doomed->work, close_doomed, after_doomed);
    }
}

static void after_doomed(uv_work_t *work, int status) {
    struct doomed *d = work->data;
    struct link *k = d->link;
    (void)status;
    k->first_doomed = d->next;
    k->doomed_count--;
    free(d);
    start_closing(k);
}

static void close_elsewhere(struct link *k, int fd) {
    struct doomed *d = malloc(sizeof *d);
    if (d == NULL) {
        return; /* a leaked descriptor is better than a loop that hangs */
    }
    *d = (struct doomed){.link = k, .fd = fd, .work.data = d};
    *(k->first_doomed != NULL ? &k->last_doomed->next : &k->first_doomed) = d;
    k->last_doomed = d;
    if (++k->doomed_count == 1) {
        start_closing(k);
    }
}

bool file_send_discard(struct link *k, struct packet *p) {
    for (size_t i = 0; i < p->fd_count; i++) {
        if (p->fds[i] >= 0) {
            close_elsewhere(k, packet_take(p, i));
        }
    }
    p->fd_count = 0;
    return k->doomed_count < FILE_DOOMED_MAX;
}

int file_send_take(struct link *k, struct file_send *f, int fd) {
    struct statx facts;
    int rc = statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &facts);
    bool good = rc == 0 && S_ISREG(facts.stx_mode) &&
                makedev(facts.stx_dev_major, facts.stx_dev_minor) == k->device && f->fd < 0 && !f->refused;
    if (!good) {
        close_elsewhere(k, fd);
        return -EBADMSG;
    }
    f->refused = file_share_take(k, f, facts.stx_ino, fd) != 0;
    f->announced = true;
    return 0;
}

void file_send_end(struct file_send *f) {
    file_share_end(f);
    f->warm_to = 0;
    f->announced = f->refused = false;
    f->active = f->full = false;
}

/* Whether the byte at offset can be had without waiting for a disk. */
static bool is_cached(int fd, uint64_t offset) {
    char byte;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    return preadv2(fd, &part, 1, (off_t)offset, RWF_NOWAIT) >= 0;
}

/* Sends up to n bytes. Returns bytes sent, 0 at the file's end, or -errno. */
static int64_t send_some(int socket, int fd, uint64_t offset, size_t n) {
    off_t at = (off_t)offset;
    ssize_t sent;
    do {
        sent = sendfile(socket, fd, &at, n);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

static size_t step_bytes(const struct file_send *f) {
    return f->left < FILE_STEP_BYTES ? (size_t)f->left : FILE_STEP_BYTES;
}

static void send_on_thread(uv_work_t *work) {
    struct file_send *f = work->data;
    f->result = send_some(f->socket, f->fd, f->offset, step_bytes(f));
}

static void start_job(struct connection *c);

static void start_next_job(struct link *k) {
    while (k->file_jobs < FILE_JOBS_PER_LINK && k->first_job != NULL) {
        struct connection *c = k->first_job;
        k->first_job = c->file.next_job;
        if (k->first_job == NULL) {
            k->last_job = NULL;
        }
        if (c->state == CONNECTION_CLOSED) { /* while it waited */
            c->file.job = false;
            connection_release(c);
        } else {
            start_job(c);
        }
    }
}

/* Lets the kernel hold as much as it likes for a client that has shown that it reads: fewer wakings. */
static void trust_speed(struct file_send *f, int socket) {
    const int as_usual = 0;
    f->swift = true;
    (void)setsockopt(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &as_usual, sizeof as_usual);
}

static enum file_progress account(struct file_send *f, int64_t sent, struct connection *c) {
    if (sent == -EAGAIN) {
        f->full = true;
        return FILE_SOCKET_FULL;
    }
    if (sent <= 0) {
        return FILE_FAILED; /* cut short by its owner, or the client is gone */
    }
    f->offset += (uint64_t)sent;
    f->left -= (uint64_t)sent;
    c->content_sent += (uint64_t)sent;
    c->written += (uint64_t)sent;
    if (!f->swift && c->content_sent >= FILE_SWIFT_BYTES) {
        trust_speed(f, c->fd);
    }
    return f->left == 0 ? FILE_SENT_ALL : FILE_MORE;
}

static void after_job(uv_work_t *work, int status) {
    struct file_send *f = work->data;
    struct connection *c = (struct connection *)(void *)((char *)f - offsetof(struct connection, file));
    struct link *k = c->link;

    f->job = false;
    k->file_jobs--;
    start_next_job(k);
    if (c->state == CONNECTION_CLOSED) {
        connection_release(c);
        return;
    }
    enum file_progress progress = status == 0 ? account(f, f->result, c) : FILE_FAILED;
    if (progress == FILE_FAILED) {
        connection_abort(c);
        return;
    }
    if (progress == FILE_SENT_ALL) {
        file_send_end(f);
    }
    c->want_write = progress == FILE_SOCKET_FULL;
    connection_advance(c);
}

static void start_job(struct connection *c) {
    struct file_send *f = &c->file;
    f->socket = c->fd;
    f->work.data = f;
    c->link->file_jobs++;
    (void)uv_queue_work(&c->listener->loop, &f->work, send_on_thread, after_job);
}

static enum file_progress send_cold(struct connection *c) {
    struct link *k = c->link;
    c->file.job = true;
    c->file.next_job = NULL;
    if (k->last_job != NULL) {
        k->last_job->file.next_job = c;
    } else {
        k->first_job = c;
    }
    k->last_job = c;
    start_next_job(k);
    return FILE_JOB_RUNS;
}

enum file_progress file_send_step(struct connection *c) {
    struct file_send *f = &c->file;
    size_t n = step_bytes(f);
    if (f->job) {
        return FILE_JOB_RUNS;
    }
    if (n == 0) {
        return FILE_SENT_ALL;
    }
    if (f->full) {
        return FILE_SOCKET_FULL; /* a thread would come back at once, again and again */
    }
    bool follows = f->warm_to > 0 && f->offset <= f->warm_to; /* on where the last step was warm */
    if ((!follows && !is_cached(f->fd, f->offset)) || !is_cached(f->fd, f->offset + n - 1)) {
        return send_cold(c);
    }
    f->warm_to = f->offset + n;
    return account(f, send_some(c->fd, f->fd, f->offset, n), c);
}

static void nothing(uv_work_t *work) {
    (void)work;
}

static void nothing_after(uv_work_t *work, int status) {
    (void)status;
    free(work);
}

void file_send_start_threads(void *loop) {
    uv_work_t *work = malloc(sizeof *work); /* the pool starts with its first work */
    MUST(work != NULL && uv_queue_work(loop, work, nothing, nothing_after) == 0);
}
