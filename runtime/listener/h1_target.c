/* SPDX-License-Identifier: Apache-2.0 */
/* h1_target.c – takes a request-target apart; see h1_target.h. */
#include <strings.h>

#include "listener/h1_authority.h"
#include "listener/h1_chars.h"
#include "listener/h1_target.h"

#define FINE ((struct h1_refusal){0, NULL})
#define BAD(why) ((struct h1_refusal){400, (why)})

static struct h1_span span(size_t at, size_t end) {
    return (struct h1_span){(uint16_t)at, (uint16_t)(end - at)};
}

static bool is_method(const char *buf, struct h1_span method, struct slice name) {
    return slice_equal(slice_from(buf + method.at, method.n), name);
}

/* Path and query from at to end. A path that is canonical as it stands has no escape, and behind
 * no slash another one or a dot. */
static struct h1_refusal split_path(const char *buf, size_t at, size_t end, struct h1_target *out) {
    size_t i = at;
    bool plain = true;
    char before = 'x';
    for (; i < end && (h1_chars[(uint8_t)buf[i]] & H1_CHAR_PATH); i++) {
        char c = buf[i];
        if (c == '%' || (before == '/' && (c == '/' || c == '.')))
            plain = false;
        before = c;
    }
    out->plain = plain;
    out->path = span(at, i);
    if (i == end)
        return FINE;
    if (buf[i] != '?')
        return BAD("byte that no path may contain");
    size_t query = ++i;
    while (i < end && (h1_chars[(uint8_t)buf[i]] & H1_CHAR_QUERY))
        i++;
    if (i < end)
        return BAD("byte that no query may contain");
    out->query = span(query, end);
    return FINE;
}

/* "http://host:port/path?query" */
static struct h1_refusal split_absolute(char *buf, size_t at, size_t end, struct h1_target *out) {
    if (end - at > 7 && strncasecmp(buf + at, "http://", 7) == 0)
        at += 7;
    else if (end - at > 8 && strncasecmp(buf + at, "https://", 8) == 0)
        at += 8, out->https = true;
    else
        return BAD("request-target of no known form");
    size_t i = at;
    while (i < end && buf[i] != '/' && buf[i] != '?')
        i++;
    if (!h1_authority_take(buf + at, i - at))
        return BAD("invalid authority in the request-target");
    out->form = H1_FORM_ABSOLUTE;
    out->authority = span(at, i);
    return split_path(buf, i, end, out);
}

/* Checks what only the canonical form shows. Rare, and its room would burden every caller's stack. */
__attribute__((noinline)) static struct h1_refusal check_path(const char *buf, const struct h1_target *t,
                                                              const struct h1_limits *limits) {
    char room[H1_TARGET_MAX_BYTES];
    struct slice path;
    if (t->plain)
        return FINE;
    return h1_path_canonical(slice_from(buf + t->path.at, t->path.n), limits, room, &path);
}

struct h1_refusal h1_target_split(char *buf, struct h1_span method, struct h1_span raw,
                                  const struct h1_limits *limits, struct h1_target *out) {
    size_t at = raw.at, end = at + raw.n;
    *out = (struct h1_target){.form = H1_FORM_ORIGIN, .plain = true};
    if (is_method(buf, method, SLICE("CONNECT")))
        return (struct h1_refusal){501, "CONNECT: this server is no proxy"};
    struct h1_refusal r;
    bool options = is_method(buf, method, SLICE("OPTIONS"));
    if (raw.n > 0 && buf[at] == '/') {
        r = split_path(buf, at, end, out);
    } else if (raw.n == 1 && buf[at] == '*') {
        out->form = H1_FORM_ASTERISK;
        out->path = raw;
        return options ? FINE : BAD("asterisk form without OPTIONS");
    } else {
        r = split_absolute(buf, at, end, out);
        if (r.status == 0 && options && out->path.n == 0 && out->query.at == 0)
            out->form = H1_FORM_ASTERISK; /* RFC 9112 section 3.2.4 */
    }
    return r.status ? r : check_path(buf, out, limits);
}
