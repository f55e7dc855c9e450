/* SPDX-License-Identifier: Apache-2.0 */
/* fields.c – the checker's result, field by field; see fields.h. Runs in: config. */
#include <lauxlib.h>
#include <string.h>

#include "config/fields.h"

struct slice field_text(lua_State *L, const char *key) {
    size_t n;
    lua_getfield(L, -1, key);
    if (lua_type(L, -1) != LUA_TSTRING) {
        luaL_error(L, "the plan lacks the text %s", key);
    }
    const char *p = lua_tolstring(L, -1, &n);
    lua_pop(L, 1);
    return slice_from(p, n);
}

uint64_t field_number(lua_State *L, const char *key, uint64_t max) {
    lua_getfield(L, -1, key);
    lua_Number value = lua_tonumber(L, -1);
    if (lua_type(L, -1) != LUA_TNUMBER || !(value >= 0) || value > (lua_Number)max) {
        luaL_error(L, "the plan lacks the number %s", key);
    }
    lua_pop(L, 1);
    return (uint64_t)value;
}

uint16_t field_u16(lua_State *L, const char *key) {
    return (uint16_t)field_number(L, key, UINT16_MAX);
}

uint32_t field_u32(lua_State *L, const char *key) {
    return (uint32_t)field_number(L, key, UINT32_MAX);
}

bool field_boolean(lua_State *L, const char *key) {
    lua_getfield(L, -1, key);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

int field_choice(lua_State *L, const char *key, const char *(*name_of)(int), int count) {
    struct slice name = field_text(L, key);
    for (int i = 0; i < count; i++) {
        if (slice_equal(name, slice_text(name_of(i)))) {
            return i;
        }
    }
    return luaL_error(L, "the plan holds an unknown %s", key);
}

size_t field_push_list(lua_State *L, const char *key) {
    lua_getfield(L, -1, key);
    if (!lua_istable(L, -1)) {
        luaL_error(L, "the plan lacks the list %s", key);
    }
    return lua_objlen(L, -1);
}

void field_each(lua_State *L, const char *key, void (*each)(void *context, lua_State *L, size_t index),
                void *context) {
    size_t n = field_push_list(L, key);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        each(context, L, i);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

void field_check_append(lua_State *L, int rc) {
    if (rc < 0) {
        luaL_error(L, "the plan does not fit its records: %s", strerror(-rc));
    }
}
