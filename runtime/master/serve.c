/* SPDX-License-Identifier: Apache-2.0 */
/* serve.c – master's loop: children, signals, and the end.
 * Runs in: master. SIGTERM and SIGINT: stop, the second time at once. SIGUSR1: reopen logs.
 * SIGHUP: reload policies. */
#include "master/serve.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "master/bind.h"
#include "master/children.h"
#include "master/dispatch.h"
#include "master/introduce.h"
#include "master/reload.h"

int serve_open_signals(void) {
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGUSR1);
    (void)sigaddset(&set, SIGPIPE);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) {
        return -errno;
    }
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

static enum role role_of_phase(enum stop_phase phase) {
    static const enum role roles[] = {[STOP_LISTENERS] = ROLE_LISTENER,
                                      [STOP_VHOSTS] = ROLE_VHOST,
                                      [STOP_ROUTER] = ROLE_ROUTER,
                                      [STOP_LOGGER] = ROLE_LOGGER};
    return roles[phase];
}

static void enter_phase(struct master *m, enum stop_phase phase) {
    uint32_t drain_ms = phase == STOP_LISTENERS ? SERVE_DRAIN_MS : SERVE_STOP_MS;
    const struct message_stop stop = {.drain_ms = drain_ms};
    m->stop = phase;
    m->stop_due_ms = clock_monotonic_ms() + drain_ms + 500;
    for (size_t i = 0; i < m->child_count; i++) {
        struct child *c = &m->children[i];
        if (c->state == CHILD_WAITING) {
            c->state = CHILD_DONE; /* nothing starts any more */
        } else if (c->role == ROLE_CONFIG) {
            child_kill(m, c);
        } else if (c->role == role_of_phase(phase) && c->control >= 0 &&
                   message_stop_send(c->control, &stop, NULL) != 0) {
            child_kill(m, c);
        }
    }
}

static bool any_left(const struct master *m, enum role role) {
    for (size_t i = 0; i < m->child_count; i++) {
        if (m->children[i].role == role && m->children[i].pidfd >= 0) {
            return true;
        }
    }
    return false;
}

/* role: ROLE_COUNT for all. */
static void kill_those(struct master *m, enum role role) {
    for (size_t i = 0; i < m->child_count; i++) {
        if (role == ROLE_COUNT || m->children[i].role == role) {
            child_kill(m, &m->children[i]);
        }
    }
}

/* Goes on with the end. Returns when to look again. */
static uint64_t advance_stop(struct master *m, uint64_t now) {
    while (m->stop != STOP_NOT && m->stop != STOP_DONE && !any_left(m, role_of_phase(m->stop))) {
        if (m->stop == STOP_LOGGER) {
            m->stop = STOP_DONE;
        } else {
            enter_phase(m, m->stop + 1);
        }
    }
    if (m->stop == STOP_NOT || m->stop == STOP_DONE || now < m->stop_due_ms) {
        return m->stop == STOP_NOT ? UINT64_MAX : m->stop_due_ms;
    }
    kill_those(m, role_of_phase(m->stop));
    return UINT64_MAX; /* until they are reaped */
}

static void obey_signal(struct master *m, uint32_t number) {
    const struct message_reopen reopen = {0};
    struct child *logger = master_logger(m);
    if (number == SIGTERM || number == SIGINT) {
        report(REPORT_INFO, m->stop == STOP_NOT ? "stopping" : "stopping at once");
        if (m->stop == STOP_NOT) {
            enter_phase(m, STOP_LISTENERS);
        } else {
            kill_those(m, ROLE_COUNT);
        }
    } else if (number == SIGUSR1 && logger->state == CHILD_SERVING) {
        child_sent(m, logger, message_reopen_send(logger->control, &reopen, NULL));
    } else if (number == SIGHUP) {
        m->reload.wanted = true;
    }
}

/* One line once everything that can answer does. */
static void announce(struct master *m) {
    char text[BIND_TEXT_BYTES];
    size_t last = SIZE_MAX;
    if (m->serving || m->stop != STOP_NOT || !introduce_complete(m)) {
        return;
    }
    m->serving = true;
    notes_print("luttpd: serving");
    for (size_t i = 0; i < m->plan.listener_count; i++) {
        if (m->sockets[i].listen != last) {
            last = m->sockets[i].listen;
            bind_text(&m->plan.listens[last], m->sockets[i].port, text);
            notes_print(" %s", text);
        }
    }
    notes_print("\n");
}

static void fill_polled(struct master *m, uint64_t now) {
    m->polled[0] = (struct pollfd){.fd = m->signals, .events = POLLIN};
    for (size_t i = 0; i < m->child_count; i++) {
        const struct child *c = &m->children[i];
        bool deaf = c->hung_up || dispatch_throttled(c, now);
        m->polled[1 + 2 * i] = (struct pollfd){.fd = deaf ? -1 : c->control, .events = POLLIN};
        m->polled[2 + 2 * i] = (struct pollfd){.fd = c->pidfd, .events = POLLIN};
    }
}

static void obey_events(struct master *m) {
    struct signalfd_siginfo signal;
    for (size_t i = 0; i < m->child_count; i++) {
        if (m->polled[1 + 2 * i].revents != 0) {
            dispatch_child(m, &m->children[i]);
        }
        if (m->polled[2 + 2 * i].revents != 0) {
            child_reap(m, &m->children[i]);
        }
    }
    if (m->polled[0].revents != 0 && read(m->signals, &signal, sizeof signal) == (ssize_t)sizeof signal) {
        obey_signal(m, signal.ssi_signo);
    }
}

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

void serve_turn(struct master *m, uint64_t next) {
    uint64_t now = clock_monotonic_ms();
    uint64_t wait = next > now ? next - now : 0;
    fill_polled(m, now);
    if (poll(m->polled, 1 + 2 * m->child_count, next == UINT64_MAX ? -1 : (int)least(wait, 60000)) > 0) {
        obey_events(m);
    }
}

void serve(struct master *m) {
    while (m->stop != STOP_DONE) {
        uint64_t now = clock_monotonic_ms();
        uint64_t next = children_advance(m, now);
        next = least(next, introduce_all(m, now));
        next = least(next, reload_advance(m, now));
        next = least(next, advance_stop(m, now));
        announce(m);
        if (m->stop == STOP_DONE) {
            return;
        }
        serve_turn(m, next);
    }
}
