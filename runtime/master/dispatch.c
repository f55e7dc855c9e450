/* SPDX-License-Identifier: Apache-2.0 */
/* dispatch.c – what children may say to master: one generated table for each role.
 * Runs in: master. Distrusts: every child. Handlers see messages that are valid in form. */
#include "master/dispatch.h"

#include <errno.h>

#include "base/clock.h"
#include "master/blame.h"
#include "master/children.h"
#include "master/evaluate.h"
#include "master/introduce.h"
#include "master/reload.h"

/* Who is speaking says the channel, never the message: m->speaking. */

static int on_ready(void *context, const struct message_ready *ready, struct packet *p) {
    struct master *m = context;
    (void)ready, (void)p;
    child_ready(m, m->speaking);
    return 0;
}

static int on_note(void *context, const struct message_note *note, struct packet *p) {
    static const enum report_level levels[] = {
        [LEVEL_INFO] = REPORT_INFO, [LEVEL_WARNING] = REPORT_WARNING, [LEVEL_ERROR] = REPORT_ERROR};
    struct master *m = context;
    char name[CHILD_NAME_BYTES];
    (void)p;
    notes_child(&m->speaking->notes, levels[note->level], child_name(m, m->speaking, name), note->text);
    return 0;
}

static const struct master_from_config_control from_config = {
    .ready = on_ready, .note = on_note, .plan = evaluate_on_plan, .fault = evaluate_on_fault};
static const struct master_from_router_control from_router = {.ready = on_ready,
                                                              .note = on_note,
                                                              .introduce = introduce_on_wish,
                                                              .blame = blame_on_accusation,
                                                              .policy_taken = reload_on_taken};
static const struct master_from_listener_control from_listener = {
    .ready = on_ready, .note = on_note, .blame = blame_on_accusation, .policy_taken = reload_on_taken};
static const struct master_from_vhost_control from_vhost = {.ready = on_ready, .note = on_note};
static const struct master_from_logger_control from_logger = {
    .ready = on_ready, .note = on_note, .blame = blame_on_accusation};

static int dispatch(struct master *m, const struct child *c, struct packet *p) {
    const enum phase phase = c->ready_ms != 0 ? PHASE_SERVING : PHASE_STARTING;
    const uint8_t *bytes = packet_payload(p);
    switch (c->role) {
    case ROLE_CONFIG:
        return master_from_config_control_dispatch(&from_config, m, phase, p->type, bytes, p->size, p);
    case ROLE_ROUTER:
        return master_from_router_control_dispatch(&from_router, m, phase, p->type, bytes, p->size, p);
    case ROLE_LISTENER:
        return master_from_listener_control_dispatch(&from_listener, m, phase, p->type, bytes, p->size, p);
    case ROLE_VHOST:
        return master_from_vhost_control_dispatch(&from_vhost, m, phase, p->type, bytes, p->size, p);
    case ROLE_LOGGER:
        return master_from_logger_control_dispatch(&from_logger, m, phase, p->type, bytes, p->size, p);
    default:
        return -EBADMSG;
    }
}

/* Takes one packet. Returns 1, or what packet_receive or the handler returned. */
static int receive(struct master *m, struct child *c) {
    int rc = packet_receive(c->control, &m->packet);
    if (rc != 1) {
        return rc;
    }
    m->speaking = c;
    rc = dispatch(m, c, &m->packet);
    packet_drop(&m->packet);
    return rc == 0 ? 1 : rc;
}

bool dispatch_throttled(const struct child *c, uint64_t now_ms) {
    return c->budget_second == now_ms / 1000 && c->packets >= CHILD_PACKETS_PER_SECOND;
}

void dispatch_child(struct master *m, struct child *c) {
    uint64_t now = clock_monotonic_ms();
    int rc = 1;
    if (c->budget_second != now / 1000) {
        c->budget_second = now / 1000;
        c->packets = 0;
    }
    for (int i = 0; i < DISPATCH_PACKETS_PER_TURN && rc == 1 && c->state != CHILD_KILLED; i++) {
        if (dispatch_throttled(c, now)) {
            return;
        }
        c->packets++;
        rc = receive(m, c);
    }
    if (rc == 0) {
        c->hung_up = true; /* a process that ends does this just before its pidfd says so */
        c->stuck_ms = c->stuck_ms != 0 ? c->stuck_ms : now;
    } else if (rc < 0 && rc != -EAGAIN) {
        child_blame(m, c, rc == -EBADMSG ? "broke the rules of its control channel" : strerror(-rc));
    }
}

void dispatch_rest(struct master *m, struct child *c) {
    for (int i = 0; i < DISPATCH_PACKETS_PER_TURN && receive(m, c) == 1; i++) {}
}
