/* SPDX-License-Identifier: Apache-2.0 */
/* start.h – what each role is born with and told first.
 * Runs in: master. */
#ifndef LUTTPD_MASTER_START_H
#define LUTTPD_MASTER_START_H

#include "master/master.h"
#include "process/spawn.h"

/** How to spawn c: user, limits, places. control: the child's end; label: for ps; both borrowed. */
struct spawn start_spawn(const struct master *m, const struct child *c, int control, const char *label);

/** Sends c its START message. Returns 0, or -errno with what naming the part that failed. */
int start_send(struct master *m, struct child *c, const char **what);

#endif
