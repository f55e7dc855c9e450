/* SPDX-License-Identifier: Apache-2.0 */
/* route_policy.h – what a routing policy may answer beyond the host map, and what it must be told.
 * Runs in: router (checks its own script), listener (refuses a router's lie).
 * Distrusts: the file's form, and the host it is asked for, which a client wrote.
 *
 *   route_policy_open(fd, map, &policy);      one epoch's policies, beside the map of the whole life
 *   if (route_policy_allows(policy, host, vhost)) ...
 *
 * A policy names vhosts: names that the map does not know are passed over. */
#ifndef LUTTPD_ROUTE_ROUTE_POLICY_H
#define LUTTPD_ROUTE_ROUTE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "route/host_map.h"

#define ROUTE_POLICY_FILE_MAX (64u * 1024 * 1024) /* bytes of the policies */
#define ROUTE_POLICY_TEXT_MAX (4u * 1024 * 1024)  /* bytes of the routing policy's script */
#define ROUTE_POLICY_FIELDS_MAX 8

struct route_policy;

/** Reads policies that are in memory. bytes: borrowed until return. map: borrowed, outlives the policy.
 * Returns 0 with out set (free with route_policy_free); -EBADMSG where the file breaks a rule, -EFBIG
 * where the script is too long, -ENOMEM. Records of the parsing policies are passed over. */
int route_policy_new(const uint8_t *bytes, size_t size, const struct host_map *map,
                     struct route_policy **out);

/** Reads sealed policies. fd: borrowed. Returns as route_policy_new; -EBADMSG also for wrong seals. */
int route_policy_open(int fd, const struct host_map *map, struct route_policy **out);

/** Frees the policy. NULL is fine. */
void route_policy_free(struct route_policy *policy);

/** Whether this vhost may answer for this host, by the host map or by the policy. host: lower case,
 * without port; any byte. policy: NULL stands for one that says nothing. */
bool route_policy_allows(const struct route_policy *policy, const struct host_map *map, struct slice host,
                         uint64_t vhost);

/** The vhost of this name, or NULL where the map has none. Lives as long as the map. */
const struct host_map_vhost *route_policy_vhost(const struct route_policy *policy, struct slice name);

/** Whether questions must carry the field of this name (lower case). */
bool route_policy_wants(const struct route_policy *policy, struct slice name);

/** The script and its file's name. Empty where there is none. They live as long as the policy. */
struct slice route_policy_text(const struct route_policy *policy);
struct slice route_policy_file(const struct route_policy *policy);

#endif
