/* SPDX-License-Identifier: Apache-2.0 */
/* stop.c – luttpd stop: finds the server of a state directory, asks it to stop, waits.
 * Runs in: the command. Who the server is, the kernel says: it holds the lock of the directory. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "cli/cli.h"

#define STOP_WAIT_MS 20000 /* master gives its children less than that */

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

static int wait_for_end(int pidfd, pid_t pid) {
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    if (poll(&end, 1, STOP_WAIT_MS) == 1) {
        (void)printf("luttpd: stopped (pid %d)\n", (int)pid);
        return CLI_OK;
    }
    (void)fprintf(stderr, "luttpd: pid %d was asked to stop but still runs after %d seconds\n", (int)pid,
                  STOP_WAIT_MS / 1000);
    return CLI_FAILED;
}

static int not_running(const char *state) {
    (void)fprintf(stderr, "luttpd: no server runs with the state directory %s\n", state);
    return CLI_FAILED;
}

int cli_stop(const struct cli_options *options) {
    char path[PATH_MAX];
    pid_t pid;
    int n = snprintf(path, sizeof path, "%s/lock", options->state);
    int lock = n > 0 && (size_t)n < sizeof path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (lock < 0) {
        if (errno == ENOENT) {
            return not_running(options->state);
        }
        (void)fprintf(stderr, "luttpd: cannot open %s: %s\n", path, strerror(errno));
        return CLI_FAILED;
    }
    int pidfd = open_holder(lock, &pid);
    int rc;
    if (pidfd < 0) {
        rc = pid == 0 ? not_running(options->state) : CLI_FAILED;
        if (pid != 0) {
            (void)fprintf(stderr, "luttpd: cannot reach the server: %s\n", strerror(errno));
        }
    } else if (pidfd_send_signal(pidfd, SIGTERM, NULL, 0) != 0) {
        (void)fprintf(stderr, "luttpd: cannot stop pid %d: %s\n", (int)pid, strerror(errno));
        rc = CLI_FAILED;
    } else {
        rc = wait_for_end(pidfd, pid);
    }
    if (pidfd >= 0) {
        (void)close(pidfd);
    }
    (void)close(lock);
    return rc;
}
