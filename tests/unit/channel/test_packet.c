/* SPDX-License-Identifier: Apache-2.0 */
/* test_packet.c – packets with descriptors, from honest and lying peers. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "channel/packet.h"
#include "schema/messages.h"

static struct packet received;

static int open_descriptors(void) {
    int count = 0;
    for (int fd = 0; fd < 512; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

static void raw_send(int socket, const void *bytes, size_t n, int fd_count) {
    char control[CMSG_SPACE(sizeof(int) * 253)];
    struct iovec part = {(void *)(uintptr_t)bytes, n};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd_count > 0) {
        memset(control, 0, sizeof control);
        m.msg_control = control;
        m.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)fd_count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)fd_count);
        for (int i = 0; i < fd_count; i++) {
            int fd = STDIN_FILENO;
            memcpy(CMSG_DATA(c) + sizeof(int) * (size_t)i, &fd, sizeof fd);
        }
    }
    assert_true(sendmsg(socket, &m, MSG_NOSIGNAL) >= 0);
}

static void test_message_and_descriptor_arrive(void **state) {
    int ends[2];
    struct message_introduce out;
    const struct message_introduce in = {.listener = 3, .vhost = UINT64_MAX};
    (void)state;
    assert_int_equal(packet_pair(ends), 0);
    assert_int_equal(message_introduce_send(ends[0], &in, NULL), 0);
    assert_int_equal(packet_receive(ends[1], &received), 1);
    assert_int_equal(received.type, MESSAGE_INTRODUCE);
    assert_int_equal(message_introduce_decode(&out, packet_payload(&received), received.size), 0);
    assert_int_equal(out.listener, 3);
    assert_true(out.vhost == UINT64_MAX);
    const struct message_ring ring = {0};
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    assert_int_equal(message_ring_send(ends[0], &ring, pipe_ends), 0);
    assert_int_equal(packet_receive(ends[1], &received), 1);
    assert_int_equal(received.fd_count, 1);
    assert_int_equal(fcntl(received.fds[0], F_GETFD), FD_CLOEXEC);
    packet_drop(&received);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    close(ends[0]);
    assert_int_equal(packet_receive(ends[1], &received), 0);
    close(ends[1]);
}

static void test_nothing_leaks_when_frames_lie(void **state) {
    const struct record_header short_size = {.size = 4, .type = 1};
    const struct record_header long_size = {.size = UINT32_MAX, .type = 1};
    const struct record_header reserved = {.size = 0, .type = 1, .reserved = 9};
    int ends[2];
    (void)state;
    assert_int_equal(packet_pair(ends), 0);
    int before = open_descriptors();
    for (int fds = 0; fds <= 3; fds++) {
        raw_send(ends[0], &short_size, sizeof short_size, fds);
        assert_int_equal(packet_receive(ends[1], &received), -EBADMSG);
        raw_send(ends[0], &long_size, sizeof long_size, fds);
        assert_int_equal(packet_receive(ends[1], &received), -EBADMSG);
        raw_send(ends[0], &reserved, sizeof reserved, fds);
        assert_int_equal(packet_receive(ends[1], &received), -EBADMSG);
        raw_send(ends[0], "x", 1, fds);
        assert_int_equal(packet_receive(ends[1], &received), -EBADMSG);
    }
    assert_int_equal(open_descriptors(), before);
    close(ends[0]);
    close(ends[1]);
}

static void test_too_many_descriptors_are_refused_and_closed(void **state) {
    const struct record_header fine = {.size = 0, .type = 1};
    int ends[2];
    (void)state;
    assert_int_equal(packet_pair(ends), 0);
    int before = open_descriptors();
    const int counts[] = {PACKET_FDS_MAX + 1, 10, 253};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        raw_send(ends[0], &fine, sizeof fine, counts[i]);
        assert_int_equal(packet_receive(ends[1], &received), -EBADMSG);
        assert_int_equal(open_descriptors(), before);
    }
    close(ends[0]);
    close(ends[1]);
}

static void test_oversized_packet_is_refused(void **state) {
    static uint8_t huge[sizeof received.frame + 1];
    const struct record_header header = {.size = sizeof huge - sizeof header, .type = 1};
    int ends[2];
    (void)state;
    memcpy(huge, &header, sizeof header);
    assert_int_equal(packet_pair(ends), 0);
    raw_send(ends[0], huge, sizeof huge, 1);
    assert_int_equal(packet_receive(ends[1], &received), -EBADMSG);
    close(ends[0]);
    close(ends[1]);
}

static void test_full_queue_says_again_even_when_peer_cleared_nonblock(void **state) {
    const struct message_doorbell bell = {0};
    int ends[2];
    int rc;
    (void)state;
    assert_int_equal(packet_pair(ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, 0), 0); /* as a peer that shares the description could */
    do {
        rc = message_doorbell_send(ends[0], &bell, NULL);
    } while (rc == 0);
    assert_int_equal(rc, -EAGAIN);
    close(ends[1]);
    assert_int_equal(message_doorbell_send(ends[0], &bell, NULL), -EPIPE);
    close(ends[0]);
}

static void test_last_words_arrive_when_peer_died_unread(void **state) {
    const struct message_doorbell bell = {0};
    const struct message_note last = {.level = LEVEL_ERROR, .text = SLICE("last words")};
    int ends[2];
    (void)state;
    assert_int_equal(packet_pair(ends), 0);
    assert_int_equal(message_note_send(ends[1], &last, NULL), 0);
    assert_int_equal(message_doorbell_send(ends[0], &bell, NULL), 0);
    close(ends[1]); /* with the doorbell unread: the kernel resets the connection */
    assert_int_equal(packet_receive(ends[0], &received), 1);
    assert_int_equal(received.type, MESSAGE_NOTE);
    assert_int_equal(packet_receive(ends[0], &received), 0);
    close(ends[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_and_descriptor_arrive),
        cmocka_unit_test(test_nothing_leaks_when_frames_lie),
        cmocka_unit_test(test_too_many_descriptors_are_refused_and_closed),
        cmocka_unit_test(test_oversized_packet_is_refused),
        cmocka_unit_test(test_full_queue_says_again_even_when_peer_cleared_nonblock),
        cmocka_unit_test(test_last_words_arrive_when_peer_died_unread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
