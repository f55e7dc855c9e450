/* SPDX-License-Identifier: Apache-2.0 */
/* test_plan.c – a plan is read as it was written, or not at all. The rules for what it may ask are
 * tested from outside, by tests/integration/test_master_plan.py. */
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
#include "master/plan.h"

static const struct plan_rules rules = {0};

static void add_server(struct record_builder *b, uint32_t listens, uint32_t vhosts) {
    const struct message_plan_server server = {
        .logs = SLICE("/var/log/luttpd"), .format = LOG_FORMAT_BOTH, .listens = listens, .vhosts = vhosts};
    assert_int_equal(message_plan_server_append(b, &server), 0);
}

static void add_listen(struct record_builder *b, uint16_t processes) {
    const struct message_plan_listen listen = {
        .family = FAMILY_INET, .address = slice_from("\x7f\0\0\1", 4), .port = 8080, .processes = processes};
    assert_int_equal(message_plan_listen_append(b, &listen), 0);
}

static void add_vhost(struct record_builder *b, uint64_t id, const char *name) {
    struct message_plan_vhost vhost = {
        .vhost = id,
        .name = slice_text(name),
        .uid = (uint32_t)(100000 + id),
        .gid = (uint32_t)(100000 + id),
        .automatic = true,
        .root = SLICE("/srv"),
        .memory_bytes = 1 << 20,
        .cpu_ms = 100,
        .wall_ms = 1000,
    };
    assert_int_equal(message_plan_vhost_append(b, &vhost), 0);
}

static int open_built(struct record_builder *b, const struct plan_rules *with, struct plan *out) {
    char why[PLAN_WHY_BYTES];
    int fd = memfd_make_file("plan", b->bytes, b->size);
    assert_true(fd >= 0);
    int rc = plan_open(fd, with, out, why);
    assert_int_equal(close(fd), 0);
    free(b->bytes);
    return rc;
}

static void test_reads_what_config_wrote(void **state) {
    struct record_builder b = {0};
    static struct plan plan;
    (void)state;
    add_server(&b, 2, 3);
    add_listen(&b, 1);
    add_listen(&b, 4);
    add_vhost(&b, 3, "three");
    add_vhost(&b, 5, "five");
    add_vhost(&b, UINT64_MAX, "last");
    assert_int_equal(open_built(&b, &rules, &plan), 0);
    assert_int_equal(plan.listen_count, 2);
    assert_int_equal(plan.listener_count, 5);
    assert_int_equal(plan.vhost_count, 3);
    assert_int_equal(plan.server.format, LOG_FORMAT_BOTH);
    assert_true(slice_equal(plan.vhosts[1].name, SLICE("five")));
    assert_int_equal(plan_find_vhost(&plan, 3), 0);
    assert_int_equal(plan_find_vhost(&plan, 5), 1);
    assert_int_equal(plan_find_vhost(&plan, UINT64_MAX), 2);
    assert_int_equal(plan_find_vhost(&plan, 0), -1);
    assert_int_equal(plan_find_vhost(&plan, 4), -1);
    assert_int_equal(plan_find_vhost(&plan, UINT64_MAX - 1), -1);
    plan_close(&plan);
    plan_close(&plan); /* twice is fine */
}

static void test_finds_nothing_in_a_plan_without_vhosts(void **state) {
    struct record_builder b = {0};
    static struct plan plan;
    (void)state;
    add_server(&b, 1, 0);
    add_listen(&b, 1);
    assert_int_equal(open_built(&b, &rules, &plan), 0);
    assert_int_equal(plan_find_vhost(&plan, 1), -1);
    plan_close(&plan);
}

/* Every byte of a good plan, changed in every bit: read or refused, never a crash or an overrun. */
static void test_survives_any_flipped_bit(void **state) {
    struct record_builder b = {0};
    char why[PLAN_WHY_BYTES];
    (void)state;
    add_server(&b, 1, 2);
    add_listen(&b, 2);
    add_vhost(&b, 1, "alice");
    add_vhost(&b, 2, "bob");
    for (size_t bit = 0; bit < b.size * 8; bit++) {
        static struct plan plan;
        b.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        int fd = memfd_make_file("plan", b.bytes, b.size);
        assert_true(fd >= 0);
        if (plan_open(fd, &rules, &plan, why) == 0) {
            assert_int_equal(plan.vhost_count, 2);
            assert_true(plan.vhosts[0].uid != 0 && plan.vhosts[1].uid != 0);
            plan_close(&plan);
        }
        assert_int_equal(close(fd), 0);
        b.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    free(b.bytes);
}

static void test_refuses_a_plan_cut_anywhere(void **state) {
    struct record_builder b = {0};
    char why[PLAN_WHY_BYTES];
    (void)state;
    add_server(&b, 1, 1);
    add_listen(&b, 1);
    add_vhost(&b, 1, "alice");
    for (size_t size = 1; size < b.size; size++) {
        static struct plan plan;
        int fd = memfd_make_file("plan", b.bytes, size);
        assert_true(fd >= 0);
        assert_int_equal(plan_open(fd, &rules, &plan, why), -EBADMSG);
        assert_null(plan.bytes);
        assert_int_equal(close(fd), 0);
    }
    free(b.bytes);
}

static void test_single_user_lets_all_vhosts_share_the_caller_and_nobody_else(void **state) {
    const struct plan_rules single = {.single_user = true, .uid = 100001, .gid = 100001};
    struct record_builder good = {0}, bad = {0};
    static struct plan plan;
    (void)state;
    add_server(&good, 1, 1);
    add_listen(&good, 1);
    add_vhost(&good, 1, "alice");
    assert_int_equal(open_built(&good, &single, &plan), 0);
    plan_close(&plan);
    add_server(&bad, 1, 1);
    add_listen(&bad, 1);
    add_vhost(&bad, 2, "bob");
    assert_int_equal(open_built(&bad, &single, &plan), -EBADMSG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_what_config_wrote),
        cmocka_unit_test(test_finds_nothing_in_a_plan_without_vhosts),
        cmocka_unit_test(test_survives_any_flipped_bit),
        cmocka_unit_test(test_refuses_a_plan_cut_anywhere),
        cmocka_unit_test(test_single_user_lets_all_vhosts_share_the_caller_and_nobody_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
