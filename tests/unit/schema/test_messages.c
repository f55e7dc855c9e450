/* SPDX-License-Identifier: Apache-2.0 */
/* test_messages.c – the wire form byte by byte, values member by member, and the three ways out. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "channel/packet.h"
#include "channel/record_file.h"
#include "channel/ring.h"
#include "schema/messages.h"

static void test_head_has_this_form_on_the_wire(void **state) {
    static const uint8_t expected[] = {
        31,   0,    0,    0,    73,   0,    0,    0,    /* header: 31 bytes of HEAD */
        0x04, 0x03, 0x02, 0x01, 0xc8, 0x00,             /* stream, status */
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* content_length */
        2,    0,    4,    0,    2,    0,    'e',  't',  'a', 'g', '"', '"', 1, 0, 0, 0, 'x', /* two fields */
    };
    struct message_head m = {.stream = 0x01020304, .status = 200, .content_length = LENGTH_UNKNOWN};
    uint8_t frame[64];
    (void)state;
    m.fields[0] = (struct field){SLICE("etag"), SLICE("\"\"")};
    m.fields[1] = (struct field){SLICE("x"), {NULL, 0}};
    m.fields_count = 2;
    assert_int_equal(message_head_size(&m), sizeof expected - RECORD_HEADER_BYTES);
    assert_int_equal(message_head_write(&m, frame, sizeof expected), sizeof expected);
    assert_memory_equal(frame, expected, sizeof expected);
    assert_int_equal(message_head_write(&m, frame, sizeof expected - 1), 0);
}

static void test_open_keeps_every_value(void **state) {
    static struct message_open in, out;
    static uint8_t payload[MESSAGE_OPEN_MAX];
    (void)state;
    in = (struct message_open){.stream = 7,
                               .scheme = SCHEME_HTTPS,
                               .version = VERSION_HTTP11,
                               .family = FAMILY_INET,
                               .address = SLICE("\x7f\0\0\1"),
                               .port = 4711,
                               .body = true,
                               .content_length = 12,
                               .method = SLICE("POST"),
                               .authority = SLICE("alice.example"),
                               .path = SLICE("/a b"),
                               .raw_path = SLICE("/a%20b"),
                               .query = SLICE("q=1"),
                               .fields = {{SLICE("accept"), SLICE("*/*")}},
                               .fields_count = 1};
    size_t size = message_open_encode(&in, payload, sizeof payload);
    assert_true(size > 0);
    assert_int_equal(message_open_decode(&out, payload, size), 0);
    assert_int_equal(out.stream, 7);
    assert_int_equal(out.scheme, SCHEME_HTTPS);
    assert_int_equal(out.version, VERSION_HTTP11);
    assert_int_equal(out.family, FAMILY_INET);
    assert_true(slice_equal(out.address, in.address));
    assert_int_equal(out.port, 4711);
    assert_true(out.body);
    assert_int_equal(out.content_length, 12);
    assert_true(slice_equal(out.method, in.method) && slice_equal(out.authority, in.authority));
    assert_true(slice_equal(out.path, in.path) && slice_equal(out.raw_path, in.raw_path));
    assert_true(slice_equal(out.query, in.query));
    assert_int_equal(out.fields_count, 1);
    assert_true(slice_equal(out.fields[0].name, in.fields[0].name));
    assert_true(slice_equal(out.fields[0].value, in.fields[0].value));
}

static void test_encode_refuses_what_the_peer_would_blame_us_for(void **state) {
    static char long_text[MESSAGE_OPEN_QUERY_MAX + 1];
    static uint8_t payload[MESSAGE_OPEN_MAX];
    const struct message_open good = {.method = SLICE("GET")};
    struct message_open m = good;
    (void)state;
    assert_true(message_open_encode(&m, payload, sizeof payload) > 0);
    m.method = SLICE("G\0T");
    assert_int_equal(message_open_encode(&m, payload, sizeof payload), 0);
    m = good;
    m.query = slice_from(long_text, sizeof long_text);
    assert_int_equal(message_open_encode(&m, payload, sizeof payload), 0);
    m = good;
    m.fields_count = MESSAGE_OPEN_FIELDS_MAX + 1;
    assert_int_equal(message_open_encode(&m, payload, sizeof payload), 0);
    m = good;
    m.scheme = (enum scheme)SCHEME_COUNT;
    assert_int_equal(message_open_encode(&m, payload, sizeof payload), 0);
}

static void test_enums_have_names(void **state) {
    (void)state;
    assert_string_equal(scheme_name(SCHEME_HTTPS), "https");
    assert_string_equal(reason_name(REASON_TOO_LARGE), "too_large");
    assert_string_equal(scheme_name((enum scheme)SCHEME_COUNT), "unknown");
}

static void test_a_message_goes_through_a_ring(void **state) {
    static struct ring_shared shared;
    static uint8_t data[65536], scratch[RECORD_PAYLOAD_MAX];
    static char long_text[MESSAGE_BODY_DATA_MAX + 1];
    struct ring_writer w;
    struct ring_reader r;
    struct ring_record record;
    struct message_body in = {.stream = 9, .data = SLICE("hello")}, out;
    (void)state;
    ring_writer_init(&w, &shared, data, sizeof data);
    ring_reader_init(&r, &shared, data, sizeof data);
    assert_int_equal(message_body_put(&w, &in), 0);
    ring_publish(&w);
    assert_int_equal(ring_next(&r, scratch, &record), 1);
    assert_int_equal(record.type, MESSAGE_BODY);
    assert_int_equal(message_body_decode(&out, record.payload, record.size), 0);
    assert_int_equal(out.stream, 9);
    assert_true(slice_equal(out.data, in.data));

    in.data = slice_from(long_text, sizeof long_text);
    assert_int_equal(message_body_put(&w, &in), -EMSGSIZE);
    in.data.n--;
    int rc;
    while ((rc = message_body_put(&w, &in)) == 0) {}
    assert_int_equal(rc, -EAGAIN);
}

static void test_a_full_ring_with_an_impossible_index_blames_the_reader(void **state) {
    static struct ring_shared shared;
    static uint8_t data[65536];
    static const char content[MESSAGE_BODY_DATA_MAX];
    const struct message_body m = {.stream = 1, .data = {content, sizeof content}};
    struct ring_writer w;
    int rc;
    (void)state;
    ring_writer_init(&w, &shared, data, sizeof data);
    atomic_store(&shared.head, UINT64_MAX);
    while ((rc = message_body_put(&w, &m)) == 0) {}
    assert_int_equal(rc, -EBADMSG);
}

static void test_a_message_goes_over_a_socket_with_its_descriptors(void **state) {
    static struct packet p;
    int ends[2], fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct message_channel in = {.peer = PEER_VHOST, .id = 5, .generation = 2}, out;
    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(packet_pair(ends), 0);
    assert_int_equal(message_channel_send(ends[0], &in, &fd), 0);
    assert_int_equal(packet_receive(ends[1], &p), 1);
    assert_int_equal(p.type, MESSAGE_CHANNEL);
    assert_int_equal(p.fd_count, 1);
    assert_int_equal(message_channel_decode(&out, packet_payload(&p), p.size), 0);
    assert_int_equal(out.peer, PEER_VHOST);
    assert_int_equal(out.id, 5);
    assert_int_equal(out.generation, 2);
    packet_drop(&p);
    close(ends[0]);
    close(ends[1]);
    close(fd);
}

static void test_records_are_appended_and_read_back(void **state) {
    struct record_builder b = {0};
    struct record_file f;
    struct ring_record record;
    struct message_route_vhost in = {.vhost = 3, .name = SLICE("alice")}, out;
    (void)state;
    assert_int_equal(message_route_vhost_append(&b, &in), 0);
    in.vhost = 4;
    assert_int_equal(message_route_vhost_append(&b, &in), 0);
    in.name = SLICE("a\0b");
    assert_int_equal(message_route_vhost_append(&b, &in), -EMSGSIZE);
    record_file_init(&f, b.bytes, b.size);
    for (uint64_t vhost = 3; vhost <= 4; vhost++) {
        assert_int_equal(record_file_next(&f, &record), 1);
        assert_int_equal(record.type, MESSAGE_ROUTE_VHOST);
        assert_int_equal(message_route_vhost_decode(&out, record.payload, record.size), 0);
        assert_int_equal(out.vhost, vhost);
        assert_true(slice_equal(out.name, SLICE("alice")));
    }
    assert_int_equal(record_file_next(&f, &record), 0);
    free(b.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head_has_this_form_on_the_wire),
        cmocka_unit_test(test_open_keeps_every_value),
        cmocka_unit_test(test_encode_refuses_what_the_peer_would_blame_us_for),
        cmocka_unit_test(test_enums_have_names),
        cmocka_unit_test(test_a_message_goes_through_a_ring),
        cmocka_unit_test(test_a_full_ring_with_an_impossible_index_blames_the_reader),
        cmocka_unit_test(test_a_message_goes_over_a_socket_with_its_descriptors),
        cmocka_unit_test(test_records_are_appended_and_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
