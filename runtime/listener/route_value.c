/* SPDX-License-Identifier: Apache-2.0 */
/* route_value.c – see route_value.h. */
#include "listener/route_value.h"

static struct slice trim(struct slice s) {
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s = slice_from(s.p + 1, s.n - 1);
    }
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) {
        s.n--;
    }
    return s;
}

/* "name = value": RFC 6265 section 4.2.1, read leniently. */
static bool pair_is(struct slice pair, struct slice name, struct slice *value) {
    const char *equals = pair.n > 0 ? memchr(pair.p, '=', pair.n) : NULL;
    if (equals == NULL || !slice_equal(trim(slice_from(pair.p, (size_t)(equals - pair.p))), name)) {
        return false;
    }
    *value = trim(slice_from(equals + 1, (size_t)(pair.p + pair.n - equals - 1)));
    return true;
}

static bool line_has(struct slice line, struct slice name, struct slice *value) {
    while (line.n > 0) {
        const char *end = memchr(line.p, ';', line.n);
        size_t n = end != NULL ? (size_t)(end - line.p) : line.n;
        if (pair_is(slice_from(line.p, n), name, value)) {
            return true;
        }
        n += end != NULL;
        line = slice_from(line.p + n, line.n - n);
    }
    return false;
}

bool route_value_cookie(const struct field *fields, size_t count, struct slice name, struct slice *value) {
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(fields[i].name, SLICE("cookie")) && line_has(fields[i].value, name, value)) {
            return true;
        }
    }
    return false;
}

bool route_value_field(const struct field *fields, size_t count, struct slice name, struct slice *value) {
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(fields[i].name, name)) {
            *value = fields[i].value;
            return true;
        }
    }
    return false;
}
