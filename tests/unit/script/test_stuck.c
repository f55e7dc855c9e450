/* SPDX-License-Identifier: Apache-2.0 */
/* test_stuck.c – C code that keeps an entry: hard_cpu_ms ends the process, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/must.h"
#include "harness.h"

#define CPU_MS 10
#define HARD_MS 100
#define NOT_ENDED 3

static unsigned cpu_now_ms(void) {
    struct timespec now;
    MUST(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
    return (unsigned)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

/* Never looks at anything, as a match of lpeg's; upvalue 1: for how long. */
static int spin(lua_State *L) {
    unsigned end = cpu_now_ms() + (unsigned)lua_tointeger(L, lua_upvalueindex(1));
    while (cpu_now_ms() < end) {}
    return 0;
}

static struct script *make(const struct script_stack *stack, unsigned hard_cpu_ms) {
    struct script *s;
    const struct script_options options = {
        .memory_bytes = HARNESS_MEMORY_BYTES, .cpu_ms = CPU_MS, .hard_cpu_ms = hard_cpu_ms, .stack = stack};
    MUST(script_new(&s, &options) == 0);
    return s;
}

static int spin_for(struct script *s, unsigned ms) {
    lua_pushinteger(script_state(s), (lua_Integer)ms);
    lua_pushcclosure(script_state(s), spin, 1);
    return script_call(s, 0, 0);
}

static void spin_long(const struct script_stack *stack, void *context) {
    (void)spin_for(make(stack, *(unsigned *)context), HARD_MS * 5);
    _exit(NOT_ENDED);
}

static void test_process_ends_when_c_keeps_an_entry(void **state) {
    (void)state;
    assert_int_equal(SCRIPT_EXIT_STUCK, harness_fork(spin_long, &(unsigned){HARD_MS}));
}

static void test_process_lives_when_there_is_no_hard_limit(void **state) {
    (void)state;
    assert_int_equal(NOT_ENDED, harness_fork(spin_long, &(unsigned){0}));
}

static void end_softly(const struct script_stack *stack, void *context) {
    static const char loop[] = "local function f() while true do end end while true do pcall(f) end";
    struct script *s = make(stack, HARD_MS);
    (void)context;
    for (int i = 0; i < 20; i++) { /* together far more than the limit: each entry begins anew */
        script_environment_push(s);
        MUST(script_load(s, loop, sizeof loop - 1, "@loop.lua") == SCRIPT_DONE);
        MUST(script_call(s, 0, 0) == SCRIPT_OVERTIME);
        (void)spin_for(s, CPU_MS * 2);
    }
    script_free(s);
}

static void test_process_lives_when_lua_comes_back(void **state) {
    (void)state;
    assert_int_equal(0, harness_fork(end_softly, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process_ends_when_c_keeps_an_entry),
        cmocka_unit_test(test_process_lives_when_there_is_no_hard_limit),
        cmocka_unit_test(test_process_lives_when_lua_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
