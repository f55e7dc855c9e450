/* SPDX-License-Identifier: Apache-2.0 */
/* urlencoded.c – queries and forms as tables. Runs in: vhost. Distrusts: the text. */
#include "vhost/urlencoded.h"

#include <lauxlib.h>

static int hex_value(char c) {
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static void push_decoded(lua_State *L, struct slice s) {
    if (s.n == 0 || (memchr(s.p, '%', s.n) == NULL && memchr(s.p, '+', s.n) == NULL)) {
        lua_pushlstring(L, s.p, s.n);
        return;
    }
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%' && s.n - i > 2 && hex_value(s.p[i + 1]) >= 0 && hex_value(s.p[i + 2]) >= 0) {
            c = (char)(hex_value(s.p[i + 1]) * 16 + hex_value(s.p[i + 2]));
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        luaL_addchar(&b, c);
    }
    luaL_pushresult(&b);
}

static void add_pair(lua_State *L, int table, struct slice pair) {
    const char *equals = memchr(pair.p, '=', pair.n);
    size_t name = equals != NULL ? (size_t)(equals - pair.p) : pair.n;
    push_decoded(L, slice_from(pair.p, name));
    lua_pushvalue(L, -1);
    lua_rawget(L, table);
    if (!lua_isnil(L, -1)) {
        lua_pop(L, 2);
        return;
    }
    lua_pop(L, 1);
    push_decoded(L, equals != NULL ? slice_from(equals + 1, pair.n - name - 1) : SLICE(""));
    lua_rawset(L, table);
}

void urlencoded_push(lua_State *L, struct slice text) {
    size_t at = 0;
    lua_newtable(L);
    int table = lua_gettop(L);
    for (int i = 0; i < URLENCODED_PAIRS_MAX && at < text.n; i++) {
        const char *end = memchr(text.p + at, '&', text.n - at);
        size_t n = end != NULL ? (size_t)(end - (text.p + at)) : text.n - at;
        if (n > 0) {
            add_pair(L, table, slice_from(text.p + at, n));
        }
        at += n + 1;
    }
}

int urlencoded_parse(lua_State *L) {
    size_t n;
    const char *p = luaL_checklstring(L, 1, &n);
    urlencoded_push(L, slice_from(p, n));
    return 1;
}
