/* SPDX-License-Identifier: Apache-2.0 */
/* site.c – evaluates vhost.lua: the owner's file into routes.
 * Runs in: vhost, with the cage closed. Distrusts: vhost.lua and the tree it lies in.
 *
 * One file that fails must not take the site off the air without a word: the process lives, answers
 * 500, and the owner's error log has file, line and traceback.
 */
#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/embedded_lua.h"
#include "base/must.h"
#include "vhost/json.h"
#include "vhost/modules.h"
#include "vhost/task.h"
#include "vhost/urlencoded.h"
#include "vhost_lua.h"

#define SITE_FILE "vhost.lua"

/* Runs one of luttpd's own files with nargs arguments on top of the main state. Leaves one result. */
static void run_own(struct vhost *v, const char *name, int nargs) {
    const struct embedded_lua *file = modules_find_own(name);
    MUST(file != NULL);
    script_environment_push(v->script);
    MUST(script_load(v->script, file->text, file->size, "=luttpd") == SCRIPT_DONE);
    lua_insert(v->L, -1 - nargs);
    MUST(script_call(v->script, nargs, 1) == SCRIPT_DONE);
}

static void make_objects(struct vhost *v) {
    lua_newtable(v->L);
    lua_pushcfunction(v->L, urlencoded_parse);
    lua_setfield(v->L, -2, "parse_form");
    lua_pushcfunction(v->L, json_decode_function);
    lua_setfield(v->L, -2, "decode_json");
    run_own(v, "luttpd/request.lua", 1);
    lua_request_register(v);
    lua_response_register(v);
}

/* What a script may know about where it runs. */
static void push_facts(struct vhost *v) {
    lua_State *L = v->L;
    lua_newtable(L);
    lua_pushlstring(L, v->start.name.p, v->start.name.n);
    lua_setfield(L, -2, "name");
    lua_pushnumber(L, (lua_Number)getuid());
    lua_setfield(L, -2, "uid");
    lua_pushnumber(L, (lua_Number)getgid());
    lua_setfield(L, -2, "gid");
    lua_pushnumber(L, (lua_Number)getpid());
    lua_setfield(L, -2, "pid");
    lua_pushnumber(L, (lua_Number)v->start.generation);
    lua_setfield(L, -2, "generation");
}

/* Pushes the function to call when vhost.lua has ended, and its globals above. */
static void make_globals(struct vhost *v) {
    lua_State *L = v->L;
    script_environment_push(v->script);
    json_push_library(L);
    lua_setfield(L, -2, "json");
    verbs_push(v);
    lua_pushvalue(L, -2);
    push_facts(v);
    run_own(v, "luttpd/verbs.lua", 3);
    lua_insert(L, -2);
}

/* Takes both from the main state. Returns whether all went well. */
static bool evaluate(struct vhost *v, const char *text, size_t size) {
    bool good = script_load(v->script, text, size, "@" SITE_FILE) == SCRIPT_DONE;
    good = good && script_call(v->script, 0, 0) == SCRIPT_DONE;
    if (good) {
        good = script_call(v->script, 0, 0) == SCRIPT_DONE;
    } else {
        lua_pop(v->L, 1);
    }
    if (!good) {
        owner_log_failure(v, "while " SITE_FILE " was loaded; every answer is 500 until it is mended");
    }
    return good;
}

static int load_default(struct vhost *v) {
    if (files_is_directory(v->files.root, "public")) {
        return verbs_add_default(v);
    }
    owner_log(v, LEVEL_WARNING,
              "there is neither " SITE_FILE " nor a directory public/ here: every answer is 404");
    return 0;
}

static int load_file(struct vhost *v) {
    char *text;
    size_t size;
    int rc = modules_read(v, SITE_FILE, &text, &size);
    if (rc == -ENOENT) {
        lua_pop(v->L, 2);
        return load_default(v);
    }
    if (rc != 0) {
        lua_pop(v->L, 2);
        owner_log(v, LEVEL_ERROR, SITE_FILE ": %s; every answer is 500 until it is mended", strerror(-rc));
        v->site.broken = true;
        return 0;
    }
    v->site.broken = !evaluate(v, text, size);
    free(text);
    return 0;
}

int site_load(struct vhost *v) {
    v->site.routes = route_table_new();
    if (v->site.routes == NULL) {
        return -ENOMEM;
    }
    make_objects(v);
    make_globals(v);
    v->site.loading = true;
    int rc = load_file(v);
    v->site.loading = false;
    MUST(lua_gettop(v->L) == 0);
    (void)lua_gc(v->L, LUA_GCCOLLECT, 0); /* what only loading needed */
    return rc;
}
