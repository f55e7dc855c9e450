/* SPDX-License-Identifier: Apache-2.0 */
/* policy.c – a listener's policy: loaded, held, asked; see policy.h.
 * Runs in: listener. Distrusts: the file's form, scripts, each request. */
#include "listener/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/must.h"
#include "base/report.h"
#include "channel/memfd.h"
#include "listener/connection.h"
#include "listener/policy_script.h"

#define LINE_BYTES (SCRIPT_ERROR_MAX_BYTES + 64)

/* What a script prints is for whoever wrote it: the server's error log. */
static void print_line(void *context, const char *text, size_t n) {
    struct listener *l = context;
    log_producer_error(&l->log, LEVEL_INFO, slice_from(text, n));
}

int policy_prepare(struct listener *l) {
    l->policy_machine = calloc(1, sizeof *l->policy_machine);
    return l->policy_machine != NULL ? policy_machine_init(l->policy_machine, print_line, l) : -ENOMEM;
}

void policy_run(struct listener *l, void (*fn)(void *l)) {
    script_stack_run(&l->policy_machine->stack, fn, l);
}

/* Loading -------------------------------------------------------------------------------------------------- */

static int load(struct listener *l, const uint8_t *bytes, size_t size, struct policy **out,
                char why[POLICY_WHY_BYTES]) {
    struct policy_text text;
    int rc = policy_read(bytes, size, l->listen, out, &text, why);
    if (rc == 0 && text.p != NULL) {
        struct policy *p = *out;
        rc = policy_script_load(l->policy_machine, &text, p->rules->grammars, &p->script, why);
        if (rc != 0) {
            policy_read_free(p);
        }
        free(text.p);
    }
    return rc;
}

int policy_load(struct listener *l, int fd, uint64_t epoch, char why[POLICY_WHY_BYTES]) {
    const uint8_t *bytes;
    size_t size;
    struct policy *policy;
    int rc = memfd_map_file(fd, POLICY_FILE_MAX_BYTES, &bytes, &size);
    if (rc < 0) {
        (void)snprintf(why, POLICY_WHY_BYTES, "the policies cannot be read: %s", strerror(-rc));
        return rc;
    }
    rc = load(l, bytes, size, &policy, why);
    (void)munmap((void *)(uintptr_t)bytes, size);
    if (rc < 0) {
        return rc;
    }
    policy->epoch = epoch;
    policy->references = 1;
    policy_drop(l, &l->policy);
    l->policy = policy;
    return 0;
}

struct policy *policy_hold(struct policy *policy) {
    policy->references++;
    return policy;
}

void policy_drop(struct listener *l, struct policy **policy) {
    struct policy *p = *policy;
    *policy = NULL;
    if (p != NULL && --p->references == 0) {
        policy_script_free(l->policy_machine, p->script);
        policy_read_free(p);
    }
}

/* Judging ---------------------------------------------------------------------------------------------------- */

/* A mistake of the policy's is nobody's way in: the request is refused, and whoever wrote it is told. */
static void fail(struct listener *l, const struct connection *c, struct own_answer *out) {
    char line[LINE_BYTES];
    int n = snprintf(line, sizeof line, "request %016llx: parsing policy: %s", (unsigned long long)c->id,
                     script_error(l->policy_machine->script)->message);
    log_producer_error(&l->log, LEVEL_ERROR,
                       slice_from(line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1));
    report(REPORT_ERROR, "%s", line);
    *out = (struct own_answer){.status = 500};
}

/* Behind the other fields that the vhost sees. The last of those that it does not see makes room. */
static bool add_tags(struct h1_head *head, const struct policy_subject *subject) {
    for (size_t i = 0; i < subject->tag_count; i++) {
        size_t hidden = head->fields_count - head->end_to_end - head->claims;
        if (head->fields_count == H1_FIELDS_MAX && hidden == 0) {
            return false;
        }
        head->fields_count -= head->fields_count == H1_FIELDS_MAX;
        struct field *at = &head->fields[head->end_to_end];
        memmove(at + 1, at, (head->fields_count - head->end_to_end) * sizeof *at);
        *at = subject->tag[i];
        head->end_to_end++;
        head->fields_count++;
    }
    return true;
}

static void judge_scripted(struct listener *l, struct connection *c, struct own_answer *out) {
    struct request *r = c->request;
    struct policy_subject subject;
    subject.head = &r->head;
    subject.client = &c->client;
    subject.listener_port = l->port;
    subject.tags = r->tags;
    subject.tags_used = subject.tag_count = 0;
    if (policy_script_judge(l->policy_machine, r->policy->script, r->policy->rules, &subject, out) != 0) {
        fail(l, c, out);
    } else if (out->status == 0 && !add_tags(&r->head, &subject)) {
        out->status = 431;
    }
}

static void judge_plain(struct listener *l, struct connection *c, struct own_answer *out) {
    const struct policy_rules *rules = c->request->policy->rules;
    struct policy_matter matter;
    if (rules->fields_count > 0 || rules->rules_count > 0) {
        matter.head = &c->request->head;
        matter.scratch = l->policy_machine->scratch;
        matter.grammar = NULL;
        out->status = (uint16_t)policy_rules_judge(rules, &matter);
    }
}

bool policy_judge(struct listener *l, struct connection *c, struct own_answer *out) {
    const struct policy *policy = c->request->policy;
    struct h1_head *head = &c->request->head;
    *out = (struct own_answer){.status = (uint16_t)policy_rules_method(policy->rules, head->method)};
    if (out->status == 405) {
        out->allow = policy->rules->allow;
    } else if (out->status == 0 && policy->script != NULL) {
        judge_scripted(l, c, out);
    } else if (out->status == 0) {
        judge_plain(l, c, out);
    }
    if (out->status == 0 && policy->rules->removes) {
        policy_rules_remove(policy->rules, head);
    }
    return out->status != 0;
}
