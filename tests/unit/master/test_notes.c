/* SPDX-License-Identifier: Apache-2.0 */
/* test_notes.c – no byte of a child reaches a terminal, and no line blocks master. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "master/notes.h"

static void test_escapes_everything_but_printable_ascii(void **state) {
    char out[5];
    (void)state;
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        notes_escape(out, sizeof out, slice_from(&byte, 1));
        bool plain = c >= 0x20 && c < 0x7f && c != '\\';
        if (plain) {
            assert_int_equal(strlen(out), 1);
            assert_int_equal((unsigned char)out[0], c);
        } else {
            assert_int_equal(strlen(out), 4);
            assert_memory_equal(out, "\\x", 2);
        }
    }
}

static void test_cuts_what_does_not_fit_and_never_in_the_middle(void **state) {
    char out[16];
    (void)state;
    for (size_t room = 1; room <= sizeof out; room++) {
        memset(out, 'Z', sizeof out);
        notes_escape(out, room, SLICE("\n\n\n\n\n\n\n\n"));
        size_t n = strlen(out);
        assert_true(n < room);
        assert_int_equal(n % 4, 0);
        for (size_t i = room; i < sizeof out; i++) {
            assert_int_equal(out[i], 'Z');
        }
    }
}

/* Standard error is a pipe that nobody reads: lines are lost, master is not. */
static void test_does_not_block_when_nobody_reads(void **state) {
    int ends[2];
    struct note_allowance allowance = {0};
    int saved = dup(STDERR_FILENO);
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    (void)alarm(20); /* ends the test where it blocks */
    notes_begin();
    for (int i = 0; i < 5000; i++) {
        allowance.said = 0;
        notes_child(&allowance, REPORT_ERROR, "vhost x[1]", SLICE("a line of some length, again and again"));
        report(REPORT_WARNING, "and master's own: %d", i);
    }
    (void)alarm(0);
    report_to(NULL, NULL);
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    (void)close(saved);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes_everything_but_printable_ascii),
        cmocka_unit_test(test_cuts_what_does_not_fit_and_never_in_the_middle),
        cmocka_unit_test(test_does_not_block_when_nobody_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
