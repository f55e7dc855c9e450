/* SPDX-License-Identifier: Apache-2.0 */
/* steps.c – the checker's steps and the scripts between them; see steps.h.
 * Runs in: config. Distrusts: the scripts. */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "config/steps.h"

#define EVALUATION "luttpd.config.evaluation"   /* registry: the checker's steps */
#define ENVIRONMENT "luttpd.config.environment" /* registry: the globals of the script in hand */

/* The line of a file (argument 1) that is running, 0 where none is. */
static int push_line(lua_State *L) {
    const char *file = luaL_checkstring(L, 1);
    lua_Debug frame;
    int line = 0;
    for (int level = 1; line == 0 && lua_getstack(L, level, &frame); level++) {
        if (lua_getinfo(L, "Sl", &frame) && frame.source[0] == '@' && strcmp(frame.source + 1, file) == 0) {
            line = frame.currentline > 0 ? frame.currentline : 0;
        }
    }
    lua_pushinteger(L, line);
    return 1;
}

static void set_text(lua_State *L, const char *key, const char *p, size_t n) {
    lua_pushlstring(L, n > 0 ? p : "", n);
    lua_setfield(L, -2, key);
}

static void set_number(lua_State *L, const char *key, lua_Number value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, key);
}

/* The reserved users of the roles: whoever has none belongs to an owner, or is root. */
static void set_roles(lua_State *L) {
    lua_newtable(L);
    for (int role = 0, n = 0; role < ROLE_COUNT; role++) {
        if (role_facts[role].reserved_uid == 0) {
            continue;
        }
        lua_newtable(L);
        lua_pushstring(L, role_facts[role].name);
        lua_setfield(L, -2, "name");
        set_number(L, "uid", role_facts[role].reserved_uid);
        lua_rawseti(L, -2, ++n);
    }
    lua_setfield(L, -2, "roles");
}

/* Pushes the input that lua/config/evaluate.lua describes. */
static void push_input(const struct config *c, lua_State *L) {
    lua_newtable(L);
    set_text(L, "file", c->file, strlen(c->file));
    set_text(L, "text", c->text.p, c->text.n);
    set_text(L, "directory", c->start.directory.p, c->start.directory.n);
    set_text(L, "passwd", c->passwd.p, c->passwd.n);
    set_text(L, "group", c->group.p, c->group.n);
    set_text(L, "automatic", c->automatic.p, c->automatic.n);
    set_number(L, "uid", c->start.uid);
    set_number(L, "gid", c->start.gid);
    lua_pushboolean(L, c->start.single_user);
    lua_setfield(L, -2, "single_user");
    set_roles(L);
    lua_pushcfunction(L, push_line);
    lua_setfield(L, -2, "line");
}

void step_push_environment(struct config *c, lua_State *L) {
    script_environment_push(c->script);
    lua_pushnil(L);
    lua_setfield(L, -2, "require");
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, ENVIRONMENT);
}

int step_begin(lua_State *L) {
    struct config *c = lua_touserdata(L, 1);
    config_require(L, "config.evaluate");
    lua_getfield(L, -1, "begin");
    push_input(c, L);
    step_push_environment(c, L);
    lua_call(L, 2, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, EVALUATION);
    return 0;
}

void step_push(lua_State *L, const char *name) {
    lua_getfield(L, LUA_REGISTRYINDEX, EVALUATION);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

void step_push_failure(lua_State *L, const struct ending *e) {
    if (e->failed) {
        lua_pushstring(L, e->failure);
    } else {
        lua_pushnil(L);
    }
}

void step_run(struct ending *e, const char *file, struct slice text) {
    struct config *c = e->config;
    char chunk[STEP_FILE_MAX + 2];
    (void)snprintf(chunk, sizeof chunk, "@%s", file);
    lua_getfield(script_state(c->script), LUA_REGISTRYINDEX, ENVIRONMENT);
    int rc = script_load(c->script, text.n > 0 ? text.p : "", text.n, chunk);
    if (rc == SCRIPT_DONE) {
        rc = script_call(c->script, 0, 0);
    }
    e->failed = rc != SCRIPT_DONE;
    (void)snprintf(e->failure, sizeof e->failure, "%s", e->failed ? script_error(c->script)->message : "");
}
