/* SPDX-License-Identifier: Apache-2.0 */
/* packet.c – one message on a SEQPACKET socket, with its descriptors.
 * Runs in: every process. Distrusts: the peer's frame, its length, its descriptors. */
#include "channel/packet.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"

int packet_pair(int ends[2]) {
    int made[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, made) != 0) {
        return -errno;
    }
    ends[0] = made[0];
    ends[1] = made[1];
    return 0;
}

int packet_send(int socket, const void *frame, size_t bytes, const int *fds, size_t fd_count) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(PACKET_FDS_MAX * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = (void *)(uintptr_t)frame, .iov_len = bytes};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    MUST(bytes >= RECORD_HEADER_BYTES && fd_count <= PACKET_FDS_MAX);
    if (fd_count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(rights), fds, fd_count * sizeof(int));
    }
    for (;;) {
        if (sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
            return 0;
        }
        if (errno != EINTR) {
            return errno == ECONNRESET ? -EPIPE : -errno;
        }
    }
}

/* Moves the descriptors of one control message into the packet. Those beyond its room are closed:
 * the kernel never gives more than the control buffer holds, so there are none. */
static void take_rights(const struct cmsghdr *rights, struct packet *out) {
    size_t count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(rights) + i * sizeof(int), sizeof fd);
        if (out->fd_count < PACKET_FDS_MAX) {
            out->fds[out->fd_count++] = fd;
        } else {
            (void)close(fd);
        }
    }
}

static int check_frame(struct packet *out, size_t bytes) {
    struct record_header header;
    if (bytes < RECORD_HEADER_BYTES) {
        return -EBADMSG;
    }
    memcpy(&header, out->frame, sizeof header);
    if (header.reserved != 0 || header.size != bytes - RECORD_HEADER_BYTES) {
        return -EBADMSG;
    }
    out->type = header.type;
    out->size = header.size;
    return 0;
}

int packet_receive(int socket, struct packet *out) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(PACKET_FDS_MAX * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = out->frame, .iov_len = sizeof out->frame};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t n;

    out->fd_count = 0;
    /* A peer that closed before it had read everything causes one ECONNRESET; what it had sent, such as
     * a last NOTE, waits behind that. */
    do {
        n = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (n < 0 && (errno == EINTR || errno == ECONNRESET));
    if (n < 0) {
        return -errno;
    }
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            take_rights(c, out);
        }
    }
    if (n == 0 && out->fd_count == 0) {
        return 0; /* end of the connection: an empty packet looks the same and is as useless */
    }
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || check_frame(out, (size_t)n) != 0) {
        packet_drop(out);
        return -EBADMSG;
    }
    return 1;
}

int packet_take(struct packet *p, size_t index) {
    MUST(index < p->fd_count && p->fds[index] >= 0);
    int fd = p->fds[index];
    p->fds[index] = -1;
    return fd;
}

void packet_drop(struct packet *p) {
    for (size_t i = 0; i < p->fd_count; i++) {
        if (p->fds[i] >= 0) {
            (void)close(p->fds[i]);
            p->fds[i] = -1;
        }
    }
    p->fd_count = 0;
}
