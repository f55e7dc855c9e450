/* SPDX-License-Identifier: Apache-2.0 */
/* test_h1_chunk.c – chunked bodies, bodies of a length, and chunk framing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "listener/h1_body.h"

struct body_case {
    const char *section; /* of RFC 9112 */
    struct slice bytes;
    const char *outcome; /* "content/rest", "content..." where more is wanted, or the refusal */
};

static const struct h1_limits limits = {.extension_bytes = 16, .trailer_bytes = 24};

/* Feeds step bytes at a time, each piece in a buffer of its own; takes room bytes of content at
 * most per call. line: the outcome. */
static void feed(const struct h1_head *head, struct slice bytes, size_t step, size_t room, char *line) {
    struct h1_body b;
    enum h1_verdict v = H1_MORE;
    size_t at = 0, n = 0;
    h1_body_begin(&b, head, &limits);
    while (v != H1_DONE && v != H1_REFUSED && (at < bytes.n || v == H1_DATA || bytes.n == 0)) {
        size_t left = bytes.n - at, give = step < left ? step : left, used;
        char *piece = malloc(give + 1);
        assert_non_null(piece);
        char *end = memcpy(piece + 1, bytes.p + at, give);
        struct slice data;
        v = h1_body_next(&b, end, give, room, &used, &data);
        assert_true(used <= give && (v != H1_MORE || used == give));
        if (v == H1_DATA) {
            assert_true(data.n > 0 && data.n <= room && data.p + data.n <= end + give);
            memcpy(line + n, data.p, data.n);
            n += data.n;
        }
        at += used;
        free(piece);
        if (bytes.n == 0)
            break;
    }
    assert_int_equal(b.taken, n);
    if (v == H1_REFUSED)
        sprintf(line, "%u %s", b.refusal.status, b.refusal.reason);
    else
        sprintf(line + n, v == H1_DONE ? "/%.*s" : "...", (int)(bytes.n - at), bytes.p + at);
}

static void check(const struct h1_head *head, const struct body_case *c) {
    char whole[512], part[512];
    feed(head, c->bytes, c->bytes.n, 100, whole);
    if (strncmp(whole, c->outcome, strlen(c->outcome) + (whole[0] == '4' ? 0 : 1)) != 0)
        fail_msg("section %s: %s gives %s and not %s", c->section, c->bytes.p, whole, c->outcome);
    for (size_t step = 1; step < c->bytes.n; step++) {
        feed(head, c->bytes, step, 1 + step % 3, part);
        if (strcmp(part, whole) != 0)
            fail_msg("section %s: steps of %zu give %s and not %s", c->section, step, part, whole);
    }
}

static const struct body_case chunked[] = {
    {"7.1", SLICE("5\r\nhello\r\n0\r\n\r\n"), "hello/"},
    {"7.1", SLICE("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET /"), "hello world/GET /"},
    {"7.1", SLICE("0\r\n\r\nrest"), "/rest"},
    {"7.1", SLICE("000\r\n\r\n"), "/"},
    {"7.1", SLICE("A\r\n0123456789\r\n0\r\n\r\n"), "0123456789/"},
    {"7.1", SLICE("0a\r\n0123456789\r\n0\r\n\r\n"), "0123456789/"},
    {"7.1", SLICE("5\r\nhel"), "hel..."},
    {"7.1", SLICE("5\r\nhello\r\n0\r\n"), "hello..."},
    {"7.1", SLICE("\r\nhello"), "400 chunk without a size"},
    {"7.1", SLICE(" 5\r\nhello"), "400 chunk without a size"},
    {"7.1", SLICE(";a\r\nhello"), "400 chunk without a size"},
    {"7.1", SLICE("+5\r\nhello"), "400 chunk without a size"},
    {"7.1", SLICE("-5\r\nhello"), "400 chunk without a size"},
    {"7.1", SLICE("0x5\r\nhello"), "400 malformed chunk size"},
    {"7.1", SLICE("5g\r\nhello"), "400 malformed chunk size"},
    {"7.1", SLICE("5\nhello"), "400 malformed chunk size"},
    {"7.1", SLICE("5\0\r\nhello"), "400 malformed chunk size"},
    {"7.1", SLICE("5\rhello"), "400 bare CR in a chunk line"},
    {"7.1", SLICE("5\r\r\nhello"), "400 bare CR in a chunk line"},
    {"7.1", SLICE("5\r\nhello0\r\n\r\n"), "400 chunk longer than its size"},
    {"7.1", SLICE("5\r\nhello\n0\r\n\r\n"), "400 chunk longer than its size"},
    {"7.1", SLICE("5\r\nhello\r0\r\n\r\n"), "400 chunk longer than its size"},
    {"7.1", SLICE("4\r\nhello\r\n0\r\n\r\n"), "400 chunk longer than its size"},
    {"7.1", SLICE("5\r\nhello\r\n\r\n"), "400 chunk without a size"},
    {"7.1", SLICE("7fffffffffffffff\r\nx"), "x..."},
    {"7.1", SLICE("8000000000000000\r\nx"), "400 chunk size too large"},
    {"7.1", SLICE("10000000000000005\r\nhello"), "400 chunk size too large"},
    {"7.1", SLICE("00000000000000005\r\nhello"), "400 chunk size too large"},
    {"7.1", SLICE("0000000000000005\r\nhello\r\n0\r\n\r\n"), "hello/"},
    {"7.1", SLICE("1\r\nx\r\n7fffffffffffffff\r\ny"), "400 content too large"},
    {"7.1.1", SLICE("5;a=b;c=\"d e\"\r\nhello\r\n0\r\n\r\n"), "hello/"},
    {"7.1.1", SLICE("5 \t;a\r\nhello\r\n0;z\r\n\r\n"), "hello/"},
    {"7.1.1", SLICE("5 \r\nhello"), "400 malformed chunk extension"},
    {"7.1.1", SLICE("5 5\r\nhello"), "400 malformed chunk extension"},
    {"7.1.1", SLICE("5;a\nhello"), "400 malformed chunk extension"},
    {"7.1.1", SLICE("5;a\0\r\nhello"), "400 malformed chunk extension"},
    {"7.1.1", SLICE("5;\r\nhello"), "400 malformed chunk extension"},
    {"7.1.1", SLICE("5;;a\r\nhello"), "400 malformed chunk extension"},
    {"7.1.1", SLICE("5;=b\r\nhello"), "400 malformed chunk extension"},
    {"7.1.1", SLICE("5;a=\r\nhello"), "400 malformed chunk extension"},
    {"7.1.1", SLICE("5;a=b=c\r\nhello"), "400 malformed chunk extension"},
    {"7.1.1", SLICE("5;a b\r\nhello"), "400 malformed chunk extension"},
    {"7.1.1", SLICE("5;a \r\nhello"), "400 malformed chunk extension"},
    {"7.1.1", SLICE("5;a=b \r\nhello"), "400 malformed chunk extension"},
    {"7.1.1", SLICE("5;a=b c\r\nhello"), "400 malformed chunk extension"},
    {"7.1.1", SLICE("5;a=\"b\"c\r\nhello"), "400 malformed chunk extension"},
    {"7.1.1", SLICE("5;a=\"b\r\nhello"), "400 malformed chunk extension"},
    {"7.1.1", SLICE("5;a=\"b\\\r\n\"\r\nhello"), "400 malformed chunk extension"},
    {"7.1.1", SLICE("5;a=\"\n\"\r\nhello"), "400 malformed chunk extension"},
    {"7.1.1", SLICE("5;\xe9\r\nhello"), "400 malformed chunk extension"},
    {"7.1.1", SLICE("5;a,b\r\nhello"), "400 malformed chunk extension"},
    {"7.1.1", SLICE("5 ; a = b ;c\r\nhello\r\n0\r\n\r\n"), "hello/"},
    {"7.1.1", SLICE("5;a=\";=,\\\"\xe9\" ;b\r\nhello\r\n0\r\n\r\n"), "hello/"},
    {"7.1.1", SLICE("5;a=\"\\\\\\;\";b\r\nhello\r\n0\r\n\r\n"), "hello/"},
    {"7.1.1", SLICE("5;a=\"\\ \\a\\=\"\r\nhello\r\n0\r\n\r\n"), "hello/"},
    {"7.1.1", SLICE("5;a=\"\\\xe9\"\t;b\r\nhello\r\n0\r\n\r\n"), "hello/"},
    {"7.1.1", SLICE("5;a\t=\tb;c ;d\r\nhello\r\n0\r\n\r\n"), "hello/"},
    {"7.1.1", SLICE("5;a\rb\r\nhello"), "400 bare CR in a chunk line"},
    {"7.1.1", SLICE("5;234567890123456\r\nhello\r\n0\r\n\r\n"), "hello/"},
    {"7.1.1", SLICE("5;2345678901234567\r\nhello\r\n0\r\n\r\n"), "400 chunk extensions too large"},
    {"7.1.1", SLICE("1;2345678\r\nx\r\n1;2345678\r\ny\r\n0\r\n\r\n"), "xy/"},
    {"7.1.1", SLICE("1;2345678\r\nx\r\n1;2345678\r\ny\r\n0;\r\n\r\n"), "400 chunk extensions too large"},
    {"7.1.2", SLICE("0\r\nA: b\r\nC:\r\n\r\nrest"), "/rest"},
    {"7.1.2", SLICE("0\r\nDate: x\r\n\r\n"), "/"},
    {"7.1.2", SLICE("0\r\nTransfer-Encodings: x\r\n\r\n"), "/"},
    {"6.5.1", SLICE("0\r\nContent-Length: 5\r\n\r\n"), "400 field that may not"},
    {"6.5.1", SLICE("0\r\nA:\r\ncontent_LENGTH: 5\r\n\r\n"), "400 field that may not"},
    {"6.5.1", SLICE("0\r\nTransfer-Encoding: chunked\r\n\r\n"), "400 field that may not"},
    {"6.5.1", SLICE("0\r\nhost: a\r\n\r\n"), "400 field that may not"},
    {"6.5.1", SLICE("0\r\nConnection: close\r\n\r\n"), "400 field that may not"},
    {"6.5.1", SLICE("0\r\nForwarded: a\r\n\r\n"), "400 field that may not"},
    {"6.5.1", SLICE("0\r\nX-Forwarded-For: a\r\n"), "400 field that may not"},
    {"6.5.1", SLICE("0\r\nLuttpd-Bot: no\r\n\r\n"), "400 field that may not"},
    {"7.1.2", SLICE("0\r\nA : b\r\n\r\n"), "400 malformed trailer field"},
    {"7.1.2", SLICE("0\r\n: b\r\n\r\n"), "400 malformed trailer field"},
    {"7.1.2", SLICE("0\r\nA\r\n\r\n"), "400 malformed trailer field"},
    {"7.1.2", SLICE("0\r\nA: b\r\n c\r\n\r\n"), "400 malformed trailer field"},
    {"7.1.2", SLICE("0\r\nGET / HTTP/1.1\r\n\r\n"), "400 malformed trailer field"},
    {"7.1.2", SLICE("0\r\nA: b\n\r\n"), "400 control byte in a trailer field"},
    {"7.1.2", SLICE("0\r\nA: b\0\r\n\r\n"), "400 control byte in a trailer field"},
    {"7.1.2", SLICE("0\r\nA: b\r\r\n\r\n"), "400 bare CR in the trailers"},
    {"7.1.2", SLICE("0\r\n\rX"), "400 bare CR in the trailers"},
    {"7.1.2", SLICE("0\r\n\n"), "400 malformed trailer field"},
    {"7.1.2", SLICE("0\r\nA: 45678901234567890\r\n\r\n"), "/"},
    {"7.1.2", SLICE("0\r\nA: 4567890123456789012\r\n\r\n"), "/"},
    {"7.1.2", SLICE("0\r\nA: 45678901234567890123\r\n\r\n"), "431 trailers too large"},
    {"7.1.2", SLICE("0\r\nA: 456789\r\nB: 45678901\r\n\r\n"), "/"},
    {"7.1.2", SLICE("0\r\nA: 456789\r\nB: 456789012\r\n\r\n"), "431 trailers too large"},
};

static void test_chunked_bodies(void **state) {
    (void)state;
    struct h1_head head = {.body = H1_BODY_CHUNKED, .content_length = H1_LENGTH_UNKNOWN};
    for (size_t i = 0; i < sizeof chunked / sizeof chunked[0]; i++)
        check(&head, &chunked[i]);
}

static void test_limits_of_zero_forbid_extensions_and_trailers(void **state) {
    (void)state;
    static const struct h1_limits none = {0};
    static const struct {
        struct slice bytes;
        uint16_t status;
    } cases[] = {
        {SLICE("1\r\nx\r\n0\r\n\r\n"), 0},
        {SLICE("1;a\r\n"), 400},
        {SLICE("1 ;a\r\n"), 400},
        {SLICE("0\r\nA: b\r\n\r\n"), 431},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct h1_head head = {.body = H1_BODY_CHUNKED};
        struct h1_body b;
        struct slice data, rest = cases[i].bytes;
        size_t used;
        enum h1_verdict v;
        h1_body_begin(&b, &head, &none);
        while ((v = h1_body_next(&b, rest.p, rest.n, 9, &used, &data)) == H1_DATA)
            rest = slice_from(rest.p + used, rest.n - used);
        assert_int_equal(b.refusal.status, cases[i].status);
        assert_int_equal(v, cases[i].status ? H1_REFUSED : H1_DONE);
    }
}

static void test_bodies_of_a_length(void **state) {
    (void)state;
    static const struct body_case cases[] = {
        {"6.2", SLICE("hello"), "hello/"},
        {"6.2", SLICE("helloGET /"), "hello/GET /"},
        {"6.2", SLICE("hel"), "hel..."},
    };
    struct h1_head head = {.body = H1_BODY_LENGTH, .content_length = 5};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(&head, &cases[i]);
}

static void test_no_body_is_done_at_once(void **state) {
    (void)state;
    struct h1_head head = {.body = H1_BODY_NONE};
    char line[64];
    feed(&head, SLICE(""), 1, 1, line);
    assert_string_equal(line, "/");
    feed(&head, SLICE("GET"), 3, 1, line);
    assert_string_equal(line, "/GET");
}

static void test_content_waits_when_there_is_no_room(void **state) {
    (void)state;
    struct h1_body b;
    struct h1_head head = {.body = H1_BODY_CHUNKED};
    struct slice data;
    size_t used;
    h1_body_begin(&b, &head, &limits);
    assert_int_equal(h1_body_next(&b, "1\r\nx\r\n0\r\n\r\n", 11, 0, &used, &data), H1_MORE);
    assert_int_equal(used, 3);
    assert_int_equal(h1_body_next(&b, "x\r\n0\r\n\r\n", 8, 1, &used, &data), H1_DATA);
    assert_int_equal(used, 1);
    assert_int_equal(h1_body_next(&b, "\r\n0\r\n\r\n", 7, 0, &used, &data), H1_DONE);
    assert_int_equal(used, 7);
}

static void test_what_is_framed_is_read_back(void **state) {
    (void)state;
    static const uint64_t sizes[] = {1, 15, 16, 255, 256, 4095, 4096, 65535, 65536, INT64_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char line[H1_CHUNK_OPEN_MAX], expect[32];
        size_t n = h1_chunk_open(line, sizes[i]);
        assert_int_equal(n, sprintf(expect, "%llx\r\n", (unsigned long long)sizes[i]));
        assert_memory_equal(line, expect, n);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunked_bodies),
        cmocka_unit_test(test_limits_of_zero_forbid_extensions_and_trailers),
        cmocka_unit_test(test_bodies_of_a_length),
        cmocka_unit_test(test_no_body_is_done_at_once),
        cmocka_unit_test(test_content_waits_when_there_is_no_room),
        cmocka_unit_test(test_what_is_framed_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
