/* SPDX-License-Identifier: Apache-2.0 */
/* evil.h – what an evil build of a role may offer to its attacks. Runs in: evil builds of roles. */
#ifndef LUTTPD_TEST_EVIL_H
#define LUTTPD_TEST_EVIL_H

/** Opens a socket in another thread that was started before the filter. Returns 0, or -errno.
 * May be missing: then that attack is not tried. */
int evil_run_in_thread(void) __attribute__((weak));

#endif
