/* SPDX-License-Identifier: Apache-2.0 */
/* test_routes_judge.c – locations, choices, clients. What an honest router never says is in
 * tests/hostile/test_middle.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "listener/routes_judge.h"

static void assert_location(const char *location, uint16_t keep_from, const char *path, const char *query,
                            const char *expected) {
    const struct route_answer answer = {.verdict = VERDICT_REDIRECT,
                                        .keep_path = true,
                                        .keep_from = keep_from,
                                        .location = slice_text(location)};
    char out[ROUTE_LOCATION_MAX];
    size_t n = route_location(&answer, slice_text(path), slice_text(query), out);
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(out, expected, n);
}

static void test_location_keeps_path_and_query_and_never_changes_host(void **state) {
    (void)state;
    assert_location("https://new.test", 0, "/", "", "https://new.test/");
    assert_location("https://new.test", 4, "/old", "", "https://new.test");
    assert_location("https://new.test", 4, "/old/x", "a=b%20c", "https://new.test/x?a=b%20c");
    assert_location("/", 0, "/evil.test", "", "/evil.test");
    assert_location("/a/", 0, "/b", "", "/a/b");
    assert_location("", 0, "/evil.test", "", "/evil.test");
    assert_location("", 4, "/old", "", "/");
    assert_location("/x", 0, "/\r\n%\xff\"<>", "\r\n", "/x/%0D%0A%25%FF%22%3C%3E?%0D%0A");
    assert_location("/x", 0, "/a?b#c", "?#", "/x/a%3Fb%23c??%23");
}

static void test_location_that_does_not_fit_is_none(void **state) {
    char path[4001] = "/", out[ROUTE_LOCATION_MAX];
    const struct route_answer answer = {.keep_path = true, .location = SLICE("https://new.test")};
    (void)state;
    memset(path + 1, '\xff', sizeof path - 1);
    assert_int_equal(route_location(&answer, slice_from(path, sizeof path), slice_text(""), out), 0);
}

static void test_weights_are_kept(void **state) {
    const struct route_answer answer = {.choices = 3, .index = {10, 20, 30}, .weights = {1, 94, 5}};
    unsigned counts[31] = {0};
    (void)state;
    for (uint64_t draw = 0; draw < 1000; draw++) {
        counts[route_choose(&answer, draw)]++;
    }
    assert_int_equal(counts[10], 10);
    assert_int_equal(counts[20], 940);
    assert_int_equal(counts[30], 50);
    const struct route_answer heavy = {.choices = 2, .index = {1, 2}, .weights = {UINT32_MAX, UINT32_MAX}};
    assert_int_equal(route_choose(&heavy, UINT32_MAX), 2);
    assert_int_equal(route_choose(&heavy, UINT64_C(2) * UINT32_MAX), 1);
}

static void test_client_is_its_address_or_half_of_it(void **state) {
    struct network_client a = {
        .family = FAMILY_INET6, .address = {0x20, 1, 0xd, 0xb8, 0, 1, 0, 2, 3}, .port = 1};
    struct network_client b = a;
    (void)state;
    b.address[8] = 99;
    b.port = 2;
    assert_int_equal(route_client_bits(&a), route_client_bits(&b));
    b.address[7] = 99;
    assert_int_not_equal(route_client_bits(&a), route_client_bits(&b));
    a = b = (struct network_client){.family = FAMILY_INET, .address = {127, 0, 0, 1}};
    b.port = 7;
    assert_int_equal(route_client_bits(&a), route_client_bits(&b));
    b.address[3] = 2;
    assert_int_not_equal(route_client_bits(&a), route_client_bits(&b));
}

static void assert_redirect(const char *location, bool keep, bool possible) {
    const struct message_route m = {
        .verdict = VERDICT_REDIRECT, .status = 302, .location = slice_text(location), .keep_path = keep};
    struct route_answer answer;
    struct route_scope scope;
    assert_true(route_judge(&m, SLICE("/x"), &answer, &scope) == possible);
}

static void test_only_whole_locations_and_paths_are_possible(void **state) {
    (void)state;
    const char *const fine[] = {"https://a", "http://a/b?c#d", "/", "/x", "/x//y", "https://[::1]:8/"};
    const char *const wrong[] = {"https://", "http:///x", "https://@b", "https://:8/", "HTTPS://a",
                                 "//a",      "x",         "ftp://a",    "/\\a",        "/ ",
                                 "/\x80",    "/\t",       "HTTPS//a"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        assert_redirect(fine[i], false, true);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_redirect(wrong[i], false, false);
        assert_redirect(wrong[i], true, false);
    }
    assert_redirect("", false, false);
    assert_redirect("", true, true);
    assert_redirect("/a?b", true, false);
}

static void assert_kept(enum reuse reuse, uint16_t prefix_bytes, bool possible) {
    const struct message_route m = {.verdict = VERDICT_REDIRECT,
                                    .status = 302,
                                    .location = SLICE("https://a"),
                                    .keep_path = true,
                                    .keep_from = 4,
                                    .reuse = reuse,
                                    .prefix_bytes = prefix_bytes};
    struct route_answer answer;
    struct route_scope scope;
    assert_true(route_judge(&m, SLICE("/old/x"), &answer, &scope) == possible);
}

/* Else "/abc.evil.test" would be sent to "https://a.evil.test". */
static void test_what_is_shared_is_cut_at_a_segment(void **state) {
    (void)state;
    assert_kept(REUSE_ONCE, 0, true);
    assert_kept(REUSE_PATH, 0, true);
    assert_kept(REUSE_PREFIX, 4, true);
    assert_kept(REUSE_PREFIX, 6, true);
    assert_kept(REUSE_AUTHORITY, 0, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_location_keeps_path_and_query_and_never_changes_host),
        cmocka_unit_test(test_location_that_does_not_fit_is_none),
        cmocka_unit_test(test_weights_are_kept),
        cmocka_unit_test(test_client_is_its_address_or_half_of_it),
        cmocka_unit_test(test_only_whole_locations_and_paths_are_possible),
        cmocka_unit_test(test_what_is_shared_is_cut_at_a_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
