/* SPDX-License-Identifier: Apache-2.0 */
/* places.c – the files and directories that only master can open, and hands on as descriptors.
 * Runs in: master. Distrusts: what owners may have put in the place of a directory. */
#include "master/places.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process/state_lock.h"

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#define LOG_DIRECTORY_MODE 02750
#define STATE "the state directory"
#define LOGS "the log directory"

static int fail(const char *does, const char *what, const char *name) {
    int error = errno;
    report(REPORT_ERROR, "%s %s %s: %m", does, what, name);
    return -error;
}

int places_open_binaries(int binaries[ROLE_COUNT]) {
    char self[PATH_MAX], name[32];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self);
    if (n <= 0 || n == (ssize_t)sizeof self) {
        return fail("cannot find", "my own executable", "");
    }
    while (n > 1 && self[n - 1] != '/') {
        n--;
    }
    self[n] = '\0';
    int directory = open(self, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) {
        return fail("cannot open", "the directory", self);
    }
    int rc = 0;
    for (int role = 0; role < ROLE_COUNT && rc == 0; role++) {
        (void)snprintf(name, sizeof name, "luttpd-%s", role_facts[role].name);
        binaries[role] = role == ROLE_MASTER ? -1 : openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        rc = role != ROLE_MASTER && binaries[role] < 0 ? fail("cannot open", "the executable", name) : 0;
    }
    (void)close(directory);
    return rc;
}

/* Makes a directory of master's own if need be and opens it. Whoever else could write there could put
 * something in the place of what master keeps in it. */
static int open_own(const char *what, const char *path) {
    struct stat facts;
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return fail("cannot make", what, path);
    }
    int fd = open(path, DIRECTORY | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &facts) != 0) {
        return fail("cannot open", what, path);
    }
    if (facts.st_uid != geteuid() || (facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        report(REPORT_ERROR, "%s %s must belong to user %u and be writable by nobody else", what, path,
               (unsigned)geteuid());
        (void)close(fd);
        return -EPERM;
    }
    return fd;
}

/* A record lock: the kernel says who holds it, and only those who may write the file can take it. */
int places_lock_state(const char *directory) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int state = open_own(STATE, directory);
    if (state < 0) {
        return state;
    }
    int fd = openat(state, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    int rc = fd < 0 ? fail("cannot open", "the lock in", directory) : 0;
    (void)close(state);
    if (rc != 0) {
        return rc;
    }
    if (fcntl(fd, F_SETLK, &whole) != 0) {
        rc = errno == EAGAIN || errno == EACCES ? -EBUSY : fail("cannot lock", STATE, directory);
        if (rc == -EBUSY) {
            report(REPORT_ERROR,
                   "another luttpd runs with the state directory %s: stop it, or name another with -s",
                   directory);
        }
    } else if (ftruncate(fd, 0) != 0 || dprintf(fd, "%010d\n", (int)getpid()) != STATE_LOCK_PID_BYTES) {
        rc = fail("cannot write", "the lock in", directory);
    }
    state_lock_write_reload(fd, 0, 0, STATE_RELOAD_NONE);
    if (rc != 0) {
        (void)close(fd);
        return rc;
    }
    return fd;
}

int places_open_users(const char *state, bool check) {
    int directory = check ? open(state, DIRECTORY) : open_own(STATE, state);
    int fd = -1;
    if (directory >= 0) {
        fd = openat(directory, "users", (check ? O_RDONLY : O_RDWR | O_CREAT) | O_NOFOLLOW | O_CLOEXEC, 0600);
        (void)close(directory);
    }
    if (fd < 0 && check && errno == ENOENT) {
        fd = memfd_create("luttpd-users", MFD_CLOEXEC);
    }
    return fd < 0 ? fail("cannot open", "the table of automatic users in", state) : fd;
}

static bool path_of(struct slice from, char out[PATH_MAX]) {
    if (from.n >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(out, from.p, from.n);
    out[from.n] = '\0';
    return true;
}

int places_open_logs(struct slice path) {
    char name[PATH_MAX];
    if (!path_of(path, name)) {
        return -errno;
    }
    int fd = open_own(LOGS, name);
    if (fd >= 0 && fchmod(fd, 0711) != 0) { /* owners pass through to their own */
        int rc = fail("cannot set the mode of", LOGS, name);
        (void)close(fd);
        return rc;
    }
    return fd;
}

/* Made by root, then given away: whoever finds it half done may finish it. */
static int claim_log(int fd, const char *name, uid_t uid, gid_t gid) {
    struct stat facts;
    if (fstat(fd, &facts) != 0) {
        return fail("cannot look at", LOGS, name);
    }
    if (facts.st_uid != geteuid() && facts.st_uid != uid) {
        report(REPORT_ERROR, "the log directory %s belongs to user %u: remove it", name,
               (unsigned)facts.st_uid);
        return -EPERM;
    }
    if (facts.st_uid == uid && facts.st_gid == gid && (facts.st_mode & 07777) == LOG_DIRECTORY_MODE) {
        return 0;
    }
    if (fchown(fd, geteuid(), getegid()) != 0 || fchmod(fd, LOG_DIRECTORY_MODE) != 0 ||
        fchown(fd, uid, gid) != 0) {
        return fail("cannot give away", LOGS, name);
    }
    return 0;
}

int places_make_log(int logs, struct slice of, gid_t gid, bool single_user) {
    char name[PATH_MAX];
    uid_t uid = single_user ? geteuid() : role_facts[ROLE_LOGGER].reserved_uid;
    if (!path_of(of, name)) {
        return -errno;
    }
    if (mkdirat(logs, name, 0700) != 0 && errno != EEXIST) {
        return fail("cannot make", LOGS, name);
    }
    int fd = openat(logs, name, DIRECTORY | O_NOFOLLOW);
    if (fd < 0) {
        return fail("cannot open", LOGS, name);
    }
    int rc = claim_log(fd, name, uid, single_user ? getegid() : gid);
    (void)close(fd);
    return rc;
}

/* Opens with the rights of the owner: the kernel takes master's file capabilities away meanwhile. */
static int open_as(int directory, const char *path, int flags, uid_t uid, gid_t gid) {
    gid_t old_gid = (gid_t)setfsgid(gid);
    uid_t old_uid = (uid_t)setfsuid(uid);
    int fd = openat(directory, path, flags);
    int error = errno;
    (void)setfsuid(old_uid);
    (void)setfsgid(old_gid);
    errno = error;
    return fd;
}

int places_open_root(const struct message_plan_vhost *v, bool single_user) {
    const struct open_how strict = {.flags = DIRECTORY,
                                    .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    char path[PATH_MAX];
    if (!path_of(v->root, path)) {
        return -errno;
    }
    int fd = single_user ? open(path, DIRECTORY) : open_as(AT_FDCWD, path, DIRECTORY, v->uid, v->gid);
    if (fd < 0 && errno == EACCES && !single_user) {
        fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &strict, sizeof strict);
    }
    return fd < 0 ? -errno : fd;
}

const char *places_check_root(int root, const struct message_plan_vhost *v, bool single_user) {
    uid_t uid = single_user ? geteuid() : v->uid;
    gid_t gid = single_user ? getegid() : v->gid;
    int fd = open_as(root, ".", DIRECTORY, uid, gid);
    if (fd < 0) {
        return "root";
    }
    (void)close(fd);
    fd = open_as(root, "vhost.lua", O_RDONLY | O_NONBLOCK | O_CLOEXEC, uid, gid);
    if (fd < 0) {
        return errno == ENOENT ? NULL : "vhost.lua";
    }
    (void)close(fd);
    return NULL;
}
