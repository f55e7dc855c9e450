/* SPDX-License-Identifier: Apache-2.0 */
/* script.c – one VM: made, entered, ended. Runs in: every process that hosts Lua.
 * An entry is timed from begin() to end(); what happens in between is Lua's. */
#include "script/script.h"

#include <errno.h>
#include <lauxlib.h>
#include <luajit.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/report.h"
#include "script/state.h"

#define CPU_MIN_MS 10
#define MEMORY_MIN_BYTES (1u << 20)

/* Only our own mistakes come here: every script runs protected. */
static int on_panic(lua_State *L) {
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "(no message)";
    report(REPORT_ERROR, "lua: error outside an entry: %s", text);
    abort();
}

/* With TZ unset, every os.time would look at /etc/localtime again, from inside the cage. */
static void fix_time_zone(void) {
    (void)setenv("TZ", ":/etc/localtime", 0);
    tzset();
}

static int prepare(struct script *s) {
    lua_atpanic(s->L, on_panic);
    script_memory_watch(s);
    if (!s->options.jit) {
        luaJIT_setmode(s->L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    }
    int failed = lua_cpcall(s->L, script_environment_prepare, s);
    if (failed != 0) {
        report(REPORT_ERROR, "lua: %s", lua_tostring(s->L, -1));
        return -EPROTO;
    }
    if (!s->options.jit) { /* opening its library has turned it on again */
        luaJIT_setmode(s->L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    }
    return script_deadline_start(s);
}

int script_new(struct script **out, const struct script_options *options) {
    MUST(options->cpu_ms >= CPU_MIN_MS && options->memory_bytes >= MEMORY_MIN_BYTES);
    struct script *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return -ENOMEM;
    }
    s->options = *options;
    fix_time_zone();
    s->L = luaL_newstate();
    if (s->L == NULL) {
        free(s);
        return -ENOMEM;
    }
    int rc = prepare(s);
    if (rc < 0) {
        script_free(s);
        return rc;
    }
    *out = s;
    return 0;
}

void script_free(struct script *s) {
    if (s == NULL) {
        return;
    }
    MUST(!s->running);
    script_deadline_stop(s);
    script_memory_release(s);
    lua_close(s->L);
    free(s);
}

lua_State *script_state(struct script *s) {
    return s->L;
}

struct script *script_of(lua_State *L) {
    void *ud;
    (void)lua_getallocf(L, &ud);
    return ud;
}

void script_label(struct script *s, uint64_t label) {
    if (s->options.activity != NULL) {
        atomic_store_explicit(&s->options.activity->label, label, memory_order_relaxed);
    }
}

static void publish(struct script *s, uint64_t since_ms) {
    struct script_activity *a = s->options.activity;
    if (a != NULL) {
        if (since_ms != 0) {
            uint64_t n = atomic_load_explicit(&a->entries, memory_order_relaxed);
            atomic_store_explicit(&a->entries, n + 1, memory_order_relaxed);
        }
        atomic_store_explicit(&a->since_ms, since_ms, memory_order_relaxed);
    }
}

/* How deep C functions that call back into Lua may nest in this entry. */
static void set_floor(struct script *s) {
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    s->floor = here - SCRIPT_C_STACK_BYTES;
    const struct script_stack *stack = s->options.stack;
    if (stack != NULL) {
        uintptr_t base = (uintptr_t)stack->base;
        MUST(here > base + 2 * SCRIPT_C_STACK_BYTES && here < base + stack->bytes);
    }
}

/* Starts timing. False where the VM is over its memory cap before anything has run. */
static bool begin(struct script *s) {
    MUST(!s->running);
    set_floor(s);
    s->described = false;
    s->overtime = 0;
    s->oversize = 0;
    if (s->used > s->soft && !script_memory_regain(s)) {
        script_describe_text(s, "not started: the memory limit is used up by what earlier runs left");
        return false;
    }
    publish(s, s->options.activity != NULL ? clock_read_us(CLOCK_MONOTONIC_COARSE) / 1000 : 0);
    s->entry++;
    atomic_signal_fence(memory_order_seq_cst);
    s->running = 1;
    return true;
}

/* Whether the entry was interrupted, and what that raised got lost on its way out: a function that
 * catches errors was the last thing to run. */
static bool swallowed(const struct script *s) {
    return script_interrupted(s) && s->described;
}

/* Stops timing and says how the entry ended; result is what it was for Lua. */
static int end(struct script *s, int result) {
    s->running = 0;
    atomic_signal_fence(memory_order_seq_cst);
    publish(s, 0);
    bool overtime = s->overtime, oversize = s->oversize;
    if (overtime || oversize) {
        script_calm(s);
    }
    if (oversize) {
        lua_gc(s->L, LUA_GCCOLLECT, 0);
    }
    if (result != SCRIPT_FAILED) {
        return result;
    }
    return overtime ? SCRIPT_OVERTIME : oversize ? SCRIPT_OVERSIZE : SCRIPT_FAILED;
}

int script_call(struct script *s, int nargs, int nresults) {
    lua_State *L = s->L;
    if (!begin(s)) {
        lua_pop(L, nargs + 1);
        return SCRIPT_OVERSIZE;
    }
    int base = lua_gettop(L) - nargs;
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->describe);
    lua_insert(L, base);
    int failed = lua_pcall(L, nargs, nresults, base);
    if (failed != 0) {
        if (!s->described) {
            script_describe_top(s, L);
        }
        lua_pop(L, 1);
    }
    lua_remove(L, base);
    if (failed == 0 && swallowed(s)) {
        lua_settop(L, base - 1);
        failed = LUA_ERRRUN;
    }
    return end(s, failed != 0 ? SCRIPT_FAILED : SCRIPT_DONE);
}

int script_protect(struct script *s, lua_CFunction f, void *ud) {
    lua_pushcfunction(s->L, f);
    lua_pushlightuserdata(s->L, ud);
    return script_call(s, 1, 0);
}

int script_load(struct script *s, const char *text, size_t size, const char *chunk) {
    lua_State *L = s->L;
    MUST(lua_istable(L, -1));
    if (!begin(s)) {
        lua_pop(L, 1);
        return SCRIPT_OVERSIZE;
    }
    int failed = script_compile(L, text, size, chunk);
    if (failed != 0) {
        script_describe_top(s, L);
        lua_pop(L, 2);
    } else {
        lua_insert(L, -2);
        lua_setfenv(L, -2);
    }
    return end(s, failed != 0 ? SCRIPT_FAILED : SCRIPT_DONE);
}

/* What a host function yields begins with this; nothing that a script can reach holds it. */
static bool waits(struct script *s, lua_State *co) {
    return lua_gettop(co) > 0 && lua_touserdata(co, 1) == (void *)&s->pool;
}

int script_resume(struct script *s, lua_State *co, int nargs) {
    if (!begin(s)) {
        return SCRIPT_OVERSIZE;
    }
    s->resumed = co;
    int rc = lua_resume(co, nargs);
    s->resumed = NULL;
    if (swallowed(s)) {
        return end(s, SCRIPT_FAILED);
    }
    if (rc == 0) {
        return end(s, SCRIPT_DONE);
    }
    if (rc == LUA_YIELD && waits(s, co)) {
        lua_remove(co, 1);
        return end(s, SCRIPT_YIELDED);
    }
    if (rc == LUA_YIELD) {
        script_describe_text(s, "attempt to yield outside a coroutine");
    } else {
        script_describe_coroutine(s, co);
    }
    return end(s, SCRIPT_FAILED);
}

int script_yield(lua_State *L, int nresults) {
    struct script *s = script_of(L);
    if (s->resumed == NULL) {
        return luaL_error(L, "attempt to wait outside a request");
    }
    lua_pushlightuserdata(L, &s->pool);
    lua_insert(L, -nresults - 1);
    return lua_yield(L, nresults + 1);
}
