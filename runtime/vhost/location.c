/* SPDX-License-Identifier: Apache-2.0 */
/* location.c – builds the value of a location field.
 * Runs in: vhost. Distrusts: paths, captures and queries, which come from the client: nothing of
 * them may end the line, leave the path, or become a host. */
#include "vhost/location.h"

void location_begin(struct location *l) {
    l->n = 0;
    l->overflow = false;
}

void location_add(struct location *l, struct slice text) {
    if (l->overflow || text.n > LOCATION_MAX - l->n) {
        l->overflow = true;
        return;
    }
    memcpy(l->text + l->n, text.p, text.n);
    l->n += text.n;
}

static bool is_alphanumeric(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* RFC 3986: pchar and the slash, without the percent sign. */
static bool is_path_byte(unsigned char c) {
    return is_alphanumeric(c) || (c != '\0' && strchr("-._~!$&'()*+,;=:@/", c) != NULL);
}

/* A query arrives as sent, so its percent signs stand for themselves. */
static bool is_query_byte(unsigned char c) {
    return is_path_byte(c) || c == '?' || c == '%';
}

static void add_encoded(struct location *l, struct slice text, bool (*plain)(unsigned char)) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        char encoded[3] = {'%', digits[c >> 4], digits[c & 15]};
        location_add(l, plain(c) ? slice_from(text.p + i, 1) : slice_from(encoded, 3));
    }
}

void location_add_path(struct location *l, struct slice path) {
    add_encoded(l, path, is_path_byte);
}

/* RFC 3986: reserved, unreserved and the percent sign. */
static bool is_uri_byte(unsigned char c) {
    return is_query_byte(c) || c == '#' || c == '[' || c == ']';
}

void location_add_uri(struct location *l, struct slice uri) {
    add_encoded(l, uri, is_uri_byte);
}

void location_add_query(struct location *l, struct slice query) {
    if (query.n > 0) {
        location_add(l, SLICE("?"));
        add_encoded(l, query, is_query_byte);
    }
}

/* The capture that target[at] begins to name, and how many bytes its mention takes. */
static const struct route_capture *mentioned(struct slice target, size_t at, const struct route_match *m,
                                             size_t *length) {
    size_t n = 1;
    if (target.p[at] == ':') {
        while (at + n < target.n &&
               (is_alphanumeric((unsigned char)target.p[at + n]) || target.p[at + n] == '_')) {
            n++;
        }
    } else if (target.p[at] != '*') {
        return NULL;
    }
    struct slice name = target.p[at] == '*' ? SLICE("*") : slice_from(target.p + at + 1, n - 1);
    for (size_t i = 0; i < m->capture_count; i++) {
        if (slice_equal(m->captures[i].name, name)) {
            *length = n;
            return &m->captures[i];
        }
    }
    return NULL;
}

void location_expand(struct location *l, struct slice target, struct slice path,
                     const struct route_match *m) {
    size_t at = 0, length = 0;
    while (at < target.n) {
        const struct route_capture *c = mentioned(target, at, m, &length);
        if (c != NULL) {
            location_add_path(l, slice_from(path.p + c->start, c->length));
            at += length;
        } else {
            location_add(l, slice_from(target.p + at, 1));
            at++;
        }
    }
}

static size_t scheme_length(struct slice target) {
    static const struct slice schemes[] = {{"https://", 8}, {"http://", 7}};
    for (size_t i = 0; i < 2; i++) {
        if (target.n > schemes[i].n && memcmp(target.p, schemes[i].p, schemes[i].n) == 0) {
            return schemes[i].n;
        }
    }
    return 0;
}

const char *location_check_target(struct slice target) {
    size_t scheme = scheme_length(target);
    if (target.n > 4096) {
        return "it is longer than 4096 bytes";
    }
    for (size_t i = 0; i < target.n; i++) {
        unsigned char c = (unsigned char)target.p[i];
        if (c <= ' ' || c >= 0x7f || strchr("\"<>\\^`{|}", c) != NULL) {
            return "it holds a byte that no URI may hold; percent-encode it";
        }
    }
    if (scheme == 0) {
        bool path = target.n > 0 && target.p[0] == '/' && !(target.n > 1 && target.p[1] == '/');
        return path ? NULL : "it must begin with / or be an http:// or https:// URI";
    }
    for (size_t i = scheme; i < target.n && target.p[i] != '/'; i++) {
        bool port =
            target.p[i] == ':' && i + 1 < target.n && target.p[i + 1] >= '0' && target.p[i + 1] <= '9';
        if (target.p[i] == '*' || (target.p[i] == ':' && !port)) {
            return "the host of the target may not depend on the request";
        }
    }
    return memchr(target.p + scheme, '/', target.n - scheme) != NULL ||
                   memchr(target.p, '*', target.n) == NULL
               ? NULL
               : "the host of the target may not depend on the request";
}

struct slice location_end(const struct location *l) {
    size_t skip = 0;
    while (skip + 1 < l->n && l->text[skip] == '/' && l->text[skip + 1] == '/') {
        skip++;
    }
    return l->overflow ? slice_from(l->text, 0) : slice_from(l->text + skip, l->n - skip);
}
