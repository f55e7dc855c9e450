/* SPDX-License-Identifier: Apache-2.0 */
/* library_base.c – print and load. Runs in: every process that hosts Lua. Distrusts: the caller. */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "script/buffer.h"
#include "script/state.h"

#define PRINT_MAX_BYTES 4096

/* Joins its arguments by tabs into one line for the log; what does not fit is cut. */
static int print(lua_State *L) {
    struct script *s = script_of(L);
    char line[PRINT_MAX_BYTES];
    size_t used = 0;
    int n = lua_gettop(L);
    script_guard_room(L);
    for (int i = 1; i <= n; i++) {
        size_t bytes;
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_pushvalue(L, i);
        lua_call(L, 1, 1);
        const char *text = lua_tolstring(L, -1, &bytes);
        if (text == NULL) {
            return luaL_error(L, "'tostring' must return a string to 'print'");
        }
        if (i > 1 && used < sizeof line) {
            line[used++] = '\t';
        }
        size_t room = sizeof line - used;
        memcpy(line + used, text, bytes < room ? bytes : room);
        used += bytes < room ? bytes : room;
        lua_pop(L, 1);
    }
    if (s->options.print != NULL) {
        s->options.print(s->options.context, line, used);
    }
    return 0;
}

struct whole {
    const char *text;
    size_t size;
};

static const char *read_whole(lua_State *L, void *ud, size_t *size) {
    (void)L;
    struct whole *w = ud;
    const char *text = w->text;
    *size = w->size;
    w->text = NULL;
    w->size = 0;
    return text;
}

/* Pushes a function made of text, or the reason why not. Returns 0 or a Lua error code. */
int script_compile(lua_State *L, const char *text, size_t size, const char *chunk) {
    struct whole w = {text, size};
    if (size > SCRIPT_TEXT_MAX_BYTES) {
        lua_pushfstring(L, "%s: longer than %d bytes", chunk + (*chunk == '@'), (int)SCRIPT_TEXT_MAX_BYTES);
        return LUA_ERRSYNTAX;
    }
    return lua_loadx(L, read_whole, &w, chunk, "t");
}

/* Joins what the script's reader function (argument 1) gives, with slot 5 free. False where it
 * failed, with the reason on top. The reader must not run inside lua_loadx: an error that the deadline's
 * hook raises there leaves LuaJIT with hooks off for good. */
static bool read_pieces(lua_State *L, struct buffer *b) {
    for (;;) {
        lua_pushvalue(L, 1);
        if (lua_pcall(L, 0, 1, 0) != 0) {
            return false;
        }
        if (lua_isnil(L, -1) || (lua_isstring(L, -1) && lua_objlen(L, -1) == 0)) {
            lua_pop(L, 1);
            return true;
        }
        if (lua_type(L, -1) != LUA_TSTRING) {
            lua_pushliteral(L, "reader function must return a string");
            return false;
        }
        if (b->used + lua_objlen(L, -1) > SCRIPT_TEXT_MAX_BYTES) {
            lua_pushfstring(L, "chunk longer than %d bytes", (int)SCRIPT_TEXT_MAX_BYTES);
            return false;
        }
        buffer_take(b);
        if (script_interrupted(script_of(L))) {
            lua_pushliteral(L, "interrupted");
            return false;
        }
    }
}

/* Compiles argument 1, text or reader, into a function on top. Returns false with a reason there. */
static bool load_argument(lua_State *L) {
    if (lua_isstring(L, 1)) {
        size_t size;
        const char *text = lua_tolstring(L, 1, &size);
        return script_compile(L, text, size, luaL_optstring(L, 2, text)) == 0;
    }
    struct buffer b;
    luaL_checktype(L, 1, LUA_TFUNCTION);
    buffer_init(&b, L, 5, 2 * (size_t)SCRIPT_TEXT_MAX_BYTES);
    return read_pieces(L, &b) && script_compile(L, b.bytes, b.used, luaL_optstring(L, 2, "=(load)")) == 0;
}

/* load(text or function, name, mode, environment): never bytecode, never outside the sandbox. */
int script_load_function(lua_State *L) {
    bool own_environment = !lua_isnone(L, 4);
    const char *mode = luaL_optstring(L, 3, "t");
    script_guard_room(L);
    if (own_environment) {
        luaL_checktype(L, 4, LUA_TTABLE);
    }
    lua_settop(L, 5);
    bool loaded = false;
    if (strchr(mode, 't') == NULL) {
        lua_pushliteral(L, "attempt to load chunk with wrong mode");
    } else {
        loaded = load_argument(L);
    }
    if (!loaded) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    lua_pushvalue(L, own_environment ? 4 : lua_upvalueindex(1));
    lua_setfenv(L, -2);
    return 1;
}

void script_base_register(lua_State *L, int table) {
    lua_getfield(L, table, "tostring");
    lua_pushcclosure(L, print, 1);
    lua_setfield(L, table, "print");
}
