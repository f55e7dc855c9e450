/* SPDX-License-Identifier: Apache-2.0 */
/* input.c – everything that config reads, and the one thing that it writes.
 * Runs in: config. Distrusts: what is in the files, not the descriptors: those are master's. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/report.h"
#include "config/config.h"

#define READ_STEP 65536

/* Reads a descriptor from its start to its end, whatever size it claims to have. */
static int read_all(int fd, size_t max, struct config_text *out) {
    struct config_text text = {NULL, 0};
    for (;;) {
        char *longer = realloc(text.p, text.n + READ_STEP);
        if (longer == NULL) {
            free(text.p);
            return -ENOMEM;
        }
        text.p = longer;
        ssize_t n = pread(fd, text.p + text.n, READ_STEP, (off_t)text.n);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 || text.n + (size_t)n > max) {
            int rc = n < 0 ? -errno : -EFBIG;
            free(text.p);
            return rc;
        }
        if (n == 0) {
            *out = text;
            return 0;
        }
        text.n += (size_t)n;
    }
}

/* A plain name, so that nothing but the given directory is ever looked into. */
static bool name_is_plain(struct slice name) {
    return name.n > 0 && memchr(name.p, '/', name.n) == NULL && !slice_equal(name, SLICE("..")) &&
           !slice_equal(name, SLICE("."));
}

static void take_start(struct config *c) {
    const struct message_start_config *start = &c->start;
    int rc = message_start_config_decode(&c->start, packet_payload(&c->packet), c->packet.size);
    if (rc < 0) {
        process_fail(c->process, "start message", -rc);
    }
    if (!name_is_plain(start->file) || start->directory.n == 0 || start->directory.p[0] != '/') {
        process_fail(c->process, "start message", EINVAL);
    }
    (void)snprintf(c->file, sizeof c->file, "%.*s", (int)start->file.n, start->file.p);
    c->directory = packet_take(&c->packet, 0);
    c->users = packet_take(&c->packet, 3);
}

static void read_accounts(struct config *c) {
    static const char *const names[] = {"/etc/passwd", "/etc/group"};
    struct config_text *const texts[] = {&c->passwd, &c->group};
    for (size_t i = 0; i < 2; i++) {
        int fd = packet_take(&c->packet, i + 1);
        int rc = read_all(fd, CONFIG_ACCOUNTS_MAX, texts[i]);
        (void)close(fd);
        if (rc < 0) {
            process_fail(c->process, names[i], -rc);
        }
    }
    int rc = read_all(c->users, CONFIG_ACCOUNTS_MAX, &c->automatic);
    if (rc < 0) {
        process_fail(c->process, "table of automatic users", -rc);
    }
}

static void print_note(void *context, const char *text, size_t n) {
    const struct config *c = context;
    report(REPORT_INFO, "%s: %.*s", c->file, (int)(n < REPORT_MAX_BYTES ? n : REPORT_MAX_BYTES), text);
}

void config_prepare(struct config *c, const struct process *process) {
    c->process = process;
    take_start(c);
    read_accounts(c);
    int rc = script_stack_map(&c->stack);
    if (rc < 0) {
        process_fail(process, "script stack", -rc);
    }
    const struct script_options options = {
        .jit = false,
        .memory_bytes = CONFIG_MEMORY,
        .cpu_ms = CONFIG_CPU_MS,
        .stack = &c->stack,
        .print = print_note,
        .context = c,
    };
    rc = script_new(&c->script, &options);
    if (rc < 0) {
        process_fail(process, "script", -rc);
    }
}

/* The cage allows openat2 alone; it keeps links, too, inside the directory. */
static int open_beneath(int directory, const char *name) {
    struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, directory, name, &how, sizeof how);
    return fd < 0 ? -errno : (int)fd;
}

int config_read_file(const struct config *c, const char *name, size_t max, struct config_text *out) {
    struct stat facts;
    int fd = open_beneath(c->directory, name);
    if (fd < 0) {
        return fd;
    }
    int rc = 0;
    if (fstat(fd, &facts) < 0) {
        rc = -errno;
    } else if (!S_ISREG(facts.st_mode)) {
        rc = S_ISDIR(facts.st_mode) ? -EISDIR : -EINVAL;
    } else {
        rc = read_all(fd, max, out);
    }
    (void)close(fd);
    return rc;
}

/* Opened for appending by master; the offset says the same for a descriptor that is not. */
static int write_all(int fd, const char *text, size_t n, off_t at) {
    while (n > 0) {
        ssize_t written = pwrite(fd, text, n, at);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return written < 0 ? -errno : -EIO;
        }
        text += written;
        n -= (size_t)written;
        at += written;
    }
    return 0;
}

int config_append_users(const struct config *c, const char *text, size_t n) {
    off_t end = (off_t)c->automatic.n;
    int rc = write_all(c->users, text, n, end);
    if (rc == 0 && fsync(c->users) < 0) {
        rc = -errno;
    }
    struct stat facts;
    bool as_before = rc == 0 || (fstat(c->users, &facts) == 0 && facts.st_size == end);
    if (!as_before && ftruncate(c->users, end) < 0) {
        report(REPORT_ERROR, "table of automatic users: its end may be damaged: %m");
    }
    return rc;
}
