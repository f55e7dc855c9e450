/* SPDX-License-Identifier: Apache-2.0 */
/* test_channel.c – both ends of a channel: making, doorbells, descriptors, the end. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "channel/channel.h"
#include "schema/messages.h"

static struct packet packet;
static uint8_t scratch[RECORD_PAYLOAD_MAX];

struct ends {
    struct channel listener, vhost;
};

static void connect_ends(struct ends *e) {
    int sockets[2];
    assert_int_equal(packet_pair(sockets), 0);
    channel_await(&e->vhost, sockets[1], CHANNEL_DATA);
    assert_false(channel_ready(&e->vhost));
    assert_int_equal(channel_make(&e->listener, sockets[0], CHANNEL_DATA), 0);
    assert_int_equal(channel_receive(&e->vhost, &packet), -EAGAIN);
    assert_true(channel_ready(&e->vhost));
}

static void close_ends(struct ends *e) {
    channel_close(&e->listener);
    channel_close(&e->vhost);
    channel_close(&e->vhost);
}

static bool readable(const struct channel *c) {
    struct pollfd p = {.fd = c->socket, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void test_message_crosses_both_ways(void **state) {
    struct ends e;
    struct ring_record record;
    const struct message_end end = {.stream = 42};
    struct message_end got;
    (void)state;
    connect_ends(&e);
    assert_int_equal(message_end_put(&e.listener.writer, &end), 0);
    assert_int_equal(channel_flush(&e.listener), 0);
    assert_int_equal(ring_next(&e.vhost.reader, scratch, &record), 1);
    assert_int_equal(message_end_decode(&got, record.payload, record.size), 0);
    assert_int_equal(got.stream, 42);
    assert_int_equal(message_end_put(&e.vhost.writer, &end), 0);
    assert_int_equal(channel_flush(&e.vhost), 0);
    assert_int_equal(ring_next(&e.listener.reader, scratch, &record), 1);
    close_ends(&e);
}

static void test_doorbell_rings_only_when_reader_sleeps(void **state) {
    struct ends e;
    const struct message_end end = {.stream = 1};
    (void)state;
    connect_ends(&e);
    assert_int_equal(message_end_put(&e.listener.writer, &end), 0);
    assert_int_equal(channel_flush(&e.listener), 0);
    assert_false(readable(&e.vhost));
    struct ring_record record;
    assert_int_equal(ring_next(&e.vhost.reader, scratch, &record), 1);
    assert_true(ring_doze(&e.vhost.reader));
    for (int i = 0; i < 100; i++) {
        assert_int_equal(message_end_put(&e.listener.writer, &end), 0);
        assert_int_equal(channel_flush(&e.listener), 0);
    }
    assert_true(readable(&e.vhost));
    assert_int_equal(channel_receive(&e.vhost, &packet), -EAGAIN);
    assert_false(readable(&e.vhost)); /* one bell for a hundred messages */
    close_ends(&e);
}

static void test_descriptor_is_found_behind_doorbells(void **state) {
    struct ends e;
    const struct message_file_descriptor m = {.stream = 7};
    const struct message_doorbell bell = {0};
    int zero = STDIN_FILENO;
    (void)state;
    connect_ends(&e);
    assert_int_equal(message_doorbell_send(e.vhost.socket, &bell, NULL), 0);
    assert_int_equal(message_doorbell_send(e.vhost.socket, &bell, NULL), 0);
    assert_int_equal(message_file_descriptor_send(e.vhost.socket, &m, &zero), 0);
    assert_int_equal(channel_expect(&e.listener, &packet), 1);
    assert_int_equal(packet.type, MESSAGE_FILE_DESCRIPTOR);
    assert_int_equal(packet.fd_count, 1);
    packet_drop(&packet);
    close_ends(&e);
}

static void test_peer_is_blamed_when_it_makes_a_second_ring(void **state) {
    struct ends e;
    const struct message_ring ring = {0};
    int zero = STDIN_FILENO;
    (void)state;
    connect_ends(&e);
    assert_int_equal(message_ring_send(e.listener.socket, &ring, &zero), 0);
    assert_int_equal(channel_receive(&e.vhost, &packet), -EBADMSG);
    close_ends(&e);
}

static void test_peer_is_blamed_when_it_speaks_before_the_ring(void **state) {
    struct channel vhost;
    const struct message_doorbell bell = {0};
    int sockets[2];
    (void)state;
    assert_int_equal(packet_pair(sockets), 0);
    channel_await(&vhost, sockets[1], CHANNEL_DATA);
    assert_int_equal(message_doorbell_send(sockets[0], &bell, NULL), 0);
    assert_int_equal(channel_receive(&vhost, &packet), -EBADMSG);
    channel_close(&vhost);
    close(sockets[0]);
}

static void test_doorbell_with_descriptor_is_blamed(void **state) {
    struct ends e;
    const struct record_header bell = {.size = 0, .type = MESSAGE_DOORBELL};
    int zero = STDIN_FILENO;
    (void)state;
    connect_ends(&e);
    assert_int_equal(packet_send(e.listener.socket, &bell, sizeof bell, &zero, 1), 0);
    assert_int_equal(channel_receive(&e.vhost, &packet), -EBADMSG);
    assert_int_equal(packet.fd_count, 0);
    close_ends(&e);
}

static void test_end_is_seen_when_peer_dies(void **state) {
    struct ends e;
    (void)state;
    connect_ends(&e);
    channel_close(&e.listener);
    assert_int_equal(channel_receive(&e.vhost, &packet), 0);
    channel_close(&e.vhost);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_crosses_both_ways),
        cmocka_unit_test(test_doorbell_rings_only_when_reader_sleeps),
        cmocka_unit_test(test_descriptor_is_found_behind_doorbells),
        cmocka_unit_test(test_peer_is_blamed_when_it_makes_a_second_ring),
        cmocka_unit_test(test_peer_is_blamed_when_it_speaks_before_the_ring),
        cmocka_unit_test(test_doorbell_with_descriptor_is_blamed),
        cmocka_unit_test(test_end_is_seen_when_peer_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
