/* SPDX-License-Identifier: Apache-2.0 */
/* test_routes_cache.c – answers are remembered as far as they say, never further. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "listener/route_value.h"
#include "listener/routes_cache.h"

static int set_up(void **state) {
    struct route_cache *cache = calloc(1, sizeof *cache);
    *state = cache;
    return route_cache_init(cache);
}

static int tear_down(void **state) {
    route_cache_deinit(*state);
    free(*state);
    return 0;
}

static struct route_question question(const char *host, const char *path, const struct field *cookie) {
    return (struct route_question){slice_text(host), slice_text(path), cookie, cookie != NULL ? 1 : 0};
}

static void remember(struct route_cache *cache, const char *host, const char *path, uint32_t index,
                     struct route_scope scope) {
    const struct route_question q = question(host, path, NULL);
    const struct route_answer answer = {
        .verdict = VERDICT_VHOST, .choices = 1, .index = {index}, .weights = {1}};
    route_cache_remember(cache, &q, &answer, &scope, 1000);
}

/* The index that is found, or -1. */
static long find_at(struct route_cache *cache, const char *host, const char *path, uint64_t now) {
    const struct route_question q = question(host, path, NULL);
    struct route_found found;
    return route_cache_find(cache, &q, now, &found) ? (long)found.index : -1;
}

static long find(struct route_cache *cache, const char *host, const char *path) {
    return find_at(cache, host, path, 1000);
}

#define AUTHORITY ((struct route_scope){.reuse = REUSE_AUTHORITY})
#define PATH ((struct route_scope){.reuse = REUSE_PATH})
#define PREFIX(n) ((struct route_scope){.reuse = REUSE_PREFIX, .prefix_bytes = (n)})

static void test_finds_nothing_when_empty(void **state) {
    assert_int_equal(find(*state, "a.test", "/"), -1);
    assert_int_equal(find(*state, "", "/"), -1);
}

static void test_authority_counts_for_its_host_only(void **state) {
    remember(*state, "a.test", "/x/y", 7, AUTHORITY);
    assert_int_equal(find(*state, "a.test", "/"), 7);
    assert_int_equal(find(*state, "a.test", "/any/thing"), 7);
    assert_int_equal(find(*state, "b.test", "/"), -1);
    assert_int_equal(find(*state, "a.tes", "t/"), -1);
}

static void test_longest_prefix_wins_and_ends_at_a_border(void **state) {
    remember(*state, "a.test", "/blog/x", 1, PREFIX(5));
    remember(*state, "a.test", "/blog/admin/new/x", 2, PREFIX(15));
    remember(*state, "a.test", "/blog", 3, PATH);
    assert_int_equal(find(*state, "a.test", "/blog"), 3);
    assert_int_equal(find(*state, "a.test", "/blog/"), 1);
    assert_int_equal(find(*state, "a.test", "/blog/admin"), 1);
    assert_int_equal(find(*state, "a.test", "/blog/admin/new"), 2);
    assert_int_equal(find(*state, "a.test", "/blog/admin/newer"), 1);
    assert_int_equal(find(*state, "a.test", "/blogger"), -1);
    assert_int_equal(find(*state, "a.test", "/"), -1);
    remember(*state, "a.test", "/", 4, AUTHORITY);
    assert_int_equal(find(*state, "a.test", "/blogger"), 4);
    assert_int_equal(find(*state, "a.test", "/blog/x"), 1);
}

static void test_once_and_what_is_too_long_are_not_remembered(void **state) {
    char path[ROUTE_KEY_MAX + 2] = "/";
    memset(path + 1, 'x', sizeof path - 2);
    remember(*state, "a.test", "/", 1, (struct route_scope){.reuse = REUSE_ONCE});
    remember(*state, "a.test", path, 1, PATH);
    remember(*state, "", "/", 1, AUTHORITY);
    remember(*state, "a.test", "/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f", 1, PREFIX(30));
    assert_int_equal(find(*state, "a.test", "/"), -1);
    assert_int_equal(find(*state, "a.test", path), -1);
    assert_int_equal(find(*state, "", "/"), -1);
    assert_int_equal(find(*state, "a.test", "/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f"), -1);
    remember(*state, "a.test", "/1/2/3/4/5/6/7/8/9/a/b/c/d/e", 9, PREFIX(28));
    assert_int_equal(find(*state, "a.test", "/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g"), 9);
}

static void test_time_ends_an_answer(void **state) {
    struct route_scope scope = AUTHORITY;
    scope.reuse_ms = 50;
    remember(*state, "a.test", "/", 1, scope);
    assert_int_equal(find_at(*state, "a.test", "/", 1049), 1);
    assert_int_equal(find_at(*state, "a.test", "/", 1050), -1);
    remember(*state, "a.test", "/", 2, AUTHORITY);
    assert_int_equal(find_at(*state, "a.test", "/", 99999), 2);
}

static long find_cookie(struct route_cache *cache, const char *line) {
    const struct field cookie = {SLICE("cookie"), slice_text(line)};
    const struct route_question q = question("a.test", "/x", &cookie);
    struct route_found found;
    return route_cache_find(cache, &q, 1000, &found) ? (long)found.index : -1;
}

static void remember_cookie(struct route_cache *cache, const char *line, uint32_t index) {
    const struct field cookie = {SLICE("cookie"), slice_text(line)};
    const struct route_question q = question("a.test", "/x", &cookie);
    const struct route_answer answer = {
        .verdict = VERDICT_VHOST, .choices = 1, .index = {index}, .weights = {1}};
    struct route_scope scope = AUTHORITY;
    scope.selector = SELECTOR_COOKIE;
    scope.selector_name = SLICE("canary");
    route_cache_remember(cache, &q, &answer, &scope, 1000);
}

static void test_selected_answers_count_for_their_value(void **state) {
    char longest[80] = "canary=", longer[80] = "canary=";
    memset(longest + 7, 'v', 64);
    memset(longer + 7, 'v', 65);
    remember_cookie(*state, "canary=on", 1);
    remember_cookie(*state, "x=y", 2);
    remember_cookie(*state, "canary=", 3);
    remember_cookie(*state, longest, 4);
    remember_cookie(*state, longer, 5);
    assert_int_equal(find_cookie(*state, "a=b; canary = on ;c=d"), 1);
    assert_int_equal(find_cookie(*state, "canary=on; canary=off"), 1);
    assert_int_equal(find_cookie(*state, "a=b"), 2);
    assert_int_equal(find_cookie(*state, "canary"), 2);
    assert_int_equal(find_cookie(*state, "Canary=on"), 2);
    assert_int_equal(find_cookie(*state, "canary=;"), 3);
    assert_int_equal(find_cookie(*state, "canary=off"), -1);
    assert_int_equal(find_cookie(*state, longest), 4);
    assert_int_equal(find_cookie(*state, longer), -1);
    assert_int_equal(find(*state, "a.test", "/x"), 2);
}

static void test_answers_keep_their_texts(void **state) {
    struct route_cache *cache = *state;
    char text[] = "Back at noon.", location[] = "https://new.test";
    const struct route_question q = question("a.test", "/x", NULL);
    const struct route_answer answer = {.verdict = VERDICT_REDIRECT,
                                        .status = 301,
                                        .location = slice_text(location),
                                        .text = slice_text(text)};
    struct route_found found;
    route_cache_remember(cache, &q, &answer, &PATH, 1000);
    memset(text, 'x', sizeof text);
    memset(location, 'x', sizeof location);
    assert_true(route_cache_find(cache, &q, 1000, &found));
    assert_non_null(found.answer);
    assert_int_equal(found.answer->status, 301);
    assert_true(slice_equal(found.answer->location, SLICE("https://new.test")));
    assert_true(slice_equal(found.answer->text, SLICE("Back at noon.")));
    route_cache_clear(cache);
    assert_false(route_cache_find(cache, &q, 1000, &found));
}

/* A flood pushes others out, frees what it pushes out, and never gives a wrong answer. */
static void test_flood_is_bounded_and_right(void **state) {
    struct route_cache *cache = *state;
    const struct route_answer answer = {.verdict = VERDICT_ANSWER, .status = 503, .text = SLICE("Later.")};
    unsigned found_count = 0;
    for (uint32_t n = 0; n < 20000; n++) {
        char host[32], path[32];
        (void)snprintf(host, sizeof host, "h%u.test", n % 97);
        (void)snprintf(path, sizeof path, "/p%u/x", n);
        const struct route_question q = question(host, path, NULL);
        struct route_found found;
        if (n % 3 == 0) {
            route_cache_remember(cache, &q, &answer, &PATH, 1000);
        } else {
            remember(cache, host, path, n, PREFIX((uint16_t)(strlen(path) - 2)));
        }
        if (route_cache_find(cache, &q, 1000, &found)) {
            found_count++;
            assert_true(n % 3 == 0 ? found.answer != NULL : found.answer == NULL && found.index == n);
        }
    }
    assert_in_range(found_count, 15000, 20000);
}

static void test_counts_segments(void **state) {
    (void)state;
    assert_int_equal(route_segments(SLICE("/")), 0);
    assert_int_equal(route_segments(SLICE("/a")), 1);
    assert_int_equal(route_segments(SLICE("/a/")), 1);
    assert_int_equal(route_segments(SLICE("/a/bc")), 2);
}

static void test_first_field_of_a_name_counts(void **state) {
    const struct field fields[] = {{SLICE("x-a"), SLICE("1")},
                                   {SLICE("cookie"), SLICE("a=1")},
                                   {SLICE("x-a"), SLICE("2")},
                                   {SLICE("cookie"), SLICE("b=2; a=3")}};
    struct slice value;
    (void)state;
    assert_true(route_value_field(fields, 4, SLICE("x-a"), &value));
    assert_true(slice_equal(value, SLICE("1")));
    assert_true(route_value_cookie(fields, 4, SLICE("a"), &value));
    assert_true(slice_equal(value, SLICE("1")));
    assert_true(route_value_cookie(fields, 4, SLICE("b"), &value));
    assert_true(slice_equal(value, SLICE("2")));
    assert_false(route_value_field(fields, 4, SLICE("x"), &value));
    assert_false(route_value_cookie(fields, 4, SLICE("c"), &value));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_finds_nothing_when_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_authority_counts_for_its_host_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_longest_prefix_wins_and_ends_at_a_border, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_once_and_what_is_too_long_are_not_remembered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_time_ends_an_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_selected_answers_count_for_their_value, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_answers_keep_their_texts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_flood_is_bounded_and_right, set_up, tear_down),
        cmocka_unit_test(test_counts_segments),
        cmocka_unit_test(test_first_field_of_a_name_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
