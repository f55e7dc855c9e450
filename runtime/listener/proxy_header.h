/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_header.h – the PROXY protocol, versions 1 and 2: what a load balancer says before the first
 * byte of a connection. Runs in: listener. Distrusts: every byte. Pure: no I/O, no allocation.
 * Only for connections whose other end is named in proxy_protocol; anyone else's bytes are a request.
 *
 * Strict. Version 1: TCP4, TCP6 and UNKNOWN, single spaces, canonical ports, at most 107 bytes.
 * Version 2: PROXY and LOCAL; no family, IPv4, IPv6 or UNIX over a stream (datagrams are refused); at
 * most 4096 bytes behind the first 16. Its TLVs must fill it exactly; a CRC32C must be right; SSL says
 * whether the client speaks TLS; all others are ignored. */
#ifndef LUTTPD_LISTENER_PROXY_HEADER_H
#define LUTTPD_LISTENER_PROXY_HEADER_H

#include "listener/network.h"

#define PROXY_HEADER_V1_MAX_BYTES 107
#define PROXY_HEADER_MAX_BYTES (16 + 4096)

/** Reads the header from the begin of a connection.
 * buf, n: all bytes received so far, borrowed, as often as there are more of them.
 * client: in: who the connection's other end is; changed only where the header is complete and names
 *   a client. Then its family, address and port are the header's (no address for UNIX), and https is
 *   set where version 2 says so. LOCAL, UNKNOWN and no family name nobody.
 * reason: static text for a log; set where refused, else left. Not NULL.
 * Returns the header's bytes (what follows is the first request), 0 where more bytes are needed, or
 * -EBADMSG: close without an answer. PROXY_HEADER_MAX_BYTES bytes always decide. However the bytes
 * were split over the calls, the outcome is the same. */
int proxy_header_read(const char *buf, size_t n, struct network_client *client, const char **reason);

#endif
