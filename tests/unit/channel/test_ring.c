/* SPDX-License-Identifier: Apache-2.0 */
/* test_ring.c – a ring of records, with an honest and a lying peer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "channel/ring.h"

#define SIZE (64u * 1024)

struct pair {
    struct ring_shared shared;
    uint64_t data[SIZE / 8];
    struct ring_writer w;
    struct ring_reader r;
    uint8_t scratch[RECORD_PAYLOAD_MAX];
};

static int set_up(void **state) {
    struct pair *p = calloc(1, sizeof *p);
    ring_writer_init(&p->w, &p->shared, p->data, SIZE);
    ring_reader_init(&p->r, &p->shared, p->data, SIZE);
    *state = p;
    return p == NULL;
}

static int tear_down(void **state) {
    free(*state);
    return 0;
}

static int put(struct pair *p, uint16_t type, uint32_t n, uint8_t fill) {
    void *room = ring_reserve(&p->w, n);
    if (room == NULL) {
        return -errno;
    }
    memset(room, fill, n);
    ring_commit(&p->w, type, n);
    return 0;
}

static void expect(struct pair *p, uint16_t type, uint32_t n, uint8_t fill) {
    struct ring_record record;
    assert_int_equal(ring_next(&p->r, p->scratch, &record), 1);
    assert_int_equal(record.type, type);
    assert_int_equal(record.size, n);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(record.payload[i], fill);
    }
}

static void test_record_arrives_when_published(void **state) {
    struct pair *p = *state;
    struct ring_record record;
    assert_int_equal(put(p, 7, 100, 0xAA), 0);
    assert_int_equal(ring_next(&p->r, p->scratch, &record), 0);
    (void)ring_publish(&p->w);
    expect(p, 7, 100, 0xAA);
    assert_int_equal(ring_next(&p->r, p->scratch, &record), 0);
}

static void test_records_of_every_size_survive_many_laps(void **state) {
    struct pair *p = *state;
    srand(1);
    for (unsigned lap = 0; lap < 20000; lap++) {
        unsigned count = 1 + (unsigned)rand() % 4;
        uint32_t sizes[4];
        for (unsigned i = 0; i < count; i++) {
            sizes[i] = (uint32_t)rand() % (rand() % 8 == 0 ? RECORD_PAYLOAD_MAX / 8 : 600);
            assert_int_equal(put(p, (uint16_t)(i + 1), sizes[i], (uint8_t)lap), 0);
        }
        (void)ring_publish(&p->w);
        for (unsigned i = 0; i < count; i++) {
            expect(p, (uint16_t)(i + 1), sizes[i], (uint8_t)lap);
        }
        ring_release(&p->r);
    }
}

static void test_largest_record_fits_at_every_offset_when_empty(void **state) {
    struct pair *p = *state;
    for (uint32_t offset = 0; offset < SIZE; offset += 1000) {
        assert_int_equal(put(p, 1, 1000 - 8 - 8, 1), 0);
        (void)ring_publish(&p->w);
        expect(p, 1, 1000 - 16, 1);
        ring_release(&p->r);
        assert_int_equal(put(p, 2, RECORD_PAYLOAD_MAX, 2), 0);
        (void)ring_publish(&p->w);
        expect(p, 2, RECORD_PAYLOAD_MAX, 2);
        ring_release(&p->r);
    }
}

static void test_quiet_ring_stays_on_its_first_half(void **state) {
    struct pair *p = *state;
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(put(p, 1, 700, 0xFF), 0);
        (void)ring_publish(&p->w);
        expect(p, 1, 700, 0xFF);
        ring_release(&p->r);
    }
    for (size_t i = (SIZE / 2 + 4096) / 8; i < SIZE / 8; i++) {
        assert_int_equal(p->data[i], 0);
    }
}

static void test_full_ring_refuses_until_released(void **state) {
    struct pair *p = *state;
    unsigned count = 0;
    while (put(p, 1, 1000, 1) == 0) {
        count++;
    }
    assert_int_equal(errno, EAGAIN);
    assert_in_range(count, 60, 66);
    (void)ring_publish(&p->w);
    assert_false(ring_has_room(&p->w, 1000, 0));
    for (unsigned i = 0; i < count; i++) {
        expect(p, 1, 1000, 1);
    }
    assert_int_equal(put(p, 1, 1000, 1), -EAGAIN);
    ring_release(&p->r);
    assert_true(ring_has_room(&p->w, 1000, 0));
    assert_int_equal(put(p, 1, 1000, 1), 0);
}

static void test_doorbell_is_asked_for_only_when_reader_sleeps(void **state) {
    struct pair *p = *state;
    struct ring_record record;
    assert_int_equal(put(p, 1, 8, 1), 0);
    assert_false(ring_publish(&p->w));
    assert_false(ring_doze(&p->r)); /* something has come: do not sleep */
    assert_int_equal(ring_next(&p->r, p->scratch, &record), 1);
    assert_true(ring_doze(&p->r));
    assert_int_equal(put(p, 1, 8, 1), 0);
    assert_true(ring_publish(&p->w));
    assert_int_equal(put(p, 1, 8, 1), 0);
    assert_false(ring_publish(&p->w)); /* once is enough */
}

static void test_reader_does_not_sleep_on_what_it_has_seen_and_not_read(void **state) {
    struct pair *p = *state;
    assert_int_equal(put(p, 1, 8, 1), 0);
    assert_int_equal(put(p, 2, 8, 2), 0);
    (void)ring_publish(&p->w);
    expect(p, 1, 8, 1);
    assert_false(ring_doze(&p->r));
    expect(p, 2, 8, 2);
    assert_true(ring_doze(&p->r));
}

static void test_writer_is_blamed_when_its_index_is_impossible(void **state) {
    struct pair *p = *state;
    struct ring_record record;
    const uint64_t lies[] = {SIZE + 8, 4, 1, UINT64_MAX, UINT64_MAX - 7, 1ull << 63};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        atomic_store(&p->shared.tail, lies[i]);
        assert_int_equal(ring_next(&p->r, p->scratch, &record), -EBADMSG);
    }
}

static void test_writer_is_blamed_when_its_index_goes_back(void **state) {
    struct pair *p = *state;
    struct ring_record record;
    assert_int_equal(put(p, 1, 100, 1), 0);
    (void)ring_publish(&p->w);
    expect(p, 1, 100, 1);
    atomic_store(&p->shared.tail, 8);
    assert_int_equal(ring_next(&p->r, p->scratch, &record), -EBADMSG);
}

static void test_writer_is_blamed_when_a_header_lies(void **state) {
    struct pair *p = *state;
    struct ring_record record;
    const struct record_header lies[] = {{.size = 101, .type = 1},
                                         {.size = UINT32_MAX, .type = 1},
                                         {.size = RECORD_PAYLOAD_MAX + 1, .type = 1},
                                         {.size = 8, .type = 1, .reserved = 1},
                                         {.size = 8, .type = RECORD_PAD},
                                         {.size = SIZE - 8, .type = RECORD_PAD}};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct ring_reader r;
        ring_reader_init(&r, &p->shared, p->data, SIZE);
        memcpy(p->data, &lies[i], sizeof lies[i]);
        atomic_store(&p->shared.tail, 104);
        assert_int_equal(ring_next(&r, p->scratch, &record), -EBADMSG);
    }
}

static void test_reader_is_blamed_when_its_index_is_impossible(void **state) {
    struct pair *p = *state;
    while (put(p, 1, 1000, 1) == 0) {}
    (void)ring_publish(&p->w);
    const uint64_t lies[] = {1, 4, UINT64_MAX, (uint64_t)SIZE * 2, UINT64_MAX - 7};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        atomic_store(&p->shared.head, lies[i]);
        assert_int_equal(put(p, 1, 1000, 1), -EBADMSG);
        assert_false(ring_has_room(&p->w, 1000, 0));
        assert_false(ring_reader_is_honest(&p->w));
    }
    atomic_store(&p->shared.head, 8 * 1008);
    assert_true(ring_reader_is_honest(&p->w));
    assert_int_equal(put(p, 1, 1000, 1), 0);
    atomic_store(&p->shared.head, 1008); /* it goes back */
    while (put(p, 1, 1000, 1) == 0) {}
    assert_int_equal(errno, EBADMSG);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_record_arrives_when_published),
        T(test_records_of_every_size_survive_many_laps),
        T(test_largest_record_fits_at_every_offset_when_empty),
        T(test_quiet_ring_stays_on_its_first_half),
        T(test_full_ring_refuses_until_released),
        T(test_doorbell_is_asked_for_only_when_reader_sleeps),
        T(test_reader_does_not_sleep_on_what_it_has_seen_and_not_read),
        T(test_writer_is_blamed_when_its_index_is_impossible),
        T(test_writer_is_blamed_when_its_index_goes_back),
        T(test_writer_is_blamed_when_a_header_lies),
        T(test_reader_is_blamed_when_its_index_is_impossible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
