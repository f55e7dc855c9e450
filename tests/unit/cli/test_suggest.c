/* SPDX-License-Identifier: Apache-2.0 */
/* test_suggest.c – what somebody may have meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/cli.h"

static void test_distance_counts_edits(void **state) {
    (void)state;
    assert_int_equal(cli_distance("", ""), 0);
    assert_int_equal(cli_distance("", "run"), 3);
    assert_int_equal(cli_distance("run", ""), 3);
    assert_int_equal(cli_distance("check", "check"), 0);
    assert_int_equal(cli_distance("check", "chek"), 1);
    assert_int_equal(cli_distance("check", "checkk"), 1);
    assert_int_equal(cli_distance("check", "chexk"), 1);
    assert_int_equal(cli_distance("check", "chekc"), 1); /* a swap is one */
    assert_int_equal(cli_distance("stop", "start"), 3);
}

static void test_distance_of_long_words_stays_in_bounds(void **state) {
    char word[200];
    (void)state;
    for (size_t i = 0; i < sizeof word - 1; i++) {
        word[i] = 'x';
    }
    word[sizeof word - 1] = '\0';
    assert_int_equal(cli_distance(word, "run"), 32);
    assert_int_equal(cli_distance(word, word), 0);
}

static void test_suggests_the_nearest_command(void **state) {
    (void)state;
    assert_string_equal(cli_suggest("chekc")->name, "check");
    assert_string_equal(cli_suggest("rnu")->name, "run");
    assert_string_equal(cli_suggest("shop")->name, "stop");
    assert_string_equal(cli_suggest("versoin")->name, "version");
}

static void test_suggests_nothing_when_nothing_is_near(void **state) {
    (void)state;
    assert_null(cli_suggest("frobnicate"));
    assert_null(cli_suggest(""));
    assert_null(cli_suggest("x"));
}

static void test_finds_only_whole_names(void **state) {
    (void)state;
    assert_string_equal(cli_find("run")->name, "run");
    assert_null(cli_find("ru"));
    assert_null(cli_find("runs"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distance_counts_edits),
        cmocka_unit_test(test_distance_of_long_words_stays_in_bounds),
        cmocka_unit_test(test_suggests_the_nearest_command),
        cmocka_unit_test(test_suggests_nothing_when_nothing_is_near),
        cmocka_unit_test(test_finds_only_whole_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
