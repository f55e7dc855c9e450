/* SPDX-License-Identifier: Apache-2.0 */
/* attacks_files.c – at files that are not this process's business. Runs in: evil builds of roles. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attacks.h"

static int outcome(long rc) {
    return rc < 0 ? -errno : (int)rc;
}

/* openat2 because the roles that open files at all may only use that. */
static int open2(int directory, const char *path, uint64_t flags, uint64_t mode) {
    struct open_how how = {.flags = flags, .mode = mode};
    return outcome(syscall(SYS_openat2, directory, path, &how, sizeof how));
}

static int open_other(const struct aim *aim) {
    return open2(AT_FDCWD, aim->path, O_RDONLY, 0);
}

static int write_other(const struct aim *aim) {
    return open2(AT_FDCWD, aim->path, O_WRONLY, 0);
}

static int open_plain(const struct aim *aim) {
    return outcome(syscall(SYS_openat, AT_FDCWD, aim->path, O_RDONLY, 0));
}

/* ".." out of a directory that lies outside the empty root: path walks do not stop there. */
static int open_upwards(const struct aim *aim) {
    char path[512];
    (void)snprintf(path, sizeof path, "../../../../../../../..%s", aim->path);
    return open2(aim->directory, path, O_RDONLY, 0);
}

/* The test put a link of that name into the directory. */
static int open_link(const struct aim *aim) {
    return open2(aim->directory, "escape", O_RDONLY, 0);
}

static int list_upwards(const struct aim *aim) {
    return open2(aim->directory, "..", O_RDONLY | O_DIRECTORY, 0);
}

static int create_in_root(const struct aim *aim) {
    return open2(aim->directory, "planted", O_WRONLY | O_CREAT, 0600);
}

static int make_device(const struct aim *aim) {
    return outcome(syscall(SYS_mknodat, aim->directory, "device", S_IFIFO | 0600, 0));
}

static int make_link(const struct aim *aim) {
    return outcome(syscall(SYS_symlinkat, "/etc/passwd", aim->directory, "planted-link"));
}

static int rename_file(const struct aim *aim) {
    return outcome(syscall(SYS_renameat2, aim->directory, "own", aim->directory, "renamed", 0));
}

static int unlink_file(const struct aim *aim) {
    return outcome(syscall(SYS_unlinkat, aim->directory, "own", 0));
}

static int change_mode(const struct aim *aim) {
    return outcome(syscall(SYS_fchmodat, aim->directory, "own", 0777));
}

static int change_owner(const struct aim *aim) {
    return outcome(syscall(SYS_fchownat, aim->directory, "own", 0, 0, 0));
}

static int stat_other(const struct aim *aim) {
    struct stat about;
    return outcome(syscall(SYS_newfstatat, AT_FDCWD, aim->path, &about, 0));
}

/* The flag for empty paths does not make a path empty. */
static int stat_with_flag(const struct aim *aim) {
    struct stat about;
    return outcome(syscall(SYS_newfstatat, AT_FDCWD, aim->path, &about, AT_EMPTY_PATH));
}

static int list_proc(const struct aim *aim) {
    (void)aim;
    return open2(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY, 0);
}

static int change_directory(const struct aim *aim) {
    (void)aim;
    return outcome(syscall(SYS_chdir, "/etc"));
}

static int watch(const struct aim *aim) {
    int fd = outcome(syscall(SYS_inotify_init1, 0));
    return fd < 0 ? fd : outcome(syscall(SYS_inotify_add_watch, fd, aim->path, 2));
}

const struct named_attack attacks_on_files[] = {
    {"open_other", open_other},
    {"write_other", write_other},
    {"open_plain", open_plain},
    {"open_upwards", open_upwards},
    {"open_link", open_link},
    {"list_upwards", list_upwards},
    {"create_in_root", create_in_root},
    {"make_device", make_device},
    {"make_link", make_link},
    {"rename_file", rename_file},
    {"unlink_file", unlink_file},
    {"change_mode", change_mode},
    {"change_owner", change_owner},
    {"stat_other", stat_other},
    {"stat_with_flag", stat_with_flag},
    {"list_proc", list_proc},
    {"change_directory", change_directory},
    {"watch", watch},
    {NULL, NULL},
};
