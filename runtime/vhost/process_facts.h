/* SPDX-License-Identifier: Apache-2.0 */
/* process_facts.h – require "luttpd.processes": the process tree, for pages that draw it.
 * Runs in: vhost. */
#ifndef LUTTPD_VHOST_PROCESS_FACTS_H
#define LUTTPD_VHOST_PROCESS_FACTS_H

#include <stdint.h>

/** Lua text that returns an array with, for each role, { name, uid, holds, does, never = { ... },
 * peers = { ... }, network, root }, as processes.lua has them.
 * uids: by role; for vhosts this process's own stands there. Owned by the caller (free), or NULL. */
char *process_facts_as_lua(const uint32_t *uids);

#endif
