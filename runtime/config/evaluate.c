/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.c – runs server.lua between the two halves of the checker (lua/config/evaluate.lua).
 * Runs in: config. Distrusts: the script. Each half and the script are entries of their own, each within
 * its budgets, so that a script that was stopped can still be reported. */
#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"

#define FINISH "luttpd.config.finish"           /* registry: the checker's second half */
#define ENVIRONMENT "luttpd.config.environment" /* registry: the script's globals */

/* The line of server.lua that is running, 0 where none is; upvalue 1: its chunk's name. */
static int push_line(lua_State *L) {
    lua_Debug frame;
    const char *chunk = lua_tostring(L, lua_upvalueindex(1));
    int line = 0;
    for (int level = 1; line == 0 && lua_getstack(L, level, &frame); level++) {
        if (lua_getinfo(L, "Sl", &frame) && strcmp(frame.source, chunk) == 0) {
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
    lua_pushstring(L, c->chunk);
    lua_pushcclosure(L, push_line, 1);
    lua_setfield(L, -2, "line");
}

/* The script's globals: what the sandbox allows, without modules; the checker adds the statements. */
static void push_environment(struct config *c, lua_State *L) {
    script_environment_push(c->script);
    lua_pushnil(L);
    lua_setfield(L, -2, "require");
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, ENVIRONMENT);
}

static int begin(lua_State *L) {
    struct config *c = lua_touserdata(L, 1);
    config_require(L, "config.evaluate");
    lua_getfield(L, -1, "begin");
    push_input(c, L);
    push_environment(c, L);
    lua_call(L, 2, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, FINISH);
    return 0;
}

/* Returns NULL, or why the script did not end well; valid until the next entry. */
static const char *run(struct config *c) {
    lua_State *L = script_state(c->script);
    lua_getfield(L, LUA_REGISTRYINDEX, ENVIRONMENT);
    int rc = script_load(c->script, c->text.n > 0 ? c->text.p : "", c->text.n, c->chunk);
    if (rc == SCRIPT_DONE) {
        rc = script_call(c->script, 0, 0);
    }
    return rc == SCRIPT_DONE ? NULL : script_error(c->script)->message;
}

struct ending {
    struct config *config;
    char failure[SCRIPT_ERROR_MAX_BYTES];
    bool failed;  /* of the script: failure says why */
    bool planned; /* result: the plan is made, and on disk what it needs */
};

/* Users that a plan mentions must never be given to anyone else: they are on disk before it leaves. */
static bool remember_users(const struct config *c, lua_State *L) {
    size_t n;
    lua_getfield(L, -1, "appendix");
    const char *text = luaL_checklstring(L, -1, &n);
    int rc = n > 0 && !c->start.check_only ? config_append_users(c, text, n) : 0;
    lua_pop(L, 1);
    if (rc < 0) {
        lua_pushfstring(L, "the table of automatic users cannot be written: %s", strerror(-rc));
        config_fault(c, slice_text(c->file), 0, SLICE("automatic_users"), slice_text(lua_tostring(L, -1)));
        lua_pop(L, 1);
    }
    return rc == 0;
}

static int finish(lua_State *L) {
    struct ending *e = lua_touserdata(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, FINISH);
    if (e->failed) {
        lua_pushstring(L, e->failure);
    } else {
        lua_pushnil(L);
    }
    lua_call(L, 1, 1);
    e->planned = config_read_result(e->config, L) && remember_users(e->config, L);
    return 0;
}

/* A half of the checker failed: too much for its budgets, or our own mistake. Never a crash. */
static void fault_inside(const struct config *c) {
    char text[SCRIPT_ERROR_MAX_BYTES + 64];
    (void)snprintf(text, sizeof text, "the configuration could not be checked: %s",
                   script_error(c->script)->message);
    config_fault(c, slice_text(c->file), 0, SLICE(""), slice_text(text));
}

static void fault_unreadable(const struct config *c, int error) {
    const char *reason = error == EFBIG    ? "cannot be read: it is larger than 8 MB"
                         : error == EXDEV  ? "cannot be read: it is a link that leads out of its directory"
                         : error == EINVAL ? "cannot be read: it is not a regular file"
                                           : NULL;
    char text[128];
    if (reason == NULL) {
        (void)snprintf(text, sizeof text, "cannot be read: %s", strerror(error));
        reason = text;
    }
    config_fault(c, slice_text(c->file), 0, SLICE(""), slice_text(reason));
}

void config_evaluate(void *context) {
    struct config *c = context;
    struct ending e = {.config = c};
    int rc = config_read_text(c);
    if (rc < 0) {
        fault_unreadable(c, -rc);
        return;
    }
    if (script_protect(c->script, begin, c) != SCRIPT_DONE) {
        fault_inside(c);
        return;
    }
    const char *failure = run(c);
    e.failed = failure != NULL;
    (void)snprintf(e.failure, sizeof e.failure, "%s", e.failed ? failure : "");
    if (script_protect(c->script, finish, &e) != SCRIPT_DONE) {
        fault_inside(c);
    } else if (e.planned) {
        config_send_plan(c);
    }
}
