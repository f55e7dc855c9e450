/* SPDX-License-Identifier: Apache-2.0 */
/* forwarded.h – who the client is, where trusted proxies stand between: Forwarded (RFC 7239), or
 * X-Forwarded-For and X-Forwarded-Proto. Runs in: listener. Distrusts: everybody but those proxies.
 * Pure: no I/O, no allocation.
 *
 * Each proxy adds at the right, so fields are read from the right, hop by hop, while the hop that
 * wrote an element is trusted. The client is the first address that is not trusted, or the leftmost.
 * What stands further left was written by strangers and is not even parsed, so it can spoil nothing.
 *
 *   peer 10.0.0.2 (trusted)   X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.0.0.9
 *                                              forged   client     trusted
 *
 * A hop whose name is hidden ("unknown", "_x"), missing or malformed ends the walk: the client is the
 * last address that was known. The scheme is that of the last element that was read; where it names
 * none, the connection's own. X-Forwarded-Proto counts with one value, or with as many values as
 * X-Forwarded-For has, and else not at all. Where there is a Forwarded, X-Forwarded-* are not believed;
 * but where they name another client, one of the two came from a stranger, through a proxy that knows
 * only the other: such a request is refused. */
#ifndef LUTTPD_LISTENER_FORWARDED_H
#define LUTTPD_LISTENER_FORWARDED_H

#include "listener/network.h"

#define FORWARDED_HOPS_MAX 64 /* then the walk ends, as at the leftmost */

enum forwarded_verdict {
    FORWARDED_STRANGER, /* the peer is not trusted: nothing changed, the vhost may not see the claims */
    FORWARDED_TRUSTED,  /* client is as the proxies say; the vhost may see the claims */
    FORWARDED_CONFLICT, /* Forwarded and X-Forwarded-For name different clients: 400; nothing changed */
};

/** Finds the client. proxies: who is trusted; borrowed.
 * claims, count: the head's claim fields in order, names in lower case; borrowed; others are ignored.
 * client: in: the peer (after its PROXY header, if any); out: the client. Its port is 0 where the
 *   address is a claim and the port is not. */
enum forwarded_verdict forwarded_read(const struct network_set *proxies, const struct field *claims,
                                      size_t count, struct network_client *client);

#endif
