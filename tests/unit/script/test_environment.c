/* SPDX-License-Identifier: Apache-2.0 */
/* test_environment.c – what a script can name, and what it cannot get at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "harness.h"

#define GOLDEN_MAX_BYTES 16384
#define PATHS_MAX 512

struct walk {
    lua_State *L;
    int seen; /* table: object → true */
    char *paths[PATHS_MAX];
    size_t count;
};

static void note(struct walk *w, const char *path) {
    MUST(w->count < PATHS_MAX);
    char line[256];
    snprintf(line, sizeof line, "%s %s", path, lua_typename(w->L, lua_type(w->L, -1)));
    w->paths[w->count++] = strdup(line);
}

/* True where the object on top has been met before. */
static bool met(struct walk *w) {
    lua_pushvalue(w->L, -1);
    lua_rawget(w->L, w->seen);
    bool known = lua_toboolean(w->L, -1);
    lua_pop(w->L, 1);
    if (!known) {
        lua_pushvalue(w->L, -1);
        lua_pushboolean(w->L, 1);
        lua_rawset(w->L, w->seen);
    }
    return known;
}

static void visit(struct walk *w, const char *path);

static void visit_fields(struct walk *w, const char *path) {
    lua_State *L = w->L;
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        char inner[256];
        MUST(lua_type(L, -2) == LUA_TSTRING);
        snprintf(inner, sizeof inner, "%s.%s", path, lua_tostring(L, -2));
        visit(w, inner);
        lua_pop(L, 1);
    }
}

/* What getmetatable gives a script, not what there is. */
static void visit_metatable(struct walk *w, const char *path) {
    lua_State *L = w->L;
    char inner[256];
    if (!lua_getmetatable(L, -1)) {
        return;
    }
    lua_getfield(L, -1, "__metatable");
    if (!lua_isnil(L, -1)) {
        lua_remove(L, -2);
    } else {
        lua_pop(L, 1);
    }
    snprintf(inner, sizeof inner, "%s<metatable>", path);
    visit(w, inner);
    lua_pop(L, 1);
}

static void visit(struct walk *w, const char *path) {
    int type = lua_type(w->L, -1);
    note(w, path);
    if (type == LUA_TTABLE && !met(w)) {
        visit_fields(w, path);
    }
    if (type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TUSERDATA) {
        visit_metatable(w, path);
    }
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All that is reachable from the globals and from one value of each type that has a metatable. */
static void walk_all(struct walk *w, char *out, size_t room) {
    lua_pushnumber(w->L, 1);
    visit_metatable(w, "number");
    lua_pop(w->L, 1);
    lua_pushliteral(w->L, "");
    visit_metatable(w, "string");
    lua_pop(w->L, 1);
    visit(w, "_G");
    qsort(w->paths, w->count, sizeof *w->paths, by_text);
    size_t used = 0;
    for (size_t i = 0; i < w->count; i++) {
        used += (size_t)snprintf(out + used, room - used, "%s\n", w->paths[i]);
        MUST(used < room);
        free(w->paths[i]);
    }
}

static void test_reachable_names_equal_the_golden_set(void **state) {
    (void)state;
    char found[GOLDEN_MAX_BYTES], golden[GOLDEN_MAX_BYTES];
    struct script *s = harness_new(true, NULL, NULL);
    struct walk w = {.L = script_state(s), .seen = 1};
    lua_newtable(w.L);
    script_environment_push(s);
    walk_all(&w, found, sizeof found);
    FILE *file = fopen("environment.golden", "r");
    assert_non_null(file);
    golden[fread(golden, 1, sizeof golden - 1, file)] = '\0';
    fclose(file);
    if (strcmp(found, golden) != 0) {
        fprintf(stderr, "reachable is:\n%s", found);
        fail_msg("environment.golden differs");
    }
    script_free(s);
}

static void expect_done(const char *text) {
    for (int jit = 0; jit <= 1; jit++) {
        struct run r = {.result = 0};
        int status = harness_run_once(jit, text, &r);
        if (status != 0 || r.result != SCRIPT_DONE) {
            fail_msg("child %d, result %d: %s\n%s", status, r.result, r.message, r.trace);
        }
    }
}

static void test_bytecode_is_refused_by_every_route(void **state) {
    (void)state;
    expect_done(
        "for _, prefix in ipairs { '', '#!luttpd\\n', '\\239\\187\\191', '\\239\\187\\191#\\n' } do\n"
        "  local code = prefix .. '\\27LJ\\2\\2\\9\\2\\0\\1'\n"
        "  assert(load(code) == nil)\n"
        "  assert(load(code, 'c', 'bt') == nil and load(code, 'c', 'b') == nil)\n"
        "  assert(load('return 1', 'c', 'b') == nil)\n"
        "  local sent = false\n"
        "  assert(load(function() if not sent then sent = true return code end end) == nil)\n"
        "  local i = 0\n"
        "  assert(load(function() i = i + 1 return i <= #code and code:sub(i, i) or nil end) == nil)\n"
        "end\n"
        "assert(string.dump == nil and loadstring == nil and loadfile == nil and dofile == nil)");
}

static void test_bytecode_is_refused_when_the_host_loads_it(void **state) {
    (void)state;
    struct script *s = harness_new(true, NULL, NULL);
    script_environment_push(s);
    assert_int_equal(SCRIPT_FAILED, script_load(s, "\x1bLJ\x02", 4, "@site.lua"));
    assert_non_null(strstr(script_error(s)->message, "wrong mode"));
    script_free(s);
}

static void test_ffi_stays_out_of_reach_when_its_literals_are_used(void **state) {
    (void)state;
    expect_done("local big, imaginary = 1LL, 1i\n"
                "assert(big + 1LL == 2LL and type(big) == 'cdata' and tostring(imaginary) == '0+1i')\n"
                "assert(load('return 0xffULL')() == 255)\n"
                "assert(ffi == nil and not pcall(require, 'ffi') and not pcall(require, 'jit.util'))\n"
                "assert(getmetatable(big) == 'ffi' and not pcall(setmetatable, big, {}))\n"
                "for _, name in ipairs { 'C', 'new', 'cast', 'cdef', 'load', 'gc' } do\n"
                "  assert(not pcall(function() return big[name] end))\n"
                "end\n"
                "assert(not pcall(big))");
}

static void test_string_methods_survive_poisoning(void **state) {
    (void)state;
    expect_done("assert(getmetatable('') == false and not pcall(setmetatable, '', {}))\n"
                "string.upper = function() return 'poison' end\n"
                "assert(('x'):upper() == 'X')\n"
                "rawset(string, 'lower', function() return 'poison' end)\n"
                "assert(('X'):lower() == 'x' and (''):rep(3) == '')\n"
                "assert(not pcall(function() local s = '' s.y = 1 end))");
}

static void test_environments_share_nothing_a_script_can_change(void **state) {
    (void)state;
    struct script *s = harness_new(true, NULL, NULL);
    struct run r;
    static const char poison[] =
        "local all, each, type, bad, set = _G, pairs, type, error, rawset\n"
        "for name, value in each(all) do\n"
        "  if type(value) == 'table' and value ~= all then for k in each(value) do value[k] = bad end end\n"
        "  set(all, name, nil)\n"
        "end";
    static const char clean[] = "assert(type(string.find) == 'function' and string.find ~= error)\n"
                                "assert(table.concat { 1, 2 } == '12' and math.max(1, 2) == 2)\n"
                                "assert(coroutine.wrap(function() return 5 end)() == 5)\n"
                                "assert(select(2, xpcall(error, function() return 7 end)) == 7)";
    harness_run(s, poison, sizeof poison - 1, &r);
    assert_int_equal(SCRIPT_DONE, r.result);
    harness_run(s, clean, sizeof clean - 1, &r);
    assert_string_equal("", r.message);
    harness_check_alive(s);
    script_free(s);
}

static void test_load_stays_inside_its_environment(void **state) {
    (void)state;
    expect_done("answer = 42\n"
                "assert(load('return answer')() == 42)\n"
                "assert(load('return answer', 'c', 't', {})() == nil)\n"
                "local inner = { load = load }\n"
                "assert(load('return load(\"return answer\")()', 'c', 't', inner)() == 42)\n"
                "assert(select(2, load('return +', '=named')):match('^named:1:'))\n"
                "assert(load(function() return nil end) ~= nil)\n"
                "local parts = { 'return ', '6 ', '* 7', '' }\n"
                "local i = 0\n"
                "assert(load(function() i = i + 1 return parts[i] end)() == 42)\n"
                "local ok, why = load(function() error('no more', 0) end)\n"
                "assert(ok == nil and why == 'no more')\n"
                "assert(not pcall(load, 'return 1', 'c', 't', 5) and not pcall(load, {}))");
}

static void test_time_is_local_time_and_random_is_seeded(void **state) {
    (void)state;
    struct run a, b;
    const char *text =
        "assert(os.time() > 1.6e9 and #os.date('%Y-%m-%d') == 10 and os.clock() >= 0)\n"
        "assert(os.getenv == nil and os.execute == nil and os.exit == nil and os.remove == nil)\n"
        "print(math.random(), math.random(1e9))";
    assert_int_equal(0, harness_run_once(true, text, &a));
    assert_int_equal(0, harness_run_once(true, text, &b));
    assert_string_equal("", a.message);
    assert_true(strlen(a.printed) > 5);
    assert_string_not_equal(a.printed, b.printed);
}

static void test_messages_name_the_callers_line(void **state) {
    (void)state;
    expect_done(
        "local function where(f, ...)\n"
        "  local ok, message = pcall(f, ...)\n"
        "  assert(not ok and message:match('^test.lua:%d+: '), message)\n"
        "  return message\n"
        "end\n"
        "assert(where(function() local x = ('x'):rep(1e12) return x end):find('too large'))\n"
        "assert(where(function() local x = string.format('%d', {}) return x end):find(\"'format'\"))\n"
        "assert(where(function() local x = table.concat { {} } return x end):find('concat'))\n"
        "assert(where(function() local x = table.sort(1) return x end):find(\"'sort'\"))\n"
        "assert(where(function() local x = string.gsub('x', '[', '') return x end):find('malformed'))\n"
        "assert(where(function() local x = coroutine.resume(1) return x end))\n"
        "assert(where(function() local x = require('../x') return x end):find('bad module name'))\n"
        "assert(where(function() local x = xpcall(print) return x end):find('xpcall'))");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reachable_names_equal_the_golden_set),
        cmocka_unit_test(test_bytecode_is_refused_by_every_route),
        cmocka_unit_test(test_bytecode_is_refused_when_the_host_loads_it),
        cmocka_unit_test(test_ffi_stays_out_of_reach_when_its_literals_are_used),
        cmocka_unit_test(test_string_methods_survive_poisoning),
        cmocka_unit_test(test_environments_share_nothing_a_script_can_change),
        cmocka_unit_test(test_load_stays_inside_its_environment),
        cmocka_unit_test(test_time_is_local_time_and_random_is_seeded),
        cmocka_unit_test(test_messages_name_the_callers_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
