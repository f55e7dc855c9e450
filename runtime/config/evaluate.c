/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.c – runs server.lua and its policies between the steps of the checker (lua/config/evaluate.lua).
 * Runs in: config. Distrusts: the scripts. Each step and each script is an entry of its own, within its
 * budgets, so that a script that was stopped can still be reported. */
#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "config/config.h"
#include "config/fields.h"

#define EVALUATION "luttpd.config.evaluation"   /* registry: the checker's steps */
#define SCRIPTS "luttpd.config.scripts"         /* registry: what policies there are */
#define ENVIRONMENT "luttpd.config.environment" /* registry: the globals of the script in hand */

#define FILE_NAME_MAX 255 /* bytes, as lua/config/kinds.lua allows */

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

/* A script's globals: what the sandbox allows, without modules; the checker adds the statements. */
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
    lua_setfield(L, LUA_REGISTRYINDEX, EVALUATION);
    return 0;
}

/* Pushes one of the checker's steps. */
static void push_step(lua_State *L, const char *name) {
    lua_getfield(L, LUA_REGISTRYINDEX, EVALUATION);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

/* How a script ended. */
struct ending {
    struct config *config;
    char failure[SCRIPT_ERROR_MAX_BYTES]; /* why it did not end well */
    bool failed;
    bool planned; /* the last step: the plan is made, and on disk what it needs */
};

static void push_failure(lua_State *L, const struct ending *e) {
    if (e->failed) {
        lua_pushstring(L, e->failure);
    } else {
        lua_pushnil(L);
    }
}

/* Runs a script in the globals that the last step has prepared. */
static void run(struct ending *e, const char *file, struct slice text) {
    struct config *c = e->config;
    char chunk[FILE_NAME_MAX + 2];
    (void)snprintf(chunk, sizeof chunk, "@%s", file);
    lua_getfield(script_state(c->script), LUA_REGISTRYINDEX, ENVIRONMENT);
    int rc = script_load(c->script, text.n > 0 ? text.p : "", text.n, chunk);
    if (rc == SCRIPT_DONE) {
        rc = script_call(c->script, 0, 0);
    }
    e->failed = rc != SCRIPT_DONE;
    (void)snprintf(e->failure, sizeof e->failure, "%s", e->failed ? script_error(c->script)->message : "");
}

/* Policies --------------------------------------------------------------------------------------- */

/* One of the scripts that server.lua names. */
struct policy {
    struct ending ending;
    int number, count; /* from 1; how many there are */
    char file[FILE_NAME_MAX + 1];
    bool builtin;
    struct slice text;
    const char *unreadable; /* why it cannot be read, or NULL */
};

/* Step: what server.lua said is judged, and which scripts it names is known. */
static int judge(lua_State *L) {
    struct policy *p = lua_touserdata(L, 1);
    push_step(L, "scripts");
    push_failure(L, &p->ending);
    lua_call(L, 1, 1);
    p->count = (int)lua_objlen(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, SCRIPTS);
    return 0;
}

static int select_script(lua_State *L) {
    struct policy *p = lua_touserdata(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, SCRIPTS);
    lua_rawgeti(L, -1, p->number);
    struct slice file = field_text(L, "file");
    p->builtin = field_boolean(L, "builtin");
    (void)snprintf(p->file, sizeof p->file, "%.*s", (int)file.n, file.p);
    return 0;
}

static int open_script(lua_State *L) {
    const struct policy *p = lua_touserdata(L, 1);
    push_step(L, p->unreadable == NULL ? "open" : "unreadable");
    lua_pushinteger(L, p->number);
    if (p->unreadable != NULL) {
        lua_pushstring(L, p->unreadable);
        lua_call(L, 2, 0);
    } else {
        lua_pushlstring(L, p->text.n > 0 ? p->text.p : "", p->text.n);
        push_environment(p->ending.config, L);
        lua_call(L, 3, 0);
    }
    return 0;
}

static int close_script(lua_State *L) {
    const struct policy *p = lua_touserdata(L, 1);
    push_step(L, "close");
    lua_pushinteger(L, p->number);
    push_failure(L, &p->ending);
    lua_call(L, 2, 0);
    return 0;
}

/* Why a file of the configuration cannot be read, in words. room: for those of the system. */
static const char *unreadable(int error, size_t max, char room[128]) {
    if (error == EXDEV) {
        return "it is a link that leads out of its directory";
    }
    if (error == EINVAL) {
        return "it is not a regular file";
    }
    if (error == EFBIG) {
        (void)snprintf(room, 128, "it is larger than %zu MB", max >> 20);
    } else {
        (void)snprintf(room, 128, "%s", strerror(error));
    }
    return room;
}

/* Reads a policy's text. owned: what is to be freed. */
static void read_policy(struct policy *p, struct config_text *owned, char room[128]) {
    if (p->builtin) {
        const struct embedded_lua *file = config_embedded(p->file);
        MUST(file != NULL);
        p->text = slice_from(file->text, file->size);
        return;
    }
    int rc = config_read_file(p->ending.config, p->file, CONFIG_POLICY_MAX, owned);
    p->text = slice_from(owned->p, owned->n);
    p->unreadable = rc < 0 ? unreadable(-rc, CONFIG_POLICY_MAX, room) : NULL;
}

/* Returns false where the checker itself failed. */
static bool evaluate_policy(struct policy *p) {
    struct script *script = p->ending.config->script;
    struct config_text owned = {NULL, 0};
    char room[128];
    if (script_protect(script, select_script, p) != SCRIPT_DONE) {
        return false;
    }
    read_policy(p, &owned, room);
    bool opened = script_protect(script, open_script, p) == SCRIPT_DONE;
    if (opened && p->unreadable == NULL) {
        run(&p->ending, p->file, p->text);
        opened = script_protect(script, close_script, p) == SCRIPT_DONE;
    }
    free(owned.p);
    return opened;
}

static bool evaluate_policies(const struct ending *server) {
    struct policy p = {.ending = *server};
    bool fine = script_protect(server->config->script, judge, &p) == SCRIPT_DONE;
    for (p.number = 1; fine && p.number <= p.count; p.number++) {
        p.unreadable = NULL;
        fine = evaluate_policy(&p);
    }
    return fine;
}

/* The outcome ------------------------------------------------------------------------------------ */

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
    push_step(L, "finish");
    lua_call(L, 0, 1);
    e->planned = config_read_result(e->config, L) && remember_users(e->config, L);
    return 0;
}

/* A step of the checker failed: too much for its budgets, or our own mistake. Never a crash. */
static void fault_inside(const struct config *c) {
    char text[SCRIPT_ERROR_MAX_BYTES + 64];
    (void)snprintf(text, sizeof text, "the configuration could not be checked: %s",
                   script_error(c->script)->message);
    config_fault(c, slice_text(c->file), 0, SLICE(""), slice_text(text));
}

static void fault_unreadable(const struct config *c, int error) {
    char room[128], text[160];
    (void)snprintf(text, sizeof text, "cannot be read: %s", unreadable(error, CONFIG_SCRIPT_MAX, room));
    config_fault(c, slice_text(c->file), 0, SLICE(""), slice_text(text));
}

void config_evaluate(void *context) {
    struct config *c = context;
    struct ending e = {.config = c};
    int rc = config_read_file(c, c->file, CONFIG_SCRIPT_MAX, &c->text);
    if (rc < 0) {
        fault_unreadable(c, -rc);
        return;
    }
    if (script_protect(c->script, begin, c) != SCRIPT_DONE) {
        fault_inside(c);
        return;
    }
    run(&e, c->file, slice_from(c->text.p, c->text.n));
    if (!evaluate_policies(&e) || script_protect(c->script, finish, &e) != SCRIPT_DONE) {
        fault_inside(c);
    } else if (e.planned) {
        config_send_plan(c);
    }
}
