/* SPDX-License-Identifier: Apache-2.0 */
/* slice.h – bytes that belong to someone else.
 * Runs in: every process. A slice never owns; whoever hands one out says how long it lives. */
#ifndef LUTTPD_BASE_SLICE_H
#define LUTTPD_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *p; /* may be NULL only where n is 0 */
    size_t n;      /* bytes */
};

/** A string literal as a slice. */
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

static inline struct slice slice_from(const char *p, size_t n) {
    return (struct slice){p, n};
}

static inline struct slice slice_text(const char *text) {
    return (struct slice){text, strlen(text)};
}

static inline bool slice_equal(struct slice a, struct slice b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/** One field line of a message head: name and value, as in RFC 9110 section 5. */
struct field {
    struct slice name;
    struct slice value;
};

#endif
