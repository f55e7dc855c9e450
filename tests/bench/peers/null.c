/* SPDX-License-Identifier: Apache-2.0 */
/* null.c – the least that an answer can cost on this machine: a floor to compare servers with.
 *
 *   null PORT canned BYTES   one read and one write of a ready answer
 *   null PORT file PATH      read, open, fstat, a head, sendfile, close
 *
 * Not a server: it answers whatever ends in an empty line, writes no log, and trusts everyone. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLIENTS_MAX 4096
#define EVENTS 128

/* A client whose file is under way; file is -1 while it is not. */
struct client {
    int file;
    off_t at;
    size_t left;
};

struct null {
    int epoll, listener;
    const char *path; /* NULL: canned */
    char *canned;
    size_t canned_size;
    struct client clients[CLIENTS_MAX];
};

static void check(bool good, const char *what) {
    if (!good) {
        perror(what);
        exit(1);
    }
}

static int write_head(char *out, size_t room, long long body_bytes) {
    return snprintf(out, room,
                    "HTTP/1.1 200 OK\r\nServer: null\r\nDate: Sun, 23 Nov 2025 04:25:37 GMT\r\n"
                    "Content-Type: application/octet-stream\r\nContent-Length: %lld\r\n\r\n",
                    body_bytes);
}

static void watch(const struct null *n, int operation, int fd, uint32_t events) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    check(epoll_ctl(n->epoll, operation, fd, &event) == 0, "epoll_ctl");
}

static void drop(struct null *n, int fd) {
    if (n->clients[fd].file >= 0) {
        (void)close(n->clients[fd].file);
    }
    (void)close(fd);
}

/* Sends what the socket takes. Returns false where the client is gone. */
static bool send_file(struct null *n, int fd, bool waiting) {
    struct client *c = &n->clients[fd];
    while (c->left > 0) {
        ssize_t sent = sendfile(fd, c->file, &c->at, c->left);
        if (sent < 0 && errno == EAGAIN) {
            if (!waiting) {
                watch(n, EPOLL_CTL_MOD, fd, EPOLLOUT);
            }
            return true;
        }
        if (sent <= 0) {
            return false;
        }
        c->left -= (size_t)sent;
    }
    (void)close(c->file);
    c->file = -1;
    if (waiting) {
        watch(n, EPOLL_CTL_MOD, fd, EPOLLIN);
    }
    return true;
}

static bool answer(struct null *n, int fd) {
    if (n->path == NULL) {
        return send(fd, n->canned, n->canned_size, MSG_NOSIGNAL) == (ssize_t)n->canned_size;
    }
    struct client *c = &n->clients[fd];
    struct stat st;
    char head[512];
    c->file = open(n->path, O_RDONLY | O_CLOEXEC);
    check(c->file >= 0 && fstat(c->file, &st) == 0, n->path);
    c->at = 0;
    c->left = (size_t)st.st_size;
    int size = write_head(head, sizeof head, st.st_size);
    return send(fd, head, (size_t)size, MSG_MORE | MSG_NOSIGNAL) == size && send_file(n, fd, false);
}

static bool serve(struct null *n, int fd, uint32_t events) {
    char request[8192];
    if (n->clients[fd].file >= 0) {
        return (events & (EPOLLERR | EPOLLHUP)) == 0 && send_file(n, fd, true);
    }
    ssize_t got = read(fd, request, sizeof request);
    return got >= 4 && memcmp(request + got - 4, "\r\n\r\n", 4) == 0 && answer(n, fd);
}

static void welcome(struct null *n) {
    const int on = 1;
    int fd = accept4(n->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    check(fd < CLIENTS_MAX, "too many clients");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    n->clients[fd].file = -1;
    watch(n, EPOLL_CTL_ADD, fd, EPOLLIN);
}

static void prepare(struct null *n, char **argv) {
    const int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(argv[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (strcmp(argv[2], "file") == 0) {
        n->path = argv[3];
    } else {
        size_t body = strtoul(argv[3], NULL, 10);
        n->canned = malloc(body + 512);
        check(n->canned != NULL, "malloc");
        n->canned_size = (size_t)write_head(n->canned, 512, (long long)body);
        memset(n->canned + n->canned_size, 'x', body);
        n->canned_size += body;
    }
    n->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    check(setsockopt(n->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0, "setsockopt");
    check(bind(n->listener, (struct sockaddr *)&address, sizeof address) == 0, "bind");
    check(listen(n->listener, 1024) == 0, "listen");
    n->epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(n, EPOLL_CTL_ADD, n->listener, EPOLLIN);
}

int main(int argc, char **argv) {
    if (argc != 4) {
        (void)fprintf(stderr, "usage: null PORT canned BYTES | null PORT file PATH\n");
        return 2;
    }
    struct null *n = calloc(1, sizeof *n);
    check(n != NULL, "calloc");
    (void)signal(SIGPIPE, SIG_IGN); /* a client that leaves in the middle of a file */
    prepare(n, argv);
    for (struct epoll_event events[EVENTS];;) {
        int count = epoll_wait(n->epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == n->listener) {
                welcome(n);
            } else if (!serve(n, fd, events[i].events)) {
                drop(n, fd);
            }
        }
    }
}
