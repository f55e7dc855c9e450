/* SPDX-License-Identifier: Apache-2.0 */
/* serve.h – master's loop: children, signals, and the end.
 * Runs in: master. */
#ifndef LUTTPD_MASTER_SERVE_H
#define LUTTPD_MASTER_SERVE_H

#include "master/master.h"

#define SERVE_DRAIN_MS 5000 /* for listeners, from SIGTERM on */
#define SERVE_STOP_MS 2000  /* for each other kind */

/** Blocks the signals that master obeys and opens a descriptor for them. Returns it, or -errno. */
int serve_open_signals(void);

/** Waits until next (CLOCK_MONOTONIC, in milliseconds) for events of children and for signals; obeys them. */
void serve_turn(struct master *m, uint64_t next);

/** Starts all children of the plan and keeps them running until SIGTERM or SIGINT, then ends them:
 * listeners first, the logger last. */
void serve(struct master *m);

#endif
