/* SPDX-License-Identifier: Apache-2.0 */
/* check.h – what a good plan would still stumble over on this machine.
 * Runs in: master, check mode. */
#ifndef LUTTPD_MASTER_CHECK_H
#define LUTTPD_MASTER_CHECK_H

#include "master/master.h"

/** Looks whether each vhost's user can read its root and vhost.lua. Prints lines parted by tabs:
 *   unreadable  VHOST  UID  PATH  REASON        for each that cannot
 *   plan  SOCKETS  VHOSTS                       last
 * Returns 0, or EXIT_FAILED where something is unreadable. */
int check_plan(struct master *m);

#endif
