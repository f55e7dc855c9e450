/* SPDX-License-Identifier: Apache-2.0 */
/* privileges.h – capability sets by system call.
 * Runs in: master and its children before exec; roles use cage.h. Sets are bits 1 << CAP_x. */
#ifndef LUTTPD_CAGE_PRIVILEGES_H
#define LUTTPD_CAGE_PRIVILEGES_H

#include <stdint.h>

/** Sets permitted and effective to one set, inheritable to another. Returns 0 or -errno. */
int privileges_set(uint64_t permitted, uint64_t inheritable);

/** Returns 0 with the permitted set in *permitted, or -errno. */
int privileges_get(uint64_t *permitted);

/** Drops everything but keep from the bounding set. Returns 0 or -errno. Needs SETPCAP. */
int privileges_bound(uint64_t keep);

#endif
