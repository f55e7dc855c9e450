/* SPDX-License-Identifier: Apache-2.0 */
/* test_sites.c – the route map as the logger reads it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "channel/record_file.h"
#include "logger/sites.h"
#include "schema/messages.h"

static void add(struct record_builder *b, uint64_t vhost, struct slice name) {
    struct message_route_vhost m = {.vhost = vhost, .name = name};
    assert_int_equal(message_route_vhost_append(b, &m), 0);
}

static void test_finds_every_vhost_when_their_order_is_odd(void **state) {
    struct record_builder b = {0};
    struct sites s;
    char name[16];
    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t vhost = i * 7919 % 1009 + 1;
        int n = snprintf(name, sizeof name, "site-%llu", (unsigned long long)vhost);
        add(&b, vhost, slice_from(name, (size_t)n));
    }
    struct message_route_host host = {.kind = HOST_KIND_EXACT, .host = SLICE("a.example"), .vhost = 1};
    assert_int_equal(message_route_host_append(&b, &host), 0);
    assert_int_equal(sites_init(&s, b.bytes, b.size), 0);
    assert_int_equal(s.count, 1001);
    struct site *server = sites_find(&s, 0);
    assert_non_null(server);
    assert_true(slice_equal(server->name, SLICE("_server")));
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t vhost = i * 7919 % 1009 + 1;
        int n = snprintf(name, sizeof name, "site-%llu", (unsigned long long)vhost);
        struct site *site = sites_find(&s, vhost);
        assert_non_null(site);
        assert_true(slice_equal(site->name, slice_from(name, (size_t)n)));
    }
    assert_null(sites_find(&s, 1010));
    assert_null(sites_find(&s, UINT64_MAX));
    sites_deinit(&s);
    free(b.bytes);
}

static void assert_refused(uint64_t vhost, struct slice name) {
    struct record_builder b = {0};
    struct sites s;
    add(&b, 7, SLICE("good"));
    add(&b, vhost, name);
    assert_int_equal(sites_init(&s, b.bytes, b.size), -EBADMSG);
    free(b.bytes);
}

static void test_refuses_when_a_name_is_no_file_name(void **state) {
    (void)state;
    assert_refused(1, SLICE(""));
    assert_refused(1, SLICE("."));
    assert_refused(1, SLICE(".."));
    assert_refused(1, SLICE("../x"));
    assert_refused(1, SLICE("a/b"));
    assert_refused(1, SLICE("/etc"));
    assert_refused(1, SLICE(".hidden"));
    assert_refused(1, SLICE("_server"));
    assert_refused(1, SLICE("a b"));
    assert_refused(1, SLICE("a\nb"));
}

static void test_refuses_when_a_number_is_taken(void **state) {
    (void)state;
    assert_refused(7, SLICE("other"));
    assert_refused(0, SLICE("server"));
}

static void test_refuses_when_the_map_is_cut(void **state) {
    struct record_builder b = {0};
    struct sites s;
    (void)state;
    add(&b, 7, SLICE("good"));
    assert_int_equal(sites_init(&s, b.bytes, b.size - 8), -EBADMSG);
    b.bytes[4] = 70; /* OPEN, which config has no business to send */
    assert_int_equal(sites_init(&s, b.bytes, b.size), -EBADMSG);
    free(b.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_every_vhost_when_their_order_is_odd),
        cmocka_unit_test(test_refuses_when_a_name_is_no_file_name),
        cmocka_unit_test(test_refuses_when_a_number_is_taken),
        cmocka_unit_test(test_refuses_when_the_map_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
