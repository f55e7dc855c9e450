/* SPDX-License-Identifier: Apache-2.0 */
/* test_pattern.c – our matcher gives what LuaJIT's own gives, on many patterns made at random, and
 * stops where that would not. */
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

#define CASES 60000
#define SEED_NAME "LUTTPD_TEST_SEED"

struct pair {
    lua_State *theirs; /* LuaJIT's own library */
    lua_State *ours;   /* the sandbox; its string functions lie in registry slots by name */
    uint32_t state;
};

static uint32_t pick(struct pair *p, uint32_t below) {
    p->state = p->state * 1664525u + 1013904223u;
    return (p->state >> 8) % below;
}

/* A piece of a pattern: mostly well-formed, sometimes not. */
static size_t make_piece(struct pair *p, char *out) {
    static const char *const pieces[] = {
        "a",    "b",     "c",      ".",           "%a",    "%d",   "%s",    "%w",    "%p",   "%u",
        "%l",   "%x",    "%c",     "%g",          "%A",    "%S",   "%W",    "%D",    "%P",   "[ab]",
        "[^a]", "[a-c]", "[%w_]",  "[^%s]",       "[]]",   "[^]]", "[a-]",  "[-a]",  "[%]]", "[a-%w]",
        "(",    ")",     "()",     "(a)",         "(.)",   "(a*)", "(%w+)", "(.-)",  "%1",   "%2",
        "%b()", "%bab",  "%f[%w]", "%f[^a]",      "^",     "$",    "*",     "+",     "-",    "?",
        "a*",   "b-",    "c+",     ".*",          ".-",    "%w*",  "[ab]*", "[ab]-", "a?",   "%",
        "[",    "%f",    "%ba",    "%.",          "%%",    "0",    " ",     "_",     "%z",   "%Z",
        "%G",   "[%z]",  "\xe4",   "[\xe0-\xff]", "%\xe4", "z",    "%q",    "%Q",    "%0",   "%9",
    };
    const char *piece = pieces[pick(p, sizeof pieces / sizeof *pieces)];
    memcpy(out, piece, strlen(piece));
    return strlen(piece);
}

static size_t make_text(struct pair *p, char *out) {
    static const char letters[] = "aaabbbccc()ab019 _.%-\t\n\xe4\xffZQ";
    size_t n = pick(p, 14);
    for (size_t i = 0; i < n; i++) {
        out[i] = pick(p, 40) == 0 ? '\0' : letters[pick(p, sizeof letters - 1)];
    }
    return n;
}

static size_t make_pattern(struct pair *p, char *out) {
    size_t n = 0;
    for (uint32_t pieces = pick(p, 7); pieces > 0; pieces--) {
        n += make_piece(p, out + n);
        if (pick(p, 60) == 0) {
            out[n++] = '\0';
        }
    }
    return n;
}

/* Every result as one string: types and values; or "error". */
static void call(lua_State *L, const char *f, const char *args[2], const size_t sizes[2], int init, char *out,
                 size_t room) {
    int top = lua_gettop(L);
    size_t used = 0;
    lua_getfield(L, LUA_REGISTRYINDEX, f);
    lua_pushlstring(L, args[0], sizes[0]);
    lua_pushlstring(L, args[1], sizes[1]);
    lua_pushinteger(L, init);
    if (lua_pcall(L, 3, LUA_MULTRET, 0) != 0) {
        snprintf(out, room, "error");
        lua_settop(L, top);
        return;
    }
    out[0] = '\0';
    for (int i = top + 1; i <= lua_gettop(L); i++) {
        size_t n = 0;
        const char *text = lua_tolstring(L, i, &n);
        used += (size_t)snprintf(out + used, room - used, "%d:", lua_type(L, i));
        for (size_t k = 0; k < n && used + 4 < room; k++) {
            used += (size_t)snprintf(out + used, room - used, "%02x", (unsigned char)text[k]);
        }
        used += (size_t)snprintf(out + used, room - used, " ");
    }
    lua_settop(L, top);
}

/* The same calls on both sides; wrappers turn loops and callbacks into plain results. */
static const char wrappers[] =
    "local string, table, tostring = ...\n"
    "return function(s, p, i) return string.find(s, p, i) end,\n"
    "function(s, p, i) return string.match(s, p, i) end,\n"
    "function(s, p) local t = {} for a, b, c in string.gmatch(s, p) do\n"
    "  t[#t + 1] = tostring(a) .. '|' .. tostring(b) .. '|' .. tostring(c) end return table.concat(t, ';') end,\n"
    "function(s, p, i) return string.gsub(s, p, '<%0%%>', i > 0 and i or nil) end,\n"
    "function(s, p) return string.gsub(s, p, '<%1%2>') end,\n"
    "function(s, p) return string.gsub(s, p, '%x%') end,\n"
    "function(s, p) return string.gsub(s, p, { a = 'A', [1] = 2, b = false }) end,\n"
    "function(s, p) return string.gsub(s, p, function(a, b) if a == 'a' then return nil end\n"
    "  return tostring(a) .. tostring(b) end) end,\n"
    "function(s, p, i) return string.find(s, p, i, true) end\n";

static const char *const wrapped[] = {"find", "match", "gmatch",   "gsub", "captures",
                                      "odd",  "table", "callback", "plain"};
#define WRAPPED (sizeof wrapped / sizeof *wrapped)

static void keep_wrappers(lua_State *L) {
    for (size_t i = WRAPPED; i > 0; i--) {
        lua_setfield(L, LUA_REGISTRYINDEX, wrapped[i - 1]);
    }
}

static void open_theirs(struct pair *p) {
    lua_State *L = p->theirs = luaL_newstate();
    luaL_openlibs(L);
    assert_int_equal(0, luaL_loadstring(L, wrappers));
    lua_getglobal(L, "string");
    lua_getglobal(L, "table");
    lua_getglobal(L, "tostring");
    lua_call(L, 3, WRAPPED);
    keep_wrappers(L);
}

static void open_ours(struct pair *p, struct script *s) {
    lua_State *L = p->ours = script_state(s);
    script_environment_push(s);
    lua_pushvalue(L, -1);
    assert_int_equal(SCRIPT_DONE, script_load(s, wrappers, sizeof wrappers - 1, "@wrappers"));
    lua_getfield(L, 1, "string");
    lua_getfield(L, 1, "table");
    lua_getfield(L, 1, "tostring");
    assert_int_equal(SCRIPT_DONE, script_call(s, 3, WRAPPED));
    keep_wrappers(L);
    lua_settop(L, 0);
}

static void compare(struct pair *p, size_t *errors) {
    char text[64], pattern[256], theirs[4096], ours[4096];
    const char *args[2] = {text, pattern};
    size_t sizes[2] = {make_text(p, text), make_pattern(p, pattern)};
    int init = pick(p, 3) == 0 ? (int)pick(p, 24) - 8 : 1;
    const char *f = wrapped[pick(p, WRAPPED)];
    call(p->theirs, f, args, sizes, init, theirs, sizeof theirs);
    call(p->ours, f, args, sizes, init, ours, sizeof ours);
    *errors += strcmp(theirs, "error") == 0;
    if (strcmp(theirs, ours) != 0) {
        fail_msg("%s(\"%.*s\", \"%.*s\" (%zu bytes), %d)\n  theirs %s\n  ours   %s", f, (int)sizes[0], text,
                 (int)sizes[1], pattern, sizes[1], init, theirs, ours);
    }
}

static void test_results_equal_luajits_own_when_random(void **state) {
    (void)state;
    const char *seed = getenv(SEED_NAME);
    struct pair p = {.state = seed != NULL ? (uint32_t)strtoul(seed, NULL, 0) : 20090601u};
    struct script *s = harness_new(true, NULL, NULL);
    size_t errors = 0;
    open_theirs(&p);
    open_ours(&p, s);
    for (int i = 0; i < CASES; i++) {
        compare(&p, &errors);
    }
    assert_in_range(errors, CASES / 100, CASES / 2); /* both kinds were met */
    lua_close(p.theirs);
    script_free(s);
}

struct depth_case {
    const char *text;
    int copies;
    const char *piece;
};

static void test_depth_limit_equals_luajits_own(void **state) {
    (void)state;
    struct pair p = {.state = 1};
    struct script *s = harness_new(true, NULL, NULL);
    static const struct depth_case cases[] = {
        {"", 150, "a?"}, {"", 250, "a?"}, {"", 150, "a*"},     {"", 250, "a*"},
        {"", 250, "()"}, {"", 20, "()"},  {"aaaa", 250, "a-"},
    };
    open_theirs(&p);
    open_ours(&p, s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char pattern[1024] = "", theirs[1024], ours[1024];
        for (int k = 0; k < cases[i].copies; k++) {
            strcat(pattern, cases[i].piece);
        }
        const char *args[2] = {cases[i].text, pattern};
        size_t sizes[2] = {strlen(cases[i].text), strlen(pattern)};
        call(p.theirs, "match", args, sizes, 1, theirs, sizeof theirs);
        call(p.ours, "match", args, sizes, 1, ours, sizeof ours);
        assert_string_equal(theirs, ours);
    }
    lua_close(p.theirs);
    script_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results_equal_luajits_own_when_random),
        cmocka_unit_test(test_depth_limit_equals_luajits_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
