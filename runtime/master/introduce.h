/* SPDX-License-Identifier: Apache-2.0 */
/* introduce.h – who is connected with whom: each router with each listener, producers with the
 * logger, and a listener with a vhost where the router asks for it.
 * Runs in: master. Distrusts: the router, which can wish for anything, at any rate.
 *
 * Nothing is queued: what is missing is state, and each turn supplies what both ends can take now.
 * A restarted process has no connections, so it gets them like a new one. */
#ifndef LUTTPD_MASTER_INTRODUCE_H
#define LUTTPD_MASTER_INTRODUCE_H

#include "master/master.h"

#define INTRODUCE_AGAIN_MS 50     /* between two introductions of the same two */
#define INTRODUCE_PATIENCE_MS 500 /* a vhost that starts later than this is refused for now */

/** INTRODUCE has come: remembers it. context: master. Returns 0, or -EBADMSG where the listener or
 * the vhost does not exist. */
int introduce_on_wish(void *context, const struct message_introduce *wish, struct packet *p);

/** Connects what can be connected. Returns when to try the rest, in milliseconds, or UINT64_MAX
 * where that waits for some event. */
uint64_t introduce_all(struct master *m, uint64_t now_ms);

/** Whether everything that runs is connected with router and logger. */
bool introduce_complete(struct master *m);

#endif
