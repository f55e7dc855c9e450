/* SPDX-License-Identifier: Apache-2.0 */
/* host_map.h – which vhost may answer for a host.
 * Runs in: router (asks), listener (asks, and refuses a router's lie), logger (names).
 * Distrusts: every byte of the route map, and the host it is asked for, which a client wrote.
 *
 *   host_map_open(fd, &map);                      before the cage closes: maps, allocates, getrandom
 *   if (host_map_find(map, host, &vhost)) ...     afterwards: no system call, no allocation
 *
 * A host matches its exact pattern, else the longest "*.suffix" (one label or more before the
 * suffix, so never the suffix itself), else the default vhost. One trailing dot is ignored.
 * The map never changes once it is made; any thread may ask. */
#ifndef LUTTPD_ROUTE_HOST_MAP_H
#define LUTTPD_ROUTE_HOST_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define HOST_MAP_FILE_MAX (64u * 1024 * 1024) /* bytes of a route map */

struct host_map;

/** A vhost that the map names. */
struct host_map_vhost {
    uint64_t id;
    struct slice name; /* lives as long as the map */
};

/** Reads a route map that is in memory. bytes: borrowed, must outlive the map and never change.
 * Returns 0 with out set (free with host_map_free); -EBADMSG where the file breaks a rule: a record
 * that does not belong there, ids that do not rise, a host of an unknown vhost, the same pattern
 * twice, a pattern that no host can have; -ENOMEM; -EFBIG above HOST_MAP_FILE_MAX. Blocks: no. */
int host_map_new(const uint8_t *bytes, size_t size, struct host_map **out);

/** Reads a sealed route map. fd: borrowed, may be closed afterwards; the map keeps a mapping.
 * Returns as host_map_new, and -EBADMSG also where seals or type are wrong; else -errno. */
int host_map_open(int fd, struct host_map **out);

/** Frees the map and what host_map_open mapped. map: taken, may be NULL. */
void host_map_free(struct host_map *map);

/** Finds the vhost for a host. host: lower case, without port; may hold any byte.
 * Returns true with vhost set, or false with vhost untouched. Cost: one hash for the host and one
 * for each of its suffixes whose length some wildcard has. */
bool host_map_find(const struct host_map *map, struct slice host, uint64_t *vhost);

/** Says whether this vhost may answer for this host: only the one that host_map_find gives. */
bool host_map_allows(const struct host_map *map, struct slice host, uint64_t vhost);

/** How many vhosts the map names, and each of them by rising id. index: below the count. */
size_t host_map_vhost_count(const struct host_map *map);
const struct host_map_vhost *host_map_vhost_at(const struct host_map *map, size_t index);

/** Where a vhost stands among them, for arrays beside the map. Returns its index, or -1. */
long host_map_vhost_index(const struct host_map *map, uint64_t vhost);

#endif
