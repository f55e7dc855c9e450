/* SPDX-License-Identifier: Apache-2.0 */
/* confine_master.c – what master gives up before it starts anyone, and the two empty places that it
 * makes for its children. Runs in: master. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "cage/cage.h"
#include "cage/omit.h"
#include "cage/privileges.h"
#include "process/spawn.h"

/* All that it keeps must be there now: a server that notices at its first spawn is of no use. */
static int cut_capabilities(void) {
    uint64_t keep = role_facts[ROLE_MASTER].capabilities;
    uint64_t have;
    int rc = privileges_get(&have);
    if (rc == 0 && (have & keep) != keep) {
        rc = -EPERM;
    }
    if (rc == 0) {
        rc = privileges_bound(keep);
    }
    return rc == 0 ? privileges_set(keep, 0) : rc;
}

const char *spawn_confine_master(bool single_user) {
    const char *part = "dumpable";
    int rc = cage_hide();
    if (rc == 0 && CAGE_HAS(MASTER)) {
        part = single_user ? "no_new_privs" : "capabilities";
        rc = single_user ? cage_no_new_privileges(true) : cut_capabilities();
    }
    /* With SYS_ADMIN the filter needs no no_new_privs, which would bind the children's labels. */
    if (rc == 0 && CAGE_HAS(MASTER)) {
        part = "seccomp";
        rc = cage_filter(FILTER_MASTER);
    }
    errno = -rc;
    return rc == 0 ? NULL : part;
}

static int open_network(void) {
    int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    return fd >= 0 ? fd : -errno;
}

/* Master visits the new namespace for a moment; it has one thread, so nobody else does. */
int spawn_empty_network(void) {
    int home = open_network();
    if (home < 0) {
        return home;
    }
    int empty = unshare(CLONE_NEWNET) == 0 ? open_network() : -errno;
    int rc = setns(home, CLONE_NEWNET) == 0 ? 0 : -errno;
    (void)close(home);
    if (rc != 0 && empty >= 0) {
        (void)close(empty);
    }
    return rc != 0 ? rc : empty;
}

/* A file system with room for its root directory only. */
static int configure(int context) {
    static const char *const options[][2] = {{"mode", "0555"}, {"nr_inodes", "1"}, {"size", "4096"}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (fsconfig(context, FSCONFIG_SET_STRING, options[i][0], options[i][1], 0) != 0) {
            return -errno;
        }
    }
    return fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0 ? 0 : -errno;
}

int spawn_empty_root(void) {
    unsigned attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0) {
        return -errno;
    }
    int rc = configure(context);
    if (rc == 0) {
        rc = fsmount(context, FSMOUNT_CLOEXEC, attributes);
        rc = rc >= 0 ? rc : -errno;
    }
    (void)close(context);
    return rc;
}
