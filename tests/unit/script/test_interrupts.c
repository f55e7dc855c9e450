/* SPDX-License-Identifier: Apache-2.0 */
/* test_interrupts.c – interruptions at random moments, for time and for memory, never harm the VM.
 * LUTTPD_SOAK_RUNS asks for more of them than the suite has time for; LUTTPD_TEST_SEED for others.
 *
 * The moment is chosen by a timer of the test's own that marks the entry overtime as the deadline's
 * handler does, because real deadlines cannot be shorter than the kernel's tick. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>

#include "base/must.h"
#include "harness.h"
#include "script/state.h"

#define RUNS_IN_SUITE 4000
#define CHECK_EVERY 97
#define DELAY_MIN_US 20
#define DELAY_SPREAD_US 1000
#define REPEAT_US 40
#define ROOM_MIN_BYTES 4096

static const char *const programs[] = {
    "local t = {} for i = 1, 1e9 do t[i % 5000 + 1] = { i, x = i } end",
    "local s = 0 for i = 1, 1e12 do s = s + i end",
    "while true do end",
    "local t = {} for i = 1, 1e9 do t['k' .. (i % 3000)] = tostring(i) end",
    "while true do local s = {} for i = 1, 50 do s[i] = string.format('%d:%s', i, 'abc') end table.concat(s) end",
    "while true do pcall(function() local t = {} for i = 1, 100 do t[i] = {} end error({}) end) end",
    "local keep = {} for i = 1, 1e9 do local c = coroutine.wrap(function(a) for j = 1, 20 do a = a + coroutine.yield(j) end end)\n"
    "pcall(c, 1) keep[i % 50 + 1] = c end",
    "local function f(n) if n == 0 then return {} end local t = f(n - 1) t[#t + 1] = n return t end while true do f(50) end",
    "while true do local f = assert(load('local a = ... local t = {} for i = 1, 200 do t[i] = a + i end return t')) f(3) end",
    "local mt = {} mt.__index = function(t, k) return k .. 'x' end\n"
    "mt.__add = function(a, b) return setmetatable({ v = a.v + b.v }, mt) end\n"
    "local a = setmetatable({ v = 1 }, mt) while true do a = a + a local z = a.foo if a.v > 1e9 then a.v = 1 end end",
    "while true do local t = {} for w in ('the quick brown fox jumps over'):gmatch('%a+') do t[#t + 1] = w:upper() end\n"
    "table.sort(t) table.concat(t) ;('x'):rep(100):gsub('x', function(c) return c .. c end) end",
    "local q = {} while true do table.insert(q, {}) if #q > 1000 then for i = 1, 500 do table.remove(q) end end end",
    "local function h(e) return { e } end while true do xpcall(function() error('x') end, h) xpcall(h, h) end",
    "local n = 1 while true do load(function() n = n + 1 return n % 9 > 0 and 'local x = 1 ' or nil end) end",
    "local t = {} for i = 1, 300 do t[i] = (i * 7919) % 1000 end\n"
    "while true do table.sort(t, function(a, b) return a > b end) table.sort(t) end",
    "local o = setmetatable({}, { __tostring = function() return ('t'):rep(20) end })\n"
    "while true do local s = tostring(o) .. string.format('%s', o) print(o) end",
};
#define PROGRAMS (sizeof programs / sizeof *programs)

struct soak {
    struct script *s;
    uint32_t state;
    size_t results[3]; /* overtime, oversize, failed */
    size_t failed_to_start;
};

/* The handler has no argument: this is what it works on. */
static struct script *interrupted;

static void on_alarm(int number, siginfo_t *info, void *context) {
    (void)number, (void)info;
    if (interrupted->running) {
        interrupted->overtime = 1;
        script_interrupt_from_signal(interrupted, context);
    }
}

static uint32_t pick(struct soak *k, uint32_t below) {
    k->state = k->state * 1664525u + 1013904223u;
    return (k->state >> 8) % below;
}

/* After the first signal they come as fast as they can, so that many meet LuaJIT at work on what the
 * one before has set off. */
static void arm(long us) {
    struct itimerval at = {{0, us != 0 ? REPEAT_US : 0}, {0, us}};
    MUST(setitimer(ITIMER_REAL, &at, NULL) == 0);
}

static void run_one(struct soak *k, bool time, bool memory) {
    struct script *s = k->s;
    const char *text = programs[pick(k, PROGRAMS)];
    size_t soft = s->soft, spread = pick(k, 2) != 0 ? 65536 : 2000000;
    script_environment_push(s);
    MUST(script_load(s, text, strlen(text), "@soak.lua") == SCRIPT_DONE);
    if (memory) {
        s->soft = s->used + ROOM_MIN_BYTES + pick(k, (uint32_t)spread);
    }
    arm(time || memory ? DELAY_MIN_US + (long)pick(k, DELAY_SPREAD_US) : 0);
    int result = script_call(s, 0, 0);
    arm(0);
    s->soft = soft;
    MUST(result < 0);
    k->results[result == SCRIPT_OVERTIME ? 0 : result == SCRIPT_OVERSIZE ? 1 : 2]++;
    MUST(!s->running && lua_gethook(s->L) == NULL && lua_gettop(s->L) == 0);
}

static size_t runs_wanted(void) {
    const char *text = getenv("LUTTPD_SOAK_RUNS");
    return text != NULL ? strtoul(text, NULL, 10) : RUNS_IN_SUITE;
}

struct kind {
    bool jit, memory;
};

static void soak_child(const struct script_stack *stack, void *context) {
    const struct kind *kind = context;
    const char *seed = getenv("LUTTPD_TEST_SEED");
    struct soak k = {.s = harness_new(kind->jit, stack, NULL),
                     .state = seed != NULL ? (uint32_t)atol(seed) : 1u};
    struct sigaction action = {.sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigfillset(&action.sa_mask);
    interrupted = k.s;
    MUST(sigaction(SIGALRM, &action, NULL) == 0);
    size_t runs = runs_wanted();
    for (size_t i = 0; i < runs; i++) {
        run_one(&k, true, kind->memory);
        if (i % CHECK_EVERY == 0) {
            harness_check_alive(k.s);
        }
    }
    harness_check_alive(k.s);
    fprintf(stderr, "jit %d: %zu overtime, %zu oversize, %zu failed\n", kind->jit, k.results[0], k.results[1],
            k.results[2]);
    if (k.results[0] == 0 || (kind->memory && k.results[1] == 0) || k.results[2] > runs / 50) {
        exit(4);
    }
    script_free(k.s);
}

static void test_interruptions_do_no_harm_when_compiled(void **state) {
    (void)state;
    assert_int_equal(0, harness_fork(soak_child, &(struct kind){.jit = true}));
}

static void test_interruptions_do_no_harm_when_interpreted(void **state) {
    (void)state;
    assert_int_equal(0, harness_fork(soak_child, &(struct kind){.jit = false}));
}

static void test_memory_caps_do_no_harm_when_compiled(void **state) {
    (void)state;
    assert_int_equal(0, harness_fork(soak_child, &(struct kind){.jit = true, .memory = true}));
}

static void test_memory_caps_do_no_harm_when_interpreted(void **state) {
    (void)state;
    assert_int_equal(0, harness_fork(soak_child, &(struct kind){.jit = false, .memory = true}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interruptions_do_no_harm_when_compiled),
        cmocka_unit_test(test_interruptions_do_no_harm_when_interpreted),
        cmocka_unit_test(test_memory_caps_do_no_harm_when_compiled),
        cmocka_unit_test(test_memory_caps_do_no_harm_when_interpreted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
