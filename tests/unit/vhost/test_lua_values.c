/* SPDX-License-Identifier: Apache-2.0 */
/* test_lua_values.c – JSON both ways and urlencoded text, against a plain VM. */
#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vhost/json.h"
#include "vhost/urlencoded.h"

static int set_up(void **state) {
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    json_push_library(L);
    lua_setglobal(L, "json");
    lua_pushcfunction(L, urlencoded_parse);
    lua_setglobal(L, "parse");
    *state = L;
    return 0;
}

static int tear_down(void **state) {
    lua_close(*state);
    return 0;
}

/* What a Lua expression is, as text; an error is its message. */
static const char *value_of(lua_State *L, const char *expression) {
    char script[512];
    lua_settop(L, 0);
    (void)snprintf(script, sizeof script, "return tostring(%s)", expression);
    assert_int_equal(luaL_loadstring(L, script), 0);
    (void)lua_pcall(L, 0, 1, 0);
    return lua_tostring(L, -1);
}

static void assert_values(lua_State *L, const char *const pairs[][2], size_t n) {
    for (size_t i = 0; i < n; i++) {
        const char *got = value_of(L, pairs[i][0]);
        if (strstr(got, pairs[i][1]) == NULL) {
            fail_msg("%s is %s, not %s", pairs[i][0], got, pairs[i][1]);
        }
    }
}
#define ASSERT_VALUES(...)                                          \
    do {                                                            \
        static const char *const pairs[][2] = {__VA_ARGS__};        \
        assert_values(*state, pairs, sizeof pairs / sizeof *pairs); \
    } while (0)

static void test_value_is_encoded_when_it_has_a_form(void **state) {
    ASSERT_VALUES(
        {"json.encode(nil)", "null"}, {"json.encode(true)", "true"}, {"json.encode(json.null)", "null"},
        {"json.encode(1)", "1"}, {"json.encode(-0.0)", "0"}, {"json.encode(0.1)", "0.1"},
        {"json.encode(1/3)", "0.3333333333333333"}, {"json.encode(2^53)", "9007199254740992"},
        {"json.encode(1e300)", "1e+300"}, {"json.encode({})", "{}"}, {"json.encode(json.array())", "[]"},
        {"json.encode({1, 'a', {2}})", "[1,\"a\",[2]]"}, {"json.encode({a = {b = 1}})", "{\"a\":{\"b\":1}}"},
        {"json.encode('\\0\\n\\\"\\\\/\\127')", "\"\\u0000\\n\\\"\\\\/\\u007f\""},
        {"json.encode('\\xe2\\x82\\xac\\xf0\\x9f\\x98\\x80')", "\"\xe2\x82\xac\xf0\x9f\x98\x80\""});
}

static void test_value_is_refused_when_it_has_no_form(void **state) {
    ASSERT_VALUES(
        {"json.encode(print)", "no form in JSON"},
        {"json.encode(coroutine.create(print))", "no form in JSON"}, {"json.encode(1/0)", "infinite"},
        {"json.encode(0/0)", "not a number"}, {"json.encode({1, nil, 3})", "neither 1..n nor all strings"},
        {"json.encode({1, a = 2})", "neither 1..n"}, {"json.encode({[1.5] = 1})", "neither 1..n"},
        {"json.encode({[true] = 1})", "neither 1..n"},
        {"json.encode(json.array({a = 1}))", "an array has keys other than 1..n"},
        {"json.encode('\\xff')", "not UTF-8"}, {"json.encode('\\xc0\\x80')", "not UTF-8"},
        {"json.encode('\\xed\\xa0\\x80')", "not UTF-8"}, {"json.encode('\\xf4\\x90\\x80\\x80')", "not UTF-8"},
        {"json.encode('\\xe2\\x82')", "not UTF-8"}, {"json.encode({['\\xff'] = 1})", "not UTF-8"},
        {"json.encode((function() local t = {} t[1] = t return t end)())", "more than 64 deep"},
        {"json.encode(('x'):rep(17 * 1024 * 1024))", "longer than 16 MiB"});
}

static void test_metamethods_stay_silent_when_encoded(void **state) {
    ASSERT_VALUES(
        {"json.encode(setmetatable({1}, {__index = error, __len = error, __pairs = error, __tostring = error}))",
         "[1]"},
        {"json.array(setmetatable({}, {}))", "has a metatable already"});
}

static void test_text_is_decoded_when_well_formed(void **state) {
    ASSERT_VALUES({"json.decode' 1 '", "1"}, {"json.decode'-1.5e+2'", "-150"}, {"json.decode'\"\"'", ""},
                  {"json.decode'null' == json.null", "true"}, {"json.decode'false'", "false"},
                  {"#json.decode'[1,[2],{}]'", "3"}, {"json.decode'{\"a\":{\"b\":[7]}}'.a.b[1]", "7"},
                  {"json.decode'{\"a\":1,\"a\":2}'.a", "2"},
                  {"json.decode[[\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\\/\\n\"]]",
                   "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80/\n"},
                  {"json.encode(json.decode'[[],{}]')", "[[],{}]"}, {"#json.decode[[\"\\u0000\"]]", "1"});
}

static void test_text_is_refused_when_malformed(void **state) {
    ASSERT_VALUES({"json.decode''", "nil"}, {"json.decode'[1,]'", "nil"}, {"json.decode'01'", "nil"},
                  {"json.decode'1.'", "nil"}, {"json.decode'.5'", "nil"}, {"json.decode'1e'", "nil"},
                  {"json.decode'+1'", "nil"}, {"json.decode'nan'", "nil"}, {"json.decode'0x10'", "nil"},
                  {"json.decode'{a:1}'", "nil"}, {"json.decode'{\"a\" 1}'", "nil"},
                  {"json.decode'{\"a\":1,}'", "nil"}, {"json.decode'\"a'", "nil"},
                  {"json.decode('\"\\n\"')", "nil"}, {"json.decode[[\"\\x\"]]", "nil"},
                  {"json.decode[[\"\\ud800\"]]", "nil"}, {"json.decode[[\"\\udc00\"]]", "nil"},
                  {"json.decode[[\"\\ud800\\u0041\"]]", "nil"}, {"json.decode[[\"\\u12g4\"]]", "nil"},
                  {"json.decode'1 2'", "nil"}, {"json.decode'[1'", "nil"}, {"json.decode'tru'", "nil"},
                  {"json.decode'1e999'", "nil"}, {"json.decode(('['):rep(65))", "nil"},
                  {"json.decode('[' .. ('1'):rep(65) .. ']')", "nil"},
                  {"select(2, json.decode'[1,]')", "a number is malformed at byte 4"},
                  {"select(2, json.decode'1 x')", "there is more text behind the value at byte 3"});
    assert_int_equal(lua_gettop(*state), 1);
}

static void test_pairs_are_decoded_when_urlencoded(void **state) {
    ASSERT_VALUES({"parse'a=1&b=2'.b", "2"}, {"parse'a=1&a=2'.a", "1"}, {"parse'a'.a == ''", "true"},
                  {"parse'a+b=%41%zz%4'['a b']", "A%zz%4"}, {"next(parse'')", "nil"},
                  {"next(parse'&&&')", "nil"}, {"parse'=x'['']", "x"}, {"parse'a=b=c'.a", "b=c"},
                  {"#parse'a=%00'.a", "1"}, {"parse(('a&'):rep(2000) .. 'late=1').late", "nil"});
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_value_is_encoded_when_it_has_a_form),  TEST(test_value_is_refused_when_it_has_no_form),
        TEST(test_metamethods_stay_silent_when_encoded), TEST(test_text_is_decoded_when_well_formed),
        TEST(test_text_is_refused_when_malformed),       TEST(test_pairs_are_decoded_when_urlencoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
