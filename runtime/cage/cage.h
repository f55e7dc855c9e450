/* SPDX-License-Identifier: Apache-2.0 */
/* cage.h – the kernel's walls around one process. This is what security rests on.
 * Runs in: every role, on itself, once, in the order of this file; cage_filter also in master.
 * Each function closes one wall for good. Each returns 0, or -errno: then the process must end. */
#ifndef LUTTPD_CAGE_CAGE_H
#define LUTTPD_CAGE_CAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/processes.h"

/* A sanitizer's runtime reserves terabytes, writes to standard error and makes more system calls:
 * its builds get no limit of address space, keep descriptor 2, and a wider filter. */
#ifdef LUTTPD_ASAN
#define CAGE_SANITIZED true
#else
#define CAGE_SANITIZED false
#endif

/** No core file, no ptrace, no /proc/PID/mem: for all but root. umask 077. */
int cage_hide(void);

/** Makes the current directory the root directory. It must be empty and unwritable; -ENOTEMPTY
 * where something is in it. Needs SYS_CHROOT. */
int cage_enter_root(void);

/** Gives up every capability, in every set; -EPERM where one is left.
 * bounding: the bounding set must be empty as well (not so where luttpd runs without root). */
int cage_drop_capabilities(bool bounding);

/** No program that this process might run could gain anything. Where the kernel can, also:
 * nothing writable becomes executable (only without executable pages). */
int cage_no_new_privileges(bool executable);

/** What landlock of the running kernel can do: its ABI, 0 for none. */
int cage_landlock_level(void);

/** Only what lies beneath the two directories stays reachable, by paths that are opened from now
 * on; no TCP, no abstract sockets and no signals outside, as far as the kernel's level goes.
 * read_dir, write_dir: descriptors, borrowed, or -1. -EBUSY where other threads run already: landlock
 * would not reach them. -ENOSYS where the kernel has no landlock or has
 * it switched off. */
int cage_landlock(int read_dir, int write_dir);

/** Every system call that the filter does not name ends the process, all threads included. */
int cage_filter(enum filter filter);

#endif
