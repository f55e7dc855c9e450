/* SPDX-License-Identifier: Apache-2.0 */
/* routes_judge.h – whether an answer of the router can be true, and what it comes to for one request.
 * Runs in: listener. Distrusts: the router, and the path that a redirect keeps. Pure. */
#ifndef LUTTPD_LISTENER_ROUTES_JUDGE_H
#define LUTTPD_LISTENER_ROUTES_JUDGE_H

#include "listener/network.h"
#include "listener/routes_cache.h"
#include "route/host_map.h"

#define ROUTE_LOCATION_MAX 8192 /* bytes of a redirect's Location, kept path and query included */

/** Judges all but who may answer. m: decoded. path: of the request. Returns whether it can be true; then
 * out and scope are filled, with slices of m; index is not set yet. */
bool route_judge(const struct message_route *m, struct slice path, struct route_answer *out,
                 struct route_scope *scope);

/** Sets index of out, where every vhost of m is in the map. Returns whether that is so. */
bool route_index(const struct message_route *m, const struct host_map *map, struct route_answer *out);

/** Chooses among the vhosts of an answer. draw: any 64 bits, evenly distributed. Returns an index. */
uint32_t route_choose(const struct route_answer *answer, uint64_t draw);

/** Bits for a client that are the same in every process: of its IPv4 address, or IPv6 /64. */
uint64_t route_client_bits(const struct network_client *client);

/** Writes the Location of a redirect: the kept path is canonical and encoded again, the query as it came.
 * Returns its bytes, or 0 where it does not fit. */
size_t route_location(const struct route_answer *answer, struct slice path, struct slice query,
                      char out[ROUTE_LOCATION_MAX]);

#endif
