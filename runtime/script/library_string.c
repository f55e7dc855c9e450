/* SPDX-License-Identifier: Apache-2.0 */
/* library_string.c – find, match, gmatch and gsub over our own matcher.
 * Runs in: every process that hosts Lua. Distrusts: every argument and callback. */
#include <lauxlib.h>
#include <string.h>

#include "script/buffer.h"
#include "script/pattern.h"
#include "script/state.h"

/* The position that a script means by init, counted from 0 and never outside the text. */
static size_t start_position(lua_Integer init, size_t bytes) {
    if (init < 0) {
        init += (lua_Integer)bytes + 1;
    }
    if (init < 1) {
        return 0;
    }
    return (size_t)init - 1 > bytes ? bytes : (size_t)init - 1;
}

static int find_plain(lua_State *L, const char *text, size_t bytes, size_t from, const char *part,
                      size_t part_bytes) {
    const char *at = memmem(text + from, bytes - from, part, part_bytes);
    if (at == NULL) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, at - text + 1);
    lua_pushinteger(L, at - text + (lua_Integer)part_bytes);
    return 2;
}

static int find_or_match(lua_State *L, bool find) {
    size_t bytes, pattern_bytes;
    struct pattern m;
    const char *start, *text = luaL_checklstring(L, 1, &bytes);
    const char *pattern = luaL_checklstring(L, 2, &pattern_bytes);
    size_t from = start_position(luaL_optinteger(L, 3, 1), bytes);
    if (find && (lua_toboolean(L, 4) || pattern_is_plain(pattern, pattern_bytes))) {
        return find_plain(L, text, bytes, from, pattern, pattern_bytes);
    }
    pattern_init(&m, L, text, bytes, pattern, pattern_bytes, true);
    const char *end = pattern_search(&m, text + from, &start);
    if (end == NULL) {
        lua_pushnil(L);
        return 1;
    }
    if (!find) {
        return pattern_push_captures(&m, start, end);
    }
    lua_pushinteger(L, start - text + 1);
    lua_pushinteger(L, end - text);
    return 2 + pattern_push_captures(&m, NULL, NULL);
}

static int string_find(lua_State *L) {
    return find_or_match(L, true);
}

static int string_match(lua_State *L) {
    return find_or_match(L, false);
}

/* One turn of a gmatch loop. Upvalues: text, pattern, where to go on. */
static int gmatch_next(lua_State *L) {
    size_t bytes, pattern_bytes;
    struct pattern m;
    const char *start, *text = lua_tolstring(L, lua_upvalueindex(1), &bytes);
    const char *pattern = lua_tolstring(L, lua_upvalueindex(2), &pattern_bytes);
    size_t from = (size_t)lua_tointeger(L, lua_upvalueindex(3));
    pattern_init(&m, L, text, bytes, pattern, pattern_bytes, false);
    const char *end = from <= bytes ? pattern_search(&m, text + from, &start) : NULL;
    if (end == NULL) {
        return 0;
    }
    lua_pushinteger(L, end - text + (end == start));
    lua_replace(L, lua_upvalueindex(3));
    return pattern_push_captures(&m, start, end);
}

static int string_gmatch(lua_State *L) {
    luaL_checkstring(L, 1);
    luaL_checkstring(L, 2);
    lua_settop(L, 2);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, gmatch_next, 3);
    return 1;
}

/* A replacement string: %0 to %9 are captures, % before anything else is that. */
static void replace_by_text(struct pattern *m, struct buffer *o, const char *start, const char *end) {
    size_t n;
    const char *text = lua_tolstring(m->L, 3, &n);
    const char *stop = text + n;
    while (text < stop) {
        const char *percent = memchr(text, '%', (size_t)(stop - text));
        if (percent == NULL) {
            percent = stop;
        }
        buffer_add(o, text, (size_t)(percent - text));
        if (percent == stop) {
            return;
        }
        char next = percent + 1 < stop ? percent[1] : '\0';
        if (next == '0') {
            buffer_add(o, start, (size_t)(end - start));
        } else if (next >= '1' && next <= '9') {
            pattern_push_capture(m, next - '1', start, end);
            buffer_take(o);
        } else {
            buffer_add(o, &next, 1);
        }
        text = percent + 2;
    }
}

/* A replacement function or table: what it gives for the captures; false and nil keep the match. */
static void replace_by_value(struct pattern *m, struct buffer *o, const char *start, const char *end) {
    lua_State *L = m->L;
    if (lua_type(L, 3) == LUA_TTABLE) {
        pattern_push_capture(m, 0, start, end);
        lua_gettable(L, 3);
    } else {
        lua_pushvalue(L, 3);
        int n = pattern_push_captures(m, start, end);
        lua_call(L, n, 1);
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        buffer_add(o, start, (size_t)(end - start));
        return;
    }
    if (!lua_isstring(L, -1)) {
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    }
    buffer_take(o);
}

/* Replaces up to max matches; returns how many. */
static lua_Integer substitute(struct pattern *m, struct buffer *o, lua_Integer max) {
    bool by_text = lua_isstring(m->L, 3);
    const char *at = m->text;
    lua_Integer count = 0;
    while (count < max) {
        const char *end = pattern_match(m, at);
        if (end != NULL) {
            count++;
            (by_text ? replace_by_text : replace_by_value)(m, o, at, end);
        }
        if (end != NULL && end > at) {
            at = end;
        } else if (at < m->text_end) {
            buffer_add(o, at++, 1);
        } else {
            break;
        }
        if (m->anchored) {
            break;
        }
    }
    buffer_add(o, at, (size_t)(m->text_end - at));
    return count;
}

static int string_gsub(lua_State *L) {
    size_t bytes, pattern_bytes;
    struct pattern m;
    struct buffer o;
    const char *text = luaL_checklstring(L, 1, &bytes);
    const char *pattern = luaL_checklstring(L, 2, &pattern_bytes);
    int type = lua_type(L, 3);
    script_guard_room(L);
    if (type != LUA_TNUMBER && type != LUA_TSTRING && type != LUA_TFUNCTION && type != LUA_TTABLE) {
        return luaL_argerror(L, 3, "string/function/table expected");
    }
    lua_Integer max = luaL_optinteger(L, 4, (lua_Integer)bytes + 1);
    lua_settop(L, 5);
    buffer_init(&o, L, 5, script_of(L)->soft);
    pattern_init(&m, L, text, bytes, pattern, pattern_bytes, true);
    lua_Integer count = substitute(&m, &o, max);
    if (count == 0) {
        lua_pushvalue(L, 1);
    } else {
        lua_pushlstring(L, o.bytes, o.used);
    }
    lua_pushinteger(L, count);
    return 2;
}

void script_string_register(lua_State *L, int table) {
    static const luaL_Reg functions[] = {
        {"find", string_find}, {"gmatch", string_gmatch}, {"gsub", string_gsub}, {"match", string_match},
        {NULL, NULL},
    };
    for (const luaL_Reg *f = functions; f->name != NULL; f++) {
        lua_pushcfunction(L, f->func);
        lua_setfield(L, table, f->name);
    }
}
