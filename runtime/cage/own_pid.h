/* SPDX-License-Identifier: Apache-2.0 */
/* own_pid.h – a number that stands for the process's own pid in a compiled filter.
 * Runs in: the build and every role. seccomp.c puts the real pid in its place. */
#ifndef LUTTPD_CAGE_OWN_PID_H
#define LUTTPD_CAGE_OWN_PID_H

#define CAGE_OWN_PID_MARK 0x70696421U /* above every pid: the kernel's limit is 1 << 22 */
#define CAGE_FILTER_MAX 512           /* instructions in the longest filter */

#endif
