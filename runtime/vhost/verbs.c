/* SPDX-License-Identifier: Apache-2.0 */
/* verbs.c – what the verbs of vhost.lua do, once lua/luttpd/verbs.lua has checked their options.
 * Runs in: vhost, while vhost.lua loads. Called by luttpd's own Lua only: argument errors are ours. */
#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>

#include "vhost/vhost.h"

static struct vhost *vhost_of(lua_State *L) {
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* An owned copy of s with a NUL before and after it. Raises. */
static struct slice keep(lua_State *L, struct slice s) {
    char *p = malloc(s.n + 2);
    if (p == NULL) {
        luaL_error(L, "out of memory");
        return s;
    }
    p[0] = '\0';
    memcpy(p + 1, s.p, s.n);
    p[s.n + 1] = '\0';
    return slice_from(p + 1, s.n);
}

static struct slice keep_argument(lua_State *L, int index) {
    size_t n;
    const char *p = luaL_checklstring(L, index, &n);
    return keep(L, slice_from(p, n));
}

static struct target *new_target(struct site *site, enum target_kind kind) {
    struct target **grown = realloc(site->targets, (site->target_count + 1) * sizeof *grown);
    struct target *t = calloc(1, sizeof *t);
    if (grown != NULL) {
        site->targets = grown;
    }
    if (grown == NULL || t == NULL) {
        free(t);
        return NULL;
    }
    t->kind = kind;
    site->targets[site->target_count++] = t;
    return t;
}

static struct target *check_new_target(lua_State *L, enum target_kind kind) {
    struct target *t = new_target(&vhost_of(L)->site, kind);
    if (t == NULL) {
        luaL_error(L, "out of memory");
    }
    return t;
}

/* Adds the newest target under a pattern. Returns what the verb returns: nothing, or the reason and,
 * where there is one, the place of the rival. */
static int add_route(lua_State *L, struct slice pattern, unsigned methods) {
    struct site *site = &vhost_of(L)->site;
    uint32_t rival = UINT32_MAX;
    const char *wrong =
        route_table_add(site->routes, pattern, methods, (uint32_t)(site->target_count - 1), &rival);
    if (wrong == NULL) {
        return 0;
    }
    lua_pushstring(L, wrong);
    if (rival == UINT32_MAX) {
        return 1;
    }
    lua_pushstring(L, site->targets[rival]->where);
    return 2;
}

static struct slice check_slice(lua_State *L, int index) {
    size_t n;
    const char *p = luaL_checklstring(L, index, &n);
    return slice_from(p, n);
}

/* (pattern, methods, function, where) */
static int add_handler(lua_State *L) {
    struct slice pattern = check_slice(L, 1);
    unsigned methods = (unsigned)luaL_checkinteger(L, 2);
    struct target *t = check_new_target(L, TARGET_HANDLER);
    luaL_checktype(L, 3, LUA_TFUNCTION);
    t->where = (char *)keep_argument(L, 4).p;
    lua_pushvalue(L, 3);
    t->handler = luaL_ref(L, LUA_REGISTRYINDEX);
    return add_route(L, pattern, methods);
}

/* (pattern, dir, { index, ... }, cache_control, where): the verb adds it under two patterns */
static int add_files(lua_State *L) {
    struct slice pattern = check_slice(L, 1);
    struct target *t = check_new_target(L, TARGET_FILES);
    luaL_checktype(L, 3, LUA_TTABLE);
    t->mount.dir = keep_argument(L, 2);
    t->mount.index_count = lua_objlen(L, 3) < FILES_INDEX_MAX ? lua_objlen(L, 3) : FILES_INDEX_MAX;
    for (size_t i = 0; i < t->mount.index_count; i++) {
        lua_rawgeti(L, 3, (int)i + 1);
        t->mount.index[i] = keep_argument(L, -1);
        lua_pop(L, 1);
    }
    t->cache_control = keep_argument(L, 4);
    t->where = (char *)keep_argument(L, 5).p;
    return add_route(L, pattern, METHOD_GET | METHOD_HEAD);
}

/* (pattern, to, status, where) */
static int add_redirect(lua_State *L) {
    struct slice pattern = check_slice(L, 1);
    const char *wrong = location_check_target(check_slice(L, 2));
    if (wrong != NULL) {
        lua_pushfstring(L, "to: %s", wrong);
        return 1;
    }
    struct target *t = check_new_target(L, TARGET_REDIRECT);
    t->to = keep_argument(L, 2);
    t->status = (uint16_t)luaL_checkinteger(L, 3);
    t->where = (char *)keep_argument(L, 4).p;
    return add_route(L, pattern, METHODS_ALL);
}

/* (status, file or function) */
static int add_error(lua_State *L) {
    struct site *site = &vhost_of(L)->site;
    if (site->error_count == SITE_ERROR_PAGES_MAX) {
        lua_pushliteral(L, "a site may have 64 error pages");
        return 1;
    }
    struct error_page *page = &site->errors[site->error_count];
    *page = (struct error_page){.status = (uint16_t)luaL_checkinteger(L, 1), .handler = LUA_NOREF};
    if (lua_isfunction(L, 2)) {
        lua_pushvalue(L, 2);
        page->handler = luaL_ref(L, LUA_REGISTRYINDEX);
    } else {
        page->file = keep_argument(L, 2);
    }
    site->error_count++;
    return 0;
}

/* What name is beneath the root: "file", "directory" or nil. */
static int kind_of(lua_State *L) {
    const struct vhost *v = vhost_of(L);
    const char *name = luaL_checkstring(L, 1);
    uint64_t size;
    int64_t modified;
    if (files_is_directory(v->files.root, name)) {
        lua_pushliteral(L, "directory");
        return 1;
    }
    int fd = files_open_regular(v->files.root, name, v->files.owner, &size, &modified);
    if (fd < 0) {
        return 0;
    }
    (void)close(fd);
    lua_pushliteral(L, "file");
    return 1;
}

/* The place that runs at a level of the caller's, as "vhost.lua:12". */
static int where(lua_State *L) {
    lua_Debug about;
    if (lua_getstack(L, (int)luaL_checkinteger(L, 1), &about) == 0 || lua_getinfo(L, "Sl", &about) == 0) {
        lua_pushliteral(L, "vhost.lua");
    } else {
        lua_pushfstring(L, "%s:%d", about.short_src, about.currentline);
    }
    return 1;
}

static int is_loading(lua_State *L) {
    lua_pushboolean(L, vhost_of(L)->site.loading);
    return 1;
}

void verbs_push(struct vhost *v) {
    static const luaL_Reg functions[] = {
        {"add_handler", add_handler},   {"add_files", add_files},
        {"add_redirect", add_redirect}, {"add_error", add_error},
        {"kind_of", kind_of},           {"where", where},
        {"is_loading", is_loading},     {NULL, NULL},
    };
    lua_newtable(v->L);
    for (const luaL_Reg *r = functions; r->name != NULL; r++) {
        lua_pushlightuserdata(v->L, v);
        lua_pushcclosure(v->L, r->func, 1);
        lua_setfield(v->L, -2, r->name);
    }
}

int verbs_add_default(struct vhost *v) {
    uint32_t rival;
    struct target *t = new_target(&v->site, TARGET_FILES);
    if (t == NULL) {
        return -ENOMEM;
    }
    t->mount = (struct files_mount){.dir = SLICE("public"), .index = {SLICE("index.html")}, .index_count = 1};
    t->cache_control = SLICE("");
    const char *wrong = route_table_add(v->site.routes, SLICE("/*"), METHOD_GET | METHOD_HEAD, 0, &rival);
    return wrong == NULL ? 0 : -ENOMEM;
}
