/* SPDX-License-Identifier: Apache-2.0 */
/* test_escape.c – nothing but printable ASCII comes out, and what went in can be read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "logger/escape.h"

static size_t quoted(char *out, struct slice in, bool word) {
    return (size_t)(escape_quoted(out, in, word) - out);
}

static size_t json(char *out, struct slice in) {
    return (size_t)(escape_json(out, in) - out);
}

static size_t text(char *out, struct slice in) {
    return (size_t)(escape_text(out, in) - out);
}

#define assert_out(function, in, expected, ...)               \
    do {                                                      \
        char out_[256];                                       \
        size_t n_ = function(out_, SLICE(in), ##__VA_ARGS__); \
        assert_int_equal(n_, sizeof(expected) - 1);           \
        assert_memory_equal(out_, expected, n_);              \
    } while (0)

/* Undoes \xHH. */
static size_t read_back(const char *in, size_t n, char *out) {
    size_t written = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned byte = (uint8_t)in[i];
        if (in[i] == '\\') {
            assert_true(i + 3 < n);
            assert_int_equal(sscanf(in + i, "\\x%2x", &byte), 1);
            i += 3;
        }
        out[written++] = (char)byte;
    }
    return written;
}

static void test_escapes_the_dangerous_bytes_when_quoted(void **state) {
    (void)state;
    for (int word = 0; word < 2; word++) {
        for (int byte = 0; byte < 256; byte++) {
            char in[1] = {(char)byte}, out[4], back[4];
            size_t n = quoted(out, slice_from(in, 1), word);
            bool plain = byte > 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
            if (byte == 0x20) {
                plain = !word;
            }
            assert_int_equal(n, plain ? 1 : 4);
            assert_int_equal(read_back(out, n, back), 1);
            assert_memory_equal(back, in, 1);
            for (size_t i = 0; i < n; i++) {
                assert_true(out[i] >= 0x20 && out[i] < 0x7f && out[i] != '"');
            }
        }
    }
    assert_out(quoted, "a\"b\\c\r\nd", "a\\x22b\\x5cc\\x0d\\x0ad", false);
    assert_out(quoted, "", "", true);
}

static void test_begins_continuation_lines_when_text_has_newlines(void **state) {
    (void)state;
    assert_out(text, "one\n\ttwo\n2026-01-01T00:00:00.000Z [error] forged\n\n",
               "one\n  | \ttwo\n  | 2026-01-01T00:00:00.000Z [error] forged");
    assert_out(text, "\n\n", "");
    assert_out(text, "a\r\nb\x1b[2J\xff\\", "a\\x0d\n  | b\\x1b[2J\\xff\\x5c");
}

static void test_stays_printable_when_any_byte_is_in_text(void **state) {
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char in[3] = {'a', (char)byte, 'b'}, out[16];
        size_t n = text(out, slice_from(in, 3));
        if (byte == '\n') {
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            assert_true((out[i] >= 0x20 && out[i] < 0x7f) || out[i] == '\t');
        }
    }
}

static void test_writes_code_points_when_json_is_utf8(void **state) {
    (void)state;
    assert_out(json, "plain \"quoted\" back\\slash", "plain \\u0022quoted\\u0022 back\\u005cslash");
    assert_out(json, "\t\n\x7f", "\\u0009\\u000a\\u007f");
    assert_out(json, "\xc3\xa9\xe2\x82\xac", "\\u00e9\\u20ac");
    assert_out(json, "\xf0\x9f\x98\x80", "\\ud83d\\ude00");
    assert_out(json, "\xe2\x80\xae\xc2\x85", "\\u202e\\u0085"); /* right-to-left override, next line */
    assert_out(json, "\xf4\x8f\xbf\xbf", "\\udbff\\udfff");
}

static void test_writes_each_byte_when_json_is_not_utf8(void **state) {
    (void)state;
    assert_out(json, "\xff\x80", "\\u00ff\\u0080");
    assert_out(json, "\xc3", "\\u00c3");
    assert_out(json, "\xc3(", "\\u00c3(");
    assert_out(json, "\xc0\x8a", "\\u00c0\\u008a"); /* overlong newline */
    assert_out(json, "\xe0\x80\x8a", "\\u00e0\\u0080\\u008a");
    assert_out(json, "\xed\xa0\x80", "\\u00ed\\u00a0\\u0080"); /* a surrogate */
    assert_out(json, "\xf4\x90\x80\x80", "\\u00f4\\u0090\\u0080\\u0080");
    assert_out(json, "\xf0\x9f\x98", "\\u00f0\\u009f\\u0098"); /* cut in the middle */
    assert_out(json, "\xe2\x82\xc3\xa9", "\\u00e2\\u0082\\u00e9");
}

/* Guards against a room that is too small for the worst input: the buffers are exact. */
static void test_stays_in_its_room_when_input_is_the_worst(void **state) {
    static const uint8_t worst[] = {'\n', 0xff, '"', 0x00};
    (void)state;
    for (size_t w = 0; w < sizeof worst; w++) {
        char in[64];
        memset(in, worst[w], sizeof in);
        in[sizeof in - 1] = '\x01'; /* no newline at the end, which would be left out */
        char *out = malloc(ESCAPE_JSON_ROOM(sizeof in));
        assert_non_null(out);
        assert_in_range(quoted(out, slice_from(in, sizeof in), true), 1, ESCAPE_QUOTED_ROOM(sizeof in));
        assert_in_range(text(out, slice_from(in, sizeof in)), 1, ESCAPE_TEXT_ROOM(sizeof in));
        assert_in_range(json(out, slice_from(in, sizeof in)), 1, ESCAPE_JSON_ROOM(sizeof in));
        free(out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes_the_dangerous_bytes_when_quoted),
        cmocka_unit_test(test_begins_continuation_lines_when_text_has_newlines),
        cmocka_unit_test(test_stays_printable_when_any_byte_is_in_text),
        cmocka_unit_test(test_writes_code_points_when_json_is_utf8),
        cmocka_unit_test(test_writes_each_byte_when_json_is_not_utf8),
        cmocka_unit_test(test_stays_in_its_room_when_input_is_the_worst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
