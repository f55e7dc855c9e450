/* SPDX-License-Identifier: Apache-2.0 */
/* children.h – the processes that master keeps alive: spawn, reap, back-off.
 * Runs in: master. Distrusts: every child. Master never exits because of one. */
#ifndef LUTTPD_MASTER_CHILDREN_H
#define LUTTPD_MASTER_CHILDREN_H

#include "master/master.h"

#define CHILD_READY_MS 10000    /* from spawn to READY */
#define CHILD_EVALUATE_MS 20000 /* from the spawn of config to its end */
#define CHILD_STUCK_MS 5000     /* a child that reads nothing for so long is replaced */
#define CHILD_HUNG_UP_MS 1000   /* for a child to end after it has closed its channel */
#define CHILD_STARTS_AT_ONCE 32 /* vhosts that may start at the same time */
#define CHILD_BACKOFF_MS 100    /* before the second restart in a row; doubles */
#define CHILD_BACKOFF_MAX_MS 30000
#define CHILD_GOOD_MS 1000            /* a run this long takes one failure back */
#define CHILD_VERY_GOOD_MS 60000      /* a run this long takes all back */
#define CHILD_PACKETS_PER_SECOND 5000 /* above, it is not listened to until the next second */
#define CHILD_NAME_BYTES 128
#define CHILD_EXIT_SCRIPT_MEMORY 77 /* SCRIPT_EXIT_MEMORY, whose header knows Lua */
#define CHILD_EXIT_SCRIPT_STUCK 78  /* SCRIPT_EXIT_STUCK */

/* Who stands where in the table. */
static inline struct child *master_config(struct master *m) {
    return &m->children[0];
}
static inline struct child *master_logger(struct master *m) {
    return &m->children[1];
}
static inline struct child *master_router(struct master *m) {
    return &m->children[2];
}
static inline struct child *master_listener(struct master *m, size_t index) {
    return &m->children[3 + index];
}
static inline struct child *master_vhost(struct master *m, size_t index) {
    return &m->children[3 + m->plan.listener_count + index];
}

/** Adds all children of the plan to the table, in which config stands already; starts none. */
void children_init(struct master *m);

/** A child that has no process. */
struct child child_new(enum role role, size_t index);

/** Which one of its kind: a vhost's name, a listener's number, else nothing. */
const char *child_label(const struct master *m, const struct child *c, char out[CHILD_NAME_BYTES]);

/** "router[12]", "vhost alice[13]": for lines of the log. */
const char *child_name(const struct master *m, const struct child *c, char out[CHILD_NAME_BYTES]);

/** Spawns it and sends its START. On failure it is as if it had died at once. */
void child_start(struct master *m, struct child *c);

/** It broke a rule or is stuck: reports why, kills it; it is reaped and replaced. */
void child_blame(struct master *m, struct child *c, const char *why);

/** Kills its process, if there is one. */
void child_kill(struct master *m, struct child *c);

/** Its process has ended: reports how, forgets it, decides when the next one starts. */
void child_reap(struct master *m, struct child *c);

/** It has said READY. */
void child_ready(struct master *m, struct child *c);

/** Notes the outcome of a send to it: 0 or -errno. A full channel is given CHILD_STUCK_MS. */
void child_sent(struct master *m, struct child *c, int rc);

/** Starts what is due and kills what is overdue. Returns when to look again, in milliseconds. */
uint64_t children_advance(struct master *m, uint64_t now_ms);

/** Milliseconds before the start that follows so many failures in a row. */
uint64_t child_backoff_ms(unsigned failures);

#endif
