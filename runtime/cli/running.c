/* SPDX-License-Identifier: Apache-2.0 */
/* running.c – the server of a state directory. Runs in: the command. */
#include "cli/running.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

/* Returns the pid of the process that holds the lock, 0 where none does, or -1 with errno. */
static pid_t holder(int lock) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(lock, F_GETLK, &whole) != 0) {
        return -1;
    }
    return whole.l_type == F_UNLCK ? 0 : whole.l_pid;
}

/* Returns a pidfd that is certainly the holder's, or -1: then pid is 0, or errno says why. */
static int open_holder(int lock, pid_t *pid) {
    *pid = holder(lock);
    int fd = *pid > 0 ? pidfd_open(*pid, 0) : -1;
    if (fd >= 0 && holder(lock) != *pid) { /* it ended meanwhile, and its number may be another's */
        (void)close(fd);
        *pid = 0;
        return -1;
    }
    return fd;
}

static bool not_running(const char *state) {
    (void)fprintf(stderr, "luttpd: no server runs with the state directory %s\n", state);
    return false;
}

bool running_find(const char *state, struct running *out) {
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/lock", state);
    int lock = n > 0 && (size_t)n < sizeof path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (lock < 0) {
        if (errno == ENOENT) {
            return not_running(state);
        }
        (void)fprintf(stderr, "luttpd: cannot open %s: %s\n", path, strerror(errno));
        return false;
    }
    *out = (struct running){.lock = lock};
    out->pidfd = open_holder(lock, &out->pid);
    if (out->pidfd >= 0) {
        return true;
    }
    if (out->pid == 0) {
        (void)not_running(state);
    } else {
        (void)fprintf(stderr, "luttpd: cannot reach the server: %s\n", strerror(errno));
    }
    (void)close(lock);
    return false;
}

bool running_signal(const struct running *r, int number, const char *verb) {
    if (pidfd_send_signal(r->pidfd, number, NULL, 0) == 0) {
        return true;
    }
    (void)fprintf(stderr, "luttpd: cannot %s pid %d: %s\n", verb, (int)r->pid, strerror(errno));
    return false;
}

void running_close(struct running *r) {
    (void)close(r->pidfd);
    (void)close(r->lock);
}
