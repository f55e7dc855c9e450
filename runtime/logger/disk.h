/* SPDX-License-Identifier: Apache-2.0 */
/* disk.h – log files on disk: opened when needed, appended to, closed when too many are open.
 * Runs in: logger, on its one pool thread. Distrusts: what stands in the log directory.
 * Everything here may block for as long as the disk likes; nobody waits for it but the store. */
#ifndef LUTTPD_LOGGER_DISK_H
#define LUTTPD_LOGGER_DISK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define DISK_PATH_MAX 96
/* A vhost's process can write to its own error log without end: at this size it stops growing. */
#define DISK_ERROR_LOG_MAX_BYTES (256u * 1024 * 1024)

struct disk_file {
    TAILQ_ENTRY(disk_file) order; /* in disk.open while fd >= 0 */
    char path[DISK_PATH_MAX];     /* beneath the log directory */
    int fd;                       /* -1 while closed */
    uint64_t size;                /* bytes, while open */
    uint64_t size_max;            /* 0 for no limit */
    uint64_t lost_lines;          /* lines given up half written; the store takes them */
};

struct disk {
    int directory;                         /* borrowed */
    TAILQ_HEAD(disk_open, disk_file) open; /* least recently written first */
    unsigned open_count, open_max;
};

void disk_init(struct disk *d, int directory, unsigned open_max);

/** Appends what it can of text, opening the file if need be. torn: text begins inside a line.
 * written: bytes that are done with, always whole lines where the file had to be opened anew while
 * torn; set in every outcome.
 * Returns 0 where all was written, else -errno: -EFBIG at size_max, -ELOOP, -EMLINK or -EXDEV where
 * the path is not a plain file beneath the directory. */
int disk_append(struct disk *d, struct disk_file *f, const char *text, size_t n, int torn, size_t *written);

/** Closes every file; the next append opens it again. */
void disk_close_all(struct disk *d);

#endif
