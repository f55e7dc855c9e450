/* SPDX-License-Identifier: Apache-2.0 */
/* require.c – modules, by name only. Runs in: every process that hosts Lua. Distrusts: names, texts.
 * The role finds the text; nothing here opens a file, and there are no C modules.
 * Each environment keeps what it has loaded: [name] = value, or PENDING while it loads; [COUNT],
 * [BYTES]; [LIBRARY] = the require of the environment that luttpd's own modules run in, so that what a
 * script does to its globals or to its copy of a module changes nothing for the library. */
#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "script/state.h"

#define ENVIRONMENT lua_upvalueindex(1)
#define LOADED lua_upvalueindex(2)
#define IS_LIBRARY lua_upvalueindex(3)

enum { COUNT = 1, BYTES, LIBRARY };

static const char pending; /* its address marks a module that is being loaded */

static bool starts_identifier(char c) {
    return (c >= 'a' && c <= 'z') || c == '_';
}

/* Identifiers of lower-case letters, digits and underscores, joined by single dots. */
static bool name_is_valid(const char *name, size_t n) {
    if (n == 0 || n > SCRIPT_MODULE_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        bool first = i == 0 || name[i - 1] == '.';
        bool digit = name[i] >= '0' && name[i] <= '9';
        bool good = starts_identifier(name[i]) || (!first && (digit || name[i] == '.'));
        if (!good) {
            return false;
        }
    }
    return name[n - 1] != '.';
}

static lua_Integer loaded_number(lua_State *L, int slot) {
    lua_rawgeti(L, LOADED, slot);
    lua_Integer n = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return n;
}

/* Counts one more module against the limits of this environment; false where they are reached. */
static bool count_module(lua_State *L, size_t bytes) {
    lua_Integer count = loaded_number(L, COUNT) + 1;
    lua_Integer total = loaded_number(L, BYTES) + (lua_Integer)bytes;
    if (count > SCRIPT_MODULES_MAX || total > (lua_Integer)SCRIPT_MODULES_MAX_BYTES) {
        return false;
    }
    lua_pushinteger(L, count);
    lua_rawseti(L, LOADED, COUNT);
    lua_pushinteger(L, total);
    lua_rawseti(L, LOADED, BYTES);
    return true;
}

/* loaded[name at 1] = value on top, popped */
static void set_loaded(lua_State *L) {
    lua_pushvalue(L, 1);
    lua_insert(L, -2);
    lua_rawset(L, LOADED);
}

/* Pushes the require of the library's environment, made when it is first needed. */
static void push_library_require(lua_State *L) {
    lua_rawgeti(L, LOADED, LIBRARY);
    if (!lua_isnil(L, -1)) {
        return;
    }
    lua_pop(L, 1);
    script_environment_make(L);
    lua_getfield(L, -1, "require");
    lua_pushboolean(L, 1);
    lua_setupvalue(L, -2, 3);
    lua_remove(L, -2);
    lua_pushvalue(L, -1);
    lua_rawseti(L, LOADED, LIBRARY);
}

static void release(struct script_source *source) {
    if (source->release != NULL) {
        source->release(source);
    }
}

/* Compiles and runs the text in this environment; leaves the module's value on top. Raises. */
static void run_text(lua_State *L, const char *name, struct script_source *source) {
    bool room = count_module(L, source->size);
    int failed = room ? script_compile(L, source->text, source->size, source->chunk) : 0;
    release(source);
    if (!room) {
        luaL_error(L, "module '%s': too many modules, or too large", name);
    }
    if (failed != 0) {
        lua_error(L);
    }
    lua_pushvalue(L, ENVIRONMENT);
    lua_setfenv(L, -2);
    lua_pushlightuserdata(L, (void *)&pending);
    set_loaded(L);
    lua_pushvalue(L, 1);
    script_of(L)->require_depth++;
    failed = lua_pcall(L, 1, 1, 0);
    script_of(L)->require_depth--;
    if (failed != 0) {
        lua_pushnil(L);
        set_loaded(L);
        lua_error(L);
    }
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
    }
}

/* Asks the role. Raises where there is no such module; the library sees only its own. */
static void find(lua_State *L, const char *name, struct script_source *source) {
    struct script *s = script_of(L);
    int rc = -ENOENT;
    if (s->options.find_module != NULL) {
        rc = s->options.find_module(s->options.context, name, source);
    }
    if (rc == 0 && !source->library && lua_toboolean(L, IS_LIBRARY)) {
        release(source);
        rc = -ENOENT;
    }
    if (rc == -ENOENT) {
        luaL_error(L, "module '%s' not found", name);
    }
    if (rc < 0) {
        luaL_error(L, "module '%s': %s", name, strerror(-rc));
    }
}

static void load_module(lua_State *L, const char *name) {
    struct script_source source = {.text = NULL};
    if (script_of(L)->require_depth >= SCRIPT_REQUIRE_DEPTH_MAX) {
        luaL_error(L, "module '%s': modules require each other too deeply", name);
    }
    find(L, name, &source);
    if (source.library && !lua_toboolean(L, IS_LIBRARY)) {
        release(&source);
        push_library_require(L);
        lua_pushvalue(L, 1);
        lua_call(L, 1, 1);
        return;
    }
    run_text(L, name, &source);
}

int script_require(lua_State *L) {
    size_t n;
    const char *name = luaL_checklstring(L, 1, &n);
    script_guard_room(L);
    if (!name_is_valid(name, n)) {
        return luaL_error(L, "bad module name (lower-case identifiers joined by dots are good)");
    }
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    lua_rawget(L, LOADED);
    if (lua_touserdata(L, -1) == (void *)&pending) {
        return luaL_error(L, "module '%s' requires itself", name);
    }
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        load_module(L, name);
        lua_pushvalue(L, -1);
        set_loaded(L);
    }
    return 1;
}
