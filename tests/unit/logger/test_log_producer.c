/* SPDX-License-Identifier: Apache-2.0 */
/* test_log_producer.c – records reach whichever logger there is, and hostile loggers reach nothing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/report.h"
#include "channel/log_producer.h"

struct both {
    struct log_producer producer;
    struct channel logger; /* the other end */
    unsigned reports;
};

static void count_report(void *context, enum report_level level, const char *text, size_t n) {
    (void)level, (void)text, (void)n;
    ((struct both *)context)->reports++;
}

static int make_both(void **state) {
    struct both *b = calloc(1, sizeof *b);
    if (b == NULL || log_producer_init(&b->producer, CHANNEL_LOG) != 0) {
        return -1;
    }
    b->logger.socket = -1;
    report_to(count_report, b);
    *state = b;
    return 0;
}

static int remove_both(void **state) {
    struct both *b = *state;
    report_to(NULL, NULL);
    log_producer_deinit(&b->producer);
    channel_close(&b->logger);
    free(b);
    return 0;
}

static void start_logger(struct both *b) {
    int ends[2];
    assert_int_equal(packet_pair(ends), 0);
    log_producer_take(&b->producer, ends[0]);
    assert_int_equal(log_producer_socket(&b->producer), ends[0]);
    assert_int_equal(channel_make(&b->logger, ends[1], CHANNEL_LOG), 0);
    assert_int_equal(log_producer_receive(&b->producer), 0);
    assert_true(channel_ready(&b->producer.current));
}

static void kill_logger(struct both *b) {
    channel_close(&b->logger);
    assert_int_equal(log_producer_receive(&b->producer), -EPIPE);
    log_producer_hang_up(&b->producer);
    log_producer_hang_up(&b->producer);
    assert_int_equal(log_producer_socket(&b->producer), -1);
}

static void write_line(struct both *b, unsigned number) {
    char text[32];
    int n = snprintf(text, sizeof text, "line %u", number);
    log_producer_error(&b->producer, LEVEL_ERROR, slice_from(text, (size_t)n));
}

/* Reads one record. Returns the number of its line, or -1 where there is none. */
static int read_line(struct both *b, uint64_t *dropped) {
    _Alignas(8) static uint8_t scratch[RECORD_PAYLOAD_MAX];
    struct ring_record record;
    int rc = ring_next(&b->logger.reader, scratch, &record);
    assert_true(rc >= 0);
    if (rc == 0) {
        return -1;
    }
    if (record.type == MESSAGE_LOG_DROPPED) {
        struct message_log_dropped m;
        assert_int_equal(message_log_dropped_decode(&m, record.payload, record.size), 0);
        assert_non_null(dropped);
        *dropped += m.records;
        return read_line(b, dropped);
    }
    struct message_log_error m;
    char text[64] = {0};
    int number;
    assert_int_equal(record.type, MESSAGE_LOG_ERROR);
    assert_int_equal(message_log_error_decode(&m, record.payload, record.size), 0);
    assert_true(m.text.n < sizeof text);
    memcpy(text, m.text.p, m.text.n);
    assert_int_equal(sscanf(text, "line %d", &number), 1);
    return number;
}

static unsigned doorbells(struct both *b) {
    struct packet packet;
    unsigned n = 0;
    while (packet_receive(b->logger.socket, &packet) == 1) {
        assert_int_equal(packet.type, MESSAGE_DOORBELL);
        n++;
    }
    return n;
}

static void test_keeps_records_when_no_logger_has_come_yet(void **state) {
    struct both *b = *state;
    for (unsigned i = 0; i < 5; i++) {
        write_line(b, i);
    }
    assert_int_equal(log_producer_flush(&b->producer), 0);
    start_logger(b);
    write_line(b, 5);
    assert_int_equal(log_producer_flush(&b->producer), 0);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(read_line(b, NULL), i);
    }
    assert_int_equal(read_line(b, NULL), -1);
}

static void test_shows_nothing_when_not_flushed(void **state) {
    struct both *b = *state;
    start_logger(b);
    write_line(b, 0);
    assert_int_equal(read_line(b, NULL), -1);
    assert_int_equal(log_producer_flush(&b->producer), 0);
    assert_int_equal(read_line(b, NULL), 0);
}

static void test_cuts_fields_when_they_are_too_long(void **state) {
    static char big[20000];
    _Alignas(8) static uint8_t scratch[RECORD_PAYLOAD_MAX];
    struct both *b = *state;
    struct ring_record record;
    struct message_log_access m = {.vhost = 1, .status = 200}, out;
    struct slice all = {big, sizeof big};
    memset(big, 'x', sizeof big);
    start_logger(b);
    m.method = m.target = m.host = m.referer = m.agent = all;
    log_producer_access(&b->producer, &m);
    log_producer_error(&b->producer, LEVEL_ERROR, all);
    assert_int_equal(log_producer_flush(&b->producer), 0);
    assert_int_equal(b->producer.dropped, 0);
    assert_int_equal(ring_next(&b->logger.reader, scratch, &record), 1);
    assert_int_equal(message_log_access_decode(&out, record.payload, record.size), 0);
    assert_int_equal(out.target.n, MESSAGE_LOG_ACCESS_TARGET_MAX);
    assert_int_equal(out.agent.n, MESSAGE_LOG_ACCESS_AGENT_MAX);
    assert_int_equal(ring_next(&b->logger.reader, scratch, &record), 1);
    assert_int_equal(record.type, MESSAGE_LOG_ERROR);
}

static void test_counts_what_does_not_fit_when_the_ring_is_full(void **state) {
    struct both *b = *state;
    uint64_t dropped = 0;
    int read = 0, last = -1, number;
    start_logger(b);
    for (unsigned i = 0; i < 5000; i++) {
        write_line(b, i);
    }
    assert_int_equal(log_producer_flush(&b->producer), 0);
    while ((number = read_line(b, &dropped)) >= 0) {
        assert_int_equal(number, last + 1);
        last = number;
        read++;
    }
    assert_in_range(read, 1000, 4000);
    assert_int_equal(dropped, 0);
    ring_release(&b->logger.reader);
    write_line(b, 6000);
    assert_int_equal(log_producer_flush(&b->producer), 0);
    assert_int_equal(read_line(b, &dropped), 6000);
    assert_int_equal(dropped, 5000 - read);
    write_line(b, 6001);
    assert_int_equal(log_producer_flush(&b->producer), 0);
    assert_int_equal(read_line(b, &dropped), 6001);
    assert_int_equal(dropped, 5000 - read);
}

static void test_owns_up_without_a_record_when_there_is_room_again(void **state) {
    struct both *b = *state;
    uint64_t dropped = 0;
    start_logger(b);
    for (unsigned i = 0; i < 5000; i++) {
        write_line(b, i);
    }
    assert_int_equal(log_producer_flush(&b->producer), 0);
    uint64_t lost = b->producer.dropped;
    assert_in_range(lost, 1, 4999);
    while (read_line(b, NULL) >= 0) {
        continue;
    }
    ring_release(&b->logger.reader);
    assert_int_equal(log_producer_flush(&b->producer), 0);
    assert_int_equal(read_line(b, &dropped), -1);
    assert_int_equal(dropped, lost);
}

static void test_rings_once_for_an_eighth_of_a_ring_when_busy(void **state) {
    struct both *b = *state;
    start_logger(b);
    unsigned rung = 0;
    for (unsigned i = 100000; i < 110000; i++) { /* records of 32 bytes */
        write_line(b, i);
        assert_int_equal(log_producer_flush(&b->producer), 0);
        if (i % 200 == 0) {
            rung += doorbells(b);
            while (read_line(b, NULL) >= 0) {
                continue;
            }
            ring_release(&b->logger.reader);
        }
    }
    rung += doorbells(b);
    assert_int_equal(rung, 10000 * 32 / (CHANNEL_IN_BYTES / 8 + 32));
    assert_int_equal(b->producer.dropped, 0);
}

static void test_never_rings_when_the_logger_pretends_to_sleep(void **state) {
    struct both *b = *state;
    start_logger(b);
    for (unsigned i = 0; i < 100; i++) {
        atomic_store(&b->logger.reader.shared->asleep, 1);
        write_line(b, i);
        assert_int_equal(log_producer_flush(&b->producer), 0);
    }
    assert_int_equal(doorbells(b), 0);
}

static void test_moves_unread_records_when_the_logger_is_replaced(void **state) {
    struct both *b = *state;
    start_logger(b);
    for (unsigned i = 0; i < 100; i++) {
        write_line(b, i);
    }
    assert_int_equal(log_producer_flush(&b->producer), 0);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(read_line(b, NULL), i);
    }
    ring_release(&b->logger.reader);
    for (int i = 40; i < 50; i++) {
        assert_int_equal(read_line(b, NULL), i); /* read, never released */
    }
    kill_logger(b);
    for (unsigned i = 100; i < 200; i++) {
        write_line(b, i);
    }
    assert_int_equal(log_producer_flush(&b->producer), 0);
    start_logger(b);
    for (int i = 40; i < 200; i++) {
        assert_int_equal(read_line(b, NULL), i);
    }
    assert_int_equal(read_line(b, NULL), -1);
}

static void test_loses_nothing_when_a_wrapped_and_full_ring_moves(void **state) {
    struct both *b = *state;
    uint64_t dropped = 0;
    unsigned first = 0, next = 0;
    start_logger(b);
    for (; next < 1500; next++) {
        write_line(b, next);
    }
    assert_int_equal(log_producer_flush(&b->producer), 0);
    for (; first < 1500; first++) {
        assert_int_equal(read_line(b, NULL), first);
    }
    ring_release(&b->logger.reader);
    while (b->producer.dropped == 0) {
        write_line(b, next++);
    }
    kill_logger(b);
    start_logger(b);
    for (; first < next - 1; first++) {
        assert_int_equal(read_line(b, &dropped), first);
    }
    write_line(b, 9999);
    assert_int_equal(log_producer_flush(&b->producer), 0);
}

static void scribble(struct both *b, unsigned seed) {
    uint8_t *memory = b->logger.memory;
    srand(seed);
    for (int i = 0; i < 2000; i++) {
        memory[4096 + (unsigned)rand() % CHANNEL_IN_BYTES] = (uint8_t)rand();
    }
    if (seed % 3 == 0) {
        atomic_store(&b->logger.reader.shared->head, (uint64_t)rand() * 4);
    }
    if (seed % 5 == 0) {
        atomic_store(&b->logger.reader.shared->tail, (uint64_t)rand() * 8);
    }
}

/* Whatever the dead logger wrote over the ring, the next one gets only records that decode. */
static void test_blames_nobody_later_when_a_logger_scribbled(void **state) {
    struct both *b = *state;
    _Alignas(8) static uint8_t scratch[RECORD_PAYLOAD_MAX];
    for (unsigned seed = 0; seed < 200; seed++) {
        struct ring_record record;
        struct message_log_error error;
        int rc;
        start_logger(b);
        for (unsigned i = 0; i < 1000; i++) {
            write_line(b, i);
        }
        (void)log_producer_flush(&b->producer);
        scribble(b, seed);
        kill_logger(b);
        start_logger(b);
        while ((rc = ring_next(&b->logger.reader, scratch, &record)) == 1) {
            struct message_log_dropped dropped;
            struct message_log_access access;
            assert_true((record.type == MESSAGE_LOG_ERROR &&
                         message_log_error_decode(&error, record.payload, record.size) == 0) ||
                        (record.type == MESSAGE_LOG_DROPPED &&
                         message_log_dropped_decode(&dropped, record.payload, record.size) == 0) ||
                        (record.type == MESSAGE_LOG_ACCESS &&
                         message_log_access_decode(&access, record.payload, record.size) == 0));
        }
        assert_int_equal(rc, 0);
        kill_logger(b);
    }
}

static void test_cuts_the_logger_off_when_its_index_is_impossible(void **state) {
    struct both *b = *state;
    uint64_t dropped = 0;
    start_logger(b);
    write_line(b, 0);
    assert_int_equal(log_producer_flush(&b->producer), 0);
    atomic_store(&b->logger.reader.shared->head, UINT64_C(1) << 40);
    while (!b->producer.broken) {
        write_line(b, 1);
    }
    assert_int_equal(log_producer_flush(&b->producer), -EBADMSG);
    assert_int_equal(log_producer_flush(&b->producer), 0);
    log_producer_hang_up(&b->producer);
    assert_int_equal(log_producer_flush(&b->producer), 0);
    write_line(b, 2);
    assert_int_equal(b->reports, 1);
    channel_close(&b->logger);
    start_logger(b);
    write_line(b, 3);
    assert_int_equal(log_producer_flush(&b->producer), 0);
    int number, last = -1;
    while ((number = read_line(b, &dropped)) >= 0) {
        last = number;
    }
    assert_int_equal(last, 3);
    assert_in_range(dropped, 2, 10);
}

static void test_closes_when_the_logger_sends_what_it_may_not(void **state) {
    struct both *b = *state;
    static const uint8_t open_frame[] = {0, 0, 0, 0, MESSAGE_OPEN, 0, 0, 0};
    start_logger(b);
    assert_int_equal(packet_send(b->logger.socket, open_frame, sizeof open_frame, NULL, 0), 0);
    assert_int_equal(log_producer_receive(&b->producer), -EBADMSG);
    assert_int_equal(b->reports, 1);
    log_producer_hang_up(&b->producer);
    channel_close(&b->logger);
    write_line(b, 1);
    start_logger(b);
    assert_int_equal(read_line(b, NULL), 1);
}

static void test_waits_for_the_next_when_a_logger_dies_before_its_ring(void **state) {
    struct both *b = *state;
    int ends[2];
    write_line(b, 0);
    assert_int_equal(packet_pair(ends), 0);
    log_producer_take(&b->producer, ends[0]);
    (void)close(ends[1]);
    assert_int_equal(log_producer_receive(&b->producer), -EPIPE);
    log_producer_hang_up(&b->producer);
    start_logger(b);
    assert_int_equal(read_line(b, NULL), 0);
}

#define producer_test(f) cmocka_unit_test_setup_teardown(f, make_both, remove_both)

int main(void) {
    const struct CMUnitTest tests[] = {
        producer_test(test_keeps_records_when_no_logger_has_come_yet),
        producer_test(test_shows_nothing_when_not_flushed),
        producer_test(test_cuts_fields_when_they_are_too_long),
        producer_test(test_counts_what_does_not_fit_when_the_ring_is_full),
        producer_test(test_owns_up_without_a_record_when_there_is_room_again),
        producer_test(test_rings_once_for_an_eighth_of_a_ring_when_busy),
        producer_test(test_never_rings_when_the_logger_pretends_to_sleep),
        producer_test(test_moves_unread_records_when_the_logger_is_replaced),
        producer_test(test_loses_nothing_when_a_wrapped_and_full_ring_moves),
        producer_test(test_blames_nobody_later_when_a_logger_scribbled),
        producer_test(test_cuts_the_logger_off_when_its_index_is_impossible),
        producer_test(test_closes_when_the_logger_sends_what_it_may_not),
        producer_test(test_waits_for_the_next_when_a_logger_dies_before_its_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
