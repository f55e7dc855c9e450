/* SPDX-License-Identifier: Apache-2.0 */
/* accept.c – clients come.
 * Runs in: listener. Distrusts: clients, who may come faster than descriptors last. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listener/connection.h"

#define ACCEPTS_MAX 64 /* in one go, so that those who are in get their turn */

union address {
    struct sockaddr any;
    struct sockaddr_in inet;
    struct sockaddr_in6 inet6;
    struct sockaddr_storage room;
};

/* Fills in family, address and port; a mapped IPv4 address is shown as IPv4. */
static void describe(struct connection *peer, const union address *a) {
    memset(peer, 0, sizeof *peer);
    if (a->any.sa_family == AF_INET) {
        peer->family = FAMILY_INET;
        memcpy(peer->address, &a->inet.sin_addr, 4);
        peer->port = ntohs(a->inet.sin_port);
    } else if (a->any.sa_family == AF_INET6) {
        bool mapped = IN6_IS_ADDR_V4MAPPED(&a->inet6.sin6_addr);
        peer->family = mapped ? FAMILY_INET : FAMILY_INET6;
        memcpy(peer->address, a->inet6.sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
        peer->port = ntohs(a->inet6.sin6_port);
    } else {
        peer->family = FAMILY_UNIX;
    }
}

static void set_accepting(struct listener *l, bool accepting);
static void on_acceptable(uv_poll_t *poll, int status, int events);

/* Descriptors have run out: gives one client an end at once instead of letting all of them hang, and
 * stops until a connection closes, so that the loop does not spin. */
static void shed(struct listener *l) {
    if (l->spare >= 0) {
        (void)close(l->spare);
        int fd = accept4(l->socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            (void)close(fd);
        }
        l->spare = dup(l->socket);
    }
    set_accepting(l, false);
}

static void on_acceptable(uv_poll_t *poll, int status, int events) {
    struct listener *l = poll->data;
    struct connection peer;
    union address from;
    (void)status;
    (void)events;
    for (unsigned i = 0; i < ACCEPTS_MAX; i++) {
        if (l->connections >= l->connections_max) {
            set_accepting(l, false);
            return;
        }
        socklen_t n = sizeof from;
        memset(&from.any, 0, sizeof from.any);
        int fd = accept4(l->socket, &from.any, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                shed(l);
            }
            return;
        }
        describe(&peer, &from);
        (void)connection_open(l, fd, &peer);
    }
}

static void set_accepting(struct listener *l, bool accepting) {
    if (accepting != l->accepting) {
        l->accepting = accepting;
        (void)(accepting ? uv_poll_start(&l->accept_poll, UV_READABLE, on_acceptable)
                         : uv_poll_stop(&l->accept_poll));
    }
}

void accept_resume(struct listener *l) {
    if (!l->draining && l->connections < l->connections_max) {
        set_accepting(l, true);
    }
}

void accept_stop(struct listener *l) {
    set_accepting(l, false);
}

int accept_start(struct listener *l) {
    struct rlimit limit;
    int on = 1;
    int rc = uv_poll_init(&l->loop, &l->accept_poll, l->socket);
    if (rc != 0) {
        return rc;
    }
    (void)setsockopt(l->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* accepted sockets inherit it */
    l->accept_poll.data = l;
    l->spare = dup(l->socket);
    size_t others = SPARE_DESCRIPTORS + l->link_count;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < others + 2) {
        return UV_EMFILE;
    }
    l->connections_max = (limit.rlim_cur - others) / 2; /* each may hold a file as well */
    return 0;
}
