/* SPDX-License-Identifier: Apache-2.0 */
/* log_writer.c – a real producer for the tests of the logger: writes numbered lines while loggers
 * come and go.
 *
 *   log_writer TOTAL PER_MS    descriptor 3 brings CHANNEL messages, and its end is the end.
 *                              A byte goes back over it when all lines are written. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"
#include "channel/log_producer.h"

#define CONTROL 3

static void write_lines(struct log_producer *p, unsigned *next, unsigned total, unsigned count) {
    char text[32];
    for (; count > 0 && *next < total; count--, (*next)++) {
        int n = snprintf(text, sizeof text, "line %u", *next);
        log_producer_error(p, LEVEL_INFO, slice_from(text, (size_t)n));
        if (*next + 1 == total) {
            MUST(send(CONTROL, "", 1, MSG_NOSIGNAL) <= 1);
        }
    }
}

static void take_channel(struct log_producer *p) {
    struct packet packet;
    int rc = packet_receive(CONTROL, &packet);
    if (rc == 0 || rc == -ECONNRESET) {
        exit(0);
    }
    if (rc != 1) {
        return;
    }
    MUST(packet.type == MESSAGE_CHANNEL && packet.fd_count == 1);
    log_producer_take(p, packet_take(&packet, 0));
}

static void turn(struct log_producer *p) {
    struct pollfd fds[2] = {{.fd = CONTROL, .events = POLLIN},
                            {.fd = log_producer_socket(p), .events = POLLIN}};
    MUST(poll(fds, 2, 1) >= 0 || errno == EINTR);
    if (fds[1].revents != 0 && log_producer_receive(p) < 0) {
        log_producer_hang_up(p);
    }
    if (fds[0].revents != 0) {
        take_channel(p);
    }
    if (log_producer_flush(p) < 0) {
        log_producer_hang_up(p);
    }
}

int main(int argc, char **argv) {
    struct log_producer producer;
    unsigned next = 0;
    MUST(argc == 3 && log_producer_init(&producer, CHANNEL_LOG) == 0);
    unsigned total = (unsigned)strtoul(argv[1], NULL, 10), per_ms = (unsigned)strtoul(argv[2], NULL, 10);
    for (;;) {
        write_lines(&producer, &next, total, per_ms);
        turn(&producer);
    }
}
