/* SPDX-License-Identifier: Apache-2.0 */
/* network.c – see network.h. */
#include "listener/network.h"

#include <arpa/inet.h>
#include <string.h>

#define MAPPED_BITS 96 /* of ::ffff:0:0/96 */

static bool is_mapped(const uint8_t *address) {
    static const uint8_t prefix[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};
    return memcmp(address, prefix, sizeof prefix) == 0;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits) {
    unsigned bytes = bits / 8, left = bits % 8;
    return memcmp(a, b, bytes) == 0 && (left == 0 || ((a[bytes] ^ b[bytes]) >> (8 - left)) == 0);
}

/* address: of 4 bytes for FAMILY_INET, never mapped for FAMILY_INET6. */
static bool network_has(const struct network *n, uint8_t family, const uint8_t *address) {
    if (n->family == FAMILY_INET6 && n->bits >= MAPPED_BITS && n->bits <= 128 && is_mapped(n->address))
        return family == FAMILY_INET && same_bits(n->address + 12, address, n->bits - MAPPED_BITS);
    if (n->family != family)
        return false;
    switch (family) {
    case FAMILY_INET:
        return n->bits <= 32 && same_bits(n->address, address, n->bits);
    case FAMILY_INET6:
        return n->bits <= 128 && same_bits(n->address, address, n->bits);
    default:
        return family == FAMILY_UNIX;
    }
}

bool network_set_has(const struct network_set *set, uint8_t family, const uint8_t *address) {
    if (family == FAMILY_INET6 && is_mapped(address)) {
        family = FAMILY_INET;
        address += 12;
    }
    for (size_t i = 0; i < set->count; i++)
        if (network_has(&set->items[i], family, address))
            return true;
    return false;
}

void network_set_address(struct network_client *out, uint8_t family, const uint8_t *address) {
    bool mapped = family == FAMILY_INET6 && is_mapped(address);
    memset(out->address, 0, sizeof out->address);
    out->family = mapped ? FAMILY_INET : family;
    memcpy(out->address, address + (mapped ? 12 : 0), out->family == FAMILY_INET ? 4 : 16);
}

bool network_read_address(struct slice text, struct network_client *out) {
    char copy[INET6_ADDRSTRLEN];
    uint8_t address[16];
    if (text.n == 0 || text.n >= sizeof copy || memchr(text.p, '\0', text.n) != NULL)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (inet_pton(AF_INET, copy, address) == 1)
        network_set_address(out, FAMILY_INET, address);
    else if (inet_pton(AF_INET6, copy, address) == 1)
        network_set_address(out, FAMILY_INET6, address);
    else
        return false;
    return true;
}

bool network_read_port(struct slice text, uint16_t *port) {
    unsigned value = 0;
    if (text.n == 0 || text.n > 5 || (text.n > 1 && text.p[0] == '0'))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text.p[i] - '0');
    }
    if (value > UINT16_MAX)
        return false;
    *port = (uint16_t)value;
    return true;
}
