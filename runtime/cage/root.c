/* SPDX-License-Identifier: Apache-2.0 */
/* root.c – a root directory with nothing in it.
 * Runs in: every role. Trusts: master, which made the empty file system (spawn_empty_root) and
 * put the child into it before exec: so no path, no descriptor and no /proc is needed here. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cage/cage.h"
#include "cage/omit.h"

/* An empty directory lists "." and ".." and no more: 24 bytes each. */
static int check_empty(void) {
    _Alignas(8) char entries[256];
    int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    long n = syscall(SYS_getdents64, fd, entries, sizeof entries);
    int error = errno;
    (void)close(fd);
    if (n < 0) {
        return -error;
    }
    return n == 48 ? 0 : -ENOTEMPTY;
}

int cage_enter_root(void) {
    if (!CAGE_HAS(ROOT)) {
        return 0;
    }
    if (chroot(".") != 0 || chdir("/") != 0) {
        return -errno;
    }
    int rc = check_empty();
    if (rc != 0) {
        return rc;
    }
    return access("/", W_OK) != 0 ? 0 : -EPERM;
}
