/* SPDX-License-Identifier: Apache-2.0 */
/* test_crowd.c – counting connections by address, against a plain table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "listener/crowd.h"
#include "schema/messages.h"

static const struct siphash_key key = {{1, 2}};

static struct crowd made(size_t addresses) {
    struct crowd crowd;
    assert_int_equal(crowd_init(&crowd, &key, addresses), 0);
    return crowd;
}

static void test_one_address_may_have_so_many(void **state) {
    struct crowd crowd = made(4);
    const uint8_t a[4] = {192, 0, 2, 1}, b[4] = {192, 0, 2, 2};
    (void)state;
    assert_true(crowd_enter(&crowd, FAMILY_INET, a, 2));
    assert_true(crowd_enter(&crowd, FAMILY_INET, a, 2));
    assert_false(crowd_enter(&crowd, FAMILY_INET, a, 2));
    assert_true(crowd_enter(&crowd, FAMILY_INET, b, 2));
    assert_true(crowd_enter(&crowd, FAMILY_INET, a, 0)); /* no limit */
    assert_int_equal(crowd_count(&crowd, FAMILY_INET, a), 3);
    crowd_deinit(&crowd);
}

static void test_a_network_of_64_bits_is_one(void **state) {
    struct crowd crowd = made(4);
    uint8_t a[16] = {0x20, 1, 0xd, 0xb8, 1, 2, 3, 4}, b[16], c[16];
    (void)state;
    memcpy(b, a, 16);
    memcpy(c, a, 16);
    b[15] = 9;
    c[7] = 9;
    assert_true(crowd_enter(&crowd, FAMILY_INET6, a, 1));
    assert_false(crowd_enter(&crowd, FAMILY_INET6, b, 1));
    assert_true(crowd_enter(&crowd, FAMILY_INET6, c, 1));
    assert_true(crowd_enter(&crowd, FAMILY_INET, a, 1)); /* the same bytes, another family */
    crowd_deinit(&crowd);
}

static void test_counts_are_right_after_many_comings_and_goings(void **state) {
    enum { ADDRESSES = 300, STEPS = 200000 };
    struct crowd crowd = made(ADDRESSES);
    uint32_t counts[ADDRESSES] = {0};
    size_t used = 0;
    (void)state;
    srand(1);
    for (unsigned i = 0; i < STEPS; i++) {
        unsigned n = (unsigned)rand() % ADDRESSES;
        uint8_t address[4] = {10, 0, (uint8_t)(n >> 8), (uint8_t)n};
        if (rand() % 2 == 0 && counts[n] < 3) {
            assert_true(crowd_enter(&crowd, FAMILY_INET, address, 3));
            used += counts[n]++ == 0;
        } else if (counts[n] > 0) {
            crowd_leave(&crowd, FAMILY_INET, address);
            used -= --counts[n] == 0;
        }
        assert_int_equal(crowd_count(&crowd, FAMILY_INET, address), counts[n]);
        assert_int_equal(crowd.used, used);
    }
    for (unsigned n = 0; n < ADDRESSES; n++) {
        uint8_t address[4] = {10, 0, (uint8_t)(n >> 8), (uint8_t)n};
        assert_int_equal(crowd_count(&crowd, FAMILY_INET, address), counts[n]);
        while (counts[n] > 0) {
            crowd_leave(&crowd, FAMILY_INET, address);
            counts[n]--;
        }
    }
    assert_int_equal(crowd.used, 0);
    for (size_t i = 0; i <= crowd.mask; i++) {
        assert_int_equal(crowd.entries[i].count, 0);
    }
    crowd_deinit(&crowd);
}

static void test_a_full_table_refuses_strangers_only(void **state) {
    struct crowd crowd = made(1);
    uint8_t address[4] = {10};
    unsigned n = 0;
    (void)state;
    while (crowd_enter(&crowd, FAMILY_INET, address, 0)) {
        address[3]++;
        assert_true(++n <= crowd.mask);
    }
    address[3] = 0;
    assert_true(crowd_enter(&crowd, FAMILY_INET, address, 0));
    crowd_deinit(&crowd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_address_may_have_so_many),
        cmocka_unit_test(test_a_network_of_64_bits_is_one),
        cmocka_unit_test(test_counts_are_right_after_many_comings_and_goings),
        cmocka_unit_test(test_a_full_table_refuses_strangers_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
