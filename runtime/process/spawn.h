/* SPDX-License-Identifier: Apache-2.0 */
/* spawn.h – starts one role as a child of master, with everything that needs privilege.
 * Runs in: master. Blocks only for clone and exec. */
#ifndef LUTTPD_PROCESS_SPAWN_H
#define LUTTPD_PROCESS_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "schema/processes.h"

struct spawn {
    enum role role;
    int binary;       /* O_PATH descriptor of the role's executable, borrowed */
    int control;      /* the child's end of its control channel, borrowed */
    int network;      /* descriptor of the empty network namespace, or -1 (single user) */
    uid_t uid;        /* ignored in single-user mode */
    gid_t gid;
    uint64_t address_space_bytes; /* RLIMIT_AS, 0 for none */
    uint32_t processes;           /* RLIMIT_NPROC, 0 for none */
    uint32_t cpu_s;               /* RLIMIT_CPU, 0 for none */
    bool single_user; /* keep the caller's identity: no uid, gid, namespace or capability work */
};

/** Starts the role. Returns its pid with pidfd set (the caller owns it, close-on-exec), or -errno.
 * What fails between fork and exec is written to the control channel as a NOTE and the child exits. */
pid_t spawn_role(const struct spawn *s, int *pidfd);

/** Cuts master's own privilege down to the capabilities of processes.lua, installs the deny-list
 * that every child inherits, makes master undumpable. Call once, before the first spawn.
 * single_user: only what needs no privilege. Returns NULL, or the name of the part that failed
 * with errno set. */
const char *spawn_confine_master(bool single_user);

/** Opens a descriptor of a fresh, empty network namespace. Returns it, owned, or -errno. */
int spawn_empty_network(void);

#endif
