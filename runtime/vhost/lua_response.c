/* SPDX-License-Identifier: Apache-2.0 */
/* lua_response.c – res: what a handler answers.
 * Runs in: vhost. Distrusts: the script's arguments, which may come from a client.
 *
 * Nothing is sent before the first content, so that status and headers can still be set; res:text and
 * its like send everything they have, res:write what there is. What finds no room makes the handler
 * wait; the string is kept alive until it has gone.
 */
#include <lauxlib.h>

#include "vhost/json.h"
#include "vhost/reply.h"
#include "vhost/task.h"

int lua_response_head(struct task *t, uint64_t length) {
    struct field fields[HEADER_LIST_MAX];
    size_t count = header_list_fields(&t->headers, fields);
    unsigned status = t->status != 0 ? t->status : 200;
    bool bodiless = t->head_request || status == 204 || status == 205 || status == 304;
    if (status == 204 || status == 205 || status == 304) {
        length = LENGTH_UNKNOWN;
    }
    return answer_head(t->vhost, t->stream, status, length, fields, count, bodiless);
}

static struct task *check_unsent(lua_State *L) {
    struct task *t = task_check(L, 1);
    if (reply_begun(t->stream)) {
        luaL_error(L, "the head of this answer has been sent already");
    }
    return t;
}

static int status(lua_State *L) {
    struct task *t = check_unsent(L);
    lua_Number n = luaL_checknumber(L, 2);
    if (!(n >= 200 && n <= 599) || n != (lua_Number)(int)n) {
        return luaL_error(L, "a status is a whole number from 200 to 599");
    }
    t->status = (uint16_t)n;
    lua_settop(L, 1);
    return 1;
}

static struct slice check_slice(lua_State *L, int index) {
    size_t n;
    const char *p = luaL_checklstring(L, index, &n);
    return slice_from(p, n);
}

static void add_header(lua_State *L, struct task *t, struct slice name, struct slice value) {
    const char *wrong = header_list_add(&t->headers, name, value);
    if (wrong != NULL) {
        luaL_error(L, "header: %s", wrong);
    }
}

/* res:header(name, value), (name, { value, ... }), (name, nil) removes */
static int header(lua_State *L) {
    struct task *t = check_unsent(L);
    struct slice name = check_slice(L, 2);
    if (lua_istable(L, 3)) {
        size_t count = lua_objlen(L, 3);
        header_list_remove(&t->headers, name);
        for (size_t i = 1; i <= count; i++) {
            lua_rawgeti(L, 3, (int)i);
            add_header(L, t, name, check_slice(L, -1));
            lua_pop(L, 1);
        }
    } else if (lua_isnoneornil(L, 3)) {
        header_list_remove(&t->headers, name);
    } else {
        struct slice value = check_slice(L, 3);
        header_list_remove(&t->headers, name);
        add_header(L, t, name, value);
    }
    lua_settop(L, 1);
    return 1;
}

/* The value that a header has so far; for tests of scripts and for code that adds to it. */
static int get_header(lua_State *L) {
    struct task *t = task_check(L, 1);
    struct slice value = header_list_find(&t->headers, check_slice(L, 2));
    if (value.p == NULL) {
        return 0;
    }
    lua_pushlstring(L, value.p, value.n);
    return 1;
}

static void set_type(struct task *t, struct slice type) {
    if (header_list_find(&t->headers, SLICE("content-type")).p == NULL) {
        (void)header_list_add(&t->headers, SLICE("content-type"), type);
    }
}

static void send_head(lua_State *L, struct task *t, uint64_t length) {
    if (lua_response_head(t, length) != 0) {
        luaL_error(L, "the headers of this answer are too large");
    }
}

/* Sends the string at index. Waits, with the string anchored, where it does not all fit. */
static int send_content(lua_State *L, struct task *t, int index, struct slice content) {
    switch (reply_write(t->stream, content)) {
    case 0:
        return 0;
    case -EMSGSIZE:
        return luaL_error(L, "more content than was announced");
    default:
        lua_pushvalue(L, index);
        t->anchor = luaL_ref(L, LUA_REGISTRYINDEX);
        return task_wait(t, L, TASK_WAITS_WRITE);
    }
}

static void check_first_answer(lua_State *L, struct task *t) {
    if (t->answered || reply_begun(t->stream)) {
        luaL_error(L, "this request has been answered already");
    }
}

static int answer_whole(lua_State *L, struct task *t, int index, struct slice type) {
    struct slice content = check_slice(L, index);
    check_first_answer(L, t);
    set_type(t, type);
    send_head(L, t, content.n);
    t->answered = true;
    return send_content(L, t, index, content);
}

static int text(lua_State *L) {
    return answer_whole(L, task_check(L, 1), 2, SLICE("text/plain; charset=utf-8"));
}

static int html(lua_State *L) {
    return answer_whole(L, task_check(L, 1), 2, SLICE("text/html; charset=utf-8"));
}

static int json(lua_State *L) {
    struct task *t = task_check(L, 1);
    struct vhost *v = t->vhost;
    size_t n;
    luaL_checkany(L, 2);
    const char *wrong = json_encode(L, 2, &v->json, &v->json_room, &n);
    if (wrong != NULL) {
        return luaL_error(L, "json: %s", wrong);
    }
    lua_pushlstring(L, v->json, n);
    json_shrink(&v->json, &v->json_room);
    return answer_whole(L, t, lua_gettop(L), SLICE("application/json"));
}

static int write_some(lua_State *L) {
    struct task *t = task_check(L, 1);
    struct slice content = check_slice(L, 2);
    if (t->answered) {
        return luaL_error(L, "this request has been answered already");
    }
    if (t->stream->reply.waiting) {
        return luaL_error(L, "what was written before has not gone yet");
    }
    if (!reply_begun(t->stream)) {
        set_type(t, SLICE("text/plain; charset=utf-8"));
        send_head(L, t, LENGTH_UNKNOWN);
    }
    return send_content(L, t, 2, content);
}

static int redirect(lua_State *L) {
    struct task *t = check_unsent(L);
    struct location *l = &t->vhost->location;
    struct slice to = check_slice(L, 2);
    lua_Number code = luaL_optnumber(L, 3, 302);
    check_first_answer(L, t);
    if (code != 301 && code != 302 && code != 303 && code != 307 && code != 308) {
        return luaL_error(L, "the status of a redirect is 301, 302, 303, 307 or 308");
    }
    location_begin(l);
    location_add_uri(l, to);
    if (l->overflow || l->n == 0) {
        return luaL_error(L, "the target of a redirect is empty or too long");
    }
    t->status = (uint16_t)code;
    header_list_remove(&t->headers, SLICE("location"));
    add_header(L, t, SLICE("location"), slice_from(l->text, l->n));
    send_head(L, t, 0);
    t->answered = true;
    return 0;
}

static int error_page(lua_State *L) {
    struct task *t = check_unsent(L);
    lua_Number n = luaL_checknumber(L, 2);
    check_first_answer(L, t);
    if (!(n >= 400 && n <= 599) || n != (lua_Number)(int)n) {
        return luaL_error(L, "the status of an error is a whole number from 400 to 599");
    }
    t->fail_status = (uint16_t)n;
    t->answered = true;
    return 0;
}

static const luaL_Reg methods[] = {
    {"status", status},    {"header", header}, {"get_header", get_header}, {"text", text},
    {"html", html},        {"json", json},     {"write", write_some},      {"redirect", redirect},
    {"error", error_page}, {NULL, NULL},
};

/* __index is a plain table, so that compiled code finds the methods. */
void lua_response_register(struct vhost *v) {
    lua_State *L = v->L;
    lua_newtable(L);
    lua_newtable(L);
    for (const luaL_Reg *r = methods; r->name != NULL; r++) {
        lua_pushlightuserdata(L, v);
        lua_pushcclosure(L, r->func, 1);
        lua_setfield(L, -2, r->name);
    }
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "response");
    lua_setfield(L, -2, "__metatable");
    lua_pushliteral(L, "response");
    lua_setfield(L, -2, "__name");
    v->response_metatable = luaL_ref(L, LUA_REGISTRYINDEX);
}
