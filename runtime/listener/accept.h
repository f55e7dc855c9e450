/* SPDX-License-Identifier: Apache-2.0 */
/* accept.h – clients come: how many, and from where.
 * Runs in: listener. */
#ifndef LUTTPD_LISTENER_ACCEPT_H
#define LUTTPD_LISTENER_ACCEPT_H

#include <stdbool.h>
#include <stdint.h>

struct listener;
struct network_client;

/** Prepares to accept. The loop must be initialised. Returns 0 or a libuv error. */
int accept_start(struct listener *l);

/** The policy is new: takes its limits. */
void accept_take_policy(struct listener *l);

/** Stops accepting for good (draining). */
void accept_stop(struct listener *l);

/** A connection has closed, or become idle: accept again where there had been no room. */
void accept_resume(struct listener *l);

/** Counts a connection under its address, if addresses of this kind are counted. peer: borrowed.
 * Returns false where it has too many; else counted says whether accept_uncount is due at its end. */
bool accept_count(struct listener *l, const struct network_client *peer, bool *counted);
void accept_uncount(struct listener *l, const struct network_client *peer);

/** Sends 429 where that goes without waiting; the caller closes fd. */
void accept_turn_away(struct listener *l, int fd);

/** Says what was refused since the last time, once a minute. now: uv_now. */
void accept_report(struct listener *l, uint64_t now);

#endif
