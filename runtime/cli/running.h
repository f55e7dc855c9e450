/* SPDX-License-Identifier: Apache-2.0 */
/* running.h – the server of a state directory. Who that is, the kernel says: it holds the directory's lock.
 * Runs in: the command. */
#ifndef LUTTPD_CLI_RUNNING_H
#define LUTTPD_CLI_RUNNING_H

#include <stdbool.h>
#include <sys/types.h>

#include "cli/cli.h"

struct running {
    int lock;  /* owned: the lock file, open for reading */
    int pidfd; /* owned: certainly of the holder */
    pid_t pid;
};

/** Finds the server. Returns whether there is one within reach; else it is said on standard error. */
bool running_find(const char *state, struct running *out);

/** Sends it a signal; verb says to what end, such as "stop". Returns whether that was allowed; else it is
 * said on standard error. */
bool running_signal(const struct running *r, int number, const char *verb);

/** Closes both descriptors. */
void running_close(struct running *r);

#endif
