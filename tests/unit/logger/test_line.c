/* SPDX-License-Identifier: Apache-2.0 */
/* test_line.c – the shape of every kind of line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "logger/line.h"

#define TIME_US UINT64_C(971186136123456) /* 2000-10-10 13:55:36.123456 UTC */

static struct message_log_access example(void) {
    return (struct message_log_access){
        .vhost = 1,
        .request = UINT64_C(0x0123456789abcdef),
        .time_us = TIME_US,
        .duration_us = 512,
        .status = 200,
        .sent_bytes = 2326,
        .version = VERSION_HTTP11,
        .family = FAMILY_INET,
        .address = SLICE("\x7f\x00\x00\x01"),
        .method = SLICE("GET"),
        .target = SLICE("/a?b=c"),
        .host = SLICE("alice.example"),
        .referer = SLICE("http://x/ y"),
        .agent = SLICE("curl/8"),
    };
}

static void assert_access(enum line_kind kind, const struct message_log_access *m, const char *expected) {
    struct line_clock clock;
    line_clock_init(&clock);
    size_t room = line_access_room(kind, m);
    char *out = malloc(room); /* exact, so that the sanitizer sees every byte beyond */
    assert_non_null(out);
    size_t n = line_access(&clock, kind, out, m);
    assert_in_range(n, 1, room);
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(out, expected, n);
    free(out);
}

static void test_writes_combined_format_when_all_is_known(void **state) {
    struct message_log_access m = example();
    (void)state;
    assert_access(LINE_COMBINED, &m,
                  "127.0.0.1 - - [10/Oct/2000:13:55:36 +0000] \"GET /a?b=c HTTP/1.1\" 200 2326 "
                  "\"http://x/ y\" \"curl/8\" \"0123456789abcdef\"\n");
}

static void test_writes_json_when_all_is_known(void **state) {
    struct message_log_access m = example();
    (void)state;
    assert_access(
        LINE_JSON, &m,
        "{\"time\":\"2000-10-10T13:55:36.123Z\",\"address\":\"127.0.0.1\",\"method\":\"GET\","
        "\"target\":\"/a?b=c\",\"protocol\":\"HTTP/1.1\",\"host\":\"alice.example\",\"status\":200,"
        "\"bytes\":2326,\"duration_us\":512,\"referer\":\"http://x/ y\",\"agent\":\"curl/8\",\"request\":\"0123456789abcdef\"}\n");
}

static void test_shows_dashes_when_fields_are_empty(void **state) {
    struct message_log_access m = {.time_us = TIME_US, .status = 400};
    (void)state;
    assert_access(
        LINE_COMBINED, &m,
        "- - - [10/Oct/2000:13:55:36 +0000] \"- - HTTP/1.0\" 400 0 \"-\" \"-\" \"0000000000000000\"\n");
}

static void test_shows_no_address_when_its_length_is_a_lie(void **state) {
    struct message_log_access m = example();
    (void)state;
    m.family = FAMILY_INET6;
    assert_access(
        LINE_COMBINED, &m,
        "- - - [10/Oct/2000:13:55:36 +0000] \"GET /a?b=c HTTP/1.1\" 200 2326 \"http://x/ y\" \"curl/8\" \"0123456789abcdef\"\n");
    m.address = SLICE("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1");
    assert_access(LINE_COMBINED, &m,
                  "fe80::1 - - [10/Oct/2000:13:55:36 +0000] \"GET /a?b=c HTTP/1.1\" 200 2326 "
                  "\"http://x/ y\" \"curl/8\" \"0123456789abcdef\"\n");
}

static void test_fits_its_room_when_every_field_is_the_largest_and_worst(void **state) {
    static char worst[4096];
    struct line_clock clock;
    (void)state;
    memset(worst, 0xff, sizeof worst);
    struct message_log_access m = {.request = UINT64_MAX,
                                   .time_us = UINT64_MAX,
                                   .duration_us = UINT32_MAX,
                                   .status = UINT16_MAX,
                                   .sent_bytes = UINT64_MAX,
                                   .family = FAMILY_INET6,
                                   .address = {worst, 16},
                                   .method = {worst, MESSAGE_LOG_ACCESS_METHOD_MAX},
                                   .target = {worst, MESSAGE_LOG_ACCESS_TARGET_MAX},
                                   .host = {worst, MESSAGE_LOG_ACCESS_HOST_MAX},
                                   .referer = {worst, MESSAGE_LOG_ACCESS_REFERER_MAX},
                                   .agent = {worst, MESSAGE_LOG_ACCESS_AGENT_MAX}};
    line_clock_init(&clock);
    for (enum line_kind kind = LINE_COMBINED; kind <= LINE_JSON; kind++) {
        size_t room = line_access_room(kind, &m);
        char *out = malloc(room);
        assert_non_null(out);
        size_t n = line_access(&clock, kind, out, &m);
        assert_in_range(n, 1, room);
        assert_true(memchr(out, '\n', n) == out + n - 1);
        free(out);
    }
}

static void assert_error(struct slice speaker, struct slice text, const char *expected) {
    struct line_clock clock;
    line_clock_init(&clock);
    size_t room = line_error_room(speaker, text);
    char *out = malloc(room);
    assert_non_null(out);
    size_t n = line_error(&clock, out, TIME_US, LEVEL_ERROR, speaker, text);
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(out, expected, n);
    free(out);
}

static void test_keeps_a_traceback_together_when_text_has_lines(void **state) {
    (void)state;
    assert_error(SLICE(""), SLICE("vhost.lua:3: boom\nstack traceback:\n\t[C]: in function 'error'\n"),
                 "2000-10-10T13:55:36.123Z [error] vhost.lua:3: boom\n  | stack traceback:\n"
                 "  | \t[C]: in function 'error'\n");
    assert_error(SLICE("listener 3: "), SLICE("x"), "2000-10-10T13:55:36.123Z [error] listener 3: x\n");
    assert_error(SLICE(""), SLICE(""), "2000-10-10T13:55:36.123Z [error] \n");
}

static void assert_lost(enum line_kind kind, const char *expected) {
    struct line_clock clock;
    char out[LINE_LOST_ROOM];
    line_clock_init(&clock);
    size_t n = line_lost(&clock, kind, out, TIME_US, 12, "No space left on device");
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(out, expected, n);
}

static void test_keeps_the_logs_shape_when_records_were_lost(void **state) {
    (void)state;
    assert_lost(LINE_COMBINED, "- - - [10/Oct/2000:13:55:36 +0000] \"-\" 0 0 \"-\" "
                               "\"luttpd: 12 records dropped: No space left on device\" \"-\"\n");
    assert_lost(LINE_JSON, "{\"time\":\"2000-10-10T13:55:36.123Z\",\"dropped\":12,"
                           "\"reason\":\"No space left on device\"}\n");
    assert_lost(LINE_ERROR, "2000-10-10T13:55:36.123Z [warning] luttpd: 12 records dropped: "
                            "No space left on device\n");
}

static void test_shows_the_right_second_when_time_moves_both_ways(void **state) {
    struct line_clock clock;
    char out[LINE_LOST_ROOM];
    (void)state;
    line_clock_init(&clock);
    line_lost(&clock, LINE_ERROR, out, 0, 1, "x");
    assert_memory_equal(out, "1970-01-01T00:00:00.000Z", 24);
    line_lost(&clock, LINE_ERROR, out, TIME_US, 1, "x");
    assert_memory_equal(out, "2000-10-10T13:55:36.123Z", 24);
    line_lost(&clock, LINE_ERROR, out, TIME_US - 1000000, 1, "x");
    assert_memory_equal(out, "2000-10-10T13:55:35.123Z", 24);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_combined_format_when_all_is_known),
        cmocka_unit_test(test_writes_json_when_all_is_known),
        cmocka_unit_test(test_shows_dashes_when_fields_are_empty),
        cmocka_unit_test(test_shows_no_address_when_its_length_is_a_lie),
        cmocka_unit_test(test_fits_its_room_when_every_field_is_the_largest_and_worst),
        cmocka_unit_test(test_keeps_a_traceback_together_when_text_has_lines),
        cmocka_unit_test(test_keeps_the_logs_shape_when_records_were_lost),
        cmocka_unit_test(test_shows_the_right_second_when_time_moves_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
