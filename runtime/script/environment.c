/* SPDX-License-Identifier: Apache-2.0 */
/* environment.c – the names that scripts may use. Runs in: every process that hosts Lua.
 * An allow-list: what is not written here does not exist for a script. Left out on purpose: io, debug,
 * package, jit, ffi; bytecode (string.dump); getfenv, setfenv, module, dofile, loadfile, loadstring;
 * newproxy (finalizers cannot be interrupted); collectgarbage (would stop the collector). */
#include <lauxlib.h>
#include <lualib.h>
#include <string.h>
#include <sys/random.h>

#include "base/embedded_lua.h"
#include "base/must.h"
#include "script/state.h"
#include "script_lua.h"

struct group {
    const char *name; /* "base" is the globals themselves */
    const char *const *allowed;
};

static const char *const base_names[] = {
    "_VERSION", "assert",   "error",  "getmetatable", "ipairs", "next",         "pairs",
    "pcall",    "rawequal", "rawget", "rawset",       "select", "setmetatable", "tonumber",
    "tostring", "type",     "unpack", "xpcall",       NULL};
static const char *const bit_names[] = {"arshift", "band", "bnot",   "bor",   "bswap", "bxor", "lshift",
                                        "rol",     "ror",  "rshift", "tobit", "tohex", NULL};
static const char *const coroutine_names[] = {"create", "resume", "running", "status", "wrap", "yield", NULL};
static const char *const math_names[] = {
    "abs",  "acos",   "asin",       "atan",  "atan2", "ceil",  "cos", "cosh", "deg",  "exp", "floor",
    "fmod", "frexp",  "huge",       "ldexp", "log",   "log10", "max", "min",  "modf", "pi",  "pow",
    "rad",  "random", "randomseed", "sin",   "sinh",  "sqrt",  "tan", "tanh", NULL};
static const char *const os_names[] = {"clock", "date", "difftime", "time", NULL};
static const char *const string_names[] = {"byte", "char",    "format", "len",   "lower",
                                           "rep",  "reverse", "sub",    "upper", NULL};
static const char *const table_names[] = {"concat", "insert", "maxn", "move", "remove", "sort", NULL};

static const struct group groups[] = {
    {"base", base_names}, {"bit", bit_names},       {"coroutine", coroutine_names}, {"math", math_names},
    {"os", os_names},     {"string", string_names}, {"table", table_names},
};

/* ffi is opened because the literals 1LL and 1i would otherwise open and register it on demand. */
static void open_libraries(lua_State *L, bool jit) {
    static const lua_CFunction openers[] = {luaopen_base, luaopen_table, luaopen_string, luaopen_math,
                                            luaopen_os,   luaopen_bit,   luaopen_ffi};
    for (size_t i = 0; i < sizeof openers / sizeof *openers; i++) {
        lua_pushcfunction(L, openers[i]);
        lua_pushstring(L, "");
        lua_call(L, 1, 0);
    }
    if (jit) {
        lua_pushcfunction(L, luaopen_jit);
        lua_pushstring(L, "");
        lua_call(L, 1, 0);
    }
}

/* Hides the libraries where nothing looks for them, and empties the globals. They are kept, because
 * ffi's state holds pointers to tables that only its library keeps alive. */
static void hide_originals(lua_State *L) {
    lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
    MUST(lua_istable(L, -1));
    (void)luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, "_LOADED");
    lua_newtable(L);
    lua_replace(L, LUA_GLOBALSINDEX);
}

/* Copies the allowed names of one group from the globals into a new table, which it pushes. */
static void push_group(lua_State *L, const struct group *group) {
    lua_newtable(L);
    if (strcmp(group->name, "base") == 0) {
        lua_pushvalue(L, LUA_GLOBALSINDEX);
    } else {
        lua_getglobal(L, group->name);
    }
    MUST(lua_istable(L, -1));
    for (const char *const *name = group->allowed; *name != NULL; name++) {
        lua_getfield(L, -1, *name);
        if (lua_isnil(L, -1)) {
            luaL_error(L, "this LuaJIT has no %s.%s", group->name, *name);
        }
        lua_setfield(L, -3, *name);
    }
    lua_pop(L, 1);
}

static void seed_random(lua_State *L, int allowed) {
    uint64_t bits;
    MUST(getrandom(&bits, sizeof bits, 0) == (ssize_t)sizeof bits);
    lua_getfield(L, allowed, "math");
    lua_getfield(L, -1, "randomseed");
    lua_pushnumber(L, (lua_Number)(bits >> 11));
    lua_call(L, 1, 0);
    lua_pop(L, 1);
}

/* Runs lua/script/guards.lua over the allowed tables. */
static void add_guards(struct script *s, lua_State *L, int allowed) {
    const struct embedded_lua *file = &script_files[0];
    if (luaL_loadbuffer(L, file->text, file->size, "=luttpd") != 0) {
        lua_error(L);
    }
    lua_pushvalue(L, allowed);
    lua_newtable(L);
    script_guard_register(L, lua_gettop(L));
    lua_pushlightuserdata(L, &s->pool);
    lua_call(L, 3, 0);
}

/* Methods of strings come from a copy that no script can name, so none can change it. */
static void close_string_metatable(lua_State *L, int allowed) {
    lua_pushliteral(L, "");
    lua_newtable(L);
    lua_newtable(L);
    lua_getfield(L, allowed, "string");
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -5);
    }
    lua_pop(L, 1);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

int script_environment_prepare(lua_State *L) {
    struct script *s = lua_touserdata(L, 1);
    lua_settop(L, 0);
    open_libraries(L, s->options.jit);
    lua_newtable(L);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        push_group(L, &groups[i]);
        lua_setfield(L, 1, groups[i].name);
    }
    seed_random(L, 1);
    lua_getfield(L, 1, "base");
    script_base_register(L, 2);
    lua_getfield(L, 1, "string");
    script_string_register(L, 3);
    lua_settop(L, 1);
    add_guards(s, L, 1);
    close_string_metatable(L, 1);
    hide_originals(L);
    s->allowed = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushcfunction(L, script_describe_handler);
    s->describe = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    s->threads = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

/* Copies the table on top into the table at index to; pops it. */
static void copy_into(lua_State *L, int to) {
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, to);
    }
    lua_pop(L, 1);
}

static void add_own(lua_State *L, int environment) {
    lua_pushvalue(L, environment);
    lua_setfield(L, environment, "_G");
    lua_pushvalue(L, environment);
    lua_pushcclosure(L, script_load_function, 1);
    lua_setfield(L, environment, "load");
    lua_pushvalue(L, environment);
    lua_newtable(L);
    lua_pushboolean(L, 0);
    lua_pushcclosure(L, script_require, 3);
    lua_setfield(L, environment, "require");
}

void script_environment_push(struct script *s) {
    script_environment_make(s->L);
}

/* On whatever state runs: modules of the library get an environment while a script does. */
void script_environment_make(lua_State *L) {
    lua_newtable(L);
    int environment = lua_gettop(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, script_of(L)->allowed);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (strcmp(groups[i].name, "base") == 0) {
            lua_getfield(L, -1, "base");
            copy_into(L, environment);
            continue;
        }
        lua_newtable(L);
        lua_getfield(L, -2, groups[i].name);
        copy_into(L, lua_gettop(L) - 1);
        lua_setfield(L, environment, groups[i].name);
    }
    lua_pop(L, 1);
    add_own(L, environment);
}
