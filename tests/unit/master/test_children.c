/* SPDX-License-Identifier: Apache-2.0 */
/* test_children.c – when the next process starts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>

#include "master/children.h"
#include "script/script.h"

static void test_back_off_doubles_up_to_half_a_minute(void **state) {
    static const uint64_t expected[] = {0, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
    (void)state;
    for (unsigned failures = 0; failures < sizeof expected / sizeof *expected; failures++) {
        assert_int_equal(child_backoff_ms(failures), expected[failures]);
    }
    assert_int_equal(child_backoff_ms(UINT_MAX), CHILD_BACKOFF_MAX_MS);
}

/* Master cannot include the header that says so: it knows Lua. */
static void test_exit_code_of_the_hard_cap_is_the_scripts(void **state) {
    (void)state;
    assert_int_equal(CHILD_EXIT_SCRIPT_MEMORY, SCRIPT_EXIT_MEMORY);
}

static void test_name_says_role_label_and_process(void **state) {
    static struct master m = {.plan = {.vhosts[0].name = {"alice", 5}, .vhost_count = 1}};
    struct child c = child_new(ROLE_VHOST, 0);
    char name[CHILD_NAME_BYTES];
    (void)state;
    assert_string_equal(child_name(&m, &c, name), "vhost alice");
    c.pid = 77;
    assert_string_equal(child_name(&m, &c, name), "vhost alice[77]");
    c = child_new(ROLE_LISTENER, 3);
    assert_string_equal(child_name(&m, &c, name), "listener 3");
    c = child_new(ROLE_ROUTER, 0);
    assert_string_equal(child_label(&m, &c, name), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_back_off_doubles_up_to_half_a_minute),
        cmocka_unit_test(test_exit_code_of_the_hard_cap_is_the_scripts),
        cmocka_unit_test(test_name_says_role_label_and_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
