/* SPDX-License-Identifier: Apache-2.0 */
/* puppet.c – stands in for a role of luttpd, so that a test can be that role.
 * Started by the real master in the place of a role's executable, it hands its control channel to
 * the test, through the socket "puppets" beside the executable, and then only waits:
 * for a byte below 128, its exit status; above, the signal with which it ends; or the end, when it
 * pauses: the test sees what master does with a process that stays. It dies with master, and pauses no
 * longer than PAUSE_S, so that a run that was broken off leaves nothing behind. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "channel/packet.h"

#define CONTROL_FD 3
#define PAUSE_S 60

static int connect_to_test(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    while (n > 0 && path[n - 1] != '/') {
        n--;
    }
    if (n <= 0 || (size_t)n + sizeof "puppets" > sizeof address.sun_path) {
        return -1;
    }
    memcpy(address.sun_path, path, (size_t)n);
    memcpy(address.sun_path + n, "puppets", sizeof "puppets");
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        return -1;
    }
    return fd;
}

/* The title and the control channel, in the shape of packet_send: a frame of a type that is no message. */
static int introduce(int test, const char *title) {
    char frame[RECORD_HEADER_BYTES + 256] = {0};
    const int control = CONTROL_FD;
    int n = snprintf(frame + RECORD_HEADER_BYTES, 256, "%s", title);
    return packet_send(test, frame, RECORD_HEADER_BYTES + (size_t)n, &control, 1);
}

int main(int count, char **words) {
    unsigned char order = 0;
    int test = connect_to_test();
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (count < 1 || test < 0 || introduce(test, words[0]) != 0) {
        return 111;
    }
    (void)close(CONTROL_FD);
    if (recv(test, &order, 1, 0) == 1) {
        if (order < 128) {
            _exit(order);
        }
        (void)signal(order - 128, SIG_DFL);
        (void)raise(order - 128);
    }
    (void)sleep(PAUSE_S);
    return 112;
}
