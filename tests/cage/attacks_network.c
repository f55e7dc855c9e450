/* SPDX-License-Identifier: Apache-2.0 */
/* attacks_network.c – at anything that can be reached by a socket. Runs in: evil builds of roles. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "attacks.h"

static int outcome(long rc) {
    return rc < 0 ? -errno : (int)rc;
}

static struct sockaddr_in local(int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static int socket_inet(const struct aim *aim) {
    (void)aim;
    return outcome(syscall(SYS_socket, AF_INET, SOCK_STREAM, 0));
}

static int socket_unix(const struct aim *aim) {
    (void)aim;
    return outcome(syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0));
}

static int socket_netlink(const struct aim *aim) {
    (void)aim;
    return outcome(syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0));
}

static int socket_packet(const struct aim *aim) {
    (void)aim;
    return outcome(syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0));
}

static int pair(const struct aim *aim) {
    int ends[2];
    (void)aim;
    return outcome(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, ends));
}

static int connect_tcp(const struct aim *aim) {
    struct sockaddr_in to = local(aim->port);
    int fd = socket_inet(aim);
    return fd < 0 ? fd : outcome(syscall(SYS_connect, fd, &to, sizeof to));
}

/* Data in the first packet connects without connect. */
static int connect_by_send(const struct aim *aim) {
    struct sockaddr_in to = local(aim->port);
    int fd = socket_inet(aim);
    return fd < 0 ? fd
                  : outcome(syscall(SYS_sendto, fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, &to, sizeof to));
}

static int bind_tcp(const struct aim *aim) {
    struct sockaddr_in at = local(0);
    int fd = socket_inet(aim);
    at.sin_addr.s_addr = htonl(INADDR_ANY);
    at.sin_port = htons(48231);
    return fd < 0 ? fd : outcome(syscall(SYS_bind, fd, &at, sizeof at));
}

static int send_udp(const struct aim *aim) {
    struct sockaddr_in to = local(aim->port);
    int fd = outcome(syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0));
    return fd < 0 ? fd : outcome(syscall(SYS_sendto, fd, "x", 1, 0, &to, sizeof to));
}

static int connect_unix(const struct sockaddr_un *to, size_t size) {
    int fd = outcome(syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0));
    return fd < 0 ? fd : outcome(syscall(SYS_connect, fd, to, (socklen_t)size));
}

static int connect_path(const struct aim *aim) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    (void)snprintf(to.sun_path, sizeof to.sun_path, "%s", aim->unix_path);
    return connect_unix(&to, sizeof to);
}

static int connect_abstract(const struct aim *aim) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = strlen(aim->name);
    memcpy(to.sun_path + 1, aim->name, n < sizeof to.sun_path - 1 ? n : 0);
    return connect_unix(&to, offsetof(struct sockaddr_un, sun_path) + 1 + n);
}

/* The one socket of the host's network that a listener holds: closed for accepting, it could be
 * connected. Tries every descriptor. */
static int reuse_listening_socket(const struct aim *aim) {
    struct sockaddr_in to = local(aim->port);
    for (int fd = 4; fd < 32; fd++) {
        if (syscall(SYS_shutdown, fd, SHUT_RD) == 0) {
            return outcome(syscall(SYS_sendto, fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, &to, sizeof to));
        }
    }
    return -ENOTSOCK;
}

const struct named_attack attacks_on_network[] = {
    {"socket_inet", socket_inet},
    {"socket_unix", socket_unix},
    {"socket_netlink", socket_netlink},
    {"socket_packet", socket_packet},
    {"pair", pair},
    {"connect_tcp", connect_tcp},
    {"connect_by_send", connect_by_send},
    {"bind_tcp", bind_tcp},
    {"send_udp", send_udp},
    {"connect_path", connect_path},
    {"connect_abstract", connect_abstract},
    {"reuse_listening_socket", reuse_listening_socket},
    {NULL, NULL},
};
