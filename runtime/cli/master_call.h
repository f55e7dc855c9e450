/* SPDX-License-Identifier: Apache-2.0 */
/* master_call.h – how the command becomes, or asks, luttpd-master.
 * Runs in: the command. */
#ifndef LUTTPD_CLI_MASTER_CALL_H
#define LUTTPD_CLI_MASTER_CALL_H

#include "cli/cli.h"

/** Replaces this process by luttpd-master from the same directory, with an empty environment.
 * mode: "run" or "check". Returns only on failure, said on standard error. */
void master_call_exec(const char *mode, const struct cli_options *options);

/** Makes sure that descriptors 0 to 2 are open, so that no other file takes their place. */
void master_call_fill_standard(void);

#endif
