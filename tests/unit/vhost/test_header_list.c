/* SPDX-License-Identifier: Apache-2.0 */
/* test_header_list.c – no name or value may end a line or speak about framing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "vhost/header_list.h"

static int set_up(void **state) {
    *state = calloc(1, sizeof(struct header_list));
    return 0;
}

static int tear_down(void **state) {
    header_list_deinit(*state);
    free(*state);
    return 0;
}

static const char *add(struct header_list *h, const char *name, const char *value) {
    return header_list_add(h, slice_text(name), slice_text(value));
}

static void test_lines_keep_their_order_when_added(void **state) {
    struct field fields[HEADER_LIST_MAX];
    assert_null(add(*state, "X-One", "\t 1 "));
    assert_null(add(*state, "set-cookie", "a"));
    assert_null(add(*state, "Set-Cookie", "b\xc3\xa4\tc"));
    assert_int_equal(header_list_fields(*state, fields), 3);
    assert_true(slice_equal(fields[0].name, SLICE("x-one")) && slice_equal(fields[0].value, SLICE("1")));
    assert_true(slice_equal(fields[2].name, SLICE("set-cookie")) &&
                slice_equal(fields[2].value, SLICE("b\xc3\xa4\tc")));
    header_list_remove(*state, SLICE("SET-cookie"));
    assert_int_equal(header_list_fields(*state, fields), 1);
    assert_true(slice_equal(header_list_find(*state, SLICE("X-ONE")), SLICE("1")));
    assert_null(header_list_find(*state, SLICE("set-cookie")).p);
}

static void test_every_byte_is_judged_when_it_stands_in_name_or_value(void **state) {
    static const char token[] = "!#$%&'*+-.^_`|~";
    for (int c = 0; c < 256; c++) {
        const char byte = (char)c;
        const char value[3] = {'a', byte, 'b'};
        bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool name_good = letter || (c != 0 && strchr(token, c) != NULL);
        bool value_good = (c >= ' ' && c != 0x7f) || c == '\t';
        assert_int_equal(header_list_add(*state, slice_from(value, 3), SLICE("v")) == NULL, name_good);
        assert_int_equal(header_list_add(*state, SLICE("x"), slice_from(value, 3)) == NULL, value_good);
        header_list_clear(*state);
    }
    assert_non_null(add(*state, "", "v"));
}

static void test_framing_is_refused_when_named(void **state) {
    static const char *const names[] = {
        "Content-Length", "TRANSFER-ENCODING", "connection", "Keep-Alive", "upgrade", "te", "trailer",
        "Date",           "proxy-connection"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_non_null(add(*state, names[i], "x"));
    }
    assert_null(add(*state, "content-type", "x"));
}

static void test_list_is_full_when_a_bound_is_reached(void **state) {
    static char big[HEADER_LIST_BYTES_MAX];
    memset(big, 'x', sizeof big);
    assert_null(header_list_add(*state, SLICE("n"), slice_from(big, sizeof big - 1)));
    assert_non_null(add(*state, "n", "v"));
    header_list_clear(*state);
    for (int i = 0; i < HEADER_LIST_MAX; i++) {
        assert_null(add(*state, "n", "v"));
    }
    assert_non_null(add(*state, "n", "v"));
    header_list_clear(*state);
    assert_null(add(*state, "n", "v"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_lines_keep_their_order_when_added),
        TEST(test_every_byte_is_judged_when_it_stands_in_name_or_value),
        TEST(test_framing_is_refused_when_named),
        TEST(test_list_is_full_when_a_bound_is_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
