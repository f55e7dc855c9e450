/* SPDX-License-Identifier: Apache-2.0 */
/* test_siphash.c – SipHash-1-3 against values of an independent implementation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "route/siphash.h"

static const struct siphash_key key = {{UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)}};

static uint64_t hash_of_first(size_t n) {
    unsigned char bytes[64];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)i;
    }
    return siphash(&key, bytes, n);
}

static void test_matches_reference_when_length_varies(void **state) {
    (void)state;
    static const uint64_t want[] = {
        UINT64_C(0xabac0158050fc4dc), UINT64_C(0xc9f49bf37d57ca93), UINT64_C(0x82cb9b024dc7d44d),
        UINT64_C(0x8bf80ab8e7ddf7fb), UINT64_C(0xcf75576088d38328), UINT64_C(0xdef9d52f49533b67),
        UINT64_C(0xc50d2b50c59f22a7), UINT64_C(0xd3927d989bb11140), UINT64_C(0x369095118d299a8e),
        UINT64_C(0x25a48eb36c063de4), UINT64_C(0x79de85ee92ff097f), UINT64_C(0x70c118c1f94dc352),
        UINT64_C(0x78a384b157b4d9a2), UINT64_C(0x306f760c1229ffa7), UINT64_C(0x605aa111c0f95d34),
        UINT64_C(0xd320d86d2a519956), UINT64_C(0xcc4fdd1a7d908b66), UINT64_C(0x9cf2689063dbd80c),
    };
    for (size_t n = 0; n < sizeof want / sizeof *want; n++) {
        assert_int_equal(hash_of_first(n), want[n]);
    }
}

static void test_differs_when_key_differs(void **state) {
    (void)state;
    struct siphash_key other = key;
    other.word[1] ^= 1;
    assert_int_not_equal(siphash(&key, "host", 4), siphash(&other, "host", 4));
}

static void test_accepts_null_when_empty(void **state) {
    (void)state;
    assert_int_equal(siphash(&key, NULL, 0), hash_of_first(0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches_reference_when_length_varies),
        cmocka_unit_test(test_differs_when_key_differs),
        cmocka_unit_test(test_accepts_null_when_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
