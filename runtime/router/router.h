/* SPDX-License-Identifier: Apache-2.0 */
/* router.h – the whole state of the router, and who does what with it.
 * Runs in: router. Trusts: master. Distrusts: listeners, the logger's ring.
 *
 *   main.c      the six steps      control.c   what master says, and the loop
 *   asker.c     one listener: its questions, its wishes for channels
 *   policy.c    the routing policy's script      answer.c    one question through it
 *
 *   master -- control -- router -- control -- listener (one pair each)
 *                          \------- log ring -- logger
 */
#ifndef LUTTPD_ROUTER_ROUTER_H
#define LUTTPD_ROUTER_ROUTER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "channel/log_producer.h"
#include "process/process.h"
#include "route/host_map.h"
#include "router/asker.h"
#include "router/policy.h"

#define ROUTER_ASKERS_MAX 128 /* listener processes that a plan may have */

struct router {
    const struct process *process;
    uv_loop_t loop;
    uv_poll_t control;
    uv_prepare_t flush; /* end of each loop turn: lets the logger see what was written */
    uv_timer_t orphaned;
    struct host_map *map;
    struct policy policy;
    int policies; /* sealed file of the first epoch, owned until it is loaded */
    struct log_producer log;
    uv_poll_t *log_poll;                     /* allocated; NULL while there is no logger */
    struct asker *askers[ROUTER_ASKERS_MAX]; /* by listener number; NULL where there is none */
    struct policy_answer answer;             /* to the question in hand */
    struct packet packet;                    /* where packets are received */
};

/** Step 3: decodes START_ROUTER, maps the route map, makes the loop. start: its descriptors are
 * taken. Ends the process where that fails. Returns the router, which lives as long as it. */
struct router *router_prepare(const struct process *process, struct packet *start);

/** Steps 5 and 6, on the script's stack: loads the policy, tells master, answers until master says STOP or
 * is gone. context: the router. */
void router_serve(void *context);

/** Tells master and the log that this listener broke a rule; master replaces it. */
void router_blame(struct router *r, uint32_t listener, uint64_t generation, const char *why);

/** Polls fd for reading; callback finds data in handle->data. Returns an allocated handle, or NULL. */
uv_poll_t *router_poll(struct router *r, int fd, uv_poll_cb callback, void *data);

/** Stops polling; the handle frees itself. Call before the descriptor is closed. NULL is fine. */
void router_unpoll(uv_poll_t *poll);

#endif
