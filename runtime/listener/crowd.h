/* SPDX-License-Identifier: Apache-2.0 */
/* crowd.h – how many connections each IPv4 address, or IPv6 network of 64 bits, has open.
 * Runs in: listener. Strangers choose the addresses, so they are hashed under a key. One allocation, at the
 * start; an address stands here only while it has connections. */
#ifndef LUTTPD_LISTENER_CROWD_H
#define LUTTPD_LISTENER_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "route/siphash.h"

struct crowd_entry {
    uint64_t network; /* 4 bytes of an IPv4 address, 8 of an IPv6 address */
    uint32_t family;  /* enum family */
    uint32_t count;   /* 0: free */
};

struct crowd {
    struct siphash_key key;
    struct crowd_entry *entries;
    size_t mask, used;
};

/** Makes room for so many addresses. key: secret, copied. Returns 0 or -ENOMEM. */
int crowd_init(struct crowd *crowd, const struct siphash_key *key, size_t addresses);
void crowd_deinit(struct crowd *crowd);

/** One connection more from there. address: 4 or 16 bytes, borrowed. most: how many it may have, 0 for any
 * number. Returns false, and counts nothing, where that would be more, or too many addresses stand here. */
bool crowd_enter(struct crowd *crowd, uint8_t family, const uint8_t *address, uint32_t most);

/** One connection less from there; crowd_enter has counted it. */
void crowd_leave(struct crowd *crowd, uint8_t family, const uint8_t *address);

/** How many it has. */
uint32_t crowd_count(const struct crowd *crowd, uint8_t family, const uint8_t *address);

#endif
