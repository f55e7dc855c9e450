/* SPDX-License-Identifier: Apache-2.0 */
/* capabilities.c – gives up what is left of root, and looks whether anything stayed.
 * Runs in: every role. */
#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cage/cage.h"
#include "cage/omit.h"
#include "cage/privileges.h"

int privileges_set(uint64_t permitted, uint64_t inheritable) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    for (unsigned i = 0; i < 2; i++) {
        data[i].permitted = (uint32_t)(permitted >> (32 * i));
        data[i].effective = data[i].permitted;
        data[i].inheritable = (uint32_t)(inheritable >> (32 * i));
    }
    return syscall(SYS_capset, &header, data) == 0 ? 0 : -errno;
}

int privileges_get(uint64_t *permitted) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0) {
        return -errno;
    }
    *permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    return 0;
}

/* A capability that the kernel does not know answers EINVAL: the end of the list. */
int privileges_bound(uint64_t keep) {
    for (unsigned c = 0; c < 64; c++) {
        int in_set = prctl(PR_CAPBSET_READ, c, 0, 0, 0);
        if (in_set < 0) {
            return errno == EINVAL && c > 0 ? 0 : -errno;
        }
        if (in_set == 1 && (keep >> c & 1) == 0 && prctl(PR_CAPBSET_DROP, c, 0, 0, 0) != 0) {
            return -errno;
        }
    }
    return 0;
}

static int check_bounding(void) {
    for (unsigned c = 0; c < 64; c++) {
        int in_set = prctl(PR_CAPBSET_READ, c, 0, 0, 0);
        if (in_set < 0) {
            return 0;
        }
        if (in_set == 1) {
            return -EPERM;
        }
    }
    return 0;
}

int cage_drop_capabilities(bool bounding) {
    uint64_t left;
    if (!CAGE_HAS(CAPABILITIES)) {
        return 0;
    }
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
        return -errno;
    }
    int rc = privileges_set(0, 0);
    if (rc == 0) {
        rc = privileges_get(&left);
    }
    if (rc == 0 && left != 0) {
        rc = -EPERM;
    }
    return rc == 0 && bounding ? check_bounding() : rc;
}
