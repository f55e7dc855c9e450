/* SPDX-License-Identifier: Apache-2.0 */
/* asan_options.c – how the sanitizers behave inside a luttpd program of the asan preset.
 * Runs in: every program, sanitizer builds only. The environment of a role is empty and its cage
 * forbids ptrace, which the leak check needs: unit tests look for leaks instead. */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *__asan_default_options(void) {
    return "detect_leaks=0:abort_on_error=1:handle_abort=1";
}

const char *__ubsan_default_options(void) {
    return "print_stacktrace=1:abort_on_error=1";
}
