/* SPDX-License-Identifier: Apache-2.0 */
/* bench_entry.c – what the sandbox costs, in nanoseconds of CPU. Prints a table; judges nothing.
 * usage: bench_script */
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/must.h"
#include "harness.h"

#define ROUNDS 5
#define CALLS 1000000

struct bench {
    struct script *s;
    lua_State *L;
};

static double now_ns(void) {
    return (double)clock_read_us(CLOCK_THREAD_CPUTIME_ID) * 1000.0;
}

/* The best of a few rounds: the machine does other things too. */
static void measure(const char *name, struct bench *b, void (*round)(struct bench *b), double per) {
    double best = 0;
    for (int i = 0; i < ROUNDS; i++) {
        double start = now_ns();
        round(b);
        double took = (now_ns() - start) / per;
        best = i == 0 || took < best ? took : best;
    }
    printf("%-46s %10.1f ns\n", name, best);
}

static void load(struct bench *b, const char *text) {
    lua_settop(b->L, 0);
    script_environment_push(b->s);
    MUST(script_load(b->s, text, strlen(text), "@bench.lua") == SCRIPT_DONE);
}

static void plain_calls(struct bench *b) {
    for (int i = 0; i < CALLS; i++) {
        lua_pushvalue(b->L, 1);
        MUST(lua_pcall(b->L, 0, 0, 0) == 0);
    }
}

static void timed_calls(struct bench *b) {
    for (int i = 0; i < CALLS; i++) {
        lua_pushvalue(b->L, 1);
        MUST(script_call(b->s, 0, 0) == SCRIPT_DONE);
    }
}

static void plain_resumes(struct bench *b) {
    lua_State *co = lua_newthread(b->L);
    for (int i = 0; i < CALLS; i++) {
        lua_pushvalue(b->L, 1);
        lua_xmove(b->L, co, 1);
        MUST(lua_resume(co, 0) == 0);
    }
    lua_pop(b->L, 1);
}

static void handlers(struct bench *b) {
    for (int i = 0; i < CALLS; i++) {
        lua_State *co = script_thread_take(b->s);
        lua_pushvalue(b->L, 1);
        lua_xmove(b->L, co, 1);
        MUST(script_resume(b->s, co, 0) == SCRIPT_DONE);
        script_thread_give(b->s, co, true);
    }
}

static void environments(struct bench *b) {
    for (int i = 0; i < CALLS / 100; i++) {
        script_environment_push(b->s);
        lua_pop(b->L, 1);
    }
}

static void whole_call(struct bench *b) {
    lua_pushvalue(b->L, 1);
    MUST(lua_pcall(b->L, 0, 0, 0) == 0);
}

static void vms(struct bench *b) {
    (void)b;
    for (int i = 0; i < 100; i++) {
        script_free(harness_new(true, NULL, NULL));
    }
}

struct work {
    const char *name, *text;
    double per;
};

static const struct work works[] = {
    {"string.find, anchored pattern",
     "for i = 1, 1e6 do local _ = ('/blog/2024/post'):find('^/(%w+)/(%d+)') end", 1e6},
    {"string.find, plain", "for i = 1, 1e6 do local _ = ('/blog/2024/post'):find('2024', 1, true) end", 1e6},
    {"string.gsub, 5 replacements", "for i = 1, 2e5 do local _ = ('a<b>c&d\"e<'):gsub('[<>&\"]', '%%') end",
     2e5},
    {"string.gmatch, per word",
     "for i = 1, 1e5 do for w in ('the quick brown fox jumps'):gmatch('%a+') do local _ = w end end", 5e5},
    {"string.format", "for i = 1, 1e6 do local _ = string.format('%s %d', 'hello', i % 100) end", 1e6},
    {"string.rep", "for i = 1, 1e6 do local _ = ('x'):rep(i % 10) end", 1e6},
    {"table.concat, 10 pieces",
     "local t = {} for i = 1, 10 do t[i] = 'piece' .. i end for i = 1, 3e5 do local _ = table.concat(t, ',') end",
     3e5},
    {"table.sort, 100 numbers",
     "for i = 1, 3000 do local t = {} for k = 1, 100 do t[k] = k * 7919 % 1000 end table.sort(t) end", 3000},
    {"coroutine.resume and yield",
     "local co = coroutine.create(function() while true do coroutine.yield() end end)\n"
     "for i = 1, 1e6 do coroutine.resume(co) end",
     1e6},
    {"nested numeric loop, per turn",
     "local s = 0 for i = 1, 1e4 do for j = 1, 1e4 do s = s + i * j % 7 end end", 1e8},
};

static void compare_library(struct bench *b) {
    lua_State *theirs = luaL_newstate();
    luaL_openlibs(theirs);
    for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
        char name[96];
        struct bench plain = {NULL, theirs};
        MUST(luaL_loadstring(theirs, works[i].text) == 0);
        snprintf(name, sizeof name, "%s: LuaJIT's", works[i].name);
        measure(name, &plain, whole_call, works[i].per);
        lua_settop(theirs, 0);
        load(b, works[i].text);
        snprintf(name, sizeof name, "%s: ours", works[i].name);
        measure(name, b, whole_call, works[i].per);
    }
    lua_close(theirs);
}

static void ignore(lua_State *L, lua_Debug *ar) {
    (void)L, (void)ar;
}

static void compare_count_hook(void) {
    static const char text[] =
        "local s, t = 0, {} for i = 1, 2e6 do s = s + i % 7 t[i % 100] = tostring(s):sub(1, 3) end";
    struct bench b = {.s = harness_new(false, NULL, NULL)};
    b.L = script_state(b.s);
    load(&b, text);
    measure("interpreted loop, our deadline, per turn", &b, whole_call, 2e6);
    lua_sethook(b.L, ignore, LUA_MASKCOUNT, 10000);
    measure("interpreted loop, count hook, per turn", &b, whole_call, 2e6);
    lua_sethook(b.L, NULL, 0, 0);
    script_free(b.s);
}

int main(void) {
    struct bench b = {NULL, NULL};
    measure("VM made and freed", &b, vms, 100);
    b.s = harness_new(true, NULL, NULL);
    b.L = script_state(b.s);
    printf("%-46s %10zu bytes\n", "VM", script_memory_bytes(b.s));
    load(&b, "local a = 1");
    measure("lua_pcall", &b, plain_calls, CALLS);
    measure("script_call", &b, timed_calls, CALLS);
    measure("lua_resume", &b, plain_resumes, CALLS);
    measure("thread_take, script_resume, thread_give", &b, handlers, CALLS);
    measure("environment_push", &b, environments, CALLS / 100);
    compare_library(&b);
    script_free(b.s);
    compare_count_hook();
    return 0;
}
