/* SPDX-License-Identifier: Apache-2.0 */
/* test_require.c – modules: names, cache, cycles, limits, and the wall around the library. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

struct module {
    const char *name, *text;
    bool library;
};

static const struct module modules[] = {
    {"greet", "local n = ... return { name = n, count = (count or 0) }", false},
    {"blog.posts", "require 'greet' return 'posts'", false},
    {"ring.a", "return require 'ring.b'", false},
    {"ring.b", "return require 'ring.a'", false},
    {"broken.syntax", "return +", false},
    {"broken.run", "local x = nil\nreturn x.y", false},
    {"silent", "seen = true", false},
    {"false_value", "return false", false},
    {"endless", "while true do end", false},
    {"luttpd.tool",
     "local part = require 'luttpd.part' hidden = 1\n"
     "return { part = part, upper = function(s) return string.upper(s) end }",
     true},
    {"luttpd.part", "return { id = 'part' }", true},
    {"luttpd.curious", "return require 'greet'", true},
};

struct asked {
    char last[256];
    unsigned times, released;
};

static void release(struct script_source *source) {
    ((struct asked *)source->owner)->released++;
}

static int find(void *context, const char *name, struct script_source *out) {
    struct asked *asked = context;
    asked->times++;
    snprintf(asked->last, sizeof asked->last, "%s", name);
    if (strcmp(name, "unreadable") == 0) {
        return -EACCES;
    }
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        if (strcmp(modules[i].name, name) == 0) {
            *out = (struct script_source){.text = modules[i].text, .size = strlen(modules[i].text)};
            snprintf(out->chunk, sizeof out->chunk, "@%s.lua", name);
            out->library = modules[i].library;
            out->release = release;
            out->owner = asked;
            return 0;
        }
    }
    if (strncmp(name, "many.", 5) == 0 || strncmp(name, "deep.", 5) == 0) {
        static const char deep[] = "local n = (...):match('%d+') return require('deep.m' .. n + 1)";
        bool many = name[0] == 'm';
        *out = (struct script_source){
            .text = many ? "return 1" : deep, .size = many ? 8 : sizeof deep - 1, .chunk = "@m"};
        return 0;
    }
    return -ENOENT;
}

static struct script *make(struct asked *asked) {
    struct script_options options = {
        .jit = true, .memory_bytes = 16u << 20, .cpu_ms = 100, .find_module = find, .context = asked};
    struct script *s = NULL;
    assert_int_equal(0, script_new(&s, &options));
    return s;
}

static void run_in(struct script *s, const char *text) {
    struct run r;
    harness_run(s, text, strlen(text), &r);
    if (r.result != SCRIPT_DONE) {
        fail_msg("%s", r.message);
    }
}

static void test_modules_are_found_once_and_shared(void **state) {
    (void)state;
    struct asked asked = {.times = 0};
    struct script *s = make(&asked);
    run_in(s, "count = 7 local a, b = require 'greet', require 'greet'\n"
              "assert(a == b and a.name == 'greet' and a.count == 7)\n"
              "assert(require 'blog.posts' == 'posts')\n"
              "assert(require 'silent' == true and seen and require 'false_value' == false)\n"
              "assert(require 'false_value' == false)");
    assert_int_equal(4, asked.times);
    assert_int_equal(4, asked.released);
    run_in(s, "assert(count == nil and require('greet').count == 0 and seen == nil)");
    script_free(s);
}

static void test_names_outside_the_grammar_never_reach_the_role(void **state) {
    (void)state;
    struct asked asked = {.times = 0};
    struct script *s = make(&asked);
    run_in(
        s,
        "local bad = { '', '.', '..', '../x', '/etc/passwd', 'a/b', 'a..b', '.a', 'a.', 'A', 'a.B', '1a', 'a.1b',\n"
        "  'a b', 'a-b', 'a\\0b', 'greet\\0', 'a\\\\b', 'a\\nb', 'lib.so/', 'a%2e', '~', './a', 'a./b', 'a\\228',\n"
        "  ' a', 'a ', ('a'):rep(128), ('a.'):rep(64), 'C:a', 'a:b', '*', 'greet.lua/..', '@a', '\\27LJ' }\n"
        "for _, name in ipairs(bad) do\n"
        "  local ok, why = pcall(require, name)\n"
        "  assert(not ok and why:find('bad module name'), name)\n"
        "end\n"
        "for _, value in ipairs { {}, print, true } do assert(not pcall(require, value)) end\n"
        "assert(not pcall(require) and not pcall(require, nil))");
    assert_int_equal(0, asked.times);
    run_in(
        s,
        "assert(select(2, pcall(require, 'a_1.b2')):find(\"module 'a_1.b2' not found\", 1, true))\n"
        "assert(select(2, pcall(require, ('a'):rep(127))):find('not found'))\n"
        "assert(select(2, pcall(require, 'unreadable')):find('Permission denied'))\n"
        "for _, name in ipairs { 'ffi', 'jit', 'io', 'os', 'debug', 'package', 'string.buffer', 'table.new' } do\n"
        "  assert(select(2, pcall(require, name)):find('not found'))\n"
        "end");
    script_free(s);
}

static void test_failures_are_told_and_may_be_repaired(void **state) {
    (void)state;
    struct asked asked = {.times = 0};
    struct script *s = make(&asked);
    run_in(
        s,
        "for _ = 1, 2 do\n"
        "  assert(select(2, pcall(require, 'ring.a')):find(\"module 'ring.a' requires itself\", 1, true))\n"
        "  assert(select(2, pcall(require, 'broken.syntax')):find('^broken.syntax.lua:1:'))\n"
        "  assert(select(2, pcall(require, 'broken.run')):find('^broken.run.lua:2:'))\n"
        "end");
    assert_int_equal(asked.times, asked.released);
    script_free(s);
}

static void test_a_module_that_never_ends_is_interrupted(void **state) {
    (void)state;
    struct asked asked = {.times = 0};
    struct script *s = make(&asked);
    struct run r;
    harness_run(s, "pcall(require, 'endless')", 25, &r);
    assert_int_equal(SCRIPT_OVERTIME, r.result);
    run_in(s, "assert(require 'greet')");
    script_free(s);
}

static void test_number_and_depth_are_limited(void **state) {
    (void)state;
    struct asked asked = {.times = 0};
    struct script *s = make(&asked);
    run_in(s, "for i = 1, 256 do require('many.m' .. i) end\n"
              "assert(select(2, pcall(require, 'many.m257')):find('too many modules'))\n"
              "assert(require 'many.m3' == 1)");
    run_in(s, "assert(select(2, pcall(require, 'deep.m1')):find('too deeply'))");
    run_in(s, "assert(require 'many.m1' == 1)");
    script_free(s);
}

static void test_the_library_is_not_what_scripts_make_of_it(void **state) {
    (void)state;
    struct asked asked = {.times = 0};
    struct script *s = make(&asked);
    run_in(s,
           "string.upper = function() return 'poison' end\n"
           "local tool, part = require 'luttpd.tool', require 'luttpd.part'\n"
           "assert(tool.upper 'x' == 'X' and hidden == nil and tool.part == part)\n"
           "tool.upper = nil part.id = 'changed'\n"
           "assert(select(2, pcall(require, 'luttpd.curious')):find(\"module 'greet' not found\", 1, true))");
    run_in(s, "local tool = require 'luttpd.tool'\n"
              "assert(tool.upper 'y' == 'Y' and tool.part.id == 'part')");
    script_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modules_are_found_once_and_shared),
        cmocka_unit_test(test_names_outside_the_grammar_never_reach_the_role),
        cmocka_unit_test(test_failures_are_told_and_may_be_repaired),
        cmocka_unit_test(test_a_module_that_never_ends_is_interrupted),
        cmocka_unit_test(test_number_and_depth_are_limited),
        cmocka_unit_test(test_the_library_is_not_what_scripts_make_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
