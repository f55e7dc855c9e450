/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.c – asks a config process for the plan.
 * Runs in: master. Distrusts: config. Faults go to standard error as "file:line: key: reason"; in
 * check mode to standard output as lines of four parts parted by tabs, for the command to show. */
#include "master/evaluate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "master/children.h"
#include "master/dispatch.h"

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
    (void)dprintf(STDERR_FILENO, "%s:%s %s%s%s\n", file, line, key, key[0] != '\0' ? ": " : "", reason);
    return 0;
}

/* Runs config to its end. Returns whether it ended by itself in time. */
static bool run_config(struct master *m, uint64_t due) {
    struct child *c = &m->config;
    struct signalfd_siginfo signal;
    while (c->pidfd >= 0) {
        uint64_t now = clock_monotonic_ms();
        if (c->hung_up && due > c->stuck_ms + CHILD_HUNG_UP_MS) {
            due = c->stuck_ms + CHILD_HUNG_UP_MS;
        }
        struct pollfd polled[3] = {{.fd = c->hung_up ? -1 : c->control, .events = POLLIN},
                                   {.fd = c->pidfd, .events = POLLIN},
                                   {.fd = m->signals, .events = POLLIN}};
        if (now >= due && c->state != CHILD_KILLED) {
            child_blame(m, c, "did not finish in time");
        }
        (void)poll(polled, 3, now >= due ? -1 : (int)(due - now));
        if (polled[2].revents != 0 && read(m->signals, &signal, sizeof signal) > 0) {
            child_kill(m, c);
        }
        if (polled[0].revents != 0) {
            dispatch_child(m, c);
        }
        if (polled[1].revents != 0) {
            child_reap(m, c);
        }
    }
    return clock_monotonic_ms() < due;
}

int evaluate(struct master *m) {
    char why[PLAN_WHY_BYTES];
    m->config = child_new(ROLE_CONFIG, 0);
    m->evaluation = (struct evaluation){.plan = -1, .routes = -1, .policies = -1};
    child_start(m, &m->config);
    bool finished = run_config(m, clock_monotonic_ms() + EVALUATE_MS);
    if (m->evaluation.faults > 0) {
        return EXIT_CONFIGURATION;
    }
    if (!finished || m->evaluation.plan < 0) {
        report(REPORT_ERROR, "the configuration %s/%s could not be evaluated", m->options.directory,
               m->options.file);
        return EXIT_FAILED;
    }
    int rc = plan_open(m->evaluation.plan, &m->rules, &m->plan, why);
    (void)close(m->evaluation.plan); /* what is mapped stays */
    if (rc != 0) {
        report(REPORT_ERROR, "config has sent a plan that breaks a rule: %s", why);
        return EXIT_FAILED;
    }
    return 0;
}
