/* SPDX-License-Identifier: Apache-2.0 */
/* modules.c – luttpd's own Lua in this process: the checker, its grammars, lpeg.
 * Runs in: config. Trusted: this text is part of the binary. It gets globals of its own, and its
 * require is no function that server.lua could reach. */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config_lua.h"

#define ENVIRONMENT lua_upvalueindex(1)
#define LOADED lua_upvalueindex(2)
#define REGISTRY_KEY "luttpd.config.require"

int luaopen_lpeg(lua_State *L);

const struct embedded_lua *config_embedded(const char *name) {
    for (const struct embedded_lua *file = config_files; file->name != NULL; file++) {
        if (strcmp(file->name, name) == 0) {
            return file;
        }
    }
    return NULL;
}

/* "config.check" is the file "config/check.lua". */
static const struct embedded_lua *find(const char *module) {
    char path[128];
    int n = snprintf(path, sizeof path, "%s", module);
    if (n < 0 || (size_t)n + sizeof ".lua" > sizeof path) {
        return NULL;
    }
    for (char *p = strchr(path, '.'); p != NULL; p = strchr(p, '.')) {
        *p = '/';
    }
    memcpy(path + n, ".lua", sizeof ".lua");
    return config_embedded(path);
}

/* Leaves the module's value on top. */
static void load(lua_State *L, const char *module) {
    if (strcmp(module, "lpeg") == 0) {
        lua_pushcfunction(L, luaopen_lpeg);
        lua_call(L, 0, 1);
        return;
    }
    const struct embedded_lua *file = find(module);
    if (file == NULL) {
        (void)luaL_error(L, "module '%s' is not part of this process", module);
        return;
    }
    char chunk[160];
    (void)snprintf(chunk, sizeof chunk, "@%s", file->name);
    if (luaL_loadbuffer(L, file->text, file->size, chunk) != 0) {
        (void)lua_error(L);
    }
    lua_pushvalue(L, ENVIRONMENT);
    (void)lua_setfenv(L, -2);
    lua_call(L, 0, 1);
}

static int require(lua_State *L) {
    const char *module = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    lua_rawget(L, LOADED);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        load(L, module);
        lua_pushvalue(L, 1);
        lua_pushvalue(L, -2);
        lua_rawset(L, LOADED);
    }
    return 1;
}

/* Pushes require, with its globals and its table of loaded modules made when first needed. */
static void push_require(lua_State *L) {
    lua_getfield(L, LUA_REGISTRYINDEX, REGISTRY_KEY);
    if (!lua_isnil(L, -1)) {
        return;
    }
    lua_pop(L, 1);
    script_environment_push(script_of(L));
    lua_pushvalue(L, -1);
    lua_newtable(L);
    lua_pushcclosure(L, require, 2);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "require");
    lua_remove(L, -2);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, REGISTRY_KEY);
}

void config_require(lua_State *L, const char *module) {
    push_require(L);
    lua_pushstring(L, module);
    lua_call(L, 1, 1);
}
