/* SPDX-License-Identifier: Apache-2.0 */
/* siphash.c – see siphash.h. Words are read little-endian, so results are the same everywhere. */
#include "route/siphash.h"

struct state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, unsigned bits) {
    return (x << bits) | (x >> (64 - bits));
}

__attribute__((always_inline)) static inline void round_once(struct state *s) {
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

static inline void compress(struct state *s, uint64_t word) {
    s->v3 ^= word;
    round_once(s);
    s->v0 ^= word;
}

/* Up to eight bytes, the first one lowest. */
static uint64_t read_word(const unsigned char *p, size_t n) {
    uint64_t word = 0;
    for (size_t i = 0; i < n; i++) {
        word |= (uint64_t)p[i] << (8 * i);
    }
    return word;
}

uint64_t siphash(const struct siphash_key *key, const void *p, size_t n) {
    const unsigned char *bytes = p;
    struct state s = {
        key->word[0] ^ UINT64_C(0x736f6d6570736575),
        key->word[1] ^ UINT64_C(0x646f72616e646f6d),
        key->word[0] ^ UINT64_C(0x6c7967656e657261),
        key->word[1] ^ UINT64_C(0x7465646279746573),
    };
    size_t at = 0;
    for (; n - at >= 8; at += 8) {
        compress(&s, read_word(bytes + at, 8));
    }
    compress(&s, ((uint64_t)n << 56) | (n > at ? read_word(bytes + at, n - at) : 0));
    s.v2 ^= 0xff;
    for (int i = 0; i < 3; i++) {
        round_once(&s);
    }
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
