/* SPDX-License-Identifier: Apache-2.0 */
/* test_blame.c – who may have whom replaced, and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "master/blame.h"

static void test_only_the_more_trusted_may_accuse(void **state) {
    static const struct {
        enum role accuser, accused;
    } allowed[] = {{ROLE_ROUTER, ROLE_LISTENER}, {ROLE_LISTENER, ROLE_VHOST}, {ROLE_LOGGER, ROLE_VHOST}};
    (void)state;
    for (enum role accuser = 0; accuser < ROLE_COUNT; accuser++) {
        for (enum role accused = 0; accused < ROLE_COUNT; accused++) {
            bool expected = false;
            for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
                expected = expected || (allowed[i].accuser == accuser && allowed[i].accused == accused);
            }
            assert_int_equal(blame_is_allowed(accuser, accused), expected);
        }
    }
}

static void test_believes_few_accusations_in_a_minute(void **state) {
    struct blame_allowance a = {0};
    uint64_t now = 1000;
    (void)state;
    for (int minute = 0; minute < 3; minute++) {
        for (int i = 0; i < BLAME_BELIEVED_PER_MINUTE; i++) {
            assert_true(blame_spend(&a, now + (uint64_t)i));
        }
        assert_false(blame_spend(&a, now + 10));
        assert_false(blame_spend(&a, now + 59999));
        now += 60000;
    }
}

static void test_believes_again_after_a_minute_without_accusations(void **state) {
    struct blame_allowance a = {0};
    (void)state;
    assert_true(blame_spend(&a, 5));
    for (int i = 0; i < BLAME_BELIEVED_PER_MINUTE; i++) {
        assert_true(blame_spend(&a, 70000));
    }
    assert_false(blame_spend(&a, 70001));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_the_more_trusted_may_accuse),
        cmocka_unit_test(test_believes_few_accusations_in_a_minute),
        cmocka_unit_test(test_believes_again_after_a_minute_without_accusations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
