/* SPDX-License-Identifier: Apache-2.0 */
/* test_scribble.c – a hostile thread rewrites shared memory while reader and writer work (attack 14).
 * What they read may be garbage and must then be refused; they may never leave the ring, hang, or hand out a
 * record larger than its maximum. The sanitizer build sees every access outside. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "channel/ring.h"
#include "schema/messages.h"

#define SIZE (64u * 1024)
#define RUN_MS 1500

struct arena {
    struct ring_shared shared;
    _Atomic uint64_t data[SIZE / 8];
    atomic_bool stop;
};

/* Not C's rand(): it takes a lock, and would keep the scribbler slow. */
static uint64_t next_random(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Any word anywhere: plausible indices, plausible headers, noise. */
static void *scribble(void *argument) {
    struct arena *a = argument;
    uint64_t seed = 88172645463325252ull;
    while (!atomic_load_explicit(&a->stop, memory_order_relaxed)) {
        uint64_t r = next_random(&seed);
        uint64_t header = (r >> 20) % 200 | 70ull << 32;
        uint64_t value = r % 4 == 0 ? r : r % 4 == 1 ? ((r >> 20) % (2 * SIZE) & ~7ull) : header;
        switch (r >> 61) {
        case 0:
            atomic_store_explicit(&a->shared.tail, value, memory_order_relaxed);
            break;
        case 1:
            atomic_store_explicit(&a->shared.head, value, memory_order_relaxed);
            break;
        case 2:
            atomic_store_explicit(&a->shared.asleep, (uint32_t)value, memory_order_relaxed);
            break;
        default:
            atomic_store_explicit(&a->data[(r >> 8) % 512], value, memory_order_relaxed);
        }
    }
    return NULL;
}

static void run_reader(struct arena *a, uint64_t *records, uint64_t *refused) {
    static uint8_t scratch[RECORD_PAYLOAD_MAX];
    struct ring_reader r;
    struct ring_record record;
    uint64_t end = clock_monotonic_ms() + RUN_MS;
    ring_reader_init(&r, &a->shared, (const void *)a->data, SIZE);
    while (clock_monotonic_ms() < end) {
        for (unsigned i = 0; i < 1000; i++) {
            int rc = ring_next(&r, scratch, &record);
            if (rc == 1) {
                struct message_open open;
                assert_in_range(record.size, 0, RECORD_PAYLOAD_MAX);
                (void)message_open_decode(&open, record.payload, record.size);
                (*records)++;
            } else if (rc < 0) {
                assert_int_equal(rc, -EBADMSG);
                (*refused)++;
                ring_reader_init(&r, &a->shared, (const void *)a->data, SIZE);
            } else {
                (void)ring_doze(&r);
            }
            if (i % 16 == 0) {
                ring_release(&r);
            }
        }
    }
}

static void run_writer(struct arena *a, uint64_t *written, uint64_t *refused) {
    struct ring_writer w;
    uint64_t end = clock_monotonic_ms() + RUN_MS;
    uint64_t seed = 1;
    ring_writer_init(&w, &a->shared, (void *)a->data, SIZE);
    while (clock_monotonic_ms() < end) {
        for (unsigned i = 0; i < 1000; i++) {
            uint32_t n = (uint32_t)(next_random(&seed) % 5000);
            uint8_t *room = ring_reserve(&w, n);
            if (room != NULL) {
                assert_in_range((uintptr_t)room, (uintptr_t)a->data, (uintptr_t)a->data + SIZE - n);
                memset(room, 0x5A, n);
                ring_commit(&w, 9, n);
                (void)ring_publish(&w);
                (*written)++;
            } else {
                assert_true(errno == EAGAIN || errno == EBADMSG);
                (*refused)++;
                ring_writer_init(&w, &a->shared, (void *)a->data, SIZE);
            }
        }
    }
}

static void with_scribbler(void (*run)(struct arena *, uint64_t *, uint64_t *)) {
    struct arena *a = calloc(1, sizeof *a);
    pthread_t thread;
    uint64_t good = 0;
    uint64_t refused = 0;
    assert_non_null(a);
    assert_int_equal(pthread_create(&thread, NULL, scribble, a), 0);
    run(a, &good, &refused);
    atomic_store(&a->stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(good > 100);    /* the test has tested something: */
    assert_true(refused > 100); /* both garbage that passes for records, and garbage that does not */
    free(a);
}

static void test_reader_survives_when_memory_is_scribbled(void **state) {
    (void)state;
    with_scribbler(run_reader);
}

static void test_writer_survives_when_memory_is_scribbled(void **state) {
    (void)state;
    with_scribbler(run_writer);
}

/* Two honest threads: no doorbell is lost. The reader sleeps only when told it may, and then waits for a bell. */
struct honest {
    struct ring_shared shared;
    uint64_t data[SIZE / 8];
    atomic_uint bells;
};

#define MESSAGES 300000u

static void *write_honestly(void *argument) {
    struct honest *h = argument;
    struct ring_writer w;
    ring_writer_init(&w, &h->shared, h->data, SIZE);
    for (uint32_t i = 0; i < MESSAGES;) {
        uint32_t *room = ring_reserve(&w, sizeof i);
        if (room == NULL) {
            continue;
        }
        *room = i++;
        ring_commit(&w, 1, sizeof i);
        if (ring_publish(&w)) {
            atomic_fetch_add(&h->bells, 1);
        }
    }
    return NULL;
}

static void test_no_doorbell_is_lost_when_both_are_honest(void **state) {
    struct honest *h = calloc(1, sizeof *h);
    struct ring_reader r;
    struct ring_record record;
    pthread_t thread;
    uint8_t *scratch = malloc(RECORD_PAYLOAD_MAX);
    (void)state;
    ring_reader_init(&r, &h->shared, h->data, SIZE);
    assert_int_equal(pthread_create(&thread, NULL, write_honestly, h), 0);
    uint32_t expected = 0;
    uint64_t deadline = clock_monotonic_ms() + 60000;
    while (expected < MESSAGES) {
        int rc = ring_next(&r, scratch, &record);
        assert_true(rc >= 0);
        if (rc == 1) {
            uint32_t got;
            memcpy(&got, record.payload, sizeof got);
            assert_int_equal(got, expected++);
        } else if (ring_doze(&r)) {
            while (atomic_load(&h->bells) == 0) { /* asleep: only a bell wakes */
                assert_true(clock_monotonic_ms() < deadline);
            }
            atomic_fetch_sub(&h->bells, 1);
        }
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    free(h);
    free(scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader_survives_when_memory_is_scribbled),
        cmocka_unit_test(test_writer_survives_when_memory_is_scribbled),
        cmocka_unit_test(test_no_doorbell_is_lost_when_both_are_honest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
