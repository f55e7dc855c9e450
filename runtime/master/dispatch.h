/* SPDX-License-Identifier: Apache-2.0 */
/* dispatch.h – what children may say to master: one generated table for each role.
 * Runs in: master. Distrusts: every child; blames the one that says anything else. */
#ifndef LUTTPD_MASTER_DISPATCH_H
#define LUTTPD_MASTER_DISPATCH_H

#include "master/master.h"

#define DISPATCH_PACKETS_PER_TURN 64 /* of one child, so that none keeps master from the others */

/** Receives and obeys what waits, within the child's allowance. */
void dispatch_child(struct master *m, struct child *c);

/** The process has ended: takes what it had said before that. */
void dispatch_rest(struct master *m, struct child *c);

/** Whether c has used up its packets of this second. */
bool dispatch_throttled(const struct child *c, uint64_t now_ms);

#endif
