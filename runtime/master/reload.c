/* SPDX-License-Identifier: Apache-2.0 */
/* reload.c – new policies while the server runs: evaluated anew, offered to the router, then to every
 * listener. Runs in: master. Distrusts: config, the router, listeners. */
#include "master/reload.h"

#include <errno.h>
#include <unistd.h>

#include "master/children.h"
#include "master/evaluate.h"

#define RETRY_FULL_MS 10 /* who cannot be sent to is tried again after that */

static unsigned long long number(uint64_t epoch) {
    return epoch;
}

/* For the command that asked: see state_lock.h. */
static void end(struct master *m, enum state_reload how) {
    m->reload.phase = RELOAD_NOT;
    m->reload.ended++;
    m->reload.how = how;
    state_lock_write_reload(m->lock, m->reload.begun, m->reload.ended, how);
}

static void fail(struct master *m, enum state_reload how, const char *what, const char *why) {
    report(REPORT_ERROR, "not reloaded, nothing was changed: %s%s", what, why);
    (void)close(m->reload.policies);
    m->reload.policies = -1;
    end(m, how);
}

static void begin(struct master *m) {
    struct reload *r = &m->reload;
    r->wanted = false;
    r->phase = RELOAD_EVALUATING;
    r->policies = -1;
    r->begun = r->ended + 1;
    state_lock_write_reload(m->lock, r->begun, r->ended, r->how);
    evaluate_begin(m);
}

/* Only policies are taken from the new configuration: the rest must be as it is. */
static void judge(struct master *m, uint64_t now) {
    struct reload *r = &m->reload;
    int routes;
    int rc = evaluate_take(m, &m->fresh, &routes, &r->policies);
    if (rc != 0) {
        fail(m, rc == EXIT_CONFIGURATION ? STATE_RELOAD_FAULTS : STATE_RELOAD_FAILED,
             rc == EXIT_CONFIGURATION ? "the configuration has mistakes" : "config has brought no plan", "");
        return;
    }
    const char *difference = plan_difference(&m->plan, &m->fresh);
    plan_close(&m->fresh);
    (void)close(routes);
    if (difference != NULL) {
        fail(m, STATE_RELOAD_RESTART,
             "only policies can change while it runs, restart to apply what changes ", difference);
        return;
    }
    r->epoch = (r->epoch > m->epoch ? r->epoch : m->epoch) + 1;
    r->phase = RELOAD_ROUTER;
    r->due_ms = now + RELOAD_ANSWER_MS;
}

/* Asks c to take the policies, once. Returns when to look again. */
static uint64_t ask(struct master *m, struct child *c, int policies, uint64_t now) {
    const struct message_policy offer = {.epoch = m->reload.epoch};
    if (c->state != CHILD_SERVING || c->hung_up) {
        return UINT64_MAX;
    }
    if (c->asked_epoch == 0) {
        int rc = message_policy_send(c->control, &offer, &policies);
        child_sent(m, c, rc);
        if (rc != 0) {
            return now + RETRY_FULL_MS;
        }
        c->asked_epoch = offer.epoch;
        c->answer_due_ms = now + RELOAD_ANSWER_MS;
    } else if (now >= c->answer_due_ms) {
        child_blame(m, c, "does not say whether it takes the new policies");
        return UINT64_MAX;
    }
    return c->answer_due_ms;
}

static uint64_t ask_router(struct master *m, uint64_t now) {
    struct reload *r = &m->reload;
    struct child *router = master_router(m);
    if (now < r->due_ms) {
        uint64_t next = ask(m, router, r->policies, now);
        return next < r->due_ms ? next : r->due_ms;
    }
    if (router->asked_epoch != 0) { /* it might still take them: its successor gets the old ones */
        child_blame(m, router, "does not say whether it takes the new policies");
        router->asked_epoch = 0; /* what it still says is read when it is reaped: too late */
    }
    fail(m, STATE_RELOAD_FAILED, "the router has not taken them in time", "");
    return now;
}

/* The router has them: from now on they are the policies. */
static void adopt(struct master *m) {
    struct reload *r = &m->reload;
    (void)close(m->policies);
    m->policies = r->policies;
    m->epoch = r->epoch;
    r->policies = -1;
    r->phase = RELOAD_LISTENERS;
}

static void finish(struct master *m) {
    size_t old = 0;
    for (size_t i = 0; i < m->plan.listener_count; i++) {
        old += master_listener(m, i)->keeps_old;
    }
    if (old == 0) {
        report(REPORT_INFO, "policies reloaded, epoch %llu", number(m->epoch));
    } else {
        report(REPORT_WARNING, "policies reloaded, epoch %llu, but %zu of %zu listeners keep the old ones",
               number(m->epoch), old, m->plan.listener_count);
    }
    end(m, old == 0 ? STATE_RELOAD_GOOD : STATE_RELOAD_PARTLY);
}

/* Those that have been started with the new ones, or will be, need not be asked. */
static uint64_t ask_listeners(struct master *m, uint64_t now) {
    uint64_t next = UINT64_MAX;
    bool missing = false;
    for (size_t i = 0; i < m->plan.listener_count; i++) {
        struct child *c = master_listener(m, i);
        if (c->pid > 0 && c->state != CHILD_KILLED && c->epoch < m->epoch) {
            uint64_t due = ask(m, c, m->policies, now);
            next = due < next ? due : next;
            missing = true;
        }
    }
    if (!missing) {
        finish(m);
        return now;
    }
    return next;
}

uint64_t reload_advance(struct master *m, uint64_t now_ms) {
    struct reload *r = &m->reload;
    if (m->stop != STOP_NOT || (r->phase == RELOAD_NOT && !r->wanted)) {
        return UINT64_MAX;
    }
    if (r->phase == RELOAD_NOT) {
        begin(m);
    }
    if (r->phase == RELOAD_EVALUATING && evaluate_ended(m)) {
        judge(m, now_ms);
    }
    if (r->phase == RELOAD_EVALUATING) {
        return UINT64_MAX; /* its end is an event */
    }
    if (r->phase == RELOAD_ROUTER) {
        return ask_router(m, now_ms);
    }
    return r->phase == RELOAD_LISTENERS ? ask_listeners(m, now_ms) : now_ms;
}

int reload_on_taken(void *context, const struct message_policy_taken *taken, struct packet *p) {
    struct master *m = context;
    struct child *c = m->speaking;
    char name[CHILD_NAME_BYTES];
    (void)p;
    if (c->asked_epoch == 0 || taken->epoch != c->asked_epoch) {
        return -EBADMSG;
    }
    c->asked_epoch = 0;
    if (!taken->taken) {
        report(REPORT_ERROR, "%s: does not take the policies of epoch %llu: %.*s", child_name(m, c, name),
               number(taken->epoch), (int)taken->why.n, taken->why.p);
    }
    if (c->role == ROLE_LISTENER || taken->taken) {
        c->epoch = taken->epoch;
        c->keeps_old = !taken->taken;
    }
    if (c->role == ROLE_ROUTER && taken->taken) {
        adopt(m);
    } else if (c->role == ROLE_ROUTER) {
        fail(m, STATE_RELOAD_FAILED, "the router refuses them", "");
    }
    return 0;
}

void reload_on_death(struct master *m, struct child *c) {
    bool asked = c->asked_epoch != 0;
    c->asked_epoch = 0;
    if (asked && c->role == ROLE_ROUTER && m->reload.phase == RELOAD_ROUTER) {
        fail(m, STATE_RELOAD_FAILED, "the router has ended over them", "");
    }
}
