/* SPDX-License-Identifier: Apache-2.0 */
/* park.h – what a connection still needs while it does not move, in few bytes.
 * Runs in: listener. A request takes some 45 KiB, for as long as its client likes to be slow: ten thousand who
 * send a head byte by byte, or read an answer so, would take half a gigabyte. Whoever has not moved for a
 * second is packed: bytes that were not used, facts for the log. Whatever happens to it next unpacks it. */
#ifndef LUTTPD_LISTENER_PARK_H
#define LUTTPD_LISTENER_PARK_H

#include <stdbool.h>

struct connection;

/** Parks c if it can be: its request is given back. Otherwise, and where memory is short, nothing happens. */
void park(struct connection *c);

/** Unpacks c if it is parked. Returns false where memory is short: c is closed, without a record in the log. */
bool park_wake(struct connection *c);

/** Forgets what c had packed; it is being closed. */
void park_drop(struct connection *c);

#endif
