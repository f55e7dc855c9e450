/* SPDX-License-Identifier: Apache-2.0 */
/* nursery_start.c – one START message for each role. Runs in: the tests. */
#include "nursery_start.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "schema/messages.h"

static int listening_socket(void) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)bind(fd, (struct sockaddr *)&at, sizeof at);
    (void)listen(fd, 8);
    return fd;
}

static int start_listener(int control, int nowhere) {
    struct message_start_listener m = {.listener = 1};
    int fds[] = {listening_socket(), nowhere, nowhere};
    int rc = message_start_listener_send(control, &m, fds);
    (void)close(fds[0]);
    return rc;
}

int start_send(const struct start *s, enum role role, int control) {
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    int fds[] = {s->directory >= 0 ? s->directory : nowhere, nowhere, nowhere, nowhere};
    struct message_start_config config = {.file = SLICE("server.lua")};
    struct message_start_router router = {0};
    struct message_start_vhost vhost = {
        .vhost = 1, .generation = 1, .name = SLICE("probe"), .hardened = s->hardened};
    struct message_start_logger logger = {.format = LOG_FORMAT_COMBINED};
    int rc = -EINVAL;
    switch (role) {
    case ROLE_CONFIG:
        rc = message_start_config_send(control, &config, fds);
        break;
    case ROLE_ROUTER:
        rc = message_start_router_send(control, &router, &fds[1]);
        break;
    case ROLE_LISTENER:
        rc = start_listener(control, nowhere);
        break;
    case ROLE_VHOST:
        rc = message_start_vhost_send(control, &vhost, fds);
        break;
    case ROLE_LOGGER:
        rc = message_start_logger_send(control, &logger, fds);
        break;
    default:
        break;
    }
    (void)close(nowhere);
    return rc;
}
