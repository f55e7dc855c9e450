/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.c – asks a config process for the plan.
 * Runs in: master. Distrusts: config. Faults go to standard error as "file:line: key: reason"; in
 * check mode to standard output as lines of four parts parted by tabs, for the command to show. */
#include "master/evaluate.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "master/children.h"
#include "master/serve.h"

#define FAULTS_MAX 1000

int evaluate_on_plan(void *context, const struct message_plan *plan, struct packet *p) {
    struct evaluation *e = &((struct master *)context)->evaluation;
    (void)plan;
    if (e->plan >= 0 || e->faults > 0) {
        return -EBADMSG;
    }
    e->plan = packet_take(p, 0);
    e->routes = packet_take(p, 1);
    e->policies = packet_take(p, 2);
    return 0;
}

int evaluate_on_fault(void *context, const struct message_fault *fault, struct packet *p) {
    struct master *m = context;
    char file[4 * MESSAGE_FAULT_FILE_MAX + 1], key[4 * MESSAGE_FAULT_KEY_MAX + 1];
    char reason[4 * MESSAGE_FAULT_REASON_MAX + 1], line[16] = "";
    struct evaluation *e = &m->evaluation;
    (void)p;
    if (e->plan >= 0 || ++e->faults > FAULTS_MAX) {
        return -EBADMSG;
    }
    notes_escape(file, sizeof file, fault->file);
    notes_escape(key, sizeof key, fault->key);
    notes_escape(reason, sizeof reason, fault->reason);
    if (m->options.check) {
        notes_print("fault\t%s\t%u\t%s\t%s\n", file, fault->line, key, reason);
        return 0;
    }
    if (fault->line > 0) {
        (void)snprintf(line, sizeof line, "%u:", fault->line);
    }
    notes_line(m->reload.phase == RELOAD_NOT ? -1 : 0, "%s:%s %s%s%s\n", file, line, key,
               key[0] != '\0' ? ": " : "", reason);
    return 0;
}

void evaluate_begin(struct master *m) {
    *master_config(m) = child_new(ROLE_CONFIG, 0);
    m->evaluation = (struct evaluation){.plan = -1, .routes = -1, .policies = -1};
    child_start(m, master_config(m));
}

bool evaluate_ended(struct master *m) {
    return master_config(m)->pidfd < 0;
}

static int judge(struct master *m, struct plan *out) {
    char why[PLAN_WHY_BYTES];
    const struct evaluation *e = &m->evaluation;
    if (e->faults > 0) {
        return EXIT_CONFIGURATION;
    }
    if (!e->finished || e->plan < 0) {
        report(REPORT_ERROR, "the configuration %s/%s could not be evaluated", m->options.directory,
               m->options.file);
        return EXIT_FAILED;
    }
    if (plan_open(e->plan, &m->rules, out, why) != 0) {
        report(REPORT_ERROR, "config has sent a plan that breaks a rule: %s", why);
        return EXIT_FAILED;
    }
    return 0;
}

int evaluate_take(struct master *m, struct plan *out, int *routes, int *policies) {
    struct evaluation *e = &m->evaluation;
    int rc = judge(m, out);
    (void)close(e->plan); /* what is mapped stays */
    if (rc == 0) {
        *routes = e->routes;
        *policies = e->policies;
    } else {
        (void)close(e->routes);
        (void)close(e->policies);
    }
    e->plan = e->routes = e->policies = -1;
    return rc;
}

int evaluate(struct master *m) {
    m->child_count = 1;
    m->epoch = 1;
    evaluate_begin(m);
    while (!evaluate_ended(m)) {
        serve_turn(m, children_advance(m, clock_monotonic_ms()));
    }
    return evaluate_take(m, &m->plan, &m->routes, &m->policies);
}
