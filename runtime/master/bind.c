/* SPDX-License-Identifier: Apache-2.0 */
/* bind.c – listening sockets: one for each listener process, kept by master for its successors.
 * Runs in: master. SO_REUSEPORT would let a second server of the same user share a port unnoticed,
 * so each address is first bound without it. */
#include "master/bind.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A peer that vanished is noticed after two minutes: 60 s of silence, then four probes. */
#define KEEP_IDLE_S 60
#define KEEP_INTERVAL_S 15
#define KEEP_PROBES 4
#define DEFER_S 10            /* then it is accepted without data, and the listener's own deadline runs */
#define FAST_OPEN_PENDING 256 /* connections whose handshake is not complete */

union address {
    struct sockaddr any;
    struct sockaddr_in inet;
    struct sockaddr_in6 inet6;
    struct sockaddr_un un;
};

static socklen_t address_of(const struct message_plan_listen *l, uint16_t port, union address *out) {
    memset(out, 0, sizeof *out);
    if (l->family == FAMILY_INET) {
        out->inet.sin_family = AF_INET;
        out->inet.sin_port = htons(port);
        memcpy(&out->inet.sin_addr, l->address.p, sizeof out->inet.sin_addr);
        return sizeof out->inet;
    }
    if (l->family == FAMILY_INET6) {
        out->inet6.sin6_family = AF_INET6;
        out->inet6.sin6_port = htons(port);
        memcpy(&out->inet6.sin6_addr, l->address.p, sizeof out->inet6.sin6_addr);
        return sizeof out->inet6;
    }
    out->un.sun_family = AF_UNIX;
    memcpy(out->un.sun_path, l->address.p, l->address.n);
    return sizeof out->un;
}

void bind_text(const struct message_plan_listen *l, uint16_t port, char out[BIND_TEXT_BYTES]) {
    char address[INET6_ADDRSTRLEN] = "?";
    if (l->family == FAMILY_UNIX) {
        memcpy(out, "unix:", 5);
        notes_escape(out + 5, BIND_TEXT_BYTES - 5, l->address);
        return;
    }
    bool six = l->family == FAMILY_INET6;
    (void)inet_ntop(six ? AF_INET6 : AF_INET, l->address.p, address, sizeof address);
    (void)snprintf(out, BIND_TEXT_BYTES, six ? "http://[%s]:%u" : "http://%s:%u", address, port);
}

static int set_to(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value);
}

static int set(int fd, int level, int option) {
    return set_to(fd, level, option, 1);
}

/* What accepted connections inherit, and what the plan wishes. A kernel that has none of it serves too. */
static void tune(int fd, const struct message_plan_listen *l) {
    if (l->family == FAMILY_UNIX) {
        return;
    }
    (void)set(fd, SOL_SOCKET, SO_KEEPALIVE);
    (void)set_to(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S);
    (void)set_to(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL_S);
    (void)set_to(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEP_PROBES);
    if (l->defer_accept) {
        (void)set_to(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, DEFER_S);
    }
    if (l->fast_open) {
        (void)set_to(fd, IPPROTO_TCP, TCP_FASTOPEN, FAST_OPEN_PENDING);
    }
}

/* Returns the bound socket, not yet listening, or -errno. */
static int open_bound(const struct message_plan_listen *l, uint16_t port, bool shared) {
    union address address;
    socklen_t size = address_of(l, port, &address);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -errno;
    }
    mode_t mask = umask(0111); /* a path may be connected to by everyone who reaches it */
    bool ok = set(fd, SOL_SOCKET, SO_REUSEADDR) == 0 && (!shared || set(fd, SOL_SOCKET, SO_REUSEPORT) == 0) &&
              (l->family != FAMILY_INET6 || set(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0) &&
              bind(fd, &address.any, size) == 0;
    int error = errno;
    (void)umask(mask);
    if (!ok) {
        (void)close(fd);
        return -error;
    }
    return fd;
}

/* A path that nobody listens on any more is what an earlier server left behind. */
static void remove_stale_path(const struct message_plan_listen *l) {
    union address address;
    struct stat facts;
    socklen_t size = address_of(l, 0, &address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, &address.any, size) != 0 && errno == ECONNREFUSED &&
        lstat(address.un.sun_path, &facts) == 0 && S_ISSOCK(facts.st_mode)) {
        (void)unlink(address.un.sun_path);
    }
    (void)close(fd);
}

static int probe(const struct message_plan_listen *l) {
    int fd = open_bound(l, l->port, false);
    if (fd < 0) {
        return fd;
    }
    int rc = listen(fd, 1) == 0 ? 0 : -errno;
    (void)close(fd);
    return rc;
}

static uint16_t port_of(int fd) {
    union address address;
    socklen_t size = sizeof address;
    memset(&address, 0, sizeof address);
    (void)getsockname(fd, &address.any, &size);
    return address.any.sa_family == AF_INET ? ntohs(address.inet.sin_port) : ntohs(address.inet6.sin6_port);
}

/* Sockets of one listen: the first fixes the port for the others; a path has only one. */
static int bind_listen(struct bound_socket *sockets, const struct message_plan_listen *l, size_t index) {
    uint16_t port = l->port;
    int rc = 0;
    if (l->family == FAMILY_UNIX) {
        remove_stale_path(l);
    } else if (port != 0) {
        rc = probe(l);
    }
    for (uint16_t i = 0; i < l->processes && rc == 0; i++) {
        bool again = l->family == FAMILY_UNIX && i > 0;
        int fd =
            again ? fcntl(sockets[0].fd, F_DUPFD_CLOEXEC, 0) : open_bound(l, port, l->family != FAMILY_UNIX);
        if (fd < 0 || (!again && listen(fd, BIND_BACKLOG) != 0)) {
            rc = fd < 0 && !again ? fd : -errno;
            break;
        }
        tune(fd, l);
        port = l->family == FAMILY_UNIX ? 0 : port_of(fd);
        sockets[i] = (struct bound_socket){.fd = fd, .port = port, .listen = index};
    }
    return rc;
}

int bind_all(struct master *m) {
    char text[BIND_TEXT_BYTES];
    size_t at = 0;
    for (size_t i = 0; i < m->plan.listen_count; i++) {
        const struct message_plan_listen *l = &m->plan.listens[i];
        int rc = bind_listen(&m->sockets[at], l, i);
        if (rc != 0) {
            bind_text(l, l->port, text);
            report(REPORT_ERROR, "cannot listen on %s: %s", text, strerror(-rc));
            return rc;
        }
        at += l->processes;
    }
    return 0;
}
