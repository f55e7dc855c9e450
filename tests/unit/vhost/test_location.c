/* SPDX-License-Identifier: Apache-2.0 */
/* test_location.c – nothing a client sends may end the line, leave the path or name a host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "vhost/location.h"

static struct location location;

static void assert_location(const char *wanted) {
    struct slice got = location_end(&location);
    char text[256];
    assert_true(got.n < sizeof text);
    memcpy(text, got.p, got.n);
    text[got.n] = '\0';
    assert_string_equal(text, wanted);
}

static void test_path_is_encoded_when_it_holds_odd_bytes(void **state) {
    (void)state;
    location_begin(&location);
    location_add_path(&location, SLICE("/a b\r\nx:y/%41\xff\\?#\"<"));
    assert_location("/a%20b%0D%0Ax:y/%2541%FF%5C%3F%23%22%3C");
}

static void test_query_keeps_its_escapes_when_added(void **state) {
    (void)state;
    location_begin(&location);
    location_add_path(&location, SLICE("/a"));
    location_add_query(&location, SLICE(""));
    assert_location("/a");
    location_add_query(&location, SLICE("x=%20&y=a b\n"));
    assert_location("/a?x=%20&y=a%20b%0A");
}

static void test_no_host_is_named_when_the_path_begins_with_slashes(void **state) {
    (void)state;
    location_begin(&location);
    location_add_path(&location, SLICE("///evil.example/"));
    assert_location("/evil.example/");
}

static void test_captures_are_filled_in_when_the_target_mentions_them(void **state) {
    (void)state;
    struct slice path = SLICE("/old/7/a b");
    struct route_match m = {.capture_count = 2, .captures = {{{"id", 2}, 5, 1}, {{"*", 1}, 7, 3}}};
    location_begin(&location);
    location_expand(&location, SLICE("/new/:id/:idx/*"), path, &m);
    assert_location("/new/7/:idx/a%20b");
    location_begin(&location);
    location_expand(&location, SLICE("https://x.example:8080/:id"), path, &m);
    assert_location("https://x.example:8080/7");
}

static void test_target_is_refused_when_a_capture_could_name_the_host(void **state) {
    (void)state;
    static const char *const good[] = {"/", "/blog/*", "https://x.example/*", "http://x.example:80/:a",
                                       "https://x.example"};
    static const char *const bad[] = {
        "",         "blog",     "//x.example/", "https://*/", "https://:host/", "https://x.example*",
        "https://", "ftp://x/", "javascript:1", "/a b",       "/\r\nx",         "https://x.example?*"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_null(location_check_target(slice_text(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_non_null(location_check_target(slice_text(bad[i])));
    }
}

static void test_nothing_is_built_when_it_would_be_too_long(void **state) {
    (void)state;
    static char zeros[8000];
    location_begin(&location);
    location_add_path(&location, slice_from(zeros, sizeof zeros));
    assert_int_equal(location_end(&location).n, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path_is_encoded_when_it_holds_odd_bytes),
        cmocka_unit_test(test_query_keeps_its_escapes_when_added),
        cmocka_unit_test(test_no_host_is_named_when_the_path_begins_with_slashes),
        cmocka_unit_test(test_captures_are_filled_in_when_the_target_mentions_them),
        cmocka_unit_test(test_target_is_refused_when_a_capture_could_name_the_host),
        cmocka_unit_test(test_nothing_is_built_when_it_would_be_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
