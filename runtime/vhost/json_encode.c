/* SPDX-License-Identifier: Apache-2.0 */
/* json_encode.c – Lua values as JSON text.
 * Runs in: vhost. Nothing here calls a metamethod or raises, so the buffer cannot leak. */
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vhost/json_mark.h"

#define KEEP_BYTES (64u << 10)

struct encoder {
    lua_State *L;
    char *bytes;
    size_t n, room;
    const char *wrong;
};

static bool fail(struct encoder *e, const char *wrong) {
    e->wrong = wrong;
    return false;
}

static bool reserve(struct encoder *e, size_t more) {
    if (e->room - e->n >= more) {
        return true;
    }
    size_t room = e->room > 0 ? e->room : 512;
    while (room - e->n < more) {
        room *= 2;
    }
    if (room > JSON_MAX_BYTES) {
        return fail(e, "the text would be longer than 16 MiB");
    }
    char *bytes = realloc(e->bytes, room);
    if (bytes == NULL) {
        return fail(e, "there is no memory left for it");
    }
    e->bytes = bytes;
    e->room = room;
    return true;
}

static bool put(struct encoder *e, const char *text, size_t n) {
    if (!reserve(e, n)) {
        return false;
    }
    memcpy(e->bytes + e->n, text, n);
    e->n += n;
    return true;
}

/* Bytes of the well-formed UTF-8 sequence at p (Unicode 15, table 3-7), or 0. */
static size_t utf8_length(const unsigned char *p, size_t left) {
    unsigned char low = 0x80, high = 0xbf;
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    if (n < 2 || left < n) {
        return n <= left ? n : 0;
    }
    low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : low;
    high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : high;
    for (size_t i = 1; i < n; i++) {
        if (p[i] < (i == 1 ? low : 0x80) || p[i] > (i == 1 ? high : 0xbf)) {
            return 0;
        }
    }
    return n;
}

static bool put_escape(struct encoder *e, unsigned char c) {
    static const char shorts[] = "\bb\ff\nn\rr\tt\"\"\\\\";
    char text[8];
    for (size_t i = 0; i + 1 < sizeof shorts; i += 2) {
        if ((unsigned char)shorts[i] == c) {
            return put(e, (const char[]){'\\', shorts[i + 1]}, 2);
        }
    }
    int n = snprintf(text, sizeof text, "\\u%04x", c);
    return put(e, text, (size_t)n);
}

static bool put_string(struct encoder *e, const char *text, size_t n) {
    const unsigned char *p = (const unsigned char *)text;
    size_t at = 0, plain = 0;
    if (!put(e, "\"", 1)) {
        return false;
    }
    while (at < n) {
        size_t length = utf8_length(p + at, n - at);
        if (length == 0) {
            return fail(e, "a string is not UTF-8");
        }
        bool escape = p[at] < ' ' || p[at] == '"' || p[at] == '\\' || p[at] == 0x7f;
        if (escape && (!put(e, text + plain, at - plain) || !put_escape(e, p[at]))) {
            return false;
        }
        at += length;
        plain = escape ? at : plain;
    }
    return put(e, text + plain, at - plain) && put(e, "\"", 1);
}

/* The shortest of 15 to 17 digits that reads back as the same number; the locale is always "C". */
static bool put_number(struct encoder *e, lua_Number value) {
    char text[40];
    int n = 0;
    if (isnan(value) || isinf(value)) {
        return fail(e, "a number is infinite or not a number");
    }
    if (value == floor(value) && fabs(value) < 1e15) {
        n = snprintf(text, sizeof text, "%.0f", value == 0 ? 0.0 : value);
        return put(e, text, (size_t)n);
    }
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    return put(e, text, (size_t)n);
}

static bool put_value(struct encoder *e, int index, int depth);

/* n of a table whose keys are exactly 1..n; SIZE_MAX where they are not. The table is on top. */
static size_t array_length(lua_State *L) {
    size_t n = lua_objlen(L, -1), count = 0;
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        lua_pop(L, 1);
        lua_Number key = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
        if (!(key >= 1 && key <= (lua_Number)n) || key != floor(key)) {
            lua_pop(L, 1);
            return SIZE_MAX;
        }
        count++;
    }
    return count == n ? n : SIZE_MAX;
}

static bool put_array(struct encoder *e, size_t n, int depth) {
    if (!put(e, "[", 1)) {
        return false;
    }
    for (size_t i = 1; i <= n; i++) {
        lua_rawgeti(e->L, -1, (int)i);
        bool good = (i == 1 || put(e, ",", 1)) && put_value(e, lua_gettop(e->L), depth);
        lua_pop(e->L, 1);
        if (!good) {
            return false;
        }
    }
    return put(e, "]", 1);
}

static bool put_member(struct encoder *e, bool first, int depth) {
    lua_State *L = e->L;
    size_t n;
    if (lua_type(L, -2) != LUA_TSTRING) {
        return fail(e, "a table has keys that are neither 1..n nor all strings");
    }
    const char *key = lua_tolstring(L, -2, &n);
    return (first || put(e, ",", 1)) && put_string(e, key, n) && put(e, ":", 1) &&
           put_value(e, lua_gettop(L), depth);
}

static bool put_object(struct encoder *e, int depth) {
    bool first = true;
    if (!put(e, "{", 1)) {
        return false;
    }
    lua_pushnil(e->L);
    while (lua_next(e->L, -2) != 0) {
        if (!put_member(e, first, depth)) {
            lua_pop(e->L, 2);
            return false;
        }
        first = false;
        lua_pop(e->L, 1);
    }
    return put(e, "}", 1);
}

static bool put_table(struct encoder *e, int index, int depth) {
    lua_State *L = e->L;
    if (depth == JSON_DEPTH_MAX || lua_checkstack(L, 8) == 0) {
        return fail(e, "tables are nested more than 64 deep, or contain themselves");
    }
    bool marked = json_is_array(L, index);
    lua_pushvalue(L, index);
    size_t n = array_length(L);
    bool good = marked && n == SIZE_MAX              ? fail(e, "an array has keys other than 1..n")
                : marked || (n > 0 && n != SIZE_MAX) ? put_array(e, n, depth + 1)
                                                     : put_object(e, depth + 1);
    lua_pop(L, 1);
    return good;
}

static bool put_value(struct encoder *e, int index, int depth) {
    size_t n;
    const char *text;
    switch (lua_type(e->L, index)) {
    case LUA_TNIL:
        return put(e, "null", 4);
    case LUA_TBOOLEAN:
        return lua_toboolean(e->L, index) ? put(e, "true", 4) : put(e, "false", 5);
    case LUA_TNUMBER:
        return put_number(e, lua_tonumber(e->L, index));
    case LUA_TSTRING:
        text = lua_tolstring(e->L, index, &n);
        return put_string(e, text, n);
    case LUA_TTABLE:
        return put_table(e, index, depth);
    case LUA_TLIGHTUSERDATA:
        return lua_touserdata(e->L, index) == json_null() ? put(e, "null", 4)
                                                          : fail(e, "a value has no form in JSON");
    default:
        return fail(e, "a function, coroutine or other value has no form in JSON");
    }
}

const char *json_encode(lua_State *L, int index, char **bytes, size_t *room, size_t *n) {
    struct encoder e = {.L = L, .bytes = *bytes, .room = *room};
    bool good = put_value(&e, index, 0);
    *bytes = e.bytes;
    *room = e.room;
    *n = e.n;
    return good ? NULL : e.wrong;
}

void json_shrink(char **bytes, size_t *room) {
    if (*room > KEEP_BYTES) {
        free(*bytes);
        *bytes = NULL;
        *room = 0;
    }
}
