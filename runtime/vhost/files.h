/* SPDX-License-Identifier: Apache-2.0 */
/* files.h – opens what a site serves, beneath its root and never outside.
 * Runs in: vhost, under the owner's UID. Distrusts: the path, and the tree: other users may be able
 * to plant links in it. Opening blocks for as long as the file system does. */
#ifndef LUTTPD_VHOST_FILES_H
#define LUTTPD_VHOST_FILES_H

#include <stdint.h>
#include <sys/types.h>

#include "vhost/open_cache.h"

#define FILES_INDEX_MAX 8 /* index names of one mount */

/** Where files come from. Everything is borrowed. */
struct files {
    int root;    /* the site's root directory */
    uid_t owner; /* whose hard links and link targets are served; root's are too */
    struct open_cache *cache;
};

/** A part of the site's paths that a directory answers for. */
struct files_mount {
    struct slice dir; /* relative to the root; "." is the root itself */
    struct slice index[FILES_INDEX_MAX];
    size_t index_count;
};

enum files_verdict {
    FILES_OPEN,      /* *out holds a reference to the file */
    FILES_NOT_FOUND, /* nothing there, a hidden name, or a directory without index */
    FILES_FORBIDDEN, /* no permission, not a regular file, leads out of the root, a foreign link */
    FILES_DIRECTORY, /* a directory asked for without its last slash */
    FILES_BUSY,      /* descriptors or memory have run out */
};

/** Opens the file that answers path. rest: what follows the mount's own prefix in path, no leading
 * slash; path: the whole, canonical path, which is the cache's key. */
enum files_verdict files_open(const struct files *f, const struct files_mount *mount, struct slice path,
                              struct slice rest, uint64_t now_ms, struct open_file **out);

/** Opens one file named relative to the root, outside any mount (an error page). key: for the
 * cache; give it a first byte that no path has. */
enum files_verdict files_open_named(const struct files *f, struct slice key, struct slice name,
                                    uint64_t now_ms, struct open_file **out);

/** Opens name beneath the directory dir as a regular file with these rules, without the cache, and
 * says its size. Returns the descriptor, owned, or -errno (-EISDIR: a directory, -EACCES: refused). */
int files_open_regular(int dir, const char *name, uid_t owner, uint64_t *size, int64_t *modified);

/** Whether name is a directory beneath dir. */
int files_is_directory(int dir, const char *name);

#endif
