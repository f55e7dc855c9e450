/* SPDX-License-Identifier: Apache-2.0 */
/* test_http_date.c – the three formats of RFC 9110, section 5.6.7, and nothing else. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/civil.h"
#include "base/http_date.h"

#define EXAMPLE 784111777   /* the RFC's example */
#define NOW_2026 1795000000 /* November 2026 */

static int parse(const char *text, int64_t *out) {
    return http_date_parse(slice_text(text), NOW_2026, out);
}

static void assert_reads(const char *text, int64_t expected) {
    int64_t t = -1;
    assert_int_equal(parse(text, &t), 0);
    assert_true(t == expected);
}

static void assert_refused(const char *text) {
    int64_t t = 42;
    if (parse(text, &t) != -EINVAL) {
        fail_msg("accepted: %s", text);
    }
    assert_true(t == 42);
}

static void test_reads_every_format_when_the_rfcs_example(void **state) {
    (void)state;
    assert_reads("Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE);
    assert_reads("Sunday, 06-Nov-94 08:49:37 GMT", EXAMPLE);
    assert_reads("Sun Nov  6 08:49:37 1994", EXAMPLE);
    assert_reads("Wed Nov 16 08:49:37 1994", EXAMPLE + 10 * 86400);
    assert_reads("Wednesday, 16-Nov-94 08:49:37 GMT", EXAMPLE + 10 * 86400);
    assert_reads("Thu, 01 Jan 1970 00:00:00 GMT", 0);
    assert_reads("Wed, 31 Dec 1969 23:59:59 GMT", -1);
    assert_reads("Sat, 31 Dec 2016 23:59:60 GMT", 1483228800); /* a leap second */
}

static void test_takes_the_nearest_past_when_two_digit_year(void **state) {
    (void)state;
    assert_reads("Friday, 01-Jan-27 00:00:00 GMT", 1798761600);    /* 2027 */
    assert_reads("Wednesday, 01-Jan-76 00:00:00 GMT", 3345062400); /* 2076: not more than 50 ahead */
    assert_reads("Saturday, 01-Jan-77 00:00:00 GMT", 220924800);   /* 1977 */
    assert_reads("Saturday, 01-Jan-00 00:00:00 GMT", 946684800);   /* 2000 */
}

static void test_refuses_when_anything_is_different(void **state) {
    static const char *const wrong[] = {
        "",
        "0",
        "-1",
        "now",
        "784111777",
        "Sun, 06 Nov 1994",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun,06 Nov 1994 08:49:37 GMT",
        "Sun, 06  Nov 1994 08:49:37 GMT",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 1994 08:49:37 GMTx",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "Mon, 06 Nov 1994 08:49:37 GMT",
        "Monday, 06-Nov-94 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Wed, 31 Nov 1994 08:49:37 GMT",
        "Wed, 29 Feb 2023 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 19x4 08:49:37 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT ",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov 06 8:49:37 1994",
        "Sun Nov  6 08:49:37 94",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37",
        "Sun Nov  6 08:49:37 1994 GMT",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_refused(wrong[i]);
    }
}

static void test_refuses_when_a_nul_or_any_other_byte_stands_inside(void **state) {
    static const char right[] = "Sun, 06 Nov 1994 08:49:37 GMT";
    (void)state;
    for (size_t at = 0; at < sizeof right - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            char text[sizeof right];
            int64_t t = 42;
            memcpy(text, right, sizeof right);
            text[at] = (char)byte;
            if (http_date_parse(slice_from(text, sizeof right - 1), NOW_2026, &t) != 0) {
                continue;
            }
            char shown[HTTP_DATE_BYTES]; /* what is accepted is exactly what we would have written */
            http_date_format(shown, t);
            assert_memory_equal(shown, text, HTTP_DATE_BYTES);
        }
    }
}

static void test_comes_back_when_formatted(void **state) {
    (void)state;
    char text[HTTP_DATE_BYTES + 1] = {0};
    text[HTTP_DATE_BYTES] = '#';
    http_date_format(text, EXAMPLE);
    assert_memory_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT#", HTTP_DATE_BYTES + 1);
    text[HTTP_DATE_BYTES] = '\0';
    for (int64_t t = CIVIL_SECONDS_MIN; t <= CIVIL_SECONDS_MAX; t += 86400 * 97 + 12345) {
        http_date_format(text, t);
        assert_reads(text, t);
    }
}

static void test_shows_a_date_when_the_file_time_is_absurd(void **state) {
    (void)state;
    char text[HTTP_DATE_BYTES];
    http_date_format(text, INT64_MAX);
    assert_memory_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT", HTTP_DATE_BYTES);
    http_date_format(text, INT64_MIN);
    assert_memory_equal(text, "Sat, 01 Jan 0000 00:00:00 GMT", HTTP_DATE_BYTES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_every_format_when_the_rfcs_example),
        cmocka_unit_test(test_takes_the_nearest_past_when_two_digit_year),
        cmocka_unit_test(test_refuses_when_anything_is_different),
        cmocka_unit_test(test_refuses_when_a_nul_or_any_other_byte_stands_inside),
        cmocka_unit_test(test_comes_back_when_formatted),
        cmocka_unit_test(test_shows_a_date_when_the_file_time_is_absurd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
