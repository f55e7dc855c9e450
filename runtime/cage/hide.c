/* SPDX-License-Identifier: Apache-2.0 */
/* hide.c – keeps a process's memory to itself: no core, not dumpable, private files.
 * Runs in: every process. */
#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "cage/cage.h"
#include "cage/omit.h"

int cage_hide(void) {
    static const struct rlimit none = {0, 0};
    if (CAGE_HAS(LIMITS) && setrlimit(RLIMIT_CORE, &none) != 0) {
        return -errno;
    }
    if (CAGE_HAS(DUMPABLE)) {
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
            return -errno;
        }
        if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) {
            return -EPERM;
        }
    }
    (void)umask(077);
    return 0;
}
