/* SPDX-License-Identifier: Apache-2.0 */
/* disk.c – log files on disk: opened when needed, appended to, closed when too many are open.
 * Runs in: logger, on its one pool thread. Distrusts: what stands in the log directory.
 *
 * A line that was cut short, because the disk filled up or the process was killed in the middle, is
 * ended when the file is opened again, so that it never runs into the next one. */
#include "logger/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOG_MODE 0640 /* the directory's group is the owner's: it reads and never writes */

void disk_init(struct disk *d, int directory, unsigned open_max) {
    *d = (struct disk){.directory = directory, .open_max = open_max};
    TAILQ_INIT(&d->open);
}

static void close_file(struct disk *d, struct disk_file *f) {
    TAILQ_REMOVE(&d->open, f, order);
    d->open_count--;
    (void)close(f->fd);
    f->fd = -1;
}

void disk_close_all(struct disk *d) {
    while (!TAILQ_EMPTY(&d->open)) {
        close_file(d, TAILQ_FIRST(&d->open));
    }
}

static int open_beneath(int directory, const char *path) {
    struct open_how how = {
        /* readable, to see how the last line ends; non-blocking, in case it is not a file */
        .flags = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
        .mode = LOG_MODE,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, directory, path, &how, sizeof how);
    return fd < 0 ? -errno : (int)fd;
}

/* Whether fd is a plain file with one name, readable by the owner's group. */
static int check_file(int fd, uint64_t *size) {
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return -errno;
    }
    if (!S_ISREG(st.st_mode)) {
        return -ELOOP;
    }
    if (st.st_nlink > 1) {
        return -EMLINK;
    }
    if ((st.st_mode & 07777) != LOG_MODE && fchmod(fd, LOG_MODE) != 0) {
        return -errno;
    }
    *size = (uint64_t)st.st_size;
    return 0;
}

static int end_last_line(int fd, uint64_t *size) {
    char last;
    if (*size == 0) {
        return 0;
    }
    if (lseek(fd, -1, SEEK_END) < 0) {
        return -errno;
    }
    ssize_t n = read(fd, &last, 1);
    if (n < 0) {
        return -errno;
    }
    if (n == 0 || last == '\n') {
        return 0;
    }
    if (write(fd, "\n", 1) != 1) {
        return -errno;
    }
    (*size)++;
    return 0;
}

static int open_file(struct disk *d, struct disk_file *f) {
    while (d->open_count >= d->open_max) {
        close_file(d, TAILQ_FIRST(&d->open));
    }
    int fd = open_beneath(d->directory, f->path);
    while (fd == -EMFILE && d->open_count > 0) {
        close_file(d, TAILQ_FIRST(&d->open));
        fd = open_beneath(d->directory, f->path);
    }
    if (fd < 0) {
        return fd;
    }
    int rc = check_file(fd, &f->size);
    if (rc == 0) {
        rc = end_last_line(fd, &f->size);
    }
    if (rc < 0) {
        (void)close(fd);
        return rc;
    }
    f->fd = fd;
    d->open_count++;
    TAILQ_INSERT_TAIL(&d->open, f, order);
    return 0;
}

/* Closes an open file that has been deleted: what went there would reach nobody. */
static void look_again(struct disk *d, struct disk_file *f) {
    struct stat st;
    if (f->fd < 0) {
        return;
    }
    if (fstat(f->fd, &st) != 0 || st.st_nlink == 0) {
        close_file(d, f);
        return;
    }
    f->size = (uint64_t)st.st_size;
    TAILQ_REMOVE(&d->open, f, order);
    TAILQ_INSERT_TAIL(&d->open, f, order);
}

static int write_all(struct disk_file *f, const char *text, size_t n, size_t *written) {
    while (*written < n) {
        if (f->size_max != 0 && f->size >= f->size_max) {
            return -EFBIG;
        }
        ssize_t done = write(f->fd, text + *written, n - *written);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            return -errno;
        }
        *written += (size_t)done;
        f->size += (uint64_t)done;
    }
    return 0;
}

/* The text begins inside a line whose beginning is in another file: gives that line up. */
static size_t skip_torn_line(struct disk_file *f, const char *text, size_t n) {
    const char *end = memchr(text, '\n', n);
    f->lost_lines++;
    return end != NULL ? (size_t)(end - text) + 1 : n;
}

int disk_append(struct disk *d, struct disk_file *f, const char *text, size_t n, int torn, size_t *written) {
    *written = 0;
    look_again(d, f);
    if (f->fd < 0) {
        int rc = open_file(d, f);
        if (rc < 0) {
            return rc;
        }
        if (torn) {
            *written = skip_torn_line(f, text, n);
        }
    }
    return write_all(f, text, n, written);
}
