/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy_rules.c – what a policy's data refuses, and what it takes away. */
#include "policy_build.h"

static bool last_letter_matches(void *context, unsigned grammar, struct slice text) {
    *(unsigned *)context = grammar;
    return text.n > 0 && text.p[text.n - 1] == 'z';
}

static struct policy *policy_of(struct record_builder *b) {
    struct policy_text text;
    char why[POLICY_WHY_BYTES];
    struct policy *policy = read_file(b, &text, why);
    assert_string_equal("", why);
    assert_non_null(policy);
    free(text.p);
    return policy;
}

static unsigned judge(const struct policy *policy, const char *request) {
    static char scratch[POLICY_SCRATCH_BYTES];
    static struct test_head t;
    unsigned asked;
    struct policy_matter matter = {.head = make_head(&t, request),
                                   .scratch = scratch,
                                   .grammar = last_letter_matches,
                                   .context = &asked};
    unsigned status = policy_rules_method(policy->rules, matter.head->method);
    return status != 0 ? status : policy_rules_judge(policy->rules, &matter);
}

#define REQUEST(line, fields) line " HTTP/1.1\nHost: A.Example:80" fields

/* One condition, one request: whether the rule's 403 comes. */
struct matcher_case {
    struct message_policy_condition condition;
    const char *request;
    bool refused;
};

#define ON(subject_, match_, pattern_) \
    .subject = SUBJECT_##subject_, .match = MATCH_##match_, .pattern = SLICE(pattern_)
#define FIELD(match_, pattern_) ON(FIELD, match_, pattern_), .name = SLICE("x-a"), .fold = true

static const struct matcher_case cases[] = {
    {{ON(METHOD, EQUALS, "GET")}, REQUEST("GET /", ""), true},
    {{ON(METHOD, EQUALS, "GET")}, REQUEST("get /", ""), false},
    {{ON(METHOD, EQUALS, "GET"), .negated = true}, REQUEST("PUT /", ""), true},
    {{ON(METHOD, EQUALS, "GET"), .negated = true}, REQUEST("GET /", ""), false},
    {{ON(HOST, SUFFIX, ".example"), .fold = true}, REQUEST("GET /", ""), true},
    {{ON(HOST, EQUALS, "a.example"), .fold = true}, REQUEST("GET /", ""), true},
    {{ON(HOST, EQUALS, "a.example:80"), .fold = true}, REQUEST("GET /", ""), false},
    {{ON(PATH, PREFIX, "/api/")}, REQUEST("GET /api/x", ""), true},
    {{ON(PATH, PREFIX, "/api/")}, REQUEST("GET /%61pi/x", ""), true},
    {{ON(PATH, PREFIX, "/api/")}, REQUEST("GET /x/../api/x", ""), true},
    {{ON(PATH, PREFIX, "/api/")}, REQUEST("GET //api//x", ""), true},
    {{ON(PATH, PREFIX, "/api/")}, REQUEST("GET /api", ""), false},
    {{ON(PATH, PREFIX, "/api/")}, REQUEST("GET /API/x", ""), false},
    {{ON(PATH, SUFFIX, ".php")}, REQUEST("GET /a.php?b", ""), true},
    {{ON(PATH, SUFFIX, ".php")}, REQUEST("GET /a.php5", ""), false},
    {{ON(PATH, CONTAINS, "wp-")}, REQUEST("GET /a/wp-login", ""), true},
    {{ON(QUERY, CONTAINS, "Q=")}, REQUEST("GET /?Q=1", ""), true},
    {{ON(QUERY, CONTAINS, "Q=")}, REQUEST("GET /?q=1", ""), false},
    {{ON(QUERY, CONTAINS, "q")}, REQUEST("GET /q", ""), false},
    {{FIELD(CONTAINS, "badbot")}, REQUEST("GET /", "\nX-A: a BadBot/1"), true},
    {{FIELD(CONTAINS, "badbot")}, REQUEST("GET /", "\nx-a: good\nX-A: BADBOT"), true},
    {{FIELD(CONTAINS, "badbot")}, REQUEST("GET /", "\nx-b: badbot"), false},
    {{FIELD(CONTAINS, "badbot")}, REQUEST("GET /", "\nx-a: badbo"), false},
    {{FIELD(CONTAINS, "badbot")}, REQUEST("GET /", "\nx-a: bad\nx-a: bot"), false},
    {{FIELD(CONTAINS, "badbot"), .negated = true}, REQUEST("GET /", ""), true},
    {{FIELD(CONTAINS, "badbot"), .negated = true}, REQUEST("GET /", "\nx-a: c\nx-a: badbot"), false},
    {{FIELD(CONTAINS, "ab")}, REQUEST("GET /", "\nx-a: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaAB"), true},
    {{FIELD(CONTAINS, "ab")}, REQUEST("GET /", "\nx-a: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), false},
    {{FIELD(CONTAINS, "ab")}, REQUEST("GET /", "\nx-a: aaaaaaaaaaaaaaaa"), false},
    {{FIELD(CONTAINS, "ab")}, REQUEST("GET /", "\nx-a: aaaaaaaaaaaaaaaab"), true},
    {{FIELD(CONTAINS, "ab")}, REQUEST("GET /", "\nx-a: aB"), true},
    {{FIELD(EQUALS, "b")}, REQUEST("GET /", "\nx-a: B"), true},
    {{FIELD(PREFIX, "basic ")}, REQUEST("GET /", "\nx-a: BASIC 12"), true},
    {{FIELD(SUFFIX, "z")}, REQUEST("GET /", "\nx-a: yZ"), true},
    {{.subject = SUBJECT_FIELD, .name = SLICE("x-a"), .match = MATCH_PRESENT},
     REQUEST("GET /", "\nx-a: 1"),
     true},
    {{.subject = SUBJECT_FIELD, .name = SLICE("x-a"), .match = MATCH_PRESENT},
     REQUEST("GET /", "\nx-a:"),
     false},
    {{.subject = SUBJECT_FIELD, .name = SLICE("x-a"), .match = MATCH_ABSENT}, REQUEST("GET /", ""), true},
    {{.subject = SUBJECT_FIELD, .name = SLICE("x-a"), .match = MATCH_ABSENT},
     REQUEST("GET /", "\nx-a:"),
     true},
    {{.subject = SUBJECT_FIELD, .name = SLICE("x-a"), .match = MATCH_ABSENT},
     REQUEST("GET /", "\nx-a:\nx-a: 1"),
     false},
    {{.subject = SUBJECT_PATH, .match = MATCH_GRAMMAR, .grammar = 1}, REQUEST("GET /z", ""), true},
    {{.subject = SUBJECT_PATH, .match = MATCH_GRAMMAR, .grammar = 1}, REQUEST("GET /y", ""), false},
    {{.subject = SUBJECT_FIELD, .name = SLICE("x-a"), .match = MATCH_GRAMMAR, .grammar = 1},
     REQUEST("GET /", "\nx-a: y\nx-a: z"),
     true},
};

static void test_each_matcher_matches_what_it_should(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct matcher_case *c = &cases[i];
        struct record_builder b = begin_file(c->condition.grammar != 0);
        add_rule(&b, 403);
        add_condition(&b, c->condition);
        if (c->condition.grammar != 0) {
            add_script(&b, "-- reject");
        }
        struct policy *policy = policy_of(&b);
        unsigned status = judge(policy, c->request);
        if (status != (c->refused ? 403 : 0)) {
            fail_msg("case %zu: %u for %s", i, status, c->request);
        }
        policy_read_free(policy);
    }
}

static void test_conditions_are_anded_and_alternatives_ored(void **state) {
    (void)state;
    struct record_builder b = begin_file(false);
    add_rule(&b, 403);
    add_condition(&b, (struct message_policy_condition){ON(PATH, PREFIX, "/a")});
    add_condition(&b, (struct message_policy_condition){ON(PATH, PREFIX, "/b"), .alternative = true});
    add_condition(&b, (struct message_policy_condition){ON(METHOD, EQUALS, "GET"), .negated = true});
    add_condition(&b, (struct message_policy_condition){ON(METHOD, EQUALS, "HEAD"), .negated = true,
                                                        .alternative = true});
    add_rule(&b, 404);
    add_condition(&b, (struct message_policy_condition){ON(PATH, PREFIX, "/b/")});
    struct policy *policy = policy_of(&b);
    assert_int_equal(403, judge(policy, REQUEST("PUT /a", "")));
    assert_int_equal(403, judge(policy, REQUEST("PUT /b/", "")));
    assert_int_equal(0, judge(policy, REQUEST("PUT /c", "")));
    assert_int_equal(0, judge(policy, REQUEST("GET /a", "")));
    assert_int_equal(0, judge(policy, REQUEST("HEAD /b", "")));
    assert_int_equal(404, judge(policy, REQUEST("HEAD /b/", "")));
    policy_read_free(policy);
}

static void test_methods_are_allowed_405_or_501(void **state) {
    (void)state;
    struct record_builder b = begin_file(false), open = begin_file(false);
    add_method(&b, "GET");
    add_method(&b, "PURGE");
    struct policy *policy = policy_of(&b), *any = policy_of(&open);
    assert_int_equal(0, judge(policy, REQUEST("GET /", "")));
    assert_int_equal(0, judge(policy, REQUEST("PURGE /", "")));
    assert_int_equal(405, judge(policy, REQUEST("POST /", "")));
    assert_int_equal(405, judge(policy, REQUEST("VERSION-CONTROL /", "")));
    assert_int_equal(501, judge(policy, REQUEST("get /", "")));
    assert_int_equal(501, judge(policy, REQUEST("BREW /", "")));
    assert_true(slice_equal(policy->rules->allow, SLICE("GET, PURGE")));
    assert_int_equal(0, judge(any, REQUEST("BREW /", "")));
    assert_int_equal(405, judge(any, REQUEST("TRACE /", "")));
    assert_int_equal(405, policy_rules_method(any->rules, SLICE("CONNECT")));
    assert_true(slice_equal(any->rules->allow, policy_default_allow));
    policy_read_free(policy);
    policy_read_free(any);
}

static void test_fields_are_required_single_and_short(void **state) {
    (void)state;
    struct record_builder b = begin_file(false);
    add_field(&b, (struct message_policy_field){.name = SLICE("x-a"), .required = 401});
    add_field(&b, (struct message_policy_field){
                      .name = SLICE("x-b"), .repeated = 400, .too_long = 431, .max_bytes = 3});
    struct policy *policy = policy_of(&b);
    assert_int_equal(401, judge(policy, REQUEST("GET /", "")));
    assert_int_equal(401, judge(policy, REQUEST("GET /", "\nX-A: ")));
    assert_int_equal(0, judge(policy, REQUEST("GET /", "\nX-A: 1")));
    assert_int_equal(0, judge(policy, REQUEST("GET /", "\nX-A: 1\nX-B: 123")));
    assert_int_equal(431, judge(policy, REQUEST("GET /", "\nX-A: 1\nX-B: 1234")));
    assert_int_equal(400, judge(policy, REQUEST("GET /", "\nX-A: 1\nX-B: 1\nx-c: 1\nX-B: 1")));
    policy_read_free(policy);
}

static void test_removed_fields_leave_their_group_in_order(void **state) {
    (void)state;
    static struct test_head t;
    struct record_builder b = begin_file(false);
    add_field(&b, (struct message_policy_field){.name = SLICE("x-a"), .remove = true});
    add_field(&b, (struct message_policy_field){.name = SLICE("x-real-ip"), .remove = true});
    struct policy *policy = policy_of(&b);
    struct h1_head *head = make_head(
        &t, REQUEST("GET /", "\nx-b: 1\nx-a: 2\nx-real-ip: ::1\nx-c: 3\nte: x\nx-a: 4\nforwarded: for=a"));
    size_t all = head->fields_count, seen = head->end_to_end, claims = head->claims;
    policy_rules_remove(policy->rules, head);
    assert_int_equal(all, head->fields_count);
    assert_int_equal(seen - 2, head->end_to_end);
    assert_int_equal(claims - 1, head->claims);
    for (size_t i = 0; i < head->end_to_end + head->claims; i++) {
        assert_false(slice_equal(head->fields[i].name, SLICE("x-a")));
        assert_false(slice_equal(head->fields[i].name, SLICE("x-real-ip")));
    }
    assert_true(slice_equal(head->fields[head->end_to_end].name, SLICE("forwarded")));
    assert_true(slice_equal(head->fields[head->end_to_end - 1].name, SLICE("x-c")));
    policy_read_free(policy);
}

static void test_a_name_of_many_is_found(void **state) {
    (void)state;
    char name[16];
    struct record_builder b = begin_file(false);
    for (int i = 0; i < POLICY_NAMES_MAX; i++) {
        (void)snprintf(name, sizeof name, "x-%d", i);
        add_rule(&b, (uint16_t)(400 + i % 100));
        add_condition(&b, (struct message_policy_condition){ON(FIELD, EQUALS, "1"), .name = slice_text(name),
                                                            .fold = true});
    }
    struct policy *policy = policy_of(&b);
    for (int i = 0; i < POLICY_NAMES_MAX; i++) {
        char request[64];
        (void)snprintf(request, sizeof request, REQUEST("GET /", "\nx-%d: 1"), i);
        assert_int_equal(400 + i % 100, judge(policy, request));
    }
    assert_int_equal(0, judge(policy, REQUEST("GET /", "\nx-255: 1")));
    policy_read_free(policy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_matcher_matches_what_it_should),
        cmocka_unit_test(test_conditions_are_anded_and_alternatives_ored),
        cmocka_unit_test(test_methods_are_allowed_405_or_501),
        cmocka_unit_test(test_fields_are_required_single_and_short),
        cmocka_unit_test(test_removed_fields_leave_their_group_in_order),
        cmocka_unit_test(test_a_name_of_many_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
