/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_policy.c – any bytes as a file of policies: refused with a reason, or a policy that can judge any head.
 * The first byte says how many of the bytes behind it are the fields of the request that is judged. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "listener/policy_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BEGIN \
    "GET /api/../%61pi/x.php?q=1 HTTP/1.1\r\nHost: a.Example\r\nUser-Agent: a BadBot/1\r\nX-A: 1\r\nx-a: 2\r\n"

static struct h1_parser parser;
static struct field fields[H1_FIELDS_MAX];
static char path[H1_TARGET_MAX_BYTES], scratch[POLICY_SCRATCH_BYTES];

static bool by_length(void *context, unsigned grammar, struct slice text) {
    const struct policy *policy = context;
    MUST(grammar >= 1 && grammar <= policy->rules->grammars);
    return text.n % 2 == grammar % 2;
}

/* The head with these lines behind the fixed ones; without them where they are malformed. */
static bool make_head(const struct policy *policy, char *buffer, const uint8_t *lines, size_t n,
                      struct h1_head *head) {
    size_t at = sizeof BEGIN - 1;
    memcpy(buffer, BEGIN, at);
    memcpy(buffer + at, lines, n);
    memcpy(buffer + at + n, "\r\n\r\n", 4);
    h1_head_begin(&parser, &policy->limits.h1);
    if (h1_head_parse(&parser, buffer, at + n + 4) != H1_DONE) {
        return false;
    }
    h1_head_read(&parser, buffer, path, fields, head);
    return true;
}

static void judge(struct policy *policy, struct h1_head *head) {
    struct policy_matter matter = {.head = head, .scratch = scratch, .grammar = by_length, .context = policy};
    size_t all = head->fields_count;
    unsigned status = policy_rules_method(policy->rules, head->method);
    MUST(status == 0 || status == 405 || status == 501);
    status = policy_rules_judge(policy->rules, &matter);
    MUST(status == 0 || (status >= 400 && status <= 599));
    MUST(policy_rules_judge(policy->rules, &matter) == status);
    policy_rules_remove(policy->rules, head);
    MUST(head->fields_count == all && head->end_to_end + head->claims <= all);
}

static void check(const struct policy *policy) {
    const struct h1_limits *limits = &policy->limits.h1;
    MUST(limits->head_bytes > 0 && limits->head_bytes <= H1_HEAD_MAX_BYTES);
    MUST(limits->target_bytes > 0 && limits->target_bytes <= H1_TARGET_MAX_BYTES);
    MUST(limits->fields > 0 && limits->fields <= H1_FIELDS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct policy *policy;
    struct policy_text text;
    char why[POLICY_WHY_BYTES] = "", buffer[sizeof BEGIN + 256 + 4];
    struct h1_head head;
    if (size == 0) {
        return 0;
    }
    size_t lines = data[0] < size - 1 ? data[0] : size - 1, bytes = size - 1 - lines;
    uint8_t *file = malloc(bytes > 0 ? bytes : 1); /* its own block: reading past it is seen */
    MUST(file != NULL);
    memcpy(file, data + 1 + lines, bytes);
    int rc = policy_read(file, bytes, 0, &policy, &text, why);
    free(file); /* nothing may point into it */
    if (rc != 0) {
        MUST(why[0] != '\0' && text.p == NULL);
        return 0;
    }
    check(policy);
    if (make_head(policy, buffer, data + 1, lines, &head)) {
        judge(policy, &head);
    }
    free(text.p);
    policy_read_free(policy);
    return 0;
}
