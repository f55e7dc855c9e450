/* SPDX-License-Identifier: Apache-2.0 */
/* siphash.h – SipHash-1-3, a keyed hash for tables whose keys strangers choose.
 * Runs in: router, listener, logger. Without the key nobody can make keys that collide.
 * From the description by Aumasson and Bernstein (2012), one compression and three final rounds. */
#ifndef LUTTPD_ROUTE_SIPHASH_H
#define LUTTPD_ROUTE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t word[2];
};

/** Hashes n bytes at p under the key. p: borrowed, may be NULL where n is 0. */
uint64_t siphash(const struct siphash_key *key, const void *p, size_t n);

#endif
