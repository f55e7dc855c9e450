/* SPDX-License-Identifier: Apache-2.0 */
/* places.h – the files and directories that only master can open, and hands on as descriptors.
 * Runs in: master. Distrusts: what owners may have put in the place of a directory. */
#ifndef LUTTPD_MASTER_PLACES_H
#define LUTTPD_MASTER_PLACES_H

#include "master/master.h"

#define PLACES_SERVER_LOG "_server" /* as the logger calls it; no vhost can have this name */

/** Opens the executable of every role beside master's own. Returns 0, or -errno, reported. */
int places_open_binaries(int binaries[ROLE_COUNT]);

/** Makes the state directory if need be and locks it against a second server.
 * Returns the lock, owned; -EBUSY where a server runs on it; else -errno. Reported. */
int places_lock_state(const char *directory);

/** Opens the table of automatic users. check: only reads, and an absent one is empty.
 * Returns a descriptor, owned, or -errno, reported. */
int places_open_users(const char *state, bool check);

/** Opens the log directory, making it if need be. Returns it, owned, or -errno, reported. */
int places_open_logs(struct slice path);

/** Makes the directory of one vhost's logs, or of the server's, in there: the logger's to write,
 * its group's to read. Takes no surprising one. Returns 0 or -errno, reported. */
int places_make_log(int logs, struct slice name, gid_t gid, bool single_user);

/** Opens a vhost's root: by the owner's own rights where they reach it, else by master's if no
 * symbolic link is on the way, since an owner could point it elsewhere.
 * Returns a descriptor, owned, or -errno. */
int places_open_root(const struct message_plan_vhost *v, bool single_user);

/** Whether the owner can list the root and read vhost.lua there (which may be absent).
 * Returns NULL, or what is not readable, with errno saying why. */
const char *places_check_root(int root, const struct message_plan_vhost *v, bool single_user);

#endif
