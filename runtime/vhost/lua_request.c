/* SPDX-License-Identifier: Apache-2.0 */
/* lua_request.c – req: what a handler is asked.
 * Runs in: vhost. Distrusts: the request, all of it.
 *
 * A field is made when a script first looks at it, then kept in req itself, where compiled code finds
 * it. After the request is over, what was looked at can still be read.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>

#include "vhost/reply.h"
#include "vhost/task.h"
#include "vhost/urlencoded.h"

static void push_slice(lua_State *L, struct slice s) {
    lua_pushlstring(L, s.p, s.n);
}

static void push_method(lua_State *L, struct task *t) {
    push_slice(L, task_open(t)->method);
}

static void push_path(lua_State *L, struct task *t) {
    push_slice(L, task_open(t)->path);
}

/* As the client sent it. */
static void push_raw_path(lua_State *L, struct task *t) {
    const struct message_open *m = task_open(t);
    push_slice(L, m->raw_path.n > 0 ? m->raw_path : m->path);
}

static void push_query_string(lua_State *L, struct task *t) {
    push_slice(L, task_open(t)->query);
}

static void push_query(lua_State *L, struct task *t) {
    urlencoded_push(L, task_open(t)->query);
}

static void push_host(lua_State *L, struct task *t) {
    push_slice(L, task_open(t)->authority);
}

static void push_scheme(lua_State *L, struct task *t) {
    lua_pushstring(L, scheme_name(task_open(t)->scheme));
}

/* A string, since not every 64-bit number is a Lua number. */
static void push_id(lua_State *L, struct task *t) {
    char text[17];
    (void)snprintf(text, sizeof text, "%016" PRIx64, t->stream->request);
    lua_pushstring(L, text);
}

static void push_port(lua_State *L, struct task *t) {
    lua_pushinteger(L, task_open(t)->port);
}

static void push_address(lua_State *L, struct task *t) {
    const struct message_open *m = task_open(t);
    char text[INET6_ADDRSTRLEN] = "";
    if (m->family == FAMILY_INET && m->address.n == 4) {
        (void)inet_ntop(AF_INET, m->address.p, text, sizeof text);
    } else if (m->family == FAMILY_INET6 && m->address.n == 16) {
        (void)inet_ntop(AF_INET6, m->address.p, text, sizeof text);
    }
    lua_pushstring(L, text);
}

static void push_length(lua_State *L, struct task *t) {
    const struct message_open *m = task_open(t);
    if (!m->body) {
        lua_pushinteger(L, 0);
    } else if (m->content_length == LENGTH_UNKNOWN) {
        lua_pushboolean(L, 0);
    } else {
        lua_pushnumber(L, (lua_Number)m->content_length);
    }
}

static void push_params(lua_State *L, struct task *t) {
    const char *path = task_open(t)->path.p;
    lua_createtable(L, 0, (int)t->capture_count);
    for (size_t i = 0; i < t->capture_count; i++) {
        push_slice(L, t->captures[i].name);
        lua_pushlstring(L, path + t->captures[i].start, t->captures[i].length);
        lua_rawset(L, -3);
    }
}

/* RFC 9110, section 5.3: lines with one name are one list; cookies are parted by semicolons. */
static void push_joined(lua_State *L, struct slice name, struct slice before, struct slice more) {
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    luaL_addlstring(&b, before.p, before.n);
    luaL_addstring(&b, slice_equal(name, SLICE("cookie")) ? "; " : ", ");
    luaL_addlstring(&b, more.p, more.n);
    luaL_pushresult(&b);
}

static void push_headers(lua_State *L, struct task *t) {
    const struct message_open *m = task_open(t);
    lua_createtable(L, 0, (int)m->fields_count);
    int table = lua_gettop(L);
    for (size_t i = 0; i < m->fields_count; i++) {
        size_t n;
        push_slice(L, m->fields[i].name);
        lua_pushvalue(L, -1);
        lua_rawget(L, table);
        const char *before = lua_tolstring(L, -1, &n);
        if (before != NULL) {
            push_joined(L, m->fields[i].name, slice_from(before, n), m->fields[i].value);
            lua_remove(L, -2);
        } else {
            lua_pop(L, 1);
            push_slice(L, m->fields[i].value);
        }
        lua_rawset(L, table);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, t->vhost->headers_metatable);
    lua_setmetatable(L, table);
}

/* Names are kept in lower case; any other spelling comes here. */
static int find_header(lua_State *L) {
    char folded[256];
    size_t n;
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &n) : NULL;
    if (name == NULL || n > sizeof folded || !lua_istable(L, 1)) {
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        folded[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + ('a' - 'A') : name[i]);
    }
    lua_pushlstring(L, folded, n);
    lua_rawget(L, 1);
    return 1;
}

static int body_next(lua_State *L) {
    struct task *t = task_check(L, 1);
    int rc = task_push_content(t, L);
    return rc >= 0 ? rc : task_wait(t, L, TASK_WAITS_BODY);
}

/* for chunk in req:body() do ... end */
static int body(lua_State *L) {
    (void)task_check(L, 1);
    lua_pushlightuserdata(L, lua_touserdata(L, lua_upvalueindex(1)));
    lua_pushcclosure(L, body_next, 1);
    lua_pushvalue(L, 1);
    return 2;
}

static const struct {
    const char *name;
    void (*push)(lua_State *L, struct task *t);
} fields[] = {
    {"params", push_params},
    {"path", push_path},
    {"raw_path", push_raw_path},
    {"query", push_query},
    {"headers", push_headers},
    {"method", push_method},
    {"host", push_host},
    {"address", push_address},
    {"length", push_length},
    {"id", push_id},
    {"port", push_port},
    {"scheme", push_scheme},
    {"query_string", push_query_string},
};
#define FIELDS (sizeof fields / sizeof *fields)

/* __index: upvalue 2 holds the methods. What is made here is kept, so it is made once. */
static int request_index(lua_State *L) {
    struct task *t;
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(2));
    if (!lua_isnil(L, -1) || lua_type(L, 2) != LUA_TSTRING) {
        return 1;
    }
    const char *name = lua_tostring(L, 2);
    for (size_t i = 0; i < FIELDS; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            t = task_check(L, 1);
            fields[i].push(L, t);
            lua_pushvalue(L, 2);
            lua_pushvalue(L, -2);
            lua_rawset(L, 1);
            return 1;
        }
    }
    return luaL_error(L, "req has no field \"%s\"", name);
}

static void add_method(struct vhost *v, const char *name, lua_CFunction f) {
    lua_pushlightuserdata(v->L, v);
    lua_pushcclosure(v->L, f, 1);
    lua_setfield(v->L, -2, name);
}

static void name_metatable(lua_State *L, const char *name) {
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__metatable");
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
}

/* Takes the table of methods written in Lua (lua/luttpd/request.lua) from the top of the main state,
 * and adds those in C. */
void lua_request_register(struct vhost *v) {
    lua_State *L = v->L;
    add_method(v, "body", body);
    lua_newtable(L);
    lua_pushlightuserdata(L, v);
    lua_pushvalue(L, -3);
    lua_pushcclosure(L, request_index, 2);
    lua_setfield(L, -2, "__index");
    name_metatable(L, "request");
    v->request_metatable = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushcfunction(L, find_header);
    lua_setfield(L, -2, "__index");
    name_metatable(L, "headers");
    v->headers_metatable = luaL_ref(L, LUA_REGISTRYINDEX);
}
