/* SPDX-License-Identifier: Apache-2.0 */
/* test_script.c – entries, coroutines of handlers, errors, and what is published about them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "harness.h"

static struct script *make(void **state) {
    struct script *s = harness_new(true, NULL, NULL);
    *state = s;
    return s;
}

static int setup(void **state) {
    return make(state) == NULL;
}

static int teardown(void **state) {
    script_free(*state);
    return 0;
}

/* Leaves the function made of text on top of the main state, in an environment with the host's names. */
static void load_text(struct script *s, const char *text, const luaL_Reg *host) {
    script_environment_push(s);
    for (; host != NULL && host->name != NULL; host++) {
        lua_pushcfunction(script_state(s), host->func);
        lua_setfield(script_state(s), -2, host->name);
    }
    assert_int_equal(SCRIPT_DONE, script_load(s, text, strlen(text), "@site.lua"));
}

static lua_State *start(struct script *s, const char *text, const luaL_Reg *host) {
    lua_State *co = script_thread_take(s);
    load_text(s, text, host);
    lua_xmove(script_state(s), co, 1);
    return co;
}

static int host_wait(lua_State *L) {
    return script_yield(L, lua_gettop(L));
}

static const luaL_Reg waiting[] = {{"wait", host_wait}, {NULL, NULL}};

static void test_call_passes_values(void **state) {
    struct script *s = *state;
    lua_State *L = script_state(s);
    lua_pushliteral(L, "kept");
    load_text(s, "local a, b = ... return a + b, 'two'", NULL);
    lua_pushinteger(L, 40);
    lua_pushinteger(L, 2);
    assert_int_equal(SCRIPT_DONE, script_call(s, 2, LUA_MULTRET));
    assert_int_equal(3, lua_gettop(L));
    assert_int_equal(42, lua_tointeger(L, 2));
    assert_string_equal("kept", lua_tostring(L, 1));
}

static void test_call_leaves_nothing_when_it_fails(void **state) {
    struct script *s = *state;
    load_text(s, "local function deep() error('reason') end\ndeep()", NULL);
    lua_pushinteger(script_state(s), 1);
    assert_int_equal(SCRIPT_FAILED, script_call(s, 1, 5));
    assert_int_equal(0, lua_gettop(script_state(s)));
    assert_string_equal("site.lua:1: reason", script_error(s)->message);
    assert_non_null(strstr(script_error(s)->trace, "site.lua:1: in function 'deep'"));
    assert_non_null(strstr(script_error(s)->trace, "site.lua:2: in main chunk"));
}

static void test_load_names_file_and_line_when_the_text_is_wrong(void **state) {
    struct script *s = *state;
    script_environment_push(s);
    assert_int_equal(SCRIPT_FAILED, script_load(s, "x = 1\ny = = 2", 13, "@site.lua"));
    assert_int_equal(0, strncmp("site.lua:2:", script_error(s)->message, 11));
    assert_int_equal(0, lua_gettop(script_state(s)));
}

static void test_load_refuses_text_above_the_limit(void **state) {
    struct script *s = *state;
    size_t size = SCRIPT_TEXT_MAX_BYTES + 1;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, ' ', size);
    script_environment_push(s);
    assert_int_equal(SCRIPT_FAILED, script_load(s, text, size, "@long.lua"));
    assert_non_null(strstr(script_error(s)->message, "long.lua: longer than"));
    free(text);
}

static void fails_with(struct script *s, const char *text, const char *message) {
    load_text(s, text, NULL);
    assert_int_equal(SCRIPT_FAILED, script_call(s, 0, 0));
    assert_string_equal(message, script_error(s)->message);
    lua_State *co = start(s, text, NULL);
    assert_int_equal(SCRIPT_FAILED, script_resume(s, co, 0));
    assert_string_equal(message, script_error(s)->message);
    script_thread_give(s, co, false);
}

static void test_any_error_object_becomes_text(void **state) {
    struct script *s = *state;
    fails_with(s, "error('plain', 0)", "plain");
    fails_with(s, "error(12)", "site.lua:1: 12");
    fails_with(s, "error()", "(error object is a nil value)");
    fails_with(s, "error({})", "(error object is a table value)");
    fails_with(s, "error(setmetatable({}, { __tostring = function() return 'shown' end }))", "shown");
    fails_with(s, "error(setmetatable({}, { __tostring = function() error('no') end }))",
               "(error object is a table value)");
    fails_with(s, "error(setmetatable({}, { __tostring = function() return {} end }))",
               "(error object is a table value)");
    fails_with(s, "error('a\\0b\\27[31m\\r\\n\\127c', 0)", "a?b?[31m?\n?c");
}

static void test_long_messages_are_cut_between_characters(void **state) {
    struct script *s = *state;
    load_text(s, "error(('\\195\\164'):rep(5000), 0)", NULL);
    assert_int_equal(SCRIPT_FAILED, script_call(s, 0, 0));
    size_t n = strlen(script_error(s)->message);
    assert_in_range(n, SCRIPT_ERROR_MAX_BYTES - 3, SCRIPT_ERROR_MAX_BYTES - 1);
    assert_int_equal(0, n % 2);
}

static void test_a_handler_waits_and_goes_on(void **state) {
    struct script *s = *state;
    lua_State *co = start(s, "local n = wait('a', 1) + wait('b') return n, 'end'", waiting);
    assert_int_equal(SCRIPT_YIELDED, script_resume(s, co, 0));
    assert_int_equal(2, lua_gettop(co));
    assert_string_equal("a", lua_tostring(co, 1));
    lua_settop(co, 0);
    lua_pushinteger(co, 3);
    assert_int_equal(SCRIPT_YIELDED, script_resume(s, co, 1));
    assert_int_equal(1, lua_gettop(co));
    lua_settop(co, 0);
    lua_pushinteger(co, 4);
    assert_int_equal(SCRIPT_DONE, script_resume(s, co, 1));
    assert_int_equal(7, lua_tointeger(co, 1));
    script_thread_give(s, co, true);
    assert_ptr_equal(co, script_thread_take(s));
    assert_int_equal(0, lua_gettop(co));
}

static void test_a_handler_waits_inside_coroutines_of_its_own(void **state) {
    struct script *s = *state;
    static const char text[] =
        "local function inner() local got = wait('deep') coroutine.yield(got * 2) return wait('again') end\n"
        "local middle = coroutine.wrap(function() local co = coroutine.create(inner)\n"
        "  local _, first = coroutine.resume(co) coroutine.yield(first)\n"
        "  local _, second = coroutine.resume(co) return second, coroutine.status(co) end)\n"
        "local a = middle()\n"
        "local b, status = middle()\n"
        "local ok, c = pcall(function() return wait('in pcall') end)\n"
        "assert(ok and status == 'dead')\n"
        "return a, b, c";
    lua_State *co = start(s, text, waiting);
    static const char *const asked[] = {"deep", "again", "in pcall"};
    assert_int_equal(SCRIPT_YIELDED, script_resume(s, co, 0));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(1, lua_gettop(co));
        assert_string_equal(asked[i], lua_tostring(co, 1));
        lua_settop(co, 0);
        lua_pushinteger(co, 10 + i);
        assert_int_equal(i < 2 ? SCRIPT_YIELDED : SCRIPT_DONE, script_resume(s, co, 1));
    }
    assert_int_equal(20, lua_tointeger(co, 1));
    assert_int_equal(11, lua_tointeger(co, 2));
    assert_int_equal(12, lua_tointeger(co, 3));
    script_thread_give(s, co, true);
}

static void test_a_yield_that_nobody_waits_for_is_a_failure(void **state) {
    struct script *s = *state;
    lua_State *co = start(s, "coroutine.yield('me')", NULL);
    assert_int_equal(SCRIPT_FAILED, script_resume(s, co, 0));
    assert_non_null(strstr(script_error(s)->message, "yield"));
    script_thread_give(s, co, false);
    load_text(s, "wait()", waiting);
    assert_int_equal(SCRIPT_FAILED, script_call(s, 0, 0));
    assert_non_null(strstr(script_error(s)->message, "attempt to wait outside a request"));
}

static void test_a_handlers_coroutine_is_hidden_from_scripts(void **state) {
    struct script *s = *state;
    lua_State *co = start(s,
                          "assert(coroutine.running() == nil)\n"
                          "coroutine.wrap(function() assert(type(coroutine.running()) == 'thread') end)()",
                          NULL);
    int result = script_resume(s, co, 0);
    assert_string_equal("", result == SCRIPT_DONE ? "" : script_error(s)->message);
    script_thread_give(s, co, true);
}

static void test_a_coroutine_that_failed_is_not_used_again(void **state) {
    struct script *s = *state;
    lua_State *co = start(s, "wait() error('late')", waiting);
    assert_int_equal(SCRIPT_YIELDED, script_resume(s, co, 0));
    assert_int_equal(SCRIPT_FAILED, script_resume(s, co, 0));
    assert_string_equal("site.lua:1: late", script_error(s)->message);
    assert_non_null(strstr(script_error(s)->trace, "site.lua:1: in"));
    script_thread_give(s, co, true);
    lua_State *other = script_thread_take(s);
    assert_ptr_not_equal(co, other);
    script_thread_give(s, other, true);
}

static void test_a_handler_is_interrupted_wherever_it_runs(void **state) {
    struct script *s = *state;
    static const char *const texts[] = {
        "while true do end",
        "pcall(function() while true do end end)",
        "coroutine.wrap(function() while true do end end)()",
        "while true do pcall(coroutine.wrap(function() while true do end end)) end",
        "wait() while true do end",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        lua_State *co = start(s, texts[i], waiting);
        int result = script_resume(s, co, 0);
        if (result == SCRIPT_YIELDED) {
            result = script_resume(s, co, 0);
        }
        assert_int_equal(SCRIPT_OVERTIME, result);
        assert_non_null(strstr(script_error(s)->message, "stopped: more than 100 ms of CPU time"));
        assert_int_equal(0, strncmp("site.lua:1:", script_error(s)->message, 11));
        script_thread_give(s, co, false);
        harness_check_alive(s);
    }
}

static int stay_busy(lua_State *L) {
    uint64_t until = clock_read_us(CLOCK_THREAD_CPUTIME_ID) + (uint64_t)lua_tointeger(L, 1) * 1000;
    while (clock_read_us(CLOCK_THREAD_CPUTIME_ID) < until) {}
    return 0;
}

static void test_each_entry_has_a_budget_of_its_own(void **state) {
    struct script *s = *state;
    static const luaL_Reg host[] = {{"busy", stay_busy}, {NULL, NULL}};
    load_text(s, "busy(60)", host);
    for (int i = 0; i < 4; i++) {
        lua_pushvalue(script_state(s), 1);
        assert_int_equal(SCRIPT_DONE, script_call(s, 0, 0));
    }
    lua_settop(script_state(s), 0);
}

static void test_sleeping_costs_no_budget_and_brings_no_signal(void **state) {
    struct script *s = *state;
    struct timespec left, nap = {0, 300000000};
    load_text(s, "for i = 1, 1e6 do end", NULL);
    assert_int_equal(SCRIPT_DONE, script_call(s, 0, 0));
    assert_int_equal(0, nanosleep(&nap, &left));
}

static int raise_plain(lua_State *L) {
    int *times = lua_touserdata(L, 1);
    (*times)++;
    return luaL_error(L, "from C");
}

static void test_protect_catches_what_c_raises(void **state) {
    struct script *s = *state;
    int times = 0;
    assert_int_equal(SCRIPT_FAILED, script_protect(s, raise_plain, &times));
    assert_int_equal(1, times);
    assert_string_equal("from C", script_error(s)->message);
}

static struct script_activity activity;

static int look_at_activity(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)(clock_monotonic_ms() - activity.since_ms));
    lua_pushinteger(L, (lua_Integer)activity.label);
    return 2;
}

static void test_activity_tells_what_runs_and_since_when(void **state) {
    (void)state;
    static const luaL_Reg host[] = {{"look", look_at_activity}, {NULL, NULL}};
    struct script_options options = {
        .jit = false, .memory_bytes = 8u << 20, .cpu_ms = 100, .activity = &activity};
    struct script *s = NULL;
    assert_int_equal(0, script_new(&s, &options));
    script_label(s, 77);
    load_text(s, "return look()", host);
    assert_int_equal(SCRIPT_DONE, script_call(s, 0, 2));
    assert_in_range(lua_tointeger(script_state(s), 1), 0, 1000);
    assert_int_equal(77, lua_tointeger(script_state(s), 2));
    assert_int_equal(0, activity.since_ms);
    assert_int_equal(2, activity.entries);
    script_free(s);
}

static void test_a_second_compiling_vm_is_refused(void **state) {
    (void)state;
    struct script_options options = {.jit = true, .memory_bytes = 8u << 20, .cpu_ms = 100};
    struct script *second = NULL;
    assert_int_equal(-EBUSY, script_new(&second, &options));
    assert_null(second);
    struct run r;
    harness_run(*state, "while true do end", 17, &r);
    assert_int_equal(SCRIPT_OVERTIME, r.result);
}

static void test_entries_that_keep_too_much_hold_up_the_next(void **state) {
    struct script *s = *state;
    struct run r;
    lua_State *L = script_state(s);
    lua_newtable(L);
    lua_setfield(L, LUA_REGISTRYINDEX, "hoard");
    script_environment_push(s);
    lua_getfield(L, LUA_REGISTRYINDEX, "hoard");
    lua_setfield(L, -2, "hoard");
    static const char text[] = "while true do hoard[#hoard + 1] = { {}, {}, {}, {} } end";
    assert_int_equal(SCRIPT_DONE, script_load(s, text, sizeof text - 1, "@hoard.lua"));
    assert_int_equal(SCRIPT_OVERSIZE, script_call(s, 0, 0));
    assert_non_null(strstr(script_error(s)->message, "hoard.lua:1: stopped: more than 16384 KB of memory"));
    static const char needy[] = "local t = {} for i = 1, 1e5 do t[i] = { i } end";
    harness_run(s, needy, sizeof needy - 1, &r);
    assert_int_equal(SCRIPT_OVERSIZE, r.result);
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, "hoard");
    harness_check_alive(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_call_passes_values),
        TEST(test_call_leaves_nothing_when_it_fails),
        TEST(test_load_names_file_and_line_when_the_text_is_wrong),
        TEST(test_load_refuses_text_above_the_limit),
        TEST(test_any_error_object_becomes_text),
        TEST(test_long_messages_are_cut_between_characters),
        TEST(test_a_handler_waits_and_goes_on),
        TEST(test_a_handler_waits_inside_coroutines_of_its_own),
        TEST(test_a_yield_that_nobody_waits_for_is_a_failure),
        TEST(test_a_handlers_coroutine_is_hidden_from_scripts),
        TEST(test_a_coroutine_that_failed_is_not_used_again),
        TEST(test_a_handler_is_interrupted_wherever_it_runs),
        TEST(test_each_entry_has_a_budget_of_its_own),
        TEST(test_sleeping_costs_no_budget_and_brings_no_signal),
        TEST(test_protect_catches_what_c_raises),
        cmocka_unit_test(test_activity_tells_what_runs_and_since_when),
        TEST(test_a_second_compiling_vm_is_refused),
        TEST(test_entries_that_keep_too_much_hold_up_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
