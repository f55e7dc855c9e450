/* SPDX-License-Identifier: Apache-2.0 */
/* modules.h – where the text of Lua files comes from: the binary, or the site's own directory.
 * Runs in: vhost. Distrusts: the tree. */
#ifndef LUTTPD_VHOST_MODULES_H
#define LUTTPD_VHOST_MODULES_H

#include "base/embedded_lua.h"
#include "vhost/vhost.h"

/** A file of luttpd's own by its path beneath lua/, or NULL. */
const struct embedded_lua *modules_find_own(const char *path);

/** Reads a Lua file beneath the site's root, by the rules of files_open_regular.
 * Returns 0 with *text (owned, free) and *size set, -ENOENT where there is none, -EFBIG, or -errno. */
int modules_read(const struct vhost *v, const char *name, char **text, size_t *size);

#endif
