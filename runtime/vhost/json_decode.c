/* SPDX-License-Identifier: Apache-2.0 */
/* json_decode.c – JSON text as Lua values.
 * Runs in: vhost. Distrusts: the text. Strict: RFC 8259 and nothing around it; no duplicate care
 * (the last one wins), no number that a double cannot hold, no unpaired surrogate. */
#include <errno.h>
#include <lauxlib.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vhost/json_mark.h"

#define NUMBER_MAX_BYTES 64

struct decoder {
    lua_State *L;
    const char *text;
    size_t n, at;
    const char *wrong;
};

static bool fail(struct decoder *d, const char *wrong) {
    d->wrong = wrong;
    return false;
}

static int peek(const struct decoder *d) {
    return d->at < d->n ? (unsigned char)d->text[d->at] : -1;
}

static void skip_space(struct decoder *d) {
    while (peek(d) == ' ' || peek(d) == '\t' || peek(d) == '\r' || peek(d) == '\n') {
        d->at++;
    }
}

static bool take(struct decoder *d, const char *word) {
    size_t n = strlen(word);
    if (d->n - d->at < n || memcmp(d->text + d->at, word, n) != 0) {
        return fail(d, "a value was expected");
    }
    d->at += n;
    return true;
}

static size_t take_digits(struct decoder *d) {
    size_t start = d->at;
    while (peek(d) >= '0' && peek(d) <= '9') {
        d->at++;
    }
    return d->at - start;
}

static bool scan_number(struct decoder *d) {
    d->at += peek(d) == '-';
    bool zero = peek(d) == '0';
    size_t digits = take_digits(d);
    if (digits == 0 || (zero && digits > 1)) {
        return fail(d, "a number is malformed");
    }
    if (peek(d) == '.') {
        d->at++;
        if (take_digits(d) == 0) {
            return fail(d, "a number is malformed");
        }
    }
    if (peek(d) == 'e' || peek(d) == 'E') {
        d->at++;
        d->at += peek(d) == '+' || peek(d) == '-';
        if (take_digits(d) == 0) {
            return fail(d, "a number is malformed");
        }
    }
    return true;
}

static bool push_number(struct decoder *d) {
    char text[NUMBER_MAX_BYTES + 1];
    size_t start = d->at;
    if (!scan_number(d)) {
        return false;
    }
    size_t n = d->at - start;
    if (n > NUMBER_MAX_BYTES) {
        return fail(d, "a number has more than 64 characters");
    }
    memcpy(text, d->text + start, n);
    text[n] = '\0';
    double value = strtod(text, NULL);
    if (isinf(value)) {
        return fail(d, "a number is too large");
    }
    lua_pushnumber(d->L, value);
    return true;
}

static bool take_hex(struct decoder *d, uint32_t *out) {
    *out = 0;
    for (int i = 0; i < 4; i++) {
        int c = peek(d);
        int digit = c >= '0' && c <= '9'                 ? c - '0'
                    : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                         : -1;
        if (digit < 0) {
            return fail(d, "\\u needs four hexadecimal digits");
        }
        *out = *out << 4 | (uint32_t)digit;
        d->at++;
    }
    return true;
}

static void add_utf8(luaL_Buffer *b, uint32_t c) {
    if (c < 0x80) {
        luaL_addchar(b, (char)c);
        return;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
    luaL_addchar(b, (char)(leads[more] | c >> (6 * more)));
    while (more-- > 0) {
        luaL_addchar(b, (char)(0x80 | (c >> (6 * more) & 0x3f)));
    }
}

static bool add_unicode(struct decoder *d, luaL_Buffer *b) {
    uint32_t c, low;
    if (!take_hex(d, &c)) {
        return false;
    }
    if (c >= 0xd800 && c <= 0xdbff) {
        if (peek(d) != '\\' || d->at + 1 >= d->n || d->text[d->at + 1] != 'u') {
            return fail(d, "half a surrogate pair");
        }
        d->at += 2;
        if (!take_hex(d, &low)) {
            return false;
        }
        if (low < 0xdc00 || low > 0xdfff) {
            return fail(d, "half a surrogate pair");
        }
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    } else if (c >= 0xdc00 && c <= 0xdfff) {
        return fail(d, "half a surrogate pair");
    }
    add_utf8(b, c);
    return true;
}

static bool add_escape(struct decoder *d, luaL_Buffer *b) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int c = peek(d);
    d->at++;
    if (c == 'u') {
        return add_unicode(d, b);
    }
    const char *known = c > 0 ? strchr(from, c) : NULL;
    if (known == NULL) {
        return fail(d, "an unknown escape in a string");
    }
    luaL_addchar(b, to[known - from]);
    return true;
}

static bool push_string(struct decoder *d) {
    luaL_Buffer b;
    luaL_buffinit(d->L, &b);
    d->at++;
    for (;;) {
        size_t start = d->at;
        while (peek(d) >= ' ' && peek(d) != '"' && peek(d) != '\\') {
            d->at++;
        }
        luaL_addlstring(&b, d->text + start, d->at - start);
        int c = peek(d);
        d->at++;
        if (c == '"') {
            luaL_pushresult(&b);
            return true;
        }
        if (c != '\\') {
            return fail(d, c < 0 ? "a string does not end" : "a control character in a string");
        }
        if (!add_escape(d, &b)) {
            return false;
        }
    }
}

static bool push_value(struct decoder *d, int depth);

/* After one element: true where another follows. Sets *good to false where neither comma nor close. */
static bool another(struct decoder *d, char close, bool *good) {
    skip_space(d);
    int c = peek(d);
    *good = c == ',' || c == close;
    if (!*good) {
        (void)fail(d, "a comma or a closing bracket was expected");
        return false;
    }
    d->at++;
    return c == ',';
}

static bool push_array(struct decoder *d, int depth) {
    bool good = true;
    lua_newtable(d->L);
    d->at++;
    skip_space(d);
    if (peek(d) == ']') {
        d->at++;
        json_mark_array(d->L);
        return true;
    }
    for (int i = 1;; i++) {
        if (!push_value(d, depth)) {
            return false;
        }
        lua_rawseti(d->L, -2, i);
        if (!another(d, ']', &good)) {
            return good;
        }
    }
}

static bool push_object(struct decoder *d, int depth) {
    bool good = true;
    lua_newtable(d->L);
    d->at++;
    skip_space(d);
    if (peek(d) == '}') {
        d->at++;
        return true;
    }
    for (;;) {
        skip_space(d);
        if (peek(d) != '"') {
            return fail(d, "a name in quotes was expected");
        }
        if (!push_string(d)) {
            return false;
        }
        skip_space(d);
        if (!take(d, ":")) {
            return fail(d, "a colon was expected");
        }
        if (!push_value(d, depth)) {
            return false;
        }
        lua_rawset(d->L, -3);
        if (!another(d, '}', &good)) {
            return good;
        }
    }
}

static bool push_value(struct decoder *d, int depth) {
    skip_space(d);
    if (depth == JSON_DEPTH_MAX || lua_checkstack(d->L, 8) == 0) {
        return fail(d, "values are nested more than 64 deep");
    }
    switch (peek(d)) {
    case '{':
        return push_object(d, depth + 1);
    case '[':
        return push_array(d, depth + 1);
    case '"':
        return push_string(d);
    case 't':
        lua_pushboolean(d->L, 1);
        return take(d, "true");
    case 'f':
        lua_pushboolean(d->L, 0);
        return take(d, "false");
    case 'n':
        lua_pushlightuserdata(d->L, json_null());
        return take(d, "null");
    default:
        return push_number(d);
    }
}

const char *json_decode(lua_State *L, const char *text, size_t n, size_t *at) {
    struct decoder d = {.L = L, .text = text, .n = n};
    int top = lua_gettop(L);
    bool good = push_value(&d, 0);
    if (good) {
        skip_space(&d);
        good = d.at == n || fail(&d, "there is more text behind the value");
    }
    if (!good) {
        lua_settop(L, top);
        *at = d.at;
        return d.wrong;
    }
    return NULL;
}
