/* SPDX-License-Identifier: Apache-2.0 */
/* children.c – the processes that master keeps alive: spawn, reap, back-off.
 * Runs in: master. Distrusts: every child.
 *
 *   WAITING --due--> STARTING --READY--> SERVING      any of the three --fault--> KILLED
 *      ^                 |                  |                                       |
 *      +------ exit -----+------------------+---------------------------------------+
 */
#include "master/children.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "master/dispatch.h"
#include "master/reload.h"
#include "master/start.h"
#include "process/spawn.h"

struct child child_new(enum role role, size_t index) {
    return (struct child){.role = role, .index = index, .pidfd = -1, .control = -1};
}

void children_init(struct master *m) {
    size_t listeners = m->plan.listener_count, vhosts = m->plan.vhost_count;
    m->child_count = 3 + listeners + vhosts;
    *master_logger(m) = child_new(ROLE_LOGGER, 0);
    *master_router(m) = child_new(ROLE_ROUTER, 0);
    for (size_t i = 0; i < listeners; i++) {
        *master_listener(m, i) = child_new(ROLE_LISTENER, i);
    }
    for (size_t i = 0; i < vhosts; i++) {
        *master_vhost(m, i) = child_new(ROLE_VHOST, i);
    }
}

const char *child_label(const struct master *m, const struct child *c, char out[CHILD_NAME_BYTES]) {
    out[0] = '\0';
    if (c->role == ROLE_VHOST) {
        struct slice name = m->plan.vhosts[c->index].name; /* its grammar is checked */
        (void)snprintf(out, CHILD_NAME_BYTES, "%.*s", (int)name.n, name.p);
    } else if (c->role == ROLE_LISTENER) {
        (void)snprintf(out, CHILD_NAME_BYTES, "%zu", c->index);
    }
    return out;
}

const char *child_name(const struct master *m, const struct child *c, char out[CHILD_NAME_BYTES]) {
    char label[CHILD_NAME_BYTES];
    const char *space = child_label(m, c, label)[0] != '\0' ? " " : "";
    int n = snprintf(out, CHILD_NAME_BYTES, "%s%s%.*s", role_facts[c->role].name, space,
                     MESSAGE_PLAN_VHOST_NAME_MAX, label);
    if (c->pid > 0) {
        (void)snprintf(out + n, CHILD_NAME_BYTES - (size_t)n, "[%d]", (int)c->pid);
    }
    return out;
}

uint64_t child_backoff_ms(unsigned failures) {
    uint64_t ms = CHILD_BACKOFF_MS;
    if (failures == 0) {
        return 0; /* the first restart is immediate */
    }
    while (--failures > 0 && ms < CHILD_BACKOFF_MAX_MS) {
        ms *= 2;
    }
    return ms < CHILD_BACKOFF_MAX_MS ? ms : CHILD_BACKOFF_MAX_MS;
}

static void set_state(struct master *m, struct child *c, enum child_state state) {
    m->starting -= c->role == ROLE_VHOST && c->state == CHILD_STARTING;
    m->starting += c->role == ROLE_VHOST && state == CHILD_STARTING;
    c->state = state;
}

/* Decides when the next process of c starts, from how long the last one served. */
static void schedule(struct master *m, struct child *c) {
    uint64_t now = clock_monotonic_ms();
    uint64_t lived = c->ready_ms != 0 ? now - c->ready_ms : 0;
    if (lived >= CHILD_VERY_GOOD_MS) {
        c->failures = 0;
    } else if (lived >= CHILD_GOOD_MS && c->failures > 0) {
        c->failures--;
    }
    c->due_ms = now + child_backoff_ms(c->failures++);
    c->ready_ms = 0;
    c->settled = true;
    set_state(m, c, m->stop == STOP_NOT && c->role != ROLE_CONFIG ? CHILD_WAITING : CHILD_DONE);
    if (c->state == CHILD_WAITING && c->due_ms > now) {
        char name[CHILD_NAME_BYTES];
        report(REPORT_WARNING, "%s: failed %u times in a row, starts again in %.1f s", child_name(m, c, name),
               c->failures, (double)(c->due_ms - now) / 1000.0);
    }
}

static void start_failed(struct master *m, struct child *c, const char *what, int error) {
    char name[CHILD_NAME_BYTES];
    report(REPORT_ERROR, "%s: cannot start: %s: %s", child_name(m, c, name), what, strerror(error));
    if (c->pid > 0) {
        child_kill(m, c); /* reaped like any other */
    } else {
        schedule(m, c);
    }
}

void child_start(struct master *m, struct child *c) {
    char label[CHILD_NAME_BYTES];
    int ends[2];
    int rc = packet_pair(ends);
    MUST(c->pid == 0 && c->pidfd < 0 && c->control < 0);
    if (rc != 0) {
        start_failed(m, c, "control channel", -rc);
        return;
    }
    c->generation++;
    c->stuck_ms = 0;
    c->hung_up = false;
    c->has_router = c->has_logger = c->keeps_old = false;
    c->epoch = m->epoch;
    c->notes = (struct note_allowance){0};
    struct spawn s = start_spawn(m, c, ends[1], child_label(m, c, label));
    pid_t pid = spawn_role(&s, &c->pidfd);
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        c->pidfd = -1;
        start_failed(m, c, "spawn", (int)-pid);
        return;
    }
    c->pid = pid;
    c->control = ends[0];
    set_state(m, c, CHILD_STARTING);
    c->due_ms = clock_monotonic_ms() + CHILD_READY_MS;
    const char *what = "its first message";
    rc = start_send(m, c, &what);
    if (rc != 0 && rc != -EPIPE) { /* a pipe broken already: its exit tells more */
        start_failed(m, c, what, -rc);
    }
}

void child_kill(struct master *m, struct child *c) {
    if (c->pidfd >= 0) {
        (void)pidfd_send_signal(c->pidfd, SIGKILL, NULL, 0);
        set_state(m, c, CHILD_KILLED);
    }
}

void child_blame(struct master *m, struct child *c, const char *why) {
    char name[CHILD_NAME_BYTES];
    if (c->state != CHILD_KILLED) {
        report(REPORT_ERROR, "%s: %s: killed", child_name(m, c, name), why);
        child_kill(m, c);
    }
}

void child_sent(struct master *m, struct child *c, int rc) {
    if (rc == 0) {
        c->stuck_ms = 0;
    } else if (rc == -EAGAIN) {
        c->stuck_ms = c->stuck_ms != 0 ? c->stuck_ms : clock_monotonic_ms();
    } else if (rc != -EPIPE) { /* gone: its pidfd will say so */
        child_blame(m, c, strerror(-rc));
    }
}

void child_ready(struct master *m, struct child *c) {
    c->ready_ms = clock_monotonic_ms();
    c->due_ms = c->role == ROLE_CONFIG ? c->due_ms - CHILD_READY_MS + CHILD_EVALUATE_MS : UINT64_MAX;
    c->settled = true;
    set_state(m, c, CHILD_SERVING);
}

static void report_exit(const struct master *m, const struct child *c, const siginfo_t *info) {
    char name[CHILD_NAME_BYTES];
    (void)child_name(m, c, name);
    bool expected = c->state == CHILD_KILLED || m->stop != STOP_NOT || c->role == ROLE_CONFIG;
    if (info->si_code == CLD_EXITED && info->si_status == CHILD_EXIT_SCRIPT_MEMORY) {
        report(REPORT_ERROR, "%s: its script used more memory than it may", name);
    } else if (info->si_code == CLD_EXITED && info->si_status == CHILD_EXIT_SCRIPT_STUCK) {
        report(REPORT_ERROR, "%s: ended by its deadline: a grammar in its script did not come to an end",
               name);
    } else if (info->si_code == CLD_EXITED && !(expected && info->si_status == 0)) {
        report(REPORT_ERROR, "%s: exited with status %d", name, info->si_status);
    } else if (info->si_code != CLD_EXITED && info->si_status == SIGSYS) {
        report(REPORT_ERROR, "%s: seccomp: bad system call", name);
    } else if (info->si_code != CLD_EXITED && !expected) {
        report(REPORT_ERROR, "%s: ended by signal %d (%s)", name, info->si_status,
               strsignal(info->si_status));
    }
}

/* What the others had with this process is gone with it. */
static void forget_links(struct master *m, const struct child *c) {
    for (size_t i = 0; i < m->child_count; i++) {
        m->children[i].has_router = m->children[i].has_router && c->role != ROLE_ROUTER;
        m->children[i].has_logger = m->children[i].has_logger && c->role != ROLE_LOGGER;
    }
    if (c->role == ROLE_LISTENER) {
        memset(m->wishes.wanted[c->index], 0, m->plan.vhost_count * sizeof(bool));
        m->wishes.count[c->index] = 0;
    }
}

void child_reap(struct master *m, struct child *c) {
    siginfo_t info = {0};
    char name[CHILD_NAME_BYTES];
    if (waitid(P_PIDFD, (id_t)c->pidfd, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) {
        return;
    }
    dispatch_rest(m, c);
    reload_on_death(m, c);
    if (c->role == ROLE_CONFIG) {
        m->evaluation.finished = info.si_code == CLD_EXITED && info.si_status == 0;
    }
    report_exit(m, c, &info);
    notes_settle(&c->notes, child_name(m, c, name));
    forget_links(m, c);
    (void)close(c->pidfd);
    (void)close(c->control);
    c->pidfd = c->control = -1;
    c->pid = 0;
    c->stuck_ms = 0; /* of the process that is gone: no deadline of its successor's */
    c->hung_up = false;
    schedule(m, c);
}

/* A child's next deadline, after acting on one that has passed. */
static uint64_t advance(struct master *m, struct child *c, uint64_t now) {
    uint64_t stuck_due =
        c->stuck_ms != 0 ? c->stuck_ms + (c->hung_up ? CHILD_HUNG_UP_MS : CHILD_STUCK_MS) : UINT64_MAX;
    if (c->state == CHILD_WAITING && now >= c->due_ms) {
        if (c->role == ROLE_VHOST && m->starting >= CHILD_STARTS_AT_ONCE) {
            return UINT64_MAX; /* one that starts now makes room, and wakes us */
        }
        child_start(m, c);
        return c->due_ms;
    }
    if (c->state == CHILD_STARTING && now >= c->due_ms) {
        child_blame(m, c, "not ready in time");
    } else if (c->pidfd >= 0 && now >= stuck_due) {
        child_blame(m, c, "does not read what it is sent");
    } else if (c->state == CHILD_SERVING && now >= c->due_ms) {
        child_blame(m, c, "did not finish in time");
    } else if (c->state == CHILD_WAITING || c->state == CHILD_STARTING || c->state == CHILD_SERVING) {
        return c->due_ms < stuck_due ? c->due_ms : stuck_due;
    }
    return UINT64_MAX;
}

uint64_t children_advance(struct master *m, uint64_t now_ms) {
    char name[CHILD_NAME_BYTES];
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < m->child_count; i++) {
        struct child *c = &m->children[i];
        uint64_t due = advance(m, c, now_ms);
        if (c->notes.dropped > 0 || dispatch_throttled(c, now_ms)) { /* until the second is over */
            notes_settle(&c->notes, child_name(m, c, name));
            next = now_ms / 1000 * 1000 + 1000 < next ? now_ms / 1000 * 1000 + 1000 : next;
        }
        next = due < next ? due : next;
    }
    return next;
}
