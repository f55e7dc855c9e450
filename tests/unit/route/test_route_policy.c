/* SPDX-License-Identifier: Apache-2.0 */
/* test_route_policy.c – what a policy lets vhosts answer beyond the host map, and which files are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "channel/memfd.h"
#include "channel/record_file.h"
#include "route/route_policy.h"
#include "schema/messages.h"

struct fixture {
    struct record_builder routes, policies;
    struct host_map *map;
    struct route_policy *policy;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    static const char *const names[] = {"zeta", "alpha", "mid"}; /* not in the order of names */
    for (unsigned i = 0; i < 3; i++) {
        const struct message_route_vhost vhost = {.vhost = i + 1, .name = slice_text(names[i])};
        assert_int_equal(message_route_vhost_append(&f->routes, &vhost), 0);
    }
    const struct message_route_host host = {.kind = HOST_KIND_EXACT, .host = SLICE("a.test"), .vhost = 1};
    assert_int_equal(message_route_host_append(&f->routes, &host), 0);
    assert_int_equal(host_map_new(f->routes.bytes, f->routes.size, &f->map), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    route_policy_free(f->policy);
    host_map_free(f->map);
    free(f->routes.bytes);
    free(f->policies.bytes);
    free(f);
    return 0;
}

static void also(struct fixture *f, enum host_kind kind, const char *host, const char *vhost) {
    const struct message_route_also m = {.kind = kind, .host = slice_text(host), .vhost = slice_text(vhost)};
    assert_int_equal(message_route_also_append(&f->policies, &m), 0);
}

static int build(struct fixture *f) {
    return route_policy_new(f->policies.bytes, f->policies.size, f->map, &f->policy);
}

static bool allows(const struct fixture *f, const char *host, uint64_t vhost) {
    return route_policy_allows(f->policy, f->map, slice_text(host), vhost);
}

static void test_allows_what_map_or_policy_say(void **state) {
    struct fixture *f = *state;
    also(f, HOST_KIND_EXACT, "a.test", "mid");
    also(f, HOST_KIND_WILDCARD, "wild.test", "alpha");
    also(f, HOST_KIND_EXACT, "b.test", "nobody-knows-it");
    assert_int_equal(build(f), 0);
    assert_true(allows(f, "a.test", 1));
    assert_true(allows(f, "a.test", 3));
    assert_true(allows(f, "a.test.", 3));
    assert_false(allows(f, "a.test", 2));
    assert_true(allows(f, "x.wild.test", 2));
    assert_true(allows(f, "x.y.wild.test", 2));
    assert_false(allows(f, "wild.test", 2));
    assert_false(allows(f, "xwild.test", 2));
    assert_false(allows(f, "b.test", 1));
    assert_false(allows(f, "", 1));
    assert_false(allows(f, ".", 2));
}

static void test_default_allows_every_host(void **state) {
    struct fixture *f = *state;
    also(f, HOST_KIND_DEFAULT, "", "alpha");
    assert_int_equal(build(f), 0);
    assert_true(allows(f, "any.test", 2));
    assert_true(allows(f, "", 2));
    assert_false(allows(f, "any.test", 1));
}

static void test_allows_only_the_map_when_there_is_no_policy(void **state) {
    const struct fixture *f = *state;
    assert_true(allows(f, "a.test", 1));
    assert_false(allows(f, "a.test", 2));
}

static void test_finds_vhosts_by_name_and_fields(void **state) {
    struct fixture *f = *state;
    const struct message_route_field field = {.name = SLICE("cookie")};
    assert_int_equal(message_route_field_append(&f->policies, &field), 0);
    assert_int_equal(build(f), 0);
    assert_int_equal(route_policy_vhost(f->policy, SLICE("alpha"))->id, 2);
    assert_int_equal(route_policy_vhost(f->policy, SLICE("zeta"))->id, 1);
    assert_null(route_policy_vhost(f->policy, SLICE("alph")));
    assert_null(route_policy_vhost(f->policy, SLICE("")));
    assert_true(route_policy_wants(f->policy, SLICE("cookie")));
    assert_false(route_policy_wants(f->policy, SLICE("cooki")));
    assert_false(route_policy_wants(NULL, SLICE("cookie")));
}

static void test_joins_the_pieces_of_the_routing_script(void **state) {
    struct fixture *f = *state;
    const char *const parts[] = {"route ", "\"a\"", " {}"};
    for (unsigned i = 0; i < 3; i++) {
        const struct message_policy_text m = {
            .policy = 0, .file = SLICE("routing.lua"), .part = slice_text(parts[i])};
        const struct message_policy_text other = {
            .policy = 1, .file = SLICE("parsing.lua"), .part = SLICE("no")};
        assert_int_equal(message_policy_text_append(&f->policies, &m), 0);
        assert_int_equal(message_policy_text_append(&f->policies, &other), 0);
    }
    assert_int_equal(build(f), 0);
    assert_true(slice_equal(route_policy_text(f->policy), SLICE("route \"a\" {}")));
    assert_true(slice_equal(route_policy_file(f->policy), SLICE("routing.lua")));
}

static void test_refuses_files_that_break_a_rule(void **state) {
    struct fixture *f = *state;
    also(f, HOST_KIND_DEFAULT, "a.test", "alpha");
    assert_int_equal(build(f), -EBADMSG);
    f->policies.size = 0;
    for (int i = 0; i < 9; i++) {
        const struct message_route_field field = {.name = SLICE("x")};
        assert_int_equal(message_route_field_append(&f->policies, &field), 0);
    }
    assert_int_equal(build(f), -EBADMSG);
    f->policies.size = 0;
    also(f, HOST_KIND_EXACT, "a.test", "alpha");
    f->policies.size -= 8;
    assert_int_equal(build(f), -EBADMSG);
}

static void test_refuses_a_file_without_seals(void **state) {
    struct fixture *f = *state;
    also(f, HOST_KIND_EXACT, "b.test", "alpha");
    int fd = memfd_make_file("policies", f->policies.bytes, f->policies.size);
    assert_int_equal(route_policy_open(fd, f->map, &f->policy), 0);
    assert_true(allows(f, "b.test", 2));
    assert_int_equal(close(fd), 0);
    struct route_policy *none = NULL;
    fd = memfd_make_ring("policies", 65536);
    assert_int_equal(route_policy_open(fd, f->map, &none), -EBADMSG);
    assert_int_equal(close(fd), 0);
    assert_null(none);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_allows_what_map_or_policy_say, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_default_allows_every_host, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_allows_only_the_map_when_there_is_no_policy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_finds_vhosts_by_name_and_fields, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_joins_the_pieces_of_the_routing_script, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refuses_files_that_break_a_rule, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refuses_a_file_without_seals, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
