/* SPDX-License-Identifier: Apache-2.0 */
/* turn.h – the end of each loop turn, and what the loop polls.
 * Runs in: listener. */
#ifndef LUTTPD_LISTENER_TURN_H
#define LUTTPD_LISTENER_TURN_H

#include <uv.h>

#include "base/slice.h"

struct connection;
struct listener;

/** Registers the end-of-turn work and the timers. Returns 0 or a libuv error. */
int turn_start(struct listener *l);

/** Asks for this connection to be looked at in the end of this turn. */
void turn_touch(struct connection *c);

/** The Date field's value, fresh to the second. Lives until the next call. */
struct slice turn_date(struct listener *l);

/** Polls fd for reading; callback gets data through handle->data. Allocates the handle, since libuv
 * frees it later. Returns NULL where that fails. */
uv_poll_t *listener_poll(struct listener *l, int fd, uv_poll_cb callback, void *data);

/** Stops polling and frees the handle in time. Call before the descriptor is closed. */
void listener_unpoll(uv_poll_t *poll);

#endif
