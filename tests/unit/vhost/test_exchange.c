/* SPDX-License-Identifier: Apache-2.0 */
/* test_exchange.c – the exchange protocol against a listener that the test plays itself: order of
 * messages, credit, full rings, descriptors, deadlines, and every rule that a listener may break. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/report.h"
#include "vhost/reply.h"

#define CHANNELS 2

struct seen {
    unsigned opened, readable, writable, expired, gone;
    struct stream *last;
    uint32_t last_serial;
    bool answer; /* answer each OPEN at once with 1,000 bytes */
};

struct bench {
    uv_loop_t loop;
    struct hub hub;
    struct channel listener[CHANNELS];
    struct seen seen;
    unsigned warnings;
    _Alignas(8) uint8_t scratch[RECORD_PAYLOAD_MAX];
    struct packet packet;
};

static const char thousand[1000] = "content";

static void count_warning(void *context, enum report_level level, const char *text, size_t n) {
    (void)text, (void)n;
    ((struct bench *)context)->warnings += level == REPORT_WARNING;
}

static void answer(struct stream *s, uint64_t announced, size_t bytes) {
    struct message_head head = {.status = 200, .content_length = announced};
    assert_int_equal(reply_head(s, &head, false), 0);
    reply_write_copy(s, slice_from(thousand, bytes));
    reply_finish(s);
}

static void on_open(void *context, struct stream *s, const struct message_open *m,
                    const struct ring_record *r) {
    struct bench *b = context;
    (void)m, (void)r;
    b->seen.opened++;
    b->seen.last = s;
    b->seen.last_serial = s->serial;
    if (b->seen.answer) {
        answer(s, 1000, 1000);
    }
}
static void on_readable(void *context, struct stream *s) {
    (void)s;
    ((struct bench *)context)->seen.readable++;
}
static void on_writable(void *context, struct stream *s) {
    (void)s;
    ((struct bench *)context)->seen.writable++;
}
static void on_gone(void *context, struct stream *s) {
    (void)s;
    ((struct bench *)context)->seen.gone++;
}
static void on_turn_over(void *context) {
    (void)context;
}
static void on_expired(void *context, struct stream *s) {
    ((struct bench *)context)->seen.expired++;
    reply_reset(s, REASON_TIMEOUT);
}

static const struct hub_events events = {on_open,    on_readable, on_writable,
                                         on_expired, on_gone,     on_turn_over};

static void turns(struct bench *b) {
    for (int i = 0; i < 4; i++) {
        (void)uv_run(&b->loop, UV_RUN_NOWAIT);
    }
}

static int set_up(void **state) {
    struct bench *b = calloc(1, sizeof *b);
    assert_int_equal(uv_loop_init(&b->loop), 0);
    assert_int_equal(hub_init(&b->hub, &b->loop, &events, b, 50), 0);
    report_to(count_warning, b);
    for (int i = 0; i < CHANNELS; i++) {
        int ends[2];
        assert_int_equal(packet_pair(ends), 0);
        assert_int_equal(channel_make(&b->listener[i], ends[0], CHANNEL_DATA), 0);
        assert_int_equal(exchange_add(&b->hub, ends[1], (uint64_t)i), 0);
    }
    turns(b);
    *state = b;
    return 0;
}

static int tear_down(void **state) {
    struct bench *b = *state;
    hub_close(&b->hub);
    (void)uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&b->loop), 0);
    for (int i = 0; i < CHANNELS; i++) {
        channel_close(&b->listener[i]);
    }
    report_to(NULL, NULL);
    hub_deinit(&b->hub);
    free(b);
    return 0;
}

static struct ring_writer *writer(struct bench *b) {
    return &b->listener[0].writer;
}

static void say(struct bench *b, int channel) {
    assert_int_equal(channel_flush(&b->listener[channel]), 0);
    turns(b);
}

static void put_open(struct bench *b, int channel, uint32_t stream, bool body) {
    struct message_open m = {.stream = stream,
                             .body = body,
                             .content_length = LENGTH_UNKNOWN,
                             .method = SLICE("GET"),
                             .authority = SLICE("a.example"),
                             .path = SLICE("/")};
    assert_int_equal(message_open_put(&b->listener[channel].writer, &m), 0);
}

static void put_credit(struct bench *b, uint32_t stream, uint32_t bytes) {
    const struct message_credit m = {.stream = stream, .bytes = bytes};
    assert_int_equal(message_credit_put(writer(b), &m), 0);
}

static void put_body(struct bench *b, uint32_t stream, size_t n) {
    static char data[MESSAGE_BODY_DATA_MAX];
    const struct message_body m = {.stream = stream, .data = slice_from(data, n)};
    assert_int_equal(message_body_put(writer(b), &m), 0);
}

static void put_end(struct bench *b, uint32_t stream) {
    const struct message_end m = {.stream = stream};
    assert_int_equal(message_end_put(writer(b), &m), 0);
}

/* The next message for the listener: its type, or 0. */
static uint16_t hear(struct bench *b, struct ring_record *r) {
    int rc = ring_next(&b->listener[0].reader, b->scratch, r);
    assert_true(rc >= 0);
    ring_release(&b->listener[0].reader);
    return rc == 1 ? r->type : 0;
}

static void assert_hears(struct bench *b, uint16_t type) {
    struct ring_record r;
    assert_int_equal(hear(b, &r), type);
}

static size_t assert_hears_body(struct bench *b) {
    struct ring_record r;
    struct message_body m;
    assert_int_equal(hear(b, &r), MESSAGE_BODY);
    assert_int_equal(message_body_decode(&m, r.payload, r.size), 0);
    return m.data.n;
}

static void assert_hears_reset(struct bench *b, enum reason reason) {
    struct ring_record r;
    struct message_reset m;
    assert_int_equal(hear(b, &r), MESSAGE_RESET);
    assert_int_equal(message_reset_decode(&m, r.payload, r.size), 0);
    assert_int_equal(m.reason, reason);
}

static void test_head_content_end_when_answered_at_once(void **state) {
    struct bench *b = *state;
    b->seen.answer = true;
    put_open(b, 0, 0x10007, false);
    say(b, 0);
    assert_int_equal(b->seen.opened, 1);
    assert_hears(b, MESSAGE_HEAD);
    struct ring_record r;
    struct message_body m;
    assert_int_equal(hear(b, &r), MESSAGE_BODY);
    assert_int_equal(message_body_decode(&m, r.payload, r.size), 0);
    assert_int_equal(m.stream, 0x10007);
    assert_true(slice_equal(m.data, slice_from(thousand, sizeof thousand)));
    assert_hears(b, MESSAGE_END);
    assert_hears(b, 0);
    assert_int_equal(b->seen.gone, 1);
    assert_null(stream_named(&b->hub, b->seen.last->index, b->seen.last_serial));
}

static void test_content_waits_when_credit_is_used_up(void **state) {
    struct bench *b = *state;
    static char content[100000];
    struct message_head head = {.status = 200, .content_length = sizeof content};
    put_open(b, 0, 1, false);
    say(b, 0);
    struct stream *s = b->seen.last;
    assert_int_equal(reply_head(s, &head, false), 0);
    assert_int_equal(reply_write(s, slice_from(content, sizeof content)), -EAGAIN);
    turns(b);
    assert_hears(b, MESSAGE_HEAD);
    assert_int_equal(assert_hears_body(b) + assert_hears_body(b), STREAM_CREDIT_BYTES);
    assert_hears(b, 0);
    put_credit(b, 1, 10);
    say(b, 0);
    assert_int_equal(assert_hears_body(b), 10);
    assert_int_equal(b->seen.writable, 0);
    put_credit(b, 1, 100000);
    say(b, 0);
    assert_int_equal(b->seen.writable, 1);
    reply_finish(s);
    turns(b);
    size_t left = sizeof content - STREAM_CREDIT_BYTES - 10;
    while (left > 0) {
        left -= assert_hears_body(b);
    }
    assert_hears(b, MESSAGE_END);
}

static void test_every_answer_arrives_when_the_ring_is_full(void **state) {
    struct bench *b = *state;
    unsigned heads = 0, bodies = 0, ends = 0;
    struct ring_record r;
    b->seen.answer = true;
    for (uint32_t i = 0; i < 600; i++) {
        put_open(b, 0, i, false);
    }
    say(b, 0);
    for (int i = 0; i < 600 / EXCHANGE_BATCH; i++) {
        turns(b);
    }
    assert_int_equal(b->seen.opened, 600);
    assert_true(b->hub.live > 0); /* 600 answers of 1,000 bytes do not fit 256 KiB */
    for (int i = 0; i < 1000 && ends < 600; i++) {
        uint16_t type;
        while ((type = hear(b, &r)) != 0) {
            heads += type == MESSAGE_HEAD;
            bodies += type == MESSAGE_BODY;
            ends += type == MESSAGE_END;
        }
        (void)usleep(2000);
        turns(b);
    }
    assert_int_equal(heads, 600);
    assert_int_equal(bodies, 600);
    assert_int_equal(ends, 600);
    assert_int_equal(b->hub.live, 0);
}

static void test_credit_is_granted_when_content_is_read(void **state) {
    struct bench *b = *state;
    put_open(b, 0, 1, true);
    put_body(b, 1, 16384);
    put_body(b, 1, 16384);
    say(b, 0);
    struct stream *s = b->seen.last;
    assert_int_equal(stream_unread(s).n, 32768);
    assert_hears(b, 0);
    stream_consume(s);
    hub_activate(s->exchange);
    turns(b);
    assert_hears(b, MESSAGE_CREDIT);
    put_body(b, 1, 5);
    put_end(b, 1);
    say(b, 0);
    assert_int_equal(stream_unread(s).n, 5);
    assert_false(s->body.open);
    assert_int_equal(b->seen.readable, 4);
}

static struct open_file *make_file(struct open_cache *c, size_t bytes) {
    int fd = memfd_create("test", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
    struct open_file *f = open_cache_put(c, SLICE("/f"), fd, 0);
    f->size = bytes;
    return f;
}

static void send_file(struct bench *b, struct open_file *f) {
    struct message_head head = {.status = 200, .content_length = f->size};
    put_open(b, 0, 1, false);
    say(b, 0);
    assert_int_equal(reply_head(b->seen.last, &head, false), 0);
    reply_file(b->seen.last, f);
    reply_finish(b->seen.last);
    turns(b);
}

static void test_small_file_travels_in_the_ring_when_sent(void **state) {
    struct bench *b = *state;
    struct open_cache *c = open_cache_new(4);
    send_file(b, make_file(c, REPLY_SMALL_BYTES));
    assert_hears(b, MESSAGE_HEAD);
    assert_int_equal(assert_hears_body(b), REPLY_SMALL_BYTES);
    assert_hears(b, MESSAGE_END);
    open_cache_free(c);
}

static void test_descriptor_travels_when_the_file_is_large(void **state) {
    struct bench *b = *state;
    struct open_cache *c = open_cache_new(4);
    struct ring_record r;
    struct message_file m;
    send_file(b, make_file(c, REPLY_SMALL_BYTES + 1));
    assert_hears(b, MESSAGE_HEAD);
    assert_int_equal(hear(b, &r), MESSAGE_FILE);
    assert_int_equal(message_file_decode(&m, r.payload, r.size), 0);
    assert_int_equal(m.length, REPLY_SMALL_BYTES + 1);
    assert_int_equal(m.offset, 0);
    assert_int_equal(channel_expect(&b->listener[0], &b->packet), 1);
    assert_int_equal(b->packet.type, MESSAGE_FILE_DESCRIPTOR);
    assert_int_equal(b->packet.fd_count, 1);
    packet_drop(&b->packet);
    assert_hears(b, MESSAGE_END);
    open_cache_free(c);
}

static void test_stream_is_reset_when_the_file_has_shrunk(void **state) {
    struct bench *b = *state;
    struct open_cache *c = open_cache_new(4);
    struct open_file *f = make_file(c, 1000);
    assert_int_equal(ftruncate(f->fd, 0), 0);
    send_file(b, f);
    assert_hears(b, MESSAGE_HEAD);
    assert_hears_reset(b, REASON_INTERNAL);
    assert_null(open_cache_find(c, SLICE("/f"), 0));
    open_cache_free(c);
}

static void test_stream_is_reset_when_content_is_shorter_than_announced(void **state) {
    struct bench *b = *state;
    put_open(b, 0, 1, false);
    say(b, 0);
    answer(b->seen.last, 1000, 999);
    turns(b);
    assert_hears(b, MESSAGE_HEAD);
    assert_int_equal(assert_hears_body(b), 999);
    assert_hears_reset(b, REASON_INTERNAL);
}

static void test_content_is_refused_when_longer_than_announced(void **state) {
    struct bench *b = *state;
    struct message_head head = {.status = 200, .content_length = 3};
    put_open(b, 0, 1, false);
    say(b, 0);
    assert_int_equal(reply_head(b->seen.last, &head, false), 0);
    assert_int_equal(reply_write(b->seen.last, SLICE("four")), -EMSGSIZE);
    reply_write_copy(b->seen.last, SLICE("six"));
    reply_finish(b->seen.last);
    assert_int_equal(b->seen.gone, 1);
}

static void test_stream_expires_when_nothing_moves(void **state) {
    struct bench *b = *state;
    put_open(b, 0, 1, true);
    say(b, 0);
    (void)usleep(30000);
    put_body(b, 1, 1);
    say(b, 0);
    (void)usleep(30000);
    turns(b);
    assert_int_equal(b->seen.expired, 0); /* 60 ms old, but it moved */
    (void)usleep(30000);
    turns(b);
    assert_int_equal(b->seen.expired, 1);
    assert_hears_reset(b, REASON_TIMEOUT);
    assert_int_equal(b->hub.live, 0);
}

static void test_stream_waits_longer_when_only_the_client_is_slow(void **state) {
    struct bench *b = *state;
    static char content[STREAM_CREDIT_BYTES + 1];
    struct message_head head = {.status = 200, .content_length = LENGTH_UNKNOWN};
    put_open(b, 0, 1, false);
    say(b, 0);
    assert_int_equal(reply_head(b->seen.last, &head, false), 0);
    assert_int_equal(reply_write(b->seen.last, slice_from(content, sizeof content)), -EAGAIN);
    for (int i = 0; i < 5; i++) { /* 50 ms each */
        (void)usleep(30000);
        turns(b);
    }
    assert_int_equal(b->seen.expired, 0);
    for (int i = 0; i < 10; i++) {
        (void)usleep(30000);
        turns(b);
    }
    assert_int_equal(b->seen.expired, 1);
}

static void test_late_messages_are_dropped_when_the_stream_is_over(void **state) {
    struct bench *b = *state;
    const struct message_reset reset = {.stream = 0x20001, .reason = REASON_CANCELLED};
    b->seen.answer = true;
    put_open(b, 0, 0x10001, false);
    say(b, 0);
    put_credit(b, 0x10001, 7);
    put_end(b, 0x10001);
    b->seen.answer = false;
    put_open(b, 0, 0x20001, true);
    put_body(b, 0x10001, 7); /* of the stream that had the slot before */
    say(b, 0);
    assert_int_equal(stream_unread(b->seen.last).n, 0);
    assert_int_equal(message_reset_put(writer(b), &reset), 0);
    assert_int_equal(message_reset_put(writer(b), &reset), 0);
    say(b, 0);
    assert_int_equal(b->seen.gone, 2);
    assert_int_equal(b->warnings, 0);
}

/* Each breaks one rule on channel 0. */
static void break_slot(struct bench *b) {
    put_open(b, 0, EXCHANGE_STREAMS_MAX, false);
}
static void break_slot_of_body(struct bench *b) {
    put_body(b, 0xffff, 1);
}
static void break_open_twice(struct bench *b) {
    put_open(b, 0, 0x20005, false);
}
static void break_body_unannounced(struct bench *b) {
    put_body(b, 5, 1);
}
static void break_end_unannounced(struct bench *b) {
    put_end(b, 5);
}
static void break_end_twice(struct bench *b) {
    put_end(b, 6);
    put_end(b, 6);
}
static void break_body_after_end(struct bench *b) {
    put_end(b, 6);
    put_body(b, 6, 1);
}
static void break_credit(struct bench *b) {
    put_credit(b, 5, INT32_MAX);
}
static void break_window(struct bench *b) {
    put_body(b, 6, 16384);
    put_body(b, 6, 16384);
    put_body(b, 6, 1);
}
static void break_direction(struct bench *b) {
    const struct message_head m = {.stream = 5, .status = 200};
    assert_int_equal(message_head_put(writer(b), &m), 0);
}
static void break_leftover(struct bench *b) {
    memset(ring_reserve(writer(b), 5), 0, 5);
    ring_commit(writer(b), MESSAGE_END, 5);
}
static void break_packet(struct bench *b) {
    const struct message_file_descriptor m = {.stream = 5};
    int fd = STDIN_FILENO;
    assert_int_equal(message_file_descriptor_send(b->listener[0].socket, &m, &fd), 0);
}
static void break_index(struct bench *b) {
    struct ring_shared *in = b->listener[0].writer.shared;
    atomic_store(&in->tail, atomic_load(&in->tail) + 3);
    const struct message_doorbell bell = {0};
    assert_int_equal(message_doorbell_send(b->listener[0].socket, &bell, NULL), 0);
}
static void break_our_index(struct bench *b) {
    atomic_store(&b->listener[0].reader.shared->head, UINT64_MAX);
    put_open(b, 0, 9, false);
    b->seen.answer = true;
    for (uint32_t i = 10; i < 300; i++) {
        put_open(b, 0, i, false);
    }
}

static void test_channel_is_closed_when_the_listener_breaks_a_rule(void **state) {
    struct bench *b = *state;
    static void (*const breaks[])(struct bench *) = {break_slot,
                                                     break_slot_of_body,
                                                     break_open_twice,
                                                     break_body_unannounced,
                                                     break_end_unannounced,
                                                     break_end_twice,
                                                     break_body_after_end,
                                                     break_credit,
                                                     break_window,
                                                     break_direction,
                                                     break_leftover,
                                                     break_packet,
                                                     break_index,
                                                     break_our_index};
    for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
        b->warnings = 0;
        b->seen = (struct seen){0};
        put_open(b, 0, 5, false);
        put_open(b, 0, 6, true);
        put_open(b, 1, 5, false);
        say(b, 1);
        say(b, 0);
        assert_int_equal(b->seen.opened, 3);
        breaks[i](b);
        (void)channel_flush(&b->listener[0]);
        turns(b);
        assert_int_equal(b->warnings, 1);
        assert_int_equal(packet_receive(b->listener[0].socket, &b->packet) == 1
                             ? packet_receive(b->listener[0].socket, &b->packet)
                             : 0,
                         0);
        assert_true(b->seen.gone >= 2);
        assert_int_equal(b->hub.live, 1); /* the other listener's stream lives */
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
        b = *state;
    }
}

static void test_streams_are_gone_when_the_listener_dies(void **state) {
    struct bench *b = *state;
    put_open(b, 0, 1, true);
    put_open(b, 0, 2, false);
    say(b, 0);
    channel_close(&b->listener[0]);
    turns(b);
    assert_int_equal(b->seen.gone, 2);
    assert_int_equal(b->hub.live, 0);
    assert_int_equal(b->warnings, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_head_content_end_when_answered_at_once),
        TEST(test_content_waits_when_credit_is_used_up),
        TEST(test_every_answer_arrives_when_the_ring_is_full),
        TEST(test_credit_is_granted_when_content_is_read),
        TEST(test_small_file_travels_in_the_ring_when_sent),
        TEST(test_descriptor_travels_when_the_file_is_large),
        TEST(test_stream_is_reset_when_the_file_has_shrunk),
        TEST(test_stream_is_reset_when_content_is_shorter_than_announced),
        TEST(test_content_is_refused_when_longer_than_announced),
        TEST(test_stream_expires_when_nothing_moves),
        TEST(test_stream_waits_longer_when_only_the_client_is_slow),
        TEST(test_late_messages_are_dropped_when_the_stream_is_over),
        TEST(test_channel_is_closed_when_the_listener_breaks_a_rule),
        TEST(test_streams_are_gone_when_the_listener_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
