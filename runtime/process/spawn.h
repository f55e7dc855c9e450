/* SPDX-License-Identifier: Apache-2.0 */
/* spawn.h – starts one role as a child of master, with everything that needs privilege.
 * Runs in: master, which has one thread. Blocks only for clone. */
#ifndef LUTTPD_PROCESS_SPAWN_H
#define LUTTPD_PROCESS_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "schema/processes.h"

#define SPAWN_LABEL_MAX 80 /* bytes of a label that are shown */

struct spawn {
    enum role role;
    const char *label;            /* what ps shows behind the role's name, such as the vhost; may be NULL */
    int binary;                   /* O_PATH descriptor of the role's executable, borrowed */
    int control;                  /* the child's end of its control channel, borrowed; made by this process */
    int network;                  /* of spawn_empty_network, borrowed; -1 (single user) */
    int root;                     /* of spawn_empty_root, borrowed; -1 (single user) */
    uid_t uid;                    /* ignored in single-user mode; else never 0 */
    gid_t gid;                    /* the same */
    uint64_t address_space_bytes; /* RLIMIT_AS, 0 for none; none either in sanitizer builds */
    uint32_t processes;           /* RLIMIT_NPROC, 0 for none; counts all threads of the user */
    uint32_t cpu_s;               /* RLIMIT_CPU, 0 for none */
    bool single_user; /* keep the caller's identity: no uid, gid, namespace, root or capability work */
};

/** Starts the role. Returns its pid with pidfd set (the caller owns it, close-on-exec), or -errno:
 * -EINVAL where uid or gid is 0 or a descriptor is missing that the role needs.
 * What fails between fork and exec is written to the control channel as a NOTE and the child exits
 * with PROCESS_EXIT_FAILED. Signal with pidfd_send_signal only: a pid may have been reused. */
pid_t spawn_role(const struct spawn *s, int *pidfd);

/** Cuts master's own privilege down to the capabilities of processes.lua, installs the deny-list
 * that every child inherits, makes master undumpable, sets umask 077. Call once, before the first
 * spawn. single_user: only what needs no privilege (and no_new_privs, which the list then needs).
 * Returns NULL, or the name of the part that failed with errno set: then master must end. */
const char *spawn_confine_master(bool single_user);

/** Opens a descriptor of a fresh, empty network namespace. Returns it, owned, or -errno. */
int spawn_empty_network(void);

/** Opens the root of a read-only file system without a single entry, mounted nowhere: the root
 * directory of roles. Returns it, owned, or -errno. Keep it open as long as children start. */
int spawn_empty_root(void);

#endif
