/* SPDX-License-Identifier: Apache-2.0 */
/* error.c – turns what a script raised into text that is safe to log.
 * Runs in: every process that hosts Lua. Distrusts: error objects; their __tostring runs inside the
 * entry's budgets, and whatever it raises or returns is only ever data. */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "script/state.h"

/* Copies text, cut to room, with control characters replaced. */
static void copy_clean(char *out, size_t room, const char *text, size_t n) {
    size_t end = n < room - 1 ? n : room - 1;
    for (size_t i = 0; i < end; i++) {
        unsigned char c = (unsigned char)text[i];
        bool control = (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
        out[i] = control ? '?' : text[i];
    }
    while (end > 0 && n > end && ((unsigned char)text[end] & 0xc0) == 0x80) {
        end--; /* do not cut inside a UTF-8 character */
    }
    out[end] = '\0';
}

void script_describe_text(struct script *s, const char *text) {
    copy_clean(s->error.message, sizeof s->error.message, text, strlen(text));
    s->error.trace[0] = '\0';
    s->described = true;
}

static int to_text(lua_State *L) {
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING) {
        return 1;
    }
    lua_pushnil(L);
    return 1;
}

/* Writes the message of the error object on top of L, which stays there. */
static void write_message(struct script *s, lua_State *L) {
    char *out = s->error.message;
    size_t room = sizeof s->error.message, n = 0;
    int type = lua_type(L, -1);
    if (type == LUA_TTABLE || type == LUA_TUSERDATA) {
        lua_pushcfunction(L, to_text);
        lua_pushvalue(L, -2);
        if (lua_pcall(L, 1, 1, 0) != 0) {
            lua_pop(L, 1);
            lua_pushnil(L);
        }
    } else {
        lua_pushvalue(L, -1);
    }
    const char *text = lua_isstring(L, -1) ? lua_tolstring(L, -1, &n) : NULL;
    if (text != NULL) {
        copy_clean(out, room, text, n);
    } else {
        snprintf(out, room, "(error object is a %s value)", lua_typename(L, type));
    }
    lua_pop(L, 1);
}

static void write_trace(struct script *s, lua_State *L, lua_State *of, int level) {
    size_t n;
    luaL_traceback(L, of, NULL, level);
    const char *text = lua_tolstring(L, -1, &n);
    copy_clean(s->error.trace, sizeof s->error.trace, text, n);
    lua_pop(L, 1);
}

/* The message handler of script_call: runs where the error was raised, its object at 1.
 * Where the entry is being ended, the hook has described it already, and nothing may take long. */
int script_describe_handler(lua_State *L) {
    struct script *s = script_of(L);
    if (script_interrupted(s) || !lua_checkstack(L, LUA_MINSTACK)) {
        return 1;
    }
    write_message(s, L);
    write_trace(s, L, L, 1);
    s->described = true;
    return 1;
}

void script_describe_interrupt(struct script *s, lua_State *L) {
    if (s->described) {
        return;
    }
    luaL_where(L, 0);
    if (s->overtime) {
        lua_pushfstring(L, "%sstopped: more than %d ms of CPU time", lua_tostring(L, -1), (int)s->cpu_ms);
    } else {
        lua_pushfstring(L, "%sstopped: more than %d KB of memory", lua_tostring(L, -1),
                        (int)(s->soft / 1024));
    }
    copy_clean(s->error.message, sizeof s->error.message, lua_tostring(L, -1), lua_objlen(L, -1));
    lua_pop(L, 2);
    write_trace(s, L, L, 0);
    s->described = true;
}

static int describe_moved(lua_State *L) {
    struct script *s = script_of(L);
    lua_State *co = lua_touserdata(L, 1);
    lua_settop(L, 2);
    write_trace(s, L, co, 0);
    write_message(s, L);
    return 0;
}

/* The error object lies on top of co, whose stack still shows where it happened. Whatever goes wrong
 * while describing leaves a plainer message, never an error. */
void script_describe_coroutine(struct script *s, lua_State *co) {
    lua_State *L = s->L;
    snprintf(s->error.message, sizeof s->error.message, "(error object cannot be shown)");
    s->error.trace[0] = '\0';
    lua_pushcfunction(L, describe_moved);
    lua_pushlightuserdata(L, co);
    lua_xmove(co, L, 1);
    if (lua_pcall(L, 2, 0, 0) != 0) {
        lua_pop(L, 1);
    }
    s->described = true;
}

/* For errors without a stack: the object on top of L, which stays there. */
void script_describe_top(struct script *s, lua_State *L) {
    size_t n = 0;
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &n) : "(no message)";
    copy_clean(s->error.message, sizeof s->error.message, text, n != 0 ? n : strlen(text));
    s->error.trace[0] = '\0';
    s->described = true;
}

const struct script_error *script_error(const struct script *s) {
    return &s->error;
}
