/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy_read.c – which files of policies are read, and which are refused, and why. */
#include "policy_build.h"

static void refused(struct record_builder *b, const char *reason) {
    struct policy_text text;
    char why[POLICY_WHY_BYTES];
    struct policy *policy = read_file(b, &text, why);
    if (strstr(why, reason) == NULL || policy != NULL) {
        fail_msg("\"%s\" instead of \"%s\"", why, reason);
    }
    assert_null(text.p);
}

#define PATH_A .subject = SUBJECT_PATH, .match = MATCH_PREFIX, .pattern = SLICE("/a")

static void test_only_the_own_policy_is_kept(void **state) {
    (void)state;
    struct policy_text text;
    char why[POLICY_WHY_BYTES];
    struct record_builder b = {.size = 0};
    struct message_policy_listen listen = plain_listen, other = plain_listen;
    listen.policy = 2;
    other.listen = 1;
    const uint8_t v6[16] = {0x20, 1};
    const struct message_policy_network inner = {
        .trust = TRUST_FORWARDED, .family = FAMILY_INET, .address = SLICE("\x0a\0\0\0"), .bits = 8};
    const struct message_policy_network unix_ = {.trust = TRUST_FORWARDED, .family = FAMILY_UNIX};
    const struct message_policy_network sender = {.trust = TRUST_PROXY_PROTOCOL,
                                                  .family = FAMILY_INET6,
                                                  .address = slice_from((const char *)v6, 16),
                                                  .bits = 128};
    const struct message_policy_network foreign = {
        .listen = 1, .trust = TRUST_FORWARDED, .family = FAMILY_UNIX};
    const struct message_route_field routing = {.name = SLICE("cookie")};
    const struct message_policy_text script = {
        .policy = 2, .file = SLICE("b.lua"), .part = SLICE("on_head(")};
    const struct message_policy_parsing second = {
        .policy = 2, .refuse_bad_utf8 = true, .keep_encoded_slash = true, .scripted = true};
    assert_int_equal(0, message_route_field_append(&b, &routing));
    add_policy(&b, 1, false);
    add_method(&b, "GET");
    add_rule(&b, 403);
    add_condition(&b, (struct message_policy_condition){PATH_A});
    assert_int_equal(0, message_policy_parsing_append(&b, &second));
    assert_int_equal(0, message_policy_text_append(&b, &script));
    assert_int_equal(0, message_policy_text_append(&b, &script));
    add_listen(&b, other);
    add_listen(&b, listen);
    assert_int_equal(0, message_policy_network_append(&b, &inner));
    assert_int_equal(0, message_policy_network_append(&b, &foreign));
    assert_int_equal(0, message_policy_network_append(&b, &unix_));
    assert_int_equal(0, message_policy_network_append(&b, &sender));
    struct policy *policy = read_file(&b, &text, why);
    assert_string_equal("", why);
    assert_int_equal(0, policy->rules->methods_count + policy->rules->rules_count);
    assert_int_equal(2, policy->proxies.count);
    assert_int_equal(8, policy->proxies.items[0].bits);
    assert_int_equal(10, policy->proxies.items[0].address[0]);
    assert_int_equal(FAMILY_UNIX, policy->proxies.items[1].family);
    assert_int_equal(1, policy->proxy_senders.count);
    assert_memory_equal(v6, policy->proxy_senders.items[0].address, 16);
    assert_true(policy->limits.h1.refuse_bad_utf8 && policy->limits.h1.keep_encoded_slash);
    assert_int_equal(H1_METHOD_MAX_BYTES, policy->limits.h1.method_bytes);
    assert_int_equal(1000, policy->limits.body_bytes);
    assert_int_equal(7, policy->limits.address_connections);
    assert_int_equal(16, text.n);
    assert_memory_equal("on_head(on_head(", text.p, 16);
    assert_string_equal("b.lua", text.file);
    free(text.p);
    policy_read_free(policy);
}

static void test_limits_are_refused_when_impossible(void **state) {
    (void)state;
    struct record_builder none = {.size = 0}, twice = begin_file(false), no_policy = {.size = 0};
    add_policy(&none, 1, false);
    refused(&none, "nothing is said about this listen statement");
    add_listen(&twice, plain_listen);
    refused(&twice, "two sets of limits");
    add_listen(&no_policy, plain_listen);
    refused(&no_policy, "nothing is said about this listen statement");
    struct message_policy_listen bad[6];
    for (size_t i = 0; i < 6; i++) {
        bad[i] = plain_listen;
    }
    bad[0].head_bytes = 65536;
    bad[1].head_bytes = 0;
    bad[2].target_bytes = 8193;
    bad[3].fields = 129;
    bad[4].fields = 0;
    bad[5].policy = 0;
    for (size_t i = 0; i < 6; i++) {
        struct record_builder b = {.size = 0};
        add_policy(&b, 1, false);
        bad[i].listen = 3; /* another's: refused all the same */
        add_listen(&b, bad[i]);
        refused(&b, "impossible limits");
    }
}

static void test_networks_are_refused_when_impossible(void **state) {
    (void)state;
    const struct message_policy_network bad[] = {
        {.family = FAMILY_INET, .address = SLICE("\x0a\0\0\0"), .bits = 33},
        {.family = FAMILY_INET, .address = SLICE("\x0a\0\0"), .bits = 8},
        {.family = FAMILY_INET6, .address = SLICE("\x0a\0\0\0"), .bits = 8},
        {.family = FAMILY_UNIX, .address = SLICE("\x0a\0\0\0"), .bits = 0},
        {.family = FAMILY_UNIX, .bits = 1},
        {.family = FAMILY_NONE},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct record_builder b = begin_file(false);
        assert_int_equal(0, message_policy_network_append(&b, &bad[i]));
        refused(&b, "an impossible network");
    }
}

static void test_records_are_refused_when_out_of_order(void **state) {
    (void)state;
    struct record_builder b = {.size = 0}, c = begin_file(false), d = begin_file(false),
                          e = begin_file(false);
    add_policy(&b, 2, false);
    refused(&b, "policies are out of order");
    add_policy(&c, 2, false);
    add_method(&c, "GET");
    refused(&c, "a record does not follow its policy");
    add_condition(&d, (struct message_policy_condition){PATH_A});
    refused(&d, "a condition without a rule");
    add_rule(&e, 403);
    add_method(&e, "GET");
    add_condition(&e, (struct message_policy_condition){PATH_A});
    refused(&e, "a condition without a rule");
}

static void test_rules_are_refused_when_they_would_refuse_everyone(void **state) {
    (void)state;
    struct record_builder b = begin_file(false);
    add_rule(&b, 403);
    add_rule(&b, 404);
    add_condition(&b, (struct message_policy_condition){PATH_A});
    refused(&b, "a rule without conditions");
}

static void test_statuses_are_refused_when_impossible(void **state) {
    (void)state;
    const uint16_t statuses[] = {0, 200, 399, 600};
    for (size_t i = 0; i < 4; i++) {
        struct record_builder b = begin_file(false), c = begin_file(false);
        add_rule(&b, statuses[i]);
        refused(&b, "an impossible status of a rule");
        if (statuses[i] != 0) {
            add_field(&c, (struct message_policy_field){.name = SLICE("a"), .required = statuses[i]});
            refused(&c, "an impossible status of a field");
        } else {
            free(c.bytes);
        }
    }
}

static void test_conditions_are_refused_when_impossible(void **state) {
    (void)state;
    const struct message_policy_condition bad[] = {
        {.subject = SUBJECT_PATH, .match = MATCH_PREFIX},
        {.subject = SUBJECT_PATH, .match = MATCH_PRESENT},
        {PATH_A, .name = SLICE("a")},
        {PATH_A, .grammar = 1},
        {PATH_A, .alternative = true},
        {.subject = SUBJECT_FIELD, .match = MATCH_EQUALS, .pattern = SLICE("a")},
        {.subject = SUBJECT_FIELD, .name = SLICE("A"), .match = MATCH_PRESENT},
        {.subject = SUBJECT_FIELD, .name = SLICE("a"), .match = MATCH_PRESENT, .pattern = SLICE("a")},
        {.subject = SUBJECT_HOST, .match = MATCH_EQUALS, .pattern = SLICE("A"), .fold = true},
        {.subject = SUBJECT_PATH, .match = MATCH_GRAMMAR},
        {.subject = SUBJECT_PATH, .match = MATCH_GRAMMAR, .grammar = 2},
        {.subject = SUBJECT_PATH, .match = MATCH_GRAMMAR, .grammar = 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct record_builder b = begin_file(false);
        add_rule(&b, 403);
        add_condition(&b, bad[i]);
        refused(&b, "the policies cannot be used: ");
    }
    struct record_builder b = begin_file(false);
    add_rule(&b, 403);
    add_condition(&b, (struct message_policy_condition){PATH_A});
    add_condition(&b, (struct message_policy_condition){PATH_A, .negated = true, .alternative = true});
    refused(&b, "an alternative to another condition");
}

static void test_too_many_of_anything_are_refused(void **state) {
    (void)state;
    struct record_builder methods = begin_file(false), names = begin_file(false), script = begin_file(true);
    for (int i = 0; i <= POLICY_METHODS_MAX; i++) {
        add_method(&methods, "GET");
    }
    refused(&methods, "too many");
    for (int i = 0; i <= POLICY_NAMES_MAX; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "x-%d", i);
        add_rule(&names, 403);
        add_condition(&names, (struct message_policy_condition){.subject = SUBJECT_FIELD,
                                                                .name = slice_text(name),
                                                                .match = MATCH_PRESENT});
    }
    refused(&names, "more than 255 different fields");
    refused(&script, "a policy's script is missing");
}

static void test_a_file_cut_anywhere_is_refused_or_whole(void **state) {
    (void)state;
    struct record_builder b = begin_file(true);
    add_method(&b, "GET");
    add_rule(&b, 403);
    add_condition(&b, (struct message_policy_condition){PATH_A});
    add_script(&b, "reject {}");
    for (size_t n = 0; n < b.size; n++) {
        struct record_builder part = {.bytes = malloc(n + 1), .size = n};
        struct policy_text text;
        char why[POLICY_WHY_BYTES];
        memcpy(part.bytes, b.bytes, n);
        assert_null(read_file(&part, &text, why));
    }
    free(b.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_the_own_policy_is_kept),
        cmocka_unit_test(test_limits_are_refused_when_impossible),
        cmocka_unit_test(test_networks_are_refused_when_impossible),
        cmocka_unit_test(test_records_are_refused_when_out_of_order),
        cmocka_unit_test(test_rules_are_refused_when_they_would_refuse_everyone),
        cmocka_unit_test(test_statuses_are_refused_when_impossible),
        cmocka_unit_test(test_conditions_are_refused_when_impossible),
        cmocka_unit_test(test_too_many_of_anything_are_refused),
        cmocka_unit_test(test_a_file_cut_anywhere_is_refused_or_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
