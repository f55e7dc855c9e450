/* SPDX-License-Identifier: Apache-2.0 */
/* test_civil.c – the calendar, compared with libc's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/civil.h"

static void assert_like_libc(int64_t seconds) {
    struct civil c;
    struct tm expected;
    time_t t = (time_t)seconds;
    civil_from_seconds(seconds, &c);
    assert_non_null(gmtime_r(&t, &expected));
    assert_int_equal(c.year, expected.tm_year + 1900);
    assert_int_equal(c.month, expected.tm_mon + 1);
    assert_int_equal(c.day, expected.tm_mday);
    assert_int_equal(c.hour, expected.tm_hour);
    assert_int_equal(c.minute, expected.tm_min);
    assert_int_equal(c.second, expected.tm_sec);
    assert_int_equal(c.weekday, expected.tm_wday);
    assert_true(civil_exists(&c));
    assert_true(civil_to_seconds(&c) == seconds);
}

static void test_agrees_with_libc_when_any_day_from_0_to_9999(void **state) {
    (void)state;
    int64_t odd = 0; /* a different time on each day */
    for (int64_t day = CIVIL_SECONDS_MIN / 86400; day <= CIVIL_SECONDS_MAX / 86400; day++) {
        odd = (odd + 40503) % 86400;
        assert_like_libc(day * 86400 + odd);
    }
    assert_like_libc(CIVIL_SECONDS_MIN);
    assert_like_libc(CIVIL_SECONDS_MAX);
}

static void test_shows_nearest_moment_when_outside_the_years(void **state) {
    struct civil c;
    (void)state;
    civil_from_seconds(INT64_MAX, &c);
    assert_int_equal(c.year, 9999);
    assert_int_equal(c.second, 59);
    civil_from_seconds(INT64_MIN, &c);
    assert_int_equal(c.year, 0);
    assert_int_equal(c.month, 1);
    assert_int_equal(c.weekday, 6);
}

static void test_refuses_when_no_such_day(void **state) {
    static const struct civil wrong[] = {
        {.year = 2023, .month = 2, .day = 29},
        {.year = 1900, .month = 2, .day = 29},
        {.year = 2023, .month = 4, .day = 31},
        {.year = 2023, .month = 13, .day = 1},
        {.year = 2023, .month = 0, .day = 1},
        {.year = 2023, .month = 1, .day = 0},
        {.year = 10000, .month = 1, .day = 1},
        {.year = -1, .month = 1, .day = 1},
        {.year = 2023, .month = 1, .day = 1, .hour = 24},
        {.year = 2023, .month = 1, .day = 1, .minute = 60},
        {.year = 2023, .month = 1, .day = 1, .second = 61},
    };
    static const struct civil right[] = {
        {.year = 2000, .month = 2, .day = 29},
        {.year = 2024, .month = 2, .day = 29},
        {.year = 2016, .month = 12, .day = 31, .hour = 23, .minute = 59, .second = 60},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(civil_exists(&wrong[i]));
    }
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        assert_true(civil_exists(&right[i]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_libc_when_any_day_from_0_to_9999),
        cmocka_unit_test(test_shows_nearest_moment_when_outside_the_years),
        cmocka_unit_test(test_refuses_when_no_such_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
