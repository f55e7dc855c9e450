/* SPDX-License-Identifier: Apache-2.0 */
/* guard.c – the checks that lua/script/guards.lua puts in front of built-in functions.
 * Runs in: every process that hosts Lua. Distrusts: every argument. */
#include <lauxlib.h>
#include <string.h>

#include "script/state.h"

#define NUMBER_MAX_BYTES 32 /* a number as text */

/* Callbacks from C cost C stack; LuaJIT itself only watches the Lua stack. */
void script_guard_room(lua_State *L) {
    if ((uintptr_t)__builtin_frame_address(0) < script_of(L)->floor) {
        luaL_error(L, "C stack overflow");
    }
}

_Noreturn void script_guard_raise(lua_State *L, int level, const char *text) {
    luaL_where(L, level);
    lua_pushstring(L, text);
    lua_concat(L, 2);
    lua_error(L);
    __builtin_unreachable();
}

static int room(lua_State *L) {
    if ((uintptr_t)__builtin_frame_address(0) < script_of(L)->floor) {
        script_guard_raise(L, 2, "C stack overflow");
    }
    return 0;
}

static void check_total(lua_State *L, double bytes) {
    if (bytes > (double)script_of(L)->soft) {
        script_guard_raise(L, 2, "resulting string too large");
    }
}

static size_t text_bytes(lua_State *L, int index) {
    return lua_type(L, index) == LUA_TSTRING ? lua_objlen(L, index) : NUMBER_MAX_BYTES;
}

/* Wrong types are left to the function behind the guard: it has the better message. */
static int rep_size(lua_State *L) {
    double count = lua_tonumber(L, 2);
    if (lua_isstring(L, 1) && count > 0) {
        size_t separator = lua_isstring(L, 3) ? text_bytes(L, 3) : 0;
        check_total(L, count * (double)(text_bytes(L, 1) + separator));
    }
    return 0;
}

static int format_size(lua_State *L) {
    script_guard_room(L);
    double total = 0;
    for (int i = lua_gettop(L); i > 0; i--) {
        total += (double)text_bytes(L, i);
    }
    check_total(L, total);
    return 0;
}

/* Stops at the first element that table.concat would refuse. */
static int concat_size(lua_State *L) {
    if (lua_type(L, 1) != LUA_TTABLE) {
        return 0;
    }
    double separator = lua_isstring(L, 2) ? (double)text_bytes(L, 2) : 0;
    double total = 0;
    int first = (int)luaL_optinteger(L, 3, 1);
    int last = lua_isnoneornil(L, 4) ? (int)lua_objlen(L, 1) : (int)lua_tointeger(L, 4);
    size_t soft = script_of(L)->soft;
    for (int i = first; i <= last && total <= (double)soft; i++) {
        lua_rawgeti(L, 1, i);
        int type = lua_type(L, -1);
        if (type != LUA_TSTRING && type != LUA_TNUMBER) {
            return 0;
        }
        total += separator + (type == LUA_TSTRING ? (double)lua_objlen(L, -1) : NUMBER_MAX_BYTES);
        lua_pop(L, 1);
    }
    check_total(L, total);
    return 0;
}

static int call_handler(lua_State *L) {
    if (script_interrupted(script_of(L))) {
        lua_settop(L, 1);
        return 1;
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int handler(lua_State *L) {
    if (lua_type(L, 1) != LUA_TFUNCTION) {
        script_guard_raise(L, 2, "bad argument #2 to 'xpcall' (function expected)");
    }
    lua_settop(L, 1);
    lua_pushcclosure(L, call_handler, 1);
    return 1;
}

static int is_handler(lua_State *L) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, script_of(L)->threads);
    lua_pushvalue(L, 1);
    lua_rawget(L, -2);
    return 1;
}

void script_guard_register(lua_State *L, int table) {
    static const luaL_Reg checks[] = {
        {"room", room},
        {"rep_size", rep_size},
        {"format_size", format_size},
        {"concat_size", concat_size},
        {"handler", handler},
        {"is_handler", is_handler},
        {NULL, NULL},
    };
    for (const luaL_Reg *check = checks; check->name != NULL; check++) {
        lua_pushcfunction(L, check->func);
        lua_setfield(L, table, check->name);
    }
}
