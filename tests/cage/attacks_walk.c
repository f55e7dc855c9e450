/* SPDX-License-Identifier: Apache-2.0 */
/* attacks_walk.c – at every path that a process can name, from every directory that it holds, in every
 * way in which one can open. It tells master what it reached, one line for each way: "reached WAY
 * DEVICE:INODE ...". Directories that it could only name (O_PATH) are starting points for more.
 * Runs in: evil builds of roles that open files. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attacks.h"
#include "base/report.h"

#define FOUND_MAX 24
#define STARTS_MAX 32

static const struct way {
    const char *name;
    uint64_t flags;
    uint64_t mode;
} ways[] = {
    {"read", O_RDONLY | O_NONBLOCK, 0},
    {"list", O_RDONLY | O_DIRECTORY, 0},
    {"write", O_WRONLY | O_NONBLOCK, 0},
    {"append", O_RDWR | O_APPEND, 0},
    {"create", O_WRONLY | O_CREAT, 0600},
    {"temporary", O_RDWR | O_TMPFILE, 0600},
    {"name", O_PATH, 0},
    {"link", O_PATH | O_NOFOLLOW, 0},
};
#define WAYS (sizeof ways / sizeof *ways)
#define WAY_NAME 6

static const uint64_t resolves[] = {0, RESOLVE_IN_ROOT, RESOLVE_BENEATH, RESOLVE_NO_XDEV};

#define UP "../../../../../../../../.."
static const char *const names[] = {
    "/",
    ".",
    "..",
    "../..",
    UP,
    "own",
    "escape",
    "planted",
    "vhost.lua",
    "../other",
    "../other/secret",
    "../bob/own",
    "other/secret",
    "secret",
    "etc/passwd",
    "passwd",
    "proc",
    "proc/self",
    "proc/self/root",
    "self/root",
    "/proc",
    "/proc/self/root",
    "/proc/self/cwd",
    "/proc/self/fd",
    "/proc/self/fd/3",
    "/proc/self/mem",
    "/proc/1/root",
    "/dev",
    "/dev/null",
    "/dev/fd/3",
    "/etc/passwd",
    "/tmp",
    UP "/proc/self/root",
    UP "/proc/self/root/etc/passwd",
    UP "/proc/self/cwd",
    UP "/proc/self/fd/3",
    UP "/proc/self/mem",
    UP "/proc/1/root/etc/passwd",
    UP "/proc/1/environ",
    UP "/etc/passwd",
    UP "/dev/null",
    UP "/tmp",
    UP "/run",
    UP "/sys",
};

struct walk {
    int starts[STARTS_MAX];
    size_t start_count;
    struct stat found[WAYS][FOUND_MAX];
    size_t found_count[WAYS];
};

static bool look(int fd, struct stat *out) {
    return syscall(SYS_newfstatat, fd, "", out, AT_EMPTY_PATH) == 0;
}

/* Keeps what was opened. Returns whether it is new. */
static bool note(struct walk *w, size_t way, int fd) {
    struct stat facts;
    if (!look(fd, &facts) || w->found_count[way] == FOUND_MAX) {
        return false;
    }
    for (size_t i = 0; i < w->found_count[way]; i++) {
        const struct stat *f = &w->found[way][i];
        if (f->st_dev == facts.st_dev && f->st_ino == facts.st_ino) {
            return false;
        }
    }
    w->found[way][w->found_count[way]++] = facts;
    return true;
}

static void try(struct walk *w, int start, const char *path) {
    for (size_t way = 0; way < WAYS; way++) {
        for (size_t r = 0; r < sizeof resolves / sizeof *resolves; r++) {
            struct open_how how = {
                .flags = ways[way].flags | O_CLOEXEC, .mode = ways[way].mode, .resolve = resolves[r]};
            int fd = (int)syscall(SYS_openat2, start, path, &how, sizeof how);
            if (fd < 0) {
                continue;
            }
            if ((how.flags & O_TMPFILE) ==
                O_TMPFILE) { /* a new one each time: where it would lie says more */
                how.flags = O_PATH | O_CLOEXEC;
                how.mode = 0;
                (void)close(fd);
                fd = (int)syscall(SYS_openat2, start, path, &how, sizeof how);
            }
            if (note(w, way, fd) && way == WAY_NAME && w->start_count < STARTS_MAX) {
                w->starts[w->start_count++] = fd;
            } else {
                (void)close(fd);
            }
        }
    }
}

static void tell(const struct walk *w, size_t way) {
    char text[900];
    size_t n = (size_t)snprintf(text, sizeof text, "reached %s", ways[way].name);
    for (size_t i = 0; i < w->found_count[way] && n < sizeof text; i++) {
        const struct stat *f = &w->found[way][i];
        n += (size_t)snprintf(text + n, sizeof text - n, " %llu:%llu", (unsigned long long)f->st_dev,
                              (unsigned long long)f->st_ino);
    }
    report(REPORT_INFO, "%s", text);
}

static int walk(const struct aim *aim) {
    static struct walk w;
    struct stat facts;
    w.starts[w.start_count++] = AT_FDCWD;
    for (int fd = 0; fd < 64; fd++) {
        if (look(fd, &facts) && S_ISDIR(facts.st_mode)) {
            w.starts[w.start_count++] = fd;
        }
    }
    for (size_t s = 0; s < w.start_count; s++) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            try(&w, w.starts[s], names[i]);
        }
        try(&w, w.starts[s], aim->path);
    }
    for (size_t way = 0; way < WAYS; way++) {
        tell(&w, way);
    }
    return 0;
}

const struct named_attack attacks_on_paths[] = {{"walk", walk}, {NULL, NULL}};
