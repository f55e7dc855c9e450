/* SPDX-License-Identifier: Apache-2.0 */
/* test_host_map.c – which vhost answers, and which route maps are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "channel/memfd.h"
#include "channel/record_file.h"
#include "route/host_map.h"
#include "schema/messages.h"

struct fixture {
    struct record_builder file;
    struct host_map *map;
};

static int set_up(void **state) {
    *state = calloc(1, sizeof(struct fixture));
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    host_map_free(f->map);
    free(f->file.bytes);
    free(f);
    return 0;
}

static void add_vhost(struct fixture *f, uint64_t id, const char *name) {
    const struct message_route_vhost m = {.vhost = id, .name = slice_text(name)};
    assert_int_equal(message_route_vhost_append(&f->file, &m), 0);
}

static void add_host(struct fixture *f, enum host_kind kind, const char *host, uint64_t id) {
    const struct message_route_host m = {.kind = kind, .host = slice_text(host), .vhost = id};
    assert_int_equal(message_route_host_append(&f->file, &m), 0);
}

static int build(struct fixture *f) {
    return host_map_new(f->file.bytes, f->file.size, &f->map);
}

static void assert_finds(const struct fixture *f, const char *host, uint64_t id) {
    uint64_t vhost = 0;
    assert_true(host_map_find(f->map, slice_text(host), &vhost));
    assert_int_equal(vhost, id);
    assert_true(host_map_allows(f->map, slice_text(host), id));
}

static void assert_misses(const struct fixture *f, const char *host) {
    uint64_t vhost = 99;
    assert_false(host_map_find(f->map, slice_text(host), &vhost));
    assert_int_equal(vhost, 99);
    assert_false(host_map_allows(f->map, slice_text(host), 7));
}

static void add_example(struct fixture *f) {
    add_vhost(f, 7, "alice");
    add_host(f, HOST_KIND_EXACT, "alice.example", 7);
    add_host(f, HOST_KIND_WILDCARD, "alice.example", 7);
    add_vhost(f, 9, "bob");
    add_host(f, HOST_KIND_EXACT, "bob.alice.example", 9);
    add_host(f, HOST_KIND_WILDCARD, "deep.alice.example", 9);
}

static void test_finds_exact_when_wildcard_matches_too(void **state) {
    struct fixture *f = *state;
    add_example(f);
    assert_int_equal(build(f), 0);
    assert_finds(f, "alice.example", 7);
    assert_finds(f, "bob.alice.example", 9);
    assert_finds(f, "carol.alice.example", 7);
    assert_finds(f, "a.b.c.alice.example", 7);
}

static void test_finds_longest_wildcard_when_two_match(void **state) {
    struct fixture *f = *state;
    add_example(f);
    assert_int_equal(build(f), 0);
    assert_finds(f, "x.deep.alice.example", 9);
    assert_finds(f, "x.y.deep.alice.example", 9);
    assert_finds(f, "deep.alice.example", 7);
}

static void test_misses_when_nothing_matches(void **state) {
    struct fixture *f = *state;
    add_vhost(f, 7, "alice");
    add_host(f, HOST_KIND_WILDCARD, "example", 7);
    assert_int_equal(build(f), 0);
    assert_misses(f, "example");
    assert_misses(f, ".example");
    assert_misses(f, "aexample");
    assert_misses(f, "a.example.org");
    assert_misses(f, "");
    assert_misses(f, ".");
    assert_misses(f, "A.EXAMPLE");
    assert_finds(f, "a.example", 7);
}

static void test_ignores_one_dot_when_it_is_trailing(void **state) {
    struct fixture *f = *state;
    add_example(f);
    assert_int_equal(build(f), 0);
    assert_finds(f, "alice.example.", 7);
    assert_finds(f, "x.deep.alice.example.", 9);
    assert_misses(f, "alice.example..");
}

static void test_falls_back_when_there_is_a_default(void **state) {
    struct fixture *f = *state;
    char long_host[300];
    add_example(f);
    add_vhost(f, 11, "rest");
    add_host(f, HOST_KIND_DEFAULT, "", 11);
    assert_int_equal(build(f), 0);
    assert_finds(f, "elsewhere.example", 11);
    assert_finds(f, "", 11);
    assert_finds(f, "alice.example", 7);
    memset(long_host, 'a', sizeof long_host - 1);
    long_host[sizeof long_host - 1] = '\0';
    assert_finds(f, long_host, 11);
}

static void test_allows_only_the_vhost_when_router_lies(void **state) {
    struct fixture *f = *state;
    add_example(f);
    add_vhost(f, 11, "rest");
    add_host(f, HOST_KIND_DEFAULT, "", 11);
    assert_int_equal(build(f), 0);
    assert_false(host_map_allows(f->map, SLICE("bob.alice.example"), 7));
    assert_false(host_map_allows(f->map, SLICE("alice.example"), 9));
    assert_false(host_map_allows(f->map, SLICE("alice.example"), 11));
    assert_false(host_map_allows(f->map, SLICE("alice.example"), 0));
    assert_false(host_map_allows(f->map, SLICE("elsewhere.example"), 7));
}

static void test_host_with_any_byte_is_safe_when_asked(void **state) {
    struct fixture *f = *state;
    static const char odd[] = "a\0b.\xff.alice.example";
    uint64_t vhost;
    add_example(f);
    assert_int_equal(build(f), 0);
    assert_true(host_map_find(f->map, slice_from(odd, sizeof odd - 1), &vhost));
    assert_int_equal(vhost, 7);
    assert_false(host_map_find(f->map, slice_from("alice.example\0", 14), &vhost));
}

static void test_names_vhosts_when_asked_by_index(void **state) {
    struct fixture *f = *state;
    add_example(f);
    assert_int_equal(build(f), 0);
    assert_int_equal(host_map_vhost_count(f->map), 2);
    assert_int_equal(host_map_vhost_at(f->map, 1)->id, 9);
    assert_true(slice_equal(host_map_vhost_at(f->map, 1)->name, SLICE("bob")));
    assert_int_equal(host_map_vhost_index(f->map, 7), 0);
    assert_int_equal(host_map_vhost_index(f->map, 9), 1);
    assert_int_equal(host_map_vhost_index(f->map, 8), -1);
    assert_int_equal(host_map_vhost_index(f->map, UINT64_MAX), -1);
}

static void test_finds_every_host_when_there_are_many(void **state) {
    struct fixture *f = *state;
    char host[64];
    for (uint64_t id = 1; id <= 10000; id++) {
        (void)snprintf(host, sizeof host, "site%u", (unsigned)id);
        add_vhost(f, id, host);
        (void)snprintf(host, sizeof host, "site%u.example", (unsigned)id);
        add_host(f, HOST_KIND_EXACT, host, id);
        add_host(f, HOST_KIND_WILDCARD, host, id);
    }
    assert_int_equal(build(f), 0);
    for (uint64_t id = 1; id <= 10000; id++) {
        (void)snprintf(host, sizeof host, "site%u.example", (unsigned)id);
        assert_finds(f, host, id);
        (void)snprintf(host, sizeof host, "www.site%u.example", (unsigned)id);
        assert_finds(f, host, id);
    }
    assert_misses(f, "site10001.example");
}

static void test_empty_file_gives_empty_map(void **state) {
    struct fixture *f = *state;
    assert_int_equal(host_map_new((const uint8_t *)"", 0, &f->map), 0);
    assert_int_equal(host_map_vhost_count(f->map), 0);
    assert_misses(f, "alice.example");
}

/* Refusals -------------------------------------------------------------------------------------- */

static void assert_refused(struct fixture *f) {
    assert_int_equal(build(f), -EBADMSG);
    assert_null(f->map);
}

static void test_refuses_when_ids_do_not_rise(void **state) {
    add_vhost(*state, 7, "alice");
    add_vhost(*state, 7, "bob");
    assert_refused(*state);
}

static void test_refuses_when_id_is_zero(void **state) {
    add_vhost(*state, 0, "alice");
    assert_refused(*state);
}

static void test_refuses_when_vhost_is_unknown(void **state) {
    add_vhost(*state, 7, "alice");
    add_host(*state, HOST_KIND_EXACT, "a.example", 8);
    assert_refused(*state);
}

static void test_refuses_when_host_comes_before_its_vhost(void **state) {
    add_host(*state, HOST_KIND_EXACT, "a.example", 7);
    add_vhost(*state, 7, "alice");
    assert_refused(*state);
}

static void test_refuses_when_pattern_stands_twice(void **state) {
    add_vhost(*state, 7, "alice");
    add_vhost(*state, 8, "bob");
    add_host(*state, HOST_KIND_WILDCARD, "a.example", 7);
    add_host(*state, HOST_KIND_WILDCARD, "a.example", 8);
    assert_refused(*state);
}

static void test_refuses_when_there_are_two_defaults(void **state) {
    add_vhost(*state, 7, "alice");
    add_host(*state, HOST_KIND_DEFAULT, "", 7);
    add_host(*state, HOST_KIND_DEFAULT, "", 7);
    assert_refused(*state);
}

static void test_refuses_when_default_has_a_host(void **state) {
    add_vhost(*state, 7, "alice");
    add_host(*state, HOST_KIND_DEFAULT, "x", 7);
    assert_refused(*state);
}

static void test_refuses_when_pattern_is_impossible(void **state) {
    static const char *const patterns[] = {"", ".", "a.", ".a", "A.example", "a b", "*.example", "b\xc3\xbc"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct fixture f = {.map = NULL};
        add_vhost(&f, 7, "alice");
        add_host(&f, HOST_KIND_EXACT, patterns[i], 7);
        assert_refused(&f);
        free(f.file.bytes);
    }
    (void)state;
}

static void test_refuses_when_record_is_not_a_route(void **state) {
    struct fixture *f = *state;
    const struct message_plan_server m = {.logs = SLICE("/var/log")};
    assert_int_equal(message_plan_server_append(&f->file, &m), 0);
    assert_refused(f);
}

static void test_refuses_when_file_is_cut_anywhere(void **state) {
    struct fixture *f = *state;
    add_example(f);
    size_t whole = f->file.size;
    for (size_t size = 1; size < whole; size++) {
        struct host_map *map = NULL;
        uint8_t *cut = malloc(size);
        memcpy(cut, f->file.bytes, size);
        int rc = host_map_new(cut, size, &map);
        assert_true(rc == -EBADMSG || (rc == 0 && size % 8 == 0));
        host_map_free(map);
        free(cut);
    }
}

static void test_opens_when_file_is_sealed(void **state) {
    struct fixture *f = *state;
    add_example(f);
    int fd = memfd_make_file("routes", f->file.bytes, f->file.size);
    assert_true(fd >= 0);
    assert_int_equal(host_map_open(fd, &f->map), 0);
    (void)close(fd);
    assert_finds(f, "alice.example", 7);
}

static void test_does_not_open_when_file_is_not_sealed(void **state) {
    struct fixture *f = *state;
    int fd = memfd_make_ring("routes", 4096);
    assert_true(fd >= 0);
    assert_int_equal(host_map_open(fd, &f->map), -EBADMSG);
    (void)close(fd);
    assert_null(f->map);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_finds_exact_when_wildcard_matches_too),
        TEST(test_finds_longest_wildcard_when_two_match),
        TEST(test_misses_when_nothing_matches),
        TEST(test_ignores_one_dot_when_it_is_trailing),
        TEST(test_falls_back_when_there_is_a_default),
        TEST(test_allows_only_the_vhost_when_router_lies),
        TEST(test_host_with_any_byte_is_safe_when_asked),
        TEST(test_names_vhosts_when_asked_by_index),
        TEST(test_finds_every_host_when_there_are_many),
        TEST(test_empty_file_gives_empty_map),
        TEST(test_refuses_when_ids_do_not_rise),
        TEST(test_refuses_when_id_is_zero),
        TEST(test_refuses_when_vhost_is_unknown),
        TEST(test_refuses_when_host_comes_before_its_vhost),
        TEST(test_refuses_when_pattern_stands_twice),
        TEST(test_refuses_when_there_are_two_defaults),
        TEST(test_refuses_when_default_has_a_host),
        TEST(test_refuses_when_pattern_is_impossible),
        TEST(test_refuses_when_record_is_not_a_route),
        TEST(test_refuses_when_file_is_cut_anywhere),
        TEST(test_opens_when_file_is_sealed),
        TEST(test_does_not_open_when_file_is_not_sealed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
