/* SPDX-License-Identifier: Apache-2.0 */
/* head_cases.h – runs a table of request heads through the parser, split in every way. */
#ifndef LUTTPD_TESTS_LISTENER_HEAD_CASES_H
#define LUTTPD_TESTS_LISTENER_HEAD_CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "h1_render.h"

struct head_case {
    const char *section; /* of the RFC */
    struct slice bytes;
    const char *outcome; /* as h1_render.h writes it; for a refusal its beginning */
};

/* A request with these extra bytes behind a good request line and Host. */
#define WITH(lines) SLICE("GET / HTTP/1.1\r\nHost: a\r\n" lines "\r\n\r\n")
#define LINE(line) SLICE(line "\r\nHost: a\r\n\r\n")

/* Feeds the bytes in steps, each time in a fresh buffer of exactly that size. step: how many at a
 * time; first: how many the first time. Returns the bytes consumed. */
static inline size_t head_feed(struct slice bytes, size_t first, size_t step, const struct h1_limits *limits,
                               char *line) {
    struct h1_parser p;
    enum h1_verdict v = H1_MORE;
    char *buf = NULL;
    size_t n = 0;
    h1_head_begin(&p, limits);
    while (v == H1_MORE && n < bytes.n) {
        size_t more = n == 0 ? first : step, left = bytes.n - n;
        more = more < left ? more : left;
        char *moved = malloc(n + more);
        assert_non_null(moved);
        if (n > 0)
            memcpy(moved, buf, n);
        memcpy(moved + n, bytes.p + n, more);
        free(buf);
        buf = moved;
        n += more;
        v = h1_head_parse(&p, buf, n);
    }
    h1_render(line, &p, v, buf);
    free(buf);
    return v == H1_DONE ? p.consumed : 0;
}

static inline void head_check(const struct head_case *c, const struct h1_limits *limits) {
    static char whole[H1_RENDER_MAX_BYTES], part[H1_RENDER_MAX_BYTES];
    size_t used = head_feed(c->bytes, c->bytes.n, 1, limits, whole);
    size_t n = used ? strlen(c->outcome) + 1 : strlen(c->outcome);
    if (strncmp(whole, c->outcome, n) != 0)
        fail_msg("section %s:\n%.*s\nis      %s\nand not %s", c->section, (int)c->bytes.n, c->bytes.p, whole,
                 c->outcome);
    for (size_t first = 1; first <= c->bytes.n; first++) {
        bool same = head_feed(c->bytes, first, first == 1 ? 1 : c->bytes.n, limits, part) == used;
        if (!same || strcmp(whole, part) != 0)
            fail_msg("section %s: split at %zu gives %s and not %s", c->section, first, part, whole);
    }
}

#define CHECK_HEADS(table)                                          \
    for (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++) \
    head_check(&(table)[i], &h1_default_limits)

#endif
