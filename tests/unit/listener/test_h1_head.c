/* SPDX-License-Identifier: Apache-2.0 */
/* test_h1_head.c – request line, field lines and limits of the request head. */
#include "head_cases.h"

#define TAIL "@a #a 1.1 keep | host: a"

static const struct head_case request_lines[] = {
    {"9112 3", LINE("GET / HTTP/1.1"), "GET / " TAIL},
    {"9112 3.1", LINE("get / HTTP/1.1"), "get / " TAIL},
    {"9112 3.1", LINE("M-SEARCH / HTTP/1.1"), "M-SEARCH / " TAIL},
    {"9112 3.1", LINE("!#$%&'*+-.^_`|~09 / HTTP/1.1"), "!#$%&'*+-.^_`|~09 / " TAIL},
    {"9112 3.1", LINE("G@T / HTTP/1.1"), "400 malformed method"},
    {"9112 3.1", LINE("G\xc3\x89T / HTTP/1.1"), "400 malformed method"},
    {"9112 3.1", SLICE(" / HTTP/1.1\r\nHost: a\r\n\r\n"), "400 malformed method"},
    {"9112 3.1", LINE("G\0T / HTTP/1.1"), "400 malformed method"},
    {"9112 3.1", LINE("\tGET / HTTP/1.1"), "400 malformed method"},
    {"9110 9.1", LINE("ABCDEFGHIJKLMNOPQRSTUVWXYZ123456 / HTTP/1.1"),
     "ABCDEFGHIJKLMNOPQRSTUVWXYZ123456 / " TAIL},
    {"9110 9.1", LINE("ABCDEFGHIJKLMNOPQRSTUVWXYZ1234567 / HTTP/1.1"), "501 method too long"},
    {"9110 9.3.6", LINE("CONNECT a:80 HTTP/1.1"), "501 CONNECT"},
    {"9110 9.3.6", LINE("CONNECT / HTTP/1.1"), "501 CONNECT"},
    {"9110 9.3.8", LINE("TRACE / HTTP/1.1"), "TRACE / " TAIL},
    {"9112 3", LINE("GET  / HTTP/1.1"), "400 malformed request-target"},
    {"9112 3", LINE("GET /  HTTP/1.1"), "400 malformed version"},
    {"9112 3", LINE("GET\t/\tHTTP/1.1"), "400 malformed method"},
    {"9112 3", LINE("GET / HTTP/1.1 "), "400 malformed version"},
    {"9112 3", LINE("GET / x HTTP/1.1"), "400 malformed version"},
    {"9112 3", LINE("GET /\x0b HTTP/1.1"), "400 malformed request-target"},
    {"9112 3", LINE("GET /\x7f HTTP/1.1"), "400 malformed request-target"},
    {"9112 3", LINE("GET /\xc3\xa9 HTTP/1.1"), "400 malformed request-target"},
    {"9112 3", LINE("GET /\0 HTTP/1.1"), "400 malformed request-target"},
    {"9112 2.3", SLICE("GET /\r\n"), "400 malformed request-target"},
    {"9112 2.3", SLICE("GET /\n"), "400 malformed request-target"},
    {"9112 2.3", SLICE("GET\r\n"), "400 malformed method"},
    {"9112 2.3", LINE("GET / http/1.1"), "400 malformed version"},
    {"9112 2.3", LINE("GET / HTTP/1"), "400 malformed version"},
    {"9112 2.3", LINE("GET / HTTP/1.10"), "400 malformed version"},
    {"9112 2.3", LINE("GET / HTTP/11"), "400 malformed version"},
    {"9112 2.3", LINE("GET / HTTP/x.1"), "400 malformed version"},
    {"9112 2.3", LINE("GET / HTTPS/1.1"), "400 malformed version"},
    {"9112 2.3", LINE("GET / HTTP/ 1.1"), "400 malformed version"},
    {"9110 15.6.6", LINE("GET / HTTP/2.0"), "505 version not supported"},
    {"9110 15.6.6", LINE("GET / HTTP/0.9"), "505 version not supported"},
    {"9110 15.6.6", LINE("GET / HTTP/3.0"), "505 version not supported"},
    {"9110 2.5", LINE("GET / HTTP/1.2"), "GET / " TAIL},
    {"9113 3.4", SLICE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "505 HTTP/2 with prior knowledge (preface)"},
    {"9113 3.4", SLICE("PRI / HTTP/2.0\r\n\r\nSM\r\n\r\n"), "505 version not supported"},
    {"9113 3.4", LINE("PRI * HTTP/1.1"), "400 asterisk form"},
};

static const struct head_case line_ends[] = {
    {"9112 2.2", SLICE("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), "GET / " TAIL},
    {"9112 2.2", SLICE("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), "400 malformed method"},
    {"9112 2.2", SLICE("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), "400 malformed method"},
    {"9112 2.2", SLICE("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"), "400 bare CR"},
    {"9112 2.2", SLICE("GET / HTTP/1.1\nHost: a\n\n"), "400 malformed version"},
    {"9112 2.2", SLICE("GET / HTTP/1.1\rHost: a\r\n\r\n"), "400 bare CR"},
    {"9112 2.2", SLICE("GET / HTTP/1.1\r\rHost: a\r\n\r\n"), "400 bare CR"},
    {"9112 2.2", SLICE("GET / HTTP/1.1\r\nHost: a\n\r\n"), "400 control byte"},
    {"9112 2.2", SLICE("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"), "400 bare CR"},
    {"9112 2.2", SLICE("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"), "400 bare CR"},
    {"9112 2.2", SLICE("GET / HTTP/1.1\r\nHost: a\r\n\n"), "400 malformed field name"},
    {"9112 2.2", SLICE("GET / HTTP/1.1\r\nHost: a\r\n\r\r"), "400 bare CR"},
    {"9112 2.2", SLICE("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), "400 line folding"},
    {"9112 2.1", SLICE("GET / HTTP/1.1\r\nHost: a\r\n\r\nrest"), "GET / " TAIL},
    {"9112 2.1", SLICE("GET / HTTP/1.1\r\nHost: a\r\n"), "more"},
    {"9112 8", SLICE("GET / HTTP/1.1\r\nHost: a\r\n\r"), "more"},
};

static const struct head_case field_lines[] = {
    {"9112 5", WITH("X-Token_1: v"), "GET / " TAIL " | x-token_1: v"},
    {"9110 5.1", WITH("ACCEPT-LANGUAGE-THAT-IS-LONG: ABC"),
     "GET / " TAIL " | accept-language-that-is-long: ABC"},
    {"9110 5.6.2", WITH("!#$%&'*+-.^_`|~09: v"), "GET / " TAIL " | !#$%&'*+-.^_`|~09: v"},
    {"9112 5.1", WITH("X : v"), "400 malformed field name"},
    {"9112 5.1", WITH("X\t: v"), "400 malformed field name"},
    {"9112 5.1", WITH("Content-Length : 5"), "400 malformed field name"},
    {"9112 5", WITH(": v"), "400 malformed field name"},
    {"9112 5", WITH("X"), "400 malformed field name"},
    {"9112 5", WITH("X Y: v"), "400 malformed field name"},
    {"9112 5", WITH("X(Y): v"), "400 malformed field name"},
    {"9112 5", WITH("X\0: v"), "400 malformed field name"},
    {"9112 5", WITH("X\x80: v"), "400 malformed field name"},
    {"9112 5", WITH("\"X\": v"), "400 malformed field name"},
    {"9112 5.2", WITH("X: a\r\n b"), "400 line folding"},
    {"9112 5.2", WITH("X: a\r\n\tb"), "400 line folding"},
    {"9112 5.2", WITH("X: a\r\n "), "400 line folding"},
    {"9110 5.5", WITH("X:"), "GET / " TAIL " | x: "},
    {"9110 5.5", WITH("X: \t "), "GET / " TAIL " | x: "},
    {"9110 5.5", WITH("X:v"), "GET / " TAIL " | x: v"},
    {"9110 5.5", WITH("X: \t a b\tc \t"), "GET / " TAIL " | x: a b\tc"},
    {"9110 5.5", WITH("X: :: , : "), "GET / " TAIL " | x: :: , :"},
    {"9110 5.5", WITH("X: caf\xe9"), "GET / " TAIL " | x: caf\xe9"},
    {"9110 5.5", WITH("X: a\0b"), "400 control byte"},
    {"9110 5.5", WITH("X: a\x01"), "400 control byte"},
    {"9110 5.5", WITH("X: a\x1f"), "400 control byte"},
    {"9110 5.5", WITH("X: a\x7f"), "400 control byte"},
    {"9110 5.5", WITH("X: a\x0b"), "400 control byte"},
    {"9110 5.5", WITH("X: a long value that fills a block\x08 and more of it"), "400 control byte"},
    {"9110 5.5", WITH("X: a long value that fills a block\x7f and more of it"), "400 control byte"},
    {"9110 5.3", WITH("X: 1\r\nY: 2\r\nX: 3"), "GET / " TAIL " | x: 1 | y: 2 | x: 3"},
};

static void test_request_lines_are_strict(void **state) {
    (void)state;
    CHECK_HEADS(request_lines);
}

static void test_line_ends_are_strict(void **state) {
    (void)state;
    CHECK_HEADS(line_ends);
}

static void test_field_lines_are_strict(void **state) {
    (void)state;
    CHECK_HEADS(field_lines);
}

/* Every byte in every kind of place: accepted exactly where the grammar has it. */
static void test_each_byte_when_it_stands_in_a_name_or_value(void **state) {
    (void)state;
    static char line[H1_RENDER_MAX_BYTES];
    for (unsigned c = 0; c < 256; c++) {
        char text[] = "GET / HTTP/1.1\r\nHost: a\r\nX?y: a?b\r\n\r\n";
        char *name = strchr(text, '?'), *value = strrchr(text, '?');
        bool token = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     (c > 0 && strchr("!#$%&'*+-.^_`|~", (int)c));
        *value = 'v';
        *name = (char)c;
        bool good = head_feed(slice_from(text, sizeof text - 1), 99, 1, &h1_default_limits, line) > 0;
        assert_int_equal(good, token || c == ':');
        *name = 'n';
        *value = (char)c;
        good = head_feed(slice_from(text, sizeof text - 1), 99, 1, &h1_default_limits, line) > 0;
        assert_int_equal(good, c == '\t' || (c >= 0x20 && c != 0x7f));
    }
}

static const struct h1_limits small = {.head_bytes = 64, .target_bytes = 8, .method_bytes = 4, .fields = 3};

static void test_limits_hold_at_the_last_byte(void **state) {
    (void)state;
    static const struct head_case cases[] = {
        {"9112 3", SLICE("POST /2345678 HTTP/1.1\r\nHost: a\r\n\r\n"), "POST /2345678 " TAIL},
        {"9110 15.5.15", SLICE("POST /23456789 HTTP/1.1\r\nHost: a\r\n\r\n"), "414"},
        {"9110 15.5.15", SLICE("POST /234567\x7f HTTP/1.1\r\nHost: a\r\n\r\n"), "400"},
        {"9110 15.5.15", SLICE("POST /2345678\x7f HTTP/1.1\r\nHost: a\r\n\r\n"), "400"},
        {"9110 15.5.15", SLICE("POST /23456789\x7f HTTP/1.1\r\nHost: a\r\n\r\n"), "414"},
        {"9110 15.6.2", SLICE("PATCH / HTTP/1.1\r\nHost: a\r\n\r\n"), "501"},
        {"9112 5", SLICE("GET / HTTP/1.1\r\nHost: a\r\nB: b\r\nC: c\r\n\r\n"),
         "GET / " TAIL " | b: b | c: c"},
        {"6585 5", SLICE("GET / HTTP/1.1\r\nHost: a\r\nB: b\r\nC: c\r\nD: d\r\n\r\n"), "431 too many"},
        {"6585 5", SLICE("GET / HTTP/1.1\r\nHost: a\r\nB: 2345678901234567890123456789\r\n\r\n"),
         "GET / " TAIL " | b: 2345678901234567890123456789"},
        {"6585 5", SLICE("GET / HTTP/1.1\r\nHost: a\r\nB: 2345678901234567890123456789012345678\r\n\r\n"),
         "431 head too large"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        head_check(&cases[i], &small);
}

static void test_head_of_exactly_the_limit_is_taken(void **state) {
    (void)state;
    static char line[H1_RENDER_MAX_BYTES];
    struct slice head = SLICE("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    struct h1_limits limits = h1_default_limits;
    limits.head_bytes = (uint32_t)head.n;
    assert_int_equal(head_feed(head, head.n, 1, &limits, line), head.n);
    limits.head_bytes--;
    assert_int_equal(head_feed(slice_from(head.p, head.n - 1), head.n, 1, &limits, line), 0);
    assert_string_equal(line, "431 head too large");
    assert_int_equal(head_feed(head, head.n, 1, &limits, line), 0);
    assert_memory_equal(line, "431", 3);
}

static void test_128_fields_are_taken_and_one_more_is_not(void **state) {
    (void)state;
    static char text[4096], line[H1_RENDER_MAX_BYTES];
    size_t n = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (unsigned i = 1; i < H1_FIELDS_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "f%u: %u\r\n", i, i);
    memcpy(text + n, "\r\n", 2);
    assert_int_equal(head_feed(slice_from(text, n + 2), n, 1, &h1_default_limits, line), n + 2);
    assert_non_null(strstr(line, "| f127: 127"));
    memcpy(text + n, "g: g\r\n\r\n", 8);
    assert_int_equal(head_feed(slice_from(text, n + 8), n, 1, &h1_default_limits, line), 0);
    assert_string_equal(line, "431 too many field lines");
}

static void test_log_sees_the_line_of_a_refused_request(void **state) {
    (void)state;
    char text[] = "GET /x HTTP/1.1\r\nHost: a b\r\n\r\n";
    struct slice method, target;
    struct h1_parser p;
    h1_head_begin(&p, &h1_default_limits);
    h1_head_seen(&p, text, &method, &target);
    assert_int_equal(method.n + target.n, 0);
    assert_int_equal(h1_head_parse(&p, text, sizeof text - 1), H1_REFUSED);
    h1_head_seen(&p, text, &method, &target);
    assert_true(slice_equal(method, SLICE("GET")));
    assert_true(slice_equal(target, SLICE("/x")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_lines_are_strict),
        cmocka_unit_test(test_line_ends_are_strict),
        cmocka_unit_test(test_field_lines_are_strict),
        cmocka_unit_test(test_each_byte_when_it_stands_in_a_name_or_value),
        cmocka_unit_test(test_limits_hold_at_the_last_byte),
        cmocka_unit_test(test_head_of_exactly_the_limit_is_taken),
        cmocka_unit_test(test_128_fields_are_taken_and_one_more_is_not),
        cmocka_unit_test(test_log_sees_the_line_of_a_refused_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
