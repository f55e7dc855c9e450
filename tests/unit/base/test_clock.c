/* SPDX-License-Identifier: Apache-2.0 */
/* test_clock.c – units and directions of the clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"

static void test_agrees_with_libc_when_real_time(void **state) {
    (void)state;
    uint64_t before = (uint64_t)time(NULL) - 1;
    uint64_t now = clock_realtime_us() / 1000000;
    assert_in_range(now, before, (uint64_t)time(NULL) + 1);
}

static void test_counts_in_its_units_when_time_passes(void **state) {
    (void)state;
    struct timespec pause = {0, 20 * 1000 * 1000};
    uint64_t us = clock_monotonic_us(), ms = clock_monotonic_ms();
    assert_int_equal(nanosleep(&pause, NULL), 0);
    uint64_t us_passed = clock_monotonic_us() - us, ms_passed = clock_monotonic_ms() - ms;
    assert_in_range(us_passed, 20000, 10 * 1000 * 1000);
    assert_in_range(ms_passed, 19, us_passed / 1000 + 1);
}

static void test_never_goes_back_when_monotonic(void **state) {
    (void)state;
    uint64_t last = clock_monotonic_us();
    for (int i = 0; i < 100000; i++) {
        uint64_t now = clock_monotonic_us();
        assert_true(now >= last);
        last = now;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_libc_when_real_time),
        cmocka_unit_test(test_counts_in_its_units_when_time_passes),
        cmocka_unit_test(test_never_goes_back_when_monotonic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
