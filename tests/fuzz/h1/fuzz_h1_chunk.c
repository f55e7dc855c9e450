/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_h1_chunk.c – any bytes as a chunked body: taken in steps of any size they give the same
 * content, the same end or the same refusal. And any bytes as content: framed and read back.
 * The first two bytes: bytes in a step, room for content. */
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "listener/h1_chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct h1_limits limits = {.extension_bytes = 32, .trailer_bytes = 48};

struct outcome {
    enum h1_verdict verdict;
    struct h1_refusal why;
    size_t used, n;
    char *content; /* room for all the input */
};

/* step: bytes at a time; 0: any number. */
static struct outcome feed(const uint8_t *bytes, size_t size, size_t step, size_t room) {
    struct outcome o = {.verdict = H1_MORE, .content = malloc(size + 1)};
    unsigned seed = (unsigned)(size * 31 + room);
    struct h1_chunks c;
    MUST(o.content);
    h1_chunk_begin(&c);
    while (o.verdict != H1_DONE && o.verdict != H1_REFUSED && o.used < size) {
        seed = seed * 1103515245u + 12345u;
        size_t n = step > 0 ? step : 1 + (seed >> 16) % 40u, used;
        n = n < size - o.used ? n : size - o.used;
        char *piece = malloc(n); /* its own block: reading past it is seen */
        MUST(piece);
        memcpy(piece, bytes + o.used, n);
        struct slice data;
        o.verdict = h1_chunk_next(&c, &limits, piece, n, room, &used, &data, &o.why);
        MUST(used <= n && (o.verdict != H1_MORE || used == n));
        if (o.verdict == H1_DATA) {
            MUST(data.n > 0 && data.n <= room && data.p >= piece && data.p + data.n == piece + used);
            memcpy(o.content + o.n, data.p, data.n);
            o.n += data.n;
        }
        o.used += used;
        free(piece);
    }
    MUST(o.n <= c.total && c.extensions <= limits.extension_bytes + 1);
    return o;
}

static void check_decoding(const uint8_t *bytes, size_t size, size_t step, size_t room) {
    struct outcome whole = feed(bytes, size, size, size), part = feed(bytes, size, step, room);
    MUST(whole.n == part.n && memcmp(whole.content, part.content, whole.n) == 0);
    MUST((whole.verdict == H1_DONE) == (part.verdict == H1_DONE));
    MUST((whole.verdict == H1_REFUSED) == (part.verdict == H1_REFUSED));
    MUST(whole.used == part.used);
    if (whole.verdict == H1_REFUSED)
        MUST(whole.why.status == part.why.status && whole.why.reason == part.why.reason);
    free(whole.content);
    free(part.content);
}

static size_t append(uint8_t *out, size_t at, struct slice s) {
    memcpy(out + at, s.p, s.n);
    return at + s.n;
}

static void check_round_trip(const uint8_t *content, size_t size, size_t chunk, size_t step) {
    uint8_t *wire = malloc(size * (H1_CHUNK_OPEN_MAX + 3) + 8);
    size_t n = 0;
    MUST(wire);
    for (size_t at = 0; at < size; at += chunk) {
        size_t take = chunk < size - at ? chunk : size - at;
        char line[H1_CHUNK_OPEN_MAX];
        n = append(wire, n, slice_from(line, h1_chunk_open(line, take)));
        n = append(wire, n, slice_from((const char *)content + at, take));
        n = append(wire, n, H1_CHUNK_CLOSE);
    }
    n = append(wire, n, H1_CHUNK_LAST);
    struct outcome o = feed(wire, n, step, n);
    MUST(o.verdict == H1_DONE && o.used == n && o.n == size);
    MUST(memcmp(o.content, content, size) == 0);
    free(o.content);
    free(wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 3)
        return 0;
    size_t step = 1 + data[0] % 37u, room = 1 + data[1] % 29u;
    check_decoding(data + 2, size - 2, step, room);
    check_decoding(data + 2, size - 2, 1, 1);
    check_decoding(data + 2, size - 2, 0, room);
    check_round_trip(data + 2, size - 2, room, step);
    return 0;
}
