/* SPDX-License-Identifier: Apache-2.0 */
/* landlock.c – what stays reachable by path, and whom signals and abstract sockets reach.
 * Runs in: every role. The structures are declared here because distributions ship headers that
 * are older than the kernels they run on. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cage/cage.h"
#include "cage/omit.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

struct ruleset {
    uint64_t files;   /* what is denied unless a rule allows it */
    uint64_t network; /* ABI 4 */
    uint64_t scopes;  /* ABI 6 */
};

struct beneath {
    uint64_t allowed;
    int32_t directory;
} __attribute__((packed));

#define ABI_VERSION 1u /* flag: tell the ABI */
#define RULE_BENEATH 1
#define FILES_ABI_1 0x1fffu /* execute, read, write, list, remove and make every kind of file */
#define FILE_EXECUTE 0x0001u
#define FILE_WRITE 0x0002u
#define FILE_READ 0x0004u
#define FILE_LIST 0x0008u
#define FILE_REMOVE 0x0030u   /* directories and files */
#define FILE_MAKE 0x0180u     /* directories and plain files; never devices, sockets, links */
#define FILE_REFER 0x2000u    /* ABI 2: rename between directories */
#define FILE_TRUNCATE 0x4000u /* ABI 3 */
#define FILE_IOCTL 0x8000u    /* ABI 5: devices */
#define NETWORK_TCP 0x3u      /* bind, connect */
#define SCOPE_ALL 0x3u        /* abstract sockets, signals */

int cage_landlock_level(void) {
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, ABI_VERSION);
    return abi <= 0 ? 0 : abi < CAGE_LANDLOCK_MAX ? (int)abi : CAGE_LANDLOCK_MAX;
}

static uint64_t files_of(int abi) {
    uint64_t files = FILES_ABI_1;
    files |= abi >= 2 ? FILE_REFER : 0;
    files |= abi >= 3 ? FILE_TRUNCATE : 0;
    files |= abi >= 5 ? FILE_IOCTL : 0;
    return files;
}

static int allow(int ruleset, int directory, uint64_t files) {
    struct beneath rule = {files, directory};
    return syscall(SYS_landlock_add_rule, ruleset, RULE_BENEATH, &rule, 0) == 0 ? 0 : -errno;
}

static int fill_and_close(int ruleset, uint64_t files, int read_dir, int write_dir) {
    int rc = 0;
    if (read_dir >= 0) {
        rc = allow(ruleset, read_dir, FILE_READ | FILE_LIST);
    }
    if (rc == 0 && write_dir >= 0) {
        uint64_t wanted =
            FILE_READ | FILE_LIST | FILE_WRITE | FILE_REMOVE | FILE_MAKE | FILE_REFER | FILE_TRUNCATE;
        rc = allow(ruleset, write_dir, wanted & files);
    }
    if (rc == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) {
        rc = -errno;
    }
    return rc;
}

int cage_landlock(int read_dir, int write_dir) {
    if (!CAGE_HAS(LANDLOCK)) {
        return 0;
    }
    /* Changes nothing; refused where this process has more than one thread. */
    if (unshare(CLONE_THREAD) != 0) {
        return -EBUSY;
    }
    int abi = cage_landlock_level();
    if (abi == 0) {
        return -ENOSYS;
    }
    struct ruleset set = {files_of(abi), abi >= 4 ? NETWORK_TCP : 0, abi >= 6 ? SCOPE_ALL : 0};
    size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
    long ruleset = syscall(SYS_landlock_create_ruleset, &set, size, 0);
    if (ruleset < 0) {
        return -errno;
    }
    int rc = fill_and_close((int)ruleset, set.files, read_dir, write_dir);
    (void)close((int)ruleset);
    return rc;
}
