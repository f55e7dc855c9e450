/* SPDX-License-Identifier: Apache-2.0 */
/* test_pace.c – who is too slow, second by second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "listener/pace.h"

/* How many seconds at so many bytes each are kept, at a rate of 1000; most: when to stop asking. */
static unsigned seconds_kept(uint64_t at_first, uint64_t each, unsigned most) {
    struct pace p;
    uint64_t moved = 7;
    pace_begin(&p, moved);
    moved += at_first;
    for (unsigned i = 0; i < most; i++) {
        moved += each;
        if (!pace_keeps(&p, moved, 1000, 1000)) {
            return i;
        }
    }
    return most;
}

static void test_silence_is_kept_for_the_grace(void **state) {
    (void)state;
    assert_int_equal(seconds_kept(0, 0, 100), 10);
}

static void test_the_rate_itself_is_kept_for_ever(void **state) {
    (void)state;
    assert_int_equal(seconds_kept(0, 1000, 1000), 1000);
    assert_int_equal(seconds_kept(0, 900, 1000), 100);
}

static void test_bytes_of_the_past_count_but_not_without_end(void **state) {
    (void)state;
    assert_int_equal(seconds_kept(50000, 0, 1000), 60);
    assert_int_equal(seconds_kept(UINT32_MAX, 0, 1000), 10 + PACE_AHEAD_MAX_BYTES / 1000);
}

static void test_time_that_is_not_the_clients_does_not_count(void **state) {
    struct pace p;
    (void)state;
    pace_begin(&p, 0);
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(pace_keeps(&p, 0, 0, 1000));
    }
}

static void test_no_rate_keeps_everyone(void **state) {
    struct pace p;
    (void)state;
    pace_begin(&p, 0);
    assert_true(pace_keeps(&p, 0, UINT32_MAX, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silence_is_kept_for_the_grace),
        cmocka_unit_test(test_the_rate_itself_is_kept_for_ever),
        cmocka_unit_test(test_bytes_of_the_past_count_but_not_without_end),
        cmocka_unit_test(test_time_that_is_not_the_clients_does_not_count),
        cmocka_unit_test(test_no_rate_keeps_everyone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
