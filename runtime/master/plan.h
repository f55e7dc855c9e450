/* SPDX-License-Identifier: Apache-2.0 */
/* plan.h – the plan as config wrote it, checked once more against master's own rules.
 * Runs in: master. Distrusts: every byte. The plan is what a captured config could lie with, so what
 * it can ask for is bounded here: never user 0, never a role's user, never an account of the system. */
#ifndef LUTTPD_MASTER_PLAN_H
#define LUTTPD_MASTER_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "schema/messages.h"

#define PLAN_FILE_MAX (64u * 1024 * 1024) /* bytes of a plan */
#define PLAN_LISTENS_MAX 64               /* sockets to bind */
#define PLAN_LISTENERS_MAX 128            /* listener processes, together */
#define PLAN_VHOSTS_MAX 16384
#define PLAN_WHY_BYTES 160

/** What a plan may ask for. */
struct plan_rules {
    bool single_user; /* every vhost runs as uid and gid, and as nobody else */
    uid_t uid;
    gid_t gid;
};

/** Has room for the largest plan, so that none sizes anything. Pages that are not used cost nothing. */
struct plan {
    const uint8_t *bytes; /* owned mapping; slices below point into it */
    size_t size;
    struct message_plan_server server;
    size_t listen_count;
    size_t listener_count; /* processes of all listens */
    size_t vhost_count;
    struct message_plan_listen listens[PLAN_LISTENS_MAX];
    struct message_plan_vhost vhosts[PLAN_VHOSTS_MAX];        /* by rising id */
    const struct message_plan_vhost *sorted[PLAN_VHOSTS_MAX]; /* scratch of the checks */
};

/** Maps the sealed plan and checks it. fd: borrowed. out: zeroed.
 * Returns 0 with out set; -EBADMSG with why saying which rule is broken and out closed. */
int plan_open(int fd, const struct plan_rules *rules, struct plan *out, char why[PLAN_WHY_BYTES]);

/** Says what master acts on that the two differ in, whatever numbers their vhosts have, and whatever
 * their fingerprints say; or what only the fingerprints differ in. Returns NULL where nothing differs. */
const char *plan_difference(const struct plan *a, const struct plan *b);

/** Where the vhost with this id stands, or -1. */
ssize_t plan_find_vhost(const struct plan *plan, uint64_t id);

/** Unmaps. Safe on a zeroed plan. */
void plan_close(struct plan *plan);

#endif
