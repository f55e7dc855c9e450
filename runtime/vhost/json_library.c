/* SPDX-License-Identifier: Apache-2.0 */
/* json_library.c – json for scripts: encode, decode, array, null. Runs in: vhost. */
#include <lauxlib.h>
#include <stdlib.h>

#include "vhost/json_mark.h"

static const char array_metatable; /* its address names the metatable in the registry */
static const char null_address;

void *json_null(void) {
    return (void *)&null_address;
}

static void push_array_metatable(lua_State *L) {
    lua_pushlightuserdata(L, (void *)&array_metatable);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (!lua_isnil(L, -1)) {
        return;
    }
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushliteral(L, "array");
    lua_setfield(L, -2, "__metatable");
    lua_pushlightuserdata(L, (void *)&array_metatable);
    lua_pushvalue(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
}

bool json_is_array(lua_State *L, int index) {
    if (lua_getmetatable(L, index) == 0) {
        return false;
    }
    lua_pushlightuserdata(L, (void *)&array_metatable);
    lua_rawget(L, LUA_REGISTRYINDEX);
    bool same = !lua_isnil(L, -1) && lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

void json_mark_array(lua_State *L) {
    push_array_metatable(L);
    lua_setmetatable(L, -2);
}

static int mark_array(lua_State *L) {
    if (lua_gettop(L) == 0) {
        lua_newtable(L);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    if (lua_getmetatable(L, 1) != 0 && !json_is_array(L, 1)) {
        return luaL_error(L, "json.array: the table has a metatable already");
    }
    lua_settop(L, 1);
    json_mark_array(L);
    return 1;
}

static int encode(lua_State *L) {
    char *bytes = NULL;
    size_t room = 0, n;
    luaL_checkany(L, 1);
    const char *wrong = json_encode(L, 1, &bytes, &room, &n);
    if (wrong != NULL) {
        free(bytes);
        return luaL_error(L, "json: %s", wrong);
    }
    lua_pushlstring(L, bytes, n);
    free(bytes);
    return 1;
}

/* nil, message where the text is wrong: it is mostly a client's */
int json_decode_function(lua_State *L) {
    size_t n, at;
    const char *text = luaL_checklstring(L, 1, &n);
    const char *wrong = json_decode(L, text, n, &at);
    if (wrong == NULL) {
        return 1;
    }
    lua_pushnil(L);
    lua_pushfstring(L, "%s at byte %d", wrong, (int)at + 1);
    return 2;
}

void json_push_library(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"encode", encode}, {"decode", json_decode_function}, {"array", mark_array}, {NULL, NULL}};
    lua_newtable(L);
    for (const luaL_Reg *r = functions; r->name != NULL; r++) {
        lua_pushcfunction(L, r->func);
        lua_setfield(L, -2, r->name);
    }
    lua_pushlightuserdata(L, json_null());
    lua_setfield(L, -2, "null");
}
