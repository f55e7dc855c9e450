/* SPDX-License-Identifier: Apache-2.0 */
/* test_route_table.c – patterns, precedence, conflicts, and that a search stays bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "vhost/route_table.h"

static void add(struct route_table *t, const char *pattern, unsigned methods, uint32_t target) {
    uint32_t rival = 0;
    assert_null(route_table_add(t, slice_text(pattern), methods, target, &rival));
}

static uint32_t find(struct route_table *t, const char *path, unsigned method) {
    struct route_match m;
    return route_table_find(t, slice_text(path), method, &m) == ROUTE_FOUND ? m.target : 0;
}

static void assert_capture(const struct route_match *m, const char *path, size_t i, const char *name,
                           const char *value) {
    assert_true(i < m->capture_count);
    assert_true(slice_equal(m->captures[i].name, slice_text(name)));
    assert_true(
        slice_equal(slice_from(path + m->captures[i].start, m->captures[i].length), slice_text(value)));
}

static void test_literal_beats_name_beats_rest_when_all_match(void **state) {
    (void)state;
    struct route_table *t = route_table_new();
    add(t, "/*", METHOD_GET, 1);
    add(t, "/blog/:post", METHOD_GET, 2);
    add(t, "/blog/new", METHOD_GET, 3);
    add(t, "/blog/*", METHOD_GET, 4);
    add(t, "/:section/new", METHOD_GET, 5);
    add(t, "/", METHOD_GET, 6);
    assert_int_equal(find(t, "/blog/new", METHOD_GET), 3);
    assert_int_equal(find(t, "/blog/old", METHOD_GET), 2);
    assert_int_equal(find(t, "/blog/old/x", METHOD_GET), 4);
    assert_int_equal(find(t, "/blog/", METHOD_GET), 4);
    assert_int_equal(find(t, "/blog", METHOD_GET), 1);
    assert_int_equal(find(t, "/shop/new", METHOD_GET), 5);
    assert_int_equal(find(t, "/shop/old", METHOD_GET), 1);
    assert_int_equal(find(t, "/", METHOD_GET), 6);
    assert_int_equal(find(t, "//", METHOD_GET), 1);
    route_table_free(t);
}

static void test_captures_when_names_and_rest_match(void **state) {
    (void)state;
    struct route_table *t = route_table_new();
    struct route_match m;
    const char *path = "/u/ann/files/a/b c";
    add(t, "/u/:user/files/*", METHOD_GET, 1);
    add(t, "/u/:id", METHOD_GET, 2);
    assert_int_equal(route_table_find(t, slice_text(path), METHOD_GET, &m), ROUTE_FOUND);
    assert_int_equal(m.capture_count, 2);
    assert_capture(&m, path, 0, "user", "ann");
    assert_capture(&m, path, 1, "*", "a/b c");
    assert_int_equal(route_table_find(t, SLICE("/u/7"), METHOD_GET, &m), ROUTE_FOUND);
    assert_capture(&m, "/u/7", 0, "id", "7");
    assert_int_equal(route_table_find(t, SLICE("/u/"), METHOD_GET, &m), ROUTE_NOT_FOUND);
    assert_int_equal(route_table_find(t, SLICE("/u/x/files/"), METHOD_GET, &m), ROUTE_FOUND);
    assert_capture(&m, "/u/x/files/", 1, "*", "");
    route_table_free(t);
}

static void test_method_falls_through_when_a_better_pattern_lacks_it(void **state) {
    (void)state;
    struct route_table *t = route_table_new();
    struct route_match m;
    add(t, "/*", METHOD_GET | METHOD_HEAD, 1);
    add(t, "/contact", METHOD_POST, 2);
    assert_int_equal(find(t, "/contact", METHOD_GET), 1);
    assert_int_equal(find(t, "/contact", METHOD_POST), 2);
    assert_int_equal(route_table_find(t, SLICE("/contact"), METHOD_DELETE, &m), ROUTE_WRONG_METHOD);
    assert_int_equal(m.allowed, METHOD_GET | METHOD_HEAD | METHOD_POST);
    assert_int_equal(route_table_find(t, SLICE("/else"), METHOD_POST, &m), ROUTE_WRONG_METHOD);
    assert_int_equal(m.allowed, METHOD_GET | METHOD_HEAD);
    route_table_free(t);
}

static void test_conflict_when_pattern_and_method_are_taken(void **state) {
    (void)state;
    struct route_table *t = route_table_new();
    uint32_t rival = 0;
    add(t, "/a/:b", METHOD_GET, 7);
    add(t, "/a/:b", METHOD_POST, 8);
    assert_non_null(route_table_add(t, SLICE("/a/:other"), METHOD_GET, 9, &rival));
    assert_int_equal(rival, 7);
    assert_int_equal(find(t, "/a/x", METHOD_GET), 7);
    assert_int_equal(find(t, "/a/x", METHOD_POST), 8);
    route_table_free(t);
}

static void test_pattern_is_refused_when_malformed(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",      "a",      "/*/b",
        "/a*",   "/:",     "/:1a",
        "/:a-b", "/:a/:a", "/:a/:b/:c/:d/:e/:f/:g/:h/:i/:j/:k/:l/:m/:n/:o/:p/*"};
    struct route_table *t = route_table_new();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint32_t rival = 0;
        assert_non_null(route_table_add(t, slice_text(bad[i]), METHOD_GET, 1, &rival));
    }
    assert_int_equal(find(t, "/a", METHOD_GET), 0);
    route_table_free(t);
}

/* Every mixture of literal and :name on twelve levels, 4,095 routes: a path that matches all but the
 * last segment of each makes the search try them all, and no more than that. */
static void test_search_is_bounded_when_every_level_backtracks(void **state) {
    (void)state;
    struct route_table *t = route_table_new();
    for (unsigned mix = 0; mix < 4095; mix++) {
        char pattern[128] = "", segment[8];
        for (unsigned level = 0; level < 12; level++) {
            (void)snprintf(segment, sizeof segment, (mix >> level & 1) != 0 ? "/:n%u" : "/a", level);
            (void)strcat(pattern, segment);
        }
        add(t, strcat(pattern, "/end"), METHOD_GET, mix + 1);
    }
    for (int i = 0; i < 100; i++) {
        assert_int_equal(find(t, "/a/a/a/a/a/a/a/a/a/a/a/a/other", METHOD_GET), 0);
    }
    assert_int_equal(find(t, "/a/a/a/a/a/a/a/a/a/a/a/a/end", METHOD_GET), 1);
    assert_int_equal(find(t, "/b/a/a/a/a/a/a/a/a/a/a/a/end", METHOD_GET), 2);
    route_table_free(t);
}

static void test_bytes_are_compared_when_the_path_holds_any_byte(void **state) {
    (void)state;
    struct route_table *t = route_table_new();
    add(t, "/caf\xc3\xa9/:x", METHOD_GET, 1);
    assert_int_equal(find(t, "/caf\xc3\xa9/\x01\xff", METHOD_GET), 1);
    assert_int_equal(find(t, "/caf\xe9/x", METHOD_GET), 0);
    route_table_free(t);
}

static void test_methods_have_names_when_printed(void **state) {
    (void)state;
    char text[METHODS_TEXT_MAX];
    assert_int_equal(method_from_name(SLICE("PATCH")), METHOD_PATCH);
    assert_int_equal(method_from_name(SLICE("get")), METHOD_OTHER);
    assert_int_equal(methods_to_text(METHOD_GET | METHOD_OPTIONS, text, sizeof text), 12);
    assert_string_equal(text, "GET, OPTIONS");
    (void)methods_to_text(METHODS_ALL, text, sizeof text);
    assert_string_equal(text, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_literal_beats_name_beats_rest_when_all_match),
        cmocka_unit_test(test_captures_when_names_and_rest_match),
        cmocka_unit_test(test_method_falls_through_when_a_better_pattern_lacks_it),
        cmocka_unit_test(test_conflict_when_pattern_and_method_are_taken),
        cmocka_unit_test(test_pattern_is_refused_when_malformed),
        cmocka_unit_test(test_search_is_bounded_when_every_level_backtracks),
        cmocka_unit_test(test_bytes_are_compared_when_the_path_holds_any_byte),
        cmocka_unit_test(test_methods_have_names_when_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
