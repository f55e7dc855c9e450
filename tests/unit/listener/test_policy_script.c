/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy_script.c – hooks and grammars of a parsing policy: what they see, answer, and may not do. */
#include <time.h>
#include <unistd.h>

#include "listener/policy_script.h"
#include "policy_build.h"

static struct policy_machine machine;
static char printed[256];

static void keep_line(void *context, const char *text, size_t n) {
    (void)context;
    n = n < sizeof printed - 1 ? n : sizeof printed - 1;
    memcpy(printed, text, n);
    printed[n] = '\0';
}

/* A loaded policy whose tables have as many grammar conditions on paths as the script has. */
struct loaded {
    struct policy *policy;
    struct policy_script *script;
    char why[POLICY_WHY_BYTES];
};

static struct loaded load(const char *script, unsigned grammars) {
    struct loaded made = {.script = NULL};
    struct policy_text text;
    struct record_builder b = begin_file(true);
    for (unsigned i = 1; i <= grammars; i++) {
        add_rule(&b, (uint16_t)(420 + i));
        add_condition(&b, (struct message_policy_condition){
                              .subject = SUBJECT_PATH, .match = MATCH_GRAMMAR, .grammar = (uint16_t)i});
    }
    add_script(&b, script);
    made.policy = read_file(&b, &text, made.why);
    assert_non_null(made.policy);
    (void)policy_script_load(&machine, &text, made.policy->rules->grammars, &made.script, made.why);
    free(text.p);
    return made;
}

static void unload(struct loaded *made) {
    policy_script_free(&machine, made->script);
    policy_read_free(made->policy);
}

static struct test_head test_head;
static char tags[POLICY_TAGS_BYTES];
static struct policy_subject subject;
static const struct network_client client = {.family = FAMILY_INET, .address = {192, 0, 2, 7}, .port = 4711};

static int judge(const struct loaded *made, const char *request, struct own_answer *out) {
    *out = (struct own_answer){.status = 0};
    subject = (struct policy_subject){
        .head = make_head(&test_head, request), .client = &client, .listener_port = 8080, .tags = tags};
    return policy_script_judge(&machine, made->script, made->policy->rules, &subject, out);
}

#define REQUEST \
    "GET /a%20b?q=1 HTTP/1.1\nHost: A.example:80\nX-A: 1\nCookie: a\nx-a: 2\nCookie: b\nluttpd-bot: no"

/* What hooks answer ---------------------------------------------------------------------------------------- */

struct answer_case {
    const char *hook; /* the body of function(head) */
    unsigned status;  /* 0: go on; 500: an error with this text */
    const char *text;
};

static const struct answer_case answers[] = {
    {"", 0, ""},
    {"return nil, 'x'", 0, ""},
    {"return 403", 403, ""},
    {"return 403, 'Not for crawlers.'", 403, "Not for crawlers."},
    {"return 599, 'a\\r\\nb\\0c'", 599, "a  b c"},
    {"return 302, 'https://a.example/x?y#z'", 302, "https://a.example/x?y#z"},
    {"return 302", 500, "on_head returned a redirect without the location behind its status"},
    {"return 302, 'a b'", 500, "on_head returned a location that is none"},
    {"return 302, 'a\\r\\nX: y'", 500, "on_head returned a location that is none"},
    {"return 200", 500, "on_head returned the status 200: it is 400 to 599, or a redirect's"},
    {"return 304", 500, "on_head returned the status 304"},
    {"return 600", 500, "on_head returned the status 600"},
    {"return 403.5", 500, "on_head returned the status 403.5"},
    {"return 0/0", 500, "on_head returned the status"},
    {"return '403'", 500, "on_head returned a string: it returns nothing, or a status"},
    {"return false", 500, "on_head returned a boolean"},
    {"return 403, {}", 500, "on_head returned a table as the sentence"},
    {"return 403, '\\255'", 500, "on_head returned a sentence that is not UTF-8"},
    {"error 'no'", 500, "parsing.lua:1: no"},
    {"return head.nothing", 500, "parsing.lua:1: a head has no such field"},
    {"head.path = '/'", 500, "parsing.lua:1: a head cannot be changed"},
    {"head.headers.host = '/'", 500, "a head cannot be changed"},
    {"x = 1", 500, "parsing.lua:1: \"x\" is set as a global: write local"},
    {"return x", 500, "parsing.lua:1: unknown name \"x\""},
    {"require 'parsing.run'", 500, "unknown name \"require\""},
    {"getmetatable(head).__index = nil", 500, "parsing.lua:1: attempt to index a boolean value"},
    {"coroutine.yield()", 500, "attempt to yield"},
    {"string.rep('x', 1e9)", 500, "resulting string too large"},
};

static void check_answer(const struct answer_case *c) {
    char text[512];
    struct own_answer out;
    (void)snprintf(text, sizeof text, "on_head(function(head) %s end)", c->hook);
    struct loaded made = load(text, 0);
    assert_string_equal("", made.why);
    int rc = judge(&made, REQUEST, &out);
    if (c->status == 500) {
        const char *message = script_error(machine.script)->message;
        if (rc != SCRIPT_FAILED || strstr(message, c->text) == NULL) {
            fail_msg("%s: %d, \"%s\"", c->hook, rc, message);
        }
    } else {
        struct slice given = c->status / 100 == 3 ? out.location : out.text;
        if (rc != SCRIPT_DONE || out.status != c->status || !slice_equal(given, slice_text(c->text))) {
            fail_msg("%s: %d, %u, \"%.*s\"", c->hook, rc, out.status, (int)given.n, given.p);
        }
    }
    unload(&made);
}

static void test_hook_answers_are_taken_or_mistakes(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        check_answer(&answers[i]);
    }
}

static void test_long_sentences_are_cut_between_characters(void **state) {
    (void)state;
    struct own_answer out;
    struct loaded made = load("on_head(function() return 400, 'x' .. ('\\195\\164'):rep(400) end)", 0);
    assert_int_equal(SCRIPT_DONE, judge(&made, REQUEST, &out));
    assert_int_equal(511, out.text.n);
    assert_int_equal((char)0xa4, out.text.p[510]);
    unload(&made);
}

/* What hooks see -------------------------------------------------------------------------------------------- */

static void test_hook_sees_the_head(void **state) {
    (void)state;
    struct own_answer out;
    struct loaded made =
        load("on_head(function(h) local x = h.headers return 400, table.concat({ h.method, h.host, h.path,"
             " h.raw_path, h.query, h.address, h.port, h.scheme, h.listener_port, x['X-a'], x.cookie,"
             " tostring(x.none), tostring(x['luttpd-bot']), tostring(x['']), x.Host }, ' ') end)",
             0);
    assert_string_equal("", made.why);
    assert_int_equal(SCRIPT_DONE, judge(&made, REQUEST, &out));
    char text[512] = "";
    memcpy(text, out.text.p, out.text.n);
    assert_string_equal(
        "GET a.example /a b /a%20b q=1 192.0.2.7 4711 http 8080 1, 2 a; b nil nil nil a.example:80", text);
    assert_int_equal(SCRIPT_DONE, judge(&made, "GET /p HTTP/1.1\nHost: b\nx-a: 3\ncookie: c", &out));
    assert_int_equal(400, out.status);
    assert_memory_equal("GET b /p /p  192", out.text.p, 16);
    unload(&made);
}

static void test_head_is_of_no_use_outside_of_a_hook(void **state) {
    (void)state;
    struct own_answer out;
    struct loaded made = load(
        "local kept = {} on_head(function(h) if not kept.h then kept.h = h end return 400, kept.h.path end)",
        0);
    assert_int_equal(SCRIPT_DONE, judge(&made, "GET /one HTTP/1.1\nHost: b", &out));
    assert_int_equal(SCRIPT_DONE, judge(&made, "GET /two HTTP/1.1\nHost: b", &out));
    assert_memory_equal("/two", out.text.p, 4);
    assert_null(machine.subject);
    unload(&made);
}

/* Tags ------------------------------------------------------------------------------------------------------- */

static void test_tags_are_named_luttpd_and_the_last_counts(void **state) {
    (void)state;
    struct own_answer out;
    struct loaded made =
        load("on_head(function(h) h:tag('bot', 'no') h:tag('n', 7) h:tag('bot', 'yes') end)", 0);
    assert_int_equal(SCRIPT_DONE, judge(&made, REQUEST, &out));
    assert_int_equal(2, subject.tag_count);
    assert_true(slice_equal(subject.tag[0].name, SLICE("luttpd-bot")));
    assert_true(slice_equal(subject.tag[0].value, SLICE("yes")));
    assert_true(slice_equal(subject.tag[1].name, SLICE("luttpd-n")));
    assert_true(slice_equal(subject.tag[1].value, SLICE("7")));
    unload(&made);
}

static void test_tags_are_refused_when_no_field_could_hold_them(void **state) {
    (void)state;
    const char *const bad[] = {
        "h:tag('Bot', 'x')",
        "h:tag('', 'x')",
        "h:tag('a b', 'x')",
        "h:tag('-a', 'x')",
        "h:tag(('a'):rep(58), 'x')",
        "h:tag('a', 'x\\r\\ny: z')",
        "h:tag('a', '\\0')",
        "h:tag('a', ' x')",
        "h:tag('a', 'x ')",
        "h:tag('a', nil)",
        "h:tag('a')",
        "h:tag()",
        "h:tag('a', {})",
        "h:tag('a', ('x'):rep(1025))",
        "for i = 1, 17 do h:tag('a' .. i, 'x') end",
        "for i = 1, 16 do h:tag('a' .. i, ('x'):rep(200)) end",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[256];
        struct own_answer out;
        (void)snprintf(text, sizeof text, "on_head(function(h) %s end)", bad[i]);
        struct loaded made = load(text, 0);
        if (judge(&made, REQUEST, &out) != SCRIPT_FAILED) {
            fail_msg("%s was taken", bad[i]);
        }
        unload(&made);
    }
}

/* Grammars ------------------------------------------------------------------------------------------------------ */

static void test_grammars_refuse_in_order_and_before_the_hook(void **state) {
    (void)state;
    struct own_answer out;
    struct loaded made =
        load("local P = lpeg.P reject { status = 421, path = P'/a' * -1 }"
             " reject { status = 422, path = lpeg.C(P'/') * P'a' / function() error 'never called' end }"
             " on_head(function(h) return 499 end)",
             2);
    assert_string_equal("", made.why);
    assert_int_equal(SCRIPT_DONE, judge(&made, "GET /a HTTP/1.1\nHost: b", &out));
    assert_int_equal(421, out.status);
    assert_int_equal(SCRIPT_DONE, judge(&made, "GET /ab HTTP/1.1\nHost: b", &out));
    assert_int_equal(422, out.status);
    assert_int_equal(SCRIPT_DONE, judge(&made, "GET /c HTTP/1.1\nHost: b", &out));
    assert_int_equal(499, out.status);
    unload(&made);
}

static void test_grammar_that_fails_is_an_error(void **state) {
    (void)state;
    struct own_answer out;
    struct loaded made = load("reject { status = 421, path = lpeg.Cmt(1, function() error 'no' end) }", 1);
    assert_int_equal(SCRIPT_FAILED, judge(&made, REQUEST, &out));
    assert_non_null(strstr(script_error(machine.script)->message, "parsing.lua:1: no"));
    unload(&made);
}

/* Loading --------------------------------------------------------------------------------------------------------- */

static void test_scripts_that_cannot_be_loaded_say_why(void **state) {
    (void)state;
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"on_head(", "parsing.lua:1: "},
        {"error 'no'", "parsing.lua:1: no"},
        {"local a = nothing", "parsing.lua:1: unknown name \"nothing\""},
        {"on_head(7)", "parsing.lua:1: on_head takes a function"},
        {"reject { status = 400, path = lpeg.P'a' }",
         "the script gives 1 grammars where it gave 0 when it was checked"},
        {"while true do end", "parsing.lua:1: "},
        {"local s = 'x' for i = 1, 40 do s = s .. s end", "memory"},
        {"\27LJ\2", "parsing.lua"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct loaded made = load(bad[i].text, 0);
        if (made.script != NULL || strstr(made.why, bad[i].why) == NULL) {
            fail_msg("%s: \"%s\"", bad[i].text, made.why);
        }
        unload(&made);
    }
}

static void test_print_is_heard(void **state) {
    (void)state;
    struct own_answer out;
    struct loaded made = load("on_head(function(h) print(h.path, 1) end)", 0);
    assert_int_equal(SCRIPT_DONE, judge(&made, REQUEST, &out));
    assert_string_equal("/a b\t1", printed);
    unload(&made);
}

static void test_policies_do_not_see_each_other(void **state) {
    (void)state;
    struct own_answer out;
    struct loaded one = load("string.sub = nil lpeg.P = nil on_head(function(h) return 401 end)", 0);
    struct loaded two = load("on_head(function(h) return 402, ('abc'):sub(1, 1) .. type(lpeg.P) end)", 0);
    assert_string_equal("", two.why);
    assert_int_equal(SCRIPT_DONE, judge(&two, REQUEST, &out));
    assert_true(slice_equal(out.text, SLICE("afunction")));
    assert_int_equal(SCRIPT_DONE, judge(&one, REQUEST, &out));
    assert_int_equal(401, out.status);
    unload(&one);
    assert_int_equal(SCRIPT_DONE, judge(&two, REQUEST, &out));
    unload(&two);
}

static void test_memory_is_given_back_when_policies_go(void **state) {
    (void)state;
    size_t after_first = 0;
    for (int i = 0; i < 200; i++) {
        struct own_answer out;
        struct loaded made = load(
            "local t = {} for i = 1, 1000 do t[i] = {} end on_head(function(h) return 400 + #t % 2 end)", 0);
        assert_int_equal(SCRIPT_DONE, judge(&made, REQUEST, &out));
        unload(&made);
        after_first = i == 0 ? script_memory_bytes(machine.script) : after_first;
    }
    assert_true(script_memory_bytes(machine.script) < after_first + 16384);
}

/* Budgets --------------------------------------------------------------------------------------------------------- */

static void test_hooks_that_never_end_are_ended(void **state) {
    (void)state;
    struct own_answer out;
    struct loaded made =
        load("on_head(function(h) if h.path == '/bomb' then local t = {} for i = 1, 1e9 do t[i] = {} end end"
             " if h.path == '/loop' then while true do end end return 418 end)",
             0);
    struct timespec before, after;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    assert_int_equal(SCRIPT_OVERTIME, judge(&made, "GET /loop HTTP/1.1\nHost: b", &out));
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    long ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    assert_in_range(ms, POLICY_CPU_MS - 1, POLICY_CPU_MS * 5);
    int rc = judge(&made, "GET /bomb HTTP/1.1\nHost: b", &out);
    assert_true(rc == SCRIPT_OVERSIZE || rc == SCRIPT_OVERTIME);
    assert_int_equal(SCRIPT_DONE, judge(&made, REQUEST, &out));
    assert_int_equal(418, out.status);
    unload(&made);
}

static int run_all(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hook_answers_are_taken_or_mistakes),
        cmocka_unit_test(test_long_sentences_are_cut_between_characters),
        cmocka_unit_test(test_hook_sees_the_head),
        cmocka_unit_test(test_head_is_of_no_use_outside_of_a_hook),
        cmocka_unit_test(test_tags_are_named_luttpd_and_the_last_counts),
        cmocka_unit_test(test_tags_are_refused_when_no_field_could_hold_them),
        cmocka_unit_test(test_grammars_refuse_in_order_and_before_the_hook),
        cmocka_unit_test(test_grammar_that_fails_is_an_error),
        cmocka_unit_test(test_scripts_that_cannot_be_loaded_say_why),
        cmocka_unit_test(test_print_is_heard),
        cmocka_unit_test(test_policies_do_not_see_each_other),
        cmocka_unit_test(test_memory_is_given_back_when_policies_go),
        cmocka_unit_test(test_hooks_that_never_end_are_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

static void on_stack(void *result) {
    *(int *)result = run_all();
}

int main(void) {
    int failed = 1;
    if (policy_machine_init(&machine, keep_line, NULL) == 0) {
        script_stack_run(&machine.stack, on_stack, &failed);
        policy_machine_deinit(&machine);
    }
    return failed;
}
