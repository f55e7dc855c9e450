/* SPDX-License-Identifier: Apache-2.0 */
/* deadlines.h – who is too slow, or silent too long.
 * Runs in: listener. One look at each connection in a second; nothing is done for it in between. */
#ifndef LUTTPD_LISTENER_DEADLINES_H
#define LUTTPD_LISTENER_DEADLINES_H

#include <stdint.h>

struct listener;

/** Closes, or answers 408, where a deadline has passed; parks who has not moved since the last call.
 * now: uv_now. */
void deadlines_sweep(struct listener *l, uint64_t now);

#endif
