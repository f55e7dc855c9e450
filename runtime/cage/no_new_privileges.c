/* SPDX-License-Identifier: Apache-2.0 */
/* no_new_privileges.c – set-user-ID programs lose their power over this process.
 * Runs in: every role. */
#include <errno.h>
#include <stdbool.h>
#include <sys/prctl.h>

#include "cage/cage.h"
#include "cage/omit.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1UL
#endif

int cage_no_new_privileges(bool executable) {
    if (CAGE_HAS(NEW_PRIVILEGES) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return -errno;
    }
    /* Linux 6.3; before it the filter alone refuses executable pages. */
    if (CAGE_HAS(EXECUTABLE) && !executable && prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0 &&
        errno != EINVAL) {
        return -errno;
    }
    return 0;
}
