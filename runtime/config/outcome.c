/* SPDX-License-Identifier: Apache-2.0 */
/* outcome.c – what master is told: faults, or plan, route map and policies. Runs in: config. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "channel/memfd.h"
#include "config/config.h"

/* Master reads when it can. Where it never does, the CPU limit is no help, but its death is. */
static void wait_for_room(const struct config *c) {
    struct pollfd waiting = {.fd = c->process->control, .events = POLLOUT};
    if (poll(&waiting, 1, -1) < 0 && errno != EINTR) {
        process_fail(c->process, "control channel", errno);
    }
}

/* Cut to max bytes, not inside a UTF-8 character, and before a NUL. */
static struct slice cut(struct slice text, size_t max) {
    const char *nul = text.n > 0 ? memchr(text.p, '\0', text.n) : NULL;
    if (nul != NULL) {
        text.n = (size_t)(nul - text.p);
    }
    if (text.n > max) {
        text.n = max;
        while (text.n > 0 && ((unsigned char)text.p[text.n] & 0xc0) == 0x80) {
            text.n--;
        }
    }
    return text;
}

void config_fault(const struct config *c, struct slice file, uint32_t line, struct slice key,
                  struct slice reason) {
    const struct message_fault m = {
        .file = cut(file, MESSAGE_FAULT_FILE_MAX),
        .line = line,
        .key = cut(key, MESSAGE_FAULT_KEY_MAX),
        .reason = cut(reason, MESSAGE_FAULT_REASON_MAX),
    };
    int rc;
    while ((rc = message_fault_send(c->process->control, &m, NULL)) == -EAGAIN) {
        wait_for_room(c);
    }
    if (rc < 0) {
        process_fail(c->process, "control channel", -rc);
    }
}

void config_send_plan(struct config *c) {
    const struct message_plan plan = {0};
    int fds[3] = {
        memfd_make_file("luttpd-plan", c->plan.bytes, c->plan.size),
        memfd_make_file("luttpd-routes", c->routes.bytes, c->routes.size),
        memfd_make_file("luttpd-policies", c->policies.bytes, c->policies.size),
    };
    for (size_t i = 0; i < 3; i++) {
        if (fds[i] < 0) {
            process_fail(c->process, "plan", -fds[i]);
        }
    }
    int rc;
    while ((rc = message_plan_send(c->process->control, &plan, fds)) == -EAGAIN) {
        wait_for_room(c);
    }
    if (rc < 0) {
        process_fail(c->process, "plan", -rc);
    }
}
