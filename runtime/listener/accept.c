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

#include "base/must.h"
#include "base/report.h"
#include "listener/connection.h"
#include "listener/h1_error.h"

#define ACCEPTS_MAX 64     /* in one go, so that those who are in get their turn */
#define FILES_SHARE 4      /* one descriptor in so many is for files of vhosts */
#define DOOMED_RESERVE 256 /* descriptors that wait to be closed by a thread */
#define REPORT_MS 60000
#define RETRY_S "5" /* when an address that has too many connections should ask again */

union address {
    struct sockaddr any;
    struct sockaddr_in inet;
    struct sockaddr_in6 inet6;
    struct sockaddr_storage room;
};

/* A mapped IPv4 address is shown as IPv4. */
static void describe(struct network_client *peer, const union address *a) {
    *peer = (struct network_client){.family = FAMILY_UNIX};
    if (a->any.sa_family == AF_INET) {
        network_set_address(peer, FAMILY_INET, (const uint8_t *)&a->inet.sin_addr);
        peer->port = ntohs(a->inet.sin_port);
    } else if (a->any.sa_family == AF_INET6) {
        network_set_address(peer, FAMILY_INET6, a->inet6.sin6_addr.s6_addr);
        peer->port = ntohs(a->inet6.sin6_port);
    }
}

/* Addresses --------------------------------------------------------------------------------------------- */

static bool has_address(const struct network_client *peer) {
    return peer->family == FAMILY_INET || peer->family == FAMILY_INET6;
}

/* Proxies speak for many: they are not counted, nor is whoever sends PROXY headers and names nobody. */
bool accept_count(struct listener *l, const struct network_client *peer, bool *counted) {
    const struct policy *policy = l->policy;
    *counted = has_address(peer) && !network_set_has(&policy->proxies, peer->family, peer->address) &&
               !network_set_has(&policy->proxy_senders, peer->family, peer->address);
    if (*counted) {
        *counted = crowd_enter(&l->crowd, peer->family, peer->address, policy->limits.address_connections);
        return *counted;
    }
    return true;
}

void accept_uncount(struct listener *l, const struct network_client *peer) {
    crowd_leave(&l->crowd, peer->family, peer->address);
}

void accept_turn_away(struct listener *l, int fd) {
    char out[H1_ERROR_MAX_BYTES + 64];
    const struct field retry = {SLICE("retry-after"), SLICE(RETRY_S)};
    struct h1_framing framing;
    const struct h1_response r = {.version = H1_VERSION_11,
                                  .status = 429,
                                  .content_length = H1_LENGTH_UNKNOWN,
                                  .fields = &retry,
                                  .fields_count = 1,
                                  .date = turn_date(l)};
    int n = h1_error_write(&r, NULL, out, sizeof out, &framing);
    MUST(n > 0);
    (void)send(fd, out, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
    /* What has come is read, since closing over it would reset the answer. */
    (void)recv(fd, l->scratch, sizeof l->scratch, MSG_DONTWAIT);
    l->crowded++;
}

void accept_report(struct listener *l, uint64_t now) {
    if ((l->crowded == 0 && l->unproxied == 0) || (l->told_ms != 0 && now - l->told_ms < REPORT_MS)) {
        return;
    }
    if (l->crowded > 0) {
        report(REPORT_WARNING, "%u connections refused: too many from one address", l->crowded);
    }
    if (l->unproxied > 0) {
        report(REPORT_WARNING, "%u connections closed: no valid PROXY header", l->unproxied);
    }
    l->crowded = l->unproxied = 0;
    l->told_ms = now;
}

/* Accepting --------------------------------------------------------------------------------------------- */

static void set_accepting(struct listener *l, bool accepting);
static void on_acceptable(uv_poll_t *poll, int status, int events);

/* Whether one more may come: there is a place, or somebody idle who makes one. */
static bool has_room(const struct listener *l) {
    return l->connections < l->connections_max || l->idle.first != NULL || l->fresh.first != NULL;
}

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
    struct network_client peer;
    union address from;
    (void)status;
    (void)events;
    for (unsigned i = 0; i < ACCEPTS_MAX; i++) {
        if (!has_room(l)) {
            set_accepting(l, false);
            return;
        }
        socklen_t n = sizeof from;
        memset(&from.any, 0, sizeof from.any);
        int fd = accept4(l->socket, &from.any, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            bool is_short = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
            if (is_short && connection_close_oldest_idle(l)) {
                continue;
            }
            if (is_short) {
                shed(l);
            }
            return;
        }
        describe(&peer, &from);
        if (connection_open(l, fd, &peer) == 0 && l->connections > l->connections_max) {
            (void)connection_close_oldest_idle(l);
        }
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
    if (!l->draining && has_room(l)) {
        set_accepting(l, true);
    }
}

void accept_stop(struct listener *l) {
    set_accepting(l, false);
}

void accept_take_policy(struct listener *l) {
    struct limits *limits = &l->policy->limits;
    if (limits->h1.head_bytes > REQUEST_BUFFER_BYTES) {
        limits->h1.head_bytes = REQUEST_BUFFER_BYTES; /* no vhost takes a longer one: it fits no OPEN */
    }
    l->connections_max = l->descriptors_for_connections;
    if (limits->connections > 0 && limits->connections < l->connections_max) {
        l->connections_max = limits->connections;
    }
}

/* Options that accepted sockets inherit. What waits in the kernel for a slow reader is bounded: enough to keep
 * a quick one busy, and little enough to see how slow it is. */
static void set_options(int socket) {
    const int on = 1, unsent = PACE_UNSENT_BYTES;
    (void)setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
}

int accept_start(struct listener *l) {
    struct rlimit limit;
    size_t others = SPARE_DESCRIPTORS + DOOMED_RESERVE + l->link_count;
    int rc = uv_poll_init(&l->loop, &l->accept_poll, l->socket);
    if (rc != 0) {
        return rc;
    }
    set_options(l->socket);
    l->accept_poll.data = l;
    l->spare = dup(l->socket);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < SPARE_DESCRIPTORS + l->link_count + 8) {
        return UV_EMFILE;
    }
    if (others > limit.rlim_cur / 2) {
        others = SPARE_DESCRIPTORS + l->link_count;
    }
    l->files_max = (limit.rlim_cur - others) / FILES_SHARE;
    l->descriptors_for_connections = limit.rlim_cur - others - l->files_max;
    return crowd_init(&l->crowd, &l->id_key, l->descriptors_for_connections + 1);
}
