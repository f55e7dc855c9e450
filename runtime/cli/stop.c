/* SPDX-License-Identifier: Apache-2.0 */
/* stop.c – luttpd stop: asks the server of a state directory to stop, waits. Runs in: the command. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include "cli/running.h"

#define STOP_WAIT_MS 20000 /* master gives its children less than that */

static int wait_for_end(const struct running *server) {
    struct pollfd end = {.fd = server->pidfd, .events = POLLIN};
    if (poll(&end, 1, STOP_WAIT_MS) == 1) {
        (void)printf("luttpd: stopped (pid %d)\n", (int)server->pid);
        return CLI_OK;
    }
    (void)fprintf(stderr, "luttpd: pid %d was asked to stop but still runs after %d seconds\n",
                  (int)server->pid, STOP_WAIT_MS / 1000);
    return CLI_FAILED;
}

int cli_stop(const struct cli_options *options) {
    struct running server;
    if (!running_find(options->state, &server)) {
        return CLI_FAILED;
    }
    int rc = running_signal(&server, SIGTERM, "stop") ? wait_for_end(&server) : CLI_FAILED;
    running_close(&server);
    return rc;
}
