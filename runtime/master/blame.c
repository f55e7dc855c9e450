/* SPDX-License-Identifier: Apache-2.0 */
/* blame.c – who may have whom replaced. Runs in: master. Distrusts: the accuser. */
#include "master/blame.h"

#include <stdio.h>

#include "base/clock.h"
#include "master/children.h"

#define MINUTE_MS 60000

bool blame_is_allowed(enum role accuser, enum role accused) {
    switch (accused) {
    case ROLE_LISTENER:
        return accuser == ROLE_ROUTER;
    case ROLE_VHOST:
        return accuser == ROLE_LISTENER || accuser == ROLE_LOGGER;
    default:
        return false;
    }
}

static void begin_minute(struct blame_allowance *a, uint64_t now_ms) {
    if (a->minute_ms == 0 || now_ms - a->minute_ms >= MINUTE_MS) {
        *a = (struct blame_allowance){.minute_ms = now_ms};
    }
}

bool blame_spend(struct blame_allowance *a, uint64_t now_ms) {
    begin_minute(a, now_ms);
    if (a->believed >= BLAME_BELIEVED_PER_MINUTE) {
        return false;
    }
    a->believed++;
    return true;
}

/* The child that is meant, whatever its generation, or NULL. */
static struct child *find(struct master *m, const struct message_blame *blame) {
    ssize_t index;
    switch (blame->peer) {
    case PEER_ROUTER:
        return master_router(m);
    case PEER_LOGGER:
        return master_logger(m);
    case PEER_LISTENER:
        return blame->id < m->plan.listener_count ? master_listener(m, blame->id) : NULL;
    case PEER_VHOST:
        index = plan_find_vhost(&m->plan, blame->id);
        return index >= 0 ? master_vhost(m, (size_t)index) : NULL;
    }
    return NULL;
}

/* Says once a minute that a child is not believed. */
static void disbelieve(struct master *m, struct child *accuser, const char *why) {
    char name[CHILD_NAME_BYTES];
    begin_minute(&accuser->accusations, clock_monotonic_ms());
    if (!accuser->accusations.told) {
        accuser->accusations.told = true;
        report(REPORT_WARNING, "%s: its accusation is ignored: %s", child_name(m, accuser, name), why);
    }
}

int blame_on_accusation(void *context, const struct message_blame *blame, struct packet *p) {
    struct master *m = context;
    struct child *accuser = m->speaking, *accused = find(m, blame);
    char name[CHILD_NAME_BYTES], why[CHILD_NAME_BYTES + 64];
    (void)p;
    if (accused == NULL || blame->generation > accused->generation) {
        disbelieve(m, accuser, "there is no such process");
    } else if (!blame_is_allowed(accuser->role, accused->role)) {
        disbelieve(m, accuser, "it may not accuse that process");
    } else if (blame->generation < accused->generation || accused->state != CHILD_SERVING) {
        return 0; /* it has ended meanwhile */
    } else if (!blame_spend(&accuser->accusations, clock_monotonic_ms())) {
        disbelieve(m, accuser, "it has accused too often");
    } else {
        (void)snprintf(why, sizeof why, "accused of a broken rule by %s", child_name(m, accuser, name));
        child_blame(m, accused, why);
    }
    return 0;
}
