/* SPDX-License-Identifier: Apache-2.0 */
/* deadlines.h – who is too slow, or silent too long.
 * Runs in: listener. One look at each connection in a second; nothing is done for it in between. */
#ifndef LUTTPD_LISTENER_DEADLINES_H
#define LUTTPD_LISTENER_DEADLINES_H

#include <stdbool.h>
#include <stdint.h>

struct listener;

/** Begins to look at every connection: closes, or answers 408, where a deadline has passed; parks who has not
 * moved since the last sweep. now: uv_now. */
void deadlines_sweep(struct listener *l, uint64_t now);

/** Goes on for at most half a millisecond, so that ten thousand that expire together hold up nobody else.
 * Call in each turn. Returns whether the sweep is over. */
bool deadlines_go_on(struct listener *l);

#endif
