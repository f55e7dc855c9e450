/* SPDX-License-Identifier: Apache-2.0 */
/* policy_build.h – files of policies for tests, record by record, and heads to judge by them. */
#ifndef LUTTPD_TESTS_POLICY_BUILD_H
#define LUTTPD_TESTS_POLICY_BUILD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "channel/record_file.h"
#include "listener/policy_read.h"

static const struct message_policy_listen plain_listen = {.listen = 0,
                                                          .policy = 1,
                                                          .head_bytes = 16384,
                                                          .target_bytes = 8192,
                                                          .fields = 128,
                                                          .trailer_bytes = 4096,
                                                          .extension_bytes = 4096,
                                                          .body_bytes = 1000,
                                                          .head_ms = 1,
                                                          .idle_ms = 2,
                                                          .body_rate = 3,
                                                          .send_rate = 4,
                                                          .requests = 5,
                                                          .connections = 6,
                                                          .address_connections = 7};

static inline void add_policy(struct record_builder *b, uint16_t number, bool scripted) {
    const struct message_policy_parsing m = {.policy = number, .scripted = scripted};
    assert_int_equal(0, message_policy_parsing_append(b, &m));
}

static inline void add_listen(struct record_builder *b, struct message_policy_listen m) {
    assert_int_equal(0, message_policy_listen_append(b, &m));
}

/* A file with limits for listen statement 0 and one policy, to which records can be added. */
static inline struct record_builder begin_file(bool scripted) {
    struct record_builder b = {.size = 0};
    add_listen(&b, plain_listen);
    add_policy(&b, 1, scripted);
    return b;
}

static inline void add_method(struct record_builder *b, const char *method) {
    const struct message_policy_method m = {.policy = 1, .method = slice_text(method)};
    assert_int_equal(0, message_policy_method_append(b, &m));
}

static inline void add_field(struct record_builder *b, struct message_policy_field m) {
    m.policy = 1;
    assert_int_equal(0, message_policy_field_append(b, &m));
}

static inline void add_rule(struct record_builder *b, uint16_t status) {
    const struct message_policy_rule m = {.policy = 1, .status = status};
    assert_int_equal(0, message_policy_rule_append(b, &m));
}

static inline void add_condition(struct record_builder *b, struct message_policy_condition m) {
    assert_int_equal(0, message_policy_condition_append(b, &m));
}

static inline void add_script(struct record_builder *b, const char *text) {
    const struct message_policy_text m = {
        .policy = 1, .file = SLICE("parsing.lua"), .part = slice_text(text)};
    assert_int_equal(0, message_policy_text_append(b, &m));
}

/* Reads and frees the file; why is empty where it was read. */
static inline struct policy *read_file(struct record_builder *b, struct policy_text *text, char *why) {
    struct policy *policy = NULL;
    uint8_t *exact = malloc(b->size > 0 ? b->size : 1); /* its own block: reading past it is seen */
    memcpy(exact, b->bytes, b->size);
    why[0] = '\0';
    if (policy_read(exact, b->size, 0, &policy, text, why) != 0) {
        assert_null(policy);
        assert_true(why[0] != '\0');
    }
    free(exact);
    free(b->bytes);
    return policy;
}

/* "GET a.example /path?query" and field lines "name: value", all parted by newlines. */
struct test_head {
    struct h1_parser parser;
    struct h1_head head;
    struct field fields[H1_FIELDS_MAX];
    char path[H1_TARGET_MAX_BYTES], bytes[H1_HEAD_MAX_BYTES];
};

static inline struct h1_head *make_head(struct test_head *t, const char *request) {
    struct h1_limits limits = h1_default_limits;
    limits.head_bytes = H1_HEAD_MAX_BYTES;
    size_t n = 0;
    for (; *request != '\0'; request++) {
        if (*request == '\n') {
            t->bytes[n++] = '\r';
        }
        t->bytes[n++] = *request;
    }
    memcpy(t->bytes + n, "\r\n\r\n", 4);
    h1_head_begin(&t->parser, &limits);
    assert_int_equal(H1_DONE, h1_head_parse(&t->parser, t->bytes, n + 4));
    h1_head_read(&t->parser, t->bytes, t->path, t->fields, &t->head);
    return &t->head;
}

#endif
