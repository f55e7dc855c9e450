/* SPDX-License-Identifier: Apache-2.0 */
/* network.h – addresses, and the networks that are trusted in something.
 * Runs in: listener. Pure: no I/O, no allocation.
 *
 * An address is a family (enum family of messages.h) and 4 or 16 bytes in network order. An IPv4
 * address mapped into IPv6 (::ffff:0:0/96) is the IPv4 address everywhere: in sets and in questions. */
#ifndef LUTTPD_LISTENER_NETWORK_H
#define LUTTPD_LISTENER_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "schema/messages.h"

/** The addresses whose first bits are those of address. */
struct network {
    uint8_t family;      /* FAMILY_UNIX: whoever reaches a UNIX socket; address and bits do not count */
    uint8_t address[16]; /* the first 4 for FAMILY_INET */
    uint16_t bits;       /* 0 to 32 or 128; with more it contains nobody */
};

/** items may be NULL where count is 0. */
struct network_set {
    struct network *items;
    size_t count;
};

/** Where a request comes from, as far as we know: the socket's other end, until a PROXY header or a
 * trusted proxy knows better. */
struct network_client {
    uint8_t family;      /* FAMILY_INET, FAMILY_INET6 or FAMILY_UNIX */
    uint8_t address[16]; /* the first 4 for FAMILY_INET; the rest is zero */
    uint16_t port;       /* 0 where unknown */
    bool https;          /* how the client speaks to whoever it reached first */
};

/** Whether any network of the set contains the address (16 bytes or, for FAMILY_INET, 4; borrowed;
 * not looked at for FAMILY_UNIX). Nobody is in an empty set. */
bool network_set_has(const struct network_set *set, uint8_t family, const uint8_t *address);

/** Sets family and address of out: address is of 4 or 16 bytes, borrowed; family FAMILY_INET or
 * FAMILY_INET6, for a mapped address then FAMILY_INET. The rest of out stays. */
void network_set_address(struct network_client *out, uint8_t family, const uint8_t *address);

/** Reads an IPv4 address (four decimal numbers without leading zeros) or an IPv6 address (RFC 4291
 * section 2.2, no zone), without brackets, and nothing else. On success sets family and address of
 * out, the unused bytes to zero, and leaves the rest; on failure nothing is touched. */
bool network_read_address(struct slice text, struct network_client *out);

/** Reads a decimal port, 0 to 65535, without leading zeros. Touches port on success only. */
bool network_read_port(struct slice text, uint16_t *port);

/** The bytes of its address: 4, 16 or none. */
static inline struct slice network_client_address(const struct network_client *client) {
    size_t n = client->family == FAMILY_INET ? 4 : client->family == FAMILY_INET6 ? 16 : 0;
    return slice_from((const char *)client->address, n);
}

#endif
